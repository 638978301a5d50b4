"""Activations: values from the formulas, derivatives from differences, kinks by rule."""

import functools
import inspect
import math
import pickle

import numpy as np
import pytest

from convlab import activations, config
from convlab.activations import backward
from convlab.objects import custom_object_scope

NAMES = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip
REQUIRED = {"threshold": {"threshold": 1.0, "default_value": -7.0}}
OVER_AXES = ("glu", "log_softmax", "softmax", "sparsemax")

VARIANTS = [(name, REQUIRED.get(name, {})) for name in NAMES] + [
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"negative_slope": 2.0}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": -1.0, "max_value": 2.0}),
    ("relu", {"negative_slope": 0.3, "max_value": 2.0, "threshold": 1.0}),
    ("relu", {"negative_slope": 0.3, "max_value": 2.0, "threshold": -1.0}),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": -0.5}),
    ("leaky_relu", {"negative_slope": 1.5}),
    ("elu", {"alpha": 2.0}),
    ("celu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("squareplus", {"b": 0.25}),
    ("soft_shrink", {"threshold": 1.25}),
    ("hard_shrink", {"threshold": 1.25}),
    ("softmax", {"axis": 1}),
    ("softmax", {"axis": (0, 2)}),
    ("log_softmax", {"axis": 0}),
    ("log_softmax", {"axis": (1, 2)}),
    ("glu", {"axis": 1}),
    ("sparsemax", {"axis": 0}),
]
every_variant = pytest.mark.parametrize(
    ("name", "arguments"), VARIANTS, ids=[f"{name}-{given}" for name, given in VARIANTS]
)


def with_gradient(name, x, output_gradient, **arguments):
    """Run an activation both ways."""
    function = activations.get(name)
    output = function(x, **arguments)
    return output, backward(function, output_gradient, x, output, **arguments)


def away_from_kinks(seed, shape=(3, 4, 6)):
    """Numbers between -8 and 8; all kinks are multiples of 1/4, and these lie 1/8 off."""
    quarters = np.random.default_rng(seed).integers(-32, 32, shape)
    return quarters / 4 + 0.125 + np.random.default_rng(seed).uniform(-0.05, 0.05, shape)


@every_variant
def test_gradient_is_the_central_difference(name, arguments):
    x = away_from_kinks(len(name))
    function = activations.get(name)
    output = function(x, **arguments)
    upstream = np.random.default_rng(1).standard_normal(output.shape)
    numeric, step = np.zeros_like(x), 1e-5
    for index in np.ndindex(x.shape):
        shift = np.zeros_like(x)
        shift[index] = step
        rise = function(x + shift, **arguments) - function(x - shift, **arguments)
        numeric[index] = np.sum(rise * upstream) / (2 * step)
    exact = backward(function, upstream, x, output, **arguments)
    scale = np.maximum(1, np.abs(output).max())  # exp(8) has larger rounding errors
    np.testing.assert_allclose(exact, numeric, rtol=0, atol=1e-8 * scale)


HALF = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
VALUES = [  # by hand, or by Python's math on the formula of the paper
    ("relu", {}, HALF, [0, 0, 0, 0, 0.5, 1, 2]),
    ("relu", {"negative_slope": 0.5, "max_value": 1.0}, HALF, [-1, -0.5, -0.25, 0, 0.5, 1, 1]),
    ("relu", {"threshold": 0.5, "negative_slope": 0.5}, HALF,
     [-1.25, -0.75, -0.5, -0.25, 0, 1, 2]),
    ("relu", {"threshold": -1.0}, HALF, [0, 0, -0.5, 0, 0.5, 1, 2]),
    ("relu6", {}, [-1, 5, 6, 7], [0, 5, 6, 6]),
    ("leaky_relu", {}, [-3, 0, 3], [-0.6, 0, 3]),
    ("elu", {"alpha": 2.0}, [-1, 0, 3], [2 * math.expm1(-1), 0, 3]),
    ("celu", {"alpha": 2.0}, [-1, 0, 3], [2 * math.expm1(-0.5), 0, 3]),
    ("selu", {}, [-1, 1], [1.0507009873554805 * 1.6732632423543772 * math.expm1(-1),
                          1.0507009873554805]),
    ("gelu", {}, HALF, [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in HALF]),
    ("gelu", {"approximate": True}, HALF,
     [x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) for x in HALF]),
    ("sigmoid", {}, HALF, [1 / (1 + math.exp(-x)) for x in HALF]),
    ("silu", {}, HALF, [x / (1 + math.exp(-x)) for x in HALF]),
    ("mish", {}, HALF, [x * math.tanh(math.log1p(math.exp(x))) for x in HALF]),
    ("softplus", {}, HALF, [math.log1p(math.exp(x)) for x in HALF]),
    ("log_sigmoid", {}, HALF, [-math.log1p(math.exp(-x)) for x in HALF]),
    ("softsign", {}, HALF, [-2 / 3, -1 / 2, -1 / 3, 0, 1 / 3, 1 / 2, 2 / 3]),
    ("tanh", {}, HALF, [math.tanh(x) for x in HALF]),
    ("tanh_shrink", {}, HALF, [x - math.tanh(x) for x in HALF]),
    ("exponential", {}, HALF, [math.exp(x) for x in HALF]),
    ("linear", {}, HALF, HALF),
    ("hard_sigmoid", {}, [-3, -1.5, 0, 1.5, 3, 9], [0, 0.25, 0.5, 0.75, 1, 1]),
    ("hard_silu", {}, [-4, -1.5, 0, 1.5, 3, 9], [0, -0.375, 0, 1.125, 3, 9]),
    ("hard_tanh", {}, HALF, [-1, -1, -0.5, 0, 0.5, 1, 1]),
    ("hard_shrink", {}, HALF, [-2, -1, 0, 0, 0, 1, 2]),
    ("soft_shrink", {}, HALF, [-1.5, -0.5, 0, 0, 0, 0.5, 1.5]),
    ("threshold", {"threshold": 0.5, "default_value": 9.0}, HALF, [9, 9, 9, 9, 9, 1, 2]),
    ("squareplus", {}, [-1.5, 0, 1.5], [0.5, 1, 2]),
    ("squareplus", {"b": 0}, HALF, [0, 0, 0, 0, 0.5, 1, 2]),
    ("sparse_plus", {}, HALF, [0, 0, 0.0625, 0.25, 0.5625, 1, 2]),
    ("sparse_sigmoid", {}, HALF, [0, 0, 0.25, 0.5, 0.75, 1, 1]),
    ("glu", {}, [3, 4, 0, math.log(3)], [1.5, 3]),
    ("softmax", {}, [0, math.log(3)], [0.25, 0.75]),
    ("log_softmax", {}, [0, math.log(3)], [-math.log(4), math.log(0.75)]),
    ("sparsemax", {}, [1, 0.75, -2], [0.625, 0.375, 0]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "x", "expected"), VALUES)
def test_values(name, arguments, x, expected):
    found = activations.get(name)(np.array(x, float), **arguments)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


def test_every_name_has_a_value_that_was_checked():
    assert {case[0] for case in VALUES} == set(NAMES)


KINKS = [
    ("relu", {}, [0.0], [0]),
    ("relu", {"max_value": 2.0}, [0.0, 2.0], [0, 0]),
    ("relu", {"negative_slope": 0.25}, [0.0], [0.25]),
    ("relu", {"negative_slope": 0.25, "max_value": 2.0, "threshold": 1.0}, [1.0, 2.0], [0.25, 0]),
    ("relu", {"threshold": -1.0}, [-1.0, 0.0], [0, 1]),
    ("leaky_relu", {}, [0.0], [0.2]),
    ("leaky_relu", {"negative_slope": 0.0}, [0.0], [0]),
    ("leaky_relu", {"negative_slope": 1.5}, [0.0], [1.5]),
    ("relu6", {}, [0.0, 6.0], [0, 0]),
    ("elu", {"alpha": 2.0}, [0.0], [2]),
    ("selu", {}, [0.0], [1.0507009873554805 * 1.6732632423543772]),
    ("celu", {"alpha": 2.0}, [0.0], [1]),
    ("hard_tanh", {}, [-1.0, 1.0], [0, 0]),
    ("hard_sigmoid", {}, [-3.0, 3.0], [0, 0]),
    ("hard_silu", {}, [-3.0, 3.0], [0, 1.5]),
    ("sparse_sigmoid", {}, [-1.0, 1.0], [0, 0]),
    ("sparse_plus", {}, [-1.0, 1.0], [0, 1]),
    ("soft_shrink", {}, [-0.5, 0.5], [0, 0]),
    ("hard_shrink", {}, [-0.5, 0.5], [0, 0]),
    ("threshold", {"threshold": 1.0, "default_value": 5.0}, [1.0], [0]),
]


@pytest.mark.parametrize(("name", "arguments", "x", "slopes"), KINKS)
def test_derivative_at_a_kink_is_of_the_flat_side_or_the_left(name, arguments, x, slopes):
    upstream = np.arange(2.0, 2.0 + len(x))
    _, gradient = with_gradient(name, np.array(x), upstream, **arguments)
    np.testing.assert_allclose(gradient, upstream * slopes, rtol=1e-15)


@every_variant
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_and_shape_are_kept(name, arguments, dtype):
    x = away_from_kinks(0).astype(dtype)
    numpys = {key: np.float64(v) if isinstance(v, float) else v for key, v in arguments.items()}
    output, _ = with_gradient(name, x, activations.get(name)(x, **arguments), **numpys)
    gradient = backward(name, output, x, output, **numpys)
    shape = list(x.shape)
    if name == "glu":
        shape[arguments.get("axis", -1)] //= 2
    assert (output.dtype, output.shape) == (dtype, tuple(shape))
    assert (gradient.dtype, gradient.shape) == (dtype, x.shape)


@every_variant
def test_integers_become_floatx(name, arguments):
    x = np.arange(72).reshape(3, 4, 6) % 7 - 3
    output = activations.get(name)(x, **arguments)
    assert output.dtype == config.floatx()
    np.testing.assert_array_equal(output, activations.get(name)(x.astype("float32"), **arguments))


@every_variant
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_huge_numbers_neither_warn_nor_give_nan(name, arguments, dtype):
    largest = float(np.finfo(dtype).max) / 16
    row = [-largest, -1e4, -300, -1e-7, 1e-7, 300, 1e4, largest]
    x = np.array([row, row[::-1]] * 2, dtype).reshape(4, 2, 4)
    with np.errstate(all="raise"):  # whatever the caller's setting is
        output = activations.get(name)(x, **arguments)
        gradient = backward(name, np.ones_like(output), x, output, **arguments)
    assert not np.isnan(output).any()
    endless = name == "exponential"
    assert endless or np.isfinite(gradient).all()


@every_variant
def test_a_nan_stays_a_nan_and_harms_no_neighbour(name, arguments):
    x = away_from_kinks(2)
    clean = activations.get(name)(x, **arguments)
    x[0, 0, 0] = np.nan
    with np.errstate(all="raise"):
        output = activations.get(name)(x, **arguments)
        backward(name, np.ones_like(output), x, output, **arguments)
    assert np.isnan(output[0, 0, 0])
    if name not in OVER_AXES:
        assert np.isnan(output).sum() == 1
    np.testing.assert_array_equal(output[~np.isnan(output)], clean[~np.isnan(output)])


LIMITS = [
    ("relu", [0, np.inf]), ("relu6", [0, 6]), ("leaky_relu", [-np.inf, np.inf]),
    ("elu", [-1, np.inf]), ("sigmoid", [0, 1]), ("tanh", [-1, 1]), ("softplus", [0, np.inf]),
    ("log_sigmoid", [-np.inf, 0]), ("exponential", [0, np.inf]), ("hard_sigmoid", [0, 1]),
    ("hard_tanh", [-1, 1]), ("sparse_plus", [0, np.inf]), ("sparse_sigmoid", [0, 1]),
    ("squareplus", [0, np.inf]), ("soft_shrink", [-np.inf, np.inf]),
    ("hard_shrink", [-np.inf, np.inf]), ("tanh_shrink", [-np.inf, np.inf]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "limits"), LIMITS)
def test_infinity_gives_the_limit(name, limits):
    np.testing.assert_array_equal(activations.get(name)(np.array([-np.inf, np.inf])), limits)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OVER_AXES])
def test_single_numbers_and_empty_arrays(name):
    arguments = REQUIRED.get(name, {})
    for x in (np.float32(1.5), np.zeros((0, 3), "float32")):
        output, gradient = with_gradient(name, x, x, **arguments)
        assert np.shape(output) == np.shape(gradient) == np.shape(x)
        assert output.dtype == gradient.dtype == "float32"


@pytest.mark.parametrize("name", OVER_AXES)
@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_empty_axes(name, shape):
    x = np.zeros(shape)
    output = activations.get(name)(x)
    assert backward(name, output, x, output).shape == shape


@every_variant
def test_inputs_stay_as_they_were(name, arguments):
    x = away_from_kinks(3)
    output = activations.get(name)(x, **arguments)
    upstream = output.copy()
    kept = [array.copy() for array in (x, output, upstream)]
    backward(name, upstream, x, output, **arguments)
    for array, before in zip((x, output, upstream), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("name", ["relu", "tanh", "softmax", "gelu", "hard_silu"])
def test_strided_and_read_only_arrays(name):
    whole = np.random.default_rng(4).standard_normal((6, 8))
    whole.flags.writeable = False
    x = whole[::2, ::-2]
    found = with_gradient(name, x, whole[1::2, 1::2])
    expected = with_gradient(name, x.copy(), whole[1::2, 1::2].copy())
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("dtype", "largest"), [("float16", 2.5), ("float32", 8.5), ("float64", 26.0)]
)
def test_error_function_is_exact_to_the_last_digits_far_into_the_tail(dtype, largest):
    x = np.linspace(-largest, largest, 2 * activations._BLOCK + 1).astype(dtype)
    found = activations._erfc(x)
    assert found.dtype == dtype
    exact = np.array([math.erfc(value) for value in x.astype(float)])
    # In the tail exp(-x^2) carries the rounding of x^2 into as many units of the result.
    allowed = 8 * np.finfo(dtype).eps * (1 + x.astype(float) ** 2)
    assert (np.abs(found - exact) <= allowed * exact).all()


def test_softmax_sums_to_one_over_its_axes():
    x = np.random.default_rng(5).standard_normal((3, 4, 5)) * 50
    for axis in (0, 1, -1, (0, 2), (0, 1, 2)):
        np.testing.assert_allclose(activations.softmax(x, axis=axis).sum(axis), 1)
        np.testing.assert_allclose(
            np.exp(activations.log_softmax(x, axis)), activations.softmax(x, axis), atol=1e-15
        )


def test_softmax_and_sparsemax_are_blind_to_a_common_shift():
    x = np.array([1.0, 0.5, -2.0])
    for name in ("softmax", "log_softmax", "sparsemax"):
        function = activations.get(name)
        np.testing.assert_array_equal(function(x + 2.0**40), function(x))


def test_softmax_over_one_entry_warns_and_names_sigmoid():
    with pytest.warns(UserWarning, match=r"size 1 is always 1\. Received: axis=-1.*sigmoid"):
        np.testing.assert_array_equal(activations.softmax(np.zeros((3, 1))), np.ones((3, 1)))


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    """The nearest point of a convex set sees every other point at an obtuse angle."""
    rng = np.random.default_rng(6)
    x = rng.standard_normal((50, 7)) * rng.choice([0.1, 1, 5], (50, 1))
    p = activations.sparsemax(x)
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-14)
    assert (p >= 0).all()
    corners = np.eye(7)
    angles = np.einsum("ni,nki->nk", x - p, corners - p[:, None])
    assert angles.max() <= 1e-14
    assert set((p > 0).sum(-1)) >= {1, 2, 7}


def test_every_entry_of_a_tie_in_sparsemax_is_equal():
    np.testing.assert_array_equal(activations.sparsemax(np.zeros((2, 4))), np.full((2, 4), 0.25))


def test_glu_needs_an_even_axis():
    with pytest.raises(ValueError, match=r"must be even\. Received: axis=-1, .*shape \(2, 3\)"):
        activations.glu(np.zeros((2, 3)))


@pytest.mark.parametrize("name", OVER_AXES)
def test_an_axis_that_is_not_there(name):
    with pytest.raises(ValueError, match="axis 2 is out of bounds for array of dimension 2"):
        activations.get(name)(np.zeros((2, 4)), axis=2)
    with pytest.raises(ValueError, match="axis -1 is out of bounds for array of dimension 0"):
        activations.get(name)(1.0)


def test_squareplus_refuses_a_negative_b():
    with pytest.raises(ValueError, match=r"`b` must not be negative\. Received: b=-1\."):
        activations.squareplus(np.zeros(3), b=-1)


@pytest.mark.parametrize("x", ["three", np.zeros(2, complex), [None]])
def test_what_is_no_real_number_is_refused(x):
    with pytest.raises(TypeError, match=r"takes an array of real numbers\. Received: an array of"):
        activations.relu(x)


def test_get_knows_every_name_of_keras_and_both_aliases():
    for name in NAMES:
        assert activations.get(name) is getattr(activations, name)
        assert name in activations.__all__
    assert activations.get("swish") is activations.swish is activations.silu
    assert activations.get("hard_swish") is activations.hard_swish is activations.hard_silu
    assert activations.get(None) is activations.linear


@pytest.mark.parametrize(
    ("identifier", "advice"),
    [
        ("ReLU", r"Received: 'ReLU'\. Did you mean 'relu'\?"),
        ("leakyrelu", r"Did you mean 'leaky_relu'\?"),
        ("nothing", r"Known names: 'relu', "),
        (3, r"Received: 3\."),
        ({"class_name": "ReLU"}, r"Did you mean 'relu'\?"),
    ],
)
def test_get_refuses_what_keras_refuses(identifier, advice):
    rule = "Could not interpret activation function identifier: .*"
    with pytest.raises(ValueError, match=rule + advice):
        activations.get(identifier)


@pytest.mark.parametrize("name", NAMES)
def test_serialized_name_leads_back(name):
    function = activations.get(name)
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function
    assert pickle.loads(pickle.dumps(function)) is function


def test_aliases_are_serialized_by_the_first_name():
    assert activations.serialize(activations.swish) == "silu"
    assert activations.serialize(activations.hard_swish) == "hard_silu"


def cube(x):
    return x**3


def test_a_function_of_the_callers_is_found_by_its_name():
    described = activations.serialize(cube)
    assert described == {
        "module": "builtins", "class_name": "function", "config": "cube",
        "registered_name": "function",
    }  # fmt: skip
    assert activations.deserialize(described, {"cube": cube}) is cube
    with custom_object_scope({"cube": cube}):
        assert activations.get("cube") is activations.get(described) is cube
    with pytest.raises(ValueError, match="Received: 'cube'"):
        activations.deserialize(described)
    assert activations.deserialize(None) is None


class Power:
    """An activation that is an object."""

    def __init__(self, exponent):
        self.exponent = exponent

    def __call__(self, x):
        return x**self.exponent

    def gradient(self, output_gradient, x, output):
        return self.exponent * x ** (self.exponent - 1) * output_gradient


def test_backward_takes_objects_with_a_gradient():
    x, power = np.array([1.0, 2.0]), Power(3)
    assert activations.get(power) is power
    np.testing.assert_array_equal(backward(power, [1.0, 10.0], x, power(x)), [3, 120])


def test_backward_takes_names_none_and_partial_functions():
    x, upstream = np.array([-2.0, 2.0]), np.array([3.0, 5.0])
    np.testing.assert_array_equal(backward("relu", upstream, x, activations.relu(x)), [0, 5])
    np.testing.assert_array_equal(backward(None, upstream, x, x), upstream)
    steep = functools.partial(functools.partial(activations.relu, negative_slope=7.0), max_value=1)
    np.testing.assert_array_equal(backward(steep, upstream, x, steep(x)), [21, 0])


def test_gradient_attribute_is_as_quiet_as_backward():
    x = np.array([-1e4, 1e4])
    with np.errstate(all="raise"):
        found = activations.silu.gradient([1.0, 1.0], x, activations.silu(x))
    np.testing.assert_array_equal(found, [0, 1])


def test_backward_says_what_to_attach():
    advice = r"Received: cube, without an attribute `gradient`\. .*cube\.gradient = lambda"
    with pytest.raises(TypeError, match=advice):
        backward(cube, np.ones(2), np.ones(2), np.ones(2))


def test_backward_checks_the_shapes_that_go_in_and_out():
    x = np.ones((2, 3))
    rule = r"`output_gradient` must have the shape of `output`\. Received: shape \(3,\), and"
    with pytest.raises(ValueError, match=rule):
        backward("relu", np.ones(3), x, x)
    wrong = Power(1)
    wrong.gradient = lambda output_gradient, x, output: output_gradient.sum()
    rule = r"result of `gradient` must have the shape of `x`\. Received: shape \(\), .*\(2, 3\)"
    with pytest.raises(ValueError, match=rule):
        backward(wrong, x, x, x)


SIGNATURES = {
    "relu": "(x, negative_slope=0.0, max_value=None, threshold=0.0)",
    "leaky_relu": "(x, negative_slope=0.2)",
    "elu": "(x, alpha=1.0)",
    "celu": "(x, alpha=1.0)",
    "gelu": "(x, approximate=False)",
    "glu": "(x, axis=-1)",
    "softmax": "(x, axis=-1)",
    "log_softmax": "(x, axis=-1)",
    "sparsemax": "(x, axis=-1)",
    "soft_shrink": "(x, threshold=0.5)",
    "hard_shrink": "(x, threshold=0.5)",
    "threshold": "(x, threshold, default_value)",
    "squareplus": "(x, b=4)",
}


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_those_of_keras(name):
    signature = inspect.signature(getattr(activations, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == SIGNATURES.get(name, "(x)")
