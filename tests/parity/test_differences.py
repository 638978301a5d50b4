"""Every documented difference is one: both sides do what the table says of them."""

import importlib
import re

import nbformat
import numpy as np
import pytest

import differences
from convlab import layers, models
from parity import sides

CHECKED = differences.checked()


@pytest.mark.parametrize("code", CHECKED, ids=str)
def test_both_sides_do_what_the_table_of_differences_says(code):
    theirs, ours = (sides.outcome(side, code) for side in sides.BOTH)
    assert (theirs, ours) == (CHECKED[code].keras, CHECKED[code].convlab)
    assert theirs != ours


def test_every_difference_has_a_reason():
    entries = [entry for group in differences.DIFFERENCES.values() for entry in group]
    assert [
        entry for entry in entries if not (entry.keras and entry.convlab and entry.reason)
    ] == []


def test_no_expression_stands_twice():
    groups = differences.DIFFERENCES.values()
    codes = [code for group in groups for entry in group for code in entry.codes]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("module", sides.MODULES)
def test_public_names_that_are_here_are_those_the_page_lists(module, keras):
    theirs, ours = (
        {name for name in dir(importlib.import_module(f"{side}.{module}")) if name[0] != "_"}
        for side in sides.BOTH
    )
    total, here = differences.NAMES[module]
    assert total == len(theirs)
    assert set(here.split() or theirs) == theirs & ours


def test_the_page_moves_weights_from_keras_and_to_keras(keras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours = models.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    np.savez("from_convlab.npz", *ours.get_weights())
    names: dict = {}
    exec(_keras_block(), names)
    x = sides.image(2, 8, 8, 1)
    theirs = names["model"].predict(x, verbose=0)
    np.testing.assert_allclose(theirs, ours.predict(x, verbose=0), rtol=1e-5)
    with np.load("from_keras.npz") as arrays:
        ours.set_weights([arrays[name] for name in arrays])


def _keras_block():
    """What the page shows of Keras, and cannot run itself."""
    cells = nbformat.read(differences.PAGE, as_version=4).cells
    (block,) = re.findall(r"^```python\n(.*?)^```", "\n".join(c.source for c in cells), re.M | re.S)
    return block
