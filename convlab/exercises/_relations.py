"""How the cells of a wrong result relate to the right ones: one sentence, where one explains all.

The cells of all failing cases are looked at together. A sentence needs three wrong cells at least:
two numbers always share a ratio with two others, and one number that differs proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convlab.exercises._values import differs, is_number, is_numeric, same, shape_of, shown

__all__ = ["relation"]

WITNESSES = 3  # wrong cells that a relation must explain
LARGEST_FACTOR = 1024  # a whole factor beyond that is no kernel's area and no pixel range
Rule = Callable[[np.ndarray, np.ndarray], str | None]


def relation(pairs: Sequence[tuple[Any, Any]], *, secret: bool = False) -> str:
    """A sentence about factor, offset, sign or range that holds in every cell, or nothing.

    Parameters
    ----------
    pairs : sequence of (expected, received)
        Plain values.
    secret : bool, default False
        Whether to keep back the numbers from which the expected ones follow.

    Examples
    --------
    >>> wrong = [(np.array([1, 2, 5]), np.array([9, 18, 45]))]
    >>> relation(wrong)
    'Every number is 9 times the right one.'
    >>> relation(wrong, secret=True)
    'All numbers are too large by the same factor: something is counted twice or not normalised.'
    """
    alike = all(
        is_numeric(expected) and shape_of(expected) == shape_of(received)
        for expected, received in pairs
    )
    if not alike:
        return ""
    expected, received = (
        np.concatenate([np.ravel(part) for part in side]) for side in zip(*pairs, strict=True)
    )
    if np.count_nonzero(differs(expected, received)) < WITNESSES or np.unique(expected).size < 2:
        return ""
    told = _SECRETLY if secret else _OPENLY
    sentence = next(filter(None, (rule(expected, received) for rule in told)), "")
    numbers = all(is_number(value) for value, _ in pairs)
    return sentence.replace("Every number", "The result") if numbers else sentence


# --- sign and range ------------------------------------------------------------------------------


def _signs(expected: np.ndarray, received: np.ndarray) -> str | None:
    if same(-1 * expected, received):
        return "Every sign is the wrong way round."
    if same(np.abs(expected), received):
        return "What should be negative is positive: the signs are lost."
    return None


def _cut(expected: np.ndarray, received: np.ndarray) -> str | None:
    if not received.any():
        return None  # zeros everywhere say nothing about a limit
    if same(np.maximum(expected, 0), received):
        return "What should be negative is 0: values are cut off (clipped, or a ReLU)."
    top = received.max()
    beyond = min(np.count_nonzero(expected < 0), np.count_nonzero(expected > top))
    if beyond > 1 and same(np.clip(expected, 0, top), received):
        return "Values are cut off (clipped), below and above."
    return None


def _stored(expected: np.ndarray, received: np.ndarray) -> str | None:
    """What an array of another dtype does to numbers."""
    if same(np.trunc(expected), received):
        return "The decimals are cut off. Does an array of whole numbers hold the result?"
    if same(np.mod(np.trunc(expected), 256), received):
        return "Values wrap around at 256, as uint8 does. Compute in float."
    return None


# --- offset and factor ---------------------------------------------------------------------------


def _offset(expected: np.ndarray, received: np.ndarray) -> float:
    """What was added to every number; 0 if nothing or not the same."""
    offset = float(received[0]) - float(expected[0])
    return offset if same(expected + offset, received) else 0.0


def _factor(expected: np.ndarray, received: np.ndarray) -> float:
    """What every number was multiplied with; 1 if nothing or not the same, or not above 0."""
    largest = np.argmax(np.abs(expected))
    factor = float(received[largest]) / float(expected[largest])
    return factor if factor > 0 and same(expected * factor, received) else 1.0


def _told_offset(expected: np.ndarray, received: np.ndarray) -> str | None:
    offset = _offset(expected, received)
    side = "large" if offset > 0 else "small"
    return f"Every number is {shown(abs(offset))} too {side}." if offset else None


def _secret_offset(expected: np.ndarray, received: np.ndarray) -> str | None:
    offset = _offset(expected, received)
    side = "large" if offset > 0 else "small"
    if not offset:
        return None
    return f"All numbers are too {side} by the same amount: is a term too many, or missing?"


def _told_factor(expected: np.ndarray, received: np.ndarray) -> str | None:
    factor = _factor(expected, received)
    for number, words in ((factor, "{} times"), (1 / factor, "1/{} of")):
        if 1.5 < number <= LARGEST_FACTOR and abs(number - round(number)) < 1e-4:
            return f"Every number is {words.format(round(number))} the right one."
    return _secret_factor(expected, received)


def _secret_factor(expected: np.ndarray, received: np.ndarray) -> str | None:
    factor = _factor(expected, received)
    if factor == 1:
        return None
    large = "too large by the same factor: something is counted twice or not normalised."
    small = "too small by the same factor: something is left out or divided twice."
    return f"All numbers are {large if factor > 1 else small}"


_OPENLY: tuple[Rule, ...] = (_signs, _cut, _stored, _told_offset, _told_factor)
_SECRETLY: tuple[Rule, ...] = (_signs, _cut, _stored, _secret_offset, _secret_factor)
