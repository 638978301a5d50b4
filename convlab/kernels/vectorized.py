"""NumPy: the windows laid out as the rows of a matrix, then one matrix product.

Every array is channels_last, and the last argument of each function is the result, made by
the caller and filled here.

Memory: a large input is worked through in pieces of output cells (and, for a huge kernel, of
taps). What one piece needs beside the arguments and the result (its patches, its product, its
weights) is at most three times `PIECE_BYTES`, whatever the input: 48 MB, and far below 256 MB.
Two exceptions: a pixel with more than 2,000,000 filters, for a piece holds at least one cell of
one group; and float16, whose caller has the result (and the kernel) in float32 as well.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from convlab.geometry import Geometry

PIECE_BYTES = 16 * 2**20
AVERAGE_BYTES = 3 * 8  # for a cell of a mean: two counts of pixels, and its share in float64


@dataclass(frozen=True)
class Piece:
    """A block of the work: output cells of some groups, and the taps and channels they sum."""

    images: slice
    rows: slice
    columns: slice
    groups: slice
    kernel_rows: slice
    kernel_columns: slice
    channels: slice

    @property
    def cells(self) -> tuple[slice, ...]:
        """Where its output stands in ``(batch, rows, columns, groups, filters of a group)``."""
        return self.images, self.rows, self.columns, self.groups

    @property
    def weights(self) -> tuple[slice, ...]:
        """Where its weights stand in ``(kernel height, width, channels, groups, filters)``."""
        return self.kernel_rows, self.kernel_columns, self.channels, self.groups

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of all seven axes."""
        axes = (*self.cells, self.kernel_rows, self.kernel_columns, self.channels)
        return tuple(axis.stop - axis.start for axis in axes)

    def overlaps(self, geometry: Geometry) -> Iterator[tuple[int, int, tuple, tuple]]:
        """Each tap with the cells where it meets the image, and the pixels that it meets."""
        for i, j in itertools.product(*map(_indices, (self.kernel_rows, self.kernel_columns))):
            rows, y = geometry.overlap(0, i, self.rows)
            columns, x = geometry.overlap(1, j, self.columns)
            tap = i - self.kernel_rows.start, j - self.kernel_columns.start
            yield *tap, (rows, columns), (self.images, y, x, self.groups, self.channels)


def _indices(axis: slice) -> range:
    return range(axis.start, axis.stop)


def _fit(sizes: Sequence[int], limit: int) -> list[int]:
    """Lengths whose product is at most ``limit``: the outer axes are cut first."""
    lengths = [max(1, size) for size in sizes]
    for axis, size in enumerate(sizes):
        inner = math.prod(lengths[axis + 1 :])
        lengths[axis] = max(1, min(size, limit // max(inner, 1)))
        if lengths[axis] > 1:
            break
    return lengths


def _cuts(size: int, length: int) -> list[slice]:
    return [slice(start, min(start + length, size)) for start in range(0, size, length)]


def pieces(geometry: Geometry, itemsize: int, tap_by_tap: bool = False) -> Iterator[Piece]:
    """Blocks that cover every product of the convolution once."""
    limit = PIECE_BYTES // itemsize
    kernel = (*geometry.kernel_size, geometry.group_channels)
    filters = geometry.group_filters
    taps = _fit(kernel, limit // filters)
    if tap_by_tap:
        taps[:2] = 1, 1
    cells = (geometry.batch, *geometry.output_size, geometry.groups)
    lengths = _fit(cells, limit // max(math.prod(taps), filters)) + taps
    # Patches, products and weights are each within the limit: so the groups must be, too.
    lengths[3] = max(1, min(lengths[3], limit // (math.prod(taps) * filters)))
    for piece in itertools.product(*map(_cuts, (*cells, *kernel), lengths)):
        yield Piece(*piece)


def patches(x: np.ndarray, geometry: Geometry, piece: Piece, dtype: np.dtype) -> np.ndarray:
    """The windows of a piece as matrices: (groups, cells, taps * channels), zero in the padding."""
    images, rows, columns, groups, kernel_rows, kernel_columns, channels = piece.shape
    windows = np.zeros(
        (groups, images, rows, columns, kernel_rows, kernel_columns, channels), dtype
    )
    for i, j, cells, pixels in piece.overlaps(geometry):
        windows[:, :, *cells, i, j] = np.moveaxis(x[pixels], 3, 0)
    return windows.reshape(groups, images * rows * columns, -1)


def _matrices(array: np.ndarray, piece: Piece) -> np.ndarray:
    """The cells of a piece as matrices: (groups, cells, filters of a group)."""
    block = np.moveaxis(array[piece.cells], 3, 0)
    return block.reshape(block.shape[0], -1, block.shape[-1])


def _weights(kernel: np.ndarray, piece: Piece) -> np.ndarray:
    """The weights of a piece as matrices: (groups, taps * channels, filters of a group)."""
    block = np.moveaxis(kernel[piece.weights], 3, 0)
    return block.reshape(block.shape[0], -1, block.shape[-1])


def _grouped(array: np.ndarray, groups: int) -> np.ndarray:
    """The last axis cut in two, groups first. A view."""
    return array.reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def _keep_padding_apart(geometry: Geometry, factor: np.ndarray) -> bool:
    """Whether a zero of the padding would meet an infinity or a NaN, and spoil a product."""
    return any(geometry.pads) and not np.isfinite(np.sum(factor))


def _restrict(piece: Piece, geometry: Geometry) -> Piece | None:
    """A piece of one tap without the cells where that tap meets only padding."""
    ((_, _, (rows, columns), _),) = piece.overlaps(geometry)
    if rows.start == rows.stop or columns.start == columns.stop:
        return None
    return Piece(
        piece.images,
        slice(piece.rows.start + rows.start, piece.rows.start + rows.stop),
        slice(piece.columns.start + columns.start, piece.columns.start + columns.stop),
        *(piece.groups, piece.kernel_rows, piece.kernel_columns, piece.channels),
    )


def _work(geometry: Geometry, itemsize: int, factor: np.ndarray) -> Iterator[Piece]:
    """The pieces to compute, so that padding never multiplies what is not finite."""
    if not _keep_padding_apart(geometry, factor):
        yield from pieces(geometry, itemsize)
        return
    for piece in pieces(geometry, itemsize, tap_by_tap=True):
        restricted = _restrict(piece, geometry)
        if restricted is not None:
            yield restricted


def conv2d(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, geometry: Geometry, output: np.ndarray
) -> None:
    """Patches times weights, piece by piece."""
    output[...] = bias
    grouped_x, grouped_kernel, grouped_output = (
        _grouped(array, geometry.groups) for array in (x, kernel, output)
    )
    for piece in _work(geometry, output.itemsize, kernel):
        product = patches(grouped_x, geometry, piece, output.dtype) @ _weights(
            grouped_kernel, piece
        )
        target = np.moveaxis(grouped_output[piece.cells], 3, 0)
        target += product.reshape(target.shape)


def conv2d_input_gradient(
    output_gradient: np.ndarray,
    kernel: np.ndarray,
    geometry: Geometry,
    input_gradient: np.ndarray,
) -> None:
    """Output gradients times transposed weights, each tap's share added to its pixels."""
    input_gradient[...] = 0
    grouped_gradient, grouped_kernel, grouped_input = (
        _grouped(array, geometry.groups) for array in (output_gradient, kernel, input_gradient)
    )
    for piece in pieces(geometry, kernel.itemsize):
        gradients = _matrices(grouped_gradient, piece).astype(kernel.dtype, copy=False)
        shares = gradients @ _weights(grouped_kernel, piece).swapaxes(1, 2)
        images, rows, columns, groups, *taps = piece.shape
        shares = np.moveaxis(shares.reshape(groups, images, rows, columns, *taps), 0, 3)
        for i, j, (row_cells, column_cells), pixels in piece.overlaps(geometry):
            grouped_input[pixels] += shares[:, row_cells, column_cells, :, i, j]


def conv2d_kernel_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, kernel_gradient: np.ndarray
) -> None:
    """Transposed patches times output gradients, summed over the pieces."""
    kernel_gradient[...] = 0
    dtype = kernel_gradient.dtype
    grouped_x, grouped_gradient, grouped_kernel = (
        _grouped(array, geometry.groups) for array in (x, output_gradient, kernel_gradient)
    )
    for piece in _work(geometry, dtype.itemsize, output_gradient):
        gradients = _matrices(grouped_gradient, piece).astype(dtype, copy=False)
        product = patches(grouped_x, geometry, piece, dtype).swapaxes(1, 2) @ gradients
        target = np.moveaxis(grouped_kernel[piece.weights], 3, 0)
        target += product.reshape(target.shape)


def _pool_pieces(geometry: Geometry, itemsize: int) -> Iterator[Piece]:
    """Blocks of output cells with their whole windows; here every channel is a group."""
    cells = (geometry.batch, *geometry.output_size, geometry.channels)
    lengths = _fit(cells, PIECE_BYTES // itemsize)
    for piece in itertools.product(*map(_cuts, cells, lengths)):
        taps = (slice(0, size) for size in geometry.kernel_size)
        yield Piece(*(*piece, *taps, slice(0, 1)))


def _pool_windows(
    array: np.ndarray, geometry: Geometry, piece: Piece
) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """Tap by tap: the cells of a piece where it meets the image, and the pixels, as a view."""
    for _, _, (rows, columns), (images, y, x, channels, _) in piece.overlaps(geometry):
        yield (rows, columns), array[images, y, x, channels]


def _largest(x: np.ndarray, geometry: Geometry, piece: Piece) -> np.ndarray:
    """The maximum under each window of a piece; NaN where a window holds one."""
    lowest = -np.inf if x.dtype.kind == "f" else _lowest_integer(x.dtype)
    best = np.full(piece.shape[:4], lowest, x.dtype)
    for (rows, columns), pixels in _pool_windows(x, geometry, piece):
        block = best[:, rows, columns]
        np.maximum(block, pixels, out=block)
    return best


def _lowest_integer(dtype: np.dtype) -> int:
    return 0 if dtype.kind == "b" else int(np.iinfo(dtype).min)


def max_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """The elementwise maximum of the image with itself, shifted to each tap."""
    for piece in _pool_pieces(geometry, x.itemsize):
        output[piece.cells] = _largest(x, geometry, piece)


def max_pool2d_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Tap by tap, the gradient goes where the maximum is met for the first time."""
    input_gradient[...] = 0
    # Half-sized pieces: here the maxima, the gradients and what was found stand side by side.
    for piece in _pool_pieces(geometry, 2 * input_gradient.itemsize):
        best = _largest(x, geometry, piece)
        gradients = output_gradient[piece.cells]
        waiting = np.ones(best.shape, bool)
        targets = _pool_windows(input_gradient, geometry, piece)
        for ((rows, columns), pixels), (_, target) in zip(
            _pool_windows(x, geometry, piece), targets, strict=True
        ):
            block = best[:, rows, columns]
            found = (pixels == block) | (np.isnan(pixels) & np.isnan(block))
            found &= waiting[:, rows, columns]
            np.add(target, gradients[:, rows, columns], out=target, where=found)
            waiting[:, rows, columns] &= ~found


def _window_sizes(geometry: Geometry, piece: Piece) -> np.ndarray:
    """Pixels (padding left out) under each window of a piece: (rows, columns, 1)."""
    counts = []
    for axis, cells, taps in ((0, piece.rows, piece.kernel_rows),
                              (1, piece.columns, piece.kernel_columns)):  # fmt: skip
        count = np.zeros(cells.stop - cells.start, np.int64)
        for tap in _indices(taps):
            count[geometry.overlap(axis, tap, cells)[0]] += 1
        counts.append(count)
    return np.multiply.outer(*counts)[:, :, np.newaxis]


def average_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """The sum of the image with itself, shifted to each tap, over the pixels summed."""
    output[...] = 0
    for piece in _pool_pieces(geometry, AVERAGE_BYTES):
        total = output[piece.cells]
        for (rows, columns), pixels in _pool_windows(x, geometry, piece):
            total[:, rows, columns] += pixels
        total /= _window_sizes(geometry, piece)


def average_pool2d_gradient(
    output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Each gradient, divided by its window's pixels, is added at every tap."""
    input_gradient[...] = 0
    for piece in _pool_pieces(geometry, AVERAGE_BYTES):
        shares = output_gradient[piece.cells] / _window_sizes(geometry, piece)
        for (rows, columns), target in _pool_windows(input_gradient, geometry, piece):
            target += shares[:, rows, columns]
