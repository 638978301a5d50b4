"""Callbacks: called at the same moments with the same logs, and doing the same with them."""

import numpy as np
import pytest

from parity import sides
from parity.test_training import ONE_HOT, X, compiled, fitted

HOOKS = [
    f"on_{what}{part}_{when}"
    for when in ("begin", "end")
    for what, part in (
        ("train", ""), ("test", ""), ("predict", ""), ("epoch", ""),
        ("train", "_batch"), ("test", "_batch"), ("predict", "_batch"),
    )
]  # fmt: skip


def recorder(side):
    """A callback that keeps every call: hook, index and the names in the logs."""
    events = []

    def hook(name):
        def note(self, *arguments, logs=None):
            given = [*arguments, logs]
            index = [value for value in given if isinstance(value, int)]
            entries = [value for value in given if isinstance(value, dict)]
            events.append((name, *index, *(tuple(entry) for entry in entries)))

        return note

    base = sides.module(side, "callbacks").Callback
    kind = type("Recorder", (base,), {name: hook(name) for name in HOOKS})
    return kind(), events


def without_empty(events):
    """Keras hands over empty logs or None where there are none: both say nothing."""
    return [tuple(part for part in event if part != ()) for event in events]


def fit(side, callbacks, **arguments):
    """A training of both sides' small network, with validation."""
    model = compiled(side, fitted())
    options = {"batch_size": 8, "epochs": 4, "shuffle": False, "verbose": 0, **arguments}
    history = model.fit(X, ONE_HOT, validation_split=0.3, callbacks=callbacks, **options)
    return model, history


def test_hooks_are_called_in_the_same_order_with_the_same_logs():
    seen = []
    for side in sides.BOTH:
        callback, events = recorder(side)
        model, _ = fit(side, [callback], epochs=2)
        model.evaluate(X, ONE_HOT, verbose=0, callbacks=[callback])
        model.predict(X, verbose=0, callbacks=[callback])
        seen.append(without_empty(events))
    assert seen[1] == seen[0]


OPTIONS = [
    "callbacks.EarlyStopping(patience=0)",
    "callbacks.EarlyStopping(monitor='val_loss', patience=1, min_delta=0.5)",
    "callbacks.EarlyStopping(monitor='loss', patience=0, mode='max', restore_best_weights=True)",
    "callbacks.EarlyStopping(monitor='accuracy', baseline=2.0, patience=2)",
    "callbacks.EarlyStopping(monitor='loss', min_delta=1.0, start_from_epoch=1)",
    "callbacks.EarlyStopping(monitor='val_accuracy', min_delta=1.0, restore_best_weights=True)",
    "callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)",
    "callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))",
    "callbacks.TerminateOnNaN()",
    "callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)",
]  # fmt: skip


@pytest.mark.parametrize("code", OPTIONS, ids=str)
def test_callbacks_change_a_training_in_the_same_way(code):
    results = []
    for side, callback in zip(sides.BOTH, sides.both(code), strict=True):
        model, history = fit(side, [callback])
        results.append((history, model.get_weights(), float(model.optimizer.learning_rate)))
    (theirs, their_weights, their_rate), (ours, our_weights, our_rate) = results
    assert ours.epoch == theirs.epoch
    assert list(ours.history) == list(theirs.history)
    assert our_rate == pytest.approx(their_rate, rel=1e-6)
    for mine, its in zip(our_weights, their_weights, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-3, atol=2e-5)


def test_a_csv_log_has_the_same_columns_and_rows(tmp_path):
    lines = []
    for side in sides.BOTH:
        path = tmp_path / f"{side}.csv"
        fit(side, [sides.module(side, "callbacks").CSVLogger(str(path))], epochs=2)
        lines.append(path.read_text().split())
    assert lines[1][0] == lines[0][0]
    rows = [[[float(cell) for cell in row.split(",")] for row in text[1:]] for text in lines]
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-4, atol=1e-5)
