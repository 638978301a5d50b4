"""Learning rates that change with the step: hand one to an optimizer as `learning_rate`.

>>> halved = ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
>>> halved(0), halved(100), halved(200)
(0.1, 0.05, 0.025)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from convlab.objects import Catalogue, Configurable, custom_object_scope

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(Configurable):
    """A learning rate that the step decides; the class that others derive from.

    Examples
    --------
    >>> class Warmup(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * min(1.0, (step + 1) / 10)
    >>> Warmup()(4)
    0.05
    """

    def __call__(self, step: int) -> float:
        """The learning rate of a step.

        Parameters
        ----------
        step : int
            How many steps the optimizer has made.

        Returns
        -------
        float
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method __call__(self, step).")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them.

        Raises
        ------
        NotImplementedError
            Where a class of your own does not say them.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must have a method get_config() to be saved: "
            f"it returns the constructor's arguments as a dict."
        )

    def __repr__(self) -> str:
        try:
            return super().__repr__()
        except NotImplementedError:
            return object.__repr__(self)


class ExponentialDecay(LearningRateSchedule):
    """The rate falls by the same factor every `decay_steps`.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
        Positive.
    decay_rate : float
        The factor.
    staircase : bool, default False
        Whether it falls at once after each `decay_steps`, and not a little every step.
    name : str

    Notes
    -----
    ``initial_learning_rate * decay_rate ** (step / decay_steps)``

    Examples
    --------
    >>> ExponentialDecay(0.1, 10, 0.5, staircase=True)(19)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = _number("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        exponent = _progress(step, self.decay_steps, self.staircase)
        return float(self.initial_learning_rate * self.decay_rate**exponent)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(LearningRateSchedule):
    """The rate falls as one over the time; with ``decay_steps=1`` it is the `decay` of the past.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
        Positive.
    decay_rate : float
    staircase : bool, default False
        Whether it falls at once after each `decay_steps`, and not a little every step.
    name : str

    Notes
    -----
    ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``

    Examples
    --------
    >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5)(2)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = _number("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        time = _progress(step, self.decay_steps, self.staircase)
        return float(self.initial_learning_rate / (1 + self.decay_rate * time))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """The rate is constant between boundaries.

    Parameters
    ----------
    boundaries : sequence of number
        Steps, strictly increasing. A boundary is the last step of the value before it.
    values : sequence of float
        One more than boundaries.
    name : str

    Examples
    --------
    >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> rate(100), rate(101), rate(201)
    (0.1, 0.01, 0.001)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str | None = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"`values` must have one element more than `boundaries`. "
                f"Received: boundaries={boundaries!r}, values={values!r}."
            )
        self.boundaries = [_number("boundaries", boundary) for boundary in boundaries]
        self.values = [_number("values", value) for value in values]
        self.name = name
        if any(first >= second for first, second in pairwise(self.boundaries)):
            raise ValueError(f"`boundaries` must increase. Received: boundaries={boundaries!r}.")

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        return float(self.values[sum(step > boundary for boundary in self.boundaries)])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class CosineDecay(LearningRateSchedule):
    """The rate falls along half a wave of the cosine, after a straight rise if one is wanted.

    Parameters
    ----------
    initial_learning_rate : float
        The rate of step 0.
    decay_steps : int
        Over how many steps it falls. Positive.
    alpha : float, default 0.0
        What part of the highest rate is left at the end, and afterwards.
    name : str
    warmup_target : float, optional
        The highest rate. Where None, there is no rise.
    warmup_steps : int, default 0
        Over how many steps the rate rises to it.

    Notes
    -----
    ``highest * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)``, steps counted
    from the end of the rise.

    Examples
    --------
    >>> fall = CosineDecay(0.1, decay_steps=100)
    >>> fall(0), round(fall(50), 3), fall(100), fall(1000)
    (0.1, 0.05, 0.0, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = _number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.alpha = _number("alpha", alpha)
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = _number("warmup_steps", warmup_steps)
        if warmup_target is not None:
            _number("warmup_target", warmup_target)

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        low, high = self.initial_learning_rate, self.warmup_target
        if high is None:
            return self._fall(low, step)
        if step < self.warmup_steps:
            return float(low + (high - low) * step / self.warmup_steps)
        return self._fall(high, step - self.warmup_steps)

    def _fall(self, highest: float, step: float) -> float:
        wave = (1 + math.cos(math.pi * min(step / self.decay_steps, 1))) / 2
        return float(highest * ((1 - self.alpha) * wave + self.alpha))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


def _progress(step: int, decay_steps: float, staircase: bool) -> float:
    return step // decay_steps if staircase else step / decay_steps


def _number(name: str, value: Any) -> Any:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={value!r}.")
    return value


def _positive(name: str, value: Any) -> Any:
    if _number(name, value) <= 0:
        raise ValueError(f"`{name}` must be > 0. Received: {name}={value!r}.")
    return value


_catalogue = Catalogue(
    "learning rate schedule",
    "keras.optimizers.schedules",
    {
        cls.__name__: cls
        for cls in (ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, CosineDecay)
    },
)


def serialize(learning_rate_schedule: Any) -> Any:
    """The config of a schedule, as Keras writes it.

    Parameters
    ----------
    learning_rate_schedule : LearningRateSchedule or callable

    Returns
    -------
    dict

    Examples
    --------
    >>> serialize(CosineDecay(0.1, 100))["class_name"]
    'CosineDecay'
    """
    return _catalogue.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of a config.

    Parameters
    ----------
    config : dict
    custom_objects : mapping of str to class or function, optional
        Names that the config may use beside Keras's.

    Returns
    -------
    LearningRateSchedule or callable

    Examples
    --------
    >>> deserialize(serialize(ExponentialDecay(0.1, 100, 0.5)))(100)
    0.05
    """
    with custom_object_scope(custom_objects):
        return _catalogue.get(config)
