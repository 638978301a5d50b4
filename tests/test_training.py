import numpy as np
import pytest

from convlab import callbacks, layers, losses, metrics, models, optimizers, random, utils

L = layers
RNG = np.random.default_rng(5)
X = RNG.normal(size=(12, 3)).astype("float32")
LABELS = RNG.integers(3, size=12)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
WEIGHTS = RNG.random(12).astype("float32")


def classifier(**options):
    """Three classes from three numbers; always the same weights."""
    model = models.Sequential([L.Input((3,)), L.Dense(3, activation="softmax")])
    model.set_weights([np.linspace(-1, 1, 9).reshape(3, 3), [0.1, 0.0, -0.1]])
    settings = {"optimizer": optimizers.SGD(0.5), "loss": "categorical_crossentropy"}
    model.compile(**{**settings, "metrics": ["accuracy"], **options})
    return model


def line(**options):
    """y = x, never trained: the loss of a sample is what the sample holds."""
    model = models.Sequential(
        [L.Input((1,)), L.Dense(1, use_bias=False, kernel_initializer="ones", trainable=False)]
    )
    model.compile(**{"optimizer": "sgd", "loss": "mae", **options})
    return model


def numbers(count):
    return np.arange(float(count))[:, None], np.zeros((count, 1))


def fit(model, x=X, y=ONE_HOT, **options):
    return model.fit(x, y, **{"verbose": 0, "batch_size": 5, **options})


# ---- what is reported -------------------------------------------------------------------


def test_epoch_loss_is_the_mean_over_samples_not_over_batches():
    x, y = numbers(5)
    history = line().fit(x, y, batch_size=2, shuffle=False, verbose=0)
    assert history.history == {"loss": [2.0]}


def test_reported_numbers_are_from_before_the_steps():
    model, untouched = classifier(), classifier()
    expected = untouched.evaluate(X, ONE_HOT, verbose=0)
    history = fit(model, batch_size=12).history
    assert [history["loss"][0], history["accuracy"][0]] == pytest.approx(expected)
    assert model.evaluate(X, ONE_HOT, verbose=0)[0] < expected[0]


def test_means_begin_anew_in_each_epoch():
    x, y = numbers(4)
    assert line().fit(x, y, epochs=3, verbose=0).history["loss"] == [1.5, 1.5, 1.5]


def test_loss_is_cross_entropy_by_hand():
    model = classifier()
    chances = model.predict(X, verbose=0)
    by_hand = -np.log(chances[np.arange(12), LABELS]).mean()
    assert model.evaluate(X, ONE_HOT, verbose=0)[0] == pytest.approx(by_hand, rel=1e-5)


def test_penalties_count_in_fit_and_in_evaluate():
    model = models.Sequential(
        [
            L.Input((1,)),
            L.Dense(
                1, kernel_initializer="ones", kernel_regularizer="l2", activity_regularizer="l1"
            ),
        ]
    )
    model.compile(optimizers.SGD(0.0), loss="mae")
    x, y = numbers(4)
    expected = 1.5 + 0.01 * 1 + 0.01 * 6 / 4
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected)
    assert model.fit(x, y, verbose=0).history["loss"] == pytest.approx([expected])
    model.layers[0].trainable = False  # a weight that is not trained has no penalty
    assert model.evaluate(x, y, verbose=0) == pytest.approx(1.5 + 0.01 * 6 / 4)


def test_history_has_sorted_keys_python_floats_epochs_and_params():
    history = fit(classifier(), epochs=2, validation_split=0.25)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert history.epoch == [0, 1]
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 2}


def test_fit_returns_the_models_history_and_a_new_one_each_time():
    model = classifier()
    first = fit(model)
    assert first is model.history
    assert fit(model) is not first


def test_no_epochs_give_an_empty_history_and_no_step():
    model = classifier()
    before = model.get_weights()
    history = fit(model, epochs=0)
    assert (history.history, history.epoch) == ({}, [])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_evaluate_gives_a_list_a_number_or_a_sorted_dict():
    model = classifier()
    values = model.evaluate(X, ONE_HOT, verbose=0)
    assert [type(value) for value in values] == [float, float]
    told = model.evaluate(X, ONE_HOT, verbose=0, return_dict=True)
    assert list(told) == ["accuracy", "loss"]
    assert [told["loss"], told["accuracy"]] == values
    assert type(classifier(metrics=None).evaluate(X, ONE_HOT, verbose=0)) is float


def test_methods_for_one_batch_report_as_evaluate_does():
    model = classifier()
    expected = model.evaluate(X, ONE_HOT, verbose=0)
    assert model.test_on_batch(X, ONE_HOT) == pytest.approx(expected)
    assert list(model.test_on_batch(X, ONE_HOT, return_dict=True)) == ["accuracy", "loss"]
    assert model.train_on_batch(X, ONE_HOT) == pytest.approx(expected)
    assert model.train_on_batch(X, ONE_HOT, return_dict=True)["loss"] < expected[0]


def test_evaluate_does_not_change_the_model():
    model = models.Sequential([L.Input((3,)), L.BatchNormalization(), L.Dropout(0.5), L.Dense(3)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert model.evaluate(X, ONE_HOT, verbose=0) == model.evaluate(X, ONE_HOT, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_statistics_follow_training_only():
    model = models.Sequential([L.Input((3,)), L.BatchNormalization(momentum=0.0)])
    model.compile(optimizers.SGD(0.0), "mse")
    model.train_on_batch(X, ONE_HOT)
    np.testing.assert_allclose(model.layers[0].moving_mean, X.mean(0), rtol=1e-5, atol=1e-6)


# ---- names of metrics -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"metrics": ["accuracy"]}, ["loss", "accuracy"]),
        ({"metrics": ["acc"]}, ["loss", "acc"]),
        ({"metrics": [["accuracy"]]}, ["loss", "accuracy"]),
        ({"metrics": ["accuracy", ["mse"]]}, ["loss", "accuracy", "mse"]),
        ({"metrics": {"kind": "accuracy"}}, ["loss", "accuracy"]),
        ({"metrics": ("mse",)}, ["loss", "mse"]),
        ({"metrics": ["accuracy", "accuracy"]}, ["loss", "accuracy", "accuracy_1"]),
        (
            {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]},
            ["loss", "accuracy", "weighted_accuracy"],
        ),
        ({"metrics": [metrics.CategoricalAccuracy(name="right")]}, ["loss", "right"]),
        ({"metrics": [[]]}, ["loss"]),
        ({"metrics": None}, ["loss"]),
    ],
)
def test_names_in_the_logs_are_those_of_keras(options, names):
    model = models.Sequential([L.Input((3,)), L.Dense(3, activation="softmax", name="kind")])
    model.compile("sgd", "categorical_crossentropy", **options)
    assert model.metrics_names == []
    model.evaluate(X, ONE_HOT, verbose=0)
    assert model.metrics_names == names


def two_outputs(**options):
    start = L.Input((3,), name="start")
    kind = L.Dense(3, activation="softmax", name="kind")(start)
    model = models.Model(start, [kind, L.Dense(1, name="size")(start)])
    settings = {"optimizer": "sgd", "loss": ["categorical_crossentropy", "mse"]}
    model.compile(**{**settings, **options})
    return model


SIZES = RNG.normal(size=(12, 1)).astype("float32")


def test_several_outputs_are_named_by_their_layers():
    model = two_outputs(metrics=[["accuracy"], ["mae", "mse"]])
    told = model.evaluate(X, [ONE_HOT, SIZES], verbose=0, return_dict=True)
    assert list(told) == [
        "kind_accuracy", "kind_loss", "loss", "size_loss", "size_mae", "size_mse",
    ]  # fmt: skip
    assert told["loss"] == pytest.approx(told["kind_loss"] + told["size_loss"])


def test_losses_metrics_and_data_can_be_given_by_name():
    by_place = two_outputs(metrics=[["accuracy"], None], loss_weights=[1.0, 0.5])
    by_name = two_outputs(
        loss={"size": "mse", "kind": "categorical_crossentropy"},
        metrics={"kind": ["accuracy"]},
        loss_weights={"size": 0.5},
    )
    by_name.set_weights(by_place.get_weights())
    expected = by_place.evaluate(X, [ONE_HOT, SIZES], verbose=0)
    told = by_name.evaluate({"start": X}, {"size": SIZES, "kind": ONE_HOT}, verbose=0)
    assert told == pytest.approx(expected)


def test_loss_weights_scale_the_losses_and_their_gradients():
    single = two_outputs(loss=["categorical_crossentropy", None])
    scaled = two_outputs(loss_weights=[1.0, 0.0])
    scaled.set_weights(single.get_weights())
    for model in (single, scaled):
        model.train_on_batch(X, [ONE_HOT, SIZES])
    for one, other in zip(single.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_output_without_a_loss_needs_no_target():
    model = two_outputs(loss={"kind": "categorical_crossentropy"})
    told = model.evaluate(X, {"kind": ONE_HOT}, verbose=0, return_dict=True)
    assert list(told) == ["loss"]  # which is that of the one output


def test_accuracy_means_what_fits_the_targets():
    sparse = classifier(loss="sparse_categorical_crossentropy")
    expected = classifier().evaluate(X, ONE_HOT, verbose=0)
    for labels in (LABELS, LABELS[:, None]):
        assert sparse.evaluate(X, labels, verbose=0) == pytest.approx(expected)


def test_accuracy_is_understood_anew_when_the_output_changes():
    model = classifier(loss="mse")
    model.evaluate(X, ONE_HOT, verbose=0)
    assert isinstance(model.metrics[1], metrics.CategoricalAccuracy)
    model.add(L.Dense(1, activation="sigmoid"))
    model.evaluate(X, ONE_HOT[:, :1], verbose=0)
    assert isinstance(model.metrics[1], metrics.BinaryAccuracy)
    model.pop()
    model.evaluate(X, ONE_HOT, verbose=0)
    assert isinstance(model.metrics[1], metrics.CategoricalAccuracy)


def test_metrics_see_sample_weights_only_where_asked():
    model = classifier(weighted_metrics=["accuracy"])
    told = model.evaluate(X, ONE_HOT, sample_weight=WEIGHTS, verbose=0, return_dict=True)
    right = model.predict(X, verbose=0).argmax(-1) == LABELS
    assert told["accuracy"] == pytest.approx(right.mean())
    assert told["weighted_accuracy"] == pytest.approx(np.average(right, weights=WEIGHTS))


# ---- weights of samples and classes -----------------------------------------------------


def test_sample_weights_multiply_losses_and_not_the_divisor():
    x, y = numbers(4)
    weights = np.array([1.0, 0.0, 2.0, 4.0])
    assert line().evaluate(x, y, sample_weight=weights, verbose=0) == (0 + 0 + 4 + 12) / 4


def test_class_weight_is_the_sample_weight_of_each_label():
    by_class = {0: 0.5, 2: 3.0}  # a class that is not named counts once
    weights = np.array([by_class.get(int(label), 1.0) for label in LABELS])
    expected = classifier().train_on_batch(X, ONE_HOT, sample_weight=weights)
    assert classifier().train_on_batch(X, ONE_HOT, class_weight=by_class) == expected
    sparse = classifier(loss="sparse_categorical_crossentropy")
    assert sparse.train_on_batch(X, LABELS, class_weight=by_class) == pytest.approx(expected)


def test_labels_that_are_almost_whole_find_their_class():
    labels = np.array([[0.999999], [0.0]])
    x = np.full((2, 1), 3.0)
    told = line(loss="mae").train_on_batch(x, labels, class_weight={1: 0.0})
    assert told == pytest.approx(1.5)


def test_class_weight_does_not_count_in_validation():
    x, y = np.full((8, 1), 3.0), np.zeros((8, 1))
    told = line().fit(x, y, class_weight={0: 10.0}, validation_split=0.25, verbose=0).history
    assert told == {"loss": [30.0], "val_loss": [3.0]}


def test_sample_weights_are_split_with_the_samples():
    x, y = numbers(4)
    weights = np.array([0.0, 1.0, 2.0, 3.0])
    history = line().fit(x, y, sample_weight=weights, validation_split=0.5, verbose=0).history
    assert history == {"loss": [0.5], "val_loss": [(2 * 2 + 3 * 3) / 2]}


# ---- batches, order, validation ---------------------------------------------------------


class Losses(callbacks.Callback):
    """The running loss after each batch."""

    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs["loss"])


def test_batches_keep_the_order_and_the_partial_one():
    x, y = numbers(5)
    seen = Losses()
    line().fit(x, y, batch_size=2, shuffle=False, verbose=0, callbacks=[seen])
    assert seen.seen == [0.5, 1.5, 2.0]


@pytest.mark.parametrize(
    ("given", "steps"), [(None, 2), (0, 2), (7, 6), (40, 1), (np.int64(20), 2)]
)
def test_batch_size_of_none_or_0_is_32(given, steps):
    x, y = numbers(40)
    assert line().fit(x, y, batch_size=given, verbose=0).params["steps"] == steps


def test_shuffling_deals_every_sample_once_in_another_order_each_epoch():
    x, y = 2.0 ** numbers(8)[0], np.zeros((8, 1))
    seen = Losses()
    line(optimizer=optimizers.SGD(0.0))
    model = models.Sequential([L.Input((1,)), L.Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.0), "mae")
    history = model.fit(x, y, batch_size=1, epochs=2, verbose=0, callbacks=[seen]).history
    orders = [
        np.diff([0.0, *(np.arange(1, 9) * part)]) for part in np.split(np.array(seen.seen), 2)
    ]
    for order in orders:
        np.testing.assert_allclose(sorted(order), x[:, 0], rtol=1e-3)
    assert not np.allclose(orders[0], orders[1])
    assert history["loss"] == pytest.approx([255 / 8] * 2)


def test_shuffling_keeps_samples_targets_and_weights_together():
    x, _ = numbers(6)
    model = models.Sequential(
        [L.Input((1,)), L.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    model.compile(optimizers.SGD(0.0), "mae", weighted_metrics=["mse"])
    weights = np.array([0.0, 1, 1, 1, 1, 1])
    y = x.copy()
    y[0] = 100
    history = model.fit(x, y, sample_weight=weights, batch_size=2, epochs=3, verbose=0).history
    assert history == {"loss": [0.0] * 3, "mse": [0.0] * 3}


def test_validation_is_the_last_part_before_shuffling():
    x, y = numbers(10)
    model = line()
    history = model.fit(x, y, validation_split=0.25, verbose=0).history  # floor(7.5) are trained
    assert history == {"loss": [3.0], "val_loss": [8.0]}


def test_validation_data_goes_before_the_split():
    x, y = numbers(4)
    history = line().fit(x, y, validation_split=0.5, validation_data=[x + 10, y], verbose=0).history
    assert history == {"loss": [1.5], "val_loss": [11.5]}


def test_validation_data_may_have_weights():
    x, y = numbers(4)
    given = (x, y, np.array([0.0, 0, 0, 1]))
    assert line().fit(x, y, validation_data=given, verbose=0).history["val_loss"] == [0.75]


@pytest.mark.parametrize(("frequency", "epochs"), [(2, [1, 3]), ([1, 4], [0, 3]), ((2,), [1])])
def test_validation_runs_every_so_often(frequency, epochs):
    x, y = numbers(4)
    history = line().fit(
        x, y, epochs=4, validation_data=(x, y), validation_freq=frequency, verbose=0
    )
    assert history.epochs_of("val_loss") == epochs


def test_validation_takes_its_own_batches_and_always_the_first():
    x, y = numbers(8)
    history = line().fit(
        x, y, epochs=2, validation_data=(x, y), validation_batch_size=2, validation_steps=2,
        verbose=0,
    )  # fmt: skip
    assert history.history["val_loss"] == [1.5, 1.5]


def test_fewer_steps_go_on_with_the_batches_that_are_left():
    x, y = numbers(12)
    history = (
        line()
        .fit(x, y, batch_size=2, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0)
        .history
    )
    assert history["loss"] == [1.5, 5.5, 9.5, 1.5]  # as Keras


def test_epoch_ends_where_the_samples_do():
    x, y = numbers(10)
    history = (
        line()
        .fit(x, y, batch_size=2, steps_per_epoch=3, epochs=3, shuffle=False, verbose=0)
        .history
    )
    assert history["loss"] == [2.5, 7.5, 2.5]


def test_epochs_of_few_steps_deal_one_order_between_them():
    x = 2.0 ** numbers(8)[0]
    model = models.Sequential([L.Input((1,)), L.Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.0), "mae")
    history = model.fit(
        x, np.zeros((8, 1)), batch_size=1, steps_per_epoch=2, epochs=4, verbose=0
    ).history
    assert sum(history["loss"]) * 2 == pytest.approx(255)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_more_steps_than_batches_warn_once_and_take_what_is_there(method):
    x, y = numbers(4)
    name = "steps_per_epoch" if method == "fit" else "steps"
    given = {name: 9, "verbose": 0} if method == "predict" else {name: 9, "verbose": 0, "y": y}
    with pytest.warns(UserWarning, match=rf"ran out of data.*`{name}` is 9.*1 batches") as caught:
        getattr(line(), method)(x, **given)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_steps_of_evaluate_and_predict_take_the_first_batches():
    x, y = numbers(8)
    assert line().evaluate(x, y, batch_size=2, steps=2, verbose=0) == 1.5
    np.testing.assert_array_equal(line().predict(x, batch_size=2, steps=2, verbose=0), x[:4])


def test_data_is_left_as_it_was():
    arrays = [X.copy(), ONE_HOT.copy(), WEIGHTS.copy()]
    for array in arrays:
        array.flags.writeable = False
    model = classifier()
    fit(model, *arrays[:2], sample_weight=arrays[2], epochs=2)
    model.evaluate(*arrays[:2], verbose=0)
    model.predict(arrays[0], verbose=0)
    np.testing.assert_array_equal(arrays[0], X)


# ---- callbacks --------------------------------------------------------------------------


class Recorder(callbacks.Callback):
    """The names of the hooks, in the order in which they were called."""

    HOOKS = (
        "train_begin", "train_end", "test_begin", "test_end", "predict_begin", "predict_end",
        "epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end", "test_batch_begin",
        "test_batch_end", "predict_batch_begin", "predict_batch_end",
    )  # fmt: skip

    def __init__(self):
        self.calls, self.logs = [], {}
        for hook in self.HOOKS:
            setattr(self, f"on_{hook}", self._recording(hook))

    def _recording(self, hook):
        def record(*_, logs=None):
            self.calls.append(hook)
            self.logs[hook] = logs

        def with_place(*arguments, **keywords):
            logs = keywords.get("logs", arguments[-1] if arguments else None)
            record(logs=logs if isinstance(logs, dict) else None)

        return with_place


def test_callbacks_are_called_in_the_order_of_keras():
    recorder = Recorder()
    x, y = numbers(4)
    line().fit(x, y, batch_size=2, validation_data=(x[:1], y[:1]), verbose=0, callbacks=[recorder])
    batch = ["train_batch_begin", "train_batch_end"]
    assert recorder.calls == [
        "train_begin", "epoch_begin", *batch, *batch, "test_begin", "test_batch_begin",
        "test_batch_end", "test_end", "epoch_end", "train_end",
    ]  # fmt: skip
    assert list(recorder.logs["epoch_end"]) == ["loss", "val_loss"]
    assert list(recorder.logs["train_end"]) == ["loss", "val_loss"]
    assert list(recorder.logs["test_end"]) == ["loss"]


def test_evaluate_and_predict_call_their_own_hooks():
    recorder = Recorder()
    x, y = numbers(3)
    line().evaluate(x, y, verbose=0, callbacks=[recorder])
    assert recorder.calls == ["test_begin", "test_batch_begin", "test_batch_end", "test_end"]
    recorder.calls.clear()
    line().predict(x, verbose=0, callbacks=[recorder])
    assert recorder.calls == [
        "predict_begin", "predict_batch_begin", "predict_batch_end", "predict_end",
    ]  # fmt: skip
    np.testing.assert_array_equal(recorder.logs["predict_batch_end"]["outputs"], x)


class Stopper(callbacks.Callback):
    def __init__(self, hook):
        self.hook = hook

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = self.hook == "batch"

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


@pytest.mark.parametrize(("hook", "loss"), [("batch", 0.5), ("epoch", 1.5)])
def test_stop_training_is_seen_after_a_batch_and_after_an_epoch(hook, loss):
    x, y = numbers(4)
    model = line()
    options = {"batch_size": 2, "epochs": 5, "shuffle": False, "verbose": 0}
    history = model.fit(x, y, callbacks=[Stopper(hook)], **options)
    assert history.history == {"loss": [loss]}
    assert len(model.fit(x, y, **options).epoch) == 5  # a new fit begins with a new answer


def test_initial_epoch_counts_from_where_training_stopped():
    history = fit(classifier(), initial_epoch=2, epochs=4)
    assert history.epoch == [2, 3]
    assert fit(classifier(), initial_epoch=4, epochs=2).epoch == []


# ---- repetition and resumption ----------------------------------------------------------


def random_model(optimizer="adam"):
    model = models.Sequential(
        [L.Input((3,)), L.Dense(4, activation="relu"), L.BatchNormalization(), L.Dropout(0.3),
         L.Dense(3, activation="softmax")]
    )  # fmt: skip
    model.compile(optimizer, "categorical_crossentropy")
    return model


def run_from_seed(seed, *parts, **options):
    utils.set_random_seed(seed)
    model = random_model(optimizers.SGD(0.1, momentum=0.9))
    told = [fit(model, initial_epoch=a, epochs=b, **options).history["loss"] for a, b in parts]
    return [value for part in told for value in part], model.get_weights()


def assert_same_run(one, other):
    assert one[0] == other[0]
    for mine, its in zip(one[1], other[1], strict=True):
        np.testing.assert_array_equal(mine, its)


def test_seed_repeats_a_run_bit_for_bit():
    first = run_from_seed(3, (0, 3))
    assert_same_run(first, run_from_seed(3, (0, 3)))
    assert first[0] != run_from_seed(4, (0, 3))[0]


@pytest.mark.parametrize("options", [{}, {"steps_per_epoch": 2}, {"validation_split": 0.25}])
def test_training_in_two_parts_is_training_in_one(options):
    whole = run_from_seed(3, (0, 4), **options)
    assert_same_run(whole, run_from_seed(3, (0, 1), (1, 4), **options))


def test_training_does_not_touch_the_chance_of_others():
    utils.set_random_seed(3)
    model = random_model()
    before = random.get_state()
    fit(model, epochs=2)
    assert random.get_state() == before


# ---- predict ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "uint8", "bool"])
def test_predict_casts_numbers_of_any_dtype(dtype):
    x = np.array([[0], [1], [1]], dtype)
    answer = line().predict(x, verbose=0)
    assert answer.dtype == np.float32
    np.testing.assert_array_equal(answer, x.astype("float32"))


def test_predict_needs_no_compile_and_keeps_the_order():
    model = models.Sequential([L.Activation("linear")])
    np.testing.assert_array_equal(model.predict(X, batch_size=5, verbose=0), X)
    np.testing.assert_array_equal(model.predict_on_batch(X), X)


def test_predict_gives_arrays_of_its_own():
    model = models.Sequential([L.Input((3,)), L.Activation("linear")])
    answer = model.predict(X, verbose=0)
    assert not np.shares_memory(answer, X)


@pytest.mark.parametrize("form", ["list", "dict"])
def test_predict_answers_in_the_form_of_the_outputs(form):
    start = L.Input((3,))
    one, two = L.Activation("relu")(start), L.Activation("tanh")(start)
    outputs = {"list": [one, two], "dict": {"b": one, "a": two}}[form]
    model = models.Model(start, outputs)
    for answer in (model.predict(X, batch_size=5, verbose=0), model(X), model.predict_on_batch(X)):
        assert type(answer) is type(outputs)
        if form == "dict":
            assert list(answer) == ["b", "a"]
            np.testing.assert_array_equal(answer["b"], np.maximum(X, 0))
        else:
            assert len(answer) == len(outputs)
            np.testing.assert_array_equal(answer[0], np.maximum(X, 0))


def test_single_number_predictions_reach_callbacks_as_arrays():
    recorder = Recorder()
    line().predict(np.ones((1, 1)), verbose=0, callbacks=[recorder])
    assert recorder.logs["predict_batch_end"]["outputs"].shape == (1, 1)


# ---- constraints, learning rate ---------------------------------------------------------


def test_constraints_run_in_the_step_and_not_before():
    model = models.Sequential(
        [L.Input((3,)), L.Dense(3, kernel_initializer="ones", kernel_constraint="unit_norm")]
    )
    model.compile(optimizers.SGD(0.0), "mse")
    model.predict(X, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel, np.ones((3, 3)))
    model.train_on_batch(X, ONE_HOT)
    np.testing.assert_allclose(np.linalg.norm(model.layers[0].kernel, axis=0), 1, rtol=1e-5)


def test_step_is_the_learning_rate_times_the_gradient():
    model = line()
    model.layers[0].trainable = True
    model.compile(optimizers.SGD(0.25), "mse")
    model.train_on_batch(np.array([[2.0]]), np.array([[1.0]]))
    np.testing.assert_array_equal(model.layers[0].kernel, [[1 - 0.25 * 2 * (2 - 1) * 2]])


def test_frozen_model_can_be_fitted_and_stays():
    x, y = numbers(4)
    model = line(optimizer="adam")
    model.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel, [[1.0]])


# ---- what is refused, and what is kept ---------------------------------------------------

REFUSED = {
    "lengths": (
        lambda m: m.fit(X, ONE_HOT[:5]), "cardinality is ambiguous.*'x' sizes: 12\n'y' sizes: 5"
    ),
    "length of weights": (
        lambda m: m.fit(X, ONE_HOT, sample_weight=WEIGHTS[:3]), "'sample_weight' sizes: 3"
    ),
    "lists": (lambda m: m.fit(X.tolist(), ONE_HOT), "Unrecognized data type: `x`.*list.*np.arr"),
    "lists as y": (lambda m: m.fit(X, LABELS.tolist()), "Unrecognized data type: `y`.*type list"),
    "text": (lambda m: m.fit(X.astype(str), ONE_HOT), "`x` must be a NumPy array of num.*dtype <U"),
    "objects": (lambda m: m.fit(X.astype(object), ONE_HOT), "`x` must be.*dtype object"),
    "complex": (lambda m: m.fit(X.astype(complex), ONE_HOT), "`x` must be.*dtype complex128"),
    "generator": (lambda m: m.fit(iter([X]), ONE_HOT), "Unrecognized data type.*list_iterator"),
    "nothing": (lambda m: m.fit(), "`x` must be an array.*Received: x=None"),
    "no targets": (lambda m: m.fit(X), "'dense.*' has a loss.*Received: no `y`"),
    "no samples": (lambda m: m.fit(X[:0], ONE_HOT[:0]), "at least one sample. Received: x with 0"),
    "shape": (
        lambda m: m.fit(X[:, :2], ONE_HOT), r"incompatible: expected shape=\(None, 3\).*\(12, 2\)"
    ),
    "axes": (lambda m: m.fit(X[0], ONE_HOT[0]), r"found shape=\(3,\).*An axis is missing"),
    "two inputs": (lambda m: m.fit([X, X], ONE_HOT), "expects 1 input.*Received: 2"),
    "two targets": (lambda m: m.fit(X, [ONE_HOT, ONE_HOT]), "`y`.*of type list"),
    "name of target": (lambda m: m.fit(X, {"kind": ONE_HOT}), r"`y` names outputs.*\['kind'\]"),
    "both weights": (
        lambda m: m.fit(X, ONE_HOT, sample_weight=WEIGHTS, class_weight={0: 1.0}),
        "`class_weight` and `sample_weight` at the same time.*Multiply",
    ),
    "class weights": (
        lambda m: m.fit(X, ONE_HOT, class_weight=[1, 2]), r"dict of class number.*\[1, 2\]"
    ),
    "class names": (
        lambda m: m.fit(X, ONE_HOT, class_weight={"cat": 1}), "dict of class number.*'cat'"
    ),
    "batch size": (lambda m: m.fit(X, ONE_HOT, batch_size=-1), "`batch_size`.*batch_size=-1"),
    "half a batch": (lambda m: m.fit(X, ONE_HOT, batch_size=1.5), "`batch_size` must.*=1.5"),
    "epochs": (lambda m: m.fit(X, ONE_HOT, epochs=1.5), "`epochs` must be a whole.*epochs=1.5"),
    "first epoch": (lambda m: m.fit(X, ONE_HOT, initial_epoch=-1), "`initial_epoch` must.*=-1"),
    "steps": (lambda m: m.fit(X, ONE_HOT, steps_per_epoch=0), "`steps_per_epoch` must be.*=0"),
    "validation steps": (
        lambda m: m.fit(X, ONE_HOT, validation_split=0.5, validation_steps=-1),
        "`validation_steps` must be a positive.*-1",
    ),
    "split of all": (lambda m: m.fit(X, ONE_HOT, validation_split=1.0), "12 samples.*=1.0`"),
    "small split": (lambda m: m.fit(X[:1], ONE_HOT[:1], validation_split=0.5), "contains 1 sampl"),
    "split": (lambda m: m.fit(X, ONE_HOT, validation_split=float("nan")), "`validation_split=nan"),
    "validation": (
        lambda m: m.fit(X, ONE_HOT, validation_data=X), r"must be \(x, y\) or.*Received: ndarray"
    ),
    "four parts": (
        lambda m: m.fit(X, ONE_HOT, validation_data=(X,) * 4), "validation_data.*Received: 4 parts"
    ),
    "shape of validation": (
        lambda m: m.fit(X, ONE_HOT, validation_data=(X[:, :2], ONE_HOT)), "expected shape"
    ),
    "frequency": (lambda m: m.fit(X, ONE_HOT, validation_freq=0), "`validation_freq`.*freq=0"),
    "verbose": (lambda m: m.fit(X, ONE_HOT, verbose="loud"), "`verbose` must be.*'loud'"),
    "targets of another width": (lambda m: m.fit(X, ONE_HOT[:, :2]), "shape"),
    "evaluate": (lambda m: m.evaluate(X, ONE_HOT, steps=0, verbose=0), "`steps` must be a pos.*=0"),
    "predict": (lambda m: m.predict(X, steps=2.5, verbose=0), "`steps` must be a positive.*2.5"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_data_is_refused_and_leaves_the_model_as_it_was(case):
    call, message = REFUSED[case]
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fit(X, ONE_HOT[:3]),
        lambda m: m.fit([X, X], ONE_HOT),
        lambda m: m.fit(X[:, :, None], ONE_HOT),
        lambda m: m.predict(X[0]),
    ],
)
def test_refused_data_leaves_a_model_without_a_shape_as_it_was(call):
    model = models.Sequential([L.Dense(4), L.MaxPooling2D(9), L.Flatten(), L.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"(?i)received|sizes"):
        call(model)
    assert not model.built
    assert not any(layer.built for layer in (model.layers[0], model.layers[3]))
    assert (model.weights, model.layers[0].weights) == ([], [])
    with pytest.raises(ValueError, match="not built yet"):
        _ = model.output_shape


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_model_must_be_compiled(method):
    model = models.Sequential([L.Input((3,)), L.Dense(3)])
    with pytest.raises(ValueError, match=r"You must call `compile\(\)`.*Write model\.compile"):
        getattr(model, method)(X, ONE_HOT)


COMPILED_WRONG = {
    "optimizer": ({"optimizer": "sdg"}, ValueError, "optimizer.*Received: 'sdg'.*'sgd'"),
    "loss": ({"loss": "cce"}, ValueError, "loss.*Received: 'cce'"),
    "loss in a list": ({"loss": ["cce"]}, ValueError, "Received: 'cce'"),
    "metrics": ({"metrics": "accuracy"}, ValueError, r"`metrics`.*list.*Write metrics=\["),
    "weighted": ({"weighted_metrics": "mse"}, ValueError, "`weighted_metrics` argument.*list"),
    "loss weights": ({"loss_weights": ["accuracy"]}, ValueError, "`loss_weights` must be numbers"),
    "number": ({"loss": 3}, ValueError, "Received: 3"),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPILED_WRONG)
def test_wrong_compile_is_refused_and_keeps_the_one_before(case):
    options, error, message = COMPILED_WRONG[case]
    model = classifier()
    optimizer = model.optimizer
    with pytest.raises(error, match=message):
        model.compile(**{"loss": "mse", **options})
    assert model.optimizer is optimizer
    assert model.loss == "categorical_crossentropy"


def test_old_spelling_of_the_learning_rate_is_explained():
    with pytest.raises(ValueError, match=r"not recognized.*lr.*learning_rate"):
        optimizers.SGD(lr=0.1)


PER_OUTPUT = {
    "losses": ({"loss": ["mse"]}, "`loss` must have one entry for each output.*Received: 1"),
    "loss names": ({"loss": {"kinds": "mse"}}, r"`loss` names outputs.*\['kinds'\].*'size'"),
    "metrics": ({"metrics": ["mse"]}, "`metrics` must have one entry.*Received: 1"),
    "metric names": ({"metrics": {"sizes": "mse"}}, r"`metrics` names outputs.*\['sizes'\]"),
    "weights": ({"loss_weights": [1.0]}, "`loss_weights` must have one entry.*Received: 1"),
}


@pytest.mark.parametrize("case", PER_OUTPUT)
def test_what_is_given_for_each_output_must_fit_the_outputs(case):
    options, message = PER_OUTPUT[case]
    model = two_outputs(**options)
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(X, [ONE_HOT, SIZES], verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("y", [ONE_HOT, [ONE_HOT], [ONE_HOT, SIZES, SIZES]])
def test_targets_must_be_as_many_as_the_outputs(y):
    with pytest.raises(ValueError, match=r"`y` must have one array for each output, \['kind'"):
        two_outputs().fit(X, y, verbose=0)


class Failing(callbacks.Callback):
    def __init__(self, hook):
        setattr(self, hook, self._fail)

    def _fail(self, *_, **__):
        raise RuntimeError("on purpose")


@pytest.mark.parametrize(
    ("hook", "steps"),
    [("on_train_batch_begin", 0), ("on_train_batch_end", 1), ("on_epoch_end", 3)],
)
def test_failing_callback_is_told_with_what_the_model_keeps(hook, steps):
    model = classifier()
    with pytest.raises(RuntimeError, match="on purpose") as caught:
        fit(model, epochs=4, callbacks=[Failing(hook)])
    (note,) = caught.value.__notes__
    assert f"stopped in epoch 1 of 4. The model {model.name!r} keeps" in note
    assert f"weights after {steps} steps" in note
    assert int(model.optimizer.iterations) == steps
    fit(model)  # and can go on


def test_failure_after_the_last_epoch_says_so():
    with pytest.raises(RuntimeError) as caught:
        fit(classifier(), callbacks=[Failing("on_train_end")])
    assert "stopped after its last epoch" in caught.value.__notes__[0]


class BrokenOptimizer(optimizers.SGD):
    def apply(self, grads, trainable_variables=None):
        if int(self.iterations) == 2:
            raise FloatingPointError("no further")
        super().apply(grads, trainable_variables)


def test_failing_optimizer_leaves_the_weights_of_the_last_whole_step():
    model, reference = classifier(optimizer=BrokenOptimizer(0.5)), classifier()
    with pytest.raises(FloatingPointError) as caught:
        fit(model, shuffle=False)
    fit(reference, shuffle=False, steps_per_epoch=2)
    assert "after 2 steps" in caught.value.__notes__[0]
    for mine, its in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_failing_metric_leaves_weights_and_statistics():
    def broken(y_true, y_pred):
        raise ZeroDivisionError("metric")

    model = models.Sequential([L.Input((3,)), L.BatchNormalization(), L.Dense(3)])
    model.compile("sgd", "mse", metrics=[broken])
    before = model.get_weights()
    with pytest.raises(ZeroDivisionError):
        fit(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_numbers_that_are_none_go_through_and_can_stop_training():
    x = X.copy()
    x[0] = np.nan
    model = classifier()
    history = fit(model, x, epochs=3, callbacks=[callbacks.TerminateOnNaN()])
    assert np.isnan(history.history["loss"]).tolist() == [True]


# ---- own losses and metrics, configs -----------------------------------------------------


def squares(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, axis=-1)


squares.gradient = lambda y_true, y_pred: 2 * (y_pred - y_true) / y_pred.shape[-1]


def test_own_loss_and_metric_train_as_the_built_in():
    mine, its = classifier(loss=squares, metrics=[squares]), classifier(loss="mse", metrics=["mse"])
    assert mine.train_on_batch(X, ONE_HOT) == pytest.approx(its.train_on_batch(X, ONE_HOT))
    np.testing.assert_allclose(mine.layers[0].kernel, its.layers[0].kernel, rtol=1e-6)
    assert mine.metrics_names == ["loss", "squares"]


def test_model_without_a_loss_trains_its_penalties_alone():
    model = models.Sequential(
        [L.Input((3,)), L.Dense(1, kernel_initializer="ones", kernel_regularizer="l2")]
    )
    model.compile(optimizers.SGD(1.0))
    assert model.train_on_batch(X) == pytest.approx(0.03)
    np.testing.assert_allclose(model.layers[0].kernel, 0.98)


def test_compile_config_compiles_another_model_alike():
    model = classifier(
        loss=losses.CategoricalCrossentropy(label_smoothing=0.1), weighted_metrics=["mse"]
    )
    twin = classifier()
    twin.compile_from_config(model.get_compile_config())
    assert twin.train_on_batch(X, ONE_HOT) == model.train_on_batch(X, ONE_HOT)
    assert models.Sequential([]).get_compile_config() is None


# ---- the screen -------------------------------------------------------------------------


def test_silent_fit_prints_nothing(capsys):
    model = classifier()
    fit(model)
    model.evaluate(X, ONE_HOT, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_lines_for_a_log_have_the_form_of_keras(capsys):
    fit(classifier(), epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("3/3 - 0s - ")
    assert " - accuracy: " in lines[1]
    assert " - loss: " in lines[1]
    assert len(lines) == 4
