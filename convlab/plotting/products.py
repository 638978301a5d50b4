"""The products of a row: one line for each, from its pixel to its output, run either way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from convlab.functional import conv2d, conv2d_input_gradient, conv2d_kernel_gradient
from convlab.geometry import as_size

from .board import Cell, board, frame_cells, number, numbers, text_size
from .colours import COLOURS, INK, PALE
from .layout import SMALL, TEXT, Block, Pen, labelled, text_width
from .picture import Picture
from .rows import Row

__all__ = ["row_products"]

LARGEST = 0.62  # side of a cell, in inches
RISE = 1.5  # from the pixels down to the outputs
APART = 0.3  # between weights that stand side by side
LOW, HIGH = 0.28, 0.72  # where weights stand on their lines, where there is no room side by side
HEAD = 0.26  # room for the name of a row
TIP = 0.1  # length of an arrow's head
MOST_PIXELS = 14


def row_products(
    x: int | Sequence[float],
    kernel: Sequence[float],
    output_gradient: Sequence[float] | None = None,
    *,
    cell: int | None = None,
    pixel: int | None = None,
    weight: int | None = None,
    strides: int = 1,
    padding: str = "valid",
    dilation_rate: int = 1,
    title: str | None = None,
    caption: str | None = None,
) -> Picture:
    """One row of pixels above its outputs, and a line for every product between them.

    Forward, each output gathers along its lines. With ``output_gradient`` the same lines run
    back: each output scatters its gradient, and each pixel gathers what arrives.

    Parameters
    ----------
    x : int or sequence of float
        The pixels; a whole number n stands for 1, 2, ..., n.
    kernel : sequence of float
        The weights.
    output_gradient : sequence of float, optional
        One number for each output. Turns the arrows round and shows gradients; with
        ``weight`` the pixels stay, because the weight's gradient needs them.
    cell, pixel, weight : int, optional
        At most one: only the lines of this output, this pixel or this weight stand out, and
        where they make one number together the sum is written below. Counted from 0.
    strides, padding, dilation_rate
        As in `convlab.conv2d`, for one axis.
    title, caption : str, optional

    Returns
    -------
    Picture
        Zeros of the padding are hatched. Backward, their cells show the gradient that is
        thrown away.

    Examples
    --------
    >>> row_products([3, 1, 4, 1], [1, 2], cell=1)
    <Picture: products of 4 pixels and 3 outputs, cell 1: 1·1 + 4·2 = 9>
    >>> row_products([3, 1, 4, 1], [1, 2], [1, -1, 2], pixel=2)
    <Picture: products of 4 pixels and 3 outputs, pixel 2: (−1)·2 + 2·1 = 0>
    >>> row_products([3, 1, 4, 1], [1, 2], [1, -1, 2], weight=0)
    <Picture: products of 4 pixels and 3 outputs, weight 0: 3·1 + 1·(−1) + 4·2 = 10>
    """
    if np.ndim(kernel) != 1:
        raise ValueError(
            "`kernel` must be a list of weights. "
            f"Received: kernel={kernel!r}. For three equal weights write [1, 1, 1]."
        )
    row = Row(x, kernel, strides, padding, dilation_rate)
    chosen = {"cell": cell, "pixel": pixel, "weight": weight}
    products = _Products(row, output_gradient, chosen)

    def recipe(width: float) -> Block:
        told = [part for part in (products.told, caption) if part]
        return labelled(_block(products, width), title, "\n".join(told), width=width)

    told = f", {products.told}" if products.told else ""
    outputs = row.geometry.output_size[1]
    return Picture(recipe, f"products of {row.size} pixels and {outputs} outputs{told}")


class _Product(NamedTuple):
    """One multiplication: which output it feeds, with which weight, from which drawn column."""

    cell: int
    weight: int
    column: int


class _Products:
    """Every product of a row, the numbers at both ends, and those that stand out."""

    def __init__(self, row: Row, output_gradient: Any, chosen: dict[str, int | None]) -> None:
        assert row.weights is not None
        self.row, self.weights = row, row.weights
        self.count = row.geometry.output_size[1]
        self.backward = output_gradient is not None
        self._check(output_gradient, chosen)
        self.name, self.index = next(
            ((name, at) for name, at in chosen.items() if at is not None), ("", 0)
        )
        self.all = [
            _Product(i, u, column)
            for i in range(self.count)
            for u, column in enumerate(row.taps(i))
        ]
        # On the padded row every window is a valid one, and no gradient is thrown away.
        self.pixels, self.kernel = row.values[None, None, :, None], row.weights[None, :, None, None]
        steps, rate = row.geometry.strides, row.geometry.dilation_rate
        self.steps: dict[str, Any] = {"strides": steps, "dilation_rate": rate}
        self.bottom = self._bottom(output_gradient)
        self.top = self._top()

    def _check(self, output_gradient: Any, chosen: dict[str, int | None]) -> None:
        if self.row.size > MOST_PIXELS:
            raise ValueError(
                f"`row_products` can draw at most {MOST_PIXELS} pixels. "
                f"Received: {self.row.size} pixels. A shorter row shows the same lines."
            )
        if self.backward and np.shape(output_gradient) != (self.count,):
            raise ValueError(
                "`output_gradient` must have one number for each output. "
                f"Received: shape {np.shape(output_gradient)} for {self.count} outputs."
            )
        given = {name: at for name, at in chosen.items() if at is not None}
        if len(given) > 1:
            raise ValueError(
                "At most one of `cell`, `pixel` and `weight` can stand out. "
                f"Received: {', '.join(f'{n}={v!r}' for n, v in given.items())}."
            )
        sizes = {"cell": self.count, "pixel": self.row.size, "weight": len(self.weights)}
        for name, at in given.items():
            if as_size(name, at, 0) >= sizes[name]:
                raise ValueError(
                    f"`{name}` counts from 0 and must be below {sizes[name]}. "
                    f"Received: {name}={at!r}."
                )

    def _bottom(self, output_gradient: Any) -> np.ndarray:
        if self.backward:
            return np.asarray(output_gradient)
        return conv2d(self.pixels, self.kernel, **self.steps).ravel()

    def _top(self) -> np.ndarray:
        if not self.backward or self.name == "weight":
            return self.row.values
        gradient = self.bottom[None, None, :, None]
        shape = self.pixels.shape
        return conv2d_input_gradient(gradient, self.kernel, shape, **self.steps).ravel()

    @property
    def names(self) -> tuple[str, str]:
        """What the upper and the lower row hold."""
        if not self.backward:
            return "input", "output"
        upper = "input" if self.name == "weight" else "gradient of the input"
        return upper, "gradient of the output"

    def stands_out(self, product: _Product) -> bool:
        """Whether a line belongs to the chosen output, pixel or weight."""
        own = {
            "cell": product.cell,
            "pixel": product.column - self.row.first,
            "weight": product.weight,
        }
        return not self.name or own[self.name] == self.index

    @property
    def told(self) -> str:
        """The sum that the chosen lines make, where they make one number."""
        if (self.name, self.backward) not in (("cell", False), ("pixel", True), ("weight", True)):
            return ""
        lines = [product for product in self.all if self.stands_out(product)]
        factors = [self._factors(product) for product in lines]
        terms = " + ".join(f"{_factor(a)}·{_factor(b)}" for a, b in factors) or "no line"
        exact = all(float(value).is_integer() for pair in factors for value in pair)
        return f"{self.name} {self.index}: {terms} {'=' if exact else '≈'} {number(self._result())}"

    def _factors(self, product: _Product) -> tuple[Any, Any]:
        pixel, output = self.row.values[product.column], self.bottom[product.cell]
        if self.name == "cell":
            return pixel, self.weights[product.weight]
        return (output, self.weights[product.weight]) if self.name == "pixel" else (pixel, output)

    def _result(self) -> float:
        if self.name == "cell":
            return float(self.bottom[self.index])
        if self.name == "pixel":
            return float(self.top[self.row.first + self.index])
        gradient = self.bottom[None, None, :, None]
        shape = self.kernel.shape
        all_of_them = conv2d_kernel_gradient(self.pixels, gradient, shape, **self.steps)
        return float(all_of_them[0, self.index, 0, 0])

    def upper(self) -> list[Cell]:
        """The row of pixels as cells, with what it holds now."""
        cells = self.row.cells()
        return [
            Cell(one.colour, text, hatched=one.hatched, crossed=one.crossed and text != "0")
            for one, text in zip(cells, numbers(self.top), strict=True)
        ]


def _factor(value: Any) -> str:
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def _block(products: _Products, width: float) -> Block:
    upper = products.upper()
    lower = numbers(products.bottom).tolist()
    longest = max(text_width(text, TEXT) for text in [*lower, *(one.text for one in upper)])
    cell = min(max(LARGEST, longest + 0.14), width / len(upper))
    strip = board([upper], cell)
    floor = HEAD + cell + RISE

    def draw(pen: Pen, x: float, y: float) -> None:
        above, below = products.names
        middle = x + strip.width / 2
        pen.words(middle, y + 0.1, above, size=SMALL, bold=True, ink=COLOURS["input"].ink)
        strip.draw(pen, x, y + HEAD)
        _draw_frames(pen, x, y + HEAD, cell, products)
        _draw_lines(pen, x, y + HEAD + cell, cell, products)
        for index, text in enumerate(lower):
            _draw_output(pen, x + _centre(products, index) * cell, y + floor, cell, text)
        at = y + floor + cell + 0.14
        pen.words(middle, at, below, size=SMALL, bold=True, ink=COLOURS["output"].ink)

    return Block(strip.width, floor + cell + HEAD, draw)


def _centre(products: _Products, index: int) -> float:
    """The middle of a window, where its output stands, in cells from the left."""
    taps = products.row.taps(index)
    return (taps[0] + taps[-1] + 1) / 2


def _draw_frames(pen: Pen, x: float, y: float, cell: float, products: _Products) -> None:
    row, line = products.row, COLOURS["kernel"].line
    left = x + row.first * cell
    pen.box(left, y, row.size * cell, cell, line=COLOURS["input"].line, weight=1.6, z=3)
    if products.name == "pixel":
        frame_cells(pen, x, y, cell, [(0, row.first + products.index)], line)
    if products.name == "cell":
        at = x + (_centre(products, products.index) - 0.5) * cell
        frame_cells(pen, at, y + cell + RISE, cell, [(0, 0)], line)


def _draw_lines(pen: Pen, x: float, y: float, cell: float, products: _Products) -> None:
    """Pale lines for what there is; strong ones, with their weight, for what is chosen."""
    heights = _heights(products, cell)
    for product in products.all:
        above = x + (product.column + 0.5) * cell, y + 0.03
        below = x + _centre(products, product.cell) * cell, y + RISE - 0.03
        if products.stands_out(product):
            ends = (below, above) if products.backward else (above, below)
            # To a weight, pixel and output both give: its lines have no direction.
            _draw_strong(pen, *ends, tip=products.name != "weight")
            share, text = heights[product.weight], number(products.weights[product.weight])
            place = [b + share * (a - b) for a, b in zip(above, below, strict=True)]
            _draw_weight(pen, place[0], place[1], text)
        else:
            pen.path([above, below], line=PALE, weight=0.9, z=0.5, label="line")


def _heights(products: _Products, cell: float) -> list[float]:
    """How far up its lines each weight stands: halfway, or each on a level of its own."""
    strong = [one for one in products.all if products.stands_out(one)]
    halfway = sorted((_centre(products, one.cell) + one.column + 0.5) / 2 * cell for one in strong)
    count = len(products.weights)
    if all(right - left >= APART for left, right in pairwise(halfway)):
        return [0.5] * count
    return [LOW + (HIGH - LOW) * u / max(count - 1, 1) for u in range(count)]


def _draw_strong(pen: Pen, start: tuple[float, float], end: tuple[float, float], tip: bool) -> None:
    line = COLOURS["kernel"].line
    pen.path([start, end], line=line, weight=1.8, z=1.5, label="strong line")
    if not tip:
        return
    back = math.atan2(start[1] - end[1], start[0] - end[0])
    sides = [
        (end[0] + TIP * math.cos(back + turn), end[1] + TIP * math.sin(back + turn))
        for turn in (-0.42, 0.42)
    ]
    pen.path([sides[0], end, sides[1]], line=line, weight=1.8, z=1.6, label="tip")


def _draw_weight(pen: Pen, x: float, y: float, text: str) -> None:
    colour = COLOURS["kernel"]
    wide, high = max(text_width(text, SMALL) + 0.1, 0.2), 0.22
    left, top = x - wide / 2, y - high / 2
    pen.box(left, top, wide, high, fill=colour.fill, line=colour.line, z=2.5, label="weight")
    pen.words(x, y, text, size=SMALL, ink=INK)


def _draw_output(pen: Pen, x: float, y: float, cell: float, text: str) -> None:
    colour = COLOURS["output"]
    pen.box(
        x - cell / 2, y, cell, cell, fill=colour.fill, line=colour.line, weight=1.3, label="output"
    )
    size = text_size([[Cell(colour, text)]], cell, TEXT)
    pen.words(x, y + cell / 2, text, size=size, ink=INK)
