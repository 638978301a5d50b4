"""Which source pixels each tap reads, as tables for the compiled loops.

Along one axis, a tap pairs targets with sources, both a constant step apart. Forward, the
target is the output and the source is the input. For an input gradient it is the other way
round: the same pairs and the same loops, and every target still belongs to one job alone.
Padding is in no pair: it is left out, not multiplied by zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from convlab.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Reads:
    """The pairs of a sweep.

    Attributes
    ----------
    rows : array of shape (target rows, kernel rows)
        The source row that a tap reads for a target row; -1 where there is none.
    columns : array of shape (kernel columns, 3)
        A tap's first target column, first source column, and count of pairs.
    steps : (int, int)
        From one target column of a tap to the next, and from one source column to the next.
    """

    rows: np.ndarray
    columns: np.ndarray
    steps: tuple[int, int]


@lru_cache(maxsize=512)
def reads(geometry: Geometry, backward: bool = False) -> Reads:
    """The pairs from output to input, or from input to output if ``backward``.

    Examples
    --------
    Three windows over five pixels, padded by one on both sides:

    >>> g = Geometry.conv2d((1, 1, 5, 1), (1, 3, 1, 1), strides=2, padding="same")
    >>> reads(g).columns
    array([[1, 1, 2],
           [0, 0, 3],
           [0, 1, 2]])
    >>> reads(g).steps
    (1, 2)
    """
    (row_stride, column_stride), targets = geometry.strides, geometry.output_size[0]
    rows, columns = _spans(geometry, 0), _spans(geometry, 1)
    row_steps, column_steps = (1, row_stride), (1, column_stride)
    if backward:
        rows, columns, targets = rows[:, [1, 0, 2]], columns[:, [1, 0, 2]], geometry.height
        row_steps, column_steps = (row_stride, 1), (column_stride, 1)
    return Reads(
        _frozen(_lookup(rows, row_steps, targets)),
        _frozen(np.ascontiguousarray(columns)),
        column_steps,
    )


def _spans(geometry: Geometry, axis: int) -> np.ndarray:
    """For each tap of an axis: first output, first pixel, count."""
    outputs = slice(0, geometry.output_size[axis])
    spans = []
    for tap in range(geometry.kernel_size[axis]):
        cells, pixels = geometry.overlap(axis, tap, outputs)
        spans.append((cells.start, pixels.start, cells.stop - cells.start))
    return np.array(spans, np.int64)


def _lookup(spans: np.ndarray, steps: tuple[int, int], targets: int) -> np.ndarray:
    """The same pairs as a table: the source for each target and tap, -1 for none."""
    table = np.full((targets, len(spans)), -1, np.int64)
    for tap, (target, source, count) in enumerate(spans):
        pairs = np.arange(count)
        table[target + pairs * steps[0], tap] = source + pairs * steps[1]
    return table


@lru_cache(maxsize=512)
def window_sizes(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that each window covers, padding left out: its height by row, its width by column.

    Examples
    --------
    >>> g = Geometry.pool2d((1, 2, 5, 1), (2, 3), strides=2, padding="same")
    >>> window_sizes(g)
    (array([2]), array([2, 3, 2]))
    """
    heights = (reads(geometry).rows >= 0).sum(axis=1)
    widths = np.zeros(geometry.output_size[1], np.int64)
    for first, _, count in _spans(geometry, 1):
        widths[first : first + count] += 1
    return _frozen(heights.astype(np.int64)), _frozen(widths)


def _frozen(array: np.ndarray) -> np.ndarray:
    """The array, never to be written again: it is kept for the next call."""
    array.flags.writeable = False
    return array
