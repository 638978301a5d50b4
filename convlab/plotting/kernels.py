"""Kernels as grids with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .board import Cell, board, cell_size, divisor, numbers
from .colours import COLOURS, INK, PAPER, mix
from .layout import Block, above, flow, labelled, per_item
from .networks import kernel_of
from .picture import Picture

__all__ = ["as_matrix", "kernels", "small_kernel"]

CELL = 0.36
MOST_SLICES = 256
PRINTED = 49  # numbers that are printed at most, where nobody says otherwise


def kernels(
    kernel: Any,
    titles: Sequence[str | None] | None = None,
    captions: Sequence[str | None] | None = None,
    *,
    columns: int | None = None,
    values: bool | None = None,
) -> Picture:
    """Kernels as grids with their numbers; a Keras kernel as one stack of slices per filter.

    Parameters
    ----------
    kernel : array_like or Layer
        One ``(height, width)`` kernel, a sequence of them, or a Keras kernel
        ``(height, width, channels, filters)``: then each filter is a column of slices, one
        for each channel. A convolution that is built stands for its kernel.
    titles, captions : sequence of str, optional
        One for each kernel or filter.
    columns : int, optional
        Kernels in a row; up to four where None.
    values : bool, optional
        Whether to print the numbers; where None, up to 49 in a kernel, of up to 12 kernels.

    Notes
    -----
    Positive weights are orange, negative ones grey and with a minus sign, zeros white.
    Fractions with one denominator are printed as whole numbers, with ``÷ 9`` below.

    Examples
    --------
    >>> kernels([np.ones((3, 3)) / 9], ["box"])
    <Picture: 1 kernel of 3 x 3>
    >>> kernels(np.zeros((3, 3, 2, 4)))
    <Picture: 4 filters of 2 slices, 3 x 3>
    """
    kernel = kernel_of(kernel)
    _refuse_too_many(kernel)
    stacks = _stacks(kernel)
    count, channels = len(stacks), stacks[0].shape[2]
    keras = np.ndim(kernel) == 4 if not isinstance(kernel, (list, tuple)) else False
    if keras and titles is None:
        titles = [f"filter {i}" for i in range(count)]
    names, notes = per_item("titles", titles, count), per_item("captions", captions, count)
    across = columns or (8 if count > 12 else min(count, 4))
    values = False if values is None and count > 12 else values

    def recipe(width: float) -> Block:
        share = (width - 0.3 * (across - 1)) / across
        blocks = [
            labelled(_stack_block(stack, share, values), name, note, width=min(share, 1.6))
            for stack, name, note in zip(stacks, names, notes, strict=True)
        ]
        return flow(blocks, width, 0.3, across)

    size = ", ".join(sorted({f"{s.shape[0]} x {s.shape[1]}" for s in stacks}))
    what = "filter" if keras else "kernel"
    told = f"{count} {what}{'s' * (count > 1)} of " + (f"{channels} slices, " if keras else "")
    return Picture(recipe, told + size)


def _refuse_too_many(kernel: Any) -> None:
    shape: tuple[int, ...] = () if isinstance(kernel, (list, tuple)) else np.shape(kernel)
    if len(shape) == 4 and shape[2] * shape[3] > MOST_SLICES:
        raise ValueError(
            f"At most {MOST_SLICES} slices can be seen at once. Received: a kernel of shape "
            f"{shape}, {shape[2] * shape[3]} slices. Choose some: kernel[:, :, :4, :8]."
        )


def _stacks(kernel: Any) -> list[np.ndarray]:
    """(height, width, channels) of each kernel."""
    if isinstance(kernel, (list, tuple)) and all(np.ndim(one) == 2 for one in kernel):
        stacks = [np.asarray(one, dtype=float)[:, :, None] for one in kernel]
    else:
        array = np.asarray(kernel, dtype=float)
        array = array[:, :, None, None] if array.ndim == 2 else array
        stacks = list(np.moveaxis(array, -1, 0)) if array.ndim == 4 else []
    if not stacks or not all(stack.size for stack in stacks):
        raise ValueError(
            "A kernel must have shape (height, width) or (height, width, channels, filters), "
            f"or be a list of (height, width) kernels. Received: shape {np.shape(kernel)}."
        )
    return stacks


def as_matrix(kernel: Any) -> np.ndarray | None:
    """A kernel to draw with an image: (height, width), or None for none."""
    if kernel is None:
        return None
    array = np.asarray(kernel, dtype=float)
    array = array[:, :, 0, 0] if array.ndim == 4 else array
    if array.ndim != 2 or not array.size:
        raise ValueError(
            "A kernel beside an image must have shape (height, width). "
            f"Received: kernel of shape {np.shape(kernel)}."
        )
    return array


def small_kernel(kernel: np.ndarray, width: float) -> Block:
    """The nine numbers beside the picture that they make."""
    return _stack_block(kernel[:, :, None], min(width, 0.3 * kernel.shape[1]), None)


def _stack_block(stack: np.ndarray, width: float, values: bool | None) -> Block:
    """The slices of one filter, one below the other."""
    high, wide, channels = stack.shape
    printed = high * wide <= PRINTED if values is None else values
    whole = divisor(stack)
    shown = numbers(np.round(stack * whole) if whole else stack)
    texts = shown if printed else np.full(stack.shape, "")
    cell = cell_size(width, wide, texts.ravel().tolist(), CELL)
    largest = float(np.abs(stack).max())
    slices = []
    for channel in range(channels):
        shades = _fills(stack[:, :, channel], largest, 0.45 if printed else 0.9)
        block = _slice_board(shades, texts[:, :, channel], cell)
        slices.append(labelled(block, None, f"channel {channel}") if channels > 1 else block)
    note = f"÷ {whole}" if printed and whole > 1 else None
    return labelled(above(slices, 0.1), None, note)


def _fills(values: np.ndarray, largest: float, strongest: float) -> list[list[Any]]:
    """Orange for positive, grey for negative, white for zero; pale where numbers are printed."""

    def fill(value: float) -> Any:
        share = strongest * abs(value) / largest if largest else 0.0
        return mix(COLOURS["kernel"].line if value > 0 else INK, PAPER, share)

    return [[fill(value) for value in row] for row in values.tolist()]


def _slice_board(fills: list[list[Any]], texts: np.ndarray, cell: float) -> Block:
    colour = COLOURS["kernel"]
    cells = [
        [Cell(colour, str(text), fill) for fill, text in zip(shades, words, strict=True)]
        for shades, words in zip(fills, texts, strict=True)
    ]
    return board(cells, cell, colour.line)
