"""What an answer did with one case: a value, or a failure in words."""

from __future__ import annotations

import linecache
import re
import traceback
from dataclasses import dataclass
from typing import Any

from convlab.exercises._limits import Stop
from convlab.exercises._values import same

__all__ = ["Failure", "Outcome"]


@dataclass(frozen=True)
class Failure:
    """An exception in an answer, in words.

    Attributes
    ----------
    kind : str
        The name of the exception.
    message : str
        Shortened, and without addresses.
    place : str
        The line of the answer, where it is known.

    Examples
    --------
    >>> print(Failure.of(ZeroDivisionError("division by zero")))
    ZeroDivisionError: division by zero
    """

    kind: str
    message: str = ""
    place: str = ""

    @classmethod
    def of(cls, error: BaseException, answer: Any = None) -> Failure:
        """Describe an exception; may run the exception's own code."""
        message = re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(_text(error).split()))
        message = message if len(message) <= 300 else message[:297] + "..."
        return cls(type(error).__name__, message, _place(error, getattr(answer, "__code__", None)))

    def __str__(self) -> str:
        return (f"{self.kind}: {self.message}" if self.message else self.kind) + self.place


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Stop:
        raise
    except BaseException:  # the exception is the learner's own class, and fails itself
        return ""


def _place(error: BaseException, code: Any) -> str:
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code is code:
            source = linecache.getline(code.co_filename, number).strip()
            line = number - code.co_firstlineno + 1
            return f", in line {line} of your function" + (f": `{source}`" if source else "")
    return ""


@dataclass(frozen=True)
class Outcome:
    """What an answer did with one case.

    Attributes
    ----------
    value : object
        Plain; None after a failure.
    failure : Failure, optional
    printed : str
    changed : tuple of str
        Arguments that the answer changed.
    """

    value: Any = None
    failure: Failure | None = None
    printed: str = ""
    changed: tuple[str, ...] = ()

    def resembles(self, other: Outcome, tolerance: float | None = None) -> bool:
        """Whether another answer did the same: an equal value, or the same kind of failure."""
        if self.failure and other.failure:
            return self.failure.kind == other.failure.kind
        return not (self.failure or other.failure) and same(other.value, self.value, tolerance)
