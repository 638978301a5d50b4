"""Sweeps: which source pixels each target pixel reads, axis by axis.

Forward, the source is the image and the target is the output. For the input gradient it is the
other way round, with one sweep for each phase of the stride: pixels that are a stride apart are
read by the same taps, and no zeros are put between the gradients to be multiplied.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from convlab.geometry import Geometry


@dataclass(frozen=True)
class Axis:
    """Rows, or columns, of a sweep.

    Cell ``i`` is pixel ``first + i * step`` of the target. Its tap ``t`` reads pixel
    ``i * stride + taps[t]`` of the source, or nothing where that lies outside.

    Attributes
    ----------
    source, target : int
        Pixels of either side.
    cells, first, step, stride : int
    taps : tuple of int
        In ascending order.
    order : tuple of int
        The row (or column) of the kernel that each tap stands for.
    """

    source: int
    target: int
    cells: int
    first: int
    step: int
    stride: int
    taps: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def reach(self) -> int:
        """Pixels from the first tap to the last, both counted."""
        return self.taps[-1] - self.taps[0] + 1 if self.taps else 1

    @property
    def is_padded(self) -> bool:
        """Whether some tap of some cell lies outside the source."""
        if not self.taps:
            return False
        return self.taps[0] < 0 or (self.cells - 1) * self.stride + self.taps[-1] >= self.source

    def alike(self) -> list[tuple[int, int]]:
        """Neighbours that meet the same taps: how many cells, and how many taps."""
        met = [
            tuple(0 <= cell * self.stride + tap < self.source for tap in self.taps)
            for cell in range(self.cells)
        ]
        return [(len(list(cells)), sum(taps)) for taps, cells in itertools.groupby(met)]


def forward(geometry: Geometry, axis: int) -> Axis:
    """The axis of a convolution, or of a pooling.

    Examples
    --------
    >>> forward(Geometry.conv2d((1, 5, 5, 1), (3, 3, 1, 1), strides=2, padding="same"), 0)
    Axis(source=5, target=3, cells=3, first=0, step=1, stride=2, taps=(-1, 0, 1), order=(0, 1, 2))
    """
    order = range(geometry.kernel_size[axis])
    pad, rate = geometry.pads[2 * axis], geometry.dilation_rate[axis]
    return Axis(
        source=geometry.input_size[axis], target=geometry.output_size[axis],
        cells=geometry.output_size[axis], first=0, step=1, stride=geometry.strides[axis],
        taps=tuple(tap * rate - pad for tap in order), order=tuple(order),
    )  # fmt: skip


def backward(geometry: Geometry, axis: int) -> Iterator[Axis]:
    """The axes of an input gradient: one for each phase of the stride.

    Examples
    --------
    >>> for phase in backward(Geometry.conv2d((1, 5, 5, 1), (3, 3, 1, 1), strides=2), 0):
    ...     print(phase.first, phase.cells, phase.taps, phase.order)
    0 3 (-1, 0) (2, 0)
    1 2 (0,) (1,)
    """
    size, stride = geometry.input_size[axis], geometry.strides[axis]
    pad, rate = geometry.pads[2 * axis], geometry.dilation_rate[axis]
    for phase in range(min(stride, size)):
        places = [(phase + pad - tap * rate, tap) for tap in range(geometry.kernel_size[axis])]
        reads = sorted((place // stride, tap) for place, tap in places if place % stride == 0)
        yield Axis(
            source=geometry.output_size[axis], target=size,
            cells=len(range(phase, size, stride)), first=phase, step=stride, stride=1,
            taps=tuple(place for place, _ in reads), order=tuple(tap for _, tap in reads),
        )  # fmt: skip


def phases(geometry: Geometry) -> Iterator[tuple[Axis, Axis]]:
    """Rows and columns of every sweep of an input gradient."""
    yield from itertools.product(backward(geometry, 0), backward(geometry, 1))


def both(geometry: Geometry) -> tuple[Axis, Axis]:
    """Rows and columns of a convolution."""
    return forward(geometry, 0), forward(geometry, 1)
