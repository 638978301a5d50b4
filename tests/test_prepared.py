"""Prepared kernels: the same answers, and never those of a kernel that is gone."""

import numpy as np
import pytest

import convlab
from convlab import Geometry, Sequential, conv2d, layers, prepare
from convlab.prepared import PreparedKernel

pytest.importorskip("numba")

LAYERS = {
    "direct": ((2, 9, 8, 20), (5, 3, 20, 33), {"padding": "same"}),
    "strided": ((2, 9, 8, 20), (3, 3, 20, 33), {"strides": 2}),
    "winograd": ((2, 12, 12, 64), (3, 3, 64, 48), {"padding": "same"}),
    "depthwise": ((2, 9, 8, 20), (3, 3, 1, 20), {"groups": 20}),
    "grouped": ((2, 9, 8, 20), (3, 3, 5, 20), {"groups": 4}),
}


def arrays(input_shape, kernel_shape, dtype=np.float32):
    rng = np.random.default_rng(3)
    return (rng.standard_normal(shape).astype(dtype) for shape in (input_shape, kernel_shape))


@pytest.mark.parametrize("implementation", convlab.available_implementations())
@pytest.mark.parametrize("name", LAYERS)
def test_a_prepared_kernel_gives_the_same_bits(name, implementation):
    input_shape, kernel_shape, options = LAYERS[name]
    x, kernel = arrays(input_shape, kernel_shape)
    ready = prepare(kernel, Geometry.conv2d(input_shape, kernel_shape, **options))
    options = {**options, "implementation": implementation}
    np.testing.assert_array_equal(conv2d(x, ready, **options), conv2d(x, kernel, **options))


@pytest.mark.parametrize("algorithm", ["direct", "winograd2", "winograd4"])
def test_one_prepared_kernel_serves_every_algorithm_size_and_dtype(algorithm):
    input_shape, kernel_shape, options = LAYERS["winograd"]
    x, kernel = arrays(input_shape, kernel_shape)
    ready = prepare(kernel, Geometry.conv2d(input_shape, kernel_shape, **options))
    options = {**options, "algorithm": algorithm, "implementation": "parallel"}
    for image in (x, x[:1, :5, :7], np.tile(x, (9, 1, 1, 1)), x.astype(np.float64)):
        np.testing.assert_array_equal(
            conv2d(image, ready, **options), conv2d(image, kernel, **options)
        )


def test_weights_are_laid_out_once_for_a_layer(monkeypatch):
    from convlab.kernels.parallel import convolution

    laid_out = []
    real = convolution.prepare_weights
    monkeypatch.setattr(
        convolution, "prepare_weights", lambda *a: (laid_out.append(1), real(*a))[1]
    )
    input_shape, kernel_shape, options = LAYERS["direct"]
    x, kernel = arrays(input_shape, kernel_shape)
    ready = prepare(kernel, Geometry.conv2d(input_shape, kernel_shape, **options))
    for _ in range(3):
        conv2d(x, ready, implementation="parallel", **options)
    assert laid_out == [1]
    assert ready.nbytes > kernel.nbytes


def test_a_prepared_kernel_is_a_copy():
    x, kernel = arrays((1, 5, 5, 2), (3, 3, 2, 4))
    ready, before = prepare(kernel, Geometry.conv2d(x.shape, kernel.shape)), conv2d(x, kernel)
    kernel[...] = 0
    np.testing.assert_array_equal(conv2d(x, ready), before)
    with pytest.raises(ValueError, match="read-only"):
        ready.kernel[...] = 0
    assert np.asarray(ready).shape == ready.shape == (3, 3, 2, 4)


def test_an_infinite_weight_is_noticed_in_a_prepared_kernel_too():
    x, kernel = np.ones((1, 4, 4, 1), np.float32), np.ones((3, 3, 1, 1), np.float32)
    kernel[0, 0] = np.inf
    ready = prepare(kernel, Geometry.conv2d(x.shape, kernel.shape, padding="same"))
    options = {"padding": "same", "implementation": "parallel"}
    np.testing.assert_array_equal(conv2d(x, ready, **options), conv2d(x, kernel, **options))
    assert np.isfinite(conv2d(x, ready, **options)[0, 0]).all()


def test_another_kernel_than_the_geometrys_is_refused():
    geometry = Geometry.conv2d((1, 5, 5, 2), (3, 3, 2, 4))
    with pytest.raises(ValueError, match=r"kernel shape \(3, 3, 2, 4\).*shape \(3, 3, 4, 2\)"):
        prepare(np.ones((3, 3, 4, 2)), geometry)
    with pytest.raises(ValueError, match="Winograd's algorithm needs"):
        prepare(np.ones((5, 5, 1, 1)), Geometry.conv2d((1, 9, 9, 1), (5, 5, 1, 1)),
                algorithm="winograd2")  # fmt: skip


# --- layers -----------------------------------------------------------------------------------


def network():
    convlab.utils.set_random_seed(0)
    model = Sequential(
        [
            layers.Input((12, 12, 64)),
            layers.Conv2D(48, 3, padding="same", activation="relu"),
            layers.DepthwiseConv2D(3, strides=2),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )
    model.compile("sgd", loss="mse")
    return model


def image(count=4):
    return np.random.default_rng(1).standard_normal((count, 12, 12, 64)).astype(np.float32)


def prepared_in(layer):
    return layer._ready._held[1]


def test_predict_prepares_the_kernel_when_it_meets_it_again():
    model, x = network(), image(6)
    conv, depthwise = model.layers[:2]
    model.predict(x, batch_size=6, verbose=0)
    assert prepared_in(conv) is None
    model.predict(x, batch_size=2, verbose=0)
    assert isinstance(prepared_in(conv), PreparedKernel)
    assert isinstance(prepared_in(depthwise), PreparedKernel)


def double(variable):
    variable.assign(2 * variable.numpy())


CHANGES = {
    "assign": lambda model: double(model.layers[0].kernel),
    "depthwise": lambda model: double(model.layers[1].kernel),
    "set_weights": lambda model: model.set_weights([2 * w for w in model.get_weights()]),
    "fit": lambda model: model.fit(image(), np.ones((4, 3), np.float32), epochs=1, verbose=0),
    "same_array_again": lambda model: (
        model.layers[0].kernel.take(
            2 * model.layers[0].kernel.take(np.zeros((3, 3, 64, 48), np.float32))
        )
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_kernel_is_noticed(change):
    """Against a second model, made with the weights as they are now."""
    model, x = network(), image()
    for _ in range(3):
        before = model.predict(x, verbose=0)
    assert prepared_in(model.layers[0]) is not None
    CHANGES[change](model)
    fresh = network()
    fresh.set_weights(model.get_weights())
    after = model.predict(x, verbose=0)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, fresh.predict(x, verbose=0))


def test_an_array_that_comes_back_with_other_numbers_is_noticed():
    """An optimizer swaps two arrays: the same object can hold a new kernel."""
    kernel = network().layers[0].kernel
    versions = {kernel.version}
    first = kernel.take(np.ones(kernel.shape, np.float32))
    first[...] = 5
    versions.add(kernel.version)
    kernel.take(first)
    versions.add(kernel.version)
    assert len(versions) == 3


def test_nobody_writes_into_a_kernel_behind_its_back():
    kernel = network().layers[0].kernel
    with pytest.raises(ValueError, match="read-only"):
        kernel.value[...] = 0
    with pytest.raises(ValueError, match="WRITEABLE"):
        kernel.value.flags.writeable = True


def test_training_prepares_nothing():
    model = network()
    model.fit(image(), np.ones((4, 3), np.float32), epochs=2, batch_size=2, verbose=0)
    assert prepared_in(model.layers[0]) is None
