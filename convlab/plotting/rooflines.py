"""The roof of a machine, and where layers stand under it: intensity across, rate upwards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .board import number
from .colours import COLOURS, FAINT, INK, PAPER, Colour
from .layout import SMALL, Block, Pen, labelled, text_width
from .picture import Picture

__all__ = ["roofline"]

LEFT, RIGHT, ABOVE, BELOW = 0.62, 0.12, 0.34, 0.56  # inches around the axes
LINE = 0.17  # height of a line of small text
RADIUS = 0.055  # of a mark
MEMORY, ARITHMETIC = COLOURS["input"], COLOURS["kernel"]

Point = float | tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def roofline(
    peak: float,
    bandwidth: float,
    points: Mapping[str, Point],
    *,
    moved: Mapping[str, float] | None = None,
    title: str | None = None,
    caption: str | None = None,
    height: float = 4.2,
) -> Picture:
    """Layers under the roof of a machine, on logarithmic axes.

    Parameters
    ----------
    peak : float
        GFLOP/s.
    bandwidth : float
        GB/s.
    points : mapping of str to float, or to (float, float)
        For each layer its operations for each byte; it stands on the roof. Or a pair: those,
        and the GFLOP/s that were measured. Round marks wait for memory, square ones for
        arithmetic.
    moved : mapping of str to float, optional
        For layers of ``points``, another intensity: a hollow mark, joined to the layer's own.
    title, caption : str, optional
    height : float, default 4.2
        Inches.

    References
    ----------
    Williams, Waterman & Patterson, "Roofline: an insightful visual performance model for
    multicore architectures", Communications of the ACM 52 (4), 2009.

    Examples
    --------
    >>> roofline(480, 24, {"3x3": 144.0, "depthwise": 2.25, "photo": (6.25, 80.0)})
    <Picture: roofline of 480 GFLOP/s and 24 GB/s: 3x3 480, depthwise 54, photo 80>
    """
    marks = [_mark(name, point, peak, bandwidth) for name, point in points.items()]
    others = [(name, one, min(peak, one * bandwidth)) for name, one in (moved or {}).items()]
    _check(peak, bandwidth, marks, moved or {})
    chart = _Chart(peak, bandwidth, marks, others)

    def recipe(width: float) -> Block:
        return labelled(chart.block(width, height), title, caption, width=width)

    told = ", ".join(f"{mark.name} {number(mark.rate, 0)}" for mark in marks)
    machine = f"{number(peak, 0)} GFLOP/s and {number(bandwidth, 0)} GB/s"
    return Picture(recipe, f"roofline of {machine}: {told}")


@dataclass(frozen=True)
class _Mark:
    """One layer: operations for each byte, GFLOP/s, and whether it waits for memory."""

    name: str
    intensity: float
    rate: float
    waits: bool

    @property
    def colour(self) -> Colour:
        return MEMORY if self.waits else ARITHMETIC


def _mark(name: str, point: Point, peak: float, bandwidth: float) -> _Mark:
    intensity, rate = point if isinstance(point, tuple) else (point, math.nan)
    roof = min(peak, intensity * bandwidth)
    rate = roof if math.isnan(rate) else rate
    return _Mark(name, float(intensity), float(rate), intensity * bandwidth < peak)


def _check(
    peak: float, bandwidth: float, marks: Sequence[_Mark], moved: Mapping[str, float]
) -> None:
    numbers = [peak, bandwidth, *moved.values()]
    numbers += [value for mark in marks for value in (mark.intensity, mark.rate)]
    if not marks or not all(math.isfinite(value) and value > 0 for value in numbers):
        raise ValueError(
            "A roofline needs at least one point, and numbers above 0. "
            f"Received: peak={peak}, bandwidth={bandwidth}, {len(marks)} points."
        )
    if unknown := set(moved) - {mark.name for mark in marks}:
        raise ValueError(
            f"`moved` must name points. Received: {sorted(unknown)}, "
            f"points {[mark.name for mark in marks]}."
        )


class _Scale:
    """A logarithmic axis."""

    def __init__(self, values: Sequence[float], slack: float) -> None:
        self.low, self.high = math.log10(min(values)) - slack, math.log10(max(values)) + slack

    def place(self, value: float, inches: float) -> float:
        """Inches from the axis's beginning."""
        return (math.log10(value) - self.low) / (self.high - self.low) * inches

    def ticks(self) -> Iterator[float]:
        """The powers of ten on the axis."""
        for power in range(math.ceil(self.low), math.floor(self.high) + 1):
            yield 10.0**power


class _Chart:
    """The axes, the roof, the layers and their names, all in inches."""

    def __init__(
        self, peak: float, bandwidth: float, marks: Sequence[_Mark],
        moved: Sequence[tuple[str, float, float]],
    ) -> None:  # fmt: skip
        self.peak, self.bandwidth, self.marks, self.moved = peak, bandwidth, marks, moved
        ridge = peak / bandwidth
        across = [mark.intensity for mark in marks] + [one for _, one, _ in moved]
        self.across = _Scale([*across, ridge / 4, ridge * 12], 0.12)
        least = 10**self.across.low * bandwidth
        self.up = _Scale([*(mark.rate for mark in marks), least, peak * 2.5], 0.15)

    def block(self, width: float, height: float) -> Block:
        inside = (width - LEFT - RIGHT, height - ABOVE - BELOW)

        def draw(pen: Pen, x: float, y: float) -> None:
            frame = _Frame(self, x + LEFT, y + ABOVE, *inside)
            frame.draw_axes(pen)
            frame.draw_roof(pen)
            frame.draw_points(pen)
            pen.words(x, y + 0.1, "GFLOP/s", size=SMALL, across="left")
            middle = x + LEFT + inside[0] / 2
            pen.words(middle, y + height - 0.1, "flop for each byte", size=SMALL)

        return Block(width, height, draw)


class _Frame:
    """A chart at its place in the figure."""

    def __init__(self, chart: _Chart, x: float, y: float, width: float, height: float) -> None:
        self.chart, self.x, self.y, self.width, self.height = chart, x, y, width, height

    def at(self, intensity: float, rate: float) -> tuple[float, float]:
        """The place of a point of the chart."""
        across = self.chart.across.place(intensity, self.width)
        return self.x + across, self.y + self.height - self.chart.up.place(rate, self.height)

    def draw_axes(self, pen: Pen) -> None:
        bottom, right = self.y + self.height, self.x + self.width
        for value in self.chart.up.ticks():
            _, at = self.at(1.0, value)
            pen.path([(self.x, at), (right, at)], line="#DDDDDD", weight=0.7, z=0.5)
            pen.words(self.x - 0.08, at, number(value, 3), size=SMALL, across="right")
        for value in self.chart.across.ticks():
            at, _ = self.at(value, 1.0)
            pen.path([(at, self.y), (at, bottom)], line="#DDDDDD", weight=0.7, z=0.5)
            pen.words(at, bottom + 0.14, number(value, 3), size=SMALL)
        pen.path([(self.x, self.y), (self.x, bottom), (right, bottom)], line=INK, weight=0.8)

    def draw_roof(self, pen: Pen) -> None:
        chart = self.chart
        ridge, low, high = chart.peak / chart.bandwidth, chart.across.low, chart.across.high
        start = self.at(10**low, 10**low * chart.bandwidth)
        corner, end = self.at(ridge, chart.peak), self.at(10**high, chart.peak)
        pen.path([start, corner, end], line=INK, weight=2.2, z=3, label="roof")
        bottom = self.y + self.height
        pen.path(
            [corner, (corner[0], bottom)], line=FAINT, style=":", weight=1.2, z=1, label="ridge"
        )
        words = f"{number(chart.peak, 0)} GFLOP/s"
        pen.words(corner[0] - 0.1, corner[1], words, size=SMALL, across="right")
        pen.words(corner[0] + 0.07, bottom - 0.13, f"ridge {number(ridge, 1)}", size=SMALL,
                  ink=FAINT, across="left")  # fmt: skip
        slope = math.degrees(math.atan2(start[1] - corner[1], corner[0] - start[0]))
        words = f"{number(chart.bandwidth, 0)} GB/s"
        pen.words(*self._slope_place(), words, size=SMALL, turn=slope)

    def _slope_place(self) -> tuple[float, float]:
        """The middle of the words on the slope, beside its own middle."""
        chart = self.chart
        low = 10**chart.across.low
        start = self.at(low, low * chart.bandwidth)
        corner = self.at(chart.peak / chart.bandwidth, chart.peak)
        return (start[0] + corner[0]) / 2 - 0.09, (start[1] + corner[1]) / 2 - 0.09

    def draw_points(self, pen: Pen) -> None:
        taken = [self._box(self.at(mark.intensity, mark.rate)) for mark in self.chart.marks]
        taken += list(self._roof_boxes())
        for name, intensity, rate in self.chart.moved:
            mark = next(mark for mark in self.chart.marks if mark.name == name)
            here, there = self.at(mark.intensity, mark.rate), self.at(intensity, rate)
            corner = (here[0], there[1])
            pen.path(
                [here, corner, there], line=FAINT, style="--", weight=1.2, z=2.5, label="moved"
            )
            _draw_mark(pen, *there, intensity * self.chart.bandwidth < self.chart.peak, PAPER, INK)
            taken += [self._box(there), _around(here, corner), _around(corner, there)]
        for mark in sorted(self.chart.marks, key=lambda mark: (mark.intensity, mark.rate)):
            x, y = self.at(mark.intensity, mark.rate)
            _draw_mark(pen, x, y, mark.waits, mark.colour.line, PAPER)
            self._draw_name(pen, mark, x, y, taken)

    def _box(self, place: tuple[float, float]) -> Box:
        x, y = place
        return x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS

    def _roof_boxes(self) -> Iterator[Box]:
        """What the roof and its words cover."""
        chart, steps = self.chart, 60
        for step in range(steps + 1):
            power = chart.across.low + (chart.across.high - chart.across.low) * step / steps
            x, y = self.at(10**power, min(chart.peak, 10**power * chart.bandwidth))
            yield x - 0.02, y - 0.02, x + 0.02, y + 0.02
        corner = self.at(chart.peak / chart.bandwidth, chart.peak)
        x, y = self._slope_place()
        yield x - 0.3, y - 0.3, x + 0.3, y + 0.3
        words = text_width(f"{number(chart.peak, 0)} GFLOP/s", SMALL)
        yield corner[0] - 0.1 - words, corner[1] - LINE / 2, corner[0], corner[1] + LINE / 2

    def _draw_name(self, pen: Pen, mark: _Mark, x: float, y: float, taken: list[Box]) -> None:
        """The name at the nearest place that is free; a thin line where it is not beside."""
        wide = text_width(mark.name, SMALL, bold=True)
        for left, middle in _places(x, y, wide):
            box = (left, middle - LINE / 2, left + wide, middle + LINE / 2)
            if self._holds(box) and not any(_meet(box, other) for other in taken):
                break
        taken.append(box)
        pen.box(left, middle - LINE / 2, wide, LINE, fill=PAPER, z=2.2)
        if abs(middle - y) > 1.3 * LINE:
            below = middle > y
            end = middle - LINE / 2 if below else middle + LINE / 2
            pen.path([(x, y), (x, end)], line=FAINT, weight=0.8, z=2.5)
            taken.append(_around((x, y), (x, end)))
        pen.words(
            left, middle, mark.name, size=SMALL, ink=mark.colour.ink, bold=True, across="left"
        )

    def _holds(self, box: Box) -> bool:
        return (
            box[0] >= self.x
            and box[2] <= self.x + self.width
            and box[1] >= self.y - 0.08
            and box[3] <= self.y + self.height
        )


def _places(x: float, y: float, wide: float) -> Iterator[tuple[float, float]]:
    """Where a name may stand, left end and middle, the best place first."""
    aside = 2 * RADIUS
    yield x + aside, y
    yield x + aside, y + 0.1
    for step in range(1, 8):
        for left in (x - wide / 2, x - 0.1, x - wide + 0.1):
            yield left, y - (step + 0.2) * LINE
        for left in (x - wide / 2, x - 0.1, x - wide + 0.1):
            yield left, y + (step + 0.2) * LINE
    yield x - aside - wide, y


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _around(one: tuple[float, float], other: tuple[float, float]) -> Box:
    """The room of a straight line."""
    (a, b), (c, d) = one, other
    return min(a, c) - 0.03, min(b, d) - 0.03, max(a, c) + 0.03, max(b, d) + 0.03


def _draw_mark(pen: Pen, x: float, y: float, is_round: bool, fill: str, line: str) -> None:
    from matplotlib.lines import Line2D

    mark = Line2D(
        [x], [y], marker="o" if is_round else "s", markersize=8, color=fill,
        markeredgecolor=line, markeredgewidth=1.2, linestyle="none", zorder=4, label="point",
    )  # fmt: skip
    pen.axes.add_artist(mark)
