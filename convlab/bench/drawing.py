"""A report as a picture: ratios as bars about the line of equal times, and the roofline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from convlab.plotting.colours import COLOURS, FAINT, INK, PAPER
from convlab.plotting.layout import SMALL, Block, Pen, above, labelled, text_width
from convlab.plotting.picture import Picture, together

__all__ = ["draw", "draw_ratios", "draw_roofline"]

TITLES = {
    "layers": "Convolutions, forward", "photo": "Filters on photos",
    "gradients": "Gradients", "pooling": "Max pooling",
}  # fmt: skip
PITCH, THICK = 0.25, 0.15
NAMES = SMALL - 2  # size of the names in the roofline
KINDS = {
    "forward": ("forward", COLOURS["input"], "o"),
    "winograd": ("forward, Winograd asked for", COLOURS["kernel"], "^"),
    "input_gradient": ("input gradient", COLOURS["output"], "s"),
    "kernel_gradient": ("kernel gradient", COLOURS["padding"], "D"),
}
Row = Mapping[str, Any]


def draw(report: Mapping[str, Any]) -> Picture:
    """All that a report has to show: bars for each family of cases, and the roofline.

    Parameters
    ----------
    report : mapping
        What `measure_all` gives, or `read_report`.

    Returns
    -------
    Picture
        With ``save(path)`` to write a PNG file.

    Raises
    ------
    ValueError
        Where nothing was measured that can be drawn.
    """
    pictures = [draw_ratios(report)] if _bars(report["rows"]) else []
    if any(row["operations"] for row in report["rows"]):
        pictures.append(draw_roofline(report))
    if not pictures:
        raise ValueError(
            "A picture needs rows that were measured. Received: a report without any. "
            'Measure "layers", "photo", "gradients" or "pooling".'
        )
    return together(pictures)


# Ratios ------------------------------------------------------------------------------------------


class Bar(NamedTuple):
    """One peer beside one row."""

    name: str
    ratio: float
    must: float | None
    family: str

    @property
    def reached(self) -> bool:
        """Whether it is what it must be."""
        return self.must is None or self.ratio >= self.must

    @property
    def text(self) -> str:
        """The number beside the bar, and what it must be where it is not."""
        digits = f"{self.ratio:.2f}" if self.ratio < 9.95 else f"{self.ratio:.0f}"
        return digits if self.reached else f"{digits}, must {self.must:g}"


def draw_ratios(report: Mapping[str, Any]) -> Picture:
    """Peers' times over ours as bars, on a scale where twice as fast is as far as half as fast.

    Parameters
    ----------
    report : mapping

    Returns
    -------
    Picture

    Examples
    --------
    >>> row = {"name": "1x1up", "family": "layers", "ratios": {"torch": 1.25},
    ...        "must": {"torch": 1.0}}
    >>> draw_ratios({"rows": [row], "threads": 2})
    <Picture: 1 ratio, 1.25>
    """
    bars = _bars(report["rows"])
    if not bars:
        raise ValueError(
            "Bars need rows with a peer beside them. Received: a report without any ratio. "
            'Install the peers with pip install "convlab[bench]".'
        )
    families = list(dict.fromkeys(bar.family for bar in bars))
    count = f"{report['threads']} thread" + "s" * (report["threads"] > 1)
    caption = (
        f"A peer's time over ours, on {count}; right of the line, convlab is faster. The mark on a "
        "row is what it must reach; a hatched bar does not."
    )

    def recipe(width: float) -> Block:
        blocks = [
            labelled(
                _bars_block([bar for bar in bars if bar.family == family], bars, width),
                TITLES[family], width=width,
            )
            for family in families
        ]  # fmt: skip
        return labelled(above(blocks, 0.25), None, caption, width=width)

    values = sorted(bar.ratio for bar in bars)
    span = f"{values[0]:.2f}" + f" to {values[-1]:.2f}" * (len(bars) > 1)
    return Picture(recipe, f"{len(bars)} ratio{'s' * (len(bars) > 1)}, {span}")


def _bars(rows: Sequence[Row]) -> list[Bar]:
    return [
        Bar(_bar_name(row, peer), ratio, row["must"].get(peer), row["family"])
        for row in rows
        for peer, ratio in row["ratios"].items()
    ]


def _bar_name(row: Row, peer: str) -> str:
    name = row["name"].replace("_gradient", " gradient").replace("/max_pool", "/")
    name = name.replace("/", ", ").replace(",  ", ", ")
    return name if list(row["ratios"]) == ["torch"] else f"{name}, {peer}"


def _bars_block(bars: Sequence[Bar], everyone: Sequence[Bar], width: float) -> Block:
    """The bars of one family, on the scale of all families."""
    left = max(text_width(bar.name, SMALL) for bar in everyone) + 0.1
    right = max(text_width(bar.text, SMALL, bold=True) for bar in everyone) + 0.12
    scale = _Scale(everyone, left, width - right)
    height, foot = len(bars) * PITCH, 0.24

    def draw(pen: Pen, x: float, y: float) -> None:
        for tick in scale.ticks():
            at = x + scale.place(tick)
            pen.path([(at, y), (at, y + height)], line="#DDDDDD", weight=0.7, z=0.5)
            text = f"{tick:g}" if tick >= 1 else f"1/{1 / tick:g}"
            pen.words(at, y + height + 0.12, text, size=SMALL, ink=FAINT)
        for number, bar in enumerate(bars):
            _draw_bar(pen, x, y + (number + 0.5) * PITCH, left, scale, bar)
        one = x + scale.place(1.0)
        pen.path([(one, y), (one, y + height)], line=INK, weight=1.4, z=3, label="one")

    return Block(width, height + foot, draw)


class _Scale:
    """Where a ratio lies: equal factors are equally far apart, and 1 is always on it."""

    def __init__(self, bars: Sequence[Bar], left: float, right: float) -> None:
        values = [bar.ratio for bar in bars] + [bar.must for bar in bars if bar.must] + [1.0]
        self.low, self.high = min(values) / 1.08, max(*values, 1.5)
        self.left, self.step = left, (right - left) / math.log(self.high / self.low)

    def place(self, ratio: float) -> float:
        """Inches from the left."""
        return self.left + self.step * math.log(ratio / self.low)

    def ticks(self) -> Iterator[float]:
        """Round ratios, each about twice the last, as many as have room."""
        apart = max(1, math.ceil(0.45 / (self.step * math.log(2))))
        powers = range(math.floor(math.log2(self.low)), math.ceil(math.log2(self.high)) + 1)
        for power in powers:
            if power % apart == 0 and self.low <= 2.0**power <= self.high:
                yield 2.0**power


def _draw_bar(pen: Pen, x: float, middle: float, left: float, scale: _Scale, bar: Bar) -> None:
    colour = COLOURS["output" if bar.reached else "kernel"]
    start, end = sorted((scale.place(1.0), scale.place(bar.ratio)))
    looks: dict[str, Any] = {"fill": colour.line}
    if not bar.reached:
        looks = {"fill": colour.fill, "line": colour.line, "hatch": "////"}
    pen.words(x + left - 0.1, middle, bar.name, size=SMALL, across="right")
    pen.box(x + start, middle - THICK / 2, end - start, THICK, label="bar", **looks)
    if bar.must:
        at = x + scale.place(bar.must)
        mark = [(at, middle - 0.42 * PITCH), (at, middle + 0.42 * PITCH)]
        pen.path(mark, line=PAPER, weight=4.0, z=3.4)
        pen.path(mark, line=INK, weight=2.0, z=3.5, label="must")
    beyond = max(end, scale.place(bar.must or 1.0), scale.place(1.0))
    pen.words(x + beyond + 0.07, middle, bar.text, size=SMALL, bold=not bar.reached, across="left")


# Roofline ----------------------------------------------------------------------------------------


def draw_roofline(report: Mapping[str, Any]) -> Picture:
    """Every convolution of a report under the roof of this computer.

    Parameters
    ----------
    report : mapping
        With at least one of ``"rooflines"`` of float32.

    Returns
    -------
    Picture
    """
    rows = [row for row in report["rows"] if row["operations"]]
    roofs = [roof for roof in report["rooflines"] if roof["dtype"] == "float32"]
    if not rows or not roofs:
        raise ValueError(
            "A roofline needs the machine's limits and rows that were measured. "
            f"Received: {len(roofs)} limits and {len(rows)} rows."
        )
    chart = _Roof(rows, roofs, report["threads"])
    caption = (
        "Operations are those of the definition. A point above the roof is no wonder: Winograd's "
        "algorithm avoids multiplications, and a cache is faster than memory."
    )

    def recipe(width: float) -> Block:
        return labelled(chart.block(width, 4.6), "Roofline", caption, width=width)

    best = max(rows, key=lambda row: row["gflops"])
    return Picture(
        recipe, f"roofline with {len(rows)} points, at most {best['gflops']:.0f} GFLOP/s"
    )


class _Roof:
    """One set of axes: intensity across, operations in a second upwards."""

    def __init__(self, rows: Sequence[Row], roofs: Sequence[Row], threads: int) -> None:
        self.rows, self.roofs, self.threads = rows, roofs, threads

    def block(self, width: float, height: float) -> Block:
        left, right, top, bottom = 0.62, 0.12, 0.34, 1.16

        def draw(pen: Pen, x: float, y: float) -> None:
            inside = width - left - right, height - top - bottom
            axes = pen.inset(x + left, y + top, *inside)
            self._draw(axes)
            pen.words(x, y + 0.1, "GFLOP/s", size=SMALL, across="left")
            middle = x + left + inside[0] / 2
            pen.words(middle, y + height - 0.74, "operations for each byte", size=SMALL)
            self._draw_key(pen, x + left, y + height - 0.4)

        return Block(width, height, draw)

    def _draw(self, axes: Any) -> None:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        points = {(row["intensity"], row["gflops"]) for row in self.rows}
        low = min(2.0, *(x for x, _ in points)) / 1.3
        high = max(256.0, *(x for x, _ in points)) * 1.3
        across = np.geomspace(low, high, 200)
        for roof in self.roofs:
            self._draw_roof(axes, roof, across)
        for kind, (_, colour, marker) in KINDS.items():
            mine = [row for row in self.rows if _kind(row) == kind]
            axes.plot(
                [row["intensity"] for row in mine], [row["gflops"] for row in mine],
                linestyle="none", marker=marker, markersize=6.5, color=colour.line,
                markeredgecolor=PAPER, zorder=4, label=kind,
            )  # fmt: skip
        axes.set_xlim(low, high)
        axes.set_ylim(*self._limits(points, low))
        self._looks(axes)
        self._draw_names(axes)

    def _limits(self, points: set[tuple[float, float]], low: float) -> tuple[float, float]:
        peak = max(roof["peak"] for roof in self.roofs) / 1e9
        slope = min(roof["bandwidth"] for roof in self.roofs) / 1e9 * low
        least = min(y for _, y in points)
        return min(least, slope) / 1.4, max(peak, *(y for _, y in points)) * 1.6

    def _style(self, roof: Row) -> dict[str, Any]:
        """Solid for the threads that the rows were measured with, dashed for others."""
        if roof["threads"] == self.threads:
            return {"color": INK, "linewidth": 1.8, "linestyle": "-"}
        return {"color": INK, "linewidth": 1.2, "linestyle": "--"}

    def _draw_roof(self, axes: Any, roof: Row, across: np.ndarray) -> None:
        heights = np.minimum(roof["peak"], across * roof["bandwidth"]) / 1e9
        axes.plot(across, heights, zorder=2, label="roof", **self._style(roof))

    def _looks(self, axes: Any) -> None:
        from matplotlib.ticker import FuncFormatter, NullLocator

        plain = FuncFormatter(lambda value, place: f"{value:g}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(plain)
            axis.set_minor_locator(NullLocator())
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#DDDDDD", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=SMALL, color=FAINT)

    def _draw_names(self, axes: Any) -> None:
        """Names of forward layers, below their points, as far as none covers anything."""
        dpi = axes.figure.dpi
        high = 0.14 * dpi
        points = [axes.transData.transform((row["intensity"], row["gflops"])) for row in self.rows]
        taken = [(x, y, 0.05 * dpi) for x, y in points]  # middle, and half the width
        for row, (x, top) in sorted(zip(self.rows, points, strict=True), key=lambda one: one[1][1]):
            half, y = text_width(row["name"], NAMES) * dpi / 2, top - high
            free = all(abs(x - a) > half + wide or abs(y - b) > 0.9 * high for a, b, wide in taken)
            if free and _kind(row) == "forward":
                taken.append((x, y, half))
                axes.annotate(
                    row["name"], (row["intensity"], row["gflops"]), xytext=(0, -5),
                    textcoords="offset points", ha="center", va="top", fontsize=NAMES,
                    color=COLOURS["input"].ink, zorder=5, parse_math=False,
                )  # fmt: skip

    def _draw_key(self, pen: Pen, x: float, y: float) -> None:
        """The lines' and the points' meanings, in a row each."""
        from matplotlib.lines import Line2D

        at, there = x, {_kind(row) for row in self.rows}
        for kind, (text, colour, marker) in KINDS.items():
            if kind in there:
                dot = Line2D([at + 0.06], [y], marker=marker, color=colour.line, markersize=6.5)
                pen.axes.add_artist(dot)
                pen.words(at + 0.17, y, text, size=SMALL, ink=colour.ink, across="left")
                at += text_width(text, SMALL) + 0.4
        at, y = x, y + 0.24
        for roof in self.roofs:
            text = f"{roof['threads']} thread" + "s" * (roof["threads"] > 1)
            text += f": {roof['peak'] / 1e9:.0f} GFLOP/s, {roof['bandwidth'] / 1e9:.0f} GB/s"
            pen.axes.add_artist(Line2D([at, at + 0.3], [y, y], **self._style(roof)))
            pen.words(at + 0.38, y, text, size=SMALL, across="left")
            at += text_width(text, SMALL) + 0.65


def _kind(row: Row) -> str:
    asked = row["algorithm"].startswith("winograd") and row["operation"] == "forward"
    return "winograd" if asked else str(row["operation"])
