"""What is true of a wrong result, where no known mistake fits: its form first, then its numbers.

Every rule looks at one expected and one received value and says a sentence or nothing. `diagnose`
gives the first sentence that holds in every case that failed, so that chance does not speak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, combinations, permutations
from typing import Any

import numpy as np

from convlab.exercises._relations import relation
from convlab.exercises._values import (
    Foreign,
    as_set,
    decimals,
    differs,
    is_number,
    is_numeric,
    same,
    shape_of,
)

__all__ = ["diagnose", "misfit"]

Rule = Callable[[Any, Any], str | None]
Pair = tuple[Any, Any]


def diagnose(pairs: Sequence[Pair], *, secret: bool = False, counted: bool = True) -> str:
    """A sentence that is true of every pair of expected and received, or of the first one's shape.

    Parameters
    ----------
    pairs : sequence of (expected, received)
        From the cases that failed; plain values. The first is the one that is shown.
    secret : bool, default False
        Whether the expected value must not be given away.
    counted : bool, default True
        Whether it may be said how many numbers are asked for.

    Returns
    -------
    str
        Empty where no rule fits.

    Examples
    --------
    >>> diagnose([(np.array([1, 2, 3]), np.array([3, 2, 1]))])
    'These are the right numbers in reverse order.'
    >>> diagnose([(np.array([9, 8]), 72)], secret=True)
    'It gives one number; asked for are 2 numbers.'
    """
    pairs = [(one, as_set(other) if _is_set(one) else other) for one, other in pairs]
    return next(filter(None, _sentences(pairs, secret, counted)), "")


def _sentences(pairs: Sequence[Pair], secret: bool, counted: bool) -> Iterator[str]:
    """From the most to the least telling."""
    yield misfit(pairs, counted=counted)
    if secret:
        yield _common(_RIGHT_NUMBERS, pairs)
        yield _of_another_size(pairs, counted)
        yield _common((_rounded,), pairs)
    else:
        yield _common((*_RIGHT_NUMBERS, *_SIZES, _blank), pairs)
    yield _common(_PLACES, pairs)
    yield relation(pairs, secret=secret)
    yield _common(_PARTS if secret else (*_PARTS, _border, _off_by), pairs)
    yield _common((_fraction, _keys) if secret else (_keys,), pairs)
    if not secret:
        yield _common(_RIGHT_NUMBERS + _SIZES, pairs[:1])  # of the case that is shown


def _common(rules: Sequence[Rule], pairs: Sequence[Pair]) -> str:
    """The first sentence that holds in all pairs."""
    for rule in rules:
        sentences = {rule(expected, received) for expected, received in pairs}
        if len(sentences) == 1:
            sentence = sentences.pop()
            if sentence:
                return sentence
    return ""


# --- the form ------------------------------------------------------------------------------------


def misfit(pairs: Sequence[Pair], *, counted: bool = True) -> str:
    """What is wrong with the form of the received values, whatever their numbers.

    Examples
    --------
    >>> misfit([(np.array([3, 4]), ("same", "same"))])
    'It holds text; asked for are numbers.'
    """
    asked = _shared_kind([expected for expected, _ in pairs], counted) or "something else"
    given = _shared_kind([received for _, received in pairs], True)
    rules: tuple[Rule, ...] = (
        _nothing, partial(_foreign, asked=asked), partial(_text_for_number, asked=asked), _uneven,
        partial(_other_kind, asked=asked, given=given), _not_a_number, _entry,
    )  # fmt: skip
    return _common(rules, pairs)


def _shared_kind(values: Sequence[Any], counted: bool) -> str:
    """What all values are, as exactly as one can say of all."""
    for kind in ((_counted_kind,) if counted else ()) + (_kind, _rough_kind):
        kinds = set(map(kind, values))
        if len(kinds) == 1:
            return kinds.pop()
    return ""


def _counted_kind(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 1 and 1 < value.size < 10:
        return f"{value.size} numbers"
    return _kind(value)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim < 3 and value.size > 1:
        return "several numbers" if value.ndim == 1 else "a table of numbers"
    return _rough_kind(value)


def _rough_kind(value: Any) -> str:
    names = {str: "text", dict: "a dict", tuple: "a tuple", type(None): "None"}
    if is_number(value):
        return "one number"
    if isinstance(value, np.ndarray):
        return "an array" if value.size else "an empty list"
    if _is_set(value):
        return "a set"
    return value.description if isinstance(value, Foreign) else names.get(type(value), "a value")


def _is_set(value: Any) -> bool:
    return isinstance(value, frozenset)


def _asked(kind: str) -> str:
    kind = "a list or a set" if kind == "a set" else kind
    return f"asked for {'are' if kind.endswith(' numbers') and kind[:2] != 'a ' else 'is'} {kind}"


def _nothing(expected: Any, received: Any) -> str | None:
    return "It gives `None`. Is a `return` missing?" if received is None else None


def _foreign(expected: Any, received: Any, asked: str) -> str | None:
    if not isinstance(received, Foreign):
        return None
    way_out = ""
    if received.description.endswith("generator"):
        way_out = " Make a list of it: `list(...)`."
    elif received.description == "a coroutine":
        way_out = " Write `def`, not `async def`."
    return f"It gives {received.description}; {_asked(asked)}.{way_out}"


def _text_for_number(expected: Any, received: Any, asked: str) -> str | None:
    if not isinstance(received, str) or not is_numeric(expected):
        return None
    if any(map(str.isdigit, received)):
        return f"It gives text, {_asked(asked)}: leave the quotes out."
    return f"It gives text; {_asked(asked)}."


def _uneven(expected: Any, received: Any) -> str | None:
    """A list that makes no array."""
    if not isinstance(expected, np.ndarray) or not isinstance(received, tuple):
        return None
    if _holds(str, received):
        return "It holds text; asked for are numbers."
    if any(part is None for part in received):
        return "It holds `None`; asked for are numbers."
    shapes = {shape_of(part) for part in received}
    if None in shapes or len(shapes) == 1:
        return "Its rows have different lengths, or hold other things than numbers."
    if all(shape is not None and len(shape) == 1 for shape in shapes):
        return "Its rows have different lengths."
    return "Its parts have different shapes."


def _holds(kind: type, value: Any) -> bool:
    parts = isinstance(value, tuple) and any(_holds(kind, part) for part in value)
    return parts or isinstance(value, kind)


def _other_kind(expected: Any, received: Any, asked: str, given: str) -> str | None:
    if _rough_kind(expected) == _rough_kind(received):
        return None
    if is_number(expected) and shape_of(received) in ((1,), (1, 1)):
        return "It gives a list with one number in it; asked for is the number itself."
    return f"It gives {given or _rough_kind(received)}; {_asked(asked)}."


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
    if "shape" in received and "shape" not in expected:  # what a measure gives up with
        shape = tuple(np.asarray(received["shape"]).tolist())
        given = f"Its shape is {shape}" if shape else "It is one number"
        return f"{given}; the task asks for another shape."
    missing = [key for key in expected if key not in received]
    return f"The dict has no {missing[0]!r}." if missing else None


def _entry(expected: Any, received: Any) -> str | None:
    """An entry of a dict that should be numbers and has another form."""
    if not (isinstance(expected, dict) and isinstance(received, dict)):
        return None
    for key, value in expected.items():
        if is_numeric(value) and key in received:
            if received[key] is None:
                return f"Look at {key!r}. It is `None`; {_asked(_counted_kind(value))}."
            sentence = misfit([(value, received[key])]) or _axis_count(value, received[key])
            if sentence:
                return f"Look at {key!r}. {sentence}"
    return None


# --- the shape -----------------------------------------------------------------------------------


def _shapes(rule: Rule) -> Rule:
    """A rule for two arrays whose shapes differ."""

    def checked(expected: Any, received: Any) -> str | None:
        both = isinstance(expected, np.ndarray) and isinstance(received, np.ndarray)
        return rule(expected, received) if both and expected.shape != received.shape else None

    return checked


def _of_another_size(pairs: Sequence[Pair], counted: bool) -> str:
    """Of a value whose numbers, and perhaps their count, are secret."""
    (expected, received), *_ = pairs
    if not isinstance(expected, np.ndarray) or shape_of(received) in (None, expected.shape):
        return ""
    if counted and expected.ndim == received.ndim == 1:
        return f"It gives {_counted_kind(received)}; {_asked(_counted_kind(expected))}."
    if expected.ndim == received.ndim == 1:
        return "The count of numbers is not right yet, so none is marked."
    return "Its shape is not the right one yet, so no number is marked."


def _transposed(expected: Any, received: Any) -> str | None:
    both = isinstance(expected, np.ndarray) and isinstance(received, np.ndarray)
    if both and expected.ndim == received.ndim == 2 and same(expected, received.T):
        return "These are the right numbers, with rows and columns exchanged."
    return None


@_shapes
def _single_axes(expected: np.ndarray, received: np.ndarray) -> str | None:
    extra = received.ndim - expected.ndim
    if not extra or not same(expected.squeeze(), received.squeeze()):
        return None
    more = "too many" if extra > 0 else "too few"
    return f"The numbers are right; the array has {more} axes of length 1."


@_shapes
def _reordered(expected: np.ndarray, received: np.ndarray) -> str | None:
    if sorted(expected.shape) != sorted(received.shape) or expected.ndim > 5:
        return None
    for order in permutations(range(expected.ndim)):
        if same(expected, received.transpose(order)):
            return "The numbers are right; the axes are in another order."
    return None


@_shapes
def _reshaped(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.size == received.size and same(expected.ravel(), received.ravel()):
        return "The numbers and their order are right, the shape is not."
    return None


_RIGHT_NUMBERS: tuple[Rule, ...] = (_transposed, _single_axes, _reshaped, _reordered)


@_shapes
def _axes_in_other_order(expected: np.ndarray, received: np.ndarray) -> str | None:
    if sorted(expected.shape) != sorted(received.shape):
        return None
    return f"The axes are in another order: {_shapes_told(expected, received)}"


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
def _axis_count(expected: np.ndarray, received: np.ndarray) -> str | None:
    if expected.ndim == received.ndim:
        return None
    return f"It has {_axes(received)}; asked for is an array with {_axes(expected)}."


def _axes(array: np.ndarray) -> str:
    return "1 axis" if array.ndim == 1 else f"{array.ndim} axes"


@_shapes
def _shape(expected: np.ndarray, received: np.ndarray) -> str | None:
    told = _shapes_told(expected, received)
    return told[0].upper() + told[1:]


def _shapes_told(expected: np.ndarray, received: np.ndarray) -> str:
    return f"its shape is {received.shape}; it should be {expected.shape}."


_SIZES: tuple[Rule, ...] = (_axes_in_other_order, _length, _axis_count, _shape)


# --- the places of the numbers -------------------------------------------------------------------


def _arrays(rule: Rule) -> Rule:
    """A rule for two arrays of one shape with at least two different numbers."""

    def checked(expected: Any, received: Any) -> str | None:
        both = isinstance(expected, np.ndarray) and isinstance(received, np.ndarray)
        if not both or expected.shape != received.shape or np.unique(expected).size < 2:
            return None
        return rule(expected, received)

    return checked


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
            if np.unique(one).size > 1 and same(one, other):
                return f"The right numbers stand one place too {word}."
    return None


@_arrays
def _blank(expected: np.ndarray, received: np.ndarray) -> str | None:
    if received.any() or expected.ndim < 2:
        return None
    return "Every number is 0. Is the result written into the array?"


_PLACES: tuple[Rule, ...] = (_flipped, _shifted)


@_arrays
def _shuffled(expected: np.ndarray, received: np.ndarray) -> str | None:
    if same(np.sort(expected, None), np.sort(received, None)):
        return "These are the right numbers in another order."
    return None


@_arrays
def _border(expected: np.ndarray, received: np.ndarray) -> str | None:
    if min(expected.shape) < 3 or expected.ndim > 2:
        return None
    inside = (slice(1, -1),) * expected.ndim
    wrong = differs(expected, received)
    if np.count_nonzero(wrong) < 3:
        return None
    if not wrong[inside].any():
        return "It is right inside and wrong at the border."
    wrong[inside] = False
    return None if wrong.any() else "It is right at the border and wrong inside."


# --- parts and numbers ---------------------------------------------------------------------------


def _parts(expected: Any, received: Any) -> str | None:
    """Which part of a tuple or dict is wrong."""
    if not isinstance(expected, (tuple, dict)) or type(expected) is not type(received):
        return None
    if isinstance(expected, dict) and set(expected) != set(received):
        return None
    if len(expected) != len(received):
        return f"It has {len(received)} parts; asked for are {len(expected)}."
    names = list(expected) if isinstance(expected, dict) else range(len(expected))
    wrong = [name for name in names if not same(expected[name], received[name])]
    labels = [repr(name) if isinstance(name, str) else f"part {name + 1}" for name in wrong]
    if len(wrong) == len(expected):
        return None
    return f"Wrong: {', '.join(labels)}. The rest is right."


def _members(expected: Any, received: Any) -> str | None:
    if not _is_set(expected) or not _is_set(received):
        return None
    extra, missing = received - expected, expected - received
    if extra and missing:
        return _member_form(expected, received) or "Some members are wrong, and some are missing."
    return "Nothing in it is wrong, but something is missing." if missing else "Some are too many."


def _member_form(expected: frozenset[Any], received: frozenset[Any]) -> str | None:
    lengths = {_length_of(member) for member in expected}
    if len(lengths) > 1 or lengths & {_length_of(member) for member in received}:
        return None
    asked = {"text": "text, in quotes", 0: "one number"}
    length = lengths.pop()
    return f"Each member should be {asked.get(length, f'{length} numbers in brackets')}."


def _length_of(member: Any) -> Any:
    if isinstance(member, tuple):
        return len(member)
    return "text" if isinstance(member, str) else 0


_PARTS: tuple[Rule, ...] = (_shuffled, _parts, _members)


def _off_by(expected: Any, received: Any) -> str | None:
    if not (is_number(expected) and is_number(received)):
        return None
    if expected and same(-expected, received):
        return "The sign is the wrong way round."
    if abs(received - expected) == 1:
        return f"It is 1 too {'large' if received > expected else 'small'}."
    return None


def _fraction(expected: Any, received: Any) -> str | None:
    """A part of a window, or of a pixel."""
    few = is_numeric(expected) and is_numeric(received) and np.size(expected) <= 4
    if not few or np.asarray(expected).dtype.kind not in "iu":
        return None
    return "Whole numbers are asked for." if np.any(np.asarray(received) % 1) else None


def _rounded(expected: Any, received: Any) -> str | None:
    """The right numbers with too few digits."""
    if isinstance(expected, dict) and isinstance(received, dict):
        return _measured_of_rounded(expected, received)
    if not is_numeric(expected) or shape_of(expected) != shape_of(received):
        return None
    right, got = np.asarray(expected, float), np.asarray(received, float)
    unit = 10.0 ** -decimals(got)
    written = [np.round(right / unit) * unit, np.trunc(right / unit) * unit]
    near = np.any(np.abs(written - got) < 1e-9, axis=0) & (np.abs(right - got) <= _slight(right))
    return _CLOSE if np.any(right % 1) and near.all() else None


def _measured_of_rounded(expected: dict[str, Any], received: dict[str, Any]) -> str | None:
    """The same, where something was computed from the rounded numbers."""
    if expected.keys() != received.keys():
        return None
    fractional = False
    for key in expected:
        right, got = _read(expected[key]), _read(received[key])
        if not is_numeric(right) or shape_of(right) != shape_of(got):
            return None
        fractional = fractional or bool(np.any(np.asarray(right) % 1))
        if np.any(np.abs(np.subtract(right, got, dtype=float)) > _slight(np.asarray(right))):
            return None
    return _CLOSE if fractional else None


def _slight(right: np.ndarray) -> float:
    return 0.015 * float(np.abs(right).max(initial=0))


def _read(value: Any) -> Any:
    """Numbers that a measure wrote as text."""
    try:
        return np.array(value.split(), float) if isinstance(value, str) else value
    except ValueError:
        return value


_CLOSE = "Close: give more digits, or compute with fractions."
