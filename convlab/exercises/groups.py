# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on groups."""

import numpy as np

from convlab.exercises import exercise, integers
from convlab.functional import conv2d

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Cut the channels into two halves, and the filters too. Which half sees which?",
        "Filters 0 and 1 see the channels 1 and 2. Filters 2 and 3 see 3 and 4.",
        "Filter 0 is the first column: 1 * 1 + 2 * 1.",
    ],
    why="Neighbours stay together, among the channels and among the filters: two blocks.",
)
def grouped_pixel():
    """Pixel [1, 2, 3, 4], kernel [[1, 0, 2, 1], [1, -1, 0, 3]] of 1x1, `groups=2`: the maps?"""
    pixel, kernel = np.array([1, 2, 3, 4]), np.array([[1, 0, 2, 1], [1, -1, 0, 3]])
    first = pixel[:2] @ kernel[:, :2]
    second = pixel[2:] @ kernel[:, 2:]
    return np.concatenate([first, second])


grouped_pixel.mistake(
    [4, -3, 4, 14],
    means="You gave each group every second channel. A group takes neighbours: 1, 2 and 3, 4.",
)
grouped_pixel.mistake(
    [3, -4, 2, 15],
    means="You gave each group every second filter. The first half of the filters sees the first "
    "half of the channels.",
)
grouped_pixel.mistake(
    [3, -2, 2, 7], means="You showed all four filters the first group. The channels 3, 4 are lost."
)
grouped_pixel.mistake(
    [[3, -2], [6, 15]],
    means="You kept a row for each group: the numbers are right. The layer lays the groups end to "
    "end, so give one list of four maps.",
)
grouped_pixel.mistake(
    [9, 13], means="You added the groups up. They stay apart: four filters give four maps."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many of the 32 channels does one filter see?",
        "One filter has 3 * 3 * 8 weights. How many filters are there, in all groups together?",
        "64 filters, and each has one bias.",
    ],
    why="Groups divide what each filter sees. The number of filters, and of biases, stays.",
)
def parameters():
    """How many parameters has `Conv2D(64, 3, groups=4)` on 32 channels, with its bias?"""
    weights_of_a_filter = 3 * 3 * (32 // 4)
    return 64 * weights_of_a_filter + 64


parameters.mistake(18_496, means="You ignored the groups: no filter sees all 32 channels.")
parameters.mistake(
    1_216,
    means="You divided the filters too. Each group has 16 of them, but there are four groups.",
)
parameters.mistake(
    4_624, means="You divided the biases. Every filter has one, and there are still 64 filters."
)
parameters.mistake(4_608, means="You left the biases out: one for each filter.")
parameters.mistake(1_168, means="That is one group. There are four.")
parameters.mistake(1_152, means="That is one group, without its biases. There are four groups.")
parameters.mistake(
    18_432,
    means="You ignored the groups: no filter sees all 32 channels. The biases are missing too.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "`groups` must divide two numbers. Which?",
        "Divide the filters by the groups, then the channels. Nothing may be left over.",
    ],
    why="Each group needs equally many channels and equally many filters, and at least one.",
)
def which_build():
    """Which (filters, groups, channels) can be built?

    (6, 3, 3), (4, 3, 3), (4, 2, 3), (2, 4, 4), (12, 4, 8).
    """
    layers = [(6, 3, 3), (4, 3, 3), (4, 2, 3), (2, 4, 4), (12, 4, 8)]
    return {
        (filters, groups, channels)
        for filters, groups, channels in layers
        if filters % groups == 0 and channels % groups == 0
    }


which_build.mistake(
    {(6, 3, 3), (12, 4, 8), (4, 2, 3)},
    means="You forgot the channels: 3 channels cannot be cut into 2 equal groups.",
)
which_build.mistake(
    {(6, 3, 3), (12, 4, 8), (4, 3, 3)},
    means="You forgot the filters: 4 filters cannot be shared out among 3 groups.",
)
which_build.mistake(
    {(6, 3, 3), (12, 4, 8), (2, 4, 4)},
    means="Four groups and two filters: two groups would have no filter.",
)
which_build.mistake(
    {(6, 3, 3), (12, 4, 8), (4, 3, 3), (2, 4, 4)},
    means="You only divided the channels. `groups` must divide the filters as well.",
)
which_build.mistake(
    {(6, 3, 3)}, means="A group may have more than one channel: 8 channels make 4 groups of 2."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        integers(*shape, seed=seed)
        for seed, shape in enumerate([(1, 1, 2, 1), (1, 1, 2, 2), (1, 2, 2, 3), (2, 3, 3, 2)])
    ],
    hints=[
        "With `groups=channels` one filter sees one channel. So how long is the third axis?",
        "How many filters are there? The order of maps: all m of channel 0, then all of channel 1.",
        "Number the weights of a 1x1 kernel with 2 channels and m = 2 from 0 to 3, as they are "
        "stored. In which order do the four filters need them?",
    ],
    why="A reshape moves nothing in memory: both layers store the same numbers in the same order.",
)
def depthwise_to_grouped(kernel):
    """Write `depthwise_to_grouped(kernel)`: the same layer's kernel for `groups=channels`.

    `kernel` is (height, width, channels, m), as in `DepthwiseConv2D`.
    """
    height, width, channels, m = kernel.shape
    return kernel.reshape(height, width, 1, channels * m)


@depthwise_to_grouped.mistake(
    means="You swapped channels and m before the reshape. Then the filters stand in the wrong "
    "order, and most of them read the channel of another."
)
def _swapped(kernel):
    height, width, channels, m = kernel.shape
    return kernel.swapaxes(2, 3).reshape(height, width, 1, channels * m)


@depthwise_to_grouped.mistake(
    means="You left the kernel as it is. Its third axis must be what one filter sees: 1 channel."
)
def _unchanged(kernel):
    return kernel


@depthwise_to_grouped.mistake(
    means="You put all filters on the third axis. That one is for channels; filters come last."
)
def _filters_third(kernel):
    height, width, channels, m = kernel.shape
    return kernel.reshape(height, width, channels * m, 1)


@depthwise_to_grouped.mistake(
    means="You spread the weights out with zeros, for an ordinary layer. With groups there is "
    "nothing to fill: the third axis is 1."
)
def _block_kernel(kernel):
    height, width, channels, m = kernel.shape
    full = np.zeros((height, width, channels, channels * m))
    for channel in range(channels):
        full[:, :, channel, channel * m : (channel + 1) * m] = kernel[:, :, channel]
    return full


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    cases=[np.arange(48.0).reshape(3, 2, 2, 4)],  # the first pixel's channels: 0, 1, 2, 3
    hints=[
        "The second layer's first group takes the first two channels. From which group of the "
        "first layer does each of them come?",
        "Both groups of the second layer need one channel of each group of the first.",
        "An index on the last axis moves channels: `maps[..., order]`, with a list of four "
        "numbers. Its first two must come from different groups.",
    ],
    why="Each group of the second layer has a channel of both groups of the first, and no weight "
    "was spent. ShuffleNet is built on this; its order is 0, 2, 1, 3.",
)
def through_the_wall(maps):
    """Write `between(maps)`: order the 4 channels anew, so that all outputs see all inputs.

    It stands between two layers with 4 channels and `groups=2`. `maps` is (batch, height,
    width, 4).
    """
    pairs = maps.reshape(*maps.shape[:-1], 2, 2)
    return pairs.swapaxes(-1, -2).reshape(maps.shape)


@through_the_wall.measure
def _paths(between, maps):
    moved = np.asarray(between(maps), float)
    if moved.shape != maps.shape:
        return {"shape": moved.shape}
    order = np.clip(moved[0, 0, 0], 0, 3).astype(int)
    if not np.array_equal(moved, maps[..., order]):
        return {"channels were only moved": False}
    kernel = np.ones((1, 1, 2, 4))
    first = conv2d(np.eye(4)[:, None, None, :], kernel, groups=2)
    second = conv2d(np.asarray(between(first)), kernel, groups=2)
    return {
        "new order of the channels": order,
        "channels were only moved": True,
        "pairs of input and output that meet": int(np.count_nonzero(second)),
    }


@through_the_wall.judge
def _all_meet(measured, maps):
    if "shape" in measured:
        return "The maps should keep their shape, (batch, height, width, 4)."
    if not measured["channels were only moved"]:
        return "Only the order of the channels may change, and it is the same at every pixel."
    if sorted(measured["new order of the channels"]) != [0, 1, 2, 3]:
        return "A channel is missing, and another is there twice."
    met = measured["pairs of input and output that meet"]
    return None if met == 16 else f"{met} of the 16 pairs of input and output meet."


@through_the_wall.mistake(means="You changed nothing: the two blocks stay two blocks.")
def _as_it_is(maps):
    return maps.copy()


@through_the_wall.mistake(
    means="You swapped the groups as wholes. Each still has the two channels it had."
)
def _groups_swapped(maps):
    return maps[..., [2, 3, 0, 1]]


@through_the_wall.mistake(
    means="You reversed the channels. Those that were together are still together."
)
def _reversed(maps):
    return maps[..., ::-1]


@through_the_wall.mistake(means="You swapped inside each group. No channel has left its group.")
def _swapped_inside(maps):
    return maps[..., [1, 0, 3, 2]]


@through_the_wall.mistake(
    means="You moved rows and columns instead of channels: the last axis is the one."
)
def _turned(maps):
    return maps.swapaxes(1, 2)
