"""`Conv2D`: the layer that this package and its book are about."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from convlab import constraints, initializers, regularizers
from convlab.config import standardize_data_format
from convlab.geometry import Geometry, as_padding, as_pair, check_strides_with_dilation
from convlab.layers.activation import activation_config, activation_from
from convlab.layers.convolution import Convolution
from convlab.layers.sweep import channels_of, check_channels, swept_shape

__all__ = ["Conv2D"]


class Conv2D(Convolution):
    """Convolve images with kernels that are learned, add a bias, apply an activation.

    Parameters
    ----------
    filters : int
        Output channels: one kernel, and one feature map, each.
    kernel_size : int or (int, int)
        Height and width of the window, in pixels.
    strides : int or (int, int), default (1, 1)
        Step of the window, in pixels: down, right.
    padding : {"valid", "same"}, default "valid"
        ``"same"`` surrounds the image with zeros, so that there are ``ceil(size / stride)``
        outputs.
    data_format : {"channels_last", "channels_first"}, optional
        Order of the axes; `config.image_data_format` where None.
    dilation_rate : int or (int, int), default (1, 1)
        Distance between the pixels that neighbouring weights read. Not together with strides.
    groups : int, default 1
        Blocks of channels that do not see each other. Must divide channels and filters.
    activation : str or callable, optional
        What bends the result; nothing where None.
    use_bias : bool, default True
    kernel_initializer : default "glorot_uniform"
    bias_initializer : default "zeros"
        A name, config, array, callable or object of `convlab.initializers`.
    kernel_regularizer, bias_regularizer, activity_regularizer : optional
        Penalties on kernel, bias and output, added to the loss: see `convlab.regularizers`.
    kernel_constraint, bias_constraint : optional
        What kernel and bias are projected on after each training step: see
        `convlab.constraints`.
    **kwargs
        ``name``, ``trainable``, ``dtype``: see `Layer`.

    Attributes
    ----------
    kernel : Variable
        ``(kernel_height, kernel_width, channels // groups, filters)`` for both data formats,
        once the layer is built.
    bias : Variable or None
        ``(filters,)``.

    Raises
    ------
    ValueError, TypeError
        For arguments that cannot be, with the rule, what was received and the way out.

    References
    ----------
    Keras, ``keras.layers.Conv2D``.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Conv2D(32, 3, strides=2, padding="same", activation="relu")
    >>> layer(np.zeros((1, 28, 28, 1))).shape
    (1, 14, 14, 32)
    >>> layer.kernel.shape, layer.count_params()
    ((3, 3, 1, 32), 320)
    """

    _ONLY_NONE = ("lora_rank", "lora_alpha")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        groups: int = 1,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = as_pair("kernel_size", kernel_size)
        self.strides = as_pair("strides", strides)
        self.dilation_rate = as_pair("dilation_rate", dilation_rate)
        self.padding = as_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.activation = activation_from(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.filters = _filters(filters)
        self.groups = _groups(groups, self.filters)
        check_strides_with_dilation(self.strides, self.dilation_rate)

    def create_weights(self, input_shape: Sequence[int | None]) -> None:
        """Make the kernel, and the bias where there is one."""
        channels = check_channels(self, input_shape)
        self.compute_output_shape(input_shape)  # refuses an image smaller than the window
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._create_bias(self.filters)

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input of another rank, or with other channels than at first."""
        super().check_input_shape(input_shape)
        if self.built:
            channels_of(self, input_shape, self.kernel.shape[2] * self.groups)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of the output.

        Parameters
        ----------
        input_shape : tuple of (int or None)
            With the batch. None, an unknown size, stays None.

        Returns
        -------
        tuple of (int or None)

        Raises
        ------
        ValueError
            Where the window is larger than the image.

        Examples
        --------
        >>> Conv2D(7, 3, strides=2, padding="same").compute_output_shape((None, 9, None, 3))
        (None, 5, None, 7)
        """

        def describe(shape: tuple[int, ...]) -> Geometry:
            channels = shape[-1 if self.data_format == "channels_last" else 1]
            kernel_shape = (*self.kernel_size, max(channels // self.groups, 1), self.filters)
            return Geometry.conv2d(shape, kernel_shape, **self._sweep())

        return swept_shape(self, input_shape, describe)

    def _sweep(self) -> dict[str, Any]:
        return {
            "strides": self.strides, "padding": self.padding, "data_format": self.data_format,
            "dilation_rate": self.dilation_rate, "groups": self.groups,
        }  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them.

        Returns
        -------
        dict

        Examples
        --------
        >>> layer = Conv2D(8, 3, kernel_regularizer="l2", name="first")
        >>> Conv2D.from_config(layer.get_config()).kernel_regularizer
        L2(l2=0.01)
        """
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activation_config(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


def _filters(filters: Any) -> int:
    rule = "Invalid value for argument `filters`. Expected a strictly positive value."
    if isinstance(filters, (str, bytes)):
        raise TypeError(f"{rule} Received filters={filters!r}, which is text.")
    try:
        number = operator.index(filters)
    except TypeError:
        raise ValueError(f"{rule} Received filters={filters!r}, no whole number.") from None
    if number <= 0:
        raise ValueError(f"{rule} Received filters={number}.")
    return number


def _groups(groups: Any, filters: int) -> int:
    rule = "The number of groups must be a positive integer."
    if groups is None or isinstance(groups, (str, bytes)):
        raise TypeError(f"{rule} Received: groups={groups!r}.")
    try:
        number = operator.index(groups)
    except TypeError:
        raise ValueError(f"{rule} Received: groups={groups!r}.") from None
    if number <= 0:
        raise ValueError(f"{rule} Received: groups={number}.")
    if filters % number:
        raise ValueError(
            "The number of filters must be evenly divisible by the number of groups. "
            f"Received: groups={number}, filters={filters}."
        )
    return number
