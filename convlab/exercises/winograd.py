# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on Winograd's convolutions."""

import numpy as np

from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "First the four pixel numbers: 5 - 3, 2 + 3, 3 - 2 and 2 - 4.",
        "Then the four weight numbers: the first weight; half of 3 + 1 + 4; half of 3 - 1 + 4; "
        "the third weight.",
        "The pixel numbers are 2, 5, 1, -2 and the weight numbers 3, 4, 3, 4. Multiply in pairs.",
    ],
    why="The outputs are 6 + 20 + 3 = 29 and 20 - 3 + 8 = 25, as six products would give them.",
)
def four_products():
    """Pixels 5, 2, 3, 4 and weights 3, 1, 4: which four products does F(2,3) make?"""
    d, g = (5, 2, 3, 4), (3, 1, 4)
    pixels = d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]
    weights = g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2, g[2]
    return [int(pixel * weight) for pixel, weight in zip(pixels, weights, strict=True)]


four_products.mistake(
    [6, 40, 6, -8],
    means="You forgot the halves. Without them the two middle products are twice too large.",
)
four_products.mistake(
    [6, 20, -3, -8],
    means="The third pixel number has the wrong sign: it is the third pixel minus the second.",
)
four_products.mistake(
    [6, 20, 3, 8],
    means="The last pixel number has the wrong sign: it is the second pixel minus the fourth.",
)
four_products.mistake(
    [8, 20, 3, -6],
    means="You read the weights from the right. The first product takes the first weight.",
)
four_products.mistake(
    [29, 25], means="Those are the two outputs. Asked for are the four products they are made of."
)
four_products.mistake(
    [2, 5, 1, -2], means="Those are the pixel numbers. Each is still to be multiplied by a weight."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Transform one column of the box first: the taps 1, 1, 1 become four numbers.",
        "They are 1, 3/2, 1/2 and 1. Every column is the same, so each row is now a number three "
        "times.",
        "Transform each row in the same way. Row by row, that is the four numbers times 1, 3/2, "
        "1/2 and 1.",
    ],
    why="Nine weights have become sixteen: that is the price of fewer products, paid once.",
)
def box_transformed():
    """A 3x3 kernel of ones: what is its 4x4 transform for F(2x2,3x3)?"""
    line = np.array([1, 1.5, 0.5, 1])
    return np.outer(line, line)


@box_transformed.mistake(means="You forgot the halves: 1, 1, 1 becomes 1, 3/2, 1/2, 1.")
def _whole():
    return np.outer([1, 3, 1, 1], [1, 3, 1, 1])


@box_transformed.mistake(
    means="You transformed one axis alone. The rows want the same treatment as the columns."
)
def _one_axis():
    return np.outer([1, 1.5, 0.5, 1], [1, 1, 1])


@box_transformed.mistake(
    means="That is one column's transform. Do it for the columns, then along the rows: 4x4 numbers."
)
def _one_line():
    return np.array([1, 1.5, 0.5, 1])


@box_transformed.mistake(
    means="You added the two axes. Nested transforms multiply: a half of a half is a quarter."
)
def _added():
    return np.add.outer([1, 1.5, 0.5, 1], [1, 1.5, 0.5, 1])


@box_transformed.mistake(
    means="The alternating sum of 1, 1, 1 is 1 - 1 + 1, so half of it is 1/2, not -1/2."
)
def _negative():
    return np.outer([1, 1.5, -0.5, 1], [1, 1.5, -0.5, 1])


# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many 2x2 tiles cover 15 rows and 15 columns? A part of a tile costs a whole one.",
        "8 tiles down and 8 across. Each costs 16 multiplications for each channel and filter.",
    ],
    why="131,072 where the definition takes 259,200: 1.98 times fewer, and not 2.25, because "
    "the last row and column of tiles hang over the edge.",
)
def layer_multiplications():
    """15x15 outputs, 8 channels, 16 filters of 3x3: how many multiplications with F(2x2,3x3)?"""
    return 8 * 8 * 16 * 8 * 16


layer_multiplications.mistake(
    15 * 15 * 9 * 8 * 16, means="That is what the definition takes: nine for each output."
)
layer_multiplications.mistake(
    15 * 15 * 4 * 8 * 16,
    means="You divided by 2.25. That holds where the tiles fit; here 15 is odd, and the last "
    "tiles are computed whole.",
)
layer_multiplications.mistake(
    7 * 7 * 16 * 8 * 16,
    means="7 tiles of 2 cover 14 rows. The fifteenth needs a tile too.",
)
layer_multiplications.mistake(
    8 * 8 * 16 * 16,
    means="You left out the channels. Every channel has products of its own, which are summed.",
)
layer_multiplications.mistake(
    8 * 8 * 16 * 8,
    means="You counted one filter. Each of the 16 has transformed weights of its own.",
)
layer_multiplications.mistake(
    8 * 8 * 16, means="That is one channel with one filter. There are 8 channels and 16 filters."
)
layer_multiplications.mistake(
    8 * 8 * 36 * 8 * 16,
    means="36 is what four outputs cost by the definition. A tile of F(2x2,3x3) takes 16.",
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[integers(4, 4, seed=seed) for seed in (1, 2, 3, 4)],
    hints=[
        "For one line of four products `m`: the outputs are `m[0] + m[1] + m[2]` and "
        "`m[1] - m[2] - m[3]`.",
        "`m` may be a whole array: `products[0] + products[1] + products[2]` adds rows, so it "
        "does all columns at once.",
        "With A.T = [[1, 1, 1, 0], [0, 1, -1, -1]], the result is `A.T @ products @ A`.",
    ],
    why="It is linear, so it can wait until the channels are summed: once for each filter.",
)
def outputs(products):
    """Write `outputs(products)`: the 2x2 outputs of F(2x2,3x3), from its 4x4 products."""
    down = [products[0] + products[1] + products[2], products[1] - products[2] - products[3]]
    columns = np.transpose(down)
    across = [columns[0] + columns[1] + columns[2], columns[1] - columns[2] - columns[3]]
    return np.transpose(across)


@outputs.mistake(means="The result lies on its side: rows and columns are exchanged at the end.")
def _transposed(products):
    return outputs.solution(products).T


@outputs.mistake(
    means="The last product has the wrong sign: the second output subtracts it, along both axes."
)
def _plus(products):
    line = np.array([[1, 1, 1, 0], [0, 1, -1, 1]])
    return line @ products @ line.T


@outputs.mistake(
    means="The third product has the wrong sign: the second output subtracts it, along both axes."
)
def _third_added(products):
    line = np.array([[1, 1, 1, 0], [0, 1, 1, -1]])
    return line @ products @ line.T


@outputs.mistake(means="You combined the rows and stopped. The columns want the same.")
def _rows_only(products):
    return np.array([[1, 1, 1, 0], [0, 1, -1, -1]]) @ products


@outputs.mistake(means="You combined the columns and stopped. The rows want the same.")
def _columns_only(products):
    return products @ np.array([[1, 1, 1, 0], [0, 1, -1, -1]]).T


@outputs.mistake(
    means="You cut out four of the products. Each output is a signed sum of nine of them."
)
def _cut(products):
    return products[1:3, 1:3]


# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Output 0 sees pixels 0, 1, 2; output 1 sees 1, 2, 3; and so on. Which see pixel 4?",
        "In the chapter's table of F(4,3), which outputs touch pixel 4 and do not see it?",
    ],
    why="There, large terms must cancel to nothing, and in floating point they do so only nearly.",
)
def leaks():
    """F(4,3): pixel 4 of a tile's six (from 0) is huge. Which of the four outputs does it harm?

    Harmed is an output that does not see the pixel, and is computed with it all the same.
    """
    sees = [set(range(i, i + 3)) for i in range(4)]
    touches = [set(range(5)), set(range(1, 5)), set(range(1, 5)), set(range(1, 6))]
    return {i for i in range(4) if 4 in touches[i] - sees[i]}


leaks.mistake({2, 3}, means="Those two see pixel 4. Asked for are the ones that do not.")
leaks.mistake({0, 1, 2, 3}, means="All four touch it, and two of them are meant to: they see it.")
leaks.mistake(
    set(), means="That is so for F(2,3). With F(4,3), an output touches more than it sees."
)
leaks.mistake({1, 2}, means="You counted outputs from 1. The first is output 0.")
leaks.mistake({1}, means="Output 1 is one of them. Look at the first row of the table again.")
leaks.mistake({0}, means="Output 0 is one of them. Look at the second row of the table again.")

# --- 6 -------------------------------------------------------------------------------------------


def _saved(channels, filters):
    """By what factor F(2x2,3x3) lowers the operations of one tile."""
    direct = 2 * 36 * channels * filters
    return direct / (2 * 16 * channels * filters + 32 * channels + 24 * filters)


@exercise(
    hints=[
        "Two of the six cannot be computed with these tiles at all. F(2x2,3x3) has three taps on "
        "each axis and moves by one pixel.",
        "A tile takes 2 * 16 * C * F operations for its products, 32 * C for pixels and 24 * F for "
        "outputs. The definition takes 2 * 36 * C * F.",
        "In a depthwise layer every filter has one channel: take C = F = 1.",
    ],
    why="The transforms are shared by channels and filters; where there are few, less is saved, "
    "or none.",
)
def half_the_work():
    """Which of these layers take half the operations, or fewer, with F(2x2,3x3)?

    `"64 to 64"`, `"16 to 32"`, `"3 to 64"`, `"depthwise"` (all 3x3, stride 1), `"stride 2"` (3x3,
    64 to 64) and `"5x5"` (stride 1, 64 to 64). Give a set of names.
    """
    layers = {"64 to 64": (64, 64), "16 to 32": (16, 32), "3 to 64": (3, 64), "depthwise": (1, 1)}
    return {name for name, layer in layers.items() if _saved(*layer) >= 2}


half_the_work.mistake(
    {"64 to 64", "16 to 32", "3 to 64"},
    means="With 3 channels the output transform is shared by three only: 1.78 times fewer.",
)
half_the_work.mistake(
    {"64 to 64", "16 to 32", "3 to 64", "depthwise"},
    means="You counted multiplications alone. With few channels the additions weigh as much.",
)
half_the_work.mistake(
    {"64 to 64", "16 to 32", "stride 2"},
    means="With a stride of 2, neighbouring outputs share one pixel, not two: these tiles do not "
    "fit.",
)
half_the_work.mistake(
    {"64 to 64", "16 to 32", "5x5"},
    means="F(2x2,3x3) is for three taps. Five taps need other points and other matrices.",
)
half_the_work.mistake(
    {"64 to 64"}, means="Work out 16 to 32 as well: 36,864 operations become 17,664."
)
half_the_work.mistake(
    {"depthwise"},
    means="There the transforms are shared by nobody: 88 operations in place of 72.",
)
