"""`LearningRateScheduler`: a learning rate for each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .callback import Callback, Logs
from .console import say

__all__ = ["LearningRateScheduler"]


class LearningRateScheduler(Callback):
    """Set the optimizer's learning rate before each epoch, and record it in the logs.

    Parameters
    ----------
    schedule : callable
        ``schedule(epoch, learning_rate)``, or ``schedule(epoch)``, gives the new learning
        rate, a float. Epochs count from 0.
    verbose : {0, 1}, default 0
        Whether to print each new learning rate.

    Raises
    ------
    ValueError
        Where the schedule gives no float; the learning rate then stays.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.5))
    >>> halve = LearningRateScheduler(lambda epoch, learning_rate: learning_rate / 2)
    >>> halve.set_model(model)
    >>> halve.on_epoch_begin(0)
    >>> model.optimizer.learning_rate
    0.25
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(
                "`schedule` must be a function of the epoch and the learning rate. "
                f"Received: schedule={schedule!r}."
            )
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate of the epoch."""
        optimizer = self._optimizer()
        rate = self._new_rate(epoch, float(optimizer.learning_rate))
        if not isinstance(rate, (float, np.floating)):
            raise ValueError(
                "The output of the `schedule` function should be a float. "
                f"Received: {rate!r} for epoch {epoch}."
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the learning rate into the logs, for the callbacks that follow."""
        if logs is not None:
            logs["learning_rate"] = float(self._optimizer().learning_rate)

    def _optimizer(self) -> Any:
        optimizer = getattr(self.model, "optimizer", None)
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError(
                'Optimizer must have a "learning_rate" attribute. '
                f"Received: optimizer={optimizer!r}."
            )
        return optimizer

    def _new_rate(self, epoch: int, rate: float) -> Any:
        # Asked of the signature: a TypeError from within the schedule must not hide.
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        except ValueError:  # a callable without a signature
            pass
        return self.schedule(epoch, rate)
