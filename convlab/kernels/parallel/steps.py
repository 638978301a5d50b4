"""Compiled functions that are called by their address.

What calls a function by its address need not be compiled anew for each that it may call. So a
driver is compiled once, for register tiles of all shapes; and the loop that wakes a crew does not
hold a second copy of what each member does.
"""

# Numba gives the arguments of an intrinsic as types first, then as values: nothing for mypy.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import intrinsic

from convlab.kernels.parallel.launch import Kernel

NUMBER = types.int64
NUMBERS = types.Array(types.int64, 1, "C")
TABLE = types.Array(types.int64, 2, "C", readonly=True)
# What `launch.run` hands to every kernel first: a member, the board and the scratch.
FIRST = (NUMBER, NUMBERS, types.Array(types.int64, 2, "C"))

# An address says nothing to Python: what lies there must live as long as the process.
_kept: list[Any] = []


def entry(function: Any, signature: tuple[Any, ...]) -> int:
    """Compile a function for arguments of these types; the address of its code."""
    function.compile(signature)
    made = function.overloads[signature]
    _kept.append(function)
    return int(made.library.get_pointer_to_function(made.fndesc.llvm_func_name))


@intrinsic
def call(typing_context, address, arguments):
    """Call the compiled function at an address, with the arguments of a tuple."""
    kinds = tuple(arguments.types)

    def write(context, builder, signature, values):
        kind = context.call_conv.get_function_type(types.none, kinds)
        function = builder.inttoptr(values[0], kind.as_pointer())
        items = cgutils.unpack_tuple(builder, values[1], len(kinds))
        context.call_conv.call_function(builder, function, types.none, kinds, items)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), write


def with_a_crew(alone: Any, together: Any, *kinds: Any) -> Kernel:
    """A kernel whose crew calls each member's work by its address.

    Parameters
    ----------
    alone : compiled function
        ``alone(member, board, scratch, *arguments)``, as `Kernel` has it.
    together : compiled function
        ``together(crew, board, scratch, address_of_alone, *arguments)``.
    *kinds : numba types
        Of the arguments.
    """

    @lru_cache(maxsize=1)
    def address_of_alone() -> int:
        return entry(alone, (*FIRST, *kinds))

    def lead(crew: int, board: np.ndarray, scratch: np.ndarray, *arguments: Any) -> None:
        together(crew, board, scratch, address_of_alone(), *arguments)

    return Kernel(alone, lead)


@lru_cache(maxsize=64)
def array(dtype: np.dtype, axes: int = 1, readonly: bool = False) -> types.Array:
    """The type of a C-contiguous array."""
    return types.Array(from_dtype(dtype), axes, "C", readonly=readonly)


def named(kind: Any) -> types.NamedUniTuple:
    """The type of a named tuple of whole numbers."""
    return types.NamedUniTuple(types.int64, len(kind._fields), kind)
