"""`TerminateOnNaN`: the end of a training that has lost its numbers."""

from __future__ import annotations

import math

from .callback import Callback, Logs
from .console import say

__all__ = ["TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """End the training at the first batch whose loss is NaN or infinite.

    Parameters
    ----------
    raise_error : bool, default False
        Whether to end it with a RuntimeError, without `on_train_end` of the other callbacks.

    Raises
    ------
    RuntimeError
        At such a batch, where `raise_error` is True.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(stop_training=False)
    >>> watch = TerminateOnNaN()
    >>> watch.set_model(model)
    >>> watch.on_train_batch_end(7, {"loss": float("nan")})
    Batch 7: Invalid loss, terminating training
    >>> model.stop_training
    True
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss so far."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
