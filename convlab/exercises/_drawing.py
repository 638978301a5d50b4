"""Values side by side, as box-drawn text for a terminal and as tables for a notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from convlab.exercises._values import differs, plain, same, shape_of, shown

__all__ = [
    "KERNEL", "Panel", "axes_of", "code_html", "comparison", "draw", "panels_html", "panels_text",
]  # fmt: skip

KERNEL = (0, 1)  # the axes of height and width in (height, width, channels, filters)
_NAMED = {"kernel": KERNEL, "kernels": KERNEL, "weights": KERNEL, "first": KERNEL, "second": KERNEL}
_PYTORCH = {"weight": (2, 3)}  # (filters, channels, height, width)
ROWS, COLUMNS = 8, 10  # larger arrays are cropped around the first difference
WIDTH = 88  # of a terminal, before panels are stacked


@dataclass(frozen=True)
class Panel:
    """A titled value: rows of cells, or one line of text.

    Attributes
    ----------
    title : str
    rows : tuple of tuple of str
        Empty where ``line`` says it all.
    marked : frozenset of (int, int)
        Cells that differ from what was expected.
    line : str
    labelled : bool
        Whether the first column names the rows.
    """

    title: str
    rows: tuple[tuple[str, ...], ...] = ()
    marked: frozenset[tuple[int, int]] = frozenset()
    line: str = ""
    labelled: bool = False


def axes_of(label: str) -> tuple[int, int] | None:
    """The axes of height and width, where an argument's name tells them.

    Examples
    --------
    >>> axes_of("kernel"), axes_of("x")
    ((0, 1), None)
    """
    return (_NAMED | _PYTORCH).get(label)


def comparison(
    expected: Any,
    received: Any,
    *,
    tolerance: float | None = None,
    axes: tuple[int, int] | None = None,
) -> list[Panel]:
    """Two panels, the wrong cells of the second one marked."""
    if isinstance(expected, dict) and isinstance(received, dict):
        wrong = {key for key in expected if not same(expected[key], received.get(key), tolerance)}
        return [draw("expected", expected), draw("received", received, wrong=wrong)]
    if not isinstance(expected, np.ndarray) or expected.shape != shape_of(received):
        return [draw("expected", expected, axes=axes), draw("received", received, axes=axes)]
    cells = differs(expected, received, tolerance)
    digits = _digits_that_tell(expected[cells], np.asarray(received)[cells])
    return [
        draw("expected", expected, at=cells, digits=digits, axes=axes),
        draw("received", received, at=cells, wrong=cells, digits=digits, axes=axes),
    ]


def draw(
    title: str,
    value: Any,
    *,
    at: Any = None,
    wrong: Any = None,
    digits: int = 4,
    axes: tuple[int, int] | None = None,
) -> Panel:
    """One plain value as a panel.

    Parameters
    ----------
    title : str
    value : object
    at : array of bool, optional
        Where to look; a large array is cropped around the first True.
    wrong : array of bool or set of keys, optional
        What to mark.
    digits : int, default 4
        Significant digits of floats.
    axes : tuple of int, optional
        The axes of height and width of an array with four axes, where they are known.
    """
    if isinstance(value, dict):
        return _table_of(title, value, wrong or ())
    if not isinstance(value, np.ndarray) or not value.size:
        return Panel(title, line=shown(value))
    plane, note, index = _plane(value, at, axes)
    rows = tuple(tuple(_number(cell, digits) for cell in row) for row in plane)
    marks = [] if wrong is None else np.argwhere(wrong[index].reshape(plane.shape)).tolist()
    return Panel(title + note, rows, frozenset((row, column) for row, column in marks))


def _table_of(title: str, value: dict[str, Any], wrong: Collection[str]) -> Panel:
    rows = tuple((key, _entry(item, key)) for key, item in value.items())
    marks = [(row, 1) for row, key in enumerate(value) if key in wrong]
    return Panel(title, rows, frozenset(marks), labelled=True)


def _entry(value: Any, key: str = "") -> str:
    """A measured value, in a cell that needs no quotes and no brackets around a single one."""
    if key == "shape" and isinstance(value, np.ndarray):
        return str(tuple(value.tolist()))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (np.ndarray, tuple)) and len(value) == 1:
        return _entry(plain(value[0]))
    return value if isinstance(value, str) else shown(value)


def _number(value: Any, digits: int) -> str:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e7:
        return str(int(value))
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _digits_that_tell(expected: Any, received: Any) -> int:
    """As few digits as make every wrong number look wrong."""
    for digits in (4, 6, 9):
        pairs = zip(expected[:99], received[:99], strict=True)
        if all(_number(one, digits) != _number(other, digits) for one, other in pairs):
            return digits
    return 17


def _plane(array: np.ndarray, at: Any, axes: Any) -> tuple[np.ndarray, str, Any]:
    """Two axes of an array, cropped; how to name that part, and its index."""
    first = np.zeros(array.ndim, int)
    if at is not None and at.any():
        first = np.argwhere(at)[0]
    rows, columns = _drawn_axes(array.shape, axes if array.ndim == 4 else None)
    index: list[Any] = [int(place) for place in first]
    for axis, limit in ((rows, ROWS), (columns, COLUMNS)):
        if axis is not None:
            index[axis] = _window(int(first[axis]), array.shape[axis], limit)
    plane = array[tuple(index)]
    return np.atleast_2d(plane), _note(array, index), tuple(index)


def _drawn_axes(
    shape: tuple[int, ...], known: tuple[int, int] | None = None
) -> tuple[int | None, int]:
    """The axes of height and width: of an image, a batch of them, or a kernel."""
    if len(shape) == 1:
        return None, 0
    pair = known or _usual_axes(shape)
    long = [axis for axis, size in enumerate(shape) if size > 1]
    if len(long) == 2:
        return long[0], long[1]  # they are all there is to see
    if len(long) == 1 and long[0] not in pair:
        return (long[0] - 1, long[0]) if long[0] else (0, 1)
    return pair


def _usual_axes(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) < 4 or shape[0] == shape[1] != shape[2]:
        return 0, 1
    return len(shape) - 3, len(shape) - 2


def _window(place: int, size: int, limit: int) -> slice:
    if size <= limit:
        return slice(0, size)
    start = min(max(place - 1, 0), size - limit)
    return slice(start, start + limit)


def _note(array: np.ndarray, index: list[Any]) -> str:
    whole = all(isinstance(part, slice) for part in index)
    complete = all(
        size == 1 if isinstance(part, int) else part == slice(0, size)
        for part, size in zip(index, array.shape, strict=True)
    )
    if whole and complete and array.ndim < 3:
        return ""
    if complete:
        return f", shape {array.shape}"
    parts = [
        str(part) if isinstance(part, int)
        else ":" if part == slice(0, size)
        else f"{part.start}:{part.stop}"
        for part, size in zip(index, array.shape, strict=True)
    ]  # fmt: skip
    return f"[{', '.join(parts)}] of shape {array.shape}"


# --- text ----------------------------------------------------------------------------------------


def panels_text(panels: Sequence[Panel]) -> str:
    """Panels beside each other where they fit, else below each other.

    Examples
    --------
    >>> print(panels_text(comparison(np.array([1, 2]), np.array([1, 5]))))
    expected   received, [wrong]
    ┌─────┐    ┌───────┐
    │ 1 2 │    │ 1 [5] │
    └─────┘    └───────┘
    """
    if not any(panel.rows for panel in panels):
        return _lines(panels)
    strips: list[list[list[str]]] = []
    for block in map(_block, panels):
        if strips and sum(_width(one) + 3 for one in strips[-1]) + _width(block) <= WIDTH:
            strips[-1].append(block)
        else:
            strips.append([block])
    return "\n".join(map(_strip, strips))


def _width(block: list[str]) -> int:
    return max(map(len, block))


def _strip(blocks: list[list[str]]) -> str:
    """Blocks of lines beside each other."""
    widths = [_width(block) for block in blocks]
    lines = zip_longest(*blocks, fillvalue="")
    return "\n".join("   ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _lines(panels: Sequence[Panel]) -> str:
    width = max(len(panel.title) for panel in panels) + 1
    return "\n".join(f"{panel.title + ':':{width}} {panel.line}" for panel in panels)


def _block(panel: Panel) -> list[str]:
    if not panel.rows:
        return [panel.title, panel.line]
    cells = [
        [f"[{cell}]" if (row, column) in panel.marked else cell for column, cell in enumerate(line)]
        for row, line in enumerate(panel.rows)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [" ".join(map(str.rjust, line, widths)) for line in cells]
    if panel.labelled:
        lines = [f"{label:{widths[0]}} {value:>{widths[1]}}" for label, value in cells]
    edge = "─" * (len(lines[0]) + 2)
    title = panel.title + (", [wrong]" if panel.marked else "")
    return [title, f"┌{edge}┐", *(f"│ {line} │" for line in lines), f"└{edge}┘"]


# --- HTML ----------------------------------------------------------------------------------------
# Colours are half-transparent and text keeps its own, so that both themes read well; what is marked
# is also bold and underlined.

FLOW = "display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start; margin: .5em 0"
TABLE = "border-collapse: collapse; margin: 0; width: auto; font-family: monospace; color: inherit"
CAPTION = (
    "caption-side: top; text-align: left; white-space: nowrap; color: inherit; padding: 0 0 .2em 0"
)
CELL = (
    "border: 1px solid rgba(128, 128, 128, .5); padding: .1em .5em; text-align: right; "
    "background: transparent; color: inherit"
)
MARK = (
    "background: rgba(230, 120, 0, .25); color: inherit; font-weight: bold; "
    "text-decoration: underline"
)


def panels_html(panels: Sequence[Panel]) -> str:
    """Panels as tables that flow side by side."""
    tables = "".join(map(_table, panels))
    return f'<div style="{FLOW}">{tables}</div>'


def _table(panel: Panel) -> str:
    rows = panel.rows or ((panel.line,),)
    body = "".join(f"<tr>{_cells(panel, row, line)}</tr>" for row, line in enumerate(rows))
    legend = f', <mark style="{MARK}">wrong</mark>' if panel.marked else ""
    caption = f'<caption style="{CAPTION}">{html.escape(panel.title)}{legend}</caption>'
    return f'<table style="{TABLE}">{caption}<tbody>{body}</tbody></table>'


def _cells(panel: Panel, row: int, line: Sequence[str]) -> str:
    texts = [html.escape(text) for text in line]
    for column, text in enumerate(texts):
        if (row, column) in panel.marked:
            texts[column] = f'<mark style="{MARK}">{text}</mark>'
    cells = [f'<td style="{CELL}">{text}</td>' for text in texts]
    if panel.labelled:
        cells[0] = f'<th scope="row" style="{CELL}; text-align: left">{texts[0]}</th>'
    return "".join(cells)


def code_html(text: str) -> str:
    """Text with what stands in backticks as code.

    Examples
    --------
    >>> code_html("x < `y`")
    'x &lt; <code>y</code>'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
