"""Losses: how far predictions are from the truth, and the derivative that training follows.

>>> import numpy as np
>>> loss = CategoricalCrossentropy()
>>> y_true, y_pred = np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])
>>> round(loss(y_true, y_pred), 4)
0.6931
>>> loss.gradient(y_true, y_pred)
array([[ 1., -1.]])

Each formula stands in one place, a function that gives the values together with how a gradient
flows back through them, so that the value and the derivative share their work.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convlab import config
from convlab.names import auto_name, snake_case
from convlab.objects import Catalogue, Configurable, custom_object_scope

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
]

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)
Pull = Callable[[np.ndarray], np.ndarray]


class _Linear(NamedTuple):
    """Values of a loss, and what a gradient of them becomes at the predictions."""

    values: np.ndarray
    pull: Pull  # takes an array that broadcasts to the shape of `values`
    mask: np.ndarray | None = None  # which values count; None: all


class Loss(Configurable):
    """The class that losses derive from.

    A class of your own gives the values in ``call`` and their derivative in ``call_gradient``.
    Everything else, weights and reduction included, is done here.

    Parameters
    ----------
    name : str, optional
        The class in snake case where None.
    reduction : str or None, default "sum_over_batch_size"
        How the values become one number. ``"sum_over_batch_size"`` and ``"mean"`` divide their
        sum by how many they are (weights do not change the divisor),
        ``"mean_with_sample_weight"`` by the sum of the weights, ``"sum"`` by nothing;
        ``"none"`` and None leave the values as they are.
    dtype : str, optional
        Where None, the dtype of the predictions, or `config.floatx` where that is wider.

    Examples
    --------
    >>> class Fourth(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ((y_pred - y_true) ** 4).mean(axis=-1)
    ...     def call_gradient(self, y_true, y_pred):
    ...         return 4 * (y_pred - y_true) ** 3 / y_pred.shape[-1]
    >>> Fourth()([[0.0, 0.0]], [[1.0, 2.0]])
    8.5
    >>> Fourth().gradient([[0.0, 0.0]], [[1.0, 2.0]])
    array([[ 2., 16.]])
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        if not (reduction is None or isinstance(reduction, str)) or reduction not in REDUCTIONS:
            raise ValueError(
                f"`reduction` must be one of {', '.join(map(repr, REDUCTIONS))}. "
                f"Received: reduction={reduction!r}."
            )
        self.name = name or auto_name(type(self))
        self.reduction = reduction
        self._dtype = None if dtype is None else np.dtype(dtype)

    @property
    def dtype(self) -> str:
        """The dtype of the computation, where the predictions do not ask for a wider one."""
        return self._dtype.name if self._dtype is not None else config.floatx()

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> Any:
        """The values: one for each example, or for each of its parts.

        Parameters
        ----------
        y_true, y_pred : array
            Of the loss's dtype.

        Returns
        -------
        array
            Its shape is that of `y_pred`, or the first axes of it.
        """
        raise NotImplementedError(
            f"A loss needs a method call(y_true, y_pred) that returns its values. "
            f"Received: {type(self).__name__}, which has none."
        )

    def call_gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> Any:
        """The derivative of each value with respect to the predictions it was made from.

        Parameters
        ----------
        y_true, y_pred : array
            Of the loss's dtype.

        Returns
        -------
        array
            Of the shape of `y_pred`.
        """
        raise TypeError(
            f"A loss can be trained with where its derivative is known. Received: "
            f"{type(self).__name__}. Give it a method call_gradient(y_true, y_pred) that "
            f"returns d(value)/d(y_pred)."
        )

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """The loss.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional
            One for each value, or of a shape that broadcasts with theirs.

        Returns
        -------
        float
            The array of values where the reduction is None or ``"none"``.
        """
        with np.errstate(all="ignore"):
            linear = self._linear(y_true, y_pred)
            return self._reduce(*self._weigh(linear, sample_weight))

    def gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> np.ndarray:
        """The derivative of the loss with respect to the predictions.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional

        Returns
        -------
        array
            Of the shape and dtype of `y_pred`. Without a reduction: of the sum of the values.
        """
        with np.errstate(all="ignore"):
            linear = self._linear(y_true, y_pred)
            return self._pull(linear, *self._weigh(linear, sample_weight))

    def value_and_gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[Any, np.ndarray]:
        """The loss and its derivative, for little more than the price of one.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional

        Returns
        -------
        float, array

        Examples
        --------
        >>> MeanSquaredError().value_and_gradient([[1.0]], [[3.0]])
        (4.0, array([[4.]]))
        """
        with np.errstate(all="ignore"):
            linear = self._linear(y_true, y_pred)
            values, weights = self._weigh(linear, sample_weight)
            return self._reduce(values, weights), self._pull(linear, values, weights)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        return {"name": self.name, "reduction": self.reduction}

    def _linear(self, y_true: ArrayLike, y_pred: ArrayLike) -> _Linear:
        """Values and derivative in the loss's dtype; the gradient in that of `y_pred`."""
        given = _float(y_pred)
        dtype = self._dtype or np.result_type(given, config.floatx())
        truth, predictions = _cast(y_true, dtype), _cast(given, dtype)
        linear = self._linearize(truth, predictions)

        def pull(upstream: np.ndarray) -> np.ndarray:
            return _cast(linear.pull(upstream), given.dtype)

        return _Linear(_cast(linear.values, dtype), pull, linear.mask)

    def _linearize(self, y_true: np.ndarray, y_pred: np.ndarray) -> _Linear:
        values = np.asarray(self.call(y_true, y_pred))
        return _Linear(values, lambda up: _chain(up, self.call_gradient(y_true, y_pred), values))

    def _weigh(
        self, linear: _Linear, sample_weight: ArrayLike | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The values as they enter the reduction, and their weights."""
        values = linear.values
        weights = None if sample_weight is None else _cast(sample_weight, values.dtype)
        if linear.mask is not None:
            weights = _masked(weights, linear.mask, self.reduction, values.dtype)
        if weights is None:
            return values, None
        values, weights = _same_rank(values, weights)
        _check_weights(values, weights)
        return values, weights

    def _reduce(self, values: np.ndarray, weights: np.ndarray | None) -> Any:
        weighted = values if weights is None else values * weights
        if self.reduction in (None, "none"):
            return weighted
        divisor = self._divisor(weighted.shape, weights)
        return float(weighted.sum() / weighted.dtype.type(divisor)) if divisor else 0.0

    def _divisor(self, shape: tuple[int, ...], weights: np.ndarray | None) -> float:
        if self.reduction in (None, "none", "sum") or shape == ():
            return 1.0
        if self.reduction == "mean_with_sample_weight" and weights is not None:
            return float(weights.sum())
        return float(np.prod(shape))

    def _pull(self, linear: _Linear, values: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        shape = np.broadcast_shapes(values.shape, () if weights is None else weights.shape)
        divisor = self._divisor(shape, weights)
        scale = values.dtype.type(1 / divisor if divisor else 0)
        upstream = np.broadcast_to(scale if weights is None else weights * scale, shape)
        return linear.pull(_unbroadcast(upstream, values.shape).reshape(linear.values.shape))


class _FunctionLoss(Loss):
    """A function of (y_true, y_pred) as a loss; its ``gradient`` attribute is the derivative."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self._fn = fn
        self._arguments = arguments

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> Any:
        return self._fn(y_true, y_pred, **self._arguments)

    def call_gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> Any:
        gradient = getattr(self._fn, "gradient", None)
        if gradient is None:
            raise TypeError(
                f"A loss can be trained with where its derivative is known. Received: "
                f"{self.name}, a function without one. Set its attribute `gradient` to a "
                f"function of (y_true, y_pred) that returns d(value)/d(y_pred)."
            )
        return gradient(y_true, y_pred, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fn": serialize(self._fn), **self._arguments}

    def _linearize(self, y_true: np.ndarray, y_pred: np.ndarray) -> _Linear:
        truth, predictions = _same_rank(y_true, y_pred)
        formula = _FORMULAS.get(self._fn)
        if formula is None:
            linear = super()._linearize(truth, predictions)
        else:
            linear = formula(truth, predictions, **self._arguments)

        def pull(upstream: np.ndarray) -> np.ndarray:
            return linear.pull(upstream).reshape(y_pred.shape)

        return linear._replace(pull=pull)


class MeanSquaredError(_FunctionLoss):
    """The mean of the squared differences.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "mean_squared_error"
    dtype : str, optional
        As for `Loss`, all three.

    Examples
    --------
    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])
    2.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        return Loss.get_config(self)


class MeanAbsoluteError(_FunctionLoss):
    """The mean of the absolute differences.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "mean_absolute_error"
    dtype : str, optional
        As for `Loss`, all three.

    Examples
    --------
    >>> MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]])
    1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        return Loss.get_config(self)


class BinaryCrossentropy(_FunctionLoss):
    """Cross-entropy where each prediction is a question of yes (1) or no (0).

    Parameters
    ----------
    from_logits : bool, default False
        Whether the predictions are logits, to which a sigmoid belongs, rather than
        probabilities.
    label_smoothing : float, default 0.0
        How far the truths are drawn towards 1/2: 0 not at all, 1 wholly.
    axis : int, default -1
        The axis over which the mean is taken.
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "binary_crossentropy"
    dtype : str, optional
        As for `Loss`, all three.

    Examples
    --------
    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> round(loss([[1.0], [0.0]], [[0.0], [0.0]]), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        return {**Loss.get_config(self), **self._arguments}


class CategoricalCrossentropy(_FunctionLoss):
    """Cross-entropy between one-hot truths and the predicted probabilities of the classes.

    Parameters
    ----------
    from_logits : bool, default False
        Whether the predictions are logits, to which a softmax belongs, rather than
        probabilities.
    label_smoothing : float, default 0.0
        The share of a truth that is spread evenly over all classes.
    axis : int, default -1
        The axis of the classes.
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "categorical_crossentropy"
    dtype : str, optional
        As for `Loss`, all three.

    Notes
    -----
    Probabilities are divided by their sum and kept within `config.epsilon` of 0 and 1. Where
    that changes one, its gradient is 0: a network that is very sure, and wrong, learns nothing
    there. With ``from_logits=True`` it does.

    Examples
    --------
    >>> loss = CategoricalCrossentropy()
    >>> loss.gradient([[0.0, 1.0]], [[1.0, 0.0]])
    array([[0., 0.]])
    >>> CategoricalCrossentropy(from_logits=True).gradient([[0.0, 1.0]], [[100.0, 0.0]])
    array([[ 1., -1.]])
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        return {**Loss.get_config(self), **self._arguments}


class SparseCategoricalCrossentropy(_FunctionLoss):
    """`CategoricalCrossentropy` where a truth is the number of its class.

    Parameters
    ----------
    from_logits : bool, default False
        Whether the predictions are logits, to which a softmax belongs, rather than
        probabilities.
    ignore_class : int, optional
        A label that does not count: its value and gradient are 0, and the mean is taken over
        the others.
    reduction : str or None, default "sum_over_batch_size"
    axis : int, default -1
        The axis of the classes.
    name : str, default "sparse_categorical_crossentropy"
    dtype : str, optional
        As for `Loss`.

    Examples
    --------
    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them, and `axis` where it is not -1.

        Returns
        -------
        dict
        """
        arguments = dict(self._arguments)
        if arguments["axis"] == -1:  # Keras never writes it, and reads -1 where it is absent
            del arguments["axis"]
        return {**Loss.get_config(self), **arguments}


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """The mean of the squared differences along the last axis.

    Parameters
    ----------
    y_true, y_pred : array
        Of one shape, or of shapes that broadcast.

    Returns
    -------
    array

    Examples
    --------
    >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([2.5])
    """
    return _values(mean_squared_error, y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """The mean of the absolute differences along the last axis.

    Parameters
    ----------
    y_true, y_pred : array
        Of one shape, or of shapes that broadcast.

    Returns
    -------
    array

    Examples
    --------
    >>> mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]])
    array([1.5])
    """
    return _values(mean_absolute_error, y_true, y_pred)


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """The mean along an axis of the cross-entropy of each prediction.

    Parameters
    ----------
    y_true, y_pred : array
        Of one shape.
    from_logits : bool, default False
    label_smoothing : float, default 0.0
    axis : int, default -1
        As for `BinaryCrossentropy`, all three.

    Returns
    -------
    array

    Examples
    --------
    >>> binary_crossentropy([[1.0]], [[0.5]]).round(4)
    array([0.6931])
    """
    return _values(
        binary_crossentropy, y_true, y_pred,
        from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
    )  # fmt: skip


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """The cross-entropy between one-hot truths and predictions, along an axis.

    Parameters
    ----------
    y_true, y_pred : array
        Of one shape.
    from_logits : bool, default False
    label_smoothing : float, default 0.0
    axis : int, default -1
        As for `CategoricalCrossentropy`, all three.

    Returns
    -------
    array

    Examples
    --------
    >>> categorical_crossentropy([[0.0, 1.0]], [[0.75, 0.25]]).round(4)
    array([1.3863])
    """
    return _values(
        categorical_crossentropy, y_true, y_pred,
        from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
    )  # fmt: skip


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> np.ndarray:
    """The cross-entropy between labels, as class numbers, and predictions, along an axis.

    Parameters
    ----------
    y_true : array
        Of the shape of `y_pred` without the axis of the classes, or with 1 there.
    y_pred : array
    from_logits : bool, default False
    ignore_class : int, optional
    axis : int, default -1
        As for `SparseCategoricalCrossentropy`, all three.

    Returns
    -------
    array

    Examples
    --------
    >>> sparse_categorical_crossentropy([1], [[0.75, 0.25]]).round(4)
    array([1.3863])
    """
    return _values(
        sparse_categorical_crossentropy, y_true, y_pred,
        from_logits=from_logits, ignore_class=ignore_class, axis=axis,
    )  # fmt: skip


def get(identifier: object) -> Any:
    """A loss by name, config, class, function or object.

    Parameters
    ----------
    identifier : str, dict, class, callable or None

    Returns
    -------
    callable or None

    Raises
    ------
    ValueError
        Where nothing goes by the name.

    Examples
    --------
    >>> get("mse").__name__
    'mean_squared_error'
    >>> get("MeanSquaredError").name
    'mean_squared_error'
    """
    return _CATALOGUE.get(identifier)


def serialize(loss: Any) -> Any:
    """The config of a loss.

    Parameters
    ----------
    loss : Loss or function

    Returns
    -------
    dict or str

    Examples
    --------
    >>> serialize(MeanSquaredError())["class_name"]
    'MeanSquaredError'
    """
    return _CATALOGUE.serialize(loss)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a config.

    Parameters
    ----------
    config : dict or str
    custom_objects : mapping of str to class or function, optional

    Returns
    -------
    Loss or function

    Examples
    --------
    >>> deserialize(serialize(BinaryCrossentropy(from_logits=True))).from_logits
    True
    """
    with custom_object_scope(custom_objects):
        return _CATALOGUE.get(config)


def resolve(
    identifier: object, y_true_shape: tuple[int | None, ...], y_pred_shape: tuple[int | None, ...]
) -> Loss | None:
    """The loss that ``compile(loss=identifier)`` means.

    Parameters
    ----------
    identifier : str, dict, class, callable or None
        Beside what `get` takes: ``"crossentropy"`` and ``"ce"``, whose kind follows from the
        shapes as that of ``"accuracy"`` does.
    y_true_shape, y_pred_shape : tuple of int

    Returns
    -------
    Loss or None

    Examples
    --------
    >>> resolve("crossentropy", (8,), (8, 10)).call([1], [[0.5, 0.5]]).round(4)
    array([0.6931])
    """
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        found: Any = _CROSSENTROPIES[kind_of_labels(y_true_shape, y_pred_shape)]
    else:
        found = get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    return _FunctionLoss(found, name=identifier if isinstance(identifier, str) else name_of(found))


def kind_of_labels(
    y_true_shape: tuple[int | None, ...], y_pred_shape: tuple[int | None, ...]
) -> str:
    """Which of its three forms a loss or metric takes: Keras's rule for ``"accuracy"``."""
    if y_pred_shape[-1:] == (1,):
        return "binary"
    fewer_axes = len(y_true_shape) < len(y_pred_shape)
    return "sparse" if fewer_axes or y_true_shape[-1:] == (1,) else "categorical"


def name_of(found: Any) -> str:
    """The name of a loss or metric that nobody named."""
    name = getattr(found, "name", None)
    return name or snake_case(getattr(found, "__name__", type(found).__name__))


def _squared(y_true: np.ndarray, y_pred: np.ndarray) -> _Linear:
    difference = _difference(y_true, y_pred)
    count = difference.shape[-1]

    def pull(upstream: np.ndarray) -> np.ndarray:
        gradient = difference * (upstream * (2 / max(count, 1)))[..., None]
        return _unbroadcast(gradient, y_pred.shape)

    return _Linear(np.vecdot(difference, difference) / np.asarray(count, difference.dtype), pull)


def _absolute(y_true: np.ndarray, y_pred: np.ndarray) -> _Linear:
    difference = _difference(y_true, y_pred)
    count = difference.shape[-1]

    def pull(upstream: np.ndarray) -> np.ndarray:
        gradient = np.sign(difference)
        gradient *= (upstream / max(count, 1))[..., None]
        return _unbroadcast(gradient, y_pred.shape)

    total = np.abs(difference).sum(axis=-1)
    return _Linear(total / np.asarray(count, difference.dtype), pull)


def _difference(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    y_true, y_pred = _same_rank(y_true, y_pred)
    try:
        difference = np.asarray(y_pred - y_true)
    except ValueError:
        raise ValueError(_shapes_rule("shapes that broadcast", y_true, y_pred)) from None
    if difference.ndim == 0:
        raise ValueError(_shapes_rule("at least one axis", y_true, y_pred))
    return difference


def _binary(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: Any = -1,
) -> _Linear:
    if y_true.shape != y_pred.shape:
        raise ValueError(_shapes_rule("the same shape", y_true, y_pred))
    axis = tuple(range(y_pred.ndim)) if axis is None else _axes(axis, y_pred)
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    formula = _binary_logits if from_logits else _binary_probabilities
    entropies, derivative = formula(y_true, y_pred)
    values = np.asarray(entropies.mean(axis=axis))
    count = y_pred.size / max(values.size, 1)

    def pull(upstream: np.ndarray) -> np.ndarray:
        gradient = derivative()
        gradient *= np.expand_dims(upstream / upstream.dtype.type(count), axis)
        return gradient

    return _Linear(values, pull)


def _binary_probabilities(
    y_true: np.ndarray, y_pred: np.ndarray
) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
    clipped, rest = _clip(y_pred), 1 - y_true
    entropies = -(y_true * np.log(clipped) + rest * np.log(1 - clipped))

    def derivative() -> np.ndarray:
        gradient = rest / (1 - clipped) - y_true / clipped
        gradient *= clipped == y_pred
        return gradient

    return entropies, derivative


def _binary_logits(
    y_true: np.ndarray, y_pred: np.ndarray
) -> tuple[np.ndarray, Callable[[], np.ndarray]]:
    # log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)) overflows for no x.
    decay, rest = np.exp(-np.abs(y_pred)), 1 - y_true
    common = np.log1p(decay)
    entropies = y_true * (common + np.maximum(-y_pred, 0)) + rest * (common + np.maximum(y_pred, 0))

    def derivative() -> np.ndarray:
        # Both sigmoids rather than one and its complement: near 1 the complement is all zeros.
        large, small = 1 / (1 + decay), decay / (1 + decay)
        positive = y_pred >= 0
        return rest * np.where(positive, large, small) - y_true * np.where(positive, small, large)

    return entropies, derivative


def _categorical(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> _Linear:
    axis = _class_axis(axis, y_pred)
    if y_true.shape != y_pred.shape:
        advice = " Labels that are class numbers belong to sparse_categorical_crossentropy."
        raise ValueError(_shapes_rule("the same shape", y_true, y_pred) + advice)
    if y_pred.shape[-1] == 1:
        warnings.warn(
            "Categorical cross-entropy over one class is always 0. Received: "
            f"y_pred.shape={y_pred.shape}. Use binary_crossentropy for two classes.",
            SyntaxWarning,
            stacklevel=2,
        )
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[-1]
    formula = _categorical_logits if from_logits else _categorical_probabilities
    values, pull = formula(np.moveaxis(y_true, axis, -1), np.moveaxis(y_pred, axis, -1))
    return _Linear(values, lambda upstream: np.moveaxis(pull(upstream), -1, axis))


def _categorical_probabilities(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, Pull]:
    total = y_pred.sum(axis=-1, keepdims=True)
    share = y_pred / total
    clipped = _clip(share)

    def pull(upstream: np.ndarray) -> np.ndarray:
        # The mean is over shares, which sum to 1: what one gains by, the others pay for.
        gradient = y_true * (clipped == share)
        paid = gradient.sum(axis=-1, keepdims=True)
        gradient /= clipped
        np.subtract(paid, gradient, out=gradient)
        gradient *= upstream[..., None] / total
        return gradient

    return -np.vecdot(y_true, np.log(clipped)), pull


def _categorical_logits(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, Pull]:
    shifted, exponentials, total = _exponentials(y_pred)

    def pull(upstream: np.ndarray) -> np.ndarray:
        gradient = exponentials * (y_true.sum(axis=-1, keepdims=True) / total)
        gradient -= y_true
        gradient *= upstream[..., None]
        return gradient

    return -np.vecdot(y_true, shifted - np.log(total)), pull


def _exponentials(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits below their largest one, their exponentials, and the sums of these."""
    shifted = logits - logits.max(axis=-1, keepdims=True, initial=-np.inf)
    exponentials = np.exp(shifted)
    return shifted, exponentials, exponentials.sum(axis=-1, keepdims=True)


def _sparse(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> _Linear:
    axis = _class_axis(axis, y_pred)
    predictions = np.moveaxis(y_pred, axis, -1)
    labels = _labels(y_true, y_pred, axis)
    mask = None if ignore_class is None else labels != ignore_class
    chosen = _positions(labels if mask is None else np.where(mask, labels, 0), predictions)
    formula = _sparse_logits if from_logits else _sparse_probabilities
    values, pull = formula(chosen, predictions)
    if mask is None:
        return _Linear(values, lambda upstream: np.moveaxis(pull(upstream), -1, axis))

    def masked_pull(upstream: np.ndarray) -> np.ndarray:
        gradient = np.where(mask[..., None], pull(upstream), gradient_zero)
        return np.moveaxis(gradient, -1, axis)

    gradient_zero = values.dtype.type(0)
    return _Linear(np.where(mask, values, gradient_zero), masked_pull, mask)


def _sparse_probabilities(chosen: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, Pull]:
    total = y_pred.sum(axis=-1)
    share = y_pred.reshape(-1)[chosen].reshape(total.shape) / total
    clipped = _clip(share)

    def pull(upstream: np.ndarray) -> np.ndarray:
        paid = upstream * (clipped == share) / total
        gradient = np.empty(y_pred.shape, y_pred.dtype)
        gradient[...] = paid[..., None]
        gradient.reshape(-1)[chosen] -= (paid / clipped).ravel()
        return gradient

    return -np.log(clipped), pull


def _sparse_logits(chosen: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, Pull]:
    shifted, exponentials, total = _exponentials(y_pred)
    logarithm = np.log(total[..., 0])

    def pull(upstream: np.ndarray) -> np.ndarray:
        gradient = np.multiply(exponentials, upstream[..., None] / total, order="C")
        gradient.reshape(-1)[chosen] -= upstream.ravel()
        return gradient

    return logarithm - shifted.reshape(-1)[chosen].reshape(logarithm.shape), pull


def _labels(y_true: np.ndarray, y_pred: np.ndarray, axis: int) -> np.ndarray:
    """Class numbers, with the shape of `y_pred` without the axis of the classes."""
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = np.squeeze(y_true, axis)
    expected = y_pred.shape[:axis] + y_pred.shape[axis + 1 :]
    if y_true.shape != expected:
        raise ValueError(
            f"Labels must have the shape of `y_pred` without the axis of the classes: "
            f"{expected}. Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}, "
            f"axis={axis}. One-hot labels belong to categorical_crossentropy."
        )
    return y_true.astype(np.int64)


def _positions(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Where the labels' own predictions stand when all are laid out in one row."""
    classes = predictions.shape[-1]
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        raise ValueError(
            f"Labels must be class numbers from 0 to {classes - 1}, as `y_pred` has {classes} "
            f"classes. Received: a label {labels[wrong][0]}. A label that is not to count is "
            f"named by `ignore_class`."
        )
    return labels.ravel() + np.arange(labels.size) * classes


_FORMULAS: dict[Any, Callable[..., _Linear]] = {
    mean_squared_error: _squared,
    mean_absolute_error: _absolute,
    binary_crossentropy: _binary,
    categorical_crossentropy: _categorical,
    sparse_categorical_crossentropy: _sparse,
}


def _formula(
    function: Callable[..., Any], y_true: ArrayLike, y_pred: ArrayLike, arguments: dict[str, Any]
) -> _Linear:
    predictions = _float(y_pred)
    with np.errstate(all="ignore"):
        return _FORMULAS[function](_cast(y_true, predictions.dtype), predictions, **arguments)


def _values(
    function: Callable[..., Any], y_true: ArrayLike, y_pred: ArrayLike, **arguments: Any
) -> np.ndarray:
    return _formula(function, y_true, y_pred, arguments).values


def _gradient_of(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    def gradient(y_true: ArrayLike, y_pred: ArrayLike, **arguments: Any) -> np.ndarray:
        """The derivative of each value with respect to the predictions it was made from."""
        linear = _formula(function, y_true, y_pred, arguments)
        with np.errstate(all="ignore"):
            return linear.pull(np.ones_like(linear.values)).reshape(np.shape(y_pred))

    return gradient


for _function in _FORMULAS:  # so that each can be used as any function of one's own can
    _function.gradient = _gradient_of(_function)

_CROSSENTROPIES = {
    "binary": binary_crossentropy,
    "sparse": sparse_categorical_crossentropy,
    "categorical": categorical_crossentropy,
}

_CATALOGUE = Catalogue(
    "loss",
    "keras.losses",
    {
        "Loss": Loss,
        **{function.__name__: function for function in _FORMULAS},
        "MeanSquaredError": MeanSquaredError,
        "MeanAbsoluteError": MeanAbsoluteError,
        "BinaryCrossentropy": BinaryCrossentropy,
        "CategoricalCrossentropy": CategoricalCrossentropy,
        "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy,
        "mse": mean_squared_error,
        "MSE": mean_squared_error,
        "mae": mean_absolute_error,
        "MAE": mean_absolute_error,
        "bce": binary_crossentropy,
        "BCE": binary_crossentropy,
    },
)


def _float(array: ArrayLike) -> np.ndarray:
    """An array of floats: as it is where it holds floats, of `config.floatx` otherwise."""
    array = np.asarray(array)
    return array if array.dtype.kind == "f" else array.astype(config.floatx())


def _cast(array: ArrayLike, dtype: DTypeLike) -> np.ndarray:
    return np.asarray(array).astype(dtype, copy=False)


def _clip(probabilities: np.ndarray) -> np.ndarray:
    return np.clip(probabilities, config.epsilon(), 1 - config.epsilon())


def _same_rank(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with as many axes, where one has a last axis of 1 more than the other."""
    if first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        return (first, second[:, None]) if second.ndim == 1 else (first[..., 0], second)
    if second.ndim == first.ndim + 1 and second.shape[-1] == 1:
        return (first[:, None], second) if first.ndim == 1 else (first, second[..., 0])
    return first, second


def _unbroadcast(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of an array of this shape that was broadcast: what it gave is summed."""
    if array.shape == shape:
        return array
    extra = array.ndim - len(shape)
    stretched = [extra + i for i, n in enumerate(shape) if n != array.shape[extra + i]]
    return array.sum(axis=(*range(extra), *stretched)).reshape(shape)


def _chain(upstream: np.ndarray, derivative: ArrayLike, values: np.ndarray) -> np.ndarray:
    """The gradient of values that were each made from the predictions under it."""
    derivative = np.asarray(derivative)
    if derivative.shape[: values.ndim] != values.shape:
        raise ValueError(
            f"A loss's values must have the first axes of its gradient. Received: values of "
            f"shape {values.shape}, a gradient of shape {derivative.shape}."
        )
    missing = derivative.ndim - values.ndim
    return derivative * upstream.reshape(upstream.shape + (1,) * missing)


def _masked(
    weights: np.ndarray | None, mask: np.ndarray, reduction: str | None, dtype: np.dtype
) -> np.ndarray:
    """Weights that leave the masked values out, of the mean's divisor too."""
    kept = mask.astype(dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        kept *= dtype.type(mask.size / max(int(mask.sum()), 1))
    if weights is None:
        return kept
    kept, weights = _same_rank(kept, weights)
    return weights * kept


def _check_weights(values: np.ndarray, weights: np.ndarray) -> None:
    try:
        np.broadcast_shapes(values.shape, weights.shape)
    except ValueError:
        raise ValueError(
            f"`sample_weight` must broadcast with the values of the loss, whose shape is "
            f"{values.shape}. Received: sample_weight.shape={weights.shape}. Weights of "
            f"examples have shape {(len(values),) + (1,) * (values.ndim - 1)} here."
        ) from None


def _shapes_rule(rule: str, y_true: np.ndarray, y_pred: np.ndarray) -> str:
    return (
        f"`y_true` and `y_pred` must have {rule}. Received: y_true.shape={y_true.shape}, "
        f"y_pred.shape={y_pred.shape}."
    )


def _axes(axis: Any, array: np.ndarray) -> tuple[int, ...]:
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(_class_axis(one, array) for one in axes)


def _class_axis(axis: Any, array: np.ndarray) -> int:
    """The axis counted from the front."""
    received = f"Received: axis={axis!r}, y_pred.shape={array.shape}."
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise ValueError(f"`axis` must be an integer. {received}")
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"`axis` must be one of the axes of `y_pred`. {received}")
    return operator.index(axis) % array.ndim
