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
    (6, 8), means="You used the 5 for both axes. The window is 2 rows high and 5 columns wide."
)
height_and_width.mistake(
    (9, 11), means="You used the 2 for both axes. The window is 2 rows high and 5 columns wide."
)
height_and_width.mistake(
    (9, 9), means="You made the map square. The rows are right; count the columns by themselves."
)
height_and_width.mistake((8, 9), means="You gave the columns first. Asked for is (rows, columns).")
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
        "One zero. The row with four weights in the chapter shows which side gets the odd one. "
        "Then the units of each cell show the left pixel of its window, the tens the right one.",
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
    [21, 32, 43, 54, 50],
    means="Four cells are right. In the last window you gave the 5 the wrong weight: which one "
    "lies on the zero?",
)
two_taps.mistake(
    [12, 23, 34, 45, 50],
    means="You flipped the kernel: the first tap, 1, belongs to the left pixel of each window.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The first layer sees 3 pixels. How many more does each further layer add?",
        "A cell by itself is 1 pixel wide, and each layer adds 2. How many to reach 11?",
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
    (11, 99), means="You took a layer for each pixel. Each one sees a pixel more on *either* side."
)
eleven_pixels.mistake(
    (10, 90), means="You let each layer add one pixel. It adds one on *either* side of the window."
)
eleven_pixels.mistake(
    (5, 50), means="The layers are right. You counted a bias for each, and these layers have none."
)
eleven_pixels.mistake(
    (5, 9), means="The layers are right. Nine are the weights of one; asked for are those of all."
)
eleven_pixels.mistake(
    (5, 15), means="The layers are right. But a window of 3x3 has nine weights, not three."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (integers(2, 2, seed=7), integers(2, 2, seed=8)),
        (integers(2, 3, seed=1), integers(2, 2, seed=2)),
        (integers(3, 3, seed=3), integers(1, 4, seed=4)),
        (integers(3, 2, seed=5), integers(3, 3, seed=6)),
    ],
    hints=[
        "How large is it? One cell of the second layer sees `h1 + h2 - 1` rows of the image.",
        "A weight of `second` at (row, column) looks at a cell whose window starts there. So it "
        "adds a copy of `first`, moved to (row, column).",
        "Start with zeros of that size. `np.ndenumerate(second)` gives each weight and its place. "
        "What does it add, and where?",
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


@one_kernel.mistake(
    means="You multiplied weight by weight. Two layers see more pixels than either: the one kernel "
    "is larger."
)
def _elementwise(first, second):
    return first * second


@one_kernel.mistake(
    means="You added the kernels. That is two layers side by side, on the same image. Here the "
    "second reads the map of the first."
)
def _added(first, second):
    return first + second


@one_kernel.mistake(
    means="You laid the copies of `first` side by side, as `np.kron` does. They overlap: the "
    "second window moves by one cell."
)
def _kron(first, second):
    return np.kron(second, first)


@one_kernel.mistake(
    means="You made a block of `second` for each weight of `first`, as `np.kron` does. "
    "Neighbouring windows overlap, so the copies do, too."
)
def _kron_turned(first, second):
    return np.kron(first, second)


@one_kernel.mistake(means="You multiplied the kernels as matrices. A layer is no such product.")
def _matrix_product(first, second):
    return first @ second


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A zero at the bottom and right moves the picture up and left. And one at the top?",
        "Take one axis. Four layers need four zeros along it. How many must stand in front?",
    ],
    why="Along each axis there are as many zeros in front as behind, over all four layers: what "
    "drifts one way in one layer comes back in another.",
)
def no_drift():
    """Four paddings ((top, bottom), (left, right)) for four 2x2 layers: same size, no drift."""
    after, before = ((0, 1), (0, 1)), ((1, 0), (1, 0))
    return [after, before, after, before]


def _four_sides(padding):
    """Read a padding as `ZeroPadding2D` does: a pair of numbers means (rows, columns)."""
    sides = np.array(padding, dtype=object)
    whole = all(isinstance(side, (int, np.integer)) and side >= 0 for side in sides.flat)
    if sides.shape not in ((), (2,), (2, 2)) or not whole:
        raise ValueError(
            "A padding is ((top, bottom), (left, right)), in whole numbers of zeros. "
            f"Received: {sides.tolist()!r}."
        )
    sides = sides.astype(int)
    return np.broadcast_to(sides[:, None] if sides.shape == (2,) else sides, (2, 2))


@no_drift.measure
def _impulse(paddings):
    image = np.zeros((41, 41))
    image[20, 20] = 1
    if isinstance(paddings, (str, int)) or len(paddings) != 4:
        raise ValueError("There are four layers: give a list of four paddings.")
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
    down, right = row - 20, column - 20
    moves = [
        f"{abs(move):g} pixels {after if move > 0 else before}"
        for move, before, after in ((down, "up", "down"), (right, "to the left", "to the right"))
        if abs(move) > 0.01
    ]
    if len(moves) == 2:
        return f"The size is kept, but the light has moved {moves[0]} and {moves[1]}."
    if moves:
        return f"One axis is right. Along the other, the light has moved {moves[0]}."
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
    [((0, 0), (0, 0))] * 4,
    means="You added no zeros. The light stays in the middle, but the map shrinks around it, so "
    "the middle has another number.",
)
no_drift.mistake(
    [((0, 1), (1, 0))] * 4,
    means="You moved the columns one way and the rows the other. Each axis must cancel by itself.",
)
