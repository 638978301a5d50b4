"""`History`: what every epoch gave, as ``fit`` returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .callback import Callback, Logs

if TYPE_CHECKING:
    from convlab.plotting import Picture

__all__ = ["History"]


class History(Callback):
    """The loss and the metrics of every epoch. ``fit`` adds one and returns it.

    Attributes
    ----------
    history : dict of str to list
        One value for each epoch, by name: ``"loss"``, ``"val_loss"``...
    epoch : list of int
        The epochs, counted from 0.

    Examples
    --------
    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.6})
    >>> history.on_epoch_end(1, {"loss": 0.3, "val_loss": 0.5})
    >>> history.history, history.epoch
    ({'loss': [0.5, 0.3], 'val_loss': [0.6, 0.5]}, [0, 1])
    >>> history.plot()
    <Picture: 2 epochs: loss 0.3, val_loss 0.5>
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        # A validation need not run in every epoch: which value belongs to which?
        self._epochs: dict[str, list[int]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start an empty record."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)
        if self.model is not None:
            self.model.history = self

    def epochs_of(self, name: str) -> list[int]:
        """The epochs that the values of one name belong to.

        Parameters
        ----------
        name : str
            A key of `history`.

        Returns
        -------
        list of int
            As long as ``history[name]``; shorter than `epoch` where ``validation_freq`` is
            above 1.

        Examples
        --------
        >>> history = History()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> history.on_epoch_end(1, {"loss": 0.4, "val_loss": 0.6})
        >>> history.epochs_of("val_loss")
        [1]
        """
        return list(self._epochs[name])

    def plot(self, **options: Any) -> Picture:
        """Draw the curves: one panel for the loss, one for each metric.

        Parameters
        ----------
        **options
            Those of `convlab.plotting.history`.

        Returns
        -------
        Picture

        Examples
        --------
        >>> history = History()
        >>> history.on_epoch_end(0, {"accuracy": 0.75, "loss": 0.5})
        >>> history.plot(metrics="accuracy")
        <Picture: 1 epoch: accuracy 0.75>
        """
        from convlab import plotting

        return plotting.history(self, **options)
