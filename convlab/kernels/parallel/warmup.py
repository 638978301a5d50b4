"""`warmup`: compile what is used most, so that no first call has to wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from convlab.geometry import Geometry
from convlab.kernels.parallel import convolution, pooling

# Layers of the book, and of usual networks; float64 because trained chapters compute in it.
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict]] = {
    "5x5, 1 to 32 (first layer)": ((128, 28, 28, 1), (5, 5, 1, 32), {}),
    "5x5, 32 to 64": ((128, 12, 12, 32), (5, 5, 32, 64), {}),
    "3x3, 64 to 64": ((2, 28, 28, 64), (3, 3, 64, 64), {"padding": "same"}),
    "3x3, strides 2": ((2, 28, 28, 32), (3, 3, 32, 32), {"padding": "same", "strides": 2}),
    "1x1": ((2, 28, 28, 64), (1, 1, 64, 64), {}),
    "photo, channel by channel": ((1, 427, 640, 3), (5, 5, 1, 3), {"groups": 3}),
    "photo, grey": ((1, 427, 640, 1), (3, 3, 1, 1), {}),
    "photo, 3 to 8": ((1, 427, 640, 3), (3, 3, 3, 8), {"padding": "same"}),
    "depthwise": ((2, 28, 28, 64), (3, 3, 1, 64), {"groups": 64, "padding": "same"}),
}
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def warmup() -> Iterator[tuple[str, float]]:
    """Compile the kernels that the book uses; where that is on disk already, load it.

    Yields
    ------
    (str, float)
        What was compiled, and the seconds that it took.

    Examples
    --------
    >>> what, seconds = next(warmup())
    >>> what
    'float32: 5x5, 1 to 32 (first layer)'
    """
    for dtype in DTYPES:
        for name, (input_shape, kernel_shape, options) in CONVOLUTIONS.items():
            start = time.perf_counter()
            _convolve(Geometry.conv2d(input_shape, kernel_shape, **options), dtype)
            yield f"{dtype}: {name}", time.perf_counter() - start
        start = time.perf_counter()
        _pool(Geometry.pool2d((128, 24, 24, 32), 2), dtype)
        yield f"{dtype}: pooling", time.perf_counter() - start


def _convolve(geometry: Geometry, dtype: np.dtype) -> None:
    x = np.zeros(geometry.input_shape, dtype)
    kernel = np.zeros(geometry.kernel_shape, dtype)
    output = np.zeros(geometry.output_shape, dtype)
    convolution.conv2d(x, kernel, None, geometry, output)
    convolution.conv2d_input_gradient(output, kernel, geometry, x)
    convolution.conv2d_kernel_gradient(x, output, geometry, kernel)


def _pool(geometry: Geometry, dtype: np.dtype) -> None:
    x, output = np.zeros(geometry.input_shape, dtype), np.zeros(geometry.output_shape, dtype)
    pooling.max_pool2d(x, geometry, output)
    pooling.max_pool2d_gradient(x, output, geometry, np.empty_like(x))
    pooling.average_pool2d(x, geometry, output)
    pooling.average_pool2d_gradient(output, geometry, np.empty_like(x))
