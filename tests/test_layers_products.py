"""A dense layer's products, and what follows a convolution: compiled, they say the same."""

import numpy as np
import pytest

from convlab import use_implementation
from convlab.activations import relu
from convlab.kernels import available_implementations
from convlab.layers import products

DTYPES = ("float32", "float64")
SIZES = [(7, 33, 50), (128, 1000, 10), (1, 300, 40), (64, 5, 1), (3, 0, 4), (0, 5, 6)]
needs_parallel = pytest.mark.skipif(
    "parallel" not in available_implementations(), reason="Numba is not here"
)


def integers(rng, *shape, dtype):
    return rng.integers(-8, 9, shape).astype(dtype)


@needs_parallel
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "inputs", "units"), SIZES)
def test_products_are_exact_whoever_computes(rows, inputs, units, dtype):
    rng = np.random.default_rng(1)
    x = integers(rng, rows, inputs, dtype=dtype)
    kernel = integers(rng, inputs, units, dtype=dtype)
    gradient = integers(rng, rows, units, dtype=dtype)
    for name in ("vectorized", "parallel"):
        with use_implementation(name):
            for found, exact in [
                (products.product(x, kernel), x @ kernel),
                (products.to_rows(gradient, kernel), gradient @ kernel.T),
                (products.to_kernel(x, gradient), x.T @ gradient),
            ]:
                assert found.dtype == exact.dtype
                np.testing.assert_array_equal(found, exact)


@needs_parallel
def test_the_compiled_kernels_multiply_where_they_are_chosen(monkeypatch):
    calls = []
    monkeypatch.setattr(products, "conv2d", lambda *a: calls.append(a) or np.zeros((1, 1, 2, 3)))
    x, kernel = np.ones((2, 4), np.float32), np.ones((4, 3), np.float32)
    for name, count in (("naive", 0), ("vectorized", 0), ("auto", 0), ("parallel", 1)):
        with use_implementation(name):
            products.product(x, kernel)
        assert len(calls) == count, name
    products.product(x.astype(np.float16), kernel.astype(np.float16))
    assert len(calls) == 1


@needs_parallel
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (3, 5, 7), (70_001,), (0, 4)])
def test_relu_is_told_apart_number_by_number(shape, dtype):
    rng = np.random.default_rng(2)
    x = rng.normal(size=shape).astype(dtype)
    gradient = rng.normal(size=shape).astype(dtype)
    gradient.flat[:3] = np.nan, np.inf, -np.inf
    x.flat[:4] = 0, 0, 1, -0.0
    output = relu(x)
    with use_implementation("vectorized"):
        expected = relu.gradient(gradient, x, output)
    with use_implementation("parallel"):
        found = relu.gradient(gradient, x, output)
        turned = relu.gradient(gradient.T, x.T, output.T)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
    np.testing.assert_array_equal(turned, expected.T)
