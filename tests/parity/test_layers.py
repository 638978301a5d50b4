"""The layers around the convolution: outputs and gradients, in training and after it."""

import numpy as np
import pytest

from parity import sides
from parity.passes import Case, assert_same_passes

STILL = "kernel_initializer=nothing, bias_initializer=nothing, dtype='float64'"
BOTH_FORMATS = ("channels_last", "channels_first")


def case(layer, shape, dtype="float64"):
    """A case whose name is the expression itself."""
    if "dtype" not in layer:
        separator = "" if layer.endswith("(") else ", "
        layer = f"{layer}{separator}dtype='{dtype}')"
    return Case(f"{layer[7:]} {shape}".replace(STILL, "..."), layer, shape, dtype)


def images(data_format, height=7, width=6, channels=3):
    """The shape of two images."""
    size = (height, width, channels)
    return (2, *size) if data_format == "channels_last" else (2, channels, height, width)


POOLING = [
    case(f"layers.{kind}Pooling2D({arguments}, data_format='{data_format}'", images(data_format))
    for kind in ("Max", "Average")
    for data_format in BOTH_FORMATS
    for arguments in (
        "2", "(2, 3)", "3, strides=1", "3, strides=2", "(3, 2), strides=(1, 3)", "2, strides=3",
        "2, padding='same'", "3, strides=2, padding='same'", "(4, 1), padding='same'",
        "3, strides=1, padding='same'", "(7, 6)",
    )
]  # fmt: skip
GLOBAL = [
    case(f"layers.Global{kind}Pooling2D(keepdims={keepdims}, data_format='{data_format}'",
         images(data_format))
    for kind in ("Average", "Max") for data_format in BOTH_FORMATS for keepdims in (False, True)
]  # fmt: skip
DENSE = [
    case(f"layers.Dense(4, {arguments}{STILL})", shape)
    for arguments, shape in [
        ("", (3, 5)), ("activation='relu', ", (3, 5)), ("use_bias=False, ", (3, 5)),
        ("activation='softmax', ", (3, 5)), ("", (2, 3, 5)), ("", (2, 3, 4, 5)),
    ]
]  # fmt: skip
RESHAPING = [
    case(f"layers.Flatten(data_format='{data_format}'", shape)
    for data_format in BOTH_FORMATS for shape in [(2, 3, 4, 5), (2, 3), (2, 3, 4), (3,)]
]  # fmt: skip
POINTWISE = [
    case(f"layers.Activation('{name}'", (3, 4))
    for name in ("relu", "softmax", "tanh", "linear", "gelu")
]
MERGING = [
    case("layers.Add(", [(2, 3, 4)] * 2), case("layers.Add(", [(2, 3)] * 3),
    case("layers.Add(", [(2, 3, 4), (2, 1, 4)]), case("layers.Add(", [(2, 3, 4), (2, 3, 1)]),
    case("layers.Concatenate(", [(2, 3, 4), (2, 3, 2)]),
    case("layers.Concatenate(axis=1", [(2, 3, 4), (2, 1, 4), (2, 2, 4)]),
    case("layers.Concatenate(axis=-2", [(2, 3, 4), (2, 1, 4)]),
]  # fmt: skip
NORMALIZING = [
    case(f"layers.BatchNormalization({arguments}", shape)
    for arguments, shape in [
        ("", (6, 4)), ("", (3, 4, 5, 2)), ("axis=1", (3, 2, 4, 5)), ("momentum=0.5", (6, 4)),
        ("epsilon=0.1", (6, 4)), ("center=False", (6, 4)), ("scale=False", (6, 4)),
        ("center=False, scale=False", (6, 4)), ("trainable=False", (6, 4)),
        ("axis=-2", (3, 2, 4)),
    ]
]  # fmt: skip
DEPTHWISE = [
    case(f"layers.DepthwiseConv2D({arguments}, data_format='{data_format}', "
         "depthwise_initializer=nothing, bias_initializer=nothing", images(data_format))
    for data_format in BOTH_FORMATS
    for arguments in (
        "3", "(2, 4)", "2, padding='same'", "3, strides=2", "2, strides=3, padding='same'",
        "3, depth_multiplier=2", "(3, 2), depth_multiplier=3, activation='relu'",
        "2, dilation_rate=2", "3, dilation_rate=2, padding='same'", "3, use_bias=False",
    )
]  # fmt: skip
STILL_CASES = POOLING + GLOBAL + DENSE + RESHAPING + POINTWISE + MERGING + NORMALIZING + DEPTHWISE


@pytest.mark.parametrize("case", STILL_CASES, ids=str)
def test_outputs_and_gradients_are_those_of_keras(case):
    assert_same_passes(case)


@pytest.mark.parametrize("case", NORMALIZING, ids=str)
def test_training_normalizes_and_moves_the_statistics_as_keras_does(case):
    assert_same_passes(case, training=True)


@pytest.mark.parametrize("case", STILL_CASES, ids=str)
def test_shapes_are_computed_alike(case):
    theirs, ours = (layer.compute_output_shape(case.shape) for layer in sides.both(case.layer))
    assert ours == theirs


@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_ties_and_negative_numbers_are_pooled_alike(kind):
    """Small whole numbers: many windows hold their maximum twice."""
    layer = f"layers.{kind}Pooling2D(3, strides=1, padding='same', dtype='float64')"

    class Ties(Case):
        def numbers(self, shape, what):
            return np.round(super().numbers(shape, what)) - (what == "input 0")

    assert_same_passes(Ties("ties", layer, (2, 6, 7, 3)))


@pytest.mark.parametrize("arguments", ["0.3", "0.5, noise_shape=(None, 1, 6)", "0.0", "0.9"])
def test_dropout_drops_and_scales_alike_on_average(arguments):
    x = np.ones((4000, 5, 6), "float32")
    for layer in sides.both(f"layers.Dropout({arguments}, seed=3)"):
        kept = np.asarray(layer(x, training=True))
        rate = float(arguments.split(",")[0])
        assert abs(np.mean(kept == 0) - rate) < 0.02
        np.testing.assert_allclose(kept[kept != 0], 1 / (1 - rate), rtol=1e-6)
        if "noise" in arguments:
            assert (kept == kept[:, :1]).all()
        assert (np.asarray(layer(x)) == x).all()
