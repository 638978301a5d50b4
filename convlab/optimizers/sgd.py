"""`SGD`: steps along the gradient, with or without momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlab.optimizers.optimizer import LearningRate, Optimizer, Slots

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent, with momentum where it is wanted.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable, default 0.01
    momentum : float, default 0.0
        What part of the last step is made again, from 0 to 1.
    nesterov : bool, default False
        Whether the step is the one that would follow, after Nesterov.
    weight_decay, clipnorm, clipvalue, global_clipnorm, loss_scale_factor
        As in `Optimizer`.
    use_ema, ema_momentum, ema_overwrite_frequency, gradient_accumulation_steps, name
        As in `Optimizer`.

    Notes
    -----
    Without momentum ``w = w - learning_rate * g``. With it there is a velocity,
    ``v = momentum * v - learning_rate * g``, and ``w = w + v``; after Nesterov
    ``w = w + momentum * v - learning_rate * g``.

    Examples
    --------
    >>> import numpy as np
    >>> from convlab.variables import Variable
    >>> weights = Variable(np.array([1.0, 2.0]))
    >>> sgd = SGD(learning_rate=0.1, momentum=0.9)
    >>> for _ in range(3):
    ...     sgd.apply([np.array([0.5, -1.0])], [weights])
    >>> weights.numpy().round(4)
    array([0.7195, 2.561 ])
    """

    elementwise = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not (isinstance(momentum, float) and 0 <= momentum <= 1):
            raise ValueError(
                f"`momentum` must be a float from 0 to 1. Received: momentum={momentum!r}."
            )
        self.momentum = momentum
        self.nesterov = nesterov
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
        """One velocity for each weight, where there is momentum."""
        return [("momentum",)] if self.momentum else []

    def update_step(
        self, gradient: np.ndarray, weights: np.ndarray, slots: Slots, learning_rate: float
    ) -> None:
        """Change weights and velocity, in place."""
        step = learning_rate * gradient
        if not self.momentum:
            weights -= step
            return
        velocity = slots["momentum"]
        velocity *= self.momentum
        velocity -= step
        weights += self.momentum * velocity - step if self.nesterov else velocity

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
