"""Where convlab differs from Keras on purpose: the one table, checked by test.

Expressions are written with Keras's module names. `tests/parity` evaluates each with both
libraries, and each must do what stands here: the class of an exception, "accepted", or a value.
Where there is no expression, the two sentences say what none can show.

    python book/_tools/differences.py            # prints the tables
    python book/_tools/differences.py --write    # puts them into the book's page

Each table is a cell of the page, the first one below the heading of its name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

PAGE = Path(__file__).resolve().parents[1] / "differences.ipynb"


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
        What the page prints instead of them, in Markdown.
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
        Difference(
            "accepted", "TypeError",
            "Arithmetic makes no layers here: take `Add`, `Subtract`, `Multiply`, `Average`.",
            ("layers.Input((3,)) + 1",
             "layers.Input((3,)) * layers.Input((3,))",
             "[i := layers.Input((4, 3)), i[:, 0]][-1]",),
            shown="`symbolic + 1`, `symbolic * symbolic`, `symbolic[:, 0]`",
        ),
        Difference(
            "accepted", "ValueError",
            "A graph has inputs; an array is not one of them.",
            ("layers.Add()([layers.Input((3,)), image(1, 3)])",),
        ),
        Difference(
            "accepted", "ValueError",
            "A model is a graph: `Model(inputs, outputs)`, or `Sequential`. It has no `call` of "
            "one's own.",
            ("models.Model()",),
            shown="`class MyModel(models.Model)` with a `call`",
        ),
        Difference(
            "accepted", "AttributeError",
            "What a step of training does stands in one place, and cannot be exchanged.",
            ("models.Model.train_step",
             "models.Model.compute_loss",
             "models.Model.add_loss",
             "layers.Layer.add_loss",
             "models.Model.test_step",
             "models.Model.predict_step",
             "models.Model.compute_metrics",),
        ),
        Difference(
            "accepted", "AttributeError",
            "Nothing is served or shrunk from here. Move the weights to Keras, and do it there.",
            ("models.Model.export", "models.Model.quantize"),
        ),
        Difference(
            "accepted", "AttributeError",
            "A layer says its `name`, `dtype` and `compute_dtype`. Masks are for sequences.",
            ("layers.Conv2D(4, 3).path",
             "layers.Conv2D(4, 3).dtype_policy",
             "layers.Conv2D(4, 3).input_spec",
             "layers.Conv2D(4, 3).compute_mask",),
        ),
        Difference(
            "accepted", "AttributeError",
            "Weights are in the variables; functions without state are how jax is served.",
            ("layers.Layer.stateless_call",
             "optimizers.SGD().stateless_apply",
             "layers.Layer.save_own_variables",),
        ),
        Difference(
            "accepted", "AttributeError",
            "Adapters are beyond this book.",
            ("layers.Conv2D(4, 3).enable_lora",),
        ),
        Difference(
            "accepted", "ValueError",
            "16-bit numbers of this kind are not in NumPy. `mixed_float16` is here.",
            ("layers.Conv2D(4, 3, dtype='mixed_bfloat16')",),
        ),
        Difference(
            "accepted", "AttributeError",
            "A layer is given its policy as `dtype`.",
            ("config.dtype_policy",
             "config.set_dtype_policy",),
        ),
        Difference(
            "accepted", "TypeError",
            "The summary takes `line_length` and `print_fn`.",
            (f"{_START} m.summary(print_fn=len, expand_nested=True)][-1]",
             f"{_START} m.summary(print_fn=len, show_trainable=True)][-1]",
             f"{_START} m.summary(print_fn=len, positions=[0.3, 0.6, 0.9, 1.0])][-1]",),
            shown="`model.summary(expand_nested=True)`, `show_trainable`, `positions`",
        ),
        Difference(
            "accepted", "TypeError",
            "A loss is scaled only where `loss_scale_factor` says so.",
            (f"{_START} m.compile('sgd', 'mse', auto_scale_loss=False)][-1]",),
            shown="`model.compile('sgd', 'mse', auto_scale_loss=False)`",
        ),
    ],
    "Refused earlier, in Conv2D": [
        Difference(
            "accepted", "ValueError", "Keras fails when the layer is built.",
            ("layers.Conv2D(None, 3)", "layers.Conv2D(2.0, 3)", "layers.Conv2D(np.float32(4), 3)",
             "layers.Conv2D(4, 3, groups=2.0)"),
        ),
        Difference(
            "accepted", "ValueError",
            "Keras fails when the layer is built; half a pixel has no meaning, and 3.0 is a slip.",
            (*_each("(3.0, 3.0)"), *_each("(2.5, 3)")),
            shown="`(3.0, 3.0)` or `(2.5, 3)`, as `kernel_size`, `strides` or `dilation_rate`",
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
        Difference(
            "accepted", "TypeError", "Two bytes are no pair of sizes.",
            _each("b'33'"),
            shown="`b'33'`, as `kernel_size`, `strides` or `dilation_rate`",
        ),
    ],
    "Refused earlier, elsewhere": [
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
        Difference(
            "accepted", "TypeError",
            "Keras fails when the layer is called.",
            ("layers.Concatenate(axis='x')",
             "layers.Concatenate(axis=1.5)",
             "layers.Softmax(axis='x')",
             "layers.DepthwiseConv2D(3, depth_multiplier=None)",),
        ),
        Difference(
            "accepted", "ValueError",
            "Keras fails when the layer is built.",
            ("layers.DepthwiseConv2D(3, depth_multiplier=2.5)",),
        ),
        Difference(
            "accepted", "ValueError",
            "No number can be drawn so.",
            ("initializers.RandomNormal(mean=float('nan'))",
             "initializers.VarianceScaling(scale=float('inf'))",),
        ),
        Difference(
            "accepted", "ValueError",
            "Seeds lie between 0 and 2**32 - 1.",
            ("initializers.HeNormal(seed=-1)",),
        ),
        Difference(
            "accepted", "ValueError",
            "Training would go on with weights that are NaN, or average nothing.",
            ("optimizers.SGD(learning_rate=float('nan'))",
             "optimizers.SGD(learning_rate=float('inf'))",
             "optimizers.SGD(momentum=float('nan'))",
             "optimizers.SGD(global_clipnorm=-1.0)",
             "optimizers.Adam(beta_1=1.0)",),
        ),
        Difference(
            "accepted", "AttributeError",
            "The name of the past: Keras 3 sets it, and trains on with the old rate.",
            ("setattr(optimizers.SGD(), 'lr', 0.1)",),
            shown="`optimizer.lr = 0.1`",
        ),
        Difference(
            "accepted", "ImportError",
            "Keras refuses the call, here the name does.",
            ("optimizers.legacy.SGD",),
        ),
        Difference(
            "accepted", "ValueError",
            "A gradient has the shape of its variable; Keras spreads one number over all.",
            (f"{_START} o := optimizers.SGD(), o.build(m.trainable_variables), o.apply([image(3, "
             f"2), image(1)])][-1]",),
            shown="`optimizer.apply(gradients)`, one of another shape",
        ),
        Difference(
            "[[0.0, 1.0]]", "ValueError",
            "A label is a whole number. Keras cuts off the rest.",
            ("utils.to_categorical([1.7])",),
        ),
        Difference(
            "0.0", "ValueError",
            "A label that names no class is a mistake. With jax it costs nothing, without a word.",
            ("losses.SparseCategoricalCrossentropy()(np.array([5]), np.array([[0.2, 0.8]], "
             "'float32'))",
             "losses.SparseCategoricalCrossentropy()(np.array([-1]), np.array([[0.2, 0.8]], "
             "'float32'))",),
            shown="`SparseCategoricalCrossentropy()`, labels 5 and -1 of 2 classes",
        ),
        Difference(
            "1.0", "ValueError",
            "Keras compares one label with all predictions.",
            ("metrics.CategoricalAccuracy()(image(1, 3), image(4, 3))",),
            shown="`CategoricalAccuracy()`, 1 label and 4 predictions",
        ),
        Difference(
            "[nan]", "ValueError",
            "The root of a negative number is none.",
            ("activations.squareplus(np.array([1.0], 'float32'), b=-4.0)",),
        ),
        Difference(
            "accepted", "TypeError",
            "A misspelt hook would never be called.",
            ("callbacks.LambdaCallback(on_nope=len)",),
        ),
        Difference(
            "accepted", "TypeError",
            "Keras fails in training.",
            ("callbacks.LearningRateScheduler(3)",
             "callbacks.CSVLogger(3)",),
        ),
        Difference(
            "accepted", "ValueError",
            "Patience is a number of epochs, 0 or more.",
            ("callbacks.EarlyStopping(patience=-1)",),
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
            shown="`('a', 2)`, as `kernel_size`, `strides` or `dilation_rate`",
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
        Difference(
            "OverflowError", "ValueError",
            "A seed is a number from 0 to 2**32 - 1.",
            ("random.SeedGenerator(2**40)",
             "layers.Dropout(0.5, seed=-1)",),
        ),
        Difference(
            "AttributeError", "ValueError",
            "The error says that one array is wanted, not a list.",
            ("layers.Flatten()([image(2, 3)]).shape",),
        ),
        Difference(
            "TypeError", "ValueError",
            "Shapes are checked at every call.",
            ("[l := layers.Add(), l([image(2, 3), image(2, 3)]), "
             "l([image(2, 3), image(2, 4)])][-1]",),
            shown="`layers.Add()`, called with shapes that do not fit the second time",
        ),
        Difference(
            "TypeError", "ValueError",
            "The error says which gradient does not fit which variable.",
            (f"{_START} o := optimizers.SGD(), o.build(m.trainable_variables), o.apply([image(3, "
             f"3), image(2)])][-1]",),
            shown="`optimizer.apply(gradients)`, one too large",
        ),
    ],
    "Accepted here alone": [
        Difference(
            "ValueError", "accepted",
            "What enters a model may leave it again, wherever it is in a graph.",
            ("[i := layers.Input((3,)), o := layers.Dense(2)(i), models.Model(o, o)][-1]",),
            shown="`models.Model(hidden, hidden)`",
        ),
        Difference(
            "AttributeError", "accepted",
            "Keras has `inputs` and `outputs` alone there, until the model is called in a graph.",
            (f"{_START} m.input][-1]", f"{_START} m.output][-1]"),
            shown="`input` and `output` of a `models.Sequential`",
        ),
        Difference(
            "ValueError", "accepted", "NumPy's whole numbers are whole numbers.",
            _each("np.int64(3)"),
            shown="`np.int64(3)`, as `kernel_size`, `strides` or `dilation_rate`",
        ),
        Difference(
            "ValueError", "accepted", "A built layer has nothing left to build.",
            ("[layer := layers.Conv2D(4, 3), layer(image(1, 5, 5, 2)), "
             "layer.build((None, 5, 5, 2))][-1]",),
            shown="`layer.build(shape)`, twice",
        ),
        Difference(
            "NotImplementedError", "(4, 4)",
            "The matrix is computed in more digits, and then rounded.",
            ("initializers.Orthogonal()((4, 4), 'float16').shape",),
        ),
        Difference(
            "ValueError", "0.69315",
            "Classes may stand on another axis, as in the loss for one-hot labels.",
            ("losses.SparseCategoricalCrossentropy(axis=1)(np.zeros((1, 3), int), np.ones((1, 2, "
             "3)) / 2)",),
        ),
    ],
    "Other numbers": [
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
            shown="derivative of `leaky_relu` at 0",
        ),
        Difference(
            "1.0", "0.0", "At a kink beside a flat side, the flat side is taken, as in relu.",
            ("slope('hard_tanh', 1.0)", "slope('hard_tanh', -1.0)"),
            shown="derivative of `hard_tanh` at 1 and -1",
        ),
        Difference(
            "0.25", "0.0", "At a kink beside a flat side, the flat side is taken, as in relu.",
            ("slope('sparse_sigmoid', 1.0)", "slope('sparse_sigmoid', -1.0)"),
            shown="derivative of `sparse_sigmoid` at 1 and -1",
        ),
        Difference(
            "1.0", "1.5", "jax takes the middle of both sides; the left side is taken here.",
            ("slope('hard_silu', 3.0)",),
            shown="derivative of `hard_silu` at 3",
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
            "[0.0, 1.0]", "[nan, 1.0]",
            "A NaN stays a NaN.",
            ("activations.relu(np.array([np.nan, 1.0], 'float32'), threshold=0.5)",
             "activations.threshold(np.array([np.nan, 1.0], 'float32'), 0.5, 0.0)",),
        ),
        Difference(
            "nan", "1.0",
            "A limit that exists is taken.",
            ("slope('sparse_plus', float('inf'))",),
            shown="derivative of `sparse_plus` at infinity",
        ),
        Difference(
            "nan", "0.0",
            "A limit that exists is taken.",
            ("slope('softsign', float('inf'))",),
            shown="derivative of `softsign` at infinity",
        ),
        Difference(
            "nan", "0.0",
            "A single vector has no other to be orthogonal to.",
            ("regularizers.OrthogonalRegularizer()(np.ones((1, 4), 'float32'))",),
        ),
        Difference(
            "The derivative of `OrthogonalRegularizer` at a vector of zeros is NaN.", "It is 0.",
            "One dead filter does not end the training.",
        ),
        Difference(
            "nan", "16.118",
            "Only the class of the label counts, and it has share 0 of an infinite row.",
            ("losses.SparseCategoricalCrossentropy()(np.array([0]), np.array([[0.5, np.inf]], "
             "'float32'))",),
            shown="`SparseCategoricalCrossentropy()`, an infinite share of another class",
        ),
        Difference(
            "nan", "0.0",
            "A class that is impossible costs nothing where it is not the label.",
            ("losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0]), "
             "np.array([[0.5, -np.inf]], 'float32'))",),
            shown="`SparseCategoricalCrossentropy(from_logits=True)`, another logit of -inf",
        ),
        Difference(
            "Where a share lies exactly on the bound at which cross-entropy is cut off, jax passes "
            "half of the gradient.", "All of it passes.",
            "The bound itself is not cut off.",
        ),
        Difference(
            "[nan, nan, nan, nan]", "[0.0, 0.0, 0.0, 0.0]",
            "An empty batch has no mean; the statistics stay as they were.",
            ("[l := layers.BatchNormalization(), l(image(0, 4), training=True), "
             "np.asarray(l.moving_mean)][-1]",),
            shown="`BatchNormalization`, moving mean after an empty batch",
        ),
        Difference(
            "Metrics add up in float32.", "They add up in float64.",
            "After many batches, small numbers still count.",
        ),
        Difference(
            "`EarlyStopping` and `ModelCheckpoint` keep a first NaN as the best value for good.",
            "A NaN is never the best.",
            "The next epoch is better than no number at all.",
        ),
    ],
    "Other types and attributes": [
        Difference(
            "'ArrayImpl'", "'ndarray'",
            "Arrays are NumPy's, from end to end: `np.asarray` around a result does no harm.",
            ("type(layers.Conv2D(1, 1)(image(1, 2, 2, 1))).__name__",),
        ),
        Difference(
            "'ArrayImpl'", "'float'",
            "A number is a number, and prints as one.",
            ("type(losses.MeanSquaredError()(image(2, 2), image(2, 2))).__name__",
             "type(metrics.Mean().result()).__name__",),
        ),
        Difference(
            "'float32'", "'float64'",
            "Losses keep the digits of the predictions.",
            ("str(np.asarray(losses.MeanSquaredError()(image(2, 2).astype('float64'), image(2, "
             "2).astype('float64'))).dtype)",),
            shown="dtype in which a loss of float64 arrays is computed",
        ),
        Difference(
            "'int64'", "'float32'",
            "Each layer casts to its dtype, as those with weights do in Keras.",
            ("str(layers.MaxPooling2D()(np.arange(16).reshape(1, 4, 4, 1)).dtype)",
             "str(layers.Flatten()(np.arange(16).reshape(1, 4, 4, 1)).dtype)",
             "str(activations.relu(np.array([1, -1])).dtype)",),
            shown="dtype of whole numbers after `MaxPooling2D`, `Flatten`, `activations.relu`",
        ),
        Difference(
            "'SAME'", "'same'",
            "One spelling is kept, as in `Conv2D`.",
            ("layers.MaxPooling2D(padding='SAME').padding",),
        ),
        Difference(
            "'KerasTensor'", "'SymbolicTensor'",
            "It carries a shape and a dtype, as in Keras.",
            ("type(layers.Input((3,))).__name__",),
        ),
        Difference(
            "accepted", "AttributeError",
            "A variable is changed by `assign` alone.",
            ("[d := layers.Dense(2), d.build((None, 3)), d.kernel.assign_add][-1]",),
            shown="`variable.assign_add`, `assign_sub`",
        ),
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
        Difference(
            "['name', 'alpha', 'trainable', 'dtype']", "['name', 'trainable', 'dtype', 'alpha']",
            "All layers write their own keys last. Either side reads both.",
            ("list(layers.ELU().get_config())",),
        ),
        Difference(
            "False", "True",
            "Keras rounds the rate to float32, which gives 0.009999999776.",
            ("optimizers.SGD(0.01).get_config()['learning_rate'] == 0.01",),
        ),
    ],
    "Files": [
        Difference(
            "accepted", "ValueError",
            "One format, read by NumPy: nothing in it can run code, and a save that is cut off "
            "leaves the old file whole. The error says how to go on.",
            ("callbacks.ModelCheckpoint('x.keras')",
             "callbacks.ModelCheckpoint('x.weights.h5', save_weights_only=True)",),
            shown="`.keras`, `.weights.h5`, `.h5`, in `save`, `save_weights` and `ModelCheckpoint`",
        ),
        Difference(
            "ValueError", "accepted",
            "The ending of all files here.",
            ("callbacks.ModelCheckpoint('x.npz')",),
            shown="`.npz`",
        ),
        Difference(
            "A `.keras` file is a zip with JSON and HDF5.", "It is not read. Move the weights by "
            "`get_weights` and `set_weights`, the architecture by `to_json`.",
            "HDF5 would be a dependency for one format.",
        ),
        Difference(
            "`save(path, overwrite=False)` asks at the keyboard where the file exists.",
            "FileExistsError.",
            "A script has no keyboard.",
        ),
        Difference(
            "`load_weights` follows the paths in its HDF5 file.", "It goes by order and shape, as "
            "`set_weights` does.",
            "It needs the same layers in the same order, as `set_weights` does.",
        ),
        Difference(
            "An optimizer whose state does not fit is loaded with a warning.", "ValueError.",
            "A training that goes on with other moments is another training.",
        ),
        Difference(
            "accepted", "AttributeError",
            "The method does it: `model.save(path)`.",
            ("models.save_model",),
        ),
        Difference(
            "`CSVLogger(append=True)` writes the columns of this run.", "It writes under the "
            "columns that the file has.",
            "A row always stands under its own names.",
        ),
        Difference(
            "'function'", "'Constant'",
            "An array as initializer is written as numbers, which both libraries read.",
            ("initializers.serialize(initializers.get(np.zeros((2, 2))))['class_name']",),
        ),
        Difference(
            "A template of `ModelCheckpoint` that cannot be filled fails after the first epoch.",
            "ValueError, at once, where it can be known.",
            "An hour of training is not lost over a bracket.",
        ),
        Difference(
            "A layer called with `training=True` in a graph keeps that in the config.",
            "ValueError, where such a config is read.",
            "A layer of a graph gets `training` from `fit` and `predict` alone.",
        ),
    ],
    "Seeds": [
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
            "(2,)", "AttributeError",
            "The state is two whole numbers: `get_state` and `set_state`.",
            ("random.SeedGenerator(1).state.shape",),
        ),
        Difference(
            "'ArrayImpl'", "'tuple'",
            "The state is two whole numbers.",
            ("type(random.SeedGenerator(1).next()).__name__",),
        ),
    ],
    "Training": [
        Difference(
            "A function or layer of one's own is differentiated by the backend.",
            "It brings its derivative along, as `gradient` or `backward`.",
            "There is no tape: every derivative in the book can be read.",
        ),
        Difference(
            "accepted", "TypeError",
            "It can be called, not trained: attach `gradient(output_gradient, x, output)`.",
            ("[m := models.Sequential([layers.Input((3,)), layers.Dense(2, activation=lambda x: x "
             "* x)]), m.compile('sgd', 'mse'), m.fit(image(4, 3), image(4, 2), verbose=0)][-1]",),
            shown="`fit`, with an `activation` of one's own",
        ),
        Difference(
            "accepted", "TypeError",
            "Attach `gradient(x)`.",
            ("[m := models.Sequential([layers.Input((3,)), layers.Dense(2, "
             "kernel_regularizer=lambda w: (w * w).sum())]), m.compile('sgd', 'mse'), "
             "m.fit(image(4, 3), image(4, 2), verbose=0)][-1]",),
            shown="`fit`, with a regularizer of one's own",
        ),
        Difference(
            "accepted", "TypeError",
            "Attach `gradient(y_true, y_pred)`.",
            (f"{_START} m.compile('sgd', lambda y, p: (y - p) ** 2), m.fit(image(4, 3), image(4, "
             f"2), verbose=0)][-1]",),
            shown="`fit`, with a loss of one's own",
        ),
        Difference(
            "(2, 3)", "NotImplementedError",
            "A layer of one's own has `forward` and `backward` in place of `call`.",
            ("type('L', (layers.Layer,), {'call': lambda self, x: x})()(image(2, 3)).shape",),
            shown="`class MyLayer(layers.Layer)` with a `call`",
        ),
        Difference(
            "`run_eagerly`, `jit_compile` and `steps_per_execution` choose how a step is compiled.",
            "They are accepted and change nothing.",
            "No step is compiled; the kernels are, once.",
        ),
        Difference(
            "`fit` draws a bar with times for each epoch.", "A bar in a terminal; one line per "
            "epoch, without times, in a notebook or a file.",
            "What is printed can be compared, and a log stays short.",
        ),
        Difference(
            "`EarlyStopping(mode='auto')` asks the metric which way is better.",
            "It goes by the ending of the metric's name.",
            "The name is what stands in the history.",
        ),
        Difference(
            "`LearningRateScheduler` calls a schedule again without the rate on any TypeError.",
            "A TypeError of your schedule reaches you.",
            "It is your mistake that you want to see.",
        ),
    ],
}  # fmt: skip


COMPARED = {
    "Conv2D: outputs and gradients": ("test_conv2d", 268),
    "other layers": ("test_layers", 232),
    "what is refused or accepted": ("test_refusals", 932),
    "activations": ("test_activations", 175),
    "initializers": ("test_initializers", 80),
    "regularizers, constraints": ("test_penalties", 61),
    "losses and metrics": ("test_losses", 108),
    "optimizers": ("test_optimizers", 112),
    "configs, names, weights": ("test_configs", 179),
    "whole trainings": ("test_training", 94),
    "callbacks": ("test_callbacks", 12),
    "differences, both sides": ("test_differences", 215),
}
"""What is compared: the module of ``tests/parity``, and how many cases it has at least."""

NAMES: dict[str, tuple[int, str]] = {
    "activations": (35, ""),
    "callbacks": (
        16,
        "CSVLogger Callback CallbackList EarlyStopping History LambdaCallback "
        "LearningRateScheduler ModelCheckpoint ProgbarLogger TerminateOnNaN",
    ),
    "config": (
        25,
        "epsilon floatx image_data_format set_epsilon set_floatx set_image_data_format",
    ),
    "constraints": (12, ""),
    "initializers": (39, ""),
    "layers": (
        175,
        "Activation Add Average AveragePooling2D AvgPool2D BatchNormalization Concatenate "
        "Conv2D Convolution2D Dense DepthwiseConv2D Dropout ELU Flatten "
        "GlobalAveragePooling2D GlobalAvgPool2D GlobalMaxPool2D GlobalMaxPooling2D Input "
        "InputLayer Layer LeakyReLU MaxPool2D MaxPooling2D Multiply PReLU ReLU Softmax "
        "Subtract add average concatenate deserialize multiply serialize subtract",
    ),
    "losses": (
        48,
        "BinaryCrossentropy CategoricalCrossentropy Loss MeanAbsoluteError MeanSquaredError "
        "SparseCategoricalCrossentropy binary_crossentropy categorical_crossentropy "
        "deserialize get mean_absolute_error mean_squared_error serialize "
        "sparse_categorical_crossentropy",
    ),
    "metrics": (
        72,
        "Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy "
        "CategoricalCrossentropy Mean MeanAbsoluteError MeanMetricWrapper MeanSquaredError "
        "Metric RootMeanSquaredError SparseCategoricalAccuracy SparseCategoricalCrossentropy "
        "SparseTopKCategoricalAccuracy Sum TopKCategoricalAccuracy binary_accuracy "
        "binary_crossentropy categorical_accuracy categorical_crossentropy deserialize get "
        "mean_absolute_error mean_squared_error serialize sparse_categorical_accuracy "
        "sparse_categorical_crossentropy sparse_top_k_categorical_accuracy "
        "top_k_categorical_accuracy",
    ),
    "models": (
        6,
        "Model Sequential clone_model load_model model_from_json",
    ),
    "optimizers": (
        23,
        "Adam Optimizer RMSprop SGD deserialize get legacy schedules serialize",
    ),
    "random": (
        11,
        "SeedGenerator normal truncated_normal uniform",
    ),
    "regularizers": (12, ""),
    "utils": (
        40,
        "clear_session set_random_seed to_categorical",
    ),
}
"""Keras's public names, module by module: how many, and those that are here ("" for all)."""


def checked() -> dict[str, Difference]:
    """Every expression of the table, with its entry."""
    groups = DIFFERENCES.values()
    return {code: entry for group in groups for entry in group for code in entry.codes}


def tables() -> dict[str, str]:
    """Each table in Markdown, and the list of names, by the heading it stands under."""
    found = {title: _table(group) for title, group in DIFFERENCES.items()}
    return {"What is here": _names_list(), **found}


def _table(group: list[Difference]) -> str:
    lines = [f"| {_said(entry)} | {_done(entry)} |" for entry in group]
    return "\n".join(["| You write | Keras → convlab |", "| :-- | :-- |", *lines])


def _said(entry: Difference) -> str:
    """What is written; in an entry without expressions, what Keras does."""
    if not entry.codes:
        return entry.keras
    return entry.shown or ", ".join(f"`{code}`" for code in entry.codes)


def _done(entry: Difference) -> str:
    """What becomes of it, and why: what Python would print stands as code."""
    if not entry.codes:
        return f"→ {entry.convlab} {entry.reason}"
    found = [text if "accepted" in text else f"`{text}`" for text in (entry.keras, entry.convlab)]
    return f"{' → '.join(found)}. {entry.reason}"


def _names_list() -> str:
    return "\n".join(_names_line(module, *names) for module, names in NAMES.items())


def _names_line(module: str, total: int, here: str) -> str:
    names = here.split()
    if not names:
        return f"- **{module}**: all {total}"
    return f"- **{module}**: {len(names)} of {total}, {', '.join(f'`{name}`' for name in names)}"


def table_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Each cell of a notebook that is a table or the list of names, with the heading above it."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        if cell.source.startswith(("| ", "- **activations**")):
            yield heading, cell
        else:
            heading = [heading, *re.findall(r"^## (.+)$", cell.source, re.M)][-1]


def write(path: Path = PAGE) -> None:
    """Put the tables into the page."""
    notebook = nbformat.read(path, as_version=4)
    for heading, cell in table_cells(notebook):
        cell.source = tables()[heading]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        print("\n\n".join(f"## {title}\n\n{table}" for title, table in tables().items()))
