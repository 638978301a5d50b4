"""Activations as layers of their own, and as what other layers end with."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from convlab import activations, constraints, initializers, regularizers
from convlab.layers.base import Layer
from convlab.layers.sweep import check_axis
from convlab.objects import config_of
from convlab.variables import Variable

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class Bend(Layer):
    """A function of each number, or of each row of them, and its derivative.

    An object of it may also stand as the ``activation`` of another layer: it has the
    ``gradient`` that such an activation needs.
    """

    _min_ndim = 0

    def _function(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        """The activation, and the arguments that it gets beside the input."""
        raise NotImplementedError

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Apply the function."""
        function, arguments = self._function()
        output = function(inputs, **arguments)
        return output, (inputs, output)

    def gradient(
        self, output_gradient: np.ndarray, x: np.ndarray, output: np.ndarray
    ) -> np.ndarray:
        """The gradient with respect to ``x``, of which the layer made ``output``."""
        function, arguments = self._function()
        return activations.backward(function, output_gradient, x, output, **arguments)

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Through the function."""
        return (self.gradient(output_gradient, *cache) if input_gradient else None), []


class Activation(Bend):
    """Apply an activation.

    Parameters
    ----------
    activation : str or callable
        A name, such as "relu", or a function with its ``gradient``: see `convlab.activations`.
        Nothing happens where None.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    References
    ----------
    Keras, ``keras.layers.Activation``.

    Examples
    --------
    >>> Activation("relu")(np.array([-2.0, 3.0]))
    array([0., 3.], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activation_from(activation)
        self.built = True

    def _function(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        return self.activation, {}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {**super().get_config(), "activation": activation_config(self.activation)}


class ReLU(Bend):
    """The rectified linear unit as a layer: what is negative becomes 0.

    Parameters
    ----------
    max_value : float, optional
        Where the output stops growing; nowhere where None.
    negative_slope : float, default 0.0
        Slope below the threshold.
    threshold : float, default 0.0
        What is not above it counts as negative.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError
        For a negative argument.

    References
    ----------
    Keras, ``keras.layers.ReLU``.

    Examples
    --------
    >>> ReLU(max_value=6, negative_slope=0.5)(np.array([-2.0, 3.0, 9.0]))
    array([-1.,  3.,  6.], dtype=float32)
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative("max_value", max_value)
        self.negative_slope = _not_negative("negative_slope", negative_slope)
        self.threshold = _not_negative("threshold", threshold)
        self.built = True

    def _function(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        return activations.relu, {
            "negative_slope": self.negative_slope,
            "max_value": self.max_value,
            "threshold": self.threshold,
        }

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Bend):
    """A rectifier that lets a part of the negative through.

    Parameters
    ----------
    negative_slope : float, default 0.3
        Slope below 0. (The function ``leaky_relu`` has 0.2: Keras's numbers, both.)
    **kwargs
        ``name``, ``dtype``: see `Layer`. ``alpha`` is the old name of the slope.

    Raises
    ------
    ValueError
        For a negative slope.

    References
    ----------
    Keras, ``keras.layers.LeakyReLU``.

    Examples
    --------
    >>> LeakyReLU()(np.array([-2.0, 3.0]))
    array([-0.6,  3. ], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn(
                "`alpha` is the old name of this argument. Write "
                f"LeakyReLU(negative_slope={negative_slope}).",
                UserWarning,
                stacklevel=2,
            )
        super().__init__(**kwargs)
        self.negative_slope = _not_negative("negative_slope", negative_slope)
        self.built = True

    def _function(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        return activations.leaky_relu, {"negative_slope": self.negative_slope}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Bend):
    """The exponential linear unit as a layer: ``alpha * (exp(x) - 1)`` below 0.

    Parameters
    ----------
    alpha : float, default 1.0
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    References
    ----------
    Keras, ``keras.layers.ELU``.

    Examples
    --------
    >>> ELU()(np.array([-1000.0, 3.0]))
    array([-1.,  3.], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.built = True

    def _function(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        return activations.elu, {"alpha": self.alpha}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again."""
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(Bend):
    """Make numbers positive, with a sum of 1 along an axis.

    Parameters
    ----------
    axis : int or tuple of int, default -1
        Several axes together hold one distribution. The channels of channels_first are axis 1.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    TypeError
        Where the axis is no whole number.
    numpy.exceptions.AxisError
        When called: where the axis is not one of the input's.

    References
    ----------
    Keras, ``keras.layers.Softmax``.

    Examples
    --------
    >>> Softmax()(np.zeros((1, 4)))
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """

    _min_ndim = 1

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _axes(axis)
        self.built = True

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input that has not the axis."""
        super().check_input_shape(input_shape)
        rank = len(input_shape)
        for axis in (self.axis,) if isinstance(self.axis, int) else self.axis:
            if not -rank <= axis < rank:
                raise np.exceptions.AxisError(
                    f"`axis` must be one of the input's axes. Received: axis={self.axis} for "
                    f"an input of shape {tuple(input_shape)}."
                )

    def _function(self) -> tuple[Callable[..., Any], dict[str, Any]]:
        return activations.softmax, {"axis": self.axis}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {**super().get_config(), "axis": self.axis}


class PReLU(Layer):
    """A rectifier whose slope below 0 is learned, one for each place of the input.

    Parameters
    ----------
    alpha_initializer : default "zeros"
        Of the slopes.
    alpha_regularizer, alpha_constraint : optional
    shared_axes : int or sequence of int, optional
        Axes along which all places have one slope: ``[1, 2]`` for one in each channel of a
        channels_last image. The batch is axis 0.
    **kwargs
        ``name``, ``trainable``, ``dtype``: see `Layer`.

    Attributes
    ----------
    alpha : Variable
        The slopes, in the shape of one input, with 1 along each shared axis.

    Raises
    ------
    TypeError
        Where an axis is no whole number.
    numpy.exceptions.AxisError
        When called: where an axis is not one of the input's behind the batch.

    References
    ----------
    He et al. (2015), https://arxiv.org/abs/1502.01852. Keras, ``keras.layers.PReLU``.

    Examples
    --------
    >>> layer = PReLU("ones", shared_axes=[1, 2])
    >>> layer(np.full((1, 5, 5, 3), -2.0)).min(), layer.alpha.shape
    (np.float32(-2.0), (1, 1, 3))
    """

    _min_ndim = 1
    alpha: Variable

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None
        if shared_axes is not None:
            axes = _axes(shared_axes)
            self.shared_axes = [axes] if isinstance(axes, int) else list(axes)

    def create_weights(self, input_shape: Sequence[int | None]) -> None:
        """Make the slopes."""
        sizes = list(input_shape)
        for axis in self.shared_axes or ():
            if not 1 <= axis < len(sizes):
                raise np.exceptions.AxisError(
                    "`shared_axes` must be axes of the input behind the batch, counted from 1. "
                    f"Received: shared_axes={self.shared_axes} for an input of shape "
                    f"{tuple(input_shape)}."
                )
            sizes[axis] = 1
        self.alpha = self.add_weight(
            sizes[1:],  # type: ignore[arg-type]
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input of another shape than at first; shared axes may change."""
        super().check_input_shape(input_shape)
        if not self.built:
            return
        rank = self.alpha.ndim + 1
        if len(input_shape) != rank:
            self.refuse_input(
                f"expected ndim={rank}", f"found ndim={len(input_shape)}", input_shape
            )
        for axis, size in enumerate(self.alpha.shape, start=1):
            if axis not in (self.shared_axes or ()):
                check_axis(self, input_shape, axis, size)

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Multiply what is negative by its slope."""
        slopes = self.alpha.value.astype(inputs.dtype, copy=False)
        output = np.maximum(inputs, 0)
        output += slopes * np.minimum(inputs, 0)
        return output, inputs

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To the input and to the slopes."""
        inputs, to_input = cache, None
        if input_gradient:
            slopes = self.alpha.value.astype(inputs.dtype, copy=False)
            to_input = output_gradient * ((inputs > 0) + slopes * (inputs < 0))
        return to_input, self.trained_gradients(
            [(self.alpha, lambda: self._to_slopes(output_gradient, inputs))]
        )

    def _to_slopes(self, output_gradient: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        change = (output_gradient * np.minimum(inputs, 0)).sum(axis=0)
        shared = tuple(axis - 1 for axis in self.shared_axes or ())
        return change.sum(axis=shared, keepdims=True)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


_LAYERS = {layer.__name__: layer for layer in (Activation, ELU, LeakyReLU, ReLU, Softmax)}


def activation_from(identifier: Any) -> Any:
    """What a layer's argument ``activation`` stands for: a function, or a layer of this module."""
    found = _activation_from(identifier)
    if isinstance(found, PReLU):
        raise ValueError(
            "`activation` must have no weights of its own: a layer would not train them. "
            f"Received: activation={found!r}. Put PReLU() behind the layer, as the next one."
        )
    return found


def _activation_from(identifier: Any) -> Any:
    if isinstance(identifier, Mapping) and identifier.get("module") == "keras.layers":
        layer = _LAYERS.get(str(identifier.get("class_name")))
        if layer is not None:
            return layer.from_config(identifier.get("config", {}))
    return activations.get(identifier)


def bend(activation: Any, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An activation of an array that nobody else holds, and what `activations.backward` needs.

    Returns
    -------
    x, output : numpy.ndarray
        One array, overwritten, where the derivative can be told from the output alone: a fresh
        one of that size costs more than the maximum itself.
    """
    if activation is activations.relu:
        with np.errstate(all="ignore"):
            output = np.maximum(array, 0, out=array)
        return output, output
    return array, activation(array)


def activation_config(activation: Any) -> Any:
    """The config of what `activation_from` returned."""
    if isinstance(activation, Layer):
        return config_of(activation, "keras.layers")
    return activations.serialize(activation)


def _not_negative(name: str, value: Any) -> float:
    rule = f"`{name}` must be a number, 0 or more."
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{rule} Received: {name}={value!r}, which is text.")
    if value is None or not value >= 0:
        raise ValueError(f"{rule} Received: {name}={value!r}.")
    return value


def _axes(axis: Any) -> int | tuple[int, ...]:
    """One axis, or several."""
    rule = "An axis must be a whole number, or several of them."
    try:
        return operator.index(axis)
    except TypeError:
        pass
    try:
        axes = tuple(map(operator.index, axis))
    except TypeError:
        raise TypeError(f"{rule} Received: {axis!r}.") from None
    if not axes:
        raise ValueError(f"{rule} Received: {axis!r}, which is empty.")
    return axes
