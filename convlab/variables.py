"""`Variable`: a weight, with a name, a fixed shape and dtype, and a value that training changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike

__all__ = ["Variable"]


class Variable(NDArrayOperatorsMixin):
    """A weight of a layer, or a number that an optimizer keeps.

    It can be used wherever an array can: in NumPy's functions, in arithmetic, with an index.

    Parameters
    ----------
    initial_value : array
        Copied.
    name : str, default "variable"
        ``"kernel"``, ``"bias"``.
    dtype : dtype, optional
        The value's own where None.
    trainable : bool, default True
        Whether training may change it.
    constraint : callable, optional
        Takes the new value after a training step and returns the one to keep.
    regularizer : callable, optional
        Takes the value and returns what it adds to the loss.
    path : str, optional
        The owner's name and this one: ``"conv2d/kernel"``.

    Attributes
    ----------
    value : numpy.ndarray
        The array itself, not a copy, and read-only to others: change it with `assign`.
    shape : tuple of int
    dtype : str

    Examples
    --------
    >>> import numpy as np
    >>> bias = Variable(np.zeros(3), name="bias", dtype="float32")
    >>> bias.assign([1, 2, 3])
    <Variable path=bias, shape=(3,), dtype=float32, value=[1. 2. 3.]>
    >>> bias + 1
    array([2., 3., 4.], dtype=float32)
    """

    def __init__(
        self,
        initial_value: ArrayLike,
        name: str = "variable",
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        constraint: Any = None,
        regularizer: Any = None,
        path: str | None = None,
    ) -> None:
        self._version = 0
        self._keep(np.array(initial_value, dtype=dtype, order="C"))
        self.name = name
        self.path = path or name
        self.trainable = trainable
        self.constraint = constraint
        self.regularizer = regularizer

    @property
    def value(self) -> np.ndarray:
        """The array itself, read-only."""
        view = self._value.view()
        view.flags.writeable = False
        return view

    @property
    def version(self) -> int:
        """How often the value was replaced: who keeps something made from it can tell that by it.

        Examples
        --------
        >>> bias = Variable(np.zeros(3))
        >>> before = bias.version
        >>> bias.assign(np.zeros(3)).version == before
        False
        """
        return self._version

    def _keep(self, array: np.ndarray) -> None:
        """Make an array the value. Nobody can write into it, not even through a view."""
        array.flags.writeable = False
        self._value = array
        self._version += 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each axis."""
        return self._value.shape

    @property
    def dtype(self) -> str:
        """The name of the dtype, as in Keras."""
        return self._value.dtype.name

    @property
    def ndim(self) -> int:
        """How many axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """How many numbers."""
        return self._value.size

    @property
    def nbytes(self) -> int:
        """Memory of the value, in bytes."""
        return self._value.nbytes

    def numpy(self) -> np.ndarray:
        """A copy of the value.

        Returns
        -------
        numpy.ndarray
        """
        return self._value.copy()

    def assign(self, value: ArrayLike) -> Variable:
        """Replace the value by one of the same shape, cast to the variable's dtype.

        Parameters
        ----------
        value : array

        Returns
        -------
        Variable
            Itself.

        Raises
        ------
        ValueError
            Where the shape is another.
        """
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ValueError(
                f"The shape of a variable stays. {self.path} has shape {self.shape}. "
                f"Received: a value of shape {array.shape}."
            )
        # A new array, not a new content: whoever holds the old value keeps what was seen.
        with np.errstate(over="ignore"):  # too large for the dtype is infinite, as in Keras
            self._keep(np.array(array, dtype=self._value.dtype, order="C"))
        return self

    def take(self, array: np.ndarray) -> np.ndarray:
        """`assign` without the copy: the array belongs to the variable from now on.

        Parameters
        ----------
        array : numpy.ndarray

        Returns
        -------
        numpy.ndarray
            The array that it held before, which is no longer its own.
        """
        before = self._value
        if array.shape != self.shape or array.dtype != self._value.dtype:
            self.assign(array)
        else:
            self._keep(array)
        before.flags.writeable = True
        return before

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(target, Variable) for target in kwargs.get("out", ())):
            raise TypeError(
                f"A variable is changed by assign. Received: {self.path} as the target of "
                f"{ufunc.__name__}. Write variable.assign(variable + change)."
            )
        arrays = [x.value if isinstance(x, Variable) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __float__(self) -> float:
        return float(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, "
            f"value={self._value}>"
        )
