"""The comparison of notebooks bites: one digit or one pixel changed, and pytest is red.

A small notebook is run by the project's own tools and settings, then tampered with, and
pytest is started on it as `make test` starts it on the book.
"""

from __future__ import annotations

import base64
import platform
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

import notebooks
import pictures

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "print('first')\nprint('answer', 42)",
    "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.imshow([[0, 1]])\nplt.show()",
    "class Table:\n    def _repr_html_(self):\n        return '<b>7</b>'\n"
    "    def __repr__(self):\n        return 'Table'\nTable()",
    "1 / 0",
)
DIGIT, PICTURE, HTML, ERROR = range(len(SOURCES))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Lay out a project with this one's settings and a book of one chapter, already run."""
    root = tmp_path_factory.mktemp("project")
    for file in ("pyproject.toml", "conftest.py", "constraints.txt"):
        shutil.copy(ROOT / file, root)
    shutil.copytree(ROOT / "book" / "_tools", root / "book" / "_tools")
    cells = [new_code_cell(source) for source in SOURCES]
    cells[ERROR].metadata.tags = ["raises-exception"]
    path = root / "book" / "true.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    notebooks.update(path)
    return root


def tampered(project: Path, name: str, changes) -> None:
    """Write a copy of the chapter in which `changes` have altered the code cells."""
    notebook = nbformat.read(project / "book" / "true.ipynb", as_version=4)
    for change in changes:
        change(notebook.cells)
    nbformat.write(notebook, project / "book" / f"{name}.ipynb")


def change_digit(cells):
    cells[DIGIT].outputs[0].text = "first\nanswer 43\n"


def change_pixel(cells):
    data = cells[PICTURE].outputs[0].data
    array = pictures.pixels(data["image/png"]).copy()
    array[5, 5, 0] ^= 1
    data["image/png"] = encode(array)


def change_html(cells):
    cells[HTML].outputs[0].data["text/html"] = "<b>8</b>"


def change_error(cells):
    cells[ERROR].outputs[0].evalue = "division by one"


def drop_picture(cells):
    cells[PICTURE].outputs = []


def repeat_picture(cells):
    cells[PICTURE].outputs *= 2


# Copies of the chapter: what is changed in each, and the cells that must fail.
CHANGES = {
    "true": ([], []),
    "changed": (
        [change_digit, change_pixel, change_html, change_error],
        [DIGIT, PICTURE, HTML, ERROR],
    ),
    "digit": ([change_digit], [DIGIT]),
    "dropped": ([drop_picture], [PICTURE]),
    "repeated": ([repeat_picture], [PICTURE]),
}


def encode(array: np.ndarray) -> str:
    """Write pixels as a notebook stores a picture."""
    file = BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


@pytest.fixture(scope="module")
def outcomes(project):
    """Run pytest once over the true chapter and all tampered ones."""
    for name, (changes, _) in CHANGES.items():
        tampered(project, name, changes)
    command = [sys.executable, "-m", "pytest", "-rA", "--color=no", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    found = re.findall(r"^(PASSED|FAILED) \S*?(\w+)\.ipynb::Cell (\d+)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {(name, int(cell)): outcome for outcome, name, cell in found}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_output_fails_in_its_cell_and_only_there(outcomes, name):
    cells = range(len(SOURCES))
    failed = [cell for cell in cells if outcomes[name, cell] == "FAILED"]
    assert failed == CHANGES[name][1]


def gray(level: int, size: tuple[int, int] = (40, 50)) -> np.ndarray:
    return np.full((*size, 3), level, dtype=np.uint8)


def test_pictures_are_compared_exactly_on_the_pinned_platform():
    is_pinned = sys.platform == "linux" and platform.machine() == "x86_64"
    assert is_pinned == pictures.EXACT


def test_same_pixels_in_other_bytes_are_the_same_picture():
    file = BytesIO()
    Image.fromarray(gray(7)).save(file, "PNG", compress_level=0)
    other = base64.b64encode(file.getvalue()).decode("ascii")
    assert other != encode(gray(7))
    assert pictures.same_picture(other, encode(gray(7)), exact=True)


def test_one_level_in_one_pixel_differs_only_where_pictures_are_compared_exactly():
    array = gray(7)
    array[3, 4, 1] += 1
    pair = encode(array), encode(gray(7))
    assert not pictures.same_picture(*pair, exact=True)
    assert pictures.same_picture(*pair, exact=False)


@pytest.mark.parametrize(
    "other",
    [gray(7, (40, 51)), gray(9), np.where(np.arange(50)[:, None] < 1, 255, gray(7))],
    ids=["another size", "two levels everywhere", "one column in fifty"],
)
def test_clear_differences_are_found_on_every_platform(other):
    pair = encode(gray(7)), encode(other.astype(np.uint8))
    assert not pictures.same_picture(*pair, exact=False)
