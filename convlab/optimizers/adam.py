"""`Adam`: steps of about the same length for every weight, however large its gradients are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from convlab.optimizers.checks import check_number
from convlab.optimizers.optimizer import LearningRate, Optimizer, Slots

__all__ = ["Adam"]


class Adam(Optimizer):
    r"""Adaptive moment estimation: a mean gradient over the root of a mean square.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        What part of the two means is kept each step, from 0 to below 1.
    epsilon : float, default 1e-7
        Added to the root. Not negative.
    amsgrad : bool, default False
        Whether the largest mean square so far is used in place of the latest.
    weight_decay, clipnorm, clipvalue, global_clipnorm, loss_scale_factor
        As in `Optimizer`.
    use_ema, ema_momentum, ema_overwrite_frequency, gradient_accumulation_steps, name
        As in `Optimizer`.

    Notes
    -----
    ``m += (1 - beta_1) * (g - m)`` and ``v += (1 - beta_2) * (g * g - v)``. Both begin at zero
    and are too small at first, which the factor of step ``t`` makes good:
    ``w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)``.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2014
    (https://arxiv.org/abs/1412.6980); `epsilon` is the "epsilon hat" before its section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from convlab.variables import Variable
    >>> weights = Variable(np.array([1.0, 2.0]))
    >>> Adam(learning_rate=0.1).apply([np.array([0.5, -100.0])], [weights])
    >>> weights.numpy().round(4)
    array([0.9, 2.1])
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.beta_1 = check_number("beta_1", beta_1, below=1)
        self.beta_2 = check_number("beta_2", beta_2, below=1)
        self.epsilon = check_number("epsilon", epsilon)
        self.amsgrad = amsgrad
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
        """The two means of each weight, and the largest of the second."""
        means = ("momentum", "velocity")
        return [means, ("velocity_hat",)] if self.amsgrad else [means]

    def update_step(
        self, gradient: np.ndarray, weights: np.ndarray, slots: Slots, learning_rate: float
    ) -> None:
        """Change weights and means, in place."""
        velocity = slots["velocity"]
        _approach(slots["momentum"], gradient, 1 - self.beta_1)
        _approach(velocity, gradient * gradient, 1 - self.beta_2)
        if self.amsgrad:
            velocity = np.maximum(slots["velocity_hat"], velocity, out=slots["velocity_hat"])
        step = np.sqrt(velocity)
        step += self.epsilon
        step = np.divide(slots["momentum"], step)
        step *= self._rate(learning_rate)
        weights -= step

    def _rate(self, learning_rate: float) -> float:
        """The learning rate, corrected for means that began at zero."""
        t = int(self.iterations) + 1
        return learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


def _approach(mean: np.ndarray, value: np.ndarray, part: float) -> None:
    """Move a mean a part of the way to a value."""
    difference = value - mean
    difference *= part
    mean += difference
