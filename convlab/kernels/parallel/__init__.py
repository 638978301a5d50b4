"""Numba: compiled loops over all cores, in which every job owns what it writes.

Every array is channels_last, and the last argument of each function is the result, made by
the caller and filled here. The rooms, in reading order:

- `lanes`: vectors, and how their instructions are written;
- `tiles`: the register tile, where all products of a convolution are made;
- `sweeps`: which pixels each tap reads, from the geometry;
- `direct` and `packing`: every convolution, and the order of its weights;
- `transforms` and `winograd`: 3 x 3 kernels with fewer multiplications;
- `channelwise`: convolutions whose filters see one channel, or few;
- `kernel_gradient`: sums over all pixels;
- `pooling`: maximum and mean of windows; `elementwise`: what follows a convolution;
- `paths` and `planning`: which of these a layer takes, and what that costs;
- `launch`: how kernels are compiled, kept on disk, and shared out among threads.

How a sum is cut depends on the sizes of the layer alone: no result depends on the number of
threads.
"""

from convlab.kernels.parallel.convolution import (
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
)
from convlab.kernels.parallel.elementwise import rectified_gradient
from convlab.kernels.parallel.planning import Plan, plan
from convlab.kernels.parallel.pooling import (
    average_pool2d,
    average_pool2d_gradient,
    max_pool2d,
    max_pool2d_gradient,
)
from convlab.kernels.parallel.warmup import warmup

__all__ = [
    "Plan",
    "average_pool2d",
    "average_pool2d_gradient",
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "max_pool2d",
    "max_pool2d_gradient",
    "plan",
    "rectified_gradient",
    "warmup",
]
