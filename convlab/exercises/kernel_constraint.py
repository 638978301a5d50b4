# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on kernel constraints."""

import numpy as np

from convlab import constraints
from convlab.exercises import exercise, integers
from convlab.optimizers import SGD
from convlab.variables import Variable

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The default is `axis=0`. Which weights lie along axis 0 of a kernel?",
        "Each column is a vector of its own: (6, 8) and (0, 1). How long are they?",
        "The first has the norm 10 and must be halved. The second is short enough.",
    ],
    why="The columns are cut apart from each other, so the filter changes its pattern. With "
    "`axis=[0, 1, 2]` it would only get weaker.",
    tolerance=5e-3,
)
def default_axis():
    """What does `MaxNorm(5)` make of the filter [[6, 0], [8, 1]]?"""
    kernel = np.array([[6.0, 0], [8, 1]])[:, :, None, None]
    return constraints.MaxNorm(5)(kernel)[:, :, 0, 0]


default_axis.mistake(
    np.array([[6, 0], [8, 1]]) * 5 / np.sqrt(101),
    means="You took the filter for one vector. That needs `axis=[0, 1, 2]`; the default is 0.",
)
default_axis.mistake(
    [[5, 0], [8 * 5 / np.sqrt(65), 5 / np.sqrt(65)]],
    means="You took rows for vectors. Axis 0 runs from row to row, so its vectors are columns.",
)
default_axis.mistake(
    [[0.6, 0], [0.8, 1]],
    means="You gave each column the norm 1, as `UnitNorm()` does. `MaxNorm(5)` allows up to 5.",
)
default_axis.mistake(
    [[3, 0], [4, 5]],
    means="You lengthened the second column. `MaxNorm` leaves alone what is short enough.",
)
default_axis.mistake(
    [[5, 0], [5, 1]],
    means="You cut each weight to 5. The bound is for the norm of a vector, not for one weight.",
)
default_axis.mistake(
    [[6, 0], [8, 1]], means="You left it as it is. The first column has the norm 10, above 5."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The bound is for each column of each slice. How many columns does a filter have?",
        "It has 5 columns in each of its 8 slices: 40. Each may have the norm 2.",
        "Squares of norms add up: the square of the filter's norm is at most 40 * 2 * 2.",
    ],
    why="You asked for 2 and get a bound of more than 12, which hardly any filter ever meets.",
    tolerance=5e-3,
)
def longest_filter():
    """How large can the norm of a 5x5 filter over 8 channels be under `MaxNorm(2)`?"""
    columns = 5 * 8
    return float(np.sqrt(columns * 2**2))


longest_filter.mistake(
    2, means="You bounded the filter. The default axis bounds each column of each slice by itself."
)
longest_filter.mistake(
    80, means="You added the norms of the columns. Their squares add up; take the root at the end."
)
longest_filter.mistake(
    2 * np.sqrt(200), means="You let each weight be 2. The bound is for a column of five weights."
)
longest_filter.mistake(
    2 * np.sqrt(8), means="You counted slices. Each of the 8 slices has five columns of its own."
)
longest_filter.mistake(
    2 * np.sqrt(5), means="You counted the columns of one slice. The filter has one for each of 8."
)
longest_filter.mistake(
    2 * np.sqrt(640), means="You counted the columns of all 16 filters. Asked for is one filter."
)
longest_filter.mistake(np.sqrt(40), means="You let each column have the norm 1. The bound is 2.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A step takes the learning rate times the gradient away. Where does the first one lead?",
        "To -0.05, which is not allowed. What does `NonNeg()` make of it?",
        "The second step starts at 0 and adds 0.1.",
    ],
    why="What was cut off is forgotten. With momentum, the optimizer still remembers the push.",
)
def back_from_the_wall():
    """Where is the weight 0.05 with `NonNeg()` after steps of 0.1 for the gradients 1 and -1?"""
    weight = Variable(np.array([0.05]), constraint=constraints.NonNeg())
    for gradient in (1.0, -1.0):
        SGD(0.1).apply([np.array([gradient])], [weight])
    return float(weight[0])


back_from_the_wall.mistake(
    0.05,
    means="You let the weight go below 0 in between. After the first step it is projected, and "
    "what was cut off is gone.",
)
back_from_the_wall.mistake(
    0,
    means="You stopped after the first step, or let the weight stick to 0. Nothing holds it there.",
)
back_from_the_wall.mistake(
    -0.05, means="That is where the first step leads, before the constraint answers."
)
back_from_the_wall.mistake(
    0.15, means="You left the first step out, or started the second at 0.05. It starts at 0."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        integers(1, 2, 1, 2).astype(float),
        integers(2, 2, 1, 2, seed=1).astype(float),
        integers(2, 3, 2, 2, seed=2).astype(float),
        integers(3, 2, 3, 4, seed=3).astype(float),
    ],
    hints=[
        "`zero_sum` subtracts the mean of each filter. What must be added to get the sum 1?",
        "The nearest kernel shares what is missing equally among all weights of a filter.",
        "Each filter has rows * columns * channels weights, so add one over that number to each.",
    ],
    why="All weights move by the same amount: at right angles to the plane of sum 1, which is the "
    "shortest way to it.",
)
def sum_of_one(kernel):
    """Write `sum_of_one(kernel)`: the nearest kernel in which each filter's weights sum to 1."""
    weights = kernel[..., 0].size
    missing = 1 - kernel.sum(axis=(0, 1, 2), keepdims=True)
    return kernel + missing / weights


@sum_of_one.mistake(
    means="You divided by the sum. It gets the sum 1 where it can, but not the nearest kernel, and "
    "it fails where the sum is 0."
)
def _divided(kernel):
    with np.errstate(all="ignore"):
        return kernel / kernel.sum(axis=(0, 1, 2), keepdims=True)


@sum_of_one.mistake(
    means="You divided by the sum of the whole kernel. Each filter needs a sum of 1, and the "
    "nearest kernel is found by adding, not by dividing."
)
def _divided_by_all(kernel):
    with np.errstate(all="ignore"):
        return kernel / kernel.sum()


@sum_of_one.mistake(
    means="You brought the sum of the whole kernel to 1. Each filter needs a sum of 1 by itself."
)
def _whole_kernel(kernel):
    return kernel + (1 - kernel.sum()) / kernel.size


@sum_of_one.mistake(
    means="Each slice has the sum 1 now. A filter is the sum over all its channels."
)
def _each_slice(kernel):
    missing = 1 - kernel.sum(axis=(0, 1), keepdims=True)
    return kernel + missing / kernel[..., 0, 0].size


@sum_of_one.mistake(means="You brought each column to the sum 1. A filter is one sum in all.")
def _each_column(kernel):
    return kernel + (1 - kernel.sum(axis=0, keepdims=True)) / len(kernel)


@sum_of_one.mistake(
    means="You added all that is missing to every weight. Share it: divide by their number."
)
def _not_shared(kernel):
    return kernel + 1 - kernel.sum(axis=(0, 1, 2), keepdims=True)


@sum_of_one.mistake(means="The sums are 0 now. Add what makes them 1.")
def _sum_of_zero(kernel):
    return kernel - kernel.mean(axis=(0, 1, 2), keepdims=True)


@sum_of_one.mistake(
    means="The sum is right, the way is not the shortest: you changed one weight of each filter "
    "only. Share what is missing among all."
)
def _last_weight(kernel):
    moved = kernel.copy()
    moved[-1, -1, -1] += 1 - kernel.sum(axis=(0, 1, 2))
    return moved


# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The kernel has the shape (1, 1, 2, 1). How long is its axis 0?",
        "Each vector holds one weight. What is the norm of a single number?",
    ],
    why="Only the signs are left. `UnitNorm(axis=[0, 1, 2])` keeps the filter's direction.",
    tolerance=5e-3,
)
def one_by_one():
    """What does `UnitNorm()` make of the weights 0.3 and -2 of a 1x1 filter?"""
    kernel = np.array([0.3, -2.0]).reshape(1, 1, 2, 1)
    return constraints.UnitNorm()(kernel).ravel()


one_by_one.mistake(
    np.array([0.3, -2]) / np.sqrt(0.09 + 4),
    means="You took the filter for one vector. The default axis is 0, along which a 1x1 kernel has "
    "a single weight.",
)
one_by_one.mistake(
    [0.3, -1], means="You only shortened. `UnitNorm` also lengthens what is shorter than 1."
)
one_by_one.mistake([0.3, -2], means="You left it as it is. A single number has a norm, too.")
one_by_one.mistake([1, 1], means="You lost the sign: dividing by the norm keeps it.")
