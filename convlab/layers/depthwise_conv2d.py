"""`DepthwiseConv2D`: each channel has kernels of its own, and no channel sees another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convlab import constraints, initializers, regularizers
from convlab.config import standardize_data_format
from convlab.geometry import Geometry, as_padding, as_pair, as_size
from convlab.layers.activation import activation_config, activation_from
from convlab.layers.convolution import Convolution
from convlab.layers.sums import channel_axis
from convlab.layers.sweep import channels_of, check_channels, swept_shape

__all__ = ["DepthwiseConv2D"]


class DepthwiseConv2D(Convolution):
    """Convolve every channel by itself: a `Conv2D` with as many groups as channels.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the window, in pixels.
    strides : int or (int, int), default (1, 1)
    padding : {"valid", "same"}, default "valid"
    depth_multiplier : int, default 1
        Kernels, and output channels, for each input channel. Output channel ``c * m + j`` is
        the ``j``-th of channel ``c``.
    data_format : {"channels_last", "channels_first"}, optional
    dilation_rate : int or (int, int), default (1, 1)
        May be given together with strides.
    activation : str or callable, optional
    use_bias : bool, default True
    depthwise_initializer : default "glorot_uniform"
    bias_initializer : default "zeros"
    depthwise_regularizer, bias_regularizer, activity_regularizer : optional
    depthwise_constraint, bias_constraint : optional
        As in `Conv2D`, where they are called ``kernel_...``.
    **kwargs
        ``name``, ``trainable``, ``dtype``: see `Layer`.

    Attributes
    ----------
    kernel : Variable
        ``(kernel_height, kernel_width, channels, depth_multiplier)``, for both data formats.
    bias : Variable or None
        ``(channels * depth_multiplier,)``.

    Raises
    ------
    ValueError, TypeError
        For arguments that cannot be, with the rule, what was received and the way out.

    References
    ----------
    Keras, ``keras.layers.DepthwiseConv2D``.

    Examples
    --------
    >>> layer = DepthwiseConv2D(3, depth_multiplier=2)
    >>> layer(np.zeros((1, 5, 5, 4))).shape
    (1, 3, 3, 8)
    >>> layer.kernel.shape, layer.count_params()
    ((3, 3, 4, 2), 80)
    """

    groups = 1  # what stands in for an unknown number of channels
    filters = None

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = as_size("depth_multiplier", depth_multiplier)
        self.kernel_size = as_pair("kernel_size", kernel_size)
        self.strides = as_pair("strides", strides)
        self.dilation_rate = as_pair("dilation_rate", dilation_rate)
        self.padding = as_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.activation = activation_from(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def create_weights(self, input_shape: Sequence[int | None]) -> None:
        """Make the kernel, and the bias where there is one."""
        channels = check_channels(self, input_shape)
        self.compute_output_shape(input_shape)  # refuses an image smaller than the window
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
        )
        self._create_bias(channels * self.depth_multiplier)

    def check_input_shape(self, input_shape: Any) -> None:
        """Refuse an input of another rank, or with other channels than at first."""
        super().check_input_shape(input_shape)
        if self.built:
            channels_of(self, input_shape, self.kernel.shape[2])

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
        """

        def describe(shape: tuple[int, ...]) -> Geometry:
            channels = shape[channel_axis(self.data_format)]
            kernel_shape = (*self.kernel_size, 1, channels * self.depth_multiplier)
            return Geometry.conv2d(shape, kernel_shape, groups=channels, **self._window())

        return swept_shape(self, input_shape, describe)

    def _window(self) -> dict[str, Any]:
        return {
            "strides": self.strides, "padding": self.padding, "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }  # fmt: skip

    def _sweep(self) -> dict[str, Any]:
        return {**self._window(), "groups": self.kernel.shape[2]}

    def _conv_kernel(self) -> np.ndarray:
        # Each channel is a group of its own: one channel in, `depth_multiplier` filters out.
        height, width, channels, multiplier = self.kernel.shape
        return self.kernel.value.reshape(height, width, 1, channels * multiplier)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activation_config(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
