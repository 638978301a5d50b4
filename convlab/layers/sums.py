"""Sums over all axes but one: the gradient of a bias, the statistics of a channel."""

from __future__ import annotations

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
    # Axis by axis: NumPy adds whole rows at once, and short sums lose fewer digits than a long one.
    total = array
    for _ in range(axis % array.ndim):
        total = total.sum(axis=0)
    return total.reshape(len(total), -1).sum(axis=1)


def channel_axis(data_format: str) -> int:
    """The axis of the channels in a batch of images."""
    return 1 if data_format == "channels_first" else -1
