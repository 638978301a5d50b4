"""The built book: no warning, whole pages, and not one request to another server."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from sphinx.util.inventory import InventoryFile

import notebooks

# Attributes that make a browser fetch a file as it shows the page.
FETCHED = (
    ("script", "src"),
    ("img", "src"),
    ("source", "src"),
    ("iframe", "src"),
    ("link[rel~=stylesheet]", "href"),
    ("link[rel~=icon]", "href"),
    ("link[rel~=preload]", "href"),
)
PLACES = ("convlab.layers", "convlab.models", "convlab.variables")
MODULES = (
    "", ".activations", ".callbacks", ".config", ".constraints", ".datasets", ".filters",
    ".initializers", ".layers", ".losses", ".metrics", ".models", ".optimizers",
    ".optimizers.schedules", ".plotting", ".random", ".regularizers", ".utils",
)  # fmt: skip
IN_STYLE_SHEET = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])(?:https?:)?//[^\s\"')]+")


@pytest.fixture(scope="module")
def pages(book_folder) -> dict[Path, BeautifulSoup]:
    """Parse every page of the built book."""
    files = [*book_folder.glob("*.html"), *book_folder.glob("book/*.html")]
    return {file: BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser") for file in files}


def fetched(page: BeautifulSoup) -> list[str]:
    """List the addresses that a browser asks for as it shows a page."""
    return [tag[key] for what, key in FETCHED for tag in page.select(f"{what}[{key}]")]


def is_local(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc


def test_every_notebook_has_a_page_with_its_download(book_folder, pages):
    for name in (path.stem for path in notebooks.chapters()):
        file = book_folder / "book" / f"{name}.html"
        links = [link["href"] for link in pages[file].select("a[href$='.ipynb'][download]")]
        links += [link["href"] for link in pages[file].select("a.btn[href$='.ipynb']")]
        assert links, f"{name} has no download button"
        assert (file.parent / links[0]).resolve().exists()


def test_no_page_asks_another_server(pages):
    asked = {address for page in pages.values() for address in fetched(page)}
    assert sorted(filter(lambda address: not is_local(address), asked)) == []


def test_every_file_that_a_page_asks_for_is_there(pages):
    missing = {
        (file.name, address)
        for file, page in pages.items()
        for address in filter(is_local, fetched(page))
        if not (file.parent / unquote(urlsplit(address).path)).exists()
    }
    assert missing == set()


def test_no_style_sheet_asks_another_server(book_folder):
    found = {
        match
        for file in book_folder.rglob("*.css")
        for match in IN_STYLE_SHEET.findall(file.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_formulas_are_set_by_the_book_itself(book_folder, pages):
    scripts = {
        (file.parent / urlsplit(script["src"]).path).resolve()
        for file, page in pages.items()
        for script in page.select("script[src*=mathjax]")
    }
    assert scripts == {(book_folder / "_static" / "mathjax" / "startup.js").resolve()}
    assert all(script.exists() for script in scripts)
    assert list((book_folder / "_static" / "mathjax").rglob("*.woff"))


def test_no_script_stands_twice_on_a_page_and_none_is_unused(pages):
    for file, page in pages.items():
        bodies = [script.get_text().strip() for script in page.select("script:not([src])")]
        assert len(bodies) == len(set(bodies)), file.name
        assert "thebe" not in str(page.select("script")).lower(), file.name


def test_every_picture_on_every_page_has_alt_text(pages):
    bare = [
        (file.name, str(image)[:80])
        for file, page in pages.items()
        for image in page.select("img")
        if not image.get("alt", "").strip()
    ]
    assert bare == []


def test_every_link_within_the_book_leads_somewhere(pages):
    names = {file: {tag["id"] for tag in page.select("[id]")} for file, page in pages.items()}
    broken = []
    for file, page in pages.items():
        for link in page.select("a[href]"):
            parts = urlsplit(link["href"])
            if not is_local(link["href"]):
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            ids = {*names.get(target, set()), ""}
            if not target.exists() or (target in names and unquote(parts.fragment) not in ids):
                broken.append((file.name, link["href"]))
    assert broken == []


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_api_reference(book_folder, module):
    with (book_folder / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, name: name)
    documented = {name for kind in inventory.values() for name in kind}
    home = importlib.import_module(f"convlab{module}")
    public = {f"{home.__name__}.{name}" for name in home.__all__}
    # A name that convlab shares with one of its modules is told there: models.Sequential.
    homes = {f"{place}.{name.rpartition('.')[2]}" for name in public for place in PLACES}
    told = {id(thing_at(name)) for name in homes & documented}
    assert [
        name
        for name in public - documented
        if callable(thing_at(name)) and id(thing_at(name)) not in told
    ] == []


def thing_at(name: str) -> object:
    """The function, class or module of a dotted name."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
