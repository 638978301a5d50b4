"""`ModelCheckpoint`: the model in a file, after every epoch or only after good ones."""

from __future__ import annotations

import os
import re
import string
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from convlab.geometry import as_size

from .callback import Logs
from .console import say
from .monitor import Monitor, number

__all__ = ["ModelCheckpoint"]

ENDING = ".npz"  # of every file that a model writes


class ModelCheckpoint(Monitor):
    """Save the model, or its weights, while it trains.

    Parameters
    ----------
    filepath : str or path
        May hold ``{epoch:02d}``, counted from 1, ``{batch}`` where saving follows batches,
        and any name of the logs, as in ``"{epoch:02d}-{val_loss:.2f}.npz"``. Folders are
        made. A file of that name is replaced.
    monitor : str, default "val_loss"
        The number that decides, where `save_best_only`.
    verbose : {0, 1}, default 0
        Whether to print what is saved.
    save_best_only : bool, default False
        Whether to save only what is better than all before.
    save_weights_only : bool, default False
        Whether to call ``model.save_weights`` rather than ``model.save``: without the
        optimizer, a training cannot be resumed to the same weights.
    mode : {"auto", "min", "max"}
        Whether less or more is better. "auto" knows by the name.
    save_freq : "epoch" or int, default "epoch"
        Save at the end of each epoch, or after so many batches, counted across epochs.
    initial_value_threshold : float, optional
        What the first saved model has to beat, such as the best of an earlier training.

    Attributes
    ----------
    best : float or None
        The best value so far. It stays from one ``fit`` to the next.

    Raises
    ------
    ValueError
        For a `save_freq` or the ending of a file that it does not know.
    KeyError
        Where `filepath` asks for a name that the logs do not have.

    Notes
    -----
    NaN never counts as better. `best` changes only once the file is written. Where saving
    fails, the old file stays whole.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> save = ModelCheckpoint("{epoch:02d}-{val_loss:.2f}.npz", save_best_only=True)
    >>> save.set_model(SimpleNamespace(save=lambda path: print("saved", path)))
    >>> for epoch, loss in enumerate([0.9, 0.5, 0.7]):
    ...     save.on_epoch_end(epoch, {"val_loss": loss})
    saved 01-0.90.npz
    saved 02-0.50.npz
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = _checked_path(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = _checked_frequency(save_freq)
        if initial_value_threshold is not None:
            self.best = number("initial_value_threshold", initial_value_threshold)
        self._epoch = 0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Know the epoch of the batches that follow."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` batches."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._save(self._epoch, logs or {}, batch)
            self._batches = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after the epoch, where it is to be saved."""
        self._find_direction()
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: Logs, batch: int | None = None) -> None:
        path = self._path(epoch, logs, batch)
        current = self._current(logs) if self.save_best_only else None
        if not self._is_due(epoch, current, path):
            return
        self._write(path)
        if self.save_best_only and _is_number(current):
            self.best = current
        self._tell(epoch, f"finished saving model to {path}")

    def _path(self, epoch: int, logs: Logs, batch: int | None) -> str:
        place: Logs = {"epoch": epoch + 1}
        if batch is not None:
            place["batch"] = batch + 1
        try:
            return self.filepath.format(**{**place, **logs})
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}. '
                f"Known here: {', '.join([*place, *logs])}."
            ) from None

    def _is_due(self, epoch: int, current: Any, path: str) -> bool:
        if not self.save_best_only:
            self._tell(epoch, f"saving model to {path}")
            return True
        if not _is_number(current):
            self._warn_undecided(current)
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_better(current, self.best):
            self._tell(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._tell(
            epoch, f"{self.monitor} improved from {best} to {current:.5f}, saving model to {path}"
        )
        return True

    def _write(self, path: str) -> None:
        if os.path.isdir(path):
            raise IsADirectoryError(
                "Please specify a non-directory filepath for ModelCheckpoint. "
                f"Filepath used is an existing directory: {path}"
            )
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def _tell(self, epoch: int, text: str) -> None:
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: {text}")

    def _warn_undecided(self, current: Any) -> None:
        if current is None:
            text = f"Can save best model only with {self.monitor} available."
        else:
            text = (
                f"Can save best model only when `monitor` is a scalar value. Received: {current!r}."
            )
        warnings.warn(f"{text} The model is saved without a comparison.", stacklevel=5)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    )


def _checked_path(filepath: str | Path) -> str:
    path = os.fspath(filepath)
    if not isinstance(path, str):
        raise TypeError(f"`filepath` must be text or a path. Received: filepath={filepath!r}.")
    if not path.endswith(ENDING):
        name = re.sub(r"(\.weights)?\.\w*$", "", path) + ENDING
        raise ValueError(
            f"`filepath` must end in {ENDING!r}: the file of a model, or of its weights, is a zip "
            f"of arrays. Received: filepath={path!r}. Write {name!r}."
        )
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(path) if name is not None]
    except ValueError as error:
        raise ValueError(
            f"`filepath` must be a template. Received: filepath={path!r}: {error}. "
            "Write {{ and }} for braces that stay."
        ) from None
    if not all(name.isidentifier() for name in fields):
        raise ValueError(
            "`filepath` may hold names of the logs in braces, such as {epoch:02d}. "
            f"Received: filepath={path!r}."
        )
    return path


def _checked_frequency(save_freq: str | int) -> str | int:
    if save_freq == "epoch":
        return "epoch"
    try:
        return as_size("save_freq", save_freq)
    except (TypeError, ValueError):
        raise ValueError(
            f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a whole number of "
            "batches, at least 1."
        ) from None
