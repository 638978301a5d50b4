"""Room for results: memory that was used before, where there is some.

The operating system hands out fresh pages one by one, each filled with zeros, when they are first
written to. For a large result that costs more than the arithmetic. So the memory of a result goes
to the next result of its size, once nobody holds the array any more.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from typing import Any

import numpy as np

LINE = 64  # bytes of a cache line
# Smaller results are left to NumPy, which keeps their memory itself.
LARGE = 2**16
# Bytes of all pieces together, lent or spare; beyond that, results are NumPy's own.
MOST_BYTES = 128 * 2**20


class _Lease:
    """What an array holds on to as long as it uses a piece."""

    __slots__ = ("__array_interface__", "__weakref__")
    __array_interface__: dict[str, Any]


class _Loan(weakref.ref):
    """Tells of the lease's end. It calls no Python code then: that would swallow an interrupt."""

    __slots__ = ("piece",)
    piece: np.ndarray


# Adding, removing and copying are safe among threads.
_lent: set[_Loan] = set()
_returned: deque[_Loan] = deque()
_spare: dict[int, list[np.ndarray]] = {}  # by size in bytes


def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A new array whose numbers are whatever was there.

    A large one begins a cache line: a vector written to it then fills one line, not two halves.
    NumPy's own begin 16 bytes into one.

    Examples
    --------
    >>> result = empty((4, 64, 64, 16), np.dtype("float32"))
    >>> result.shape, result.dtype, result.ctypes.data % 64
    ((4, 64, 64, 16), dtype('float32'), 0)
    """
    size = math.prod(shape) * dtype.itemsize
    if size < LARGE:
        return np.empty(shape, dtype)
    return _bytes(size).view(dtype).reshape(shape)


def _bytes(size: int) -> np.ndarray:
    _take_back()
    try:
        return _lend(_spare[size].pop())
    except (KeyError, IndexError):
        pass
    if _kept() + size > MOST_BYTES:
        _spare.clear()
    piece = _fresh(size)
    return piece if _kept() + size > MOST_BYTES else _lend(piece)


def _take_back() -> None:
    while True:
        try:
            loan = _returned.popleft()
        except IndexError:
            return
        _lent.discard(loan)
        _spare.setdefault(loan.piece.nbytes, []).append(loan.piece)


def _lend(piece: np.ndarray) -> np.ndarray:
    lease = _Lease()
    lease.__array_interface__ = piece.__array_interface__
    loan = _Loan(lease, _returned.append)
    loan.piece = piece
    hash(loan)  # of the lease, while there is one: to be found in the set later
    _lent.add(loan)
    return np.asarray(lease)


def _kept() -> int:
    """Bytes of all pieces."""
    lent = sum(loan.piece.nbytes for loan in tuple(_lent))
    return lent + sum(size * len(pieces) for size, pieces in tuple(_spare.items()))


def _fresh(size: int) -> np.ndarray:
    room = np.empty(size + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + size]
