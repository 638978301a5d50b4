"""Photos and feature maps: arrays that are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .colours import FAINT
from .kernels import as_matrix, small_kernel
from .layout import SMALL, Block, above, beside, flow, labelled, per_item, text_block
from .networks import maps_inside
from .picture import Picture, together
from .scale import Box, Scale, image_block, photo_scale, scale_bar, shared_scale

__all__ = ["feature_maps", "images"]

GAP = 0.16


def images(
    images: Sequence[Any],
    titles: Sequence[str | None] | None = None,
    captions: Sequence[str | None] | None = None,
    *,
    kernels: Sequence[Any] | None = None,
    columns: int | None = None,
    signed: bool | Sequence[bool | None] | None = None,
    limit: float | None = None,
    boxes: Sequence[Sequence[Box] | None] | None = None,
) -> Picture:
    """Photos and filtered photos side by side, each with a title and a caption.

    Parameters
    ----------
    images : sequence of array_like
        ``(height, width)`` or ``(height, width, 3)``; one batch or channel axis of length 1
        is dropped. uint8 runs from 0 to 255, floats from 0 to 1; what lies outside is clipped.
    titles, captions : sequence of str, optional
        One for each image, above and below; None leaves one out.
    kernels : sequence of array_like or None, optional
        Drawn with their images, with their numbers: below, or beside if ``columns=1``.
    columns : int, optional
        Images in a row; two or three where None.
    signed : bool, or sequence of them, optional
        True shows zero as grey, negative numbers darker, positive ones lighter. Where None: if
        a kernel is given, when its numbers sum to 0; otherwise when there are numbers below 0.
    limit : float, optional
        Where the scale of the signed images ends; chosen from all of them where None.
    boxes : sequence of sequences of (row, column, height, width), optional
        Frames on each image, in pixels.

    Returns
    -------
    Picture
        With a scale, if there is a signed image.

    Examples
    --------
    >>> images([np.eye(8), np.eye(8) - 0.5], ["photo", "edges"])
    <Picture: 2 images: photo, edges>
    """
    arrays = [_image(place, one) for place, one in enumerate(images)]
    count = len(arrays)
    if not count:
        raise ValueError("`images` must hold at least one image. Received: images=[].")
    names, notes = per_item("titles", titles, count), per_item("captions", captions, count)
    grids = [as_matrix(kernel) for kernel in per_item("kernels", kernels, count)]
    frames = per_item("boxes", boxes, count)
    scales, shared = _scales(arrays, grids, signed, limit)
    across = columns or (3 if count in (3, 5, 6, 9) and kernels is None else min(count, 2))

    def recipe(width: float) -> Block:
        share = (width - GAP * (across - 1)) / across
        tile = _beside_kernel if across == 1 else _above_kernel
        blocks = [
            labelled(tile(array, share, scale, frame or (), grid, note), name, width=share)
            for array, scale, frame, grid, note, name in zip(
                arrays, scales, frames, grids, notes, names, strict=True
            )
        ]
        sheet = flow(blocks, width, GAP, across)
        return above([sheet, scale_bar(shared)], 0.14) if shared else sheet

    listed = ", ".join(str(name) for name in names if name)
    told = f"{count} image" + "s" * (count > 1)
    return Picture(recipe, told + (f": {listed}" if listed else ""))


def _image(place: int, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        return array
    raise ValueError(
        "An image must have shape (height, width) or (height, width, 3). "
        f"Received: image {place} of shape {np.shape(values)}. "
        "Show the channels of a feature map with feature_maps(...)."
    )


def _scales(
    arrays: list[np.ndarray], grids: list[Any], signed: Any, limit: float | None
) -> tuple[list[Scale | None], Scale | None]:
    """The scale of each image (None for colours), and the one that the signed ones share."""
    count = len(arrays)
    wishes = [signed] * count if np.ndim(signed) == 0 else per_item("signed", signed, count)
    flags = [_is_signed(*one) for one in zip(arrays, grids, wishes, strict=True)]
    found = [array for array, flag in zip(arrays, flags, strict=True) if flag]
    shared = shared_scale(found, True, limit) if found else None
    return [
        shared if flag else photo_scale(array) if array.ndim == 2 else None
        for array, flag in zip(arrays, flags, strict=True)
    ], shared


def _is_signed(array: np.ndarray, kernel: Any, wish: bool | None) -> bool:
    if array.ndim == 3:
        return False
    if wish is not None:
        return bool(wish)
    if kernel is not None:
        return abs(float(np.sum(kernel))) < 1e-6
    return bool(array.min() < 0)


def _above_kernel(
    array: np.ndarray, width: float, scale: Scale | None, boxes: Sequence[Box], kernel: Any,
    note: str | None,
) -> Block:  # fmt: skip
    """An image; under it its kernel and, to the right of that, its caption."""
    body = image_block(array, width, scale, boxes)
    if kernel is None:
        return labelled(body, None, note)
    grid = small_kernel(kernel, width * 0.5)
    room = width - grid.width - 0.12
    words = [text_block(note, room, size=SMALL, ink=FAINT)] if note else []
    return above([body, beside([grid, *words], 0.12)], 0.1, 0)


def _beside_kernel(
    array: np.ndarray, width: float, scale: Scale | None, boxes: Sequence[Box], kernel: Any,
    note: str | None,
) -> Block:  # fmt: skip
    """An image with its kernel on the left."""
    if kernel is None:
        return labelled(image_block(array, width, scale, boxes), None, note)
    grid = small_kernel(kernel, width * 0.3)
    body = image_block(array, width - grid.width - 0.16, scale, boxes)
    return labelled(beside([grid, body], 0.16), None, note)


def feature_maps(
    maps: Any,
    titles: Any = None,
    *,
    columns: int | None = None,
    signed: bool | None = None,
    limit: float | None = None,
    title: str | None = None,
    layer: Any = None,
) -> Picture:
    """A contact sheet: all maps of a layer, with one scale for all.

    ``feature_maps(model, image)`` shows what an image makes of every convolution of a model.

    Parameters
    ----------
    maps : array_like or Model
        ``(height, width, filters)`` or ``(1, height, width, filters)``, or a sequence of
        ``(height, width)`` maps; or a model, whose maps are computed.
    titles : sequence of str, or an image, optional
        One for each map; ``map 0``, ``map 1``, ... where None. For a model: the image.
    columns : int, optional
        Maps in a row; two to four where None.
    signed : bool, optional
        True shows zero as grey, negative numbers darker, positive ones lighter; where None,
        when there are numbers below 0.
    limit : float, optional
        Where the scale ends; where None, a round number that all maps (or, of many numbers,
        all but the strongest 3 %) keep to.
    title : str, optional
        Above the sheet.
    layer : str or Layer, or a list of them, optional
        Of a model: whose maps; all convolutions' where None.

    Examples
    --------
    >>> feature_maps(np.zeros((1, 28, 28, 8)))
    <Picture: 8 feature maps of 28 x 28>
    """
    if hasattr(maps, "count_params"):
        drawn = [
            feature_maps(
                found, columns=columns or _columns_of_many(found), signed=signed, limit=limit,
                title=title or name,
            )
            for name, found in maps_inside(maps, titles, layer)
        ]  # fmt: skip
        return drawn[0] if len(drawn) == 1 else together(drawn)
    sheet = _sheet(maps)
    count = len(sheet)
    titles = [f"map {i}" for i in range(count)] if titles is None else titles
    names = per_item("titles", titles, count)
    scale = shared_scale(sheet, signed, limit)
    across = columns or _across(count)
    high, wide = sheet[0].shape

    def recipe(width: float) -> Block:
        share = min((width - GAP * (across - 1)) / across, max(3.0, 3.0 * wide / high))
        blocks = [
            labelled(image_block(one, share, scale), name, width=share)
            for one, name in zip(sheet, names, strict=True)
        ]
        body = above([flow(blocks, width, GAP, across), scale_bar(scale)], 0.14)
        return labelled(body, title, width=width)

    return Picture(recipe, f"{count} feature map{'s' * (count > 1)} of {high} x {wide}")


def _columns_of_many(maps: np.ndarray) -> int | None:
    """Eight in a row where there are many: a layer is seen as a whole, not map by map."""
    return 8 if maps.shape[-1] >= 16 else None


def _across(count: int) -> int:
    """Maps in a row, so that the last row is full where that is possible."""
    if count <= 4:
        return 2 if count == 4 else count
    return next((n for n in (4, 3, 5) if count % n == 0), 4)


def _sheet(maps: Any) -> list[np.ndarray]:
    several = isinstance(maps, (list, tuple))
    if several:
        sheet = [np.asarray(one) for one in maps]
    else:
        array = np.asarray(maps)
        array = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
        array = array[:, :, None] if array.ndim == 2 else array
        sheet = list(np.moveaxis(array, -1, 0)) if array.ndim == 3 else [array]
    if not sheet or any(one.ndim != 2 or not one.size for one in sheet):
        shapes = [one.shape for one in sheet] if several else f"shape {np.shape(maps)}"
        raise ValueError(
            "Feature maps must have shape (height, width, filters), for one image. "
            f"Received: {shapes}. Take one image of a batch: maps[0]."
        )
    return sheet
