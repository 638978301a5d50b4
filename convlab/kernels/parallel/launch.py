"""How compiled kernels are made, fed and entered."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np

from convlab.geometry import Geometry

# Multiply-adds: some 20 microseconds of `dense`, some 200 of `pooling`.
WORK_PER_THREAD = 500_000


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function when it is first called, and keep the machine code on disk.

    No fast-math: NaN, infinity and the order of additions are kept. ``error_model="numpy"``
    drops the checks for division by zero, which would keep loops from becoming vectors.

    The disk cache looks at a function's own file only. So what is compiled calls nothing
    compiled from another file: an edit there would go unnoticed.
    """
    options = {"nogil": True, "error_model": "numpy", **options}

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no folder to write to, neither here nor in the user's home
            return numba.njit(**options)(function)

    return decorate


class _Gate:
    """One Python thread at a time enters the compiled kernels, which then use every core.

    Numba's threading layer "workqueue" aborts the process when two threads enter it at once.
    The lock is reentrant, because a signal handler may run a convolution while its own thread
    is between lock and kernel.
    """

    def __init__(self) -> None:
        self.open_again()

    def open_again(self) -> None:
        self.lock = threading.RLock()
        self.closed = False

    def after_fork(self) -> None:
        """In a forked child: a new lock, for the thread that held the old one is gone."""
        self.open_again()
        self.closed = sys.platform == "linux" and _threading_layer() == "omp"


def _threading_layer() -> str | None:
    """The layer in use; None before the first parallel call."""
    try:
        return str(numba.threading_layer())  # type: ignore[attr-defined]
    except ValueError:
        return None


_gate = _Gate()
if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_gate.after_fork)


def is_usable() -> bool:
    """Whether kernels may be launched: not in a child forked after OpenMP had started.

    GNU OpenMP cannot be used on both sides of a fork, and Numba ends a process that tries.
    """
    return not _gate.closed


def _start_threads() -> None:
    """Start Numba's threads so that they sleep while they wait, unless the user says otherwise.

    GNU OpenMP's threads would wait by spinning, and take the cores from NumPy's matrix products
    between two kernels: a training step took half as long again, on two cores. OpenMP reads the
    variable once, when it is loaded.
    """
    chosen = "OMP_WAIT_POLICY" in os.environ
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        numba.get_num_threads()
    finally:
        if not chosen:
            del os.environ["OMP_WAIT_POLICY"]


def launch(kernel: Callable[..., None], geometry: Geometry, *arguments: Any) -> None:
    """Run a compiled kernel on Numba's threads, whoever else is calling.

    Small work gets fewer of them than `numba.set_num_threads` allows: to wake a thread takes
    microseconds, and on a busy machine the wait for it can take milliseconds.
    """
    if not is_usable():
        raise RuntimeError(
            "The parallel implementation cannot run in a process that was forked after OpenMP "
            f"had started. Received: threading layer={_threading_layer()!r}. Start processes "
            'with multiprocessing.get_context("spawn"), set NUMBA_THREADING_LAYER=workqueue, '
            'or use implementation="vectorized".'
        )
    if _threading_layer() is None:
        _start_threads()
    allowed = numba.get_num_threads()
    with _gate.lock:
        numba.set_num_threads(min(allowed, 1 + geometry.multiply_adds // WORK_PER_THREAD))
        try:
            kernel(*arguments)
        finally:
            numba.set_num_threads(allowed)


def read_only(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The array as kernels want it: C-contiguous, aligned, native, of one dtype, not writable.

    A copy is made only where the array is none of these. All inputs are handed over read-only,
    so that writable and read-only arrays share one compiled version.
    """
    view = np.require(array, dtype, ["C", "A"]).view()
    view.flags.writeable = False
    return view


@contextmanager
def contiguous(result: np.ndarray) -> Iterator[np.ndarray]:
    """The result itself, or a contiguous stand-in that is copied into it at the end."""
    if result.flags.c_contiguous and result.flags.aligned and result.dtype.isnative:
        yield result
        return
    stand_in = np.empty(result.shape, result.dtype.newbyteorder("="))
    yield stand_in
    result[...] = stand_in
