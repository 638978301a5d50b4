"""What must hold for every chapter: each guard names what is wrong in a notebook, or nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from nbformat import NotebookNode

BONES = (
    "What it controls",
    "On a real photo",
    "The arithmetic",
    "What Keras does",
    "What it costs",
    "Common mistakes",
    "Exercises",
    "Remember",
    "Sources",
)

# The only outputs that nbval compares, with the plugin for pictures.
COMPARED_TYPES = {
    "image/png",
    "image/svg+xml",
    "text/html",
    "text/latex",
    "text/markdown",
    "text/plain",
}

ESCAPE_TAGS = {
    "nbval-ignore-output",
    "nbval-raises-exception",
    "nbval-skip",
    "pytest-validate-ignore-output",
    "raises-exception",
    "skip-execution",
}
ESCAPE_COMMENT = re.compile(
    r"^\s*#+\s*(PYTEST_VALIDATE_IGNORE_OUTPUT"
    r"|NBVAL_(IGNORE_OUTPUT|CHECK_OUTPUT|RAISES_EXCEPTION|SKIP))\s*$",
    re.MULTILINE,
)
MACHINE = re.compile(
    r"/(home|root|tmp|Users|usr|opt|private|work|mnt)/|[A-Z]:\\|file:|site-packages|\.venv"
    r"|\bat 0x[0-9a-f]+"
)
HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)
IMAGE = re.compile(r"!\[([^\]]*)\]\(")
FIGURE_DIRECTIVE = re.compile(r"^(`{3,}|:{3,})\{(figure|image)\}", re.MULTILINE)
ALT_OPTION = re.compile(r"^:alt: +(.+)$", re.MULTILINE)
BOILERPLATE = re.compile(r"(an? |the |this )?(image|figure|picture|plot)\b", re.I)
CHECK = re.compile(r"\bcheck\(\s*[\"']([\w.]+)[\"']")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """List the cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    """Join the cells that hold text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def first_line(cell: NotebookNode) -> str:
    """Name a cell by how its source begins."""
    return str(cell.source.strip().partition("\n")[0])


def never_run(notebook: NotebookNode) -> Iterator[str]:
    """Cells that were not run, or not in order: nbval compares nothing of a cell never run."""
    for count, cell in enumerate(code_cells(notebook), 1):
        if cell.execution_count is None:
            yield f"never run: {first_line(cell)}"
        elif cell.execution_count != count:
            yield f"run as number {cell.execution_count}, stands at {count}: {first_line(cell)}"


def escapes(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Cells whose outputs nbval would not compare: first line, and what lets them escape."""
    for cell in code_cells(notebook):
        tags = ESCAPE_TAGS & set(cell.metadata.get("tags", []))
        comments = {found[0].strip() for found in ESCAPE_COMMENT.finditer(cell.source)}
        for mark in sorted(tags | comments):
            yield first_line(cell), mark


def uncompared_types(notebook: NotebookNode) -> Iterator[str]:
    """Outputs of a type that nbval passes over."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in sorted(set(output.get("data", {})) - COMPARED_TYPES):
                yield f"an output of type {kind} is not compared: {first_line(cell)}"


def noise(notebook: NotebookNode) -> Iterator[str]:
    """Warnings, unexpected errors, and names of one machine's folders or addresses."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                yield f"writes to stderr: {first_line(cell)}"
            if output.output_type == "error" and "raises-exception" not in tags_of(cell):
                yield f"ends in {output.ename}: {first_line(cell)}"
            if found := MACHINE.search(text_of(output)):
                yield f"an output names {found[0]!r}: {first_line(cell)}"


def tags_of(cell: NotebookNode) -> list[str]:
    """List the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def text_of(output: NotebookNode) -> str:
    """Join all text that an output holds."""
    data = output.get("data", {})
    parts = [value for key, value in data.items() if key.startswith("text/")]
    parts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    return "\n".join(parts)


def pictures(notebook: NotebookNode) -> list[NotebookNode]:
    """List the code cells that show a picture."""
    return [
        cell
        for cell in code_cells(notebook)
        if any({"image/png", "image/svg+xml"} & set(out.get("data", {})) for out in cell.outputs)
    ]


def alt_texts(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Every picture of a chapter: where it stands, and its alt text ("" if it has none)."""
    for cell in pictures(notebook):
        yield first_line(cell), cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from ((first_line(cell), alt) for alt in IMAGE.findall(cell.source))
            if FIGURE_DIRECTIVE.search(cell.source):
                yield first_line(cell), "".join(ALT_OPTION.findall(cell.source)[:1])


def poor_alt_texts(notebook: NotebookNode) -> Iterator[str]:
    """Pictures that say nothing to a reader who cannot see them."""
    seen: set[str] = set()
    for place, alt in alt_texts(notebook):
        if len(alt.split()) < 5:
            yield f"alt text is missing or too short ({alt!r}): {place}"
        elif BOILERPLATE.match(alt):
            yield f"alt text should begin with what is seen ({alt!r}): {place}"
        elif alt in seen:
            yield f"alt text is that of another picture ({alt!r}): {place}"
        seen.add(alt)


def missing_bones(notebook: NotebookNode) -> Iterator[str]:
    """Sections of a parameter chapter that are missing, or not in their order."""
    headings = [heading for heading in HEADING.findall(prose(notebook)) if heading in BONES]
    if headings != list(BONES):
        yield f"sections should be {list(BONES)}. Received: {headings}"


def long_lines(notebook: NotebookNode) -> Iterator[str]:
    """Lines of code that a reader would have to scroll, at the usual width of the page."""
    for cell in code_cells(notebook):
        yield from (line for line in cell.source.splitlines() if len(line) > 76)


def exercises(notebook: NotebookNode) -> list[str]:
    """Names of the exercises that a chapter checks, in order."""
    return [name for cell in code_cells(notebook) for name in CHECK.findall(cell.source)]


def poor_exercises(notebook: NotebookNode, chapter: str) -> Iterator[str]:
    """Exercises without a folded hint or solution, named wrongly, or answered already."""
    names = exercises(notebook)
    folded = [cell.source for cell in code_cells(notebook) if "hide-cell" in tags_of(cell)]
    for name in names:
        if not name.startswith(f"{chapter}."):
            yield f"{name} belongs to another chapter"
        if names.count(name) > 1:
            yield f"{name} is checked more than once"
        for call in ("hint", "solution"):
            if not any(source.startswith(f'{call}("{name}"') for source in folded):
                yield f'{name} has no folded cell {call}("{name}")'
    for cell in code_cells(notebook):
        printed = "".join(map(text_of, cell.outputs))
        if CHECK.search(cell.source) and "waiting for your answer" not in printed.lower():
            yield f"the stub was touched: {first_line(cell)}"


def unnamed(found: Collection[tuple[str, str]], listed: Collection[str]) -> list[str]:
    """Escapes that are not on the list."""
    return [f"{mark} on a cell not listed: {line}" for line, mark in found if line not in listed]
