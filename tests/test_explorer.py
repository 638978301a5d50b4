"""The directive `explorer`: what it refuses, what it writes, and that its files fit together."""

from __future__ import annotations

import base64
import io
import json
import re

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

import explorer
import explorer_photos
import notebooks
from convlab.plotting import COLOURS

STYLE = (explorer.FOLDER / explorer.STYLE).read_text(encoding="utf-8")
PROSE_AND_MOUNT = re.compile(r"(.*?)^:{3,}\{explorer\}", re.MULTILINE | re.DOTALL)
MOUNT = re.compile(r"^(:{3,})\{explorer\} (\w+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def mounts() -> list[tuple[str, str, list[str]]]:
    """Every explorer of the book: chapter, view and lines."""
    return [
        (path.stem, view, body.splitlines())
        for path in notebooks.chapters()
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for _, view, body in MOUNT.findall(cell.source)
    ]


def preset(markup: str) -> dict:
    element = BeautifulSoup(markup, "html.parser").select_one("div.cx")
    return json.loads(element["data-explorer"])


def test_every_script_is_listed_and_there_once():
    files = {path.relative_to(explorer.FOLDER).as_posix() for path in explorer.FOLDER.rglob("*.js")}
    photos = {f"photos/{name}.js" for name in explorer_photos.NAMES}  # loaded when they are shown
    assert files - photos == set(explorer.SCRIPTS)
    assert photos < files
    assert len(set(explorer.SCRIPTS)) == len(explorer.SCRIPTS)


def test_state_is_read_by_kind():
    lines = ["height: 7", "strides: 2x1", "padding: same", "use_bias: true", "x: 1, 2.5"]
    assert explorer.read_state("sweep", lines) == {
        "height": 7,
        "strides": [2, 1],
        "padding": "same",
        "use_bias": True,
        "x": [1, 2.5],
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["stride: 2"], "Received: 'stride'"),
        (["strides: 0"], "strides must be a pair"),
        (["strides: 1x2x3"], "strides must be a pair"),
        (["height: 2.5"], "height must be a whole"),
        (["height: 500"], "height must be a whole"),
        (["padding: full"], "padding must be a choice"),
        (["use_bias: maybe"], "use_bias must be a flag"),
        (["x: one"], "x must be a numbers"),
    ],
)
def test_what_the_explorer_does_not_know_is_refused(lines, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        explorer.read_state("sweep", lines)


def test_unknown_views_are_refused():
    with pytest.raises(ValueError, match="The view must be one of"):
        explorer.read_state("swoop", [])
    with pytest.raises(ValueError, match="`views` must name known views"):
        explorer.read_views("sweep", "wiring")


def test_markup_holds_the_preset():
    markup = explorer.markup("sweep", {"x_fill": "in order"}, name="explorer-2")
    assert preset(markup) == {"view": "sweep", "views": ["sweep"], "state": {"x_fill": "in order"}}


def test_first_values_are_within_their_own_limits():
    for view, rules in explorer.parameters().items():
        for name, rule in rules.items():
            value = rule["value"]
            if rule["kind"] in ("whole", "number", "pair"):
                sides = value if rule["kind"] == "pair" else [value]
                assert all(rule["least"] <= side <= rule["most"] for side in sides), (view, name)
            if rule["kind"] == "choice":
                assert value in rule["options"], (view, name)


@pytest.mark.parametrize("role", COLOURS)
def test_colours_are_those_of_the_figures(role):
    light = STYLE[: STYLE.index('html[data-theme="dark"]')]
    for part, name in (("line", role), ("fill", f"{role}-fill"), ("ink", f"{role}-ink")):
        own = getattr(COLOURS[role], part).lower()
        assert f"--cx-{name}: var(--{role}-{part}, {own});" in light


@pytest.mark.parametrize("name", explorer_photos.NAMES)
def test_photos_are_those_of_the_package_made_smaller(name):
    text = (explorer_photos.FOLDER / f"{name}.js").read_text(encoding="utf-8")
    data = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
    photo = np.asarray(Image.open(io.BytesIO(data)), float)
    assert abs(photo - np.asarray(explorer_photos.smaller(name), float)).mean() < 5
    assert len(data) < 100_000


def test_nothing_in_the_explorer_names_another_host():
    for script in explorer.FOLDER.rglob("*.*s"):
        text = script.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn", text), script.name


@pytest.mark.parametrize(("chapter", "view", "lines"), mounts())
def test_explorers_of_the_chapters_begin_with_a_known_state(chapter, view, lines):
    body = [line for line in lines if not line.startswith(":")]
    assert explorer.read_state(view, body)


def test_a_question_stands_before_every_explorer():
    """A reader plays to find something out. The first page shows one at once."""
    for path in (path for path in notebooks.chapters() if path.stem != "start"):
        for cell in nbformat.read(path, as_version=4).cells:
            found = PROSE_AND_MOUNT.match(cell.source) if cell.cell_type == "markdown" else None
            assert found is None or "?" in found[1], (path.stem, cell.id)
