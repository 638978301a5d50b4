"""A pytest plugin: nbval compares the pictures of a notebook too.

By itself, nbval leaves PNG and JPEG outputs out of the comparison, and a cell whose picture
was tampered with passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import zip_longest
from typing import Any

from nbval.plugin import IPyNbCell

from pictures import describe, same_picture

COMPARED = ("image/png", "image/jpeg")
compare_all_but_pictures = IPyNbCell.compare_outputs


def pytest_configure() -> None:
    """Put the comparison in the place of nbval's own."""
    IPyNbCell.compare_outputs = compare_outputs


def compare_outputs(
    cell: IPyNbCell, test: Sequence[Any], ref: Sequence[Any], skip_compare: Sequence[str] = ()
) -> bool:
    """Compare a cell's new outputs with the committed ones, pictures by their pixels."""
    skipped = skip_compare or cell.parent.skip_compare
    kept = tuple(key for key in skipped if key not in COMPARED)
    return bool(compare_all_but_pictures(cell, *name_pictures(test, ref), skip_compare=kept))


def name_pictures(test: Sequence[Any], ref: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Put a description in the place of each picture: one for both where they are the same."""
    new, old = deepcopy(list(test)), deepcopy(list(ref))
    for one, other in zip_longest(pictures_of(new), pictures_of(old)):
        same = one and other and same_picture(one["image/png"], other["image/png"])
        for data in (one, other):
            if data:
                data["image/png"] = describe((other if same else data)["image/png"])
    return new, old


def pictures_of(outputs: Sequence[Any]) -> list[dict[str, str]]:
    """List the data of the outputs that hold a picture."""
    datas = [output.get("data", {}) for output in outputs]
    return [data for data in datas if "image/png" in data]
