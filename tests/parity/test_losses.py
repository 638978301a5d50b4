"""Losses and metrics: the same values, gradients and names."""

import numpy as np
import pytest

import convlab
from convlab import losses
from parity import oracle, sides
from parity.closeness import assert_close

RNG = np.random.default_rng(5)
PROBABILITIES = RNG.dirichlet(np.ones(4), size=6)
LOGITS = 3 * RNG.normal(size=(6, 4))
ONE_HOT = np.eye(4)[RNG.integers(4, size=6)]
LABELS = RNG.integers(4, size=6)
MAPS = RNG.dirichlet(np.ones(3), size=(2, 4, 5))  # (batch, height, width, classes)
WEIGHTS = RNG.random(6)

# What comes in, by name: y_true and y_pred.
DATA = {
    "one-hot": (ONE_HOT, PROBABILITIES),
    "one-hot logits": (ONE_HOT, LOGITS),
    "smooth": (RNG.dirichlet(np.ones(4), size=6), PROBABILITIES),
    "not summing to 1": (ONE_HOT, 3 * PROBABILITIES),
    "certain": (np.eye(4), np.array([np.eye(4)[0]] * 4)),
    "sparse": (LABELS, PROBABILITIES),
    "sparse column": (LABELS[:, np.newaxis], PROBABILITIES),
    "sparse logits": (LABELS, LOGITS),
    "maps": (np.eye(3)[RNG.integers(3, size=(2, 4, 5))], MAPS),
    "sparse maps": (RNG.integers(3, size=(2, 4, 5)), MAPS),
    "yes or no": (RNG.integers(2, size=(6, 1)).astype(float), RNG.random((6, 1))),
    "several of yes or no": (RNG.integers(2, size=(6, 3)).astype(float), RNG.random((6, 3))),
    "yes or no logits": (RNG.integers(2, size=(6, 1)).astype(float), LOGITS[:, :1]),
    "sure of yes or no": (np.array([[1.0], [1.0], [0.0], [0.0]]), np.array([[1.0], [0], [1], [0]])),
    "numbers": (RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))),
    "columns": (RNG.normal(size=6), RNG.normal(size=(6, 1))),
    "equal numbers": (np.ones((3, 2)), np.ones((3, 2))),
}
LOSSES = [
    ("losses.CategoricalCrossentropy({})",
     ["one-hot", "smooth", "not summing to 1", "certain", "maps"]),
    ("losses.CategoricalCrossentropy(from_logits=True, {})", ["one-hot logits"]),
    ("losses.CategoricalCrossentropy(label_smoothing=0.1, {})", ["one-hot", "maps"]),
    ("losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2, {})",
     ["one-hot logits"]),
    ("losses.CategoricalCrossentropy(axis=1, {})", ["one-hot"]),
    ("losses.SparseCategoricalCrossentropy({})", ["sparse", "sparse column", "sparse maps"]),
    ("losses.SparseCategoricalCrossentropy(from_logits=True, {})", ["sparse logits"]),
    ("losses.SparseCategoricalCrossentropy(ignore_class=1, {})", ["sparse", "sparse maps"]),
    ("losses.BinaryCrossentropy({})",
     ["yes or no", "several of yes or no", "sure of yes or no"]),
    ("losses.BinaryCrossentropy(from_logits=True, {})", ["yes or no logits"]),
    ("losses.BinaryCrossentropy(label_smoothing=0.1, {})", ["several of yes or no"]),
    ("losses.MeanSquaredError({})", ["numbers", "columns", "equal numbers"]),
    ("losses.MeanAbsoluteError({})", ["numbers", "columns"]),
]  # fmt: skip
CASES = [(code, data) for code, group in LOSSES for data in group]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"]


def float_truth(truth):
    """Labels as they are, everything else as float64."""
    return truth if truth.dtype.kind == "i" else truth.astype("float64")


@pytest.mark.parametrize(("code", "data"), CASES, ids=str)
def test_losses_and_their_gradients_are_those_of_keras(code, data, keras):
    truth, predictions = DATA[data]
    theirs, ours = sides.both(code.replace("{}", "dtype='float64'"))
    truth = float_truth(truth)
    value, (_, slope) = oracle.value_and_gradient(
        lambda truth, predictions: theirs(truth, predictions), np.float64(1),
        truth.astype("float64"), predictions,
    ) if truth.dtype.kind != "i" else with_labels(theirs, truth, predictions)  # fmt: skip
    assert ours(truth, predictions) == pytest.approx(float(value), rel=1e-7, abs=1e-9)
    assert_close(ours.gradient(truth, predictions), slope, 1e5)


def with_labels(loss, truth, predictions):
    """Whole numbers have no derivative: they stand outside."""
    value, (slope,) = oracle.value_and_gradient(
        lambda predictions: loss(truth, predictions), np.float64(1), predictions
    )
    return value, (None, slope)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", ["none", "one each", "column", "zeros"])
@pytest.mark.parametrize("code", ["losses.CategoricalCrossentropy({})",
                                  "losses.MeanSquaredError({})"])  # fmt: skip
def test_weights_and_reductions_are_those_of_keras(code, weights, reduction):
    truth, predictions = DATA["one-hot"]
    given = {"none": None, "one each": WEIGHTS, "column": WEIGHTS[:, None], "zeros": 0 * WEIGHTS}
    theirs, ours = sides.both(code.replace("{}", f"dtype='float64', reduction='{reduction}'"))
    value = np.asarray(theirs(truth, predictions, sample_weight=given[weights]))
    ours_value = ours(truth, predictions, sample_weight=given[weights])
    np.testing.assert_allclose(ours_value, value, rtol=1e-7, atol=1e-12)
    slope = oracle.gradient(
        lambda p: theirs(truth, p, sample_weight=given[weights]).sum(), predictions
    )[0]
    assert_close(ours.gradient(truth, predictions, given[weights]), slope, 1e5)


FUNCTIONS = [
    ("categorical_crossentropy", "one-hot"), ("categorical_crossentropy", "maps"),
    ("sparse_categorical_crossentropy", "sparse"), ("binary_crossentropy", "several of yes or no"),
    ("mean_squared_error", "numbers"), ("mean_absolute_error", "numbers"),
    ("categorical_accuracy", "one-hot"), ("categorical_accuracy", "maps"),
    ("sparse_categorical_accuracy", "sparse"), ("sparse_categorical_accuracy", "sparse maps"),
    ("sparse_categorical_accuracy", "sparse column"),
    ("binary_accuracy", "several of yes or no"), ("top_k_categorical_accuracy", "one-hot"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data"), FUNCTIONS, ids=str)
def test_functions_give_the_values_of_keras_for_each_sample(name, data, keras):
    truth, predictions = DATA[data]
    theirs = np.asarray(getattr(keras.metrics, name)(truth, predictions))
    ours = np.asarray(getattr(convlab.metrics, name)(truth, predictions))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


METRICS = [
    ("metrics.Accuracy()", "equal numbers"), ("metrics.CategoricalAccuracy()", "one-hot"),
    ("metrics.CategoricalAccuracy()", "maps"),
    ("metrics.SparseCategoricalAccuracy()", "sparse"),
    ("metrics.SparseCategoricalAccuracy()", "sparse column"),
    ("metrics.SparseCategoricalAccuracy()", "sparse maps"),
    ("metrics.BinaryAccuracy()", "yes or no"),
    ("metrics.BinaryAccuracy(threshold=0.3)", "yes or no"),
    ("metrics.BinaryAccuracy()", "several of yes or no"),
    ("metrics.TopKCategoricalAccuracy(k=2)", "one-hot"),
    ("metrics.SparseTopKCategoricalAccuracy(k=2)", "sparse"),
    ("metrics.MeanSquaredError()", "numbers"), ("metrics.MeanAbsoluteError()", "numbers"),
    ("metrics.RootMeanSquaredError()", "numbers"),
    ("metrics.CategoricalCrossentropy()", "one-hot"),
    ("metrics.SparseCategoricalCrossentropy()", "sparse"),
    ("metrics.SparseCategoricalCrossentropy(from_logits=True)", "sparse logits"),
    ("metrics.BinaryCrossentropy()", "several of yes or no"),
]  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("code", "data"), METRICS, ids=str)
def test_metrics_give_the_results_of_keras_over_two_batches(code, data, weighted):
    truth, predictions = DATA[data]
    results = []
    for metric in sides.both(code):
        assert float(metric.result()) == 0
        for part in (slice(0, 2), slice(2, None)):
            weights = WEIGHTS[: len(truth)][part] if weighted else None
            metric.update_state(truth[part], predictions[part], sample_weight=weights)
        results.append(float(metric.result()))
        metric.reset_state()
        assert float(metric.result()) == 0
    assert results[1] == pytest.approx(results[0], rel=1e-6)


def test_names_and_configs_are_read_by_either(keras):
    for code, _ in LOSSES:
        theirs, ours = sides.both(code.replace("{}", "name='loss', reduction='sum'"))
        config = keras.losses.serialize(theirs)
        assert losses.serialize(ours) == {**config, "config": ours.get_config()}
        assert ours.get_config() == theirs.get_config()
        assert losses.deserialize(config).get_config() == config["config"]
        assert keras.losses.deserialize(losses.serialize(ours)).get_config() == config["config"]
