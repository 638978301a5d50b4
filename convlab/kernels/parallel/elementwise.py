"""Number by number: what would be no work at all, if memory were as fast as arithmetic."""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import prange

from convlab.kernels import room
from convlab.kernels.parallel.launch import Kernel, compiled, read_only, run
from convlab.kernels.parallel.steps import array, call, with_a_crew
from convlab.kernels.parallel.tiles import claim

# Numbers that a job takes: they stay in a core's own cache. And the time of one, beside that of a
# multiply-add of a convolution, for whom memory does not matter.
JOB, COST = 1 << 14, 8


def rectified_gradient(gradient: np.ndarray, output: np.ndarray) -> np.ndarray:
    """The gradient times 1 where the output is above zero, else times 0.

    Parameters
    ----------
    gradient, output : array
        Of one shape and dtype, float32 or float64.

    Returns
    -------
    array
    """
    result = room.empty(gradient.shape, gradient.dtype)
    run(
        _kernel(gradient.dtype), -(-result.size // JOB), COST * result.size, 0,
        read_only(gradient, gradient.dtype).reshape(-1),
        read_only(output, gradient.dtype).reshape(-1), result.reshape(-1),
    )  # fmt: skip
    return result


@lru_cache(maxsize=4)
def _kernel(dtype: np.dtype) -> Kernel:
    zero, one = dtype.type(0), dtype.type(1)

    @compiled()
    def alone(member, board, scratch, gradient, output, target):
        while True:
            first = claim(board) * JOB
            if first >= target.size:
                break
            # Slices: from 0 on the compiler knows that no place is negative, and writes vectors.
            g = gradient[first : first + JOB]
            y = output[first : first + JOB]
            to = target[first : first + JOB]
            for n in range(to.size):
                to[n] = g[n] * (one if y[n] > zero else zero)

    source = array(dtype, readonly=True)
    return with_a_crew(alone, together, source, source, array(dtype))


@compiled(parallel=True)
def together(crew, board, scratch, address_of_alone, gradient, output, target):
    """A crew, for any dtype."""
    for member in prange(crew):
        call(address_of_alone, (np.int64(member), board, scratch, gradient, output, target))
