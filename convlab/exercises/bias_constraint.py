# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on bias constraints."""

import numpy as np

from convlab.exercises import exercise

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Every pixel of a black image is 0. What is a sum of products with 0?",
        "Only the biases are left. Then comes relu.",
    ],
    why="The kernel has no say. A bias of 0 or below is silent; a positive one is always heard.",
)
def black_pixel():
    """What do biases 0.3, -0.2, 0 with relu give for a black image?"""
    return np.maximum([0.3, -0.2, 0.0], 0)


black_pixel.mistake(
    [0.3, -0.2, 0], means="You left relu out: a negative sum does not get through it."
)
black_pixel.mistake(
    [0, 0, 0],
    means="You made all maps silent. That needs biases of 0 or below, and the first is positive.",
)
black_pixel.mistake(
    [5.3, 8.8, 0],
    means="You added the sum of the weights. That is the answer for a white image, of ones.",
)
black_pixel.mistake(
    [5.3, 8.8, -2],
    means="You added the sum of the weights, as for a white image, and left relu out.",
)
black_pixel.mistake(
    [0.3, 0.2, 0],
    means="You dropped the sign. relu makes 0 of everything below 0.",
)
black_pixel.mistake(
    [1.5, 0, 0],
    means="You multiplied the bias by the weights. It is added once, after the products.",
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The sum is 1.5. How much must go?",
        "The nearest numbers share it equally: each of the three moves by the same amount.",
    ],
    why="Subtracting the mean is the projection: the shortest way to the plane of sum 0.",
)
def nearest_sum():
    """Which three numbers with the sum 0 are nearest to 0.5, -1 and 2?"""
    biases = np.array([0.5, -1, 2])
    return biases - biases.mean()


nearest_sum.mistake(
    [-1, -2.5, 0.5],
    means="You subtracted the whole sum from each. Then it goes three times: subtract the mean.",
)
nearest_sum.mistake(
    np.array([0.5, -1, 2]) / 1.5,
    means="You divided by the sum. That makes it 1, not 0.",
)
nearest_sum.mistake(
    [0.5, -1, 0.5],
    means="The sum is 0, but one bias took the whole way. Three short ways end nearer.",
)
nearest_sum.mistake([0.5, -1, 2], means="You left them as they are. Their sum is 1.5, not 0.")
nearest_sum.mistake([0, 0, 0], means="The sum is 0, but nearer triples have it, too.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Subtract one number t from all three, cut at 0, and the sum must be 1.",
        "The smallest is negative and will be cut. So two numbers share the sum 1.",
        "0.9 - t + 0.6 - t = 1. What is t?",
    ],
    why="With t = 0.25: 0.65 and 0.35 are left, and the third is cut at 0.",
    tolerance=5e-3,
)
def nearest_shares():
    """Which three numbers, none negative and of sum 1, are nearest to 0.9, 0.6 and -0.3?"""
    falling = np.array([0.9, 0.6, -0.3])
    each = (np.cumsum(falling) - 1) / np.arange(1, 4)  # t, if the first 1, 2 or 3 stay above 0
    t = each[falling > each][-1]
    return np.maximum(falling - t, 0)


nearest_shares.mistake(
    [0.9 - 0.2 / 3, 0.6 - 0.2 / 3, 0],
    means="You brought the sum to 1, then cut at 0. The cut raised the sum again, above 1.",
)
nearest_shares.mistake(
    [0.9 - 0.5 / 3, 0.6 - 0.5 / 3, -0.5 / 3],
    means="You cut at 0, then brought the sum to 1. Now one of them is negative again.",
)
nearest_shares.mistake(
    [0.6, 0.4, 0],
    means="You cut, then divided by the sum. It is allowed, but not nearest: subtract the same "
    "number instead.",
)
nearest_shares.mistake(
    [0.75, 0.5, -0.25], means="You divided by the sum. One of them is negative, which is forbidden."
)
nearest_shares.mistake(
    [0.9 - 0.2 / 3, 0.6 - 0.2 / 3, -0.3 - 0.2 / 3],
    means="You kept one rule only, the sum. One of them is negative.",
)
nearest_shares.mistake(
    [0.9, 0.6, 0], means="You kept one rule only. The sum of these is 1.5, not 1."
)
nearest_shares.mistake([1, 0, 0], means="It is allowed, but far away: the second was 0.6.")

# --- 4 -------------------------------------------------------------------------------------------

_KINDS = ["inequality", "equality", "inequality", "equality", "integer"]


@exercise(
    hints=[
        "Does the rule bound something, or does it fix something to one value?",
        "Draw each for two weights. An area: inequality. A line: equality. Dots: integers.",
    ],
    why="Area, circle, disc, line, dots. Only on dots does every small step end where it began.",
)
def kinds():
    """Of which kind are `NonNeg()`, `UnitNorm()`, `MaxNorm(2)`, a fixed sum and `np.round`?"""
    return ["inequality", "equality", "inequality", "equality", "integer"]


def _with(place, kind):
    return [*_KINDS[:place], kind, *_KINDS[place + 1 :]]


kinds.mistake(
    _with(1, "inequality"),
    means="`UnitNorm()` also lengthens what is short. It fixes the norm to 1: an equality.",
)
kinds.mistake(
    _with(2, "equality"),
    means="`MaxNorm(2)` leaves shorter vectors alone. It bounds the norm: an inequality.",
)
kinds.mistake(
    _with(3, "inequality"),
    means="A fixed sum is one value, neither more nor less: an equality.",
)
kinds.mistake(
    _with(4, "equality"),
    means="`np.round` leaves many values, all whole numbers: an integer constraint.",
)
kinds.mistake(
    ["equality", "inequality", "equality", "inequality", "integer"],
    means="You have equality and inequality the wrong way round.",
)
