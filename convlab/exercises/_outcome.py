"""What an answer did with one case: a value, or a failure in words."""

from __future__ import annotations

import linecache
import re
import traceback
from dataclasses import dataclass
from typing import Any

from convlab.exercises._limits import Stop
from convlab.exercises._values import same

__all__ = ["Failure", "Outcome", "without_stop"]


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
    outside : bool
        Whether the answer is known not to have run: its result made something else fail.

    Examples
    --------
    >>> print(Failure.of(ZeroDivisionError("division by zero")))
    ZeroDivisionError: division by zero
    """

    kind: str
    message: str = ""
    place: str = ""
    outside: bool = False

    @classmethod
    def of(cls, error: BaseException, answer: Any = None) -> Failure:
        """Describe an exception; may run the exception's own code."""
        message = re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(_text(error).split()))
        message = message if len(message) <= 500 else message[:497] + "..."
        code = getattr(answer, "__code__", None)
        place = _place(error, code)
        return cls(type(error).__name__, message, place, code is not None and not place)

    def __str__(self) -> str:
        return self._joined(f"{self.kind}: {self.message}" if self.message else self.kind)

    @property
    def reason(self) -> str:
        """What is said to somebody who wrote no code: the message, without the exception's name."""
        return self.message or self.kind

    def _joined(self, text: str) -> str:
        """The text and the place, with one full stop between or behind them."""
        if not self.place:
            return text
        if text.endswith(("?", "!")):
            return f"{text} In {self.place}"
        return f"{without_stop(text)}, in {self.place}"


def without_stop(text: str) -> str:
    """A text without its full stop: something follows, or puts one itself.

    Examples
    --------
    >>> without_stop("No."), without_stop("cut off...")
    ('No', 'cut off...')
    """
    return text if text.endswith("...") else text.rstrip(".")


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
            return f"line {line} of your function" + (f": `{source}`" if source else "")
    return ""


@dataclass(frozen=True)
class Outcome:
    """What an answer did with one case.

    Attributes
    ----------
    value : object
        Plain; after a failure, what was given (a value), or None (a function).
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
        """Whether another answer did the same: an equal value, or the same failure."""
        if self.failure and other.failure:
            mine, its = self.failure, other.failure
            return (mine.kind, mine.message) == (its.kind, its.message)
        return not (self.failure or other.failure) and same(other.value, self.value, tolerance)
