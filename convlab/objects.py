"""Names, configs and objects: how "relu", {"class_name": "L2", ...} and L2(0.01) become one thing.

Each family (activations, initializers, regularizers, constraints, losses, optimizers, metrics,
layers) has one `Catalogue`: every name that Keras accepts, and what it stands for. A config is
the dict that Keras itself writes, so that either library reads the other's. Only what stands
in a catalogue, or was handed over in `custom_objects`, is ever made from a config: reading one
runs no code of its own.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_custom: ContextVar[Mapping[str, Any]] = ContextVar("convlab_custom_objects")


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Names that configs may use inside the ``with`` block, beside the catalogues'.

    Parameters
    ----------
    custom_objects : mapping of str to class or function, or None

    Examples
    --------
    >>> from convlab import activations
    >>> def halved(x):
    ...     return x / 2
    >>> with custom_object_scope({"halved": halved}):
    ...     activations.get("halved")(4)
    2.0
    """
    token = _custom.set({**_custom.get({}), **(custom_objects or {})})
    try:
        yield
    finally:
        _custom.reset(token)


class Catalogue:
    """The names of one family of objects.

    Parameters
    ----------
    kind : str
        What an error calls one of them: ``"initializer"``.
    module : str
        Keras's module, as configs name it: ``"keras.initializers"``.
    entries : mapping of str to class or function
        Every accepted name. The name that a config gets is the object's own ``__name__``.
    ignore_case : bool, default False
        Keras reads names of optimizers in any case, and others exactly.
    """

    def __init__(
        self, kind: str, module: str, entries: Mapping[str, Any], ignore_case: bool = False
    ) -> None:
        self.kind = kind
        self.module = module
        self.entries = {(k.lower() if ignore_case else k): v for k, v in entries.items()}
        self._ignore_case = ignore_case

    def get(self, identifier: object) -> Any:
        """The object for a name, a config or a class; a callable itself; None stays None."""
        if identifier is None:
            return None
        if isinstance(identifier, str):
            found = self.find(identifier)
            return self._make(found, {}) if inspect.isclass(found) else found
        if isinstance(identifier, Mapping):
            return self.from_config(identifier)
        if inspect.isclass(identifier):
            return self._make(identifier, {})
        if callable(identifier):
            return identifier
        raise ValueError(f"{self._rule()} Received: {identifier!r}.")

    def find(self, name: str) -> Any:
        """The class or function of a name."""
        custom = _custom.get({})
        if name in custom:
            return custom[name]
        key = name.lower() if self._ignore_case else name
        if key not in self.entries:
            raise ValueError(f"{self._rule()} Received: {name!r}.{self._advice(name)}")
        return self.entries[key]

    def from_config(self, config: Mapping[str, Any]) -> Any:
        """The object of a config; ``class_name`` and ``config`` are all it needs."""
        name, inner = config.get("class_name"), config.get("config", {})
        if name == "function":
            name, inner = inner, None
        if not isinstance(name, str):
            raise ValueError(
                f'A config of {self._a()} must have "class_name". Received: {dict(config)!r}.'
            )
        found = self.find(name)
        return self._make(found, inner) if inspect.isclass(found) else found

    def serialize(self, value: Any) -> Any:
        """The config of an object: JSON alone. A function of the catalogue becomes its name."""
        if value is None:
            return None
        if hasattr(value, "get_config") and not inspect.isclass(value):
            return config_of(value, self.module)
        name = getattr(value, "__name__", type(value).__name__)
        if self.entries.get(name) is value:
            return name
        return {
            "module": "builtins", "class_name": "function", "config": name,
            "registered_name": "function",
        }  # fmt: skip

    def _make(self, found: type, inner: Any) -> Any:
        if not isinstance(inner, Mapping):
            raise ValueError(
                f'"config" of {self._a()} must be a mapping of its arguments. Received: {inner!r}.'
            )
        if inner and hasattr(found, "from_config"):
            return found.from_config(dict(inner))
        try:
            return found(**inner)
        except TypeError as error:
            raise TypeError(
                f"{found.__name__} cannot be made from config={dict(inner)!r}: {error}."
            ) from None

    def _rule(self) -> str:
        return (
            f"Could not interpret {self.kind} identifier: it must be a name, a config, "
            f"a class or a callable."
        )

    def _advice(self, name: str) -> str:
        folded = {_folded(key): key for key in reversed(self.entries)}
        close = difflib.get_close_matches(_folded(name), folded, 1, 0.75)
        if close:
            return f" Did you mean {folded[close[0]]!r}?"
        known = ", ".join(repr(key) for key in self.entries)
        return f" Known names: {known}."

    def _a(self) -> str:
        return f"{'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind}"


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


class Configurable:
    """What can be written as a config and made again from it.

    A class keeps its constructor's arguments and returns them from ``get_config``.
    """

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The object that `get_config` described.

        Raises
        ------
        TypeError
            Where the config names an argument that the class does not have.
        """
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(
                f"Error when deserializing class {cls.__name__!r} using config={dict(config)!r}: "
                f"{error}."
            ) from None

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def config_of(value: Configurable, module: str) -> dict[str, Any]:
    """An object's class and arguments, in the form that Keras writes."""
    return {
        "module": module, "class_name": type(value).__name__, "config": value.get_config(),
        "registered_name": None,
    }  # fmt: skip
