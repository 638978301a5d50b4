"""How many threads everybody may use: Numba, and the peers that have been imported."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from convlab.geometry import as_size

__all__ = ["allowed_threads", "thread_limit"]

Limit = tuple[Callable[[], int], Callable[[int], object]]


def allowed_threads() -> int:
    """Threads that Numba's kernels may use now: one for each core, unless somebody set fewer.

    Returns
    -------
    int
        1 where Numba is absent.
    """
    try:
        import numba
    except ImportError:
        return 1
    return int(numba.get_num_threads())


@contextmanager
def thread_limit(threads: int | None = None) -> Iterator[int]:
    """Give Numba, PyTorch and OpenCV so many threads for the length of a block.

    PyTorch and OpenCV are set only where they have been imported before. NumPy's matrix
    products and Keras on JAX keep their threads: neither can be told in a running process.

    Parameters
    ----------
    threads : int, optional
        At least 1, at most what Numba started with; as it is where None.

    Yields
    ------
    int
        The number of threads.

    Raises
    ------
    ValueError
        For more threads than there are.

    Examples
    --------
    >>> with thread_limit(1) as threads:
    ...     threads, allowed_threads()
    (1, 1)
    """
    count = allowed_threads() if threads is None else as_size("threads", threads)
    limits = _limits(count)
    before = [read() for read, _ in limits]
    try:
        for _, write in limits:
            write(count)
        yield count
    finally:
        for (_, write), old in zip(limits, before, strict=True):
            write(old)


def _limits(threads: int) -> list[Limit]:
    limits: list[Limit] = []
    try:
        import numba
    except ImportError:
        most = 1
    else:
        most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
        limits.append((numba.get_num_threads, numba.set_num_threads))
    if threads > most:
        raise ValueError(
            f"`threads` must be at most {most}, the number of threads that Numba has here. "
            f"Received: threads={threads}. NUMBA_NUM_THREADS sets it, before the start."
        )
    if torch := sys.modules.get("torch"):
        limits.append((torch.get_num_threads, torch.set_num_threads))
    if cv2 := sys.modules.get("cv2"):
        limits.append((cv2.getNumThreads, cv2.setNumThreads))
    return limits
