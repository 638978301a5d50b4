"""What one side refuses the other refuses, with the same class of exception; and warns alike."""

import pytest

import differences
from parity import expressions, sides

KNOWN = differences.checked()


@pytest.mark.parametrize("code", [code for code in expressions.ALL if code not in KNOWN], ids=str)
def test_both_sides_refuse_or_accept_alike(code):
    theirs, ours = (sides.outcome(side, code) for side in sides.BOTH)
    assert ours == theirs
