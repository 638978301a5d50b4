# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on fast gradients."""

import numpy as np

from convlab.exercises import exercise, integers
from convlab.exercises._counting import Tally, values_of

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Rows and columns go by themselves. Which of the taps 0, 1, 2 can meet row 4?",
        "A tap u of output i meets row 2 * i + u. Row 4 wants an even tap, column 5 an odd one.",
        "Rows 0 and 2, column 1.",
    ],
    why="Two of nine taps: a quarter of the pixels has four, a quarter one, and the rest two.",
)
def taps_of_a_pixel():
    """3x3 kernel, stride 2, no padding: which taps (row, column) give to pixel (4, 5)?"""
    return {(u, v) for u in range(3) for v in range(3) if (4 - u) % 2 == 0 and (5 - v) % 2 == 0}


taps_of_a_pixel.mistake(
    {(1, 0), (1, 2)},
    means="Rows and columns are exchanged: the row stands first. Row 4 is even, column 5 odd.",
)
taps_of_a_pixel.mistake(
    {(u, v) for u in range(3) for v in range(3)},
    means="All nine reach a pixel with a stride of 1. With 2, a tap reaches every second one.",
)
taps_of_a_pixel.mistake(
    {(0, 0), (0, 2), (2, 0), (2, 2)},
    means="Those give to pixels with an even row and an even column. Column 5 is odd.",
)
taps_of_a_pixel.mistake(
    {(1, 1)}, means="That one gives to pixels with an odd row and an odd column. Row 4 is even."
)
taps_of_a_pixel.mistake(
    {(0, 1)}, means="That is one of them. Another output, one row higher, meets the same pixel."
)
taps_of_a_pixel.mistake(
    {(1, 2), (3, 2)}, means="You counted the taps from 1. The first is tap (0, 0)."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How large is the input? The last window starts at row 2 * 7 and is three rows high.",
        "The input has 17x17 pixels. Over spread gradients, each of them takes nine products.",
        "By phases, every output meets every tap exactly once.",
    ],
    why="4.5 times fewer. That is more than 4, because the rim of added zeros is saved as well.",
)
def with_and_without_zeros():
    """8x8 outputs, one channel, 3x3, stride 2, `valid`: multiplications of the input gradient?

    Two numbers: over `g` spread out with zeros, and by phases.
    """
    return [17 * 17 * 9, 8 * 8 * 9]


with_and_without_zeros.mistake(
    [576, 2601], means="Both are right, in the other order: first with zeros, then by phases."
)
with_and_without_zeros.mistake(
    [2304, 576],
    means="With zeros, every *pixel* takes nine, and there are more than 16x16 of them.",
)
with_and_without_zeros.mistake(
    [2025, 576],
    means="15x15 is the spread gradient. The input is two rows and two columns larger.",
)
with_and_without_zeros.mistake(
    [2601, 650],
    means="A quarter is what a large map comes near to. Here you can count: outputs times taps.",
)
with_and_without_zeros.mistake(
    [576, 576],
    means="576 are the products that count. Over spread gradients there are also those with zeros.",
)
with_and_without_zeros.mistake(
    [2601, 289], means="By phases a pixel has one, two or four taps, and not one each."
)

# --- 3 -------------------------------------------------------------------------------------------


def _rows():
    """(g, kernel, stride), among them strides that leave phases without a tap."""
    layers = [(2, 2, 1), (3, 3, 2), (4, 2, 2), (3, 4, 3), (4, 5, 2), (3, 2, 3), (2, 1, 4)]
    rng = np.random.default_rng(0)
    digits = np.array([-4, -3, -2, -1, 1, 2, 3, 4])  # no zeros: each product is seen
    return [
        (rng.choice(digits, cells), rng.choice(digits, taps), stride)
        for cells, taps, stride in layers
    ]


@exercise(
    cases=_rows,
    hints=[
        "Make a row of zeros for all pixels: `(len(g) - 1) * stride + len(kernel)` of them.",
        "The pixels of phase `p` are `dx[p::stride]`, and their taps `kernel[p::stride]`.",
        "Between `g` and the taps of a phase it is an ordinary convolution: "
        "`np.convolve(g, kernel[p::stride])`.",
        "A phase beyond the last tap has no taps, and `np.convolve` refuses an empty row: leave it "
        "at zero.",
    ],
    why="Every product of the forward pass once, and not one with a zero that you put there.",
)
def by_phases(g, kernel, stride):
    """Write `by_phases(g, kernel, stride)`: the input gradient of one row, without spread zeros.

    `valid`, one channel; the row is as long as the windows reach. Numbers count their products:
    more than `len(g) * len(kernel)` are too many.
    """
    size = (len(g) - 1) * stride + len(kernel)
    dx = np.zeros(size, dtype=object)
    for phase in range(min(stride, len(kernel))):
        dx[phase::stride] = np.convolve(g, kernel[phase::stride])
    return dx


@by_phases.measure
def _counted(answer, g, kernel, stride):
    tally = Tally()
    made = answer(tally.numbers(g.tolist()), tally.numbers(kernel.tolist()), stride)
    if made is None or made is Ellipsis or any(part is Ellipsis for part in made):
        return made
    return {"gradient": values_of(made), "products": tally.products}


@by_phases.judge
def _exact_and_cheap(measured, g, kernel, stride):
    if not isinstance(measured, dict):
        return "Return the gradient: one number for each pixel."
    wanted = np.zeros((len(g) - 1) * stride + len(kernel), int)
    for i, number in enumerate(g):
        wanted[i * stride : i * stride + len(kernel)] += number * kernel
    found, most = np.asarray(measured["gradient"], float), g.size * kernel.size
    if found.shape != wanted.shape:
        return f"The row has {wanted.size} pixels. Received: {found.size} numbers."
    if not np.array_equal(found, wanted):
        return f"The gradient is {wanted.tolist()}."
    if measured["products"] > most:
        return (
            f"The gradient is right. It took {measured['products']} products, where {most} would "
            "do: the others have a factor 0 that the stride put there."
        )
    return None


@by_phases.mistake(means="You spread `g` out with zeros, and multiplied by them.")
def _spread(g, kernel, stride):
    spread = np.zeros((len(g) - 1) * stride + 1, dtype=object)
    spread[::stride] = g
    return np.convolve(spread, kernel)


@by_phases.mistake(
    means="You turned the kernel round, and `np.convolve` turns it too: twice is not at all."
)
def _turned(g, kernel, stride):
    return by_phases.solution(g, kernel[::-1], stride)


@by_phases.mistake(
    means="The phases follow one another, as blocks. A pixel's neighbour belongs to the next "
    "phase: write to `dx[p::stride]`."
)
def _not_interleaved(g, kernel, stride):
    parts = [np.convolve(g, kernel[p::stride]) for p in range(min(stride, len(kernel)))]
    size = (len(g) - 1) * stride + len(kernel)
    joined = np.concatenate(parts)[:size]
    return np.concatenate([joined, np.zeros(size - len(joined))])


@by_phases.mistake(
    means="You cut the taps into runs of neighbours. A phase takes every `stride`-th tap."
)
def _runs(g, kernel, stride):
    dx = np.zeros((len(g) - 1) * stride + len(kernel), dtype=object)
    length = -(-len(kernel) // stride)
    for phase in range(stride):
        run = kernel[phase * length : (phase + 1) * length]
        room = len(dx[phase::stride])
        made = [*(np.convolve(g, run) if len(run) else []), *[0] * room]
        dx[phase::stride] = made[:room]
    return dx


@by_phases.mistake(means="You left the stride out: the row is longer, and most of it is 0.")
def _no_stride(g, kernel, stride):
    return np.convolve(g, kernel)


# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        integers(3, 3, 1, 2, seed=1),
        integers(2, 3, 2, 3, seed=2),
        integers(3, 2, 4, 1, seed=3),
    ],
    hints=[
        "Two things happen: the window is turned by 180 degrees, and channels and filters change "
        "places.",
        "Turning by 180 degrees reverses the first two axes, both.",
        "`kernel[::-1, ::-1]`, and then `.swapaxes(2, 3)`.",
    ],
    why="With it, the forward kernel computes the input gradient: no second one has to be written.",
)
def turned_kernel(kernel):
    """Write `turned_kernel(kernel)`: the kernel with which `conv2d` over `g` makes `dx`.

    From `(kernel_height, kernel_width, channels, filters)`, for a stride of 1.
    """
    return kernel[::-1, ::-1].swapaxes(2, 3)


@turned_kernel.mistake(
    means="Turned, but channels and filters stand where they stood. `g` has as many maps as there "
    "are filters."
)
def _only_turned(kernel):
    return kernel[::-1, ::-1]


@turned_kernel.mistake(
    means="Channels and filters have changed places, but the window is not turned: gathering meets "
    "the last tap first."
)
def _only_swapped(kernel):
    return kernel.swapaxes(2, 3)


@turned_kernel.mistake(means="You turned the rows alone. The columns are reversed as well.")
def _rows_reversed(kernel):
    return kernel[::-1].swapaxes(2, 3)


@turned_kernel.mistake(means="You turned the columns alone. The rows are reversed as well.")
def _columns_reversed(kernel):
    return kernel[:, ::-1].swapaxes(2, 3)


@turned_kernel.mistake(
    means="You reversed all four axes. Channels and filters change places; their order stays."
)
def _all_reversed(kernel):
    return kernel[::-1, ::-1, ::-1, ::-1].swapaxes(2, 3)


@turned_kernel.mistake(
    means="`.T` reverses the order of all axes: rows and columns change places too."
)
def _transposed(kernel):
    return kernel[::-1, ::-1].T


# --- 5 -------------------------------------------------------------------------------------------


def _sums():
    """Terms of which float32 loses some, and which ones depends on the cut."""
    cases = []
    for seed, (length, parts) in enumerate([(6, 2), (6, 3), (8, 4), (12, 3), (12, 4), (20, 5)]):
        rng = np.random.default_rng(seed)
        terms = rng.integers(1, 9, length) * 1.0
        large = rng.permutation(length)[:2]
        terms[large] = 2.0**26, -(2.0**26)
        cases.append((terms, parts))
    return cases


def _running(terms):
    """The sum of these numbers in float32, one after the other."""
    total = np.float32(0)
    for term in terms:
        total = np.float32(total + np.float32(term))
    return total


@exercise(
    cases=_sums,
    hints=[
        "First the length of a part: `len(terms) // parts`.",
        "Each part is a running sum in `np.float32`, from its first term to its last.",
        "Then add the parts' sums, the first part's first, again in `np.float32`.",
    ],
    why="However many threads take the parts, and whichever ends first: the result is the same.",
)
def fixed_sum(terms, parts):
    """Write `fixed_sum(terms, parts)`: a sum in float32 whose order does not depend on threads.

    Cut the terms into parts of equal length: their number is a multiple of `parts`. Add up each
    part from its first term on, then the parts' sums from the first on, all in `np.float32`.
    """
    length = len(terms) // parts
    total = np.float32(0)
    for start in range(0, len(terms), length):
        part = np.float32(0)
        for term in terms[start : start + length]:
            part += np.float32(term)
        total += part
    return float(total)


@fixed_sum.mistake(means="That is one running sum over all terms. Where are the parts?")
def _one_sum(terms, parts):
    return float(_running(terms))


@fixed_sum.mistake(
    means="Your parts take every n-th term. Asked for are neighbours: the first few, the next few."
)
def _dealt(terms, parts):
    return float(_running([_running(terms[part::parts]) for part in range(parts)]))


@fixed_sum.mistake(
    means="You added in float64, where nothing is lost here. A kernel for float32 has no such "
    "luck: round every sum with `np.float32`."
)
def _double(terms, parts):
    return float(np.sum(terms))


@fixed_sum.mistake(means="You added the parts' sums from the last to the first.")
def _backwards(terms, parts):
    length = len(terms) // parts
    sums = [_running(terms[at : at + length]) for at in range(0, len(terms), length)]
    return float(_running(sums[::-1]))


@fixed_sum.mistake(
    means="You took `parts` as the length of a part. It says how many parts there are."
)
def _length(terms, parts):
    return float(_running([_running(terms[at : at + parts]) for at in range(0, len(terms), parts)]))


# --- 6 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Forward: 30 * 30 cells of 3 * 3 * 3 products and 16 filters, then 28 * 28 cells of "
        "3 * 3 * 16 products and 16 filters.",
        "That is 388,800 and 1,806,336. Each layer has a forward pass and a kernel gradient.",
        "The second layer also needs an input gradient. Who would need the first one's?",
    ],
    why="Three times the forward pass, less one for the first layer: nobody changes the photo.",
)
def training_step():
    """Multiply-adds of one training step, for one image of 32x32x3 and two 3x3 layers?

    Both have 16 filters, `valid`, a stride of 1; the maps are 30x30 and 28x28.
    """
    first, second = 30 * 30 * 9 * 3 * 16, 28 * 28 * 9 * 16 * 16
    return 2 * first + 3 * second


training_step.mistake(
    3 * (388_800 + 1_806_336),
    means="You counted an input gradient for the first layer. That is the gradient of the photo.",
)
training_step.mistake(
    388_800 + 1_806_336, means="That is the forward pass. A step also has to find the gradients."
)
training_step.mistake(
    2 * (388_800 + 1_806_336),
    means="The second layer needs its input gradient: the first layer's weights learn from it.",
)
training_step.mistake(
    2 * 388_800 + 2 * 1_806_336 + 388_800,
    means="You gave the input gradient to the first layer. It is the second layer that needs one.",
)
training_step.mistake(
    2 * (2 * 388_800 + 3 * 1_806_336),
    means="You counted a multiply-add as two operations. Asked for are multiply-adds.",
)
training_step.mistake(
    2 * 900 * 27 * 16 + 3 * 784 * 9 * 16,
    means="The second layer sees 16 channels, all of them: 3 * 3 * 16 products in each cell.",
)
