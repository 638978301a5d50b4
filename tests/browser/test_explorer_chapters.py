"""The explorers of the chapters live: each begins as its chapter says, shares its state, resets."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

import notebooks

MOUNT = re.compile(r"^:::\{explorer\} (\w+)\n:name: ([\w-]+)$", re.MULTILINE)


def mounts(path: Path) -> list[tuple[str, str]]:
    """The explorers of a chapter: view and name."""
    cells = nbformat.read(path, as_version=4).cells
    return MOUNT.findall("\n".join(cell.source for cell in cells))


CHAPTERS = {path.stem: found for path in notebooks.chapters() if (found := mounts(path))}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_explorers_of_a_chapter_live(page, book, chapter):
    page.goto(f"{book}/book/{chapter}.html")
    page.wait_for_function("document.querySelectorAll('.cx:not(.cx-live)').length === 0")
    shown = page.locator(".cx").evaluate_all("(all) => all.map((one) => one.id)")
    assert shown == [name for _, name in CHAPTERS[chapter]]
    assert page.locator(".cx-refusal:not(:empty)").count() == 0
    for _, name in CHAPTERS[chapter]:
        assert page.locator(f"#{name} .cx-view").count() == 1


def test_a_link_to_an_explorer_leads_there_with_its_state(page, book):
    page.goto(f"{book}/book/strides.html#explorer-strides?view=sweep&strides=4&height=9&width=9")
    place = page.locator("#explorer-strides")
    assert place.locator(".cx-where").inner_text() == "1 of 4"
    assert page.evaluate("scrollY") > 0
    top = place.bounding_box()["y"]
    assert 0 <= top < 400
    place.get_by_role("button", name="Reset").click()
    assert place.locator(".cx-where").inner_text() == "1 of 9"
