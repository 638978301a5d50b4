"""Python in the page: cells are changed, run, stopped, kept and saved in a real browser.

Each test that runs Python does so twice: with a stand-in for Pyodide, the page's own kernel in
this process, and with Pyodide itself where CONVLAB_PYODIDE names a folder with its files. The page
is the same, and so is all that a cell shows.
"""

from __future__ import annotations

import builtins
import importlib.util
import json
import os
import platform
import sys
from pathlib import Path

import pytest

import local
import notebooks
import pyodide_release
from accessibility import violations
from convlab import exercises

STATIC = local.ROOT / "book" / "_static" / "python"
PADDING = "padding"
EXERCISE = "cell-padding-43"
WRONG = "answer = (1, 1)\ncheck('padding.zeros_before_and_after', answer)"
RIGHT = "answer = (0, 1)\ncheck('padding.zeros_before_and_after', answer)"
LONGEST = 240_000  # milliseconds: Pyodide on a busy machine
STAND_IN = """
self.onmessage = async ({ data }) => {
  const answer = await fetch("/stand-in", { method: "POST", body: JSON.stringify(data) });
  for (const message of await answer.json()) self.postMessage(message);
};
"""


def module(name):
    spec = importlib.util.spec_from_file_location(name, STATIC / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


class StandIn:
    """Does what the worker does, in this process."""

    def __init__(self):
        self.kernel_module, self.needs = module("kernel"), module("needs")
        self.told = []

    def answer(self, data):
        self.number, self.told = data["number"], []
        try:
            reply = {"result": getattr(self, data["task"])(data)}
        except Exception as error:
            reply = {"error": str(error)}
        return [*self.told, {"reply": self.number, **reply}]

    def start(self, data):
        self.kernel = self.kernel_module.Kernel(self.tell)
        total = data["bytes"]
        self.told.append({"progress": {"loaded": total, "total": total}})
        return platform.python_version()

    def tell(self, kind, content):
        self.told.append({"output": self.number, "kind": kind, "content": json.loads(content)})

    def run(self, data):
        # Playwright's own loop runs already, and a cell without `await` waits for none.
        with pytest.raises(StopIteration) as ended:
            self.kernel.run(data["label"], data["source"]).send(None)
        return ended.value.value

    def needed(self, data):
        return self.needs.needed(data["sources"], data["wanted"], data["done"])

    def complete(self, data):
        return self.kernel.complete(data["text"])


@pytest.fixture
def stand_in(page, monkeypatch):
    for name in ("display", "input"):
        monkeypatch.setattr(builtins, name, getattr(builtins, name, None), raising=False)
    for name in ("IPython", "IPython.display"):
        monkeypatch.setitem(sys.modules, name, sys.modules.get(name))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(exercises, "_given", {})  # hints that other tests asked for
    python = StandIn()

    def answer(route):
        route.fulfill(json=python.answer(json.loads(route.request.post_data)))

    page.route("**/_static/python/worker.js", lambda route: route.fulfill(
        body=STAND_IN, content_type="text/javascript"))  # fmt: skip
    page.route("**/stand-in", answer)
    return python


def pyodide_is_here():
    try:
        return bool(pyodide_release.files_of(Path(os.environ.get("CONVLAB_PYODIDE") or "cdn")))
    except FileNotFoundError:
        return False


needs_pyodide = pytest.mark.skipif(
    not pyodide_is_here(),
    reason="Pyodide itself: CONVLAB_PYODIDE names no folder with its files; "
    "python book/_ext/pyodide_release.py FOLDER fills one",
)


@pytest.fixture(params=["stand-in", pytest.param("pyodide", marks=needs_pyodide)])
def python(request):
    """Which Python runs the cells."""
    if request.param == "stand-in":
        request.getfixturevalue("stand_in")
    return request.param


@pytest.fixture
def chapter(page, book):
    """Open a chapter; once loaded, its cells have their buttons."""

    def open_one(name=PADDING):
        page.goto(f"{book}/book/{name}.html", wait_until="domcontentloaded")
        page.wait_for_selector(".py-run", state="attached")
        return page

    page.set_default_timeout(60_000)  # a busy machine
    return open_one


def cell(page, name):
    return page.locator(f"#{name}")


def press(page, name, words="Run"):
    cell(page, name).get_by_role("button", name=words, exact=True).click()


def state(page, name):
    return cell(page, name).locator(".py-state").inner_text()


def ended(page, name):
    """Wait for the end of a cell's run, and give what it shows."""
    page.wait_for_function(
        "name => / in [0-9.]+ s/.test(document.querySelector(`#${name} .py-state`).textContent)",
        arg=name,
        timeout=LONGEST,
    )
    return cell(page, name).locator(".cell_output").inner_text()


def run(page, name):
    press(page, name)
    return ended(page, name)


def write(page, name, source):
    """Open a cell's editor and put this code in place of its own."""
    box = cell(page, name).get_by_role("textbox")
    if not box.count():
        press(page, name, "Edit")
    box.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)


def sources(page):
    return page.evaluate("PythonInPage.page.cells.map(cell => [cell.id, cell.source])")


# --- before the reader asks ----------------------------------------------------------------------


def test_nothing_is_loaded_before_the_reader_asks(page, book, chapter):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    chapter()
    page.wait_for_load_state("networkidle")
    late = ("editor.min.js", "worker.js", "kernel.py", ".whl", "pyodide")
    assert [url for url in asked if "python/page.js" in url]
    assert [url for url in asked if any(name in url for name in late)] == []
    assert not page.locator(".py-bar").is_visible()


def test_folded_cells_stay_folded(chapter):
    page = chapter()
    folded = cell(page, "cell-padding-44")
    assert not folded.locator(".py-run").is_visible()
    folded.locator("summary").first.click()
    assert folded.locator(".py-run").is_visible()


# --- the editor ----------------------------------------------------------------------------------


def test_editor_shows_the_code_and_says_how_to_leave(chapter):
    page = chapter()
    press(page, EXERCISE, "Edit")
    box = page.get_by_role("textbox", name="Code of cell 20")
    assert "answer = ...  # your answer" in box.inner_text()
    note = box.get_attribute("aria-describedby")
    assert "Escape leaves the editor" in page.locator(f"#{note}").text_content()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "textbox"


def test_editor_opens_where_the_reader_clicked(chapter):
    page = chapter()
    comment = cell(page, EXERCISE).locator("pre .c1")
    size = comment.bounding_box()
    comment.click(position={"x": size["width"] - 1, "y": size["height"] / 2})
    page.wait_for_function("document.activeElement.getAttribute('role') === 'textbox'")
    page.keyboard.type("!")
    first = dict(sources(page))["padding-43"].splitlines()[0]
    assert first == "answer = ...  # your answer: (before, after)!"


def test_tab_indents_and_escape_leaves(chapter):
    page = chapter()
    write(page, EXERCISE, "x = 1")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    assert dict(sources(page))["padding-43"] == "    x = 1"
    page.keyboard.press("Shift+Tab")
    assert dict(sources(page))["padding-43"] == "x = 1"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Run"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") != "textbox"


def test_new_line_is_indented_as_python_is(chapter):
    page = chapter()
    write(page, EXERCISE, "def f(x):")
    page.keyboard.press("Control+End")
    page.keyboard.type("\nreturn x")
    assert dict(sources(page))["padding-43"] == "def f(x):\n    return x"


def test_editor_has_the_colours_of_the_page(chapter):
    page = chapter()
    write(page, EXERCISE, "import x  # why\ny = 'text'")
    for text, colour in (("import", "kn"), ("# why", "c1"), ("'text'", "s1")):
        assert cell(page, EXERCISE).locator(f".cm-line .{colour}").first.inner_text() == text


def test_code_is_kept_for_the_next_visit_until_it_is_reset(chapter):
    page = chapter()
    original = dict(sources(page))["padding-43"]
    write(page, EXERCISE, "answer = 'mine'")
    page = chapter()
    assert dict(sources(page))["padding-43"] == "answer = 'mine'"
    assert "answer = 'mine'" in cell(page, EXERCISE).locator("pre").first.inner_text()
    press(page, EXERCISE, "Reset")
    assert dict(sources(page))["padding-43"] == original
    assert page.evaluate("localStorage.getItem('python-in-page:book/padding')") is None
    assert dict(sources(chapter()))["padding-43"] == original


def test_all_code_is_reset_at_once(chapter):
    page = chapter()
    before = sources(page)
    write(page, EXERCISE, "mine")
    write(page, "cell-padding-04", "mine, too")
    page = chapter()
    page.get_by_role("button", name="Reset all").click()
    assert sources(page) == before
    assert not page.get_by_role("button", name="Reset all").is_visible()


# --- running -------------------------------------------------------------------------------------


def test_figure_appears_under_its_cell(chapter, python):
    page = chapter()
    printed = cell(page, "cell-padding-04").locator("img").get_attribute("src")
    run(page, "cell-padding-04")
    image = cell(page, "cell-padding-04").locator(".cell_output img")
    assert image.get_attribute("src").startswith("data:image/png;base64,")
    assert image.get_attribute("src") != printed
    assert image.get_attribute("alt").startswith("A 5 by 5 image of ones")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_cells_above_that_a_cell_needs_run_first(chapter, python):
    page = chapter()
    run(page, "cell-padding-08")
    assert "after cells 1 and 3, which it needs" in state(page, "cell-padding-08")
    assert state(page, "cell-padding-04") == ""
    run(page, "cell-padding-08")
    assert "which it needs" not in state(page, "cell-padding-08")


def test_wrong_answer_is_refused_and_the_right_one_accepted(chapter, python):
    page = chapter()
    assert "Waiting for your answer" in run(page, EXERCISE)
    write(page, EXERCISE, WRONG)
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"document.querySelector('#{EXERCISE} mark, #{EXERCISE} table')")
    assert "Not yet" in ended(page, EXERCISE)
    write(page, EXERCISE, RIGHT)
    assert "Right: padding.zeros_before_and_after" in run(page, EXERCISE)


def test_first_exercise_is_solved_with_three_clicks(chapter, python):
    page, exercise = chapter("start"), "cell-start-16"
    page.get_by_role("link", name="Solve something now").click()
    cell(page, exercise).locator("pre span", has_text="...").click()
    page.wait_for_function("document.activeElement.getAttribute('role') === 'textbox'")
    page.keyboard.type("3")
    assert dict(sources(page))["start-16"].startswith("answer = 3  # your answer")
    assert "Right: start.windows" in run(page, exercise)


def test_solution_is_shown_in_colours(chapter, python):
    page = chapter()
    folded = cell(page, "cell-padding-53")
    folded.locator("summary").click()
    assert "def same_padding" in run(page, "cell-padding-53")
    assert folded.locator(".cell_output .k").first.inner_text() == "def"


def test_errors_are_shown_and_stop_what_would_follow(chapter, python):
    page = chapter()
    source = "def f():\n    return 1 / 0\n\nprint('before')\nnp = f()"
    write(page, "cell-padding-02", source)
    shown = run(page, "cell-padding-02")
    assert shown.startswith("before")
    assert 'File "Cell 1", line 2, in f' in shown
    assert "ZeroDivisionError: division by zero" in shown
    press(page, "cell-padding-04")
    page.wait_for_function(
        "document.querySelector('#cell-padding-04 .py-state').textContent.includes('needs')"
    )
    assert "Cell 1, which this one needs, stopped" in state(page, "cell-padding-04")


def test_outputs_of_all_kinds_keep_their_order(chapter, python):
    page = chapter()
    source = "import sys\nprint('one')\nprint('two', file=sys.stderr)\n{'three': 3}"
    write(page, EXERCISE, source)
    assert run(page, EXERCISE).split() == ["one", "two", "{'three':", "3}"]
    assert cell(page, EXERCISE).locator(".stderr").inner_text().strip() == "two"


def test_markup_that_is_printed_is_text(chapter, python):
    page = chapter()
    write(page, EXERCISE, "print('<b>bold</b>')")
    assert "<b>bold</b>" in run(page, EXERCISE)
    assert cell(page, EXERCISE).locator(".cell_output b").count() == 0


def test_names_of_the_session_are_completed(chapter, python):
    page = chapter()
    run(page, "cell-padding-02")
    write(page, EXERCISE, "")
    page.keyboard.type("np.hyp")
    page.keyboard.press("Control+Space")
    page.get_by_role("option", name="hypot").wait_for()
    page.wait_for_timeout(200)  # the editor takes no key for a list that has only just appeared
    page.keyboard.press("Tab")
    assert dict(sources(page))["padding-43"] == "np.hypot"


def test_restart_forgets_what_the_cells_defined(chapter, python):
    page = chapter()
    write(page, EXERCISE, "kept = 3")
    run(page, EXERCISE)
    page.get_by_role("button", name="Restart").click()
    page.wait_for_function("PythonInPage.page.session.state === 'ready'", timeout=LONGEST)
    assert "starts afresh" in page.locator(".py-words").inner_text()
    write(page, EXERCISE, "print(kept)")
    assert "NameError" in run(page, EXERCISE)


def test_whole_chapter_runs_and_shows_what_it_was_printed_with(chapter, python):
    page = chapter()
    run(page, "cell-padding-02")
    page.get_by_role("button", name="Run all", exact=True).click()
    ended(page, "cell-padding-61")
    notebook = notebooks.read(notebooks.BOOK / "padding.ipynb")
    shown = dict(page.evaluate("PythonInPage.page.cells.map(c => [c.id, c.outputs?.kept ?? []])"))
    for one in notebooks.code_cells(notebook):
        assert texts(shown[one.id]) == texts(one.outputs), one.id
        assert pictures(shown[one.id]) == pictures(one.outputs), one.id


def texts(outputs):
    """What is printed or said in words; Pyodide has 32 bits, so that it names int64."""
    printed = "".join("".join(one["text"]) for one in outputs if one["output_type"] == "stream")
    bundles = [one["data"] for one in outputs if "data" in one]
    plain = [one["text/plain"] for one in bundles if "image/png" not in one]
    return printed, [one.replace(", dtype=int64", "") for one in plain]


def pictures(outputs):
    return sum("image/png" in one.get("data", {}) for one in outputs)


# --- what only Pyodide shows ---------------------------------------------------------------------


@needs_pyodide
def test_endless_cell_leaves_the_page_alive_and_can_be_stopped(chapter):
    page = chapter()
    write(page, EXERCISE, "print('begins', flush=True)\nwhile True: pass")
    press(page, EXERCISE)
    page.wait_for_function(
        f"document.querySelector('#{EXERCISE} .cell_output').textContent.includes('begins')"
    )
    page.wait_for_function(
        f"/Running, [1-9]/.test(document.querySelector('#{EXERCISE}').textContent)"
    )
    page.get_by_role("button", name="Stop").click()
    page.wait_for_function("PythonInPage.page.session.state === 'ready'", timeout=LONGEST)
    assert state(page, EXERCISE) == "Stopped"
    assert "begins" in cell(page, EXERCISE).locator(".cell_output").inner_text()
    write(page, EXERCISE, "6 * 7")
    assert "42" in run(page, EXERCISE)


@needs_pyodide
def test_where_memory_is_shared_a_stopped_cell_costs_no_names(page, chapter):
    isolated = {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
    }

    def isolate(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, **isolated})

    page.route("**/*", isolate)
    chapter()
    write(page, "cell-padding-04", "kept = 3")
    run(page, "cell-padding-04")
    write(page, EXERCISE, "while True: pass")
    press(page, EXERCISE)
    page.wait_for_function(
        f"/Running, [1-9]/.test(document.querySelector('#{EXERCISE}').textContent)"
    )
    page.get_by_role("button", name="Stop").click()
    assert "KeyboardInterrupt" in ended(page, EXERCISE)
    write(page, EXERCISE, "print(kept)")
    assert run(page, EXERCISE).strip() == "3"


@needs_pyodide
def test_progress_is_counted_in_bytes_to_the_end(chapter):
    page = chapter()
    page.evaluate(
        """() => {
            window.heard = [];
            PythonInPage.page.progress = (detail) => heard.push(detail);
        }"""
    )
    run(page, "cell-padding-02")
    heard = page.evaluate("heard")
    loaded = [one["loaded"] for one in heard]
    assert loaded == sorted(loaded)
    assert len(loaded) > 10
    assert 0.99 < loaded[-1] / heard[-1]["total"] < 1.01


@needs_pyodide
def test_page_says_that_numba_is_absent_and_what_that_means(chapter):
    page = chapter()
    write(page, EXERCISE, "import numba\nimport numpy as np\nfrom convlab import conv2d\n"
          "x = np.ones((1, 3, 3, 1))\nconv2d(x, np.ones((1, 1, 1, 1)), implementation='parallel')"
    )  # fmt: skip
    shown = run(page, EXERCISE)
    assert "Left out here: numba." in shown
    assert shown.count("does not run in a web page") == 2
    assert "without Numba" in page.locator(".py-about").inner_text()


@needs_pyodide
def test_endless_answer_is_refused_with_its_reason(chapter):
    page = chapter()
    source = "def same_padding(*_):\n    while True:\n        pass\n\n"
    write(page, "cell-padding-51", source + "check('padding.same_padding', same_padding)")
    assert "Still running after" in run(page, "cell-padding-51")


# --- saving --------------------------------------------------------------------------------------


def test_page_is_saved_as_a_notebook_with_the_readers_code(chapter, python, tmp_path):
    page = chapter()
    write(page, EXERCISE, RIGHT)
    run(page, EXERCISE)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "padding.ipynb"
    download.value.save_as(tmp_path / "mine.ipynb")
    saved = notebooks.read(tmp_path / "mine.ipynb")
    notebooks.nbformat.validate(saved)
    mine = {one.id: one for one in saved.cells}
    assert mine["padding-43"].source == RIGHT
    assert "Right" in mine["padding-43"].outputs[0]["data"]["text/plain"]
    assert mine["padding-01"].source.startswith("(chapter-padding)=")
    assert mine["padding-04"].outputs


# --- where it cannot run -------------------------------------------------------------------------


def test_page_from_a_file_says_what_to_do(browser, book_folder):
    page = browser.new_page()
    page.goto((book_folder / "book" / "padding.html").as_uri())
    press(page, EXERCISE)
    assert "`make book` starts one" in page.locator(".py-words").inner_text()
    page.close()


def test_failed_start_is_told_and_can_be_tried_again(chapter, stand_in):
    page = chapter()
    stand_in.start = lambda data: 1 / 0
    press(page, EXERCISE)
    page.wait_for_function("PythonInPage.page.session.state === 'failed'")
    assert "division by zero. Run a cell to try again." in page.locator(".py-words").inner_text()
    del stand_in.start  # the class has the one that works
    assert "Waiting for your answer" in run(page, EXERCISE)


# --- for everyone --------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [
    {"theme": theme, "width": width} for theme in ("light", "dark") for width in (320, 768, 1280)
], indirect=True, ids=lambda given: f"{given['theme']}-{given['width']}")  # fmt: skip
def test_cells_at_work_violate_nothing_and_fit_the_page(page, chapter, stand_in):
    chapter()
    run(page, "cell-padding-04")
    write(page, "cell-padding-02", "print('x' * 300)\nprint('y\\n' * 80)\n1 / 0")
    run(page, "cell-padding-02")
    write(page, EXERCISE, WRONG)
    run(page, EXERCISE)
    at_work = ["#cell-padding-04", "#cell-padding-02", f"#{EXERCISE}", ".py-bar"]
    assert violations(page, {"include": [[part] for part in at_work]}) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_whole_way_to_a_solved_exercise_needs_no_pointer(page, chapter, stand_in):
    chapter()
    cell(page, EXERCISE).get_by_role("button", name="Edit").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.getAttribute('role') === 'textbox'")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(RIGHT)
    page.keyboard.press("Shift+Enter")
    assert "Right" in ended(page, EXERCISE)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Run"
