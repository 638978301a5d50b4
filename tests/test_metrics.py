import json
import warnings

import numpy as np
import pytest

from convlab import losses, metrics

DOWN = ["mean_squared_error", "mse", "bce", "sparse_categorical_crossentropy"]


@pytest.mark.parametrize(
    ("true_shape", "pred_shape", "kind"),
    [
        ((8, 1), (8, 1), metrics.BinaryAccuracy),
        ((8,), (8, 1), metrics.BinaryAccuracy),
        ((8,), (8, 5), metrics.SparseCategoricalAccuracy),
        ((8, 1), (8, 5), metrics.SparseCategoricalAccuracy),
        ((8, 4, 4), (8, 4, 4, 5), metrics.SparseCategoricalAccuracy),
        ((8, 5), (8, 5), metrics.CategoricalAccuracy),
    ],
)
@pytest.mark.parametrize("identifier", ["accuracy", "acc", "Accuracy"])
def test_accuracy_follows_the_shapes_and_keeps_its_name(identifier, true_shape, pred_shape, kind):
    metric = metrics.resolve(identifier, true_shape, pred_shape)
    assert type(metric) is kind
    assert metric.name == identifier


@pytest.mark.parametrize("identifier", ["mse", "MeanSquaredError", "mean_squared_error", "bce"])
def test_any_other_name_stays_too(identifier):
    metric = metrics.resolve(identifier, (8, 5), (8, 5))
    assert type(metric) is type(metrics.get(identifier))
    assert metric.name == identifier


def test_metric_from_a_function_or_a_loss():
    def HitRate(y_true, y_pred):
        return y_true == y_pred

    assert metrics.resolve(HitRate, (2,), (2,)).name == "hit_rate"
    loss = metrics.resolve(losses.MeanSquaredError(), (2, 1), (2, 1))
    assert (loss.name, loss.direction) == ("mean_squared_error", "down")
    assert loss([[0.0], [0.0]], [[1.0], [3.0]]) == 5
    own = metrics.BinaryAccuracy(name="own")
    assert metrics.resolve(own, (2, 1), (2, 1)) is own
    assert own.name == "own"


@pytest.mark.parametrize("identifier", ["crossentropy", "Acuracy", "loss", 3])
def test_unknown_metric_is_refused(identifier):
    with pytest.raises(ValueError, match="Could not interpret metric identifier"):
        metrics.resolve(identifier, (2,), (2, 2))


def test_no_metric_is_refused():
    with pytest.raises(ValueError, match=r"A metric must be .*Received: None"):
        metrics.resolve(None, (2,), (2, 2))
    assert metrics.get(None) is None


def test_the_first_of_equal_predictions_wins():
    y_pred = np.array([[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_array_equal(metrics.sparse_categorical_accuracy([0, 1], y_pred), [1, 0])
    np.testing.assert_array_equal(metrics.categorical_accuracy(np.eye(2), y_pred), [1, 0])


def test_binary_threshold_itself_is_a_no():
    np.testing.assert_array_equal(metrics.binary_accuracy([1, 0, 1], [0.5, 0.5, 0.51]), [0, 1, 1])
    metric = metrics.BinaryAccuracy(threshold=0.3)
    assert metric([[1], [0]], np.array([[0.4], [0.4]], np.float32)) == 0.5


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_counts_all_of_equals(k):
    y_pred = np.array([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
    expected = [1, 1 if k == 3 else 0]
    got = metrics.sparse_top_k_categorical_accuracy([1, 0], y_pred, k)
    np.testing.assert_array_equal(got, expected)
    one_hot = np.eye(3)[[1, 0]]
    np.testing.assert_array_equal(metrics.top_k_categorical_accuracy(one_hot, y_pred, k), expected)
    assert metrics.TopKCategoricalAccuracy(k)(one_hot, y_pred) == np.mean(expected)


def test_top_k_finds_no_place_for_nan():
    y_pred = np.array([[np.nan, 0.5, 0.2]])
    assert metrics.sparse_top_k_categorical_accuracy([0], y_pred, 2) == 0


def test_column_of_labels_is_as_good_as_a_row():
    y_pred = np.random.default_rng(0).uniform(size=(5, 3))
    labels = np.array([0, 1, 2, 0, 1])
    for function in (
        metrics.sparse_categorical_accuracy,
        metrics.sparse_top_k_categorical_accuracy,
    ):
        np.testing.assert_array_equal(function(labels[:, None], y_pred), function(labels, y_pred))


@pytest.mark.parametrize("sizes", [[10], [7, 3], [1] * 10])
def test_mean_over_batches_is_the_mean_over_examples(sizes):
    rng = np.random.default_rng(1)
    y_true, y_pred = rng.normal(size=(2, 10, 4))
    weights = rng.uniform(size=10)
    metric, weighted = metrics.MeanSquaredError(), metrics.MeanSquaredError()
    for batch in np.split(np.arange(10), np.cumsum(sizes)[:-1]):
        metric.update_state(y_true[batch], y_pred[batch])
        weighted.update_state(y_true[batch], y_pred[batch], weights[batch])
    each = ((y_true - y_pred) ** 2).mean(axis=-1)
    assert metric.result() == pytest.approx(each.mean(), rel=1e-6)
    assert weighted.result() == pytest.approx((each * weights).sum() / weights.sum(), rel=1e-6)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (None, 2.5),
        (2, 2.5),
        ([1, 0], 1.5),
        ([[1], [0]], 1.5),
        ([[1, 0], [0, 1]], 2.5),
        ([[[1], [0]], [[0], [0]]], 1),
        ([0, 0], 0),
    ],
)
def test_weights_of_a_mean(weights, expected):
    assert metrics.Mean()([[1.0, 2.0], [3.0, 4.0]], weights) == expected


def test_sum_of_weighted_values():
    assert metrics.Sum()([[1.0, 2.0], [3.0, 4.0]]) == 10
    assert metrics.Sum()([[1.0, 2.0], [3.0, 4.0]], [1, 0]) == 3


def test_root_is_taken_of_the_whole_mean():
    metric = metrics.RootMeanSquaredError()
    metric.update_state([[0.0]], [[1.0]])
    metric.update_state([[0.0]], [[7.0]])
    assert metric.result() == 5


def test_reset_forgets_and_nothing_has_mean_0():
    metric = metrics.Mean()
    assert metric.result() == 0
    metric.update_state([3.0])
    metric.reset_state()
    assert metric.result() == 0
    assert metric([5.0]) == 5


def test_counter_outlasts_the_dtype():
    metric = metrics.Mean()
    metric.update_state(2.0, sample_weight=2.0**26)
    metric.update_state([4.0])
    assert float(metric.count) == 2**26 + 1


def test_ignored_class_counts_only_without_weights():
    y_true, y_pred = [0, -1, 1], [[0.3, 0.7], [0.5, 0.5], [0.2, 0.8]]
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    assert metric(y_true, y_pred) == pytest.approx(0.47570547)
    metric.reset_state()
    assert metric(y_true, y_pred, [1, 2, 3]) == pytest.approx(0.46835086)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_visible_and_no_warning_escapes(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_equal(metrics.Mean()([1.0, value], [0.0, 1.0]), value)
        np.testing.assert_equal(metrics.RootMeanSquaredError()([[0.0]], [[value]]), value)
    assert metrics.BinaryAccuracy()([[1.0]], [[np.nan]]) == 0


@pytest.mark.parametrize(
    "function",
    [
        metrics.sparse_categorical_accuracy,
        metrics.categorical_accuracy,
        metrics.sparse_top_k_categorical_accuracy,
    ],
)
def test_labels_of_another_number_are_refused(function):
    y_true = np.eye(3) if function is metrics.categorical_accuracy else np.zeros(3)
    with pytest.raises(ValueError, match=r"one label for each prediction: labels of shape \(4,\)"):
        function(y_true, np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"one label for each"):
        metrics.sparse_categorical_accuracy(np.eye(3), np.eye(3))


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"Received: y_true\.shape=\(3,\), y_pred\.shape=\(4,\)"):
        metrics.Accuracy()(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match=r"of the values, \(4,\)\. Received: sample_weight\.shape"):
        metrics.Mean()(np.ones(4), np.ones(3))


@pytest.mark.parametrize("label", [-1, 3])
def test_top_k_refuses_a_label_without_a_class(label):
    with pytest.raises(ValueError, match=r"from 0 to 2\. Received: labels from"):
        metrics.sparse_top_k_categorical_accuracy([0, label], np.ones((2, 3)))


def test_base_class_asks_for_its_methods():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state([1])
    with pytest.raises(NotImplementedError, match="method result"):
        metrics.Metric().result()


@pytest.mark.parametrize(
    ("name", "direction"),
    [("accuracy", "up"), ("top_k_categorical_accuracy", "up"), *[(n, "down") for n in DOWN]],
)
def test_direction_says_which_way_is_better(name, direction):
    assert metrics.get(name).direction == direction
    assert metrics.Mean().direction is None


@pytest.mark.parametrize(
    ("metric", "config"),
    [
        (metrics.Mean(), {"name": "mean", "dtype": "float32"}),
        (
            metrics.BinaryAccuracy(name="b", threshold=0.3),
            {"name": "b", "dtype": "float32", "threshold": 0.3},
        ),
        (
            metrics.TopKCategoricalAccuracy(3, dtype="float64"),
            {"name": "top_k_categorical_accuracy", "dtype": "float64", "k": 3},
        ),
        (
            metrics.CategoricalCrossentropy(from_logits=True),
            {
                "name": "categorical_crossentropy",
                "dtype": "float32",
                "from_logits": True,
                "label_smoothing": 0,
                "axis": -1,
            },
        ),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_config_is_keras_s_and_makes_the_same_metric(metric, config):
    written = json.loads(json.dumps(metrics.serialize(metric)))
    assert written["module"] == "keras.metrics"
    assert list(written["config"].items()) == list(config.items())
    again = metrics.deserialize(written)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


def test_wrapped_function_survives_its_config():
    metric = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="hits", threshold=0.2)
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert again.name == "hits"
    assert again([[1.0]], [[0.3]]) == 1
