"""Models as configs: Keras's own form, so that each library can make the other's models.

A `Sequential` is a list of layers. A functional model is its layers, each with the calls it
stands for, and every call names where its inputs come from: layer, which call of it, which
output of that call. Reading a config makes only what the catalogue of layers, or
``custom_objects``, holds, in time and memory that follow from the config's own length; the
weights alone may be larger, and `convlab.models.saving` keeps an eye on those.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn

from convlab.graph import Node, SymbolicTensor
from convlab.layers.base import Layer
from convlab.layers.input import InputLayer
from convlab.objects import custom_object_scope

__all__ = ["clone_model", "model_from_json"]

TENSOR = "__keras_tensor__"
DEEPEST = 32  # models inside models; each level of a config costs some of Python's stack

_depth: ContextVar[int] = ContextVar("convlab_config_depth", default=0)


def clone_model(model: Any) -> Any:
    """A model of the same layers with weights of its own, freshly initialized.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Model

    Examples
    --------
    >>> from convlab import layers, models
    >>> model = models.Sequential([layers.Input((28, 28, 1)), layers.Conv2D(8, 3)])
    >>> clone = models.clone_model(model)
    >>> clone.output_shape, clone.layers[0] is model.layers[0]
    ((None, 26, 26, 8), False)
    """
    return type(model).from_config(model.get_config())


def model_from_json(
    json_string: str | bytes, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """The model that `Model.to_json`, ours or Keras's, described: with new weights.

    Parameters
    ----------
    json_string : str
    custom_objects : mapping of str to class or function, optional
        Layers and functions of your own, by the names that the text has.

    Returns
    -------
    Model
        Compiled, where the text says how.

    Raises
    ------
    ValueError, TypeError
        Where the text does not describe a model.

    Examples
    --------
    >>> from convlab import layers, models
    >>> model = models.Sequential([layers.Input((28, 28, 1)), layers.Conv2D(8, 3)])
    >>> models.model_from_json(model.to_json()).output_shape
    (None, 26, 26, 8)
    """
    config = parse_json(json_string)
    with custom_object_scope(custom_objects):
        model = deserialize_layer(config)
        if not hasattr(model, "compile_from_config"):
            _refuse("The config must be a model's", config.get("class_name"), "one layer alone")
        if config.get("compile_config"):
            model.compile_from_config(config["compile_config"])
    return model


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says, or one clear error."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"The text must be JSON, as `to_json` writes it. Received: {error}."
        ) from error


# ---- writing -------------------------------------------------------------------------------


def model_config(model: Any) -> dict[str, Any]:
    """A model with its class, and how it was compiled: what `to_json` writes."""
    compiled = model.get_compile_config()
    return {**serialize_layer(model), "compile_config": compiled or {}}


def serialize_layer(layer: Any) -> dict[str, Any]:
    """A layer's class and arguments, and the input shape that it was built for."""
    from convlab import layers

    if hasattr(layer, "get_compile_config"):
        return _serialize_model(layer)
    config = dict(layers.serialize(layer))
    if layer._build_shape is not None:
        config["build_config"] = {"input_shape": layer._build_shape}
    return config


def _serialize_model(model: Any) -> dict[str, Any]:
    known = {
        "Sequential": ("keras", "Sequential", None),
        "Model": ("keras.src.models.functional", "Functional", "Functional"),
    }
    cls = type(model)
    ours = cls.__module__.startswith("convlab.models.")
    module, name, registered = known[cls.__name__] if ours else (None, cls.__name__, cls.__name__)
    config = {
        "module": module, "class_name": name, "config": model.get_config(),
        "registered_name": registered,
    }  # fmt: skip
    if "input_layers" in config["config"]:
        config["build_config"] = {"input_shape": None}
    elif model.built:
        config["build_config"] = {"input_shape": model.input_shape}
    return {**config, "compile_config": {}}


def sequential_config(model: Any) -> dict[str, Any]:
    """The config of a `Sequential`.

    Parameters
    ----------
    model : Sequential

    Returns
    -------
    dict
    """
    config = Layer.get_config(model)
    config["layers"] = [serialize_layer(layer) for layer in model.all_layers()]
    if model.built:
        config["build_input_shape"] = model.input_shape
    return config


def functional_config(model: Any) -> dict[str, Any]:
    """The config of a functional model.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict
    """
    places = _Places(model.graph)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [*places.entries(), *map(places.layer, model.graph.layers)],
        "input_layers": _mapped(model.input, places.end),
        "output_layers": _mapped(model.output, places.end),
    }


def _mapped(form: Any, function: Callable[[Any], Any]) -> Any:
    """A function of each tensor, in the form in which the tensors were given."""
    if isinstance(form, Mapping):
        return {name: function(tensor) for name, tensor in form.items()}
    if isinstance(form, (list, tuple)):
        return [function(tensor) for tensor in form]
    return function(form)


class _Places:
    """How Keras names the tensors of a graph: layer, number of the call, number of the output."""

    def __init__(self, graph: Any) -> None:
        self._calls: dict[int, list[Node]] = {}
        self._histories: dict[int, list[Any]] = {}
        inside = {id(node) for node in graph.nodes}
        for layer in graph.layers:
            self._calls[id(layer)] = [node for node in layer._nodes if id(node) in inside]
            for number, node in enumerate(self._calls[id(layer)]):
                for index, tensor in enumerate(node.outputs):
                    self._histories[id(tensor)] = [layer.name, number, index]
        names = {layer.name for layer in graph.layers}
        self._cut = [t for t in graph.inputs if not isinstance(t.node.layer, InputLayer)]
        for tensor in graph.inputs:
            name = tensor.name
            while tensor in self._cut and name in names:
                name += "CLONE"  # an entry of its own where the model begins inside another
            names.add(name)
            self._histories[id(tensor)] = [name, 0, 0]

    def entries(self) -> list[dict[str, Any]]:
        """Input layers for the tensors inside another graph with which this one begins."""
        made = []
        for tensor in self._cut:
            name = self._histories[id(tensor)][0]
            layer = InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)
            made.append({**serialize_layer(layer), "name": name, "inbound_nodes": []})
        return made

    def layer(self, layer: Any) -> dict[str, Any]:
        """The config of a layer, with its calls."""
        calls = self._calls[id(layer)]
        return {
            **serialize_layer(layer),
            "name": layer.name,
            "inbound_nodes": [self._call(layer, node) for node in calls],
        }

    def _call(self, layer: Any, node: Node) -> dict[str, Any]:
        several = isinstance(node.inputs, list)
        # Keras hands models a mask, and nothing to other layers.
        mask: Any = [None] * len(node.sources) if several else None
        return {
            "args": [_mapped(node.inputs, self._tensor)],
            "kwargs": {"mask": mask} if hasattr(layer, "get_compile_config") else {},
        }

    def _tensor(self, tensor: SymbolicTensor) -> dict[str, Any]:
        return {
            "class_name": TENSOR,
            "config": {
                "shape": tensor.shape,
                "dtype": tensor.dtype,
                "keras_history": self._histories[id(tensor)],
            },
        }

    def end(self, tensor: SymbolicTensor) -> list[Any]:
        """Where an input or output of the whole stands."""
        name, number, index = self._histories[id(tensor)]
        first = 0 if tensor in self._cut else _first_call(tensor.node.layer)
        return [name, number + first, index]


def _first_call(layer: Any) -> int:
    """Keras counts a functional model's own graph as its first call, at the ends of a config."""
    return int(hasattr(layer, "get_compile_config") and not hasattr(layer, "all_layers"))


# ---- reading -------------------------------------------------------------------------------


@contextmanager
def _deeper() -> Iterator[None]:
    token = _depth.set(_depth.get() + 1)
    try:
        if _depth.get() > DEEPEST:
            raise ValueError(f"Models may stand in each other at most {DEEPEST} deep.")
        yield
    finally:
        _depth.reset(token)


def deserialize_layer(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or model of a config, where it describes one.

    Parameters
    ----------
    config : dict
        With "class_name" and "config".
    custom_objects : mapping of str to class, optional

    Returns
    -------
    Layer
    """
    from convlab import layers

    inner = _entry(config, "config", Mapping, "a layer's config")
    models = _models()
    with custom_object_scope(custom_objects), _deeper():
        name = _entry(config, "class_name", str, "a layer's config")
        if name in models:
            return models[name].from_config(inner)
        layer = layers.deserialize({"class_name": name, "config": inner})
    if not isinstance(layer, Layer):
        _refuse("A config among a model's layers must be a layer's", name, type(layer).__name__)
    return layer


def _models() -> dict[str, Any]:
    from convlab.models.model import Model
    from convlab.models.sequential import Sequential

    return {"Sequential": Sequential, "Functional": Model, "Model": Model}


def sequential_from_config(
    cls: Any, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """A `Sequential` from its config.

    Parameters
    ----------
    cls : class
        `Sequential`, or one that inherits from it.
    config : dict
    custom_objects : mapping of str to class or function, optional

    Returns
    -------
    Sequential
    """
    parts = _entry(config, "layers", (list, tuple), "a Sequential model's config")
    with custom_object_scope(custom_objects):
        model = cls(name=_entry(config, "name", str, "a Sequential model's config"))
        for part in parts:
            model.add(deserialize_layer(part))
        shape = config.get("build_input_shape")
        if shape and not model.built:
            model.build(_as_shape(shape))
    model._trainable = bool(config.get("trainable", True))
    return model


def _as_shape(shape: Any) -> tuple[int | None, ...]:
    sizes = list(shape) if isinstance(shape, (list, tuple)) else [shape]
    if not all(size is None or _is_count(size) for size in sizes):
        _refuse('"build_input_shape" must be a list of sizes', shape)
    return tuple(sizes)


def functional_from_config(
    cls: Any, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """A functional model from its config.

    Parameters
    ----------
    cls : class
        `Model`, or one that inherits from it.
    config : dict
    custom_objects : mapping of str to class or function, optional

    Returns
    -------
    Model
    """
    what = "a functional model's config"
    parts = _entry(config, "layers", (list, tuple), what)
    ends = [_entry(config, key, (list, tuple, Mapping), what) for key in _ENDS]
    with custom_object_scope(custom_objects):
        wiring = _Wiring(parts)
        wiring.run()
        inputs, outputs = (wiring.ends(end) for end in ends)
        rest = {k: v for k, v in config.items() if k not in (*_ENDS, "layers", "trainable")}
        model = cls(inputs=inputs, outputs=outputs, **rest)
    # Not through the setter: each layer's own config says whether it is trained.
    model._trainable = bool(config.get("trainable", True))
    return model


_ENDS = ("input_layers", "output_layers")


class _Call(NamedTuple):
    """One call of a layer, by the layer's name and the number of the call."""

    layer: str
    number: int


class _Source(NamedTuple):
    """One output of a call."""

    call: _Call
    output: int


class _Wiring:
    """Makes the layers of a functional config and calls them in an order that works."""

    def __init__(self, parts: Any) -> None:
        self.layers: dict[str, Any] = {}
        self._forms: dict[_Call, Any] = {}
        for part in parts:
            what = "a config among a functional model's layers"
            name = _entry(part, "name", str, what)
            if name in self.layers:
                _refuse("Layers in a config must have different names", name)
            calls = _entry(part, "inbound_nodes", (list, tuple), what)
            self.layers[name] = deserialize_layer(part)
            for number, call in enumerate(calls):
                self._forms[_Call(name, number)] = _call_form(call)
        entrances = [name for name, one in self.layers.items() if isinstance(one, InputLayer)]
        self._done = {_Call(name, 0) for name in entrances}

    def run(self) -> None:
        """Make every call as soon as what it reads is there."""
        waiting = {call: self._needs(call) - self._done for call in self._forms}
        readers: dict[_Call, list[_Call]] = {}
        for call, needs in waiting.items():
            for need in needs:
                readers.setdefault(need, []).append(call)
        ready = deque(call for call, needs in waiting.items() if not needs)
        while ready:
            call = ready.popleft()
            del waiting[call]
            self.layers[call.layer](_resolved(self._forms[call], self.tensor))
            self._done.add(call)
            for reader in readers.get(call, ()):
                waiting[reader].discard(call)
                if not waiting[reader]:
                    ready.append(reader)
        if waiting:
            _refuse(
                "The calls of a config must form a graph without loops",
                sorted(f"{layer}[{number}]" for layer, number in waiting)[:8],
            )

    def _needs(self, call: _Call) -> set[_Call]:
        """The calls that must come before: what it reads, and the layer's own earlier call."""
        needs: set[_Call] = set()
        _resolved(self._forms[call], lambda source: needs.add(source.call))
        for need in needs:
            if need not in self._forms and need not in self._done:
                _refuse("A call must read what another call makes", f"{need.layer}[{need.number}]")
        if call.number:
            needs.add(_Call(call.layer, call.number - 1))
        return needs

    def tensor(self, source: _Source) -> SymbolicTensor:
        """The tensor that a call made."""
        (layer, number), index = source
        if source.call not in self._done or index >= len(self.layers[layer]._nodes[number].outputs):
            _refuse("A config must name outputs that there are", f"{layer}[{number}][{index}]")
        return self.layers[layer]._nodes[number].outputs[index]

    def ends(self, form: Any) -> Any:
        """The inputs or outputs of the whole, in the form that the config gives them."""

        def tensor(history: Any) -> SymbolicTensor:
            source = _source_of(history)
            shift = _first_call(self.layers.get(source.call.layer))
            call = _Call(source.call.layer, source.call.number - shift)
            return self.tensor(_Source(call, source.output))

        single = not isinstance(form, Mapping) and len(form) == 3 and isinstance(form[0], str)
        return tensor(form) if single else _mapped(form, tensor)


def _call_form(call: Any) -> Any:
    """What a call reads: one source, or a list or dict of them."""
    what = "a call in a config"
    arguments = _entry(call, "args", (list, tuple), what)
    options = _entry(call, "kwargs", Mapping, what)
    given = {name: value for name, value in options.items() if not _is_nothing(value)}
    if len(arguments) != 1 or given:
        _refuse(
            "A call in a config must have one argument, the inputs: a layer decides by `training` "
            "and its own arguments alone what it does",
            f"{len(arguments)} arguments, {given}",
        )
    (form,) = arguments
    return _source_in(form) if _is_tensor(form) else _mapped(form, _source_in)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, (list, tuple)) and all(v is None for v in value))


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == TENSOR


def _source_in(value: Any) -> _Source:
    if not _is_tensor(value):
        _refuse(f'A call must read "{TENSOR}" configs', value)
    inner = _entry(value, "config", Mapping, "a tensor's config")
    return _source_of(_entry(inner, "keras_history", (list, tuple), "a tensor's config"))


def _source_of(history: Any) -> _Source:
    whole = isinstance(history, (list, tuple)) and len(history) == 3
    if not (whole and isinstance(history[0], str) and all(map(_is_count, history[1:]))):
        _refuse("A tensor is named by its layer, the call and the output", history)
    layer, number, output = history
    return _Source(_Call(layer, number), output)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _resolved(form: Any, function: Callable[[_Source], Any]) -> Any:
    return function(form) if isinstance(form, _Source) else _mapped(form, function)


def _entry(config: Any, key: str, kinds: Any, what: str) -> Any:
    if not isinstance(config, Mapping):
        _refuse(f"{what[0].upper()}{what[1:]} must be a mapping", config)
    value = config.get(key)
    if not isinstance(value, kinds):
        _refuse(f'{what[0].upper()}{what[1:]} must have "{key}"', {key: value})
    return value


def _refuse(rule: str, received: Any, more: str = "") -> NoReturn:
    told = repr(received)
    told = told if len(told) <= 200 else f"{told[:200]}..."
    raise ValueError(f"{rule}. Received: {told}{', ' + more if more else ''}.")
