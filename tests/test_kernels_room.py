"""Room for results: used again, and never while somebody holds it."""

import gc
import sys
import threading
from collections import deque

import numpy as np
import pytest

from convlab import conv2d
from convlab.kernels import room

SHAPE, DTYPE = (64, 1024), np.dtype(np.float32)


@pytest.fixture(autouse=True)
def nothing_spare(monkeypatch):
    monkeypatch.setattr(room, "_spare", {})
    monkeypatch.setattr(room, "_lent", set())
    monkeypatch.setattr(room, "_returned", deque())


def place(array):
    return array.__array_interface__["data"][0]


def test_memory_that_nobody_holds_is_used_again():
    first = room.empty(SHAPE, DTYPE)
    where = place(first)
    del first
    assert place(room.empty((128, 512), DTYPE)) == where
    assert place(room.empty(SHAPE, np.dtype(np.float64))) != where


@pytest.mark.parametrize(
    "hold",
    [
        lambda array: array[3:, ::2],
        lambda array: memoryview(array),
        lambda array: np.frombuffer(array.data, np.uint8),
        lambda array: array.T.reshape(-1, order="F"),
    ],
)
def test_memory_that_is_held_by_a_view_is_not(hold):
    array = room.empty(SHAPE, DTYPE)
    array[...] = 1
    view = hold(array)
    del array
    gc.collect()
    other = room.empty(SHAPE, DTYPE)
    other[...] = 2
    assert (np.asarray(view).view(DTYPE) == 1).all()


def test_results_do_not_share_memory():
    x, kernel = np.ones((1, 70, 70, 4), np.float32), np.ones((3, 3, 4, 8), np.float32)
    first, second = conv2d(x, kernel), conv2d(2 * x, kernel)
    assert not np.shares_memory(first, second)
    assert (first == 36).all()
    assert (second == 72).all()


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(room, "MOST_BYTES", 10 * room.LARGE)
    arrays = [room.empty((room.LARGE + 64 * n,), np.dtype(np.uint8)) for n in range(20)]
    assert len(room._lent) == 9
    del arrays
    assert len(room._returned) == 9
    other = room.empty((2 * room.LARGE,), np.dtype(np.uint8))
    assert room._kept() == other.nbytes
    huge = room.empty((11 * room.LARGE,), np.dtype(np.uint8))
    del huge, other
    assert room._kept() <= room.MOST_BYTES


def test_the_end_of_an_array_runs_no_python_code():
    """An interrupt that came there would be swallowed."""
    array = room.empty(SHAPE, DTYPE)
    steps = []
    sys.settrace(lambda frame, *_: steps.append(frame.f_code.co_name))
    try:
        del array
    finally:
        sys.settrace(None)
    assert steps == []
    assert len(room._returned) == 1


def test_small_arrays_are_numpys_own():
    assert room.empty((4, 4), DTYPE).flags.owndata


def test_threads_never_get_the_same_memory():
    wrong, start = [], threading.Barrier(4)

    def work(mark):
        start.wait()
        for _ in range(300):
            array = room.empty(SHAPE, DTYPE)
            array[...] = mark
            if not (array == mark).all():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
