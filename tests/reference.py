"""A second opinion: the operations by explicit zeros and einsum, with none of convlab's code.

Padding, dilation and stride are all made of zeros and slices here, and both gradients come from
the textbook identities: the input gradient is a full correlation of the stride-stuffed gradient
with the turned kernel, the kernel gradient a correlation of the image with that gradient.
Everything is channels_last, and computed in the dtype that comes in.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(x, kernel, bias, layer):
    kernel_groups = np.split(kernel, layer.groups, axis=3)
    maps = [
        correlate(pad(part, layer), stuff(weights, (0, 1), layer.dilation_rate))
        for part, weights in zip(np.split(x, layer.groups, axis=3), kernel_groups, strict=True)
    ]
    return np.concatenate(maps, axis=3)[:, :: layer.strides[0], :: layer.strides[1]] + bias


def conv2d_input_gradient(dy, kernel, input_shape, layer):
    parts = []
    groups = zip(*(np.split(a, layer.groups, axis=3) for a in (dy, kernel)), strict=True)
    for gradient, weights in groups:
        turned = stuff(weights, (0, 1), layer.dilation_rate)[::-1, ::-1].swapaxes(2, 3)
        height, width = turned.shape[:2]
        gradient = stuff(gradient, (1, 2), layer.strides)
        gradient = np.pad(gradient, ((0, 0), (height - 1,) * 2, (width - 1,) * 2, (0, 0)))
        parts.append(correlate(gradient, turned))
    return _on_the_image(np.concatenate(parts, axis=3), input_shape, layer)


def _on_the_image(padded, input_shape, layer):
    """Cut the padding off, and put back what no window reached (zeros, at the end)."""
    (top, _), (left, _) = pads(layer)
    result = np.zeros(input_shape, padded.dtype)
    seen = padded[:, top : top + input_shape[1], left : left + input_shape[2]]
    result[:, : seen.shape[1], : seen.shape[2]] = seen
    return result


def conv2d_kernel_gradient(x, dy, kernel_shape, layer):
    parts = []
    groups = zip(*(np.split(a, layer.groups, axis=3) for a in (x, dy)), strict=True)
    for part, gradient in groups:
        images = pad(part, layer).transpose(3, 1, 2, 0)
        weights = stuff(gradient, (1, 2), layer.strides).transpose(1, 2, 0, 3)
        tall, wide = (layer.dilation_rate[axis] * kernel_shape[axis] for axis in (0, 1))
        met = correlate(images, weights)[:, :tall, :wide]
        parts.append(met[:, :: layer.dilation_rate[0], :: layer.dilation_rate[1]])
    return np.concatenate(parts, axis=3).transpose(1, 2, 0, 3)


def correlate(x, kernel):
    """Stride 1, no padding: every window times the kernel."""
    windows = sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijcf->nhwf", windows, kernel)


def stuff(array, axes, steps):
    """Spread an array: ``step - 1`` zeros between neighbours. ``123 -> 10203``."""
    for axis, step in zip(axes, steps, strict=True):
        shape = list(array.shape)
        shape[axis] = max((shape[axis] - 1) * step + 1, 0)
        spread = np.zeros(shape, array.dtype)
        spread[(slice(None),) * axis + (slice(None, None, step),)] = array
        array = spread
    return array


def pads(layer):
    """Keras's rule: just enough zeros for ceil(n / s) windows, the odd one at the end."""
    if layer.padding == "valid":
        return (0, 0), (0, 0)
    amounts = []
    for axis in (0, 1):
        size, step = layer.input_shape[1 + axis], layer.strides[axis]
        reach = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
        total = max((int(np.ceil(size / step)) - 1) * step + reach - size, 0)
        amounts.append((total // 2, total - total // 2))
    return tuple(amounts)


def pad(x, layer):
    return np.pad(x, ((0, 0), *pads(layer), (0, 0)))


def output_shape(layer):
    """Counted on the padded image, window by window."""
    counts = []
    for axis, amount in enumerate(pads(layer)):
        reach = (layer.kernel_size[axis] - 1) * layer.dilation_rate[axis] + 1
        last = layer.input_shape[1 + axis] + sum(amount) - reach
        counts.append(len(range(0, last + 1, layer.strides[axis])))
    return (layer.input_shape[0], *counts, layer.filters or layer.input_shape[3])


def pooling_windows(layer):
    """Each output place with the slices of the image under its window."""
    (top, bottom), (left, right) = pads(layer)
    _, height, width, _ = layer.input_shape
    rows = range(-top, height + bottom - layer.kernel_size[0] + 1, layer.strides[0])
    columns = range(-left, width + right - layer.kernel_size[1] + 1, layer.strides[1])
    for row, y in enumerate(rows):
        for column, x in enumerate(columns):
            tall = slice(max(y, 0), min(y + layer.kernel_size[0], height))
            wide = slice(max(x, 0), min(x + layer.kernel_size[1], width))
            yield (row, column), (slice(None), tall, wide)


def max_pool2d(x, pool_size, layer):
    return _pool(x, layer, np.max)


def average_pool2d(x, pool_size, layer):
    return _pool(x, layer, np.mean)


def _pool(x, layer, best):
    output = np.zeros(output_shape(layer), best(x[:0, :1, :1], axis=(1, 2)).dtype)
    for (row, column), window in pooling_windows(layer):
        output[:, row, column] = best(x[window], axis=(1, 2))
    return output


def max_pool2d_gradient(x, dy, pool_size, layer):
    """NumPy's argmax settles ties and NaN: the first of the largest, a NaN before all."""
    gradient = np.zeros(x.shape, dy.dtype)
    for (row, column), window in pooling_windows(layer):
        pixels, target = x[window], gradient[window]
        for image, channel in np.ndindex(x.shape[0], x.shape[3]):
            winner = np.argmax(pixels[image, :, :, channel])
            place = np.unravel_index(winner, pixels.shape[1:3])
            target[(image, *place, channel)] += dy[image, row, column, channel]
    return gradient


def average_pool2d_gradient(dy, input_shape, pool_size, layer):
    gradient = np.zeros(input_shape, dy.dtype)
    for (row, column), window in pooling_windows(layer):
        count = gradient[window][0, :, :, 0].size if input_shape[0] else 1
        gradient[window] += dy[:, row : row + 1, column : column + 1] / count
    return gradient
