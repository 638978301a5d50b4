"""Read layers from text: ``Conv2D(32, 3)`` becomes a name and its arguments.

The text is parsed and never run. Python's own parser makes a tree of it; from the tree only
layer calls are taken, and from a call only written-out values.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 10_000
MAX_BRACKETS = 20
MAX_LAYERS = 200
MAX_NUMBER = 1_000_000

EXPECTED = "Write layers as in Keras, for example Conv2D(32, (3, 3), strides=2, padding='same')."
PREFIXES = {"convlab", "keras", "layers", "tensorflow", "tf"}

_WEIGHTS = (
    "kernel_initializer bias_initializer kernel_regularizer bias_regularizer "
    "activity_regularizer kernel_constraint bias_constraint"
)
_POOLING = "pool_size strides padding data_format"

# Keras's arguments, in Keras's order; those marked ! have no default.
SIGNATURES = {
    "Conv2D": "filters! kernel_size! strides padding data_format dilation_rate groups activation "
    f"use_bias {_WEIGHTS}",
    "DepthwiseConv2D": "kernel_size! strides padding depth_multiplier data_format dilation_rate "
    f"activation use_bias {_WEIGHTS.replace('kernel', 'depthwise')}",
    "MaxPooling2D": _POOLING,
    "AveragePooling2D": _POOLING,
    "GlobalMaxPooling2D": "data_format keepdims",
    "GlobalAveragePooling2D": "data_format keepdims",
    "Flatten": "data_format",
    "Dense": f"units! activation use_bias {_WEIGHTS}",
    "Activation": "activation!",
    "Dropout": "rate! noise_shape seed",
    "Input": "shape! batch_size dtype sparse batch_shape",
}
ALIASES = {"Convolution2D": "Conv2D", "MaxPool2D": "MaxPooling2D", "AvgPool2D": "AveragePooling2D"}
EVERY_LAYER = ("name", "trainable", "dtype", "autocast", "input_shape")


@dataclass(frozen=True)
class LayerCall:
    """One layer as it was written.

    Attributes
    ----------
    name : str
        Keras's name of the layer, without prefix or alias.
    arguments : dict
        Argument name to syntax tree, in the order they were written.
    text : str
        The call, as written.
    source : str
        The whole text that the call stands in.
    """

    name: str
    arguments: dict[str, ast.expr]
    text: str
    source: str

    def written(self, argument: str) -> str:
        """Return ``"strides=2"`` as the call has it."""
        return f"{argument}={_segment(self.source, self.arguments[argument])}"

    def value(self, argument: str) -> object:
        """Return the value of an argument that must be written out as numbers or text."""
        try:
            return _literal(self.arguments[argument])
        except ValueError as error:
            rule = f"`{argument}` must be {error}."
            raise ValueError(f"{rule} Received: {_short(self.written(argument))}.") from None


def read_layers(text: str) -> list[LayerCall]:
    """Read the layers that a text calls.

    Parameters
    ----------
    text : str
        One or more calls, between semicolons, commas or new lines. A list, ``Sequential([...])``
        and ``model.add(...)`` around them, and imports before them, are looked through.

    Returns
    -------
    list of LayerCall

    Raises
    ------
    ValueError
        Where the text is anything else.

    Examples
    --------
    >>> [call.name for call in read_layers("layers.Conv2D(32, 3); MaxPool2D(2)")]
    ['Conv2D', 'MaxPooling2D']
    """
    tree = _parse(text)
    calls = [_layer_call(node, text) for statement in tree.body for node in _nodes(statement, text)]
    if not calls:
        raise ValueError(f"{EXPECTED} Received: no layer.")
    if len(calls) > MAX_LAYERS:
        raise ValueError(f"At most {MAX_LAYERS} layers are read. Received: {len(calls)} layers.")
    return calls


def _parse(text: str) -> ast.Module:
    _check_size(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in text that is never run
            return ast.parse(text)
    except SyntaxError as error:
        place = f" ({error.msg}, line {error.lineno}, column {error.offset})"
    except (ValueError, MemoryError, RecursionError):
        place = ""
    raise ValueError(f"{EXPECTED} Received: {_short(text)}, which cannot be read{place}.")


def _check_size(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"At most {MAX_CHARACTERS:,} characters are read. Received: {len(text):,} characters."
        )
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_BRACKETS:
        raise ValueError(
            f"At most {MAX_BRACKETS} brackets may be open at once. Received: {deepest} open ones."
        )


def _nodes(node: ast.AST, text: str) -> Iterator[ast.Call]:
    """Yield the layer calls in a statement, without what may stand around them."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return
    if isinstance(node, (ast.Expr, ast.Assign)):
        yield from _nodes(node.value, text)
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _nodes(element, text)
    elif not isinstance(node, ast.Call) or isinstance(node.func, ast.Call):
        way_out = " Leave out what the layer is called on." if isinstance(node, ast.Call) else ""
        raise ValueError(f"{EXPECTED} Received: {_short(_segment(text, node))}.{way_out}")
    elif _dotted(node.func)[-1:] in (["Sequential"], ["add"]):
        for element in _contents(node, text):
            yield from _nodes(element, text)
    else:
        yield node


def _contents(node: ast.Call, text: str) -> Iterator[ast.expr]:
    """Yield what ``Sequential(...)`` or ``model.add(...)`` is given."""
    yield from node.args
    for keyword in node.keywords:
        if keyword.arg in ("layers", "layer"):
            yield keyword.value
        elif keyword.arg != "name":
            raise ValueError(
                "`add` and `Sequential` take layers only. "
                f"Received: {_short(_segment(text, keyword))}. Give the argument to the layer."
            )


def _layer_call(node: ast.Call, text: str) -> LayerCall:
    name = _layer_name(_dotted(node.func), _segment(text, node))
    written = _segment(text, node)
    return LayerCall(name, _bind(name, node, text), " ".join(written.split()), text)


def _layer_name(parts: list[str], written: str) -> str:
    name = ALIASES.get(parts[-1], parts[-1]) if parts else ""
    if name in SIGNATURES and set(parts[:-1]) <= PREFIXES:
        return name
    near = _nearest(name, [*SIGNATURES, *ALIASES])
    known = ", ".join(SIGNATURES)
    way_out = f"Did you mean {near}?" if near and near != name else f"Layers known here: {known}."
    raise ValueError(f"{EXPECTED} Received: {_short(written)}. {way_out}")


def _bind(name: str, node: ast.Call, text: str) -> dict[str, ast.expr]:
    """Match what was written with Keras's argument names."""
    order = SIGNATURES[name].replace("!", "").split()
    if len(node.args) > len(order):
        raise ValueError(
            f"`{name}` takes at most {len(order)} arguments without a name: {', '.join(order)}. "
            f"Received: {len(node.args)} arguments."
        )
    bound: dict[str, ast.expr] = dict(zip(order, node.args, strict=False))
    for keyword in node.keywords:
        argument = keyword.arg or "**"
        received = f"Received: {_short(_segment(text, keyword))}."
        if argument in bound:
            raise ValueError(f"`{name}` takes `{argument}` once. {received} It came before.")
        if argument not in (*order, *EVERY_LAYER):
            raise ValueError(
                f"`{name}` has no argument `{argument}`. {received} {_advice(argument, order)}"
            )
        bound[argument] = keyword.value
    _check_harmless(bound, text)
    _check_complete(name, bound, _segment(text, node))
    return bound


def _advice(argument: str, order: list[str]) -> str:
    near = _nearest(argument, [*order, *EVERY_LAYER])
    return f"Did you mean `{near}`?" if near else f"Its arguments: {', '.join(order)}."


def _check_harmless(bound: dict[str, ast.expr], text: str) -> None:
    for argument, value in bound.items():
        if not _is_harmless(value):
            received = _short(f"{argument}={_segment(text, value)}")
            raise ValueError(
                f"`{argument}` must be written out as numbers or text. Received: {received}."
            )


def _check_complete(name: str, bound: dict[str, ast.expr], written: str) -> None:
    needed = [word[:-1] for word in SIGNATURES[name].split() if word.endswith("!")]
    for argument in needed:
        if argument not in bound:
            raise ValueError(
                f"`{name}` needs `{argument}`. Received: {_short(written)}. {EXPECTED}"
            )


def _is_harmless(node: ast.expr) -> bool:
    """Whether a value may be passed over: a literal, a name, or a call of a name with such."""
    if isinstance(node, ast.Call):
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        return _is_public_name(node.func) and all(map(_is_harmless, values))
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _is_public_name(node)
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(map(_is_harmless, node.elts))
    return _is_number_or_text(node)


def _is_public_name(node: ast.expr) -> bool:
    parts = _dotted(node)
    return bool(parts) and not any(part.startswith("_") for part in parts)


def _is_number_or_text(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
        return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
    kinds = (bool, int, float, str, type(None))
    return isinstance(node, ast.Constant) and isinstance(node.value, kinds)


def _literal(node: ast.expr) -> object:
    if isinstance(node, (ast.Tuple, ast.List)):
        return tuple(_literal(element) for element in node.elts)
    if not _is_number_or_text(node):
        raise ValueError("written out as numbers or text")
    if isinstance(node, ast.UnaryOp):
        return -_literal(node.operand)  # type: ignore[operator]
    assert isinstance(node, ast.Constant)
    if isinstance(node.value, int) and node.value > MAX_NUMBER:
        raise ValueError(f"at most {MAX_NUMBER:,}")
    return node.value


def _dotted(node: ast.expr) -> list[str]:
    """Split ``keras.layers.Conv2D`` into its names; empty where it is anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [*parts, node.id][::-1] if isinstance(node, ast.Name) else []


def _nearest(word: str, known: list[str]) -> str:
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[near[0]] if near else ""


def _segment(text: str, node: ast.AST) -> str:
    return ast.get_source_segment(text, node) or ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
