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
from contextlib import nullcontext
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import INDEX, Emitter

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
def find_winners(
    typing_context, shape, like, source, rows, columns, down, right, pixels, step, run, target
):
    """Which number of each window is the largest: the first of equals, or the first NaN.

    Arguments as of `largest`. The target gets ``i * columns + j``, a whole number of the same
    size as the source's.
    """
    numbers = (source, rows, columns, down, right, pixels, step, run, target)
    return _call(_write_find_winners, shape, like, numbers)


@intrinsic(prefer_literal=True)
def hand_back(
    typing_context, shape, like, source, rows, columns, down, right, pixels, step, run,
    gradient, first, last, target,
):  # fmt: skip
    """Hand the gradient of each window to the number that won it, and zero to the others.

    The gradient lies as the target of `largest` does, and this target lies as the source does.
    Only rows from ``first`` to ``last - 1`` of each window are written: added to what is there
    if the fourth number of ``shape`` is 1, put there if it is 0.
    """
    places = (rows, columns, down, right, pixels, step, run)
    return _call(
        _write_hand_back, shape, like, (source, *places, gradient, first, last, target)
    )


@intrinsic(prefer_literal=True)
def add_won(typing_context, shape, like, winners, tap, gradient, run, target):
    """Add a run of gradients to the target, each where ``winners`` names the tap."""
    return _call(_write_add_won, shape, like, (winners, tap, gradient, run, target))


@intrinsic(prefer_literal=True)
def add_runs(typing_context, shape, like, source, pixels, step, run, target):
    """Add runs that lie side by side to runs that are ``step`` elements apart."""
    return _call(_write_add_runs, shape, like, (source, pixels, step, run, target))


@intrinsic(prefer_literal=True)
def divide(typing_context, shape, like, source, divisor, run, target):
    """Divide a run by a whole number."""
    return _call(_write_divide, shape, like, (source, divisor, run, target))


def _call(write: Callable[..., None], shape: Any, like: Any, numbers: tuple) -> Any:
    """What an intrinsic returns: its signature, and the call of a function that ``write`` writes."""
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
        self, emit: Emitter, task: _Task, write: Callable[..., None],
        only: tuple[ir.Value, ir.Value] | None = None,
    ) -> None:  # fmt: skip
        """Write the instructions for one number of a window: its tap, and how far on it is.

        They are written out one by one where the window's size is known. ``only`` says from
        which row to which they are to be done.
        """
        builder, zero = emit.builder, emit.index(0)
        rows, columns = task.sizes[:2]
        if not rows:
            first, last = only or (zero, self.rows)
            with emit.loop(first, last) as i, emit.loop(zero, self.columns) as j:
                write(builder.add(builder.mul(i, self.columns), j), self._on(emit, i, j))
            return
        for i in map(emit.index, range(rows)):
            with builder.if_then(self._is_between(emit, i, only)) if only else nullcontext():
                for j in map(emit.index, range(columns)):
                    tap = emit.index(i.constant * columns + j.constant)
                    write(tap, self._on(emit, i, j))

    def _is_between(self, emit: Emitter, i: ir.Value, only: tuple[ir.Value, ir.Value]) -> ir.Value:
        after = emit.builder.icmp_signed(">=", i, only[0])
        return emit.builder.and_(after, emit.builder.icmp_signed("<", i, only[1]))

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


def _write_largest(emit, task, source, *numbers):
    windows, target = _Windows(*numbers[:-1]), emit.pointer(numbers[-1])
    source = emit.pointer(source)

    def write(emit, there, here, done):
        best = emit.variable()
        emit.put(emit.lowest(task.signed), best)

        def look(tap, on):
            pixel, lead = emit.load(emit.advance(source, there), on), emit.get(best)
            # Nothing is larger than NaN, so that it stays; and it wins whatever was there before.
            more = emit.select(emit.larger(pixel, lead, task.signed), pixel, lead)
            emit.put(emit.select(emit.is_nan(pixel), pixel, more), best)

        windows.each_tap(emit, task, look)
        emit.store(emit.get(best), target, here)

    windows.each_vector(emit, write)


def _write_mean(emit, task, source, *numbers):
    windows, target = _Windows(*numbers[:-1]), emit.pointer(numbers[-1])
    source, builder = emit.pointer(source), emit.builder
    count = builder.sitofp(builder.mul(windows.rows, windows.columns), emit.element)

    def write(emit, there, here, done):
        total = emit.variable()
        emit.put(emit.zero(), total)

        def look(tap, on):
            emit.put(emit.get(total) + emit.load(emit.advance(source, there), on), total)

        windows.each_tap(emit, task, look)
        emit.store(emit.divide(emit.get(total), emit.broadcast(count)), target, here)

    windows.each_vector(emit, write)


def _winner(emit, task, windows, source, there):
    """Look for the largest number of a window; the variable that holds its tap."""
    counts = emit.whole_numbers()
    best, winner = emit.variable(), counts.variable()
    emit.put(emit.lowest(task.signed), best)
    counts.put(counts.zero(), winner)

    def look(tap, on):
        pixel, lead = emit.load(emit.advance(source, there), on), emit.get(best)
        # The first one, even if it is the lowest; and of NaNs the first.
        larger, nan = emit.larger(pixel, lead, task.signed), emit.is_nan(pixel)
        wins = emit.builder.or_(larger, emit.builder.and_(nan, emit.builder.not_(emit.is_nan(lead))))
        emit.put(emit.select(nan, pixel, emit.select(larger, pixel, lead)), best)
        counts.put(counts.select(wins, counts.count(tap), counts.get(winner)), winner)

    windows.each_tap(emit, task, look)
    return counts, winner


def _write_find_winners(emit, task, source, *numbers):
    windows, target = _Windows(*numbers[:-1]), numbers[-1]
    source = emit.pointer(source)

    def write(emit, there, here, done):
        counts, winner = _winner(emit, task, windows, source, there)
        counts.store(counts.get(winner), counts.pointer(target), here)

    windows.each_vector(emit, write)


def _write_hand_back(emit, task, source, *numbers):
    windows = _Windows(*numbers[:7])
    gradient, first, last, target = numbers[7:]
    gradient, target = emit.pointer(gradient), emit.pointer(target)
    adds = task.sizes[2]

    def write(emit, there, here, done):
        share = emit.load(gradient, here)
        if adds:
            share = emit.select(emit.from_lane(done), share, emit.zero())

        def give(won, on):
            part = emit.select(won, share, emit.zero())
            pixel = emit.advance(target, there)
            emit.store(emit.load(pixel, on) + part if adds else part, pixel, on)

        if not task.sizes[0]:
            counts, winner = _winner(emit, task, windows, emit.pointer(source), there)

            def compare(tap, on):
                give(counts.equal(counts.get(winner), counts.count(tap)), on)

            windows.each_tap(emit, task, compare, (first, last))
            return

        seen, pixels = [], emit.advance(emit.pointer(source), there)
        windows.each_tap(emit, task, lambda tap, on: seen.append(emit.load(pixels, on)))
        with emit.builder.if_else(emit.any(_nans(emit, seen)), likely=False) as (then, otherwise):
            with then:  # by loops, which compare with care
                slowly(emit, there, here, done)
            with otherwise:
                won = iter(_firsts(emit, seen, task.signed))
                windows.each_tap(emit, task, lambda tap, on: give(next(won), on), (first, last))

    def slowly(emit, there, here, done):
        builder = emit.builder
        function = _Task([0, 0, adds], task.dtype).function(emit, _write_hand_back, 12)
        there, here = builder.add(there, done), builder.add(here, done)
        run = builder.sub(emit.index(emit.lanes), done)
        places = [builder.ptrtoint(emit.advance(p, n), INDEX) for p, n in (
            (emit.pointer(source), there), (gradient, here), (target, there))]
        moved = windows._replace(pixels=emit.index(1), run=run)
        builder.call(function, [places[0], *moved, places[1], first, last, places[2]])

    windows.each_vector(emit, write)


def _nans(emit, vectors):
    """The lanes where any vector is NaN."""
    mask = emit.is_nan(vectors[-1])
    for left, right in zip(vectors[::2], vectors[1::2], strict=False):
        mask = emit.builder.or_(mask, emit.is_nan(left, right))
    return mask


def _firsts(emit, vectors, signed):
    """For each vector, without NaN, the lanes where it is the first of the largest."""
    builder, most = emit.builder, vectors[0]
    for vector in vectors[1:]:
        most = emit.select(emit.larger(vector, most, signed), vector, most)
    masks, taken = [], None
    for vector in vectors:
        equal = emit.equal(vector, most)
        masks.append(equal if taken is None else builder.and_(equal, builder.not_(taken)))
        taken = equal if taken is None else builder.or_(taken, equal)
    return masks


def _write_add_won(emit, task, winners, tap, gradient, run, target):
    gradient, target = emit.pointer(gradient), emit.pointer(target)

    def write(emit, place, done):
        counts = emit.whole_numbers()
        won = counts.equal(counts.load(counts.pointer(winners), place), counts.count(tap))
        won = emit.builder.and_(won, emit.from_lane(done))
        part = emit.select(won, emit.load(gradient, place), emit.zero())
        emit.store(emit.load(target, place) + part, target, place)

    _each_vector(emit, run, write)


def _write_add_runs(emit, task, source, pixels, step, run, target):
    source, target, builder = emit.pointer(source), emit.pointer(target), emit.builder
    with emit.loop(emit.index(0), pixels) as pixel:
        there, here = builder.mul(pixel, step), builder.mul(pixel, run)

        def write(emit, place, done):
            part = emit.load(source, builder.add(here, place))
            part = emit.select(emit.from_lane(done), part, emit.zero())
            cell = emit.advance(target, builder.add(there, place))
            emit.store(emit.load(cell) + part, cell)

        _each_vector(emit, run, write)


def _write_divide(emit, task, source, divisor, run, target):
    source, target = emit.pointer(source), emit.pointer(target)
    number = emit.builder.sitofp(divisor, emit.element)

    def write(emit, place, done):
        emit.store(emit.divide(emit.load(source, place), emit.broadcast(number)), target, place)

    _each_vector(emit, run, write)
