"""Optimizers: ten steps from the same weights with the same gradients."""

import warnings

import numpy as np
import pytest

from convlab import Variable, optimizers
from parity import sides

OPTIONS = [
    "", "learning_rate=0.2", "weight_decay=0.1", "clipnorm=0.5", "clipvalue=0.3",
    "global_clipnorm=0.7", "use_ema=True", "use_ema=True, ema_momentum=0.5",
    "use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3", "gradient_accumulation_steps=3",
    "loss_scale_factor=4.0", "learning_rate=lambda: 0.05",
    "learning_rate=optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)",
    "weight_decay=0.1, clipnorm=0.5, use_ema=True, ema_momentum=0.9",
]  # fmt: skip
OWN = {
    "SGD": ["momentum=0.9", "momentum=0.9, nesterov=True", "nesterov=True",
            "momentum=0.5, weight_decay=0.1, clipvalue=0.2"],
    "Adam": ["beta_1=0.5, beta_2=0.9", "epsilon=0.1", "amsgrad=True",
             "amsgrad=True, weight_decay=0.01"],
    "RMSprop": ["rho=0.5", "momentum=0.9", "epsilon=0.1", "centered=True",
                "centered=True, momentum=0.5"],
}  # fmt: skip
CODES = [f"optimizers.{name}({options})" for name, own in OWN.items() for options in OPTIONS + own]
SHAPES = [(2, 2, 3, 4), (4,), ()]


def gradients(step):
    """Gradients of all sizes, another one for each step."""
    rng = np.random.default_rng([9, step])
    return [rng.normal(scale=3.0**-step, size=shape).astype("float32") for shape in SHAPES]


def variables(side, keras, constraint=None):
    """Three weights of the same numbers."""
    rng = np.random.default_rng(8)
    values = [rng.normal(size=shape).astype("float32") for shape in SHAPES]
    make = keras.Variable if side == "keras" else Variable
    made = [make(value, name=f"weight_{n}") for n, value in enumerate(values)]
    if constraint:
        made[0].constraint = sides.evaluate(side, constraint)
    return made


@pytest.mark.parametrize("code", CODES)
def test_ten_steps_from_the_same_weights_end_at_the_same_weights(code, keras):
    steps = 10 if code.endswith("()") else 4
    assert_same_steps(code, keras, steps)


@pytest.mark.parametrize("constraint", ["constraints.NonNeg()", "constraints.MaxNorm(0.5, axis=0)"])
@pytest.mark.parametrize("code", ["optimizers.SGD(0.1, momentum=0.9)", "optimizers.Adam(0.1)"])
def test_constraints_act_after_each_step(code, constraint, keras):
    assert_same_steps(code, keras, 3, constraint)


def assert_same_steps(code, keras, steps, constraint=None):
    """Weights after each step, then all that the optimizer remembers, in order."""
    owned = [variables(side, keras, constraint) for side in sides.BOTH]
    both = sides.both(code)
    for optimizer, weights in zip(both, owned, strict=True):
        optimizer.build(weights)
    for step in range(steps):
        for optimizer, weights in zip(both, owned, strict=True):
            optimizer.apply(gradients(step), weights)
        for theirs, ours in zip(*owned, strict=True):
            np.testing.assert_allclose(ours, np.asarray(theirs), rtol=2e-5, atol=5e-6)
    assert int(both[1].iterations) == int(both[0].iterations)
    assert float(both[1].learning_rate) == pytest.approx(float(both[0].learning_rate), rel=1e-6)
    remembered = [optimizer.variables for optimizer in both]
    assert [v.name for v in remembered[1]] == [v.name for v in remembered[0]]
    for theirs, ours in zip(*remembered, strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs), rtol=2e-5, atol=5e-6)


@pytest.mark.parametrize("code", [code for code in CODES if "lambda" not in code])
def test_configs_are_those_of_keras_and_read_by_either(code, keras):
    theirs, ours = sides.both(code.replace("()", "(name='mine')").replace("(l", "(name='mine', l"))
    config = keras.optimizers.serialize(theirs)
    written = optimizers.serialize(ours)
    assert rounded(written) == rounded(config)
    assert list(written["config"]) == list(config["config"])
    assert rounded(optimizers.deserialize(config).get_config()) == rounded(config["config"])
    again = keras.optimizers.deserialize(written)
    assert rounded(again.get_config()) == rounded(config["config"])


def rounded(value):
    """Keras writes some numbers as float32 has them."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items() if key != "name"}
    return float(f"{value:.6g}") if isinstance(value, float) else value


def test_a_gradient_of_none_is_left_out_with_a_warning_and_none_at_all_refused(keras):
    for side, optimizer in zip(sides.BOTH, sides.both("optimizers.SGD(0.5)"), strict=True):
        weights = variables(side, keras)
        before = [np.array(v) for v in weights]
        grads = [None, *gradients(0)[1:]]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer.apply(grads, weights)
        assert [w.category for w in caught] == [UserWarning]
        np.testing.assert_array_equal(weights[0], before[0])
        np.testing.assert_allclose(weights[1], before[1] - 0.5 * gradients(0)[1], rtol=1e-5)
        with pytest.raises(ValueError, match=r"."):
            optimizer.apply([None] * 3, weights)
