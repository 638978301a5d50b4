"""The flow of an algorithm: every term has its line, and a line says what it does to the term."""

import numpy as np
import pytest

from convlab.plotting import signal_flow
from test_plotting import drawn_texts, marks, words

WEIGHTS = [[1, 0, -1], [0, 2.5, 1]]
COLUMNS = [("x", "input", [4, -1, 3]), ("sums", "output", [1, 0.5])]


def flow(columns=COLUMNS, matrices=(WEIGHTS,), **words_of_it):
    return signal_flow(columns, matrices, **words_of_it)


def ends(line):
    return tuple(np.round(line.get_xydata(), 3).ravel())


def test_there_is_a_line_for_every_weight_that_is_not_zero():
    picture = flow()
    assert len(marks(picture, "line")) == 3
    assert len(marks(picture, "minus")) == 1
    assert "4 lines" in repr(picture)


def test_a_line_that_subtracts_is_dashed_and_no_other():
    assert [line.get_linestyle() for line in marks(flow(), "minus")] == ["--"]
    assert {line.get_linestyle() for line in marks(flow(), "line")} == {"-"}


def test_a_weight_other_than_one_stands_on_its_line():
    picture = flow()
    assert len(marks(picture, "weight")) == 1
    assert [word for word in words(picture) if word.startswith("×")] == ["×2.5"]


def test_lines_join_the_numbers_that_the_matrix_joins():
    nodes = marks(flow(), "node")
    middles = [(box.get_x(), round(box.get_y() + box.get_height() / 2, 3)) for box in nodes]
    left, right = middles[:3], middles[3:]
    (minus,) = marks(flow(), "minus")
    _, start, _, end = ends(minus)
    assert (start, end) == (left[2][1], right[0][1])  # third number, first sum


def test_numbers_are_shown_from_top_to_bottom_under_their_headings():
    assert words(flow())[:4] == ["x", "4", "−1", "3"]
    assert words(flow())[4:7] == ["sums", "1.0", "0.5"]


def test_words_may_stand_in_place_of_numbers():
    picture = flow([("x", "input", ["a", "b", "c"]), ("y", "neutral", ["d", "e"])])
    assert {"a", "b", "c", "d", "e"} <= set(words(picture))


def test_long_numbers_do_not_meet_and_stay_on_the_page():
    long = [("pixels", "input", [-123456.25] * 6), ("sums", "output", [-123456.25] * 6)]
    figure = flow(long * 2, [np.eye(6)] * 3, title="long numbers").figure
    assert all(0 <= box.x0 < box.x1 <= figure.bbox.x1 for _, box in drawn_texts(figure))


@pytest.mark.parametrize(
    ("columns", "matrices", "message"),
    [
        (COLUMNS, [np.eye(3)], r"`matrices` must have one matrix.*shapes \[\(3, 3\)\]"),
        (COLUMNS, [], r"`matrices` must have one matrix"),
        ([], [], r"`columns` must hold a column.*\[\]"),
        ([("x", "input", [])], [], r"each column a number.*\[0\]"),
        ([("x", "red", [1])], [], r"`role` must be one of.*'red'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(columns, matrices, message):
    with pytest.raises(ValueError, match=message):
        signal_flow(columns, matrices)
