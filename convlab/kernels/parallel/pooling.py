"""Maximum and mean of windows, and their gradients.

Forward, a job takes some lines of the output. Backward, it takes some lines of the image and
nobody else writes there: it looks at every window that reaches its lines, in order, and hands
back to them alone. So windows may overlap, and every sum has one order.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from convlab.geometry import Geometry
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import Kernel, compiled, contiguous, read_only, run
from convlab.kernels.parallel.tiles import address, claim, clear, copy
from convlab.kernels.parallel.tiles_pooling import (
    add_runs,
    add_won,
    divide,
    find_winners,
    hand_back,
    largest,
    mean,
)

# Numbers of the image that a job takes, in whole lines: they stay in a core's own cache.
JOB = 1 << 15
# Windows of so many pixels or fewer get their own instructions.
WRITTEN_OUT = 9
# What one number of the image costs, in multiply-adds of a convolution.
WORK = 8
# Channels are few below half a vector: then windows that overlap are taken side by side.
FEW = 2


class Windows(NamedTuple):
    """The numbers of a pooling."""

    images: int
    height: int
    width: int
    channels: int
    rows: int  # of the output
    columns: int
    tall: int  # of a window
    wide: int
    down: int  # from one window to the next
    right: int
    top: int  # rows and columns of padding
    left: int
    first: int  # the first output column whose window is whole, and the first after those
    last: int
    lines: int  # of the output that a job takes; times `down`, of the image


def max_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """Every output is the largest pixel of its window; NaN where the window holds one."""
    _reduce(x, geometry, output, largest)


def average_pool2d(x: np.ndarray, geometry: Geometry, output: np.ndarray) -> None:
    """Every output is the mean of its window's pixels, padding left out."""
    _reduce(x, geometry, output, mean)


def _reduce(x: np.ndarray, geometry: Geometry, output: np.ndarray, pick: Any) -> None:
    if not output.size:
        return
    w = measure(geometry)
    numbers = w.channels * (max(1, w.last - w.first) if w.right == 1 else 1)
    with contiguous(output) as result:
        kernel = reduce_kernel((_lanes(numbers, result.dtype), *_written_out(w)), pick)
        jobs = -(-w.images * w.rows // w.lines)
        pixels = read_only(x, result.dtype).reshape(-1)
        run(kernel, jobs, WORK * x.size, 0, w, pixels, result.reshape(-1))


def max_pool2d_gradient(
    x: np.ndarray, output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every pixel collects the gradients of the windows whose first maximum it is."""
    if not output_gradient.size:
        input_gradient[...] = 0
        return
    w = measure(geometry)
    with contiguous(input_gradient) as result:
        overlap = w.down < w.tall or w.right < w.wide
        spread = overlap and w.channels < machine().lanes(result.dtype) // FEW
        columns = (w.last - w.first - 1) * w.right + 1 if spread else 0
        shape = (_lanes(max(1, columns) * w.channels, result.dtype), *_written_out(w), int(overlap))
        arrays = (read_only(a, result.dtype).reshape(-1) for a in (x, output_gradient))
        run(
            hand_back_kernel(shape, spread), _backward_jobs(w), WORK * x.size,
            2 * max(0, columns) * w.channels * result.itemsize, w, *arrays, result.reshape(-1),
        )  # fmt: skip


def average_pool2d_gradient(
    output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every pixel collects an equal share of the gradient of each window that holds it."""
    if not output_gradient.size:
        input_gradient[...] = 0
        return
    w = measure(geometry)
    with contiguous(input_gradient) as result:
        numbers = w.channels * (w.columns if w.right == 1 else 1)
        kernel = share_kernel((_lanes(numbers, result.dtype), 0, 0))
        gradient = read_only(output_gradient, result.dtype).reshape(-1)
        scratch = (w.columns + w.width) * w.channels * result.itemsize
        run(
            kernel, _backward_jobs(w), WORK * result.size, scratch,
            w, gradient, result.reshape(-1),
        )  # fmt: skip


@lru_cache(maxsize=512)
def measure(geometry: Geometry) -> Windows:
    """The numbers of a pooling."""
    g = geometry
    (rows, columns), (tall, wide), (down, right) = g.output_size, g.kernel_size, g.strides
    top, _, left, _ = g.pads
    first = min(-(-left // right), columns)
    last = min(max((g.width + left - wide) // right + 1, first), columns)
    lines = max(1, JOB // max(1, g.width * g.channels * down))
    return Windows(
        g.batch, g.height, g.width, g.channels, rows, columns, tall, wide, down, right, top, left,
        first, last, lines,
    )  # fmt: skip


def _backward_jobs(w: Windows) -> int:
    return -(-w.images * w.height // (w.lines * w.down))


def _written_out(w: Windows) -> tuple[int, int]:
    """The size of the window, if its instructions are to be written out one by one."""
    return (w.tall, w.wide) if w.tall * w.wide <= WRITTEN_OUT else (0, 0)


def _lanes(numbers: int, dtype: np.dtype) -> int:
    """A whole vector, or the largest power of two that a run of numbers fills."""
    return min(machine().lanes(dtype), 1 << (numbers.bit_length() - 1))


@lru_cache(maxsize=256)
def reduce_kernel(shape: tuple[int, int, int], pick: Any) -> Kernel:
    """The compiled maximum, or mean, of windows."""
    any_size = (shape[0], 0, 0)

    @compiled()
    def reduce_alone(member, board, scratch, windows, source, target):
        w, channels = windows, windows.channels
        size, line = target.itemsize, windows.width * windows.channels
        lines, whole = w.images * w.rows, w.last - w.first
        while True:
            begin = claim(board) * w.lines
            if begin >= lines:
                break
            for cell in range(begin, min(begin + w.lines, lines)):
                image, y = cell // w.rows, cell % w.rows * w.down - w.top
                above, below = max(y, 0), min(y + w.tall, w.height)
                seen = address(source, (image * w.height + above) * line)
                to = address(target, cell * w.columns * channels)
                for n in range(w.columns - whole):  # what is cut off at a side
                    column = n if n < w.first else n + whole
                    x = column * w.right - w.left
                    left, right = max(x, 0), min(x + w.wide, w.width)
                    pick(
                        any_size, target, seen + left * channels * size, below - above,
                        right - left, line, channels, 1, 0, channels, to + column * channels * size,
                    )  # fmt: skip
                pixels, run = (1, whole * channels) if w.right == 1 else (whole, channels)
                seen += (w.first * w.right - w.left) * channels * size
                to += w.first * channels * size
                step = w.right * channels
                if below - above == w.tall:
                    pick(
                        shape, target, seen, w.tall, w.wide, line, channels, pixels, step, run, to
                    )
                else:
                    pick(
                        any_size, target, seen, below - above, w.wide, line, channels, pixels, step,
                        run, to,
                    )  # fmt: skip

    @compiled(parallel=True)
    def reduce_together(crew, board, scratch, windows, source, target):
        for member in prange(crew):
            reduce_alone(member, board, scratch, windows, source, target)

    return Kernel(reduce_alone, reduce_together)


@lru_cache(maxsize=256)
def hand_back_kernel(shape: tuple[int, int, int, int], spread: bool) -> Kernel:
    """The compiled gradient of the maximum."""
    lanes, _, _, adds = shape
    any_size = (lanes, 0, 0, adds)

    @compiled()
    def hand_back_alone(member, board, scratch, windows, source, gradient, target):
        w, channels = windows, windows.channels
        size, line = target.itemsize, windows.width * windows.channels
        lines, whole = w.images * w.height, w.last - w.first
        # Windows meet: nothing is left over but at the end of the image.
        meet = w.down <= w.tall and w.right <= w.wide
        reach = w.columns * w.right - w.left
        room = scratch[member]
        winners = address(room, 0)
        apart = winners + max(0, (whole - 1) * w.right + 1) * channels * size
        while True:
            begin = claim(board) * w.lines * w.down
            if begin >= lines:
                break
            end = min(begin + w.lines * w.down, lines)
            if adds or not meet:
                clear(target, address(target, begin * line), (end - begin) * line)
            while begin < end:  # image by image
                image, start = begin // w.height, begin % w.height
                stop = min(start + end - begin, w.height)
                begin += stop - start
                if meet and not adds:
                    for row in range(start, stop):
                        free = 0 if row >= w.rows * w.down - w.top else min(reach, w.width)
                        place = ((image * w.height + row) * w.width + free) * channels
                        clear(target, address(target, place), (w.width - free) * channels)
                first_row = max(0, (start + w.top - w.tall) // w.down + 1)
                last_row = min(w.rows, (stop - 1 + w.top) // w.down + 1)
                for row in range(first_row, last_row):
                    y = row * w.down - w.top
                    above, below = max(y, 0), min(y + w.tall, w.height)
                    first, last = max(start - above, 0), min(stop, below) - above
                    place = (image * w.height + above) * line
                    seen, to = address(source, place), address(target, place)
                    shares = address(gradient, (image * w.rows + row) * w.columns * channels)
                    for n in range(w.columns - whole):  # what is cut off at a side
                        column = n if n < w.first else n + whole
                        x = column * w.right - w.left
                        left, right = max(x, 0), min(x + w.wide, w.width)
                        hand_back(
                            any_size, target, seen + left * channels * size, below - above,
                            right - left, line, channels, 1, 0, channels,
                            shares + column * channels * size, first, last,
                            to + left * channels * size,
                        )  # fmt: skip
                    left = (w.first * w.right - w.left) * channels * size
                    seen, to, shares = seen + left, to + left, shares + w.first * channels * size
                    if spread:
                        # Few channels: the windows of all columns, side by side, and zeros for
                        # the gradients of those between.
                        numbers = ((whole - 1) * w.right + 1) * channels
                        if whole:
                            find_winners(
                                any_size, target, seen, below - above, w.wide, line, channels, 1, 0,
                                numbers, winners,
                            )  # fmt: skip
                            if w.right == 1:
                                apart = shares
                            else:
                                clear(target, apart, numbers)
                                for n in range(whole):
                                    copy(
                                        target, shares + n * channels * size,
                                        apart + n * w.right * channels * size, channels,
                                    )  # fmt: skip
                            for i in range(first, last):
                                for j in range(w.wide):
                                    add_won(
                                        any_size, target, winners, i * w.wide + j, apart, numbers,
                                        to + (i * line + j * channels) * size,
                                    )  # fmt: skip
                    elif below - above == w.tall:
                        hand_back(
                            shape, target, seen, w.tall, w.wide, line, channels, whole,
                            w.right * channels, channels, shares, first, last, to,
                        )  # fmt: skip
                    else:
                        hand_back(
                            any_size, target, seen, below - above, w.wide, line, channels, whole,
                            w.right * channels, channels, shares, first, last, to,
                        )  # fmt: skip

    @compiled(parallel=True)
    def hand_back_together(crew, board, scratch, windows, source, gradient, target):
        for member in prange(crew):
            hand_back_alone(member, board, scratch, windows, source, gradient, target)

    return Kernel(hand_back_alone, hand_back_together)


@lru_cache(maxsize=256)
def share_kernel(shape: tuple[int, int, int]) -> Kernel:
    """The compiled gradient of the mean."""

    @compiled()
    def share_alone(member, board, scratch, windows, gradient, target):
        w, channels = windows, windows.channels
        size, line = target.itemsize, windows.width * windows.channels
        lines, whole = w.images * w.height, w.last - w.first
        shares = address(scratch[member], 0)
        sums = shares + w.columns * channels * size
        while True:
            begin = claim(board) * w.lines * w.down
            if begin >= lines:
                break
            end = min(begin + w.lines * w.down, lines)
            clear(target, address(target, begin * line), (end - begin) * line)
            while begin < end:  # image by image
                image, start = begin // w.height, begin % w.height
                stop = min(start + end - begin, w.height)
                begin += stop - start
                first_row = max(0, (start + w.top - w.tall) // w.down + 1)
                last_row = min(w.rows, (stop - 1 + w.top) // w.down + 1)
                for row in range(first_row, last_row):
                    y = row * w.down - w.top
                    above, below = max(y, 0), min(y + w.tall, w.height)
                    given = address(gradient, (image * w.rows + row) * w.columns * channels)
                    for n in range(w.columns - whole):  # what is cut off at a side
                        column = n if n < w.first else n + whole
                        x = column * w.right - w.left
                        pixels = (below - above) * (min(x + w.wide, w.width) - max(x, 0))
                        on = column * channels * size
                        divide(shape, target, given + on, pixels, channels, shares + on)
                    on = w.first * channels * size
                    pixels = (below - above) * w.wide
                    divide(shape, target, given + on, pixels, whole * channels, shares + on)
                    clear(target, sums, line)
                    for j in range(w.wide):
                        # The columns whose tap j lies in the image.
                        left = max(0, -(-(w.left - j) // w.right))
                        right = min(w.columns, (w.width - 1 + w.left - j) // w.right + 1)
                        x = left * w.right - w.left + j
                        count, run = max(0, right - left), channels
                        if w.right == 1:
                            count, run = min(count, 1), count * channels
                        add_runs(
                            shape, target, shares + left * channels * size, count,
                            w.right * channels, run, sums + x * channels * size,
                        )  # fmt: skip
                    for y in range(max(start, above), min(stop, below)):
                        to = address(target, (image * w.height + y) * line)
                        add_runs(shape, target, sums, 1, 0, line, to)

    @compiled(parallel=True)
    def share_together(crew, board, scratch, windows, gradient, target):
        for member in prange(crew):
            share_alone(member, board, scratch, windows, gradient, target)

    return Kernel(share_alone, share_together)
