import numpy as np
import pytest

import convlab
from convlab import layers, models

L = layers


def simple(name=None):
    return models.Sequential(
        [
            L.Input((4, 4, 1)),
            L.Conv2D(2, 3, name="conv"),
            L.Flatten(name="flatten"),
            L.Dense(3, name="dense"),
        ],
        name=name,
    )


# ---- Sequential --------------------------------------------------------------------------


def test_sequential_is_its_layers_applied_in_turn():
    model = simple()
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 1)).astype("float32")
    expected = x
    for layer in model.layers:
        expected = layer(expected)
    np.testing.assert_array_equal(model(x), expected)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_layers_leave_the_input_out_and_weights_keep_the_order_of_keras():
    model = simple()
    assert [layer.name for layer in model.layers] == ["conv", "flatten", "dense"]
    assert [v.name for v in model.weights] == ["kernel", "bias"] * 2
    assert [v.shape for v in model.weights] == [(3, 3, 1, 2), (2,), (8, 3), (3,)]
    assert model.weights[0].path == f"{model.name}/conv/kernel"
    assert (model.input_shape, model.output_shape) == ((None, 4, 4, 1), (None, 3))
    assert model.count_params() == 20 + 27


def unbuilt():
    return models.Sequential([L.Conv2D(2, 3), L.Flatten(), L.Dense(3)])


BUILDS = {
    "call": lambda m, x: m(x),
    "predict": lambda m, x: m.predict(x, verbose=0),
    "build": lambda m, x: m.build(x.shape),
    "symbolic call": lambda m, x: m(L.Input(x.shape[1:])),
    "fit": lambda m, x: [m.compile("sgd", "mse"), m.fit(x, np.ones((len(x), 3)), verbose=0)],
}


@pytest.mark.parametrize("how", BUILDS)
def test_sequential_without_input_is_built_by_what_it_sees_first(how):
    model = unbuilt()
    assert not model.built
    assert (model.weights, model.trainable_variables, model.get_weights()) == ([], [], [])
    BUILDS[how](model, np.ones((2, 4, 4, 1), "float32"))
    assert model.built
    assert (model.output_shape, len(model.weights)) == ((None, 3), 4)
    assert model(np.ones((5, 4, 4, 1))).shape == (5, 3)  # of any batch size


@pytest.mark.parametrize("what", ["output_shape", "input_shape", "inputs", "output", "graph"])
def test_what_needs_a_shape_says_so_before_there_is_one(what):
    with pytest.raises(ValueError, match=r"not built yet.*Begin it with layers\.Input\(shape\)"):
        getattr(unbuilt(), what)


def test_count_of_parameters_needs_a_built_model():
    with pytest.raises(ValueError, match="isn't built"):
        unbuilt().count_params()


def test_output_shape_can_be_asked_before_the_build():
    assert unbuilt().compute_output_shape((None, 4, 4, 1)) == (None, 3)


def test_error_of_a_build_shows_the_shape_that_was_given():
    with pytest.raises(ValueError, match=r"zero or negative.*input shape=\(None, 2, 2, 1\)"):
        unbuilt().predict(np.ones((1, 2, 2, 1)), verbose=0)


def test_failed_build_leaves_no_layer_half_built():
    inner = models.Sequential([L.Dense(2)], name="inner")
    model = models.Sequential([L.Conv2D(2, 3), inner, L.Conv2D(1, 9)])
    with pytest.raises(ValueError, match="zero or negative"):
        model.build((None, 5, 5, 3))
    assert not any([model.built, inner.built, model.layers[0].built, inner.layers[0].built])
    assert model.weights == []
    model.build((None, 12, 12, 1))  # another number of channels than the first time
    assert model.output_shape == (None, 2, 2, 1)


def test_layers_are_added_and_taken_away():
    model = models.Sequential()
    model.add(L.Input((4,)))
    model.add(L.Dense(3))
    last = L.Dense(2)
    model.add(last)
    assert model.output_shape == (None, 2)
    assert model.pop() is last
    assert (model.output_shape, len(model.weights)) == ((None, 3), 2)
    with pytest.raises(AttributeError, match="never called with a symbolic tensor"):
        _ = last.output  # it stands in no graph any more
    model.add(last)  # and can be put back
    assert model(np.ones((1, 4))).shape == (1, 2)


def test_layer_that_does_not_fit_is_not_added():
    model = models.Sequential([L.Input((4,)), L.Dense(3)])
    with pytest.raises(ValueError, match="expected min_ndim=4, found ndim=2"):
        model.add(L.Conv2D(2, 3))
    assert len(model.layers) == 1
    assert model(np.ones((1, 4))).shape == (1, 3)


def test_layers_of_an_unbuilt_model_can_be_taken_away():
    model = unbuilt()
    model.pop()
    model.build((None, 4, 4, 1))
    assert model.output_shape == (None, 8)


def test_models_may_share_layers_and_so_weights():
    layer = L.Dense(2)
    one = models.Sequential([L.Input((3,)), layer])
    other = models.Sequential([L.Input((3,)), L.Activation("relu"), layer])
    one.compile("sgd", "mse")
    one.train_on_batch(np.ones((1, 3)), np.ones((1, 2)))
    np.testing.assert_array_equal(one(np.ones((1, 3))), other(np.ones((1, 3))))


def test_first_layer_may_say_the_shape_of_its_input():
    with pytest.warns(UserWarning, match=r"Do not pass an `input_shape`"):
        model = models.Sequential([L.Dense(2, input_shape=(3,))])
    assert model.input_shape == (None, 3)


def test_model_may_be_a_layer():
    inner = simple(name="inner")
    model = models.Sequential([inner, L.Dense(1)])
    assert model.input_shape == (None, 4, 4, 1)
    assert [layer.name for layer in model.layers] == ["inner", model.layers[1].name]
    assert len(model.weights) == 6
    x = np.ones((2, 4, 4, 1))
    np.testing.assert_array_equal(model(x), model.layers[1](inner(x)))


REFUSED_LAYERS = {
    "class": (lambda: L.Dense, "Only layers can be added.*Received: .*type.*call the class"),
    "number": (lambda: 3, "Only layers can be added.*Received: 3 of type int"),
    "function": (lambda: np.tanh, "Only layers can be added.*Received:"),
    "None": (lambda: None, "Only layers can be added.*Received: None"),
    "name that is taken": (lambda: L.Dense(1, name="dense"), "unique names.*'dense'.*`name`"),
    "second input": (lambda: L.Input((3,)), "one input, at its beginning.*Received: 'input_layer"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_LAYERS)
def test_what_cannot_stand_in_a_sequential_is_refused(case):
    make, message = REFUSED_LAYERS[case]
    model = simple()
    with pytest.raises(ValueError, match=message):
        model.add(make())
    assert len(model.layers) == 3


def test_layer_of_several_outputs_is_refused():
    start = L.Input((3,))
    fork = models.Model(start, [L.Dense(1)(start), L.Dense(1)(start)])
    with pytest.raises(ValueError, match=r"must have one output.*with 2\. Use Model"):
        models.Sequential([L.Input((3,)), fork])


@pytest.mark.parametrize("given", [L.Dense(1), 3, "conv"])
def test_layers_must_be_a_list(given):
    with pytest.raises(ValueError, match=r"Received|Only layers"):
        models.Sequential(given)


def test_argument_of_a_layer_given_to_add_is_explained():
    with pytest.raises(
        TypeError, match=r"kernel_regularizer.*Received: .*='l2'.*Conv2D\(\.\.\., k"
    ):
        models.Sequential().add(L.Conv2D(2, 3), kernel_regularizer="l2")


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: models.Sequential().pop(), IndexError, "no layer to take away. Received: 'seq"),
        (lambda: models.Sequential().build((None, 3)), ValueError, "no layers yet.*model.add"),
        (lambda: unbuilt().build(None), ValueError, r"Received: input_shape=None.*build\("),
        (lambda: unbuilt().build([(1, 2), (1, 2)]), ValueError, "one input.*Received: 2 shapes"),
    ],
)
def test_empty_and_shapeless_models_say_what_is_missing(build, error, message):
    with pytest.raises(error, match=message):
        build()


# ---- Model -------------------------------------------------------------------------------


def forms():
    one, two = L.Input((2,), name="one"), L.Input((3,), name="two")
    joined = L.Concatenate(name="joined")([one, two])
    return one, two, joined, L.Dense(2, name="dense")(joined)


A, B = np.ones((2, 2)), np.full((2, 3), 2.0)


def test_inputs_are_given_as_a_list_or_by_name():
    one, two, joined, _ = forms()
    by_place, by_key = models.Model([one, two], joined), models.Model({"p": one, "q": two}, joined)
    expected = np.concatenate([A, B], axis=1)
    for answer in (
        by_place([A, B]), by_place((A, B)), by_place({"two": B, "one": A}),
        by_key({"q": B, "p": A}), by_key([A, B]),
        by_key.predict({"p": A, "q": B, "more": A}, verbose=0),
    ):  # fmt: skip
        np.testing.assert_array_equal(answer, expected)


def test_names_of_inputs_that_are_missing_are_told():
    one, two, joined, _ = forms()
    with pytest.raises(ValueError, match=r"named input.*\['one', 'two'\].*Missing: \['two'\]"):
        models.Model([one, two], joined)({"one": A})


def test_shapes_keep_the_form_of_inputs_and_outputs():
    one, two, joined, out = forms()
    model = models.Model({"p": one, "q": two}, [joined, out])
    assert model.input_shape == {"p": (None, 2), "q": (None, 3)}
    assert model.output_shape == [(None, 5), (None, 2)]
    assert model.compute_output_shape([(4, 2), (4, 3)]) == [(4, 5), (4, 2)]
    assert model.output_names() == ["joined", "dense"]
    assert models.Model([one, two], out).output_shape == (None, 2)


def test_list_of_one_is_that_one_as_in_keras():
    start = L.Input((3,))
    model = models.Model([start], [L.Dense(2)(start)])
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
    for answer in (
        model(B),
        model([B]),
        model.predict(B, verbose=0),
        model.predict([B], verbose=0),
    ):
        assert isinstance(answer, np.ndarray)


def test_model_of_dicts_stands_in_another_as_a_layer():
    one, two, joined, out = forms()
    inner = models.Model({"p": one, "q": two}, {"a": joined, "b": out})
    first, second = L.Input((2,)), L.Input((3,))
    answer = inner({"q": second, "p": first})
    assert list(answer) == ["a", "b"]
    outer = models.Model([first, second], answer["b"])
    np.testing.assert_array_equal(outer([A, B]), inner([A, B])["b"])


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "uint8", "bool"])
def test_call_casts_numbers_of_any_dtype(dtype):
    answer = simple()(np.ones((1, 4, 4, 1), dtype))
    assert answer.dtype == np.float32


def test_call_takes_variables():
    x = convlab.variables.Variable(np.ones((1, 4, 4, 1)))
    assert simple()(x).shape == (1, 3)


def test_input_dtype_is_what_the_model_casts_to():
    start = L.Input((2,), dtype="uint8")
    model = models.Model(start, L.Activation("linear")(start))
    np.testing.assert_array_equal(model(np.array([[1.9, 3.0]])), [[1, 3]])


def test_numbers_too_large_for_the_dtype_become_infinite():
    start = L.Input((1,))
    assert models.Model(start, L.Activation("relu")(start))(np.array([[1e300]])) == np.inf


def test_last_axis_of_one_channel_may_be_missing_or_too_many_as_in_keras():
    model = simple()
    x = np.arange(32.0).reshape(2, 4, 4, 1)
    for given in (x[..., 0], x[..., None]):
        np.testing.assert_array_equal(model(given), model(x))
        np.testing.assert_array_equal(model.predict(given, verbose=0), model(x))


def test_batch_of_an_input_binds_nobody():
    start = L.Input((3,), batch_size=4)
    model = models.Model(start, L.Dense(1)(start))
    assert model.predict(np.ones((10, 3)), verbose=0).shape == (10, 1)


def test_size_that_is_open_takes_any_image():
    start = L.Input((None, None, 1))
    model = models.Model(start, L.GlobalAveragePooling2D()(L.Conv2D(2, 3)(start)))
    assert model(np.ones((1, 5, 7, 1))).shape == model(np.ones((1, 9, 3, 1))).shape == (1, 2)


REFUSED_INPUTS = {
    "image without batch": (np.ones((4, 4, 1)), r"found shape=\(4, 4, 1\).*x\[None\]"),
    "other size": (np.ones((2, 5, 5, 1)), r"expected shape=\(None, 4, 4, 1\), found .*5, 5, 1"),
    "channels": (np.ones((2, 4, 4, 3)), r"expected shape=\(None, 4, 4, 1\)"),
    "two": ([np.ones((2, 4, 4, 1))] * 2, r"expects 1 input\(s\).*Received: 2"),
    "list": ([[1.0]], "NumPy arrays. Received: Sequential called with list.*np.array"),
    "None": (None, "called with NoneType"),
    "text": ("image", "called with str"),
    "complex": (np.ones((1, 4, 4, 1), complex), "dtype complex128. Numbers"),
}


@pytest.mark.parametrize("case", REFUSED_INPUTS)
def test_call_with_what_does_not_fit_is_refused(case):
    given, message = REFUSED_INPUTS[case]
    with pytest.raises(ValueError, match=message):
        simple()(given)


def test_layers_are_found_by_name_and_place():
    model = simple()
    assert model.get_layer("dense") is model.get_layer(index=2) is model.get_layer(index=-1)
    for arguments, message in [
        ({}, "either `name` or `index`. Received: name=None, index=None"),
        ({"name": "dense", "index": 0}, "either `name` or `index`"),
        ({"name": "dens"}, r"No such layer. Received: name='dens'.*\['conv', 'flatten', 'dense'\]"),
        ({"index": 3}, "has 3 layers. Received: index=3"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.get_layer(**arguments)


def test_freezing_a_model_freezes_every_layer_in_it():
    inner = simple()
    model = models.Sequential([L.Input((4, 4, 1)), inner, L.Dense(1)])
    inner.trainable = False
    assert [layer.trainable for layer in inner.layers] == [False] * 3
    assert len(model.trainable_variables) == 2
    assert len(model.non_trainable_variables) == 4
    before = inner.get_weights()
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, 4, 4, 1)), np.zeros((2, 1)))
    for old, new in zip(before, inner.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.trainable = True
    assert len(model.trainable_variables) == 6


@pytest.mark.parametrize("make", [
    lambda: models.Sequential([L.Input((2,)), L.Dense(1)], trainable=False),
    lambda: models.Model(s := L.Input((2,)), L.Dense(1)(s), trainable=False),
])  # fmt: skip
def test_model_can_be_made_frozen(make):
    assert make().trainable_variables == []


def test_weights_are_set_all_or_none():
    model = simple()
    before = model.get_weights()
    with pytest.raises(ValueError, match="expecting 4 weights"):
        model.set_weights(before[:3])
    with pytest.raises(ValueError, match=r"shape \(3,\) is not compatible.*\(4,\)"):
        model.set_weights([np.zeros((3, 3, 1, 2)), *before[1:3], np.zeros(4)])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_losses_of_a_model_are_those_of_its_last_call_and_of_its_weights():
    model = models.Sequential(
        [
            L.Input((1,)),
            L.Dense(
                1, kernel_initializer="ones", activity_regularizer="l1", kernel_regularizer="l2"
            ),
        ]
    )
    assert model.losses == pytest.approx([0.01])
    for _ in range(2):  # nothing is piled up
        model(np.array([[2.0], [4.0]]))
        assert model.losses == pytest.approx([0.03, 0.01])


def test_feature_extractor_shares_the_layers():
    model = simple()
    features = models.Model(model.inputs, model.get_layer("conv").output)
    x = np.ones((1, 4, 4, 1))
    np.testing.assert_array_equal(features(x), model.get_layer("conv")(x))
    assert features.weights[0] is model.weights[0]


OLD = {
    "old names": (
        {"input": 1, "output": 2}, "Unrecognized keyword.*'input', 'output'.*`inputs` for input"
    ),
    "unknown": ({"loss": "mse"}, r"Unrecognized keyword arguments passed to Model: \['loss'\]"),
}  # fmt: skip


@pytest.mark.parametrize("case", OLD)
def test_arguments_that_a_model_does_not_have_are_refused(case):
    arguments, message = OLD[case]
    with pytest.raises(ValueError, match=message):
        models.Model(**arguments)


REFUSED_MODELS = {
    "nothing": (lambda: models.Model(), "`inputs`.*symbolic tensors.*Received: none"),
    "no outputs": (lambda: models.Model(L.Input((2,))), "`outputs`.*Received: none"),
    "array": (lambda: models.Model(np.ones(2), L.Input((2,))), "`inputs`.*Received: ndarray"),
    "layer": (
        lambda: models.Model(L.Input((2,)), L.Dense(1)), "`outputs`.*Received: Dense.*is a layer"
    ),
    "slash": (lambda: simple(name="a/b"), "without \"/\".*'a/b'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_MODELS)
def test_model_of_what_is_no_graph_is_refused(case):
    make, message = REFUSED_MODELS[case]
    with pytest.raises(ValueError, match=message):
        make()


def test_two_layers_of_one_name_are_refused():
    start = L.Input((2,))
    with pytest.raises(ValueError, match=r'name "d" is used 2 times.*should be unique.*Give one'):
        models.Model(start, L.Dense(1, name="d")(L.Dense(1, name="d")(start)))


def test_automatic_names_are_those_of_keras():
    convlab.utils.clear_session()
    start = L.Input((2,))
    names = [models.Model(start, L.Dense(1)(start)).name for _ in range(2)]
    assert [*names, models.Sequential().name] == ["functional", "functional_1", "sequential"]


def test_functional_paths_are_those_of_the_layers():
    start = L.Input((2,))
    model = models.Model(start, L.Dense(1, name="d")(start), name="outer")
    assert [v.path for v in model.weights] == ["d/kernel", "d/bias"]
