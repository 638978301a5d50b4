"""The same operations three times, and the choice between them.

Each implementation is a module (or package) with the same functions: `naive` (loops that can
be read), `vectorized` (NumPy) and `parallel` (Numba, compiled and threaded).
"""

from __future__ import annotations

import importlib
import importlib.util
from contextvars import ContextVar
from types import ModuleType, TracebackType

import numpy as np

IMPLEMENTATIONS = ("naive", "vectorized", "parallel")

# Multiply-adds from which "auto" takes the compiled kernels. Measured on two cores: below it,
# vectorized takes under a millisecond in nearly every layer, so that the half second (compiled
# code on disk) to three seconds (none) of a first compiled call would never be earned back.
PARALLEL_FROM = 1_000_000

_chosen: ContextVar[str] = ContextVar("convlab_implementation", default="auto")


def available_implementations() -> tuple[str, ...]:
    """The implementations that work here: without ``"parallel"`` where Numba is absent.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> available_implementations()[:2]
    ('naive', 'vectorized')
    """
    return IMPLEMENTATIONS if _numba_is_there() else IMPLEMENTATIONS[:2]


def _numba_is_there() -> bool:
    try:
        return importlib.util.find_spec("numba") is not None
    except (ImportError, ValueError):  # a blocked or half-imported module
        return False


class use_implementation:
    """Choose the implementation for the calls that follow, or for one ``with`` block.

    The choice belongs to the current thread (more exactly, to the current context, as
    `contextvars` defines it): other threads keep theirs, and a new one starts with "auto".

    Parameters
    ----------
    name : {"naive", "vectorized", "parallel", "auto"}
        ``"auto"`` takes the compiled kernels where they pay and Numba is there, and NumPy
        elsewhere.

    Raises
    ------
    ValueError
        For an unknown name.
    ImportError
        For ``"parallel"`` without Numba.

    Examples
    --------
    >>> import numpy as np, convlab
    >>> x, kernel = np.ones((1, 5, 5, 1)), np.ones((3, 3, 1, 1))
    >>> with use_implementation("naive"):
    ...     convlab.conv2d(x, kernel)[0, :, :, 0]
    array([[9., 9., 9.],
           [9., 9., 9.],
           [9., 9., 9.]])
    """

    def __init__(self, name: str) -> None:
        check_name(name)
        self._name = name
        self._before = [_chosen.get()]
        self._entered = False
        _chosen.set(name)

    def __enter__(self) -> use_implementation:
        if self._entered:  # the same object again: one more choice to go back to
            self._before.append(_chosen.get())
        self._entered = True
        _chosen.set(self._name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _chosen.set(self._before.pop())


def check_name(name: object) -> None:
    """Refuse an unknown implementation, and "parallel" where Numba is absent."""
    if not isinstance(name, str) or name not in (*IMPLEMENTATIONS, "auto"):
        raise ValueError(
            '`implementation` must be "naive", "vectorized", "parallel" or "auto". '
            f"Received: implementation={name!r}."
        )
    if name == "parallel" and not _numba_is_there():
        raise ImportError(
            'implementation="parallel" needs Numba, which is not installed. '
            'Install it with `pip install numba`, or use implementation="vectorized".'
        )


def choose(implementation: str | None, multiply_adds: int, algorithm: str = "auto") -> ModuleType:
    """The module to run: the one asked for, or the faster one for work of this size."""
    name = _chosen.get() if implementation is None else implementation
    check_name(name)
    if algorithm != "auto":
        name = _for_an_algorithm(name, algorithm)
    elif name == "auto":
        large = multiply_adds >= PARALLEL_FROM
        name = "parallel" if large and _parallel_is_usable() else "vectorized"
    return importlib.import_module(f"convlab.kernels.{name}")


def is_compiled(multiply_adds: int, *arrays: np.ndarray) -> bool:
    """Whether compiled kernels do work of this size, on arrays of one dtype that they know."""
    dtypes = {array.dtype for array in arrays}
    known = {np.dtype(np.float32), np.dtype(np.float64)}
    if not multiply_adds or len(dtypes) > 1 or not dtypes <= known:
        return False
    return choose(None, multiply_adds).__name__.endswith("parallel")


def _for_an_algorithm(name: str, algorithm: str) -> str:
    """The one implementation that has several algorithms."""
    if name in ("naive", "vectorized"):
        raise ValueError(
            '`algorithm` chooses among the paths of implementation="parallel". '
            f"Received: algorithm={algorithm!r}, implementation={name!r}. Leave one of them out."
        )
    check_name("parallel")
    return "parallel"


def _parallel_is_usable() -> bool:
    """Whether "auto" may take it: Numba can be absent, or older than NumPy."""
    if not _numba_is_there():
        return False
    try:
        importlib.import_module("convlab.kernels.parallel")
    except ImportError:  # Numba refuses a NumPy that is newer than itself
        return False
    return True
