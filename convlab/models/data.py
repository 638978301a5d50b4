"""What is given to ``fit``, ``evaluate`` and ``predict``: checked once, then dealt in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convlab.graph import as_list
from convlab.variables import Variable

__all__ = ["Data", "class_weights", "collect", "split"]

BATCH_SIZE = 32


@dataclass(frozen=True)
class Data:
    """Inputs, targets and weights, with one row for each sample.

    ``y`` and ``weights`` have one entry for each output, or are empty; an entry may be None.
    """

    x: list[np.ndarray]
    y: list[np.ndarray | None]
    weights: list[np.ndarray | None]

    def __len__(self) -> int:
        return len(self.x[0])

    def take(self, rows: Any) -> Data:
        """Some samples: a slice (no copy) or an array of their numbers."""
        return Data(
            [array[rows] for array in self.x], _rows(self.y, rows), _rows(self.weights, rows)
        )

    def steps(self, batch_size: int) -> int:
        """How many batches there are; the last may be smaller."""
        return -(-len(self) // batch_size)

    def batches(
        self, batch_size: int, numbers: range, order: np.ndarray | None = None
    ) -> Iterator[Data]:
        """Some of the batches, by their numbers, of the samples in their own order or another."""
        for number in numbers:
            rows = slice(number * batch_size, (number + 1) * batch_size)
            yield self.take(rows if order is None else order[rows])


def _rows(arrays: list[np.ndarray | None], rows: Any) -> list[np.ndarray | None]:
    return [None if array is None else array[rows] for array in arrays]


def collect(model: Any, x: Any, y: Any = None, sample_weight: Any = None) -> Data:
    """Check what was given against the model and against itself.

    Parameters
    ----------
    model : Model
    x, y, sample_weight : array, or a list or dict of arrays
        By input or output.

    Returns
    -------
    Data

    Raises
    ------
    ValueError
        For something that is no array, arrays of different lengths, or no data at all.
    """
    inputs = [_as_data("x", array) for array in as_list(model.in_order(x))]
    if not inputs:
        raise ValueError("`x` must be an array, or a list of one for each input. Received: x=None.")
    names = model.output_names()
    weights = _by_output("sample_weight", sample_weight, names)
    data = Data(inputs, _by_output("y", y, names), weights)
    _check_lengths(data)
    # Last, so that data that is refused leaves a model without a shape as it was.
    if not model.built:
        model.build(_shapes(inputs))
    data = replace(data, x=model.with_ranks(inputs))
    model.check_input_shape(_shapes(data.x))
    return data


def _shapes(arrays: list[np.ndarray]) -> Any:
    shapes = [array.shape for array in arrays]
    return shapes if len(shapes) > 1 else shapes[0]


def _as_data(name: str, value: Any) -> np.ndarray:
    if isinstance(value, Variable):
        return value.value
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "buif" and array.ndim:
            return array
        received = f"an array of dtype {array.dtype} and shape {array.shape}"
    else:
        received = f"{type(value).__name__}"
    raise ValueError(
        f"Unrecognized data type: `{name}` must be a NumPy array of numbers with the samples "
        f"along its first axis. Received: {name} of type {received}. "
        f"Convert it with np.array({name})."
    )


def _by_output(name: str, value: Any, names: list[str]) -> list[np.ndarray | None]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        if unknown := [key for key in value if key not in names]:
            raise ValueError(
                f"`{name}` names outputs that the model does not have. "
                f"Received: {unknown}. The outputs are: {names}."
            )
        parts = [value.get(key) for key in names]
    elif isinstance(value, (list, tuple)) and (len(names) > 1 or _is_wrapped(value)):
        parts = list(value)
        if len(parts) != len(names):
            raise ValueError(
                f"`{name}` must have one array for each output, {names}. "
                f"Received: {len(parts)} arrays."
            )
    else:
        parts = [value]
        if len(names) > 1 and name == "y":
            raise ValueError(
                f"`y` must have one array for each output, {names}. Received: one array."
            )
        parts = parts * len(names)
    return [None if part is None else _as_data(name, part) for part in parts]


def _is_wrapped(value: Sequence[Any]) -> bool:
    """Whether a list holds arrays, and is not itself data."""
    return len(value) == 1 and isinstance(value[0], np.ndarray)


def _check_lengths(data: Data) -> None:
    sizes = {
        name: [len(array) for array in part if array is not None]
        for name, part in (("x", data.x), ("y", data.y), ("sample_weight", data.weights))
    }
    if len({size for part in sizes.values() for size in part}) > 1:
        told = "\n".join(
            f"'{name}' sizes: {', '.join(map(str, part))}" for name, part in sizes.items() if part
        )
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of "
            f"samples.\n{told}"
        )
    if len(data) == 0:
        raise ValueError("There must be at least one sample. Received: x with 0.")


def split(data: Data, fraction: float) -> tuple[Data, Data]:
    """The first samples for training, the last for validation.

    Parameters
    ----------
    data : Data
    fraction : float
        Share of the validation, between 0 and 1.

    Returns
    -------
    training, validation : Data
    """
    is_share = isinstance(fraction, (int, float, np.number)) and 0 < fraction < 1
    count = int(np.floor(len(data) * (1 - fraction))) if is_share else 0
    if count in (0, len(data)):
        raise ValueError(
            f"Training data contains {len(data)} samples, which is not sufficient to split it into "
            f"a validation and training set as specified by `validation_split={fraction!r}`. "
            "Either provide more data, or a different value for the `validation_split` argument."
        )
    return data.take(slice(count)), data.take(slice(count, None))


def class_weights(y: list[np.ndarray | None], weights: Mapping[int, float]) -> list[np.ndarray]:
    """A weight for each sample, by its class.

    Parameters
    ----------
    y : list of one array
        Whole numbers, or one-hot rows.
    weights : mapping of int to float
        A class that is not named has weight 1.

    Returns
    -------
    list of one array
    """
    if len(y) != 1 or y[0] is None:
        raise ValueError(
            "`class_weight` needs a model with one output, and its targets. "
            f"Received: {len(y)} targets. Use `sample_weight`."
        )
    factors = _class_factors(weights)
    labels = y[0]
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    found, place = np.unique(np.round(labels), return_inverse=True)
    values = np.array([factors.get(float(label), 1.0) for label in found])
    return [values[place.reshape(labels.shape)]]


def _class_factors(weights: Any) -> dict[float, float]:
    try:
        return {float(label): float(weight) for label, weight in weights.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            "`class_weight` must be a dict of class number to weight, {0: 1.0, 1: 2.0}. "
            f"Received: class_weight={weights!r}."
        ) from None


def batch_size_of(value: Any) -> int:
    """The number of samples in a batch, 32 where it is not given."""
    if value is None:
        return BATCH_SIZE
    if not is_whole(value) or value < 0:
        raise ValueError(
            f"`batch_size` must be a positive whole number. Received: batch_size={value!r}."
        )
    return int(value) or BATCH_SIZE


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and no bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
