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
    4,
    means="Four is right for a window of 2 pixels. Write down the first and the last place of one "
    "that covers 3.",
)
windows.mistake(
    3 * 5, means="You multiplied. Count the places where the window's first pixel may stand."
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
        (integers(3, 4, seed=1), integers(2, 2, seed=2), 1, 2),
        (integers(4, 6, seed=3), integers(3, 3, seed=4), 0, 2),
        (integers(5, 6, seed=5), integers(2, 4, seed=6), 2, 1),
    ],
    hints=[
        "Which pixels lie under the kernel? As many rows and columns as the kernel has.",
        "`height, width = weights.shape` gives the size of the window, and a slice of `x` the "
        "pixels under it.",
    ],
    why="That sum is one cell of the output. The rest of the layer is where the window goes next.",
)
def one_cell(x, weights, row, column):
    """Write `one_cell(x, weights, row, column)`: the number that a kernel makes at one place.

    `x` and `weights` have two axes. The top left weight lies on the pixel `x[row, column]`.
    """
    height, width = weights.shape
    pixels = x[row : row + height, column : column + width]
    return (pixels * weights).sum()


def _window(x, weights, row, column):
    return x[row : row + weights.shape[0], column : column + weights.shape[1]]


@one_cell.mistake(
    means="You multiplied, and kept the products apart. One cell is one number: add them."
)
def _products_not_added(x, weights, row, column):
    return _window(x, weights, row, column) * weights


@one_cell.mistake(
    means="You took one pixel for all the weights. The kernel covers as many pixels as it has "
    "weights, and each pixel meets its own."
)
def _one_pixel(x, weights, row, column):
    return x[row, column] * weights.sum()


@one_cell.mistake(
    means="You multiplied the sums. Each pixel has its own weight: multiply first, then add."
)
def _sums_multiplied(x, weights, row, column):
    return _window(x, weights, row, column).sum() * weights.sum()


@one_cell.mistake(
    means="You turned the kernel round. `Conv2D` does not: its top left weight meets the top left "
    "pixel."
)
def _flipped(x, weights, row, column):
    return np.sum(_window(x, weights, row, column) * weights[::-1, ::-1])


@one_cell.mistake(
    means="You added pixel and weight. They are multiplied, and the products are added."
)
def _added(x, weights, row, column):
    return (_window(x, weights, row, column) + weights).sum()


@one_cell.mistake(
    means="You exchanged row and column. The first index of an array counts rows, downwards."
)
def _exchanged(x, weights, row, column):
    return one_cell.solution(x, weights, column, row)


@one_cell.mistake(
    means="You moved by whole windows. The place is counted in pixels: `x[row, column]` is the "
    "first one under the kernel."
)
def _whole_windows(x, weights, row, column):
    height, width = weights.shape
    return one_cell.solution(x, weights, row * height, column * width)


@one_cell.mistake(
    means="You centred the kernel on the pixel. Its top left weight lies there, so the window "
    "begins at `row` and `column`."
)
def _centred(x, weights, row, column):
    rows, columns = (
        max(at - n // 2, 0) for at, n in zip((row, column), weights.shape, strict=True)
    )
    return one_cell.solution(x, weights, rows, columns)
