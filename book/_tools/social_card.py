"""Draw the picture that stands for the book where somebody shares its address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from PIL import Image

from convlab import conv2d, filters
from convlab.datasets import load_photo
from convlab.plotting.colours import COLOURS, INK

TARGET = Path(__file__).resolve().parents[1] / "_static" / "social.png"
WIDTH, HEIGHT = 1200, 630
PAPER = "#FCFBF8"
LINE = 'Conv2D(32, 3, strides=2, padding="same")'


def main() -> None:
    """Draw the card and save it."""
    figure = plt.figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor=PAPER)
    write_words(figure)
    photo = load_photo("china", grey=True)[90:330, 60:420]
    edges = conv2d(photo[None, :, :, None], filters.sobel_x())[0, :, :, 0]
    show(figure, photo, (0.055, 0.08, 0.36, 0.46), "input", (0, 1))
    show(figure, edges, (0.585, 0.08, 0.36, 0.46), "output", (-1.5, 1.5))
    show_kernel(figure, filters.sobel_x()[:, :, 0, 0])
    # Few colours: half the bytes, and the photo is grey anyway.
    canvas: Any = figure.canvas
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    pixels.quantize(200).save(TARGET, optimize=True)


def write_words(figure: Any) -> None:
    """The title, and the line that the book takes apart."""
    figure.text(0.055, 0.84, "Conv2D, Parameter by Parameter", size=40, weight="bold", color=INK)
    figure.text(0.055, 0.745, LINE, size=21, family="monospace", color=COLOURS["kernel"].ink)
    figure.text(
        0.055, 0.655, "See every argument work on a real photo, and solve it by hand.",
        size=20, color="#565D68",
    )  # fmt: skip


def show(
    figure: Any,
    image: np.ndarray,
    place: tuple[float, float, float, float],
    role: str,
    limits: tuple[float, float],
) -> None:
    """One picture in the frame of its role."""
    axes = figure.add_axes(place)
    axes.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1], aspect="auto")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=COLOURS[role].line, linewidth=5)


def show_kernel(figure: Any, kernel: np.ndarray) -> None:
    """The nine numbers between the two pictures."""
    axes = figure.add_axes((0.435, 0.19, 0.13, 0.13 * WIDTH / HEIGHT))
    axes.set(xlim=(0, 3), ylim=(3, 0), xticks=[], yticks=[])
    axes.axis("off")
    colour = COLOURS["kernel"]
    for (row, column), value in np.ndenumerate(kernel):
        cell = Rectangle((column, row), 1, 1, facecolor=colour.fill, edgecolor=colour.line, lw=2)
        axes.add_patch(cell)
        text = f"{value:.0f}".replace("-", "−")
        axes.text(
            column + 0.5, row + 0.52, text, size=19, color=colour.ink, ha="center", va="center"
        )
    axes.add_patch(Rectangle((0, 0), 3, 3, fill=False, edgecolor=colour.line, lw=5, clip_on=False))


if __name__ == "__main__":
    main()
