"""Exercises of the chapter on the three implementations."""

import numpy as np

from convlab.exercises import exercise, integers
from convlab.geometry import Geometry


@exercise(
    hints=[
        "Count the products of one output cell first: one for each weight that one filter has.",
        "One cell: 5 * 5 * 8 products. In how many places does the window fit, for each filter?",
    ],
    why="5 * 5 * 8 products in each of 28 * 28 * 16 cells. At a microsecond each: 2.5 seconds.",
)
def multiply_adds():
    """How many multiply-adds does a 32x32 image with 8 channels take?

    The layer has 16 filters of 5x5, `padding="valid"`, strides of 1.
    """
    return Geometry.conv2d((1, 32, 32, 8), (5, 5, 8, 16)).multiply_adds


multiply_adds.mistake(
    32 * 32 * 16 * 25 * 8,
    means="You put a window on every pixel. With `valid` it fits in fewer places along each side.",
)
multiply_adds.mistake(
    27 * 27 * 16 * 25 * 8,
    means="You took 32 - 5 places along a side. The place before the first move counts too.",
)
multiply_adds.mistake(
    28 * 28 * 16 * 25,
    means="You left out the channels: each of the 25 places in the window holds 8 of them.",
)
multiply_adds.mistake(
    28 * 28 * 25 * 8, means="You counted one filter. There are 16, and each makes its own map."
)
multiply_adds.mistake(
    28 * 28 * 16, means="You counted the output cells. Each of them is a sum of many products."
)


def _images():
    return [(integers(3, 4, 2, seed=1), integers(2, 2, 2, 3, seed=2)),
            (integers(3, 3, 1, seed=3), integers(2, 3, 1, 1, seed=4)),
            (integers(5, 4, 3, seed=5), integers(3, 2, 3, 2, seed=6))]  # fmt: skip


@exercise(
    cases=_images,
    hints=[
        "How many rows fit? The last window starts at row `height - kernel_height`.",
        "Loop over the output's rows and columns, cut `x[row:row + kernel_height, ...]`, "
        "and multiply it by one filter, `kernel[..., filter]`.",
        "`output[row, column, filter] = (window * kernel[..., filter]).sum()`: the sum runs over "
        "rows, columns and channels of the window.",
    ],
    why="Those loops are the definition. The rest of this chapter is the same, faster.",
)
def convolve(x, kernel):
    """Write `convolve(x, kernel)` for one image, `padding="valid"`, strides of 1.

    `x` is `(height, width, channels)`, `kernel` is
    `(kernel_height, kernel_width, channels, filters)`.
    """
    height, width, _ = x.shape
    kernel_height, kernel_width, _, filters = kernel.shape
    output = np.zeros((height - kernel_height + 1, width - kernel_width + 1, filters))
    for row, column, filter in np.ndindex(output.shape):
        window = x[row : row + kernel_height, column : column + kernel_width]
        output[row, column, filter] = (window * kernel[..., filter]).sum()
    return output


@convolve.mistake(
    means="The kernel lies upside down on the window: you turned it round. `Conv2D` does not."
)
def flipped(x, kernel):
    return convolve.solution(x, kernel[::-1, ::-1])


@convolve.mistake(
    means="You stopped one row and one column early. The last window starts at "
    "`height - kernel_height`, so there are `height - kernel_height + 1` of them."
)
def one_too_few(x, kernel):
    return convolve.solution(x, kernel)[:-1, :-1]


@convolve.mistake(
    means="Each cell holds its last product alone. The products are added up: `+=`, not `=`."
)
def last_product_only(x, kernel):
    only_last = np.zeros_like(kernel)
    only_last[-1, -1, -1] = kernel[-1, -1, -1]
    return convolve.solution(x, only_last)


@convolve.mistake(
    means="You used the first channel alone. A cell sums over all channels of its window."
)
def first_channel_only(x, kernel):
    return convolve.solution(x[:, :, :1], kernel[:, :, :1])


@convolve.mistake(means="Every map shows the first filter. Map `f` belongs to `kernel[..., f]`.")
def first_filter_only(x, kernel):
    return np.repeat(convolve.solution(x, kernel[..., :1]), kernel.shape[3], axis=2)


@exercise(
    cases=[
        (integers(2, 3, seed=11), 2, 2),
        (integers(3, 3, seed=12), 2, 2),
        (integers(4, 5, seed=13), 2, 3),
    ],
    hints=[
        "Draw a 3x3 image and a 2x2 window. Where does the window go first, second, third?",
        "Row number `row * output_width + column` holds the window at (row, column), flattened "
        "row by row.",
        "`x[row:row + kernel_height, column:column + kernel_width].ravel()` is one row.",
    ],
    why="`patches(x, 2, 2) @ kernel.ravel()` is now a convolution: one matrix product.",
)
def patches(x, kernel_height, kernel_width):
    """Write `patches(x, kernel_height, kernel_width)` for an image `x` of `(height, width)`.

    Return a matrix with one row for each window, left to right, then down. A row holds the
    window's pixels, left to right, then down.
    """
    rows = x.shape[0] - kernel_height + 1
    columns = x.shape[1] - kernel_width + 1
    return np.array(
        [
            x[row : row + kernel_height, column : column + kernel_width].ravel()
            for row in range(rows)
            for column in range(columns)
        ]
    )


@patches.mistake(means="You turned the matrix: windows are its rows, not its columns.")
def transposed(x, kernel_height, kernel_width):
    return patches.solution(x, kernel_height, kernel_width).T


@patches.mistake(
    means="Your windows go down first, then right. The output is stored row by row, so the "
    "windows go right first."
)
def down_first(x, kernel_height, kernel_width):
    rows, columns = x.shape[0] - kernel_height + 1, x.shape[1] - kernel_width + 1
    order = np.arange(rows * columns).reshape(rows, columns).T.ravel()
    return patches.solution(x, kernel_height, kernel_width)[order]


@patches.mistake(
    means="Inside a window you go down first. The kernel is stored row by row, so its pixels "
    "must be, too: `.ravel()` does that."
)
def window_down_first(x, kernel_height, kernel_width):
    rows, columns = x.shape[0] - kernel_height + 1, x.shape[1] - kernel_width + 1
    return np.array(
        [
            x[row : row + kernel_height, column : column + kernel_width].T.ravel()
            for row in range(rows)
            for column in range(columns)
        ]
    )


@patches.mistake(
    means="You stopped one row and one column early. The last window starts at "
    "`height - kernel_height`, so there is one more of them."
)
def one_window_short(x, kernel_height, kernel_width):
    return patches.solution(x[:-1, :-1], kernel_height, kernel_width)


@patches.mistake(
    means="Your windows do not overlap: you moved by the window's width. At strides of 1 the "
    "next window starts one pixel on."
)
def separate_windows(x, kernel_height, kernel_width):
    return np.array(
        [
            x[row : row + kernel_height, column : column + kernel_width].ravel()
            for row in range(0, x.shape[0] - kernel_height + 1, kernel_height)
            for column in range(0, x.shape[1] - kernel_width + 1, kernel_width)
        ]
    )


@exercise(
    hints=[
        "One patch holds every pixel under one window, over all channels.",
        "How many windows? How many numbers in each? And 4 bytes for each number.",
    ],
    why="37 MB for an image of 1.6 MB: each pixel stands in up to 25 rows.",
    tolerance=0.6,
)
def patch_megabytes():
    """How many megabytes does the whole patch matrix of a 112x112 image with 32 channels take?

    The kernel is 5x5, `padding="valid"`, the numbers are float32 (4 bytes). A megabyte is
    1,000,000 bytes. Round to a whole number.
    """
    return 108 * 108 * 5 * 5 * 32 * 4 / 1e6


patch_megabytes.mistake(
    112 * 112 * 5 * 5 * 32 * 4 / 1e6,
    means="You put a window on every pixel. With `valid` fewer windows fit.",
)
patch_megabytes.mistake(
    108 * 108 * 25 * 4 / 1e6, means="You left out the channels: a window is 32 of them deep."
)
patch_megabytes.mistake(
    108 * 108 * 25 * 32 / 1e6, means="You counted the numbers. Each of them takes 4 bytes."
)
patch_megabytes.mistake(
    108 * 108 * 25 * 32 * 4, means="Those are bytes. A megabyte has 1,000,000 of them."
)
patch_megabytes.mistake(
    108 * 108 * 25 * 32 * 8 / 1e6, means="You took 8 bytes for a number: that is float64."
)


@exercise(
    hints=[
        "Two jobs may run at the same moment. When do they write to the same place?",
        "A job that owns its output cells never meets another. Which indices name an output cell?",
        "The cell is `output[image, row, column, filter]`. The rest are summed into it.",
    ],
    why="Jobs over these four never write to the same cell. The other three feed one sum.",
)
def safe_loops():
    """Which of the seven loops may run in parallel without two jobs adding into one cell?

    The loops of `conv2d` are `"image"`, `"row"`, `"column"`, `"filter"`, `"i"`, `"j"` and
    `"channel"`. Give a set of names.
    """
    return {"image", "row", "column", "filter"}


safe_loops.mistake(
    {"image", "row", "column", "filter", "channel"},
    means="Two jobs with different channels add into the same cell. One of the two sums gets lost.",
)
safe_loops.mistake(
    {"image", "row", "column", "filter", "i", "j", "channel"},
    means="The taps `i`, `j` and the channels all add into one cell: their jobs would collide.",
)
safe_loops.mistake(
    {"image"},
    means="Images are safe, but with one image you would use one core. More loops are safe.",
)
safe_loops.mistake(
    {"row", "column"},
    means="Rows and columns are safe. Two more indices name an output cell.",
)
safe_loops.mistake(
    {"i", "j", "channel"},
    means="It is the other way round: these three feed one sum, so their jobs would collide.",
)
