"""The view Sweep answers to pointer, finger and keyboard, and keeps its state in the address."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest

import stages
from accessibility import violations
from convlab import Geometry, conv2d

SQUARE = {"height": 6, "width": 7, "kernel_size": "3x2", "strides": 2}
SEVERAL = {"height": 5, "width": 5, "channels": 4, "filters": 4, "groups": 2, "strides": 2}
STATES: list[dict[str, Any]] = [
    SQUARE,
    SEVERAL,
    {"padding": "same", "kernel_size": 4, "dilation_rate": 2},
    {"use_bias": "true", "filters": 2, "data_format": "channels_first", "channels": 3},
    {"height": 2, "kernel_size": 3},
]
WIDEST = {
    "height": 12,
    "width": 12,
    "padding": "same",
    "kernel_size": 7,
    "channels": 4,
    "filters": 4,
}


def lit(page, role: str, at: int = 0) -> set[tuple[int, int]]:
    """The places of the cells that are marked on one plane."""
    plane = page.locator(f".cx-of-{role} .cx-grid").nth(at)
    texts = plane.locator(".cx-lit").evaluate_all("(cells) => cells.map((one) => one.dataset.at)")
    return {tuple(map(int, text.split())) for text in texts}


def cell(page, role: str, row: int, column: int, at: int = 0):
    plane = page.locator(f".cx-of-{role} .cx-grid").nth(at)
    return plane.locator(f'[data-at="{row} {column}"]')


def reading(page) -> str:
    return page.locator(".cx-reading").inner_text()


def where(page) -> str:
    return page.locator(".cx-where").inner_text()


def focused(page) -> str:
    return page.evaluate("document.activeElement.dataset.at")


def test_pointer_on_an_output_lights_its_window_and_writes_the_sum(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    x, kernel = np.array(stages.numbers(page, "input")), np.array(stages.numbers(page, "kernel"))
    cell(page, "output", 1, 2).hover()
    rows, columns = Geometry.conv2d((1, 6, 7, 1), (3, 2, 1, 1), strides=2).window(1, 2)
    assert lit(page, "input") == {(row, column) for row in rows for column in columns}
    window = x[np.ix_(rows, columns)]
    products = [
        f"{value:.0f}·{weight:.0f}" if weight >= 0 else f"{value:.0f}·(−{-weight:.0f})"
        for value, weight in zip(window.ravel(), kernel.ravel(), strict=True)
    ]
    total = f"{(window * kernel).sum():.0f}".replace("-", "−")
    assert f"{' + '.join(products)} = {total}" in reading(page)
    assert f"y[0, 1, 2, 0] = {total}" in reading(page)


def test_pointer_on_an_input_lights_every_output_that_reads_it(page, stage):
    stages.show(page, stage, "sweep", height=6, width=6, padding="same", strides="1x2")
    geometry = Geometry.conv2d((1, 6, 6, 1), (3, 3, 1, 1), padding="same", strides=(1, 2))
    for pixel in ((0, 0), (3, 3), (5, 5)):
        cell(page, "input", *pixel).hover()
        readers = {
            (row, column)
            for row in range(geometry.output_size[0])
            for column in range(geometry.output_size[1])
            if pixel[0] in geometry.window(row, column)[0]
            and pixel[1] in geometry.window(row, column)[1]
        }
        assert lit(page, "output") == readers
        assert f"Read by {len(readers)} cell" in reading(page)


def test_a_pixel_is_read_by_the_maps_of_its_group_only(page, stage):
    stages.show(page, stage, "sweep", **SEVERAL)
    cell(page, "input", 2, 2, at=3).hover()
    counts = [len(lit(page, "output", at)) for at in range(4)]
    assert counts[:2] == [0, 0]
    assert counts[2] == counts[3] > 0


def test_pixels_that_no_output_reads_are_crossed_out_and_counted(page, stage):
    stages.show(page, stage, "sweep", height=7, width=10, kernel_size=2, strides=3)
    geometry = Geometry.conv2d((1, 7, 10, 1), (2, 2, 1, 1), strides=3)
    marks = page.locator(".cx-unread").evaluate_all("(cells) => cells.map((one) => one.dataset.at)")
    wanted = {
        f"{row} {column}"
        for row in range(7)
        for column in range(10)
        if row in geometry.unread_rows or column in geometry.unread_columns
    }
    assert set(marks) == wanted
    assert (
        f"{geometry.unread_pixels} pixels that no output reads"
        in page.locator(".cx-legend").inner_text()
    )
    unread = cell(page, "input", 2, 0)
    assert "not read by any output" in unread.get_attribute("aria-label")
    unread.hover()
    assert "No output reads it" in reading(page)


def test_keys_move_through_the_output_and_the_window_follows(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    cell(page, "output", 0, 0).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "1 1"
    assert where(page) == "5 of 6"
    assert min(lit(page, "input")) == (2, 2)
    page.keyboard.press("End")
    assert focused(page) == "1 2"
    page.keyboard.press("ArrowRight")
    assert focused(page) == "1 2"
    page.keyboard.press("Home")
    assert where(page) == "4 of 6"


def test_only_one_cell_of_a_grid_takes_the_tab_key(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    for role in ("input", "kernel", "output"):
        assert page.locator(f'.cx-of-{role} .cx-cell[tabindex="0"]').count() == 1
    cell(page, "input", 0, 0).focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.cx-of-kernel') !== null")


def test_typing_a_number_changes_input_and_kernel(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    cell(page, "input", 1, 1).focus()
    page.keyboard.type("-7")
    page.keyboard.press("Enter")
    cell(page, "kernel", 2, 1).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("1/4")
    page.keyboard.press("Enter")
    x, kernel = np.array(stages.numbers(page, "input")), np.array(stages.numbers(page, "kernel"))
    assert (x[1, 1], kernel[2, 1]) == (-7, 0.25)
    wanted = conv2d(x[None, :, :, None], kernel[:, :, None, None], strides=2)[0, :, :, 0]
    np.testing.assert_allclose(stages.numbers(page, "output"), wanted, atol=0.0051)


def test_escape_leaves_a_number_as_it_was_and_nonsense_does_not_enter(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    before = stages.numbers(page, "input")
    for text, key in (("8", "Escape"), ("1-2", "Enter"), ("-", "Enter")):
        cell(page, "input", 0, 3).focus()
        page.keyboard.type(text)
        page.keyboard.press(key)
        assert focused(page) == "0 3"
    assert stages.numbers(page, "input") == before


def test_a_double_click_edits_too(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    cell(page, "input", 0, 0).dblclick()
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    assert stages.numbers(page, "input")[0][0] == 9


def test_what_the_reader_wrote_stays_when_sizes_change(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    cell(page, "input", 2, 2).focus()
    page.keyboard.type("77")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="more width").click()
    page.get_by_role("button", name="less height").click()
    assert np.shape(stages.numbers(page, "input")) == (5, 8)
    assert stages.numbers(page, "input")[2][2] == 77


def test_steps_and_the_slider_move_the_window(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    page.get_by_role("button", name="one cell on").click()
    assert where(page) == "2 of 6"
    page.get_by_role("button", name="one cell back").click()
    page.get_by_role("button", name="one cell back").click()
    assert where(page) == "1 of 6"
    page.get_by_role("slider", name="cell of the output").fill("4")
    assert where(page) == "5 of 6"
    page.get_by_role("button", name="first cell").click()
    assert where(page) == "1 of 6"


def test_play_runs_to_the_end_and_stops(page, stage):
    page.clock.install()
    stages.show(page, stage, "sweep", **SQUARE)
    page.get_by_role("button", name="play").click()
    page.clock.run_for(1400)
    page.get_by_role("button", name="pause").click()
    stopped = where(page)
    assert stopped >= "3 of 6"
    page.clock.run_for(3000)
    assert where(page) == stopped
    cell(page, "output", 0, 2).focus()
    page.keyboard.press("Space")
    page.clock.run_for(9000)
    assert where(page) == "6 of 6"
    assert page.get_by_role("button", name="play").is_visible()


def test_the_window_follows_a_drag(page, stage):
    stages.show(page, stage, "sweep", height=8, width=8)
    start, end = cell(page, "input", 1, 1), cell(page, "input", 4, 6)
    start.hover()
    page.mouse.down()
    end.hover()
    page.mouse.up()
    page.mouse.move(0, 0)
    assert where(page) == "24 of 36"  # row 3, column 5: the window around (4, 6)
    assert (3, 5) in lit(page, "input")


@pytest.mark.parametrize("page", [{"width": 360, "has_touch": True}], indirect=True)
def test_a_finger_picks_a_cell(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    cell(page, "output", 1, 1).tap()
    assert where(page) == "5 of 6"
    cell(page, "input", 2, 2).tap()
    assert "Read by" in reading(page)


def test_the_state_is_in_the_address_and_comes_back_from_it(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    page.get_by_role("button", name="more channels").click()
    page.get_by_text("same", exact=True).click()
    cell(page, "kernel", 0, 0).focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    cell(page, "output", 1, 1).focus()
    page.wait_for_function("location.hash.includes('cell=1')")
    shown = [stages.planes(page, role) for role in ("input", "kernel", "output")]
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    assert [stages.planes(page, role) for role in ("input", "kernel", "output")] == shown
    assert "padding=same" in link
    assert where(page) == "6 of 12"


def test_an_address_with_nonsense_still_shows_a_layer(page, stage):
    nonsense = "#explorer-1?view=sweep&height=99&strides=x&padding=full&kernel=1,2,a&cell=50&junk=1"
    stages.show(page, stage, "sweep", hash=nonsense)
    assert len(stages.numbers(page, "input")) == 12
    assert where(page).endswith("of 40")


def test_reset_brings_back_the_beginning(page, stage):
    stages.show(page, stage, "sweep", **SQUARE)
    before = [stages.planes(page, role) for role in ("input", "kernel", "output")]
    page.get_by_role("button", name="more filters").click()
    page.get_by_role("button", name="less strides, height").click()
    assert [stages.planes(page, role) for role in ("input", "kernel", "output")] != before
    page.get_by_role("button", name="Reset").click()
    assert [stages.planes(page, role) for role in ("input", "kernel", "output")] == before


def test_both_sides_change_together_until_they_are_parted(page, stage):
    stages.show(page, stage, "sweep")
    page.get_by_role("button", name="more strides, height").click()
    sides = [page.get_by_label(f"strides, {side}", exact=True) for side in ("height", "width")]
    assert [side.input_value() for side in sides] == ["2", "2"]
    page.get_by_role("button", name="strides: keep both sides equal").click()
    page.get_by_role("button", name="more strides, width").click()
    assert [side.input_value() for side in sides] == ["2", "3"]


def test_a_refused_layer_says_why_and_shows_no_output(page, stage):
    stages.show(page, stage, "sweep", filters=3, groups=2, channels=2)
    assert "2 groups do not divide 3 filters evenly." in page.locator(".cx-refusal").inner_text()
    assert stages.planes(page, "output") == []
    page.get_by_role("button", name="less filters").click()
    assert page.locator(".cx-refusal").inner_text() == ""
    assert len(stages.planes(page, "output")) == 2


def test_steps_and_spread_together_are_told_to_be_the_layers_refusal(page, stage):
    stages.show(page, stage, "sweep", height=9, strides=2, dilation_rate=2)
    assert "The layer Conv2D refuses" in page.locator(".cx-note").inner_text()
    assert stages.planes(page, "output") != []


def code_shown(page, library: str) -> str:
    page.get_by_text("As code").click()
    page.locator(".cx-as-code").get_by_text(library, exact=True).click()
    return page.locator(".cx-code").inner_text()


def run(code: str) -> dict[str, Any]:
    """Run Python as a reader would, and give its names."""
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, names)
    return names


@pytest.mark.parametrize("state", [*STATES[:-1], {"height": 9, "strides": 2, "dilation_rate": 2}])
@pytest.mark.parametrize("library", ["convlab", "Keras"])
def test_the_code_computes_what_is_shown(page, stage, state, library):
    if library == "Keras":
        stages.need_keras()
        if "strides" in state and "dilation_rate" in state:
            pytest.skip("Keras refuses this layer, and the page says so")
    stages.show(page, stage, "sweep", **state)
    maps = np.array(stages.planes(page, "output"))
    y = np.array(run(code_shown(page, library))["y"])[0]
    first = state.get("data_format") == "channels_first"
    np.testing.assert_array_equal(maps, y if first else np.moveaxis(y, -1, 0))


def test_the_code_can_be_copied(page, stage):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stages.show(page, stage, "sweep")
    code = code_shown(page, "convlab")
    page.get_by_role("button", name="Copy code").click()
    page.get_by_text("Copied.").first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()").strip() == code.strip()


@pytest.mark.parametrize("page", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_moves_for_readers_who_ask_for_less_motion(page, stage):
    stages.show(page, stage, "sweep")
    durations = page.locator(".cx *").evaluate_all(
        "(all) => [...new Set(all.map((one) => getComputedStyle(one).transitionDuration))]"
    )
    assert durations == ["0s"]


@pytest.mark.parametrize(
    "page", [{"width": width} for width in (320, 480, 768, 1920)], indirect=True
)
@pytest.mark.parametrize("state", [*STATES, WIDEST])
def test_nothing_is_wider_than_the_page(page, stage, state):
    stages.show(page, stage, "sweep", **state)
    page.get_by_text("As code").click()
    page.get_by_text("Numbers, bias and order").click()
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    inside = """() => [...document.querySelectorAll(".cx *")].filter((one) =>
      !one.closest("pre") && one.getBoundingClientRect().right >
      document.querySelector(".cx").getBoundingClientRect().right + 1).length"""
    assert page.evaluate(inside) == 0


@pytest.mark.parametrize("page", [{"theme": theme} for theme in ("light", "dark")], indirect=True)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page, stage, state):
    stages.show(page, stage, "sweep", **state)
    page.get_by_text("As code").click()
    page.get_by_text("Numbers, bias and order").click()
    assert violations(page) == []


def test_it_works_from_a_file(open_page, stage):
    folder, _ = stage
    page = open_page("file://")
    stages.write(folder, "file", stages.mounted("sweep", **SQUARE))
    page.goto(f"file://{folder}/file.html")
    page.get_by_role("button", name="more channels").click()
    page.wait_for_function("location.hash.includes('channels=2')")
    assert len(stages.planes(page, "input")) == 2


def test_the_control_in_use_stays_where_it_is(open_page, stage):
    page = open_page(stage[1], width=400, height=700)
    stages.show(page, stage, "sweep", height=4, width=4, channels=2)
    more = page.get_by_role("button", name="more channels")
    more.scroll_into_view_if_needed()
    before = more.bounding_box()["y"]
    more.click()
    assert page.locator(".cx-of-input .cx-grid").count() == 3
    assert more.bounding_box()["y"] == pytest.approx(before, abs=1)


def test_what_is_pointed_at_moves_nothing_below(open_page, stage):
    page = open_page(stage[1], width=400, height=1400)
    stages.show(page, stage, "sweep", height=5, width=5)
    panel = page.locator(".cx-panels")
    page.locator('.cx-of-output [data-at="1 1"]').hover()
    before = panel.bounding_box()["y"]
    for place in ('.cx-of-input [data-at="2 2"]', '.cx-of-kernel [data-at="1 1"]', "h1"):
        page.locator(place).first.hover()
        assert panel.bounding_box()["y"] == before
