"""The operations: check, measure, lay out as channels_last, compute, lay out as asked.

Nothing here multiplies; the kernels do. Nothing here computes a size; `Geometry` does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlab.config import standardize_data_format
from convlab.geometry import Geometry
from convlab.kernels import choose, room
from convlab.kernels.algorithms import check_algorithm
from convlab.kernels.dtypes import promoted, sums_dtype
from convlab.prepared import PreparedKernel

# A look at a pixel of a window, in multiply-adds: NumPy has no matrix product for a maximum.
POOLING_COST = 10

__all__ = [
    "average_pool2d",
    "average_pool2d_gradient",
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "max_pool2d",
    "max_pool2d_gradient",
]


def conv2d(
    x: ArrayLike,
    kernel: ArrayLike | PreparedKernel,
    bias: ArrayLike | None = None,
    *,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    groups: int = 1,
    implementation: str | None = None,
    algorithm: str = "auto",
) -> np.ndarray:
    """Slide a kernel over images: the operation of the Keras ``Conv2D`` layer.

    Parameters
    ----------
    x : array
        ``(batch, height, width, channels)``, or ``(batch, channels, height, width)`` with
        ``data_format="channels_first"``.
    kernel : array or PreparedKernel
        ``(kernel_height, kernel_width, channels // groups, filters)``, for both data formats;
        or what `prepare` made of it.
    bias : array of shape (filters,), optional
        Added to every cell of its filter's map.
    strides : int or (int, int), default 1
        Step of the window, in pixels: down, right.
    padding : {"valid", "same"}, default "valid"
        ``"valid"`` stays on the image. ``"same"`` surrounds it with zeros, so that there are
        ``ceil(size / stride)`` outputs; an odd zero goes to the bottom or right:
        ``1234 -> 123400`` would be wrong, ``1234 -> 012340`` is right for three taps, and
        ``1234 -> 12340`` for two.
    data_format : {"channels_last", "channels_first"}, optional
        The order of axes of ``x`` and of the result; `config.image_data_format` where None.
    dilation_rate : int or (int, int), default 1
        Distance between the pixels that neighbouring weights read. Strides and dilation may
        be given together.
    groups : int, default 1
        Blocks of channels that do not see each other. Must divide channels and filters.
    implementation : {"naive", "vectorized", "parallel", "auto"}, optional
        Which of the three kernels computes; the choice of `use_implementation` where None.
    algorithm : {"auto", "direct", "winograd2", "winograd4"}, default "auto"
        How the parallel kernels compute. ``"auto"`` takes the fastest path whose rounding errors
        are of the size of a direct sum's: among them Winograd's F(2x2, 3x3), for 3 x 3 kernels
        with strides of 1, where it pays. An error there can come from any pixel of the window,
        also from one whose weight is zero. F(4x4, 3x3) saves more multiplications and loses a
        digit: only on request. ``"direct"`` never takes Winograd's.

    Returns
    -------
    numpy.ndarray
        ``(batch, output_height, output_width, filters)``, or channels_first. The dtype is
        NumPy's promotion of the arguments: float32, float64, or float16 (summed in float32).
        Integers and booleans are summed in int64 and give int64.

    Raises
    ------
    ValueError
        Where shapes, sizes or options do not fit together, or an integer result might not fit
        into int64.
    TypeError
        For complex numbers, text or objects, and for text where a number belongs.
    ImportError
        For ``implementation="parallel"`` without Numba.

    Notes
    -----
    ``y[n, i, j, f] = bias[f] + sum over p, q, c of
    x[n, i*s + p*d - top, j*s + q*d - left, c] * kernel[p, q, c, f]``: the cross-correlation,
    with stride s and dilation rate d. Nothing is flipped. Pixels of the padding are left out
    of the sum, so that an infinite weight over padding adds nothing.

    References
    ----------
    Goodfellow, Bengio & Courville, *Deep Learning*, 2016, section 9.1, on correlation and
    convolution. Keras, ``keras.layers.Conv2D``.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1, 2, 0], [3, 1, 4], [0, 2, 5]]).reshape(1, 3, 3, 1)
    >>> kernel = np.array([[1, 2], [0, -1]]).reshape(2, 2, 1, 1)
    >>> conv2d(x, kernel)[0, :, :, 0]
    array([[ 4, -2],
           [ 3,  4]])
    """
    prepared = kernel if isinstance(kernel, PreparedKernel) else None
    weights = kernel.kernel if isinstance(kernel, PreparedKernel) else _array("kernel", kernel)
    arrays = {"x": _array("x", x), "kernel": weights}
    geometry = _geometry(
        arrays["x"].shape, arrays["kernel"].shape, strides=strides, padding=padding,
        data_format=_order(data_format), dilation_rate=dilation_rate, groups=groups,
    )  # fmt: skip
    if bias is not None:
        arrays["bias"] = _array("bias", bias, (geometry.filters,), "(filters,)")
    dtype = _compute_dtype(arrays)
    _check_integer_sum(dtype, arrays, math.prod(geometry.kernel_shape[:3]))
    weights = arrays["kernel"].astype(dtype, copy=False)
    offsets = arrays.get("bias", np.zeros(geometry.filters)).astype(dtype, copy=False)
    output = room.empty(geometry.output_shape, dtype)
    arguments = (_channels_last(arrays["x"], geometry), weights, offsets)
    options = {"algorithm": algorithm, "prepared": prepared}
    _run("conv2d", implementation, geometry, arguments, output, options)
    return _rounded(output, _result_dtype(arrays))


def conv2d_input_gradient(
    output_gradient: ArrayLike,
    kernel: ArrayLike,
    input_shape: Sequence[int],
    *,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    groups: int = 1,
    implementation: str | None = None,
    algorithm: str = "auto",
) -> np.ndarray:
    """The gradient of a loss with respect to the input of `conv2d`.

    Parameters
    ----------
    output_gradient : array
        The loss's gradient with respect to the output, in the output's shape.
    kernel : array
        ``(kernel_height, kernel_width, channels // groups, filters)``.
    input_shape : sequence of 4 int
        The shape of ``x``: with strides or padding the output does not tell it.
    strides, padding, data_format, dilation_rate, groups, implementation, algorithm
        As in `conv2d`.

    Returns
    -------
    numpy.ndarray
        In the shape of ``x``.

    Raises
    ------
    ValueError, TypeError, ImportError
        As in `conv2d`; ValueError where ``output_gradient`` has not the output's shape.

    Notes
    -----
    The adjoint of the convolution in its input: for every ``x`` and ``dy``,
    ``sum(conv2d(x, w) * dy) == sum(x * conv2d_input_gradient(dy, w, x.shape))``.

    Examples
    --------
    Each pixel's gradient is the sum of the weights that read it.

    >>> import numpy as np
    >>> dy, kernel = np.ones((1, 1, 3, 1), int), np.array([1, 10]).reshape(1, 2, 1, 1)
    >>> conv2d_input_gradient(dy, kernel, (1, 1, 4, 1)).ravel()
    array([ 1, 11, 11, 10])
    """
    weights = _array("kernel", kernel)
    geometry = _geometry(
        input_shape, weights.shape, strides=strides, padding=padding,
        data_format=_order(data_format), dilation_rate=dilation_rate, groups=groups,
    )  # fmt: skip
    gradient = _array("output_gradient", output_gradient, geometry.output_shape, "the output's")
    arrays = {"output_gradient": gradient, "kernel": weights}
    dtype = _compute_dtype(arrays)
    _check_integer_sum(dtype, arrays, math.prod(geometry.kernel_size) * geometry.group_filters)
    input_gradient = room.empty(geometry.input_shape, dtype)
    arguments = (_channels_last(gradient, geometry), weights.astype(dtype, copy=False))
    options = {"algorithm": algorithm}
    _run("conv2d_input_gradient", implementation, geometry, arguments, input_gradient, options)
    return _rounded(input_gradient, _result_dtype(arrays))


def conv2d_kernel_gradient(
    x: ArrayLike,
    output_gradient: ArrayLike,
    kernel_shape: Sequence[int],
    *,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    groups: int = 1,
    implementation: str | None = None,
) -> np.ndarray:
    """The gradient of a loss with respect to the kernel of `conv2d`.

    Parameters
    ----------
    x : array
        The input of the convolution.
    output_gradient : array
        The loss's gradient with respect to the output, in the output's shape.
    kernel_shape : sequence of 4 int
        ``(kernel_height, kernel_width, channels // groups, filters)``.
    strides, padding, data_format, dilation_rate, groups, implementation
        As in `conv2d`.

    Returns
    -------
    numpy.ndarray
        In ``kernel_shape``. (The bias's gradient is the sum of ``output_gradient`` over all
        axes but the filters'.)

    Raises
    ------
    ValueError, TypeError, ImportError
        As in `conv2d_input_gradient`.

    Notes
    -----
    The adjoint of the convolution in its kernel: for every ``w`` and ``dy``,
    ``sum(conv2d(x, w) * dy) == sum(w * conv2d_kernel_gradient(x, dy, w.shape))``.

    Examples
    --------
    Each weight's gradient is the sum of the pixels that it met.

    >>> import numpy as np
    >>> x, dy = np.arange(1, 5).reshape(1, 1, 4, 1), np.ones((1, 1, 3, 1), int)
    >>> conv2d_kernel_gradient(x, dy, (1, 2, 1, 1)).ravel()
    array([6, 9])
    """
    images = _array("x", x)
    geometry = _geometry(
        images.shape, kernel_shape, strides=strides, padding=padding,
        data_format=_order(data_format), dilation_rate=dilation_rate, groups=groups,
    )  # fmt: skip
    gradient = _array("output_gradient", output_gradient, geometry.output_shape, "the output's")
    arrays = {"x": images, "output_gradient": gradient}
    dtype = _compute_dtype(arrays)
    _check_integer_sum(dtype, arrays, geometry.batch * math.prod(geometry.output_size))
    kernel_gradient = room.empty(geometry.kernel_shape, dtype)
    arguments = (
        _channels_last(images, geometry),
        _channels_last(gradient, geometry),
    )
    _run("conv2d_kernel_gradient", implementation, geometry, arguments, kernel_gradient)
    return _rounded(kernel_gradient, _result_dtype(arrays))


def max_pool2d(
    x: ArrayLike,
    pool_size: int | Sequence[int] = 2,
    *,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    implementation: str | None = None,
) -> np.ndarray:
    """The largest value under each window, channel by channel.

    Parameters
    ----------
    x : array
        ``(batch, height, width, channels)``, or channels_first.
    pool_size : int or (int, int), default 2
        Height and width of the window, in pixels.
    strides : int or (int, int), optional
        Step of the window; ``pool_size`` where None.
    padding : {"valid", "same"}, default "valid"
        Padding never wins: a window looks only at its real pixels.
    data_format, implementation
        As in `conv2d`.

    Returns
    -------
    numpy.ndarray
        In the dtype of ``x``. A window that holds a NaN gives NaN.

    Raises
    ------
    ValueError, TypeError, ImportError
        As in `conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> max_pool2d(np.arange(16).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 5,  7],
           [13, 15]])
    """
    images = _array("x", x)
    geometry = Geometry.pool2d(
        images.shape, pool_size, strides=strides, padding=padding, data_format=_order(data_format)
    )
    # A maximum needs no room to sum in: a uint8 photo never becomes eight times its size.
    pixels = images.view(np.uint8) if images.dtype == bool else images
    dtype = np.dtype(np.float32) if images.dtype == np.float16 else _native(pixels)
    output = room.empty(geometry.output_shape, dtype)
    _run("max_pool2d", implementation, geometry, (_channels_last(pixels, geometry),), output)
    return output.view(bool) if images.dtype == bool else _rounded(output, _native(images))


def max_pool2d_gradient(
    x: ArrayLike,
    output_gradient: ArrayLike,
    pool_size: int | Sequence[int] = 2,
    *,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    implementation: str | None = None,
) -> np.ndarray:
    """The gradient of a loss with respect to the input of `max_pool2d`.

    Parameters
    ----------
    x : array
        The input of the pooling: it says which pixels won.
    output_gradient : array
        The loss's gradient with respect to the output, in the output's shape.
    pool_size, strides, padding, data_format, implementation
        As in `max_pool2d`.

    Returns
    -------
    numpy.ndarray
        In the shape of ``x``. Each gradient goes to the one pixel that won its window; among
        equals to the first, row by row, as in Keras on JAX and PyTorch.

    Raises
    ------
    ValueError, TypeError, ImportError
        As in `conv2d_input_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 3.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> max_pool2d_gradient(x, np.full((1, 1, 1, 1), 5.0))[0, :, :, 0]
    array([[0., 5.],
           [0., 0.]])
    """
    images = _array("x", x)
    geometry = Geometry.pool2d(
        images.shape, pool_size, strides=strides, padding=padding, data_format=_order(data_format)
    )
    gradient = _array("output_gradient", output_gradient, geometry.output_shape, "the output's")
    arrays = {"x": images, "output_gradient": gradient}
    input_gradient = room.empty(geometry.input_shape, _compute_dtype(arrays))
    arguments = (
        _channels_last(images, geometry),
        _channels_last(gradient, geometry),
    )
    _run("max_pool2d_gradient", implementation, geometry, arguments, input_gradient)
    return _rounded(input_gradient, _result_dtype(arrays))


def average_pool2d(
    x: ArrayLike,
    pool_size: int | Sequence[int] = 2,
    *,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    implementation: str | None = None,
) -> np.ndarray:
    """The mean of the pixels under each window, channel by channel.

    Parameters
    ----------
    x, pool_size, strides, data_format, implementation
        As in `max_pool2d`.
    padding : {"valid", "same"}, default "valid"
        Padding is not counted: a window at the border divides by its real pixels.

    Returns
    -------
    numpy.ndarray
        In the dtype of ``x``; float64 for integers.

    Raises
    ------
    ValueError, TypeError, ImportError
        As in `conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> average_pool2d(np.arange(16.0).reshape(1, 4, 4, 1))[0, :, :, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    images = _array("x", x)
    geometry = Geometry.pool2d(
        images.shape, pool_size, strides=strides, padding=padding, data_format=_order(data_format)
    )
    output = room.empty(geometry.output_shape, _mean_dtype(_compute_dtype({"x": images})))
    arguments = (_channels_last(images, geometry),)
    _run("average_pool2d", implementation, geometry, arguments, output)
    return _rounded(output, _mean_dtype(_result_dtype({"x": images})))


def average_pool2d_gradient(
    output_gradient: ArrayLike,
    input_shape: Sequence[int],
    pool_size: int | Sequence[int] = 2,
    *,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
    implementation: str | None = None,
) -> np.ndarray:
    """The gradient of a loss with respect to the input of `average_pool2d`.

    Parameters
    ----------
    output_gradient : array
        The loss's gradient with respect to the output, in the output's shape.
    input_shape : sequence of 4 int
        The shape of ``x``.
    pool_size, strides, padding, data_format, implementation
        As in `average_pool2d`.

    Returns
    -------
    numpy.ndarray
        In ``input_shape``: each gradient is shared equally among its window's pixels.

    Raises
    ------
    ValueError, TypeError, ImportError
        As in `conv2d_input_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> average_pool2d_gradient(np.full((1, 1, 1, 1), 8.0), (1, 2, 2, 1))[0, :, :, 0]
    array([[2., 2.],
           [2., 2.]])
    """
    geometry = Geometry.pool2d(
        input_shape, pool_size, strides=strides, padding=padding, data_format=_order(data_format)
    )
    gradient = _array("output_gradient", output_gradient, geometry.output_shape, "the output's")
    arrays = {"output_gradient": gradient}
    input_gradient = room.empty(geometry.input_shape, _mean_dtype(_compute_dtype(arrays)))
    arguments = (_channels_last(gradient, geometry),)
    _run("average_pool2d_gradient", implementation, geometry, arguments, input_gradient)
    return _rounded(input_gradient, _mean_dtype(_result_dtype(arrays)))


def _order(data_format: str | None) -> str:
    """The order of axes, which a setting decides where none was asked for."""
    return standardize_data_format(data_format)


def _geometry(*shapes: Sequence[int], **options: Any) -> Geometry:
    """`Geometry.conv2d`, remembered: checking a small layer takes longer than computing it."""
    if all(_is_plain(value) for value in (*shapes, *options.values())):
        return _remembered(*shapes, **options)
    return Geometry.conv2d(*shapes, **options)


def _is_plain(value: object) -> bool:
    """Whether equal means the same: 1 and 1.0 and True are equal."""
    if type(value) is tuple:
        return all(type(entry) is int for entry in value)
    return type(value) in (int, str)


_remembered = lru_cache(maxsize=1024)(Geometry.conv2d)


def _array(
    name: str, value: ArrayLike, shape: tuple[int, ...] | None = None, whose: str = ""
) -> np.ndarray:
    """An array of real numbers of the wanted shape, or a clear error."""
    rule = f"`{name}` must be an array of real numbers (booleans, integers or floats)."
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{rule} Received: rows that do not form a rectangular array.") from None
    if array.dtype.kind not in "buif" or array.dtype.itemsize > 8:
        raise TypeError(f"{rule} Received: dtype={array.dtype}.")
    if shape is not None and array.shape != shape:
        raise ValueError(
            f"`{name}` must have shape {shape}: {whose} shape. "
            f"Received: {name} of shape {array.shape}."
        )
    if array.dtype == np.uint64 and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise ValueError(
            f"Integers must fit into int64. Received: {name} with {array.max()}. "
            "Convert it to float64 first."
        )
    return array


def _result_dtype(arrays: dict[str, np.ndarray]) -> np.dtype:
    return promoted(*(array.dtype for array in arrays.values()))


def _compute_dtype(arrays: dict[str, np.ndarray]) -> np.dtype:
    return sums_dtype(*(array.dtype for array in arrays.values()))


def _native(array: np.ndarray) -> np.dtype:
    return array.dtype.newbyteorder("=")


def _mean_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float64) if dtype.kind != "f" else dtype


def _check_integer_sum(dtype: np.dtype, arrays: dict[str, np.ndarray], terms: int) -> None:
    """An integer result is exact or refused: a sum that wraps around would be a silent lie."""
    if dtype.kind == "f":
        return
    sizes = {
        name: max(int(array.max()), -int(array.min())) if array.size else 0
        for name, array in arrays.items()
    }
    bias = sizes.pop("bias", 0)
    if terms * math.prod(sizes.values()) + bias > np.iinfo(np.int64).max:
        largest = ", ".join(f"{name} up to {size}" for name, size in sizes.items())
        raise ValueError(
            f"The integer result must fit into int64. Received: {largest}, with {terms} products "
            "in one sum. Convert the arrays to float64 first."
        )


def _run(
    operation: str,
    implementation: str | None,
    geometry: Geometry,
    arguments: tuple[np.ndarray, ...],
    result: np.ndarray,
    options: dict[str, Any] | None = None,
) -> None:
    """Let the chosen kernel fill ``result``: an image in the caller's layout, or a kernel."""
    options = options or {}
    algorithm = options.get("algorithm", "auto")
    check_algorithm(algorithm, geometry)
    work = geometry.multiply_adds * (POOLING_COST if geometry.pooling else 1)
    module = choose(implementation, work, algorithm)
    if operation != "conv2d_kernel_gradient":
        result = _channels_last(result, geometry)
    if not module.__name__.endswith("parallel"):
        options = {}  # what only the compiled kernels have
    # Frameworks let overflow and NaN pass in silence; so do we, in every implementation alike.
    with np.errstate(all="ignore"):
        getattr(module, operation)(*arguments, geometry, result, **options)


def _rounded(result: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The result in its own dtype, where the sums were made in a finer one."""
    with np.errstate(all="ignore"):
        return result.astype(dtype, copy=False)


def _channels_last(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    """A view with the channels at the end."""
    if geometry.data_format == "channels_last":
        return array
    return np.moveaxis(array, 1, -1)
