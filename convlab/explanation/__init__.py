"""Explain layers from their text: sizes, padding, costs and receptive fields.

>>> from convlab.explanation import explain
>>> explain("Conv2D(32, 3, strides=2)", (28, 28, 1)).output_shape
(1, 13, 13, 32)
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convlab.explanation import text
from convlab.explanation.calls import MAX_NUMBER, LayerCall, read_layers
from convlab.explanation.sizes import Shape, Step, size_arguments, step, takes_maps_only
from convlab.geometry import Geometry, ReceptiveField, as_size, receptive_field

MAX_COUNT = 10**18
RULE = "The input has 3 sizes, height, width and channels (4 with the batch first)."
WAY_OUT = 'Add them: --input 28,28,1 in a shell, explain("...", (28, 28, 1)) in Python.'

__all__ = ["Explanation", "LayerExplanation", "explain"]


@dataclass(frozen=True)
class LayerExplanation:
    """One layer of an `Explanation`.

    Attributes
    ----------
    layer : str
        The layer as it was written.
    name : str
        Its class in Keras.
    input_shape, output_shape : tuple of int
    geometry : Geometry or None
        The window sweep; None for a layer that moves no window.
    kernel_shape : tuple of int or None
        As Keras has it; None for a layer without a kernel.
    parameters, multiply_adds : int
        Multiply-adds are those of the whole batch.
    receptive_field : ReceptiveField or None
        What one output sees of the first input; None where that has no height and width.
    ignored : tuple of str
        Arguments that were read and change no size.
    """

    layer: str
    name: str
    input_shape: Shape
    step: Step
    receptive_field: ReceptiveField | None
    ignored: tuple[str, ...]

    @property
    def output_shape(self) -> Shape:
        """Shape of the output, batch first."""
        return self.step.output_shape

    @property
    def geometry(self) -> Geometry | None:
        """The window sweep."""
        return self.step.geometry

    @property
    def kernel_shape(self) -> Shape | None:
        """Shape of the kernel, as Keras has it."""
        return self.step.kernel_shape

    @property
    def parameters(self) -> int:
        """Numbers to learn."""
        return self.step.parameters

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the whole batch; none for a pooling."""
        return self.step.multiply_adds

    @property
    def output_bytes(self) -> int:
        """Bytes of the output in float32."""
        return 4 * math.prod(self.output_shape)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of the parameters in float32."""
        return 4 * self.parameters

    def as_dict(self) -> dict[str, object]:
        """Return the numbers under names that stay, ready for JSON."""
        return {
            "layer": self.layer,
            "input_shape": self.input_shape,
            "output_shape": self.output_shape,
            "kernel_shape": self.kernel_shape,
            "pads": self.geometry and self.geometry.pads,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "output_bytes": self.output_bytes,
            "parameter_bytes": self.parameter_bytes,
            "receptive_field": self.receptive_field and self.receptive_field.size,
            "unread_pixels": self.geometry and self.geometry.unread_pixels,
        }


@dataclass(frozen=True, repr=False)
class Explanation:
    """What a stack of layers makes of an input. Print it, or show it in a notebook.

    Attributes
    ----------
    layers : tuple of LayerExplanation

    Examples
    --------
    >>> print(explain("Conv2D(32, (3, 3), strides=2, padding='same')", (28, 28, 1)))
    Conv2D(32, (3, 3), strides=2, padding='same')
    <BLANKLINE>
    Input            (1, 28, 28, 1): batch, height, width, channels
    Output           (1, 14, 14, 32)
    Output size      ceil(28 / 2) = 14, both ways
    Padding          (14 - 1) * 2 + 3 - 28 = 1: top 0, bottom 1, left 0, right 1
    Kernel           (3, 3, 1, 32): height, width, input channels, filters
    Parameters       (3 * 3 * 1 + 1) * 32 = 320
    Multiply-adds    14 * 14 * 32 * (3 * 3 * 1) = 56,448
    Output memory    6,272 numbers * 4 bytes = 25,088 bytes = 25.1 kB
    Weight memory    320 numbers * 4 bytes = 1,280 bytes = 1.28 kB
    Receptive field  3 x 3 pixels
    Never read       none of the 784 pixels
    """

    layers: tuple[LayerExplanation, ...]

    @property
    def input_shape(self) -> Shape:
        """Shape that the first layer gets, batch first."""
        return self.layers[0].input_shape

    @property
    def output_shape(self) -> Shape:
        """Shape that the last layer returns, batch first."""
        return self.layers[-1].output_shape

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """What one output of the last layer sees of the input."""
        return self.layers[-1].receptive_field

    @property
    def parameters(self) -> int:
        """Numbers to learn, over all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the whole batch, over all layers."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def output_bytes(self) -> int:
        """Bytes of all layers' outputs in float32: what training keeps in memory."""
        return sum(layer.output_bytes for layer in self.layers)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all parameters in float32."""
        return 4 * self.parameters

    def as_dict(self) -> dict[str, object]:
        """Return the numbers under names that stay, ready for JSON."""
        return {
            "input_shape": self.input_shape,
            "output_shape": self.output_shape,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "output_bytes": self.output_bytes,
            "parameter_bytes": self.parameter_bytes,
            "layers": [layer.as_dict() for layer in self.layers],
        }

    def __str__(self) -> str:
        return text.plain(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return text.html(self)


def explain(
    layers: str | Iterable[str],
    input_shape: Sequence[int] | None = None,
    *,
    batch: int | None = None,
) -> Explanation:
    """Explain one layer, or a stack of them, from its text.

    Parameters
    ----------
    layers : str or iterable of str
        Layers as Keras writes them; see `convlab.explanation.calls.read_layers`. The text is
        read and never run.
    input_shape : sequence of int, optional
        ``(height, width, channels)``, or ``(channels, height, width)`` where the first layer is
        ``channels_first``; 4 numbers with the batch in front; 1 number for a flat input. Where
        it is None, the text gives it, by ``Input(...)`` or ``input_shape=...``.
    batch : int, default 1
        Images at a time.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        With the rule, what was received, and the way out where it is known.

    Examples
    --------
    >>> stack = explain("Conv2D(32, 5); MaxPooling2D(2); Conv2D(64, 5)", (28, 28, 1))
    >>> stack.output_shape, stack.receptive_field.size
    ((1, 8, 8, 64), (14, 14))
    """
    texts = [layers] if isinstance(layers, str) else list(layers)
    calls = read_layers("\n".join(textwrap.dedent(text).strip() for text in texts))
    shape = _first_shape(calls, input_shape, batch)
    calls = calls[1:] if calls[0].name == "Input" else calls
    if not calls or "Input" in [call.name for call in calls]:
        raise ValueError(
            "`Input` comes first, and layers after it. "
            f"Received: {', '.join(call.name for call in calls) or 'Input alone'}."
        )
    return Explanation(tuple(_explain_stack(calls, shape)))


def _first_shape(calls: list[LayerCall], given: object, batch: int | None) -> Shape:
    argument = "shape" if calls[0].name == "Input" else "input_shape"
    if given is None and argument in calls[0].arguments:
        given = calls[0].value(argument)
    if isinstance(given, str) or not isinstance(given, Iterable):
        received = "nothing" if given is None else repr(given)
        raise ValueError(f"{RULE} Received: {received}. {WAY_OUT}")
    sizes = _as_sizes(tuple(given))
    first = next((call.name for call in calls if call.name != "Input"), "Flatten")
    if len(sizes) not in ((3, 4) if takes_maps_only(first) else (1, 3, 4)):
        grey = (*sizes, *sizes)[:2] if len(sizes) in (1, 2) else (28, 28)
        raise ValueError(
            f"{RULE} Received: {sizes}. A grey image of {grey[0]} x {grey[1]} has 1 channel: "
            f"{(*grey, 1)}."
        )
    if len(sizes) == 4 and batch is not None:
        raise ValueError(f"{RULE} Received: {sizes} and batch={batch}. Leave one of them out.")
    return sizes if len(sizes) == 4 else (1 if batch is None else as_size("batch", batch), *sizes)


def _as_sizes(given: tuple[object, ...]) -> Shape:
    try:
        sizes = tuple(as_size("size", size) for size in given)
    except (TypeError, ValueError):
        sizes = (MAX_NUMBER + 1,)
    if max(sizes, default=0) > MAX_NUMBER:
        raise ValueError(
            f"Every size of the input must be a whole number from 1 to {MAX_NUMBER:,}. "
            f"Received: {given}."
        )
    return sizes


def _explain_stack(calls: list[LayerCall], shape: Shape) -> Iterable[LayerExplanation]:
    sweeps: list[Geometry] = []
    for number, call in enumerate(calls, start=1):
        done = _located_step(call, shape, f"Layer {number}, " if len(calls) > 1 else "")
        sweeps.extend(_sweep(done, sweeps))
        field = receptive_field(sweeps) if sweeps else None
        _check_countable(done, field, number)
        sized = ("input_shape", *size_arguments(call.name))
        ignored = tuple(call.written(name) for name in call.arguments if name not in sized)
        yield LayerExplanation(call.text, call.name, shape, done, field, ignored)
        shape = done.output_shape


def _located_step(call: LayerCall, shape: Shape, place: str) -> Step:
    try:
        return step(call, shape)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{place}{call.text}: {error}" if place else str(error)) from None


def _check_countable(done: Step, field: ReceptiveField | None, number: int) -> None:
    seen = math.prod(field.size) if field else 0
    if max(math.prod(done.output_shape), seen) > MAX_COUNT:
        raise ValueError(
            f"Outputs and receptive fields are counted up to {MAX_COUNT:,}. "
            f"Received: more than that in layer {number}. Make the layers smaller."
        )


def _sweep(done: Step, before: list[Geometry]) -> list[Geometry]:
    """Return the sweep that a layer adds to the stack, for the receptive field."""
    if done.sees_everything and before:
        size = before[-1].output_size
        return [Geometry.pool2d((1, *size, 1), size)]
    sweep = done.geometry or done.flattened
    return [sweep] if sweep else []
