"""Tests in a real browser: Chromium, driven by Playwright, on pages served by this computer.

`page` is a watched page on the stage: an error in it, a failed request or one to another host
fails the test. `book` is the address of the built book. Both take a theme and a width::

    @pytest.mark.parametrize("page", [{"theme": "dark", "width": 360}], indirect=True)
    def test_something(page, book): ...
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import local
import watching

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def give_up(reason: str) -> None:
    """Skip, or fail where nothing that is missing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"browser tests: {reason}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start a Chromium for all tests of this process."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("Playwright is missing: pip install playwright")
    path = watching.chromium()
    if path is None:
        give_up("no Chromium was found: apt-get install chromium, or set CONVLAB_CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*watching.FLAGS])
        yield started
        started.close()


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., Any]]:
    """Open watched pages; what one of them complains of fails the test at its end."""
    contexts, complaints = [], []

    def open_one(home: str, theme: str = "light", width: int = 1280, **options: Any) -> Any:
        size = {"width": width, "height": options.pop("height", 900)}
        context = browser.new_context(viewport=size, color_scheme=theme, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        complaints.append(watching.watch(page, home))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert [one for of_page in complaints for one in of_page] == []


@pytest.fixture
def page(request, open_page, home) -> Any:
    """One watched page, with the theme, width and options of the test's parameter."""
    return open_page(home, **getattr(request, "param", {}))


@pytest.fixture(scope="session")
def book(book_folder) -> Iterator[str]:
    """The address of the built book."""
    with local.serving(book_folder) as address:
        yield address


@pytest.fixture(scope="session")
def stage(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """A folder for pages of a test's own, beside the explorer's files, and its address."""
    folder = tmp_path_factory.mktemp("stage")
    (folder / "explorer").symlink_to(local.ROOT / "book" / "_static" / "explorer")
    (folder / "favicon.ico").touch()
    with local.serving(folder) as address:
        yield folder, address


@pytest.fixture
def home(request) -> str:
    """The address that a test's page may ask: the book's, where the test uses it."""
    if "book" in request.fixturenames:
        return request.getfixturevalue("book")
    return request.getfixturevalue("stage")[1]
