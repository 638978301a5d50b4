"""The layers, with Keras's names and arguments.

>>> from convlab import layers
>>> layers.Conv2D(32, 5).compute_output_shape((None, 28, 28, 1))
(None, 24, 24, 32)
"""

from convlab.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from convlab.layers.base import Layer
from convlab.layers.batch_normalization import BatchNormalization
from convlab.layers.catalogue import deserialize, serialize
from convlab.layers.conv2d import Conv2D
from convlab.layers.dense import Dense
from convlab.layers.depthwise_conv2d import DepthwiseConv2D
from convlab.layers.dropout import Dropout
from convlab.layers.flatten import Flatten
from convlab.layers.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from convlab.layers.input import Input, InputLayer
from convlab.layers.merging import (
    Add,
    Average,
    Concatenate,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    multiply,
    subtract,
)
from convlab.layers.pooling import AveragePooling2D, MaxPooling2D

AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D

__all__ = [
    "ELU",
    "Activation",
    "Add",
    "Average",
    "AveragePooling2D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Convolution2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "MaxPooling2D",
    "Multiply",
    "PReLU",
    "ReLU",
    "Softmax",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "multiply",
    "serialize",
    "subtract",
]
