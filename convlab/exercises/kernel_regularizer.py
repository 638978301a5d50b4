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
    """The weights are 3, -4 and 0. How much does `L2(0.01)` add to the loss?"""
    return 0.01 * (3**2 + (-4) ** 2 + 0**2)


l2_penalty.mistake(
    0.125, means="You put a factor of 1/2 in front, as many textbooks do. Keras has none."
)
l2_penalty.mistake(
    0.05, means="You took the norm, the root of the sum of squares. The penalty has no root."
)
l2_penalty.mistake(
    0.25 / 3,
    means="You took the mean of the squares. The penalty is their sum: more weights pay more.",
)
l2_penalty.mistake(0.07, means="You added absolute values. That is L1.")
l2_penalty.mistake(-0.07, means="You squared the 4 and kept its minus sign. A square is positive.")
l2_penalty.mistake(25, means="That is the sum of squares. The strength is still missing.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (a, strength)
        for a in (0.0, 0.3, -0.3, 1.0, -2.0, 0.05, -0.05)
        for strength in (0.0, 0.1, 0.5, 3.0)
    ],
    hints=[
        "Try `a = 1` and a strength of 0.1. For a positive `w` the slope of the sum is "
        "`w - a + strength`: where is it 0?",
        "Now `a = 0.05`. The slope is positive for every positive `w`, and negative for every "
        "negative one. So the lowest point lies between them.",
        "Take the strength away from `abs(a)`, never go below 0, and give the sign back.",
    ],
    why="Whatever is worth less than the strength becomes exactly 0: that is how L1 selects.",
)
def soft_threshold(a, strength):
    """Write `soft_threshold(a, strength)`: the w that minimizes (w - a)**2 / 2 + strength * |w|."""
    return np.sign(a) * max(abs(a) - strength, 0)


@soft_threshold.mistake(means="You divided, as L2 does. L1 pulls with a constant force: subtract.")
def _as_for_l2(a, strength):
    return a / (1 + 2 * strength)


@soft_threshold.mistake(
    means="You multiplied by 1 - strength. L1 pulls a large and a small weight with the same "
    "force: subtract."
)
def _multiplied(a, strength):
    return a * (1 - strength)


@soft_threshold.mistake(means="You returned `a`: that is the best weight without a penalty.")
def _no_penalty(a, strength):
    return a


@soft_threshold.mistake(
    means="You subtracted the strength from negative weights too. That takes them away from zero."
)
def _only_for_positive(a, strength):
    return a - strength


@soft_threshold.mistake(
    means="You cut negative weights to 0. They shrink towards 0, and keep their sign."
)
def _negative_is_cut(a, strength):
    return max(a - strength, 0)


@soft_threshold.mistake(
    means="A weight worth less than the strength came out on the other side of zero. It stops at 0."
)
def _through_zero(a, strength):
    return a - strength * np.sign(a)


@soft_threshold.mistake(
    means="You kept the large weights as they are. L1 takes the strength from every one of them: "
    "yours is the hard threshold."
)
def _hard_threshold(a, strength):
    return a if abs(a) > strength else 0.0


@soft_threshold.mistake(means="The size is right, the sign of a negative `a` is lost.")
def _sign_lost(a, strength):
    return max(abs(a) - strength, 0)


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
    ("same", "same"), means="Right for L2. But 3 + 4 is not 0 + 5: L1 does care."
)
