"""`Dense`: every output sees every input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convlab import activations, constraints, initializers, regularizers
from convlab.layers.activation import activation_config, activation_from, bend
from convlab.layers.base import Layer
from convlab.layers.products import product, to_kernel, to_rows
from convlab.layers.sums import sum_over_others
from convlab.layers.sweep import check_axis
from convlab.variables import Variable

__all__ = ["Dense"]


class Dense(Layer):
    """Multiply by a matrix that is learned, add a bias, apply an activation.

    Parameters
    ----------
    units : int
        Numbers in the output, for each row of the input.
    activation : str or callable, optional
        What bends the result; nothing where None.
    use_bias : bool, default True
    kernel_initializer : default "glorot_uniform"
    bias_initializer : default "zeros"
    kernel_regularizer, bias_regularizer, activity_regularizer : optional
    kernel_constraint, bias_constraint : optional
        As in `Conv2D`.
    **kwargs
        ``name``, ``trainable``, ``dtype``: see `Layer`.

    Attributes
    ----------
    kernel : Variable
        ``(inputs, units)``, once the layer is built.
    bias : Variable or None
        ``(units,)``.

    Raises
    ------
    ValueError
        Where ``units`` is no positive int.

    Notes
    -----
    With more than two axes, the last one is multiplied and the others stay.

    References
    ----------
    Keras, ``keras.layers.Dense``.

    Examples
    --------
    >>> layer = Dense(10, activation="softmax")
    >>> layer(np.zeros((2, 1000))).shape, layer.count_params()
    ((2, 10), 10010)
    """

    _min_ndim = 2
    _ONLY_NONE = ("lora_rank", "lora_alpha", "quantization_config")
    kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(units, int) or units <= 0:
            way_out = f" Write int(units): {int(units)}." if isinstance(units, np.integer) else ""
            raise ValueError(f"`units` must be a positive int. Received: units={units!r}.{way_out}")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = activation_from(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def create_weights(self, input_shape: Sequence[int | None]) -> None:
        """Make the kernel, and the bias where there is one."""
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),  # type: ignore[arg-type]
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input without a batch, or with another last axis than at first."""
        super().check_input_shape(input_shape)
        if self.built:
            check_axis(self, input_shape, -1, self.kernel.shape[0])

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the output: the input's, with ``units`` as its last size.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)
        """
        self.check_input_shape(input_shape)
        return (*input_shape[:-1], self.units)

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Multiply, add the bias, apply the activation."""
        kernel = self.kernel.value.astype(inputs.dtype, copy=False)
        with np.errstate(all="ignore"):
            summed = product(_rows(inputs), kernel).reshape(*inputs.shape[:-1], self.units)
            if self.bias is not None:
                summed += self.bias.value.astype(inputs.dtype, copy=False)
        before, output = bend(self.activation, summed)
        return output, (inputs, before, output)

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Through the activation, then to the input, the kernel and the bias."""
        inputs, before, output = cache
        gradient = activations.backward(self.activation, output_gradient, before, output)
        to_input = None
        with np.errstate(all="ignore"):
            if input_gradient:
                kernel = self.kernel.value.astype(inputs.dtype, copy=False)
                to_input = to_rows(_rows(gradient), kernel).reshape(inputs.shape)
            return to_input, self.trained_gradients(
                [
                    (self.kernel, lambda: to_kernel(_rows(inputs), _rows(gradient))),
                    (self.bias, lambda: sum_over_others(gradient)),
                ]
            )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activation_config(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }


def _rows(array: np.ndarray) -> np.ndarray:
    """All axes but the last as one, so that one matrix product does it all."""
    return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
