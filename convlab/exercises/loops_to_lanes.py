# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter that leads from loops to lanes."""

import numpy as np

from convlab.exercises import exercise, integers
from convlab.geometry import Geometry

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Count the multiply-adds first. How many cells are there, and how many products in each?",
        "28 * 28 cells, 64 filters, 3 * 3 * 32 products in each sum. A multiply-add is two "
        "operations.",
        "28.9 million operations. At 100,000 million in a second, how long?",
    ],
    why="A lower bound, before any code is written: whoever measures less has measured wrongly.",
    tolerance=0.002,
)
def time_at_peak():
    """How many milliseconds does this layer take at least, at a peak of 100 GFLOP/s?

    The image is 30x30 with 32 channels; 64 filters of 3x3, `padding="valid"`, strides of 1.
    """
    work = 2 * Geometry.conv2d((1, 30, 30, 32), (3, 3, 32, 64)).multiply_adds
    return 1000 * work / 100e9


time_at_peak.mistake(
    28 * 28 * 64 * 288 / 100e6,
    means="You counted a multiply-add as one operation. The peak counts it as two: one "
    "multiplication, one addition.",
)
time_at_peak.mistake(
    2 * 30 * 30 * 64 * 288 / 100e6,
    means="You put a window on every pixel. With `valid` it fits in fewer places along each side.",
)
time_at_peak.mistake(
    2 * 27 * 27 * 64 * 288 / 100e6,
    means="You took 30 - 3 places along a side. The place before the first move counts too.",
)
time_at_peak.mistake(
    2 * 28 * 28 * 64 * 9 / 100e6,
    means="You left out the channels: each of the nine taps holds 32 of them.",
)
time_at_peak.mistake(
    2 * 28 * 28 * 288 / 100e6, means="You counted one filter. There are 64 of them."
)
time_at_peak.mistake(
    2 * 28 * 28 * 64 * 288 / 100e3,
    means="Those are microseconds: a millisecond has 1,000 of them.",
)
time_at_peak.mistake(289, means="Microseconds. A thousand of them are one millisecond.")
time_at_peak.mistake(0.000289, means="Those are seconds. A second has 1,000 milliseconds.")
time_at_peak.mistake(
    100e6 / (2 * 28 * 28 * 64 * 288),
    means="You turned the division round: that is how many such layers fit into a millisecond.",
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A sum that was just given a product must wait before it can take the next one.",
        "While one sum waits for 4 cycles, 2 multiply-adds could begin in each of these cycles. "
        "Who takes them?",
    ],
    why="With fewer sums, units stand idle; each further sum only takes one more register.",
)
def sums_needed():
    """How many sums must be under way, so that no unit ever waits?

    A fused multiply-add takes 4 cycles from its start until its result can be used. The core has
    2 units, and each can start one in every cycle.
    """
    return 4 * 2


sums_needed.mistake(
    4,
    means="That keeps one unit busy. There are two, and each needs something to start in every "
    "cycle.",
)
sums_needed.mistake(
    2,
    means="Two sums give each unit one start, and then three cycles of waiting: the result comes "
    "after four.",
)
sums_needed.mistake(
    6, means="You added the two numbers. In *each* of the 4 cycles, 2 multiply-adds can start."
)
sums_needed.mistake(
    16,
    means="You counted multiplication and addition apart. They are one instruction, with one wait.",
)
sums_needed.mistake(
    128,
    means="You counted lanes. One instruction works on all lanes of a register: count registers.",
)
sums_needed.mistake(
    1, means="One sum waits for itself: one multiply-add in 4 cycles, where 8 could be done."
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many vectors of weights are loaded for one channel of one tap? How many pixels?",
        "3 vectors of weights and 8 pixels are loaded. How many multiply-adds do they feed?",
    ],
    why="1/8 + 1/3: a side of the tile that is short costs much, however long the other one is.",
    tolerance=0.006,
)
def loads():
    """A tile of 8 pixels by 3 vectors: how many loads for each fused multiply-add?"""
    return (8 + 3) / (8 * 3)


loads.mistake(24 / 11, means="You turned the fraction round: that is multiply-adds for each load.")
loads.mistake(
    2,
    means="Those are the loads without a tile: a pixel and a vector of weights for each product. "
    "In the tile they are used again and again.",
)
loads.mistake(
    11, means="That is how many loads one step makes. How many multiply-adds does it do with them?"
)
loads.mistake(
    8 / 24, means="You counted the pixels. The 3 vectors of weights must be loaded as well."
)
loads.mistake(3 / 24, means="You counted the weights. Each of the 8 pixels must be loaded as well.")
loads.mistake(
    35 / 24,
    means="You loaded the 24 sums, too. They stay in registers from the first product to the last.",
)
loads.mistake(
    59 / 24,
    means="You loaded and stored the 24 sums, too. They stay in registers from the first product "
    "to the last.",
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A tile needs a register for each sum, one for each vector of weights, and one for the "
        "pixel.",
        "pixels * vectors + vectors + 1 must be 16 or less. For each number of vectors, how many "
        "pixels fit?",
        "1 vector leaves room for 14 pixels, 2 for 6, 3 for 4, 4 for 2. Which has the fewest loads "
        "for each multiply-add?",
    ],
    why="12 multiply-adds for 7 loads, and no register left. A square tile shares best.",
)
def largest_tile():
    """With 16 registers, which tile needs the fewest loads for each multiply-add?

    Give a pair: pixels, vectors.
    """
    fitting = [(p, v) for p in range(1, 16) for v in range(1, 16) if p * v + v + 1 <= 16]
    return min(fitting, key=lambda tile: sum(tile) / (tile[0] * tile[1]))


largest_tile.mistake(
    (14, 1),
    means="It fits and has the most sums. But it loads 15 numbers or vectors for 14 "
    "multiply-adds: nearly one for each.",
)
largest_tile.mistake(
    (2, 4),
    means="It fits, but 6 loads feed only 8 multiply-adds, and three registers stay empty.",
)
largest_tile.mistake((7, 2), means="14 sums, 2 vectors of weights and the pixel make 17.")
largest_tile.mistake(
    (4, 4), means="Its 16 sums fill all registers. Where do the weights and the pixel go?"
)
largest_tile.mistake(
    (3, 4),
    means="12 sums, 4 vectors of weights and the pixel make 17. The other way round it fits.",
)
largest_tile.mistake(
    (5, 3),
    means="15 sums and the pixel fill 16 registers. The 3 vectors of weights find no place.",
)
largest_tile.mistake(
    (3, 5),
    means="15 sums and the pixel fill 16 registers. The 5 vectors of weights find no place.",
)
largest_tile.mistake(
    (6, 2),
    means="It fits, and it has as many sums as the best one. But it makes 8 loads for them.",
)
largest_tile.mistake(
    (3, 3),
    means="It fits and leaves three registers empty. With one pixel more it would fill them.",
)
largest_tile.mistake(
    (2, 5), means="It fits, with 7 loads for 10 multiply-adds. One that is nearer to a square does "
    "more with 7 loads."
)  # fmt: skip

# --- 5 -------------------------------------------------------------------------------------------

LARGE = 2.0**24  # float32 cannot tell this number from the next whole one


def _products():
    """Matrices whose sums of products depend on the order in which they are added."""
    cases = []
    for seed, (rows, depth, filters) in enumerate([(1, 4, 3), (5, 6, 7), (4, 5, 4)]):
        x, weights = integers(rows, depth, seed=seed), integers(depth, filters, seed=seed + 10)
        x[:, 1], x[:, -1], weights[1], weights[-1] = LARGE, -LARGE, 1, 1
        beginning = integers(filters, seed=seed + 20)
        cases.append((*(part.astype(np.float32) for part in (x, weights, beginning)), 2, 3))
    return cases


@exercise(
    cases=_products,
    hints=[
        "Two loops over tiles: `range(0, rows, pixels)` and `range(0, filters, lanes)`. A slice "
        "that goes over the end stops there by itself.",
        "A tile starts as `beginning[f:f + lanes]` in each of its rows.",
        "Then, for each k: `tile += np.outer(x[p:p + pixels, k], weights[k, f:f + lanes])`.",
    ],
    why="The tile decides which sums are worked on together, and not in which order one sum is "
    "added up: so every tile gives the same bits.",
)
def tiled(x, weights, beginning, pixels, lanes):
    """Write `tiled(x, weights, beginning, pixels, lanes)`: sums of products, tile by tile.

    `x` is `(rows, depth)`, `weights` is `(depth, filters)`, both float32. The sum of a row and a
    filter begins with `beginning[filter]` and takes its products in the order of `depth`, one
    after another. Work through tiles of `pixels` rows by `lanes` filters; the last ones may be
    smaller.
    """
    rows, depth = x.shape
    filters = weights.shape[1]
    output = np.empty((rows, filters), np.float32)
    for p in range(0, rows, pixels):
        for f in range(0, filters, lanes):
            tile = np.repeat(beginning[None, f : f + lanes], len(x[p : p + pixels]), axis=0)
            for k in range(depth):
                tile += np.outer(x[p : p + pixels, k], weights[k, f : f + lanes])
            output[p : p + pixels, f : f + lanes] = tile
    return output


@tiled.mistake(
    means="You added the beginning at the end. In float32 the order of additions shows: a sum "
    "*begins* with it."
)
def _beginning_last(x, weights, beginning, pixels, lanes):
    return tiled.solution(x, weights, 0 * beginning, pixels, lanes) + beginning


@tiled.mistake(means="You took the products from the last to the first.")
def _backwards(x, weights, beginning, pixels, lanes):
    return tiled.solution(x[:, ::-1], weights[::-1], beginning, pixels, lanes)


@tiled.mistake(
    means="You added in float64, or exactly. In float32 every sum is rounded after each product, "
    "and that is what a register does."
)
def _exact(x, weights, beginning, pixels, lanes):
    return beginning + x.astype(float) @ weights.astype(float)


@tiled.mistake(means="The sums begin with 0. They should begin with `beginning`.")
def _from_zero(x, weights, beginning, pixels, lanes):
    return tiled.solution(x, weights, 0 * beginning, pixels, lanes)


@tiled.mistake(
    means="Every tile begins with the first numbers of `beginning`. A tile that starts at filter "
    "`f` begins with `beginning[f:f + lanes]`."
)
def _first_beginning(x, weights, beginning, pixels, lanes):
    filters = np.arange(weights.shape[1])
    return tiled.solution(x, weights, beginning[filters % lanes], pixels, lanes)


@tiled.mistake(
    means="You left out the tiles that are not full: the rows and filters left over at the end."
)
def _full_tiles_only(x, weights, beginning, pixels, lanes):
    output = np.zeros((len(x), weights.shape[1]), np.float32)
    rows, filters = len(x) // pixels * pixels, weights.shape[1] // lanes * lanes
    full = tiled.solution(x[:rows], weights[:, :filters], beginning[:filters], pixels, lanes)
    output[:rows, :filters] = full
    return output


@tiled.mistake(means="Each sum holds its last product alone. The products are added up: `+=`.")
def _last_product(x, weights, beginning, pixels, lanes):
    return np.outer(x[:, -1], weights[-1])


# --- 6 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (0, 1, 1, 2, (1, 2, 2, 4), 2),
        (1, 0, 2, 5, (2, 3, 4, 8), 4),
        (2, 1, 0, 6, (3, 2, 3, 7), 3),
        (1, 2, 5, 33, (3, 3, 16, 64), 32),
    ],
    hints=[
        "Which panel is the filter in, and which lane of it? `divmod(filter, width)` says both.",
        "What lies before it: whole panels, then whole taps, then whole channels, then lanes.",
        "A channel has `width` numbers, a tap has `channels * width`, a panel has "
        "`kernel_height * kernel_width * channels * width`.",
    ],
    why="With this order a tile reads its weights from one end to the other, without a jump.",
)
def place(i, j, channel, filter, kernel_shape, width):
    """Write `place(i, j, channel, filter, kernel_shape, width)`: where a packed weight lies.

    The kernel, `(kernel_height, kernel_width, channels, filters)`, is packed in the order
    `(panels, kernel_height, kernel_width, channels, width)`: a panel holds `width` filters side
    by side, and the last one is filled up with zeros. Count from 0.
    """
    kernel_height, kernel_width, channels, _ = kernel_shape
    panel, lane = divmod(filter, width)
    tap = i * kernel_width + j
    return ((panel * kernel_height * kernel_width + tap) * channels + channel) * width + lane


@place.mistake(
    means="That is its place before packing, where all filters of a channel lie side by side. In a "
    "panel there are `width` of them."
)
def _unpacked(i, j, channel, filter, kernel_shape, width):
    return ((i * kernel_shape[1] + j) * kernel_shape[2] + channel) * kernel_shape[3] + filter


@place.mistake(
    means="You put the panels inside the taps. A panel is whole: all its taps, before the next one."
)
def _panels_inside(i, j, channel, filter, kernel_shape, width):
    panel, lane = divmod(filter, width)
    tap, panels = i * kernel_shape[1] + j, -(-kernel_shape[3] // width)
    return ((tap * panels + panel) * kernel_shape[2] + channel) * width + lane


@place.mistake(
    means="You exchanged the tap's row and column: the row `i` counts in steps of the kernel's "
    "width, the column `j` in steps of 1."
)
def _tap_turned(i, j, channel, filter, kernel_shape, width):
    high, wide, *rest = kernel_shape
    return place.solution(j, i, channel, filter, (wide, high, *rest), width)


@place.mistake(
    means="You put the channels outside the taps. Each tap holds all its channels, one after "
    "another."
)
def _channels_outside(i, j, channel, filter, kernel_shape, width):
    high, wide, channels, _ = kernel_shape
    panel, lane = divmod(filter, width)
    return ((panel * channels + channel) * high * wide + i * wide + j) * width + lane


@place.mistake(
    means="You added the whole number of the filter at the end. The panel is in the sum already; "
    "what is left is the lane, `filter % width`."
)
def _filter_for_lane(i, j, channel, filter, kernel_shape, width):
    return place.solution(i, j, channel, filter, kernel_shape, width) + filter // width * width


@place.mistake(means="You left out the panel: every filter lands in the first one.")
def _first_panel(i, j, channel, filter, kernel_shape, width):
    return place.solution(i, j, channel, filter % width, kernel_shape, width)


@place.mistake(means="You left out the lane: every filter of a panel lands on its first one.")
def _no_lane(i, j, channel, filter, kernel_shape, width):
    return place.solution(i, j, channel, filter // width * width, kernel_shape, width)
