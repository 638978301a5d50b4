"""What convolving layers share: the sweep with a kernel, the bias, the activation, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab import activations
from convlab.functional import conv2d, conv2d_input_gradient, conv2d_kernel_gradient
from convlab.layers.activation import bend
from convlab.layers.base import Layer
from convlab.layers.sums import channel_axis, sum_over_others
from convlab.prepared import PreparedKernel, PreparedWhenSeenAgain
from convlab.variables import Variable


class Convolution(Layer):
    """A layer that convolves; its subclasses say with which kernel, and how it sweeps.

    Attributes
    ----------
    kernel : Variable
    bias : Variable or None
    """

    _min_ndim = 4
    kernel: Variable
    bias: Variable | None
    data_format: str
    activation: Any
    use_bias: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ready = PreparedWhenSeenAgain()

    def _sweep(self) -> dict[str, Any]:
        """How the window moves: the arguments of `conv2d` beside the arrays."""
        raise NotImplementedError

    def _conv_kernel(self) -> np.ndarray:
        """The kernel, in the shape that `conv2d` takes."""
        return self.kernel.value

    def _create_bias(self, filters: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (filters,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Convolve, add the bias, apply the activation."""
        kernel = self._weights(inputs.dtype, training)
        bias = None if self.bias is None else self.bias.value.astype(inputs.dtype, copy=False)
        summed = conv2d(inputs, kernel, bias, **self._sweep())
        before, output = bend(self.activation, summed)
        return output, (inputs, before, output)

    def _weights(self, dtype: np.dtype, training: bool) -> np.ndarray | PreparedKernel:
        """The kernel; prepared from the second call on that finds it as it is.

        Training changes it at every step: there, laying it out would be for nothing.
        """
        kernel = self._conv_kernel().astype(dtype, copy=False)
        if training:
            return kernel
        return self._ready.kernel((self.kernel.version, dtype), kernel)

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Through the activation, then to the input, the kernel and the bias."""
        inputs, before, output = cache
        gradient = activations.backward(self.activation, output_gradient, before, output)
        to_input = None
        if input_gradient:
            kernel = self._conv_kernel().astype(inputs.dtype, copy=False)
            to_input = conv2d_input_gradient(gradient, kernel, inputs.shape, **self._sweep())
        return to_input, self.trained_gradients(
            [
                (self.kernel, lambda: self._to_kernel(inputs, gradient)),
                (self.bias, lambda: sum_over_others(gradient, channel_axis(self.data_format))),
            ]
        )

    def _to_kernel(self, inputs: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        shape = self._conv_kernel().shape
        result = conv2d_kernel_gradient(inputs, gradient, shape, **self._sweep())
        return result.reshape(self.kernel.shape)
