"""The innermost loops of the kernel gradient: sums of outer products, kept in registers.

Written as in `tiles`: an intrinsic, that is a Python function that writes instructions. A tile is
compiled on its own and called by its address, so that the loops around it are compiled once for
tiles of all shapes.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from functools import lru_cache

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import INDEX, Emitter
from convlab.kernels.parallel.launch import inner
from convlab.kernels.parallel.steps import entry

# Vectors that `add_chunks` sums side by side: so none waits for the one before.
AT_ONCE = 8
# What a shape says of its dtype.
KINDS = {"float32": 4, "float64": 8, "int64": -8}
ELEMENTS = {4: ir.FloatType(), 8: ir.DoubleType(), -8: INDEX}

Shape = tuple[int, int, int, int, int, int]


@intrinsic(prefer_literal=True)
def add_outer_products(
    typing_context, shape, source, taps, gradient, pixels, count, target, cells, skipped, left,
    going_on, ahead, pace, follow,
):  # fmt: skip
    """The register tile: for some weights of a kernel, the sums over a block of pixels.

    A tile has a weight for each of `taps` taps, `run` numbers that lie side by side from there
    on, and each lane ``f``::

        target[cells[t * run + c] + f] += sum over pixels p < count of
            source[pixels[p, 0] + taps[t] + c] * gradient[pixels[p, 1] + f]

    All sums stay in registers from the first pixel to the last. One number of the source is
    multiplied by `vectors` vectors of the gradient, and each of those serves ``taps * run``
    numbers: so few numbers are fetched for each multiplication, and many sums wait for none.

    Where `groups` groups of filters share a vector, each is multiplied by its own number: ``c``
    of a run that begins ``run`` numbers after that of the group before.

    Parameters
    ----------
    shape : (int, int, int, int, int, int)
        Taps, run, vectors, groups, lanes of a vector, and one of `KINDS`.
    source, gradient, target : int
        Addresses.
    taps : int
        Address of a table: an element of the source, for each tap.
    pixels : int
        Address of a table: for each pixel, an element of the source and one of the gradient.
    count : int
        Pixels.
    cells : int
        Address of a table: an element of the target, for each tap and number of a run.
    skipped : int
        Rows of the tile that are left out at the end: another tile has them.
    left : int
        Lanes that are filters. What lies beyond in the target is not touched.
    going_on : int
        Whether the sums are added to the target; else they replace it.
    ahead, pace, follow : int
        Address of what will be read later. With each pixel a line of it is fetched into the
        cache: `pace` elements after the one before, or, where `follow` is 1 and not 0, as far
        on as the pixel is.
    """
    numbers = tuple(number.literal_value for number in shape)

    def write(context, builder, signature, arguments):
        emit = Emitter(builder, ELEMENTS[numbers[-1]], numbers[-2])
        sums = _sums_of_products(numbers[:4], emit, *arguments[1:6], *arguments[-3:])
        _write_sums(emit, sums, *arguments[6:-3])
        return context.get_dummy_value()

    return types.void(shape, *[types.int64] * 13), write


def _sums_of_products(shape, emit, source, taps, gradient, pixels, count, ahead, pace, follow):
    """The loop over the pixels. Sums: for each tap and number of a run, a row of vectors."""
    tap_count, run, vectors, groups = shape
    builder = emit.builder
    source, gradient = emit.pointer(source), emit.pointer(gradient)
    taps, pixels = emit.table(taps), emit.table(pixels)
    sums = [[emit.variable() for _ in range(vectors)] for _ in range(tap_count * run)]
    for totals in sums:
        for total in totals:
            emit.put(emit.zero(), total)
    starts = [emit.advance(source, emit.read(taps, t)) for t in range(tap_count)]
    later = cgutils.alloca_once_value(builder, emit.pointer(ahead))
    with emit.loop(emit.index(0), builder.add(count, count), 2) as pixel:
        place, lanes = (emit.read(emit.advance(pixels, pixel), n) for n in range(2))
        line, row = builder.load(later), emit.advance(gradient, lanes)
        emit.prefetch(emit.advance(line, builder.mul(place, follow)))
        builder.store(emit.advance(line, pace), later)
        factors = [emit.load(row, v * emit.lanes) for v in range(vectors)]
        for t, start in enumerate(starts):
            numbers = _numbers(emit, emit.advance(start, place), run, groups)
            for number, totals in zip(numbers, sums[t * run : (t + 1) * run], strict=True):
                for factor, total in zip(factors, totals, strict=True):
                    emit.put(emit.fma(number, factor, emit.get(total)), total)
    return sums


def _numbers(emit, near, run, groups):
    """The numbers of a run, one after the other: each in all lanes, or in those of its group."""
    if groups == 1:
        for c in range(run):
            yield emit.broadcast(emit.read(near, c))
        return
    vectors = [emit.load(near, lane) for lane in range(0, groups * run, emit.lanes)]
    filters = emit.lanes // groups
    for c in range(run):
        places = [lane // filters * run + c for lane in range(emit.lanes)]
        yield emit.shuffle(vectors[0], vectors[-1], places)


def _write_sums(emit, sums, target, cells, skipped, left, going_on):
    """Add rows of sums to the target, or let them replace it.

    They lie in memory for a moment, so that one short loop can write any of them.
    """
    builder, width = emit.builder, len(sums[0]) * emit.lanes
    target, cells = emit.pointer(target), emit.table(cells)
    room = cgutils.alloca_once(builder, ir.ArrayType(emit.element, len(sums) * width))
    room.align = emit.lanes * emit.itemsize
    room = builder.bitcast(room, emit.element.as_pointer())
    for n, totals in enumerate(sums):
        for v, total in enumerate(totals):
            emit.store(emit.get(total), room, n * width + v * emit.lanes)
    going_on = builder.icmp_signed("!=", going_on, emit.index(0))
    full = builder.icmp_signed(">=", left, emit.index(width))
    with emit.loop(skipped, emit.index(len(sums))) as n:
        part = emit.advance(room, builder.mul(n, emit.index(width)))
        output = emit.advance(target, emit.read(cells, n))
        with builder.if_else(full) as (then, otherwise):
            with then:
                for lane in range(0, width, emit.lanes):
                    before = emit.load(output, lane)
                    emit.store(_grown(emit, part, lane, before, going_on), output, lane)
            with otherwise:
                for lane in range(0, width, emit.lanes):
                    rest = builder.sub(left, emit.index(lane))
                    before = emit.load_first(rest, output, lane)
                    emit.store_first(
                        rest, _grown(emit, part, lane, before, going_on), output, lane
                    )


def _grown(emit, part, lane, before, going_on):
    """A vector of sums, added to what was there before or not."""
    value = emit.builder.select(going_on, before.value, emit.zero().value)
    return emit.load(part, lane) + type(before)(emit, value)


@intrinsic(prefer_literal=True)
def copy_rows(typing_context, shape, source, apart, target, width, count, left):
    """Lay out rows of numbers side by side: ``target[n, f] = source[n * apart + f]``.

    Source and target are addresses. A row of the target has ``width`` numbers, which fill whole
    vectors; those from the ``left``-th on become zero, and are not read.
    """
    lanes, kind = (number.literal_value for number in shape)

    def write(context, builder, signature, arguments):
        emit = Emitter(builder, ELEMENTS[kind], lanes)
        _, source, apart, target, width, count, left = arguments
        source, target = emit.pointer(source), emit.pointer(target)
        with emit.loop(emit.index(0), count) as n:
            row = emit.advance(source, builder.mul(n, apart))
            to = emit.advance(target, builder.mul(n, width))
            with emit.loop(emit.index(0), width, lanes) as lane:
                vector = emit.load_first(builder.sub(left, lane), row, lane)
                emit.store(vector, to, lane)
        return context.get_dummy_value()

    return types.void(shape, *[types.int64] * 6), write


@intrinsic(prefer_literal=True)
def add_chunks(typing_context, shape, source, apart, chunks, target, count):
    """Add rows of numbers, one after the other: ``target[n] = sum over k of source[k, n]``.

    Source and target are addresses. Row ``k`` begins ``k * apart`` elements on.
    """
    lanes, kind = (number.literal_value for number in shape)

    def write(context, builder, signature, arguments):
        _write_add_chunks(Emitter(builder, ELEMENTS[kind], lanes), *arguments[1:])
        return context.get_dummy_value()

    return types.void(shape, *[types.int64] * 5), write


def _write_add_chunks(emit, source, apart, chunks, target, count):
    builder, lanes = emit.builder, emit.lanes
    source, target = emit.pointer(source), emit.pointer(target)
    rest = builder.srem(count, emit.index(AT_ONCE * lanes))
    whole = builder.sub(count, rest)

    def add(start, stop, vectors, load, store):
        sums = [emit.variable() for _ in range(vectors)]
        with emit.loop(start, stop, vectors * lanes) as n:
            for v, total in enumerate(sums):
                emit.put(load(n, emit.advance(source, n), v * lanes), total)
            with emit.loop(emit.index(1), chunks) as chunk:
                place = builder.add(n, builder.mul(chunk, apart))
                for v, total in enumerate(sums):
                    part = load(n, emit.advance(source, place), v * lanes)
                    emit.put(emit.get(total) + part, total)
            for v, total in enumerate(sums):
                store(n, emit.get(total), emit.advance(target, n), v * lanes)

    add(
        emit.index(0), whole, AT_ONCE,
        lambda n, pointer, lane: emit.load(pointer, lane),
        lambda n, total, pointer, lane: emit.store(total, pointer, lane),
    )  # fmt: skip
    add(
        whole, count, 1,
        lambda n, pointer, lane: emit.load_first(builder.sub(count, n), pointer, lane),
        lambda n, total, pointer, lane: emit.store_first(
            builder.sub(count, n), total, pointer, lane
        ),
    )


@intrinsic(prefer_literal=True)
def turn(typing_context, shape, source, source_apart, target, target_apart, rows, count):
    """Let rows and columns change places: ``target[n, m] = source[m, n]``, for m < rows.

    Source and target are addresses, and their rows begin so many elements apart.
    """
    kind = shape[-1].literal_value

    def write(context, builder, signature, arguments):
        emit = Emitter(builder, ELEMENTS[kind], 1)
        _, source, source_apart, target, target_apart, rows, count = arguments
        source, target = emit.pointer(source), emit.pointer(target)
        with emit.loop(emit.index(0), count) as n, emit.loop(emit.index(0), rows) as m:
            number = emit.read(source, builder.add(builder.mul(m, source_apart), n))
            place = builder.add(builder.mul(n, target_apart), m)
            builder.store(number, emit.advance(target, place))
        return context.get_dummy_value()

    return types.void(shape, *[types.int64] * 6), write


@lru_cache(maxsize=256)
def steps(shape: Shape) -> tuple[int, int, int, int]:
    """Addresses of the compiled `add_outer_products`, `copy_rows`, `add_chunks` and `turn`."""

    @inner
    def add_tile(
        source, taps, gradient, pixels, count, target, cells, skipped, left, going_on, ahead, pace,
        follow,
    ):  # fmt: skip
        add_outer_products(
            shape, source, taps, gradient, pixels, count, target, cells, skipped, left, going_on,
            ahead, pace, follow,
        )  # fmt: skip

    return entry(add_tile, (types.int64,) * 13), *_plain_steps(shape[-2:])


@lru_cache(maxsize=8)
def _plain_steps(shape: tuple[int, int]) -> tuple[int, int, int]:
    """The steps that depend on the dtype alone."""

    @inner
    def lay_out_rows(source, apart, target, width, count, left):
        copy_rows(shape, source, apart, target, width, count, left)

    @inner
    def add_all_chunks(source, apart, chunks, target, count):
        add_chunks(shape, source, apart, chunks, target, count)

    @inner
    def turn_all(source, source_apart, target, target_apart, rows, count):
        turn(shape, source, source_apart, target, target_apart, rows, count)

    made = (lay_out_rows, 6), (add_all_chunks, 5), (turn_all, 6)
    first, second, third = (entry(step, (types.int64,) * count) for step, count in made)
    return first, second, third


@intrinsic
def tick(typing_context, board, place):
    """Count up one number of a board that all threads share, and give what it was before.

    What a thread wrote before its tick is seen by those that tick later.
    """

    def write(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        counter = builder.gep(array.data, [arguments[1]])
        return builder.atomic_rmw("add", counter, ir.Constant(INDEX, 1), "acq_rel")

    return types.int64(board, types.int64), write
