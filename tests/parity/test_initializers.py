"""Initializers: other numbers for a seed, but of the same distribution; the same configs."""

import numpy as np
import pytest

from parity import sides

SHAPES = [(40, 50), (3, 3, 20, 30), (2, 5, 30, 7), (600,)]
DISTRIBUTIONS = [
    f"initializers.{name}({{}})".replace("{}", arguments)
    for name, arguments in [
        ("RandomNormal", ""), ("RandomNormal", "mean=1.0, stddev=0.2"), ("RandomUniform", ""),
        ("RandomUniform", "minval=-2.0, maxval=1.0"), ("TruncatedNormal", ""),
        ("TruncatedNormal", "mean=-1.0, stddev=2.0"), ("GlorotNormal", ""), ("GlorotUniform", ""),
        ("HeNormal", ""), ("HeUniform", ""), ("LecunNormal", ""), ("LecunUniform", ""),
        ("VarianceScaling", ""), ("VarianceScaling", "scale=3.0, mode='fan_avg'"),
        ("VarianceScaling", "mode='fan_out', distribution='untruncated_normal'"),
        ("VarianceScaling", "scale=0.5, distribution='uniform'"),
    ]
]  # fmt: skip
FIXED = [
    ("initializers.Zeros()", (2, 3)), ("initializers.Ones()", (2, 3)),
    ("initializers.Constant(0.3)", (2, 3)), ("initializers.Identity()", (3, 3)),
    ("initializers.Identity()", (2, 4)), ("initializers.Identity(gain=0.5)", (4, 2)),
]  # fmt: skip


def seeded(expression):
    """The same with a seed."""
    return expression[:-1] + ("seed=7)" if expression.endswith("()") else ", seed=7)")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("expression", DISTRIBUTIONS)
def test_distributions_are_those_of_keras(expression, shape):
    """Mean, deviation and the nine deciles agree as far as two samples can."""
    theirs, ours = (np.asarray(draw(shape)) for draw in sides.both(seeded(expression)))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    spread, count = theirs.std(), theirs.size
    assert abs(ours.mean() - theirs.mean()) < 6 * spread / np.sqrt(count)
    assert ours.std() == pytest.approx(spread, rel=8 / np.sqrt(count))
    deciles = np.arange(0.1, 1, 0.1)
    np.testing.assert_allclose(
        np.quantile(ours, deciles), np.quantile(theirs, deciles), atol=12 * spread / np.sqrt(count)
    )
    if "Random" not in expression and "untruncated" not in expression:
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.1)


@pytest.mark.parametrize(("expression", "shape"), FIXED, ids=str)
def test_fixed_values_are_those_of_keras(expression, shape):
    theirs, ours = (np.asarray(draw(shape)) for draw in sides.both(expression))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (3, 3, 2, 4)], ids=str)
def test_orthogonal_weights_are_orthogonal_on_both_sides(shape, gain):
    for draw in sides.both(f"initializers.Orthogonal(gain={gain}, seed=5)"):
        flat = np.asarray(draw(shape)).reshape(-1, shape[-1])
        product = flat.T @ flat if len(flat) >= shape[-1] else flat @ flat.T
        np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-6)


@pytest.mark.parametrize("groups", [1, 8])
def test_groups_count_channels_in_part_and_filters_in_full(groups):
    """64 channels to 64 filters in 8 groups: the limit is sqrt(6 / (72 + 576))."""
    text = f"layers.Conv2D(64, 3, groups={groups}, kernel_initializer={{}})"
    seed = "initializers.GlorotUniform(seed=1)"
    largest = []
    for layer in sides.both(text.replace("{}", seed)):
        layer.build((None, 5, 5, 64))
        largest.append(np.abs(np.asarray(layer.kernel)).max())
    assert largest == pytest.approx([np.sqrt(6 / (9 * 64 / groups + 9 * 64))] * 2, rel=2e-3)
