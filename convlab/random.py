"""Where all chance comes from: seeds, and the generator that is used where none is given.

A stream of random numbers is named by two integers, a seed and how many draws came before it.
An ``int`` names the first stream of its seed, every time. A `SeedGenerator` counts, so that
each draw is new. ``None`` asks the global generator, which `convlab.utils.set_random_seed`
sets. The numbers are NumPy's PCG64, the same on every machine; they are not Keras's, whose
backends differ among themselves.
"""

from __future__ import annotations

import operator
import secrets
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from convlab import config
from convlab.names import auto_name
from convlab.objects import Configurable

__all__ = [
    "SeedGenerator",
    "generator",
    "get_state",
    "make_seed",
    "normal",
    "set_state",
    "truncated_normal",
    "uniform",
]

LARGEST_SEED = 2**32 - 1

_lock = threading.Lock()  # one for all: a generator that held its own could not be copied


class SeedGenerator(Configurable):
    """A seed that gives other numbers at each use, and the same sequence in each run.

    Parameters
    ----------
    seed : int, optional
        From 0 to 2**32 - 1. Drawn from the global generator where None.
    name : str, optional

    Attributes
    ----------
    name : str

    Raises
    ------
    ValueError
        Where the seed is no such integer.

    Examples
    --------
    >>> seeds = SeedGenerator(3)
    >>> seeds.next(), seeds.next()
    ((3, 0), (3, 1))
    >>> generator(SeedGenerator(3)).integers(10, size=5)
    array([6, 5, 1, 3, 2])
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.name = auto_name(type(self)) if name is None else name
        self._initial_seed = seed
        self._state = (make_seed() if seed is None else checked_seed(seed), 0)

    def next(self) -> tuple[int, int]:
        """The stream to draw from now: the seed, and the number of draws before this one.

        Returns
        -------
        tuple of int
        """
        with _lock:
            seed, draws = self._state
            self._state = (seed, draws + 1)
        return seed, draws

    def get_state(self) -> list[int]:
        """The seed and the number of draws so far, as JSON can hold them.

        Returns
        -------
        list of int
        """
        return list(self._state)

    def set_state(self, state: Sequence[int]) -> None:
        """Go on from a state that `get_state` gave.

        Parameters
        ----------
        state : sequence of int
            The seed and the number of draws.

        Raises
        ------
        ValueError
            Where it is not two such integers. The state is then what it was.
        """
        with _lock:
            self._state = _checked_state(state)

    def get_config(self) -> dict[str, Any]:
        """The seed that was asked for, and the name."""
        return {"seed": self._initial_seed, "name": self.name}


def checked_seed(seed: object) -> int:
    """The seed itself, where it is an integer that both of NumPy's generators take."""
    if not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        way_out = " Write int(seed)." if isinstance(seed, np.integer) else ""
        raise ValueError(
            "Argument `seed` must be an integer from 0 to 2**32 - 1. "
            f"Received: seed={seed!r} of type {type(seed).__name__}.{way_out}"
        )
    return int(seed)


def _checked_state(state: Sequence[int]) -> tuple[int, int]:
    pair = isinstance(state, (list, tuple)) and len(state) == 2
    if not (pair and all(type(n) is int for n in state) and state[1] >= 0):
        raise ValueError(
            "The state of a seed generator is two integers, its seed and the number of draws so "
            f"far. Received: {state!r}."
        )
    return checked_seed(state[0]), state[1]


_global = SeedGenerator(secrets.randbits(32), name="global_seed_generator")


def get_state() -> list[int]:
    """The state of the global generator, as JSON can hold it.

    Returns
    -------
    list of int

    Examples
    --------
    >>> state = get_state()
    >>> first = make_seed()
    >>> set_state(state)
    >>> make_seed() == first
    True
    """
    return _global.get_state()


def set_state(state: Sequence[int]) -> None:
    """Let the global generator go on from a state that `get_state` gave.

    Parameters
    ----------
    state : sequence of int

    Raises
    ------
    ValueError
        Where it is no state. The generator's is then what it was.
    """
    _global.set_state(state)


def seed_global(seed: int) -> None:
    """Start the global generator from a seed.

    Its streams are not those of ``SeedGenerator(seed)``: who seeds the program and a layer with
    the same number would otherwise shuffle and drop by the same dice.
    """
    words = np.random.SeedSequence(checked_seed(seed)).generate_state(1)
    _global.set_state((int(words[0]), 0))


def make_seed() -> int:
    """A new seed from the global generator.

    Returns
    -------
    int
        From 0 to 2**32 - 1.

    Examples
    --------
    >>> make_seed() == make_seed()
    False
    """
    return int(generator().integers(LARGEST_SEED, endpoint=True))


def generator(seed: int | SeedGenerator | None = None) -> np.random.Generator:
    """NumPy's generator for a seed.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        The global generator where None.

    Returns
    -------
    numpy.random.Generator
        The same for an ``int`` at each call, and another for a `SeedGenerator`.

    Raises
    ------
    ValueError
        For any other seed.

    Examples
    --------
    >>> generator(7).permutation(5)
    array([1, 4, 3, 2, 0])
    >>> generator(7).permutation(5)
    array([1, 4, 3, 2, 0])
    """
    if seed is None:
        seed = _global
    first, draws = seed.next() if isinstance(seed, SeedGenerator) else (checked_seed(seed), 0)
    # The number of draws is a spawn key: NumPy keeps streams of different keys independent.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(first, spawn_key=(draws,))))


def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> np.ndarray:
    """Numbers of a normal distribution.

    Parameters
    ----------
    shape : tuple of int
    mean, stddev : float
    dtype : dtype of floats, optional
        ``config.floatx()`` where None.
    seed : int or SeedGenerator, optional

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        Where the dtype holds no floats.

    Examples
    --------
    >>> normal((2, 2), seed=1).dtype
    dtype('float32')
    """
    kind = float_dtype(dtype)
    return _moved(generator(seed).standard_normal(as_shape(shape)), mean, stddev, kind)


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> np.ndarray:
    """Numbers of a normal distribution; those beyond two standard deviations are drawn again.

    Parameters
    ----------
    shape : tuple of int
    mean, stddev : float
        Of the distribution before it is cut. After it, the deviation is 0.88 of this.
    dtype : dtype of floats, optional
        ``config.floatx()`` where None.
    seed : int or SeedGenerator, optional

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        Where the dtype holds no floats.

    Examples
    --------
    >>> bool(abs(truncated_normal((1000,), stddev=0.1, seed=1)).max() <= 0.2)
    True
    """
    kind = float_dtype(dtype)
    source = generator(seed)
    values = np.asarray(source.standard_normal(as_shape(shape)))
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = source.standard_normal(np.count_nonzero(outside))
        outside = np.abs(values) > 2
    return _moved(values, mean, stddev, kind)


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> np.ndarray:
    """Numbers spread evenly from `minval`, included, to `maxval`, left out.

    Parameters
    ----------
    shape : tuple of int
    minval, maxval : float
    dtype : dtype of floats, optional
        ``config.floatx()`` where None.
    seed : int or SeedGenerator, optional

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    ValueError
        Where the dtype holds no floats.

    Examples
    --------
    >>> values = uniform((1000,), 2, 3, seed=1)
    >>> bool(values.min() >= 2 and values.max() < 3)
    True
    """
    kind = float_dtype(dtype)
    values = _moved(generator(seed).random(as_shape(shape)), minval, maxval - minval, kind)
    if minval < maxval:  # the last float64 under maxval may be rounded up to it
        np.minimum(values, np.nextafter(kind.type(maxval), kind.type(minval)), out=values)
    return values


def _moved(values: np.ndarray, offset: float, scale: float, dtype: np.dtype) -> np.ndarray:
    """Values times the scale, plus the offset: in float64, so that every machine rounds once."""
    return np.asarray(values * scale + offset, dtype=dtype)


def as_dtype(dtype: DTypeLike | None) -> np.dtype:
    """The dtype that is asked for; ``config.floatx()`` where none is."""
    try:
        kind = np.dtype(config.floatx() if dtype is None else dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind.kind not in "biuf":
        raise ValueError(f"`dtype` must be one of NumPy's numbers. Received: dtype={dtype!r}.")
    return kind


def as_shape(shape: Sequence[int] | int) -> tuple[int, ...]:
    """The shape as a tuple of integers, none of them negative."""
    try:
        lengths = tuple(map(operator.index, shape if np.iterable(shape) else (shape,)))
    except TypeError:
        raise TypeError(
            f"`shape` must be a tuple of integers. Received: shape={shape!r}."
        ) from None
    if min(lengths, default=0) < 0:
        raise ValueError(f"No axis has a negative length. Received: shape={shape!r}.")
    return lengths


def float_dtype(dtype: DTypeLike | None) -> np.dtype:
    """`as_dtype`, where it holds floats."""
    kind = as_dtype(dtype)
    if kind.kind != "f":
        raise ValueError(
            "Random numbers have a dtype of floats: float16, float32 or float64. "
            f"Received: dtype={kind.name}."
        )
    return kind
