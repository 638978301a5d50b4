"""Exercises that check themselves, with graded hints and solutions.

>>> from convlab.exercises import check, hint, solution
>>> check("start.windows", ...)
… Waiting for your answer: start.windows
  A window covers 3 neighbouring pixels. In how many places does it fit on a row of 5?
>>> check("start.windows", 3).passed
True
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from convlab.exercises._check import check_answer
from convlab.exercises._exercise import Exercise, exercise, integers
from convlab.exercises._registry import chapters, exercises, find
from convlab.exercises._result import Hint, Result, Solution

__all__ = [
    "Exercise",
    "Hint",
    "Result",
    "Solution",
    "chapters",
    "check",
    "exercise",
    "exercises",
    "hint",
    "integers",
    "solution",
]

_given: dict[str, int] = {}  # hints given so far, by exercise


def check(name: str, answer: Any = ...) -> Result:
    """Check an answer, on cases that were not shown.

    Parameters
    ----------
    name : str
        ``"chapter.exercise"``.
    answer : object
        The function or value asked for; ``...`` while there is none.

    Returns
    -------
    Result
        Right; or the smallest failing case with input, expected and received, and a hint that
        fits the mistake. It is true where the answer is right. The one right value of an
        exercise that asks for a value is not shown.

    Raises
    ------
    TypeError, ValueError
        For an unknown name. What the answer does (exceptions, endless loops, printing, changing
        its input) is reported, not raised.

    Examples
    --------
    >>> check("start.windows", 5)
    ✗ Not yet: start.windows
      received: 5
      You put a window on every pixel. On the last pixel, two thirds of it hang over the end.
      More help: `hint("start.windows")`.
    """
    return check_answer(find(name), answer)


def hint(name: str, level: int | None = None) -> Hint:
    """The next hint for an exercise, or the hint of one level.

    Parameters
    ----------
    name : str
        ``"chapter.exercise"``.
    level : int, optional
        From 1. Without it, each call gives the next hint, and then the last one again.

    Returns
    -------
    Hint

    Raises
    ------
    ValueError
        For a level that is not there.

    Examples
    --------
    >>> hint("start.windows", 1)
    Hint 1 of 2: start.windows
      Write 1 2 3 4 5. The first window covers 1 2 3. Move it one pixel to the right.
    """
    hints = find(name).hints
    if level is None:
        level = _given[name] = min(_given.get(name, 0) + 1, len(hints))
    if level not in range(1, len(hints) + 1):
        raise ValueError(
            f"`level` must be a whole number from 1 to {len(hints)}. Received: level={level!r}."
        )
    return Hint(name, level, tuple(hints))


def solution(name: str) -> Solution:
    """The solution of an exercise, as its source stands in this package.

    Parameters
    ----------
    name : str
        ``"chapter.exercise"``.

    Returns
    -------
    Solution
        It displays the source; its attribute ``answer`` is what `check` accepts.

    Examples
    --------
    >>> solution("start.windows")
    def windows():
        return 5 - 3 + 1
    >>> check("start.windows", solution("start.windows").answer).passed
    True
    """
    found = find(name)
    return Solution(name, found.answer, _source(found.solution))


def _source(function: Callable[..., Any]) -> str:
    """The source of a function without its decorators and its docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    lines = source.splitlines()
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    end_of_docstring = tree.body[0].end_lineno or 0
    head = lines[tree.lineno - 1 : tree.body[0].lineno - 1]
    return "\n".join(head + lines[end_of_docstring:]).rstrip()
