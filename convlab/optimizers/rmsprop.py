"""`RMSprop`: each gradient divided by the root of its mean square."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.optimizers.checks import check_number
from convlab.optimizers.optimizer import LearningRate, Optimizer, Slots

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Each gradient divided by the root of its mean square so far.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable, default 0.001
    rho : float, default 0.9
        What part of the mean square is kept each step, from 0 to 1.
    momentum : float, default 0.0
        What part of the last step is made again. Not negative.
    epsilon : float, default 1e-7
        Added to the mean square. Not negative.
    centered : bool, default False
        Whether the square of the mean gradient is taken off, which leaves the variance.
    weight_decay, clipnorm, clipvalue, global_clipnorm, loss_scale_factor
        As in `Optimizer`.
    use_ema, ema_momentum, ema_overwrite_frequency, gradient_accumulation_steps, name
        As in `Optimizer`.

    Notes
    -----
    ``v = rho * v + (1 - rho) * g * g`` and ``w -= learning_rate * g / sqrt(v + epsilon)``.

    Examples
    --------
    >>> import numpy as np
    >>> from convlab.variables import Variable
    >>> weights = Variable(np.array([1.0, 2.0]))
    >>> RMSprop(learning_rate=0.1).apply([np.array([0.5, -100.0])], [weights])
    >>> weights.numpy().round(4)
    array([0.6838, 2.3162])
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = check_number("rho", rho, most=1)
        self.momentum = check_number("momentum", momentum)
        self.epsilon = check_number("epsilon", epsilon)
        self.centered = centered
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )

    def slot_names(self) -> list[tuple[str, ...]]:
        """The mean square of each weight, and what momentum and centring need."""
        names: list[tuple[str, ...]] = [("velocity",)]
        names += [("momentum",)] if self.momentum else []
        return names + ([("average_gradient",)] if self.centered else [])

    def update_step(
        self, gradient: np.ndarray, weights: np.ndarray, slots: Slots, learning_rate: float
    ) -> None:
        """Change weights and means, in place."""
        variance = slots["velocity"]
        self._keep_mean(variance, gradient * gradient)
        if self.centered:
            mean = slots["average_gradient"]
            self._keep_mean(mean, gradient)
            variance = variance - mean * mean
        step = learning_rate * gradient
        step /= np.sqrt(variance + self.epsilon)
        if self.momentum:
            slots["momentum"] *= self.momentum
            slots["momentum"] += step
            step = slots["momentum"]
        weights -= step

    def _keep_mean(self, mean: np.ndarray, value: np.ndarray) -> None:
        mean *= self.rho
        mean += (1 - self.rho) * value

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
