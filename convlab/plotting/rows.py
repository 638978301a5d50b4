"""One row of pixels and its windows, drawn underneath: the 1-D toy of the book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.functional import conv2d
from convlab.geometry import Geometry, as_size

from .board import Cell, board, cell_size, numbers, text_size
from .colours import COLOURS, INK, LINE, ink_on
from .layout import SMALL, TEXT, Block, Pen, labelled, text_width
from .picture import Picture

__all__ = ["Row", "row_sweep"]

BAR = 0.62  # height of a window's bar, in cells
GUTTER = 0.3  # between the windows and the outputs, in inches


def row_sweep(
    x: int | Sequence[float],
    kernel: int | Sequence[float],
    *,
    strides: int = 1,
    padding: str = "valid",
    dilation_rate: int = 1,
    pads: tuple[int, int] | None = None,
    title: str | None = None,
    caption: str | None = None,
) -> Picture:
    """One row of pixels, every window as a bar underneath, and its output beside it.

    Parameters
    ----------
    x : int or sequence of float
        The pixels; a whole number n stands for 1, 2, ..., n.
    kernel : int or sequence of float
        The weights; a whole number draws so many weights without values, and no outputs.
    strides, padding, dilation_rate
        As in `convlab.conv2d`, for one axis.
    pads : (int, int), optional
        Zeros before and after in place of what ``padding`` says, as PyTorch's
        ``padding=1`` puts them; the windows then stay inside (``"valid"``).
    title, caption : str, optional

    Returns
    -------
    Picture
        Zeros of the padding are hatched; pixels that no window reads are crossed out.

    Examples
    --------
    >>> row_sweep(6, [1, 10, 100], strides=2, padding="same")
    <Picture: row of 6 pixels, 3 windows, zeros (0, 1), outputs 321 543 65>
    """
    row = Row(x, kernel, strides, padding, dilation_rate, pads)

    def recipe(width: float) -> Block:
        return labelled(_row_block(row, width), title, caption, width=width)

    outputs = "" if row.outputs is None else ", outputs " + " ".join(row.outputs)
    return Picture(
        recipe,
        f"row of {row.size} pixels, {row.geometry.output_size[1]} windows, "
        f"zeros {row.zeros}{outputs}",
    )


class Row:
    """A row of pixels and its windows, all sizes asked of a `Geometry` one pixel high."""

    def __init__(
        self, x: Any, kernel: Any, strides: int, padding: str, dilation_rate: int, pads: Any = None
    ) -> None:
        values = np.arange(1, as_size("x", x) + 1) if np.ndim(x) == 0 else np.asarray(x)
        taps = as_size("kernel", kernel) if np.ndim(kernel) == 0 else len(kernel)
        self.size = len(values)
        before, after = (0, 0) if pads is None else _checked(pads, padding)
        padded = np.pad(values, (before, after))
        self.geometry = Geometry.conv2d(
            (1, 1, len(padded), 1), (1, taps, 1, 1), strides=(1, strides), padding=padding,
            dilation_rate=(1, dilation_rate),
        )  # fmt: skip
        self.zeros = (before, after) if pads is not None else self.geometry.pads[2:]
        self.first = self.geometry.pads[2] + before  # column of the first real pixel
        self.values = np.pad(padded, self.geometry.pads[2:])
        self.weights = None if np.ndim(kernel) == 0 else np.asarray(kernel)
        self.outputs = None if self.weights is None else self._outputs(padded)

    def _outputs(self, padded: np.ndarray) -> list[str]:
        g = self.geometry
        assert self.weights is not None
        y = conv2d(
            padded[None, None, :, None], self.weights[None, :, None, None], strides=g.strides,
            padding=g.padding, dilation_rate=g.dilation_rate,
        )  # fmt: skip
        return numbers(y[0, 0, :, 0]).tolist()

    def taps(self, window: int) -> list[int]:
        """Columns of the drawn row that a window reads."""
        return [column + self.geometry.pads[2] for column in self.geometry.window(0, window)[1]]

    def cells(self) -> list[Cell]:
        """The pixels in their padding; crossed out where no window reads."""
        read = {column for w in range(self.geometry.output_size[1]) for column in self.taps(w)}
        cells = []
        for column, text in enumerate(numbers(self.values)):
            inside = self.first <= column < self.first + self.size
            colour = COLOURS["input" if inside else "padding"]
            crossed = inside and column not in read
            cells.append(Cell(colour, text, hatched=not inside, crossed=crossed))
        return cells


def _checked(pads: Any, padding: str) -> tuple[int, int]:
    if padding != "valid":
        raise ValueError(
            '`pads` replaces the zeros that `padding` chooses, so `padding` must stay "valid". '
            f"Received: pads={pads!r}, padding={padding!r}. Leave one of them out."
        )
    if np.shape(pads) != (2,) or min(pads) < 0:
        raise ValueError(
            "`pads` must be two whole numbers, zeros before and after. "
            f"Received: pads={pads!r}. For one zero on each side write pads=(1, 1)."
        )
    return as_size("pads", pads[0], 0), as_size("pads", pads[1], 0)


def _row_block(row: Row, width: float) -> Block:
    pixels, outputs = row.cells(), row.outputs or []
    room = max((text_width(text, TEXT) for text in outputs), default=0.0) + 0.24
    right = GUTTER + max(room, text_width("output", SMALL)) if outputs else 0.0
    cell = cell_size(width - right, len(pixels), [one.text for one in pixels])
    strip = board([pixels], cell)
    head, pitch = 0.24, cell * (BAR + 0.18)
    windows = row.geometry.output_size[1]

    def draw(pen: Pen, x: float, y: float) -> None:
        ink = COLOURS["input"].ink
        pen.words(x + strip.width / 2, y + 0.1, "input", size=SMALL, bold=True, ink=ink)
        strip.draw(pen, x, y + head)
        left = x + row.first * cell
        frame = COLOURS["input"].line
        pen.box(left, y + head, row.size * cell, cell, line=frame, weight=1.6, z=3)
        top = y + head + cell * 1.22
        for window in range(windows):
            _draw_bar(pen, x, top + window * pitch, cell, row, window)
        if outputs:
            at = x + strip.width + GUTTER
            _draw_outputs(pen, at, top, right - GUTTER, cell, outputs)
            ink = COLOURS["output"].ink
            pen.words(
                at + (right - GUTTER) / 2, top - 0.12, "output", size=SMALL, bold=True, ink=ink
            )

    return Block(strip.width + right, head + cell * 1.22 + windows * pitch, draw)


def _draw_bar(pen: Pen, x: float, y: float, cell: float, row: Row, window: int) -> None:
    """A window: one box for each weight, joined by a line across the gaps of the dilation."""
    taps, colour = row.taps(window), COLOURS["kernel"]
    high = cell * BAR
    middle = y + high / 2
    ends = [(x + (taps[0] + 0.5) * cell, middle), (x + (taps[-1] + 0.5) * cell, middle)]
    pen.path(ends, line=colour.line, weight=1.6, z=1)
    texts = [] if row.weights is None else numbers(row.weights).tolist()
    size = text_size([[Cell(colour, text) for text in texts]], 0.88 * cell, SMALL)
    for tap, column in enumerate(taps):
        left = x + (column + 0.06) * cell
        pen.box(
            left, y, cell * 0.88, high, fill=colour.fill, line=colour.line, weight=1.3, label="tap"
        )
        if texts:
            pen.words(left + 0.44 * cell, middle, texts[tap], size=size, ink=ink_on(colour.fill))
    if row.outputs:
        start = x + (taps[-1] + 1) * cell
        end = x + len(row.values) * cell + GUTTER
        pen.path([(start, middle), (end, middle)], line=LINE, weight=0.8, style=":", z=0.5)


def _draw_outputs(
    pen: Pen, x: float, y: float, width: float, cell: float, outputs: list[str]
) -> None:
    colour = COLOURS["output"]
    pitch, high = cell * (BAR + 0.18), cell * BAR
    for window, text in enumerate(outputs):
        top = y + window * pitch
        pen.box(x, top, width, high, fill=colour.fill, line=colour.line, weight=1.3, label="output")
        pen.words(x + width / 2, top + high / 2, text, size=SMALL, ink=INK)
