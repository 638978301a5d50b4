"""Warm-up: the exercises of the opening page."""

import numpy as np

from convlab.exercises import exercise, integers


@exercise(
    hints=[
        "Write 1 2 3 4 5. The first window covers 1 2 3. Move it one pixel to the right.",
        "The windows are 1 2 3, then 2 3 4, then one more.",
    ],
    why="Five pixels, three under each window: the window starts at pixel 1, 2 or 3.",
)
def windows():
    """A window covers 3 neighbouring pixels. In how many places does it fit on a row of 5?"""
    return 5 - 3 + 1


windows.mistake(
    5,
    means="You put a window on every pixel. On the last pixel, two thirds of it hang over the end.",
)
windows.mistake(
    2,
    means="You subtracted 5 - 3. That counts the moves; the place before them counts too.",
)
windows.mistake(
    1, means="You cut the row into separate windows. Neighbouring windows may share pixels."
)


@exercise(
    cases=[
        (integers(2, 2, seed=1), integers(2, 2, seed=2)),
        (integers(3, 3, seed=3), integers(3, 3, seed=4)),
        (integers(2, 4, seed=5), integers(2, 4, seed=6)),
    ],
    hints=[
        "Multiply each pixel by the weight in the same place.",
        "Add up all the products. NumPy: `pixels * weights` and `.sum()`.",
    ],
    why="That sum is one cell of the output. The rest of the layer is where the window goes next.",
)
def one_cell(pixels, weights):
    """Write `one_cell(pixels, weights)`: the number that a kernel makes of the pixels under it.

    Both are arrays of the same shape. Multiply each pixel by the weight above it, and add.
    """
    return (pixels * weights).sum()


@one_cell.mistake(
    means="You multiplied, and kept the products apart. One cell is one number: add them."
)
def products_not_added(pixels, weights):
    return pixels * weights


@one_cell.mistake(
    means="You multiplied the sums. Each pixel has its own weight: multiply first, then add."
)
def sums_multiplied(pixels, weights):
    return pixels.sum() * weights.sum()


@one_cell.mistake(
    means="You turned the kernel round. `Conv2D` does not: its top left weight meets the top left "
    "pixel."
)
def flipped(pixels, weights):
    return np.sum(pixels * weights[::-1, ::-1])


@one_cell.mistake(
    means="You added pixel and weight. They are multiplied, and the products are added."
)
def added(pixels, weights):
    return (pixels + weights).sum()
