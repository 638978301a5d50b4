"""The command `convlab`, and the explanations behind it."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab import __version__, bookserver, cli, system
from convlab.explanation import explain
from convlab.explanation.calls import SIGNATURES, read_layers
from convlab.explanation.sizes import RULES, size_arguments
from convlab.explanation.text import bytes_text, si_text
from convlab.geometry import Geometry

ARTICLE = """
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
model = Sequential()  # the network of the book
model.add(Conv2D(32, kernel_size=(5, 5), strides=(1, 1), activation="relu",
                 input_shape=(28, 28, 1)))
model.add(MaxPooling2D(pool_size=(2, 2), strides=(2, 2)))
model.add(Conv2D(64, (5, 5), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(1000, activation="relu"))
model.add(Dense(10, activation="softmax"))
"""


def run(capsys, *arguments):
    """Return (exit status, standard output, standard error) of one command."""
    try:
        status = cli.main(arguments)
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def python(*arguments, **options):
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


# Explaining one layer --------------------------------------------------------


def test_explain_prints_every_fact_of_a_layer(capsys):
    layer = "Conv2D(32, (3, 3), strides=2, padding='same', activation='relu')"
    status, out, err = run(capsys, "explain", layer, "--input", "28,28,1")
    assert (status, err) == (0, "")
    assert out == (
        f"{layer}\n"
        "\n"
        "Input            (1, 28, 28, 1): batch, height, width, channels\n"
        "Output           (1, 14, 14, 32)\n"
        "Output size      ceil(28 / 2) = 14, both ways\n"
        "Padding          (14 - 1) * 2 + 3 - 28 = 1: top 0, bottom 1, left 0, right 1\n"
        "Kernel           (3, 3, 1, 32): height, width, input channels, filters\n"
        "Parameters       (3 * 3 * 1 + 1) * 32 = 320\n"
        "Multiply-adds    14 * 14 * 32 * (3 * 3 * 1) = 56,448\n"
        "Output memory    6,272 numbers * 4 bytes = 25,088 bytes = 25.1 kB\n"
        "Weight memory    320 numbers * 4 bytes = 1,280 bytes = 1.28 kB\n"
        "Receptive field  3 x 3 pixels\n"
        "Never read       none of the 784 pixels\n"
        "Changes no size  activation='relu'\n"
    )


FACTS = [
    ("Conv2D(8, 3, strides=2)", (28, 28, 1), "floor(12.5) + 1 = 13, both ways"),
    ("Conv2D(8, (3, 2), strides=2)", (28, 27, 1), "Output height    floor((28 - 3) / 2) + 1 ="),
    ("Conv2D(8, (3, 2), strides=2)", (28, 27, 1), "Output width     floor((27 - 2) / 2) + 1 ="),
    ("Conv2D(8, 3, strides=3)", (29, 29, 1), "floor((29 - 3) / 3) + 1 = floor(8.66) + 1 = 9"),
    ("Conv2D(8, 3, strides=2, padding='same')", (27, 27, 1), "ceil(27 / 2) = ceil(13.5) = 14"),
    ("Conv2D(8, 3, dilation_rate=2)", (9, 9, 1), "(3 - 1) * 2 + 1 = 5 pixels across, both ways"),
    ("Conv2D(8, (3, 1), dilation_rate=2)", (9, 9, 1), "Window width     (1 - 1) * 2 + 1 = 1 pix"),
    ("Conv2D(8, 2, padding='same')", (5, 5, 1), "= 1: top 0, bottom 1, left 0, right 1"),
    ("Conv2D(8, (3, 2), padding='same')", (5, 5, 1), "Padding, columns (5 - 1) * 1 + 2 - 5 = 1:"),
    ("Conv2D(8, 1, 3, padding='same')", (9, 9, 1), "(3 - 1) * 3 + 1 - 9 = -2, so 0: top 0, bo"),
    ("Conv2D(8, 3)", (9, 9, 1), "Padding          none (padding='valid')"),
    ("Conv2D(6, 3, groups=2)", (9, 9, 4), "(3, 3, 2, 6): height, width, 4 channels / 2 groups"),
    ("Conv2D(6, 3, groups=2)", (9, 9, 4), "Parameters       (3 * 3 * 2 + 1) * 6 = 114"),
    ("Conv2D(6, 3, use_bias=False)", (9, 9, 1), "3 * 3 * 1 * 6 = 54, without bias"),
    ("Conv2D(8, 3, strides=2)", (28, 28, 1), "55 of 784 pixels: row 27 and column 27, counted"),
    ("Conv2D(8, 2, 3)", (10, 9, 1), "rows 2, 5, 8, 9 and columns 2, 5, 8, counted from 0"),
    ("Conv2D(8, 1, 2)", (32, 1, 1), "16 of 32 pixels: rows 1, 3, 5, 7, 9, 11, ..., counted"),
    ("Conv2D(8, 3, data_format='channels_first')", (3, 9, 9), "batch, channels, height, width"),
    ("DepthwiseConv2D(3, depth_multiplier=2)", (9, 9, 3), "(3, 3, 3, 2): height, width, input ch"),
    ("DepthwiseConv2D(3, depth_multiplier=2)", (9, 9, 3), "(3 * 3 * 1 + 1) * 6 = 60"),
    ("MaxPooling2D(3)", (9, 9, 2), "none; each output looks at 3 * 3 = 9 numbers"),
    ("Dense(10)", (784,), "Parameters       (784 + 1) * 10 = 7,850"),
    ("Dense(10)", (784,), "Multiply-adds    10 * 784 = 7,840"),
    ("Dense(10, use_bias=False)", (784,), "784 * 10 = 7,840, without bias"),
    ("Flatten()", (4, 4, 2), "Output           (1, 32)"),
    ("Dropout(0.5)", (4, 4, 2), "Changes no size  rate=0.5"),
    ("Conv2D(1, 1, 1000)", (9000, 9000, 1), "floor((9000 - 1) / 1000) + 1 = floor(8.99) + 1 = 9"),
    ("Conv2D(1, 1, 1000, 'same')", (8001, 8001, 1), "ceil(8001 / 1000) = ceil(8.01) = 9"),
]


@pytest.mark.parametrize(("layer", "shape", "fact"), FACTS)
def test_explanation_states_the_fact(layer, shape, fact):
    text = re.sub(r"\n {17}", " ", str(explain(layer, shape)))  # wrapped lines
    assert fact in text


@pytest.mark.parametrize(("layer", "shape"), {(layer, shape): 0 for layer, shape, _ in FACTS})
@pytest.mark.parametrize("batch", [1, 8])
def test_every_equation_in_an_explanation_holds(layer, shape, batch):
    equations = printed_equations(str(explain(layer, shape, batch=batch)))
    assert equations
    for equation in equations:
        values = {eval(side, {"floor": math.floor, "ceil": math.ceil}) for side in equation}
        assert len(values) == 1, equation


def printed_equations(text):
    """Return the equations in an explanation, each as the list of its sides."""
    text = re.sub(r"\n +", " ", text)  # wrapped lines
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r" = [\d.]+ [kMGTPE]?B\b| numbers| bytes", "", text)
    side = r"(?:floor|ceil|[-+*/(). \d])+"
    found = re.findall(rf"({side}(?:={side})+)", text)
    return [[term.strip() for term in equation.split("=")] for equation in found]


@pytest.mark.parametrize(
    "options",
    [
        "strides=2, padding='same'",
        "dilation_rate=(2, 1)",
        "groups=2, use_bias=False",
        "strides=(1, 3), padding='same'",
    ],
)
def test_numbers_are_those_of_the_geometry(options):
    layer = explain(f"Conv2D(6, (3, 2), {options})", (14, 11, 4), batch=5).layers[0]
    arguments = eval(f"dict({options})")
    use_bias = arguments.pop("use_bias", True)
    channels = 4 // arguments.get("groups", 1)
    g = Geometry.conv2d((5, 14, 11, 4), (3, 2, channels, 6), **arguments)
    assert (layer.geometry, layer.output_shape) == (g, g.output_shape)
    assert (layer.kernel_shape, layer.parameters) == (g.kernel_shape, g.parameters(use_bias))
    assert (layer.multiply_adds, layer.output_bytes) == (g.multiply_adds, g.output_bytes())
    assert layer.parameter_bytes == g.parameter_bytes(use_bias)
    assert layer.receptive_field == g.receptive_field


@pytest.mark.parametrize(
    ("layer", "shape", "output", "parameters"),
    [
        ("MaxPooling2D()", (9, 9, 2), (1, 4, 4, 2), 0),
        ("MaxPool2D(3, 1, 'same')", (9, 9, 2), (1, 9, 9, 2), 0),
        ("AveragePooling2D((2, 3))", (9, 9, 2), (1, 4, 3, 2), 0),
        ("MaxPooling2D(2, data_format='channels_first')", (2, 9, 9), (1, 2, 4, 4), 0),
        ("GlobalAveragePooling2D()", (9, 9, 2), (1, 2), 0),
        ("GlobalMaxPooling2D(keepdims=True)", (9, 9, 2), (1, 1, 1, 2), 0),
        ("GlobalAveragePooling2D('channels_first')", (2, 9, 8), (1, 2), 0),
        ("Flatten()", (9, 9, 2), (1, 162), 0),
        ("Flatten('channels_first')", (2, 9, 9), (1, 162), 0),
        ("Flatten()", (7,), (1, 7), 0),
        ("Dense(3)", (9, 9, 2), (1, 9, 9, 3), 9),
        ("Dense(3, None, False)", (7,), (1, 3), 21),
        ("Activation('relu')", (9, 9, 2), (1, 9, 9, 2), 0),
        ("Dropout(0.25)", (9, 9, 2), (1, 9, 9, 2), 0),
        ("DepthwiseConv2D(3, 2, 'same', 4)", (9, 9, 2), (1, 5, 5, 8), 80),
        ("DepthwiseConv2D(3, 2, dilation_rate=2)", (9, 9, 2), (1, 3, 3, 2), 20),
        ("Conv2D(4, 3, 1, 'same', None, 1, 1, 'relu', False)", (9, 9, 2), (1, 9, 9, 4), 72),
        ("Convolution2D(True, True)", (9, 9, 2), (1, 9, 9, 1), 3),
    ],
)
def test_layers_do_to_shapes_what_keras_layers_do(layer, shape, output, parameters):
    explanation = explain(layer, shape)
    assert (explanation.output_shape, explanation.parameters) == (output, parameters)


def test_each_layer_known_has_a_rule_and_its_sizes_are_keras_arguments():
    assert set(SIGNATURES) == {*RULES, "Input"}
    for name in RULES:
        assert set(size_arguments(name)) <= set(SIGNATURES[name].replace("!", "").split())


# Explaining a stack ----------------------------------------------------------


def test_explain_prints_a_table_of_the_articles_network(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(ARTICLE))
    status, out, err = run(capsys, "explain", "-")
    assert (status, err) == (0, "")
    assert out == (
        "Input (1, 28, 28, 1): batch, height, width, channels\n"
        "\n"
        "   Layer             Output        Parameters  Mult-adds   Memory     Sees\n"
        "--------------------------------------------------------------------------\n"
        "1  Conv2D 5x5        (24, 24, 32)         832      461 k  73.7 kB    5 x 5\n"
        "2  MaxPooling2D 2x2  (12, 12, 32)           0          0  18.4 kB    6 x 6\n"
        "3  Conv2D 5x5        (8, 8, 64)        51,264     3.28 M  16.4 kB  14 x 14\n"
        "4  MaxPooling2D 2x2  (4, 4, 64)             0          0  4.10 kB  16 x 16\n"
        "5  Flatten           (1024,)                0          0  4.10 kB  16 x 16\n"
        "6  Dense             (1000,)        1,025,000     1.02 M  4.00 kB  28 x 28\n"
        "7  Dense             (10,)             10,010     10.0 k     40 B  28 x 28\n"
        "\n"
        "In all 1,087,106 parameters (4.35 MB), 4,771,600 multiply-adds, and 121 kB of\n"
        "outputs.\n"
        "\n"
        "Output: without the batch. Mult-adds: of the whole batch. Memory: the output, at\n"
        "4 bytes a number (float32). Sees: the receptive field of one output, in pixels\n"
        "of the first input, padding counted.\n"
    )


def test_totals_are_the_sums_of_the_rows():
    explanation = explain(ARTICLE)
    for name in ("parameters", "multiply_adds", "output_bytes", "parameter_bytes"):
        assert getattr(explanation, name) == sum(getattr(row, name) for row in explanation.layers)


def test_remarks_tell_padding_and_unread_pixels_of_each_layer():
    text = str(explain("Conv2D(4, 2, padding='same'); Conv2D(4, 3, 2); MaxPooling2D(2)", (8, 8, 1)))
    assert "Zeros around the input of layer 1: top 0, bottom 1, left 0, right 1.\n" in text
    assert "Layer 2 never reads 15 of 64 pixels: row 7 and column 7, counted from 0.\n" in text
    assert "Layer 3 never reads 5 of 9 pixels: row 2 and column 2, counted from 0.\n" in text


def test_layers_with_equal_padding_share_a_remark():
    text = str(explain("Conv2D(4, 3, padding='same');" * 3, (8, 8, 1)))
    assert "Zeros around the input of layer 1, 2, 3: top 1, bottom 1, left 1, right 1." in text


def test_a_change_of_data_format_on_the_way_is_pointed_out():
    layers = "Conv2D(4, 3, data_format='channels_first'); MaxPooling2D(2)"
    text = " ".join(str(explain(layers, (3, 9, 9))).split())
    assert "Layer 2 reads channels_last and layer 1 writes channels_first: one of them" in text
    assert "mixes up" not in str(explain("Conv2D(4, 3); MaxPooling2D(2)", (9, 9, 3)))


@pytest.mark.parametrize(
    ("layers", "sizes"),
    [
        ("Conv2D(1, 3); Conv2D(1, 3); Conv2D(1, 3)", [3, 5, 7]),
        ("Conv2D(1, 3, 2); Conv2D(1, 3, 2); Conv2D(1, 3, 2)", [3, 7, 15]),
        ("Conv2D(1, 3); Activation('relu'); Conv2D(1, 3, dilation_rate=4)", [3, 3, 11]),
        ("Conv2D(1, 3, 2); GlobalAveragePooling2D(); Dense(2)", [3, 31, 31]),
        ("Flatten(); Dense(2)", [1, 32]),
        ("Conv2D(1, 1); Dense(2)", [1, 1]),
    ],
)
def test_receptive_field_grows_through_the_stack(layers, sizes):
    rows = explain(layers, (32, 32, 1)).layers
    assert [row.receptive_field.size for row in rows] == [(size, size) for size in sizes]


def test_receptive_field_is_unknown_where_the_input_has_no_pixels():
    explanation = explain("Dense(5); Dense(2)", (8,))
    assert explanation.receptive_field is None
    assert str(explanation).count("-\n") >= 2


VGG = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]
VGG = [f"Conv2D({f}, 3, padding='same')" if f else "MaxPooling2D(2)" for f in VGG]
VGG += ["Flatten()", "Dense(4096)", "Dense(4096)", "Dense(1000)"]


def test_vgg16_has_its_published_size():
    explanation = explain(VGG, (224, 224, 3))
    assert explanation.parameters == 138_357_544
    assert explanation.multiply_adds == 15_470_264_320
    assert explanation.layers[17].receptive_field.size == (212, 212)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        (VGG, (224, 224, 3)),
        (
            "DepthwiseConv2D(3, strides=2, depth_multiplier=2); GlobalAveragePooling2D()",
            (999, 9, 9),
        ),
        (f"Conv2D(8, 3, name='{'n' * 70} {'m' * 50}', activation='relu')", (28, 28, 1)),
        ("Conv2D(8, (3, 2), (3, 2), padding='same')", (998, 997, 1)),
        ("Conv2D(1000000, 3, strides=2); Conv2D(1000000, 3, strides=2)", (99999, 99999, 3)),
    ],
)
def test_text_fits_80_columns(layers, shape):
    assert max(map(len, str(explain(layers, shape)).splitlines())) <= 80


# What is read, and what it costs to say it -----------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Conv2D(4, 3); MaxPooling2D(2)",
        "Conv2D(4, 3)\nMaxPooling2D(2)",
        "Conv2D(4, 3), MaxPooling2D(2)",
        "[Conv2D(4, 3), MaxPooling2D(2),]",
        "  keras.layers.Conv2D(4, 3)\n  tf.keras.layers.MaxPool2D(2)",
        "layers.Conv2D(4, [3, 3]); layers.MaxPooling2D(pool_size=(2, 2))",
        "model = Sequential([Conv2D(4, 3), MaxPooling2D(2)])",
        "keras.Sequential(layers=[Conv2D(4, 3), MaxPooling2D(2)], name='m')",
        "model.add(Conv2D(4, 3))  # first\nmodel.add(layer=MaxPooling2D(2))",
        "import keras\nconv = Conv2D(filters=4, kernel_size=3)\nMaxPooling2D(2)",
        "Input((9, 9, 1)); Conv2D(4, 3); MaxPooling2D(2)",
        ["Conv2D(4, 3)", "  MaxPooling2D(2)"],
    ],
)
def test_layers_may_be_written_in_any_usual_way(text):
    assert explain(text, (9, 9, 1)).output_shape == (1, 3, 3, 4)


@pytest.mark.parametrize(
    "argument",
    [
        "activation=tf.nn.relu",
        "activation=None",
        "kernel_regularizer=keras.regularizers.l2(0.0002)",
        "kernel_initializer=HeNormal(seed=-1)",
        "kernel_constraint=max_norm(2.0, axis=[0, 1, 2])",
        "name='conv', dtype='float32', trainable=False",
    ],
)
def test_arguments_that_change_no_size_are_passed_over_and_named(argument):
    layer = explain(f"Conv2D(4, 3, {argument})", (9, 9, 1)).layers[0]
    assert ", ".join(layer.ignored) == argument


def test_input_shape_in_the_text_is_not_called_ignored():
    assert explain("Conv2D(4, 3, input_shape=(9, 9, 1))").layers[0].ignored == ()


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("Conv2D(4, 3)", (9, 9, 1), (1, 9, 9, 1)),
        ("Conv2D(4, 3)", [5, 9, 9, 1], (5, 9, 9, 1)),
        ("Conv2D(4, 3, input_shape=(9, 9, 1))", None, (1, 9, 9, 1)),
        ("Conv2D(4, 3, input_shape=(9, 9, 1))", (8, 8, 1), (1, 8, 8, 1)),
        ("Input(shape=(9, 9, 1)); Conv2D(4, 3)", None, (1, 9, 9, 1)),
        ("Dense(4)", (9,), (1, 9)),
    ],
)
def test_input_shape_comes_from_the_caller_or_from_the_text(text, shape, expected):
    assert explain(text, shape).input_shape == expected


def test_batch_multiplies_outputs_and_work_but_not_parameters():
    one, eight = (explain("Conv2D(4, 3)", (9, 9, 1), batch=batch) for batch in (1, 8))
    assert eight.output_shape == (8, 7, 7, 4)
    assert eight.multiply_adds == 8 * one.multiply_adds
    assert eight.parameters == one.parameters


@pytest.mark.parametrize(
    "text", ["28,28,1", "28, 28, 1", "(28, 28, 1)", "28x28x1", "28 28 1", "[28,28,1,]", "28×28×1"]
)
def test_input_option_may_be_written_in_any_usual_way(capsys, text):
    assert "(1, 28, 28, 1)" in run(capsys, "explain", "Flatten()", "--input", text)[1]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (9_994, "9.99 k"),
        (9_995, "10.0 k"),
        (99_949, "99.9 k"),
        (99_950, "100 k"),
        (999_499, "999 k"),
        (999_500, "1.00 M"),
        (1_849_688_064, "1.85 G"),
        (10**21, "1000 E"),
    ],
)
def test_numbers_are_said_in_three_digits(number, text):
    assert si_text(number) == text


def test_bytes_are_said_in_decimal_units():
    assert [bytes_text(n) for n in (40, 999, 25_088, 12_845_056)] == [
        "40 B",
        "999 B",
        "25.1 kB",
        "12.8 MB",
    ]


# JSON and HTML ---------------------------------------------------------------


def test_json_holds_the_numbers(capsys):
    layers = ["Conv2D(32, 3, strides=2, padding='same')", "Flatten()"]
    status, out, _ = run(capsys, "explain", *layers, "--input", "28,28,1", "--json")
    facts = json.loads(out)
    assert status == 0
    assert facts["parameters"] == 320
    assert facts["layers"][0] == {
        "layer": layers[0],
        "input_shape": [1, 28, 28, 1],
        "output_shape": [1, 14, 14, 32],
        "kernel_shape": [3, 3, 1, 32],
        "pads": [0, 1, 0, 1],
        "parameters": 320,
        "multiply_adds": 56_448,
        "output_bytes": 25_088,
        "parameter_bytes": 1_280,
        "receptive_field": [3, 3],
        "unread_pixels": 0,
    }
    assert facts["layers"][1]["pads"] is None
    assert '"input_shape": [1, 28, 28, 1],\n' in out


@pytest.mark.parametrize("layers", ["Conv2D(4, 3, name='<b>&')", ["Conv2D(4, 3)", "Flatten()"]])
def test_html_is_well_formed_and_says_what_the_text_says(layers):
    explanation = explain(layers, (9, 9, 1))
    html = explanation._repr_html_()
    page = ElementTree.fromstring(f"<div>{html}</div>")
    said = " ".join(page.itertext())
    cells = [cell.text for cell in page.iter("td")]
    assert len(cells) >= 12
    assert all(cell in " ".join(str(explanation).split()) for cell in cells if cell)
    assert ("<b>&" in said) == (layers == "Conv2D(4, 3, name='<b>&')")


def test_explanation_shows_its_text_where_python_prints_it():
    explanation = explain("Conv2D(4, 3)", (9, 9, 1))
    assert repr(explanation) == str(explanation)


# Bad input -------------------------------------------------------------------

EXPECTED = (
    r"Write layers as in Keras, for example Conv2D\(32, \(3, 3\), strides=2, padding='same'\)\."
)
WRITTEN_OUT = "must be written out as numbers or text"

REFUSED = [
    ("", EXPECTED + " Received: no layer"),
    ("5", EXPECTED + r" Received: 5\."),
    ("Conv2D", EXPECTED + r" Received: Conv2D\."),
    ("Conv2D(4, 3", EXPECTED + r" Received: Conv2D\(4, 3, which cannot be read \('\(' was never"),
    ("Conv2D(4, 3)(x)", EXPECTED + r".*\(x\)\. Leave out what the layer is called on"),
    ("lambda: Conv2D(4, 3)", EXPECTED + " Received: lambda"),
    ("for i in x: Conv2D(4, 3)", EXPECTED + " Received: for i in x"),
    ("Conv2d(4, 3)", r"Received: Conv2d\(4, 3\)\. Did you mean Conv2D\?"),
    ("nn.Conv2d(1, 4, 3)", r"Received: nn\.Conv2d\(1, 4, 3\)\. Did you mean Conv2D\?"),
    ("evil.Conv2D(4, 3)", r"Received: evil\.Conv2D\(4, 3\)\. Layers known here: Conv2D, Dep"),
    ("LSTM(4)", r"Received: LSTM\(4\)\. Layers known here: .*Dropout, Input\."),
    ("model.compile()", r"Received: model\.compile\(\)\. Layers known here"),
    ("model.add(Conv2D(4, 3), kernel_regularizer=l2(0.1))", r"take layers only\. .*to the layer\."),
    (
        "Conv2D(4, 3, stride=2)",
        r"no argument `stride`\. Received: stride=2\. Did you .* `strides`\?",
    ),
    ("Conv2D(4, 3, kernel=2)", r"no argument `kernel`\. Received: kernel=2\. "),
    (
        "Conv2D(4, 3, foo=2)",
        r"no argument `foo`\. Received: foo=2\. Its arguments: filters, kernel",
    ),
    ("Conv2D(4, 3, filters=4)", r"takes `filters` once\. Received: filters=4\."),
    ("Conv2D(4, kernel_size=3, kernel_size=5)", r"takes `kernel_size` once\. Received: kernel_siz"),
    ("Flatten(None, 2)", r"takes at most 1 arguments without a name: data_format\. Received: 2"),
    ("Conv2D(4)", r"`Conv2D` needs `kernel_size`\. Received: Conv2D\(4\)\. Write layers"),
    ("Conv2D()", r"`Conv2D` needs `filters`\. Received: Conv2D\(\)\."),
    ("Activation()", r"`Activation` needs `activation`"),
    ("Conv2D(*[4, 3])", rf"{WRITTEN_OUT}\. Received: filters=\*\[4, 3\]\."),
    ("Conv2D(**{'filters': 4})", r"no argument `\*\*`\. Received: \*\*\{'filters': 4\}\."),
    ("Conv2D(n, 3)", rf"`filters` {WRITTEN_OUT}\. Received: filters=n\."),
    ("Conv2D(2 * 2, 3)", rf"`filters` {WRITTEN_OUT}\. Received: filters=2 \* 2\."),
    ("Conv2D(9**9**9, 3)", rf"`filters` {WRITTEN_OUT}\. Received: filters=9\*\*9\*\*9\."),
    ("Conv2D(4, (3, int(3)))", rf"`kernel_size` {WRITTEN_OUT}\. Received: kernel_size=\(3, int\(3"),
    ("Conv2D(4, 3, activation=lambda x: x)", rf"`activation` {WRITTEN_OUT}"),
    ("Conv2D(4, 3, activation=x[0])", rf"`activation` {WRITTEN_OUT}"),
    ("Conv2D(4, 3, activation=f()())", rf"`activation` {WRITTEN_OUT}"),
    ("Conv2D(4, 3, activation=__import__('os'))", rf"`activation` {WRITTEN_OUT}"),
    ("Conv2D(4, 3, activation=a.__class__)", rf"`activation` {WRITTEN_OUT}"),
    ("Conv2D(4, 3, activation=f'{x}')", rf"`activation` {WRITTEN_OUT}"),
    ("Conv2D(1000001, 3)", r"`filters` must be at most 1,000,000\. Received: filters=1000001\."),
    ("Conv2D('4', 3)", r"`filters` must be a whole number, at least 1\. Received: filters='4'"),
    ("Conv2D(0, 3)", r"`filters` must be a whole number, at least 1\. Received: filters=0"),
    ("Conv2D(4, 3.0)", r"`kernel_size` argument must be a tuple of 2 integers.*kernel_size=3\.0"),
    ("Conv2D(4, (3, -3))", r"kernel_size=\(3, -3\), including \[-3\] that do not satisfy"),
    ("Conv2D(4, 3, padding='full')", '`padding` must be either "valid" or "same"'),
    ("Conv2D(4, 3, data_format='NHWC')", r'Did you mean "channels_last"\?'),
    ("Conv2D(4, 3, groups=3)", "filters must be evenly divisible"),
    ("Conv2D(4, 3, groups=2)", "input channels must be evenly divisible"),
    ("Conv2D(4, 3, (2, 1), dilation_rate=(1, 2))", r"`strides > 1` not supported .*Received: stri"),
    ("Conv2D(4, 30)", r"^Computed output size would be zero or negative"),
    ("Flatten(); Conv2D(4, 3)", r"^Layer 2, Conv2D\(4, 3\): The input must have 4 axes"),
    ("Dense(0)", r"`units` must be a whole number, at least 1\. Received: units=0"),
    ("Input((9, 9, 1))", r"`Input` comes first, and layers after it\. Received: Input alone"),
    ("Flatten(); Input((9,))", r"`Input` comes first, .* Received: Flatten, Input\."),
    ("Flatten();" * 201, r"At most 200 layers are read\. Received: 201 layers\."),
    ("#" * 10_001, r"At most 10,000 characters are read\. Received: 10,001 characters\."),
    ("(" * 21 + ")" * 21, r"At most 20 brackets may be open at once\. Received: 21 open ones\."),
    ("(" * 9_999, "At most 20 brackets"),
    ("-" * 9_999 + "1", EXPECTED + r" Received: -{57}\.\.\."),
    ("1" + "+1" * 4_990, EXPECTED),
    ("f" + ".f" * 4_990 + "()", EXPECTED),
    ("f" + "()" * 4_990, EXPECTED),
    ("not " * 2_490 + "1", EXPECTED),
    ("Conv2D(" + "1" * 5_000 + ", 3)", EXPECTED),
    ("Conv2D(4, 3)\0", EXPECTED),
    ("Conv2D(4, '\ud800')", "."),
    ("DepthwiseConv2D(1, depth_multiplier=1000000);" * 9, r"counted up to .* in layer 3\. Make"),
    ("Conv2D(1, 2, 1000000, padding='same');" * 9, r"Received: more than that in layer 3"),
]


@pytest.mark.parametrize(
    ("layers", "pattern"),
    REFUSED,
    ids=[f"{i}-{text[:30]!a}" for i, (text, _) in enumerate(REFUSED)],
)
def test_bad_layers_are_refused_with_the_rule_and_what_came(layers, pattern):
    with pytest.raises((TypeError, ValueError), match=pattern):
        explain(layers, (9, 9, 1))


@pytest.mark.parametrize(
    ("text", "shape", "batch", "pattern"),
    [
        (
            "Flatten()",
            None,
            None,
            r"has 3 sizes, height.* Received: nothing\. Add them: --input 28,28,1 in a shell",
        ),
        (
            "Flatten()",
            (9, 9),
            None,
            r"Received: \(9, 9\)\. A grey image of 9 x 9 has 1 channel: \(9, 9, 1\)\.",
        ),
        ("Conv2D(4, 3)", (9,), None, r"has 3 sizes.*Received: \(9,\)\..* 9 x 9 .*: \(9, 9, 1\)"),
        ("Input((9,)); Conv2D(4, 3)", None, None, r"has 3 sizes.*Received: \(9,\)\."),
        ("Flatten()", (), None, r"Received: \(\)\."),
        ("Flatten()", (1, 2, 3, 4, 5), None, r"has 3 sizes.*Received: \(1, 2, 3, 4, 5\)\."),
        ("Flatten()", "991", None, r"has 3 sizes.*Received: '991'\."),
        ("Flatten()", 9, None, r"has 3 sizes.*Received: 9\."),
        ("Flatten()", (9, 0, 1), None, r"whole number from 1 to 1,000,000\. Received: \(9, 0, 1\)"),
        ("Flatten()", (9, None, 1), None, r"whole number from 1 .* Received: \(9, None, 1\)"),
        ("Flatten()", (9, 9, 1.5), None, r"whole number from 1 .* Received: \(9, 9, 1\.5\)"),
        ("Flatten()", (9, 9, 10**7), None, r"whole number from 1 .* Received: \(9, 9, 10000000\)"),
        (
            "Flatten()",
            (9, 9, 1),
            0,
            r"`batch` must be a whole number, at least 1\. Received: batch=0",
        ),
        ("Flatten()", (2, 9, 9, 1), 3, r"Received: \(2, 9, 9, 1\) and batch=3\. Leave one of them"),
        ("Input(n); Flatten()", None, None, WRITTEN_OUT),
    ],
)
def test_bad_input_shape_is_refused(text, shape, batch, pattern):
    with pytest.raises(ValueError, match=pattern):
        explain(text, shape, batch=batch)


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "Conv2D(9**9**9, 3)", "--input", "9,9,1"),
        ("explain", "Conv2D(4, 3)", "--input", "nine"),
        ("explain", "Conv2D(4, 3)", "--input", "9,9,1.5"),
        ("explain", "Conv2D(4, 3)", "--input", ""),
        ("explain", "Conv2D(4, 3)", "--input", "9" * 5000),
        ("explain", "Conv2D(4, 3)"),
        ("explain", "Conv2D(4, '3'\n)", "--input", "9,9,1"),
        ("explain", "Conv2D(4, '33')", "--input", "9,9,1"),
        ("explain", "Conv2D(4, 3)", "--batch", "x"),
        ("explain",),
        ("explain", "--fast"),
        ("explore",),
        ("book", "--port", "x"),
    ],
    ids=lambda arguments: " ".join(arguments)[:50],
)
def test_bad_input_gives_status_2_and_one_line(capsys, arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"convlab[^\n]*: [^\n]+\n", err)


def test_bad_input_option_shows_how_it_is_written(capsys):
    _, _, err = run(capsys, "explain", "Conv2D(4, 3)", "--input", "nine")
    assert err == (
        "convlab explain: `--input` takes whole numbers with commas between them. "
        "Received: --input 'nine'. For a grey image of 28 x 28: --input 28,28,1.\n"
    )


def test_text_is_never_run(tmp_path):
    target = tmp_path / "made"
    for layers in (
        f"Conv2D(4, 3, activation=open({str(target)!r}, 'w'))",
        f"Conv2D(open({str(target)!r}, 'w'), 3)",
        f"model.add(open({str(target)!r}, 'w'))",
    ):
        with suppress(ValueError):
            explain(layers, (9, 9, 1))
    assert not target.exists()


FRAGMENTS = ["Conv2D(", "Dense(2)", "Flatten()", "MaxPooling2D(", "Input((9, 9, 1))", "model.add("]
FRAGMENTS += [
    "4",
    "3",
    ", ",
    ")",
    "(",
    "[",
    "]",
    "{",
    "}",
    "; ",
    "\n",
    " ",
    "'same'",
    "strides=",
    "2",
]
FRAGMENTS += [
    "padding=",
    "=",
    "-",
    "*",
    "**",
    "1e999",
    "None",
    "x",
    ".",
    ":",
    "lambda",
    "'",
    '"',
    "\\",
]
FRAGMENTS += [
    "#",
    "\t",
    "\f",
    "\r",
    "é",
    "\u2028",
    "0x",
    "1_0",
    "True",
    "if",
    "else",
    "f'{",
    "@",
    "...",
]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_any_text_is_explained_or_refused(text):
    explanation = None
    with suppress(TypeError, ValueError):
        explanation = explain(text, (9, 9, 1))
    if explanation is not None:
        assert max(map(len, str(explanation).splitlines())) <= 80
        assert json.dumps(explanation.as_dict())
        assert ElementTree.fromstring(f"<div>{explanation._repr_html_()}</div>") is not None


def test_read_layers_keeps_what_was_written():
    (call,) = read_layers("Conv2D( 4,\n  kernel_size = 3 )")
    assert call.text == "Conv2D( 4, kernel_size = 3 )"
    assert (call.value("kernel_size"), call.written("kernel_size")) == (3, "kernel_size=3")


# The command itself ----------------------------------------------------------


def test_version_is_the_packages(capsys):
    assert run(capsys, "--version") == (0, f"convlab {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [(), ("--help",), *((name, "--help") for name in ("explain", "bench", "warmup", "book"))],
)
def test_help_fits_80_columns(capsys, arguments, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("page", [("--help",), ("explain", "--help")])
def test_examples_in_the_help_work(capsys, page, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(ARTICLE))
    examples = re.findall(r"(?m)^  convlab (explain .*)$", run(capsys, *page)[1])
    assert examples
    for example in examples:
        words = [quoted or word for quoted, word in re.findall(r'"([^"]*)"|(\S+)', example)]
        assert run(capsys, *(word for word in words if word not in ("<", "model.py")))[0] == 0


def test_python_dash_m_runs_the_command():
    done = python("-m", "convlab", "explain", "Flatten()", "--input", "4,4,1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Flatten()\n")


def test_a_traceback_is_never_shown():
    done = python("-m", "convlab", "explain", "Conv2D(1/0, 3)", "--input", "4,4,1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_explaining_loads_neither_numba_nor_matplotlib():
    code = (
        "import sys; from convlab.cli import main; main(['explain', 'Flatten()', '--input', '9'])\n"
        "assert not {'numba', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_leaves_early_causes_no_complaint():
    code = (
        "import sys, os; from convlab.cli import main\n"
        "reader, writer = os.pipe(); os.dup2(writer, 1); os.close(reader); os.close(writer)\n"
        "sys.exit(main(['explain', 'Flatten()', '--input', '9']))"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (1, "")


# convlab info ----------------------------------------------------------------


def test_info_names_versions_processor_threads_and_folders():
    done = python("-m", "convlab", "info")
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    assert re.findall(r"(?m)^\S+$", out) == ["Versions", "Processor", "Threads", "Folders"]
    for line in (rf"convlab +{re.escape(__version__)}", r"Python +3\.", r"numpy +\d+\.\d+"):
        assert re.search(rf"(?m)^  {line}", out)
    assert re.search(r"(?m)^  cores +\d+ for this process, of \d+$", out)
    assert re.search(r"(?m)^  implementations +naive, vectorized", out)


def test_info_as_json_says_the_same_as_its_text(capsys, monkeypatch):
    monkeypatch.setattr("convlab.system.describe_system", lambda: {"Versions": {"convlab": "1"}})
    assert json.loads(run(capsys, "info", "--json")[1]) == {"Versions": {"convlab": "1"}}
    assert run(capsys, "info")[1] == "Versions\n  convlab           1\n"


def test_info_works_where_numba_is_absent():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from convlab.cli import main; sys.exit(main(['info']))"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        r"threading layer +known once Numba is installed: pip install numba", done.stdout
    )
    assert re.search(r"(?m)implementations +naive, vectorized$", done.stdout)


def test_info_names_what_is_not_installed_and_how_to_get_it(monkeypatch):
    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", absent)
    versions = system._versions()
    assert versions["pooch"] == "not installed: pip install pooch"
    assert versions["jupyter-book"] == 'not installed: pip install "jupyter-book<2"'


def test_info_says_why_numba_has_its_threads(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_THREADING_LAYER", "workqueue")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    monkeypatch.setenv("CONVLAB_DATA", "somewhere")
    out = python("-m", "convlab", "info").stdout
    assert re.search(r"threading layer +workqueue \(NUMBA_THREADING_LAYER=workqueue\)", out)
    assert re.search(r"Numba threads +1 \(NUMBA_NUM_THREADS=1\)", out)
    assert re.search(r"data +somewhere \(CONVLAB_DATA\)", out)


def test_info_says_which_threading_layers_came_first(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.delenv("NUMBA_THREADING_LAYER", raising=False)
    monkeypatch.setenv("NUMBA_THREADING_LAYER_PRIORITY", "workqueue omp tbb")
    out = python("-m", "convlab", "info").stdout
    assert "workqueue (the first that loads of workqueue, omp, tbb)" in out


# convlab book ----------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with a built page, and the working directory in a folder inside it."""
    for name in ("_config.yml", "_toc.yml"):
        (tmp_path / name).touch()
    built = tmp_path / bookserver.BUILT
    built.mkdir(parents=True)
    (built / "index.html").write_text("<p>The book</p>", encoding="utf-8")
    (built / "page.mjs").touch()
    (built / "code.wasm").touch()
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    return tmp_path


@contextmanager
def serving(*arguments):
    command = [sys.executable, "-m", "convlab", "book", *arguments]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield server, re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
    finally:
        server.kill()
        server.communicate()


def test_book_is_served_from_any_folder_of_the_checkout(checkout):
    with serving("--no-build") as (_, address):
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.read() == b"<p>The book</p>"
        for name, kind in [("page.mjs", "text/javascript"), ("code.wasm", "application/wasm")]:
            with urllib.request.urlopen(address + name, timeout=30) as page:
                assert page.headers["Content-Type"] == kind
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(address + "../../_config.yml", timeout=30)
        refused.value.close()


def test_book_is_served_to_this_computer_only(checkout):
    with bookserver._server(checkout, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_types_that_browsers_insist_on_do_not_depend_on_the_computer():
    types = bookserver._Handler.extensions_map
    assert (types[".js"], types[".css"]) == ("text/javascript", "text/css")
    assert types[".gz"] == "application/gzip"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_book_stops_cleanly_on_a_signal(checkout, number):
    with serving("--no-build") as (server, _):
        server.send_signal(number)
        out, err = server.communicate(timeout=30)
        assert (server.returncode, out, err) == (0, "\nStopped.\n", "")


def test_book_refuses_a_port_that_is_taken(checkout, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, _, err = run(capsys, "book", "--no-build", "--port", str(port))
    assert status == 1
    assert re.match(rf"convlab book: The port must be free, .* Received: --port {port} ", err)


def test_book_refuses_a_port_that_does_not_exist(checkout, capsys):
    status, _, err = run(capsys, "book", "--no-build", "--port", "70000")
    assert status == 1
    assert "between 0 and 65535. Received: --port 70000" in err


def test_book_needs_a_checkout(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "book")
    assert (status, out) == (1, "")
    assert re.fullmatch(
        r"convlab book: The book is built from a checkout of the project, .* Received: .*, which "
        r"is not inside one\. Change into the checkout\.\n",
        err,
    )


def test_book_needs_a_build_before_it_is_served(checkout, capsys):
    (checkout / bookserver.BUILT / "index.html").unlink()
    status, _, err = run(capsys, "book", "--no-build")
    assert status == 1
    assert re.search(r"There is no built book\. Received: .* Run `convlab book` without --no-", err)


def test_book_without_jupyter_book_says_how_to_install_it(checkout, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    status, _, err = run(capsys, "book")
    assert status == 1
    assert re.search(r'Building needs Jupyter Book 1, .*`pip install -e "\.\[book\]"`', err)


def test_book_that_fails_to_build_is_not_served(checkout, capfd, monkeypatch):
    failing = "import sys; print('WARNING: lost', file=sys.stderr); sys.exit(3)"
    monkeypatch.setattr(bookserver, "BUILDER", failing)
    monkeypatch.setattr(bookserver, "serve_book", None)
    status, out, err = run(capfd, "book")
    assert (status, out) == (1, "Building the book; this takes about a minute.\n")
    assert err.startswith("WARNING: lost\nconvlab book: The build failed with status 3; ")


def test_book_is_built_by_the_python_that_runs_the_command(checkout, monkeypatch, capfd):
    builder = "import sys, pathlib; pathlib.Path('arguments').write_text(repr(sys.argv[1:]))"
    monkeypatch.setattr(bookserver, "BUILDER", builder)
    bookserver.build_book(checkout)
    arguments = eval((checkout / "arguments").read_text(encoding="utf-8"))
    assert arguments == ["build", str(checkout), *bookserver.FLAGS]


def test_book_flags_are_those_of_the_makefile():
    makefile = Path(__file__).parents[1] / "Makefile"
    assert " ".join(bookserver.FLAGS) in makefile.read_text(encoding="utf-8")


def test_control_c_during_the_build_ends_without_a_traceback(checkout, capsys, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.run", interrupted)
    assert run(capsys, "book")[0] == 130


def test_a_name_that_the_console_cannot_show_is_escaped():
    arguments = ["explain", "Conv2D(3, 3, name='\u65e5')", "--input", "9,9,1"]
    code = f"import sys; from convlab.cli import main; sys.exit(main({arguments!a}))"
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert rb"\u65e5" in done.stdout
    assert b"(1, 7, 7, 3)" in done.stdout
