"""The normal form of notebooks: what is kept, what goes, and that it is a fixed point."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import notebooks


def normal(*cells, **metadata):
    """Bring a notebook of these cells into normal form, valid or not."""
    parts = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return notebooks.normalise(nbformat.from_dict(parts), "padding")


def ids(*given):
    """Give cells these ids, and tell which they have in normal form."""
    cells = [new_markdown_cell(f"Cell {n}.", id=name) for n, name in enumerate(given)]
    return [cell.id for cell in normal(*cells).cells]


def png(text="", level=7):
    """Write a small picture with a note in it, as a notebook stores it."""
    file, note = BytesIO(), PngInfo()
    note.add_text("Software", text)
    Image.fromarray(np.full((2, 3), level, np.uint8)).save(file, "PNG", pnginfo=note)
    return base64.b64encode(file.getvalue()).decode("ascii")


def picture_cell(data, **keywords):
    return new_code_cell("show()", outputs=[new_output("display_data", data=data)], **keywords)


def test_ids_that_an_editor_drew_are_replaced_by_the_chapter_and_a_counter():
    drawn = ["1a2b3c4d", "0f8fad5b-d9cb-469f-a165-70867728950e"]
    assert ids(*drawn) == ["padding-01", "padding-02"]


def test_given_ids_stay_and_new_cells_take_free_numbers():
    assert ids("padding-02", "1a2b3c4d", "first-picture") == [
        "padding-02",
        "padding-01",
        "first-picture",
    ]


def test_second_use_of_an_id_is_replaced():
    assert ids("same", "same") == ["same", "padding-01"]


def test_missing_ids_are_made():
    cells = [new_markdown_cell("One."), new_code_cell("two")]
    for cell in cells:
        del cell["id"]
    assert [cell.id for cell in normal(*cells).cells] == ["padding-01", "padding-02"]


def test_counts_follow_the_order_and_a_cell_never_run_stays_so():
    result = new_output("execute_result", data={"text/plain": "1"}, execution_count=12)
    cells = normal(
        new_code_cell("1", execution_count=12, outputs=[result]),
        new_code_cell("2"),
        new_code_cell("3", execution_count=3),
    ).cells
    assert [cell.execution_count for cell in cells] == [1, None, 3]
    assert cells[0].outputs[0].execution_count == 1


def test_only_tags_and_book_metadata_are_kept():
    metadata = {
        "execution": {"iopub.status.busy": "2026-01-01T00:00:00"},
        "scrolled": True,
        "tags": ["hide-input"],
        "mystnb": {"image": {"alt": "A window"}},
    }
    kept = normal(new_code_cell("1", metadata=metadata)).cells[0].metadata
    assert kept == {"tags": ["hide-input"], "mystnb": {"image": {"alt": "A window"}}}


def test_notebook_metadata_names_the_kernel_and_nothing_else():
    notebook = normal(kernelspec={"name": "mine"}, toc={}, jupytext={})
    assert notebook.metadata == notebooks.NOTEBOOK_METADATA


@pytest.mark.parametrize(("call", "prompt"), [("hint", "Hint"), ("solution", "Solution")])
def test_hints_and_solutions_are_folded(call, prompt):
    metadata = normal(new_code_cell(f'{call}("padding.sides")')).cells[0].metadata
    assert metadata.tags == ["hide-cell"]
    assert metadata.mystnb.code_prompt_show == prompt
    assert metadata.jupyter == {"outputs_hidden": True}


def test_chunks_of_printed_text_are_joined():
    chunks = [new_output("stream", name="stdout", text=text) for text in ("a", "b\n")]
    outputs = normal(new_code_cell("f()", outputs=chunks)).cells[0].outputs
    assert [output.text for output in outputs] == ["ab\n"]


def test_pictures_lose_their_notes_and_keep_their_pixels():
    noisy = png("Matplotlib version 0")
    data = normal(picture_cell({"image/png": noisy})).cells[0].outputs[0].data
    assert b"Matplotlib" in base64.b64decode(noisy)
    assert b"Matplotlib" not in base64.b64decode(data["image/png"])
    assert notebooks.same_picture(noisy, data["image/png"], exact=True)


def test_a_traceback_keeps_only_the_error():
    error = new_output(
        "error", ename="ValueError", evalue="no", traceback=["/home/me/x.py in f()", "no"]
    )
    outputs = normal(new_code_cell("f()", outputs=[error])).cells[0].outputs
    assert outputs[0].traceback == ["ValueError: no"]


def test_empty_cells_and_trailing_blanks_go():
    cells = normal(new_markdown_cell("Text.  \n\n"), new_code_cell("  ")).cells
    assert [cell.source for cell in cells] == ["Text."]


def test_a_picture_that_did_not_change_keeps_its_bytes():
    before, after = (normal(picture_cell({"image/png": png()}, id="same")) for _ in range(2))
    noisy = png("another library")
    before.cells[0].outputs[0].data["image/png"] = noisy
    notebooks.keep_pictures(before, after)
    assert after.cells[0].outputs[0].data["image/png"] == noisy


def test_a_picture_that_changed_does_not_keep_its_bytes():
    before = normal(picture_cell({"image/png": png(level=7)}, id="same"))
    after = normal(picture_cell({"image/png": png(level=200)}, id="same"))
    notebooks.keep_pictures(before, after)
    assert after.cells[0].outputs[0].data["image/png"] == notebooks.strip_png(png(level=200))


def test_normal_form_of_a_normal_form_is_itself():
    once = normal(
        new_markdown_cell("Text."),
        picture_cell({"image/png": png("note")}, execution_count=4),
        new_code_cell('hint("padding.sides")', execution_count=9),
    )
    assert notebooks.dumps(notebooks.normalise(once, "padding")) == notebooks.dumps(once)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace('"execution_count": 1', '"execution_count": 7'),
        lambda text: text.replace('"padding-01"', '"1a2b3c4d"'),
        lambda text: text.replace(' "metadata": {}', ' "metadata": {"collapsed": true}', 1),
        lambda text: text.replace("\n ", "\n  "),
        lambda text: text.rstrip("\n"),
    ],
    ids=["count", "id", "metadata", "indent", "newline"],
)
def test_a_spoilt_file_is_named_with_its_first_line_and_the_way_out(tmp_path: Path, spoil):
    path = tmp_path / "padding.ipynb"
    text = notebooks.dumps(normal(new_code_cell("1", execution_count=1)))
    path.write_text(text, encoding="utf-8", newline="\n")
    assert notebooks.problems(path) == []
    path.write_text(spoil(text), encoding="utf-8", newline="\n")
    (problem,) = notebooks.problems(path)
    assert "make notebooks CHAPTERS=padding" in problem


def test_running_writes_outputs_in_normal_form_and_again_changes_nothing(tmp_path: Path):
    path = tmp_path / "padding.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(6 * 7)"), new_code_cell("8")]), path)
    notebooks.update(path)
    first = path.read_text(encoding="utf-8")
    cells = nbformat.reads(first, as_version=4).cells
    assert cells[0].outputs[0].text == "42\n"
    assert [cell.execution_count for cell in cells] == [1, 2]
    notebooks.update(path)
    assert path.read_text(encoding="utf-8") == first


def test_a_warning_stops_the_run(tmp_path: Path):
    path = tmp_path / "padding.ipynb"
    cell = new_code_cell("import warnings; warnings.warn('careful', stacklevel=1)")
    nbformat.write(new_notebook(cells=[cell]), path)
    with pytest.raises(SystemExit, match="must not write to stderr"):
        notebooks.update(path)


def test_missing_and_repeated_ids_in_a_file_are_reported_not_raised(tmp_path: Path):
    path = tmp_path / "padding.ipynb"
    text = notebooks.dumps(normal(new_markdown_cell("One."), new_markdown_cell("Two.")))
    for spoilt in (text.replace("padding-02", "padding-01"), text.replace('"id"', '"no"')):
        path.write_text(spoilt, encoding="utf-8", newline="\n")
        assert len(notebooks.problems(path)) == 1


def test_an_unknown_chapter_is_named_with_the_known_ones():
    with pytest.raises(SystemExit, match=r"No such chapter: nothing\. There are:"):
        notebooks.chapters(["nothing"])
