"""Where convlab differs from Keras on purpose: the one table, checked by test.

Expressions are written with Keras's module names. `tests/parity` evaluates each with both
libraries, and each must do what stands here: the class of an exception, "accepted", or a value.
Where there is no expression, the two sentences say what none can show.

    python book/_tools/differences.py

prints the tables as the book's page holds them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One place where the two libraries do not do the same.

    Parameters
    ----------
    keras, convlab : str
        What each does: an exception's name, "accepted", or a value; or a sentence.
    reason : str
        Why convlab does otherwise.
    codes : tuple of str
        Expressions that show it: all are tested.
    shown : str
        What the page prints instead of the first, in Markdown.
    """

    keras: str
    convlab: str
    reason: str
    codes: tuple[str, ...] = ()
    shown: str = ""


SIZES = ("layers.Conv2D(4, {})", "layers.Conv2D(4, 3, strides={})",
         "layers.Conv2D(4, 3, dilation_rate={})")  # fmt: skip


_MODEL = "[m := models.Sequential([layers.Input((3,)), layers.Dense(3)]),"
_START = "[m := models.Sequential([layers.Input((3,)), layers.Dense(2)]),"
_NET = f"{_START} m.compile('sgd', 'mse'),"


def _each(value: str) -> tuple[str, ...]:
    """One value for kernel_size, strides and dilation_rate, which share one rule."""
    return tuple(size.format(value) for size in SIZES)


DIFFERENCES: dict[str, list[Difference]] = {
    "Refused earlier": [
        Difference(
            "accepted", "ValueError", "Keras fails when the layer is built.",
            ("layers.Conv2D(None, 3)", "layers.Conv2D(2.0, 3)", "layers.Conv2D(np.float32(4), 3)",
             "layers.Conv2D(4, 3, groups=2.0)"),
        ),
        Difference(
            "accepted", "ValueError",
            "Keras fails when the layer is built; half a pixel has no meaning, and 3.0 is a slip.",
            (*_each("(3.0, 3.0)"), *_each("(2.5, 3)")),
        ),
        Difference(
            "accepted", "ValueError", "Keras fails when the layer is built.",
            ("layers.Conv2D(4, 3, padding=(1, 1))", "layers.Conv2D(4, 3, padding=[1, 1])"),
        ),
        Difference(
            "accepted", "ValueError",
            "A layer without input channels has no weights; Keras fails when it is called.",
            ("layers.Conv2D(4, 3).build((None, 5, 5, 0))",),
        ),
        Difference(
            "(1, 2, 2, 2)", "ValueError", "The layer cannot be built on this shape.",
            ("layers.Conv2D(2, 2, groups=2).compute_output_shape((1, 3, 3, 3))",),
        ),
        Difference(
            "accepted", "TypeError", "A layer class is no activation: it needs arguments.",
            ("layers.Conv2D(4, 3, activation=layers.Conv2D)",),
        ),
    ],
    "Refused earlier, beside Conv2D": [
        Difference(
            "accepted", "ValueError",
            "Keras fails when the layer is called, or not at all.",
            ("layers.MaxPooling2D(strides=0)", "layers.MaxPooling2D(padding='foo')",
             "layers.AveragePooling2D(2, padding='foo')"),
        ),
        Difference(
            "accepted", "TypeError", "Keras fails when the layer is called.",
            ("layers.MaxPooling2D(padding=None)",),
        ),
        Difference(
            "accepted", "ValueError", "A slip: no numbers can be drawn so, or none that are meant.",
            ("initializers.Constant('x')", "initializers.RandomNormal(stddev=-1.0)",
             "initializers.RandomUniform(1.0, -1.0)"),
        ),
        Difference(
            "accepted", "ValueError",
            "No length is negative, and no step goes further than the way.",
            ("constraints.MaxNorm(-1)", "constraints.MaxNorm('x')", "constraints.MaxNorm(axis='x')",
             "constraints.MinMaxNorm(2.0, 1.0)", "constraints.MinMaxNorm(rate=2.0)",
             "constraints.MinMaxNorm(rate=-1.0)"),
        ),
        Difference(
            "accepted", "ValueError", "Weights would grow without end, or become NaN.",
            ("optimizers.SGD(clipnorm=-1.0)", "optimizers.SGD(weight_decay=-1.0)",
             "optimizers.SGD(use_ema=True, ema_overwrite_frequency=0)",
             "optimizers.Adam(beta_1=2.0)", "optimizers.Adam(epsilon=-1.0)",
             "optimizers.RMSprop(rho=2.0)"),
        ),
        Difference(
            "accepted", "ValueError", "Keras fails in the first step of the training.",
            (f"{_START} m.compile('sgd', 'nope')][-1]", f"{_START} m.compile('sgd', 3)][-1]"),
            shown="`model.compile('sgd', 'nope')`",
        ),
        Difference(
            "[[0.0, 1.0], [0.0, 1.0]]", "IndexError",
            "A label of -1 is a mistake, not the last class.",
            ("utils.to_categorical([-1, 1])",),
        ),
    ],
    "Refused with another exception": [
        Difference(
            "KeyError", "ValueError",
            "The error says what is missing.",
            (f"{_START} m.predict(None, verbose=0)][-1]",
             f"{_NET} m.fit(None, None, verbose=0)][-1]",
             f"{_NET} m.fit(verbose=0)][-1]"),
            shown="`model.fit(None)`",
        ),
        Difference(
            "StopIteration", "ValueError", "Keras finds no first batch. The error says why.",
            (f"{_NET} m.fit(image(0, 3), image(0, 2), verbose=0)][-1]",
             f"{_NET} m.fit(image(4, 3), image(4, 2), batch_size=-1, verbose=0)][-1]"),
            shown="`model.fit(x[:0], y[:0])`",
        ),
        Difference(
            "UnboundLocalError", "ValueError", "Keras finds no first batch. The error says why.",
            (f"{_START} m.predict(image(0, 3), verbose=0)][-1]",),
            shown="`model.predict(x[:0])`",
        ),
        Difference(
            "TypeError", "ValueError",
            "Shapes that do not fit are a ValueError. In Keras each backend raises its own.",
            ("losses.MeanSquaredError()(image(2, 3), image(2, 4))",
             "losses.MeanSquaredError()(image(2, 3), image(2, 3), sample_weight=image(3))",
             "metrics.Accuracy()(image(2), image(3))",
             f"{_NET} m.fit(image(4, 3), image(4, 3), verbose=0)][-1]",
             f"{_NET} m.train_on_batch(image(4, 3), image(5, 2))][-1]"),
            shown="`losses.MeanSquaredError()(of_3, of_4)`",
        ),
        Difference(
            "AttributeError", "TypeError", "The error says what a callback is.",
            (f"{_NET} m.fit(image(4, 3), image(4, 2), callbacks=[3], verbose=0)][-1]",),
            shown="`model.fit(x, y, callbacks=[3])`",
        ),
        Difference(
            "TypeError", "ValueError", "The error says what a model is made of.",
            ("models.Sequential(layers.Dense(2))", "models.Sequential(3)", "layers.Add()([])",
             "[i := layers.Input((3,)), o := layers.Dense(2)(i), models.Model(i)][-1]"),
        ),
        Difference(
            "AttributeError", "ValueError",
            "The shape follows from an input that is not known yet.",
            ("[m := models.Sequential(), m.input_shape][-1]",
             "[m := models.Sequential(), m.output_shape][-1]"),
            shown="`models.Sequential().input_shape`",
        ),
        Difference(
            "IndexError", "AxisError", "NumPy's AxisError, which is an IndexError too.",
            ("layers.BatchNormalization(axis=4).build((None, 4, 5, 3))",
             "layers.BatchNormalization(axis=-5).build((None, 4, 5, 3))"),
        ),
        Difference(
            "ValueError", "AxisError", "NumPy's AxisError, which is a ValueError too.",
            ("layers.Concatenate(axis=2)([image(2, 3), image(2, 3)])",),
        ),
        Difference(
            "OverflowError", "ValueError", "A seed is a number that NumPy's generators take.",
            ("random.SeedGenerator(-1)",),
        ),
        Difference(
            "TypeError", "ValueError", "Keras fails in the backend.",
            ("layers.MaxPooling2D(2, strides=0)(image(2, 5, 4, 3)).shape",),
        ),
        Difference(
            "AttributeError", "TypeError", "Keras calls lower() on whatever came.",
            ("layers.Conv2D(4, 3, padding=None)", "layers.Conv2D(4, 3, padding=1)"),
        ),
        Difference(
            "TypeError", "ValueError", "Keras compares the tuple with 0.",
            ("layers.Conv2D((4,), 3)",),
        ),
        Difference(
            "KeyError", "ValueError", "Keras looks for the value in an empty config.",
            ("layers.Conv2D(4, 3, kernel_initializer='constant')",
             "layers.Conv2D(4, 3, kernel_initializer='Constant')"),
        ),
        Difference(
            "ValueError", "TypeError", "Text where a number belongs is a TypeError everywhere.",
            _each("('a', 2)"),
        ),
        Difference(
            "accepted", "TypeError", "Two bytes are no pair of sizes.",
            _each("b'33'"),
        ),
        Difference(
            "IndexError", "ValueError", "A shape without axes is refused as other ranks are.",
            ("layers.Conv2D(4, 3).build(())",),
        ),
        Difference(
            "ZeroDivisionError", "ValueError", "The error says that channels are missing.",
            ("layers.Conv2D(4, 3)(image(1, 5, 5, 0)).shape",),
        ),
        Difference(
            "TypeError", "ValueError", "The error says what the layer can be called with.",
            ("layers.Conv2D(4, 3)([image(1, 5, 5, 2)]).shape",),
        ),
    ],
    "Accepted here": [
        Difference(
            "ValueError", "accepted",
            "What enters a model may leave it again, wherever it is in a graph.",
            ("[i := layers.Input((3,)), o := layers.Dense(2)(i), models.Model(o, o)][-1]",),
            shown="`models.Model(hidden, hidden)`",
        ),
        Difference(
            "ValueError", "accepted", "NumPy's whole numbers are whole numbers.",
            _each("np.int64(3)"),
        ),
        Difference(
            "ValueError", "accepted", "A built layer has nothing left to build.",
            ("[layer := layers.Conv2D(4, 3), layer(image(1, 5, 5, 2)), "
             "layer.build((None, 5, 5, 2))][-1]",),
            shown="`layer.build(shape)`, twice",
        ),
    ],
    "Numbers": [
        Difference(
            "0.32", "0.4",
            "A layer that is called twice is penalized for both outputs, as Keras does with torch. "
            "With jax, fit and evaluate count the last call alone.",
            ("[i := layers.Input((2,)), d := layers.Dense(2, kernel_initializer='ones', "
             "activity_regularizer='l2'), m := models.Model(i, d(d(i))), m.compile('sgd', 'mse'), "
             "m.evaluate(np.ones((2, 2)), np.full((2, 2), 4.0), verbose=0)][-1]",),
            shown="`model.evaluate(x, y)`, one penalized layer called twice",
        ),
        Difference(
            "1.0", "0.2", "Keras takes 1 with jax and 0.2 with torch; the left side is taken here.",
            ("slope('leaky_relu', 0.0)",),
        ),
        Difference(
            "1.0", "0.0", "At a kink beside a flat side, the flat side is taken, as in relu.",
            ("slope('hard_tanh', 1.0)", "slope('hard_tanh', -1.0)"),
        ),
        Difference(
            "0.25", "0.0", "At a kink beside a flat side, the flat side is taken, as in relu.",
            ("slope('sparse_sigmoid', 1.0)", "slope('sparse_sigmoid', -1.0)"),
        ),
        Difference(
            "1.0", "1.5", "jax takes the middle of both sides; the left side is taken here.",
            ("slope('hard_silu', 3.0)",),
        ),
        Difference(
            "[0.0, 0.0]", "[nan, 0.0]", "A NaN stays a NaN.",
            ("activations.hard_shrink(np.array([np.nan, 0.0], 'float32'))",
             "activations.soft_shrink(np.array([np.nan, 0.0], 'float32'))"),
        ),
        Difference(
            "[0.0, 0.0, 0.25]", "[0.0, 0.25, 0.75]",
            "Keras 3.15 sums the wrong numbers, and its result does not sum to 1.",
            ("activations.sparsemax(np.array([0.0, 0.5, 1.0], 'float32'))",),
        ),
        Difference(
            "[inf, inf]", "[1e+30, 0.0]",
            "The square of the number overflows in Keras; no square is needed.",
            ("activations.squareplus(np.array([1e30, -1e30], 'float32'))",),
        ),
    ],
    "Not here": [
        Difference(
            "accepted", "ValueError", "Adapters and arithmetic of few bits are beyond this book.",
            ("layers.Conv2D(4, 3, lora_rank=2)", "layers.Conv2D(4, 3, lora_alpha=2)",
             "layers.Conv2D(4, 3, dtype='bfloat16')", "layers.BatchNormalization(renorm=True)"),
        ),
        Difference(
            "accepted", "TypeError", "NumPy has no such arrays.",
            ("layers.Input((3,), sparse=True)", "layers.Input((3,), optional=True)"),
        ),
        Difference(
            "accepted", "AttributeError",
            "This book teaches one layer: the others here are those that its networks need.",
            ("layers.Conv2DTranspose(4, 3)", "layers.Conv1D(4, 3)", "layers.SeparableConv2D(4, 3)",
             "layers.ZeroPadding2D()", "layers.UpSampling2D()", "layers.LayerNormalization()",
             "layers.Reshape((2, 1))", "layers.Lambda(len)"),
        ),
        Difference(
            "accepted", "AttributeError", "As with layers: those that the book speaks of.",
            ("optimizers.AdamW()", "losses.Huber()", "metrics.AUC()",
             "callbacks.ReduceLROnPlateau()", "callbacks.TensorBoard('x')", "utils.plot_model"),
        ),
        Difference(
            "UserWarning and accepted", "ValueError", "Data is in arrays, whose length is known.",
            (f"{_NET} m.fit(((image(4, 3), image(4, 2)) for n in range(2)), verbose=0)][-1]",),
            shown="`model.fit(generator)`",
        ),
    ],
    "What no expression shows": [
        Difference(
            "A seed gives other weights with each backend.",
            "A seed gives the same weights on every machine, other ones than Keras.",
            "The distributions are the same, and are compared by test.",
        ),
        Difference(
            "The order of shuffled samples follows from the backend's generator.",
            "It follows from `utils.set_random_seed` and the number of steps made.",
            "A run that was resumed sees the samples in the order it would have seen.",
        ),
        Difference(
            "The derivative of L1 at 0 is 0 with torch and 1 with jax.",
            "It is 0.",
            "A weight at zero stays there, which is what L1 is for.",
        ),
        Difference(
            "With dtype float64, some functions, tanh among them, compute in float32 with jax.",
            "All compute in float64.",
            "Gradients are checked by differences, which need the digits.",
        ),
        Difference(
            "A function or layer of one's own is differentiated by the backend.",
            "It brings its derivative along, as `gradient` or `backward`.",
            "There is no tape: every derivative in the book can be read.",
        ),
        Difference(
            "`run_eagerly`, `jit_compile` and `steps_per_execution` choose how a step is compiled.",
            "They are accepted and change nothing.",
            "No step is compiled; the kernels are, once.",
        ),
    ],
    "Attributes": [
        Difference(
            "AttributeError", "False", "It is there before the first `fit`, too.",
            (f"{_START} m.stop_training][-1]",),
            shown="`model.stop_training`",
        ),
        Difference(
            "['loss', 'compile_metrics']", "['loss', 'mae']",
            "Keras names the box that holds the metrics, not the metrics.",
            (f"{_MODEL} m.compile('sgd', 'mse', metrics=['mae']), "
             "m.evaluate(image(2, 3), image(2, 3), verbose=0), m.metrics_names][-1]",),
            shown="`model.metrics_names`",
        ),
        Difference(
            "False", "True", "Keras 3.15 forgets the gain when it writes the config.",
            ("initializers.Identity(2.0).get_config() == {'gain': 2.0}",),
            shown="`initializers.Identity(2.0).get_config()` has the gain",
        ),
        Difference(
            "2", "AttributeError", "There is no layer of another rank.",
            ("layers.Conv2D(4, 3).rank",),
        ),
        Difference(
            "False", "True",
            "A variable says whether it can be trained, the layer whether it is at present.",
            ("[layer := layers.Conv2D(4, 3, trainable=False, kernel_regularizer='l2'), "
             "layer(image(1, 5, 5, 2)), layer.kernel.trainable][-1]",),
            shown="`layers.Conv2D(4, 3, trainable=False).kernel.trainable`",
        ),
    ],
}  # fmt: skip


def checked() -> dict[str, Difference]:
    """Every expression of the table, with its entry."""
    groups = DIFFERENCES.values()
    return {code: entry for group in groups for entry in group for code in entry.codes}


def tables() -> str:
    """The table in Markdown, one section for each group."""
    return "\n".join(_section(title, group) for title, group in DIFFERENCES.items())


def _section(title: str, group: list[Difference]) -> str:
    head = ["Keras", "convlab", "Why"]
    if any(entry.codes for entry in group):
        head = ["Expression", *head]
    rows = [_cells(entry) for entry in group]
    lines = [f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows]]
    return "\n".join([f"## {title}", "", *lines, ""])


def _cells(entry: Difference) -> list[str]:
    """One row: what Python would print stands as code."""
    if not entry.codes:
        return [entry.keras, entry.convlab, entry.reason]
    found = [text if "accepted" in text else f"`{text}`" for text in (entry.keras, entry.convlab)]
    return [entry.shown or f"`{entry.codes[0]}`", *found, entry.reason]


if __name__ == "__main__":
    print(tables())
