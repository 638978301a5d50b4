"""The fast kernel gradient: how it is cut and summed, beyond what every implementation must do."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

import convlab
import reference
from cases import Layer, floats, grid, integers
from convlab.kernels.parallel import kernel_gradient
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.tiles_gradient import KINDS

DTYPES = ("float32", "float64", "int64")
ROOT = Path(__file__).parent.parent


def geometry_of(layer):
    return convlab.Geometry.conv2d(
        layer.input_shape, layer.kernel_shape, strides=layer.strides, padding=layer.padding,
        dilation_rate=layer.dilation_rate, groups=layer.groups,
    )  # fmt: skip


def set_up(layer, dtype="float32", threads=2):
    """A fresh setup: the tests change what it is made of."""
    make = kernel_gradient.setup.__wrapped__
    return make(geometry_of(layer), np.dtype(dtype), threads)


def correlate(layer, arrays, threads=2, **changes):
    """The gradient and whether it is certain; with the setup changed where a test says so."""
    x, _, _, dy = (np.ascontiguousarray(array) for array in arrays)
    result = np.full(layer.kernel_shape, 99, x.dtype)
    certain = kernel_gradient.correlate(x, dy, set_up(layer, x.dtype, threads), result)
    return result, certain


def check_integers(layer, dtype):
    exact = layer.arrays(integers)
    result, certain = correlate(layer, [array.astype(dtype) for array in exact])
    assert certain
    np.testing.assert_array_equal(result, layer.expect("conv2d_kernel_gradient", exact))


# Kernels, strides, dilation and groups; runs shorter and longer than a tile; filters that fill
# no vector, one, and several panels.
LAYERS = [
    Layer("one_channel", (3, 11, 9, 1), (5, 5), 32),
    Layer("rgb", (2, 11, 12, 3), (3, 3), 20, padding="same"),
    Layer("rgb-strided", (2, 17, 18, 3), (7, 7), 64, strides=(2, 2), padding="same"),
    Layer("few_channels", (2, 9, 8, 5), (2, 3), 7, strides=(1, 2), padding="same"),
    Layer("one_channel-dilated", (2, 13, 12, 1), (3, 3), 32, padding="same", dilation_rate=(2, 2)),
    Layer("two_channels-dilated", (2, 13, 12, 2), (3, 2), 9, dilation_rate=(2, 3)),
    Layer("3x3", (2, 8, 7, 20), (3, 3), 24, padding="same"),
    Layer("3x3-wide", (2, 6, 5, 70), (3, 3), 67, padding="same"),
    Layer("3x3-strided", (1, 9, 11, 33), (3, 3), 40, strides=(2, 3), padding="same"),
    Layer("3x3-dilated", (1, 12, 9, 24), (3, 3), 17, padding="same", dilation_rate=(4, 3)),
    Layer("1x1", (2, 5, 6, 40), (1, 1), 150),
    Layer("1x1-strided", (2, 7, 6, 19), (1, 1), 37, strides=(2, 2)),
    Layer("column_kernel", (2, 9, 4, 16), (5, 1), 16, padding="same"),
    Layer("row_kernel", (2, 4, 9, 16), (1, 5), 16, padding="same"),
    Layer("grouped", (2, 6, 5, 32), (3, 3), 64, padding="same", groups=4),
    Layer("grouped-odd", (2, 6, 5, 21), (3, 2), 33, padding="same", groups=3),
    Layer("grouped-narrow", (2, 6, 5, 32), (3, 3), 32, padding="same", groups=8),
    Layer("grouped-narrow-wider", (2, 6, 5, 64), (3, 3), 32, padding="same", groups=16),
    Layer("grouped-narrow-odd", (2, 6, 5, 48), (3, 3), 48, strides=(1, 2), groups=12),
    Layer("depthwise", (2, 6, 5, 18), (3, 3), 18, padding="same", groups=18),
    Layer("depthwise-many_filters", (1, 6, 5, 3), (3, 3), 51, groups=3),
    Layer("output_of_one_pixel", (20, 3, 3, 17), (3, 3), 23),
    Layer("kernel_larger_than_image", (2, 3, 2, 2), (5, 7), 3, padding="same"),
    Layer("dilation_larger_than_image", (1, 3, 4, 30), (3, 3), 3, padding="same",
          dilation_rate=(4, 5)),
    Layer("stride_beyond_image", (1, 3, 4, 2), (2, 3), 3, strides=(5, 7)),
    Layer("one_filter", (2, 4, 4, 9), (3, 3), 1),
    Layer("many_channels", (1, 3, 4, 300), (3, 3), 5, padding="same"),
    Layer("few_filters", (2, 5, 6, 39), (3, 3), 2, padding="same"),
    Layer("few_filters-strided", (2, 9, 8, 11), (3, 3), 2, strides=(2, 1), padding="same"),
    Layer("few_filters-valid", (2, 9, 8, 6), (3, 5), 1),
    Layer("few_filters-dilated", (1, 9, 8, 33), (2, 3), 2, padding="same", dilation_rate=(3, 2)),
    Layer("few_filters-grouped", (2, 5, 6, 57), (3, 2), 6, padding="same", groups=3),
    Layer("1x1-one_filter", (3, 5, 6, 50), (1, 1), 1),
]  # fmt: skip


@grid(dtype=DTYPES, layer=LAYERS)
def test_integers_are_exact(layer, dtype):
    check_integers(layer, dtype)


@grid(dtype=("float32", "float64"), layer=LAYERS)
def test_floats_are_within_rounding(layer, dtype):
    arrays = [array.astype(dtype) for array in layer.arrays(floats)]
    wide = [array.astype(np.float64) for array in arrays]
    result, _ = correlate(layer, arrays)
    error = np.abs(result - layer.expect("conv2d_kernel_gradient", wide))
    sizes = layer.expect("conv2d_kernel_gradient", [np.abs(array) for array in wide])
    terms = arrays[3][..., 0].size
    assert (error <= 2 * (terms + 1) * np.finfo(dtype).eps * sizes).all()


# Small limits, so that small layers reach every block, chunk and part.
SMALL = {
    "PIXELS": 8, "INPUT_BYTES": 4000, "COLUMNS": 4, "CHANNELS": 16, "CHUNKS": 4, "CHUNK_PIXELS": 8,
    "LEAST_PIXELS": 8,
}  # fmt: skip


@pytest.fixture
def small_blocks(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(kernel_gradient, name, value)


@grid(dtype=("float32", "int64"), layer=LAYERS)
@pytest.mark.usefixtures("small_blocks")
def test_integers_are_exact_past_every_block(layer, dtype):
    check_integers(layer, dtype)


@pytest.mark.usefixtures("small_blocks")
def test_small_blocks_cut_everything():
    cuts = [set_up(layer).cut for layer in LAYERS]
    for name in ("group_blocks", "channel_blocks", "panel_blocks", "tap_blocks", "chunks"):
        assert any(getattr(cut, name) > 1 for cut in cuts), name
    assert any(cut.rows_at_once < cut.rows for cut in cuts)
    assert any(cut.columns_at_once < cut.columns for cut in cuts)
    assert any(cut.images_at_once > 1 for cut in cuts)


def test_each_way_is_taken():
    """In place or from a patch; one run for a kernel row, or not; a panel laid out, or not..."""
    cuts = [set_up(layer).cut for layer in LAYERS]
    shapes = [set_up(layer).shape for layer in LAYERS]
    ways = {(cut.exact, cut.merged) for cut in cuts}
    assert ways == {(1, 0), (0, 1), (0, 0)}
    assert {(cut.exact, cut.turned) for cut in cuts} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert {taps > 1 for taps, *_ in shapes} == {False, True}
    assert {groups > 1 for _, _, _, groups, *_ in shapes} == {False, True}


@grid(layer=LAYERS)
@pytest.mark.usefixtures("small_blocks")
def test_results_do_not_depend_on_threads(layer):
    arrays = [array.astype("float32") for array in layer.arrays(floats)]
    results = [correlate(layer, arrays, threads)[0] for threads in (1, 2, 7)]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    assert len({set_up(layer, threads=threads).cut.chunks for threads in (1, 2, 7)}) == 1


@grid(layer=LAYERS)
@pytest.mark.usefixtures("small_blocks")
def test_scratch_is_as_large_as_it_must_be_and_no_larger_than_said(layer):
    """Words behind the scratch stay what they were; nothing that was in it comes through."""
    arrays = x, _, _, dy = [array.astype("float32") for array in layer.arrays(integers)]
    s = set_up(layer, threads=1)
    words = -(-s.scratch_bytes // 8)
    scratch = np.full((1, words + 64), -1, np.int64)  # as floats, these are NaN
    sums = np.full(max(1, s.partial_bytes // 4), np.nan, np.float32)
    result = np.full(layer.kernel_shape, np.nan, np.float32)
    kernel_gradient.correlation.alone(
        0, np.zeros(1, np.int64), scratch, s.cut, kernel_gradient.steps(s.shape), s.row_taps,
        s.column_taps, np.zeros(s.parts, np.int64), x.ctypes.data, dy.ctypes.data,
        (sums if s.partial_bytes else result).ctypes.data, result.ctypes.data,
    )  # fmt: skip
    assert (scratch[0, words:] == -1).all()
    np.testing.assert_array_equal(result, layer.expect("conv2d_kernel_gradient", arrays))


@grid(layer=[LAYERS[0], LAYERS[1], LAYERS[6], LAYERS[7], LAYERS[10], LAYERS[15]])
@pytest.mark.usefixtures("small_blocks")
def test_nothing_is_written_around_the_result(layer):
    x, _, _, dy = (array.astype("float32") for array in layer.arrays(integers))
    size = int(np.prod(layer.kernel_shape))
    room = np.full(size + 128, 99, np.float32)
    result = room[64 : 64 + size].reshape(layer.kernel_shape)
    kernel_gradient.correlate(x, dy, set_up(layer), result)
    assert (room[:64] == 99).all()
    assert (room[64 + size :] == 99).all()


GUARDED = """
import ctypes, mmap, sys
import numpy as np
sys.path.insert(0, "tests")
import test_kernels_kernel_gradient as tests

def at_the_end_of_a_page(array):
    \"\"\"A copy behind which, and before which, nothing may be read.\"\"\"
    size = -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    room = mmap.mmap(-1, size + mmap.PAGESIZE)
    view = np.frombuffer(room, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(view.ctypes.data + size), mmap.PAGESIZE, 0) == 0
    copy = view[size - array.nbytes : size].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy

for layer in tests.LAYERS:
    exact = layer.arrays(tests.integers)
    x, dy = (at_the_end_of_a_page(exact[n].astype("float32")) for n in (0, 3))
    result = at_the_end_of_a_page(np.zeros(layer.kernel_shape, np.float32))
    tests.kernel_gradient.correlate(x, dy, tests.set_up(layer, threads=1), result)
    assert (result == layer.expect("conv2d_kernel_gradient", exact)).all(), layer.name
print("well", len(tests.LAYERS))
"""


@pytest.mark.skipif(os.name != "posix", reason="pages are closed by mprotect")
def test_nothing_is_read_or_written_behind_an_array():
    """In a process of its own, which would end at the first number too far."""
    command = [sys.executable, "-c", GUARDED]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["well", str(len(LAYERS))]


@grid(layer=[layer for layer in LAYERS if layer.padding == "same"], number=(np.inf, np.nan))
def test_padding_times_what_is_not_finite_is_left_out_or_told(layer, number):
    """At the border of the gradient: every tap that meets padding there must ignore it."""
    arrays = x, _, _, dy = [array.astype("float64") for array in layer.arrays(floats)]
    dy[0, 0, 0, 0] = dy[-1, -1, -1, -1] = number
    result, certain = correlate(layer, arrays)
    expected = np.zeros(layer.kernel_shape)
    with np.errstate(invalid="ignore"):
        for i, j in np.ndindex(layer.kernel_size):
            expected[i, j] = one_tap(layer, x, dy, i, j)
    if certain:
        np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(result), np.isinf(expected))
    else:
        assert not set_up(layer, "float64").cut.exact


def one_tap(layer, x, dy, i, j):
    """By the definition, cell by cell: only pixels that are there."""
    geometry, groups = geometry_of(layer), layer.groups
    total = np.zeros((layer.kernel_shape[2], groups, layer.filters // groups))
    for row, column in np.ndindex(dy.shape[1:3]):
        rows, columns = geometry.window(row, column)
        if 0 <= rows[i] < x.shape[1] and 0 <= columns[j] < x.shape[2]:
            pixel = x[:, rows[i], columns[j]].reshape(len(x), groups, -1)
            gradient = dy[:, row, column].reshape(len(x), groups, -1)
            for image in range(len(x)):
                total += pixel[image].T[:, :, None] * gradient[image][None]
    return total.reshape(total.shape[0], -1)


def test_an_infinity_far_from_the_padding_is_not_mistaken():
    layer = Layer("3x3-wide", (2, 6, 5, 70), (3, 3), 67, padding="same")
    arrays = [array.astype("float32") for array in layer.arrays(floats)]
    arrays[0][0, 2, 2, 5] = np.inf
    result, certain = correlate(layer, arrays)
    assert certain
    assert np.isinf(result[:, :, 5]).all()
    assert np.isfinite(np.delete(result, 5, axis=2)).all()


@grid(shape=[(0, 5, 4, 3), (2, 0, 4, 3)])
def test_no_pixels_give_zeros(shape):
    geometry = convlab.Geometry.conv2d(shape, (3, 3, 3, 4), padding="same")
    result = np.full(geometry.kernel_shape, 9.0, np.float32)
    x, dy = np.ones(shape, np.float32), np.ones(geometry.output_shape, np.float32)
    setup = kernel_gradient.setup(geometry, x.dtype, 2)
    assert kernel_gradient.correlate(x, dy, setup, result)
    assert not result.any()


@grid(dtype=DTYPES)
def test_every_tile_finds_room_in_the_registers(dtype):
    lanes, registers = machine().lanes(np.dtype(dtype)), machine().registers
    runs, widths = (1, 2, 3, 5, 16, 21, 64, 500), (1, 8, 20, 64, 100, 512)
    for taps, run, filters in itertools.product((1, 3, 9, 25), runs, widths):
        for most_taps in (1, 6):
            _, shape = kernel_gradient._tile(taps, run, filters, lanes, KINDS[dtype], most_taps)
            together, length, vectors, *_ = shape
            assert together * length * vectors + vectors + 1 <= registers
            assert together <= taps
            assert length <= run
            assert together == 1 or length == run
        if 2 * filters <= lanes <= run:
            _, shape = kernel_gradient._turned_tile(taps, run, filters, lanes, KINDS[dtype])
            assert shape[:2] == (1, filters)
            assert shape[2] * (filters + 1) < registers
            assert shape[2] * lanes <= run


@grid(layer=LAYERS)
def test_adjoint_identity(layer):
    """<conv(x, w), dy> = <w, kernel gradient>, with a random w."""
    arrays = x, kernel, _, dy = layer.arrays(floats)
    gradient, _ = correlate(layer, arrays)
    y = reference.conv2d(x, kernel, 0, layer)
    size = np.sum(np.abs(reference.conv2d(np.abs(x), np.abs(kernel), 0, layer) * dy))
    assert abs(np.sum(y * dy) - np.sum(kernel * gradient)) <= 1e-14 * size
