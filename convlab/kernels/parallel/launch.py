"""How compiled kernels are made, fed and entered."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite.binding import ffi as llvm
from numba.core.compiler_lock import global_compiler_lock
from numba.core.serialize import dumps
from numba.np.ufunc import parallel as numba_threads

if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise ImportError(
        'implementation="parallel" is machine code, which Numba must be free to compile. '
        "Received: NUMBA_DISABLE_JIT=1. Unset it, or use implementation=\"vectorized\"."
    )

# Multiply-adds for which one more thread is woken: some 10 microseconds of work.
WORK_PER_THREAD = 500_000
# Scratch that is kept for the next call: how many pieces, and how large one may be.
SPARE_PIECES, SPARE_BYTES = 4, 64 * 2**20
LINE = 64  # bytes of a cache line
WORDS = LINE // 8  # whole numbers of a cache line


# Numbers of processes come again; with this, never the same ones.
_STARTED = time.time_ns()


# --- how kernels are made -----------------------------------------------------------------------


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function when it is first called, and keep the machine code on disk.

    No fast-math: NaN, infinity and the order of additions are kept. ``error_model="numpy"``
    drops the checks for division by zero, which would keep loops from becoming vectors.
    """
    options = {"nogil": True, "error_model": "numpy", **options}

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            dispatcher = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no folder to write to, neither here nor in the user's home
            return numba.njit(**options)(function)
        _notice_every_room(dispatcher)
        return dispatcher

    return decorate


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code calls: the way in from Python would cost as much.

    Of many small functions, these wrappers are half of what there is to compile.
    """
    return compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def _notice_every_room(dispatcher: Any) -> None:
    """Let code on disk count as old after an edit of any file of this folder, and only then.

    Numba looks at the file of the function alone, and would miss an edit of what it calls. And it
    tells closures apart by their pickled variables: another compiled function among them has a
    random number, and in the next process its caller would never be found again.
    """
    cache = getattr(dispatcher, "_cache", None)
    index = getattr(cache, "_cache_file", None)
    if cache is None or index is None:
        return
    index._source_stamp = (index._source_stamp, _fingerprint())
    # Two processes that compile at once must not write into one file: the index of one would lead
    # to the machine code of the other.
    named = index._data_name
    index._data_name = lambda number: f"{os.getpid()}-{_STARTED}-{named(number)}"
    function = dispatcher.py_func
    cache._index_key = lambda signature, codegen: (
        signature, codegen.magic_tuple(), _identity(function),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _identity(value: Any) -> str:
    """What tells a function from others, and a closure from those that the same lines make."""
    function = getattr(value, "__wrapped__", value)  # of compiled functions and intrinsics
    if isinstance(function, FunctionType):
        place = f"{function.__module__}.{function.__qualname__}:{function.__code__.co_firstlineno}"
        variables = tuple(cell.cell_contents for cell in function.__closure__ or ())
        return f"{place}{_identity(variables)}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_identity, value))})"
    if value is None or isinstance(value, (int, float, str, np.dtype)):
        return repr(value)
    return hashlib.sha256(dumps(value)).hexdigest()


class Kernel(NamedTuple):
    """A compiled piece of work: jobs that a crew shares out, or that one thread does alone.

    Attributes
    ----------
    alone : compiled function
        ``alone(member, board, scratch, *arguments)``: claims job after job from the board, with
        `tiles.claim`, until none is left. ``scratch[member]`` is its own.
    together : compiled function
        ``together(crew, board, scratch, *arguments)``: a crew of threads that do so.
    """

    alone: Any
    together: Any


# --- how kernels are entered --------------------------------------------------------------------


class _Gate:
    """One Python thread at a time leads a crew; another that comes meanwhile works alone.

    Numba's threading layer "workqueue" aborts the process when two threads enter it at once. In a
    child that was forked after they had started, GNU OpenMP aborts or hangs, and so may the others.
    Nothing of that matters to a thread that works alone; and the results are the same, bit by bit.
    """

    def __init__(self) -> None:
        self.leader: object = None
        # Held for a few instructions. Reentrant: a signal handler may come between them.
        self.lock = threading.RLock()
        self.lost_layers: set[str] = set()

    def claim(self, who: object) -> bool:
        """Whether this call leads a crew now. It gives that up by setting `leader` to None."""
        with self.lock:
            if self.leader is None:
                self.leader = who
        return self.leader is who

    def is_closed(self) -> bool:
        """Whether this process cannot have crews: a child, after a fork that took the threads."""
        return bool(self.lost_layers) and _threading_layer() in self.lost_layers

    def after_fork(self) -> None:
        """In a forked child: the threads of a crew are gone, and perhaps its leader."""
        self.leader, self.lock = None, threading.RLock()
        self.lost_layers |= _layers_lost_by_a_fork()


def _layers_lost_by_a_fork() -> set[str]:
    """The threading layers that a child cannot use: what it runs on is already started.

    "workqueue" would start threads anew in the child, but now and then, where another thread of
    the parent was leading a crew, the child's first crew then waits for ever. GNU OpenMP may have
    been started by another library that shares it with Numba.
    """
    layer = _threading_layer()
    if layer is not None:
        return {layer}
    try:
        shared = re.search(r"/libgomp\.so\b", Path("/proc/self/maps").read_text())
    except OSError:
        shared = None
    return {"omp"} if shared else set()


def _threading_layer() -> str | None:
    """The layer in use; None before the first parallel call."""
    try:
        return str(numba.threading_layer())  # type: ignore[attr-defined]
    except ValueError:
        return None


_gate = _Gate()


# What a thread may hold while another one forks; nobody would open it again in the child.
_NUMBA_LOCKS = (
    global_compiler_lock,
    llvm.lib._lock._lock,
    numba_threads._backend_init_thread_lock,
)


def _hold_numba() -> None:
    """Before a fork: wait until no other thread compiles, or starts Numba's threads."""
    for lock in _NUMBA_LOCKS:
        lock.acquire()


def _let_numba_go() -> None:
    for lock in reversed(_NUMBA_LOCKS):
        with suppress(RuntimeError):  # not held: the wait for it was interrupted
            lock.release()


def _after_fork() -> None:
    """In a child. Numba makes its last lock anew: the old one is shared with the parent.

    The child would count one holder too many if a thread held the lock at the fork, and never
    open it again, for no process of the family.
    """
    numba_threads._backend_init_process_lock = None
    _let_numba_go()
    _gate.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(
        before=_hold_numba, after_in_parent=_let_numba_go, after_in_child=_after_fork
    )


def _start_threads() -> None:
    """Start Numba's threads so that they sleep while they wait, unless the user says otherwise.

    GNU OpenMP's threads would wait by spinning, and take the cores from NumPy's matrix products
    between two kernels: a training step took half as long again, on two cores. OpenMP reads the
    variable once, when it is loaded.
    """
    chosen = "OMP_WAIT_POLICY" in os.environ
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        numba.get_num_threads()
    finally:
        if not chosen:
            os.environ.pop("OMP_WAIT_POLICY", None)


def allowed_threads() -> int:
    """Threads that `numba.set_num_threads` allows to the calling one, asked without a lock.

    `numba.get_num_threads` takes a lock that forked processes share: a worker that is killed
    while it holds the lock stops all others.
    """
    if _threading_layer() is None:
        _start_threads()
    return int(numba_threads._get_num_threads())  # type: ignore[attr-defined]


def crew_for(jobs: int, multiply_adds: int) -> int:
    """Threads that are worth waking, of those that `numba.set_num_threads` allows."""
    wanted = min(jobs, 1 + multiply_adds // WORK_PER_THREAD)
    if wanted <= 1:
        return 1
    allowed = allowed_threads()
    return 1 if _gate.is_closed() else min(wanted, allowed)


def run(
    kernel: Kernel,
    jobs: int,
    multiply_adds: int,
    scratch: int,
    *arguments: Any,
) -> None:
    """Do all jobs of a compiled kernel, on as many threads as pay, whoever else is calling.

    Parameters
    ----------
    kernel : Kernel
    jobs : int
    multiply_adds : int
        The work of all jobs. To wake a thread takes microseconds, and on a busy machine the wait
        for it can take milliseconds: small work stays in the calling thread.
    scratch : int
        Bytes that each thread may use to work in; it gets them as whole numbers of 8 bytes.
    *arguments
        What the kernel takes after its board and its scratch.
    """
    crew = crew_for(jobs, multiply_adds)
    words = _words(scratch)
    piece = _take(WORDS + crew * words)
    try:
        board, rows = piece[:1], piece[WORDS : WORDS + crew * words].reshape(crew, words)
        board[0] = 0
        if crew == 1 or not _lead(kernel.together, crew, board, rows, *arguments):
            kernel.alone(0, board, rows, *arguments)
    finally:
        _give_back(piece)


def _lead(together: Any, crew: int, *arguments: Any) -> bool:
    """Do all jobs with a crew, if nobody leads one; whether they are done.

    An interrupt can come after any call, so each call stands where the way back is still open:
    nothing is called between the kernel's end and the gate's opening.
    """
    me, allowed = object(), allowed_threads()
    try:
        if not _gate.claim(me):
            return False
        numba_threads._set_num_threads(crew)  # type: ignore[attr-defined]
        together(crew, *arguments)
        return True
    finally:
        if _gate.leader is me:
            _gate.leader = None
            numba_threads._set_num_threads(allowed)  # type: ignore[attr-defined]


# --- room to work in ----------------------------------------------------------------------------

_spare: list[np.ndarray] = []


class borrowed:
    """Room to work in: rows of ``size`` bytes or a little more, each at a cache line's start.

    Memory that was used before: to touch fresh pages costs more than the arithmetic. It goes to
    the next who asks when the ``with`` block ends.

    Parameters
    ----------
    rows, size : int

    Examples
    --------
    >>> with borrowed(2, 100) as room:
    ...     room.shape, room.dtype
    ((2, 16), dtype('int64'))
    """

    def __init__(self, rows: int, size: int) -> None:
        self._shape = rows, _words(size)
        self._piece: np.ndarray | None = None

    def __enter__(self) -> np.ndarray:
        rows, words = self._shape
        self._piece = _take(rows * words)
        return self._piece[: rows * words].reshape(rows, words)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        piece, self._piece = self._piece, None
        if piece is not None:
            _give_back(piece)


def _words(size: int) -> int:
    """Words of 8 bytes for a size in bytes, in whole cache lines."""
    return -(-max(1, size) // LINE) * WORDS


def _take(words: int) -> np.ndarray:
    """A spare piece that is large enough, or a new one. Popping is safe among threads."""
    try:
        piece = _spare.pop()
    except IndexError:
        return _fresh(words)
    return piece if piece.size >= words else _fresh(words)


def _give_back(piece: np.ndarray) -> None:
    if piece.nbytes <= SPARE_BYTES and len(_spare) < SPARE_PIECES:
        _spare.append(piece)


def _fresh(words: int) -> np.ndarray:
    room = np.empty(words + WORDS, np.int64)
    first = -room.ctypes.data % LINE // 8
    return room[first : first + words]


# --- what kernels are fed with ------------------------------------------------------------------


def read_only(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The array as kernels want it: C-contiguous, aligned, native, of one dtype, not writable.

    A copy is made only where the array is none of these. All inputs are handed over read-only,
    so that writable and read-only arrays share one compiled version.
    """
    flags = array.flags
    if array.dtype != dtype or not (flags.c_contiguous and flags.aligned):
        array = np.require(array, dtype, ["C", "A"])
    view = array.view()
    view.setflags(write=False)
    return view


@contextmanager
def contiguous(result: np.ndarray) -> Iterator[np.ndarray]:
    """The result itself, or a contiguous stand-in that is copied into it at the end."""
    if result.flags.c_contiguous and result.flags.aligned and result.dtype.isnative:
        yield result
        return
    stand_in = np.empty(result.shape, result.dtype.newbyteorder("="))
    yield stand_in
    result[...] = stand_in
