"""The view Wiring: who feeds whom, and counts that are the package's."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

import pytest

import stages
from accessibility import violations
from convlab import Geometry

GROUPED = {"channels": 6, "filters": 4, "groups": 2, "kernel_size": "3x5", "strides": 2}


def cell(page, name: str) -> int:
    text = page.locator(f'.cx-table [data-cell="{name}"]').inner_text()
    return int(text.replace(",", ""))


def layer(channels, filters, groups, kernel=(3, 3), size=28, **options) -> Geometry:
    shape = (*kernel, channels // groups, filters)
    options = {"padding": "same", **options}
    return Geometry.conv2d((1, size, size, channels), shape, groups=groups, **options)


def reading(page) -> str:
    return page.locator(".cx-reading").inner_text()


def test_parameters_and_multiply_adds_are_those_of_the_package(page, stage):
    stages.show(page, stage, "wiring", **GROUPED)
    own, plain = (layer(6, 4, groups, (3, 5), strides=2) for groups in (2, 1))
    assert cell(page, "groups=2 parameters") == own.parameters()
    assert cell(page, "groups=2 multiplyAdds") == own.multiply_adds
    assert cell(page, "ordinary layer parameters") == plain.parameters()
    assert cell(page, "ordinary layer multiplyAdds") == plain.multiply_adds
    share = page.locator('[data-cell="share multiplyAdds"]').inner_text()
    assert share == "50 %"


def test_the_counts_follow_every_control(page, stage):
    stages.show(page, stage, "wiring", channels=4, filters=4)
    for control in ("more channels", "more filters", "less height", "more kernel_size, width"):
        page.get_by_role("button", name=control, exact=True).click()
    page.get_by_label("use_bias").uncheck()
    page.get_by_text("valid", exact=True).click()
    wanted = Geometry.conv2d((1, 27, 28, 5), (4, 4, 5, 5))
    assert cell(page, "this layer parameters") == wanted.parameters(use_bias=False)
    assert cell(page, "this layer multiplyAdds") == wanted.multiply_adds


def test_a_depthwise_layer_with_a_mixing_one_counts_both(page, stage):
    stages.show(page, stage, "wiring", channels=4, filters=6, mix="true", mixed=5)
    page.get_by_role("button", name="depthwise").click()
    around, mixing = layer(4, 4, 4), layer(4, 5, 1, (1, 1))
    assert cell(page, "depthwise parameters") == around.parameters()
    assert cell(page, "1 × 1 multiplyAdds") == mixing.multiply_adds
    assert cell(page, "together parameters") == around.parameters() + mixing.parameters()
    assert cell(page, "ordinary layer parameters") == layer(4, 5, 1).parameters()


def test_each_filter_sees_the_channels_of_its_group(page, stage):
    stages.show(page, stage, "wiring", **GROUPED)
    page.get_by_role("button", name="filter 3").hover()
    assert reading(page) == "Filter 3 sees channels 3 to 5: 3 slices of 3 × 5 weights."
    lit = page.locator(".cx-node-channel.cx-on").all_inner_texts()
    assert lit == ["3", "4", "5"]
    assert page.locator(".cx-line-wire").count() == 4 * 3
    assert page.locator(".cx-line-wire.cx-on").count() == 3
    page.get_by_role("button", name="channel 0").hover()
    assert reading(page) == "Channel 0 feeds filters 0 and 1."


def test_keys_move_from_node_to_node(page, stage):
    stages.show(page, stage, "wiring", **GROUPED)
    page.get_by_role("button", name="filter 0").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "filter 2"
    assert "Filter 2 sees" in reading(page)


def test_groups_that_do_not_divide_are_refused_in_words(page, stage):
    stages.show(page, stage, "wiring", channels=4, filters=6, groups=3)
    assert "3 groups do not divide 4 channels evenly." in page.locator(".cx-refusal").inner_text()
    assert page.locator(".cx-line-wire").count() == 0


@pytest.mark.parametrize("library", ["convlab", "Keras"])
@pytest.mark.parametrize("state", [GROUPED, {"mix": "true", "groups": 4, "use_bias": "false"}])
def test_the_code_counts_the_same(page, stage, state, library):
    if library == "Keras":
        stages.need_keras()
    stages.show(page, stage, "wiring", **state)
    page.get_by_text("As code").click()
    page.locator(".cx-as-code").get_by_text(library, exact=True).click()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(page.locator(".cx-code").inner_text(), {})
    printed = [int(number) for number in re.findall(r"\d+", said.getvalue())]
    rows = page.locator(".cx-table tbody [data-cell$=parameters]").all_inner_texts()[:-1]
    counts = [int(row.replace(",", "")) for row in rows]
    assert counts[-1] == (sum(printed[::2]) if library == "convlab" else printed[0])


@pytest.mark.parametrize("page", [{"width": width} for width in (320, 768)], indirect=True)
def test_nothing_is_wider_than_the_page(page, stage):
    states: list[dict[str, Any]] = [
        {"channels": 12, "filters": 12, "groups": 3},
        {"channels": 4, "filters": 8, "groups": 4, "mix": "true", "mixed": 12, "height": 512},
    ]
    for state in states:
        stages.show(page, stage, "wiring", **state)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0


@pytest.mark.parametrize("page", [{"theme": theme} for theme in ("light", "dark")], indirect=True)
def test_axe_finds_nothing(page, stage):
    stages.show(page, stage, "wiring", **{**GROUPED, "mix": "true"})
    assert violations(page) == []


@pytest.mark.parametrize("name", ["two groups", "depthwise"])
@pytest.mark.parametrize("nodes", [1, 2, 3, 7])
def test_groups_at_once_find_channels_and_filters_that_they_divide(page, stage, name, nodes):
    stages.show(page, stage, "wiring", channels=nodes, filters=1)
    page.get_by_role("button", name=name).click()
    assert page.locator(".cx-refusal").inner_text() == ""
    assert "possible slices" in reading(page)
    channels, filters = (page.locator(f".cx-node-{one}").count() for one in ("channel", "filter"))
    groups = int(page.get_by_label("groups", exact=True).input_value())
    assert groups == (2 if name == "two groups" else channels)
    assert channels % groups == filters % groups == 0
    assert channels >= (4 if nodes == 1 or name == "two groups" else nodes)


def test_a_refusal_stands_where_the_words_were(page, stage):
    stages.show(page, stage, "wiring", channels=4, filters=3, groups=2)
    assert "do not divide" in page.locator(".cx-refusal").inner_text()
    assert not page.locator(".cx-reading").is_visible()
