"""IDX, the file format of MNIST: a few bytes of header, then one byte per pixel or label.

A header has two zero bytes, the data type (8: unsigned bytes), the number of axes, and the
length of each axis as a big-endian 32-bit number. Nothing in a header is believed before the
rest of the file bears it out.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_GZIP_MAGIC = b"\x1f\x8b"
_LARGEST = 2**30  # bytes: over twenty times MNIST's largest file
_PIECE = 2**20  # bytes read at once
_WAY_OUT = "Delete the file and fetch it again."


class _Kind(NamedTuple):
    magic: bytes
    element: str


_KINDS = {
    "images": _Kind(b"\x00\x00\x08\x03", "pixels"),
    "labels": _Kind(b"\x00\x00\x08\x01", "labels"),
}


def read_idx(path: str | os.PathLike[str], kind: str) -> NDArray[np.uint8]:
    """Read an IDX file of images or labels, compressed with gzip or not.

    Parameters
    ----------
    path : path-like
        Compression is told from the contents, not from the name.
    kind : {"images", "labels"}
        What the file must hold: three axes (count, height, width), or one (count).

    Returns
    -------
    ndarray of uint8
        Shape (count, height, width) or (count,).

    Raises
    ------
    ValueError
        If the file is damaged, truncated, too long or of the other kind. The message names it.

    Examples
    --------
    The smallest image file: one image, one row, two pixels.

    >>> import tempfile
    >>> header = [0, 0, 8, 3] + [0, 0, 0, 1] + [0, 0, 0, 1] + [0, 0, 0, 2]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "images").write_bytes(bytes([*header, 7, 255]))
    ...     read_idx(Path(folder, "images"), "images")
    array([[[  7, 255]]], dtype=uint8)
    """
    path = Path(path)
    try:
        with _open(path) as stream:
            shape = _read_header(stream, path, kind)
            return _read_elements(stream, path, kind, shape)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"A compressed file must be one whole gzip stream. Received: {str(path)!r}, "
            f"which is truncated or damaged ({error}). {_WAY_OUT}"
        ) from error


def _open(path: Path) -> io.BufferedIOBase:
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _read_header(stream: io.BufferedIOBase, path: Path, kind: str) -> tuple[int, ...]:
    magic = stream.read(4)
    if magic != _KINDS[kind].magic:
        raise ValueError(_magic_error(magic, path, kind))
    axes = magic[3]
    lengths = stream.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise ValueError(
            f"An IDX file of {kind} must start with a header of {4 + 4 * axes} bytes. "
            f"Received: {str(path)!r}, which ends after {4 + len(lengths)}. {_WAY_OUT}"
        )
    return _check_shape(struct.unpack(f">{axes}I", lengths), path, kind)


def _magic_error(magic: bytes, path: Path, kind: str) -> str:
    other = next((name for name in _KINDS if _KINDS[name].magic == magic), None)
    if other:
        found, way_out = f"which holds {other}", "Give the files their right names back."
    else:
        found, way_out = f"which starts with {magic.hex(' ') or 'nothing: it is empty'}", _WAY_OUT
    return (
        f"An IDX file of {kind} must start with the bytes {_KINDS[kind].magic.hex(' ')}. "
        f"Received: {str(path)!r}, {found}. {way_out}"
    )


def _check_shape(shape: tuple[int, ...], path: Path, kind: str) -> tuple[int, ...]:
    # math.prod counts in whole numbers without end: three axes of 2**32 cannot wrap around.
    if 0 < math.prod(shape) <= _LARGEST:
        return shape
    raise ValueError(
        f"An IDX file of {kind} must hold between 1 and {_LARGEST} {_KINDS[kind].element}. "
        f"Received: {str(path)!r}, whose header says {_times(shape)}. {_WAY_OUT}"
    )


def _read_elements(
    stream: io.BufferedIOBase, path: Path, kind: str, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    size = math.prod(shape)
    # One byte more than announced: it shows trailing bytes, and makes gzip check its own sum.
    elements = _read(stream, size + 1)
    if len(elements) != size:
        found = "more" if len(elements) > size else f"only {len(elements)}"
        raise ValueError(
            f"An IDX file whose header says {_times(shape)} must hold {size} "
            f"{_KINDS[kind].element}. Received: {str(path)!r}, which holds {found}. {_WAY_OUT}"
        )
    return np.frombuffer(elements, np.uint8).reshape(shape)


def _read(stream: io.BufferedIOBase, size: int) -> bytearray:
    """At most `size` bytes, in memory that grows with what the file really holds."""
    data = bytearray()
    while piece := stream.read(min(_PIECE, size - len(data))):
        data += piece
    return data


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)
