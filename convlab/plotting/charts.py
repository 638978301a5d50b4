"""Curves and bars for the experiments: labelled where they are, readable without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .board import number
from .colours import COLOURS, FAINT, INK, PAPER, Colour
from .layout import SMALL, TEXT, Block, Pen, labelled, text_width
from .picture import Picture

__all__ = ["bars", "curve"]

LOOKS = (
    (COLOURS["input"], "o", "-"),
    (COLOURS["kernel"], "s", "--"),
    (COLOURS["output"], "^", "-."),
    (COLOURS["padding"], "D", ":"),
    (Colour(INK, PAPER, INK), "v", "-"),
    (Colour(FAINT, PAPER, FAINT), "P", "--"),
)
MOST_MARKERS = 20  # of a curve; more would hide its line
FEW = 10  # points, each of which gets its own tick
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def curve(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str | None = None,
    log: str = "",
    ylim: tuple[float, float] | None = None,
    marks: Mapping[str, float] | None = None,
    height: float = 3.4,
) -> Picture:
    """Curves over one axis, each with its name at its end.

    Parameters
    ----------
    x : sequence of float
    series : mapping of str to sequence of float, or one sequence
        At most six curves; each has its own marker and line style besides its colour.
    xlabel, ylabel, title : str, optional
        Say the unit in the label.
    log : {"", "x", "y", "xy"}
        Axes with a logarithmic scale.
    ylim : (float, float), optional
    marks : mapping of str to float, optional
        Horizontal lines to compare with, such as ``{"chance": 0.1}``.
    height : float, default 3.4
        Inches.

    Examples
    --------
    >>> curve([1, 2, 4], {"with ReLU": [0.69, 0.83, 0.90], "without": [0.67, 0.86, 0.89]}, log="x")
    <Picture: 2 curves over 3 points: with ReLU, without>
    """
    named = dict(series) if isinstance(series, Mapping) else {"": series}
    lines = {name: np.asarray(values, dtype=float) for name, values in named.items()}
    _check_curves(x, lines, log)
    chart = Chart(np.asarray(x, dtype=float), lines, xlabel, ylabel, log, ylim, dict(marks or {}))

    def recipe(width: float) -> Block:
        return labelled(chart.block(width, height), title, width=width)

    listed = ", ".join(name for name in lines if name)
    count = f"{len(lines)} curve" + "s" * (len(lines) > 1)
    return Picture(recipe, f"{count} over {len(x)} points" + (f": {listed}" if listed else ""))


def _check_curves(x: Sequence[float], lines: Mapping[str, np.ndarray], log: str) -> None:
    if not 1 <= len(lines) <= len(LOOKS):
        raise ValueError(
            f"`series` must hold 1 to {len(LOOKS)} curves. Received: {len(lines)} curves."
        )
    for name, values in lines.items():
        if values.shape != (len(x),):
            raise ValueError(
                "Every curve must have one value for each x. "
                f"Received: {len(x)} x, curve {name!r} of shape {values.shape}."
            )
    check_log(log)


def tick(value: float, decimals: int) -> str:
    """A number beside an axis; one that would round to 0 as a power of ten.

    Examples
    --------
    >>> tick(0.5, 2), tick(0.0, 2), tick(1e-8, 2), tick(-0.0003, 2)
    ('0.5', '0', '10⁻⁸', '−3·10⁻⁴')
    """
    text = number(value, decimals)
    if text != "0" or not value:
        return text
    factor, _, power = f"{value:.0e}".partition("e")
    ten = "10" + str(int(power)).translate(RAISED)
    return {"1": ten, "-1": f"−{ten}"}.get(factor, f"{number(float(factor))}·{ten}")


def check_log(log: str) -> None:
    """Which axes are logarithmic, or a clear error."""
    if set(log) - {"x", "y"}:
        raise ValueError(f'`log` must be "", "x", "y" or "xy". Received: log={log!r}.')


class Chart:
    """One set of real axes with its curves."""

    below = 0.56  # inches for the numbers and the word under the axes

    def __init__(
        self, x: np.ndarray, lines: Mapping[str, np.ndarray], xlabel: str, ylabel: str, log: str,
        ylim: tuple[float, float] | None, marks: Mapping[str, float],
    ) -> None:  # fmt: skip
        self.x, self.lines, self.log = x, lines, log
        self.xlabel, self.ylabel = xlabel, ylabel
        self.ylim, self.marks = ylim, marks

    def block(self, width: float, height: float) -> Block:
        right = self.name_width() + 0.2
        left, bottom, top = 0.62, self.below, 0.34 if self.ylabel else 0.08

        def draw(pen: Pen, x: float, y: float) -> None:
            inside = width - left - right, height - bottom - top
            axes = pen.inset(x + left, y + top, *inside)
            self._draw(axes)
            self._draw_names(axes, pen, x + left + inside[0] + 0.1, y + top, inside[1])
            if self.ylabel:
                pen.words(x, y + 0.1, self.ylabel, size=SMALL, across="left")
            if self.xlabel:
                pen.words(x + left + inside[0] / 2, y + height - 0.1, self.xlabel, size=SMALL)

        return Block(width, height, draw)

    def name_width(self) -> float:
        """Room for the names at the ends, in inches."""
        return max(text_width(name, SMALL, bold=True) for name in (*self.lines, *self.marks))

    def points(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where a curve goes; a value that is no number leaves a gap."""
        return self.x, values

    def _draw(self, axes: Any) -> None:
        every = -(-len(self.x) // MOST_MARKERS)
        for (name, values), (colour, marker, style) in zip(self.lines.items(), LOOKS, strict=False):
            axes.plot(
                *self.points(values), color=colour.line, marker=marker, linestyle=style,
                linewidth=1.8, markersize=6, markeredgecolor=PAPER, markevery=every, label=name,
                zorder=3,
            )  # fmt: skip
        for value in self.marks.values():
            axes.axhline(value, color=FAINT, linewidth=1.0, linestyle=(0, (6, 3)), zorder=1)
        self._scale(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=SMALL, color=FAINT)

    def _scale(self, axes: Any) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

        if "x" in self.log:
            axes.set_xscale("log")
        if "y" in self.log:
            axes.set_yscale("log")
        if len(self.x) <= FEW:
            axes.set_xticks(self.x, [tick(value, 2) for value in self.x])
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.tick_params(axis="x", which="minor", length=0)
        elif "x" not in self.log:
            axes.xaxis.set_major_locator(MaxNLocator(11, steps=[1, 2, 5, 10]))
        plain = FuncFormatter(lambda value, place: tick(value, 4))
        axes.yaxis.set_major_formatter(plain)
        if len(self.x) > FEW:
            axes.xaxis.set_major_formatter(plain)
        if self.ylim is not None:
            axes.set_ylim(self.ylim)

    def _draw_names(self, axes: Any, pen: Pen, x: float, y: float, height: float) -> None:
        """Names at the ends of the curves, moved apart where they would touch."""
        ends = [
            (values[np.isfinite(values)][-1], name, look[0].ink, True)
            for (name, values), look in zip(self.lines.items(), LOOKS, strict=False)
            if np.isfinite(values).any()
        ]
        ends += [(value, name, FAINT, False) for name, value in self.marks.items()]
        axes.get_xlim(), axes.get_ylim()  # so that matplotlib finds the limits now
        to_axes = axes.transData + axes.transAxes.inverted()
        at = [y + height * (1 - to_axes.transform((self.x[-1], value))[1]) for value, *_ in ends]
        for place, (_, name, ink, bold) in zip(_apart(at, 0.18), ends, strict=True):
            pen.words(x, place, name, size=SMALL, ink=ink, bold=bold, across="left")


def _apart(places: Sequence[float], least: float) -> list[float]:
    """Places moved as little as needed so that no two are nearer than ``least``."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, dtype=float)
    for _ in range(50):
        for low, high in pairwise(order):
            lack = least - (moved[high] - moved[low])
            if lack > 1e-9:
                moved[low] -= lack / 2
                moved[high] += lack / 2
    return [float(place) for place in moved]


def bars(
    values: Mapping[str, float],
    *,
    xlabel: str = "",
    title: str | None = None,
    decimals: int = 3,
    highlight: Sequence[str] = (),
) -> Picture:
    """Horizontal bars from zero, each with its name before it and its number behind it.

    Parameters
    ----------
    values : mapping of str to float
    xlabel, title : str, optional
        What the numbers are, with their unit; a heading.
    decimals : int, default 3
        Of the printed numbers.
    highlight : sequence of str, optional
        Names of bars that stand out.

    Examples
    --------
    >>> bars({"[::2]": 0.174, "box": 0.094, "Gauss": 0.068})
    <Picture: 3 bars: [::2] 0.174, box 0.094, Gauss 0.068>
    """
    shown = {name: float(value) for name, value in values.items()}
    if not shown or not np.isfinite(list(shown.values())).all():
        raise ValueError(f"`values` must hold finite numbers, at least one. Received: {values!r}.")
    unknown = set(highlight) - set(shown)
    if unknown:
        raise ValueError(
            f"`highlight` must name bars. Received: {sorted(unknown)}, bars {list(shown)}."
        )

    def recipe(width: float) -> Block:
        body = _bars_block(shown, width, decimals, set(highlight))
        return labelled(body, title, xlabel, width=width)

    listed = ", ".join(f"{name} {number(value, decimals)}" for name, value in shown.items())
    return Picture(recipe, f"{len(shown)} bars: {listed}")


def _bars_block(shown: Mapping[str, float], width: float, decimals: int, marked: set[str]) -> Block:
    left = max(text_width(name, TEXT) for name in shown) + 0.12
    texts = {name: number(value, decimals) for name, value in shown.items()}
    right = max(text_width(text, TEXT, bold=True) for text in texts.values()) + 0.12
    low, high = min(0.0, *shown.values()), max(0.0, *shown.values())
    room = width - left - right - (right if low < 0 else 0)
    step = room / ((high - low) or 1.0)
    pitch, thick = 0.34, 0.22
    zero = left + (right if low < 0 else 0) - low * step

    def draw(pen: Pen, x: float, y: float) -> None:
        for i, (name, value) in enumerate(shown.items()):
            middle = y + (i + 0.5) * pitch
            colour = COLOURS["kernel" if name in marked else "input"]
            start = x + zero + min(value, 0) * step
            pen.words(x + left - 0.12, middle, name, across="right", bold=name in marked)
            pen.box(
                start, middle - thick / 2, abs(value) * step, thick, fill=colour.line, label="bar"
            )
            side = ("left", 0.07) if value >= 0 else ("right", -0.07)
            end = x + zero + value * step + side[1]
            pen.words(end, middle, texts[name], across=side[0], bold=name in marked)
        pen.path([(x + zero, y), (x + zero, y + len(shown) * pitch)], line=INK, weight=1.0, z=3)

    return Block(width, len(shown) * pitch, draw)
