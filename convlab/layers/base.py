"""`Layer`: what all layers share. Names, weights, dtype, building, calling, configs.

A layer is arithmetic and weights; it keeps nothing of what passes through it. `forward`
returns the output together with what `backward` will need, so that one layer can stand twice
in a graph and prediction leaves no trace.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convlab import config as settings
from convlab import initializers, regularizers
from convlab.graph import Node, SymbolicTensor, as_list
from convlab.names import auto_name
from convlab.objects import Configurable
from convlab.variables import Variable

__all__ = ["Layer"]

_scope: ContextVar[str] = ContextVar("convlab_path_scope", default="")
_source: ContextVar[Callable[..., Any] | None] = ContextVar("convlab_initial_values", default=None)
POLICIES = {name: (name, name) for name in settings.FLOATS} | {
    "mixed_float16": ("float32", "float16")
}


@contextmanager
def path_scope(name: str) -> Iterator[None]:
    """Weights made inside the block have ``name/`` before their path."""
    token = _scope.set(f"{_scope.get()}{name}/")
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def initial_values(source: Callable[..., Any]) -> Iterator[None]:
    """Weights made inside the block begin as ``source(shape, dtype=...)``, not as initialized.

    For models whose weights come from elsewhere, such as a file.
    """
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


class Layer(Configurable):
    """The base of every layer.

    A layer of your own inherits from it and defines `create_weights` (where it has any),
    `compute_output_shape`, `forward` and `backward`.

    Parameters
    ----------
    name : str, optional
        Without a slash. Made from the class's name where None: ``"conv2d"``, ``"conv2d_1"``.
    trainable : bool, default True
        Whether training may change the weights.
    dtype : str, optional
        "float16", "float32", "float64", or "mixed_float16" (float32 weights, float16
        arithmetic); `config.floatx` where None.
    activity_regularizer : optional
        A penalty on the output, divided by the batch size.
    input_shape : tuple of int, optional
        Shape of one input, for a model that begins with this layer. Better: begin with `Input`.

    Raises
    ------
    ValueError
        For an unknown argument, or a name or dtype that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> class Doubled(Layer):
    ...     def forward(self, inputs, training=False):
    ...         return 2 * inputs, None
    ...     def backward(self, output_gradient, cache, input_gradient=True):
    ...         return 2 * output_gradient, []
    >>> Doubled()(np.ones((1, 2)))
    array([[2., 2.]], dtype=float32)
    """

    # Keras's keyword arguments that have no meaning here and change no number.
    _ACCEPTED = ("autocast", "input_shape", "input_dim")
    # Keras's arguments that would change numbers, and of which only the default is known here.
    _ONLY_NONE: tuple[str, ...] = ()
    _min_ndim: int | None = None
    _ndim: int | None = None

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        self._refuse_unknown(kwargs)
        self.name = self._checked_name(name)
        self._trainable = _checked_trainable(trainable)
        self._policy = _policy(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_shape_hint = _shape_hint(kwargs)
        self._variables: list[Variable] = []
        self._build_shape: Any = None
        self._nodes: list[Node] = []
        self._called_losses: list[float] = []

    def _refuse_unknown(self, kwargs: Mapping[str, Any]) -> None:
        asked = {key: kwargs[key] for key in self._ONLY_NONE if kwargs.get(key) is not None}
        if asked:
            raise ValueError(
                f"{', '.join(asked)}: Keras can do this, this package cannot. "
                f"Received: {asked} for {type(self).__name__}. Leave it out."
            )
        known = {*self._ACCEPTED, *self._ONLY_NONE}
        unknown = {key: value for key, value in kwargs.items() if key not in known}
        if unknown:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {unknown}."
            )

    def _checked_name(self, name: Any) -> str:
        if name is None:
            return auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f'`name` must be text without "/". Received: name={name!r} for a '
                f"{type(self).__name__} layer."
            )
        return name

    # ---- dtype -------------------------------------------------------------------------

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        return POLICIES[self._policy][0]

    variable_dtype = dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of inputs and outputs."""
        return POLICIES[self._policy][1]

    # ---- weights -----------------------------------------------------------------------

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str = "variable",
    ) -> Variable:
        """Make a weight; for `create_weights`.

        Parameters
        ----------
        shape : tuple of int
        initializer : optional
            A name, config or object; "glorot_uniform" where None.
        dtype : optional
            The layer's where None.
        trainable : bool, default True
        regularizer, constraint : optional
        name : str

        Returns
        -------
        Variable
        """
        if None in tuple(shape):
            raise ValueError(
                "A weight's shape must be known when it is made: give the input a size along "
                f"every axis that counts. Received: shape={tuple(shape)} for "
                f"{self.name}/{name}."
            )
        make = _source.get() or initializers.get(
            "glorot_uniform" if initializer is None else initializer
        )
        dtype = dtype or self.variable_dtype
        variable = Variable(
            make(tuple(shape), dtype=dtype), name, dtype, trainable, constraint, regularizer,
            path=f"{_scope.get()}{self.name}/{name}",
        )  # fmt: skip
        if variable.shape != tuple(shape):
            raise ValueError(
                f"The initializer of {self.name}/{name} must return an array of shape "
                f"{tuple(shape)}. Received: one of shape {variable.shape}."
            )
        self._variables.append(variable)
        return variable

    @property
    def weights(self) -> list[Variable]:
        """Every weight, the trainable ones first."""
        trained = [v for v in self._variables if v.trainable]
        return trained + [v for v in self._variables if not v.trainable]

    variables = weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training changes; none where ``trainable`` is False."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) not in trained]

    non_trainable_weights = non_trainable_variables

    @property
    def trainable(self) -> bool:
        """Whether training may change the weights."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises
        ------
        ValueError
            Before the layer is built: the shape of its weights follows from its input.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer {self.name!r}, but the layer isn't "
                "built: the shape of its weights follows from its input. "
                f"Call it with an array, or `layer.build(input_shape)`, first."
            )
        return sum(variable.size for variable in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in the order of `weights`: empty before the layer is built."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace all weights. Where one does not fit, none is replaced.

        Parameters
        ----------
        weights : sequence of array
            As `get_weights` returns them; cast to each weight's dtype.

        Raises
        ------
        ValueError
            For another number of arrays, or an array of another shape.
        """
        own = self.weights
        arrays = [np.asarray(array) for array in weights]
        if len(arrays) != len(own):
            way_out = "" if self.built else " The layer is not built yet: call it first."
            raise ValueError(
                f"You called `set_weights(weights)` on layer {self.name!r} with a weight list of "
                f"length {len(arrays)}, but the layer was expecting {len(own)} weights.{way_out}"
            )
        for variable, array in zip(own, arrays, strict=True):
            if variable.shape != array.shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} is not compatible with "
                    f"provided weight shape {array.shape}, for {variable.path!r}."
                )
        for variable, array in zip(own, arrays, strict=True):
            variable.assign(array)

    @property
    def losses(self) -> list[float]:
        """The penalties, first of the last call's output, then of each weight that is trained."""
        return [*self._called_losses, *weight_losses(self.trainable_variables)]

    # ---- shapes and building -----------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights, whose shapes follow from the input's. The first call does it.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch; a list of them for several inputs.
        """
        if self.built:
            return
        shape = as_shapes(input_shape)
        self.check_input_shape(shape)
        try:
            self.create_weights(shape)
        except BaseException:
            self._variables.clear()
            raise
        self._build_shape = shape
        self.built = True

    def create_weights(self, input_shape: Any) -> None:
        """Call `add_weight` for each weight. A layer without weights leaves it out."""

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input that the layer cannot take; before and after it is built."""
        shapes = as_shapes(input_shape)
        takes_one = self._ndim is not None or self._min_ndim is not None
        if takes_one and isinstance(shapes, list):
            raise ValueError(
                f"Layer {self.name!r} expects 1 input, an array of its own, and no list. "
                f"Received: a list of {len(shapes)}, of shapes {shapes}."
            )
        for shape in as_list_of_shapes(shapes):
            self._check_ndim(shape)

    def _check_ndim(self, shape: Sequence[int | None]) -> None:
        wanted = None
        if self._ndim is not None and len(shape) != self._ndim:
            wanted = f"expected ndim={self._ndim}"
        elif self._min_ndim is not None and len(shape) < self._min_ndim:
            wanted = f"expected min_ndim={self._min_ndim}"
        if wanted:
            self.refuse_input(wanted, f"found ndim={len(shape)}", shape)

    def refuse_input(self, wanted: str, found: str, shape: Sequence[int | None]) -> None:
        """Raise Keras's error for an input of a wrong shape."""
        way_out = ""
        if self._min_ndim == 4 or self._ndim == 4:
            if len(shape) == 3:
                way_out = " Add the batch axis: x[np.newaxis]; or the channel axis: x[..., None]."
            elif len(shape) < 3:
                way_out = " An image needs (height, width, channels) behind the batch."
        raise ValueError(
            f"Input of layer {self.name!r} is incompatible with the layer: {wanted}, {found}. "
            f"Full shape received: {tuple(shape)}.{way_out}"
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output: the input's, unless the layer says otherwise.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch.

        Returns
        -------
        tuple of (int or None)
        """
        return as_shapes(input_shape)

    # ---- calling -----------------------------------------------------------------------

    def forward(self, inputs: Any, training: bool = False) -> tuple[Any, Any]:
        """Compute the output, and what `backward` will need.

        Parameters
        ----------
        inputs : array or list of array
            Of the layer's compute dtype.
        training : bool, default False

        Returns
        -------
        output : array
        cache : object
            For `backward`, and for nobody else.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward.")

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[Any, list[np.ndarray]]:
        """Go back through one call.

        Parameters
        ----------
        output_gradient : array
            The loss's gradient with respect to the output.
        cache : object
            What `forward` returned with that output.
        input_gradient : bool, default True
            Whether the gradient with respect to the input is wanted; the first layer of a
            network can save that work.

        Returns
        -------
        input_gradient : array, list of array or None
        gradients : list of array
            One for each of `trainable_variables`, in that order.
        """
        raise NotImplementedError(f"{type(self).__name__} must define backward.")

    def update(self, cache: Any) -> None:
        """Keep what a training batch taught without gradients: nothing, in most layers."""

    def extra_state(self) -> dict[str, Any]:
        """What a layer must remember beside its weights, as JSON can hold it: seeds, say."""
        return {}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `extra_state` gave."""

    def trained_gradients(
        self, pairs: Sequence[tuple[Variable | None, Callable[[], np.ndarray]]]
    ) -> list[np.ndarray]:
        """The gradients that `backward` returns: of the weights that are trained, and no other.

        Parameters
        ----------
        pairs : sequence of (Variable or None, callable)
            Each weight, in the order in which it was made, and what computes its gradient. None
            stands for a weight that the layer does without.
        """
        trained = {id(variable) for variable in self.trainable_variables}
        return [compute() for variable, compute in pairs if id(variable) in trained]

    def activity_losses(self, output: Any, cache: Any) -> list[float]:
        """The penalty on an output, divided by the batch size, where there is one."""
        if self.activity_regularizer is None:
            return []
        return [float(self.activity_regularizer(output)) / max(len(output), 1)]

    def add_activity_gradient(self, output_gradient: np.ndarray, output: Any) -> np.ndarray:
        """The gradient that arrives at the output, with that of its penalty."""
        if self.activity_regularizer is None:
            return output_gradient
        slope = regularizers.gradient(self.activity_regularizer, output) / max(len(output), 1)
        return output_gradient + slope.astype(output_gradient.dtype, copy=False)

    def run(self, inputs: Any, training: bool) -> tuple[Any, Any]:
        """`forward`, with the inputs cast to the compute dtype."""
        if isinstance(inputs, list):
            return self.forward([self._cast(array) for array in inputs], training)
        return self.forward(self._cast(inputs), training)

    def _cast(self, array: np.ndarray) -> np.ndarray:
        if array.dtype == self.compute_dtype:
            return array
        with np.errstate(over="ignore"):  # too large for the dtype is infinite, as in Keras
            return array.astype(self.compute_dtype)

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Apply the layer to arrays, or place it in a graph.

        Parameters
        ----------
        inputs : array or SymbolicTensor, or a list of them
        training : bool, optional
            False where None.

        Returns
        -------
        numpy.ndarray or SymbolicTensor
        """
        parts = as_list(inputs) or [inputs]
        if any(isinstance(part, SymbolicTensor) for part in parts):
            return self._place(inputs)
        arrays = [self._as_array(part) for part in parts]
        several = isinstance(inputs, (list, tuple))
        self._prepare([a.shape for a in arrays] if several else arrays[0].shape)
        output, cache = self.run(arrays if several else arrays[0], bool(training))
        self._called_losses = self.activity_losses(output, cache)
        if training:
            self.update(cache)
        return output

    def _as_array(self, value: Any) -> np.ndarray:
        array = value.value if isinstance(value, Variable) else value
        rule = f"A layer is called with NumPy arrays. Received: {type(self).__name__} called with "
        if isinstance(array, (list, tuple, int, float, str)) or array is None:
            raise ValueError(f"{rule}{type(array).__name__}. Convert it with np.array first.")
        array = np.asarray(array)
        if array.dtype.kind not in "buif":
            raise ValueError(f"{rule}an array of dtype {array.dtype}. Numbers are needed.")
        return array

    def _prepare(self, input_shape: Any) -> None:
        if self.built:
            self.check_input_shape(as_shapes(input_shape))
        else:
            with_any_batch = as_shapes(input_shape)
            self.build(with_any_batch)

    def _place(self, inputs: Any) -> Any:
        """Add a call to the graph."""
        sources = list(inputs) if isinstance(inputs, (list, tuple)) else inputs
        for part in as_list(sources):
            if not isinstance(part, SymbolicTensor):
                raise ValueError(
                    "A layer is placed in a graph with symbolic tensors alone. Received: "
                    f"{self.name!r} called with {type(part).__name__} beside one."
                )
        shapes = [t.shape for t in sources] if isinstance(sources, list) else sources.shape
        self._prepare(shapes)
        node = Node(self, sources)
        output_shapes = as_list_of_shapes(self.compute_output_shape(shapes))
        for index, shape in enumerate(output_shapes):
            name = self.name if index == 0 else f"{self.name}_{index}"
            node.outputs.append(SymbolicTensor(tuple(shape), self.compute_dtype, name, node))
        self._nodes.append(node)
        return node.outputs[0] if len(node.outputs) == 1 else list(node.outputs)

    @property
    def input(self) -> Any:
        """The symbolic tensor that the layer was placed with."""
        return self._only_node("input").inputs

    @property
    def output(self) -> Any:
        """The symbolic tensor that the layer makes in its graph."""
        outputs = self._only_node("output").outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _only_node(self, what: str) -> Node:
        if len(self._nodes) != 1:
            count = "never" if not self._nodes else f"{len(self._nodes)} times"
            raise AttributeError(
                f"`layer.{what}` needs a layer that stands in a graph once. The layer "
                f"{self.name!r} was {count} called with a symbolic tensor."
            )
        return self._nodes[0]

    # ---- config ------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": {
                "module": "keras",
                "class_name": "DTypePolicy",
                "config": {"name": self._policy},
                "registered_name": None,
            },
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer that `get_config` described.

        Raises
        ------
        TypeError
            For any config that makes no layer, with what the constructor says of it.
        """
        try:
            return cls(**config)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"Error when deserializing class {cls.__name__!r} using config={dict(config)!r}: "
                f"{error}"
            ) from error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def weight_losses(variables: Sequence[Variable]) -> list[float]:
    """The penalty of each weight that has a regularizer."""
    return [float(v.regularizer(v.value)) for v in variables if v.regularizer is not None]


def as_shapes(shape: Any) -> Any:
    """A shape as a tuple; several, given as a list or tuple of shapes, as a list of tuples."""
    axes = list(shape)
    if axes and all(isinstance(axis, (list, tuple)) for axis in axes):
        return [tuple(axis) for axis in axes]
    return tuple(axes)


def as_list_of_shapes(shape: Any) -> list[tuple[int | None, ...]]:
    """One shape or several, always as a list."""
    shapes = as_shapes(shape)
    return shapes if isinstance(shapes, list) else [shapes]


def _checked_trainable(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"`trainable` must be True or False. Received: trainable={value!r}.")
    return value


def _policy(dtype: Any) -> str:
    if dtype is None:
        return settings.floatx()
    if isinstance(dtype, Mapping):
        dtype = dtype.get("config", {}).get("name")
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None and isinstance(dtype, type) and issubclass(dtype, np.generic):
        name = np.dtype(dtype).name
    if name not in POLICIES:
        known = ", ".join(POLICIES)
        raise ValueError(f"`dtype` must be one of {known}. Received: dtype={dtype!r}.")
    return str(name)


def _shape_hint(kwargs: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The old way to say what a model's first layer takes."""
    hint = kwargs.get("input_shape")
    if hint is None and kwargs.get("input_dim") is not None:
        hint = (kwargs["input_dim"],)
    if hint is None:
        return None
    warnings.warn(
        "Do not pass an `input_shape` or `input_dim` to a layer. Begin the model with "
        f"Input({tuple(hint)}) instead.",
        UserWarning,
        stacklevel=4,
    )
    return tuple(hint)
