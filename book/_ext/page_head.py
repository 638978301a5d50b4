"""What a page says of itself to search engines and to those who share its address."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CARD = "_static/social.png"
LONGEST = 200  # characters of a description; readers of it cut off what follows

TAGS = """
<meta name="description" content="{description}">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#fcfbf8">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#14171c">
<meta property="og:type" content="{kind}">
<meta property="og:site_name" content="{book}">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
<meta property="og:image" content="{card}">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta property="og:image:alt" content="{alt}">
<meta name="twitter:card" content="summary_large_image">
"""
ALT = "A photo of a pagoda, nine numbers, and the upright edges that they find in it."


def connect(app: Sphinx) -> None:
    """Listen for pages."""
    app.connect("html-page-context", describe)


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document
) -> None:
    """Add the tags; addresses are absolute where the book knows its own."""
    base = app.config.html_baseurl
    card = f"{base}/{CARD}" if base else context["pathto"](CARD, resource=True)
    is_first = pagename == app.config.root_doc
    tags = TAGS.format(
        kind="book" if is_first else "article",
        book=escape(app.config.html_title),
        title=escape(plain(context.get("title", ""))),
        description=escape(summary(doctree) or app.config.html_title),
        card=escape(card),
        alt=ALT,
    )
    if base:
        tags += f'<meta property="og:url" content="{escape(base)}/{pagename}.html">\n'
    context["metatags"] = context.get("metatags", "") + tags


def plain(title: str) -> str:
    """Take the tags out of a title."""
    return "".join(part.rpartition(">")[2] for part in title.split("<"))


def summary(doctree: nodes.document | None) -> str:
    """Take the first sentences of a page, as many as fit."""
    if doctree is None:
        return ""
    paragraphs = (node.astext() for node in doctree.findall(nodes.paragraph))
    words = " ".join(next(paragraphs, "").split())
    if len(words) <= LONGEST:
        return words
    cut = words[:LONGEST]
    return cut[: cut.rfind(". ") + 1] or cut[: cut.rfind(" ")] + " …"
