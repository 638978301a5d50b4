"""What an exercise is: one solution, its hints, its cases and the mistakes it knows.

A chapter's module is a list of these. The decorated function is the solution and its docstring
the task; a mistake is a wrong answer with what it means, and serves three times: it recognises the
mistake in a learner's answer, it is a test of the cases, and it documents what to look out for.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from convlab.exercises._outcome import Failure, Outcome
from convlab.exercises._values import holds_nan, plain, same, shown

__all__ = ["Exercise", "Mistake", "exercise", "integers"]

Case = tuple[Any, ...]
Cases = Sequence[Any] | Callable[[], Sequence[Any]]


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer, and what it means.

    Attributes
    ----------
    answer : object
        A function, or the value itself.
    means : str
        What the learner did, in the second person, and where to look.
    """

    answer: Any
    means: str

    @property
    def name(self) -> str:
        """The mistake in a word: its function's name, or its value."""
        name = getattr(self.answer, "__name__", None)
        return name.strip("_<>") if name else shown(plain(self.answer))


@dataclass
class Exercise:
    """A question that checks its answers. Made with the decorator `exercise`.

    Attributes
    ----------
    solution : callable
        Takes the arguments of a case; without parameters, it returns the value asked for.
    hints : tuple of str
        From a nudge to nearly there.
    why : str
        Why the right answer matters, in one sentence.
    tolerance : float, optional
        As in `convlab.exercises._values.same`.
    seconds : float
        Time for all cases together.
    mistakes : list of Mistake
    """

    solution: Callable[..., Any]
    hints: tuple[str, ...]
    given_cases: Cases
    why: str = ""
    tolerance: float | None = None
    seconds: float = 10.0
    mistakes: list[Mistake] = field(default_factory=list)
    measuring: Callable[..., Any] | None = None
    judging: Callable[..., str | None] | None = None

    @property
    def name(self) -> str:
        """``"chapter.exercise"``."""
        chapter = self.solution.__module__.rpartition(".")[2]
        return f"{chapter}.{self.solution.__name__}"

    @property
    def task(self) -> str:
        """What is asked."""
        return inspect.getdoc(self.solution) or ""

    @property
    def takes_function(self) -> bool:
        """Whether the answer is a function, rather than a value."""
        return bool(inspect.signature(self.solution).parameters)

    @property
    def answer(self) -> Any:
        """The solution in the form of an answer: the function, or the value."""
        return self.solution if self.takes_function else self.solution()

    @cached_property
    def cases(self) -> list[Case]:
        """The arguments of each case; those with fewer numbers first."""
        given = self.given_cases() if callable(self.given_cases) else self.given_cases
        cases = [case if isinstance(case, tuple) else (case,) for case in given]
        return sorted(cases, key=lambda case: sum(np.size(part) for part in case))

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of a case's arguments."""
        asked = inspect.signature(self.measuring or self.solution)
        return tuple(asked.parameters)[1 if self.measuring else 0 :]

    @cached_property
    def expected(self) -> list[Any]:
        """What the solution gives for each case."""
        return [plain(self.apply(self.answer, copy.deepcopy(case))) for case in self.cases]

    @cached_property
    def mistaken(self) -> list[tuple[Mistake, list[Outcome]]]:
        """What each mistake does with the cases."""
        return [
            (mistake, [self._outcome(mistake.answer, copy.deepcopy(case)) for case in self.cases])
            for mistake in self.mistakes
        ]

    def _outcome(self, answer: Any, case: Case) -> Outcome:
        try:
            return Outcome(plain(self.apply(answer, case)))
        except Exception as error:  # a mistake may be one that does not even run
            return Outcome(failure=Failure.of(error))

    def apply(self, answer: Any, case: Case) -> Any:
        """An answer applied to a case, or measured there."""
        if self.measuring:
            return self.measuring(answer if callable(answer) else plain(answer), *case)
        return answer(*case) if self.takes_function else answer

    def complaint(self, index: int, received: Any) -> str | None:
        """Why a case's outcome is refused: None if it is not, "" if there is nothing to add."""
        case = copy.deepcopy(self.cases[index])
        if self.judging is None:
            return None if same(self.expected[index], received, self.tolerance) else ""
        try:
            complaint = self.judging(received, *case)
        except Exception as error:  # an answer of a form that the judge did not think of
            return f"It cannot be judged: {error}"
        if complaint is None and holds_nan(received):  # no comparison with NaN complains
            return "The result is NaN, which is no number. Does the answer hold NaN or infinity?"
        return complaint

    def mistake(self, *answer: Any, means: str) -> Any:
        """Add a mistake: ``.mistake(9, means="You ...")``, or as a decorator of a function.

        Parameters
        ----------
        answer : object, optional
            The wrong value or function; without it, the function that is decorated.
        means : str
            What the learner did, in the second person, and where to look.
        """

        def add(wrong: Any) -> Any:
            value = wrong() if callable(wrong) and not self.takes_function else wrong
            self.mistakes.append(Mistake(value, means))
            return wrong

        return add(*answer) if answer else add

    def measure(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``function(answer, *case)``: it turns an answer into what is compared."""
        self.measuring = function
        return function

    def judge(self, function: Callable[..., str | None]) -> Callable[..., str | None]:
        """Decorate ``function(outcome, *case)``: it returns a complaint, or None to accept."""
        self.judging = function
        return function


def exercise(
    *,
    hints: Sequence[str],
    cases: Cases = ((),),
    why: str = "",
    tolerance: float | None = None,
    seconds: float = 10.0,
) -> Callable[[Callable[..., Any]], Exercise]:
    """Make an exercise out of its solution.

    Parameters
    ----------
    hints : sequence of str
        At least two, from a nudge to nearly there.
    cases : sequence, or callable that returns one
        Tuples of arguments; a case that is no tuple is the one argument. A callable is called at
        the first check. A value is asked for once, without arguments.
    why : str
        Why the right answer matters, in one sentence.
    tolerance : float, optional
        Largest difference that is accepted. Without it, whole numbers must be met and others
        within 1e-5 of the largest.
    seconds : float, default 10
        Time for all cases together.

    Examples
    --------
    >>> @exercise(hints=["Count the windows.", "Two cover the first pixel."])
    ... def corner_reads():
    ...     '''How often is the first of five pixels read by three taps with `same`?'''
    ...     return 2
    >>> _ = corner_reads.mistake(3, means="Three is what a pixel in the middle gets.")
    >>> corner_reads.answer, corner_reads.mistakes[0].name
    (2, '3')
    """

    def decorate(solution: Callable[..., Any]) -> Exercise:
        return Exercise(solution, tuple(hints), cases, why, tolerance, seconds)

    return decorate


def integers(*shape: int, seed: int = 0) -> np.ndarray:
    """Whole numbers from -4 to 4 for a case, the same for the same seed.

    Examples
    --------
    >>> integers(2, 3).shape
    (2, 3)
    """
    return np.random.default_rng(seed).integers(-4, 5, shape)
