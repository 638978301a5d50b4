"""Two kernels that only measure: multiply-adds without memory, memory without arithmetic."""

# What is compiled is typed by the arrays that come; mypy has nothing to add.
# mypy: disable-error-code="no-untyped-def, call-arg"

from __future__ import annotations

from functools import lru_cache

from numba import prange

from convlab.kernels.parallel.launch import Kernel, compiled
from convlab.kernels.parallel.tiles import address, claim
from convlab.kernels.parallel.tiles_peak import run_chains


@lru_cache(maxsize=8)
def chains_kernel(shape: tuple[int, int]) -> Kernel:
    """Jobs that run chains of multiply-adds: (chains, lanes), all in registers."""

    @compiled()
    def alone(member, board, scratch, jobs, steps, numbers):
        room = scratch[member]
        while claim(board) < jobs:
            run_chains(shape, numbers, address(numbers, 0), address(room, 0), steps)

    @compiled(parallel=True)
    def together(crew, board, scratch, jobs, steps, numbers):
        for member in prange(crew):
            alone(member, board, scratch, jobs, steps, numbers)

    return Kernel(alone, together)


@compiled()
def _stream_alone(member, board, scratch, block, factor, source, target):
    while True:
        start = claim(board) * block
        if start >= source.size:
            break
        read, written = source[start : start + block], target[start : start + block]
        for n in range(read.size):
            written[n] = factor * read[n]


@compiled(parallel=True)
def _stream_together(crew, board, scratch, block, factor, source, target):
    for member in prange(crew):
        _stream_alone(member, board, scratch, block, factor, source, target)


# Jobs that read a block of one array and write a block of another.
stream_kernel = Kernel(_stream_alone, _stream_together)
