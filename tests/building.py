"""The book, built once for all tests that look at it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONGEST_BUILD = 900  # seconds


def built_book(place: Path) -> Path:
    """Build the book as `make html` does, once for all processes that test side by side.

    The folder in CONVLAB_BOOK_HTML is taken as it is: whoever works on a test need not build.
    """
    if given := os.environ.get("CONVLAB_BOOK_HTML"):
        return Path(given)
    html, done = place / "_build" / "html", place / "done"
    try:
        place.mkdir()
    except FileExistsError:
        wait_for(done)
        return html
    build(place)
    done.touch()
    return html


def build(place: Path) -> None:
    """Run Jupyter Book; any warning is an error."""
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(ROOT), "--path-output", str(place)]
    options = ["--all", "-W", "-n", "--keep-going", "-q"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        (place / "failed").write_text(done.stderr, encoding="utf-8")
        raise AssertionError(done.stderr)


def wait_for(done: Path) -> None:
    """Wait until another process has built the book."""
    failed = done.with_name("failed")
    for _ in range(LONGEST_BUILD):
        if done.exists():
            return
        if failed.exists():
            raise AssertionError(failed.read_text(encoding="utf-8"))
        time.sleep(1)
    raise AssertionError(f"The book was not built within {LONGEST_BUILD} seconds.")
