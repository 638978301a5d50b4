"""The figures: what is drawn is what the geometry says, readable, and the same every time."""

import subprocess
import sys
from itertools import combinations, pairwise

import matplotlib as mpl
import numpy as np
import pytest

import convlab
from convlab import Geometry, plotting
from convlab.plotting import COLOURS, layers, plane
from convlab.plotting.board import divisor, number, numbers
from convlab.plotting.charts import _apart
from convlab.plotting.colours import INK, SIGNED_STOPS, contrast, ink_on, luminance, signed_map

X = np.array([[1, 2, 0], [0, 1, 3], [2, 1, 0]])
K = np.array([[1, 0], [2, 1]])
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def noise(*shape):
    return np.random.default_rng(0).random(shape)


# One of everything; the general promises below are checked on each.
EXAMPLES = {
    "grid": lambda: plotting.grid([[1.5, -2], [0, 3]], rows=["a", "b"], columns=["c", "d"]),
    "grid titled": lambda: plotting.grid(
        X, "padding", title="x", caption="below", highlight=[(0, 1)]
    ),
    "equation": lambda: plotting.equation(X, "*", K, "=", [[2, 7], [5, 3]], caption="by hand"),
    "equation rows": lambda: plotting.equation(X, "*", K, "\n", "2 ×", K, "-", K, "=", K),
    "sweep": lambda: plotting.sweep(plane(5, 3, padding="same"), (0, 1), title="a sweep"),
    "sweep numbers": lambda: plotting.sweep(plane(3, 2, padding="same"), (0, 2), x=X, kernel=K),
    "sweep steps": lambda: plotting.sweep(plane(7, 3, strides=3), [(0, 0), (0, 1), (1, 1)]),
    "sweep dilated": lambda: plotting.sweep(plane(8, 3, dilation_rate=8, padding="same"), (4, 4)),
    "sweep large": lambda: plotting.sweep(
        plane(8, 3, strides=2, padding="same"),
        (3, 3),
        x=np.arange(64).reshape(8, 8),
        kernel=np.ones((3, 3)) / 9,
    ),
    "row": lambda: plotting.row_sweep(6, [1, 10, 100], strides=2, padding="same", title="Keras"),
    "row pads": lambda: plotting.row_sweep(6, [1, 10, 100], strides=2, pads=(1, 1)),
    "row long": lambda: plotting.row_sweep(14, [1, 10, 100, 1000], padding="same"),
    "products": lambda: plotting.row_products([3, 1, 4, 1], [1, 2], cell=1, title="gather"),
    "products back": lambda: plotting.row_products(
        [3, 1, 4, 1, 5], [1, 2, -1], [1, -1, 2], strides=2, padding="same"
    ),
    "counts": lambda: plotting.read_counts(plane(5, 3), plane(8, 3, strides=2), titles=["a", "b"]),
    "counts row": lambda: plotting.read_counts(plane((1, 10), (1, 2), strides=3)),
    "flow": lambda: plotting.signal_flow(
        [("x", "input", [4, -1, 3]), ("y", "output", [1, 0.5])], [[[1, 0, -1], [0, 2.5, 1]]],
        title="a flow", caption="dashed lines subtract",
    ),
    "field": lambda: plotting.receptive_field(layers(3, 3, 3, dilation_rates=(1, 2, 4))),
    "field same": lambda: plotting.receptive_field(
        layers(3, 3, padding="same", size=4), ["a", "b"]
    ),
    "coverage": lambda: plotting.coverage(layers(3, 3, dilation_rates=2), layers(3, 3)),
    "volumes": lambda: plotting.volumes(Geometry.conv2d((1, 6, 6, 3), (3, 3, 3, 5)), (1, 2)),
    "wiring": lambda: plotting.wiring(4, 8, groups=(1, 2, 4)),
    "wiring one": lambda: plotting.wiring(6, 12, 3),
    "memory": lambda: plotting.memory_order(reshape=True),
    "memory four": lambda: plotting.memory_order(2, 2, 4),
    "photos": lambda: plotting.images(
        [noise(20, 30, 3), noise(20, 30), noise(20, 30) - 0.5],
        ["colour", "grey", "signed"],
        ["a caption that is long enough to need a second line", None, "c"],
        boxes=[[(1, 2, 5, 5)], None, None],
    ),
    "photos kernels": lambda: plotting.images(
        [noise(20, 30), noise(20, 30)], ["photo", "Sobel"], ["", "sum 0"], kernels=[None, SOBEL]
    ),
    "photos column": lambda: plotting.images([noise(9, 12)], ["a"], kernels=[SOBEL / 8], columns=1),
    "maps": lambda: plotting.feature_maps(noise(1, 8, 8, 6) - 0.5, title="six maps"),
    "maps wide": lambda: plotting.feature_maps([noise(4, 60)], ["a strip"]),
    "kernels": lambda: plotting.kernels([np.ones((3, 3)) / 9, SOBEL], ["box", "Sobel"], ["1", "0"]),
    "kernels keras": lambda: plotting.kernels(noise(3, 3, 2, 5) - 0.5),
    "kernels plain": lambda: plotting.kernels(noise(9, 9) - 0.5),
    "curve": lambda: plotting.curve(
        [1, 2, 4],
        {"one": [1, 2, 3], "two": [1, 2.01, 3.01]},
        xlabel="x",
        ylabel="y",
        log="x",
        marks={"chance": 1.0},
        title="curves",
    ),
    "curve small": lambda: plotting.curve([1e-8, 1e-4, 1], [1e-12, 3e-8, 0.1], log="xy"),
    "curve long": lambda: plotting.curve(range(1, 41), np.arange(1.0, 41) ** 3, log="xy"),
    "history": lambda: plotting.history(
        {"accuracy": [0.5, 0.9], "loss": [2, 1], "val_loss": [2, 1.01], "learning_rate": [0.1, 0.1]}
    ),
    "history diverged": lambda: plotting.history(
        {"loss": [2.0**i for i in range(30)] + [np.inf], "val_loss": [np.nan] * 31},
        log="y",
        title="a rate of 100",
    ),
    "roofline": lambda: plotting.roofline(
        480,
        24,
        {"a": 0.2, "a name": 12.0, "3x3": 144, "one more": 180.0, "on the ridge": (20, 400.0)},
        moved={"a name": 2.0, "3x3": 14.4},
        caption="hollow: moved",
    ),
    "bars": lambda: plotting.bars({"a": 0.1, "b": -0.2}, xlabel="seconds", highlight=["b"]),
    "histograms": lambda: plotting.histograms(
        {"one": noise(9, 9) - 0.5, "two": noise(5), "three": np.zeros(4), "four": noise(3) / 9},
        captions=["a caption", None, None, "a longer caption that does not fit one line"],
        xlabel="weight",
        title="four",
        columns=2,
    ),
    "histograms log": lambda: plotting.histograms(
        {"a": noise(99) ** 9, "b": noise(99)}, log="y", limits=(-0.5, 0.5)
    ),
    "histogram": lambda: plotting.histograms(noise(99), colour="output", bins=5),
    "together": lambda: plotting.together([plotting.grid(X), plotting.grid(K)], columns=2),
}
each_example = pytest.mark.parametrize("name", EXAMPLES)


# What a figure holds -----------------------------------------------------------


def marks(picture, label):
    """All boxes and lines of a figure that the helper drew under a name."""
    axes = picture.figure.axes[0]
    return [one for one in (*axes.patches, *axes.lines) if one.get_label() == label]


def texts(picture):
    """All texts of a figure, in the order of drawing."""
    return [text for axes in picture.figure.axes for text in axes.texts if text.get_text()]


def words(picture):
    return [text.get_text() for text in texts(picture)]


def places(boxes):
    """Corners of boxes, to a hundredth of an inch."""
    return {(round(box.get_x(), 2), round(box.get_y(), 2)) for box in boxes}


def image_arrays(picture):
    return [np.asarray(image.get_array()) for image in picture.figure.axes[0].images]


# Promises of every figure ---------------------------------------------------------


@each_example
def test_figure_is_the_same_to_the_byte_whatever_the_settings(name):
    first = EXAMPLES[name]()._repr_png_()
    with mpl.rc_context(
        {"font.size": 30, "figure.dpi": 40, "lines.linewidth": 9, "hatch.linewidth": 5}
    ):
        mpl.rcParams["savefig.facecolor"] = "red"
        before = dict(mpl.rcParams)
        second = EXAMPLES[name]()._repr_png_()
        assert dict(mpl.rcParams) == before
    assert first == second
    assert first.startswith(b"\x89PNG")


@each_example
def test_every_figure_has_one_width(name):
    png = EXAMPLES[name]()._repr_png_()
    assert int.from_bytes(png[16:20], "big") == 1040


def drawn_texts(figure):
    """(text, its extent in pixels) of everything that can be read, tick labels included."""
    figure.canvas.draw()
    for axes in figure.axes:
        drawn = list(axes.texts)
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())  # ticks beyond the limits are not drawn
            drawn += [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
        for text in drawn:
            if text.get_text():
                yield text.get_text(), text.get_window_extent()


@each_example
def test_no_text_leaves_the_figure(name):
    figure = EXAMPLES[name]().figure
    for text, box in drawn_texts(figure):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1, text


@each_example
def test_no_text_meets_another(name):
    for (one, a), (other, b) in combinations(drawn_texts(EXAMPLES[name]().figure), 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        # extents have room for accents and descenders, so a little overlap is none to see
        assert across <= 1 or down <= 0.25 * min(a.height, b.height), (one, other)


@each_example
def test_text_contrasts_with_what_it_stands_on(name):
    axes = EXAMPLES[name]().figure.axes[0]
    filled = sorted(
        (patch for patch in axes.patches if patch.get_fill() and patch.get_facecolor()[3] > 0),
        key=lambda patch: patch.get_zorder(),
    )
    for text in axes.texts:
        x, y = text.get_position()
        under = [p.get_facecolor() for p in filled if p.get_bbox().contains(x, y)]
        ground = under[-1] if under else "#FFFFFF"
        assert contrast(text.get_color(), ground) >= 4.5, text.get_text()


@each_example
def test_text_is_large_enough_to_read(name):
    assert all(text.get_fontsize() >= 7 for text in texts(EXAMPLES[name]()))


@each_example
def test_repr_is_one_line_without_an_address(name):
    told = repr(EXAMPLES[name]())
    assert told.startswith("<Picture: ")
    assert "\n" not in told
    assert " at 0x" not in told


def test_notebook_shows_a_figure_once_as_png():
    formatters = pytest.importorskip("IPython.core.formatters")
    shown, _ = formatters.DisplayFormatter().format(plotting.grid([[1, 2]]))
    assert set(shown) == {"text/plain", "image/png"}
    assert shown["text/plain"] == "<Picture: input grid, 1 x 2>"


def test_import_does_not_import_matplotlib():
    code = "import sys, convlab.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_drawing_does_not_import_pyplot():
    code = (
        "import sys; from convlab.plotting import grid; grid([[1]])._repr_png_();"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_save_writes_the_png_that_is_shown(tmp_path):
    picture = plotting.grid([[1]])
    picture.save(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes() == picture._repr_png_()


# Colours ------------------------------------------------------------------------


@pytest.mark.parametrize("role", COLOURS)
def test_role_has_readable_ink_and_visible_lines(role):
    line, fill, ink = COLOURS[role]
    assert contrast(ink, "#FFFFFF") >= 4.5
    assert contrast(ink, fill) >= 4.5
    assert contrast(INK, fill) >= 4.5
    assert contrast(line, "#FFFFFF") >= 3  # WCAG: what is not text
    assert contrast(line, fill) >= 3


def test_ink_is_readable_on_every_shade():
    for shade in signed_map()(np.linspace(0, 1, 101)):
        assert contrast(ink_on(shade), shade) >= 4.5
    for grey in np.linspace(0, 1, 101):
        assert contrast(ink_on([grey] * 3), [grey] * 3) >= 4.5


def test_signed_shades_rise_in_lightness_about_a_neutral_zero():
    light = [luminance(shade) for shade in signed_map()(np.linspace(0, 1, 101))]
    assert np.all(np.diff(light) > 0)
    middle = SIGNED_STOPS[len(SIGNED_STOPS) // 2]
    assert middle[1:3] == middle[3:5] == middle[5:7]


# Numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (-0.004, "0"),
        (2.50, "2.5"),
        (-1, "−1"),
        (100, "100"),
        (np.nan, "nan"),
        (-np.inf, "−inf"),
        (np.float32(0.1), "0.1"),
        (np.int64(-7), "−7"),
    ],
)
def test_number_has_no_needless_digits(value, text):
    assert number(value) == text


def test_numbers_of_one_matrix_share_their_decimals():
    assert numbers([[0.5, -1.25], [0, 3]]).tolist() == [["0.50", "−1.25"], ["0", "3.00"]]
    assert numbers([["a1", "2"]]).tolist() == [["a1", "2"]]


def test_number_that_rounds_to_zero_does_not_pass_for_zero():
    assert numbers([0.001, 0, 0.25]).tolist() == ["0.00", "0", "0.25"]


def test_divisor_finds_the_common_denominator():
    gauss = np.outer([1, 2, 1], [1, 2, 1]) / 16
    assert divisor(gauss) == 16
    assert divisor(gauss.astype(np.float32)) == 16
    assert divisor(SOBEL) == 1
    assert divisor(noise(3, 3)) == 0
    assert divisor([np.nan]) == 0


# Grids and equations --------------------------------------------------------------


def test_grid_prints_every_number_in_its_place():
    picture = plotting.grid(X)
    assert len(marks(picture, "cell")) == X.size
    drawn = sorted(texts(picture), key=lambda text: np.round(text.get_position(), 2).tolist()[::-1])
    assert [int(t.get_text()) for t in drawn] == X.ravel().tolist()


def test_highlight_outlines_a_block_of_cells_once():
    four = plotting.grid(X, highlight=[(0, 0), (0, 1), (1, 0), (1, 1)])
    assert len(marks(four, "frame")) == 8  # sides of the block, none inside it
    assert len(marks(plotting.grid(X, highlight=[(0, 0), (2, 2)]), "frame")) == 8


def test_equation_gives_roles_by_place():
    picture = plotting.equation([[1]], "*", [[2]], "=", [[3]])
    fills = [mpl.colors.to_hex(box.get_facecolor()).upper() for box in marks(picture, "cell")]
    assert fills == [COLOURS[role].fill for role in ("input", "kernel", "output")]
    assert words(picture) == ["1", "∗", "2", "=", "3"]


def test_equation_draws_all_cells_in_one_size():
    boxes = marks(plotting.equation(X, "*", K, "\n", [[1000000]]), "cell")
    assert len({round(box.get_width(), 6) for box in boxes}) == 1


# Sweeps ---------------------------------------------------------------------------


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "rate"),
    [
        (5, 3, 1, 1),
        (5, 2, 1, 1),
        (5, 4, 1, 1),
        (8, 3, 2, 1),
        (10, 2, 3, 1),
        (7, 3, 1, 2),
        (6, 2, 4, 1),
    ],
)
def test_sweep_draws_what_the_geometry_says(size, kernel, stride, rate, padding):
    geometry = plane(size, kernel, strides=stride, padding=padding, dilation_rate=rate)
    picture = plotting.sweep(geometry, (0, 0))
    top, bottom, left, right = geometry.pads
    padded = (size + top + bottom) * (size + left + right)
    rows, columns = geometry.output_size
    assert len(marks(picture, "cell")) == padded + rows * columns
    assert len(marks(picture, "hatched")) == padded - size * size
    assert len(marks(picture, "crossed")) == 2 * geometry.unread_pixels  # two strokes each


def test_sweep_hatches_below_and_right_for_an_even_kernel():
    picture = plotting.sweep(plane(3, 2, padding="same"), (0, 0))
    cells = sorted(marks(picture, "cell")[:16], key=lambda box: (box.get_y(), box.get_x()))
    bottom_and_right = places([cells[i] for i in (3, 7, 11, 12, 13, 14, 15)])
    assert places(marks(picture, "hatched")) == bottom_and_right


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_sweep_frames_the_pixels_of_the_window(padding):
    geometry = plane((6, 7), (4, 3), padding=padding)
    picture = plotting.sweep(geometry, (2, 1))
    corner = marks(picture, "cell")[0]
    side = corner.get_width()
    sides = np.array([line.get_xydata() for line in marks(picture, "frame")[:14]])  # 2 x (4 + 3)
    columns, rows = np.round(
        (sides.reshape(-1, 2).T - np.array([corner.get_xy()]).T) / side
    ).astype(int)
    down, right = geometry.window(2, 1)
    top, _, left, _ = geometry.pads
    assert (rows.min() - top, rows.max() - top) == (down[0], down[-1] + 1)
    assert (columns.min() - left, columns.max() - left) == (right[0], right[-1] + 1)


def test_sweep_prints_input_weights_output_and_the_sum():
    picture = plotting.sweep(plane(3, 2, padding="same"), (0, 2), x=X, kernel=K)
    found = words(picture)
    assert "0·1 + 0·0 + 3·2 + 0·1 = 6" in found
    assert [w for w in found if w.startswith("×")] == ["×1", "×0", "×2", "×1"]
    output = convlab.conv2d(X[None, :, :, None], K[:, :, None, None], padding="same")
    assert output[0, :, :, 0].tolist() == [[2, 7, 6], [5, 3, 3], [2, 1, 0]]
    assert found[-10:-1] == [str(value) for value in output.ravel()]


def test_sum_is_marked_as_rounded_where_it_is():
    box = np.ones((3, 3)) / 9
    exact = plotting.sweep(plane(3, 3), x=np.full((3, 3), 2), kernel=box)
    assert "(2·1 + 2·1 + 2·1 + 2·1 + 2·1 + 2·1 + 2·1 + 2·1 + 2·1) ÷ 9 = 2" in " ".join(words(exact))
    rounded = plotting.sweep(plane(3, 3), x=np.eye(3), kernel=box)
    assert words(rounded)[-1].endswith("÷ 9 ≈ 0.33")


def test_sweep_without_a_cell_draws_no_window():
    assert marks(plotting.sweep(plane(5, 3), None), "frame") == []
    assert len(marks(plotting.sweep(plane(5, 3), (1, 1)), "frame")) == 12 + 4  # window, output cell


def test_dilated_window_frames_each_tap_and_the_whole():
    picture = plotting.sweep(plane(5, 3, dilation_rate=2), (0, 0))
    assert len(marks(picture, "frame")) == 9 * 4 + 4
    (whole,) = marks(picture, "window")
    cell = marks(picture, "cell")[0].get_width()
    assert whole.get_width() == pytest.approx(5 * cell)


def test_steps_are_drawn_one_by_one():
    picture = plotting.sweep(plane(4, 3), [(0, 0), (0, 1), (1, 0), (1, 1)])
    assert len(marks(picture, "cell")) == 4 * (16 + 4)
    assert words(picture).count("output") == 4


# Rows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "arguments", "outputs", "zeros"),
    [
        (6, {"strides": 2, "padding": "same"}, "321 543 65", (0, 1)),
        (6, {"strides": 2, "pads": (1, 1)}, "210 432 654", (1, 1)),
        (6, {"strides": 2}, "321 543", (0, 0)),
        (6, {"padding": "same"}, "210 321 432 543 654 65", (1, 1)),
        (7, {"dilation_rate": 2}, "531 642 753", (0, 0)),
        (7, {"dilation_rate": 2, "padding": "same"}, "310 420 531 642 753 64 75", (2, 2)),
    ],
)
def test_row_sweep_shows_the_outputs_of_the_book(x, arguments, outputs, zeros):
    picture = plotting.row_sweep(x, [1, 10, 100], **arguments)
    assert repr(picture).endswith(f"zeros {zeros}, outputs {outputs}>")
    assert len(marks(picture, "output")) == len(outputs.split())
    assert len(marks(picture, "tap")) == 3 * len(outputs.split())
    assert len(marks(picture, "hatched")) == sum(zeros)
    assert all(output in words(picture) for output in outputs.split())


def test_row_sweep_stands_each_tap_under_the_pixel_that_it_reads():
    picture = plotting.row_sweep(7, 3, dilation_rate=2)
    cells, taps = marks(picture, "cell"), marks(picture, "tap")
    left, side = cells[0].get_x(), cells[0].get_width()
    columns = [int((tap.get_x() + tap.get_width() / 2 - left) // side) for tap in taps]
    assert columns == [0, 2, 4, 1, 3, 5, 2, 4, 6]


def test_row_sweep_crosses_out_what_no_window_reads():
    picture = plotting.row_sweep(10, 2, strides=3)
    cells = sorted(box.get_x() for box in marks(picture, "cell"))
    side = cells[1] - cells[0]
    strokes = [line.get_xdata()[0] for line in marks(picture, "crossed")]
    assert {int((x - cells[0]) // side) for x in strokes} == {2, 5, 8, 9}


def test_small_ticks_are_powers_of_ten_and_never_a_false_zero():
    axes = plotting.curve([1e-8, 1e-4, 1], [1e-12, 3e-8, 0.1], log="xy").figure.axes[-1]
    axes.figure.canvas.draw()
    across = [tick.label1.get_text() for tick in axes.xaxis.get_major_ticks()]
    assert across == ["10⁻⁸", "10⁻⁴", "1"]
    assert "0" not in [tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()]


# Counts, fields, coverage ---------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"padding": "same"}, {"strides": 2}, {"strides": 4}])
def test_read_counts_prints_every_count(arguments):
    geometry = plane(6, 3, **arguments)
    picture = plotting.read_counts(geometry)
    counts = np.outer(geometry.row_reads, geometry.column_reads).ravel()
    assert [int(word) for word in words(picture)] == [count for count in counts if count]
    assert len(marks(picture, "crossed")) == 2 * geometry.unread_pixels


def test_read_counts_stand_at_their_pixels():
    geometry = plane((4, 8), (3, 2), strides=(2, 3))
    picture = plotting.read_counts(geometry)
    cells = marks(picture, "cell")
    left, top = cells[0].get_xy()
    side = cells[0].get_width()
    found = np.zeros((4, 8), int)
    for text in texts(picture):
        x, y = text.get_position()
        found[int((y - top) // side), int((x - left) // side)] = int(text.get_text())
    assert found.tolist() == np.outer(geometry.row_reads, geometry.column_reads).tolist()
    assert found[:3].tolist() == [[1, 1, 0, 1, 1, 0, 1, 1]] * 3


def test_layers_fit_their_receptive_field_exactly():
    for arguments in ({}, {"dilation_rates": (1, 2, 4)}, {"strides": (2, 1, 2)}):
        stack = layers(3, 2, 3, **arguments)
        assert stack[-1].output_size == (1, 1)
        assert convlab.receptive_field(stack).size == (stack[0].height, stack[0].width)


@pytest.mark.parametrize(
    ("rates", "read", "span"), [((1, 1), 5, 5), ((1, 2, 4), 15, 15), ((2, 2, 2), 7, 13)]
)
def test_receptive_field_marks_the_pixels_that_are_read(rates, read, span):
    picture = plotting.receptive_field(layers(*[3] * len(rates), dilation_rates=rates))
    input_line = mpl.colors.to_rgba(COLOURS["input"].line)
    pixels = [box for box in marks(picture, "seen") if box.get_edgecolor() == input_line]
    assert len(pixels) == read
    assert f"sees {span}" in words(picture)
    assert (f"{read} pixels" if read == span else f"{read} of {span} read") in words(picture)


def test_receptive_field_hatches_the_padding_that_is_seen():
    picture = plotting.receptive_field(layers(3, padding="same", size=2))
    assert len(marks(picture, "hatched")) == 1


@pytest.mark.parametrize(
    ("rates", "read", "total"),
    [
        ((1, 1, 1), 49, 49),
        ((2, 2, 2), 49, 169),
        ((4, 4, 4), 49, 625),
        ((2, 4, 8), 225, 841),
        ((1, 2, 4), 225, 225),
        ((1, 2, 9), 441, 625),
        ((1, 3, 9), 729, 729),
    ],
)
def test_coverage_counts_the_pixels_that_are_read(rates, read, total):
    picture = plotting.coverage(layers(3, 3, 3, dilation_rates=rates))
    assert repr(picture) == f"<Picture: coverage: {read} of {total} pixels>"
    (pixels,) = image_arrays(picture)
    assert pixels.shape[0] * pixels.shape[1] == total
    assert np.count_nonzero(pixels.min(axis=2) < 1) == read


# Channels -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channels", "filters", "groups"), [(4, 4, 1), (4, 8, 2), (6, 3, 3), (4, 4, 4)]
)
def test_wiring_draws_one_wire_for_each_slice_of_the_kernel(channels, filters, groups):
    picture = plotting.wiring(channels, filters, groups)
    assert len(marks(picture, "wire")) == channels * filters // groups
    assert len(marks(picture, "node")) == channels + filters
    full = mpl.colors.to_rgba(COLOURS["kernel"].line)
    cells = marks(picture, "cell")
    assert len(cells) == channels * filters
    matrix = np.array([cell.get_facecolor() == full for cell in cells]).reshape(filters, channels)
    blocks = np.kron(np.eye(groups), np.ones((filters // groups, channels // groups)))
    assert (matrix == blocks).all()


def test_memory_order_numbers_the_boxes_as_the_arrays_lie():
    found = [int(word) for word in words(plotting.memory_order(reshape=True)) if word.isdigit()]
    image = np.arange(12).reshape(2, 2, 3)
    first = image.transpose(2, 0, 1).ravel().tolist()
    assert found == [*range(12), *range(12), *first, *range(12)]
    assert first == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]


def test_memory_order_keeps_the_letter_of_a_number_after_the_wrong_reshape():
    found = words(plotting.memory_order(reshape=True))
    pairs = [(a, b) for a, b in pairwise(found) if a.isdigit() and b in "RGB"]
    assert len(pairs) == 4 * 12
    assert all("RGB"[int(index) % 3] == letter for index, letter in pairs)


def test_volumes_draw_one_sheet_for_each_channel_and_filter():
    picture = plotting.volumes(Geometry.conv2d((1, 5, 5, 2), (2, 2, 2, 3)))
    assert len(marks(picture, "cell")) == 2 * 25 + 3 * 2 * 4 + 3 * 16


def test_volumes_window_goes_through_the_channels_of_one_group():
    geometry = Geometry.conv2d((1, 4, 4, 4), (2, 2, 2, 4), groups=2)
    frames = marks(plotting.volumes(geometry), "frame")
    assert len(frames) == 2 * 8 + 4  # two of four channels, and the cell of the output


# Images and kernels -------------------------------------------------------------------------


def test_zero_sum_kernels_show_signed_results_about_a_fixed_zero():
    photo = noise(20, 30)
    picture = plotting.images(
        [photo, photo - 0.5, photo * 3 - 1], kernels=[None, SOBEL, np.ones((3, 3))]
    )
    grey, signed, bright = (image.get_clim() for image in picture.figure.axes[0].images[:3])
    assert grey == bright == (0, 1)
    assert signed[0] == -signed[1] < 0


def test_feature_maps_share_one_stated_scale():
    maps = noise(8, 8, 6) - 0.5
    maps[..., 3] *= 10
    picture = plotting.feature_maps(maps)
    limits = {image.get_clim() for image in picture.figure.axes[0].images}
    ((low, high),) = limits
    assert low == -high
    assert np.abs(maps).max() <= high
    assert f"−{number(high)}" in words(picture)


def test_scale_says_when_numbers_lie_beyond_it():
    maps = np.zeros((40, 40, 1))
    maps[0, 0] = 100
    assert "≥ 1" in words(plotting.feature_maps(maps, limit=1))
    assert "≥ 100" not in words(plotting.feature_maps(maps, limit=100))
    assert "100" in words(plotting.feature_maps(maps, limit=100))


def test_photos_run_over_the_range_of_their_type():
    whole, real = (noise(4, 4) * 255).astype(np.uint8), noise(4, 4)
    digits = np.arange(17).reshape(1, 17)
    picture = plotting.images([whole, real, digits])
    limits = [image.get_clim() for image in picture.figure.axes[0].images]
    assert limits == [(0, 255), (0, 1), (0, 16)]


def test_colours_outside_their_range_are_clipped_without_a_warning(recwarn):
    picture = plotting.images([noise(4, 4, 3) * 3 - 1])
    picture._repr_png_()
    (pixels,) = image_arrays(picture)
    assert 0 <= pixels.min() <= pixels.max() <= 1
    assert not recwarn.list


def test_boxes_frame_the_pixels_that_they_name():
    picture = plotting.images([noise(8, 80)], boxes=[[(0, 24, 8, 8)]])
    (box,), (image,) = marks(picture, "box"), marks(picture, "image")
    step = image.get_width() / 80
    assert box.get_x() == pytest.approx(image.get_x() + 24 * step)
    assert box.get_width() == pytest.approx(8 * step)


def test_no_figure_changes_its_input():
    photo, kernel = noise(6, 6), noise(3, 3, 1, 2) - 0.5
    copies = photo.copy(), kernel.copy()
    plotting.images([photo], kernels=[kernel[..., :1]])._repr_png_()
    plotting.kernels(kernel)._repr_png_()
    plotting.feature_maps([photo])._repr_png_()
    assert (photo == copies[0]).all()
    assert (kernel == copies[1]).all()


def test_ninths_are_printed_as_whole_numbers():
    found = words(plotting.kernels(np.ones((3, 3)) / 9))
    assert found == ["1"] * 9 + ["÷ 9"]


def test_keras_kernel_is_drawn_as_one_stack_of_slices_per_filter():
    kernel = np.arange(3 * 2 * 2 * 4).reshape(3, 2, 2, 4)
    picture = plotting.kernels(kernel)
    found = [int(word) for word in words(picture) if word.isdigit()]
    assert found == [n for f in range(4) for c in range(2) for n in kernel[:, :, c, f].ravel()]
    assert words(picture).count("channel 1") == 4


# Charts ---------------------------------------------------------------------------------


def test_curves_differ_in_marker_and_line_style_not_only_in_colour():
    series = {str(i): [i, i + 1] for i in range(6)}
    axes = plotting.curve([1, 2], series).figure.axes[1]
    lines = [line for line in axes.lines if line.get_label() in series]
    assert len({line.get_marker() for line in lines}) == 6
    assert [list(line.get_ydata()) for line in lines] == [*series.values()]


def test_curve_names_stand_at_the_ends_of_their_curves():
    picture = plotting.curve([1, 2], {"low": [0, 1], "high": [0, 9]})
    at = {text.get_text(): text.get_position()[1] for text in texts(picture)}
    assert at["high"] < at["low"]  # inches from the top


def test_names_are_moved_apart_and_keep_their_order():
    moved = _apart([1.0, 1.01, 0.99, 3.0], 0.2)
    assert np.argsort(moved).tolist() == [2, 0, 1, 3]
    assert min(np.diff(sorted(moved))) >= 0.2 - 1e-6
    assert moved[3] == 3.0


def test_bars_are_as_long_as_their_numbers():
    picture = plotting.bars({"a": 1, "b": 4, "c": -2})
    widths = np.array([bar.get_width() for bar in marks(picture, "bar")])
    assert widths / widths[0] == pytest.approx([1, 4, 2])
    assert {"1", "4", "−2"} <= set(words(picture))


def bars_of(picture):
    """The heights of each histogram's bars, and their edges."""
    return [patch.get_data()[:2] for axes in picture.figure.axes for patch in axes.patches
            if hasattr(patch, "get_data")]  # fmt: skip


def test_histogram_bars_are_the_shares_of_each_array_on_common_edges():
    (one, edges), (two, others) = bars_of(
        plotting.histograms({"one": [-2.0, 2.0, 0.1, 0.0], "two": np.full((3, 3), 1.5)}, bins=4)
    )
    assert edges.tolist() == others.tolist() == [-2, -1, 0, 1, 2]
    assert one.tolist() == [0.25, 0, 0.5, 0.25]
    assert two.tolist() == [0, 0, 0, 1]


def test_histogram_of_an_odd_number_of_bars_has_one_around_zero():
    ((shares, edges),) = bars_of(plotting.histograms([-0.3, 0.0, 0.0, 0.007]))
    assert edges[15] < 0 < edges[16]
    assert shares[15] == 0.75


def test_histograms_start_at_zero_where_nothing_is_negative():
    ((_, edges),) = bars_of(plotting.histograms([0.0, 0.123456]))
    assert (edges[0], edges[-1]) == (0, pytest.approx(0.13))


def test_histograms_have_equal_heights_of_axes_and_one_scale():
    picture = plotting.histograms({"flat": noise(99), "spike": np.zeros(9)}, log="y")
    _, flat, spike = picture.figure.axes
    assert flat.get_ylim() == spike.get_ylim()
    assert flat.get_position().bounds[2:] == spike.get_position().bounds[2:]


def test_histogram_tells_the_share_that_its_limits_leave_out():
    picture = plotting.histograms([0.0, 0.5, 1.0, 2.0, 3.0], limits=(0, 1))
    assert "40 % beyond" in words(picture)


# Refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: plotting.grid(noise(2, 3, 4)),
            r"rows and columns.*shape \(2, 3, 4\).*x\[0, :, :, 0\]",
        ),
        (lambda: plotting.grid([]), r"at least one number. Received: values of shape \(0,\)"),
        (lambda: plotting.grid(X, "inputs"), r"`role` must be one of .*role='inputs'"),
        (lambda: plotting.grid(X, highlight=[(3, 0)]), r"inside the grid.*\(3, 0\).*\(3, 3\)"),
        (lambda: plotting.grid(X, rows=["a"]), r"`rows` must have one label.*1 labels"),
        (lambda: plotting.equation("*"), r"at least one matrix.*Write equation\(x"),
        (
            lambda: plotting.sweep(plane(5, 3), (3, 0)),
            r"of the output. Received: cell=\(3, 0\), output 3 x 3",
        ),
        (
            lambda: plotting.sweep(plane(5, 3), x=X),
            r"`x` must have the height.*\(3, 3\), geometry \(5, 5\)",
        ),
        (lambda: plotting.sweep(plane(5, 3), kernel=K), r"`kernel` must have the height.*\(2, 2\)"),
        (lambda: plotting.sweep(plane(41, 3)), r"1 to 40 pixels.*41 x 41.*plane\(8, 3\)"),
        (
            lambda: plotting.row_sweep(6, 3, pads=(1, 1), padding="same"),
            r"must stay \"valid\".*'same'",
        ),
        (lambda: plotting.row_sweep(6, 3, pads=1), r"two whole numbers.*pads=1.*pads=\(1, 1\)"),
        (lambda: plotting.row_sweep(6, 3, pads=(-1, 1)), r"two whole numbers.*\(-1, 1\)"),
        (lambda: plotting.row_sweep(2, 3), r"zero or negative"),
        (lambda: plotting.read_counts(), r"must be given a geometry.*Try plane\(5, 3\)"),
        (
            lambda: plotting.read_counts(plane(5, 3), titles=["a", "b"]),
            r"`titles`.*1 parts.*2 entries",
        ),
        (lambda: plotting.layers(), r"must be given a kernel size.*layers\(3, 3\)"),
        (lambda: plotting.layers(3, 3, strides=(1, 2, 3)), r"`strides`.*2 layers.*\(1, 2, 3\)"),
        (lambda: plotting.receptive_field([]), r"must have a layer"),
        (
            lambda: plotting.receptive_field([plane(9, 3), plane(9, 3)]),
            r"layer 0 gives \(7, 7\), layer 1",
        ),
        (lambda: plotting.receptive_field(layers(3), ["a", "b"]), r"`names`.*for 1 layers"),
        (lambda: plotting.coverage(), r"must be given a stack"),
        (lambda: plotting.coverage(layers(3), titles=["a", "b"]), r"`titles`.*for 1 stacks"),
        (lambda: plotting.volumes(plane(13, 3)), r"at most 12 x 12 pixels.*13 x 13"),
        (lambda: plotting.wiring(4, 6, 4), r"filters must be evenly divisible.*groups=4"),
        (lambda: plotting.wiring(25, 25), r"at most 24 channels.*channels=25"),
        (lambda: plotting.wiring("4", 4), r"`channels` must be a whole number.*'4'"),
        (lambda: plotting.memory_order(3, 3, 3), r"at most 16 numbers.*height=3"),
        (lambda: plotting.images([]), r"at least one image"),
        (lambda: plotting.images([noise(5, 5, 8)]), r"image 0 of shape \(5, 5, 8\).*feature_maps"),
        (lambda: plotting.images([X], ["a", "b"]), r"`titles`.*1 parts.*2 entries"),
        (lambda: plotting.images([X], "a"), r"`titles` must be a list.*Write \['a'\]"),
        (lambda: plotting.images([X], kernels=[[1, 2]]), r"beside an image.*shape \(2,\)"),
        (lambda: plotting.images([X - 1.0], limit=0), r"`limit` must be above 0.*limit=0"),
        (
            lambda: plotting.feature_maps(noise(2, 4, 4, 3)),
            r"for one image.*\(2, 4, 4, 3\).*maps\[0\]",
        ),
        (lambda: plotting.feature_maps([noise(3)]), r"Feature maps must have shape.*\[\(3,\)\]"),
        (lambda: plotting.kernels(noise(3, 3, 3)), r"A kernel must have shape.*\(3, 3, 3\)"),
        (
            lambda: plotting.curve([1, 2], [1, 2, 3]),
            r"one value for each x.*2 x, curve '' of shape \(3,\)",
        ),
        (lambda: plotting.curve([1], {str(i): [1] for i in range(7)}), r"1 to 6 curves.*7 curves"),
        (lambda: plotting.curve([1], [1], log="z"), r"`log` must be.*log='z'"),
        (lambda: plotting.histograms({}), r"at least one array"),
        (lambda: plotting.histograms([]), r"at least one. Received: '' of 0 values"),
        (lambda: plotting.histograms({"a": [1, np.nan]}), r"'a' of 2 values, 1 finite"),
        (lambda: plotting.histograms([1], bins=0), r"1 to 400. Received: bins=0"),
        (lambda: plotting.histograms([1], limits=(1, 1)), r"low first.*limits=\(1, 1\)"),
        (lambda: plotting.histograms([1], log="x"), r"`log` must be.*log='x'"),
        (lambda: plotting.histograms([1], columns=0), r"`columns` must be a whole number"),
        (lambda: plotting.histograms([1], captions=["a", "b"]), r"`captions`.*1 parts"),
        (lambda: plotting.histograms([1], colour="red"), r"`role` must be one of"),
        (lambda: plotting.bars({}), r"finite numbers, at least one.*\{\}"),
        (lambda: plotting.bars({"a": np.nan}), r"finite numbers.*nan"),
        (lambda: plotting.bars({"a": 1}, highlight=["b"]), r"`highlight` must name bars.*\['b'\]"),
        (lambda: plotting.together([]), r"at least one figure"),
        (
            lambda: plotting.together([plotting.grid(X)], columns=0),
            r"`columns` must be a whole number",
        ),
        (lambda: plotting.together([X]), r"of Pictures.*ndarray"),
    ],
)
def test_wrong_argument_is_refused_with_rule_and_what_came(call, text):
    with pytest.raises((ValueError, TypeError), match=f"(?s){text}"):
        call()


def test_last_bits_of_a_sum_do_not_change_a_pixel():
    photo = np.random.default_rng(0).integers(1, 256, (60, 80)) / 256  # where shades change
    noise = np.random.default_rng(1).choice([-2e-15, 2e-15], photo.shape)
    for signed in (False, True):
        pictures = [
            convlab.plotting.images([array], signed=signed) for array in (photo, photo + noise)
        ]
        assert pictures[0]._repr_png_() == pictures[1]._repr_png_()
