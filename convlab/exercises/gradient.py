# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on the gradient of a convolution."""

import numpy as np

from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Each of the three cells stamps the three weights, times its own number.",
        "With a stride of 2 the stamps start at pixels 0, 2 and 4.",
        "The stamps are 1, 2, -1, then -1, -2, 1, then 2, 4, -2. They overlap at pixels 2 and 4.",
    ],
    why="You never needed the pixels: the gradient of the input depends on weights and `g` alone.",
)
def scattered():
    """Seven pixels, weights 1, 2, -1, stride 2, `valid`, g = 1, -1, 2: the input's gradient?"""
    gradient = np.zeros(7, int)
    for start, number in zip((0, 2, 4), (1, -1, 2), strict=True):
        gradient[start : start + 3] += number * np.array([1, 2, -1])
    return gradient


scattered.mistake(
    [1, 1, -1, 5, -2],
    means="You let the stamps start one pixel apart, as with a stride of 1. The length tells: "
    "there are seven pixels, and every one has a gradient.",
)
scattered.mistake(
    [-1, 2, 2, -2, -3, 4, 2],
    means="You turned the kernel before you stamped it. Scattering flips nothing; only the sliding "
    "form, which gathers, needs the turned kernel.",
)
scattered.mistake(
    [1, 2, -1, -2, 2, 4, -2],
    means="Where two stamps overlap you kept the later one. A pixel that two cells saw gets both.",
)
scattered.mistake(
    [1, 2, -1, -2, 1, 4, -2],
    means="Where two stamps overlap you kept the earlier one. A pixel seen by two cells gets both.",
)
scattered.mistake(
    [1, 2, 0, 2, 0, 2, -1], means="You ignored `g`: every cell stamped the plain kernel."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Each cell hands back the three pixels that it saw, times its own number.",
        "The windows are 3, 1, 4, then 4, 1, 5, then 5, 9, 2.",
    ],
    why="The weights themselves do not matter here: the kernel's gradient is a sum of windows.",
)
def patches():
    """Pixels 3 1 4 1 5 9 2, three weights, stride 2, g = 1, -1, 2: the kernel's gradient?"""
    pixels = np.array([3, 1, 4, 1, 5, 9, 2])
    return 1 * pixels[0:3] - 1 * pixels[2:5] + 2 * pixels[4:7]


patches.mistake(
    [10, -1, 13],
    means="You took windows one pixel apart. The stride is 2, so they start at pixels 0, 2 and 4.",
)
patches.mistake(
    [3, 6, 1],
    means="You divided by the number of cells. The gradient is a sum; a mean in the loss would "
    "already be inside `g`.",
)
patches.mistake(
    [3, 18, 9],
    means="The numbers are right and stand in reverse order. Nothing is turned round: the first "
    "weight met the first pixel of every window.",
)
patches.mistake(
    [7, 10, 5],
    means="You gave the first cell the last number of `g`: it was read from right to left.",
)
patches.mistake(
    [12, 11, 11], means="You ignored `g` and added up the plain windows, as if it were all ones."
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Stamp on the padded row first. How long is it?",
        "On seven places the stamps start at 0, 2 and 4. They overlap at places 2 and 4.",
        "One place before and one behind are padding: cut them off.",
    ],
    why="The padding receives gradients like any pixel; they are thrown away.",
)
def cropped():
    """Five pixels, weights 1, 0, -2, stride 2, one zero on each side, g = 1, -1, 2: gradient?"""
    padded = np.zeros(7, int)
    for start, number in zip((0, 2, 4), (1, -1, 2), strict=True):
        padded[start : start + 3] += number * np.array([1, 0, -2])
    return padded[1:6]


cropped.mistake(
    [1, 0, -3, 0, 4],
    means="You cut both zeros off at the end. One stands before the first pixel.",
)
cropped.mistake(
    [-3, 0, 4, 0, -4],
    means="You cut both zeros off at the beginning. One stands behind the last pixel.",
)
cropped.mistake(
    [1, 0, -3, 0, 4, 0, -4],
    means="That is the padded row. The first and the last number belong to the zeros.",
)
cropped.mistake(
    [-3, 0, 4], means="You cut twice on each side. There is one zero before and one behind."
)
cropped.mistake(
    [0, 3, 0, -5, 0], means="You turned the kernel before you stamped it. Scattering flips nothing."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Which windows fit? Write down the pixels that each of them reads.",
        "The windows start at 0 and 3, and each reads two pixels.",
    ],
    why="No line, no gradient: such a pixel can change nothing that comes after this layer.",
)
def never_matter():
    """Which of seven pixels have the gradient 0 for two weights, a stride of 3 and `valid`?"""
    read = {start + tap for start in (0, 3) for tap in (0, 1)}
    return set(range(7)) - read


never_matter.mistake(
    set(), means="You slid the window in steps of 1. A stride of 3 with two weights leaves gaps."
)
never_matter.mistake(
    {6}, means="That pixel is left over at the end. There are also gaps between the windows."
)
never_matter.mistake(
    {2, 5}, means="You found the gaps. Does a third window still fit behind the second gap?"
)
never_matter.mistake({3, 6, 7}, means="You counted from 1. The first pixel is pixel 0.")
never_matter.mistake({0, 1, 3, 4}, means="Those are the pixels that do matter.")

# --- 5 -------------------------------------------------------------------------------------------


def _cases():
    """Layers from one product up to two images, groups and all sizes unequal."""
    layers = [
        ((1, 1, 4, 1), (1, 2, 1, 1), (1, 1), 1),
        ((1, 4, 5, 1), (3, 2, 1, 1), (1, 1), 1),
        ((1, 7, 6, 1), (2, 3, 1, 1), (3, 2), 1),
        ((1, 3, 4, 2), (2, 3, 2, 3), (1, 1), 1),
        ((2, 5, 7, 2), (3, 2, 2, 3), (2, 3), 1),
        ((1, 2, 4, 4), (1, 2, 2, 6), (1, 2), 2),
        ((2, 6, 5, 4), (2, 3, 2, 6), (2, 1), 2),
        ((2, 4, 7, 3), (2, 2, 1, 3), (1, 2), 3),
    ]
    return [_case(seed, *layer) for seed, layer in enumerate(layers)]


def _case(seed, shape, kernel_shape, strides, groups):
    rows = (shape[1] - kernel_shape[0]) // strides[0] + 1
    columns = (shape[2] - kernel_shape[1]) // strides[1] + 1
    g = integers(shape[0], rows, columns, kernel_shape[3], seed=seed)
    return g, integers(*kernel_shape, seed=seed + 100), shape, strides, groups


@exercise(
    cases=_cases,
    hints=[
        "Start with zeros in the shape of the input. Loop over the cells of `g` and add.",
        "Cell (row, column) saw the window that starts at (row * strides[0], column * strides[1]).",
        "Filter `f` belongs to group `f // (filters // groups)`, and sees only that group's "
        "channels: `kernel.shape[2]` of them.",
        "For each cell: `dx[n, top:top+h, left:left+w, first:first+c] += g[n, row, column, f] * "
        "kernel[:, :, :, f]`.",
    ],
    why="The forward loop reads this slice of the input; the backward loop adds to it.",
)
def input_gradient(g, kernel, input_shape, strides, groups):
    """Write `input_gradient(g, kernel, input_shape, strides, groups)` for `valid`, by scattering.

    `g` is the gradient of the output, channels last; `strides` is a pair.
    """
    dx = np.zeros(input_shape, int)
    height, width, channels, filters = kernel.shape
    for n, row, column, f in np.ndindex(g.shape):
        top, left = row * strides[0], column * strides[1]
        first = f // (filters // groups) * channels
        window = dx[n, top : top + height, left : left + width, first : first + channels]
        window += g[n, row, column, f] * kernel[:, :, :, f]
    return dx


def _scatter(g, kernel, input_shape, strides, groups, add=True):
    """The solution, with the option to overwrite; raises where a window leaves the input."""
    dx = np.zeros(input_shape, int)
    height, width, channels, filters = kernel.shape
    for n, row, column, f in np.ndindex(g.shape):
        top, left = row * strides[0], column * strides[1]
        first = f // (filters // groups) * channels
        window = dx[n, top : top + height, left : left + width, first : first + channels]
        window[...] = g[n, row, column, f] * kernel[:, :, :, f] + (window if add else 0)
    return dx


@input_gradient.mistake(
    means="You wrote `=` where windows overlap. Every cell that saw the pixel must add its part."
)
def _overwritten(g, kernel, input_shape, strides, groups):
    return _scatter(g, kernel, input_shape, strides, groups, add=False)


@input_gradient.mistake(
    means="You turned the kernel round before you scattered it. Only the sliding form needs that."
)
def _turned(g, kernel, input_shape, strides, groups):
    return _scatter(g, kernel[::-1, ::-1], input_shape, strides, groups)


@input_gradient.mistake(means="You ignored `g`: every cell scatters the plain kernel.")
def _ones(g, kernel, input_shape, strides, groups):
    return _scatter(np.ones_like(g), kernel, input_shape, strides, groups)


@input_gradient.mistake(means="Every image gets the gradient of the first one.")
def _first_image(g, kernel, input_shape, strides, groups):
    return _scatter(np.repeat(g[:1], len(g), axis=0), kernel, input_shape, strides, groups)


@input_gradient.mistake(means="Your windows start one pixel apart, whatever the strides say.")
def _no_stride(g, kernel, input_shape, strides, groups):
    return _scatter(g, kernel, input_shape, (1, 1), groups)


@input_gradient.mistake(
    means="You exchanged the strides: the first is the step down, the second the step across."
)
def _strides_exchanged(g, kernel, input_shape, strides, groups):
    return _scatter(g, kernel, input_shape, strides[::-1], groups)


@input_gradient.mistake(
    means="Every filter writes into the channels of the first group. With groups, a filter has "
    "channels of its own."
)
def _first_group_only(g, kernel, input_shape, strides, groups):
    dx = np.zeros(input_shape, int)
    shape = (*input_shape[:3], kernel.shape[2])
    dx[..., : kernel.shape[2]] = _scatter(g, kernel, shape, strides, 1)
    return dx


@input_gradient.mistake(
    means="You dealt the filters out to the groups in turn. A group's filters stand side by side."
)
def _dealt_in_turn(g, kernel, input_shape, strides, groups):
    order = np.argsort(np.arange(kernel.shape[3]) % groups, kind="stable")
    return _scatter(g[..., order], kernel[..., order], input_shape, strides, groups)


@input_gradient.mistake(means="You divided by the number of images. The gradient is a sum.")
def _mean(g, kernel, input_shape, strides, groups):
    return _scatter(g, kernel, input_shape, strides, groups) / len(g)
