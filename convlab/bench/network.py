"""The article's network: how long a step and an epoch of training take, beside Keras."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from convlab.bench.timing import Comparison, at_least_one, compare
from convlab.functional import (
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    max_pool2d,
    max_pool2d_gradient,
)

__all__ = ["article_model", "epoch", "epoch_told", "told", "training"]

BATCH, SIDE, CLASSES = 128, 28, 10
EPOCH = 60_000  # images
BACKENDS = ("jax", "torch", "tensorflow")


def article_model(library: Any) -> Any:
    """The article's network for 28 x 28 images, compiled; in convlab or in Keras.

    Parameters
    ----------
    library : module
        With `layers`, `optimizers` and `Sequential`.

    Returns
    -------
    Sequential
    """
    layers = library.layers
    model = library.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1000, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    optimizer = library.optimizers.SGD(learning_rate=0.01, momentum=0.9)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def training(steps: int = 8, rounds: int = 9, peer: Any = None) -> dict[str, Any]:
    """Time the training step of the article's network in convlab and in Keras.

    Parameters
    ----------
    steps : int, default 8
        Batches of 128 images in each turn.
    rounds : int, default 9
    peer : module, optional
        Keras; imported where None.

    Returns
    -------
    dict
        ``milliseconds`` of one step by contestant (medians), ``ratio`` (Keras's time over
        ours), ``outside`` (share of our step that is spent outside convolutions, pooling,
        matrix products and their gradients), ``backend``, ``steps``, ``rounds``.

    Raises
    ------
    ImportError
        Where Keras or its backend is missing.
    """
    import convlab

    at_least_one("steps", steps)
    keras = _keras() if peer is None else peer
    x, y = random_batches(steps)
    ours, theirs = article_model(convlab), article_model(keras)
    theirs.set_weights(ours.get_weights())
    options = {"batch_size": BATCH, "epochs": 1, "shuffle": False, "verbose": 0}
    times = compare(
        {
            "convlab": lambda: ours.fit(x, y, **options),
            "keras": lambda: theirs.fit(x, y, **options),
            "kernels": _repeated(_bare_step(x[:BATCH]), steps),
        },
        rounds,
    )
    return {
        "milliseconds": {name: 1e3 * times.median(name) / steps for name in times.seconds},
        "ratio": times.ratio("keras", "convlab"),
        "outside": 1 - times.ratio("kernels", "convlab"),
        "backend": keras.backend.backend(),
        "steps": steps,
        "rounds": rounds,
    }


def _keras() -> Any:
    try:
        import keras
    except ImportError as error:
        raise ImportError(
            "Keras and a backend of it are needed to compare with. Install them with "
            f'pip install "convlab[bench]". ({error})'
        ) from error
    return keras


def random_batches(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with random classes, for so many steps: a training step takes no longer for digits.

    Parameters
    ----------
    steps : int
        Batches of 128 images.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        Images, and their classes one-hot.
    """
    generator, count = np.random.default_rng(0), steps * BATCH
    x = generator.random((count, SIDE, SIDE, 1), np.float32)
    return x, np.eye(CLASSES, dtype=np.float32)[generator.integers(0, CLASSES, count)]


def _repeated(run: Callable[[], object], times: int) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(times):
            run()

    return repeated


def _bare_step(x: np.ndarray) -> Callable[[], None]:
    """The large operations of one step, and nothing else."""
    generator = np.random.default_rng(1)

    def random(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape, np.float32)

    kernel1, bias1 = random(5, 5, 1, 32), random(32)
    kernel2, bias2 = random(5, 5, 32, 64), random(64)
    dense1, dense2 = random(1024, 1000), random(1000, CLASSES)
    slope = random(BATCH, CLASSES)

    def step() -> None:
        map1 = conv2d(x, kernel1, bias1)
        pooled1 = max_pool2d(map1, 2)
        map2 = conv2d(pooled1, kernel2, bias2)
        flat = max_pool2d(map2, 2).reshape(BATCH, -1)
        hidden = flat @ dense1
        _ = hidden @ dense2
        _ = hidden.T @ slope
        to_hidden = slope @ dense2.T
        _ = flat.T @ to_hidden
        to_map2 = max_pool2d_gradient(map2, (to_hidden @ dense1.T).reshape(-1, 4, 4, 64), 2)
        conv2d_kernel_gradient(pooled1, to_map2, kernel2.shape)
        to_pooled1 = conv2d_input_gradient(to_map2, kernel2, pooled1.shape)
        to_map1 = max_pool2d_gradient(map1, to_pooled1, 2)
        conv2d_kernel_gradient(x, to_map1, kernel1.shape)

    return step


def told(result: Mapping[str, Any]) -> str:
    """The result of `training` as a few lines of text.

    Parameters
    ----------
    result : mapping

    Returns
    -------
    str

    Examples
    --------
    >>> print(told({"milliseconds": {"convlab": 80.0, "keras": 100.0, "kernels": 76.0},
    ...             "ratio": 1.25, "outside": 0.05, "backend": "jax", "steps": 8, "rounds": 9}))
    One training step of the article's network, 128 images of 28 x 28 (median of 9 rounds of 8)
      convlab        80.0 ms
      Keras (jax)   100.0 ms
      ratio          1.25 (Keras's time / ours)
      outside         5 % of ours (not in convolutions, pooling and matrix products)
    """
    milliseconds = result["milliseconds"]
    rows: Sequence[tuple[str, str]] = [
        ("convlab", f"{milliseconds['convlab']:7.1f} ms"),
        (f"Keras ({result['backend']})", f"{milliseconds['keras']:7.1f} ms"),
        ("ratio", f"{result['ratio']:7.2f} (Keras's time / ours)"),
        ("outside", f"{100 * result['outside']:5.0f} % of ours "
                    "(not in convolutions, pooling and matrix products)"),
    ]  # fmt: skip
    head = (
        "One training step of the article's network, 128 images of 28 x 28 "
        f"(median of {result['rounds']} rounds of {result['steps']})"
    )
    return "\n".join([head, *(f"  {name:12} {text}" for name, text in rows)])


def epoch(
    steps: int = 40,
    rounds: int = 5,
    *,
    threads: int | None = None,
    backends: Sequence[str] | None = None,
) -> dict[str, Any]:
    """How long an epoch of 60,000 images of 28 x 28 takes, beside Keras on each of its backends.

    Parameters
    ----------
    steps : int, default 40
        Batches of 128 images in a turn.
    rounds : int, default 5
    threads : int, optional
        Cores that each library may use, where the system can be told (Linux); all where None.
    backends : sequence of str, optional
        Of Keras; those of ``"jax"``, ``"torch"`` and ``"tensorflow"`` that are installed where
        None.

    Returns
    -------
    dict
        ``seconds`` of the epoch by contestant, ``fastest`` (the Keras among them), ``ratio`` (its
        time over ours), ``steps``, ``rounds``, ``versions``; without the Keras entries where no
        backend is there.

    Notes
    -----
    Each library trains in a process of its own, and they take turns; so none is in the way of
    another, and Keras can have several backends. A turn is a call of ``fit`` with `steps` batches,
    after one that is not counted. The epoch is projected: the median turn, divided by its steps,
    times the 468.75 batches of an epoch. What ``fit`` does once (a few milliseconds) is so counted
    more than once, for all alike.
    """
    at_least_one("steps", steps)
    at_least_one("rounds", rounds)
    names = installed_backends() if backends is None else list(backends)
    libraries = {"convlab": "convlab", **{f"Keras ({one})": one for one in names}}
    with ExitStack() as stack:
        workers = {
            label: stack.enter_context(_Worker(name, steps, threads or 0))
            for label, name in libraries.items()
        }
        versions = {label: worker.answer() for label, worker in workers.items()}
        times = _turns(workers, rounds)
    projected = EPOCH / BATCH / steps
    result: dict[str, Any] = {
        "seconds": {label: projected * times.median(label) for label in times.seconds},
        "steps": steps, "rounds": rounds, "threads": threads, "versions": versions,
    }  # fmt: skip
    if names:
        fastest = times.fastest(label for label in libraries if label != "convlab")
        result |= {"fastest": fastest, "ratio": times.ratio(fastest, "convlab")}
    return result


def installed_backends() -> list[str]:
    """Keras's backends that are there; none without Keras.

    Returns
    -------
    list of str
    """
    if importlib.util.find_spec("keras") is None:
        return []
    return [name for name in BACKENDS if importlib.util.find_spec(name) is not None]


def _turns(workers: Mapping[str, _Worker], rounds: int) -> Comparison:
    seconds: dict[str, list[float]] = {label: [] for label in workers}
    for number in range(rounds):
        order = list(workers)
        for label in order if number % 2 == 0 else order[::-1]:
            seconds[label].append(float(workers[label].turn()))
    return Comparison(seconds)


class _Worker:
    """A process that trains with one library (`convlab.bench.worker`) when it is its turn."""

    def __init__(self, name: str, steps: int, threads: int) -> None:
        library, environment = name, dict(os.environ)
        if name != "convlab":
            library, environment["KERAS_BACKEND"] = "keras", name
        words = [library, str(steps), str(threads)]
        self.name = name
        # Read where the process dies; `__exit__` closes it.
        self.complaints = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "convlab.bench.worker", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints,
            text=True, env=environment,
        )  # fmt: skip

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.complaints.close()

    def turn(self) -> str:
        """Let it train, and take its time."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> str:
        """Its next line; an error with its last words where it has died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.complaints.seek(0)
            last = self.complaints.read().strip().splitlines()[-1:] or ["it did not say why"]
            raise RuntimeError(f"The process that trains with {self.name} has ended: {last[0]}")
        return line.strip()


def epoch_told(result: Mapping[str, Any]) -> str:
    """The result of `epoch` as a few lines of text.

    Parameters
    ----------
    result : mapping

    Returns
    -------
    str

    Examples
    --------
    >>> print(epoch_told({"seconds": {"convlab": 20.0, "Keras (jax)": 40.0}, "ratio": 2.0,
    ...                   "fastest": "Keras (jax)", "steps": 40, "rounds": 5}))
    One epoch of the article's network, 60,000 images (projected from 5 rounds of 40 steps)
      convlab              20.0 s
      Keras (jax)          40.0 s
      ratio                2.00 (time of Keras (jax) / ours)
    """
    rows = [(label, f"{seconds:8.1f} s") for label, seconds in result["seconds"].items()]
    if "ratio" in result:
        rows.append(("ratio", f"{result['ratio']:8.2f} (time of {result['fastest']} / ours)"))
    head = (
        f"One epoch of the article's network, {EPOCH:,} images "
        f"(projected from {result['rounds']} rounds of {result['steps']} steps)"
    )
    return "\n".join([head, *(f"  {label:16} {text}" for label, text in rows)])
