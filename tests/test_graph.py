import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from convlab import config, layers, models, regularizers
from convlab.graph import Graph, SymbolicTensor
from layerchecks import arrays_for, differences
from modelchecks import assert_step_follows_gradient, step_gradients

L = layers


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


# ---- gradients through whole models -----------------------------------------------------


def sequential():
    return models.Sequential(
        [
            L.Input((4, 4, 1)),
            L.Conv2D(2, 2, activation="tanh"),
            L.MaxPooling2D(2, strides=1),
            L.Flatten(),
            L.Dense(2, activation="sigmoid"),
        ]
    )


def residual():
    image = L.Input((3, 3, 2))
    bent = L.Conv2D(2, 2, padding="same", activation="tanh")(image)
    bent = L.Conv2D(2, 1)(bent)
    return models.Model(image, L.GlobalAveragePooling2D()(L.Add()([image, bent])))


def shared():
    first, second = L.Input((3,)), L.Input((3,))
    layer, last = L.Dense(3, activation="tanh"), L.Dense(2)
    return models.Model([first, second], last(L.Add()([layer(first), layer(layer(second))])))


def two_in_two_out():
    first, second = L.Input((3,)), L.Input((2,))
    joined = L.Concatenate()([L.Dense(2, activation="tanh")(first), second])
    one = L.Dense(2)(joined)
    return models.Model([first, second], [one, L.Dense(1)(one)])


def nested():
    inner_input = L.Input((3,))
    hidden = L.Dense(2, activation="tanh", activity_regularizer="l2")(inner_input)
    inner = models.Model(inner_input, [hidden, L.Dense(2)(hidden)])
    outer_input = L.Input((3,))
    left, right = inner(outer_input)
    return models.Model(outer_input, L.Multiply()([left, right]))


def nested_twice():
    inner = models.Sequential([L.Input((3,)), L.Dense(3, activation="tanh")])
    outer_input = L.Input((3,))
    return models.Model(outer_input, L.Dense(2)(inner(inner(outer_input))))


def inside_and_outside():
    inner_input, layer = L.Input((3,)), L.Dense(3, activation="tanh", kernel_regularizer="l2")
    inner = models.Model(inner_input, layer(inner_input))
    outer_input = L.Input((3,))
    return models.Model(outer_input, layer(inner(outer_input)))


def half_used_nested():
    inner_input = L.Input((3,))
    hidden = L.Dense(2, activity_regularizer="l2")(inner_input)
    inner = models.Model(inner_input, [hidden, L.Dense(2, activity_regularizer="l1")(inner_input)])
    outer_input = L.Input((3,))
    return models.Model(outer_input, inner(L.Dense(3)(outer_input))[0])


def frozen_between():
    return models.Sequential(
        [L.Input((3,)), L.Dense(3), L.Dense(3, activation="tanh", trainable=False), L.Dense(2)]
    )


def frozen_below():
    return models.Sequential([L.Input((3,)), L.Dense(3, trainable=False), L.Dense(2)])


def normalized():
    return models.Sequential(
        [L.Input((3,)), L.Dense(3), L.BatchNormalization(), L.Dense(2, activation="tanh")]
    )


def dropped():
    return models.Sequential([L.Input((3,)), L.Dense(6), L.Dropout(0.5, seed=3), L.Dense(2)])


def penalized():
    return models.Sequential(
        [
            L.Input((3,)),
            L.Dense(
                3,
                kernel_regularizer=regularizers.L1L2(0.1, 0.2),
                bias_regularizer="l2",
                activity_regularizer=regularizers.L2(0.3),
            ),
            L.Activation("tanh", activity_regularizer="l1"),
            L.Dense(2, trainable=False, kernel_regularizer="l2", activity_regularizer="l2"),
        ]
    )


def output_inside():
    start = L.Input((3,))
    hidden = L.Dense(2, activation="tanh")(start)
    return models.Model(start, [L.Dense(1)(hidden), hidden, hidden])


def input_is_output():
    start = L.Input((3,))
    return models.Model(start, [start, L.Dense(2)(start)])


def from_the_middle():
    middle = L.Dense(3)(L.Input((3,)))
    return models.Model(middle, L.Dense(2)(middle))


# name: model, shapes of x, shapes of y, loss of each output
GRADIENTS = {
    "sequential": (sequential, [(2, 4, 4, 1)], [(2, 2)], ["mse"]),
    "residual": (residual, [(2, 3, 3, 2)], [(2, 2)], ["mse"]),
    "shared layer": (shared, [(2, 3), (2, 3)], [(2, 2)], ["mse"]),
    "inputs and outputs": (two_in_two_out, [(2, 3), (2, 2)], [(2, 2), (2, 1)], ["mse", "mse"]),
    "one output without loss": (
        two_in_two_out,
        [(2, 3), (2, 2)],
        [(2, 2), (2, 1)],
        [None, "mse"],
    ),
    "nested": (nested, [(2, 3)], [(2, 2)], ["mse"]),
    "nested and shared": (nested_twice, [(2, 3)], [(2, 2)], ["mse"]),
    "layer inside and outside": (inside_and_outside, [(2, 3)], [(2, 3)], ["mse"]),
    "nested, one output unused": (half_used_nested, [(2, 3)], [(2, 2)], ["mse"]),
    "frozen in the middle": (frozen_between, [(2, 3)], [(2, 2)], ["mse"]),
    "frozen at the beginning": (frozen_below, [(2, 3)], [(2, 2)], ["mse"]),
    "batch normalization": (normalized, [(4, 3)], [(4, 2)], ["mse"]),
    "dropout": (dropped, [(2, 3)], [(2, 2)], ["mse"]),
    "penalties": (penalized, [(2, 3)], [(2, 2)], ["mse"]),
    "outputs inside and twice": (
        output_inside,
        [(2, 3)],
        [(2, 1), (2, 2), (2, 2)],
        ["mse", "mse", "mae"],
    ),
    "input as output": (input_is_output, [(2, 3)], [(2, 3), (2, 2)], ["mse", "mse"]),
    "input from a graph's middle": (from_the_middle, [(2, 3)], [(2, 2)], ["mse"]),
}


def data(name):
    make, x_shapes, y_shapes, names = GRADIENTS[name]
    x, y = arrays_for(name, x_shapes), arrays_for(name + "y", y_shapes)
    return make(), (x if len(x) > 1 else x[0]), (y if len(y) > 1 else y[0]), names


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", GRADIENTS)
def test_step_of_training_follows_the_gradient_of_the_whole_loss(name):
    assert_step_follows_gradient(*data(name))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", ["sequential", "shared layer", "nested", "inputs and outputs"])
def test_input_gradient_of_a_model_is_exact(name):
    model, x, _, _ = data(name)
    inputs = x if isinstance(x, list) else [x]
    output, cache = model.run(x, False)
    outputs = output if isinstance(output, list) else [output]
    upstream = arrays_for(name + "upstream", [one.shape for one in outputs])

    def loss():
        found = model.run(x, False)[0]
        found = found if isinstance(found, list) else [found]
        return sum(float((o * u).sum()) for o, u in zip(found, upstream, strict=True))

    # Penalties inside belong to the loss of training, and to the way back as well.
    for layer in [part for one in model.layers for part in [one, *getattr(one, "layers", [])]]:
        layer.activity_regularizer = None
    gradients, _ = model.backward(upstream if len(upstream) > 1 else upstream[0], cache)
    for array, gradient in zip(
        inputs, gradients if isinstance(gradients, list) else [gradients], strict=True
    ):
        np.testing.assert_allclose(gradient, differences(loss, array), rtol=1e-6, atol=1e-8)


@pytest.mark.usefixtures("float64")
def test_weight_that_no_output_with_a_loss_depends_on_stays():
    model, x, y, _ = data("inputs and outputs")
    gradients = step_gradients(model, x, y, ["mse", None])
    assert [bool(np.any(gradient)) for gradient in gradients] == [True] * 4 + [False] * 2


def test_shared_layer_is_trained_once_per_step():
    model = shared()
    assert len(model.weights) == len({id(v) for v in model.weights}) == 4
    model.compile("sgd", "mse")
    model.train_on_batch([np.ones((2, 3))] * 2, np.ones((2, 2)))
    assert int(model.optimizer.iterations) == 1


def test_layer_outside_of_the_model_is_left_alone():
    start = L.Input((3,))
    outside = L.Dense(2)
    outside(start)
    model = models.Model(start, L.Dense(1)(start))
    assert outside not in model.layers
    assert len(model.weights) == 2


# ---- order, depth, memory --------------------------------------------------------------


def test_two_thousand_layers_are_walked_without_recursion():
    start = tensor = L.Input((2,))
    for _ in range(2000):
        tensor = L.Activation("linear")(tensor)
    model = models.Model(start, L.Dense(1)(tensor))
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    assert len(model.layers) == 2002
    assert model.predict(np.ones((2, 2)), verbose=0).shape == (2, 1)


def test_diamonds_are_walked_once_and_not_once_per_path():
    start = tensor = L.Input((2,))
    for _ in range(60):  # 2 ** 60 paths
        tensor = L.Add()([tensor, tensor])
    model = models.Model(start, tensor)
    assert len(model.graph.nodes) == 60
    np.testing.assert_array_equal(model(np.ones((1, 2))), 2.0**60)


def test_layers_stand_by_their_distance_from_the_outputs_then_as_they_are_met():
    first, second = L.Input((3,), name="first"), L.Input((3,), name="second")
    near, far = L.Dense(3, name="near"), L.Dense(3, name="far")
    output = L.Add(name="sum")([near(second), L.Dense(3, name="mid")(far(first))])
    model = models.Model([first, second], output)
    names = [layer.name for layer in model.layers]
    assert names == ["first", "second", "far", "near", "mid", "sum"]


def shared_near_and_far():
    """One layer at two distances from the output, fed by layers that are called differently."""
    inputs = L.Input((2,), name="a"), L.Input((2,), name="b")
    layers_by_name = {name: L.Dense(2, name=name) for name in ("p", "q", "s", "m1", "m2")}
    one = layers_by_name["s"](layers_by_name["p"](inputs[0]))
    two = layers_by_name["s"](layers_by_name["q"](inputs[1]))
    two = layers_by_name["m2"](layers_by_name["m1"](two))
    return models.Model(list(inputs), L.Add(name="sum")([one, two]))


def test_shared_layer_stands_where_it_is_farthest_and_so_does_what_feeds_it():
    names = [layer.name for layer in shared_near_and_far().layers]
    assert names == ["a", "b", "p", "q", "s", "m1", "m2", "sum"]  # as Keras


def test_layer_that_stands_inside_and_outside_counts_once():
    assert len(inside_and_outside().weights) == 2


class Watched(layers.Layer):
    """Counts how many of the arrays that it made are still there."""

    alive: list
    most = 0

    def forward(self, inputs, training=False):
        output = inputs + 1
        Watched.alive.append(weakref.ref(output))
        Watched.most = max(Watched.most, sum(ref() is not None for ref in Watched.alive))
        return output, (inputs, output)

    def backward(self, output_gradient, cache, input_gradient=True):
        return output_gradient, []


def stack_of_watched(count):
    return [Watched() for _ in range(count)]


@pytest.mark.parametrize("form", ["flat", "nested"])
def test_prediction_lets_arrays_go_when_their_last_reader_is_done(form):
    Watched.alive, Watched.most = [], 0
    inner = models.Sequential([L.Input((4,)), *stack_of_watched(8)])
    model = inner if form == "flat" else models.Sequential([L.Input((4,)), inner])
    model.predict(np.zeros((2, 4)), verbose=0)
    assert Watched.most <= 2  # the one that is read and the one that is written
    gc.collect()
    assert not any(ref() is not None for ref in Watched.alive)


def test_call_and_training_leave_no_array_behind():
    Watched.alive, Watched.most = [], 0
    model = models.Sequential([L.Input((4,)), L.Dense(4), *stack_of_watched(3)])
    model.compile("sgd", "mse")
    model(np.zeros((2, 4)))
    model.fit(np.zeros((2, 4)), np.zeros((2, 4)), verbose=0)
    gc.collect()
    assert not any(ref() is not None for ref in Watched.alive)


def test_prediction_of_many_layers_needs_the_memory_of_a_few_arrays():
    model = models.Sequential([L.Input((1000,)), *[L.Activation("relu") for _ in range(20)]])
    x = np.ones((100, 1000), "float32")
    model.predict(x, verbose=0)
    tracemalloc.start()
    model.predict(x, batch_size=100, verbose=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * x.nbytes


# ---- what cannot be a graph, and symbolic tensors ---------------------------------------


def test_output_that_the_inputs_do_not_reach_is_refused():
    first, second = L.Input((3,), name="first"), L.Input((3,), name="second")
    with pytest.raises(
        ValueError, match=r"not connected to `inputs`.*'second'.*Received: inputs=\['first'\].*Add"
    ):
        models.Model(first, L.Add()([first, second]))


def test_input_may_lead_nowhere_as_in_keras():
    first, second = L.Input((3,)), L.Input((3,))
    model = models.Model([first, second], L.Dense(1)(first))
    assert model.predict([np.ones((2, 3))] * 2, verbose=0).shape == (2, 1)
    model.compile("sgd", "mse")
    model.fit([np.ones((2, 3))] * 2, np.ones((2, 1)), verbose=0)


USES = {
    "arithmetic": lambda t: t + 1,
    "arithmetic on the left": lambda t: 2 * t,
    "power": lambda t: t**2,
    "minus": lambda t: -t,
    "matrix product": lambda t: t @ t,
    "index": lambda t: t[0],
    "if": lambda t: 1 if t else 0,
    "loop": list,
}


@pytest.mark.parametrize("use", USES)
def test_symbolic_tensor_refuses_what_needs_numbers(use):
    with pytest.raises(TypeError, match=r"holds no numbers.*Received: .*(Use a layer|give the)"):
        USES[use](L.Input((3,)))


@pytest.mark.parametrize("use", [np.asarray, np.sum, lambda t: np.ones(3) + t])
def test_symbolic_tensor_is_no_array(use):
    with pytest.raises(ValueError, match=r"holds no numbers.*Received: a conversion to an array"):
        use(L.Input((3,)))


def test_symbolic_tensor_knows_shape_dtype_and_name():
    tensor = L.Dense(4, name="four")(L.Input((3,), dtype="uint8"))
    assert isinstance(tensor, SymbolicTensor)
    assert (tensor.shape, tensor.ndim, tensor.dtype) == ((None, 4), 2, "float32")
    assert repr(tensor) == "<SymbolicTensor shape=(None, 4), dtype=float32, name=four>"


def test_layer_called_with_a_tensor_beside_an_array_is_refused():
    with pytest.raises(ValueError, match=r"symbolic tensors alone.*ndarray beside one"):
        L.Add()([L.Input((3,)), np.ones((1, 3))])


def test_graph_computes_without_a_model():
    start = L.Input((2,))
    graph = Graph([start], [L.Add()([start, start])])
    outputs, calls = graph.forward([np.ones((1, 2), "float32")], training=False)
    np.testing.assert_array_equal(outputs[0], [[2, 2]])
    gradients, _ = graph.backward([np.ones((1, 2), "float32")], calls, input_gradient=True)
    np.testing.assert_array_equal(gradients[0], [[2, 2]])
