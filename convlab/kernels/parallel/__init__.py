"""Numba: compiled loops over all cores, in which every job owns what it writes.

Every array is channels_last, and the last argument of each function is the result, made by
the caller and filled here. The rooms, in reading order:

- `reads`: which pixels each tap reads, from the geometry;
- `dense`: convolutions whose filters see several channels;
- `channelwise`: convolutions whose filters see one channel;
- `pooling`: maximum and mean of windows;
- `launch`: how kernels are compiled, kept on disk, and entered by one Python thread at a time.

No sum is ever split between jobs, so no result depends on the number of threads.
"""

from convlab.kernels.parallel.convolution import (
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
)
from convlab.kernels.parallel.launch import is_usable
from convlab.kernels.parallel.pooling import (
    average_pool2d,
    average_pool2d_gradient,
    max_pool2d,
    max_pool2d_gradient,
)

__all__ = [
    "average_pool2d",
    "average_pool2d_gradient",
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "is_usable",
    "max_pool2d",
    "max_pool2d_gradient",
]
