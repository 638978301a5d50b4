"""The convolution and its gradients: plan, prepare the weights, compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from convlab.geometry import Geometry
from convlab.kernels import vectorized
from convlab.kernels.parallel import channelwise, kernel_gradient, paths, rowwise
from convlab.kernels.parallel.launch import (
    allowed_threads,
    contiguous,
    read_only,
)
from convlab.kernels.parallel.paths import Prepared
from convlab.kernels.parallel.planning import Plan, planned

if TYPE_CHECKING:
    from convlab.prepared import PreparedKernel

Preparing = Callable[[Plan], Prepared]


def prepare_weights(plan: Plan, kernel: np.ndarray) -> Prepared:
    """The weights as the plan's path reads them, to be kept."""
    backward = plan.operation == "conv2d_input_gradient"
    room = np.empty(plan.packed_size, plan.dtype)
    return plan.path.prepare(read_only(kernel, plan.dtype), plan.setups, backward, room)


def conv2d(
    x: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    output: np.ndarray,
    algorithm: str = "auto",
    prepared: PreparedKernel | None = None,
) -> None:
    """Every output is the bias plus the products of its window."""
    ready = prepared.weights if prepared is not None else None
    if not _compute("conv2d", x, kernel, bias, geometry, output, algorithm, ready):
        vectorized.conv2d(x, kernel, _zeros(bias, geometry, output), geometry, output)


def conv2d_input_gradient(
    output_gradient: np.ndarray,
    kernel: np.ndarray,
    geometry: Geometry,
    input_gradient: np.ndarray,
    algorithm: str = "auto",
) -> None:
    """The same sweep from the other end: every pixel gathers from the outputs that read it."""
    operation = "conv2d_input_gradient"
    if not _compute(operation, output_gradient, kernel, None, geometry, input_gradient, algorithm):
        vectorized.conv2d_input_gradient(output_gradient, kernel, geometry, input_gradient)


def conv2d_kernel_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, result: np.ndarray
) -> None:
    """Every weight is the sum of the pixels it met, times the gradients of their outputs."""
    if not x.size or not output_gradient.size:
        result[...] = 0
        return
    with contiguous(result) as target:
        pixels, gradient = (read_only(array, target.dtype) for array in (x, output_gradient))
        certain = _correlate(pixels, gradient, geometry, target)
    if not certain:
        vectorized.conv2d_kernel_gradient(x, output_gradient, geometry, result)


def _correlate(x: np.ndarray, gradient: np.ndarray, geometry: Geometry, target: np.ndarray) -> bool:
    """By the path of the layer's kind; whether the result is certainly right."""
    for module in (rowwise, channelwise):
        if module.takes(geometry, target.dtype):
            module.correlate(x, gradient, module.gradient_setup(geometry, target.dtype), target)
            return True
    setup = kernel_gradient.setup(geometry, target.dtype, allowed_threads())
    return kernel_gradient.correlate(x, gradient, setup, target)


def _zeros(bias: np.ndarray | None, geometry: Geometry, output: np.ndarray) -> np.ndarray:
    return np.zeros(geometry.filters, output.dtype) if bias is None else bias


def _compute(
    operation: str,
    source: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    target: np.ndarray,
    algorithm: str,
    preparing: Preparing | None = None,
) -> bool:
    """By the planned path; by the direct one where another met something infinite.

    False where that, too, multiplied a zero of the padding by something infinite. The definition
    leaves padding out, and so does the vectorized implementation.
    """
    if target.size == 0:
        return True
    threads = allowed_threads()
    with contiguous(target) as result:
        pixels = read_only(source, result.dtype)
        offsets = None if bias is None else read_only(bias, result.dtype)
        for name in dict.fromkeys((algorithm, "direct")):
            plan = planned(operation, geometry, result.dtype, name, threads)
            if _convolve(plan, pixels, kernel, offsets, result, preparing):
                return True
            if plan.path is paths.DIRECT:
                break
    return False


def _convolve(
    plan: Plan,
    source: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    target: np.ndarray,
    preparing: Preparing | None,
) -> bool:
    """By one path, with weights that are prepared or not."""
    if preparing is not None:
        return plan.path.convolve(source, preparing(plan), bias, plan.setups, target)
    backward = plan.operation == "conv2d_input_gradient"
    weights = read_only(kernel, plan.dtype)
    return plan.path.convolve_once(source, weights, bias, plan.setups, target, backward)
