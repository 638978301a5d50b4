"""The kernel gradient: every weight is the sum of the pixels it met, times their gradients.

The sums of a few weights at a time stay in registers (`tiles_gradient.add_outer_products`) while
a job walks over a block of output pixels; then it takes the next weights. What a block reads, of
the input and of the output's gradient, is small enough to stay in the cache meanwhile. Where the
window leaves the image on the left or right, or where some channels are taken of many, the job
first lays out its patch of the image in scratch; elsewhere it reads the image in place. Rows of
padding are left out, not multiplied.

Where filters are few, they would leave most lanes of a vector empty. Then the roles are turned: a
vector holds numbers of the image, and one number of the gradient is multiplied by it. Or, where
small groups are many, several of them share a vector.

Jobs share out the weights, as far as that goes. Where it gives too few jobs, the pixels are cut
into chunks as well, each with sums of its own; who finishes last adds them up, in the order of
the chunks. How many chunks there are depends on the sizes of the layer alone: so no number of
threads changes a result.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange, types

from convlab.geometry import Geometry
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import LINE, borrowed, compiled, inner, run
from convlab.kernels.parallel.steps import NUMBER, NUMBERS, call, named, with_a_crew
from convlab.kernels.parallel.sweeps import Axis, forward
from convlab.kernels.parallel.tiles import address, claim, clear, copy
from convlab.kernels.parallel.tiles_gradient import KINDS, Shape, steps, tick

# Pixels of a block, about, and bytes of the input that they read: half of a usual second-level
# cache.
PIXELS = 1024
INPUT_BYTES = 448 * 2**10
# Columns of a block, at least, where there are so many.
COLUMNS = 64
# Channels at a time, where there are more.
CHANNELS = 256
# Chunks, at most; pixels of one for which its sums cost nearly nothing, and pixels at least; bytes
# of the sums of all chunks, about.
CHUNKS = 16
CHUNK_PIXELS = 2048
LEAST_PIXELS = 512
CHUNK_BYTES = 2 * 2**20
# Jobs for each thread, at least: so that none waits long for the last.
JOBS_PER_THREAD = 6


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
    reach_down: int  # rows from the first row tap to the last
    groups: int  # where several share a vector, they count as one
    group_filters: int
    group_channels: int  # that a filter sees
    group_step: int  # from a group's first channel to that of the next
    group_panels: int
    exact: int  # 1 where each tap reads in place the pixels that it meets; 0 with a patch
    merged: int  # 1 where the taps of a kernel row lie side by side, and are one run
    turned: int  # 1 where vectors hold numbers of the image, and not of the gradient
    images_at_once: int
    rows_at_once: int
    columns_at_once: int
    group_blocks: int  # parts of the kernel: blocks of groups, channels, panels and taps
    channel_blocks: int
    panel_blocks: int
    tap_blocks: int
    chunks: int
    size: int  # sums of a chunk
    itemsize: int
    taps_at_once: int  # the register tile: its taps, its numbers of a run, its lanes
    run_at_once: int
    panel_width: int


@dataclass(frozen=True, eq=False)
class Setup:
    """How a kernel gradient is computed.

    Attributes
    ----------
    shape : (int, int, int, int, int, int)
        The register tile: taps, numbers of a run, vectors, groups in a vector, lanes, and one of
        `KINDS`.
    cut : Cut
    rows, columns : Axis
    row_taps, column_taps : array of int64
    parts : int
        Blocks of weights. Each is the work of ``cut.chunks`` jobs.
    jobs : int
    scratch_bytes : int
        For each thread.
    partial_bytes : int
        For the sums of all chunks; 0 where there is one, and its sums are the result.
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
    rows, columns = forward(geometry, 0), forward(geometry, 1)
    way = _way(geometry, rows, columns, dtype)
    numbers = _numbers(geometry, rows, columns, way, dtype)
    limits = _limits(geometry, numbers)
    at_once = _block(
        geometry.batch, rows, columns,
        geometry.channels // limits["channel_blocks"][0] * dtype.itemsize,
    )  # fmt: skip
    sizes = geometry.batch, rows.cells, columns.cells
    blocks = math.prod(-(-n // length) for n, length in zip(sizes, at_once, strict=True))
    most_parts = math.prod(most for _, most in limits.values())
    sums_bytes = numbers["size"] * dtype.itemsize
    chunks = _chunks(math.prod(sizes), most_parts, blocks, sums_bytes)
    parts = _share_out(limits, -(-JOBS_PER_THREAD * threads // chunks) if threads > 1 else 1)
    cut = Cut(
        **numbers, **parts, chunks=chunks,
        images_at_once=at_once[0], rows_at_once=at_once[1], columns_at_once=at_once[2],
    )  # fmt: skip
    return Setup(
        way.shape, cut, rows, columns,
        np.array(rows.taps, np.int64), np.array(columns.taps, np.int64),
        parts=math.prod(parts.values()), jobs=math.prod(parts.values()) * chunks,
        scratch_bytes=_scratch_bytes(cut, rows, columns),
        partial_bytes=chunks * sums_bytes if chunks > 1 or way.turned else 0,
        multiply_adds=geometry.multiply_adds,
    )  # fmt: skip


def _numbers(
    geometry: Geometry, rows: Axis, columns: Axis, way: Way, dtype: np.dtype
) -> dict[str, int]:
    """The part of a `Cut` that says what to compute, and by which tile."""
    g, (taps_at_once, run_at_once, vectors, together, lanes, _) = geometry, way.shape
    width, group_filters = vectors * lanes, g.group_filters * together
    size = math.prod(g.kernel_shape)
    if way.turned:
        run_length = g.group_channels * (len(columns.taps) if way.merged else 1)
        slots = -(-run_length // width) * math.prod(g.kernel_size) * g.group_channels // run_length
        size = g.groups * slots * width * run_at_once
    return {
        "images": g.batch, "rows": rows.cells, "columns": columns.cells, "filters": g.filters,
        "height": g.height, "width": g.width, "channels": g.channels,
        "row_stride": rows.stride, "column_stride": columns.stride,
        "left": columns.taps[0], "reach": columns.reach, "reach_down": rows.reach,
        "groups": g.groups // together, "group_filters": group_filters,
        "group_channels": g.group_channels, "group_step": g.group_channels * together,
        "group_panels": -(-group_filters // width),
        "exact": int(way.exact), "merged": int(way.merged), "turned": int(way.turned),
        "size": size, "itemsize": dtype.itemsize, "taps_at_once": taps_at_once,
        "run_at_once": run_at_once, "panel_width": width,
    }  # fmt: skip


def _limits(geometry: Geometry, numbers: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Parts of each kind, at least and at most; parts that cost least come first."""
    taps = geometry.kernel_size[0] * (1 if numbers["merged"] else geometry.kernel_size[1])
    least = most = 1
    if numbers["exact"] and not numbers["turned"]:
        least = max(1, round(geometry.group_channels / CHANNELS))
        most = max(least, geometry.group_channels // numbers["run_at_once"])
    return {
        "group_blocks": (1, numbers["groups"]),
        "panel_blocks": (1, numbers["group_panels"]),
        "tap_blocks": (1, taps if numbers["taps_at_once"] == 1 else 1),
        "channel_blocks": (least, most),
    }


def _are_neighbours(columns: Axis) -> bool:
    """Whether the taps of a kernel row lie side by side."""
    return columns.taps[-1] - columns.taps[0] == len(columns.taps) - 1


def _chunks(pixels: int, parts: int, blocks: int, sums_bytes: int) -> int:
    """How many: where they cost nearly nothing, and where there are too few parts for threads."""
    wanted = max(pixels // CHUNK_PIXELS, -(-CHUNKS // parts))
    most = min(CHUNKS, blocks, pixels // LEAST_PIXELS, CHUNK_BYTES // sums_bytes)
    return int(2 ** int(math.log2(max(1, min(wanted, most)))))  # so that threads get equally many


def _share_out(limits: dict[str, tuple[int, int]], wanted: int) -> dict[str, int]:
    """So many parts, equal ones if it can be; the first of the ways to cut is taken first."""
    parts = {name: least for name, (least, _) in limits.items()}
    for name, (least, most) in limits.items():
        others = math.prod(parts.values()) // least
        first = max(least, min(most, -(-wanted // others)))
        equal = (n for n in range(first, min(2 * first, most) + 1) if most % n == 0)
        parts[name] = next(equal, first)
    return parts


def _scratch_bytes(cut: Cut, rows: Axis, columns: Axis) -> int:
    pixels = cut.images_at_once * cut.rows_at_once * cut.columns_at_once
    sets = len(columns.taps) if cut.exact else 1
    depth = cut.group_channels  # of a part, at most
    if cut.channel_blocks > 1:
        depth = -(-depth // cut.run_at_once // cut.channel_blocks) * cut.run_at_once
        depth += cut.run_at_once
    length = depth * (len(columns.taps) if cut.merged else 1)
    words = (2 * pixels + 1) * sets + cut.taps_at_once * (1 + length) + cut.run_at_once
    elements = 0
    if cut.group_filters % cut.panel_width and not cut.turned:
        elements = pixels * cut.panel_width
    if not cut.exact:
        patch = _patch(rows, cut.rows_at_once) * _patch(columns, cut.columns_at_once)
        groups = -(-cut.groups // cut.group_blocks)
        elements += cut.images_at_once * patch * groups * cut.group_step
    return 8 * words + elements * cut.itemsize


def _patch(axis: Axis, cells: int) -> int:
    return (cells - 1) * axis.stride + axis.reach


def _block(images: int, rows: Axis, columns: Axis, pixel_bytes: int) -> tuple[int, int, int]:
    """Images, rows and columns of a block of pixels."""

    def fits(at_once: int, height: int, width: int) -> bool:
        tall = min(_patch(rows, height), rows.source)
        wide = min(_patch(columns, width), columns.source)
        read = at_once * tall * wide * pixel_bytes
        return read <= INPUT_BYTES and at_once * height * width <= PIXELS

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


class Way(NamedTuple):
    """A way to go through a block of pixels, and its time for one of them.

    In place (`exact`) no padding is multiplied and nothing is copied; but a run is no longer than
    the channels of one pixel, and a tile has one tap.
    """

    time: float
    exact: bool
    merged: bool
    turned: bool
    shape: Shape


def _way(geometry: Geometry, rows: Axis, columns: Axis, dtype: np.dtype) -> Way:
    """The way that takes least time."""
    lanes, kind = machine().lanes(dtype), KINDS[dtype.name]
    depth, filters = geometry.group_channels, geometry.group_filters
    taps, run_length, merged = math.prod(geometry.kernel_size), depth, False
    tap_count = taps
    if geometry.groups == 1 and _are_neighbours(columns):
        tap_count, run_length, merged = len(rows.taps), len(columns.taps) * depth, True
    copying = 0.0
    if any(geometry.pads):
        _, height, width = _block(1, rows, columns, geometry.channels * dtype.itemsize)
        copied = _patch(rows, height) * _patch(columns, width) / (height * width)
        copying = 6 * copied * depth / lanes

    def in_place(tile: tuple[float, Shape], turned: bool = False) -> Way:
        return Way(tile[0] * _share_met(columns), True, False, turned, tile[1])

    def from_patch(tile: tuple[float, Shape], turned: bool = False) -> Way:
        return Way(tile[0] * 1.02 + copying, False, merged, turned, tile[1])

    ways = [
        in_place(_tile(taps, depth, filters, lanes, kind, 1)),
        from_patch(_tile(tap_count, run_length, filters, lanes, kind, 6)),
    ]
    if _can_share(geometry, lanes):
        ways.append(in_place(_shared_tile(taps, depth, filters, lanes, kind, 1)))
        ways.append(from_patch(_shared_tile(taps, depth, filters, lanes, kind, 6)))
    if 2 * filters <= lanes <= depth:
        ways.append(in_place(_turned_tile(taps, depth, filters, lanes, kind), True))
    if 2 * filters <= lanes <= run_length:
        ways.append(from_patch(_turned_tile(tap_count, run_length, filters, lanes, kind), True))
    return min(ways)


def _can_share(geometry: Geometry, lanes: int) -> bool:
    """Whether the filters of several groups fill a vector, and their channels one or two."""
    filters, channels = geometry.group_filters, geometry.group_channels
    together, rest = divmod(lanes, filters)
    return (
        together > 1 and rest == geometry.groups % together == 0
        and channels in (filters, 2 * filters)
    )  # fmt: skip


def _share_met(columns: Axis) -> float:
    """How many of the taps of all columns lie on the image."""
    met = 0
    for tap in columns.taps:
        first = max(0, -(tap // columns.stride))
        last = min(columns.cells, (columns.source - 1 - tap) // columns.stride + 1)
        met += max(0, last - first)
    return met / max(1, len(columns.taps) * columns.cells)


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
        cost = tiles * (max(numbers * vectors, numbers + vectors, 8) + 0.5 + 0.35 * vectors)
        cost += 3 * panels * -(-taps // together) * run_length / lanes
        best = min(best, (cost, vectors, together, length))
    return best[0], (best[2], best[3], best[1], 1, lanes, kind)


@lru_cache(maxsize=1024)
def _turned_tile(
    taps: int, run_length: int, filters: int, lanes: int, kind: int
) -> tuple[float, Shape]:
    """The same, with all filters of a group in a tile, and numbers of a run in its lanes."""
    most = min(run_length // lanes, max(1, (machine().registers - 1) // (filters + 1)))
    best: tuple[float, int] = (math.inf, 1)
    for vectors in range(1, most + 1):
        tiles = taps * -(-run_length // (vectors * lanes))
        # A vector of the image seldom begins with a line of the cache: it is fetched twice.
        time = tiles * (max(filters * vectors, filters + 2 * vectors, 8) + 0.5 + 0.2 * vectors)
        best = min(best, (time + 3 * taps * run_length / lanes, vectors))
    return best[0], (1, filters, best[1], 1, lanes, kind)


def _shared_tile(
    taps: int, run_length: int, filters: int, lanes: int, kind: int, most_taps: int
) -> tuple[float, Shape]:
    """The same, with the filters of several groups in one vector; its time for one group."""
    groups, free = lanes // filters, machine().registers - 2 - run_length // filters
    together = max(1, min(free // run_length, most_taps))
    together = -(-taps // -(-taps // together))
    numbers = together * run_length
    time = -(-taps // together) * (max(2 * numbers, 8) + 1)
    return time / groups, (together, run_length, 1, groups, lanes, kind)


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
    finished = np.zeros(s.parts, np.int64)
    with borrowed(1, s.partial_bytes) as rows:
        sums = rows[0] if s.partial_bytes else kernel_gradient
        run(
            correlation, s.jobs, s.multiply_adds, s.scratch_bytes, s.cut, steps(s.shape),
            s.row_taps, s.column_taps, finished, x.ctypes.data, output_gradient.ctypes.data,
            sums.ctypes.data, kernel_gradient.ctypes.data,
        )  # fmt: skip
    if s.cut.exact or not (s.rows.is_padded or s.columns.is_padded):
        return True
    smaller = min(kernel_gradient, output_gradient, key=lambda array: array.size)
    return bool(np.isfinite(smaller).all())


# --- what is compiled -----------------------------------------------------------------------------
# Once for all layers and dtypes: what depends on the dtype or the register tile is in the steps,
# which are called by their addresses, as is `alone` by a crew. So nothing is compiled twice.


class Part(NamedTuple):
    """Weights that a job sums: some taps, panels of filters, channels and groups."""

    first_tap: int
    last_tap: int
    first_panel: int
    last_panel: int
    first_channel: int  # within a group
    depth: int  # channels from there on
    first_group: int
    last_group: int


class Block(NamedTuple):
    """Pixels that a job reads at a time: their first image, row and column, and how many."""

    image: int
    row: int
    column: int
    images: int
    rows: int
    columns: int


class View(NamedTuple):
    """Where to read the image of a block: from its corner, and a pixel, row and image on."""

    base: int
    right: int
    down: int
    on: int
    free: int  # the scratch behind


@compiled()
def alone(
    member, board, scratch, cut, steps, row_taps, column_taps, finished, source, gradient, sums,
    target,
):  # fmt: skip
    """Do jobs until none is left."""
    s, room = cut, scratch[member]
    parts = s.group_blocks * s.channel_blocks * s.panel_blocks * s.tap_blocks
    row_blocks = -(-s.rows // s.rows_at_once)
    column_blocks = -(-s.columns // s.columns_at_once)
    blocks = -(-s.images // s.images_at_once) * row_blocks * column_blocks
    # Tables: the pixels that each column of the kernel meets, and how many of each row.
    sets = column_taps.size if s.exact else 1
    longest = s.images_at_once * s.rows_at_once * s.columns_at_once
    pixels, met = room[: 2 * longest * sets], room[2 * longest * sets :]
    offsets = met[sets:]
    cells = offsets[s.taps_at_once :]
    listed = (0, 0, 0, 0, 0, False)
    while True:
        job = claim(board)
        if job >= parts * s.chunks:
            break
        part = part_of(s, row_taps, column_taps, job % parts)
        chunk = job // parts
        length = (column_taps.size if s.merged else 1) * part.depth
        list_cells(s, column_taps, part, cells)
        free = address(cells, s.taps_at_once * length + s.run_at_once)
        first_block, last_block = share(chunk, blocks, s.chunks)
        for number in range(first_block, last_block):
            column = number % column_blocks * s.columns_at_once
            row = number // column_blocks % row_blocks * s.rows_at_once
            image = number // (column_blocks * row_blocks) * s.images_at_once
            block = Block(
                image, row, column, min(s.images_at_once, s.images - image),
                min(s.rows_at_once, s.rows - row), min(s.columns_at_once, s.columns - column),
            )  # fmt: skip
            packed = reads_too_far(s, block)
            view = lay_out(s, row_taps, part, block, source, free, pixels.view(np.uint8))
            if listed != (block.images, block.rows, block.columns, column, view.right, packed):
                listed = (block.images, block.rows, block.columns, column, view.right, packed)
                list_pixels(s, column_taps, block, view, packed, longest, pixels, met)
            add_block(
                s, steps, row_taps, column_taps, part, block, view, packed, source, gradient,
                longest, pixels, met, offsets, cells, sums + chunk * s.size * s.itemsize,
                number > first_block, number + 1 < last_block,
            )  # fmt: skip
        if s.chunks == 1 or tick(finished, job % parts) == s.chunks - 1:
            if s.turned:
                turn_back(s, steps, row_taps, column_taps, part, sums, target)
            elif s.chunks > 1:
                add_up(s, steps, column_taps, part, sums, target)


@compiled(parallel=True)
def together(
    crew, board, scratch, address_of_alone, cut, steps, row_taps, column_taps, finished,
    source, gradient, sums, target,
):  # fmt: skip
    """The same, by a crew."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, cut, steps, row_taps, column_taps, finished, source,
            gradient, sums, target,
        ))  # fmt: skip


correlation = with_a_crew(
    alone, together, named(Cut), types.UniTuple(NUMBER, 4), *[NUMBERS] * 3, *[NUMBER] * 4
)


@inner
def share(number, count, parts):
    """The first and the end of one of so many parts, nearly equal, of a count."""
    return number * count // parts, (number + 1) * count // parts


@inner
def part_of(s, row_taps, column_taps, number):
    """The part of that number."""
    tap_count = row_taps.size * (1 if s.merged else column_taps.size)
    first_tap, last_tap = share(number % s.tap_blocks, tap_count, s.tap_blocks)
    number //= s.tap_blocks
    first_panel, last_panel = share(number % s.panel_blocks, s.group_panels, s.panel_blocks)
    number //= s.panel_blocks
    first_channel, last_channel = 0, s.group_channels
    if s.channel_blocks > 1:  # of whole tiles, but for the last
        first_channel, last_channel = share(
            number % s.channel_blocks, s.group_channels // s.run_at_once, s.channel_blocks
        )
        first_channel *= s.run_at_once
        last_channel *= s.run_at_once
        if (number + 1) % s.channel_blocks == 0:
            last_channel = s.group_channels
    first_group, last_group = share(number // s.channel_blocks, s.groups, s.group_blocks)
    return Part(
        first_tap, last_tap, first_panel, last_panel, first_channel, last_channel - first_channel,
        first_group, last_group,
    )  # fmt: skip


@inner
def list_cells(s, column_taps, part, cells):
    """Where the sums of a kernel row, or of a few taps, lie from the first of them on."""
    across = column_taps.size if s.merged else 1
    row = 0
    if s.turned:
        for f in range(s.run_at_once):
            cells[f] = f * s.panel_width
        return
    for t in range(s.taps_at_once):
        for j in range(across):
            for c in range(part.depth):
                cells[row] = ((t * across + j) * s.group_channels + c) * s.filters
                row += 1


@inner
def lay_out(s, row_taps, part, block, source, patch, like):
    """See to it that the block's patch of the image can be read, with zeros around the image."""
    y, x = block.row * s.row_stride + row_taps[0], block.column * s.column_stride + s.left
    tall = (block.rows - 1) * s.row_stride + row_taps[-1] - row_taps[0] + 1
    wide = (block.columns - 1) * s.column_stride + s.reach
    channel = part.first_group * s.group_step + part.first_channel
    pixel = s.channels * s.itemsize
    in_place = y >= 0 and y + tall <= s.height and x >= 0 and x + wide <= s.width
    if s.exact or in_place:
        corner = (block.image * s.height + y) * s.width + x
        base = source + corner * pixel + channel * s.itemsize
        return View(base, s.channels, s.width * s.channels, s.height * s.width * s.channels, patch)
    channels = (part.last_group - part.first_group) * s.group_step
    size = channels * s.itemsize
    before = min(max(0, -x), wide)
    after = min(max(0, x + wide - s.width), wide - before)
    inner = wide - before - after
    line = patch
    for image in range(block.image, block.image + block.images):
        for row in range(y, y + tall):
            if row < 0 or row >= s.height:
                clear(like, line, wide * size)
            else:
                first = source + ((image * s.height + row) * s.width + x + before) * pixel
                clear(like, line, before * size)
                if channels == s.channels:
                    copy(like, first, line + before * size, inner * size)
                else:
                    for n in range(inner):
                        near = first + n * pixel + channel * s.itemsize
                        copy(like, near, line + (before + n) * size, size)
                clear(like, line + (wide - after) * size, after * size)
            line += wide * size
    return View(patch, channels, wide * channels, tall * wide * channels, line)


@inner
def reads_too_far(s, block):
    """Whether the last vector of the block's last pixel would reach beyond the whole gradient.

    A panel that is not full reads lanes of what comes next, for nothing; but something must come.
    Where nothing does, the gradient is laid out first, filled up with zeros.
    """
    more = s.group_panels * s.panel_width - s.group_filters
    line = (block.image + block.images - 1) * s.rows + block.row + block.rows - 1
    end = (line * s.columns + block.column + block.columns) * s.filters
    return not s.turned and end + more > s.images * s.rows * s.columns * s.filters


@inner
def list_pixels(s, column_taps, block, view, packed, longest, pixels, met):
    """Where to read the image and the gradient, pixel by pixel.

    A row of all images, then the next row: so the rows of padding lie side by side, and are left
    out by a later first pixel or an earlier last one. Columns of padding are not listed.
    """
    for j in range(met_sets(s, column_taps)):
        low, high = 0, block.columns
        if s.exact:
            low, high = meet(block.column, high, column_taps[j], s.column_stride, s.width)
        met[j] = block.images * (high - low)
        p = 2 * longest * j
        for r in range(block.rows):
            for n in range(block.images):
                place = n * view.on + r * s.row_stride * view.down
                for c in range(low, high):
                    pixels[p + s.turned] = place + c * s.column_stride * view.right
                    if packed:
                        row = (r * block.images + n) * block.columns
                        pixels[p + 1] = (row + c) * s.panel_width
                    else:
                        row = (n * s.rows + r) * s.columns
                        pixels[p + 1 - s.turned] = (row + c) * s.filters
                    p += 2


@inner
def met_sets(s, column_taps):
    """Lists of pixels: one for each column of the kernel, or one for all."""
    return column_taps.size if s.exact else 1


@inner
def meet(first, count, tap, stride, size):
    """The cells from the first one on whose tap lies on the image: their first, and their end."""
    low = min(max(0, -(tap // stride) - first), count)
    return low, max(low, min(count, (size - 1 - tap) // stride + 1 - first))


@inner
def add_block(
    s, steps, row_taps, column_taps, part, block, view, packed, source, gradient, longest, pixels,
    met, offsets, cells, sums, going_on, another,
):  # fmt: skip
    """Add the products of a block of pixels to all sums of a part."""
    add_tile, copy_rows = steps[0], steps[1]
    size, width = s.itemsize, s.panel_width
    across = column_taps.size if s.merged else 1
    tap_count = row_taps.size * column_taps.size // across
    length = across * part.depth
    corner = gradient + (
        ((block.image * s.rows + block.row) * s.columns + block.column) * s.filters * size
    )
    # What the next block reads is fetched meanwhile, line by line: of the gradient, and then of
    # the image.
    ahead, lines, count, apart, follow, done, turn = corner, 0, 0, 0, 0, 0, 0
    if another and s.columns_at_once >= s.columns:
        count, apart = block.images * block.rows * s.columns, s.filters
        lines = (part.last_group - part.first_group - 1) * s.group_filters
        lines += min((part.last_panel - part.first_panel) * width, s.group_filters)
        lines = lines * size // LINE
        ahead += count * apart * size
        ahead += (part.first_group * s.group_filters + part.first_panel * width) * size
        turn = 1
    for group in range(part.first_group, part.last_group):
        seen = view.base + (group - part.first_group) * s.group_step * size
        for lane in range(part.first_panel * width, part.last_panel * width, width):
            filter_, left = group * s.group_filters + lane, s.group_filters - lane
            near = corner + filter_ * size
            if packed:
                to = view.free
                for r in range(block.rows):
                    for n in range(block.images):
                        line = near + (n * s.rows + r) * s.columns * s.filters * size
                        call(copy_rows, (line, s.filters, to, width, block.columns, left))
                        to += block.columns * width * size
                near = view.free
            for tap in range(part.first_tap, part.last_tap, s.taps_at_once):
                start = min(tap, tap_count - s.taps_at_once)
                low, high, j = 0, block.rows, 0
                for t in range(s.taps_at_once):
                    i = (start + t) * across // column_taps.size
                    j = (start + t) * across % column_taps.size
                    offsets[t] = (row_taps[i] - row_taps[0]) * view.down
                    offsets[t] += (column_taps[j] - s.left) * view.right
                    if s.taps_at_once == 1:
                        low, high = meet(block.row, high, row_taps[i], s.row_stride, s.height)
                if not s.exact:
                    j = 0
                first = start * across * s.group_channels + part.first_channel
                to = sums + (first * s.filters + filter_) * size
                listed = address(pixels, 2 * (longest * j + low * met[j]))
                step = width if s.turned else s.run_at_once
                for number in range(0, length, step):
                    begin = min(number, length - step)
                    one, table, other = seen + begin * size, address(offsets, 0), near
                    row, skipped = begin, (tap - start) * length + number - begin
                    if s.turned:
                        one, table, other = near, address(cells, 0), one + offsets[0] * size
                        row, skipped, left = 0, 0, width
                        slot = (group * tap_count + start) * -(-length // width) + number // width
                        to = sums + slot * s.run_at_once * width * size
                    call(add_tile, (
                        one, table, other, listed, (high - low) * met[j], to, address(cells, row),
                        skipped, left, np.int64(going_on),
                        ahead + done * apart * size, apart, follow,
                    ))  # fmt: skip
                    done += (high - low) * met[j]
                    if done >= count:
                        done, lines, ahead = 0, lines - 1, ahead + LINE
                    if lines <= 0:
                        count, apart, follow = 0, 0, 0
                        if turn == 1:
                            ahead, lines, count, apart, follow = next_image(
                                s, row_taps, column_taps, part, block, source
                            )
                        turn = 2


@inner
def next_image(s, row_taps, column_taps, part, block, source):
    """What to fetch of the image for the next block.

    From which address, how many lines of how many pixels, from pixel to pixel, and whether to go
    on as this block does instead: where the kernel leaves out pixels.
    """
    image, row = block.image, block.row + s.rows_at_once
    y = row * s.row_stride + row_taps[0]
    if row >= s.rows:
        image, y = block.image + s.images_at_once, row_taps[0]
    lines = (part.last_group - part.first_group - 1) * s.group_step + part.depth
    lines = max(1, lines * s.itemsize // LINE)
    channel = part.first_group * s.group_step + part.first_channel
    if s.row_stride > s.reach_down or s.column_stride > s.reach:
        corner = (image * s.height + y) * s.width + s.left
        follow, apart, count = s.exact, 0, block.images * block.rows * block.columns
    else:
        if image == block.image:
            y = (row - 1) * s.row_stride + row_taps[-1] + 1
        corner = (image * s.height + max(0, y)) * s.width
        follow, apart = 0, s.channels
        count = block.images * block.rows * s.row_stride * s.width
    start = source + (corner * s.channels + channel) * s.itemsize
    return start, lines, count, apart, follow


@inner
def add_up(s, steps, column_taps, part, sums, target):
    """Add the sums of all chunks, in their order, for the weights of a part."""
    across = column_taps.size if s.merged else 1
    start = part.first_group * s.group_filters + part.first_panel * s.panel_width
    stop = (part.last_group - 1) * s.group_filters
    stop += min(part.last_panel * s.panel_width, s.group_filters)
    # Rows of the kernel lie side by side where the part has all its filters.
    together = part.depth if stop - start == s.filters else 1
    for tap in range(part.first_tap * across, part.last_tap * across):
        for channel in range(0, part.depth, together):
            row = tap * s.group_channels + part.first_channel + channel
            place = (row * s.filters + start) * s.itemsize
            count = (together - 1) * s.filters + stop - start
            call(steps[2], (sums + place, s.size, s.chunks, target + place, count))


@inner
def turn_back(s, steps, row_taps, column_taps, part, sums, target):
    """The same where the sums lie filter by filter, in one slot for each tile."""
    across = column_taps.size if s.merged else 1
    length, width = across * part.depth, s.panel_width
    tap_count, tiles = row_taps.size * column_taps.size // across, -(-length // width)
    room = s.run_at_once * width
    for group in range(part.first_group, part.last_group):
        for tap in range(part.first_tap, part.last_tap):
            for tile in range(tiles):
                slot = ((group * tap_count + tap) * tiles + tile) * room * s.itemsize + sums
                call(steps[2], (slot, s.size, s.chunks, slot, room))
                begin = min(tile * width, length - width)
                place = (tap * length + begin) * s.filters + group * s.group_filters
                place = target + place * s.itemsize
                call(steps[3], (slot, width, place, s.filters, s.run_at_once, width))
