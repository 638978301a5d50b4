"""Callbacks: when they act, what they write, and what they leave alone."""

import csv
import io
import math
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from convlab import callbacks, layers, models, optimizers, plotting, utils
from convlab.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    TerminateOnNaN,
    model_checkpoint,
)
from convlab.callbacks.callback import HOOKS
from convlab.callbacks.progress import _clock, _per_step
from convlab.models import archive

NAN = math.nan


class Model:
    """What callbacks ask of a model; its one weight is the number of epochs it has seen."""

    def __init__(self, rate=0.5):
        self.stop_training = False
        self.optimizer = SimpleNamespace(learning_rate=rate)
        self.weight = 0
        self.saved = []

    def get_weights(self):
        return [np.array(self.weight)]

    def set_weights(self, weights):
        self.weight = int(weights[0])

    def save(self, path):
        self.saved.append(path)

    def save_weights(self, path):
        self.saved.append(path)


def train(given, epochs, model=None, steps=2, first=0):
    """What fit does: every hook in its order; `epochs` holds the logs of each."""
    model = Model() if model is None else model
    model.stop_training = False
    called = CallbackList(
        given, add_history=True, model=model, verbose=0, epochs=first + len(epochs), steps=steps
    )
    called.on_train_begin()
    for epoch, logs in enumerate(epochs, first):
        called.on_epoch_begin(epoch)
        for batch in range(steps):
            called.on_train_batch_begin(batch)
            called.on_train_batch_end(batch, logs)
            if model.stop_training:
                break
        model.weight = epoch + 1
        called.on_epoch_end(epoch, dict(logs))
        if model.stop_training:
            break
    called.on_train_end(logs)
    return model


def losses(*values, name="loss"):
    return [{name: value} for value in values]


# Callback, LambdaCallback, CallbackList -------------------------------------------------


def recorder(name, calls):
    """A callback whose every hook notes its call."""
    hooks = {hook: lambda *args, hook=hook, **kwargs: calls.append((name, hook)) for hook in HOOKS}
    return type("Recorder", (Callback,), {k: staticmethod(v) for k, v in hooks.items()})()


def test_list_calls_every_hook_of_every_callback_in_order():
    calls = []
    both = CallbackList([recorder("a", calls), [recorder("b", calls)]])
    for hook in HOOKS:
        getattr(both, hook)(*([] if re.search("(train|test|predict)_(begin|end)$", hook) else [0]))
    assert calls == [(name, hook) for hook in HOOKS for name in "ab"]


def test_callback_has_the_hooks_of_keras():
    parts = [f"{part}{batch}" for part in ("train", "test", "predict") for batch in ("", "_batch")]
    expected = {f"on_{p}_{end}" for p in [*parts, "epoch", "batch"] for end in ("begin", "end")}
    assert set(HOOKS) == expected


def test_old_batch_hooks_are_called_for_training_batches_only():
    seen = []
    old = LambdaCallback(
        on_batch_begin=lambda batch, logs: seen.append(("begin", batch)),
        on_batch_end=lambda batch, logs: seen.append(("end", batch)),
    )
    called = CallbackList([old])
    called.on_train_batch_begin(0)
    called.on_train_batch_end(0, {})
    called.on_test_batch_begin(1)
    called.on_predict_batch_end(1)
    assert seen == [("begin", 0), ("end", 0)]


def test_epoch_hooks_are_called_by_place_and_batch_hooks_with_logs_by_name():
    seen = []
    one = LambdaCallback(
        on_epoch_end=lambda e, what: seen.append((e, what)),
        on_train_end=lambda what: seen.append(what),
        on_train_batch_end=lambda batch, *, logs: seen.append((batch, logs)),
    )
    called = CallbackList(one)
    called.on_train_batch_end(3, {"loss": 1})
    called.on_epoch_end(4, {"loss": 2})
    called.on_train_end({"loss": 3})
    assert seen == [(3, {"loss": 1.0}), (4, {"loss": 2.0}), {"loss": 3.0}]


def test_logs_are_sorted_joined_and_python_floats():
    seen = []
    called = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))])
    array = np.arange(2)
    given = {"z": np.float32(0.5), "b": {"c": 1, "a": "word"}, "k": array}
    called.on_epoch_end(0, given)
    assert list(seen[0]) == ["a", "c", "k", "z"]
    assert type(seen[0]["z"]) is type(seen[0]["c"]) is float
    assert seen[0]["a"] == "word"
    assert seen[0]["k"] is array
    assert list(given) == ["z", "b", "k"]


def test_list_adds_history_and_bar_only_where_there_is_none():
    history, bar = History(), ProgbarLogger()
    params = {"verbose": 0, "epochs": 1, "steps": 1}
    kinds = [type(one) for one in CallbackList([], True, True, **params).callbacks]
    assert kinds == [History, ProgbarLogger]
    assert CallbackList([bar, history], True, True, **params).callbacks == [bar, history]


def test_list_of_callbacks_gives_them_to_another():
    history, one = History(), Callback()
    joined = CallbackList([CallbackList([history]), one], add_history=True)
    assert joined.callbacks == [history, one]


def test_list_tells_model_and_params_and_gives_the_model_its_history():
    model, one = Model(), Callback()
    called = CallbackList([one], add_history=True, model=model, epochs=3, steps=1, verbose=0)
    assert one.model is called.model is model
    assert one.params == {"epochs": 3, "steps": 1, "verbose": 0}
    assert model.history is called.callbacks[-1]


def test_callback_without_super_init_works():
    class Own(Callback):
        def __init__(self):
            self.seen = None

        def on_epoch_end(self, epoch, logs=None):
            self.seen = self.model, self.params["epochs"]

    own = Own()
    model = train([own], losses(1))
    assert own.seen == (model, 1)


def test_object_with_the_methods_of_a_callback_is_one():
    class Foreign:
        def __getattr__(self, name):
            return lambda *args, **kwargs: None

    train([Foreign()], losses(1))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([EarlyStopping], r"must hold callbacks.*class EarlyStopping. Write EarlyStopping\(...\)"),
        ([print], r"must hold callbacks. Received: <built-in.*LambdaCallback\(on_epoch_end"),
        ([None], r"must hold callbacks. Received: None"),
        ("abc", r"must hold callbacks. Received: 'abc'"),
    ],
)
def test_what_is_no_callback_is_refused(given, text):
    with pytest.raises(TypeError, match=text):
        CallbackList(given)


def test_misspelt_hook_is_named_with_the_right_one():
    with pytest.raises(TypeError, match=r"'on_epoch_edn'. Did you mean 'on_epoch_end'\?"):
        LambdaCallback(on_epoch_edn=print)
    with pytest.raises(TypeError, match=r"Received: 'frobnicate'. Known: on_train_begin"):
        LambdaCallback(frobnicate=print)
    with pytest.raises(TypeError, match=r"`on_epoch_end` must be callable.*on_epoch_end=3"):
        LambdaCallback(on_epoch_end=3)


# History --------------------------------------------------------------------------------


def test_history_records_epochs_and_values():
    model = train([], [{"loss": 2, "val_loss": 3}, {"loss": np.float32(1), "val_loss": 2}], first=5)
    assert model.history.history == {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0]}
    assert model.history.epoch == [5, 6]
    assert model.history.params == {"verbose": 0, "epochs": 7, "steps": 2}


def test_history_of_no_epoch_is_empty():
    model = Model()
    CallbackList([], add_history=True, model=model).on_train_begin()
    assert (model.history.history, model.history.epoch) == ({}, [])


def test_history_used_again_starts_afresh():
    history = History()
    train([history], losses(3, 2))
    train([history], losses(1))
    assert history.history == {"loss": [1.0]}
    assert history.epoch == history.epochs_of("loss") == [0]


def test_history_knows_the_epochs_of_a_validation_that_runs_now_and_then():
    history = History()
    train([history], [{"loss": 1}, {"loss": 1, "val_loss": 1}] * 2)
    assert history.epochs_of("val_loss") == [1, 3]
    assert history.epochs_of("loss") == [0, 1, 2, 3]


# EarlyStopping --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "values", "stopped", "best_epoch"),
    [
        ({}, [3, 2, 2, 1], 2, 1),
        ({"patience": 1}, [3, 2, 2, 1], 2, 1),
        ({"patience": 2}, [3, 2, 2, 1, 0.5], 0, 4),
        ({"patience": 2}, [3, 2, 2, 2, 1], 3, 1),
        ({"min_delta": 0.5}, [3, 2, 1.6, 1], 2, 1),
        ({"min_delta": -0.5}, [3, 2, 1.6, 1], 2, 1),
        ({"mode": "max"}, [1, 2, 1, 3], 2, 1),
        ({"mode": "max"}, [1, 1], 1, 0),
        ({"mode": "max", "min_delta": 0.5}, [1, 2, 2.4, 3], 2, 1),
        ({"baseline": 0.5, "patience": 2}, [0.9, 0.8, 0.7], 0, 2),  # it improves
        ({"baseline": 0.5, "patience": 3}, [0.9, 0.8, 0.4, 0.41, 0.42, 0.43], 5, 2),
        ({"start_from_epoch": 2}, [1, 2, 3, 2, 4, 1], 4, 3),
        ({}, [3], 0, 0),  # the first epoch never ends a training
        ({"baseline": 0.5, "patience": 2}, [0.9, 0.8, 0.8, 0.1], 2, 1),
        ({"baseline": 0}, [3, 3], 1, 0),
        ({"patience": 1}, [NAN, 2, 1, 3], 3, 2),  # NaN is no best value to beat
        ({"patience": 2}, [2, NAN, NAN, 1], 2, 0),
    ],
)
def test_training_ends_when_patience_is_out(arguments, values, stopped, best_epoch):
    stop = EarlyStopping(monitor="loss", **arguments)
    model = train([stop], losses(*values))
    assert (stop.stopped_epoch, stop.best_epoch) == (stopped, best_epoch)
    assert model.stop_training is bool(stopped)
    assert len(model.history.epoch) == (stopped + 1 if stopped else len(values))


@pytest.mark.parametrize(
    ("restore", "values", "weight"),
    [
        (True, [3, 1, 2, 2], 2),
        (False, [3, 1, 2, 2], 4),
        (True, [3, 2, 1], 3),  # also where patience never ran out
        (True, [NAN, NAN, NAN], 1),
    ],
)
def test_best_weights_come_back_at_the_end(restore, values, weight):
    stop = EarlyStopping(monitor="loss", patience=2, restore_best_weights=restore)
    assert train([stop], losses(*values)).weight == weight


def test_without_restoring_no_weights_are_kept():
    model = Model()
    model.get_weights = None  # a call would fail
    stop = EarlyStopping(monitor="loss", patience=9)
    train([stop], losses(3, 1, 2), model)
    assert stop.best_epoch == 1
    assert stop.best == 1.0


def test_stopping_used_again_starts_afresh():
    stop = EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    train([stop], losses(0.1, 0.2, 0.3))
    model = train([stop], losses(5, 4, 3))
    assert (model.weight, stop.stopped_epoch, stop.best) == (3, 0, 3.0)


def test_stopping_prints_why_in_keras_words(capsys):
    stop = EarlyStopping(monitor="loss", verbose=1, restore_best_weights=True)
    train([stop], losses(1, 2))
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    )


def test_absent_number_warns_and_does_not_end_the_training():
    stop = EarlyStopping()
    with pytest.warns(UserWarning, match=r"`val_loss` which is not available.*are: acc,loss"):
        model = train([stop], [{"loss": 1, "acc": 0}])
    assert not model.stop_training


# What is better -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "better"),
    [
        *[(name, 0.1) for name in ("loss", "val_loss", "mse", "val_mean_squared_error")],
        *[(name, 0.1) for name in ("categorical_crossentropy", "dense_loss")],
        *[(name, 0.9) for name in ("accuracy", "acc", "val_accuracy", "accuracy_1", "out_acc")],
        *[(name, 0.9) for name in ("val_sparse_categorical_accuracy", "weighted_accuracy")],
    ],
)
def test_direction_is_known_by_the_name(name, better):
    stop = EarlyStopping(monitor=name)
    train([stop], losses(0.5, better, name=name))
    assert stop.best == better


def test_direction_is_that_of_the_metric_where_it_says_so():
    model = Model()
    model.metrics = [SimpleNamespace(name="swing", direction="up")]
    stop = EarlyStopping(monitor="val_swing")
    train([stop], losses(0.5, 0.9, name="val_swing"), model)
    assert stop.best == 0.9


@pytest.mark.parametrize("make", [EarlyStopping, lambda **m: ModelCheckpoint("a.npz", **m)])
def test_unknown_direction_is_asked_for(make):
    with pytest.raises(ValueError, match=r"`mode` must say.*monitor='swing'.*Pass mode='max'"):
        train([make(monitor="swing")], losses(1, name="swing"))
    train([make(monitor="swing", mode="max")], losses(1, name="swing"))


def test_unknown_mode_warns_and_is_taken_as_auto():
    with pytest.warns(UserWarning, match="EarlyStopping mode 'up' is unknown"):
        assert EarlyStopping(mode="up").mode == "auto"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"patience": -1}, ValueError, r"`patience` must be a whole number, at least 0.*-1"),
        ({"patience": 1.5}, ValueError, r"`patience`.*patience=1.5"),
        ({"patience": "3"}, TypeError, r"`patience`.*patience='3'"),
        ({"start_from_epoch": -1}, ValueError, r"`start_from_epoch`.*-1"),
        ({"min_delta": "0"}, ValueError, r"`min_delta` must be a finite number.*'0'"),
        ({"min_delta": NAN}, ValueError, r"`min_delta` must be a finite number.*nan"),
        ({"baseline": [1]}, ValueError, r"`baseline` must be a finite number.*\[1\]"),
        ({"monitor": None}, TypeError, r"`monitor` must be the name.*monitor=None"),
    ],
)
def test_stopping_refuses_bad_arguments(arguments, error, text):
    with pytest.raises(error, match=text):
        EarlyStopping(**arguments)


# ModelCheckpoint ------------------------------------------------------------------------


def checkpoint(tmp_path, name="m.npz", **arguments):
    arguments.setdefault("monitor", "loss")
    return ModelCheckpoint(tmp_path / name, **arguments)


def names(model, tmp_path):
    return [str(path).removeprefix(f"{tmp_path}/") for path in model.saved]


def test_template_is_filled_from_epoch_and_logs(tmp_path):
    save = checkpoint(tmp_path, "runs/{epoch:02d}-{val_loss:.2f}.npz")
    model = train([save], losses(0.5, 0.256, name="val_loss"), first=8)
    assert names(model, tmp_path) == ["runs/09-0.50.npz", "runs/10-0.26.npz"]
    assert (tmp_path / "runs").is_dir()


@pytest.mark.parametrize(
    ("arguments", "values", "saved"),
    [
        ({}, [3, 1, 2], [1, 2, 3]),
        ({"save_best_only": True}, [3, 1, 2, 0], [1, 2, 4]),
        ({"save_best_only": True, "mode": "max"}, [3, 1, 2, 4], [1, 4]),
        ({"save_best_only": True, "initial_value_threshold": 2.5}, [3, 2, 2], [2]),
        ({"save_best_only": True}, [NAN, 3, NAN, 2], [2, 4]),
    ],
)
def test_epochs_that_are_saved(tmp_path, arguments, values, saved):
    model = train([checkpoint(tmp_path, "{epoch}.npz", **arguments)], losses(*values))
    assert names(model, tmp_path) == [f"{epoch}.npz" for epoch in saved]


def test_batches_are_counted_across_epochs(tmp_path):
    save = checkpoint(tmp_path, "{epoch}-{batch}.npz", save_freq=3)
    model = train([save], losses(1, 1, 1, 1), steps=2)
    assert names(model, tmp_path) == ["2-1.npz", "3-2.npz"]


def test_best_is_asked_for_after_batches_too(tmp_path):
    save = checkpoint(tmp_path, "{epoch}-{batch}.npz", save_freq=1, save_best_only=True)
    model = train([save], losses(3, 4, 2), steps=1)
    assert names(model, tmp_path) == ["1-1.npz", "3-1.npz"]


def test_weights_alone_are_saved_by_save_weights(tmp_path):
    model = Model()
    model.save = None  # a call would fail
    save = checkpoint(tmp_path, "m.npz", save_weights_only=True)
    assert names(train([save], losses(1), model), tmp_path) == ["m.npz"]


def test_best_stays_from_one_training_to_the_next(tmp_path):
    save = checkpoint(tmp_path, save_best_only=True)
    train([save], losses(1))
    assert train([save], losses(2)).saved == []


def test_best_changes_only_once_the_file_is_written(tmp_path):
    def fail(path):
        raise OSError("disk full")

    save, model = checkpoint(tmp_path, save_best_only=True), Model()
    model.save = fail
    with pytest.raises(OSError, match="disk full"):
        train([save], losses(1), model)
    assert save.best is None
    assert len(train([save], losses(1)).saved) == 1


def test_checkpoint_prints_what_it_does_in_keras_words(tmp_path, capsys):
    train([checkpoint(tmp_path, verbose=1, save_best_only=True)], losses(2, 1, 3))
    path = tmp_path / "m.npz"
    assert capsys.readouterr().out == (
        f"\nEpoch 1: loss improved from None to 2.00000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        f"\nEpoch 2: loss improved from 2.00000 to 1.00000, saving model to {path}\n"
        f"\nEpoch 2: finished saving model to {path}\n"
        "\nEpoch 3: loss did not improve from 1.00000\n"
    )
    train([checkpoint(tmp_path, verbose=1)], losses(2))
    assert capsys.readouterr().out == (
        f"\nEpoch 1: saving model to {path}\n\nEpoch 1: finished saving model to {path}\n"
    )


@pytest.mark.parametrize(
    ("logs", "text"),
    [
        ({"other": 1}, "Can save best model only with loss available"),
        ({"loss": np.ones(2)}, r"only when `monitor` is a scalar value. Received: array"),
    ],
)
def test_best_without_a_number_saves_with_a_warning(tmp_path, logs, text):
    with pytest.warns(UserWarning, match=text):
        assert train([checkpoint(tmp_path, save_best_only=True)], [logs]).saved


def test_unknown_name_in_the_template_is_told_with_those_known(tmp_path):
    save = checkpoint(tmp_path, "{val_acc:.2f}.npz")
    with pytest.raises(KeyError, match=r"Failed to format.*val_acc.*Known here: epoch, loss"):
        train([save], losses(1))


def test_directory_in_the_place_of_the_file_is_told(tmp_path):
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(IsADirectoryError, match=r"existing directory: .*m\.npz"):
        train([checkpoint(tmp_path)], losses(1))


@pytest.mark.parametrize(
    ("path", "arguments", "text"),
    [
        ("m.keras", {}, r"must end in '.npz'.*Received: filepath='m.keras'. Write 'm.npz'"),
        ("runs.1/m", {}, r"filepath='runs.1/m'. Write 'runs.1/m.npz'"),
        ("m.weights.h5", {"save_weights_only": True}, r"Write 'm.npz'"),
        ("{epoch.npz", {}, r"must be a template.*Write \{\{ and \}\}"),
        ("{}.npz", {}, r"names of the logs in braces.*'\{\}.npz'"),
        ("{epoch.real}.npz", {}, r"names of the logs in braces"),
        ("m.npz", {"save_freq": "batch"}, r"Unrecognized save_freq: 'batch'"),
        ("m.npz", {"save_freq": 0}, r"Unrecognized save_freq: 0. Expected 'epoch' or a whole"),
        ("m.npz", {"save_freq": 1.5}, r"Unrecognized save_freq: 1.5"),
        ("m.npz", {"initial_value_threshold": "1"}, r"`initial_value_threshold` must be"),
    ],
)
def test_checkpoint_refuses_bad_arguments(path, arguments, text):
    with pytest.raises(ValueError, match=text):
        ModelCheckpoint(path, **arguments)


# LearningRateScheduler ------------------------------------------------------------------


def test_schedule_sets_the_rate_before_each_epoch_and_records_it():
    seen = []
    watch = LambdaCallback(on_batch_begin=lambda batch, logs: seen.append(watch.model.optimizer))
    halve = LearningRateScheduler(lambda epoch, rate: rate / 2)
    model = train([halve, watch], losses(1, 1, 1), steps=1)
    assert model.history.history["learning_rate"] == [0.25, 0.125, 0.0625]
    assert seen[0].learning_rate == 0.0625


def test_schedule_may_take_the_epoch_alone():
    model = train([LearningRateScheduler(lambda epoch: 0.1 * (epoch + 1))], losses(1, 1))
    assert model.history.history["learning_rate"] == [0.1, 0.2]


def test_type_error_from_within_a_schedule_is_not_hidden():
    def broken(epoch, rate):
        return rate + None

    with pytest.raises(TypeError, match="unsupported operand"):
        train([LearningRateScheduler(broken)], losses(1))


@pytest.mark.parametrize("value", [1, None, "0.1", np.ones(1)])
def test_schedule_that_gives_no_float_leaves_the_rate(value):
    model = Model()
    with pytest.raises(ValueError, match=r"should be a float. Received: .* for epoch 0"):
        train([LearningRateScheduler(lambda epoch, rate: value)], losses(1), model)
    assert model.optimizer.learning_rate == 0.5


def test_schedule_prints_each_rate_in_keras_words(capsys):
    model = train(
        [LearningRateScheduler(lambda epoch, rate: np.float32(0.25), verbose=1)], losses(1)
    )
    expected = "\nEpoch 1: LearningRateScheduler setting learning rate to 0.25.\n"
    assert capsys.readouterr().out == expected
    assert type(model.optimizer.learning_rate) is float


def test_schedule_needs_a_function_and_an_optimizer():
    with pytest.raises(TypeError, match=r"`schedule` must be a function.*schedule=0.1"):
        LearningRateScheduler(0.1)
    model = Model()
    model.optimizer = None
    with pytest.raises(ValueError, match=r'must have a "learning_rate" attribute.*None'):
        train([LearningRateScheduler(lambda epoch, rate: rate)], losses(1), model)


# TerminateOnNaN -------------------------------------------------------------------------


@pytest.mark.parametrize("value", [NAN, math.inf, -math.inf, np.float32("nan")])
def test_training_ends_at_the_batch_without_a_loss(value, capsys):
    batches = []
    watch = LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    model = train([TerminateOnNaN(), watch], losses(1, value, 1), steps=2)
    assert model.stop_training
    assert batches == [0, 1, 0]
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"


def test_termination_can_be_an_error():
    with pytest.raises(RuntimeError, match=r"NaN or Inf loss.*batch 0. Loss value: inf"):
        train([TerminateOnNaN(raise_error=True)], losses(math.inf))


def test_finite_or_absent_loss_goes_on():
    assert not train([TerminateOnNaN()], [{"loss": 1e300}, {"accuracy": NAN}]).stop_training


# CSVLogger ------------------------------------------------------------------------------


def rows(path, separator=","):
    return list(csv.reader(io.StringIO(path.read_text()), delimiter=separator))


def test_log_has_the_columns_of_keras(tmp_path):
    path = tmp_path / "log.csv"
    train([CSVLogger(path)], [{"loss": 0.5, "accuracy": 1}, {"loss": 0.25, "accuracy": 0}])
    assert path.read_bytes() == (
        b"epoch,accuracy,loss,val_accuracy,val_loss\r\n0,1.0,0.5,NA,NA\r\n1,0.0,0.25,NA,NA\r\n"
    )


def test_log_fills_a_validation_that_comes_later(tmp_path):
    train([CSVLogger(tmp_path / "l", separator=";")], [{"loss": 1}, {"loss": 1, "val_loss": 2}])
    assert rows(tmp_path / "l", ";") == [
        ["epoch", "loss", "val_loss"],
        ["0", "1.0", "NA"],
        ["1", "1.0", "2.0"],
    ]


def test_log_writes_words_and_arrays(tmp_path):
    logs = {"a": np.array([1, 2]), "b": "word", "val_c": np.array(3)}
    train([CSVLogger(tmp_path / "l")], [logs])
    assert rows(tmp_path / "l")[1] == ["0", '"[1, 2]"', "word", "3.0"]


def test_log_replaces_or_continues_an_old_file(tmp_path):
    path = tmp_path / "l"
    for first, append in ((0, False), (1, True), (2, True)):
        train([CSVLogger(path, append=append)], losses(1), first=first)
    assert [row[0] for row in rows(path)] == ["epoch", "0", "1", "2"]
    train([CSVLogger(path)], losses(1))
    assert [row[0] for row in rows(path)] == ["epoch", "0"]


def test_continued_log_keeps_rows_under_their_names(tmp_path):
    path = tmp_path / "l"
    path.write_text("epoch,loss,accuracy\n0,0.5,0.9\n")
    with pytest.warns(UserWarning, match="l has no column for learning_rate"):
        train([CSVLogger(path, append=True)], [{"learning_rate": 0.1, "loss": 0.25}], first=1)
    assert rows(path)[1:] == [["0", "0.5", "0.9"], ["1", "0.25", "NA"]]


def test_half_a_row_of_a_killed_training_spoils_no_other(tmp_path):
    path = tmp_path / "l"
    path.write_text("epoch,loss,val_loss\n0,1.0,NA\n1,0.")
    train([CSVLogger(path, append=True)], losses(0.5, 0.4), first=1)
    assert rows(path)[1:] == [
        ["0", "1.0", "NA"], ["1", "0."], ["1", "0.5", "NA"], ["2", "0.4", "NA"],
    ]  # fmt: skip


def test_each_finished_epoch_is_in_the_file_and_no_file_stays_open_after_an_error(tmp_path):
    path, seen = tmp_path / "l", []

    def look(epoch, logs):
        seen.append(len(rows(path)))
        if epoch == 1:
            raise RuntimeError("stopped")

    log = CSVLogger(path)
    with pytest.raises(RuntimeError, match="stopped"):
        train([log, LambdaCallback(on_epoch_end=look)], losses(3, 2, 1))
    assert seen == [2, 3]
    assert not any(isinstance(value, io.IOBase) for value in vars(log).values())


def test_log_stays_in_its_folder(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    move = LambdaCallback(on_epoch_begin=lambda epoch, logs: monkeypatch.chdir(tmp_path / "other"))
    train([move, CSVLogger("l")], losses(1))
    assert len(rows(tmp_path / "l")) == 2


def test_log_that_cannot_be_written_is_told_before_the_first_epoch(tmp_path):
    epochs = []
    watch = LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    with pytest.raises(FileNotFoundError, match="absent"):
        train([CSVLogger(tmp_path / "absent" / "l"), watch], losses(1))
    assert epochs == []


def test_file_that_is_no_log_is_not_continued(tmp_path):
    path = tmp_path / "l"
    path.write_text("name;size\n")
    with pytest.raises(ValueError, match=r"first column is epoch. Received: l with .*'name;size'"):
        train([CSVLogger(path, append=True)], losses(1))
    assert path.read_text() == "name;size\n"


@pytest.mark.parametrize("separator", ["", ", ", '"', "\n", None])
def test_separator_is_one_character(separator):
    with pytest.raises(ValueError, match="`separator` must be one character"):
        CSVLogger("l", separator)


# ProgbarLogger --------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock on which everything takes no time, until a test turns it."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr("convlab.callbacks.progress.time.perf_counter", lambda: now.seconds)
    return now


def fit_printed(clock, verbose, epochs=2, steps=2, seconds=0.018):
    """What a training prints: each step takes so many seconds."""
    bar = CallbackList([ProgbarLogger()], verbose=verbose, epochs=epochs, steps=steps)
    bar.on_train_begin()
    logs = {"accuracy": 0.32, "loss": 1.54136}
    for epoch in range(epochs):
        bar.on_epoch_begin(epoch)
        for batch in range(steps):
            clock.seconds += seconds
            bar.on_train_batch_end(batch, logs)
        bar.on_test_begin()
        bar.on_test_batch_end(0, {"loss": 9})
        bar.on_test_end({"loss": 9})
        bar.on_epoch_end(epoch, logs)
    bar.on_train_end(logs)


def test_verbose_2_prints_the_lines_of_keras(clock, capsys):
    fit_printed(clock, 2)
    line = "2/2 - 0s - 18ms/step - accuracy: 0.3200 - loss: 1.5414\n"
    assert capsys.readouterr().out == f"Epoch 1/2\n{line}Epoch 2/2\n{line}"
    fit_printed(clock, 2, epochs=1, seconds=1.4)
    assert capsys.readouterr().out == line.replace("0s - 18ms", "3s - 1s")


def test_verbose_2_prints_evaluation_and_prediction_as_keras(clock, capsys):
    bar = CallbackList([ProgbarLogger()], verbose=2, epochs=1, steps=12)
    bar.on_test_begin()
    clock.seconds += 12e-4
    bar.on_test_end({"accuracy": 0.0, "loss": -0.5, "other": NAN})
    bar.on_predict_begin()
    bar.on_predict_batch_end(0, {"outputs": np.ones(3)})
    bar.on_predict_end({"outputs": np.ones(3)})
    assert capsys.readouterr().out == (
        "12/12 - 0s - 100us/step - accuracy: 0.0000e+00 - loss: -5.0000e-01 - other: nan\n"
        "12/12 - 0s - 0s/step\n"
    )


def test_nothing_is_printed_with_verbose_0(clock, capsys):
    fit_printed(clock, 0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verbose", ["auto", 1])
def test_log_gets_one_line_for_each_epoch(clock, capsys, verbose, monkeypatch):
    monkeypatch.setattr("convlab.callbacks.progress._is_notebook", lambda: False)
    fit_printed(clock, verbose, epochs=10)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch  1/10 - 0s - 18ms/step - accuracy: 0.3200 - loss: 1.5414"
    assert len(lines) == 10


def test_notebook_gets_one_line_for_each_epoch_without_times(clock, capsys, monkeypatch):
    monkeypatch.setattr("convlab.callbacks.progress._is_notebook", lambda: True)
    fit_printed(clock, "auto")
    expected = "Epoch {}/2 - accuracy: 0.3200 - loss: 1.5414\n"
    assert capsys.readouterr().out == expected.format(1) + expected.format(2)


@pytest.mark.parametrize(
    ("notebook", "text"), [(True, "loss: 0.5000\n"), (False, "3/3 - 0s - 0s/step - loss: 0.5000\n")]
)
def test_auto_prints_an_evaluation_in_one_line_and_no_prediction(
    clock, capsys, monkeypatch, notebook, text
):
    monkeypatch.setattr("convlab.callbacks.progress._is_notebook", lambda: notebook)
    bar = CallbackList([ProgbarLogger()], verbose="auto", epochs=1, steps=3)
    bar.on_test_begin()
    bar.on_test_end({"loss": 0.5})
    bar.on_predict_begin()
    bar.on_predict_end()
    assert capsys.readouterr().out == text


def test_notebook_is_told_from_a_log_by_its_shell(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not callbacks.progress._is_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    assert callbacks.progress._is_notebook()


def test_terminal_gets_one_line_that_is_rewritten(clock, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    fit_printed(clock, "auto", epochs=1, steps=4, seconds=1)
    metrics = " - accuracy: 0.3200 - loss: 1.5414"
    assert [line.rstrip(" ") for line in screen.getvalue().split("\r")] == [
        "",
        f"1/4 {'━' * 5}{'─' * 15} 3s 1s/step{metrics}",
        f"2/4 {'━' * 10}{'─' * 10} 2s 1s/step{metrics}",
        f"3/4 {'━' * 15}{'─' * 5} 1s 1s/step{metrics}",
        f"4/4 {'━' * 20} 0s 1s/step{metrics}",
        f"4/4 {'━' * 20} 4s 1s/step{metrics}\n",
    ]


def test_rewritten_line_fits_the_terminal_and_covers_the_old_one(clock, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    fit_printed(clock, "auto", epochs=1, steps=3, seconds=100)
    lines = screen.getvalue().split("\r")[1:]
    assert [len(line) for line in lines[:-1]] == [39, 39, 39]
    assert lines[-1].endswith("loss: 1.5414\n")  # the last one stays, whole


def test_shorter_text_leaves_nothing_of_the_longer_one_before(clock, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    fit_printed(clock, "auto", epochs=1, steps=3, seconds=100)
    longest = len("1/3 ") + 20 + len(" 3:20 100s/step - accuracy: 0.3200 - loss: 1.5414")
    first, second, third, _ = screen.getvalue().split("\r")[1:]
    assert len(first) == len(second) == longest
    assert "2/3" in second
    assert second[-1] != " "  # 1:40 is as long as 3:20
    assert third.endswith("1.5414  ")  # 0s is shorter


def test_first_step_which_compiles_is_left_out_of_the_time_for_each(clock, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    bar = CallbackList([ProgbarLogger()], verbose=1, epochs=1, steps=4)
    bar.on_epoch_begin(0)
    for batch, seconds in enumerate([50, 2, 2]):
        clock.seconds += seconds
        bar.on_train_batch_end(batch)
    shown = [line.split("─ ")[1].rstrip() for line in screen.getvalue().split("\r")[1:]]
    assert shown == ["2:30 50s/step", "4s 2s/step", "2s 2s/step"]


def test_quick_steps_do_not_all_reach_the_screen(clock, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    fit_printed(clock, "auto", epochs=1, steps=1000, seconds=0.001)
    assert screen.getvalue().count("\r") < 30


def test_bar_reaches_a_console_that_knows_only_ascii(clock, monkeypatch):
    raw = io.BytesIO()
    screen = io.TextIOWrapper(raw, encoding="ascii")
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    fit_printed(clock, 1, epochs=1, steps=2, seconds=1)
    assert b"1/2 ==========.........." in raw.getvalue()


def test_no_console_at_all_is_no_error(clock, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    fit_printed(clock, "auto")
    fit_printed(clock, 2)


def test_unknown_verbose_is_refused():
    with pytest.raises(ValueError, match=r'"auto", 0, 1 or 2. Received: verbose=3'):
        CallbackList([ProgbarLogger()], verbose=3)


def test_durations_read_well():
    assert [_clock(s) for s in (0.9, 59.9, 61, 3601)] == ["0s", "59s", "1:01", "1:00:01"]
    assert [_per_step(s) for s in (0, 2e-5, 0.018, 1.4)] == [
        "0s/step", "20us/step", "18ms/step", "1s/step",
    ]  # fmt: skip


# With a real model ----------------------------------------------------------------------


def small_model():
    utils.set_random_seed(3)
    net = [
        layers.Input((6, 6, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Flatten(),
        layers.Dropout(0.3), layers.Dense(3, activation="softmax"),
    ]  # fmt: skip
    model = models.Sequential(net)
    model.compile(
        optimizers.SGD(0.1, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def fit(model, given, epochs=4, **arguments):
    """Train on noise; every batch matters, and the last one is smaller."""
    random = np.random.default_rng(0)
    x = random.random((20, 6, 6, 1), dtype=np.float32)
    y = np.eye(3)[random.integers(0, 3, 20)]
    arguments.setdefault("verbose", 0)
    return model.fit(x, y, 8, epochs, callbacks=given, validation_split=0.25, **arguments)


def same(some, other):
    return all(np.array_equal(a, b) for a, b in zip(some, other, strict=True))


def test_killed_training_resumes_to_the_weights_and_the_log_it_would_have_had(tmp_path):
    def listeners(name, append=False):
        return [
            LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            ModelCheckpoint(tmp_path / (name + "{epoch}.npz")),
            CSVLogger(tmp_path / name, append=append),
        ]

    def kill(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    whole = small_model()
    history = fit(whole, listeners("whole"))
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), [LambdaCallback(on_epoch_begin=kill), *listeners("part")])
    resumed = models.load_model(tmp_path / "part2.npz")
    later = fit(resumed, listeners("part", append=True), initial_epoch=2)
    assert same(resumed.get_weights(), whole.get_weights())
    assert (tmp_path / "part").read_bytes() == (tmp_path / "whole").read_bytes()
    assert later.history == {name: values[2:] for name, values in history.history.items()}


def test_best_weights_come_back_to_a_real_model():
    kept = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    model = small_model()
    stop = EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    history = fit(model, [keep, stop], epochs=20)
    best = int(np.argmax(history.history["val_accuracy"]))
    assert (stop.best_epoch, len(history.epoch)) == (best, best + 2)
    assert same(model.get_weights(), kept[best])
    assert not same(kept[best], kept[best + 1])


def test_failed_save_leaves_the_old_file_and_the_model(tmp_path, monkeypatch):
    path, model = tmp_path / "m.npz", small_model()
    fit(model, [ModelCheckpoint(path)], epochs=1)
    old, weights = path.read_bytes(), model.get_weights()
    save = ModelCheckpoint(path)
    save.set_model(model)
    monkeypatch.setattr("os.replace", lambda *names: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save.on_epoch_end(0, {})
    assert path.read_bytes() == old
    assert [one.name for one in tmp_path.iterdir()] == ["m.npz"]
    assert same(model.get_weights(), weights)


def test_error_in_a_callback_says_what_the_model_keeps():
    def fail(epoch, logs):
        if epoch == 1:
            raise ValueError("mine")

    model = small_model()
    with pytest.raises(ValueError, match="mine") as caught:
        fit(model, [LambdaCallback(on_epoch_end=fail)])
    assert "keeps the weights after 4 steps" in caught.value.__notes__[0]
    assert model.history.epoch == [0]
    other = small_model()
    fit(other, None, epochs=2)
    assert same(model.get_weights(), other.get_weights())


def test_weights_alone_go_to_a_file_and_back(tmp_path):
    model, other = small_model(), small_model()
    fit(model, [ModelCheckpoint(tmp_path / "w.npz", save_weights_only=True)], epochs=2)
    other.load_weights(tmp_path / "w.npz")
    assert same(other.get_weights(), model.get_weights())


def test_checkpoint_knows_the_ending_of_the_files_that_models_write():
    assert model_checkpoint.ENDING == archive.ENDING


def test_callbacks_change_nothing_of_a_training(tmp_path):
    plain, watched = small_model(), small_model()
    fit(plain, None)
    listeners = [
        History(), TerminateOnNaN(), CSVLogger(tmp_path / "l"), EarlyStopping(patience=99),
        ModelCheckpoint(tmp_path / "m.npz", save_freq=1),
    ]  # fmt: skip
    fit(watched, listeners)
    assert same(plain.get_weights(), watched.get_weights())


def test_fit_in_verbose_2_prints_the_lines_of_keras(capsys):
    fit(small_model(), None, epochs=2, verbose=2)
    digits = r"\d\.\d{4}"
    line = (
        rf"2/2 - \d+s - \d+[mu]?s/step - accuracy: {digits} - loss: {digits} - "
        rf"val_accuracy: {digits} - val_loss: {digits}\n"
    )
    assert re.fullmatch(f"Epoch 1/2\n{line}Epoch 2/2\n{line}", capsys.readouterr().out)


def test_loss_that_is_no_number_ends_a_real_training(capsys):
    model = small_model()
    model.layers[0].kernel.assign(np.full((3, 3, 1, 2), NAN))
    history = fit(model, [TerminateOnNaN()])
    assert len(history.epoch) == 1
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"


# The picture ----------------------------------------------------------------------------


def curves(picture):
    """For each panel: its title, and each curve's name, style and points."""
    panels = picture.figure.axes[1:]
    return [
        [(line.get_linestyle(), line.get_xdata().tolist(), line.get_ydata().tolist())
         for line in axes.lines]
        for axes in panels
    ]  # fmt: skip


def words(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def test_plot_draws_training_whole_and_validation_dashed_loss_first():
    model = train([], [{"accuracy": 0.5, "loss": 2, "val_loss": 3}, {"accuracy": 1, "loss": 1,
                                                                     "val_loss": 2}])  # fmt: skip
    picture = model.history.plot(title="Digits")
    assert curves(picture) == [
        [("-", [1, 2], [2, 1]), ("--", [1, 2], [3, 2])],
        [("-", [1, 2], [0.5, 1])],
    ]
    expected = {"Digits", "loss", "accuracy", "training", "validation", "epoch"}
    assert expected <= set(words(picture))


def test_plot_draws_validation_at_the_epochs_that_had_one():
    model = train([], [{"loss": 4}, {"loss": 3, "val_loss": 5}] * 2)
    assert curves(model.history.plot())[0][1] == ("--", [2, 4], [5, 5])


def test_plot_begins_where_a_resumed_training_does():
    assert curves(train([], losses(2, 1), first=6).history.plot())[0][0][1] == [7, 8]


def test_plot_tells_what_it_cannot_draw():
    history = {"loss": [1, NAN, math.inf], "val_loss": [NAN, 1, NAN], "accuracy": [NAN] * 3}
    picture = plotting.history(history)
    assert curves(picture)[0][0] == ("-", [1], [1])
    told = " ".join(words(picture))
    assert "loss is not finite from epoch 2 on; val_loss is not finite in epoch 1, 3" in told
    assert "accuracy is not finite from epoch 1 on" in told


def test_plot_shows_the_metrics_asked_for():
    history = {"accuracy": [0.5], "loss": [1], "learning_rate": [0.1]}
    assert "accuracy" not in words(plotting.history(history, metrics="loss"))
    titles = ["learning_rate", "accuracy"]
    shown = words(plotting.history(history, metrics=titles))
    assert [word for word in shown if word in history] == titles
    shown = words(plotting.history({"learning_rate": [0.1], "a": [1], "loss": [2]}))
    assert [word for word in shown if word not in ("", "epoch")] == ["loss", "a", "learning_rate"]


def test_plot_on_a_logarithmic_scale_has_plain_numbers():
    picture = plotting.history({"loss": [2.0, 1.6, 1.2]}, log="y")
    picture.figure.canvas.draw()
    axis = picture.figure.axes[1].yaxis
    shown = [tick.label1.get_text() for tick in axis.get_minor_ticks()]
    assert "1.6" in shown
    assert not any("10" in text for text in shown)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: plotting.history({}), r"with at least one epoch. Received: \{\}"),
        (lambda: History().plot(), r"with at least one epoch"),
        (lambda: plotting.history([1, 2]), r"a dict of lists.*\[1, 2\]"),
        (lambda: plotting.history({"loss": [1]}, metrics="acc"), r"some of \['loss'\].*'acc'"),
        (lambda: plotting.history({"loss": [1]}, metrics=[]), r"some of \['loss'\].*\[\]"),
        (
            lambda: plotting.history({"loss": [1, 2], "val_loss": [1]}),
            r"one value for each epoch. Received: 2 epochs, 1 values of 'val_loss'",
        ),
        (lambda: plotting.history({"loss": [1]}, log="z"), r"`log` must be.*log='z'"),
    ],
)
def test_plot_refuses_what_is_no_history(call, text):
    with pytest.raises(ValueError, match=text):
        call()
