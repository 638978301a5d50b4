"""MNIST, 70,000 handwritten digits of 28 x 28 pixels, in the form of Keras's module.

The four IDX files are looked for in this order:

1. in the folder given as ``path`` and its subfolder ``mnist``, and then nowhere else;
2. in the folder that the environment variable ``CONVLAB_DATA`` names and its subfolder
   ``mnist``;
3. in the download cache, which pooch fills from public mirrors (11 MB, once). A download
   counts only when its SHA-256 is right: pooch writes it under a temporary name and renames
   it after the check, so a broken connection leaves nothing behind.

A folder may hold the files compressed (``.gz``) or not, and under either of their usual names
(``train-images-idx3-ubyte``, ``train-images.idx3-ubyte``). Data sets in the same format, such
as Fashion-MNIST, or a part of one, are read as well.

References
----------
LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86, 1998.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from convlab.datasets.idx import read_idx
from convlab.datasets.optional import require

__all__ = ["load_data", "load_split"]

Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]
FilePair = tuple[Path, Path]

_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
# Of the compressed files on the mirrors. A copy compressed anew has another sum and the same
# images, so files in a folder of the reader's are not held against these.
_SHA256 = {
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
_NO_NETWORK = (
    "Without a network, put the IDX files into a folder and give it as `path`, "
    "or name it in the environment variable CONVLAB_DATA."
)
_TIMEOUT = 30  # seconds without a byte from a mirror


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Both halves of MNIST: 60,000 digits to train with and 10,000 to test with.

    Parameters
    ----------
    path : path-like, optional
        Folder with the four IDX files. Without it, ``CONVLAB_DATA`` and the download cache
        are searched; see the top of this module.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x``: uint8 images of shape (60000, 28, 28) and (10000, 28, 28), from 0 (paper) to
        255 (ink). ``y``: uint8 labels of shape (60000,) and (10000,), from 0 to 9.

    Raises
    ------
    FileNotFoundError
        If the folder `path` lacks files; the message names them.
    ValueError
        If a file is damaged, truncated or mislabelled; the message names it.
    OSError
        If no mirror delivers a file whole and unchanged.
    ImportError
        If a download is needed and pooch is missing.

    See Also
    --------
    load_split : reads one half, and needs only its two files.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape, x_test.shape  # doctest: +SKIP
    ((60000, 28, 28), (10000, 28, 28))
    """
    train, test = _locate(("train", "test"), path)
    return _read_split(*train), _read_split(*test)


def load_split(split: str, path: str | os.PathLike[str] | None = None) -> Split:
    """One half of MNIST, where the other is not needed or not there.

    Parameters
    ----------
    split : {"train", "test"}
        Which half.
    path : path-like, optional
        As in `load_data`, which lists the exceptions too.

    Returns
    -------
    (x, y)
        uint8 images of shape (count, 28, 28) and uint8 labels of shape (count,).

    Examples
    --------
    A folder with one image of one pixel, the digit 7:

    >>> import tempfile
    >>> images = bytes([0, 0, 8, 3] + [0, 0, 0, 1] * 3 + [200])
    >>> labels = bytes([0, 0, 8, 1] + [0, 0, 0, 1] + [7])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "t10k-images-idx3-ubyte").write_bytes(images)
    ...     _ = Path(folder, "t10k-labels-idx1-ubyte").write_bytes(labels)
    ...     load_split("test", folder)
    (array([[[200]]], dtype=uint8), array([7], dtype=uint8))
    """
    if split not in list(_FILES):  # a list compares, and takes what cannot be hashed
        raise ValueError(f'`split` must be "train" or "test". Received: split={split!r}.')
    return _read_split(*_locate((split,), path)[0])


# Where the files are


def _locate(splits: Sequence[str], path: str | os.PathLike[str] | None) -> list[FilePair]:
    """Image and label files of each split, found or downloaded, before any of them is read."""
    if path is not None:
        return _find_all(splits, _folder("path", path))
    named = os.environ.get("CONVLAB_DATA")
    folder = _folder("CONVLAB_DATA", named) if named else None
    return [(folder and _find(split, folder)) or _download(split, folder) for split in splits]


def _folder(name: str, value: str | os.PathLike[str]) -> Path:
    folder = Path(value).expanduser()
    if folder.is_dir():
        return folder
    error = NotADirectoryError if folder.exists() else FileNotFoundError
    raise error(
        f"`{name}` must name a folder with MNIST's IDX files. "
        f"Received: {name}={os.fspath(value)!r}. "
        "Without `path` and CONVLAB_DATA, MNIST is downloaded."
    )


def _find_all(splits: Sequence[str], folder: Path) -> list[FilePair]:
    found = {split: _find(split, folder) for split in splits}
    pairs = [pair for pair in found.values() if pair]
    if len(pairs) == len(splits):
        return pairs
    missing = [name for split, pair in found.items() if not pair for name in _absent(split, folder)]
    raise FileNotFoundError(
        f"The folder of MNIST must hold {', '.join(missing)} (with .gz or without). "
        f"Received: path={str(folder)!r}, where they are missing. "
        f"{_whole_half(folder)}Without `path`, MNIST is downloaded."
    )


def _find(split: str, folder: Path) -> FilePair | None:
    """Both files of a split from the same place, so that images never meet foreign labels."""
    for place in (folder, folder / "mnist"):
        images, labels = (_find_file(name, place) for name in _FILES[split])
        if images and labels:
            return images, labels
    return None


def _find_file(name: str, folder: Path) -> Path | None:
    names = [name, name.replace("-idx", ".idx")]
    candidates = (folder / (stem + suffix) for suffix in ("", ".gz") for stem in names)
    return next((file for file in candidates if file.is_file()), None)


def _absent(split: str, folder: Path) -> list[str]:
    """Files to name as missing, told from the place that holds more of the pair."""
    places = [
        [name for name in _FILES[split] if not _find_file(name, place)]
        for place in (folder, folder / "mnist")
    ]
    return min(places, key=len)


def _whole_half(folder: Path | None) -> str:
    """The way out for a folder that holds one half of MNIST, as many do."""
    whole = [split for split in _FILES if folder and _find(split, folder)]
    return "".join(
        f'The {name} half is there: load_split("{name}", ...) reads it. ' for name in whole
    )


# Downloads


def _download(split: str, folder: Path | None) -> FilePair:
    try:
        images, labels = (_fetch(name) for name in _FILES[split])
    except OSError as error:
        searched = f"CONVLAB_DATA={str(folder)!r} lacks them too. " if folder else ""
        raise OSError(
            f"MNIST's {split} files must come whole from a mirror. Received: {error}\n"
            f"{searched}{_whole_half(folder)}{_NO_NETWORK}"
        ) from None  # the reasons stand in the message
    return images, labels


def _fetch(name: str) -> Path:
    """The cached file if its checksum is right, else the first mirror's that is."""
    pooch = require("pooch", package="pooch", caller="mnist.load_data", way_out=f" {_NO_NETWORK}")
    failures = []
    for mirror in _MIRRORS:
        try:
            return _retrieve(pooch, mirror, name)
        except (OSError, ValueError) as error:  # no connection, or a wrong checksum
            failures.append(f"\n- {mirror}{name}.gz: {error}")
    raise OSError("".join(failures))


def _retrieve(pooch: ModuleType, mirror: str, name: str) -> Path:
    return Path(
        pooch.retrieve(
            f"{mirror}{name}.gz",
            known_hash=f"sha256:{_SHA256[name]}",
            fname=f"{name}.gz",
            path=_cache_folder(pooch),
            downloader=pooch.HTTPDownloader(timeout=_TIMEOUT, chunk_size=2**16),
        )
    )


def _cache_folder(pooch: ModuleType) -> Path:
    return Path(pooch.os_cache("convlab")) / "mnist"


# What is in them


def _read_split(images: Path, labels: Path) -> Split:
    x, y = read_idx(images, "images"), read_idx(labels, "labels")
    if len(x) != len(y):
        raise ValueError(
            "MNIST needs one label for each image. "
            f"Received: {len(x)} images in {str(images)!r} and {len(y)} labels in "
            f"{str(labels)!r}. Take both files from the same half of the same data set."
        )
    if y.max() > 9:
        index = int(np.argmax(y > 9))
        raise ValueError(
            "MNIST's labels must lie between 0 and 9. "
            f"Received: label {y[index]} at index {index} of {str(labels)!r}. "
            "Delete the file and fetch it again."
        )
    return x, y
