"""Depthwise convolutions: each filter sees one channel, so the lanes run along the channels.

Where both sides step by one pixel, a row is one long run of numbers, and several pixels are
worked on at once by repeating the weights: without this, an RGB photo would fill 3 lanes.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import prange

from convlab.kernels.parallel.launch import compiled

# Numbers to work on at once, about: enough for the loop to pay, and little of the first cache.
RUN = 256


def pixels_at_once(channels: int, steps: tuple[int, int]) -> int:
    """Pixels that make up a run: one where either side steps over pixels."""
    return max(1, RUN // channels) if steps == (1, 1) else 1


@compiled(parallel=True)
def sweep(source, weights, bias, rows, columns, steps, target):
    """Every target pixel is the bias, plus the source pixels under its taps times the weights.

    The weights are ``(height, width, pixels at once * channels)``. A job fills one target row.
    """
    for job in prange(target.shape[0] * target.shape[1]):
        image, row = job // target.shape[1], job % target.shape[1]
        _fill_row(source[image], weights, bias, rows[row], columns, steps, target[image, row])


@compiled()
def _fill_row(source, weights, bias, rows, columns, steps, target):
    channels = target.shape[1]
    for column in range(target.shape[0]):
        for channel in range(channels):
            target[column, channel] = bias[channel]
    for i in range(weights.shape[0]):
        if rows[i] < 0:
            continue
        flat_source = source[rows[i]].reshape(-1)
        for j in range(weights.shape[1]):
            _add_tap(flat_source, weights[i, j], columns[j], steps, channels, target.reshape(-1))


@compiled()
def _add_tap(source, weights, span, steps, channels, target):
    """Add one tap's products along a row, run by run."""
    first_target, first_source, count = span
    pixels = weights.size // channels
    for n in range(0, count, pixels):
        # Slices, because an index from 0 up is never negative: no check keeps vectors away.
        to = target[(first_target + n * steps[0]) * channels :]
        run = source[(first_source + n * steps[1]) * channels :]
        for k in range(min(pixels, count - n) * channels):
            to[k] += run[k] * weights[k]


@compiled(parallel=True)
def correlate(x, gradient, rows, columns, stride, pixels, result):
    """The kernel gradient ``(height, width, channels)``; a job sums the weights of one tap."""
    for tap in prange(result.shape[0] * result.shape[1]):
        i, j = tap // result.shape[1], tap % result.shape[1]
        _sum_tap(x, gradient, rows[:, i], columns[j], stride, pixels, result[i, j])


@compiled()
def _sum_tap(x, gradient, rows, span, stride, pixels, result):
    """Sum a tap's products row by row: short sums lose fewer digits."""
    channels = result.size
    sums = np.zeros(pixels * channels, result.dtype)
    total = np.zeros(pixels * channels, result.dtype)
    for image in range(x.shape[0]):
        for row in range(rows.size):
            if rows[row] < 0:
                continue
            flat_x, flat_gradient = (
                x[image, rows[row]].reshape(-1),
                gradient[image, row].reshape(-1),
            )
            _sum_row(flat_x, flat_gradient, span, stride, channels, sums)
            for n in range(sums.size):
                total[n] += sums[n]
                sums[n] = 0
    result[:] = 0
    for pixel in range(pixels):
        for channel in range(channels):
            result[channel] += total[pixel * channels + channel]


@compiled()
def _sum_row(x, gradient, span, stride, channels, sums):
    """Add one row's products, run by run."""
    output, column, count = span
    pixels = sums.size // channels
    for n in range(0, count, pixels):
        run = x[(column + n * stride) * channels :]
        upstream = gradient[(output + n) * channels :]
        for k in range(min(pixels, count - n) * channels):
            sums[k] += run[k] * upstream[k]
