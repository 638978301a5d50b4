"""What an optimizer's settings must be."""

from __future__ import annotations

import inspect
import math
import numbers
import warnings
from typing import Any

import numpy as np

from convlab.optimizers.schedules import LearningRateSchedule

_RENAMED = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "clip_norm": "clipnorm",
    "clip_value": "clipvalue",
}


def check_number(
    name: str, value: Any, most: float | None = None, below: float | None = None
) -> float:
    """A setting that is a number, not negative, and not too large.

    Parameters
    ----------
    name : str
    value : float
    most : float, optional
        The largest that is allowed.
    below : float, optional
        What it must not reach.

    Returns
    -------
    float
        The value.

    Raises
    ------
    ValueError
        For any other value.

    Examples
    --------
    >>> check_number("rho", 0.9, most=1)
    0.9
    """
    within = isinstance(value, numbers.Real) and 0 <= float(value) < math.inf
    within = within and (most is None or value <= most) and (below is None or value < below)
    if within:
        return value.item() if isinstance(value, np.generic) else value
    limit = f" of at most {most}" if most is not None else ""
    limit = f" below {below}" if below is not None else limit
    raise ValueError(
        f"`{name}` must be a finite number{limit} that is not negative. Received: {name}={value!r}."
    )


def optional_number(name: str, value: Any) -> Any:
    """`check_number`, where None is allowed too."""
    return None if value is None else check_number(name, value)


def real(name: str, value: Any) -> float:
    """A finite number of any kind, as a float."""
    number = np.asarray(value)
    if number.shape != () or number.dtype.kind not in "fiu" or not np.isfinite(number):
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={value!r}.")
    return float(number)


def check_integer(name: str, value: Any, least: int) -> None:
    """Refuse what is no integer, or too small."""
    if not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={value!r}.")


def check_rate(learning_rate: Any) -> Any:
    """A learning rate as the constructor takes it: as in Keras no int, and nothing of float32."""
    if callable(learning_rate):
        return learning_rate
    if not isinstance(learning_rate, float) or not math.isfinite(learning_rate):
        raise ValueError(
            f"`learning_rate` must be a finite float, a LearningRateSchedule or a callable that "
            f"returns the learning rate. Received: learning_rate={learning_rate!r}."
        )
    return learning_rate


def takes_step(rate: Any) -> bool:
    """Whether a callable learning rate must be handed the step."""
    if isinstance(rate, LearningRateSchedule):
        return True
    try:
        inspect.signature(rate).bind()
    except TypeError:
        return True
    except ValueError:  # written in C, without a signature
        return False
    return False


def refuse_unknown(kwargs: dict[str, Any], cls: type) -> None:
    """Say what became of an argument that is no longer there, or never was."""
    if kwargs.pop("decay", None) is not None:
        warnings.warn(
            "`decay` is no longer supported and is ignored. For the same effect write "
            "learning_rate=schedules.InverseTimeDecay(learning_rate, 1, decay).",
            stacklevel=4,
        )
    if not kwargs:
        return
    known = [name for name in inspect.signature(cls).parameters if name != "kwargs"]
    renamed = [f"`{n}` is called `{_RENAMED[n]}`." for n in kwargs if _RENAMED.get(n) in known]
    advice = " ".join(renamed) or f"Known: {', '.join(known)}."
    raise ValueError(f"Argument(s) not recognized: {kwargs}. {advice}")
