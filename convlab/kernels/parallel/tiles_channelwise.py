"""The innermost loops of convolutions whose filters see one channel or few.

Two register tiles. In `slide_along_columns` the lanes are filters, and a number of the source,
once it lies in a register, serves every tap of a kernel row that meets it. In `slide_along_rows`
the lanes are numbers of an image row, and a vector of the source serves every output row that
it meets. Either way what lies outside the source is left out: it is not multiplied by zero.

`meetings` says which places of the source meet which places of the target, at which tap; the
intrinsics write one block of instructions for each of them.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import Emitter, Vector


class Slide(NamedTuple):
    """One axis of a register tile: places of the target next to each other, and taps.

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
    >>> meetings(Slide(2, 3, 2, 1, 1, 1))        # backward, stride 2
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


class Fetch:
    """Brings to each lane the channel that its filter sees."""

    def __init__(self, emit: Emitter, lanes: Lanes) -> None:
        self.emit, self.lanes = emit, lanes
        self.reach = lanes.groups * lanes.group_channels
        self.alone = lanes.groups == 1  # one channel for all lanes
        self.shuffled = not self.alone and self.reach <= 2 * lanes.width

    def channel(self, pixel: ir.Value, channel: ir.Value | int) -> Vector:
        """Lane by lane, one channel of the lane's group."""
        if self.alone:
            return self.emit.broadcast(self.emit.read(pixel, channel))
        if self.shuffled:
            assert isinstance(channel, int)
            return self._shuffle(pixel, channel)
        return self._blend(self.emit.advance(pixel, channel))

    def _shuffle(self, pixel: ir.Value, channel: int) -> Vector:
        width = self.lanes.width
        places = [self.lanes.channel(lane) + channel for lane in range(width)]
        low = self._load(pixel, 0)
        if places == list(range(width)):
            return low
        high = self._load(pixel, width) if self.reach > width else low
        return self.emit.shuffle(low, high, places)

    def _load(self, pixel: ir.Value, start: int) -> Vector:
        return load_some(self.emit, min(self.reach - start, self.lanes.width), pixel, start)

    def _blend(self, pixel: ir.Value) -> Vector:
        """One number for each group: fetched alone, and put into its group's lanes."""
        vector = self.emit.broadcast(self.emit.read(pixel, 0))
        for group in range(1, self.lanes.groups):
            number = self.emit.read(pixel, group * self.lanes.group_channels)
            own = [lane // self.lanes.group_filters >= group for lane in range(self.lanes.width)]
            vector = _chosen(own, self.emit.broadcast(number), vector)
        return vector


def _chosen(own: list[bool], yes: Vector, no: Vector) -> Vector:
    """Some lanes of one vector, the others of another."""
    width = len(own)
    return yes.emitter.shuffle(yes, no, [lane if mine else width + lane for lane, mine in enumerate(own)])


def load_some(emit: Emitter, count: int, pointer: ir.Value, place: ir.Value | int = 0) -> Vector:
    """The first numbers, of which there are so many."""
    if count == emit.lanes:
        return emit.load(pointer, place)
    return emit.load_first(emit.index(count), pointer, place)


def store_some(
    emit: Emitter, count: int, vector: Vector, pointer: ir.Value, place: ir.Value | int = 0
) -> None:
    """Write the first lanes, so many."""
    if count == emit.lanes:
        emit.store(vector, pointer, place)
    else:
        emit.store_first(emit.index(count), vector, pointer, place)


@intrinsic(prefer_literal=True)
def slide_along_columns(
    typing_context, shape, like, table, masks, kernel_rows, chunks, column, right, chunk_step,
    weights, tap_step, filters, bias, across, count, vectors, channel_step, filter_step
):  # fmt: skip
    """Sums of products for some columns of some rows of the target, vector by vector of filters.

    Parameters
    ----------
    shape : tuple of int
        Rows of the target, then the fields of a `Slide`, then those of `Lanes`.
    like : array
        Anything of the dtype to compute in.
    table : int
        Address of addresses: for each kernel row, where the source row that it meets begins, for
        each row of the target; 0 where there is none. Then where each target row begins, or 0.
    masks : int
        Address of a mask for each chunk of kernel columns: a bit for each of the `meetings`, 1
        where that column lies in the source.
    kernel_rows, chunks : int
    column : int
        The first source column's place in its row, with the channel that the first lane sees.
    right, chunk_step : int
        Numbers from one source column to the next, and from what one chunk of the kernel meets
        to what the next does.
    weights, bias : int
        Addresses for the first filter. Weights lie as in the layer's kernel.
    tap_step, filters : int
        From one tap to the next; from one channel's weights to the next, and from one target
        column to the next.
    across, count : int
        The first filter's place in a target row, and how many columns are to be written.
    vectors, channel_step, filter_step : int
        How many vectors of filters, and how far the next one's channels and filters are.
    """
    numbers = [number.literal_value for number in shape]
    signature = types.void(shape, like, *[types.int64] * 16)

    def write(context, builder, signature, arguments):
        element = context.get_value_type(like.dtype)
        name = f"convlab.columns.{element}." + ".".join(map(str, numbers))
        emit = Emitter(builder, element, numbers[-1])
        body = partial(_write_columns, numbers)
        builder.call(emit.function(name, len(arguments) - 2, body), arguments[2:])
        return context.get_dummy_value()

    return signature, write


def _write_columns(shape, emit, *numbers):
    rows, slide, lanes = shape[0], Slide(*shape[1:7]), Lanes(*shape[7:])
    _Columns(emit, rows, slide, lanes).write(*numbers)


class _Columns:
    """Sums in registers: ``rows`` by ``places`` of a slide, a vector each."""

    def __init__(self, emit: Emitter, rows: int, slide: Slide, lanes: Lanes) -> None:
        self.emit, self.rows, self.slide, self.lanes = emit, range(rows), slide, lanes
        self.fetch = Fetch(emit, lanes)
        self.meetings = meetings(slide)
        self.sums = [[emit.variable() for _ in range(slide.places)] for _ in self.rows]

    def write(
        self, table, masks, kernel_rows, chunks, column, right, chunk_step, weights, tap_step,
        filters, bias, across, count, vectors, channel_step, filter_step,
    ):  # fmt: skip
        emit, builder = self.emit, self.emit.builder
        self.table, self.right, self.filters = emit.table(table), right, filters
        self.tap_step, masks = tap_step, emit.table(masks)
        row_step = builder.mul(tap_step, emit.index(self.slide.taps))
        outputs = builder.mul(kernel_rows, emit.index(len(self.rows)))
        with emit.loop(emit.index(0), vectors) as vector:
            on = builder.mul(vector, filter_step)
            self._begin(emit.advance(emit.pointer(bias), on))
            first = emit.advance(emit.pointer(weights), on)
            seen = builder.add(column, builder.mul(vector, channel_step))
            with emit.loop(emit.index(0), chunks) as chunk:
                mask = emit.read(masks, chunk)
                place = builder.add(seen, builder.mul(chunk, chunk_step))
                with emit.loop(emit.index(0), kernel_rows) as row:
                    tap = builder.add(builder.mul(row, chunks), chunk)
                    tap_weights = emit.advance(first, builder.mul(tap, row_step))
                    self._add_row(row, place, mask, tap_weights)
            self._end(outputs, builder.add(across, on), count)

    def _begin(self, bias: ir.Value) -> None:
        vector = load_some(self.emit, self.lanes.used, bias)
        for row in self.sums:
            for total in row:
                self.emit.put(vector, total)

    def _add_row(self, row: ir.Value, place: ir.Value, mask: ir.Value, weights: ir.Value) -> None:
        """A chunk of one kernel row: channel by channel, unrolled where lanes are shuffled."""
        emit, channels = self.emit, self.lanes.group_channels
        if self.fetch.shuffled or channels == 1:
            for channel in range(channels):
                self._add_channel(row, place, mask, weights, channel)
                weights = emit.advance(weights, self.filters)
        else:
            with emit.loop(emit.index(0), emit.index(channels)) as channel:
                on = emit.builder.mul(channel, self.filters)
                self._add_channel(row, place, mask, emit.advance(weights, on), channel)

    def _add_channel(self, row, place, mask, weights, channel):
        emit, builder = self.emit, self.emit.builder
        taps = []
        for _ in range(self.slide.taps):
            taps.append(load_some(emit, self.lanes.used, weights))
            weights = emit.advance(weights, self.tap_step)
        first = builder.mul(row, emit.index(len(self.rows)))
        for e in self.rows:
            start = emit.read(self.table, builder.add(first, emit.index(e)))
            with builder.if_then(builder.icmp_signed("!=", start, emit.index(0))):
                pixel = emit.advance(emit.pointer(start), place)
                self._slide(pixel, mask, channel, taps, self.sums[e])

    def _slide(self, pixel, mask, channel, taps, sums):
        """Each number of the source, once fetched, serves every tap that meets it."""
        emit, builder = self.emit, self.emit.builder
        at = 0
        for bit, (source, pairs) in enumerate(self.meetings):
            if source != at:
                pixel = emit.advance(pixel, builder.mul(self.right, emit.index(source - at)))
                at = source
            inside = builder.and_(mask, emit.index(1 << bit))
            with builder.if_then(builder.icmp_signed("!=", inside, emit.index(0)), likely=True):
                vector = self.fetch.channel(pixel, channel)
                for place, tap in pairs:
                    emit.put(emit.fma(vector, taps[tap], emit.get(sums[place])), sums[place])

    def _end(self, outputs: ir.Value, across: ir.Value, count: ir.Value) -> None:
        emit, builder = self.emit, self.emit.builder
        for e in self.rows:
            start = emit.read(self.table, builder.add(outputs, emit.index(e)))
            with builder.if_then(builder.icmp_signed("!=", start, emit.index(0))):
                pixel = emit.advance(emit.pointer(start), across)
                for p, total in enumerate(self.sums[e]):
                    wanted = builder.icmp_signed(">", count, emit.index(p))
                    with builder.if_then(wanted, likely=True):
                        store_some(emit, self.lanes.used, emit.get(total), pixel)
                    pixel = emit.advance(pixel, self.filters)
