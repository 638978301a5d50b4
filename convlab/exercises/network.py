# mypy: allow-untyped-defs, allow-incomplete-defs, no-check-untyped-defs
"""Exercises of the chapter on the article's network."""

from convlab.exercises import exercise

# --- 1 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "A filter has one 5x5 slice for each of the channels that come in. How many come in?",
        "The first convolution makes 32 maps, so a filter has 5 * 5 * 32 weights, and one bias.",
    ],
    why="Neither the image's side nor the dense layer counts: a filter sees channels, not places.",
)
def conv2_parameters():
    """Parameters of the second convolution, 64 filters of 5x5, for images of 28 x 28?"""
    filters, channels = 64, 32
    return (5 * 5 * channels + 1) * filters


conv2_parameters.mistake(51_200, means="You left out the biases: one for each of the 64 filters.")
conv2_parameters.mistake(
    1_664,
    means="You counted one slice for each filter. A filter has a slice for each channel that "
    "comes in, and the first convolution makes 32.",
)
conv2_parameters.mistake(
    52_224,
    means="You gave a bias to each number of the flattened map. A filter has one bias for all "
    "places.",
)
conv2_parameters.mistake(832, means="That is the first convolution.")
conv2_parameters.mistake(
    3_276_800,
    means="That is how many multiply-adds it does. A weight counts once, however often it is used.",
)
conv2_parameters.mistake(
    25_632, means="You took 32 filters. Those are the maps that come in; this layer has 64 filters."
)
conv2_parameters.mistake(
    51_232, means="You exchanged the two numbers: 32 maps come in, 64 filters make 64 maps."
)

# --- 2 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Each weight is used once at every place of the map. How many places has the map?",
        "Without padding, a 5x5 kernel fits in 24 x 24 places.",
        "There are 25 weights for each of 32 filters.",
    ],
    why="Few weights, many places: 800 weights work 576 times each.",
)
def conv1_work():
    """Multiply-adds of the first convolution, 32 filters of 5x5, on one image of 28 x 28?"""
    places = (28 - 5 + 1) ** 2
    return places * 5 * 5 * 32


conv1_work.mistake(
    627_200, means="You took 28 x 28 places, as with `same`. The padding is `valid`."
)
conv1_work.mistake(14_400, means="You counted one filter. There are 32.")
conv1_work.mistake(
    18_432, means="You counted the numbers of the map. Each of them takes 25 multiply-adds."
)
conv1_work.mistake(800, means="Those are the weights. Each is used at every place of the map.")
conv1_work.mistake(479_232, means="You counted the bias too: adding it multiplies nothing.")
conv1_work.mistake(3_276_800, means="That is the second convolution.")

# --- 3 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Follow one axis: a 5x5 kernel takes 4 pixels away, pooling halves.",
        "56, 52, 26, and so on. The last map has 64 channels.",
    ],
    why="The flattened map grows nearly eightfold, and so does the first dense layer.",
)
def flattened():
    """How many numbers does `Flatten` hand on, for images of 56 x 56?"""
    side = 56
    for _ in range(2):
        side = (side - 4) // 2
    return side * side * 64


flattened.mistake(
    4_096,
    means="You doubled the 4 of an image of 28. The 4 pixels that each kernel takes away do not "
    "double.",
)
flattened.mistake(2_048, means="You doubled the length. Both axes grow.")
flattened.mistake(
    12_544, means="You halved twice and forgot that `valid` takes 4 pixels away each time."
)
flattened.mistake(121, means="You counted the places. Each has 64 channels.")
flattened.mistake(1_024, means="That is the length for images of 28 x 28.")
flattened.mistake(30_976, means="You left out the second pooling.")
flattened.mistake(36_864, means="You left out the first pooling.")

# --- 4 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "With which weights is the first batch judged, and with which the last?",
        "The test images are judged after the epoch, when the learning of all batches is done.",
    ],
    why="Measured again after the epoch, the training images would score like the test images.",
)
def first_epoch():
    """Training .499, test .853 after one epoch: because of (a), (b), (c) or (d)?"""
    return "c"


first_epoch.mistake(
    "a",
    means="Both parts come from the same shuffled pile. Measure the training images again after "
    "the epoch, and they score as well.",
)
first_epoch.mistake(
    "b", means="Overfitting is the other way round: better on the images that it has seen."
)
first_epoch.mistake(
    "d", means="Dropout would have this effect, a little. This network has no such layer."
)

# --- 5 -------------------------------------------------------------------------------------------


@exercise(
    hints=[
        "Where would the loss of a network lie that knows nothing?",
        "The logarithm of 10 is 2.3. What must a network say to pay 14.4?",
        "It must be quite sure, and wrong nine times in ten. What makes a softmax that sure?",
    ],
    why="0.9 times 16.1: nine wrong answers in ten, each given with full confidence.",
)
def stuck():
    """A loss that stays at 14.4, with ten classes: because of (a), (b), (c) or (d)?"""
    return "d"


stuck.mistake("a", means="Too small a rate leaves the loss where it began: near 2.3, not at 14.4.")
stuck.mistake("b", means="There the gradient is 0. More epochs of no change change nothing.")
stuck.mistake(
    "c", means="With shuffled labels there is nothing to learn, and the loss stays near 2.3."
)

# --- 6 -------------------------------------------------------------------------------------------


@exercise(
    cases=[
        (1.0, [2.0], 0.5, 0.5),
        (0.0, [1.0, 1.0], 0.5, 0.5),
        (3.0, [1.0, -2.0, 4.0], 0.25, 0.75),
        (-1.0, [0.5, 0.5, 0.5, 0.5, 0.5], 0.01, 0.9),
        (2.0, [1.0, 3.0, 2.0], 0.1, 0.0),
    ],
    hints=[
        "Keep `v` from step to step. It starts at 0, before the loop.",
        "Each step: `v = momentum * v - learning_rate * gradient`, then the weight moves by `v`.",
    ],
    why="`optimizers.SGD(learning_rate, momentum)` does this to each weight of a network.",
)
def momentum(weight, gradients, learning_rate, momentum):
    """Write `momentum(weight, gradients, learning_rate, momentum)`: the weight after all steps."""
    v = 0.0
    for gradient in gradients:
        v = momentum * v - learning_rate * gradient
        weight = weight + v
    return weight


@momentum.mistake(means="You went uphill: the step points against the gradient.")
def _uphill(weight, gradients, learning_rate, momentum):
    v = 0.0
    for gradient in gradients:
        v = momentum * v + learning_rate * gradient
        weight = weight + v
    return weight


@momentum.mistake(means="You forgot `v` between the steps: that is plain descent.")
def _plain(weight, gradients, learning_rate, momentum):
    return weight - learning_rate * sum(gradients)


@momentum.mistake(
    means="You weighted the new gradient with `1 - momentum`. Here it counts in full, so the step "
    "can grow."
)
def _mean(weight, gradients, learning_rate, momentum):
    v = 0.0
    for gradient in gradients:
        v = momentum * v - (1 - momentum) * learning_rate * gradient
        weight = weight + v
    return weight


@momentum.mistake(means="You moved the weight by the old `v`, before the new gradient was in it.")
def _late(weight, gradients, learning_rate, momentum):
    v = 0.0
    for gradient in gradients:
        weight = weight + v
        v = momentum * v - learning_rate * gradient
    return weight


@momentum.mistake(means="You looked ahead by one step: that is `nesterov=True`.")
def _nesterov(weight, gradients, learning_rate, momentum):
    v = 0.0
    for gradient in gradients:
        v = momentum * v - learning_rate * gradient
        weight = weight + momentum * v - learning_rate * gradient
    return weight


@momentum.mistake(means="You kept the last step alone: every step moves the weight.")
def _last_only(weight, gradients, learning_rate, momentum):
    v = 0.0
    for gradient in gradients:
        v = momentum * v - learning_rate * gradient
    return weight + v
