"""Exercises of the chapter on strides."""

import numpy as np

from convlab.datasets import load_photo
from convlab.exercises import exercise, integers
from convlab.filters import as_kernel
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
two_sizes.mistake(
    (4, 10),
    means="You kept the size for `same`. It does so at a stride of 1 only: the window jumps.",
)
two_sizes.mistake(
    (4, 4), means="You floored both. `same` rounds up: it pads until every pixel is under a window."
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


@unread.mistake(means="You count from 1. The first pixel is number 0.")
def _from_one(size, kernel_size, stride):
    return {pixel + 1 for pixel in unread.solution(size, kernel_size, stride)}


@unread.mistake(means="You give the pixels that are read. Asked for are the others.")
def _what_is_read(size, kernel_size, stride):
    return set(range(size)) - unread.solution(size, kernel_size, stride)


# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    cases=lambda: [
        (integers(n, n + 1, seed=n), integers(k, k, seed=9), stride, padding)
        for n, k, stride, padding in [(5, 3, 2, 1), (6, 3, 2, 1), (7, 5, 3, 2), (8, 3, 1, 2)]
    ],
    hints=[
        "In PyTorch `padding=p` means: p zeros on each of the four sides, whatever the stride.",
        "Build the padded image first, then let the layer use `valid`.",
        "`np.pad(x, padding)` makes it; in Keras it is the layer `ZeroPadding2D(padding)`.",
    ],
    why="`same` and PyTorch's padding often give the same shape, and on even sizes other numbers.",
)
def like_torch(x, kernel, stride, padding):
    """Write `like_torch(x, kernel, stride, padding)`: what `torch.nn.Conv2d` makes of an image.

    `x` is (height, width), `kernel` is (k, k), and the map has two axes. `stride` and `padding`
    are whole numbers, as in `torch.nn.Conv2d(1, 1, k, stride=stride, padding=padding)`.
    """
    return _strided(np.pad(x, padding), kernel, stride, "valid")


def _strided(x, kernel, stride, padding):
    x, kernel = x[None, :, :, None], kernel[:, :, None, None]
    return conv2d(x, kernel, strides=stride, padding=padding)[0, :, :, 0]


@like_torch.mistake(
    means='You used `padding="same"`. Where it pads both sides alike it agrees; elsewhere every '
    "window stands one pixel further, or there are fewer of them."
)
def _same(x, kernel, stride, padding):
    return _strided(x, kernel, stride, "same")


@like_torch.mistake(means="You did not pad, so windows over the border are missing.")
def _valid(x, kernel, stride, padding):
    return _strided(x, kernel, stride, "valid")


@like_torch.mistake(means="You always pad by 1. The amount is the argument `padding`.")
def _by_one(x, kernel, stride, padding):
    return _strided(np.pad(x, 1), kernel, stride, "valid")


@like_torch.mistake(means="You padded, and then `same` padded again. The map is too large.")
def _padded_twice(x, kernel, stride, padding):
    return _strided(np.pad(x, padding), kernel, stride, "same")


@like_torch.mistake(means="Your stride is always 2. It is the argument `stride`.")
def _by_two(x, kernel, stride, padding):
    return _strided(np.pad(x, padding), kernel, 2, "valid")


@like_torch.mistake(means="You turned the kernel round. PyTorch correlates, as Keras does.")
def _flipped(x, kernel, stride, padding):
    return _strided(np.pad(x, padding), kernel[::-1, ::-1], stride, "valid")


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A stride of 4 looks at every fourth place. What lies between should already be mixed in.",
        "Blur over more pixels than the stride jumps; the weights add up to 1.",
        "Equal weights make the calmest kernel of a size. How large must the box be?",
    ],
    why="Blur first, then jump: the fine stripes that would alias are gone before the jump.",
)
def calm_kernel():
    """Find a kernel for stride 4 on the photo `china` that hardly minds a shift by one pixel.

    Moved down or right, the output may change by at most 0.045 of its standard deviation (on
    average), and the weights must add up to 1, so that the photo's mean stays. Give a table.
    """
    return np.ones((5, 5)) / 25


@calm_kernel.measure
def _sensitivity(kernel):
    kernel, grey = as_kernel(kernel), load_photo("china", grey=True)[None, :, :, None]
    if kernel.shape[2:] != (1, 1):
        raise ValueError(f"one table of weights is asked for. Received: shape={kernel.shape}")
    here, down, right = (
        conv2d(photo, kernel, strides=4, implementation="vectorized")
        for photo in (grey[:, :-1, :-1], grey[:, 1:, :-1], grey[:, :-1, 1:])
    )
    moved = max(np.abs(moved - here).mean() for moved in (down, right))
    return {
        "sensitivity": moved / here.std() if here.std() else np.inf,
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
    np.ones((4, 4)) / 16,
    means="Nearly: as wide as the jump is not yet calm, when the photo moves down.",
)
calm_kernel.mistake(
    np.ones((1, 9)) / 9, means="Your blur goes sideways only. The photo also moves down."
)
calm_kernel.mistake(
    np.ones((4, 4)), means="The blur is wide enough, but 16 ones make the photo 16 times as bright."
)
