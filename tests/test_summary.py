"""The table of a model: the facts, the form, and what a page makes of it."""

import io
import re
import sys

import numpy as np
import pytest
from bs4 import BeautifulSoup

import test_configs
from convlab import layers, models
from convlab.models.summary import summary_html


def text_of(model, line_length=88):
    texts = []
    assert model.summary(line_length=line_length, print_fn=texts.append) is None
    (text,) = texts
    return text


CHAIN = """\
Model: "chain"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ Layer (type)             ┃ Output Shape      ┃   Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ a (Conv2D)               │ (None, 6, 6, 2)   │        38 │
├──────────────────────────┼───────────────────┼───────────┤
│ b (Conv2D)               │ (None, 6, 6, 2)   │        38 │
└──────────────────────────┴───────────────────┴───────────┘
 Total params: 76 (304.00 B)
 Trainable params: 76 (304.00 B)
 Non-trainable params: 0 (0.00 B)
"""

RESIDUAL = """\
Model: "residual"
┏━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━┳━━━━━━━━━━━┓
┃ Layer      ┃ Output   ┃ Par… ┃ Connected ┃
┃ (type)     ┃ Shape    ┃    # ┃ to        ┃
┡━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━╇━━━━━━━━━━━┩
│ image      │ (None,   │    0 │ -         │
│ (InputLay… │ 6, 6, 2) │      │           │
├────────────┼──────────┼──────┼───────────┤
│ a (Conv2D) │ (None,   │   38 │ image[0]… │
│            │ 6, 6, 2) │      │           │
├────────────┼──────────┼──────┼───────────┤
│ sum (Add)  │ (None,   │    0 │ image[0]… │
│            │ 6, 6, 2) │      │ a[0][0]   │
└────────────┴──────────┴──────┴───────────┘
 Total params: 38 (152.00 B)
 Trainable params: 38 (152.00 B)
 Non-trainable params: 0 (0.00 B)
"""


def test_a_chain_looks_as_in_keras():
    assert text_of(test_configs.chain(), 60) == CHAIN


def test_a_graph_says_what_is_connected_to_what():
    assert text_of(test_configs.residual(), 44) == RESIDUAL


def test_a_shared_layer_is_one_row_with_all_its_sources():
    row = next(line for line in text_of(test_configs.shared(), 150).split("\n") if "twice" in line)
    assert "one[0][0], other[0][0], twice[1][0]" in row


@pytest.mark.parametrize("make", test_configs.MODELS)
@pytest.mark.parametrize("length", [44, 61, 88, 140])
def test_every_line_of_the_table_is_as_long_as_asked_for(make, length):
    lines = text_of(make(), length).split("\n")
    assert {len(line) for line in lines if line[:1] in tuple("┏┃┡│├└")} == {length}


def test_the_width_follows_the_screen(monkeypatch, capsys):
    for columns, chain, graph in [(60, 56, 56), (80, 76, 76), (300, 88, 108)]:
        monkeypatch.setenv("COLUMNS", str(columns))
        test_configs.chain().summary()
        assert len(capsys.readouterr().out.split("\n")[1]) == chain
        test_configs.residual().summary()
        assert len(capsys.readouterr().out.split("\n")[1]) == graph


def test_wide_signs_count_twice():
    model = models.Sequential([layers.Input((2,)), layers.Dense(2, name="畳み込み")])
    row = next(line for line in text_of(model, 60).split("\n") if "Dense" in line)
    assert len(row) == 60 - 4


def test_a_model_that_is_not_built_says_so():
    text = text_of(test_configs.unbuilt())
    assert re.search(r"a \(Conv2D\) +│ \? +│ +0 \(unbuilt\) │", text)
    assert "Total params: 0 (0.00 B)" in text


def test_frozen_and_optimizer_parameters_are_counted_apart():
    frozen = layers.Dense(2, trainable=False)
    model = models.Sequential([layers.Input((4,)), frozen, layers.Dense(3)])
    model.compile("adam", loss="mse")
    model.fit(np.zeros((4, 4)), np.zeros((4, 3)), verbose=0)
    assert text_of(model).endswith(
        " Total params: 39 (156.00 B)\n"
        " Trainable params: 9 (36.00 B)\n"
        " Non-trainable params: 10 (40.00 B)\n"
        " Optimizer params: 20 (80.00 B)\n"
    )


def test_large_numbers_are_grouped_and_sizes_have_units():
    model = models.Sequential([layers.Input((1000,)), layers.Dense(2000, dtype="float64")])
    assert " Total params: 2,002,000 (15.27 MB)\n" in text_of(model)


def test_a_line_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match=r"Insufficient console width.*line_length=12"):
        test_configs.chain().summary(line_length=12)


def test_a_screen_without_lines_gets_plain_ones(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    test_configs.chain().summary(line_length=60)
    screen.flush()
    text = screen.buffer.getvalue().decode("ascii")
    assert "| a (Conv2D)" in text
    assert "+====" in text


def test_a_page_gets_a_table_with_named_rows_and_columns():
    page = BeautifulSoup(test_configs.residual()._repr_html_(), "html.parser")
    assert page.caption.text == "Model: residual"
    head = [cell.text for cell in page.thead.find_all("th", scope="col")]
    assert head == ["Layer (type)", "Output Shape", "Param #", "Connected to"]
    rows = [[cell.text for cell in row.find_all(["th", "td"])] for row in page.tbody.find_all("tr")]
    assert rows[1] == ["a (Conv2D)", "(None, 6, 6, 2)", "38", "image[0][0]"]
    assert all(row.th["scope"] == "row" for row in page.tbody.find_all("tr"))
    assert [row.th.text for row in page.tfoot.find_all("tr")] == [
        "Total params", "Trainable params", "Non-trainable params"
    ]  # fmt: skip


@pytest.mark.parametrize("make", test_configs.MODELS)
def test_every_row_of_the_page_has_the_same_width(make):
    page = BeautifulSoup(summary_html(make()), "html.parser")
    widths = {
        sum(int(cell.get("colspan", 1)) for cell in row.find_all(["th", "td"]))
        for row in page.find_all("tr")
    }
    assert len(widths) == 1


def test_names_cannot_break_the_page():
    model = models.Sequential([layers.Input((2,)), layers.Dense(2, name="<b>&")], name="<script>")
    text = summary_html(model)
    assert "<script>" not in text
    assert "<b>" not in text
    assert BeautifulSoup(text, "html.parser").tbody.th.text == "<b>& (Dense)"


def test_a_page_keeps_its_own_colours():
    assert "color" not in summary_html(test_configs.chain())
