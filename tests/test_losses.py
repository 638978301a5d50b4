import json
import warnings

import numpy as np
import pytest

from convlab import config, losses
from convlab.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)

CLASSES = 4
SHAPES = [(5, CLASSES), (2, 3, CLASSES)]
REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]
LOSSES = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "bce": BinaryCrossentropy,
    "bce_logits": lambda **kw: BinaryCrossentropy(from_logits=True, **kw),
    "bce_smooth": lambda **kw: BinaryCrossentropy(label_smoothing=0.2, **kw),
    "cce": CategoricalCrossentropy,
    "cce_logits": lambda **kw: CategoricalCrossentropy(from_logits=True, **kw),
    "cce_smooth": lambda **kw: CategoricalCrossentropy(label_smoothing=0.2, **kw),
    "scce": SparseCategoricalCrossentropy,
    "scce_logits": lambda **kw: SparseCategoricalCrossentropy(from_logits=True, **kw),
    "scce_ignore": lambda **kw: SparseCategoricalCrossentropy(ignore_class=1, **kw),
}


def problem(name, shape, seed=0):
    """Truths and predictions that suit a loss, in float64."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, shape[:-1])
    if name.startswith("scce"):
        y_true = labels
    elif name.startswith("cce"):
        y_true = np.eye(CLASSES)[labels]
    elif name.startswith("bce"):
        y_true = rng.integers(0, 2, shape).astype(float)
    else:
        y_true = rng.normal(size=shape)
    logits = name.endswith("logits") or name in ("mse", "mae")
    return y_true, rng.normal(size=shape) * 3 if logits else rng.uniform(0.05, 0.95, shape)


def differences(function, x, step=1e-6):
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        plus, minus = x.copy(), x.copy()
        plus[index] += step
        minus[index] -= step
        gradient[index] = (np.sum(function(plus)) - np.sum(function(minus))) / (2 * step)
    return gradient


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_gradient_equals_central_differences(name, shape, reduction):
    loss = LOSSES[name](reduction=reduction)
    y_true, y_pred = problem(name, shape)
    weights = np.random.default_rng(1).uniform(0.1, 2, shape[:-1])
    for sample_weight in (None, weights):
        expected = differences(lambda p, w=sample_weight: loss(y_true, p, w), y_pred)
        gradient = loss.gradient(y_true, y_pred, sample_weight)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_is_both(name):
    loss = LOSSES[name]()
    y_true, y_pred = problem(name, (5, CLASSES))
    weights = np.arange(5.0)
    value, gradient = loss.value_and_gradient(y_true, y_pred, weights)
    assert value == loss(y_true, y_pred, weights)
    assert isinstance(value, float)
    np.testing.assert_array_equal(gradient, loss.gradient(y_true, y_pred, weights))


@pytest.mark.parametrize("axis", [0, 1, -2])
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("kind", [CategoricalCrossentropy, SparseCategoricalCrossentropy])
def test_classes_may_stand_on_any_axis(kind, from_logits, axis):
    shape = [5, 6, 7]
    shape[axis] = CLASSES
    rng = np.random.default_rng(2)
    y_pred = rng.uniform(0.1, 0.9, shape)
    labels = rng.integers(0, CLASSES, np.delete(shape, axis))
    sparse = kind is SparseCategoricalCrossentropy
    y_true = labels if sparse else np.moveaxis(np.eye(CLASSES)[labels], -1, axis)
    moved = labels if sparse else np.eye(CLASSES)[labels]
    last = kind(from_logits=from_logits)
    there = kind(from_logits=from_logits, axis=axis)
    expected = np.moveaxis(last.gradient(moved, np.moveaxis(y_pred, axis, -1)), -1, axis)
    assert there(y_true, y_pred) == pytest.approx(last(moved, np.moveaxis(y_pred, axis, -1)))
    np.testing.assert_allclose(there.gradient(y_true, y_pred), expected)
    np.testing.assert_allclose(
        there.gradient(y_true, y_pred), differences(lambda p: there(y_true, p), y_pred), atol=1e-8
    )


@pytest.mark.parametrize("axis", [0, 1, (0, 2), None])
def test_binary_mean_runs_over_any_axes(axis):
    loss = BinaryCrossentropy(axis=axis, reduction=None)
    y_true, y_pred = problem("bce", (2, 3, CLASSES))
    each = -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))
    np.testing.assert_allclose(loss(y_true, y_pred), each.mean(axis=axis))
    expected = differences(lambda p: loss(y_true, p), y_pred)
    np.testing.assert_allclose(loss.gradient(y_true, y_pred), expected, atol=1e-7)


@pytest.mark.parametrize("from_logits", [False, True])
def test_sparse_equals_one_hot(from_logits):
    labels, y_pred = problem("scce", (2, 3, CLASSES))
    sparse = SparseCategoricalCrossentropy(from_logits=from_logits)
    dense = CategoricalCrossentropy(from_logits=from_logits)
    one_hot = np.eye(CLASSES)[labels]
    assert sparse(labels, y_pred) == pytest.approx(dense(one_hot, y_pred), rel=1e-12)
    np.testing.assert_allclose(sparse.gradient(labels, y_pred), dense.gradient(one_hot, y_pred))
    assert sparse(labels[..., None], y_pred) == sparse(labels, y_pred)


@pytest.mark.parametrize("logit", [20, 100])
def test_probabilities_that_are_clipped_have_no_gradient(logit):
    logits = np.array([[logit, 0, 0]], np.float32)
    y_pred = np.exp(logits - logit) / np.exp(logits - logit).sum()
    assert not CategoricalCrossentropy().gradient([[0, 1, 0]], y_pred).any()
    assert not SparseCategoricalCrossentropy().gradient([1], y_pred).any()
    exact = CategoricalCrossentropy(from_logits=True).gradient([[0, 1, 0]], logits)
    np.testing.assert_allclose(exact, [[1, -1, 0]], atol=1e-7)


def test_binary_probabilities_that_are_clipped_have_no_gradient():
    gradient = BinaryCrossentropy().gradient([[1.0, 1.0, 0.0, 0.0]], [[0.0, 0.5, 1.0, 2.0]])
    np.testing.assert_allclose(gradient, [[0, -0.5, 0, 0]])


def test_probability_0_costs_as_much_as_epsilon():
    y_pred = np.array([[0, 1]], np.float32)
    assert CategoricalCrossentropy()([[1, 0]], y_pred) == pytest.approx(16.118095)
    assert CategoricalCrossentropy()([[0, 1]], y_pred) == pytest.approx(1.1920929e-07)
    assert BinaryCrossentropy()([[1.0]], np.zeros((1, 1), np.float32)) == pytest.approx(16.118095)


def test_epsilon_is_the_setting():
    before = config.epsilon()
    config.set_epsilon(1e-3)
    try:
        assert CategoricalCrossentropy()([[1, 0]], [[0.0, 1.0]]) == pytest.approx(-np.log(1e-3))
    finally:
        config.set_epsilon(before)


def test_probabilities_are_divided_by_their_sum():
    assert CategoricalCrossentropy()([[1, 0]], [[2.0, 6.0]]) == pytest.approx(np.log(4))
    assert SparseCategoricalCrossentropy()([0], [[2.0, 6.0]]) == pytest.approx(np.log(4))


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "value"),
    [
        (CategoricalCrossentropy(), [[1, 0]], [[0.0, 0.0]], np.nan),
        (SparseCategoricalCrossentropy(), [0], [[0.0, 0.0]], np.nan),
        (CategoricalCrossentropy(), [[1, 0]], [[0.5, np.nan]], np.nan),
        (SparseCategoricalCrossentropy(), [0], [[0.5, np.nan]], np.nan),
        (CategoricalCrossentropy(from_logits=True), [[1, 0]], [[np.inf, 0.0]], np.nan),
        (CategoricalCrossentropy(from_logits=True), [[1, 0]], [[-np.inf, 0.0]], np.inf),
        (SparseCategoricalCrossentropy(from_logits=True), [0], [[-np.inf, 0.0]], np.inf),
        (SparseCategoricalCrossentropy(from_logits=True), [1], [[np.nan, 0.0]], np.nan),
        (BinaryCrossentropy(from_logits=True), [[0.0]], [[np.inf]], np.inf),
        (BinaryCrossentropy(from_logits=True), [[1.0]], [[np.inf]], np.nan),
        (BinaryCrossentropy(from_logits=True), [[1.0]], [[-np.inf]], np.inf),
        (BinaryCrossentropy(), [[1.0]], [[np.nan]], np.nan),
        (MeanSquaredError(), [[0.0]], [[1e200]], np.inf),
        (MeanAbsoluteError(), [[0.0]], [[np.nan]], np.nan),
    ],
)
def test_what_is_not_finite_stays_visible_and_no_warning_escapes(loss, y_true, y_pred, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got, gradient = loss.value_and_gradient(y_true, y_pred)
    np.testing.assert_equal(got, value)
    assert gradient.shape == np.shape(y_pred)
    if np.isnan(np.sum(y_pred)):
        assert np.isnan(gradient).any()


def test_gradient_of_a_sure_logit_does_not_vanish():
    gradient = BinaryCrossentropy(from_logits=True).gradient([[1.0]], np.float32([[30]]))
    np.testing.assert_allclose(gradient, [[-np.exp(-30)]], rtol=1e-5)


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", 3.5),
        ("mean", 3.5),
        ("mean_with_sample_weight", 14 / 3),
        ("sum", 14),
        ("none", [2, 12, 0, 0]),
        (None, [2, 12, 0, 0]),
    ],
)
def test_reduction_of_weighted_values(reduction, expected):
    y_pred = np.sqrt([[1.0], [6.0], [9.0], [0.0]])
    loss = MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(loss(np.zeros((4, 1)), y_pred, [2, 2, 0, -1]), expected, atol=1e-9)


def test_weights_that_sum_to_0_give_0():
    loss = MeanSquaredError(reduction="mean_with_sample_weight")
    value, gradient = loss.value_and_gradient(np.zeros((2, 1)), np.ones((2, 1)), [0, 0])
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 1), (1, 3), ()], ids=str)
def test_weights_broadcast(shape):
    y_true, y_pred = problem("mse", (2, 3, CLASSES))
    weights = np.random.default_rng(3).uniform(size=shape)
    full = np.broadcast_to(weights.reshape(shape[:2]), (2, 3))
    value, gradient = MeanSquaredError().value_and_gradient(y_true, y_pred, weights)
    assert value == pytest.approx((((y_pred - y_true) ** 2).mean(-1) * full).mean())
    np.testing.assert_allclose(gradient, MeanSquaredError().gradient(y_true, y_pred, full))


def test_column_of_weights_leaves_a_column_of_values():
    loss = MeanSquaredError(reduction=None)
    assert loss(np.zeros((4, 2)), np.ones((4, 2)), np.ones((4, 1))).shape == (4, 1)


def test_ignored_class_leaves_the_mean_and_has_no_gradient():
    loss = SparseCategoricalCrossentropy(ignore_class=-1)
    y_pred = np.array([[0.3, 0.7], [0.5, 0.5], [0.2, 0.8]])
    value, gradient = loss.value_and_gradient([0, -1, 1], y_pred)
    assert value == pytest.approx(-(np.log(0.3) + np.log(0.8)) / 2)
    assert not gradient[1].any()
    assert gradient[[0, 2]].all()


def test_ignored_prediction_may_be_anything():
    loss = SparseCategoricalCrossentropy(ignore_class=-1)
    value, gradient = loss.value_and_gradient([0, -1], [[0.5, 0.5], [np.nan, 0.0]])
    assert value == pytest.approx(np.log(2))
    np.testing.assert_array_equal(gradient[1], 0)


def test_smoothing_spreads_the_truth_over_the_classes():
    y_pred = np.array([[0.5, 0.25, 0.25]])
    smooth = CategoricalCrossentropy(label_smoothing=0.3)
    exact = CategoricalCrossentropy()
    assert smooth([[1, 0, 0]], y_pred) == pytest.approx(exact([[0.8, 0.1, 0.1]], y_pred))
    smooth, exact = BinaryCrossentropy(label_smoothing=0.3), BinaryCrossentropy()
    assert smooth([[1, 0, 0]], y_pred) == pytest.approx(exact([[0.85, 0.15, 0.15]], y_pred))


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((4,), (4, 1)), ((4, 1), (4,)), ((4, 1), (4, 3)), ((3,), (4, 3))]
)
@pytest.mark.parametrize("kind", [MeanSquaredError, MeanAbsoluteError])
def test_shapes_that_broadcast_have_exact_gradients(kind, true_shape, pred_shape):
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.normal(size=true_shape), rng.normal(size=pred_shape)
    expected = differences(lambda p: kind()(y_true, p), y_pred)
    np.testing.assert_allclose(kind().gradient(y_true, y_pred), expected, atol=1e-8)


def test_predictions_that_are_stretched_collect_the_gradient():
    y_true, y_pred = np.arange(6.0).reshape(2, 3), np.ones((2, 1))
    expected = differences(lambda p: MeanSquaredError()(y_true, p), y_pred)
    np.testing.assert_allclose(MeanSquaredError().gradient(y_true, y_pred), expected, atol=1e-8)


@pytest.mark.parametrize(
    ("given", "dtype", "values", "gradient"),
    [
        ("float32", None, "float32", "float32"),
        ("float64", None, "float64", "float64"),
        ("float16", None, "float32", "float16"),
        ("int64", None, "float32", "float32"),
        ("float64", "float32", "float32", "float64"),
    ],
)
def test_dtype_is_that_of_the_predictions(given, dtype, values, gradient):
    loss = MeanSquaredError(reduction=None, dtype=dtype)
    y_pred = np.ones((2, 3), given)
    got = loss.value_and_gradient(np.zeros((2, 3)), y_pred)
    assert (got[0].dtype, got[1].dtype) == (values, gradient)


@pytest.mark.parametrize("name", LOSSES)
def test_arguments_are_left_as_they_are(name):
    y_true, y_pred = problem(name, (5, CLASSES))
    y_true.flags.writeable = y_pred.flags.writeable = False
    LOSSES[name]().value_and_gradient(y_true, y_pred)


@pytest.mark.parametrize("name", LOSSES)
def test_layout_of_the_predictions_does_not_matter(name):
    y_true, y_pred = problem(name, (2, 3, CLASSES))
    strange = np.asfortranarray(y_pred)[::-1][::-1]
    np.testing.assert_allclose(
        LOSSES[name]().gradient(y_true, strange), LOSSES[name]().gradient(y_true, y_pred)
    )


@pytest.mark.parametrize("name", LOSSES)
def test_empty_batch_costs_nothing(name):
    y_true, y_pred = problem(name, (5, CLASSES))
    value, gradient = LOSSES[name]().value_and_gradient(y_true[:0], y_pred[:0])
    assert value == 0
    assert gradient.shape == (0, CLASSES)


def test_function_with_a_gradient_is_a_loss():
    def fourth(y_true, y_pred):
        return ((y_pred - y_true) ** 4).mean(axis=(1, 2))

    fourth.gradient = lambda y_true, y_pred: 4 * (y_pred - y_true) ** 3 / y_pred[0].size
    loss = losses.resolve(fourth, (2, 3, 4), (2, 3, 4))
    y_true, y_pred = problem("mse", (2, 3, CLASSES))
    weights = np.array([0.5, 2.0])
    expected = differences(lambda p: loss(y_true, p, weights), y_pred, 1e-5)
    assert loss.name == "fourth"
    np.testing.assert_allclose(loss.gradient(y_true, y_pred, weights), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["mse", "mae", "bce"])
def test_own_functions_have_the_attribute_that_custom_ones_need(name):
    function = losses.get(name)
    y_true, y_pred = problem(name, (5, CLASSES))
    expected = differences(lambda p: function(y_true, p), y_pred)
    np.testing.assert_allclose(function.gradient(y_true, y_pred), expected, rtol=1e-5)


def test_loss_without_a_derivative_says_what_to_attach():
    loss = losses.resolve(lambda y_true, y_pred: y_pred, (2,), (2,))
    assert loss([1.0], [1.0]) == 1
    with pytest.raises(TypeError, match=r"attribute `gradient` to a function of \(y_true, y_pred"):
        loss.gradient([1.0], [1.0])

    class Mine(Loss):
        def call(self, y_true, y_pred):
            return y_pred

    with pytest.raises(TypeError, match=r"Mine\. Give it a method call_gradient"):
        Mine().gradient([1.0], [1.0])
    with pytest.raises(NotImplementedError, match=r"method call\(y_true, y_pred\)"):
        Loss()([1.0], [1.0])


def test_custom_gradient_of_another_shape_is_refused():
    def wrong(y_true, y_pred):
        return y_pred.sum(axis=0)

    wrong.gradient = lambda y_true, y_pred: np.ones_like(y_pred)
    with pytest.raises(ValueError, match=r"values of shape \(3,\), a gradient of shape \(2, 3\)"):
        losses.resolve(wrong, (2, 3), (2, 3)).gradient(np.ones((2, 3)), np.ones((2, 3)))


@pytest.mark.parametrize("reduction", ["avg", "SUM", 3, ["sum"]])
def test_unknown_reduction_is_refused(reduction):
    with pytest.raises(ValueError, match=r"`reduction` must be one of .*Received: reduction="):
        MeanSquaredError(reduction=reduction)


def test_class_numbers_where_one_hot_labels_belong_are_refused():
    with pytest.raises(
        ValueError, match=r"same shape\. Received: y_true\.shape=\(2,\).*sparse_cat"
    ):
        CategoricalCrossentropy()([0, 1], np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"without the axis.*One-hot labels belong to categorical"):
        SparseCategoricalCrossentropy()(np.eye(3), np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"the same shape"):
        BinaryCrossentropy()(np.ones((2, 3)), np.ones((2, 1)))


@pytest.mark.parametrize("label", [-1, 3, np.nan])
def test_label_without_a_class_is_refused(label):
    with pytest.raises(ValueError, match=r"from 0 to 2, .* 3 classes\. Received: .*ignore_class"):
        SparseCategoricalCrossentropy()([0, label], np.ones((2, 3)))


@pytest.mark.parametrize("axis", [True, 2, -3, 1.0, "x"])
def test_axis_that_is_none_is_refused(axis):
    with pytest.raises(ValueError, match=r"`axis` must be .*Received: axis="):
        CategoricalCrossentropy(axis=axis)(np.eye(3), np.eye(3))


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"shapes that broadcast\. Received: y_true\.shape=\(4,\)"):
        MeanSquaredError()(np.zeros(4), np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"at least one axis"):
        MeanSquaredError()(1.0, 2.0)
    with pytest.raises(ValueError, match=r"sample_weight\.shape=\(2,\).* have shape \(2, 1\) here"):
        MeanSquaredError()(np.zeros((2, 3, 4)), np.ones((2, 3, 4)), np.ones(2))


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match=r"over one class.*y_pred\.shape=\(2, 1\)"):
        CategoricalCrossentropy()(np.ones((2, 1)), np.ones((2, 1)))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        (name, function)
        for names, function in [
            (("mse", "MSE", "mean_squared_error"), losses.mean_squared_error),
            (("mae", "MAE", "mean_absolute_error"), losses.mean_absolute_error),
            (("bce", "BCE", "binary_crossentropy"), losses.binary_crossentropy),
            (("categorical_crossentropy",), losses.categorical_crossentropy),
            (("sparse_categorical_crossentropy",), losses.sparse_categorical_crossentropy),
        ]
        for name in names
    ],
)
def test_names_of_functions(name, function):
    assert losses.get(name) is function
    resolved = losses.resolve(name, (2, 3), (2, 3))
    assert resolved.name == name
    assert losses.get(None) is losses.resolve(None, (), ()) is None


@pytest.mark.parametrize("identifier", ["cce", "crossentropy", "Mse", "mean squared error", 3])
def test_names_that_keras_does_not_know_are_refused(identifier):
    with pytest.raises(ValueError, match=r"Could not interpret loss identifier"):
        losses.get(identifier)


@pytest.mark.parametrize("identifier", ["crossentropy", "ce", "CE"])
@pytest.mark.parametrize(
    ("true_shape", "pred_shape", "function"),
    [
        ((8, 1), (8, 1), losses.binary_crossentropy),
        ((8,), (8, 1), losses.binary_crossentropy),
        ((8,), (8, 5), losses.sparse_categorical_crossentropy),
        ((8, 1), (8, 5), losses.sparse_categorical_crossentropy),
        ((8, 5), (8, 5), losses.categorical_crossentropy),
    ],
)
def test_crossentropy_follows_the_shapes(identifier, true_shape, pred_shape, function):
    loss = losses.resolve(identifier, true_shape, pred_shape)
    assert loss.get_config()["fn"] == losses.serialize(function)
    assert loss.name == identifier


@pytest.mark.parametrize(
    "loss",
    [
        MeanSquaredError(reduction="sum", name="mine"),
        MeanAbsoluteError(),
        BinaryCrossentropy(from_logits=True, label_smoothing=0.1, axis=1),
        CategoricalCrossentropy(label_smoothing=0.1),
        SparseCategoricalCrossentropy(ignore_class=255, axis=1),
    ],
    ids=lambda loss: loss.name,
)
def test_config_makes_the_same_loss(loss):
    written = json.loads(json.dumps(losses.serialize(loss)))
    again = losses.deserialize(written)
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert again._arguments == loss._arguments


def test_config_is_keras_s():
    assert losses.serialize(CategoricalCrossentropy()) == {
        "module": "keras.losses",
        "class_name": "CategoricalCrossentropy",
        "config": {
            "name": "categorical_crossentropy",
            "reduction": "sum_over_batch_size",
            "from_logits": False,
            "label_smoothing": 0.0,
            "axis": -1,
        },
        "registered_name": None,
    }
    assert list(SparseCategoricalCrossentropy().get_config()) == [
        "name",
        "reduction",
        "from_logits",
        "ignore_class",
    ]


def test_unnamed_loss_is_named_after_its_class():
    class TeaLoss(Loss):
        pass

    assert TeaLoss().name == "tea_loss"
    assert TeaLoss(name="green").name == "green"
