"""Training: from the same weights, in the same order, the same numbers epoch by epoch."""

import numpy as np
import pytest

from parity import sides

RNG = np.random.default_rng(21)
X = RNG.normal(size=(20, 6, 6, 1)).astype("float32")
LABELS = RNG.integers(3, size=20)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
YES = RNG.integers(2, size=(20, 1)).astype("float32")
NUMBERS = RNG.normal(size=(20, 3)).astype("float32")
WEIGHTS = RNG.random(20).astype("float32")

NET = (
    "models.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(3, 3, activation='relu'{conv}),"
    " layers.MaxPooling2D(),{more} layers.Flatten(), layers.Dense({units}, '{activation}'{dense})])"
)


def net(conv="", more="", dense="", units=3, activation="softmax"):
    """A small classifier of images, with options for some of its layers."""
    parts = {"conv": conv, "more": more, "dense": dense, "activation": activation}
    return NET.format(units=units, **{key: part.replace("{", "{{") for key, part in parts.items()})


def fitted(model="", **arguments):
    """One training: the model, what compile gets, and what fit gets beside the data."""
    return {"model": model or net(), **arguments}


OPTIMIZERS = {
    code: fitted(optimizer=f"optimizers.{code}")
    for code in (
        "SGD(0.1)", "SGD(0.1, momentum=0.9)", "SGD(0.1, momentum=0.9, nesterov=True)",
        "SGD(0.1, weight_decay=0.1)", "SGD(0.1, clipnorm=0.1)", "SGD(0.1, clipvalue=0.05)",
        "SGD(0.1, global_clipnorm=0.2)", "SGD(0.1, use_ema=True, ema_momentum=0.5)",
        "SGD(0.1, gradient_accumulation_steps=2)", "Adam(0.01)", "Adam(0.01, amsgrad=True)",
        "RMSprop(0.01)", "RMSprop(0.01, momentum=0.5, centered=True)",
        "SGD(optimizers.schedules.ExponentialDecay(0.1, 4, 0.5))",
    )
}  # fmt: skip
LOSSES = {
    "names": fitted(optimizer="'sgd'", loss="'categorical_crossentropy'"),
    "default optimizer": fitted(optimizer="'rmsprop'"),
    "from logits": fitted(net(activation="linear"),
                          loss="losses.CategoricalCrossentropy(from_logits=True)"),
    "smoothed": fitted(loss="losses.CategoricalCrossentropy(label_smoothing=0.1)"),
    "sparse": fitted(loss="'sparse_categorical_crossentropy'", y=LABELS),
    "sparse column": fitted(loss="'sparse_categorical_crossentropy'", y=LABELS[:, None]),
    "yes or no": fitted(net(units=1, activation="sigmoid"), loss="'binary_crossentropy'", y=YES),
    "squares": fitted(net(activation="linear"), loss="'mse'", y=NUMBERS, metrics="['mae', 'mse']"),
    "absolutes": fitted(net(activation="linear"), loss="'mean_absolute_error'", y=NUMBERS,
                        metrics="None"),
    "crossentropy": fitted(loss="'crossentropy'"),
    "crossentropy, sparse": fitted(loss="'ce'", y=LABELS),
    "sum": fitted(loss="losses.CategoricalCrossentropy(reduction='sum')"),
}  # fmt: skip
METRICS = {
    "acc": fitted(metrics="['acc']"),
    "two of a name": fitted(metrics="['accuracy', metrics.CategoricalAccuracy(name='accuracy')]"),
    "objects": fitted(metrics="[metrics.TopKCategoricalAccuracy(k=2), 'mse']"),
    "weighted": fitted(weighted_metrics="['accuracy']", sample_weight=WEIGHTS),
    "top": fitted(metrics="['accuracy', 'categorical_accuracy']", weighted_metrics="['mse']"),
}  # fmt: skip
FIT = {
    "sample weights": fitted(sample_weight=WEIGHTS),
    "class weights": fitted(class_weight={0: 0.5, 1: 2.0, 2: 1.0}),
    "class weights, sparse": fitted(loss="'sparse_categorical_crossentropy'", y=LABELS,
                                    class_weight={0: 0.5, 1: 2.0, 2: 1.0}),
    "validation data": fitted(validation_data=(X[:9], ONE_HOT[:9])),
    "weighted validation": fitted(validation_data=(X[:9], ONE_HOT[:9], WEIGHTS[:9])),
    "validation split": fitted(validation_split=0.3),
    "split and weights": fitted(validation_split=0.3, sample_weight=WEIGHTS),
    "validation now and then": fitted(validation_split=0.3, validation_freq=2),
    "validation after some": fitted(validation_split=0.3, validation_freq=[1, 3]),
    "batch of all": fitted(batch_size=None),
    "batch of one": fitted(batch_size=1, epochs=1),
    "later epochs": fitted(initial_epoch=1),
    "no epochs": fitted(epochs=0),
    "steps": fitted(steps_per_epoch=2, epochs=1),
}  # fmt: skip
LAYERS = {
    "penalties": fitted(net(", kernel_regularizer='l2', bias_regularizer='l1'",
                            dense=", kernel_regularizer=regularizers.L1L2(0.01, 0.02)"),
                        validation_split=0.3),
    "activity": fitted(net(", activity_regularizer=regularizers.L2(0.1)",
                           dense=", activity_regularizer='l1'"), validation_split=0.3),
    "activity, uneven batches": fitted(net(", activity_regularizer=regularizers.L1(0.1)"),
                                       batch_size=7),
    "constraints": fitted(net(", kernel_constraint=constraints.MaxNorm(0.5, axis=[0, 1, 2]), "
                              "bias_constraint='non_neg'",
                              dense=", kernel_constraint='unit_norm'")),
    "no bias": fitted(net(", use_bias=False", dense=", use_bias=False")),
    "frozen": fitted(net(", trainable=False, kernel_regularizer='l2'")),
    "batch normalization": fitted(net(more=" layers.BatchNormalization(),"), validation_split=0.3),
    "frozen normalization": fitted(net(more=" layers.BatchNormalization(trainable=False),")),
    "depthwise": fitted(net(more=" layers.DepthwiseConv2D(2, depth_multiplier=2),")),
    "leaky": fitted(net(more=" layers.LeakyReLU(0.3),")),
    "prelu": fitted(net(more=" layers.PReLU(),")),
    "average": fitted(net(more=" layers.AveragePooling2D(2, strides=1),")),
    "same": fitted(net(", padding='same', strides=2")),
    "dilated, in groups": fitted(net(", dilation_rate=2",
                                     more=" layers.Conv2D(6, 1, groups=3, activation='tanh'),")),
    "global": fitted("models.Sequential([layers.Input((6, 6, 1)), layers.Conv2D(4, 3),"
                     " layers.ReLU(), layers.GlobalAveragePooling2D(),"
                     " layers.Dense(3, 'softmax')])"),
    "deferred": fitted("models.Sequential([layers.Conv2D(3, 3), layers.Activation('tanh'),"
                       " layers.Flatten(), layers.Dense(3), layers.Softmax()])"),
    "residual": fitted(
        "[image := layers.Input((6, 6, 1)), conv := layers.Conv2D(2, 3, padding='same'),"
        " a := layers.Conv2D(2, 1)(image), b := layers.Conv2D(2, 3, padding='same')(a),"
        " c := layers.Activation('relu')(layers.Add()([a, b])),"
        " models.Model(image, layers.Dense(3, 'softmax')(layers.Flatten()(c)))][-1]"),
    "shared": fitted(
        "[image := layers.Input((6, 6, 1)), conv := layers.Conv2D(1, 3, padding='same', "
        "activation='tanh', kernel_regularizer='l2'),"
        " c := layers.Concatenate()([conv(image), conv(conv(image))]),"
        " models.Model(image, layers.Dense(3, 'softmax')(layers.Flatten()(c)))][-1]"),
    "two outputs": fitted(
        "[image := layers.Input((6, 6, 1)), flat := layers.Flatten()(image),"
        " models.Model(image, [layers.Dense(3, 'softmax', name='kind')(flat),"
        " layers.Dense(1, 'sigmoid', name='yes')(flat)])][-1]",
        loss="['categorical_crossentropy', 'binary_crossentropy']", loss_weights="[1.0, 0.5]",
        metrics="[['accuracy'], ['accuracy']]", y=[ONE_HOT, YES],
        validation_data=(X[:9], [ONE_HOT[:9], YES[:9]])),
}  # fmt: skip
TRAININGS = {**OPTIMIZERS, **LOSSES, **METRICS, **FIT, **LAYERS}


def compiled(side, training):
    """The model of one side, with weights that follow from their place alone."""
    model = sides.evaluate(side, training["model"])
    model.build((None, 6, 6, 1))
    rng = np.random.default_rng(2)
    model.set_weights(
        [
            0.3 * rng.normal(size=v.shape) + (3 if "variance" in v.name else 0.1)
            for v in model.weights
        ]
    )
    arguments = {
        "optimizer": "optimizers.SGD(0.1)", "loss": "'categorical_crossentropy'",
        "metrics": "['accuracy']", **training,
    }  # fmt: skip
    names = ("optimizer", "loss", "metrics", "weighted_metrics", "loss_weights")
    given = {name: arguments[name] for name in names if name in arguments}
    # Compiled by jax once for each shape, not once for each model.
    options = {name: sides.evaluate(side, code) for name, code in given.items()}
    model.compile(**options, run_eagerly=True)
    return model


def trained(side, training):
    """The model after the training, and its history."""
    model = compiled(side, training)
    names = (
        "batch_size", "epochs", "sample_weight", "class_weight", "validation_data",
        "steps_per_epoch", "validation_split", "validation_freq", "initial_epoch",
    )  # fmt: skip
    given = {name: training[name] for name in names if name in training}
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **given}
    return model, model.fit(X, training.get("y", ONE_HOT), **options)


@pytest.mark.parametrize("name", TRAININGS)
def test_three_epochs_give_the_same_history_and_weights(name):
    (their_model, theirs), (our_model, ours) = (
        trained(side, TRAININGS[name]) for side in sides.BOTH
    )
    assert list(ours.history) == list(theirs.history)
    assert ours.epoch == theirs.epoch
    assert ours.params == theirs.params
    for key, values in theirs.history.items():
        assert all(type(value) is float for value in ours.history[key])
        assert ours.history[key] == pytest.approx(values, rel=2e-4, abs=1e-5), key
    assert_same_weights(our_model, their_model)


def assert_same_weights(ours, theirs):
    """The model's weights, and what its optimizer remembers."""
    for mine, its in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-3, atol=2e-5)
    remembered = ours.optimizer.variables, theirs.optimizer.variables
    assert [v.shape for v in remembered[0]] == [tuple(v.shape) for v in remembered[1]]
    for mine, its in zip(*remembered, strict=True):
        np.testing.assert_allclose(mine, np.asarray(its), rtol=1e-3, atol=2e-5)


RETURNS = {
    "evaluate": "model.evaluate(x, y, verbose=0)",
    "evaluate in batches": "model.evaluate(x, y, batch_size=7, verbose=0)",
    "evaluate weighted": "model.evaluate(x, y, sample_weight=w, verbose=0)",
    "evaluate as dict": "model.evaluate(x, y, verbose=0, return_dict=True)",
    "train_on_batch": "model.train_on_batch(x, y)",
    "train_on_batch weighted": "model.train_on_batch(x, y, sample_weight=w)",
    "train_on_batch as dict": "model.train_on_batch(x, y, return_dict=True)",
    "train_on_batch twice": "[model.train_on_batch(x[:8], y[:8]), model.train_on_batch(x, y)][1]",
    "test_on_batch": "model.test_on_batch(x, y)",
    "test_on_batch as dict": "model.test_on_batch(x, y, return_dict=True)",
    "predict_on_batch": "model.predict_on_batch(x)",
    "predict": "model.predict(x, verbose=0)",
    "predict in batches": "model.predict(x, batch_size=7, verbose=0)",
    "predict integers": "model.predict((10 * x).astype('int32'), verbose=0)",
    "call": "model(x)",
}  # fmt: skip
KINDS = {
    "accuracy": fitted(net(", kernel_regularizer='l2'")),
    "no metrics": fitted(metrics="None"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RETURNS)
def test_methods_return_the_same_in_the_same_form(name, kind):
    values = [
        eval(
            RETURNS[name],
            {"model": compiled(side, KINDS[kind]), "x": X, "y": ONE_HOT, "w": WEIGHTS},
        )
        for side in sides.BOTH
    ]
    theirs, ours = values
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        assert ours == pytest.approx({key: float(value) for key, value in theirs.items()}, rel=1e-4)
    else:
        assert isinstance(ours, list) == isinstance(theirs, list)
        assert np.ndim(ours) == np.ndim(theirs)
        np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-4, atol=1e-6)
        if hasattr(ours, "dtype"):
            assert ours.dtype == np.asarray(theirs).dtype
