"""The view Photo: the package's kernels and sums, and a picture that never leaves the page."""

from __future__ import annotations

import base64
import contextlib
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

import stages
from accessibility import violations
from convlab import activations, conv2d, filters
from convlab.plotting.scale import shared_scale

NAMES = (
    "identity", "box", "gaussian_blur", "sharpen", "emboss", "edge_detection", "laplacian",
    "sobel_x", "sobel_y",
)  # fmt: skip
RESULTS = """() => convlabExplorer.mounted[0].parts.photo.results().map((one) => one && ({
  rows: one.down.count, columns: one.across.count, planes: one.planes.map((plane) => [...plane]),
}))"""


def picture(height: int = 17, width: int = 24) -> tuple[np.ndarray, bytes]:
    """A small picture of chance, and its file."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return pixels, file.getvalue()


def pick(page, data: bytes) -> None:
    """Choose a file, as a reader does, and wait until it is shown."""
    page.get_by_label("picture of your own").set_input_files(
        {"name": "own.png", "mimeType": "image/png", "buffer": data}
    )
    shown(page, 17)


def shown(page, height: int) -> None:
    """Wait until a photo of this height is computed."""
    page.wait_for_function(
        "(height) => { const part = convlabExplorer.mounted[0].parts.photo;"
        " return part.pixels()?.height === height && part.results().length > 0 }",
        arg=height,
    )


def settled(page) -> None:
    """Wait for the next picture of the screen: then what was asked for is computed."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def in_middle(kernel: np.ndarray, size: int) -> np.ndarray:
    """A smaller kernel in the middle of a larger one; the odd row is last."""
    before = (size - kernel.shape[0]) // 2
    after = size - kernel.shape[0] - before
    return np.pad(kernel, (before, after))


def wanted_kernel(name: str, size: int) -> np.ndarray:
    make = getattr(filters, name)
    kernel = make(size) if name in ("box", "gaussian_blur") else make()
    return in_middle(kernel[:, :, 0, 0], size)


def test_kernels_by_name_are_those_of_the_package(page, stage):
    stages.show(page, stage, "photo")
    cases = [[name, size] for name in NAMES for size in (3, 4, 5, 8)]
    found = stages.ask(page, "([name, size]) => convlabExplorer.pictures.kernel(name, size)", cases)
    for (name, size), kernel in zip(cases, found, strict=True):
        np.testing.assert_allclose(np.reshape(kernel, (size, size)), wanted_kernel(name, size))


STATES: list[dict[str, Any]] = [
    {"kernels": "box, sobel_x, emboss"},
    {"kernels": "sharpen", "padding": "same", "strides": 3, "kernel_size": 4},
    {"kernels": "laplacian", "dilation_rate": 3, "activation": "relu", "bias": -0.3},
    {"kernels": "gaussian_blur", "kernel_size": 5, "colour": "each channel", "padding": "same"},
    {"kernels": "sobel_y", "activation": "tanh", "strides": 2, "dilation_rate": 2},
]


@pytest.mark.parametrize("state", STATES)
def test_maps_are_those_of_the_package(page, stage, state):
    stages.show(page, stage, "photo", **state)
    shown(page, 320)
    pixels, data = picture()
    pick(page, data)
    settled(page)
    size, grey = state.get("kernel_size", 3), state.get("colour", "grey") == "grey"
    planes = [pixels / 255 @ filters.GREY] if grey else list(np.moveaxis(pixels / 255, -1, 0))
    options = {key: state[key] for key in ("strides", "padding", "dilation_rate") if key in state}
    act = activations.get(state.get("activation", "linear"))
    for name, found in zip(state["kernels"].split(", "), page.evaluate(RESULTS), strict=True):
        kernel = wanted_kernel(name, size)[:, :, None, None]
        for plane, numbers in zip(planes, found["planes"], strict=True):
            y = act(conv2d(plane[None, :, :, None], kernel, **options) + state.get("bias", 0))
            assert (found["rows"], found["columns"]) == y.shape[1:3]
            np.testing.assert_allclose(numbers, y.ravel(), atol=1e-9)


def test_a_picture_of_ones_own_never_leaves_the_page(page, stage):
    stages.show(page, stage, "photo")
    shown(page, 320)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    pick(page, picture()[1])
    page.get_by_role("button", name="more strides").click()
    page.wait_for_function("location.hash.includes('strides=2')")
    assert [url for url in asked if not url.startswith("blob:")] == []
    assert "nothing is sent" in page.locator(".cx-credit").inner_text()


def test_a_link_to_a_picture_of_someone_elses_shows_one_of_the_book(page, stage):
    stages.show(page, stage, "photo", hash="#explorer-1?view=photo&photo=own")
    shown(page, 320)
    assert page.get_by_label("china").is_checked()


GIVE = """([kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "own.png", { type: "image/png" }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  (kind === "paste" ? document : document.querySelector(".cx-drop-zone")).dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_can_be_pasted_and_dropped(page, stage, kind):
    stages.show(page, stage, "photo")
    shown(page, 320)
    page.evaluate(GIVE, [kind, base64.b64encode(picture()[1]).decode()])
    shown(page, 17)


def test_a_file_that_is_no_picture_says_so(page, stage):
    stages.show(page, stage, "photo")
    shown(page, 320)
    page.get_by_label("picture of your own").set_input_files(
        {"name": "own.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    page.get_by_text("This file holds no picture").wait_for()


def test_the_camera_runs_until_it_is_held(page, stage):
    stages.show(page, stage, "photo", kernels="sobel_x")
    shown(page, 320)
    page.get_by_role("button", name="Camera").click()
    page.wait_for_function("convlabExplorer.mounted[0].parts.photo.pixels().height !== 320")
    page.get_by_role("button", name="Hold still").click()
    assert page.get_by_role("button", name="Camera").is_visible()
    assert page.get_by_label("own", exact=True).is_checked()


def test_the_slider_parts_the_photo_from_the_map(page, stage):
    stages.show(page, stage, "photo")
    shown(page, 320)
    clip = "getComputedStyle(document.querySelectorAll('.cx-compare canvas')[1]).clipPath"
    before = page.evaluate(clip)
    page.get_by_role("slider", name="compare").focus()
    page.keyboard.press("Home")
    assert page.evaluate(clip) != before
    assert "100%" in page.evaluate(clip)
    box = page.locator(".cx-compare").bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 30)
    page.mouse.up()
    assert float(page.get_by_role("slider", name="compare").input_value()) == pytest.approx(
        0.75, abs=0.02
    )


def test_a_weight_that_is_typed_makes_a_kernel_of_ones_own(page, stage):
    stages.show(page, stage, "photo", kernels="box, sharpen", filter=1)
    shown(page, 320)
    page.locator('.cx-kernel-box [data-at="1 1"]').focus()
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    settled(page)
    assert page.locator(".cx-kernel-box select").input_value() == "own"
    assert "sum to 5" in page.locator(".cx-kernel-box").inner_text()
    page.wait_for_function("location.hash.includes('own')")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    assert stages.numbers(page, "kernel")[1][1] == 9


def test_filters_are_added_and_removed_side_by_side(page, stage):
    stages.show(page, stage, "photo", kernels="box, sobel_x", show="side by side")
    shown(page, 320)
    settled(page)
    assert page.locator(".cx-tile").count() == 3
    page.get_by_role("button", name="add a filter").click()
    page.locator(".cx-kernel-box select").select_option("emboss")
    settled(page)
    assert page.locator(".cx-tile figcaption").all_inner_texts()[-1] == "2: emboss"
    page.get_by_role("button", name="remove this filter").click()
    settled(page)
    assert page.locator(".cx-tile").count() == 3


@pytest.mark.parametrize("library", ["convlab", "Keras"])
@pytest.mark.parametrize(
    "state", [{}, {"colour": "each channel", "bias": 0.5, "activation": "relu", "strides": 2}]
)
def test_the_code_runs(page, stage, state, library):
    if library == "Keras":
        stages.need_keras()
    stages.show(page, stage, "photo", kernels="sharpen", **state)
    page.get_by_text("As code").click()
    page.locator(".cx-as-code").get_by_text(library, exact=True).click()
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(page.locator(".cx-code").inner_text(), names)
    assert names["y"].shape == ((1, 213, 319, 3) if state else (1, 425, 638, 1))


@pytest.mark.parametrize("page", [{"width": width} for width in (320, 768)], indirect=True)
def test_nothing_is_wider_than_the_page(page, stage):
    for show in ("compare", "side by side"):
        stages.show(page, stage, "photo", kernel_size=9, show=show)
        shown(page, 320)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) == 0


@pytest.mark.parametrize("page", [{"theme": theme} for theme in ("light", "dark")], indirect=True)
@pytest.mark.parametrize("show", ["compare", "side by side"])
def test_axe_finds_nothing(page, stage, show):
    stages.show(page, stage, "photo", show=show, kernels="sobel_x, box")
    shown(page, 320)
    settled(page)
    assert violations(page) == []


def test_it_works_from_a_file(open_page, stage):
    folder, _ = stage
    page = open_page("file://")
    stages.write(folder, "photo-file", stages.mounted("photo"))
    page.goto(f"file://{folder}/photo-file.html")
    shown(page, 320)


def test_signed_maps_have_the_scale_of_the_figures(page, stage):
    stages.show(page, stage, "photo", kernels="sobel_x")
    shown(page, 320)
    settled(page)
    (found,) = page.evaluate(RESULTS)
    plane = np.reshape(found["planes"][0], (found["rows"], found["columns"]))
    low, high = page.locator(".cx-scale").inner_text().split()[1::2]
    scale = shared_scale([plane], signed=True)
    assert scale.clips
    assert (low, high) == (f"−{scale.limit:g}", f"{scale.limit:g}")


def test_the_pixel_that_is_read_is_the_one_in_its_field(page, stage):
    stages.show(page, stage, "photo", strides=4, pixel="150x200")
    shown(page, 320)
    settled(page)
    sides = ("height", "width")
    named = [page.get_by_role("spinbutton", name=f"look at, {side}") for side in sides]
    fields = [field.input_value() for field in named]
    assert page.locator(".cx-reading").inner_text().startswith(f"y[{', '.join(fields)}] =")
    assert fields == ["79", "119"]


def test_a_tall_picture_stays_on_the_screen(page, stage):
    stages.show(page, stage, "photo")
    shown(page, 320)
    file = io.BytesIO()
    Image.new("RGB", (150, 450)).save(file, "PNG")
    page.get_by_label("picture of your own").set_input_files(
        {"name": "tall.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    shown(page, 450)
    settled(page)
    box = page.locator(".cx-compare").bounding_box()
    assert 300 < box["height"] < 600
    assert box["height"] == pytest.approx(3 * box["width"], abs=6)


def test_a_link_says_that_ones_own_picture_is_not_in_it(page, stage):
    stages.show(page, stage, "photo")
    shown(page, 320)
    pick(page, picture()[1])
    page.get_by_role("button", name="Copy link").click()
    told = page.locator(".cx-told")
    told.get_by_text("Your own photo stays here").wait_for()


def test_ones_own_numbers_go_along_to_the_sweep(page, stage):
    folder, address = stage
    views = ["photo", "sweep"]
    stages.write(folder, "both", stages.mounted("photo", views=views, kernels="sobel_x, box"))
    page.goto(f"{address}/both.html")
    page.locator('.cx-kernel-box [data-at="0 0"]').focus()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="Sweep").click()
    assert stages.numbers(page, "kernel", 1) == [[7, 0, 1], [-2, 0, 2], [-1, 0, 1]]
