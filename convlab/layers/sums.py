"""Sums over all axes but one: the gradient of a bias, the statistics of a channel."""

from __future__ import annotations

import math

import numpy as np


def sum_over_others(array: np.ndarray, axis: int = -1) -> np.ndarray:
    """The sum over every axis but one.

    Parameters
    ----------
    array : array of floats
    axis : int, default -1
        The axis that stays.

    Returns
    -------
    numpy.ndarray
        Of one axis. float16 is summed in float32, and stays float32.

    Examples
    --------
    >>> sum_over_others(np.ones((2, 3, 4)))
    array([6., 6., 6., 6.])
    >>> sum_over_others(np.ones((2, 3, 4)), axis=1)
    array([8., 8., 8.])
    """
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    axis %= array.ndim
    size, after = array.shape[axis], math.prod(array.shape[axis + 1 :])
    blocks = array.reshape(math.prod(array.shape[:axis]), size, after)
    # Products with ones: BLAS reads the array once, in order, and rounds less than a plain sum.
    rows = blocks[:, :, 0] if after == 1 else blocks @ np.ones(after, array.dtype)
    return np.ones(len(rows), array.dtype) @ rows


def channel_axis(data_format: str) -> int:
    """The axis of the channels in a batch of images."""
    return 1 if data_format == "channels_first" else -1
