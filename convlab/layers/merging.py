"""Layers that make one array of several, by arithmetic or side by side."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab.layers.base import Layer, as_shapes

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "multiply",
    "subtract",
]

Shape = tuple[int | None, ...]


class Merge(Layer):
    """Arithmetic on several arrays, number by number, after broadcasting.

    Sizes of 1 are stretched to meet the others', and an array of fewer axes gets new ones
    behind the batch. Batches must be equally large.
    """

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse what is no list of inputs, and shapes that cannot meet."""
        self._merged(_several(self, input_shape))

    def _merged(self, shapes: list[Shape]) -> Shape:
        batches = {shape[0] for shape in shapes} - {None}
        if len(batches) > 1:
            raise ValueError(
                "Cannot merge tensors with different batch sizes. "
                f"Received: tensors with shapes {shapes}."
            )
        merged = shapes[0][1:]
        for shape in shapes[1:]:
            merged = _met(merged, shape[1:], shapes)
        return (batches.pop() if batches else None, *merged)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """The shape of the output, after broadcasting.

        Parameters
        ----------
        input_shape : list of tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)

        Raises
        ------
        ValueError
            Where shapes cannot meet.
        """
        return self._merged(_several(self, input_shape))

    def forward(self, inputs: list[np.ndarray], training: bool = False) -> tuple[Any, Any]:
        """Give all arrays the same number of axes, and combine them."""
        rank = max(array.ndim for array in inputs)
        meeting = [_expanded(array, rank) for array in inputs]
        with np.errstate(all="ignore"):
            return self._combine(meeting), (meeting, [array.shape for array in inputs])

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[Any, list[np.ndarray]]:
        """To each array, summed along the axes where it was stretched."""
        if not input_gradient:
            return None, []
        meeting, shapes = cache
        with np.errstate(all="ignore"):
            parts = self._split(output_gradient, meeting)
            return [
                _unstretched(part, array.shape).reshape(shape)
                for part, array, shape in zip(parts, meeting, shapes, strict=True)
            ], []

    def _combine(self, arrays: list[np.ndarray]) -> np.ndarray:
        raise NotImplementedError

    def _split(self, gradient: np.ndarray, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """The gradient with respect to each array as it was when all had met."""
        raise NotImplementedError


class Add(Merge):
    """The sum of several arrays.

    Parameters
    ----------
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError
        When called: where shapes cannot meet.

    Notes
    -----
    Shapes are broadcast, as in Keras: one map is added to all channels, without a word.

    References
    ----------
    Keras, ``keras.layers.Add``.

    Examples
    --------
    >>> Add()([np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])])
    array([[11., 22.]], dtype=float32)
    """

    def _combine(self, arrays: list[np.ndarray]) -> np.ndarray:
        return _total(arrays)

    def _split(self, gradient: np.ndarray, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return [gradient] * len(arrays)


class Average(Merge):
    """The mean of several arrays.

    Parameters
    ----------
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError
        When called: where shapes cannot meet.

    References
    ----------
    Keras, ``keras.layers.Average``.

    Examples
    --------
    >>> Average()([np.array([[1.0, 2.0]]), np.array([[3.0, 8.0]])])
    array([[2., 5.]], dtype=float32)
    """

    def _combine(self, arrays: list[np.ndarray]) -> np.ndarray:
        return _total(arrays) / len(arrays)

    def _split(self, gradient: np.ndarray, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return [gradient / len(arrays)] * len(arrays)


class Subtract(Merge):
    """The first of two arrays, less the second.

    Parameters
    ----------
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError
        When called: where there are not two, or their shapes cannot meet.

    References
    ----------
    Keras, ``keras.layers.Subtract``.

    Examples
    --------
    >>> Subtract()([np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])])
    array([[ -9., -18.]], dtype=float32)
    """

    def _merged(self, shapes: list[Shape]) -> Shape:
        merged = super()._merged(shapes)
        if len(shapes) != 2:
            raise ValueError(
                "A `Subtract` layer should be called on exactly 2 inputs. "
                f"Received: {len(shapes)}, of shapes {shapes}."
            )
        return merged

    def _combine(self, arrays: list[np.ndarray]) -> np.ndarray:
        return arrays[0] - arrays[1]

    def _split(self, gradient: np.ndarray, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return [gradient, -gradient]


class Multiply(Merge):
    """The product of several arrays.

    Parameters
    ----------
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    ValueError
        When called: where shapes cannot meet.

    References
    ----------
    Keras, ``keras.layers.Multiply``.

    Examples
    --------
    >>> Multiply()([np.array([[1.0, 2.0]]), np.array([[10.0, 20.0]])])
    array([[10., 40.]], dtype=float32)
    """

    def _combine(self, arrays: list[np.ndarray]) -> np.ndarray:
        return _product(arrays)

    def _split(self, gradient: np.ndarray, arrays: list[np.ndarray]) -> list[np.ndarray]:
        # The product of the others, not the whole divided by one: that one may be 0.
        return [
            _product([gradient, *arrays[:index], *arrays[index + 1 :]])
            for index in range(len(arrays))
        ]


class Concatenate(Layer):
    """Several arrays side by side: channels behind channels.

    Parameters
    ----------
    axis : int, default -1
        Along which the arrays follow each other. The channels of channels_first are axis 1.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Raises
    ------
    TypeError
        Where ``axis`` is no whole number.
    ValueError
        When called: where the shapes differ along another axis.

    References
    ----------
    Keras, ``keras.layers.Concatenate``.

    Examples
    --------
    >>> Concatenate()([np.array([[1.0, 2.0]]), np.array([[10.0]])])
    array([[ 1.,  2., 10.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            self.axis = operator.index(axis)
        except TypeError:
            raise TypeError(f"`axis` must be a whole number. Received: axis={axis!r}.") from None

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse what is no list of inputs, and shapes that do not lie side by side."""
        self._joined(_several(self, input_shape))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """The shape of the output: the sum of sizes along the axis.

        Parameters
        ----------
        input_shape : list of tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)

        Raises
        ------
        ValueError
            Where the shapes differ along another axis.
        """
        return self._joined(_several(self, input_shape))

    def _joined(self, shapes: list[Shape]) -> Shape:
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise np.exceptions.AxisError(
                f"`axis` must be one of the inputs' axes. Received: axis={self.axis} for inputs "
                f"of shapes {shapes}."
            )
        if any(len(shape) != rank for shape in shapes):
            self._refuse(shapes)
        joined = [self._size(axis, shapes) for axis in range(rank)]
        return tuple(joined)

    def _size(self, axis: int, shapes: list[Shape]) -> int | None:
        sizes = [shape[axis] for shape in shapes]
        if axis == self.axis % len(shapes[0]):
            return None if None in sizes else sum(sizes)  # type: ignore[arg-type]
        known = {size for size in sizes if size is not None}
        if len(known) > 1:
            self._refuse(shapes)
        return known.pop() if known and (None not in sizes or axis == 0) else None

    def _refuse(self, shapes: list[Shape]) -> None:
        raise ValueError(
            "A `Concatenate` layer requires inputs with matching shapes except for the "
            f"concatenation axis. Received: axis={self.axis}, shapes {shapes}."
        )

    def forward(self, inputs: list[np.ndarray], training: bool = False) -> tuple[Any, Any]:
        """Put the arrays side by side."""
        sizes = [array.shape[self.axis] for array in inputs]
        return np.concatenate(inputs, axis=self.axis), np.cumsum(sizes[:-1], dtype=int)

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[Any, list[np.ndarray]]:
        """To each array its own part."""
        return (np.split(output_gradient, cache, self.axis) if input_gradient else None), []

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {**super().get_config(), "axis": self.axis}


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """``Add(**kwargs)(inputs)``.

    Examples
    --------
    >>> add([np.ones((1, 2)), np.ones((1, 2))])
    array([[2., 2.]], dtype=float32)
    """
    return Add(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """``Average(**kwargs)(inputs)``.

    Examples
    --------
    >>> average([np.ones((1, 2)), np.zeros((1, 2))])
    array([[0.5, 0.5]], dtype=float32)
    """
    return Average(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """``Subtract(**kwargs)(inputs)``.

    Examples
    --------
    >>> subtract([np.ones((1, 2)), np.ones((1, 2))])
    array([[0., 0.]], dtype=float32)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """``Multiply(**kwargs)(inputs)``.

    Examples
    --------
    >>> multiply([np.full((1, 2), 3.0), np.full((1, 2), 2.0)])
    array([[6., 6.]], dtype=float32)
    """
    return Multiply(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """``Concatenate(axis, **kwargs)(inputs)``.

    Examples
    --------
    >>> concatenate([np.ones((1, 2)), np.zeros((1, 1))])
    array([[1., 1., 0.]], dtype=float32)
    """
    return Concatenate(axis, **kwargs)(inputs)


def _several(layer: Layer, input_shape: Any) -> list[Shape]:
    shapes = as_shapes(input_shape)
    name = type(layer).__name__
    if not isinstance(shapes, list):
        raise ValueError(
            f"A `{name}` layer should be called on a list of inputs, at least one. "
            f"Received: input_shape={shapes}, not a list of shapes. Write {name}()([a, b])."
        )
    if any(not shape for shape in shapes):
        raise ValueError(
            f"A `{name}` layer needs inputs with a batch axis. Received: shapes {shapes}."
        )
    return shapes


def _met(first: Shape, second: Shape, shapes: list[Shape]) -> Shape:
    """The shape of two arrays that are combined number by number, without their batch."""
    if len(first) < len(second):
        first, second = second, first
    kept = len(first) - len(second)
    merged = list(first[:kept])
    for one, other in zip(first[kept:], second, strict=True):
        if one is not None and other is not None and one != other and 1 not in (one, other):
            raise ValueError(
                f"Inputs have incompatible shapes. Received: shapes {first} and {second} behind "
                f"the batch; all shapes are {shapes}. Sizes must be equal, or 1."
            )
        merged.append(None if None in (one, other) else other if one == 1 else one)
    return tuple(merged)


def _expanded(array: np.ndarray, rank: int) -> np.ndarray:
    """With new axes of size 1 behind the batch."""
    missing = rank - array.ndim
    return array.reshape(array.shape[:1] + (1,) * missing + array.shape[1:]) if missing else array


def _unstretched(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Summed along the axes where an array of this shape was stretched, or along none."""
    stretched = tuple(
        axis
        for axis, (size, own) in enumerate(zip(gradient.shape, shape, strict=True))
        if own == 1 and size != 1
    )
    return gradient.sum(axis=stretched, keepdims=True) if stretched else gradient


def _total(arrays: list[np.ndarray]) -> np.ndarray:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def _product(arrays: list[np.ndarray]) -> np.ndarray:
    product = arrays[0]
    for array in arrays[1:]:
        product = product * array
    return product
