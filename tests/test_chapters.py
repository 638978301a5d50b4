"""Every chapter keeps the promises that nbval cannot check.

nbval runs the notebooks and compares their outputs; these guards make sure that there is
something to compare, that nothing escapes, and that a chapter has all its parts.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

import guards
import notebooks

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = [path.stem for path in notebooks.chapters()]
PARAMETERS = (
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "groups",
    "activation",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
)

# The cells whose outputs are not compared, or that raise on purpose:
# (chapter, first line of the cell) -> the reason, "timing: ..." or "error: ...".
ESCAPES: dict[tuple[str, str], str] = {
    (
        "data_format",
        "import time",
    ): "timing: a sum over channels in both orders",
    (
        "implementations",
        "def nanoseconds(implementation, size, channels, filters, runs):",
    ): "timing: what one multiply-add costs in each implementation",
    (
        "implementations",
        "sides = [6, 10, 18, 34, 66, 130]",
    ): "timing: where compiled loops begin to pay",
    ("groups", "def shortest(groups):"): "timing: a depthwise layer against an ordinary one",
}

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
each_parameter = pytest.mark.parametrize("chapter", PARAMETERS)


def read(chapter: str) -> NotebookNode:
    """Read the notebook of a chapter as it is committed."""
    return nbformat.read(notebooks.BOOK / f"{chapter}.ipynb", as_version=4)


@each_chapter
def test_notebook_is_in_normal_form(chapter):
    assert notebooks.problems(notebooks.BOOK / f"{chapter}.ipynb") == []


@each_chapter
def test_every_cell_was_run_in_order(chapter):
    assert list(guards.never_run(read(chapter))) == []


@each_chapter
def test_no_output_escapes_comparison_unlisted(chapter):
    listed = [line for name, line in ESCAPES if name == chapter]
    found = list(guards.escapes(read(chapter)))
    assert guards.unnamed(found, listed) == []
    assert list(guards.uncompared_types(read(chapter))) == []


@pytest.mark.parametrize(("chapter", "line"), ESCAPES)
def test_each_listed_escape_exists_and_has_its_reason(chapter, line):
    marks = [mark for first, mark in guards.escapes(read(chapter)) if first == line]
    expected = "error: " if marks == ["raises-exception"] else "timing: "
    assert marks, f"no cell of {chapter} begins with {line!r} and escapes"
    assert ESCAPES[chapter, line].startswith(expected)


@each_chapter
def test_outputs_hold_no_warnings_errors_or_machine_names(chapter):
    assert list(guards.noise(read(chapter))) == []


@each_chapter
def test_every_picture_has_telling_alt_text(chapter):
    assert list(guards.poor_alt_texts(read(chapter))) == []


# The first chapter shows how an exercise answers, with answers given.
@pytest.mark.parametrize("chapter", [chapter for chapter in CHAPTERS if chapter != "start"])
def test_every_exercise_has_a_folded_hint_and_solution(chapter):
    assert list(guards.poor_exercises(read(chapter), chapter)) == []


@each_parameter
def test_parameter_chapter_has_its_bones(chapter):
    assert list(guards.missing_bones(read(chapter))) == []


@each_parameter
def test_parameter_chapter_has_three_exercises_and_three_figures(chapter):
    notebook = read(chapter)
    assert len(guards.exercises(notebook)) >= 3
    assert len(guards.pictures(notebook)) >= 3


def test_table_of_contents_lists_every_notebook():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    listed = {Path(file).name for file in files if (ROOT / f"{file}.ipynb").exists()}
    assert listed == set(CHAPTERS)
    assert set(PARAMETERS) <= listed


@each_chapter
def test_code_fits_the_page(chapter):
    assert list(guards.long_lines(read(chapter))) == []
