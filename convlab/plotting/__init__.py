"""Every figure of the book, in one to five lines of a notebook cell.

Each function returns a `Picture`, which a notebook shows once, as PNG. Colours, fonts and
sizes are the same everywhere; matplotlib is imported when the first figure is drawn.
"""

from __future__ import annotations

from .colours import COLOURS
from .grids import Grid, equation, grid
from .images import feature_maps, images, kernels
from .picture import Picture, together
from .rows import row_sweep
from .windows import plane, read_counts, sweep

__all__ = [
    "COLOURS",
    "Grid",
    "Picture",
    "equation",
    "feature_maps",
    "grid",
    "images",
    "kernels",
    "plane",
    "read_counts",
    "row_sweep",
    "sweep",
    "together",
]
