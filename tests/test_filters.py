"""The classic kernels: their identities, their answers on known images, their errors."""

import numpy as np
import pytest

from convlab import conv2d, filters

SUM_ONE = {
    "identity": filters.identity(3),
    "identity_even": filters.identity((2, 4)),
    "box": filters.box(3),
    "box_row": filters.box((1, 9)),
    "gaussian_blur": filters.gaussian_blur(5),
    "gaussian_blur_sigma": filters.gaussian_blur((4, 9), sigma=1.3),
    "sharpen_4": filters.sharpen(4),
    "sharpen_8": filters.sharpen(8),
    "unsharp": filters.unsharp(1.5),
    "unsharp_gaussian": filters.unsharp(0.7, filters.gaussian_blur(5)),
    "emboss": filters.emboss(),
}
SUM_ZERO = {
    "laplacian_4": filters.laplacian(4),
    "laplacian_8": filters.laplacian(8),
    "edge_detection": filters.edge_detection(),
    "sobel_x": filters.sobel_x(),
    "sobel_y": filters.sobel_y(),
    "prewitt_x": filters.prewitt_x(),
    "prewitt_y": filters.prewitt_y(),
    "roberts_diagonal": filters.roberts_diagonal(),
    "roberts_antidiagonal": filters.roberts_antidiagonal(),
    "compass": filters.compass(),
}
EVERY = SUM_ONE | SUM_ZERO


def each(kernels):
    return pytest.mark.parametrize("kernel", kernels.values(), ids=kernels.keys())


def picture(height=9, width=11, channels=1, seed=0):
    return np.random.default_rng(seed).random((1, height, width, channels))


def ramp(rise_down, rise_right, size=7):
    row, column = np.mgrid[:size, :size]
    return (rise_down * row + rise_right * column).astype(np.float64)[None, :, :, None]


@each(EVERY)
def test_every_kernel_is_float64_with_one_input_channel(kernel):
    assert kernel.dtype == np.float64
    assert kernel.ndim == 4
    assert kernel.shape[2] == 1


@each(EVERY)
def test_every_kernel_goes_straight_into_conv2d(kernel):
    x = picture()
    assert conv2d(x, kernel, padding="same").shape == (1, 9, 11, kernel.shape[3])


@each(SUM_ONE)
def test_kernels_with_sum_one_keep_a_flat_image(kernel):
    np.testing.assert_allclose(conv2d(np.full((1, 9, 9, 1), 0.3), kernel), 0.3, rtol=1e-14)


@each(SUM_ZERO)
def test_kernels_with_sum_zero_are_silent_on_a_flat_image(kernel):
    np.testing.assert_allclose(conv2d(np.full((1, 9, 9, 1), 0.3), kernel), 0, atol=1e-15)


def test_every_public_kernel_is_in_one_of_the_two_tables():
    helpers = {"GREY", "as_kernel", "stack", "per_channel", "over_channels"}
    covered = {name for name in filters.__all__ for key in EVERY if key.startswith(name)}
    assert covered == set(filters.__all__) - helpers


@pytest.mark.parametrize(
    ("kernel", "row"),
    [
        (filters.box(3), [2, 4, 6]),
        (filters.sharpen(), [2, -4, 14]),
        (filters.sobel_x(), [0, 24, 24]),
        (filters.sobel_y(), [0, 0, 0]),
        (filters.laplacian(), [0, 6, -6]),
        (filters.emboss(), [2, 20, 26]),
    ],
    ids=["box", "sharpen", "sobel_x", "sobel_y", "laplacian", "emboss"],
)
def test_a_vertical_step_gives_the_row_worked_by_hand(kernel, row):
    step = np.array([[2, 2, 2, 8, 8]] * 4)[None, :, :, None]
    answer = conv2d(step, kernel)[0, :, :, 0]
    np.testing.assert_allclose(answer, [row, row], atol=1e-14)


# Identities


@pytest.mark.parametrize("neighbours", [4, 8])
def test_sharpen_is_identity_minus_laplacian(neighbours):
    assert filters.sharpen(neighbours)[1, 1, 0, 0] == neighbours + 1
    np.testing.assert_array_equal(
        filters.sharpen(neighbours), filters.identity(3) - filters.laplacian(neighbours)
    )


def test_eight_neighbour_sharpen_is_unsharp_of_amount_nine():
    detail = filters.identity(3) - filters.box(3)
    np.testing.assert_allclose(filters.sharpen(8), filters.identity(3) + 9 * detail, atol=1e-14)
    np.testing.assert_allclose(filters.sharpen(8), filters.unsharp(9), atol=1e-14)


@pytest.mark.parametrize("blur", [filters.box(3), filters.gaussian_blur(5), filters.box((2, 4))])
def test_unsharp_is_the_image_plus_amount_times_detail(blur):
    x = picture()
    detail = x - conv2d(x, blur, padding="same")
    sharpened = conv2d(x, filters.unsharp(1.7, blur), padding="same")
    np.testing.assert_allclose(sharpened, x + 1.7 * detail, atol=1e-14)


def test_unsharp_of_amount_zero_is_the_identity():
    np.testing.assert_array_equal(filters.unsharp(0), filters.identity(3))


def test_edge_detection_is_minus_the_eight_neighbour_laplacian():
    np.testing.assert_array_equal(filters.edge_detection(), -filters.laplacian(8))
    np.testing.assert_allclose(
        filters.edge_detection(), 9 * (filters.identity(3) - filters.box(3)), atol=1e-14
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, (1, 3), (2, 5), (4, 1)])
def test_identity_with_same_padding_returns_the_image(size):
    x = picture()
    np.testing.assert_array_equal(conv2d(x, filters.identity(size), padding="same"), x)


def test_box_twice_is_the_tent_kernel():
    x = picture()
    tent = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]) / 81
    twice = conv2d(conv2d(x, filters.box(3)), filters.box(3))
    np.testing.assert_allclose(twice, conv2d(x, filters.as_kernel(tent)), atol=1e-14)


@pytest.mark.parametrize("name", ["sobel", "prewitt"])
def test_y_is_x_with_rows_and_columns_exchanged(name):
    x, y = getattr(filters, f"{name}_x")(), getattr(filters, f"{name}_y")()
    np.testing.assert_array_equal(y, x.swapaxes(0, 1))


def test_roberts_kernels_mirror_each_other():
    np.testing.assert_array_equal(
        np.fliplr(filters.roberts_diagonal()), filters.roberts_antidiagonal()
    )


@pytest.mark.parametrize(
    ("kernel", "rank"),
    [
        (filters.box((3, 5)), 1),
        (filters.gaussian_blur(7), 1),
        (filters.gaussian_blur(7, sigma=1.5), 1),
        (filters.sobel_x(), 1),
        (filters.prewitt_y(), 1),
        (filters.laplacian(4), 2),
        (filters.laplacian(8), 2),
        (filters.sharpen(), 2),
        (filters.emboss(), 3),
    ],
)
def test_rank_says_whether_a_kernel_splits_into_column_times_row(kernel, rank):
    assert np.linalg.matrix_rank(kernel[:, :, 0, 0]) == rank


# Gaussian


@pytest.mark.parametrize("sigma", [None, 1.3])
def test_gaussian_blur_is_a_column_then_a_row(sigma):
    x = picture()
    whole = conv2d(x, filters.gaussian_blur((4, 5), sigma))
    column, row = (filters.gaussian_blur(size, sigma) for size in [(4, 1), (1, 5)])
    np.testing.assert_allclose(conv2d(conv2d(x, column), row), whole, atol=1e-15)


@pytest.mark.parametrize("taps", [1, 2, 3, 6])
def test_binomial_blur_is_repeated_averaging_of_two_pixels(taps):
    x = picture()
    repeated = x
    for _ in range(taps - 1):
        repeated = conv2d(repeated, filters.box(2))
    np.testing.assert_allclose(conv2d(x, filters.gaussian_blur(taps)), repeated, atol=1e-15)


@pytest.mark.parametrize("taps", [4, 5, 21])
def test_binomial_standard_deviation_is_half_the_root_of_the_steps(taps):
    row = filters.gaussian_blur((1, taps))[0, :, 0, 0]
    distance = np.arange(taps) - (taps - 1) / 2
    assert np.sqrt(row @ distance**2) == pytest.approx(np.sqrt(taps - 1) / 2)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.5])
def test_sampled_gaussian_has_the_ratios_of_the_bell(sigma):
    row = filters.gaussian_blur((1, 7), sigma)[0, :, 0, 0]
    distance = np.arange(-3, 4)
    np.testing.assert_allclose(row / row[3], np.exp(-(distance**2) / (2 * sigma**2)))


def test_a_tiny_sigma_is_the_identity_and_a_huge_one_the_box():
    np.testing.assert_array_equal(filters.gaussian_blur(5, 1e-3), filters.identity(5))
    np.testing.assert_allclose(filters.gaussian_blur(5, 1e6), filters.box(5))
    np.testing.assert_allclose(filters.gaussian_blur(2, 1e-3), filters.box(2))


def test_a_large_binomial_kernel_does_not_overflow():
    assert filters.gaussian_blur((1, 1500)).sum() == pytest.approx(1)


# Directions


@pytest.mark.parametrize(
    ("kernel", "down", "right"),
    [
        (filters.sobel_x(), 0, 8),
        (filters.sobel_y(), 8, 0),
        (filters.prewitt_x(), 0, 6),
        (filters.prewitt_y(), 6, 0),
        (filters.laplacian(), 0, 0),
        (filters.edge_detection(), 0, 0),
        (filters.roberts_diagonal(), -1, -1),
        (filters.roberts_antidiagonal(), -1, 1),
    ],
)
def test_the_answer_to_a_ramp_is_the_slope_times_a_known_factor(kernel, down, right):
    np.testing.assert_allclose(conv2d(ramp(1, 0), kernel), down, atol=1e-14)
    np.testing.assert_allclose(conv2d(ramp(0, 1), kernel), right, atol=1e-14)


def test_emboss_adds_light_where_brightness_rises_to_the_lower_right():
    relief = conv2d(ramp(1, 1), filters.emboss()) - ramp(1, 1)[:, 1:-1, 1:-1]
    assert (relief > 0).all()


def test_compass_turns_sobel_counter_clockwise_in_steps_of_45_degrees():
    kernel = filters.compass()
    np.testing.assert_array_equal(kernel[..., :1], filters.sobel_x())
    np.testing.assert_array_equal(kernel[..., 6:7], filters.sobel_y())
    for turn in range(8):
        angle = turn * np.pi / 4
        answer = conv2d(ramp(-np.sin(angle), np.cos(angle)), kernel)
        assert (answer.argmax(axis=-1) == turn).all()


def test_compass_has_four_independent_filters_and_their_opposites():
    kernel = filters.compass()
    np.testing.assert_array_equal(kernel[..., 4:], -kernel[..., :4])
    assert np.linalg.matrix_rank(kernel.reshape(9, 8)) == 4


# Tables, several filters, several channels


def test_as_kernel_keeps_whole_numbers_whole():
    x = np.array([[1, 2, 0], [3, 1, 4], [0, 2, 5]])[None, :, :, None]
    answer = conv2d(x, filters.as_kernel([[1, 2], [0, -1]]))
    assert answer.dtype.kind == "i"
    assert answer[0, :, :, 0].tolist() == [[4, -2], [3, 4]]


def test_as_kernel_passes_a_whole_kernel_unchanged():
    kernel = np.ones((3, 3, 2, 4), np.float32)
    assert filters.as_kernel(kernel) is kernel


def test_stack_gives_one_map_per_kernel_in_order():
    kernels = [filters.sobel_x(), filters.compass(), [[0, 0, 0], [0, 2, 0], [0, 0, 0]]]
    maps = conv2d(picture(), filters.stack(*kernels))
    each_alone = [conv2d(picture(), filters.as_kernel(kernel)) for kernel in kernels]
    np.testing.assert_allclose(maps, np.concatenate(each_alone, axis=-1), atol=1e-14)


def test_per_channel_filters_every_channel_on_its_own():
    x = picture(channels=3)
    kernel = filters.stack(filters.sobel_x(), filters.sobel_y())
    maps = conv2d(x, filters.per_channel(kernel, 3), groups=3)
    alone = [conv2d(x[..., c : c + 1], kernel) for c in range(3)]
    np.testing.assert_allclose(maps, np.concatenate(alone, axis=-1), atol=1e-14)


def test_over_channels_is_the_weighted_sum_of_the_channels():
    x = picture(channels=3)
    kernel = filters.stack(filters.sobel_x(), filters.laplacian())
    maps = conv2d(x, filters.over_channels(kernel, (1, -1, 0.5)))
    mixed = x @ np.array([[1], [-1], [0.5]])
    np.testing.assert_allclose(maps, conv2d(mixed, kernel), atol=1e-14)


def test_grey_is_a_convolution_with_a_1x1_kernel():
    x = picture(channels=3)
    kernel = filters.over_channels(filters.identity(), filters.GREY)
    assert kernel.shape == (1, 1, 3, 1)
    np.testing.assert_allclose(conv2d(x, kernel)[..., 0], x @ np.array(filters.GREY), atol=1e-15)
    assert sum(filters.GREY) == pytest.approx(1)


def test_a_kernel_that_is_changed_leaves_the_next_one_as_it_was():
    for make in (filters.sobel_x, filters.box, filters.compass, filters.emboss):
        before = make().copy()
        make()[:] = 7
        np.testing.assert_array_equal(make(), before)


def test_helpers_leave_their_arguments_as_they_were():
    kernel = filters.sobel_x()
    for result in (
        filters.per_channel(kernel, 1),
        filters.over_channels(kernel, (1,)),
        filters.stack(kernel),
        filters.unsharp(1, kernel),
    ):
        result[:] = 7
    np.testing.assert_array_equal(kernel, filters.sobel_x())


# Errors: the rule, what was received, the way out


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: filters.box(0), ValueError, r"kernel_size.*Received: kernel_size=0"),
        (lambda: filters.box((3, 3, 3)), ValueError, r"kernel_size.*Received: .*\(3, 3, 3\)"),
        (lambda: filters.identity("33"), TypeError, r"kernel_size.*Received: kernel_size='33'"),
        (lambda: filters.gaussian_blur(2.5), ValueError, r"kernel_size.*Received: .*2\.5"),
        (lambda: filters.laplacian(6), ValueError, r"must be 4 or 8\. Received: neighbours=6\."),
        (lambda: filters.sharpen("4"), ValueError, r"must be 4 or 8\. Received: neighbours='4'\."),
        (lambda: filters.gaussian_blur(3, 0), ValueError, r"greater than 0\. Received: sigma=0\."),
        (lambda: filters.gaussian_blur(3, -1.0), ValueError, r"Received: sigma=-1\.0\."),
        (lambda: filters.gaussian_blur(3, np.nan), ValueError, r"finite.*Received: sigma=nan\."),
        (lambda: filters.gaussian_blur(3, np.inf), ValueError, r"finite.*Received: sigma=inf\."),
        (lambda: filters.gaussian_blur(3, "1"), TypeError, r"finite.*Received: sigma='1'\."),
        (lambda: filters.unsharp(np.nan), ValueError, r"finite.*Received: amount=nan\."),
        (lambda: filters.unsharp([1, 2]), TypeError, r"finite.*Received: amount=\[1, 2\]\."),
        (
            lambda: filters.unsharp(1, np.ones((3, 3, 2, 1))),
            ValueError,
            r"`blur` must have one input channel.*Received: shape=\(3, 3, 2, 1\)\.",
        ),
        (lambda: filters.as_kernel([1, 2]), ValueError, r"\(2,\)\. Give one row as \[\[...\]\]"),
        (lambda: filters.as_kernel(np.ones((3, 3, 3))), ValueError, r"Received: shape=\(3, 3, 3\)"),
        (lambda: filters.as_kernel([[1, 2], [3]]), ValueError, r"unequal length: \[\[1, 2\], \[3"),
        (lambda: filters.as_kernel([["a"]]), TypeError, r"real numbers\. Received: dtype=<U1"),
        (lambda: filters.as_kernel([[1j]]), TypeError, r"Received: dtype=complex128"),
        (lambda: filters.as_kernel([[None]]), TypeError, r"Received: dtype=object"),
        (lambda: filters.stack(), ValueError, r"at least one kernel.*Received: shapes=\[\]"),
        (
            lambda: filters.stack(filters.box(3), filters.box(5)),
            ValueError,
            r"same height.*Received: shapes=\[\(3, 3, 1, 1\), \(5, 5, 1, 1\)\]",
        ),
        (
            lambda: filters.per_channel(np.ones((3, 3, 2, 1)), 2),
            ValueError,
            r"`kernel` must have one input channel.*Received: shape=\(3, 3, 2, 1\)\.",
        ),
        (lambda: filters.per_channel(filters.box(), 0), ValueError, r"Received: channels=0"),
        (
            lambda: filters.over_channels(filters.box(), 3),
            ValueError,
            r"one for each channel\. Received: weights=3\. .*give \(1, 1, 1\)",
        ),
        (lambda: filters.over_channels(filters.box(), []), ValueError, r"weights=\[\]"),
        (lambda: filters.over_channels(filters.box(), "rgb"), ValueError, r"weights='rgb'"),
    ],
)
def test_a_wrong_argument_is_named_with_its_rule(call, error, message):
    with pytest.raises(error, match=message):
        call()
