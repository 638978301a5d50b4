"""How long a step of training takes, beside the same step in Keras.

Times on a shared machine wander. So the two programs take turns, a few steps each, in one
run; each round gives a ratio, and what is reported is the median of the rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convlab.functional import (
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    max_pool2d,
    max_pool2d_gradient,
)

__all__ = ["Comparison", "article_model", "compare", "training"]

BATCH, SIDE, CLASSES = 128, 28, 10


@dataclass(frozen=True)
class Comparison:
    """Times of several contestants, taken in turns.

    Attributes
    ----------
    seconds : dict of str to list of float
        For each contestant, the time of each round.

    Examples
    --------
    >>> times = Comparison({"ours": [1.0, 2.0, 1.0], "theirs": [2.0, 4.0, 3.0]})
    >>> times.median("ours"), times.ratio("theirs", "ours")
    (1.0, 2.0)
    """

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """The median time of a contestant, in seconds.

        Parameters
        ----------
        name : str

        Returns
        -------
        float
        """
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """The median over the rounds of one contestant's time over another's.

        Parameters
        ----------
        name, other : str

        Returns
        -------
        float
        """
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def compare(contestants: Mapping[str, Callable[[], object]], rounds: int) -> Comparison:
    """Time callables in turns, after one call of each that is not counted.

    Parameters
    ----------
    contestants : mapping of str to callable
    rounds : int
        At least 1. The order within a round is turned around in every second one.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> sorted(compare({"a": lambda: None, "b": lambda: None}, rounds=2).seconds)
    ['a', 'b']
    """
    if rounds < 1:
        raise ValueError(f"`rounds` must be at least 1. Received: rounds={rounds}.")
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants.items())
        for name, run in order if number % 2 == 0 else order[::-1]:
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return Comparison(seconds)


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

    if steps < 1:
        raise ValueError(f"`steps` must be at least 1. Received: steps={steps}.")
    keras = _keras() if peer is None else peer
    x, y = _data(steps * BATCH)
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


def _data(count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
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
