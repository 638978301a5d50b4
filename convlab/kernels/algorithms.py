"""The names of the parallel kernels' algorithms, and the layers that each can do."""

from __future__ import annotations

from convlab.geometry import Geometry

ALGORITHMS = ("auto", "direct", "winograd2", "winograd4")


def winograd_applies(geometry: Geometry) -> bool:
    """Whether a layer is of the kind that Winograd's algorithm computes.

    Examples
    --------
    >>> winograd_applies(Geometry.conv2d((1, 8, 8, 4), (3, 3, 4, 4)))
    True
    """
    return (
        geometry.kernel_size == (3, 3)
        and geometry.strides == geometry.dilation_rate == (1, 1)
        and geometry.groups == 1
    )


def check_algorithm(algorithm: object, geometry: Geometry) -> None:
    """Refuse an unknown algorithm, and Winograd's for layers that it cannot do."""
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ValueError(
            '`algorithm` must be "auto", "direct", "winograd2" or "winograd4". '
            f"Received: algorithm={algorithm!r}."
        )
    if algorithm.startswith("winograd") and not winograd_applies(geometry):
        raise ValueError(
            "Winograd's algorithm needs a 3 x 3 kernel, strides of 1, no dilation and one group. "
            f"Received: algorithm={algorithm!r}, kernel size={geometry.kernel_size}, "
            f"strides={geometry.strides}, dilation_rate={geometry.dilation_rate}, "
            f'groups={geometry.groups}. Use algorithm="auto".'
        )
