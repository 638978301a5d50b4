"""Windows that sweep an image, and how often they read each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.geometry import Geometry

from .board import CELL, Cell, board, cell_size
from .colours import COLOURS, NEUTRAL, PAPER, mix
from .layout import SMALL, Block, above, beside, flow, labelled, per_item, text_block
from .picture import Picture
from .scene import Place, Scene, input_board, output_board, places_of, told

__all__ = ["read_counts", "sweep"]

CELL_WITH_WEIGHTS = 0.56  # inches
STEP_GAP = 0.36
ARROW = 0.75  # the room of the arrow from input to output


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
        Steps in a row; one or two, as fits, where None.

    Returns
    -------
    Picture
        Padding is hatched, pixels that no window reads are crossed out, the window is framed.

    Examples
    --------
    >>> from convlab.plotting import plane
    >>> sweep(plane(5, 3, padding="same"), (0, 1))
    <Picture: sweep: input 5 x 5, padding (1, 1, 1, 1), window at (0, 1), output 5 x 5>
    """
    scene = Scene(geometry, x, kernel)
    steps: list[Place | None] = [*places_of(geometry, cell)] or [None]
    where = ", ".join(str(step) for step in steps)
    height, width = geometry.output_size

    def recipe(room: float) -> Block:
        across, cell, level = _plan(scene, room, len(steps), columns)
        blocks = [_step(scene, step, cell, level) for step in steps]
        return labelled(flow(blocks, room, STEP_GAP, across), title, width=room)

    return Picture(
        recipe,
        f"sweep: input {geometry.height} x {geometry.width}, padding {geometry.pads}, "
        f"window at {where}, output {height} x {width}",
    )


def _plan(scene: Scene, room: float, steps: int, columns: int | None) -> tuple[int, float, bool]:
    """Steps in a row, side of a cell, and whether input and output stand beside each other.

    The first plan whose numbers can be read: two steps in a row, one, input above output.
    """
    largest = CELL if scene.kernel is None else CELL_WITH_WEIGHTS
    texts = [*scene.inputs.ravel(), *scene.outputs.ravel()]
    wide = scene.geometry.output_size[1]
    tries = [columns] if columns else [2, 1] if steps > 1 else [1]
    for level in (True, False):
        for across in tries:
            share = (room - STEP_GAP * (across - 1)) / across - (ARROW if level else 0)
            cells = scene.columns + wide if level else max(scene.columns, wide)
            cell = cell_size(share, cells, texts, largest)
            if cell >= scene.least:
                return across, cell, level
    return across, cell, level


def _step(scene: Scene, place: Place | None, cell: float, level: bool) -> Block:
    inputs = labelled(input_board(scene, place, cell), "input", ink=COLOURS["input"].ink)
    outputs = labelled(output_board(scene, place, cell), "output", ink=COLOURS["output"].ink)
    if level:
        body = beside([inputs, text_block("→", size=16), outputs], 0.2)
    else:
        body = above([inputs, text_block("↓", size=16), outputs], 0.08)
    words = told(scene, place)
    return (
        above([body, text_block(words, max(body.width, 3.0), size=SMALL)], 0.12) if words else body
    )


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
    >>> from convlab.plotting import plane
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

    # One scale for all boards: the same count has the same shade everywhere.
    reads = (max(g.row_reads, default=0) * max(g.column_reads, default=0) for g in geometries)
    most = max(1, *reads)

    def recipe(width: float) -> Block:
        widest = max(geometry.width for geometry in geometries)
        flat = all(geometry.height <= 2 for geometry in geometries)
        half = cell_size((width - 0.3) / 2, widest)
        cell = (
            half if half >= 0.3 and len(geometries) > 1 and not flat else cell_size(width, widest)
        )
        blocks = [
            labelled(_counts_board(g, cell, most), name, width=min(width, 2.2))
            for g, name in zip(geometries, names, strict=True)
        ]
        return flow(blocks, width, 0.18 if flat else 0.3, 1 if flat else None)

    return Picture(recipe, "; ".join(told))


def _counts_board(geometry: Geometry, cell: float, most: int) -> Block:
    counts = np.outer(geometry.row_reads, geometry.column_reads)
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
