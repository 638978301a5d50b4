# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Numbers that count how often they are multiplied, for exercises on the cost of a sum."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["Tally", "values_of"]


class Tally:
    """Makes numbers, and counts the multiplications in which one of them takes part.

    Examples
    --------
    >>> tally = Tally()
    >>> a, b = tally.numbers([2, 3])
    >>> values_of([a * b + a, 5 * b - 1]), tally.products
    ([8, 14], 2)
    """

    def __init__(self) -> None:
        self.products = 0

    def numbers(self, values: Iterable[Any]) -> np.ndarray:
        """An array of numbers that count, in place of these."""
        counted = [_Counted(value, self) for value in values]
        return np.array(counted, dtype=object)


class _Counted:
    """One number. It adds and multiplies with numbers of any kind, and becomes a float."""

    def __init__(self, value: Any, tally: Tally) -> None:
        self.value, self.tally = value, tally

    def _made(self, value: Any) -> Any:
        return NotImplemented if value is NotImplemented else _Counted(value, self.tally)

    def __add__(self, other: Any) -> Any:
        return self._made(_plus(self.value, other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __neg__(self) -> _Counted:
        return _Counted(-self.value, self.tally)

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, (_Counted, numbers.Number)):
            return NotImplemented
        self.tally.products += 1
        return self._made(self.value * _value(other))

    __rmul__ = __mul__

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == _value(other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.value)


def _value(number: Any) -> Any:
    return number.value if isinstance(number, _Counted) else number


def _plus(value: Any, other: Any) -> Any:
    if isinstance(other, (_Counted, numbers.Number)):
        return value + _value(other)
    return NotImplemented


def values_of(result: Iterable[Any]) -> list[Any]:
    """Plain numbers in place of those that count."""
    return [_value(one) for one in result]
