"""Where PyTorch is installed: its numbers, for outputs and for gradients by autograd."""

import numpy as np
import pytest

from cases import CONVOLUTIONS, IMPLEMENTATIONS, Layer, floats, grid
from test_kernels import CLASSES, SPECIAL, terms

torch = pytest.importorskip("torch")


def torch_results(layer, arrays):
    """Output and both gradients, by autograd; PyTorch's own layouts on the way."""
    x, kernel, bias, dy = arrays
    image = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    weight = torch.tensor(kernel.transpose(3, 2, 0, 1).copy(), requires_grad=True)
    output = torch.nn.functional.conv2d(
        image, weight, torch.tensor(bias), stride=layer.strides,
        dilation=layer.dilation_rate, groups=layer.groups,
    )  # fmt: skip
    output.backward(torch.tensor(dy.transpose(0, 3, 1, 2).copy()))
    return {
        "conv2d": output.detach().numpy().transpose(0, 2, 3, 1),
        "conv2d_input_gradient": image.grad.numpy().transpose(0, 2, 3, 1),
        "conv2d_kernel_gradient": weight.grad.numpy().transpose(2, 3, 1, 0),
    }


@grid(
    implementation=IMPLEMENTATIONS, operation=CONVOLUTIONS, dtype=("float32", "float64"),
    layer=CLASSES + SPECIAL,
)  # fmt: skip
def test_convolution_and_gradients_agree_with_torch(layer, dtype, operation, implementation):
    arrays = [a.astype(dtype) for a in layer.arrays(floats)]
    result = layer.run(operation, arrays, implementation)
    error = np.abs(result - torch_results(layer, arrays)[operation])
    sizes = layer.expect(operation, [np.abs(a) for a in arrays])
    assert (error <= 4 * (terms(layer, operation) + 1) * np.finfo(dtype).eps * sizes).all()


@grid(implementation=IMPLEMENTATIONS, pool_size=[(2, 2), (3, 2)], strides=[(2, 2), (1, 3)])
def test_max_pooling_and_its_gradient_agree_with_torch(pool_size, strides, implementation):
    """Ties and NaN included."""
    layer = Layer("pool", (2, 7, 8, 3), pool_size, strides=strides)
    x, _, _, dy = layer.arrays(lambda rng, shape: rng.integers(-2, 3, shape).astype(np.float64))
    x[0, 3, 4, 1] = np.nan
    image = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    output = torch.nn.functional.max_pool2d(image, pool_size, strides)
    output.backward(torch.tensor(dy.transpose(0, 3, 1, 2).copy()))
    ours = layer.run("max_pool2d", [x, x, x, dy], implementation)
    np.testing.assert_array_equal(ours, output.detach().numpy().transpose(0, 2, 3, 1))
    gradient = layer.run("max_pool2d_gradient", [x, x, x, dy], implementation)
    np.testing.assert_array_equal(gradient, image.grad.numpy().transpose(0, 2, 3, 1))
