"""The training dials: curves, signals and paths are those of the package."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

import numpy as np
import pytest

import explorer
import stages
from accessibility import violations
from convlab import (
    Variable,
    activations,
    constraints,
    conv2d,
    initializers,
    optimizers,
    regularizers,
)

ACTIVATIONS = explorer.parameters()["activation"]["activation"]["options"]
RULES = explorer.parameters()["initializer"]["initializer"]["options"]
# Corners and their neighbours, small and large numbers.
PLACES = [-40, -6, -3.0001, -3, -2.9, -1, -1e-3, 0, 1e-3, 0.5, 1, 2.4, 2.6, 3, 3.1, 5.9, 6, 6.1, 40]


def fact(page, name: str) -> str:
    return page.locator(f'[data-fact="{name}"] .cx-fact').inner_text()


def run(page, library: str) -> dict[str, Any]:
    """Run the code that is shown; what it prints is in "said"."""
    page.get_by_text("As code").click()
    page.locator(".cx-as-code").get_by_text(library, exact=True).click()
    names: dict[str, Any] = {}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(page.locator(".cx-code").inner_text(), names)
    return {**names, "said": said.getvalue()}


def test_activations_and_derivatives_are_those_of_the_package(page, stage):
    stages.show(page, stage, "activation")
    compute = """([name, places]) => {
      const [value, slope] = convlabExplorer.activations.ACTIVATIONS[name];
      return [places.map(value), places.map(slope)];
    }"""
    found = stages.ask(page, compute, [[name, PLACES] for name in ACTIVATIONS])
    x = np.array(PLACES, float)
    for name, (values, slopes) in zip(ACTIVATIONS, found, strict=True):
        y = activations.get(name)(x)
        np.testing.assert_allclose(values, y, rtol=1e-12, atol=1e-14, err_msg=name)
        wanted = activations.backward(name, np.ones_like(x), x, y)
        np.testing.assert_allclose(slopes, wanted, rtol=1e-9, atol=1e-12, err_msg=name)


def test_signal_and_gradient_after_layers(page, stage):
    stages.show(page, stage, "activation", activation="tanh", x=1.5, layers=3)
    x, gradient = np.array([1.5]), np.ones(1)
    assert f"f(1.5) = {np.tanh(1.5):.4f}" in fact(page, "tanh")
    for _ in range(3):
        y = activations.tanh(x)
        gradient = activations.backward("tanh", gradient, x, y)
        x = y
    assert f"signal {x[0]:.4f}, gradient {gradient[0]:.4f}" in fact(page, "tanh")
    names = run(page, "convlab")
    np.testing.assert_allclose([names["x"][0], names["gradient"][0]], [x[0], gradient[0]])


def test_the_place_follows_slider_and_pointer(page, stage):
    stages.show(page, stage, "activation", x=0)
    page.get_by_role("slider", name="x").focus()
    page.keyboard.press("ArrowRight")
    assert fact(page, "relu").startswith("f(0.1) = 0.1, derivative 1.")
    box = page.locator(".cx-plot").bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 50)
    assert re.match(r"f\(−[23].*\) = 0, derivative 0\.", fact(page, "relu"))


def test_spreads_are_those_of_the_package(page, stage):
    """The deviation of each rule, for the fans of a convolution with as many maps as before."""
    stages.show(page, stage, "initializer")
    fan = 16 * 9
    compute = """([name, fan]) => convlabExplorer.initializers.RULES[name][0](fan, fan)"""
    found = stages.ask(page, compute, [[name, fan] for name in RULES])
    for name, spread in zip(RULES, found, strict=True):
        drawn = initializers.get(name)((3, 3, 16, 16), "float64")
        wanted = drawn.std()
        # 2,304 numbers: their deviation is within a few hundredths of the rule's.
        assert spread == pytest.approx(wanted, rel=0.06, abs=1e-12), name


def test_weights_have_the_distribution_of_their_rule(page, stage):
    stages.show(page, stage, "initializer")
    compute = """(name) => { const { weights, chance } = convlabExplorer.initializers;
      return [...weights(name, 32, 3, chance(7))]; }"""
    for name, drawn in zip(RULES, stages.ask(page, compute, RULES), strict=True):
        wanted = initializers.get(name)((3, 3, 32, 32), "float64").ravel()
        values = np.array(drawn)
        spread = wanted.std()
        assert values.mean() == pytest.approx(wanted.mean(), abs=0.05 * spread + 1e-12), name
        assert values.std() == pytest.approx(spread, rel=0.05, abs=1e-12), name
        # A cut or uniform distribution ends where that of the package ends.
        if not name.startswith("random_normal"):
            assert abs(values).max() == pytest.approx(abs(wanted).max(), rel=0.02, abs=1e-12), name


def test_the_signal_is_what_the_package_makes_of_these_weights(page, stage):
    state = {"layers": 3, "channels": 4, "kernel_size": 2, "activation": "tanh", "bias": 0.3}
    stages.show(page, stage, "initializer", **state)
    script = """() => {
      const { all, kernels } = convlabExplorer.mounted[0].parts.initializer.signals();
      const plain = (lists) => lists.map((one) => [...one]);
      return { all: all.map(plain), kernels: plain(kernels) };
    }"""
    found = page.evaluate(script)
    maps = [np.reshape(planes, (4, 12, 12)).transpose(1, 2, 0)[None] for planes in found["all"]]
    for before, after, weights in zip(maps, maps[1:], found["kernels"], strict=False):
        kernel = np.reshape(weights, (4, 4, 2, 2)).transpose(2, 3, 1, 0)
        wanted = np.tanh(conv2d(before, kernel, np.full(4, 0.3), padding="same"))
        np.testing.assert_allclose(after, wanted, atol=1e-12)
    strength = np.sqrt((maps[3] ** 2).mean())
    assert f"strength {strength:.3f}".rstrip("0") in fact(page, "layer")


def test_another_throw_draws_other_weights(page, stage):
    stages.show(page, stage, "initializer")
    before = fact(page, "end")
    page.get_by_role("button", name="Throw again").click()
    assert fact(page, "end") != before
    page.get_by_role("button", name="more layers").click()
    assert page.get_by_role("spinbutton", name="look at").input_value() == "11"


def test_the_code_of_the_signal_runs(page, stage):
    stages.show(page, stage, "initializer", layers=4, bias=-0.5)
    lines = run(page, "convlab")["said"].splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4"]


def test_a_dead_start_is_told(page, stage):
    stages.show(page, stage, "initializer", initializer="zeros")
    assert "16 of 16 maps are 0 everywhere" in fact(page, "layer")


RULE_SETS: list[dict[str, Any]] = [
    {"regularizer": regularizer, "constraint": constraint, "strength": 0.35, "learning_rate": rate}
    for regularizer in ("none", "L1", "L2", "L1L2")
    for constraint in ("none", "NonNeg", "MaxNorm", "UnitNorm", "MinMaxNorm")
    for rate in (0.0625, 0.5)  # the package keeps the rate as a float32: these are exact
]


def path_of(state: dict[str, Any]) -> list[list[float]]:
    """The same descent with the package: its penalties, its constraints, its optimizer."""
    angle = np.deg2rad(state["turn"])
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    curvature = axes @ np.diag([1.0, state["stretch"]]) @ axes.T
    rule = {
        "none": None,
        "NonNeg": constraints.NonNeg(),
        "MaxNorm": constraints.MaxNorm(state["max_value"]),
        "UnitNorm": constraints.UnitNorm(),
        "MinMaxNorm": constraints.MinMaxNorm(
            state["min_value"], state["max_value"], rate=state["rate"]
        ),
    }[state["constraint"]]
    strength = state["strength"]
    penalty = {
        "none": regularizers.L2(0.0),
        "L1": regularizers.L1(strength),
        "L2": regularizers.L2(strength),
        "L1L2": regularizers.L1L2(strength, strength),
    }[state["regularizer"]]
    weight = Variable(np.array(state["start"], float), constraint=rule)
    sgd = optimizers.SGD(state["learning_rate"])
    places = [list(state["start"])]
    for _ in range(state["steps"]):
        w = weight.numpy()
        sgd.apply([curvature @ (w - state["minimum"]) + penalty.gradient(w)], [weight])
        places.append(weight.numpy().tolist())
    return places


def test_paths_are_those_of_the_package(page, stage):
    stages.show(page, stage, "weights")
    rest = {
        "start": [-2, 2.5], "minimum": [1.6, -0.7], "stretch": 3, "turn": 35, "steps": 40,
        "max_value": 1.2, "min_value": 0.6, "rate": 0.7,
    }  # fmt: skip
    states = [{**rest, **rules} for rules in RULE_SETS]
    found = stages.ask(page, "(state) => convlabExplorer.descent.path(state).places", states)
    for state, places in zip(states, found, strict=True):
        np.testing.assert_allclose(places, path_of(state), rtol=1e-9, atol=1e-9, err_msg=str(state))


@pytest.mark.parametrize("rules", [
    {"regularizer": "L1", "strength": 0.5},
    {"regularizer": "L1L2", "constraint": "MinMaxNorm", "rate": 0.5},
    {"constraint": "NonNeg", "a1": -1},
])  # fmt: skip
def test_the_weights_shown_are_what_the_code_ends_at(page, stage, rules):
    stages.show(page, stage, "weights", step=30, **rules)
    w = run(page, "convlab")["w"].numpy()
    shown = ", ".join(f"{one:.3f}".rstrip("0").rstrip(".").replace("-", "−") for one in w)
    assert f"({shown})".replace("(−0,", "(0,") in fact(page, "weights").replace("(−0,", "(0,")


def test_start_and_minimum_are_dragged(page, stage):
    stages.show(page, stage, "weights")
    for name, axis in (("cx-start", "start w₀"), ("cx-minimum", "least w₀")):
        dot = page.locator(f"circle.{name}").bounding_box()
        before = float(page.get_by_role("spinbutton", name=axis).input_value())
        page.mouse.move(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
        page.mouse.down()
        page.mouse.move(dot["x"] + dot["width"] / 2 - 40, dot["y"] + dot["height"] / 2)
        page.mouse.up()
        assert float(page.get_by_role("spinbutton", name=axis).input_value()) < before


def test_the_step_slider_walks_the_path(page, stage):
    stages.show(page, stage, "weights", steps=20, step=0, regularizer="L2")
    assert fact(page, "weights").startswith("(−2, 2.5)")
    page.get_by_role("slider", name="step", exact=True).focus()
    page.keyboard.press("End")
    assert fact(page, "step") == "20 of 20"


def test_controls_of_other_rules_are_hidden(page, stage):
    stages.show(page, stage, "weights")
    rate = page.get_by_label("rate", exact=True)
    assert not rate.is_visible()
    page.get_by_label("constraint").select_option("MinMaxNorm")
    assert rate.is_visible()


VIEWS = {
    "activation": {"activation": "gelu", "other": "sigmoid"},
    "initializer": {"initializer": "he_normal"},
    "weights": {"regularizer": "L1", "constraint": "MinMaxNorm"},
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("library", ["Keras"])
def test_the_code_for_keras_runs(page, stage, view, library):
    stages.need_keras()
    stages.show(page, stage, view, **VIEWS[view])
    assert run(page, library)["layer"] is not None


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", [{"width": width} for width in (320, 768)], indirect=True)
def test_nothing_is_wider_than_the_page(page, stage, view):
    stages.show(page, stage, view, **VIEWS[view])
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", [{"theme": theme} for theme in ("light", "dark")], indirect=True)
def test_axe_finds_nothing(page, stage, view):
    stages.show(page, stage, view, **VIEWS[view])
    assert violations(page) == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_state_comes_back_from_the_address(page, stage, view):
    stages.show(page, stage, view)
    control = {"activation": "more layers", "initializer": "less layers", "weights": "more steps"}
    page.get_by_role("button", name=control[view], exact=True).click()
    page.wait_for_function("location.hash.includes('view=')")
    facts, link = page.locator(".cx-facts").inner_text(), page.url
    page.goto("about:blank")
    page.goto(link)
    assert page.locator(".cx-facts").inner_text() == facts
