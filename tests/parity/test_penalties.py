"""Regularizers and constraints: the same numbers, and the same gradients."""

import numpy as np
import pytest

from convlab import regularizers
from parity import oracle, sides
from parity.closeness import assert_close

SHAPES = [(5,), (4, 3), (3, 2, 4, 5)]
PENALTIES = [
    "regularizers.L1()", "regularizers.L1(0.3)", "regularizers.L2()", "regularizers.L2(0.3)",
    "regularizers.L1L2()", "regularizers.L1L2(0.2, 0.3)", "regularizers.L1L2(l2=0.1)",
    "regularizers.get('l1')", "regularizers.get('l1l2')",
]  # fmt: skip
ORTHOGONAL = [
    f"regularizers.OrthogonalRegularizer({arguments})"
    for arguments in ("", "factor=0.3", "mode='columns'", "factor=2.0, mode='columns'")
]
CONSTRAINTS = [
    "constraints.NonNeg()", "constraints.MaxNorm()", "constraints.MaxNorm(0.5)",
    "constraints.MaxNorm(max_value=1.0, axis={axes})", "constraints.UnitNorm()",
    "constraints.UnitNorm(axis={axes})", "constraints.MinMaxNorm()",
    "constraints.MinMaxNorm(0.7, 0.9)", "constraints.MinMaxNorm(1.0, 1.5, rate=0.3, axis={axes})",
    "constraints.MinMaxNorm(min_value=0.0, max_value=0.1, rate=0.5)",
]  # fmt: skip


def weights(shape):
    """Numbers of all sizes, none of them zero."""
    return np.random.default_rng(shape).normal(size=shape) * 1.5


def penalties():
    """Each regularizer with the shapes that it takes."""
    yield from ((code, shape) for code in PENALTIES for shape in SHAPES)
    yield from ((code, (4, 3)) for code in ORTHOGONAL)


@pytest.mark.parametrize(("code", "shape"), list(penalties()), ids=str)
def test_penalties_and_their_gradients_are_those_of_keras(code, shape):
    theirs, ours = sides.both(code)
    w = weights(shape)
    value, (slope,) = oracle.value_and_gradient(theirs, np.float64(1), w)
    assert ours(w) == pytest.approx(float(value), rel=1e-6)
    assert_close(regularizers.gradient(ours, w), slope, 1e6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("code", CONSTRAINTS)
def test_constrained_weights_are_those_of_keras(code, shape):
    axes = [0] if len(shape) == 1 else [*range(len(shape) - 1)]
    theirs, ours = sides.both(code.replace("{axes}", str(axes)))
    for scale in (1e-9, 0.1, 1.0, 100.0):
        w = scale * weights(shape)
        assert_close(ours(w), np.asarray(theirs(w)), 1e6)
