"""`Flatten`: from images to rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.config import standardize_data_format
from convlab.layers.base import Layer

__all__ = ["Flatten"]


class Flatten(Layer):
    """Write every image as one row of numbers, channel after channel within a pixel.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}, optional
        `config.image_data_format` where None. From channels_first, the channels are moved to
        the end first, so that the row is the same for both.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    References
    ----------
    Keras, ``keras.layers.Flatten``.

    Examples
    --------
    >>> x = np.arange(8).reshape(1, 2, 2, 2)
    >>> Flatten()(x)
    array([[0., 1., 2., 3., 4., 5., 6., 7.]], dtype=float32)
    >>> Flatten("channels_first")(x)
    array([[0., 4., 1., 5., 2., 6., 3., 7.]], dtype=float32)
    """

    _min_ndim = 1

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the output: the batch, and the product of all other sizes.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)

        Examples
        --------
        >>> Flatten().compute_output_shape((None, 4, 4, 64))
        (None, 1024)
        """
        self.check_input_shape(input_shape)
        batch, *sizes = input_shape
        return batch, None if None in sizes else math.prod(sizes)  # type: ignore[arg-type]

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Reshape, with the channels last."""
        pixels = np.moveaxis(inputs, 1, -1) if self._turns(inputs.ndim) else inputs
        return pixels.reshape(len(inputs), math.prod(inputs.shape[1:])), pixels.shape

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Each number back to its place."""
        if not input_gradient:
            return None, []
        pixels = output_gradient.reshape(cache)
        return (np.moveaxis(pixels, -1, 1) if self._turns(len(cache)) else pixels), []

    def _turns(self, rank: int) -> bool:
        return self.data_format == "channels_first" and rank > 2

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {**super().get_config(), "data_format": self.data_format}
