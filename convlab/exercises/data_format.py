"""Exercises of the chapter on the data format."""

import numpy as np

from convlab import conv2d, max_pool2d
from convlab.exercises import exercise, integers

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    cases=lambda: [
        np.arange(12).reshape(1, 2, 2, 3),
        integers(1, 2, 3, 2, seed=1),
        integers(2, 3, 4, 3, seed=2),
    ],
    hints=[
        "The numbers stay with their pixel and their colour. Only the order of the axes changes.",
        "Axis 3 moves to place 1. The others keep their order.",
        "`x.transpose(0, 3, 1, 2)`: the new axes, named by their old places.",
    ],
    why="It is a view: no number was moved in memory.",
)
def to_channels_first(x):
    """Write `to_channels_first(x)`: from (batch, height, width, channels) to channels first."""
    return x.transpose(0, 3, 1, 2)


@to_channels_first.mistake(
    means="You reshaped. The shape is right, and the numbers keep their old order: colours and "
    "places are mixed up."
)
def _reshaped(x):
    batch, height, width, channels = x.shape
    return x.reshape(batch, channels, height, width)


@to_channels_first.mistake(
    means="You exchanged height and width on the way: the image lies on its side. On a square "
    "image the shape would not tell."
)
def _on_its_side(x):
    return x.transpose(0, 3, 2, 1)


@to_channels_first.mistake(means="You left out the batch axis: each image has its own channels.")
def _batch_lost(x):
    return x[0].transpose(2, 0, 1)


@to_channels_first.mistake(
    means="You turned the colours round: red became the last channel. That is RGB to BGR, another "
    "matter."
)
def _colours_turned(x):
    return x.transpose(0, 3, 1, 2)[:, ::-1]


# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Which of the four input axes holds the channels, in this format?",
        "A kernel is (height, width, input channels, filters), whatever the data format.",
    ],
    why="The kernel has one layout for both formats. That is why the same weights serve both.",
)
def kernel_shape():
    """What shape has the kernel of `Conv2D(16, 5, data_format="channels_first")`?

    The input is (2, 6, 40, 40).
    """
    return 5, 5, 6, 16


kernel_shape.mistake(
    (16, 6, 5, 5), means="That is PyTorch's layout. Keras puts filters last, in both formats."
)
kernel_shape.mistake(
    (5, 5, 40, 16),
    means="You took the last axis for the channels. With channels_first it is the second.",
)
kernel_shape.mistake(
    (6, 5, 5, 16),
    means="The data format moves the input's channels. It does not move the kernel's.",
)
kernel_shape.mistake(
    (5, 5, 16, 6), means="Input channels and filters are exchanged: filters come last."
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Parameters: (kernel height * kernel width * channels + 1) * filters. Solve for channels.",
        "5,776 / 16 = 361. One of them is the bias.",
    ],
    why="(3 * 3 * 40 + 1) * 16 = 5,776: the layer took a height or width of 40 for channels.",
)
def channels_seen():
    """A `Conv2D(16, 3)` for RGB photos has 5,776 parameters. How many channels does it see?"""
    return (5776 // 16 - 1) // 9


channels_seen.mistake(
    3, means="With three channels it would report (3 * 3 * 3 + 1) * 16 = 448 parameters."
)
channels_seen.mistake(
    361, means="361 numbers belong to each filter. They are spread over 3 x 3 taps."
)
channels_seen.mistake(
    5776 / 144, means="You forgot the bias: each filter has one, and it belongs to no channel."
)
channels_seen.mistake(
    40.1, means="You forgot the bias: take it away before you divide by the nine taps."
)
channels_seen.mistake(360, means="360 weights belong to each filter: nine for each channel.")

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=lambda: [
        np.arange(8).reshape(1, 2, 2, 2),
        integers(1, 2, 2, 3, seed=3),
        integers(2, 3, 2, 2, seed=4),
    ],
    hints=[
        "Keras wants the same row of numbers from both formats. So it goes to channels last first.",
        "`x.transpose(0, 2, 3, 1)`, then one row for each image.",
        "`.reshape(len(x), -1)` makes the rows.",
    ],
    why="So a `Dense` layer behind it finds each number in the same place, in both formats.",
)
def flatten(x):
    """Write `flatten(x)`: what Keras's `Flatten(data_format="channels_first")` makes of `x`."""
    return x.transpose(0, 2, 3, 1).reshape(len(x), -1)


@flatten.mistake(
    means="You flattened as the numbers lie: that is `torch.flatten`. Keras goes to channels last "
    "before it flattens."
)
def _as_they_lie(x):
    return x.reshape(len(x), -1)


@flatten.mistake(means="You flattened the batch, too. Each image keeps its own row.")
def _one_row(x):
    return x.transpose(0, 2, 3, 1).ravel()


@flatten.mistake(means="Width before height: you exchanged them on the way.")
def _width_first(x):
    return x.transpose(0, 3, 2, 1).reshape(len(x), -1)


# --- 5 -------------------------------------------------------------------------------------------


def _models():
    return [
        (integers(1, 2, 4, 6, seed=5), integers(3, 3, 2, 4, seed=6), integers(1, 2, 4, 2, seed=7)),
        (integers(2, 3, 6, 6, seed=8), integers(3, 3, 3, 2, seed=9), integers(2, 2, 2, 3, seed=10)),
    ]


@exercise(
    cases=_models,
    hints=[
        "Go to channels last once, at the door. Come back once, at the end.",
        "In between: `conv2d(x, first)`, `max_pool2d`, `conv2d(..., second)`, all without "
        "`data_format`, and with the same kernels.",
    ],
    why="The same kernels serve both formats: weights do not know the format.",
)
def twin(x, first, second):
    """Write `twin(x, first, second)`: the same model, computed in channels_last.

    The model takes `x` with channels first: a convolution with `first` (`padding="same"`), a
    2x2 max pooling, a convolution with `second` (`"same"`). Return its output, channels first.
    """
    maps = conv2d(x.transpose(0, 2, 3, 1), first, padding="same", implementation="vectorized")
    maps = max_pool2d(maps, implementation="vectorized")
    maps = conv2d(maps, second, padding="same", implementation="vectorized")
    return maps.transpose(0, 3, 1, 2)


@twin.mistake(
    means="You reshaped the input. Its numbers keep their order, so the channels are mixed up."
)
def _input_reshaped(x, first, second):
    batch, channels, height, width = x.shape
    mixed = x.reshape(batch, height, width, channels)
    return twin.solution(mixed.transpose(0, 3, 1, 2), first, second)


@twin.mistake(means="You forgot the way back: the output should have its channels first.")
def _no_way_back(x, first, second):
    return twin.solution(x, first, second).transpose(0, 2, 3, 1)


@twin.mistake(
    means="Height and width are exchanged: in the kernels, or in the image on its way to channels "
    "last (`swapaxes` does that). Both keep their order."
)
def _kernels_turned(x, first, second):
    return twin.solution(x, first.transpose(1, 0, 2, 3), second.transpose(1, 0, 2, 3))


@twin.mistake(means="You came back by reshaping. The numbers keep their order: use a transpose.")
def _back_by_reshape(x, first, second):
    y = twin.solution(x, first, second)
    return y.transpose(0, 2, 3, 1).reshape(y.shape)
