"""Regularizers: their values, derivatives, names, configs and refusals."""

import json
import re

import numpy as np
import pytest

from convlab import regularizers
from convlab.objects import custom_object_scope
from convlab.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from convlab.variables import Variable

ALL = {
    "l1": L1(0.3),
    "l2": L2(0.7),
    "l1l2": L1L2(0.3, 0.7),
    "only-l1": L1L2(l1=0.3),
    "only-l2": L1L2(l2=0.7),
    "neither": L1L2(),
    "rows": OrthogonalRegularizer(0.9),
    "columns": OrthogonalRegularizer(0.9, "columns"),
    "base": Regularizer(),
}
every = pytest.mark.parametrize("regularizer", ALL.values(), ids=ALL)


def normal(*shape):
    return np.random.default_rng(shape).normal(size=shape)


def test_values_by_hand():
    x = np.array([[1.0, -2.0], [0.0, 3.0]])
    assert L1(0.5)(x) == 3.0
    assert L2(0.5)(x) == 7.0
    assert L1L2(0.5, 0.25)(x) == 6.5
    cosine = -2 * 3 / (np.sqrt(5) * 3)
    assert OrthogonalRegularizer(0.5)(x) == pytest.approx(0.5 * abs(cosine))


def test_orthogonal_penalty_is_the_mean_absolute_cosine_over_pairs():
    x = normal(4, 5)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = [abs(unit[i] @ unit[j]) for i in range(4) for j in range(i)]
    assert OrthogonalRegularizer(0.3)(x) == pytest.approx(0.3 * np.mean(cosines))
    assert OrthogonalRegularizer(0.3, "columns")(x.T) == pytest.approx(0.3 * np.mean(cosines))


@every
def test_gradient_equals_differences(regularizer):
    x, step = normal(4, 5), 1e-6
    expected = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        change = np.zeros_like(x)
        change[index] = step
        expected[index] = (regularizer(x + change) - regularizer(x - change)) / (2 * step)
    np.testing.assert_allclose(regularizer.gradient(x), expected, atol=1e-8)


@every
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_penalty_is_a_float_and_the_gradient_keeps_the_dtype(regularizer, dtype):
    x = normal(3, 4).astype(dtype)
    assert type(regularizer(x)) is float
    assert regularizer.gradient(x).dtype == dtype
    assert regularizer.gradient(x).shape == x.shape


@every
def test_the_input_is_left_as_it_was(regularizer):
    x = normal(3, 4)
    before = x.copy()
    regularizer(x)
    regularizer.gradient(x)[...] = 9
    np.testing.assert_array_equal(x, before)


@every
def test_a_variable_is_taken_as_an_array_is(regularizer):
    variable = Variable(normal(3, 4))
    assert regularizer(variable) == regularizer(variable.numpy())
    np.testing.assert_array_equal(
        regularizers.gradient(regularizer, variable), regularizer.gradient(variable.numpy())
    )


def test_whole_numbers_are_taken_as_floats():
    assert L2(0.1)(np.array([1, 2])) == pytest.approx(0.5)
    np.testing.assert_allclose(L1(0.1).gradient(np.array([1, -2])), [0.1, -0.1])


def test_axes_in_any_order_give_the_same():
    x = normal(3, 4, 5)
    assert L2(1.0)(x.transpose(2, 0, 1)) == pytest.approx(L2(1.0)(x))
    np.testing.assert_array_equal(L1(1.0).gradient(x[::2, ::-1]), np.sign(x[::2, ::-1]))


def test_gradient_of_l1_at_zero_is_zero():
    np.testing.assert_array_equal(L1(1.0).gradient(np.zeros(3)), 0)


def test_squares_of_float16_do_not_overflow():
    assert L2(1.0)(np.full(4, 300, np.float16)) == 360_000


def test_an_absent_part_adds_nothing_to_infinite_weights():
    assert L1L2(l1=0.5)(np.array([1e200, 1.0])) == pytest.approx(5e199)


def test_zero_vectors_add_nothing_and_get_no_gradient():
    x = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, -1.0]])
    regularizer = OrthogonalRegularizer(0.3)
    assert regularizer(x) == pytest.approx(0.1 * abs(x[0] @ x[2]) / np.sqrt(50))
    assert np.isfinite(regularizer.gradient(x)).all()
    np.testing.assert_array_equal(regularizer.gradient(x)[1], 0)


def test_one_vector_alone_has_no_penalty():
    x = normal(1, 3)
    assert OrthogonalRegularizer(1.0)(x) == 0
    np.testing.assert_array_equal(OrthogonalRegularizer(1.0).gradient(x), 0)


def test_orthogonal_gradient_has_no_part_along_its_vector():
    x = normal(4, 5)
    along = (OrthogonalRegularizer(1.0).gradient(x) * x).sum(axis=1)
    np.testing.assert_allclose(along, 0, atol=1e-15)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), ()])
def test_orthogonal_needs_two_axes(shape):
    message = re.escape(f"needs an input of two axes. Received: an input of shape {shape}.")
    with pytest.raises(ValueError, match=message):
        OrthogonalRegularizer()(np.ones(shape))
    with pytest.raises(ValueError, match=message):
        OrthogonalRegularizer().gradient(np.ones(shape))


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "1", np.float32(1), 1j, [1.0]])
@pytest.mark.parametrize(
    ("cls", "name"),
    [(L1, "l1"), (L2, "l2"), (L1L2, "l1"), (L1L2, "l2"), (OrthogonalRegularizer, "factor")],
)
def test_factors_that_are_no_float_are_refused(cls, name, value):
    rule = f"`{name}` must be a finite float that is not negative. Received: {name}="
    with pytest.raises(ValueError, match=re.escape(rule)):
        cls(**{name: value})


@pytest.mark.parametrize("value", [0, 1, True, np.float64(0.25)])
def test_factors_become_floats(value):
    assert type(L2(value).l2) is float
    assert L2(value).l2 == value


def test_none_means_the_default():
    assert (L1(None).l1, L2(None).l2) == (0.01, 0.01)
    assert L1L2(None, None).get_config() == {"l1": 0.0, "l2": 0.0}


def test_the_orthogonal_factor_has_no_none():
    with pytest.raises(ValueError, match="`factor` must be"):
        OrthogonalRegularizer(None)


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match=r'`mode` must be "rows" or "columns"\. Received: mode='):
        OrthogonalRegularizer(mode="x")


@pytest.mark.parametrize(
    ("name", "cls", "config"),
    [
        ("l1", L1, {"l1": 0.01}),
        ("L1", L1, {"l1": 0.01}),
        ("l2", L2, {"l2": 0.01}),
        ("L2", L2, {"l2": 0.01}),
        ("l1l2", L1L2, {"l1": 0.0, "l2": 0.0}),
        ("L1L2", L1L2, {"l1": 0.0, "l2": 0.0}),
        ("orthogonal_regularizer", OrthogonalRegularizer, {"factor": 0.01, "mode": "rows"}),
        ("OrthogonalRegularizer", OrthogonalRegularizer, {"factor": 0.01, "mode": "rows"}),
        ("regularizer", Regularizer, {}),
        ("Regularizer", Regularizer, {}),
    ],
)
def test_names_that_keras_accepts(name, cls, config):
    found = regularizers.get(name)
    assert type(found) is cls
    assert found.get_config() == config


def test_the_lower_case_functions_are_the_classes():
    made = regularizers.l1, regularizers.l2, regularizers.l1_l2, regularizers.orthogonal_regularizer
    assert made == (L1, L2, L1L2, OrthogonalRegularizer)


@pytest.mark.parametrize("identifier", ["l1_l2", "L_2", "ridge", 0.01, 3, ["l2"], {}, b"l2"])
def test_what_is_no_regularizer_is_refused(identifier):
    with pytest.raises(ValueError, match=r"regularizer.*Received: "):
        regularizers.get(identifier)


def test_the_documented_but_wrong_name_is_told_the_right_one():
    with pytest.raises(ValueError, match=r"Received: 'l1_l2'\. Did you mean 'l1l2'\?"):
        regularizers.get("l1_l2")


def test_get_takes_none_objects_classes_and_functions():
    l2 = L2(0.1)
    assert regularizers.get(None) is None
    assert regularizers.get(l2) is l2
    assert regularizers.get(np.sum) is np.sum
    assert regularizers.get(L1).get_config() == {"l1": 0.01}


@every
def test_the_config_makes_the_same_regularizer(regularizer):
    config = json.loads(json.dumps(regularizers.serialize(regularizer)))
    assert list(config) == ["module", "class_name", "config", "registered_name"]
    assert config["module"] == "keras.regularizers"
    again = regularizers.deserialize(config)
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()


def test_a_config_with_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="Error when deserializing class 'L2' using config="):
        regularizers.get({"class_name": "L2", "config": {"l3": 1.0}})


class Doubled(Regularizer):
    def __call__(self, x):
        return 2 * float(np.sum(x))


def test_custom_classes_are_found_where_they_are_named():
    assert type(regularizers.deserialize("Doubled", {"Doubled": Doubled})) is Doubled
    with custom_object_scope({"Doubled": Doubled}):
        assert type(regularizers.get({"class_name": "Doubled", "config": {}})) is Doubled


@pytest.mark.parametrize(
    "custom", [np.sum, Doubled(), None, "l2"], ids=["function", "object", "None", "name"]
)
def test_without_a_gradient_the_way_out_is_named(custom):
    way_out = r"must have a method or an attribute `gradient`.*Give it one: a function of x"
    with pytest.raises(TypeError, match=way_out):
        regularizers.gradient(custom, np.ones(3))


def test_a_functions_attribute_is_its_gradient():
    def cubes(x):
        return float((x**3).sum())

    cubes.gradient = lambda x: 3 * x**2
    np.testing.assert_array_equal(regularizers.gradient(cubes, np.array([1.0, 2.0])), [3, 12])


def test_a_gradient_of_another_shape_is_refused():
    def broken(x):
        return 0.0

    broken.gradient = lambda x: np.ones(2)
    with pytest.raises(ValueError, match=r"the shape of its input, \(3,\).*of shape \(2,\)"):
        regularizers.gradient(broken, np.ones(3))
