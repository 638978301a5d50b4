"""The ``{question}`` directive: a quick question, asked before the text answers it.

The chapter holds what is asked, the file ``questions/CHAPTER.toml`` holds the rest: the answer,
the expression that computes it with convlab, and a reply to each wrong answer::

    :::{question} padding.corner
    How many real pixels does the window at a corner cover?
    :::

    [corner]
    answer = 4
    key = "int(np.ones((2, 2)).sum())"
    right = "Two rows and two columns of the window lie on the image."
    wrong = [[9, "Five of the nine lie on zeros."]]
    else = "Lay the window on the corner and count."

There are four kinds. A number, or several: the answer is typed. A choice: the question ends with
a list, ``answer`` counts from 1, and `wrong` has a reply to each other entry. An order: `answer`
is the list's numbers in order. A cell: `grid` has the rows, and `answer` the places to point at,
(row, column) from 1.
"""

from __future__ import annotations

import json
import tomllib
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
FOLDER = Path(__file__).resolve().parents[1] / "questions"
LABELS = {
    "number": "predict a number",
    "choice": "predict",
    "order": "predict the order",
    "cell": "point at it",
}


class Question(nodes.General, nodes.Element):
    """A question in the document: what is asked, and the data that its script needs."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive, its node, its script and its sheet."""
    app.add_directive("question", QuestionDirective)
    silent = (skip, skip)
    app.add_node(Question, html=(open_question, close_question), latex=silent, text=silent)
    # After the strip of the part has come in, and before scripts are sorted out.
    app.connect("html-page-context", add_files, priority=860)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}


def read_questions(chapter: str) -> dict[str, dict[str, Any]]:
    """Read the answers and replies of a chapter's questions."""
    file = FOLDER / f"{chapter}.toml"
    if not file.exists():
        return {}
    return tomllib.loads(file.read_text(encoding="utf-8"))


def kind_of(entry: dict[str, Any]) -> str:
    """Say which kind a question is: its file tells by what it holds."""
    if "grid" in entry:
        return "cell"
    return str(entry.get("kind", "number"))


class QuestionDirective(SphinxDirective):
    """Ask a question of the chapter's file."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Parse what is asked, and add what the script needs."""
        chapter, _, name = self.arguments[0].partition(".")
        entry = read_questions(chapter).get(name)
        if entry is None:
            logger.warning("no question %s in questions/%s.toml", name, chapter)
            return []
        count = self.env.temp_data["questions"] = self.env.temp_data.get("questions", 0) + 1
        question = Question(name=f"{chapter}.{name}", entry=entry, number=count)
        self.state.nested_parse(self.content, self.content_offset, question)
        keep_together(question)
        if kind_of(entry) in ("choice", "order"):
            question.children[-1]["classes"].append("question-options")
        self.env.note_dependency(str(FOLDER / f"{chapter}.toml"))
        return [question]


def keep_together(question: Question) -> None:
    """Let no line end within "3 × 3"."""
    for text in list(question.findall(nodes.Text)):
        text.parent.replace(text, nodes.Text(text.replace(" × ", "\u00a0×\u00a0")))


def skip(writer: Any, node: Question) -> None:
    """Print, as in a book without a script, has the text alone."""


def open_question(writer: Any, node: Question) -> None:
    """Begin the form; the script fills in what answers."""
    name, entry = node["name"], node["entry"]
    kind = kind_of(entry)
    kept = ("answer", "grid", "right", "wrong", "else", "within", "label")
    data = {"kind": kind, **{key: entry[key] for key in kept if key in entry}}
    identity = f"question-{name.replace('.', '-').replace('_', '-')}"
    writer.body.append(
        f'<form class="question" id="{identity}" data-name="{escape(name)}" novalidate '
        f"data-question='{escape(json.dumps(data, ensure_ascii=False), quote=True)}' "
        f'aria-labelledby="{identity}-title">\n'
        f'<p class="question-title" id="{identity}-title">Question {node["number"]}: '
        f"{LABELS[kind]}</p>\n"
        f'<div class="question-ask" id="{identity}-ask">\n'
    )


def close_question(writer: Any, node: Question) -> None:
    """End the form."""
    writer.body.append("</div>\n</form>\n")


def add_files(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Bring the script to pages that ask, and the sheet; every chapter shows its progress."""
    body = context.get("body", "")
    if 'class="question"' in body or 'class="part-progress"' in body:
        app.add_js_file("questions/questions.js", defer="defer")
        app.add_css_file("questions/questions.css")
