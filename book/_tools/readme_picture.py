"""Draw the picture of the README: one photo, and what three kernels make of it."""

from __future__ import annotations

from pathlib import Path

from convlab import conv2d, filters, plotting
from convlab.datasets import load_photo

TARGET = Path(__file__).resolve().parents[1] / "_static" / "readme.png"
KERNELS = {
    "blurred": filters.gaussian_blur(),
    "in relief": filters.emboss(),
    "edges": filters.sobel_x(),
}


def main() -> None:
    """Draw the picture and save it."""
    photo = load_photo("china", grey=True)
    maps = [conv2d(photo[None, :, :, None], kernel)[0, :, :, 0] for kernel in KERNELS.values()]
    picture = plotting.images(
        [photo, *maps], ["a photo", *KERNELS], kernels=[None, *KERNELS.values()], columns=4
    )
    picture.save(TARGET)


if __name__ == "__main__":
    main()
