"""The view Receptive field: what a cell sees is what the package says."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest

import stages
from accessibility import violations
from convlab import Geometry, conv2d_input_gradient, receptive_field

STACK = "conv 3, conv 3 2, pool 2 2, conv 3 1 2"


def layers_of(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Draw one to five layers."""
    return [
        {
            "kind": str(rng.choice(["conv", "pool"])),
            "taps": int(rng.integers(1, 5)),
            "stride": int(rng.integers(1, 4)),
            "rate": int(rng.integers(1, 4)),
        }
        for _ in range(rng.integers(1, 6))
    ]


def geometries(layers: list[dict[str, Any]], size: int, padding: str) -> list[Geometry]:
    """The same layers as the package describes them, on an image of one row."""
    shape: tuple[int, ...] = (1, 1, size, 1)
    stack = []
    for layer in layers:
        rate = 1 if layer["kind"] == "pool" else layer["rate"]
        options = {"strides": layer["stride"], "padding": padding, "dilation_rate": (1, rate)}
        # A pooling reads as a convolution does: sizes and ways are alike.
        stack.append(Geometry.conv2d(shape, (1, layer["taps"], 1, 1), **options))
        shape = stack[-1].output_shape
    return stack


def ways_of(stack: list[Geometry], cell: int) -> list[int]:
    """How many ways lead from each pixel to a cell: the gradient of a stack of ones."""
    gradient = np.zeros(stack[-1].output_shape, int)
    gradient[0, 0, cell, 0] = 1
    for layer in reversed(stack):
        gradient = conv2d_input_gradient(
            gradient,
            np.ones(layer.kernel_shape, int),
            layer.input_shape,
            strides=layer.strides,
            padding=layer.padding,
            dilation_rate=layer.dilation_rate,
        )
    return gradient.ravel().astype(int).tolist()


def drawn(count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    cases = []
    for _ in range(count):
        layers, padding = layers_of(rng), str(rng.choice(["valid", "same"]))
        size = int(rng.integers(4, 41))
        case: dict[str, Any] = {"layers": layers, "size": size, "padding": padding, "cell": 0}
        try:
            stack = geometries(layers, size, padding)
        except ValueError:
            cases.append({"state": case, "answer": None})
            continue
        cells = stack[-1].output_size[1]
        case["cell"] = int(rng.integers(0, cells))
        field = receptive_field(stack)
        answer = {
            "size": field.size[1],
            "jump": field.jump[1],
            "start": field.start[1],
            "cells": cells,
            "ways": ways_of(stack, case["cell"]),
        }
        cases.append({"state": case, "answer": answer})
    return cases


COMPUTE = """({state}) => {
  const { stack } = convlabExplorer;
  const layers = stack.keep(state.layers);
  const traced = stack.trace(layers, state.size, state.padding);
  if (traced.refusal !== null) return null;
  const field = traced.fields[traced.fields.length - 1];
  const found = stack.ways(traced.lines, state.cell)[0];
  const ways = Array.from({ length: state.size }, (_, at) => found.get(at) || 0);
  return { size: field.size, jump: field.jump, start: field.start, cells: traced.count, ways };
}"""


def fact(page, name: str) -> str:
    return page.locator(f'[data-fact="{name}"] .cx-fact').inner_text()


def test_fields_and_ways_equal_those_of_the_package(page, stage):
    cases = drawn(250)
    assert 20 < sum(case["answer"] is None for case in cases) < 125
    stages.show(page, stage, "field")
    answers = stages.ask(page, COMPUTE, [{"state": case["state"]} for case in cases])
    for case, found in zip(cases, answers, strict=True):
        assert found == case["answer"], case["state"]


def test_the_facts_shown_are_the_packages(page, stage):
    stages.show(page, stage, "field", layers=STACK, size=36, cell=2)
    stack = [
        Geometry.conv2d((1, 36, 36, 1), (3, 3, 1, 1)),
        Geometry.conv2d((1, 34, 34, 1), (3, 3, 1, 1), strides=2),
        Geometry.pool2d((1, 16, 16, 1), 2),
        Geometry.conv2d((1, 8, 8, 1), (3, 3, 1, 1), dilation_rate=2),
    ]
    field = receptive_field(stack)
    assert fact(page, "size") == f"{field.size[0]} × {field.size[1]} pixels"
    assert fact(page, "jump").startswith(f"{field.jump[0]} pixels")
    middle = field.center[0] + 2 * field.jump[0]
    assert f"pixel ({middle:g}, {middle:g})" in fact(page, "centre")
    read = np.count_nonzero(ways_of([*geometries(
        [{"kind": "conv", "taps": 3, "stride": 1, "rate": 1},
         {"kind": "conv", "taps": 3, "stride": 2, "rate": 1},
         {"kind": "pool", "taps": 2, "stride": 2, "rate": 1},
         {"kind": "conv", "taps": 3, "stride": 1, "rate": 2}], 36, "valid")], 2))  # fmt: skip
    assert fact(page, "read").startswith(f"{read**2} of {field.size[0] ** 2} pixels")


def test_the_effective_share_is_the_one_of_the_chapter(page, stage):
    """Nine averages, as in the chapter on kernel_size: a bell."""
    ways = np.ones(1, int)
    for _ in range(6):
        ways = np.convolve(ways, [1, 1, 1])
    stages.show(page, stage, "field", layers=", ".join(["conv 3"] * 6), size=13, cell=0)
    shares = {width: (ways[(13 - width) // 2 : (13 + width) // 2].sum() / ways.sum()) ** 2
              for width in range(1, 14, 2)}  # fmt: skip
    width = next(width for width, share in shares.items() if share >= 0.95)
    assert fact(page, "effective") == (
        f"the middle {width} × {width} has {100 * shares[width]:.0f} % of the weight, "
        f"and is {100 * width**2 / 13**2:.0f} % of the field"
    )


def test_layers_are_added_changed_and_removed(page, stage):
    stages.show(page, stage, "field", layers="conv 3", size=20)
    assert fact(page, "size") == "3 × 3 pixels"
    page.get_by_role("button", name="Add a layer").click()
    assert fact(page, "size") == "5 × 5 pixels"
    page.get_by_role("button", name="more layer 1, stride").click()
    assert fact(page, "size") == "7 × 7 pixels"
    page.get_by_role("button", name="more layer 2, dilation").click()
    assert fact(page, "size") == "11 × 11 pixels"
    page.get_by_label("layer 2, kind").select_option("pool")
    assert fact(page, "size") == "7 × 7 pixels"
    page.get_by_role("button", name="remove layer 1").click()
    assert fact(page, "size") == "3 × 3 pixels"
    assert page.get_by_role("button", name="remove layer 1").is_disabled()


def test_the_field_follows_pointer_and_keys(page, stage):
    stages.show(page, stage, "field", layers="conv 3, conv 3 2", size=21, cell=0)
    assert "from 0 to 4" in fact(page, "centre")
    page.get_by_role("slider", name="cell of the last map").focus()
    page.keyboard.press("ArrowRight")
    assert "from 2 to 6" in fact(page, "centre")
    # The cells are drawn anew as the pointer moves: so their places are taken beforehand.
    cells = page.locator(".cx-side .cx-spot-output")
    third, seventh = (cells.nth(at).bounding_box() for at in (3, 7))
    page.mouse.move(third["x"] + 2, third["y"] + 2)
    page.mouse.down()
    assert "from 6 to 10" in fact(page, "centre")
    page.mouse.move(seventh["x"] + 2, seventh["y"] + 2)
    page.mouse.up()
    assert "from 14 to 18" in fact(page, "centre")
    assert page.locator(".cx-side .cx-spot-input.cx-seen").count() == 5


def seen(page) -> list[int]:
    """How many cells of each map are marked, the last map first."""
    roles = [".cx-spot-output", ".cx-spot-between", ".cx-spot-input"]
    return [page.locator(f".cx-side {role}.cx-seen").count() for role in roles]


def test_the_field_grows_back_through_the_stack(page, stage):
    page.clock.install()
    stages.show(page, stage, "field", layers="conv 3, conv 3", size=9, cell=2)
    assert seen(page) == [1, 3, 5]
    page.get_by_role("button", name="Grow").click()
    assert seen(page) == [1, 0, 0]
    page.clock.run_for(800)
    assert seen(page)[1] == 3
    page.clock.run_for(3000)
    assert seen(page) == [1, 3, 5]
    page.get_by_role("button", name="one layer less").click()
    assert seen(page) == [1, 3, 0]
    page.get_by_role("button", name="one layer further back").click()
    assert page.get_by_role("button", name="Grow").is_visible()
    assert seen(page) == [1, 3, 5]


def test_a_stack_that_does_not_fit_says_which_layer(page, stage):
    stages.show(page, stage, "field", layers="conv 5, conv 5", size=7)
    assert "Layer 2 does not fit" in page.locator(".cx-refusal").inner_text()


@pytest.mark.parametrize("library", ["convlab", "Keras"])
def test_the_code_gives_the_same_field(page, stage, library):
    if library == "Keras":
        stages.need_keras()
    stages.show(page, stage, "field", layers=STACK, size=36, padding="same", cell=0)
    page.get_by_text("As code").click()
    page.locator(".cx-as-code").get_by_text(library, exact=True).click()
    said = io.StringIO()
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(said):
        exec(page.locator(".cx-code").inner_text(), names)
    if library == "Keras":
        cells = names["model"].output_shape[1]
        assert page.locator(".cx-where").first.inner_text() == f"1 of {cells}"
    else:
        size = names["field"].size
        assert fact(page, "size") == f"{size[0]} × {size[1]} pixels"


@pytest.mark.parametrize("page", [{"width": width} for width in (320, 768)], indirect=True)
def test_nothing_is_wider_than_the_page(page, stage):
    for state in ({"layers": STACK, "size": 40}, {"layers": ", ".join(["conv 7"] * 6), "size": 40}):
        stages.show(page, stage, "field", **state)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0


@pytest.mark.parametrize("page", [{"theme": theme} for theme in ("light", "dark")], indirect=True)
def test_axe_finds_nothing(page, stage):
    stages.show(page, stage, "field", layers=STACK, size=30, padding="same")
    assert violations(page) == []


def test_tabs_carry_what_views_share(page, stage):
    folder, address = stage
    views = ["sweep", "wiring", "field"]
    stages.write(folder, "tabs", stages.mounted("sweep", views=views, channels=4, filters=2))
    page.goto(f"{address}/tabs.html")
    page.get_by_role("tab", name="Wiring").click()
    assert page.locator(".cx-node-channel").count() == 4
    assert page.locator(".cx-node-filter").count() == 2
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Receptive field").get_attribute("aria-selected") == "true"
    assert page.locator(".cx-side").is_visible()
    page.wait_for_function("location.hash.includes('view=field')")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    assert page.locator(".cx-side").is_visible()


def test_who_sees_the_whole_way_back_sees_it_with_a_further_layer(page, stage):
    stages.show(page, stage, "field", layers="conv 3, conv 3", size=17, back=2)
    assert seen(page) == [1, 3, 5]
    page.get_by_role("button", name="Add a layer").click()
    assert seen(page) == [1, 3 + 5, 7]
