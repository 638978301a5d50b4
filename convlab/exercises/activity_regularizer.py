# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on activity_regularizer."""

import numpy as np

from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Add the absolute values of all cells of all images, then multiply by the strength.",
        "There are 8 * 3 * 3 * 2 cells of 0.5. Divide by the number of images at the end.",
    ],
    why="One image has 18 cells of 0.5. The charge is that of the average image.",
)
def half_cells():
    """Eight images, maps of 3 x 3 with 2 channels, every cell 0.5: what does `L1(0.1)` add?"""
    images, cells = 8, 8 * 3 * 3 * 2
    return 0.1 * cells * 0.5 / images


half_cells.mistake(7.2, means="You added up all eight images. Keras divides by the batch size.")
half_cells.mistake(
    0.05,
    means="You took the mean of all cells. Only the batch size divides: more cells pay more.",
)
half_cells.mistake(
    0.05 / 8, means="You took the mean of all cells, and divided by the batch size once more."
)
half_cells.mistake(
    0.45, means="You squared the cells, which is L2, or you counted one channel of the two."
)
half_cells.mistake(
    0.1, means="You divided by the size of the map as well. Only the batch size divides."
)
half_cells.mistake(0.45 / 2, means="You took L2, with a 1/2 in front. L1 has neither.")
half_cells.mistake(9, means="That is the sum of one image. The strength is still missing.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "With `relu` inside, two of the four cells leave the layer as 0.",
        "With `relu` behind, -3 and -1 leave the convolution. L1 takes absolute values.",
    ],
    why="The same network, another loss: the charge sees what leaves its own layer.",
)
def inside_or_behind():
    """Cells -3, -1, 2, 4 before relu, `L1(0.1)`: the charge with relu `(inside, behind)`?"""
    before = np.array([-3.0, -1.0, 2.0, 4.0])
    inside = 0.1 * np.maximum(before, 0).sum()
    behind = 0.1 * np.abs(before).sum()
    return inside, behind


inside_or_behind.mistake(
    (0.6, 0.6),
    means="Right for inside. You took both as equal, as the networks' outputs are. But a layer "
    "behind acts after the charge was taken.",
)
inside_or_behind.mistake(
    (1.0, 1.0), means="Right for behind. Inside, the charge is taken after `relu`: no -3, no -1."
)
inside_or_behind.mistake((1.0, 0.6), means="You swapped them.")
inside_or_behind.mistake(
    (0.6, 0.2), means="Right for inside. For behind you added signed values: L1 takes absolutes."
)
inside_or_behind.mistake(
    (0.2, 0.2), means="You added signed values. L1 takes absolute ones, and `relu` cuts some off."
)
inside_or_behind.mistake(
    (0.15, 0.25), means="You divided by the four cells. They are one image: divide by 1."
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (strength, size, new_size)
        for strength in (0.1, 0.003)
        for size, new_size in (
            ((4, 4), (4, 4)),
            ((8, 8), (16, 16)),
            ((2, 3), (4, 9)),
            ((4, 6), (12, 6)),
            ((10, 6), (5, 2)),
        )
    ],
    hints=[
        "The charge is a sum over cells. How many cells has a map before, and how many after?",
        "Twice the height and twice the width are four times the cells: a quarter of the strength.",
    ],
    why="The charge is a sum over a map, so the same strength weighs more on larger maps.",
)
def larger_images(strength, size, new_size):
    """Write `larger_images(strength, size, new_size)`: the strength for the same charge."""
    return strength * (size[0] * size[1]) / (new_size[0] * new_size[1])


@larger_images.mistake(means="You left it as it is. Then a larger map pays more.")
def _unchanged(strength, size, new_size):
    return strength


@larger_images.mistake(means="You compared heights only. A map also has a width.")
def _height_only(strength, size, new_size):
    return strength * size[0] / new_size[0]


@larger_images.mistake(means="You compared widths only. A map also has a height.")
def _width_only(strength, size, new_size):
    return strength * size[1] / new_size[1]


@larger_images.mistake(
    means="The factor is the right one, its direction is not: more cells, less strength for each."
)
def _upside_down(strength, size, new_size):
    return strength * (new_size[0] * new_size[1]) / (size[0] * size[1])


@larger_images.mistake(means="You squared the ratio of the heights. Not every map is a square.")
def _as_if_square(strength, size, new_size):
    return strength * (size[0] / new_size[0]) ** 2


@larger_images.mistake(
    means="You compared height plus width. The number of cells is their product."
)
def _added(strength, size, new_size):
    return strength * sum(size) / sum(new_size)


# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (integers(2, 2, 3, 1, seed=1), 0.5),
        (integers(1, 1, 3, 2, seed=2), 1.0),
        (integers(4, 2, 2, 1, seed=3) / 2, 0.1),
    ],
    hints=[
        "A lit cell y adds `strength * y / batch` to the loss. What is the slope of that in y?",
        "Where `x` is 0 or below, `relu` puts out 0 and has a derivative of 0. Nothing is pulled.",
        "`x > 0` is the mask of lit cells; `len(x)` is the batch size.",
    ],
    why="The pull is the same on every lit cell, and none on a dark one. That makes cells silent, "
    "and keeps them so.",
)
def pull(x, strength):
    """Write `pull(x, strength)`: the gradient of the L1 charge by the cells before relu."""
    return strength / len(x) * (x > 0)


@pull.mistake(
    means="You pulled dark cells too, upwards. They are 0 after `relu`, and its derivative is 0."
)
def _no_relu(x, strength):
    return strength / len(x) * np.sign(x)


@pull.mistake(means="You did not divide by the batch size, the first axis of `x`.")
def _not_divided(x, strength):
    return strength * (x > 0)


@pull.mistake(means="You pulled bright cells harder. That is L2; L1 pulls all lit cells alike.")
def _as_for_l2(x, strength):
    return 2 * strength / len(x) * np.maximum(x, 0)


@pull.mistake(means="You divided by the number of cells. Only the number of images divides.")
def _mean_of_cells(x, strength):
    return strength / x.size * (x > 0)


@pull.mistake(
    means="You returned the charge of each cell. Asked is its slope: how the charge grows with x."
)
def _the_charge(x, strength):
    return strength / len(x) * np.maximum(x, 0)


@pull.mistake(
    means="You pulled the cells at exactly 0 as well. The derivative of `relu` at 0 is 0."
)
def _zero_too(x, strength):
    return strength / len(x) * (x >= 0)


@pull.mistake(
    means="The sign is wrong: this is the step, not the gradient. The optimizer turns it round."
)
def _step(x, strength):
    return -strength / len(x) * (x > 0)


# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Kernel and bias divided by 10: what does each cell become, before and after `relu`?",
        "L1 adds the cells, L2 their squares.",
    ],
    why="Nothing the network answers has changed. Hold the next kernel, or the charge is dodged.",
)
def dodge():
    """The charge was 0.6. Kernel and bias are divided by 10: the charge now, `(l1, l2)`?"""
    return 0.6 / 10, 0.6 / 10**2


dodge.mistake(
    (0.6, 0.6),
    means="You thought of the network's answers: they stay the same. The cells in between do not.",
)
dodge.mistake((0.06, 0.06), means="Right for L1. L2 squares each cell, and so the factor too.")
dodge.mistake((6, 60), means="You went the other way: the cells become smaller, not larger.")
dodge.mistake((0.006, 0.06), means="You swapped them: it is L2 that squares the factor of ten.")
dodge.mistake(
    (0.006, 0.0006),
    means="You divided twice, for the kernel and for the bias. A cell is kernel times pixels plus "
    "bias: all of it becomes a tenth, once.",
)
