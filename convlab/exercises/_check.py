"""From an answer to a verdict: waiting, right, or the smallest failing case and a fitting hint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from convlab.exercises._attempt import (
    Attempt,
    attempt,
    gave_up,
    is_untouched,
    wrong_form,
)
from convlab.exercises._diagnosis import diagnose, misfit
from convlab.exercises._drawing import KERNEL, Panel, axes_of, comparison, draw
from convlab.exercises._exercise import Exercise
from convlab.exercises._outcome import Outcome, without_stop
from convlab.exercises._result import Result
from convlab.exercises._values import as_set, plain, shown

__all__ = ["check_answer"]

_ADVICE = {
    "RecursionError": "It calls itself without coming to an end.",
    "SystemExit": "It asks Python to end. Return the result instead.",
    "KeyboardInterrupt": "It interrupts Python. Return the result instead.",
    "MemoryError": "It asks for more memory than there is. Is a size multiplied twice?",
}


def check_answer(exercise: Exercise, answer: Any) -> Result:
    """The verdict on one answer; never raises because of it."""
    if is_untouched(answer):
        return _waiting(exercise)
    complaint = wrong_form(exercise, answer)
    if complaint:
        return Result(exercise.name, "Not yet", remarks=[complaint])
    made = attempt(exercise, answer)
    if made.outcomes and gave_up(made.outcomes[0]):
        return _waiting(exercise)
    return _Verdict(exercise, made).result()


def _waiting(exercise: Exercise) -> Result:
    task = " ".join(exercise.task.split("\n\n")[0].split())
    return Result(exercise.name, "Waiting for your answer", remarks=[task])


class _Verdict:
    """What follows from the outcomes of one attempt."""

    def __init__(self, exercise: Exercise, made: Attempt) -> None:
        self.exercise = exercise
        self.made = made
        self.outcomes = made.outcomes
        self.complaints = [self._complaint(index) for index in range(len(made.outcomes))]
        self.failing = [index for index, text in enumerate(self.complaints) if text is not None]

    def _complaint(self, index: int) -> str | None:
        """Why a case is refused, as far as it can be said of this case alone."""
        outcome = self.outcomes[index]
        if outcome.failure:
            return self._failed(outcome)
        complaint = self.exercise.complaint(index, outcome.value)
        if outcome.changed and (complaint is None or self.exercise.measuring):
            right = complaint is None and not self.exercise.measuring
            return _spoiled(outcome.changed, right=right)
        return complaint

    def _failed(self, outcome: Outcome) -> str:
        """What to say of an exception: an answer that is a value contains no code of its own."""
        failure = outcome.failure
        assert failure is not None
        if not self.exercise.takes_function:
            form = misfit([(plain(self.exercise.answer), outcome.value)], counted=self._counted())
            if failure.kind == "KeyError" and isinstance(outcome.value, dict):
                form = f"The dict has no {_ended(failure.message)}"
            start = "This answer cannot be tried"
            return f"{start}. {form}" if form else f"{start}: {_ended(failure.reason)}"
        if failure.outside and self.exercise.measuring:
            return f"What your function gives cannot be tried: {_ended(failure.reason)}"
        advice = _ADVICE.get(failure.kind, "")
        return f"It stops with an error. {_ended(str(failure))}" + (f" {advice}" if advice else "")

    def _counted(self) -> bool:
        """Whether the task says how many numbers it asks for: as a tuple has parts with names."""
        return self.exercise.takes_function or isinstance(self.exercise.answer, tuple)

    def result(self) -> Result:
        if self.failing:
            return self._not_yet(self.failing[0])
        if self.made.ending != "finished":
            return self._endless()
        return self._right()

    def _right(self) -> Result:
        exercise, cases = self.exercise, len(self.outcomes)
        opened = exercise.judging is not None and cases == 1
        return Result(
            exercise.name,
            "Right",
            summary=f"All {cases} cases." if cases > 1 else "",
            panels=[self._received(self.outcomes[0])] if opened else [],
            remarks=[exercise.why] if exercise.why else [],
        )

    def _not_yet(self, index: int) -> Result:
        outcome = self.outcomes[index]
        return Result(
            self.exercise.name,
            "Not yet",
            summary=self._count(),
            case=self._call(index),
            panels=[*self._inputs(index), *self._comparison(index)],
            remarks=self._remarks(index),
            printed=_first_lines(outcome.printed),
        )

    def _endless(self) -> Result:
        """The case after the last one that was finished took all the time."""
        remark = (
            f"Still running after {self.exercise.seconds:g} seconds, so it was stopped. "
            "Is there a loop that never ends?"
        )
        if self.made.ending == "running":
            remark = (
                f"Still running after {self.exercise.seconds:g} seconds, and it cannot be stopped "
                "(it catches every exception, or waits). It goes on in the background: restart "
                "the kernel before you try again."
            )
        index = min(len(self.outcomes), len(self.exercise.cases) - 1)
        return Result(
            self.exercise.name,
            "Not yet",
            case=self._call(index),
            panels=self._inputs(index),
            remarks=[remark],
            printed=_first_lines(self.made.printed),
        )

    # --- what is shown

    def _count(self) -> str:
        cases = len(self.exercise.cases)
        if cases == 1:
            return ""
        right = len(self.outcomes) - len(self.failing)
        return f"Right in {right} of {cases} cases. The smallest that fails:"

    def _call(self, index: int) -> str:
        exercise = self.exercise
        pairs = list(zip(exercise.labels, exercise.cases[index], strict=False))
        if exercise.measuring:
            pairs = [(label, value) for label, value in pairs if not isinstance(value, np.ndarray)]
        parts = [
            label if isinstance(value, np.ndarray) else f"{label}={shown(_listed(value))}"
            for label, value in pairs
        ]
        if not parts:
            return ""
        call = ", ".join(parts)
        return f"`{call}`" if exercise.measuring else f"`{exercise.solution.__name__}({call})`"

    def _inputs(self, index: int) -> list[Panel]:
        pairs = zip(self.exercise.labels, self.exercise.cases[index], strict=False)
        return [
            draw(label, value, axes=axes_of(label))
            for label, value in pairs
            if isinstance(value, np.ndarray)
        ]

    def _comparison(self, index: int) -> list[Panel]:
        outcome, exercise = self.outcomes[index], self.exercise
        if outcome.failure or (outcome.changed and exercise.measuring):
            return []  # nothing was measured, or on an input that was no longer the case
        if exercise.judging:
            return [self._received(outcome)]
        expected, received = exercise.expected[index], outcome.value
        if exercise.labels and isinstance(expected, frozenset):
            received = as_set(received)
        axes = KERNEL if self._gives_kernel(index) else None
        panels = comparison(expected, received, tolerance=exercise.tolerance, axes=axes)
        return panels if exercise.labels else panels[1:]  # the one right value is not given away

    def _gives_kernel(self, index: int) -> bool:
        """Whether the result is a kernel: its name says so, or it is made of kernels alone."""
        pairs = zip(self.exercise.labels, self.exercise.cases[index], strict=False)
        made_of = [axes_of(label) for label, value in pairs if isinstance(value, np.ndarray)]
        return "kernel" in self.exercise.solution.__name__ or (
            bool(made_of) and set(made_of) == {KERNEL}
        )

    def _received(self, outcome: Outcome) -> Panel:
        return draw("measured" if self.exercise.measuring else "received", outcome.value)

    def _remarks(self, index: int) -> list[str]:
        complaint = self.complaints[index] or ""
        changed = self.outcomes[index].changed
        mistake = "" if changed and self.exercise.measuring else self._mistake()
        remarks = [complaint, mistake or ("" if complaint else self._diagnosis())]
        if changed and not complaint:
            remarks.append(f"It also changes its input {_names(changed)}. Work on a copy.")
        return [remark for remark in remarks if remark] + [
            f'More help: `hint("{self.exercise.name}")`.'
        ]

    def _diagnosis(self) -> str:
        wrong = [index for index in self.failing if not self.complaints[index]]
        pairs = [(self.exercise.expected[index], self.outcomes[index].value) for index in wrong]
        return diagnose(pairs, secret=not self.exercise.takes_function, counted=self._counted())

    # --- which mistake

    def _mistake(self) -> str:
        """What a known mistake means that gives the same, in all cases or where it fails."""
        if len(self.outcomes) < len(self.exercise.cases):
            return ""
        if any(made.failure and made.failure.kind == "ImportError" for made in self.outcomes):
            return ""  # a package is missing: right and wrong answers all stop there
        for mistake, outcomes in self.exercise.mistaken:
            if self._resemble(outcomes, range(len(outcomes))):
                return mistake.means
        for mistake, outcomes in self.exercise.mistaken:
            if self._resemble(outcomes, self.failing) and self._covers(outcomes):
                return f"Where it fails, this fits: {mistake.means}"
        return ""

    def _resemble(self, mistaken: list[Outcome], indices: Iterable[int]) -> bool:
        tolerance = self.exercise.tolerance
        return all(self.outcomes[index].resembles(mistaken[index], tolerance) for index in indices)

    def _covers(self, mistaken: list[Outcome]) -> bool:
        """Whether the answer fails in most of the cases in which the mistake fails."""
        fails = [self._refused(index, outcome) for index, outcome in enumerate(mistaken)]
        return 2 * len(self.failing) > sum(fails)

    def _refused(self, index: int, outcome: Outcome) -> bool:
        complaint = self.exercise.complaint(index, outcome.value)
        return outcome.failure is not None or complaint is not None


def _ended(text: str) -> str:
    """A sentence's end, where the text has none."""
    return text if text.endswith(("?", "!")) else f"{without_stop(text)}."


def _names(labels: Iterable[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels)


def _spoiled(changed: tuple[str, ...], *, right: bool) -> str:
    start = "The result is right, but your function" if right else "Your function"
    return (
        f"{start} changes its input {_names(changed)}, which the caller still needs. Work on a "
        f"copy: `{changed[0]}.copy()`."
    )


def _listed(value: Any) -> Any:
    """Plain, except that a tuple stays a tuple: a shape reads better in round brackets."""
    return tuple(map(_listed, value)) if isinstance(value, tuple) else plain(value)


def _first_lines(text: str, most: int = 8) -> str:
    lines = text.splitlines()
    cut = [line[:100] for line in lines[:most]]
    return "\n".join(cut + ["..."] * (len(lines) > most))
