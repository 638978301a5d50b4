"""Constraints: what they keep, their names, configs and refusals."""

import json
import re

import numpy as np
import pytest

from convlab import constraints
from convlab.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from convlab.variables import Variable

AXES = (0, 1, -1, [0, 1, 2], (0, 1), None)
ALL = {
    "max": MaxNorm(1.5, axis=[0, 1, 2]),
    "unit": UnitNorm(axis=(0, 1)),
    "min-max": MinMaxNorm(0.5, 1.5, 0.3, axis=2),
    "non-negative": NonNeg(),
    "base": Constraint(),
}
every = pytest.mark.parametrize("constraint", ALL.values(), ids=ALL)
each_axis = pytest.mark.parametrize("axis", AXES, ids=str)


def kernel(dtype="float64"):
    """A kernel whose filters are from very short to very long."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(3, 2, 4, 5)) * [0.01, 0.1, 1, 10, 100]).astype(dtype)


def lengths(w, axis):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.sqrt((w**2).sum(axis=axis, keepdims=True))


@each_axis
def test_max_norm_shortens_long_vectors_and_leaves_short_ones(axis):
    w = kernel()
    before, after = lengths(w, axis), lengths(MaxNorm(1.5, axis)(w), axis)
    # epsilon shortens each a little
    np.testing.assert_allclose(after, np.minimum(before, 1.5), atol=1.001e-7)


@each_axis
def test_unit_norm_makes_every_length_one(axis):
    np.testing.assert_allclose(lengths(UnitNorm(axis)(kernel()), axis), 1, rtol=1e-3)


@each_axis
@pytest.mark.parametrize("rate", [0.0, 0.3, 1])
def test_min_max_norm_goes_its_rate_of_the_way(axis, rate):
    w = kernel()
    before = lengths(w, axis)
    expected = rate * np.clip(before, 0.5, 1.5) + (1 - rate) * before
    after = lengths(MinMaxNorm(0.5, 1.5, rate, axis)(w), axis)
    np.testing.assert_allclose(after, expected, rtol=1e-3)


@pytest.mark.parametrize("constraint", [ALL["max"], ALL["unit"], ALL["min-max"]], ids=repr)
def test_directions_stay(constraint):
    w = kernel()
    ratio = constraint(w) / w
    axis = tuple(np.atleast_1d(constraint.axis))
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio.mean(axis, keepdims=True), w.shape))
    assert (ratio > 0).all()


def test_values_by_hand():
    w = np.array([[3.0, 0.3], [4.0, 0.4]])
    np.testing.assert_allclose(MaxNorm(2)(w), [[1.2, 0.3], [1.6, 0.4]], atol=1e-6)
    np.testing.assert_allclose(UnitNorm()(w), [[0.6, 0.6], [0.8, 0.8]], atol=1e-6)
    np.testing.assert_allclose(MinMaxNorm(1, 2)(w), [[1.2, 0.6], [1.6, 0.8]], atol=1e-6)
    np.testing.assert_array_equal(NonNeg()([[-1.0, 2.0]]), [[0.0, 2.0]])


def test_epsilon_is_added_to_the_length():
    assert UnitNorm()(np.array([1.0]))[0] == 1 / (1 + 1e-7)


def test_zeros_stay_zeros():
    for constraint in ALL.values():
        np.testing.assert_array_equal(constraint(np.zeros((3, 2, 4, 5))), 0)


@every
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_and_shape_stay(constraint, dtype):
    w = (kernel() / 50).astype(dtype)
    assert constraint(w).dtype == dtype
    assert constraint(w).shape == w.shape


@every
def test_the_weights_handed_in_are_left_as_they_were(constraint):
    w = kernel()
    constraint(w)
    np.testing.assert_array_equal(w, kernel())


@every
def test_a_variable_is_taken_as_an_array_is(constraint):
    np.testing.assert_array_equal(constraint(Variable(kernel())), constraint(kernel()))


def test_a_run_that_diverged_gives_nan_without_a_warning():
    w = np.array([1e30, -np.inf], np.float32)  # warnings are errors here
    for constraint in (MaxNorm(), UnitNorm(), MinMaxNorm()):
        assert np.isnan(constraint(w)[1])


def test_non_neg_keeps_nan_and_infinity():
    np.testing.assert_array_equal(NonNeg()([np.nan, -np.inf, np.inf]), [np.nan, 0, np.inf])


@pytest.mark.parametrize("value", [-1, -0.5, float("nan"), "2", None, True, [1.0]])
@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (MaxNorm, "max_value"),
        (MinMaxNorm, "min_value"),
        (MinMaxNorm, "max_value"),
        (MinMaxNorm, "rate"),
    ],
)
def test_bounds_that_are_no_length_are_refused(cls, name, value):
    rule = f"`{name}` must be a number that is not negative. Received: {name}={value!r}."
    with pytest.raises(ValueError, match=re.escape(rule)):
        cls(**{name: value})


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match=r"must not be above.*min_value=2, max_value=1\."):
        MinMaxNorm(2, 1)


def test_a_rate_above_one_is_refused():
    with pytest.raises(ValueError, match=r"`rate` must be a number from 0 to 1.*rate=1\.5"):
        MinMaxNorm(rate=1.5)


@pytest.mark.parametrize("axis", ["0", 1.0, [0, 1.5], {0}])
@pytest.mark.parametrize("cls", [MaxNorm, UnitNorm, MinMaxNorm])
def test_axes_that_are_no_integers_are_refused(cls, axis):
    with pytest.raises(ValueError, match=r"`axis` must be an integer or a sequence.*Received: ax"):
        cls(axis=axis)


def test_an_axis_twice_is_refused():
    with pytest.raises(ValueError, match=r"name each axis once. Received: axis=\[0, 0\]"):
        UnitNorm(axis=[0, 0])


def test_axes_that_the_weights_lack_are_named():
    rule = "`axis` must name axes of the weights. Received: axis=[0, 1, 2], weights of shape (5,)."
    with pytest.raises(ValueError, match=re.escape(rule)):
        MaxNorm(axis=[0, 1, 2])(np.ones(5))


@pytest.mark.parametrize(
    ("name", "cls", "config"),
    [
        ("max_norm", MaxNorm, {"max_value": 2, "axis": 0}),
        ("MaxNorm", MaxNorm, {"max_value": 2, "axis": 0}),
        ("unit_norm", UnitNorm, {"axis": 0}),
        ("UnitNorm", UnitNorm, {"axis": 0}),
        (
            "min_max_norm",
            MinMaxNorm,
            {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
        ),
        ("MinMaxNorm", MinMaxNorm, {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0}),
        ("non_neg", NonNeg, {}),
        ("NonNeg", NonNeg, {}),
        ("constraint", Constraint, {}),
        ("Constraint", Constraint, {}),
    ],
)
def test_names_that_keras_accepts(name, cls, config):
    found = constraints.get(name)
    assert type(found) is cls
    assert found.get_config() == config


def test_the_lower_case_functions_are_the_classes():
    made = (
        constraints.max_norm,
        constraints.min_max_norm,
        constraints.non_neg,
        constraints.unit_norm,
    )
    assert made == (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)


@pytest.mark.parametrize("identifier", ["clip", "Max_Norm", 2.0, ["max_norm"], {}, b"non_neg"])
def test_what_is_no_constraint_is_refused(identifier):
    with pytest.raises(ValueError, match=r"constraint.*Received: "):
        constraints.get(identifier)


@pytest.mark.parametrize(("old", "new"), [("maxnorm", "max_norm"), ("nonneg", "non_neg")])
def test_names_of_the_past_are_told_todays(old, new):
    with pytest.raises(ValueError, match=rf"Received: '{old}'\. Did you mean '{new}'\?"):
        constraints.get(old)


def test_get_takes_none_objects_classes_and_functions():
    maximum = MaxNorm(1.0)
    assert constraints.get(None) is None
    assert constraints.get(maximum) is maximum
    assert constraints.get(np.abs) is np.abs
    assert type(constraints.get(NonNeg)) is NonNeg


@every
def test_the_config_makes_the_same_constraint(constraint):
    config = constraints.serialize(constraint)
    assert list(config) == ["module", "class_name", "config", "registered_name"]
    assert config["module"] == "keras.constraints"
    again = constraints.deserialize(json.loads(json.dumps(config)))
    assert type(again) is type(constraint)
    np.testing.assert_array_equal(again(kernel()), constraint(kernel()))


def test_configs_hold_python_numbers():
    config = MaxNorm(np.float32(1.5), axis=[np.int64(0), np.int64(1)]).get_config()
    assert json.loads(json.dumps(config)) == {"max_value": 1.5, "axis": [0, 1]}


def test_a_config_with_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="Error when deserializing class 'MaxNorm' using config="):
        constraints.get({"class_name": "MaxNorm", "config": {"m": 1.0}})


def test_custom_classes_are_found_where_they_are_named():
    class Centred(Constraint):
        def __call__(self, w):
            return w - w.mean()

    assert type(constraints.deserialize("Centred", {"Centred": Centred})) is Centred
