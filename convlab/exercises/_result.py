"""What `check`, `hint` and `solution` give back: plain text, and HTML or Markdown for a page."""

from __future__ import annotations

import html
import sys
import textwrap
from dataclasses import dataclass, field
from typing import Any

from convlab.exercises._drawing import Panel, code_html, panels_html, panels_text

__all__ = ["Hint", "Result", "Solution"]

_LOOKS = {  # symbol, colour; the word says the same
    "Right": ("✓", "0, 150, 110"),
    "Not yet": ("✗", "230, 120, 0"),
    "Waiting for your answer": ("…", "128, 128, 128"),
}
_PLAIN: dict[int, Any] = {  # for a console that has no more
    **str.maketrans("✓✗┌┐└┘─│−×→↓∗≈", "+x++++-|-x>v*~"),
    **str.maketrans({"…": "...", "≤": "<=", "≥": ">="}),
}
_BLUE = "60, 120, 216"


@dataclass(frozen=True)
class Result:
    """The verdict on an answer. It is true where the answer is right.

    Attributes
    ----------
    name : str
        ``"chapter.exercise"``.
    verdict : {"Right", "Not yet", "Waiting for your answer"}
    summary : str
        One line after the verdict.
    case : str
        The case that failed.
    panels : list of Panel
        Its arrays, side by side.
    remarks : list of str
        What is wrong and where to look, or why the right answer matters.
    printed : str
        What the answer printed in that case.

    Examples
    --------
    >>> result = Result("padding.corner_reads", "Right", remarks=["The border is read less."])
    >>> result.passed
    True
    >>> result
    ✓ Right: padding.corner_reads
      The border is read less.
    """

    name: str
    verdict: str
    summary: str = ""
    case: str = ""
    panels: list[Panel] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.verdict == "Right"

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        parts = [self.summary, self.case, panels_text(self.panels) if self.panels else ""]
        parts += map(_filled, self.remarks)
        parts.append(f"Your answer printed:\n{self.printed}" if self.printed else "")
        body = "\n".join(part for part in parts if part)
        symbol, _ = _LOOKS[self.verdict]
        lines = [f"{symbol} {self.verdict}: {self.name}"]
        return "\n".join(lines + [f"  {line}".rstrip() for line in body.splitlines()])

    def __str__(self) -> str:
        return _printable(repr(self))

    def _repr_html_(self) -> str:
        symbol, colour = _LOOKS[self.verdict]
        parts = [
            f'<p style="margin: 0"><strong><span aria-hidden="true">{symbol}</span> '
            f"{self.verdict}:</strong> <code>{html.escape(self.name)}</code></p>",
            *map(_paragraph, [self.summary, self.case]),
            panels_html(self.panels) if self.panels else "",
            *map(_paragraph, self.remarks),
            _printed(self.printed),
        ]
        return _framed("".join(parts), colour)


def _framed(inner: str, colour: str) -> str:
    """A box that reads well in light and dark: half-transparent, in the page's own text colour."""
    style = (
        f"border-left: .3em solid rgb({colour}); background: rgba({colour}, .12); "
        "padding: .6em 1em; margin: .3em 0; border-radius: .2em; color: inherit"
    )
    return f'<div class="convlab-check" style="{style}">{inner}</div>'


def _printable(text: str) -> str:
    """The text, in characters that `print` can write: a console may know no ✓ and no lines."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def _filled(text: str) -> str:
    return textwrap.fill(text, 90, break_long_words=False, break_on_hyphens=False)


def _paragraph(text: str) -> str:
    return f'<p style="margin: .4em 0 0 0">{code_html(text)}</p>' if text else ""


def _printed(text: str) -> str:
    if not text:
        return ""
    return _paragraph("Your answer printed:") + (
        '<pre style="margin: .2em 0 0 0; white-space: pre-wrap; background: transparent; '
        'color: inherit">'
        f"{html.escape(text)}</pre>"
    )


@dataclass(frozen=True)
class Hint:
    """One hint of an exercise; on a page, the later ones are folded below it.

    Attributes
    ----------
    name : str
    level : int
        Counted from 1.
    hints : tuple of str
        All hints of the exercise, from a nudge to nearly there.
    """

    name: str
    level: int
    hints: tuple[str, ...]

    def __repr__(self) -> str:
        text = textwrap.indent(_filled(self._text(self.level)), "  ")
        return f"Hint {self.level} of {len(self.hints)}: {self.name}\n{text}"

    def __str__(self) -> str:
        return _printable(repr(self))

    def _repr_html_(self) -> str:
        heading = f"<strong>Hint {self.level} of {len(self.hints)}:</strong> "
        heading += f"<code>{html.escape(self.name)}</code>"
        later = self._later_html(self.level + 1)
        text = _paragraph(self._text(self.level))
        return _framed(f'<p style="margin: 0">{heading}</p>{text}{later}', _BLUE)

    def _later_html(self, level: int) -> str:
        if level > len(self.hints):
            return ""
        summary = f"<summary>Hint {level} of {len(self.hints)}</summary>"
        text = _paragraph(self._text(level))
        return f"<details>{summary}{text}{self._later_html(level + 1)}</details>"

    def _text(self, level: int) -> str:
        text = self.hints[level - 1]
        if level < len(self.hints):
            return text
        return f'{text} The solution: `solution("{self.name}")`.'


@dataclass(frozen=True)
class Solution:
    """The solution of an exercise.

    Attributes
    ----------
    name : str
    answer : object
        The function, or the value: what `check` accepts.
    source : str
        Its source, without the decorator and the text of the task.
    """

    name: str
    answer: Any
    source: str

    def __repr__(self) -> str:
        return self.source

    def __str__(self) -> str:
        return _printable(repr(self))

    def _repr_markdown_(self) -> str:
        # Markdown, so that the page's own theme colours the code, light and dark.
        return f"```python\n{self.source}\n```"
