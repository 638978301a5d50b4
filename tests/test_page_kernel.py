"""What runs a chapter's cells inside its page: the kernel, and which cells another one needs."""

import builtins
import doctest
import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

import notebooks

FOLDER = Path(__file__).resolve().parents[1] / "book" / "_static" / "python"
CHAPTERS = [path.stem for path in notebooks.chapters()]


def module(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


kernel, needs = module("kernel"), module("needs")


@pytest.fixture
def session(monkeypatch):
    """Run cells one after another; each gives whether it ended, and what it told."""
    for name in ("display", "input"):
        monkeypatch.setattr(builtins, name, getattr(builtins, name, None), raising=False)
    for name in ("IPython", "IPython.display"):
        monkeypatch.setitem(sys.modules, name, sys.modules.get(name))
    monkeypatch.setenv("MPLBACKEND", os.environ.get("MPLBACKEND", "agg"))
    told = []
    running = kernel.Kernel(lambda kind, content: told.append((kind, json.loads(content))))

    def run(source):
        told.clear()
        return driven(running.run("Cell 1", source)), list(told)

    run.kernel = running
    return run


def driven(coroutine):
    """Run a coroutine to its end, also where a loop runs already, as it does beside a browser."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


# --- what a cell shows ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("1 + 1", {"text/plain": "2"}),
        ("x = 3\nx", {"text/plain": "3"}),
        ("'a'", {"text/plain": "'a'"}),
        ("import asyncio\nawait asyncio.sleep(0, 7)", {"text/plain": "7"}),
    ],
)
def test_last_expression_is_the_result(session, source, shown):
    assert session(source) == (True, [("result", shown)])


@pytest.mark.parametrize(
    "source", ["", "# nothing", "x = 3", "None", "3;", "print", "def f(): ..."]
)
def test_no_result_without_a_value_to_show(session, source):
    ended, told = session(source)
    assert ended
    assert [kind for kind, _ in told] == (["result"] if source == "print" else [])


def test_names_stay_from_cell_to_cell(session):
    session("x = 3\ndef f(): return x")
    session("x = 4")
    assert session("f()")[1] == [("result", {"text/plain": "4"})]


def test_printed_text_comes_before_the_result_and_by_stream(session):
    told = session("import sys\nprint('a')\nprint('b', file=sys.stderr)\n5")[1]
    assert told == [
        ("stream", {"name": "stdout", "text": "a\n"}),
        ("stream", {"name": "stderr", "text": "b\n"}),
        ("result", {"text/plain": "5"}),
    ]


@pytest.mark.parametrize(
    "source", ["for _ in range(100_000): print('0123456789')", "print('0123456789' * 100_000)"]
)
def test_printing_without_end_is_cut(session, source):
    told = session(source)[1]
    text = "".join(content["text"] for _, content in told)
    assert len(text) < kernel.PRINTED_MOST + 100
    assert text.endswith("[cut after 100,000 characters]\n")


def test_text_is_told_while_the_cell_runs(session, monkeypatch):
    monkeypatch.setattr(kernel, "FLUSH_EVERY", 0)
    told = session("print('a')\nprint('b')")[1]
    assert len(told) > 1


def test_value_is_told_in_every_form_it_has(session):
    source = """
class Both:
    def __repr__(self): return "plain"
    def _repr_html_(self): return "<b>rich</b>"
    def _repr_png_(self): return b"png", {"width": 3}
    def _repr_svg_(self): return None
Both()
"""
    ((kind, data),) = session(source)[1]
    assert kind == "result"
    assert data == {"text/plain": "plain", "text/html": "<b>rich</b>", "image/png": "cG5n"}


def test_class_itself_is_plain(session):
    ((_, data),) = session("class A:\n    def _repr_html_(self): ...\nA")[1]
    assert set(data) == {"text/plain"}


def test_figures_are_drawn_as_pictures(session):
    source = "from matplotlib.figure import Figure\nfigure = Figure((1, 1))\nfigure.add_subplot()\n"
    ((kind, data),) = session(source + "figure")[1]
    assert kind == "result"
    assert data["image/png"].startswith("iVBORw0KGgo")


def test_figures_of_pyplot_are_shown_once(session):
    source = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\nplt.figure();"
    assert [kind for kind, _ in session(source)[1]] == ["display", "display"]
    assert session("1")[1] == [("result", {"text/plain": "1"})]


def test_display_shows_in_the_midst_of_the_work(session):
    session("from IPython.display import HTML, Code")
    told = session("print('a')\ndisplay(HTML('<i>'), 3)\nprint('b')\nCode('x = 1')")[1]
    assert [kind for kind, _ in told] == ["stream", "display", "display", "stream", "result"]
    assert told[1][1]["text/html"] == "<i>"
    assert told[-1][1]["text/markdown"] == "```python\nx = 1\n```"


# --- errors --------------------------------------------------------------------------------------


def test_error_is_told_with_the_way_to_it_and_nothing_of_the_kernel(session):
    ended, told = session("def f():\n    return 1 / 0\n\nf()")
    assert not ended
    ((kind, error),) = told
    assert (kind, error["name"], error["text"]) == (
        "error",
        "ZeroDivisionError",
        "division by zero",
    )
    assert 'File "Cell 1", line 4' in error["traceback"]
    assert "return 1 / 0" in error["traceback"]
    assert "kernel.py" not in error["traceback"]


def test_cause_of_an_error_is_told_without_the_kernel_too(session):
    source = (
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('x') from error"
    )
    ((_, error),) = session(source)[1]
    assert "direct cause" in error["traceback"]
    assert "kernel.py" not in error["traceback"]


@pytest.mark.parametrize("source", ["x =", "raise SystemExit(1)", "raise KeyboardInterrupt"])
def test_nothing_ends_the_session(session, source):
    ended, told = session(source)
    assert not ended
    assert told[-1][0] == "error"
    assert session("2")[0]


def test_what_was_printed_before_an_error_stays(session):
    assert [kind for kind, _ in session("print('a')\n1 / 0")[1]] == ["stream", "error"]


def test_input_says_that_there_is_no_keyboard(session):
    ((_, error),) = session("input()")[1]
    assert "Write the value into the cell" in error["text"]


# --- where Numba is absent -----------------------------------------------------------------------


@pytest.fixture
def no_numba(monkeypatch):
    for name in ("numba", "convlab.kernels.parallel"):
        monkeypatch.setitem(sys.modules, name, None)


def test_import_of_numba_is_left_out_and_said(session, no_numba):
    source = "import numba, math\nfrom numba import njit, prange as loop\nmath.floor(2.5)"
    ended, told = session(source)
    assert ended
    assert [kind for kind, _ in told] == ["note", "result"]
    assert told[0][1]["text"].endswith("Left out here: numba, njit, loop.")
    assert "vectorized" in told[0][1]["text"]


def test_names_that_need_no_numba_are_imported_beside_one_that_does(session, no_numba):
    ended, told = session("from convlab import Geometry, plan, conv2d\nGeometry.conv2d.__name__")
    assert ended
    assert told[0][1]["text"].endswith("Left out here: plan.")
    assert told[1] == ("result", {"text/plain": "'conv2d'"})


@pytest.mark.parametrize("name", ["numba", "njit", "loop"])
def test_name_that_numba_would_have_brought_is_explained(session, no_numba, name):
    session("import numba\nfrom numba import njit, prange as loop")
    ((_, error),) = session(f"{name}(3)")[1]
    assert error["name"] == "NameError"
    assert "does not run in a web page" in error["note"]


def test_parallel_is_explained(session, no_numba, monkeypatch):
    monkeypatch.setattr("convlab.kernels._numba_is_there", lambda: False)
    source = "import numpy as np\nfrom convlab import conv2d\nx = np.ones((1, 3, 3, 1))\n"
    ended, told = session(source + "conv2d(x, x[0][..., None], implementation='parallel')")
    assert not ended
    assert "vectorized kernels" in told[-1][1]["note"]


def test_absent_package_is_explained_and_other_errors_explain_themselves(session):
    assert "your own computer" in session("import no_such_module")[1][-1][1]["note"]
    assert session("no_such_name")[1][-1][1]["note"] == ""


def test_packages_to_load_are_those_that_are_not_here(session):
    source = "import os, no_such.thing\nfrom IPython.display import HTML\nfrom no_other import x"
    assert session.kernel.missing(source) == ["no_other", "no_such"]
    assert session.kernel.missing("from . import a\nx = 1") == []
    assert session.kernel.missing("no Python") == []


# --- names to go on with -------------------------------------------------------------------------


def test_completion_knows_names_and_attributes(session):
    session("import math\nvalue = [1]")
    complete = session.kernel.complete
    assert "value" in complete("val")
    assert "floor" in complete("math.fl")
    assert "append" in complete("value.")
    assert not [name for name in complete("value.") if name.startswith("_")]
    assert complete("no_such.thing") == []


# --- which cells a cell needs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "wanted", "expected"),
    [
        (["import os", "a = 1", "b = 2", "print(a)"], 3, [1]),
        (["a = 1", "a = 2", "print(a)"], 2, [1]),
        (["a = []", "a.append(1)", "b = 0", "print(a)"], 3, [0, 1]),
        (["a = 1", "b = a", "c = b", "print(c)"], 3, [0, 1, 2]),
        (["a = 1", "def f():\n    return a", "f()"], 2, [0, 1]),
        (["x = 1", "def f():\n    x = 2\n    return x", "print(x)"], 2, [0]),
        (["answer = 1", "answer = 2\nprint(answer)"], 1, []),
        (["i = 1", "for i in range(3): print(i)"], 1, []),
        (["i = 1", "[i for i in range(3)]"], 1, []),
        (["n = 1", "n += 1"], 1, [0]),
        (["import numpy as np", "np.ones(3)", "np.zeros(3)"], 2, [0]),
        (["def f(): ...", "f()", "f()"], 2, [0]),
        (["try:\n    a = 1\nexcept ValueError as e:\n    a = str(e)", "a"], 1, [0]),
        (["with open('x') as file: text = file.read()", "text"], 1, [0]),
        (["class A:\n    size = 3", "def f(a: A = A()): return a", "f()"], 2, [0, 1]),
        (["print(1)", "len([])"], 1, []),
        (["a = 1", "this is no Python", "a"], 2, [0]),
        (["%%magic", "a ="], 1, []),
    ],
)
def test_cell_needs_what_gives_its_names_their_values(sources, wanted, expected):
    assert needs.needed(sources, wanted) == expected


def test_what_has_run_is_not_needed_again():
    assert needs.needed(["a = []", "a.append(1)", "print(a)"], 2, done=[0]) == [1]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_of_a_chapter_need_few_of_its_cells(chapter):
    cells = notebooks.code_cells(notebooks.read(notebooks.BOOK / f"{chapter}.ipynb"))
    sources = [cell.source for cell in cells]
    hints = [index for index, source in enumerate(sources) if source.startswith("hint(")]
    assert hints or chapter == "start"
    assert {tuple(needs.needed(sources, index)) for index in hints} <= {(0,)}


def test_examples_of_the_documentation_hold():
    assert doctest.testmod(needs).failed == 0
