"""Hundreds of convolution layers, drawn by seed: outputs and gradients are those of Keras."""

import numpy as np
import pytest

from parity import sides
from parity.closeness import assert_close
from parity.passes import Case, assert_same_passes

ACTIVATIONS = ("None", "'relu'", "'tanh'", "'sigmoid'", "'softmax'", "'gelu'", "'elu'", "'silu'")


def drawn(seed):
    """One layer that fits its image, and the image's shape."""
    rng = np.random.default_rng([3, seed])

    def pair(largest):
        return tuple(int(n) for n in rng.integers(1, largest, size=2, endpoint=True))

    kernel_size, groups = pair(5), int(rng.choice([1, 1, 2, 3]))
    steps = {"strides": pair(3)} if rng.random() < 0.6 else {"dilation_rate": pair(3)}
    padding = str(rng.choice(["valid", "same"]))
    data_format = str(rng.choice(["channels_last", "channels_first"]))
    channels, filters = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    size = [
        int(rng.integers(1, 4)) + (k - 1) * d + 1
        for k, d in zip(kernel_size, steps.get("dilation_rate", (1, 1)), strict=True)
    ]
    if padding == "same" and rng.random() < 0.5:
        size = [int(rng.integers(1, 6)) for _ in size]
    activation, use_bias = str(rng.choice(ACTIVATIONS)), bool(rng.random() < 0.8)
    image = [*size, channels] if data_format == "channels_last" else [channels, *size]
    # A softmax in float32 leaves gradients too small to compare.
    dtype = "float64" if rng.random() < 0.8 or "softmax" in activation else "float32"
    arguments = {
        "filters": filters, "kernel_size": kernel_size, "padding": repr(padding),
        "data_format": repr(data_format), **steps, "groups": groups,
        "activation": activation, "use_bias": use_bias, "dtype": repr(dtype),
        "kernel_initializer": "nothing", "bias_initializer": "nothing",
    }  # fmt: skip
    text = ", ".join(f"{name}={value}" for name, value in arguments.items())
    step_name, step = next(iter(steps.items()))
    name = "-".join(
        [f"{seed:03}", f"k{kernel_size}", f"{step_name[0]}{step}", padding, data_format[9:],
         f"g{groups}", activation.strip("'"), "bias" if use_bias else "bare", dtype]
    )  # fmt: skip
    return Case(name.replace(" ", ""), f"layers.Conv2D({text})", (2, *image), dtype)


CASES = [drawn(seed) for seed in range(200)]


@pytest.mark.filterwarnings("ignore:.*softmax over")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_and_gradients_are_those_of_keras(case):
    assert_same_passes(case)


@pytest.mark.parametrize("case", CASES[:60], ids=str)
def test_shapes_are_computed_alike_before_anything_is_built(case):
    shapes = case.shape, (None, *case.shape[1:])
    for shape in shapes:
        theirs, ours = (layer.compute_output_shape(shape) for layer in sides.both(case.layer))
        assert ours == theirs


def test_cases_cover_what_the_layer_can_be():
    """All kinds appear, even sizes of kernels too: the claim that they must be odd is false."""
    text = " ".join(case.layer for case in CASES)
    for piece in ("kernel_size=(2, 4)", "'same'", "'valid'", "_first'", "_last'", "groups=3",
                  "strides=(3, 1)", "dilation_rate=(2, 3)", "use_bias=False", "'float32'",
                  *(f"activation={name}" for name in ACTIVATIONS)):  # fmt: skip
        assert piece in text


@pytest.mark.parametrize("policy", ["float16", "mixed_float16"])
def test_half_precision_is_as_near_as_its_digits(policy):
    case = Case("half", f"layers.Conv2D(4, 3, padding='same', activation='relu', dtype='{policy}')",
                (2, 5, 6, 3), "float32")  # fmt: skip
    theirs, ours = case.both()
    inputs = case.inputs()
    assert [v.dtype for v in ours.weights] == [v.dtype for v in theirs.weights]
    assert_close(ours(inputs), np.asarray(theirs(inputs)))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", "bool"])
def test_inputs_of_any_dtype_are_cast_to_that_of_the_layer(dtype):
    theirs, ours = sides.both("layers.Conv2D(4, 3, kernel_initializer='ones')")
    x = (10 * sides.image(1, 5, 6, 2)).clip(0).astype(dtype)
    assert_close(ours(x), np.asarray(theirs(x)))
