"""Every quick question: its key is what convlab computes, and its wrong answers are wrong."""

from __future__ import annotations

import itertools
import re
import tomllib
from typing import Any

import nbformat
import numpy as np
import pytest

import convlab
import notebooks
from convlab import geometry
from questions import FOLDER, kind_of

FILES = sorted(FOLDER.glob("*.toml"))
QUESTIONS = {
    f"{file.stem}.{name}": entry
    for file in FILES
    for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items()
}
# Pages that look things up, and are not read through.
WITHOUT = {"differences", "errata", "start"}
AT_LEAST = 5
ASKED = re.compile(r":::\{question\} (\S+)\n(.*?)\n:::", re.DOTALL)
KNOWN = {
    "answer", "else", "grid", "key", "kind", "label", "right", "within", "wrong",
}  # fmt: skip

each_question = pytest.mark.parametrize("name", QUESTIONS)


# ---- What the keys are written with, beside convlab and NumPy ----


def slide(image: Any, kernel: Any, **options: Any) -> list[list[float]]:
    """Slide one table over one image."""
    x, k = np.asarray(image), np.asarray(kernel)
    return convlab.conv2d(x[None, :, :, None], k[:, :, None, None], **options)[0, :, :, 0].tolist()


def row(pixels: Any, weights: Any, **options: Any) -> list[float]:
    """Slide weights over one row of pixels."""
    return slide([pixels], [weights], **options)[0]


def read_counts(size: int, kernel: int, **options: Any) -> np.ndarray:
    """How many windows read each pixel of a square image."""
    shapes = (1, size, size, 1), (kernel, kernel, 1, 1)
    layer = geometry.Geometry.conv2d(*shapes, **options)
    return np.outer(layer.row_reads, layer.column_reads)


def unread(size: int, kernel: int, stride: int) -> list[int]:
    """Pixels of a row, counted from 0, that no window reads."""
    layer = geometry.Geometry.conv2d((1, 1, size, 1), (1, kernel, 1, 1), strides=(1, stride))
    return list(layer.unread_columns)


def places(mask: Any) -> list[list[int]]:
    """Rows and columns, counted from 1, where something holds."""
    return [[int(r) + 1, int(c) + 1] for r, c in np.argwhere(mask)]


def lowest(table: Any) -> list[int]:
    """Row and column, counted from 1, of the smallest number."""
    array = np.asarray(table)
    return [int(i) + 1 for i in np.unravel_index(array.argmin(), array.shape)]


def rank(matrix: Any) -> int:
    return int(np.linalg.matrix_rank(matrix))


def deep_box(depth: int, size: int, place: int) -> float:
    """Average an image of ones again and again with `same`; a cell of the middle row."""
    image: Any = np.ones((size, size))
    for _ in range(depth):
        image = np.array(slide(image, np.full((3, 3), 1 / 9), padding="same")).round(12)
    return float(image[size // 2, place])


def kept(window: tuple[int, int]) -> float:
    """What a mean over a window leaves of an upright line: its brightest cell."""
    line: Any = np.zeros((31, 31))
    line[:, 15] = 1
    return round(float(np.max(slide(line, np.full(window, 1 / np.prod(window))))), 9)


def drift(width: int, depth: int) -> float:
    """How far a spot moves down through means with `same`."""
    spot: Any = np.zeros((41, 41))
    spot[20, 20] = 1
    for _ in range(depth):
        spot = np.array(slide(spot, np.full((width, width), 1 / width**2), padding="same"))
    return round(float(np.arange(41) @ spot.sum(axis=1) / spot.sum() - 20), 6)


def reads(size: int, kernel: int, cell: int, rate: int) -> np.ndarray:
    """Which pixels of a square image one cell of the diagonal depends on."""
    seen = np.zeros((size, size), bool)
    for place in np.ndindex(seen.shape):
        image = np.zeros(seen.shape)
        image[place] = 1
        map_ = slide(image, np.ones((kernel, kernel)), dilation_rate=rate)
        seen[place] = map_[cell][cell] != 0
    return seen


def share(rates: tuple[int, ...]) -> float:
    """The share of its field that a stack of 3 x 3 layers reads."""
    row_read: Any = np.ones(1)
    for rate in rates:
        taps = np.zeros(2 * rate + 1)
        taps[::rate] = 1
        row_read = np.convolve(row_read, taps)
    return float((row_read > 0).mean() ** 2)


def work(rate: int) -> int:
    """Multiply-adds of a layer at a dilation rate."""
    shapes = (1, 56, 56, 8), (3, 3, 8, 8)
    return geometry.Geometry.conv2d(*shapes, dilation_rate=rate).multiply_adds


def black_layers(bias: float) -> list[list[float]]:
    """The middle rows of three maps that a black image leaves, one after the other."""
    image: Any = np.zeros((1, 9, 9, 1))
    rows = []
    for _ in range(3):
        image = convlab.conv2d(image, np.ones((3, 3, 1, 1)), np.array([bias]), padding="same")
        image = np.maximum(image, 0)
        rows.append(image[0, 4, :, 0].tolist())
    return rows


def bias_change(axes: tuple[int, ...] | None) -> float:
    """How much a normalization over these axes (None: frozen) lets of a bias through."""
    rng = np.random.default_rng(0)
    maps, bias = rng.normal(size=(4, 6, 6, 8)), 3 * rng.normal(size=8)
    means = [0, 0] if axes is None else [m.mean(axes, keepdims=True) for m in (maps, maps + bias)]
    return float(np.abs((maps + bias - means[1]) - (maps - means[0])).max())


def equal_start(filters: int) -> np.ndarray:
    """The first kernel of a network that began with equal weights, after some training."""
    convlab.utils.set_random_seed(0)
    begin = {"kernel_initializer": convlab.initializers.Constant(0.05)}
    model = convlab.models.Sequential(
        [
            convlab.layers.Conv2D(filters, 3, activation="relu", **begin),
            convlab.layers.Flatten(),
            convlab.layers.Dense(2, **begin),
        ]
    )
    x = np.random.default_rng(0).normal(size=(8, 5, 5, 1))
    model.compile(convlab.optimizers.SGD(0.05), "mse")
    model.fit(x, x.mean((1, 2)) @ np.ones((1, 2)), epochs=3, verbose=0)
    kernel: np.ndarray = model.layers[0].kernel.numpy().reshape(9, filters)
    assert np.ptp(kernel, axis=0).max() > 0.001, "nothing was learned"
    return kernel


def start_bias(rule: Any) -> np.ndarray | None:
    layer = convlab.layers.Conv2D(4, 3, bias_initializer=rule)
    layer.build((None, 8, 8, 2))
    return None if layer.bias is None else layer.bias.numpy()


def same_decay(name: str, momentum: float) -> bool:
    """Whether L2 and twice its strength as weight decay lead to the same weights."""
    ends = []
    for penalty, decay in ((convlab.regularizers.L2(0.05), 0), (convlab.regularizers.L2(0.0), 0.1)):
        options = {"momentum": momentum} if momentum else {}
        make = getattr(convlab.optimizers, name)
        optimizer = make(0.1, weight_decay=decay or None, **options)
        w = convlab.Variable(np.array([1.0, 2.0]))
        for _ in range(10):
            optimizer.apply([np.array([0.5, -1.0]) + penalty.gradient(w.numpy())], [w])
        ends.append(w.numpy())
    return bool(np.allclose(*ends, atol=1e-6))


def unbiased_losses() -> list[float]:
    layer = convlab.layers.Conv2D(4, 3, use_bias=False, bias_regularizer="l2")
    layer.build((None, 8, 8, 1))
    return list(layer.losses)


def charge(output: np.ndarray, strength: float = 1.0) -> float:
    """What L1 charges for an output: a layer that hands on its input."""
    layer = convlab.layers.Conv2D(
        output.shape[-1],
        1,
        kernel_initializer=np.eye(output.shape[-1])[None, None],
        activity_regularizer=convlab.regularizers.L1(strength),
    )
    layer(output)
    return round(float(layer.losses[0]), 6)


def steps_at_wall(momentum: float) -> int:
    """Steps that a weight stays at the wall of `NonNeg` after the slope has turned."""
    weight = convlab.Variable(np.array([0.5]), constraint=convlab.constraints.NonNeg())
    optimizer = convlab.optimizers.SGD(0.1, momentum=float(momentum))
    places = []
    for slope in [0.2] * 30 + [-0.2] * 20:
        optimizer.apply([np.array([slope])], [weight])
        places.append(float(weight.numpy()[0]))
    return sum(place == 0 for place in places[30:])


def shares(b: np.ndarray) -> np.ndarray:
    """The nearest numbers that add up to 1, none below 0, by bisection."""
    low, high = b.min() - 1, b.max()
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(b - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(b - low, 0).round(9)


def twice_called() -> int:
    """Convolutions of a model whose layer was placed twice on its input."""
    inputs = convlab.Input((8, 8, 1))
    for _ in range(2):
        x = convlab.layers.Conv2D(8, 3)(inputs)
    model = convlab.Model(inputs, x)
    return sum(isinstance(layer, convlab.layers.Conv2D) for layer in model.layers)


def joins(count: int) -> bool:
    """Whether `Add` takes 16 channels and this many maps."""
    x = convlab.Input((8, 8, 16))
    try:
        convlab.layers.Add()([x, convlab.layers.Conv2D(count, 3, padding="same")(x)])
    except ValueError:
        return False
    return True


def exchanged() -> tuple[int, ...]:
    """What two inputs of one shape get from a list in the wrong order."""
    first, second = convlab.Input((1,), name="first"), convlab.Input((1,), name="second")
    model = convlab.Model([first, second], convlab.layers.Concatenate()([first, second]))
    return tuple(int(v) for v in model([np.array([[3.0]]), np.array([[7.0]])]).ravel())


def random_angle() -> float:
    """Degrees between two random vectors of 25 numbers, on average."""
    pairs = np.random.default_rng(0).normal(size=(2, 1000, 25))
    dots = np.prod(pairs, axis=0).sum(axis=1) / np.linalg.norm(pairs, axis=2).prod(axis=0)
    return float(np.degrees(np.arccos(dots)).mean())


def patch_ratio(kernel: int, stride: int) -> float:
    """How many times as large as a large image the matrix of its windows is."""
    shapes = (1, 999, 999, 1), (kernel, kernel, 1, 1)
    layer = geometry.Geometry.conv2d(*shapes, strides=stride)
    return float(layer.multiply_adds / 999**2)


HELPERS = (
    bias_change, black_layers, charge, deep_box, drift, equal_start, exchanged, joins, kept,
    lowest, patch_ratio, places, random_angle, rank, read_counts, reads, row, same_decay, share,
    shares, slide, start_bias, steps_at_wall, twice_called, unbiased_losses, unread, work,
)  # fmt: skip
NAMES: dict[str, Any] = {
    **{name: getattr(convlab, name) for name in convlab.__all__},
    **{name: getattr(geometry, name) for name in geometry.__all__},
    **{function.__name__: function for function in HELPERS},
    "convlab": convlab,
    "np": np,
    "pixels": np.array([[3, 1, 4, 1, 5, 9], [2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3]] * 2),
    "two": np.array([[2, 7], [1, 8]]),
}


def value_of(expression: str) -> Any:
    """Evaluate a key; arrays become lists."""
    result = eval(expression, dict(NAMES))
    return result.tolist() if isinstance(result, (np.ndarray, np.generic)) else result


def answer_of(entry: dict[str, Any]) -> Any:
    """What the key says, in the form in which the answer is written down."""
    value = value_of(entry["key"])
    if kind_of(entry) == "order":
        return [int(i) + 1 for i in np.argsort(value, kind="stable")]
    if kind_of(entry) == "choice" and isinstance(value, list):
        assert value.count(True) == 1, value
        return value.index(True) + 1
    return value


def close(given: Any, wanted: Any, within: float = 0) -> bool:
    one, other = np.ravel(np.asarray(given, float)), np.ravel(np.asarray(wanted, float))
    return one.shape == other.shape and bool(np.all(np.abs(one - other) <= within + 1e-9))


def cells(chapter: str) -> dict[str, str]:
    """The questions that a chapter asks: names and texts."""
    notebook = nbformat.read(notebooks.BOOK / f"{chapter}.ipynb", as_version=4)
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return dict(found for source in sources for found in ASKED.findall(source))


def options(text: str) -> list[str]:
    return [line[2:] for line in text.splitlines() if line.startswith("- ")]


TEXTS = {name: text for path in notebooks.chapters() for name, text in cells(path.stem).items()}


@each_question
def test_answer_is_what_the_package_computes(name):
    entry = QUESTIONS[name]
    assert close(answer_of(entry), entry["answer"], entry.get("within", 0))


@each_question
def test_named_wrong_answers_are_wrong_distinct_and_come_from_their_mistakes(name):
    entry = QUESTIONS[name]
    within = entry.get("within", 0)
    given = [wrong for wrong, *_ in entry["wrong"]]
    assert not any(close(wrong, entry["answer"], within) for wrong in given)
    pairs = itertools.combinations(given, 2)
    assert not any(close(one, other, within) for one, other in pairs)
    for wrong, _, *mistake in entry["wrong"]:
        if mistake and kind_of(entry) == "number":
            assert close(value_of(mistake[0]), wrong, max(within, 1e-6)), mistake


@each_question
def test_question_is_complete(name):
    entry, asked = QUESTIONS[name], options(TEXTS[name])
    assert set(entry) <= KNOWN
    assert all(entry[key].strip() for key in ("right", "else"))
    assert all(reply.endswith((".", "?", "`")) for _, reply, *_ in entry["wrong"])
    kind = kind_of(entry)
    if kind == "choice":
        assert sorted([entry["answer"], *(one for one, *_ in entry["wrong"])]) == list(
            range(1, len(asked) + 1)
        )
    elif kind == "order":
        assert sorted(entry["answer"]) == list(range(1, len(asked) + 1))
    elif kind == "cell":
        rows = entry["grid"]
        assert all(1 <= r <= len(rows) and 1 <= c <= len(rows[r - 1]) for r, c in entry["answer"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_chapter_asks_each_of_its_questions_once(file):
    names = [f"{file.stem}.{name}" for name in tomllib.loads(file.read_text(encoding="utf-8"))]
    assert list(cells(file.stem)) == names


def test_every_chapter_asks_before_it_tells():
    chapters = {path.stem for path in notebooks.chapters()} - WITHOUT
    asked = {chapter: len(cells(chapter)) for chapter in chapters}
    assert {chapter: count for chapter, count in asked.items() if count < AT_LEAST} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_question_follows_another_at_once(file):
    """Questions in a row are an examination; between sections they are predictions."""
    notebook = nbformat.read(notebooks.BOOK / f"{file.stem}.ipynb", as_version=4)
    is_one = [cell.source.startswith(":::{question}") for cell in notebook.cells]
    assert not any(is_one[i] and is_one[i + 1] for i in range(len(is_one) - 1))
