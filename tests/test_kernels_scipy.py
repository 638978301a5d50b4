"""Where SciPy is installed: its numbers, for one image and one filter."""

import numpy as np
import pytest

from cases import IMPLEMENTATIONS, Layer, floats, grid

signal = pytest.importorskip("scipy.signal")
ndimage = pytest.importorskip("scipy.ndimage")

PHOTO = Layer("photo", (1, 12, 15, 1), (4, 3), 1)


@grid(implementation=IMPLEMENTATIONS)
def test_one_channel_agrees_with_scipy_correlate2d(implementation):
    x, kernel, bias, _ = PHOTO.arrays(floats)
    output = PHOTO.run("conv2d", [x, kernel, 0 * bias, x], implementation)
    expected = signal.correlate2d(x[0, :, :, 0], kernel[:, :, 0, 0], mode="valid")
    np.testing.assert_allclose(output[0, :, :, 0], expected, rtol=0, atol=1e-13)


@grid(implementation=IMPLEMENTATIONS)
def test_odd_kernel_with_same_agrees_with_scipy_ndimage(implementation):
    layer = PHOTO.but("odd", kernel_size=(5, 3), padding="same")
    x, kernel, bias, dy = layer.arrays(floats)
    output = layer.run("conv2d", [x, kernel, 0 * bias, dy], implementation)
    expected = ndimage.correlate(x[0, :, :, 0], kernel[:, :, 0, 0], mode="constant")
    np.testing.assert_allclose(output[0, :, :, 0], expected, rtol=0, atol=1e-13)


@grid(implementation=IMPLEMENTATIONS)
def test_input_gradient_agrees_with_scipy_full_convolution(implementation):
    arrays = _, kernel, _, dy = PHOTO.arrays(floats)
    gradient = PHOTO.run("conv2d_input_gradient", arrays, implementation)
    expected = signal.convolve2d(dy[0, :, :, 0], kernel[:, :, 0, 0], mode="full")
    np.testing.assert_allclose(gradient[0, :, :, 0], expected, rtol=0, atol=1e-13)
