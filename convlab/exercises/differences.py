# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the page on differences from Keras."""

import numpy as np

from convlab import layers, models
from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Three of the six fail. Search the tables for `np.int64`, `run_eagerly` and "
        "`activation` of one's own.",
        "A lambda as activation is called like any other. Only `fit` asks for its derivative. "
        "NumPy's whole numbers are taken, whole numbers with a decimal point are not.",
    ],
    why="What fails, fails in the line that is wrong. What passes, computes what Keras computes.",
)
def fails():
    """Which of the lines A to F fail here? Give a set of letters."""
    return {"A", "D", "E"}


fails.mistake(
    {"A", "D", "E", "F"},
    means="You listed F. A lambda can be called without a derivative. It cannot be trained.",
)
fails.mistake(
    {"D", "E"},
    means="You left out A. Keras accepts it there, and fails when the layer is built.",
)
fails.mistake(
    {"A", "B", "D", "E"},
    means="You listed B, which Keras refuses. Here a whole number of NumPy's is a whole number.",
)
fails.mistake(
    {"A", "C", "D", "E"},
    means="You listed C. That option is accepted, and changes nothing.",
)
fails.mistake({"B"}, means="That is the one line that fails in Keras. Here it passes.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (np.ones(3), np.array([-2.0, 0.5, 3.0])),
        (integers(2, 3, seed=1), integers(2, 3, seed=2)),
        (integers(2, 2, 2, 3, seed=3), integers(2, 2, 2, 3, seed=4) / 2),
    ],
    hints=[
        "For positive x the function is the square of x. For negative x it is minus that.",
        "The slope is 2x on the right and -2x on the left: one expression with `np.abs`.",
        "The chain rule multiplies by what comes from above: `output_gradient * ...`.",
    ],
    why="A function and three lines of calculus: that is all a framework's tape would have found.",
)
def bend_gradient(output_gradient, x):
    """Write `bend_gradient(output_gradient, x)` for the activation `x * np.abs(x)`."""
    return output_gradient * 2 * np.abs(x)


@bend_gradient.mistake(means="You left out `output_gradient`: the chain rule multiplies by it.")
def _slope_alone(output_gradient, x):
    return 2 * np.abs(x)


@bend_gradient.mistake(means="You took the derivative of the square. Left of 0 the sign differs.")
def _as_the_square(output_gradient, x):
    return output_gradient * 2 * x


@bend_gradient.mistake(means="You held one factor fixed. Both depend on x: the product rule.")
def _one_factor(output_gradient, x):
    return output_gradient * np.abs(x)


@bend_gradient.mistake(means="That is the function itself, times what comes from above.")
def _the_function(output_gradient, x):
    return output_gradient * x * np.abs(x)


# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "`get_weights` gives what is trained and what is only kept.",
        "A convolution and a dense layer have two arrays each. A normalization trains two, "
        "and keeps a mean and a variance beside them.",
    ],
    why="All of them must move. Without the moving statistics, predictions would differ.",
)
def arrays():
    """How many arrays does `get_weights()` give for the model with normalization?"""
    model = models.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    return len(model.get_weights())


arrays.mistake(5, means="You counted what is trained. The statistics of the batch move too.")
arrays.mistake(8, means="You gave the convolution a bias. It has `use_bias=False`.")
arrays.mistake(6, means="Six counts a bias too many, and leaves out the moving statistics.")
arrays.mistake(3, means="You counted layers that have weights, not their arrays.")
