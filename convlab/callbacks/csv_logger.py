"""`CSVLogger`: one row of a file for each epoch."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .callback import Callback, Logs

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Write the logs of each epoch as a row of a CSV file.

    Parameters
    ----------
    filename : str or path
        Its folder must exist.
    separator : str, default ","
        One character.
    append : bool, default False
        Whether to continue a file, as a resumed training does. Else an old one is replaced.

    Raises
    ------
    ValueError
        Where the separator is not one character, or the file to continue is no such log.
    OSError
        When training begins, where the file cannot be written.

    Notes
    -----
    The first row names the columns: ``epoch``, then the logs of the first epoch by name, and
    the same names with ``val_`` where it had no validation. What an epoch lacks is ``NA``.
    The file is open only while a row is written: a training that is killed leaves every
    finished epoch in it, and an error leaves no open file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "log.csv"
    >>> log = CSVLogger(path)
    >>> log.on_train_begin()
    >>> log.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75})
    >>> print(path.read_text())
    epoch,loss,val_loss
    0,0.5,0.75
    """

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        if not (isinstance(separator, str) and len(separator) == 1 and separator not in '"\r\n'):
            raise ValueError(
                "`separator` must be one character, no quote and no end of a line. "
                f"Received: separator={separator!r}."
            )
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._path = Path(self.filename)
        self._start = ""
        self._warned = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file once: what cannot be written is told before the first epoch."""
        self._path = Path(self.filename).absolute()  # a callback may change the folder
        there = self._columns_there() if self.append else None
        self.keys = None if there is None else there[1:]
        self._start = "\r\n" if there and not _ends_with_newline(self._path) else ""
        self._write("", "a" if self.append else "w")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the row of the epoch."""
        logs = logs or {}
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = _columns(logs)
            rows.append(["epoch", *self.keys])
        rows.append([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self._warn_lost(logs)
        self._write(self._start + self._text(rows), "a")
        self._start = ""

    def _write(self, text: str, mode: str) -> None:
        with self._path.open(mode, newline="", encoding="utf-8") as file:
            file.write(text)

    def _text(self, rows: Iterable[Sequence[Any]]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self.sep).writerows(rows)
        return text.getvalue()

    def _columns_there(self) -> list[str] | None:
        """The columns of the file to continue; None where it is absent or empty."""
        try:
            with self._path.open(newline="", encoding="utf-8") as file:
                columns = next(csv.reader(file, delimiter=self.sep), None)
        except FileNotFoundError:
            return None
        if columns and columns[0] != "epoch":
            raise ValueError(
                "CSVLogger(append=True) continues a file whose first column is epoch. "
                f"Received: {self._path.name} with the columns {columns}, separator="
                f"{self.sep!r}. Name another file, or pass append=False to replace it."
            )
        return columns or None

    def _warn_lost(self, logs: Logs) -> None:
        lost = sorted(set(logs) - set(self.keys or ()))
        if lost and not self._warned:
            self._warned = True
            warnings.warn(
                f"{self._path.name} has no column for {', '.join(lost)}: its first row names "
                "the columns, and these values are left out.",
                stacklevel=3,
            )


def _ends_with_newline(path: Path) -> bool:
    """Whether the last row is whole; a killed program may have left a part of one."""
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() in (b"\n", b"\r")


def _columns(logs: Logs) -> list[str]:
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, str) or not isinstance(value, Iterable) or np.ndim(value) == 0:  # type: ignore[arg-type]
        return value
    return f'"[{", ".join(map(str, value))}]"'
