"""Windows that sweep an image: in two dimensions, in one, and how often they read a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.functional import conv2d
from convlab.geometry import Geometry

from .board import CELL, Cell, board, cell_size, frame_cells, number, numbers
from .colours import COLOURS, NEUTRAL, PAPER, mix
from .grids import framed, matrix
from .layout import SMALL, Block, Pen, above, beside, flow, labelled, per_item, text_block
from .picture import Picture

__all__ = ["plane", "read_counts", "sweep"]

Place = tuple[int, int]
CELL_WITH_WEIGHTS = 0.56  # inches


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


def sweep(
    geometry: Geometry,
    cell: Place | Sequence[Place] | None = (0, 0),
    *,
    x: Any = None,
    kernel: Any = None,
    title: str | None = None,
    columns: int | None = None,
) -> Picture:
    """The window at one output cell, or at several: input with padding, window, output.

    Parameters
    ----------
    geometry : Geometry
        From `plane`, or any other; only height and width are drawn.
    cell : (int, int) or sequence of (int, int), optional
        Row and column of the output; several are drawn as steps. None draws no window.
    x : array_like, optional
        The input of one channel; its numbers are printed.
    kernel : array_like, optional
        The weights, printed in the corner of each cell that the window reads. With ``x``,
        the output is computed and printed too.
    title : str, optional
    columns : int, optional
        Steps in a row; as many as fit where None.

    Returns
    -------
    Picture
        Padding is hatched, pixels that no window reads are crossed out, the window is framed.

    Examples
    --------
    >>> sweep(plane(5, 3, padding="same"), (0, 1))
    <Picture: sweep: input 5 x 5, padding (1, 1, 1, 1), window at (0, 1), output 5 x 5>
    """
    scene = Scene(geometry, x, kernel)
    steps: list[Place | None] = [*places_of(geometry, cell)] or [None]
    where = ", ".join(str(step) for step in steps)
    height, width = geometry.output_size

    def recipe(room: float) -> Block:
        blocks = [
            _step(scene, step, _side(scene, room, len(steps), columns), room) for step in steps
        ]
        body = flow(blocks, room, 0.36, columns)
        return labelled(body, title, width=room)

    return Picture(
        recipe,
        f"sweep: input {geometry.height} x {geometry.width}, padding {geometry.pads}, "
        f"window at {where}, output {height} x {width}",
    )


class Scene:
    """What a sweep shows: geometry and, where given, the numbers of input, kernel and output."""

    def __init__(self, geometry: Geometry, x: Any = None, kernel: Any = None) -> None:
        self.geometry = geometry
        self.x = None if x is None else _shaped("x", x, (geometry.height, geometry.width))
        self.kernel = None if kernel is None else _shaped("kernel", kernel, geometry.kernel_size)
        self.texts = np.array([]) if self.x is None else numbers(self.x)
        self.output = None
        if self.x is not None and self.kernel is not None:
            self.output = conv2d(
                self.x[None, :, :, None], self.kernel[:, :, None, None],
                strides=geometry.strides, padding=geometry.padding,
                dilation_rate=geometry.dilation_rate,
            )[0, :, :, 0]  # fmt: skip

    @property
    def columns(self) -> int:
        """Cells in a row of the input with its padding."""
        return self.geometry.width + self.geometry.pads[2] + self.geometry.pads[3]


def _shaped(name: str, values: Any, shape: Place) -> np.ndarray:
    array = matrix(values)
    if array.shape != shape:
        raise ValueError(
            f"`{name}` must have the height and width of the geometry. "
            f"Received: {name} of shape {np.shape(values)}, geometry {shape}."
        )
    return array


def places_of(geometry: Geometry, cell: Any) -> list[Place]:
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


def _side(scene: Scene, room: float, steps: int, columns: int | None) -> float:
    """Side of a cell: one step in a row is drawn large, several smaller."""
    across = columns or min(steps, 2)
    width = scene.geometry.output_size[1]
    share = (room - 0.36 * (across - 1)) / across - 0.75
    largest = CELL if scene.kernel is None else CELL_WITH_WEIGHTS
    return cell_size(share, scene.columns + width, scene.texts.ravel().tolist(), largest)


def _step(scene: Scene, place: Place | None, cell: float, room: float) -> Block:
    inputs = labelled(input_board(scene, place, cell), "input", ink=COLOURS["input"].ink)
    outputs = labelled(output_board(scene, place, cell), "output", ink=COLOURS["output"].ink)
    row = beside([inputs, text_block("→", size=16), outputs], 0.2)
    told = _told(scene, place)
    return above([row, text_block(told, max(row.width, 3.0), size=SMALL)], 0.12) if told else row


def input_board(scene: Scene, place: Place | None, cell: float) -> Block:
    geometry = scene.geometry
    top, bottom, left, right = geometry.pads
    rows = range(-top, geometry.height + bottom)
    columns = range(-left, geometry.width + right)
    taps = _taps(geometry, place)
    cells = [[_input_cell(scene, (r, c), taps) for c in columns] for r in rows]
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


def _input_cell(scene: Scene, pixel: Place, taps: dict[Place, Place]) -> Cell:
    row, column = pixel
    geometry = scene.geometry
    inside = 0 <= row < geometry.height and 0 <= column < geometry.width
    if inside:
        text = "" if scene.x is None else scene.texts[row, column]
        unread = row in geometry.unread_rows or column in geometry.unread_columns
    else:
        text, unread = ("" if scene.x is None else "0"), False
    colour = COLOURS["input" if inside else "padding"]
    fill = mix(COLOURS["kernel"].fill, colour.fill, 0.85) if pixel in taps else None
    corner = ""
    if pixel in taps and scene.kernel is not None:
        corner = "×" + number(scene.kernel[taps[pixel]])
    return Cell(colour, text, fill, hatched=not inside, crossed=unread, corner=corner)


def output_board(scene: Scene, place: Place | None, cell: float) -> Block:
    height, width = scene.geometry.output_size
    colour = COLOURS["output"]
    texts = np.full((height, width), "") if scene.output is None else numbers(scene.output)
    cells = [[Cell(colour, str(text)) for text in row] for row in texts]
    block = board(cells, cell, colour.line)
    return framed(block, [place] if place else [], cell, COLOURS["kernel"].line)


def _told(scene: Scene, place: Place | None) -> str:
    """The sum of products under the window, where the numbers are known and few."""
    if place is None or scene.x is None or scene.kernel is None or scene.kernel.size > 9:
        return ""
    products = []
    for (row, column), tap in _taps(scene.geometry, place).items():
        inside = 0 <= row < scene.geometry.height and 0 <= column < scene.geometry.width
        value = scene.x[row, column] if inside else 0
        products.append(f"{_factor(value)}·{_factor(scene.kernel[tap])}")
    assert scene.output is not None
    return f"{' + '.join(products)} = {number(scene.output[place])}"


def _factor(value: Any) -> str:
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def read_counts(*geometries: Geometry, titles: Sequence[str] | None = None) -> Picture:
    """How often each input pixel is read; the ones that no window reads are crossed out.

    Parameters
    ----------
    *geometries : Geometry
        One board for each.
    titles : sequence of str, optional
        One for each board.

    Examples
    --------
    >>> read_counts(plane((1, 10), (1, 3), strides=2))
    <Picture: read counts of 1 x 10 pixels, 1 unread>
    """
    if not geometries:
        raise ValueError("`read_counts` must be given a geometry. Received: none. Try plane(5, 3).")
    names = per_item("titles", titles, len(geometries))
    told = [
        f"read counts of {g.height} x {g.width} pixels, {g.unread_pixels} unread"
        for g in geometries
    ]

    def recipe(width: float) -> Block:
        widest = max(geometry.width for geometry in geometries)
        cell = cell_size(width, widest)
        blocks = [
            labelled(_counts_board(g, cell), name, width=min(width, 2.2))
            for g, name in zip(geometries, names, strict=True)
        ]
        return flow(blocks, width, 0.18)

    return Picture(recipe, "; ".join(told))


def _counts_board(geometry: Geometry, cell: float) -> Block:
    counts = np.outer(geometry.row_reads, geometry.column_reads)
    most = max(int(counts.max()), 1)
    colour = COLOURS["input"]
    cells = [
        [
            Cell(NEUTRAL, crossed=True)
            if count == 0
            else Cell(colour, str(count), fill=mix(colour.line, PAPER, 0.08 + 0.62 * count / most))
            for count in row
        ]
        for row in counts.tolist()
    ]
    return board(cells, cell, colour.line)
