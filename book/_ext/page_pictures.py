"""Pictures of a page: a twentieth of their bytes, their size known, fetched as they come near.

The notebooks hold PNG files, which tests compare pixel by pixel. A photo is large in that
format, so the built page shows it as AVIF; a drawing of few colours stays exact, as WebP.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx

PICTURE = re.compile(r'<img (?P<before>[^>]*?)src="(?P<folder>[^"]*_images/)(?P<name>[^"/]+)\.png"')
KINDS = ("webp", "avif")
EXACT_LIMIT = 30_000  # bytes up to which a picture is kept without loss
QUALITY = 60
EAGER = 1  # the first picture of a page is in view, or nearly


def connect(app: Sphinx) -> None:
    """Listen for pages, and for the end of the build."""
    app.connect("html-page-context", lighten, priority=800)
    app.connect("build-finished", remove_originals)


def lighten(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Let the page ask for light copies of its pictures."""
    sources = {Path(name).stem: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    count = 0

    def light(match: re.Match[str]) -> str:
        nonlocal count
        source = sources.get(match["name"])
        if source is None:
            return match[0]
        count += 1
        copy, (width, height) = write_copy(source, Path(app.outdir, "_images"), match["name"])
        near = "" if count <= EAGER else 'loading="lazy" '
        start = f'<img {match["before"]}{near}width="{width}" height="{height}" '
        return f'{start}src="{match["folder"]}{copy.name}"'

    context["body"] = PICTURE.sub(light, context.get("body", ""))


def write_copy(source: Path, folder: Path, name: str) -> tuple[Path, tuple[int, int]]:
    """Write the light copy, unless an earlier build did: the name tells the content."""
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        copies = (folder / f"{name}.{kind}" for kind in KINDS)
        if present := next(filter(Path.exists, copies), None):
            return present, picture.size
        kind, data = encode(picture)
        file = folder / f"{name}.{kind}"
        file.write_bytes(data)
        return file, picture.size


def encode(picture: Image.Image) -> tuple[str, bytes]:
    """Write a picture exactly if that is small, else so that no eye tells the difference."""
    exact, close = BytesIO(), BytesIO()
    picture.save(exact, "WEBP", lossless=True)
    if exact.tell() <= EXACT_LIMIT:
        return "webp", exact.getvalue()
    # Colours at full resolution: thin lines and small letters keep their edges.
    picture.convert("RGB").save(close, "AVIF", quality=QUALITY, subsampling="4:4:4", speed=7)
    return "avif", close.getvalue()


def remove_originals(app: Sphinx, exception: Exception | None) -> None:
    """Drop each PNG file that no page shows any more."""
    if exception is not None or app.builder.format != "html":
        return
    for file in Path(app.outdir, "_images").glob("*.png"):
        if any(file.with_suffix(f".{kind}").exists() for kind in KINDS):
            file.unlink()
