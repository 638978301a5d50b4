"""Run code that may never end, print without end, or end the program: the kernel survives.

Two ways to stop it, of which the first that works here is taken:

- a thread, into which `Stop` is thrown when the time is up (Linux, macOS, Windows);
- a trace function that looks at the clock at every line (Pyodide, which has no threads).

Out of reach: a loop inside one C call, such as ``sum(iter(int, 1))``, which never comes back to
the interpreter, hangs until it ends; a loop that catches every exception, again and again, goes on
in its thread (and in Pyodide, where `Stop` is raised once, hangs); ``os._exit`` ends the process.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

__all__ = ["Printed", "Stop", "capture", "run_limited"]

STACK_BYTES = 16 << 20  # macOS gives a thread 512 KB, too little for deep recursion through C
ATTEMPTS, PAUSE = 60, 0.02  # throw `Stop` this often: a loop may catch it a few times


class Stop(BaseException):
    """Thrown into an answer whose time is up."""


def run_limited(work: Callable[[], None], seconds: float) -> str:
    """Run ``work()`` for at most so many seconds.

    Parameters
    ----------
    work : callable without parameters
        Must let `Stop` pass; any other exception that leaves it is dropped.
    seconds : float

    Returns
    -------
    {"finished", "stopped", "running"}
        ``"running"``: it could not be stopped and goes on in a thread of its own.

    Examples
    --------
    >>> run_limited(lambda: None, seconds=5)
    'finished'
    """
    try:
        return _in_thread(work, seconds)
    except _NoThreads:
        return _traced(work, seconds)


class _NoThreads(Exception):
    """Threads cannot be started in this Python."""


class _Worker:
    """A thread that works, and the lock that keeps a late `Stop` out of the thread's last lines."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.lock = threading.Lock()
        self.done = False
        context = contextvars.copy_context()  # use_implementation() holds inside too
        self.thread = threading.Thread(target=context.run, args=(self.run,), daemon=True)

    def run(self) -> None:
        with contextlib.suppress(BaseException):
            try:
                self.work()
            finally:
                with self.lock:
                    self.done = True

    def start(self) -> None:
        try:
            usual = threading.stack_size(STACK_BYTES)
        except (ValueError, RuntimeError):
            usual = threading.stack_size()
        try:
            self.thread.start()
        except RuntimeError as error:
            raise _NoThreads from error
        finally:
            threading.stack_size(usual)

    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.thread.is_alive() and time.monotonic() < end:
            self.thread.join(0.05)  # in slices, so that an interrupt from the keyboard gets through
        return not self.thread.is_alive()

    def stop(self) -> bool:
        for _ in range(ATTEMPTS):
            with self.lock:
                if not self.done:
                    _throw(self.thread.ident)
            self.thread.join(PAUSE)
            if not self.thread.is_alive():
                return True
        return False


def _in_thread(work: Callable[[], None], seconds: float) -> str:
    worker = _Worker(work)
    worker.start()
    try:
        if worker.wait(seconds):
            return "finished"
    except BaseException:
        worker.stop()
        raise
    return "stopped" if worker.stop() else "running"


def _throw(thread: int | None) -> None:
    """Raise `Stop` in a thread, at its next bytecode."""
    import ctypes  # here, because some builds of Pyodide come without it

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread or 0), ctypes.py_object(Stop))


def _traced(work: Callable[[], None], seconds: float) -> str:
    end = time.monotonic() + seconds
    expired = False

    def look_at_the_clock(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal expired
        if time.monotonic() > end:
            expired = True
            raise Stop
        return look_at_the_clock

    usual = sys.gettrace()
    with contextlib.suppress(BaseException):
        try:
            sys.settrace(look_at_the_clock)
            work()
        finally:
            sys.settrace(usual)
    return "stopped" if expired else "finished"


class Printed(io.StringIO):
    """Text that was printed; what goes beyond the limit is dropped.

    Examples
    --------
    >>> page = Printed(limit=5)
    >>> print("endless " * 1000, file=page)
    >>> page.getvalue()
    'endle'
    """

    def __init__(self, limit: int = 2000) -> None:
        super().__init__()
        self.limit = limit

    def write(self, text: str) -> int:
        """Keep what fits."""
        room = self.limit - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)

    def take(self) -> str:
        """What was printed since the last call."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


@contextlib.contextmanager
def capture() -> Iterator[Printed]:
    """Catch what is printed, and `exit()`; what goes to stderr (warnings) is dropped."""
    page = Printed()
    with contextlib.redirect_stdout(page), contextlib.redirect_stderr(Printed()), _no_exit():
        yield page


@contextlib.contextmanager
def _no_exit() -> Iterator[None]:
    """In a notebook, `exit()` does not raise `SystemExit` but asks the kernel to end: refuse."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None

    def refuse() -> None:
        raise SystemExit

    if shell is None:
        yield
        return
    shell.ask_exit = refuse  # hides the method of the class
    try:
        yield
    finally:
        del shell.ask_exit
