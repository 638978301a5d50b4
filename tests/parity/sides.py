"""The two sides, "keras" and "convlab", and expressions that are evaluated on either.

`"layers.Conv2D(4, 3)"` names the same thing in both; a test's id is the expression itself.
"""

import functools
import importlib
import re
import warnings

import numpy as np

from parity import oracle

BOTH = ("keras", "convlab")
MODULES = (
    "activations", "callbacks", "config", "constraints", "initializers", "layers", "losses",
    "metrics", "models", "optimizers", "random", "regularizers", "utils",
)  # fmt: skip


def module(side, name):
    """``keras.layers`` or ``convlab.layers``."""
    return importlib.import_module(f"{side}.{name}")


def image(*shape):
    """A float32 array that has all its values, so that an expression can call a layer."""
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def nothing(shape, dtype=None):
    """An initializer for weights that are set at once: jax would compile its own."""
    return np.zeros(shape, dtype)


def evaluate(side, expression, **names):
    """The value of an expression on one side."""
    used = {name: module(side, name) for name in MODULES if re.search(rf"\b{name}\.", expression)}
    helpers = {
        "np": np, "image": image, "nothing": nothing, "slope": functools.partial(slope, side),
    }  # fmt: skip
    return eval(expression, {**helpers, **used, **names})


def slope(side, name, at):
    """The derivative of an activation at one place."""
    x = np.array([at])
    if side == "keras":
        function = module(side, "activations").get(name)
        return oracle.value_and_gradient(function, np.ones(1), x)[1][0].item()
    activations = module(side, "activations")
    function = activations.get(name)
    return activations.backward(function, np.ones(1), x, function(x)).item()


def both(expression, **names):
    """The value on each side: Keras's, convlab's."""
    return [evaluate(side, expression, **names) for side in BOTH]


def outcome(side, expression):
    """What becomes of an expression: the class of its exception, or what it gives, in words."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value = evaluate(side, expression)
    except Exception as error:  # any class: it is what is compared
        return type(error).__name__
    told = dict.fromkeys(
        w.category.__name__ for w in caught if w.category is not DeprecationWarning
    )
    return " and ".join([*told, in_words(value)])


def in_words(value):
    """A number, text or tuple of them as Python writes it; anything else "accepted"."""
    plain = as_plain(value)
    return "accepted" if plain is None else repr(plain)


def as_plain(value):
    """Numbers as Python's own, arrays as nested lists, rounded; None for objects."""
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        parts = [as_plain(part) for part in value]
        return None if None in parts else type(value)(parts)
    if isinstance(value, float) or hasattr(value, "__array__"):
        return _numbers(value)
    return None


def _numbers(value):
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):  # a symbolic tensor
        return None
    return _rounded(array.tolist()) if array.size <= 16 else None


def _rounded(number):
    """Five digits that count: both sides compute in float32."""
    if isinstance(number, list):
        return [_rounded(part) for part in number]
    return 0.0 if abs(number) < 1e-6 else float(f"{number:.5g}")
