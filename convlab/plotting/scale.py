"""How numbers become shades, and the strip that says so under a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .board import number
from .colours import COLOURS, FAINT, LINE, PAPER, signed_map
from .layout import SMALL, Block, Pen

__all__ = ["Box", "Scale", "image_block", "photo_scale", "scale_bar", "shared_scale"]

Box = tuple[float, float, float, float]
KEPT = 0.97  # share of many numbers that a scale keeps apart; the strongest few saturate
MANY = 1000
SHARP = 75  # pixels per inch up to which a pixel is drawn as a sharp square


@dataclass(frozen=True)
class Scale:
    """Shades from ``-limit`` (signed) or 0 to ``limit``; ``clips`` if there are numbers beyond."""

    limit: float
    signed: bool = False
    clips: bool = False

    @property
    def low(self) -> float:
        """The number that is drawn darkest."""
        return -self.limit if self.signed else 0.0

    @property
    def looks(self) -> dict[str, Any]:
        """Arguments of matplotlib's ``imshow``."""
        shades = signed_map() if self.signed else "gray"
        return {"cmap": shades, "vmin": self.low, "vmax": self.limit}

    @property
    def texts(self) -> list[str]:
        """The numbers at the strip's ends and, for signed numbers, in its middle."""
        least, most = ("≤ ", "≥ ") if self.clips else ("", "")
        top = number(self.limit, 4)
        return [f"{least}−{top}", "0", f"{most}{top}"] if self.signed else ["0", f"{most}{top}"]


def photo_scale(array: np.ndarray) -> Scale:
    """Black to white of a photo: 255 for uint8, the largest number of other integers, else 1."""
    if array.dtype == np.uint8:
        return Scale(255.0)
    if array.dtype.kind in "iu":
        return Scale(float(max(array.max(), 1)))
    return Scale(1.0)


def shared_scale(
    arrays: Sequence[np.ndarray], signed: bool | None = None, limit: float | None = None
) -> Scale:
    """One scale for several maps: signed about 0, or from 0 up."""
    values = np.concatenate([array[np.isfinite(array)].ravel() for array in arrays]).astype(float)
    if signed is None:
        signed = bool(values.min(initial=0.0) < 0)
    if limit is None:
        limit = _round_limit(np.abs(values) if signed else values)
    elif not limit > 0:
        raise ValueError(f"`limit` must be above 0. Received: limit={limit!r}.")
    outside = np.abs(values) > limit if signed else (values > limit) | (values < 0)
    return Scale(float(limit), signed, bool(outside.any()))


def _round_limit(sizes: np.ndarray) -> float:
    """A round number that all, or all but the largest few of many, keep to; 1 for 0 to 1."""
    share = KEPT if sizes.size > MANY else 1.0
    top = float(np.quantile(sizes, share, method="higher")) if sizes.size else 1.0
    if top <= 0:
        return 1.0
    step = 10.0 ** (np.floor(np.log10(top)) - 1)
    return float(np.ceil(top / step - 1e-9) * step)


def image_block(
    array: np.ndarray, width: float, scale: Scale | None, boxes: Sequence[Box] = ()
) -> Block:
    """A picture of given width with a thin outline; colours as they are where scale is None."""
    high, wide = array.shape[:2]
    height = width * high / wide
    how: dict[str, Any] = {"interpolation": "nearest" if wide < width * SHARP else "antialiased"}
    if array.dtype.kind == "f":
        # The last bits of a sum differ between processors. Rounded, they never tip a shade.
        array = np.round(array, 9 if array.dtype == np.float64 else 5)
    if scale is None:
        array = np.clip(array, 0, 255 if array.dtype == np.uint8 else 1)
    else:
        how |= scale.looks

    def draw(pen: Pen, x: float, y: float) -> None:
        pen.picture(array, x, y, width, height, **how)
        pen.box(x, y, width, height, line=LINE, weight=0.6, z=2, label="image")
        for box in boxes:
            _draw_box(pen, x, y, width / wide, box)

    return Block(width, height, draw)


def _draw_box(pen: Pen, x: float, y: float, step: float, box: Box) -> None:
    """A frame, in pixels of the image; its white rim shows it on any ground."""
    row, column, high, wide = (side * step for side in box)
    pen.box(x + column, y + row, wide, high, line=PAPER, weight=3.8, z=3)
    line = COLOURS["kernel"].line
    pen.box(x + column, y + row, wide, high, line=line, weight=2.0, z=3.1, label="box")


def scale_bar(scale: Scale) -> Block:
    """A strip of all shades, with the numbers that they stand for."""
    wide, high = 2.2, 0.13
    strip = np.linspace(scale.low, scale.limit, 256)[None, :]

    def draw(pen: Pen, x: float, y: float) -> None:
        pen.picture(strip, x, y, wide, high, interpolation="nearest", **scale.looks)
        pen.box(x, y, wide, high, line=LINE, weight=0.6, z=2)
        for place, text in zip(np.linspace(0, wide, len(scale.texts)), scale.texts, strict=True):
            pen.path([(x + place, y + high), (x + place, y + high + 0.05)], line=FAINT, weight=0.8)
            pen.words(x + place, y + high + 0.15, text, size=SMALL, ink=FAINT)

    return Block(wide, high + 0.24, draw)
