"""Quick questions in a real browser: answered by pointer and keyboard, replied to, remembered."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

import local

FILES = sorted((local.ROOT / "book" / "questions").glob("*.toml"))
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)

# Answers a question as a reader does: by typing, choosing or pressing, and then "Check".
ANSWER = """
([id, given]) => {
  const form = document.getElementById(id), data = JSON.parse(form.dataset.question);
  const press = (element) => element.click();
  if (data.kind === "number") form.querySelector("input").value = [given].flat().join(" ");
  if (data.kind === "choice") press(form.querySelectorAll("input[type=radio]")[given - 1]);
  if (data.kind === "order") {
    const buttons = [...form.querySelectorAll(".question-order button")];
    buttons.filter((button) => button.firstChild.textContent).forEach(press);
    given.forEach((entry) => press(buttons[entry - 1]));
  }
  if (data.kind === "cell") {
    const rows = data.grid, buttons = [...form.querySelectorAll(".question-grid button")];
    const index = (r, c) => rows.slice(0, r - 1).reduce((n, row) => n + row.length, 0) + c - 1;
    const on = buttons.filter((button) => button.getAttribute("aria-pressed") === "true");
    if (data.answer.length > 1) on.forEach(press);
    given.forEach(([r, c]) => press(buttons[index(r, c)]));
  }
  form.requestSubmit();
  return [form.dataset.state, form.querySelector(".question-reply").innerText];
}
"""


def open_chapter(page: Any, book: str, chapter: str) -> None:
    page.goto(f"{book}/book/{chapter}.html", wait_until="domcontentloaded")
    page.wait_for_selector("form.question .question-check", state="attached")


def identity(chapter: str, name: str) -> str:
    return f"question-{chapter}-{name}".replace("_", "-")


def plain(text: str) -> str:
    """A reply without its marks for code and emphasis."""
    return text.replace("`", "").replace("*", "")


@each_file
def test_each_key_is_accepted_and_each_named_mistake_gets_its_own_reply(open_page, book, file):
    page = open_page(book)
    open_chapter(page, book, file.stem)
    questions = tomllib.loads(file.read_text(encoding="utf-8"))
    for name, entry in questions.items():
        form = identity(file.stem, name)
        for wrong, reply, *_ in entry["wrong"]:
            if entry.get("grid") and len(entry["answer"]) == 1 and len(wrong) > 1:
                continue  # where one cell is asked for, nobody can press two
            state, said = page.evaluate(ANSWER, [form, wrong])
            assert (state, plain(reply) in said) == ("wrong", True), (name, wrong, said)
        state, said = page.evaluate(ANSWER, [form, entry["answer"]])
        assert (state, plain(entry["right"]) in said) == ("right", True), (name, said)
    told = page.locator(".question-tally")
    if told.count():
        assert told.inner_text() == f"Questions: {len(questions)} of {len(questions)}"
        current = page.locator(".part-progress [aria-current]")
        assert current.get_attribute("data-done") is not None


def test_answers_are_remembered_until_the_reader_asks_again(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    form = page.locator("#question-kernel-slope")
    page.evaluate(ANSWER, ["question-kernel-slope", -16])
    page.reload(wait_until="domcontentloaded")
    assert form.get_attribute("data-state") == "right"
    assert form.get_by_role("textbox").input_value() == "−16"
    form.get_by_role("button", name="Ask me again").click()
    assert form.get_attribute("data-state") is None
    page.reload(wait_until="domcontentloaded")
    assert form.get_attribute("data-state") is None


def test_answer_is_shown_after_two_mistakes_and_does_not_count(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    form = page.locator("#question-kernel-slope")
    show = form.get_by_role("button", name="Show the answer")
    page.evaluate(ANSWER, ["question-kernel-slope", 1])
    assert not show.is_visible()
    page.evaluate(ANSWER, ["question-kernel-slope", 2])
    show.click()
    assert form.get_by_role("textbox").input_value() == "−16"
    assert form.get_by_role("status").inner_text().startswith("The answer.")
    assert page.locator(".question-tally").inner_text().startswith("Questions: 0 of")


@pytest.mark.parametrize(
    "typed", ["4.5", "4,5", " 9/2 ", "4.50", "9 / 2", "+4.5"], ids=lambda typed: repr(typed)
)
def test_number_is_taken_as_people_write_it(open_page, book, typed):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    form = page.locator("#question-kernel-ones")
    form.get_by_role("textbox").fill(typed)
    form.get_by_role("textbox").press("Enter")
    assert form.get_attribute("data-state") == "right"


@pytest.mark.parametrize("typed", ["", "four", "4 5", "1/0", "--", "4..5"])
def test_what_is_no_number_is_asked_for_again_and_costs_nothing(open_page, book, typed):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    form = page.locator("#question-kernel-ones")
    form.get_by_role("textbox").fill(typed)
    form.get_by_role("textbox").press("Enter")
    assert form.get_attribute("data-state") == "asks"
    assert "Type one number" in form.get_by_role("status").inner_text()
    assert "kernel.ones" not in (page.evaluate("localStorage['convlab-questions']") or "")


def test_every_kind_is_answered_with_the_keyboard_alone(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "padding")
    page.locator("#question-padding-dark input").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#question-padding-dark").get_attribute("data-state") == "right"

    open_chapter(page, book, "kernel")
    page.locator("#question-kernel-lowest .question-grid button").first.focus()
    for key in ("ArrowDown", "ArrowRight", "Space", "Tab", "Enter"):
        page.keyboard.press(key)
    assert page.locator("#question-kernel-lowest").get_attribute("data-state") == "right"

    page.locator("#question-kernel-prices .question-order button").last.focus()
    for key in ("Space", "Shift+Tab", "Space", "Shift+Tab", "Space", "Tab", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    assert page.locator("#question-kernel-prices").get_attribute("data-state") == "right"


def test_screen_readers_hear_what_each_part_is(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    form = page.get_by_role("form", name="Question 5: point at it")
    cell = form.get_by_role("button", name="cell, row 2, column 3")
    cell.click()
    assert cell.get_attribute("aria-pressed") == "true"
    order = page.get_by_role("form", name="Question 6").get_by_role("group")
    order.get_by_role("button").nth(2).click()
    assert "number 1" in order.get_by_role("button").nth(2).inner_text()
    assert form.get_by_role("status").get_attribute("role") == "status"


@pytest.mark.parametrize(
    "stored",
    ["not json", "[]", json.dumps({"kernel.slope": {"given": [[9, 9]], "tries": 1}}), "null"],
)
def test_page_survives_what_others_left_in_the_storage(open_page, book, stored):
    page = open_page(book)
    page.add_init_script(f"localStorage.setItem('convlab-questions', {json.dumps(stored)})")
    open_chapter(page, book, "kernel")
    assert page.evaluate(ANSWER, ["question-kernel-slope", -16])[0] == "right"


def test_without_scripts_the_question_stands_there_with_its_choices(browser, book):
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{book}/book/padding.html")
    form = page.locator("#question-padding-dark")
    assert form.locator("li").count() == 4
    assert form.get_by_text("very strongly").is_visible()
    assert not form.get_by_role("button").count()
    page.close()


def test_on_paper_questions_are_asked_and_not_answered(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    page.evaluate(ANSWER, ["question-kernel-slope", -16])
    page.emulate_media(media="print")
    form = page.locator("#question-kernel-slope")
    assert form.get_by_text("What does the cell say?").is_visible()
    assert not form.locator(".question-reply").is_visible()


def test_a_reader_solves_something_within_three_clicks_of_the_cover(open_page, book):
    page = open_page(book)
    page.goto(f"{book}/book/start.html", wait_until="domcontentloaded")
    form = page.locator("form.question").first
    form.locator(".question-grid button").nth(12).click()
    form.get_by_role("button", name="Check").click()
    assert form.get_attribute("data-state") == "right"


def test_two_numbers_are_asked_for_where_one_was_typed(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "feature_map")
    form = page.locator("#question-feature-map-maps")
    form.get_by_role("textbox").fill("15")
    form.get_by_role("button", name="Check").click()
    assert "Type 2 numbers, with spaces between: 4 8, say." in form.inner_text()
    assert "Not yet" not in form.inner_text()


def test_an_entry_that_is_pressed_again_is_taken_back_alone(open_page, book):
    page = open_page(book)
    open_chapter(page, book, "kernel")
    entries = page.locator("#question-kernel-prices .question-order button")
    for at in (0, 1, 2, 0):
        entries.nth(at).click()
    assert [one.split("\n")[0] for one in entries.locator(".question-place").all_inner_texts()] == [
        "", "1", "2",
    ]  # fmt: skip
