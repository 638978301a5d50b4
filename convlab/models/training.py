"""`Training`: compile, fit, evaluate and predict, for any model.

One step: forward through the graph; the loss and its gradient; back through the graph; the
penalties' gradients; the optimizer's step. All numbers in the logs are taken before the step.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from convlab import callbacks as callback_module
from convlab import losses, metrics, optimizers, random, regularizers
from convlab.graph import as_list
from convlab.layers.base import weight_losses
from convlab.models.compiled import CompiledLosses, CompiledMetrics
from convlab.models.data import Data, batch_size_of, class_weights, collect, is_whole, split

__all__ = ["Training"]


class Training:
    """What a model can do with data. `Model` inherits it; it needs the model's graph."""

    # Of the model that this belongs to.
    built: bool
    name: str
    run: Callable[..., Any]
    infer: Callable[..., list[np.ndarray]]
    backward: Callable[..., Any]
    update: Callable[[Any], None]
    activity_losses: Callable[..., list[float]]
    in_output_form: Callable[[list[Any]], Any]
    output_names: Callable[[], list[str]]

    @property
    def trainable_variables(self) -> list[Any]:
        """The weights that training changes."""
        raise NotImplementedError

    def _start_uncompiled(self) -> None:
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.history: Any = None
        self.shuffle_seed: int | None = None
        self._compiled: dict[str, Any] | None = None
        self._losses: CompiledLosses | None = None
        self._metrics: CompiledMetrics | None = None

    def _forget_shapes(self) -> None:
        """Let the next batch decide what names such as "accuracy" mean: the output changed."""
        self._losses = self._metrics = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
    ) -> None:
        """Say how the model is trained.

        Parameters
        ----------
        optimizer : str, dict or Optimizer, default "rmsprop"
        loss : str, function or Loss, or a list or dict of them by output, optional
        loss_weights : list or dict of float, optional
            Factors of the outputs' losses.
        metrics, weighted_metrics : list or dict, optional
            Names, functions or objects; those of ``weighted_metrics`` see the sample weights.
        run_eagerly, steps_per_execution, jit_compile
            Accepted for Keras's sake: here they change nothing.

        Raises
        ------
        ValueError
            For an unknown name, or ``metrics`` that are no list.

        Examples
        --------
        >>> from convlab import layers, models
        >>> model = models.Sequential([layers.Input((4,)), layers.Dense(2)])
        >>> model.compile("sgd", loss="mse", metrics=["mae"])
        """
        chosen = optimizers.get(optimizer)
        for name, value in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            _check_metrics(name, value)
        _check_losses(loss)
        _check_loss_weights(loss_weights)
        self.optimizer = chosen
        self.loss = loss
        self._compiled = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }  # fmt: skip
        self._losses = self._metrics = None
        self.shuffle_seed = random.make_seed()
        self.stop_training = False

    def get_compile_config(self) -> dict[str, Any] | None:
        """What ``compile`` was told, as Keras writes it; None before it."""
        if self._compiled is None:
            return None
        given = self._compiled
        return {
            "optimizer": optimizers.serialize(self.optimizer),
            "loss": _each(losses.serialize, given["loss"]),
            "loss_weights": given["loss_weights"],
            "metrics": _each(metrics.serialize, given["metrics"]),
            "weighted_metrics": _each(metrics.serialize, given["weighted_metrics"]),
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": False,
        }

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as `get_compile_config` says.

        Parameters
        ----------
        config : dict
        """
        self.compile(
            optimizers.deserialize(config["optimizer"]),
            loss=_each(losses.deserialize, config.get("loss")),
            loss_weights=config.get("loss_weights"),
            metrics=_each(metrics.deserialize, config.get("metrics")),
            weighted_metrics=_each(metrics.deserialize, config.get("weighted_metrics")),
        )

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    # ---- the loops ---------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train, epoch by epoch.

        Parameters
        ----------
        x, y : array, or a list or dict of arrays
            With the samples along the first axis.
        batch_size : int, optional
            Samples in a step, 32 where None.
        epochs : int, default 1
            The epoch to stop before: ``epochs - initial_epoch`` are trained.
        verbose : {"auto", 0, 1, 2}, default "auto"
            0 is silent, 1 a bar, 2 lines for a log; "auto" takes what suits the screen.
        callbacks : list of Callback, optional
        validation_split : float, default 0
            Share of the samples, the last ones, that is held out.
        validation_data : tuple, optional
            ``(x, y)`` or ``(x, y, sample_weight)``, instead.
        shuffle : bool, default True
            Deal the samples in a new order in each epoch. The order follows from
            `utils.set_random_seed`, and from the steps that the optimizer has made.
        class_weight : dict of int to float, optional
            Factor of each class's losses.
        sample_weight : array, optional
            Factor of each sample's loss.
        initial_epoch : int, default 0
            Where a training that was interrupted goes on.
        steps_per_epoch, validation_steps : int, optional
            Batches to take, fewer than there are. The next epoch goes on with the batches that
            are left; a validation begins anew.
        validation_batch_size : int, optional
            ``batch_size`` where None.
        validation_freq : int or list of int, default 1
            Every how many epochs, or after which ones, to validate.

        Returns
        -------
        History
            ``history.history["loss"]``: one number for each epoch.

        Raises
        ------
        ValueError
            Before `compile`, or for data that does not fit; nothing is changed then. An error
            in the middle carries a note that says what was kept.

        Examples
        --------
        >>> import numpy as np
        >>> from convlab import layers, models, optimizers
        >>> x = np.linspace(-1, 1, 64).reshape(64, 1)
        >>> model = models.Sequential([layers.Input((1,)), layers.Dense(1)])
        >>> model.compile(optimizers.SGD(learning_rate=0.5), loss="mse")
        >>> history = model.fit(x, 3 * x + 1, epochs=20, verbose=0)
        >>> print(f"{float(model.layers[0].bias[0]):.2f}")
        1.00
        """
        self._need_compile()
        batch_size = batch_size_of(batch_size)
        _check_epochs(epochs, initial_epoch)
        is_due = _validation_epochs(validation_freq)
        training, held_out = self._fit_data(
            x, y, sample_weight, class_weight, validation_split, validation_data
        )
        steps = _steps("steps_per_epoch", steps_per_epoch, training.steps(batch_size))
        validation = held_out and self._validation(
            held_out, batch_size_of(validation_batch_size or batch_size), validation_steps
        )
        listeners = callback_module.CallbackList(
            callbacks, add_history=True, add_progbar=verbose != 0, model=self,
            verbose=verbose, epochs=epochs, steps=steps,
        )  # fmt: skip
        self.stop_training = False
        listeners.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            with self._told_where(f"in epoch {epoch + 1} of {epochs}"):
                logs = self._train_epoch(training, batch_size, steps, shuffle, epoch, listeners)
                if validation and is_due(epoch + 1):
                    logs |= {f"val_{name}": v for name, v in validation(listeners).items()}
                listeners.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        with self._told_where("after its last epoch"):
            if epochs > initial_epoch:
                self.optimizer.finalize_variable_values(self.trainable_variables)
            listeners.on_train_end(logs)
        return self.history

    def _fit_data(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Mapping[int, float] | None,
        validation_split: float,
        validation_data: Any,
    ) -> tuple[Data, Data | None]:
        parts = None if validation_data is None else _validation_parts(validation_data)
        training, held_out = collect(self, x, y, sample_weight), None
        if parts is not None:
            held_out = collect(self, *parts)
        elif validation_split:
            training, held_out = split(training, validation_split)
        return self._weighted(training, class_weight), held_out  # as in Keras: no class weights

    def _validation(
        self, data: Data, batch_size: int, steps: int | None
    ) -> Callable[[Any], dict[str, float]]:
        """What evaluates the data that is held out."""
        count = _steps("validation_steps", steps, data.steps(batch_size), stacklevel=4)
        return lambda listeners: self._evaluate(data, batch_size, count, listeners)

    def _weighted(self, data: Data, class_weight: Mapping[int, float] | None) -> Data:
        if class_weight is None:
            return data
        if data.weights:
            raise ValueError(
                "You cannot give `class_weight` and `sample_weight` at the same time. "
                "Multiply them into one `sample_weight`."
            )
        return Data(data.x, data.y, list(class_weights(data.y, class_weight)))

    def _order(self, samples: int, before: int) -> np.ndarray:
        """The order of the samples: from the seed and the steps made, so that it can be resumed.

        ``before`` steps of the same pass over the data were made in epochs before this one.
        """
        steps = max(int(self.optimizer.iterations) - before, 0)
        return np.random.default_rng([self.shuffle_seed or 0, steps]).permutation(samples)

    def _train_epoch(
        self, data: Data, batch_size: int, steps: int, shuffle: bool, epoch: int, listeners: Any
    ) -> dict[str, float]:
        # With fewer steps than batches, an epoch goes on where the one before it stopped.
        there = data.steps(batch_size)
        first = epoch % -(-there // steps) * steps
        numbers = range(first, min(first + steps, there))
        order = self._order(len(data), first) if shuffle else None
        self.reset_metrics()
        listeners.on_epoch_begin(epoch)
        for step, batch in enumerate(data.batches(batch_size, numbers, order)):
            listeners.on_train_batch_begin(step)
            self._train_step(batch)
            listeners.on_train_batch_end(step, self._results())
            if self.stop_training:
                break
        return self._results()

    @contextmanager
    def _told_where(self, place: str) -> Iterator[None]:
        """Add to an error what the model keeps."""
        try:
            yield
        except BaseException as error:
            error.add_note(
                f"fit stopped {place}. The model {self.name!r} keeps the weights after "
                f"{int(self.optimizer.iterations)} steps; its history holds the epochs that were "
                "completed."
            )
            raise

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on some data.

        Parameters
        ----------
        x, y, batch_size, verbose, sample_weight, callbacks
            As in `fit`.
        steps : int, optional
            Batches to take, fewer than there are.
        return_dict : bool, default False

        Returns
        -------
        float, list of float or dict
            The loss alone where there are no metrics.
        """
        self._need_compile()
        batch_size = batch_size_of(batch_size)
        data = collect(self, x, y, sample_weight)
        count = _steps("steps", steps, data.steps(batch_size))
        listeners = callback_module.CallbackList(
            callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=count
        )
        logs = self._evaluate(data, batch_size, count, listeners)
        return dict(sorted(logs.items())) if return_dict else _plain(logs)

    def _evaluate(
        self, data: Data, batch_size: int, steps: int, listeners: Any
    ) -> dict[str, float]:
        self.reset_metrics()
        listeners.on_test_begin()
        for step, batch in enumerate(data.batches(batch_size, range(steps))):
            listeners.on_test_batch_begin(step)
            self._test_step(batch)
            listeners.on_test_batch_end(step, self._results())
        logs = self._results()
        listeners.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for some inputs. The model need not be compiled.

        Parameters
        ----------
        x, batch_size, verbose, steps, callbacks
            As in `evaluate`.

        Returns
        -------
        array, or a list or dict of arrays
            In the form in which the model's outputs were given.
        """
        batch_size = batch_size_of(batch_size)
        data = collect(self, x)
        count = _steps("steps", steps, data.steps(batch_size))
        listeners = callback_module.CallbackList(
            callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1, steps=count
        )
        listeners.on_predict_begin()
        parts: list[list[np.ndarray]] = []
        for step, batch in enumerate(data.batches(batch_size, range(count))):
            listeners.on_predict_batch_begin(step)
            outputs = self._infer(batch)
            parts.append(outputs)
            listeners.on_predict_batch_end(step, {"outputs": self.in_output_form(outputs)})
        listeners.on_predict_end()
        return self.in_output_form([np.concatenate(arrays) for arrays in zip(*parts, strict=True)])

    # ---- one batch ---------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step of training.

        Parameters
        ----------
        x, y, sample_weight, class_weight
            As in `fit`.
        return_dict : bool, default False

        Returns
        -------
        float, list of float or dict
            The loss and the metrics of this batch, before the step.
        """
        self._need_compile()
        batch = self._weighted(collect(self, x, y, sample_weight), class_weight)
        self.reset_metrics()
        self._train_step(batch)
        logs = self._results()
        return dict(sorted(logs.items())) if return_dict else _plain(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics of one batch.

        Parameters
        ----------
        x, y, sample_weight, return_dict
            As in `train_on_batch`.

        Returns
        -------
        float, list of float or dict
        """
        self._need_compile()
        batch = collect(self, x, y, sample_weight)
        self.reset_metrics()
        self._test_step(batch)
        logs = self._results()
        return dict(sorted(logs.items())) if return_dict else _plain(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch.

        Parameters
        ----------
        x : array, or a list or dict of arrays

        Returns
        -------
        array, or a list or dict of arrays
        """
        return self.in_output_form(self._infer(collect(self, x)))

    def _infer(self, batch: Data) -> list[np.ndarray]:
        return self.infer(_input_form(batch))

    def _train_step(self, batch: Data) -> None:
        output, cache = self.run(_input_form(batch), True)
        outputs = as_list(output)
        compiled, watched = self._prepared(batch, outputs)
        values, slopes = compiled.evaluate(batch, outputs, gradients=True)
        total = self._total(compiled, values, output, cache)
        variables = self.trainable_variables
        _, gradients = self.backward(slopes if len(slopes) > 1 else slopes[0], cache, False)
        gradients = [
            self.optimizer.scale_loss(_with_penalty(v, g))
            for v, g in zip(variables, gradients, strict=True)
        ]
        compiled.track(total, values, len(batch))
        watched.update(batch, outputs)
        # Last, so that an error in anything above leaves the weights as they were.
        if variables:
            self.optimizer.apply(gradients, variables)
        self.update(cache)

    def _test_step(self, batch: Data) -> None:
        output, cache = self.run(_input_form(batch), False)
        outputs = as_list(output)
        compiled, watched = self._prepared(batch, outputs)
        values, _ = compiled.evaluate(batch, outputs, gradients=False)
        compiled.track(self._total(compiled, values, output, cache), values, len(batch))
        watched.update(batch, outputs)

    def _total(
        self, compiled: CompiledLosses, values: list[float], output: Any, cache: Any
    ) -> float:
        """The loss with all penalties."""
        penalties = self.activity_losses(output, cache) + weight_losses(self.trainable_variables)
        return compiled.total(values) + sum(penalties, 0.0)

    def _prepared(
        self, batch: Data, outputs: list[np.ndarray]
    ) -> tuple[CompiledLosses, CompiledMetrics]:
        """Losses and metrics by output; made with the first batch, whose shapes they need."""
        if self._losses is None or self._metrics is None:
            given = self._compiled or {}
            names = self.output_names()
            self._losses = CompiledLosses(
                given["loss"], given["loss_weights"], names, batch, outputs
            )
            self._metrics = CompiledMetrics(
                given["metrics"], given["weighted_metrics"], names, batch, outputs
            )
        return self._losses, self._metrics

    # ---- metrics -----------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The running means of the losses, then the metrics; empty before the first batch."""
        if self._losses is None or self._metrics is None:
            return []
        return [*self._losses.trackers, *self._metrics.metrics]

    @property
    def metrics_names(self) -> list[str]:
        """Their names in the logs, in the order of `evaluate`'s list."""
        return list(self._results())

    def reset_metrics(self) -> None:
        """Begin all running means anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _results(self) -> dict[str, float]:
        if self._losses is None or self._metrics is None:
            return {}
        means = {tracker.name: float(tracker.result()) for tracker in self._losses.trackers}
        return {**means, **self._metrics.results()}

    def _need_compile(self) -> None:
        if self._compiled is None:
            raise ValueError(
                "You must call `compile()` before using the model. "
                'Write model.compile(optimizer="sgd", loss="categorical_crossentropy").'
            )


def _input_form(batch: Data) -> Any:
    return batch.x if len(batch.x) > 1 else batch.x[0]


def _with_penalty(variable: Any, gradient: np.ndarray) -> np.ndarray:
    if variable.regularizer is None:
        return gradient
    slope = regularizers.gradient(variable.regularizer, variable.value)
    return gradient + slope.astype(gradient.dtype, copy=False)


def _plain(logs: dict[str, float]) -> float | list[float]:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _check_metrics(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, (list, tuple, dict)):
        raise ValueError(
            f"Expected `{name}` argument to be a list, tuple, or dict. Received: "
            f"{name}={value!r} of type {type(value).__name__}. Write {name}=[{value!r}]."
        )


def _check_loss_weights(value: Any) -> None:
    if value is None:
        return
    parts = list(value.values()) if isinstance(value, Mapping) else as_list(value)
    if not all(isinstance(p, (int, float, np.number)) or p is None for p in parts):
        raise ValueError(
            "`loss_weights` must be numbers, one for each output. "
            f"Received: loss_weights={value!r}. Give metrics by their name: metrics=[...]."
        )


def _check_losses(value: Any) -> None:
    """Refuse a name that no loss has at once, not in the first step."""
    if isinstance(value, Mapping) and "class_name" not in value:
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for one in value:
            _check_losses(one)
    else:
        losses.resolve(value, (1,), (1, 2))  # shapes matter to "crossentropy" alone


def _each(function: Callable[[Any], Any], value: Any) -> Any:
    """A function applied inside lists and dicts, and to strings not at all: they stay names."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _each(function, one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each(function, one) for one in value]
    return function(value)


def _validation_parts(given: Any) -> tuple[Any, ...]:
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        several = isinstance(given, (tuple, list))
        received = f"{len(given)} parts" if several else type(given).__name__
        raise ValueError(
            f"`validation_data` must be (x, y) or (x, y, sample_weight). Received: {received}."
        )
    return tuple(given)


def _validation_epochs(frequency: Any) -> Callable[[int], bool]:
    """Whether to validate after an epoch, counted from 1."""
    if is_whole(frequency):
        if frequency >= 1:
            return lambda epoch: epoch % frequency == 0
    elif isinstance(frequency, (list, tuple, set)):
        return lambda epoch: epoch in frequency
    raise ValueError(
        "`validation_freq` must be a whole number, at least 1, or a list of epochs. "
        f"Received: validation_freq={frequency!r}."
    )


def _check_epochs(epochs: Any, initial_epoch: Any) -> None:
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if not is_whole(value) or value < 0:
            raise ValueError(
                f"`{name}` must be a whole number, 0 or more. Received: {name}={value!r}."
            )


def _steps(name: str, wanted: int | None, there: int, stacklevel: int = 3) -> int:
    if wanted is None:
        return there
    if not is_whole(wanted) or wanted < 1:
        raise ValueError(
            f"`{name}` must be a positive whole number, or None for all batches. "
            f"Received: {name}={wanted!r}."
        )
    if wanted > there:
        warnings.warn(
            f"Your input ran out of data: `{name}` is {wanted}, and there are {there} batches.",
            UserWarning,
            stacklevel=stacklevel,
        )
    return min(wanted, there)
