"""`Input`: where arrays enter a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convlab import config as settings
from convlab.graph import Node, SymbolicTensor
from convlab.layers.base import Layer

__all__ = ["Input", "InputLayer"]


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    name: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
) -> SymbolicTensor:
    """A place where arrays will enter the network.

    Parameters
    ----------
    shape : tuple of (int or None)
        Of one input, without the batch: ``(28, 28, 1)``. None along an axis: any size.
    batch_size : int, optional
        Any where None.
    dtype : str, optional
        `config.floatx` where None.
    name : str, optional
    batch_shape : tuple of (int or None), optional
        The shape with the batch, instead of ``shape`` and ``batch_size``.

    Returns
    -------
    SymbolicTensor

    Raises
    ------
    ValueError
        Where neither or both shapes are given, or one is no tuple of sizes.

    Examples
    --------
    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    layer = InputLayer(
        shape=shape, batch_size=batch_size, dtype=dtype, name=name, batch_shape=batch_shape
    )
    return layer.output


class InputLayer(Layer):
    """The layer behind `Input`: it hands on what it gets.

    Parameters
    ----------
    shape, batch_size, dtype, name, batch_shape
        As in `Input`.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        name: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        sparse: bool = False,
        ragged: bool = False,
        optional: bool = False,
    ) -> None:
        if sparse or ragged or optional:
            raise ValueError(
                "An input here is a dense array that must be given. "
                f"Received: sparse={sparse}, ragged={ragged}, optional={optional}."
            )
        super().__init__(name=name)
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                "Give `shape`, of one input, or `batch_shape`, with the batch: one of the two. "
                f"Received: shape={shape}, batch_shape={batch_shape}."
            )
        if batch_shape is not None and batch_size is not None:
            raise ValueError(
                "`batch_size` is the first size of `batch_shape`: give one of the two. "
                f"Received: batch_size={batch_size}, batch_shape={batch_shape}."
            )
        if batch_shape is None:
            self.batch_shape = (_size(batch_size), *_sizes("shape", shape))
        else:
            self.batch_shape = _sizes("batch_shape", batch_shape)
        self._dtype_name = settings.floatx() if dtype is None else np.dtype(dtype).name
        self.built = True
        node = Node(self, None)
        node.outputs.append(SymbolicTensor(self.batch_shape, self._dtype_name, self.name, node))
        self._nodes.append(node)

    @property
    def dtype(self) -> str:
        """The dtype that inputs are cast to."""
        return self._dtype_name

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs are cast to."""
        return self._dtype_name

    def forward(self, inputs: Any, training: bool = False) -> tuple[Any, Any]:
        """Hand on the input."""
        return inputs, None

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[Any, list[np.ndarray]]:
        """Hand back the gradient."""
        return output_gradient, []

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            "batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": False,
            "ragged": False, "name": self.name, "optional": False,
        }  # fmt: skip


def _sizes(name: str, shape: Any) -> tuple[int | None, ...]:
    rule = f"`{name}` must be a tuple of sizes, each a positive whole number or None."
    if isinstance(shape, (str, bytes)) or not hasattr(shape, "__iter__"):
        way_out = f" Write Input(({shape},))." if isinstance(shape, int) else ""
        raise ValueError(f"{rule} Received: {name}={shape!r}.{way_out}")
    try:
        return tuple(_size(size) for size in shape)
    except (TypeError, ValueError):
        raise ValueError(f"{rule} Received: {name}={tuple(shape)!r}.") from None


def _size(size: Any) -> int | None:
    if size is None:
        return None
    if isinstance(size, bool) or int(size) != size or size < 0:
        raise ValueError(f"A size must be a positive whole number or None. Received: {size!r}.")
    return int(size)
