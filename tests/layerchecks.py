"""The vocabulary of the layer tests: build a layer in float64, and compare with differences."""

import zlib

import numpy as np


def arrays_for(name, shapes):
    """Normal numbers of these shapes, always the same for a name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return [rng.normal(size=shape) for shape in shapes]


def given(arrays):
    """One array by itself, several as a list: how a layer is called."""
    return arrays if len(arrays) > 1 else arrays[0]


def as_list(value):
    return value if isinstance(value, list) else [value]


def built(layer, shapes):
    """The layer with weights that are neither 0 nor 1 nor alike."""
    layer.build(given([tuple(shape) for shape in shapes]))
    values = arrays_for("weights", [variable.shape for variable in layer.weights])
    layer.set_weights([np.abs(value) + 0.2 for value in values])
    return layer


def passes(layer, arrays, training):
    """A forward pass from the same state of chance each time."""
    state = layer.extra_state()
    try:
        return layer.run(given(arrays), training)
    finally:
        layer.set_extra_state(state)


def differences(function, array, step=1e-5):
    """The gradient of a function of an array, by central differences."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        gradient[index] = (above - function()) / (2 * step)
        array[index] = kept
    return gradient


def assert_gradients(layer, shapes, training=False, name=""):
    """Compare `backward` with differences: for each input and each weight that is trained."""
    arrays = arrays_for(name, shapes)
    built(layer, shapes)
    output, cache = passes(layer, arrays, training)
    (upstream,) = arrays_for(name + "upstream", [output.shape])

    def loss():
        return float((passes(layer, arrays, training)[0] * upstream).sum())

    to_inputs, to_weights = layer.backward(upstream, cache)
    for array, gradient in zip(arrays, as_list(to_inputs), strict=True):
        np.testing.assert_allclose(gradient, differences(loss, array), rtol=1e-6, atol=1e-7)
    for variable, gradient in zip(layer.trainable_variables, to_weights, strict=True):
        expected = weight_differences(loss, variable)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)


def weight_differences(loss, variable):
    """The gradient of the loss with respect to a weight, by central differences."""
    value = variable.numpy()

    def changed():
        variable.assign(value)
        return loss()

    gradient = differences(changed, value)
    variable.assign(value)
    return gradient
