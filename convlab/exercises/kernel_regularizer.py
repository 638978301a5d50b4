# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on kernel_regularizer."""

import numpy as np

from convlab.exercises import exercise
from convlab.optimizers import Adam
from convlab.regularizers import L2
from convlab.variables import Variable

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Square each weight. The sign goes, the zero adds nothing.",
        "Add the squares and multiply by the strength. There is no 1/2 in Keras, and no mean.",
    ],
    why="A textbook's 1/2 would give half of that: halve its strength when you copy it to Keras.",
)
def l2_penalty():
    """The weights are 1, -2, 0 and 2. How much does `L2(0.1)` add to the loss?"""
    return 0.1 * (1**2 + (-2) ** 2 + 0**2 + 2**2)


l2_penalty.mistake(
    0.45, means="You put a factor of 1/2 in front, as many textbooks do. Keras has none."
)
l2_penalty.mistake(
    0.3, means="You took the norm, the root of the sum of squares. The penalty has no root."
)
l2_penalty.mistake(
    0.225,
    means="You took the mean of the squares. The penalty is their sum: more weights pay more.",
)
l2_penalty.mistake(0.5, means="You added absolute values. That is L1.")
l2_penalty.mistake(0.1, means="You kept the minus sign of the -2. Its square is positive.")
l2_penalty.mistake(9, means="That is the sum of squares. The strength is still missing.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (a, l1, l2)
        for a in (1.0, -2.0, 0.3, -0.3, 0.05, 0.0)
        for l1 in (0.0, 0.1, 0.5)
        for l2 in (0.0, 0.1, 1.5)
    ],
    hints=[
        "Take a positive `w`. The slope of the whole is `w - a + l1 + 2 * l2 * w`: where is it 0?",
        "What if that place is negative although `a` is positive? Then the lowest point is at 0.",
        "First the soft threshold of `a` by `l1`, then divide by `1 + 2 * l2`.",
    ],
    why="L1 decides whether a weight stays, L2 how large it is: the elastic net.",
)
def best_weight(a, l1, l2):
    """Write `best_weight(a, l1, l2)`: it minimizes (w - a)**2 / 2 + l1 * |w| + l2 * w**2."""
    kept = np.sign(a) * max(abs(a) - l1, 0)
    return kept / (1 + 2 * l2)


@best_weight.mistake(means="You divided and forgot L1: its slope is `l1` for any positive weight.")
def _l2_alone(a, l1, l2):
    return a / (1 + 2 * l2)


@best_weight.mistake(means="You subtracted and forgot L2: its slope grows with the weight.")
def _l1_alone(a, l1, l2):
    return np.sign(a) * max(abs(a) - l1, 0)


@best_weight.mistake(means="You divided first. Set the slope to 0: `l1` is taken from `a` itself.")
def _divided_first(a, l1, l2):
    shrunk = a / (1 + 2 * l2)
    return np.sign(a) * max(abs(shrunk) - l1, 0)


@best_weight.mistake(means="The factor of 2 is missing: the slope of l2 * w**2 is 2 * l2 * w.")
def _without_two(a, l1, l2):
    return np.sign(a) * max(abs(a) - l1, 0) / (1 + l2)


@best_weight.mistake(
    means="You subtracted `l1` from negative weights too. That takes them away from zero."
)
def _only_for_positive(a, l1, l2):
    return (a - l1) / (1 + 2 * l2)


@best_weight.mistake(
    means="You cut negative weights to 0. They shrink towards 0, and keep their sign."
)
def _negative_is_cut(a, l1, l2):
    return max(a - l1, 0) / (1 + 2 * l2)


@best_weight.mistake(
    means="A weight worth less than `l1` came out on the other side of zero. It stops at 0."
)
def _through_zero(a, l1, l2):
    return (a - l1 * np.sign(a)) / (1 + 2 * l2)


@best_weight.mistake(
    means="You left the large weights their full size. L1 takes `l1` from every one of them."
)
def _hard_threshold(a, l1, l2):
    return (a if abs(a) > l1 else 0.0) / (1 + 2 * l2)


@best_weight.mistake(means="The size is right, the sign of a negative `a` is lost.")
def _sign_lost(a, l1, l2):
    return max(abs(a) - l1, 0) / (1 + 2 * l2)


# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Compare one step without data. With L2 the gradient is `2 * strength * w`.",
        "A decay of d takes `learning_rate * d * w` away. The learning rate is in both.",
    ],
    why="PyTorch adds the decay to the gradient, so this holds with momentum too. Make a group "
    "without biases: its `weight_decay` takes all parameters.",
)
def weight_decay():
    """Plain SGD, rate 0.01, `L2(0.0002)`: which `weight_decay` is the same in PyTorch's SGD?"""
    return 2 * 0.0002


weight_decay.mistake(
    2e-4, means="You took the strength as it is. The derivative of a square brings a factor of 2."
)
weight_decay.mistake(1e-4, means="The factor of 2 is right, its direction is not.")
weight_decay.mistake(
    4e-6,
    means="You multiplied by the learning rate. PyTorch does that itself, as it does with any "
    "gradient.",
)
weight_decay.mistake(
    2e-6,
    means="You multiplied by the learning rate, which PyTorch does itself, and the square's factor "
    "of 2 is missing.",
)
weight_decay.mistake(
    0.04, means="You divided by the learning rate. It is the same in both, so it cancels."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Adam divides the gradient by its usual size. In the first step that is its own size.",
        "A gradient divided by its own size is 1 or -1, whatever the strength.",
    ],
    tolerance=2e-4,
    why="L2(0.0001) would have given nearly the same: in Adam's first step the strength cancels.",
)
def adam_step():
    """Weight 2, data gradient 0, `L2(1.0)`: the weight after the first step of `Adam(0.001)`?"""
    weight = Variable(np.array(2.0))
    Adam(0.001).apply([L2(1.0).gradient(weight.numpy())], [weight])
    return float(weight.numpy())


adam_step.mistake(
    1.996, means="That is the step of SGD, 0.001 * 2 * 2. Adam divides the gradient by its size."
)
adam_step.mistake(
    2, means="The data give no gradient, but the penalty does, and Adam takes it for one."
)
adam_step.mistake(0, means="The penalty is as small as can be at 0, but one step is only a step.")
adam_step.mistake(2.001, means="The step is right, its direction is not: a penalty pulls to zero.")
adam_step.mistake(
    1.998,
    means="You left out the factor of 2 and made a step of SGD. Adam divides the gradient by its "
    "size.",
)

# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Add absolute values: 3 + 4, and 0 + 5. L1 prefers the smaller sum.",
        "Add squares: 9 + 16, and 0 + 25.",
    ],
    why="L1 looks along the axes: one large weight is cheaper than two middling ones of the same "
    "length. L2 sees the length alone.",
)
def sparse_or_spread():
    """A = [3, 4], B = [0, 5]: which does L1 prefer, and which L2? "A", "B" or "same" for each."""
    return "B", "same"


sparse_or_spread.mistake(
    ("B", "A"),
    means="Right for L1. For L2 add the squares and compare them.",
)
sparse_or_spread.mistake(
    ("A", "same"), means="Right for L2. For L1 the smaller sum of absolute values is preferred."
)
sparse_or_spread.mistake(
    ("B", "B"), means="Right for L1. L2 has no liking for zeros: add the squares and compare them."
)
sparse_or_spread.mistake(
    ("same", "B"), means="You swapped them: it is L2 that sees only the length of the vector."
)
sparse_or_spread.mistake(
    ("A", "B"),
    means="You compared the largest weight, or swapped the penalties. Add absolute values for L1 "
    "and squares for L2.",
)
sparse_or_spread.mistake(
    ("A", "A"),
    means="You took the kernel of middling weights for both. Add absolute values for L1 and "
    "squares for L2.",
)
sparse_or_spread.mistake(
    ("same", "A"),
    means="L2 does spread, but only where that makes the sum of squares smaller. And 3 + 4 is not "
    "0 + 5: L1 does care.",
)
sparse_or_spread.mistake(
    ("same", "same"), means="Right for L2. But 3 + 4 is not 0 + 5: L1 does care."
)
