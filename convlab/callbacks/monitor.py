"""Callbacks that watch one number: which way is better, and whether a value is."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

from .callback import Callback, Logs

__all__ = ["Monitor"]

# The last word of a name tells, as in "val_dense_accuracy" and "mean_squared_error".
RISES = ("accuracy", "acc", "auc", "iou", "precision", "recall", "score", "similarity")
FALLS = (
    "loss", "error", "crossentropy", "ce", "divergence", "hinge", "log_cosh", "logcosh", "mae",
    "mape", "mse", "msle", "poisson",
)  # fmt: skip


class Monitor(Callback):
    """What `EarlyStopping` and `ModelCheckpoint` share.

    Parameters
    ----------
    monitor : str
    mode : {"auto", "min", "max"}
    min_delta : float
        Its sign does not matter.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0) -> None:
        if not isinstance(monitor, str):
            raise TypeError(
                "`monitor` must be the name of a number in the logs, such as 'val_loss'. "
                f"Received: monitor={monitor!r}."
            )
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown; it must be 'auto', 'min' or "
                "'max'. Taken as 'auto'.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(number("min_delta", min_delta))
        self.best: float | None = None
        self._rises: bool | None = None

    def _find_direction(self) -> None:
        """Only once the metrics exist: a model may build them in its first step."""
        if self._rises is None:
            self._rises = _rises(self.monitor, self.mode, self._model)

    def _is_better(self, value: float, reference: float | None) -> bool:
        """Whether a value beats another by more than `min_delta`; NaN beats nothing."""
        self._find_direction()
        if math.isnan(value):
            return False
        if reference is None:
            return True
        if self._rises:
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def _current(self, logs: Logs | None) -> Any:
        return (logs or {}).get(self.monitor)


def _rises(monitor: str, mode: str, model: Any) -> bool:
    """Whether more is better."""
    if mode != "auto":
        return mode == "max"
    name = monitor.removeprefix("val_")
    for metric in getattr(model, "metrics", None) or ():
        direction = getattr(metric, "direction", None)
        if direction and getattr(metric, "name", None) == name:
            return direction == "up"
    plain = re.sub(r"_\d+$", "", name).lower()  # the second "accuracy" is accuracy_1
    if _ends_with_one_of(plain, RISES) or _ends_with_one_of(plain, FALLS):
        return _ends_with_one_of(plain, RISES)
    raise ValueError(
        "`mode` must say which way is better where the name of the number does not. "
        f"Received: monitor={monitor!r}, mode='auto'. Pass mode='max' where more is better, "
        "mode='min' where less is."
    )


def _ends_with_one_of(name: str, endings: tuple[str, ...]) -> bool:
    return any(name == ending or name.endswith(f"_{ending}") for ending in endings)


def number(name: str, value: object) -> float:
    """A finite number, or a clear error; text and truth values are none."""
    try:
        found = float(value) if not isinstance(value, (str, bytes, bool)) else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={value!r}.")
    return found
