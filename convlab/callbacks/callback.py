"""`Callback`: a method for each moment of a training; `LambdaCallback`: the same from functions."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

__all__ = ["HOOKS", "Callback", "LambdaCallback", "Logs"]

Logs = dict[str, Any]
Hook = Callable[..., Any]


class Callback:
    """Base class of all callbacks: override the methods of the moments you want.

    `logs` holds the loss and the metrics so far, by name; those of validation begin with
    ``val_``. What a callback writes into the `logs` of an epoch, later callbacks see too.

    Attributes
    ----------
    model : Model
        The model that is trained. ``model.stop_training = True`` ends the training.
    params : dict
        ``verbose``, ``epochs`` and ``steps`` of the call.

    Examples
    --------
    >>> class Shout(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"Epoch {epoch}: {logs['loss']}!")
    >>> Shout().on_epoch_end(0, {"loss": 0.5})
    Epoch 0: 0.5!
    """

    # On the class, so that a subclass may leave out super().__init__().
    params: dict[str, Any] | None = None
    _model: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._model

    def set_model(self, model: Any) -> None:
        """Tell the callback its model; ``fit`` does so."""
        self._model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell the callback how ``fit`` was called; ``fit`` does so."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch of ``fit``."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch of ``fit``, with its `logs`; not where an error ended it."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before epoch `epoch`, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After epoch `epoch` and its validation, with the means over the epoch."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The old name of `on_train_batch_begin`, which calls it."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The old name of `on_train_batch_end`, which calls it."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a training step; `batch` counts from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a training step, with the means over the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before ``evaluate``, and before a validation in ``fit``."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After ``evaluate``, and after a validation in ``fit``."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of ``evaluate`` or of a validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of ``evaluate`` or of a validation, with the means so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before ``predict``."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After ``predict``."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of ``predict``."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of ``predict``; ``logs["outputs"]`` holds what it gave."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class LambdaCallback(Callback):
    """A callback made of functions, without a class.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Called with ``(epoch, logs)``.
    on_train_begin, on_train_end : callable, optional
        Called with ``(logs)``.
    on_train_batch_begin, on_train_batch_end : callable, optional
        Called with ``(batch, logs=logs)``.
    **hooks : callable
        Any other method of `Callback`, by its name.

    Raises
    ------
    TypeError
        For a name that `Callback` does not have, or a value that cannot be called.

    Examples
    --------
    >>> lines = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> lines.on_epoch_end(3, {"loss": 0.25})
    3 0.25
    """

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        on_train_begin: Hook | None = None,
        on_train_end: Hook | None = None,
        on_train_batch_begin: Hook | None = None,
        on_train_batch_end: Hook | None = None,
        **hooks: Hook | None,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin, "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **hooks,
        }  # fmt: skip
        for name, hook in given.items():
            if hook is not None:
                setattr(self, _checked_name(name, hook), hook)


def _checked_name(name: str, hook: object) -> str:
    if name not in HOOKS:
        close = difflib.get_close_matches(name, HOOKS, 1, 0.7)
        advice = f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(HOOKS)}."
        raise TypeError(f"A callback's functions have known names. Received: {name!r}.{advice}")
    if not callable(hook):
        raise TypeError(f"`{name}` must be callable. Received: {name}={hook!r}.")
    return name
