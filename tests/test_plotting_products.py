"""The products of a row: every line is there, joins the right ends, and makes the right sum."""

import numpy as np
import pytest

from convlab import conv2d, conv2d_input_gradient, conv2d_kernel_gradient
from convlab.plotting import row_products
from test_plotting import marks, texts, words

X, KERNEL, GRADIENT = [1, 4, 1, 4, 2, 1, 3], [2, -1, 3], [3, -1, 2]
LAYERS = {
    "strided": {"strides": 2},
    "dilated": {"dilation_rate": 2},
    "same": {"strides": 3, "padding": "same"},
}
each_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def row(values):
    return np.reshape(values, (1, 1, -1, 1))


def column(values):
    return np.reshape(values, (1, -1, 1, 1))


def told(picture):
    """The number behind the "=" of a picture's sum, which the products before it make."""
    terms, _, result = repr(picture).replace("−", "-").rstrip(">").partition(" = ")
    pairs = [term.split("·") for term in terms.rpartition(": ")[2].split(" + ") if "·" in term]
    assert sum(int(a.strip("()")) * int(b.strip("()")) for a, b in pairs) == int(result)
    return int(result)


@each_layer
def test_there_is_a_line_for_every_product(layer):
    picture = row_products(X, KERNEL, **layer)
    assert len(marks(picture, "output")) == 3
    assert len(marks(picture, "strong line")) == len(marks(picture, "weight")) == 9
    assert len(marks(picture, "tip")) == 9


@each_layer
def test_sums_are_those_of_the_operations(layer):
    x, kernel, gradient = row(X), column(KERNEL).reshape(1, -1, 1, 1), row(GRADIENT)
    for i, value in enumerate(conv2d(x, kernel, **layer).ravel()):
        assert told(row_products(X, KERNEL, cell=i, **layer)) == value
    for j, value in enumerate(conv2d_input_gradient(gradient, kernel, x.shape, **layer).ravel()):
        assert told(row_products(X, KERNEL, GRADIENT, pixel=j, **layer)) == value
    for u, value in enumerate(conv2d_kernel_gradient(x, gradient, kernel.shape, **layer).ravel()):
        assert told(row_products(X, KERNEL, GRADIENT, weight=u, **layer)) == value


@each_layer
def test_lines_stay_where_they_are_when_the_arrows_turn(layer):
    def ends(picture):
        return {
            tuple(sorted(zip(*line.get_data(), strict=True)))
            for line in marks(picture, "strong line")
        }

    assert ends(row_products(X, KERNEL, **layer)) == ends(
        row_products(X, KERNEL, GRADIENT, **layer)
    )


def test_arrows_point_down_forward_and_up_backward():
    for gradient, below in ((None, True), (GRADIENT, False)):
        for line in marks(row_products(X, KERNEL, gradient, strides=2), "strong line"):
            start, end = line.get_ydata()
            assert (end > start) is below


def test_what_stands_out_is_what_was_chosen():
    chosen = row_products(X, KERNEL, GRADIENT, pixel=4, strides=2)
    assert len(marks(chosen, "strong line")) == 2
    assert len(marks(chosen, "line")) == 7
    weight = row_products(X, KERNEL, GRADIENT, weight=1, strides=2)
    assert [w for w in words(weight) if w == "−1"] == ["−1"] * 4  # three lines, one output
    assert not marks(weight, "tip")


def test_backward_shows_gradients_and_the_part_that_padding_throws_away():
    picture = row_products([1, 4, 1, 4, 2], KERNEL, GRADIENT, strides=2, padding="same")
    assert words(picture)[1:8] == ["6", "−3", "7", "1", "1", "−2", "6"]
    assert len(marks(picture, "hatched")) == 2
    assert "gradient of the input" in words(picture)
    assert "gradient of the output" in words(picture)


def test_with_a_weight_the_pixels_stay():
    picture = row_products(X, KERNEL, GRADIENT, weight=0, strides=2)
    assert words(picture)[:8] == ["input", *(str(pixel) for pixel in X)]


def test_unread_pixels_are_crossed_out_and_take_part_in_no_product():
    picture = row_products(X, [2, -1], strides=3)
    assert len(marks(picture, "crossed")) == 2 * 3
    assert repr(row_products(X, [2, -1], [1, 1], strides=3, pixel=2)).endswith("no line = 0>")


@pytest.mark.parametrize("layer", [{}, {"dilation_rate": 2}, {"strides": 2}], ids=str)
def test_weights_do_not_cover_each_other(layer):
    x = np.arange(9) % 4
    boxes = marks(row_products(x, KERNEL, **layer), "weight")
    places = [(box.get_x(), box.get_y()) for box in boxes]
    for k, (left, top) in enumerate(places):
        for other_left, other_top in places[:k]:
            assert abs(left - other_left) > 0.2 or abs(top - other_top) > 0.2


def test_a_rounded_sum_does_not_claim_to_be_exact():
    assert "≈" in repr(row_products([1 / 3, 1], [1], cell=0))
    assert all(text.get_fontsize() >= 7 for text in texts(row_products(14, [1 / 3, 1])))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": 15, "kernel": [1]}, r"at most 14 pixels.*15 pixels"),
        ({"output_gradient": [1, 2]}, r"one number for each output.*\(2,\) for 5 outputs"),
        ({"cell": 1, "pixel": 2}, r"At most one of.*cell=1, pixel=2"),
        ({"cell": 5}, r"`cell` counts from 0 and must be below 5.*cell=5"),
        ({"pixel": 7}, r"`pixel`.*below 7.*pixel=7"),
        ({"weight": 3}, r"`weight`.*below 3.*weight=3"),
        ({"weight": -1}, r"`weight` must be.*-1"),
        ({"kernel": 3}, r"`kernel` must be a list of weights.*kernel=3"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        row_products(**{"x": X, "kernel": KERNEL} | arguments)
