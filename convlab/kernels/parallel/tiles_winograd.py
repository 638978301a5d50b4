"""Winograd's transforms as instructions: one vector of channels, or of filters, at a time.

The formulas are those of `transforms`; here is what fetches the vectors that they work on, and
where the results go. As in `tiles`, addresses are whole numbers and steps count elements.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import INDEX, Check, Emitter, Vector
from convlab.kernels.parallel.transforms import (
    input_transform,
    kernel_transform,
    output_transform,
)

TAPS = 3  # of a kernel, along each axis


@intrinsic(prefer_literal=True)
def transform_input(
    typing_context, shape, like, source, down, right, target, step, channels
):
    """The input transform of one tile, for all channels.

    Parameters
    ----------
    shape : (int, int)
        Outputs of a tile along each axis; lanes of a vector.
    like : array
        Anything of the dtype to compute in.
    source : int
        Address of the tile's first pixel.
    down, right : int
        From one row of the source to the next, and from one pixel to the next.
    target : int
        Address of the first position's values. They fill whole vectors, the last one with zeros.
    step : int
        From one position to the next.
    channels : int
    """
    return _written("transform_input", _write_input, shape, like,
                    source, down, right, target, step, channels)  # fmt: skip


@intrinsic(prefer_literal=True)
def transform_kernel(
    typing_context, shape, like, source, tap, down, count, filters, target, step
):
    """The kernel transform of a panel of filters, for some channels.

    Parameters
    ----------
    shape : (int, int, int)
        Outputs of a tile along each axis; vectors of a panel; lanes of a vector.
    like : array
    source : int
        Address of the weight of the first tap, channel and filter. Filters lie side by side.
    tap, down : int
        From one tap to the next (less than zero for a kernel turned by 180 degrees), and from
        one channel to the next.
    count : int
        Channels.
    filters : int
        Filters that there are; the other lanes of the panel are filled with zeros.
    target : int
        Address of the first position's values: ``(channels, panel)``.
    step : int
        From one position to the next.
    """
    return _written("transform_kernel", _write_kernel, shape, like,
                    source, tap, down, count, filters, target, step)  # fmt: skip


@intrinsic(prefer_literal=True)
def transform_output(
    typing_context, shape, like, source, step, bias, target, down, right, rows, columns, filters,
    spoiled,
):  # fmt: skip
    """The output transform of one tile, for a panel of filters; the bias is added at the end.

    Parameters
    ----------
    shape : (int, int, int)
        Outputs of a tile along each axis; vectors of a panel; lanes of a vector.
    like : array
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
    return _written("transform_output", _write_output, shape, like,
                    source, step, bias, target, down, right, rows, columns, filters, spoiled)  # fmt: skip


def _written(name: str, body: Any, shape: Any, like: Any, *numbers: Any) -> tuple[Any, Any]:
    """Signature and writer of an intrinsic that takes a shape, a dtype and whole numbers."""
    sizes = [number.literal_value for number in shape]

    def write(context, builder, signature, arguments):
        element = context.get_value_type(like.dtype)
        full = ".".join(["convlab", name, str(element), *map(str, sizes)])
        emit = Emitter(builder, element, sizes[-1])
        function = emit.function(full, len(numbers), partial(body, *sizes[:-1]))
        builder.call(function, arguments[2:])
        return context.get_dummy_value()

    return types.void(shape, like, *[types.int64] * len(numbers)), write


def _write_input(size, emit, source, down, right, target, step, channels):
    source, target = emit.pointer(source), emit.pointer(target)
    edge = size + TAPS - 1
    pixels = _grid(emit, source, down, right, edge, edge)
    with emit.loop(emit.index(0), channels, emit.lanes) as channel:
        places = [emit.advance(pixel, channel) for pixel in pixels]
        tile = _fetch(emit, places, emit.builder.sub(channels, channel))
        values = input_transform(_rows(tile, edge), size)
        _spread(emit, values, emit.advance(target, channel), step)


def _write_kernel(size, vectors, emit, source, tap, down, count, filters, target, step):
    builder = emit.builder
    source, target = emit.pointer(source), emit.pointer(target)
    taps = _grid(emit, source, builder.mul(tap, emit.index(TAPS)), tap, TAPS, TAPS)
    with emit.loop(emit.index(0), count) as channel:
        first = builder.mul(channel, down)
        into = emit.advance(target, builder.mul(channel, emit.index(vectors * emit.lanes)))
        with emit.loop(emit.index(0), emit.index(vectors * emit.lanes), emit.lanes) as lane:
            places = [emit.advance(t, builder.add(first, lane)) for t in taps]
            kernel = _fetch(emit, places, builder.sub(filters, lane))
            values = kernel_transform(_rows(kernel, TAPS), size)
            _spread(emit, values, emit.advance(into, lane), step)


def _write_output(size, vectors, emit, source, step, bias, target, down, right, rows, columns,
                  filters, spoiled):  # fmt: skip
    builder = emit.builder
    source, bias, target = (emit.pointer(n) for n in (source, bias, target))
    edge = size + TAPS - 1
    places = _grid(emit, target, down, right, size, size)
    whole = builder.and_(
        builder.icmp_signed(">=", rows, emit.index(size)),
        builder.icmp_signed(">=", columns, emit.index(size)),
    )
    check = emit.check()
    with emit.loop(emit.index(0), emit.index(vectors * emit.lanes), emit.lanes) as lane:
        sums = [
            emit.load(emit.advance(emit.advance(source, lane), builder.mul(step, emit.index(n))))
            for n in range(edge * edge)
        ]
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
    return [
        emit.advance(
            first,
            builder.add(
                builder.mul(down, emit.index(i)), builder.mul(right, emit.index(j))
            ),
        )
        for i in range(rows)
        for j in range(columns)
    ]  # fmt: skip


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
        place = emit.builder.mul(step, emit.index(n))
        emit.store(value, target, place)


def _rows(line: list[Vector], width: int) -> list[list[Vector]]:
    return [line[n : n + width] for n in range(0, len(line), width)]
