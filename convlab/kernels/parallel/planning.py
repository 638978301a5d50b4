"""Which path a convolution takes, and how it is cut: chosen from sizes alone, before any array.

A path is a module that offers, for layers it `takes`:

- ``setups(geometry, dtype, threads, backward)``: how the work is cut, one setup for each sweep;
- ``prepare(kernel, setups, backward)``: the weights in the order the path reads them;
- ``convolve(source, prepared, bias, setups, target)``: fill the target. False where the result
  cannot be trusted, because something was not finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from convlab.geometry import Geometry
from convlab.kernels.algorithms import check_algorithm
from convlab.kernels.parallel import paths
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.launch import allowed_threads


@dataclass(frozen=True, eq=False)
class Plan:
    """How one convolution is computed.

    Attributes
    ----------
    operation : str
        ``"conv2d"`` or ``"conv2d_input_gradient"``.
    geometry : Geometry
    dtype : dtype
    threads : int
    path : module-like
        The path, see this module's docstring.
    setups : tuple
        One for each sweep: more than one in an input gradient with strides.
    """

    operation: str
    geometry: Geometry
    dtype: np.dtype
    threads: int
    path: Any
    setups: tuple[Any, ...]

    @property
    def algorithm(self) -> str:
        """The name of the path."""
        return str(self.path.name)

    @property
    def layout(self) -> tuple:
        """What the order of the prepared weights depends on, beside the kernel."""
        return self.path.name, self.path.layout(self.setups)

    @property
    def tile(self) -> tuple[int, int]:
        """Pixels and vectors of the register tile; of the largest sweep."""
        largest = max(self.setups, key=lambda setup: setup.multiply_adds)
        pixels, vectors = largest.tile
        return pixels, vectors

    @property
    def jobs(self) -> int:
        """Pieces that threads claim one after another."""
        return sum(setup.jobs for setup in self.setups)

    @property
    def scratch_bytes(self) -> int:
        """Memory to work in, for all threads."""
        return max(setup.scratch_bytes for setup in self.setups) * self.threads

    @property
    def packed_size(self) -> int:
        """Elements of the prepared weights."""
        return sum(setup.packed_size for setup in self.setups)

    @property
    def weight_bytes(self) -> int:
        """Memory of the prepared weights."""
        return self.packed_size * self.dtype.itemsize

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds that are really done, in surplus lanes and pixels too."""
        return sum(setup.issued for setup in self.setups)

    @property
    def expected_share(self) -> float:
        """Useful multiply-adds over those that the processor could do meanwhile, if all goes well.

        Above 1 where Winograd's algorithm saves multiplications. Nothing that waits for memory is
        in it.
        """
        useful, cycles = self.geometry.multiply_adds, sum(setup.cycles for setup in self.setups)
        return useful / (cycles * machine().lanes(self.dtype)) if cycles else 0.0

    def __str__(self) -> str:
        pixels, vectors = self.tile
        lanes = machine().lanes(self.dtype)
        rows = [
            ("algorithm", self.path.told),
            ("processor", f"{machine().name}: {lanes} lanes of {self.dtype}, "
                          f"{machine().registers} vector registers"),
            ("register tile", f"{pixels} pixels x {vectors} vectors of {lanes}"),
            ("jobs", f"{self.jobs} for {self.threads} thread{'s' if self.threads > 1 else ''}"),
            ("scratch", f"{_bytes(self.scratch_bytes)} for all threads"),
            ("weights", f"{_bytes(self.weight_bytes)}, laid out anew for each call "
                        "unless prepared"),
            ("multiply-adds", f"{self.multiply_adds:,} issued for {self.geometry.multiply_adds:,} "
                              "of the definition"),
            ("expected", f"{100 * self.expected_share:.0f} % of the processor's peak, "
                         "where memory keeps up"),
        ]  # fmt: skip
        return "\n".join(f"{name:14} {text}" for name, text in rows)


def _bytes(count: int) -> str:
    for unit, size in (("MB", 2**20), ("KB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def plan(
    geometry: Geometry,
    dtype: Any = "float32",
    *,
    operation: str = "conv2d",
    algorithm: str = "auto",
) -> Plan:
    """How the parallel implementation computes a convolution on this machine.

    Parameters
    ----------
    geometry : Geometry
    dtype : dtype, default "float32"
        ``"float32"``, ``"float64"`` or ``"int64"``.
    operation : {"conv2d", "conv2d_input_gradient"}, default "conv2d"
    algorithm : {"auto", "direct", "winograd2", "winograd4"}, default "auto"
        As in `conv2d`.

    Returns
    -------
    Plan
        To be printed, or asked: `algorithm`, `tile`, `jobs`, `scratch_bytes`, `weight_bytes`,
        `multiply_adds`, `expected_share`.

    Raises
    ------
    ValueError
        For an unknown operation, algorithm or dtype, or a Winograd algorithm for another layer
        than 3 x 3 with strides of 1.

    Examples
    --------
    >>> from convlab import Geometry
    >>> layer = Geometry.conv2d((4, 56, 56, 64), (3, 3, 64, 64), padding="same")
    >>> plan(layer).algorithm
    'winograd2'
    >>> plan(layer, algorithm="direct").expected_share < 1 < plan(layer).expected_share
    True
    """
    if operation not in ("conv2d", "conv2d_input_gradient"):
        raise ValueError(
            '`operation` must be "conv2d" or "conv2d_input_gradient". '
            f"Received: operation={operation!r}."
        )
    kind = np.dtype(dtype)
    if kind.name not in ("float32", "float64", "int64"):
        raise ValueError(
            '`dtype` must be "float32", "float64" or "int64": what sums are made in. '
            f"Received: dtype={kind.name!r}."
        )
    check_algorithm(algorithm, geometry)
    return planned(operation, geometry, kind, algorithm, allowed_threads())


@lru_cache(maxsize=1024)
def planned(
    operation: str, geometry: Geometry, dtype: np.dtype, algorithm: str, threads: int
) -> Plan:
    """The plan, remembered."""
    backward = operation == "conv2d_input_gradient"
    path = paths.choose(geometry, dtype, algorithm, backward)
    setups = path.setups(geometry, dtype, threads, backward)
    return Plan(operation, geometry, dtype, threads, path, tuple(setups))

