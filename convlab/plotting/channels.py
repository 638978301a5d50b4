"""Channels: which of them feed which filters, and in what order their numbers lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.geometry import Geometry, as_size

from .board import Cell, board
from .colours import COLOURS, INK, NEUTRAL, PAPER, Colour
from .layout import SMALL, Block, Pen, above, beside, flow, labelled, taller
from .picture import Picture

__all__ = ["memory_order", "wiring"]

MOST_CHANNELS = 24
MOST_NUMBERS = 16
STYLES = ("-", "--", ":", "-.")


def wiring(channels: int, filters: int, groups: int | Sequence[int] = 1) -> Picture:
    """Which input channels feed which filters: as wires, and as a matrix.

    Parameters
    ----------
    channels, filters : int
        At most 24 each.
    groups : int or sequence of int, default 1
        One panel for each number of groups.

    Returns
    -------
    Picture
        In the matrix, a filled cell is a slice of the kernel, an empty one a channel that the
        filter does not see.

    Examples
    --------
    >>> wiring(4, 4, groups=(1, 2, 4))
    <Picture: wiring of 4 channels and 4 filters, groups 1, 2, 4>
    """
    every = [groups] if np.ndim(groups) == 0 else list(groups)  # type: ignore[arg-type]
    layers = [_grouped(channels, filters, g) for g in every]
    if max(layers[0].channels, layers[0].filters) > MOST_CHANNELS:
        raise ValueError(
            f"`wiring` can draw at most {MOST_CHANNELS} channels and filters. "
            f"Received: channels={channels}, filters={filters}. "
            "Draw a smaller layer with the same groups."
        )

    def recipe(width: float) -> Block:
        across = min(len(layers), 3)
        share = (width - 0.3 * (across - 1)) / across
        wires = [_wires(layer, min(share, 2.0)) for layer in layers]
        tallest = max(block.height for block in wires)
        panels = [_panel(g, taller(w, tallest), share) for g, w in zip(layers, wires, strict=True)]
        return flow(panels, width, 0.3, across)

    listed = ", ".join(str(g) for g in every)
    return Picture(recipe, f"wiring of {channels} channels and {filters} filters, groups {listed}")


def _grouped(channels: Any, filters: Any, groups: Any) -> Geometry:
    channels, groups = as_size("channels", channels), as_size("groups", groups)
    shape = (1, 1, max(channels // groups, 1), as_size("filters", filters))
    return Geometry.conv2d((1, 1, 1, channels), shape, groups=groups)


def _panel(layer: Geometry, wires: Block, width: float) -> Block:
    most = max(layer.channels, layer.filters)
    seen = layer.group_channels
    caption = f"each filter sees {seen} of {layer.channels} channel" + "s" * (layer.channels > 1)
    table = _mixing_matrix(layer, min(0.34, (width - 0.5) / most))
    wide = width > 4.5
    body = beside([wires, table], 0.7) if wide else above([wires, table], 0.25)
    return labelled(body, f"groups={layer.groups}", caption, width=min(width, 4.0))


def _group_of(layer: Geometry) -> tuple[list[int], list[int]]:
    """The group of each channel and of each filter."""
    channels = [c // layer.group_channels for c in range(layer.channels)]
    return channels, [f // layer.group_filters for f in range(layer.filters)]


def _heights(of_group: list[int], side: float) -> list[float]:
    """Where each box of a column starts: a little apart from the next group."""
    return [index * side * 1.12 + group * 0.1 for index, group in enumerate(of_group)]


def _wires(layer: Geometry, width: float) -> Block:
    """Channels on the left, filters on the right, a line for each pair that meets."""
    side = min(0.34, 3.2 / max(layer.channels, layer.filters))
    sources, targets = _group_of(layer)
    left, right = _heights(sources, side), _heights(targets, side)
    tall = max(left[-1], right[-1]) + side
    left = [y + (tall - side - left[-1]) / 2 for y in left]
    right = [y + (tall - side - right[-1]) / 2 for y in right]
    head = 0.24

    def draw(pen: Pen, x: float, y: float) -> None:
        far = x + width - side
        _head(pen, x, y, "channels", COLOURS["input"], "left")
        _head(pen, x + width, y, "filters", COLOURS["output"], "right")
        for c, group in enumerate(sources):
            _draw_node(pen, x, y + head + left[c], side, c, COLOURS["input"])
            for f, other in enumerate(targets):
                if group == other:
                    start = x + side, y + head + left[c] + side / 2
                    end = far, y + head + right[f] + side / 2
                    _draw_wire(pen, start, end, group)
        for f in range(layer.filters):
            _draw_node(pen, far, y + head + right[f], side, f, COLOURS["output"])

    return Block(width, head + tall, draw)


def _head(pen: Pen, x: float, y: float, text: str, colour: Colour, across: str) -> None:
    pen.words(x, y + 0.1, text, size=SMALL, bold=True, ink=colour.ink, across=across)


def _draw_node(pen: Pen, x: float, y: float, side: float, index: int, colour: Colour) -> None:
    pen.box(x, y, side, side, fill=colour.fill, line=colour.line, weight=1.3, label="node")
    size = min(SMALL, side * 45)
    pen.words(x + side / 2, y + side / 2, str(index), size=size)


def _draw_wire(pen: Pen, start: tuple[float, float], end: tuple[float, float], group: int) -> None:
    style = STYLES[group % len(STYLES)]
    line = COLOURS["kernel"].line if group % 2 == 0 else INK
    pen.path([start, end], line=line, weight=1.3, style=style, z=1.5, label="wire")


def _mixing_matrix(layer: Geometry, cell: float) -> Block:
    """A row for each filter, a column for each channel; filled where there are weights."""
    sources, targets = _group_of(layer)
    full = Cell(COLOURS["kernel"], fill=COLOURS["kernel"].line)
    hole = Cell(NEUTRAL, fill=PAPER)
    cells = [[full if s == t else hole for s in sources] for t in targets]
    table = board(cells, cell, COLOURS["kernel"].line)
    left, top = 0.26, 0.24

    def draw(pen: Pen, x: float, y: float) -> None:
        table.draw(pen, x + left, y + top)
        _head(pen, x + left + table.width / 2, y, "channels", COLOURS["input"], "center")
        ink = COLOURS["output"].ink
        pen.words(
            x + 0.1, y + top + table.height / 2, "filters", size=SMALL, bold=True, ink=ink, turn=90
        )

    return Block(left + table.width + left, top + table.height, draw, top + table.height / 2)


CHANNEL_COLOURS = (
    Colour("#A6341B", "#F8D3CA", "#7E2411"),
    Colour("#2C7A3F", "#D2EBCF", "#1C5229"),
    Colour("#2B5FA8", "#CFE0F7", "#1B4176"),
    NEUTRAL,
)


def memory_order(
    height: int = 2, width: int = 2, channels: int = 3, *, reshape: bool = False
) -> Picture:
    """The numbers of a small image, as they lie in memory in both data formats.

    Parameters
    ----------
    height, width, channels : int
        At most 16 numbers in all.
    reshape : bool, default False
        Adds what ``reshape`` makes of channels_last numbers when channels_first is meant:
        the boxes keep their colours, so the mixing shows.

    Examples
    --------
    >>> memory_order()
    <Picture: memory order of 12 numbers, 2 x 2 pixels of 3 channels>
    """
    sizes = [
        as_size(n, v)
        for n, v in zip(("height", "width", "channels"), (height, width, channels), strict=True)
    ]
    if np.prod(sizes) > MOST_NUMBERS:
        raise ValueError(
            f"`memory_order` can draw at most {MOST_NUMBERS} numbers. "
            f"Received: height={height}, width={width}, channels={channels}."
        )
    numbers = np.arange(np.prod(sizes)).reshape(sizes)
    planes = numbers.transpose(2, 0, 1).reshape(channels, -1)
    strips = [
        ("channels_last: pixel after pixel", numbers.reshape(-1, channels), "pixel"),
        ("channels_first: plane after plane", planes, "plane"),
    ]
    if reshape:
        wrong = numbers.reshape(channels, -1)
        strips.append(("channels_last numbers, only reshaped: colours mixed up", wrong, "plane"))

    def recipe(room: float) -> Block:
        cell = min(0.42, room / (numbers.size + 0.35 * (max(len(planes), len(strips[0][1])) - 1)))
        rows = [_strip(title, parts, word, channels, cell) for title, parts, word in strips]
        return above([_pixels(numbers, cell), *rows], 0.26)

    told = f"{height} x {width} pixels of {channels} channels"
    return Picture(recipe, f"memory order of {numbers.size} numbers, {told}")


def _channel_cell(index: int, channels: int) -> Cell:
    channel = index % channels
    letter = "RGB"[channel] if channels == 3 else f"c{channel}"
    return Cell(CHANNEL_COLOURS[channel % len(CHANNEL_COLOURS)], str(index), corner=letter)


def _pixels(numbers: np.ndarray, cell: float) -> Block:
    """The image itself: one group of boxes for each pixel."""
    channels = numbers.shape[2]
    rows = []
    for row in numbers.tolist():
        pixels = [board([[_channel_cell(i, channels) for i in pixel]], cell, INK) for pixel in row]
        rows.append(beside(pixels, 0.1))
    return labelled(above(rows, 0.1), "the image, as numbers", width=4.0)


def _strip(title: str, parts: np.ndarray, word: str, channels: int, cell: float) -> Block:
    groups = []
    for i, part in enumerate(parts.tolist()):
        body = board([[_channel_cell(index, channels) for index in part]], cell, INK)
        groups.append(labelled(body, None, f"{word} {i}"))
    row = beside(groups, 0.35 * cell)
    return labelled(row, title, width=max(row.width, 5.0))
