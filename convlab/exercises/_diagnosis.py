"""What is true of a wrong result, where no known mistake fits: its form first, then its numbers.

Every rule looks at one expected and one received value and says a sentence or nothing. `diagnose`
gives the first sentence that holds in every case that failed, so that chance does not speak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np

from convlab.exercises._values import Foreign, differs, is_number, is_numeric, same, shape_of, shown

__all__ = ["diagnose"]

Rule = Callable[[Any, Any], str | None]
Pair = tuple[Any, Any]


def diagnose(pairs: Sequence[Pair], *, secret: bool = False) -> str:
    """A sentence that is true of every pair of expected and received, or of the first one's shape.

    Parameters
    ----------
    pairs : sequence of (expected, received)
        From the cases that failed; plain values. The first is the one that is shown.
    secret : bool, default False
        Whether the expected value must not be given away.

    Returns
    -------
    str
        Empty where no rule fits.

    Examples
    --------
    >>> diagnose([(np.array([1, 2, 3]), np.array([3, 2, 1]))])
    'These are the right numbers in reverse order.'
    """
    rules = _FORM + _RELATIONS if secret else _FORM + _SIZES + _RELATIONS + _NUMBERS
    for rule in rules:
        sentences = {rule(expected, received) for expected, received in pairs}
        if len(sentences) == 1:
            sentence = sentences.pop()
            if sentence:
                return sentence
    shape = () if secret else (rule(*pairs[0]) for rule in _SIZES)
    return next(filter(None, shape), "")  # of the case that is shown


# --- the form ------------------------------------------------------------------------------------


def _nothing(expected: Any, received: Any) -> str | None:
    return "It gives `None`. Is a `return` missing?" if received is None else None


def _foreign(expected: Any, received: Any) -> str | None:
    if not isinstance(received, Foreign):
        return None
    way_out = ""
    if received.description.endswith("generator"):
        way_out = " Make a list of it: `list(...)`."
    elif received.description == "a coroutine":
        way_out = " Write `def`, not `async def`."
    return f"It gives {received.description}; asked for is {_kind(expected)}.{way_out}"


def _text_for_number(expected: Any, received: Any) -> str | None:
    if isinstance(received, str) and is_numeric(expected):
        return f"It gives text, asked for is {_kind(expected)}: leave the quotes out."
    return None


def _other_kind(expected: Any, received: Any) -> str | None:
    one, other = _kind(expected), _kind(received)
    if one == other:
        return None
    if is_number(expected) and shape_of(received) in ((1,), (1, 1)):
        return "It gives a list with one number in it; asked for is the number itself."
    return f"It gives {other}; asked for is {one}."


def _ragged(expected: Any, received: Any) -> str | None:
    if isinstance(expected, np.ndarray) and isinstance(received, tuple):
        return "Its rows have different lengths, or hold other things than numbers."
    return None


def _kind(value: Any) -> str:
    names = {str: "text", frozenset: "a set", dict: "a dict", tuple: "a tuple", type(None): "None"}
    if is_number(value):
        return "one number"
    if isinstance(value, np.ndarray):
        return "an array"
    return value.description if isinstance(value, Foreign) else names.get(type(value), "a value")


def _not_a_number(expected: Any, received: Any) -> str | None:
    for test, name in ((np.isnan, "NaN, which is no number"), (np.isinf, "infinity")):
        if _any(test, received) and not _any(test, expected):
            return f"It holds {name}. Is something divided by zero?"
    return None


def _any(test: Any, value: Any) -> bool:
    return is_numeric(value) and bool(np.any(test(np.asarray(value))))


def _keys(expected: Any, received: Any) -> str | None:
    if not (isinstance(expected, dict) and isinstance(received, dict)):
        return None
    missing = [key for key in expected if key not in received]
    return f"The dict has no {missing[0]!r}." if missing else None


_FORM: tuple[Rule, ...] = (
    _nothing, _foreign, _text_for_number, _ragged, _other_kind, _not_a_number, _keys,
)  # fmt: skip


# --- the shape -----------------------------------------------------------------------------------


def _shapes(rule: Rule) -> Rule:
    """A rule for two arrays whose shapes differ."""

    def checked(expected: Any, received: Any) -> str | None:
        both = isinstance(expected, np.ndarray) and isinstance(received, np.ndarray)
        return rule(expected, received) if both and expected.shape != received.shape else None

    return checked


@_shapes
def _transposed_shape(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.ndim == 2 and same(expected, received.T):
        return "These are the right numbers, with rows and columns exchanged."
    return None


@_shapes
def _single_axes(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.squeeze().shape != received.squeeze().shape:
        return None
    more = "too many" if received.ndim > expected.ndim else "too few"
    if same(expected.squeeze(), received.squeeze()):
        return f"The numbers are right; the array has {more} axes of length 1."
    return f"The array has {more} axes of length 1."


@_shapes
def _reshaped(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.size == received.size and same(expected.ravel(), received.ravel()):
        return "The numbers and their order are right, the shape is not."
    return None


@_shapes
def _axes_in_other_order(expected: np.ndarray, received: np.ndarray) -> str | None:
    if sorted(expected.shape) == sorted(received.shape):
        return "The shape has the right sizes in another order: are the axes mixed up?"
    return None


@_shapes
def _length(expected: np.ndarray, received: np.ndarray) -> str | None:
    """How many too many, along the one axis that differs (or both, if by the same)."""
    if expected.ndim != received.ndim or expected.ndim > 2:
        return None
    extra = [got - right for right, got in zip(expected.shape, received.shape, strict=True)]
    names = ("number",) if expected.ndim == 1 else ("row", "column")
    parts = [_counted(count, name) for count, name in zip(extra, names, strict=True) if count]
    return f"It has {' and '.join(parts)}."


def _counted(count: int, name: str) -> str:
    plural = "s" if abs(count) > 1 else ""
    return f"{abs(count)} {name}{plural} too {'many' if count > 0 else 'few'}"


@_shapes
def _shape(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.ndim != received.ndim:
        return f"It has {_axes(received)}; asked for is an array with {_axes(expected)}."
    return f"Its shape is {received.shape}; it should be {expected.shape}."


def _axes(array: np.ndarray) -> str:
    return "1 axis" if array.ndim == 1 else f"{array.ndim} axes"


_SIZES: tuple[Rule, ...] = (
    _transposed_shape, _single_axes, _reshaped, _axes_in_other_order, _length, _shape,
)  # fmt: skip


# --- the numbers ---------------------------------------------------------------------------------


def _arrays(rule: Rule) -> Rule:
    """A rule for two arrays of one shape with at least two different numbers."""

    def checked(expected: Any, received: Any) -> str | None:
        both = isinstance(expected, np.ndarray) and isinstance(received, np.ndarray)
        if not both or expected.shape != received.shape or np.unique(expected).size < 2:
            return None
        return rule(expected, received)

    return checked


@_arrays
def _transposed(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.ndim == 2 and expected.shape[0] == expected.shape[1] and same(expected, received.T):
        return "These are the right numbers, with rows and columns exchanged."
    return None


@_arrays
def _flipped(expected: np.ndarray, received: np.ndarray) -> str | None:
    for axes in _choices(range(expected.ndim)):
        if same(expected, np.flip(received, axes)):
            return f"These are the right numbers{_flip_name(axes, expected.ndim)}."
    return None


def _choices(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(items, count) for count in range(1, len(items) + 1))


def _flip_name(axes: tuple[int, ...], ndim: int) -> str:
    if ndim == 1:
        return " in reverse order"
    if ndim > 2:
        return f" in reverse order along axis {' and axis '.join(map(str, axes))}"
    if len(axes) == 2:
        return " turned by 180 degrees"
    return " mirrored left to right" if axes == (1,) else " upside down"


@_arrays
def _shifted(expected: np.ndarray, received: np.ndarray) -> str | None:
    for axis, (late, early) in enumerate((("late", "early"), ("far right", "far left"))):
        if axis >= expected.ndim or expected.shape[axis] < 3 or expected.ndim > 2:
            continue
        if expected.ndim == 2 and axis == 0:
            late, early = "far down", "far up"
        right, got = np.moveaxis(expected, axis, 0), np.moveaxis(received, axis, 0)
        for word, one, other in ((late, right[:-1], got[1:]), (early, right[1:], got[:-1])):
            if same(one, other):
                return f"The right numbers stand one place too {word}."
    return None


@_arrays
def _negated(expected: np.ndarray, received: np.ndarray) -> str | None:
    return "Every sign is the wrong way round." if same(-1 * expected, received) else None


@_arrays
def _cut(expected: np.ndarray, received: np.ndarray) -> str | None:
    if same(np.maximum(expected, 0), received):
        return "What should be negative is 0: values are cut off (clipped, or a ReLU)."
    if same(np.clip(expected, 0, received.max()), received):
        return f"Values are cut off at 0 and at {shown(received.max().item())}."
    if same(np.trunc(expected), received):
        return "The decimals are cut off. Does an array of whole numbers hold the result?"
    if same(np.mod(np.trunc(expected), 256), received):
        return "Values wrap around at 256, as uint8 does. Compute in float."
    return None


@_arrays
def _scaled(expected: np.ndarray, received: np.ndarray) -> str | None:
    difference = received.astype(float) - expected
    if same(difference, np.full(expected.shape, difference.flat[0])):
        size = shown(abs(difference.flat[0].item()))
        return f"Every number is {size} too {'large' if difference.flat[0] > 0 else 'small'}."
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = (received / expected)[expected != 0]
    factor = factors.flat[0].item()
    if np.isfinite(factor) and factor and same(expected * factor, received):
        return f"Every number is {shown(factor)} times the right one."
    return None


@_arrays
def _border(expected: np.ndarray, received: np.ndarray) -> str | None:
    if min(expected.shape) < 3 or expected.ndim > 2:
        return None
    inside = (slice(1, -1),) * expected.ndim
    wrong = differs(expected, received)
    if not wrong[inside].any():
        return "It is right inside and wrong at the border."
    wrong[inside] = False
    return None if wrong.any() else "It is right at the border and wrong inside."


@_arrays
def _shuffled(expected: np.ndarray, received: np.ndarray) -> str | None:
    if same(np.sort(expected, None), np.sort(received, None)):
        return "These are the right numbers in another order."
    return None


def _parts(expected: Any, received: Any) -> str | None:
    """Which part of a tuple or dict is wrong."""
    if not isinstance(expected, (tuple, dict)) or type(expected) is not type(received):
        return None
    if len(expected) != len(received):
        return f"It has {len(received)} parts; asked for are {len(expected)}."
    names = list(expected) if isinstance(expected, dict) else range(len(expected))
    wrong = [name for name in names if not same(expected[name], received[name])]
    labels = [repr(name) if isinstance(name, str) else f"part {name + 1}" for name in wrong]
    right = len(expected) - len(wrong)
    return f"Wrong: {', '.join(labels)}." + (" The rest is right." if right else "")


def _members(expected: Any, received: Any) -> str | None:
    if not isinstance(expected, frozenset) or not isinstance(received, frozenset):
        return None
    extra, missing = received - expected, expected - received
    if extra and missing:
        return "Some members are wrong, and some are missing."
    return "What you have is right, and something is missing." if missing else "Some are too many."


_RELATIONS: tuple[Rule, ...] = (
    _transposed, _flipped, _shifted, _negated, _cut, _scaled, _shuffled, _parts, _members,
)  # fmt: skip


def _off_by(expected: Any, received: Any) -> str | None:
    if not (is_number(expected) and is_number(received)):
        return None
    if expected and same(-expected, received):
        return "The sign is the wrong way round."
    if abs(received - expected) == 1:
        return f"It is one too {'many' if received > expected else 'few'}."
    return None


_NUMBERS: tuple[Rule, ...] = (_border, _off_by)
