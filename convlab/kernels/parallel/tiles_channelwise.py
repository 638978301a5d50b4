"""Register tiles whose lanes are filters, for filters that see one channel or few.

A number of the source, once it lies in a register, serves every tap of a kernel row that meets
it: `meetings` says which places of the source meet which places of the target, at which tap, and
the intrinsics write one block of instructions for each place of the source. What lies outside
the source is left out by a jump over its block: it is never multiplied by zero.

Several groups share a vector where they are narrower than it; `Fetch` brings to each lane the
channel that its filter sees, and no lane ever meets the channel of another group.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import itertools
from functools import partial
from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import Emitter, Vector


class Slide(NamedTuple):
    """One axis of a tile: places of the target next to each other, and taps.

    Forward, the place ``p`` and the tap ``t`` meet at the source ``p * stride + t * dilation``,
    counted from the first. Backward the source steps: ``q * stride = p + before - t * dilation``.
    """

    places: int
    taps: int
    stride: int
    dilation: int
    before: int
    backward: int


def meetings(slide: Slide) -> list[tuple[int, list[tuple[int, int]]]]:
    """Places of the source, ascending, each with the pairs (place of the target, tap) there.

    Examples
    --------
    >>> meetings(Slide(2, 2, 1, 1, 0, 0))
    [(0, [(0, 0)]), (1, [(0, 1), (1, 0)]), (2, [(1, 1)])]
    >>> meetings(Slide(2, 3, 2, 1, 1, 1))        # backward, with strides of 2
    [(0, [(0, 1), (1, 2)]), (1, [(1, 0)])]
    """
    found: dict[int, list[tuple[int, int]]] = {}
    for place in range(slide.places):
        for tap in range(slide.taps):
            if slide.backward:
                source, rest = divmod(place + slide.before - tap * slide.dilation, slide.stride)
            else:
                source, rest = place * slide.stride + tap * slide.dilation, 0
            if rest == 0:
                found.setdefault(source, []).append((place, tap))
    return sorted(found.items())


class Lanes(NamedTuple):
    """Which filters the lanes of one vector are: those of ``groups`` whole groups."""

    group_channels: int
    group_filters: int  # at most a vector's worth of each group
    groups: int
    width: int  # lanes of a vector

    @property
    def used(self) -> int:
        """Lanes that are filters; the others stay empty."""
        return self.groups * self.group_filters

    def channel(self, lane: int) -> int:
        """The first channel that a lane's filter sees."""
        return min(lane // self.group_filters, self.groups - 1) * self.group_channels


def lane_places(emit: Emitter) -> ir.Constant:
    """The lanes, counted."""
    kind = ir.VectorType(ir.IntType(64), emit.lanes)
    return ir.Constant(kind, [emit.index(lane) for lane in range(emit.lanes)])


def spread(emit: Emitter, number: ir.Value) -> ir.Value:
    """A whole number for each lane."""
    return Emitter(emit.builder, ir.IntType(64), emit.lanes).broadcast(number).value


def load_some(emit: Emitter, count: int, pointer: ir.Value, place: ir.Value | int = 0) -> Vector:
    """The first lanes, so many; a plain load where that is all of them."""
    if count >= emit.lanes:
        return emit.load(pointer, place)
    return emit.load_first(emit.index(count), pointer, place)


def store_some(emit: Emitter, count: int, vector: Vector, pointer: ir.Value) -> None:
    """Write the first lanes, so many; a plain store where that is all of them."""
    if count >= emit.lanes:
        emit.store(vector, pointer)
    else:
        emit.store_first(emit.index(count), vector, pointer)


def if_bit(emit: Emitter, mask: ir.Value, bit: int):
    """The instructions written inside are done where the bit is set, as it mostly is."""
    inside = emit.builder.and_(mask, emit.index(1 << bit))
    return emit.builder.if_then(
        emit.builder.icmp_signed("!=", inside, emit.index(0)), likely=True
    )


def if_any(emit: Emitter, address: ir.Value):
    """The instructions written inside are done where there is an address."""
    return emit.builder.if_then(
        emit.builder.icmp_signed("!=", address, emit.index(0)), likely=True
    )


class Fetch:
    """Brings to each lane the channel that its filter sees.

    One number for all lanes is broadcast. Numbers that lie within two vectors are loaded at once
    and shuffled, which fixes the channel when the instructions are written. Else there is a load
    for each group.
    """

    def __init__(self, emit: Emitter, lanes: Lanes) -> None:
        self.emit, self.lanes = emit, lanes
        self.reach = lanes.groups * lanes.group_channels
        near = (2 if lanes.groups > 2 else 1) * lanes.width
        self.shuffled = lanes.groups > 1 and self.reach <= near

    def channel(self, pixel: ir.Value, channel: ir.Value | int) -> Vector:
        """Lane by lane, one channel of the lane's group."""
        if self.shuffled:
            assert isinstance(channel, int)
            return self._shuffle(pixel, channel)
        return self._gather(self.emit.advance(pixel, channel))

    def _shuffle(self, pixel: ir.Value, channel: int) -> Vector:
        width = self.lanes.width
        places = [self.lanes.channel(lane) + channel for lane in range(width)]
        low = load_some(self.emit, self.reach, pixel)
        if places[: self.lanes.used] == list(range(self.lanes.used)):
            return low
        high = load_some(self.emit, self.reach - width, pixel, width) if self.reach > width else low
        return self.emit.shuffle(low, high, places)

    def _gather(self, pixel: ir.Value) -> Vector:
        """One number for each group, put into its group's lanes."""
        width, vector = self.lanes.width, self.emit.broadcast(self.emit.read(pixel, 0))
        for group in range(1, self.lanes.groups):
            number = self.emit.read(pixel, group * self.lanes.group_channels)
            first = group * self.lanes.group_filters
            places = [lane if lane < first else width + lane for lane in range(width)]
            vector = self.emit.shuffle(vector, self.emit.broadcast(number), places)
        return vector


def each_channel(emit: Emitter, fetch: Fetch, write) -> None:
    """The instructions of ``write(channel)`` for each channel of a group."""
    channels = fetch.lanes.group_channels
    if fetch.shuffled or channels == 1:
        for channel in range(channels):
            write(channel)
    else:
        with emit.loop(emit.index(0), emit.index(channels)) as channel:
            write(channel)


def call(context, builder, like, name, shape, body, arguments):
    """Call a function of its own, written once for each shape, with whole numbers."""
    element = context.get_value_type(like.dtype)
    full = f"convlab.{name}.{element}." + ".".join(map(str, shape))
    emit = Emitter(builder, element, shape[-1])
    builder.call(emit.function(full, len(arguments), partial(body, shape)), arguments)
    return context.get_dummy_value()


@intrinsic(prefer_literal=True)
def slide_along_columns(
    typing_context, shape, like, table, ahead, masks, row_chunks, chunks, column, right,
    chunk_step, weights, tap_step, weight_step, vector_step, bias, across, filters, count,
    vectors, channel_step, filter_step
):  # fmt: skip
    """Sums of products for some columns of some rows of the target, vector by vector of filters.

    Parameters
    ----------
    shape : tuple of int
        The fields of a `Slide` for rows, taps of a last chunk of columns that is shorter than the
        others or 0, the fields of a `Slide` for columns, then those of `Lanes`.
    like : array
        Anything of the dtype to compute in.
    table : int
        Address of addresses: for each chunk of kernel rows, where each of the source rows that
        it meets begins, 0 where there is none. Then where each target row begins, or 0.
    ahead : int
        Entries of the table from a row to the one that is needed next in its place; 0 to fetch
        nothing ahead, which is right where the source is in a cache.
    masks : int
        Address of a mask for each chunk of kernel columns: a bit for each of the `meetings`, 1
        where that column lies in the source.
    row_chunks, chunks : int
        Chunks of kernel rows, and of kernel columns, the shorter one left out.
    column : int
        The first source column's place in its row, with the channel that the first lane sees.
    right, chunk_step : int
        Numbers from one source column to the next, and from what one chunk of the kernel meets
        to what the next does.
    weights, bias : int
        Addresses for the first filter.
    tap_step, weight_step, vector_step : int
        From the weights of one tap to the next, of one channel, and of one vector of filters.
    across, filters, count : int
        The first filter's place in a target row, numbers from one target column to the next, and
        how many columns are to be written.
    vectors, channel_step, filter_step : int
        How many vectors of filters, and how far the next one's channels and filters are.
    """
    numbers = [number.literal_value for number in shape]
    signature = types.void(shape, like, *[types.int64] * 19)

    def write(context, builder, signature, arguments):
        body = _write_columns
        return call(context, builder, like, "columns", numbers, body, arguments[2:])

    return signature, write


def _write_columns(shape, emit, *numbers):
    rows, rest, slide = Slide(*shape[:6]), shape[6], Slide(*shape[7:13])
    _Columns(emit, rows, rest, slide, Lanes(*shape[13:])).write(*numbers)


class _Columns:
    """Sums in registers: places of one slide by places of another, a vector each."""

    def __init__(self, emit: Emitter, rows: Slide, rest: int, slide: Slide, lanes: Lanes) -> None:
        self.emit, self.rows, self.slide, self.lanes = emit, rows, slide, lanes
        self.rest = slide._replace(taps=rest)
        self.fetch = Fetch(emit, lanes)
        self.sums = [[emit.variable() for _ in range(slide.places)] for _ in range(rows.places)]

    def write(
        self, table, ahead, masks, row_chunks, chunks, column, right, chunk_step, weights,
        tap_step, weight_step, vector_step, bias, across, filters, count, vectors, channel_step,
        filter_step,
    ):  # fmt: skip
        emit, builder = self.emit, self.emit.builder
        self.table, self.right, self.filters = emit.table(table), right, filters
        self.ahead = ahead
        self.tap_step, self.weight_step, masks = tap_step, weight_step, emit.table(masks)
        chunk_size = builder.mul(tap_step, emit.index(self.slide.taps))
        self.row_size = builder.add(
            builder.mul(chunks, chunk_size), builder.mul(tap_step, emit.index(self.rest.taps))
        )
        outputs = builder.mul(row_chunks, emit.index(len(meetings(self.rows))))
        with emit.loop(emit.index(0), vectors) as vector:
            on = builder.mul(vector, filter_step)
            targets = list(self._targets(outputs, builder.add(across, on)))
            self._begin(emit.advance(emit.pointer(bias), on), targets)
            seen = builder.add(column, builder.mul(vector, channel_step))
            near = emit.advance(emit.pointer(weights), builder.mul(vector, vector_step))
            ends = emit.index(0), chunks, builder.add(chunks, emit.index(1))
            slides = (self.slide, self.rest) if self.rest.taps else (self.slide,)
            for slide, first, end in zip(slides, ends, ends[1:], strict=False):
                with emit.loop(first, end) as chunk:
                    mask = emit.read(masks, chunk)
                    place = builder.add(seen, builder.mul(chunk, chunk_step))
                    start = emit.advance(near, builder.mul(chunk, chunk_size))
                    with emit.loop(emit.index(0), row_chunks) as row:
                        size = builder.mul(self.row_size, emit.index(self.rows.taps))
                        here = emit.advance(start, builder.mul(row, size))
                        add = partial(self._add, slide, row, place, mask, here)
                        each_channel(emit, self.fetch, add)
            self._end(targets, count)

    def _targets(self, outputs, across):
        """Address and pointer of each target row's first place."""
        for e in range(self.rows.places):
            start = self.emit.read(self.table, self.emit.builder.add(outputs, self.emit.index(e)))
            yield start, self.emit.advance(self.emit.pointer(start), across)

    def _begin(self, bias, targets):
        """Start from the bias, and ask for the lines that the sums will be written to."""
        emit, vector = self.emit, load_some(self.emit, self.lanes.used, bias)
        for (_, pixel), row in zip(targets, self.sums, strict=True):
            for total in row:
                emit.put(vector, total)
                emit.prefetch(pixel, write=True)
                pixel = emit.advance(pixel, self.filters)

    def _add(self, slide, row, place, mask, weights, channel):
        """One channel of a chunk of kernel rows and columns."""
        emit, builder = self.emit, self.emit.builder
        number = emit.index(channel) if isinstance(channel, int) else channel
        weights = emit.advance(weights, builder.mul(number, self.weight_step))
        factors = [list(self._row_of_weights(weights, i, slide)) for i in range(self.rows.taps)]
        met = meetings(self.rows)
        first = builder.mul(row, emit.index(len(met)))
        if self.lanes.group_channels == 1 and self.rows.taps > 1:
            self._ask(builder.add(first, emit.index(len(met))), place)
        for n, (_, row_pairs) in enumerate(met):
            start = emit.read(self.table, builder.add(first, emit.index(n)))
            with if_any(emit, start):
                first_pixel = emit.advance(emit.pointer(start), place)
                for bit, pixel, pairs in walk(emit, first_pixel, self.right, slide):
                    with if_bit(emit, mask, bit):
                        vector = self.fetch.channel(pixel, channel)
                        for (e, i), (p, t) in itertools.product(row_pairs, pairs):
                            total = self.sums[e][p]
                            emit.put(emit.fma(vector, factors[i][t], emit.get(total)), total)

    def _ask(self, end, place):
        """Ask for those rows of the next tile that this one does not read."""
        emit, builder = self.emit, self.emit.builder
        rows, columns = (
            max(1, s.places // s.stride if s.backward else s.places * s.stride)
            for s in (self.rows, self.slide)
        )
        with if_any(emit, self.ahead):
            next_end = builder.add(end, self.ahead)
            for n in range(min(rows, len(meetings(self.rows)))):
                start = emit.read(self.table, builder.sub(next_end, emit.index(1 + n)))
                pixel = emit.advance(emit.pointer(start), place)
                for _ in range(columns):
                    emit.prefetch(pixel)
                    pixel = emit.advance(pixel, self.right)

    def _row_of_weights(self, weights, row, slide):
        """A vector for each tap of a kernel row."""
        emit = self.emit
        weights = emit.advance(weights, emit.builder.mul(self.row_size, emit.index(row)))
        for _ in range(slide.taps):
            yield load_some(emit, self.lanes.used, weights)
            weights = emit.advance(weights, self.tap_step)

    def _end(self, targets, count):
        emit = self.emit
        for (start, pixel), row in zip(targets, self.sums, strict=True):
            with if_any(emit, start):
                for p, total in enumerate(row):
                    wanted = emit.builder.icmp_signed(">", count, emit.index(p))
                    with emit.builder.if_then(wanted, likely=True):
                        store_some(emit, self.lanes.used, emit.get(total), pixel)
                    pixel = emit.advance(pixel, self.filters)


def walk(emit: Emitter, pointer: ir.Value, step: ir.Value, slide: Slide):
    """Each place of the source: its bit in a mask, a pointer, and the pairs that meet there."""
    at = 0
    for bit, (source, pairs) in enumerate(meetings(slide)):
        if source != at:
            distance = emit.builder.mul(step, emit.index(source - at))
            pointer, at = emit.advance(pointer, distance), source
        yield bit, pointer, pairs


@intrinsic(prefer_literal=True)
def correlate_columns(
    typing_context, shape, like, table, rows, tiles, tile_count, single_count, right, filters,
    channel, filter_, sums, row_step, tap_step, skipped, vectors, channel_step, filter_step
):  # fmt: skip
    """Add to the sums of some weights what they met in some rows: ``x`` times the gradient.

    Parameters
    ----------
    shape : tuple of int
        Kernel rows, then the fields of a `Slide`, then those of `Lanes`.
    like : array
        Anything of the dtype to compute in.
    table, rows : int
        Address of addresses: for each row of the gradient, where it begins; where the image rows
        that each kernel row meets begin, 0 where there is none; and where the rows begin of the
        gradient and of the image that will be needed soon. How many rows.
    tiles, tile_count, single_count : int
        Address of numbers: the first column of the gradient, the image column that meets its
        first tap, and a mask as for `slide_along_columns`. First for tiles, then for columns that
        are left over and are taken alone.
    right, filters : int
        Numbers from one image column to the next, and from one of the gradient to the next.
    channel, filter_ : int
        The first lane's.
    sums, row_step, tap_step : int
        Address of the first weight's sum; from one kernel row to the next, from one tap to the
        next. Sums lie as in the layer's kernel.
    skipped : int
        Lanes at the beginning whose sums are another vector's.
    vectors, channel_step, filter_step : int
        How many vectors of filters, and how far the next one's channels and filters are.
    """
    numbers = [number.literal_value for number in shape]
    signature = types.void(shape, like, *[types.int64] * 16)

    def write(context, builder, signature, arguments):
        body = _write_correlation
        return call(context, builder, like, "correlate_columns", numbers, body, arguments[2:])

    return signature, write


def _write_correlation(shape, emit, *numbers):
    kernel_rows, slide, lanes = shape[0], Slide(*shape[1:7]), Lanes(*shape[7:])
    _Correlation(emit, kernel_rows, slide, lanes).write(*numbers)


# Sums that grow at the same time, at least: one alone would wait for each of its additions.
AT_ONCE = 8


class _Correlation:
    """Sums in registers: a vector for each weight of some kernel rows, or more than one."""

    def __init__(self, emit: Emitter, kernel_rows: int, slide: Slide, lanes: Lanes) -> None:
        self.emit, self.kernel_rows = emit, range(kernel_rows)
        self.slide, self.lanes, self.fetch = slide, lanes, Fetch(emit, lanes)
        self.shares = min(slide.places, -(-AT_ONCE // (kernel_rows * slide.taps)))
        self.sums = [
            [[emit.variable() for _ in range(self.shares)] for _ in range(slide.taps)]
            for _ in self.kernel_rows
        ]

    def write(
        self, table, rows, tiles, tile_count, single_count, right, filters, channel, filter_,
        sums, row_step, tap_step, skipped, vectors, channel_step, filter_step,
    ):  # fmt: skip
        emit, builder = self.emit, self.emit.builder
        self.table, self.rows, self.tiles = emit.table(table), rows, emit.table(tiles)
        self.right, self.filters, self.skipped = right, filters, skipped
        self.row_step, self.tap_step = row_step, tap_step
        self.ends = tile_count, builder.add(tile_count, single_count)
        with emit.loop(emit.index(0), vectors) as vector:
            on = builder.mul(vector, filter_step)
            self.filter = builder.add(filter_, on)
            self.seen = builder.add(channel, builder.mul(vector, channel_step))
            each_channel(
                emit, self.fetch, partial(self._add, emit.advance(emit.pointer(sums), on))
            )

    def _add(self, target, channel):
        emit = self.emit
        for total in (total for row in self.sums for shares in row for total in shares):
            emit.put(emit.zero(), total)
        start = emit.index(0)
        for places, end in zip((self.slide.places, 1), self.ends, strict=True):
            slide = self.slide._replace(places=places)
            with emit.loop(start, end) as tile:
                self._add_tile(slide, tile, channel)
            start = end
        number = emit.index(channel) if isinstance(channel, int) else channel
        self._end(emit.advance(target, emit.builder.mul(number, self.filters)))

    def _add_tile(self, slide, tile, channel):
        """What some columns of every row of the gradient meet."""
        emit, builder, size = self.emit, self.emit.builder, 3 + len(self.kernel_rows)
        first = builder.mul(tile, emit.index(3))
        column, seen, mask = (
            emit.read(self.tiles, builder.add(first, emit.index(n))) for n in range(3)
        )
        across = builder.add(builder.mul(column, self.filters), self.filter)
        along = builder.add(builder.mul(seen, self.right), self.seen)
        with emit.loop(emit.index(0), self.rows) as row:
            entry = emit.advance(self.table, builder.mul(row, emit.index(size)))
            if self.lanes.group_channels == 1:
                self._ask(emit.read(entry, size - 2), across, self.filters, slide.places)
                count = slide.places * slide.stride
                self._ask(emit.read(entry, size - 1), along, self.right, count)
            upstream, factors = emit.advance(emit.pointer(emit.read(entry, 0)), across), []
            for _ in range(slide.places):
                factors.append(load_some(emit, self.lanes.used, upstream))
                upstream = emit.advance(upstream, self.filters)
            for i in self.kernel_rows:
                start = emit.read(entry, 1 + i)
                with if_any(emit, start):
                    pixel = emit.advance(emit.pointer(start), along)
                    self._add_row(slide, pixel, mask, channel, factors, self.sums[i])

    def _ask(self, row, start, step, count):
        """Ask for what will be needed when these rows are done."""
        pixel = self.emit.advance(self.emit.pointer(row), start)
        for _ in range(count):
            self.emit.prefetch(pixel)
            pixel = self.emit.advance(pixel, step)

    def _add_row(self, slide, first_pixel, mask, channel, factors, sums):
        emit = self.emit
        for bit, pixel, pairs in walk(emit, first_pixel, self.right, slide):
            with if_bit(emit, mask, bit):
                vector = self.fetch.channel(pixel, channel)
                for place, tap in pairs:
                    total = sums[tap][place % self.shares]
                    emit.put(emit.fma(vector, factors[place], emit.get(total)), total)

    def _end(self, target):
        """Add the sums to what earlier rows gave."""
        emit = self.emit
        own = emit.builder.icmp_signed(">=", lane_places(emit), spread(emit, self.skipped))
        for row in self.sums:
            weight = target
            for shares in row:
                before = load_some(emit, self.lanes.used, weight)
                after = before
                for share in shares:
                    after = after + emit.get(share)
                value = emit.builder.select(own, after.value, before.value)
                store_some(emit, self.lanes.used, Vector(emit, value), weight)
                weight = emit.advance(weight, self.tap_step)
            target = emit.advance(target, self.row_step)
