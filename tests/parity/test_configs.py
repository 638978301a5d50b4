"""Configs: equal on both sides, key by key and in order, and each is read by the other."""

import json

import numpy as np
import pytest

from parity import sides
from parity.closeness import assert_close

LAYERS = [
    "layers.Conv2D(4, 3{})",
    "layers.Conv2D(6, (2, 3), strides=2, padding='SAME', data_format='channels_first', groups=2, "
    "activation='relu', use_bias=False{})",
    "layers.Conv2D(4, 3, dilation_rate=(2, 1), kernel_initializer='he_normal', "
    "bias_initializer=None, activation='swish'{})",
    "layers.Conv2D(4, 3, kernel_regularizer='l2', bias_regularizer=regularizers.L1L2(0.5, 0.25), "
    "activity_regularizer=regularizers.L1(0.5){})",
    "layers.Conv2D(4, 3, kernel_constraint='max_norm', bias_constraint='non_neg'{})",
    "layers.Conv2D(4, 3, kernel_constraint=constraints.MinMaxNorm(0.5, 1.5, axis=[0, 1, 2]){})",
    "layers.Conv2D(4, 3, kernel_initializer=initializers.VarianceScaling(2.0, 'fan_avg', seed=3), "
    "bias_initializer=initializers.Constant(0.5){})",
    "layers.Conv2D(4, 3, kernel_initializer=initializers.Orthogonal(gain=0.5, seed=1), "
    "bias_initializer=initializers.RandomUniform(-0.5, 0.5, seed=2){})",
    "layers.Conv2D(4, 3, kernel_initializer=initializers.TruncatedNormal(seed=4){})",
    "layers.Conv2D(4, 3, trainable=False{})",
    "layers.DepthwiseConv2D(3{})",
    "layers.DepthwiseConv2D((2, 3), 2, 'same', depth_multiplier=2, activation='relu', "
    "depthwise_regularizer='l2', depthwise_constraint='unit_norm'{})",
    "layers.MaxPooling2D({})", "layers.MaxPooling2D((2, 3), strides=1, padding='same'{})",
    "layers.AveragePooling2D(2{})", "layers.AveragePooling2D(3, data_format='channels_first'{})",
    "layers.GlobalAveragePooling2D({})", "layers.GlobalAveragePooling2D(keepdims=True{})",
    "layers.GlobalMaxPooling2D({})",
    "layers.Flatten({})", "layers.Flatten('channels_first'{})",
    "layers.Dense(3{})", "layers.Dense(3, activation='softmax', use_bias=False, "
    "kernel_regularizer='l1l2', bias_constraint='non_neg'{})",
    "layers.Activation('relu'{})", "layers.Activation('softmax'{})",
    "layers.ReLU({})", "layers.ReLU(6.0, 0.1, 0.5{})", "layers.LeakyReLU({})",
    "layers.LeakyReLU(negative_slope=0.1{})", "layers.ELU({})", "layers.Softmax({})",
    "layers.Softmax(axis=1{})", "layers.PReLU({})",
    "layers.Dropout(0.5{})", "layers.Dropout(0.5, noise_shape=(None, 1, 3), seed=4{})",
    "layers.BatchNormalization({})",
    "layers.BatchNormalization(1, 0.5, 0.01, center=False, gamma_initializer='he_normal', "
    "beta_regularizer='l2', gamma_constraint='non_neg'{})",
    "layers.Add({})", "layers.Concatenate({})", "layers.Concatenate(axis=1{})",
    "layers.Subtract({})", "layers.Multiply({})", "layers.Average({})",
]  # fmt: skip


def with_options(code, dtype):
    """The expression with a name and a dtype, so that names are not counted."""
    options = f"name='layer', dtype='{dtype}'"
    return code.replace("{}", options if "({}" in code else f", {options}")


def in_json(config):
    """A config after a way through JSON, seeds that were drawn by chance made equal."""
    return json.loads(json.dumps(config), object_hook=_without_drawn_seeds)


def _without_drawn_seeds(entry):
    if isinstance(entry.get("seed"), int) and entry["seed"] > 100:
        entry["seed"] = "drawn"
    return {key: _rounded(value) for key, value in entry.items()}


def _rounded(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("code", LAYERS)
def test_configs_of_layers_are_those_of_keras_and_read_by_either(code, dtype, keras):
    theirs, ours = sides.both(with_options(code, dtype))
    config, written = theirs.get_config(), ours.get_config()
    assert in_json(written) == in_json(config)
    if not code.startswith("layers.ELU"):  # Keras writes its alpha before what all layers have
        assert list(written) == list(config)
    assert in_json(type(ours).from_config(config).get_config()) == in_json(config)
    assert in_json(type(theirs).from_config(in_json(written)).get_config()) == in_json(config)


@pytest.mark.parametrize("code", LAYERS)
def test_serialized_layers_are_read_by_either(code, keras):
    theirs, ours = sides.both(with_options(code, "float32"))
    config = keras.layers.serialize(theirs)
    written = sides.module("convlab", "layers").serialize(ours)
    assert in_json(written) == in_json(config)
    read = sides.module("convlab", "layers").deserialize(in_json(config))
    assert in_json(read.get_config()) == in_json(config["config"])
    again = keras.layers.deserialize(in_json(written))
    assert in_json(again.get_config()) == in_json(config["config"])


OBJECTS = [
    "initializers.Zeros()", "initializers.Ones()", "initializers.Constant(0.5)",
    "initializers.RandomNormal(0.5, 2.0, seed=1)", "initializers.RandomUniform(-1.0, 1.0, seed=1)",
    "initializers.TruncatedNormal(seed=1)", "initializers.GlorotNormal(seed=1)",
    "initializers.GlorotUniform(seed=1)", "initializers.HeNormal(seed=1)",
    "initializers.HeUniform(seed=1)", "initializers.LecunNormal(seed=1)",
    "initializers.LecunUniform(seed=1)", "initializers.VarianceScaling(seed=1)",
    "initializers.VarianceScaling(2.0, 'fan_out', 'uniform', seed=1)",
    "initializers.Orthogonal(seed=1)", "initializers.Identity()", "initializers.GlorotNormal()",
    "regularizers.L1()", "regularizers.L2(0.5)", "regularizers.L1L2(0.5, 0.25)",
    "regularizers.OrthogonalRegularizer(0.5, 'columns')", "constraints.MaxNorm()",
    "constraints.MaxNorm(3, axis=[0, 1])", "constraints.NonNeg()", "constraints.UnitNorm(1)",
    "constraints.MinMaxNorm(0.5, 1.0, 0.5, 1)",
]  # fmt: skip


@pytest.mark.parametrize("code", OBJECTS)
def test_configs_of_objects_are_those_of_keras_and_read_by_either(code):
    theirs, ours = sides.both(code)
    family = code.split(".")[0]
    keras, convlab = (sides.module(side, family) for side in sides.BOTH)
    config, written = keras.serialize(theirs), convlab.serialize(ours)
    assert in_json(written) == in_json(config)
    assert in_json(convlab.deserialize(in_json(config)).get_config()) == in_json(config["config"])
    assert in_json(keras.deserialize(in_json(written)).get_config()) == in_json(config["config"])


def names_of(side, family):
    """What a family accepts as strings: Keras's own table, and our catalogue."""
    if side == "keras":
        package = sides.module("keras", f"src.{family}")
        names = package.ALL_OBJECTS_DICT
        return {name for name in names if isinstance(name, str)}
    module = sides.module("convlab", family)
    return set(getattr(module, "_catalogue", getattr(module, "_CATALOGUE", None)).entries)


@pytest.mark.parametrize("family", ["activations", "initializers", "regularizers", "constraints"])
def test_every_name_that_keras_takes_is_taken(family):
    assert names_of("keras", family) - names_of("convlab", family) == set()


def test_serialized_names_of_activations_are_the_same(keras):
    for name in names_of("convlab", "activations") & names_of("keras", "activations"):
        written = keras.activations.serialize(keras.activations.get(name))
        module = sides.module("convlab", "activations")
        assert module.serialize(module.get(name)) == written


SEQUENTIAL = (
    "models.Sequential([layers.Input((8, 8, 1), name='image'),"
    " layers.Conv2D(4, 3, activation='relu', name='a'), layers.MaxPooling2D(name='b'),"
    " layers.BatchNormalization(name='n'), layers.Flatten(name='c'), layers.Dropout(0.5, name='d'),"
    " layers.Dense(3, activation='softmax', name='e')], name='whole')"
)
UNBUILT = (
    "models.Sequential([layers.Conv2D(4, 3, name='a'), layers.Flatten(name='b')], name='open')"
)
RESIDUAL = (
    "[image := layers.Input((6, 6, 2), name='image'),"
    " conv := layers.Conv2D(2, 3, padding='same', name='conv'), once := conv(image),"
    " twice := conv(once), total := layers.Add(name='add')([image, twice]),"
    " both := layers.Concatenate(name='cat')([total, once]),"
    " out := layers.Dense(2, name='out')(layers.Flatten(name='flat')(both)),"
    " models.Model(image, out, name='residual')][-1]"
)
SEVERAL = (
    "[first := layers.Input((4,), name='first'), second := layers.Input((3,), name='second'),"
    " joined := layers.Concatenate(name='joined')([layers.Dense(3, name='wide')(first), second]),"
    " models.Model([first, second], [layers.Dense(2, name='left')(joined),"
    " layers.Dense(1, name='right')(joined)], name='several')][-1]"
)
NESTED = (
    "[inner := models.Sequential([layers.Input((4,), name='in'), layers.Dense(3, name='inside')],"
    " name='inner'), image := layers.Input((4,), name='outer_input'),"
    " models.Model(image, layers.Dense(2, name='after')(inner(image)), name='outer')][-1]"
)
MODELS = {
    "sequential": SEQUENTIAL, "unbuilt": UNBUILT, "residual": RESIDUAL, "several": SEVERAL,
    "nested": NESTED,
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_configs_of_models_are_those_of_keras_and_read_by_either(name, keras):
    theirs, ours = sides.both(MODELS[name])
    config, written = theirs.get_config(), ours.get_config()
    assert in_json(written) == in_json(config)
    read = type(ours).from_config(in_json(config))
    again = type(theirs).from_config(in_json(written))
    assert in_json(read.get_config()) == in_json(config)
    assert in_json(again.get_config()) == in_json(config)


@pytest.mark.parametrize("name", MODELS)
def test_text_of_a_model_is_read_by_either(name, keras):
    theirs, ours = sides.both(MODELS[name])
    models = sides.module("convlab", "models")
    read = models.model_from_json(theirs.to_json())
    again = keras.models.model_from_json(ours.to_json())
    assert in_json(read.get_config()) == in_json(again.get_config())


def inputs_of(model):
    """Numbers for each input."""
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=(3, *tensor.shape[1:])).astype("float32") for tensor in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"unbuilt"}))
def test_weights_go_both_ways_and_predict_the_same(name):
    theirs, ours = sides.both(MODELS[name])
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    assert [v.path for v in ours.weights] == [v.path for v in theirs.weights]
    assert [v.path for v in ours.trainable_variables] == [
        v.path for v in theirs.trainable_variables
    ]
    x = inputs_of(theirs)
    for giver, taker in ((theirs, ours), (ours, theirs)):
        rng = np.random.default_rng(6)
        giver.set_weights([rng.random(w.shape) for w in giver.get_weights()])
        taker.set_weights(giver.get_weights())
        results = [model.predict(x, verbose=0) for model in (ours, theirs)]
        one, other = ([r] if isinstance(r, np.ndarray) else r for r in results)
        for mine, its in zip(one, other, strict=True):
            assert_close(mine, its)


NAMED = [
    "layers.Conv2D(1, 1)", "layers.Conv2D(1, 1)", "layers.MaxPooling2D()", "layers.MaxPool2D()",
    "layers.Flatten()", "layers.Dense(1)", "layers.Dense(1)", "layers.Activation('relu')",
    "layers.ReLU()", "layers.LeakyReLU()", "layers.BatchNormalization()", "layers.Dropout(0.5)",
    "layers.Add()", "layers.Concatenate()", "layers.DepthwiseConv2D(1)", "layers.AvgPool2D(2)",
    "layers.GlobalAveragePooling2D()", "layers.InputLayer((2,))",
    "models.Sequential()", "models.Sequential([layers.Dense(1)])", "optimizers.SGD()",
    "optimizers.RMSprop()", "optimizers.Adam()", "losses.MeanSquaredError()",
    "losses.CategoricalCrossentropy()", "metrics.CategoricalAccuracy()", "layers.ELU()",
    "[i := layers.Input((2,)), models.Model(i, layers.Dense(1)(i))][-1]",
]  # fmt: skip


@pytest.mark.usefixtures("fresh_names")
def test_automatic_names_are_those_of_keras_and_count_alike():
    names = [[sides.evaluate(side, code).name for code in NAMED] for side in sides.BOTH]
    assert names[1] == names[0]


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"unbuilt"}))
def test_summaries_name_the_same_layers_shapes_and_parameters(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # a narrower screen would cut Keras's columns off
    told = []
    for model in sides.both(MODELS[name]):
        model.summary(print_fn=told.append, line_length=100)
    assert words(told[1]) == words(told[0])


def words(text):
    """The words of a table, without its lines."""
    return " ".join("".join(sign if sign.isascii() else " " for sign in text).split())
