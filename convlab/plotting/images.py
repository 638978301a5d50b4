"""Photos, feature maps and kernels: arrays that are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .board import Cell, board, cell_size, divisor, number
from .colours import COLOURS, FAINT, INK, LINE, PAPER, mix, signed_map
from .layout import SMALL, Block, Pen, above, beside, flow, labelled
from .picture import Picture

__all__ = ["feature_maps", "images", "kernels"]

SHEET_GAP = 0.16
Box = tuple[float, float, float, float]


class _Scale:
    """How numbers become greys or colours, the same for every picture that shares it.

    Photos (0..1, or uint8 0..255) are shown as they are, clipped to their range. Signed numbers
    are shown about a fixed grey zero. Other numbers go from black (0) to white (the limit).
    """

    def __init__(self, arrays: Sequence[np.ndarray], signed: bool | None, limit: float | None):
        values = np.concatenate([np.ravel(a[np.isfinite(a)]) for a in arrays]).astype(float)
        low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
        whole = all(a.dtype == np.uint8 for a in arrays)
        self.signed = low < 0 if signed is None else signed
        photo = not self.signed and (whole or high <= 1 or (signed is False and limit is None))
        if limit is None:
            limit = (255.0 if whole else 1.0) if photo else _round_up(np.abs(values))
        self.limit = float(limit)
        self.low = -self.limit if self.signed else 0.0
        self.clips = low < self.low - 1e-9 or high > self.limit + 1e-9
        self.photo = photo

    @property
    def colours(self) -> Any:
        return signed_map() if self.signed else "gray"

    def text(self) -> tuple[str, ...]:
        """What stands under the scale: low, middle, high."""
        top = number(self.limit, 3)
        least, most = ("≤ ", "≥ ") if self.clips else ("", "")
        return (f"{least}−{top}", "0", f"{most}{top}") if self.signed else ("0", f"{most}{top}")


def _round_up(sizes: np.ndarray) -> float:
    """A round limit that all but the few largest of many numbers keep to."""
    top = float(np.quantile(sizes, 0.995, method="higher")) if sizes.size else 1.0
    if top <= 0:
        return 1.0
    step = 10.0 ** (np.floor(np.log10(top)) - 1)
    return float(np.ceil(top / step - 1e-9) * step)


def _is_rgb(array: np.ndarray) -> bool:
    return array.ndim == 3 and array.shape[2] in (3, 4)


def _one_image(number_: int, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if (array.ndim == 2 or _is_rgb(array)) and array.size:
        return array
    raise ValueError(
        "An image must have shape (height, width) or (height, width, 3). "
        f"Received: image {number_} of shape {np.shape(values)}. "
        "Show the channels of a feature map with feature_maps(...)."
    )


def _per_image(name: str, values: Any, count: int) -> list[Any]:
    if values is None:
        return [None] * count
    if isinstance(values, (str, bytes)) or len(values) != count:
        raise ValueError(
            f"`{name}` must have one entry for each picture. "
            f"Received: {values!r} for {count} pictures."
        )
    return list(values)


def _image_block(
    array: np.ndarray, width: float, scale: _Scale | None, boxes: Sequence[Box] = ()
) -> Block:
    high, wide = array.shape[:2]
    height = width * high / wide
    how: dict[str, Any] = {"interpolation": "nearest" if wide < width * 75 else "antialiased"}
    if scale is None:
        array = np.clip(array, 0, 255 if array.dtype == np.uint8 else 1)
    else:
        how |= {"cmap": scale.colours, "vmin": scale.low, "vmax": scale.limit}

    def draw(pen: Pen, x: float, y: float) -> None:
        pen.picture(array, x, y, width, height, **how)
        pen.box(x, y, width, height, line=LINE, weight=0.6, z=2, label="image")
        step = width / wide
        for row, column, tall, broad in boxes:
            corner = x + column * step, y + row * step
            pen.box(*corner, broad * step, tall * step, line=PAPER, weight=3.6, z=3)
            pen.box(
                *corner, broad * step, tall * step, line=COLOURS["kernel"].line, weight=2.0, z=3.1,
                label="box",
            )  # fmt: skip

    return Block(width, height, draw)


def _scale_bar(scale: _Scale) -> Block:
    """A strip of all shades with the numbers they stand for."""
    wide, high = 2.2, 0.13
    strip = np.linspace(scale.low, scale.limit, 256)[None, :]
    texts = scale.text()

    def draw(pen: Pen, x: float, y: float) -> None:
        how = {"cmap": scale.colours, "vmin": scale.low, "vmax": scale.limit}
        pen.picture(strip, x, y, wide, high, interpolation="nearest", **how)
        pen.box(x, y, wide, high, line=LINE, weight=0.6, z=2)
        for place, text in zip(np.linspace(0, wide, len(texts)), texts, strict=True):
            pen.path([(x + place, y + high), (x + place, y + high + 0.05)], line=FAINT, weight=0.8)
            pen.words(x + place, y + high + 0.15, text, size=SMALL, ink=FAINT)

    return Block(wide, high + 0.24, draw)


def images(
    images: Sequence[Any],
    titles: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    *,
    kernels: Sequence[Any] | None = None,
    columns: int | None = None,
    signed: bool | Sequence[bool | None] | None = None,
    limit: float | None = None,
    boxes: Sequence[Sequence[Box]] | None = None,
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
        Drawn beside their images, with their numbers.
    columns : int, optional
        Images in a row; a few where None.
    signed : bool, or sequence of them, optional
        True shows zero as grey, negative numbers darker, positive ones lighter. Where None: if
        a kernel is given, when its numbers sum to 0; otherwise when there are numbers below 0.
    limit : float, optional
        Where the scale of signed images ends; chosen from all of them where None.
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
    arrays = [_one_image(i, image) for i, image in enumerate(images)]
    count = len(arrays)
    if not count:
        raise ValueError("`images` must hold at least one image. Received: images=[].")
    names, notes = _per_image("titles", titles, count), _per_image("captions", captions, count)
    grids = _per_image("kernels", kernels, count)
    frames = _per_image("boxes", boxes, count)
    wishes = _per_image("signed", signed, count) if np.ndim(signed) else [signed] * count  # type: ignore[arg-type]
    flags = [_shown_signed(a, k, s) for a, k, s in zip(arrays, grids, wishes, strict=True)]
    scale = _Scale(
        [a for a, flag in zip(arrays, flags, strict=True) if flag] or arrays[:1], None, limit
    )
    plain = {i: _Scale([a], False, None) for i, a in enumerate(arrays) if a.ndim == 2}
    across = columns or (min(count, 2) if kernels or count in (2, 4) else min(count, 3))

    def recipe(width: float) -> Block:
        share = (width - SHEET_GAP * (across - 1)) / across
        blocks = []
        for i, array in enumerate(arrays):
            beside_it = _small_kernel(grids[i], share * 0.34) if grids[i] is not None else None
            room = share - (beside_it.width + 0.12 if beside_it else 0)
            how = scale if flags[i] else plain.get(i)
            body = _image_block(array, room, how, frames[i] or ())
            body = beside([beside_it, body], 0.12) if beside_it else body
            blocks.append(labelled(body, names[i], notes[i], width=share))
        sheet = flow(blocks, width, SHEET_GAP, across)
        return above([sheet, _scale_bar(scale)], 0.14) if any(flags) else sheet

    listed = ", ".join(str(name) for name in names if name)
    return Picture(recipe, f"{count} images" + (f": {listed}" if listed else ""))


def _shown_signed(array: np.ndarray, kernel: Any, wish: bool | None) -> bool:
    if array.ndim == 3:
        return False
    if wish is not None:
        return bool(wish)
    if kernel is not None:
        return abs(float(np.sum(kernel))) < 1e-6
    return bool(array.min() < 0)


def feature_maps(
    maps: Any,
    titles: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    signed: bool | None = None,
    limit: float | None = None,
    title: str | None = None,
) -> Picture:
    """A contact sheet: all maps of a layer, with one scale for all.

    Parameters
    ----------
    maps : array_like
        ``(height, width, filters)`` or ``(1, height, width, filters)``, or a sequence of
        ``(height, width)`` maps.
    titles : sequence of str, optional
        One for each map; ``map 0``, ``map 1``, ... where None.
    columns : int, optional
        Maps in a row.
    signed : bool, optional
        True shows zero as grey, negative numbers darker, positive ones lighter; where None,
        when there are numbers below 0.
    limit : float, optional
        Where the scale ends; a round number that nearly all values keep to where None.
    title : str, optional
        Above the sheet.

    Examples
    --------
    >>> feature_maps(np.zeros((1, 28, 28, 8)))
    <Picture: 8 feature maps of 28 x 28>
    """
    sheet = _sheet(maps)
    count = len(sheet)
    names = _per_image("titles", titles, count) if titles else [f"map {i}" for i in range(count)]
    scale = _Scale(sheet, signed, limit)
    across = columns or (count if count <= 4 else 4)

    def recipe(width: float) -> Block:
        share = min((width - SHEET_GAP * (across - 1)) / across, 2.6)
        blocks = [
            labelled(_image_block(one, share, scale), name)
            for one, name in zip(sheet, names, strict=True)
        ]
        body = flow(blocks, width, SHEET_GAP, across)
        return labelled(above([body, _scale_bar(scale)], 0.14), title, width=width)

    high, wide = sheet[0].shape
    return Picture(recipe, f"{count} feature maps of {high} x {wide}")


def _sheet(maps: Any) -> list[np.ndarray]:
    if isinstance(maps, (list, tuple)):
        sheet = [np.asarray(one) for one in maps]
    else:
        array = np.asarray(maps)
        array = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
        array = array[:, :, None] if array.ndim == 2 else array
        sheet = list(np.moveaxis(array, -1, 0)) if array.ndim == 3 else [array]
    if not sheet or any(one.ndim != 2 or not one.size for one in sheet):
        raise ValueError(
            "Feature maps must have shape (height, width, filters), for one image. "
            f"Received: {[np.shape(one) for one in maps] if isinstance(maps, (list, tuple)) else np.shape(maps)}. "
            "Take one image of a batch: maps[0]."
        )
    return sheet


def kernels(
    kernel: Any,
    titles: Sequence[str] | None = None,
    captions: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    values: bool | None = None,
) -> Picture:
    """Kernels as grids with their numbers; a Keras kernel as one stack of slices per filter.

    Parameters
    ----------
    kernel : array_like
        One ``(height, width)`` kernel, a sequence of them, or a Keras kernel
        ``(height, width, channels, filters)``: then each filter is a column of slices, one
        for each channel.
    titles, captions : sequence of str, optional
        One for each kernel or filter.
    columns : int, optional
        Kernels in a row; as many as fit where None.
    values : bool, optional
        Whether to print the numbers; where None, up to 49 in a kernel.

    Notes
    -----
    Fractions with one denominator are printed as whole numbers with ``÷ 9`` below.

    Examples
    --------
    >>> kernels([np.ones((3, 3)) / 9], ["box"])
    <Picture: 1 kernel of 3 x 3>
    >>> kernels(np.zeros((3, 3, 2, 4)))
    <Picture: 4 filters of 2 slices, 3 x 3>
    """
    stacks, told = _stacks(kernel)
    count = len(stacks)
    names = _per_image("titles", titles, count)
    if titles is None and stacks[0].shape[2] * count > 1 and "filter" in told:
        names = [f"filter {i}" for i in range(count)]
    notes = _per_image("captions", captions, count)

    def recipe(width: float) -> Block:
        across = columns or min(count, 4)
        share = (width - SHEET_GAP * (across - 1)) / across
        blocks = [
            labelled(_stack_block(stack, share, values), name, note, width=min(share, 1.6))
            for stack, name, note in zip(stacks, names, notes, strict=True)
        ]
        return flow(blocks, width, 0.3, columns)

    return Picture(recipe, told)


def _stacks(kernel: Any) -> tuple[list[np.ndarray], str]:
    """(height, width, channels) of each kernel, and what they are in words."""
    if not isinstance(kernel, (list, tuple)) or np.ndim(kernel[0]) < 2:
        array = np.asarray(kernel, dtype=float)
        if array.ndim == 4 and array.size:
            high, wide, channels, filters = array.shape
            told = f"{filters} filters of {channels} slices, {high} x {wide}"
            return [array[..., f] for f in range(filters)], told
        kernel = [array]
    stacks = [np.asarray(one, dtype=float) for one in kernel]
    if not stacks or any(one.ndim != 2 or not one.size for one in stacks):
        raise ValueError(
            "A kernel must have shape (height, width) or (height, width, channels, filters). "
            f"Received: shapes {[one.shape for one in stacks]}."
        )
    sizes = {f"{one.shape[0]} x {one.shape[1]}" for one in stacks}
    told = f"{len(stacks)} kernel{'s' * (len(stacks) > 1)} of {', '.join(sorted(sizes))}"
    return [one[:, :, None] for one in stacks], told


def _stack_block(stack: np.ndarray, width: float, values: bool | None) -> Block:
    high, wide, channels = stack.shape
    printed = high * wide <= 49 if values is None else values
    whole = divisor(stack)
    texts = _kernel_texts(stack, whole) if printed else np.full(stack.shape, "")
    cell = cell_size(width, wide, [str(t) for t in texts.ravel()], 0.36)
    slices: list[Block] = []
    for channel in range(channels):
        block = _kernel_board(stack[:, :, channel], texts[:, :, channel], np.abs(stack).max(), cell)
        slices.append(labelled(block, None, f"channel {channel}") if channels > 1 else block)
    note = f"÷ {whole}" if printed and whole > 1 else None
    return labelled(above(slices, 0.1), None, note)


def _kernel_texts(stack: np.ndarray, whole: int) -> np.ndarray:
    shown = np.round(stack * whole) if whole else stack
    return np.array([number(value) for value in shown.ravel()]).reshape(stack.shape)


def _kernel_board(values: np.ndarray, texts: np.ndarray, largest: float, cell: float) -> Block:
    """Orange for positive weights, grey for negative ones, white for zero."""
    colour = COLOURS["kernel"]

    def fill(value: float) -> Any:
        share = 0.45 * abs(value) / largest if largest else 0.0
        return mix(colour.line if value > 0 else INK, PAPER, share)

    cells = [
        [Cell(colour, str(text), fill(value)) for value, text in zip(row, words, strict=True)]
        for row, words in zip(values.tolist(), texts, strict=True)
    ]
    return board(cells, cell, colour.line)


def _small_kernel(kernel: Any, width: float) -> Block:
    """The nine numbers beside the picture that they make."""
    array = np.asarray(kernel, dtype=float)
    if array.ndim == 4:
        array = array[:, :, 0, 0]
    if array.ndim != 2 or not array.size:
        raise ValueError(
            "A kernel beside an image must have shape (height, width). "
            f"Received: kernel of shape {np.shape(kernel)}."
        )
    return _stack_block(array[:, :, None], min(width, 0.3 * array.shape[1]), None)
