"""Metrics: numbers that say how well a network does, averaged over the batches of an epoch.

>>> accuracy = SparseCategoricalAccuracy()
>>> accuracy.update_state([0, 1], [[0.9, 0.1], [0.8, 0.2]])
>>> accuracy.update_state([1, 1], [[0.3, 0.7], [0.2, 0.8]])
>>> accuracy.result()
0.75
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlab import config, initializers, losses
from convlab.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from convlab.names import auto_name, snake_case
from convlab.objects import Catalogue, Configurable, custom_object_scope
from convlab.variables import Variable

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Sum",
    "TopKCategoricalAccuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


class Metric(Configurable):
    """The class that metrics derive from.

    A class of your own adds its variables in the constructor, changes them in `update_state`
    and returns the number in `result`.

    Parameters
    ----------
    dtype : str, optional
        `config.floatx` where None.
    name : str, optional
        The class in snake case where None.

    Attributes
    ----------
    direction : {"up", "down", None}
        Which way is better; None where that is not known.
    variables : list of Variable

    Examples
    --------
    >>> class Largest(Metric):
    ...     def __init__(self, name="largest"):
    ...         super().__init__(name=name)
    ...         self.value = self.add_variable((), "zeros", name="value")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.value.assign(max(float(self.value), np.max(y_pred)))
    ...     def result(self):
    ...         return float(self.value)
    >>> Largest()([0.0], [[0.25, 0.5]])
    0.5
    """

    direction: str | None = None

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self))
        self.dtype = np.dtype(dtype or config.floatx()).name
        self.variables: list[Variable] = []

    def add_variable(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = "zeros",
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """A number, or an array of numbers, that the metric keeps from batch to batch.

        Parameters
        ----------
        shape : tuple of int, default ()
        initializer : str, dict or callable, default "zeros"
        dtype : str, optional
            The metric's where None.
        name : str, optional

        Returns
        -------
        Variable
        """
        dtype = dtype or self.dtype
        value = initializers.get(initializer or "zeros")(shape, dtype=dtype)
        name = name or "variable"
        variable = Variable(value, name, dtype, trainable=False, path=f"{self.name}/{name}")
        self.variables.append(variable)
        return variable

    add_weight = add_variable

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in one batch."""
        raise NotImplementedError(
            f"A metric needs a method update_state. Received: {type(self).__name__}, without one."
        )

    def result(self) -> Any:
        """The number for all that was taken in since the last reset."""
        raise NotImplementedError(
            f"A metric needs a method result. Received: {type(self).__name__}, without one."
        )

    def reset_state(self) -> None:
        """Forget what was taken in: every variable becomes 0."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        return {"name": self.name, "dtype": self.dtype}


class Sum(Metric):
    """The sum of values, each times its weight.

    Parameters
    ----------
    name : str, default "sum"
    dtype : str, optional

    Examples
    --------
    >>> Sum()([1.0, 2.0, 3.0], sample_weight=[1, 1, 0])
    3.0
    """

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        # Sums in float64 whatever the dtype: a long epoch must not outgrow its own counter.
        self.total = self.add_variable((), "zeros", "float64", "total")

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add values.

        Parameters
        ----------
        values : array
        sample_weight : array, optional
        """
        with np.errstate(all="ignore"):
            each, _ = _samplewise(values, sample_weight, self.dtype, np.sum)
            self.total.assign(self.total.value + each.sum(dtype=np.float64))

    def result(self) -> float:
        """The sum so far.

        Returns
        -------
        float
        """
        return float(self.total)


class Mean(Metric):
    """The mean of values over all batches, each value times its weight.

    Parameters
    ----------
    name : str, default "mean"
    dtype : str, optional

    Examples
    --------
    >>> mean = Mean()
    >>> mean.update_state([1.0, 2.0])
    >>> mean.update_state([6.0], sample_weight=[2])
    >>> mean.result()
    3.75
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        # Sums in float64 whatever the dtype: a long epoch must not outgrow its own counter.
        self.total = self.add_variable((), "zeros", "float64", "total")
        self.count = self.add_variable((), "zeros", "float64", "count")

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Take values in. Those of one example are averaged first, and count as one.

        Parameters
        ----------
        values : array
            Its first axis is that of the examples.
        sample_weight : array, optional
            Of the shape of the first axes of `values`, or a number.
        """
        with np.errstate(all="ignore"):
            each, weights = _samplewise(values, sample_weight, self.dtype, np.mean)
            self.total.assign(self.total.value + each.sum(dtype=np.float64))
            if weights is None:
                added: Any = each.shape[0] if each.ndim else 1
            else:
                added = weights.sum(dtype=np.float64)
            self.count.assign(self.count.value + added)

    def result(self) -> float:
        """The mean so far; 0 of nothing.

        Returns
        -------
        float
        """
        return float(self.total) / float(self.count) if self.count else 0.0


class MeanMetricWrapper(Mean):
    """The mean of what a function of (y_true, y_pred) returns.

    Parameters
    ----------
    fn : callable
        Also a loss.
    name : str, optional
        The class in snake case where None.
    dtype : str, optional
    **kwargs
        More arguments of `fn`.

    Examples
    --------
    >>> def off_by(y_true, y_pred):
    ...     return np.abs(y_true - y_pred)
    >>> MeanMetricWrapper(off_by, name="off_by")(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    0.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, dtype)
        self._fn = fn
        self._arguments = kwargs
        if isinstance(fn, losses.Loss) or fn in _LOSSES:
            self.direction = "down"

    def update_state(  # type: ignore[override]  # as in Keras, what it takes in is another thing
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take one batch in.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional
        """
        super().update_state(self._fn(y_true, y_pred, **self._arguments), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as Keras writes them.

        Returns
        -------
        dict
        """
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config["fn"] = losses.serialize(self._fn)
        return {**config, **self._arguments}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The metric that `get_config` described.

        Parameters
        ----------
        config : dict

        Returns
        -------
        Metric
        """
        arguments = dict(config)
        if "fn" in arguments:
            arguments["fn"] = _FUNCTIONS.get(arguments["fn"])
        return super().from_config(arguments)


class Accuracy(MeanMetricWrapper):
    """How often a prediction equals the truth.

    ``compile(metrics=["accuracy"])`` does not mean this class, but one that suits the labels:
    see `resolve`.

    Parameters
    ----------
    name : str, default "accuracy"
    dtype : str, optional

    Examples
    --------
    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None) -> None:
        super().__init__(_equal, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often a probability lies on the right side of a threshold.

    Parameters
    ----------
    name : str, default "binary_accuracy"
    dtype : str, optional
    threshold : float, default 0.5
        A probability above it is a yes.

    Examples
    --------
    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [0.5], [0.1], [0.6]])
    0.5
    """

    direction = "up"

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the class with the largest prediction is the one-hot truth's.

    Parameters
    ----------
    name : str, default "categorical_accuracy"
    dtype : str, optional

    Examples
    --------
    >>> CategoricalAccuracy()([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]])
    0.5
    """

    direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the class with the largest prediction is the label.

    Parameters
    ----------
    name : str, default "sparse_categorical_accuracy"
    dtype : str, optional

    Examples
    --------
    >>> SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]])
    0.5
    """

    direction = "up"

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot truth's class is among the `k` largest predictions.

    Parameters
    ----------
    k : int, default 5
    name : str, default "top_k_categorical_accuracy"
    dtype : str, optional

    Examples
    --------
    >>> TopKCategoricalAccuracy(k=2)([[1, 0, 0], [0, 0, 1]], [[0.2, 0.1, 0.7], [0.5, 0.4, 0.1]])
    0.5
    """

    direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label is among the `k` largest predictions.

    Parameters
    ----------
    k : int, default 5
    name : str, default "sparse_top_k_categorical_accuracy"
    dtype : str, optional

    Examples
    --------
    >>> SparseTopKCategoricalAccuracy(k=2)([0, 2], [[0.2, 0.1, 0.7], [0.5, 0.4, 0.1]])
    0.5
    """

    direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class MeanSquaredError(MeanMetricWrapper):
    """`losses.mean_squared_error`, averaged over batches.

    Parameters
    ----------
    name : str, default "mean_squared_error"
    dtype : str, optional

    Examples
    --------
    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]])
    2.5
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of all squared differences.

    Parameters
    ----------
    name : str, default "root_mean_squared_error"
    dtype : str, optional

    Examples
    --------
    >>> RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]])
    3.0
    """

    direction = "down"

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: str | None = None
    ) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]  # as in Keras, what it takes in is another thing
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take one batch in.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional
        """
        truth, predictions = _pair(y_true, y_pred, self.dtype)
        with np.errstate(all="ignore"):
            super().update_state(np.square(predictions - truth), sample_weight)

    def result(self) -> float:
        """The root of the mean so far.

        Returns
        -------
        float
        """
        with np.errstate(all="ignore"):
            return float(np.sqrt(super().result()))


class MeanAbsoluteError(MeanMetricWrapper):
    """`losses.mean_absolute_error`, averaged over batches.

    Parameters
    ----------
    name : str, default "mean_absolute_error"
    dtype : str, optional

    Examples
    --------
    >>> MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]])
    1.5
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """`losses.binary_crossentropy`, averaged over batches.

    Parameters
    ----------
    name : str, default "binary_crossentropy"
    dtype : str, optional
    from_logits : bool, default False
    label_smoothing : float, default 0

    Examples
    --------
    >>> round(BinaryCrossentropy()([[1.0]], [[0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing,
        )  # fmt: skip


class CategoricalCrossentropy(MeanMetricWrapper):
    """`losses.categorical_crossentropy`, averaged over batches.

    Parameters
    ----------
    name : str, default "categorical_crossentropy"
    dtype : str, optional
    from_logits : bool, default False
    label_smoothing : float, default 0
    axis : int, default -1

    Examples
    --------
    >>> round(CategoricalCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """`losses.sparse_categorical_crossentropy`, averaged over batches.

    Parameters
    ----------
    name : str, default "sparse_categorical_crossentropy"
    dtype : str, optional
    from_logits : bool, default False
    ignore_class : int, optional
    axis : int, default -1

    Notes
    -----
    As in Keras, the examples of an ignored class count, as zeros, where there are no weights,
    and do not count where there are.

    Examples
    --------
    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip

    def update_state(  # type: ignore[override]  # as in Keras, what it takes in is another thing
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Take one batch in.

        Parameters
        ----------
        y_true, y_pred : array
        sample_weight : array, optional
        """
        ignored = self._arguments["ignore_class"]
        if sample_weight is not None and ignored is not None:
            values = self._fn(y_true, y_pred, **self._arguments)
            kept = (np.asarray(y_true).reshape(values.shape) != ignored).astype(self.dtype)
            kept, weights = losses._same_rank(kept, np.asarray(sample_weight, self.dtype))
            sample_weight = weights * kept
        super().update_state(y_true, y_pred, sample_weight)


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> np.ndarray:
    """1 where a probability lies on the right side of a threshold, and 0 elsewhere.

    Parameters
    ----------
    y_true, y_pred : array
    threshold : float, default 0.5

    Returns
    -------
    array
        Of the shape of `y_pred`.

    Examples
    --------
    >>> binary_accuracy([1, 0], [0.6, 0.6])
    array([1., 0.], dtype=float32)
    """
    truth, predictions = _pair(y_true, y_pred)
    return _hits(truth == (predictions > threshold))


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """1 where the largest prediction stands where the largest truth does. The first of equals wins.

    Parameters
    ----------
    y_true, y_pred : array
        The classes stand on the last axis.

    Returns
    -------
    array
        Without the last axis.

    Examples
    --------
    >>> categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]])
    array([1., 0.], dtype=float32)
    """
    return sparse_categorical_accuracy(np.argmax(y_true, axis=-1), y_pred)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """1 where the largest prediction stands at the label. The first of equals wins.

    Parameters
    ----------
    y_true : array
        Of the shape of `y_pred` without its last axis, or with 1 there.
    y_pred : array

    Returns
    -------
    array

    Examples
    --------
    >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]])
    array([1., 0.], dtype=float32)
    """
    predictions = np.asarray(y_pred)
    labels = _labels(y_true, predictions)
    return _hits(labels == np.argmax(predictions, axis=-1))


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> np.ndarray:
    """1 where the one-hot truth's class is among the `k` largest predictions.

    Parameters
    ----------
    y_true, y_pred : array
        The classes stand on the last axis.
    k : int, default 5

    Returns
    -------
    array
        Without the last axis.

    Examples
    --------
    >>> top_k_categorical_accuracy([[1, 0, 0]], [[0.2, 0.1, 0.7]], k=2)
    array([1.], dtype=float32)
    """
    return sparse_top_k_categorical_accuracy(np.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5
) -> np.ndarray:
    """1 where the label is among the `k` largest predictions. All of equals are.

    Parameters
    ----------
    y_true : array
        Of the shape of `y_pred` without its last axis, or with 1 there.
    y_pred : array
    k : int, default 5

    Returns
    -------
    array

    Examples
    --------
    >>> sparse_top_k_categorical_accuracy([1], [[0.2, 0.1, 0.7]], k=2)
    array([0.], dtype=float32)
    """
    predictions = np.asarray(y_pred)
    labels = _labels(y_true, predictions).astype(np.int64)[..., None]
    classes = predictions.shape[-1]
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"Labels must be class numbers from 0 to {classes - 1}. Received: labels from "
            f"{labels.min()} to {labels.max()}."
        )
    chosen = np.take_along_axis(predictions, labels, axis=-1)
    chosen = np.where(np.isnan(chosen), -np.inf, chosen)  # what is no number is not large
    return _hits((predictions > chosen).sum(axis=-1) < k)


def get(identifier: object) -> Any:
    """A metric by name, config, class, function or object.

    Parameters
    ----------
    identifier : str, dict, class, callable or None

    Returns
    -------
    Metric, callable or None

    Raises
    ------
    ValueError
        Where nothing goes by the name.

    Examples
    --------
    >>> get("mse").name
    'mean_squared_error'
    """
    return _CATALOGUE.get(identifier)


def serialize(metric: Any) -> Any:
    """The config of a metric.

    Parameters
    ----------
    metric : Metric or function

    Returns
    -------
    dict or str

    Examples
    --------
    >>> serialize(BinaryAccuracy())["config"]
    {'name': 'binary_accuracy', 'dtype': 'float32', 'threshold': 0.5}
    """
    return _CATALOGUE.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a config.

    Parameters
    ----------
    config : dict or str
    custom_objects : mapping of str to class or function, optional

    Returns
    -------
    Metric or function

    Examples
    --------
    >>> deserialize(serialize(BinaryAccuracy(threshold=0.75))).threshold
    0.75
    """
    with custom_object_scope(custom_objects):
        return _CATALOGUE.get(config)


def resolve(
    identifier: object, y_true_shape: tuple[int | None, ...], y_pred_shape: tuple[int | None, ...]
) -> Metric:
    """The metric that ``compile(metrics=[identifier])`` means, under the name it is logged as.

    Parameters
    ----------
    identifier : str, dict, class or callable
        ``"accuracy"`` and ``"acc"``, in any case, follow the shapes: `BinaryAccuracy` where
        the last axis of `y_pred` is 1; `SparseCategoricalAccuracy` where `y_true` has fewer
        axes, or 1 on its last; `CategoricalAccuracy` else. A string stays the name.
    y_true_shape, y_pred_shape : tuple of int

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        For None, and where nothing goes by the name.

    Examples
    --------
    >>> metric = resolve("acc", (32,), (32, 10))
    >>> type(metric).__name__, metric.name
    ('SparseCategoricalAccuracy', 'acc')
    """
    if identifier is None:
        raise ValueError(
            "A metric must be a name, a config, a class or a callable. Received: None."
        )
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        found: Any = _ACCURACIES[losses.kind_of_labels(y_true_shape, y_pred_shape)]()
    else:
        found = get(identifier)
    name = identifier if isinstance(identifier, str) else losses.name_of(found)
    metric = found if isinstance(found, Metric) else MeanMetricWrapper(found)
    metric.name = name
    return metric


def _equal(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    truth, predictions = _pair(y_true, y_pred)
    return _hits(truth == predictions)


def _hits(matches: Any) -> np.ndarray:
    return np.asarray(matches).astype(config.floatx())


def _pair(
    y_true: ArrayLike, y_pred: ArrayLike, dtype: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays with as many axes, whose shapes broadcast."""
    truth, predictions = losses._same_rank(np.asarray(y_true, dtype), np.asarray(y_pred, dtype))
    try:
        np.broadcast_shapes(truth.shape, predictions.shape)
    except ValueError:
        raise ValueError(
            f"`y_true` and `y_pred` must have shapes that broadcast. Received: "
            f"y_true.shape={truth.shape}, y_pred.shape={predictions.shape}."
        ) from None
    return truth, predictions


def _labels(y_true: ArrayLike, y_pred: np.ndarray) -> np.ndarray:
    """Class numbers, with the shape of `y_pred` without its last axis."""
    labels = np.asarray(y_true)
    if labels.ndim == y_pred.ndim and labels.shape[-1:] == (1,):
        labels = labels[..., 0]
    if not y_pred.ndim or labels.shape != y_pred.shape[:-1]:
        raise ValueError(
            f"There must be one label for each prediction: labels of shape {y_pred.shape[:-1]}. "
            f"Received: labels of shape {labels.shape}, y_pred.shape={y_pred.shape}."
        )
    return labels


def _samplewise(
    values: ArrayLike,
    sample_weight: ArrayLike | None,
    dtype: str,
    reduce: Callable[..., Any],
) -> tuple[np.ndarray, np.ndarray | None]:
    """One weighted value for each example, and one weight."""
    values = np.asarray(values).astype(dtype, copy=False)
    if sample_weight is None:
        return _reduced(values, 1, reduce), None
    weights = np.asarray(sample_weight).astype(dtype, copy=False)
    values, weights = losses._same_rank(values, weights)
    values = _reduced(values, weights.ndim, reduce)
    try:
        weights = np.broadcast_to(weights, values.shape)
    except ValueError:
        raise ValueError(
            f"`sample_weight` must broadcast to the shape of the values, {values.shape}. "
            f"Received: sample_weight.shape={weights.shape}."
        ) from None
    return _reduced(values * weights, 1, reduce), _reduced(weights, 1, reduce)


def _reduced(array: np.ndarray, kept: int, reduce: Callable[..., Any]) -> np.ndarray:
    """The array with its first `kept` axes alone."""
    if array.ndim <= kept:
        return array
    return np.asarray(reduce(array, axis=tuple(range(kept, array.ndim))))


_LOSSES = (
    mean_squared_error,
    mean_absolute_error,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)

_ACCURACIES = {
    "binary": BinaryAccuracy,
    "sparse": SparseCategoricalAccuracy,
    "categorical": CategoricalAccuracy,
}

_CLASSES = (
    Metric,
    Mean,
    Sum,
    MeanMetricWrapper,
    MeanSquaredError,
    RootMeanSquaredError,
    MeanAbsoluteError,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
)

_CATALOGUE = Catalogue(
    "metric",
    "keras.metrics",
    {
        **{cls.__name__: cls for cls in _CLASSES},
        **{snake_case(cls.__name__): cls for cls in _CLASSES},
        "bce": BinaryCrossentropy,
        "BCE": BinaryCrossentropy,
        "mse": MeanSquaredError,
        "MSE": MeanSquaredError,
        "mae": MeanAbsoluteError,
        "MAE": MeanAbsoluteError,
    },
)

_FUNCTIONS = Catalogue(  # what the config of a MeanMetricWrapper may name
    "metric function",
    "keras.metrics",
    {
        function.__name__: function
        for function in (
            *_LOSSES,
            binary_accuracy,
            categorical_accuracy,
            sparse_categorical_accuracy,
            top_k_categorical_accuracy,
            sparse_top_k_categorical_accuracy,
        )
    },
)
