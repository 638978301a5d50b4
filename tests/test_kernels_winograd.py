"""Winograd's convolution: the formulas, then what is compiled from them, and its errors.

F(2x2,3x3) halves and adds, so it is exact on small whole numbers, and is held to that. F(4x4,3x3)
has sixths in it. Real numbers may differ from the definition by rounding: by no more than the
bound that `winograd` documents, output by output.
"""

from dataclasses import dataclass, replace

import numba
import numpy as np
import pytest

import reference
from cases import Layer, floats, grid, integers
from convlab.kernels.parallel import winograd
from convlab.kernels.parallel.transforms import (
    input_transform,
    kernel_transform,
    output_transform,
)

SIZES = (2, 4)
ROUNDINGS = {2: 12, 4: 20}  # outside of the sum over channels


@dataclass(frozen=True)
class Case:
    """A convolution of any padding. The target may be smaller or larger than the source."""

    name: str
    images: int
    source_size: tuple
    channels: int
    filters: int
    pads: tuple = (1, 1)  # before the first row and column
    target_size: tuple = None  # the source's, if it is not given

    def setup(self, dtype, size, threads=2, prepared=False):
        return winograd.setup(
            self.images, self.source_size, self.channels, self.target_size or self.source_size,
            self.filters, *self.pads, np.dtype(dtype), threads, size, prepared,
        )  # fmt: skip

    def arrays(self, draw, dtype, draw_x=None):
        """x, kernel and bias."""
        rng = np.random.default_rng([len(self.name), self.channels, self.filters])
        x = (draw_x or draw)(rng, (self.images, *self.source_size, self.channels))
        kernel = draw(rng, (3, 3, self.channels, self.filters))
        return [a.astype(dtype) for a in (x, kernel, draw(rng, (self.filters,)))]

    def pixels_and_small_weights(self, dtype):
        """Whole numbers of 8 bits, and from -4 to 4."""
        return self.arrays(integers, dtype, lambda rng, shape: rng.integers(0, 256, shape))

    def run(self, x, kernel, bias, size, prepared=False, threads=2):
        """The outputs, in memory that the kernel finds full of NaNs, and whether all are finite."""
        setup = self.setup(x.dtype, size, threads, prepared)
        output = np.full((self.images, *(self.target_size or self.source_size), self.filters),
                         np.nan, x.dtype)  # fmt: skip
        weights = winograd.prepare(kernel, setup) if prepared else kernel
        finite = winograd.convolve(x, weights, bias, setup, output)
        return output, finite

    def padded(self, x):
        """All that the target sees, and zeros where that is outside of the source."""
        (top, left), (height, width) = self.pads, self.source_size
        tall, wide = (extent + 2 for extent in self.target_size or self.source_size)
        seen = np.zeros((self.images, tall, wide, self.channels), x.dtype)
        rows, columns = min(height, tall - top), min(width, wide - left)
        seen[:, top : top + rows, left : left + columns] = x[:, :rows, :columns]
        return seen

    def expect(self, x, kernel, bias):
        return reference.correlate(self.padded(x), kernel) + bias


CASES = [
    Case("one_output", 1, (1, 1), 1, 1),
    Case("one_tile", 1, (2, 2), 3, 2),
    Case("odd", 2, (5, 7), 5, 9),
    Case("even", 1, (8, 12), 16, 32),
    Case("one_row", 3, (1, 13), 4, 5),
    Case("one_column", 1, (13, 1), 4, 5),
    Case("valid", 2, (7, 6), 6, 7, (0, 0), (5, 4)),
    Case("full", 1, (4, 5), 3, 4, (2, 2), (6, 7)),
    Case("pads_differ", 2, (6, 5), 3, 4, (2, 0), (6, 3)),
    Case("far_outside", 1, (3, 3), 2, 3, (2, 1), (9, 11)),
    Case("part_of_the_source", 1, (12, 11), 2, 3, (1, 0), (4, 5)),
    Case("many_images", 9, (3, 3), 7, 20),
    Case("lanes_and_one_more", 1, (6, 6), 17, 33),
    Case("three_vectors", 1, (6, 6), 8, 48),
    Case("many_vectors", 1, (4, 4), 8, 80),
    Case("channels_in_several_blocks", 1, (5, 5), 300, 40),
    Case("tiles_in_several_blocks", 2, (30, 33), 70, 65),
]
SMALL = [case for case in CASES if case.channels < 30]


# --- the formulas -----------------------------------------------------------------------------


def linear_map(transform, edge, size):
    """A transform of planes as a matrix: what it makes of each plane with a single one in it."""
    units = np.eye(edge * edge).reshape(-1, edge, edge)
    return np.array([np.ravel(transform(unit.tolist(), size)) for unit in units]).T


@grid(size=SIZES)
def test_transforms_give_the_correlation_for_every_pair_of_input_and_tap(size):
    """The formula is linear in both, so what holds for these pairs holds for all."""
    edge = size + 2
    inputs, weights = linear_map(input_transform, edge, size), linear_map(kernel_transform, 3, size)
    outputs = linear_map(output_transform, edge, size)
    found = np.einsum("op,pi,pk->oik", outputs, inputs, weights)
    wanted = np.zeros((size, size, edge, edge, 3, 3))
    for row, column, i, j in np.ndindex(size, size, 3, 3):
        wanted[row, column, row + i, column + j, i, j] = 1
    np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=0, atol=1e-14)


@grid(size=SIZES)
def test_transforms_work_on_arrays(size):
    """One call transforms as many tiles as there are: the numbers may be arrays."""
    tiles = np.random.default_rng(0).normal(size=(size + 2, size + 2, 5))
    together = np.array(input_transform(tiles, size))
    for n in range(5):
        np.testing.assert_array_equal(together[..., n], input_transform(tiles[..., n], size))


def test_an_input_outside_of_the_window_has_no_part_in_an_output_of_f2():
    """No product that an output of F(2x2) adds up has such an input in it; with F(4x4) some do."""
    for size, apart in ((2, True), (4, False)):
        edge = size + 2
        outputs = linear_map(output_transform, edge, size) != 0
        inputs = linear_map(input_transform, edge, size) != 0
        met = (outputs.astype(int) @ inputs.astype(int)).reshape(size, size, edge, edge)
        windows = np.zeros_like(met)
        for row, column in np.ndindex(size, size):
            windows[row, column, row : row + 3, column : column + 3] = 1
        assert bool((met[windows == 0] == 0).all()) is apart


# --- exactness --------------------------------------------------------------------------------


@grid(prepared=(False, True), dtype=("float32", "float64"), case=CASES)
def test_f2_is_exact_on_pixels_and_small_weights(case, dtype, prepared):
    arrays = case.pixels_and_small_weights(dtype)
    output, finite = case.run(*arrays, 2, prepared)
    assert finite
    exact = case.expect(*(a.astype(np.int64) for a in arrays))
    np.testing.assert_array_equal(output, exact)


@grid(case=SMALL)
def test_f4_is_almost_exact_in_double_precision(case):
    arrays = case.pixels_and_small_weights("float64")
    output, finite = case.run(*arrays, 4)
    assert finite
    exact = case.expect(*(a.astype(np.int64) for a in arrays))
    np.testing.assert_allclose(output, exact, rtol=0, atol=1e-8)


def test_no_bias_is_a_bias_of_zeros():
    case = CASES[2]
    x, kernel, _ = case.arrays(floats, "float32")
    with_zeros, _ = case.run(x, kernel, np.zeros(case.filters, "float32"), 2)
    np.testing.assert_array_equal(case.run(x, kernel, None, 2)[0], with_zeros)


# --- rounding ---------------------------------------------------------------------------------


def bound(case, x, kernel, bias, size):
    """The documented bound, for each output."""
    dtype, edge = x.dtype, size + 2
    shapes = {input_transform: edge, kernel_transform: 3, output_transform: edge}
    inputs, weights, outputs = (abs(linear_map(t, e, size)) for t, e in shapes.items())
    tall, wide = (-(-extent // size) for extent in case.target_size or case.source_size)
    seen = case.padded(abs(x.astype(float)))
    extra = [tall * size + 2 - seen.shape[1], wide * size + 2 - seen.shape[2]]
    seen = np.pad(seen, ((0, 0), (0, extra[0]), (0, extra[1]), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(seen, (edge, edge), axis=(1, 2))
    tiles = windows[:, ::size, ::size].reshape(case.images, tall, wide, case.channels, -1)
    values = np.einsum("pi,nrcki->nrckp", inputs, tiles)
    taps = abs(kernel.astype(float)).reshape(9, *kernel.shape[2:])
    taps = np.einsum("pi,ikf->kfp", weights, taps)
    sums = np.einsum("nrckp,kfp,op->nrcfo", values, taps, outputs, optimize=True)
    sums = sums.reshape(case.images, tall, wide, case.filters, size, size)
    sums = sums.transpose(0, 1, 4, 2, 5, 3).reshape(case.images, tall * size, wide * size, -1)
    rows, columns = case.target_size or case.source_size
    u = np.finfo(dtype).eps / 2
    return u * ((case.channels + ROUNDINGS[size]) * sums[:, :rows, :columns] + 2 * abs(bias))


@grid(size=SIZES, dtype=("float32", "float64"), case=CASES)
def test_errors_are_within_the_bound(case, dtype, size):
    arrays = case.arrays(floats, dtype)
    output, _ = case.run(*arrays, size)
    wide = [a.astype(np.float64 if dtype == "float32" else np.longdouble) for a in arrays]
    error = abs(output - case.expect(*wide))
    assert (error <= bound(case, *arrays, size)).all()


@grid(case=SMALL)
def test_bound_of_f2_is_within_one_that_is_easily_computed(case):
    x, kernel, bias = case.arrays(floats, "float64")
    each = [
        reference.correlate(case.padded(abs(x))[..., [c]], np.ones((3, 3, 1, 1)))
        * abs(kernel[:, :, c]).sum((0, 1))
        for c in range(case.channels)
    ]
    u = np.finfo("float64").eps / 2
    simple = 4 * u * (case.channels + ROUNDINGS[2]) * sum(each) + 2 * u * abs(bias)
    assert (bound(case, x, kernel, bias, 2) <= simple * (1 + 1e-12)).all()


def large_mean(rng, x, kernel):
    return x + 1000, kernel - kernel.mean((0, 1))


def mixed_channels(rng, x, kernel):
    scale = 10 ** rng.uniform(-4, 4, x.shape[3])
    return x * scale, kernel


def mixed_channels_balanced(rng, x, kernel):
    scale = 10 ** rng.uniform(-4, 4, x.shape[3])
    return x * scale, kernel / scale[:, None]


def relu(rng, x, kernel):
    return np.maximum(x, 0), kernel


def adversarial_signs(rng, x, kernel):
    """At one place in each tile all products of the first filter have one sign, at others not."""
    row = np.sign(kernel[1, 1, :, 0])
    return abs(x) * row * rng.choice([-1, 1], x.shape[:3])[..., None], kernel


def alternating(rng, x, kernel):
    """Sums that cancel: neighbours have opposite signs, and the taps are nearly equal."""
    signs = (-1.0) ** np.add.outer(np.arange(x.shape[1]), np.arange(x.shape[2]))
    return abs(x) * signs[..., None], abs(kernel) + 1


HARD = [
    large_mean, mixed_channels, mixed_channels_balanced, relu, adversarial_signs, alternating,
]  # fmt: skip


@grid(channels=(16, 64, 256), data=HARD)
def test_f2_is_within_the_bound_of_direct_on_hard_data(data, channels):
    """Output by output: what lets it be the default where it is faster."""
    case = Case("hard", 2, (12, 13), channels, 24)
    x, kernel, bias = case.arrays(floats, "float64")
    x, kernel = data(np.random.default_rng(channels), x, kernel)
    arrays = [a.astype("float32") for a in (x, kernel, 0 * bias)]
    output, _ = case.run(*arrays, 2)
    wide = [a.astype(np.float64) for a in arrays]
    sizes = case.expect(*(abs(a) for a in wide))
    limit = 2 * (9 * channels + 1) * np.finfo("float32").eps * sizes
    assert (abs(output - case.expect(*wide)) <= limit).all()


# --- the input gradient -----------------------------------------------------------------------


@grid(prepared=(False, True), padding=("valid", "same"), filters=(1, 18, 70), channels=(3, 40))
def test_turned_kernel_gives_the_input_gradient(channels, filters, padding, prepared):
    layer = Layer("turned", (2, 9, 7, channels), (3, 3), filters, padding=padding)
    rng = np.random.default_rng(filters)
    kernel = rng.integers(-4, 5, layer.kernel_shape)
    dy = rng.integers(-4, 5, reference.output_shape(layer))
    (top, _), (left, _) = reference.pads(layer)
    setup = winograd.setup(
        2, dy.shape[1:3], filters, (9, 7), channels, 2 - top, 2 - left, np.dtype("float32"), 2, 2,
        prepared,
    )  # fmt: skip
    gradient, weights = np.empty(layer.input_shape, "float32"), kernel.astype("float32")
    if prepared:
        weights = winograd.prepare(weights, setup, turned=True)
    assert winograd.convolve(dy.astype("float32"), weights, None, setup, gradient, turned=True)
    expected = reference.conv2d_input_gradient(dy, kernel, layer.input_shape, layer)
    np.testing.assert_array_equal(gradient, expected)


# --- any cut gives the same -------------------------------------------------------------------

BUSY = [
    Case("busy", 2, (30, 31), 40, 70),
    Case("busy_and_small", 3, (7, 7), 150, 130),
    Case("busy_and_flat", 1, (2, 200), 33, 35),
]


@grid(size=SIZES, dtype=("float32", "float64"), case=BUSY)
def test_results_do_not_depend_on_threads_or_on_preparation(case, dtype, size):
    arrays, allowed = case.arrays(floats, dtype), numba.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 16):
            numba.set_num_threads(min(threads, allowed))
            results += [case.run(*arrays, size, prepared, threads)[0] for prepared in (False, True)]
    finally:
        numba.set_num_threads(allowed)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_small_layers_are_done_without_preparation_and_large_ones_with_it():
    """Both ways are tested above only if some case takes them."""
    fresh = [case.setup("float32", 2).fresh for case in CASES + BUSY]
    assert any(fresh)
    assert not all(fresh)


@grid(size=SIZES, dtype=("float32", "float64"))
def test_weights_of_some_channels_at_a_time_give_the_same(dtype, size, monkeypatch):
    case = Case("deep", 1, (5, 5), 70, 40)
    arrays = case.arrays(floats, dtype)
    expected, _ = case.run(*arrays, size, prepared=True)
    monkeypatch.setattr(winograd, "WEIGHTS_BYTES", 2**14)
    winograd.setup.cache_clear()
    setup = case.setup(dtype, size)
    assert setup.fresh
    assert setup.numbers.block < 70
    np.testing.assert_array_equal(case.run(*arrays, size)[0], expected)
    winograd.setup.cache_clear()


def test_prepared_weights_fit_images_of_any_size():
    small, large = Case("s", 1, (5, 5), 20, 50), Case("l", 4, (40, 40), 20, 50)
    kernel = small.arrays(floats, "float32")[1]
    setups = [case.setup("float32", 2, prepared=True) for case in (small, large)]
    packed = winograd.prepare(kernel, setups[0])
    assert packed.size == setups[1].packed_size
    x = large.arrays(floats, "float32")[0]
    output = np.empty((4, 40, 40, 50), "float32")
    winograd.convolve(x, packed, None, setups[1], output)
    np.testing.assert_array_equal(output, large.run(x, kernel, None, 2)[0])


@grid(size=SIZES, case=[case for case in CASES if case.name in ("odd", "valid", "far_outside")])
def test_nothing_is_read_or_written_outside_of_the_arrays(case, size):
    """Everything lies between NaNs; one that is read would make an output NaN."""
    arrays = case.arrays(floats, "float32")
    rooms = [np.full(array.size + 200, np.nan, "float32") for array in arrays]
    inner = []
    for room, array in zip(rooms, arrays, strict=True):
        room[100:-100] = array.reshape(-1)
        inner.append(room[100:-100].reshape(array.shape))
    expected, finite = case.run(*inner, size)
    assert finite
    assert np.isfinite(expected).all()
    around = np.full(expected.size + 200, 7, "float32")
    output = around[100:-100].reshape(expected.shape)
    winograd.convolve(*inner, case.setup("float32", size), output)
    np.testing.assert_array_equal(output, expected)
    assert (np.delete(around, slice(100, -100)) == 7).all()


# --- NaN and infinity -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@grid(size=SIZES, where=("x", "kernel", "bias"), value=(np.nan, np.inf, -np.inf), seed=range(5))
def test_what_is_not_finite_is_noticed(seed, value, where, size):
    case = Case("spoiled", 2, (9, 10), 5, 37)
    arrays = case.pixels_and_small_weights("float32")
    spoiled = arrays[("x", "kernel", "bias").index(where)]
    spoiled.flat[np.random.default_rng(seed).integers(spoiled.size)] = value
    _, finite = case.run(*arrays, size)
    assert not finite


@grid(size=SIZES)
def test_overflow_on_the_way_is_noticed(size):
    """The sums of inputs are too large for float32, though every output is zero."""
    case = Case("overflow", 1, (4, 4), 1, 1)
    x, kernel = np.full((1, 4, 4, 1), 3e38, "float32"), np.zeros((3, 3, 1, 1), "float32")
    assert not case.run(x, kernel, None, size)[1]


@grid(size=SIZES)
def test_one_thread_tells_for_all(size):
    """The infinity is in one job of many."""
    case = BUSY[0]
    for place in (0, 1000, -1):
        x, kernel, bias = case.arrays(floats, "float32")
        assert case.run(x, kernel, bias, size)[1]
        x.flat[place] = np.inf
        assert not case.run(x, kernel, bias, size)[1]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_f2_spoils_only_outputs_that_see_the_infinity():
    case = replace(CASES[2], channels=2, filters=3)
    for place in np.ndindex(5, 7):
        x, kernel, bias = case.pixels_and_small_weights("float32")
        x[(0, *place, 1)] = np.inf
        output, _ = case.run(x, kernel, bias, 2)
        seen = ~np.isfinite(case.expect(x.astype(float), kernel.astype(float), bias))
        np.testing.assert_array_equal(~np.isfinite(output), seen)
