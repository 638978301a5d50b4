"""Pages with explorers and nothing else: what the directive writes, and the files it loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import explorer

# As the book's theme does it: the theme of the system, unless the reader chose one.
THEME = (
    "document.documentElement.dataset.theme = "
    'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"'
)
PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stage</title>
<script>{theme}</script>
<link rel="stylesheet" href="explorer/{style}">
{scripts}
<style>
*, ::before, ::after {{ box-sizing: border-box }}
body {{ margin: 8px auto; max-width: 46rem; font-family: sans-serif }}
html[data-theme="dark"] body {{ background: #14181e; color: #eee }}
</style>
<main><h1>Stage</h1>
{body}
</main>
"""


def write(folder: Path, name: str, *bodies: str) -> str:
    """Write a page with these explorers; give its file name."""
    scripts = "\n".join(f'<script defer src="explorer/{one}"></script>' for one in explorer.SCRIPTS)
    text = PAGE.format(theme=THEME, style=explorer.STYLE, scripts=scripts, body="\n".join(bodies))
    (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return f"{name}.html"


def mounted(
    view: str, name: str = "explorer-1", views: list[str] | None = None, **state: Any
) -> str:
    """The element of one explorer."""
    lines = [f"{key}: {value}" for key, value in state.items()]
    return explorer.markup(view, explorer.read_state(view, lines), name=name, views=views)


def show(page: Any, stage: tuple[Path, str], view: str, hash: str = "", **state: Any) -> None:
    """Open a page with one explorer."""
    folder, address = stage
    page.goto(f"{address}/{write(folder, view, mounted(view, **state))}{hash}")


def numbers(page: Any, role: str, at: int = 0) -> list[list[float]]:
    """The numbers of one plane, as a reader sees them."""
    script = """([role, at]) => {
      const plane = document.querySelectorAll(`.cx-of-${role} .cx-grid`)[at];
      return [...plane.querySelectorAll("[role=row]")].map((row) =>
        [...row.children].map((cell) => cell.textContent));
    }"""
    rows = page.evaluate(script, [role, at])
    return [[float(cell.replace("−", "-")) for cell in row] for row in rows]


def planes(page: Any, role: str) -> list[list[list[float]]]:
    """All planes of a role."""
    count = page.locator(f".cx-of-{role} .cx-grid").count()
    return [numbers(page, role, at) for at in range(count)]


def ask(page: Any, function: str, cases: list[Any]) -> list[Any]:
    """Let the page compute: a function of one case, over many."""
    answers: list[Any] = json.loads(
        page.evaluate(f"(cases) => JSON.stringify(cases.map({function}))", cases)
    )
    return answers


def need_keras() -> None:
    """Load Keras as the parity tests do, which may share this process; skip where it is missing."""
    from parity import oracle

    oracle.load()
