"""The finished figure: a recipe that is drawn when it is looked at, the same every time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from convlab.geometry import as_size

from .colours import PAPER
from .layout import FONT, Block, Pen, above, beside

__all__ = ["Picture", "together"]

PIXELS = 1040  # across; every figure has so many, and fills the column of the page
WIDE, NARROW = 6.5, 5.2  # inches of drawing that these pixels show: little content is drawn larger
MARGIN = 0.12

Recipe = Callable[[float], Block]


class Picture:
    """A figure of the book. As the last value of a notebook cell it is shown, once, as PNG.

    Parameters
    ----------
    recipe : callable
        ``recipe(width)`` gives the block to draw, at most ``width`` inches wide.
    description : str
        What the figure shows, in a few words; part of its ``repr``.

    Notes
    -----
    Drawing happens under matplotlib's own defaults, a font that comes with matplotlib and a
    fixed resolution: neither your settings nor the notebook's backend change a pixel, and
    your settings are left as they were.

    Examples
    --------
    >>> from convlab import plotting
    >>> plotting.grid([[1, 2], [3, 4]])
    <Picture: input grid, 2 x 2>
    """

    def __init__(self, recipe: Recipe, description: str) -> None:
        self.recipe = recipe
        self.description = description

    def __repr__(self) -> str:
        return f"<Picture: {self.description}>"

    @cached_property
    def figure(self) -> Any:
        """The ``matplotlib.figure.Figure``, for whoever wants to add to it."""
        with _defaults():
            block = self.recipe(WIDE - 2 * MARGIN)
            return _drawn(block)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        with _defaults():
            # matplotlib would sign the file with its version
            self.figure.savefig(file, format="png", metadata={"Software": None})
        return file.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the figure to a PNG file."""
        Path(path).write_bytes(self._repr_png_())


def _drawn(block: Block) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = min(max(block.width + 2 * MARGIN, NARROW), WIDE)
    height = block.height + 2 * MARGIN
    figure = Figure(figsize=(width, height), dpi=PIXELS / width, facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    block.draw(Pen(axes), (width - block.width) / 2, MARGIN)
    axes.set(xlim=(0, width), ylim=(height, 0))  # after drawing: images change the limits
    axes.set_axis_off()
    return figure


@contextmanager
def _defaults() -> Iterator[None]:
    """Matplotlib as it comes, whatever the user has set, for the length of a block."""
    import matplotlib

    settings = {
        key: value
        for key, value in matplotlib.rcParamsDefault.items()
        if not key.startswith(("backend", "interactive", "toolbar", "webagg", "tk.", "date."))
    }
    with matplotlib.rc_context(settings):
        matplotlib.rcParams.update({"font.family": FONT, "hatch.linewidth": 0.8})
        yield


def together(pictures: Sequence[Picture], *, columns: int = 1) -> Picture:
    """Several figures as one: below each other, or in columns of equal width.

    Parameters
    ----------
    pictures : sequence of Picture
    columns : int, default 1

    Examples
    --------
    >>> from convlab.plotting import grid, together
    >>> together([grid([[1, 2]]), grid([[3]], role="output")])
    <Picture: input grid, 1 x 2; output grid, 1 x 1>
    """
    parts, columns = list(pictures), as_size("columns", columns)
    if not parts or not all(isinstance(part, Picture) for part in parts):
        kinds = [type(part).__name__ for part in parts]
        raise ValueError(
            "`together` must be given a list of Pictures, at least one figure. "
            f"Received: {kinds}. Draw each part first: together([grid(x), grid(y)])."
        )
    rows = [parts[i : i + columns] for i in range(0, len(parts), columns)]
    gap = 0.3

    def recipe(width: float) -> Block:
        share = (width - gap * (columns - 1)) / columns
        return above([beside([p.recipe(share) for p in row], gap) for row in rows], gap)

    return Picture(recipe, "; ".join(picture.description for picture in parts))
