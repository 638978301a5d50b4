"""The innermost loops of pooling: lanes are channels, or numbers of an image row side by side.

A *run* is what is done at one pixel: its channels. Where windows step by one pixel, those of a
whole row lie side by side, and are one run. The last vector of a run is moved back so that it
ends with the run: it does some numbers again, and touches no memory beyond. A run that is shorter
than a vector is done number by number.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import Emitter

# --- what compiled code calls -------------------------------------------------------------------


@intrinsic(prefer_literal=True)
def largest(
    typing_context, shape, like, source, rows, columns, down, right, pixels, step, run, target
):
    """The largest number of each window; NaN where a window holds one.

    For each pixel ``p`` and each number ``c`` of a run::

        target[p * run + c] = max over i < rows, j < columns of
                              source[p * step + i * down + j * right + c]

    Parameters
    ----------
    shape : (int, int, int)
        Lanes of a vector; rows and columns of the windows if their instructions are to be written
        out one by one, or 0, 0 for loops over any number of them.
    like : array
        Anything of the dtype to compute in.
    source, target : int
        Addresses.
    rows, columns, down, right, pixels, step, run : int
        Steps are counted in elements.
    """
    numbers = (source, rows, columns, down, right, pixels, step, run, target)
    return _call(_write_largest, shape, like, numbers)


@intrinsic(prefer_literal=True)
def mean(
    typing_context, shape, like, source, rows, columns, down, right, pixels, step, run, target
):
    """The mean of each window. Arguments as of `largest`."""
    numbers = (source, rows, columns, down, right, pixels, step, run, target)
    return _call(_write_mean, shape, like, numbers)


@intrinsic(prefer_literal=True)
def hand_back(
    typing_context, shape, like, source, rows, columns, down, right, pixels, step, run,
    gradient, first, last, target,
):  # fmt: skip
    """Hand the gradient of each window to its largest number, and zero to the others.

    The first of equal numbers gets it, and the first NaN. Windows must not overlap. The gradient
    lies as the target of `largest` does, and this target lies as the source does. Only rows from
    ``first`` to ``last - 1`` of each window are written.
    """
    places = (rows, columns, down, right, pixels, step, run)
    numbers = (source, *places, gradient, first, last, target)
    return _call(_write_hand_back, shape, like, numbers)


@intrinsic(prefer_literal=True)
def find_winners(
    typing_context, shape, like, source, rows, columns, down, right, pixels, step, run,
    tap, taps, target,
):  # fmt: skip
    """Which number of each window is the largest: the first of equals, or the first NaN.

    Arguments as of `largest`. The target gets ``tap + i * taps + j``, a whole number of the same
    size as the source's.
    """
    places = (rows, columns, down, right, pixels, step, run)
    return _call(_write_find_winners, shape, like, (source, *places, tap, taps, target))


@intrinsic(prefer_literal=True)
def collect(
    typing_context, shape, like, winners, gradient, rows, columns, down, right, pixels, step, run,
    tap, taps_down, taps_right, target,
):  # fmt: skip
    """Collect the gradients of the windows that a pixel won.

    For each pixel ``p`` and each number ``c`` of a run, over ``i < rows`` and ``j < columns``::

        place = p * run + c - i * down - j * right
        target[p * step + c] = sum of gradient[place]
                               where winners[place] = tap + i * taps_down + j * taps_right
    """
    places = (rows, columns, down, right, pixels, step, run)
    numbers = (winners, gradient, *places, tap, taps_down, taps_right, target)
    return _call(_write_collect, shape, like, numbers)


@intrinsic(prefer_literal=True)
def add_runs(typing_context, shape, like, source, pixels, step, run, target):
    """Add runs that lie side by side to runs that are ``step`` elements apart.

    They are put there, not added, if the last number of ``shape`` is 0.
    """
    return _call(_write_add_runs, shape, like, (source, pixels, step, run, target))


@intrinsic(prefer_literal=True)
def divide(typing_context, shape, like, source, divisor, run, target):
    """Divide a run by a whole number."""
    return _call(_write_divide, shape, like, (source, divisor, run, target))


def _call(write: Callable[..., None], shape: Any, like: Any, numbers: tuple) -> Any:
    """What an intrinsic returns: its signature, and how to call the function that is written."""
    sizes = [number.literal_value for number in shape]
    signature = types.void(shape, like, *[types.int64] * len(numbers))

    def call(context, builder, signature, arguments):
        emit = Emitter(builder, context.get_value_type(like.dtype), sizes[0])
        task = _Task(sizes[1:], like.dtype)
        builder.call(task.function(emit, write, len(numbers)), arguments[2:])
        return context.get_dummy_value()

    return signature, call


class _Task(NamedTuple):
    """What is known while instructions are written: the rest of the shape, and the dtype."""

    sizes: list[int]
    dtype: Any

    @property
    def signed(self) -> bool:
        """Whether numbers can be below zero."""
        return bool(getattr(self.dtype, "signed", True))

    def function(self, emit: Emitter, write: Callable[..., None], count: int) -> ir.Function:
        """The function, of so many numbers, that ``write`` writes for this task."""
        name = ".".join(
            map(str, ("convlab", write.__name__, self.dtype, emit.lanes, *self.sizes))
        )
        return emit.function(name, count, lambda emit, *numbers: write(emit, self, *numbers))


# --- how their instructions are written ---------------------------------------------------------


class _Windows(NamedTuple):
    """What says where the numbers of the windows are, as `largest` has it."""

    rows: ir.Value
    columns: ir.Value
    down: ir.Value
    right: ir.Value
    pixels: ir.Value
    step: ir.Value
    run: ir.Value

    def each_vector(self, emit: Emitter, write: Callable[..., None]) -> None:
        """Write the instructions for some lanes of a window, to be repeated for all.

        ``write`` gets an emitter, their place in the source and in the target, and how many of
        the first lanes were done before.
        """
        builder = emit.builder
        with emit.loop(emit.index(0), self.pixels) as pixel:
            there, here = builder.mul(pixel, self.step), builder.mul(pixel, self.run)

            def one(emit, place, done):
                write(emit, builder.add(there, place), builder.add(here, place), done)

            _each_vector(emit, self.run, one)

    def each_tap(
        self, emit: Emitter, task: _Task, write: Callable[..., None], last_first: bool = False
    ) -> None:
        """Write the instructions for one number of a window: row, column, how far on it is.

        They are written out one by one where the window's size is known.
        """
        if not task.sizes[0]:
            self.each_row(emit, task, lambda i, each: each(write), last_first)
            return
        places = [(i, j) for i in range(task.sizes[0]) for j in range(task.sizes[1])]
        for place in reversed(places) if last_first else places:
            i, j = map(emit.index, place)
            write(i, j, self._on(emit, i, j))

    def each_row(
        self, emit: Emitter, task: _Task, write: Callable[..., None], last_first: bool = False
    ) -> None:
        """The same row by row: ``write`` gets a row, and the function that does its numbers."""
        rows, columns = task.sizes[:2]

        def row(i):
            def each(write):
                for j in map(emit.index, range(columns)):
                    write(i, j, self._on(emit, i, j))
                if not rows:
                    with emit.loop(emit.index(0), self.columns) as count:
                        j = self._turned(emit, count, self.columns, last_first)
                        write(i, j, self._on(emit, i, j))

            write(i, each)

        for i in map(emit.index, range(rows)):
            row(i)
        if not rows:
            with emit.loop(emit.index(0), self.rows) as count:
                row(self._turned(emit, count, self.rows, last_first))

    def _turned(
        self, emit: Emitter, count: ir.Value, size: ir.Value, last_first: bool
    ) -> ir.Value:
        builder = emit.builder
        return builder.sub(builder.sub(size, emit.index(1)), count) if last_first else count

    def _on(self, emit: Emitter, i: ir.Value, j: ir.Value) -> ir.Value:
        builder = emit.builder
        return builder.add(builder.mul(i, self.down), builder.mul(j, self.right))


def _each_vector(emit: Emitter, run: ir.Value, write: Callable[..., None]) -> None:
    """Write the instructions for one vector of a run, to be repeated for all.

    ``write`` gets an emitter, the place, and how many of the first lanes were done before.
    """
    builder, zero, lanes = emit.builder, emit.index(0), emit.index(emit.lanes)
    if emit.lanes == 1:
        with emit.loop(zero, run) as place:
            write(emit, place, zero)
        return
    with builder.if_else(builder.icmp_signed("<", run, lanes)) as (then, otherwise):
        with then:
            _each_vector(Emitter(builder, emit.element, 1), run, write)
        with otherwise:
            last = builder.sub(run, lanes)
            with emit.loop(zero, run, emit.lanes) as place:
                moved = builder.select(builder.icmp_signed(">", place, last), last, place)
                write(emit, moved, builder.sub(place, moved))


def _largest(emit, task, windows, pixels):
    """The largest number of some lanes' windows, and the lanes where one is NaN."""
    best, nan = emit.variable(), emit.mask()
    emit.put(emit.lowest(task.signed), best)
    emit.builder.store(emit.is_nan(emit.zero()), nan)

    def look(i, j, on):
        pixel, lead = emit.load(pixels, on), emit.get(best)
        emit.put(emit.select(emit.larger(pixel, lead, task.signed), pixel, lead), best)
        emit.builder.store(emit.builder.or_(emit.builder.load(nan), emit.is_nan(pixel)), nan)

    windows.each_tap(emit, task, look)
    return emit.get(best), emit.builder.load(nan)


def _write_largest(emit, task, source, *numbers):
    windows, target = _Windows(*numbers[:-1]), emit.pointer(numbers[-1])
    source = emit.pointer(source)

    def write(emit, there, here, done):
        best, nan = _largest(emit, task, windows, emit.advance(source, there))
        if emit.real:
            best = emit.select(nan, emit.nan(), best)
        emit.store(best, target, here)

    windows.each_vector(emit, write)


def _write_mean(emit, task, source, *numbers):
    windows, target = _Windows(*numbers[:-1]), emit.pointer(numbers[-1])
    source, builder = emit.pointer(source), emit.builder
    count = builder.sitofp(builder.mul(windows.rows, windows.columns), emit.element)

    def write(emit, there, here, done):
        total, pixels = emit.variable(), emit.advance(source, there)
        emit.put(emit.zero(), total)

        def look(i, j, on):
            emit.put(emit.get(total) + emit.load(pixels, on), total)

        windows.each_tap(emit, task, look)
        emit.store(emit.divide(emit.get(total), emit.broadcast(count)), target, here)

    windows.each_vector(emit, write)


def _with_hits(emit, task, windows, pixels, write):
    """Write instructions that ask of each number whether it is one of its window's largest.

    ``write`` gets the function to ask with. It is called twice: with NaN the question is longer.
    """
    best, nan = _largest(emit, task, windows, pixels)

    def hit(on):
        return emit.equal(emit.load(pixels, on), best)

    def hit_or_nan(on):
        pixel = emit.load(pixels, on)
        equal = emit.builder.and_(emit.equal(pixel, best), emit.builder.not_(nan))
        return emit.builder.or_(equal, emit.is_nan(pixel))

    if not emit.real:
        write(hit)
        return
    with emit.builder.if_else(emit.any(nan), likely=False) as (then, otherwise):
        with then:
            write(hit_or_nan)
        with otherwise:
            write(hit)


def _write_hand_back(emit, task, source, *numbers):
    windows = _Windows(*numbers[:7])
    gradient, first, last, target = numbers[7:]
    source, gradient, target = (emit.pointer(n) for n in (source, gradient, target))

    def write(emit, there, here, done):
        builder = emit.builder
        share, given = emit.load(gradient, here), emit.advance(target, there)
        taken = emit.mask()

        def give(hit):
            builder.store(emit.is_nan(emit.zero()), taken)

            def row(i, each):
                inside = builder.and_(
                    builder.icmp_signed(">=", i, first), builder.icmp_signed("<", i, last)
                )

                def number(i, j, on):
                    hits, before = hit(on), builder.load(taken)
                    builder.store(builder.or_(hits, before), taken)
                    won = builder.and_(hits, builder.not_(before))
                    with builder.if_then(inside):
                        emit.store(emit.select(won, share, emit.zero()), given, on)

                each(number)

            windows.each_row(emit, task, row)

        _with_hits(emit, task, windows, emit.advance(source, there), give)

    windows.each_vector(emit, write)


def _write_find_winners(emit, task, source, *numbers):
    windows, (tap, taps, target) = _Windows(*numbers[:7]), numbers[7:]
    source = emit.pointer(source)

    def write(emit, there, here, done):
        counts, builder = emit.whole_numbers(), emit.builder
        winner = counts.variable()

        def find(hit):
            def number(i, j, on):
                here = builder.add(tap, builder.add(builder.mul(i, taps), j))
                counts.put(counts.select(hit(on), counts.count(here), counts.get(winner)), winner)

            windows.each_tap(emit, task, number, last_first=True)  # the first one stays

        counts.put(counts.zero(), winner)
        _with_hits(emit, task, windows, emit.advance(source, there), find)
        counts.store(counts.get(winner), counts.pointer(target), here)

    windows.each_vector(emit, write)


def _write_collect(emit, task, winners, gradient, *numbers):
    windows, (tap, taps_down, taps_right, target) = _Windows(*numbers[:7]), numbers[7:]
    gradient, target = emit.pointer(gradient), emit.pointer(target)

    def write(emit, there, here, done):
        counts, builder = emit.whole_numbers(), emit.builder
        total, won_by = emit.variable(), counts.pointer(winners)
        emit.put(emit.zero(), total)

        def number(i, j, on):
            place = builder.sub(here, on)
            this = builder.add(builder.mul(i, taps_down), builder.mul(j, taps_right))
            mine = counts.equal(
                counts.load(won_by, place), counts.count(builder.add(tap, this))
            )
            more = emit.get(total) + emit.load(gradient, place)
            emit.put(emit.select(mine, more, emit.get(total)), total)

        windows.each_tap(emit, task, number)
        emit.store(emit.get(total), target, there)

    windows.each_vector(emit, write)


def _write_add_runs(emit, task, source, pixels, step, run, target):
    source, target, builder = emit.pointer(source), emit.pointer(target), emit.builder
    with emit.loop(emit.index(0), pixels) as pixel:
        there, here = builder.mul(pixel, step), builder.mul(pixel, run)

        def write(emit, place, done):
            part = emit.load(source, builder.add(here, place))
            cell = emit.advance(target, builder.add(there, place))
            if task.sizes[2]:
                part = emit.load(cell) + emit.select(emit.from_lane(done), part, emit.zero())
            emit.store(part, cell)

        _each_vector(emit, run, write)


def _write_divide(emit, task, source, divisor, run, target):
    source, target = emit.pointer(source), emit.pointer(target)
    number = emit.builder.sitofp(divisor, emit.element)

    def write(emit, place, done):
        emit.store(emit.divide(emit.load(source, place), emit.broadcast(number)), target, place)

    _each_vector(emit, run, write)
