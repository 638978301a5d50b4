"""The kernel gradient: every weight is the sum of the pixels it met, times their gradients.

The sums of a few weights at a time stay in registers (`tiles_gradient.add_outer_products`) while
a job walks over a block of output pixels; then it takes the next weights. What a block reads, of
the input and of the output's gradient, is small enough to stay in the cache meanwhile. Where the
window leaves the image on the left or right, or where some channels are taken of many, the job
first lays out its patch of the image in scratch; elsewhere it reads the image in place. Rows of
padding are left out, not multiplied.

Jobs share out the weights, as far as that goes. Where it gives too few jobs, the pixels are cut
into chunks as well, each with sums of its own; who finishes last adds them up, in the order of
the chunks. How many chunks there are depends on the sizes of the layer alone: so no number of
threads changes a result.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange

from convlab.geometry import Geometry
from convlab.kernels.parallel.direct import lay_out
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import LINE, Kernel, borrowed, compiled, run
from convlab.kernels.parallel.sweeps import Axis, forward
from convlab.kernels.parallel.tiles import address, claim, clear
from convlab.kernels.parallel.tiles_gradient import (
    KINDS,
    Shape,
    add_chunks,
    call_tile,
    copy_rows,
    tick,
    tile,
)

# Pixels of a block, about, and bytes of the input that they read: half of a usual second-level
# cache.
PIXELS = 512
INPUT_BYTES = 256 * 2**10
# Columns of a block, at least, where there are so many.
COLUMNS = 64
# Channels at a time, where there are more.
CHANNELS = 128
# Pixels of a chunk, at least, so that its sums are worth adding up; chunks, at most; bytes of
# the sums of all chunks, about.
CHUNK_PIXELS = 1024
CHUNKS = 16
CHUNK_BYTES = 2 * 2**20
# Jobs for each thread, at least: so that none waits long for the last.
JOBS_PER_THREAD = 8


class Cut(NamedTuple):
    """The numbers of a kernel gradient, as compiled code wants them."""

    images: int
    rows: int  # of the output
    columns: int
    filters: int
    height: int  # of the image
    width: int
    channels: int
    row_stride: int
    column_stride: int
    left: int  # the first of the column taps, and the columns from it to the last
    reach: int
    groups: int
    group_filters: int
    group_channels: int
    group_panels: int
    exact: int  # 1 where each tap reads in place the pixels that it meets; 0 with a patch
    merged: int  # 1 where the taps of a kernel row lie side by side, and are one run
    packed: int  # 1 where a panel of the gradient is laid out first
    images_at_once: int
    rows_at_once: int
    columns_at_once: int
    group_blocks: int  # parts of the kernel: blocks of groups, channels, panels and taps
    channel_blocks: int
    panel_blocks: int
    tap_blocks: int
    chunks: int
    size: int  # weights of the kernel


@dataclass(frozen=True, eq=False)
class Setup:
    """How a kernel gradient is computed.

    Attributes
    ----------
    shape : (int, int, int, int, int)
        The register tile: taps, numbers of a run, vectors, lanes, and one of `KINDS`.
    cut : Cut
    rows, columns : Axis
    row_taps, column_taps : array of int64
    parts : int
        Blocks of weights. Each is the work of ``cut.chunks`` jobs.
    jobs : int
    scratch_bytes : int
        For each thread.
    partial_bytes : int
        For the sums of all chunks; 0 where there is one.
    multiply_adds : int
    """

    shape: Shape
    cut: Cut
    rows: Axis
    columns: Axis
    row_taps: np.ndarray
    column_taps: np.ndarray
    parts: int
    jobs: int
    scratch_bytes: int
    partial_bytes: int
    multiply_adds: int


@lru_cache(maxsize=512)
def setup(geometry: Geometry, dtype: np.dtype, threads: int) -> Setup:
    """Cut a kernel gradient into jobs, and choose its register tile.

    Parameters
    ----------
    geometry : Geometry
    dtype : dtype
        float32, float64 or int64.
    threads : int
        It changes how the weights are shared out, but no sum.
    """
    g, lanes = geometry, machine().lanes(dtype)
    rows, columns = forward(g, 0), forward(g, 1)
    exact, shape = _way(g, rows, columns, dtype)
    merged = not exact and g.groups == 1 and _are_neighbours(columns)
    channel_blocks = max(1, round(g.group_channels / CHANNELS)) if exact else 1
    width = shape[2] * lanes
    run_length = g.group_channels // channel_blocks * (len(columns.taps) if merged else 1)
    calls = -(-run_length // shape[1]) * -(-math.prod(g.kernel_size) // shape[0])
    group_panels = -(-g.group_filters // width)
    at_once = _block(g.batch, rows, columns, g.channels // channel_blocks * dtype.itemsize)
    sizes = g.batch, rows.cells, columns.cells
    blocks = math.prod(-(-n // length) for n, length in zip(sizes, at_once, strict=True))
    chunks = min(
        blocks, math.prod(sizes) // CHUNK_PIXELS, CHUNKS,
        CHUNK_BYTES // (math.prod(g.kernel_shape) * dtype.itemsize),
    )  # fmt: skip
    chunks = 2 ** int(math.log2(max(1, chunks)))  # so that threads get equally many
    limits = {
        "group_blocks": (1, g.groups),
        "channel_blocks": (channel_blocks, channel_blocks),
        "panel_blocks": (1, group_panels),
        "tap_blocks": (1, len(rows.taps) * len(columns.taps) if exact else 1),
    }
    parts = _share_out(limits, -(-JOBS_PER_THREAD * threads // chunks) if threads > 1 else 1)
    cut = Cut(
        images=g.batch, rows=rows.cells, columns=columns.cells, filters=g.filters,
        height=g.height, width=g.width, channels=g.channels,
        row_stride=rows.stride, column_stride=columns.stride,
        left=columns.taps[0], reach=columns.reach, groups=g.groups,
        group_filters=g.group_filters, group_channels=g.group_channels,
        group_panels=group_panels, exact=int(exact), merged=int(merged),
        packed=int(g.group_filters % width > 0 or (g.filters > width and calls > 16)),
        images_at_once=at_once[0], rows_at_once=at_once[1], columns_at_once=at_once[2],
        **parts, chunks=chunks, size=math.prod(g.kernel_shape),
    )  # fmt: skip
    return Setup(
        shape, cut, rows, columns,
        np.array(rows.taps, np.int64), np.array(columns.taps, np.int64),
        parts=math.prod(parts.values()), jobs=math.prod(parts.values()) * chunks,
        scratch_bytes=_scratch_bytes(cut, shape, rows, columns, dtype.itemsize),
        partial_bytes=chunks * cut.size * dtype.itemsize if chunks > 1 else 0,
        multiply_adds=g.multiply_adds,
    )  # fmt: skip


def _are_neighbours(columns: Axis) -> bool:
    """Whether the taps of a kernel row lie side by side."""
    return columns.taps[-1] - columns.taps[0] == len(columns.taps) - 1


def _share_out(limits: dict[str, tuple[int, int]], wanted: int) -> dict[str, int]:
    """So many parts, if there can be; the first of the ways to cut is taken first."""
    parts = {name: least for name, (least, _) in limits.items()}
    for name, (_, most) in limits.items():
        others = math.prod(parts.values()) // parts[name]
        parts[name] = max(parts[name], min(most, -(-wanted // others)))
    return parts


def _scratch_bytes(
    cut: Cut, shape: Shape, rows: Axis, columns: Axis, itemsize: int
) -> int:
    pixels = cut.images_at_once * cut.rows_at_once * cut.columns_at_once
    sets = len(columns.taps) if cut.exact else 1
    depth = -(-cut.group_channels // cut.channel_blocks)
    length = depth * (len(columns.taps) if cut.merged else 1)
    words = (2 * pixels + 1) * sets + shape[0] * (1 + length)
    elements = pixels * shape[2] * shape[3] * cut.packed
    if not cut.exact:
        patch = _patch(rows, cut.rows_at_once) * _patch(columns, cut.columns_at_once)
        groups = -(-cut.groups // cut.group_blocks)
        elements += cut.images_at_once * patch * groups * cut.group_channels
    return 8 * words + elements * itemsize


def _patch(axis: Axis, cells: int) -> int:
    return (cells - 1) * axis.stride + axis.reach


def _block(images: int, rows: Axis, columns: Axis, pixel_bytes: int) -> tuple[int, int, int]:
    """Images, rows and columns of a block of pixels."""

    def fits(at_once: int, height: int, width: int) -> bool:
        patch = at_once * _patch(rows, height) * _patch(columns, width) * pixel_bytes
        return patch <= INPUT_BYTES and at_once * height * width <= PIXELS

    width = columns.cells
    while width > COLUMNS and not fits(1, 1, width):
        width = -(-width // 2)
    height = rows.cells
    while height > 1 and not fits(1, height, width):
        height = -(-height // 2)
    at_once = 1
    if height == rows.cells and width == columns.cells:
        while 2 * at_once <= images and fits(2 * at_once, height, width):
            at_once *= 2
    return at_once, max(1, height), max(1, width)


def _way(
    geometry: Geometry, rows: Axis, columns: Axis, dtype: np.dtype
) -> tuple[bool, Shape]:
    """Whether to read in place, and the register tile: whichever takes less time.

    In place no padding is multiplied and nothing is copied; but a run is no longer than the
    channels of one pixel, and a tile has one tap.
    """
    lanes, kind = machine().lanes(dtype), KINDS[dtype.name]
    depth, filters = geometry.group_channels, geometry.group_filters
    taps = len(rows.taps) * len(columns.taps)
    exact_cost, exact = _tile(taps, depth, filters, lanes, kind, 1)
    if geometry.groups == 1 and _are_neighbours(columns):
        cost, shape = _tile(len(rows.taps), len(columns.taps) * depth, filters, lanes, kind, 6)
    else:
        cost, shape = _tile(taps, depth, filters, lanes, kind, 6)
    met = sum(
        sum(0 <= cell * columns.stride + tap < columns.source for cell in range(columns.cells))
        for tap in columns.taps
    )
    exact_cost *= met / max(1, len(columns.taps) * columns.cells)
    copied = rows.stride * columns.stride * depth * 4 / lanes
    if exact_cost <= cost + copied / geometry.groups:
        return True, exact
    return False, shape


@lru_cache(maxsize=1024)
def _tile(
    taps: int, run_length: int, filters: int, lanes: int, kind: int, most_taps: int
) -> tuple[float, Shape]:
    """The register tile that wastes least on these sizes, and its time for one pixel.

    The sums, one row of the gradient and one number of the source must all find a register. An
    instruction either fetches or multiplies and adds, and the fetches should not be the more.
    """
    registers, needed = machine().registers, -(-filters // lanes)
    best: tuple[float, int, int, int] = (math.inf, 1, 1, 1)
    for vectors in range(1, min(needed, registers // 4) + 1):
        most = (registers - vectors - 1) // vectors
        length = -(-run_length // -(-run_length // most))
        together = 1
        if length == run_length:
            together = max(1, min(most // length, most_taps))
            together = -(-taps // -(-taps // together))
        numbers = together * length
        panels = -(-needed // vectors)
        tiles = -(-taps // together) * -(-run_length // length) * panels
        cost = tiles * (max(numbers * vectors, numbers + vectors, 8) + 0.5 + 0.2 * vectors)
        if panels > 1 or filters % (vectors * lanes):
            cost += 3 * vectors * panels
        best = min(best, (cost, vectors, together, length))
    return best[0], (best[2], best[3], best[1], lanes, kind)


def correlate(
    x: np.ndarray, output_gradient: np.ndarray, setup: Setup, kernel_gradient: np.ndarray
) -> bool:
    """Fill the kernel gradient: ``sum of x[pixel under the weight] * output_gradient[pixel]``.

    Parameters
    ----------
    x, output_gradient : array
        Contiguous and channels_last, of one dtype.
    setup : Setup
    kernel_gradient : array of shape (kernel_height, kernel_width, channels // groups, filters)
        The result; contiguous, of the same dtype.

    Returns
    -------
    bool
        Whether the result is certainly right. It may not be where a zero of the padding met an
        infinity or a NaN: the definition leaves padding out, but here it is multiplied.
    """
    s = setup
    if not x.size or not output_gradient.size:
        kernel_gradient[...] = 0
        return True
    target, finished = kernel_gradient.reshape(-1), np.zeros(s.parts, np.int64)
    room = borrowed(1, s.partial_bytes) if s.partial_bytes else nullcontext()
    with room as rows:
        sums = target if rows is None else rows[0].view(target.dtype)
        run(
            correlation, s.jobs, s.multiply_adds, s.scratch_bytes, s.cut, *tile_arguments(s),
            s.row_taps, s.column_taps, x.reshape(-1), output_gradient.reshape(-1), finished, sums,
            target,
        )  # fmt: skip
    if s.cut.exact or not (s.rows.is_padded or s.columns.is_padded):
        return True
    smaller = min(kernel_gradient, output_gradient, key=lambda array: array.size)
    return bool(np.isfinite(smaller).all())


def tile_arguments(setup: Setup) -> tuple[tuple[int, int, int], int]:
    """What compiled code must know of the tile: taps, numbers of a run, filters; its address."""
    taps, run_length, vectors, lanes, _ = setup.shape
    return (taps, run_length, vectors * lanes), tile(setup.shape).address


@compiled()
def alone(
    member, board, scratch, cut, shape, tile_address, row_taps, column_taps, source, gradient,
    finished, sums, target,
):  # fmt: skip
    """Do jobs until none is left."""
    taps_at_once, run_at_once, panel_width = shape
    s, room = cut, scratch[member]
    row_blocks = -(-s.rows // s.rows_at_once)
    column_blocks = -(-s.columns // s.columns_at_once)
    blocks = -(-s.images // s.images_at_once) * row_blocks * column_blocks
    parts = s.group_blocks * s.channel_blocks * s.panel_blocks * s.tap_blocks
    size, longest = target.itemsize, s.images_at_once * s.rows_at_once * s.columns_at_once
    across = column_taps.size if s.merged else 1
    tap_count = row_taps.size * column_taps.size // across
    tap_rows = across * s.group_channels
    # Tables: the pixels that each column of the kernel meets, and how many of each row.
    sets = column_taps.size if s.exact else 1
    pixels, met = room[: 2 * longest * sets], room[2 * longest * sets :]
    offsets = met[sets:]
    cells = offsets[taps_at_once:]
    listed = (0, 0, 0, 0, 0)
    while True:
        job = claim(board)
        if job >= parts * s.chunks:
            break
        part, chunk = job % parts, job // parts
        # The taps, the panels, the channels and the groups of the part.
        first_tap, last_tap = share(part % s.tap_blocks, tap_count, s.tap_blocks)
        rest = part // s.tap_blocks
        first_panel, last_panel = share(rest % s.panel_blocks, s.group_panels, s.panel_blocks)
        rest //= s.panel_blocks
        first_channel, last_channel = share(
            rest % s.channel_blocks, s.group_channels, s.channel_blocks
        )
        rest //= s.channel_blocks
        first_group, last_group = share(rest, s.groups, s.group_blocks)
        depth = last_channel - first_channel
        channel = first_group * s.group_channels + first_channel
        channels = (last_group - first_group - 1) * s.group_channels + depth
        length = across * depth
        # Where the sums of a kernel row, or of a few taps, lie from the first of them on.
        for row in range(taps_at_once * length):
            cells[row] = row // length * tap_rows + row % length // depth * s.group_channels
            cells[row] = (cells[row] + row % depth) * s.filters
        free = address(cells, taps_at_once * length)
        first_block, last_block = share(chunk, blocks, s.chunks)
        for block in range(first_block, last_block):
            column = block % column_blocks * s.columns_at_once
            row = block // column_blocks % row_blocks * s.rows_at_once
            image = block // (column_blocks * row_blocks) * s.images_at_once
            images = min(s.images_at_once, s.images - image)
            rows = min(s.rows_at_once, s.rows - row)
            columns = min(s.columns_at_once, s.columns - column)
            # The patch of the image that the block reads: its corner and its size.
            y, x = row * s.row_stride + row_taps[0], column * s.column_stride + s.left
            tall = (rows - 1) * s.row_stride + row_taps[-1] - row_taps[0] + 1
            wide = (columns - 1) * s.column_stride + s.reach
            in_place = y >= 0 and y + tall <= s.height and x >= 0 and x + wide <= s.width
            rolled = free
            if s.exact or in_place:
                corner = ((image * s.height + y) * s.width + x) * s.channels + channel
                base = address(source, 0) + corner * size
                right, down = s.channels, s.width * s.channels
                on = s.height * down
            else:
                base, right, down, on = free, channels, wide * channels, tall * wide * channels
                for n in range(images):
                    lay_out(
                        s, source, image + n, y, x, tall, wide, channel, channels,
                        base + n * on * size,
                    )  # fmt: skip
                    if taps_at_once > 1:  # their rows are not told apart
                        for r in range(tall):
                            if y + r < 0 or y + r >= s.height:
                                clear(source, base + (n * on + r * down) * size, down)
                rolled = free + images * on * size
            # What the next block reads is fetched meanwhile, line by line: of the gradient, and
            # then of the image.
            lines, start_at, fetch_count, apart = 0, base, 0, 0
            next_lines, next_start, next_count = 0, base, 0
            if block + 1 < last_block and s.columns_at_once >= s.columns:
                fetch_count, apart = images * rows * s.columns, s.filters
                start_at = address(gradient, 0) + size * (
                    (image * s.rows + row) * s.columns * apart + fetch_count * apart
                    + first_group * s.group_filters + first_panel * panel_width
                )  # fmt: skip
                lines = (last_group - first_group - 1) * s.group_filters
                lines += min((last_panel - first_panel) * panel_width, s.group_filters)
                lines = lines * size // LINE
                next_lines, next_start = channels * size // LINE, base + tall * down * size
                next_count = images * rows * s.row_stride * s.width
            fetched = 0
            if listed != (images, rows, columns, column, right):
                listed = (images, rows, columns, column, right)
                for j in range(sets):
                    low, high = 0, columns
                    if s.exact:
                        low, high = meet(
                            column, columns, column_taps[j], s.column_stride, s.width
                        )
                    met[j] = images * (high - low)
                    p = 2 * longest * j
                    for r in range(rows):
                        for n in range(images):
                            for c in range(low, high):
                                pixels[p] = n * on + r * s.row_stride * down
                                pixels[p] += c * s.column_stride * right
                                if s.packed:
                                    pixels[p + 1] = (r * images + n) * columns + c
                                    pixels[p + 1] *= panel_width
                                else:
                                    pixels[p + 1] = (n * s.rows + r) * s.columns + c
                                    pixels[p + 1] *= s.filters
                                p += 2
            for group in range(first_group, last_group):
                seen = base + (group - first_group) * s.group_channels * size
                for lane in range(
                    first_panel * panel_width, last_panel * panel_width, panel_width
                ):
                    filter_ = group * s.group_filters + lane
                    left = s.group_filters - lane
                    pixel = (image * s.rows + row) * s.columns + column
                    near = address(gradient, pixel * s.filters + filter_)
                    if s.packed:
                        to = rolled
                        for r in range(rows):
                            for n in range(images):
                                pixel = (n * s.rows + r) * s.columns
                                copy_rows(
                                    target, near + pixel * s.filters * size, s.filters, to,
                                    panel_width, columns, left,
                                )  # fmt: skip
                                to += columns * panel_width * size
                        near = rolled
                    for tap in range(first_tap, last_tap, taps_at_once):
                        start = min(tap, tap_count - taps_at_once)
                        low, high, j = 0, rows, 0
                        for t in range(taps_at_once):
                            i = (start + t) * across // column_taps.size
                            j = (start + t) * across % column_taps.size
                            offsets[t] = (row_taps[i] - row_taps[0]) * down
                            offsets[t] += (column_taps[j] - s.left) * right
                            if taps_at_once == 1:
                                low, high = meet(row, rows, row_taps[i], s.row_stride, s.height)
                        if not s.exact:
                            j = 0
                        first = (start * tap_rows + first_channel) * s.filters + filter_
                        for number in range(0, length, run_at_once):
                            begin = min(number, length - run_at_once)
                            call_tile(
                                tile_address, seen + begin * size, address(offsets, 0), near,
                                address(pixels, 2 * (longest * j + low * met[j])),
                                (high - low) * met[j], address(sums, chunk * s.size + first),
                                address(cells, begin),
                                (tap - start) * length + number - begin, left,
                                block > first_block, start_at + fetched * apart * size, apart,
                            )  # fmt: skip
                            fetched += (high - low) * met[j]
                            if fetched >= fetch_count:
                                fetched, lines, start_at = 0, lines - 1, start_at + LINE
                                if lines <= 0:
                                    apart = 0
                                    if next_lines > 0:
                                        lines, next_lines, start_at = next_lines, 0, next_start
                                        fetch_count, apart = next_count, s.channels
        if s.chunks > 1 and tick(finished, part) == s.chunks - 1:
            start = first_group * s.group_filters + first_panel * panel_width
            stop = (last_group - 1) * s.group_filters
            stop += min(last_panel * panel_width, s.group_filters)
            # Rows of the kernel lie side by side where the part has all its filters.
            together = depth if stop - start == s.filters else 1
            for row in range(first_tap * length, last_tap * length, together):
                first = row // length * tap_rows + row % length // depth * s.group_channels
                place = (first + first_channel + row % depth) * s.filters + start
                add_chunks(
                    target, address(sums, place), s.size, s.chunks,
                    address(target, place), (together - 1) * s.filters + stop - start,
                )  # fmt: skip

@compiled(parallel=True)
def together(
    crew, board, scratch, cut, shape, tile_address, row_taps, column_taps, source, gradient,
    finished, sums, target,
):  # fmt: skip
    """The same, by a crew."""
    for member in prange(crew):
        alone(
            np.int64(member), board, scratch, cut, shape, tile_address, row_taps, column_taps,
            source, gradient, finished, sums, target,
        )  # fmt: skip

correlation = Kernel(alone, together)


@compiled()
def share(number, count, parts):
    """The first and the end of one of so many parts, nearly equal, of a count."""
    return number * count // parts, (number + 1) * count // parts


@compiled()
def meet(first, count, tap, stride, size):
    """The cells from the first one on whose tap lies on the image: their first, and their end."""
    low = min(max(0, -(tap // stride) - first), count)
    return low, max(low, min(count, (size - 1 - tap) // stride + 1 - first))
