"""`CallbackList`: several callbacks called as one."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from .callback import Callback, Logs
from .history import History
from .progress import ProgbarLogger

__all__ = ["CallbackList"]


class CallbackList(Callback):
    """Callbacks, called one after the other with the same `logs`.

    Parameters
    ----------
    callbacks : Callback, list of Callback or CallbackList, optional
        Lists may hold lists, and a `CallbackList` gives its callbacks.
    add_history, add_progbar : bool, default False
        Whether a `History` or a `ProgbarLogger` joins at the end where there is none.
    model : Model, optional
        Told to every callback.
    **params
        ``verbose``, ``epochs``, ``steps``: told to every callback.

    Attributes
    ----------
    callbacks : list of Callback

    Raises
    ------
    TypeError
        Where an item is no callback.

    Notes
    -----
    Each call sorts the `logs` by name and makes its numbers Python floats. One dict goes
    through the whole list, so that a callback sees what an earlier one added.

    Examples
    --------
    >>> from convlab.callbacks import History
    >>> history = History()
    >>> callbacks = CallbackList([history], epochs=2)
    >>> callbacks.on_train_begin()
    >>> for epoch, loss in enumerate([0.5, 0.25]):
    ...     callbacks.on_epoch_end(epoch, {"loss": loss})
    >>> history.history
    {'loss': [0.5, 0.25]}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = [] if callbacks is None else list(_flat(callbacks))
        self._history = self._last_of(History)
        if add_history and self._history is None:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and self._last_of(ProgbarLogger) is None:
            self.callbacks.append(ProgbarLogger())
        self.set_model(model)
        self.set_params(params)

    def _last_of(self, kind: type) -> Any:
        return next((one for one in reversed(self.callbacks) if isinstance(one, kind)), None)

    def set_model(self, model: Any) -> None:
        """Tell every callback its model, and the model its history."""
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell every callback how ``fit`` was called."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def _call(self, hook: str, logs: Logs | None) -> None:
        logs = _python_numbers(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(logs)

    def _call_epoch(self, hook: str, epoch: int, logs: Logs | None) -> None:
        logs = _python_numbers(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(epoch, logs)

    def _call_batch(self, hook: str, batch: int, logs: Logs | None) -> None:
        logs = _python_numbers(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(batch, logs=logs)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call every callback's `on_train_begin`."""
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call every callback's `on_train_end`."""
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_epoch_begin`."""
        self._call_epoch("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_epoch_end`."""
        self._call_epoch("on_epoch_end", epoch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_batch_begin`."""
        self._call_batch("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_batch_end`."""
        self._call_batch("on_batch_end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_train_batch_begin`."""
        self._call_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_train_batch_end`."""
        self._call_batch("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call every callback's `on_test_begin`."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call every callback's `on_test_end`."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_test_batch_begin`."""
        self._call_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_test_batch_end`."""
        self._call_batch("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call every callback's `on_predict_begin`."""
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call every callback's `on_predict_end`."""
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_predict_batch_begin`."""
        self._call_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call every callback's `on_predict_batch_end`."""
        self._call_batch("on_predict_batch_end", batch, logs)


def _flat(callbacks: Any) -> Iterator[Any]:
    if isinstance(callbacks, (list, tuple)):
        for one in callbacks:
            yield from _flat(one)
    elif isinstance(callbacks, CallbackList):
        yield from callbacks.callbacks
    else:
        yield _checked(callbacks)


def _checked(callback: Any) -> Any:
    """Whatever has a callback's methods passes: it need not inherit them from `Callback`."""
    if inspect.isclass(callback):
        raise TypeError(
            f"`callbacks` must hold callbacks. Received: the class {callback.__name__}. "
            f"Write {callback.__name__}(...)."
        )
    if not all(hasattr(callback, name) for name in ("set_model", "set_params", "on_epoch_end")):
        raise TypeError(
            f"`callbacks` must hold callbacks. Received: {callback!r}. "
            "Inherit from convlab.callbacks.Callback, or wrap a function: "
            "LambdaCallback(on_epoch_end=function)."
        )
    return callback


def _python_numbers(logs: Logs | None) -> Logs:
    """The logs sorted by name, nested ones joined in, numbers as Python floats."""
    plain: Logs = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            plain.update(_python_numbers(value))
        else:
            plain[name] = _python_number(value)
    return plain


def _python_number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):  # an array, a word: as it is
        return value
