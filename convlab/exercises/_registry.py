"""Find exercises by name. A chapter's module is imported when one of its exercises is asked for."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from convlab.exercises._exercise import Exercise

__all__ = ["chapters", "exercises", "find"]


def chapters() -> tuple[str, ...]:
    """Chapters that have exercises.

    Examples
    --------
    >>> "padding" in chapters()
    True
    """
    package = importlib.import_module("convlab.exercises")
    found = pkgutil.iter_modules(package.__path__)
    return tuple(module.name for module in found if not module.name.startswith("_"))


def exercises(chapter: str) -> dict[str, Exercise]:
    """The exercises of a chapter, by full name, in their order.

    Examples
    --------
    >>> list(exercises("padding"))[0]
    'padding.zeros_before_and_after'
    """
    if chapter not in chapters():
        raise ValueError(
            f"There is no chapter {chapter!r} with exercises.{_near(chapter, chapters())} "
            f"Chapters: {', '.join(chapters())}."
        )
    members = vars(importlib.import_module(f"convlab.exercises.{chapter}")).values()
    return {member.name: member for member in members if isinstance(member, Exercise)}


def find(name: object) -> Exercise:
    """The exercise of that name.

    Raises
    ------
    TypeError, ValueError
        With the nearest names.

    Examples
    --------
    >>> find("padding.corner_reads").name
    'padding.corner_reads'
    """
    rule = '`name` must be text like "padding.corner_reads": chapter, dot, exercise.'
    if not isinstance(name, str):
        raise TypeError(f"{rule} Received: name of type {type(name).__name__}.")
    chapter, dot, exercise = name.partition(".")
    if not (chapter and dot and exercise):
        raise ValueError(f"{rule} Received: name={name!r}.{_near(name, chapters())}")
    known = exercises(chapter)
    if name not in known:
        raise ValueError(
            f"There is no exercise {name!r}.{_near(name, known)} "
            f"The chapter has: {', '.join(known)}."
        )
    return known[name]


def _near(name: str, known: object) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)  # type: ignore[call-overload]
    return f' Did you mean "{near[0]}"?' if near else ""
