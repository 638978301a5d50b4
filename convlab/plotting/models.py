"""A model as a picture: a box for each call of a layer, arrows where the arrays go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .colours import COLOURS, INK, LINE, NEUTRAL, Colour
from .layout import LINE_HEIGHT, POINTS, SMALL, Block, Pen, space, text_width
from .picture import Picture

__all__ = ["model"]

MOST = 60  # boxes in a picture
GAP, BETWEEN = 0.34, 0.2  # below a row, and between boxes of a row, in inches
LANE = 0.2  # from one arrow that goes around to the next
MARGIN = 0.14
STEP = SMALL * LINE_HEIGHT / POINTS
HEAD = 0.07
WIDEST, NARROWEST = 3.0, 1.1


@dataclass(eq=False)
class _Box:
    """One call of a layer, or an input."""

    title: str
    kind: str
    facts: list[str]
    colour: Colour
    sources: list[_Box] = field(default_factory=list)
    row: int = 0
    place: float = 0.0
    lines: list[str] = field(default_factory=list)
    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0
    last: bool = True  # of its row: nothing stands to its right

    @property
    def middle(self) -> float:
        return self.left + self.width / 2


def model(model: Any) -> Picture:
    """A model's layers, from the inputs at the top to the outputs at the bottom.

    Each box has the layer's name and class, the shape of its output and its parameters. Boxes
    with weights, inputs and outputs have the colours of kernel, input and output. An arrow that
    skips layers, such as a residual one, goes around them. A layer that is called twice has
    two boxes, and its weights are counted in the first.

    Parameters
    ----------
    model : Model
        Built, with at most 60 layers.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        For a model that is not built, or too large to be seen.

    Examples
    --------
    >>> from convlab import layers, models, plotting
    >>> small = models.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(4, 3)], name="small")
    >>> plotting.model(small)
    <Picture: model small: 2 layers, 40 parameters>
    """
    boxes = _boxes(model)
    if len(boxes) > MOST:
        raise ValueError(
            f"A picture can show at most {MOST} layers. Received: {len(boxes)}. Draw a part: "
            "plotting.model(Model(model.input, layer.output)), or print model.summary()."
        )
    rows = _rows(boxes)
    return Picture(
        lambda width: _drawing(rows, width),
        f"model {model.name}: {len(boxes)} layers, {model.count_params():,} parameters",
    )


# ---- what is drawn -------------------------------------------------------------------------


def _boxes(model: Any) -> list[_Box]:
    """A box for each input and call, after those that it reads."""
    graph = model.graph
    made: dict[int, _Box] = {}
    boxes: list[_Box] = []
    for tensor in graph.inputs:
        made[id(tensor)] = _Box(tensor.name, "Input", [str(tensor.shape)], COLOURS["input"])
        boxes.append(made[id(tensor)])
    calls: dict[int, int] = {}
    for node in graph.nodes:
        calls[id(node.layer)] = calls.get(id(node.layer), 0) + 1
        box = _box(node, calls[id(node.layer)])
        box.sources = [made[id(tensor)] for tensor in node.sources]
        made.update((id(tensor), box) for tensor in node.outputs)
        boxes.append(box)
    for name, tensor in zip(model.output_names(), graph.outputs, strict=True):
        _mark_output(made[id(tensor)], name if isinstance(model.output, dict) else "")
    return boxes


def _box(node: Any, call: int) -> _Box:
    layer, shapes = node.layer, [str(tensor.shape) for tensor in node.outputs]
    kind = "Functional" if type(layer).__name__ == "Model" else type(layer).__name__
    count = layer.count_params()
    if call > 1:
        told = f"call {call}" + (", the same weights" if count else "")
    else:
        told = f"{count:,} parameter" + "s" * (count != 1)
    colour = COLOURS["kernel"] if count else NEUTRAL
    return _Box(layer.name, kind, [*shapes, *([told] if count or call > 1 else [])], colour)


def _mark_output(box: _Box, name: str) -> None:
    box.colour = COLOURS["output"]
    told = f"output {name}" if name else "output"
    if told not in box.facts:
        box.facts.append(told)


def _rows(boxes: Sequence[_Box]) -> list[list[_Box]]:
    """Each box below all that it reads; an input right above its first reader."""
    for box in boxes:
        box.row = max((source.row + 1 for source in box.sources), default=0)
    for box in boxes:
        if not box.sources:
            box.row = min((b.row for b in boxes if box in b.sources), default=1) - 1
    rows: list[list[_Box]] = [[] for _ in range(1 + max(box.row for box in boxes))]
    for box in boxes:
        rows[box.row].append(box)
    for row in rows:
        row.sort(key=_pull)
        for number, box in enumerate(row):
            box.place = (number + 0.5) / len(row)
            box.last = number == len(row) - 1
    return rows


def _pull(box: _Box) -> float:
    """How far to the right the boxes stand that this one reads."""
    places = [source.place for source in box.sources]
    return sum(places) / len(places) if places else 0.5


# ---- where it stands -----------------------------------------------------------------------


def _drawing(rows: list[list[_Box]], width: float) -> Block:
    around = _lanes([(source, box) for row in rows for box in row for source in box.sources])
    side = LANE * (1 + max(around.values())) if around else 0.0
    across = max(len(row) for row in rows)
    room = (width - side - BETWEEN * (across - 1)) / across
    if room < NARROWEST:
        raise ValueError(
            "The layers of a row must fit beside each other. "
            f"Received: {across} layers in one row. Draw a part of the model."
        )
    inside = _arrange(rows, room)
    bottom = max(box.top + box.height for box in rows[-1])

    def draw(pen: Pen, x: float, y: float) -> None:
        for box in (box for row in rows for box in row):
            _draw_box(pen, x, y, box)
        for box in (box for row in rows for box in row):
            for points in _routes(box, around, inside):
                _draw_arrow(pen, [(x + along, y + down) for along, down in points])

    return Block(inside + side, bottom, draw) if rows else space()


def _lanes(arrows: list[tuple[_Box, _Box]]) -> dict[tuple[int, int], int]:
    """For each arrow that skips rows, its place beside the boxes: no two over each other."""
    lanes: dict[tuple[int, int], int] = {}
    taken: list[list[tuple[int, int]]] = []
    long = {(id(a), id(b)): (a, b) for a, b in arrows if b.row - a.row > 1}
    for key, (source, box) in sorted(long.items(), key=lambda one: one[1][1].row - one[1][0].row):
        span = (source.row, box.row)
        free = [all(box.row <= a or source.row >= b for a, b in lane) for lane in taken]
        number = free.index(True) if True in free else len(taken)
        if number == len(taken):
            taken.append([])
        taken[number].append(span)
        lanes[key] = number
    return lanes


def _arrange(rows: list[list[_Box]], room: float) -> float:
    """Give each box its size and place; return the width of all."""
    boxes = [box for row in rows for box in row]
    wanted = max(max(map(_needs, (f"{b.title} ({b.kind})", *b.facts))) for b in boxes)
    width = min(wanted, room, WIDEST)
    whole = max(len(row) for row in rows) * (width + BETWEEN) - BETWEEN
    top = 0.0
    for row in rows:
        for box in row:
            box.lines = [_fitted(line, width) for line in _lines(box, width)]
        height = max(len(box.lines) for box in row) * STEP + MARGIN
        left = (whole - len(row) * (width + BETWEEN) + BETWEEN) / 2
        for number, box in enumerate(row):
            box.left, box.top = left + number * (width + BETWEEN), top
            box.width, box.height = width, height
        top += height + GAP
    return whole


def _lines(box: _Box, width: float) -> list[str]:
    title = f"{box.title} ({box.kind})"
    if _needs(title) <= width:
        return [title, *box.facts]
    return [box.title, f"({box.kind})", *box.facts]


def _needs(text: str) -> float:
    return text_width(text, SMALL, bold=True) + 2 * MARGIN


def _fitted(text: str, width: float) -> str:
    if _needs(text) <= width:
        return text
    while len(text) > 1 and _needs(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _routes(
    box: _Box, around: dict[tuple[int, int], int], inside: float
) -> list[list[tuple[float, float]]]:
    """The corners of each arrow to a box, from the boxes that make what it reads."""
    lanes = [around.get((id(source), id(box))) for source in box.sources]
    from_above = [lane is None or not box.last for lane in lanes]
    routes, number = [], 0
    for source, lane, above in zip(box.sources, lanes, from_above, strict=True):
        number += above
        share = number / (sum(from_above) + 1)
        end = (box.left + share * box.width, box.top)
        if lane is None:
            routes.append([(source.middle, source.top + source.height), end])
        else:
            x = inside + LANE * (lane + 0.8)
            routes.append([*_way_out(source, x, lane), *_way_in(box, end, x, lane)])
    return routes


def _way_out(box: _Box, x: float, lane: int) -> list[tuple[float, float]]:
    """From a box to the side: straight where nothing stands there, else below its row."""
    if box.last:
        down = box.top + box.height * (0.6 + 0.3 * lane / (lane + 1))
        return [(box.left + box.width, down), (x, down)]
    start, down = box.left + 0.8 * box.width, box.top + box.height
    return [(start, down), (start, down + 0.3 * GAP), (x, down + 0.3 * GAP)]


def _way_in(box: _Box, end: tuple[float, float], x: float, lane: int) -> list[tuple[float, float]]:
    """From the side to a box: straight where nothing stands there, else above its row."""
    if box.last:
        down = box.top + box.height * (0.4 - 0.3 * lane / (lane + 1))
        return [(x, down), (box.left + box.width, down)]
    return [(x, box.top - 0.35 * GAP), (end[0], box.top - 0.35 * GAP), end]


# ---- drawing -------------------------------------------------------------------------------


def _draw_box(pen: Pen, x: float, y: float, box: _Box) -> None:
    colour = box.colour
    pen.box(
        x + box.left, y + box.top, box.width, box.height,
        fill=colour.fill, line=colour.line, weight=1.4, z=3, label="layer",
    )  # fmt: skip
    above = (box.height - len(box.lines) * STEP) / 2
    for number, line in enumerate(box.lines):
        middle = y + box.top + above + (number + 0.5) * STEP
        pen.words(x + box.left + box.width / 2, middle, line, size=SMALL, ink=INK, bold=number == 0)


def _draw_arrow(pen: Pen, points: list[tuple[float, float]]) -> None:
    pen.path(points, line=LINE, weight=1.4, z=2, label="arrow")
    (back, above), (x, y) = points[-2:]
    length = max(((x - back) ** 2 + (y - above) ** 2) ** 0.5, 1e-9)
    along, down = HEAD * (x - back) / length, HEAD * (y - above) / length
    wings = [(x - along - side * down * 0.6, y - down + side * along * 0.6) for side in (1, -1)]
    pen.path([wings[0], (x, y), wings[1]], line=LINE, weight=1.4, z=4, label="head")
