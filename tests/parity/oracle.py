"""Keras on jax, on the CPU: how it is loaded, and how gradients are asked of it."""

import contextlib
import importlib
import os
import tempfile

import numpy as np
import pytest

# Compiling takes longer than computing here: let XLA spend less on it.
ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_X64": "1",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
}


def load():
    """Import Keras with jax. Without it, tests are skipped here and fail in CI."""
    try:
        with tempfile.TemporaryDirectory() as home, environment(KERAS_HOME=home, **ENVIRONMENT):
            keras = importlib.import_module("keras")
            importlib.import_module("jax").devices()  # the flags are read here
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip('Keras is not installed: pip install ".[parity]"')
    assert keras.config.backend() == "jax"
    _keep_float64()
    return keras


def _keep_float64():
    """Let Keras compute in float64 where it is asked to: it halves tanh and others by default."""
    dtypes = importlib.import_module("keras.src.backend.common.dtypes")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


@contextlib.contextmanager
def environment(**variables):
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def value_and_gradient(function, upstream, *arrays):
    """What a jax function gives, and the gradients with respect to each (tree of) arrays."""
    import jax

    def both(arrays, upstream):
        value, back = jax.vjp(function, *arrays)
        return value, back(upstream)

    return jax.tree.map(np.asarray, jax.jit(both)(arrays, upstream))


def gradient(function, *arrays):
    """The gradients of a number with respect to each (tree of) arrays."""
    import jax

    wanted = tuple(range(len(arrays)))
    return jax.tree.map(np.asarray, jax.jit(jax.grad(function, wanted))(*arrays))
