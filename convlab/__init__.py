"""Conv2D, parameter by parameter: the Keras layer, written three times to be understood.

>>> import numpy as np, convlab
>>> photo = np.random.default_rng(0).random((1, 32, 32, 3), dtype=np.float32)
>>> kernel = np.full((3, 3, 3, 8), 1 / 27, np.float32)
>>> convlab.conv2d(photo, kernel, padding="same", strides=2).shape
(1, 16, 16, 8)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from convlab.functional import (
    average_pool2d,
    average_pool2d_gradient,
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    max_pool2d,
    max_pool2d_gradient,
)
from convlab.geometry import Geometry, receptive_field
from convlab.kernels import available_implementations, use_implementation
from convlab.prepared import PreparedKernel, prepare

if TYPE_CHECKING:
    from convlab import (
        activations,
        callbacks,
        config,
        constraints,
        datasets,
        exercises,
        filters,
        initializers,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        plotting,
        random,
        regularizers,
        utils,
    )
    from convlab.explanation import explain
    from convlab.kernels.parallel import plan
    from convlab.layers import Input
    from convlab.models import Model, Sequential
    from convlab.variables import Variable

__version__ = "0.1.0"

__all__ = [
    "Geometry",
    "Input",
    "Model",
    "PreparedKernel",
    "Sequential",
    "Variable",
    "activations",
    "available_implementations",
    "average_pool2d",
    "average_pool2d_gradient",
    "callbacks",
    "config",
    "constraints",
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "datasets",
    "exercises",
    "explain",
    "filters",
    "initializers",
    "layers",
    "losses",
    "max_pool2d",
    "max_pool2d_gradient",
    "metrics",
    "models",
    "optimizers",
    "plan",
    "plotting",
    "prepare",
    "random",
    "receptive_field",
    "regularizers",
    "use_implementation",
    "utils",
]

_MODULES = (
    "activations", "callbacks", "config", "constraints", "datasets", "exercises", "filters",
    "initializers", "layers", "losses", "metrics", "models", "optimizers", "plotting", "random",
    "regularizers", "utils",
)  # fmt: skip
_NAMES = {
    "Input": "layers", "Model": "models", "Sequential": "models", "Variable": "variables",
    "explain": "explanation", "plan": "kernels.parallel",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Imported when first used, so that `import convlab` costs little more than NumPy.
    if name in _MODULES:
        return importlib.import_module(f"convlab.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"convlab.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'convlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES, *_NAMES])
