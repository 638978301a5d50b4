# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on the limits of a machine."""

from convlab.exercises import exercise
from convlab.geometry import Geometry

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Take one pixel. How many multiply-adds does a 1x1 layer do there, and how many flop?",
        "64 * 64 multiply-adds: 8,192 flop. Which numbers are read and written for that pixel?",
        "64 numbers come in and 64 go out, at 4 bytes each.",
    ],
    why="In general: a quarter of the channels. A thin 1x1 layer is bound by memory.",
)
def one_by_one():
    """A 1x1 layer, 64 channels to 64 filters: how many flop for each byte?

    The map is so large that the weights do not count.
    """
    return 2 * 64 * 64 / (4 * (64 + 64))


one_by_one.mistake(32, means="You left out the output. Its 64 numbers have to be written, too.")
one_by_one.mistake(
    8, means="You counted a multiply-add as one operation. It is two: a product and a sum."
)
one_by_one.mistake(
    2 * 64 * 64 / (4 * (64 * 64 + 2 * 64)),
    means="You fetched the weights for this pixel alone. All pixels share them, so they do not "
    "count.",
)
one_by_one.mistake(64, means="You divided by numbers, not by bytes. A float32 takes 4 bytes.")
one_by_one.mistake(0.0625, means="That is bytes for each flop. The intensity is the other way up.")
one_by_one.mistake(
    0.25, means="You counted one filter. Each of the 64 filters reads the same 64 numbers."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "At how many flop/byte do the two limits of this machine meet?",
        "120 / 40 = 3 flop/byte. What happens to a layer with fewer?",
    ],
    why="Bound by what is never a fact about a layer alone: the machine has its say.",
)
def bound_by_memory():
    """120 GFLOP/s, 40 GB/s: which layers are bound by memory?

    Their flop/byte: `"3x3"` 141, `"1x1"` 16, `"photo"` 6.25, `"depthwise"` 2.25, `"relu"` 0.125.
    Give a set of names.
    """
    layers = {"3x3": 141, "1x1": 16, "photo": 6.25, "depthwise": 2.25, "relu": 0.125}
    ridge = 120 / 40
    return {name for name, intensity in layers.items() if intensity < ridge}


bound_by_memory.mistake(
    {"1x1", "photo", "depthwise", "relu"},
    means="You took the ridge of the chapter's machine, 20. This one has its own: 120 / 40.",
)
bound_by_memory.mistake(
    {"relu"}, means="You divided 40 by 120. The ridge is operations for each byte: peak first."
)
bound_by_memory.mistake(
    {"3x3", "1x1", "photo"},
    means="Those do so much with each byte that they wait for the arithmetic. The rest waits.",
)
bound_by_memory.mistake(
    {"photo", "depthwise", "relu"},
    means="6.25 flop/byte times 40 GB/s is 250 GFLOP/s, more than the machine can do: its "
    "arithmetic is the limit there.",
)

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Two limits hold at once. What does each of them allow?",
        "24 GB arrive in a second, and each byte brings 2.5 flop of work.",
    ],
    why="60 of 480: one eighth of the peak, and nothing can be done about it but to move less.",
)
def attainable():
    """480 GFLOP/s, 24 GB/s, and a layer of 2.5 flop/byte: how many GFLOP/s at best?"""
    return min(480, 2.5 * 24)


attainable.mistake(
    480, means="That is the peak. At 2.5 flop/byte the numbers do not arrive fast enough for it."
)
attainable.mistake(
    9.6, means="You divided 24 by 2.5. Each of the 24 gigabytes brings 2.5 gigaflop of work."
)
attainable.mistake(
    192, means="You divided the peak by the intensity: that is the bandwidth the peak would need."
)
attainable.mistake(
    60e9, means="That is right, in flop/s. Asked are GFLOP/s: a billion of them each."
)
attainable.mistake(20, means="That is the ridge, in flop/byte. Asked is a rate, in GFLOP/s.")
attainable.mistake(
    540, means="You added the two limits. Both hold at once, so the lower one counts."
)

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "No multiplication, three comparisons for each output: this layer waits for memory.",
        "Bytes read: 32 * 112 * 112 * 64 * 4. Bytes written: a quarter of that.",
        "102.8 MB and 25.7 MB, at 24,000 MB in a second.",
    ],
    why="No program can be faster on that machine, in any language, unless the input is in cache.",
    tolerance=0.006,
)
def pooling_milliseconds():
    """Max pooling 2x2 of 32 images, 112x112 with 64 channels, at 24 GB/s: milliseconds at least?"""
    layer = Geometry.pool2d((32, 112, 112, 64), 2)
    return 1e3 * (layer.input_bytes() + layer.output_bytes()) / 24e9


pooling_milliseconds.mistake(
    1e3 * 102_760_448 / 24e9, means="You left out the output. It has to be written, too."
)
pooling_milliseconds.mistake(
    1e3 * 25_690_112 / 24e9, means="You left out the input. Every pixel has to be read."
)
pooling_milliseconds.mistake(
    1e3 * 128_450_560 / 4 / 24e9, means="You counted numbers. Each takes 4 bytes."
)
pooling_milliseconds.mistake(
    1e3 * 2 * 128_450_560 / 24e9, means="You took 8 bytes for a number: that is float64."
)
pooling_milliseconds.mistake(
    1e3 * 128_450_560 / 32 / 24e9, means="That is one image. There are 32 of them."
)
pooling_milliseconds.mistake(
    128_450_560 / 24e9, means="Those are seconds. A second has 1,000 milliseconds."
)
pooling_milliseconds.mistake(
    1e3 * 2 * 102_760_448 / 24e9,
    means="You wrote an output as large as the input. Pooling 2x2 leaves a quarter.",
)

# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "With a batch of B: 2 * B * 512 * 256 flop. Which bytes grow with B, and which do not?",
        "Bytes: 4 * (512 * B + 512 * 256 + 256 * B). Set flop / bytes = 20.",
        "Solve 262,144 * B = 20 * 4 * (768 * B + 131,072), and round up.",
    ],
    why="One image reads all weights for two flop each. 53 images read them once together.",
)
def batch():
    """From which batch on does Dense(256) on 512 numbers have at least 20 flop/byte?

    Count the inputs, the weights (no bias) and the outputs, each once, at 4 bytes.
    """
    return -(-20 * 4 * 512 * 256 // (2 * 512 * 256 - 20 * 4 * (512 + 256)))


batch.mistake(
    40, means="You counted the weights' bytes alone. Inputs and outputs grow with the batch."
)
batch.mistake(52, means="You rounded down: at 52 the intensity is still a little under 20.")
batch.mistake(151, means="You counted a multiply-add as one operation. It is a product and a sum.")
batch.mistake(11, means="You counted numbers, not bytes. Each takes 4 bytes.")
batch.mistake(48, means="You left out the outputs' bytes: 256 numbers for each image.")
batch.mistake(44, means="You left out the inputs' bytes: 512 numbers for each image.")

# --- 6 -------------------------------------------------------------------------------------------


def _machines():
    """What bounds: memory, arithmetic, a cache with less traffic per second, a tie of sizes."""
    speeds = {"memory": 20e9, "cache": 200e9}
    return [
        (1e9, 100e9, {"memory": 1e9}, {"memory": 20e9}),
        (8e9, 100e9, {"memory": 1e9}, {"memory": 20e9}),
        (1e9, 100e9, {"memory": 1e9, "cache": 4e9}, speeds),
        (1e9, 100e9, {"memory": 1e9, "cache": 30e9}, speeds),
        (40e9, 100e9, {"memory": 2e9, "cache": 10e9}, speeds),
        (2e9, 400e9, {"cache": 9e9, "memory": 1e8}, speeds),
    ]


@exercise(
    cases=_machines,
    hints=[
        "How many seconds would each part need, if it were alone?",
        "They work at the same time. So which of these times is that of the whole?",
        'Collect `{"arithmetic": flop / peak}` and one entry `traffic[level] / bandwidth[level]` '
        "for each level; then `max(seconds, key=seconds.get)`.",
    ],
    why="A roof for each level of memory: the lowest one over the layer is its limit.",
)
def bottleneck(flop, peak, traffic, bandwidth):
    """Write `bottleneck(flop, peak, traffic, bandwidth)`: what bounds a layer, and its seconds.

    `traffic` says how many bytes pass through each level of memory, by name, and `bandwidth` how
    many bytes a second each can pass. Return a pair: `"arithmetic"` or the name of a level, and
    the time at least.
    """
    seconds = {level: count / bandwidth[level] for level, count in traffic.items()}
    seconds["arithmetic"] = flop / peak
    longest = max(seconds, key=seconds.get)
    return longest, seconds[longest]


def _seconds(flop, peak, traffic, bandwidth):
    levels = {level: count / bandwidth[level] for level, count in traffic.items()}
    return {**levels, "arithmetic": flop / peak}


@bottleneck.mistake(
    means="You added the times. The parts work at the same time, so the longest one counts."
)
def _added(flop, peak, traffic, bandwidth):
    seconds = _seconds(flop, peak, traffic, bandwidth)
    return max(seconds, key=seconds.get), sum(seconds.values())


@bottleneck.mistake(
    means="You took the shortest time. The others are not done by then: the longest one counts."
)
def _shortest(flop, peak, traffic, bandwidth):
    seconds = _seconds(flop, peak, traffic, bandwidth)
    return min(seconds.items(), key=lambda item: item[1])


@bottleneck.mistake(
    means="You took the level with the most bytes. A fast cache passes many bytes in little time: "
    "compare seconds."
)
def _most_bytes(flop, peak, traffic, bandwidth):
    seconds = _seconds(flop, peak, traffic, bandwidth)
    level = max(traffic, key=traffic.get)
    longest = level if seconds[level] > seconds["arithmetic"] else "arithmetic"
    return longest, seconds[longest]


@bottleneck.mistake(
    means="You took the slowest level of memory, whatever passes through it. A fast one with much "
    "traffic can take longer."
)
def _slowest_level(flop, peak, traffic, bandwidth):
    seconds = _seconds(flop, peak, traffic, bandwidth)
    level = min(traffic, key=bandwidth.get)
    longest = level if seconds[level] > seconds["arithmetic"] else "arithmetic"
    return longest, seconds[longest]


@bottleneck.mistake(means="You left out the arithmetic: `flop / peak` seconds are a limit, too.")
def _memory_alone(flop, peak, traffic, bandwidth):
    seconds = _seconds(flop, peak, traffic, bandwidth)
    level = max(traffic, key=seconds.get)
    return level, seconds[level]


@bottleneck.mistake(means="The name is right, and it comes first: return `(name, seconds)`.")
def _turned(flop, peak, traffic, bandwidth):
    return bottleneck.solution(flop, peak, traffic, bandwidth)[::-1]
