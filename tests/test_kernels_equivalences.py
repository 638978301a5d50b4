"""One operation, two ways: what the book says is the same must be the same, bit by bit."""

import numpy as np
import pytest

from cases import FORMATS, IMPLEMENTATIONS, Layer, grid, integers
from convlab import average_pool2d, conv2d, conv2d_input_gradient, max_pool2d


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request):
    return request.param


def images_and_kernel(name, input_shape, kernel_size, filters, groups=1):
    layer = Layer(name, input_shape, kernel_size, filters, groups=groups)
    return layer.arrays(integers)[:2]


def zero_stuffed(kernel, rates):
    height, width = ((size - 1) * rate + 1 for size, rate in zip(kernel.shape, rates, strict=False))
    stuffed = np.zeros((height, width, *kernel.shape[2:]), kernel.dtype)
    stuffed[:: rates[0], :: rates[1]] = kernel
    return stuffed


@grid(padding=("valid", "same"), rates=[(2, 2), (1, 3), (3, 2)])
def test_dilation_equals_zero_stuffed_kernel(rates, padding, implementation):
    x, kernel = images_and_kernel("dilation", (2, 9, 8, 3), (3, 3), 4)
    options = {"padding": padding, "implementation": implementation}
    dilated = conv2d(x, kernel, dilation_rate=rates, **options)
    np.testing.assert_array_equal(dilated, conv2d(x, zero_stuffed(kernel, rates), **options))


@grid(padding=("valid", "same"), groups=(2, 3, 6))
def test_groups_equal_split_convolve_concatenate(groups, padding, implementation):
    x, kernel = images_and_kernel("groups", (2, 5, 6, 6), (3, 2), 12, groups)
    options = {"padding": padding, "implementation": implementation}
    parts = zip(np.split(x, groups, axis=3), np.split(kernel, groups, axis=3), strict=True)
    split = np.concatenate([conv2d(*part, **options) for part in parts], axis=3)
    np.testing.assert_array_equal(conv2d(x, kernel, groups=groups, **options), split)


def test_1x1_kernel_equals_matrix_product_of_every_pixel(implementation):
    x, kernel = images_and_kernel("1x1", (2, 5, 4, 7), (1, 1), 9)
    np.testing.assert_array_equal(
        conv2d(x, kernel, implementation=implementation), x @ kernel[0, 0]
    )


def test_kernel_of_the_images_size_equals_matrix_product_of_flat_images(implementation):
    x, kernel = images_and_kernel("flat", (5, 3, 4, 2), (3, 4), 6)
    flat = x.reshape(5, -1) @ kernel.reshape(-1, 6)
    output = conv2d(x, kernel, implementation=implementation)
    np.testing.assert_array_equal(output.reshape(5, 6), flat)


@grid(strides=[(2, 2), (1, 3), (4, 2)])
def test_stride_equals_subsampled_stride_1(strides, implementation):
    """Without padding. With "same" a stride moves the padding: the next test."""
    x, kernel = images_and_kernel("strides", (2, 9, 10, 3), (3, 2), 4)
    every = conv2d(x, kernel, implementation=implementation)
    strided = conv2d(x, kernel, strides=strides, implementation=implementation)
    np.testing.assert_array_equal(strided, every[:, :: strides[0], :: strides[1]])


def test_same_with_stride_2_on_an_even_image_starts_one_pixel_later(implementation):
    x, kernel = images_and_kernel("shifted", (2, 8, 8, 3), (3, 3), 4)
    options = {"padding": "same", "implementation": implementation}
    every = conv2d(x, kernel, **options)
    strided = conv2d(x, kernel, strides=2, **options)
    np.testing.assert_array_equal(strided, every[:, 1::2, 1::2])


@grid(kernel_size=[(2, 2), (3, 3), (4, 3), (1, 2)])
def test_same_equals_valid_on_the_padded_image_with_the_odd_zero_last(kernel_size, implementation):
    x, kernel = images_and_kernel("same", (2, 5, 6, 3), kernel_size, 4)
    before = [(size - 1) // 2 for size in kernel_size]
    after = [size // 2 for size in kernel_size]
    padded = np.pad(x, ((0, 0), *zip(before, after, strict=True), (0, 0)))
    same = conv2d(x, kernel, padding="same", implementation=implementation)
    np.testing.assert_array_equal(same, conv2d(padded, kernel, implementation=implementation))


def test_channels_first_equals_transposed(implementation):
    x, kernel = images_and_kernel("format", (2, 5, 6, 3), (3, 2), 4)
    first = conv2d(
        x.transpose(0, 3, 1, 2), kernel, data_format=FORMATS[1], implementation=implementation
    )
    last = conv2d(x, kernel, implementation=implementation)
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)


def convolution(image, kernel):
    """As in a textbook: ``y[n] = sum of x[n - k] * w[k]``, where the kernel fits."""
    (height, width), (tall, wide) = image.shape, kernel.shape
    output = np.zeros((height - tall + 1, width - wide + 1), image.dtype)
    for row, column in np.ndindex(output.shape):
        for i, j in np.ndindex(kernel.shape):
            output[row, column] += image[row + tall - 1 - i, column + wide - 1 - j] * kernel[i, j]
    return output


def test_convolution_equals_correlation_with_the_flipped_kernel(implementation):
    x, kernel = images_and_kernel("flip", (1, 6, 7, 1), (3, 2), 1)
    flipped = conv2d(x, kernel[::-1, ::-1], implementation=implementation)
    np.testing.assert_array_equal(
        flipped[0, :, :, 0], convolution(x[0, :, :, 0], kernel[:, :, 0, 0])
    )


def test_input_gradient_equals_convolution_of_the_padded_gradient_with_the_turned_kernel(
    implementation,
):
    dy, kernel = images_and_kernel("turned", (2, 5, 6, 4), (3, 2), 4)
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    padded = np.pad(dy, ((0, 0), (2, 2), (1, 1), (0, 0)))
    gradient = conv2d_input_gradient(dy, kernel, (2, 7, 7, 4), implementation=implementation)
    np.testing.assert_array_equal(gradient, conv2d(padded, turned, implementation=implementation))


def test_average_pooling_equals_depthwise_convolution_with_a_box(implementation):
    x, _ = images_and_kernel("box", (2, 6, 8, 3), (2, 2), 3)
    box = np.full((2, 4, 1, 3), 1 / 8)  # eighths of small whole numbers are exact
    pooled = average_pool2d(x, (2, 4), implementation=implementation)
    filtered = conv2d(x, box, strides=(2, 4), groups=3, implementation=implementation)
    np.testing.assert_array_equal(pooled, filtered)


def test_max_pooling_twice_equals_one_larger_window(implementation):
    x, _ = images_and_kernel("twice", (2, 8, 9, 3), (2, 2), 3)
    small = max_pool2d(x, (2, 3), strides=1, implementation=implementation)
    twice = max_pool2d(small, (2, 3), strides=1, implementation=implementation)
    once = max_pool2d(x, (3, 5), strides=1, implementation=implementation)
    np.testing.assert_array_equal(twice, once)
