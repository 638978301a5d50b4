"""The paths that a convolution can take, and which one it takes by itself.

Each is a handful of functions around a driver: `setups` cuts the work, `prepare` lays out the
weights, `convolve` computes. `plan` says what these promise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from convlab.geometry import Geometry
from convlab.kernels.algorithms import winograd_applies
from convlab.kernels.parallel import channelwise, direct, packing, rowwise, sweeps, winograd
from convlab.kernels.parallel.launch import borrowed

# Channels that Winograd's algorithm sums over, at least, where nobody asked for it: with fewer,
# its rounding can leave what the direct path allows.
LEAST_SUMMED = 16
# What Winograd's algorithm must promise, against the direct path: no estimate is exact.
MARGIN = 0.9


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


class Path(ABC):
    """What a path offers."""

    name: str
    told: str

    @abstractmethod
    def takes(self, geometry: Geometry, dtype: np.dtype, backward: bool) -> bool:
        """Whether this path is right for a layer, and likely the fastest."""

    @abstractmethod
    def setups(
        self, geometry: Geometry, dtype: np.dtype, threads: int, backward: bool
    ) -> tuple[Any, ...]:
        """How the work is cut: one setup for each sweep."""

    @abstractmethod
    def layout(self, setups: tuple[Any, ...]) -> tuple:
        """What the order of the prepared weights depends on, beside the kernel."""

    @abstractmethod
    def prepare(
        self, kernel: np.ndarray, setups: tuple[Any, ...], backward: bool, room: np.ndarray
    ) -> Prepared:
        """Lay out the weights in the order in which this path reads them, in some room."""

    @abstractmethod
    def convolve(
        self, source: np.ndarray, prepared: Prepared, bias: np.ndarray | None,
        setups: tuple[Any, ...], target: np.ndarray,
    ) -> bool:  # fmt: skip
        """Fill the target. False where zeros may have met something infinite."""

    def convolve_once(
        self, source: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None,
        setups: tuple[Any, ...], target: np.ndarray, backward: bool,
    ) -> bool:  # fmt: skip
        """The same with weights as they are, which serve this call alone."""
        size = sum(setup.packed_size for setup in setups)
        with borrowed(1, size * kernel.itemsize) as rows:
            room = rows[0].view(kernel.dtype)
            return self.convolve(
                source, self.prepare(kernel, setups, backward, room), bias, setups, target
            )


class Direct(Path):
    """Every convolution, by the register tile."""

    name = "direct"
    told = "direct: sums of products in a register tile"

    def takes(self, geometry: Geometry, dtype: np.dtype, backward: bool) -> bool:
        """Everything."""
        return True

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


class Winograd(Path):
    """3 x 3 kernels with strides of 1, by Winograd's algorithm, F(2x2, 3x3) or F(4x4, 3x3)."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.name = f"winograd{size}"
        self.told = (
            f"Winograd's F({size}x{size}, 3x3): {(size + 2) ** 2} multiplications for "
            f"{9 * size * size}"
        )

    def takes(self, geometry: Geometry, dtype: np.dtype, backward: bool) -> bool:
        """Where the multiplications that are saved outweigh the transforms."""
        summed = geometry.filters if backward else geometry.channels
        if dtype.kind != "f" or not winograd_applies(geometry) or summed < LEAST_SUMMED:
            return False
        mine = self.setups(geometry, dtype, 1, backward)
        others = DIRECT.setups(geometry, dtype, 1, backward)
        return sum(s.cycles for s in mine) < MARGIN * sum(s.cycles for s in others)

    def setups(
        self, geometry: Geometry, dtype: np.dtype, threads: int, backward: bool
    ) -> tuple[winograd.Setup, ...]:
        """One sweep. Backward, the window begins as much earlier as it does not forward."""
        top, left = geometry.pads[0], geometry.pads[2]
        image, output = geometry.input_size, geometry.output_size
        channels, filters = geometry.channels, geometry.filters
        if backward:
            top, left = 2 - top, 2 - left
            image, output, channels, filters = output, image, filters, channels
        return (
            winograd.setup(
                geometry.batch, image, channels, output, filters, top, left, dtype, threads,
                self.size,
            ),
        )  # fmt: skip

    def layout(self, setups: tuple[winograd.Setup, ...]) -> tuple:
        """Panels of filters."""
        return setups[0].size, setups[0].shape[1:]

    def prepare(
        self, kernel: np.ndarray, setups: tuple[winograd.Setup, ...], backward: bool,
        room: np.ndarray,
    ) -> Prepared:  # fmt: skip
        """Transformed weights."""
        winograd.prepare(kernel, setups[0], backward, room)
        return Prepared((room,), True)

    def convolve(
        self, source: np.ndarray, prepared: Prepared, bias: np.ndarray | None,
        setups: tuple[winograd.Setup, ...], target: np.ndarray,
    ) -> bool:  # fmt: skip
        """False where an output is not finite: it may have spread to its neighbours."""
        return winograd.convolve(source, prepared.arrays[0], bias, setups[0], target)

    def convolve_once(
        self, source: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None,
        setups: tuple[winograd.Setup, ...], target: np.ndarray, backward: bool,
    ) -> bool:  # fmt: skip
        """Where few tiles share the weights, each job transforms those that it needs."""
        return winograd.convolve(source, kernel, bias, setups[0], target, backward)


class Few(Path):
    """Layers whose filters see one channel, or few: the lanes run along channels, or along rows.

    Both modules offer the same functions.
    """

    def __init__(self, module: ModuleType, told: str) -> None:
        self.module = module
        self.name = module.__name__.rpartition(".")[2]
        self.told = f"{self.name}: {told}"

    def takes(self, geometry: Geometry, dtype: np.dtype, backward: bool) -> bool:
        """The module knows."""
        return bool(self.module.takes(geometry, dtype, backward))

    def setups(
        self, geometry: Geometry, dtype: np.dtype, threads: int, backward: bool
    ) -> tuple[Any, ...]:
        """One sweep; strides of an input gradient are within it."""
        return (self.module.setup(geometry, dtype, threads, backward),)

    def layout(self, setups: tuple[Any, ...]) -> tuple:
        """Everything may matter: the setup itself."""
        return setups

    def prepare(
        self, kernel: np.ndarray, setups: tuple[Any, ...], backward: bool, room: np.ndarray
    ) -> Prepared:
        """As the module wants them: some kernels are read as they lie."""
        return Prepared((self.module.prepare(kernel, setups[0], room),), True)

    def convolve(
        self, source: np.ndarray, prepared: Prepared, bias: np.ndarray | None,
        setups: tuple[Any, ...], target: np.ndarray,
    ) -> bool:  # fmt: skip
        """Always right: what lies outside the source is left out."""
        self.module.convolve(source, prepared.arrays[0], bias, setups[0], target)
        return True


DIRECT, WINOGRAD2, WINOGRAD4 = Direct(), Winograd(2), Winograd(4)
ROWWISE = Few(rowwise, "few channels, lanes along the rows of the image")
CHANNELWISE = Few(channelwise, "a filter sees few channels, lanes along the filters")


def choose(geometry: Geometry, dtype: np.dtype, algorithm: str, backward: bool) -> Path:
    """The path that is asked for, or the one that is fastest without being less exact."""
    if algorithm == "winograd2" and dtype.kind == "f":
        return WINOGRAD2
    if algorithm == "winograd4" and dtype.kind == "f":
        return WINOGRAD4
    if algorithm != "auto":
        return DIRECT
    by_itself = (ROWWISE, CHANNELWISE, WINOGRAD2, DIRECT)
    return next(path for path in by_itself if path.takes(geometry, dtype, backward))
