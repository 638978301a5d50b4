"""`Conv2D`: its sixteen arguments, its weights, its configs, and what it refuses."""

import inspect
import json
import re

import numpy as np
import pytest

from convlab import activations, config, conv2d, layers, regularizers
from convlab.layers import Conv2D, Input, Layer
from convlab.names import reset_names
from convlab.variables import Variable
from layerchecks import arrays_for, assert_gradients, built

IMAGE = (2, 7, 6, 4)  # batch, height, width, channels


def images(name="images", shape=IMAGE):
    return arrays_for(name, [shape])[0]


def layer_of(*arguments, shape=IMAGE, **options):
    """A built layer in float64."""
    return built(Conv2D(*arguments, dtype="float64", **options), [shape])


# --- the signature ----------------------------------------------------------------------------


def test_signature_is_that_of_keras_in_its_order():
    parameters = list(inspect.signature(Conv2D.__init__).parameters.values())[1:]
    named = {p.name: p.default for p in parameters if p.kind is not p.VAR_KEYWORD}
    assert list(named) == [
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "groups",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ]
    assert list(named.values())[2:] == [
        (1, 1), "valid", None, (1, 1), 1, None, True, "glorot_uniform", "zeros",
        None, None, None, None, None,
    ]  # fmt: skip


# --- each argument changes what it is said to change ------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"strides": (2, 1)},
        {"padding": "same"},
        {"strides": 2, "padding": "same"},
        {"dilation_rate": (1, 2)},
        {"groups": 2},
        {"data_format": "channels_first", "padding": "same"},
    ],
    ids=str,
)
def test_output_is_the_function_plus_bias(options):
    shape = (2, 4, 7, 6) if "data_format" in options else IMAGE
    layer = layer_of(6, (3, 2), shape=shape, **options)
    x = images(shape=shape)
    kernel, bias = layer.get_weights()
    np.testing.assert_array_equal(layer(x), conv2d(x, kernel, bias, **options))


def test_filters_are_the_feature_maps():
    assert layer_of(5, 3)(images()).shape[-1] == 5


@pytest.mark.parametrize("size", [1, 2, 4, (2, 3), (4, 1), [3, 2], np.array([2, 2]), range(2, 4)])
def test_kernel_sizes_may_be_even_and_come_in_any_sequence(size):
    pair = (size, size) if isinstance(size, int) else tuple(size)
    layer = Conv2D(2, size)
    assert layer.kernel_size == pair
    layer.build(IMAGE)
    assert layer.kernel.shape == (*pair, 4, 2)


def test_groups_see_their_own_channels_and_fill_their_own_filters():
    layer = layer_of(6, 3, groups=2)
    x = images()
    kernel, bias = layer.get_weights()
    for group in range(2):
        mine, filters = x[..., 2 * group : 2 * group + 2], slice(3 * group, 3 * group + 3)
        expected = conv2d(mine, kernel[..., filters], bias[filters])
        np.testing.assert_allclose(layer(x)[..., filters], expected)


def test_channels_first_is_a_transpose_with_the_same_kernel():
    first = layer_of(3, 3, data_format="channels_first", shape=(2, 4, 7, 6))
    last = layer_of(3, 3)
    last.set_weights(first.get_weights())
    x = images()
    turned = np.moveaxis(first(np.moveaxis(x, -1, 1)), 1, -1)
    np.testing.assert_allclose(turned, last(x))


def test_activation_comes_after_the_bias():
    layer, plain = layer_of(3, 3, activation="tanh"), layer_of(3, 3)
    np.testing.assert_allclose(layer(images()), np.tanh(plain(images())))


def test_activation_none_is_linear_and_any_callable_will_do():
    assert Conv2D(1, 1).activation is activations.linear
    halved = layer_of(3, 3, activation=lambda x: x / 2)
    np.testing.assert_allclose(halved(images()), layer_of(3, 3)(images()) / 2)


@pytest.mark.parametrize("falsy", [False, 0, None, ""])
def test_use_bias_falsy_leaves_no_bias(falsy):
    layer = layer_of(3, 3, use_bias=falsy)
    assert layer.bias is None
    assert [v.name for v in layer.weights] == ["kernel"]


def test_use_bias_truthy_makes_one():
    assert layer_of(3, 3, use_bias="no").bias.shape == (3,)


@pytest.mark.parametrize("which", ["kernel", "bias"])
@pytest.mark.parametrize(
    "identifier",
    [
        "ones",
        "Ones",
        {"class_name": "Ones", "config": {}},
        lambda shape, dtype=None: np.ones(shape),
    ],
    ids=["name", "class name", "config", "callable"],
)
def test_initializers_say_how_weights_begin(which, identifier):
    layer = Conv2D(3, 3, **{f"{which}_initializer": identifier})
    layer.build(IMAGE)
    assert (getattr(layer, which).numpy() == 1).all()


def test_initializer_may_be_an_array_of_the_right_shape():
    values = np.arange(8.0).reshape(2, 2, 1, 2)
    layer = Conv2D(2, 2, kernel_initializer=values)
    layer.build((None, 5, 5, 1))
    np.testing.assert_array_equal(layer.kernel, values)
    with pytest.raises(ValueError, match="shape"):
        Conv2D(2, 3, kernel_initializer=values).build((None, 5, 5, 1))


def test_bias_begins_at_zero_and_the_kernel_within_glorots_limit():
    layer = Conv2D(64, 3)
    layer.build((None, 9, 9, 64))
    assert (layer.bias.numpy() == 0).all()
    limit = np.sqrt(6 / (9 * 64 + 9 * 64))
    assert 0.98 * limit < np.abs(layer.kernel).max() <= limit


def test_groups_narrow_what_goes_in_but_not_what_comes_out_of_the_fans():
    layer = Conv2D(64, 3, groups=8)
    layer.build((None, 9, 9, 64))
    limit = np.sqrt(6 / (9 * 8 + 9 * 64))
    assert 0.98 * limit < np.abs(layer.kernel).max() <= limit


def test_initializer_none_draws_glorot_uniform_even_for_the_bias():
    layer = Conv2D(32, 3, bias_initializer=None, kernel_initializer=None)
    layer.build(IMAGE)
    assert layer.bias_initializer is None
    assert 0 < np.abs(layer.bias).max() <= np.sqrt(6 / 64)


def test_regularizers_add_losses_activity_first_then_kernel_then_bias():
    layer = layer_of(
        2, 3, activation="relu", activity_regularizer=regularizers.L1(0.5),
        kernel_regularizer="l2", bias_regularizer=regularizers.L1(0.1),
    )  # fmt: skip
    kernel, bias = layer.get_weights()
    of_weights = [0.01 * (kernel**2).sum(), 0.1 * np.abs(bias).sum()]
    np.testing.assert_allclose(layer.losses, of_weights)
    for _ in range(2):  # not accumulated over calls
        output = layer(images())
        np.testing.assert_allclose(layer.losses, [0.5 * output.sum() / 2, *of_weights])


def test_frozen_layer_keeps_the_loss_of_its_output_alone():
    layer = layer_of(2, 3, kernel_regularizer="l2", activity_regularizer="l2", trainable=False)
    layer(images())
    assert len(layer.losses) == 1


def test_activity_loss_of_an_empty_batch_is_zero():
    layer = layer_of(2, 3, activity_regularizer="l2")
    layer(np.zeros((0, 7, 6, 4)))
    assert layer.losses == [0.0]


def test_no_loss_before_the_layer_is_built():
    assert Conv2D(2, 3, kernel_regularizer="l2").losses == []


def test_gradient_that_arrives_gets_that_of_the_activity_penalty():
    layer = layer_of(2, 3, activity_regularizer=regularizers.L2(0.5))
    output, _ = layer.run(images(), True)
    np.testing.assert_allclose(layer.add_activity_gradient(output, output), output * 1.5)


def test_constraints_belong_to_the_weights_and_do_not_touch_them_by_themselves():
    layer = Conv2D(2, 3, kernel_constraint="non_neg", bias_constraint="max_norm")
    layer.build(IMAGE)
    values = [np.full((3, 3, 4, 2), -1.0), np.full(2, 9.0)]
    layer.set_weights(values)
    for got, value in zip(layer.get_weights(), values, strict=True):
        np.testing.assert_array_equal(got, value)
    assert (layer.kernel.constraint(layer.kernel.value) == 0).all()
    np.testing.assert_allclose(np.linalg.norm(layer.bias.constraint(layer.bias.value)), 2, 1e-6)


def test_gradients_equal_differences_with_everything_at_once():
    layer = Conv2D(
        4, (2, 3), (2, 1), "same", "channels_first", groups=2, activation="gelu", dtype="float64"
    )
    assert_gradients(layer, [(2, 4, 5, 4)])


def test_relu_is_not_applied_to_its_input():
    layer = layer_of(4, 1, activation="relu", kernel_initializer="ones")
    x = -np.ones(IMAGE)
    layer(x)
    assert (x == -1).all()


# --- weights ----------------------------------------------------------------------------------


def test_weights_are_kernel_and_bias_with_keras_shapes_names_and_paths():
    layer = Conv2D(6, (3, 2), groups=2, data_format="channels_first", name="edges")
    layer.build((None, 4, 9, 9))
    assert [(v.name, v.path, v.shape) for v in layer.weights] == [
        ("kernel", "edges/kernel", (3, 2, 2, 6)), ("bias", "edges/bias", (6,)),
    ]  # fmt: skip
    assert all(isinstance(v, Variable) and v.trainable for v in layer.weights)
    assert layer.count_params() == 3 * 2 * 2 * 6 + 6


def test_unbuilt_layer_has_no_weights_and_no_count():
    layer = Conv2D(2, 3, name="x")
    assert layer.get_weights() == []
    assert not layer.built
    with pytest.raises(ValueError, match=r"`count_params` on layer 'x', but the layer isn't built"):
        layer.count_params()
    with pytest.raises(AttributeError, match="kernel"):
        _ = layer.kernel


def test_set_weights_casts_and_get_weights_copies():
    layer = Conv2D(2, 3)
    layer.build(IMAGE)
    layer.set_weights([np.ones((3, 3, 4, 2)), np.ones(2)])
    assert {v.dtype for v in layer.weights} == {"float32"}
    layer.get_weights()[0][:] = 7
    assert (layer.kernel.numpy() == 1).all()


def test_set_weights_that_do_not_fit_change_nothing():
    layer = layer_of(2, 3, name="c")
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"layer 'c' with a weight list of length 1.*expecting 2"):
        layer.set_weights(before[:1])
    with pytest.raises(ValueError, match=r"Layer c weight shape \(2,\) is not compatible.*\(3,\)"):
        layer.set_weights([before[0] * 0, np.ones(3)])
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_failed_build_leaves_no_weight_behind():
    layer = Conv2D(2, 3, bias_initializer=lambda shape, dtype=None: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        layer.build(IMAGE)
    assert layer.weights == []
    assert not layer.built


def test_second_build_changes_nothing():
    layer = layer_of(2, 3)
    before = layer.kernel
    layer.build((None, 9, 9, 4))
    assert layer.kernel is before


# --- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint8, bool])
def test_input_of_any_number_is_cast_to_the_layers_dtype(dtype):
    assert Conv2D(2, 3)(np.ones(IMAGE, dtype)).dtype == np.float32


def test_dtype_of_weights_and_output():
    for dtype, weights, output in [
        ("float64", "float64", "float64"), ("float16", "float16", "float16"),
        ("mixed_float16", "float32", "float16"), (np.float64, "float64", "float64"),
    ]:  # fmt: skip
        layer = Conv2D(2, 3, dtype=dtype)
        assert layer(np.ones(IMAGE)).dtype == output
        assert {v.dtype for v in layer.weights} == {weights}


def test_batch_height_and_width_may_change_after_the_first_call():
    layer = layer_of(2, 3)
    assert layer(images(shape=(1, 20, 3, 4))).shape == (1, 18, 1, 2)


def test_empty_batch_and_empty_image_give_empty_outputs():
    assert Conv2D(2, 3)(np.ones((0, 5, 5, 1))).shape == (0, 3, 3, 2)
    assert Conv2D(2, 3, padding="same")(np.ones((1, 0, 5, 1))).shape == (1, 0, 5, 2)


def test_call_leaves_no_trace_but_its_losses():
    layer = layer_of(2, 3)
    before = {**vars(layer)}
    layer(images())
    layer.run(images(), True)
    assert vars(layer) == before


def test_output_shape_is_known_before_the_layer_is_built():
    layer = Conv2D(7, 3, strides=2, padding="same")
    assert layer.compute_output_shape([None, 9, None, 3]) == (None, 5, None, 7)
    assert not layer.built


def test_output_shape_of_unknown_channels():
    assert Conv2D(3, 3, groups=3).compute_output_shape((None, 5, 5, None)) == (None, 3, 3, 3)
    layer = layer_of(2, 3)
    assert layer(Input((7, 6, None))).shape == (None, 5, 4, 2)


def test_symbolic_call_gives_a_symbolic_tensor():
    tensor = Conv2D(32, 5)(Input((28, 28, 1)))
    assert (tensor.shape, tensor.dtype) == ((None, 24, 24, 32), "float32")


def test_data_format_none_follows_the_setting():
    config.set_image_data_format("channels_first")
    try:
        layer = Conv2D(2, 3)
    finally:
        config.set_image_data_format("channels_last")
    assert layer.data_format == "channels_first"
    assert layer(np.ones((1, 4, 7, 6))).shape == (1, 2, 5, 4)


def test_automatic_names_count_up():
    reset_names()
    assert [Conv2D(1, 1).name for _ in range(3)] == ["conv2d", "conv2d_1", "conv2d_2"]


def test_old_input_shape_warns_and_is_kept_for_the_model():
    with pytest.warns(UserWarning, match=r"Input\(\(28, 28, 1\)\)"):
        assert Conv2D(2, 3, input_shape=(28, 28, 1)).input_shape_hint == (28, 28, 1)


def test_arguments_without_a_meaning_here_are_accepted():
    assert Conv2D(2, 3, autocast=False, lora_rank=None, lora_alpha=None).filters == 2


# --- configs ----------------------------------------------------------------------------------


def test_config_has_the_nineteen_keys_of_keras_in_its_order():
    assert list(Conv2D(2, 3).get_config()) == [
        "name",
        "trainable",
        "dtype",
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "groups",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ]


def test_activity_regularizer_stands_behind_the_dtype():
    keys = list(Conv2D(2, 3, activity_regularizer="l2").get_config())
    assert keys.index("activity_regularizer") == 3
    assert len(keys) == 19


def test_config_of_the_defaults():
    written = Conv2D(2, 3, name="a").get_config()
    assert written["dtype"] == {
        "module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"},
        "registered_name": None,
    }  # fmt: skip
    assert written["kernel_initializer"] == {
        "module": "keras.initializers", "class_name": "GlorotUniform",
        "config": {"seed": None, "input_axes": None, "output_axes": None}, "registered_name": None,
    }  # fmt: skip
    assert (written["activation"], written["kernel_size"]) == ("linear", (3, 3))


def test_config_comes_back_from_json_with_its_tuples():
    layer = Conv2D(
        4, (3, 2), (1, 2), "SAME", "channels_first", 1, 2, "relu", False, "he_normal",
        kernel_regularizer=regularizers.L1L2(0.1, 0.2), activity_regularizer="l1",
        kernel_constraint="unit_norm", trainable=False, dtype="mixed_float16",
    )  # fmt: skip
    written = json.loads(json.dumps(layers.serialize(layer)))
    again = layers.deserialize(written)
    assert again.get_config() == layer.get_config()
    assert again.kernel_size == (3, 2)
    assert (again.padding, again.trainable, again.compute_dtype) == ("same", False, "float16")


# --- refusals: (call, error, text) ------------------------------------------------------------


def conv(filters=2, kernel_size=3, **options):
    return lambda: Conv2D(filters, kernel_size, **options)


def call(layer, *shape):
    return lambda: layer(np.ones(shape))


REFUSED = {
    "unknown argument": (conv(foo=1), ValueError,
                         r"Unrecognized keyword arguments passed to Conv2D: \{'foo': 1\}"),
    "no kernel_size": (lambda: Conv2D(2), TypeError, r"kernel_size"),
    "LoRA": (conv(lora_rank=4), ValueError, r"lora_rank.*this package cannot"),
    "filters 0": (conv(0), ValueError, r"`filters`\. Expected a strictly positive.*filters=0"),
    "filters -1": (conv(-1), ValueError, r"filters=-1"),
    "filters text": (conv("4"), TypeError, r"filters='4', which is text"),
    "filters None": (conv(None), ValueError, r"filters=None"),
    "filters float": (conv(2.0), ValueError, r"filters=2\.0"),
    "filters 2.5": (conv(2.5), ValueError, r"filters=2\.5"),
    "kernel_size 0": (conv(2, (1, 0)), ValueError,
                      r"`kernel_size` argument must be a tuple of 2.*\(1, 0\).*`value > 0`"),
    "kernel_size 3": (conv(2, (3, 3, 3)), ValueError, r"kernel_size=\(3, 3, 3\)"),
    "kernel_size float": (conv(2, 3.0), ValueError, r"kernel_size=3\.0"),
    "kernel_size None": (conv(2, None), ValueError, r"kernel_size=None"),
    "kernel_size floats": (conv(2, (2.5, 3)), ValueError, r"kernel_size=\(2\.5, 3\)"),
    "kernel_size text": (conv(2, "33"), TypeError, r"kernel_size='33'"),
    "strides 0": (conv(strides=0), ValueError, r"`strides`.*strides=0"),
    "strides half 0": (conv(strides=(1, 0)), ValueError, r"strides=\(1, 0\)"),
    "strides -1": (conv(strides=-1), ValueError, r"strides=-1"),
    "strides None": (conv(strides=None), ValueError, r"strides=None"),
    "dilation 0": (conv(dilation_rate=0), ValueError, r"`dilation_rate`.*dilation_rate=0"),
    "dilation -1": (conv(dilation_rate=-1), ValueError, r"dilation_rate=-1"),
    "strides and dilation": (
        conv(strides=(2, 1), dilation_rate=(1, 2)), ValueError,
        r"`strides > 1` not supported in conjunction with `dilation_rate > 1`.*"
        r"strides=\(2, 1\) and dilation_rate=\(1, 2\)",
    ),
    "groups 0": (conv(groups=0), ValueError, r"number of groups must be a positive.*groups=0"),
    "groups uneven": (conv(4, groups=3), ValueError,
                      r"filters must be evenly divisible.*groups=3, filters=4"),
    "groups None": (conv(groups=None), TypeError, r"groups=None"),
    "groups float": (conv(groups=2.0), ValueError, r"groups=2\.0"),
    "padding causal": (conv(padding="causal"), ValueError, r"`padding` must be.*'causal'"),
    "padding full": (conv(padding="full"), ValueError, r"'full'.*np\.pad"),
    "padding None": (conv(padding=None), TypeError, r"padding=None"),
    "padding pair": (conv(padding=(1, 1)), ValueError, r"padding=\(1, 1\).*np\.pad"),
    "data_format NHWC": (conv(data_format="NHWC"), ValueError, r"'NHWC'.*channels_last"),
    "data_format empty": (conv(data_format=""), ValueError, r"data_format=''"),
    "activation in capitals": (conv(activation="ReLU"), ValueError,
                               r"Could not interpret activation.*'ReLU'.*'relu'"),
    "initializer": (conv(kernel_initializer="nope"), ValueError, r"initializer.*'nope'"),
    "regularizer": (conv(kernel_regularizer="l1_l2"), ValueError, r"regularizer.*'l1_l2'"),
    "regularizer number": (conv(bias_regularizer=0.1), ValueError, r"regularizer.*0\.1"),
    "constraint": (conv(kernel_constraint="maxnorm"), ValueError, r"constraint.*'maxnorm'"),
    "name with slash": (conv(name="a/b"), ValueError, r"`name`.*'a/b'"),
    "name number": (conv(name=3), ValueError, r"name=3"),
    "trainable text": (conv(trainable="no"), ValueError, r"trainable='no'"),
    "dtype": (conv(dtype="int32"), ValueError, r"`dtype` must be one of.*'int32'"),
    "channels uneven": (
        call(Conv2D(2, 3, groups=2), 1, 5, 5, 3), ValueError,
        r"input channels must be evenly divisible.*groups=2.*3 channels.*\(1, 5, 5, 3\)",
    ),
    "rank 3": (call(Conv2D(2, 3), 5, 5, 2), ValueError,
               r"expected min_ndim=4, found ndim=3\. Full shape received: \(5, 5, 2\).*newaxis"),
    "rank 5": (call(Conv2D(2, 3), 1, 5, 5, 5, 2), ValueError, r"ndim=5"),
    "rank 1 symbolic": (lambda: Conv2D(2, 3)(Input(())), ValueError, r"found ndim=1"),
    "smaller than the window": (
        call(Conv2D(1, 3), 1, 2, 2, 1), ValueError,
        r"Computed output size would be zero or negative.*\(1, 2, 2, 1\).*\(3, 3, 1, 1\)",
    ),
    "smaller than the window, later": (call(layer_of(1, 3, shape=(1, 5, 5, 1)), 1, 2, 2, 1),
                                       ValueError, r"zero or negative"),
    "smaller, by shape": (lambda: Conv2D(1, 3).compute_output_shape((None, 2, 2, 1)), ValueError,
                          r"zero or negative"),
    "no channels": (call(Conv2D(1, 3), 1, 5, 5, 0), ValueError, r"at least one channel"),
    "other channels than at first": (
        call(layer_of(1, 3), 1, 5, 5, 3), ValueError,
        r"expected axis -1 of input shape to have value 4, found 3.*\(1, 5, 5, 3\)",
    ),
    "channels unknown": (lambda: Conv2D(1, 3)(Input((5, 5, None))), TypeError,
                         r"number of channels must be known"),
    "nested lists": (lambda: Conv2D(1, 1)([[[[1.0]]]]), ValueError, r"list.*np\.array"),
    "None": (lambda: Conv2D(1, 1)(None), ValueError, r"None"),
    "text": (lambda: Conv2D(1, 1)(np.full((1, 1, 1, 1), "a")), ValueError, r"Numbers are needed"),
    "complex": (lambda: Conv2D(1, 1)(np.ones((1, 1, 1, 1), complex)), ValueError, r"complex128"),
    "config": (lambda: Conv2D.from_config({"filters": 2, "kernel_size": 3, "foo": 1}), TypeError,
               r"Error when deserializing class 'Conv2D'.*foo"),
}  # fmt: skip


@pytest.mark.parametrize(("call_", "error", "text"), REFUSED.values(), ids=REFUSED)
def test_refusal_names_the_rule_and_what_came(call_, error, text):
    with pytest.raises(error, match=re.compile(text, re.DOTALL)):
        call_()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"foo": 1, "kernel_size": 0}, "foo"),
        ({"kernel_size": 0, "strides": 0}, "kernel_size"),
        ({"strides": 0, "dilation_rate": 0}, "strides"),
        ({"dilation_rate": 0, "padding": "x"}, "dilation_rate"),
        ({"padding": "x", "data_format": "y"}, "padding"),
        ({"data_format": "y", "activation": "z"}, "data_format"),
        ({"activation": "z", "kernel_initializer": "q"}, "activation"),
        ({"kernel_initializer": "q", "filters": 0}, "initializer"),
        ({"filters": 0, "groups": 0}, "filters"),
        ({"groups": 0, "strides": 2, "dilation_rate": 2}, "groups"),
    ],
    ids=str,
)
def test_of_two_mistakes_the_one_that_keras_names_is_named(options, named):
    arguments = {"filters": 2, "kernel_size": 3, **options}
    with pytest.raises(ValueError, match=named):
        Conv2D(**arguments)


@pytest.mark.parametrize("filters", [True, np.int64(1)], ids=repr)
def test_whole_numbers_of_any_kind_are_filters(filters):
    assert Conv2D(filters, 1)(np.ones((1, 2, 2, 1))).shape == (1, 2, 2, 1)


@pytest.mark.parametrize("padding", ["SAME", "Same"])
@pytest.mark.parametrize("order", ["Channels_Last", "CHANNELS_LAST"])
def test_case_of_padding_and_data_format_does_not_matter(padding, order):
    layer = Conv2D(1, 2, padding=padding, data_format=order)
    assert (layer.padding, layer.data_format) == ("same", "channels_last")


def test_it_is_a_layer():
    assert issubclass(Conv2D, Layer)
    assert repr(Conv2D(1, 1, name="c")) == "<Conv2D name=c, built=False>"


@pytest.mark.parametrize("activation", [layers.PReLU(), layers.PReLU])
def test_an_activation_with_weights_of_its_own_is_refused(activation):
    with pytest.raises(ValueError, match=r"no weights of its own.*Received: activation=<PReLU.*"
                       r"behind the layer"):  # fmt: skip
        layers.Conv2D(4, 3, activation=activation)
