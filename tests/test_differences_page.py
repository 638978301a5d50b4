"""The page on differences from Keras says what the one table says, and counts what is tested."""

import ast
import collections
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import differences

ROOT = Path(__file__).resolve().parents[1]


def page():
    return nbformat.read(differences.PAGE, as_version=4)


def test_tables_on_the_page_are_those_that_the_tool_prints():
    found = [(heading, cell.source) for heading, cell in differences.table_cells(page())]
    assert found == list(differences.tables().items())


def test_writing_changes_tables_and_nothing_else(tmp_path):
    notebook = page()
    before = nbformat.writes(notebook)
    for _, cell in differences.table_cells(notebook):
        cell.source = cell.source[:20]
    path = tmp_path / "differences.ipynb"
    nbformat.write(notebook, path)
    differences.write(path)
    assert nbformat.writes(nbformat.read(path, as_version=4)) == before


@pytest.mark.parametrize("heading", differences.DIFFERENCES)
def test_every_row_has_two_cells_with_text(heading):
    lines = differences.tables()[heading].splitlines()
    rows = [re.fullmatch(r"\| (.+) \| (.+) \|", line) for line in lines]
    assert None not in rows
    assert all(row[0].count("|") == 3 and row[0].count("`") % 2 == 0 for row in rows)


def test_the_page_draws_the_counts_of_the_table():
    (cell,) = (cell for cell in page().cells if "compared = {" in cell.source)
    drawn = ast.literal_eval(re.search(r"^compared = (\{.*?^\})", cell.source, re.M | re.S)[1])
    assert drawn == {what: cases for what, (_, cases) in differences.COMPARED.items()}


def test_at_least_as_many_cases_are_compared_as_the_page_says():
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "tests/parity"]
    listed = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    ).stdout  # fmt: skip
    cases = collections.Counter(re.findall(r"^tests/parity/(\w+)\.py::", listed, re.M))
    fewer = {
        module: (cases[module], count)
        for module, count in differences.COMPARED.values()
        if cases[module] < count
    }
    assert fewer == {}
    assert set(cases) == {module for module, _ in differences.COMPARED.values()}
