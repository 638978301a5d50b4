"""Convolutions of images with few channels, such as a filter on a photo: lanes along the row.

A pixel of three numbers would fill three lanes of a vector. But where a filter sees one channel
and both sides step by one pixel, a row of the image is a run of numbers, and so is a row of the
result, and all lanes work on it. The weights are laid out as often as there are places where a
vector can begin among the channels.

Two relatives are computed the same way. Where each channel has several filters, its numbers are
fetched into several lanes, one for each. Where a filter sees the few channels of its group, each
lane sums the products of one channel, and in the end neighbours are summed. The input gradient of
the one is the other. In the code, `wide` counts lanes of a pixel: the filters or the channels,
whichever are more.
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
from convlab.kernels.parallel.channelwise import JOBS_PER_THREAD, MASK_BITS, PARTS, Axis, frozen
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import Kernel, borrowed, compiled, inner, read_only, run
from convlab.kernels.parallel.steps import TABLE, array, call, named, with_a_crew
from convlab.kernels.parallel.tiles import address, claim
from convlab.kernels.parallel.tiles_channelwise import Slide, meetings
from convlab.kernels.parallel.tiles_rowwise import correlate_rows, slide_along_rows

# The share of lanes that would be filled along the channels, from which on that is faster.
FILLED = 0.85
# Rows of a tile, at most; and where rows lie so far apart that few sets of the first cache hold
# all of them.
MOST_ROWS, MOST_ALIKE, ALIKE_BYTES = 8, 5, 2048
# Vectors of a row that a kernel gradient takes at a time: some rows of them fit the first cache.
VECTORS = 16


class Sweep(NamedTuple):
    """The numbers of a sweep, as compiled code wants them."""

    images: int
    target_height: int
    target_row: int  # numbers in a row
    height: int
    source_row: int
    chunks: int
    chunk_step: int
    kernel_rows: int
    kernel_columns: int
    shift: int  # from a target's first lane to what it meets at the first kernel column
    tap_step: int
    wide_row: int  # lanes that a row of the target needs
    inner_first: int  # lanes from which on, and up to which, all that a tile meets exists
    inner_last: int
    phases: int
    tiles_at_once: int


@dataclass(frozen=True, eq=False)
class Setup:
    """How a convolution, or its input gradient, is cut.

    Attributes
    ----------
    shape : tuple of int
        The register tile, as `tiles_rowwise.slide_along_rows` takes it.
    sweep : Sweep
    tiles : array of shape (tiles, 3)
        First target row, target rows, source row.
    masks : array of shape (tiles, chunks)
    order, bias_order : array of int64
        The place in the kernel, and in the bias, of each packed number; -1 for a zero.
    jobs : int
    scratch_bytes : int
        For each thread.
    packed_size : int
        Elements of the prepared weights.
    multiply_adds, issued : int
        Those of the definition; those that are done.
    cycles : float
        Instructions of the tiles that multiply, or that fetch where those are the more.
    """

    shape: tuple[int, ...]
    sweep: Sweep
    tiles: np.ndarray
    masks: np.ndarray
    order: np.ndarray
    bias_order: np.ndarray
    jobs: int
    scratch_bytes: int
    packed_size: int
    multiply_adds: int
    issued: int
    cycles: float

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and vectors of the register tile."""
        return self.shape[5], self.shape[0]


def takes(geometry: Geometry, dtype: np.dtype, backward: bool = False) -> bool:
    """Whether this path is right for a layer, or for its input gradient, and fast.

    Examples
    --------
    >>> photo, float32 = (1, 90, 160, 3), np.dtype("float32")
    >>> takes(Geometry.conv2d(photo, (5, 5, 1, 3), groups=3), float32)
    True
    >>> takes(Geometry.conv2d(photo, (5, 5, 1, 3), groups=3, strides=2), float32)
    False
    >>> takes(Geometry.conv2d((1, 90, 160, 1), (5, 5, 1, 1)), float32)
    True
    """
    lanes, wide = machine().lanes(dtype), _wide(geometry)
    shares = max(geometry.group_channels, geometry.group_filters)
    if geometry.strides[1] > 1 or min(geometry.group_channels, geometry.group_filters) > 1:
        return False
    folding = (geometry.group_channels > 1) != backward
    if shares > machine().registers // 4 and (folding or lanes % shares):
        return False
    if backward and geometry.strides[0] > machine().registers // 4:
        return False
    # Where lanes along the channels would be mostly full, they need no neighbours in memory.
    filled = wide / (-(-wide // lanes) * lanes)
    return (filled < FILLED or geometry.groups == 1) and geometry.width * wide >= 2 * lanes


def _wide(geometry: Geometry) -> int:
    """Lanes of a pixel."""
    return max(geometry.channels, geometry.filters)


def _shares(geometry: Geometry, backward: bool) -> tuple[int, int]:
    """Lanes that a number of the source is fetched into, and that are summed in the end."""
    shares = geometry.group_filters, geometry.group_channels
    return shares[::-1] if backward else shares


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
    lanes, wide = machine().lanes(dtype), _wide(geometry)
    spread, folded = _shares(geometry, backward)
    phases = wide // math.gcd(wide, lanes)
    wide_row, source_row = columns.target * wide, columns.source * wide // spread
    tile = _tile(rows, wide_row, spread, folded, phases, lanes, source_row * dtype.itemsize)
    vectors, slide = tile
    chunks, firsts = rows.chunks(), range(0, rows.target, slide.places)
    shifts = [_shift(columns, tap) * wide for tap in range(columns.taps)]
    last = min(wide_row, columns.source * wide - max(shifts)) - vectors * lanes
    tiles_at_once = _cut(geometry.batch, len(firsts), threads)
    tap_step = (_shift(columns, 1) - _shift(columns, 0)) * wide // spread
    sweep = Sweep(
        geometry.batch, rows.target, wide_row // folded, rows.source, source_row,
        rows.taps // chunks[0], rows.chunk_step(chunks[0]) * source_row, rows.taps, columns.taps,
        shifts[0] // spread, tap_step, wide_row, max(0, -min(shifts)), last, phases,
        tiles_at_once,
    )  # fmt: skip
    count = phases + (0 if phases == 1 else vectors - 1)
    products = sum(len(p) for taps in chunks for _, p in meetings(slide._replace(taps=taps)))
    products *= geometry.batch * len(firsts) * -(-wide_row // (vectors * lanes)) * vectors
    form = vectors, int(phases == 1), spread, folded
    return Setup(
        shape=(*form, chunks[-1] % chunks[0], *slide, lanes), sweep=sweep,
        tiles=_tiles(rows, slide), masks=frozen(rows.masks(firsts, slide), len(chunks)),
        order=_order(geometry, chunks, count, lanes),
        bias_order=_bias_order(wide, folded, backward, count, lanes),
        jobs=geometry.batch * -(-len(firsts) // tiles_at_once), scratch_bytes=0,
        packed_size=count * rows.taps * columns.taps * lanes,
        multiply_adds=geometry.multiply_adds, issued=products * columns.taps * lanes,
        cycles=float(products * columns.taps),
    )  # fmt: skip


def _tiles(rows: Axis, slide: Slide) -> np.ndarray:
    """First target row, target rows, source row."""
    firsts = range(0, rows.target, slide.places)
    tiles = [(n, min(slide.places, rows.target - n), rows.first(n)) for n in firsts]
    return frozen(tiles, 3)


def _shift(columns: Axis, tap: int) -> int:
    """Columns from a target to what it meets."""
    distance = tap * columns.dilation - columns.before
    return -distance if columns.backward else distance


def _cut(images: int, tiles: int, threads: int) -> int:
    """Tiles of a job: fewer than an image's where there would be too few jobs."""
    wanted = JOBS_PER_THREAD * threads if threads > 1 else 1
    return max(1, tiles // -(-wanted // max(1, images)))


def _tile(
    rows: Axis, wide_row: int, spread: int, folded: int, phases: int, lanes: int, apart: int
) -> tuple[int, Slide]:
    """Vectors and rows of the register tile: what wastes least.

    The sums, the weights of a kernel column and one vector of the source must find a register.
    """
    taps = rows.chunks()[0]
    room = max(4, machine().registers - taps - 2)
    unit = math.lcm(folded, spread // math.gcd(spread, lanes))
    step = rows.stride if rows.backward else 1
    best = (math.inf, unit, step)
    most = MOST_ROWS if apart % ALIKE_BYTES else MOST_ALIKE
    widths = range(unit, (4 if phases == 1 else 2) * unit + 1, unit)
    for vectors, places in itertools.product(widths, range(step, max(step, most) + 1, step)):
        met = meetings(rows.slide(places, taps))
        fits = vectors * places <= room and len(met) <= MASK_BITS
        if not fits and (vectors, places) != (unit, step):
            continue
        pairs = vectors * sum(len(pairs) for _, pairs in met)
        # Products, and fetches, which mostly lie across two lines.
        work = pairs + 0.6 * vectors * len(met) + taps * (1 if phases == 1 else vectors)
        work += 1.0 * vectors * places
        tiles = -(-wide_row // (vectors * lanes)) * -(-max(1, rows.target) // places)
        best = min(best, (tiles * (work + 8), vectors, places))
    return best[1], rows.slide(best[2], taps)


def _order(geometry: Geometry, chunks: list[int], count: int, lanes: int) -> np.ndarray:
    """The place in the kernel of each weight, ``(vectors, chunks, columns, taps, lanes)``."""
    _tall, wide = geometry.kernel_size
    lane = np.arange(count * lanes).reshape(count, 1, 1, lanes) % _wide(geometry)
    group, channel = np.divmod(lane, geometry.group_channels)
    number = channel * geometry.filters + group
    if geometry.group_channels == 1:
        number = lane
    parts, first = [], 0
    for taps in chunks:
        row, column = np.arange(first, first + taps), np.arange(wide)
        tap = (row[None, :] * wide + column[:, None]).reshape(1, wide, taps, 1)
        place = tap * geometry.group_channels * geometry.filters + number
        parts.append(place.reshape(count, -1))
        first += taps
    return frozen(np.concatenate(parts, axis=1))


def _bias_order(wide: int, folded: int, backward: bool, count: int, lanes: int) -> np.ndarray:
    """The filter whose bias each lane begins with; -1 for none."""
    lane = np.arange(count * lanes) % wide
    begins = (lane % folded == 0) & (not backward)
    return frozen(np.where(begins, lane // folded, -1))


def prepare(kernel: np.ndarray, setup: Setup, room: np.ndarray | None = None) -> np.ndarray:
    """The weights as the sweep reads them: as often as there are places for a vector to begin.

    Parameters
    ----------
    kernel : array of shape (kernel_height, kernel_width, channels // groups, filters)
        Contiguous, of the dtype to compute in.
    setup : Setup
    room : array, optional
        Where to lay them out: `Setup.packed_size` elements.
    """
    if room is None:
        return kernel.reshape(-1)[setup.order].reshape(-1)
    packed = room[: setup.packed_size]
    return np.take(kernel.reshape(-1), setup.order.reshape(-1), out=packed, mode="clip")


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
    starts = np.zeros(setup.bias_order.size, target.dtype)
    if bias is not None:
        starts = np.append(bias, starts[:1])[setup.bias_order]
    run(
        sweep_kernel(setup.shape, target.dtype), setup.jobs, setup.multiply_adds,
        setup.scratch_bytes, setup.sweep, setup.tiles, setup.masks,
        *(read_only(array.reshape(-1), target.dtype) for array in (source, packed, starts)),
        target.reshape(-1),
    )  # fmt: skip


@lru_cache(maxsize=256)
def sweep_kernel(shape: tuple[int, ...], dtype: np.dtype) -> Kernel:
    """The compiled sweep for one shape of register tile."""
    vectors, _, spread, folded = shape[:4]
    inner, edge = ((*shape[:4], edges, *shape[4:]) for edges in (0, 1))
    lanes = shape[-1]
    width = vectors * lanes

    @compiled()
    def alone(member, board, scratch, sweep, tiles, masks, source, weights, bias, target):
        s = sweep
        blocks = -(-tiles.shape[0] // s.tiles_at_once)
        size = s.kernel_rows * s.kernel_columns * lanes
        while True:
            job = claim(board)
            if job >= s.images * blocks:
                break
            image, first = job // blocks, job % blocks * s.tiles_at_once
            for tile in range(first, min(first + s.tiles_at_once, tiles.shape[0])):
                row, count, seen = tiles[tile]
                near = address(source, (image * s.height + seen) * s.source_row)
                to = address(target, (image * s.target_height + row) * s.target_row)
                mask = address(masks, tile * masks.shape[1])
                for lane in range(0, s.wide_row, width):
                    phase = lane // lanes % s.phases
                    place, start = lane // spread + s.shift, lane // folded
                    if s.inner_first <= lane and lane <= s.inner_last:
                        slide_along_rows(
                            inner, target, near, s.source_row, mask, s.chunks, s.chunk_step,
                            address(weights, phase * size), address(bias, phase * lanes),
                            s.kernel_columns, s.tap_step, place, s.source_row,
                            to, s.target_row, start, s.target_row, count,
                        )  # fmt: skip
                    else:
                        slide_along_rows(
                            edge, target, near, s.source_row, mask, s.chunks, s.chunk_step,
                            address(weights, phase * size), address(bias, phase * lanes),
                            s.kernel_columns, s.tap_step, place, s.source_row,
                            to, s.target_row, start, s.target_row, count,
                        )  # fmt: skip

    return with_a_crew(
        alone, sweep_together, named(Sweep), *[TABLE] * 2, *[array(dtype, readonly=True)] * 3,
        array(dtype),
    )  # fmt: skip


@compiled(parallel=True)
def sweep_together(
    crew, board, scratch, address_of_alone, sweep, tiles, masks, source, weights, bias, target
):
    """A crew, for a sweep by any tile."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, sweep, tiles, masks, source, weights, bias, target
        ))  # fmt: skip


class Cut(NamedTuple):
    """The numbers of a kernel gradient, as compiled code wants them."""

    images: int
    target_height: int
    target_row: int
    height: int
    source_row: int
    kernel_rows: int
    kernel_columns: int
    shift: int
    tap_step: int
    wide_row: int
    wide_source: int
    phases: int
    vectors: int  # that are taken at a time
    parts: int


@dataclass(frozen=True, eq=False)
class GradientSetup:
    """How a kernel gradient is cut. The other attributes are those of `Setup`.

    Attributes
    ----------
    shape : tuple of int
        The register tile, as `tiles_rowwise.correlate_rows` takes it.
    cut : Cut
    sums : tuple of int
        The shape of the sums: parts, phases, kernel columns, kernel rows, lanes.
    """

    shape: tuple[int, ...]
    cut: Cut
    tiles: np.ndarray
    masks: np.ndarray
    sums: tuple[int, ...]
    jobs: int
    scratch_bytes: int
    multiply_adds: int


@lru_cache(maxsize=1024)
def gradient_setup(geometry: Geometry, dtype: np.dtype) -> GradientSetup:
    """Cut a kernel gradient. The cut decides the digits, so no number of threads is in it."""
    rows, columns = (Axis.of(geometry, axis, False) for axis in (0, 1))
    lanes, wide = machine().lanes(dtype), _wide(geometry)
    spread, folded = _shares(geometry, False)
    # Vectors side by side, so that they begin where a number of either side does.
    unit = max(spread, folded) // math.gcd(max(spread, folded), lanes)
    phases = math.lcm(wide // math.gcd(wide, lanes), unit)
    source_row = columns.source * wide // spread
    slide = rows.slide(_gradient_rows(rows, unit, source_row * dtype.itemsize), rows.even_chunk())
    tiles, step = _tiles(rows, slide), rows.chunk_step(slide.taps)
    masks = [
        [rows.mask(slide, first + chunk * step) for chunk in range(rows.taps // slide.taps)]
        for _, _, first in tiles.tolist()
    ]
    parts = max(1, min(PARTS, geometry.batch * len(tiles)))
    cut = Cut(
        geometry.batch, rows.target, columns.target * wide // folded, rows.source, source_row,
        rows.taps, columns.taps, _shift(columns, 0) * wide // spread,
        columns.dilation * wide // spread, columns.target * wide, columns.source * wide, phases,
        max(1, VECTORS // phases) * phases, parts,
    )  # fmt: skip
    return GradientSetup(
        shape=(unit, 0, spread, folded, phases, *slide, lanes), cut=cut, tiles=tiles,
        masks=frozen(masks, rows.taps // slide.taps),
        sums=(parts, phases, columns.taps, rows.taps, lanes),
        jobs=parts, scratch_bytes=0, multiply_adds=geometry.multiply_adds,
    )  # fmt: skip


def _gradient_rows(rows: Axis, unit: int, apart: int) -> int:
    """Rows of the gradient in a tile."""
    taps = rows.even_chunk()
    most = MOST_ROWS if apart % ALIKE_BYTES else MOST_ALIKE - 1
    most = max(1, min(most, machine().registers - 2 - max(taps * unit, 8)))
    fitting = range(1, most + 1)
    return min(fitting, key=lambda n: -(-max(1, rows.target) // n) * (n * taps + n + 2 * taps + 4))


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
    size = math.prod(setup.sums)
    with borrowed(1, size * x.dtype.itemsize) as room:
        sums = room[0].view(x.dtype)[:size]
        sums[...] = 0
        run(
            gradient_kernel(setup.shape, sums.dtype), setup.jobs, setup.multiply_adds,
            setup.scratch_bytes, setup.cut, setup.tiles, setup.masks,
            *(read_only(array.reshape(-1), sums.dtype) for array in (x, output_gradient)), sums,
        )  # fmt: skip
        total = np.add.reduce(sums.reshape(setup.sums), axis=0).transpose(2, 1, 0, 3)
    tall, wide, channels, filters = kernel_gradient.shape
    lanes = max(filters, channels * filters)
    folded = np.add.reduce(total.reshape(tall, wide, -1, lanes), axis=2)
    if channels > 1:
        folded = folded.reshape(tall, wide, filters, channels).swapaxes(2, 3)
    kernel_gradient[...] = folded.reshape(kernel_gradient.shape)


@lru_cache(maxsize=256)
def gradient_kernel(shape: tuple[int, ...], dtype: np.dtype) -> Kernel:
    """The compiled kernel gradient for one shape of register tile."""
    unit, _, spread, folded, phases, places, taps, _, dilation = shape[:9]
    lanes = shape[-1]
    width, step = unit * lanes, phases * lanes
    inner, edge = ((*shape[:4], edges, *shape[4:]) for edges in (0, 1))

    @compiled()
    def alone(member, board, scratch, cut, tiles, masks, source, gradient, sums):
        s = cut
        count, size = s.images * tiles.shape[0], s.kernel_columns * s.kernel_rows * lanes
        while True:
            part = claim(board)
            if part >= s.parts:
                break
            for number in range(part * count // s.parts, (part + 1) * count // s.parts):
                image, tile = number // tiles.shape[0], number % tiles.shape[0]
                row, rows, seen = tiles[tile]
                upstream = address(gradient, (image * s.target_height + row) * s.target_row)
                for first in range(0, s.wide_row, s.vectors * lanes):
                    end = min(first + s.vectors * lanes, s.wide_row)
                    for tap in range(s.kernel_rows // taps * s.kernel_columns):
                        i, j = tap // s.kernel_columns * taps, tap % s.kernel_columns
                        shift, met = s.shift + j * s.tap_step, seen + i * dilation
                        near = address(source, (image * s.height + met) * s.source_row)
                        mask = masks[tile, i // taps]
                        for phase in range(0, phases, unit):
                            start = first + phase * lanes
                            place = ((part * phases + phase) * s.kernel_columns + j) * s.kernel_rows
                            to = address(sums, (place + i) * lanes)
                            total = max(0, -(-(end - start) // step))
                            low, high = total, total
                            if rows == places:
                                low, high = find_inner(s, start, shift * spread, width, step, total)
                            for k, stop in ((0, low), (low, high), (high, total)):
                                lane = start + k * step
                                if k < stop and k == low and low < high:
                                    correlate_rows(
                                        inner, sums, near, s.source_row, mask,
                                        lane // spread + shift, s.source_row, upstream,
                                        s.target_row, lane // folded, s.target_row, rows,
                                        stop - k, to, size,
                                    )  # fmt: skip
                                elif k < stop:
                                    correlate_rows(
                                        edge, sums, near, s.source_row, mask,
                                        lane // spread + shift, s.source_row, upstream,
                                        s.target_row, lane // folded, s.target_row, rows,
                                        stop - k, to, size,
                                    )  # fmt: skip

    return with_a_crew(
        alone, gradient_together, named(Cut), *[TABLE] * 2, *[array(dtype, readonly=True)] * 2,
        array(dtype),
    )  # fmt: skip


@compiled(parallel=True)
def gradient_together(
    crew, board, scratch, address_of_alone, cut, tiles, masks, source, gradient, sums
):
    """A crew, for a kernel gradient by any tile."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, cut, tiles, masks, source, gradient, sums
        ))  # fmt: skip


@inner
def find_inner(s, start, shift, width, step, total):
    """The steps from one on, and up to another, whose lanes all exist, and all that they meet."""
    low = min(max(0, -((start + shift) // step)), total)
    room = min(s.wide_row, s.wide_source - shift) - start - width
    return low, max(low, min(total, room // step + 1))
