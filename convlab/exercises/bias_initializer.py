# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on bias_initializer."""

import math

import numpy as np

from convlab import initializers
from convlab.exercises import exercise

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The sigmoid of 0 is one half. For less, the bias must be below 0.",
        "Turn the sigmoid around: the logarithm of p over 1 - p.",
    ],
    why="1 to 99 are the odds, and the bias is their logarithm.",
    tolerance=1e-3,
)
def log_odds():
    """With which bias does a sigmoid begin by saying 0.01?"""
    p = 0.01
    return math.log(p / (1 - p))


log_odds.mistake(
    math.log(0.01), means="That is ln p, which a softmax wants. A sigmoid wants ln(p / (1 - p))."
)
log_odds.mistake(
    math.log(99), means="The sign is wrong: this sigmoid says that 99 of 100 are positive."
)
log_odds.mistake(
    math.log10(0.01 / 0.99), means="You took the logarithm to base 10. The sigmoid has e in it."
)
log_odds.mistake(0.01, means="That is what the sigmoid should say, not what it is given.")
log_odds.mistake(
    1 / (1 + math.exp(-0.01)), means="You applied the sigmoid. It has to be turned around."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        np.array([0.7, 0.2, 0.1]),
        np.array([0.5, 0.5]),
        np.array([0.01, 0.99]),
        np.array([0.05, 0.15, 0.3, 0.5]),
    ],
    hints=[
        "An image of class k costs -ln of what the softmax says for k. It says the share of k.",
        "Class k comes with its share, and costs -ln of its share. Take the mean over the classes.",
    ],
    why="This is the entropy of the labels: without looking, nobody can do better.",
)
def first_loss(shares):
    """Write `first_loss(shares)`: the loss of a softmax that begins at the classes' shares."""
    return -np.sum(shares * np.log(shares))


@first_loss.mistake(means="That is the loss of a softmax that begins with b = 0: all shares equal.")
def _uniform(shares):
    return math.log(len(shares))


@first_loss.mistake(means="You count the commonest class only. The others come too, and cost more.")
def _top_only(shares):
    return -math.log(max(shares))


@first_loss.mistake(means="You give every class the same weight. A class counts by its share.")
def _plain_mean(shares):
    return -np.mean(np.log(shares))


@first_loss.mistake(means="You summed the costs of the classes, whatever their shares.")
def _plain_sum(shares):
    return -np.sum(np.log(shares))


@first_loss.mistake(means="Keras takes the natural logarithm; yours has base 2.")
def _bits(shares):
    return -np.sum(shares * np.log2(shares))


@first_loss.mistake(means="The sign: logarithms of shares are below 0, and a loss is not.")
def _negative(shares):
    return np.sum(shares * np.log(shares))


# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "`None` is not zeros. Which rule does Keras fall back on?",
        "Glorot's limit is `sqrt(6 / (fan_in + fan_out))`. What are the fans of a bias of 16?",
        "A weight of one axis has its length for both fans.",
    ],
    why="The kernel's fans do not enter: the initializer sees the shape (16,) and nothing else.",
    tolerance=1e-3,
)
def none_limit():
    """Between which limits do 16 biases begin with `bias_initializer=None`?"""
    fan_in, fan_out = initializers.fans((16,))
    return math.sqrt(6 / (fan_in + fan_out))


none_limit.mistake(
    0, means="You believe the documentation. With `None`, the bias is `glorot_uniform`."
)
none_limit.mistake(6 / 32, means="You forgot the root.")
none_limit.mistake(math.sqrt(6 / 16), means="You took one fan. Glorot adds both, and both are 16.")
none_limit.mistake(
    math.sqrt(6 / 8), means="That is the limit of 4 biases, as in the text. Here there are 16."
)
none_limit.mistake(
    math.sqrt(6 / (72 + 144)), means="Those are the kernel's fans. The bias has its own shape, 16."
)
none_limit.mistake(
    math.sqrt(6 / (72 + 16)),
    means="The kernel does not enter: both fans come from the shape (16,).",
)

# --- 4 -------------------------------------------------------------------------------------------


def _filters():
    """Kernels of either sign, for pixels from 0, around 0, and far from 0."""
    kernels = (
        np.array([[0.5]]),
        np.array([[2.0, -1.0], [1.0, 0.5]]),
        np.array([[-1.0, -3.0, 2.0], [0.0, 1.0, -2.0]]),
    )
    return [(k, low, high) for k in kernels for low, high in ((0, 1), (-1, 1), (0, 255), (2, 3))]


@exercise(
    cases=_filters,
    hints=[
        "Which image pleases the filter most? Look at each weight's sign.",
        "`high` where the weight is positive, `low` where it is negative. What is the response?",
        "At the largest response r, a bias of -r brings it to 0, and a ReLU of 0 is 0.",
    ],
    why="From 0 to 1 the black pixels drop out, and the sum of the positive weights remains.",
)
def dead_below(kernel, low, high):
    """Write `dead_below(kernel, low, high)`: the largest bias that silences the filter for good."""
    best = np.where(kernel > 0, high, low)
    return -np.sum(kernel * best)


@dead_below.mistake(
    means="You answer with the largest response. The bias that cancels it is minus that."
)
def _sign(kernel, low, high):
    return -dead_below.solution(kernel, low, high)


@dead_below.mistake(
    means="You put `high` everywhere. Where a weight is negative, a dark pixel pleases it more."
)
def _all_high(kernel, low, high):
    return -np.sum(kernel) * high


@dead_below.mistake(means="You took the largest weight alone. The best image feeds all of them.")
def _largest(kernel, low, high):
    return -np.max(kernel) * high


@dead_below.mistake(means="You count negative weights as if a pixel could turn their sign.")
def _absolute(kernel, low, high):
    return -np.sum(np.abs(kernel)) * high


@dead_below.mistake(
    means="You leave out the negative weights: right only if the darkest pixel is 0."
)
def _positive_only(kernel, low, high):
    return -np.sum(np.maximum(kernel, 0)) * high


@dead_below.mistake(
    means="That is the image that pleases the filter least. Dead means: no image wakes it."
)
def _worst(kernel, low, high):
    return -np.sum(kernel * np.where(kernel > 0, low, high))


@dead_below.mistake(
    means="You gave the sum of the positive weights: right for pixels from 0 to 1, and only there."
)
def _unit_range(kernel, low, high):
    return -np.sum(np.maximum(kernel, 0))
