# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on kernel_size."""

import numpy as np

from convlab.exercises import exercise, integers
from convlab.filters import as_kernel, box
from convlab.functional import conv2d
from convlab.geometry import output_size

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Take one axis at a time. Which of the two numbers belongs to the rows?",
        "The window is 2 rows high. Its top row may stand on rows 0 to 8.",
    ],
    why="`kernel_size` is height, then width; along each axis a window of k fits n - k + 1 times.",
)
def height_and_width():
    """`kernel_size=(2, 5)`, `valid`, 10 rows and 12 columns: the map's (rows, columns)?"""
    return output_size(10, 2), output_size(12, 5)


height_and_width.mistake(
    (6, 11),
    means="You took the 5 for the height. `kernel_size` is height first, then width.",
)
height_and_width.mistake(
    (8, 7),
    means="You counted n - k. That is the number of the *last* place, and places count from 0.",
)
height_and_width.mistake(
    (10, 12), means="You kept the size of the image. That is `same`; here no window may hang over."
)
height_and_width.mistake(
    (5, 2), means="You laid the windows side by side. They overlap: the step is one pixel."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Five cells are wanted. How many zeros does that take, and on which side do they go?",
        "One zero, after the 5. The first window covers 1 and 2, and 1 * 1 + 2 * 10 is 21.",
    ],
    why="An even window cannot be centred: it starts at its own pixel, and the zero is at the end.",
)
def two_taps():
    """Slide w = [1, 10] over [1, 2, 3, 4, 5] with `padding="same"`: the cells?"""
    x, w = np.arange(1, 6), np.array([1, 10])
    return conv2d(x[None, None, :, None], w[None, :, None, None], padding="same")[0, 0, :, 0]


two_taps.mistake(
    [10, 21, 32, 43, 54],
    means="You put the zero in front, as some books advise. Keras puts the odd zero at the end.",
)
two_taps.mistake(
    [21, 32, 43, 54], means="You used `valid`. `same` has a fifth cell, with a zero under the 10."
)
two_taps.mistake(
    [10, 21, 32, 43, 54, 5],
    means="You put a zero on both sides, as `padding=k // 2` does. `same` keeps five cells.",
)
two_taps.mistake(
    [12, 23, 34, 45, 50],
    means="You flipped the kernel: the first tap, 1, belongs to the left pixel of each window.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The first layer sees 3 pixels. How many more does each further layer add?",
        "Each layer adds 2 pixels to a width of 1, so you need (11 - 1) / 2 layers.",
    ],
    why="The reach grows by 2 per layer and the weights by 9: far less than 11 * 11.",
)
def eleven_pixels():
    """How many 3x3 layers see 11x11 pixels, and with how many weights? Write (layers, weights)."""
    layers = (11 - 1) // (3 - 1)
    return layers, layers * 3 * 3


eleven_pixels.mistake(
    (4, 36),
    means="You laid the windows end to end, 11 / 3 rounded up. They overlap: four layers see 9.",
)
eleven_pixels.mistake(
    (6, 54),
    means="Six layers see 13 pixels. Do not forget that the first one starts with 3.",
)
eleven_pixels.mistake(
    (11, 99), means="A layer adds more than one pixel: one on *either* side of the window."
)
eleven_pixels.mistake(
    (5, 15), means="The layers are right. But a window of 3x3 has nine weights, not three."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (np.array([[1, 2], [0, -1]]), np.array([[0, 1], [3, 1]])),
        (integers(2, 3, seed=1), integers(2, 2, seed=2)),
        (integers(3, 3, seed=3), integers(1, 4, seed=4)),
        (integers(3, 2, seed=5), integers(3, 3, seed=6)),
    ],
    hints=[
        "How large is it? One cell of the second layer sees `h1 + h2 - 1` rows of the image.",
        "A weight of `second` at (row, column) looks at a cell whose window starts there. So it "
        "adds a copy of `first`, moved to (row, column).",
        "Start with zeros. For each weight of `second`, add `weight * first` at that place.",
    ],
    why="That sum is a true convolution of the two kernels. Two linear layers are one.",
)
def one_kernel(first, second):
    """Write `one_kernel(first, second)`: one kernel that does what the two do in a row."""
    height, width = first.shape
    both = np.zeros(np.add(first.shape, second.shape) - 1)
    for (row, column), weight in np.ndenumerate(second):
        both[row : row + height, column : column + width] += weight * first
    return both


@one_kernel.mistake(
    means="You correlated the two kernels. That turns `second` upside down: the copies of `first` "
    "must be placed where its weights are, not opposite."
)
def _correlated(first, second):
    return one_kernel.solution(first, second[::-1, ::-1])


@one_kernel.mistake(
    means="Your kernel is turned by half a turn. A single light pixel is answered with the kernel "
    "upside down: turn it back."
)
def _upside_down(first, second):
    return one_kernel.solution(first, second)[::-1, ::-1]


@one_kernel.mistake(
    means="You placed the copies of `first` where they belong, but each is turned upside down."
)
def _copies_upside_down(first, second):
    return one_kernel.solution(first[::-1, ::-1], second)


@one_kernel.mistake(
    means="You slid `second` over `first` with `valid` or `same`. The result must be larger than "
    "either: what two layers see is wider than what one sees."
)
def _same(first, second):
    y = conv2d(first[None, :, :, None], as_kernel(second), padding="same")
    return y[0, :, :, 0]


@one_kernel.mistake(means="You multiplied the kernels as matrices. A layer is no such product.")
def _matrix_product(first, second):
    return first @ second


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A zero at the bottom and right moves the picture up and left. And one at the top?",
        "`same` is ((0, 1), (0, 1)). Its mirror image is ((1, 0), (1, 0)). Use each of them twice.",
    ],
    why="Each drift of half a pixel is undone by one the other way.",
)
def no_drift():
    """Four paddings ((top, bottom), (left, right)) for four 2x2 layers: same size, no drift."""
    after, before = ((0, 1), (0, 1)), ((1, 0), (1, 0))
    return [after, before, after, before]


def _four_sides(padding):
    """Read a padding as `ZeroPadding2D` does: a pair of numbers means (rows, columns)."""
    padding = np.asarray(padding)
    return np.repeat(padding[:, None], 2, axis=1) if padding.shape == (2,) else padding


@no_drift.measure
def _impulse(paddings):
    image = np.zeros((41, 41))
    image[20, 20] = 1
    if len(paddings) != 4:
        raise ValueError(f"There are four layers. Received: {len(paddings)} paddings.")
    for padding in paddings:
        padded = np.pad(image, _four_sides(padding))
        image = conv2d(padded[None, :, :, None], box(2))[0, :, :, 0]
    light = image.sum()
    rows, columns = np.indices(image.shape)
    return {
        "map's rows (41)": image.shape[0],
        "map's columns (41)": image.shape[1],
        "light in row (20)": (rows * image).sum() / light,
        "light in column (20)": (columns * image).sum() / light,
    }


@no_drift.judge
def _stays(found):
    rows, columns, row, column = found.values()
    if (rows, columns) != (41, 41):
        return (
            "The map does not keep its size. A 2x2 layer takes one row and one column away, so "
            "four layers need four zeros along each axis in all."
        )
    if abs(row - 20) > 0.01 or abs(column - 20) > 0.01:
        return "The size is kept, but the light has moved from its place."
    return None


no_drift.mistake(
    [((0, 1), (0, 1))] * 4,
    means='That is `padding="same"` four times. Each layer moves the picture half a pixel up and '
    "left.",
)
no_drift.mistake(
    [((1, 0), (1, 0))] * 4,
    means="You put all zeros in front. Now the picture drifts down and right instead.",
)
no_drift.mistake(
    [((1, 1), (1, 1))] * 4,
    means="You put a zero on every side. The map grows by one row and one column per layer.",
)
no_drift.mistake(
    [((0, 0), (0, 0))] * 4, means="Without zeros nothing drifts to speak of, but the map shrinks."
)
no_drift.mistake(
    [((0, 1), (1, 0))] * 4,
    means="You moved the columns one way and the rows the other. Each axis must cancel by itself.",
)
