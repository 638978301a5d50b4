"""Apply an answer to every case of an exercise, and keep what happened."""

from __future__ import annotations

import copy
import dis
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from convlab.exercises._exercise import Case, Exercise
from convlab.exercises._limits import Printed, Stop, capture, run_limited
from convlab.exercises._outcome import Failure, Outcome
from convlab.exercises._values import plain, same

__all__ = ["Attempt", "attempt", "gave_up", "is_untouched", "wrong_form"]


@dataclass
class Attempt:
    """The outcomes of the cases that were reached, and how it ended.

    Attributes
    ----------
    outcomes : list of Outcome
    ending : {"finished", "stopped", "running"}
        As `run_limited` says.
    printed : str
        By the case that was never finished.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    ending: str = "finished"
    printed: str = ""


def attempt(exercise: Exercise, answer: Any) -> Attempt:
    """Apply an answer to all cases, within the exercise's time."""
    made = Attempt()
    cases = exercise.cases
    with capture() as page:

        def work() -> None:
            for case in cases:
                made.outcomes.append(_one(exercise, answer, case, page))

        made.ending = run_limited(work, exercise.seconds)
        made.printed = page.take()
    made.outcomes = made.outcomes[:]  # a thread that goes on shall not add to it
    return made


def _one(exercise: Exercise, answer: Any, case: Case, page: Printed) -> Outcome:
    own, given = copy.deepcopy(case), None
    try:
        given = None if exercise.takes_function else plain(answer)
        value = plain(exercise.apply(answer, own))
        return Outcome(value, None, page.take(), _changed(exercise.labels, case, own))
    except Stop:
        raise
    except BaseException as error:
        return Outcome(given, Failure.of(error, answer), page.take())


def _changed(labels: Sequence[str], before: Case, after: Case) -> tuple[str, ...]:
    parts = zip(labels, before, after, strict=False)
    return tuple(label for label, one, other in parts if not same(plain(one), plain(other), 0))


# --- stubs ---------------------------------------------------------------------------------------

_IDLE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"}


def is_untouched(answer: Any) -> bool:
    """Whether an answer is still the stub: `...`, None, a list with `...`, an empty function.

    Examples
    --------
    >>> is_untouched(...), is_untouched((1, ...)), is_untouched(0)
    (True, True, False)
    >>> def stub(x):
    ...     '''Write me.'''
    >>> is_untouched(stub)
    True
    """
    if callable(answer):
        return _is_idle(getattr(answer, "__code__", None))
    return answer is None or _holds_ellipsis(answer)


def _is_idle(code: CodeType | None) -> bool:
    """Whether a function's body computes nothing and returns None or `...`."""
    if code is None:
        return False
    steps = list(dis.get_instructions(code))
    loaded = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    idle = all(step.opname in _IDLE for step in steps)
    return idle and all(value is None or value is Ellipsis for value in loaded)


def _holds_ellipsis(value: Any, depth: int = 4) -> bool:
    if type(value) is dict:
        value = list(value.values())
    if type(value) not in (list, tuple) or not depth:
        return value is Ellipsis
    return any(_holds_ellipsis(item, depth - 1) for item in value)


def gave_up(outcome: Outcome) -> bool:
    """Whether a function says itself that it is not written yet."""
    if outcome.failure is None:
        return _holds_ellipsis(outcome.value)
    if outcome.failure.kind == "NotImplementedError":
        return True
    message = outcome.failure.message.lower()  # NumPy also names the ellipsis among valid indices
    return "'ellipsis'" in message or "ellipsistype" in message


def wrong_form(exercise: Exercise, answer: Any) -> str:
    """What is wrong with an answer before it is tried; empty if nothing."""
    asked = ", ".join(inspect.signature(exercise.solution).parameters)
    if not exercise.takes_function:
        if callable(answer):
            return "Asked for is a value. You gave a function: call it, or give what it returns."
        return ""
    if not callable(answer):
        name = _name_in(exercise.task)
        call = f': `check("{exercise.name}", {name})`' if name else ""
        return (
            f"Asked for is a function of ({asked}). You gave a value. Give the function itself, "
            f"without calling it{call}."
        )
    return _wrong_parameters(answer, asked, inspect.signature(exercise.solution).parameters)


def _name_in(task: str) -> str:
    """The function's name where the task says "Write `name(...)`", as the page's stub has it."""
    found = re.match(r"Write `(\w+)\(", task)
    return found[1] if found else ""


def _wrong_parameters(answer: Callable[..., Any], asked: str, case: Iterable[Any]) -> str:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # some built-in functions do not tell
        return ""
    try:
        signature.bind(*case)
    except TypeError:
        given = ", ".join(signature.parameters)
        return f"Asked for is a function of ({asked}). Yours takes ({given})."
    return ""
