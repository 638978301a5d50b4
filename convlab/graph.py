"""The graph that layers form when they are called with `Input` instead of with arrays.

A `SymbolicTensor` stands for an array that does not exist yet: it knows its shape and which
call of which layer will make it. A `Node` is one such call. A `Graph` is everything between
some inputs and some outputs, in an order in which it can be computed; it runs forward, and
backward through the same calls in reverse. The graph asks layers for `forward` and `backward`
and knows nothing else of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

__all__ = ["Graph", "Node", "SymbolicTensor"]

Shape = tuple[int | None, ...]


class SymbolicTensor:
    """The place of an array in a graph: what `Input` returns, and a layer called with it.

    Parameters
    ----------
    shape : tuple of (int or None)
        With the batch first; None where any size will do.
    dtype : str
    name : str
    node : Node
        The call that makes it.

    Examples
    --------
    >>> from convlab import layers
    >>> inputs = layers.Input((28, 28, 1), name="digits")
    >>> layers.Conv2D(32, 5)(inputs).shape
    (None, 24, 24, 32)
    """

    def __init__(self, shape: Shape, dtype: str, name: str, node: Node) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.node = node

    @property
    def ndim(self) -> int:
        """How many axes, the batch included."""
        return len(self.shape)

    def _refuse(self, use: str, error: type[Exception] = ValueError) -> NoReturn:
        raise error(
            f"A symbolic tensor holds no numbers: it is a place in a graph, {self!r}. "
            f"Received: {use}. Use a layer such as layers.Add or layers.Activation, or give the "
            "model an array."
        )

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        self._refuse("a conversion to an array, as NumPy's functions ask for")

    def __bool__(self) -> bool:
        self._refuse("a question that needs its value, such as `if`", TypeError)

    def __iter__(self) -> Iterator[Any]:
        self._refuse("a loop over it", TypeError)

    def __add__(self, _: Any) -> NoReturn:
        self._refuse("arithmetic", TypeError)

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
    __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __add__

    def __neg__(self) -> NoReturn:
        self._refuse("arithmetic", TypeError)

    def __getitem__(self, _: Any) -> NoReturn:
        self._refuse("an index", TypeError)

    def __repr__(self) -> str:
        return f"<SymbolicTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


@dataclass(eq=False)
class Node:
    """One call of a layer: `inputs` has one symbolic tensor or a list of them."""

    layer: Any
    inputs: SymbolicTensor | list[SymbolicTensor] | None
    outputs: list[SymbolicTensor] = field(default_factory=list)

    @property
    def sources(self) -> list[SymbolicTensor]:
        """The tensors that the call reads."""
        return as_list(self.inputs)


def as_list(value: Any) -> list[Any]:
    """Several things as a list, one thing as a list of one, None as an empty one."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


@dataclass
class Call:
    """What one run of a node leaves behind for the way back."""

    node: Node
    cache: Any
    output: Any


class Graph:
    """Everything between inputs and outputs.

    Parameters
    ----------
    inputs, outputs : list of SymbolicTensor

    Attributes
    ----------
    nodes : list of Node
        The calls, in an order in which they can be computed.
    layers : list
        Each layer once, by its distance from the outputs, then by the order in which it is
        met on the way back from them: Keras's order.

    Raises
    ------
    ValueError
        Where an output cannot be computed from the inputs. An input may lead nowhere.
    """

    def __init__(self, inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        walked, met = _walk(inputs, outputs)
        depths = _depths(walked, met, outputs)
        self.nodes = sorted(walked, key=lambda node: -depths[id(node)])
        self.layers = _layers(walked, met, depths, inputs)
        self._last_use = self._last_uses()

    def _last_uses(self) -> dict[int, Node | None]:
        """After which call nobody reads a tensor any more; outputs stay until the end."""
        last: dict[int, Node | None] = {}
        for node in self.nodes:
            last.update({id(tensor): node for tensor in node.sources})
        last.update({id(tensor): None for tensor in self.outputs})
        return last

    def forward(
        self, arrays: Sequence[np.ndarray], training: bool
    ) -> tuple[list[np.ndarray], list[Call]]:
        """Compute every call, and keep what `backward` needs.

        Parameters
        ----------
        arrays : sequence of array
            One for each input.
        training : bool

        Returns
        -------
        outputs : list of array
        calls : list of Call
            For `backward`.
        """
        calls: list[Call] = []

        def run(node: Node, given: Any) -> Any:
            output, cache = node.layer.run(given, training)
            calls.append(Call(node, cache, output))
            return output

        return self._compute(arrays, run), calls

    def infer(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Compute every call, and let an array go as soon as its last reader is done.

        Parameters
        ----------
        arrays : sequence of array
            One for each input.

        Returns
        -------
        list of array
            The outputs.
        """
        return self._compute(arrays, _infer)

    def _compute(
        self, arrays: Sequence[np.ndarray], run: Callable[[Node, Any], Any]
    ) -> list[np.ndarray]:
        values = {id(tensor): array for tensor, array in zip(self.inputs, arrays, strict=True)}
        for node in self.nodes:
            self._step(node, values, run)  # a call of its own: what it holds ends with it
        return [values[id(tensor)] for tensor in self.outputs]

    def _step(
        self, node: Node, values: dict[int, np.ndarray], run: Callable[[Node, Any], Any]
    ) -> None:
        given = [values[id(tensor)] for tensor in node.sources]
        outputs = as_list(run(node, given if isinstance(node.inputs, list) else given[0]))
        for tensor, array in zip(node.outputs, outputs, strict=True):
            if id(tensor) in self._last_use:
                values[id(tensor)] = array
        for tensor in node.sources:
            if self._last_use[id(tensor)] is node:
                values.pop(id(tensor), None)

    def backward(
        self, output_gradients: Sequence[np.ndarray], calls: list[Call], input_gradient: bool
    ) -> tuple[list[np.ndarray | None], dict[int, np.ndarray]]:
        """Go back through the calls.

        Parameters
        ----------
        output_gradients : sequence of array
            The loss's gradient with respect to each output.
        calls : list of Call
            What `forward` returned.
        input_gradient : bool
            Whether the gradient with respect to the inputs is wanted.

        Returns
        -------
        input_gradients : list of array
            None in place of what was not wanted, or what the outputs do not depend on.
        gradients : dict
            From the ``id`` of a variable to the gradient with respect to it: the sum over all
            calls of its layer.
        """
        wanted = self._wanted(calls, input_gradient)
        arriving: dict[int, np.ndarray] = {}
        for tensor, gradient in zip(self.outputs, output_gradients, strict=True):
            _add(arriving, id(tensor), gradient)
        gradients: dict[int, np.ndarray] = {}
        for call in reversed(calls):
            self._back_through(call, arriving, wanted, gradients)
        return [arriving.get(id(tensor)) for tensor in self.inputs], gradients

    def _back_through(
        self,
        call: Call,
        arriving: dict[int, np.ndarray],
        wanted: set[int],
        gradients: dict[int, np.ndarray],
    ) -> None:
        node, layer = call.node, call.node.layer
        upstream = [arriving.pop(id(tensor), None) for tensor in node.outputs]
        below = any(id(tensor) in wanted for tensor in node.sources)
        variables = layer.trainable_variables
        if all(gradient is None for gradient in upstream) or not (below or variables):
            return
        outputs = as_list(call.output)
        filled = [
            np.zeros_like(output) if gradient is None else gradient
            for gradient, output in zip(upstream, outputs, strict=True)
        ]
        single = not isinstance(call.output, list)
        gradient = layer.add_activity_gradient(filled[0], call.output) if single else filled
        to_inputs, to_variables = layer.backward(gradient, call.cache, below)
        for variable, part in zip(variables, to_variables, strict=True):
            _add(gradients, id(variable), part)
        for tensor, part in zip(node.sources, as_list(to_inputs)):  # noqa: B905 (none wanted: none)
            if id(tensor) in wanted:
                _add(arriving, id(tensor), part)

    def _wanted(self, calls: list[Call], input_gradient: bool) -> set[int]:
        """The tensors whose gradient somebody needs: those above a weight that is trained."""
        wanted = {id(tensor) for tensor in self.inputs} if input_gradient else set()
        for call in calls:
            node = call.node
            above = any(id(tensor) in wanted for tensor in node.sources)
            if above or node.layer.trainable_variables or node.layer.activity_regularizer:
                wanted.update(id(tensor) for tensor in node.outputs)
        return wanted

    def activity_losses(self, calls: Iterable[Call]) -> list[float]:
        """What the activity regularizers add to the loss, call by call."""
        parts = [call.node.layer.activity_losses(call.output, call.cache) for call in calls]
        return [loss for part in parts for loss in part]

    def update(self, calls: Iterable[Call]) -> None:
        """Let each layer keep what it learns from a batch without gradients (statistics)."""
        for call in calls:
            call.node.layer.update(call.cache)


def _infer(node: Node, given: Any) -> Any:
    # A model that stands as a layer in another must let its own arrays go as well.
    infer = getattr(node.layer, "infer", None)
    return infer(given) if infer else node.layer.run(given, False)[0]


def _add(gradients: dict[int, np.ndarray], key: int, part: np.ndarray) -> None:
    gradients[key] = gradients[key] + part if key in gradients else part


def _walk(
    inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]
) -> tuple[list[Node], dict[int, int]]:
    """The calls in an order in which they can be made, and the order in which layers are met."""
    given = {id(tensor) for tensor in inputs}
    done: dict[int, Node] = {}
    met: dict[int, int] = {}
    stack: list[tuple[SymbolicTensor, bool]] = [(tensor, False) for tensor in reversed(outputs)]
    while stack:  # a loop and not a recursion: a deep network is no deep stack of calls
        tensor, sources_done = stack.pop()
        node = tensor.node
        if id(tensor) in given:
            met.setdefault(id(node.layer), len(met))
        elif sources_done:
            done.setdefault(id(node), node)
        elif id(node) not in done:
            if node.inputs is None:
                _refuse_unconnected(tensor, inputs)
            met.setdefault(id(node.layer), len(met))
            stack.append((tensor, True))
            stack += [(source, False) for source in reversed(node.sources)]
    return list(done.values()), met


def _refuse_unconnected(tensor: SymbolicTensor, inputs: list[SymbolicTensor]) -> NoReturn:
    raise ValueError(
        "Every output must be computed from the model's `inputs`. "
        f"The output path is not connected to `inputs`: it also needs {tensor.name!r}. "
        f"Received: inputs={[given.name for given in inputs]}. Add the missing input."
    )


def _depths(
    nodes: list[Node], met: dict[int, int], outputs: list[SymbolicTensor]
) -> dict[int, int]:
    """How many calls lie between a call and the outputs, on the longest way."""
    depth_of_layer: dict[int, int] = {}
    depths: dict[int, int] = {}
    for node in reversed(nodes):
        depth = max(depths.get(id(node), 0), depth_of_layer.get(id(node.layer), 0))
        depths[id(node)] = depth_of_layer[id(node.layer)] = depth
        for tensor in node.sources:
            below = tensor.node
            depths[id(below)] = max(depths.get(id(below), 0), depth + 1)
    return depths


def _layers(
    nodes: list[Node],
    met: dict[int, int],
    depths: dict[int, int],
    inputs: list[SymbolicTensor],
) -> list[Any]:
    layers: dict[int, Any] = {}
    depth: dict[int, int] = {}
    entries = [tensor.node for tensor in inputs if tensor.node.inputs is None]
    for node in [*entries, *nodes]:
        layers[id(node.layer)] = node.layer
        depth[id(node.layer)] = max(depth.get(id(node.layer), 0), depths.get(id(node), 0))
    return sorted(layers.values(), key=lambda layer: (-depth[id(layer)], met.get(id(layer), -1)))
