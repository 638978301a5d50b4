"""The paths that a convolution can take, and which one it takes by itself.

Each is a handful of functions around a driver: `setups` cuts the work, `prepare` lays out the
weights, `convolve` computes. `plan` says what these promise.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from convlab.geometry import Geometry
from convlab.kernels.parallel import direct, packing, sweeps


class Prepared(NamedTuple):
    """Weights as one path reads them, for each of its sweeps; and whether all are finite."""

    arrays: tuple[np.ndarray, ...]
    finite: bool


def shared_out(room: np.ndarray, setups: tuple[Any, ...]) -> tuple[np.ndarray, ...]:
    """A part of the room for the weights of each sweep."""
    parts, start = [], 0
    for setup in setups:
        parts.append(room[start : start + setup.packed_size])
        start += setup.packed_size
    return tuple(parts)


class Path(Protocol):
    """What a path offers."""

    name: ClassVar[str]
    told: ClassVar[str]

    def setups(
        self, geometry: Geometry, dtype: np.dtype, threads: int, backward: bool
    ) -> tuple[Any, ...]:
        """How the work is cut: one setup for each sweep."""

    def layout(self, setups: tuple[Any, ...]) -> tuple:
        """What the order of the prepared weights depends on, beside the kernel."""

    def prepare(
        self, kernel: np.ndarray, setups: tuple[Any, ...], backward: bool, room: np.ndarray
    ) -> Prepared:
        """Lay out the weights in the order in which this path reads them, in some room."""

    def convolve(
        self, source: np.ndarray, prepared: Prepared, bias: np.ndarray | None,
        setups: tuple[Any, ...], target: np.ndarray,
    ) -> bool:  # fmt: skip
        """Fill the target. False where zeros may have met something infinite."""


class Direct:
    """Every convolution, by the register tile."""

    name: ClassVar[str] = "direct"
    told: ClassVar[str] = "direct: sums of products in a register tile"

    def setups(
        self, geometry: Geometry, dtype: np.dtype, threads: int, backward: bool
    ) -> tuple[direct.Setup, ...]:
        """One sweep, or one for each phase of the stride; phases that read nothing are left out."""
        sides = geometry.group_channels, geometry.group_filters
        axes = sweeps.phases(geometry) if backward else [sweeps.both(geometry)]
        inner, outer = sides[::-1] if backward else sides
        return tuple(
            direct.setup(
                geometry.batch, rows, columns, geometry.groups, inner, outer,
                geometry.kernel_size[1], dtype, threads,
            )
            for rows, columns in axes
            if rows.taps and columns.taps and rows.cells and columns.cells
        )  # fmt: skip

    def layout(self, setups: tuple[direct.Setup, ...]) -> tuple:
        """Panels, blocks of channels and the order of taps."""
        return tuple(
            (setup.shape[1:3], setup.sweep.block, tuple(setup.order.tolist())) for setup in setups
        )

    def prepare(
        self, kernel: np.ndarray, setups: tuple[direct.Setup, ...], backward: bool,
        room: np.ndarray,
    ) -> Prepared:  # fmt: skip
        """Panels of filters."""
        arrays = shared_out(room, setups)
        finite = [
            packing.pack(kernel, setup, backward, packed)
            for setup, packed in zip(setups, arrays, strict=True)
        ]
        return Prepared(arrays, all(finite))

    def convolve(
        self, source: np.ndarray, prepared: Prepared, bias: np.ndarray | None,
        setups: tuple[direct.Setup, ...], target: np.ndarray,
    ) -> bool:  # fmt: skip
        """Sweep after sweep. What no window reaches keeps a gradient of zero."""
        if not prepared.finite and any(setup.is_padded for setup in setups):
            return False
        cells = sum(setup.rows.cells * setup.columns.cells for setup in setups)
        if cells < target.shape[1] * target.shape[2]:
            target[...] = 0
        for setup, packed in zip(setups, prepared.arrays, strict=True):
            direct.convolve(source, packed, bias, setup, target)
        return True


DIRECT = Direct()


def choose(geometry: Geometry, dtype: np.dtype, algorithm: str, backward: bool) -> Path:
    """The path that is asked for, or the one that is fastest without being less exact."""
    return DIRECT
