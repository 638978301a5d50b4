"""The vocabulary of the model tests: small models, and their gradients by differences."""

import numpy as np

from convlab import losses, models, optimizers
from convlab.layers.base import weight_losses
from layerchecks import arrays_for, weight_differences


def leaves(model):
    """The layers of a model and of the models inside it."""
    for layer in model.layers:
        if isinstance(layer, models.Model):
            yield from leaves(layer)
        else:
            yield layer


def chance(model):
    """What the layers remember beside their weights: how far their seeds have gone."""
    return [layer.extra_state() for layer in leaves(model)]


def set_chance(model, states):
    for layer, state in zip(leaves(model), states, strict=True):
        layer.set_extra_state(state)


def as_list(value):
    return value if isinstance(value, list) else [value]


def total_loss(model, x, y, names):
    """The loss of one batch in training, written down once more and with no gradient."""
    states = chance(model)
    output, cache = model.run(x, True)
    set_chance(model, states)
    parts = [
        0.0 if name is None else float(losses.get(name)(target, out).mean())
        for name, target, out in zip(names, as_list(y), as_list(output), strict=True)
    ]
    penalties = model.activity_losses(output, cache) + weight_losses(model.trainable_variables)
    return sum(parts) + sum(penalties)


def step_gradients(model, x, y, names):
    """What one step of plain gradient descent takes off each weight: the gradient itself."""
    model.compile(optimizers.SGD(1.0), loss=list(names))
    states, before = chance(model), model.get_weights()
    trained = [variable.numpy() for variable in model.trainable_variables]
    model.train_on_batch(x, y)
    after = [variable.numpy() for variable in model.trainable_variables]
    set_chance(model, states)
    model.set_weights(before)
    return [old - new for old, new in zip(trained, after, strict=True)]


def assert_step_follows_gradient(model, x, y, names):
    """One step of training moves every trained weight against its central difference."""
    values = arrays_for("weights", [variable.shape for variable in model.weights])
    model.set_weights([0.3 * np.abs(value) + 0.2 for value in values])
    found = step_gradients(model, x, y, names)
    assert found
    for variable, gradient in zip(model.trainable_variables, found, strict=True):
        expected = weight_differences(lambda: total_loss(model, x, y, names), variable)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-7, err_msg=variable.path)
