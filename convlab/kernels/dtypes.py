"""What sums are made in: one rule for every implementation."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=256)
def promoted(*dtypes: np.dtype) -> np.dtype:
    """NumPy's promotion, with every integer as int64.

    Examples
    --------
    >>> promoted(np.dtype(np.uint8), np.dtype(bool))
    dtype('int64')
    """
    signed = (np.dtype(np.int64) if dtype == np.uint64 else dtype for dtype in dtypes)
    dtype = np.result_type(*signed).newbyteorder("=")
    return dtype if dtype.kind == "f" else np.dtype(np.int64)


def sums_dtype(*dtypes: np.dtype) -> np.dtype:
    """The dtype of the sums: float16 is too coarse to add in.

    Examples
    --------
    >>> sums_dtype(np.dtype(np.float16))
    dtype('float32')
    """
    dtype = promoted(*dtypes)
    return np.dtype(np.float32) if dtype == np.float16 else dtype
