"""The geometry, against references that share none of its formulas.

The references lay windows down one at a time, or follow every pixel through a stack.
"""

from dataclasses import FrozenInstanceError
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab import geometry
from convlab.geometry import (
    Geometry,
    effective_kernel_size,
    output_size,
    receptive_field,
    same_padding,
)

PADDINGS = ("valid", "same")


# References ------------------------------------------------------------------


def lay_windows(n, k, s, d, padding):
    """Return (pixels of each window, zeros before, zeros after), found by trial."""
    taps = [tap * d for tap in range(k)]

    def fitting(size):
        return [start for start in range(0, size, s) if start + taps[-1] < size]

    zeros = 0
    while padding == "same" and len(fitting(n + zeros)) < len(range(0, n, s)):
        zeros += 1
    before = zeros // 2
    windows = [[start - before + tap for tap in taps] for start in fitting(n + zeros)]
    return windows, before, zeros - before


def count_reads(n, windows):
    counts = [0] * n
    for pixel in (pixel for window in windows for pixel in window):
        if 0 <= pixel < n:
            counts[pixel] += 1
    return tuple(counts)


def trace(image, layer):
    """Replace each output cell by the set of image pixels that reach it."""
    rows, columns = (
        lay_windows(n, k, s, d, layer.padding)[0]
        for n, k, s, d in zip(
            image.shape, layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
        )
    )
    output = np.empty((len(rows), len(columns)), object)
    for (i, window_rows), (j, window_columns) in product(enumerate(rows), enumerate(columns)):
        inside = [
            image[r, c]
            for r, c in product(window_rows, window_columns)
            if 0 <= r < image.shape[0] and 0 <= c < image.shape[1]
        ]
        output[i, j] = frozenset().union(*inside)
    return output


def stack_layers(size, specs):
    """Build the geometries of a stack of (kernel, strides, dilation, padding) on one channel."""
    layers = []
    for kernel, strides, rate, padding in specs:
        layers.append(
            Geometry.conv2d(
                (1, *size, 1),
                (*kernel, 1, 1),
                strides=strides,
                dilation_rate=rate,
                padding=padding,
            )
        )
        size = layers[-1].output_size
    return layers


def conv(n, c, f, k, **options):
    return Geometry.conv2d((1, n, n, c), (k, k, c // options.get("groups", 1), f), **options)


# One axis --------------------------------------------------------------------

KERAS_CASES = [
    (n, k, s, d)
    for n, k, s, d in product(range(1, 10), range(1, 7), range(1, 5), range(1, 4))
    if s == 1 or d == 1
]


def case_id(case):
    return "n{}-k{}-s{}-d{}".format(*case)


@pytest.mark.parametrize(
    ("n", "k", "s", "d", "size", "pads"),
    [
        (5, 2, 1, 1, 5, (0, 1)),
        (5, 4, 1, 1, 5, (1, 2)),
        (6, 3, 2, 1, 3, (0, 1)),
        (5, 3, 2, 1, 3, (1, 1)),
        (5, 2, 1, 3, 5, (1, 2)),
        (8, 2, 3, 1, 3, (0, 0)),
        (5, 3, 1, 1, 5, (1, 1)),
        (8, 3, 2, 1, 4, (0, 1)),
        (8, 4, 2, 1, 4, (1, 1)),
        (224, 7, 2, 1, 112, (2, 3)),
        (6, 2, 2, 1, 3, (0, 0)),
        (9, 1, 3, 1, 3, (0, 0)),
        (224, 11, 4, 1, 56, (3, 4)),
        (0, 3, 1, 1, 0, (0, 0)),
    ],
)
def test_same_padding_is_what_keras_was_measured_to_do(n, k, s, d, size, pads):
    assert output_size(n, k, s, "same", d) == size
    assert same_padding(n, k, s, d) == pads


@pytest.mark.parametrize(
    ("n", "k", "s", "d", "size"),
    [
        (10, 3, 2, 1, 4),
        (28, 3, 2, 1, 13),
        (227, 11, 4, 1, 55),
        (224, 11, 4, 1, 54),
        (9, 3, 1, 2, 5),
        (7, 3, 1, 3, 1),
        (5, 5, 1, 1, 1),
        (2, 3, 1, 1, 0),
        (2, 9, 1, 1, -6),
    ],
)
def test_valid_output_size_is_floored(n, k, s, d, size):
    assert output_size(n, k, s, "valid", d) == size


def test_keras_grid_has_324_cases():
    assert len(KERAS_CASES) == 324


@pytest.mark.parametrize("case", KERAS_CASES, ids=case_id)
def test_sizes_on_the_keras_grid_equal_windows_laid_one_by_one(case):
    n, k, s, d = case
    windows, before, after = lay_windows(n, k, s, d, "same")
    assert (output_size(n, k, s, "same", d), same_padding(*case)) == (len(windows), (before, after))
    fitting = lay_windows(n, k, s, d, "valid")[0]
    assert max(output_size(n, k, s, "valid", d), 0) == len(fitting)


@pytest.mark.parametrize(
    ("rule", "failures"),
    [
        (lambda n, k, s, d: ((k - 1) * d // 2,) * 2, 133),
        (lambda n, k, s, d: same_padding(n, k, s, d)[::-1], 117),
        (lambda n, k, s, d: same_padding(n, k, s), 90),
        (lambda n, k, s, d: same_padding(n, k, 1, d), 80),
    ],
    ids=["symmetric", "extra-first", "no-dilation", "no-stride"],
)
def test_keras_grid_catches_each_common_wrong_padding(rule, failures):
    wrong = [case for case in KERAS_CASES if rule(*case) != lay_windows(*case, "same")[1:]]
    assert len(wrong) == failures


def test_unknown_size_stays_unknown():
    assert output_size(None, 3, 2) is None
    assert output_size(None, 7, 2, "same") is None


def test_one_axis_functions_read_padding_in_any_case_of_letters():
    assert output_size(10, 3, 1, "SAME") == 10
    assert output_size(10, 3, 1, "Valid") == 8


@pytest.mark.parametrize(("k", "d", "reach"), [(1, 9, 1), (3, 1, 3), (3, 2, 5), (2, 3, 4)])
def test_effective_kernel_size_counts_pixels_from_first_to_last_tap(k, d, reach):
    assert effective_kernel_size(k, d) == reach


# Two axes --------------------------------------------------------------------


@st.composite
def sweeps(draw):
    """Any 2-D sweep that fits, strides and dilation together included."""
    axis = st.tuples(*(st.integers(1, most) for most in (24, 5, 4, 3)))
    padding = draw(st.sampled_from(PADDINGS))
    axes = draw(axis), draw(axis)
    fits = [padding == "same" or (k - 1) * d < n for n, k, s, d in axes]
    (height, kh, sh, dh), (width, kw, sw, dw) = (
        (n if fit else (k - 1) * d + n, k, s, d)
        for (n, k, s, d), fit in zip(axes, fits, strict=True)
    )
    return Geometry.conv2d(
        (2, height, width, 3),
        (kh, kw, 3, 4),
        strides=(sh, sw),
        padding=padding,
        dilation_rate=(dh, dw),
    )


def reference_axes(g):
    axes = zip(g.input_size, g.kernel_size, g.strides, g.dilation_rate, strict=True)
    return [lay_windows(n, k, s, d, g.padding) for n, k, s, d in axes]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(sweeps())
def test_sweep_equals_windows_laid_one_by_one(g):
    (rows, top, bottom), (columns, left, right) = reference_axes(g)
    assert g.output_size == (len(rows), len(columns))
    assert g.output_shape == (2, len(rows), len(columns), 4)
    assert g.pads == (top, bottom, left, right)
    for i, j in {(0, 0), (len(rows) - 1, len(columns) // 2)}:
        assert g.window(i, j) == (tuple(rows[i]), tuple(columns[j]))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(sweeps())
def test_read_counts_equal_windows_laid_one_by_one(g):
    (rows, *_), (columns, *_) = reference_axes(g)
    assert g.row_reads == count_reads(g.height, rows)
    assert g.column_reads == count_reads(g.width, columns)
    seen = np.zeros(g.input_size, bool)
    for window_rows, window_columns in product(rows, columns):
        inside = [r for r in window_rows if 0 <= r < g.height]
        seen[np.ix_(inside, [c for c in window_columns if 0 <= c < g.width])] = True
    assert g.unread_pixels == (~seen).sum()
    skipped = np.ones(g.input_size, bool)
    skipped[np.ix_(*(np.flatnonzero(reads) for reads in (g.row_reads, g.column_reads)))] = False
    assert (skipped == ~seen).all()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(sweeps(), st.data())
def test_overlap_names_the_cells_whose_tap_lies_on_the_image(g, data):
    axis = data.draw(st.integers(0, 1))
    start = data.draw(st.integers(0, g.output_size[axis]))
    block = slice(start, data.draw(st.integers(start, g.output_size[axis])))
    windows = reference_axes(g)[axis][0][block]
    for tap in range(g.kernel_size[axis]):
        cells, pixels = g.overlap(axis, tap, block)
        pairs = [(i, w[tap]) for i, w in enumerate(windows) if 0 <= w[tap] < g.input_size[axis]]
        named = [range(*s.indices(10**6)) for s in (cells, pixels)]
        assert list(zip(*named, strict=True)) == pairs


@pytest.mark.parametrize(
    ("n", "k", "s", "padding", "reads"),
    [
        (10, 3, 2, "valid", (1, 1, 2, 1, 2, 1, 2, 1, 1, 0)),
        (10, 2, 3, "valid", (1, 1, 0, 1, 1, 0, 1, 1, 0, 0)),
        (10, 4, 2, "valid", (1, 1, 2, 2, 2, 2, 2, 2, 1, 1)),
        (10, 3, 2, "same", (1, 1, 2, 1, 2, 1, 2, 1, 2, 1)),
        (5, 3, 1, "same", (2, 3, 3, 3, 2)),
    ],
)
def test_reads_of_the_chapters_examples(n, k, s, padding, reads):
    g = Geometry.conv2d((1, n, n, 1), (k, k, 1, 1), strides=s, padding=padding)
    assert g.row_reads == g.column_reads == reads
    assert g.unread_rows == tuple(i for i, count in enumerate(reads) if not count)


def test_last_row_and_column_of_28_by_28_are_never_read_at_stride_2():
    g = conv(28, 1, 32, 3, strides=2)
    assert (g.unread_rows, g.unread_columns, g.unread_pixels) == ((27,), (27,), 55)


def test_same_padding_wider_than_the_image_leaves_only_the_centre_tap_on_data():
    g = conv(8, 1, 1, 3, padding="same", dilation_rate=8)
    assert g.row_reads == (1,) * 8
    assert g.window(0, 0)[0] == (-8, 0, 8)


def test_window_past_the_edge_is_the_one_that_did_not_fit():
    g = conv(10, 1, 1, 3, strides=2)
    assert g.window(g.output_size[0], 0)[0] == (8, 9, 10)


# Shapes ----------------------------------------------------------------------


def test_channels_first_is_the_same_sweep_with_axes_moved():
    last = Geometry.conv2d((2, 9, 7, 4), (3, 2, 2, 6), groups=2, padding="same")
    first = Geometry.conv2d(
        (2, 4, 9, 7), (3, 2, 2, 6), groups=2, padding="same", data_format="channels_first"
    )
    assert (first.input_shape, first.output_shape) == ((2, 4, 9, 7), (2, 6, 9, 7))
    assert (first.pads, first.kernel_shape) == (last.pads, last.kernel_shape)
    assert first.multiply_adds == last.multiply_adds


def test_shapes_come_back_as_given():
    g = Geometry.conv2d((2, 9, 7, 4), (3, 2, 2, 6), groups=2)
    assert (g.input_shape, g.kernel_shape) == ((2, 9, 7, 4), (3, 2, 2, 6))
    assert (g.group_channels, g.group_filters, g.input_size) == (2, 3, (9, 7))


@pytest.mark.parametrize(
    ("shape", "kernel", "options", "output"),
    [
        ((0, 5, 5, 1), (3, 3, 1, 2), {}, (0, 3, 3, 2)),
        ((1, 0, 5, 1), (3, 3, 1, 2), {"padding": "same"}, (1, 0, 5, 2)),
        ((1, 5, 0, 1), (3, 3, 1, 2), {"padding": "same", "strides": 2}, (1, 3, 0, 2)),
        ((1, 2, 2, 1), (3, 3, 1, 2), {"padding": "same"}, (1, 2, 2, 2)),
        ((1, 9, 9, 1), (3, 3, 1, 1), {"strides": (2, 1)}, (1, 4, 7, 1)),
        ((1, 10, 12, 1), (2, 5, 1, 1), {}, (1, 9, 8, 1)),
        ((1, 3, 9, 1), (1, 3, 1, 1), {"strides": 2, "dilation_rate": (1, 2)}, (1, 2, 3, 1)),
        ((2, 3, 32, 32), (3, 3, 32, 8), {}, (2, 1, 30, 8)),
        ((1, 5, 5, 1), (3, 3, 1, 1), {"strides": 9}, (1, 1, 1, 1)),
    ],
    ids=["batch0", "height0", "width0", "small-same", "strides-pair", "2x5", "both", "nchw", "s>n"],
)
def test_output_shape_at_the_edges(shape, kernel, options, output):
    assert Geometry.conv2d(shape, kernel, **options).output_shape == output


@pytest.mark.parametrize(
    ("shape", "options", "output"),
    [
        ((1, 5, 5, 3), {}, (1, 2, 2, 3)),
        ((1, 5, 5, 3), {"padding": "same"}, (1, 3, 3, 3)),
        ((1, 5, 5, 3), {"pool_size": 3, "strides": 1}, (1, 3, 3, 3)),
        ((2, 4, 8, 6), {"data_format": "channels_first"}, (2, 4, 4, 3)),
        ((2, 4, 8, 6), {}, (2, 2, 4, 6)),
    ],
)
def test_pooling_steps_by_its_size_unless_told(shape, options, output):
    g = Geometry.pool2d(shape, **options)
    assert g.output_shape == output
    assert (g.filters, g.groups) == (g.channels, g.channels)
    assert (g.parameters(), g.parameter_bytes()) == (0, 0)


def test_sizes_are_plain_integers_whatever_came_in():
    g = Geometry.conv2d(
        np.array([1, 9, 9, 2]), [np.int64(3), True, 2, 4], strides=np.int64(2), groups=np.int8(1)
    )
    numbers = (*g.output_shape, *g.kernel_shape, *g.strides, g.groups)
    assert {type(number) for number in numbers} == {int}
    assert g.kernel_size == (3, 1)


@pytest.mark.parametrize("value", [[2, 3], (2, 3), np.array([2, 3]), iter([2, 3])])
def test_a_pair_may_come_in_any_sequence(value):
    assert conv(9, 1, 1, 3, strides=value).strides == (2, 3)


def test_geometry_cannot_change_and_can_be_a_key():
    g, same = conv(9, 1, 1, 3), conv(9, 1, 1, 3, strides=(1, 1))
    with pytest.raises(FrozenInstanceError):
        g.height = 3
    assert g == same
    assert {g: "found"}[same] == "found"
    assert g != conv(9, 1, 1, 3, padding="same")


# Costs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "c", "f", "k", "parameters", "mega", "megabytes"),
    [
        (28, 1, 32, 3, 320, 0.226, 0.100),
        (32, 3, 32, 3, 896, 0.885, 0.131),
        (224, 3, 64, 3, 1_792, 86.7, 12.8),
        (224, 64, 64, 3, 36_928, 1_850, 12.8),
        (112, 128, 128, 3, 147_584, 1_850, 6.4),
        (56, 256, 256, 3, 590_080, 1_850, 3.2),
        (14, 512, 512, 3, 2_359_808, 462, 0.40),
        (56, 64, 64, 1, 4_160, 12.8, 0.803),
        (56, 64, 64, 2, 16_448, 51.4, 0.803),
        (56, 64, 64, 3, 36_928, 115.6, 0.803),
        (56, 64, 64, 5, 102_464, 321, 0.803),
        (56, 64, 64, 7, 200_768, 629, 0.803),
        (56, 64, 64, 11, 495_680, 1_554, 0.803),
    ],
)
def test_costs_of_the_chapters_tables(n, c, f, k, parameters, mega, megabytes):
    g = conv(n, c, f, k, padding="same")
    assert g.parameters() == parameters
    assert g.multiply_adds / 1e6 == pytest.approx(mega, rel=5e-3)
    assert g.output_bytes() / 1e6 == pytest.approx(megabytes, rel=5e-3)


@pytest.mark.parametrize(
    ("s", "size", "mega", "dense"),
    [(1, 224, 86.7, 32_112_650), (2, 112, 21.7, 8_028_170), (4, 56, 5.4, 2_007_050)],
)
def test_strides_shrink_everything_but_the_parameters(s, size, mega, dense):
    g = conv(224, 3, 64, 3, strides=s, padding="same")
    assert (g.parameters(), g.output_size) == (1_792, (size, size))
    assert g.multiply_adds / 1e6 == pytest.approx(mega, rel=5e-3)
    assert np.prod(g.output_shape) * 10 + 10 == dense


@pytest.mark.parametrize(("d", "mega"), [(1, 107.5), (2, 99.7), (4, 84.9)])
def test_dilation_costs_no_parameters(d, mega):
    g = conv(56, 64, 64, 3, dilation_rate=d)
    assert g.parameters() == 36_928
    assert g.multiply_adds / 1e6 == pytest.approx(mega, rel=5e-3)


@pytest.mark.parametrize(
    ("groups", "weights", "mega"),
    [
        (1, 589_824, 1_850),
        (2, 294_912, 925),
        (8, 73_728, 231),
        (32, 18_432, 57.8),
        (256, 2_304, 7.2),
    ],
)
def test_groups_divide_weights_and_multiply_adds(groups, weights, mega):
    g = conv(56, 256, 256, 3, padding="same", groups=groups)
    assert (g.parameters(use_bias=False), g.parameters()) == (weights, weights + 256)
    assert g.multiply_adds / 1e6 == pytest.approx(mega, rel=5e-3)


@pytest.mark.parametrize(
    ("n", "c", "f", "k", "full", "separable"),
    [
        (112, 32, 64, 3, 231, 29.3),
        (56, 128, 128, 3, 462, 55.0),
        (14, 512, 512, 3, 462, 52.3),
        (28, 256, 256, 5, 1_285, 56.4),
        (28, 256, 256, 7, 2_518, 61.2),
    ],
)
def test_depthwise_then_pointwise_costs_what_the_chapter_says(n, c, f, k, full, separable):
    depthwise = conv(n, c, c, k, padding="same", groups=c)
    pointwise = conv(n, c, f, 1)
    assert conv(n, c, f, k, padding="same").multiply_adds / 1e6 == pytest.approx(full, rel=5e-3)
    both = depthwise.multiply_adds + pointwise.multiply_adds
    assert both / 1e6 == pytest.approx(separable, rel=5e-3)


@pytest.mark.parametrize(
    ("n", "k", "ratio"), [(8, 3, 1.78), (8, 7, 16.0), (14, 5, 1.96), (28, 3, 1.16), (224, 7, 1.06)]
)
def test_same_costs_more_multiply_adds_than_valid(n, k, ratio):
    same, valid = conv(n, 1, 1, k, padding="same"), conv(n, 1, 1, k)
    assert same.multiply_adds / valid.multiply_adds == pytest.approx(ratio, rel=5e-3)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(sweeps())
def test_multiply_adds_count_every_tap_of_every_window(g):
    (rows, *_), (columns, *_) = reference_axes(g)
    cells = sum(len(r) * len(c) for r, c in product(rows, columns))
    assert g.multiply_adds == 2 * 3 * 4 * cells


def test_bytes_scale_with_the_item():
    g = conv(28, 3, 32, 3, padding="same")
    assert (g.input_bytes(), g.input_bytes(8)) == (28 * 28 * 3 * 4, 28 * 28 * 3 * 8)
    assert (g.output_bytes(2), g.parameter_bytes()) == (28 * 28 * 32 * 2, 896 * 4)
    assert g.parameter_bytes(use_bias=False, itemsize=8) == 864 * 8


def test_alexnet_halves_its_second_layer_with_two_groups():
    assert conv(27, 96, 256, 5).parameters() == 614_656
    assert conv(27, 96, 256, 5, groups=2).parameters() == 307_456


# Receptive fields ------------------------------------------------------------

STACKS = {
    "one": ((9, 9), [((3, 2), 1, 1, "valid")]),
    "three-3x3": ((11, 9), [((3, 3), 1, 1, "valid")] * 3),
    "strided": ((15, 14), [((3, 3), 2, 1, "valid"), ((3, 2), 1, 1, "valid")]),
    "pooled": ((16, 16), [((5, 5), 1, 1, "valid"), ((2, 2), 2, 1, "valid")] * 2),
    "dilated": ((15, 15), [((3, 3), 1, 1, "same"), ((3, 3), 1, 2, "same")]),
    "gridding": ((17, 13), [((3, 3), 1, 2, "valid")] * 3),
    "same-even": ((12, 11), [((2, 4), 1, 1, "same")] * 2),
    "same-strided": ((14, 13), [((3, 3), 2, 1, "same"), ((3, 4), (1, 2), 1, "same")]),
    "both": ((19, 18), [((3, 2), (2, 3), (2, 1), "same"), ((2, 2), 1, 2, "same")]),
    "skipping": ((13, 13), [((1, 2), 3, 1, "same"), ((2, 1), 2, 1, "same")]),
}


@pytest.mark.parametrize(("size", "specs"), STACKS.values(), ids=STACKS)
def test_receptive_field_equals_pixels_followed_through_the_stack(size, specs):
    layers = stack_layers(size, specs)
    image = np.empty(size, object)
    for pixel in np.ndindex(size):
        image[pixel] = frozenset([pixel])
    for layer in layers:
        image = trace(image, layer)
    assert assert_fields(image, receptive_field(layers), size) > 0


def assert_fields(cells, field, size):
    """Check each cell's pixels against its box; return how many boxes lie within the image."""
    interior = 0
    for cell in np.ndindex(cells.shape):
        first = [a + i * j for a, i, j in zip(field.start, cell, field.jump, strict=True)]
        last = [a + n - 1 for a, n in zip(first, field.size, strict=True)]
        found = [[pixel[axis] for pixel in cells[cell]] for axis in range(2)]
        for axis in range(2):
            assert all(first[axis] <= place <= last[axis] for place in found[axis])
        if min(first) >= 0 and all(end < n for end, n in zip(last, size, strict=True)):
            interior += 1
            assert [min(places) for places in found] == first
            assert [max(places) for places in found] == last
    return interior


@pytest.mark.parametrize(("rates", "size"), [((1, 2, 4, 8), 31), ((2, 2, 2), 13), ((1, 3, 9), 27)])
def test_receptive_field_of_dilated_stacks(rates, size):
    layers = [conv(99, 1, 1, 3, dilation_rate=d, padding="same") for d in rates]
    assert receptive_field(layers).size == (size, size)


@pytest.mark.parametrize("depth", range(1, 7))
def test_receptive_field_doubles_with_each_strided_layer(depth):
    layers = stack_layers((200, 200), [((3, 3), 2, 1, "same")] * depth)
    field = receptive_field(layers)
    assert (field.size, field.jump) == ((2 ** (depth + 1) - 1,) * 2, (2**depth,) * 2)


def test_receptive_field_of_the_articles_network():
    specs = [((5, 5), 1, 1, "valid"), ((2, 2), 2, 1, "valid")] * 2
    layers = stack_layers((28, 28), specs)
    sizes = [receptive_field(layers[:depth]).size[0] for depth in range(1, 5)]
    assert sizes == [5, 6, 14, 16]


def test_same_2x2_layers_move_the_centre_half_a_pixel_each():
    centers = [receptive_field([conv(9, 1, 1, 2, padding="same")] * n).center for n in range(9)]
    assert centers == [(n / 2, n / 2) for n in range(9)]


def test_receptive_field_of_no_layer_is_the_pixel_itself():
    field = receptive_field([])
    assert (field.size, field.jump, field.start, field.center) == ((1, 1), (1, 1), (0, 0), (0, 0))


def test_receptive_field_of_one_layer_is_its_window():
    g = conv(9, 1, 1, 3, padding="same", dilation_rate=2)
    assert (g.receptive_field.size, g.receptive_field.start) == ((5, 5), (-2, -2))


# Huge sizes ------------------------------------------------------------------


def test_sizes_beyond_64_bits_are_exact():
    assert output_size(10**30, 3, 7) == (10**30 - 3) // 7 + 1
    g = conv(10**20, 1, 10**6, 3, padding="same")
    assert g.multiply_adds == 9 * 10**46
    assert g.output_bytes() == 4 * 10**46


def test_reads_of_a_wide_window_on_a_long_row_are_counted():
    # 100,000 pixels under 100,000 taps: ten thousand million reads, counted and not walked.
    g = Geometry.conv2d((1, 100_000, 1, 1), (100_000, 1, 1, 1), padding="same")
    reads = g.row_reads
    assert (reads[0], reads[50_000], reads[-1]) == (50_000, 100_000, 50_001)
    assert all(abs(a - b) <= 1 for a, b in pairwise(reads))


# Errors: rule, what was received, way out ------------------------------------


def refused(error, pattern, call, *args, **options):
    with pytest.raises(error, match=pattern):
        call(*args, **options)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        (name, value, error)
        for name in ("strides", "dilation_rate")
        for value, error in [
            (0, ValueError),
            (-1, ValueError),
            ((1, 0), ValueError),
            ((1, -2), ValueError),
            ((2,), ValueError),
            ((1, 2, 3), ValueError),
            ((), ValueError),
            (1.0, ValueError),
            (2.5, ValueError),
            ((2.0, 2.0), ValueError),
            (float("nan"), ValueError),
            (None, ValueError),
            (object, ValueError),
            ("2", ValueError),
            ("22", TypeError),
            (b"22", TypeError),
            (("2", 2), TypeError),
        ]
    ],
)
def test_pair_must_be_two_positive_integers(name, value, error):
    pattern = (
        rf"^The `{name}` argument must be a tuple of 2 integers \(height, width\), "
        rf"or one for both\. Received: {name}="
    )
    refused(error, pattern, conv, 9, 1, 1, 3, **{name: value})


def test_pair_error_names_the_values_that_break_the_rule():
    pattern = r"Received: strides=\(1, 0\), including \[0\] that do not satisfy `value > 0`\.$"
    refused(ValueError, pattern, conv, 9, 1, 1, 3, strides=(1, 0))


@pytest.mark.parametrize("value", [0, (2, 0), "22"])
def test_pool_size_follows_the_same_rule(value):
    pattern = r"`pool_size` argument must be a tuple of 2 integers.*Received: pool_size="
    refused((ValueError, TypeError), pattern, Geometry.pool2d, (1, 5, 5, 1), value)
    refused(ValueError, "`strides`.*strides=0", Geometry.pool2d, (1, 5, 5, 1), strides=0)


@pytest.mark.parametrize(
    ("value", "error", "way_out"),
    [
        ("causal", ValueError, r"$"),
        ("", ValueError, r"$"),
        ("full", ValueError, r' For "full", pad with np\.pad by the kernel size less one'),
        ((1, 1), ValueError, r" For other amounts, pad the array with np\.pad"),
        ([[1, 1], [1, 1]], ValueError, r" For other amounts"),
        (1, TypeError, r' For other amounts, pad .* use padding="valid"\.$'),
        (None, TypeError, r"$"),
    ],
)
def test_padding_must_be_valid_or_same(value, error, way_out):
    pattern = r'^`padding` must be either "valid" or "same"\. Received: padding=.*\.' + way_out
    refused(error, pattern, conv, 9, 1, 1, 3, padding=value)
    refused(error, pattern, output_size, 9, 3, padding=value)


@pytest.mark.parametrize("value", ["SAME", "Same", "same"])
def test_padding_is_read_in_any_case_of_letters(value):
    assert conv(9, 1, 1, 3, padding=value).padding == "same"
    assert conv(9, 1, 1, 3, data_format="Channels_Last").data_format == "channels_last"


@pytest.mark.parametrize(
    ("value", "way_out"),
    [
        ("NHWC", r' Did you mean "channels_last"\?$'),
        ("nchw", r' Did you mean "channels_first"\?$'),
        ("last", r"'last'\.$"),
        (1, r"1\.$"),
    ],
)
def test_data_format_must_be_one_of_two(value, way_out):
    pattern = (
        '^`data_format` must be either "channels_last" or "channels_first". '
        rf"Received: data_format=.*{way_out}"
    )
    refused(ValueError, pattern, conv, 9, 1, 1, 3, data_format=value)


@pytest.mark.parametrize(
    ("value", "error"),
    [(0, ValueError), (-1, ValueError), (2.0, ValueError), (None, TypeError), ("2", TypeError)],
)
def test_groups_must_be_a_positive_whole_number(value, error):
    pattern = r"^`groups` must be a whole number, at least 1\. Received: groups="
    shape, kernel = (1, 9, 9, 2), (3, 3, 2, 2)
    refused(error, pattern, Geometry.conv2d, shape, kernel, groups=value)


@pytest.mark.parametrize(
    ("channels", "kernel", "groups", "pattern"),
    [
        (3, (3, 3, 1, 4), 3, r"filters must be evenly divisible .* groups=3.* filters=4\.$"),
        (3, (3, 3, 1, 4), 2, r"input channels must be evenly divisible .*groups=2.* channels=3\.$"),
        (4, (3, 3, 1, 2), 4, r"filters must be evenly divisible .* groups=4.* filters=2\.$"),
        (4, (3, 3, 4, 4), 2, r"third axis must be input channels // groups = 4 // 2 = 2\. Rec"),
        (4, (3, 3, 3, 4), 1, r"4 // 1 = 4.*input shape=\(1, 9, 9, 4\), kernel shape=\(3, 3, 3, 4"),
    ],
)
def test_groups_must_divide_channels_and_filters(channels, kernel, groups, pattern):
    shape = (1, 9, 9, channels)
    refused(ValueError, pattern, Geometry.conv2d, shape, kernel, groups=groups)


def test_pytorch_weight_is_recognised():
    pattern = r"PyTorch weight \(filters, channels, .*weight\.transpose\(2, 3, 1, 0\)\.$"
    refused(ValueError, pattern, Geometry.conv2d, (1, 9, 9, 32), (64, 32, 3, 3))


@pytest.mark.parametrize(
    ("shape", "data_format"), [((1, 3, 9, 9), None), ((1, 9, 9, 3), "channels_first")]
)
def test_other_data_format_is_suspected(shape, data_format):
    pattern = (
        r"Is the input in the other data_format \(\"channels_first\" or \"channels_last\"\)\?$"
    )
    options = {"data_format": data_format}
    refused(ValueError, pattern, Geometry.conv2d, shape, (3, 3, 3, 8), **options)


@pytest.mark.parametrize(
    ("shape", "error", "pattern"),
    [
        ((9, 9, 1), ValueError, r"Received: input shape=\(9, 9, 1\) with 3 axes\. Add the batch"),
        ((1, 1, 9, 9, 1), ValueError, r"with 5 axes\.$"),
        ((), ValueError, r"input shape=\(\) with 0 axes\.$"),
        (9, TypeError, r"Received: input shape=9, which is no tuple\.$"),
        ("1991", TypeError, r"Received: input shape='1991', which is no tuple\.$"),
        (None, TypeError, r"input shape=None, which is no tuple"),
    ],
)
def test_input_must_have_four_axes(shape, error, pattern):
    rule = r"^The input must have 4 axes, \(batch, height, width, channels\)\. .*"
    refused(error, rule + pattern, Geometry.conv2d, shape, (3, 3, 1, 1))
    refused(error, rule + pattern, Geometry.pool2d, shape)


def test_four_axes_are_named_in_the_order_of_the_data_format():
    pattern = r"4 axes, \(batch, channels, height, width\)"
    refused(ValueError, pattern, Geometry.pool2d, (9, 9, 1), data_format="channels_first")


@pytest.mark.parametrize(
    ("axis", "error"),
    [
        (-1, ValueError),
        (5.7, ValueError),
        (float("nan"), ValueError),
        (None, TypeError),
        ("9", TypeError),
    ],
)
def test_every_axis_must_be_a_whole_number(axis, error):
    pattern = (
        r"^Every axis of the input must be a whole number, at least 0\. Received: input shape="
    )
    refused(error, pattern, Geometry.conv2d, (1, axis, 9, 1), (3, 3, 1, 1))
    pattern = r"^Every axis of the kernel must be a whole number, at least 1\. Received: kernel sh"
    refused(error, pattern, Geometry.conv2d, (1, 9, 9, 1), (3, axis, 1, 1))


@pytest.mark.parametrize("kernel", [(0, 3, 1, 1), (3, 3, 0, 1), (3, 3, 1, 0)])
def test_kernel_axes_must_be_positive(kernel):
    pattern = r"Every axis of the kernel .* at least 1\. Received: kernel shape=\("
    refused(ValueError, pattern, Geometry.conv2d, (1, 9, 9, 1), kernel)


def test_kernel_must_have_four_axes():
    pattern = (
        r"^The kernel must have 4 axes, \(kernel_height, kernel_width, channels // groups, "
        r"filters\)\. Received: kernel shape=\(3, 3\) with 2 axes\.$"
    )
    refused(ValueError, pattern, Geometry.conv2d, (1, 9, 9, 1), (3, 3))


def test_input_must_have_a_channel():
    pattern = (
        r"at least one channel\. Received: input shape=\(1, 9, 9, 0\), data_format='channels_la"
    )
    refused(ValueError, pattern, Geometry.pool2d, (1, 9, 9, 0))


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (lambda: conv(2, 1, 1, 3), r"input shape=\(1, 2, 2, 1\), kernel shape=\(3, 3, 1, 1\), "),
        (lambda: conv(5, 1, 1, 3, dilation_rate=3), r"dilation_rate=\(3, 3\) \(effective .*\(7, 7"),
        (lambda: Geometry.pool2d((1, 2, 9, 1), 3), r"pool_size=\(3, 3\).*strides=\(3, 3\), paddin"),
        (lambda: Geometry.pool2d((1, 0, 9, 1), 1), r"input shape=\(1, 0, 9, 1\)"),
    ],
    ids=["conv", "dilated", "pool", "empty"],
)
def test_window_larger_than_the_input_is_refused_with_every_ingredient(make, pattern):
    rule = r"^Computed output size would be zero or negative: the window is larger than the input\."
    way_out = r'.*Use a smaller window, a larger image, or padding="same"\.$'
    refused(ValueError, rule + ".*" + pattern + way_out, make)


@pytest.mark.parametrize(
    ("call", "pattern"),
    [
        (
            lambda: output_size(-1, 3),
            r"`size` must be a whole number, at least 0\. Received: size=-1",
        ),
        (lambda: output_size(9, 0), r"`kernel_size` .* at least 1\. Received: kernel_size=0\."),
        (lambda: output_size(9, 3, 0), r"`stride` .* at least 1\. Received: stride=0\."),
        (lambda: output_size(9, 2.5), r"`kernel_size` .*Received: kernel_size=2\.5"),
        (lambda: same_padding(9, 3, 0), r"`stride` .*Received: stride=0"),
        (lambda: same_padding(9, 3, 1, 0), r"`dilation_rate` .*Received: dilation_rate=0"),
        (lambda: effective_kernel_size(3, -1), r"`dilation_rate` .*Received: dilation_rate=-1"),
    ],
)
def test_one_axis_functions_refuse_what_is_no_size(call, pattern):
    refused(ValueError, pattern, call)


@pytest.mark.parametrize(("strides", "rates"), [((2, 1), (1, 2)), ((2, 2), (2, 2))])
def test_a_layer_may_not_step_and_spread_at_once(strides, rates):
    pattern = (
        r"^`strides > 1` not supported in conjunction with `dilation_rate > 1`\. Received: "
        rf"strides=\({strides[0]}, {strides[1]}\) and dilation_rate=\({rates[0]}, {rates[1]}\)\. "
        r"The function conv2d takes both"
    )
    refused(ValueError, pattern, geometry.check_strides_with_dilation, strides, rates)
    geometry.check_strides_with_dilation(strides, (1, 1))
    geometry.check_strides_with_dilation((1, 1), rates)


@pytest.mark.parametrize("stack", [None, 3, "ab", [1, 2], np.array(2)])
def test_receptive_field_of_what_is_no_layer_is_refused(stack):
    with pytest.raises(TypeError, match=r"`stack` must hold Geometry objects.*Received: "):
        receptive_field(stack)
