"""Real photos and handwritten digits that come with scikit-learn: small, and offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.datasets.optional import require
from convlab.filters import GREY
from convlab.geometry import as_size

PHOTOS = ("china", "flower")
Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]

_HELD_OUT_DIGITS = 597
# The same files without scikit-learn around them: the wheel that the book's pages load has them.
_OWN_FILES = Path(__file__).with_name("files")


def load_photo(name: str = "china", *, grey: bool = False) -> NDArray[Any]:
    """One of two photos: a pagoda above a lake, or a dahlia.

    Parameters
    ----------
    name : {"china", "flower"}
        ``"china"`` is full of fine edges; ``"flower"`` is smooth, its background out of focus.
    grey : bool, default False
        True gives the brightness alone, scaled to lie between 0 and 1.

    Returns
    -------
    ndarray
        ``grey=False``: uint8 of shape (427, 640, 3), red, green and blue from 0 to 255, as
        stored. Divide by 255 before you calculate: uint8 wraps around silently.
        ``grey=True``: float64 of shape (427, 640), ``photo / 255 @ GREY`` with the weights
        `convlab.filters.GREY`.

    Raises
    ------
    ValueError
        For any other name.
    ImportError
        Where scikit-learn (or Pillow, which decodes the file) is missing.

    Notes
    -----
    The photos are scikit-learn's sample images, both under the licence CC BY 2.0: "china" by
    danielbuechele (flickr.com/photos/danielbuechele/6061409035), "flower" by vultilion
    (flickr.com/photos/vultilion/6056698931).

    Examples
    --------
    >>> load_photo("flower").shape
    (427, 640, 3)
    >>> round(float(load_photo("china", grey=True).mean()), 5)
    0.56755
    """
    if name not in PHOTOS:
        raise ValueError(f'`name` must be "china" or "flower". Received: name={name!r}.')
    photo = _read_photo(f"{name}.jpg")
    return photo / 255 @ np.array(GREY) if grey else photo


def _read_photo(file: str) -> NDArray[np.uint8]:
    pillow = require("PIL.Image", package="pillow", caller="load_photo")
    if (own := _OWN_FILES / file).exists():
        with pillow.open(own) as image:
            return np.array(image)
    datasets = require("sklearn.datasets", package="scikit-learn", caller="load_photo")
    return np.array(datasets.load_sample_image(file))  # a copy: writable


def load_digits(
    *, held_out: int = _HELD_OUT_DIGITS, seed: int | None = None, enlarge: int = 1
) -> tuple[Split, Split]:
    """1,797 handwritten digits of 8 x 8 pixels, in the form of Keras's data sets.

    Parameters
    ----------
    held_out : int, default 597
        How many images, the last ones, are kept for the test.
    seed : int, optional
        Put the images into the order ``np.random.RandomState(seed).permutation`` first. In the
        file's own order, where None, neighbours are by the same writers.
    enlarge : int, default 1
        Repeat each pixel so many times down and across; 4 gives images of 32 x 32. That adds
        room for large kernels, and no information.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x``: uint8 images of shape (1200, 8, 8) and (597, 8, 8). Pixels are the values as
        stored, from 0 (paper) to 16 (ink), not 255: divide by 16 before you calculate.
        ``y``: uint8 labels of shape (1200,) and (597,), from 0 to 9.

    Raises
    ------
    ValueError
        Where ``held_out`` leaves no image on one side, or ``enlarge`` is below 1.
    ImportError
        Where scikit-learn is missing.

    Notes
    -----
    Each pixel counts the inked dots in a block of 4 x 4 of the scan. The stream of NumPy's
    RandomState is frozen: a seed gives the same split in every version.

    References
    ----------
    Alpaydin & Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
    Repository, 1998. scikit-learn ships the test set of that collection, by 13 writers.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_digits()
    >>> x_train.shape, x_test.shape
    ((1200, 8, 8), (597, 8, 8))
    >>> y_train[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], dtype=uint8)
    >>> (x_train, _), (x_test, _) = load_digits(held_out=360, seed=0, enlarge=4)
    >>> x_train.shape, x_test.shape
    ((1437, 32, 32), (360, 32, 32))
    """
    held_out, enlarge = as_size("held_out", held_out), as_size("enlarge", enlarge)
    x, y = _read_digits()
    if held_out >= len(x):
        raise ValueError(
            f"`held_out` must leave images to train with: there are {len(x)}. "
            f"Received: held_out={held_out}."
        )
    if seed is not None:
        order = np.random.RandomState(seed).permutation(len(x))
        x, y = x[order], y[order]
    x = x.repeat(enlarge, axis=1).repeat(enlarge, axis=2)
    return (x[:-held_out], y[:-held_out]), (x[-held_out:], y[-held_out:])


def _read_digits() -> Split:
    if (own := _OWN_FILES / "digits.csv.gz").exists():
        table = np.loadtxt(own, np.uint8, delimiter=",")  # 64 pixels and the label in each row
        return table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    datasets = require("sklearn.datasets", package="scikit-learn", caller="load_digits")
    digits = datasets.load_digits()
    return digits.images.astype(np.uint8), digits.target.astype(np.uint8)
