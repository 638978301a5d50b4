# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the errata."""

import inspect

from convlab import Model, layers
from convlab.exercises import exercise

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Ask the class: `list(inspect.signature(layers.Conv2D).parameters)`.",
        "`filters` is at place 1. `groups` is at place 7, and the article does not know it.",
    ],
    why="Nobody should have to count so far. After the second argument, names are clearer.",
)
def position():
    """At which place, counted from 1, does `activation` stand?"""
    return list(inspect.signature(layers.Conv2D).parameters).index("activation") + 1


position.mistake(4, means="That is the article's count. At place 4 stands `padding`.")
position.mistake(
    7,
    means="You counted from 0, or without `groups`, which now stands at place 7 itself.",
)
position.mistake(9, means="You counted `self`. The caller does not give it.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The first stride belongs to the rows, the second to the columns.",
        "`same` promises the size divided by the stride, rounded up.",
    ],
    why="The article speaks of the x-axis first. The layer means down first, then right.",
)
def steps():
    """Rows and columns of the map, for 10 x 10 pixels, strides (1, 3) and `same`?"""
    layer = layers.Conv2D(1, 3, strides=(1, 3), padding="same")
    return layer.compute_output_shape((1, 10, 10, 1))[1:3]


steps.mistake((4, 10), means="You stepped 3 down and 1 right. The first stride is the one down.")
steps.mistake((10, 10), means="`same` keeps the size only where the stride is 1.")
steps.mistake((10, 3), means="`same` rounds up: the last step still makes an output.")
steps.mistake(
    (3, 10),
    means="You stepped 3 down and 1 right, and rounded down. The first stride is the one down.",
)
steps.mistake((8, 3), means="Those are the sizes of `valid`.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    cases=[28, 32],
    hints=[
        "A layer is made by the first pair of brackets and called by the second: "
        "`layers.Conv2D(32, 5, activation='relu')(inputs)`.",
        "Five layers stand between `inputs` and the two dense ones: convolution, pooling, "
        "convolution, pooling, flatten. Each takes what the one before returned.",
        "The last line: `return Model(inputs=inputs, outputs=out)`.",
    ],
    why="The brackets say what happens: first make a layer, then place it in the graph.",
)
def mended(side):
    """Write the article's functional listing so that it runs. Return the model."""
    inputs = layers.Input(shape=(side, side, 1))
    conv1 = layers.Conv2D(32, kernel_size=5, activation="relu")(inputs)
    max1 = layers.MaxPooling2D(pool_size=2)(conv1)
    conv2 = layers.Conv2D(64, 5, activation="relu")(max1)
    max2 = layers.MaxPooling2D(pool_size=2)(conv2)
    flat = layers.Flatten()(max2)
    dense = layers.Dense(100, activation="relu")(flat)
    out = layers.Dense(10, activation="softmax")(dense)
    return Model(inputs=inputs, outputs=out)


@mended.measure
def network(answer, side):
    model = answer(side)
    if not isinstance(model, Model):
        return model
    bends = [one.activation.__name__ for one in model.layers if hasattr(one, "activation")]
    shapes = f"{model.input_shape} to {model.output_shape}"
    return {"shapes": shapes, "parameters": model.count_params(), "activations": ", ".join(bends)}


@mended.judge
def is_the_articles(measured, side):
    if not isinstance(measured, dict):
        return "Return the model that `Model(inputs=..., outputs=...)` makes."
    if measured["shapes"] != f"(None, {side}, {side}, 1) to (None, 10)":
        return f"The model must lead from images of {side} x {side} x 1 to ten classes."
    if measured["activations"] != "relu, relu, relu, softmax":
        return "Three layers bend with `relu`, and the last one with `softmax`."
    wanted = mended.solution(side).count_params()
    if measured["parameters"] != wanted:
        return (
            f"The article's network with `Dense(100)` has {wanted:,} parameters here. Compare the "
            "filters, the kernels of 5 and the two poolings."
        )
    return None


def _variant(side, units, pools):
    """The network with other dense units, or with fewer poolings."""
    inputs = x = layers.Input((side, side, 1))
    for filters, pool in ((32, True), (64, pools == 2)):
        x = layers.Conv2D(filters, 5, activation="relu")(x)
        x = layers.MaxPooling2D(2)(x) if pool else x
    x = layers.Dense(units, activation="relu")(layers.Flatten()(x))
    return Model(inputs, layers.Dense(10, activation="softmax")(x))


mended.mistake(
    lambda side: _variant(side, 1000, 2),
    means="One thousand units is the other listing. The functional one has 100.",
)
mended.mistake(
    lambda side: _variant(side, 100, 1),
    means="The second pooling is missing: the flattened map is four times as long.",
)
