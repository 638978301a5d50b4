"""Blocks: what is drawn, how much room it takes, and how blocks stand beside each other.

Everything is measured in inches, from the top left corner of the figure. A `Block` knows its
size before it is drawn, so a figure is exactly as high as its content, and no text is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .colours import FAINT, INK, LINE, PAPER, mix

__all__ = ["Block", "Pen", "above", "beside", "flow", "labelled", "text_block", "text_width"]

FONT = "DejaVu Sans"  # comes with matplotlib, so it is the same everywhere
TITLE, TEXT, SMALL = 12.0, 11.0, 10.0
LINE_HEIGHT = 1.3  # of the font size
POINTS = 72.0  # in an inch
GAP = 0.3
PILE = 0.15  # from one sheet of a pile to the next


class Pen:
    """Draws on one set of matplotlib axes that covers the figure."""

    def __init__(self, axes: Any) -> None:
        self.axes = axes
        self.lift = 0.0  # added to every z: how far in front of the rest the pen draws

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: Any = "none",
        line: Any = "none",
        weight: float = 1.0,
        hatch: str | None = None,
        style: str = "-",
        label: str = "",
        z: float = 1,
    ) -> None:
        """A rectangle; ``label`` names it for whoever inspects the figure."""
        from matplotlib.patches import Rectangle

        looks = {"facecolor": fill, "edgecolor": line, "linewidth": weight, "linestyle": style}
        patch = Rectangle((x, y), width, height, hatch=hatch, label=label, **looks)
        patch.set_zorder(self.lift + z)
        self.axes.add_artist(patch)  # unlike add_patch, leaves the limits alone: much faster

    def hatch(
        self, x: float, y: float, width: float, height: float, colour: Any, z: float = 1.2
    ) -> None:
        """Diagonal lines in a rectangle: the sign of padding."""
        pale = mix(colour, PAPER, 0.5)
        self.box(x, y, width, height, line=pale, weight=0, hatch="////", z=z, label="hatched")

    def words(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = TEXT,
        ink: Any = INK,
        bold: bool = False,
        across: str = "center",
        turn: float = 0,
        z: float = 5,
    ) -> None:
        """One line of text, centred on ``y``."""
        self.axes.text(
            x, y, text, fontsize=size, color=ink, ha=across, rotation=turn, zorder=self.lift + z,
            va="center" if turn else "center_baseline",
            fontweight="bold" if bold else "normal", parse_math=False,
        )  # fmt: skip

    def path(
        self,
        points: Sequence[tuple[float, float]],
        *,
        line: Any = LINE,
        weight: float = 1.0,
        style: str = "-",
        z: float = 2,
        label: str = "",
    ) -> None:
        """A line through points."""
        from matplotlib.lines import Line2D

        x, y = zip(*points, strict=True)
        looks = {"color": line, "linewidth": weight, "linestyle": style, "label": label}
        self.axes.add_artist(Line2D(x, y, zorder=self.lift + z, solid_capstyle="round", **looks))

    def inset(self, x: float, y: float, width: float, height: float) -> Any:
        """New matplotlib axes in a part of the figure, for a chart."""
        figure = self.axes.figure
        wide, high = figure.get_size_inches()
        return figure.add_axes((x / wide, 1 - (y + height) / high, width / wide, height / high))

    def picture(
        self, pixels: Any, x: float, y: float, width: float, height: float, **how: Any
    ) -> None:
        """An array as an image; ``how`` goes to matplotlib's ``imshow``."""
        self.axes.imshow(
            pixels, extent=(x, x + width, y + height, y), aspect="auto", zorder=self.lift + 1, **how
        )


@dataclass(frozen=True)
class Block:
    """Something to draw, its size, and the line on which it wants to stand.

    Attributes
    ----------
    width, height : float
        Inches.
    draw : callable
        ``draw(pen, x, y)`` with the top left corner.
    axis : float, optional
        Height, below the top, of the line that blocks beside each other share.
    """

    width: float
    height: float
    draw: Callable[[Pen, float, float], None]
    axis: float = -1.0

    @property
    def middle(self) -> float:
        """The axis, or half the height where none was given."""
        return self.axis if self.axis >= 0 else self.height / 2


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = TEXT, bold: bool = False) -> float:
    """Width of a line of text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / POINTS


def wrapped(text: str, width: float, size: float = TEXT, bold: bool = False) -> list[str]:
    """Lines that fit a width; a word that is wider stays whole."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size, bold) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def text_block(
    text: str,
    width: float = 99.0,
    *,
    size: float = TEXT,
    ink: Any = INK,
    bold: bool = False,
) -> Block:
    """Text, wrapped to a width and centred."""
    lines = wrapped(text, width, size, bold)
    step = size * LINE_HEIGHT / POINTS
    wide = max(text_width(line, size, bold) for line in lines)

    def draw(pen: Pen, x: float, y: float) -> None:
        for number, line in enumerate(lines):
            pen.words(x + wide / 2, y + (number + 0.5) * step, line, size=size, ink=ink, bold=bold)

    return Block(wide, step * len(lines), draw)


def piled(sheets: Sequence[Block], step: float = PILE) -> Block:
    """Equal blocks one before the other, the first in front, the rest up and to the right."""
    back = step * (len(sheets) - 1)

    def draw(pen: Pen, x: float, y: float) -> None:
        ground = pen.lift
        for place, sheet in reversed(list(enumerate(sheets))):
            pen.lift = ground + 10.0 * (len(sheets) - place)
            sheet.draw(pen, x + place * step, y + back - place * step)
        pen.lift = ground

    return Block(sheets[0].width + back, sheets[0].height + back, draw)


def taller(block: Block, height: float) -> Block:
    """A block in the middle of a given height."""
    down = (height - block.height) / 2
    return Block(block.width, height, lambda pen, x, y: block.draw(pen, x, y + down))


def space(width: float = 0.0, height: float = 0.0) -> Block:
    """Nothing, with a size."""
    return Block(width, height, lambda pen, x, y: None)


def beside(blocks: Sequence[Block], gap: float = GAP) -> Block:
    """Blocks in a row, standing on one axis."""
    axis = max(block.middle for block in blocks)
    below = max(block.height - block.middle for block in blocks)
    width = sum(block.width for block in blocks) + gap * (len(blocks) - 1)

    def draw(pen: Pen, x: float, y: float) -> None:
        for block in blocks:
            block.draw(pen, x, y + axis - block.middle)
            x += block.width + gap

    return Block(width, axis + below, draw, axis)


def above(
    blocks: Sequence[Block],
    gap: float = GAP,
    axis_of: int | None = None,
    *,
    left: bool = False,
) -> Block:
    """Blocks one above the other, centred or at the left.

    ``axis_of`` names the block on whose axis the whole stands.
    """
    width = max(block.width for block in blocks)
    tops = [sum(b.height for b in blocks[:i]) + gap * i for i in range(len(blocks))]
    height = tops[-1] + blocks[-1].height
    axis = -1.0 if axis_of is None else tops[axis_of] + blocks[axis_of].middle

    def draw(pen: Pen, x: float, y: float) -> None:
        for block, top in zip(blocks, tops, strict=True):
            aside = 0.0 if left else (width - block.width) / 2
            block.draw(pen, x + aside, y + top)

    return Block(width, height, draw, axis)


def flow(
    blocks: Sequence[Block],
    width: float,
    gap: float = GAP,
    columns: int | None = None,
) -> Block:
    """Blocks in rows, as many in a row as fit, or as ``columns`` allows."""
    rows: list[list[Block]] = [[]]
    for block in blocks:
        used = sum(b.width for b in rows[-1]) + gap * len(rows[-1])
        full = len(rows[-1]) == columns if columns else used + block.width > width + 1e-9
        if rows[-1] and full:
            rows.append([])
        rows[-1].append(block)
    return above([beside(row, gap) for row in rows], gap, left=True)


def labelled(
    block: Block,
    title: str | None = None,
    caption: str | None = None,
    *,
    width: float | None = None,
    ink: Any = INK,
) -> Block:
    """A block with a title above and a caption below; both wrap to its width."""
    room = max(block.width, width or 0.0)
    parts, axis_of = [block], 0
    if title:
        parts.insert(0, text_block(title, room, size=TEXT, bold=True, ink=ink))
        axis_of = 1
    if caption:
        parts.append(text_block(caption, room, size=SMALL, ink=FAINT))
    return above(parts, 0.07, axis_of)


def per_item(name: str, values: Any, count: int) -> list[Any]:
    """One entry for each of ``count`` parts, or None for each where nothing was given."""
    if values is None:
        return [None] * count
    if isinstance(values, str) or len(values) != count:
        raise ValueError(
            f"`{name}` must have one entry for each of the {count} parts. "
            f"Received: {len(values)} entries. None leaves one out."
            if not isinstance(values, str)
            else f"`{name}` must be a list. Received: {name}={values!r}. Write [{values!r}]."
        )
    return list(values)
