"""What the layers that sweep a window over images share: channels and output shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from convlab.geometry import Geometry
from convlab.layers.sums import channel_axis

Shape = tuple[int | None, ...]


def swept_shape(
    layer: Any, input_shape: Sequence[int | None], describe: Callable[[tuple[int, ...]], Geometry]
) -> Shape:
    """The output shape of a sweep, where sizes may be unknown.

    Parameters
    ----------
    layer : Layer
        With `data_format`, `groups`, and `filters`: None where channels go their own ways.
    input_shape : sequence of (int or None)
        Four sizes.
    describe : callable
        Gives the `Geometry` for a shape without unknowns.

    Returns
    -------
    tuple of (int or None)
        None wherever the input has None, but for the channels where filters make new ones.
    """
    shape = tuple(input_shape)
    layer.check_input_shape(shape)
    channel = channel_axis(layer.data_format) % 4
    # Any size that fits stands in for an unknown one; what it leads to is then forgotten.
    stand_in = tuple(_LARGE if size is None else size for size in shape)
    if len(shape) == 4 and shape[channel] is None:
        stand_in = (*stand_in[:channel], layer.groups, *stand_in[channel + 1 :])
    try:
        output = list(describe(stand_in).output_shape)
    except ValueError as error:  # which is to show what was given, and no stand-in
        raise ValueError(str(error).replace(str(stand_in), str(shape))) from None
    for axis, size in enumerate(shape):
        if size is None and (axis != channel or layer.filters is None):
            output[axis] = None  # type: ignore[call-overload]
    return tuple(output)


_LARGE = 2**20


def channels_of(layer: Any, input_shape: Sequence[int | None], wanted: int | None = None) -> int:
    """The number of channels of an input, or Keras's error where it is not the wanted one."""
    axis = channel_axis(layer.data_format)
    channels = input_shape[axis]
    if wanted is not None:
        check_axis(layer, input_shape, axis, wanted)
        return wanted
    if channels is None:
        raise TypeError(
            f"The number of channels must be known when {layer.name!r} is built: the shape of "
            f"the kernel follows from it. Received: input shape={tuple(input_shape)}."
        )
    return channels


def check_axis(layer: Any, input_shape: Sequence[int | None], axis: int, wanted: int) -> None:
    """Refuse an input of another size along one axis than the layer was built for."""
    size = input_shape[axis]
    if size is not None and size != wanted:
        layer.refuse_input(
            f"expected axis {axis} of input shape to have value {wanted}",
            f"found {size}",
            input_shape,
        )


def check_channels(layer: Any, input_shape: Sequence[int | None]) -> int:
    """The number of channels, where it can be divided into the layer's groups."""
    if len(input_shape) != 4:
        layer.refuse_input("expected ndim=4", f"found ndim={len(input_shape)}", input_shape)
    channels = channels_of(layer, input_shape)
    if channels % layer.groups:
        raise ValueError(
            "The number of input channels must be evenly divisible by the number of groups. "
            f"Received groups={layer.groups}, but the input has {channels} channels "
            f"(full input shape is {tuple(input_shape)})."
        )
    return channels
