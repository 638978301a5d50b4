"""Room for results: memory that was used before, where there is some.

The operating system hands out fresh pages one by one, each filled with zeros, when they are first
written to. For a large result that costs more than the arithmetic. So the memory of a result goes
to the next result of its size, as soon as nobody holds the array any more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LINE = 64  # bytes of a cache line
# Smaller results are left to NumPy, which keeps their memory itself.
LARGE = 2**16
# Bytes that are kept for later, at most; and pieces of one size.
SPARE_BYTES, SPARE_PIECES = 96 * 2**20, 3

# By size in bytes. Appending and popping are safe among threads.
_spare: dict[int, list[np.ndarray]] = {}


class _Lease:
    """Some memory: an array made of it holds this object, whose end hands the memory back."""

    def __init__(self, size: int) -> None:
        try:
            self.piece = _spare[size].pop()
        except (KeyError, IndexError):
            room = np.empty(size + LINE, np.uint8)
            first = -room.ctypes.data % LINE
            self.piece = room[first : first + size]

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.piece.__array_interface__

    def __del__(self) -> None:
        piece = self.__dict__.get("piece")
        if piece is None:
            return
        kept = _spare.setdefault(piece.nbytes, [])
        if len(kept) < SPARE_PIECES:
            kept.append(piece)
        while sum(size * len(pieces) for size, pieces in list(_spare.items())) > SPARE_BYTES:
            _spare.pop(next(iter(_spare), 0), None)  # the size that was first seen longest ago


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
    return np.asarray(_Lease(size)).view(dtype).reshape(shape)
