"""What moves the weights: gradient descent and its relatives.

>>> import numpy as np
>>> from convlab.variables import Variable
>>> weights = Variable(np.array([1.0, 2.0]))
>>> SGD(learning_rate=0.1).apply([np.array([0.5, -1.0])], [weights])
>>> weights.numpy()
array([0.95, 2.1 ])
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from convlab.objects import Catalogue, custom_object_scope
from convlab.optimizers import legacy, schedules
from convlab.optimizers.adam import Adam
from convlab.optimizers.optimizer import Optimizer
from convlab.optimizers.rmsprop import RMSprop
from convlab.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_catalogue = Catalogue(
    "optimizer",
    "keras.optimizers",
    {"SGD": SGD, "Adam": Adam, "RMSprop": RMSprop, "Optimizer": Optimizer},
    ignore_case=True,
)


def get(identifier: Any) -> Any:
    """An optimizer from its name, its config or itself.

    Parameters
    ----------
    identifier : str, dict, Optimizer or None
        A name is read in any case.

    Returns
    -------
    Optimizer or None

    Raises
    ------
    ValueError
        For what is none of these; for a class too, as in Keras.

    Examples
    --------
    >>> get("adam").beta_1
    0.9
    >>> get({"class_name": "SGD", "config": {"momentum": 0.9}}).momentum
    0.9
    """
    found = _catalogue.get(identifier) if isinstance(identifier, (str, Mapping)) else identifier
    if found is None or isinstance(found, Optimizer):
        return found
    way_out = f" Make one: {found.__name__}()." if inspect.isclass(found) else ""
    raise ValueError(
        f"Could not interpret optimizer identifier: it must be a name, a config or an Optimizer. "
        f"Received: {identifier!r}.{way_out}"
    )


def serialize(optimizer: Any) -> Any:
    """The config of an optimizer, as Keras writes it.

    Parameters
    ----------
    optimizer : Optimizer or None

    Returns
    -------
    dict or None

    Examples
    --------
    >>> config = serialize(SGD(0.1, momentum=0.9, name="sgd"))
    >>> config["class_name"], config["config"]["learning_rate"]
    ('SGD', 0.1)
    """
    return _catalogue.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a config, without its state: see `Optimizer.set_state`.

    Parameters
    ----------
    config : dict
    custom_objects : mapping of str to class or function, optional
        Names that the config may use beside Keras's.

    Returns
    -------
    Optimizer or None

    Examples
    --------
    >>> deserialize(serialize(SGD(0.1, momentum=0.9)))
    SGD(learning_rate=0.1, momentum=0.9)
    """
    with custom_object_scope(custom_objects):
        return get(config)
