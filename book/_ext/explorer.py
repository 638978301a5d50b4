"""The directive `explorer`: a live picture of a layer, mounted in a page.

::

    :::{explorer} sweep
    :name: explorer-strides
    :views: sweep, wiring
    height: 7
    strides: 2
    :::

The argument is the view, the body what it begins with: names and values as in the address of
a page. A name or a value that the explorer does not know stops the build.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).resolve().parents[1] / "_static" / "explorer"
# In the order in which they use each other.
SCRIPTS = (
    "parameters.js",
    "models/sizes.js",
    "models/sums.js",
    "models/layer.js",
    "models/stack.js",
    "models/activations.js",
    "models/pictures.js",
    "models/initializers.js",
    "models/descent.js",
    "core/dom.js",
    "core/state.js",
    "core/controls.js",
    "core/grid.js",
    "core/code.js",
    "core/plot.js",
    "views/sweep-words.js",
    "views/sweep-figure.js",
    "views/sweep-code.js",
    "views/sweep.js",
    "views/wiring.js",
    "views/field-figure.js",
    "views/field.js",
    "views/photo-source.js",
    "views/photo.js",
    "views/activation.js",
    "views/initializer.js",
    "views/weights.js",
    "core/mount.js",
)
STYLE = "explorer.css"
WITHOUT_SCRIPTS = "Here is a live picture, which needs JavaScript."


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    app.add_directive("explorer", Explorer)
    app.connect("html-page-context", add_files)
    return {"version": "1.0", "parallel_read_safe": True, "parallel_write_safe": True}


def parameters() -> dict[str, dict[str, dict[str, Any]]]:
    """Read what each view can show from the file that the page itself reads."""
    text = (FOLDER / "parameters.js").read_text(encoding="utf-8")
    rules: dict[str, dict[str, dict[str, Any]]] = json.loads(
        text[text.index("parameters = ") + len("parameters = ") : text.rindex(";")]
    )
    return rules


class Explorer(SphinxDirective):
    """Mounts one view, or several behind tabs, with a state to begin with."""

    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012  # docutils declares it so
        "name": directives.unchanged,
        "views": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Turn the directive into the element that the scripts look for."""
        view = self.arguments[0].strip()
        try:
            state = read_state(view, self.content)
            views = read_views(view, self.options.get("views", view))
        except ValueError as error:
            raise self.error(str(error)) from None
        name = self.options.get("name", f"explorer-{self.env.new_serialno('explorer') + 1}")
        return [nodes.raw("", markup(view, state, name=name, views=views), format="html")]


def read_state(view: str, lines: Any) -> dict[str, Any]:
    """Read lines of `name: value`; values come out as the page keeps them."""
    rules = parameters()
    if view not in rules:
        raise ValueError(f"The view must be one of {sorted(rules)}. Received: {view!r}.")
    state = {}
    for line in filter(None, (line.strip() for line in lines)):
        name, _, value = (part.strip() for part in line.partition(":"))
        if name not in rules[view]:
            raise ValueError(f"The view {view!r} has {sorted(rules[view])}. Received: {name!r}.")
        state[name] = read_value(name, value, rules[view][name])
    return state


def read_views(view: str, text: str) -> list[str]:
    """Read the names of the views that get a tab."""
    views = [name.strip() for name in text.split(",")]
    unknown = sorted(set(views) - set(parameters()))
    if unknown or view not in views:
        raise ValueError(f"`views` must name known views, {view!r} among them. Received: {text!r}.")
    return views


def read_value(name: str, text: str, rule: dict[str, Any]) -> Any:
    """Read one value by its kind, within its limits."""
    try:
        return READERS[rule["kind"]](text, rule)
    except (ValueError, KeyError):
        limits = {key: rule[key] for key in ("least", "most", "options") if key in rule}
        raise ValueError(f"{name} must be a {rule['kind']} {limits}. Received: {text!r}.") from None


def _number(text: str, rule: dict[str, Any], kind: Callable[[str], float] = float) -> float:
    value = kind(text)
    if not rule["least"] <= value <= rule["most"]:
        raise ValueError
    return value


def _whole(text: str, rule: dict[str, Any]) -> float:
    return _number(text, rule, int)


def _pair(text: str, rule: dict[str, Any]) -> list[float]:
    sides = [_whole(side, rule) for side in text.replace("x", " ").split()]
    height, width = sides * 2 if len(sides) == 1 else sides
    return [height, width]


def _choice(text: str, rule: dict[str, Any]) -> str:
    if text not in rule["options"]:
        raise ValueError
    return text


def _numbers(text: str, rule: dict[str, Any]) -> list[float]:
    return [float(one) for one in text.replace(",", " ").split()]


def _words(text: str, rule: dict[str, Any]) -> list[str]:
    words = [_choice(word.strip(), rule) for word in text.split(",")]
    if len(words) > rule["most"]:
        raise ValueError
    return words


def _layers(text: str, rule: dict[str, Any]) -> list[dict[str, Any]]:
    """Read "conv 3 1 2, pool 2 2": kind, taps, stride, dilation rate."""
    layers = []
    for part in text.split(","):
        kind, *sizes = part.split()
        taps, stride, rate = (*map(int, sizes), 1, 1)[:3]
        if kind not in ("conv", "pool") or len(sizes) > 3:
            raise ValueError
        layers.append({"kind": kind, "taps": taps, "stride": stride, "rate": rate})
    return layers


READERS: dict[str, Callable[[str, dict[str, Any]], Any]] = {
    "whole": _whole,
    "number": _number,
    "pair": _pair,
    "choice": _choice,
    "flag": lambda text, rule: {"true": True, "false": False}[text.lower()],
    "numbers": _numbers,
    "words": _words,
    "layers": _layers,
}


def markup(view: str, state: dict[str, Any], *, name: str, views: list[str] | None = None) -> str:
    """The element that becomes an explorer, and what stands there without scripts."""
    preset = {"view": view, "views": views or [view], "state": state}
    return (
        f'<div class="cx" id="{escape(name)}" data-explorer="{escape(json.dumps(preset))}">'
        f"<p>{WITHOUT_SCRIPTS}</p></div>"
    )


def add_files(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Load the explorer's files on the pages that have one, and on no other."""
    if 'class="cx"' not in context.get("body", ""):
        return
    app.add_css_file(f"explorer/{STYLE}")
    for script in SCRIPTS:
        app.add_js_file(f"explorer/{script}", loading_method="defer")
