"""Models in files: `save`, `load_model`, and weights alone.

A file holds the config, as Keras writes it; how the model was compiled; every weight in its
own dtype; and what a training needs to go on as if it had never stopped: the optimizer's
arrays, the seeds of layers that draw, the seed of the shuffling.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from convlab.layers.base import initial_values
from convlab.models.archive import Archive, check_path, member_names, write_archive
from convlab.models.configs import deserialize_layer, model_config
from convlab.objects import custom_object_scope
from convlab.variables import Variable

__all__ = ["Saving", "load_model"]

FORMAT = "convlab model"
VERSION = 1
CONFIG, METADATA = "config.json", "metadata.json"


class Saving:
    """What a model can do with files. `Model` inherits it."""

    # Of the model that this belongs to.
    built: bool
    name: str
    optimizer: Any
    shuffle_seed: int | None
    get_compile_config: Callable[[], dict[str, Any] | None]

    @property
    def weights(self) -> list[Variable]:
        """Every weight."""
        raise NotImplementedError

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the whole model to one file, from which `load_model` makes it again.

        The file is written beside the old one and takes its name when it is complete: whatever
        happens in between, there is one whole file. The same model gives the same bytes.

        Parameters
        ----------
        filepath : str or path
            Ends in ``.npz``. ``numpy.load`` can read the arrays in it.
        overwrite : bool, default True
            Whether a file of that name may be replaced.

        Raises
        ------
        ValueError
            Before the model is built, for another ending, or where a config is not JSON.
        OSError
            Where the disk does not allow it; FileExistsError with ``overwrite=False``.

        Examples
        --------
        >>> import os, tempfile
        >>> from convlab import layers, models
        >>> model = models.Sequential([layers.Input((28, 28, 1)), layers.Conv2D(8, 3)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
        >>> model.save(path)
        >>> models.load_model(path).count_params()
        80
        """
        texts, arrays = _weights_of(self)
        texts[CONFIG] = model_config(self)
        texts[METADATA] |= {"kind": "model", "shuffle_seed": self.shuffle_seed}
        texts[METADATA]["layer_states"] = [layer.extra_state() for layer in _with_state(self)]
        if self.optimizer is not None:
            texts[METADATA]["optimizer"] = _optimizer_state(self, arrays)
        _write(filepath, overwrite, texts, arrays)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights alone, for `load_weights` of a model of the same layers.

        Parameters
        ----------
        filepath : str or path
            Ends in ``.npz``.
        overwrite : bool, default True

        Raises
        ------
        ValueError, OSError
            As in `save`.
        """
        _write(filepath, overwrite, *_weights_of(self))

    def load_weights(self, filepath: Any) -> None:
        """Take the weights of a file that `save` or `save_weights` wrote.

        Parameters
        ----------
        filepath : str or path

        Raises
        ------
        ValueError
            Where the file is damaged, or its weights do not fit in number or shape; the model
            then keeps the weights that it had.
        OSError
            Where the file cannot be read.
        """
        _need_built(self, "take weights")
        with Archive(check_path(filepath)) as archive:
            metadata = _metadata(archive)
            _take_weights(self, archive, metadata)

    def to_json(self, **options: Any) -> str:
        """The config as text: `model_from_json`, ours or Keras's, makes the model again.

        Parameters
        ----------
        **options
            For `json.dumps`, such as ``indent=2``.

        Returns
        -------
        str
        """
        return json.dumps(model_config(self), **options)


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
) -> Any:
    """The model in a file, ready to predict, and to train on where it stopped.

    Parameters
    ----------
    filepath : str or path
        Written by `Model.save`.
    custom_objects : mapping of str to class or function, optional
        Layers, losses and other things of your own, by the names that they had.
    compile : bool, default True
        Whether to compile the model as it was, with the optimizer where it was.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        Where the file is damaged, is no saved model, or names something unknown. Nothing that
        a file holds is ever run as code.
    OSError
        Where it cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> from convlab import layers, models
    >>> model = models.Sequential([layers.Input((4,)), layers.Activation("relu")])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.npz")
    >>> model.save(path)
    >>> models.load_model(path).output_shape
    (None, 4)
    """
    with Archive(check_path(filepath)) as archive, custom_object_scope(custom_objects):
        metadata = _metadata(archive)
        if metadata.get("kind") != "model":
            raise ValueError(
                f"The file holds weights alone: {archive.path}. Make the model first, then call "
                "model.load_weights."
            )
        config = archive.json(CONFIG)
        model = archive.checked(lambda: _built(archive, metadata, config))
        _take_weights(model, archive, metadata)
        archive.checked(lambda: _take_states(model, metadata))
        if compile and config.get("compile_config"):
            _compile(model, archive, config["compile_config"])
            archive.checked(lambda: _take_optimizer(model, archive, metadata))
    return model


# ---- writing -------------------------------------------------------------------------------


def _need_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} cannot {what} before it is built: the shapes of its "
            "weights follow from its input. Begin it with layers.Input(shape), or call it with "
            "an array."
        )


def _write(
    filepath: Any, overwrite: bool, texts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    path = check_path(filepath)
    if not overwrite and path.exists():
        raise FileExistsError(f"The file is there already, and overwrite=False: {path}.")
    write_archive(path, texts, arrays)


def _weights_of(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from convlab import __version__

    _need_built(model, "be saved")
    names = member_names("weights", [variable.path for variable in model.weights])
    arrays = dict(zip(names, (variable.value for variable in model.weights), strict=True))
    metadata = {
        "format": FORMAT, "format_version": VERSION, "convlab_version": __version__,
        "kind": "weights", "weights": names,
    }  # fmt: skip
    return {METADATA: metadata}, arrays


def _optimizer_state(model: Any, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Put the optimizer's arrays among the others; which they are, and for which weights."""
    state = model.optimizer.state()
    paths = [variable.path for variable in model.optimizer.variables]
    names = member_names("optimizer", paths if len(paths) == len(state) else state)
    arrays.update(zip(names, map(np.asarray, state.values()), strict=True))
    places = {id(variable): place for place, variable in enumerate(model.weights)}
    served = model.optimizer._variables if model.optimizer.built else []
    return {
        "state": dict(zip(state, names, strict=True)),
        "built": bool(model.optimizer.built),
        "serves": [places[id(variable)] for variable in served if id(variable) in places],
    }


def _layers_inside(model: Any) -> Iterator[Any]:
    """Every layer once, those of models inside among them."""
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        layer = waiting.pop()
        if id(layer) not in seen:
            seen.add(id(layer))
            yield layer
            waiting += reversed(getattr(layer, "layers", []))


def _with_state(model: Any) -> list[Any]:
    """The layers that keep more than weights, such as Dropout its dice."""
    return [layer for layer in _layers_inside(model) if hasattr(layer, "extra_state")]


# ---- reading -------------------------------------------------------------------------------


def _metadata(archive: Archive) -> dict[str, Any]:
    metadata = archive.json(METADATA)
    archive.checked(lambda: _check_metadata(archive, metadata))
    return metadata


def _check_metadata(archive: Archive, metadata: Any) -> None:
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError(f"Its {METADATA} does not say {FORMAT!r}.")
    if metadata.get("format_version") != VERSION:
        raise ValueError(
            f"It has format_version={metadata.get('format_version')!r}, and this convlab reads "
            f"{VERSION}. It was written by convlab {metadata.get('convlab_version')!r}."
        )
    weights, serves = metadata.get("weights"), _optimizer_of(metadata)["serves"]
    if not isinstance(weights, list) or len(set(serves)) != len(serves):
        raise ValueError(f"Its {METADATA} does not list weights, each once.")
    arrays = [*weights, *_optimizer_of(metadata)["state"].values()]
    texts = [METADATA, *([CONFIG] if metadata.get("kind") == "model" else [])]
    if len(set(arrays)) != len(arrays) or archive.names != {*arrays, *texts}:
        odd = sorted(map(str, archive.names ^ {*arrays, *texts}))[:5]
        raise ValueError(f"Its members are not those that {METADATA} lists: {odd}.")


def _optimizer_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return metadata.get("optimizer") or {"state": {}, "built": False, "serves": []}


def _built(archive: Archive, metadata: Mapping[str, Any], config: Any) -> Any:
    """The model of a config, with zeros for weights: never more of them than the file has."""
    left = sum(math.prod(archive.shape(name)) for name in metadata["weights"])

    def zeros(shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        nonlocal left
        left -= math.prod(shape)
        if left < 0:
            raise ValueError(
                f"The config asks for more weights than the file holds: an array of {shape}."
            )
        return np.zeros(shape, dtype)

    with initial_values(zeros):
        model = deserialize_layer(config)
    if not isinstance(model, Saving) or not model.built:
        raise ValueError("The config describes no built model.")
    return model


_CUSTOM = "What is your own must be handed over: load_model(path, custom_objects={name: object})."


def _take_weights(model: Any, archive: Archive, metadata: Mapping[str, Any]) -> None:
    """Replace all weights; where one does not fit, none."""
    names, variables = metadata["weights"], model.weights
    if len(names) != len(variables):
        raise ValueError(
            f"The weights must fit the model's layers: {archive.path} holds {len(names)} arrays, "
            f"and the model {model.name!r} has {len(variables)}."
        )
    for name, variable in zip(names, variables, strict=True):
        if archive.shape(name) != variable.shape:
            raise ValueError(
                f"The weights must fit the model's layers. Received: {name} of shape "
                f"{archive.shape(name)} from {archive.path}, for {variable.path} of shape "
                f"{variable.shape}."
            )
    with np.errstate(over="ignore"):  # too large for the dtype is infinite, as in a cast
        arrays = [
            archive.array(name).astype(variable.dtype, copy=False)
            for name, variable in zip(names, variables, strict=True)
        ]
    for variable, array in zip(variables, arrays, strict=True):
        variable.take(array)


def _take_states(model: Any, metadata: Mapping[str, Any]) -> None:
    for layer, state in zip(_with_state(model), metadata["layer_states"], strict=True):
        layer.set_extra_state(state)


def _compile(model: Any, archive: Archive, config: Any) -> None:
    try:
        model.compile_from_config(config)
    except Exception as error:
        raise ValueError(
            f"The model in {archive.path} cannot be compiled as it was: {error} {_CUSTOM} To load "
            "it without: load_model(path, compile=False)."
        ) from error


def _take_optimizer(model: Any, archive: Archive, metadata: Mapping[str, Any]) -> None:
    saved = _optimizer_of(metadata)
    if saved["built"]:
        model.optimizer.build([model.weights[place] for place in saved["serves"]])
    if saved["state"]:
        model.optimizer.set_state({k: archive.array(name) for k, name in saved["state"].items()})
    seed = metadata["shuffle_seed"]
    if not (seed is None or (type(seed) is int and 0 <= seed < 2**64)):
        raise ValueError(f"Its shuffle_seed is no seed: {seed!r}.")
    model.shuffle_seed = seed
