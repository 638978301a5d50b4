"""What weights must be after every step of training: projections onto what is allowed.

A constraint takes the new weights and returns those to keep. It acts after a step of an
optimizer, and at no other time: neither on initial weights nor on those set by hand.

>>> import numpy as np
>>> NonNeg()(np.array([-1.0, 2.0]))
array([0., 2.])
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlab import config
from convlab.objects import Catalogue, Configurable, custom_object_scope

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

Axis = int | Sequence[int] | None


class Constraint(Configurable):
    """Any weights are allowed; the class that others derive from.

    Examples
    --------
    >>> class Centred(Constraint):
    ...     def __call__(self, w):
    ...         return w - w.mean()
    >>> Centred()(np.array([1.0, 2.0, 6.0]))
    array([-2., -1.,  3.])
    """

    def __call__(self, w: ArrayLike) -> np.ndarray:
        """The weights to keep.

        Parameters
        ----------
        w : array
            The weights after a step.

        Returns
        -------
        numpy.ndarray
            Of the same shape.
        """
        return np.asarray(w)


class NonNeg(Constraint):
    """Weights below zero become zero.

    Examples
    --------
    >>> NonNeg()(np.array([-1.0, 0.5]))
    array([0. , 0.5])
    """

    def __call__(self, w: ArrayLike) -> np.ndarray:
        """The larger of each weight and 0."""
        return np.maximum(w, 0)


class MaxNorm(Constraint):
    """Vectors longer than `max_value` are shortened to it.

    Parameters
    ----------
    max_value : float, default 2
        Not negative.
    axis : int, sequence of int or None, default 0
        The axes along which one vector lies. For each filter of a `Conv2D` kernel, say
        ``[0, 1, 2]``: the default, 0, takes each column of each kernel slice by itself. With
        None all weights are one vector.

    Notes
    -----
    ``w * clip(norm, 0, max_value) / (epsilon + norm)``, with `convlab.config.epsilon`.

    Examples
    --------
    >>> MaxNorm(1.0)(np.array([[3.0, 0.0], [4.0, 0.5]])).round(3)
    array([[0.6, 0. ],
           [0.8, 0.5]])
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = _length("max_value", max_value)
        self.axis = _axis(axis)

    def __call__(self, w: ArrayLike) -> np.ndarray:
        """Each vector, at most `max_value` long."""
        return _rescaled(w, self.axis, lambda norms: np.clip(norms, 0, self.max_value))

    def get_config(self) -> dict[str, Any]:
        """``{"max_value": ..., "axis": ...}``."""
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(Constraint):
    """Every vector gets the length 1; one of zeros stays.

    Parameters
    ----------
    axis : int, sequence of int or None, default 0
        The axes along which one vector lies; ``[0, 1, 2]`` for each filter of a `Conv2D`.

    Examples
    --------
    >>> UnitNorm()(np.array([[3.0, 0.0], [4.0, 0.5]])).round(3)
    array([[0.6, 0. ],
           [0.8, 1. ]])
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = _axis(axis)

    def __call__(self, w: ArrayLike) -> np.ndarray:
        """Each vector divided by its length (and `convlab.config.epsilon`)."""
        w = np.asarray(w)
        with np.errstate(over="ignore", invalid="ignore"):
            return w / (config.epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """``{"axis": ...}``."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Every vector's length is brought between two bounds, at once or a little each step.

    Parameters
    ----------
    min_value, max_value : float, default 0.0 and 1.0
        The bounds, neither negative.
    rate : float, default 1.0
        How much of the way each step goes, from 0 to 1.
    axis : int, sequence of int or None, default 0
        The axes along which one vector lies; ``[0, 1, 2]`` for each filter of a `Conv2D`.

    Notes
    -----
    The new length is ``rate * clip(norm, min_value, max_value) + (1 - rate) * norm``.

    Examples
    --------
    >>> MinMaxNorm(1.0, 2.0)(np.array([[3.0, 0.0], [4.0, 0.5]])).round(3)
    array([[1.2, 0. ],
           [1.6, 1. ]])
    >>> MinMaxNorm(1.0, 2.0, rate=0.5)(np.array([[3.0, 0.0], [4.0, 0.5]])).round(3)
    array([[2.1 , 0.  ],
           [2.8 , 0.75]])
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ) -> None:
        self.min_value = _length("min_value", min_value)
        self.max_value = _length("max_value", max_value)
        self.rate = _length("rate", rate)
        self.axis = _axis(axis)
        if min_value > max_value:
            raise ValueError(
                f"`min_value` must not be above `max_value`. "
                f"Received: min_value={min_value}, max_value={max_value}."
            )
        if rate > 1:
            raise ValueError(f"`rate` must be a number from 0 to 1. Received: rate={rate}.")

    def __call__(self, w: ArrayLike) -> np.ndarray:
        """Each vector, `rate` of the way to a length between the bounds."""
        return _rescaled(w, self.axis, self._new_norms)

    def _new_norms(self, norms: np.ndarray) -> np.ndarray:
        allowed = np.clip(norms, self.min_value, self.max_value)
        return self.rate * allowed + (1 - self.rate) * norms

    def get_config(self) -> dict[str, Any]:
        """``{"min_value": ..., "max_value": ..., "rate": ..., "axis": ...}``."""
        return {
            "min_value": self.min_value, "max_value": self.max_value,
            "rate": self.rate, "axis": self.axis,
        }  # fmt: skip


def _rescaled(w: ArrayLike, axis: Axis, new_norms: Any) -> np.ndarray:
    w = np.asarray(w)
    # Weights that have run away to infinity become NaN, as in Keras, without a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        norms = _norms(w, axis)
        return w * (new_norms(norms) / (config.epsilon() + norms))


def _norms(w: np.ndarray, axis: Axis) -> np.ndarray:
    """The lengths of the vectors along `axis`, which stays with size 1."""
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    try:
        squares = np.square(w).sum(axis=axes, keepdims=True)
    except np.exceptions.AxisError:
        raise ValueError(
            f"`axis` must name axes of the weights. Received: axis={axis}, "
            f"weights of shape {w.shape}."
        ) from None
    return np.sqrt(squares)


def _length(name: str, value: Any) -> Any:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not (number and value >= 0):
        raise ValueError(
            f"`{name}` must be a number that is not negative. Received: {name}={value!r}."
        )
    return value.item() if isinstance(value, np.number) else value


def _axis(axis: Any) -> Any:
    """The axes as JSON can hold them: None, an int, or the sequence that came."""
    if axis is None:
        return None
    try:
        if not isinstance(axis, (list, tuple)):
            return operator.index(axis)
        axes = type(axis)(operator.index(a) for a in axis)
    except TypeError:
        raise ValueError(
            f"`axis` must be an integer or a sequence of integers. Received: axis={axis!r}."
        ) from None
    if len(set(axes)) < len(axes):
        raise ValueError(f"`axis` must name each axis once. Received: axis={axis!r}.")
    return axes


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_catalogue = Catalogue(
    "constraint",
    "keras.constraints",
    {
        "max_norm": MaxNorm,
        "min_max_norm": MinMaxNorm,
        "non_neg": NonNeg,
        "unit_norm": UnitNorm,
        "constraint": Constraint,
        "MaxNorm": MaxNorm,
        "MinMaxNorm": MinMaxNorm,
        "NonNeg": NonNeg,
        "UnitNorm": UnitNorm,
        "Constraint": Constraint,
    },
)


def get(identifier: Any) -> Any:
    """A constraint from its name, its config, its class or itself.

    Parameters
    ----------
    identifier : str, dict, class, callable or None

    Returns
    -------
    callable or None

    Raises
    ------
    ValueError
        For what is none of these, and for a name that Keras does not know.

    Examples
    --------
    >>> get("max_norm")
    MaxNorm(max_value=2, axis=0)
    >>> get({"class_name": "UnitNorm", "config": {"axis": [0, 1, 2]}})
    UnitNorm(axis=[0, 1, 2])
    """
    return _catalogue.get(identifier)


def serialize(constraint: Any) -> Any:
    """The config of a constraint, as Keras writes it.

    Parameters
    ----------
    constraint : Constraint, callable or None

    Returns
    -------
    dict, str or None

    Examples
    --------
    >>> serialize(UnitNorm(axis=[0, 1, 2]))["config"]
    {'axis': [0, 1, 2]}
    """
    return _catalogue.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint of a config.

    Parameters
    ----------
    config : dict, str or None
    custom_objects : mapping of str to class or function, optional
        Names that the config may use beside Keras's.

    Returns
    -------
    callable or None

    Examples
    --------
    >>> deserialize(serialize(MaxNorm(3.0)))
    MaxNorm(max_value=3.0, axis=0)
    """
    with custom_object_scope(custom_objects):
        return _catalogue.get(config)
