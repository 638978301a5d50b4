"""What an answer gave, as plain data: compared, and named in words, without running its code.

`plain` turns a value into numbers, text, NumPy arrays, tuples, sets, dicts, or, for anything else,
`Foreign` with a description. It runs under the time limit; everything after it is safe.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Foreign", "as_set", "decimals", "differs", "holds_nan", "is_number", "is_numeric", "plain",
    "same", "shape_of", "shown",
]  # fmt: skip

EXACT = 1e-4  # whole numbers differ by 1 at least; float sums of them by far less than this
NOISE = 1e-13  # what rounding leaves of a sum that is 0
LONGEST = 1_000_000  # items of a list; a photo arrives as an array
RELATIVE = 1e-5  # float32 keeps about seven digits; a sum of hundreds of terms loses two


@dataclass(frozen=True)
class Foreign:
    """Something that is no number, text, array, tuple, set or dict."""

    description: str


def plain(value: Any) -> Any:
    """Plain data that means the same.

    Parameters
    ----------
    value : object

    Returns
    -------
    object
        A number (bool, int, float), text, None or `Ellipsis`; an array for arrays and for lists
        and tuples of numbers in full rows; a tuple for other lists; a frozenset; a dict; or
        a `Foreign`. Nothing of it is shared with ``value``.

    Examples
    --------
    >>> plain([[1, 2], (3, 4)])
    array([[1, 2],
           [3, 4]])
    >>> plain((np.float32(0.5), "same"))
    (0.5, 'same')
    >>> plain(x for x in "abc")
    Foreign(description='a generator')
    """
    if value is None or value is Ellipsis:
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        whole = int(value)
        return whole if abs(whole) < 2**63 else Foreign("a whole number beyond 64 bits")
    if isinstance(value, numbers.Real):
        return float(value)
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    if hasattr(value, "__array__") and not isinstance(value, type):
        return _from_array(np.array(value))  # a tensor of another library
    if inspect.iscoroutine(value):
        value.close()  # else Python warns that it was never awaited
    return Foreign(_description(value))


def _from_array(array: np.ndarray) -> Any:
    if array.dtype.kind not in "biuf":
        return Foreign(f"an array of dtype {array.dtype}")
    return array.item() if array.ndim == 0 else np.array(array)


def _from_sequence(sequence: Any) -> Any:
    if len(sequence) > LONGEST:
        return Foreign(f"a {type(sequence).__name__} of {len(sequence):,} items")
    items = [plain(item) for item in sequence]
    if items and all(map(is_numeric, items)):
        shapes = {np.shape(item) for item in items}
        if len(shapes) == 1:
            return np.array(items)
    return tuple(items) if items else np.zeros(0, int)


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, lambda text: str.__str__(text)),
    (np.ndarray, _from_array),
    ((list, tuple, range), _from_sequence),
    ((set, frozenset), lambda items: frozenset(_hashable(plain(item)) for item in items)),
    (Mapping, lambda mapping: {_key(key): plain(item) for key, item in mapping.items()}),
)


def _hashable(item: Any) -> Any:
    if isinstance(item, np.ndarray):
        return tuple(_hashable(part) for part in item.tolist())
    if isinstance(item, list):
        return tuple(_hashable(part) for part in item)
    if isinstance(item, tuple):
        return tuple(map(_hashable, item))
    return Foreign("a dict") if isinstance(item, dict) else item


def _key(key: Any) -> str:
    return key if isinstance(key, str) else shown(plain(key))


def _description(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = type(value).__name__
    if kind in ("function", "builtin_function_or_method", "method"):
        return f"the function {value.__name__}"
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return f"{article} {kind.replace('_', ' ')}"


def is_number(value: Any) -> bool:
    """A plain number: bool, int or float."""
    return isinstance(value, (bool, int, float))


def is_numeric(value: Any) -> bool:
    """A plain number or an array of numbers."""
    return is_number(value) or isinstance(value, np.ndarray)


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of a plain number or array; None for anything else."""
    return np.shape(value) if is_numeric(value) else None


def same(expected: Any, received: Any, tolerance: float | None = None) -> bool:
    """Whether two plain values mean the same.

    Parameters
    ----------
    expected, received : object
        From `plain`.
    tolerance : float, optional
        Largest difference between two numbers. Without it, whole numbers must be met and other
        numbers within 1e-5 of the largest.

    Returns
    -------
    bool

    Examples
    --------
    >>> same(plain((1, 24, 24, 16)), plain([1, 24.0, 24, 16]))
    True
    >>> same(plain({2, 5}), plain([5, 2]))
    True
    >>> same(4, 4.5)
    False
    """
    if is_numeric(expected) and is_numeric(received):
        return np.shape(expected) == np.shape(received) and not np.any(
            differs(expected, received, tolerance)
        )
    if isinstance(expected, frozenset):
        received = as_set(received)
        return isinstance(received, frozenset) and _folded_set(expected) == _folded_set(received)
    if isinstance(expected, str):
        return isinstance(received, str) and _folded(expected) == _folded(received)
    if isinstance(expected, (tuple, np.ndarray)) and isinstance(received, (tuple, np.ndarray)):
        return len(expected) == len(received) and all(
            same(plain(one), plain(other), tolerance)
            for one, other in zip(expected, received, strict=True)
        )
    if isinstance(expected, dict) and isinstance(received, dict):
        return expected.keys() == received.keys() and all(
            same(expected[key], received[key], tolerance) for key in expected
        )
    return type(expected) is type(received) and bool(expected == received)


def differs(expected: Any, received: Any, tolerance: float | None = None) -> np.ndarray:
    """Where two numbers, or two arrays of one shape, differ: an array of bools."""
    one, other = np.asarray(expected), np.asarray(received)
    if tolerance is None:
        tolerance = EXACT if one.dtype.kind in "biu" else _slack(one)
    one, other = one.astype(float), other.astype(float)
    with np.errstate(invalid="ignore"):
        near = (one == other) | (np.abs(one - other) <= tolerance)
    return ~(near | (np.isnan(one) & np.isnan(other)))


def _slack(expected: np.ndarray) -> float:
    sizes = np.abs(expected[np.isfinite(expected)])
    return RELATIVE * float(sizes.max()) if sizes.size else 0.0


def decimals(numbers: np.ndarray) -> np.ndarray:
    """How many digits behind the point each float was written with.

    Examples
    --------
    >>> decimals(np.array([0.25, 3.0, -0.2]))
    array([2, 0, 1])
    """
    written = [np.format_float_positional(number, trim="-") for number in numbers.flat]
    return np.reshape([len(text.partition(".")[2]) for text in written], numbers.shape)


def as_set(value: Any) -> Any:
    """A plain list as a set; anything else as it is.

    Examples
    --------
    >>> as_set(plain([2, 5, 2])) == plain({5, 2})
    True
    """
    if isinstance(value, dict) and not value:
        return frozenset()  # {} is an empty dict; here it can only mean the empty set
    if isinstance(value, np.ndarray):
        value = tuple(value.tolist())
    return frozenset(map(_hashable, value)) if isinstance(value, tuple) else value


def _folded_set(members: frozenset[Any]) -> frozenset[Any]:
    return frozenset(_folded(one) if isinstance(one, str) else one for one in members)


def holds_nan(value: Any) -> bool:
    """Whether a number is NaN, or one in an array, a tuple or a dict.

    Examples
    --------
    >>> holds_nan({"sum": float("nan")}), holds_nan(3)
    (True, False)
    """
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        return any(map(holds_nan, value))
    return is_numeric(value) and bool(np.any(np.isnan(value)))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def shown(value: Any, limit: int = 72) -> str:
    """A plain value in one line, the same on every machine.

    Examples
    --------
    >>> shown(plain({9, 2, 5}))
    '{2, 5, 9}'
    >>> shown(plain([1, 0.25]))
    '[1, 0.25]'
    """
    text = _shown(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _shown(value: Any) -> str:
    if isinstance(value, Foreign):
        return value.description
    if isinstance(value, np.ndarray):
        if value.size > 64:
            return f"an array of shape {value.shape}"
        return _shown_row("[", value.tolist(), "]")
    if isinstance(value, list):
        return _shown_row("[", value, "]")
    if isinstance(value, tuple):
        return _shown_row("(", value, ",)" if len(value) == 1 else ")")
    if isinstance(value, frozenset):
        return _shown_row("{", sorted(value, key=_order), "}") if value else "set()"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) or "{}"
    if isinstance(value, str):
        return repr(value[:80])
    return _shown_float(value) if isinstance(value, float) else repr(value)


def _order(item: Any) -> tuple[bool, float, str]:
    return (False, item, "") if is_number(item) else (True, 0.0, _shown(item))


def _shown_row(opening: str, items: Any, closing: str) -> str:
    parts = [_shown(item) for item in items[:20]] + ["..."] * (len(items) > 20)
    return opening + ", ".join(parts) + closing


def _shown_float(number: float, digits: int = 4) -> str:
    if abs(number) < NOISE:
        return "0"
    text = f"{number:.{digits}g}"
    return text[1:] if text in ("-0", "-nan") else text
