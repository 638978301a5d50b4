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
            _sweep_channels(_seen(x, geometry), kernel[:, :, 0], bias, pairs, result)
        else:
            _sweep(x, kernel, bias, pairs, geometry.groups, result)


def conv2d_input_gradient(
    output_gradient: np.ndarray,
    kernel: np.ndarray,
    geometry: Geometry,
    input_gradient: np.ndarray,
) -> None:
    """The same sweep from the other end: every pixel gathers from the outputs that read it."""
    pairs, filters = reads(geometry, backward=True), geometry.group_filters
    with contiguous(input_gradient) as result:
        if _is_channelwise(geometry):
            shares = np.empty((*result.shape, filters), result.dtype)
            lanes = shares.reshape(*result.shape[:3], geometry.filters)
            nothing = np.zeros(geometry.filters, result.dtype)
            _sweep_channels(output_gradient, kernel[:, :, 0], nothing, pairs, lanes)
            np.sum(shares, axis=4, out=result)
        else:
            nothing = np.zeros(geometry.channels, result.dtype)
            turned = _swap_channels(kernel, geometry.groups)
            _sweep(output_gradient, turned, nothing, pairs, geometry.groups, result)


def conv2d_kernel_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, kernel_gradient: np.ndarray
) -> None:
    """Every weight is the sum of the pixels it met, times the gradients of their outputs."""
    pairs = reads(geometry)
    tables = pairs.rows, pairs.columns, pairs.steps[1]
    with contiguous(kernel_gradient) as result:
        dtype = result.dtype
        gradient = read_only(output_gradient, dtype)
        if _is_channelwise(geometry):
            pixels = read_only(_seen(x, geometry), dtype)
            at_once = channelwise.pixels_at_once(geometry.filters, pairs.steps)
            launch(channelwise.correlate, pixels, gradient, *tables, at_once, result[:, :, 0])
        else:
            pixels = read_only(x, dtype)
            launch(dense.correlate, pixels, gradient, *tables, geometry.groups, result)


def _sweep(
    source: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
    pairs: Reads,
    groups: int,
    target: np.ndarray,
) -> None:
    """Sweep panel by panel of filters."""
    dtype = target.dtype
    weights = read_only(dense.pack(kernel, groups), dtype)
    offsets = read_only(dense.pack_bias(bias, groups), dtype)
    pixels = read_only(source, dtype)
    launch(dense.sweep, pixels, weights, offsets, pairs.rows, pairs.columns, pairs.steps, target)


def _sweep_channels(
    source: np.ndarray, weights: np.ndarray, bias: np.ndarray, pairs: Reads, target: np.ndarray
) -> None:
    """Sweep lane by lane; `weights` is ``(kernel height, kernel width, lanes)``."""
    dtype = target.dtype
    lanes = np.tile(weights, channelwise.pixels_at_once(target.shape[3], pairs.steps))
    launch(
        channelwise.sweep, read_only(source, dtype), read_only(lanes, dtype),
        read_only(bias, dtype), pairs.rows, pairs.columns, pairs.steps, target,
    )  # fmt: skip


def _seen(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The input, filter by filter: each channel as often as filters see it."""
    few = geometry.group_filters
    return x if few == 1 else np.repeat(x, few, axis=3)


def _swap_channels(kernel: np.ndarray, groups: int) -> np.ndarray:
    """Inputs and filters change places, group by group: the kernel that goes backward."""
    height, width, channels, filters = kernel.shape
    grouped = kernel.reshape(height, width, channels, groups, filters // groups)
    return grouped.transpose(0, 1, 4, 3, 2).reshape(height, width, -1, groups * channels)
