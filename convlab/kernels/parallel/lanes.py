"""Vectors, and the words to write machine code with them: LLVM instructions through llvmlite.

A *lane* is one number of a vector; one instruction works on all lanes at once. How many there
are, and how many vectors the processor holds in registers, depends on the processor that Numba
compiles for. Everything else in this package counts in lanes and asks here how many those are.

`Emitter` writes instructions; `Vector` is a value that they work on, with ``+``, ``-``, ``*`` and
`fma`. So a formula written for numbers, such as a Winograd transform, also writes itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils
from numba.core.registry import cpu_target

INDEX = ir.IntType(64)
BYTE = ir.IntType(8)


@dataclass(frozen=True)
class Machine:
    """What Numba compiles for.

    Attributes
    ----------
    name : str
        The widest vector instructions: ``"AVX-512"``, ``"AVX2"``, ``"SSE"``, ``"NEON"`` or
        ``"generic"``.
    vector_bytes : int
        Bytes of one vector register: 64, 32 or 16.
    registers : int
        Vector registers that a program can name.
    fused : bool
        Whether one instruction multiplies and adds, rounding once.
    """

    name: str
    vector_bytes: int
    registers: int
    fused: bool

    def lanes(self, dtype: np.dtype) -> int:
        """Numbers of a dtype in one vector."""
        return self.vector_bytes // np.dtype(dtype).itemsize


@lru_cache(maxsize=1)
def machine() -> Machine:
    """The processor that Numba compiles for, which its environment variables may set."""
    _, _, words = cpu_target.target_context.codegen().magic_tuple()
    features = {word[1:] for word in words.split(",") if word.startswith("+")}
    return _described(features, binding.get_process_triple())


def _described(features: set[str], triple: str) -> Machine:
    fused = "fma" in features
    if "avx512f" in features:
        return Machine("AVX-512", 64, 32, True)
    if "avx2" in features:
        return Machine("AVX2", 32, 16, fused)
    if triple.startswith(("aarch64", "arm64")):
        return Machine("NEON", 16, 32, True)
    return Machine("SSE" if triple.startswith("x86_64") else "generic", 16, 16, fused)


@dataclass(frozen=True)
class Vector:
    """A vector in a register, and the emitter that writes what is done with it."""

    emitter: Emitter
    value: ir.Value

    def __add__(self, other: Vector) -> Vector:
        return self.emitter.add(self, other)

    def __sub__(self, other: Vector) -> Vector:
        return self.emitter.subtract(self, other)

    def __mul__(self, other: Vector | float) -> Vector:
        return self.emitter.multiply(self, other)

    __rmul__ = __mul__


class Emitter:
    """Writes vector instructions into the function that Numba is compiling.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
    element : llvmlite.ir.Type
        The type of one lane: float, double or a whole number.
    lanes : int
    """

    def __init__(self, builder: ir.IRBuilder, element: ir.Type, lanes: int) -> None:
        self.builder = builder
        self.element = element
        self.lanes = lanes
        self.type = ir.VectorType(element, lanes)
        self.real = not isinstance(element, ir.IntType)
        sizes = {ir.FloatType: 4, ir.DoubleType: 8}
        self.itemsize = sizes.get(type(element)) or element.width // 8

    def function(self, name: str, count: int, write: Callable[..., None]) -> ir.Function:
        """A function of its own, of whole numbers, whose instructions ``write`` writes.

        Written into their caller, they would share the few address registers with it.
        """
        module = self.builder.module
        if name in module.globals:
            return module.globals[name]
        kind = ir.FunctionType(ir.VoidType(), [INDEX] * count)
        function = ir.Function(module, kind, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        write(Emitter(builder, self.element, self.lanes), *function.args)
        builder.ret_void()
        return function

    # --- numbers that count and point ---------------------------------------------------------

    def index(self, number: int) -> ir.Constant:
        """A constant to count with."""
        return ir.Constant(INDEX, number)

    def pointer(self, address: ir.Value) -> ir.Value:
        """An address, as a pointer to the data."""
        return self.builder.inttoptr(address, self.element.as_pointer())

    def table(self, address: ir.Value) -> ir.Value:
        """An address, as a pointer to whole numbers."""
        return self.builder.inttoptr(address, INDEX.as_pointer())

    def advance(self, pointer: ir.Value, elements: ir.Value | int) -> ir.Value:
        """The pointer, so many elements on."""
        count = self.index(elements) if isinstance(elements, int) else elements
        return self.builder.gep(pointer, [count])

    def read(self, pointer: ir.Value, place: ir.Value | int) -> ir.Value:
        """One element: of a table, or one number of the data."""
        return self.builder.load(self.advance(pointer, place))

    @contextmanager
    def loop(self, start: ir.Value, stop: ir.Value, step: int = 1) -> Iterator[ir.Value]:
        """The instructions written inside are repeated for start, start + step, ... below stop."""
        builder = self.builder
        counter = cgutils.alloca_once_value(builder, start)
        head, body, end = (builder.append_basic_block(name) for name in ("head", "body", "end"))
        builder.branch(head)
        builder.position_at_end(head)
        count = builder.load(counter)
        builder.cbranch(builder.icmp_signed("<", count, stop), body, end)
        builder.position_at_end(body)
        yield count
        builder.store(builder.add(count, self.index(step)), counter)
        builder.branch(head)
        builder.position_at_end(end)

    # --- vectors ------------------------------------------------------------------------------

    def zero(self) -> Vector:
        """All lanes zero."""
        return Vector(self, ir.Constant(self.type, None))

    def variable(self) -> ir.Value:
        """Room for a vector that changes in a loop. The compiler keeps it in a register."""
        return cgutils.alloca_once(self.builder, self.type)

    def get(self, variable: ir.Value) -> Vector:
        """What a variable holds."""
        return Vector(self, self.builder.load(variable))

    def put(self, vector: Vector, variable: ir.Value) -> None:
        """Change what a variable holds."""
        self.builder.store(vector.value, variable)

    def load(self, pointer: ir.Value, place: ir.Value | int = 0) -> Vector:
        """As many elements as there are lanes, from anywhere."""
        return Vector(self, self.builder.load(self._vectors(pointer, place), align=self.itemsize))

    def store(self, vector: Vector, pointer: ir.Value, place: ir.Value | int = 0) -> None:
        """Write all lanes."""
        self.builder.store(vector.value, self._vectors(pointer, place), align=self.itemsize)

    def prefetch(self, pointer: ir.Value, place: int = 0, write: bool = False) -> None:
        """Ask for a line of memory that will soon be needed."""
        module, flag = self.builder.module, ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), flag, flag, flag])
        function = module.globals.get("llvm.prefetch.p0") or ir.Function(
            module, kind, "llvm.prefetch.p0"
        )
        line = self.builder.bitcast(self.advance(pointer, place), BYTE.as_pointer())
        self.builder.call(function, [line, *(ir.Constant(flag, n) for n in (int(write), 3, 1))])

    def _vectors(self, pointer: ir.Value, place: ir.Value | int) -> ir.Value:
        return self.builder.bitcast(self.advance(pointer, place), self.type.as_pointer())

    def load_first(self, count: ir.Value, pointer: ir.Value, place: ir.Value | int = 0) -> Vector:
        """The first elements; the other lanes are zero, and their memory is not touched."""
        arguments = [self._vectors(pointer, place), self._align(), self._first(count)]
        call = self._call("masked.load", [*arguments, ir.Constant(self.type, None)], self.type)
        return Vector(self, call)

    def store_first(
        self, count: ir.Value, vector: Vector, pointer: ir.Value, place: ir.Value | int = 0
    ) -> None:
        """Write the first lanes only."""
        arguments = [self._vectors(pointer, place), self._align(), self._first(count)]
        self._call("masked.store", [vector.value, *arguments], ir.VoidType())

    def _align(self) -> ir.Constant:
        return ir.Constant(ir.IntType(32), self.itemsize)

    def _first(self, count: ir.Value) -> ir.Value:
        numbers = ir.Constant(
            ir.VectorType(INDEX, self.lanes), [self.index(n) for n in range(self.lanes)]
        )
        return self.builder.icmp_signed("<", numbers, self._filled(count))

    def broadcast(self, number: ir.Value) -> Vector:
        """One number in all lanes."""
        return Vector(self, self._filled(number))

    def _filled(self, number: ir.Value) -> ir.Value:
        kind = ir.VectorType(number.type, self.lanes)
        one = self.builder.insert_element(
            ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
        )
        places = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None)
        return self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), places)

    # --- arithmetic ---------------------------------------------------------------------------

    def add(self, left: Vector, right: Vector) -> Vector:
        """Lane by lane."""
        operation = self.builder.fadd if self.real else self.builder.add
        return Vector(self, operation(left.value, right.value))

    def subtract(self, left: Vector, right: Vector) -> Vector:
        """Lane by lane."""
        operation = self.builder.fsub if self.real else self.builder.sub
        return Vector(self, operation(left.value, right.value))

    def multiply(self, left: Vector, right: Vector | float) -> Vector:
        """Lane by lane, or by one number."""
        if not isinstance(right, Vector):
            right = self.broadcast(ir.Constant(self.element, right))
        operation = self.builder.fmul if self.real else self.builder.mul
        return Vector(self, operation(left.value, right.value))

    def fma(self, left: Vector, right: Vector, total: Vector) -> Vector:
        """``left * right + total``: one instruction where the processor has it.

        `llvm.fmuladd` and not `llvm.fma`: without that instruction the latter calls a library.
        """
        if not self.real:
            return left * right + total
        values = [left.value, right.value, total.value]
        return Vector(self, self._call("fmuladd", values, self.type))

    def divide(self, left: Vector, right: Vector) -> Vector:
        """Lane by lane; not for whole numbers."""
        return Vector(self, self.builder.fdiv(left.value, right.value))

    # --- choices, lane by lane ------------------------------------------------------------------

    def lowest(self, signed: bool = True) -> Vector:
        """In all lanes the number that no other is less than."""
        least: float = -math.inf
        if not self.real:
            least = -(1 << (8 * self.itemsize - 1)) if signed else 0
        return Vector(self, ir.Constant(self.type, [ir.Constant(self.element, least)] * self.lanes))

    def larger(self, left: Vector, right: Vector, signed: bool = True) -> ir.Value:
        """The lanes where the left number is larger; never where one of them is NaN."""
        builder = self.builder
        integers = builder.icmp_signed if signed else builder.icmp_unsigned
        return (builder.fcmp_ordered if self.real else integers)(">", left.value, right.value)

    def equal(self, left: Vector, right: Vector) -> ir.Value:
        """The lanes where two numbers are the same."""
        operation = self.builder.fcmp_ordered if self.real else self.builder.icmp_signed
        return operation("==", left.value, right.value)

    def nan(self) -> Vector:
        """In all lanes NaN."""
        number = ir.Constant(self.element, math.nan)
        return Vector(self, ir.Constant(self.type, [number] * self.lanes))

    def is_nan(self, vector: Vector) -> ir.Value:
        """The lanes that are NaN."""
        if not self.real:
            return ir.Constant(self._bits, None)
        return self.builder.fcmp_unordered("uno", vector.value, vector.value)

    def mask(self) -> ir.Value:
        """Room for a choice of lanes that changes."""
        return cgutils.alloca_once(self.builder, self._bits)

    @property
    def _bits(self) -> ir.Type:
        return ir.VectorType(ir.IntType(1), self.lanes)

    def any(self, mask: ir.Value) -> ir.Value:
        """Whether any lane is set."""
        bits = ir.IntType(self.lanes)
        return self.builder.icmp_signed(
            "!=", self.builder.bitcast(mask, bits), ir.Constant(bits, 0)
        )

    def from_lane(self, first: ir.Value) -> ir.Value:
        """The lanes from a number on."""
        counts = self.whole_numbers()
        numbers = ir.Constant(counts.type, list(range(self.lanes)))
        return self.builder.icmp_signed(">=", numbers, counts.count(first).value)

    def select(self, mask: ir.Value, left: Vector, right: Vector) -> Vector:
        """Where the mask is set the left number, elsewhere the right one."""
        return Vector(self, self.builder.select(mask, left.value, right.value))

    def whole_numbers(self) -> Emitter:
        """An emitter for as many whole numbers of the same size, to count with."""
        return Emitter(self.builder, ir.IntType(8 * self.itemsize), self.lanes)

    def count(self, number: ir.Value) -> Vector:
        """A number to count with, in all lanes."""
        narrow = self.itemsize < 8
        return self.broadcast(self.builder.trunc(number, self.element) if narrow else number)

    def shuffle(self, left: Vector, right: Vector, places: list[int]) -> Vector:
        """Lanes of two vectors in a new order; those of the right one are counted on."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        order = ir.Constant(kind, [ir.Constant(ir.IntType(32), place) for place in places])
        return Vector(self, self.builder.shuffle_vector(left.value, right.value, order))

    def transpose(self, rows: list[Vector]) -> list[Vector]:
        """Rows become columns: as many vectors as each has lanes.

        Squares of half the size change places, and within them squares of a quarter, and so on.
        """
        rows, lanes, half = list(rows), range(self.lanes), 1
        while half < self.lanes:
            for n in lanes:
                if not n & half:
                    upper, lower = rows[n], rows[n + half]
                    rows[n] = self.shuffle(
                        upper, lower, [(j - half + self.lanes) if j & half else j for j in lanes]
                    )
                    rows[n + half] = self.shuffle(
                        upper, lower, [(j + self.lanes) if j & half else (j + half) for j in lanes]
                    )
            half *= 2
        return rows

    def check(self) -> Check:
        """A sum that tells whether all vectors added to it are finite."""
        return Check(self)

    def _call(self, name: str, arguments: list[ir.Value], result: ir.Type) -> Any:
        """Call an LLVM intrinsic, whose name carries the types it works on."""
        module = self.builder.module
        letter = {True: f"f{8 * self.itemsize}", False: f"i{8 * self.itemsize}"}[self.real]
        vector = f"v{self.lanes}{letter}"
        full = f"llvm.{name}.{vector}" + (".p0" if name.startswith("masked") else "")
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        function = module.globals.get(full) or ir.Function(module, kind, full)
        return self.builder.call(function, arguments)


class Check:
    """Zero times everything that was added: NaN where something was NaN or infinite, else zero."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter = emitter
        self.total = emitter.variable()
        emitter.put(emitter.zero(), self.total)

    def add(self, vector: Vector) -> None:
        """One more vector; whole numbers are always finite."""
        if self.emitter.real:
            zero, total = self.emitter.zero(), self.emitter.get(self.total)
            self.emitter.put(self.emitter.fma(vector, zero, total), self.total)

    def result(self) -> ir.Value:
        """The sum over all lanes: one number."""
        builder, vector = self.emitter.builder, self.emitter.get(self.total)
        lanes = (
            builder.extract_element(vector.value, ir.Constant(ir.IntType(32), lane))
            for lane in range(self.emitter.lanes)
        )
        add = builder.fadd if self.emitter.real else builder.add
        total = next(lanes)
        for lane in lanes:
            total = add(total, lane)
        return total
