"""Exercises of the chapter on padding."""

import numpy as np

from convlab.exercises import exercise
from convlab.functional import conv2d
from convlab.geometry import Geometry

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many outputs does `same` promise for 8 pixels and stride 2? That comes first.",
        "The last of the 4 windows starts 3 strides after the first one. How many pixels do they "
        "span together, and how many of those does the image not have?",
        "One zero is missing. Keras puts an odd zero at the end.",
    ],
    why="PyTorch's `padding=1` adds a zero on both sides instead, so its windows stand elsewhere.",
)
def zeros_before_and_after():
    """How many zeros does `same` put (before, after) 8 pixels, for 3 taps and stride 2?"""
    windows = 4  # ceil(8 / 2)
    span = (windows - 1) * 2 + 3
    total = span - 8
    return total // 2, total - total // 2


zeros_before_and_after.mistake(
    (1, 1),
    means="You pad both sides alike, as PyTorch's `padding=1` does. `same` adds only what the "
    "windows need, and here that is an odd number.",
)
zeros_before_and_after.mistake(
    (1, 0), means="The amount is right, the end is not: Keras puts the odd zero after the pixels."
)
zeros_before_and_after.mistake(
    (0, 0), means="With no padding the fourth window would reach a pixel that is not there."
)
zeros_before_and_after.mistake(
    (1, 2), means="That is padding for 4 taps and stride 1. With stride 2 there are fewer windows."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Two taps need one zero along each axis. On which side does Keras put it?",
        "Write a column of zeros to the right of the image, a row below it, then slide.",
    ],
    why="An even kernel has no centre: each output looks right and down from its own pixel.",
)
def same_output():
    """Slide [[1, 0], [2, 1]] over [[1, 2, 0], [0, 1, 3], [2, 1, 0]] with `same`: the map?"""
    image = np.array([[1, 2, 0], [0, 1, 3], [2, 1, 0]])
    kernel = np.array([[1, 0], [2, 1]])
    padded = np.pad(image, ((0, 1), (0, 1)))  # the odd zero goes below and to the right
    return conv2d(padded[None, :, :, None], kernel[:, :, None, None])[0, :, :, 0]


same_output.mistake(
    [[1, 4, 4], [0, 2, 7], [2, 5, 3]],
    means="You put the zeros above and to the left. Keras puts an odd zero below and to the right.",
)
same_output.mistake(
    [[2, 7], [5, 3]],
    means="You used `valid`: without zeros the window fits in 2 by 2 places only.",
)
same_output.mistake(
    [[1, 4, 4, 0], [0, 2, 7, 6], [2, 5, 3, 3], [0, 2, 1, 0]],
    means="You padded all four sides, as PyTorch's `padding=1` does, and the map has grown.",
)
same_output.mistake(
    [[6, 5, 0], [3, 7, 3], [4, 1, 0]],
    means="You turned the kernel round: its last weight met the first pixel. Keras lays it on the "
    "image as it is written.",
)
same_output.mistake(
    [[4, 3, 0], [2, 7, 6], [5, 3, 0]],
    means="You flipped the kernel. Keras lays it on the image as it is written: correlation.",
)

# --- 3 -------------------------------------------------------------------------------------------


def _every_layer():
    """Each small layer that Keras allows: strides and dilation are not both above 1."""
    return [
        (size, kernel_size, stride, dilation_rate)
        for size in range(1, 10)
        for kernel_size in range(1, 7)
        for stride in range(1, 5)
        for dilation_rate in range(1, 4)
        if stride == 1 or dilation_rate == 1
    ]


@exercise(
    cases=_every_layer,
    hints=[
        "Work backwards: number of windows, pixels that they span, zeros that are missing.",
        "Windows: `size / stride`, rounded up. A dilated kernel spans "
        "`(kernel_size - 1) * dilation_rate + 1` pixels.",
        "Zeros missing: `(windows - 1) * stride + span - size`, never below 0. Half of them, "
        "rounded down, go before.",
    ],
    why="This one function is all of `same`: kernel, stride and dilation along one axis.",
)
def same_padding(size, kernel_size, stride, dilation_rate):
    """Write `same_padding(size, kernel_size, stride, dilation_rate)`: zeros (before, after)."""
    windows = -(-size // stride)  # rounded up
    span = (kernel_size - 1) * dilation_rate + 1
    total = max((windows - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


@same_padding.mistake(
    means="You rounded the number of windows down. `same` rounds up: ceil(size / stride)."
)
def _rounded_down(size, kernel_size, stride, dilation_rate):
    span = (kernel_size - 1) * dilation_rate + 1
    total = max((size // stride - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


@same_padding.mistake(
    means="You took kernel_size * dilation_rate for the span. The gap behind the last tap does not "
    "count: it is (kernel_size - 1) * dilation_rate + 1."
)
def _gap_behind_the_last(size, kernel_size, stride, dilation_rate):
    total = max((-(-size // stride) - 1) * stride + kernel_size * dilation_rate - size, 0)
    return total // 2, total - total // 2


@same_padding.mistake(
    means="You pad by half the kernel, whatever stride and dilation: a rule for odd kernels and a "
    "stride of 1."
)
def _always_half(size, kernel_size, stride, dilation_rate):
    return kernel_size // 2, kernel_size // 2


@same_padding.mistake(means="You put the odd zero before the pixels. Keras puts it after them.")
def _odd_zero_before(size, kernel_size, stride, dilation_rate):
    return same_padding.solution(size, kernel_size, stride, dilation_rate)[::-1]


@same_padding.mistake(
    means="You pad both sides by half the kernel. That is `same` only for odd kernels at stride 1."
)
def _half_the_kernel(size, kernel_size, stride, dilation_rate):
    half = (kernel_size - 1) * dilation_rate // 2
    return half, half


@same_padding.mistake(
    means="Your padding does not know the dilation: a dilated kernel spans more than its taps."
)
def _no_dilation(size, kernel_size, stride, dilation_rate):
    return same_padding.solution(size, kernel_size, stride, 1)


@same_padding.mistake(
    means="Your padding does not know the stride: fewer windows reach less far beyond the end."
)
def _no_stride(size, kernel_size, stride, dilation_rate):
    return same_padding.solution(size, kernel_size, 1, dilation_rate)


@same_padding.mistake(
    means="Your padding falls below 0 where the stride is larger than the kernel. Nothing is cut "
    "off there; `same` then adds nothing."
)
def _below_zero(size, kernel_size, stride, dilation_rate):
    span = (kernel_size - 1) * dilation_rate + 1
    total = (-(-size // stride) - 1) * stride + span - size
    return total // 2, total - total // 2


# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A row of 7 pixels, 4 taps: how many zeros stand before, how many after?",
        "Along one axis the first window starts one pixel before the image, and the last one ends "
        "two pixels behind it. A corner lies on two axes: multiply.",
    ],
    why="Two windows along each axis reach the first pixel, three the last: 2 * 2 and 3 * 3. The "
    "odd zero behind makes even kernels lopsided.",
)
def corner_reads():
    """How often does a 4x4 kernel read the (top left, bottom right) pixel of 7x7, with `same`?"""
    reads = Geometry.conv2d((1, 7, 7, 1), (4, 4, 1, 1), padding="same").row_reads
    return reads[0] ** 2, reads[-1] ** 2


corner_reads.mistake((9, 4), means="You put two zeros before the image and one after it.")
corner_reads.mistake(
    (4, 4),
    means="Top left is right. The padding is not alike on both sides, so the corners differ.",
)
corner_reads.mistake(
    (9, 9), means="Bottom right is right. One zero stands before the image, two behind it."
)
corner_reads.mistake((1, 1), means="That is right for `valid`. With `same`, windows hang over.")
corner_reads.mistake((16, 16), means="That is a pixel in the middle: all 16 taps reach it.")
corner_reads.mistake((2, 3), means="That is one axis. A corner lies on two: multiply.")

# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    cases=[np.ones((height, width)) for height, width in ((3, 3), (4, 6), (7, 5))],
    hints=[
        "Zeros from the padding are the only thing that tells the border from the inside.",
        "On ones, a 3x3 kernel of ones gives 9 inside, 6 on an edge and 4 at a corner.",
        "Give every tap the weight -1, and let the bias lift the inside to 0.",
    ],
    why="A network can tell from the padding alone where it is in the image.",
)
def border_detector():
    """Find one layer that, on an image of ones, is 0 inside and above 0 on the border.

    Give it as a dict: `kernel` (a 3x3 array), `bias`, `padding`, `activation` (None or "relu").
    """
    return {"kernel": -np.ones((3, 3)), "bias": 9, "padding": "same", "activation": "relu"}


@border_detector.measure
def _map(layer, image):
    kernel, activation = np.asarray(layer["kernel"], float), layer.get("activation")
    if kernel.shape != (3, 3):
        raise ValueError(f"`kernel` must be a 3x3 array. Received: shape={kernel.shape}")
    if activation not in (None, "relu"):
        raise ValueError(f'`activation` must be None or "relu". Received: {activation!r}')
    padding = layer.get("padding", "valid")
    output = conv2d(image[None, :, :, None], kernel[:, :, None, None], padding=padding)[0, :, :, 0]
    output = output + layer.get("bias", 0)
    return np.maximum(output, 0) if activation == "relu" else output


@border_detector.judge
def _nothing_but_the_border(output, image):
    if output.shape != image.shape:
        return "The map is smaller than the image: the border has no place in it."
    if output[1:-1, 1:-1].any():
        return "Inside, the map should be 0."
    border = np.ones(image.shape, bool)
    border[1:-1, 1:-1] = False
    return None if (output[border] > 0).all() else "On the border, the map should be above 0."


def _layer(bias, padding="same", activation="relu"):
    return {"kernel": -np.ones((3, 3)), "bias": bias, "padding": padding, "activation": activation}


border_detector.mistake(
    _layer(9, padding="valid"),
    means="Without padding no window ever sees a zero, so all places look alike.",
)
border_detector.mistake(
    _layer(8, activation=None), means="A ReLU would cut the -1 inside to 0 and leave the border."
)
border_detector.mistake(
    _layer(6), means="Corners stand out, edges do not: they read 6 ones, and 6 - 6 is not above 0."
)
