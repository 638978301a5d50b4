"""Mends of the stock theme: what its templates write into every page, put right.

Each mend names the text that the theme writes. Should a new version write another one, the
build says so, and does not pass over it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# (what it is, text or pattern, replacement). A pattern may match once or more.
MENDS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        # 1.5 MB, and the style sheet draws every icon without it.
        "the script of icons",
        re.compile(
            r'\s*<!-- So that users[^>]*-->\s*<script defer src="[^"]*fontawesome\.js[^"]*">'
            r"</script>"
        ),
        "",
    ),
    (
        # The name of the book stands in no landmark, and nobody can jump to it.
        "the logo",
        re.compile(
            r'<div class="sidebar-primary-item">(\s*<a class="navbar-brand logo".*?</a>)'
            r"</div>",
            re.DOTALL,
        ),
        r'<div class="sidebar-primary-item"><nav aria-label="Cover">\1</nav></div>',
    ),
    (
        # Its name is what it shows, "Search Ctrl+K", so that it can be spoken.
        "the search field",
        re.compile(r'(class="btn search-button-field[^"]*") title="Search" aria-label="Search"'),
        r"\1",
    ),
    (
        "the switch of the theme",
        re.compile(r'aria-label="Color mode" data-bs-title="Color mode"'),
        'aria-label="Colours: light, dark or as the system" data-bs-title="Light or dark"',
    ),
    (
        "the icons of that switch",
        re.compile(r'(<i class="theme-switch [^"]*" data-mode="\w+" +)title="[^"]*"'),
        r'\1aria-hidden="true"',
    ),
    (
        "the place of an advertisement",
        re.compile(r'<div id="ethical-ad-placement".*?</div>', re.DOTALL),
        "",
    ),
)
# The theme and Jupyter Book each write one, and the theme's layout a third.
VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>(?=.*<meta name="viewport")', re.DOTALL)
# Nobody searches before asking to: only the page with the results needs the index.
SEARCH = re.compile(r'\s*<script src="[^"]*(searchtools|language_data|searchindex)\.js"></script>')
NAVIGATION = re.compile(r'<nav class="bd-links bd-docs-nav".*?</nav>', re.DOTALL)
# "3. filters: how many questions at every pixel": the name is enough to find it.
LONG_ENTRY = re.compile(r"(<a [^>]*>\d+\. <code .*?</code>)(:.*?)(</a>)", re.DOTALL)


def connect(app: Sphinx) -> None:
    """Mend each page as it is written, and the style sheet at the end."""
    app.connect("builder-inited", wrap_templates)
    app.connect("build-finished", join_style_sheets)


def wrap_templates(app: Sphinx) -> None:
    """Pass every page through the mends: some of this stands in no page's context."""
    bridge = getattr(app.builder, "templates", None)
    if bridge is None or app.builder.format != "html":
        return
    render: Callable[..., str] = bridge.render

    def render_and_mend(template: str, context: dict[str, Any]) -> str:
        return mend(render(template, context), str(context.get("pagename", "")))

    bridge.render = render_and_mend


def mend(page: str, name: str) -> str:
    """Put one page right."""
    if "<body" not in page:
        return page
    for what, pattern, replacement in MENDS:
        page, count = pattern.subn(replacement, page)
        if count == 0:
            logger.warning("%s: the theme writes %s in a way unknown to page_mends", name, what)
    head, body, rest = page.partition("<body")
    page = VIEWPORT.sub("", head) + body + rest
    if name != "search":
        page = SEARCH.sub("", page)
    return NAVIGATION.sub(lambda match: shorten(match[0]), page, count=1)


def shorten(navigation: str) -> str:
    """Leave the names of the parameters; the rest of each title stays for screen readers."""
    return LONG_ENTRY.sub(r'\1<span class="entry-rest">\2</span>\3', navigation)


def join_style_sheets(app: Sphinx, exception: Exception | None) -> None:
    """Write the sheet that another one imports into it.

    Chromium guesses the address of such an import before it knows the folder of the sheet, and
    asks for a file that is not there.
    """
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    sheet = static / "styles" / "theme.css"
    basic = (static / "basic.css").read_text(encoding="utf-8")
    text = sheet.read_text(encoding="utf-8")
    sheet.write_text(text.replace('@import "../basic.css";', basic), encoding="utf-8")
