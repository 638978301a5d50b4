# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on bias_regularizer."""

import numpy as np

from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "For a positive bias, the slope of 0.5 * abs(b) is 0.5, whatever the size of the bias.",
        "The slopes are `b - 2` and 0.5. Where is their sum 0?",
    ],
    why="L1 takes a fixed amount away, L2 divides. With `L2(0.5)` the best bias would be 1.",
)
def best_bias():
    """The data charge (b - 2)**2 / 2, the layer has `L1(0.5)`: which bias is best?"""
    return 2 - 0.5


best_bias.mistake(1, means="You computed it for `L2(0.5)`. L1 pulls with the same force anywhere.")
best_bias.mistake(
    4 / 3, means="You computed it for L2 with a factor of 1/2. Here it is L1: its slope is 0.5."
)
best_bias.mistake(2, means="That is what the data want. The penalty moves it towards 0.")
best_bias.mistake(0, means="The penalty alone is smallest at 0, but the data pull with 2 there.")
best_bias.mistake(2.5, means="The amount is right, the direction is not: the pull is to zero.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "What are the biases after the division? The penalty sees nothing else.",
        "Eight biases of 0.5: square each, add, multiply by 0.01.",
    ],
    why="The network still answers the same, and pays a sixteenth: ReLU lets the factor through.",
)
def dodged_penalty():
    """Eight biases of 2, divided by 4: what does `L2(0.01)` charge for them?"""
    return 0.01 * 8 * (2 / 4) ** 2


dodged_penalty.mistake(
    0.32, means="That is the penalty before. The answers stay as they were, the biases do not."
)
dodged_penalty.mistake(
    0.08, means="You divided the penalty by 4. It goes with the square of the biases."
)
dodged_penalty.mistake(0.04, means="You added the biases themselves. That is L1; L2 adds squares.")
dodged_penalty.mistake(
    5.12, means="You multiplied the biases by 4. It is the next kernel that grows."
)
dodged_penalty.mistake(
    0.0025, means="That is the penalty of a single bias, or a mean. L2 adds up all eight."
)
dodged_penalty.mistake(
    0.01, means="You put a factor of 1/2 in front, as many textbooks do. Keras has none."
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The order is activity, kernel, bias.",
        "Every output is 1 * 1 + 2 = 3. How many are there in two images? Divide by the images.",
        "The kernel pays 0.1 * 1, the bias 0.1 * 2 squared.",
    ],
    why="Only the first entry depends on what the layer was called with.",
)
def losses():
    """Weight 1, bias 2, L1(0.1), L2(0.1), activity L1(0.01), two 3x3 images of ones: losses?"""
    outputs = np.full((2, 3, 3, 1), 1.0 * 1 + 2)
    return [0.01 * np.abs(outputs).sum() / 2, 0.1 * abs(1), 0.1 * 2**2]


losses.mistake(
    [0.1, 0.4, 0.27], means="The numbers are right, their order is not: the activity comes first."
)
losses.mistake(
    [0.54, 0.1, 0.4], means="The penalty on the output is divided by the number of images."
)
losses.mistake(
    [0.03, 0.1, 0.4],
    means="You took the mean over all outputs. Only the number of images divides the sum.",
)
losses.mistake([0.09, 0.1, 0.4], means="You forgot the bias: every output is 3, and no 1.")
losses.mistake(
    [0.27, 0.4, 0.1], means="Kernel and bias are swapped: the kernel comes before the bias."
)
losses.mistake(
    [0.27, 0.1, 0.2], means="You took absolute values for the bias. Its penalty is L2: squares."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (integers(size, seed=size).astype(float), target, strength)
        for size in (1, 3, 5)
        for target in (1.0, 0.0, -2.0)
        for strength in (0.5, 0.01, 3.0)
    ],
    hints=[
        "Derive one term: what is the slope of (b - target)**2?",
        "It is 2 * (b - target), times the strength. Each bias has its own: add nothing up.",
    ],
    why="With a target of 0 this is L2. The target is what you believe before you see data.",
)
def pull(biases, target, strength):
    """Write `pull(biases, target, strength)`: the gradient of strength * sum((b - target)**2)."""
    return 2 * strength * (biases - target)


@pull.mistake(means="The factor of 2 is missing: the derivative of a square.")
def _without_two(biases, target, strength):
    return strength * (biases - target)


@pull.mistake(means="Your pull goes to 0. It must vanish where a bias is at its target.")
def _to_zero(biases, target, strength):
    return 2 * strength * biases


@pull.mistake(
    means="Your gradient has the other sign: it points to the target. A step goes against the "
    "gradient, so this one would flee from the target."
)
def _away(biases, target, strength):
    return 2 * strength * (target - biases)


@pull.mistake(means="You divided by the number of biases. The penalty is a sum, not a mean.")
def _mean(biases, target, strength):
    return 2 * strength * (biases - target) / len(biases)


@pull.mistake(means="You added up. Every bias has its own slope: return an array.")
def _summed(biases, target, strength):
    return 2 * strength * np.sum(biases - target)


@pull.mistake(means="That is the gradient of absolute values, L1. Here the distances are squared.")
def _absolute(biases, target, strength):
    return strength * np.sign(biases - target)


@pull.mistake(means="You subtracted the target from the gradient of L2. Derive (b - target)**2.")
def _target_last(biases, target, strength):
    return 2 * strength * biases - target
