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

from convlab.kernels.parallel.direct import Setup, Sweep
from convlab.kernels.parallel.launch import compiled, inner, run
from convlab.kernels.parallel.steps import NUMBER, NUMBERS, array, call, entry, named, with_a_crew
from convlab.kernels.parallel.tiles import claim, pack_columns, pack_rows


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
    checks = np.zeros(panels)
    run(
        packing, panels, packed.size, 0, sweep, lay_out_step(setup.shape[1:3], turned, setup.dtype),
        int(turned), setup.order, kernel.shape[2], kernel.ctypes.data, packed.ctypes.data, checks,
    )  # fmt: skip
    return bool(np.isfinite(checks).all())


@compiled()
def alone(
    member, board, scratch, sweep, lay_out, turned, taps, kernel_channels, kernel, packed, checks
):
    """Lay out panels until none is left."""
    s = sweep
    while True:
        panel = claim(board)
        if panel >= s.panels:
            break
        group, lane = panel // s.group_panels, panel % s.group_panels * s.panel_width
        to = packed + panel * taps.size * s.group_channels * s.panel_width * s.itemsize
        for start in range(0, s.group_channels, s.block):
            count = min(s.block, s.group_channels - start)
            for tap in taps:
                if turned:
                    apart = s.channels
                    first = (tap * kernel_channels + lane) * apart
                    first += group * s.group_channels + start
                else:
                    apart = s.filters
                    first = (tap * kernel_channels + start) * apart
                    first += group * s.group_filters + lane
                call(lay_out, (
                    kernel + first * s.itemsize, apart, to, count, s.group_filters - lane, checks,
                    panel,
                ))  # fmt: skip
                to += count * s.panel_width * s.itemsize


@compiled(parallel=True)
def together(
    crew, board, scratch, address_of_alone, sweep, lay_out, turned, taps, kernel_channels, kernel,
    packed, checks,
):  # fmt: skip
    """The same, by a crew."""
    for member in prange(crew):
        call(address_of_alone, (
            np.int64(member), board, scratch, sweep, lay_out, turned, taps, kernel_channels, kernel,
            packed, checks,
        ))  # fmt: skip


CHECKS = array(np.dtype(np.float64))
packing = with_a_crew(
    alone, together, named(Sweep), NUMBER, NUMBER, NUMBERS, NUMBER, NUMBER, NUMBER, CHECKS
)


@lru_cache(maxsize=64)
def lay_out_step(shape: tuple[int, int], turned: bool, dtype: np.dtype) -> int:
    """The address of the compiled packing of one tap, for panels of so many vectors and lanes."""
    lay_out, number = pack_columns if turned else pack_rows, dtype.type

    @inner
    def lay_out_tap(source, apart, target, count, left, checks, panel):
        checks[panel] += lay_out(shape, number, source, apart, target, count, left)

    return entry(lay_out_tap, (*[NUMBER] * 5, CHECKS, NUMBER))
