"""What a window sees: the boards of input and output, and the sum that makes one cell."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.functional import conv2d
from convlab.geometry import Geometry

from .board import Cell, board, divisor, frame_cells, numbers
from .colours import COLOURS, mix
from .grids import framed, matrix
from .layout import SMALL, Block, Pen, text_width

__all__ = ["Place", "Scene", "input_board", "output_board", "places_of", "plane", "told"]

Place = tuple[int, int]
MOST_PIXELS = 40  # of height or width
FEW_TAPS = 9  # whose sum of products is written out


def plane(
    size: int | Place,
    kernel_size: int | Place,
    *,
    strides: int | Place = 1,
    padding: str = "valid",
    dilation_rate: int | Place = 1,
) -> Geometry:
    """The sweep of one kernel over one image of one channel, for a toy example.

    Parameters
    ----------
    size, kernel_size : int or (int, int)
        Height and width; one number for both.
    strides, padding, dilation_rate
        As in `convlab.conv2d`.

    Returns
    -------
    Geometry

    Examples
    --------
    >>> plane(5, 3, padding="same").pads
    (1, 1, 1, 1)
    """
    height, width = (size, size) if isinstance(size, int) else size
    high, wide = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return Geometry.conv2d(
        (1, height, width, 1), (high, wide, 1, 1), strides=strides, padding=padding,
        dilation_rate=dilation_rate,
    )  # fmt: skip


class Scene:
    """A geometry and, where given, the numbers of its input, kernel and output."""

    def __init__(self, geometry: Geometry, x: Any = None, kernel: Any = None) -> None:
        self.geometry = geometry
        self._check()
        self.x = None if x is None else _shaped("x", x, (geometry.height, geometry.width))
        self.kernel = None if kernel is None else _shaped("kernel", kernel, geometry.kernel_size)
        self.output = None
        if self.x is not None and self.kernel is not None:
            self.output = conv2d(
                self.x[None, :, :, None], self.kernel[:, :, None, None],
                strides=geometry.strides, padding=geometry.padding,
                dilation_rate=geometry.dilation_rate,
            )[0, :, :, 0]  # fmt: skip
        self.unread = set(geometry.unread_rows), set(geometry.unread_columns)
        self.inputs = self._texts(self.x, (geometry.height, geometry.width))
        self.outputs = self._texts(self.output, geometry.output_size)
        # Ninths are shown as whole numbers, and the sum is divided by 9 at the end.
        self.whole = 0 if self.kernel is None else divisor(self.kernel)
        self.weights = None if self.kernel is None else numbers(self.kernel * (self.whole or 1))

    def _check(self) -> None:
        height, width = self.geometry.height, self.geometry.width
        if not 0 < max(height, width) <= MOST_PIXELS or not min(height, width):
            raise ValueError(
                f"A window can be drawn on 1 to {MOST_PIXELS} pixels of height and width. "
                f"Received: input {height} x {width}. Draw a smaller input, such as plane(8, 3)."
            )

    @staticmethod
    def _texts(values: np.ndarray | None, shape: Place) -> np.ndarray:
        return np.full(shape, "", dtype=object) if values is None else numbers(values)

    @property
    def columns(self) -> int:
        """Cells in a row of the input with its padding."""
        return self.geometry.width + self.geometry.pads[2] + self.geometry.pads[3]

    @property
    def least(self) -> float:
        """The smallest side of a cell at which the numbers can be read."""
        texts = [*self.inputs.ravel(), *self.outputs.ravel()]
        return max(0.12, *(text_width(text, SMALL) + 0.06 for text in texts))

    def inside(self, pixel: Place) -> bool:
        """Whether a pixel is one of the image, not of the padding."""
        return 0 <= pixel[0] < self.geometry.height and 0 <= pixel[1] < self.geometry.width

    def cell(self, pixel: Place, taps: dict[Place, Place]) -> Cell:
        """How a pixel of the input, or of its padding, is drawn."""
        inside, read, kernel = self.inside(pixel), pixel in taps, COLOURS["kernel"]
        colour = COLOURS["input" if inside else "padding"]
        zero = "" if self.x is None else "0"
        return Cell(
            colour,
            self.inputs[pixel] if inside else zero,
            fill=mix(kernel.fill, colour.fill, 0.85) if read else None,
            hatched=not inside,
            crossed=inside and (pixel[0] in self.unread[0] or pixel[1] in self.unread[1]),
            corner=f"×{self.weights[taps[pixel]]}" if read and self.weights is not None else "",
            corner_ink=kernel.ink,
        )


def _shaped(name: str, values: Any, shape: Place) -> np.ndarray:
    array = matrix(values)
    if array.shape != shape:
        raise ValueError(
            f"`{name}` must have the height and width of the geometry. "
            f"Received: {name} of shape {np.shape(values)}, geometry {shape}."
        )
    return array


def places_of(geometry: Geometry, cell: Any) -> list[Place]:
    """The output cells that somebody asked for, as a list, all inside the output."""
    if cell is None:
        return []
    places = [cell] if np.ndim(cell) == 1 else list(cell)
    height, width = geometry.output_size
    for row, column in places:
        if not (0 <= row < height and 0 <= column < width):
            raise ValueError(
                "`cell` must be a (row, column) of the output. "
                f"Received: cell={(row, column)}, output {height} x {width}."
            )
    return [(int(row), int(column)) for row, column in places]


def input_board(scene: Scene, place: Place | None, cell: float) -> Block:
    """The input in its ring of padding, with the window at a place."""
    geometry = scene.geometry
    top, bottom, left, right = geometry.pads
    rows = range(-top, geometry.height + bottom)
    columns = range(-left, geometry.width + right)
    taps = _taps(geometry, place)
    cells = [[scene.cell((r, c), taps) for c in columns] for r in rows]
    block = board(cells, cell)
    window = [(r + top, c + left) for r, c in taps]

    def draw(pen: Pen, x: float, y: float) -> None:
        block.draw(pen, x, y)
        pen.box(
            x + left * cell, y + top * cell, geometry.width * cell, geometry.height * cell,
            line=COLOURS["input"].line, weight=1.6, z=3,
        )  # fmt: skip
        if window:
            _draw_window(pen, x, y, cell, geometry, window)

    return Block(block.width, block.height, draw)


def _draw_window(
    pen: Pen, x: float, y: float, cell: float, geometry: Geometry, window: list[Place]
) -> None:
    """Frames around the taps and, where there are gaps, a dashed one around the whole."""
    line = COLOURS["kernel"].line
    frame_cells(pen, x, y, cell, window, line)
    if geometry.dilation_rate != (1, 1):
        high, wide = geometry.effective_kernel_size
        row, column = window[0]
        pen.box(
            x + column * cell, y + row * cell, wide * cell, high * cell,
            line=line, weight=1.2, style="--", z=3.5, label="window",
        )  # fmt: skip


def _taps(geometry: Geometry, place: Place | None) -> dict[Place, Place]:
    """Pixel -> tap, for every pixel that the window at a place reads."""
    if place is None:
        return {}
    rows, columns = geometry.window(*place)
    return {(r, c): (i, j) for i, r in enumerate(rows) for j, c in enumerate(columns)}


def output_board(scene: Scene, place: Place | None, cell: float) -> Block:
    """The output, with its numbers where they are known, and the cell at a place framed."""
    colour = COLOURS["output"]
    cells = [[Cell(colour, text) for text in row] for row in scene.outputs.tolist()]
    block = board(cells, cell, colour.line)
    return framed(block, [place] if place else [], cell, COLOURS["kernel"].line)


def told(scene: Scene, place: Place | None) -> str:
    """The sum of products under the window, where the numbers are known and few."""
    if place is None or scene.x is None or scene.kernel is None or scene.weights is None:
        return ""
    if scene.kernel.size > FEW_TAPS:
        return ""
    products = []
    for pixel, tap in _taps(scene.geometry, place).items():
        value = scene.inputs[pixel] if scene.inside(pixel) else "0"
        products.append(f"{_factor(value)}·{_factor(scene.weights[tap])}")
    terms = " + ".join(products)
    sum_of_them = f"({terms}) ÷ {scene.whole}" if scene.whole > 1 else terms
    assert scene.output is not None
    return f"{sum_of_them} {'=' if _exact(scene, place) else '≈'} {scene.outputs[place]}"


def _factor(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


def _exact(scene: Scene, place: Place) -> bool:
    """Whether the printed numbers are the numbers, not rounded ones."""
    assert scene.x is not None
    assert scene.output is not None
    values = np.append(scene.x.ravel(), scene.output[place]).astype(float)
    return bool(scene.whole) and np.allclose(values, np.round(values, 2), rtol=0, atol=1e-9)
