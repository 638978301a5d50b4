"""`Optimizer`: all that a step needs beside its rule."""

from __future__ import annotations

import inspect
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convlab import config
from convlab.names import auto_name
from convlab.objects import Configurable, custom_object_scope
from convlab.optimizers import schedules
from convlab.optimizers.checks import (
    check_integer,
    check_number,
    check_rate,
    optional_number,
    real,
    refuse_unknown,
    takes_step,
)
from convlab.optimizers.schedules import LearningRateSchedule
from convlab.variables import Variable

__all__ = ["Optimizer"]

LearningRate = float | LearningRateSchedule | Callable[..., float]
Slots = dict[str, np.ndarray]
Gradients = dict[int, np.ndarray]  # by the place of their variable

BLOCK = 2**16  # elements: what a rule reads and writes of one piece stays in the cache


class Optimizer(Configurable):
    """The part that all optimizers share; the class that others derive from.

    A class of your own says in `update_step` what a step does to one weight array, and in
    `slot_names` what it remembers of each from step to step.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
        A callable takes the number of steps made, or nothing.
    weight_decay : float, optional
        Every step begins with ``w -= w * weight_decay * learning_rate``.
    clipnorm : float, optional
        The largest norm that the gradient of one weight array keeps; a longer one is shortened.
    clipvalue : float, optional
        The largest absolute value that an element of a gradient keeps.
    global_clipnorm : float, optional
        The largest norm that all gradients together keep.
    use_ema : bool, default False
        Whether a moving average of the weights is kept.
    ema_momentum : float, default 0.99
        What part of that average is kept each step, from 0 to 1.
    ema_overwrite_frequency : int, optional
        After how many steps, each time, the weights are replaced by their average.
    loss_scale_factor : float, optional
        What `scale_loss` multiplies the loss by; `apply` divides the gradients by it.
    gradient_accumulation_steps : int, optional
        The mean gradient of so many calls makes one step. At least 2.
    name : str, optional

    Attributes
    ----------
    built : bool
        Whether the optimizer knows its variables.

    Raises
    ------
    ValueError
        For a learning rate that is no float, for more than one way of clipping, for an
        argument that the optimizer does not have.

    Examples
    --------
    >>> class Signs(Optimizer):
    ...     def update_step(self, gradient, weights, slots, learning_rate):
    ...         weights -= learning_rate * np.sign(gradient)
    >>> weights = Variable(np.array([1.0, 2.0]))
    >>> Signs(0.5).apply([np.array([3.0, -0.1])], [weights])
    >>> weights.numpy()
    array([0.5, 2.5])
    """

    elementwise = False
    """Whether the rule takes each element by itself, so that large arrays may come in pieces."""

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown(kwargs, type(self))
        self.weight_decay = optional_number("weight_decay", weight_decay)
        self.clipnorm = optional_number("clipnorm", clipnorm)
        self.clipvalue = optional_number("clipvalue", clipvalue)
        self.global_clipnorm = optional_number("global_clipnorm", global_clipnorm)
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = optional_number("loss_scale_factor", loss_scale_factor)
        self.gradient_accumulation_steps = gradient_accumulation_steps or None
        self._check_settings()
        rate = check_rate(learning_rate)
        self.name = auto_name(type(self)) if name is None else name
        self.built = False
        self._iterations = self._number(0, "iteration", "int32")
        self._set_rate(rate)
        self._variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._slots: list[dict[str, Variable]] = []
        self._spares: dict[int, list[np.ndarray]] = {}
        self._spared: tuple[set[int], re.Pattern[str] | None] = (set(), None)

    # -- what a class of one's own says -------------------------------------------------------

    def slot_names(self) -> list[tuple[str, ...]]:
        """What is remembered of each weight array: names, in groups.

        The arrays of a group stand side by side in `variables`. Each has the shape and the
        dtype of the weights, and begins with zeros.

        Returns
        -------
        list of tuple of str
        """
        return []

    def update_step(
        self, gradient: np.ndarray, weights: np.ndarray, slots: Slots, learning_rate: float
    ) -> None:
        """Change weights and slots in place, as a step does.

        Parameters
        ----------
        gradient : array
            Read-only.
        weights : array
            Of the gradient's shape and dtype. Where `elementwise` is true, large arrays come in
            pieces.
        slots : dict of str to array
            What is remembered, by the names of `slot_names`.
        learning_rate : float
        """
        raise NotImplementedError(
            f"{type(self).__name__} must have a method "
            f"update_step(self, gradient, weights, slots, learning_rate)."
        )

    # -- the learning rate, the state ---------------------------------------------------------

    @property
    def iterations(self) -> Any:
        """How many steps were made, which is calls of `apply`, unless gradients are accumulated."""
        if self.gradient_accumulation_steps:
            return int(self._iterations) // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step. It can be set, unless a schedule decides it."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate
        return rate(int(self._iterations)) if self._rate_takes_step else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        if callable(learning_rate):
            self._set_rate(learning_rate)
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(real("learning_rate", learning_rate))
        else:
            raise TypeError(
                f"The learning rate of this optimizer is decided by {self._learning_rate!r}. "
                f"Received: learning_rate={learning_rate!r}. Make the optimizer with a float "
                f"to set its learning rate later."
            )

    @property
    def lr(self) -> Any:
        """Raise AttributeError, because it is the name of the past for `learning_rate`."""
        raise AttributeError(f"{type(self).__name__} has no `lr`: write `learning_rate`.")

    @lr.setter
    def lr(self, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} has no `lr`: set `learning_rate`.")

    @property
    def variables(self) -> list[Variable]:
        """All that the optimizer remembers, beginning with the step and the learning rate."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Variable) else []
        slots = [
            memory[name] for group in self.slot_names() for memory in self._slots for name in group
        ]
        return [self._iterations, *rate, *self._averages, *self._accumulators, *slots]

    def state(self) -> dict[str, np.ndarray]:
        """Copies of the values of `variables`, by their place: "0", "1", ...

        Returns
        -------
        dict of str to numpy.ndarray
        """
        return {str(place): variable.numpy() for place, variable in enumerate(self.variables)}

    def set_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Continue from what `state` returned, in an optimizer of the same settings.

        Parameters
        ----------
        state : mapping of str to array

        Raises
        ------
        ValueError
            Where it does not fit the variables. Then none of them is changed.
        """
        variables = {str(place): variable for place, variable in enumerate(self.variables)}
        if set(state) != set(variables):
            advice = "" if self.built else " Call build(variables) first."
            raise ValueError(
                f"A state of {self.name} must have {len(variables)} arrays, "
                f"named 0 to {len(variables) - 1}. Received: {sorted(state)}.{advice}"
            )
        values = {key: _fitting(variables[key], np.asarray(state[key])) for key in variables}
        for key, variable in variables.items():
            variable.assign(values[key])

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put `state` into a store, as Keras does."""
        store.update(self.state())

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take `set_state` from a store, as Keras does."""
        self.set_state(dict(store))

    # -- a step -------------------------------------------------------------------------------

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the arrays to remember; after this the optimizer serves these variables alone.

        Parameters
        ----------
        variables : iterable of Variable
        """
        if self.built:
            return
        self._variables = _checked_variables(variables)
        self._places = {id(variable): place for place, variable in enumerate(self._variables)}
        if self.use_ema:
            self._averages = [self._memory(v, "average") for v in self._variables]
        if self.gradient_accumulation_steps:
            self._accumulators = [self._memory(v, "gradient_accumulator") for v in self._variables]
        names = [name for group in self.slot_names() for name in group]
        self._slots = [{name: self._memory(v, name) for name in names} for v in self._variables]
        self.built = True

    def apply(
        self,
        grads: Iterable[ArrayLike | None],
        trainable_variables: Iterable[Variable] | None = None,
    ) -> None:
        """Make a step: new weights for the variables, from their gradients.

        Parameters
        ----------
        grads : iterable of array
            One for each variable, left as they are. A variable whose gradient is None stays,
            with a warning.
        trainable_variables : iterable of Variable, optional
            Those that the optimizer was built for where None.

        Raises
        ------
        ValueError
            Where gradients and variables do not fit. A step that fails, for any reason, leaves
            the weights and what the optimizer remembers as they were.
        """
        grads = list(grads)
        if not grads:
            return
        gradients = self._by_place(grads, self._known(grads, trainable_variables))
        # As in Keras, a run that diverges gives infinities and NaN, and no warnings.
        with np.errstate(all="ignore"):
            changes = self._changes(gradients)
        for variable, value in changes:
            self._keep(variable, [variable.take(np.asarray(value))])
        self._iterations.assign(int(self._iterations) + 1)

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[ArrayLike | None, Variable]]
    ) -> Variable:
        """`apply`, from pairs of a gradient and its variable.

        Parameters
        ----------
        grads_and_vars : iterable of (array, Variable)

        Returns
        -------
        Variable
            The number of calls.
        """
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("`apply_gradients` needs at least one gradient. Received: none.")
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def scale_loss(self, loss: Any) -> Any:
        """The loss, or a gradient by it, times `loss_scale_factor`.

        Parameters
        ----------
        loss : float or array

        Returns
        -------
        float or array
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """At the end of a training: where an average is kept, it replaces the weights.

        Parameters
        ----------
        var_list : iterable of Variable
            Those that the optimizer was built for.
        """
        if self.use_ema:
            for variable in var_list:
                variable.assign(self._averages[self._place(variable)].value)

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Name variables whose weights do not decay, before `build`.

        Parameters
        ----------
        var_list : iterable of Variable, optional
        var_names : sequence of str, optional
            Parts of names: "bias" spares every variable with "bias" in its name.

        Raises
        ------
        ValueError
            Where the optimizer is built already.
        """
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay` must come before the optimizer is built. "
                f"Received: the call after {self.name} was built."
            )
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._spared = {id(variable) for variable in var_list or ()}, pattern

    # -- configs ------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        rate = self._learning_rate
        # 0.01, and not what float32 makes of it
        exact = float(str(rate.value)) if isinstance(rate, Variable) else schedules.serialize(rate)
        return {
            "name": self.name,
            "learning_rate": exact,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """The optimizer that `get_config` described, without its state.

        Parameters
        ----------
        config : mapping
        custom_objects : mapping of str to class or function, optional
            Schedules of your own.

        Returns
        -------
        Optimizer
        """
        config = dict(config)
        if isinstance(config.get("learning_rate"), Mapping):
            with custom_object_scope(custom_objects):
                config["learning_rate"] = schedules.deserialize(config["learning_rate"])
        return super().from_config(config)

    def __repr__(self) -> str:
        usual = inspect.signature(type(self)).parameters
        rate = self._learning_rate
        shown = (
            {**self.get_config(), "learning_rate": rate} if callable(rate) else self.get_config()
        )
        arguments = [
            f"{name}={value!r}"
            for name, value in shown.items()
            if name == "learning_rate" or (name in usual and value != usual[name].default)
            if name != "name"
        ]
        return f"{type(self).__name__}({', '.join(arguments)})"

    # -- inside -------------------------------------------------------------------------------

    def _check_settings(self) -> None:
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        if sum(value is not None for value in clips.values()) > 1:
            received = ", ".join(f"{name}={value}" for name, value in clips.items())
            raise ValueError(
                f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. "
                f"Received: {received}."
            )
        steps = self.gradient_accumulation_steps
        if steps is not None:
            check_integer("gradient_accumulation_steps", steps, 2)
        if self.use_ema:
            check_number("ema_momentum", self.ema_momentum, most=1)
            if self.ema_overwrite_frequency is not None:
                check_integer("ema_overwrite_frequency", self.ema_overwrite_frequency, 1)

    def _set_rate(self, rate: Any) -> None:
        self._learning_rate = rate if callable(rate) else self._number(rate, "learning_rate")
        self._rate_takes_step = callable(rate) and takes_step(rate)

    def _number(self, value: float, name: str, dtype: str | None = None) -> Variable:
        path = f"{self.name}/{name}"
        return Variable(value, name, dtype or config.floatx(), trainable=False, path=path)

    def _memory(self, variable: Variable, name: str) -> Variable:
        """Zeros, named after a variable and what they are for."""
        name = f"{variable.path.replace('/', '_')}_{name}"
        zeros = np.zeros(variable.shape, variable.dtype)
        return Variable(zeros, name, trainable=False, path=f"{self.name}/{name}")

    def _place(self, variable: Variable) -> int:
        if id(variable) not in self._places:
            raise ValueError(
                f"Unknown variable: {variable.path}. An optimizer serves the variables that it "
                f"was built for. Make a new optimizer for others."
            )
        return self._places[id(variable)]

    def _known(self, grads: list[Any], variables: Iterable[Variable] | None) -> list[Variable]:
        """The variables of a call, which builds the optimizer if it is the first."""
        if variables is None and not self.built:
            raise ValueError(
                "`apply` without variables needs an optimizer that is built. "
                "Call build(variables) first, or hand the variables to `apply`."
            )
        found = self._variables if variables is None else _checked_variables(variables)
        if len(grads) != len(found):
            raise ValueError(
                f"There must be one gradient for each variable. "
                f"Received: {len(grads)} gradients for {len(found)} variables."
            )
        self.build(found)
        return found

    def _by_place(self, grads: list[Any], variables: list[Variable]) -> Gradients:
        """The gradients that are there, checked, each with the place of its variable."""
        places = [self._place(variable) for variable in variables]
        missing = [v.path for v, gradient in zip(variables, grads, strict=True) if gradient is None]
        if len(missing) == len(variables):
            raise ValueError(
                f"No gradients provided for any variable. Received: None for {missing}."
            )
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing}: they stay as they are. "
                f"Is each of them part of the loss?",
                stacklevel=3,
            )
        return {
            place: _fitting(variable, np.asarray(gradient), "gradient").astype(
                variable.dtype, copy=False
            )
            for place, variable, gradient in zip(places, variables, grads, strict=True)
            if gradient is not None
        }

    def _changes(self, gradients: Gradients) -> list[tuple[Variable, np.ndarray]]:
        """Every variable that a step changes, with its new value; nothing is changed yet."""
        touched = list(gradients)
        if self.loss_scale_factor:
            gradients = {p: g / self.loss_scale_factor for p, g in gradients.items()}
        changes: list[tuple[Variable, np.ndarray]] = []
        if self._accumulators:
            gradients, changes = self._accumulated(gradients)
        weights: Gradients = {}
        rate = float(self.learning_rate) if gradients else 0.0
        for place, gradient in self._clipped(gradients).items():
            weights[place], slots = self._updated(place, gradient, rate)
            changes += [(self._slots[place][name], value) for name, value in slots.items()]
        if self.use_ema:
            changes += self._averaged(weights)
        self._constrain(weights, touched)
        return changes + [(self._variables[place], value) for place, value in weights.items()]

    def _accumulated(
        self, gradients: Gradients
    ) -> tuple[Gradients, list[tuple[Variable, np.ndarray]]]:
        """The mean gradients where it is time for a step, and what the accumulators become."""
        steps = self.gradient_accumulation_steps or 1
        sums = {place: self._accumulators[place].value + g for place, g in gradients.items()}
        if (int(self._iterations) + 1) % steps:
            return {}, [(self._accumulators[place], total) for place, total in sums.items()]
        emptied = [(a, np.zeros(a.shape, a.dtype)) for a in self._accumulators]
        return {place: total / steps for place, total in sums.items()}, emptied

    def _clipped(self, gradients: Gradients) -> Gradients:
        if self.clipnorm:
            return {
                p: g * (self.clipnorm / max(_norm(g), self.clipnorm)) for p, g in gradients.items()
            }
        if self.clipvalue:
            return {p: np.clip(g, -self.clipvalue, self.clipvalue) for p, g in gradients.items()}
        if self.global_clipnorm and gradients:
            norm = math.hypot(*map(_norm, gradients.values()))
            # An infinite norm leaves no direction: all becomes NaN, as in Keras.
            scale = self.global_clipnorm / max(norm, self.global_clipnorm) + (norm - norm)
            return {p: g * scale for p, g in gradients.items()}
        return gradients

    def _updated(self, place: int, gradient: np.ndarray, rate: float) -> tuple[np.ndarray, Slots]:
        """New weights and slots of one variable; the old ones stay as they are."""
        variable, memory = self._variables[place], self._slots[place]
        gradient = np.asarray(gradient).view()
        gradient.flags.writeable = False  # it belongs to the caller
        olds = {"": variable, **memory}
        news = {name: self._blank(old) for name, old in olds.items()}
        for piece in self._pieces(variable):
            # Read, changed and written while it is in the cache.
            arrays = {name: _part(new, piece) for name, new in news.items()}
            for name, array in arrays.items():
                np.copyto(array, _part(olds[name].value, piece))
            self._stepped(_part(gradient, piece), arrays, rate, self._decay(variable))
        return news.pop(""), news

    def _stepped(self, gradient: np.ndarray, arrays: Slots, rate: float, decay: float) -> None:
        weights = arrays.pop("")
        if decay:
            weights -= weights * decay * rate
        self.update_step(gradient, weights, arrays, rate)

    def _pieces(self, variable: Variable) -> list[slice | None]:
        if not self.elementwise or variable.size <= BLOCK:
            return [None]
        return [slice(start, start + BLOCK) for start in range(0, variable.size, BLOCK)]

    def _blank(self, variable: Variable) -> np.ndarray:
        """An array to write a variable's next value into.

        Where nobody holds the value before the last one, its memory serves again: fresh memory
        would cost the operating system as much time as the step itself.
        """
        spare = self._spares.pop(id(variable), None)
        if spare is None or not spare[0].flags.owndata or _references(spare) > _ALONE:
            return np.empty(variable.shape, variable.dtype)
        return spare.pop()

    def _keep(self, variable: Variable, before: list[np.ndarray]) -> None:
        if variable.size > BLOCK and before[0].flags.c_contiguous:
            self._spares[id(variable)] = before

    def _decay(self, variable: Variable) -> float:
        places, pattern = self._spared
        spared = id(variable) in places or (pattern is not None and pattern.search(variable.name))
        return 0.0 if spared else self.weight_decay or 0.0

    def _averaged(self, weights: Gradients) -> list[tuple[Variable, np.ndarray]]:
        """The averages' new values; where it is time, they become the weights' too."""
        step = int(self.iterations)
        kept = self.ema_momentum if step else 0.0
        every = self.ema_overwrite_frequency
        changes = []
        for place, average in enumerate(self._averages):
            value = weights.get(place, self._variables[place].value)
            mean = np.asarray(kept * average.value + (1 - kept) * value)
            changes.append((average, mean))
            if every and (step + 1) % every == 0:
                weights[place] = mean.copy()
        return changes

    def _constrain(self, weights: Gradients, touched: list[int]) -> None:
        """Put what the constraints make of the weights in their place."""
        for place in touched:
            variable = self._variables[place]
            if variable.constraint is not None:
                value = weights[place] if place in weights else variable.numpy()
                kept = np.array(variable.constraint(value), dtype=variable.dtype, order="C")
                weights[place] = _kept(variable, kept)


def _references(held: list[np.ndarray]) -> int:
    """How many references there are to the array in a list, views of it among them."""
    return sys.getrefcount(held[0])


_ALONE = _references([np.empty(1)])


def _checked_variables(variables: Iterable[Variable]) -> list[Variable]:
    found = list(variables)
    for variable in found:
        if not isinstance(variable, Variable):
            raise TypeError(f"An optimizer changes Variables. Received: {variable!r}.")
    if len({id(variable) for variable in found}) < len(found):
        paths = [variable.path for variable in found]
        raise ValueError(
            f"Each variable must be given once. Received: {paths}. "
            f"Add the gradients of one that is used in several places."
        )
    return found


def _fitting(variable: Variable, array: np.ndarray, what: str = "value") -> np.ndarray:
    """An array that may become, or change, a variable's value."""
    if array.shape != variable.shape or array.dtype.kind not in "fiub":
        raise ValueError(
            f"The {what} of {variable.path} must be an array of real numbers of shape "
            f"{variable.shape}. Received: shape {array.shape}, dtype {array.dtype}."
        )
    return array


def _kept(variable: Variable, value: np.ndarray) -> np.ndarray:
    """What a constraint returned, if it can take a variable's place."""
    if value.shape != variable.shape:
        raise ValueError(
            f"A constraint must return weights of the shape it was given. {variable.path} has "
            f"shape {variable.shape}. Received: shape {value.shape} from {variable.constraint!r}."
        )
    return value


def _part(array: np.ndarray, piece: slice | None) -> np.ndarray:
    return array if piece is None else array.reshape(-1)[piece]


def _norm(gradient: np.ndarray) -> float:
    flat = gradient.reshape(-1)
    return math.sqrt(float(flat @ flat))
