"""The innermost loops, written instruction by instruction: what a compiler does not find.

Each function here is a Numba intrinsic: compiled code calls it like any function, and instead
of a call there stand the instructions that its Python code wrote with an `Emitter`. What is to
be unrolled, and how many vectors there are, is known while it writes: a *shape* of whole numbers
that is fixed when a kernel is compiled.

Places are counted in elements. Pointers are whole numbers from `address`, so that a loop can
read from an array or from scratch by the same instructions.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import BYTE, INDEX, Emitter

# Steps of a sum between two tests for its end: the pointers are fetched once for all of them.
UNROLL = 4
# Multiply-adds of a run of known length that are written out without a loop. With many more, the
# compiler brings the fetches forward until no register is free.
UNROLLED = 96


def _pointer(context: Any, builder: ir.IRBuilder, kind: types.Array, value: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, value).data


@intrinsic
def claim(typing_context, board):
    """The number of the next job: no other member of the crew gets it."""

    def write(context, builder, signature, arguments):
        counter = _pointer(context, builder, signature.args[0], arguments[0])
        return builder.atomic_rmw("add", counter, ir.Constant(INDEX, 1), "monotonic")

    return types.int64(board), write


@intrinsic
def address(typing_context, array, place):
    """Where an element of an array lies in memory, as a whole number."""

    def write(context, builder, signature, arguments):
        data = _pointer(context, builder, signature.args[0], arguments[0])
        return builder.ptrtoint(builder.gep(data, [arguments[1]]), INDEX)

    return types.int64(array, types.int64), write


@intrinsic
def copy(typing_context, like, source, target, count):
    """Copy a run of elements of the dtype of ``like`` from one address to another."""
    itemsize = like.dtype.bitwidth // 8

    def write(context, builder, signature, arguments):
        _, source, target, count = arguments
        size = builder.mul(count, ir.Constant(INDEX, itemsize))
        into, out_of = (builder.inttoptr(p, BYTE.as_pointer()) for p in (target, source))
        cgutils.raw_memcpy(builder, into, out_of, size, 1)
        return context.get_dummy_value()

    return types.void(like, types.int64, types.int64, types.int64), write


@intrinsic
def clear(typing_context, like, target, count):
    """Fill a run of elements of the dtype of ``like`` with zeros."""
    itemsize = like.dtype.bitwidth // 8

    def write(context, builder, signature, arguments):
        _, target, count = arguments
        size = builder.mul(count, ir.Constant(INDEX, itemsize))
        cgutils.memset(builder, builder.inttoptr(target, BYTE.as_pointer()), size, 0)
        return context.get_dummy_value()

    return types.void(like, types.int64, types.int64), write


@intrinsic(prefer_literal=True)
def add_products(
    typing_context, shape, like, source, places, weights, taps, run, beginning, target, cells, left
):
    """The register tile: sums of products for some pixels by some vectors of filters.

    For each pixel ``p`` of the tile and each lane ``f``::

        target[cells[p] + f] = beginning[f] + sum over taps t and channels c < run of
                               source[places[p] + taps[t] + c] * weights[t, c, f]

    All sums stay in registers from the first product to the last. One number of the source is
    multiplied by `vectors` vectors of weights, and a vector of weights serves `pixels` pixels:
    so few numbers are fetched for each multiplication, and many sums wait for none.

    Parameters
    ----------
    shape : (int, int, int) or (int, int, int, int, int, int)
        Pixels, vectors, lanes of a vector. For a layer of its own also the length of a run, and
        the elements from one pixel of the source, and of the target, to the next: then the tile
        needs one address of each for all its pixels, and no loop over the channels.
    like : array
        Anything of the dtype to compute in.
    source, weights, target : int
        Addresses. Weights lie as ``(taps, run, vectors * lanes)``.
    places, cells : int
        Addresses of tables: an element of the source, and of the target, for each pixel; or for
        the first, where the shape says how far the others are.
    taps : array of int64, of shape (taps,) or (taps, 2)
        The second column, where there is one, says where each tap's weights begin; else they
        follow those of the tap before.
    run : int
        Channels that lie side by side.
    beginning : int
        Address of what the sums begin with, for each lane; 0 to go on from the target.
    left : int
        Lanes that are filters. What lies beyond in the target is not touched.
    """
    pixels, vectors, lanes, *known = (number.literal_value for number in shape)
    signature = types.void(
        shape, like, types.int64, types.int64, types.int64, taps, types.int64, types.int64,
        types.int64, types.int64, types.int64,
    )  # fmt: skip

    def write(context, builder, signature, arguments):
        element = context.get_value_type(like.dtype)
        table = context.make_array(signature.args[5])(context, builder, arguments[5])
        numbers = [arguments[n] for n in (2, 3, 4)]
        numbers += [builder.ptrtoint(table.data, INDEX), builder.extract_value(table.shape, 0)]
        numbers += [arguments[n] for n in (6, 7, 8, 9, 10)]
        apart = taps.ndim == 2
        name = f"convlab.add_products.{element}.{pixels}.{vectors}.{lanes}.{known}.{apart}"
        emit = Emitter(builder, element, lanes)
        body = partial(_write_add_products, pixels, vectors, known, apart)
        function = emit.function(name, len(numbers), body)
        builder.call(function, numbers)
        return context.get_dummy_value()

    return signature, write


def _write_add_products(pixels, vectors, known, apart, emit, source, places, weights, taps,
                        tap_count, run, beginning, target, cells, left):  # fmt: skip
    builder = emit.builder
    source, weights, target, beginning = (
        emit.pointer(n) for n in (source, weights, target, beginning)
    )
    places, cells, taps = (emit.table(n) for n in (places, cells, taps))
    tile = RegisterTile(emit, pixels, vectors)
    length, across, along = known or (0, 0, 0)
    inputs = _pixels(emit, source, places, pixels, across)
    outputs = _pixels(emit, target, cells, pixels, along)
    tile.begin(beginning, outputs, left)
    for output in outputs:
        for v in range(vectors):
            emit.prefetch(output, v * emit.lanes, write=True)
    weight = cgutils.alloca_once_value(builder, weights)
    with emit.loop(emit.index(0), tap_count) as t:
        if apart:
            t = builder.mul(t, emit.index(2))
            start = emit.read(taps, builder.add(t, emit.index(1)))
            builder.store(emit.advance(weights, start), weight)
        first = emit.read(taps, t)
        if 0 < length * pixels * vectors <= UNROLLED:
            tile.add_whole_run(inputs, first, length, weight)
        else:
            tile.add_run(inputs, first, builder.add(first, run), weight)
    tile.end(outputs, left)


def _pixels(emit: Emitter, data: ir.Value, table: ir.Value, pixels: int, step: int) -> list:
    """A pointer for each pixel: by the table, or by steps from its first entry."""
    if not step:
        return [emit.advance(data, emit.read(table, p)) for p in range(pixels)]
    first = emit.advance(data, emit.read(table, 0))
    return [emit.advance(first, p * step) for p in range(pixels)]


class RegisterTile:
    """Sums in registers: ``pixels`` rows of ``vectors`` vectors."""

    def __init__(self, emit: Emitter, pixels: int, vectors: int) -> None:
        self.emit, self.lanes = emit, emit.lanes
        self.pixels, self.vectors = range(pixels), range(vectors)
        self.sums = [[emit.variable() for _ in self.vectors] for _ in self.pixels]

    def begin(self, beginning: ir.Value, outputs: list[ir.Value], left: ir.Value) -> None:
        """Start from the same vectors for each pixel, or from what the target holds."""
        emit, builder = self.emit, self.emit.builder
        go_on = builder.icmp_signed("==", builder.ptrtoint(beginning, INDEX), emit.index(0))
        with builder.if_else(go_on) as (then, otherwise):
            with then:
                for p in self.pixels:
                    for v in self.vectors:
                        part = emit.load_first(self._rest(left, v), outputs[p], v * self.lanes)
                        emit.put(part, self.sums[p][v])
            with otherwise:
                for v in self.vectors:
                    vector = emit.load(beginning, v * self.lanes)
                    for p in self.pixels:
                        emit.put(vector, self.sums[p][v])

    def add_run(
        self, inputs: list[ir.Value], first: ir.Value, last: ir.Value, weight: ir.Value
    ) -> None:
        """Add the products of a run of channels, `UNROLL` at a time and then one at a time."""
        emit, builder = self.emit, self.emit.builder
        rest = builder.and_(builder.sub(last, first), emit.index(UNROLL - 1))
        whole = builder.sub(last, rest)
        for start, stop, steps in ((first, whole, UNROLL), (whole, last, 1)):
            with emit.loop(start, stop, steps) as channel:
                weights = builder.load(weight)
                for step in range(steps):
                    self.add_step(inputs, channel, step, weights)
                self._go_on(weight, weights, steps)

    def add_whole_run(
        self, inputs: list[ir.Value], first: ir.Value, length: int, weight: ir.Value
    ) -> None:
        """Add the products of a run whose length is known."""
        weights = self.emit.builder.load(weight)
        for step in range(length):
            self.add_step(inputs, first, step, weights)
        self._go_on(weight, weights, length)

    def _go_on(self, weight: ir.Value, weights: ir.Value, steps: int) -> None:
        width = len(self.vectors) * self.lanes
        self.emit.builder.store(self.emit.advance(weights, steps * width), weight)

    def add_step(
        self, inputs: list[ir.Value], channel: ir.Value, step: int, weights: ir.Value
    ) -> None:
        """Add the products of one channel: each pixel's number, times a row of weights."""
        emit = self.emit
        width = len(self.vectors) * self.lanes
        row = [emit.load(weights, step * width + v * self.lanes) for v in self.vectors]
        for p in self.pixels:
            number = emit.broadcast(emit.read(emit.advance(inputs[p], channel), step))
            for v in self.vectors:
                total = self.sums[p][v]
                emit.put(emit.fma(number, row[v], emit.get(total)), total)

    def end(self, outputs: list[ir.Value], left: ir.Value) -> None:
        """Write the sums; only the lanes that are filters, where not all are."""
        emit, builder = self.emit, self.emit.builder
        full = builder.icmp_signed(">=", left, emit.index(len(self.vectors) * self.lanes))
        with builder.if_else(full) as (then, otherwise):
            with then:
                for p in self.pixels:
                    for v in self.vectors:
                        emit.store(emit.get(self.sums[p][v]), outputs[p], v * self.lanes)
            with otherwise:
                for p in self.pixels:
                    for v in self.vectors:
                        vector, rest = emit.get(self.sums[p][v]), self._rest(left, v)
                        emit.store_first(rest, vector, outputs[p], v * self.lanes)

    def _rest(self, left: ir.Value, vector: int) -> ir.Value:
        return self.emit.builder.sub(left, self.emit.index(vector * self.lanes))


@intrinsic(prefer_literal=True)
def pack_rows(typing_context, shape, like, source, apart, target, count, left):
    """Lay out rows of weights side by side: ``target[n, f] = source[n * apart + f]``.

    A row has ``vectors * lanes`` numbers; those from the ``left``-th on become zero, and are not
    read. The sum of all that was read, times zero, is the result: 0, or NaN where one of them
    was NaN or infinite.
    """
    vectors, lanes = (number.literal_value for number in shape)
    numbers = [types.int64] * 5
    signature = like.dtype(shape, like, *numbers)

    def write(context, builder, signature, arguments):
        emit = Emitter(builder, context.get_value_type(like.dtype), lanes)
        _, _, source, apart, target, count, left = arguments
        check = emit.check()
        source, target = emit.pointer(source), emit.pointer(target)
        with emit.loop(emit.index(0), count) as n:
            row = emit.advance(source, builder.mul(n, apart))
            to = emit.advance(target, builder.mul(n, emit.index(vectors * lanes)))
            for v in range(vectors):
                rest = builder.sub(left, emit.index(v * lanes))
                vector = emit.load_first(rest, row, v * lanes)
                emit.store(vector, to, v * lanes)
                check.add(vector)
        return check.result()

    return signature, write


@intrinsic(prefer_literal=True)
def pack_columns(typing_context, shape, like, source, apart, target, count, left):
    """Lay out columns of weights side by side: ``target[n, f] = source[f * apart + n]``.

    As `pack_rows`, but turned: a square of numbers is read row by row, transposed in registers,
    and written row by row.
    """
    vectors, lanes = (number.literal_value for number in shape)
    numbers = [types.int64] * 5
    signature = like.dtype(shape, like, *numbers)

    def write(context, builder, signature, arguments):
        emit = Emitter(builder, context.get_value_type(like.dtype), lanes)
        _, _, source, apart, target, count, left = arguments
        check = emit.check()
        source, target = emit.pointer(source), emit.pointer(target)
        with (
            emit.loop(emit.index(0), count, lanes) as first,
            emit.loop(emit.index(0), emit.index(vectors)) as v,
        ):
            lane = builder.mul(v, emit.index(lanes))
            rest = builder.sub(count, first)
            square = []
            for row in range(lanes):
                filter_ = builder.add(lane, emit.index(row))
                there = builder.icmp_signed("<", filter_, left)
                read = builder.select(there, rest, emit.index(0))
                place = builder.add(builder.mul(filter_, apart), first)
                place = builder.select(there, place, emit.index(0))
                # The rows lie far apart: nobody but us knows what will be read next.
                emit.prefetch(emit.advance(source, place), 2 * lanes)
                square.append(emit.load_first(read, emit.advance(source, place)))
                check.add(square[-1])
            to = emit.advance(target, builder.mul(first, emit.index(vectors * lanes)))
            to = emit.advance(to, lane)
            for row, vector in enumerate(emit.transpose(square)):
                with builder.if_then(builder.icmp_signed(">", rest, emit.index(row))):
                    emit.store(vector, to, row * vectors * lanes)
        return check.result()

    return signature, write
