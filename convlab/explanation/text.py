"""Say an explanation: in plain text, 80 columns wide, and as an HTML table."""

from __future__ import annotations

import html as markup
import math
import textwrap
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from convlab.geometry import Geometry

if TYPE_CHECKING:
    from convlab.explanation import Explanation, LayerExplanation

WIDTH = 80
AXES = {
    "channels_last": "batch, height, width, channels",
    "channels_first": "batch, channels, height, width",
}
HEADINGS = ("Layer", "Output", "Parameters", "Mult-adds", "Memory", "Sees")
LEGEND = (
    "Output: without the batch. Mult-adds: of the whole batch. Memory: the output, at 4 bytes "
    "a number (float32). Sees: the receptive field of one output, in pixels of the first "
    "input, padding counted."
)

Fact = tuple[str, str]


def plain(explanation: Explanation) -> str:
    """Return facts for one layer, a table for several."""
    if len(explanation.layers) == 1:
        return _plain_facts(explanation.layers[0])
    lines = [f"Input {_input(explanation.layers[0])}", "", *_plain_table(explanation)]
    for paragraph in [[_totals(explanation)], _remarks(explanation), [LEGEND]]:
        lines += ["" for _ in paragraph[:1]]
        lines += [line for part in paragraph for line in _wrapped(part)]
    return "\n".join(lines)


def html(explanation: Explanation) -> str:
    """Return the same as HTML; the page's own style decides how it looks."""
    if len(explanation.layers) == 1:
        layer = explanation.layers[0]
        return _html_table(["", layer.layer], [list(fact) for fact in _facts(layer)])
    table = _html_table(["", *HEADINGS], _cells(explanation))
    notes = [_totals(explanation), *_remarks(explanation), LEGEND]
    return table + "".join(f"<p>{markup.escape(note)}</p>" for note in notes)


# One layer -------------------------------------------------------------------


def _plain_facts(layer: LayerExplanation) -> str:
    lines = [*_wrapped(layer.layer), ""]
    for label, fact in _facts(layer):
        lines += _wrapped(f"{label:16} {fact}", indent=17)
    return "\n".join(lines)


def _facts(layer: LayerExplanation) -> list[Fact]:
    facts = [("Input", _input(layer)), ("Output", str(layer.output_shape))]
    if layer.geometry:
        facts += [*_window(layer.geometry), *_sizes(layer.geometry), *_padding(layer.geometry)]
    facts += [*_weights(layer), ("Multiply-adds", _multiply_adds(layer))]
    facts += [("Output memory", _memory(math.prod(layer.output_shape)))]
    if layer.parameters:
        facts += [("Weight memory", _memory(layer.parameters))]
    if layer.receptive_field:
        facts += [("Receptive field", f"{_by(layer.receptive_field.size)} pixels")]
    if layer.geometry:
        facts += [("Never read", _unread(layer.geometry))]
    if layer.ignored:
        facts += [("Changes no size", ", ".join(layer.ignored))]
    return facts


def _input(layer: LayerExplanation) -> str:
    sweep = layer.geometry or layer.step.flattened
    return f"{layer.input_shape}: {AXES[sweep.data_format]}" if sweep else str(layer.input_shape)


def _window(g: Geometry) -> list[Fact]:
    if max(g.dilation_rate) == 1:
        return []
    spans = [
        f"({k} - 1) * {d} + 1 = {reach}"
        for k, d, reach in zip(g.kernel_size, g.dilation_rate, g.effective_kernel_size, strict=True)
    ]
    return _both("Window", spans, " pixels across")


def _sizes(g: Geometry) -> list[Fact]:
    axes = zip(g.input_size, g.effective_kernel_size, g.strides, g.output_size, strict=True)
    formula = _same_size if g.padding == "same" else _valid_size
    return _both("Output", [formula(*axis) for axis in axes])


def _same_size(size: int, reach: int, stride: int, windows: int) -> str:
    exact = Fraction(size, stride)
    middle = "" if exact == windows else f"ceil({_decimal(exact, math.ceil)}) = "
    return f"ceil({size} / {stride}) = {middle}{windows}"


def _valid_size(size: int, reach: int, stride: int, windows: int) -> str:
    exact = Fraction(size - reach, stride)
    middle = "" if exact == windows - 1 else f"floor({_decimal(exact, math.floor)}) + 1 = "
    return f"floor(({size} - {reach}) / {stride}) + 1 = {middle}{windows}"


def _both(label: str, texts: list[str], unit: str = "") -> list[Fact]:
    """Return one fact where height and width agree, else two."""
    if texts[0] == texts[1]:
        return [(f"{label} size", f"{texts[0]}{unit}, both ways")]
    sides = zip(("height", "width"), texts, strict=True)
    return [(f"{label} {side}", text + unit) for side, text in sides]


def _padding(g: Geometry) -> list[Fact]:
    if g.padding == "valid":
        return [("Padding", "none (padding='valid')")]
    axes = zip(g.input_size, g.effective_kernel_size, g.strides, g.output_size, strict=True)
    rows, columns = (_zeros(*axis) for axis in axes)
    if rows == columns:
        return [("Padding", f"{rows}: {_sides(g)}")]
    vertical, horizontal = _sides(g).split(", left")
    return [
        ("Padding, rows", f"{rows}: {vertical}"),
        ("Padding, columns", f"{columns}: left{horizontal}"),
    ]


def _sides(g: Geometry) -> str:
    return "top {}, bottom {}, left {}, right {}".format(*g.pads)


def _zeros(size: int, reach: int, stride: int, windows: int) -> str:
    total = (windows - 1) * stride + reach - size
    return f"({windows} - 1) * {stride} + {reach} - {size} = {total}" + ", so 0" * (total < 0)


def _weights(layer: LayerExplanation) -> list[Fact]:
    if not layer.kernel_shape:
        return [("Parameters", "none")]
    *seen, filters = _factors(layer)
    product = _product(seen)
    if layer.step.biases:
        count = f"({product} + 1) * {filters} = {layer.parameters:,}"
    else:
        count = f"{product} * {filters} = {layer.parameters:,}, without bias"
    return [("Kernel", _kernel(layer)), ("Parameters", count)]


def _factors(layer: LayerExplanation) -> tuple[int, ...]:
    """Return what one filter (or unit) reads, and their number."""
    return layer.geometry.kernel_shape if layer.geometry else layer.kernel_shape or ()


def _kernel(layer: LayerExplanation) -> str:
    g = layer.geometry
    axes = "inputs, units"
    if g and layer.name == "DepthwiseConv2D":
        axes = "height, width, input channels, depth multiplier"
    elif g:
        channels = (
            "input channels" if g.groups == 1 else f"{g.channels} channels / {g.groups} groups"
        )
        axes = f"height, width, {channels}, filters"
    return f"{layer.kernel_shape}: {axes}"


def _multiply_adds(layer: LayerExplanation) -> str:
    g = layer.geometry
    if g and g.pooling:
        looks = f"{_product(g.kernel_size)} = {math.prod(g.kernel_size):,}"
        return f"none; each output looks at {looks} numbers"
    if not layer.kernel_shape:
        return "none"
    *seen, filters = _factors(layer)
    batch, *places = layer.output_shape[:-1]
    if g:
        places = list(g.output_size)
    outputs = [*([batch] if batch > 1 else []), *places, filters]
    each = _product(seen) if len(seen) == 1 else f"({_product(seen)})"
    return f"{_product(outputs)} * {each} = {layer.multiply_adds:,}"


def _memory(numbers: int) -> str:
    exact = f"{numbers:,} numbers * 4 bytes = {4 * numbers:,} bytes"
    return exact if numbers < 250 else f"{exact} = {bytes_text(4 * numbers)}"


def _unread(g: Geometry) -> str:
    pixels = g.height * g.width
    if not g.unread_pixels:
        return f"none of the {pixels:,} pixels"
    return f"{g.unread_pixels:,} of {pixels:,} pixels: {_unread_places(g)}"


def _unread_places(g: Geometry) -> str:
    places = [_listed("row", g.unread_rows), _listed("column", g.unread_columns)]
    return " and ".join(place for place in places if place) + ", counted from 0"


def _listed(word: str, numbers: tuple[int, ...]) -> str:
    if not numbers:
        return ""
    more = ", ..." if len(numbers) > 6 else ""
    plural = "s" if len(numbers) > 1 else ""
    return f"{word}{plural} {', '.join(map(str, numbers[:6]))}{more}"


# Several layers --------------------------------------------------------------


def _cells(explanation: Explanation) -> list[list[str]]:
    return [
        [
            str(number),
            _summary(layer),
            str(layer.output_shape[1:]),
            f"{layer.parameters:,}",
            si_text(layer.multiply_adds),
            bytes_text(layer.output_bytes),
            _by(layer.receptive_field.size) if layer.receptive_field else "-",
        ]
        for number, layer in enumerate(explanation.layers, start=1)
    ]


def _summary(layer: LayerExplanation) -> str:
    """Return a layer's name, window and whatever is not the default."""
    g = layer.geometry
    if g is None or layer.name.startswith("Global"):
        return layer.name
    words = [layer.name, _by(g.kernel_size, "x")]
    if g.strides != (g.kernel_size if g.pooling else (1, 1)):
        words.append(f"strides {_by(g.strides, 'x')}")
    if g.dilation_rate != (1, 1):
        words.append(f"dilation {_by(g.dilation_rate, 'x')}")
    if layer.name == "Conv2D" and g.groups > 1:
        words.append(f"groups {g.groups}")
    return " ".join([*words, "same"] if g.padding == "same" else words)


def _plain_table(explanation: Explanation) -> list[str]:
    rows = [["", *HEADINGS], *_cells(explanation)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    longest_word = max(len(word) for row in rows for word in row[1].split())
    others = sum(widths) - widths[1]
    gap = 2 if others + longest_word + 2 * (len(widths) - 1) <= WIDTH else 1
    room = WIDTH - others - gap * (len(widths) - 1)
    widths[1] = min(widths[1], max(room, longest_word))
    lines = [line for row in rows for line in _table_row(row, widths, " " * gap)]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _table_row(row: list[str], widths: list[int], gap: str) -> list[str]:
    name, *more = textwrap.wrap(row[1], widths[1]) or [""]
    cells = [f"{row[0]:>{widths[0]}}", f"{name:{widths[1]}}", f"{row[2]:{widths[2]}}"]
    cells += [f"{cell:>{width}}" for cell, width in zip(row[3:], widths[3:], strict=True)]
    return [gap.join(cells).rstrip(), *(" " * widths[0] + gap + line for line in more)]


def _totals(explanation: Explanation) -> str:
    return (
        f"In all {explanation.parameters:,} parameters "
        f"({bytes_text(explanation.parameter_bytes)}), {explanation.multiply_adds:,} "
        f"multiply-adds, and {bytes_text(explanation.output_bytes)} of outputs."
    )


def _remarks(explanation: Explanation) -> list[str]:
    return [
        *_padding_remarks(explanation),
        *_unread_remarks(explanation),
        *_format_remarks(explanation),
    ]


def _padding_remarks(explanation: Explanation) -> list[str]:
    layers_by_pads: dict[str, list[str]] = {}
    for number, layer in enumerate(explanation.layers, start=1):
        if layer.geometry and any(layer.geometry.pads):
            layers_by_pads.setdefault(_sides(layer.geometry), []).append(str(number))
    return [
        f"Zeros around the input of layer {', '.join(numbers)}: {pads}."
        for pads, numbers in layers_by_pads.items()
    ]


def _unread_remarks(explanation: Explanation) -> list[str]:
    return [
        f"Layer {number} never reads {_unread(layer.geometry)}."
        for number, layer in enumerate(explanation.layers, start=1)
        if layer.geometry and layer.geometry.unread_pixels
    ]


def _format_remarks(explanation: Explanation) -> list[str]:
    formats = [
        (number, layer.geometry.data_format)
        for number, layer in enumerate(explanation.layers, start=1)
        if layer.geometry
    ]
    return [
        f"Layer {number} reads {now} and layer {before} writes {then}: one of them mixes up "
        "channels and pixels."
        for (before, then), (number, now) in pairwise(formats)
        if then != now
    ]


# Numbers and tables ----------------------------------------------------------


def si_text(number: int) -> str:
    """Return a number in three digits and a prefix.

    Examples
    --------
    >>> si_text(640), si_text(460_800), si_text(1_849_688_064)
    ('640', '461 k', '1.85 G')
    """
    if number < 1000:
        return str(number)
    value, prefixes = Fraction(number), iter("kMGTPE")
    prefix = ""
    while value >= Fraction("999.5") and (larger := next(prefixes, "")):
        value, prefix = value / 1000, larger
    digits = 2 if value < Fraction("9.995") else 1 if value < Fraction("99.95") else 0
    return f"{float(value):.{digits}f} {prefix}"


def bytes_text(number: int) -> str:
    """Return bytes as people say them: ``"25.1 kB"``."""
    return f"{number} B" if number < 1000 else f"{si_text(number)}B"


def _decimal(value: Fraction, rounded: Callable[[Fraction], int]) -> str:
    # Rounded the way that the formula goes on to round, so that 8.999 does not become 9.
    return f"{rounded(value * 100) / 100:.2f}".rstrip("0").rstrip(".")


def _product(factors: list[int] | tuple[int, ...]) -> str:
    return " * ".join(map(str, factors))


def _by(pair: tuple[int, int], times: str = " x ") -> str:
    return f"{pair[0]}{times}{pair[1]}"


def _wrapped(text: str, indent: int = 0) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent) or [""]


def _html_table(headings: list[str], rows: list[list[str]]) -> str:
    def line(tag: str, cells: list[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{markup.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', headings)}</thead><tbody>{body}</tbody></table>"
