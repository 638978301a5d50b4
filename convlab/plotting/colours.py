"""The colours of the book: one for each role, and ink that can be read on them.

The hues follow Okabe & Ito's palette, which people with any common colour vision tell apart.
Colour is never the only sign: padding is hatched, unread pixels are crossed out, windows have
a thick frame, and everything has a label.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["COLOURS", "INK", "PAPER", "Colour", "contrast", "ink_on", "signed_map"]


class Colour(NamedTuple):
    """One role: ``line`` for frames, ``fill`` for cells, ``ink`` for words about it."""

    line: str
    fill: str
    ink: str


COLOURS = {
    "input": Colour("#0072B2", "#D5E8F5", "#00517F"),
    "kernel": Colour("#D55E00", "#FCE0CC", "#923F00"),
    "output": Colour("#00855F", "#CDEEE1", "#00573E"),
    "padding": Colour("#A64B86", "#F4DFEC", "#7D2F62"),
}

INK = "#1A1A1A"
FAINT = "#595959"
LINE = "#8C8C8C"
PALE = "#BFBFBF"
PAPER = "#FFFFFF"
READABLE = 4.5  # contrast that WCAG 2.2 asks of text
NEUTRAL = Colour(LINE, "#EEEEEE", INK)

# Dark for negative, grey for zero, light for positive: the sign survives a black-and-white
# print. The hues (blue, yellow) are the pair that colour-blind readers separate best.
SIGNED_STOPS = ["#001433", "#0B3C7D", "#5B7FA8", "#9A9A9A", "#D2B25E", "#FFE066", "#FFFCE0"]


def role(name: str) -> Colour:
    """The colours of a role, or a clear error."""
    if name == "neutral":
        return NEUTRAL
    if name not in COLOURS:
        raise ValueError(f"`role` must be one of {[*COLOURS, 'neutral']}. Received: role={name!r}.")
    return COLOURS[name]


def rgb(colour: Any) -> np.ndarray:
    """Red, green and blue in 0..1 of ``"#RRGGBB"``, or of three numbers as they are."""
    if isinstance(colour, str):
        return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.asarray(colour, dtype=float)[:3]


def mix(colour: Any, other: Any, share: float) -> tuple[float, float, float]:
    """``share`` of the first colour, the rest of the other."""
    red, green, blue = share * rgb(colour) + (1 - share) * rgb(other)
    return float(red), float(green), float(blue)


def luminance(colour: Any) -> float:
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(colour: Any, other: Any) -> float:
    """Contrast ratio of two colours, 1 to 21; text needs 4.5.

    References
    ----------
    W3C, Web Content Accessibility Guidelines 2.2, "contrast ratio".

    Examples
    --------
    >>> contrast("#000000", "#FFFFFF")
    21.0
    """
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ink_on(fill: Any) -> str:
    """The ink to write with on a fill: dark, white, or black where neither is clear enough.

    Examples
    --------
    >>> ink_on("#FFFFFF"), ink_on("#08214F")
    ('#1A1A1A', '#FFFFFF')
    """
    return next((ink for ink in (INK, PAPER) if contrast(ink, fill) >= READABLE), "#000000")


def signed_map() -> Any:
    """Matplotlib colour map for signed numbers: dark below zero, grey at zero, light above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("convlab_signed", SIGNED_STOPS, N=255)
