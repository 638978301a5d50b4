"""The public operations: dtypes, layouts, refusals, and the choice of implementation."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import convlab
from convlab import (
    average_pool2d,
    average_pool2d_gradient,
    config,
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    max_pool2d,
    max_pool2d_gradient,
    use_implementation,
)

X = np.ones((1, 5, 5, 4))
KERNEL = np.ones((3, 3, 4, 6))
DY = np.ones((1, 3, 3, 6))


# --- refusals: (call, error, text) ------------------------------------------------------------

REFUSED = {
    "input of rank 3": (
        lambda: conv2d(X[0], KERNEL),
        ValueError,
        r"4 axes, \(batch, height, width, channels\)\. Received: .*\(5, 5, 4\) with 3 axes\..*"
        r"x\[np\.newaxis\]",
    ),
    "kernel of rank 2": (
        lambda: conv2d(X, KERNEL[:, :, 0, 0]),
        ValueError,
        r"kernel must have 4 axes.*Received: kernel shape=\(3, 3\)",
    ),
    "channels that do not match": (
        lambda: conv2d(X, np.ones((3, 3, 3, 6))),
        ValueError,
        r"third axis must be input channels // groups = 4 // 1 = 4\. Received: groups=1, "
        r"input shape=\(1, 5, 5, 4\), kernel shape=\(3, 3, 3, 6\)",
    ),
    "a PyTorch weight": (
        lambda: conv2d(X, np.ones((6, 4, 3, 3))),
        ValueError,
        r"weight\.transpose\(2, 3, 1, 0\)",
    ),
    "the other data format": (
        lambda: conv2d(np.ones((1, 4, 5, 5)), KERNEL),
        ValueError,
        r"Is the input in the other data_format",
    ),
    "groups that do not divide the filters": (
        lambda: conv2d(X, np.ones((3, 3, 1, 6)), groups=4),
        ValueError,
        r"filters must be evenly divisible by the number of groups\. Received: groups=4",
    ),
    "groups that do not divide the channels": (
        lambda: conv2d(X, np.ones((3, 3, 1, 6)), groups=3),
        ValueError,
        r"input channels must be evenly divisible by the number of groups",
    ),
    "groups of 0": (lambda: conv2d(X, KERNEL, groups=0), ValueError, r"`groups`.*groups=0"),
    "groups as text": (lambda: conv2d(X, KERNEL, groups="2"), TypeError, r"groups='2'"),
    "groups of None": (lambda: conv2d(X, KERNEL, groups=None), TypeError, r"groups=None"),
    "groups of 2.0": (lambda: conv2d(X, KERNEL, groups=2.0), ValueError, r"groups=2\.0"),
    "strides of 0": (lambda: conv2d(X, KERNEL, strides=0), ValueError, r"strides=0.*value > 0"),
    "negative strides": (lambda: conv2d(X, KERNEL, strides=(1, -1)), ValueError, r"\(1, -1\)"),
    "strides of NaN": (lambda: conv2d(X, KERNEL, strides=np.nan), ValueError, r"strides=nan"),
    "strides of 1.5": (lambda: conv2d(X, KERNEL, strides=(1.5, 1)), ValueError, r"\(1\.5, 1\)"),
    "three strides": (lambda: conv2d(X, KERNEL, strides=(1, 1, 1)), ValueError, r"\(1, 1, 1\)"),
    "strides as text": (lambda: conv2d(X, KERNEL, strides="22"), TypeError, r"strides='22'"),
    "dilation of 0": (lambda: conv2d(X, KERNEL, dilation_rate=0), ValueError, r"dilation_rate=0"),
    "an unknown padding": (
        lambda: conv2d(X, KERNEL, padding="causal"),
        ValueError,
        r"either \"valid\" or \"same\"\. Received: padding='causal'",
    ),
    "padding as a number": (
        lambda: conv2d(X, KERNEL, padding=1),
        TypeError,
        r"Received: padding=1\..*np\.pad",
    ),
    "padding as a pair": (
        lambda: conv2d(X, KERNEL, padding=(1, 1)),
        ValueError,
        r"Received: padding=\(1, 1\)\..*np\.pad",
    ),
    "an unknown data format": (
        lambda: conv2d(X, KERNEL, data_format="NCHW"),
        ValueError,
        r"Received: data_format='NCHW'.*Did you mean \"channels_first\"",
    ),
    "a kernel larger than the input": (
        lambda: conv2d(X, np.ones((7, 3, 4, 6))),
        ValueError,
        r"zero or negative.*input shape=\(1, 5, 5, 4\), kernel shape=\(7, 3, 4, 6\).*"
        r"strides=\(1, 1\), padding='valid'.*padding=\"same\"",
    ),
    "a dilated kernel larger than the input": (
        lambda: conv2d(X, KERNEL, dilation_rate=3),
        ValueError,
        r"dilation_rate=\(3, 3\) \(effective kernel size \(7, 7\)\)",
    ),
    "no channels": (
        lambda: conv2d(X[..., :0], KERNEL[:, :, :0]),
        ValueError,
        r"at least (one channel|1)",
    ),
    "an empty kernel": (
        lambda: conv2d(X, KERNEL[:0]),
        ValueError,
        r"Every axis of the kernel must be .*at least 1\. Received: kernel shape=\(0, 3, 4, 6\)",
    ),
    "a bias of the wrong length": (
        lambda: conv2d(X, KERNEL, np.ones(5)),
        ValueError,
        r"`bias` must have shape \(6,\).*Received: bias of shape \(5,\)",
    ),
    "complex numbers": (
        lambda: conv2d(X.astype(complex), KERNEL),
        TypeError,
        r"`x` must be an array of real numbers.*Received: dtype=complex128",
    ),
    "text for an image": (lambda: conv2d("photo.jpg", KERNEL), TypeError, r"`x`.*dtype=<U9"),
    "an object kernel": (
        lambda: conv2d(X, KERNEL.astype(object)),
        TypeError,
        r"`kernel`.*dtype=object",
    ),
    "a ragged image": (
        lambda: conv2d([[1, 2], [3]], KERNEL),
        ValueError,
        r"`x`.*do not form a rectangular array",
    ),
    "an integer sum beyond int64": (
        lambda: conv2d(np.full((1, 1, 1, 1), 2**62), np.full((1, 1, 1, 1), 4)),
        ValueError,
        r"must fit into int64\. Received: x up to 4611686018427387904, kernel up to 4",
    ),
    "an unsigned number beyond int64": (
        lambda: max_pool2d(np.full((1, 2, 2, 1), 2**63, np.uint64)),
        ValueError,
        r"fit into int64\. Received: x with 9223372036854775808",
    ),
    "an unknown implementation": (
        lambda: conv2d(X, KERNEL, implementation="fast"),
        ValueError,
        r'"naive", "vectorized", "parallel" or "auto"\. Received: implementation=\'fast\'',
    ),
    "an output gradient of the wrong shape": (
        lambda: conv2d_input_gradient(DY[:, :2], KERNEL, X.shape),
        ValueError,
        r"`output_gradient` must have shape \(1, 3, 3, 6\).*Received: .*\(1, 2, 3, 6\)",
    ),
    "an output gradient of the wrong shape, for the kernel": (
        lambda: conv2d_kernel_gradient(X, DY[..., :5], KERNEL.shape),
        ValueError,
        r"`output_gradient` must have shape \(1, 3, 3, 6\)",
    ),
    "an input shape of rank 3": (
        lambda: conv2d_input_gradient(DY, KERNEL, (5, 5, 4)),
        ValueError,
        r"4 axes",
    ),
    "a pool of 0": (lambda: max_pool2d(X, 0), ValueError, r"pool_size=0"),
    "a pool larger than the input": (
        lambda: average_pool2d(X, 6),
        ValueError,
        r"zero or negative.*pool_size=\(6, 6\)",
    ),
    "pooling a vector": (lambda: max_pool2d(np.ones(4)), ValueError, r"4 axes"),
    "a pooled gradient of the wrong shape": (
        lambda: max_pool2d_gradient(X, DY),
        ValueError,
        r"`output_gradient` must have shape \(1, 2, 2, 4\)",
    ),
    "an averaged gradient of the wrong shape": (
        lambda: average_pool2d_gradient(DY, X.shape),
        ValueError,
        r"`output_gradient` must have shape \(1, 2, 2, 4\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_the_rule_and_what_came(name):
    call, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        call()


# --- dtypes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("implementation", convlab.available_implementations())
@pytest.mark.parametrize(
    ("image", "kernel", "result"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("float32", "float64", "float64"),
        ("float16", "float16", "float16"),
        ("uint8", "float32", "float32"),
        ("uint8", "int8", "int64"),
        ("bool", "bool", "int64"),
        ("uint64", "int32", "int64"),
        (">f4", ">f4", "float32"),
    ],
)
def test_result_dtype_follows_numpy_with_integers_in_int64(image, kernel, result, implementation):
    y = conv2d(X.astype(image), KERNEL.astype(kernel), implementation=implementation)
    assert y.dtype == np.dtype(result)
    assert y.dtype.isnative
    assert (y == 36).all()


def test_uint8_photo_does_not_wrap_around():
    photo = np.full((1, 3, 3, 1), 255, np.uint8)
    assert conv2d(photo, np.ones((3, 3, 1, 1), np.uint8)).item() == 9 * 255


def test_float16_is_summed_in_float32():
    x = np.full((1, 1, 4096, 1), 1, np.float16)
    kernel = np.ones((1, 4096, 1, 1), np.float16)
    for implementation in convlab.available_implementations():
        assert conv2d(x, kernel, implementation=implementation).item() == 4096


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float64", "bool"])
def test_max_pool_keeps_the_dtype(dtype):
    assert max_pool2d(X.astype(dtype)).dtype == np.dtype(dtype)


def test_average_pool_of_integers_is_float64():
    y = average_pool2d(np.array([[1, 2], [2, 2]], np.uint8).reshape(1, 2, 2, 1))
    assert y.dtype == np.float64
    assert y.item() == 1.75


# --- layouts and ownership ---------------------------------------------------------------------


def test_channels_first_result_is_contiguous():
    y = conv2d(X.transpose(0, 3, 1, 2), KERNEL, data_format="channels_first")
    assert y.shape == (1, 6, 3, 3)
    assert y.flags.c_contiguous


def test_lists_are_accepted():
    assert conv2d([[[[1], [2]]]], [[[[3]]]]).tolist() == [[[[3], [6]]]]


@pytest.mark.parametrize("implementation", convlab.available_implementations())
def test_no_argument_is_modified_or_returned(implementation):
    rng = np.random.default_rng(3)
    x, w, b = rng.normal(size=X.shape), rng.normal(size=KERNEL.shape), rng.normal(size=6)
    dy, pooled = rng.normal(size=DY.shape), rng.normal(size=(1, 2, 2, 4))
    arrays = [x, w, b, dy, pooled]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    with use_implementation(implementation):
        results = [
            conv2d(x, w, b),
            conv2d_input_gradient(dy, w, x.shape),
            conv2d_kernel_gradient(x, dy, w.shape),
            max_pool2d(x),
            max_pool2d(x, 1),
            max_pool2d_gradient(x, pooled),
            average_pool2d(x),
            average_pool2d_gradient(pooled, x.shape),
        ]
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not any(np.shares_memory(array, result) for result in results)


# --- the choice of implementation --------------------------------------------------------------


def chosen(monkeypatch, **options):
    """The name of the implementation that a call runs."""
    names = []
    for name in convlab.available_implementations():
        module = __import__(f"convlab.kernels.{name}", fromlist=["conv2d"])
        real = module.conv2d
        monkeypatch.setattr(
            module, "conv2d",
            lambda *a, name=name, real=real, **o: (names.append(name), real(*a, **o)),
        )  # fmt: skip
    conv2d(options.pop("x", X), options.pop("kernel", KERNEL), **options)
    monkeypatch.undo()
    (name,) = names
    return name


def test_small_work_is_vectorized(monkeypatch):
    assert chosen(monkeypatch) == "vectorized"


def test_large_work_is_parallel_where_numba_is_there(monkeypatch):
    large = {"x": np.ones((1, 64, 64, 16)), "kernel": np.ones((3, 3, 16, 32))}
    assert chosen(monkeypatch, **large) == convlab.available_implementations()[-1]


def test_argument_beats_the_context(monkeypatch):
    with use_implementation("naive"):
        assert chosen(monkeypatch) == "naive"
        assert chosen(monkeypatch, implementation="vectorized") == "vectorized"
        assert chosen(monkeypatch, implementation="auto") == "vectorized"


def test_blocks_nest_and_an_error_leaves_the_old_choice(monkeypatch):
    with use_implementation("naive"):
        with pytest.raises(ZeroDivisionError), use_implementation("vectorized"):
            _ = 1 / 0
        assert chosen(monkeypatch) == "naive"
    assert chosen(monkeypatch) == "vectorized"


def test_plain_call_sets_the_default(monkeypatch):
    use_implementation("naive")
    try:
        assert chosen(monkeypatch) == "naive"
    finally:
        use_implementation("auto")


def test_a_thread_keeps_its_own_choice(monkeypatch):
    from convlab.kernels import choose

    inside, checked, seen = threading.Event(), threading.Event(), []

    def other():
        inside.wait(10)
        seen.append(choose(None, 1).__name__)
        checked.set()

    thread = threading.Thread(target=other)
    thread.start()
    with use_implementation("naive"):
        inside.set()
        assert checked.wait(10)
    thread.join()
    assert seen == ["convlab.kernels.vectorized"]


def test_unknown_name_is_refused_before_anything_changes(monkeypatch):
    with pytest.raises(ValueError, match="Received: implementation='turbo'"):
        use_implementation("turbo")
    assert chosen(monkeypatch) == "vectorized"


# --- a light import, and life without Numba ----------------------------------------------------


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_brings_numpy_and_nothing_heavy():
    heavy = ["numba", "matplotlib", "sklearn", "scipy", "IPython", "pooch"]
    code = f"import sys, convlab; print([name for name in {heavy} if name in sys.modules])"
    assert run(code).strip() == "[]"


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
import numpy as np, convlab
"""


def test_without_numba_everything_else_works():
    code = """
x, w = np.ones((1, 64, 64, 16), "f"), np.ones((3, 3, 16, 32), "f")
print(convlab.available_implementations(), convlab.conv2d(x, w).mean())
"""
    assert run(WITHOUT_NUMBA + code).strip() == "('naive', 'vectorized') 144.0"


@pytest.mark.parametrize(
    "call",
    [
        "convlab.conv2d(np.ones((1, 1, 1, 1)), np.ones((1, 1, 1, 1)), implementation='parallel')",
        "convlab.use_implementation('parallel')",
    ],
)
def test_without_numba_parallel_says_what_to_install(call):
    code = f"try:\n    {call}\nexcept ImportError as error:\n    print(error)"
    assert "pip install numba" in run(WITHOUT_NUMBA + code)


# --- the edges of what int64 holds -------------------------------------------------------------

LARGEST = 2**63 - 1


@pytest.mark.parametrize("implementation", convlab.available_implementations())
def test_the_largest_int64_is_a_result_like_any_other(implementation):
    one = np.ones((1, 1, 1, 1), np.int64)
    assert conv2d(one * LARGEST, one, implementation=implementation).item() == LARGEST
    unsigned = np.full((1, 1, 1, 1), LARGEST, np.uint64)
    assert max_pool2d(unsigned, 1, implementation=implementation).item() == LARGEST


# Two of these do not fit: two channels, filters or images, a factor, a bias.
HALF = np.full((1, 1, 1, 1), 2**62)
TOO_LARGE = {
    "two channels": lambda: conv2d(HALF.repeat(2, 3), np.ones((1, 1, 2, 1), int)),
    "two filters": lambda: conv2d_input_gradient(
        HALF.repeat(2, 3), np.ones((1, 1, 1, 2), int), (1, 1, 1, 1)
    ),
    "two images": lambda: conv2d_kernel_gradient(
        HALF.repeat(2, 0), np.ones((2, 1, 1, 1), int), (1, 1, 1, 1)
    ),
    "negative numbers": lambda: conv2d(-HALF, np.full((1, 1, 1, 1), 3)),
    "the bias": lambda: conv2d(HALF, np.ones((1, 1, 1, 1), int), np.array([2**62])),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_every_factor_of_an_integer_sum_is_counted(name):
    with pytest.raises(ValueError, match=r"must fit into int64\. Received: "):
        TOO_LARGE[name]()


# --- overflow passes in silence, everywhere (pytest makes errors of warnings) -------------------


@pytest.mark.parametrize("implementation", convlab.available_implementations())
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_overflow_gives_infinity_without_a_warning(dtype, implementation):
    large = np.full((1, 1, 2, 1), np.finfo(dtype).max, dtype)
    kernel = np.full((1, 2, 1, 1), 2, dtype)
    assert conv2d(large, kernel, implementation=implementation).item() == np.inf


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_average_pool_of_floats_keeps_the_dtype(dtype):
    assert average_pool2d(X.astype(dtype)).dtype == dtype
    assert average_pool2d_gradient(np.ones((1, 2, 2, 4), dtype), X.shape).dtype == dtype


def test_max_pool_gradient_promotes_both_arrays():
    pooled = np.ones((1, 2, 2, 4), np.float32)
    assert max_pool2d_gradient(X, pooled).dtype == np.float64


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long double is float64 here")
def test_extended_precision_is_refused():
    with pytest.raises(TypeError, match=r"`x`.*Received: dtype=float(96|128)"):
        conv2d(X.astype(np.longdouble), KERNEL)


# --- what is no shape and no name ---------------------------------------------------------------


@pytest.mark.parametrize("shape", [None, 5, 2.5, np.array(2), "1554"])
def test_a_shape_that_is_no_tuple_is_named(shape):
    calls = (
        lambda: conv2d_input_gradient(DY, KERNEL, shape),
        lambda: conv2d_kernel_gradient(X, DY, shape),
        lambda: average_pool2d_gradient(DY, shape),
    )
    for call in calls:
        with pytest.raises(TypeError, match=r"must have 4 axes.*Received: .* shape="):
            call()


def test_a_shape_may_come_from_an_iterator():
    assert conv2d_input_gradient(DY, KERNEL, iter(X.shape)).shape == X.shape
    with pytest.raises(ValueError, match=r"Received: .*input shape=\(1, 5, 5, 3\)"):
        conv2d_input_gradient(DY, KERNEL, iter((1, 5, 5, 3)))


@pytest.mark.parametrize("name", [3, np.array(["naive", "auto"]), np.zeros((0, 2)), ["naive"]])
def test_an_implementation_that_is_no_text_is_refused(name):
    with pytest.raises(ValueError, match="Received: implementation="):
        conv2d(X, KERNEL, implementation=name)


# --- one choice, used again ----------------------------------------------------------------------


def test_one_choice_serves_several_blocks(monkeypatch):
    naive = use_implementation("naive")
    with naive:
        with naive:
            assert chosen(monkeypatch) == "naive"
        assert chosen(monkeypatch) == "naive"
    assert chosen(monkeypatch) == "vectorized"
    with naive:
        assert chosen(monkeypatch) == "naive"
    assert chosen(monkeypatch) == "vectorized"


def test_auto_is_parallel_from_its_threshold_on():
    from convlab.kernels import PARALLEL_FROM, choose

    assert choose("auto", PARALLEL_FROM - 1).__name__ == "convlab.kernels.vectorized"
    fastest = f"convlab.kernels.{convlab.available_implementations()[-1]}"
    assert choose("auto", PARALLEL_FROM).__name__ == fastest


def test_auto_does_without_a_numba_that_refuses_to_be_imported():
    code = """
import sys, types, importlib.machinery
numba = types.ModuleType("numba")  # found, but older than NumPy: it has nothing to give
numba.__spec__ = importlib.machinery.ModuleSpec("numba", None)
sys.modules["numba"] = numba
from convlab.kernels import choose
print(choose("auto", 10**9).__name__)
"""
    assert run(code).strip() == "convlab.kernels.vectorized"


# --- the order of axes that a setting decides -------------------------------------------------


@pytest.fixture
def channels_first():
    """Let ``data_format=None`` mean channels_first during a test."""
    config.set_image_data_format("channels_first")
    yield
    config.set_image_data_format("channels_last")


FIRST = np.random.default_rng(0).normal(size=(2, 4, 5, 6))  # batch, channels, height, width
NONE_FOLLOWS_THE_SETTING = {
    "conv2d": lambda **order: conv2d(FIRST, KERNEL, **order),
    "input gradient": lambda **order: conv2d_input_gradient(
        np.ones((2, 6, 3, 4)), KERNEL, FIRST.shape, **order
    ),
    "kernel gradient": lambda **order: conv2d_kernel_gradient(
        FIRST, np.ones((2, 6, 3, 4)), KERNEL.shape, **order
    ),
    "max": lambda **order: max_pool2d(FIRST, **order),
    "max gradient": lambda **order: max_pool2d_gradient(FIRST, np.ones((2, 4, 2, 3)), **order),
    "average": lambda **order: average_pool2d(FIRST, **order),
    "average gradient": lambda **order: average_pool2d_gradient(
        np.ones((2, 4, 2, 3)), FIRST.shape, **order
    ),
}


@pytest.mark.usefixtures("channels_first")
@pytest.mark.parametrize(
    "operation", NONE_FOLLOWS_THE_SETTING.values(), ids=NONE_FOLLOWS_THE_SETTING
)
def test_data_format_none_is_the_setting(operation):
    expected = operation(data_format="channels_first")
    np.testing.assert_array_equal(operation(), expected)
    np.testing.assert_array_equal(operation(data_format=None), expected)


@pytest.mark.usefixtures("channels_first")
def test_data_format_that_is_given_overrules_the_setting():
    assert max_pool2d(X, data_format="channels_last").shape == (1, 2, 2, 4)


# --- where a result lies ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [64, 65, 100])
def test_a_large_result_begins_a_cache_line(size):
    """Vectors of 64 bytes are written to it: each then fills one line, not two halves."""
    x = np.ones((4, size, size, 3), np.float32)
    for _ in range(3):
        output = conv2d(x, np.ones((3, 3, 3, 5), np.float32))
        assert output.ctypes.data % 64 == 0
        assert output.flags.c_contiguous
        assert output.flags.writeable


def test_a_small_layer_is_described_once():
    """Equal but different arguments are not taken for each other: 1.0 is refused, 1 is not."""
    for strides in (1, (1, 1), 1):
        assert conv2d(X, KERNEL, strides=strides).shape == conv2d(X, KERNEL).shape
    for strides in (1.0, (1.0, 1), "1"):
        with pytest.raises((TypeError, ValueError)):
            conv2d(X, KERNEL, strides=strides)
