"""What the keys of the quick questions are written with, beside convlab and NumPy.

Each function does one small experiment that a question asks about, with the package.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np

import convlab
import convlab.kernels.naive
from convlab import geometry

two = np.array([[2, 7], [1, 8]])


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


def format_changes() -> list[bool]:
    """Ways to bring two layers photos that come channels first: whether the maps are right.

    Once before the first layer; before each layer; turned kernels instead; a reshape.
    """
    rng = np.random.default_rng(0)
    x, kernels = rng.normal(size=(2, 3, 8, 9)), [rng.normal(size=(3, 3, 3, 3)) for _ in range(2)]
    last = np.moveaxis(x, 1, -1)

    def through(image: Any, each: Any = lambda maps: maps, turn: bool = False) -> Any:
        for kernel in kernels:
            image = convlab.conv2d(each(image), kernel.transpose(3, 2, 0, 1) if turn else kernel)
        return image

    right = np.moveaxis(
        convlab.conv2d(
            convlab.conv2d(x, kernels[0], data_format="channels_first"),
            kernels[1],
            data_format="channels_first",
        ),
        1,
        -1,
    )
    ways = (
        lambda: through(last),
        lambda: through(x, each=lambda maps: np.moveaxis(maps, 1, -1)),
        lambda: through(x, turn=True),
        lambda: through(x.reshape(last.shape)),
    )
    return [works(way, right) for way in ways]


def works(way: Any, right: np.ndarray) -> bool:
    try:
        result = way()
    except ValueError:
        return False
    return result.shape == right.shape and bool(np.allclose(result, right))


# What a layer could be asked to do with a photo: redder; a kernel for each colour; red minus
# green; red shifted.
TASKS = (
    lambda x: x * [1.5, 1, 1],
    lambda x: convlab.conv2d(x[None], np.arange(27.0).reshape(3, 3, 1, 3), groups=3)[0],
    lambda x: (x @ [1, -1, 0])[..., None],
    lambda x: np.dstack([np.roll(x[..., :1], 2, axis=1), x[..., 1:]]),
)


def mixes(task: Any) -> bool:
    """Whether one map depends on more than one colour."""
    photo = np.random.default_rng(0).random((6, 7, 3))
    reach = []
    for colour in range(3):
        other = photo.copy()
        other[..., colour] = 0
        reach.append(np.abs(task(photo) - task(other)).max(axis=(0, 1)) > 1e-9)
    return bool((np.sum(reach, axis=0) > 1).any())


def naive_targets() -> list[str]:
    """Where the three loops of the naive implementation add their products."""
    naive = convlab.kernels.naive
    functions = (naive.conv2d, naive.conv2d_input_gradient, naive.conv2d_kernel_gradient)
    sources = [inspect.getsource(function) for function in functions]
    assert all("in products(geometry)" in source for source in sources)
    return [re.search(r"\[(\w+)\] \+=", source)[1] for source in sources]


def shared_cells() -> list[bool]:
    """Splits of a layer between two workers: whether both write one cell.

    By output rows, by filters, by weights of the window, by images.
    """
    layer = geometry.Geometry.conv2d((2, 4, 4, 1), (2, 2, 1, 2))
    products = list(convlab.kernels.naive.products(layer))
    rows = layer.output_size[0] // 2
    splits = (
        lambda weight, cell: cell[1] > rows,
        lambda weight, cell: cell[3],
        lambda weight, cell: weight[0],
        lambda weight, cell: cell[0],
    )
    shared = []
    for split in splits:
        written: list[set[Any]] = [set(), set()]
        for _, weight, cell in products:
            written[int(split(weight, cell))].add(cell)
        shared.append(bool(written[0] & written[1]))
    return shared


def one_of_two() -> list[bool]:
    """A network with two filters that say the same; one is taken away.

    Whether it had learned nothing; the other covers for it; it is dead; both can go.
    """
    x = np.random.default_rng(0).normal(size=(200, 5))
    filters = np.array([[1.0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0]])
    truth = x[:, 0] > 0.5

    def read(used: np.ndarray) -> float:
        return float(((np.maximum(x @ used.T, 0).max(axis=1) > 0.5) == truth).mean())

    maps = np.maximum(x @ filters.T, 0)
    gone = [filters * [[0], [1]], filters * 0]
    return [
        not filters[0].any(),
        read(gone[0]) == read(filters) == 1,
        not maps[:, 0].any(),
        read(gone[1]) == read(filters),
    ]


def first_epoch() -> list[bool]:
    """Accuracy that `fit` reports for an epoch, and on held-out images after it.

    Whether the first is higher; lower because of when it is taken; lower because the held-out
    images are easier; whether they are equal.
    """
    convlab.utils.set_random_seed(0)
    (x, y), held_out = convlab.datasets.load_digits(held_out=360, seed=0)
    dense = convlab.layers.Dense(10, activation="softmax")
    model = convlab.models.Sequential([convlab.layers.Flatten(), dense])
    sgd = convlab.optimizers.SGD(0.1, momentum=0.9)
    model.compile(sgd, "sparse_categorical_crossentropy", metrics=["accuracy"])
    during = model.fit(x / 16, y, epochs=1, verbose=0).history["accuracy"][0]
    same_images = model.evaluate(x / 16, y, verbose=0)[1]
    after = model.evaluate(held_out[0] / 16, held_out[1], verbose=0)[1]
    easier = after > same_images + 0.02
    return [during > after, during < after and not easier, easier, during == after]


def live_share(stride: int) -> float:
    """Share of the numbers in `g`, spread with zeros, that are cells."""
    spread = np.zeros((60, 60))
    spread[::stride, ::stride] = 1
    return float(spread.mean())


def with_relu(layer: Any) -> float:
    """How much longer a layer bound by memory takes with a ReLU that reads and writes its map."""
    own = layer.input_bytes() + layer.parameter_bytes() + layer.output_bytes()
    return float((own + 2 * layer.output_bytes()) / own)


def longer() -> str:
    """What a kernel three times as long makes of its map."""
    before, after = (np.array(slide(np.arange(30).reshape(5, 6) % 7, k * two)) for k in (1, 3))
    if np.array_equal(before, after):
        return "the same"
    return "three times" if np.array_equal(after, 3 * before) else "another"


HELPERS = (
    bias_change, black_layers, charge, deep_box, drift, equal_start, exchanged, first_epoch,
    format_changes, joins, kept, live_share, longer, lowest, mixes, naive_targets, one_of_two,
    patch_ratio, places, random_angle, rank, read_counts, reads, row, same_decay, share,
    shared_cells, shares, slide, start_bias, steps_at_wall, twice_called, unbiased_losses,
    unread, with_relu, work, works,
)  # fmt: skip
NAMES: dict[str, Any] = {
    **{name: getattr(convlab, name) for name in convlab.__all__},
    **{name: getattr(geometry, name) for name in geometry.__all__},
    **{function.__name__: function for function in HELPERS},
    "convlab": convlab,
    "np": np,
    "TASKS": TASKS,
    "pixels": np.array([[3, 1, 4, 1, 5, 9], [2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3]] * 2),
    "two": two,
}


def value_of(expression: str) -> Any:
    """Evaluate a key; arrays become lists."""
    result = eval(expression, dict(NAMES))
    return result.tolist() if isinstance(result, (np.ndarray, np.generic)) else result
