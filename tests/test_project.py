"""The project's own promises: pins, commands, workflows and the length of functions."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import convlab

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "convlab").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(requirement: str) -> str:
    """Take the name out of a requirement, as package indexes spell it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def pins() -> dict[str, str]:
    """Read the constraints: names, as indexes spell them, and versions."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {name_of(name): pinned for name, pinned in pairs}


def test_constraints_hold_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.+!]+", line)] == []


def test_every_dependency_is_pinned():
    extras = PROJECT["optional-dependencies"].values()
    named = {name_of(one) for group in (PROJECT["dependencies"], *extras) for one in group}
    assert named <= set(pins())


def test_version_is_kept_in_one_place():
    assert convlab.__version__ == version("convlab")
    assert f"version: {convlab.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_continuous_integration_runs_the_test_command_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "set -eo pipefail" in script.read_text("utf-8")
    assert re.search(r"^make test$", script.read_text("utf-8"), re.MULTILINE)
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_actions_are_pinned_by_major_version():
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    used = [
        action
        for file in workflows
        for action in re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8"))
    ]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@v\d+", action)] == []


def test_every_command_of_the_contributors_page_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make (\w+)", text))
    assert targets
    assert {name for name in targets if not re.search(rf"^{name}:", makefile, re.M)} == set()
    assert len(text.splitlines()) < 60


def test_no_module_of_the_package_imports_a_framework():
    """Keras is for comparing with: the package, its layers and models included, needs none."""
    code = """
import importlib, pkgutil, sys
import convlab
for module in pkgutil.walk_packages(convlab.__path__, "convlab."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(sorted({"jax", "keras", "tensorflow", "torch"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def lengths() -> Iterator[tuple[str, int, bool]]:
    """Measure every function: its lines without docstring, decorators and functions within it.

    Also whether Numba compiles it.
    """
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines = extent(node) - (extent(node.body[0]) if ast.get_docstring(node) else 0)
                inner = [entry for entry in node.body if isinstance(entry, ast.FunctionDef)]
                lines -= sum(extent(function) for function in inner)
                decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
                compiled = any(name.startswith(("compiled", "inner")) for name in decorators)
                yield f"{path.relative_to(ROOT)}:{node.name}", lines, compiled


def extent(node: ast.stmt) -> int:
    """Lines from the first to the last."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short():
    """What is compiled may be longer: each call of another such function costs compile time."""
    found = list(lengths())
    tenths = statistics.quantiles([lines for _, lines, _ in found], n=10)
    assert [name for name, lines, compiled in found if lines > (180 if compiled else 60)] == []
    assert tenths[4] <= 10, "median"
    assert tenths[8] <= 25, "nine of ten"
