"""`EarlyStopping`: the end of a training that no longer gets better."""

from __future__ import annotations

import warnings
from typing import Any

from convlab.geometry import as_size

from .callback import Logs
from .console import say
from .monitor import Monitor, number

__all__ = ["EarlyStopping"]


class EarlyStopping(Monitor):
    """End the training once a number has not improved for some epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The number of the logs to watch.
    min_delta : float, default 0
        What does not improve by more than this, does not improve.
    patience : int, default 0
        How many epochs without improvement end the training. The first epoch never ends it.
    verbose : {0, 1}, default 0
        Whether to print why the training ended.
    mode : {"auto", "min", "max"}
        Whether less or more is better. "auto" knows by the name: an accuracy rises, a loss
        and an error fall.
    baseline : float, optional
        Until the number beats this, an improvement does not renew the patience.
    restore_best_weights : bool, default False
        Whether the model gets back the weights of its best epoch at the end. Without, it
        keeps those of the last step.
    start_from_epoch : int, default 0
        Epochs before this one are not watched.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch, stopped_epoch, wait : int
        When that was; which epoch ended the training, 0 where none did; epochs since the last
        improvement.

    Raises
    ------
    ValueError
        For a negative patience, numbers that are none; after the first epoch, where ``mode``
        is "auto" and the name does not tell which way is better.

    Notes
    -----
    Each ``fit`` starts afresh. NaN never counts as an improvement. The optimizer keeps its
    state: only weights are restored. Where the training ends with an error, nothing is
    restored.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(stop_training=False)
    >>> stop = EarlyStopping(monitor="loss", patience=2)
    >>> stop.set_model(model)
    >>> stop.on_train_begin()
    >>> for epoch, loss in enumerate([0.9, 0.5, 0.6, 0.7, 0.1]):
    ...     stop.on_epoch_end(epoch, {"loss": loss})
    ...     if model.stop_training:
    ...         break
    >>> stop.stopped_epoch, stop.best_epoch, stop.best
    (3, 1, 0.5)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = as_size("patience", patience, 0)
        self.verbose = verbose
        self.baseline = None if baseline is None else number("baseline", baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = as_size("start_from_epoch", start_from_epoch, 0)
        self._begin()

    def _begin(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier trainings."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one, and end the training where patience is out."""
        self._find_direction()
        current = self._current(logs)
        if current is None:
            self._warn_absent(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # where no epoch improves, the first one watched is the best
        self.wait += 1
        if self._is_better(current, self.best):
            self._improve(epoch, current)
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights, where asked to."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is None:
            return
        if self.verbose > 0:
            say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)

    def _improve(self, epoch: int, current: float) -> None:
        self.best = current
        self._keep(epoch)
        if self.baseline is None or self._is_better(current, self.baseline):
            self.wait = 0

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def _warn_absent(self, logs: Logs | None) -> None:
        warnings.warn(
            f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
            f"Available metrics are: {','.join(logs or {})}",
            stacklevel=3,
        )
