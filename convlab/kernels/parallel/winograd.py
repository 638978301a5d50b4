"""Winograd's convolution: kernels of 3x3, stride 1, with fewer multiplications.

A job takes some tiles of outputs, one after another through rows and images, and a panel of
filters or several. It transforms the inputs under its tiles, multiplies the values of each
position with the transformed kernel, as matrices (`tiles.add_products`, where tiles are the
pixels), and transforms the sums back. All that lies between is scratch, small enough for the
second-level cache.

The transformed kernel comes from `prepare`. Where few tiles share it, writing it to memory and
reading it back costs more than the transform: then each job transforms what it needs itself.

F(2x2,3x3) multiplies 4 times for each output, channel and filter, and F(4x4,3x3) 2.25 times,
where the definition takes 9.

Its rounding errors differ in kind from the definition's. What is multiplied are sums of inputs
and sums of weights, so an input meets weights that it has nothing to do with. Those products
cancel; their rounding does not. With ``|.|`` for matrices and tiles taken element by element, u
for half the distance from 1 to the next number, and A, B, G for the matrices of `transforms`::

    error <= u * (channels + k) * |A|^T [sum over channels (|G| |w| |G|^T) * (|B|^T |x| |B|)] |A|

where k counts the roundings outside of the sum over channels: 12 for F(2x2), 20 for F(4x4). For
F(2x2) that is no more than ``4 * u * (channels + 12)`` times the sum over channels of (sum of
``|x|`` in the output's window) times (sum of ``|w|``). For F(4x4) all inputs of the tile count,
also those outside of the output's window, and with factors up to some hundreds.

Both turn an infinite input into NaNs around it, so `convolve` tells whether all that it wrote is
finite.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange, types

from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import LINE, borrowed, compiled, run
from convlab.kernels.parallel.steps import NUMBER, NUMBERS, call, named, with_a_crew
from convlab.kernels.parallel.tiles import address, claim
from convlab.kernels.parallel.tiles_winograd import TAPS, Steps, steps

# Bytes of a job's transformed inputs, about: a part of a usual second-level cache.
VALUES_BYTES = 2**18
# Prepared weights of more bytes come from far: they should serve three register tiles at least.
FAR_BYTES = 2**23
# Up to so many for all tiles, one block has them all and each job transforms its weights itself;
# and the bytes of those that it holds at a time.
FRESH_VALUES_BYTES, WEIGHTS_BYTES = 2**21, 2**18
# Channels that a job of `prepare` takes.
PREPARE_CHANNELS = 32
# Jobs for each thread, at least: so that none waits long for the last.
JOBS_PER_THREAD = 4
# Multiply-adds of a job, at least.
JOB_WORK = 2**19
# The time of a transform of one vector, in vector multiply-adds: of inputs, weights, outputs.
TRANSFORM_CYCLES = {2: (60, 140, 60), 4: (200, 260, 200)}
# What a tile takes beside, and what each sum of a register tile takes at its beginning and end.
TILE_CYCLES, END_CYCLES = 50, 5
STEPS = ("transform_input", "multiply", "transform_output")


class Numbers(NamedTuple):
    """The numbers of a convolution, as compiled code wants them. Steps count elements."""

    itemsize: int
    size: int
    positions: int
    pixels: int
    panel_width: int
    height: int
    width: int
    channels: int
    target_height: int
    target_width: int
    filters: int
    top: int
    left: int
    tile_rows: int  # of one image
    tile_columns: int
    tiles: int  # of all images
    tiles_at_once: int
    panels: int
    panels_at_once: int
    block: int  # channels at a time, where a job transforms the kernel
    values_row: int  # from one tile's transformed inputs to the next
    values_step: int  # from one position to the next: transformed inputs,
    sums_step: int  # their sums of products,
    weights_step: int  # a panel of prepared weights,
    fresh_step: int  # and a block of those that a job transforms


@dataclass(frozen=True)
class Setup:
    """How a convolution is cut into jobs.

    Attributes
    ----------
    numbers : Numbers
    dtype : numpy dtype
    size : {2, 4}
        Outputs of a tile along each axis.
    shape : (int, int, int)
        The register tile: pixels (which are tiles of outputs), vectors, lanes.
    fresh : bool
        Whether a kernel that comes as it is should be transformed by the jobs themselves.
    jobs : int
    scratch_bytes : int
        For each thread.
    """

    numbers: Numbers
    dtype: np.dtype
    size: int
    shape: tuple[int, int, int]
    fresh: bool
    jobs: int
    scratch_bytes: int

    @property
    def positions(self) -> int:
        """Products for each tile, channel and filter."""
        return (self.size + TAPS - 1) ** 2

    @property
    def panel_width(self) -> int:
        """Filters of a panel."""
        return self.shape[1] * self.shape[2]

    @property
    def packed_size(self) -> int:
        """Elements of the prepared weights."""
        return self.numbers.panels * self.positions * self.numbers.weights_step

    @property
    def blocks(self) -> int:
        """Blocks of tiles."""
        return -(-self.numbers.tiles // self.numbers.tiles_at_once)

    @property
    def multiply_adds(self) -> int:
        """Those that the sums of products need."""
        s = self.numbers
        return self.positions * s.tiles * s.channels * s.filters

    @property
    def issued(self) -> int:
        """Those that are done, surplus lanes and tiles included."""
        s, pixels = self.numbers, self.shape[0]
        last = s.tiles - (self.blocks - 1) * s.tiles_at_once
        tiles = (self.blocks - 1) * s.tiles_at_once + -(-last // pixels) * pixels
        return self.positions * tiles * s.channels * s.panels * self.panel_width

    @property
    def tile(self) -> tuple[int, int]:
        """Pixels and vectors of the register tile."""
        return self.shape[:2]

    @property
    def cycles(self) -> int:
        """The time that takes, in vector multiply-adds, transforms included.

        Comparable with `direct.Setup.cycles`. The shares of the transforms were measured.
        """
        s, (pixels, vectors, lanes) = self.numbers, self.shape
        value, weight, output = TRANSFORM_CYCLES[self.size]
        calls = self.issued // (s.channels * pixels * self.panel_width)
        step = max(pixels * vectors, pixels + vectors)
        products = calls * (s.channels * step + END_CYCLES * pixels * vectors)
        inputs = s.tiles * (TILE_CYCLES + value * -(-s.channels // lanes))
        outputs = s.tiles * s.panels * (TILE_CYCLES + output * vectors)
        return products + inputs + outputs + weight * s.channels * s.panels * vectors


@lru_cache(maxsize=512)
def setup(
    images: int,
    source_size: tuple[int, int],
    channels: int,
    target_size: tuple[int, int],
    filters: int,
    top: int,
    left: int,
    dtype: np.dtype,
    threads: int,
    size: int,
    prepared: bool = False,
) -> Setup:
    """Cut a convolution into jobs. No cut can change a result.

    The target pixel (row, column) sees the source pixels from ``(row - top, column - left)``
    on, three along each axis; all that lies outside of the source is zero.

    Parameters
    ----------
    images : int
    source_size, target_size : (int, int)
        Rows and columns.
    channels, filters : int
        Of the source, and of the target.
    top, left : int
        Zeros before the first row and column.
    dtype : numpy dtype
        float32 or float64.
    threads : int
        That may work on it.
    size : {2, 4}
        For F(2x2,3x3) or F(4x4,3x3).
    prepared : bool, default False
        Whether the weights will come from `prepare`. They fit any setup of the same channels,
        filters, dtype and size.

    Returns
    -------
    Setup

    Examples
    --------
    >>> layer = setup(1, (7, 7), 64, (7, 7), 64, 1, 1, np.dtype(np.float32), 2, 2)
    >>> layer.positions, layer.numbers.tiles, layer.multiply_adds
    (16, 16, 1048576)
    """
    dtype = np.dtype(dtype)
    lanes, itemsize, positions = machine().lanes(dtype), dtype.itemsize, (size + TAPS - 1) ** 2
    rows, columns = (-(-extent // size) for extent in target_size)
    tiles, vectors = images * rows * columns, _vectors(filters, lanes)
    panel_width = vectors * lanes
    panels = -(-filters // panel_width)
    work = positions * tiles * channels * filters
    wanted = min(JOBS_PER_THREAD * threads, 1 + work // JOB_WORK) if threads > 1 else 1
    values_row, most = -(-channels // lanes) * lanes, _most_pixels(vectors)
    tile_bytes, wanted_blocks = positions * values_row * itemsize, -(-wanted // panels)
    fresh = not prepared and wanted_blocks == 1 and tiles * tile_bytes <= FRESH_VALUES_BYTES
    far = positions * channels * panels * panel_width * itemsize > FAR_BYTES
    fitting = max(VALUES_BYTES // tile_bytes, 3 * most if far else most)
    fitting = tiles + most if fresh else fitting
    at_once, pixels = _cut(tiles, fitting, most, wanted_blocks)
    blocks = -(-tiles // at_once)
    block = _share(channels, WEIGHTS_BYTES // (positions * panel_width * itemsize), lanes)
    panels_at_once = max(1, panels // -(-wanted // blocks))
    numbers = Numbers(
        itemsize, size, positions, pixels, panel_width,
        *source_size, channels, *target_size, filters, top, left,
        tile_rows=rows, tile_columns=columns, tiles=tiles, tiles_at_once=at_once,
        panels=panels, panels_at_once=panels_at_once, block=block,
        values_row=values_row,
        values_step=_apart(values_row * at_once, itemsize),
        sums_step=_apart(panel_width * at_once, itemsize),
        weights_step=_apart(channels * panel_width, itemsize),
        fresh_step=_apart(block * panel_width, itemsize) if fresh else 0,
    )  # fmt: skip
    steps = numbers.values_step + numbers.fresh_step + numbers.sums_step
    return Setup(
        numbers, dtype, size, (pixels, vectors, lanes), fresh,
        jobs=blocks * -(-panels // panels_at_once),
        scratch_bytes=8 * _rooms(numbers)[-1] + positions * steps * itemsize,
    )  # fmt: skip


def _share(channels: int, most: int, lanes: int) -> int:
    """Channels at a time: all, or equal shares that are not more than so many."""
    if channels <= most:
        return channels
    shares = -(-channels // max(lanes, most // lanes * lanes))
    return -(-channels // (shares * lanes)) * lanes


def _vectors(filters: int, lanes: int) -> int:
    """Vectors of a panel: those that waste least, two where nothing speaks against it.

    They depend on nothing else, so that prepared weights fit images of any size.
    """
    needed = -(-filters // lanes)

    def cost(vectors: int) -> float:
        pixels = _most_pixels(vectors)
        step = max(pixels * vectors, pixels + vectors) + 2
        return -(-needed // vectors) * step / pixels

    return min(range(1, min(needed, machine().registers // 6) + 1), key=cost)


def _most_pixels(vectors: int) -> int:
    """Pixels of a register tile: sums, a row of weights and one more vector are in registers."""
    return (machine().registers - vectors - 1) // vectors


def _cut(tiles: int, fitting: int, most: int, blocks: int) -> tuple[int, int]:
    """Tiles of a block and pixels of the register tile, for at least so many blocks."""
    groups = -(-tiles // most)
    groups_at_once = max(1, min(fitting // most, groups // blocks))
    at_once = -(-tiles // -(-groups // groups_at_once))
    pixels = -(-at_once // -(-at_once // most))
    return -(-at_once // pixels) * pixels, pixels


def _apart(elements: int, itemsize: int) -> int:
    """At least as many elements, that fill an odd number of cache lines.

    What lies a power of two apart would share few places in the cache.
    """
    return (-(-elements * itemsize // LINE) | 1) * LINE // itemsize


def _rooms(s: Numbers) -> tuple[int, int, int, int]:
    """Where a thread's scratch has what, in words of 8 bytes.

    The way from one tile's values to those of each tile of a group; three numbers for each tile;
    zeros for what lies outside of the source; and the rest.
    """
    places = 8 + -(-(s.pixels + 1) // 8) * 8
    zeros = places + -(-3 * s.tiles_at_once // 8) * 8
    return 8, places, zeros, zeros + -(-s.channels * s.itemsize // 64) * 8


def prepare(
    kernel: np.ndarray, setup: Setup, turned: bool = False, packed: np.ndarray | None = None
) -> np.ndarray:
    """The transformed kernel, in the order in which it is used.

    Parameters
    ----------
    kernel : array of shape (3, 3, channels, filters)
        Contiguous, of the setup's dtype.
    setup : Setup
    turned : bool, default False
        For the input gradient: the kernel is ``(3, 3, filters, channels)``, with the setup's
        channels and filters, and is turned by 180 degrees.
    packed : array of ``setup.packed_size`` elements, optional
        Where to write it.

    Returns
    -------
    array
        ``(panels, positions, channels, filters of a panel)``, and a few unused elements after
        each position.
    """
    packed = np.empty(setup.packed_size, setup.dtype) if packed is None else packed
    blocks = -(-setup.numbers.channels // PREPARE_CHANNELS)
    run(
        _preparing, setup.numbers.panels * blocks, packed.size, 0,
        setup.numbers, _weights_step(setup, turned), kernel.ctypes.data, packed.ctypes.data,
    )  # fmt: skip
    return packed


def _weights_step(setup: Setup, turned: bool) -> tuple[int, int]:
    """The address of the step that transforms a kernel, and whether it turns it."""
    name = "transform_turned_kernel" if turned else "transform_kernel"
    made = steps(setup.size, setup.shape, setup.dtype.itemsize, (name,))
    return getattr(made, name), int(turned)


def convolve(
    x: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray | None,
    setup: Setup,
    output: np.ndarray,
    turned: bool = False,
) -> bool:
    """Convolve: the output is the bias plus the products of its windows.

    Parameters
    ----------
    x, output : array
        Contiguous and channels_last, of one dtype.
    weights : array
        A kernel of four axes, as `prepare` takes it, or what `prepare` made of it.
    bias : array of shape (filters,), optional
    setup : Setup
    turned : bool, default False
        As in `prepare`, for a kernel of four axes.

    Returns
    -------
    bool
        Whether all outputs are finite. If not, they may be NaN where the definition gives an
        infinity, or a number: let `direct` do it again.
    """
    is_kernel = weights.ndim == 4
    if is_kernel and not setup.fresh:
        size = setup.packed_size
        with borrowed(1, size * setup.dtype.itemsize) as rows:
            packed = rows.reshape(-1).view(setup.dtype)[:size]
            return convolve(x, prepare(weights, setup, turned, packed), bias, setup, output)
    s, spoiled = setup.numbers, np.zeros(1, np.int64)
    offsets = np.zeros(s.panels * setup.panel_width, setup.dtype)
    if bias is not None:
        offsets[: s.filters] = bias
    run(
        _convolving, setup.jobs, setup.multiply_adds, setup.scratch_bytes,
        s, steps(setup.size, setup.shape, setup.dtype.itemsize, STEPS),
        _weights_step(setup, turned) if is_kernel else (0, 0),
        x.ctypes.data, weights.ctypes.data, offsets.ctypes.data, output.ctypes.data, spoiled,
    )  # fmt: skip
    return not spoiled[0]


# --- what is compiled -----------------------------------------------------------------------------
# All of it is compiled once: what depends on the dtype, or on the shapes of tiles, is in the steps.


rooms = compiled()(_rooms)


@compiled()
def prepare_alone(member, board, scratch, numbers, step, kernel, packed):
    """Transform panels of a kernel, some channels at a time, until none is left."""
    s = numbers
    blocks = -(-s.channels // PREPARE_CHANNELS)
    while True:
        job = claim(board)
        if job >= s.panels * blocks:
            break
        panel, first = job // blocks, job % blocks * PREPARE_CHANNELS
        target = panel * s.positions * s.weights_step + first * s.panel_width
        transform_weights(
            s, step, kernel, panel, first, min(PREPARE_CHANNELS, s.channels - first),
            packed + target * s.itemsize, s.weights_step,
        )  # fmt: skip


@compiled(parallel=True)
def prepare_together(crew, board, scratch, address_of_alone, numbers, step, kernel, packed):
    """The same, by a crew."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, numbers, step, kernel, packed
        ))  # fmt: skip


@compiled(inline="always")
def transform_weights(s, step, kernel, panel, first, count, target, target_step):
    """Transform a panel of weights, for some channels."""
    transform, turned = step
    lane = panel * s.panel_width
    if turned:
        place, down = lane * s.channels + first, s.channels
    else:
        place, down = first * s.filters + lane, s.filters
    call(transform, (
        kernel + place * s.itemsize, s.channels * s.filters, down, count, s.filters - lane,
        target, target_step,
    ))  # fmt: skip


@compiled()
def convolve_alone(member, board, scratch, numbers, do, step, x, weights, bias, output, spoiled):
    """Do jobs until none is left."""
    s, room = numbers, scratch[member]
    panel_blocks = -(-s.panels // s.panels_at_once)
    jobs = -(-s.tiles // s.tiles_at_once) * panel_blocks
    apart, places, zeros, rest = rooms(s)
    room[0] = 0
    for p in range(s.pixels + 1):
        room[apart + p] = p * s.values_row
    room[zeros:rest] = 0
    values = address(room, rest)
    fresh = values + s.positions * s.values_step * s.itemsize
    sums = fresh + s.positions * s.fresh_step * s.itemsize
    held = -1
    while True:
        job = claim(board)
        if job >= jobs:
            break
        first = job // panel_blocks * s.tiles_at_once
        count = min(s.tiles_at_once, s.tiles - first)
        groups = -(-count // s.pixels)
        if first != held:
            transform_inputs(
                s, do, x, first, count, groups, values, room[places:zeros], address(room, zeros)
            )
            held = first
        first_panel = job % panel_blocks * s.panels_at_once
        for panel in range(first_panel, min(first_panel + s.panels_at_once, s.panels)):
            block = s.block if step[0] else s.channels
            for channel in range(0, s.channels, block):
                length = min(block, s.channels - channel)
                if step[0]:
                    transform_weights(s, step, weights, panel, channel, length, fresh, s.fresh_step)
                    panel_weights, weights_step = fresh, s.fresh_step
                else:
                    start = panel * s.positions * s.weights_step
                    panel_weights, weights_step = weights + start * s.itemsize, s.weights_step
                call(do.multiply, (
                    groups, values + channel * s.itemsize, address(room, apart), s.values_step,
                    panel_weights, weights_step, length, channel, sums, s.sums_step,
                ))  # fmt: skip
            lane = panel * s.panel_width
            for t in range(count):
                place = places + 3 * t
                call(do.transform_output, (
                    sums + t * s.panel_width * s.itemsize, s.sums_step, bias + lane * s.itemsize,
                    output + (room[place] + lane) * s.itemsize, s.target_width * s.filters,
                    s.filters, room[place + 1], room[place + 2], s.filters - lane,
                    address(room, 0),
                ))  # fmt: skip
    if room[0] != 0:
        spoiled[0] = 1


@compiled(parallel=True)
def convolve_together(
    crew, board, scratch, address_of_alone, numbers, do, step, x, weights, bias, output, spoiled
):
    """The same, by a crew."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, numbers, do, step, x, weights, bias, output, spoiled
        ))  # fmt: skip


@compiled(inline="always")
def transform_inputs(s, do, x, first, count, groups, values, places, zeros):
    """Transform the inputs under a block of tiles, and note where their outputs are."""
    column, row = first % s.tile_columns, first // s.tile_columns
    row, image = row % s.tile_rows, row // s.tile_rows
    # The last group may be short: its last tile is done again, but not written again.
    for t in range(groups * s.pixels):
        top, left = row * s.size - s.top, column * s.size - s.left
        pixel = (image * s.height + top) * s.width + left
        call(do.transform_input, (
            x + pixel * s.channels * s.itemsize, s.width * s.channels, s.channels,
            top, left, s.height, s.width, zeros, values + t * s.values_row * s.itemsize,
            s.values_step, s.channels,
        ))  # fmt: skip
        pixel = (image * s.target_height + row * s.size) * s.target_width + column * s.size
        places[3 * t] = pixel * s.filters
        places[3 * t + 1] = s.target_height - row * s.size
        places[3 * t + 2] = s.target_width - column * s.size
        if t < count - 1:
            column += 1
            if column == s.tile_columns:
                column, row = 0, row + 1
                if row == s.tile_rows:
                    row, image = 0, image + 1


STEP = types.UniTuple(NUMBER, 2)
_preparing = with_a_crew(prepare_alone, prepare_together, named(Numbers), STEP, NUMBER, NUMBER)
_convolving = with_a_crew(
    convolve_alone, convolve_together, named(Numbers), named(Steps), STEP,
    NUMBER, NUMBER, NUMBER, NUMBER, NUMBERS,
)  # fmt: skip
