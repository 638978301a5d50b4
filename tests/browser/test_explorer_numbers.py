"""The explorer's numbers are convlab's: sizes, padding and integers exactly."""

from __future__ import annotations

import pytest

import layer_cases
import stages

CASES = layer_cases.drawn()

# The same in the page, from what the view itself uses.
COMPUTE = """({state, x, kernel, bias}) => {
  const { sizes, layer, sweepWords } = convlabExplorer;
  const all = layer.of({ ...state, x, kernel, bias, x_fill: "ones", kernel_fill: "ones" });
  const { down, across } = all.layer;
  if (all.layer.refusal) return null;
  return {
    pads: [down.before, down.after, across.before, across.after],
    inputShape: all.layer.inputShape,
    kernelShape: all.layer.kernelShape,
    outputShape: all.layer.outputShape,
    reads: [sizes.reads(down), sizes.reads(across)],
    unread: sweepWords.unreadCount(all.layer),
    parameters: all.layer.parameters,
    multiplyAdds: all.layer.multiplyAdds,
    window: [sizes.places(down, 0), sizes.places(across, 0)],
    output: all.output,
  };
}"""


def test_cases_reach_every_kind_of_layer():
    states = [case["state"] for case in CASES]
    refused = [case["answer"] is None for case in CASES]
    assert len(CASES) >= 500
    assert 50 < sum(refused) < 250
    answered = [state for state, no in zip(states, refused, strict=True) if not no]
    assert all(
        sum(state["padding"] == word for state in answered) > 100 for word in ("valid", "same")
    )
    assert sum(state["groups"] > 1 for state in answered) > 50
    assert sum(max(state["strides"]) > 1 for state in answered) > 100
    assert sum(max(state["dilation_rate"]) > 1 for state in answered) > 100
    assert sum(state["kernel_size"][0] % 2 == 0 for state in answered) > 100


def test_sizes_padding_and_sums_equal_those_of_the_package(page, stage):
    stages.show(page, stage, "sweep")
    bare = [{key: value for key, value in case.items() if key != "answer"} for case in CASES]
    answers = stages.ask(page, COMPUTE, bare)
    for case, found in zip(CASES, answers, strict=True):
        assert found == case["answer"], case["state"]


@pytest.mark.parametrize("case", layer_cases.drawn(24, seed=8))
def test_the_page_shows_what_the_package_computes(page, stage, case):
    state, wanted = case["state"], case["answer"]
    own = {name: ",".join(map(str, case[name])) for name in ("x", "kernel", "bias")}
    texts = {name: value if isinstance(value, str) else str(value) for name, value in state.items()}
    pairs = {
        name: "x".join(map(str, value)) for name, value in state.items() if isinstance(value, list)
    }
    stages.show(page, stage, "sweep", **{**texts, **pairs, **own})
    refusal = page.locator(".cx-refusal").inner_text()
    shown = stages.planes(page, "output")
    if wanted is None:
        assert refusal
        assert shown == []
        return
    assert refusal == ""
    assert [number for plane in shown for row in plane for number in row] == wanted["output"]
    words = page.locator(".cx-shapes").inner_text()
    assert str(tuple(wanted["outputShape"])) in words
    assert f"{wanted['multiplyAdds']:,} multiply-add" in page.locator(".cx-counts").inner_text()
    top, bottom, left, right = wanted["pads"]
    rows = stages.numbers(page, "input")
    assert len(rows) == state["height"] + top + bottom
    assert len(rows[0]) == state["width"] + left + right
    if state["padding"] == "same":
        axes = page.locator(".cx-axes").inner_text()
        assert f"{top} above, {bottom} below" in axes
        assert f"{left} left, {right} right" in axes
