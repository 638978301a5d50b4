"""What every test needs: notebooks are compared with their pictures, and the book is built once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["comparison"]

THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Give the kernel that a notebook's first cell starts its share of the cores.

    Where several processes test side by side, each with threads for every core, the threads
    wait for each other most of the time. The outputs do not depend on how many there are.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1 or item.path.suffix != ".ipynb":
        return (yield)
    before = {name: os.environ.get(name) for name in THREADS}
    share = str(max(1, (os.cpu_count() or 1) // workers))
    os.environ.update({name: value or share for name, value in before.items()})
    try:
        return (yield)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]


@pytest.fixture(scope="session")
def book_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The built book; processes that test side by side build it once."""
    import building

    base = tmp_path_factory.getbasetemp()
    return building.built_book((base if worker_id == "master" else base.parent) / "built-book")
