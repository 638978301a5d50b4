"""The curves of a training: one panel for the loss, one for each metric, one under another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .charts import Chart, check_log
from .layout import SMALL, Block, above, labelled, text_width
from .picture import Picture

__all__ = ["history"]

TRAINING, VALIDATION = "training", "validation"
Series = dict[str, np.ndarray]


def history(
    history: Any,
    *,
    metrics: str | Sequence[str] | None = None,
    title: str | None = None,
    log: str = "",
    height: float = 2.0,
) -> Picture:
    """The loss and the metrics of a training, over its epochs counted from 1.

    Training is a whole line with dots, validation a dashed line with squares.

    Parameters
    ----------
    history : History, or mapping of str to sequence of float
        What ``fit`` returns, or such a dict, with one value for each epoch.
    metrics : str or sequence of str, optional
        Which panels, in which order: ``"loss"`` is that of training and of validation. All
        where None, the loss first.
    title : str, optional
    log : {"", "x", "y", "xy"}
        Axes with a logarithmic scale.
    height : float, default 2
        Of each panel, in inches.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        Where there is no epoch, or no metric of a name.

    Notes
    -----
    Where validation runs only in some epochs, its points stand at these, and the line joins
    them. What is NaN or infinite cannot be drawn, and is told below the figure.

    Examples
    --------
    >>> history({"loss": [0.9, 0.4, 0.2], "val_loss": [0.8, 0.5, 0.4]})
    <Picture: 3 epochs: loss 0.2, val_loss 0.4>
    """
    check_log(log)
    values = _values(history)
    epochs = sorted({epoch for one in values.values() for epoch in one})
    panels = _panels(values, epochs, metrics)
    names = [name for panel in panels.values() for name in panel]
    ending = text_width(VALIDATION, SMALL, bold=True) if VALIDATION in names else 0.0
    charts = [
        _Panel(np.array(epochs, float) + 1, panel, name, log, ending)
        for name, panel in panels.items()
    ]
    charts[-1].xlabel, charts[-1].below = "epoch", Chart.below

    shown = {name: values[name] for name in _shown(values, panels)}
    caption = "; ".join(filter(None, (_unseen(*item) for item in shown.items())))

    def recipe(width: float) -> Block:
        blocks = [chart.block(width, height + chart.below) for chart in charts]
        return labelled(above(blocks, 0.1), title, caption, width=width)

    count = f"{len(epochs)} epoch" + "s" * (len(epochs) > 1)
    return Picture(recipe, f"{count}: {', '.join(_last(*item) for item in shown.items())}")


class _Panel(Chart):
    """The curves of one metric; all panels have the same axis of epochs."""

    below = 0.32

    def __init__(self, x: np.ndarray, panel: Series, name: str, log: str, ending: float) -> None:
        lines = panel if VALIDATION in panel else {"": panel[TRAINING]}
        super().__init__(x, lines, "", name, log, None, {})
        self.ending = ending

    def name_width(self) -> float:
        return self.ending

    def points(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = np.isfinite(values)
        return self.x[seen], values[seen]

    def _scale(self, axes: Any) -> None:
        super()._scale(axes)
        if "x" not in self.log:
            aside = max(0.05 * (self.x[-1] - self.x[0]), 0.25)
            axes.set_xlim(self.x[0] - min(aside, 0.5), self.x[-1] + aside)
        axes.yaxis.set_major_formatter(lambda value, place: _short(value))
        if "y" in self.log:
            axes.yaxis.set_minor_formatter(_plain_steps())


def _plain_steps() -> Any:
    """Plain numbers between the powers of ten, where matplotlib finds room for them."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, value: float, place: int | None = None) -> str:
            return _short(value) if super().__call__(value, place) else ""

    return Plain(minor_thresholds=(1, 0.5))


def _short(value: float) -> str:
    """Four digits; a loss that explodes, or a tiny learning rate, as 2e8 or 1e−5."""
    digits, _, power = f"{value:.4g}".partition("e")
    return (digits + (f"e{int(power)}" if power else "")).replace("-", "−")


def _values(history: Any) -> dict[str, dict[int, float]]:
    """Each name's value for each epoch that has one."""
    record = getattr(history, "history", history)
    if not isinstance(record, Mapping) or not any(len(one) for one in record.values()):
        raise ValueError(
            "`history` must be what fit returns, or a dict of lists, with at least one epoch. "
            f"Received: {history!r}."
        )
    epochs = getattr(history, "epoch", None) or range(max(len(one) for one in record.values()))
    known = getattr(history, "epochs_of", lambda name: epochs)
    return {name: _by_epoch(name, known(name), values) for name, values in record.items()}


def _by_epoch(name: str, epochs: Sequence[int], values: Sequence[float]) -> dict[int, float]:
    if len(epochs) != len(values):
        raise ValueError(
            "Every name of the history must have one value for each epoch. "
            f"Received: {len(epochs)} epochs, {len(values)} values of {name!r}."
        )
    return dict(zip(epochs, map(float, values), strict=True))


def _panels(
    values: Mapping[str, dict[int, float]],
    epochs: Sequence[int],
    metrics: str | Sequence[str] | None,
) -> dict[str, Series]:
    """The series of each panel, by the name of its metric; NaN where an epoch has no value."""
    known = list(dict.fromkeys(name.removeprefix("val_") for name in values))
    if metrics is None:  # the loss first, the learning rate last
        wanted = sorted(known, key=lambda name: (name != "loss", name == "learning_rate"))
    else:
        wanted = [metrics] if isinstance(metrics, str) else list(metrics)
    if not wanted or not set(wanted) <= set(known):
        raise ValueError(f"`metrics` must name some of {known}. Received: metrics={metrics!r}.")
    return {name: _series(name, values, epochs) for name in wanted}


def _series(name: str, values: Mapping[str, dict[int, float]], epochs: Sequence[int]) -> Series:
    found = {TRAINING: values.get(name, {})}
    if f"val_{name}" in values:
        found[VALIDATION] = values[f"val_{name}"]
    return {
        label: np.array([one.get(epoch, np.nan) for epoch in epochs])
        for label, one in found.items()
    }


def _shown(values: Mapping[str, dict[int, float]], panels: Mapping[str, Series]) -> list[str]:
    names = [key for name in panels for key in (name, f"val_{name}")]
    return [name for name in names if values.get(name)]


def _unseen(name: str, values: Mapping[int, float]) -> str:
    """In which epochs a curve has no point although it has a value."""
    lost = [epoch + 1 for epoch, value in values.items() if not np.isfinite(value)]
    if not lost:
        return ""
    if len(lost) > 1 and lost == [epoch + 1 for epoch in values][-len(lost) :]:
        return f"{name} is not finite from epoch {lost[0]} on"
    return f"{name} is not finite in epoch {', '.join(map(str, lost))}"


def _last(name: str, values: Mapping[int, float]) -> str:
    value = values[max(values)]
    return f"{name} {_short(value)}"
