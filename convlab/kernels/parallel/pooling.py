"""Maximum and mean of windows, and their gradients.

Forward, a job takes some lines of the output. Backward, it takes some lines of the image, where
nobody else writes, and looks at every window that reaches them. Where windows overlap it notes
first which tap won each window, and then every pixel collects: so each sum has one order.

Where windows step by one column, all of a row lie side by side, and are done as one long run.
Of few channels the windows between are done as well, with zeros for their gradients: a vector
that is full does twice or three times the work in less time than one that is nearly empty.
"""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import prange

from convlab.geometry import Geometry
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import Kernel, compiled, contiguous, read_only, run
from convlab.kernels.parallel.steps import array, call, named, with_a_crew
from convlab.kernels.parallel.tiles import address, claim, clear, copy
from convlab.kernels.parallel.tiles_pooling import (
    add_runs,
    collect,
    divide,
    find_winners,
    hand_back,
    largest,
    mean,
)

# Numbers of the image that a job takes, in whole lines: they stay in a core's own cache.
JOB = 1 << 15
# Common windows have instructions of their own, one vector at a time. Of the others several
# vectors are done together: the next number of each has to wait for the one before.
WRITTEN_OUT, TOGETHER = ((2, 2), (3, 3)), 4
# What one number of the image costs, in multiply-adds of a convolution.
WORK = 8
# Channels are few below this part of a vector.
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
    with contiguous(output) as result:
        kernel = reduce_kernel(_shape(w, result.dtype), result.dtype, pick)
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
        pixels, gradient = (read_only(a, result.dtype).reshape(-1) for a in (x, output_gradient))
        if w.down < w.tall or w.right < w.wide:
            between = _between(w, result.dtype)
            kernel = collect_kernel(_shape(w, result.dtype, between), result.dtype, between)
            scratch = _table_rows(w) * _row(w, between) * result.itemsize * (2 if between else 1)
        else:
            kernel, scratch = hand_back_kernel(_shape(w, result.dtype), result.dtype), 0
        target = result.reshape(-1)
        run(kernel, _backward_jobs(w), WORK * x.size, scratch, w, pixels, gradient, target)


def average_pool2d_gradient(
    output_gradient: np.ndarray, geometry: Geometry, input_gradient: np.ndarray
) -> None:
    """Every pixel collects an equal share of the gradient of each window that holds it."""
    if not output_gradient.size:
        input_gradient[...] = 0
        return
    w = measure(geometry)
    with contiguous(input_gradient) as result:
        between = _between(w, result.dtype)
        kernel = share_kernel(_lanes(w, result.dtype, between), result.dtype, between)
        rows = w.columns * w.channels + w.width * w.channels + (_row(w, between) if between else 0)
        gradient, target = read_only(output_gradient, result.dtype).reshape(-1), result.reshape(-1)
        work = WORK * result.size
        run(kernel, _backward_jobs(w), work, rows * result.itemsize, w, gradient, target)


@lru_cache(maxsize=512)
def measure(geometry: Geometry) -> Windows:
    """The numbers of a pooling."""
    g = geometry
    (rows, columns), (tall, wide), (down, right) = g.output_size, g.kernel_size, g.strides
    top, _, left, _ = g.pads
    first = min(-(-left // right), columns)
    last = min(max((g.width + left - wide) // right + 1, first), columns)
    lines = max(1, JOB // max(1, g.width * g.channels * down))
    if down < tall:  # the windows that reach into two jobs are looked at twice
        lines = max(lines, 4 * -(-tall // down))
    return Windows(
        g.batch, g.height, g.width, g.channels, rows, columns, tall, wide, down, right, top, left,
        first, last, lines,
    )  # fmt: skip


def _backward_jobs(w: Windows) -> int:
    return -(-w.images * w.height // (w.lines * w.down))


def _table_rows(w: Windows) -> int:
    """Output rows whose windows reach the lines of a job."""
    return min(w.rows, w.lines + -(-w.tall // w.down))


def _between(w: Windows, dtype: np.dtype) -> bool:
    """Whether the windows between are done as well."""
    return w.right > 1 and w.channels < machine().lanes(dtype) // FEW


def _row(w: Windows, between: bool) -> int:
    """Numbers of a row of the output, perhaps with those between."""
    return ((w.columns - 1) * (w.right if between else 1) + 1) * w.channels


def _shape(w: Windows, dtype: np.dtype, between: bool = False) -> tuple[int, int, int]:
    """Lanes, and the size of the window if it is written out."""
    if (w.tall, w.wide) in WRITTEN_OUT:
        return _lanes(w, dtype, between), w.tall, w.wide
    return _lanes(w, dtype, between, TOGETHER), 0, 0


def _lanes(w: Windows, dtype: np.dtype, between: bool = False, vectors: int = 1) -> int:
    """Some vectors' worth, or the largest power of two that a run fills."""
    numbers = w.channels
    if w.right == 1 or between:
        numbers *= max(1, (w.last - w.first - 1) * w.right + 1)
    return min(vectors * machine().lanes(dtype), 1 << (numbers.bit_length() - 1))


# --- what is compiled ---------------------------------------------------------------------------


@compiled(parallel=True)
def one_source_together(crew, board, scratch, address_of_alone, windows, source, target):
    """A crew, for any of the functions below that has one source."""
    for member in prange(crew):
        call(address_of_alone, (np.int64(member), board, scratch, windows, source, target))


@compiled(parallel=True)
def two_sources_together(crew, board, scratch, address_of_alone, windows, first, second, target):
    """A crew, for any of the functions below that has two sources."""
    for member in prange(crew):
        call(address_of_alone, (np.int64(member), board, scratch, windows, first, second, target))


def _with_a_crew(alone: Any, together: Any, sources: int, dtype: np.dtype) -> Kernel:
    source = array(dtype, readonly=True)
    return with_a_crew(alone, together, named(Windows), *[source] * sources, array(dtype))


@lru_cache(maxsize=256)
def reduce_kernel(shape: tuple[int, int, int], dtype: np.dtype, pick: Any) -> Kernel:
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

    return _with_a_crew(reduce_alone, one_source_together, 1, dtype)


@lru_cache(maxsize=256)
def hand_back_kernel(shape: tuple[int, int, int], dtype: np.dtype) -> Kernel:
    """The compiled gradient of the maximum, for windows that do not overlap.

    Every pixel is written once.
    """
    any_size = (shape[0], 0, 0)

    @compiled()
    def hand_back_alone(member, board, scratch, windows, source, gradient, target):
        w, channels = windows, windows.channels
        size, line = target.itemsize, windows.width * windows.channels
        lines, whole = w.images * w.height, w.last - w.first
        # Windows meet: nothing is left over but at the end of the image.
        meet = w.down == w.tall and w.right == w.wide
        seen_rows, seen_columns = w.rows * w.down - w.top, w.columns * w.right - w.left
        while True:
            begin = claim(board) * w.lines * w.down
            if begin >= lines:
                break
            end = min(begin + w.lines * w.down, lines)
            if not meet:
                clear(target, address(target, begin * line), (end - begin) * line)
            while begin < end:  # image by image
                image, start = begin // w.height, begin % w.height
                stop = min(start + end - begin, w.height)
                begin += stop - start
                for row in range(start, stop):
                    column = min(seen_columns, w.width) if row < seen_rows else 0
                    place = ((image * w.height + row) * w.width + column) * channels
                    clear(target, address(target, place), (w.width - column) * channels)
                first_row = max(0, (start + w.top - w.tall) // w.down + 1)
                last_row = min(w.rows, (stop - 1 + w.top) // w.down + 1)
                for row in range(first_row, last_row):
                    y = row * w.down - w.top
                    above, below = max(y, 0), min(y + w.tall, w.height)
                    first, last = max(start - above, 0), min(stop, below) - above
                    place = (image * w.height + above) * line
                    seen, to = address(source, place), address(target, place)
                    given = address(gradient, (image * w.rows + row) * w.columns * channels)
                    for n in range(w.columns - whole):  # what is cut off at a side
                        column = n if n < w.first else n + whole
                        x = column * w.right - w.left
                        left, right = max(x, 0), min(x + w.wide, w.width)
                        hand_back(
                            any_size, target, seen + left * channels * size, below - above,
                            right - left, line, channels, 1, 0, channels,
                            given + column * channels * size, first, last,
                            to + left * channels * size,
                        )  # fmt: skip
                    on = (w.first * w.right - w.left) * channels * size
                    seen, to, given = seen + on, to + on, given + w.first * channels * size
                    step = w.right * channels
                    if below - above == w.tall:
                        hand_back(
                            shape, target, seen, w.tall, w.wide, line, channels, whole, step,
                            channels, given, first, last, to,
                        )  # fmt: skip
                    else:
                        hand_back(
                            any_size, target, seen, below - above, w.wide, line, channels, whole,
                            step, channels, given, first, last, to,
                        )  # fmt: skip

    return _with_a_crew(hand_back_alone, two_sources_together, 2, dtype)


@lru_cache(maxsize=256)
def collect_kernel(shape: tuple[int, int, int], dtype: np.dtype, between: bool) -> Kernel:
    """The compiled gradient of the maximum, for windows that overlap."""
    lanes, tall, wide = shape
    any_size, put = (lanes, 0, 0), (lanes, 0, 0, 0)

    @compiled()
    def collect_alone(member, board, scratch, windows, source, gradient, target):
        w, channels = windows, windows.channels
        size, line = target.itemsize, windows.width * windows.channels
        lines, whole = w.images * w.height, w.last - w.first
        # From one window to the next, in pixels and in places of the table.
        right, apart = (1, w.right) if between else (w.right, 1)
        columns = (w.columns - 1) * apart + 1
        row_run, side_by_side = columns * channels, right == 1
        winners = address(scratch[member], 0)
        rows_at_once = min(w.rows, w.lines + -(-w.tall // w.down))
        table = winners + rows_at_once * row_run * size
        while True:
            begin = claim(board) * w.lines * w.down
            if begin >= lines:
                break
            end = min(begin + w.lines * w.down, lines)
            while begin < end:  # image by image
                image, start = begin // w.height, begin % w.height
                stop = min(start + end - begin, w.height)
                begin += stop - start
                first_row = max(0, (start + w.top - w.tall) // w.down + 1)
                last_row = min(w.rows, (stop - 1 + w.top) // w.down + 1)
                given = address(gradient, (image * w.rows + first_row) * w.columns * channels)
                if between:
                    clear(target, table, (last_row - first_row) * row_run)
                    for row in range(last_row - first_row):
                        add_runs(
                            put, target, given + row * w.columns * channels * size, w.columns,
                            apart * channels, channels, table + row * row_run * size,
                        )  # fmt: skip
                    given = table
                for row in range(first_row, last_row):
                    y = row * w.down - w.top
                    above, below = max(y, 0), min(y + w.tall, w.height)
                    seen = address(source, (image * w.height + above) * line)
                    to = winners + (row - first_row) * row_run * size
                    tap = (above - y) * w.wide
                    for n in range(w.columns - whole):  # what is cut off at a side
                        column = n if n < w.first else n + whole
                        x = column * w.right - w.left
                        cut_left, cut_right = max(x, 0), min(x + w.wide, w.width)
                        find_winners(
                            any_size, target, seen + cut_left * channels * size, below - above,
                            cut_right - cut_left, line, channels, 1, 0, channels,
                            tap + cut_left - x, w.wide, to + column * apart * channels * size,
                        )  # fmt: skip
                    if whole == 0:
                        continue
                    seen += (w.first * w.right - w.left) * channels * size
                    to += w.first * apart * channels * size
                    pixels, run = whole, channels
                    if side_by_side:
                        pixels, run = 1, ((whole - 1) * apart + 1) * channels
                    if below - above == w.tall:
                        find_winners(
                            shape, target, seen, w.tall, w.wide, line, channels, pixels,
                            right * channels, run, tap, w.wide, to,
                        )  # fmt: skip
                    else:
                        find_winners(
                            any_size, target, seen, below - above, w.wide, line, channels, pixels,
                            right * channels, run, tap, w.wide, to,
                        )  # fmt: skip
                for y in range(start, stop):
                    # The windows that hold this row, from the lowest up.
                    lowest = min(last_row - 1, (y + w.top) // w.down)
                    rows = lowest - max(first_row, (y + w.top - w.tall) // w.down + 1) + 1
                    tap = (y + w.top - lowest * w.down) * w.wide
                    here = (lowest - first_row) * row_run
                    to = address(target, (image * w.height + y) * line)
                    for residue in range(min(right, w.width)):
                        # Pixels that the same taps meet: the columns of their windows go up.
                        column, tap_first = (residue + w.left) // right, (residue + w.left) % right
                        taps = max(0, -(-(w.wide - tap_first) // right))
                        x = residue
                        while x < w.width:
                            rightmost = max(0, column - columns + 1)
                            count = max(0, min(taps, column + 1) - rightmost)
                            pixels = 1
                            if count == taps and count > 0:
                                pixels = min((w.width - 1 - x) // right + 1, columns - column)
                            on = (here + (column - rightmost) * channels) * size
                            run = channels
                            x_next, column = x + pixels * right, column + pixels
                            if side_by_side:
                                pixels, run = 1, pixels * channels
                            if rows == tall and count == wide and side_by_side:
                                collect(
                                    shape, target, winners + on, given + on, rows, count, row_run,
                                    channels, pixels, right * channels, run,
                                    tap + tap_first + rightmost * right, w.down * w.wide, right,
                                    to + x * channels * size,
                                )  # fmt: skip
                            else:
                                collect(
                                    any_size, target, winners + on, given + on, rows, count,
                                    row_run, channels, pixels, right * channels, run,
                                    tap + tap_first + rightmost * right, w.down * w.wide, right,
                                    to + x * channels * size,
                                )  # fmt: skip
                            x = x_next

    return _with_a_crew(collect_alone, two_sources_together, 2, dtype)


@lru_cache(maxsize=256)
def share_kernel(lanes: int, dtype: np.dtype, between: bool) -> Kernel:
    """The compiled gradient of the mean."""
    put, add = (lanes, 0, 0, 0), (lanes, 0, 0, 1)

    @compiled()
    def share_alone(member, board, scratch, windows, gradient, target):
        w, channels = windows, windows.channels
        size, line = target.itemsize, windows.width * windows.channels
        lines, whole = w.images * w.height, w.last - w.first
        right, apart = (1, w.right) if between else (w.right, 1)
        columns = (w.columns - 1) * apart + 1
        alone = w.down >= w.tall  # no row is in two windows
        sums = address(scratch[member], 0)
        shares = sums + line * size
        spread = shares + w.columns * channels * size if between else shares
        while True:
            begin = claim(board) * w.lines * w.down
            if begin >= lines:
                break
            end = min(begin + w.lines * w.down, lines)
            if not alone:
                clear(target, address(target, begin * line), (end - begin) * line)
            while begin < end:  # image by image
                image, start = begin // w.height, begin % w.height
                stop = min(start + end - begin, w.height)
                begin += stop - start
                first_row = max(0, (start + w.top - w.tall) // w.down + 1)
                last_row = min(w.rows, (stop - 1 + w.top) // w.down + 1)
                done = start
                for row in range(first_row, last_row):
                    y = row * w.down - w.top
                    above, below = max(y, 0), min(y + w.tall, w.height)
                    given = address(gradient, (image * w.rows + row) * w.columns * channels)
                    for n in range(w.columns - whole):  # what is cut off at a side
                        column = n if n < w.first else n + whole
                        x = column * w.right - w.left
                        pixels = (below - above) * (min(x + w.wide, w.width) - max(x, 0))
                        on = column * channels * size
                        divide(add, target, given + on, pixels, channels, shares + on)
                    on = w.first * channels * size
                    pixels = (below - above) * w.wide
                    divide(add, target, given + on, pixels, whole * channels, shares + on)
                    if between:
                        clear(target, spread, columns * channels)
                        add_runs(
                            put, target, shares, w.columns, apart * channels, channels, spread
                        )
                    clear(target, sums, line)
                    for j in range(w.wide):
                        # The columns whose tap j lies in the image.
                        first = max(0, -(-(w.left - j) // right))
                        last = min(columns, (w.width - 1 + w.left - j) // right + 1)
                        x = first * right - w.left + j
                        count, run = max(0, last - first), channels
                        if right == 1:
                            count, run = min(count, 1), count * channels
                        add_runs(
                            add, target, spread + first * channels * size, count, right * channels,
                            run, sums + x * channels * size,
                        )  # fmt: skip
                    above, below = max(start, above), min(stop, below)
                    to = address(target, (image * w.height + above) * line)
                    if alone:
                        clear(target, to + (done - above) * line * size, (above - done) * line)
                        done = below
                    for y in range(below - above):
                        if alone:
                            copy(target, sums, to + y * line * size, line)
                        else:
                            add_runs(add, target, sums, 1, 0, line, to + y * line * size)
                if alone:
                    to = address(target, (image * w.height + done) * line)
                    clear(target, to, (stop - done) * line)

    return _with_a_crew(share_alone, one_source_together, 1, dtype)
