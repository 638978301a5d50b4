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
        "One filter has a weight for each of those numbers, and one number more. Which?",
        "Count one filter to the end, with its bias. Only then take all the filters.",
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
        "A filter of the second layer is as deep as its input. Count one of them, with its bias.",
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
    (1, 24, 24, 16, 1168),
    means="You gave the batch too. Asked for are four numbers: (height, width, maps, parameters).",
)
two_layers.mistake(
    (None, 24, 24, 16, 1168),
    means="You gave the batch too, as Keras prints it. Four numbers are asked for, from the height "
    "on.",
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


_RIGHT = {"a red pixel": "0.333 1 0", "a green pixel": "0.333 -1 0", "a blue pixel": "0.333 0 1"}


@colour_kernel.measure
def _answers(kernel):
    """What the three maps say of one pixel of each colour."""
    if np.shape(kernel) != (1, 1, 3, 3):
        return {"shape": np.shape(kernel)}
    pixels = np.eye(3)[np.newaxis, np.newaxis]  # red, green, blue, in a row
    maps = conv2d(pixels, kernel, implementation="vectorized")[0, 0] + 0.0
    answers = [" ".join(f"{value:.3g}" for value in pixel) for pixel in maps]
    return dict(zip(_RIGHT, answers, strict=True))


@colour_kernel.judge
def _answers_as_asked(measured):
    if "shape" in measured:
        return "The kernel must have shape (1, 1, 3, 3): height, width, channels, filters."
    wrong = [colour for colour, answers in _RIGHT.items() if measured[colour] != answers]
    return f"Look at {wrong[0]}: the three maps should say something else of it." if wrong else None


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
colour_kernel.mistake(
    _colours()[0],
    means="You gave three axes. Height and width have length 1 here, and an axis each.",
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (kernel_size, channels, middle, count)
        for kernel_size in (1, 2, 3)
        for channels in (1, 2, 3)
        for middle in (1, 4, 9, 30)
        for count in (1, 3, 10, 40)
    ],
    hints=[
        "What does the second layer see of the photo? Only the maps of the first.",
        "How many of these are independent? The section `Why nine` has the ceiling.",
        "Everything goes through one waist, then through another. The narrowest place decides.",
    ],
    why="The narrowest place decides. What is lost there, no later layer brings back.",
)
def two_linear_layers(kernel_size, channels, middle, count):
    """Write `two_linear_layers(kernel_size, channels, middle, count)`: how many independent maps?

    A large photo with `channels` channels goes through `Conv2D(middle, kernel_size)`, then through
    `Conv2D(count, 1)`, with random weights, without biases and activations. How many of the maps
    at the end are independent?
    """
    return min(count, middle, kernel_size**2 * channels)


@two_linear_layers.mistake(
    means="You took every filter for a new question. There is a ceiling, however many you take."
)
def _every_filter(kernel_size, channels, middle, count):
    return count


@two_linear_layers.mistake(
    means="You looked at the second layer alone. Of the `middle` maps that it gets, how many are "
    "independent?"
)
def _second_alone(kernel_size, channels, middle, count):
    return min(count, middle)


@two_linear_layers.mistake(
    means="You looked at the window alone. Between the layers there are only `middle` maps."
)
def _window_alone(kernel_size, channels, middle, count):
    return min(count, kernel_size**2 * channels)


@two_linear_layers.mistake(
    means="You looked at the first layer alone. At the end there are only `count` maps."
)
def _first_alone(kernel_size, channels, middle, count):
    return min(middle, kernel_size**2 * channels)


@two_linear_layers.mistake(
    means="Your ceiling does not know the channels: a window holds the pixels of all of them."
)
def _one_channel(kernel_size, channels, middle, count):
    return min(count, middle, kernel_size**2)


@two_linear_layers.mistake(
    means="Your window is a row of `kernel_size` pixels. It is a square of them."
)
def _one_row(kernel_size, channels, middle, count):
    return min(count, middle, kernel_size * channels)


@two_linear_layers.mistake(
    means="You multiplied the layers. The second one mixes the maps that it gets; it makes `count`."
)
def _multiplied(kernel_size, channels, middle, count):
    return min(middle * count, kernel_size**2 * channels)


# --- 5, open -------------------------------------------------------------------------------------

ENOUGH = 0.93


@exercise(
    hints=[
        "Strokes are upright, flat or slanted, and they end. Which kernels tell these apart?",
        "After the ReLU a filter and its negative are two questions. Which of the two pays more?",
        "Start with four directions. Exchange one for a kernel without a direction, and measure.",
    ],
    why="What counts is what differs after the ReLU: there even a filter and its negative are two "
    "questions. You chose by the test digits, so the number flatters you a little.",
)
def four_filters():
    """Find four 3x3 filters that read 93% of the test digits, with the chapter's pipeline.

    Give them as one kernel of shape (3, 3, 1, 4), such as `filters.stack(...)` makes.
    """
    upwards = filters.compass()[..., 1:4]  # to the upper right, up, to the upper left
    return filters.stack(upwards, -filters.laplacian())


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
    means="You look right and left, up and down: nearly enough. No filter looks along a slant. "
    "Exchange one, and measure again.",
)
four_filters.mistake(
    _COMPASS[..., :4],
    means="You took the first four of the compass, half a turn: nearly enough. All of them ask for "
    "a slope. Exchange one for a kernel that has no direction.",
)
four_filters.mistake(
    filters.stack(filters.box(), filters.sobel_x(), filters.sobel_y(), filters.laplacian()),
    means="Nearly. On a digit `box` is never negative, so the ReLU has nothing to cut there. Spend "
    "that filter on a direction.",
)
