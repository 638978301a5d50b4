"""The paths of filters that see one channel or few: lanes along filters, lanes along rows."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

import convlab
from cases import CONVOLUTIONS, Layer, floats, grid, integers
from convlab.kernels import naive
from convlab.kernels.parallel import channelwise, launch, rowwise
from convlab.kernels.parallel.channelwise import Axis
from convlab.kernels.parallel.lanes import machine
from convlab.kernels.parallel.tiles_channelwise import Slide, meetings

FLOAT = np.dtype(np.float32)


def same(name, input_shape, kernel_size, filters, **fields):
    return Layer(name, input_shape, kernel_size, filters, **{"padding": "same", **fields})


# Each reaches something of its own: a last vector that begins early, a shorter last chunk of a
# kernel row, groups that share a vector or are wider than one, pixels narrower than a vector.
FILTERS = [
    same("depthwise", (2, 9, 11, 32), (3, 3), 32, groups=32),
    same("depthwise-last_vector_early", (2, 9, 11, 20), (3, 3), 20, groups=20),
    same("depthwise-strides", (2, 9, 11, 20), (3, 3), 20, groups=20, strides=(2, 2)),
    same("depthwise-one_vector_short", (1, 9, 10, 5), (3, 3), 5, groups=5, strides=(1, 2)),
    same("depthwise-dilated", (1, 13, 14, 17), (5, 3), 17, groups=17, dilation_rate=(2, 3)),
    same("depthwise-even", (1, 6, 5, 8), (4, 4), 8, groups=8),
    same("depthwise-one_pixel", (1, 1, 1, 8), (3, 3), 8, groups=8),
    same("depthwise-rows_in_jobs", (1, 70, 9, 16), (3, 3), 16, groups=16),
    same("depthwise-long_rows_of_taps", (1, 21, 30, 3), (21, 21), 3, groups=3),
    same("depthwise-long-dilated", (1, 9, 30, 4), (3, 13), 4, groups=4, dilation_rate=(1, 2)),
    same("depthwise-long-strides", (1, 7, 40, 4), (3, 11), 4, groups=4, strides=(2, 3)),
    Layer("depthwise-wide_strides", (1, 31, 40, 6), (3, 3), 6, groups=6, strides=(5, 4)),
    Layer("depthwise-columns_unread", (1, 8, 9, 16), (2, 2), 16, groups=16, strides=(3, 3)),
    same("depthwise-512_channels", (1, 5, 5, 512), (3, 3), 512, groups=512),
    Layer("pointwise-strides", (1, 9, 9, 16), (1, 1), 16, groups=16, strides=(2, 2)),
    same("multiplier_2", (2, 9, 8, 24), (3, 3), 48, groups=24),
    Layer("multiplier_3", (2, 9, 8, 5), (3, 2), 15, groups=5),
    same("multiplier_20", (1, 5, 6, 3), (3, 3), 60, groups=3),
    same("grouped-4_to_4", (2, 9, 8, 32), (3, 3), 32, groups=8),
    same("grouped-6_to_6", (2, 9, 8, 24), (3, 3), 24, groups=4),
    same("grouped-8_to_8", (2, 9, 8, 32), (3, 3), 32, groups=4, strides=(2, 1)),
    same("grouped-16_to_16", (1, 9, 8, 32), (3, 3), 32, groups=2),
    same("grouped-5_to_3", (2, 9, 8, 20), (3, 3), 12, groups=4),
    same("grouped-2_to_3", (2, 9, 8, 6), (3, 3), 9, groups=3),
    same("grouped-10_to_2", (1, 7, 6, 60), (3, 3), 12, groups=6),
    same("grouped-40_to_4", (1, 5, 6, 160), (3, 3), 16, groups=4),
    same("grouped-one_row_of_taps", (1, 9, 9, 32), (1, 3), 32, groups=8, strides=(2, 3)),
]
ROWS = [
    same("photo", (2, 11, 60, 3), (5, 5), 3, groups=3),
    same("photo-grey", (1, 20, 150, 1), (7, 7), 1),
    same("photo-rows_alike", (1, 12, 512, 1), (5, 5), 1),
    same("photo-four_channels", (1, 9, 80, 4), (3, 3), 4, groups=4),
    Layer("photo-dilated", (1, 9, 80, 4), (3, 3), 4, groups=4, dilation_rate=(2, 3)),
    same("photo-even", (2, 9, 33, 7), (3, 2), 7, groups=7),
    same("photo-strided_rows", (1, 19, 60, 3), (3, 3), 3, groups=3, strides=(2, 1)),
    same("photo-tall_kernel", (1, 40, 33, 3), (13, 3), 3, groups=3),
    same("photo-narrow", (3, 2, 12, 3), (5, 5), 3, groups=3),
    same("photo-kernel_wider", (1, 5, 33, 2), (3, 70), 2, groups=2),
    same("photo-many", (20, 10, 40, 3), (3, 3), 3, groups=3),
    same("wider_than_a_vector", (1, 9, 20, 20), (3, 3), 20, groups=20),
    same("spread_2", (1, 9, 90, 1), (3, 3), 2),
    same("spread_3", (1, 9, 60, 3), (3, 3), 9, groups=3),
    same("spread_4", (2, 9, 60, 3), (3, 3), 12, groups=3),
    same("folded_2", (2, 9, 60, 6), (3, 3), 3, groups=3),
    same("folded_3", (2, 9, 60, 3), (5, 5), 1),
    same("folded_4", (2, 9, 60, 4), (3, 3), 1),
]
PATHS = [(channelwise, layer) for layer in FILTERS] + [(rowwise, layer) for layer in ROWS]
every_path = pytest.mark.parametrize(
    ("path", "layer"), PATHS, ids=[layer.name for _, layer in PATHS]
)
some_paths = pytest.mark.parametrize(
    ("path", "layer"), PATHS[::4], ids=[layer.name for _, layer in PATHS[::4]]
)
MANY_ROWS = [path for path in PATHS if path[1].name in ("depthwise-rows_in_jobs", "photo-many")]
operations = pytest.mark.parametrize("operation", CONVOLUTIONS)


def geometry_of(layer):
    return convlab.Geometry.conv2d(
        layer.input_shape, layer.kernel_shape, strides=layer.strides, padding=layer.padding,
        dilation_rate=layer.dilation_rate, groups=layer.groups,
    )  # fmt: skip


def compute(path, layer, operation, arrays, threads=2, target=None):
    """One operation by one path, whatever the plan would choose."""
    geometry, (x, kernel, bias, dy) = geometry_of(layer), arrays
    if operation == "conv2d_kernel_gradient":
        target = np.full(kernel.shape, 77, x.dtype) if target is None else target
        path.correlate(x, dy, path.gradient_setup(geometry, x.dtype), target)
        return target
    backward = operation == "conv2d_input_gradient"
    setup = path.setup(geometry, x.dtype, threads, backward)
    source, like = (dy, x) if backward else (x, dy)
    target = np.full(like.shape, 77, x.dtype) if target is None else target
    weights = path.prepare(kernel, setup)
    path.convolve(source, weights, None if backward else bias, setup, target)
    return target


def drawn(layer, draw, dtype):
    return [np.ascontiguousarray(a, dtype) for a in layer.arrays(draw)]


def fits(path, layer, operation, dtype=FLOAT):
    """Whether the path can do it here: strides that a narrow machine's tile does not hold."""
    lanes = machine().registers // 4
    backward = operation == "conv2d_input_gradient"
    if path is channelwise:
        return not backward or max(layer.strides) <= 2 * lanes
    return path.takes(geometry_of(layer), np.dtype(dtype), backward)


@operations
@every_path
def test_whole_numbers_are_exact(path, layer, operation):
    if not fits(path, layer, operation):
        pytest.skip("not on this processor")
    result = compute(path, layer, operation, drawn(layer, integers, "float32"))
    expected = layer.expect(operation, layer.arrays(integers))
    np.testing.assert_array_equal(result, expected)


@grid(dtype=["float64", "int64"])
@operations
@some_paths
def test_whole_numbers_are_exact_in_wider_lanes(path, layer, operation, dtype):
    if not fits(path, layer, operation, dtype):
        pytest.skip("not on this processor")
    result = compute(path, layer, operation, drawn(layer, integers, dtype))
    np.testing.assert_array_equal(result, layer.expect(operation, layer.arrays(integers)))


@operations
@every_path
def test_errors_of_floats_stay_within_the_bound(path, layer, operation):
    if not fits(path, layer, operation):
        pytest.skip("not on this processor")
    arrays = drawn(layer, floats, "float32")
    result = compute(path, layer, operation, arrays)
    wide = [a.astype("float64") for a in arrays]
    error = np.abs(result - layer.expect(operation, wide))
    terms = {
        "conv2d": np.prod(layer.kernel_shape[:3]) + 1,
        "conv2d_input_gradient": np.prod(layer.kernel_size) * layer.filters // layer.groups,
        "conv2d_kernel_gradient": arrays[3][..., 0].size,
    }[operation]
    size = layer.expect(operation, [np.abs(a) for a in wide])
    assert np.all(error <= 2 * terms * np.finfo("float32").eps * size)


@some_paths
def test_gradients_are_adjoint(path, layer):
    if not all(fits(path, layer, operation, "float64") for operation in CONVOLUTIONS):
        pytest.skip("not on this processor")
    x, kernel, bias, dy = arrays = drawn(layer, floats, "float64")
    y, dx, dw = (compute(path, layer, operation, arrays) for operation in CONVOLUTIONS)
    products = np.vdot(y - bias, dy), np.vdot(x, dx), np.vdot(kernel, dw)
    np.testing.assert_allclose(products[1:], products[0], rtol=1e-10, atol=1e-9)


@operations
@every_path
def test_infinities_reach_what_the_definition_says_and_no_more(path, layer, operation):
    """Padding is not multiplied, and neither is what another group sees."""
    if not fits(path, layer, operation) or np.prod(layer.kernel_size) > 60:
        pytest.skip("not on this processor, or too long for loops in Python")
    rng = np.random.default_rng(len(layer.name))
    small = layer.but("small", input_shape=(1, *layer.input_shape[1:]))
    arrays = drawn(small, integers, "float32")
    for array in arrays:
        places = rng.integers(0, array.size, 2)
        array.reshape(-1)[places] = [np.inf, np.nan]
    arrays[1][0, 0, 0, -1] = -np.inf
    x, kernel, bias, dy = arrays
    geometry = geometry_of(small)
    with np.errstate(all="ignore"):
        result = compute(path, small, operation, arrays)
        expected = np.zeros_like(result)
        inputs = {
            "conv2d": (x, kernel, bias),
            "conv2d_input_gradient": (dy, kernel),
            "conv2d_kernel_gradient": (x, dy),
        }[operation]
        getattr(naive, operation)(*inputs, geometry, expected)
    assert not np.isfinite(result).all()
    np.testing.assert_array_equal(result, expected)


@operations
@pytest.mark.parametrize(
    ("path", "layer"), [*MANY_ROWS, *PATHS[::8]],
    ids=[layer.name for _, layer in [*MANY_ROWS, *PATHS[::8]]],
)  # fmt: skip
def test_no_result_depends_on_the_number_of_threads(path, layer, operation, monkeypatch):
    if not fits(path, layer, operation):
        pytest.skip("not on this processor")
    monkeypatch.setattr(launch, "WORK_PER_THREAD", 1)
    arrays, allowed = drawn(layer, floats, "float32"), numba.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 7):
            numba.set_num_threads(min(threads, allowed))
            path.gradient_setup.cache_clear()  # as in a process that has these threads
            results.append(compute(path, layer, operation, arrays, threads).tobytes())
    finally:
        numba.set_num_threads(allowed)
    assert len(set(results)) == 1


@operations
@some_paths
def test_nothing_beside_the_result_is_written(path, layer, operation):
    if not fits(path, layer, operation):
        pytest.skip("not on this processor")
    arrays = drawn(layer, integers, "float32")
    shape = compute(path, layer, operation, arrays).shape
    room = np.full(np.prod(shape) + 128, 55, np.float32)
    target = room[64:-64].reshape(shape)
    compute(path, layer, operation, arrays, target=target)
    assert (room[:64] == 55).all()
    assert (room[-64:] == 55).all()


GUARDED = """
import ctypes, mmap, sys
import numpy as np
sys.path.insert(0, "tests")
from test_kernels_channelwise import CONVOLUTIONS, PATHS, compute, drawn, fits, integers

libc = ctypes.CDLL(None, use_errno=True)
kept = []

def beside_a_wall(array, before):
    '''A copy that begins, or ends, where memory must not be touched.'''
    page = mmap.PAGESIZE
    size = -(-array.nbytes // page) * page
    room = mmap.mmap(-1, size + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    wall = start if before else start + size
    assert libc.mprotect(ctypes.c_void_p(wall), page, 0) == 0
    kept.append(room)
    offset = page if before else size - array.nbytes
    copy = np.frombuffer(room, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy

for path, layer in PATHS:
    for operation in CONVOLUTIONS:
        if fits(path, layer, operation):
            for before in (False, True):
                arrays = [beside_a_wall(a, before) for a in drawn(layer, integers, "float32")]
                compute(path, layer, operation, arrays)
print("whole", flush=True)
import os
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="walls in memory are made by mprotect")
def test_nothing_beside_the_arguments_is_read():
    """A page that must not be touched lies before, or after, each array."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(GUARDED)], capture_output=True, text=True,
        timeout=600, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.split() == ["whole"], (done.returncode, done.stderr)


@grid(path=[channelwise, rowwise])
def test_prepared_weights_may_lie_in_a_room_of_the_caller(path):
    layer = FILTERS[-1] if path is channelwise else ROWS[0]
    kernel = drawn(layer, integers, "float32")[1]
    setup = path.setup(geometry_of(layer), FLOAT, 2)
    room = np.full(setup.packed_size + 8, 55, np.float32)
    used = path.prepare(kernel, setup, room)[: setup.packed_size]
    assert np.shares_memory(used, room)
    assert (room[setup.packed_size :] == 55).all()


def test_no_bias_is_a_bias_of_zeros():
    for path, layer in ((channelwise, FILTERS[1]), (rowwise, ROWS[0])):
        x, kernel, bias, dy = drawn(layer, integers, "float32")
        with_zeros = compute(path, layer, "conv2d", [x, kernel, np.zeros_like(bias), dy])
        without = compute(path, layer, "conv2d", [x, kernel, None, dy])
        np.testing.assert_array_equal(without, with_zeros)


def test_the_layers_reach_what_they_are_for():
    cut = {layer.name: channelwise.setup(geometry_of(layer), FLOAT, 2) for layer in FILTERS}
    lanes = machine().lanes(FLOAT)
    assert cut["depthwise-rows_in_jobs"].sweep.rows_at_once < 70
    assert cut["depthwise-long_rows_of_taps"].sweep.chunks > 1
    assert cut["depthwise-long-dilated"].shape[6]  # a shorter last chunk
    assert cut["depthwise"].packed_size == 0 < cut["depthwise-512_channels"].packed_size
    assert cut["grouped-4_to_4"].packed_size > 0
    runs = cut["depthwise-last_vector_early"].runs
    if lanes == 16:
        assert runs[:, 1].tolist() == [0, 4]
    photo = rowwise.setup(geometry_of(ROWS[0]), FLOAT, 2).sweep
    assert 0 < photo.inner_first <= photo.inner_last < photo.wide_row


def test_depthwise_layers_and_photos_are_taken():
    def taken(layer, backward=False):
        geometry = geometry_of(layer)
        return [path.takes(geometry, FLOAT, backward) for path in (channelwise, rowwise)]

    assert taken(FILTERS[0]) == [True, False]
    assert taken(ROWS[0]) == [True, True]  # the plan asks for rows first
    assert taken(ROWS[1]) == [False, True]
    assert taken(ROWS[0].but("strides", strides=(1, 2))) == [True, False]
    assert taken(Layer("dense", (1, 9, 9, 32), (3, 3), 64)) == [False, False]
    assert taken(Layer("wide_groups", (1, 9, 9, 256), (3, 3), 256, groups=2)) == [False, False]


@grid(
    slide=[Slide(4, 3, 1, 1, 0, 0), Slide(3, 4, 2, 3, 0, 0), Slide(6, 3, 3, 2, 1, 1)],
)
def test_meetings_are_all_that_there_are(slide):
    found = {(q, p, t) for q, pairs in meetings(slide) for p, t in pairs}
    near = range(-40, 41)
    if slide.backward:
        wanted = {
            (q, p, t) for q in near for p in range(slide.places) for t in range(slide.taps)
            if q * slide.stride == p + slide.before - t * slide.dilation
        }  # fmt: skip
    else:
        wanted = {
            (p * slide.stride + t * slide.dilation, p, t)
            for p in range(slide.places) for t in range(slide.taps)
        }  # fmt: skip
    assert found == wanted


@grid(strides=[(1, 1), (2, 3)], dilation_rate=[(1, 1), (2, 1)])
def test_an_axis_backward_meets_what_it_met_forward(strides, dilation_rate):
    layer = same("axis", (1, 11, 9, 1), (3, 4), 1, strides=strides, dilation_rate=dilation_rate)
    for axis in (0, 1):
        there, back = (Axis.of(geometry_of(layer), axis, way).met() for way in (False, True))
        pairs = {(y, t, x) for (y, t), x in np.ndenumerate(there) if x >= 0}
        assert pairs == {(y, t, x) for (x, t), y in np.ndenumerate(back) if y >= 0}
        for (y, t), x in np.ndenumerate(there):
            place = geometry_of(layer).window(*((y, 0) if axis == 0 else (0, y)))[axis][t]
            assert x == (place if 0 <= place < layer.input_shape[1 + axis] else -1)
