"""Each guard of the chapters bites: one thing made wrong in a good notebook, one finding."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import guards

PNG = {"image/png": "", "text/plain": "<Figure size 640x480 with 1 Axes>"}
ALT = "A window over the corner of an image"


def code(source="print(1)", count=1, tags=(), alt=None, outputs=()):
    """Make a code cell as the normal form has it."""
    metadata = {"tags": list(tags)} if tags else {}
    if alt is not None:
        metadata["mystnb"] = {"image": {"alt": alt}}
    return new_code_cell(
        source, execution_count=count, metadata=metadata, outputs=list(outputs)
    )


def printed(text):
    return new_output("stream", name="stdout", text=text)


def shown(data=None):
    return new_output("display_data", data=data or PNG)


def notebook(*cells):
    return new_notebook(cells=list(cells))


def exercise(name="padding.sides", output="waiting for your answer", folds=("hint", "solution")):
    """Make the cells of one exercise."""
    stub = code(f'answer = ...\ncheck("{name}", answer)', outputs=[printed(output)])
    return [stub, *(code(f'{call}("{name}")', tags=["hide-cell"]) for call in folds)]


def bones(*sections):
    return notebook(*(new_markdown_cell(f"## {section}\n\nText.") for section in sections))


GOOD = {
    guards.never_run: notebook(code(count=1), code(count=2)),
    guards.escapes: notebook(code(tags=["hide-cell"])),
    guards.uncompared_types: notebook(code(outputs=[shown()])),
    guards.noise: notebook(code(outputs=[printed("13 of 169")])),
    guards.poor_alt_texts: notebook(code(alt=ALT, outputs=[shown()])),
    guards.missing_bones: bones(*guards.BONES),
}

BAD = {
    "a cell without execution count": (guards.never_run, notebook(code(count=None)), "never run"),
    "cells out of order": (guards.never_run, notebook(code(count=2)), "stands at 1"),
    "an ignored output": (
        guards.escapes,
        notebook(code(tags=["nbval-ignore-output"])),
        "nbval-ignore-output",
    ),
    "a skipped cell": (guards.escapes, notebook(code(tags=["nbval-skip"])), "nbval-skip"),
    "an exception let through": (
        guards.escapes,
        notebook(code(tags=["raises-exception"])),
        "raises-exception",
    ),
    "a comment that skips": (guards.escapes, notebook(code("# NBVAL_SKIP\nf()")), "NBVAL_SKIP"),
    "a widget": (
        guards.uncompared_types,
        notebook(code(outputs=[shown({"application/vnd.jupyter.widget-view+json": {}})])),
        "widget",
    ),
    "a warning": (
        guards.noise,
        notebook(code(outputs=[new_output("stream", name="stderr", text="Warning")])),
        "stderr",
    ),
    "an error": (
        guards.noise,
        notebook(code(outputs=[new_output("error", ename="ValueError", evalue="no")])),
        "ends in ValueError",
    ),
    "a folder": (guards.noise, notebook(code(outputs=[printed("/home/me/x.py")])), "/home/"),
    "an address": (
        guards.noise,
        notebook(code(outputs=[shown({"text/plain": "<Axes at 0x7f3a>"})])),
        "at 0x7f3a",
    ),
    "a picture without alt text": (
        guards.poor_alt_texts,
        notebook(code(outputs=[shown()])),
        "missing",
    ),
    "boilerplate": (
        guards.poor_alt_texts,
        notebook(code(alt="Image of a window over a corner", outputs=[shown()])),
        "what is seen",
    ),
    "the same alt text twice": (
        guards.poor_alt_texts,
        notebook(code(alt=ALT, outputs=[shown()]), code(alt=ALT, outputs=[shown()])),
        "another picture",
    ),
    "a markdown picture without alt text": (
        guards.poor_alt_texts,
        notebook(new_markdown_cell("![](_static/x.png)")),
        "missing",
    ),
    "a figure directive without alt text": (
        guards.poor_alt_texts,
        notebook(new_markdown_cell(":::{figure} _static/x.png\n:::")),
        "missing",
    ),
    "a missing section": (guards.missing_bones, bones(*guards.BONES[:-1]), "Sources"),
    "sections out of order": (guards.missing_bones, bones(*reversed(guards.BONES)), "should be"),
}


@pytest.mark.parametrize("guard", GOOD, ids=lambda guard: guard.__name__)
def test_guard_is_silent_on_a_good_notebook(guard):
    assert list(guard(GOOD[guard])) == []


@pytest.mark.parametrize("case", BAD)
def test_guard_names_what_is_wrong(case):
    guard, bad, expected = BAD[case]
    findings = list(guard(bad))
    assert len(findings) == 1
    assert expected in str(findings[0])


def test_exercise_with_folded_hint_and_solution_is_good():
    assert list(guards.poor_exercises(notebook(*exercise()), "padding")) == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (exercise(folds=["hint"]), "no folded cell solution"),
        (exercise(folds=["solution"]), "no folded cell hint"),
        (exercise(name="strides.sides"), "another chapter"),
        (exercise(output="right"), "stub was touched"),
    ],
)
def test_exercise_guard_names_what_is_wrong(cells, expected):
    findings = list(guards.poor_exercises(notebook(*cells), "padding"))
    assert len(findings) == 1
    assert expected in findings[0]


def test_unlisted_escape_is_named_and_listed_escape_is_not():
    found = [("time()", "nbval-ignore-output")]
    assert guards.unnamed(found, ["time()"]) == []
    assert guards.unnamed(found, []) == ["nbval-ignore-output on a cell not listed: time()"]
