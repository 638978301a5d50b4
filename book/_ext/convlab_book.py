"""What this book adds to Jupyter Book: its own MathJax, light pages, and a place in the whole."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.fileutil import copy_asset

import page_head
import page_mends
import page_pictures
import page_progress

# The loader, and what it fetches while it typesets: TeX, its fonts, and the MathML that screen
# readers get. The package has 24 MB of MathJax; a page needs less than one.
MATHJAX_LOADER = "startup.js"
MATHJAX_PARTS = (
    MATHJAX_LOADER,
    "core.js",
    "a11y/assistive-mml.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2",
)
MATHJAX_LOADS = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]

# Sheets and scripts that stand on every page, and what a page that needs them contains.
NEEDED_BY = {
    "sphinx-design.min.css": 'class="sd-',
    "design-tabs.js": "sd-tab",
    MATHJAX_LOADER: 'class="math',
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.config.mathjax_path = f"mathjax/{MATHJAX_LOADER}"
    # Where the book is published: whoever shares a page needs absolute addresses.
    app.config.html_baseurl = os.environ.get("BOOK_URL", "").removesuffix("/")
    for part in (page_head, page_mends, page_pictures, page_progress):
        part.connect(app)
    app.connect("config-inited", unplug_thebe)
    app.connect("config-inited", choose_mathjax, priority=900)
    app.connect("build-finished", copy_mathjax)
    # After the table of contents has written its own redirect, which has no icon.
    app.connect("build-finished", write_redirect, priority=900)
    # After every other listener: only then is the list of scripts complete.
    app.connect("html-page-context", drop_copies, priority=900)
    app.connect("html-page-context", drop_unneeded, priority=950)
    app.connect("html-page-context", mend_names)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}


def unplug_thebe(app: Sphinx, config: Config) -> None:
    """Leave out Thebe, which Jupyter Book always loads and this book does not use.

    Its script stands on every page twice, and the second one fails with "THEBE_JS_URL has
    already been declared".
    """
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if one.handler.__module__ != "sphinx_thebe"]
    styles = app.registry.css_files  # without the listeners, nobody would bring Thebe's file
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]


def choose_mathjax(app: Sphinx, config: Config) -> None:
    """Load the parts of MathJax that formulas need, without its menu."""
    settings = dict(config.mathjax3_config or {})
    settings["loader"] = {"load": MATHJAX_LOADS}
    config.mathjax3_config = settings


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Serve MathJax from the book itself, so that a page asks no other server for anything."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", "mathjax")
    for part in MATHJAX_PARTS:
        source = mathjax_source() / part
        place = target / part if source.is_dir() else (target / part).parent
        copy_asset(str(source), str(place))


def mathjax_source() -> Path:
    """Find the folder of MathJax 3 inside the installed package that carries it."""
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("MathJax is missing: pip install sphinx-mathjax-offline")
    return Path(spec.origin).parent / "static" / "mathjax"


REDIRECT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="_static/favicon.svg">
<meta http-equiv="refresh" content="0; url={root}.html">
<a href="{root}.html">{title}</a>
"""


def write_redirect(app: Sphinx, exception: Exception | None) -> None:
    """Send a reader of the bare address to the first page."""
    if exception is None and app.builder.format == "html":
        text = REDIRECT.format(title=app.config.html_title, root=app.config.root_doc)
        Path(app.outdir, "index.html").write_text(text, encoding="utf-8")


def drop_copies(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Leave out the second copy of a script: Jupyter Book's extensions add some twice."""
    unique = {signature(script): script for script in context.get("script_files", [])}
    context["script_files"] = list(unique.values())


def drop_unneeded(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Leave out sheets and scripts for what this page does not contain."""
    body = context.get("body", "")
    useless = [name for name, mark in NEEDED_BY.items() if mark not in body]
    for kind in ("css_files", "script_files"):
        files = context.get(kind, [])
        context[kind] = [file for file in files if not is_one_of(file, useless)]


def is_one_of(file: Any, names: list[str]) -> bool:
    """Whether a sheet or script of a page has one of these names."""
    address = str(getattr(file, "filename", file)).partition("?")[0]
    return address.rpartition("/")[2] in names


def signature(script: Any) -> str:
    """Name a script of a page by its text, or by its file."""
    return script.attributes.get("body") or str(script.filename)


def mend_names(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Let screen readers hear what everyone else sees.

    A fold is named by its own words, "Hint", and not by "Toggle hidden content"; an entry of
    the bibliography is a list item, since ARIA 1.3 took back the role that docutils gives it.
    """
    body = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")
    context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')
