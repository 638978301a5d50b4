"""Where a chapter stands: its part, and the part's chapters as a row of steps under the title."""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

STRIP = """\
<nav class="part-progress" aria-label="Chapters of this part">
<span class="part-name">{caption}</span>
<span class="part-place">{place} of {total}</span>
<ol>
{steps}
</ol>
</nav>
"""
STEP = (
    '<li><a href="{link}" title="{title}" data-chapter="{name}"{current}>'
    "<span>{title}</span></a></li>"
)


class Part(NamedTuple):
    """A part of the table of contents."""

    caption: str
    chapters: list[str]


def connect(app: Sphinx) -> None:
    """Listen for pages."""
    app.connect("html-page-context", add_strip, priority=850)


def part_of(app: Sphinx, pagename: str) -> Part | None:
    """Find the numbered part that a page belongs to."""
    for tree in app.config.external_site_map.root.subtrees:
        chapters = [str(item) for item in tree.items]
        if pagename in chapters and tree.numbered:
            return Part(tree.caption, chapters)
    return None


def add_strip(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Put the steps of the part under the title of a chapter."""
    part = part_of(app, pagename)
    if part is None or "</h1>" not in context.get("body", ""):
        return
    strip = STRIP.format(
        caption=escape(part.caption),
        place=part.chapters.index(pagename) + 1,
        total=len(part.chapters),
        steps="\n".join(step(app, pagename, chapter) for chapter in part.chapters),
    )
    context["body"] = context["body"].replace("</h1>", "</h1>\n" + strip, 1)


def step(app: Sphinx, pagename: str, chapter: str) -> str:
    """One chapter of the part, as a link."""
    link = relative_uri(app.builder.get_target_uri(pagename), app.builder.get_target_uri(chapter))
    return STEP.format(
        link=link or "#",
        title=escape(app.env.titles[chapter].astext()),
        name=chapter.rpartition("/")[2],
        current=' aria-current="page"' if chapter == pagename else "",
    )
