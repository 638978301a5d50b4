"""Every documented difference is one: both sides do what the table says of them."""

import pytest

import differences
from parity import sides

CHECKED = differences.checked()


@pytest.mark.parametrize("code", CHECKED, ids=str)
def test_both_sides_do_what_the_table_of_differences_says(code):
    theirs, ours = (sides.outcome(side, code) for side in sides.BOTH)
    assert (theirs, ours) == (CHECKED[code].keras, CHECKED[code].convlab)
    assert theirs != ours


def test_every_difference_has_a_reason():
    entries = [entry for group in differences.DIFFERENCES.values() for entry in group]
    assert [
        entry for entry in entries if not (entry.keras and entry.convlab and entry.reason)
    ] == []


def test_no_expression_stands_twice():
    groups = differences.DIFFERENCES.values()
    codes = [code for group in groups for entry in group for code in entry.codes]
    assert len(codes) == len(set(codes))
