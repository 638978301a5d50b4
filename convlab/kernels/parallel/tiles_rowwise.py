"""Register tiles whose lanes are numbers of an image row, for images of few channels.

A row of an image is a run of numbers, pixel after pixel, and so is a row of the result. Where a
filter sees one channel and both step by one pixel, a vector of the result needs for each tap a
vector of the image, some pixels further on, and weights that repeat with the channels. A vector
of the image, once fetched, serves every row of the tile that meets it.

Where the channels are fewer than the filters, each number of the image is fetched into `spread`
lanes; where they are more, `folded` lanes are summed in the end.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import Emitter, Vector
from convlab.kernels.parallel.tiles_channelwise import (
    AT_ONCE,
    Slide,
    call,
    if_bit,
    lane_places,
    load_some,
    spread,
    walk,
)


class Span:
    """The lanes of a vector whose numbers lie in a row; the rest are left alone."""

    def __init__(self, emit: Emitter, place: ir.Value, width: ir.Value) -> None:
        self.emit, builder = emit, emit.builder
        places = builder.add(lane_places(emit), spread(emit, place))
        # As numbers without sign, what lies before the row is larger than any width.
        self.mask = builder.icmp_unsigned("<", places, spread(emit, width))

    def load(self, pointer: ir.Value) -> Vector:
        """Zeros for the rest, whose memory is not touched."""
        emit = self.emit
        arguments = [self._vectors(pointer), self._align(), self.mask, emit.zero().value]
        return Vector(emit, emit._call("masked.load", arguments, emit.type))

    def store(self, vector: Vector, pointer: ir.Value) -> None:
        """Nothing for the rest."""
        arguments = [vector.value, self._vectors(pointer), self._align(), self.mask]
        self.emit._call("masked.store", arguments, ir.VoidType())

    def choose(self, inside: Vector, outside: Vector) -> Vector:
        """One vector's lanes, and for the rest another's."""
        value = self.emit.builder.select(self.mask, inside.value, outside.value)
        return Vector(self.emit, value)

    def _vectors(self, pointer: ir.Value) -> ir.Value:
        return self.emit.builder.bitcast(pointer, self.emit.type.as_pointer())

    def _align(self) -> ir.Constant:
        return ir.Constant(ir.IntType(32), self.emit.itemsize)


class Form(NamedTuple):
    """What the lanes of a tile are.

    Attributes
    ----------
    vectors : int
        Side by side.
    shared : int
        1 where all of them have the same weights.
    spread : int
        Lanes that each number of the source is fetched into.
    folded : int
        Lanes that are summed up to a number of the target.
    edges : int
        1 where some of what is met may lie beside the row.
    """

    vectors: int
    shared: int
    spread: int
    folded: int
    edges: int


def fetch(emit: Emitter, numbers: ir.Value, place: ir.Value, width: ir.Value | None,
          first: int, times: int) -> Vector:  # fmt: skip
    """A vector of a row, from lane ``first`` on, with each number in several lanes.

    Only what lies in the row is touched, of which there is ``width``; None where all does.
    """
    skipped, rest = divmod(first, times)
    pointer = emit.advance(numbers, skipped)
    if width is not None:
        at = emit.builder.add(place, emit.index(skipped))
        vector = Span(emit, at, width).load(pointer)
    else:
        vector = load_some(emit, (rest + emit.lanes - 1) // times + 1, pointer)
    if times == 1:
        return vector
    places = [(rest + lane) // times for lane in range(emit.lanes)]
    return emit.shuffle(vector, vector, places)


def fold(emit: Emitter, vectors: list[Vector], count: int) -> list[Vector]:
    """Sums of ``count`` numbers side by side, of vectors that lie side by side."""
    folded = []
    for first in range(0, len(vectors), count):
        parts = vectors[first : first + count]
        total = _every(emit, parts, count, 0)
        for start in range(1, count):
            total = total + _every(emit, parts, count, start)
        folded.append(total)
    return folded


def _every(emit: Emitter, parts: list[Vector], step: int, start: int) -> Vector:
    """Every so-manieth number of some vectors."""
    lanes = emit.lanes
    wanted = [divmod(start + step * lane, lanes) for lane in range(lanes)]
    vector = parts[0]
    places = [lane if part == 0 else 0 for part, lane in wanted]
    vector = emit.shuffle(vector, vector, places)
    for n, other in enumerate(parts[1:], start=1):
        places = [lanes + lane if part == n else at for at, (part, lane) in enumerate(wanted)]
        vector = emit.shuffle(vector, other, places)
    return vector


@intrinsic(prefer_literal=True)
def slide_along_rows(
    typing_context, shape, like, source, down, masks, chunks, chunk_step, weights, bias,
    kernel_columns, tap_step, place, width, target, target_down, target_place, target_width, count
):  # fmt: skip
    """Sums of products for some rows of the target, over some vectors of numbers side by side.

    Parameters
    ----------
    shape : tuple of int
        The fields of a `Form`, then the taps of a last chunk that is shorter than the others or
        0, then the fields of a `Slide`, then lanes.
    like : array
        Anything of the dtype to compute in.
    source, down : int
        Address of the first source row; numbers from one to the next.
    masks, chunks, chunk_step : int
        Address of a mask for each chunk of kernel rows: a bit for each of the `meetings`, 1 where
        that row lies in the source. Chunks that are not the shorter one. Numbers from what one
        chunk meets to what the next does.
    weights, bias : int
        Addresses. Weights lie as ``(vectors, chunks, kernel columns, taps, lanes)``.
    kernel_columns, tap_step : int
        How many, and numbers from what one of them meets to what the next does.
    place, width : int
        What the first lane meets in a source row, at the first kernel column; numbers in a row.
    target, target_down, target_place, target_width : int
        Address of the first target row, numbers from one to the next, the first number's place
        and the numbers in a row.
    count : int
        Target rows to be written.
    """
    numbers = [number.literal_value for number in shape]
    signature = types.void(shape, like, *[types.int64] * 16)

    def write(context, builder, signature, arguments):
        body = _write_rows
        return call(context, builder, like, "rows", numbers, body, arguments[2:])

    return signature, write


def _write_rows(shape, emit, *numbers):
    form, rest, slide = Form(*shape[:5]), shape[5], Slide(*shape[6:12])
    _Rows(emit, form, rest, slide).write(*numbers)


class _Rows:
    """Sums in registers: ``places`` of a slide by ``vectors``."""

    def __init__(self, emit: Emitter, form: Form, rest: int, slide: Slide) -> None:
        self.emit, self.form, self.slide = emit, form, slide
        self.rest, self.vectors = slide._replace(taps=rest), range(form.vectors)
        self.sums = [[emit.variable() for _ in self.vectors] for _ in range(slide.places)]

    def write(
        self, source, down, masks, chunks, chunk_step, weights, bias, kernel_columns, tap_step,
        place, width, target, target_down, target_place, target_width, count,
    ):  # fmt: skip
        emit, builder = self.emit, self.emit.builder
        self.down, self.width, masks = down, width, emit.table(masks)
        source, weights = emit.pointer(source), emit.pointer(weights)
        tap_size, rest_size = (s.taps * emit.lanes for s in (self.slide, self.rest))
        chunk_size = builder.mul(kernel_columns, emit.index(tap_size))
        self.vector_size = builder.add(
            builder.mul(chunks, chunk_size), builder.mul(kernel_columns, emit.index(rest_size))
        )
        outputs = list(self._outputs(emit.advance(emit.pointer(target), target_place), target_down))
        self._begin(emit.pointer(bias), outputs)
        ends = emit.index(0), chunks, builder.add(chunks, emit.index(1))
        slides = (self.slide, self.rest) if self.rest.taps else (self.slide,)
        for slide, first, end in zip(slides, ends, ends[1:], strict=False):
            with emit.loop(first, end) as chunk:
                mask = emit.read(masks, chunk)
                row = emit.advance(source, builder.mul(chunk, chunk_step))
                near = emit.advance(weights, builder.mul(chunk, chunk_size))
                with emit.loop(emit.index(0), kernel_columns) as column:
                    at = builder.add(place, builder.mul(column, tap_step))
                    size = emit.index(slide.taps * emit.lanes)
                    self._add(slide, row, at, mask, emit.advance(near, builder.mul(column, size)))
        self._end(outputs, target_place, target_width, count)

    def _outputs(self, row, down):
        for _ in range(self.slide.places):
            yield row
            row = self.emit.advance(row, down)

    def _begin(self, bias, outputs):
        """Start from the bias, and ask for the lines that the sums will be written to."""
        emit = self.emit
        starts = [emit.load(bias, 0 if self.form.shared else v * emit.lanes) for v in self.vectors]
        for output, row in zip(outputs, self.sums, strict=True):
            for v, total in enumerate(row):
                emit.put(starts[v], total)
                if v < len(row) // self.form.folded:
                    emit.prefetch(output, v * emit.lanes, write=True)

    def _add(self, slide, row, place, mask, weights):
        """One kernel column of a chunk."""
        emit, builder, form = self.emit, self.emit.builder, self.form
        numbers = emit.advance(row, place)
        for v in self.vectors:
            if v == 0 or not form.shared:
                taps = [emit.load(weights, t * emit.lanes) for t in range(slide.taps)]
                weights = emit.advance(weights, self.vector_size)
            first, span, width = v * emit.lanes, None, None
            if form.edges:
                times, width = emit.index(form.spread), self.width
                at = builder.add(builder.mul(place, times), emit.index(first))
                span = Span(emit, at, builder.mul(width, times))
            for bit, near, pairs in walk(emit, numbers, self.down, slide):
                with if_bit(emit, mask, bit):
                    vector = fetch(emit, near, place, width, first, form.spread)
                    for p, tap in pairs:
                        total = self.sums[p][v]
                        grow(emit, vector, taps[tap], total, span)

    def _end(self, outputs, place, width, count):
        emit, builder, form = self.emit, self.emit.builder, self.form
        written = range(0, form.vectors // form.folded * emit.lanes, emit.lanes)
        spans: list[Span | None] = [None for _ in written]
        if form.edges:
            spans = [Span(emit, builder.add(place, emit.index(n)), width) for n in written]
        for p, (output, row) in enumerate(zip(outputs, self.sums, strict=True)):
            wanted = builder.icmp_signed(">", count, emit.index(p))
            with builder.if_then(wanted, likely=True):
                sums = fold(emit, [emit.get(total) for total in row], form.folded)
                for n, span, total in zip(written, spans, sums, strict=True):
                    if span:
                        span.store(total, emit.advance(output, n))
                    else:
                        emit.store(total, output, n)


def grow(emit: Emitter, vector: Vector, factor: Vector, total: ir.Value, span: Span | None) -> None:
    """Add a product to a sum, in those lanes that lie in the row."""
    before = emit.get(total)
    after = emit.fma(vector, factor, before)
    emit.put(span.choose(after, before) if span else after, total)


@intrinsic(prefer_literal=True)
def correlate_rows(
    typing_context, shape, like, source, down, mask, place, width, gradient, gradient_down,
    gradient_place, gradient_width, count, steps, sums, vector_step
):  # fmt: skip
    """Add to the sums of some weights what they met in some vectors of some rows.

    Parameters
    ----------
    shape : tuple of int
        The fields of a `Form`, then vectors from one step to the next, then the fields of a
        `Slide`, then lanes.
    like : array
        Anything of the dtype to compute in.
    source, down, mask : int
        Address of the first image row, numbers from one to the next, and a mask for the rows: a
        bit for each of the `meetings`, 1 where that row lies in the image.
    place, width : int
        The first lane's place in an image row, and numbers in a row.
    gradient, gradient_down, gradient_place, gradient_width, count : int
        The same for the gradient; how many of its rows there are.
    steps : int
        How many.
    sums, vector_step : int
        Address of the sums, ``(taps, lanes)`` for each vector; numbers from one vector's to the
        next's.
    """
    numbers = [number.literal_value for number in shape]
    signature = types.void(shape, like, *[types.int64] * 13)

    def write(context, builder, signature, arguments):
        body = _write_correlation
        return call(context, builder, like, "correlate_rows", numbers, body, arguments[2:])

    return signature, write


def _write_correlation(shape, emit, *numbers):
    _Correlation(emit, Form(*shape[:5]), shape[5], Slide(*shape[6:12])).write(*numbers)


class _Correlation:
    """Sums in registers: a vector for each tap, or more than one."""

    def __init__(self, emit: Emitter, form: Form, distance: int, slide: Slide) -> None:
        self.emit, self.form, self.slide = emit, form, slide
        self.distance, self.vectors = distance * emit.lanes, range(form.vectors)
        self.shares = min(slide.places, -(-AT_ONCE // (slide.taps * form.vectors)))
        self.sums = [
            [[emit.variable() for _ in range(self.shares)] for _ in range(slide.taps)]
            for _ in self.vectors
        ]

    def write(
        self, source, down, mask, place, width, gradient, gradient_down, gradient_place,
        gradient_width, count, steps, sums, vector_step,
    ):  # fmt: skip
        emit, builder, form = self.emit, self.emit.builder, self.form
        self.down, self.width, self.mask = down, width, mask
        self.gradient_down, self.gradient_width, self.count = gradient_down, gradient_width, count
        source, gradient = emit.pointer(source), emit.pointer(gradient)
        for total in (total for taps in self.sums for shares in taps for total in shares):
            emit.put(emit.zero(), total)
        sizes = [emit.index(self.distance // times) for times in (form.spread, form.folded)]
        with emit.loop(emit.index(0), steps) as step:
            here, there = (
                builder.add(start, builder.mul(step, size))
                for start, size in zip((place, gradient_place), sizes, strict=True)
            )
            for v in self.vectors:
                pixels, upstream = emit.advance(source, here), emit.advance(gradient, there)
                self._add(v, pixels, here, upstream, there)
        self._end(emit.pointer(sums), vector_step)

    def _add(self, v, pixels, place, upstream, gradient_place):
        """What a vector of each row of the gradient meets."""
        emit, form, first = self.emit, self.form, v * self.emit.lanes
        widths, spans = [None] * self.slide.places, [None] * self.slide.places
        if form.edges:
            widths = list(self._widths())
            spans = list(self._spans(first, place, gradient_place, widths))
        factors = []
        for width in widths:
            factors.append(fetch(emit, upstream, gradient_place, width, first, form.folded))
            upstream = emit.advance(upstream, self.gradient_down)
        width = self.width if form.edges else None
        for bit, near, pairs in walk(emit, pixels, self.down, self.slide):
            with if_bit(emit, self.mask, bit):
                vector = fetch(emit, near, place, width, first, form.spread)
                for p, tap in pairs:
                    total = self.sums[v][tap][p % self.shares]
                    grow(emit, vector, factors[p], total, spans[p])

    def _widths(self):
        """Numbers in each row of the gradient; none where there is no such row."""
        builder = self.emit.builder
        for p in range(self.slide.places):
            wanted = builder.icmp_signed(">", self.count, self.emit.index(p))
            yield builder.select(wanted, self.gradient_width, self.emit.index(0))

    def _spans(self, first, place, gradient_place, widths):
        """The lanes of each row of the gradient whose number, and what it meets, exist."""
        emit, form = self.emit, self.form
        near = self._span(first, place, self.width, form.spread)
        for width in widths:
            span = self._span(first, gradient_place, width, form.folded)
            span.mask = emit.builder.and_(span.mask, near.mask)
            yield span

    def _span(self, first, place, width, times):
        emit, builder = self.emit, self.emit.builder
        at = builder.add(builder.mul(place, emit.index(times)), emit.index(first))
        return Span(emit, at, builder.mul(width, emit.index(times)))

    def _end(self, target, vector_step):
        """Add the sums to what earlier vectors gave."""
        emit = self.emit
        for taps in self.sums:
            for tap, shares in enumerate(taps):
                after = emit.load(target, tap * emit.lanes)
                for share in shares:
                    after = after + emit.get(share)
                emit.store(after, target, tap * emit.lanes)
            target = emit.advance(target, vector_step)
