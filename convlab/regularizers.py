"""What a weight or an output adds to the loss: penalties, and their derivatives.

>>> import numpy as np
>>> L2(0.5)(np.array([3.0, 4.0]))
12.5
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlab import config
from convlab.objects import Catalogue, Configurable, custom_object_scope

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "gradient",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(Configurable):
    """No penalty; the class that others derive from.

    A class of your own says what it adds in ``__call__`` and the derivative of that in
    ``gradient``. ``get_config`` returns the constructor's arguments, for saving.

    Examples
    --------
    >>> class Fourth(Regularizer):
    ...     def __call__(self, x):
    ...         return float((x**4).sum())
    ...     def gradient(self, x):
    ...         return 4 * x**3
    >>> Fourth()(np.array([1.0, 2.0])), Fourth().gradient(np.array([1.0, 2.0]))
    (17.0, array([ 4., 32.]))
    """

    def __call__(self, x: ArrayLike) -> float:
        """The penalty.

        Parameters
        ----------
        x : array

        Returns
        -------
        float
        """
        return 0.0

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """The derivative of the penalty by each element.

        Parameters
        ----------
        x : array

        Returns
        -------
        numpy.ndarray
            Of the shape of `x`.

        Raises
        ------
        TypeError
            Where a class overrides ``__call__`` and not ``gradient``.
        """
        if type(self).__call__ is not Regularizer.__call__:
            raise TypeError(_needs_gradient(self))
        return np.zeros_like(_floats(x))


class L1(Regularizer):
    """The sum of absolute values, times `l1`: it pulls small weights as hard as large ones.

    Parameters
    ----------
    l1 : float, default 0.01
        Not negative.

    Notes
    -----
    The derivative is ``l1 * sign(x)``, which is 0 at 0.

    Examples
    --------
    >>> L1(0.5)(np.array([1.0, -3.0]))
    2.0
    >>> L1(0.5).gradient(np.array([1.0, -3.0, 0.0]))
    array([ 0.5, -0.5,  0. ])
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: ArrayLike) -> float:
        """`l1` times the sum of absolute values."""
        return self.l1 * _sum_of_absolutes(_floats(x))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """`l1` where `x` is positive, ``-l1`` where it is negative."""
        sign = np.sign(_floats(x))
        return np.multiply(sign, self.l1, out=sign)

    def get_config(self) -> dict[str, Any]:
        """``{"l1": ...}``."""
        return {"l1": self.l1}


class L2(Regularizer):
    """The sum of squares, times `l2`: it shrinks large weights most.

    Parameters
    ----------
    l2 : float, default 0.01
        Not negative.

    Notes
    -----
    There is no factor 1/2, so the derivative is ``2 * l2 * x``.

    Examples
    --------
    >>> L2(0.5)(np.array([1.0, -3.0]))
    5.0
    >>> L2(0.5).gradient(np.array([1.0, -3.0]))
    array([ 1., -3.])
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: ArrayLike) -> float:
        """`l2` times the sum of squares."""
        return self.l2 * _sum_of_squares(_floats(x))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """``2 * l2 * x``."""
        return np.multiply(_floats(x), 2 * self.l2)

    def get_config(self) -> dict[str, Any]:
        """``{"l2": ...}``."""
        return {"l2": self.l2}


class L1L2(Regularizer):
    """`L1` and `L2` added.

    Parameters
    ----------
    l1, l2 : float, default 0.0
        Not negative. By the name "l1l2" alone both are 0, and the penalty is none.

    Examples
    --------
    >>> L1L2(l1=0.5, l2=0.1)(np.array([1.0, -3.0]))
    3.0
    >>> L1L2(l1=0.5, l2=0.1).gradient(np.array([1.0, -3.0]))
    array([ 0.7, -1.1])
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: ArrayLike) -> float:
        """`l1` times the sum of absolute values and `l2` times the sum of squares."""
        x = _floats(x)
        # A factor of 0 means that its part is absent, even where that part is infinite.
        first = self.l1 * _sum_of_absolutes(x) if self.l1 else 0.0
        return first + (self.l2 * _sum_of_squares(x) if self.l2 else 0.0)

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """``l1 * sign(x) + 2 * l2 * x``."""
        x = _floats(x)
        if not self.l1:
            return L2(self.l2).gradient(x) if self.l2 else np.zeros_like(x)
        result = L1(self.l1).gradient(x)
        return np.add(result, L2(self.l2).gradient(x), out=result) if self.l2 else result

    def get_config(self) -> dict[str, Any]:
        """``{"l1": ..., "l2": ...}``."""
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    r"""How far the rows (or the columns) of a matrix are from being at right angles.

    Parameters
    ----------
    factor : float, default 0.01
        Not negative.
    mode : {"rows", "columns"}, default "rows"
        Which vectors are compared.

    Notes
    -----
    With :math:`u_i = x_i / |x_i|` the penalty is the mean of the absolute cosines,
    :math:`f = \frac{\text{factor}}{n(n-1)/2} \sum_{i<j} |u_i \cdot u_j|`.
    Its derivative by :math:`u_i` is
    :math:`g_i = \frac{\text{factor}}{n(n-1)/2} \sum_{j\ne i} \mathrm{sign}(u_i\cdot u_j) u_j`.
    The length of :math:`x_i` does not matter, so the part of :math:`g_i` along
    :math:`u_i` goes: the derivative by :math:`x_i` is
    :math:`(g_i - (g_i \cdot u_i) u_i) / |x_i|`. A vector of zeros has no direction: it adds
    nothing and gets no gradient. Nor does a single vector.

    Examples
    --------
    >>> OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [0.0, 2.0]]))
    0.0
    >>> OrthogonalRegularizer(1.0)(np.array([[1.0, 0.0], [3.0, 4.0]]))
    0.6
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f'`mode` must be "rows" or "columns". Received: mode={mode!r}.')
        self.mode = mode

    def __call__(self, x: ArrayLike) -> float:
        """`factor` times the mean absolute cosine between two different vectors."""
        directions, _ = self._directions(x)
        return self._weight(directions) * _sum_of_absolutes(_cosines(directions)) / 2

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """The derivative: each vector turned away from those it leans to."""
        directions, lengths = self._directions(x)
        pull = self._weight(directions) * (np.sign(_cosines(directions)) @ directions)
        along = (pull * directions).sum(axis=1, keepdims=True)
        result = (pull - along * directions) / lengths
        return result if self.mode == "rows" else np.ascontiguousarray(result.T)

    def get_config(self) -> dict[str, Any]:
        """``{"factor": ..., "mode": ...}``."""
        return {"factor": self.factor, "mode": self.mode}

    def _directions(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Each vector as a row of length 1, and the lengths they had."""
        matrix = _floats(x)
        if matrix.ndim != 2:
            raise ValueError(
                f"OrthogonalRegularizer needs an input of two axes. "
                f"Received: an input of shape {matrix.shape}."
            )
        rows = matrix if self.mode == "rows" else matrix.T
        lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
        lengths[lengths == 0] = np.inf  # no direction: all its cosines are 0
        return rows / lengths, lengths

    def _weight(self, directions: np.ndarray) -> float:
        count = len(directions)
        return self.factor / max(count * (count - 1) / 2, 1)


def _cosines(directions: np.ndarray) -> np.ndarray:
    """The cosine between any two rows; 0 between a row and itself."""
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, 0)
    return cosines


def gradient(regularizer: Any, x: ArrayLike) -> np.ndarray:
    """The derivative of any regularizer's penalty by each element of `x`.

    Parameters
    ----------
    regularizer : Regularizer or callable
        A function of your own needs an attribute ``gradient``: a function of `x`.
    x : array

    Returns
    -------
    numpy.ndarray
        Of the shape of `x`.

    Raises
    ------
    TypeError
        Where the regularizer has no ``gradient``.

    Examples
    --------
    >>> def total(x):
    ...     return float(x.sum())
    >>> total.gradient = np.ones_like
    >>> gradient(total, np.array([1.0, 2.0]))
    array([1., 1.])
    """
    derivative = getattr(regularizer, "gradient", None)
    if not callable(derivative):
        raise TypeError(_needs_gradient(regularizer))
    x = np.asarray(x)
    result = np.asarray(derivative(x))
    if result.shape != x.shape:
        raise ValueError(
            f"A regularizer's gradient must have the shape of its input, {x.shape}. "
            f"Received: a gradient of shape {result.shape} from {regularizer!r}."
        )
    return result


def _needs_gradient(regularizer: Any) -> str:
    return (
        f"A regularizer must have a method or an attribute `gradient`. Received: {regularizer!r}. "
        f"Give it one: a function of x that returns the derivative of the penalty by each "
        f"element, in the shape of x."
    )


def _factor(name: str, value: Any) -> float:
    number = isinstance(value, (int, float))  # as in Keras: NumPy's float64 is a float
    if not number or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"`{name}` must be a finite float that is not negative. Received: {name}={value!r}."
        )
    return float(value)


def _floats(x: ArrayLike) -> np.ndarray:
    """The array as it is if it holds floats; whole numbers in the dtype of the layers."""
    array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(config.floatx())


def _sum_of_absolutes(x: np.ndarray) -> float:
    return float(np.abs(x).sum(dtype=_wide(x)))


def _sum_of_squares(x: np.ndarray) -> float:
    flat = x.astype(_wide(x), copy=False).ravel()
    return float(flat @ flat)


def _wide(x: np.ndarray) -> Any:
    return np.float32 if x.dtype == np.float16 else x.dtype  # float16 sums end at 65504


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_catalogue = Catalogue(
    "regularizer",
    "keras.regularizers",
    {
        "l1": L1,
        "l2": L2,
        "l1l2": L1L2,
        "orthogonal_regularizer": OrthogonalRegularizer,
        "regularizer": Regularizer,
        "L1": L1,
        "L2": L2,
        "L1L2": L1L2,
        "OrthogonalRegularizer": OrthogonalRegularizer,
        "Regularizer": Regularizer,
    },
)


def get(identifier: Any) -> Any:
    """A regularizer from its name, its config, its class or itself.

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
    >>> get("l2")
    L2(l2=0.01)
    >>> get({"class_name": "L1", "config": {"l1": 0.5}})
    L1(l1=0.5)
    """
    return _catalogue.get(identifier)


def serialize(regularizer: Any) -> Any:
    """The config of a regularizer, as Keras writes it.

    Parameters
    ----------
    regularizer : Regularizer, callable or None

    Returns
    -------
    dict, str or None

    Examples
    --------
    >>> serialize(L2(0.5))["config"]
    {'l2': 0.5}
    """
    return _catalogue.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of a config.

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
    >>> deserialize(serialize(L1L2(0.5, 0.1)))
    L1L2(l1=0.5, l2=0.1)
    """
    with custom_object_scope(custom_objects):
        return _catalogue.get(config)
