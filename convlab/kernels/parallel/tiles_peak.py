"""Chains of multiply-adds and nothing else: what the processor can do when nothing holds it up.

No convolution uses this. `convlab.bench` measures with it how far the others are from the limit.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from convlab.kernels.parallel.lanes import Emitter

# Multiply-adds of each chain between two tests for the end.
UNROLL = 4


@intrinsic(prefer_literal=True)
def run_chains(typing_context, shape, like, source, target, steps):
    """Chains of multiply-adds that wait for nothing but themselves, all of them in registers.

    Each lane of each chain does ``total = total * factor + addend``, so many times. A chain's
    next step waits for its last, so only several chains side by side keep the processor busy.

    Parameters
    ----------
    shape : (int, int)
        Chains, lanes of a vector.
    like : array
        Anything of the dtype to compute in.
    source : int
        Address of the factor and the addend, and then of what the chains begin with.
    target : int
        Address for the sum of all chains, one vector: what nobody asks for is not computed.
    steps : int
        Multiply-adds of each chain; rounded down to a multiple of `UNROLL`.
    """
    chains, lanes = (number.literal_value for number in shape)
    signature = types.void(shape, like, types.int64, types.int64, types.int64)

    def write(context, builder, signature, arguments):
        _, _, source, target, steps = arguments
        emit = Emitter(builder, context.get_value_type(like.dtype), lanes)
        _write_chains(emit, chains, emit.pointer(source), emit.pointer(target), steps)
        return context.get_dummy_value()

    return signature, write


def _write_chains(
    emit: Emitter, chains: int, source: ir.Value, target: ir.Value, steps: ir.Value
) -> None:
    factor, addend = (emit.broadcast(emit.read(source, place)) for place in (0, 1))
    totals: list[Any] = [emit.variable() for _ in range(chains)]
    for chain, total in enumerate(totals):
        emit.put(emit.load(source, 2 + chain * emit.lanes), total)
    whole = emit.builder.and_(steps, emit.index(-UNROLL))
    with emit.loop(emit.index(0), whole, UNROLL):
        for _ in range(UNROLL):
            for total in totals:
                emit.put(emit.fma(emit.get(total), factor, addend), total)
    together = emit.get(totals[0])
    for total in totals[1:]:
        together += emit.get(total)
    emit.store(together, target)
