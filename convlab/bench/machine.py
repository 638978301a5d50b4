"""The limits of this computer, measured: multiply-adds in a second, bytes in a second.

Both are the best of several rounds and not the median: a limit is what the machine can do, and
a neighbour's work only ever hides it. Ratios between programs, which a neighbour disturbs both
ways, are medians (`convlab.bench.compare`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from convlab.bench.pools import thread_limit
from convlab.geometry import as_size

__all__ = ["Roofline", "measure_bandwidth", "measure_peak", "measure_roofline"]

MOST_CHAINS = 24
SHORT = 0.003  # seconds
TRIAL = 2000  # steps: microseconds, which no neighbour stretches every time
BLOCK = 2**15  # numbers of a streaming job: 256 kB
FACTOR = 0.999  # keeps every chain near 1: no overflow, and no tiny numbers, which are slow


@dataclass(frozen=True)
class Roofline:
    """What a number of threads can do at best: a flat roof, and the slope that leads to it.

    Attributes
    ----------
    peak : float
        Floating-point operations in a second; a multiply-add counts as two.
    bandwidth : float
        Bytes in a second, read and written, of arrays that no cache holds.
    threads : int
    dtype : str

    References
    ----------
    Williams, Waterman & Patterson, "Roofline: an insightful visual performance model for
    multicore architectures", Communications of the ACM 52 (4), 2009.

    Examples
    --------
    >>> roof = Roofline(peak=200e9, bandwidth=20e9)
    >>> roof.ridge
    10.0
    >>> roof.ceiling(2.0), roof.ceiling(50.0)
    (40000000000.0, 200000000000.0)
    """

    peak: float
    bandwidth: float
    threads: int = 1
    dtype: str = "float32"

    @property
    def ridge(self) -> float:
        """Operations for each byte from which arithmetic, and no more memory, is the limit."""
        return self.peak / self.bandwidth

    def ceiling(self, intensity: float) -> float:
        """The most operations in a second for work of an intensity.

        Parameters
        ----------
        intensity : float
            Operations for each byte that has to be read or written.

        Returns
        -------
        float
            ``min(peak, intensity * bandwidth)``. Work whose arrays a cache holds can be above
            the slope, never above the peak (Winograd's convolutions, counted by the
            multiplications that they avoid, can).
        """
        return min(self.peak, intensity * self.bandwidth)


def measure_roofline(
    dtype: DTypeLike = "float32", *, threads: int | None = None, quick: bool = False
) -> Roofline:
    """Measure both limits, for one dtype and a number of threads.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    threads : int, optional
        As many as Numba may use where None.
    quick : bool, default False
        Small arrays and few rounds: a trial of the code, not of the machine.

    Returns
    -------
    Roofline

    Examples
    --------
    >>> roof = measure_roofline(threads=1, quick=True)
    >>> roof.peak > 0, roof.bandwidth > 0, roof.threads, roof.dtype
    (True, True, 1, 'float32')
    """
    with thread_limit(threads) as count:
        peak = measure_peak(dtype, rounds=3 if quick else 100, seconds=1e-4 if quick else SHORT)
        bandwidth = measure_bandwidth(rounds=1 if quick else 25, size=2**20 if quick else None)
    return Roofline(peak, bandwidth, count, np.dtype(dtype).name)


def measure_peak(
    dtype: DTypeLike = "float32",
    *,
    threads: int | None = None,
    rounds: int = 100,
    seconds: float = SHORT,
) -> float:
    """The most floating-point operations in a second that this computer does.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    threads : int, optional
        As many as Numba may use where None.
    rounds : int, default 100
        The best of them counts.
    seconds : float, default 0.003
        How long a round takes, about: long beside the microseconds that it takes to wake a
        thread, and short beside a neighbour's turn on a core.

    Returns
    -------
    float
        Operations in a second; a multiply-add counts as two.

    Notes
    -----
    As many chains of ``total = total * factor + addend`` as fit into the registers, in vectors
    as wide as the processor has. Nothing is read or written meanwhile.

    Examples
    --------
    >>> measure_peak("float64", threads=1, rounds=2, seconds=1e-4) > 1e8
    True
    """
    from convlab.bench.probes import chains_kernel
    from convlab.kernels.parallel.lanes import machine
    from convlab.kernels.parallel.launch import run

    number, rounds = _as_float("dtype", dtype), as_size("rounds", rounds)
    lanes = machine().lanes(number)
    chains = min(MOST_CHAINS, machine().registers - 4)
    kernel = chains_kernel((chains, lanes))
    numbers = np.ones(2 + chains * lanes, number)
    numbers[:2] = FACTOR, 1 - FACTOR
    board, room = np.zeros(1, np.int64), np.zeros((1, 8), np.int64)

    def trial() -> None:
        board[0] = 0
        kernel.alone(0, board, room, 1, TRIAL, numbers)

    with thread_limit(threads) as count:
        jobs = 8 * count
        trial()
        steps = max(1, round(seconds / 8 / _best(trial, 50))) * TRIAL
        multiply_adds = jobs * steps * chains * lanes

        def work() -> None:
            run(kernel, jobs, multiply_adds, 64, jobs, steps, numbers)

        work()
        return 2 * multiply_adds / _best(work, rounds)


def measure_bandwidth(
    *, threads: int | None = None, rounds: int = 25, size: int | None = None
) -> float:
    """The bytes in a second that this computer reads and writes, far from any cache.

    Parameters
    ----------
    threads : int, optional
        As many as Numba may use where None.
    rounds : int, default 25
        The best of them counts.
    size : int, optional
        Bytes of each of the two arrays; four times the last cache where None, at least 128 MB
        and at most 1 GB.

    Returns
    -------
    float
        Bytes in a second: those of the array that is read and those of the one that is written.

    Notes
    -----
    The loop is ``target[n] = factor * source[n]``, STREAM's "scale". Most processors fetch a
    line before they write to it, which is not counted: a program does not ask for it.

    References
    ----------
    McCalpin, "Memory bandwidth and machine balance in current high performance computers",
    IEEE TCCA Newsletter, December 1995 (STREAM).

    Examples
    --------
    >>> measure_bandwidth(threads=1, rounds=1, size=2**20) > 1e6
    True
    """
    from convlab.bench.probes import stream_kernel
    from convlab.kernels.parallel.launch import run

    rounds = as_size("rounds", rounds)
    count = max(BLOCK, (_streamed_bytes() if size is None else as_size("size", size)) // 8)
    source, target = np.ones(count), np.zeros(count)
    with thread_limit(threads):

        def work() -> None:
            run(stream_kernel, -(-count // BLOCK), 100 * count, 8, BLOCK, FACTOR, source, target)

        work()
        return 2 * source.nbytes / _best(work, rounds)


def _as_float(name: str, dtype: DTypeLike) -> np.dtype:
    number = np.dtype(dtype)
    if number not in (np.float32, np.float64):
        raise ValueError(
            f'`{name}` must be "float32" or "float64". Received: {name}={str(number)!r}.'
        )
    return number


def _best(work: Callable[[], object], rounds: int) -> float:
    """The shortest time of several calls, in seconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def _streamed_bytes() -> int:
    return min(max(4 * last_cache(), 2**27), 2**30)


def last_cache() -> int:
    """Bytes of the largest cache that a core of this computer sees; 0 where nobody tells.

    Returns
    -------
    int
    """
    folder = Path("/sys/devices/system/cpu/cpu0/cache")
    sizes = [file.read_text(encoding="utf-8").strip() for file in folder.glob("index*/size")]
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    return max((int(size[:-1]) * units[size[-1]] for size in sizes if size[-1] in units), default=0)
