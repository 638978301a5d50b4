"""Pyodide's release: which files a page needs of it, and where they come from.

::

    python book/_ext/pyodide_release.py FOLDER    # take them from the CDN into a folder

Needs nothing but Python, so that a workflow can run it before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["CDN", "CDN_BYTES", "PACKAGES", "bytes_to_load", "files_of", "fill"]

VERSION = "314.0.3"
CDN = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
PACKAGES = ("numpy", "matplotlib")  # others are loaded when a cell imports them
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"
CDN_BYTES = 25_466_658  # what `bytes_to_load` says of this version
TIMEOUT = 60  # seconds without a byte

Packages = dict[str, dict[str, Any]]
Fetch = Callable[[str], bytes]


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit status."""
    if len(arguments) != 1:
        print("Use: python book/_ext/pyodide_release.py FOLDER")
        return 2
    fill(Path(arguments[0]), fetched)
    return 0


def fetched(name: str) -> bytes:
    """Take one file from the CDN."""
    print(name, flush=True)
    with urllib.request.urlopen(CDN + name, timeout=TIMEOUT) as answer:
        return answer.read()


def fill(folder: Path, fetch: Fetch) -> None:
    """Put the files that a page needs into a folder; packages only as the lock file knows them.

    Parameters
    ----------
    folder : Path
        What is there already, and whole, stays.
    fetch : callable
        Gives the content of the file of a name.

    Raises
    ------
    ValueError
        If a package is not the one that the lock file names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (LOCK, *RUNTIME):
        if not (folder / name).exists():
            (folder / name).write_bytes(fetch(name))
    for package in needed(packages_of(folder)):
        name, expected = package["file_name"], package["sha256"]
        if not has(folder / name, expected):
            (folder / name).write_bytes(checked(name, fetch(name), expected))


def has(file: Path, expected: str) -> bool:
    """Whether a file is there, and whole."""
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == expected


def checked(name: str, content: bytes, expected: str) -> bytes:
    """Give the content back if its checksum is right."""
    received = hashlib.sha256(content).hexdigest()
    if received != expected:
        raise ValueError(
            f"A package must have the SHA-256 that {LOCK} names, {expected}. "
            f"Received: {name}, with {received}. Fetch it again."
        )
    return content


def packages_of(folder: Path) -> Packages:
    """Read the lock file."""
    return json.loads((folder / LOCK).read_text(encoding="utf-8"))["packages"]


def needed(packages: Packages) -> list[dict[str, Any]]:
    """The packages that pages load, and all that those need."""
    found: set[str] = set()
    waiting = list(PACKAGES)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += packages[name]["depends"]
    return [packages[name] for name in sorted(found)]


def files_of(folder: Path) -> list[Path]:
    """The files of a folder that a page needs.

    Raises
    ------
    FileNotFoundError
        If some are missing; the message names them.
    """
    names = [LOCK, *RUNTIME]
    if (folder / LOCK).exists():
        names += [package["file_name"] for package in needed(packages_of(folder))]
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise FileNotFoundError(
            f"A folder with Pyodide's files must hold {', '.join(missing)}. "
            f"Received: {str(folder)!r}. Fill it: python book/_ext/pyodide_release.py {folder}"
        )
    return [folder / name for name in names]


def bytes_to_load(folder: Path) -> int:
    """Bytes of what a page fetches and can count: a browser hides how it imports a module."""
    return sum(file.stat().st_size for file in files_of(folder) if file.suffix != ".mjs")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
