"""What each layer makes of a shape: one short function per layer, all asking the geometry."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass

from convlab.explanation.calls import LayerCall
from convlab.geometry import (
    Geometry,
    as_data_format,
    as_pair,
    as_size,
    check_strides_with_dilation,
)

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """What one layer does to a shape.

    Attributes
    ----------
    output_shape : tuple of int
    geometry : Geometry or None
        The window sweep; None where no window moves.
    kernel_shape : tuple of int or None
        As Keras has it; None where the layer learns nothing.
    biases : int
    multiply_adds : int
    sees_everything : bool
        Whether each output depends on the whole map that came in.
    flattened : Geometry or None
        A 1x1 sweep over a map that was flattened: no window moves, but its size stays known.
    """

    output_shape: Shape
    geometry: Geometry | None = None
    kernel_shape: Shape | None = None
    biases: int = 0
    multiply_adds: int = 0
    sees_everything: bool = False
    flattened: Geometry | None = None

    @property
    def parameters(self) -> int:
        """Numbers to learn."""
        return math.prod(self.kernel_shape) + self.biases if self.kernel_shape else 0


def step(call: LayerCall, shape: Shape) -> Step:
    """Apply a layer call to a shape.

    Examples
    --------
    >>> from convlab.explanation.calls import read_layers
    >>> step(*read_layers("Conv2D(32, 3)"), shape=(1, 28, 28, 1)).output_shape
    (1, 26, 26, 32)
    """
    rule = RULES[call.name]
    used = [name for name in size_arguments(call.name) if name in call.arguments]
    return rule(shape, **{name: call.value(name) for name in used})


def size_arguments(layer: str) -> tuple[str, ...]:
    """Names of the arguments that a layer's sizes depend on."""
    return tuple(inspect.signature(RULES[layer]).parameters)[1:]


def takes_maps_only(layer: str) -> bool:
    """Whether a layer's input must have a height and a width."""
    return layer != "Flatten" and "data_format" in size_arguments(layer)


def _conv2d(
    shape: Shape,
    filters: object,
    kernel_size: object,
    strides: object = 1,
    padding: object = "valid",
    data_format: object = None,
    dilation_rate: object = 1,
    groups: object = 1,
    use_bias: object = True,
) -> Step:
    kernel, filters = as_pair("kernel_size", kernel_size), as_size("filters", filters)
    steps, rates = as_pair("strides", strides), as_pair("dilation_rate", dilation_rate)
    groups = as_size("groups", groups)
    check_strides_with_dilation(steps, rates)
    geometry = Geometry.conv2d(
        shape,
        (*kernel, max(_channels(shape, data_format) // groups, 1), filters),
        strides=steps,
        padding=padding,
        data_format=data_format,
        dilation_rate=rates,
        groups=groups,
    )
    return _weighted(geometry, geometry.kernel_shape, use_bias)


def _depthwise_conv2d(
    shape: Shape,
    kernel_size: object,
    strides: object = 1,
    padding: object = "valid",
    depth_multiplier: object = 1,
    data_format: object = None,
    dilation_rate: object = 1,
    use_bias: object = True,
) -> Step:
    channels, multiplier = (
        _channels(shape, data_format),
        as_size("depth_multiplier", depth_multiplier),
    )
    kernel = as_pair("kernel_size", kernel_size)
    geometry = Geometry.conv2d(
        shape,
        (*kernel, 1, channels * multiplier),
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        groups=channels,
    )
    return _weighted(geometry, (*kernel, channels, multiplier), use_bias)


def _weighted(geometry: Geometry, kernel_shape: Shape, use_bias: object) -> Step:
    biases = geometry.filters if use_bias else 0
    return Step(geometry.output_shape, geometry, kernel_shape, biases, geometry.multiply_adds)


def _pooling2d(
    shape: Shape,
    pool_size: object = 2,
    strides: object = None,
    padding: object = "valid",
    data_format: object = None,
) -> Step:
    geometry = Geometry.pool2d(
        shape, pool_size, strides=strides, padding=padding, data_format=data_format
    )
    return Step(geometry.output_shape, geometry)


def _global_pooling2d(shape: Shape, data_format: object = None, keepdims: object = False) -> Step:
    size = Geometry.pool2d(shape, 1, data_format=data_format).input_size
    geometry = Geometry.pool2d(shape, size, data_format=data_format)
    pooled = geometry.output_shape if keepdims else (geometry.batch, geometry.channels)
    return Step(pooled, geometry)


def _flatten(shape: Shape, data_format: object = None) -> Step:
    is_map = len(shape) == 4
    seen = Geometry.pool2d(shape, 1, data_format=data_format) if is_map else None
    return Step((shape[0], math.prod(shape[1:])), flattened=seen)


def _dense(shape: Shape, units: object, use_bias: object = True) -> Step:
    units = as_size("units", units)
    places = math.prod(shape[:-1])
    return Step(
        (*shape[:-1], units),
        kernel_shape=(shape[-1], units),
        biases=units if use_bias else 0,
        multiply_adds=places * shape[-1] * units,
        sees_everything=len(shape) == 2,
    )


def _unchanged(shape: Shape) -> Step:
    return Step(shape)


def _channels(shape: Shape, data_format: object) -> int:
    return shape[1 if as_data_format(data_format) == "channels_first" else -1]


RULES: dict[str, Callable[..., Step]] = {
    "Conv2D": _conv2d,
    "DepthwiseConv2D": _depthwise_conv2d,
    "MaxPooling2D": _pooling2d,
    "AveragePooling2D": _pooling2d,
    "GlobalMaxPooling2D": _global_pooling2d,
    "GlobalAveragePooling2D": _global_pooling2d,
    "Flatten": _flatten,
    "Dense": _dense,
    "Activation": _unchanged,
    "Dropout": _unchanged,
}
