"""Real photos and handwritten digits that come with scikit-learn: small, and offline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convlab.datasets.optional import require
from convlab.filters import GREY

PHOTOS = ("china", "flower")
Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]

_TRAINING_DIGITS = 1200


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
    require("PIL.Image", package="pillow", caller="load_photo")
    sklearn_datasets = require("sklearn.datasets", package="scikit-learn", caller="load_photo")
    photo = np.array(sklearn_datasets.load_sample_image(f"{name}.jpg"))  # a copy: writable
    return photo / 255 @ np.array(GREY) if grey else photo


def load_digits() -> tuple[Split, Split]:
    """1,797 handwritten digits of 8 x 8 pixels, in the form of Keras's data sets.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x``: uint8 images of shape (1200, 8, 8) and (597, 8, 8). Pixels are the values as
        stored, from 0 (paper) to 16 (ink), not 255: divide by 16 before you calculate.
        ``y``: uint8 labels of shape (1200,) and (597,), from 0 to 9.

    Raises
    ------
    ImportError
        Where scikit-learn is missing.

    Notes
    -----
    The split is fixed: the first 1,200 images train, the rest test, in the order of the file
    and not shuffled. Each pixel counts the inked dots in a block of 4 x 4 of the scan.

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
    """
    sklearn_datasets = require("sklearn.datasets", package="scikit-learn", caller="load_digits")
    digits = sklearn_datasets.load_digits()
    x, y = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    n = _TRAINING_DIGITS
    return (x[:n], y[:n]), (x[n:], y[n:])
