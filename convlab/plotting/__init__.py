"""Every figure of the book, in one to five lines of a notebook cell.

Each function returns a `Picture`, which a notebook shows once, as PNG. Colours, fonts and
sizes are the same everywhere; matplotlib is imported when the first figure is drawn.
"""

from __future__ import annotations

from .channels import memory_order, wiring
from .charts import bars, curve
from .colours import COLOURS
from .distributions import histograms
from .fields import coverage, layers, receptive_field
from .flows import signal_flow
from .grids import Grid, equation, grid
from .histories import history
from .images import feature_maps, images
from .kernels import kernels
from .models import model
from .paths import path
from .picture import Picture, together
from .products import row_products
from .rooflines import roofline
from .rows import row_sweep
from .scene import plane
from .volumes import volumes
from .windows import read_counts, sweep

__all__ = [
    "COLOURS",
    "Grid",
    "Picture",
    "bars",
    "coverage",
    "curve",
    "equation",
    "feature_maps",
    "grid",
    "histograms",
    "history",
    "images",
    "kernels",
    "layers",
    "memory_order",
    "model",
    "path",
    "plane",
    "read_counts",
    "receptive_field",
    "roofline",
    "row_products",
    "row_sweep",
    "signal_flow",
    "sweep",
    "together",
    "volumes",
    "wiring",
]
