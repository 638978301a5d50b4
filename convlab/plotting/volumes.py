"""A whole layer: the input's channels, the filters that are as deep, one map for each filter."""

from __future__ import annotations

from convlab.geometry import Geometry

from .board import Cell, board
from .colours import COLOURS, FAINT, mix
from .layout import PILE, SMALL, Block, Pen, above, beside, labelled, piled, text_block
from .picture import Picture
from .scene import Place, Scene, input_board, output_board, places_of

__all__ = ["volumes"]

SHEETS = 4  # of a pile are drawn at most
SIDE = 12  # pixels of height and width are drawn at most


def volumes(geometry: Geometry, cell: Place = (0, 0), *, title: str | None = None) -> Picture:
    """A layer with its depth: window over the channels, filters of that depth, pile of maps.

    Parameters
    ----------
    geometry : Geometry
        At most 12 x 12 pixels; of many channels or filters the first four are drawn.
    cell : (int, int), default (0, 0)
        The cell of map 0 that filter 0 makes; its window is framed in every channel that the
        filter sees.
    title : str, optional

    Examples
    --------
    >>> volumes(Geometry.conv2d((1, 5, 5, 2), (2, 2, 2, 3)))
    <Picture: layer: input 5 x 5 x 2, 3 filters of 2 x 2 x 2, output 4 x 4 x 3>
    """
    (place,) = places_of(geometry, [cell])
    if max(geometry.height, geometry.width) > SIDE:
        raise ValueError(
            f"`volumes` can draw at most {SIDE} x {SIDE} pixels. "
            f"Received: input {geometry.height} x {geometry.width}. "
            "Draw a smaller input with the same kernel."
        )
    sizes = [
        (geometry.height, geometry.width, geometry.channels),
        geometry.kernel_shape[:3],
        (*geometry.output_size, geometry.filters),
    ]
    shapes = [" × ".join(str(n) for n in size) for size in sizes]
    few = f"{geometry.filters} filter" + "s" * (geometry.filters > 1)

    def recipe(width: float) -> Block:
        side = _side(geometry, width)
        parts = [
            _named(_input_pile(geometry, place, side), "input", shapes[0], "input"),
            text_block("∗", size=16),
            _named(_filters(geometry, side), few, f"each {shapes[1]}", "kernel"),
            text_block("=", size=16),
            _named(_output_pile(geometry, place, side), "output", shapes[2], "output"),
        ]
        return labelled(beside(parts, 0.2), title, width=width)

    told = [shape.replace("×", "x") for shape in shapes]
    return Picture(recipe, f"layer: input {told[0]}, {few} of {told[1]}, output {told[2]}")


def _named(block: Block, title: str, caption: str, role: str) -> Block:
    return labelled(block, title, caption, width=1.3, ink=COLOURS[role].ink)


def _side(geometry: Geometry, width: float) -> float:
    """Side of a cell, so that the three parts and their depth fit beside each other."""
    columns = geometry.width + sum(geometry.pads[2:]) + geometry.output_size[1]
    columns += geometry.kernel_size[1]
    return min(0.3, (width - 1.6 - 3 * PILE * (SHEETS - 1)) / columns)


def _input_pile(geometry: Geometry, place: Place, side: float) -> Block:
    seen = input_board(Scene(geometry), place, side)
    unseen = input_board(Scene(geometry), None, side)
    count = min(geometry.channels, SHEETS)
    depth = min(geometry.group_channels, count)
    pile = piled([seen] * depth + [unseen] * (count - depth))

    def draw(pen: Pen, x: float, y: float) -> None:
        pile.draw(pen, x, y)
        pen.lift += 100
        _draw_depth(pen, x, y + pile.height - seen.height, geometry, place, side, depth)
        pen.lift -= 100

    return Block(pile.width, pile.height, draw)


def _draw_depth(
    pen: Pen, x: float, y: float, geometry: Geometry, place: Place, side: float, depth: int
) -> None:
    """Dashed edges from the front window to the one on the last sheet that the filter sees."""
    rows, columns = geometry.window(*place)
    top, left = y + (rows[0] + geometry.pads[0]) * side, x + (columns[0] + geometry.pads[2]) * side
    high, wide = (n * side for n in geometry.effective_kernel_size)
    back = PILE * (depth - 1)
    front = [(left, top), (left + wide, top), (left + wide, top + high)]
    rear = [(at + back, down - back) for at, down in front]
    edges = [rear, *([one, other] for one, other in zip(front, rear, strict=True))]
    for points in edges if depth > 1 else []:
        pen.path(points, line=COLOURS["kernel"].line, weight=1.4, style="--", label="depth")


def _output_pile(geometry: Geometry, place: Place, side: float) -> Block:
    first = output_board(Scene(geometry), place, side)
    other = output_board(Scene(geometry), None, side)
    return piled([first] + [other] * (min(geometry.filters, SHEETS) - 1))


def _filters(geometry: Geometry, side: float) -> Block:
    """The filters below each other; the first, which is at work, in a stronger colour."""
    colour = COLOURS["kernel"]
    high, wide = geometry.kernel_size
    piles = []
    for number in range(min(geometry.filters, SHEETS)):
        fill = mix(colour.line, colour.fill, 0.35) if number == 0 else colour.fill
        sheet = board([[Cell(colour, fill=fill)] * wide] * high, side, colour.line)
        pile = piled([sheet] * min(geometry.group_channels, SHEETS))
        name = text_block(f"filter {number}", size=SMALL)
        piles.append(beside([pile, name], 0.12))
    if geometry.filters > SHEETS:
        piles.append(text_block(f"... and {geometry.filters - SHEETS} more", size=SMALL, ink=FAINT))
    return above(piles, 0.14, left=True)
