"""The benchmark: who runs when, what is made of the times, and that all compute the same.

No time is asserted.
"""

from __future__ import annotations

import builtins
import json
import time
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import convlab
from convlab import Geometry, bench
from convlab.bench import drawing, machine, measuring, network, peers, pools, report
from convlab.bench.cases import CASES, FAMILIES, find_cases
from convlab.bench.peers import PEERS, contenders, make_data, our_contender
from convlab.cli import main

needs_numba = pytest.mark.skipif(
    "parallel" not in convlab.available_implementations(), reason="Numba is not installed"
)


# Turns -------------------------------------------------------------------------------------------


def test_contestants_take_turns_and_the_order_turns_around():
    calls = []
    times = bench.compare({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"  # the first pair is not counted
    assert {name: len(seconds) for name, seconds in times.seconds.items()} == {"a": 3, "b": 3}


def test_a_turn_of_short_calls_is_many_of_them_after_one_that_is_not_counted():
    clock = iter(range(0, 1000, 10))
    calls = []
    times = bench.compare(
        {"a": lambda: calls.append("a")}, 1, turn=25.0, clock=lambda: float(next(clock))
    )
    # One before all, one to learn how long it takes (10 s), a rehearsal, and ceil(25 / 10) calls.
    assert len(calls) == 1 + 1 + 1 + 3
    assert times.seconds == {"a": [10 / 3]}  # the mean of the three


def test_there_is_a_pause_before_each_turn(monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    bench.compare({"a": lambda: None, "b": lambda: None}, 2, pause=0.25)
    assert pauses == [0.25] * 4


def test_the_ratio_is_the_median_of_each_rounds_ratio_and_not_of_medians():
    times = bench.Comparison({"peer": [2.0, 9.0, 4.0], "ours": [1.0, 3.0, 8.0]})
    assert times.ratio("peer", "ours") == 2.0
    assert times.ratio("ours", "peer") == 0.5
    assert times.median("peer") / times.median("ours") == pytest.approx(4 / 3)
    assert times.spread("peer", "ours") == (1.25, 2.5)
    assert bench.Comparison({"a": [3.0], "b": [2.0]}).spread("a", "b") == (1.5, 1.5)


def test_the_fastest_has_the_smallest_median_and_not_the_best_round():
    times = bench.Comparison({"a": [0.1, 5.0, 5.0], "b": [2.0, 2.0, 2.0], "c": [0.0, 0.0, 0.0]})
    assert times.fastest(["a", "b"]) == "b"


@pytest.mark.parametrize("name", ["rounds", "steps"])
def test_none_at_all_is_refused(name):
    with pytest.raises(ValueError, match=rf"`{name}` must be at least 1. Received: {name}=0"):
        bench.training(**{"steps": 1, "rounds": 1, "peer": peer(), name: 0})
    with pytest.raises(ValueError, match=rf"`{name}` must be at least 1. Received: {name}=0"):
        bench.epoch(**{"steps": 1, "rounds": 1, "backends": [], name: 0})


# The machine -------------------------------------------------------------------------------------


def test_the_ceiling_is_the_slope_before_the_ridge_and_the_peak_behind_it():
    roof = bench.Roofline(peak=100.0, bandwidth=10.0)
    assert roof.ridge == 10.0
    assert [roof.ceiling(intensity) for intensity in (1.0, 9.0, 10.0, 11.0)] == [10, 90, 100, 100]


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("chains", [1, 10, 24])
def test_every_chain_does_all_its_steps(dtype, chains):
    from convlab.bench.probes import chains_kernel
    from convlab.kernels.parallel.lanes import machine as processor

    lanes = processor().lanes(np.dtype(dtype))
    numbers = np.zeros(2 + chains * lanes, dtype)
    numbers[:2] = 1, 3  # each step adds 3
    numbers[2:] = np.arange(chains * lanes) % 7
    room = np.zeros((1, 8), np.int64)
    chains_kernel((chains, lanes)).alone(0, np.zeros(1, np.int64), room, 1, 100, numbers)
    found = room[0].view(dtype)[:lanes]
    expected = numbers[2:].reshape(chains, lanes).sum(0) + 3 * 100 * chains
    np.testing.assert_array_equal(found, expected)


@needs_numba
def test_the_stream_reads_and_writes_every_number_once():
    from convlab.bench.probes import stream_kernel
    from convlab.kernels.parallel.launch import run

    source = np.arange(1000.0)  # seven blocks and a rest
    target = np.full(1000, np.nan)
    run(stream_kernel, 8, 10**9, 8, 128, 2.0, source, target)
    np.testing.assert_array_equal(target, 2 * source)


@needs_numba
def test_peak_and_bandwidth_count_what_was_done(monkeypatch):
    from convlab.kernels.parallel import launch

    done = []
    real = launch.run
    monkeypatch.setattr(launch, "run", lambda *all: (done.append(all), real(*all)))
    monkeypatch.setattr(machine, "_best", lambda work, rounds: (work(), 2.0)[1])
    peak = machine.measure_peak("float32", threads=1, seconds=48.0)
    _, jobs, multiply_adds, _, _, steps, numbers = done[-1]
    assert (jobs, steps) == (8, 6000)  # a trial of 2000 steps took 2 seconds: 8 jobs of 6
    assert multiply_adds == 8 * 6000 * (numbers.size - 2)
    assert peak == 2 * multiply_adds / 2.0
    assert machine.measure_bandwidth(threads=1, size=2**20) == 2 * 2**20 / 2.0


@needs_numba
def test_the_limits_are_measured_for_the_threads_and_the_dtype_that_were_asked_for():
    roof = bench.measure_roofline("float64", threads=1, quick=True)
    assert (roof.threads, roof.dtype) == (1, "float64")
    assert roof.peak > 0
    assert roof.bandwidth > 0


def test_the_peak_of_whole_numbers_is_refused():
    with pytest.raises(ValueError, match=r'`dtype` must be "float32" or "float64"\. Received: dt'):
        machine.measure_peak("int64")


@needs_numba
def test_a_limit_of_threads_ends_with_its_block():
    before = bench.allowed_threads()
    with suppress(KeyError), bench.thread_limit(1) as threads:
        assert (threads, bench.allowed_threads()) == (1, 1)
        raise KeyError
    assert bench.allowed_threads() == before
    message = r"`threads` must be at most .* Received: threads=9999"
    with pytest.raises(ValueError, match=message), bench.thread_limit(9999):
        pass
    assert bench.allowed_threads() == before


@needs_numba
def test_a_limit_of_threads_holds_for_every_library_that_is_there(monkeypatch):
    given = []
    fake = SimpleNamespace(
        get_num_threads=lambda: 7, set_num_threads=given.append,
        getNumThreads=lambda: 8, setNumThreads=given.append,
    )  # fmt: skip
    monkeypatch.setattr(pools, "sys", SimpleNamespace(modules={"torch": fake, "cv2": fake}))
    with bench.thread_limit(1):
        assert given == [1, 1]
    assert given == [1, 1, 7, 8]


# The table ---------------------------------------------------------------------------------------

TABLE = [  # operation, algorithm, image, kernel, strides, dilation, groups, must, aim
    ("forward", "auto", (128, 28, 28, 1), (5, 5, 1, 32), 1, 1, 1, 1.3, 2),
    ("forward", "auto", (128, 12, 12, 32), (5, 5, 32, 64), 1, 1, 1, 1.0, 1.2),
    ("forward", "auto", (4, 56, 56, 64), (3, 3, 64, 64), 1, 1, 1, 1.5, 2),
    ("forward", "auto", (4, 28, 28, 128), (3, 3, 128, 128), 1, 1, 1, 1.5, 2),
    ("forward", "auto", (4, 14, 14, 256), (3, 3, 256, 256), 1, 1, 1, 1.5, 2),
    ("forward", "auto", (1, 224, 224, 64), (3, 3, 64, 64), 1, 1, 1, 1.5, 2),
    ("forward", "winograd4", (4, 56, 56, 64), (3, 3, 64, 64), 1, 1, 1, 2, 3),
    ("forward", "winograd4", (4, 28, 28, 128), (3, 3, 128, 128), 1, 1, 1, 2, 3),
    ("forward", "winograd4", (1, 224, 224, 64), (3, 3, 64, 64), 1, 1, 1, 2, 3),
    ("forward", "auto", (4, 7, 7, 512), (3, 3, 512, 512), 1, 1, 1, 1.0, 1.4),
    ("forward", "auto", (4, 224, 224, 3), (7, 7, 3, 64), 2, 1, 1, 1.0, 1.1),
    ("forward", "auto", (4, 56, 56, 64), (1, 1, 64, 256), 1, 1, 1, 1.0, 1.1),
    ("forward", "auto", (4, 56, 56, 256), (1, 1, 256, 64), 1, 1, 1, 1.0, 1.1),
    ("forward", "auto", (4, 56, 56, 128), (3, 3, 128, 128), 2, 1, 1, 1.0, 1.1),
    ("forward", "auto", (4, 28, 28, 256), (3, 3, 256, 256), 1, 2, 1, 1.0, 1.1),
    ("forward", "auto", (4, 28, 28, 128), (3, 3, 16, 128), 1, 1, 8, 1.0, 1.3),
    ("forward", "auto", (4, 56, 56, 128), (3, 3, 1, 128), 1, 1, 128, 1.0, 1.3),
    ("forward", "auto", (1, 1080, 1920, 3), (5, 5, 1, 3), 1, 1, 3, 2.5, 4),
    ("forward", "auto", (1, 512, 512, 1), (7, 7, 1, 1), 1, 1, 1, 5, 7),
    ("input_gradient", "auto", (4, 28, 28, 128), (3, 3, 128, 128), 1, 1, 1, 1.2, 1.7),
    ("input_gradient", "auto", (128, 28, 28, 1), (5, 5, 1, 32), 1, 1, 1, 0.95, 1.1),
    ("input_gradient", "auto", (4, 224, 224, 3), (7, 7, 3, 64), 2, 1, 1, 0.95, 1.1),
    ("kernel_gradient", "auto", (128, 28, 28, 1), (5, 5, 1, 32), 1, 1, 1, 1.1, 1.5),
    ("kernel_gradient", "auto", (4, 7, 7, 512), (3, 3, 512, 512), 1, 1, 1, 1.1, 1.5),
    ("forward", "auto", (4, 29, 43, 44), (3, 3, 44, 60), 1, 1, 1, 0.9, None),
    ("forward", "auto", (4, 31, 31, 40), (5, 5, 40, 72), 2, 1, 1, 0.9, None),
    ("forward", "auto", (1, 12, 12, 320), (3, 3, 320, 192), 1, 1, 1, 0.9, None),
    ("forward", "auto", (4, 24, 24, 60), (3, 3, 20, 90), 1, 1, 3, 0.9, None),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}-{row[3]}")
def test_the_table_has_the_row(row):
    operation, algorithm, image, kernel, strides, dilation, groups, must, aim = row
    found = [
        case
        for case in CASES
        if (case.operation, case.algorithm) == (operation, algorithm)
        and (case.geometry.input_shape, case.geometry.kernel_shape) == (image, kernel)
        and case.geometry.strides == (strides, strides)
        and case.geometry.dilation_rate == (dilation, dilation)
        and case.geometry.groups == groups
    ]
    assert must in [case.must["torch"] for case in found]
    assert aim in [case.aim for case in found]


def test_names_are_different_and_every_family_has_some():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert {case.family for case in CASES} == set(FAMILIES)
    assert {case.operation for case in CASES} == {
        "forward", "input_gradient", "kernel_gradient", "max_pool", "max_pool_gradient"
    }  # fmt: skip
    assert all(case.must["torch"] >= 0.9 for case in CASES)


def test_photo_filters_are_compared_with_libraries_for_photos():
    for case in find_cases(families=["photo"]):
        needs = {"scipy.ndimage": 3.0, "scipy.signal": 3.0, "opencv": 1.0}
        assert {**needs, "torch": case.must["torch"]} == case.must


def test_operations_bytes_and_intensity_of_a_layer_worked_by_hand():
    (case,) = find_cases(["56x56x64"])
    assert case.operations == 2 * 4 * 56 * 56 * 64 * (3 * 3 * 64)
    assert case.bytes == 4 * (4 * 56 * 56 * 64 + 3 * 3 * 64 * 64 + 4 * 56 * 56 * 64)
    assert case.intensity == case.operations / case.bytes
    pool, back = find_cases(["pool24x24x32*"])
    size, pooled = 4 * 128 * 24 * 24 * 32, 4 * 128 * 12 * 12 * 32
    assert (pool.operations, pool.bytes, back.bytes) == (0, size + pooled, 2 * size + pooled)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_trial_keeps_the_kind_of_layer(case):
    small, g = case.shrunk(), case.geometry
    assert small.geometry.multiply_adds < 2_000_000
    assert replace(small, geometry=g) == case
    for name in ("kernel_size", "strides", "dilation_rate", "padding", "pooling"):
        assert getattr(small.geometry, name) == getattr(g, name)
    assert (small.geometry.groups > 1) == (g.groups > 1)
    assert (small.geometry.group_channels == 1) == (g.group_channels == 1)
    shape = small.geometry.input_shape
    if not g.pooling:  # sizes that fit together
        Geometry.conv2d(shape, small.geometry.kernel_shape, groups=small.geometry.groups)


def test_cases_are_found_by_name_and_by_pattern_in_the_order_of_the_table():
    assert [case.name for case in find_cases(["1x1up", "article?"], ["layers"])] == [
        "article1", "article2", "1x1up"
    ]  # fmt: skip
    assert {case.family for case in find_cases(quick=True)} == set(FAMILIES)
    with pytest.raises(ValueError, match=r"Received: '57x57'\. The names are article1, article2, "):
        find_cases(["57x57"])


# All contenders compute the same -----------------------------------------------------------------

# Odd padding is in none of the small cases of PyTorch's own argument: stem has 2 and 3.
ALL = [*find_cases(quick=True), *(case.shrunk() for case in find_cases(["stem*", "pool3x3s2*"]))]
PAIRS = [(case, peer) for case in ALL for peer in case.peers]


@needs_numba
@pytest.mark.parametrize(("case", "peer"), PAIRS, ids=lambda one: getattr(one, "name", one))
def test_a_peer_computes_what_convlab_computes(case, peer):
    pytest.importorskip(PEERS[peer][0])
    result = bench.measure(case, rounds=1, peers=[peer], pause=0, turn=0)
    assert result.missing == {}
    assert set(result.ratios) == {peer}
    data = make_data(case)
    ours, *others = (
        one.read(one.run()) for one in [our_contender(case, data), *contenders(case, data)[0]]
    )
    assert len(others) >= 1
    for other in others:
        assert other.shape == ours.shape
        np.testing.assert_allclose(other, ours, atol=1e-4, rtol=1e-4)
    limit = 1e-5 if case.algorithm == "winograd4" else 2e-6
    assert all(error.rms < 1e-5 and error.max < limit for error in result.errors.values())


@needs_numba
@pytest.mark.parametrize("operation", ["forward", "input_gradient", "kernel_gradient"])
def test_torch_gets_borders_that_its_argument_cannot_express(operation):
    pytest.importorskip("torch")
    for size, pads in (((8, 8), (1, 1, 0, 1)), ((7, 8), (1, 2, 0, 1))):
        layer = Geometry.conv2d((2, *size, 3), (4, 3, 3, 5), strides=2, padding="same")
        assert layer.pads == pads
        (case,) = find_cases(["stem"])
        case = replace(case, geometry=layer, operation=operation)
        result = bench.measure(case, rounds=1, peers=["torch"], pause=0, turn=0)
        assert set(result.errors) == {"convlab", "torch channels_last", "torch contiguous"}
        assert all(error.max < 1e-6 for error in result.errors.values())


def test_data_are_the_same_every_time_and_a_photo_has_one_filter():
    (case,) = find_cases(["photo5x5"], quick=True)
    first, second = make_data(case), make_data(case)
    np.testing.assert_array_equal(first.x, second.x)
    assert (first.kernel == first.kernel[..., :1]).all()
    assert first.x.min() >= 0
    assert first.x.dtype == first.kernel.dtype == first.output_gradient.dtype == np.float32


def test_the_case_decides_algorithm_and_preparation(monkeypatch):
    asked = []
    monkeypatch.setattr(convlab, "prepare", lambda kernel, geometry, algorithm: "prepared")
    monkeypatch.setattr(convlab, "conv2d", lambda x, kernel, **how: asked.append((kernel, how)))
    for name in ("56x56x64/winograd4", "7x7x512/prepared"):
        (case,) = find_cases([name], quick=True)
        our_contender(case, make_data(case)).run()
    assert asked[0][1]["algorithm"] == "winograd4"
    assert isinstance(asked[0][0], np.ndarray)
    assert asked[1][0] == "prepared"
    assert {how["implementation"] for _, how in asked} == {"parallel"}


def test_a_peer_that_is_not_installed_is_left_out_with_the_reason(monkeypatch):
    def without(module):
        raise ImportError(f"No module named '{module}'")

    monkeypatch.setattr(peers, "import_module", without)
    (case,) = find_cases(["photo5x5"], quick=True)
    found, missing = contenders(case, make_data(case))
    assert found == []
    assert set(missing) == {"torch", "scipy.ndimage", "scipy.signal", "opencv"}
    assert missing["opencv"] == (
        "opencv is not installed (No module named 'cv2'). "
        'Install it with pip install "convlab[bench]".'
    )


def test_an_unknown_peer_is_refused():
    (case,) = find_cases(["1x1up"], quick=True)
    with pytest.raises(ValueError, match=r"`peers` must be among .*'torch'.* Received: 'caffe'"):
        contenders(case, make_data(case), ["caffe"])


# Errors and results ------------------------------------------------------------------------------


def test_errors_are_measured_by_the_results_and_by_the_products():
    exact, sizes = np.array([3.0, 4.0, 0.0]), np.array([6.0, 4.0, 0.0])
    error = measuring.error_of(np.array([3.0, 4.5, 0.0], np.float32), exact, sizes)
    assert error.rms == pytest.approx(0.5 / 5.0)
    assert error.max == 0.125
    wrong = measuring.error_of(np.array([3.0, 4.0, 1e-9]), exact, sizes)
    assert wrong.max == float("inf")  # of nothing but zeros, and not zero
    with pytest.raises(ValueError, match=r"must have the shape \(3,\)\. Received: shape \(2,\)"):
        measuring.error_of(np.zeros(2), exact, sizes)


@needs_numba
def test_a_wrong_result_shows_in_the_error(monkeypatch):
    (case,) = find_cases(["1x1up"], quick=True)
    real = convlab.conv2d

    def off(x, kernel, **how):
        result = real(x, kernel, **how)
        if how["implementation"] == "parallel":
            result[-1, 0, 0, 0] += 1
        return result

    monkeypatch.setattr(convlab, "conv2d", off)
    assert bench.measure(case, rounds=1, peers=[]).errors["convlab"].max > 0.01


@needs_numba
def test_only_the_first_and_the_last_image_are_computed_again(monkeypatch):
    (case,) = find_cases(["pool3x3s2/max_pool_gradient"], quick=True)
    case = replace(case, geometry=replace(case.geometry, batch=5))
    asked = []
    real = convlab.max_pool2d_gradient

    def counted(x, slope, size, **how):
        asked.append((how["implementation"], x.shape[0]))
        return real(x, slope, size, **how)

    monkeypatch.setattr(convlab, "max_pool2d_gradient", counted)
    found = bench.measure(case, rounds=1, peers=[])
    assert {images for name, images in asked if name == "vectorized"} == {2}
    # Windows overlap: a sum of several gradients, whose sizes count and not the sum's own.
    assert found.errors["convlab"].max <= np.finfo(np.float32).eps


def result(**changes):
    """A result with round numbers."""
    (case,) = find_cases(["56x56x64"])
    times = bench.Comparison(
        {"convlab": [0.01, 0.02, 0.01], "fast": [0.03, 0.04, 0.02], "slow": [0.09, 0.01, 0.08]}
    )
    roof = bench.Roofline(peak=1e12, bandwidth=1e9, threads=2)
    fields = {"case": case, "threads": 2, "times": times, "faster": {"torch": "fast"}}
    return bench.Result(**{**fields, "roofline": roof, **changes})


def test_a_result_is_told_by_ratios_rates_and_shares():
    one = result()
    assert one.ratios == {"torch": 2.0}  # the median of 3, 2, 2
    assert one.reached == {"torch": True}
    assert one.seconds == 0.01
    assert one.rate == one.case.operations / 0.01
    assert one.of_peak == one.rate / 1e12
    assert one.of_ceiling == one.rate / (1e9 * one.case.intensity)
    assert result(roofline=None).of_ceiling is None
    (pool,) = find_cases(["pool8x8x64"])
    assert result(case=pool).of_ceiling == pool.bytes / 0.01 / 1e9


def test_the_faster_of_a_peers_ways_counts():
    ways = [peers.Contender(label, "torch", print) for label in ("slow", "fast")]
    assert measuring._faster(result().times, ways) == {"torch": "fast"}
    slow = result(faster={"torch": "slow"})
    assert slow.ratios == {"torch": 8.0}


def test_a_line_of_text_says_where_a_row_is_too_slow():
    assert "<" not in report.row_told(result())
    late = report.row_told(result(case=replace(result().case, must={"torch": 2.5})))
    assert "fast                     2.00  2.50 <" in late


@needs_numba
def test_every_number_of_threads_has_its_turn_in_every_round(monkeypatch):
    seen = []

    def compare(calls, rounds, **how):
        seen.append(bench.allowed_threads())
        return bench.Comparison({label: [8.0 / len(seen)] for label in calls})

    monkeypatch.setattr(measuring, "compare", compare)
    (row,) = bench.threads(["1x1up"], [1, 1], rounds=2, peers=[], quick=True)
    assert seen == [1] * 4
    assert row["counts"] == [1, 1]
    assert measuring._counts(16) == [1, 2, 3, 4, 6, 8, 12, 16]
    assert measuring._counts(1) == [1]
    times = {1: bench.Comparison({"a": [8.0, 6.0]}), 2: bench.Comparison({"a": [4.0, 2.0]})}
    assert measuring._speedups("a", times) == [1.0, 2.5]


# A whole run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_report():
    """A trial of two rows; with the peers that are here."""
    if "parallel" not in convlab.available_implementations():
        pytest.skip("Numba is not installed")
    return bench.measure_all(
        ["machine", *FAMILIES], only=["1x1up", "56x56x64/input_gradient", "pool8x8x64"], quick=True
    )


def test_a_report_survives_json(small_report, tmp_path):
    bench.write_report(small_report, tmp_path / "report.json")
    assert bench.read_report(tmp_path / "report.json") == small_report
    assert {row["name"] for row in small_report["rows"]} == {
        "1x1up", "56x56x64/input_gradient", "pool8x8x64"
    }  # fmt: skip
    assert small_report["versions"]["numpy"] == np.__version__
    assert {roof["dtype"] for roof in small_report["rooflines"]} == {"float32", "float64"}
    row = small_report["rows"][0]
    assert row["path"] == convlab.plan(find_cases(["1x1up"])[0].shrunk().geometry).algorithm
    assert row["errors"]["convlab"]["max"] < 1e-6
    assert row["of_peak"] > 0


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match=r"`parts` must be among .* Received: \['lunch'\]"):
        bench.measure_all(["layers", "lunch"])


@needs_numba
def test_processor_time_is_refused_where_threads_would_hide(monkeypatch):
    monkeypatch.setattr(report, "thread_limit", lambda threads: FakeLimit())
    with pytest.raises(ValueError, match=r"Received: 2 threads\. Use --threads 1\."):
        bench.measure_all(["machine"], quick=True, cpu_time=True)


class FakeLimit:
    """Two threads, whatever the machine has."""

    def __enter__(self):
        return 2

    def __exit__(self, *_):
        pass


@needs_numba
def test_a_missing_peer_is_named_once(monkeypatch):
    def missing(module):
        raise ImportError("not here")

    monkeypatch.setattr(peers, "import_module", missing)
    said = []
    found = bench.measure_all(["layers"], only=["1x1up", "article1"], quick=True, say=said.append)
    assert found["rows"][0]["ratios"] == {}
    assert "torch is not installed (not here)" in found["left_out"]["torch"]
    assert "\n".join(said).count("left out: torch is not installed") == 1


# Pictures ----------------------------------------------------------------------------------------


def rows(**changes):
    """A report of one row, as JSON has it."""
    row = {**result().as_dict(), **changes}
    return {"rows": [row], "rooflines": [vars(result().roofline)], "threads": 2}


def marks(picture, label):
    """All boxes and lines of a figure that were drawn under a name."""
    axes = picture.figure.axes
    return [one for each in axes for one in each.get_children() if one.get_label() == label]


def test_the_picture_is_a_png_file(small_report, tmp_path):
    pytest.importorskip("torch")
    bench.draw(small_report).save(tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_every_ratio_is_a_bar_from_the_line_of_equal_times():
    fast = rows(ratios={"torch": 4.0, "opencv": 0.5}, must={"torch": 1.0, "opencv": 1.0})
    picture = bench.draw_ratios(fast)
    assert repr(picture) == "<Picture: 2 ratios, 0.50 to 4.00>"
    right, left = marks(picture, "bar")
    (one,) = marks(picture, "one")
    line = one.get_xdata()[0]
    assert right.get_x() == pytest.approx(line)
    assert left.get_x() + left.get_width() == pytest.approx(line)
    assert right.get_width() == pytest.approx(2 * left.get_width())  # 4 is twice as far as 1/2
    assert (right.get_hatch(), left.get_hatch()) == (None, "////")  # the left one is too slow


def test_the_mark_of_what_a_row_must_reach_stands_at_its_ratio():
    picture = bench.draw_ratios(rows(ratios={"torch": 2.0}, must={"torch": 2.0}))
    (bar,), (must,) = marks(picture, "bar"), marks(picture, "must")
    assert must.get_xdata()[0] == pytest.approx(bar.get_x() + bar.get_width())
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert "2.00" in texts
    late = bench.draw_ratios(rows(ratios={"torch": 1.5}, must={"torch": 2.0}))
    assert "1.50, must 2" in [text.get_text() for text in late.figure.axes[0].texts]


def test_the_roof_is_drawn_where_the_limits_say():
    picture = bench.draw_roofline(rows())
    (roof,) = marks(picture, "roof")
    x, y = roof.get_data()
    expected = [result().roofline.ceiling(one) / 1e9 for one in x]
    np.testing.assert_allclose(y, expected)
    (points,) = [one for one in marks(picture, "forward") if len(one.get_xdata())]
    assert points.get_xdata() == [result().case.intensity]
    assert points.get_ydata() == [result().rate / 1e9]


@pytest.mark.parametrize("draw", [bench.draw, bench.draw_ratios, bench.draw_roofline])
def test_nothing_cannot_be_drawn(draw):
    with pytest.raises(ValueError, match="Received: "):
        draw({"rows": [], "rooflines": [], "threads": 1})


def test_a_report_without_peers_has_a_roofline_and_no_bars():
    picture = drawing.draw(rows(ratios={}))
    assert "roofline" in repr(picture)
    assert not marks(picture, "bar")


# The article's network ---------------------------------------------------------------------------


def peer() -> SimpleNamespace:
    """convlab itself in the place of Keras."""
    return SimpleNamespace(
        layers=convlab.layers,
        optimizers=convlab.optimizers,
        Sequential=convlab.Sequential,
        backend=SimpleNamespace(backend=lambda: "itself"),
    )


def test_training_gives_times_a_ratio_and_the_share_outside_the_kernels():
    found = bench.training(steps=1, rounds=1, peer=peer())
    assert set(found["milliseconds"]) == {"convlab", "keras", "kernels"}
    assert found["ratio"] > 0
    assert found["outside"] < 1
    assert found["backend"] == "itself"


def test_both_models_begin_with_the_same_weights(monkeypatch):
    made = []
    original = network.article_model

    def remembered(library):
        made.append(original(library))
        return made[-1]

    monkeypatch.setattr(network, "article_model", remembered)
    monkeypatch.setattr(network, "compare", lambda *_: bench.Comparison(
        {name: [1.0] for name in ("convlab", "keras", "kernels")}
    ))  # fmt: skip
    bench.training(steps=1, rounds=1, peer=peer())
    ours, theirs = (model.get_weights() for model in made)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


class FakeWorker:
    """Answers with times that are known."""

    times = {"convlab": "123", "jax": "456", "torch": "888"}  # noqa: RUF012

    def __init__(self, name, steps, threads):
        self.name, self.turns = name, iter(self.times[name])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def answer(self):
        return "1.0"

    def turn(self):
        return next(self.turns)


def test_an_epoch_is_projected_from_the_median_turn_beside_the_fastest_keras(monkeypatch):
    monkeypatch.setattr(network, "_Worker", FakeWorker)
    found = bench.epoch(steps=75, rounds=3, backends=["jax", "torch"])
    batches = 60_000 / 128
    assert found["seconds"] == {
        "convlab": 2 * batches / 75, "Keras (jax)": 5 * batches / 75,
        "Keras (torch)": 8 * batches / 75,
    }  # fmt: skip
    assert found["fastest"] == "Keras (jax)"
    assert found["ratio"] == 2.5  # the median of 4/1, 5/2, 6/3


def test_an_epoch_without_keras_has_our_time_alone():
    found = bench.epoch(steps=1, rounds=1, backends=[])
    assert list(found["seconds"]) == ["convlab"]
    assert found["seconds"]["convlab"] > 0
    assert "ratio" not in found
    assert found["versions"] == {"convlab": convlab.__version__}


def test_a_backend_that_does_not_start_is_named():
    with pytest.raises(RuntimeError, match=r"trains with abacus has ended: .*Error"):
        bench.epoch(steps=1, rounds=1, backends=["abacus"])


# The command -------------------------------------------------------------------------------------


def test_without_keras_the_command_says_what_to_install(monkeypatch, capsys):
    real = builtins.__import__

    def without_keras(name, *arguments):
        if name == "keras":
            raise ImportError("No module named 'keras'")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_keras)
    assert main(["bench", "training"]) == 1
    assert 'pip install "convlab[bench]"' in capsys.readouterr().err


def test_the_command_prints_what_was_measured(monkeypatch, capsys):
    found = {
        "milliseconds": {"convlab": 80.0, "keras": 100.0, "kernels": 76.0}, "ratio": 1.25,
        "outside": 0.05, "backend": "jax", "steps": 8, "rounds": 9,
    }  # fmt: skip
    asked = []
    monkeypatch.setattr(report, "training", lambda **how: (asked.append(how), found)[1])
    assert main(["bench", "training"]) == 0
    assert "1.25 (Keras's time / ours)" in capsys.readouterr().out
    assert main(["bench", "training", "--steps", "3", "--json"]) == 0
    assert '"ratio": 1.25' in capsys.readouterr().out
    assert asked == [{"steps": 8, "rounds": 9}, {"steps": 3, "rounds": 9}]


@needs_numba
def test_a_quick_run_of_the_command_writes_json_and_a_picture(capsys, tmp_path):
    files = str(tmp_path / "report.json"), str(tmp_path / "report.png")
    words = ["--quick", "--only", "1x1up", "--json", files[0], "--picture", files[1]]
    assert main(["bench", "layers", *words]) == 0
    out = capsys.readouterr().out
    assert "GFLOP/s peak" in out
    assert "A trial at small sizes" in out
    assert "1x1up" in out
    assert [row["name"] for row in bench.read_report(files[0])["rows"]] == ["1x1up"]
    assert (tmp_path / "report.png").stat().st_size > 10_000


@needs_numba
def test_json_without_a_file_is_all_that_is_printed(capsys):
    assert main(["bench", "pooling", "--quick", "--only", "pool8x8x64", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["name"] == "pool8x8x64"


@needs_numba
def test_names_without_a_part_leave_the_training_out(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(
        bench, "measure_all", lambda parts, **how: (asked.append(parts), {"left_out": {}})[1]
    )
    assert main(["bench", "--only", "1x1up"]) == 0
    assert main(["bench"]) == 0
    assert asked == [bench.FAMILIES, bench.PARTS]
    assert main(["bench", "lunch"]) == 0  # the refusal is measure_all's
    assert asked[-1] == ["lunch"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lunch"], "`parts` must be among"),
        (["layers", "--only", "57x57"], "`only` must hold names of cases"),
        (["layers", "--threads", "0"], "`threads` must be a whole number, at least 1"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(words, message, capsys):
    assert main(["bench", *words]) == 2
    assert capsys.readouterr().err.startswith(f"convlab bench: {message}")


@needs_numba
def test_warmup_tells_what_was_compiled(monkeypatch, capsys):
    from convlab.kernels import parallel

    made = iter([("direct, float32", 1.25), ("pooling", 0.5)])
    monkeypatch.setattr(parallel, "warmup", lambda: made, raising=False)
    assert main(["warmup"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-2:] for line in lines[:2]] == [["1.25", "s"], ["0.50", "s"]]
    assert lines[-1].split()[:2] == ["in", "all"]


@needs_numba
def test_explain_says_how_a_convolution_is_computed(capsys):
    stack = "Conv2D(64, 3, padding='same'); MaxPooling2D(2)"
    assert main(["explain", stack, "--input", "56,56,64", "--plan"]) == 0
    out = capsys.readouterr().out
    layer = Geometry.conv2d((1, 56, 56, 64), (3, 3, 64, 64), padding="same")
    assert out.count("How it is computed") == 1  # a pooling has no plan
    assert str(convlab.plan(layer)) in out
    assert main(["explain", stack, "--input", "56,56,64", "--plan", "--json"]) == 0
    (plan,) = json.loads(capsys.readouterr().out)["plans"]
    assert plan["algorithm"] == convlab.plan(layer).algorithm
    assert plan["scratch_bytes"] == convlab.plan(layer).scratch_bytes
