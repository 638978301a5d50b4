"""The classic image kernels, as arrays ready for `convlab.conv2d`.

Every function returns a float64 array in the shape that Keras gives a kernel,
``(kernel_height, kernel_width, 1, filters)``: it goes straight into ``conv2d`` on images of
one channel. The table that books print is ``kernel[:, :, 0, 0]``. Kernels are plain arrays,
so arithmetic on them is arithmetic on filters: ``sharpen()`` is
``identity(3) - laplacian()``.

The sum of a kernel foretells the most about its result:

- sum 1 keeps the mean brightness: `identity`, `box`, `gaussian_blur`, `sharpen`, `unsharp`,
  `emboss`;
- sum 0 answers only to change, and flat regions become 0: `laplacian`, `edge_detection`,
  `sobel_x`, `sobel_y`, `prewitt_x`, `prewitt_y`, `roberts_diagonal`,
  `roberts_antidiagonal`, `compass`.

`as_kernel` takes a table of your own, `stack` puts kernels side by side as the filters of
one layer, and `per_channel` and `over_channels` carry a kernel to images of several channels.

Signs are those of correlation, which Keras computes: `sobel_x` is positive where brightness
rises to the right. For convolution proper, flip the kernel: ``kernel[::-1, ::-1]``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convlab.geometry import Pair, as_pair, as_size

__all__ = [
    "GREY",
    "as_kernel",
    "box",
    "compass",
    "edge_detection",
    "emboss",
    "gaussian_blur",
    "identity",
    "laplacian",
    "over_channels",
    "per_channel",
    "prewitt_x",
    "prewitt_y",
    "roberts_antidiagonal",
    "roberts_diagonal",
    "sharpen",
    "sobel_x",
    "sobel_y",
    "stack",
    "unsharp",
]

Kernel = NDArray[np.float64]

GREY = (0.299, 0.587, 0.114)
"""What red, green and blue add to perceived brightness (ITU-R recommendation BT.601)."""


# Kernels that keep the mean brightness


def identity(kernel_size: int | Pair = 1) -> Kernel:
    """One 1 among zeros: the image comes out as it went in.

    Parameters
    ----------
    kernel_size : int or (int, int), default 1
        Height and width in taps.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, 1, 1)
        The 1 stands at row ``(kernel_height - 1) // 2`` and column
        ``(kernel_width - 1) // 2``: the tap that ``padding="same"`` lays on the output pixel,
        for even sizes too.

    Examples
    --------
    >>> identity(3)[:, :, 0, 0]
    array([[0., 0., 0.],
           [0., 1., 0.],
           [0., 0., 0.]])
    """
    height, width = as_pair("kernel_size", kernel_size)
    kernel = np.zeros((height, width, 1, 1))
    kernel[(height - 1) // 2, (width - 1) // 2] = 1.0
    return kernel


def box(kernel_size: int | Pair = 3) -> Kernel:
    """The mean of the window: the plainest blur.

    Parameters
    ----------
    kernel_size : int or (int, int), default 3
        Height and width in taps. ``(1, 9)`` is the blur of a horizontal motion over 9 pixels.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, 1, 1)
        Equal values with sum 1.

    References
    ----------
    McDonnell, "Box-filtering techniques", Computer Graphics and Image Processing 17, 1981.

    Examples
    --------
    >>> box(2)[:, :, 0, 0]
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    height, width = as_pair("kernel_size", kernel_size)
    return np.full((height, width, 1, 1), 1.0 / (height * width))


def gaussian_blur(kernel_size: int | Pair = 3, sigma: float | None = None) -> Kernel:
    """A mean that trusts near pixels more than far ones.

    Parameters
    ----------
    kernel_size : int or (int, int), default 3
        Height and width in taps.
    sigma : float, optional
        Standard deviation in pixels. A kernel narrower than about ``6 * sigma`` cuts the bell
        off and comes close to `box`. Without it the taps are binomial numbers, the
        whole-number bell: ``1 2 1``, ``1 4 6 4 1``, ...; their standard deviation is
        ``sqrt(kernel_size - 1) / 2``.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, 1, 1)
        A column times a row, with sum 1.

    References
    ----------
    Burt & Adelson, "The Laplacian pyramid as a compact image code", IEEE Transactions on
    Communications 31, 1983.

    Examples
    --------
    >>> gaussian_blur(3)[:, :, 0, 0] * 16
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> gaussian_blur((1, 5), sigma=1.0)[0, :, 0, 0].round(3)
    array([0.054, 0.244, 0.403, 0.244, 0.054])
    """
    height, width = as_pair("kernel_size", kernel_size)
    if sigma is None:
        return _outer(_binomial(height), _binomial(width))
    deviation = _positive("sigma", sigma)
    return _outer(_bell(height, deviation), _bell(width, deviation))


def sharpen(neighbours: int = 4) -> Kernel:
    """The image minus its Laplacian: every difference to the neighbours grows.

    Values overshoot beside an edge and may leave the range of the image. That is what looks
    sharp; clip only to display.

    Parameters
    ----------
    neighbours : {4, 8}
        4 takes the pixels above, below, left and right; 8 takes the diagonal ones too.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        ``identity(3) - laplacian(neighbours)``; the sum is 1.

    References
    ----------
    Gonzalez & Woods, "Digital Image Processing", 4th edition, 2018, section 3.6.

    Examples
    --------
    >>> sharpen()[:, :, 0, 0]
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]])
    """
    return identity(3) - laplacian(neighbours)


def unsharp(amount: float = 1.0, blur: ArrayLike | None = None) -> Kernel:
    """Unsharp masking: the image plus `amount` times what a blur takes away from it.

    Parameters
    ----------
    amount : float, default 1.0
        0 changes nothing. With the default blur, 9 is ``sharpen(8)``.
    blur : array_like of shape (kernel_height, kernel_width, 1, 1), default ``box(3)``
        The kernel that makes the unsharp copy, for example ``gaussian_blur(5)``.

    Returns
    -------
    ndarray of the shape of `blur`
        ``(1 + amount) * identity - amount * blur``. The sum is 1 if that of `blur` is.

    References
    ----------
    Schreiber, "Wirephoto quality improvement by unsharp masking", Pattern Recognition 2, 1970.

    Examples
    --------
    >>> unsharp(2.0)[:, :, 0, 0] * 9
    array([[-2., -2., -2.],
           [-2., 25., -2.],
           [-2., -2., -2.]])
    """
    strength = _finite("amount", amount)
    kernel = box(3) if blur is None else _one_channel("blur", blur)
    height, width = kernel.shape[:2]
    return (1 + strength) * identity((height, width)) - strength * kernel


def emboss() -> Kernel:
    """Relief: bright where brightness rises towards the lower right, dark where it falls.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        The sum is 1, so flat regions keep their grey.

    References
    ----------
    GIMP documentation, filter "Convolution Matrix", example "Emboss".

    Examples
    --------
    >>> emboss()[:, :, 0, 0]
    array([[-2., -1.,  0.],
           [-1.,  1.,  1.],
           [ 0.,  1.,  2.]])
    """
    return _kernel([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])


# Kernels that answer only to change


def laplacian(neighbours: int = 4) -> Kernel:
    """The sum of the differences from a pixel to its neighbours, alike in every direction.

    Beside an edge it answers with both signs; the edge lies where the sign changes.

    Parameters
    ----------
    neighbours : {4, 8}
        4 takes the pixels above, below, left and right; 8 takes the diagonal ones too.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        Ones around ``-neighbours``; the sum is 0.

    References
    ----------
    Marr & Hildreth, "Theory of edge detection", Proceedings of the Royal Society of London
    B 207, 1980. They blur with a Gaussian first, because the Laplacian amplifies noise.

    Examples
    --------
    >>> laplacian()[:, :, 0, 0]
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]])
    """
    if neighbours not in (4, 8):
        raise ValueError(f"`neighbours` must be 4 or 8. Received: neighbours={neighbours!r}.")
    corner = 0 if neighbours == 4 else 1
    return _kernel([[corner, 1, corner], [1, -neighbours, 1], [corner, 1, corner]])


def edge_detection() -> Kernel:
    """Outlines: how much a pixel stands out from its eight neighbours.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        ``-laplacian(8)``: positive on a bright dot. The sum is 0.

    References
    ----------
    Gonzalez & Woods, "Digital Image Processing", 4th edition, 2018, section 10.2.

    Examples
    --------
    >>> edge_detection()[:, :, 0, 0]
    array([[-1., -1., -1.],
           [-1.,  8., -1.],
           [-1., -1., -1.]])
    """
    return -laplacian(8)


def sobel_x() -> Kernel:
    """How fast brightness rises to the right: strong on vertical edges.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        The difference ``-1 0 1`` along the rows, smoothed by ``1 2 1`` across them. On a ramp
        that rises by 1 per pixel it answers 8.

    References
    ----------
    Sobel & Feldman, "A 3x3 isotropic gradient operator for image processing", talk at the
    Stanford Artificial Intelligence Project, 1968.

    Examples
    --------
    >>> sobel_x()[:, :, 0, 0]
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]])
    """
    return _outer([1, 2, 1], [-1, 0, 1])


def sobel_y() -> Kernel:
    """How fast brightness rises downwards: strong on horizontal edges.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        `sobel_x` with rows and columns exchanged.

    References
    ----------
    See `sobel_x`.

    Examples
    --------
    >>> sobel_y()[:, :, 0, 0]
    array([[-1., -2., -1.],
           [ 0.,  0.,  0.],
           [ 1.,  2.,  1.]])
    """
    return _outer([-1, 0, 1], [1, 2, 1])


def prewitt_x() -> Kernel:
    """How fast brightness rises to the right, each of the three rows weighing the same.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        The difference ``-1 0 1`` along the rows, smoothed by ``1 1 1`` across them.

    References
    ----------
    Prewitt, "Object enhancement and extraction", in Picture Processing and Psychopictorics,
    Academic Press, 1970.

    Examples
    --------
    >>> prewitt_x()[:, :, 0, 0]
    array([[-1.,  0.,  1.],
           [-1.,  0.,  1.],
           [-1.,  0.,  1.]])
    """
    return _outer([1, 1, 1], [-1, 0, 1])


def prewitt_y() -> Kernel:
    """How fast brightness rises downwards, each of the three columns weighing the same.

    Returns
    -------
    ndarray of shape (3, 3, 1, 1)
        `prewitt_x` with rows and columns exchanged.

    References
    ----------
    See `prewitt_x`.

    Examples
    --------
    >>> prewitt_y()[:, :, 0, 0]
    array([[-1., -1., -1.],
           [ 0.,  0.,  0.],
           [ 1.,  1.,  1.]])
    """
    return _outer([-1, 0, 1], [1, 1, 1])


def roberts_diagonal() -> Kernel:
    """A pixel minus its lower right neighbour: a difference along the diagonal.

    Returns
    -------
    ndarray of shape (2, 2, 1, 1)
        An even kernel. The sum is 0.

    References
    ----------
    Roberts, "Machine perception of three-dimensional solids", MIT Lincoln Laboratory
    Technical Report 315, 1963.

    Examples
    --------
    >>> roberts_diagonal()[:, :, 0, 0]
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    return _kernel([[1, 0], [0, -1]])


def roberts_antidiagonal() -> Kernel:
    """A pixel minus its lower left neighbour: a difference along the other diagonal.

    Returns
    -------
    ndarray of shape (2, 2, 1, 1)
        `roberts_diagonal` mirrored. The sum is 0.

    References
    ----------
    See `roberts_diagonal`.

    Examples
    --------
    >>> roberts_antidiagonal()[:, :, 0, 0]
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    return _kernel([[0, 1], [-1, 0]])


def compass() -> Kernel:
    """Sobel in eight directions: filter r answers to brightness that rises towards r * 45°.

    Directions turn counter-clockwise from the right: 0 is right, 1 upper right, 2 up, ...,
    7 lower right.

    Returns
    -------
    ndarray of shape (3, 3, 1, 8)
        Filter 0 is `sobel_x`, filter 6 is `sobel_y`. Filter ``r + 4`` is minus filter ``r``,
        so only four of the eight are independent.

    References
    ----------
    Robinson, "Edge detection by compass gradient masks", Computer Graphics and Image
    Processing 6, 1977.

    Examples
    --------
    >>> compass()[:, :, 0, 1]
    array([[ 0.,  1.,  2.],
           [-1.,  0.,  1.],
           [-2., -1.,  0.]])
    """
    rows = [0, 0, 0, 1, 2, 2, 2, 1]  # the ring around the centre, clockwise
    columns = [0, 1, 2, 2, 2, 1, 0, 0]
    ring = sobel_x()[rows, columns, 0, 0]
    kernel = np.zeros((3, 3, 1, 8))
    for turn in range(8):
        kernel[rows, columns, 0, turn] = np.roll(ring, -turn)
    return kernel


# From tables to kernels, and from one channel to several


def as_kernel(values: ArrayLike) -> NDArray[Any]:
    """Your own table of numbers, in the shape that `conv2d` wants.

    Parameters
    ----------
    values : array_like of shape (kernel_height, kernel_width)
        A kernel of four axes passes unchanged.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, 1, 1)
        One input channel, one filter. The dtype stays: a table of whole numbers is an integer
        kernel, and an example with whole numbers prints without decimal points.

    Raises
    ------
    TypeError
        For text and anything else that is not a real number.
    ValueError
        For any other number of axes.

    Examples
    --------
    >>> as_kernel([[1, 2], [0, -1]]).shape
    (2, 2, 1, 1)
    """
    rule = "A kernel must be a table (kernel_height, kernel_width) of real numbers."
    try:
        kernel = np.asarray(values)
    except ValueError:  # NumPy's word for rows of unequal length
        raise ValueError(f"{rule} Received rows of unequal length: {values!r}.") from None
    if kernel.dtype.kind not in "biuf":
        raise TypeError(f"{rule} Received: dtype={kernel.dtype}.")
    if kernel.ndim == 2:
        return kernel[:, :, np.newaxis, np.newaxis]
    if kernel.ndim == 4:
        return kernel
    raise ValueError(
        f"{rule} Received: shape={kernel.shape}. "
        "Give one row as [[...]]; of four axes, the last two are channels and filters."
    )


def stack(*kernels: ArrayLike) -> NDArray[Any]:
    """Several kernels as the filters of one: a map for each comes out of one `conv2d`.

    Parameters
    ----------
    *kernels : array_like
        Kernels, or tables as `as_kernel` takes them, that differ at most in their filters.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, channels, filters)
        The filters in the order given.

    Examples
    --------
    >>> stack(sobel_x(), sobel_y(), laplacian()).shape
    (3, 3, 1, 3)
    """
    arrays = [as_kernel(kernel) for kernel in kernels]
    shapes = [array.shape for array in arrays]
    if len({shape[:3] for shape in shapes}) != 1:
        raise ValueError(
            "`stack` needs at least one kernel, and all of the same height, width and channels. "
            f"Received: shapes={shapes}."
        )
    return np.concatenate(arrays, axis=-1)


def per_channel(kernel: ArrayLike, channels: int) -> NDArray[Any]:
    """The same kernel for every channel, each on its own: for ``groups=channels``.

    Parameters
    ----------
    kernel : array_like of shape (kernel_height, kernel_width, 1, filters)
        Or a table, as `as_kernel` takes it.
    channels : int
        Channels of the image, at least 1.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, 1, channels * filters)
        All filters for the first channel, then all for the second, and so on: the order
        that ``groups`` has in Keras.

    See Also
    --------
    over_channels : adds the channels up instead of keeping them apart.

    Examples
    --------
    Blur a colour photo, and keep its colours:

    >>> from convlab import conv2d
    >>> photo = np.ones((1, 5, 5, 3))
    >>> conv2d(photo, per_channel(box(3), 3), groups=3).shape
    (1, 3, 3, 3)
    """
    one = _one_channel("kernel", kernel)
    return np.tile(one, (1, 1, 1, as_size("channels", channels)))


def over_channels(kernel: ArrayLike, weights: Sequence[float]) -> NDArray[Any]:
    """The same kernel on every channel, weighted and added up: one map for each filter.

    Parameters
    ----------
    kernel : array_like of shape (kernel_height, kernel_width, 1, filters)
        Or a table, as `as_kernel` takes it.
    weights : sequence of float
        One number for each channel of the image. ``(1, 1, 1)`` adds red, green and blue up,
        `GREY` weighs them as brightness does, ``(1, -1, 0)`` is red against green.

    Returns
    -------
    ndarray of shape (kernel_height, kernel_width, len(weights), filters)

    See Also
    --------
    per_channel : keeps the channels apart.

    Examples
    --------
    Grey is a convolution with a 1x1 kernel:

    >>> over_channels(identity(), GREY)[0, 0, :, 0]
    array([0.299, 0.587, 0.114])
    """
    one = _one_channel("kernel", kernel)
    numbers = np.asarray(weights)
    if numbers.ndim != 1 or numbers.size == 0 or numbers.dtype.kind not in "biuf":
        raise ValueError(
            "`weights` must be a sequence of numbers, one for each channel. "
            f"Received: weights={weights!r}. To add three channels up, give (1, 1, 1)."
        )
    return one * numbers[:, np.newaxis]


# Helpers


def _kernel(table: Sequence[Sequence[float]]) -> Kernel:
    return np.array(table, dtype=np.float64)[:, :, np.newaxis, np.newaxis]


def _outer(column: ArrayLike, row: ArrayLike) -> Kernel:
    product = np.outer(np.asarray(column, np.float64), np.asarray(row, np.float64))
    return product[:, :, np.newaxis, np.newaxis]


def _binomial(taps: int) -> list[float]:
    return [math.comb(taps - 1, tap) / 2 ** (taps - 1) for tap in range(taps)]


def _bell(taps: int, sigma: float) -> Kernel:
    distance = np.abs(np.arange(taps) - (taps - 1) / 2)
    # Measured from the nearest tap, so that a tiny sigma cannot make every tap zero.
    exponent = (distance**2 - distance.min() ** 2) / 2
    values = np.exp(-exponent / sigma / sigma)
    return values / values.sum()


def _finite(name: str, value: object) -> float:
    rule = f"`{name}` must be a finite number."
    if isinstance(value, str):
        raise TypeError(f"{rule} Received: {name}={value!r}.")
    try:
        number = float(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{rule} Received: {name}={value!r}.") from None
    if not math.isfinite(number):
        raise ValueError(f"{rule} Received: {name}={value!r}.")
    return number


def _positive(name: str, value: object) -> float:
    number = _finite(name, value)
    if number <= 0:
        raise ValueError(f"`{name}` must be greater than 0. Received: {name}={value!r}.")
    return number


def _one_channel(name: str, value: ArrayLike) -> NDArray[Any]:
    kernel = as_kernel(value)
    if kernel.shape[2] != 1:
        raise ValueError(
            f"`{name}` must have one input channel: (kernel_height, kernel_width, 1, filters). "
            f"Received: shape={kernel.shape}."
        )
    return kernel
