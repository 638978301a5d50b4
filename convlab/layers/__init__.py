"""The layers, with Keras's names and arguments.

>>> from convlab import layers
>>> layers.Conv2D(32, 5).compute_output_shape((None, 28, 28, 1))
(None, 24, 24, 32)
"""

from convlab.layers.base import Layer
from convlab.layers.conv2d import Conv2D
from convlab.layers.input import Input, InputLayer

Convolution2D = Conv2D

__all__ = ["Conv2D", "Convolution2D", "Input", "InputLayer", "Layer"]
