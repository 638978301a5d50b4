"""Winograd's transforms for kernels of three taps: the formulas, for numbers of any kind.

They use only ``+``, ``-`` and ``*``. So a number may be a float, a NumPy array (every tile at
once) or a `lanes.Vector`, and then the same lines write machine code.

F(m, 3) gives m outputs of a filter with three taps from m + 2 inputs and as many products, where
the definition takes 3 m: both are polynomials, and a product of polynomials is known from its
values at enough points. In two dimensions each axis is transformed by itself::

    outputs = output_transform(kernel_transform(kernel) * input_transform(tile))

===========  ======================  ========================  =======================
             points                  products for each output  the definition's
===========  ======================  ========================  =======================
F(2x2,3x3)   0, 1, -1, infinity      16 / 4 = 4                9
F(4x4,3x3)   0, 1, -1, 2, -2, inf.   36 / 16 = 2.25            9
===========  ======================  ========================  =======================

References
----------
Lavin & Gray, "Fast algorithms for convolutional neural networks", 2015, arXiv:1509.09308, gives
these matrices in section 4. Winograd, "Arithmetic complexity of computations", 1980, is the theory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# Of whatever can be added, subtracted and multiplied: one axis, and rows of a plane.
Line = Sequence[Any]
Plane = Sequence[Sequence[Any]]


def input_transform(tile: Plane, size: int) -> list[list[Any]]:
    """The values that are multiplied, from the inputs under a tile of outputs.

    Parameters
    ----------
    tile : rows of numbers, shape (size + 2, size + 2)
    size : {2, 4}
        Outputs of the tile along each axis.

    Returns
    -------
    list of lists, shape (size + 2, size + 2)

    Examples
    --------
    >>> input_transform([[1, 2, 0, 1], [0, 1, 3, 2], [2, 1, 1, 0], [1, 0, 2, 1]], 2)
    [[0, 0, -2, 0], [-2, 6, 2, 0], [4, -2, -2, 2], [-2, 2, 0, 0]]
    """
    return _both_axes(INPUT[size], tile)


def kernel_transform(kernel: Plane, size: int) -> list[list[Any]]:
    """The values that they are multiplied by, from a kernel.

    Parameters
    ----------
    kernel : rows of numbers, shape (3, 3)
    size : {2, 4}

    Returns
    -------
    list of lists, shape (size + 2, size + 2)

    Examples
    --------
    >>> kernel_transform([[2, 0, 2], [0, 4, 0], [2, 0, -2]], 2)[1]
    [2.0, 2.0, 0.0, 0.0]
    """
    return _both_axes(KERNEL[size], kernel)


def output_transform(products: Plane, size: int) -> list[list[Any]]:
    """The outputs of a tile, from the products (or from their sums over channels).

    Parameters
    ----------
    products : rows of numbers, shape (size + 2, size + 2)
    size : {2, 4}

    Returns
    -------
    list of lists, shape (size, size)

    Examples
    --------
    >>> products = [[0, 0, -4, 0], [-4, 12, 0, 0], [8, 0, -4, 0], [-4, 0, 0, 0]]
    >>> output_transform(products, 2)
    [[8, 20], [8, 8]]
    """
    return _both_axes(OUTPUT[size], products)


def _both_axes(transform: Callable[..., Line], plane: Plane) -> list[list[Any]]:
    """Down the columns, then along the rows."""
    columns = [transform(*column) for column in zip(*plane, strict=True)]
    return [list(transform(*row)) for row in zip(*columns, strict=True)]


# --- F(2, 3): points 0, 1, -1, infinity -----------------------------------------------------------


def _input_2(d0: Any, d1: Any, d2: Any, d3: Any) -> Line:
    return d0 - d2, d1 + d2, d2 - d1, d1 - d3


def _kernel_2(g0: Any, g1: Any, g2: Any) -> Line:
    ends, middle = (g0 + g2) * 0.5, g1 * 0.5
    return g0, ends + middle, ends - middle, g2


def _output_2(m0: Any, m1: Any, m2: Any, m3: Any) -> Line:
    return m0 + (m1 + m2), (m1 - m2) - m3


# --- F(4, 3): points 0, 1, -1, 2, -2, infinity ----------------------------------------------------


def _input_4(d0: Any, d1: Any, d2: Any, d3: Any, d4: Any, d5: Any) -> Line:
    even, odd = d4 - d2 * 4.0, d3 - d1 * 4.0  # at the points 1 and -1
    high, low = d4 - d2, (d3 - d1) * 2.0  # at the points 2 and -2
    return (
        (d0 - d2) * 4.0 + high,
        even + odd,
        even - odd,
        high + low,
        high - low,
        (d5 - d3) - low * 2.0,
    )


def _kernel_4(g0: Any, g1: Any, g2: Any) -> Line:
    ends, middle = (g0 + g2) * (-1 / 6), g1 * (-1 / 6)
    far, across = g0 * (1 / 24) + g2 * (1 / 6), g1 * (1 / 12)
    return g0 * 0.25, ends + middle, ends - middle, far + across, far - across, g2


def _output_4(m0: Any, m1: Any, m2: Any, m3: Any, m4: Any, m5: Any) -> Line:
    even, odd, far_even, far_odd = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return (
        m0 + (even + far_even),
        odd + far_odd * 2.0,
        even + far_even * 4.0,
        (odd + far_odd * 8.0) + m5,
    )


INPUT: dict[int, Callable[..., Line]] = {2: _input_2, 4: _input_4}
KERNEL: dict[int, Callable[..., Line]] = {2: _kernel_2, 4: _kernel_4}
OUTPUT: dict[int, Callable[..., Line]] = {2: _output_2, 4: _output_4}
