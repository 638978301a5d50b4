"""The layers around the convolution: gradients, shapes, configs and refusals."""

import inspect
import json
import re
import warnings

import numpy as np
import pytest

from convlab import config, layers
from convlab.layers import (
    ELU,
    Activation,
    Add,
    Average,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    Input,
    InputLayer,
    Layer,
    LeakyReLU,
    MaxPooling2D,
    Multiply,
    PReLU,
    ReLU,
    Softmax,
    Subtract,
)
from layerchecks import arrays_for, as_list, assert_gradients, built, given, passes

FORMATS = ("channels_last", "channels_first")
LAST, FIRST = (2, 5, 4, 3), (2, 3, 5, 4)
IMAGE = {"channels_last": LAST, "channels_first": FIRST}


def image_layers():
    """Layers that know a data format, in both."""
    for order in FORMATS:
        for padding in ("valid", "same"):
            for name, layer in {
                "max": lambda **o: MaxPooling2D((2, 3), (1, 2), **o),
                "average": lambda **o: AveragePooling2D((3, 2), (2, 1), **o),
                "conv": lambda **o: Conv2D(4, (3, 2), (2, 1), activation="tanh", **o),
                "dilated conv": lambda **o: Conv2D(4, (2, 3), dilation_rate=(3, 1), **o),
                "grouped conv": lambda **o: Conv2D(6, 2, groups=3, activation="relu", **o),
                "conv, no bias": lambda **o: Conv2D(2, 3, use_bias=False, **o),
                "depthwise": lambda **o: DepthwiseConv2D(2, depth_multiplier=2, **o),
                "depthwise, strides and dilation": lambda **o: DepthwiseConv2D(
                    2, strides=2, dilation_rate=(1, 2), activation="sigmoid", **o
                ),
            }.items():
                options = {"padding": padding, "data_format": order, "dtype": "float64"}
                yield (
                    f"{name} {padding} {order}",
                    (lambda f=layer, o=options: f(**o)),
                    [IMAGE[order]],
                )
        for kind in (GlobalAveragePooling2D, GlobalMaxPooling2D):
            for keepdims in (False, True):
                yield (
                    f"{kind.__name__} {keepdims} {order}",
                    lambda k=kind, d=keepdims, o=order: k(o, d, dtype="float64"),
                    [IMAGE[order]],
                )
        yield f"flatten {order}", lambda o=order: Flatten(o, dtype="float64"), [IMAGE[order]]


OTHER_LAYERS = {
    "dense": (lambda **o: Dense(3, **o), [(2, 4)]),
    "dense, softmax": (lambda **o: Dense(3, "softmax", **o), [(2, 4)]),
    "dense, relu": (lambda **o: Dense(3, "relu", **o), [(5, 4)]),
    "dense, no bias": (lambda **o: Dense(3, use_bias=False, **o), [(2, 4)]),
    "dense on images": (lambda **o: Dense(3, "gelu", **o), [LAST]),
    "activation": (lambda **o: Activation("tanh", **o), [(2, 4)]),
    "relu": (lambda **o: ReLU(**o), [LAST]),
    "relu with all": (lambda **o: ReLU(1.0, 0.3, 0.4, **o), [LAST]),
    "leaky relu": (lambda **o: LeakyReLU(**o), [LAST]),
    "elu": (lambda **o: ELU(0.7, **o), [LAST]),
    "softmax": (lambda **o: Softmax(**o), [LAST]),
    "softmax over channels_first": (lambda **o: Softmax(1, **o), [FIRST]),
    "softmax over two axes": (lambda **o: Softmax((1, 2), **o), [LAST]),
    "prelu": (lambda **o: PReLU(**o), [LAST]),
    "prelu per channel": (lambda **o: PReLU(shared_axes=[1, 2], **o), [LAST]),
    "dropout": (lambda **o: Dropout(0.4, seed=1, **o), [LAST]),
    "dropout of channels": (lambda **o: Dropout(0.4, (None, 1, 1, None), 1, **o), [LAST]),
    "normalization": (lambda **o: BatchNormalization(**o), [LAST]),
    "normalization of channels_first": (lambda **o: BatchNormalization(1, **o), [FIRST]),
    "normalization of rows": (lambda **o: BatchNormalization(epsilon=0.1, **o), [(5, 3)]),
    "normalization alone": (
        lambda **o: BatchNormalization(center=False, scale=False, **o), [LAST],
    ),
    "normalization, centred": (lambda **o: BatchNormalization(scale=False, **o), [LAST]),
    "normalization, frozen": (lambda **o: BatchNormalization(trainable=False, **o), [LAST]),
    "add": (lambda **o: Add(**o), [LAST, LAST, LAST]),
    "add, broadcast": (lambda **o: Add(**o), [LAST, (2, 1, 4, 1), (2, 3)]),
    "average": (lambda **o: Average(**o), [LAST, (2, 1, 1, 3), LAST]),
    "subtract": (lambda **o: Subtract(**o), [(2, 3), LAST]),
    "multiply": (lambda **o: Multiply(**o), [LAST, (2, 5, 1, 1), LAST]),
    "concatenate": (lambda **o: Concatenate(**o), [LAST, (2, 5, 4, 1), LAST]),
    "concatenate rows": (lambda **o: Concatenate(1, **o), [LAST, (2, 2, 4, 3)]),
}  # fmt: skip

CASES = {name: (make, shapes) for name, make, shapes in image_layers()} | {
    name: ((lambda f=make: f(dtype="float64")), shapes)
    for name, (make, shapes) in OTHER_LAYERS.items()
}
every = pytest.mark.parametrize("case", CASES)
both_modes = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])


@both_modes
@every
def test_gradients_equal_differences(case, training):
    make, shapes = CASES[case]
    assert_gradients(make(), shapes, training, case)


@both_modes
@every
def test_backward_goes_with_its_own_forward_in_any_order(case, training):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    inputs = [arrays_for(f"{case}{i}", shapes) for i in range(2)]
    calls = [layer.run(given(arrays), training) for arrays in inputs]
    upstream = arrays_for("upstream", [output.shape for output, _ in calls])
    there = [layer.backward(g, cache) for g, (_, cache) in zip(upstream, calls, strict=True)]
    back = [layer.backward(g, call[1]) for g, call in zip(upstream[::-1], calls[::-1], strict=True)]
    for (dx, dw), (again_dx, again_dw) in zip(there, back[::-1], strict=True):
        for one, other in zip([*as_list(dx), *dw], [*as_list(again_dx), *again_dw], strict=True):
            np.testing.assert_array_equal(one, other)


@every
def test_backward_leaves_inputs_and_upstream_gradient_as_they_were(case):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    inputs = arrays_for(case, shapes)
    for array in inputs:
        array.flags.writeable = False
    output, cache = layer.run(given(inputs), True)
    upstream = np.ones_like(output)
    upstream.flags.writeable = False
    layer.backward(upstream, cache)


@every
def test_output_shape_is_known_before_and_equals_that_of_the_output(case):
    make, shapes = CASES[case]
    unknown = given([(None, *shape[1:]) for shape in shapes])
    expected = make()(given(arrays_for(case, shapes))).shape
    assert make().compute_output_shape(unknown) == (None, *expected[1:])
    symbolic = given([Input(shape[1:]) for shape in shapes])
    assert make()(symbolic).shape == (None, *expected[1:])


@every
def test_input_gradient_is_none_where_it_is_not_wanted(case):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    output, cache = layer.run(given(arrays_for(case, shapes)), True)
    to_input, to_weights = layer.backward(output, cache, input_gradient=False)
    assert to_input is None
    wanted = layer.backward(output, cache)[1]
    for one, other in zip(to_weights, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@every
def test_frozen_layer_returns_no_gradients_of_weights(case):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    layer.trainable = False
    output, cache = layer.run(given(arrays_for(case, shapes)), True)
    to_input, to_weights = layer.backward(output, cache)
    assert to_weights == []
    assert [array.shape for array in as_list(to_input)] == [tuple(shape) for shape in shapes]


TWO_WEIGHTS = [
    name for name, (make, shapes) in CASES.items()
    if len(built(make(), shapes).trainable_variables) == 2
]  # fmt: skip


@pytest.mark.parametrize("case", TWO_WEIGHTS)
def test_frozen_bias_leaves_the_kernels_gradient(case):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    output, cache = layer.run(given(arrays_for(case, shapes)), True)
    whole = layer.backward(output, cache)[1]
    layer.trainable_variables[1].trainable = False
    (kernel,) = layer.backward(output, cache)[1]
    np.testing.assert_array_equal(kernel, whole[0])


@every
def test_empty_batch_passes_there_and_back(case):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    before = layer.get_weights()
    output = layer(given([np.zeros((0, *shape[1:])) for shape in shapes]), training=True)
    assert output.shape[0] == 0
    output, cache = layer.run(given([np.zeros((0, *shape[1:])) for shape in shapes]), True)
    to_input, to_weights = layer.backward(output, cache)
    assert [a.shape for a in as_list(to_input)] == [(0, *shape[1:]) for shape in shapes]
    assert all(np.isfinite(gradient).all() for gradient in to_weights)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "mixed_float16"])
@every
def test_dtype_of_output_and_gradient_is_the_layers(case, dtype):
    make, shapes = CASES[case]
    rebuilt = {**make().get_config(), "dtype": dtype}
    layer = built(type(make()).from_config(rebuilt), shapes)
    inputs = arrays_for(case, shapes)
    output = layer(given(inputs), training=True)
    assert output.dtype == layer.compute_dtype
    output, cache = layer.run(given(inputs), True)
    to_input, _ = layer.backward(output, cache)
    assert {array.dtype.name for array in as_list(to_input)} == {layer.compute_dtype}
    assert {variable.dtype for variable in layer.weights} <= {layer.dtype}


@every
def test_layer_comes_back_from_its_config_as_json(case):
    make, _ = CASES[case]
    layer = make()
    written = json.loads(json.dumps(layers.serialize(layer)))
    again = layers.deserialize(written)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert written["module"] == "keras.layers"
    assert written["registered_name"] is None


@every
def test_integers_are_cast_to_the_layers_dtype(case):
    make, shapes = CASES[case]
    layer = built(make(), shapes)
    ints = [np.ones(shape, np.int32) for shape in shapes]
    floats = [np.ones(shape) for shape in shapes]
    np.testing.assert_array_equal(layer(given(ints)), layer(given(floats)))


SINGLE = {name: case for name, case in CASES.items() if len(case[1]) == 1}


@pytest.mark.parametrize("case", SINGLE)
def test_list_of_inputs_is_refused_by_layers_of_one_input(case):
    make, (shape,) = SINGLE[case]
    with pytest.raises(ValueError, match=r"expects 1 input.*Received: a list of 2, of shapes"):
        make()([np.ones(shape), np.ones(shape)])


# --- what single layers compute ---------------------------------------------------------------


@pytest.mark.parametrize("order", FORMATS)
def test_padding_never_wins_a_maximum(order):
    x = np.full(IMAGE[order], -5.0)
    assert (MaxPooling2D(3, 1, "same", order)(x) == -5).all()


@pytest.mark.parametrize("order", FORMATS)
def test_padding_does_not_count_in_a_mean(order):
    assert (AveragePooling2D(3, 1, "same", order)(np.ones(IMAGE[order])) == 1).all()


def test_strides_of_a_pooling_are_its_size_where_none_are_given():
    assert MaxPooling2D((2, 3)).strides == (2, 3)


def test_first_of_equal_pixels_gets_the_gradient_of_a_window():
    layer = MaxPooling2D()
    output, cache = layer.run(np.ones((1, 2, 2, 1), np.float32), False)
    assert layer.backward(output, cache)[0].ravel().tolist() == [1, 0, 0, 0]


def test_equal_pixels_share_the_gradient_of_a_whole_map():
    layer = GlobalMaxPooling2D()
    output, cache = layer.run(np.ones((1, 2, 2, 1), np.float32), False)
    assert layer.backward(output, cache)[0].ravel().tolist() == [0.25] * 4


def test_mean_of_an_image_without_pixels_is_nan_and_its_maximum_is_refused():
    nothing = np.zeros((1, 0, 2, 2))
    assert np.isnan(GlobalAveragePooling2D()(nothing)).all()
    with pytest.raises(ValueError, match=r"no largest value.*\(1, 0, 2, 2\)"):
        GlobalMaxPooling2D()(nothing)


def test_mean_of_a_large_map_is_exact_to_float32():
    x = np.random.default_rng(0).random((1, 600, 500, 2)).astype(np.float32) + 100
    expected = x.mean(axis=(1, 2), dtype=np.float64)
    np.testing.assert_allclose(GlobalAveragePooling2D()(x), expected, rtol=1e-6)
    first = np.moveaxis(x, -1, 1)
    np.testing.assert_allclose(GlobalAveragePooling2D("channels_first")(first), expected, rtol=1e-6)


def test_float16_means_are_summed_in_float32():
    assert GlobalAveragePooling2D(dtype="float16")(np.full((1, 300, 300, 1), 2.0)) == 2


def test_flatten_gives_the_same_row_for_both_data_formats():
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    rows = Flatten("channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(rows, Flatten()(x))


def test_flatten_gives_single_numbers_an_axis_and_leaves_rows():
    assert Flatten()(np.ones(3)).shape == (3, 1)
    assert Flatten("channels_first")(np.ones((3, 4))).shape == (3, 4)
    assert Flatten().compute_output_shape((None, None, 3)) == (None, None)


def test_dense_on_more_axes_is_dense_on_each_row():
    layer = built(Dense(3, dtype="float64"), [(2, 4)])
    (x,) = arrays_for("dense", [(2, 5, 4)])
    np.testing.assert_allclose(layer(x)[:, 1], layer(x[:, 1]))


def test_relu_inside_a_layer_does_not_touch_its_input():
    layer = built(Dense(4, "relu", use_bias=False, kernel_initializer="identity"), [(2, 4)])
    x = -np.ones((2, 4), np.float32)
    layer(x)
    assert (x == -1).all()


def test_softmax_of_a_layer_runs_over_the_last_axis_even_of_channels_first():
    output = Conv2D(4, 1, data_format="channels_first", activation="softmax")(np.ones(FIRST))
    np.testing.assert_allclose(output.sum(axis=-1), 1, rtol=1e-6)


def test_activation_layer_may_be_another_layers_activation():
    bent = Dense(3, LeakyReLU(0.5, dtype="float64"), dtype="float64")
    assert_gradients(bent, [(2, 4)], name="leaky")
    config_ = bent.get_config()["activation"]
    assert (config_["module"], config_["class_name"]) == ("keras.layers", "LeakyReLU")
    assert Dense.from_config(bent.get_config()).activation.negative_slope == 0.5


def test_activation_without_derivative_says_what_to_attach():
    layer = Dense(2, lambda x: x**2)
    output, cache = built(layer, [(1, 2)]).run(np.ones((1, 2), np.float32), True)
    with pytest.raises(TypeError, match=r"needs a derivative.*gradient = "):
        layer.backward(output, cache)


def test_old_name_of_the_slope_warns_and_works():
    with pytest.warns(UserWarning, match=r"LeakyReLU\(negative_slope=0.2\)"):
        assert LeakyReLU(alpha=0.2).negative_slope == 0.2


def test_depthwise_is_convolution_with_a_group_for_each_channel():
    x, kernel = arrays_for("depthwise", [LAST, (2, 2, 3, 2)])
    layer = DepthwiseConv2D(2, depth_multiplier=2, dtype="float64")
    layer.build(LAST)
    layer.kernel.assign(kernel)
    for channel in range(3):
        alone = Conv2D(2, 2, dtype="float64")
        alone.build((2, 5, 4, 1))
        alone.kernel.assign(kernel[:, :, channel : channel + 1])
        expected = alone(x[..., channel : channel + 1])
        np.testing.assert_allclose(layer(x)[..., 2 * channel : 2 * channel + 2], expected)


# --- Dropout ----------------------------------------------------------------------------------


def test_dropout_does_nothing_without_training():
    x = np.ones((3, 4), np.float32)
    assert Dropout(0.5)(x) is x


def test_dropout_keeps_the_mean_and_drops_the_rate():
    kept = Dropout(0.25, seed=1)(np.ones((100, 1000)), training=True)
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (kept == 0).mean() == pytest.approx(0.25, abs=0.005)
    assert kept.mean() == pytest.approx(1, abs=0.01)


def test_dropout_throws_new_dice_at_each_call_and_the_same_for_a_seed():
    x = np.ones((1, 100))
    layer, again = Dropout(0.5, seed=4), Dropout(0.5, seed=4)
    first, second = layer(x, training=True), layer(x, training=True)
    assert (first != second).any()
    np.testing.assert_array_equal(again(x, training=True), first)
    np.testing.assert_array_equal(again(x, training=True), second)


def test_dropout_goes_on_from_its_state():
    x = np.ones((1, 100))
    layer = Dropout(0.5)
    layer(x, training=True)
    state = json.loads(json.dumps(layer.extra_state()))
    expected = layer(x, training=True)
    other = Dropout(0.5)
    other.set_extra_state(state)
    np.testing.assert_array_equal(other(x, training=True), expected)


def test_dropout_refuses_a_state_that_is_none():
    with pytest.raises(ValueError, match=r"state of a seed generator is two integers"):
        Dropout(0.5).set_extra_state({})


def test_dropout_of_everything_and_of_nothing():
    x = np.ones((2, 3))
    assert (Dropout(1)(x, training=True) == 0).all()
    assert (Dropout(0)(x, training=True) == 1).all()
    assert Dropout(0).extra_state() == {}


def test_what_is_dropped_is_zero_even_where_it_was_infinite():
    output = Dropout(0.5, seed=1)(np.full((1, 100), np.inf), training=True)
    assert set(output.ravel()) == {0, np.inf}


def test_noise_shape_makes_numbers_share_their_dice():
    output = Dropout(0.5, (None, 1, 1, None), seed=1)(np.ones((8, 5, 4, 6)), training=True)
    assert (output == output[:, :1, :1]).all()
    assert {0.0, 2.0} == set(output.ravel())
    assert (Dropout(0.5, (6,), seed=1)(np.ones((8, 6)), training=True).std(axis=0) == 0).all()


# --- BatchNormalization -----------------------------------------------------------------------


def test_training_batch_has_mean_0_and_variance_1_in_each_channel():
    (x,) = arrays_for("normalized", [LAST])
    y = BatchNormalization(epsilon=1e-12, dtype="float64")(5 * x + 1000, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-9)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=1e-9)


def test_moving_statistics_follow_training_batches_alone():
    (x,) = arrays_for("moving", [LAST])
    layer = BatchNormalization(momentum=0.9, dtype="float64")
    layer(x)
    assert layer.moving_mean.numpy().tolist() == [0, 0, 0]
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * x.var(axis=(0, 1, 2)))


def test_statistics_move_by_update_and_not_by_forward_or_backward():
    (x,) = arrays_for("update", [LAST])
    layer = built(BatchNormalization(dtype="float64"), [LAST])
    before = layer.get_weights()
    output, cache = layer.run(x, True)
    layer.backward(output, cache)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    layer.update(cache)
    assert (layer.moving_mean.numpy() != before[2]).all()


def test_inference_uses_the_moving_statistics():
    layer = built(BatchNormalization(epsilon=0.5, dtype="float64"), [LAST])
    gamma, beta, mean, variance = layer.get_weights()
    (x,) = arrays_for("inference", [LAST])
    expected = gamma * (x - mean) / np.sqrt(variance + 0.5) + beta
    np.testing.assert_allclose(layer(x), expected)


def test_frozen_normalization_infers_even_in_training():
    (x,) = arrays_for("frozen", [LAST])
    layer = built(BatchNormalization(dtype="float64"), [LAST])
    expected, before = layer(x), layer.get_weights()
    layer.trainable = False
    np.testing.assert_array_equal(layer(x, training=True), expected)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_variance_far_from_zero_does_not_cancel():
    x = (np.arange(8).reshape(8, 1) % 2 + 10_000).astype(np.float32)
    y = BatchNormalization(epsilon=1e-9)(x, training=True)
    np.testing.assert_allclose(y.ravel(), [-1, 1] * 4, rtol=1e-5)


def test_float16_is_normalized_in_float32():
    x = np.array([[-60_000.0], [60_000.0]])
    y = BatchNormalization(dtype="mixed_float16")(x, training=True)
    np.testing.assert_allclose(y.ravel(), [-1, 1])


def test_weights_are_gamma_beta_and_two_averages_that_are_not_trained():
    layer = built(BatchNormalization(), [LAST])
    names = [variable.name for variable in layer.weights]
    assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [v.name for v in layer.trainable_variables] == ["gamma", "beta"]


# --- merging ----------------------------------------------------------------------------------


def test_residual_with_nothing_beside_it_is_the_identity():
    (x,) = arrays_for("residual", [LAST])
    branch = Conv2D(3, 3, padding="same", kernel_initializer="zeros", dtype="float64")
    np.testing.assert_array_equal(Add(dtype="float64")([x, branch(x)]), x)


def test_one_map_is_added_to_all_channels_by_broadcasting():
    assert Add()([Input((8, 8, 4)), Input((8, 8, 1))]).shape == (None, 8, 8, 4)
    assert Add()([Input((8, 8, 4)), Input((1, 1, 4))]).shape == (None, 8, 8, 4)


def test_same_image_twice_subtracts_to_zero():
    x = np.ones(LAST)
    assert (Subtract()([x, x]) == 0).all()


def test_fewer_axes_get_new_ones_behind_the_batch():
    x, y = arrays_for("axes", [LAST, (2, 3)])
    np.testing.assert_array_equal(Add(dtype="float64")([y, x]), x + y[:, None, None, :])


def test_unknown_sizes_stay_unknown():
    assert Add()([Input((None, 4)), Input((8, 4))]).shape == (None, None, 4)
    assert Concatenate(1)([Input((None, 4)), Input((4, 4))]).shape == (None, None, 4)
    assert Concatenate().compute_output_shape([(None, 3), (2, 4)]) == (2, 7)


def test_functions_are_the_layers():
    a, b = np.full((1, 2), 3.0), np.full((1, 2), 2.0)
    expected = {"add": 5, "subtract": 1, "multiply": 6, "average": 2.5}
    for name, value in expected.items():
        assert (getattr(layers, name)([a, b]) == value).all()
    assert layers.concatenate([a, b], axis=0).shape == (2, 2)


# --- settings, names, aliases -----------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [lambda: MaxPooling2D(), lambda: AveragePooling2D(2), lambda: GlobalAveragePooling2D(),
     lambda: GlobalMaxPooling2D(), lambda: Flatten(), lambda: DepthwiseConv2D(3),
     lambda: Conv2D(2, 3)],
    ids=["max", "average", "global average", "global max", "flatten", "depthwise", "conv"],
)  # fmt: skip
def test_data_format_none_is_the_setting(make):
    config.set_image_data_format("channels_first")
    try:
        assert make().data_format == "channels_first"
    finally:
        config.set_image_data_format("channels_last")
    assert make().data_format == "channels_last"


def test_aliases_are_the_same_classes():
    assert layers.Convolution2D is Conv2D
    assert layers.MaxPool2D is MaxPooling2D
    assert layers.AvgPool2D is AveragePooling2D
    assert layers.GlobalAvgPool2D is GlobalAveragePooling2D
    assert layers.GlobalMaxPool2D is GlobalMaxPooling2D


def test_layers_without_weights_are_built_from_the_start_as_in_keras():
    made = [Activation("relu"), Dropout(0.5), LeakyReLU(), ReLU(), Softmax(), MaxPooling2D()]
    assert all(layer.built for layer in made)
    assert MaxPooling2D().count_params() == 0
    unbuilt = [Flatten(), Dense(3), PReLU(), BatchNormalization(), Add(), Concatenate()]
    assert not any(layer.built for layer in unbuilt)


# --- refusals: (call, error, text) ------------------------------------------------------------

REFUSED = {
    "unknown argument": (lambda: Flatten(lora_rank=2), ValueError, r"Unrecognized.*Flatten.*lora"),
    "pool_size 0": (lambda: MaxPooling2D(0), ValueError, r"`pool_size`.*pool_size=0"),
    "pool_size float": (lambda: MaxPooling2D(2.0), ValueError, r"pool_size=2\.0"),
    "pool_size text": (lambda: MaxPooling2D("22"), TypeError, r"pool_size='22'"),
    "pool strides 0": (lambda: MaxPooling2D(2, 0), ValueError, r"strides=0"),
    "pool padding": (lambda: MaxPooling2D(2, padding="foo"), ValueError, r"padding='foo'"),
    "pool order": (lambda: MaxPooling2D(data_format="NHWC"), ValueError, r"channels_last\"\?"),
    "pool rank": (lambda: MaxPooling2D()(np.ones((4, 4, 2))), ValueError,
                  r"expected ndim=4, found ndim=3\. Full shape received: \(4, 4, 2\).*newaxis"),
    "pool larger than image": (lambda: MaxPooling2D(5)(np.ones((1, 4, 4, 2))), ValueError,
                               r"zero or negative.*pool_size=\(5, 5\)"),
    "symbolic pool": (lambda: MaxPooling2D(5)(Input((4, 4, 2))), ValueError, r"zero or negative"),
    "global rank": (lambda: GlobalMaxPooling2D()(np.ones((4, 2, 2))), ValueError, r"ndim=4"),
    "units 0": (lambda: Dense(0), ValueError, r"`units` must be a positive int.*units=0"),
    "units float": (lambda: Dense(2.0), ValueError, r"units=2\.0"),
    "units text": (lambda: Dense("3"), ValueError, r"units='3'"),
    "units NumPy": (lambda: Dense(np.int64(3)), ValueError, r"Write int\(units\): 3"),
    "no units": (lambda: Dense(), TypeError, r"units"),
    "LoRA": (lambda: Dense(3, lora_rank=2), ValueError, r"lora_rank: Keras can.*Leave it out"),
    "dense rank": (lambda: Dense(3)(np.ones(4)), ValueError, r"expected min_ndim=2, found ndim=1"),
    "dense unknown size": (lambda: Dense(3)(Input((None,))), ValueError,
                           r"shape must be known.*\(None, 3\)"),
    "dense other size": (lambda: built(Dense(2), [(1, 3)])(np.ones((2, 4))), ValueError,
                         r"expected axis -1 of input shape to have value 3, found 4"),
    "flatten scalar": (lambda: Flatten()(np.array(3.0)), ValueError, r"min_ndim=1, found ndim=0"),
    "unknown activation": (lambda: Activation("nope"), ValueError, r"activation.*'nope'"),
    "negative max_value": (lambda: ReLU(-1), ValueError, r"`max_value`.*max_value=-1"),
    "no slope": (lambda: ReLU(negative_slope=None), ValueError, r"negative_slope=None"),
    "negative threshold": (lambda: ReLU(threshold=-1), ValueError, r"threshold=-1"),
    "text max_value": (lambda: ReLU("x"), TypeError, r"max_value='x', which is text"),
    "negative slope": (lambda: LeakyReLU(-1), ValueError, r"negative_slope=-1"),
    "text slope": (lambda: LeakyReLU("a"), TypeError, r"negative_slope='a'"),
    "softmax axis": (lambda: Softmax(5)(np.ones((1, 2))), ValueError, r"axis=5.*\(1, 2\)"),
    "softmax axis text": (lambda: Softmax("a"), TypeError, r"whole number.*'a'"),
    "softmax no axis": (lambda: Softmax(()), ValueError, r"empty"),
    "shared axis": (lambda: PReLU(shared_axes=7)(np.ones(LAST)), IndexError, r"shared_axes=\[7\]"),
    "prelu other shape": (lambda: built(PReLU(), [(1, 3)])(np.ones((2, 4))), ValueError,
                          r"axis 1 of input shape to have value 3, found 4"),
    "prelu other rank": (lambda: built(PReLU(), [(1, 3)])(np.ones((2, 3, 3))), ValueError,
                         r"expected ndim=2, found ndim=3"),
    "rate 1.5": (lambda: Dropout(1.5), ValueError, r"`rate` must be a number from 0 to 1.*1\.5"),
    "rate 30": (lambda: Dropout(30), ValueError, r"Write 0\.3 for 30 percent"),
    "rate nan": (lambda: Dropout(float("nan")), ValueError, r"rate=nan"),
    "rate text": (lambda: Dropout("a"), TypeError, r"rate='a'"),
    "dropout seed": (lambda: Dropout(0.5, seed="x"), ValueError, r"`seed` must be an integer"),
    "noise_shape int": (lambda: Dropout(0.5, 3), ValueError, r"noise_shape=3"),
    "noise_shape 0": (lambda: Dropout(0.5, (0, 1)), ValueError, r"which holds 0"),
    "noise_shape float": (lambda: Dropout(0.5, (2.5, 1)), ValueError, r"which holds 2\.5"),
    "noise_shape other": (lambda: Dropout(0.5, (3, 8))(np.ones((2, 8)), training=True), ValueError,
                          r"noise_shape=\(3, 8\) for an input of shape \(2, 8\)"),
    "noise_shape longer": (lambda: Dropout(0.5, (None, 1, 1))(np.ones((2, 8)), training=True),
                           ValueError, r"noise_shape=\(None, 1, 1\)"),
    "normalization axis list": (lambda: BatchNormalization([1]), TypeError, r"axis=\[1\]"),
    "normalization axis text": (lambda: BatchNormalization("a"), ValueError, r"axis='a'"),
    "normalization momentum": (lambda: BatchNormalization(momentum="a"), ValueError, r"momentum"),
    "normalization epsilon": (lambda: BatchNormalization(epsilon=None), TypeError, r"epsilon=None"),
    "renorm": (lambda: BatchNormalization(renorm=True), ValueError, r"renorm=True"),
    "synchronized": (lambda: BatchNormalization(synchronized=True), ValueError, r"synchronized"),
    "normalization no axis": (lambda: BatchNormalization(3)(np.ones((2, 4))), IndexError,
                              r"axis=3 for an input of shape \(2, 4\)"),
    "normalization other size": (lambda: built(BatchNormalization(), [(1, 3)])(np.ones((2, 4))),
                                 ValueError, r"axis -1 of input shape to have value 3, found 4"),
    "normalization other rank": (lambda: built(BatchNormalization(), [(1, 3)])(np.ones((2, 4, 3))),
                                 ValueError, r"expected ndim=2, found ndim=3"),
    "one input": (lambda: Add()(np.ones((2, 3))), ValueError, r"list of inputs.*Add\(\)\(\[a, b\]"),
    "no input": (lambda: Add()([]), ValueError, r"[Ll]ist"),
    "other sizes": (lambda: Add()([np.ones((2, 3)), np.ones((2, 4))]), ValueError,
                    r"incompatible shapes\. Received: shapes \(3,\) and \(4,\)"),
    "smaller branch": (lambda: Add()([Input((8, 8, 4)), Input((6, 6, 4))]), ValueError,
                       r"incompatible shapes.*\(8, 8, 4\) and \(6, 6, 4\)"),
    "other batches": (lambda: Add()([np.ones((2, 3)), np.ones((1, 3))]), ValueError,
                      r"different batch sizes"),
    "no batch": (lambda: Add()([np.array(1.0), np.ones((2, 3))]), ValueError, r"batch axis"),
    "three to subtract": (lambda: Subtract()([np.ones((2, 3))] * 3), ValueError,
                          r"exactly 2 inputs\. Received: 3"),
    "later shapes too": (lambda: built(Add(), [(2, 3), (2, 3)])([np.ones((2, 3)), np.ones((2, 4))]),
                         ValueError, r"incompatible shapes"),
    "mixed with arrays": (lambda: Add()([Input((3,)), np.ones((2, 3))]), ValueError,
                          r"symbolic tensors alone"),
    "axis of nothing": (lambda: Concatenate("a"), TypeError, r"axis='a'"),
    "axis float": (lambda: Concatenate(1.5), TypeError, r"axis=1\.5"),
    "axis too far": (lambda: Concatenate(5)([np.ones((2, 3))] * 2), ValueError, r"axis=5"),
    "other heights": (lambda: Concatenate()([Input((4, 4, 4)), Input((4, 5, 8))]), ValueError,
                      r"matching shapes except for the concatenation axis"),
    "other ranks": (lambda: Concatenate()([np.ones((2, 3)), np.ones((2, 3, 4))]), ValueError,
                    r"matching shapes"),
    "multiplier 0": (lambda: DepthwiseConv2D(3, depth_multiplier=0), ValueError,
                     r"`depth_multiplier`.*depth_multiplier=0"),
    "multiplier text": (lambda: DepthwiseConv2D(3, depth_multiplier="2"), TypeError, r"'2'"),
    "kernel_ for depthwise_": (lambda: DepthwiseConv2D(3, kernel_initializer="zeros"), ValueError,
                               r"Unrecognized.*kernel_initializer"),
    "depthwise rank": (lambda: DepthwiseConv2D(3)(np.ones((5, 5, 2))), ValueError, r"min_ndim=4"),
    "depthwise channels": (lambda: built(DepthwiseConv2D(3), [LAST])(np.ones((1, 5, 4, 2))),
                           ValueError, r"axis -1 of input shape to have value 3, found 2"),
    "depthwise unknown": (lambda: DepthwiseConv2D(3)(Input((5, 5, None))), TypeError,
                          r"number of channels must be known"),
    "depthwise small": (lambda: DepthwiseConv2D(3)(np.ones((1, 2, 2, 1))), ValueError,
                        r"zero or negative"),
    "wrong initializer": (
        lambda: Dense(2, kernel_initializer=lambda shape, dtype=None: np.ones((5, 5)))(
            np.ones((1, 3))
        ),
        ValueError, r"must return an array of shape \(3, 2\)\. Received: one of shape \(5, 5\)"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_refusal_names_the_rule_and_what_came(call, error, text):
    with pytest.raises(error, match=re.compile(text, re.DOTALL)):
        call()


# --- configs ----------------------------------------------------------------------------------

KEYS = {
    "MaxPooling2D": (lambda: MaxPooling2D(), "pool_size padding strides data_format"),
    "AveragePooling2D": (lambda: AveragePooling2D(2), "pool_size padding strides data_format"),
    "GlobalAveragePooling2D": (lambda: GlobalAveragePooling2D(), "data_format keepdims"),
    "GlobalMaxPooling2D": (lambda: GlobalMaxPooling2D(), "data_format keepdims"),
    "Flatten": (lambda: Flatten(), "data_format"),
    "Dense": (
        lambda: Dense(3),
        "units activation use_bias kernel_initializer bias_initializer kernel_regularizer "
        "bias_regularizer kernel_constraint bias_constraint quantization_config",
    ),
    "Activation": (lambda: Activation("relu"), "activation"),
    "ReLU": (lambda: ReLU(), "max_value negative_slope threshold"),
    "LeakyReLU": (lambda: LeakyReLU(), "negative_slope"),
    "Softmax": (lambda: Softmax(), "axis"),
    "PReLU": (lambda: PReLU(), "alpha_initializer alpha_regularizer alpha_constraint shared_axes"),
    "Dropout": (lambda: Dropout(0.5), "rate seed noise_shape"),
    "BatchNormalization": (
        lambda: BatchNormalization(),
        "axis momentum epsilon center scale beta_initializer gamma_initializer "
        "moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer "
        "beta_constraint gamma_constraint synchronized renorm renorm_clipping renorm_momentum",
    ),
    "Add": (lambda: Add(), ""),
    "Concatenate": (lambda: Concatenate(), "axis"),
    "DepthwiseConv2D": (
        lambda: DepthwiseConv2D(3),
        "depth_multiplier kernel_size strides padding data_format dilation_rate activation "
        "use_bias depthwise_initializer bias_initializer depthwise_regularizer bias_regularizer "
        "activity_regularizer depthwise_constraint bias_constraint",
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_config_has_the_keys_of_keras_in_its_order(name):
    make, keys = KEYS[name]
    assert list(make().get_config()) == ["name", "trainable", "dtype", *keys.split()]


def test_activity_regularizer_is_in_the_config_where_there_is_one():
    keys = list(Dense(3, activity_regularizer="l2").get_config())
    assert keys[:4] == ["name", "trainable", "dtype", "activity_regularizer"]
    assert list(Flatten(activity_regularizer="l2").get_config())[3] == "activity_regularizer"


def test_config_with_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match=r"deserializing class 'Dense'.*Unrecognized"):
        layers.deserialize({"class_name": "Dense", "config": {"units": 3, "foo": 1}})


@pytest.mark.parametrize("broken", [None, "Dense", {"foo": 1}, {"class_name": 3}, []])
def test_what_is_no_config_is_refused(broken):
    with pytest.raises(ValueError, match=r'dict with "class_name" and "config"'):
        layers.deserialize(broken)


def test_unknown_class_is_refused_with_the_way_out():
    with pytest.raises(TypeError, match=r"Could not locate class 'Nope'.*custom_objects=\{'Nope'"):
        layers.deserialize({"module": "os", "class_name": "Nope", "config": {}})
    with pytest.raises(TypeError, match=r"Did you mean 'MaxPooling2D'"):
        layers.deserialize({"class_name": "MaxPooling2d", "config": {}})


class Doubled(Layer):
    """A layer of somebody's own."""

    def forward(self, inputs, training=False):
        return 2 * inputs, None

    def backward(self, output_gradient, cache, input_gradient=True):
        return 2 * output_gradient, []


def test_layer_of_your_own_goes_through_a_config_by_custom_objects():
    written = layers.serialize(Doubled(name="twice"))
    assert written["module"] == Doubled.__module__
    assert written["registered_name"] == "Doubled"
    again = layers.deserialize(written, {"Doubled": Doubled})
    assert (type(again), again.name) == (Doubled, "twice")
    with pytest.raises(TypeError, match="must be a class of layers"):
        layers.deserialize(written, {"Doubled": int})


def test_input_layer_goes_through_a_config():
    layer = InputLayer((4, None, 1), name="digits")
    again = layers.deserialize(layers.serialize(layer))
    assert (again.name, again.batch_shape) == ("digits", (None, 4, None, 1))


def test_every_layer_of_the_package_is_in_the_catalogue():
    for name in layers.__all__:
        found = getattr(layers, name)
        if inspect.isclass(found) and found is not Layer:
            written = {"class_name": found.__name__, "config": {"nonsense": 1}}
            with pytest.raises(TypeError, match="nonsense"), warnings.catch_warnings():
                layers.deserialize(written)


def test_only_a_layer_is_serialized():
    with pytest.raises(ValueError, match="Only a layer"):
        layers.serialize("Dense")


def test_several_calls_of_a_dropout_differ_and_each_goes_back_its_own_way():
    layer = Dropout(0.5, seed=1, dtype="float64")
    x = np.ones((1, 50))
    calls = [layer.run(x, True) for _ in range(2)]
    for output, cache in calls:
        np.testing.assert_array_equal(layer.backward(x, cache)[0], output)
    assert (passes(layer, [x], True)[0] == passes(layer, [x], True)[0]).all()
