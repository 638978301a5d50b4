"""Matrix products of a dense layer: convolutions with a 1 x 1 kernel, over an image of one row.

Where the compiled kernels are used, they multiply as well. NumPy's own library has threads that
stay awake for milliseconds after each product, and keep a core from the kernels that follow: on
two cores a training step took a third longer.
"""

from __future__ import annotations

import numpy as np

from convlab.functional import conv2d, conv2d_input_gradient, conv2d_kernel_gradient
from convlab.kernels import is_compiled


def product(rows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """``rows @ kernel``.

    Parameters
    ----------
    rows : array of shape (rows, inputs)
    kernel : array of shape (inputs, units)

    Returns
    -------
    array of shape (rows, units)
    """
    if not is_compiled(rows.size * kernel.shape[1], rows, kernel):
        return rows @ kernel
    return conv2d(_image(rows), _image(kernel))[0, 0]


def to_rows(gradient: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """``gradient @ kernel.T``: the gradient with respect to the rows."""
    if not is_compiled(gradient.size * kernel.shape[0], gradient, kernel):
        return gradient @ kernel.T
    shape = 1, 1, len(gradient), len(kernel)
    return conv2d_input_gradient(_image(gradient), _image(kernel), shape)[0, 0]


def to_kernel(rows: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """``rows.T @ gradient``: the gradient with respect to the kernel."""
    if not is_compiled(rows.size * gradient.shape[1], rows, gradient):
        return rows.T @ gradient
    shape = 1, 1, rows.shape[1], gradient.shape[1]
    return conv2d_kernel_gradient(_image(rows), _image(gradient), shape)[0, 0]


def _image(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.newaxis, np.newaxis]
