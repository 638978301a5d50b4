"""Initializers: distributions, seeds, fans, names, configs and refusals.

Draws are seeded and many; a tolerance is five standard errors of the thing measured.
"""

import json
import math

import numpy as np
import pytest

from convlab import config, initializers, random, utils
from convlab.initializers import (
    STFT,
    Constant,
    Identity,
    Initializer,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    fans,
)
from convlab.objects import custom_object_scope
from convlab.random import SeedGenerator
from convlab.variables import Variable

SHAPE = (3, 3, 64, 256)  # 147,456 numbers; fan_in 576, fan_out 2304
SIZE = math.prod(SHAPE)
FANS = {"fan_in": 576, "fan_out": 2304, "fan_avg": 1440}
CUT_STDDEV = 0.87962566103423978  # of a unit normal distribution cut at two

# name: (scale, mode, distribution)
RULES = {
    "GlorotUniform": (1, "fan_avg", "uniform"),
    "GlorotNormal": (1, "fan_avg", "truncated_normal"),
    "HeUniform": (2, "fan_in", "uniform"),
    "HeNormal": (2, "fan_in", "truncated_normal"),
    "LecunUniform": (1, "fan_in", "uniform"),
    "LecunNormal": (1, "fan_in", "truncated_normal"),
}
RANDOM = {
    **{name: getattr(initializers, name) for name in RULES},
    "RandomNormal": RandomNormal,
    "RandomUniform": RandomUniform,
    "TruncatedNormal": TruncatedNormal,
    "VarianceScaling": VarianceScaling,
    "Orthogonal": Orthogonal,
}
every_random = pytest.mark.parametrize("kind", RANDOM.values(), ids=RANDOM)


@pytest.fixture(autouse=True)
def _leave_the_global_generator_alone():
    state = random.get_state()
    yield
    random.set_state(state)


def normal_share_below(x):
    return np.array([(1 + math.erf(value / math.sqrt(2))) / 2 for value in x])


def truncated_share_below(x):
    low, high = normal_share_below([-2, 2])
    return (normal_share_below(x) - low) / (high - low)


SHARE_BELOW = {  # of distributions with mean 0 and standard deviation 1
    "uniform": lambda x: (x / math.sqrt(3) + 1) / 2,
    "truncated_normal": lambda x: truncated_share_below(x * CUT_STDDEV),
    "untruncated_normal": normal_share_below,
}


def check_distribution(values, distribution, mean, stddev):
    """Mean and variance within five standard errors; Kolmogorov's distance within its 1 in 1000."""
    x = (np.ravel(values).astype(np.float64) - mean) / stddev
    assert abs(x.mean()) < 5 / math.sqrt(x.size)
    kurtosis = 3  # the largest of the three distributions'
    assert abs(x.var() - 1) < 5 * math.sqrt((kurtosis - 1) / x.size)
    x = np.sort(x[:20_000])
    steps = np.arange(x.size) / x.size
    distance = np.abs(SHARE_BELOW[distribution](x) - steps).max()
    assert distance < 1.95 / math.sqrt(x.size) + 1 / x.size


# Distributions ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "rule"), RULES.items(), ids=RULES)
def test_a_persons_rule_has_its_variance_and_its_shape(name, rule):
    scale, mode, distribution = rule
    values = getattr(initializers, name)(seed=1)(SHAPE)
    check_distribution(values, distribution, 0, math.sqrt(scale / FANS[mode]))


@pytest.mark.parametrize("distribution", SHARE_BELOW)
@pytest.mark.parametrize("mode", FANS)
def test_variance_scaling_has_the_variance_of_its_mode(mode, distribution):
    values = VarianceScaling(0.7, mode, distribution, seed=2)(SHAPE)
    check_distribution(values, distribution, 0, math.sqrt(0.7 / FANS[mode]))


def test_plain_distributions_have_mean_and_deviation():
    check_distribution(RandomNormal(3, 0.2, seed=3)(SHAPE), "untruncated_normal", 3, 0.2)
    values = RandomUniform(-1, 4, seed=3)(SHAPE)
    check_distribution(values, "uniform", 1.5, 5 / math.sqrt(12))


def test_truncated_normal_is_narrower_than_asked_for_and_variance_scaling_corrects_that():
    values = TruncatedNormal(3, 0.2, seed=3)(SHAPE)
    check_distribution(values, "truncated_normal", 3, 0.2 * CUT_STDDEV)
    corrected = VarianceScaling(0.2**2 * 576, seed=3)(SHAPE)
    assert corrected.std() / values.std() == pytest.approx(1 / CUT_STDDEV, rel=1e-5)


@pytest.mark.parametrize(("name", "rule"), RULES.items(), ids=RULES)
def test_values_fill_their_interval_to_the_bounds_and_not_beyond(name, rule):
    scale, mode, distribution = rule
    stddev = math.sqrt(scale / FANS[mode])
    limit = np.float32(stddev * (math.sqrt(3) if distribution == "uniform" else 2 / CUT_STDDEV))
    values = getattr(initializers, name)(seed=4)(SHAPE)
    assert -limit <= values.min() < -0.999 * limit
    assert 0.999 * limit < values.max() <= limit


def test_uniform_leaves_its_upper_bound_out():
    values = RandomUniform(0, 1, seed=5)(SHAPE, "float16")
    assert values.min() < 1e-4
    assert values.max() == 1 - 2.0**-11


def test_default_arguments_are_kerass():
    assert RandomNormal(seed=6)(SHAPE).std() == pytest.approx(0.05, rel=0.01)
    assert abs(RandomUniform(seed=6)(SHAPE)).max() == pytest.approx(0.05, rel=0.001)
    assert abs(TruncatedNormal(seed=6)(SHAPE)).max() == pytest.approx(0.1, rel=0.001)
    assert VarianceScaling(seed=6)(SHAPE).var() == pytest.approx(1 / 576, rel=0.02)


def test_orientations_of_orthogonal_are_spread_evenly():
    angles = [np.arctan2(*Orthogonal(seed=seed)((2, 2))[:, 0]) for seed in range(2000)]
    counts = np.histogram(angles, 8, (-np.pi, np.pi))[0]
    assert ((counts - 250) ** 2 / 250).sum() < 24.3  # chi-square, 7 degrees, 1 in 1000
    signs = [np.linalg.det(Orthogonal(seed=seed)((2, 2))) for seed in range(2000)]
    assert abs(np.sum(np.sign(signs))) < 5 * math.sqrt(2000)


@pytest.mark.parametrize("shape", [(9, 4), (4, 4), (3, 3, 1, 4), (2, 2, 3, 5), (1, 1)])
def test_filters_of_orthogonal_are_at_right_angles(shape):
    columns = Orthogonal(gain=3, seed=1)(shape, "float64").reshape(-1, shape[-1])
    np.testing.assert_allclose(columns.T @ columns, 9 * np.eye(shape[-1]), atol=1e-13)


@pytest.mark.parametrize("shape", [(4, 9), (3, 3, 1, 32)])
def test_more_filters_than_rows_leave_the_rows_at_right_angles(shape):
    matrix = Orthogonal(seed=1)(shape, "float64").reshape(-1, shape[-1])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-13)


# Fans ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), (1, 1)), ((7,), (7, 7)), ((5, 6), (5, 6)), ((3, 5, 6), (15, 18)),
        ((3, 3, 16, 32), (144, 288)), ((2, 3, 4, 5, 6), (120, 144)), ((3, 3, 1, 64), (9, 576)),
        ((0, 3), (0, 3)),
    ],
)  # fmt: skip
def test_fans_of_a_shape(shape, expected):
    assert fans(shape) == expected
    assert fans(list(shape)) == expected


def test_fans_of_chosen_axes_need_both():
    assert fans((2, 3, 5, 7), [0, 2], [-1]) == (10, 7)
    assert fans((2, 3, 5, 7), [], []) == (1, 1)
    assert fans((2, 3, 5, 7), [0, 2]) == fans((2, 3, 5, 7), None, [0]) == fans((2, 3, 5, 7))


def test_a_missing_axis_is_refused():
    with pytest.raises(IndexError, match=r"Received: shape=\(2, 3\), axes=\(5,\)"):
        fans((2, 3), [0], [5])


def test_the_axes_reach_the_variance():
    values = VarianceScaling(seed=1, input_axes=[3], output_axes=[0])(SHAPE)
    check_distribution(values, "truncated_normal", 0, math.sqrt(1 / 256))
    values = initializers.HeUniform(seed=1, input_axes=[3], output_axes=[0])(SHAPE)
    check_distribution(values, "uniform", 0, math.sqrt(2 / 256))


def test_depthwise_kernels_count_all_filters_as_keras_does():
    values = initializers.GlorotUniform(seed=1)((3, 3, 1, 64))
    assert abs(values).max() == pytest.approx(math.sqrt(6 / (9 + 576)), rel=0.01)


@pytest.mark.parametrize("shape", [(), (0, 0), (0, 3), (3, 0)])
def test_a_fan_of_zero_counts_as_one(shape):
    assert VarianceScaling(mode="fan_in", seed=1)(shape).shape == shape


# Seeds -----------------------------------------------------------------------


@every_random
@pytest.mark.parametrize("seed", [5, 0, None, True], ids=str)
def test_the_same_initializer_gives_the_same_values_again(kind, seed):
    initializer = kind(seed=seed)
    np.testing.assert_array_equal(initializer((4, 5)), initializer((4, 5)))


@every_random
def test_two_without_a_seed_differ(kind):
    assert not np.array_equal(kind()((4, 5)), kind()((4, 5)))
    name = kind.__name__
    assert not np.array_equal(initializers.get(name)((4, 5)), initializers.get(name)((4, 5)))


@every_random
def test_a_seed_generator_gives_new_values_in_a_sequence_that_repeats(kind):
    one, two = kind(seed=SeedGenerator(5)), kind(seed=SeedGenerator(5))
    first, second = one((4, 5)), one((4, 5))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, two((4, 5)))
    np.testing.assert_array_equal(second, two((4, 5)))


@every_random
def test_set_random_seed_makes_unseeded_values_repeat(kind):
    utils.set_random_seed(9)
    first = kind()((4, 5)), kind()((4, 5))
    utils.set_random_seed(9)
    np.testing.assert_array_equal((kind()((4, 5)), kind()((4, 5))), first)


def test_the_values_of_a_seed_are_pinned():
    values = initializers.GlorotUniform(seed=7)((3,))
    assert values.tolist() == [0.5957183837890625, -0.8938122391700745, 0.1827022284269333]


@pytest.mark.parametrize("seed", ["a", 1.0, [1], {"a": 1}, -1, 2**32, np.int64(3)])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match=r"`?seed`? must be an integer.* Received: seed="):
        RandomNormal(seed=seed)


# Constants -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [None, "float16", "float64", "int32", "bool"])
def test_constants_take_any_dtype(dtype):
    for initializer, value in [(Zeros(), 0), (Ones(), 1), (Constant(1), 1)]:
        values = initializer((2, 3), dtype)
        assert values.dtype == (dtype or "float32")
        np.testing.assert_array_equal(values, np.full((2, 3), value))


def test_without_a_dtype_it_is_floatx():
    config.set_floatx("float64")
    try:
        for name in ("zeros", "ones", "orthogonal", "he_normal", "glorot_uniform", "identity"):
            assert initializers.get(name)((2, 2)).dtype == np.float64
    finally:
        config.set_floatx("float32")


def test_a_constant_array_is_repeated_over_the_shape():
    for value in ([1, 2], (1, 2), np.array([1, 2])):
        np.testing.assert_array_equal(Constant(value)((3, 2)), [[1, 2]] * 3)


@pytest.mark.parametrize(
    ("shape", "received"), [((2,), r"\(2,\)"), ((1,), r"\(1,\)"), ((), r"\(\)")]
)
def test_a_constant_array_that_does_not_fit_is_refused(shape, received):
    with pytest.raises(ValueError, match=rf"broadcast .*value of shape \(3,\), shape={received}"):
        Constant([1, 2, 3])(shape)


def test_every_call_gives_an_array_of_its_own():
    for initializer in (Constant(1), Zeros(), Identity(), initializers.get(np.ones((2, 2)))):
        first = initializer((2, 2))
        first[:] = 7
        assert initializer((2, 2)).max() <= 1


@pytest.mark.parametrize(("shape"), [(2, 3), (3, 2), (2, 2), (0, 2)])
def test_identity_of_any_matrix(shape):
    np.testing.assert_array_equal(Identity(0.5)(shape), 0.5 * np.eye(*shape))


@pytest.mark.parametrize("shape", [(2,), (3, 3, 2, 2), ()])
def test_identity_refuses_what_is_no_matrix(shape):
    with pytest.raises(ValueError, match=r"matrices only.* Received: shape="):
        Identity()(shape)


# The very values -------------------------------------------------------------


def test_an_array_is_an_initializer_of_its_shape_alone():
    kernel = np.arange(6).reshape(2, 3)
    initializer = initializers.get(kernel)
    np.testing.assert_array_equal(initializer([2, 3]), kernel)
    assert initializer((2, 3)).dtype == np.float32
    assert initializer((2, 3), "float64").dtype == np.float64
    with pytest.raises(ValueError, match=r"array of shape \(2, 3\), shape=\(3, 2\)"):
        initializer((3, 2))
    with pytest.raises(ValueError, match=r"array of shape \(2, 3\), shape=\(5, 2, 3\)"):
        initializer((5, 2, 3))


def test_the_array_is_copied_when_it_is_given():
    kernel = np.ones((2, 2))
    initializer = initializers.get(kernel)
    kernel[:] = 7
    np.testing.assert_array_equal(initializer((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize(
    "value", [np.float32(3), Variable(np.float32(3))], ids=["scalar", "variable"]
)
def test_numbers_with_a_shape_of_nothing_initialize_a_scalar(value):
    initializer = initializers.get(value)
    assert initializer(()) == 3
    with pytest.raises(ValueError, match=r"array of shape \(\), shape=\(2,\)"):
        initializer((2,))


def test_an_array_survives_its_config():
    initializer = initializers.get(np.array([[0.1, 2]], np.float32))
    written = json.loads(json.dumps(initializers.serialize(initializer)))
    assert written["class_name"] == "Constant"
    again = initializers.get(written)((1, 2))
    np.testing.assert_array_equal(again, initializer((1, 2)))


# STFT ------------------------------------------------------------------------


def test_stft_is_the_fourier_transform_of_the_windowed_frame():
    frame = np.random.default_rng(0).normal(size=16)
    window = np.hamming(16)
    expected = np.fft.rfft(frame * window)
    for side, part in (("real", expected.real), ("imag", expected.imag)):
        weight = STFT(side, "hamming", None)((16, 1, 9), "float64")
        np.testing.assert_allclose(frame @ weight[:, 0], part, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "numpys"), [("hann", np.hanning), ("hamming", np.hamming), ("blackman", np.blackman)]
)
def test_windows_are_numpys_and_periodic_ones_leave_out_the_seam(name, numpys):
    first_band = STFT(window=name, scaling=None)((9, 1, 2), "float64")[:, 0, 0]
    np.testing.assert_allclose(first_band, numpys(9), atol=1e-15)
    periodic = STFT(window=name, scaling=None, periodic=True)((8, 1, 2), "float64")[:, 0, 0]
    np.testing.assert_allclose(periodic, numpys(9)[:-1], atol=1e-15)


def test_scaling_of_a_window():
    window = np.array([1, -2, 3.0])
    for scaling, scale in (("density", math.sqrt(14)), ("spectrum", 6), (None, 1)):
        values = STFT(window=window, scaling=scaling)((3, 1, 2), "float64")[:, 0, 0]
        np.testing.assert_allclose(values, window / scale, atol=1e-15)


@pytest.mark.parametrize("shape", [(4, 1), (4, 2, 3), (4, 1, 1)])
def test_stft_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"\(frame_length, 1, bands\).* Received: shape="):
        STFT()(shape)


def test_stft_refuses_windows_that_do_not_serve():
    with pytest.raises(ValueError, match=r"window of shape \(2,\), frame_length=4"):
        STFT(window=[1, 2])((4, 1, 3))
    with pytest.raises(ValueError, match=r"zeros cannot be scaled.* longer frame"):
        STFT(window="hann")((2, 1, 3))
    with pytest.raises(ValueError, match=r"Received: window='kaiser'\. Give the values"):
        STFT(window="kaiser")


# Arguments -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "message"),
    [
        (VarianceScaling, {"scale": 0}, ValueError, "positive. Received: scale=0"),
        (VarianceScaling, {"scale": math.nan}, ValueError, "finite. Received: scale=nan"),
        (VarianceScaling, {"scale": "1"}, TypeError, "number. Received: scale='1'"),
        (VarianceScaling, {"mode": "FAN_IN"}, ValueError, "'fan_avg'. Received: mode='FAN_IN'"),
        (VarianceScaling, {"distribution": "x"}, ValueError, "Received: distribution='x'"),
        (VarianceScaling, {"distribution": None}, ValueError, "Received: distribution=None"),
        (RandomNormal, {"stddev": -0.1}, ValueError, "negative. Received: stddev=-0.1"),
        (RandomNormal, {"mean": None}, TypeError, "number. Received: mean=None"),
        (TruncatedNormal, {"stddev": -0.1}, ValueError, "negative. Received: stddev=-0.1"),
        (RandomUniform, {"minval": 1}, ValueError, "Received: minval=1, maxval=0.05"),
        (RandomUniform, {"maxval": math.inf}, ValueError, "finite. Received: maxval=inf"),
        (Orthogonal, {"gain": "a"}, TypeError, "number. Received: gain='a'"),
        (Identity, {"gain": None}, TypeError, "number. Received: gain=None"),
        (Constant, {"value": "a"}, ValueError, "number.* Received: value='a'"),
        (Constant, {"value": None}, ValueError, "number.* Received: value=None"),
        (STFT, {"side": "left"}, ValueError, "'real', 'imag'. Received: side='left'"),
        (STFT, {"scaling": "x"}, ValueError, "None. Received: scaling='x'"),
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused(kind, arguments, error, message):
    with pytest.raises(error, match=message):
        kind(**arguments)


def test_the_distribution_is_read_in_any_case():
    assert VarianceScaling(distribution="Normal").distribution == "truncated_normal"
    assert VarianceScaling(distribution="UNIFORM").distribution == "uniform"


@every_random
def test_random_values_need_a_dtype_of_floats(kind):
    with pytest.raises(ValueError, match=r"dtype of floats.* Received: dtype=int32"):
        kind()((2, 2), "int32")
    assert kind()((2, 2), "float16").dtype == np.float16


@pytest.mark.parametrize("shape", [(3,), ()])
def test_orthogonal_needs_two_axes(shape):
    with pytest.raises(ValueError, match=r"two axes or more. Received: shape="):
        Orthogonal()(shape)


def test_the_base_has_no_values():
    with pytest.raises(NotImplementedError, match="its own `__call__`"):
        initializers.get("initializer")((2,))


# Names and configs -----------------------------------------------------------

NAMES = {
    "Constant": ["constant"],
    "GlorotNormal": ["glorot_normal"],
    "GlorotUniform": ["glorot_uniform"],
    "HeNormal": ["he_normal"],
    "HeUniform": ["he_uniform"],
    "Identity": ["identity", "IdentityInitializer"],
    "LecunNormal": ["lecun_normal"],
    "LecunUniform": ["lecun_uniform"],
    "Ones": ["ones", "one"],
    "Orthogonal": ["orthogonal", "OrthogonalInitializer"],
    "RandomNormal": ["random_normal", "normal"],
    "RandomUniform": ["random_uniform", "uniform"],
    "STFT": ["stft", "STFTInitializer"],
    "TruncatedNormal": ["truncated_normal"],
    "VarianceScaling": ["variance_scaling"],
    "Zeros": ["zeros", "zero"],
}


@pytest.mark.parametrize(("name", "others"), NAMES.items(), ids=NAMES)
def test_kerass_names_lead_to_the_class(name, others):
    kind = getattr(initializers, name)
    inner = {"value": 2} if kind is Constant else {}
    for other in [name, *others]:
        config = {"class_name": other, "config": inner}
        assert type(initializers.deserialize(config)) is kind
        assert inner or type(initializers.get(other)) is kind
        if other not in ("one", "zero", "normal", "uniform"):
            assert getattr(initializers, other) is kind
    assert type(initializers.get(kind)) is kind


@pytest.mark.parametrize("name", ["ZEROS", "he", "xavier", "", "Nope"])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match=f"initializer identifier.* Received: '{name}'"):
        initializers.get(name)


@pytest.mark.parametrize("identifier", [3.0, 0, [1, 2], (1,), {}, {"class_name": "Nope"}])
def test_what_is_no_identifier_is_refused(identifier):
    with pytest.raises(ValueError, match="Received: "):
        initializers.get(identifier)


@pytest.mark.parametrize("identifier", ["constant", "Constant", {"class_name": "Constant"}])
def test_a_constant_by_name_needs_its_value(identifier):
    with pytest.raises(ValueError, match=r"Constant needs its value. Received: config={}"):
        initializers.get(identifier)


def test_none_stays_none():
    assert initializers.get(None) is None
    assert initializers.deserialize(None) is None
    assert initializers.serialize(None) is None


CONFIGS = {
    "Zeros": {},
    "Ones": {},
    "Constant": {"value": 0.0},
    "Identity": {},
    "STFT": {"side": "real", "window": "hann", "periodic": False, "scaling": "density"},
    "RandomNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"seed": None, "minval": -0.05, "maxval": 0.05},
    "TruncatedNormal": {"seed": None, "mean": 0.0, "stddev": 0.05},
    "VarianceScaling": {
        "seed": None, "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal",
        "input_axes": None, "output_axes": None,
    },
    "Orthogonal": {"seed": None, "gain": 1.0},
    **{name: {"seed": None, "input_axes": None, "output_axes": None} for name in RULES},
}  # fmt: skip


@pytest.mark.parametrize(("name", "inner"), CONFIGS.items(), ids=CONFIGS)
def test_configs_are_those_that_keras_writes(name, inner):
    written = json.dumps(initializers.serialize(getattr(initializers, name)()))
    assert written == json.dumps(
        {"module": "keras.initializers", "class_name": name, "config": inner,
         "registered_name": None}
    )  # fmt: skip


@pytest.mark.parametrize(
    "initializer",
    [
        Constant(0.5), Constant([1, 2, 3]), Constant(np.float32([1, 2, 3])), Identity(2),
        STFT("imag", np.array([1, 2.0]), None, True), RandomNormal(1, 2, 3),
        RandomUniform(1, 2, 3), TruncatedNormal(1, 2, 3), Orthogonal(2.0, 3),
        VarianceScaling(3, "fan_out", "uniform", 4, [0], [1]),
        *(getattr(initializers, name)(5, [0], [1]) for name in RULES),
        initializers.HeNormal(seed=SeedGenerator(5, name="dice")),
    ],
    ids=repr,
)  # fmt: skip
def test_an_initializer_survives_json_and_cloning(initializer):
    shape = {STFT: (2, 1, 3), Identity: (3, 3)}.get(type(initializer), (2, 3))
    written = json.dumps(initializers.serialize(initializer))
    expected = initializer(shape)
    for again in (initializers.deserialize(json.loads(written)), initializer.clone()):
        assert type(again) is type(initializer)
        assert json.dumps(initializers.serialize(again)) == written
        np.testing.assert_array_equal(again(shape), expected)


def test_a_clone_without_a_seed_draws_its_own():
    initializer = RandomNormal()
    assert not np.array_equal(initializer.clone()((5,)), initializer((5,)))


def test_numpy_numbers_become_pythons_in_a_config():
    config = RandomNormal(np.float64(0.5), np.float32(0.25), 1).get_config()
    assert json.dumps(config) == '{"seed": 1, "mean": 0.5, "stddev": 0.25}'
    assert json.dumps(Constant(np.float32(2)).get_config()) == '{"value": 2.0}'


def test_an_unknown_argument_in_a_config_is_refused():
    with pytest.raises(TypeError, match=r"deserializing class 'HeNormal' using config={'a': 1}"):
        initializers.get({"class_name": "HeNormal", "config": {"a": 1}})


@pytest.mark.parametrize(
    "config", [None, {}, {"value": [1], "dtype": "O"}, {"value": "a", "dtype": "f4"}]
)
def test_a_damaged_array_in_a_config_is_refused(config):
    value = {"class_name": "__numpy__", "config": config}
    with pytest.raises(ValueError, match=r'has its "value" and "dtype". Received: '):
        initializers.get({"class_name": "Constant", "config": {"value": value}})


def test_functions_and_classes_of_your_own_serve():
    def halves(shape, dtype=None):
        return np.full(shape, 0.5, dtype)

    class Thirds(Initializer):
        def __call__(self, shape, dtype=None):
            return np.full(shape, 1 / 3, dtype)

    assert initializers.get(halves) is halves
    assert initializers.get(Thirds)((1,)) == [1 / 3]
    with custom_object_scope({"halves": halves}):
        assert initializers.get("halves") is halves
    written = json.loads(json.dumps(initializers.serialize(Thirds())))
    assert type(initializers.deserialize(written, {"Thirds": Thirds})) is Thirds
