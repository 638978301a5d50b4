"""The direct path: how a sweep is cut, packed and computed, beyond what every path must do."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("numba")

import convlab
from cases import Layer, integers
from convlab.kernels.parallel import direct, packing, sweeps

FLOAT = np.dtype(np.float32)


def geometry_of(layer):
    return convlab.Geometry.conv2d(
        layer.input_shape, layer.kernel_shape, strides=layer.strides, padding=layer.padding,
        dilation_rate=layer.dilation_rate, groups=layer.groups,
    )  # fmt: skip


def set_up(layer, dtype=FLOAT, threads=2):
    geometry = geometry_of(layer)
    return direct.setup(
        geometry.batch, *sweeps.both(geometry), geometry.groups, geometry.group_channels,
        geometry.group_filters, geometry.kernel_size[1], dtype, threads,
    )  # fmt: skip


def run_direct(layer, operation="conv2d", dtype="float32"):
    arrays = [a.astype(dtype) for a in layer.arrays(integers)]
    options = {
        "strides": layer.strides, "padding": layer.padding, "groups": layer.groups,
        "dilation_rate": layer.dilation_rate, "implementation": "parallel", "algorithm": "direct",
    }  # fmt: skip
    result = getattr(convlab, operation)(*layer.arguments(operation, *arrays), **options)
    return result, layer.expect(operation, layer.arrays(integers))


# Each reaches a branch that small layers do not: blocks of channels, several jobs along each
# axis, images side by side in a tile, panels shared out among jobs.
LARGE = [
    Layer("blocks_of_channels", (1, 6, 6, 420), (3, 3), 40, padding="same"),
    Layer("blocks_of_channels-odd", (1, 5, 4, 397), (3, 5), 19, padding="same"),
    Layer("jobs_along_rows", (1, 90, 41, 5), (3, 3), 7, padding="same"),
    Layer("jobs_along_columns", (1, 3, 2600, 12), (3, 5), 9, padding="same"),
    Layer("jobs_along_columns-strided", (1, 7, 2100, 3), (3, 5), 9, (2, 3), padding="same"),
    Layer("images_in_a_job", (40, 4, 4, 6), (3, 3), 20),
    Layer("panels_in_jobs", (1, 4, 4, 8), (1, 1), 300),
    Layer("last_panel_short", (2, 9, 9, 8), (3, 3), 33, padding="same"),
    Layer("tile_across_images", (60, 6, 5, 8), (5, 5), 20, padding="same"),
    Layer("tile_across_images-grouped", (57, 5, 6, 8), (3, 5), 20, padding="same", groups=2),
    Layer("tile_across_images-dilated", (57, 9, 9, 4), (3, 3), 6, padding="same",
          dilation_rate=(3, 4)),
    Layer("grouped-wide", (2, 9, 8, 60), (3, 3), 90, padding="same", groups=3),
]  # fmt: skip


@pytest.mark.parametrize("operation", ["conv2d", "conv2d_input_gradient"])
@pytest.mark.parametrize("layer", LARGE, ids=lambda layer: layer.name)
def test_every_cut_is_exact(layer, operation):
    result, expected = run_direct(layer, operation)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["float64", "int64"])
@pytest.mark.parametrize("layer", LARGE[::3], ids=lambda layer: layer.name)
def test_every_cut_is_exact_in_wider_lanes(layer, dtype):
    result, expected = run_direct(layer, "conv2d", dtype)
    np.testing.assert_array_equal(result, expected)


def test_the_large_layers_reach_what_they_are_for():
    cut = {layer.name: set_up(layer).sweep for layer in LARGE}
    assert cut["blocks_of_channels"].block < 420
    assert cut["jobs_along_rows"].rows_at_once < 90
    assert cut["jobs_along_columns"].columns_at_once < 2600
    assert cut["images_in_a_job"].images_at_once > 1
    assert cut["panels_in_jobs"].panels_at_once < cut["panels_in_jobs"].panels
    assert cut["tile_across_images"].apart
    assert not cut["blocks_of_channels"].apart


def test_sweeps_forward_visit_each_cell_once_and_read_what_windows_say():
    geometry = convlab.Geometry.conv2d(
        (1, 11, 9, 1), (3, 4, 1, 1), strides=(2, 3), padding="same"
    )  # fmt: skip
    for axis in (0, 1):
        swept = sweeps.forward(geometry, axis)
        for cell in range(swept.cells):
            wanted = geometry.window(*((cell, 0) if axis == 0 else (0, cell)))[axis]
            assert tuple(cell * swept.stride + tap for tap in swept.taps) == wanted


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 2), (4, 5)])
@pytest.mark.parametrize("dilation_rate", [(1, 1), (2, 3)])
def test_phases_hold_each_product_of_the_convolution_once(strides, dilation_rate):
    """Every (pixel, tap, output) of the forward sweep, found again from the other end."""
    geometry = convlab.Geometry.conv2d(
        (1, 10, 11, 1), (3, 3, 1, 1), strides=strides, padding="same", dilation_rate=dilation_rate
    )
    for axis in (0, 1):
        swept = sweeps.forward(geometry, axis)
        there = {
            (cell * swept.stride + place, tap, cell)
            for cell in range(swept.cells)
            for place, tap in zip(swept.taps, swept.order, strict=True)
            if 0 <= cell * swept.stride + place < swept.source
        }
        back = [
            (phase.first + cell * phase.step, tap, cell + place)
            for phase in sweeps.backward(geometry, axis)
            for cell in range(phase.cells)
            for place, tap in zip(phase.taps, phase.order, strict=True)
            if 0 <= cell + place < phase.source
        ]
        assert len(back) == len(set(back))
        assert set(back) == there


@pytest.mark.parametrize("turned", [False, True])
def test_packed_weights_lie_panel_by_panel_with_zeros_in_the_surplus(turned):
    layer = Layer("packing", (1, 5, 5, 21), (3, 2), 37)
    kernel = layer.arrays(integers)[1].astype(np.float32)
    geometry = geometry_of(layer)
    pair = sweeps.both(geometry) if not turned else next(sweeps.phases(geometry))
    inner, outer = (37, 21) if turned else (21, 37)
    setup = direct.setup(1, *pair, 1, inner, outer, 2, FLOAT, 1)
    packed = np.full(setup.packed_size, np.nan, np.float32)
    assert packing.pack(kernel, setup, turned, packed)
    width = setup.shape[1] * setup.shape[2]
    panels = packed.reshape(setup.sweep.panels, 6, inner, width)
    for panel, tap, channel, lane in np.ndindex(panels.shape):
        place, filter = setup.order[tap], panel * width + lane
        ends = (filter, channel) if turned else (channel, filter)
        wanted = kernel[(place // 2, place % 2, *ends)] if filter < outer else 0
        assert panels[panel, tap, channel, lane] == wanted


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("turned", [False, True])
def test_packing_notices_what_is_not_finite(turned, value):
    kernel = np.ones((3, 3, 20, 20), np.float32)
    geometry = convlab.Geometry.conv2d((1, 5, 5, 20), kernel.shape)
    pair = sweeps.both(geometry) if not turned else next(sweeps.phases(geometry))
    setup = direct.setup(1, *pair, 1, 20, 20, 3, FLOAT, 1)
    packed = np.empty(setup.packed_size, np.float32)
    assert packing.pack(kernel, setup, turned, packed)
    kernel[2, 1, 19, 18] = value
    assert not packing.pack(kernel, setup, turned, packed)


def test_the_cut_into_jobs_changes_no_bit():
    """Sums of real numbers, where any other order of adding would show."""
    layer = Layer("many_jobs", (3, 40, 37, 24), (3, 3), 40, padding="same")
    x, kernel, bias, _ = (
        np.random.default_rng(7).standard_normal(shape).astype(np.float32)
        for shape in (layer.input_shape, layer.kernel_shape, (40,), (1,))
    )
    results = set()
    for threads in (1, 2, 3, 16):
        setup = set_up(layer, threads=threads)
        packed = np.empty(setup.packed_size, np.float32)
        packing.pack(kernel, setup, False, packed)
        output = np.empty((3, 40, 37, 40), np.float32)
        direct.convolve(x, packed, bias, setup, output)
        results.add((setup.jobs > 1, output.tobytes()))
    assert len({bits for _, bits in results}) == 1
    assert {several for several, _ in results} == {True, False} or len(results) == 1


def test_scratch_of_a_thread_is_bounded():
    """Half a megabyte, whatever the image: only a row of a very deep or dilated layer is more."""
    for layer in LARGE:
        for threads in (1, 2, 16):
            assert set_up(layer, threads=threads).scratch_bytes < 2**19


def test_a_tile_finds_room_in_the_registers():
    from convlab.kernels.parallel.lanes import machine

    for pixels in (1, 5, 49, 100, 512):
        for filters in (1, 8, 20, 33, 64, 100, 512):
            tall, vectors = direct._tile(pixels, filters, 16, 576)
            assert tall * vectors + vectors + 1 <= machine().registers
            assert vectors * 16 < filters + 16 * 4


def test_wasted_lanes_and_pixels_count_as_issued():
    setup = set_up(Layer("waste", (1, 1, 1, 3), (1, 1), 1))
    assert setup.issued == setup.shape[0] * setup.shape[1] * setup.shape[2] * 3
    assert dataclasses.replace(setup).multiply_adds == 3
