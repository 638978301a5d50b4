"""`ProgbarLogger`: how far the training is, in a form that suits where it is read."""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from typing import Any

import numpy as np

from .callback import Callback, Logs
from .console import say

__all__ = ["ProgbarLogger"]

WIDTH = 20  # characters of the bar
INTERVAL = 0.05  # seconds: no eye reads faster


class ProgbarLogger(Callback):
    """Print the progress and the metrics. ``fit(verbose=...)`` adds one.

    Notes
    -----
    ``verbose=2`` prints two lines for each epoch, in Keras's form. ``verbose="auto"``, the
    default of ``fit``, and ``verbose=1`` depend on where the text goes:

    - to a terminal: one line that is rewritten while the epoch runs, and stays at its end;
    - to a notebook: one line for each epoch, without times, so that a run that is repeated
      prints the same;
    - to a file or a pipe: one line for each epoch, with times.

    ``verbose=0`` prints nothing. Within ``fit``, a validation prints no line of its own.

    Examples
    --------
    >>> log = ProgbarLogger()
    >>> log.set_params({"verbose": "auto", "epochs": 12, "steps": 5})
    >>> log.on_epoch_begin(8)
    >>> log.on_epoch_end(8, {"accuracy": 0.75, "loss": 0.5})  # doctest: +ELLIPSIS
    Epoch  9/12 - ...s - ...s/step - accuracy: 0.7500 - loss: 0.5000
    """

    def __init__(self) -> None:
        self._in_fit = False
        self._form: _Quiet = _Bar()
        self.epochs, self.target, self.seen = 1, None, 0

    def set_params(self, params: dict[str, Any]) -> None:
        """Choose the form that `verbose` asks for."""
        super().set_params(params)
        self._form = _form_for(params.get("verbose", "auto"))
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Keep validations silent from here on."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Let ``evaluate`` print again."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the line of the epoch."""
        self._begin(f"Epoch {epoch + 1:{len(str(self.epochs))}d}/{self.epochs}")
        if self.epochs > 1:
            self._form.head(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move on."""
        self._step(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the line."""
        self._end(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start a line, outside ``fit``."""
        if not self._in_fit:
            self._begin("")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move on, outside ``fit``."""
        if not self._in_fit:
            self._step(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Finish the line, outside ``fit``."""
        if not self._in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start a line."""
        self._begin("")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move on; what was predicted is not printed."""
        self._step(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Finish the line."""
        self._end(None)

    def _begin(self, name: str) -> None:
        self.seen = 0
        self._form.begin(name, self.target)

    def _step(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        self._form.step(self.seen, logs or {})

    def _end(self, logs: Logs | None) -> None:
        self._form.end(self.target or self.seen, logs or {})


class _Quiet:
    """``verbose=0``; the other forms fill in what they print."""

    def begin(self, name: str, target: int | None) -> None:
        self.name, self.target = name, target
        self.start = time.perf_counter()

    def head(self, text: str) -> None:
        """A line before the first batch."""

    def step(self, done: int, logs: Logs) -> None:
        """After each batch."""

    def end(self, done: int, logs: Logs) -> None:
        """After the last batch, and the validation."""

    def _times(self, done: int) -> str:
        seconds = time.perf_counter() - self.start
        return f"{seconds:.0f}s - {_per_step(seconds / max(1, done))}"


class _Lines(_Quiet):
    """``verbose=2``, in Keras's form."""

    def head(self, text: str) -> None:
        say(text)

    def end(self, done: int, logs: Logs) -> None:
        if done:
            say(" - ".join([f"{done}/{done}", self._times(done), *_metrics(logs)]))


class _OneLine(_Quiet):
    """A line for each epoch or evaluation; a prediction has nothing to tell."""

    times = True

    def end(self, done: int, logs: Logs) -> None:
        parts = [self.name or f"{done}/{done}", self._times(done)] if self.times else [self.name]
        if logs:
            say(" - ".join([*filter(None, parts), *_metrics(logs, abs)]))


class _NotebookLine(_OneLine):
    """Only what a repeated run prints again."""

    times = False


class _Bar(_Quiet):
    """One line of a terminal, rewritten as the epoch goes on."""

    def begin(self, name: str, target: int | None) -> None:
        super().begin(name, target)
        self.first = self.shown = 0.0  # when the first step ended; when the line was written
        self.width = 0

    def head(self, text: str) -> None:
        say(text)

    def step(self, done: int, logs: Logs) -> None:
        now = time.perf_counter()
        self.first = self.first or now
        if now - self.shown >= INTERVAL:
            self.shown = now
            self._write(self._text(done, logs, now), shutil.get_terminal_size().columns - 1)

    def end(self, done: int, logs: Logs) -> None:
        self.target = done
        self._write(self._text(done, logs, time.perf_counter(), left=False))
        say("")

    def _write(self, text: str, room: int | None = None) -> None:
        text = text[:room]  # a line that wraps cannot be rewritten
        say("\r" + text + " " * (self.width - len(text)), end="")
        self.width = len(text)

    def _text(self, done: int, logs: Logs, now: float, left: bool = True) -> str:
        each = self._seconds_per_step(done, now)
        seconds = each * (self.target - done) if left and self.target else now - self.start
        return " - ".join(
            [f"{self._bar(done)} {_clock(seconds)} {_per_step(each)}", *_metrics(logs, abs)]
        )

    def _bar(self, done: int) -> str:
        if not self.target:
            return f"{done:7d}/Unknown"
        full = WIDTH * min(done, self.target) // self.target
        return f"{done:{len(str(self.target))}d}/{self.target} {'━' * full}{'─' * (WIDTH - full)}"

    def _seconds_per_step(self, done: int, now: float) -> float:
        """Without the first step, which compiles, once there are others."""
        if self.first and done > 1:
            return (now - self.first) / (done - 1)
        return (now - self.start) / max(1, done)


def _form_for(verbose: object) -> _Quiet:
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'`verbose` must be "auto", 0, 1 or 2. Received: verbose={verbose!r}.')
    if verbose == 0:
        return _Quiet()
    if verbose == 2:
        return _Lines()
    if _is_terminal():
        return _Bar()
    return _NotebookLine() if _is_notebook() else _OneLine()


def _is_terminal() -> bool:
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") != "dumb"


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def _metrics(logs: Logs, size: Any = float) -> list[str]:
    """Each metric in four digits; Keras's lines write every negative number with an exponent."""
    return [f"{name}: {_digits(_mean(value), size)}" for name, value in logs.items()]


def _digits(value: float, size: Any) -> str:
    return f"{value:.4f}" if size(value) > 1e-3 else f"{value:.4e}"


def _mean(value: Any) -> float:
    return value if isinstance(value, float) else float(np.mean(value))


def _per_step(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    scale, unit = (1e3, "ms") if seconds >= 1e-3 else (1e6, "us")
    return f"{seconds * scale:.0f}{unit}/step"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(math.floor(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"
