"""Small helpers by Keras's names: one seed for everything, one-hot labels, a fresh start."""

from __future__ import annotations

import gc
import operator
import random as python_random

import numpy as np
from numpy.typing import ArrayLike

from convlab.names import reset_names
from convlab.random import checked_seed, seed_global

__all__ = ["clear_session", "set_random_seed", "to_categorical"]


def set_random_seed(seed: int) -> None:
    """Make everything that is drawn from now on repeat: weights, shuffling, dropout.

    The generators of `convlab.random`, of Python's ``random`` and of ``numpy.random`` all start
    again from the seed.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.

    Raises
    ------
    ValueError
        Where it is no such integer. Nothing is seeded then.

    Examples
    --------
    >>> from convlab import initializers
    >>> set_random_seed(3)
    >>> first = initializers.GlorotUniform()((2, 2))
    >>> set_random_seed(3)
    >>> bool((initializers.GlorotUniform()((2, 2)) == first).all())
    True
    """
    seed = checked_seed(seed)
    seed_global(seed)
    python_random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (the program's own draws repeat too, as with Keras)


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """One row for each label: 1 at its class, 0 elsewhere.

    Parameters
    ----------
    x : array of int
        Labels from 0 to ``num_classes - 1``. A last axis of length 1 is left out.
    num_classes : int, optional
        One more than the largest label where None (or 0).

    Returns
    -------
    numpy.ndarray of float64
        The shape of `x` with the classes as a new last axis.

    Raises
    ------
    IndexError
        Where a label is negative or not below `num_classes`.
    ValueError
        Where a label is not a whole number, or where there is no label to count classes by.

    Examples
    --------
    >>> to_categorical([2, 0], num_classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = _labels(x)
    classes = operator.index(num_classes) if num_classes else _count(labels)
    if classes < 0:
        raise ValueError(f"`num_classes` cannot be negative. Received: num_classes={num_classes}.")
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.size:
        raise IndexError(
            f"Every label must be from 0 to num_classes - 1 = {classes - 1}. "
            f"Received: {outside.size} others, the first of them {outside.flat[0]}."
        )
    categorical = np.zeros((labels.size, classes))
    categorical[np.arange(labels.size), labels.ravel()] = 1
    return categorical.reshape(*labels.shape, classes)


def _labels(x: ArrayLike) -> np.ndarray:
    values = np.asarray(x)
    whole = np.isfinite(values) & (values == np.floor(values)) if values.dtype.kind == "f" else True
    if not np.all(whole):
        raise ValueError(
            f"A label must be a whole number. Received: {values[~np.asarray(whole)].flat[0]}."
        )
    labels = values.astype(np.int64)
    return labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels


def _count(labels: np.ndarray) -> int:
    if not labels.size:
        raise ValueError(
            "Without labels the classes cannot be counted. "
            f"Received: x of shape {labels.shape}. Give num_classes."
        )
    return max(int(labels.max()) + 1, 0)


def clear_session(free_memory: bool = True) -> None:
    """Forget the names given so far: the next `Conv2D` is ``conv2d`` again.

    Parameters
    ----------
    free_memory : bool, default True
        Also collect objects that refer to each other in a circle, which takes a moment.

    Examples
    --------
    >>> from convlab.names import auto_name
    >>> clear_session()
    >>> auto_name("Conv2D"), auto_name("Conv2D")
    ('conv2d', 'conv2d_1')
    >>> clear_session()
    >>> auto_name("Conv2D")
    'conv2d'
    """
    reset_names()
    if free_memory:
        gc.collect()
