"""Weights in the order in which the register tile reads them.

Filters are taken in panels, as many as the tile has lanes; within a panel the weights of one tap
and channel lie side by side, one for each filter. The last panel of a group is filled up with
zeros. For an input gradient the kernel is turned on the way: its channels become the filters, and
its taps come in the order in which their source pixels ascend.
"""


from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import prange

from convlab.kernels.parallel.direct import Setup
from convlab.kernels.parallel.launch import Kernel, compiled, run
from convlab.kernels.parallel.tiles import address, claim, pack_columns, pack_rows


def pack(kernel: np.ndarray, setup: Setup, turned: bool, packed: np.ndarray) -> bool:
    """Lay out the weights of a sweep, ``(panels, blocks, taps, channels, lanes of a panel)``.

    Parameters
    ----------
    kernel : array of shape (height, width, channels of a group, filters)
        Contiguous.
    setup : direct.Setup
    turned : bool
        For the input gradient: sum over the filters, not the channels.
    packed : array of shape (setup.packed_size,)
        The result.

    Returns
    -------
    bool
        Whether all weights are finite.
    """
    sweep, panels = setup.sweep, setup.sweep.panels
    checks = np.empty(panels, kernel.dtype)
    run(
        _pack(setup.shape[1:3], turned), panels, packed.size, 0,
        kernel.reshape(-1), setup.order, kernel.shape[2], kernel.shape[3], sweep.group_filters,
        sweep.group_channels, sweep.group_panels, min(sweep.block, sweep.group_channels),
        packed, checks,
    )  # fmt: skip
    return bool(np.isfinite(checks).all())


@lru_cache(maxsize=64)
def _pack(shape: tuple[int, int], turned: bool) -> Kernel:
    """The compiled packing for panels of so many vectors and lanes."""
    panel_width = shape[0] * shape[1]
    lay_out = pack_columns if turned else pack_rows

    @compiled()
    def alone(
        member, board, scratch, kernel, taps, channels, filters, group_filters, group_channels,
        group_panels, block, packed, checks,
    ):  # fmt: skip
        size = packed.itemsize
        while True:
            panel = claim(board)
            if panel >= checks.size:
                break
            group, lane = panel // group_panels, panel % group_panels * panel_width
            to = address(packed, panel * taps.size * group_channels * panel_width)
            check = checks.dtype.type(0)
            for start in range(0, group_channels, block):
                count = min(block, group_channels - start)
                for tap in taps:
                    if turned:
                        first = (tap * channels + lane) * filters + group * group_channels + start
                    else:
                        first = (tap * channels + start) * filters + group * group_filters + lane
                    check += lay_out(
                        shape, packed, address(kernel, first), filters, to, count,
                        group_filters - lane,
                    )  # fmt: skip
                    to += count * panel_width * size
            checks[panel] = check

    @compiled(parallel=True)
    def together(
        crew, board, scratch, kernel, taps, channels, filters, group_filters, group_channels,
        group_panels, block, packed, checks,
    ):  # fmt: skip
        for member in prange(crew):
            alone(
                member, board, scratch, kernel, taps, channels, filters, group_filters,
                group_channels, group_panels, block, packed, checks,
            )  # fmt: skip

    return Kernel(alone, together)
