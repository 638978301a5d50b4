"""One library that trains the article's network when it is told to: a process of its own.

Keras has one backend in a process, and the libraries' threads get in each other's way. So each
trains in its own process, and these take turns: `convlab.bench.network.epoch` starts them.

    python -m convlab.bench.worker LIBRARY STEPS THREADS

A line on standard input is a turn of so many steps; the answer is a line with its seconds.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Train once for practice, answer with the library's version, and then serve turns.

    Parameters
    ----------
    arguments : sequence of str
        Library (``"convlab"`` or ``"keras"``), steps of a turn, and threads (0: all there are).
    """
    name, steps, threads = arguments[0], int(arguments[1]), int(arguments[2])
    _keep_to(threads)
    answers, sys.stdout = sys.stdout, sys.stderr  # what the libraries print is no answer
    from convlab.bench.network import BATCH, article_model, random_batches

    library = importlib.import_module(name)
    model = article_model(library)
    x, y = random_batches(steps)

    def turn() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
        return time.perf_counter() - start

    turn()
    print(library.__version__, file=answers, flush=True)
    for _ in sys.stdin:
        print(turn(), file=answers, flush=True)


def _keep_to(threads: int) -> None:
    """Stay on so many cores: all libraries' threads do, whatever they are made of."""
    if threads and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


if __name__ == "__main__":
    main(sys.argv[1:])
