"""The direct convolution: any kernel, stride, dilation and groups, and its input gradient.

A *sweep* moves a window over a source and writes a target (see `sweeps`). A job takes a block of
target pixels. Where the window leaves the source on the left or right, or where channels are
taken a block at a time, the job first lays out its patch of the source in scratch; elsewhere it
reads the source in place. Rows of padding are left out, not multiplied.

Then it goes through the filters panel by panel and through the pixels tile by tile. All
arithmetic is `tiles.add_products`.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange

from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import compiled, inner, run
from convlab.kernels.parallel.steps import NUMBER, NUMBERS, array, call, entry, named, with_a_crew
from convlab.kernels.parallel.sweeps import Axis
from convlab.kernels.parallel.tiles import add_products, address, claim, clear, copy

# Bytes of a patch that a job lays out: half of a usual second-level cache, with room for weights.
PATCH_BYTES = 192 * 2**10
# Bytes of a panel's weights: with more, channels are taken a block at a time.
PANEL_BYTES = 224 * 2**10
# Pixels of a job, about: enough that its weights, fetched once, are used often. With one panel
# of filters nothing is fetched twice, and a job may be larger.
PIXELS = 512
# Pixels of a register tile. Few sizes, because each is compiled by itself.
TILE_PIXELS = (28, 20, 14, 13, 12, 11, 10, 9, 8, 6, 5, 4, 3, 2, 1)
# Products of a sum up to which a layer is worth a tile of its own: the first layers of networks.
# Its tile is small: so it ends soon, and its end hides behind the next one's beginning.
SHALLOW, SHALLOW_PIXELS = 160, 8
# Pixels of a usual tile; and so the images of a job whose tiles run across images, at most.
IMAGES_APART = 14
# What leaving out the columns of padding must save: of the products; and more where tiles run
# across images, which lie far apart.
SAVED, SAVED_ACROSS = 1 / 32, 1 / 12
# What `tiles.copy` and `tiles.clear` count here.
BYTES = np.uint8
# Jobs for each thread, at least: so that none waits long for the last.
JOBS_PER_THREAD = 4


class Sweep(NamedTuple):
    """The numbers of a sweep, as compiled code wants them."""

    images: int
    rows: int  # of the target that are swept, and the first of them, and their distance
    first_row: int
    row_step: int
    columns: int
    first_column: int
    column_step: int
    target_height: int
    target_width: int
    filters: int
    height: int  # of the source
    width: int
    channels: int
    row_stride: int
    column_stride: int
    left: int  # the first of the column taps, and the columns from it to the last
    reach: int
    group_filters: int
    group_channels: int
    group_panels: int
    apart: int  # 1 where columns that meet other taps than their neighbours are tiles of their own
    merged: int  # 1 where the taps of a kernel row lie side by side, and are one run
    block: int  # channels of the source that are taken at a time
    panels: int  # of all groups
    images_at_once: int
    rows_at_once: int
    columns_at_once: int
    panels_at_once: int
    pixels: int  # of the register tile, and its entries in the tables
    entries: int
    panel_width: int
    itemsize: int


@dataclass(frozen=True, eq=False)
class Setup:
    """How a sweep is done.

    Attributes
    ----------
    shape : tuple of int
        The register tile, as `tiles.add_products` takes it.
    sweep : Sweep
    rows, columns : Axis
    row_taps, column_taps : array of int64
    order : array of int64
        The taps as places of the kernel, counted row by row, in the order of the weights.
    jobs : int
    scratch_bytes : int
        For each thread.
    packed_size : int
        Elements of the packed weights.
    multiply_adds : int
    dtype : numpy.dtype
    """

    shape: tuple[int, ...]
    sweep: Sweep
    rows: Axis
    columns: Axis
    row_taps: np.ndarray
    column_taps: np.ndarray
    order: np.ndarray
    jobs: int
    scratch_bytes: int
    packed_size: int
    multiply_adds: int
    dtype: np.dtype

    @property
    def tile(self) -> tuple[int, int]:
        """Pixels and vectors of the register tile."""
        return self.shape[0], self.shape[1]

    @property
    def is_padded(self) -> bool:
        """Whether zeros are multiplied."""
        return self.columns.is_padded and not self.sweep.apart

    @property
    def packed_width(self) -> int:
        """Lanes of all panels."""
        return self.sweep.panels * self.shape[1] * self.shape[2]

    @property
    def tiles(self) -> int:
        """Register tiles of one panel, the short ones included."""
        s = self.sweep
        sizes = (
            (s.images, s.images_at_once), (s.rows, s.rows_at_once), (s.columns, s.columns_at_once),
        )  # fmt: skip
        blocks = math.prod(-(-size // length) for size, length in sizes)
        pixels = math.prod(min(size, length) for size, length in sizes)
        return blocks * -(-pixels // self.shape[0])

    @property
    def issued(self) -> int:
        """Multiply-adds that are done, surplus lanes and pixels included."""
        depth = self.packed_size // self.packed_width
        return self.tiles * self.shape[0] * self.packed_width * depth

    @property
    def cycles(self) -> int:
        """The time that takes, in vector multiply-adds, where memory keeps up."""
        depth = self.packed_size // self.packed_width
        return round(self.tiles * self.sweep.panels * tile_cycles(*self.tile, depth))


@lru_cache(maxsize=512)
def setup(
    images: int,
    rows: Axis,
    columns: Axis,
    groups: int,
    group_channels: int,
    group_filters: int,
    kernel_width: int,
    dtype: np.dtype,
    threads: int,
) -> Setup:
    """Cut a sweep into jobs, and choose its register tile.

    No cut can change a result: a sum lies in one job, and adds up in the order of its taps and
    blocks of channels, which are chosen from the sizes of the kernel alone.
    """
    lanes, taps = machine().lanes(dtype), len(rows.taps) * len(columns.taps)
    block = _channel_block(groups, group_channels, taps, dtype.itemsize, lanes)
    most = PIXELS if groups * group_filters > 2 * lanes else 4 * PIXELS
    cut, apart, alike = _job(images, rows, columns, block * dtype.itemsize, most, threads)
    depth = taps * min(block, group_channels)
    pixels, vectors = _tile(alike, group_filters, lanes, depth)
    shallow = _is_shallow(depth, pixels, columns.cells, cut[2]) and not apart
    if shallow:
        pixels = min(pixels, SHALLOW_PIXELS)
    blocks = math.prod(
        -(-size // length)
        for size, length in zip((images, rows.cells, columns.cells), cut, strict=True)
    )
    group_panels = -(-group_filters // (vectors * lanes))
    panels = groups * group_panels
    panels_at_once = _panels_at_once(panels, blocks, threads)
    merged = groups == 1 and all(b - a == 1 for a, b in itertools.pairwise(columns.taps))
    shape: tuple[int, ...] = (pixels, vectors, lanes)
    if shallow:
        run = group_channels * (len(columns.taps) if merged else 1)
        shape += (
            run, groups * group_channels * columns.stride, groups * group_filters * columns.step,
        )  # fmt: skip
    sweep = Sweep(
        images=images,
        rows=rows.cells, first_row=rows.first, row_step=rows.step,
        columns=columns.cells, first_column=columns.first, column_step=columns.step,
        target_height=rows.target, target_width=columns.target, filters=groups * group_filters,
        height=rows.source, width=columns.source, channels=groups * group_channels,
        row_stride=rows.stride, column_stride=columns.stride,
        left=columns.taps[0], reach=columns.reach,
        group_filters=group_filters, group_channels=group_channels, group_panels=group_panels,
        apart=int(apart), merged=int(merged), block=block, panels=panels,
        images_at_once=cut[0], rows_at_once=cut[1], columns_at_once=cut[2],
        panels_at_once=panels_at_once, pixels=pixels, entries=_entries(shape),
        panel_width=vectors * lanes, itemsize=dtype.itemsize,
    )  # fmt: skip
    return Setup(
        shape, sweep, rows, columns,
        np.array(rows.taps, np.int64), np.array(columns.taps, np.int64),
        np.array([i * kernel_width + j for i in rows.order for j in columns.order], np.int64),
        jobs=blocks * -(-panels // panels_at_once),
        scratch_bytes=_scratch(sweep, rows, columns, pixels, dtype.itemsize),
        packed_size=panels * taps * group_channels * vectors * lanes,
        multiply_adds=images * rows.cells * columns.cells * taps * sweep.channels * group_filters,
        dtype=dtype,
    )  # fmt: skip


def _is_shallow(depth: int, pixels: int, columns: int, at_once: int) -> bool:
    """Whether a layer gets a tile of its own, which is a piece of a row: rows must fill it."""
    tall = min(pixels, SHALLOW_PIXELS)
    return depth <= SHALLOW and 1 < tall <= min(at_once, columns % at_once or tall)


def _panels_at_once(panels: int, blocks: int, threads: int) -> int:
    """All panels in a job, or so few that there are jobs enough."""
    at_once = panels
    while at_once > 1 and blocks * -(-panels // at_once) < _jobs_wanted(threads):
        at_once = -(-at_once // 2)
    return at_once


def _job(
    images: int, rows: Axis, columns: Axis, pixel_bytes: int, most: int, threads: int
) -> tuple[tuple[int, int, int], bool, int]:
    """Images, rows and columns of a job; whether columns of padding are left out; pixels alike.

    Whether they are does not depend on the threads: so neither does the sign of a zero.
    """
    if images >= 4 * IMAGES_APART and _saved(IMAGES_APART, columns) > SAVED_ACROSS:
        at_once = _images_apart(images, threads)
        return (at_once, rows.cells, columns.cells), True, at_once
    cut = _cut(images, rows, columns, pixel_bytes, most, 1)
    apart = _saved(cut[0] * cut[1], columns) > SAVED
    cut = _cut(images, rows, columns, pixel_bytes, most, threads)
    return cut, apart, math.prod(cut)


def _images_apart(images: int, threads: int) -> int:
    """Images of a tile that runs across them, so that none is left over, nor a thread idle."""

    def cost(at_once: int) -> int:
        jobs = -(-images // at_once)
        return -(-jobs // threads) * threads * (at_once + 1)  # one pixel's time for the beginning

    return min(range(IMAGES_APART, IMAGES_APART // 2, -1), key=cost)


def _scratch(sweep: Sweep, rows: Axis, columns: Axis, pixels: int, itemsize: int) -> int:
    """Bytes for the tables of a job, and for its patch."""
    at_once = sweep.images_at_once * sweep.rows_at_once * sweep.columns_at_once
    tables = 2 * (at_once + pixels + len(rows.taps) * len(columns.taps))
    if sweep.apart and sweep.block == sweep.channels:
        return 8 * tables
    patch = _patch(rows, sweep.rows_at_once) * _patch(columns, sweep.columns_at_once)
    return 8 * tables + sweep.images_at_once * patch * sweep.block * itemsize


def _saved(alike: int, columns: Axis) -> float:
    """Share of the products that are saved where columns of padding are left out.

    Columns that meet the same taps are then tiles of their own. The last tile of each does some
    pixels twice, so it matters how many pixels are alike: those of a column, in a job.
    """
    if not columns.is_padded:
        return 0.0

    def tiles(cells: int) -> int:
        return -(-alike * cells // IMAGES_APART)

    apart = sum(tiles(cells) * taps for cells, taps in columns.alike())
    return 1 - apart / (tiles(columns.cells) * len(columns.taps))


def _jobs_wanted(threads: int) -> int:
    return JOBS_PER_THREAD * threads if threads > 1 else 1


def _channel_block(groups: int, channels: int, taps: int, itemsize: int, lanes: int) -> int:
    """Channels at a time: all of them, or as many as keep a panel's weights in the cache."""
    width = 2 * lanes  # filters of the usual tile
    if groups > 1 or taps * channels * width * itemsize <= PANEL_BYTES:
        return groups * channels
    most = max(lanes, PANEL_BYTES // (taps * width * itemsize) // lanes * lanes)
    return -(-channels // (-(-channels // most) * lanes)) * lanes


def _patch(axis: Axis, cells: int) -> int:
    return (cells - 1) * axis.stride + axis.reach


def _cut(
    images: int, rows: Axis, columns: Axis, pixel_bytes: int, most: int, threads: int
) -> tuple[int, int, int]:
    """Images, rows and columns of a job."""

    def fits(at_once: int, height: int, width: int) -> bool:
        patch = _patch(rows, height) * _patch(columns, width) * pixel_bytes
        return at_once * patch <= PATCH_BYTES and at_once * height * width <= most

    width = columns.cells
    while width > 32 and not fits(1, 1, width):
        width = -(-width // 2)
    height = rows.cells
    while height > 1 and not fits(1, height, width):
        height = -(-height // 2)
    wanted, across = _jobs_wanted(threads), -(-columns.cells // width)
    while height > 1 and height * width > 64:
        if images * -(-rows.cells // height) * across >= wanted:
            break
        height = -(-height // 2)
    at_once = 1
    if height == rows.cells:
        while fits(2 * at_once, height, width) and images >= 2 * at_once * wanted:
            at_once *= 2
    return at_once, height, width


@lru_cache(maxsize=1024)
def _tile(pixels: int, filters: int, lanes: int, depth: int) -> tuple[int, int]:
    """Pixels and vectors of the register tile that is fastest for sums of so many products.

    The sums, one row of weights and one number of the source must all find a register.
    """
    registers, needed = machine().registers, -(-filters // lanes)
    best = (math.inf, 1, 1)
    for vectors in range(1, min(needed, registers // 4) + 1):
        most = (registers - vectors - 1) // vectors
        for tall in TILE_PIXELS:
            if tall <= most and (tall >= most // 3 or tall >= pixels):
                tiles = -(-pixels // tall) * -(-needed // vectors)
                best = min(best, (tiles * tile_cycles(tall, vectors, depth), -tall, vectors))
    return -best[1], best[2]


def tile_cycles(pixels: int, vectors: int, depth: int) -> float:
    """The time of one register tile, in vector multiply-adds. The constants are measured.

    Each step fetches its weights from the second-level cache; where there are fewer
    multiply-adds than fetches, these set the pace. The beginning and the end of a tile hide behind
    its neighbours, as long as it is small.
    """
    step = max(pixels * vectors, pixels + vectors) + 0.1 * vectors
    ends = max(75, pixels * vectors * (5 + 1.75 * min(max(pixels - 8, 0), 4)))
    return depth * step + ends


def convolve(
    source: np.ndarray,
    packed: np.ndarray,
    bias: np.ndarray | None,
    setup: Setup,
    target: np.ndarray,
) -> None:
    """Sweep: the target is the bias plus the products of its windows.

    Parameters
    ----------
    source, target : array
        Contiguous and channels_last, of one dtype.
    packed : array
        From `packing.pack`.
    bias : array of shape (filters,), optional
    setup : Setup
    """
    offsets = _offsets(bias, setup, packed.dtype)
    run(
        sweeping, setup.jobs, setup.multiply_adds, setup.scratch_bytes, setup.sweep,
        add_tiles_step(setup.shape, setup.dtype), setup.row_taps, setup.column_taps,
        source.ctypes.data, packed.ctypes.data, offsets.ctypes.data, target.ctypes.data,
    )  # fmt: skip


def _offsets(bias: np.ndarray | None, setup: Setup, dtype: np.dtype) -> np.ndarray:
    """The bias lane by lane, panel after panel; zeros where there is none."""
    groups = setup.sweep.panels // setup.sweep.group_panels
    offsets = np.zeros((groups, setup.packed_width // groups), dtype)
    if bias is not None:
        offsets[:, : setup.sweep.group_filters] = bias.reshape(groups, -1)
    return offsets.reshape(-1)


@compiled()
def alone(
    member, board, scratch, sweep, add_tiles, row_taps, column_taps, source, weights, bias, target
):
    """Do jobs until none is left."""
    s, room = sweep, scratch[member]
    row_blocks = -(-s.rows // s.rows_at_once)
    column_blocks = -(-s.columns // s.columns_at_once)
    blocks = -(-s.images // s.images_at_once) * row_blocks * column_blocks
    jobs = blocks * -(-s.panels // s.panels_at_once)
    size, all_taps = s.itemsize, row_taps.size * column_taps.size
    longest = s.images_at_once * s.rows_at_once * s.columns_at_once + s.pixels
    places, cells = room[:longest], room[longest : 2 * longest]
    taps = room[2 * longest : 2 * (longest + all_taps)].reshape(all_taps, 2)
    patch = address(room, 2 * (longest + all_taps))
    known = (0, 0, 0, 0, 0, 0)
    while True:
        job = claim(board)
        if job >= jobs:
            break
        first_panel = job // blocks * s.panels_at_once
        last_panel = min(first_panel + s.panels_at_once, s.panels)
        column = job % column_blocks * s.columns_at_once
        row = job // column_blocks % row_blocks * s.rows_at_once
        image = job % blocks // (column_blocks * row_blocks) * s.images_at_once
        images = min(s.images_at_once, s.images - image)
        rows = min(s.rows_at_once, s.rows - row)
        columns = min(s.columns_at_once, s.columns - column)
        # The patch of the source that the job reads: its corner and its size.
        y, x = row * s.row_stride + row_taps[0], column * s.column_stride + s.left
        tall = (rows - 1) * s.row_stride + row_taps[-1] - row_taps[0] + 1
        wide = (columns - 1) * s.column_stride + s.reach
        in_place = (s.apart or (x >= 0 and x + wide <= s.width)) and s.block == s.channels
        for channel in range(0, s.channels, s.block):
            block = min(s.block, s.channels - channel)
            # Where the patch lies; from one pixel, row and image of it to the next.
            if in_place:
                corner = (image * s.height + y) * s.width + x
                base = source + corner * s.channels * size
                right, down = s.channels, s.width * s.channels
                on = s.height * down
            else:
                base, right, down, on = patch, block, wide * block, tall * wide * block
                for n in range(images):
                    lay_out(
                        s, source, image + n, y, x, tall, wide, channel, block,
                        patch + n * on * size,
                    )  # fmt: skip
            depth = min(block, s.group_channels)
            start_row = 0
            while start_row < rows:
                # Rows whose windows meet the same rows of the kernel; then columns likewise.
                met_rows = met(row_taps, row + start_row, row + rows, s.row_stride, s.height)
                start_column = 0
                while start_column < columns:
                    met_columns = 0, column_taps.size, columns - start_column
                    if s.apart:
                        met_columns = met(
                            column_taps, column + start_column, column + columns,
                            s.column_stride, s.width,
                        )  # fmt: skip
                    layout = (images, met_rows[2], met_columns[2], right, down, on)
                    if s.entries == 1:
                        tiles = layout[0] * layout[1] * -(-layout[2] // s.pixels)
                    else:
                        tiles = -(-layout[0] * layout[1] * layout[2] // s.pixels)
                    if layout != known:
                        tabulate(
                            s, layout, places, cells, tiles * s.entries, s.pixels // s.entries
                        )
                        known = layout
                    count = 0
                    for i in range(met_rows[0], met_rows[1]):
                        for j in range(met_columns[0], met_columns[1]):
                            if j == met_columns[0] or not s.merged:
                                taps[count, 0] = (row_taps[i] - row_taps[0]) * down
                                taps[count, 0] += (column_taps[j] - s.left) * right
                                taps[count, 1] = i * column_taps.size + j
                                taps[count, 1] *= depth * s.panel_width
                                count += 1
                    run = depth * (met_columns[1] - met_columns[0] if s.merged else 1)
                    seen = start_row * s.row_stride * down
                    seen += start_column * s.column_stride * right
                    line = image * s.target_height
                    line += s.first_row + (row + start_row) * s.row_step
                    across = s.first_column + (column + start_column) * s.column_step
                    first = (line * s.target_width + across) * s.filters
                    for panel in range(first_panel, last_panel):
                        group = panel // s.group_panels
                        lane = panel % s.group_panels * s.panel_width
                        weight = (panel * s.group_channels + channel) * s.panel_width * all_taps
                        beginning = bias + panel * s.panel_width * size if channel == 0 else 0
                        call(add_tiles, (
                            tiles, base + (seen + group * s.group_channels) * size,
                            address(places, 0), weights + weight * size, taps[:count], run,
                            beginning, target + (first + group * s.group_filters + lane) * size,
                            address(cells, 0), s.group_filters - lane,
                        ))  # fmt: skip
                    start_column += met_columns[2]
                start_row += met_rows[2]


@compiled(parallel=True)
def together(
    crew, board, scratch, address_of_alone, sweep, add_tiles, row_taps, column_taps, source,
    weights, bias, target,
):  # fmt: skip
    """The same, by a crew."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, sweep, add_tiles, row_taps, column_taps, source,
            weights, bias, target,
        ))  # fmt: skip


sweeping = with_a_crew(
    alone, together, named(Sweep), NUMBER, NUMBERS, NUMBERS, NUMBER, NUMBER, NUMBER, NUMBER
)


@lru_cache(maxsize=256)
def add_tiles_step(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """The address of the compiled register tile, which adds the products of one tile after another.

    Beside the number of tiles it takes what `tiles.add_products` takes.
    """
    number = dtype.type
    step = 8 * _entries(shape)

    @inner
    def add_tiles(
        tiles, source, places, weights, taps, run, beginning, target, cells, left
    ):
        for tile in range(tiles):
            add_products(
                shape, number, source, places + tile * step, weights, taps, run, beginning, target,
                cells + tile * step, left,
            )  # fmt: skip

    taps = array(np.dtype(np.int64), 2)
    return entry(add_tiles, (*[NUMBER] * 4, taps, *[NUMBER] * 5))


def _entries(shape: tuple[int, ...]) -> int:
    """Entries of the tables for a tile: one for each pixel, or one for all, in a row."""
    return shape[0] if len(shape) == 3 else 1


@inner
def tabulate(s, layout, places, cells, count, step):
    """Where windows begin, and where their sums go, for every pixel or every ``step``-th of a row.

    Both are counted from the first pixel's. The last tile may be longer than what is left: it
    does some pixels again, and again writes the same. A tile that is a piece of a row begins
    earlier for it; another does the last pixel several times.
    """
    images, rows, columns, right, down, on = layout
    image, row, column = 0, 0, 0
    for p in range(count):
        start = min(column, columns - step)
        places[p] = image * on + row * s.row_stride * down + start * s.column_stride * right
        line = (image * s.target_height + row * s.row_step) * s.target_width
        cells[p] = (line + start * s.column_step) * s.filters
        if step > 1 or p < images * rows * columns - 1:
            column += step
            if column >= columns:
                column, row = 0, row + 1
                if row == rows:
                    row, image = 0, image + 1


@inner
def met(taps, cell, end, stride, size):
    """The taps that lie on the source for a cell: the first, the end, and how many cells agree."""
    low, high = 0, taps.size
    while low < high and cell * stride + taps[low] < 0:
        low += 1
    while high > low and cell * stride + taps[high - 1] >= size:
        high -= 1
    cells = 1
    while cell + cells < end:
        place = (cell + cells) * stride
        if low > 0 and place + taps[low - 1] >= 0:
            break
        if low < high and (place + taps[low] < 0 or place + taps[high - 1] >= size):
            break
        if high < taps.size and place + taps[high] < size:
            break
        cells += 1
    return low, high, cells


@inner
def lay_out(s, source, image, y, x, tall, wide, channel, block, patch):
    """Copy some channels of a patch of one image, with zeros to its left and right."""
    size = s.itemsize
    before = min(max(0, -x), wide)
    after = min(max(0, x + wide - s.width), wide - before)
    inner = wide - before - after
    for row in range(max(y, 0), min(y + tall, s.height)):
        line = patch + (row - y) * wide * block * size
        clear(BYTES, line, before * block * size)
        pixel = (image * s.height + row) * s.width + x + before
        first = source + (pixel * s.channels + channel) * size
        if block == s.channels:
            copy(BYTES, first, line + before * block * size, inner * block * size)
        else:
            for column in range(inner):
                copy(
                    BYTES, first + column * s.channels * size,
                    line + (before + column) * block * size, block * size,
                )  # fmt: skip
        clear(BYTES, line + (wide - after) * block * size, after * block * size)
