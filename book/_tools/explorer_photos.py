"""Write the photos of the explorer: scikit-learn's two samples, smaller, as scripts.

::

    python book/_tools/explorer_photos.py

A page that was opened as a file may not read the pixels of another file; a script it may load.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from convlab.datasets import load_photo

FOLDER = Path(__file__).resolve().parents[1] / "_static" / "explorer" / "photos"
LONGEST = 480  # pixels
QUALITY = 86
NAMES = ("china", "flower")
SCRIPT = """\
/* {name}: a sample photo of scikit-learn, CC BY 2.0, smaller: book/_tools/explorer_photos.py */
window.convlabExplorer.photos = window.convlabExplorer.photos || {{}};
window.convlabExplorer.photos.{name} = "data:image/jpeg;base64,{data}";
"""


def smaller(name: str) -> Image.Image:
    """Scale a photo so that its longer side has `LONGEST` pixels."""
    photo = Image.fromarray(load_photo(name))
    factor = LONGEST / max(photo.size)
    width, height = (round(side * factor) for side in photo.size)
    return photo.resize((width, height), Image.Resampling.LANCZOS)


def script(name: str) -> str:
    """Write a photo as a script that hands its JPEG file to the explorer."""
    file = io.BytesIO()
    smaller(name).save(file, "JPEG", quality=QUALITY, optimize=True)
    return SCRIPT.format(name=name, data=base64.b64encode(file.getvalue()).decode("ascii"))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in NAMES:
        (FOLDER / f"{each}.js").write_text(script(each), encoding="utf-8")
