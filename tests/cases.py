"""The vocabulary of the kernel tests: layers with names, their arrays, and how to run them."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
import pytest

import convlab
import reference

IMPLEMENTATIONS = convlab.available_implementations()  # naive first
FAST = IMPLEMENTATIONS[1:]
FORMATS = ("channels_last", "channels_first")
CONVOLUTIONS = ("conv2d", "conv2d_input_gradient", "conv2d_kernel_gradient")
POOLINGS = ("max_pool2d", "max_pool2d_gradient", "average_pool2d", "average_pool2d_gradient")


@dataclass(frozen=True)
class Layer:
    """One convolution, or pooling (no filters). `input_shape` is channels_last in any format."""

    name: str
    input_shape: tuple
    kernel_size: tuple = (3, 3)
    filters: int = 0
    strides: tuple = (1, 1)
    padding: str = "valid"
    dilation_rate: tuple = (1, 1)
    groups: int = 1
    data_format: str = "channels_last"

    @property
    def kernel_shape(self):
        return (*self.kernel_size, self.input_shape[3] // self.groups, self.filters)

    def but(self, name, **changes):
        """The same layer with some fields changed, and a name that says so."""
        return replace(self, name=f"{self.name}-{name}", **changes)

    def arrays(self, draw, seed=0):
        """x, kernel, bias and an upstream gradient: the same for each layer of this name."""
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed])
        output_shape = reference.output_shape(self)
        shapes = self.input_shape, self.kernel_shape, (self.filters,), output_shape
        return [draw(rng, shape) for shape in shapes]

    def arguments(self, operation, x, kernel, bias, dy):
        """What the operation takes, in order; arrays in the layer's format."""
        if self.data_format == "channels_first":
            x, dy = (np.moveaxis(a, -1, 1) for a in (x, dy))
        return {
            "conv2d": (x, kernel, bias),
            "conv2d_input_gradient": (dy, kernel, x.shape),
            "conv2d_kernel_gradient": (x, dy, kernel.shape),
            "max_pool2d": (x, self.kernel_size),
            "max_pool2d_gradient": (x, dy, self.kernel_size),
            "average_pool2d": (x, self.kernel_size),
            "average_pool2d_gradient": (dy, x.shape, self.kernel_size),
        }[operation]

    def run(self, operation, arrays, implementation=None):
        """The operation by convlab; arrays come and go channels_last."""
        names = ["strides", "padding", "data_format"]
        names += ["dilation_rate", "groups"] if operation in CONVOLUTIONS else []
        options = {name: getattr(self, name) for name in names}
        function, arguments = getattr(convlab, operation), self.arguments(operation, *arrays)
        result = function(*arguments, implementation=implementation, **options)
        turn = self.data_format == "channels_first" and operation != "conv2d_kernel_gradient"
        return np.moveaxis(result, 1, -1) if turn else result

    def expect(self, operation, arrays):
        """The operation by the independent reference."""
        last = replace(self, data_format="channels_last")
        return getattr(reference, operation)(*last.arguments(operation, *arrays), self)


def integers(rng, shape):
    """Whole numbers from -4 to 4: their products and sums are exact in every dtype."""
    return rng.integers(-4, 5, shape)


def floats(rng, shape):
    return rng.normal(size=shape)


def grid(**axes):
    """Parametrize a test over named axes, each case to be run alone by its id."""

    def decorate(test):
        for name, values in axes.items():
            test = pytest.mark.parametrize(name, values, ids=_id)(test)
        return test

    return decorate


def _id(value):
    return getattr(value, "name", None) or getattr(value, "__name__", None) or str(value)
