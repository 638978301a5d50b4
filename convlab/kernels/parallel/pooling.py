"""Maximum and mean of windows, and their gradients: a job fills one row of its result.

A gradient is gathered, not scattered. Windows may overlap, and two of them must not add to one
pixel at the same time; a pixel that collects from its windows belongs to one job alone.

The innermost loops run over the channels of one pixel, from index 0 up and without a branch:
so the compiler makes vectors of them.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import prange

from convlab.geometry import Geometry
from convlab.kernels.parallel.launch import compiled, contiguous, launch, read_only
from convlab.kernels.parallel.reads import reads, window_sizes


def max_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """Every output is the largest pixel of its window; NaN where the window holds one."""
    pairs = reads(geometry)
    with contiguous(output) as result:
        pixels = read_only(x, result.dtype)
        lowest = np.full(1, _lowest(result.dtype), result.dtype)[0]
        launch(maximum, geometry, pixels, pairs.rows, pairs.columns, pairs.steps[1], lowest, result)


def _lowest(dtype: np.dtype) -> float:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def max_pool2d_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every pixel collects the gradients of the windows whose first maximum it is."""
    pairs, back = reads(geometry), reads(geometry, backward=True)
    winners = np.empty((geometry.batch, *geometry.output_size, geometry.channels), np.int32)
    with contiguous(input_gradient) as result:
        pixels = read_only(x, result.dtype)
        gradient = read_only(output_gradient, result.dtype)
        launch(find_winners, geometry, pixels, pairs.rows, pairs.columns, pairs.steps[1], winners)
        winners = read_only(winners, winners.dtype)
        launch(collect, geometry, gradient, winners, back.rows, back.columns, back.steps[0], result)


def average_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """Every output is the mean of its window's pixels, padding left out."""
    pairs = reads(geometry)
    with contiguous(output) as result:
        arguments = (read_only(x, result.dtype), pairs.rows, pairs.columns, pairs.steps[1])
        launch(mean, geometry, *arguments, *window_sizes(geometry), result)


def average_pool2d_gradient(
    output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every pixel collects an equal share of the gradient of each window that holds it."""
    back = reads(geometry, backward=True)
    with contiguous(input_gradient) as result:
        gradient = read_only(output_gradient, result.dtype)
        arguments = (gradient, back.rows, back.columns, back.steps[0])
        launch(share, geometry, *arguments, *window_sizes(geometry), result)


@compiled(parallel=True)
def maximum(x, rows, columns, stride, lowest, result):
    """The largest pixel of every window; NaN where the window holds one."""
    for job in prange(result.shape[0] * result.shape[1]):
        image, row = job // result.shape[1], job % result.shape[1]
        _maximum_row(x[image], rows[row], columns, stride, lowest, result[image, row])


@compiled()
def _maximum_row(x, rows, columns, stride, lowest, result):
    result[:] = lowest
    for i in range(rows.size):
        if rows[i] < 0:
            continue
        line = x[rows[i]]
        for j in range(columns.shape[0]):
            output, column, count = columns[j]
            for n in range(count):
                pixels, leads = line[column + n * stride], result[output + n]
                for channel in range(pixels.size):
                    pixel, lead = pixels[channel], leads[channel]
                    # Only NaN differs from itself. It wins, and no pixel is larger than it.
                    wins = (pixel > lead) | (pixel != pixel)
                    leads[channel] = pixel if wins else lead


@compiled(parallel=True)
def find_winners(x, rows, columns, stride, winners):
    """The tap, counted row by row, that meets the maximum of every window first."""
    for job in prange(winners.shape[0] * winners.shape[1]):
        image, row = job // winners.shape[1], job % winners.shape[1]
        _winners_row(x[image], rows[row], columns, stride, winners[image, row])


@compiled()
def _winners_row(x, rows, columns, stride, winners):
    best = np.empty(winners.shape, x.dtype)
    winners[:] = -1
    for i in range(rows.size):
        if rows[i] < 0:
            continue
        line = x[rows[i]]
        for j in range(columns.shape[0]):
            output, column, count = columns[j]
            tap = np.int32(i * columns.shape[0] + j)
            for n in range(count):
                pixels = line[column + n * stride]
                leads, leaders = best[output + n], winners[output + n]
                for channel in range(pixels.size):
                    pixel, lead, leader = pixels[channel], leads[channel], leaders[channel]
                    larger = (pixel > lead) | ((pixel != pixel) & (lead == lead))
                    wins = larger | (leader < 0)
                    leads[channel] = pixel if wins else lead
                    leaders[channel] = tap if wins else leader


@compiled(parallel=True)
def collect(gradient, winners, rows, columns, stride, result):
    """Every pixel collects the gradients of the windows that it won."""
    for job in prange(result.shape[0] * result.shape[1]):
        image, row = job // result.shape[1], job % result.shape[1]
        _collect_row(
            gradient[image], winners[image], rows[row], columns, stride, result[image, row]
        )


@compiled()
def _collect_row(gradient, winners, rows, columns, stride, result):
    result[:] = 0
    nothing = gradient.dtype.type(0)
    for i in range(rows.size):
        if rows[i] < 0:
            continue
        for j in range(columns.shape[0]):
            column, output, count = columns[j]
            tap = np.int32(i * columns.shape[0] + j)
            for n in range(count):
                leaders, shares = winners[rows[i], output + n], gradient[rows[i], output + n]
                pixels = result[column + n * stride]
                for channel in range(pixels.size):
                    pixels[channel] += shares[channel] if leaders[channel] == tap else nothing


@compiled(parallel=True)
def mean(x, rows, columns, stride, heights, widths, result):
    """The mean of every window's pixels; there are heights[row] * widths[column] of them."""
    for job in prange(result.shape[0] * result.shape[1]):
        image, row = job // result.shape[1], job % result.shape[1]
        _mean_row(x[image], rows[row], columns, stride, heights[row] * widths, result[image, row])


@compiled()
def _mean_row(x, rows, columns, stride, sizes, result):
    result[:] = 0
    for i in range(rows.size):
        if rows[i] < 0:
            continue
        line = x[rows[i]]
        for j in range(columns.shape[0]):
            output, column, count = columns[j]
            for n in range(count):
                pixels, sums = line[column + n * stride], result[output + n]
                for channel in range(pixels.size):
                    sums[channel] += pixels[channel]
    for column in range(sizes.size):
        for channel in range(result.shape[1]):
            result[column, channel] /= sizes[column]


@compiled(parallel=True)
def share(gradient, rows, columns, stride, heights, widths, result):
    """Every pixel collects its equal share of the gradients of the windows that hold it."""
    for job in prange(result.shape[0] * result.shape[1]):
        image, row = job // result.shape[1], job % result.shape[1]
        _share_row(gradient[image], rows[row], columns, stride, heights, widths, result[image, row])


@compiled()
def _share_row(gradient, rows, columns, stride, heights, widths, result):
    result[:] = 0
    for i in range(rows.size):
        if rows[i] < 0:
            continue
        line = gradient[rows[i]]
        for j in range(columns.shape[0]):
            column, output, count = columns[j]
            for n in range(count):
                pixels, shares = result[column + n * stride], line[output + n]
                size = heights[rows[i]] * widths[output + n]
                for channel in range(pixels.size):
                    pixels[channel] += shares[channel] / size
