"""Numbers that count: every product once, whoever multiplies, and the values stay right."""

import numpy as np
import pytest

from convlab.exercises._counting import Tally, values_of

G, KERNEL = [3, -1, 2], [2, -1]
WAYS = {
    "NumPy": np.convolve,
    "lists": lambda g, kernel: [g[0] * kernel[0], *(g[i] * kernel[0] + g[i - 1] * kernel[1]
                                                  for i in (1, 2)), g[2] * kernel[1]],
    "outer": lambda g, kernel: _summed(np.outer(g, kernel)),
    "matrix": lambda g, kernel: _band(g) @ kernel,
}  # fmt: skip


def _summed(products):
    total = np.zeros(4, dtype=object)
    for i, row in enumerate(products):
        total[i : i + 2] += row
    return total


def _band(g):
    band = np.full((4, 2), 0, dtype=object)
    band[:3, 0], band[1:, 1] = g, g
    return band


@pytest.mark.parametrize(("way", "products"), list(zip(WAYS, (6, 6, 6, 8), strict=True)))
def test_products_are_counted_and_values_right(way, products):
    tally = Tally()
    result = WAYS[way](tally.numbers(G), tally.numbers(KERNEL))
    assert [float(one) for one in result] == np.convolve(G, KERNEL).tolist()
    assert tally.products == products  # the matrix multiplies by its two zeros as well


def test_sums_and_differences_cost_nothing():
    tally = Tally()
    a, b = tally.numbers([5, 3])
    assert values_of([a + b, a - b, -a, 1 + a, 1 - a, np.float32(1) + a]) == [8, 2, -5, 6, -4, 6]
    assert tally.products == 0


def test_numbers_of_any_kind_multiply_from_either_side():
    tally = Tally()
    (a,) = tally.numbers([4])
    assert values_of([a * 0.5, 0.5 * a, np.float64(2) * a, a * a]) == [2, 2, 8, 16]
    assert tally.products == 4


def test_a_float_array_takes_the_values():
    floats = np.zeros(3)
    floats[:2] = Tally().numbers([1, 2])
    assert floats.tolist() == [1, 2, 0]


def test_what_is_no_number_is_refused():
    (a,) = Tally().numbers([1])
    for wrong in ("1", None, [1]):
        with pytest.raises(TypeError):
            a * wrong
        with pytest.raises(TypeError):
            a + wrong
