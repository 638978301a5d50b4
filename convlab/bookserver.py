"""Build the book and serve it on this computer."""

from __future__ import annotations

import http.server
import importlib.util
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

BUILT = Path("_build", "html")
# The same flags as in the Makefile: every page anew, and no warning allowed.
FLAGS = ("--all", "-W", "-n", "--keep-going", "-q")
# The call that the `jupyter-book` command makes, for the Python that runs this.
BUILDER = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"

# Some computers' registries know these wrongly or not at all, and browsers insist on them.
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}


class BookError(Exception):
    """The book cannot be built or served; the text says why, and what to do."""


def find_book(start: Path) -> Path:
    """Return the folder of the book: `start`, or the nearest one above it with ``_config.yml``."""
    for folder in (start, *start.parents):
        if (folder / "_config.yml").is_file() and (folder / "_toc.yml").is_file():
            return folder
    raise BookError(
        "The book is built from a checkout of the project, a folder with _config.yml and "
        f"_toc.yml. Received: {start}, which is not inside one. Change into the checkout."
    )


def build_book(root: Path) -> None:
    """Build every page of the book into ``_build/html``, treating warnings as errors."""
    if importlib.util.find_spec("jupyter_book") is None:
        raise BookError(
            "Building needs Jupyter Book 1, which is not installed. Run `make book`, or "
            'install it from the checkout with `pip install -e ".[book]"`.'
        )
    print("Building the book; this takes about a minute.", flush=True)
    command = [sys.executable, "-c", BUILDER, "build", str(root), *FLAGS]
    status = subprocess.run(command, cwd=root, check=False).returncode
    if status:
        raise BookError(f"The build failed with status {status}; the lines above say why.")


def serve_book(root: Path, port: int = 0) -> None:
    """Serve the built book on this computer only, until Ctrl-C or a request to terminate."""
    if not (root / BUILT / "index.html").is_file():
        raise BookError(
            f"There is no built book. Received: {root / BUILT}, without index.html. "
            "Run `convlab book` without --no-build."
        )
    with _server(root / BUILT, port) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        try:
            _stop_on_signals()
            print(f"The book is at {address} (Ctrl-C stops)", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nStopped.", flush=True)


def _server(folder: Path, port: int) -> _Server:
    try:
        return _Server(("127.0.0.1", port), partial(_Handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise BookError(
            f"The port must be free, and between 0 and 65535. Received: --port {port} ({error}). "
            "Leave --port out, and a free one is found."
        ) from None


def _stop_on_signals() -> None:
    # A shell starts background jobs with SIGINT ignored; `kill -INT` is to stop them all the same.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files of one folder, served without a line in the terminal for each."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | TYPES

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that hung up; report the rest."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
