"""Run a chapter's cells inside its page, and describe what they show as Jupyter does.

The worker (worker.js) loads this module into Pyodide and calls `Kernel`. Nothing here needs
Pyodide itself, so the tests run it in any Python.
"""

from __future__ import annotations

import ast
import base64
import builtins
import contextlib
import inspect
import io
import json
import linecache
import os
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

__all__ = ["Kernel"]

FLUSH_EVERY = 0.1  # seconds: printed text reaches the page while a cell still runs
PRINTED_MOST = 100_000  # characters of one cell: a loop that prints for ever must not fill the page
REPRESENTATIONS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_latex_": "text/latex",
}
NUMBA = ("numba", "llvmlite", "convlab.kernels.parallel")
WITHOUT_NUMBA = (
    "Numba compiles for the processor of a computer and does not run in a web page. Here convlab "
    "uses its vectorized kernels; run this cell on your own computer to see the compiled ones."
)
NOT_HERE = (
    "This page has NumPy, Matplotlib and convlab, and this package could not be loaded beside "
    "them. Run the cell on your own computer."
)

Send = Callable[[str, str], None]


class Kernel:
    """One session: the names that cells have defined, and the way to the page.

    Parameters
    ----------
    send : callable
        Takes the kind of a message ("stream", "display", "result", "note", "error") and its content
        as JSON.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._streams: list[Stream] = []
        self.absent: set[str] = set()  # names that Numba would have brought
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
        builtins.display = self.display  # type: ignore[attr-defined]  # as in Jupyter
        builtins.input = _no_input
        sys.modules |= _ipython(self.display)
        os.environ.setdefault("MPLBACKEND", "agg")

    async def run(self, label: str, source: str) -> bool:
        """Run a cell; whether it came to its end. `label` names it in tracebacks."""
        lines = [line + "\n" for line in source.split("\n")]
        linecache.cache[label] = (len(source), None, lines, label)
        self._streams = [Stream(name, self._tell) for name in ("stdout", "stderr")]
        stdout, stderr = self._streams
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                self._show(await self._evaluate(label, source), source)
            except BaseException as error:
                self._tell("error", {**described(error), "note": self._note(error)})
                return False
            finally:
                self._flush()
        return True

    def _flush(self) -> None:
        for stream in self._streams:
            stream.flush()

    async def _evaluate(self, label: str, source: str) -> Any:
        """Run all statements; the value of the last one if it is an expression."""
        body = ast.parse(source, label).body
        last = body[-1] if body else None
        await self._run_all(body[:-1] if isinstance(last, ast.Expr) else body, label)
        if not isinstance(last, ast.Expr):
            return None
        return await self._execute(ast.Expression(last.value), label)

    async def _run_all(self, body: Sequence[ast.stmt], label: str) -> None:
        """Run statements; where Numba is absent, what is imported from it is left out, and said.

        A chapter's first cell imports Numba beside what all of its exercises use.
        """
        left_out: list[str] = []
        try:
            for statement in body:
                left_out += await self._run_one(statement, label)
        finally:
            if left_out:
                text = f"{WITHOUT_NUMBA} Left out here: {', '.join(left_out)}."
                self._tell("note", {"text": text})

    async def _run_one(self, statement: ast.stmt, label: str) -> list[str]:
        """Run a statement; the names that an import could not bring without Numba."""
        try:
            await self._execute(ast.Module([statement], []), label)
        except ImportError as error:
            if not (isinstance(statement, (ast.Import, ast.ImportFrom)) and misses_numba(error)):
                raise
        else:
            return []
        names = [(one.asname or one.name).partition(".")[0] for one in statement.names]
        if len(names) == 1:
            self.absent.add(names[0])
            return names
        return [name for one in split(statement) for name in await self._run_one(one, label)]

    async def _execute(self, tree: ast.Module | ast.Expression, label: str) -> Any:
        mode = "eval" if isinstance(tree, ast.Expression) else "exec"
        code = compile(tree, label, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        value = eval(code, self.names)
        return await value if code.co_flags & inspect.CO_COROUTINE else value

    def _show(self, value: Any, source: str) -> None:
        if value is not None and not source.rstrip().endswith(";"):
            self.names["_"] = value
            self._tell("result", bundle(value))
        for figure in open_figures():
            self._tell("display", bundle(figure))

    def _note(self, error: BaseException) -> str:
        """What the reader should know beside the error."""
        absent = isinstance(error, NameError) and error.name in self.absent
        if absent or misses_numba(error):
            return WITHOUT_NUMBA
        return NOT_HERE if isinstance(error, ModuleNotFoundError) else ""

    def missing(self, source: str) -> list[str]:
        """Packages that a cell imports and that are not here, before it runs."""
        with contextlib.suppress(SyntaxError):
            tops = {
                origin.partition(".")[0]
                for node in ast.walk(ast.parse(source))
                for origin in origins(node)
            }
            return sorted(top for top in tops if top not in sys.modules and not find_spec(top))
        return []

    def display(self, *values: Any) -> None:
        """Show values below the cell, in the midst of its work."""
        for value in values:
            self._tell("display", bundle(value))

    def complete(self, text: str) -> list[str]:
        """Names that go on from a dotted name, as far as the session knows them."""
        *path, start = text.split(".")
        try:
            known = self._known(path)
        except Exception:  # whatever an attribute raises, it completes nothing
            return []
        return sorted(name for name in known if start or not name.startswith("_"))

    def _known(self, path: Sequence[str]) -> set[str]:
        if not path:
            return {*self.names, *vars(builtins)}
        value = self.names[path[0]]
        for name in path[1:]:
            value = getattr(value, name)
        return set(dir(value))

    def _tell(self, kind: str, content: dict[str, Any]) -> None:
        if kind != "stream":
            self._flush()  # what was printed before stands before
        self._send(kind, json.dumps(content))


class Stream(io.TextIOBase):
    """Printed text on its way to the page: in pieces, and bounded."""

    def __init__(self, name: str, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self.name = name
        self._tell = tell
        self._pieces: list[str] = []
        self._left = PRINTED_MOST
        self._flushed = time.monotonic()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take text; send it on from time to time."""
        if self._left > 0:
            self._pieces.append(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._pieces.append(f"\n[cut after {PRINTED_MOST:,} characters]\n")
        if time.monotonic() - self._flushed > FLUSH_EVERY:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what is there."""
        self._flushed = time.monotonic()
        if self._pieces:
            text, self._pieces = "".join(self._pieces), []
            self._tell("stream", {"name": self.name, "text": text})


def _no_input(prompt: object = "") -> str:
    raise RuntimeError("`input` has no keyboard to read from here. Write the value into the cell.")


# --- what a value looks like ---------------------------------------------------------------------


def bundle(value: Any) -> dict[str, str]:
    """Describe a value in every form it has, by media type; binary forms in base64."""
    if hasattr(value, "_repr_mimebundle_"):
        return dict(value._repr_mimebundle_())
    data = {"text/plain": repr(value)}
    if is_figure(value):
        return {**data, "image/png": picture(value)}
    for method, media_type in REPRESENTATIONS.items():
        shown = getattr(value, method)() if _has(value, method) else None
        if shown is not None:
            data[media_type] = _text(shown)
    return data


def _has(value: Any, method: str) -> bool:
    return not isinstance(value, type) and callable(getattr(value, method, None))


def _text(shown: Any) -> str:
    if isinstance(shown, tuple):  # with metadata
        shown = shown[0]
    return base64.b64encode(shown).decode() if isinstance(shown, bytes) else str(shown)


def is_figure(value: Any) -> bool:
    """Whether it is a figure of Matplotlib, which is not imported for the question."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def picture(figure: Any) -> str:
    """Draw a figure as Jupyter does, cut to what is in it: PNG in base64."""
    file = io.BytesIO()
    colours = {"facecolor": figure.get_facecolor(), "edgecolor": figure.get_edgecolor()}
    figure.savefig(file, format="png", dpi=figure.dpi, bbox_inches="tight", **colours)
    return base64.b64encode(file.getvalue()).decode()


def open_figures() -> Iterator[Any]:
    """Take the figures that pyplot holds open; each is shown once."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        yield pyplot.figure(number)
    pyplot.close("all")


def described(error: BaseException) -> dict[str, Any]:
    """Describe an error: its name, its text and the way to it, without this module's own part."""
    frames = traceback.TracebackException.from_exception(error, capture_locals=False)
    chain: list[traceback.TracebackException | None] = [frames]
    while (link := chain.pop()) is not None:
        link.stack = traceback.StackSummary.from_list(
            [frame for frame in link.stack if frame.filename != __file__]
        )
        chain += [one for one in (link.__cause__, link.__context__) if one] or [None]
    text = "".join(frames.format())
    return {"name": type(error).__name__, "text": str(error), "traceback": text}


def split(statement: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """Make an import of each name that one statement imports."""
    if isinstance(statement, ast.ImportFrom):
        origin = "." * statement.level + (statement.module or "")
        texts = [f"from {origin} import {ast.unparse(one)}" for one in statement.names]
    else:
        texts = [f"import {ast.unparse(one)}" for one in statement.names]
    return [part for text in texts for part in ast.parse(text).body]


def origins(node: ast.AST) -> list[str]:
    """The modules that an import names."""
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    return [one.name for one in node.names] if isinstance(node, ast.Import) else []


def misses_numba(error: BaseException) -> bool:
    """Whether Numba's absence is the reason."""
    if not isinstance(error, ImportError):
        return False
    name = error.name or ""
    return name.startswith(NUMBA) or "Numba" in str(error)


# --- what IPython would bring --------------------------------------------------------------------


class Shown:
    """Text with the form it is to be shown in."""

    def __init__(self, data: str) -> None:
        self.data = str(data)


class HTML(Shown):
    """Text shown as HTML."""

    def _repr_html_(self) -> str:
        return self.data


class Markdown(Shown):
    """Text shown as Markdown."""

    def _repr_markdown_(self) -> str:
        return self.data


class Code(Shown):
    """Program text, shown in colours."""

    def __init__(self, data: str, *, language: str = "python") -> None:
        super().__init__(data)
        self.language = language

    def _repr_markdown_(self) -> str:
        return f"```{self.language}\n{self.data}\n```"

    def __repr__(self) -> str:
        return self.data


def _ipython(display: Callable[..., None]) -> dict[str, types.ModuleType]:
    """The part of IPython that notebooks call: the whole would take as long again to load.

    Libraries that ask IPython whether it runs hear that it does not.
    """
    ipython, shown = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    vars(shown).update(display=display, HTML=HTML, Markdown=Markdown, Code=Code)
    vars(ipython).update(display=shown, get_ipython=lambda: None, version_info=(9, 0, 0))
    return {"IPython": ipython, "IPython.display": shown}
