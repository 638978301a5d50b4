"""Exercises of the chapter on strides."""

import numpy as np

from convlab.datasets import load_photo
from convlab.exercises import exercise, integers
from convlab.functional import conv2d
from convlab.geometry import output_size

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "With `valid`, the windows start at pixels 0, 2, 4 and so on. Which is the last that fits?",
        "`valid`: the remainder is dropped. `same`: 10 / 2, rounded up.",
    ],
    why="The formula floors: a stride need not divide anything, the rest is left unread.",
)
def two_sizes():
    """How many outputs do 10 pixels, 3 taps and stride 2 give? Write (valid, same)."""
    return output_size(10, 3, stride=2), output_size(10, 3, stride=2, padding="same")


two_sizes.mistake(
    (4.5, 5),
    means="There is no half output. (10 - 3) / 2 is 3.5; round it down before you add 1.",
)
two_sizes.mistake((3, 5), means="You forgot the + 1: the first window is there before any step.")
two_sizes.mistake(
    (5, 5),
    means="You rounded up for `valid`. A fifth window would reach beyond the last pixel, and "
    "`valid` never does.",
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many zeros does `same` need for 6 pixels, 3 taps and stride 2? And where?",
        "One zero, after the 6. The first window covers 1, 2, 3, and its result reads 321.",
    ],
    why="Stride 2 does not pick outputs 0, 2, 4 of stride 1 here, but 1, 3, 5.",
)
def six_pixels():
    """Slide w = [1, 10, 100] over [1, 2, 3, 4, 5, 6], stride 2, `padding="same"`: the output?"""
    x, w = np.arange(1, 7), np.array([1, 10, 100])
    output = conv2d(x[None, None, :, None], w[None, :, None, None], strides=2, padding="same")
    return output[0, 0, :, 0]


six_pixels.mistake(
    [210, 432, 654],
    means="Your first window starts on a zero before the 1. That is `padding=1`, as in PyTorch, "
    "or every second output of stride 1. `same` puts its single zero at the end.",
)
six_pixels.mistake(
    [321, 543], means="You used `valid`. `same` has a third window, with a zero under its last tap."
)
six_pixels.mistake(
    [210, 321, 432, 543, 654, 65], means="That is stride 1. With stride 2 the window jumps."
)
six_pixels.mistake(
    [123, 345, 560],
    means="You flipped the kernel: the first tap, 1, belongs to the leftmost pixel.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (size, kernel_size, stride)
        for size in range(1, 13)
        for kernel_size in range(1, min(size, 5) + 1)
        for stride in range(1, 6)
    ],
    hints=[
        "Start with the set of all pixels, and take away what each window reads.",
        "The windows start at 0, stride, 2 * stride, as long as `start + kernel_size <= size`.",
        "Pixels are left in the gaps, where the stride is larger than the kernel, and at the end.",
    ],
    why="What is never read cannot change the output, whatever stands there.",
)
def unread(size, kernel_size, stride):
    """Write `unread(size, kernel_size, stride)`: the set of pixels that `valid` never reads."""
    pixels = set(range(size))
    for start in range(0, size - kernel_size + 1, stride):
        pixels -= set(range(start, start + kernel_size))
    return pixels


@unread.mistake(means="You found the gaps. The pixels after the last window are missing.")
def _only_gaps(size, kernel_size, stride):
    end = (output_size(size, kernel_size, stride) - 1) * stride + kernel_size
    return {pixel for pixel in unread.solution(size, kernel_size, stride) if pixel < end}


@unread.mistake(means="You found the tail after the last window. The gaps between are missing.")
def _only_tail(size, kernel_size, stride):
    end = (output_size(size, kernel_size, stride) - 1) * stride + kernel_size
    return set(range(end, size))


@unread.mistake(means="You give every pixel where no window starts. A window reads more.")
def _all_but_starts(size, kernel_size, stride):
    return set(range(size)) - set(range(0, size - kernel_size + 1, stride))


@unread.mistake(means="You give the pixels that are read. Asked for are the others.")
def _what_is_read(size, kernel_size, stride):
    return set(range(size)) - unread.solution(size, kernel_size, stride)


# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=[(integers(n, n + 1, seed=n), integers(3, 3, seed=9)) for n in (5, 6, 7, 8)],
    hints=[
        "`padding=1` in PyTorch means: one zero on each of the four sides, whatever the stride.",
        "Pad with `np.pad` (in Keras: `ZeroPadding2D(1)`), then let the layer use `valid`.",
    ],
    why="`same` and `padding=1` give the same shape, and at even sizes other numbers.",
)
def like_torch(x, kernel):
    """Write `like_torch(x, kernel)`: what PyTorch's `stride=2, padding=1` gives for one 3x3 kernel.

    `x` is (height, width), `kernel` is (3, 3), and so is the map: two axes.
    """
    padded = np.pad(x, 1)
    return conv2d(padded[None, :, :, None], kernel[:, :, None, None], strides=2)[0, :, :, 0]


def _strided(x, kernel, padding):
    x, kernel = x[None, :, :, None], kernel[:, :, None, None]
    return conv2d(x, kernel, strides=2, padding=padding)[0, :, :, 0]


@like_torch.mistake(
    means='You used `padding="same"`. Along an odd size it pads (1, 1) and agrees; along an even '
    "size it pads (0, 1), and every window stands one pixel further."
)
def _same(x, kernel):
    return _strided(x, kernel, "same")


@like_torch.mistake(means="You did not pad, so windows over the border are missing.")
def _valid(x, kernel):
    return _strided(x, kernel, "valid")


@like_torch.mistake(means="You padded, and then `same` padded again. The map is too large.")
def _padded_twice(x, kernel):
    return _strided(np.pad(x, 1), kernel, "same")


@like_torch.mistake(means="You flipped the kernel. PyTorch correlates, as Keras does.")
def _flipped(x, kernel):
    return _strided(np.pad(x, 1), kernel[::-1, ::-1], "valid")


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A stride of 4 looks at every fourth place. What lies between should already be mixed in.",
        "Blur over at least as many pixels as the stride jumps; the weights add up to 1.",
        "A box of 4x4 is enough: 16 equal weights.",
    ],
    why="Blur first, then jump: the fine stripes that would alias are gone before the jump.",
)
def calm_kernel():
    """Find a kernel for stride 4 on the photo `china` that hardly minds a shift by one pixel.

    The output may change by at most 0.045 of its standard deviation (on average), and the
    weights must add up to 1, so that the photo's mean stays. Give a square array.
    """
    return np.ones((4, 4)) / 16


def _grey_photo():
    return load_photo("china") / 255 @ np.array([0.299, 0.587, 0.114])


@calm_kernel.measure
def _sensitivity(kernel):
    kernel, grey = np.asarray(kernel, float)[:, :, None, None], _grey_photo()[None, :, :, None]
    here, shifted = (
        conv2d(photo, kernel, strides=4, implementation="vectorized")
        for photo in (grey[:, :, :-1], grey[:, :, 1:])
    )
    return {
        "sensitivity": np.abs(shifted - here).mean() / here.std() if here.std() else np.inf,
        "sum of the weights": kernel.sum(),
    }


@calm_kernel.judge
def _calm_and_neutral(found):
    if abs(found["sum of the weights"] - 1) > 0.001:
        return "The weights do not add up to 1, so the photo's mean changes."
    if found["sensitivity"] > 0.045:
        return "The output still minds the shift: more than 0.045 of its standard deviation."
    return None


def _gauss(row):
    return np.outer(row, row) / np.sum(row) ** 2


calm_kernel.mistake(
    [[1.0]], means="A single pixel is no blur: the stride picks one pixel in 16 and drops the rest."
)
calm_kernel.mistake(
    _gauss([1, 2, 1]),
    means="Three taps are fewer than the stride: one column in four is never read.",
)
calm_kernel.mistake(
    _gauss([1, 4, 6, 4, 1]), means="Nearly. Of the five taps, the middle three have most of it."
)
calm_kernel.mistake(
    np.ones((4, 4)), means="The blur is wide enough, but 16 ones make the photo 16 times as bright."
)
