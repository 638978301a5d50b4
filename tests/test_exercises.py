"""Exercises: what every one of them must do, and what no answer may do to the kernel."""

import ast
import contextlib
import contextvars
import os
import re
import subprocess
import sys
import threading
import time
import types
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from convlab.exercises import _given as hints_given
from convlab.exercises import chapters, check, exercise, exercises, hint, integers, solution
from convlab.exercises._check import check_answer
from convlab.exercises._diagnosis import diagnose
from convlab.exercises._drawing import comparison, draw, panels_html, panels_text
from convlab.exercises._limits import Printed, Stop, _traced, run_limited
from convlab.exercises._registry import find
from convlab.exercises._values import Foreign, plain, same, shown

# --- every exercise of the book ------------------------------------------------------------------


def every_exercise():
    """All exercises by name; a chapter that cannot be imported fails in a test of its own."""
    found = {}
    for chapter in chapters():
        with contextlib.suppress(Exception):
            found |= exercises(chapter)
    return found


ALL = every_exercise()
FUNCTIONS = [name for name, known in ALL.items() if known.takes_function]
VALUES = [name for name, known in ALL.items() if not known.takes_function and not known.judging]
MISTAKES = [
    pytest.param(name, number, id=f"{name}-{number}-{mistake.name[:20]}")
    for name, known in ALL.items()
    for number, mistake in enumerate(known.mistakes)
]


@pytest.mark.parametrize("chapter", chapters())
def test_chapter_has_exercises_enough(chapter):
    assert len(exercises(chapter)) >= (1 if chapter == "start" else 3)


@pytest.mark.parametrize("name", ALL)
def test_solution_passes(name):
    result = check(name, solution(name).answer)
    assert result.passed, result
    assert ALL[name].why in repr(result).replace("\n  ", " ")


@pytest.mark.parametrize(("name", "number"), MISTAKES)
def test_mistake_is_refused_with_its_own_hint(name, number):
    mistake = ALL[name].mistakes[number]
    result = check(name, mistake.answer)
    assert not result.passed
    assert mistake.means in result.remarks, result


@pytest.mark.parametrize("name", ALL)
def test_two_mistakes_are_known_at_least_and_each_has_its_own_words(name):
    meanings = [mistake.means for mistake in ALL[name].mistakes]
    assert len(meanings) >= 2
    assert len(set(meanings)) == len(meanings)


@pytest.mark.parametrize("name", ALL)
def test_hints_are_graded(name):
    hints = ALL[name].hints
    assert len(hints) >= 2
    assert len(set(hints)) == len(hints)
    for level, text in enumerate(hints, start=1):
        shown = " ".join(repr(hint(name, level)).split())
        assert " ".join(text.split()) in shown
        assert shown.startswith(f"Hint {level} of {len(hints)}")


@pytest.mark.parametrize("name", ALL)
def test_texts_are_whole_sentences_that_a_terminal_can_show(name):
    known = ALL[name]
    texts = [known.task, known.why, *known.hints, *(mistake.means for mistake in known.mistakes)]
    for text in texts:
        assert text.strip(), name
        assert text.rstrip()[-1] in ".?!:`", text
        assert text.count("`") % 2 == 0, text
        assert "$" not in text, text


@pytest.mark.parametrize("name", ALL)
def test_stub_waits(name):
    for stub in (..., None, [..., 1], {"kernel": ...}):
        assert check(name, stub).verdict == "Waiting for your answer"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_stub_waits(name):
    for stub in (lambda *_: ..., lambda *_: None, not_written, half_written, halves):
        assert check(name, stub).verdict == "Waiting for your answer"


def not_written(*_):
    """Write me."""
    raise NotImplementedError


def half_written(*_):
    windows = ...
    return windows + 1


def halves(*_):
    before, after = ..., 1
    return before, after


@pytest.mark.parametrize("name", FUNCTIONS)
def test_answer_may_return_lists(name):
    def as_lists(*arguments):
        result = solution(name).answer(*arguments)
        return listed(result)

    def listed(value):
        if isinstance(value, tuple):  # its parts may have different shapes
            return [listed(part) for part in value]
        return value.tolist() if isinstance(value, np.ndarray) else value

    assert check(name, as_lists).passed


@pytest.mark.parametrize("name", VALUES)
def test_right_value_is_not_given_away(name):
    known = ALL[name]
    for mistake in known.mistakes:
        titles = [panel.title for panel in check(name, mistake.answer).panels]
        assert not any(title.startswith("expected") for title in titles)


@pytest.mark.parametrize("name", ALL)
def test_answers_are_the_same_twice_and_have_no_address(name):
    for answer in (..., solution(name).answer, ALL[name].mistakes[0].answer):
        first, second = check(name, answer), check(name, answer)
        assert repr(first) == repr(second)
        assert first._repr_html_() == second._repr_html_()
        assert not re.search("0x[0-9a-f]{6}", repr(first))
        ElementTree.fromstring(first._repr_html_())


@pytest.mark.parametrize("name", ALL)
def test_solution_shows_its_code_and_nothing_else(name):
    shown_solution = solution(name)
    (definition,) = ast.parse(shown_solution.source).body
    assert definition.name == name.partition(".")[2]
    assert ast.get_docstring(definition) is None
    assert not definition.decorator_list
    assert repr(shown_solution) == shown_solution.source
    assert shown_solution._repr_markdown_() == f"```python\n{shown_solution.source}\n```"


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("padding.corner_raeds", r'There is no exercise .* Did you mean "padding.corner_reads"\?'),
        ("pading.corner_reads", r'There is no chapter .pading.* Did you mean "padding"\? Chapters'),
        ("_check.check_answer", "There is no chapter '_check'"),
        ("padding", r'"padding.corner_reads": chapter, dot, exercise. Received: name=.padding.'),
    ],
)
def test_unknown_name_is_refused_with_the_nearest(name, message):
    for ask in (check, hint, solution):
        with pytest.raises(ValueError, match=message):
            ask(name)


def test_name_must_be_text():
    with pytest.raises(TypeError, match=r"`name` must be text .* Received: name of type function"):
        check(lambda: 0, "padding.corner_reads")


def test_each_call_gives_the_next_hint_and_the_last_one_again():
    hints_given.pop("padding.same_padding", None)
    assert [hint("padding.same_padding").level for _ in range(4)] == [1, 2, 3, 3]
    assert "solution(" in repr(hint("padding.same_padding"))
    assert "solution(" not in repr(hint("padding.same_padding", 1))


def test_later_hints_are_folded_one_in_another_on_a_page():
    shown, *folded = hint("padding.same_padding", 1)._repr_html_().split("<details>")
    assert len(folded) == 2
    assert "Hint 1 of 3" in shown
    assert "solution(" not in shown + folded[0]
    assert "solution(" in folded[1]


@pytest.mark.parametrize("level", [0, 4, "2"])
def test_hint_level_must_exist(level):
    with pytest.raises(ValueError, match=r"from 1 to 3. Received: level="):
        hint("padding.same_padding", level)


# --- what an answer may do -----------------------------------------------------------------------


@exercise(
    cases=[np.array([[5, 6, 7], [8, 9, 10]]), np.array([1, 2]), np.array([3, 4, 5])],
    hints=["Look.", "Add."],
    why="Because.",
    seconds=5,
)
def twice(x):
    """Write `twice(x)`."""
    return 2 * x


twice.mistake(lambda x: x, means="You returned the input.")
twice.mistake(lambda x: 2 * x[::-1], means="You turned it round.")


@exercise(hints=["Think.", "Count."], why="So it is.")
def pair():
    """Write the pair."""
    return (3, 4)


pair.mistake((4, 3), means="You exchanged them.")


@exercise(hints=["Think.", "Count."], why="So it is.")
def row():
    """Write the row."""
    return [3, 4]


def refused(answer, *words, asked=twice):
    """The result of a wrong answer, in which all of the words must stand."""
    result = check_answer(asked, answer)
    assert not result
    assert result.verdict == "Not yet"
    text = " ".join(repr(result).split())
    for word in words:
        assert re.search(word, text), f"{word!r} is not in {result}"
    ElementTree.fromstring(result._repr_html_())
    return result


@pytest.fixture
def short(monkeypatch):
    """The exercise `twice` with little time."""
    monkeypatch.setattr(twice, "seconds", 0.2)
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 10


def forever(x):
    while True:
        pass


def forever_printing(x):
    while True:
        print("hello", x)


def forever_catching(x):
    while True:
        try:
            len(x)
        except:  # noqa: E722
            continue


def sometimes_forever(x):
    while len(x) > 2:
        pass
    return 2 * x


@pytest.mark.parametrize("answer", [forever, forever_printing, forever_catching])
def test_endless_loop_is_stopped(answer, short):
    threads = threading.active_count()
    refused(answer, r"twice\(x\)", r"Still running after 0.2 seconds, so it was stopped")
    assert threading.active_count() == threads
    assert check_answer(twice, lambda x: x + x).passed


def test_endless_loop_is_shown_with_the_case_that_caused_it(short):
    result = refused(sometimes_forever, "Still running")
    assert result.panels[0].rows == (("3", "4", "5"),)


def test_loop_that_cannot_be_stopped_is_reported(short, monkeypatch):
    monkeypatch.setattr("convlab.exercises._limits.ATTEMPTS", 2)
    released = threading.Event()
    refused(lambda x: released.wait(), "goes on in the background: restart the kernel")
    released.set()


def test_endless_loop_is_stopped_where_there_are_no_threads(short, monkeypatch):
    def no_threads(thread):
        raise RuntimeError("can't start new thread")

    trace = sys.gettrace()
    monkeypatch.setattr(threading.Thread, "start", no_threads)
    refused(forever, "Still running after 0.2 seconds")
    assert check_answer(twice, lambda x: x + x).passed
    assert sys.gettrace() is trace


def test_trace_stops_a_recursion_through_many_short_calls():
    def branch(depth=60):
        return depth and branch(depth - 1) + branch(depth - 1)

    assert _traced(branch, 0.1) == "stopped"


def test_interrupt_from_the_keyboard_stops_the_answer_and_is_passed_on(short, monkeypatch):
    def interrupt(worker, seconds):
        raise KeyboardInterrupt

    threads = threading.active_count()
    monkeypatch.setattr("convlab.exercises._limits._Worker.wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        check_answer(twice, forever)
    assert threading.active_count() == threads


def test_answer_that_swallows_the_stop_is_not_taken_for_finished(short):
    def late(x):
        try:
            forever(x)
        except BaseException:
            return 2 * x

    assert not check_answer(twice, late).passed


def test_answer_runs_in_the_context_of_its_caller_and_leaves_threads_as_they_are():
    setting = contextvars.ContextVar("setting", default=0)
    setting.set(2)
    usual = threading.stack_size(0)
    assert check_answer(twice, lambda x: setting.get() * x).passed
    assert threading.stack_size(usual) == 0


def raising(error):
    def answer(x):
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no\nway"), "ValueError: no way, in line 2 of your function: `raise error`"),
        (SystemExit(3), "SystemExit: 3.* It asks Python to end"),
        (KeyboardInterrupt(), "KeyboardInterrupt, in line 2 .* It interrupts Python"),
        (GeneratorExit(), "GeneratorExit"),
        (MemoryError(), "MemoryError.* more memory than there is"),
        (ValueError("x" * 10_000), r"xxx\.\.\., in line 2"),
        (TypeError(f"bad {object()}"), "bad <object object>"),
    ],
)
def test_exception_is_reported(error, words):
    refused(raising(error), "It stops with an error", words)


def test_one_full_stop_is_enough():
    text = str(check("kernel.motion_blur", [0.5, 0.5]))
    assert "filters. " in " ".join(text.split())
    assert ".." not in text.replace("...", "")


def test_endless_recursion_is_reported():
    def answer(x):
        return answer(x)

    refused(answer, "RecursionError", "calls itself without coming to an end")


def test_exception_with_hostile_text_is_reported():
    class Hostile(Exception):
        def __str__(self):
            raise SystemExit

    refused(raising(Hostile()), "It stops with an error")


def test_error_in_one_case_only_is_shown_with_that_case():
    result = refused(lambda x: 2 * x + 0 * x[2], "Right in 1 of 3", "IndexError")
    assert result.panels[0].rows == (("1", "2"),)


def test_changing_the_input_is_told():
    def doubling_in_place(x):
        x *= 2
        return x

    refused(doubling_in_place, "result is right, but your function changes its input `x`", "copy")


def test_cases_survive_an_answer_that_changes_them():
    def spoiling(x):
        x[...] = 0
        return x

    refused(spoiling)
    assert check_answer(twice, lambda x: x + x).passed


def test_printing_is_shown_shortened_and_goes_nowhere_else(capsys):
    def chatty(x):
        for number in range(100_000):
            print("line", number)
        print("problem", file=sys.stderr)
        return x

    result = refused(chatty, "Your answer printed: line 0 line 1")
    assert len(result.printed.splitlines()) == 9
    assert capsys.readouterr() == ("", "")


def test_exit_in_a_notebook_does_not_end_the_kernel(monkeypatch):
    class Shell:
        def ask_exit(self):
            raise AssertionError("the kernel ends")

    shell = Shell()
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    refused(lambda x: shell.ask_exit(), "SystemExit")
    with pytest.raises(AssertionError, match="the kernel ends"):
        shell.ask_exit()


class Hostile:
    """Nothing about it may be asked."""

    def __getattribute__(self, name):
        if name == "__class__":
            return object.__getattribute__(self, name)
        raise SystemExit

    __repr__ = __eq__ = __hash__ = __len__ = __bool__ = None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: (2 * number for number in x), "gives a generator.*list"),
        (lambda x: x.sum, "gives the function sum"),
        (lambda x: "ten", "gives text; asked for is an array"),
        (lambda x: object(), "gives an object"),
        (lambda x: Hostile(), "."),
        (lambda x: int, "gives the class int"),
        (lambda x: x * 1j, "array of dtype complex128"),
        (lambda x: {"a": 1}, "gives a dict"),
        (lambda x: 7, "gives one number; asked for is an array"),
        (lambda x: x[:0], "gives an empty list; asked for is an array"),
        (lambda x: x * np.nan, "NaN"),
        (lambda x: x / np.zeros(x.shape), "infinity"),
        (lambda x: np.zeros(3_000_000), r"has .* numbers too many"),
        (lambda x: range(10**12), "a range of 1,000,000,000,000 items"),
        (lambda x: [[1], [2, 3]], "rows have different lengths"),
        (lambda x: [10**400, 1], "rows have different lengths, or hold other things"),
        (lambda x: ["2", "4"], "It holds text; asked for are numbers"),
        (lambda x: [np.eye(2), np.eye(3)], "Its parts have different shapes"),
        (lambda x: 2 * x[None], "numbers are right; .* too many axes of length 1"),
        (lambda x: print(x.shape), "gives `None`. Is a `return` missing"),
    ],
)
def test_strange_result_is_named(answer, words):
    with np.errstate(all="ignore"):
        refused(answer, words)


def test_list_that_holds_itself_is_survived():
    def answer(x):
        items = []
        items.append(items)
        return items

    refused(answer, "RecursionError")


def test_async_function_is_named():
    async def answer(x):
        return 2 * x

    refused(answer, "gives a coroutine.*Write `def`, not `async def`")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            7,
            r"function of \(x\). You gave a value.*check\(\"test_exercises.twice\", twice\)",
        ),
        (lambda: 7, r"function of \(x\). Yours takes \(\)"),
        (lambda a, b: a, r"Yours takes \(a, b\)"),
    ],
)
def test_wrong_form_is_named(answer, words):
    refused(answer, words)


def test_function_in_place_of_a_value_is_named():
    refused(lambda: (3, 4), "Asked for is a value. You gave a function", asked=pair)


def test_function_is_suggested_by_the_name_that_the_task_gives_it():
    @exercise(cases=[1], hints=[])
    def other_name(number):
        """Write `between(number)`."""
        return number

    refused(
        7,
        r"without calling it: `check\(\"test_exercises.other_name\", between\)`",
        asked=other_name,
    )
    other_name.solution.__doc__ = "Find one."
    assert "check(" not in str(refused(7, "without calling it.", asked=other_name))


@pytest.mark.parametrize(
    "answer", [[3, 4], (3.0, 4), np.array([3, 4], np.float32), (np.int8(3), 4)]
)
def test_value_may_come_in_any_form_that_means_the_same(answer):
    assert check_answer(pair, answer).passed


@pytest.mark.parametrize("answer", [len, type, np.negative, Foreign])
def test_functions_that_are_no_python_functions_are_judged(answer):
    refused(answer)


def test_tensor_of_another_library_is_an_array():
    class Tensor:
        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return self.values

    assert check_answer(twice, lambda x: Tensor(2 * x)).passed
    assert type(plain(Tensor(np.array(4)))) is int


# --- which mistake -------------------------------------------------------------------------------


def test_mistake_is_recognised_in_other_words_and_types():
    refused(lambda x: [float(number) for number in np.ravel(x)], asked=twice)
    result = refused(lambda x: (x + 0.0).tolist())
    assert result.remarks[0] == "You returned the input."


def test_mistake_is_named_where_the_answer_fails_like_it_in_most_cases():
    result = refused(lambda x: x if x.size > 2 else 2 * x, "Right in 1 of 3")
    assert result.remarks[0] == "Where it fails, this fits: You returned the input."


def test_mistake_is_not_named_for_a_rare_failure():
    result = refused(lambda x: x if x.ndim == 2 else 2 * x, "Right in 2 of 3")
    assert "returned the input" not in repr(result)


def test_smallest_failing_case_is_shown_side_by_side():
    result = refused(
        lambda x: 2 * x + (x.size > 2), "Right in 1 of 3 cases. The smallest that fails"
    )
    assert repr(result) == (
        "✗ Not yet: test_exercises.twice\n"
        "  Right in 1 of 3 cases. The smallest that fails:\n"
        "  `twice(x)`\n"
        "  x           expected     received, [wrong]\n"
        "  ┌───────┐   ┌────────┐   ┌──────────────┐\n"
        "  │ 3 4 5 │   │ 6 8 10 │   │ [7] [9] [11] │\n"
        "  └───────┘   └────────┘   └──────────────┘\n"
        "  Every number is 1 too large.\n"
        '  More help: `hint("test_exercises.twice")`.'
    )


def test_result_is_true_where_it_passed():
    assert bool(check_answer(pair, (3, 4))) is True
    assert bool(check_answer(pair, ...)) is False


# --- open exercises ------------------------------------------------------------------------------


@exercise(hints=["A.", "B."], why="C.")
def wide():
    """Give two numbers whose sum is 10 at least."""
    return (5, 6)


@wide.measure
def _total(numbers):
    return {"sum": numbers[0] + numbers[1]}


@wide.judge
def _large_enough(measured):
    return None if measured["sum"] >= 10 else f"The sum is {measured['sum']}."


wide.mistake((1, 2), means="You are too modest.")


def test_open_exercise_accepts_every_answer_that_meets_the_rule():
    result = check_answer(wide, [10, 0])
    assert result.passed
    assert "sum 10" in repr(result)


@pytest.mark.parametrize("answer", [np.nan, [np.inf, -np.inf]])
def test_open_exercise_does_not_accept_what_is_no_number(answer):
    @exercise(hints=[])
    def small():
        """Give numbers whose sum is 3 at most."""
        return 3

    small.measure(lambda numbers: {"sum": np.sum(numbers)})
    small.judge(lambda measured: "Too large." if measured["sum"] > 3 else None)
    assert check_answer(small, [1, 2]).passed
    with np.errstate(invalid="ignore"):
        refused(answer, "The result is NaN", asked=small)


def test_open_exercise_says_what_was_measured_and_knows_mistakes_by_it():
    refused((2, 1), "measured", "sum 3", "The sum is 3", "You are too modest", asked=wide)
    result = refused((1, 1), "The sum is 2", asked=wide)
    assert "modest" not in repr(result)


def test_open_exercise_survives_an_answer_that_cannot_be_measured_or_judged():
    refused(7, "cannot be tried. It gives one number; asked for are 2 numbers", asked=wide)
    refused([], "cannot be tried. It gives an empty list", asked=wide)
    refused(("a", "b"), "It cannot be judged", asked=wide)


@exercise(hints=["A.", "B."], why="C.")
def layer():
    """Give a layer."""
    return {"kernel": [[1, 2], [3, 4]], "bias": 1}


@layer.measure
def _built(given):
    if np.asarray(given["kernel"])[:, 0].sum() < 0:
        raise ValueError("The kernel is too dark.")
    return {"bright": given["bias"] == 1}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"kernel": [[-1], [-2]]}, "This answer cannot be tried: The kernel is too dark.$"),
        ({"bias": 1}, "cannot be tried. The dict has no 'kernel'"),
        ({"kernel": [1, 2], "bias": 1}, "cannot be tried. Look at 'kernel'. It has 1 axis"),
        (np.ones((3, 3)), "cannot be tried. It gives a table of numbers; asked for is a dict"),
        ({"kernel": [[1]], "bias": 2}, "bright .no."),
    ],
)
def test_value_that_cannot_be_measured_is_not_called_code(answer, words):
    result = check_answer(layer, answer)
    text = " ".join(repr(result).split()).removesuffix(
        ' More help: `hint("test_exercises.layer")`.'
    )
    assert result.verdict == "Not yet"
    assert re.search(words, text), text
    assert "stops" not in text


@exercise(cases=[np.arange(4)], hints=["A.", "B."], why="C.")
def moved(x):
    """Write `moved(x)`: the numbers in another order."""
    return x[::-1]


@moved.measure
def _order(answer, x):
    result = np.asarray(answer(x), float)
    return {"only moved": bool(set(result) == set(x)), "first": [result[0]]}


@moved.judge
def _only_moved(measured, x):
    return None if measured["only moved"] else "Other numbers came out."


def test_nothing_is_said_from_a_run_whose_input_was_changed():
    def in_place(x):
        x[0] = 7
        return x

    result = refused(in_place, "Your function changes its input `x`", asked=moved)
    assert "result is right" not in repr(result)
    assert [panel.title for panel in result.panels] == ["x"]


def test_wrong_result_of_a_function_that_changes_its_input_tells_both():
    def tripling_in_place(x):
        x *= 3
        return x - 1

    refused(tripling_in_place, r"expected", "It also changes its input `x`. Work on a copy")


def test_measured_answers_are_yes_or_no_and_have_no_brackets_of_their_own():
    result = refused(lambda x: x + 7, "Other numbers came out", asked=moved)
    assert result.panels[-1].rows == (("only moved", "no"), ("first", "7"))
    assert draw("x", plain({"a": "1 1", "shape": (3,)})).rows == (("a", "1 1"), ("shape", "(3,)"))


def test_result_that_cannot_be_measured_is_told_from_code_that_stops():
    refused(lambda x: "ten", "What your function gives cannot be tried: could not", asked=moved)
    refused(lambda x: x[9], "It stops with an error. IndexError", asked=moved)
    refused(lambda: 1, r"function of \(x\). Yours takes \(\)", asked=moved)


def test_index_error_that_names_the_ellipsis_is_no_stub():
    refused(lambda x: x["a"], "It stops with an error. IndexError")


def test_mistake_that_fails_is_recognised_by_its_message_too():
    @exercise(cases=[1], hints=[])
    def whole(number):
        """Write `whole(number)`."""
        return number

    whole.mistake(raising(ValueError("too dark")), means="You made it dark.")
    refused(raising(ValueError("too dark")), "You made it dark", asked=whole)
    assert "dark" not in str(check_answer(whole, raising(ValueError("too small"))))


def test_value_is_measured_and_compared_without_giving_the_right_measure_away():
    @exercise(hints=[])
    def total():
        """Give two numbers whose sum is that of 3 and 4."""
        return (3, 4)

    total.measure(lambda numbers: numbers[0] + numbers[1])
    assert check_answer(total, (6, 1)).passed
    assert [panel.title for panel in refused((1, 1), asked=total).panels] == ["received"]


def test_size_of_the_right_value_is_not_given_away():
    result = refused([3, 4, 5], asked=row)
    assert "count of numbers is not right" in repr(result)
    assert not re.search("[12]", repr(result))
    refused(3, "gives one number; asked for are several numbers", asked=row)


def test_size_of_a_tuple_is_told_as_the_task_names_its_parts():
    refused(72, "gives one number; asked for are 2 numbers", asked=pair)
    refused((3, 4, 5), "gives 3 numbers; asked for are 2 numbers", asked=pair)


# --- what is true of a wrong result --------------------------------------------------------------

GRID = np.array([[1, 2, 4], [7, 11, 16], [22, -29, 37]])
ROW = np.array([1.5, -2.25, 4, 7])
LONG = np.array([1.5, -2.25, 4, -3.5, 7, 9.25, 11, -300.5])
WIDE = np.arange(18).reshape(3, 6) ** 2
BATCH = np.arange(24).reshape(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("expected", "received", "words"),
    [
        (GRID, GRID.T, "rows and columns exchanged"),
        (GRID[:2], GRID[:2].T, "right numbers, with rows and columns exchanged"),
        (GRID, GRID[::-1], "upside down"),
        (GRID, GRID[:, ::-1], "mirrored left to right"),
        (GRID, GRID[::-1, ::-1], "turned by 180 degrees"),
        (ROW, ROW[::-1], "in reverse order"),
        (np.stack([GRID, 2 * GRID], 2), np.stack([2 * GRID, GRID], 2), "along axis 2"),
        (GRID, -GRID, "sign"),
        (LONG, np.maximum(LONG, 0), "What should be negative is 0"),
        (LONG, np.clip(LONG, 0, 7), "cut off .clipped., below and above"),
        (LONG, np.abs(LONG), "signs are lost"),
        (LONG, np.trunc(LONG), "decimals are cut off"),
        (300 * GRID, (300 * GRID) % 256, "wrap around at 256"),
        (ROW, ROW - 0.5, "Every number is 0.5 too small"),
        (ROW, ROW * 9, "Every number is 9 times the right one"),
        (ROW, ROW / 255, "Every number is 1/255 of the right one"),
        (ROW, ROW * 1.37, "too large by the same factor: something is counted twice"),
        (ROW, ROW * 0.63, "too small by the same factor: something is left out"),
        (ROW, np.array([0, *ROW[:-1]]), "one place too late"),
        (ROW, np.array([*ROW[1:], 0]), "one place too early"),
        (GRID, np.roll(GRID, 1, 1), "one place too far right"),
        (GRID, np.roll(GRID, -1, 0), "one place too far up"),
        (ROW, np.roll(ROW, 2), "right numbers in another order"),
        (GRID, np.pad(GRID[1:-1, 1:-1], 1), "right inside and wrong at the border"),
        (WIDE, WIDE + np.pad([[1, 0, 2, -1]], 1), "right at the border and wrong inside"),
        (GRID, 0 * GRID, "Every number is 0. Is the result written"),
        (ROW, ROW[:-2], "It has 2 numbers too few"),
        (GRID, np.zeros((4, 4)), "1 row too many and 1 column too many"),
        (GRID, GRID.ravel(), "order are right, the shape is not"),
        (
            np.zeros((2, 3, 4)) + 1,
            np.zeros((4, 2, 3)),
            r"axes are in another order: its shape is \(4, 2, 3\); it should be \(2, 3, 4\)",
        ),
        (BATCH, BATCH.transpose(0, 3, 1, 2), "numbers are right; the axes are in another order"),
        (GRID, GRID[None, :, :, None], "numbers are right; .* too many axes of length 1"),
        (GRID[None], GRID, "too few axes of length 1"),
        (GRID[None], np.zeros((3, 3)), "It has 2 axes; asked for is an array with 3 axes"),
        (np.ones((2, 1, 1)), np.zeros((1, 2, 1)), "axes are in another order: its shape"),
        (
            np.zeros((2, 3, 4)),
            np.zeros((2, 3, 5)),
            r"shape is \(2, 3, 5\); it should be \(2, 3, 4\)",
        ),
        (GRID, np.zeros(5), "It has 1 axis; asked for is an array with 2 axes"),
        (4, [4], "list with one number"),
        (4, "4", "leave the quotes out"),
        (4, -4, "sign"),
        (4, 5, "It is 1 too large"),
        (4, 3, "It is 1 too small"),
        ({2, 5}, {2}, "something is missing"),
        ({2, 5}, {2, 5, 7}, "Some are too many"),
        ({2, 5}, {2, 7}, "Some members are wrong, and some are missing"),
        ({2, 5}, [2, 7], "Some members are wrong, and some are missing"),
        ({2, 5}, [2], "something is missing"),
        ({2, 5}, [], "something is missing"),
        ({(1, 2), (3, 4)}, [(1, 2)], "something is missing"),
        ({(1, 2)}, [np.array([1, 2]), np.array([3, 4])], "Some are too many"),
        ({(1, 2, 3)}, (1, 2, 3), "Each member should be 3 numbers in brackets"),
        ({"row"}, [0, 1], "Each member should be text, in quotes"),
        ({2, 5}, 7, "gives one number; asked for is a list or a set"),
        ((3, 4), 72, "gives one number; asked for are 2 numbers"),
        ((3, 4), "3, 4", "gives text, asked for are 2 numbers: leave the quotes out"),
        ((3, 4), "same", "^It gives text; asked for are 2 numbers.$"),
        (4, [3, 4], "gives 2 numbers; asked for is one number"),
        (4, 3.5, "^$"),  # a mean where a sum belongs: rounding would not help
        ((3, 4), {3, 4}, "It gives a set; asked for are 2 numbers"),
        ((3, 4), (3, None), "It holds `None`; asked for are numbers"),
        ({"a": 1}, {"a": None}, "Look at 'a'. It is `None`; asked for is one number"),
        (GRID, [[1, 2], [3]], "^Its rows have different lengths.$"),
        ({"a": GRID}, {"a": 5}, "Look at 'a'. It gives one number; asked for is a table"),
        (((1, 2, 3), 4), ((1, 2, 3), 5), "Wrong: part 2. The rest is right"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "Wrong: 'b'. The rest is right"),
        ({"a": 1, "b": 2}, {"a": 1}, "The dict has no 'b'"),
        (GRID, GRID * 7 % 5, "^$"),
    ],
)
def test_diagnosis_is_true(expected, received, words):
    assert re.search(words, diagnose([(plain(expected), plain(received))]))


def test_diagnosis_must_hold_in_every_failing_case():
    flipped, other = (ROW, ROW[::-1]), (ROW, np.array([9.0, 1, 5, 3]))
    assert diagnose([flipped, flipped])
    assert diagnose([flipped, other]) == ""


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        ([21, 32, 43, 54, 5], [21, 32, 43, 45, 5]),  # was "cut off at 0 and at 45"
        ((5, 45), (5, 5)),
        ((0.5, 0.5, 0, 1), (0.5, 0.5, 0, 0.5)),
        ((5, 45), (3, 27)),  # two numbers share a ratio by chance
        ((4, 5), (3, 4)),
        ((4, 9), (0, 0)),
        ([2, -4, 14], [2, 0, 14]),
        ([1, 1, 5], [0, 1, 1]),
    ],
)
def test_few_wrong_numbers_are_no_relation(expected, received):
    assert diagnose([(plain(expected), plain(received))], secret=True) == ""


def test_exchanged_axes_are_told_of_square_and_other_results_together():
    pairs = [(GRID, GRID.T), (GRID[:2], GRID[:2].T)]
    assert diagnose(pairs) == "These are the right numbers, with rows and columns exchanged."


def test_cells_of_several_cases_make_a_relation_together():
    assert diagnose([(2, 4), (3, 6), (5, 10)]) == "The result is 2 times the right one."
    flat = np.array([[4], [4]])  # alone it could also be 4 too large
    assert "2 times" in diagnose([(flat, 2 * flat), (GRID, 2 * GRID)])


@pytest.mark.parametrize(
    ("expected", "received", "words"),
    [
        (4, 5, "^$"),
        (4, 3.5, "^Whole numbers are asked for.$"),
        ((3, 4), (3.5, 4.5), "^Whole numbers are asked for.$"),
        (GRID, np.zeros((4, 4)), "^Its shape is not the right one yet, so no number is marked.$"),
        ([1, 2, 3], [1, 2], "^The count of numbers is not right yet, so none is marked.$"),
        (4, "4", "leave the quotes out"),
        (ROW, ROW * 2, "^All numbers are too large by the same factor: [^0-9]*$"),
        (ROW, ROW / 9, "^All numbers are too small by the same factor: [^0-9]*$"),
        (ROW, ROW - 0.25, "^All numbers are too small by the same amount: [^0-9]*$"),
        (GRID, GRID.ravel(), "numbers and their order are right"),
        (GRID, GRID[None], "numbers are right; .* too many axes"),
        ([-2 / 9, 25 / 9, 1], [-0.22, 2.78, 1], "^Close: give more digits, or compute with frac"),
        ([2 / 3, 1], [0.66, 1], "^Close: give more digits"),
        ([2 / 3, 1], [0.65, 1], "^$"),
        ({"peak": 1 / 9, "sum": 1.0}, {"peak": 0.11, "sum": 0.99}, "^Close: give more digits"),
        ({"red": "0.333 1", "sum": 1}, {"red": "0.33 1", "sum": 1}, "^Close: give more digits"),
        (
            {"red": "0.333 1"},
            {"shape": (9,)},
            r"^Its shape is \(9,\); the task asks for another shape",
        ),
        ({"a": 1, "b": 2}, {"a": 2, "b": 3}, "^$"),  # the panel marks them all
    ],
)
def test_diagnosis_keeps_a_secret(expected, received, words):
    assert re.search(
        words, diagnose([(plain(expected), plain(received))], secret=True, counted=False)
    )


# --- what is the same ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        (4, 4.0),
        (4, np.int64(4)),
        (4, np.array(4)),
        (True, np.True_),
        ((0, 1), [0, 1]),
        ((0, 1), np.array([0.0, 1.0])),
        ([[1, 2]], np.array([[1, 2]])),
        (((1, 2), 3), [[1, 2], 3]),
        ({2, 5}, [5, 2, 2]),
        ({2, 5}, np.array([2, 5])),
        ({"row"}, ["Row"]),
        ({(0, 1)}, [(0, 1)]),
        (set(), {}),
        (set(), []),
        ("Same", " same "),
        (0.1 + 0.2, 0.3),
        ([1e6, 1.0], [1e6 + 1, 1.0]),
        ([np.nan, 1.5], [np.nan, 1.5]),
        ({"a": (1, 2)}, {"a": [1, 2]}),
    ],
)
def test_same(expected, received):
    assert same(plain(expected), plain(received))


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        (32_112_650, 32_112_651),  # whole numbers are exact, however large
        (4, 4.01),
        (0.25, 0.2501),
        ((0, 1), (1, 0)),
        ((0, 1), (0, 1, 2)),
        ((0, 1), {0, 1}),
        (1.5, np.nan),
        (np.inf, -np.inf),
        (1, "1"),
        (0, None),
        ({}, set()),
        ({"a": 1}, {"b": 1}),
        (((1, 2), 3), ((1, 2), 4)),
        ("same", "valid"),
    ],
)
def test_not_the_same(expected, received):
    assert not same(plain(expected), plain(received))


def test_tolerance_is_absolute():
    assert same(0.568, 0.5677, tolerance=5e-4)
    assert not same(0.568, 0.567, tolerance=5e-4)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, 2), "[1, 2]"),
        (("a", 0.123456), "('a', 0.1235)"),
        (-0.0, "0"),
        (3e-16, "0"),
        ({5, 2}, "{2, 5}"),
        ({"b", 2}, "{2, 'b'}"),
        (set(), "set()"),
        (["x" * 200], "('" + "x" * 67 + "..."),
        (np.zeros((9, 9)), "an array of shape (9, 9)"),
        ({"a": 1, 2: "b"}, "a: 1, 2: 'b'"),
        ({}, "{}"),
    ],
)
def test_value_is_shown_in_one_line(value, text):
    assert shown(plain(value)) == text


# --- drawing -------------------------------------------------------------------------------------


def test_large_arrays_are_cropped_around_the_first_difference():
    expected = np.arange(10_000).reshape(100, 100)
    received = expected.copy()
    received[50, 60] = -1
    panel = comparison(expected, received)[1]
    assert panel.title == "received[49:57, 59:69] of shape (100, 100)"
    assert panel.rows[1][1] == "-1"
    assert panel.marked == {(1, 1)}


@pytest.mark.parametrize(
    ("shape", "place", "title"),
    [
        ((1, 4, 5, 1), (0, 2, 2, 0), "x, shape (1, 4, 5, 1)"),
        ((2, 4, 5, 3), (1, 2, 2, 2), "x[1, :, :, 2] of shape (2, 4, 5, 3)"),
        ((3, 3, 2, 4), (0, 0, 1, 3), "x[:, :, 1, 3] of shape (3, 3, 2, 4)"),
        ((1, 1, 3, 4), (0, 0, 1, 1), "x, shape (1, 1, 3, 4)"),
        ((4, 5, 3), (0, 0, 1), "x[:, :, 1] of shape (4, 5, 3)"),
        ((4, 5), (0, 0), "x"),
        ((4,), (0,), "x"),
        ((1, 1, 1, 1), (0, 0, 0, 0), "x, shape (1, 1, 1, 1)"),
        ((1, 1, 2, 1), (0, 0, 1, 0), "x, shape (1, 1, 2, 1)"),
        ((1, 1, 1, 2), (0, 0, 0, 1), "x, shape (1, 1, 1, 2)"),
    ],
)
def test_plane_with_the_difference_is_drawn(shape, place, title):
    wrong = np.zeros(shape, bool)
    wrong[place] = True
    panel = draw("x", np.where(wrong, 7, 0), at=wrong, wrong=wrong)
    assert panel.title == title
    assert [panel.rows[row][column] for row, column in panel.marked] == ["7"]


def test_kernel_is_drawn_by_height_and_width():
    @exercise(cases=[(np.ones((2, 5, 4, 2)), np.ones((3, 1, 5, 2)))], hints=[])
    def layer_of(x, kernel):
        """Write `layer_of(x, kernel)`."""
        return x

    titles = [panel.title for panel in refused(lambda x, kernel: -x, asked=layer_of).panels]
    assert titles[:2] == [
        "x[0, :, :, 0] of shape (2, 5, 4, 2)",
        "kernel[:, :, 0, 0] of shape (3, 1, 5, 2)",
    ]
    assert titles[2].startswith("expected[0, :, :, 0]")


def test_result_made_of_kernels_is_drawn_as_a_kernel():
    @exercise(cases=[np.ones((2, 3, 4, 2))], hints=[])
    def turned(kernel):
        """Write `turned(kernel)`."""
        return kernel

    titles = [panel.title for panel in refused(lambda kernel: -kernel, asked=turned).panels]
    assert [title.split(" of")[0] for title in titles[1:]] == [
        "expected[:, :, 0, 0]",
        "received[:, :, 0, 0]",
    ]


def test_numbers_that_differ_look_different():
    expected, received = comparison(np.array([1 / 3, 1]), np.array([0.33331, 1]))
    assert expected.rows[0][0] != received.rows[0][0]


def test_wide_panels_are_stacked():
    wide_array = np.arange(10) * 10**6
    text = panels_text(comparison(wide_array, wide_array + 1))
    assert max(map(len, text.splitlines())) < 100
    assert text.count("┌") == 2
    assert panels_text([draw("x", np.arange(3))] * 12).count("\n") == 7


def test_html_is_escaped_and_readable_without_colour():
    code = panels_html(comparison(np.array([1, 2]), np.array([1, 3])))
    assert re.search("<mark style=.*font-weight: bold.*>3</mark>", code)
    assert "&lt;b&gt;" in panels_html([draw("<b>", 1)])
    assert not re.search(r"[; \"](color|background): (#|black|white|rgb\()", code)


# --- limits --------------------------------------------------------------------------------------


def test_work_is_stopped_and_may_not_hide_it():
    def work():
        try:
            time.sleep(0.3)
            while True:
                pass
        except Stop:
            raise

    assert run_limited(work, 0.1) == "stopped"


def test_printed_text_is_bounded():
    page = Printed(limit=10)
    assert page.write("12345678") == 8
    assert page.write("12345678") == 8
    assert page.take() == "1234567812"
    assert page.take() == ""


def test_integers_are_seeded():
    np.testing.assert_array_equal(integers(3, 4), integers(3, 4))
    assert not np.array_equal(integers(3, 4), integers(3, 4, seed=1))


def test_cases_may_be_made_late_and_come_smallest_first():
    @exercise(cases=lambda: [np.zeros(9), (np.zeros(2),), 5], hints=[])
    def late(x):
        return x

    assert [np.size(case[0]) for case in late.cases] == [1, 2, 9]
    assert find("padding.corner_reads").cases == [()]


# --- where something is missing ------------------------------------------------------------------


def run_elsewhere(code, **environment):
    environment = {**os.environ, "PYTHONUTF8": "0", **environment}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_everything_can_be_printed_on_a_console_of_few_characters(encoding):
    code = """
from convlab.exercises import chapters, check, exercises, hint, solution
for name in (name for chapter in chapters() for name in exercises(chapter)):
    for answer in (..., 3, solution(name).answer):
        print(check(name, answer))
    print(hint(name), solution(name))
"""
    done = run_elsewhere(code, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr.decode()
    assert b"x Not yet: strides.two_sizes" in done.stdout
    assert b"+ Right: start.windows" in done.stdout


@pytest.mark.parametrize("name", ["feature_map.digit_finders", "filters.four_filters"])
def test_a_missing_package_is_named_and_no_mistake_is_imputed(name):
    code = f"""
import sys
sys.modules["sklearn"] = None
from convlab.exercises import check, solution
print(repr(check("{name}", solution("{name}").answer)))
"""
    done = run_elsewhere(code, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0, done.stderr.decode()
    text = " ".join(done.stdout.decode().split())
    assert "pip install scikit-learn" in text
    ending = f'all that the data sets need. More help: `hint("{name}")`.'
    assert text.endswith(ending)
