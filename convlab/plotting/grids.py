"""Small matrices as coloured cells, and equations made of them: the hand-worked examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .board import Cell, board, cell_size, frame_cells, numbers
from .colours import COLOURS, INK, role
from .layout import GAP, SMALL, Block, Pen, above, beside, labelled, space, text_block, text_width
from .picture import Picture

__all__ = ["Grid", "equation", "grid"]

OPERATORS = {"*": "∗", "=": "=", "+": "+", "-": "−", "->": "→", "(": "(", ")": ")"}


class Grid(Picture):
    """A matrix of numbers as a figure of its own, or as a part of an `equation`."""

    def __init__(
        self,
        values: Any,
        role: str = "input",
        *,
        title: str | None = None,
        caption: str | None = None,
        highlight: Iterable[tuple[int, int]] = (),
        rows: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        decimals: int = 2,
    ) -> None:
        self.values = matrix(values)
        self.role = role
        self.title, self.caption = title, caption
        self.highlight = [(int(r), int(c)) for r, c in highlight]
        self.rows, self.columns = rows, columns
        self.texts = numbers(self.values, decimals).tolist()
        high, wide = self.values.shape
        self._check(high, wide)
        super().__init__(self._recipe, f"{role} grid, {high} x {wide}")

    def _check(self, high: int, wide: int) -> None:
        role(self.role)
        for row, column in self.highlight:
            if not (0 <= row < high and 0 <= column < wide):
                raise ValueError(
                    "`highlight` must name (row, column) cells inside the grid. "
                    f"Received: highlight cell={(row, column)}, grid shape={(high, wide)}."
                )
        for name, labels, count in (("rows", self.rows, high), ("columns", self.columns, wide)):
            if labels is not None and len(labels) != count:
                raise ValueError(
                    f"`{name}` must have one label for each of the grid's {name}. "
                    f"Received: {len(labels)} labels, grid shape={(high, wide)}."
                )

    def _recipe(self, width: float) -> Block:
        left = max((text_width(label, SMALL) for label in self.rows or ()), default=0.0)
        texts = [text for row in self.texts for text in row]
        room = width - (left + 0.1 if left else 0.0)
        return self.block(cell_size(room, self.values.shape[1], texts), min(2.4, width))

    def block(self, cell: float, room: float = 0.0) -> Block:
        """The grid with cells of a given side; title and caption may be ``room`` wide."""
        colour = role(self.role)
        cells = [[Cell(colour, text) for text in row] for row in self.texts]
        frame = COLOURS["kernel"].line if self.role == "input" else INK
        body = framed(board(cells, cell, colour.line), self.highlight, cell, frame)
        body = _with_labels(body, cell, self.rows, self.columns)
        return labelled(body, self.title, self.caption, width=room, ink=colour.ink)


def matrix(values: Any) -> np.ndarray:
    """Two axes, rows and columns; one row from a list of numbers; axes of length 1 dropped."""
    array = np.asarray(values)
    if array.ndim > 2:
        array = array.reshape([n for n in array.shape if n != 1] or [1])
    if array.ndim < 2:
        array = array.reshape(1, -1)
    if array.ndim != 2 or not array.size:
        raise ValueError(
            "A grid must have rows and columns, and at least one number. "
            f"Received: values of shape {np.shape(values)}. "
            "Take one channel of one image: x[0, :, :, 0]."
        )
    return array


def framed(block: Block, places: Iterable[tuple[int, int]], cell: float, line: str) -> Block:
    """A board with a thick outline around some of its cells."""
    places = list(places)

    def draw(pen: Pen, x: float, y: float) -> None:
        block.draw(pen, x, y)
        frame_cells(pen, x, y, cell, places, line)

    return Block(block.width, block.height, draw)


def _with_labels(
    body: Block, cell: float, rows: Sequence[str] | None, columns: Sequence[str] | None
) -> Block:
    """The board with a name left of each row and above each column."""
    left = max((text_width(label, SMALL) for label in rows or ()), default=-0.1) + 0.1
    top = 0.22 if columns else 0.0

    def draw(pen: Pen, x: float, y: float) -> None:
        body.draw(pen, x + left, y + top)
        for r, label in enumerate(rows or ()):
            pen.words(x + left - 0.1, y + top + (r + 0.5) * cell, label, size=SMALL, across="right")
        for c, label in enumerate(columns or ()):
            pen.words(x + left + (c + 0.5) * cell, y + top / 2, label, size=SMALL)

    return Block(body.width + left, body.height + top, draw, top + body.middle)


def grid(
    values: Any,
    role: str = "input",
    *,
    title: str | None = None,
    caption: str | None = None,
    highlight: Iterable[tuple[int, int]] = (),
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    decimals: int = 2,
) -> Grid:
    """A small matrix of numbers as coloured cells.

    Parameters
    ----------
    values : array_like
        Numbers or strings in rows and columns; a list is one row.
    role : {"input", "kernel", "output", "padding", "neutral"}, default "input"
        Whose colours it has.
    title, caption : str, optional
        Above and below.
    highlight : iterable of (row, column), optional
        Cells with a thick frame.
    rows, columns : sequence of str, optional
        Names left of the rows and above the columns.
    decimals : int, default 2
        At most so many digits after the point.

    Returns
    -------
    Grid
        A `Picture`; also a part for `equation`.

    Examples
    --------
    >>> grid([[1, 2, 0], [3, 1, 4]], highlight=[(0, 0), (0, 1)])
    <Picture: input grid, 2 x 3>
    """
    return Grid(
        values, role, title=title, caption=caption, highlight=highlight, rows=rows,
        columns=columns, decimals=decimals,
    )  # fmt: skip


def equation(*parts: Any, caption: str | None = None) -> Picture:
    r"""Matrices and signs in a row, for an example worked by hand.

    Parameters
    ----------
    *parts : str, array_like or Grid
        ``"*"``, ``"+"``, ``"="``, ``"->"`` or other words; arrays take the role of their place:
        input first, kernel after ``"*"``, output after ``"="``. Use `grid` for another role,
        for titles and for highlighted cells. ``"\n"`` starts a new row.
    caption : str, optional
        One line below.

    Examples
    --------
    >>> x, k = [[1, 2, 0], [3, 1, 4], [0, 2, 5]], [[1, 2], [0, -1]]
    >>> equation(x, "*", k, "=", [[4, -2], [3, 4]])
    <Picture: equation: input 3 x 3 * kernel 2 x 2 = output 2 x 2>
    """
    terms = _terms(parts)
    lines = _lines(terms)
    told = [
        f"{t.role} {t.values.shape[0]} x {t.values.shape[1]}" if isinstance(t, Grid) else t
        for t in terms
    ]

    def recipe(width: float) -> Block:
        cell = min(_equation_cell(line, width) for line in lines)
        rows = [beside([_term(term, cell) for term in line], 0.16) for line in lines]
        below = [text_block(caption, width, size=SMALL)] if caption else []
        return above([*rows, *below], 0.18)

    return Picture(recipe, "equation: " + " ".join(t for t in told if t != "\n"))


def _terms(parts: Sequence[Any]) -> list[Any]:
    terms: list[Any] = []
    place = "input"
    for part in parts:
        if isinstance(part, str):
            place = {"*": "kernel", "=": "output"}.get(part, place)
            terms.append(part)
        else:
            terms.append(part if isinstance(part, Grid) else Grid(part, place))
    if not any(isinstance(term, Grid) for term in terms):
        raise ValueError(
            "An equation must have at least one matrix. "
            f'Received: parts={parts!r}. Write equation(x, "*", kernel, "=", y).'
        )
    return terms


def _lines(terms: Sequence[Any]) -> list[list[Any]]:
    lines: list[list[Any]] = [[]]
    for term in terms:
        if isinstance(term, str) and term == "\n":
            lines.append([])
        else:
            lines[-1].append(term)
    return [line for line in lines if line]


def _equation_cell(line: Sequence[Any], width: float) -> float:
    grids = [term for term in line if isinstance(term, Grid)]
    signs = sum(_term(term, 0).width for term in line if isinstance(term, str))
    columns = sum(term.values.shape[1] for term in grids) or 1
    texts = [text for term in grids for row in term.texts for text in row]
    return cell_size(width - signs - 0.16 * (len(line) - 1), columns, texts)


def _term(term: Any, cell: float) -> Block:
    if isinstance(term, Grid):
        return term.block(cell)
    if not term:
        return space(GAP)
    return text_block(OPERATORS.get(term, term), size=16 if term in OPERATORS else 11, ink=INK)
