"""`MaxPooling2D` and `AveragePooling2D`: one number for each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.config import standardize_data_format
from convlab.functional import (
    average_pool2d,
    average_pool2d_gradient,
    max_pool2d,
    max_pool2d_gradient,
)
from convlab.geometry import Geometry, as_padding, as_pair
from convlab.layers.base import Layer
from convlab.layers.sweep import swept_shape

__all__ = ["AveragePooling2D", "MaxPooling2D"]


class Pooling2D(Layer):
    """What both poolings share: the window, and the shapes that follow from it."""

    _ndim = 4
    groups = 1  # what stands in for an unknown number of channels
    filters = None

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = as_pair("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else as_pair("strides", strides)
        self.padding = as_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.built = True

    def _sweep(self) -> dict[str, Any]:
        return {
            "pool_size": self.pool_size, "strides": self.strides, "padding": self.padding,
            "data_format": self.data_format,
        }  # fmt: skip

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the output.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch. None, an unknown size, stays None.

        Returns
        -------
        tuple of (int or None)

        Raises
        ------
        ValueError
            Where the window is larger than the image.
        """
        return swept_shape(self, input_shape, lambda shape: Geometry.pool2d(shape, **self._sweep()))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPooling2D(Pooling2D):
    """The largest value under each window, channel by channel.

    Parameters
    ----------
    pool_size : int or (int, int), default (2, 2)
        Height and width of the window, in pixels.
    strides : int or (int, int), optional
        Step of the window; ``pool_size`` where None.
    padding : {"valid", "same"}, default "valid"
        Padding never wins: a window looks only at its real pixels.
    data_format : {"channels_last", "channels_first"}, optional
        `config.image_data_format` where None.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError, TypeError
        For arguments that cannot be, with the rule, what was received and the way out.

    Notes
    -----
    The gradient of a window goes to its largest pixel; among equals to the first, row by row.

    References
    ----------
    Keras, ``keras.layers.MaxPooling2D``.

    Examples
    --------
    >>> MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 5.,  7.],
           [13., 15.]], dtype=float32)
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Take the largest values."""
        return max_pool2d(inputs, **self._sweep()), inputs

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To the pixels that won."""
        if not input_gradient:
            return None, []
        return max_pool2d_gradient(cache, output_gradient, **self._sweep()), []


class AveragePooling2D(Pooling2D):
    """The mean of the pixels under each window, channel by channel.

    Parameters
    ----------
    pool_size : int or (int, int)
        Height and width of the window, in pixels.
    strides : int or (int, int), optional
        Step of the window; ``pool_size`` where None.
    padding : {"valid", "same"}, default "valid"
        Padding is not counted: a window at the border divides by its real pixels.
    data_format : {"channels_last", "channels_first"}, optional
        `config.image_data_format` where None.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError, TypeError
        For arguments that cannot be, with the rule, what was received and the way out.

    References
    ----------
    Keras, ``keras.layers.AveragePooling2D``.

    Examples
    --------
    >>> AveragePooling2D(2)(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32)
    """

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Take the means."""
        return average_pool2d(inputs, **self._sweep()), inputs.shape

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To all pixels of a window alike."""
        if not input_gradient:
            return None, []
        return average_pool2d_gradient(output_gradient, cache, **self._sweep()), []
