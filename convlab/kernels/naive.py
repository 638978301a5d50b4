"""The definition, as loops: one multiply-add at a time, to be read rather than run.

Every array is channels_last: ``(batch, height, width, channels)``. The last argument of each
function is the result, made by the caller and filled here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convlab.geometry import Geometry

Index = tuple[int, ...]


def taps(geometry: Geometry, row: int, column: int) -> Iterator[tuple[int, int, int, int]]:
    """Each tap of one window that lies on the image: its place in the kernel, and the pixel."""
    rows, columns = geometry.window(row, column)
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            if 0 <= y < geometry.height and 0 <= x < geometry.width:
                yield i, j, y, x


def products(geometry: Geometry) -> Iterator[tuple[Index, Index, Index]]:
    """Each multiplication of a convolution: where its input, weight and output stand.

    A filter of group ``g`` reads the channels of group ``g``, and no others.
    """
    rows, columns = geometry.output_size
    for image, row, column, filter in np.ndindex(geometry.batch, rows, columns, geometry.filters):
        first_channel = filter // geometry.group_filters * geometry.group_channels
        for i, j, y, x in taps(geometry, row, column):
            for channel in range(geometry.group_channels):
                pixel = image, y, x, first_channel + channel
                yield pixel, (i, j, channel, filter), (image, row, column, filter)


def conv2d(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, geometry: Geometry, output: np.ndarray
) -> None:
    """Every output is the bias, plus each pixel under the window times the weight above it."""
    output[...] = bias
    for pixel, weight, cell in products(geometry):
        output[cell] += x[pixel] * kernel[weight]


def conv2d_input_gradient(
    output_gradient: np.ndarray,
    kernel: np.ndarray,
    geometry: Geometry,
    input_gradient: np.ndarray,
) -> None:
    """Every output hands its gradient back to the pixels it read, times the weight used."""
    input_gradient[...] = 0
    for pixel, weight, cell in products(geometry):
        input_gradient[pixel] += output_gradient[cell] * kernel[weight]


def conv2d_kernel_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, kernel_gradient: np.ndarray
) -> None:
    """Every output hands its gradient back to the weights it used, times the pixel read."""
    kernel_gradient[...] = 0
    output_gradient = output_gradient.astype(kernel_gradient.dtype)  # uint8 times uint8 overflows
    for pixel, weight, cell in products(geometry):
        kernel_gradient[weight] += x[pixel] * output_gradient[cell]


def windows(geometry: Geometry) -> Iterator[tuple[Index, list[Index]]]:
    """Each output of a pooling, and the pixels that its window covers."""
    rows, columns = geometry.output_size
    for image, row, column, channel in np.ndindex(geometry.batch, rows, columns, geometry.filters):
        pixels: list[Index] = [(image, y, x, channel) for _, _, y, x in taps(geometry, row, column)]
        yield (image, row, column, channel), pixels


def first_maximum(x: np.ndarray, pixels: list[Index]) -> Index:
    """Where the largest value stands; the first of equals, and the first NaN before all."""
    best = pixels[0]
    for pixel in pixels:
        if np.isnan(x[best]):
            break
        if x[pixel] > x[best] or np.isnan(x[pixel]):
            best = pixel
    return best


def max_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """Every output is the largest pixel under its window."""
    for cell, pixels in windows(geometry):
        output[cell] = x[first_maximum(x, pixels)]


def max_pool2d_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every output hands its gradient to the pixel that it took, and to no other."""
    input_gradient[...] = 0
    for cell, pixels in windows(geometry):
        input_gradient[first_maximum(x, pixels)] += output_gradient[cell]


def average_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """Every output is the mean of the pixels under its window; padding does not count."""
    output[...] = 0
    for cell, pixels in windows(geometry):
        for pixel in pixels:
            output[cell] += x[pixel]
        output[cell] /= len(pixels)


def average_pool2d_gradient(
    output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every output shares its gradient equally among the pixels under its window."""
    input_gradient[...] = 0
    output_gradient = output_gradient.astype(input_gradient.dtype)  # float16 divides coarsely
    for cell, pixels in windows(geometry):
        for pixel in pixels:
            input_gradient[pixel] += output_gradient[cell] / len(pixels)
