"""The roofline: marks stand where the numbers say, and names cover nothing."""

import math

import pytest

from convlab.plotting import roofline
from convlab.plotting.colours import PAPER


def lines(picture, label):
    return [line for line in picture.figure.axes[0].lines if line.get_label() == label]


def places(picture):
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines(picture, "point")]


def test_equal_factors_are_equal_distances():
    (x1, y1), (x2, y2), (x4, y4) = places(roofline(100, 1, {"a": 1.0, "b": 2.0, "c": 4.0}))
    assert math.isclose(x2 - x1, x4 - x2)
    assert math.isclose(y1 - y2, y2 - y4)
    assert y1 > y2  # downwards in the figure


def test_layers_stand_on_the_roof_and_measured_ones_at_their_rate():
    roof = roofline(100, 10, {"low": 2.0, "ridge": 10.0, "high": 50.0, "measured": (50.0, 20.0)})
    slope, flat = (lines(roof, "roof")[0].get_xydata()[i] for i in (1, 2))
    (_, low), ridge, (_, high), (_, measured) = sorted(places(roof), key=lambda place: place[0])
    assert ridge == pytest.approx(tuple(slope))
    assert min(high, measured) == pytest.approx(flat[1])
    assert max(high, measured) == pytest.approx(low)  # 2 * 10 and 20


def test_marks_tell_by_their_form_what_a_layer_waits_for():
    left, right = lines(roofline(100, 10, {"a": 9.9, "b": 10.1}), "point")
    assert (left.get_marker(), right.get_marker()) == ("o", "s")


def test_moved_layer_is_hollow_and_joined_to_its_own_mark():
    picture = roofline(100, 10, {"a": 50.0}, moved={"a": 2.0})
    hollow, own = sorted(lines(picture, "point"), key=lambda line: line.get_xdata()[0])
    assert hollow.get_color() == PAPER
    assert own.get_color() != PAPER
    joint = lines(picture, "moved")[0].get_xydata()
    assert tuple(joint[0]) == (own.get_xdata()[0], own.get_ydata()[0])
    assert tuple(joint[-1]) == (hollow.get_xdata()[0], hollow.get_ydata()[0])
    assert hollow.get_marker() == "o"  # it waits for memory now


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((100, 10, {}), {}, r"at least one point.* Received: peak=100, bandwidth=10, 0 points\."),
        ((100, 10, {"a": 0.0}), {}, r"numbers above 0"),
        ((0, 10, {"a": 1.0}), {}, r"numbers above 0. Received: peak=0"),
        ((100, 10, {"a": (1.0, math.inf)}), {}, r"numbers above 0"),
        ((100, 10, {"a": 1.0}), {"moved": {"b": 1.0}}, r"must name points\. Received: \['b'\]"),
    ],
)
def test_wrong_numbers_are_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        roofline(*arguments, **options)
