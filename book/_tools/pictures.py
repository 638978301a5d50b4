"""Whether two pictures in a notebook are the same picture.

Pictures are compared by their pixels, never by their bytes: another compression library
writes other bytes for the same picture. On the platform that the committed outputs were made
on, every pixel must be equal. Elsewhere, compilers round differently, and a picture is the
same if its size is, and if what differs stays under the two limits below.
"""

from __future__ import annotations

import base64
import hashlib
import platform
import sys
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["EXACT", "describe", "difference", "pixels", "same_picture"]

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
MEAN_LIMIT = 1.0
"""Elsewhere: largest mean difference of a picture, in levels of 0..255."""

SHARE_LIMIT = 0.01
"""Elsewhere: largest share of pixels that differ by more than `LEVELS`."""

LEVELS = 16


def is_pinned_platform() -> bool:
    """Whether this machine draws as the one that drew the committed pictures."""
    pins = CONSTRAINTS.read_text(encoding="utf-8").split()
    is_pinned = f"matplotlib=={version('matplotlib')}" in pins
    return sys.platform == "linux" and platform.machine() == "x86_64" and is_pinned


EXACT = is_pinned_platform()
"""Whether pictures are compared exactly here."""


def pixels(png: str) -> NDArray[np.uint8]:
    """Decode a picture as a notebook stores it, base64, into (height, width, 4) bytes."""
    with Image.open(BytesIO(base64.b64decode(png))) as picture:
        return np.asarray(picture.convert("RGBA"))


def describe(png: str) -> str:
    """Name a picture by its size and the hash of its pixels."""
    array = pixels(png)
    height, width = array.shape[:2]
    return f"{width}x{height} pixels, {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def difference(first: str, second: str) -> tuple[float, float]:
    """Mean difference in levels, and share of pixels that differ clearly.

    Pictures of unequal size have an infinite difference.
    """
    one, other = pixels(first), pixels(second)
    if one.shape != other.shape:
        return float("inf"), 1.0
    levels = np.abs(one.astype(int) - other)
    return float(levels.mean()), float((levels.max(axis=-1) > LEVELS).mean())


def same_picture(first: str, second: str, *, exact: bool = EXACT) -> bool:
    """Whether two pictures are the same: every pixel, or within the limits elsewhere."""
    if exact:
        return describe(first) == describe(second)
    mean, share = difference(first, second)
    return mean <= MEAN_LIMIT and share <= SHARE_LIMIT
