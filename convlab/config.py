"""Settings that every layer shares: the order of axes, the dtype, the smallest number.

They begin as Keras's own file says: ``keras.json`` in the folder ``KERAS_HOME``, or in
``~/.keras``. Without a file they are "channels_last", "float32" and 1e-7. The file is read
once, when a setting is first needed, and is never written.
"""

from __future__ import annotations

import functools
import json
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from convlab.geometry import as_data_format

__all__ = [
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_data_format",
]

FLOATS = ("float16", "float32", "float64")
_DEFAULTS = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}


def image_data_format() -> str:
    """The order of an image's axes where ``data_format=None``.

    Returns
    -------
    {"channels_last", "channels_first"}

    Examples
    --------
    >>> image_data_format()
    'channels_last'
    """
    return _settings()["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Choose the order of axes that ``data_format=None`` means, until the program ends.

    Parameters
    ----------
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        For any other value.

    Examples
    --------
    >>> set_image_data_format("channels_last")
    """
    _settings()["image_data_format"] = _image_data_format(data_format)


def standardize_data_format(value: object) -> str:
    """The order of an image's axes that an argument ``data_format`` stands for.

    Parameters
    ----------
    value : {"channels_last", "channels_first"}, optional
        In any case of letters. `image_data_format` where None.

    Returns
    -------
    {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        For any other value.

    Examples
    --------
    >>> standardize_data_format("Channels_First")
    'channels_first'
    >>> standardize_data_format(None)
    'channels_last'
    """
    return image_data_format() if value is None else as_data_format(value)


def floatx() -> str:
    """The dtype of a layer made without ``dtype``.

    Returns
    -------
    {"float16", "float32", "float64"}

    Examples
    --------
    >>> floatx()
    'float32'
    """
    return _settings()["floatx"]


def set_floatx(dtype: str) -> None:
    """Choose the dtype of the layers that are made from now on.

    Parameters
    ----------
    dtype : {"float16", "float32", "float64"}

    Raises
    ------
    ValueError
        For any other value.

    Examples
    --------
    >>> set_floatx("float32")
    """
    _settings()["floatx"] = _floatx(dtype)


def epsilon() -> float:
    """The small number that keeps a division or a logarithm finite.

    Returns
    -------
    float

    Examples
    --------
    >>> epsilon()
    1e-07
    """
    return _settings()["epsilon"]


def set_epsilon(value: float) -> None:
    """Choose the small number.

    Parameters
    ----------
    value : float
        Positive and finite.

    Raises
    ------
    ValueError
        For any other value.

    Examples
    --------
    >>> set_epsilon(1e-7)
    """
    _settings()["epsilon"] = _epsilon(value)


def _image_data_format(value: object) -> str:
    if value is None:  # elsewhere None asks for this very setting
        raise ValueError(
            '`data_format` must be either "channels_last" or "channels_first". '
            "Received: data_format=None."
        )
    return as_data_format(value)


def _floatx(value: object) -> str:
    name = str(value)
    if name not in FLOATS:
        raise ValueError(f"`floatx` must be one of {', '.join(FLOATS)}. Received: {value!r}.")
    return name


def _epsilon(value: object) -> float:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not (number and 0 < float(value) < np.inf):  # type: ignore[arg-type]
        raise ValueError(
            f"`epsilon` must be a positive, finite number. Received: epsilon={value!r}."
        )
    return float(value)  # type: ignore[arg-type]


_CHECKS = {"image_data_format": _image_data_format, "floatx": _floatx, "epsilon": _epsilon}


@functools.cache
def _settings() -> dict[str, Any]:
    """The settings of this program: the defaults, with what the file says over them."""
    return {**_DEFAULTS, **_from_file(_folder() / "keras.json")}


def _folder() -> Path:
    home = os.environ.get("KERAS_HOME")
    return Path(home) if home else Path("~/.keras").expanduser()


def _from_file(path: Path) -> dict[str, Any]:
    """What the file says about our settings; what it says wrongly is named, and left out."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RuntimeError) as error:
        warnings.warn(f"{path} was not read: {error}. The defaults hold.", stacklevel=2)
        return {}
    if not isinstance(content, dict):
        warnings.warn(f"{path} must hold a JSON object. The defaults hold.", stacklevel=2)
        return {}
    return {name: value for name in _CHECKS if (value := _checked(path, name, content)) is not None}


def _checked(path: Path, name: str, content: dict[str, Any]) -> Any:
    if name not in content:
        return None
    try:
        return _CHECKS[name](content[name])
    except ValueError as error:
        warnings.warn(f'{path}, "{name}": {error} The default holds.', stacklevel=2)
        return None
