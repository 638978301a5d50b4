"""The table of a model's layers: as text, in the form that Keras prints, and as HTML."""

from __future__ import annotations

import html
import itertools
import math
import shutil
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from convlab.graph import Node

__all__ = ["Row", "is_chain", "rows_of", "summary", "summary_html"]

# Where each column ends, as a share of the line; and what frames and margins take from it.
_CHAIN = (88, (0.45, 0.80, 1.0), (3, 4, 3), "<<>")
_GRAPH = (108, (0.3, 0.56, 0.74, 1.0), (3, 3, 4, 3), "<<><")
_HEADER = ("Layer (type)", "Output Shape", "Param #", "Connected to")
_LEAST = 4


@dataclass(frozen=True)
class Row:
    """One layer of a summary.

    Attributes
    ----------
    name, type, shape, parameters : str
    sources : list of str
        Which outputs of which calls of other layers it reads: ``"conv2d[0][0]"``.
    """

    name: str
    type: str
    shape: str
    parameters: str
    sources: list[str]


def summary(
    model: Any, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None
) -> None:
    """Print a model's layers, output shapes and numbers of parameters.

    Parameters
    ----------
    model : Model
    line_length : int, optional
        Characters in a line; what the screen allows, and at most 88 (108 with the column
        "Connected to"), where None.
    print_fn : callable, optional
        Gets the whole text once, instead of the screen.

    Raises
    ------
    ValueError
        For a line that is too short for the columns.

    Examples
    --------
    >>> from convlab import layers, models
    >>> model = models.Sequential([layers.Input((28, 28, 1), name="image")], name="small")
    >>> model.add(layers.Conv2D(8, 3, name="edges"))
    >>> summary(model, line_length=50)
    Model: "small"
    ┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓
    ┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃
    ┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩
    │ edges (Conv2D)      │ (None, 26, 26, │      80 │
    │                     │ 8)             │         │
    └─────────────────────┴────────────────┴─────────┘
     Total params: 80 (320.00 B)
     Trainable params: 80 (320.00 B)
     Non-trainable params: 0 (0.00 B)
    """
    text = f'Model: "{model.name}"\n{_table(model, line_length)}\n{_totals_text(model)}\n'
    if print_fn is None:
        _say(text)
    else:
        print_fn(text)


def _say(text: str) -> None:
    """Print, with plain lines where the screen has no others."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(_PLAIN)
        text = plain.encode(encoding, "backslashreplace").decode(encoding)
    print(text, end="")


_PLAIN = str.maketrans("━─┃│┏┳┓┡╇┩├┼┤└┴┘…", "=-||" + 12 * "+" + ".")


# ---- what there is to say ------------------------------------------------------------------


def rows_of(model: Any) -> list[Row]:
    """The facts about each layer, in order.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of Row
    """
    calls = _calls(model)
    return [
        Row(
            layer.name,
            _type(layer),
            _output_shape(layer),
            _parameters(layer),
            [_told(tensor, calls) for node in calls.get(id(layer), ()) for tensor in node.sources],
        )
        for layer in model.layers
    ]


def is_chain(model: Any) -> bool:
    """Whether every layer reads the one before it: then the order says how all is connected.

    Parameters
    ----------
    model : Model

    Returns
    -------
    bool
    """
    if hasattr(model, "all_layers"):
        return True
    nodes = model.graph.nodes
    one_each = len({id(node.layer) for node in nodes}) == len(nodes)
    before = [model.inputs[0], *(node.outputs[0] for node in nodes)]
    return (
        len(model.inputs) == 1
        and one_each
        and all(
            len(node.sources) == 1 and node.sources[0] is tensor
            for node, tensor in zip(nodes, before, strict=False)
        )
    )


def _calls(model: Any) -> dict[int, list[Node]]:
    """The calls of each layer in this model, in the order in which they were made."""
    if hasattr(model, "all_layers") and not model.built:
        return {}
    inside = {id(node) for node in model.graph.nodes}
    return {
        id(layer): [node for node in layer._nodes if id(node) in inside] for layer in model.layers
    }


def _told(tensor: Any, calls: dict[int, list[Node]]) -> str:
    node = tensor.node
    places = {id(one): place for place, one in enumerate(calls.get(id(node.layer), ()))}
    output = [id(one) for one in node.outputs].index(id(tensor))
    return f"{node.layer.name}[{places.get(id(node), 0)}][{output}]"


def _type(layer: Any) -> str:
    name = type(layer).__name__
    ours = type(layer).__module__.startswith("convlab.")
    return "Functional" if name == "Model" and ours else name


def _output_shape(layer: Any) -> str:
    if layer._nodes:
        shapes = [tensor.shape for tensor in layer._nodes[-1].outputs]
    elif layer.built and layer._build_shape is not None:
        shape = layer.compute_output_shape(layer._build_shape)
        shapes = shape if isinstance(shape, list) else [shape]
    else:
        return "?"
    return _shape_text(shapes[0]) if len(shapes) == 1 else f"[{_joined(map(_shape_text, shapes))}]"


def _shape_text(shape: Sequence[int | None]) -> str:
    return f"({_joined(map(str, shape))})"


def _joined(parts: Any) -> str:
    return ", ".join(parts)


def _parameters(layer: Any) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _totals(model: Any) -> dict[str, tuple[int, int]]:
    """Numbers and bytes: of all, of the trained, of the others, of the optimizer."""
    trained = _size(model.trainable_variables)
    ids = {id(variable) for variable in model.trainable_variables}
    kept = _size([variable for variable in model.weights if id(variable) not in ids])
    parts = {"Trainable params": trained, "Non-trainable params": kept}
    if model.optimizer is not None and model.optimizer.built:
        parts["Optimizer params"] = _size(model.optimizer.variables)
    total = tuple(sum(sizes) for sizes in zip(*parts.values(), strict=True))
    return {"Total params": (total[0], total[1]), **parts}


def _size(variables: Sequence[Any]) -> tuple[int, int]:
    unique = {id(variable): variable for variable in variables}.values()
    return sum(v.size for v in unique), sum(v.nbytes for v in unique)


def _memory(size: float) -> str:
    units = ("B", "KB", "MB", "GB", "TB")
    step = min(int(math.log(size, 1024)), len(units) - 1) if size else 0
    return f"{size / 1024**step:.2f} {units[step]}"


def _totals_text(model: Any) -> str:
    return "\n".join(
        f" {name}: {count:,} ({_memory(size)})" for name, (count, size) in _totals(model).items()
    )


# ---- text ----------------------------------------------------------------------------------


def _table(model: Any, line_length: int | None) -> str:
    form = _CHAIN if is_chain(model) else _GRAPH
    length, ends, taken, sides = form
    length = line_length or min(length, shutil.get_terminal_size().columns - 4)
    widths = _widths(length, ends, taken)
    cells = [
        [f"{row.name} ({row.type})", row.shape, row.parameters, ", ".join(row.sources) or "-"]
        for row in rows_of(model)
    ]
    bodies = [_lines(row[: len(widths)], widths, sides, "│") for row in cells]
    between = "\n" + _rule("├─┼┤", widths) + "\n"
    return "\n".join(
        [
            _rule("┏━┳┓", widths),
            _lines(_HEADER[: len(widths)], widths, sides, "┃", at_bottom=True),
            _rule("┡━╇┩", widths),
            *([between.join(bodies)] if bodies else []),
            _rule("└─┴┘", widths),
        ]
    )


def _widths(length: int, ends: Sequence[float], taken: Sequence[int]) -> list[int]:
    """Characters in each column, margins left out."""
    stops = [0, *(int(end * length) for end in ends)]
    raw = [stop - start for start, stop in itertools.pairwise(stops)]
    widths = [width - less for width, less in zip(raw, taken, strict=True)]
    if min(widths) < 1 or min(raw) < _LEAST:
        raise ValueError(
            "Insufficient console width to print summary. "
            f"Received: line_length={length}. Give a larger `line_length`."
        )
    return widths


def _rule(signs: str, widths: Sequence[int]) -> str:
    left, line, cross, right = list(signs)
    return left + cross.join(line * (width + 2) for width in widths) + right


def _lines(
    cells: Sequence[str], widths: Sequence[int], sides: str, bar: str, at_bottom: bool = False
) -> str:
    """The lines of one row of the table."""
    columns = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(len(column) for column in columns)
    empty = [[""] * (height - len(column)) for column in columns]
    pairs = zip(columns, empty, strict=True)
    padded = [rest + column if at_bottom else column + rest for column, rest in pairs]
    return "\n".join(
        f"{bar} "
        + f" {bar} ".join(
            _aligned(text, width, side)
            for text, width, side in zip(line, widths, sides, strict=True)
        )
        + f" {bar}"
        for line in zip(*padded, strict=True)
    )


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words; what is too long for one is cut."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _columns(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line if _columns(line) <= width else _cut(line, width) for line in lines]


def _cut(text: str, width: int) -> str:
    while _columns(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def _columns(text: str) -> int:
    """Places that a text takes on the screen: two for some characters, none for an accent."""
    return sum(
        0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )


def _aligned(text: str, width: int, side: str) -> str:
    room = " " * (width - _columns(text))
    return room + text if side == ">" else text + room


# ---- HTML ----------------------------------------------------------------------------------


def summary_html(model: Any) -> str:
    """The same facts as a table for a notebook: in the page's own colours, with named columns.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
    """
    count = 3 if is_chain(model) else 4
    head = "".join(f'<th scope="col" style="{_side(i)}">{_HEADER[i]}</th>' for i in range(count))
    body = "".join(_row_html(row, count) for row in rows_of(model))
    totals = "".join(
        f'<tr><th scope="row" colspan="2" style="{_side(0)}">{name}</th>'
        f'<td style="{_side(2)}">{number:,}</td>'
        f"{_EMPTY if count == 4 else ''}</tr>"
        for name, (number, _) in _totals(model).items()
    )
    caption = f"Model: {html.escape(model.name)}"
    return (
        '<div style="overflow-x:auto"><table>'
        f'<caption style="{_side(0)}">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody><tfoot>{totals}</tfoot></table></div>"
    )


_EMPTY = "<td></td>"


def _side(column: int) -> str:
    return f"text-align:{'right' if column == 2 else 'left'}"


def _row_html(row: Row, count: int) -> str:
    name = f"{html.escape(row.name)} ({html.escape(row.type)})"
    cells = [row.shape, row.parameters, ", ".join(row.sources) or "-"][: count - 1]
    return (
        f'<tr><th scope="row" style="{_side(0)};font-weight:normal">{name}</th>'
        + "".join(
            f'<td style="{_side(i)}">{html.escape(cell)}</td>' for i, cell in enumerate(cells, 1)
        )
        + "</tr>"
    )
