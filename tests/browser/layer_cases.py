"""Layers over all parameters, drawn by chance, and what convlab makes of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab import Geometry, conv2d

COUNT = 700


def options(rng: np.random.Generator) -> dict[str, Any]:
    """Draw one layer; about one in six is refused."""

    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    groups = whole(1, 3) if rng.random() < 0.5 else 1
    divides = rng.random() < 0.85
    both = rng.random() < 0.1
    steps = rng.random() < 0.5
    return {
        "height": whole(1, 12),
        "width": whole(1, 12),
        "channels": min(groups * whole(1, 2), 4) if divides else whole(1, 4),
        "filters": min(groups * whole(1, 2), 4) if divides else whole(1, 4),
        "kernel_size": [whole(1, 4), whole(1, 4)],
        "strides": [whole(1, 4), whole(1, 4)] if steps or both else [1, 1],
        "padding": ["valid", "same"][whole(0, 1)],
        "dilation_rate": [whole(1, 3), whole(1, 3)] if not steps or both else [1, 1],
        "groups": groups,
        "use_bias": bool(rng.random() < 0.5),
        "data_format": ["channels_last", "channels_first"][whole(0, 1)],
    }


def drawn(count: int = COUNT, seed: int = 5) -> list[dict[str, Any]]:
    """Cases: options, integer numbers, and the answers of convlab (None for a refused layer)."""
    rng = np.random.default_rng(seed)
    return [case(options(rng), rng) for _ in range(count)]


def case(layer: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """One layer with its numbers, in the order of the explorer, and with its answer."""
    slices = max(1, layer["channels"] // layer["groups"])
    x = rng.integers(-9, 10, (layer["channels"], layer["height"], layer["width"]))
    kernel = rng.integers(-9, 10, (layer["filters"], slices, *layer["kernel_size"]))
    bias = rng.integers(-9, 10, layer["filters"])
    return {
        "state": layer,
        "x": x.ravel().tolist(),
        "kernel": kernel.ravel().tolist(),
        "bias": bias.tolist(),
        "answer": answer(layer, x, kernel, bias),
    }


def answer(
    layer: dict[str, Any], x: np.ndarray, kernel: np.ndarray, bias: np.ndarray
) -> dict[str, Any] | None:
    """What convlab computes; None where it refuses."""
    last = layer["data_format"] == "channels_last"
    image = (np.moveaxis(x, 0, -1) if last else x)[np.newaxis]
    weights = kernel.transpose(2, 3, 1, 0)
    names = ("strides", "padding", "dilation_rate", "groups", "data_format")
    rest = {name: layer[name] for name in names}
    try:
        geometry = Geometry.conv2d(image.shape, weights.shape, **rest)
    except ValueError:
        return None
    y = conv2d(image, weights, bias if layer["use_bias"] else None, **rest)
    maps = np.moveaxis(y[0], -1, 0) if last else y[0]
    return {
        "pads": list(geometry.pads),
        "inputShape": list(geometry.input_shape),
        "kernelShape": list(geometry.kernel_shape),
        "outputShape": list(geometry.output_shape),
        "reads": [list(geometry.row_reads), list(geometry.column_reads)],
        "unread": geometry.unread_pixels,
        "parameters": geometry.parameters(layer["use_bias"]),
        "multiplyAdds": geometry.multiply_adds,
        "window": [list(places) for places in geometry.window(0, 0)],
        "output": maps.ravel().tolist(),
    }
