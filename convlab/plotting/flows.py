"""An algorithm as a picture: numbers in columns, and a line wherever one adds into another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .board import number, numbers
from .colours import COLOURS, INK, role
from .layout import SMALL, TEXT, Block, Pen, labelled, text_width
from .picture import Picture

__all__ = ["signal_flow"]

HEAD = 0.3  # room for the name of a column
NODE = 0.36  # height of a node
PITCH, DENSE = 0.62, 0.5  # from one node to the next; in columns of more than MANY nodes
MANY = 4
LEAST, MOST = 0.6, 1.6  # inches between two columns

Column = tuple[str, str, Sequence[Any]]


def signal_flow(
    columns: Sequence[Column],
    matrices: Sequence[Any],
    *,
    title: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Columns of numbers; each number is a sum over the lines that come from its left.

    Parameters
    ----------
    columns : sequence of (str, str, sequence)
        From left to right: a heading, a role of `COLOURS` or ``"neutral"``, and the numbers (or
        words) from top to bottom.
    matrices : sequence of array_like
        One between each column and the next, ``(next, previous)``. There is no line for a 0, a
        solid one for a 1, a dashed one for a -1; any other weight stands on its line.
    title, caption : str, optional

    Examples
    --------
    >>> sums = [[1, 1], [1, -1]]
    >>> signal_flow([("x", "input", [5, 3]), ("sums", "output", [8, 2])], [sums])
    <Picture: flow of 2 and 2 numbers, 4 lines: x, sums>
    """
    weights = [np.asarray(matrix, dtype=float) for matrix in matrices]
    _check(columns, weights)
    texts = [_texts(values) for _, _, values in columns]

    def recipe(width: float) -> Block:
        body = _block([(head, name) for head, name, _ in columns], texts, weights, width)
        return labelled(body, title, caption, width=width)

    counts = " and ".join(str(len(column)) for column in texts)
    lines = sum(int(np.count_nonzero(one)) for one in weights)
    heads = ", ".join(head for head, _, _ in columns)
    return Picture(recipe, f"flow of {counts} numbers, {lines} lines: {heads}")


def _check(columns: Sequence[Column], weights: Sequence[np.ndarray]) -> None:
    sizes = [len(values) for _, _, values in columns]
    if not sizes or not all(sizes):
        raise ValueError(
            "`columns` must hold a column, and each column a number. "
            f"Received: columns of {sizes} numbers."
        )
    wanted = [(after, before) for before, after in pairwise(sizes)]
    shapes = [matrix.shape for matrix in weights]
    if shapes != wanted:
        raise ValueError(
            "`matrices` must have one matrix between each column and the next, of shape "
            f"(next, previous). Received: shapes {shapes}, columns of {sizes} numbers."
        )
    for _, name, _ in columns:
        role(name)


def _texts(values: Sequence[Any]) -> list[str]:
    if any(isinstance(value, str) for value in values):
        return [str(value) for value in values]
    return list(numbers(np.asarray(values)).tolist())


def _block(
    heads: Sequence[tuple[str, str]], texts: Sequence[Sequence[str]],
    weights: Sequence[np.ndarray], width: float,
) -> Block:  # fmt: skip
    wide = [max(text_width(text, TEXT) for text in column) + 0.2 for column in texts]
    wide = [max(own, NODE) for own in wide]
    names = [text_width(head, SMALL, bold=True) for head, _ in heads]
    room = [max(pair) for pair in zip(wide, names, strict=True)]
    gap = min(max((width - sum(room)) / max(len(room) - 1, 1), LEAST), MOST)
    lefts = [sum(room[:i]) + gap * i + (room[i] - wide[i]) / 2 for i in range(len(room))]
    most = max(len(column) for column in texts)
    pitch = PITCH if most <= MANY else DENSE

    def middle(column: Sequence[str], place: int) -> float:
        # A shorter column spreads over the same height: a sum stands beside its terms.
        return HEAD + (place + 0.5) * most * pitch / len(column)

    def draw(pen: Pen, x: float, y: float) -> None:
        for i, ((head, name), column) in enumerate(zip(heads, texts, strict=True)):
            at = x + lefts[i] + wide[i] / 2
            pen.words(at, y + 0.1, head, size=SMALL, bold=True, ink=role(name).ink)
            for place, text in enumerate(column):
                _draw_node(pen, x + lefts[i], y + middle(column, place), wide[i], text, name)
        for i, matrix in enumerate(weights):
            start, end = x + lefts[i] + wide[i], x + lefts[i + 1]
            for to, source in np.argwhere(matrix):
                ends = (
                    (start, y + middle(texts[i], source)),
                    (end, y + middle(texts[i + 1], to)),
                )
                _draw_line(pen, *ends, float(matrix[to, source]))

    return Block(sum(room) + gap * (len(room) - 1), HEAD + most * pitch, draw)


def _draw_node(pen: Pen, x: float, y: float, wide: float, text: str, name: str) -> None:
    colour = role(name)
    top = y - NODE / 2
    pen.box(x, top, wide, NODE, fill=colour.fill, line=colour.line, weight=1.3, z=3, label="node")
    pen.words(x + wide / 2, y, text, ink=INK)


def _draw_line(
    pen: Pen, start: tuple[float, float], end: tuple[float, float], weight: float
) -> None:
    plain = abs(weight) == 1
    line = INK if plain else COLOURS["kernel"].line
    style, label = ("--", "minus") if weight == -1 else ("-", "line")
    pen.path([start, end], line=line, weight=1.4, style=style, z=1.5, label=label)
    if plain:
        return
    text, colour = "×" + number(weight, 4), COLOURS["kernel"]
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    wide, high = text_width(text, SMALL) + 0.14, 0.26
    pen.box(
        x - wide / 2, y - high / 2, wide, high, fill=colour.fill, line=colour.line, z=2.5,
        label="weight",
    )  # fmt: skip
    pen.words(x, y, text, size=SMALL, ink=INK)
