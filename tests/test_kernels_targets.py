"""The kernels as other processors would have them: every path, with other vectors.

Numba compiles for the processor that its environment variables name, as long as this one
understands the instructions. Each target is tried in a process of its own.
"""

import os
import platform
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("numba")

AVX2 = "+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+popcnt,+sse3,+ssse3,+sse4.1,+sse4.2"
TARGETS = {
    "SSE": {"NUMBA_CPU_NAME": "generic"},
    "AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2},
}

# Whole numbers are exact in any order of summation, Winograd's F(2x2, 3x3) included: halves and
# quarters of them are. F(4x4, 3x3) divides by 3, and is compared within its rounding.
CODE = """
import sys
import numpy as np
import convlab
from convlab.kernels.parallel.lanes import machine

print(machine().name, machine().vector_bytes, machine().registers)

rng = np.random.default_rng(0)
LAYERS = [
    # path forward, input, kernel, options
    ("direct", (2, 9, 8, 20), (3, 2, 20, 37), {"padding": "same", "strides": (2, 1)}),
    ("direct", (2, 12, 20, 2), (5, 5, 2, 19), {"dilation_rate": 2}),
    ("direct", (57, 6, 5, 8), (5, 5, 8, 20), {"padding": "same"}),
    ("direct", (1, 6, 6, 420), (5, 5, 420, 33), {"padding": "same"}),
    ("winograd2", (3, 15, 14, 48), (3, 3, 48, 70), {"padding": "same"}),
    ("channelwise", (2, 9, 11, 40), (3, 3, 1, 40), {"groups": 40, "padding": "same"}),
    ("channelwise", (2, 9, 11, 24), (3, 3, 2, 24), {"groups": 12, "strides": 2}),
    ("rowwise", (1, 20, 40, 3), (5, 5, 1, 3), {"groups": 3, "padding": "same"}),
    ("rowwise", (1, 20, 70, 1), (7, 7, 1, 1), {}),
]
for path, input_shape, kernel_shape, options in LAYERS:
    geometry = convlab.Geometry.conv2d(input_shape, kernel_shape, **options)
    planned = convlab.plan(geometry).algorithm
    assert planned == path, (planned, path, geometry)
    for dtype in ("float32", "float64", "int64") if geometry.width == 8 else ("float32",):
        x, kernel, bias, dy = (
            rng.integers(-4, 5, shape).astype(dtype)
            for shape in (input_shape, kernel_shape, kernel_shape[3:], geometry.output_shape)
        )
        for operation, arguments in (
            ("conv2d", (x, kernel, bias)),
            ("conv2d_input_gradient", (dy, kernel, input_shape)),
            ("conv2d_kernel_gradient", (x, dy, kernel_shape)),
        ):
            function = getattr(convlab, operation)
            got = function(*arguments, implementation="parallel", **options)
            wanted = function(*arguments, implementation="vectorized", **options)
            assert got.dtype == wanted.dtype
            np.testing.assert_array_equal(got, wanted, f"{path} {operation} {dtype}")

x, kernel = rng.standard_normal((2, 17, 9, 20)), rng.standard_normal((3, 3, 20, 37))
for algorithm in ("winograd2", "winograd4"):
    got = convlab.conv2d(x, kernel, algorithm=algorithm)
    np.testing.assert_allclose(got, convlab.conv2d(x, kernel, implementation="vectorized"),
                               rtol=0, atol=1e-11)
for dtype in ("float32",):
    x = rng.integers(-4, 5, (2, 11, 10, 21)).astype(dtype)
    for pool_size, strides in ((2, None), (3, 2)):
        for name in ("max_pool2d", "average_pool2d"):
            both = [getattr(convlab, name)(x, pool_size, strides=strides, implementation=i)
                    for i in ("parallel", "vectorized")]
            np.testing.assert_allclose(*both, rtol=1e-6)
            dy = rng.integers(-4, 5, both[0].shape).astype(dtype)
            first = (x, dy) if name == "max_pool2d" else (dy, x.shape)
            both = [getattr(convlab, name + "_gradient")(*first, pool_size, strides=strides,
                                                         implementation=i)
                    for i in ("parallel", "vectorized")]
            np.testing.assert_allclose(*both, rtol=1e-6, atol=1e-6)
print("all right")
"""


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="these targets are x86-64"
)
@pytest.mark.parametrize("target", TARGETS)
def test_every_path_is_right_for_other_processors(target, tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **TARGETS[target]}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CODE)],
        capture_output=True, text=True, timeout=900, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    sizes = {"SSE": "SSE 16 16", "AVX2": "AVX2 32 16"}
    assert first == sizes[target]
    assert last == "all right"
