"""The gradients, by what makes them gradients: the adjoint identity and central differences.

Upstream gradients are random: with all ones, a kernel turned upside down would not show.
"""

import numpy as np

from cases import CONVOLUTIONS, FAST, IMPLEMENTATIONS, Layer, floats, grid

LAYERS = [
    Layer("plain", (2, 5, 4, 3), (3, 3), 4),
    Layer("even-same", (2, 5, 4, 3), (2, 4), 4, padding="same"),
    Layer("strided-same", (2, 6, 7, 3), (3, 2), 4, strides=(2, 3), padding="same"),
    Layer("dilated-same", (1, 6, 5, 3), (2, 3), 2, dilation_rate=(3, 2), padding="same"),
    Layer("dilated-strided", (1, 8, 9, 2), (2, 3), 3, strides=(3, 2), dilation_rate=(2, 3)),
    Layer("grouped", (2, 4, 5, 6), (3, 2), 4, padding="same", groups=2),
    Layer("depthwise", (2, 5, 4, 3), (3, 3), 3, padding="same", groups=3),
    Layer("depthwise-two_filters", (1, 6, 5, 3), (2, 3), 6, strides=(2, 1), groups=3),
    Layer("channels_first", (2, 5, 4, 3), (3, 3), 4, data_format="channels_first"),
]


@grid(implementation=IMPLEMENTATIONS, layer=LAYERS)
def test_adjoint_identity(layer, implementation):
    """<conv(x, w), dy> = <x, input gradient> = <w, kernel gradient>."""
    arrays = x, kernel, _, dy = layer.arrays(floats)
    arrays[2] = np.zeros(layer.filters)
    y, dx, dw = (layer.run(operation, arrays, implementation) for operation in CONVOLUTIONS)
    products = [np.sum(y * dy), np.sum(x * dx), np.sum(kernel * dw)]
    size = np.sum(np.abs(layer.expect("conv2d", [np.abs(a) for a in arrays]) * dy))
    assert np.ptp(products) <= 1e-14 * size


LARGE = [
    Layer("3x3", (2, 30, 40, 24), (3, 3), 40, padding="same"),
    Layer("strided", (2, 31, 40, 24), (3, 3), 40, strides=(2, 2), padding="same"),
    Layer("grouped", (2, 30, 40, 24), (3, 3), 48, padding="same", groups=4),
    Layer("depthwise", (2, 60, 80, 24), (5, 5), 24, groups=24),
]


@grid(implementation=FAST, dtype=("float32", "float64"), layer=LARGE)
def test_adjoint_identity_at_full_size(layer, dtype, implementation):
    arrays = x, kernel, bias, dy = [a.astype(dtype) for a in layer.arrays(floats)]
    bias[...] = 0
    y, dx, dw = (layer.run(operation, arrays, implementation) for operation in CONVOLUTIONS)
    pairs = (y, dy), (x, dx), (kernel, dw)
    products = [np.sum(np.multiply(*pair, dtype=np.float64)) for pair in pairs]
    size = np.linalg.norm(y.ravel()) * np.linalg.norm(dy.ravel())
    assert np.ptp(products) <= 4 * np.finfo(dtype).eps * size


def central_differences(loss, place):
    """d loss / d place, entry by entry, by changing each a step up and a step down."""
    gradient = np.zeros_like(place)
    for index in np.ndindex(place.shape):
        before = place[index]
        place[index] = before + 0.5
        up = loss()
        place[index] = before - 0.5
        gradient[index] = up - loss()
        place[index] = before
    return gradient


@grid(
    implementation=FAST, layer=LAYERS,
    operation=("conv2d_input_gradient", "conv2d_kernel_gradient"),
)  # fmt: skip
def test_gradient_is_the_central_difference(layer, operation, implementation):
    """A convolution is linear in each argument: a difference of any step is exact."""
    arrays = x, kernel, _, dy = layer.arrays(floats)
    place = x if operation == "conv2d_input_gradient" else kernel
    numeric = central_differences(
        lambda: np.sum(layer.run("conv2d", arrays, implementation) * dy), place
    )
    exact = layer.run(operation, arrays, implementation)
    np.testing.assert_allclose(exact, numeric, rtol=0, atol=1e-10)


@grid(operation=("conv2d_input_gradient", "conv2d_kernel_gradient"))
def test_gradient_of_the_loops_is_the_central_difference(operation):
    layer = Layer("small", (1, 4, 3, 2), (2, 2), 2, strides=(2, 1), padding="same")
    test_gradient_is_the_central_difference(layer, operation, "naive")


POOLED = [
    Layer("plain", (2, 6, 5, 2), (2, 2), strides=(2, 2)),
    Layer("overlapping", (1, 6, 5, 2), (3, 2), strides=(1, 1), padding="same"),
    Layer("gaps", (1, 7, 8, 2), (2, 2), strides=(3, 4), padding="same"),
    Layer("channels_first", (2, 5, 4, 3), (3, 3), strides=(2, 2), data_format="channels_first"),
]


@grid(implementation=IMPLEMENTATIONS, operation=("max_pool2d", "average_pool2d"), layer=POOLED)
def test_pooling_gradient_is_the_central_difference(layer, operation, implementation):
    """Pixels stand two apart, so that a step of a half changes no winner."""
    arrays = x, _, _, dy = layer.arrays(floats)
    x[...] = 2 * np.random.default_rng(1).permutation(x.size).reshape(x.shape)
    numeric = central_differences(
        lambda: np.sum(layer.run(operation, arrays, implementation) * dy), x
    )
    exact = layer.run(f"{operation}_gradient", arrays, implementation)
    np.testing.assert_allclose(exact, numeric, rtol=0, atol=1e-10)
