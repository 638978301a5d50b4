# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on the functional API."""

import numpy as np

from convlab import Model, layers
from convlab.exercises import exercise
from convlab.graph import SymbolicTensor

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Begin with one branch. Each weight meets four pixels, one for each window.",
        "The first weight meets 0, 1, 3, 4. In the second branch every weight meets four twos.",
        "One kernel acts in both places, so both gradients count. Add them.",
    ],
    why="A change of the shared kernel changes both branches, and the loss feels both.",
)
def shared_gradient():
    """The gradient of a 2x2 kernel, shared by the pixels 0..8 and by nine twos (g = 1)?"""
    pixels, twos = np.arange(9).reshape(3, 3), np.full((3, 3), 2)
    places = [(slice(u, u + 2), slice(v, v + 2)) for u in (0, 1) for v in (0, 1)]
    return [int(pixels[place].sum() + twos[place].sum()) for place in places]


shared_gradient.mistake(
    [8, 12, 20, 24], means="That is the first place alone. The kernel acts in the second, too."
)
shared_gradient.mistake(
    [8, 8, 8, 8], means="That is the second place alone. It does not overwrite the first."
)
shared_gradient.mistake(
    [8, 10, 14, 16], means="You took the mean of the two places. The loss feels both in full."
)
shared_gradient.mistake(
    [0, 4, 12, 16], means="You subtracted the second place. The loss is the sum of all outputs."
)
shared_gradient.mistake(
    [12, 16, 24, 28], means="Those are the numbers of the text, where the second image is all ones."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many layers with weights did you make? Not: how many did you place?",
        "One filter has 3 * 3 weights for the one grey channel, and a bias. There are 8.",
    ],
    why="A layer has its weights once, however many places it has in the graph.",
)
def siamese():
    """Parameters of a model with one shared `Conv2D(8, 3)` on two grey images?"""
    return 8 * (3 * 3 * 1 + 1)


siamese.mistake(160, means="You counted the layer once for each place. It is one layer.")
siamese.mistake(72, means="You left out the biases, one for each filter.")
siamese.mistake(
    152, means="You stacked the images as two channels. Each passes through the layer alone."
)
siamese.mistake(144, means="You counted each place, and left out the biases.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "What does NumPy do with shapes (8, 8, 16) and (8, 8, 1) when you add them?",
        "A size of 1 is stretched to the other size. Which channels get the map then?",
    ],
    why="It runs, it trains, and it is not a residual block: 16 channels share one correction.",
)
def broadcast():
    """`Add()` of 16 channels and one map: is it (a), (b), (c) or (d)?"""
    return "c"


broadcast.mistake(
    "a", means="The shapes need not agree: a size of 1 goes with any size. The block has one map."
)
broadcast.mistake("b", means="It would be one with two filters. A size of 1 is let through.")
broadcast.mistake("d", means="A size of 1 is stretched over all channels, not filled with zeros.")

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[(1, 2, 1), (4, 8, 2), (3, 6, 4)],
    hints=[
        "Begin with `inputs = layers.Input((8, 8, channels))` and end with "
        "`return Model(inputs, outputs)`.",
        "Both convolutions are placed on `inputs`, with the same filters and the same strides.",
        "The shortcut: `layers.Conv2D(filters, 1, strides=strides)(inputs)`. Then "
        "`layers.Add()([shortcut, branch])`.",
    ],
    why="A 1x1 kernel with the same strides has as many places as `same` promises.",
)
def shrinking(channels, filters, strides):
    """Write `shrinking(channels, filters, strides)`: a residual block with a 1x1 shortcut."""
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides, padding="same")(inputs)
    shortcut = layers.Conv2D(filters, 1, strides=strides)(inputs)
    return Model(inputs, layers.Add()([shortcut, branch]))


@shrinking.measure
def _graph(answer, channels, filters, strides):
    model = answer(channels, filters, strides)
    if not isinstance(model, Model):
        return "a tensor, no Model" if isinstance(model, SymbolicTensor) else model
    convolutions = [one for one in model.layers if isinstance(one, layers.Conv2D)]
    return {
        "shapes": f"{model.input_shape} to {model.output_shape}",
        "kernels": ", ".join(sorted(f"{one.kernel.shape}" for one in convolutions)),
        "joints": ", ".join(type(one).__name__ for one in model.layers if _joins(one)),
        "parameters": model.count_params(),
        "on ones": _sum_on(1.0, model),
        "on minus ones": _sum_on(-1.0, model),
    }


def _joins(layer):
    return isinstance(layer, (layers.Add, layers.Subtract, layers.Concatenate, layers.Average))


def _sum_on(pixel, model):
    """The sum of what the block makes of equal pixels, with weights of one.

    Of ones, it tells where each layer sits; of minus ones, whether there is an activation.
    """
    model.set_weights([np.ones(weight.shape) for weight in model.weights])
    return float(np.sum(model(np.full((1, *model.input_shape[1:]), pixel))))


@shrinking.judge
def _is_the_block(measured, channels, filters, strides):
    if not isinstance(measured, dict):
        return "Return the model that `Model(inputs, outputs)` makes."
    wanted = _graph(shrinking.solution, channels, filters, strides)
    if measured["shapes"] != wanted["shapes"]:
        return f"The model must lead from {wanted['shapes']}."
    if measured["joints"] != "Add":
        return "One `Add` joins shortcut and branch."
    if measured["kernels"] != wanted["kernels"]:
        return f"The two kernels must have the shapes {wanted['kernels']}."
    if measured["parameters"] != wanted["parameters"]:
        return f"The block has {wanted['parameters']} parameters: both layers have a bias."
    if measured["on ones"] != wanted["on ones"]:
        return "The layers are right, their places are not: both convolutions see the input."
    if measured["on minus ones"] != wanted["on minus ones"]:
        return "The sums differ where they are negative."
    return None


@shrinking.mistake(
    means="You put the shortcut's layer behind the branch: then nothing jumps, and the sum is that "
    "of two things made by the branch."
)
def _chained(channels, filters, strides):
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides, padding="same")(inputs)
    return Model(inputs, layers.Add()([layers.Conv2D(filters, 1)(branch), branch]))


@shrinking.mistake(
    means="You joined with `Concatenate`, which puts the channels side by side: there are twice "
    "as many."
)
def _concatenated(channels, filters, strides):
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides, padding="same")(inputs)
    shortcut = layers.Conv2D(filters, 1, strides=strides)(inputs)
    return Model(inputs, layers.Concatenate()([shortcut, branch]))


@shrinking.mistake(
    means="Your shortcut has one filter. `Add` stretches its map over all channels, in silence."
)
def _one_filter(channels, filters, strides):
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides, padding="same")(inputs)
    shortcut = layers.Conv2D(1, 1, strides=strides)(inputs)
    return Model(inputs, layers.Add()([shortcut, branch]))


@shrinking.mistake(
    means="You gave the branch an activation, and none was asked for: it could only add, never "
    "take away."
)
def _activated(channels, filters, strides):
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides, padding="same", activation="relu")(inputs)
    return Model(inputs, layers.Add()([layers.Conv2D(filters, 1, strides=strides)(inputs), branch]))


@shrinking.mistake(means="Your shortcut has no strides: the sizes agree only where they are 1.")
def _no_strides(channels, filters, strides):
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides, padding="same")(inputs)
    return Model(inputs, layers.Add()([layers.Conv2D(filters, 1)(inputs), branch]))


@shrinking.mistake(
    means="Your branch pads with `valid`: it has fewer places than the shortcut, except where the "
    "strides are large."
)
def _valid(channels, filters, strides):
    inputs = layers.Input((8, 8, channels))
    branch = layers.Conv2D(filters, 3, strides=strides)(inputs)
    return Model(inputs, layers.Add()([layers.Conv2D(filters, 1, strides=strides)(inputs), branch]))
