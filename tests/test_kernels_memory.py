"""The vectorized kernels' scratch memory: bounded, whatever the input.

NumPy tells `tracemalloc` of every array. What counts is the peak beyond the arguments and the
result. Laid out at once, the windows of each layer here would take several times the bound.
"""

import tracemalloc

import numpy as np
import pytest

import convlab
from cases import CONVOLUTIONS, POOLINGS, Layer, grid
from convlab.kernels import vectorized

PROMISED = 3 * vectorized.PIECE_BYTES
LAYERS = [
    Layer("one_large_image", (1, 700, 900, 8), (3, 3), 4),
    Layer("channels_first", (1, 700, 900, 8), (3, 3), 4, data_format="channels_first"),
    Layer("many_images", (3000, 16, 16, 8), (3, 3), 4, padding="same"),
    Layer("large_kernel", (1, 130, 130, 4), (29, 29), 2, padding="same"),
    Layer("dilated", (1, 700, 700, 4), (5, 5), 2, padding="same", dilation_rate=(3, 3)),
    Layer("depthwise", (1, 400, 500, 16), (5, 5), 16, padding="same", groups=16),
    Layer("grouped", (1, 200, 300, 16), (5, 5), 16, padding="same", groups=4),
    Layer("many_filters", (1, 200, 200, 3), (1, 1), 1000),
    Layer("heavy_kernel", (1, 4, 4, 2048), (4, 4), 1024),
]
POOLED = [
    Layer("one_large_image", (1, 1200, 1500, 8), (3, 3), strides=(2, 2)),
    Layer("overlapping", (4, 500, 700, 8), (2, 2), padding="same"),
    Layer("one_row", (1, 1, 6_000_000, 1), (1, 2), padding="same"),
]


def scratch(layer, operation):
    """The peak of memory beyond what was there and what comes out."""
    arrays = layer.arrays(lambda rng, shape: np.ones(shape, np.float32))
    tracemalloc.start()
    try:
        result = layer.run(operation, arrays, "vectorized")
        return tracemalloc.get_traced_memory()[1] - result.nbytes
    finally:
        tracemalloc.stop()


def test_the_promise_is_below_256_megabytes():
    assert PROMISED <= 256 * 2**20


@grid(operation=CONVOLUTIONS, layer=LAYERS)
def test_scratch_of_a_convolution_is_bounded(layer, operation):
    assert scratch(layer, operation) < PROMISED + 2**20


@grid(operation=POOLINGS, layer=POOLED)
def test_scratch_of_a_pooling_is_bounded(layer, operation):
    assert scratch(layer, operation) < PROMISED + 2**20


@pytest.mark.parametrize("operation", ["conv2d", "conv2d_kernel_gradient"])
def test_scratch_is_bounded_where_infinity_must_not_meet_padding(operation):
    """Then every tap is worked on by itself."""
    layer = Layer("infinite", (1, 500, 700, 8), (3, 3), 4, padding="same")
    arrays = layer.arrays(lambda rng, shape: np.full(shape, np.inf, np.float32))
    tracemalloc.start()
    try:
        result = layer.run(operation, arrays, "vectorized")
        assert tracemalloc.get_traced_memory()[1] - result.nbytes < PROMISED + 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int32"])
def test_maximum_of_small_numbers_takes_no_wider_ones(dtype):
    x = np.ones((1, 3000, 3000, 3), dtype)
    tracemalloc.start()
    try:
        result = convlab.max_pool2d(x, 2, strides=1, implementation="vectorized")
        assert tracemalloc.get_traced_memory()[1] - result.nbytes < PROMISED + 2**20
    finally:
        tracemalloc.stop()
