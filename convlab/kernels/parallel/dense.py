"""Convolutions whose filters see several channels: all arithmetic is one small product.

Filters are worked on in panels of `LANES`, whose sums stand side by side in memory: one vector
instruction multiplies a pixel by the weights of 4 to 16 filters at once. The last panel of a
group is filled up with zeros and its surplus is thrown away, so that no odd number of filters
needs loops of its own.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import prange

from convlab.kernels.parallel.launch import compiled

# Constants at compile time: the loop over lanes leaves no loop, only vector instructions.
LANES = 32
# Columns, and channels, whose sums a job keeps in the first-level cache: 64 * 32 floats = 8 KB.
BLOCK = 64
TILE = 32


def pack(kernel: np.ndarray, groups: int) -> np.ndarray:
    """The weights panel by panel: ``(groups, panels, height, width, channels, LANES)``.

    `kernel` is ``(height, width, channels of a group, filters)``. Lanes past the last filter
    are zero.
    """
    height, width, channels, filters = kernel.shape
    panels = -(-filters // (groups * LANES))
    padded = np.zeros((height, width, channels, groups, panels * LANES), kernel.dtype)
    padded[..., : filters // groups] = kernel.reshape(height, width, channels, groups, -1)
    panelled = padded.reshape(height, width, channels, groups, panels, LANES)
    return np.ascontiguousarray(panelled.transpose(3, 4, 0, 1, 2, 5))


def pack_bias(bias: np.ndarray, groups: int) -> np.ndarray:
    """The biases lane by lane, like the weights: ``(groups, panels, LANES)``."""
    return pack(bias.reshape(1, 1, 1, -1), groups)[:, :, 0, 0, 0]


@compiled()
def add_product(left, right, sums):
    """``sums += left @ right``: (rows, depth) times (depth, LANES). Every multiply-add is here.

    Four rows share each load of the right side; a row that is left over takes four columns at
    once. A sum adds its products one after another, in the order of the definition: so equal
    windows give equal sums, wherever they lie.
    """
    rows, depth = left.shape
    for r in range(0, rows - 3, 4):
        for k in range(depth):
            a, b, c, d = left[r, k], left[r + 1, k], left[r + 2, k], left[r + 3, k]
            for lane in range(LANES):
                weight = right[k, lane]
                sums[r, lane] += a * weight
                sums[r + 1, lane] += b * weight
                sums[r + 2, lane] += c * weight
                sums[r + 3, lane] += d * weight
    for r in range(rows - rows % 4, rows):
        for k in range(0, depth - 3, 4):
            a, b, c, d = left[r, k], left[r, k + 1], left[r, k + 2], left[r, k + 3]
            for lane in range(LANES):
                total = sums[r, lane] + a * right[k, lane] + b * right[k + 1, lane]
                sums[r, lane] = total + c * right[k + 2, lane] + d * right[k + 3, lane]
        for k in range(depth - depth % 4, depth):
            for lane in range(LANES):
                sums[r, lane] += left[r, k] * right[k, lane]


@compiled(parallel=True)
def sweep(source, weights, bias, rows, columns, steps, target):
    """Every target pixel is the bias, plus the source pixels under its taps times the weights.

    Weights and bias come from `pack`, rows and columns from `reads`. A job fills one block of
    one target row, and no other job writes there.
    """
    blocks = -(-target.shape[2] // (steps[0] * BLOCK)) * steps[0]
    for job in prange(target.shape[0] * target.shape[1] * blocks):
        _fill_block(np.int64(job), source, weights, bias, rows, columns, steps, target)


@compiled()
def _fill_block(job, source, weights, bias, rows, columns, steps, target):
    """Fill some columns of one target row: a step apart, because those share their taps."""
    _, height, width, target_channels = target.shape
    step = steps[0]
    blocks = -(-width // (step * BLOCK))
    line, phase, first = job // (step * blocks), job // blocks % step, job % blocks * BLOCK
    last = min(first + BLOCK, (width - phase + step - 1) // step)
    image, row = line // height, line % height
    groups, panels = weights.shape[:2]
    group_filters = target_channels // groups
    sums = np.empty((BLOCK, LANES), target.dtype)
    for group in range(groups):
        for panel in range(panels):
            for n in range(last - first):
                for lane in range(LANES):
                    sums[n, lane] = bias[group, panel, lane]
            cut = (group, phase, first, last)
            _add_taps(source[image], weights[group, panel], rows[row], columns, steps, cut, sums)
            start = group * group_filters + panel * LANES
            filters = min(LANES, group_filters - panel * LANES)
            for n in range(last - first):
                for lane in range(filters):
                    column = phase + (first + n) * step
                    target[image, row, column, start + lane] = sums[n, lane]


@compiled()
def _add_taps(source, weights, rows, columns, steps, cut, sums):
    """Tap by tap, add the products of the pixels that the block's columns read."""
    (step, source_step), (group, phase, first, last) = steps, cut
    kernel_height, kernel_width, depth = weights.shape[:3]
    for i in range(kernel_height):
        if rows[i] < 0:
            continue
        for j in range(kernel_width):
            target, column, count = columns[j]
            slot = target // step
            start, stop = max(first, slot), min(last, slot + count)
            if target % step == phase and start < stop:
                x = column + (start - slot) * source_step
                end = x + (stop - start - 1) * source_step + 1
                channels = slice(group * depth, (group + 1) * depth)
                pixels = source[rows[i], x:end:source_step, channels]
                add_product(pixels, weights[i, j], sums[start - first : stop - first])


@compiled(parallel=True)
def correlate(x, gradient, rows, columns, stride, groups, result):
    """The kernel gradient: every weight is the sum of its pixels times the output gradients.

    A job sums `TILE` channels by `LANES` filters of one tap over all images: no job shares a
    weight with another, and how they are spread over threads changes nothing.
    """
    height, width, channels, filters = result.shape
    tiles = -(-channels // TILE) * groups * -(-filters // (groups * LANES))
    for job in prange(height * width * tiles):
        _sum_tile(np.int64(job), x, gradient, rows, columns, stride, groups, result)


@compiled()
def _sum_tile(job, x, gradient, rows, columns, stride, groups, result):
    """Sum one tile of one tap's weights, row by row: short sums lose fewer digits."""
    _, width, channels, filters = result.shape
    panels, tiles = -(-filters // (groups * LANES)), -(-channels // TILE)
    tap, group, tile, panel = (
        job // (panels * tiles * groups), job // (panels * tiles) % groups,
        job // panels % tiles, job % panels,
    )  # fmt: skip
    first, last = tile * TILE, min(tile * TILE + TILE, channels)
    start = group * (filters // groups) + panel * LANES
    stop = min(start + LANES, (group + 1) * (filters // groups))
    seen = slice(group * channels + first, group * channels + last)
    sums = np.zeros((TILE, LANES), result.dtype)
    total = np.zeros((TILE, LANES), result.dtype)
    vectors = np.zeros((BLOCK, LANES), result.dtype)
    i, j = tap // width, tap % width
    for image in range(x.shape[0]):
        for row in range(rows.shape[0]):
            if rows[row, i] >= 0:
                _sum_row(
                    x[image, rows[row, i], :, seen], gradient[image, row, :, start:stop],
                    columns[j], stride, vectors, sums,
                )  # fmt: skip
                for c in range(last - first):
                    for lane in range(LANES):
                        total[c, lane] += sums[c, lane]
                        sums[c, lane] = 0
    for c in range(last - first):
        for lane in range(stop - start):
            result[i, j, first + c, start + lane] = total[c, lane]


@compiled()
def _sum_row(pixels, gradient, span, stride, vectors, sums):
    """Add one row's products: a block of gradients is laid out in lanes, then multiplied."""
    output, column, count = span
    for done in range(0, count, BLOCK):
        length = min(BLOCK, count - done)
        for n in range(length):
            for lane in range(gradient.shape[1]):
                vectors[n, lane] = gradient[output + done + n, lane]
        x = column + done * stride
        end = x + (length - 1) * stride + 1
        add_product(pixels[x:end:stride].T, vectors[:length], sums[: pixels.shape[1]])
