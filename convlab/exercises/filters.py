"""Exercises of the chapter on filters."""

import numpy as np

from convlab import average_pool2d, conv2d, filters
from convlab.datasets import load_digits
from convlab.exercises import exercise
from convlab.geometry import Geometry

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many pixels lie under the window, counted in one channel? And in all three?",
        "One filter has a weight for each of `3 * 3 * 3` numbers, and one bias.",
        "Then there are 32 such filters.",
    ],
    why="Photo and stride do not enter: `(kernel_height * kernel_width * channels + 1) * filters`.",
)
def parameters_on_rgb():
    """How many parameters does `Conv2D(32, 3)` have on an RGB photo?"""
    return Geometry.conv2d((1, 32, 32, 3), (3, 3, 3, 32)).parameters()


parameters_on_rgb.mistake(
    864, means="You left the biases out. Keras adds one to each filter unless `use_bias=False`."
)
parameters_on_rgb.mistake(
    320, means="You counted one slice in each filter. On RGB a filter has three: it is 3 deep."
)
parameters_on_rgb.mistake(
    865, means="You gave one bias to the whole layer. Each filter has its own."
)
parameters_on_rgb.mistake(
    960, means="You gave a bias to each slice. A filter adds up its slices, then one bias."
)
parameters_on_rgb.mistake(28, means="That is one filter with its bias. The layer has 32.")

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "What does the first layer hand over? Its 8 maps are the channels of the second.",
        "`valid` takes 2 rows and 2 columns away, at each of the two layers.",
        "A filter of the second layer has `3 * 3 * 8` weights and a bias, and there are 16.",
    ],
    why="A layer's maps are the next layer's channels: they are mixed, not multiplied.",
)
def two_layers():
    """(28, 28, 1), then `Conv2D(8, 3)`, then `Conv2D(16, 3)`: what comes out, at what price?

    Write (height, width, maps, parameters of the second layer).
    """
    first = Geometry.conv2d((1, 28, 28, 1), (3, 3, 1, 8))
    second = Geometry.conv2d(first.output_shape, (3, 3, 8, 16))
    return (*second.output_shape[1:], second.parameters())


two_layers.mistake(
    (24, 24, 128, 1168),
    means="You multiplied the filters. Each of the 16 looks at all 8 maps at once and makes one.",
)
two_layers.mistake(
    (24, 24, 24, 1168),
    means="You added the filters. The 8 maps are used up: what comes out are the 16 of layer two.",
)
two_layers.mistake(
    (24, 24, 16, 160),
    means="You gave the second layer's filters one slice. They see 8 channels, so they are 8 deep.",
)
two_layers.mistake((24, 24, 16, 1152), means="You left out the 16 biases of the second layer.")
two_layers.mistake(
    (24, 24, 16, 1248), means="You counted both layers. Asked for is the second alone."
)
two_layers.mistake(
    (28, 28, 16, 1168), means='You kept the size, as `padding="same"` does. The default is `valid`.'
)
two_layers.mistake(
    (26, 26, 16, 1168), means="You let one layer shrink the image. Both take a border of one pixel."
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "The last axis says which filter, the axis before it which channel.",
        "Filter 0 is `kernel[0, 0, :, 0]`: one weight for red, one for green, one for blue.",
        "Write the three filters as the columns of a 3x3 table, then add two axes in front.",
    ],
    why="A 1x1 kernel asks about colour alone: nine weights, three questions at each pixel.",
)
def colour_kernel():
    """Give the kernel of three 1x1 filters for an RGB photo with values from 0 to 1.

    Map 0 is the mean of the three channels, map 1 is red minus green, map 2 is blue. The answer
    is an array of shape (1, 1, 3, 3).
    """
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, :, 0] = 1 / 3
    kernel[0, 0, :, 1] = (1, -1, 0)
    kernel[0, 0, :, 2] = (0, 0, 1)
    return kernel


@colour_kernel.measure
def _answers(kernel):
    """What the three maps say of one pixel of each colour."""
    if np.shape(kernel) != (1, 1, 3, 3):
        return {"shape": np.shape(kernel)}
    pixels = np.eye(3)[np.newaxis, np.newaxis]  # red, green, blue, in a row
    maps = conv2d(pixels, kernel, implementation="vectorized")[0, 0] + 0.0
    answers = [" ".join(f"{value:.3g}" for value in pixel) for pixel in maps]
    return dict(zip(("a red pixel", "a green pixel", "a blue pixel"), answers, strict=True))


def _colours(mean=1 / 3, scale=1.0):
    return np.array([[mean, 1, 0], [mean, -1, 0], [mean, 0, 1]])[np.newaxis, np.newaxis] * scale


colour_kernel.mistake(
    _colours().swapaxes(2, 3),
    means="You wrote the filters as rows. The last axis counts the filters, so map 0 is now a "
    "third of red, plus green.",
)
colour_kernel.mistake(
    _colours().reshape(3, 3, 1, 1),
    means="You took channels and filters for height and width: this is one 3x3 filter for a grey "
    "image.",
)
colour_kernel.mistake(
    _colours(scale=1 / 255),
    means="You divided by 255. The photo runs from 0 to 1 already, so your maps are almost black.",
)
colour_kernel.mistake(
    _colours(mean=1.0),
    means="You added the channels up. A mean has weights that sum to 1.",
)
colour_kernel.mistake(
    _colours()[0, 0],
    means="You gave a table. A kernel has four axes: `table[np.newaxis, np.newaxis]` adds two.",
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (kernel_size, channels, count)
        for kernel_size in (1, 2, 3, 5)
        for channels in (1, 2, 3, 8)
        for count in (1, 2, 4, 9, 20, 40, 300)
    ],
    hints=[
        "How many numbers lie under one window, in all channels?",
        "A linear filter weighs those numbers. Whatever you weigh, there are no more of them.",
        "Two ceilings: the filters that you have, and the numbers under the window.",
    ],
    why="Beyond the ceiling, each further map is a mix of the maps that you have already.",
)
def linear_questions(kernel_size, channels, count):
    """Write `linear_questions(kernel_size, channels, count)`: how many maps are independent?

    The layer has `count` random filters with a square kernel and no activation, and runs over a
    large photo.
    """
    return min(count, kernel_size**2 * channels)


@linear_questions.mistake(
    means="You took every filter for a new question. There is a ceiling, however many you take."
)
def _every_filter(kernel_size, channels, count):
    return count


@linear_questions.mistake(
    means="Your ceiling does not know the channels: a window holds the pixels of all of them."
)
def _one_channel(kernel_size, channels, count):
    return min(count, kernel_size**2)


@linear_questions.mistake(
    means="You give the ceiling, also where there are fewer filters than that."
)
def _ceiling_alone(kernel_size, channels, count):
    return kernel_size**2 * channels


@linear_questions.mistake(
    means="You counted slices. A filter adds up its slices, and only one map is left."
)
def _slices(kernel_size, channels, count):
    return channels * count


@linear_questions.mistake(
    means="Your window is a row of `kernel_size` pixels. It is a square of them."
)
def _one_row(kernel_size, channels, count):
    return min(count, kernel_size * channels)


# --- 5, open -------------------------------------------------------------------------------------

ENOUGH = 0.925


@exercise(
    hints=[
        "Strokes are upright, flat or slanted, and they end. Which kernels tell these apart?",
        "Behind the ReLU a filter and its negative are two questions. Try `sobel_x()` with both.",
        "Three directions and one kernel that has none, such as `laplacian()`.",
    ],
    why="What counts is what differs behind the ReLU: there even a filter and its negative are two "
    "questions. You chose by the test digits, so the number flatters you a little.",
)
def four_filters():
    """Find four 3x3 filters that read 92.5% of the test digits, with the chapter's pipeline.

    Give them as one kernel of shape (3, 3, 1, 4), such as `filters.stack(...)` makes.
    """
    right = filters.sobel_x()
    return filters.stack(right, -right, filters.sobel_y(), filters.laplacian())


def _features(images, kernel):
    maps = conv2d(images[..., np.newaxis] / 16, kernel, implementation="vectorized")
    pooled = average_pool2d(np.maximum(maps, 0), implementation="vectorized")
    return pooled.reshape(len(images), -1)


def _accuracy(kernel):
    """Share of the test digits that a linear readout of the pooled maps gets right."""
    (x_train, y_train), (x_test, y_test) = load_digits()
    train, test = _features(x_train, kernel), _features(x_test, kernel)
    ridge = train.T @ train + np.eye(train.shape[1])
    readout = np.linalg.solve(ridge, train.T @ (np.eye(10)[y_train] - 0.1))
    return np.mean((test @ readout).argmax(axis=1) == y_test)


@four_filters.measure
def _reading(kernel):
    kernel = np.asarray(kernel, float)
    if kernel.shape == (4, 3, 3):  # four tables in a list
        kernel = np.moveaxis(kernel, 0, -1)[:, :, np.newaxis]
    if kernel.shape != (3, 3, 1, 4):
        return {"shape": kernel.shape}
    independent = np.linalg.matrix_rank(kernel.reshape(9, 4))
    return {"digits read": _accuracy(kernel), "independent filters": independent}


@four_filters.judge
def _reads_well(measured):
    if "shape" in measured:
        return "The kernel must have shape (3, 3, 1, 4): 3x3, one channel, four filters."
    if measured["independent filters"] == 1:
        return "All four of your filters ask the same question."
    if measured["digits read"] < ENOUGH:
        return "Too few digits are read. Which strokes do your filters not tell apart?"
    return None


_COMPASS = filters.compass()

four_filters.mistake(
    _COMPASS[..., [0, 0, 0, 0]],
    means="Identical filters make identical maps: the readout gets one answer four times.",
)
four_filters.mistake(
    _COMPASS[..., [0, 4, 0, 4]],
    means="You look to the right and to the left, and do it twice. Nobody looks up or down.",
)
four_filters.mistake(
    _COMPASS[..., [0, 4, 2, 6]],
    means="Right and left, up and down: nearly enough. All four ask for edges. Let one of them "
    "ask for something else.",
)
four_filters.mistake(
    filters.stack(filters.box(), filters.sobel_x(), filters.sobel_y(), filters.laplacian()),
    means="Nearly. On a digit `box` is never negative, so the ReLU has nothing to cut there. Spend "
    "that filter on a direction.",
)
