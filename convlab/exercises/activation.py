# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on activation."""

import numpy as np

from convlab.activations import leaky_relu
from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Take one row. The first layer's window is 5 pixels wide. The second one lays 3 of them "
        "side by side, each one pixel further. How many pixels do they reach over?",
        "The single layer leads from 3 channels to 4. The 8 maps between are gone.",
        "Height times width times 3 channels times 4 filters, and a bias for each filter.",
    ],
    why="Without a bend, the second layer adds nothing that one larger kernel cannot say.",
)
def one_layer():
    """5x5 from 3 channels to 8, then 3x3 to 4, no bend: (kernel size, parameters) of one layer?"""
    kernel_size = 5 + 3 - 1
    return kernel_size, kernel_size * kernel_size * 3 * 4 + 4


one_layer.mistake(
    (7, 900), means="The size is right. You added up the parameters of the two layers."
)
one_layer.mistake(
    (7, 588), means="You left the biases out. They too become one: a number for each filter."
)
one_layer.mistake(
    (7, 596),
    means="You have 8 biases. The layer ends in 4 filters; the 8 maps between are gone.",
)
one_layer.mistake(
    (7, 600), means="You kept the biases of both layers. One layer has one bias for each filter."
)
one_layer.mistake(
    (7, 1184), means="You counted 8 filters. The layer ends in 4; the 8 maps between are gone."
)
one_layer.mistake(
    (5, 304), means="You kept the 5x5 window. The second layer looks at neighbours of neighbours."
)
one_layer.mistake((8, 772), means="You added the sizes. The two windows share a pixel: 5 + 3 - 1.")
one_layer.mistake((15, 2704), means="You multiplied the sizes. Windows of neighbours overlap.")

# --- 2 -------------------------------------------------------------------------------------------


def _compose(first, second):
    composed = np.zeros(len(first) + len(second) - 1)
    for place, weight in enumerate(second):
        composed[place : place + len(first)] += weight * np.asarray(first)
    return composed


@exercise(
    cases=[
        ([1, 2], [1, -1]),
        ([1, 2], [3, -1]),
        ([1, 0, 2], [2, -1]),
        ([3], [1, -2, 1]),
        ([1, 2, -1], [0, 1, 4]),
        ([1, 2, 1], [1, 2, 1]),
    ],
    hints=[
        "How many pixels does one cell at the end depend on? That is the length.",
        "The second kernel's weight number `i` reads a cell that the first kernel made, `i` pixels "
        "further. So it brings a copy of the first kernel, `i` places further.",
        "Start with zeros. For each weight of `second`, add `weight * first` at its place.",
    ],
    why="You wrote a convolution in the sense of mathematics: composing kernels turns one of them.",
)
def compose(first, second):
    """Write `compose(first, second)`: the one kernel that does what the two do in a row."""
    composed = np.zeros(len(first) + len(second) - 1)
    for place, weight in enumerate(second):
        composed[place : place + len(first)] += weight * np.asarray(first)
    return composed


@compose.mistake(
    means="You turned a kernel round: you slid one along the other as a layer slides over pixels. "
    "A weight further right reads pixels further right, so copies move to the right."
)
def _correlated(first, second):
    return _compose(first, list(second)[::-1])


@compose.mistake(means="You turned the first kernel round. Its copies stay as they are.")
def _first_turned(first, second):
    return _compose(list(first)[::-1], second)


@compose.mistake(
    means="Right weights, wrong end: the first entry belongs to the first pixel of the window."
)
def _backwards(first, second):
    return _compose(first, second)[::-1]


@compose.mistake(
    means="You multiplied the kernels weight by weight. A cell at the end sees more pixels than "
    "that, and each through several weights."
)
def _product(first, second):
    return np.multiply(first[: len(second)], second[: len(first)])


@compose.mistake(means="You added the kernels. Layers in a row multiply weights; they do not add.")
def _sum(first, second):
    longest = max(len(first), len(second))
    padded = [np.pad(kernel, (0, longest - len(kernel))) for kernel in (first, second)]
    return padded[0] + padded[1]


@compose.mistake(
    means="You laid copies beside each other without overlap. Neighbouring windows share pixels."
)
def _side_by_side(first, second):
    return np.outer(second, first).ravel()


# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A leaky ReLU multiplies what is negative by its slope.",
        "The name, the layer and PyTorch have three different slopes. "
        "Which belongs to the name in quotes?",
    ],
    why="The name's slope is 0.2, the layer's 0.3, PyTorch's 0.01. Write the slope when it counts.",
)
def below_zero():
    """The convolution says -5: what leaves `Conv2D(..., activation="leaky_relu")`?"""
    return leaky_relu(-5.0)


below_zero.mistake(
    -1.5, means="That is `layers.LeakyReLU()`, with a slope of 0.3. The name has another."
)
below_zero.mistake(-0.05, means="That is PyTorch's default slope, 0.01.")
below_zero.mistake(0, means="That is the plain ReLU. The leaky one lets a part through.")
below_zero.mistake(-5, means="That is no activation at all.")
below_zero.mistake(1, means="The slope is right, the sign is not: the negative stays negative.")
below_zero.mistake(-0.2, means="That is what leaves for -1: the slope itself.")

# --- 4 -------------------------------------------------------------------------------------------


def _maps(seed, shape, shift):
    return np.maximum(integers(*shape, seed=seed) + np.array(shift), 0)


def _with_an_empty_row():
    maps = _maps(4, (2, 3, 4, 4), (0, 0, 0, -9))
    maps[:, 0] = 0
    return maps


@exercise(
    cases=[
        (_maps(0, (2, 3, 2, 4), (0, -9, 0, -9)),),
        (_maps(1, (3, 2, 3, 5), (-2, -9, -3, 1, -3)),),
        (_maps(2, (3, 2, 2, 4), (-3, -3, -3, -9)),),
        (_maps(3, (2, 4, 3, 3), (0, 1, 0)),),
        (_with_an_empty_row(),),
    ],
    hints=[
        "A filter is silent if its largest number, over images and places, is 0.",
        "`maps.max(axis=...)` over three of the four axes leaves one number for each filter.",
        "Compare these with 0 and take the mean.",
    ],
    why="One image proves nothing: a filter that is silent there may speak in the next.",
)
def silent_share(maps):
    """Write `silent_share(maps)`: the share of filters that are 0 in all images, everywhere."""
    return np.mean(maps.max(axis=(0, 1, 2)) == 0)


@silent_share.mistake(
    means="You counted zeros. A filter that speaks has zeros, too, and is not silent."
)
def _zeros(maps):
    return np.mean(maps == 0)


@silent_share.mistake(means="You looked at the first image only.")
def _first_image(maps):
    return np.mean(maps[0].max(axis=(0, 1)) == 0)


@silent_share.mistake(
    means="You asked in each image by itself and took the mean. Silent means silent in all of them."
)
def _per_image(maps):
    return np.mean(maps.max(axis=(1, 2)) == 0)


@silent_share.mistake(
    means="You counted filters that are 0 at some place. Silent means 0 at every place."
)
def _somewhere(maps):
    return np.mean(maps.min(axis=(0, 1, 2)) == 0)


@silent_share.mistake(means="You counted the filters that speak.")
def _speaking(maps):
    return np.mean(maps.max(axis=(0, 1, 2)) > 0)


@silent_share.mistake(means="That is the number of silent filters. Divide by all filters.")
def _number(maps):
    return np.sum(maps.max(axis=(0, 1, 2)) == 0)


@silent_share.mistake(
    means="You counted rows that are 0 in all filters. Filters are the last axis."
)
def _wrong_axis(maps):
    return np.mean(maps.max(axis=(0, 2, 3)) == 0)


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A ReLU bends once. How many bends has the tent?",
        "`(1, 1, 1)` is 0 up to -1 and rises from there with slope 1. That is the left side. At 0 "
        "the slope must go from 1 to -1.",
        "Three filters, with bends at -1, 0 and 1. The slope changes there by 1, by -2 and by 1.",
    ],
    why="Sums of tents draw any curve. That is what filters with a ReLU are to the next layer.",
)
def tent():
    """Build the tent 1 - |x|, and 0 beyond, of ReLUs: a list of (weight, bias, second weight)."""
    return [(1, 1, 1), (1, 0, -2), (1, -1, 1)]


_PLACES = np.array([-3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3])


@tent.measure
def _drawn(parts):
    parts = np.asarray(parts, float)
    if parts.ndim != 2 or parts.shape[1] != 3:
        raise ValueError(f"each filter needs three numbers. Received: shape {parts.shape}")
    if len(parts) > 20:
        raise ValueError(f"more than 20 filters. Received: {len(parts)} filters")
    weights, biases, seconds = parts.T
    return np.maximum(_PLACES[:, None] * weights + biases, 0) @ seconds


@tent.judge
def _is_a_tent(drawn):
    wanted = np.maximum(1 - np.abs(_PLACES), 0)
    wrong = np.flatnonzero(~(np.abs(drawn - wanted) < 1e-6))
    if not len(wrong):
        return None
    place = _PLACES[wrong[0]]
    return f"At {place:g} the tent is {wanted[wrong[0]]:g} high, and yours {drawn[wrong[0]]:g}."


tent.mistake(
    [(1, 1, 1), (1, 0, -2)],
    means="Right up to 1. There your tent goes on falling, below 0: one more bend is needed.",
)
tent.mistake(
    [(1, 1, 1), (1, 0, -1), (1, -1, 1)],
    means="At 0 the slope must change by 2: it rises with 1 and then falls with 1.",
)
tent.mistake(
    [(1, 1, 1), (-1, 1, 1)],
    means="You added a rising and a falling ramp. Between -1 and 1 they make a flat roof of 2, and "
    "outside they go on.",
)
tent.mistake(
    [(1, 0, -1), (-1, 0, -1)],
    means="That is -|x|: the right shape between -1 and 1, but 1 too low, and it never stops.",
)
