"""Convolutions whose filters see one channel or few: depthwise, and grouped with narrow groups.

The lanes are filters. A tile of some rows by some columns of the target stays in registers; each
number of the source is fetched once for all the taps of a kernel row that meet it, and the next
row of the tile finds it in the first cache. Nothing is copied: weights are read where the layer
has them, and what lies outside the source is jumped over.

The input gradient is the same sweep with source and target exchanged: where the convolution has
strides, the pairs of target and tap that meet nothing are not among the `meetings` of a tile.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange

from convlab.geometry import Geometry
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import Kernel, borrowed, compiled, inner, read_only, run
from convlab.kernels.parallel.steps import TABLE, array, call, named, with_a_crew
from convlab.kernels.parallel.tiles import address, claim
from convlab.kernels.parallel.tiles_channelwise import (
    Lanes,
    Slide,
    correlate_columns,
    meetings,
    slide_along_columns,
)

# Taps of a kernel row that are taken at a time: their weights are in registers.
MOST_TAPS = 8
# Bits of a mask: places of the source that a tile meets.
MASK_BITS = 62
# Bytes of a pixel that are taken at a time, and of the weights that go with them: so that a
# tile's pixels and weights stay in the first cache while it moves down.
RUN_BYTES, WEIGHT_BYTES = 512, 16 * 2**10
# Lines that a tile may touch: with more they begin to drive each other out of the first cache,
# where pixels lie so far apart that they share a few of its sets.
CACHE_LINES = 50
# Bytes of images that may be expected in a cache of the core.
NEAR_BYTES = 4 * 2**20
# Jobs for each thread, so that none waits long for the last.
JOBS_PER_THREAD = 10
# Rows of a job, at most.
ROWS = 32
# Pixels that are summed up before their sum is added to the others', and sums that are made
# apart: both are properties of the result, whose digits they decide.
PIXELS, PARTS = 128, 16


class Axis(NamedTuple):
    """Rows, or columns, of a sweep: ``target * stride + tap * dilation - before`` is the source.

    Backward, source and target change places.
    """

    source: int
    target: int
    taps: int
    stride: int
    dilation: int
    before: int
    backward: int

    @classmethod
    def of(cls, geometry: Geometry, axis: int, backward: bool) -> Axis:
        """The axis of a layer, or of its input gradient."""
        sizes = geometry.input_size[axis], geometry.output_size[axis]
        source, target = sizes[::-1] if backward else sizes
        return cls(
            source, target, geometry.kernel_size[axis], geometry.strides[axis],
            geometry.dilation_rate[axis], geometry.pads[2 * axis], int(backward),
        )  # fmt: skip

    def met(self) -> np.ndarray:
        """The source under each tap of each target, ``(target, taps)``; -1 where there is none."""
        targets, taps = np.arange(self.target)[:, None], np.arange(self.taps) * self.dilation
        if self.backward:
            places, rest = np.divmod(targets + self.before - taps, self.stride)
        else:
            places = targets * self.stride + taps - self.before
            rest = np.zeros_like(places)
        return np.where((places >= 0) & (places < self.source) & (rest == 0), places, -1)

    def slide(self, places: int, taps: int) -> Slide:
        """Some places and some taps next to each other."""
        before = self.before if self.backward else 0
        return Slide(places, taps, self.stride, self.dilation, before, self.backward)

    def chunk_step(self, taps: int) -> int:
        """From the source that one chunk of taps meets to what the next one does."""
        distance = taps * self.dilation
        return -distance // self.stride if self.backward else distance

    def first(self, target: int) -> int:
        """The source from which the `meetings` of a slide are counted."""
        return target // self.stride if self.backward else target * self.stride - self.before

    def mask(self, slide: Slide, first: int) -> int:
        """A bit for each of the `meetings` of a slide, 1 where it lies in the source."""
        met = enumerate(meetings(slide))
        return sum(1 << bit for bit, (place, _) in met if 0 <= first + place < self.source)

    def chunks(self) -> list[int]:
        """Taps of each chunk of a kernel row: all alike, but the last may be shorter.

        Backward, all chunks must meet the source at the same phase of the stride.
        """
        even = -(-self.taps // -(-self.taps // MOST_TAPS))
        if self.backward and even < self.taps:
            unit = self.stride // math.gcd(self.stride, self.dilation)
            even = min(-(-even // unit) * unit, self.taps)
        return [min(even, self.taps - first) for first in range(0, self.taps, even)]

    def even_chunk(self) -> int:
        """Taps of a chunk where all chunks must be alike: the most that divide the taps."""
        return max(n for n in range(1, MOST_TAPS + 1) if self.taps % n == 0)

    def masks(self, firsts: range, slide: Slide) -> list[list[int]]:
        """For each first target, a mask for each chunk of taps."""
        chunks, step = self.chunks(), self.chunk_step(slide.taps)
        return [
            [self.mask(slide._replace(taps=taps), self.first(n) + k * step)
             for k, taps in enumerate(chunks)]
            for n in firsts
        ]  # fmt: skip


class Sweep(NamedTuple):
    """The numbers of a sweep, as compiled code wants them."""

    images: int
    target_height: int
    target_width: int
    filters: int
    height: int
    width: int
    channels: int
    row_chunks: int
    chunks: int
    chunk_step: int
    tap_step: int  # from the weights of one tap to the next, of one channel, and of one vector
    weight_step: int
    vector_step: int
    rows_at_once: int
    runs_at_once: int
    far: int  # 1 where the source and the target do not fit the caches


@dataclass(frozen=True, eq=False)
class Setup:
    """How a convolution, or its input gradient, is cut.

    Attributes
    ----------
    shape : tuple of int
        The register tile, as `tiles_channelwise.slide_along_columns` takes it.
    sweep : Sweep
    rows : array of shape (tiles of rows, source rows)
        The source rows that each tile meets, chunk of kernel rows by chunk; -1 for none.
    tiles : array of shape (tiles, 3)
        First target column, target columns, source column.
    masks : array of shape (tiles, chunks)
    runs : array of shape (runs, 6)
        First channel, first filter, vectors; channels and filters from one vector to the next;
        the place of the first weight.
    jobs : int
    scratch_bytes : int
        For each thread.
    packed_size : int
        Elements of the prepared weights; 0 where the kernel is read as it lies.
    multiply_adds, issued : int
        Those of the definition; those that are done, the empty lanes' included.
    cycles : float
        Instructions of the tiles that multiply, or that fetch where those are the more.
    """

    shape: tuple[int, ...]
    sweep: Sweep
    rows: np.ndarray
    tiles: np.ndarray
    masks: np.ndarray
    runs: np.ndarray
    jobs: int
    scratch_bytes: int
    packed_size: int
    multiply_adds: int
    issued: int
    cycles: float
    groups: int
    backward: bool

    @property
    def tile(self) -> tuple[int, int]:
        """Pixels and vectors of the register tile."""
        return self.shape[0] * self.shape[7], 1


def takes(geometry: Geometry, dtype: np.dtype, backward: bool = False) -> bool:
    """Whether this path is right for a layer, or for its input gradient, and fast.

    Examples
    --------
    >>> kernel, grouped = (3, 3, 1, 32), (3, 3, 16, 32)
    >>> takes(Geometry.conv2d((1, 9, 9, 32), kernel, groups=32), np.dtype("float32"))
    True
    >>> takes(Geometry.conv2d((1, 9, 9, 32), grouped, groups=2), np.dtype("float32"))
    True
    >>> takes(Geometry.conv2d((1, 9, 9, 32), (3, 3, 32, 64)), np.dtype("float32"))
    False
    """
    channels, filters = _sides(geometry, backward)
    lanes = machine().lanes(dtype)
    narrow = channels == 1 or filters <= lanes
    return geometry.groups > 1 and narrow and _fits(Axis.of(geometry, 1, backward))


def _sides(geometry: Geometry, backward: bool) -> tuple[int, int]:
    """Channels and filters of a group; backward they change places."""
    sides = geometry.group_channels, geometry.group_filters
    return sides[::-1] if backward else sides


def _fits(columns: Axis) -> bool:
    """Whether a tile is not too wide to write out: backward, it is as wide as a stride or wider."""
    return not columns.backward or columns.stride <= machine().registers // 2


@lru_cache(maxsize=1024)
def setup(geometry: Geometry, dtype: np.dtype, threads: int, backward: bool = False) -> Setup:
    """Cut a convolution, or its input gradient.

    Parameters
    ----------
    geometry : Geometry
        A layer that this path `takes`.
    dtype : dtype
    threads : int
        How many jobs there are depends on it, and no result does.
    backward : bool, default False
        For the input gradient.
    """
    rows, columns = (Axis.of(geometry, axis, backward) for axis in (0, 1))
    sides = _sides(geometry, backward)
    lanes = _lanes(*sides, geometry.groups, dtype)
    tall, slide = _tile(rows, columns, lanes)
    chunks, firsts = columns.chunks(), range(0, columns.target, slide.places)
    depth = rows.taps * columns.taps * sides[0]
    runs = _runs(lanes, sides[1], geometry.groups, depth * lanes.width * dtype.itemsize, dtype)
    vectors = sum(run[2] for run in runs)
    swapped = backward and math.prod(sides) > 1
    packed = swapped or _is_packed(sides[0], sides[1] * geometry.groups, dtype)
    channels, filters = (side * geometry.groups for side in sides)
    if packed:
        steps = sides[0] * lanes.width, lanes.width, depth * lanes.width
        counts = itertools.accumulate((run[2] for run in runs), initial=0)
        starts = [count * steps[2] for count in counts][:-1]
    else:
        steps, starts = (sides[0] * filters, filters, lanes.used), [run[1] for run in runs]
    rows_at_once, runs_at_once = _cut(rows, tall.places, geometry.batch, len(runs), threads)
    table = _rows(rows, tall)
    sweep = Sweep(
        geometry.batch, rows.target, columns.target, filters, rows.source, columns.source,
        channels, rows.taps // tall.taps, columns.taps // chunks[0],
        columns.chunk_step(chunks[0]) * channels, *steps, rows_at_once, runs_at_once,
        int(_bytes(geometry, dtype) > NEAR_BYTES),
    )  # fmt: skip
    products, cycles = _work(rows, slide, chunks)
    times = geometry.batch * len(firsts) * vectors * sides[0]
    return Setup(
        shape=(*tall, chunks[-1] % chunks[0], *slide, *lanes), sweep=sweep, rows=frozen(table),
        tiles=frozen(
            [(n, min(slide.places, columns.target - n), columns.first(n)) for n in firsts], 3
        ),
        masks=frozen(columns.masks(firsts, slide), len(chunks)),
        runs=frozen([(*run, start) for run, start in zip(runs, starts, strict=True)], 6),
        jobs=geometry.batch * -(-rows.target // rows_at_once) * -(-len(runs) // runs_at_once),
        scratch_bytes=8 * (table.shape[1] + tall.places) * (rows_at_once // tall.places + 1),
        packed_size=vectors * steps[2] if packed else 0, multiply_adds=geometry.multiply_adds,
        issued=times * products * lanes.width, cycles=float(times * cycles),
        groups=geometry.groups, backward=backward,
    )  # fmt: skip


def _bytes(geometry: Geometry, dtype: np.dtype) -> int:
    """Of the source and the target."""
    shapes = geometry.input_shape, geometry.output_shape
    return sum(map(math.prod, shapes)) * dtype.itemsize


def _work(rows: Axis, slide: Slide, chunks: list[int]) -> tuple[int, int]:
    """Products of a tile's columns and one channel, over all target rows; and their cycles."""
    met = [meetings(slide._replace(taps=taps)) for taps in chunks]
    products = [sum(len(pairs) for _, pairs in places) for places in met]
    cycles = [max(count, len(places)) for count, places in zip(products, met, strict=True)]
    pairs = int((rows.met() >= 0).sum())
    return pairs * sum(products), pairs * sum(cycles)


def frozen(numbers, width: int = 0) -> np.ndarray:
    """A table for compiled code, never to be written again."""
    table = np.ascontiguousarray(np.array(numbers, np.int64))
    table = table.reshape(-1, width) if width else table
    table.flags.writeable = False
    return table


def _is_packed(group_channels: int, filters: int, dtype: np.dtype) -> bool:
    """Whether the weights are laid out anew: where they are many, or lie in few cache sets."""
    return group_channels > 1 or filters * dtype.itemsize % 2048 == 0


def _lanes(channels: int, filters: int, groups: int, dtype: np.dtype) -> Lanes:
    width = machine().lanes(dtype)
    return Lanes(channels, min(filters, width), min(max(1, width // filters), groups), width)


def _tile(rows: Axis, columns: Axis, lanes: Lanes) -> tuple[Slide, Slide]:
    """Rows and columns of the register tile: what wastes least.

    The sums, the weights and one vector of the source must all find a register. Where all weights
    of a channel do, a number of the source serves every row of the tile; else one kernel row is
    taken at a time.
    """
    registers, taps = machine().registers, columns.chunks()[0]
    row_step, step = (axis.stride if axis.backward else 1 for axis in (rows, columns))
    whole = rows.taps * taps <= registers // 3 and row_step <= 2
    room = max(4, registers - taps * (rows.taps if whole else 1) - 2)
    heights = range(row_step, 3, row_step) if whole else (1, 2)
    best = (math.inf, 1, 1)
    for height, places in itertools.product(heights, range(step, room + step, step)):
        met = meetings(columns.slide(places, taps))
        if (height * places > room or len(met) > MASK_BITS) and places > step:
            continue
        pairs = sum(len(pairs) for _, pairs in met)
        # Products and jumps of a kernel row, what the sums cost at the end, and lines that the
        # first cache does not hold.
        work = height * pairs + 0.4 * (height * len(met) + taps) + 2 * height * places / rows.taps
        lines = (height - 1 + rows.taps) * len(met)
        work += 1.5 * lines / rows.taps / lanes.group_channels
        work += 0.5 * max(0, lines + height * places - CACHE_LINES) / rows.taps
        tiles = -(-columns.target // places) * -(-max(rows.target, 1) // height)
        best = min(best, (tiles * (work + 6), height, places))
    _, height, places = best
    tall = rows.slide(height, rows.taps) if whole else _apart(height)
    return tall, columns.slide(places, taps)


def _apart(height: int) -> Slide:
    """Rows each of which meets its own row of the source: any, one kernel row at a time."""
    return Slide(height, 1, 1, 1, 0, 0)


def _rows(rows: Axis, slide: Slide) -> np.ndarray:
    """The source rows that each tile of rows meets; -1 for none."""
    tops = range(0, rows.target, slide.places)
    if slide != _apart(slide.places):
        places = [[rows.first(top) + place for place, _ in meetings(slide)] for top in tops]
        table = np.array(places, np.int64).reshape(len(tops), -1)
        return np.where((table >= 0) & (table < rows.source), table, -1)
    met = np.full((len(tops) * slide.places, rows.taps), -1)
    met[: rows.target] = rows.met()
    return met.reshape(len(tops), slide.places, rows.taps).swapaxes(1, 2).reshape(len(tops), -1)


def _runs(
    lanes: Lanes, group_filters: int, groups: int, weight_bytes: int, dtype: np.dtype
) -> list[tuple[int, int, int, int, int]]:
    """Vectors of filters, some at a time.

    The last vector of a group, or of all groups, may begin early: its first lanes are computed
    again, and again give the same.
    """
    most = max(1, min(WEIGHT_BYTES // weight_bytes, RUN_BYTES // (lanes.width * dtype.itemsize)))
    channels, filters, used = lanes.group_channels, group_filters, lanes.used
    if filters > lanes.width:
        starts = itertools.product(range(groups), _starts(filters, used))
        return [(group * channels, group * filters + lane, 1, 0, 0) for group, lane in starts]
    whole, step = groups // lanes.groups, (lanes.groups * channels, used)
    runs = [
        (n * step[0], n * step[1], min(most, whole - n), *step) for n in range(0, whole, most)
    ]
    if groups % lanes.groups:
        first = groups - lanes.groups
        runs.append((first * channels, first * filters, 1, *step))
    return runs


def _starts(count: int, size: int) -> list[int]:
    """Where pieces of one size begin that cover so many; the last may begin early."""
    return [min(n, count - size) for n in range(0, count, size)]


def _cut(rows: Axis, height: int, images: int, runs: int, threads: int) -> tuple[int, int]:
    """Target rows, and runs, of a job: fewer where there would be too few jobs."""
    wanted = JOBS_PER_THREAD * threads if threads > 1 else 1
    blocks = -(-wanted // max(1, images))
    rows_at_once = max(height, min(ROWS, -(-rows.target // blocks)))
    rows_at_once = -(-rows_at_once // height) * height
    blocks = -(-wanted // max(1, images * -(-rows.target // rows_at_once)))
    return rows_at_once, max(1, -(-runs // blocks))


def prepare(kernel: np.ndarray, setup: Setup, room: np.ndarray | None = None) -> np.ndarray:
    """The weights as the sweep reads them: as they lie, or vector by vector of filters.

    Parameters
    ----------
    kernel : array of shape (kernel_height, kernel_width, channels // groups, filters)
        Contiguous, of the dtype to compute in.
    setup : Setup
        Of a convolution or an input gradient, for which channels and filters change places.
    room : array, optional
        Where to lay weights out: `Setup.packed_size` elements.
    """
    if not setup.packed_size:
        return kernel.reshape(-1)
    packed = np.empty(setup.packed_size, kernel.dtype) if room is None else room
    lanes, groups = Lanes(*setup.shape[-4:]), setup.groups
    tall, wide, channels, filters = kernel.shape
    weights = kernel.reshape(tall * wide, channels, groups, filters // groups)
    if setup.backward:
        weights = weights.transpose(0, 3, 2, 1)
    taps, channels, _, filters = weights.shape
    vectors, first = packed[: setup.packed_size].reshape(-1, taps, channels, lanes.width), 0
    for _, filter_, count, *_ in setup.runs.tolist():
        group, lane = divmod(filter_, filters)
        part = weights[:, :, group : group + count * lanes.groups]
        part = part[..., lane : lane + lanes.group_filters]
        to = vectors[first : first + count, :, :, : lanes.used]
        shape = taps, channels, count, lanes.groups, lanes.group_filters
        to.reshape(count, taps, channels, *shape[3:])[...] = part.reshape(shape).transpose(
            2, 0, 1, 3, 4
        )
        first += count
    return packed


def convolve(
    source: np.ndarray,
    packed: np.ndarray,
    bias: np.ndarray | None,
    setup: Setup,
    target: np.ndarray,
) -> None:
    """Fill the target: the bias, plus the products of each window.

    Parameters
    ----------
    source, target : array
        Contiguous and channels_last, of one dtype; backward, the source is the output's gradient.
    packed : array
        What `prepare` gave.
    bias : array of shape (filters,), optional
    setup : Setup
    """
    if bias is None:
        bias = np.zeros(setup.sweep.filters, target.dtype)
    run(
        sweep_kernel(setup.shape, target.dtype), setup.jobs, setup.multiply_adds,
        setup.scratch_bytes, setup.sweep, setup.rows, setup.tiles, setup.masks, setup.runs,
        *(read_only(array.reshape(-1), target.dtype) for array in (source, packed, bias)),
        target.reshape(-1),
    )  # fmt: skip


@lru_cache(maxsize=256)
def sweep_kernel(shape: tuple[int, ...], dtype: np.dtype) -> Kernel:
    """The compiled sweep for one shape of register tile."""
    height = shape[0]

    @compiled()
    def alone(
        member, board, scratch, sweep, rows, tiles, masks, runs, source, weights, bias, target
    ):
        s, room = sweep, scratch[member]
        row_blocks = -(-s.target_height // s.rows_at_once)
        run_blocks = -(-runs.shape[0] // s.runs_at_once)
        while True:
            job = claim(board)
            if job >= s.images * row_blocks * run_blocks:
                break
            first_run = job % run_blocks * s.runs_at_once
            last_run = min(first_run + s.runs_at_once, runs.shape[0])
            block = job // run_blocks
            image, first = block // row_blocks, block % row_blocks * s.rows_at_once
            last = min(first + s.rows_at_once, s.target_height)
            n = 0
            for top in range(first, last, height):
                n = find_rows(s, rows[top // height], image, top, height, source, target, room, n)
            table_size = rows.shape[1] + height
            for k in range(n, n + table_size):  # nothing comes after the last tile
                room[k] = room[k - table_size]
            for r in range(first_run, last_run):
                channel, filter_, vectors, channel_step, filter_step, weight = runs[r]
                for tile in range(tiles.shape[0]):
                    mask = address(masks, tile * masks.shape[1])
                    for table in range(0, n, table_size):
                        slide_along_columns(
                            shape, target, address(room, table), s.far * table_size, mask,
                            s.row_chunks, s.chunks,
                            tiles[tile, 2] * s.channels + channel, s.channels, s.chunk_step,
                            address(weights, weight), s.tap_step, s.weight_step, s.vector_step,
                            address(bias, filter_),
                            tiles[tile, 0] * s.filters + filter_, s.filters, tiles[tile, 1],
                            vectors, channel_step, filter_step,
                        )  # fmt: skip

    return with_a_crew(
        alone, sweep_together, named(Sweep), *[TABLE] * 4, *[array(dtype, readonly=True)] * 3,
        array(dtype),
    )  # fmt: skip


@compiled(parallel=True)
def sweep_together(
    crew, board, scratch, address_of_alone, sweep, rows, tiles, masks, runs, source, weights,
    bias, target,
):  # fmt: skip
    """A crew, for a sweep by any tile."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, sweep, rows, tiles, masks, runs, source, weights,
            bias, target,
        ))  # fmt: skip


@inner
def find_rows(s, met, image, top, height, source, target, room, n):
    """Where the rows begin that a tile of the target meets, and its own; the end of the table."""
    for row in met:
        room[n] = 0
        if row >= 0:
            room[n] = address(source, (image * s.height + row) * s.width * s.channels)
        n += 1
    for y in range(top, top + height):
        room[n] = 0
        if y < s.target_height:
            room[n] = address(target, (image * s.target_height + y) * s.target_width * s.filters)
        n += 1
    return n


class Cut(NamedTuple):
    """The numbers of a kernel gradient, as compiled code wants them."""

    rows: int  # of the gradient, in all images
    target_height: int
    target_width: int
    filters: int
    height: int
    width: int
    channels: int
    tap_rows: int  # rows of the kernel that are taken at a time
    kernel_columns: int
    taps: int  # of a chunk
    tap_step: int
    tile_count: int
    single_count: int
    rows_at_once: int
    runs_at_once: int
    parts: int
    size: int  # weights


@dataclass(frozen=True, eq=False)
class GradientSetup:
    """How a kernel gradient is cut. The other attributes are those of `Setup`.

    Attributes
    ----------
    shape : tuple of int
        The register tile, as `tiles_channelwise.correlate_columns` takes it.
    cut : Cut
    rows : array of shape (target rows, kernel rows)
        The source row that each meets; -1 for none.
    tiles : array of shape (chunks, tiles and single columns, 3)
        First column of the gradient, image column, mask.
    runs : array of shape (runs, 6)
        As those of a `Setup`, and the lanes that are another run's.
    partial_size : int
        Elements of the sums that are made apart, for the whole call.
    """

    shape: tuple[int, ...]
    cut: Cut
    rows: np.ndarray
    tiles: np.ndarray
    runs: np.ndarray
    jobs: int
    scratch_bytes: int
    partial_size: int
    multiply_adds: int


@lru_cache(maxsize=1024)
def gradient_setup(geometry: Geometry, dtype: np.dtype) -> GradientSetup:
    """Cut a kernel gradient. The cut decides the digits, so no number of threads is in it."""
    rows, columns = (Axis.of(geometry, axis, False) for axis in (0, 1))
    lanes = _lanes(geometry.group_channels, geometry.group_filters, geometry.groups, dtype)
    tap_rows, slide = _gradient_tile(rows, columns)
    whole = columns.target // slide.places
    runs, weights = _gradient_runs(geometry, lanes, dtype), geometry.parameters(False)
    count = geometry.batch * rows.target
    rows_at_once = max(1, min(count, PIXELS // max(1, columns.target)))
    run_blocks = min(len(runs), PARTS)
    runs_at_once = -(-len(runs) // run_blocks)
    parts = max(1, min(-(-PARTS // run_blocks), -(-count // rows_at_once)))
    cut = Cut(
        count, rows.target, columns.target, geometry.filters, rows.source, columns.source,
        geometry.channels, tap_rows, columns.taps, slide.taps,
        geometry.group_channels * geometry.filters, whole, columns.target - whole * slide.places,
        rows_at_once, runs_at_once, parts, weights,
    )  # fmt: skip
    return GradientSetup(
        shape=(tap_rows, *slide, *lanes), cut=cut, rows=frozen(rows.met()),
        tiles=frozen(_gradient_tiles(columns, slide), 3), runs=frozen(runs, 6),
        jobs=parts * -(-len(runs) // runs_at_once),
        scratch_bytes=8 * (3 + tap_rows) * rows_at_once,
        partial_size=parts * weights if parts > 1 else 0, multiply_adds=geometry.multiply_adds,
    )  # fmt: skip


def _gradient_tile(rows: Axis, columns: Axis) -> tuple[int, Slide]:
    """Rows of the kernel, and columns of the gradient and the kernel, of a tile."""
    taps, registers = columns.even_chunk(), machine().registers
    fitting = [n for n in range(1, rows.taps + 1) if rows.taps % n == 0]
    tap_rows = max(n for n in fitting if n == 1 or n * taps <= registers - 6)
    most = max(1, min(8, registers - 2 - tap_rows * taps))
    wasted = {n: columns.target % n + 0.7 * (most - n) for n in range(1, most + 1)}
    return tap_rows, columns.slide(min(wasted, key=wasted.__getitem__), taps)


def _gradient_tiles(columns: Axis, slide: Slide) -> list[tuple[int, int, int]]:
    """For each chunk of a kernel row: tiles of columns, and then the columns that are left."""
    whole = columns.target - columns.target % slide.places
    cells = [(slide.places, n) for n in range(0, whole, slide.places)]
    cells += [(1, n) for n in range(whole, columns.target)]
    tiles = []
    for chunk in range(columns.taps // slide.taps):
        for places, n in cells:
            first = columns.first(n) + chunk * columns.chunk_step(slide.taps)
            tiles.append((n, first, columns.mask(slide._replace(places=places), first)))
    return tiles


def _gradient_runs(
    geometry: Geometry, lanes: Lanes, dtype: np.dtype
) -> list[tuple[int, int, int, int, int, int]]:
    """The runs of a sweep, and how many lanes at the beginning an earlier run has."""
    weights = math.prod(geometry.kernel_shape[:3]) * lanes.width
    found, done = [], 0
    for run_ in _runs(
        lanes, geometry.group_filters, geometry.groups, weights * dtype.itemsize, dtype
    ):
        found.append((*run_, max(0, done - run_[1])))
        done = run_[1] + (run_[2] - 1) * run_[4] + lanes.used
    return found


def correlate(
    x: np.ndarray, output_gradient: np.ndarray, setup: GradientSetup, kernel_gradient: np.ndarray
) -> None:
    """Fill the kernel gradient: ``sum of x[pixel under the weight] * output_gradient[pixel]``.

    Parameters
    ----------
    x, output_gradient : array
        Contiguous and channels_last, of one dtype.
    setup : GradientSetup
    kernel_gradient : array of shape (kernel_height, kernel_width, channels // groups, filters)
        The result; contiguous, of the same dtype.
    """
    size = kernel_gradient.dtype.itemsize
    with borrowed(1, setup.partial_size * size) as room:
        sums = kernel_gradient.reshape(1, -1)
        if setup.partial_size:
            sums = room[0].view(sums.dtype)[: setup.partial_size].reshape(-1, sums.size)
        sums[...] = 0
        run(
            gradient_kernel(setup.shape, sums.dtype), setup.jobs, setup.multiply_adds,
            setup.scratch_bytes, setup.cut, setup.rows, setup.tiles, setup.runs,
            *(read_only(array.reshape(-1), sums.dtype) for array in (x, output_gradient)),
            sums.reshape(-1),
        )  # fmt: skip
        if setup.partial_size:
            np.add.reduce(sums, axis=0, out=kernel_gradient.reshape(-1))


@lru_cache(maxsize=256)
def gradient_kernel(shape: tuple[int, ...], dtype: np.dtype) -> Kernel:
    """The compiled kernel gradient for one shape of register tile."""
    tap_rows, taps = shape[0], shape[2]

    @compiled()
    def alone(member, board, scratch, cut, rows, tiles, runs, source, gradient, sums):
        s, room = cut, scratch[member]
        run_blocks = -(-runs.shape[0] // s.runs_at_once)
        row_step = s.kernel_columns * s.tap_step
        tile_size = (s.tile_count + s.single_count) * 3
        blocks = -(-s.rows // s.rows_at_once)
        while True:
            job = claim(board)
            if job >= s.parts * run_blocks:
                break
            part, first_run = job // run_blocks, job % run_blocks * s.runs_at_once
            last_run = min(first_run + s.runs_at_once, runs.shape[0])
            for block in range(part * blocks // s.parts, (part + 1) * blocks // s.parts):
                first = block * s.rows_at_once
                last = min(first + s.rows_at_once, s.rows)
                for i in range(0, rows.shape[1], tap_rows):
                    find_pairs(s, rows, first, last, i, source, gradient, room)
                    for r in range(first_run, last_run):
                        channel, filter_, vectors, channel_step, filter_step, skipped = runs[r]
                        for j in range(0, s.kernel_columns, taps):
                            place = part * s.size + i * row_step + j * s.tap_step + filter_
                            correlate_columns(
                                shape, sums, address(room, 0), last - first,
                                address(tiles, j // taps * tile_size), s.tile_count,
                                s.single_count, s.channels, s.filters, channel, filter_,
                                address(sums, place), row_step, s.tap_step, skipped, vectors,
                                channel_step, filter_step,
                            )  # fmt: skip

    return with_a_crew(
        alone, gradient_together, named(Cut), *[TABLE] * 3, *[array(dtype, readonly=True)] * 2,
        array(dtype),
    )  # fmt: skip


@compiled(parallel=True)
def gradient_together(
    crew, board, scratch, address_of_alone, cut, rows, tiles, runs, source, gradient, sums
):
    """A crew, for a kernel gradient by any tile."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, cut, rows, tiles, runs, source, gradient, sums
        ))  # fmt: skip


@inner
def find_pairs(s, rows, first, last, i, source, gradient, room):
    """For each row of the gradient, where it begins, and the image rows that it meets.

    And the rows that will be met when these are done.
    """
    n = 0
    for row in range(first, last):
        image, y = row // s.target_height, row % s.target_height
        room[n] = address(gradient, row * s.target_width * s.filters)
        n += 1
        for k in range(i, i + s.tap_rows):
            room[n] = 0
            if rows[y, k] >= 0:
                room[n] = address(source, (image * s.height + rows[y, k]) * s.width * s.channels)
            n += 1
        soon = min(row + s.rows_at_once, s.rows - 1)
        room[n] = address(gradient, soon * s.target_width * s.filters)
        met = soon // s.target_height * s.height + max(0, rows[soon % s.target_height, -1])
        room[n + 1] = address(source, met * s.width * s.channels)
        n += 2
