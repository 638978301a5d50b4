"""Two weights in training: the steps, what pulls them back, and the loss under their feet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .colours import COLOURS, FAINT, INK, LINE, PALE, PAPER
from .layout import SMALL, Block, Pen, labelled, text_width
from .picture import Picture

__all__ = ["path"]

LARGEST = 4.2  # side of the panel, in inches
LEFT, BELOW = 0.42, 0.62  # inches: numbers beside the panel; numbers and key below it
FINE = 241  # places along each axis at which the loss and the constraint are asked
STROKE = 0.01  # half the breadth of an allowed line, as a share of the panel
AREA = 0.02  # share of places left alone from which on they are an area, not a line
CONTOURS = 9
SHORTEST = 0.004  # arrow, as a share of the panel
STEP, BACK, ALLOWED = "step", "projection", "allowed"
LOOKS: dict[str, dict[str, Any]] = {
    STEP: {"color": COLOURS["input"].line, "linestyle": "-"},
    BACK: {"color": COLOURS["kernel"].line, "linestyle": (0, (3, 1.6))},
}


def path(
    kept: ArrayLike,
    stepped: ArrayLike | None = None,
    *,
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    constraint: Callable[[np.ndarray], np.ndarray] | None = None,
    limits: tuple[float, float] = (-3.0, 3.0),
    names: tuple[str, str] = (STEP, BACK),
    title: str | None = None,
    caption: str | None = None,
) -> Picture:
    """The way of two weights through a training, with each projection drawn as its own arrow.

    Parameters
    ----------
    kept : array of shape (n + 1, 2)
        The weights at the start and after every step.
    stepped : array of shape (n, 2), optional
        Where each step led before the constraint answered. Where None, nothing pulls back.
    loss : callable, optional
        ``loss(a, b)`` of two arrays: drawn as lines of equal loss, with a cross at the least.
    constraint : callable, optional
        Takes weights of shape (2, n), a pair in each column. The places that it leaves alone
        are shown as allowed.
    limits : (float, float), default (-3, 3)
        Of both axes.
    names : (str, str), default ("step", "projection")
        What the key calls the two kinds of arrows.
    title, caption : str, optional

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        Where the points are no pairs, or not one step lies between two of them.

    Examples
    --------
    >>> from convlab import constraints
    >>> path([(0, 1), (0.6, 0.8)], [(1.2, 1.6)], constraint=constraints.MaxNorm(1))
    <Picture: 1 step of two weights, from (0, 1) to (0.6, 0.8)>
    """
    points, away = _points(kept, stepped)
    called = dict(zip((STEP, BACK), names, strict=True))
    drawn = _Panel(points, away, loss, constraint, limits, called)

    def recipe(width: float) -> Block:
        side = min(LARGEST, width - LEFT)
        return labelled(drawn.block(side), title, caption, width=width)

    count = f"{len(points) - 1} step" + "s" * (len(points) != 2)
    return Picture(
        recipe, f"{count} of two weights, from {_pair(points[0])} to {_pair(points[-1])}"
    )


def _pair(point: np.ndarray) -> str:
    return "(" + ", ".join(f"{value + 0.0:.3g}".replace("-", "−") for value in point) + ")"


def _points(kept: ArrayLike, stepped: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    points = np.asarray(kept, dtype=float)
    away = points[1:] if stepped is None else np.asarray(stepped, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or away.shape != (len(points) - 1, 2):
        raise ValueError(
            "`kept` must hold n + 1 pairs of weights, and `stepped` n. "
            f"Received: kept of shape {points.shape}, stepped of shape {away.shape}."
        )
    if not (np.isfinite(points).all() and np.isfinite(away).all()):
        raise ValueError("`kept` and `stepped` must be finite. Received: NaN or infinity.")
    return points, away


class _Panel:
    """A square of the plane of two weights, and the key below it."""

    def __init__(
        self, kept: np.ndarray, stepped: np.ndarray, loss: Any, constraint: Any,
        limits: tuple[float, float], names: dict[str, str],
    ) -> None:  # fmt: skip
        self.kept, self.stepped = kept, stepped
        self.loss, self.constraint = loss, constraint
        self.limits, self.names = limits, {**names, ALLOWED: ALLOWED}

    def block(self, side: float) -> Block:
        def draw(pen: Pen, x: float, y: float) -> None:
            self._draw(pen.inset(x + LEFT, y, side, side))
            self._draw_key(pen, x + (LEFT + side) / 2, y + side + BELOW - 0.14)

        return Block(LEFT + side, side + BELOW, draw)

    def _draw(self, axes: Any) -> None:
        places = np.linspace(*self.limits, FINE)
        a, b = np.meshgrid(places, places)
        if self.constraint is not None:
            self._draw_allowed(axes, a, b)
        if self.loss is not None:
            self._draw_loss(axes, a, b)
        axes.axhline(0, color=LINE, linewidth=0.8, zorder=1.5)
        axes.axvline(0, color=LINE, linewidth=0.8, zorder=1.5)
        axes.set(xlim=self.limits, ylim=self.limits)
        self._draw_path(axes)
        axes.locator_params(nbins=7)
        axes.tick_params(labelsize=SMALL, color=FAINT)
        for edge in axes.spines.values():
            edge.set_color(LINE)

    def _draw_loss(self, axes: Any, a: np.ndarray, b: np.ndarray) -> None:
        """Lines of equal loss, and a cross where it is least."""
        height = np.asarray(self.loss(a, b), dtype=float)
        # The root spreads the lines of a bowl evenly.
        root = np.sqrt(height - height.min())
        axes.contour(a, b, root, CONTOURS, colors=PALE, linewidths=0.9)
        least = np.unravel_index(height.argmin(), height.shape)
        axes.plot(a[least], b[least], "x", color=FAINT, markersize=7)

    def _draw_allowed(self, axes: Any, a: np.ndarray, b: np.ndarray) -> None:
        """The places that the constraint leaves alone: an area, or a line with some breadth."""
        pairs = np.stack([a.ravel(), b.ravel()])
        moved = np.linalg.norm(np.asarray(self.constraint(pairs)) - pairs, axis=0).reshape(a.shape)
        span = self.limits[1] - self.limits[0]
        is_area = np.mean(moved < 1e-5 * span) > AREA
        near = span * (0.5 / FINE if is_area else STROKE)
        green = COLOURS["output"]
        axes.contourf(a, b, moved, [-1, near], colors=[green.fill], zorder=0)
        axes.contour(a, b, moved, [near], colors=[green.line], linewidths=1.0, zorder=0.5)

    def _draw_path(self, axes: Any) -> None:
        for start, out, end in zip(self.kept, self.stepped, self.kept[1:], strict=False):
            _arrow(axes, start, out, STEP)
            _arrow(axes, out, end, BACK)
        axes.plot(*self.kept.T, "o", color=INK, markersize=4.5, markeredgecolor=PAPER, zorder=5)
        axes.plot(*self.kept[:1].T, "o", color=PAPER, markersize=7, markeredgecolor=INK, zorder=6)

    def _draw_key(self, pen: Pen, middle: float, y: float) -> None:
        kinds = [STEP]
        if not np.array_equal(self.stepped, self.kept[1:]):
            kinds.append(BACK)
        if self.constraint is not None:
            kinds.append(ALLOWED)
        sign, gap = 0.34, 0.18
        widths = [sign + text_width(self.names[kind], SMALL) for kind in kinds]
        x = middle - (sum(widths) + gap * (len(kinds) - 1)) / 2
        for kind, width in zip(kinds, widths, strict=True):
            _draw_sign(pen, x, y, kind, sign - 0.08)
            pen.words(x + sign, y, self.names[kind], size=SMALL, across="left")
            x += width + gap


def _draw_sign(pen: Pen, x: float, y: float, kind: str, width: float) -> None:
    if kind == ALLOWED:
        green = COLOURS["output"]
        pen.box(x + 0.06, y - 0.07, width - 0.06, 0.14, fill=green.fill, line=green.line)
    else:
        look = LOOKS[kind]
        pen.path([(x, y), (x + width, y)], line=look["color"], style=look["linestyle"], weight=1.8)


def _arrow(axes: Any, start: np.ndarray, end: np.ndarray, name: str) -> None:
    """From one place to another; none where they are too near to tell apart."""
    if np.linalg.norm(end - start) < SHORTEST * np.ptp(axes.get_xlim()):
        return
    axes.annotate(
        "", xy=end, xytext=start, zorder=4,
        arrowprops={
            "arrowstyle": "-|>,head_length=0.5,head_width=0.22", "linewidth": 1.6,
            "shrinkA": 0, "shrinkB": 0, **LOOKS[name],
        },
    )  # fmt: skip
