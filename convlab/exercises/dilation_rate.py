# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on the dilation rate."""

from itertools import product

import numpy as np

from convlab.exercises import exercise, integers
from convlab.functional import conv2d

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The first window reads pixel 1 and two more. Neighbouring weights lie 2 pixels apart.",
        "It reads the pixels 1, 3, 5, and 100 goes with the last. How far right can it move?",
    ],
    why="The window spans 5 of the 7 pixels, so it has three places, one pixel apart.",
)
def seven_pixels():
    """Slide w = [1, 10, 100] over [1, 2, 3, 4, 5, 6, 7] with a rate of 2 and `valid`."""
    x, w = np.arange(1, 8), np.array([1, 10, 100])
    return conv2d(x[None, None, :, None], w[None, :, None, None], dilation_rate=2).ravel()


seven_pixels.mistake(
    [741],
    means="You left two pixels between the weights. The rate is a distance: 2 leaves one between.",
)
seven_pixels.mistake(
    [321, 432, 543, 654, 765],
    means="Your weights lie side by side, as at a rate of 1. Keras counts from 1, not from 0.",
)
seven_pixels.mistake(
    [321, 543, 765],
    means="That is a stride of 2: your window jumps, and its weights lie side by side.",
)
seven_pixels.mistake(
    [531, 753],
    means="You spread the weights and moved the window by 2 as well. The stride is still 1.",
)
seven_pixels.mistake(
    [135, 246, 357],
    means="You flipped the kernel: the first weight, 1, belongs to the leftmost pixel.",
)
seven_pixels.mistake(
    [310, 420, 531, 642, 753, 64, 75],
    means="You used `same`. With `valid` no weight may lie beyond the pixels.",
)
seven_pixels.mistake(
    [420, 531, 642, 753, 64],
    means="You let the window hang over by one pixel at both ends. With `valid` no weight may lie "
    "beyond the pixels.",
)
seven_pixels.mistake(
    [111, 222, 333],
    means="You laid all three weights on one pixel. They lie on three pixels, 2 apart.",
)
seven_pixels.mistake(
    [[531, 642, 753]],
    means="You nested the list: the numbers are right, and one pair of brackets is too many.",
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (integers(height, width, seed=9), rate)
        for height, width in ((1, 2), (2, 3), (3, 3))
        for rate in (1, 2, 3, 4)
    ],
    hints=[
        "How large is the result? The first and the last weight lie on its edges.",
        "Begin with `np.zeros` of `(k - 1) * rate + 1` along each axis.",
        "Weight number i belongs at place `i * rate`, along both axes. A slice with a step names "
        "all these places at once.",
    ],
    why="The last weight needs no zeros behind it: that is the + 1 in `(k - 1) * rate + 1`.",
)
def stuff(kernel, rate):
    """Write `stuff(kernel, rate)`: `kernel` with the zeros that a dilation of `rate` stands for.

    `kernel` is (height, width).
    """
    height, width = kernel.shape
    larger = np.zeros(((height - 1) * rate + 1, (width - 1) * rate + 1))
    larger[::rate, ::rate] = kernel
    return larger


@stuff.mistake(
    means="Zeros follow the last row and column, too: your kernel spans `k * rate` pixels. They "
    "change no sum, but they need room, and the map loses cells."
)
def _zeros_at_the_end(kernel, rate):
    larger = np.zeros((kernel.shape[0] * rate, kernel.shape[1] * rate))
    larger[::rate, ::rate] = kernel
    return larger


@stuff.mistake(
    means="You repeated each weight. It should stand once, with zeros around it: on a flat area, "
    "yours makes the sum `rate * rate` times too large."
)
def _repeated(kernel, rate):
    return np.kron(kernel, np.ones((rate, rate)))


@stuff.mistake(
    means="You put zeros around the kernel as well. They belong between the weights only."
)
def _zeros_around(kernel, rate):
    return np.pad(stuff.solution(kernel, rate), rate - 1)


@stuff.mistake(
    means="You put `rate` zeros between two weights. The rate is the distance, so `rate - 1` of "
    "them fit between."
)
def _rate_as_gap(kernel, rate):
    return stuff.solution(kernel, rate + 1)


@stuff.mistake(means="You spread the columns. The rows need zeros between them, too.")
def _columns_only(kernel, rate):
    larger = np.zeros((kernel.shape[0], (kernel.shape[1] - 1) * rate + 1))
    larger[:, ::rate] = kernel
    return larger


# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A layer with a rate of d makes the field wider by what it reaches left and right.",
        "How many weights lie left of the middle one, and how far away is the outermost?",
        "Begin with the one pixel of no layer at all. Each layer adds (k - 1) times its rate.",
    ],
    why="The fields overlap: only the first pixel counts on its own; each layer adds 4 d to it.",
)
def reach():
    """Four 5x5 layers with the rates 1, 2, 4, 8: how many pixels wide is the receptive field?"""
    return 1 + sum((5 - 1) * rate for rate in (1, 2, 4, 8))


reach.mistake(
    64,
    means="You added the four spans 5, 9, 17, 33. Each contains its own middle; count that once.",
)
reach.mistake(33, means="That is the last layer alone. Those before it widen the field, too.")
reach.mistake(17, means="You ignored the rates: four ordinary layers see that many.")
reach.mistake(60, means="You forgot the pixel in the middle, which the first layer starts from.")
reach.mistake(
    30,
    means="You counted with 3 weights in a row, these kernels have 5; and you forgot the pixel in "
    "the middle.",
)
reach.mistake(31, means="You counted with 3 weights in a row. These kernels have 5.")
reach.mistake(15, means="You added up the rates. A layer adds its rate for every further weight.")
reach.mistake(16, means="You added each rate once. A layer adds it once for every further weight.")
reach.mistake(76, means="You added 5 times each rate. Between 5 weights there are 4 distances.")
reach.mistake(
    75,
    means="You added 5 times each rate. Between 5 weights there are 4 distances, and the first "
    "layer starts from one pixel.",
)
reach.mistake(3_721, means="You squared it. The width is asked for, not the number of pixels.")
reach.mistake(625, means="You multiplied. That counts the paths through the layers along a row.")

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Along a row, a rate of d steps by -d, 0 or +d. Which places can three steps reach?",
        "Two steps of 2 reach -4, -2, 0, 2, 4. Shift these five by -6, by 0 and by 6. Some places "
        "coincide: count each once.",
        "That is one row. The field is square: the same places count for rows and for columns.",
    ],
    why="All rates are even, so every second row and column of the field is never read.",
)
def really_read():
    """Three 3x3 layers with the rates 2, 2, 6: how many different pixels does one cell read?"""
    places = {a + b + c for a in (-2, 0, 2) for b in (-2, 0, 2) for c in (-6, 0, 6)}
    return len(places) ** 2


really_read.mistake(441, means="That is the whole field, 21 by 21. Its holes are not read.")
really_read.mistake(27, means="You counted weights: three layers of nine. Pixels are asked for.")
really_read.mistake(
    729,
    means="You counted paths, 9 * 9 * 9. Many of them end at the same pixel.",
)
really_read.mistake(11, means="That is one row. The field is square: multiply.")
really_read.mistake(21, means="You gave the width of the field. Not all of it is read.")
really_read.mistake(
    49, means="That is for the rates 2, 2, 2. The last layer steps by 6, and reaches more places."
)
really_read.mistake(
    225,
    means="You counted the overlap twice: shifted by 6, the five places of the first two layers "
    "meet each other at the ends.",
)

# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Along a row, three steps of -d, 0 or +d have 3 * 3 * 3 ways to end. What if no two of "
        "them end at the same pixel?",
        "A first layer with a rate of 1 sees 3 pixels without a hole. How far apart may these "
        "threes stand, so that they touch but do not overlap?",
        "The third layer does the same with what the first two see. How wide is that?",
    ],
    why="Along a row, 27 paths end at 27 pixels: each is read once. It is counting in base 3, and "
    "no three layers of three weights can do more.",
)
def three_rates():
    """Choose three rates from 1 to 9 for three 3x3 layers: the widest field without a hole."""
    return 1, 3, 9


@three_rates.measure
def _field_and_holes(rates):
    if np.shape(rates) != (3,) or (np.asarray(rates) % 1).any():
        raise ValueError("The answer must be three whole numbers.")
    ends = {sum(steps) for steps in product(*((-rate, 0, rate) for rate in rates))}
    field = 1 + 2 * sum(rates)
    return {
        "smallest rate": min(rates),
        "largest rate": max(rates),
        "receptive field": field,
        "pixels read": len(ends) ** 2,
        "holes": field**2 - len(ends) ** 2,
    }


@three_rates.judge
def _wide_and_full(found):
    if found["smallest rate"] < 1 or found["largest rate"] > 9:
        return "Each rate should be from 1 to 9."
    if found["holes"]:
        return "The field has holes: some of its pixels are never read."
    if found["receptive field"] < 27:
        return "No holes. But a wider field without a hole is possible."
    return None


three_rates.mistake((9, 9, 9), means="The widest field of all, and one that is read least.")
three_rates.mistake(
    (1, 2, 4),
    means="You doubled. Some pixels are read more than once then, so there is room for more.",
)
three_rates.mistake(
    (1, 2, 9),
    means="The first two layers see 7 pixels without a hole. Steps of 9 leave gaps between such "
    "sevens.",
)
three_rates.mistake(
    (2, 4, 8), means="You doubled, from 2 on. All rates are even, so odd places are never read."
)
three_rates.mistake(
    (1, 3, 8), means="Very near. Some pixels are read twice; one rate may still grow."
)
