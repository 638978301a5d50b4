"""What a trained network holds: the maps inside a model, the kernels of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["kernel_of", "maps_inside"]


def maps_inside(model: Any, image: Any, layer: Any = None) -> list[tuple[str, np.ndarray]]:
    """The feature maps that an image makes in a model, layer by layer.

    Parameters
    ----------
    model : Model
    image : array_like
        One image, with or without the batch axis.
    layer : str, layer, or list of them, optional
        Whose maps; those of all convolutions where None.

    Returns
    -------
    list of (name, array)
        Each array of shape (height, width, channels).

    Raises
    ------
    ValueError
        Where a layer makes no maps, the model has no convolution, or the image does not fit.
    """
    from convlab.models import Model

    found = _layers(model, layer)
    outputs = [one.output for one in found]
    made = Model(model.inputs, outputs)(_batch_of_one(model, image))
    arrays = made if isinstance(made, list) else [made]  # one output comes alone
    return [
        (one.name, _channels_at_end(one, array[0]))
        for one, array in zip(found, arrays, strict=True)
    ]


def _layers(model: Any, wanted: Any) -> list[Any]:
    if wanted is None:
        found = [one for one in model.layers if hasattr(one, "kernel") and _makes_maps(one)]
        if not found:
            names = [one.name for one in model.layers]
            raise ValueError(
                "The model must have a convolution, whose maps can be shown. "
                f"Received: a model with the layers {names}."
            )
        return found
    several = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    found = [model.get_layer(one) if isinstance(one, str) else one for one in several]
    for one in found:
        if not _makes_maps(one):
            raise ValueError(
                "Only a layer whose output is (batch, height, width, channels) makes maps. "
                f"Received: layer={one.name!r} with output {one.output.shape}."
            )
    return found


def _makes_maps(layer: Any) -> bool:
    return len(layer.output.shape) == 4


def _batch_of_one(model: Any, image: Any) -> np.ndarray:
    array = np.asarray(image)
    wanted = len(model.inputs[0].shape)
    array = array[np.newaxis] if array.ndim == wanted - 1 else array
    if array.ndim != wanted or len(array) != 1:
        raise ValueError(
            f"`image` must be one image of shape {model.inputs[0].shape[1:]}. "
            f"Received: image of shape {np.shape(image)}."
        )
    return array


def _channels_at_end(layer: Any, maps: np.ndarray) -> np.ndarray:
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return np.moveaxis(maps, 0, -1) if first else maps


def kernel_of(layer: Any) -> Any:
    """The kernel of a layer that has one; anything else as it is."""
    if not hasattr(layer, "count_params"):
        return layer
    kernel = getattr(layer, "kernel", None)
    if kernel is None or np.ndim(kernel) != 4:
        state = "is not built yet" if not layer.built else "has no kernel of 4 axes"
        raise ValueError(
            "Kernels are shown of a convolution that is built. "
            f"Received: layer {layer.name!r}, which {state}."
        )
    return np.asarray(kernel)
