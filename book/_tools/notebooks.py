"""Run the chapters and write them back in one normal form.

::

    python book/_tools/notebooks.py                    # run all chapters
    python book/_tools/notebooks.py padding strides    # run these
    python book/_tools/notebooks.py --no-run padding   # only bring into normal form
    python book/_tools/notebooks.py --check            # run nothing, change nothing, report

In normal form, a diff of two versions shows what changed and nothing else: cell ids are
stable, execution counts are in order, there are no times and no notes of a kernel or an
editor, and a picture whose pixels did not change keeps its bytes.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from pictures import same_picture

__all__ = ["BOOK", "chapters", "dumps", "normalise", "problems", "run"]

BOOK = Path(__file__).resolve().parents[1]
TIMEOUT = 600  # seconds for one cell: the longest takes a few

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_CELL_METADATA = ("mystnb", "tags")
KEPT_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

# An id that an editor drew: eight hexadecimal digits, or a UUID.
DRAWN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

# Cells of an exercise that are folded, and the words on their fold.
FOLDS = {"hint(": ("Hint", "Hide the hint"), "solution(": ("Solution", "Hide the solution")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    options = parse(arguments)
    paths = chapters(options.chapters)
    if options.check:
        return report(paths)
    for path in paths:
        print(f"{path.stem} ...", flush=True)
        update(path, execute=options.run)
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run chapters; write them in normal form.")
    parser.add_argument("chapters", nargs="*", help="names such as padding; all if none is given")
    parser.add_argument("--no-run", dest="run", action="store_false", help="only normalise")
    parser.add_argument("--check", action="store_true", help="only report, with exit status 1")
    return parser.parse_args(arguments)


def chapters(names: Iterable[str] = ()) -> list[Path]:
    """Find the notebooks of the book: those named, or all."""
    paths = [BOOK / f"{Path(name).stem}.ipynb" for name in names] or sorted(BOOK.glob("*.ipynb"))
    missing = [path.stem for path in paths if not path.exists()]
    if missing:
        known = ", ".join(path.stem for path in sorted(BOOK.glob("*.ipynb")))
        raise SystemExit(f"No such chapter: {', '.join(missing)}. There are: {known}.")
    return paths


def read(path: Path) -> NotebookNode:
    """Read a notebook; what is irregular in it is what the normal form mends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nbformat.read(path, as_version=4)


def report(paths: Iterable[Path]) -> int:
    """Print what keeps each notebook from normal form; 1 if anything does."""
    found = [f"{path.name}: {problem}" for path in paths for problem in problems(path)]
    print("\n".join(found) or "All notebooks are in normal form.")
    return 1 if found else 0


def problems(path: Path) -> list[str]:
    """Say what keeps a notebook file from normal form; nothing if it is in it."""
    text = path.read_text(encoding="utf-8")
    expected = dumps(normalise(read(path), path.stem))
    if text == expected:
        return []
    pairs = zip([*text.splitlines(), ""], [*expected.splitlines(), ""], strict=False)
    line, (is_now, should_be) = next(
        ((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1]), (0, ("", ""))
    )
    return [
        f"not in normal form at line {line}: {is_now.strip()[:80]!r} should be "
        f"{should_be.strip()[:80]!r}. Run: make notebooks CHAPTERS={path.stem}"
    ]


def update(path: Path, *, execute: bool = True) -> None:
    """Run a notebook file, if asked to, and write it back in normal form."""
    before = read(path)
    # The ids first: pictures find their predecessors by them.
    after = normalise(before, path.stem)
    if execute:
        after = normalise(run(after, path.parent), path.stem)
        keep_pictures(normalise(before, path.stem), after)
    path.write_text(dumps(after), encoding="utf-8", newline="\n")


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run every cell in a fresh kernel of this environment, in `folder`."""
    # Without this, a kernel that the user registered under the same name would win.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    result = nbformat.from_dict(json.loads(json.dumps(notebook)))
    NotebookClient(
        result,
        timeout=TIMEOUT,
        # By default the outputs of a cell that come late on a busy machine are dropped in silence.
        iopub_timeout=TIMEOUT,
        raise_on_iopub_timeout=True,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # a kernel's notes to the terminal are not for us
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    for cell in code_cells(result):
        refuse_stderr(cell)
    return result


def refuse_stderr(cell: NotebookNode) -> None:
    """Stop at a warning: it carries a path of this machine, and readers should not see it."""
    for output in cell.outputs:
        if output.get("name") == "stderr":
            raise SystemExit(
                f"A cell must not write to stderr. Received:\n{output.text}\nfrom\n{cell.source}"
            )


def normalise(notebook: NotebookNode, chapter: str) -> NotebookNode:
    """Give the notebook in its normal form; the argument stays as it is."""
    result = nbformat.from_dict(json.loads(json.dumps(notebook)))
    result.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    result.nbformat, result.nbformat_minor = 4, 5
    result.cells = [cell for cell in result.cells if cell.source.strip()]
    name_cells(result.cells, chapter)
    for cell in result.cells:
        normalise_cell(cell)
    for count, cell in enumerate(code_cells(result), 1):
        number(cell, count)
    return result


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Go through the cells that hold code."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def name_cells(cells: Sequence[NotebookNode], chapter: str) -> None:
    """Give an id to each cell that has none, a drawn one, or that of an earlier cell."""
    taken: set[str] = set()
    for cell in cells:
        if not is_given(cell.get("id", "")) or cell.id in taken:
            cell.id = ""
        taken.add(cell.id)
    fresh = (name for n in range(1, len(cells) + 1) if (name := f"{chapter}-{n:02}") not in taken)
    for cell in cells:
        cell.id = cell.id or next(fresh)


def is_given(cell_id: str) -> bool:
    """Whether an id is valid, and not one that an editor drew at random."""
    return bool(VALID_ID.fullmatch(cell_id)) and not DRAWN_ID.fullmatch(cell_id)


def normalise_cell(cell: NotebookNode) -> None:
    """Clean the source, the metadata and the outputs of one cell."""
    cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
    cell.pop("attachments", None)
    metadata = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
    cell.metadata = nbformat.from_dict(metadata)
    if cell.cell_type == "code":
        fold(cell)
        cell.outputs = [normalise_output(output) for output in merge_streams(cell.outputs)]


def fold(cell: NotebookNode) -> None:
    """Fold hints and solutions, in the book and in Jupyter alike."""
    for call, (show, hide) in FOLDS.items():
        if cell.source.startswith(call):
            cell.metadata["tags"] = ["hide-cell"]
            cell.metadata["mystnb"] = {"code_prompt_show": show, "code_prompt_hide": hide}
    if {"hide-cell", "hide-output"} & set(cell.metadata.get("tags", [])):
        cell.metadata["jupyter"] = {"outputs_hidden": True}


def number(cell: NotebookNode, count: int) -> None:
    """Put the execution count in order; a cell that was never run stays so."""
    if cell.get("execution_count") is None:
        return
    cell.execution_count = count
    for output in cell.outputs:
        if output.output_type == "execute_result":
            output.execution_count = count


def merge_streams(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring chunks of printed text: where they split is a matter of timing."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        is_stream = output.output_type == "stream"
        if is_stream and last.get("output_type") == "stream" and last["name"] == output.name:
            last["text"] += output.text
        else:
            merged.append(output)
    return merged


def normalise_output(output: NotebookNode) -> NotebookNode:
    """Drop an output's metadata, a picture's notes and an error's traceback."""
    if "metadata" in output:
        output.metadata = NotebookNode()
    if output.output_type == "error":
        # Its frames name folders of this machine.
        output.traceback = [f"{output.ename}: {output.evalue}"]
    if "image/png" in output.get("data", {}):
        output.data["image/png"] = strip_png(output.data["image/png"])
    return output


def strip_png(png: str) -> str:
    """Keep only the chunks of a PNG file that hold the picture; base64 in and out."""
    data = base64.b64decode(png)
    kept, start = [data[:8]], 8
    while start < len(data):
        # A chunk: length of its data (4 bytes), type (4), data, checksum (4).
        end = start + 12 + int.from_bytes(data[start : start + 4])
        if data[start + 4 : start + 8] in KEPT_PNG_CHUNKS:
            kept.append(data[start:end])
        start = end
    return base64.b64encode(b"".join(kept)).decode("ascii")


def keep_pictures(before: NotebookNode, after: NotebookNode) -> None:
    """Give back its old bytes to each picture that shows what it showed before."""
    old = {cell.id: list(pictures_of(cell)) for cell in code_cells(before)}
    for cell in code_cells(after):
        for data, previous in zip(pictures_of(cell), old.get(cell.id, []), strict=False):
            if same_picture(data["image/png"], previous["image/png"]):
                data["image/png"] = previous["image/png"]


def pictures_of(cell: NotebookNode) -> Iterator[dict[str, Any]]:
    """Go through the data of a cell's outputs that hold a picture."""
    datas = (output.get("data", {}) for output in cell.outputs)
    return (data for data in datas if "image/png" in data)


def dumps(notebook: NotebookNode) -> str:
    """Write a notebook as text, as its file holds it."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(main())
