"""`BatchNormalization`: every channel with mean 0 and variance 1, then scaled as is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convlab import constraints, initializers, regularizers
from convlab.layers.base import Layer
from convlab.layers.sums import sum_over_others
from convlab.layers.sweep import check_axis
from convlab.variables import Variable

__all__ = ["BatchNormalization"]


@dataclass(frozen=True)
class Normalized:
    """One call: what was normalized, with which statistics, and whether they are its own."""

    centered: np.ndarray
    inverse: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    own: bool


class BatchNormalization(Layer):
    """Subtract each channel's mean and divide by its deviation; then scale and shift.

    While training, mean and variance are those of the batch, and their moving averages are
    kept. Otherwise, and where ``trainable`` is False, the moving averages are used and stay.

    Parameters
    ----------
    axis : int, default -1
        The axis of the channels: 1 for channels_first.
    momentum : float, default 0.99
        What is kept of the moving averages at each training batch.
    epsilon : float, default 0.001
        Added to the variance, which might be 0.
    center : bool, default True
        Whether there is a ``beta``, which is added.
    scale : bool, default True
        Whether there is a ``gamma``, which multiplies.
    beta_initializer : default "zeros"
    gamma_initializer : default "ones"
    moving_mean_initializer : default "zeros"
    moving_variance_initializer : default "ones"
    beta_regularizer, gamma_regularizer : optional
    beta_constraint, gamma_constraint : optional
    renorm, renorm_clipping, renorm_momentum, synchronized
        Keras's, and known here by their defaults alone.
    **kwargs
        ``name``, ``trainable``, ``dtype``: see `Layer`.

    Attributes
    ----------
    gamma, beta : Variable or None
    moving_mean, moving_variance : Variable
        All of shape ``(channels,)``; the two averages are not trained.

    Raises
    ------
    ValueError, TypeError
        For arguments that cannot be, with the rule, what was received and the way out.

    Notes
    -----
    ``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta``. The variance is the mean of
    squares, without Bessel's correction, for the moving average too.

    References
    ----------
    Ioffe & Szegedy (2015), https://arxiv.org/abs/1502.03167. Keras,
    ``keras.layers.BatchNormalization``.

    Examples
    --------
    >>> layer = BatchNormalization(momentum=0.5, epsilon=1e-9)
    >>> x = np.array([[1.0, 20.0], [3.0, 40.0]])
    >>> layer(x, training=True)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> layer.moving_mean.numpy(), layer.moving_variance.numpy()
    (array([ 1., 15.], dtype=float32), array([ 1. , 50.5], dtype=float32))
    """

    _min_ndim = 1
    gamma: Variable | None
    beta: Variable | None
    moving_mean: Variable
    moving_variance: Variable

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if renorm or synchronized:
            raise ValueError(
                "Batch renormalization and statistics over several machines are not part of this "
                f"layer. Received: renorm={renorm!r}, synchronized={synchronized!r}."
            )
        self.axis = _number("axis", axis, int)
        self.momentum = _number("momentum", momentum, float)
        self.epsilon = _number("epsilon", epsilon, float)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self._unused = {
            "synchronized": False, "renorm": False, "renorm_clipping": renorm_clipping,
            "renorm_momentum": renorm_momentum,
        }  # fmt: skip

    def create_weights(self, input_shape: Sequence[int | None]) -> None:
        """Make gamma and beta, where there are any, and the moving averages."""
        shape: Any = (input_shape[self.axis],)
        self._rank = len(input_shape)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input without the axis, or of another rank or size there than at first."""
        super().check_input_shape(input_shape)
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise np.exceptions.AxisError(
                f"`axis` must be one of the input's axes. Received: axis={self.axis} for an input "
                f"of shape {tuple(input_shape)}."
            )
        if self.built:
            if rank != self._rank:
                self.refuse_input(f"expected ndim={self._rank}", f"found ndim={rank}", input_shape)
            check_axis(self, input_shape, self.axis, self.moving_mean.shape[0])

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the output: the input's.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)
        """
        self.check_input_shape(input_shape)
        return tuple(input_shape)

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Normalize, scale and shift."""
        x = _wide(inputs)
        with np.errstate(all="ignore"):
            # An empty batch has no statistics, and teaches none.
            call = self._normalize(x, training and self.trainable and x.size > 0)
            factor = call.inverse if self.gamma is None else call.inverse * _wide(self.gamma.value)
            output = call.centered * self._along(factor, x)
            if self.beta is not None:
                output += self._along(self.beta.value, x)
            return output.astype(inputs.dtype, copy=False), call

    def _normalize(self, x: np.ndarray, own: bool) -> Normalized:
        count = x.size // x.shape[self.axis] if own else 0
        mean = sum_over_others(x, self.axis) / count if own else _wide(self.moving_mean.value)
        centered = x - self._along(mean, x)
        # From the differences, not as mean(x**2) - mean**2, which cancels far from 0.
        variance = (
            sum_over_others(np.square(centered), self.axis) / count
            if own
            else _wide(self.moving_variance.value)
        )
        return Normalized(centered, 1 / np.sqrt(variance + self.epsilon), mean, variance, own)

    def _along(self, values: np.ndarray, x: np.ndarray) -> np.ndarray:
        """One number for each channel, in a shape that meets the array's."""
        shape = [1] * x.ndim
        shape[self.axis] = len(values)
        return values.astype(x.dtype, copy=False).reshape(shape)

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To the input, through the batch's statistics too, to gamma and to beta.

        Notes
        -----
        With ``n`` numbers in a channel, ``c`` the centred input and ``r = 1 / deviation``:
        ``dx = gamma * r * (g - sum(g) / n - c * r**2 * sum(g * c) / n)``, the two sums being
        the derivatives by way of mean and variance. Ioffe & Szegedy, section 3.
        """
        call, g = cache, _wide(output_gradient)
        with np.errstate(all="ignore"):
            total = sum_over_others(g, self.axis)
            to_gamma = sum_over_others(g * call.centered, self.axis) * call.inverse
            to_input = None
            if input_gradient:
                to_input = self._to_input(g, call, total, to_gamma)
                to_input = to_input.astype(output_gradient.dtype, copy=False)
        return to_input, self.trained_gradients(
            [(self.gamma, lambda: to_gamma), (self.beta, lambda: total)]
        )

    def _to_input(
        self, g: np.ndarray, call: Normalized, total: np.ndarray, to_gamma: np.ndarray
    ) -> np.ndarray:
        factor = call.inverse if self.gamma is None else call.inverse * _wide(self.gamma.value)
        if not call.own:
            return g * self._along(factor, g)
        count = g.size // len(total)
        result = call.centered * self._along(-to_gamma * call.inverse / count, g)
        result += g
        result -= self._along(total / count, g)
        result *= self._along(factor, g)
        return result

    def update(self, cache: Any) -> None:
        """Move the averages towards a training batch's statistics."""
        if not cache.own:
            return
        for moving, seen in (
            (self.moving_mean, cache.mean),
            (self.moving_variance, cache.variance),
        ):
            moving.assign(_wide(moving.value) * self.momentum + seen * (1 - self.momentum))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            **self._unused,
        }


def _wide(array: np.ndarray) -> np.ndarray:
    """At least float32: squares of float16 overflow from 256 on."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _number(name: str, value: Any, kind: type) -> Any:
    rule = f"`{name}` must be {'a whole number' if kind is int else 'a number'}."
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{rule} Received: {name}={value!r}.") from None
