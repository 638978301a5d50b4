"""Every quick question: its key is what convlab computes, and its wrong answers are wrong."""

from __future__ import annotations

import itertools
import re
import tomllib
from typing import Any

import nbformat
import numpy as np
import pytest

import notebooks
from question_keys import value_of
from questions import FOLDER, kind_of

FILES = sorted(FOLDER.glob("*.toml"))
QUESTIONS = {
    f"{file.stem}.{name}": entry
    for file in FILES
    for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items()
}
# Pages that look things up, and are not read through.
WITHOUT = {"differences", "errata", "start"}
AT_LEAST = 5
ASKED = re.compile(r":::\{question\} (\S+)\n(.*?)\n:::", re.DOTALL)
KNOWN = {
    "answer", "else", "grid", "key", "kind", "label", "right", "within", "wrong",
}  # fmt: skip

each_question = pytest.mark.parametrize("name", QUESTIONS)


def answer_of(entry: dict[str, Any]) -> Any:
    """What the key says, in the form in which the answer is written down."""
    value = value_of(entry["key"])
    if kind_of(entry) == "order":
        return [int(i) + 1 for i in np.argsort(value, kind="stable")]
    if kind_of(entry) == "choice" and isinstance(value, list):
        assert value.count(True) == 1, value
        return value.index(True) + 1
    return value


def close(given: Any, wanted: Any, within: float = 0) -> bool:
    one, other = np.ravel(np.asarray(given, float)), np.ravel(np.asarray(wanted, float))
    return one.shape == other.shape and bool(np.all(np.abs(one - other) <= within + 1e-9))


def cells(chapter: str) -> dict[str, str]:
    """The questions that a chapter asks: names and texts."""
    notebook = nbformat.read(notebooks.BOOK / f"{chapter}.ipynb", as_version=4)
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return dict(found for source in sources for found in ASKED.findall(source))


def options(text: str) -> list[str]:
    return [line[2:] for line in text.splitlines() if line.startswith("- ")]


TEXTS = {name: text for path in notebooks.chapters() for name, text in cells(path.stem).items()}


@each_question
def test_answer_is_what_the_package_computes(name):
    entry = QUESTIONS[name]
    assert close(answer_of(entry), entry["answer"], entry.get("within", 0))


@each_question
def test_named_wrong_answers_are_wrong_distinct_and_come_from_their_mistakes(name):
    entry = QUESTIONS[name]
    within = entry.get("within", 0)
    given = [wrong for wrong, *_ in entry["wrong"]]
    assert not any(close(wrong, entry["answer"], within) for wrong in given)
    pairs = itertools.combinations(given, 2)
    assert not any(close(one, other, within) for one, other in pairs)
    for wrong, _, *mistake in entry["wrong"]:
        if mistake and kind_of(entry) == "number":
            assert close(value_of(mistake[0]), wrong, max(within, 1e-6)), mistake


@each_question
def test_question_is_complete(name):
    entry, asked = QUESTIONS[name], options(TEXTS[name])
    assert set(entry) <= KNOWN
    assert all(entry[key].strip() for key in ("right", "else"))
    assert all(reply.endswith((".", "?", "`")) for _, reply, *_ in entry["wrong"])
    kind = kind_of(entry)
    if kind == "choice":
        assert sorted([entry["answer"], *(one for one, *_ in entry["wrong"])]) == list(
            range(1, len(asked) + 1)
        )
    elif kind == "order":
        assert sorted(entry["answer"]) == list(range(1, len(asked) + 1))
    elif kind == "cell":
        rows = entry["grid"]
        assert all(1 <= r <= len(rows) and 1 <= c <= len(rows[r - 1]) for r, c in entry["answer"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_chapter_asks_each_of_its_questions_once(file):
    names = [f"{file.stem}.{name}" for name in tomllib.loads(file.read_text(encoding="utf-8"))]
    assert list(cells(file.stem)) == names


def test_every_chapter_asks_before_it_tells():
    chapters = {path.stem for path in notebooks.chapters()} - WITHOUT
    asked = {chapter: len(cells(chapter)) for chapter in chapters}
    assert {chapter: count for chapter, count in asked.items() if count < AT_LEAST} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_question_follows_another_at_once(file):
    """Questions in a row are an examination; between sections they are predictions."""
    notebook = nbformat.read(notebooks.BOOK / f"{file.stem}.ipynb", as_version=4)
    is_one = [cell.source.startswith(":::{question}") for cell in notebook.cells]
    assert not any(is_one[i] and is_one[i + 1] for i in range(len(is_one) - 1))
