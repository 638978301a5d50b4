"""What ``compile`` was told, applied to each output: losses with their gradients, and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convlab import losses, metrics
from convlab.models.data import Data

__all__ = ["CompiledLosses", "CompiledMetrics"]


def per_output(what: str, value: Any, names: list[str]) -> list[Any]:
    """One entry for each output, from one for all, a list or a dict.

    Parameters
    ----------
    what : str
        The argument's name, for errors.
    value : object, list or dict
    names : list of str
        The outputs.

    Returns
    -------
    list
    """
    if isinstance(value, Mapping) and "class_name" not in value:
        if unknown := [key for key in value if key not in names]:
            raise ValueError(
                f"`{what}` names outputs that the model does not have. Received: {unknown}. "
                f"The outputs are: {names}."
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"`{what}` must have one entry for each output, {names}. "
                f"Received: {len(value)} entries."
            )
        return list(value)
    return [value] * len(names)


class CompiledLosses:
    """The loss of each output, weighted and added.

    Parameters
    ----------
    loss, loss_weights : object, list or dict
        As ``compile`` takes them.
    names : list of str
        The outputs.
    batch, outputs
        A first batch, whose shapes tell what "crossentropy" means.
    """

    def __init__(
        self,
        loss: Any,
        loss_weights: Any,
        names: list[str],
        batch: Data,
        outputs: list[np.ndarray],
    ) -> None:
        self.names = names
        self.losses = [
            None if one is None else losses.resolve(one, _shape_of(batch, i), outputs[i].shape)
            for i, one in enumerate(per_output("loss", loss, names))
        ]
        given = [1.0] * len(names) if loss_weights is None else loss_weights
        self.factors = [
            1.0 if factor is None else float(factor)
            for factor in per_output("loss_weights", given, names)
        ]
        several = sum(one is not None for one in self.losses) > 1
        self.trackers = [metrics.Mean(name="loss")] + [
            metrics.Mean(name=f"{name}_loss")
            for name, loss in zip(names, self.losses, strict=True)
            if several and loss is not None
        ]

    def evaluate(
        self, batch: Data, outputs: list[np.ndarray], gradients: bool
    ) -> tuple[list[float], list[np.ndarray]]:
        """The loss of each output that has one, and the gradients with respect to all outputs.

        Parameters
        ----------
        batch : Data
        outputs : list of array
        gradients : bool
            Whether they are wanted; an empty list if not.

        Returns
        -------
        values : list of float
            Before weighting.
        gradients : list of array
            After weighting.
        """
        values, slopes = [], []
        for index, (loss, factor, output) in enumerate(
            zip(self.losses, self.factors, outputs, strict=True)
        ):
            if loss is None:
                slopes.append(np.zeros_like(output))
                continue
            target, weights = self._target(batch, index), _entry(batch.weights, index)
            if gradients:
                value, slope = loss.value_and_gradient(target, output, weights)
                slopes.append(slope if factor == 1 else slope * np.asarray(factor, slope.dtype))
            else:
                value = loss(target, output, weights)
            values.append(float(value))
        return values, slopes if gradients else []

    def _target(self, batch: Data, index: int) -> np.ndarray:
        target = _entry(batch.y, index)
        if target is None:
            raise ValueError(
                f"The output {self.names[index]!r} has a loss, which compares it with targets. "
                "Received: no `y` for it."
            )
        return target

    def total(self, values: list[float]) -> float:
        """The weighted sum of `values`."""
        factors = [f for f, loss in zip(self.factors, self.losses, strict=True) if loss is not None]
        return sum((factor * value for factor, value in zip(factors, values, strict=True)), 0.0)

    def track(self, total: float, values: list[float], samples: int) -> None:
        """Take one batch into the running means, weighted by its size."""
        parts = values if len(self.trackers) > 1 else []
        for tracker, value in zip(self.trackers, [total, *parts], strict=True):
            tracker.update_state(value, sample_weight=samples)


class CompiledMetrics:
    """The metrics of each output, with the names that the logs have.

    Parameters
    ----------
    given, weighted : list, dict or None
        As ``compile`` takes ``metrics`` and ``weighted_metrics``.
    losses : list of Loss or None
        Of each output: "accuracy" means what fits them.
    names : list of str
        The outputs.
    batch, outputs
        A first batch, whose shapes tell what "accuracy" means.
    """

    def __init__(
        self, given: Any, weighted: Any, names: list[str], batch: Data, outputs: list[np.ndarray]
    ) -> None:
        self._entries: list[tuple[int, Any, bool]] = []
        self.keys: list[str] = []
        for is_weighted, value in ((False, given), (True, weighted)):
            for index, some in enumerate(_metrics_per_output(value, names)):
                for one in some:
                    shape = outputs[index].shape
                    metric = metrics.resolve(one, _shape_of(batch, index) or shape, shape)
                    self._entries.append((index, metric, is_weighted))
                    prefix = f"{names[index]}_" if len(names) > 1 else ""
                    self.keys.append(self._free_key(prefix, metric.name, is_weighted))

    def _free_key(self, prefix: str, name: str, weighted: bool) -> str:
        key = f"{prefix}{name}"
        if weighted and key in self.keys:
            key = f"{prefix}weighted_{name}"
        count, free = 0, key
        while free in self.keys:
            count += 1
            free = f"{key}_{count}"
        return free

    @property
    def metrics(self) -> list[Any]:
        """The metric objects, in the order of `keys`."""
        return [metric for _, metric, _ in self._entries]

    def update(self, batch: Data, outputs: list[np.ndarray]) -> None:
        """Take one batch into every metric."""
        for index, metric, weighted in self._entries:
            target = _entry(batch.y, index)
            if target is not None:
                weights = _entry(batch.weights, index) if weighted else None
                metric.update_state(target, outputs[index], sample_weight=weights)

    def results(self) -> dict[str, float]:
        """Every metric's value so far, by its name in the logs."""
        return {
            key: float(metric.result()) for key, metric in zip(self.keys, self.metrics, strict=True)
        }


def _metrics_per_output(value: Any, names: list[str]) -> list[list[Any]]:
    if value is None:
        return [[] for _ in names]
    if len(names) == 1 and not isinstance(value, Mapping):
        return [[one for part in value for one in _several(part)]]
    parts = per_output("metrics", value, names)
    return [[] if part is None else _several(part) for part in parts]


def _several(part: Any) -> list[Any]:
    return list(part) if isinstance(part, (list, tuple)) else [part]


def _shape_of(batch: Data, index: int) -> tuple[int, ...]:
    target = _entry(batch.y, index)
    return () if target is None else target.shape


def _entry(parts: list[np.ndarray | None], index: int) -> np.ndarray | None:
    return parts[index] if index < len(parts) else None
