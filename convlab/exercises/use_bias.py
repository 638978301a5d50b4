# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on use_bias."""

import itertools

import numpy as np

from convlab.exercises import exercise, integers
from convlab.functional import conv2d

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "How many pixels of the image lie under the window at each of the three places?",
        "Four, six and nine pixels, each worth 2. The bias comes once.",
    ],
    why="The sum shrinks towards the border, the bias does not: it is added once to every cell.",
)
def three_places():
    """4x4 pixels of 2, a 3x3 kernel of ones, `same`, bias 3: cells (corner, edge, inside)?"""
    image, kernel = np.full((1, 4, 4, 1), 2), np.ones((3, 3, 1, 1), int)
    cells = conv2d(image, kernel, np.array([3]), padding="same")[0, :, :, 0]
    return cells[0, 0], cells[0, 1], cells[1, 1]


three_places.mistake((8, 12, 18), means="You left the bias out.")
three_places.mistake(
    (5, 7, 10),
    means="That is the chapter's example, pixels of 1 and a bias of 1. Here they differ.",
)
three_places.mistake(
    (20, 30, 45), means="You added the bias to every pixel under the window. It comes once."
)
three_places.mistake(
    (35, 39, 45), means="You added the bias nine times, once for each weight. It comes once."
)
three_places.mistake(
    (21, 21, 21),
    means="You took nine pixels everywhere. At the border, some of the nine are padding, and 0.",
)
three_places.mistake((7, 9, 12), means="You counted pixels. Each of them is 2.")
three_places.mistake((4, 6, 9), means="You counted pixels. Each of them is 2, and a bias comes in.")
three_places.mistake(
    (24, 36, 54), means="You multiplied by the bias. It is added, when the products are summed up."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Begin with one cell of the first layer: three times the pixels, three times each product.",
        "A ReLU of three times a number is three times the ReLU of it. Go on layer by layer.",
    ],
    why="f(cx) = c f(x) for c at or above 0. For f(-x) there is no such rule: the ReLU sees to it.",
)
def three_times():
    """A ReLU network without biases says [2, -1] to an image: what to three times the image?"""
    return 3 * np.array([2, -1])


three_times.mistake(
    [2, -1], means="You took the answer for normalized. Nothing in this network divides."
)
three_times.mistake(
    [6, 0], means="You put a ReLU behind the last layer. It already said -1, so there is none."
)
three_times.mistake(
    [6, -1], means="You multiplied the positive number only. The last layer has no ReLU."
)
three_times.mistake([5, 2], means="You added 3. The image is multiplied, and so is every sum.")
three_times.mistake([-6, 3], means="You turned the sign as well.")
three_times.mistake(
    [54, -27],
    means="You multiplied once per layer. The factor goes through them all and stays the same.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Kernel: height times width times channels times filters, and no bias.",
        "The normalization has four numbers for each filter. Two are learned, two are measured.",
    ],
    why="The shift of the normalization does the work of the bias: 64 numbers instead of 128.",
)
def learned():
    """How many numbers learn in `Conv2D(64, 3, use_bias=False)` on 32 channels, then a BN?"""
    kernel = 3 * 3 * 32 * 64
    scale_and_shift = 2 * 64
    return kernel + scale_and_shift


learned.mistake(18688, means="You counted the means and variances. They are measured, not learned.")
learned.mistake(18624, means="You counted a bias of the convolution. It has none here.")
learned.mistake(18752, means="That is all there could be, with a bias and what is measured.")
learned.mistake(18432, means="You forgot what the normalization learns: a scale and a shift.")
learned.mistake(18496, means="That is the convolution with its bias, and no normalization.")

# --- 4 -------------------------------------------------------------------------------------------


def _case(seed, shape, epsilon=0.001):
    rng = np.random.default_rng(seed)
    kernel = integers(*shape, seed=seed)
    gamma, beta, bias, mean = rng.integers(1, 9, (4, shape[-1])) / 2
    return kernel, bias, gamma, beta, mean, rng.integers(1, 9, shape[-1]) / 4, epsilon


@exercise(
    cases=[
        (np.array([[[[3.0]]]]), [4.0], [2.0], [1.0], [3.0], [1.0], 0.0),
        _case(1, (1, 2, 1, 2)),
        _case(2, (2, 2, 3, 3)),
        _case(3, (1, 3, 2, 4), 0.25),
    ],
    hints=[
        "Write what the pair computes: `gamma * (conv + bias - mean) / s + beta`. Which part "
        "multiplies the pixels, and which does not?",
        "`s` is the root of `variance + epsilon`. Let `scale = gamma / s`.",
        "The kernel is multiplied by `scale`, along its last axis. The bias becomes "
        "`beta + scale * (bias - mean)`.",
    ],
    why="Folded networks are how normalization is shipped: same answers, one layer less.",
)
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    """Write `fold(kernel, bias, gamma, beta, mean, variance, epsilon)`: (kernel, bias) of one."""
    scale = np.asarray(gamma) / np.sqrt(np.asarray(variance) + epsilon)
    return kernel * scale, beta + scale * (np.asarray(bias) - mean)


def _parts(gamma, variance, epsilon):
    gamma, variance = np.asarray(gamma), np.asarray(variance)
    return gamma / np.sqrt(variance + epsilon), gamma, variance


@fold.mistake(means="You did not scale the mean: it is subtracted before the scale is applied.")
def _mean_not_scaled(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale, _, _ = _parts(gamma, variance, epsilon)
    return kernel * scale, beta + scale * np.asarray(bias) - mean


@fold.mistake(means="You forgot the bias that the convolution had.")
def _old_bias_lost(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale, _, _ = _parts(gamma, variance, epsilon)
    return kernel * scale, beta - scale * np.asarray(mean)


@fold.mistake(means="You added the mean. A normalization subtracts it.")
def _mean_added(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale, _, _ = _parts(gamma, variance, epsilon)
    return kernel * scale, beta + scale * (np.asarray(bias) + mean)


@fold.mistake(means="Your kernel is the old one. The scale belongs to it, too.")
def _kernel_not_scaled(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale, _, _ = _parts(gamma, variance, epsilon)
    return np.asarray(kernel), beta + scale * (np.asarray(bias) - mean)


@fold.mistake(means="You left `epsilon` out. It is added to the variance, under the root.")
def _no_epsilon(kernel, bias, gamma, beta, mean, variance, epsilon):
    return fold.solution(kernel, bias, gamma, beta, mean, variance, 0)


@fold.mistake(means="You added `epsilon` behind the root. It stands under the root.")
def _epsilon_outside(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = np.asarray(gamma) / (np.sqrt(variance) + epsilon)
    return kernel * scale, beta + scale * (np.asarray(bias) - mean)


@fold.mistake(means="You divided by the variance. A normalization divides by its root.")
def _no_root(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = np.asarray(gamma) / (np.asarray(variance) + epsilon)
    return kernel * scale, beta + scale * (np.asarray(bias) - mean)


@fold.mistake(means="You left the mean out: it is subtracted from the bias.")
def _no_mean(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale, _, _ = _parts(gamma, variance, epsilon)
    return kernel * scale, beta + scale * np.asarray(bias)


@fold.mistake(means="You left `gamma` out. It scales the kernel, and the bias with it.")
def _no_gamma(kernel, bias, gamma, beta, mean, variance, epsilon):
    return fold.solution(kernel, bias, np.ones(len(gamma)), beta, mean, variance, epsilon)


@fold.mistake(means="You left `beta` out. It is added at the end.")
def _no_beta(kernel, bias, gamma, beta, mean, variance, epsilon):
    return fold.solution(kernel, bias, gamma, np.zeros(len(beta)), mean, variance, epsilon)


# --- 5, open -------------------------------------------------------------------------------------


@exercise(
    hints=[
        "With a kernel of ones, the sum counts the pixels that are 1.",
        "Nine must be above 0 behind the ReLU, and eight must not.",
        "The bias may be any number from -9, not included, to -8.",
    ],
    why="Without a bias nobody can do it: each weight would have to outweigh the sum of all nine.",
)
def all_nine():
    """Find (kernel, bias): with a ReLU above 0 where all nine pixels are 1, else 0."""
    return np.ones((3, 3)), -8


_WINDOWS = np.array(list(itertools.product((0, 1), repeat=9)))


@all_nine.measure
def _spoken(layer):
    kernel, bias = layer
    if np.shape(kernel) != (3, 3):
        raise ValueError(f"the kernel must be 3x3. Received: shape {np.shape(kernel)}")
    if np.ndim(bias) != 0:
        raise ValueError(f"the bias must be a number. Received: shape {np.shape(bias)}")
    cells = np.maximum(_WINDOWS @ np.ravel(np.asarray(kernel, float)) + bias, 0)
    return {"cell at nine ones": cells[-1], "other windows above 0": int((cells[:-1] > 0).sum())}


@all_nine.judge
def _speaks_at_nine_alone(measured):
    if not measured["cell at nine ones"] > 0:
        return "The layer is silent where all nine pixels are 1."
    if measured["other windows above 0"]:
        return "The layer speaks where a pixel is missing."
    return None


all_nine.mistake(
    (np.ones((3, 3)), 0),
    means="Without a threshold a single pixel is enough. Eight must not be enough.",
)
all_nine.mistake(
    (np.ones((3, 3)), -9),
    means="Nine pixels reach the threshold, but do not pass it: they end at 0, not above.",
)
all_nine.mistake(
    (np.ones((3, 3)), -7), means="Eight pixels reach 8, which passes this threshold of 7."
)
all_nine.mistake((np.ones((3, 3)), 8), means="You turned the sign: a threshold of 8 is a bias -8.")
