"""From configs to layers and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convlab.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from convlab.layers.base import Layer
from convlab.layers.batch_normalization import BatchNormalization
from convlab.layers.conv2d import Conv2D
from convlab.layers.dense import Dense
from convlab.layers.depthwise_conv2d import DepthwiseConv2D
from convlab.layers.dropout import Dropout
from convlab.layers.flatten import Flatten
from convlab.layers.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from convlab.layers.input import InputLayer
from convlab.layers.merging import Add, Average, Concatenate, Multiply, Subtract
from convlab.layers.pooling import AveragePooling2D, MaxPooling2D
from convlab.objects import Catalogue, config_of, custom_object_scope

__all__ = ["deserialize", "serialize"]

_LAYERS = (
    Activation, Add, Average, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense,
    DepthwiseConv2D, Dropout, ELU, Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D,
    InputLayer, LeakyReLU, MaxPooling2D, Multiply, PReLU, ReLU, Softmax, Subtract,
)  # fmt: skip
CATALOGUE = Catalogue("layer", "keras.layers", {layer.__name__: layer for layer in _LAYERS})


def serialize(layer: Layer) -> dict[str, Any]:
    """The config of a layer: its class and its arguments, in the form that Keras writes.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    dict
        JSON alone. A class that is not of this package is named by its own module, and needs
        `custom_objects` to be made again.

    Raises
    ------
    ValueError
        For what is no layer.

    Examples
    --------
    >>> config = serialize(Dense(10, name="digits"))
    >>> config["class_name"], config["config"]["units"]
    ('Dense', 10)
    """
    if not isinstance(layer, Layer):
        raise ValueError(f"Only a layer has a layer's config. Received: {layer!r}.")
    kind = type(layer)
    if CATALOGUE.entries.get(kind.__name__) is kind:
        return config_of(layer, CATALOGUE.module)
    return {**config_of(layer, kind.__module__), "registered_name": kind.__name__}


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer that `serialize` described, without its weights.

    Parameters
    ----------
    config : mapping
        With "class_name" and "config".
    custom_objects : mapping of str to class, optional
        Layers, activations and initializers of your own, by the names that the config uses.

    Returns
    -------
    Layer

    Raises
    ------
    ValueError
        For what is no config of a layer.
    TypeError
        For a class that is not known, and for arguments that its constructor refuses.

    Examples
    --------
    >>> deserialize(serialize(Dense(10, name="digits")))
    <Dense name=digits, built=False>
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise ValueError(
            f'A config of a layer is a dict with "class_name" and "config". Received: {config!r}.'
        )
    with custom_object_scope(custom_objects):
        layer = _class(config)
        return layer.from_config(dict(config.get("config") or {}))


def _class(config: Mapping[str, Any]) -> Any:
    name = config["class_name"]
    try:
        found = CATALOGUE.find(name)
    except ValueError as error:
        raise TypeError(
            f"Could not locate class {name!r}. {error} A layer of your own is handed over as "
            f"custom_objects={{{name!r}: {name}}}."
        ) from None
    if not (isinstance(found, type) and issubclass(found, Layer)):
        raise TypeError(f"{name!r} must be a class of layers. Received: {found!r}.")
    return found
