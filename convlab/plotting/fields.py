"""Stacks of layers, seen backwards: what one cell at the end sees of the input."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from convlab.geometry import Geometry
from convlab.geometry import receptive_field as field_of

from .colours import COLOURS, FAINT, NEUTRAL, PALE, PAPER, Colour, rgb
from .layout import SMALL, Block, Pen, flow, labelled, text_width
from .picture import Picture
from .scene import plane

__all__ = ["coverage", "layers", "receptive_field"]

LINED = 0.08  # inches of a pixel from which on thin lines part the pixels
LEVEL = 0.95  # inches from one layer to the next
SHARE = 0.8  # of a cell's room that the cell itself takes


def layers(
    *kernel_sizes: int,
    strides: int | Sequence[int] = 1,
    dilation_rates: int | Sequence[int] = 1,
    padding: str = "valid",
    size: int | None = None,
) -> list[Geometry]:
    """A stack of layers with square kernels, one channel each, for a picture.

    Parameters
    ----------
    *kernel_sizes : int
        One for each layer, from the image on.
    strides, dilation_rates : int or sequence of int, default 1
        One for all layers, or one for each.
    padding : {"valid", "same"}
    size : int, optional
        Height and width of the image; where None, exactly what one cell at the end sees.

    Returns
    -------
    list of Geometry

    Examples
    --------
    >>> [layer.height for layer in layers(3, 3, 3, dilation_rates=(1, 2, 4))]
    [15, 13, 9]
    """
    count = len(kernel_sizes)
    if not count:
        raise ValueError("`layers` must be given a kernel size. Received: none. Try layers(3, 3).")
    steps = _each("strides", strides, count)
    rates = _each("dilation_rates", dilation_rates, count)
    if size is None:
        seen = [
            plane(k, k, strides=s) if d == 1 else plane((k - 1) * d + 1, k, dilation_rate=d)
            for k, s, d in zip(kernel_sizes, steps, rates, strict=True)
        ]
        size = field_of(seen).size[0]
    stack: list[Geometry] = []
    for k, s, d in zip(kernel_sizes, steps, rates, strict=True):
        stack.append(plane(size, k, strides=s, padding=padding, dilation_rate=d))
        size = stack[-1].output_size[0]
    return stack


def _each(name: str, value: int | Sequence[int], count: int) -> list[int]:
    values = [value] * count if isinstance(value, int) else list(value)
    if len(values) != count:
        raise ValueError(
            f"`{name}` must be one number, or one for each of the {count} layers. "
            f"Received: {name}={value!r}."
        )
    return values


def _check_stack(stack: Any) -> list[Geometry]:
    stack = [stack] if isinstance(stack, Geometry) else list(stack)
    if not stack:
        raise ValueError("A stack must have a layer. Received: an empty one. Try layers(3, 3).")
    for number, (below, one) in enumerate(pairwise(stack)):
        if below.output_size != (one.height, one.width):
            raise ValueError(
                "Each layer's input must be the output of the layer before it. "
                f"Received: layer {number} gives {below.output_size}, "
                f"layer {number + 1} takes {(one.height, one.width)}. "
                "Build the stack with plotting.layers(...)."
            )
    return stack


def _reached(stack: Sequence[Geometry], axis: int) -> list[set[int]]:
    """Places that the middle cell of the end sees, at every level from the input on.

    Cells in a layer's padding are kept (they are seen) but followed no further.
    """
    last = stack[-1].output_size[axis]
    levels = [{(last - 1) // 2}]
    for layer in reversed(stack):
        size = layer.output_size[axis]
        inside = [place for place in levels[0] if 0 <= place < size]
        windows = [layer.window(*((c, 0) if axis == 0 else (0, c)))[axis] for c in inside]
        levels.insert(0, {pixel for window in windows for pixel in window})
    return levels


def receptive_field(
    layers: Geometry | Sequence[Geometry],
    names: Sequence[str] | None = None,
    *,
    title: str | None = None,
) -> Picture:
    """Seen from the side: the pixels that one cell at the end sees, through every layer.

    Parameters
    ----------
    layers : Geometry or sequence of Geometry
        From the image on; `layers` builds them.
    names : sequence of str, optional
        One for each layer; what the layer is where None.
    title : str, optional

    Examples
    --------
    >>> receptive_field(layers(3, 3))
    <Picture: receptive field of 2 layers: 5 of 5 columns>
    """
    stack = _check_stack(layers)
    labels = ["input", *(_names(stack) if names is None else names)]
    if len(labels) != len(stack) + 1:
        raise ValueError(
            "`names` must have one entry for each layer. "
            f"Received: names={list(names or ())!r} for {len(stack)} layers."
        )
    side = _Side(stack, labels)
    seen = field_of(stack).size[1]
    told = f"receptive field of {len(stack)} layers: {seen} of {stack[0].width} columns"
    return Picture(lambda width: labelled(side.block(width), title, width=width), told)


def _names(stack: Sequence[Geometry]) -> list[str]:
    names = []
    for layer in stack:
        name = f"kernel {layer.kernel_size[1]}"
        if layer.strides[1] > 1:
            name += f"\nstride {layer.strides[1]}"
        if layer.dilation_rate[1] > 1:
            name += f"\ndilation {layer.dilation_rate[1]}"
        names.append(name)
    return names


class _Side:
    """The side view: one row of cells for each level, the input at the bottom."""

    def __init__(self, stack: Sequence[Geometry], labels: Sequence[str]) -> None:
        self.stack, self.labels = stack, labels
        self.reached = _reached(stack, 1)
        self.sizes = [stack[0].width, *(layer.output_size[1] for layer in stack)]
        self.low = min(self.reached[0])
        self.high = max(self.reached[0])

    def centre(self, level: int, place: int) -> float:
        """Where a cell stands, in input columns."""
        field = field_of(self.stack[:level])
        return field.center[1] + place * field.jump[1]

    def places(self, level: int) -> list[int]:
        """The cells of a level over the field: the real ones, and padding that is seen."""
        every = set(range(self.sizes[level])) | self.reached[level]
        return sorted(p for p in every if self.low - 1 <= self.centre(level, p) <= self.high + 1)

    def seen(self, level: int) -> str:
        """How many pixels one cell of a level sees, and how many of them are really read."""
        if level:
            return f"sees {field_of(self.stack[:level]).size[1]}"
        read, span = len(self.reached[0]), self.high - self.low + 1
        return f"{read} pixels" if read == span else f"{read} of {span} read"

    def block(self, width: float) -> Block:
        lines = [line for label in self.labels for line in label.split("\n")]
        left = max(text_width(line, SMALL) for line in lines) + 0.2
        right = max(text_width(self.seen(i), SMALL) for i in range(len(self.sizes))) + 0.2
        ends = [self.centre(i, p) for i in range(len(self.sizes)) for p in self.places(i)]
        first, last = min(ends), max(ends)
        cell = min(0.42, (width - left - right) / (last - first + 1))
        count = len(self.stack)
        height = count * LEVEL + max(cell, 0.3)

        def draw(pen: Pen, x: float, y: float) -> None:
            origin = x + left + (0.5 - first) * cell
            for level in range(count + 1):
                middle = y + height - max(cell, 0.3) / 2 - level * LEVEL
                self._draw_level(pen, level, origin, middle, cell)
                self._draw_words(pen, level, x + left - 0.2, origin + (last + 0.5) * cell, middle)

        return Block(left + (last - first + 1) * cell + right, height, draw)

    def _draw_words(self, pen: Pen, level: int, left: float, right: float, middle: float) -> None:
        lines = self.labels[level].split("\n")
        for i, line in enumerate(lines):
            up = (i - (len(lines) - 1) / 2) * 0.17
            pen.words(left, middle + up, line, size=SMALL, across="right")
        pen.words(right + 0.2, middle, self.seen(level), size=SMALL, ink=FAINT, across="left")

    def _draw_level(self, pen: Pen, level: int, origin: float, middle: float, cell: float) -> None:
        for place in self.places(level):
            at = origin + self.centre(level, place) * cell
            self._draw_place(pen, level, place, (at, middle), cell * SHARE)
            if level and place in self.reached[level] and 0 <= place < self.sizes[level]:
                for tap in self.stack[level - 1].window(0, place)[1]:
                    below = origin + self.centre(level - 1, tap) * cell
                    top, bottom = middle + cell * SHARE / 2, middle + LEVEL - cell * SHARE / 2
                    line = COLOURS["kernel"].line
                    pen.path([(at, top), (below, bottom)], line=line, weight=1.1, label="tap")

    def _draw_place(
        self, pen: Pen, level: int, place: int, at: tuple[float, float], side: float
    ) -> None:
        corner = at[0] - side / 2, at[1] - side / 2
        if place not in self.reached[level]:
            pen.box(*corner, side, side, fill=PAPER, line=PALE, weight=0.8, z=3, label="cell")
            return
        colour = self._colour(level, place)
        fill, line, weight = colour.fill, colour.line, min(1.6, 9 * side)
        pen.box(*corner, side, side, fill=fill, line=line, weight=weight, z=3, label="seen")
        if colour is COLOURS["padding"]:
            pen.hatch(*corner, side, side, colour.line, 3.1)

    def _colour(self, level: int, place: int) -> Colour:
        if not 0 <= place < self.sizes[level]:
            return COLOURS["padding"]
        if level == 0:
            return COLOURS["input"]
        return COLOURS["output"] if level == len(self.stack) else NEUTRAL


def coverage(
    *stacks: Geometry | Sequence[Geometry], titles: Sequence[str] | None = None
) -> Picture:
    """From above: the pixels that one cell at the end really reads, and the holes between.

    Parameters
    ----------
    *stacks : sequence of Geometry
        Each a stack of layers, from the image on; `layers` builds them.
    titles : sequence of str, optional
        One for each stack; its dilation rates where None.

    Examples
    --------
    >>> coverage(layers(3, 3, 3, dilation_rates=2), layers(3, 3, 3, dilation_rates=(1, 2, 4)))
    <Picture: coverage: 49 of 169 pixels; 225 of 225 pixels>
    """
    towers = [_check_stack(stack) for stack in stacks]
    if not towers:
        raise ValueError("`coverage` must be given a stack. Received: none. Try layers(3, 3).")
    names = [_rates(tower) for tower in towers] if titles is None else list(titles)
    if len(names) != len(towers):
        raise ValueError(
            "`titles` must have one entry for each stack. "
            f"Received: titles={names!r} for {len(towers)} stacks."
        )
    views = [_Above(tower) for tower in towers]

    def recipe(width: float) -> Block:
        across = min(len(views), 3)
        share = min((width - 0.3 * (across - 1)) / across, 3.2)
        widest = max(max(view.pixels.shape[:2]) for view in views)
        blocks = [
            labelled(view.block(share / widest), name, view.told, width=share)
            for view, name in zip(views, names, strict=True)
        ]
        return flow(blocks, width, 0.3, across)

    counts = "; ".join(f"{view.read} of {view.total} pixels" for view in views)
    return Picture(recipe, f"coverage: {counts}")


def _rates(tower: Sequence[Geometry]) -> str:
    return "dilation " + ", ".join(str(layer.dilation_rate[1]) for layer in tower)


class _Above:
    """The field from above: a dark pixel is read, a white one is a hole."""

    def __init__(self, tower: Sequence[Geometry]) -> None:
        field = field_of(tower)
        rows, columns = _reached(tower, 0)[0], _reached(tower, 1)[0]
        (high, wide), (top, left) = field.size, (min(rows), min(columns))
        self.pixels = np.ones((high, wide, 3))
        self.read, self.total = 0, high * wide
        for row in rows:
            for column in columns:
                real = 0 <= row < tower[0].height and 0 <= column < tower[0].width
                self.read += real
                line = COLOURS["input" if real else "padding"].line
                self.pixels[row - top, column - left] = rgb(line)
        share = f"{100 * self.read / self.total:.0f} %"
        self.told = f"{self.read} of {self.total} pixels\n{share} read"

    def block(self, cell: float) -> Block:
        high, wide = self.pixels.shape[:2]
        cell = min(cell, 0.3)

        def draw(pen: Pen, x: float, y: float) -> None:
            pen.picture(self.pixels, x, y, wide * cell, high * cell, interpolation="nearest")
            right, bottom = x + wide * cell, y + high * cell
            if cell >= LINED:
                for at in (x + i * cell for i in range(1, wide)):
                    pen.path([(at, y), (at, bottom)], line=PALE, weight=0.6)
                for at in (y + i * cell for i in range(1, high)):
                    pen.path([(x, at), (right, at)], line=PALE, weight=0.6)
            pen.box(x, y, wide * cell, high * cell, line=COLOURS["input"].line, weight=1.4, z=3)

        return Block(wide * cell, high * cell, draw)
