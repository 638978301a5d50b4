"""How numbers are spread: one panel for each array, all on the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlab.geometry import as_size

from .board import number
from .colours import FAINT, INK, Colour, role
from .layout import SMALL, Block, Pen, above, beside, labelled, per_item, space, text_block
from .picture import Picture

__all__ = ["histograms"]

LEFT, RIGHT, BELOW, GAP = 0.56, 0.2, 0.27, 0.42  # inches: beside, below and between the axes
MOST_BINS = 400


def histograms(
    arrays: Mapping[str, ArrayLike] | ArrayLike,
    *,
    captions: Sequence[str | None] | None = None,
    xlabel: str = "",
    title: str | None = None,
    bins: int = 31,
    limits: tuple[float, float] | None = None,
    log: str = "",
    columns: int | None = None,
    height: float = 1.5,
    colour: str = "kernel",
) -> Picture:
    """Which values arrays hold, and how often: histograms beside each other, on equal axes.

    Parameters
    ----------
    arrays : mapping of str to array, or one array
        Each with its name. Arrays of any shape: all their numbers are counted.
    captions : sequence of str, optional
        One line, or more, below each histogram.
    xlabel, title : str, optional
        What the numbers are, with their unit; a heading.
    bins : int, default 31
        Bars of each histogram. An odd number has one in the middle: the bar of the zeros, where
        the limits are as far below 0 as above.
    limits : (float, float), optional
        The smallest and largest value shown; what lies beyond is told, not drawn. Where None,
        all values are shown: from 0 where none is negative, else as far below 0 as above.
    log : {"", "y"}
        "y" for a logarithmic height: shows bars of very different heights.
    columns : int, optional
        Histograms in a row; at most three where None.
    height : float, default 1.5
        Of each histogram, in inches.
    colour : {"kernel", "input", "output", "padding", "neutral"}
        What the numbers belong to.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        Where an array has no finite number, and for other arguments.

    Notes
    -----
    Heights are shares of all values of an array, so arrays of different sizes can be compared.

    Examples
    --------
    >>> weights = np.random.default_rng(0).normal(size=(3, 3, 16, 32))
    >>> histograms({"before": weights, "after": weights / 2}, xlabel="weight")
    <Picture: 2 histograms: before 4608 values, after 4608 values>
    """
    given = arrays if isinstance(arrays, Mapping) else {"": arrays}
    values = {name: _finite(name, one) for name, one in given.items()}
    _check(values, bins, limits, log)
    columns = min(len(values), 3) if columns is None else as_size("columns", columns)
    low, high = limits or _limits(values.values())
    shown = _Panels(
        {name: _shares(one, bins, low, high) for name, one in values.items()},
        np.linspace(low, high, bins + 1), role(colour), log, height,
    )  # fmt: skip
    notes = [
        "\n".join(filter(None, (caption, _beyond(one, low, high))))
        for caption, one in zip(
            per_item("captions", captions, len(values)), values.values(), strict=True
        )
    ]

    def recipe(width: float) -> Block:
        body = shown.block(width, columns, notes)
        return labelled(body, title, xlabel, width=width)

    count = f"{len(values)} histogram" + "s" * (len(values) > 1)
    told = ", ".join(f"{name} {one.size} values".strip() for name, one in values.items())
    return Picture(recipe, f"{count}: {told}")


def _finite(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=float).ravel()
    if not array.size or not np.isfinite(array).all():
        raise ValueError(
            "Every array must hold finite numbers, at least one. "
            f"Received: {name!r} of {array.size} values, {np.isfinite(array).sum()} finite."
        )
    return array


def _check(values: Mapping[str, np.ndarray], bins: int, limits: Any, log: str) -> None:
    if not values:
        raise ValueError("`arrays` must hold at least one array. Received: none.")
    if not isinstance(bins, int) or not 1 <= bins <= MOST_BINS:
        raise ValueError(f"`bins` must be 1 to {MOST_BINS}. Received: bins={bins!r}.")
    if limits is not None and not limits[0] < limits[1]:
        raise ValueError(f"`limits` must be (low, high), low first. Received: limits={limits!r}.")
    if log not in ("", "y"):
        raise ValueError(f'`log` must be "" or "y". Received: log={log!r}.')


def _limits(values: Any) -> tuple[float, float]:
    """All values, rounded outwards to two digits so that rounding errors move nothing."""
    lowest = min(float(one.min()) for one in values)
    largest = max(float(np.abs(one).max()) for one in values) or 1.0
    step = 10.0 ** (np.floor(np.log10(largest)) - 1)
    high = float(np.ceil(largest / step - 1e-6) * step)
    return (0.0 if lowest >= 0 else -high), high


def _shares(values: np.ndarray, bins: int, low: float, high: float) -> np.ndarray:
    return np.histogram(values, bins, (low, high))[0] / values.size


def _beyond(values: np.ndarray, low: float, high: float) -> str:
    """How much of an array the limits leave out."""
    slack = 1e-6 * (high - low)
    share = float(np.mean((values < low - slack) | (values > high + slack)))
    return f"{number(100 * share, 1)} % beyond" if share else ""


class _Panels:
    """The histograms, and the axes that they share."""

    def __init__(
        self, shares: Mapping[str, np.ndarray], edges: np.ndarray, colour: Colour, log: str,
        height: float,
    ) -> None:  # fmt: skip
        self.shares, self.edges, self.colour = shares, edges, colour
        self.log, self.height = log, height
        tallest = max(float(one.max()) for one in shares.values()) or 1.0
        least = min(float(one[one > 0].min(initial=1.0)) for one in shares.values())
        self.ylim = (least / 2, tallest * 2) if log else (0.0, tallest * 1.06)

    def block(self, width: float, columns: int, notes: Sequence[str]) -> Block:
        """All panels in rows, with the numbers of the height at the left of each row."""
        each = (width - LEFT - RIGHT - GAP * (columns - 1)) / columns
        names = list(zip(self.shares, notes, strict=True))
        rows = []
        for row in (names[i : i + columns] for i in range(0, len(names), columns)):
            panels = [
                labelled(
                    self._panel(self.shares[name], each, is_first=not place),
                    name, note or None, width=each, ink=self.colour.ink,
                )
                for place, (name, note) in enumerate(row)
            ]  # fmt: skip
            rows.append(beside([space(LEFT - GAP), *panels, space(RIGHT - GAP)], GAP))
        heading = text_block("share of the values", size=SMALL)
        return above([heading, *rows], 0.15, left=True)

    def _panel(self, shares: np.ndarray, width: float, *, is_first: bool) -> Block:
        def draw(pen: Pen, x: float, y: float) -> None:
            axes = pen.inset(x, y, width, self.height)
            axes.stairs(
                shares, self.edges, fill=True, facecolor=self.colour.fill,
                edgecolor=self.colour.line, linewidth=1.3, zorder=3,
            )  # fmt: skip
            if self.edges[0] < 0 < self.edges[-1]:
                axes.axvline(0, color=FAINT, linewidth=1.0, linestyle=(0, (4, 3)), zorder=4)
            self._scale(axes)
            axes.tick_params(which="minor", length=0)
            axes.tick_params(labelsize=SMALL, color=FAINT, labelleft=is_first, labelcolor=INK)

        return Block(width, self.height + BELOW, draw, self.height / 2)

    def _scale(self, axes: Any) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

        if self.log:
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, place: _percent(value)))
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: number(value, 4)))
        axes.set(xlim=(self.edges[0], self.edges[-1]), ylim=self.ylim)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
        axes.set_axisbelow(True)


def _percent(share: float) -> str:
    return f"{number(100 * share, 3)} %"
