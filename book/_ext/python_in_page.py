"""Python in the page: offers every code cell to Pyodide, which runs it inside the browser.

The setting is the environment variable ``CONVLAB_PYODIDE``:

- not set, or ``cdn``: a page takes Pyodide's files from its public CDN, once a reader asks;
- a folder with Pyodide's files: they are copied beside the book, which then needs no other server.
  ``python book/_ext/pyodide_release.py FOLDER`` fills one.

The wheel of convlab that pages load is built here, from the working tree, so that a page runs the
package that the book is about. It carries three sample files, since scikit-learn, where they come
from, would be 20 MB to load.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from hatchling.builders.wheel import WheelBuilder
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

from pyodide_release import CDN, CDN_BYTES, PACKAGES, bytes_to_load, files_of

SAMPLES = ("data/digits.csv.gz", "images/china.jpg", "images/flower.jpg", "images/README.txt")
SCRIPTS = ("session.js", "outputs.js", "cells.js", "page.js")
SETTING = "CONVLAB_PYODIDE"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("doctree-read", name_cells)
    app.connect("html-page-context", add_scripts)
    app.connect("builder-inited", prepare)
    app.connect("build-finished", copy_files)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}


# --- cells ---------------------------------------------------------------------------------------


def name_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Give each code cell of the page the id that it has in its notebook."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for node in code_cells(doctree):
        node["ids"].append(f"cell-{cells[node['cell_index']]['id']}")


def code_cells(doctree: nodes.document) -> Iterator[nodes.container]:
    """Go through the code cells of a page."""
    return (
        node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"
    )


def add_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load the buttons on a page with code cells, and nothing elsewhere."""
    if doctree is None or app.builder.format != "html" or not any(code_cells(doctree)):
        return
    app.add_css_file("python/python.css")
    body = json.dumps(options(app, pagename), sort_keys=True)
    app.add_js_file(None, body=body, type="application/json", id="python-in-page")
    for script in SCRIPTS:
        app.add_js_file(f"python/{script}", loading_method="defer")


def options(app: Sphinx, pagename: str) -> dict[str, Any]:
    """What the page has to know, with addresses relative to it."""
    here = app.builder.get_target_uri(pagename)

    def address(path: str) -> str:
        return relative_uri(here, path)

    wheel, files = built_wheel(app), pyodide_folder()
    return {
        "bytes": wheel.stat().st_size + (bytes_to_load(files) if files else CDN_BYTES),
        "editor": address("_static/python/editor.min.js"),
        "files": address("_static/pyodide/") if files else CDN,
        "modules": [address(f"_static/python/{name}.py") for name in ("kernel", "needs")],
        "notebook": address(f"_sources/{pagename}.ipynb"),
        "packages": list(PACKAGES),
        "page": pagename,
        "wheel": address(f"_static/python/{wheel.name}?{checksum(wheel)}"),
        "worker": address("_static/python/worker.js"),
    }


# --- files ---------------------------------------------------------------------------------------


def prepare(app: Sphinx) -> None:
    """Build the wheel before the first page is written, which names it."""
    folder = Path(app.doctreedir, "wheel")
    shutil.rmtree(folder, ignore_errors=True)
    build_wheel(Path(app.confdir), folder)


def built_wheel(app: Sphinx) -> Path:
    """The wheel that this build made."""
    return next(Path(app.doctreedir, "wheel").glob("*.whl"))


def copy_files(app: Sphinx, exception: Exception | None) -> None:
    """Put the wheel, and Pyodide's files where the setting asks for them, beside the book."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    for old in (static / "python").glob("*.whl"):
        old.unlink()
    shutil.copy(built_wheel(app), static / "python")
    shutil.rmtree(static / "pyodide", ignore_errors=True)
    if folder := pyodide_folder():
        (static / "pyodide").mkdir()
        for file in files_of(folder):
            shutil.copy(file, static / "pyodide")


def build_wheel(root: Path, folder: Path) -> Path:
    """Build convlab's wheel, with the samples that its data sets are read from."""
    folder.mkdir(parents=True)
    wheel = Path(next(WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])))
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        for sample in SAMPLES:
            content = (samples_folder() / sample).read_bytes()
            entry = zipfile.ZipInfo(f"convlab/datasets/files/{Path(sample).name}")
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return wheel


def samples_folder() -> Path:
    """The folder where scikit-learn keeps its samples."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The samples are missing: pip install scikit-learn")
    return Path(spec.origin).parent / "datasets"


def checksum(path: Path) -> str:
    """A few letters that change with the file, so that no browser shows an old one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def pyodide_folder() -> Path | None:
    """The folder whose files go beside the book; None where the CDN serves them."""
    setting = os.environ.get(SETTING) or "cdn"
    return None if setting == "cdn" else Path(setting).resolve()
