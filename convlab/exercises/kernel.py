"""Exercises of the chapter on kernels."""

import numpy as np

from convlab import filters
from convlab.exercises import exercise
from convlab.functional import conv2d


def filtered(image, kernel):
    """A grey image through a kernel, which may be a table or have four axes."""
    x = np.asarray(image)[np.newaxis, :, :, np.newaxis]
    return conv2d(x, filters.as_kernel(kernel), implementation="vectorized")[0, :, :, 0]


@exercise(
    hints=[
        "Lay the kernel on columns 0 to 2, then 1 to 3, then 2 to 4. Only the middle row and the "
        "middle column of the window count: the corners have weight 0.",
        "All rows of the image are alike, so the pixels above and below equal the middle one: "
        "together they leave `5 - 2 = 3` times the middle pixel, minus the left and the right one.",
        "First window: `3 * 2 - 2 - 2`. The second has an 8 on its right, the third has an 8 in "
        "its middle.",
    ],
    why="Sharpening undershoots on the dark side of an edge and overshoots on the bright one.",
)
def sharpened_step():
    """What is the first row of the result when `sharpen` runs over four rows `2 2 2 8 8`?"""
    row = [2, 2, 2, 8, 8]
    cells = []
    for middle in (1, 2, 3):  # above and below the middle stands the same number
        neighbours = row[middle - 1] + row[middle + 1] + row[middle] + row[middle]
        cells.append(5 * row[middle] - neighbours)
    return cells


sharpened_step.mistake(
    [2, 0, 8],
    means="You clipped the result to a range. `conv2d` does not: what is below 0 or above the "
    "brightest pixel stays in the result.",
)
sharpened_step.mistake(
    [2, 8, 2],
    means="You added the Laplacian. `sharpen` is the identity minus the Laplacian: the weights "
    "beside the 5 are negative.",
)
sharpened_step.mistake(
    [0, -6, 6],
    means="You left out the photo itself: with 4 in the middle, the kernel sums to 0. The weight "
    "in the middle is 5.",
)
sharpened_step.mistake(
    [0, 6, -6],
    means="You computed the Laplacian itself. `sharpen` takes it away from the photo, and the "
    "weight in its middle is 5.",
)
sharpened_step.mistake(
    [18, 36, 54],
    means="You added the nine pixels up. Multiply each by its weight first.",
)
sharpened_step.mistake(
    [6, 0, 30],
    means="You took away the left and the right neighbour only. Above and below the 5 stand a "
    "-1 too.",
)
sharpened_step.mistake(
    [6, 4, -2, 22, 24],
    means="You added a border of zeros. Here the window goes only where all of it lies on the "
    "photo, and that is in three places of a row.",
)
sharpened_step.mistake(
    [2, 2, -4, 14, 8],
    means="You gave a cell to the first and the last column too. There the window would hang over "
    "the edge: only three cells have all their neighbours.",
)
sharpened_step.mistake(
    [[2, -4, 14], [2, -4, 14]],
    means="You gave both rows of the result, and they are right. Asked for is the first row.",
)


@exercise(
    hints=[
        "All nine pixels of the window are 0.5. Take the 0.5 out of the sum of products.",
        "Add up the nine weights of each kernel, signs included, and multiply the sum by 0.5.",
    ],
    why="On a flat area, the place of a weight does not matter: only the sum of all nine does.",
)
def flat_area():
    """What do four kernels make of a flat area of brightness 0.5?"""
    blur = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    crisp = np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]])
    relief = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]])
    cross = np.array([[0, 1, 0], [1, -2, 1], [0, 1, 0]])
    return [0.5 * kernel.sum() for kernel in (blur, crisp, relief, cross)]


flat_area.mistake(
    (8, 0.5, 0, 1),
    means="You forgot the division by 16 in kernel A.",
)
flat_area.mistake(
    (1, 1, 0, 2),
    means="These are the sums of the kernels. The brightness that comes out is the sum times the "
    "brightness that went in.",
)
flat_area.mistake(
    (0.5, 8.5, 4, 3),
    means="You added the weights without their signs. A negative weight takes brightness away.",
)
flat_area.mistake(
    (0.5, 0.5, 0.5, 1),
    means="You took kernel C for `emboss`. Look at its middle: there is a 0, so the photo itself "
    "is not in it.",
)
flat_area.mistake(
    (0.5, 0.5, 0, 0),
    means="You took kernel D for the Laplacian. Look at its middle: there is a -2, and the sum is "
    "not 0.",
)
flat_area.mistake(
    (0.5, 0.5, 0, -1),
    means="In kernel D you counted only the weight in the middle, or turned the sign. Add "
    "up its four ones and its -2.",
)
flat_area.mistake(
    (0.125, 4.5, 0, -1),
    means="You looked only at the weight in the middle. All nine pixels are 0.5, and all nine "
    "weights count.",
)


@exercise(
    hints=[
        "Every point is smeared over nine pixels of its row. So every pixel of the photo gets the "
        "mean of nine pixels of its row.",
        "The size of a kernel is (height, width). A mean of nine numbers gives each the same "
        "weight, and the weights sum to 1.",
    ],
    why="The shape of a kernel says where it mixes, and its sum keeps the brightness.",
)
def motion_blur():
    """Give the kernel that smears every point of a photo evenly over 9 pixels of its row."""
    return np.ones((1, 9)) / 9


@motion_blur.measure
def _spread(kernel):
    dot = np.zeros((41, 41))
    dot[20, 20] = 1.0
    spread = np.round(filtered(dot, kernel), 9)
    rows, columns = np.nonzero(spread)
    return {
        "rows that one bright dot covers": len(np.unique(rows)),
        "columns that it covers": len(np.unique(columns)),
        "its brightest pixel": spread.max(),
        "its brightness in all": spread.sum(),
    }


motion_blur.mistake(
    np.ones((1, 9)),
    means="You added nine pixels without dividing: the photo becomes nine times as bright.",
)
motion_blur.mistake(
    np.ones((1, 10)) / 10,
    means="You counted nine steps from the first pixel to the last. A point covers nine pixels, "
    "and yours covers ten.",
)
motion_blur.mistake(
    np.ones((9, 1)) / 9,
    means="You exchanged the axes: this camera falls. A kernel's shape is (height, width).",
)
motion_blur.mistake(
    np.eye(9) / 9,
    means="You put the weights on a diagonal: this camera moves sideways and down at once.",
)
motion_blur.mistake(
    np.ones((9, 9)) / 81,
    means="You blur in both directions. Sideways only, the kernel is one row high.",
)


@exercise(
    hints=[
        "Kernels add and subtract like the pictures that they make. Which kernel makes `photo` of "
        "the photo? Which one makes `blurred`?",
        "Write the formula again, with a 3x3 array in place of each picture.",
        "Look at one weight at the side first: only `box` has something there. Then the middle, "
        "where both have something. In the end the nine weights must sum to 1.",
    ],
    why="Kernels add and subtract like the pictures that they make, so two passes become one.",
)
def unsharp_mask():
    """Which one 3x3 kernel gives the photo plus twice what `box` takes away from it?"""
    return 3 * filters.identity(3)[:, :, 0, 0] - 2 * filters.box(3)[:, :, 0, 0]


def _around(centre, others):
    kernel = np.full((3, 3), others)
    kernel[1, 1] = centre
    return kernel


@unsharp_mask.measure
def _table(kernel):
    return filters.as_kernel(kernel)[:, :, 0, 0]


unsharp_mask.mistake(
    _around(3.0, -2 / 9),
    means="You forgot that `box` has a weight in the middle too. Your kernel sums to more than 1, "
    "so it brightens the photo.",
)
unsharp_mask.mistake(
    _around(16 / 9, -2 / 9),
    means="You kept only the detail, `2 * (identity - box)`. Its sum is 0: the photo itself is "
    "missing.",
)
unsharp_mask.mistake(
    _around(17 / 9, -1 / 9),
    means="You added what `box` takes away once. It is asked for twice.",
)
unsharp_mask.mistake(
    _around(1.0, -2.0),
    means="You took ones for `box` and forgot to divide by 9. Your kernel sums to -15: the photo "
    "turns dark.",
)
unsharp_mask.mistake(
    _around(11 / 9, 2 / 9),
    means="You added the blurred photo, twice. Added is what the blur takes away: the photo minus "
    "the blurred one.",
)
unsharp_mask.mistake(
    filters.sharpen(),
    means="You took `sharpen`. It does something similar, with four neighbours; here all eight "
    "neighbours count, because `box` has nine weights.",
)
unsharp_mask.mistake(
    _around(-7 / 9, 2 / 9),
    means="You exchanged photo and blur: this is the photo plus twice `box - identity`, and it "
    "blurs.",
)


@exercise(
    hints=[
        "Across the edge `\\`, brightness changes from the lower left to the upper right. Along "
        "it, nothing changes.",
        "Where should the positive weights stand, where the negative ones, and where the zeros? A "
        "kernel compares across an edge.",
        "Try your kernel on the first picture, in your head: lay it on the edge. Then along the "
        "other edge: there, plus and minus should cancel.",
    ],
    why="A kernel answers most to the edge that runs across its own slope from minus to plus.",
)
def one_diagonal():
    r"""Give a kernel of sum 0 that answers to `\` at least three times as strongly as to `/`."""
    return np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])


@one_diagonal.measure
def _strengths(kernel):
    row, column = np.indices((32, 32))
    backslash, slash = (column > row).astype(float), (row + column > 31).astype(float)
    return {
        "sum of the kernel": np.sum(filters.as_kernel(kernel)),
        "first edge \\, all cells": np.abs(filtered(backslash, kernel)).sum(),
        "second edge /, all cells": np.abs(filtered(slash, kernel)).sum(),
    }


@one_diagonal.judge
def _compare(measured):
    total, first, second = measured.values()
    if abs(total) > 1e-6:
        return "The weights do not sum to 0, so your kernel answers to flat areas too."
    if max(first, second) < 1e-6:
        return "Your kernel sees neither of the two edges."
    if first >= 3 * second:
        return None
    if second >= 3 * first:
        return "Your kernel answers to the other diagonal."
    if abs(first - second) < 0.1 * first:
        return "Your kernel answers to both diagonals alike."
    if second > first:
        return "Your kernel prefers the other diagonal, and ignores neither."
    return "It prefers the diagonal you want, but not yet three times."


one_diagonal.mistake(
    [[2, 1, 0], [1, 0, -1], [0, -1, -2]],
    means="You compared the upper left with the lower right. That is along the edge you want, and "
    "across the other one.",
)
one_diagonal.mistake(
    [[1, 0], [0, -1]],
    means="You compared a pixel with its lower right neighbour. Those two lie along the edge you "
    "want, on the same side of it.",
)
one_diagonal.mistake(
    [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
    means="You took the corners with signs in a cross. Both diagonals look alike to it: it "
    "compares the one pair of corners with the other.",
)
one_diagonal.mistake(
    [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
    means="You made a detector of thin *lines* along the diagonal: bright in the middle, dark on "
    "both sides. An edge is bright on one side only.",
)
one_diagonal.mistake(
    [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
    means="You made a detector of thin *lines* along the other diagonal. An edge is bright on one "
    "side and dark on the other.",
)
one_diagonal.mistake(
    filters.sobel_x(),
    means="You took a Sobel kernel. It compares left with right, or above with below, and the two "
    "diagonals look alike to it.",
)
one_diagonal.mistake(
    filters.laplacian(),
    means="You took the Laplacian. It treats all directions alike: that is its virtue elsewhere.",
)
one_diagonal.mistake(
    filters.emboss(),
    means="You took `emboss` as it is. It sums to 1, because the photo itself is in it.",
)
