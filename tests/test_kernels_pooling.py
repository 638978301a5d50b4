"""Maximum and mean of windows, and their gradients, against an independent reference."""

import numpy as np
import pytest

from cases import FORMATS, IMPLEMENTATIONS, POOLINGS, Layer, floats, grid, integers
from test_kernels import MEMORY

LAYERS = [
    Layer("plain", (2, 6, 4, 3), (2, 2), strides=(2, 2)),
    Layer("last_pixels_unread", (2, 5, 7, 3), (2, 3), strides=(2, 3)),
    Layer("overlapping", (2, 6, 7, 3), (3, 2), strides=(1, 1)),
    Layer("overlapping-strided", (2, 7, 9, 2), (4, 5), strides=(3, 2)),
    Layer("gaps", (2, 8, 9, 3), (2, 1), strides=(3, 4)),
    Layer("whole_image", (2, 4, 5, 3), (4, 5)),
    Layer("one_pixel", (2, 4, 5, 3), (1, 1)),
    Layer("rows", (1, 5, 6, 2), (1, 4), strides=(1, 2)),
]
SAME = [layer.but("same", padding="same") for layer in LAYERS] + [
    Layer("same-window_larger_than_image", (2, 2, 3, 3), (5, 7), strides=(2, 2), padding="same"),
    Layer("same-wide", (1, 3, 150, 3), (3, 3), strides=(1, 2), padding="same"),
]


@grid(
    implementation=IMPLEMENTATIONS, operation=POOLINGS, dtype=("float32", "float64", "int64"),
    data_format=FORMATS, layer=LAYERS + SAME,
)  # fmt: skip
def test_pooling_agrees_with_the_reference(layer, data_format, dtype, operation, implementation):
    """Small whole numbers: many ties. Only the division of a mean may round."""
    layer = layer.but(data_format, data_format=data_format)
    exact = layer.arrays(integers)
    result = layer.run(operation, [a.astype(dtype) for a in exact], implementation)
    if operation.startswith("average"):
        dtype = "float64" if dtype == "int64" else dtype
        exact = [a.astype(np.float64) for a in exact]
    assert result.dtype == dtype
    shares = 2 * np.prod(layer.kernel_size) if operation.startswith("average") else 0
    bound = shares * 4 * np.finfo(np.result_type(dtype, np.float16)).eps
    np.testing.assert_allclose(result, layer.expect(operation, exact), rtol=0, atol=bound)


@grid(implementation=IMPLEMENTATIONS, operation=POOLINGS, data_format=FORMATS)
def test_no_argument_is_modified(data_format, operation, implementation):
    layer = LAYERS[2].but("", data_format=data_format)
    arrays = layer.arrays(floats)
    before = [a.tobytes() for a in arrays]
    layer.run(operation, arrays, implementation)
    assert [a.tobytes() for a in arrays] == before


@grid(implementation=IMPLEMENTATIONS, operation=POOLINGS, memory=MEMORY)
def test_any_memory_layout_gives_the_same(memory, operation, implementation):
    arrays = LAYERS[2].arrays(floats)
    result = LAYERS[2].run(operation, [memory(a) for a in arrays], implementation)
    np.testing.assert_array_equal(result, LAYERS[2].run(operation, arrays, implementation))
    assert result.dtype.isnative


@grid(
    implementation=IMPLEMENTATIONS,
    dtype=("bool", "uint8", "int8", "int16", "uint32", "float16", "float32", ">f4"),
)
def test_max_pooling_keeps_dtype_and_extreme_values(dtype, implementation):
    """The lowest value of a dtype is a value like any other: padding is never larger."""
    dtype = np.dtype(dtype)
    low = {"b": False, "f": -np.inf}.get(dtype.kind)
    low = np.iinfo(dtype).min if low is None else low
    x = np.full((1, 3, 3, 2), low, dtype)
    x[0, 1, 1, 1] = 1
    layer = Layer("extremes", x.shape, (2, 2), padding="same")
    result = layer.run("max_pool2d", [x, np.ones(1), np.ones(1), np.ones(1)], implementation)
    assert result.dtype == dtype.newbyteorder("=")
    expected = np.full((1, 3, 3, 2), low, dtype)
    expected[0, :2, :2, 1] = 1
    np.testing.assert_array_equal(result, expected)


@grid(implementation=IMPLEMENTATIONS, padding=("valid", "same"))
def test_ties_go_to_the_first_maximum_row_by_row(padding, implementation):
    x, dy = np.zeros((1, 3, 3, 1)), np.arange(1.0, 10).reshape(1, 3, 3, 1)
    layer = Layer("ties", x.shape, (2, 2), padding=padding)
    dy = dy if padding == "same" else dy[:, :2, :2]
    result = layer.run("max_pool2d_gradient", [x, x, x, dy], implementation)
    np.testing.assert_array_equal(result[0, : dy.shape[1], : dy.shape[2]], dy[0])


NAN = np.nan
NANS = {
    "alone": [[1, NAN], [3, 2]],
    "first": [[NAN, 1], [2, np.inf]],
    "before_a_larger_number": [[1, NAN], [np.inf, 2]],
    "twice": [[5, NAN], [NAN, 9]],
    "among_the_lowest": [[-np.inf, -np.inf], [-np.inf, NAN]],
}


@grid(implementation=IMPLEMENTATIONS, dtype=("float32", "float16"), window=NANS)
def test_nan_in_a_window_wins_and_takes_the_gradient(window, dtype, implementation):
    x = np.array(NANS[window], dtype).reshape(1, 2, 2, 1)
    layer = Layer(window, x.shape, (2, 2))
    arrays = [x, x, x, np.full((1, 1, 1, 1), 7, dtype)]
    assert np.isnan(layer.run("max_pool2d", arrays, implementation)).all()
    gradient = layer.run("max_pool2d_gradient", arrays, implementation)
    expected = np.zeros(4)
    expected[np.argmax(np.isnan(x))] = 7
    np.testing.assert_array_equal(gradient.ravel(), expected)


@grid(implementation=IMPLEMENTATIONS)
def test_windows_of_minus_infinity_give_minus_infinity(implementation):
    x = np.full((1, 3, 3, 2), -np.inf)
    layer = Layer("lowest", x.shape, (2, 2), padding="same")
    dy = np.arange(1.0, 19).reshape(x.shape)
    np.testing.assert_array_equal(layer.run("max_pool2d", [x, x, x, dy], implementation), x)
    gradient = layer.run("max_pool2d_gradient", [x, x, x, dy], implementation)
    np.testing.assert_array_equal(gradient, dy)


@grid(implementation=IMPLEMENTATIONS, value=(np.nan, np.inf))
def test_average_hands_nan_and_infinity_on_to_its_windows_alone(value, implementation):
    x = np.ones((1, 4, 4, 1))
    x[0, 1, 1, 0] = value
    layer = Layer("spoiled", x.shape, (2, 2), padding="same")
    mean = layer.run("average_pool2d", [x, x, x, x], implementation)[0, :, :, 0]
    expected = np.ones((4, 4))
    expected[:2, :2] = value
    np.testing.assert_array_equal(mean, expected)
    shares = layer.run("average_pool2d_gradient", [x, x, x, x], implementation)[0, :, :, 0]
    assert not np.isfinite(shares[1:3, 1:3]).any()
    assert np.isfinite(shares).sum() == 12


@grid(implementation=IMPLEMENTATIONS)
def test_float16_gradient_of_the_mean_is_rounded_once_at_the_end(implementation):
    """Nine overlapping shares of a ninth: in float16 their sum would miss 1."""
    layer = Layer("thirds", (1, 9, 9, 1), (3, 3))
    arrays = [np.ones((1, 9, 9, 1), np.float16)] * 3 + [np.ones((1, 7, 7, 1), np.float16)]
    gradient = layer.run("average_pool2d_gradient", arrays, implementation)
    assert gradient.dtype == np.float16
    assert gradient[0, 4, 4, 0] == 1


EMPTY = [
    Layer("no_images", (0, 4, 4, 3), (2, 2), strides=(2, 2)),
    Layer("no_rows", (2, 0, 4, 3), (2, 2), strides=(2, 2), padding="same"),
    Layer("no_columns", (2, 4, 0, 3), (2, 2), strides=(2, 2), padding="same"),
]


@grid(implementation=IMPLEMENTATIONS, operation=POOLINGS, data_format=FORMATS, layer=EMPTY)
def test_nothing_in_gives_nothing_out(layer, data_format, operation, implementation):
    layer = layer.but("", data_format=data_format)
    batch, height, width, channels = layer.input_shape
    x, dy = np.ones(layer.input_shape), np.ones((batch, height // 2, width // 2, channels))
    result = layer.run(operation, [x, x, x, dy], implementation)
    assert result.shape == (x.shape if operation.endswith("gradient") else dy.shape)


@grid(implementation=IMPLEMENTATIONS, operation=("max_pool2d", "average_pool2d"))
def test_window_larger_than_the_image_is_refused(operation, implementation):
    layer = Layer("large", (1, 2, 5, 1), (3, 3))
    arrays = [np.ones((1, 2, 5, 1))] * 4
    with pytest.raises(ValueError, match=r"zero or negative.*\(1, 2, 5, 1\).*pool_size=\(3, 3\)"):
        layer.run(operation, arrays, implementation)
