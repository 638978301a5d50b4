"""Activations: the same values and derivatives, names, and configs."""

import inspect

import numpy as np
import pytest

import differences
from convlab import activations
from parity import oracle, sides
from parity.closeness import assert_close

CALLS = [
    "celu(x)", "celu(x, alpha=0.5)", "elu(x)", "elu(x, alpha=2.0)", "exponential(x)", "gelu(x)",
    "gelu(x, approximate=True)", "glu(x)", "glu(x, axis=0)", "hard_shrink(x)",
    "hard_shrink(x, threshold=1.0)", "hard_sigmoid(x)", "hard_silu(x)", "hard_swish(x)",
    "hard_tanh(x)", "leaky_relu(x)", "leaky_relu(x, negative_slope=0.3)", "linear(x)",
    "log_sigmoid(x)", "log_softmax(x)", "log_softmax(x, axis=0)", "mish(x)", "relu(x)",
    "relu(x, negative_slope=0.1)", "relu(x, max_value=1.5)", "relu(x, threshold=0.7)",
    "relu(x, negative_slope=0.1, max_value=1.5, threshold=0.7)", "relu6(3 * x)", "selu(x)",
    "sigmoid(x)", "sigmoid(30 * x)", "silu(x)", "soft_shrink(x)", "soft_shrink(x, threshold=1.0)",
    "softmax(x)", "softmax(x, axis=0)", "softmax(40 * x)", "softplus(x)", "softplus(30 * x)",
    "softsign(x)", "sparse_plus(x)", "sparse_sigmoid(x)", "sparsemax(40 * x)", "squareplus(x)",
    "squareplus(x, b=2)", "swish(x)", "tanh(x)", "tanh(30 * x)", "tanh_shrink(x)",
    "threshold(x, 0.5, -1.0)",
]  # fmt: skip


def pieces(call):
    """The function's name, the factor of x, and the other arguments."""
    name, arguments = call.rstrip(")").split("(")
    first, *others = arguments.split(", ")
    factor = float(first.split(" * ")[0]) if "*" in first else 1.0
    keywords = inspect.signature(getattr(activations, name)).parameters
    named = [text.split("=") if "=" in text else (None, text) for text in others]
    given = {
        key or list(keywords)[1 + place]: float(value) if "." in value else _word(value)
        for place, (key, value) in enumerate(named)
    }
    return name, factor, given


def _word(text):
    return True if text == "True" else int(text)


def points(dtype="float64"):
    """A grid of numbers without the kinks, which have a test of their own."""
    return np.random.default_rng(11).normal(scale=2, size=(6, 8)).astype(dtype)


@pytest.mark.parametrize("call", CALLS)
def test_values_and_derivatives_are_those_of_keras(call, keras):
    name, factor, arguments = pieces(call)
    x = factor * points()
    theirs = getattr(keras.activations, name)
    shape = getattr(activations, name)(x, **arguments).shape
    upstream = np.random.default_rng(12).normal(size=shape)
    value, (slope,) = oracle.value_and_gradient(lambda x: theirs(x, **arguments), upstream, x)
    ours = getattr(activations, name)(x, **arguments)
    # Keras holds some constants, such as 1/6, in float32.
    assert_close(ours, value, 1e5)
    back = activations.backward(getattr(activations, name), upstream, x, ours, **arguments)
    assert_close(back, slope, 1e5)


@pytest.mark.parametrize("call", CALLS)
def test_float32_stays_float32_and_is_as_exact(call, keras):
    name, factor, arguments = pieces(call)
    x = (factor * points()).astype("float32")
    theirs = np.asarray(getattr(keras.activations, name)(keras.ops.array(x), **arguments))
    assert_close(getattr(activations, name)(x, **arguments), theirs)


EXTREMES = [0.0, -0.0, 1e-30, -1e-30, 50.0, -50.0, 500.0, -500.0, 1e15, -1e15, 1e30, -1e30]
NAMES = {call.split("(")[0] for call in CALLS}
KNOWN = {"hard_shrink", "soft_shrink", "sparsemax", "squareplus"}  # differences.py says why


@pytest.mark.parametrize("name", sorted(NAMES - KNOWN - {"glu", "threshold"}))
def test_extreme_numbers_end_alike(name, keras):
    x = np.array([[at, 0.0] for at in [*EXTREMES, np.inf, -np.inf, np.nan]], "float32")
    theirs = np.asarray(getattr(keras.activations, name)(keras.ops.array(x)))
    np.testing.assert_allclose(getattr(activations, name)(x), theirs, rtol=1e-5, atol=1e-7)


PIECES = {
    "celu": [0], "elu": [0], "hard_shrink": [0.5, -0.5], "hard_sigmoid": [3, -3],
    "hard_silu": [3, -3], "hard_tanh": [1, -1], "leaky_relu": [0], "relu": [0], "relu6": [0, 6],
    "selu": [0], "soft_shrink": [0.5, -0.5], "softsign": [0], "sparse_plus": [1, -1],
    "sparse_sigmoid": [1, -1],
}  # fmt: skip
KINKS = [f"slope({name!r}, {at:.1f})" for name, places in PIECES.items() for at in places]


@pytest.mark.parametrize("code", [code for code in KINKS if code not in differences.checked()])
def test_derivatives_at_kinks_are_those_of_keras(code):
    theirs, ours = (sides.outcome(side, code) for side in sides.BOTH)
    assert ours == theirs


def public(library):
    """The functions that a module of activations shows."""
    members = inspect.getmembers(library, inspect.isfunction)
    return {name for name, _ in members if not name.startswith("_")}


def test_every_activation_of_keras_is_there(keras):
    assert public(keras.activations) <= public(activations)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_and_configs_are_read_by_either(name, keras):
    ours, theirs = activations.get(name), keras.activations.get(name)
    assert activations.serialize(ours) == keras.activations.serialize(theirs)
    assert activations.deserialize(keras.activations.serialize(theirs)) is ours
