"""Every kind of convolution, by three implementations, against an independent reference.

Two tiers. Whole numbers from -4 to 4 are exact in any order of summation: there every result is
equal to int64 arithmetic bit by bit, and a wrong index cannot hide in a tolerance. Real numbers
may differ by rounding, and by no more than their sum allows.
"""

import math

import numpy as np
import pytest

import convlab
import reference
from cases import CONVOLUTIONS, FAST, FORMATS, IMPLEMENTATIONS, Layer, floats, grid, integers

# The 18 classes: six kinds of layer, each plain, with channels and filters that fill no vector,
# and strided.
PLAIN = [
    Layer("first_layer", (2, 8, 7, 1), (5, 5), 8),
    Layer("1x1", (2, 5, 4, 16), (1, 1), 16),
    Layer("3x3", (2, 6, 5, 8), (3, 3), 8),
    Layer("matrix_product", (3, 3, 3, 8), (3, 3), 16),
    Layer("grouped", (2, 6, 5, 8), (3, 3), 16, groups=4),
    Layer("depthwise", (2, 6, 5, 16), (3, 3), 16, groups=16),
]
ODD = [
    Layer("first_layer-odd", (2, 8, 7, 3), (5, 5), 7),
    Layer("1x1-odd", (2, 5, 3, 13), (1, 1), 37),
    Layer("3x3-odd", (2, 6, 5, 5), (3, 3), 9),
    Layer("matrix_product-odd", (3, 3, 3, 7), (3, 3), 11),
    Layer("grouped-odd", (2, 6, 5, 9), (3, 3), 15, groups=3),
    Layer("depthwise-odd", (2, 6, 5, 7), (3, 3), 21, groups=7),
]
STRIDED = [layer.but("strided", strides=(2, 3)) for layer in PLAIN]
CLASSES = PLAIN + ODD + STRIDED

# What the classes leave out. Each is an odd shape that has broken somebody's kernel.
SPECIAL = [
    Layer("dilated", (1, 9, 8, 2), (3, 2), 3, dilation_rate=(2, 3)),
    Layer("dilated-strided", (1, 11, 10, 2), (3, 3), 3, strides=(2, 3), dilation_rate=(3, 2)),
    Layer("dilated-grouped", (1, 7, 8, 4), (2, 3), 6, dilation_rate=(3, 1), groups=2),
    Layer("dilated-depthwise", (1, 7, 8, 5), (2, 2), 5, dilation_rate=(1, 2), groups=5),
    Layer("strided-depthwise", (1, 7, 9, 5), (3, 3), 10, strides=(3, 2), groups=5),
    Layer("even_2x2", (1, 5, 6, 2), (2, 2), 3),
    Layer("even_4x4", (1, 6, 7, 2), (4, 4), 3, strides=(1, 2)),
    Layer("row_kernel", (1, 4, 9, 2), (1, 5), 3),
    Layer("column_kernel", (1, 9, 4, 2), (5, 1), 3),
    Layer("kernel_as_large_as_image", (2, 4, 5, 2), (4, 5), 3),
    Layer("stride_skips_pixels", (1, 10, 11, 2), (2, 2), 3, strides=(3, 4)),
    Layer("stride_beyond_image", (1, 3, 4, 2), (2, 3), 3, strides=(5, 7)),
    Layer("last_pixels_unread", (1, 8, 9, 2), (3, 2), 3, strides=(3, 3)),
    Layer("one_row", (1, 1, 12, 2), (1, 3), 4),
    Layer("one_column", (1, 12, 1, 2), (3, 1), 4),
    Layer("one_pixel", (3, 1, 1, 5), (1, 1), 4),
    Layer("one_filter_of_many_channels", (1, 4, 4, 9), (3, 3), 1),
    Layer("groups_of_one_channel_and_nine_filters", (1, 4, 4, 2), (3, 3), 18, groups=2),
    Layer("two_groups_of_odd_sizes", (1, 5, 4, 6), (2, 3), 10, groups=2),
]
# Only "same" padding lets these be: every tap but a few lies in the padding.
PADDED = [
    Layer("kernel_larger_than_image", (1, 3, 2, 2), (5, 7), 3, padding="same"),
    Layer("dilation_larger_than_image", (1, 3, 4, 2), (3, 3), 3, padding="same",
          dilation_rate=(4, 5)),
    Layer("taps_far_outside", (1, 2, 2, 3), (2, 2), 3, padding="same", dilation_rate=(9, 9),
          groups=3),
]  # fmt: skip
# More columns, channels and filters than a block holds: too slow for loops in Python.
LARGE = [
    Layer("wide", (1, 3, 150, 3), (2, 3), 5),
    Layer("wide-strided", (1, 5, 150, 3), (2, 3), 5, strides=(2, 2), padding="same"),
    Layer("wide-strided-dilated", (1, 5, 150, 2), (2, 3), 3, strides=(1, 3), dilation_rate=(1, 2)),
    Layer("wide-depthwise", (2, 4, 150, 3), (3, 3), 3, padding="same", groups=3),
    Layer("wide-grey", (1, 4, 150, 1), (3, 3), 1, padding="same"),
    Layer("deep", (1, 4, 5, 70), (3, 3), 67),
    Layer("deep-grouped", (1, 4, 5, 80), (2, 2), 72, padding="same", groups=2),
    Layer("deep-depthwise", (1, 5, 5, 130), (3, 3), 130, groups=130),
    Layer("many_images", (9, 5, 5, 3), (3, 3), 4, padding="same"),
]


def check_integers(layer, operation, dtype, implementation):
    exact = layer.arrays(integers)
    result = layer.run(operation, [a.astype(dtype) for a in exact], implementation)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, layer.expect(operation, exact))


def check_floats(layer, operation, dtype, implementation):
    """The bound: products in a sum, times the rounding of one, times the sum of all sizes."""
    arrays = [a.astype(dtype) for a in layer.arrays(floats)]
    wide = [a.astype(np.float64) for a in arrays]
    error = np.abs(layer.run(operation, arrays, implementation) - layer.expect(operation, wide))
    sizes = layer.expect(operation, [np.abs(a) for a in wide])
    assert (error <= 2 * (terms(layer, operation) + 1) * np.finfo(dtype).eps * sizes).all()


def terms(layer, operation):
    """Products in the longest sum."""
    batch, *kernel = layer.input_shape[0], *layer.kernel_size
    return {
        "conv2d": math.prod(layer.kernel_shape[:3]),
        "conv2d_input_gradient": math.prod(kernel) * layer.filters // layer.groups,
        "conv2d_kernel_gradient": batch * math.prod(layer.arrays(floats)[3].shape[1:3]),
    }[operation]


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, dtype=("float32", "float64", "int64"),
    data_format=FORMATS, padding=("valid", "same"), layer=CLASSES,
)  # fmt: skip
def test_integers_are_exact(layer, padding, data_format, dtype, operation, implementation):
    layer = layer.but(padding, padding=padding, data_format=data_format)
    check_integers(layer, operation, dtype, implementation)


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, dtype=("float32", "float64"),
    data_format=FORMATS, padding=("valid", "same"), layer=CLASSES,
)  # fmt: skip
def test_floats_are_within_rounding(layer, padding, data_format, dtype, operation, implementation):
    layer = layer.but(padding, padding=padding, data_format=data_format)
    check_floats(layer, operation, dtype, implementation)


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, data_format=FORMATS,
    layer=SPECIAL + [layer.but("same", padding="same") for layer in SPECIAL] + PADDED,
)  # fmt: skip
def test_integers_are_exact_in_special_shapes(layer, data_format, operation, implementation):
    layer = layer.but(data_format, data_format=data_format)
    check_integers(layer, operation, "float32", implementation)


@grid(implementation=FAST, operation=CONVOLUTIONS, dtype=("float32", "int64"), layer=LARGE)
def test_integers_are_exact_past_every_block(layer, dtype, operation, implementation):
    check_integers(layer, operation, dtype, implementation)


@grid(implementation=FAST, operation=CONVOLUTIONS, layer=LARGE)
def test_floats_are_within_rounding_past_every_block(layer, operation, implementation):
    check_floats(layer, operation, "float32", implementation)


# --- arrays of every kind ---------------------------------------------------------------------


def _flipped(array):
    return np.flip(np.flip(array).copy())


def _spaced(array):
    room = np.full([2 * size for size in array.shape], 99, array.dtype)
    room[tuple(slice(None, None, 2) for _ in array.shape)] = array
    return room[tuple(slice(None, None, 2) for _ in array.shape)]


def _read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def _unaligned(array):
    room = np.zeros(array.nbytes + 1, np.uint8)
    view = room[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def _other_byte_order(array):
    return array.astype(array.dtype.newbyteorder("S"))


MEMORY = [np.asfortranarray, _flipped, _spaced, _read_only, _unaligned, _other_byte_order]
GROUPED = Layer("grouped", (2, 6, 5, 4), (3, 2), 6, strides=(2, 1), padding="same", groups=2)
DEPTHWISE = Layer("depthwise", (2, 6, 5, 3), (3, 2), 3, padding="same", groups=3)


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, dtype=("float32", "int64"),
    data_format=FORMATS, memory=MEMORY, layer=[GROUPED, DEPTHWISE],
)  # fmt: skip
def test_any_memory_layout_gives_the_same(
    layer, memory, data_format, dtype, operation, implementation
):
    layer = layer.but(data_format, data_format=data_format)
    exact = layer.arrays(integers)
    result = layer.run(operation, [memory(a.astype(dtype)) for a in exact], implementation)
    assert result.dtype == dtype
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, layer.expect(operation, exact))


@grid(implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, layer=[GROUPED, DEPTHWISE])
def test_a_broadcast_gradient_of_ones_works(layer, operation, implementation):
    x, kernel, bias, dy = layer.arrays(integers)
    exact = [x, kernel, bias, np.broadcast_to(np.int64(1), dy.shape)]
    result = layer.run(operation, exact, implementation)
    np.testing.assert_array_equal(result, layer.expect(operation, exact))


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, data_format=FORMATS,
    layer=[GROUPED, DEPTHWISE],
)  # fmt: skip
def test_no_argument_is_modified(layer, data_format, operation, implementation):
    arrays = layer.arrays(floats)
    before = [a.tobytes() for a in arrays]
    layer.but("", data_format=data_format).run(operation, arrays, implementation)
    assert [a.tobytes() for a in arrays] == before


def extremes(dtype):
    """The smallest and the largest number of an integer dtype, and what lies between."""
    low, high = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return lambda rng, shape: rng.choice([low, low // 2, 1, high // 2, high], shape).astype(dtype)


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS,
    dtype=("bool", "uint8", "int8", "uint16", "int16", "uint32"), layer=[GROUPED, DEPTHWISE],
)  # fmt: skip
def test_small_integers_are_summed_in_int64(layer, dtype, operation, implementation):
    x, kernel, bias, dy = layer.arrays(extremes(dtype))
    exact = [a.astype(np.int64) for a in (x, kernel, bias, dy)]
    if dtype == "uint32":  # two of these would not fit into int64; one and a small one do
        exact[1], exact[3] = exact[1] % 5, exact[3] % 5
        kernel, dy = kernel % 5, dy % 5
    result = layer.run(operation, [x, kernel, bias, dy], implementation)
    assert result.dtype == np.int64
    np.testing.assert_array_equal(result, layer.expect(operation, exact))


@grid(implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, layer=[GROUPED, DEPTHWISE])
def test_float16_is_rounded_once_at_the_end(layer, operation, implementation):
    """Products of up to 300 * 300 leave float16 behind; their sum comes back into it."""
    x, kernel, bias, dy = (300 * np.sign(a) for a in layer.arrays(integers))
    half = [a.astype(np.float16) for a in (x, kernel / 300, bias, dy / 300)]
    result = layer.run(operation, half, implementation)
    assert result.dtype == np.float16
    wide = layer.expect(operation, [a.astype(np.float64) for a in half])
    np.testing.assert_array_equal(result, wide.astype(np.float16))


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS,
    dtypes=[("float32", "float64"), ("uint8", "float32"), ("float16", "float32"),
            ("int64", "float32"), ("float64", "int8")],
)  # fmt: skip
def test_mixed_dtypes_promote_as_numpy_does(dtypes, operation, implementation):
    """The image in the first dtype; kernel, bias and upstream gradient in the second."""
    exact = [np.abs(a) for a in GROUPED.arrays(integers)]
    mixed = [exact[0].astype(dtypes[0]), *(a.astype(dtypes[1]) for a in exact[1:])]
    result = GROUPED.run(operation, mixed, implementation)
    image = operation != "conv2d_input_gradient"
    wanted = np.result_type(*dtypes) if image else np.dtype(dtypes[1])
    assert result.dtype == (wanted if wanted.kind == "f" else np.int64)
    np.testing.assert_array_equal(result, GROUPED.expect(operation, exact))


# --- nothing at all ---------------------------------------------------------------------------

EMPTY = [
    Layer("no_images", (0, 6, 5, 4), (3, 3), 6, groups=2),
    Layer("no_images-depthwise", (0, 6, 5, 4), (3, 3), 4, groups=4),
    Layer("no_rows", (2, 0, 5, 4), (3, 3), 6, padding="same"),
    Layer("no_columns", (2, 5, 0, 4), (3, 3), 6, padding="same", strides=(2, 2)),
    Layer("no_pixels", (2, 0, 0, 4), (3, 3), 4, padding="same", groups=4),
]


@grid(implementation=IMPLEMENTATIONS, data_format=FORMATS, layer=EMPTY)
def test_nothing_in_gives_nothing_out(layer, data_format, implementation):
    layer = layer.but(data_format, data_format=data_format)
    batch, height, width, _ = layer.input_shape
    cells = [-(-size // step) for size, step in zip((height, width), layer.strides, strict=True)]
    if layer.padding == "valid":
        cells = [height - 2, width - 2]
    x, dy = np.ones(layer.input_shape), np.ones((batch, *cells, layer.filters))
    arrays = [x, np.ones(layer.kernel_shape), np.ones(layer.filters), dy]
    shapes = dy.shape, x.shape, layer.kernel_shape
    for operation, shape in zip(CONVOLUTIONS, shapes, strict=True):
        result = layer.run(operation, arrays, implementation)
        assert result.shape == shape
        assert not result.any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_kernel_larger_than_the_image_is_refused(implementation):
    with pytest.raises(ValueError, match=r"zero or negative.*\(1, 4, 9, 1\).*\(5, 3, 1, 1\)"):
        convlab.conv2d(np.ones((1, 4, 9, 1)), np.ones((5, 3, 1, 1)), implementation=implementation)


# --- NaN and infinity -------------------------------------------------------------------------

HARD = [
    Layer("dense", (2, 5, 6, 3), (3, 3), 4, padding="same"),
    Layer("grouped-strided", (2, 6, 5, 4), (3, 2), 6, strides=(2, 1), padding="same", groups=2),
    Layer("depthwise", (2, 5, 6, 3), (3, 3), 3, padding="same", groups=3),
    Layer("dilated", (1, 5, 6, 2), (2, 3), 3, dilation_rate=(2, 2), padding="same"),
    Layer("pointwise", (2, 4, 4, 3), (1, 1), 5),
]


def spoiled(rng, shape):
    """Small whole numbers, and in one place a NaN or an infinity."""
    values = integers(rng, shape).astype(float)
    values.flat[rng.integers(values.size)] = rng.choice([np.nan, np.inf, -np.inf])
    return values


def by_definition(layer, operation, arrays):
    """The sums over real pixels alone, tap by tap, in plain NumPy: padding is never multiplied."""
    x, kernel, bias, dy = arrays
    results = {
        "conv2d": np.zeros(dy.shape) + bias,
        "conv2d_input_gradient": np.zeros(x.shape),
        "conv2d_kernel_gradient": np.zeros(kernel.shape),
    }
    seen, made = kernel.shape[2], layer.filters // layer.groups
    (top, _), (left, _) = reference.pads(layer)
    for i, j, row, column, f in np.ndindex(*layer.kernel_size, *dy.shape[1:]):
        y = row * layer.strides[0] + i * layer.dilation_rate[0] - top
        z = column * layer.strides[1] + j * layer.dilation_rate[1] - left
        if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]:
            channels = slice(f // made * seen, (f // made + 1) * seen)
            pixels, upstream = x[:, y, z, channels], dy[:, row, column, f]
            results["conv2d"][:, row, column, f] += (pixels * kernel[i, j, :, f]).sum(axis=1)
            results["conv2d_input_gradient"][:, y, z, channels] += np.outer(
                upstream, kernel[i, j, :, f]
            )
            results["conv2d_kernel_gradient"][i, j, :, f] += (pixels.T * upstream).sum(axis=1)
    return results[operation]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, seed=range(4),
    dtype=("float32", "float64"), layer=HARD,
)  # fmt: skip
def test_nan_and_infinity_reach_what_sees_them_and_nothing_else(
    layer, dtype, seed, operation, implementation
):
    arrays = layer.arrays(spoiled, seed)
    result = layer.run(operation, [a.astype(dtype) for a in arrays], implementation)
    expected = by_definition(layer, operation, arrays)
    assert not np.isfinite(expected).all()
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_infinite_weight_over_padding_adds_nothing(implementation):
    """The top left weight meets only padding for the first row and column of outputs."""
    x, kernel = np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1))
    kernel[0, 0] = np.inf
    output = convlab.conv2d(x, kernel, padding="same", implementation=implementation)
    expected = np.full((4, 4), np.inf)
    expected[0], expected[:, 0] = [4, 6, 6, 4], [4, 6, 6, 4]
    np.testing.assert_array_equal(output[0, :, :, 0], expected)
