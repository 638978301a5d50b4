"""`Sequential`: a model that is a list of layers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from convlab.graph import Graph, SymbolicTensor, as_list
from convlab.layers.base import Layer, as_shapes, path_scope
from convlab.layers.input import InputLayer
from convlab.models.model import Model
from convlab.names import auto_name

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers one after another.

    Parameters
    ----------
    layers : iterable of Layer, optional
        May begin with `Input`. Without it, the model is built by the first data it sees.
    trainable : bool, default True
    name : str, optional

    Raises
    ------
    ValueError
        For something that is no layer, or two layers of one name.

    Examples
    --------
    >>> from convlab import layers
    >>> model = Sequential([layers.Input((28, 28, 1)), layers.Conv2D(32, 5, activation="relu")])
    >>> model.add(layers.MaxPooling2D(2))
    >>> model.output_shape
    (None, 12, 12, 32)
    """

    def __init__(
        self,
        layers: Iterable[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        Layer.__init__(self, name=name or auto_name("Sequential"), trainable=trainable)
        self._graph: Graph | None = None
        self._inputs_form = self._outputs_form = None
        self._stack: list[Layer] = []
        self._entry: InputLayer | None = None
        self._start_uncompiled()
        for layer in _iterable(layers):
            self.add(layer)
        if not trainable:
            self.trainable = False

    def add(self, layer: Any, rebuild: bool = True, **kwargs: Any) -> None:
        """Put a layer at the end.

        Parameters
        ----------
        layer : Layer or Input
        rebuild : bool, default True
            Accepted for Keras's sake.

        Raises
        ------
        ValueError
            For something that is no layer, or a name that is taken.
        TypeError
            For arguments that belong to the layer.
        """
        if kwargs:
            name, value = next(iter(kwargs.items()))
            raise TypeError(
                f"Sequential.add() got an unexpected keyword argument {name!r}: it takes a layer "
                f"alone. Received: {name}={value!r}. Give it to the layer: "
                f"add(Conv2D(..., {name}=...))."
            )
        entry = _as_entry(layer)
        if entry is not None:
            self._begin_with(entry)
            return
        if not isinstance(layer, Layer):
            way_out = " Make one of it: call the class." if isinstance(layer, type) else ""
            raise ValueError(
                "Only layers can be added to a Sequential model. "
                f"Received: {layer!r} of type {type(layer).__name__}.{way_out}"
            )
        self._refuse_taken_name(layer)
        if self._entry is not None:
            self._extend(layer)
        elif not self._stack and layer.input_shape_hint is not None:
            self._begin_with(InputLayer(layer.input_shape_hint))
            self._extend(layer)
        elif not self._stack and isinstance(layer, Model) and layer.built:
            self._begin_with(InputLayer(batch_shape=layer.input_shape))
            self._extend(layer)
        else:
            self._stack.append(layer)

    def _refuse_taken_name(self, layer: Layer) -> None:
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. The name "
                f"{layer.name!r} is already the name of a layer in this model. "
                "Give one of them another `name`."
            )

    def _begin_with(self, entry: InputLayer) -> None:
        if self._stack or self._entry is not None:
            raise ValueError(
                f"A Sequential model has one input, at its beginning. Received: {entry.name!r} "
                f"after {[layer.name for layer in self.all_layers()]}."
            )
        self._entry = entry
        self._inputs_form = self._outputs_form = entry.output
        self._graph = None
        self.built = True

    @property
    def graph(self) -> Graph:
        """The calls between input and output."""
        if self._graph is None and self._entry is not None:
            # When it is first needed: not once for each layer that is added.
            self._graph = Graph([self._entry.output], as_list(self._outputs_form))
        return super().graph

    def _extend(self, layer: Layer) -> None:
        """Put one more layer behind the graph; where it does not fit, nothing changes."""
        with path_scope(self.name):
            output = layer(self._outputs_form)
        if isinstance(output, list):
            raise ValueError(
                "Every layer of a Sequential model must have one output. "
                f"Received: {layer.name!r} with {len(output)}. Use Model(inputs, outputs)."
            )
        self._graph = None
        self._outputs_form = output
        self._stack.append(layer)
        self._forget_shapes()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer away.

        Returns
        -------
        Layer
            The layer that was last.

        Raises
        ------
        IndexError
            Where there is none.
        """
        if not self._stack:
            raise IndexError(f"There is no layer to take away. Received: {self.name!r}, empty.")
        layer = self._stack.pop()
        self._forget_shapes()
        if self._entry is not None:
            node = self._outputs_form.node  # the layer may have been called elsewhere since
            layer._nodes.remove(node)
            self._graph, self._outputs_form = None, node.inputs
        return layer

    def all_layers(self) -> list[Layer]:
        """The layers, with the input's where it is known."""
        return [*([self._entry] if self._entry else []), *self._stack]

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input's."""
        return list(self._stack)

    def _known_layers(self) -> list[Layer]:
        return self._stack

    def output_names(self) -> list[str]:
        """The name of the last layer, known before the model is built."""
        return [layer.name for layer in self.all_layers()[-1:]] or [self.name]

    def build(self, input_shape: Any = None) -> None:
        """Fix the input's shape and make all weights.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch.
        """
        if self.built:
            return
        if input_shape is None:
            raise ValueError(
                "`input_shape` must be a shape with the batch. Received: input_shape=None. "
                f"Write {self.name}.build((None, height, width, channels))."
            )
        shape = as_shapes(input_shape)
        if isinstance(shape, list):
            raise ValueError(
                "A Sequential model has one input. "
                f"Received: {len(shape)} shapes, {shape}. Use Model(inputs, outputs)."
            )
        if not self._stack:
            raise ValueError(
                f"The model {self.name!r} has no layers yet. Add one with model.add(layer)."
            )
        with _as_they_were([self, *_inside(self)]):
            layers, self._stack = self._stack, []
            self._begin_with(InputLayer(batch_shape=(None, *shape[1:])))
            for layer in layers:
                self._extend(layer)

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the layers to an array, or place the model in a graph.

        Parameters
        ----------
        inputs : array or SymbolicTensor
        training : bool, optional

        Returns
        -------
        numpy.ndarray or SymbolicTensor
        """
        if not self.built and isinstance(inputs, (np.ndarray, SymbolicTensor)):
            self.build(inputs.shape)
        return super().__call__(inputs, training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input shape; the model may be unbuilt.

        Parameters
        ----------
        input_shape : tuple of (int or None)

        Returns
        -------
        tuple of (int or None)
        """
        shape = as_shapes(input_shape)
        for layer in self._stack:
            shape = layer.compute_output_shape(shape)
        return shape

    def get_config(self) -> dict[str, Any]:
        """The layers in order, as Keras writes them."""
        from convlab.models.configs import sequential_config

        return sequential_config(self)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """The model that `get_config` described, with new weights.

        Parameters
        ----------
        config : dict
        custom_objects : mapping of str to class or function, optional

        Returns
        -------
        Sequential
        """
        from convlab.models.configs import sequential_from_config

        return sequential_from_config(cls, config, custom_objects)


@contextmanager
def _as_they_were(layers: Sequence[Layer]) -> Iterator[None]:
    """Give layers their attributes back where the block fails: half a build is none."""
    before = [
        {name: list(v) if isinstance(v, list) else v for name, v in vars(layer).items()}
        for layer in layers
    ]
    try:
        yield
    except BaseException:
        for layer, attributes in zip(layers, before, strict=True):
            vars(layer).clear()
            vars(layer).update(attributes)
        raise


def _inside(model: Sequential) -> list[Layer]:
    """The layers, and those of the models among them that are not built either."""
    layers: list[Layer] = []
    for layer in model.layers:
        layers.append(layer)
        if isinstance(layer, Sequential):
            layers += _inside(layer)
    return layers


def _iterable(layers: Any) -> Sequence[Any]:
    if layers is None:
        return []
    if isinstance(layers, Layer) or not isinstance(layers, Iterable):
        raise ValueError(
            "`layers` must be a list of layers. "
            f"Received: {type(layers).__name__}. Write Sequential([layer])."
        )
    return list(layers)


def _as_entry(layer: Any) -> InputLayer | None:
    """The input layer behind what `Input` returned."""
    if isinstance(layer, InputLayer):
        return layer
    if isinstance(layer, SymbolicTensor) and isinstance(layer.node.layer, InputLayer):
        return layer.node.layer
    return None
