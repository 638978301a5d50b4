"""Optimizers: what a step does, what it leaves alone, settings, schedules, state and refusals."""

import json
import re

import numpy as np
import pytest

from convlab import optimizers
from convlab.optimizers import SGD, Adam, Optimizer, RMSprop, schedules
from convlab.optimizers.optimizer import BLOCK
from convlab.variables import Variable

G = np.array([0.5, -1.0])
CASES = {
    "sgd": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9}),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (Adam, {}),
    "amsgrad": (Adam, {"amsgrad": True}),
    "rmsprop": (RMSprop, {}),
    "rmsprop-all": (RMSprop, {"momentum": 0.5, "centered": True}),
    "averaged": (SGD, {"momentum": 0.9, "use_ema": True, "ema_overwrite_frequency": 2}),
    "accumulated": (Adam, {"gradient_accumulation_steps": 2}),
    "clipped": (SGD, {"momentum": 0.9, "global_clipnorm": 0.5, "weight_decay": 0.1}),
}
every = pytest.mark.parametrize(("cls", "settings"), CASES.values(), ids=CASES)


def weights(value=(1.0, 2.0), dtype="float64", **kwargs):
    return Variable(np.array(value), dtype=dtype, **kwargs)


def after(optimizer, steps, gradient=G, **kwargs):
    variable = weights(**kwargs)
    for _ in range(steps):
        optimizer.apply([gradient], [variable])
    return variable.numpy()


@pytest.mark.parametrize(
    ("settings", "steps", "expected"),
    [
        ({}, 1, [0.95, 2.1]),
        ({"momentum": 0.9}, 3, [0.7195, 2.561]),
        ({"momentum": 0.9, "nesterov": True}, 1, [0.905, 2.19]),
        ({"momentum": 0.9, "nesterov": True}, 3, [0.59755, 2.8049]),
        ({"nesterov": True}, 1, [0.95, 2.1]),
        ({"weight_decay": 0.1}, 1, [0.94, 2.08]),
        ({"clipnorm": 0.5}, 1, [0.97764, 2.04472]),
        ({"global_clipnorm": 0.5}, 1, [0.97764, 2.04472]),
        ({"clipvalue": 0.6}, 1, [0.95, 2.06]),
        ({"clipnorm": 0.0}, 1, [0.95, 2.1]),
        ({"loss_scale_factor": 4.0}, 1, [0.9875, 2.025]),
        ({"gradient_accumulation_steps": 2}, 1, [1.0, 2.0]),
        ({"gradient_accumulation_steps": 2}, 2, [0.95, 2.1]),
        ({"gradient_accumulation_steps": 2}, 5, [0.9, 2.2]),
    ],
)
def test_steps_that_keras_makes(settings, steps, expected):
    np.testing.assert_allclose(after(SGD(0.1, **settings), steps), expected, atol=6e-6)


def test_adam_follows_its_definition():
    w, m, v = np.array([1.0, 2.0]), 0.0, 0.0
    for t in (1, 2, 3):
        m, v = 0.9 * m + 0.1 * G, 0.999 * v + 0.001 * G**2
        w = w - 0.125 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-12)
    np.testing.assert_allclose(after(Adam(0.125, epsilon=1e-14), 3), w)


def test_amsgrad_keeps_the_largest_mean_square():
    plain, kept = weights(), weights()
    for optimizer, variable in ((Adam(0.1), plain), (Adam(0.1, amsgrad=True), kept)):
        for gradient in (100 * G, *[G] * 20):
            optimizer.apply([gradient], [variable])
    moved = np.abs(plain.value - [1.0, 2.0]), np.abs(kept.value - [1.0, 2.0])
    assert (moved[1] < moved[0]).all()


def test_rmsprop_follows_its_definition():
    w, v, mean, step = np.array([1.0, 2.0]), 0.0, 0.0, 0.0
    for _ in range(3):
        v, mean = 0.9 * v + 0.1 * G**2, 0.9 * mean + 0.1 * G
        step = 0.5 * step + 0.125 * G / np.sqrt(v - mean**2 + 1e-7)
        w = w - step
    np.testing.assert_allclose(after(RMSprop(0.125, momentum=0.5, centered=True), 3), w)


def test_a_global_norm_is_that_of_all_gradients_together():
    a, b = weights(), weights()
    SGD(1.0, global_clipnorm=1.0).apply([np.array([3.0, 0.0]), np.array([0.0, 4.0])], [a, b])
    np.testing.assert_allclose([a.value, b.value], [[0.4, 2.0], [1.0, 1.2]])


def test_the_average_replaces_the_weights_when_it_is_time():
    optimizer, variable = SGD(0.5, use_ema=True, ema_momentum=0.5), weights()
    optimizer.apply([G], [variable])
    optimizer.apply([G], [variable])
    np.testing.assert_allclose(variable.value, [0.5, 3.0])
    optimizer.finalize_variable_values([variable])
    np.testing.assert_allclose(variable.value, [0.625, 2.75])


def test_the_average_overwrites_every_so_many_steps():
    settings = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}
    np.testing.assert_allclose(after(SGD(0.5, **settings), 2), [0.625, 2.75])


def test_constraints_act_after_the_step():
    assert after(SGD(10.0), 1, constraint=lambda w: np.maximum(w, 0))[0] == 0


def test_spared_variables_do_not_decay():
    optimizer, kernel, bias = SGD(0.1, weight_decay=0.5), weights(name="kernel"), weights(name="b")
    optimizer.exclude_from_weight_decay(var_names=["kern"])
    optimizer.apply([0 * G, 0 * G], [kernel, bias])
    np.testing.assert_allclose(kernel.value, [1.0, 2.0])
    np.testing.assert_allclose(bias.value, [0.95, 1.9])
    with pytest.raises(ValueError, match="must come before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_list=[bias])


@every
def test_large_arrays_in_pieces_equal_small_ones(cls, settings):
    rng = np.random.default_rng(0)
    shape = (3, BLOCK // 2 + 5)
    start, gradients = rng.normal(size=shape), rng.normal(size=(4, *shape))
    whole, parts = Variable(start), [Variable(row) for row in start]
    one, many = cls(0.1, **settings), cls(0.1, **settings)
    for gradient in gradients:
        one.apply([gradient], [whole])
        many.apply(list(gradient), parts)
    tolerance = {"rtol": 1e-12} if "global_clipnorm" in settings else {"rtol": 0}
    np.testing.assert_allclose(whole.value, np.stack(parts), **tolerance)


@every
@pytest.mark.parametrize("size", [5, BLOCK + 5])
def test_gradients_and_old_values_stay_as_they_were(cls, settings, size):
    gradient, variable, optimizer = np.ones(size), Variable(np.ones(size)), cls(0.1, **settings)
    held = []
    for _ in range(5):
        optimizer.apply([gradient], [variable])
        held += [(v.value, v.numpy()) for v in (variable, *optimizer.variables)]
    np.testing.assert_array_equal(gradient, 1)
    for value, copy in held:
        np.testing.assert_array_equal(value, copy)


def test_memory_of_large_arrays_serves_again():
    variable, optimizer = Variable(np.ones(BLOCK + 1)), SGD(0.1)
    places = []
    for _ in range(6):
        optimizer.apply([np.ones(BLOCK + 1)], [variable])
        places.append(variable.value.ctypes.data)
    assert len(set(places)) == 2


@every
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_shape_and_dtype_stay(cls, settings, dtype, shape):
    optimizer, variable = cls(0.1, **settings), Variable(np.ones(shape), dtype=dtype)
    for _ in range(3):
        optimizer.apply([np.ones(shape)], [variable])
    for v in (variable, *optimizer.variables[2:]):
        assert (type(v.value), v.shape, v.dtype) == (np.ndarray, shape, dtype)


@every
def test_a_failed_step_changes_nothing(cls, settings):
    optimizer = cls(0.1, **settings)
    good, bad = weights(), weights()
    optimizer.apply([G, G], [good, bad])

    def broken(w):
        raise RuntimeError("no")

    bad.constraint = broken
    before, kept = optimizer.state(), good.numpy()
    for gradients, error in (([G, G], RuntimeError), ([G, np.ones(3)], ValueError)):
        with pytest.raises(error):
            optimizer.apply(gradients)
    np.testing.assert_array_equal(good.value, kept)
    for key, value in optimizer.state().items():
        np.testing.assert_array_equal(value, before[key])


def test_a_diverging_run_gives_no_warnings():
    assert not np.isfinite(after(SGD(1e30, clipnorm=None), 3, G * 1e30, dtype="float32")).any()


@every
def test_a_run_that_stopped_continues_exactly(cls, settings):
    rng = np.random.default_rng(1)
    gradients = rng.normal(size=(6, 2))
    straight = weights()
    optimizer = cls(0.1, **settings)
    for gradient in gradients:
        optimizer.apply([gradient], [straight])
    resumed, first = weights(), cls(0.1, **settings)
    for gradient in gradients[:3]:
        first.apply([gradient], [resumed])
    second = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(first))))
    second.build([resumed])
    second.set_state(first.state())
    for gradient in gradients[3:]:
        second.apply([gradient], [resumed])
    np.testing.assert_array_equal(resumed.value, straight.value)


@pytest.mark.parametrize("change", [{"2": np.ones(3)}, {"9": np.ones(2)}, {"2": np.array([1j, 0])}])
def test_a_state_that_does_not_fit_changes_nothing(change):
    optimizer = SGD(0.1, momentum=0.9)
    after(optimizer, 2)
    before = optimizer.state()
    with pytest.raises(ValueError, match="Received: "):
        optimizer.set_state({**before, "0": np.array(7), **change})
    assert int(optimizer.iterations) == 2


def test_a_state_before_build_is_told_to_build():
    optimizer = SGD(0.1, momentum=0.9)
    after(optimizer, 1)
    with pytest.raises(ValueError, match=r"Call build\(variables\) first"):
        SGD(0.1, momentum=0.9).set_state(optimizer.state())


def test_variables_have_keras_order_and_names():
    kernel, bias = weights(path="conv2d/kernel"), weights(path="conv2d/bias")
    adam = Adam(amsgrad=True, name="adam")
    adam.build([kernel, bias])
    assert [v.path for v in adam.variables] == [
        "adam/iteration",
        "adam/learning_rate",
        "adam/conv2d_kernel_momentum",
        "adam/conv2d_kernel_velocity",
        "adam/conv2d_bias_momentum",
        "adam/conv2d_bias_velocity",
        "adam/conv2d_kernel_velocity_hat",
        "adam/conv2d_bias_velocity_hat",
    ]


# -- the learning rate ----------------------------------------------------------------------------


def test_the_learning_rate_can_be_set():
    optimizer = SGD(0.1)
    optimizer.learning_rate = 1
    np.testing.assert_allclose(after(optimizer, 1), [0.5, 3.0])
    optimizer.learning_rate = lambda: 0.25
    assert optimizer.learning_rate == 0.25


@pytest.mark.parametrize("rate", [lambda step: 0.1 * (step + 1), lambda: 0.1])
def test_a_callable_rate_may_take_the_step(rate):
    optimizer = SGD(rate)
    after(optimizer, 1)
    assert optimizer.learning_rate in (0.2, 0.1)


@pytest.mark.parametrize("rate", [1, None, "0.1", np.float32(0.1), True, float("nan"), [0.1]])
def test_rates_that_are_no_float_are_refused(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be a finite float, a LearningRate"):
        SGD(rate)


@pytest.mark.parametrize("rate", ["x", None, [0.1], float("inf")])
def test_rates_that_are_no_number_are_not_set(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be a finite number"):
        SGD().learning_rate = rate


def test_a_schedules_rate_cannot_be_set():
    with pytest.raises(TypeError, match="decided by ExponentialDecay"):
        SGD(schedules.ExponentialDecay(0.1, 1, 0.5)).learning_rate = 0.1


def test_schedules_by_hand():
    piecewise = schedules.PiecewiseConstantDecay([1, 3], [0.3, 0.2, 0.1])
    assert [piecewise(step) for step in range(5)] == [0.3, 0.3, 0.2, 0.2, 0.1]
    assert schedules.InverseTimeDecay(0.1, 2, 1.0, staircase=True)(3) == 0.05
    cosine = schedules.CosineDecay(0.0, 10, alpha=0.1, warmup_target=0.4, warmup_steps=4)
    np.testing.assert_allclose(
        [cosine(s) for s in (0, 2, 4, 9, 14, 99)], [0, 0.2, 0.4, 0.22, 0.04, 0.04]
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps` must be > 0"),
        (lambda: schedules.CosineDecay("a", 1), "`initial_learning_rate` must be a finite number"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "one element more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [1.0, 2.0, 3.0]), "must increase"),
    ],
)
def test_schedules_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_schedule_comes_back_from_a_config():
    optimizer = SGD(schedules.CosineDecay(0.1, 10))
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert again.learning_rate == 0.1
    assert again.get_config() == optimizer.get_config()


# -- names of the past, settings, identifiers -----------------------------------------------------


@pytest.mark.parametrize("cls", [SGD, Adam, RMSprop])
def test_lr_is_told_its_name_of_today(cls):
    message = re.escape("Argument(s) not recognized: {'lr': 0.1}. `lr` is called `learning_rate`.")
    with pytest.raises(ValueError, match=message):
        cls(lr=0.1)
    with pytest.raises(AttributeError, match="write `learning_rate`"):
        cls().lr  # noqa: B018
    with pytest.raises(AttributeError, match="set `learning_rate`"):
        cls().lr = 0.1


def test_decay_is_ignored_with_a_warning_that_names_its_like():
    with pytest.warns(UserWarning, match=r"ignored.*schedules\.InverseTimeDecay") as caught:
        SGD(0.1, decay=0.5)
    assert caught[0].filename == __file__
    SGD(0.1, decay=None)


def test_legacy_optimizers_are_an_import_error():
    with pytest.raises(ImportError, match=r"Use optimizers\.SGD"):
        optimizers.legacy.SGD  # noqa: B018


def test_other_arguments_are_refused_with_those_known():
    with pytest.raises(ValueError, match=r"not recognized: {'speed': 3}. Known: learning_rate, mo"):
        SGD(speed=3)


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        (SGD, {"momentum": 0}, "`momentum` must be a float from 0 to 1"),
        (SGD, {"momentum": 1.5}, "`momentum` must be a float from 0 to 1"),
        (SGD, {"momentum": float("nan")}, "`momentum` must be a float from 0 to 1"),
        (SGD, {"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of `clipnorm`, `clipvalue`"),
        (SGD, {"clipnorm": -1.0}, "`clipnorm` must be a finite number"),
        (SGD, {"weight_decay": "a"}, "`weight_decay` must be a finite number"),
        (SGD, {"gradient_accumulation_steps": 1}, "must be an integer >= 2. Received: gradient"),
        (SGD, {"use_ema": True, "ema_momentum": 2}, "`ema_momentum` must be .* at most 1"),
        (SGD, {"use_ema": True, "ema_overwrite_frequency": 0}, "must be an integer >= 1"),
        (Adam, {"beta_1": 1.0}, "`beta_1` must be a finite number below 1"),
        (Adam, {"epsilon": "a"}, "`epsilon` must be a finite number"),
        (RMSprop, {"rho": 1.1}, "`rho` must be a finite number of at most 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(cls, settings, message):
    with pytest.raises(ValueError, match=message):
        cls(**settings)


@pytest.mark.parametrize("name", ["sgd", "SGD", "Adam", "adam", "RMSprop", "rmsprop"])
def test_names_are_read_in_any_case(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


@pytest.mark.parametrize("identifier", ["adagrad", 3, SGD, [], {}, np.sum])
def test_what_is_no_optimizer_is_refused(identifier):
    with pytest.raises(ValueError, match="Received: "):
        optimizers.get(identifier)


def test_a_class_is_told_to_be_made():
    with pytest.raises(ValueError, match=r"Make one: SGD\(\)"):
        optimizers.get(SGD)


@every
def test_configs_have_keras_keys_and_come_back(cls, settings):
    config = optimizers.serialize(cls(0.3, **settings))
    assert config["module"] == "keras.optimizers"
    assert list(config["config"])[:6] == [
        "name", "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue",
    ]  # fmt: skip
    assert config["config"]["learning_rate"] == 0.3
    assert optimizers.deserialize(config).get_config() == config["config"]


# -- calls that do not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ([np.ones(3)], r"gradient of w must be .* shape \(2,\). Received: shape \(3,\)"),
        ([np.ones((1, 2))], r"Received: shape \(1, 2\)"),
        ([np.array(["a", "b"])], "array of real numbers"),
        ([G * 1j], "array of real numbers"),
        ([None], r"No gradients provided for any variable"),
        ([G, G], "Received: 2 gradients for 1 variables"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(gradients, message):
    with pytest.raises(ValueError, match=message):
        SGD().apply(gradients, [weights(name="w")])


def test_a_missing_gradient_leaves_its_variable_with_a_warning():
    a, b = weights(name="a"), weights(name="b")
    with pytest.warns(UserWarning, match=r"do not exist for variables \['b'\]"):
        SGD(0.1).apply([G, None], [a, b])
    np.testing.assert_allclose([a.value, b.value], [[0.95, 2.1], [1.0, 2.0]])


def test_other_variables_are_unknown():
    optimizer = SGD()
    optimizer.apply([G], [weights()])
    with pytest.raises(ValueError, match=r"Unknown variable: other.*Make a new optimizer"):
        optimizer.apply([G], [weights(name="other")])


def test_calls_without_variables_or_gradients():
    with pytest.raises(ValueError, match=r"Call build\(variables\) first"):
        SGD().apply([G])
    with pytest.raises(ValueError, match="at least one gradient"):
        SGD().apply_gradients([])
    SGD().apply([])


def test_a_variable_twice_is_refused():
    variable = weights()
    with pytest.raises(ValueError, match="Each variable must be given once"):
        SGD().apply([G, G], [variable, variable])
    with pytest.raises(TypeError, match="changes Variables"):
        SGD().apply([G], [G])


def test_pairs_are_applied_and_counted():
    variable = weights()
    assert int(SGD(0.1).apply_gradients(zip([G], [variable], strict=True))) == 1
    np.testing.assert_allclose(variable.value, [0.95, 2.1])


def test_a_constraint_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="must return weights of the shape it was given"):
        after(SGD(), 1, constraint=lambda w: w[:1])


class Lengths(Optimizer):
    """Steps of one length, whatever the gradient's: a rule that needs the whole array."""

    def update_step(self, gradient, weights, slots, learning_rate):
        weights -= learning_rate * gradient / np.linalg.norm(gradient)


def test_a_rule_of_ones_own_sees_whole_arrays():
    variable = Variable(np.zeros(4 * BLOCK))
    Lengths(0.5).apply([np.ones(4 * BLOCK)], [variable])
    assert np.linalg.norm(variable) == pytest.approx(0.5)


def test_a_rule_cannot_change_the_callers_gradient():
    class Spoiler(Optimizer):
        def update_step(self, gradient, weights, slots, learning_rate):
            gradient *= 2

    with pytest.raises(ValueError, match="read-only"):
        Spoiler(0.1).apply([G], [weights()])


def test_a_loss_is_scaled_by_the_factor():
    assert SGD(loss_scale_factor=8.0).scale_loss(0.5) == 4.0
    assert SGD().scale_loss(0.5) == 0.5


def test_gradients_of_infinite_norm_become_nan_under_a_global_norm():
    infinite = np.array([np.inf, 1.0])
    assert np.isnan(after(SGD(global_clipnorm=1.0), 1, infinite)).all()


def test_the_store_of_keras_holds_the_state():
    first, second, store = SGD(0.1, momentum=0.9), SGD(0.5, momentum=0.9), {}
    after(first, 2)
    first.save_own_variables(store)
    second.build([weights()])
    second.load_own_variables(store)
    assert float(second.learning_rate) == np.float32(0.1)
    assert int(second.iterations) == 2
