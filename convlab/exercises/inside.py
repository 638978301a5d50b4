# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on the inside of a trained network."""

import numpy as np

from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    cases=[(cell,) for cell in (0, 1, 2, 3, 7, 9)],
    hints=[
        "Go down layer by layer. A cell of the second convolution reads 5 pooled cells, and two "
        "neighbouring pooled cells are 2 pixels apart.",
        "The field: 5, then 6 after the pooling, then 6 + 4 * 2. Which pixel does cell 0 begin at, "
        "and how far is cell 1 from it?",
    ],
    why="Size 14, jump 2: neighbouring cells see nearly the same, and none sees a 5 x 5 window.",
)
def patch_rows(cell):
    """Conv 5, pool 2, conv 5, all valid: the (first, last) pixel row that `cell` of conv 2 sees."""
    return 2 * cell, 2 * cell + 13


@patch_rows.mistake(
    means="You took the layer's own kernel. Its 5 rows are rows of the map below, not of the image."
)
def _own_kernel(cell):
    return cell, cell + 4


@patch_rows.mistake(means="The jump is right. But the kernel's 5 cells lie 2 pixels apart too.")
def _field_of_kernel(cell):
    return 2 * cell, 2 * cell + 4


@patch_rows.mistake(
    means="You counted a second pooling. It comes after the second convolution, which has a jump "
    "of 2."
)
def _after_second_pool(cell):
    return 4 * cell, 4 * cell + 15


@patch_rows.mistake(
    means="You multiplied the field by the jump of the next layer: 4 is the jump after a second "
    "pooling. Here it is 2."
)
def _jump_of_four(cell):
    return 4 * cell, 4 * cell + 13


@patch_rows.mistake(means="You forgot that a pooled cell sees 2 rows of the map below: one more.")
def _pool_sees_one(cell):
    return 2 * cell, 2 * cell + 12


@patch_rows.mistake(means="The last row is one too far: 14 rows from 0 end at 13.")
def _one_too_many(cell):
    return 2 * cell, 2 * cell + 14


@patch_rows.mistake(
    means="The size is right. But the pooling makes two neighbouring cells 2 pixels apart, not 1."
)
def _jump_of_one(cell):
    return cell, cell + 13


# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "What would this number be, had there been no training at all?",
        "Two controls are given. Only one of them is the same network without the training.",
    ],
    tolerance=5e-4,
    why="The rest was there before the first step: images, architecture and chance made it.",
)
def owed_to_training():
    """Purity: trained 0.62, untrained 0.50, nine at random 0.28. How much is the training's?"""
    return 0.62 - 0.50


owed_to_training.mistake(
    0.62, means="You gave all of it to the training. The untrained network has most of it too."
)
owed_to_training.mistake(
    0.34,
    means="You compared with nine random images. That is what the *network* adds, trained or not.",
)
owed_to_training.mistake(
    0.52,
    means="You took 0.10 for chance. That is one image of ten classes; the commonest of nine is a "
    "maximum.",
)
owed_to_training.mistake(
    0.22, means="That is what the network adds untrained, over nine random images."
)
owed_to_training.mistake(0.50, means="That is the part that was there without any training.")
owed_to_training.mistake(-0.12, means="The difference is right, its sign is not.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Print a patch of the empty background before and after it was hidden with 0.",
        "What would you have to do to the background to change it?",
    ],
    why="A method that changes nothing measures nothing. With a fill of 1 the paper mattered most.",
)
def empty_paper():
    """Paper hidden with 0, answer unchanged: A not needed, B nothing changed, C bug, D padding?"""
    return "B"


empty_paper.mistake(
    "A",
    means="You cannot know: zeros were replaced by zeros. Ink *there* may matter very much: see "
    "the fill of 1.",
)
empty_paper.mistake(
    "C", means="The code does what it says. Look at what the pixels were before they were hidden."
)
empty_paper.mistake(
    "D",
    means="This network pads nothing. Look at what the pixels were before they were hidden.",
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (
            integers(1, 2, 2, filters, seed=1),
            integers(filters, seed=2),
            integers(2, 1, filters, after, seed=3),
            order,
        )
        for filters, after, order in (
            (2, 2, [1, 0]),
            (3, 3, [2, 0, 1]),
            (4, 4, [1, 3, 0, 2]),
            (3, 3, [0, 1, 2]),
        )
    ],
    hints=[
        "The shapes are (height, width, channels, filters), (filters,) and (height, width, "
        "channels, filters). On which axis of each do the filters of the *first* layer lie?",
        "The filters of the first layer are the channels of the second. `array[..., order]` "
        "reorders the last axis, `array[:, :, order]` the third.",
    ],
    why="So a filter's number means nothing, and two trained networks cannot be compared by it.",
)
def reordered(kernels, bias, second, order):
    """Write `reordered(kernels, bias, second, order)`: filter i becomes the old filter order[i]."""
    return kernels[..., order], bias[order], second[:, :, order]


@reordered.mistake(means="You left the second kernel. Each of its slices now reads another map.")
def _second_left(kernels, bias, second, order):
    return kernels[..., order], bias[order], second


@reordered.mistake(means="The bias stayed behind: each filter has its own, and must keep it.")
def _bias_left(kernels, bias, second, order):
    return kernels[..., order], bias, second[:, :, order]


@reordered.mistake(
    means="You reordered the filters of the second layer. Its *channels* must follow: the third "
    "axis."
)
def _wrong_axis(kernels, bias, second, order):
    return kernels[..., order], bias[order], second[..., order]


@reordered.mistake(
    means="You reordered the second kernel backwards. Its slices must follow the maps: the same "
    "`order`."
)
def _backwards(kernels, bias, second, order):
    return kernels[..., order], bias[order], second[:, :, np.argsort(order)]


@reordered.mistake(
    means="You reordered all three the other way round: filter i of the result is filter "
    "`order[i]` of the old one."
)
def _all_backwards(kernels, bias, second, order):
    back = np.argsort(order)
    return kernels[..., back], bias[back], second[:, :, back]


# --- 5 -------------------------------------------------------------------------------------------


def _kernel_pairs():
    old = integers(2, 3, 2, 3, seed=4)
    turned = integers(2, 3, 2, 3, seed=5)
    return [(old, 3 * old), (old, -old), (old, turned), (old[:1, :, :, :1], turned[:1, :, :, :1])]


@exercise(
    cases=_kernel_pairs,
    hints=[
        "Flatten each filter: `kernel.reshape(-1, kernel.shape[-1])` has one column for each.",
        "The cosine is the dot product divided by both lengths, column by column.",
        "Rounding may push a cosine past 1, where `arccos` gives NaN: `np.clip` it to -1 and 1.",
    ],
    why="A kernel that only grew has turned by 0 degrees, whatever the pictures seem to say.",
    tolerance=1e-3,
)
def turned(before, after):
    """Write `turned(before, after)`: by how many degrees each filter of a Keras kernel turned."""
    first, second = (kernel.reshape(-1, kernel.shape[-1]) for kernel in (before, after))
    lengths = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
    cosine = (first * second).sum(axis=0) / lengths
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


@turned.mistake(means="These are radians. `np.degrees` turns them into degrees.")
def _radians(before, after):
    return np.radians(turned.solution(before, after))


@turned.mistake(
    means="You took the whole kernel for one vector. Each filter, the last axis, is one of its own."
)
def _one_angle(before, after):
    flat = (before.reshape(-1, 1), after.reshape(-1, 1))
    return np.repeat(turned.solution(*flat), before.shape[-1])


@turned.mistake(
    means="You reshaped to `(filters, -1)`, which mixes the filters: they are the *last* axis, so "
    "they stay last in `reshape(-1, filters)`."
)
def _mixed(before, after):
    mixed = (np.reshape(kernel, (kernel.shape[-1], -1)).T for kernel in (before, after))
    return turned.solution(*mixed)


@turned.mistake(means="That is the cosine. `np.arccos` makes an angle of it.")
def _cosine(before, after):
    return np.cos(np.radians(turned.solution(before, after)))


@turned.mistake(
    means="You took away the sign of the cosine. A filter turned around has turned by 180 degrees."
)
def _unsigned(before, after):
    angle = turned.solution(before, after)
    return np.minimum(angle, 180 - angle)
