"""Configs: a model written down and made again, and what no config may do."""

import copy
import json

import numpy as np
import pytest

from convlab import layers, models
from convlab.models.configs import DEEPEST


def conv(name, filters=2, **kwargs):
    return layers.Conv2D(filters, 3, padding="same", name=name, **kwargs)


def image(name="image", size=6):
    return layers.Input((size, size, 2), name=name)


def chain():
    return models.Sequential([image(), conv("a", activation="relu"), conv("b")], name="chain")


def residual():
    x = image()
    y = layers.Add(name="sum")([x, conv("a")(x)])
    return models.Model(x, y, name="residual")


def shared():
    one, other, twice = image("one"), image("other"), conv("twice")
    return models.Model([one, other], {"u": twice(one), "v": twice(twice(other))}, name="shared")


def named_inputs():
    one, other = image("one"), image("other")
    return models.Model({"p": one, "q": other}, [layers.Add(name="sum")([one, other])], name="ins")


def nested():
    x = image()
    inside = models.Model(x, conv("inner")(x), name="inside")
    row = models.Sequential([conv("c"), conv("d")], name="row")
    y = inside(inside(x))
    return models.Model(x, [row(y), y], name="nested")


def two_in_two_out():
    one, other, twice = image("one"), image("other"), conv("twice")
    inside = models.Model([one, other], [twice(one), twice(other)], name="inside")
    return models.Model([one, other], inside([one, other])[::-1], name="outside")


def cut():
    whole = chain()
    return models.Model(whole.layers[0].output, whole.output, name="cut")


def unbuilt():
    return models.Sequential([conv("a"), conv("b")], name="unbuilt")


def every_layer():
    return models.Sequential(
        [
            image(size=16),
            conv(
                "c", kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="non_neg"
            ),
            layers.BatchNormalization(name="n"),
            layers.MaxPooling2D(2, name="m"),
            layers.DepthwiseConv2D(3, name="d"),
            layers.AveragePooling2D(2, name="p"),
            layers.Activation("relu", name="r"),
            layers.Dropout(0.5, name="o"),
            layers.Flatten(name="f"),
            layers.Dense(3, activation="softmax", name="e"),
        ],
        name="every",
    )


MODELS = [
    chain, residual, shared, named_inputs, nested, two_in_two_out, cut, unbuilt, every_layer
]  # fmt: skip
BUILT = [make for make in MODELS if make is not unbuilt]


def batch_for(model):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((2, *tensor.shape[1:]), np.float32) for tensor in model.inputs]
    if isinstance(model.input, dict):
        return dict(zip(model.input, arrays, strict=True))
    return arrays if isinstance(model.input, (list, tuple)) else arrays[0]


def flat(output):
    if isinstance(output, dict):
        return list(output.values())
    return list(output) if isinstance(output, list) else [output]


@pytest.mark.parametrize("make", MODELS)
def test_a_model_made_from_its_json_has_the_same_json(make):
    text = make().to_json()
    assert models.model_from_json(text).to_json() == text


@pytest.mark.parametrize("make", BUILT)
def test_a_model_made_from_its_config_computes_the_same_from_the_same_weights(make):
    model = make()
    twin = type(model).from_config(model.get_config())
    twin.set_weights(model.get_weights())
    data = batch_for(model)
    first, second = model(data), twin(data)
    assert type(first) is type(second)
    for one, other in zip(flat(first), flat(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_config_is_json_in_the_form_of_keras():
    config = json.loads(residual().to_json())
    assert list(config) == [
        "module", "class_name", "config", "registered_name", "build_config", "compile_config"
    ]  # fmt: skip
    assert config["class_name"] == "Functional"
    inner = config["config"]
    assert list(inner) == ["name", "trainable", "layers", "input_layers", "output_layers"]
    assert inner["input_layers"] == ["image", 0, 0]
    assert inner["output_layers"] == ["sum", 0, 0]
    reads = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 6, 6, 2], "dtype": "float32", "keras_history": [name, 0, 0]},
        }
        for name in ("image", "a")
    ]
    assert inner["layers"][2]["inbound_nodes"] == [{"args": [reads], "kwargs": {}}]


def test_a_functional_model_inside_another_is_counted_as_keras_counts_it():
    config = nested().get_config()
    assert config["output_layers"] == [["row", 0, 0], ["inside", 2, 0]]
    inside = next(part for part in config["layers"] if part["name"] == "inside")
    history = inside["inbound_nodes"][1]["args"][0]["config"]["keras_history"]
    assert history == ["inside", 0, 0]
    assert inside["inbound_nodes"][0]["kwargs"] == {"mask": None}


def test_calls_outside_the_model_do_not_count():
    one, other, layer = image("one"), image("other"), conv("layer")
    layer(one)
    config = models.Model(other, layer(other)).get_config()
    assert config["output_layers"] == ["layer", 0, 0]
    assert len(config["layers"][1]["inbound_nodes"]) == 1


def test_layers_may_stand_in_any_order():
    model = nested()
    config = model.get_config()
    config["layers"] = config["layers"][::-1]
    twin = models.Model.from_config(config)
    assert twin.output_shape == model.output_shape


def test_what_is_trained_survives():
    model = residual()
    model.get_layer("a").trainable = False
    twin = models.Model.from_config(model.get_config())
    assert twin.trainable
    assert twin.trainable_variables == []
    model.trainable = False
    model.get_layer("a").trainable = True
    assert not models.Model.from_config(model.get_config()).trainable


def test_a_clone_has_weights_of_its_own():
    model = chain()
    clone = models.clone_model(model)
    assert clone.get_config() == model.get_config()
    clone.set_weights([np.zeros_like(array) for array in clone.get_weights()])
    assert any(array.any() for array in model.get_weights())


class Halved(layers.Layer):
    def forward(self, inputs, training=False):
        return inputs / 2, None

    def backward(self, output_gradient, cache, input_gradient=True):
        return output_gradient / 2, []


def test_a_layer_of_ones_own_comes_from_custom_objects():
    x = image()
    text = models.Model(x, Halved(name="half")(x)).to_json()
    model = models.model_from_json(text, {"Halved": Halved})
    assert type(model.get_layer("half")) is Halved
    with pytest.raises(TypeError, match=r"Could not locate class 'Halved'.*custom_objects"):
        models.model_from_json(text)


def test_a_model_class_of_ones_own_comes_from_custom_objects():
    class Mine(models.Model):
        pass

    x = image()
    text = Mine(x, conv("a")(x), name="mine").to_json()
    assert type(models.model_from_json(text, {"Mine": Mine})) is Mine


def edited(make, path, value):
    config = copy.deepcopy(json.loads(json.dumps(make().get_config())))
    place = config
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return config


TENSOR = ("layers", 1, "inbound_nodes", 0, "args", 0)
BROKEN = {
    "no layers": (("layers",), None, '"layers"'),
    "no outputs": (("output_layers",), None, '"output_layers"'),
    "layers are text": (("layers",), "abc", '"layers"'),
    "a layer is a number": (("layers", 1), 7, "must be a mapping"),
    "no class": (("layers", 1, "class_name"), None, '"class_name"'),
    "no arguments": (("layers", 1, "config"), None, '"config"'),
    "no calls": (("layers", 1, "inbound_nodes"), None, '"inbound_nodes"'),
    "unknown class": (("layers", 1, "class_name"), "os.system", "Could not locate"),
    "one name twice": (("layers", 1, "name"), "image", "different names"),
    "reads nothing known": ((*TENSOR, "config", "keras_history"), ["x", 0, 0], "must read"),
    "reads itself": ((*TENSOR, "config", "keras_history"), ["sum", 0, 0], "without loops"),
    "negative call": ((*TENSOR, "config", "keras_history"), ["image", -1, 0], "is named by"),
    "no such output": ((*TENSOR, "config", "keras_history"), ["image", 0, 9], "image.0..9."),
    "no history": ((*TENSOR, "config", "keras_history"), None, '"keras_history"'),
    "no tensor": (TENSOR, 3, "must read"),
    "training at a call": (
        ("layers", 1, "inbound_nodes", 0, "kwargs"), {"training": True}, "one argument, the inputs"
    ),
    "two arguments": (("layers", 1, "inbound_nodes", 0, "args"), [1, 2], "one argument"),
    "unknown argument of a layer": (
        ("layers", 1, "config", "code"), "import os", "Unrecognized keyword"
    ),
    "wrong end": (("output_layers",), ["sum", 5, 0], "outputs that there are"),
    "end is a number": (("input_layers",), 5, '"input_layers"'),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_config_is_refused(case):
    path, value, message = BROKEN[case]
    with pytest.raises((ValueError, TypeError), match=message):
        models.Model.from_config(edited(residual, path, value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("name",), None, '"name"'),
        (("layers",), None, '"layers"'),
        (("layers", 1), "Conv2D", "must be a mapping"),
        (("layers", 0), {"class_name": "L2", "config": {}}, "Could not locate"),
    ],
)
def test_a_broken_sequential_config_is_refused(path, value, message):
    with pytest.raises((ValueError, TypeError), match=message):
        models.Sequential.from_config(edited(chain, path, value))


def test_models_in_models_end_somewhere():
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": []}}
    for _ in range(DEEPEST + 1):
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": [config]}}
    with pytest.raises(ValueError, match=f"at most {DEEPEST} deep"):
        models.model_from_json(json.dumps(config))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff", "3", '{"class_name": 3}'])
def test_text_that_is_no_model_is_refused(text):
    with pytest.raises(ValueError, match=r"must be JSON|must be a mapping|must have"):
        models.model_from_json(text)


def test_a_layer_alone_is_no_model():
    text = json.dumps(layers.serialize(conv("a")))
    with pytest.raises(ValueError, match="must be a model's"):
        models.model_from_json(text)


def test_hundreds_of_layers_in_reverse_order_are_wired_without_recursion():
    x = y = image(size=3)
    for number in range(1500):
        y = layers.Activation("relu", name=f"r{number}")(y)
    config = models.Model(x, y).get_config()
    config["layers"] = config["layers"][::-1]
    assert len(models.Model.from_config(config).layers) == 1501


def test_adding_layers_walks_the_graph_once_and_not_once_for_each(monkeypatch):
    made = []
    real = models.sequential.Graph
    monkeypatch.setattr(models.sequential, "Graph", lambda *ends: made.append(1) or real(*ends))
    many = [layers.Activation("relu") for _ in range(50)]
    model = models.Sequential([layers.Input((2,)), *many])
    assert model(np.ones((1, 2))).shape == (1, 2)
    assert len(made) == 1


def test_a_layer_that_was_called_elsewhere_can_be_taken_away():
    model = chain()
    last = model.layers[-1]
    last(image("elsewhere"))
    assert model.pop() is last
    assert model.output is model.layers[-1].output
    assert len(model.get_config()["layers"]) == 2
