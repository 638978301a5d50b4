"""`Model`: a graph of layers, from some inputs to some outputs, that can be trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convlab.graph import Graph, SymbolicTensor, as_list
from convlab.layers.base import Layer, as_list_of_shapes
from convlab.models.saving import Saving
from convlab.models.training import Training
from convlab.names import auto_name
from convlab.variables import Variable

__all__ = ["Model"]

_OLD_NAMES = {"input": "inputs", "output": "outputs"}


class Model(Saving, Training, Layer):
    """A network of any shape without cycles, from its inputs to its outputs.

    Parameters
    ----------
    inputs, outputs : SymbolicTensor, or a list or dict of them
        Where arrays enter, and what comes out. The layers in between are found by walking
        back from the outputs. Data is given, and predictions are returned, in the same form.
    name : str, optional
    trainable : bool, default True

    Attributes
    ----------
    layers : list of Layer
        In the order of the weights. An `InputLayer` is among them.
    inputs, outputs : list of SymbolicTensor

    Raises
    ------
    ValueError
        Where an output is not reached from the inputs, two layers have one name, or something
        else than a symbolic tensor is given.

    Examples
    --------
    >>> from convlab import layers
    >>> image = layers.Input((8, 8, 4))
    >>> bent = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    >>> model = Model(image, layers.Add()([image, bent]))
    >>> model.output_shape, model.count_params()
    ((None, 8, 8, 4), 148)
    """

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        _refuse_old_names(kwargs)
        super().__init__(name=name or self._auto_name(), trainable=trainable)
        self._inputs_form = inputs
        self._outputs_form = outputs
        self._graph: Graph | None = Graph(_tensors("inputs", inputs), _tensors("outputs", outputs))
        _refuse_repeated_names(self._graph.layers)
        self.built = True
        self._start_uncompiled()
        if not trainable:
            self.trainable = False

    def _auto_name(self) -> str:
        return auto_name("Functional")

    @property
    def graph(self) -> Graph:
        """The calls between inputs and outputs.

        Raises
        ------
        ValueError
            Where they are not known yet: a Sequential model without an input shape.
        """
        if self._graph is None:
            raise ValueError(
                f"The model {self.name!r} is not built yet: it does not know the shape of its "
                "input. Begin it with layers.Input(shape), or call it with an array."
            )
        return self._graph

    @property
    def layers(self) -> list[Layer]:
        """The layers, each once."""
        return list(self.graph.layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name, or by its place in `layers`.

        Parameters
        ----------
        name : str, optional
        index : int, optional
            One of the two.

        Returns
        -------
        Layer

        Raises
        ------
        ValueError
            Where there is none, with the names there are.
        """
        if (name is None) == (index is None):
            raise ValueError(
                f"Give either `name` or `index`. Received: name={name!r}, index={index!r}."
            )
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"The model has {len(layers)} layers. Received: index={index}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ValueError(f"No such layer. Received: name={name!r}. The layers are: {names}.")

    # ---- shapes ------------------------------------------------------------------------

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """Where arrays enter."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """What comes out."""
        return list(self.graph.outputs)

    @property
    def input(self) -> Any:
        """The one input, or the inputs as they were given."""
        self.graph  # noqa: B018 (raises where there is none)
        return self._inputs_form

    @property
    def output(self) -> Any:
        """The one output, or the outputs as they were given."""
        self.graph  # noqa: B018
        return self._outputs_form

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list of shapes."""
        return _shapes(self.input, self.inputs)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or a list of shapes."""
        return _shapes(self.output, self.outputs)

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse data of another shape than the inputs'."""
        shapes = as_list_of_shapes(input_shape)
        if len(shapes) != len(self.inputs):
            raise ValueError(
                f"The model {self.name!r} expects {len(self.inputs)} input(s): "
                f"{[tensor.name for tensor in self.inputs]}. Received: {len(shapes)}."
            )
        for tensor, shape in zip(self.inputs, shapes, strict=True):
            if not _fits(shape, tensor.shape):
                self._refuse_shape(tensor, shape)

    def _refuse_shape(self, tensor: SymbolicTensor, shape: Sequence[int | None]) -> None:
        way_out = ""
        if len(shape) == len(tensor.shape) - 1:
            way_out = " An axis is missing: the batch (x[None]) or the channels (x[..., None])."
        raise ValueError(
            f"Input {tensor.name!r} of model {self.name!r} is incompatible: "
            f"expected shape={tensor.shape}, found shape={tuple(shape)}.{way_out}"
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input shape.

        Parameters
        ----------
        input_shape : tuple of (int or None), or a list of them

        Returns
        -------
        tuple of (int or None), or a list of them
        """
        given = as_list_of_shapes(input_shape)
        shapes: dict[int, Any] = {
            id(tensor): shape for tensor, shape in zip(self.inputs, given, strict=True)
        }
        for node in self.graph.nodes:
            sources = [shapes[id(tensor)] for tensor in node.sources]
            several = isinstance(node.inputs, list)
            result = node.layer.compute_output_shape(sources if several else sources[0])
            for tensor, shape in zip(node.outputs, as_list_of_shapes(result), strict=True):
                shapes[id(tensor)] = shape
        results = [shapes[id(tensor)] for tensor in self.outputs]
        return results if isinstance(self.output, Mapping) or len(results) > 1 else results[0]

    # ---- weights -----------------------------------------------------------------------

    @property
    def weights(self) -> list[Variable]:
        """Every weight, layer by layer."""
        return _unique(v for layer in self._known_layers() for v in layer.weights)

    variables = weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training changes, layer by layer."""
        if not self.trainable:
            return []
        return _unique(v for layer in self._known_layers() for v in layer.trainable_variables)

    trainable_weights = trainable_variables

    @property
    def trainable(self) -> bool:
        """Whether training may change the weights; set, it is set for every layer."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._known_layers():
            layer.trainable = bool(value)

    def _known_layers(self) -> list[Layer]:
        return self._graph.layers if self._graph is not None else []

    @property
    def losses(self) -> list[float]:
        """The penalties, first of the last call's outputs, then of each weight that is trained."""
        return super().losses

    # ---- forward and back --------------------------------------------------------------

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the model to arrays, or place it in a graph, as a layer.

        Parameters
        ----------
        inputs : array or SymbolicTensor, or a list or dict of them
        training : bool, optional

        Returns
        -------
        array or SymbolicTensor, or a list or dict of them
            As the outputs were given; a list of one is that one.
        """
        ordered = self.in_order(inputs)
        parts = as_list(ordered)
        if parts and self.built and all(isinstance(part, np.ndarray) for part in parts):
            ranked = self.with_ranks(parts)
            ordered = ranked if isinstance(ordered, (list, tuple)) else ranked[0]
        result = super().__call__(ordered, training)
        return self.in_output_form(as_list(result))

    def in_order(self, inputs: Any) -> Any:
        """Inputs given by name as a list; a list and one array as they are."""
        if not isinstance(inputs, Mapping):
            return inputs
        names = self._input_names()
        if missing := [name for name in names if name not in inputs]:
            raise ValueError(
                f"The model {self.name!r} expects {len(names)} named input(s): {names}. "
                f"Received: {list(inputs)}. Missing: {missing}."
            )
        ordered = [inputs[name] for name in names]
        return ordered if len(ordered) > 1 else ordered[0]

    def with_ranks(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Arrays with a last axis of size 1 added, or taken away, where they fit only so.

        As in Keras: images of shape (28, 28) enter where (28, 28, 1) is expected.

        Parameters
        ----------
        arrays : list of array
            One for each input.

        Returns
        -------
        list of array
        """
        if len(arrays) != len(self.inputs):
            return arrays
        return [
            _with_rank(array, tensor.shape)
            for array, tensor in zip(arrays, self.inputs, strict=True)
        ]

    def _input_names(self) -> list[str]:
        form = self.input
        return list(form) if isinstance(form, Mapping) else [tensor.name for tensor in self.inputs]

    def output_names(self) -> list[str]:
        """A name for each output: its key, or the layer that makes it."""
        form = self.output
        if isinstance(form, Mapping):
            return list(form)
        return [tensor.node.layer.name for tensor in self.outputs]

    def in_output_form(self, arrays: list[Any]) -> Any:
        """A list of arrays in the form in which the outputs were given."""
        form = self.output
        if isinstance(form, Mapping):
            return dict(zip(form, arrays, strict=True))
        return list(arrays) if len(arrays) > 1 else arrays[0]  # a list of one is that one

    def run(self, inputs: Any, training: bool) -> tuple[Any, Any]:
        """`forward`; each layer casts its own inputs."""
        return self.forward(inputs, training)

    def forward(self, inputs: Any, training: bool = False) -> tuple[Any, Any]:
        """Every layer in turn.

        Parameters
        ----------
        inputs : array or list of array
        training : bool, default False

        Returns
        -------
        output : array or list of array
        cache : list
        """
        outputs, calls = self.graph.forward(self._cast_inputs(inputs), training)
        return (outputs if len(outputs) > 1 else outputs[0]), calls

    def _cast_inputs(self, inputs: Any) -> list[np.ndarray]:
        with np.errstate(over="ignore"):  # too large for the dtype is infinite, as in Keras
            return [
                array.astype(tensor.dtype, copy=False)
                for tensor, array in zip(self.inputs, as_list(inputs), strict=True)
            ]

    def infer(self, inputs: Any) -> list[np.ndarray]:
        """The outputs alone: nothing is kept for a way back.

        Parameters
        ----------
        inputs : array or list of array

        Returns
        -------
        list of array
        """
        return self.graph.infer(self._cast_inputs(inputs))

    def backward(
        self, output_gradient: Any, cache: Any, input_gradient: bool = True
    ) -> tuple[Any, list[np.ndarray]]:
        """Back through every call.

        Parameters
        ----------
        output_gradient : array or list of array
        cache : list
        input_gradient : bool, default True

        Returns
        -------
        input_gradient : array, list of array or None
        gradients : list of array
            For `trainable_variables`.
        """
        to_inputs, found = self.graph.backward(as_list(output_gradient), cache, input_gradient)
        gradients = [
            found[id(v)] if id(v) in found else np.zeros(v.shape, v.dtype)
            for v in self.trainable_variables
        ]
        return (to_inputs if len(to_inputs) > 1 else to_inputs[0]), gradients

    def activity_losses(self, output: Any, cache: Any) -> list[float]:
        """The penalties on the outputs of all layers inside."""
        return self.graph.activity_losses(cache)

    def update(self, cache: Any) -> None:
        """Let each layer keep what it learns from a batch without gradients."""
        self.graph.update(cache)

    # ---- pictures and configs ----------------------------------------------------------

    def summary(self, line_length: int | None = None, print_fn: Any = None) -> Any:
        """Print the layers with their output shapes and parameters.

        Parameters
        ----------
        line_length : int, optional
            Characters in a line; at most 88 where None.
        print_fn : callable, optional
            Gets the whole text once, instead of the screen.
        """
        from convlab.models.summary import summary

        return summary(self, line_length, print_fn)

    def _repr_html_(self) -> str:
        """The table of `summary`, for a notebook."""
        from convlab.models.summary import summary_html

        return summary_html(self)

    def get_config(self) -> dict[str, Any]:
        """The layers and how they are connected, as Keras writes them."""
        from convlab.models.configs import functional_config

        return functional_config(self)

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
        Model

        Raises
        ------
        ValueError, TypeError
            Where the config does not describe a model.
        """
        from convlab.models.configs import functional_from_config

        return functional_from_config(cls, config, custom_objects)


def _refuse_old_names(kwargs: Mapping[str, Any]) -> None:
    if not kwargs:
        return
    known = [f"`{_OLD_NAMES[key]}` for {key}" for key in kwargs if key in _OLD_NAMES]
    way_out = f" Today's names: {', '.join(known)}." if known else ""
    raise ValueError(f"Unrecognized keyword arguments passed to Model: {sorted(kwargs)}.{way_out}")


def _tensors(name: str, form: Any) -> list[SymbolicTensor]:
    tensors = list(form.values()) if isinstance(form, Mapping) else as_list(form)
    wrong = [tensor for tensor in tensors if not isinstance(tensor, SymbolicTensor)]
    if not tensors or wrong:
        received = type(wrong[0]).__name__ if wrong else "none"
        way_out = ""
        if wrong and isinstance(wrong[0], Layer):
            way_out = " That is a layer: call it with a symbolic tensor and give what it returns."
        raise ValueError(
            f"All `{name}` values must be symbolic tensors, as layers.Input and layers return "
            f"them. Received: {received}.{way_out}"
        )
    return tensors


def _refuse_repeated_names(layers: Sequence[Layer]) -> None:
    for name, count in Counter(layer.name for layer in layers).items():
        if count > 1:
            raise ValueError(
                f'The name "{name}" is used {count} times in the model. All layer '
                "names should be unique. Give one of them another `name`."
            )


def _fits(shape: Sequence[int | None], wanted: Sequence[int | None]) -> bool:
    """Whether the axes fit; the batch may have any size, even where `Input` names one."""
    return len(shape) == len(wanted) and all(
        have is None or want is None or have == want
        for have, want in zip(shape[1:], wanted[1:], strict=True)
    )


def _with_rank(array: np.ndarray, wanted: Sequence[int | None]) -> np.ndarray:
    if wanted[-1] == 1 and _fits((*array.shape, 1), wanted):
        return array[..., None]
    if array.shape[-1:] == (1,) and _fits(array.shape[:-1], wanted):
        return array[..., 0]
    return array


def _shapes(form: Any, tensors: list[SymbolicTensor]) -> Any:
    if isinstance(form, Mapping):
        return {name: tensor.shape for name, tensor in form.items()}
    shapes = [tensor.shape for tensor in tensors]
    return shapes if len(shapes) > 1 else shapes[0]


def _unique(variables: Any) -> list[Variable]:
    """Each variable once: a shared layer, or one that stands in two models, counts once."""
    return list({id(variable): variable for variable in variables}.values())
