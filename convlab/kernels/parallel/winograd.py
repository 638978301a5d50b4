"""Winograd's convolution: 3x3 kernels, stride 1, with fewer multiplications.

A job takes some tiles of outputs, one after another through rows and images. It transforms the
inputs under them, channel by channel, multiplies the values of each position with the
transformed kernel, as matrices (`tiles.add_products`, where tiles are the pixels), and transforms
the sums back, panel of filters by panel. All that lies between is scratch, small enough for the
cache.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import prange

from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import LINE, Kernel, compiled, run
from convlab.kernels.parallel.tiles import add_products, address, claim, clear, copy, pack_columns
from convlab.kernels.parallel.tiles_winograd import (
    transform_input,
    transform_kernel,
    transform_output,
)


class Numbers(NamedTuple):
    """What compiled code needs to know. Steps and areas are counted in elements."""

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
    value_row: int  # from one tile's values to the next
    value_step: int  # from one position's values to the next
    sum_step: int  # from one position's sums to the next
    patch_area: int
    block: int  # channels whose weights are taken at a time
    weights_area: int  # 0 where the weights come transformed
    turned: int
    weight_step: int


@dataclass(frozen=True)
class Setup:
    numbers: Numbers
    dtype: np.dtype
    size: int
    pixels: int
    vectors: int
    lanes: int
    jobs: int
    scratch_bytes: int
    multiply_adds: int

    @property
    def packed_size(self):
        return self.numbers.panels * (self.size + 2) ** 2 * self.numbers.weight_step

    @property
    def shape(self):
        return self.size, self.pixels, self.vectors, self.lanes


def _lines(elements: int, itemsize: int) -> int:
    """At least as many elements, that fill an odd number of cache lines.

    What lies a power of two apart would share few places in the cache.
    """
    lines = -(-elements * itemsize // LINE)
    return (lines | 1) * LINE // itemsize


@lru_cache(maxsize=256)
def setup(images, source_size, channels, target_size, filters, top, left, dtype, threads, size,
          pixels=None, tiles_at_once=None, panels_at_once=None, vectors=None, fresh=False, block=None):
    dtype = np.dtype(dtype)
    lanes, itemsize = machine().lanes(dtype), dtype.itemsize
    vectors = vectors or (1 if filters <= lanes else 2)
    width = vectors * lanes
    panels = -(-filters // width)
    rows, columns = (-(-n // size) for n in target_size)
    tiles = images * rows * columns
    positions = (size + 2) ** 2
    pixels = pixels or (machine().registers - vectors - 1) // vectors
    if tiles_at_once is None:
        tiles_at_once = max(1, 2**19 // (positions * channels * itemsize * pixels)) * pixels
    tiles_at_once = min(tiles_at_once, -(-tiles // pixels) * pixels)
    panels_at_once = panels_at_once or panels
    blocks = -(-tiles // tiles_at_once)
    value_row = -(-channels // lanes) * lanes
    value_step = _lines(value_row * tiles_at_once, itemsize)
    sum_step = _lines(width * tiles_at_once, itemsize)
    patch = _lines(positions * channels, itemsize)
    block = (block or 2**18 // (positions * width * itemsize) // 8 * 8 or 8) if fresh else channels
    block = min(block, channels)
    weight_step = _lines(block * width, itemsize)
    weights = positions * weight_step if fresh else 0
    numbers = Numbers(*source_size, channels, *target_size, filters, top, left, rows, columns, tiles,
                      tiles_at_once, panels, panels_at_once, value_row, value_step, sum_step, patch, block, weights, 0, weight_step)
    elements = positions * (value_step + sum_step) + patch + weights + 10 * block * width + 2 * width
    words = 8 + 5 * tiles_at_once
    return Setup(numbers, dtype, size, pixels, vectors, lanes,
                 blocks * -(-panels // panels_at_once), 8 * words + elements * itemsize + 4 * LINE,
                 positions * tiles * channels * filters)


@lru_cache(maxsize=64)
def convolve_kernel(shape: tuple[int, int, int, int]) -> Kernel:
    size, pixels, vectors, lanes = shape
    edge = size + 2
    positions = edge * edge
    panel_width = vectors * lanes
    tile_shape = (pixels, vectors, lanes)
    weigh = weigher((size, vectors, lanes))
    input_shape = (size, lanes)
    output_shape = (size, vectors, lanes)

    @compiled()
    def convolve_alone(member, board, scratch, numbers, source, kernel, packed, bias, target, spoiled):
        s, room = numbers, scratch[member]
        itemsize = target.itemsize
        blocks = -(-s.tiles // s.tiles_at_once)
        panel_blocks = -(-s.panels // s.panels_at_once)
        taps, flag = room[:1], address(room, 1)
        taps[0], room[1] = 0, 0
        n = s.tiles_at_once
        places, cells, outputs = room[8 : 8 + n], room[8 + n : 8 + 2 * n], room[8 + 2 * n :]
        values = address(room, (8 + 5 * n + 7) // 8 * 8)
        sums = values + positions * s.value_step * itemsize
        patch = sums + positions * s.sum_step * itemsize
        nothing = patch + s.patch_area * itemsize
        weighed = nothing + (panel_width * itemsize + 63) // 64 * 64
        turning = weighed + s.weights_area * itemsize
        held = -1
        clear(source, nothing, panel_width)
        while True:
            job = claim(board)
            if job >= blocks * panel_blocks:
                break
            first = job // panel_blocks * s.tiles_at_once
            count = min(s.tiles_at_once, s.tiles - first)
            groups = -(-count // pixels)
            if first != held:
                held = first
                image, row, column = place_of(s, first)
                for t in range(count):
                    y, x = row * size - s.top, column * size - s.left
                    if y >= 0 and x >= 0 and y + edge <= s.height and x + edge <= s.width:
                        seen = address(source, ((image * s.height + y) * s.width + x) * s.channels)
                        down = s.width * s.channels
                    else:
                        lay_out(s, source, image, y, x, edge, patch)
                        seen, down = patch, edge * s.channels
                    transform_input(
                        input_shape, target, seen, down, s.channels,
                        values + t * s.value_row * itemsize, s.value_step, s.channels,
                    )  # fmt: skip
                    places[t], cells[t] = t * s.value_row, t * panel_width
                    cell = (image * s.target_height + row * size) * s.target_width + column * size
                    outputs[3 * t] = cell * s.filters
                    outputs[3 * t + 1] = s.target_height - row * size
                    outputs[3 * t + 2] = s.target_width - column * size
                    column += 1
                    if column == s.tile_columns:
                        column, row = 0, row + 1
                        if row == s.tile_rows:
                            row, image = 0, image + 1
                # The last group may be short: it does its last tile again, and again writes the same.
                for t in range(count, groups * pixels):
                    places[t], cells[t] = places[count - 1], cells[count - 1]
            first_panel = job % panel_blocks * s.panels_at_once
            for panel in range(first_panel, min(first_panel + s.panels_at_once, s.panels)):
                for channel in range(0, s.channels, s.block):
                    run_length = min(s.block, s.channels - channel)
                    if s.weights_area > 0:
                        weights = weighed
                        weigh(kernel, s.channels, s.filters, s.turned, panel, channel, run_length, weighed, s.weight_step, turning)
                    else:
                        weights = address(packed, panel * positions * s.weight_step + channel * panel_width)
                    beginning = nothing if channel == 0 else 0
                    for position in range(positions):
                        for group in range(groups):
                            add_products(
                                tile_shape, target,
                                values + (position * s.value_step + channel) * itemsize,
                                address(places, group * pixels),
                                weights + position * s.weight_step * itemsize, taps, run_length, beginning,
                                sums + position * s.sum_step * itemsize,
                                address(cells, group * pixels), panel_width,
                            )  # fmt: skip
                lane = panel * panel_width
                for t in range(count):
                    transform_output(
                        output_shape, target, sums + t * panel_width * itemsize, s.sum_step,
                        address(bias, lane), address(target, outputs[3 * t] + lane),
                        s.target_width * s.filters, s.filters, outputs[3 * t + 1],
                        outputs[3 * t + 2], s.filters - lane, flag,
                    )  # fmt: skip
        if room[1] != 0:
            spoiled[0] = 1

    @compiled(parallel=True)
    def convolve_together(crew, board, scratch, numbers, source, kernel, packed, bias, target, spoiled):
        for member in prange(crew):
            convolve_alone(member, board, scratch, numbers, source, kernel, packed, bias, target, spoiled)

    return Kernel(convolve_alone, convolve_together)


@compiled()
def place_of(s, tile):
    """Image, row and column of a tile."""
    column, row = tile % s.tile_columns, tile // s.tile_columns
    return row // s.tile_rows, row % s.tile_rows, column


@compiled()
def lay_out(s, source, image, y, x, edge, patch):
    """Copy the square under a tile that leaves the image, with zeros around."""
    size = source.itemsize * s.channels
    clear(source, patch, edge * edge * s.channels)
    first, last = max(0, x), min(x + edge, s.width)
    if first < last:
        for row in range(max(0, y), min(y + edge, s.height)):
            seen = address(source, ((image * s.height + row) * s.width + first) * s.channels)
            to = patch + ((row - y) * edge + first - x) * size
            copy(source, seen, to, (last - first) * s.channels)


@lru_cache(maxsize=64)
def weigher(shape):
    size, vectors, lanes = shape
    width = vectors * lanes
    panel_shape = (vectors, lanes)

    @compiled()
    def weigh(kernel, channels, filters, turned, panel, start, count, to, step, room):
        flat = kernel.reshape(-1)
        lane = panel * width
        left = filters - lane
        if turned != 0:
            for tap in range(9):
                pack_columns(
                    panel_shape, kernel,
                    address(flat, ((8 - tap) * filters + lane) * channels + start), channels,
                    room + tap * count * width * kernel.itemsize, count, left,
                )
            transform_kernel(shape, kernel, room, count * width, width, count, width, to, step)
        else:
            transform_kernel(
                shape, kernel, address(flat, start * filters + lane), channels * filters, filters,
                count, left, to, step,
            )

    return weigh


@lru_cache(maxsize=64)
def prepare_kernel(shape) -> Kernel:
    size, vectors, lanes = shape
    positions = (size + 2) ** 2
    width = vectors * lanes
    weigh = weigher(shape)

    @compiled()
    def prepare_alone(member, board, scratch, kernel, channels, filters, turned, block, step, packed):
        blocks = -(-channels // block)
        while True:
            job = claim(board)
            if job >= -(-filters // width) * blocks:
                break
            panel, start = job // blocks, job % blocks * block
            to = address(packed, panel * positions * step + start * width)
            weigh(kernel, channels, filters, turned, panel, start, min(block, channels - start), to, step, address(scratch[member], 0))

    @compiled(parallel=True)
    def prepare_together(crew, board, scratch, kernel, channels, filters, turned, block, step, packed):
        for member in prange(crew):
            prepare_alone(member, board, scratch, kernel, channels, filters, turned, block, step, packed)

    return Kernel(prepare_alone, prepare_together)


def prepare(kernel, setup, turned=False, block=32, packed=None):
    s = setup.numbers
    width = setup.vectors * setup.lanes
    if packed is None:
        packed = np.empty(setup.packed_size, setup.dtype)
    run(prepare_kernel((setup.size, setup.vectors, setup.lanes)), s.panels * -(-s.channels // block),
        packed.size // 4, 9 * block * width * setup.dtype.itemsize, kernel, s.channels, s.filters, int(turned), block, s.weight_step, packed)
    return packed


def convolve(x, packed, bias, setup, output, kernel=None):
    if kernel is None: kernel = np.empty((3,3,1,1),setup.dtype)
    if packed is None: packed = np.empty(1,setup.dtype)
    s = setup.numbers
    width = setup.vectors * setup.lanes
    beginning = np.zeros(s.panels * width, setup.dtype)
    if bias is not None:
        beginning[: s.filters] = bias
    spoiled = np.zeros(1, np.int64)
    run(convolve_kernel(setup.shape), setup.jobs, setup.multiply_adds, setup.scratch_bytes,
        s, x.reshape(-1), kernel, packed, beginning, output.reshape(-1), spoiled)
    return not spoiled[0]
