"""The activations that Keras names, each beside its derivative.

Every function takes an array of any shape and returns one of the same dtype (integers become
`config.floatx`), and none of them warns: what overflows becomes infinite, and a NaN stays a
NaN. Each carries its derivative along as an attribute, ``relu.gradient``, which `backward`
calls; an activation of your own learns as soon as it has one too.

At a kink there is no derivative, and one has to be chosen: that of the flat side where a side
is flat (relu at 0, relu6 at 6, hard_tanh at -1), and that of the left side elsewhere
(leaky_relu at 0).
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, cast

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.polynomial.chebyshev import cheb2poly
from numpy.typing import ArrayLike

from convlab import config
from convlab.kernels import is_compiled
from convlab.objects import Catalogue, custom_object_scope

__all__ = [
    "backward",
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]

Axis = int | tuple[int, ...]
P = ParamSpec("P")
_Formula = Callable[Concatenate[np.ndarray, P], np.ndarray]
_Activation = Callable[Concatenate[ArrayLike, P], np.ndarray]


def get(identifier: Any) -> Callable[..., Any]:
    """The activation that a name, a config or a callable stands for.

    Parameters
    ----------
    identifier : str, dict, callable or None
        A name in lower case, as Keras spells it. None stands for `linear`.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        For a name that is not known, and for what is no identifier.

    Examples
    --------
    >>> get("relu") is relu
    True
    >>> get(None) is linear
    True
    """
    return linear if identifier is None else _CATALOGUE.get(identifier)


def serialize(activation: Any) -> Any:
    """The name of an activation, or the config of one that has no name here.

    Parameters
    ----------
    activation : callable

    Returns
    -------
    str or dict
        What a layer's config holds.

    Examples
    --------
    >>> serialize(relu)
    'relu'
    >>> serialize(swish)
    'silu'
    """
    return _CATALOGUE.serialize(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The activation that `serialize` described.

    Parameters
    ----------
    config : str, dict or None
    custom_objects : mapping of str to callable, optional
        Your own activations, by the names that the config uses.

    Returns
    -------
    callable or None

    Examples
    --------
    >>> deserialize("relu") is relu
    True
    >>> def halved(x):
    ...     return x / 2
    >>> deserialize(serialize(halved), {"halved": halved}) is halved
    True
    """
    with custom_object_scope(custom_objects):
        return _CATALOGUE.get(config)


def backward(
    activation: Any, output_gradient: ArrayLike, x: ArrayLike, output: ArrayLike, **arguments: Any
) -> np.ndarray:
    """The gradient with respect to what an activation was given.

    Parameters
    ----------
    activation : callable, str, dict or None
        A function of this module; or your own callable with an attribute
        ``gradient(output_gradient, x, output)``.
    output_gradient : array
        The gradient with respect to the output, in the output's shape.
    x : array
        What the activation was given.
    output : array
        What it returned.
    **arguments
        The further arguments of the activation, when it was given some. A
        `functools.partial` brings its own along.

    Returns
    -------
    numpy.ndarray
        In the shape of ``x``. It may be ``output_gradient`` itself.

    Raises
    ------
    TypeError
        Where the activation has no ``gradient``.
    ValueError
        Where shapes do not fit.

    Examples
    --------
    >>> x = np.array([-2.0, 0.0, 3.0])
    >>> backward(relu, [10.0, 20.0, 30.0], x, relu(x))
    array([ 0.,  0., 30.])

    An activation of your own:

    >>> def square(x):
    ...     return x**2
    >>> square.gradient = lambda output_gradient, x, output: 2 * x * output_gradient
    >>> backward(square, [1.0, 1.0, 1.0], x, square(x))
    array([-4.,  0.,  6.])
    """
    upstream, inputs, outputs = _floats(output_gradient), _floats(x), _floats(output)
    _check_shape("output_gradient", upstream, "output", outputs)
    gradient = np.asarray(_gradient_of(get(activation))(upstream, inputs, outputs, **arguments))
    _check_shape("the result of `gradient`", gradient, "x", inputs)
    return gradient


def _check_shape(name: str, array: np.ndarray, of: str, other: np.ndarray) -> None:
    if array.shape != other.shape:
        quoted = name if " " in name else f"`{name}`"
        raise ValueError(
            f"{quoted} must have the shape of `{of}`. "
            f"Received: shape {array.shape}, and `{of}` of shape {other.shape}."
        )


def _gradient_of(activation: Any) -> Callable[..., Any]:
    if isinstance(activation, functools.partial) and not activation.args:
        return functools.partial(_gradient_of(activation.func), **activation.keywords)
    gradient = getattr(activation, "gradient", None)
    if callable(gradient):
        return gradient
    name = getattr(activation, "__name__", type(activation).__name__)
    raise TypeError(
        "To be trained through, an activation needs a derivative. "
        f"Received: {name}, without an attribute `gradient`. Attach a function: "
        f"{name}.gradient = lambda output_gradient, x, output: ..."
    )


def _differentiable(gradient: Callable[..., np.ndarray]) -> Callable[[_Formula[P]], _Activation[P]]:
    """Give a formula its derivative, float arrays to work on, and silence.

    NumPy would warn of what is meant here: exp(1000) is infinite, and 1 / exp(1000) is zero.
    """

    @functools.wraps(gradient)
    def quiet_gradient(
        output_gradient: ArrayLike, x: ArrayLike, output: ArrayLike, *rest: Any, **named: Any
    ) -> np.ndarray:
        arrays = _floats(output_gradient), _floats(x), _floats(output)
        with np.errstate(all="ignore"):
            return gradient(*arrays, *map(_plain, rest), **_plain_values(named))

    def decorate(formula: _Formula[P]) -> _Activation[P]:
        @functools.wraps(formula)
        def activation(x: ArrayLike, *rest: Any, **named: Any) -> np.ndarray:
            with np.errstate(all="ignore"):
                return formula(_floats(x), *map(_plain, rest), **_plain_values(named))

        activation.gradient = quiet_gradient  # type: ignore[attr-defined]
        return cast("_Activation[P]", activation)

    return decorate


def _floats(value: ArrayLike) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind == "f":
        return array
    if array.dtype.kind in "biu":
        return array.astype(config.floatx())
    raise TypeError(
        f"An activation takes an array of real numbers. Received: an array of {array.dtype}."
    )


def _plain(value: Any) -> Any:
    # A NumPy scalar would impose its dtype on the result; a Python number does not.
    return value.item() if isinstance(value, np.generic) else value


def _plain_values(named: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in named.items()}


def _linear_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g


@_differentiable(_linear_gradient)
def linear(x: np.ndarray) -> np.ndarray:
    """What it is given: ``x``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray
        ``x`` itself where it is an array of floats.

    Examples
    --------
    >>> linear([-1.0, 2.0])
    array([-1.,  2.])
    """
    return x


def _relu_gradient(
    g: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> np.ndarray:
    if negative_slope == 0 and max_value is None and threshold == 0:
        if is_compiled(g.size, g, y):
            from convlab.kernels.parallel import rectified_gradient  # brings Numba

            return rectified_gradient(g, y)
        return np.multiply(g, y > 0)  # ten times as fast as np.where on random signs
    rises = x > threshold
    if max_value is not None:
        rises = rises & (x > 0) & (x < max_value)
    passed = np.multiply(g, rises)
    return np.where(x > threshold, passed, negative_slope * g) if negative_slope else passed


@_differentiable(_relu_gradient)
def relu(
    x: np.ndarray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> np.ndarray:
    """The rectified linear unit: what is negative becomes 0.

    Parameters
    ----------
    x : array
    negative_slope : float, default 0.0
        Slope below the threshold.
    max_value : float, optional
        Largest value of the result.
    threshold : float, default 0.0
        Numbers up to here become ``negative_slope * (x - threshold)``.

    Returns
    -------
    numpy.ndarray

    Notes
    -----
    The derivative at the threshold is ``negative_slope``, and at ``max_value`` it is 0.

    Examples
    --------
    >>> relu([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    >>> relu([-2.0, 0.0, 3.0], negative_slope=0.5, max_value=2.0)
    array([-1.,  0.,  2.])
    """
    if max_value is None and threshold == 0:
        return _leaky(x, negative_slope)
    kept = np.maximum(x, 0) if threshold == 0 else np.where(x <= threshold, 0, x)
    if max_value is not None:
        kept = np.clip(kept, 0, max_value)
    return kept - negative_slope * np.maximum(threshold - x, 0) if negative_slope else kept


def _leaky(x: np.ndarray, slope: float) -> np.ndarray:
    if slope == 0:
        return np.maximum(x, 0)
    if 0 < slope <= 1:  # the larger of two lines: no branch, and so much faster
        return np.maximum(x, slope * x)
    return np.where(x >= 0, x, slope * x)


def _leaky_relu_gradient(
    g: np.ndarray, x: np.ndarray, y: np.ndarray, negative_slope: float = 0.2
) -> np.ndarray:
    if 0 <= negative_slope <= 1:
        slopes = np.maximum(x > 0, negative_slope, dtype=x.dtype)
        return np.multiply(g, slopes)
    return np.where(x > 0, g, negative_slope * g)


@_differentiable(_leaky_relu_gradient)
def leaky_relu(x: np.ndarray, negative_slope: float = 0.2) -> np.ndarray:
    """A rectifier that lets a part of the negative through.

    Parameters
    ----------
    x : array
    negative_slope : float, default 0.2
        Slope below 0, and the derivative at 0.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> leaky_relu([-2.0, 0.0, 3.0])
    array([-0.4,  0. ,  3. ])
    """
    return _leaky(x, negative_slope)


def _relu6_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.multiply(g, (y > 0) & (y < 6))


@_differentiable(_relu6_gradient)
def relu6(x: np.ndarray) -> np.ndarray:
    """The rectifier that stops at 6.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> relu6([-2.0, 3.0, 9.0])
    array([0., 3., 6.])
    """
    return np.clip(x, 0, 6)


def _elu_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    slope = alpha * np.exp(np.minimum(x, 0))
    return g * (slope if alpha == 1 else np.where(x > 0, 1, slope))


@_differentiable(_elu_gradient)
def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """The exponential linear unit: ``x`` above 0, ``alpha * (exp(x) - 1)`` below.

    Parameters
    ----------
    x : array
    alpha : float, default 1.0
        The result never falls to ``-alpha``; it is also the derivative at 0.

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Clevert, Unterthiner, Hochreiter (2016), https://arxiv.org/abs/1511.07289.

    Examples
    --------
    >>> elu([-2.0, 0.0, 3.0]).round(3)
    array([-0.865,  0.   ,  3.   ])
    """
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _selu_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _SELU_SCALE * _elu_gradient(g, x, y, _SELU_ALPHA)


@_differentiable(_selu_gradient)
def selu(x: np.ndarray) -> np.ndarray:
    """The scaled `elu` that keeps mean 0 and variance 1 from layer to layer.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Klambauer et al. (2017), https://arxiv.org/abs/1706.02515: both constants.

    Examples
    --------
    >>> selu([-2.0, 0.0, 3.0]).round(3)
    array([-1.52 ,  0.   ,  3.152])
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def _celu_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return g * np.exp(np.minimum(x, 0) / alpha)


@_differentiable(_celu_gradient)
def celu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """An `elu` whose derivative has no jump: ``alpha * (exp(x / alpha) - 1)`` below 0.

    Parameters
    ----------
    x : array
    alpha : float, default 1.0
        The result never falls to ``-alpha``.

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Barron (2017), https://arxiv.org/abs/1704.07483.

    Examples
    --------
    >>> celu([-2.0, 0.0, 3.0], alpha=2.0).round(3)
    array([-1.264,  0.   ,  3.   ])
    """
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)


def _gelu_gradient(
    g: np.ndarray, x: np.ndarray, y: np.ndarray, approximate: bool = False
) -> np.ndarray:
    if approximate:
        return g * _tanh_gelu_slope(x)
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return g * (_normal_cdf(x) + x * density)


@_differentiable(_gelu_gradient)
def gelu(x: np.ndarray, approximate: bool = False) -> np.ndarray:
    """The Gaussian error linear unit: ``x`` times the chance that a normal number is below it.

    Parameters
    ----------
    x : array
    approximate : bool, default False
        The chance by a formula with tanh, rather than exactly.

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Hendrycks, Gimpel (2016), https://arxiv.org/abs/1606.08415.

    Examples
    --------
    >>> gelu([-2.0, 0.0, 3.0]).round(4)
    array([-0.0455,  0.    ,  2.996 ])
    >>> gelu([-2.0, 0.0, 3.0], approximate=True).round(4)
    array([-0.0454,  0.    ,  2.9964])
    """
    return x * (_tanh_cdf(x) if approximate else _normal_cdf(x))


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    return 0.5 * _erfc(-math.sqrt(0.5) * x)


def _tanh_cdf(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _tanh_gelu_slope(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, -30, 30)  # the slope has long been 0 or 1, and further out is 0 * inf
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    cdf = _tanh_cdf(x)
    return cdf + 2 * x * cdf * (1 - cdf) * inner


# Chebyshev coefficients of (1 + 2z) exp(z^2) erfc(z) in t = (z - 3.75) / (z + 3.75), z >= 0:
# the form of Shepherd and Laframboise (1981), Mathematics of Computation 36, 249-253. Worked
# out anew in arithmetic of 60 digits; the first one left out is 2e-18, or 5e-9 after 13.
_ERFC = np.array([
    1.1775789345674017541, -0.0045900545806464773309, -0.084249133366517915584,
    0.059209939998191890498, -0.026658668435305752277, 0.0090749976707052650939,
    -0.0024131635404176081909, 0.00049077583652580863229, -0.000069169733025012063671,
    4.1390279860730101675e-6, 7.7403830661984906686e-7, -2.1886401049234395661e-7,
    1.0764999465670910377e-8, 4.5219598112182868979e-9, -7.7544002088313511065e-10,
    -6.3180883408866844944e-11, 2.8687950109306698981e-11, 1.945586854577734723e-13,
    -9.6546967484334389059e-13, 3.2525481481487398416e-14, 3.3478119482868053878e-14,
    -1.8645628804193131014e-15, -1.2507950530688647084e-15, 7.4182352566240434731e-17,
    5.0681489047961113269e-17,
])  # fmt: skip


_ERFC_SHORT, _ERFC_FULL = cheb2poly(_ERFC[:13]), cheb2poly(_ERFC)


_BLOCK = 16384  # numbers whose intermediate results stay in a core's cache


def _erfc(x: np.ndarray) -> np.ndarray:
    """1 - erf(x), to the precision of its dtype, also where it is tiny."""
    flat = x.reshape(-1)
    result = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        result[block] = _erfc_block(flat[block])
    return result.reshape(x.shape)


def _erfc_block(x: np.ndarray) -> np.ndarray:
    z = np.minimum(np.abs(x), 30).astype(np.float64)  # erfc(30) is 0
    t = (z - 3.75) / (z + 3.75)
    upper = _polynomial(_ERFC_SHORT if x.dtype.itemsize <= 4 else _ERFC_FULL, t)
    upper *= np.exp(-z * z)
    upper /= 1 + 2 * z
    return np.abs(2 * (x < 0) - upper)  # erfc(-z) is 2 - erfc(z)


def _polynomial(coefficients: np.ndarray, t: np.ndarray) -> np.ndarray:
    value = np.full_like(t, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value *= t
        value += coefficient
    return value


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _sigmoid_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * y * (1 - y)


@_differentiable(_sigmoid_gradient)
def sigmoid(x: np.ndarray) -> np.ndarray:
    """From all numbers to those between 0 and 1: ``1 / (1 + exp(-x))``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> sigmoid([-1000.0, 0.0, 2.0]).round(3)
    array([0.   , 0.5  , 0.881])
    """
    return _sigmoid(x)


def _silu_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    chance = _sigmoid(x)
    return g * chance * (1 + x * (1 - chance))


@_differentiable(_silu_gradient)
def silu(x: np.ndarray) -> np.ndarray:
    """A smooth rectifier, ``x * sigmoid(x)``, also called swish.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Ramachandran, Zoph, Le (2017), https://arxiv.org/abs/1710.05941.

    Examples
    --------
    >>> silu([-2.0, 0.0, 3.0]).round(3)
    array([-0.238,  0.   ,  2.858])
    """
    return x * _sigmoid(x)


swish = silu


def _mish_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    gate = np.tanh(_softplus(x))
    return g * (gate + x * (1 - gate * gate) * _sigmoid(x))


@_differentiable(_mish_gradient)
def mish(x: np.ndarray) -> np.ndarray:
    """A smooth rectifier: ``x * tanh(softplus(x))``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Misra (2019), https://arxiv.org/abs/1908.08681.

    Examples
    --------
    >>> mish([-2.0, 0.0, 3.0]).round(3)
    array([-0.253,  0.   ,  2.987])
    """
    return x * np.tanh(_softplus(x))


def _softplus(x: np.ndarray) -> np.ndarray:
    # log(1 + exp(x)) as it stands is infinite from x = 89 on in float32.
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _softplus_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * _sigmoid(x)


@_differentiable(_softplus_gradient)
def softplus(x: np.ndarray) -> np.ndarray:
    """A smooth rectifier that is never 0: ``log(1 + exp(x))``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> softplus([-2.0, 0.0, 1000.0]).round(3)
    array([1.27e-01, 6.93e-01, 1.00e+03])
    """
    return _softplus(x)


def _log_sigmoid_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * _sigmoid(-x)


@_differentiable(_log_sigmoid_gradient)
def log_sigmoid(x: np.ndarray) -> np.ndarray:
    """The logarithm of `sigmoid`, which stays finite where the sigmoid rounds to 0.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> log_sigmoid([-1000.0, 0.0]).round(3)
    array([-1.00e+03, -6.93e-01])
    """
    return -_softplus(-x)


def _softsign_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g / (1 + np.abs(x)) ** 2


@_differentiable(_softsign_gradient)
def softsign(x: np.ndarray) -> np.ndarray:
    """From all numbers to those between -1 and 1: ``x / (1 + abs(x))``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> softsign([-3.0, 0.0, 1.0])
    array([-0.75,  0.  ,  0.5 ])
    """
    return x / (1 + np.abs(x))


def _tanh_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * (1 - y * y)


@_differentiable(_tanh_gradient)
def tanh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent, from all numbers to those between -1 and 1.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> tanh([-1000.0, 0.0, 1.0]).round(3)
    array([-1.   ,  0.   ,  0.762])
    """
    return np.tanh(x)


def _tanh_shrink_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * np.tanh(x) ** 2


@_differentiable(_tanh_shrink_gradient)
def tanh_shrink(x: np.ndarray) -> np.ndarray:
    """What the hyperbolic tangent leaves: ``x - tanh(x)``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> tanh_shrink([-1.0, 0.0, 3.0]).round(3)
    array([-0.238,  0.   ,  2.005])
    """
    return x - np.tanh(x)


def _exponential_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * y


@_differentiable(_exponential_gradient)
def exponential(x: np.ndarray) -> np.ndarray:
    """The exponential function, ``exp(x)``.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> exponential([-1.0, 0.0, 1.0]).round(3)
    array([0.368, 1.   , 2.718])
    """
    return np.exp(x)


def _hard_sigmoid_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.multiply(g, np.abs(x) < 3) / 6


@_differentiable(_hard_sigmoid_gradient)
def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    """A `sigmoid` of three straight pieces: ``x / 6 + 1 / 2`` between -3 and 3.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> hard_sigmoid([-5.0, 0.0, 1.5])
    array([0.  , 0.5 , 0.75])
    """
    return np.clip(x + 3, 0, 6) / 6


def _hard_silu_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slope = np.where(x <= -3, 0, np.where(x > 3, 1, (2 * x + 3) / 6))
    return g * slope


@_differentiable(_hard_silu_gradient)
def hard_silu(x: np.ndarray) -> np.ndarray:
    """A `silu` without exponentials, ``x * hard_sigmoid(x)``, also called hard swish.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Howard et al. (2019), https://arxiv.org/abs/1905.02244.

    Examples
    --------
    >>> hard_silu([-1.5, 0.0, 1.5, 4.0])
    array([-0.375,  0.   ,  1.125,  4.   ])
    """
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def _hard_tanh_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.multiply(g, np.abs(x) < 1)


@_differentiable(_hard_tanh_gradient)
def hard_tanh(x: np.ndarray) -> np.ndarray:
    """A `tanh` of three straight pieces: ``x``, kept between -1 and 1.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> hard_tanh([-5.0, 0.25, 5.0])
    array([-1.  ,  0.25,  1.  ])
    """
    return np.clip(x, -1, 1)


def _hard_shrink_gradient(
    g: np.ndarray, x: np.ndarray, y: np.ndarray, threshold: float = 0.5
) -> np.ndarray:
    return np.multiply(g, np.abs(x) > threshold)


@_differentiable(_hard_shrink_gradient)
def hard_shrink(x: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Small numbers become 0, others stay.

    Parameters
    ----------
    x : array
    threshold : float, default 0.5
        Numbers up to this size become 0.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> hard_shrink([-2.0, 0.5, 0.75])
    array([-2.  ,  0.  ,  0.75])
    """
    return np.where(np.abs(x) <= threshold, 0, x)


@_differentiable(_hard_shrink_gradient)
def soft_shrink(x: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """All numbers move towards 0 by the threshold, and stop there.

    Parameters
    ----------
    x : array
    threshold : float, default 0.5

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> soft_shrink([-2.0, 0.5, 0.75])
    array([-1.5 ,  0.  ,  0.25])
    """
    return x - np.clip(x, -threshold, threshold)


def _threshold_gradient(
    g: np.ndarray, x: np.ndarray, y: np.ndarray, threshold: float, default_value: float
) -> np.ndarray:
    return np.multiply(g, x > threshold)


@_differentiable(_threshold_gradient)
def threshold(x: np.ndarray, threshold: float, default_value: float) -> np.ndarray:
    """What is above the threshold stays; the rest becomes one value.

    Parameters
    ----------
    x : array
    threshold : float
    default_value : float

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> threshold([-2.0, 1.0, 3.0], threshold=1.0, default_value=-7.0)
    array([-7., -7.,  3.])
    """
    return np.where(x <= threshold, default_value, x)


def _squareplus_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, b: float = 4) -> np.ndarray:
    return g * y / np.hypot(x, math.sqrt(b))


@_differentiable(_squareplus_gradient)
def squareplus(x: np.ndarray, b: float = 4) -> np.ndarray:
    """A smooth rectifier without exponentials: ``(x + sqrt(x**2 + b)) / 2``.

    Parameters
    ----------
    x : array
    b : float, default 4
        How smooth: not negative. With 0 it is `relu`.

    Returns
    -------
    numpy.ndarray

    Notes
    -----
    Below 0 the sum cancels, so the same number is taken from ``b / 2 / (sqrt(x**2 + b) - x)``.

    References
    ----------
    Barron (2021), https://arxiv.org/abs/2112.11687.

    Examples
    --------
    >>> squareplus([-1.5, 0.0, 1.5])
    array([0.5, 1. , 2. ])
    """
    if b < 0:
        raise ValueError(f"`b` must not be negative. Received: b={b}.")
    root = np.hypot(x, math.sqrt(b))
    return np.where(x < 0, b / 2 / (root - x), (x + root) / 2)


def _sparse_plus_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return g * np.clip((x + 1) / 2, 0, 1)


@_differentiable(_sparse_plus_gradient)
def sparse_plus(x: np.ndarray) -> np.ndarray:
    """A smooth rectifier that reaches 0: a parabola, ``(x + 1)**2 / 4``, from -1 to 1.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> sparse_plus([-2.0, 0.0, 3.0])
    array([0.  , 0.25, 3.  ])
    """
    return np.where(x >= 1, x, np.maximum(x + 1, 0) ** 2 / 4)


def _sparse_sigmoid_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.multiply(g, np.abs(x) < 1) / 2


@_differentiable(_sparse_sigmoid_gradient)
def sparse_sigmoid(x: np.ndarray) -> np.ndarray:
    """The derivative of `sparse_plus`: ``(x + 1) / 2``, kept between 0 and 1.

    Parameters
    ----------
    x : array

    Returns
    -------
    numpy.ndarray

    References
    ----------
    Blondel, Martins, Niculae (2019), https://arxiv.org/abs/1901.02324.

    Examples
    --------
    >>> sparse_sigmoid([-2.0, 0.0, 0.5])
    array([0.  , 0.5 , 0.75])
    """
    return np.clip(x + 1, 0, 2) / 2


def _glu_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    values, gates = np.split(x, 2, axis)
    gate = _sigmoid(gates)
    return np.concatenate([g * gate, g * values * gate * (1 - gate)], axis)


@_differentiable(_glu_gradient)
def glu(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """The gated linear unit: the first half, times the `sigmoid` of the second.

    Parameters
    ----------
    x : array
        Even in size along ``axis``.
    axis : int, default -1

    Returns
    -------
    numpy.ndarray
        Half as large as ``x`` along ``axis``.

    Raises
    ------
    ValueError
        Where the size is odd.

    References
    ----------
    Dauphin et al. (2017), https://arxiv.org/abs/1612.08083.

    Examples
    --------
    >>> glu([3.0, 4.0, 0.0, 1000.0])
    array([1.5, 4. ])
    """
    if x.shape[normalize_axis_index(axis, x.ndim)] % 2:
        raise ValueError(
            f"`glu` splits an axis in two halves: its size must be even. "
            f"Received: axis={axis}, and x of shape {x.shape}."
        )
    values, gates = np.split(x, 2, axis)
    return values * _sigmoid(gates)


def _softmax_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, axis: Axis = -1) -> np.ndarray:
    weighted = g * y
    return weighted - y * weighted.sum(axis, keepdims=True)


@_differentiable(_softmax_gradient)
def softmax(x: np.ndarray, axis: Axis = -1) -> np.ndarray:
    """Positive numbers that sum to 1: ``exp(x) / sum(exp(x))`` along an axis.

    Parameters
    ----------
    x : array
        Of at least one axis.
    axis : int or tuple of int, default -1
        Several axes together hold one distribution.

    Returns
    -------
    numpy.ndarray

    Warns
    -----
    UserWarning
        Where the axis has size 1, so that every result is 1.

    Examples
    --------
    >>> softmax([0.0, 0.0, 1000.0])
    array([0., 0., 1.])
    >>> softmax([[1.0, 2.0], [1.0, 4.0]], axis=0).round(3)
    array([[0.5  , 0.119],
           [0.5  , 0.881]])
    """
    axes = normalize_axis_tuple(axis, x.ndim)
    if math.prod(x.shape[one] for one in axes) == 1:
        warnings.warn(
            f"A softmax over an axis of size 1 is always 1. Received: axis={axis}, and x of "
            f"shape {x.shape}. For one output, use sigmoid.",
            stacklevel=3,
        )
    powers = _below_largest(x, axes)
    np.exp(powers, out=powers)
    powers /= powers.sum(axes, keepdims=True)
    return powers


def _below_largest(x: np.ndarray, axis: Axis) -> np.ndarray:
    # Adding a number to all changes no softmax; with 0 as the largest, no power overflows.
    return x - x.max(axis, keepdims=True, initial=-np.inf)


def _log_softmax_gradient(
    g: np.ndarray, x: np.ndarray, y: np.ndarray, axis: Axis = -1
) -> np.ndarray:
    return g - np.exp(y) * g.sum(axis, keepdims=True)


@_differentiable(_log_softmax_gradient)
def log_softmax(x: np.ndarray, axis: Axis = -1) -> np.ndarray:
    """The logarithm of `softmax`, which stays finite where the softmax rounds to 0.

    Parameters
    ----------
    x : array
        Of at least one axis.
    axis : int or tuple of int, default -1

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> log_softmax([0.0, 1000.0])
    array([-1000.,     0.])
    """
    axes = normalize_axis_tuple(axis, x.ndim)
    shifted = _below_largest(x, axes)
    return shifted - np.log(np.exp(shifted).sum(axes, keepdims=True))


def _sparsemax_gradient(g: np.ndarray, x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    support = y > 0
    passed = np.multiply(g, support)
    mean = passed.sum(axis, keepdims=True) / support.sum(axis, keepdims=True, dtype=g.dtype)
    return np.multiply(passed - mean, support)


@_differentiable(_sparsemax_gradient)
def sparsemax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """The point of the probability simplex that is nearest to ``x``; many entries are 0.

    Parameters
    ----------
    x : array
        Of at least one axis.
    axis : int, default -1

    Returns
    -------
    numpy.ndarray

    Notes
    -----
    The result is ``max(x - tau, 0)``, with the ``tau`` that makes it sum to 1. Keras 3.15
    takes another ``tau`` wherever more than one entry stays positive, and its result does
    not sum to 1 there.

    References
    ----------
    Martins, Astudillo (2016), https://arxiv.org/abs/1602.02068, algorithm 1.

    Examples
    --------
    >>> sparsemax([1.0, 0.75, -2.0])
    array([0.625, 0.375, 0.   ])
    """
    shifted = np.moveaxis(_below_largest(x, normalize_axis_index(axis, x.ndim)), axis, -1)
    falling = -np.sort(-shifted, axis=-1)
    sums = falling.cumsum(-1)
    counts = np.arange(1, falling.shape[-1] + 1, dtype=x.dtype)
    support = 1 + counts * falling > sums
    return np.moveaxis(np.maximum(shifted - _simplex_shift(sums, support), 0), -1, axis)


def _simplex_shift(sums: np.ndarray, support: np.ndarray) -> np.ndarray:
    if not support.size:
        return sums
    size = support.sum(-1, keepdims=True)  # 0 in a row that holds a NaN, whose sums are NaN
    return (np.take_along_axis(sums, size - 1, -1) - 1) / size.astype(sums.dtype)


_FUNCTIONS = (
    relu, leaky_relu, relu6, softmax, celu, elu, selu, softplus, softsign, squareplus,
    soft_shrink, sparse_plus, silu, gelu, glu, tanh, tanh_shrink, threshold, sigmoid,
    sparse_sigmoid, exponential, hard_sigmoid, hard_silu, hard_tanh, hard_shrink, linear, mish,
    log_softmax, log_sigmoid, sparsemax,
)  # fmt: skip
_CATALOGUE = Catalogue(
    "activation function",
    "keras.activations",
    {f.__name__: f for f in _FUNCTIONS} | {"swish": silu, "hard_swish": hard_silu},
)
