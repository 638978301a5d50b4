"""What weights begin as: constants, and random numbers whose variance fits the kernel's size.

>>> GlorotUniform(seed=1)((3, 3, 16, 32)).shape
(3, 3, 16, 32)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convlab import random
from convlab.names import snake_case
from convlab.objects import Catalogue, Configurable, config_of, custom_object_scope
from convlab.random import SeedGenerator, as_dtype, as_shape, checked_seed, float_dtype
from convlab.variables import Variable

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "fans",
    "get",
    "serialize",
]

Shape = Sequence[int]
Seed = int | SeedGenerator | Mapping[str, Any] | None

# The standard deviation that is left of 1 when a normal distribution is cut at -2 and 2:
# the variance is 1 - 2 * 2 * density(2) / (share of the values within).
_CUT_STDDEV = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


class Initializer(Configurable):
    """What makes a weight's first value; the class that others derive from.

    A class of your own makes an array of the given shape and dtype in ``__call__``, and returns
    its constructor's arguments from ``get_config``. A function of ``(shape, dtype=None)`` serves
    as well.

    Examples
    --------
    >>> class Checkerboard(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return (np.indices(shape).sum(axis=0) % 2).astype(dtype or "float32")
    >>> Checkerboard()((2, 3))
    array([[0., 1., 0.],
           [1., 0., 1.]], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """The first value of a weight.

        Parameters
        ----------
        shape : tuple of int
        dtype : dtype, optional
            ``config.floatx()`` where None.

        Returns
        -------
        numpy.ndarray
            A new array.
        """
        raise NotImplementedError("A subclass of Initializer must have its own `__call__`.")

    def clone(self) -> Any:
        """Another initializer of the same config.

        One without a seed draws its own: the clone's values are others.

        Returns
        -------
        Initializer
        """
        return self.from_config(self.get_config())


# Constants -------------------------------------------------------------------


class Constant(Initializer):
    """One value everywhere, or an array that is repeated as NumPy broadcasts it.

    Parameters
    ----------
    value : number or array, default 0.0

    Raises
    ------
    ValueError
        Where the value is no number; and at the call, where an array does not fit the shape.

    Examples
    --------
    >>> Constant(0.5)((2, 2))
    array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """

    def __init__(self, value: ArrayLike = 0.0) -> None:
        self.value = np.array(value) if isinstance(value, (np.ndarray, Variable)) else value
        if isinstance(value, np.generic):
            self.value = value.item()
        if np.asarray(value).dtype.kind not in "biuf":
            raise ValueError(
                f"`value` must be a number or an array of numbers. Received: value={value!r}."
            )

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """The value, as often as the shape asks."""
        shape = as_shape(shape)
        value = np.asarray(self.value).astype(as_dtype(dtype))
        try:
            return np.broadcast_to(value, shape).copy()
        except ValueError:
            raise ValueError(
                "An array as constant must broadcast to the weight's shape. "
                f"Received: value of shape {value.shape}, shape={shape}."
            ) from None

    def get_config(self) -> dict[str, Any]:
        """The value; an array as Keras writes arrays."""
        return {"value": _array_config(self.value)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The constant of a config, also where the value is an array that Keras wrote."""
        if "value" not in config:
            raise ValueError(f"{cls.__name__} needs its value. Received: config={dict(config)!r}.")
        return super().from_config({**config, "value": _array_of(config["value"])})


class Zeros(Initializer):
    """0 everywhere: the default of biases.

    Examples
    --------
    >>> Zeros()((3,))
    array([0., 0., 0.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """Zeros of the shape."""
        return np.zeros(as_shape(shape), as_dtype(dtype))


class Ones(Initializer):
    """1 everywhere.

    Examples
    --------
    >>> Ones()((3,))
    array([1., 1., 1.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """Ones of the shape."""
        return np.ones(as_shape(shape), as_dtype(dtype))


class Identity(Initializer):
    """The identity matrix, times `gain`. Matrices only: a kernel of `Conv2D` has four axes.

    Parameters
    ----------
    gain : float, default 1.0

    Raises
    ------
    ValueError
        Where the weight is no matrix.

    Examples
    --------
    >>> Identity(2)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = _finite("gain", gain)

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """The matrix."""
        shape = as_shape(shape)
        if len(shape) != 2:
            raise ValueError(
                "Identity can initialize matrices only, shapes of length 2. "
                f"Received: shape={shape}."
            )
        return (self.gain * np.eye(*shape)).astype(as_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The gain, where it is not 1: Keras's own configs leave it out."""
        return {} if self.gain == 1 else {"gain": self.gain}


class _Values(Constant):
    """The very values of one array, for a weight of exactly its shape."""

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        expected = np.shape(self.value)
        if as_shape(shape) != expected:
            raise ValueError(
                "An array as initializer must have the weight's shape. "
                f"Received: an array of shape {expected}, shape={shape}."
            )
        return super().__call__(shape, dtype)


# Random numbers --------------------------------------------------------------


class _Random(Initializer):
    """An initializer with a seed.

    An integer gives the same values at every call; so does None, for which a seed is drawn once,
    here. A `SeedGenerator` gives others each time.
    """

    def __init__(self, seed: Seed = None) -> None:
        self._given_seed = _seed_of(seed)
        self.seed = random.make_seed() if seed is None else self._given_seed

    def get_config(self) -> dict[str, Any]:
        """The seed that was asked for."""
        seed = self._given_seed
        if isinstance(seed, SeedGenerator):
            return {"seed": config_of(seed, "keras.random")}
        return {"seed": seed}


class _Normal(_Random):
    """What the normal distributions share: mean and standard deviation."""

    _draw = staticmethod(random.normal)

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None) -> None:
        self.mean = _finite("mean", mean)
        self.stddev = _finite("stddev", stddev)
        if self.stddev < 0:
            raise ValueError(f"`stddev` cannot be negative. Received: stddev={stddev!r}.")
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """Values of the distribution."""
        return self._draw(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """Seed, mean and standard deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomNormal(_Normal):
    """A normal distribution.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        Not negative.
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.

    Raises
    ------
    ValueError, TypeError
        For other arguments.

    Examples
    --------
    >>> values = RandomNormal(stddev=0.1, seed=1)((100, 100))
    >>> f"{values.std():.2f}"
    '0.10'
    """


class TruncatedNormal(_Normal):
    """A normal distribution whose values beyond two standard deviations are drawn again.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        Not negative. Of the distribution before the cut: what is left of it is 0.88 of this.
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.

    Raises
    ------
    ValueError, TypeError
        For other arguments.

    Examples
    --------
    >>> values = TruncatedNormal(stddev=0.1, seed=1)((100, 100))
    >>> f"{values.std():.3f}", bool(abs(values).max() <= np.float32(0.2))
    ('0.088', True)
    """

    _draw = staticmethod(random.truncated_normal)


class RandomUniform(_Random):
    """Numbers spread evenly over an interval.

    Parameters
    ----------
    minval : float, default -0.05
        The least value.
    maxval : float, default 0.05
        The bound above, itself left out. Not less than `minval`.
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.

    Raises
    ------
    ValueError, TypeError
        For other arguments.

    Examples
    --------
    >>> values = RandomUniform(0, 3, seed=1)((1000,))
    >>> bool(values.min() >= 0 and values.max() < 3)
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None) -> None:
        self.minval = _finite("minval", minval)
        self.maxval = _finite("maxval", maxval)
        if self.minval > self.maxval:
            raise ValueError(
                "`minval` must not be above `maxval`. "
                f"Received: minval={minval!r}, maxval={maxval!r}."
            )
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """Values of the distribution."""
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> dict[str, Any]:
        """Seed and bounds."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


def fans(
    shape: Shape,
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """How many numbers come into one output of a weight, and into how many each one goes.

    A matrix has (inputs, outputs). For a convolution both count the positions of the kernel:
    (kernel_height * kernel_width * in_channels, kernel_height * kernel_width * filters). With
    groups, the kernel has ``in_channels // groups`` input channels, and fan_out still counts all
    filters, as in Keras.

    Parameters
    ----------
    shape : tuple of int
        The weight's.
    input_axes, output_axes : sequence of int, optional
        The axes to multiply instead. Keras uses them only where both are given, and so does this.

    Returns
    -------
    tuple of int
        ``(fan_in, fan_out)``

    Raises
    ------
    IndexError
        Where the shape has no such axis.

    Examples
    --------
    >>> fans((3, 3, 16, 32))
    (144, 288)
    >>> fans((100, 10))
    (100, 10)
    """
    shape = as_shape(shape)
    if input_axes is not None and output_axes is not None:
        return _product(shape, input_axes), _product(shape, output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    positions = math.prod(shape[:-2])
    return positions * shape[-2], positions * shape[-1]


class VarianceScaling(_Random):
    """Random numbers of variance ``scale / n``, with `n` from the weight's shape.

    Sums of n products then have about `scale` times the variance of what came in.

    Parameters
    ----------
    scale : float, default 1.0
        Positive.
    mode : {"fan_in", "fan_out", "fan_avg"}, default "fan_in"
        What n is: one of `fans`, or their mean.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        In any case; "normal" is another name of "truncated_normal". The truncated one is made
        wider first, so that the variance is right after the cut. Uniform is on
        ``[-limit, limit)`` with ``limit = sqrt(3 * scale / n)``.
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    Raises
    ------
    ValueError, TypeError
        For other arguments.

    Notes
    -----
    A fan of 0 counts as 1.

    Examples
    --------
    >>> values = VarianceScaling(2.0, "fan_in", "uniform", seed=1)((3, 3, 16, 32))
    >>> f"{values.var() * 144:.1f}"
    '2.0'
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        self.scale = _finite("scale", scale)
        if self.scale <= 0:
            raise ValueError(f"`scale` must be positive. Received: scale={scale!r}.")
        self.mode = _one_of("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        folded = distribution.lower() if isinstance(distribution, str) else distribution
        self.distribution = _one_of(
            "distribution", "truncated_normal" if folded == "normal" else folded, _DISTRIBUTIONS
        )
        self.input_axes = input_axes
        self.output_axes = output_axes
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """Values whose variance fits the shape."""
        draw = _DISTRIBUTIONS[self.distribution]
        return draw(shape, self._stddev(shape), dtype, self.seed)

    def _stddev(self, shape: Shape) -> float:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return math.sqrt(self.scale / max(1.0, n))

    def get_config(self) -> dict[str, Any]:
        """Every argument, the seed first."""
        names = ("scale", "mode", "distribution", "input_axes", "output_axes")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _truncated(shape: Shape, stddev: float, dtype: Any, seed: Any) -> np.ndarray:
    return random.truncated_normal(shape, 0.0, stddev / _CUT_STDDEV, dtype, seed)


def _untruncated(shape: Shape, stddev: float, dtype: Any, seed: Any) -> np.ndarray:
    return random.normal(shape, 0.0, stddev, dtype, seed)


def _uniform(shape: Shape, stddev: float, dtype: Any, seed: Any) -> np.ndarray:
    limit = math.sqrt(3) * stddev
    return random.uniform(shape, -limit, limit, dtype, seed)


_DISTRIBUTIONS = {
    "truncated_normal": _truncated,
    "untruncated_normal": _untruncated,
    "uniform": _uniform,
}


class _Rule(VarianceScaling):
    """Variance scaling under a person's name: only seed and axes are left to choose.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.
    """

    _rule: tuple[float, str, str]

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._rule, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """The seed and the axes."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Rule):
    """Uniform with variance ``2 / (fan_in + fan_out)``: Keras's default for kernels.

    On ``[-limit, limit)`` with ``limit = sqrt(6 / (fan_in + fan_out))``.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    References
    ----------
    Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural
    networks, https://proceedings.mlr.press/v9/glorot10a.html

    Examples
    --------
    >>> values = GlorotUniform(seed=1)((3, 3, 16, 32))
    >>> f"{abs(values).max():.4f}", f"{math.sqrt(6 / (144 + 288)):.4f}"
    ('0.1178', '0.1179')
    """

    _rule = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Rule):
    """Truncated normal with variance ``2 / (fan_in + fan_out)``.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    References
    ----------
    Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural
    networks, https://proceedings.mlr.press/v9/glorot10a.html

    Examples
    --------
    >>> values = GlorotNormal(seed=1)((3, 3, 16, 32))
    >>> f"{values.var() * (144 + 288) / 2:.1f}"
    '1.0'
    """

    _rule = (1.0, "fan_avg", "truncated_normal")


class HeNormal(_Rule):
    """Truncated normal with variance ``2 / fan_in``: keeps a signal's size through ReLUs.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    References
    ----------
    He, Zhang, Ren and Sun (2015), Delving deep into rectifiers, https://arxiv.org/abs/1502.01852

    Examples
    --------
    >>> values = HeNormal(seed=1)((3, 3, 16, 32))
    >>> f"{values.var() * 144:.1f}"
    '2.0'
    """

    _rule = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Rule):
    """Uniform with variance ``2 / fan_in``, on ``[-limit, limit)``, ``limit = sqrt(6 / fan_in)``.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    References
    ----------
    He, Zhang, Ren and Sun (2015), Delving deep into rectifiers, https://arxiv.org/abs/1502.01852

    Examples
    --------
    >>> values = HeUniform(seed=1)((3, 3, 16, 32))
    >>> f"{values.var() * 144:.1f}"
    '2.0'
    """

    _rule = (2.0, "fan_in", "uniform")


class LecunNormal(_Rule):
    """Truncated normal with variance ``1 / fan_in``: keeps a signal's size where nothing bends.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    References
    ----------
    LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.

    Examples
    --------
    >>> values = LecunNormal(seed=1)((3, 3, 16, 32))
    >>> f"{values.var() * 144:.1f}"
    '1.0'
    """

    _rule = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Rule):
    """Uniform with variance ``1 / fan_in``, on ``[-limit, limit)``, ``limit = sqrt(3 / fan_in)``.

    Parameters
    ----------
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call.
    input_axes, output_axes : sequence of int, optional
        See `fans`.

    References
    ----------
    LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.

    Examples
    --------
    >>> values = LecunUniform(seed=1)((3, 3, 16, 32))
    >>> f"{values.var() * 144:.1f}"
    '1.0'
    """

    _rule = (1.0, "fan_in", "uniform")


class Orthogonal(_Random):
    """Filters of length `gain`, each at a right angle to every other.

    The weight is seen as a matrix with one column for each filter. Where there are more filters
    than rows, the rows are at right angles instead.

    Parameters
    ----------
    gain : float, default 1.0
        ``2**0.5`` suits ReLU.
    seed : int or SeedGenerator, optional
        An ``int``, or None, gives the same values at each call, to the last bits, in which
        machines may differ.

    Raises
    ------
    ValueError
        Where the weight has fewer than two axes.

    References
    ----------
    Saxe, McClelland and Ganguli (2013), Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks, https://arxiv.org/abs/1312.6120

    Examples
    --------
    >>> filters = Orthogonal(seed=1)((3, 3, 1, 4)).reshape(9, 4)
    >>> np.abs(filters.T @ filters - np.eye(4)).max() < 1e-6
    np.True_
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        self.gain = _finite("gain", gain)
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """The filters."""
        shape = as_shape(shape)
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal can initialize weights of two axes or more. Received: shape={shape}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = random.normal((max(rows, columns), min(rows, columns)), 0, 1, "float64", self.seed)
        q = _orthonormal_columns(tall)
        matrix = q if rows >= columns else q.T
        return (self.gain * matrix.reshape(shape)).astype(float_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """Seed and gain."""
        return {**super().get_config(), "gain": self.gain}


def _orthonormal_columns(tall: np.ndarray) -> np.ndarray:
    """Q of the QR decomposition, its signs so that every orientation is equally likely."""
    q, r = np.linalg.qr(tall)
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


class STFT(Initializer):
    """The waves of a short-time Fourier transform, for a convolution in time.

    The weight has the shape (frame_length, 1, bands), with bands for the frequencies from 0 to
    half the sampling rate.

    Parameters
    ----------
    side : {"real", "imag"}, default "real"
        Cosines, or sines that go down first.
    window : str, array or None, default "hann"
        What fades the frame's ends: "boxcar", "hann", "hamming", "blackman", "nuttall",
        "blackmanharris", "flattop", the `frame_length` values of another, or nothing.
    scaling : {"density", "spectrum", None}, default "density"
        Divide by the square root of the sum of the window's squares, by the sum of its absolute
        values, or by nothing.
    periodic : bool, default False
        Whether the window would go on without a seam.

    Raises
    ------
    ValueError
        For other arguments; and at the call, where the shape is not as above.

    Examples
    --------
    >>> STFT(window=None)((4, 1, 3))[:, 0, 1].round(6)
    array([ 1.,  0., -1., -0.], dtype=float32)
    """

    def __init__(
        self,
        side: str = "real",
        window: str | ArrayLike | None = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side = _one_of("side", side, ("real", "imag"))
        if isinstance(window, str):
            _one_of("window", window, _COSINES, " Give the values of any other as an array.")
        self.window = window
        self.scaling = _one_of("scaling", scaling, _SCALINGS)
        self.periodic = periodic

    def __call__(self, shape: Shape, dtype: DTypeLike | None = None) -> np.ndarray:
        """The waves, under the window."""
        shape = as_shape(shape)
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ValueError(
                "The shape must be (frame_length, 1, bands), with two bands or more. "
                f"Received: shape={shape}."
            )
        frame_length, _, bands = shape
        angles = np.pi * np.outer(np.arange(frame_length), np.arange(bands)) / (bands - 1)
        waves = np.cos(angles) if self.side == "real" else -np.sin(angles)
        return (waves * self._scaled_window(frame_length))[:, None].astype(float_dtype(dtype))

    def _scaled_window(self, length: int) -> np.ndarray:
        if self.window is None:
            return np.ones((length, 1))
        if isinstance(self.window, str):
            window = _cosine_window(self.window, length, self.periodic)
        else:
            window = np.asarray(self.window, np.float64)
        if window.shape != (length,):
            raise ValueError(
                "A window has one value for each step of the frame. "
                f"Received: window of shape {window.shape}, frame_length={length}."
            )
        scale = _SCALINGS[self.scaling](window)
        if not scale:
            raise ValueError(
                f"A window of zeros cannot be scaled. Received: window={self.window!r}, "
                f"frame_length={length}. Take a longer frame."
            )
        return (window / scale)[:, None]

    def get_config(self) -> dict[str, Any]:
        """Every argument."""
        return {
            "side": self.side,
            "window": _array_config(self.window),
            "periodic": self.periodic,
            "scaling": self.scaling,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The initializer of a config, also where the window is an array that Keras wrote."""
        return super().from_config({**config, "window": _array_of(config.get("window", "hann"))})


_SCALINGS: dict[str | None, Any] = {
    "density": lambda window: np.sqrt(np.sum(window**2)),
    "spectrum": lambda window: np.sum(np.abs(window)),
    None: lambda window: 1.0,
}

# a0 - a1 cos(x) + a2 cos(2x) - ...: Nuttall (1981), Some windows with very good sidelobe behavior.
_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def _cosine_window(name: str, length: int, periodic: bool) -> np.ndarray:
    steps = length if periodic else length - 1
    if steps < 1 or length == 1:
        return np.ones(length)
    x = 2 * np.pi * np.arange(length) / steps
    terms = [(-1) ** k * a * np.cos(k * x) for k, a in enumerate(_COSINES[name])]
    return np.sum(terms, axis=0)


# Arguments -------------------------------------------------------------------


def _finite(name: str, value: Any) -> Any:
    """The number, as Python's own, so that a config can be written as JSON."""
    number = value.item() if isinstance(value, np.generic) else value
    if not isinstance(number, (int, float)):
        raise TypeError(f"`{name}` must be a number. Received: {name}={value!r}.")
    if not math.isfinite(number):
        raise ValueError(f"`{name}` must be finite. Received: {name}={value!r}.")
    return number


def _one_of(name: str, value: Any, choices: Iterable[Any], way_out: str = "") -> Any:
    if value not in tuple(choices):
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"`{name}` must be one of {listed}. Received: {name}={value!r}.{way_out}")
    return value


def _product(shape: tuple[int, ...], axes: Sequence[int]) -> int:
    try:
        return math.prod(shape[axis] for axis in axes)
    except IndexError:
        raise IndexError(f"No such axis. Received: shape={shape}, axes={tuple(axes)}.") from None


def _seed_of(seed: Any) -> int | SeedGenerator | None:
    """The seed that an argument or a config stands for."""
    if seed is None or isinstance(seed, SeedGenerator):
        return seed
    if isinstance(seed, Mapping) and seed.get("class_name") == "SeedGenerator":
        return SeedGenerator.from_config(seed.get("config", {}))
    if isinstance(seed, int):
        return checked_seed(seed)
    way_out = " Write int(seed)." if isinstance(seed, np.integer) else ""
    raise ValueError(
        "`seed` must be an integer or a `convlab.random.SeedGenerator`. "
        f"Received: seed={seed!r}.{way_out}"
    )


def _array_config(value: Any) -> Any:
    """An array in the form in which Keras writes it; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return {
        "class_name": "__numpy__",
        "config": {"value": value.tolist(), "dtype": value.dtype.name},
    }


def _array_of(value: Any) -> Any:
    """What `_array_config` wrote."""
    if not (isinstance(value, Mapping) and value.get("class_name") == "__numpy__"):
        return value
    try:
        return np.array(value["config"]["value"], dtype=as_dtype(value["config"]["dtype"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'The config of an array has its "value" and "dtype". Received: {value!r} ({error}).'
        ) from None


# Names -----------------------------------------------------------------------

# Keras has each class by these names too.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFTInitializer = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_CLASSES = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, Initializer, LecunNormal,
    LecunUniform, Ones, Orthogonal, RandomNormal, RandomUniform, STFT, TruncatedNormal,
    VarianceScaling, Zeros,
)  # fmt: skip

_ALIASES = {
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "STFTInitializer": STFT,
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
}


class _Initializers(Catalogue):
    def _make(self, found: type, inner: Any) -> Any:
        if found is Constant and inner == {}:
            return Constant.from_config(inner)  # which says that the value is missing
        return super()._make(found, inner)


_catalogue = _Initializers(
    "initializer",
    "keras.initializers",
    {snake_case(c.__name__): c for c in _CLASSES} | {c.__name__: c for c in _CLASSES} | _ALIASES,
)


def get(identifier: Any) -> Any:
    """An initializer from its name, its config, its class, itself or the very values.

    Parameters
    ----------
    identifier : str, dict, class, callable, array or None
        A function takes ``(shape, dtype=None)``. An array must have the weight's shape, which
        is checked at the call.

    Returns
    -------
    callable or None

    Raises
    ------
    ValueError
        For what is none of these, and for a name that Keras does not know.

    Examples
    --------
    >>> get("he_normal")
    HeNormal(seed=None, input_axes=None, output_axes=None)
    >>> get({"class_name": "Constant", "config": {"value": 0.5}})
    Constant(value=0.5)
    >>> get(np.array([1, 2]))((2,))
    array([1., 2.], dtype=float32)
    """
    if isinstance(identifier, (np.ndarray, np.generic, Variable)):
        return _Values(identifier)
    return Constant() if identifier is Constant else _catalogue.get(identifier)


def serialize(initializer: Any) -> Any:
    """The config of an initializer, as Keras writes it.

    Parameters
    ----------
    initializer : Initializer, callable or None

    Returns
    -------
    dict, str or None

    Examples
    --------
    >>> serialize(RandomNormal(stddev=0.1))["config"]
    {'seed': None, 'mean': 0.0, 'stddev': 0.1}
    """
    if isinstance(initializer, _Values):  # a name that both libraries read
        initializer = Constant(initializer.value)
    return _catalogue.serialize(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The initializer of a config.

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
    >>> deserialize(serialize(Orthogonal(gain=2)))
    Orthogonal(seed=None, gain=2)
    """
    with custom_object_scope(custom_objects):
        return get(config)
