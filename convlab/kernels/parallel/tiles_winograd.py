"""The four steps of Winograd's convolution as instructions: transforms, and products between them.

The formulas are those of `transforms`; here is what fetches the vectors that they work on, and
where the results go. Each step is compiled on its own and called by its address, so that the
loops around it are compiled once, for tiles of all shapes and for all dtypes. As in `tiles`,
pointers are whole numbers, and steps count elements.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import INDEX, Check, Emitter, Vector
from convlab.kernels.parallel.launch import inner
from convlab.kernels.parallel.steps import entry
from convlab.kernels.parallel.tiles import RegisterTile
from convlab.kernels.parallel.transforms import (
    input_transform,
    kernel_transform,
    output_transform,
)

TAPS = 3  # of a kernel, along each axis
ELEMENTS = {4: ir.FloatType(), 8: ir.DoubleType()}  # by the bytes of a number


class Steps(NamedTuple):
    """The addresses of the compiled steps, for one size of tiles and one register tile."""

    transform_input: int
    transform_kernel: int
    transform_turned_kernel: int
    multiply: int
    transform_output: int


@lru_cache(maxsize=256)
def steps(size: int, shape: tuple[int, int, int], itemsize: int, which: tuple[str, ...]) -> Steps:
    """Compile steps; those that are not named are not, and their address is 0.

    Parameters
    ----------
    size : {2, 4}
        Outputs of a tile along each axis.
    shape : (int, int, int)
        The register tile: pixels (which are tiles here), vectors, lanes.
    itemsize : {4, 8}
        For float32 or float64.
    which : tuple of str
        Names of steps.
    """
    pixels, vectors, lanes = shape
    makers = {
        "transform_input": lambda: _input_step((size, lanes, itemsize)),
        "transform_kernel": lambda: _kernel_step((size, vectors, lanes, itemsize)),
        "transform_turned_kernel": lambda: _turned_step((size, vectors, lanes, itemsize)),
        "multiply": lambda: _products_step((size, pixels, vectors, lanes, itemsize)),
        "transform_output": lambda: _output_step((size, vectors, lanes, itemsize)),
    }
    return Steps(*(makers[name]() if name in which else 0 for name in Steps._fields))


@lru_cache(maxsize=64)
def _input_step(shape: tuple[int, ...]) -> int:
    @inner
    def transform_input_step(
        source, down, right, row, column, height, width, zeros, target, step, channels
    ):
        transform_input(
            shape, source, down, right, row, column, height, width, zeros, target, step, channels
        )

    return entry(transform_input_step, (types.int64,) * 11)


@lru_cache(maxsize=64)
def _kernel_step(shape: tuple[int, ...]) -> int:
    @inner
    def transform_kernel_step(source, tap, down, count, filters, target, step):
        transform_kernel(shape, source, tap, down, count, filters, target, step)

    return entry(transform_kernel_step, (types.int64,) * 7)


@lru_cache(maxsize=64)
def _turned_step(shape: tuple[int, ...]) -> int:
    @inner
    def transform_turned_kernel_step(source, tap, down, count, filters, target, step):
        transform_turned_kernel(shape, source, tap, down, count, filters, target, step)

    return entry(transform_turned_kernel_step, (types.int64,) * 7)


@lru_cache(maxsize=64)
def _products_step(shape: tuple[int, ...]) -> int:
    @inner
    def multiply_step(
        groups, values, places, values_step, weights, weights_step, run, going_on, sums, sums_step
    ):
        multiply(
            shape, groups, values, places, values_step, weights, weights_step, run, going_on, sums,
            sums_step,
        )  # fmt: skip

    return entry(multiply_step, (types.int64,) * 10)


@lru_cache(maxsize=64)
def _output_step(shape: tuple[int, ...]) -> int:
    @inner
    def transform_output_step(
        source, step, bias, target, down, right, rows, columns, filters, spoiled
    ):
        transform_output(
            shape, source, step, bias, target, down, right, rows, columns, filters, spoiled
        )

    return entry(transform_output_step, (types.int64,) * 10)


# --- the steps ------------------------------------------------------------------------------------


@intrinsic(prefer_literal=True)
def transform_input(
    typing_context, shape, source, down, right, row, column, height, width, zeros, target, step,
    channels,
):  # fmt: skip
    """The input transform of one tile, for some channels.

    Parameters
    ----------
    shape : (int, int, int)
        Outputs of a tile along each axis; lanes of a vector; bytes of a number.
    source : int
        Address of the tile's first pixel.
    down, right : int
        From one row of the source to the next, and from one pixel to the next.
    row, column, height, width : int
        Where in its image that pixel is, and the size of the image. Pixels outside are zero.
    zeros : int
        Address of as many zeros as there are channels.
    target : int
        Address of the first position's values. They fill whole vectors, the last one with zeros.
    step : int
        From one position to the next.
    channels : int
    """
    return _step(shape, _write_input, 11)


@intrinsic(prefer_literal=True)
def transform_kernel(typing_context, shape, source, tap, down, count, filters, target, step):
    """The kernel transform of a panel of filters, for some channels.

    Parameters
    ----------
    shape : (int, int, int, int)
        Outputs of a tile along each axis; vectors of a panel; lanes of a vector; bytes.
    source : int
        Address of the weight of the first tap, channel and filter. Filters lie side by side.
    tap, down : int
        From one tap to the next, and from one channel to the next.
    count : int
        Channels.
    filters : int
        Filters that there are; the other lanes of the panel are filled with zeros.
    target : int
        Address of the first position's values: ``(channels, panel)``.
    step : int
        From one position to the next.
    """
    return _step(shape, _write_kernel, 7)


@intrinsic(prefer_literal=True)
def transform_turned_kernel(
    typing_context, shape, source, tap, down, count, filters, target, step
):
    """The same for an input gradient: channels lie side by side, and taps come from the last on.

    Parameters
    ----------
    shape : (int, int, int, int)
    source : int
        Address of the weight of the first tap, filter and channel.
    tap, down : int
        From one tap to the next, and from one filter to the next.
    count, filters, target, step : int
        As for `transform_kernel`.
    """
    return _step(shape, _write_turned_kernel, 7)


@intrinsic(prefer_literal=True)
def multiply(
    typing_context, shape, groups, values, places, values_step, weights, weights_step, run,
    going_on, sums, sums_step,
):  # fmt: skip
    """The sums of products of each position, for a block of tiles and a panel of filters.

    Parameters
    ----------
    shape : (int, int, int, int, int)
        Outputs of a tile along each axis; pixels, vectors, lanes of the register tile; bytes.
    groups : int
        Register tiles: as many times `pixels` are the tiles of the block.
    values : int
        Address of the first tile's values, at the first position.
    places : int
        Address of a table: from the first tile's values to those of each tile of a group, and
        to those of the next group.
    weights : int
        Address of the first position's weights: ``(run, panel)``.
    values_step, weights_step, sums_step : int
        From one position to the next.
    run : int
        Channels.
    going_on : int
        Whether the sums go on from what is there; else they begin with zero.
    sums : int
        Address of the first position's sums: ``(tiles, panel)``.
    """
    return _step(shape, _write_products, 10)


@intrinsic(prefer_literal=True)
def transform_output(
    typing_context, shape, source, step, bias, target, down, right, rows, columns, filters, spoiled
):
    """The output transform of one tile, for a panel of filters; the bias is added at the end.

    Parameters
    ----------
    shape : (int, int, int, int)
        Outputs of a tile along each axis; vectors of a panel; lanes of a vector; bytes.
    source : int
        Address of the first position's sums.
    step : int
        From one position to the next.
    bias : int
        Address of a whole panel.
    target : int
        Address of the tile's first output.
    down, right : int
        From one row of outputs to the next, and from one output to the next.
    rows, columns : int
        Outputs of the tile that there are; others are not written.
    filters : int
        Filters that there are; other lanes are not written.
    spoiled : int
        Address of a whole number that becomes other than 0 if an output is not finite.
    """
    return _step(shape, _write_output, 10)


def _step(shape: Any, body: Any, count: int) -> tuple[Any, Any]:
    """Signature and writer of an intrinsic that takes a shape and whole numbers."""
    *sizes, lanes, itemsize = (number.literal_value for number in shape)

    def write(context, builder, signature, arguments):
        body(*sizes, Emitter(builder, ELEMENTS[itemsize], lanes), *arguments[1:])
        return context.get_dummy_value()

    return types.void(shape, *[types.int64] * count), write


def _write_input(size, emit, source, down, right, row, column, height, width, zeros, target, step,
                 channels):  # fmt: skip
    builder, edge = emit.builder, size + TAPS - 1
    source, zeros, target = (emit.pointer(n) for n in (source, zeros, target))

    def inside(first, extent):  # as numbers without a sign, those below zero are large
        places = (builder.add(first, emit.index(n)) for n in range(edge))
        return [builder.icmp_unsigned("<", place, extent) for place in places]

    seen = [(i, j) for i in inside(row, height) for j in inside(column, width)]
    pixels = [
        builder.select(builder.and_(i, j), pixel, zeros)
        for (i, j), pixel in zip(seen, _grid(emit, source, down, right, edge, edge), strict=True)
    ]
    with emit.loop(emit.index(0), channels, emit.lanes) as channel:
        places = [emit.advance(pixel, channel) for pixel in pixels]
        tile = _fetch(emit, places, builder.sub(channels, channel))
        values = input_transform(_rows(tile, edge), size)
        _spread(emit, values, emit.advance(target, channel), step)


def _write_kernel(size, vectors, emit, source, tap, down, count, filters, target, step):
    builder, width = emit.builder, vectors * emit.lanes
    source, target = emit.pointer(source), emit.pointer(target)
    taps = _grid(emit, source, builder.mul(tap, emit.index(TAPS)), tap, TAPS, TAPS)
    with emit.loop(emit.index(0), count) as channel:
        first = builder.mul(channel, down)
        into = emit.advance(target, builder.mul(channel, emit.index(width)))
        with emit.loop(emit.index(0), emit.index(width), emit.lanes) as lane:
            places = [emit.advance(t, builder.add(first, lane)) for t in taps]
            kernel = _fetch(emit, places, builder.sub(filters, lane))
            values = kernel_transform(_rows(kernel, TAPS), size)
            _spread(emit, values, emit.advance(into, lane), step)


def _write_turned_kernel(size, vectors, emit, source, tap, down, count, filters, target, step):
    builder, lanes, width = emit.builder, emit.lanes, vectors * emit.lanes
    source, target = emit.pointer(source), emit.pointer(target)
    # A square of channels and filters for each tap: too many vectors for the registers.
    room = cgutils.alloca_once(builder, ir.ArrayType(emit.type, TAPS * TAPS * lanes))
    room.align = lanes * emit.itemsize
    room = builder.bitcast(room, emit.element.as_pointer())
    with (
        emit.loop(emit.index(0), count, lanes) as first,
        emit.loop(emit.index(0), emit.index(width), lanes) as lane,
    ):
        channels, there = builder.sub(count, first), builder.sub(filters, lane)
        with emit.loop(emit.index(0), emit.index(TAPS * TAPS)) as t:
            turned = builder.mul(tap, builder.sub(emit.index(TAPS * TAPS - 1), t))
            corner = emit.advance(source, builder.add(turned, first))
            square = _square(emit, emit.advance(corner, builder.mul(lane, down)), down,
                             there, channels)  # fmt: skip
            to = emit.advance(room, builder.mul(t, emit.index(lanes * lanes)))
            for n, vector in enumerate(square):
                emit.store(vector, to, n * lanes)
        rows = builder.select(
            builder.icmp_signed("<", channels, emit.index(lanes)), channels, emit.index(lanes)
        )
        with emit.loop(emit.index(0), rows) as n:
            row = emit.advance(room, builder.mul(n, emit.index(lanes)))
            kernel = [emit.load(row, t * lanes * lanes) for t in range(TAPS * TAPS)]
            into = emit.advance(
                target, builder.add(builder.mul(builder.add(first, n), emit.index(width)), lane)
            )
            _spread(emit, kernel_transform(_rows(kernel, TAPS), size), into, step)


def _square(emit, source, down, rows, columns) -> list[Vector]:
    """A square with rows and columns exchanged. What lies beyond either is zero, and not read."""
    builder, vectors = emit.builder, []
    for n in range(emit.lanes):
        there = builder.icmp_signed(">", rows, emit.index(n))
        count = builder.select(there, columns, emit.index(0))
        place = builder.select(there, builder.mul(down, emit.index(n)), emit.index(0))
        vectors.append(emit.load_first(count, emit.advance(source, place)))
    return emit.transpose(vectors)


def _write_products(size, pixels, vectors, emit, groups, values, places, values_step, weights,
                    weights_step, run, going_on, sums, sums_step):  # fmt: skip
    builder, width = emit.builder, vectors * emit.lanes
    values, weights, sums = (emit.pointer(n) for n in (values, weights, sums))
    places = emit.table(places)
    tile, full = RegisterTile(emit, pixels, vectors), emit.index(width)
    # Zeros to begin with, unless the sums go on from what is there.
    zeros = cgutils.alloca_once(builder, ir.ArrayType(emit.type, vectors))
    zeros = builder.bitcast(zeros, emit.element.as_pointer())
    for v in range(vectors):
        emit.store(emit.zero(), zeros, v * emit.lanes)
    nothing = ir.Constant(zeros.type, None)
    beginning = builder.select(
        builder.icmp_signed("==", going_on, emit.index(0)), zeros, nothing
    )
    weight = cgutils.alloca_once(builder, weights.type)
    apart = emit.read(places, pixels)
    with (
        emit.loop(emit.index(0), emit.index((size + TAPS - 1) ** 2)) as position,
        emit.loop(emit.index(0), groups) as group,
    ):
        first = builder.mul(group, emit.index(pixels))
        seen = emit.advance(values, builder.mul(position, values_step))
        seen = emit.advance(seen, builder.mul(group, apart))
        made = emit.advance(sums, builder.mul(position, sums_step))
        made = emit.advance(made, builder.mul(first, full))
        inputs = [emit.advance(seen, emit.read(places, p)) for p in range(pixels)]
        outputs = [emit.advance(made, p * width) for p in range(pixels)]
        builder.store(emit.advance(weights, builder.mul(position, weights_step)), weight)
        tile.begin(beginning, outputs, full)
        tile.add_run(inputs, emit.index(0), run, weight)
        tile.end(outputs, full)


def _write_output(size, vectors, emit, source, step, bias, target, down, right, rows, columns,
                  filters, spoiled):  # fmt: skip
    builder, edge = emit.builder, size + TAPS - 1
    source, bias, target = (emit.pointer(n) for n in (source, bias, target))
    positions = _grid(emit, source, builder.mul(step, emit.index(edge)), step, edge, edge)
    places = _grid(emit, target, down, right, size, size)
    whole = builder.and_(
        builder.icmp_signed(">=", rows, emit.index(size)),
        builder.icmp_signed(">=", columns, emit.index(size)),
    )
    check = emit.check()
    with emit.loop(emit.index(0), emit.index(vectors * emit.lanes), emit.lanes) as lane:
        sums = [emit.load(position, lane) for position in positions]
        beginning = emit.load(bias, lane)
        outputs = [y + beginning for row in output_transform(_rows(sums, edge), size) for y in row]
        left = builder.sub(filters, lane)
        full = builder.and_(whole, builder.icmp_signed(">=", left, emit.index(emit.lanes)))
        with builder.if_else(full) as (then, otherwise):
            with then:
                for output, place in zip(outputs, places, strict=True):
                    emit.store(output, place, lane)
            with otherwise:
                for n, (output, place) in enumerate(zip(outputs, places, strict=True)):
                    there = builder.and_(
                        builder.icmp_signed(">", rows, emit.index(n // size)),
                        builder.icmp_signed(">", columns, emit.index(n % size)),
                    )
                    with builder.if_then(there):
                        emit.store_first(left, output, place, lane)
        for output in outputs:
            check.add(output)
    _note(emit, check, spoiled)


def _note(emit: Emitter, check: Check, spoiled: ir.Value) -> None:
    """Raise the flag if any lane of a check is NaN."""
    builder, flag, total = emit.builder, emit.table(spoiled), emit.get(check.total).value
    lanes = builder.fcmp_unordered("uno", total, total)
    bits = builder.zext(builder.bitcast(lanes, ir.IntType(emit.lanes)), INDEX)
    builder.store(builder.or_(builder.load(flag), bits), flag)


def _grid(emit, first, down, right, rows, columns) -> list[ir.Value]:
    """Pointers to the places of a grid, row by row."""
    builder = emit.builder
    across = [builder.mul(right, emit.index(j)) for j in range(columns)]
    along = [builder.mul(down, emit.index(i)) for i in range(rows)]
    return [emit.advance(first, builder.add(i, j)) for i in along for j in across]


def _fetch(emit: Emitter, places: Iterable[ir.Value], left: ir.Value) -> list[Vector]:
    """A vector from each place, of which only the first ``left`` numbers are there."""
    builder, places = emit.builder, list(places)
    variables = [emit.variable() for _ in places]
    full = builder.icmp_signed(">=", left, emit.index(emit.lanes))
    with builder.if_else(full) as (then, otherwise):
        with then:
            for place, variable in zip(places, variables, strict=True):
                emit.put(emit.load(place), variable)
        with otherwise:
            for place, variable in zip(places, variables, strict=True):
                emit.put(emit.load_first(left, place), variable)
    return [emit.get(variable) for variable in variables]


def _spread(emit: Emitter, values: list[list[Vector]], target: ir.Value, step: ir.Value) -> None:
    """Each position's vector to its own place."""
    for n, value in enumerate(value for row in values for value in row):
        emit.store(value, target, emit.builder.mul(step, emit.index(n)))


def _rows(line: list[Vector], width: int) -> list[list[Vector]]:
    return [line[n : n + width] for n in range(0, len(line), width)]
