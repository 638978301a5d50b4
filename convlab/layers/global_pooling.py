"""`GlobalAveragePooling2D` and `GlobalMaxPooling2D`: one number for each feature map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.config import standardize_data_format
from convlab.layers.base import Layer

__all__ = ["GlobalAveragePooling2D", "GlobalMaxPooling2D"]


class GlobalPooling2D(Layer):
    """What both share: the axes that go, and the shape that stays."""

    _ndim = 4

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.built = True

    @property
    def _axes(self) -> tuple[int, int]:
        """Rows and columns."""
        return (1, 2) if self.data_format == "channels_last" else (2, 3)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the output: batch and channels; with ``keepdims`` an image of one pixel.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)
        """
        self.check_input_shape(input_shape)
        sizes = [1 if axis in self._axes else size for axis, size in enumerate(input_shape)]
        if self.keepdims:
            return tuple(sizes)
        return tuple(size for axis, size in enumerate(sizes) if axis not in self._axes)

    def _pixels(self, shape: Sequence[int]) -> int:
        return math.prod(shape[axis] for axis in self._axes)

    def _as_image(self, array: np.ndarray) -> np.ndarray:
        """An output, or its gradient, with rows and columns again."""
        return array if self.keepdims else np.expand_dims(array, self._axes)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims,
        }  # fmt: skip


class GlobalAveragePooling2D(GlobalPooling2D):
    """The mean of each feature map.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        `config.image_data_format` where None.
    keepdims : bool, default False
        Whether rows and columns stay, as axes of size 1.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    References
    ----------
    Keras, ``keras.layers.GlobalAveragePooling2D``.

    Examples
    --------
    >>> GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[3., 4.]], dtype=float32)
    """

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Take the means; of no pixels at all it is NaN."""
        wide = np.float32 if inputs.dtype == np.float16 else inputs.dtype
        with np.errstate(all="ignore"):
            total = _sum(inputs.astype(wide, copy=False), self.data_format)
            mean = (total / self._pixels(inputs.shape)).astype(inputs.dtype)
        return (np.expand_dims(mean, self._axes) if self.keepdims else mean), inputs.shape

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To all pixels of a map alike."""
        if not input_gradient:
            return None, []
        share = self._as_image(output_gradient) / max(self._pixels(cache), 1)
        return np.array(np.broadcast_to(share, cache), order="C"), []


class GlobalMaxPooling2D(GlobalPooling2D):
    """The largest value of each feature map.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        `config.image_data_format` where None.
    keepdims : bool, default False
        Whether rows and columns stay, as axes of size 1.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError
        For an image without pixels: it has no largest value.

    Notes
    -----
    Equal largest pixels share the gradient, as in Keras; in `MaxPooling2D` the first gets it all.

    References
    ----------
    Keras, ``keras.layers.GlobalMaxPooling2D``.

    Examples
    --------
    >>> GlobalMaxPooling2D()(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[6., 7.]], dtype=float32)
    """

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Take the largest values."""
        if not self._pixels(inputs.shape):
            raise ValueError(
                "An image without pixels has no largest value. "
                f"Received: an input of shape {inputs.shape}."
            )
        output = inputs.max(axis=self._axes, keepdims=self.keepdims)
        return output, (inputs, output)

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To the largest pixels, in equal parts."""
        if not input_gradient:
            return None, []
        inputs, output = cache
        largest = inputs == self._as_image(output)
        count = largest.sum(axis=self._axes, keepdims=True, dtype=output_gradient.dtype)
        return largest * (self._as_image(output_gradient) / np.maximum(count, 1)), []


def _sum(inputs: np.ndarray, data_format: str) -> np.ndarray:
    """The sum of each map, as a product with ones: faster than a plain sum, and rounding less."""
    if data_format == "channels_first":
        batch, channels, height, width = inputs.shape
        pixels = inputs.reshape(batch, channels, height * width)
        return pixels @ np.ones(height * width, inputs.dtype)
    batch, height, width, channels = inputs.shape
    pixels = inputs.reshape(batch, height * width, channels)
    return np.ones(height * width, inputs.dtype) @ pixels
