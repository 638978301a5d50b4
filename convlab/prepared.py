"""`prepare`: lay out a kernel's weights once, for many calls of `conv2d`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from convlab.geometry import Geometry
from convlab.kernels import available_implementations
from convlab.kernels.dtypes import sums_dtype

if TYPE_CHECKING:
    from convlab.kernels.parallel.paths import Prepared
    from convlab.kernels.parallel.planning import Plan

__all__ = ["PreparedKernel", "prepare"]


class PreparedKernel:
    """A kernel whose weights also lie in the order in which the compiled kernels read them.

    It is made by `prepare` and goes where `conv2d` takes a kernel. It holds a copy: a later change
    of the array it was made from does not reach it.

    Attributes
    ----------
    kernel : numpy.ndarray
        ``(kernel_height, kernel_width, channels // groups, filters)``, read-only.
    shape : tuple of int
    dtype : dtype

    Examples
    --------
    >>> kernel = np.ones((3, 3, 16, 32), np.float32)
    >>> PreparedKernel(kernel)
    <PreparedKernel shape=(3, 3, 16, 32), dtype=float32>
    """

    def __init__(self, kernel: np.ndarray) -> None:
        self.kernel = np.array(kernel, order="C")
        self.kernel.flags.writeable = False
        self._layouts: dict[Any, Prepared] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """The kernel's shape."""
        return self.kernel.shape

    @property
    def dtype(self) -> np.dtype:
        """The kernel's dtype."""
        return self.kernel.dtype

    @property
    def nbytes(self) -> int:
        """Memory, in bytes: the copy, and its weights in every order that was needed so far."""
        layouts = list(self._layouts.values())
        return self.kernel.nbytes + sum(a.nbytes for layout in layouts for a in layout.arrays)

    def weights(self, plan: Plan) -> Prepared:
        """The weights as a plan's path reads them; laid out when a path first asks."""
        key = plan.dtype, plan.operation, plan.layout
        if key not in self._layouts:
            from convlab.kernels.parallel.convolution import prepare_weights

            self._layouts[key] = prepare_weights(plan, self.kernel)
        return self._layouts[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.kernel, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return f"<PreparedKernel shape={self.shape}, dtype={self.dtype}>"


def prepare(
    kernel: ArrayLike, geometry: Geometry, *, algorithm: str = "auto"
) -> PreparedKernel:
    """Lay out a kernel's weights once, so that calls of `conv2d` need not do it each time.

    It pays where images are small and channels are many: there, laying out (or, for Winograd's
    algorithm, transforming) the weights takes a good part of a call.

    Parameters
    ----------
    kernel : array
        ``(kernel_height, kernel_width, channels // groups, filters)``. Copied.
    geometry : Geometry
        The layer that is to come. Calls with other images are right, too: what they need is laid
        out when they come.
    algorithm : {"auto", "direct", "winograd2", "winograd4"}, default "auto"
        As in `conv2d`.

    Returns
    -------
    PreparedKernel
        To be passed to `conv2d` as its kernel. Where Numba is absent it is a copy and no more.

    Raises
    ------
    ValueError
        Where the kernel has not the geometry's shape, or the algorithm does not apply.

    Examples
    --------
    >>> from convlab import Geometry, conv2d
    >>> layer = Geometry.conv2d((1, 7, 7, 64), (3, 3, 64, 32), padding="same")
    >>> kernel = np.ones(layer.kernel_shape, np.float32)
    >>> ready = prepare(kernel, layer)
    >>> image = np.ones(layer.input_shape, np.float32)
    >>> same = conv2d(image, ready, padding="same") == conv2d(image, kernel, padding="same")
    >>> bool(same.all())
    True
    """
    array = np.asarray(kernel)
    if array.shape != geometry.kernel_shape:
        raise ValueError(
            f"`kernel` must have the geometry's kernel shape {geometry.kernel_shape}. "
            f"Received: kernel of shape {array.shape}."
        )
    ready = PreparedKernel(array)
    if "parallel" in available_implementations():
        from convlab.kernels.parallel import plan

        ready.weights(plan(geometry, sums_dtype(array.dtype), algorithm=algorithm))
    return ready



class PreparedWhenSeenAgain:
    """Prepares a kernel when it comes the second time, and forgets it when another one comes.

    Examples
    --------
    >>> ready, kernel = PreparedWhenSeenAgain(), np.ones((3, 3, 1, 1))
    >>> [type(ready.kernel(version, kernel)).__name__ for version in (1, 1, 2)]
    ['ndarray', 'PreparedKernel', 'ndarray']
    """

    def __init__(self) -> None:
        self._held: tuple[Any, PreparedKernel | None] = (None, None)

    def kernel(self, version: Any, kernel: np.ndarray) -> np.ndarray | PreparedKernel:
        """The kernel, or what was prepared of it. Another version tells another kernel."""
        known, prepared = self._held
        if known != version:
            self._held = version, None
            return kernel
        if prepared is None:
            prepared = PreparedKernel(kernel)
            self._held = version, prepared
        return prepared
