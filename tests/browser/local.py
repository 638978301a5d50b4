"""What the browser looks at: folders served by this computer, and the book built once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LONGEST_BUILD = 900  # seconds


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and keeps quiet about it."""

    extensions_map = {  # noqa: RUF012  # declared so by the base class
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: Any) -> None: ...


class Server(ThreadingHTTPServer):
    """Forgets browsers that leave before their answer is whole."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None: ...


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this computer, and give its address."""
    with Server(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


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
