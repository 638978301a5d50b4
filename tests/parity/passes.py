"""One layer on both sides with the same weights: outputs, and gradients through it."""

import inspect
import zlib
from dataclasses import dataclass

import numpy as np

from parity import sides
from parity.closeness import assert_all_close, assert_close


@dataclass(frozen=True)
class Case:
    """A layer, as an expression, and the shapes of its inputs: of one, or a list of several."""

    name: str
    layer: str
    shape: tuple | list
    dtype: str = "float64"

    def __str__(self):
        return self.name

    def numbers(self, shape, what):
        """Random numbers, the same for each case of this name."""
        seed = zlib.crc32(f"{self.name}/{what}".encode())
        return np.random.default_rng(seed).normal(size=shape).astype(self.dtype)

    def inputs(self):
        """One array, or a list of them."""
        if isinstance(self.shape, list):
            return [self.numbers(shape, f"input {n}") for n, shape in enumerate(self.shape)]
        return self.numbers(self.shape, "input")

    def both(self):
        """The layer in Keras and in convlab, built, with the same weights."""
        layers = sides.both(self.layer)
        for layer in layers:
            layer.build(self.shape)
        named = [[(v.name, tuple(v.shape)) for v in layer.weights] for layer in layers]
        assert named[1] == named[0]
        for layer in layers:
            layer.set_weights([self.weight(name, shape) for name, shape in named[0]])
        return layers

    def weight(self, name, shape):
        """Random numbers, positive where they are variances."""
        numbers = self.numbers(shape, name)
        return np.abs(numbers) + 0.5 if "variance" in name else numbers


def assert_same_passes(case, training=False, units=10.0):
    """Outputs, gradients of inputs and weights, and weights that change without gradients."""
    theirs, ours = case.both()
    inputs = case.inputs()
    output, cache = ours.run(inputs, training)
    upstream = case.numbers(output.shape, "upstream").astype(output.dtype)
    value, kept, (to_inputs, to_weights) = keras_pass(theirs, inputs, upstream, training)
    assert_close(output, value, units)
    to_input, gradients = ours.backward(upstream, cache)
    assert_all_close(_as_list(to_input), _as_list(to_inputs), units)
    assert_all_close(gradients, to_weights, units)
    if training:
        ours.update(cache)
        assert_all_close([v.numpy() for v in ours.non_trainable_variables], kept, units)


def keras_pass(layer, inputs, upstream, training):
    """Output, other weights after the call, and gradients: of the input(s), of the weights."""
    fixed = [variable.value for variable in layer.non_trainable_variables]
    trained = [variable.value for variable in layer.trainable_variables]
    import jax

    takes_it = "training" in inspect.signature(layer.call).parameters
    arguments = {"training": training} if takes_it else {}

    def run(inputs, trained):
        return layer.stateless_call(trained, fixed, inputs, **arguments)

    def both(inputs, trained, upstream):
        value, back, kept = jax.vjp(run, inputs, trained, has_aux=True)
        return value, kept, back(upstream)

    return jax.tree.map(np.asarray, jax.jit(both)(inputs, trained, upstream))


def _as_list(value):
    return value if isinstance(value, list) else [value]
