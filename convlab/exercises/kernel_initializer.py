# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on kernel_initializer."""

import math

import numpy as np

from convlab import initializers
from convlab.exercises import exercise

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many products are summed into one output? Three of the four numbers count.",
        "Fan-in is 5 * 5 * 16. The variance is 2 / fan-in, and you are asked for its root.",
    ],
    why="The 32 filters do not matter: each output is a sum over one filter's weights.",
    tolerance=5e-5,
)
def he_std():
    """What is the standard deviation of `he_normal` for a kernel of shape (5, 5, 16, 32)?"""
    fan_in = 5 * 5 * 16
    return math.sqrt(2 / fan_in)


he_std.mistake(
    0.05,
    means="That is 2 over fan-out, or LeCun's 1 over fan-in. He takes 2 over fan-in, under a root.",
)
he_std.mistake(
    math.sqrt(2 / 16),
    means="You forgot the area of the kernel: each channel is read at 25 places.",
)
he_std.mistake(0.005, means="That is the variance. The standard deviation is its root.")
he_std.mistake(
    math.sqrt(2 / 400) / 0.8796256610342398,
    means="That is the bell before it is cut. What is left after the cut is narrower.",
)
he_std.mistake(
    math.sqrt(6 / 400),
    means="That is the limit of `he_uniform`. The standard deviation is smaller, by `sqrt(3)`.",
)
he_std.mistake(
    math.sqrt(2 / (400 * 32)),
    means="You counted the weights of all filters. One output is a sum over one filter's.",
)
he_std.mistake(
    math.sqrt(2 / (400 + 800)),
    means="That is Glorot's rule, which takes fan-in and fan-out together.",
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "With as many filters as channels, Glorot's variance is 1 / fan-in. What does a ReLU take?",
        "Each layer halves the mean square. After ten layers, take the root of what is left.",
    ],
    why="The square falls by a half in each layer, the signal by the root of a half: 0.5 ** 5.",
    tolerance=1.5e-3,
)
def signal_left():
    """By what factor does a signal change in ten ReLU layers with `glorot_uniform`?"""
    gain = 1 / 2  # of the mean square: fan_in * variance is 1, and the ReLU halves it
    return math.sqrt(gain**10)


signal_left.mistake(
    0.5**10, means="That is the factor on the mean square. The signal changes by its root."
)
signal_left.mistake(1, means="You left out the ReLU, which takes half of the square in each layer.")
signal_left.mistake(
    0.5, means="That is one layer's factor, on the square. The ten factors multiply."
)
signal_left.mistake(
    math.sqrt(0.5), means="That is the factor of one layer. There are ten, and they multiply."
)
signal_left.mistake(32, means="Upside down: the signal shrinks. Its factor is below 1.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The kernel has the shape (3, 3, 1, 64). Fan-in is 9. What does Keras take for fan-out?",
        "Keras counts all filters: 9 * 64. The limit is `sqrt(6 / (fan_in + fan_out))`.",
    ],
    why="Each channel feeds one filter, so 0.58 would be Glorot's own limit: 5.7 times as much.",
    tolerance=5e-5,
)
def depthwise_limit():
    """What is the limit of `glorot_uniform` for 64 channels and filters in 64 groups, 3x3?"""
    fan_in, fan_out = initializers.fans((3, 3, 1, 64))
    return math.sqrt(6 / (fan_in + fan_out))


depthwise_limit.mistake(
    math.sqrt(6 / 18),
    means="You took the true fan-out, 9. Keras sees the kernel's shape only, with all 64 filters.",
)
depthwise_limit.mistake(
    math.sqrt(6 / (576 + 576)),
    means="You left out the groups: each filter reads one channel, so fan-in is 9.",
)
depthwise_limit.mistake(
    6 / 585, means="You forgot the root: the limit is the root of 6 over both fans."
)
depthwise_limit.mistake(
    math.sqrt(2 / 585), means="That is the standard deviation. The limit is larger, by `sqrt(3)`."
)
depthwise_limit.mistake(
    math.sqrt(6 / 9), means="That is `he_uniform`, which takes fan-in alone. Glorot takes both."
)

# --- 4 -------------------------------------------------------------------------------------------


def _layers():
    """Kernels as Keras stores them, their variance, their groups and activations."""
    return [
        (shape, variance, groups, activation)
        for shape, groups in (
            ((1, 1, 4, 4), 1),
            ((3, 3, 4, 8), 1),
            ((3, 3, 2, 8), 2),
            ((5, 3, 1, 6), 6),
        )
        for variance in (0.5, 0.02)
        for activation in ("relu", None)
    ]


@exercise(
    cases=_layers,
    hints=[
        "How many products go into one output? Read it from the kernel's shape.",
        "The third number of the shape is already the input channels of *one* group.",
        "Fan-in times variance; and a ReLU leaves half of it.",
    ],
    why="The groups are in the shape already, which is why Keras's fan-in is right for them.",
)
def gain(shape, variance, groups, activation):
    """Write `gain(shape, variance, groups, activation)`: the factor on the mean square."""
    fan_in = shape[0] * shape[1] * shape[2]
    return fan_in * variance * (0.5 if activation == "relu" else 1)


@gain.mistake(
    means="You divide by the groups again. Keras's kernel has the channels of one group already."
)
def _divided_by_groups(shape, variance, groups, activation):
    return gain.solution(shape, variance, groups, activation) / groups


@gain.mistake(means="You multiply by the groups. A filter reads the channels of its own group.")
def _all_channels(shape, variance, groups, activation):
    return gain.solution(shape, variance, groups, activation) * groups


@gain.mistake(means="You counted filters, the last number. An output sums over input channels.")
def _fan_out(shape, variance, groups, activation):
    return gain.solution((*shape[:2], shape[3]), variance, groups, activation)


@gain.mistake(means="You forgot that a ReLU leaves half of the square.")
def _no_relu(shape, variance, groups, activation):
    return gain.solution(shape, variance, groups, None)


@gain.mistake(means="You halve without a ReLU, too.")
def _always_half(shape, variance, groups, activation):
    return gain.solution(shape, variance, groups, "relu")


@gain.mistake(means="You forgot the kernel's area: each channel is read at several places.")
def _no_area(shape, variance, groups, activation):
    return gain.solution((1, 1, shape[2]), variance, groups, activation)


@gain.mistake(means="That is the factor on the signal. The mean square changes by its square.")
def _root(shape, variance, groups, activation):
    return math.sqrt(gain.solution(shape, variance, groups, activation))


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    cases=[((5, 5, 64, 96),), ((3, 3, 96, 64),)],
    hints=[
        "PyTorch draws evenly between two limits, 1 / sqrt(fan-in) to either side.",
        "A uniform distribution to a limit has the variance `limit ** 2 / 3`. Which `scale` is it?",
        "The scale is the variance times fan-in, and the mode says which fan.",
    ],
    why="A sixth of He's variance: ten ReLU layers leave a hundredth of a hundredth of the signal.",
)
def like_pytorch():
    """With which `VarianceScaling(scale, mode, distribution)` does a kernel begin as in PyTorch?"""
    return 1 / 3, "fan_in", "uniform"


@like_pytorch.measure
def _statistics(arguments, shape):
    values = initializers.VarianceScaling(*arguments, seed=0)(shape, dtype="float64")
    fan_in = math.prod(shape[:3])
    return {
        "variance * fan-in": round(float(values.var()) * fan_in, 2),
        "largest * sqrt(fan-in)": round(float(np.abs(values).max()) * math.sqrt(fan_in), 2),
    }


@like_pytorch.judge
def _one_third(measured, shape):
    if abs(measured["variance * fan-in"] - 1 / 3) > 0.02:
        return "The variance times fan-in should be a third."
    if abs(measured["largest * sqrt(fan-in)"] - 1) > 0.02:
        return "The variance is right. But the largest weight should be 1 over the root of fan-in."
    return None


like_pytorch.mistake(
    (2, "fan_in", "uniform"),
    means="You gave He's rule, as the name in PyTorch suggests. PyTorch's odd `a` divides the "
    "variance by six.",
)
like_pytorch.mistake(
    (1 / 6, "fan_in", "uniform"),
    means="A sixth is what is left of He's variance, and He's scale is 2.",
)
like_pytorch.mistake(
    (1, "fan_in", "uniform"),
    means="That is LeCun's rule: its limit is `sqrt(3 / fan_in)`. PyTorch's has no 3.",
)
like_pytorch.mistake(
    (1, "fan_avg", "uniform"),
    means="That is Keras's own default. PyTorch takes fan-in alone, and a smaller scale.",
)
like_pytorch.mistake(
    (1 / 3, "fan_in", "truncated_normal"),
    means="The variance is right. But PyTorch draws evenly between limits, not from a bell.",
)
like_pytorch.mistake(
    (1 / 3, "fan_in", "untruncated_normal"),
    means="The variance is right. But PyTorch draws evenly between limits; your bell has none.",
)
like_pytorch.mistake(
    (1 / 3, "fan_out", "uniform"),
    means="You took fan-out. PyTorch's default looks at what comes in.",
)
