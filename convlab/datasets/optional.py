"""Packages that only some data sets need, imported when they are first used."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, package: str, caller: str, way_out: str = "") -> ModuleType:
    """Import `module`, or say which package brings it and how to install that.

    Examples
    --------
    >>> require("no_such_module", package="no-such-package", caller="load_nothing")
    Traceback (most recent call last):
        ...
    ImportError: `load_nothing` needs no-such-package, which cannot be imported. Install it \
with `pip install no-such-package`; the extra convlab[data] brings all that the data sets need.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"`{caller}` needs {package}, which cannot be imported. "
            f"Install it with `pip install {package}`; "
            f"the extra convlab[data] brings all that the data sets need.{way_out}"
        ) from error
