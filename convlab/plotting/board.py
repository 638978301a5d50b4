"""A board of square cells: the one way in which numbers, pixels and windows are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .colours import INK, LINE, PAPER, Colour, ink_on, mix
from .layout import POINTS, TEXT, Block, Pen, text_width

__all__ = ["Cell", "board", "cell_size", "divisor", "number", "numbers"]

CELL = 0.42  # inches, where there is room
SMALLEST_TEXT = 7.0
CORNER_TEXT = 8.5


@dataclass(frozen=True)
class Cell:
    """One square: its colours, its number, and its marks."""

    colour: Colour
    text: str = ""
    fill: Any = None
    hatched: bool = False
    crossed: bool = False
    corner: str = ""
    corner_ink: str = INK

    @property
    def background(self) -> Any:
        """What the text stands on: white where the cell is crossed out."""
        if self.crossed:
            return PAPER
        return self.colour.fill if self.fill is None else self.fill


Board = Sequence[Sequence[Cell]]


def number(value: Any, decimals: int = 2) -> str:
    """A number as the book prints it: no needless zeros, and a real minus sign.

    Examples
    --------
    >>> number(3.0), number(-0.5), number(1 / 3)
    ('3', '−0.5', '0.33')
    """
    if isinstance(value, str):
        return value
    value = float(value)
    if not math.isfinite(value):
        return str(value).replace("-", "−")
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return ("0" if text == "-0" else text).replace("-", "−")


def numbers(values: Any, decimals: int = 2) -> np.ndarray:
    """The numbers of an array as text, all with the same decimals, as few as show them.

    An exact zero is a bare 0; a number that only rounds to zero is not.

    Examples
    --------
    >>> numbers([[1, -2.5], [0, 3]]).tolist(), numbers([1.0, 2.0]).tolist()
    ([['1.0', '−2.5'], ['0', '3.0']], ['1', '2'])
    """
    array = np.asarray(values)
    texts = [number(value, decimals) for value in array.ravel()]
    if array.dtype.kind not in "USO":
        places = max((len(text.partition(".")[2]) for text in texts), default=0)
        values = array.ravel().tolist()
        texts = [_padded(t, places) if v != 0 else t for t, v in zip(texts, values, strict=True)]
    return np.array(texts, dtype=object).reshape(array.shape)


def _padded(text: str, places: int) -> str:
    if not places or not text[-1].isdigit():  # nan and inf stay as they are
        return text
    whole, _, part = text.partition(".")
    return f"{whole}.{part.ljust(places, '0')}"


def divisor(values: Any) -> int:
    """The smallest whole number that turns all values into whole numbers; 0 if none to 1000.

    Examples
    --------
    >>> divisor(np.ones((3, 3)) / 9), divisor([[1, -2]]), divisor([[np.pi]])
    (9, 1, 0)
    """
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        return 0
    tolerance = 1e-6 * max(1.0, float(np.abs(values).max(initial=0.0)))
    for candidate in range(1, 1001):
        scaled = values * candidate
        if np.abs(scaled - np.round(scaled)).max(initial=0.0) <= tolerance:
            return candidate
    return 0


def cell_size(
    width: float, columns: float, texts: Iterable[str] = (), largest: float = CELL
) -> float:
    """Side of a cell: as large as its longest number wants, as small as the width demands."""
    longest = max((text_width(text, TEXT) for text in texts), default=0.0)
    return min(max(largest, longest + 0.14), width / columns)


def text_size(cells: Board, cell: float, largest: float = TEXT) -> float:
    """The font size at which every number of a board fits its cell."""
    longest = max((text_width(c.text, largest) for row in cells for c in row), default=0.0)
    if longest == 0:
        return largest
    return max(SMALLEST_TEXT, min(largest, largest * (cell - 0.06) / longest, 0.62 * cell * POINTS))


def board(cells: Board, cell: float, frame: Any = None) -> Block:
    """Cells in rows and columns; ``frame`` is the colour of an outline around them all."""
    size = text_size(cells, cell)
    rows, columns = len(cells), len(cells[0])

    def draw(pen: Pen, x: float, y: float) -> None:
        for r, row in enumerate(cells):
            for c, one in enumerate(row):
                _draw_cell(pen, x + c * cell, y + r * cell, cell, one, size)
        if frame is not None:
            pen.box(x, y, columns * cell, rows * cell, line=frame, weight=1.6, z=3)

    return Block(columns * cell, rows * cell, draw)


def _draw_cell(pen: Pen, x: float, y: float, cell: float, one: Cell, size: float) -> None:
    edge = mix(one.colour.line, PAPER, 0.55)
    pen.box(x, y, cell, cell, fill=one.background, line=edge, weight=0.8, label="cell")
    if one.hatched:
        pen.hatch(x, y, cell, cell, one.colour.line)
    if one.crossed:
        _draw_cross(pen, x, y, cell)
    if one.text:
        if one.hatched:  # a plain patch behind the number, so that the hatch does not cross it
            _draw_patch(pen, x, y, cell, one, size)
        up = 0.12 * cell if one.corner else 0.0
        ink = ink_on(one.background)
        pen.words(x + cell / 2, y + cell / 2 - up, one.text, size=size, ink=ink)
    if one.corner:
        at = x + 0.94 * cell, y + cell - 0.1
        pen.words(*at, one.corner, size=CORNER_TEXT, ink=one.corner_ink, across="right")


def _draw_patch(pen: Pen, x: float, y: float, cell: float, one: Cell, size: float) -> None:
    wide = text_width(one.text, size) + 0.06
    high = size * 1.15 / POINTS
    up = 0.12 * cell if one.corner else 0.0
    left, top = x + (cell - wide) / 2, y + (cell - high) / 2 - up
    pen.box(left, top, wide, high, fill=one.background, z=1.4)


def _draw_cross(pen: Pen, x: float, y: float, cell: float) -> None:
    near, far = 0.14 * cell, 0.86 * cell
    for a, b in ((near, far), (far, near)):
        pen.path(
            [(x + near, y + a), (x + far, y + b)], line=LINE, weight=0.9, z=1.5, label="crossed"
        )


def frame_cells(
    pen: Pen,
    x: float,
    y: float,
    cell: float,
    places: Iterable[tuple[int, int]],
    line: Any = INK,
    weight: float = 2.6,
) -> None:
    """A thick outline around cells given as (row, column); neighbours share one outline."""
    places = set(places)
    sides = {
        (-1, 0): (0, 0, 0, 1),
        (1, 0): (1, 0, 1, 1),
        (0, -1): (0, 0, 1, 0),
        (0, 1): (0, 1, 1, 1),
    }
    for row, column in sorted(places):
        for (down, right), (r0, c0, r1, c1) in sides.items():
            if (row + down, column + right) in places:
                continue
            start = x + (column + c0) * cell, y + (row + r0) * cell
            end = x + (column + c1) * cell, y + (row + r1) * cell
            pen.path([start, end], line=line, weight=weight, z=4, label="frame")
