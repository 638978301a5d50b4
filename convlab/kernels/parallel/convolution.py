"""The convolution and its gradients: lay out, choose the loops, launch."""

from __future__ import annotations

import numpy as np

from convlab.geometry import Geometry
from convlab.kernels.parallel import channelwise, dense
from convlab.kernels.parallel.launch import contiguous, launch, read_only
from convlab.kernels.parallel.reads import Reads, reads

# Filters that see the same single channel: with more, `dense` fills its lanes better.
FEW = 8


def _is_channelwise(geometry: Geometry) -> bool:
    return geometry.group_channels == 1 and geometry.group_filters < FEW


def conv2d(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, geometry: Geometry, output: np.ndarray
) -> None:
    """Every output is the bias plus the products of its window."""
    pairs = reads(geometry)
    with contiguous(output) as result:
        if _is_channelwise(geometry):
            _sweep_channels(_seen(x, geometry), kernel, bias, geometry, pairs, result)
        else:
            _sweep(x, kernel, bias, geometry, pairs, result)


def conv2d_input_gradient(
    output_gradient: np.ndarray,
    kernel: np.ndarray,
    geometry: Geometry,
    input_gradient: np.ndarray,
) -> None:
    """The same sweep from the other end: every pixel gathers from the outputs that read it."""
    pairs = reads(geometry, backward=True)
    with contiguous(input_gradient) as result:
        if _is_channelwise(geometry):
            shares = np.empty((*result.shape, geometry.group_filters), result.dtype)
            lanes = shares.reshape(*result.shape[:3], geometry.filters)
            nothing = np.zeros(geometry.filters, result.dtype)
            _sweep_channels(output_gradient, kernel, nothing, geometry, pairs, lanes)
            np.sum(shares, axis=4, out=result)
        else:
            nothing = np.zeros(geometry.channels, result.dtype)
            turned = _swap_channels(kernel, geometry)
            _sweep(output_gradient, turned, nothing, geometry, pairs, result)


def conv2d_kernel_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, kernel_gradient: np.ndarray
) -> None:
    """Every weight is the sum of the pixels it met, times the gradients of their outputs."""
    pairs = reads(geometry)
    tables = pairs.rows, pairs.columns, pairs.steps[1]
    with contiguous(kernel_gradient) as result:
        gradient = read_only(output_gradient, result.dtype)
        if _is_channelwise(geometry):
            pixels = read_only(_seen(x, geometry), result.dtype)
            run = channelwise.pixels_at_once(geometry.filters, pairs.steps)
            arguments = (pixels, gradient, *tables, run, result[:, :, 0])
            launch(channelwise.correlate, geometry, *arguments)
        else:
            arguments = (read_only(x, result.dtype), gradient, *tables, geometry.groups, result)
            launch(dense.correlate, geometry, *arguments)


def _sweep(
    source: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    geometry: Geometry,
    pairs: Reads,
    target: np.ndarray,
) -> None:
    """Sweep panel by panel of filters."""
    pixels, weights, offsets = (
        read_only(array, target.dtype)
        for array in (
            source,
            dense.pack(kernel, geometry.groups),
            dense.pack_bias(bias, geometry.groups),
        )
    )
    tables = pairs.rows, pairs.columns, pairs.steps
    launch(dense.sweep, geometry, pixels, weights, offsets, *tables, target)


def _sweep_channels(
    source: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    geometry: Geometry,
    pairs: Reads,
    target: np.ndarray,
) -> None:
    """Sweep lane by lane: a filter and the channel that it sees."""
    run = np.tile(kernel[:, :, 0], channelwise.pixels_at_once(geometry.filters, pairs.steps))
    pixels, weights, offsets = (read_only(array, target.dtype) for array in (source, run, bias))
    tables = pairs.rows, pairs.columns, pairs.steps
    launch(channelwise.sweep, geometry, pixels, weights, offsets, *tables, target)


def _seen(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The input, filter by filter: each channel as often as filters see it."""
    few = geometry.group_filters
    return x if few == 1 else np.repeat(x, few, axis=3)


def _swap_channels(kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Inputs and filters change places, group by group: the kernel that goes backward."""
    grouped = kernel.reshape(*kernel.shape[:3], geometry.groups, geometry.group_filters)
    turned = grouped.transpose(0, 1, 4, 3, 2)
    return turned.reshape(*geometry.kernel_size, geometry.group_filters, geometry.channels)
