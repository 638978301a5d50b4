"""The plan: which path a layer takes, what that promises, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("numba")

import convlab
from convlab import Geometry, conv2d, plan
from convlab.kernels.parallel import planning

LAYERS = {
    "direct": Geometry.conv2d((4, 56, 56, 64), (5, 5, 64, 64), padding="same"),
    "winograd2": Geometry.conv2d((4, 56, 56, 64), (3, 3, 64, 64), padding="same"),
    "channelwise": Geometry.conv2d((4, 56, 56, 128), (3, 3, 1, 128), groups=128),
    "rowwise": Geometry.conv2d((1, 200, 300, 3), (5, 5, 1, 3), groups=3),
}


@pytest.mark.parametrize("algorithm", LAYERS)
def test_each_path_is_taken_by_some_layer(algorithm):
    assert plan(LAYERS[algorithm]).algorithm == algorithm


@pytest.mark.parametrize("algorithm", LAYERS)
def test_the_planned_path_is_the_one_that_runs(algorithm, monkeypatch):
    geometry, ran = LAYERS[algorithm], []
    path = type(plan(geometry).path)
    real = path.convolve_once
    monkeypatch.setattr(
        path, "convolve_once", lambda self, *a: (ran.append(self.name), real(self, *a))[1]
    )
    conv2d(
        np.ones(geometry.input_shape, np.float32), np.ones(geometry.kernel_shape, np.float32),
        groups=geometry.groups, padding=geometry.padding, implementation="parallel",
    )  # fmt: skip
    assert ran == [algorithm]


def test_what_is_asked_for_is_planned():
    layer = LAYERS["winograd2"]
    names = ("direct", "winograd2", "winograd4")
    assert tuple(plan(layer, algorithm=name).algorithm for name in names) == names


def test_whole_numbers_go_the_direct_way_where_winograd_would_divide():
    assert plan(LAYERS["winograd2"], "int64").algorithm == "direct"


@pytest.mark.parametrize("algorithm", LAYERS)
@pytest.mark.parametrize("operation", ["conv2d", "conv2d_input_gradient"])
def test_a_plan_tells_what_it_costs(algorithm, operation):
    planned = plan(LAYERS[algorithm], operation=operation)
    assert planned.jobs >= 1
    assert 0 <= planned.scratch_bytes <= planned.threads * 2 * 2**20
    assert planned.weight_bytes >= 0
    assert 0 < planned.expected_share < 4
    text = str(planned)
    for word in ("algorithm", "register tile", "jobs", "scratch", "multiply-adds", "expected"):
        assert word in text
    assert f"{planned.multiply_adds:,} issued" in text


def test_winograd_issues_fewer_multiplications_than_the_definition():
    layer = LAYERS["winograd2"]
    assert plan(layer).multiply_adds < layer.multiply_adds / 2
    assert plan(layer, algorithm="winograd4").multiply_adds < layer.multiply_adds / 3


def test_phases_of_a_strided_gradient_are_planned_together():
    layer = Geometry.conv2d((2, 9, 9, 16), (3, 3, 16, 16), strides=2)
    assert len(plan(layer, operation="conv2d_input_gradient").setups) == 4
    skipping = Geometry.conv2d((2, 9, 9, 16), (1, 1, 16, 16), strides=2)
    assert len(plan(skipping, operation="conv2d_input_gradient").setups) == 1


STRIDED = Geometry.conv2d((1, 8, 8, 4), (3, 3, 4, 4), strides=2)
REFUSED = {
    "operation": ({"operation": "conv"}, r'`operation` must be "conv2d" or.*operation=\'conv\''),
    "algorithm": ({"algorithm": "fast"}, r'`algorithm` must be "auto".*algorithm=\'fast\''),
    "dtype": ({"dtype": "float16"}, r"`dtype` must be \"float32\".*dtype='float16'"),
    "winograd": (
        {"algorithm": "winograd2"},
        r"Winograd's algorithm needs a 3 x 3 kernel.*algorithm='winograd2'.*strides=\(2, 2\).*"
        r'Use algorithm="auto"',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_planned_is_refused(name):
    options, text = REFUSED[name]
    with pytest.raises(ValueError, match=text):
        plan(STRIDED, **options)


@pytest.mark.parametrize("function", ["conv2d", "conv2d_input_gradient"])
def test_functions_refuse_the_same_algorithms(function):
    x, kernel = np.ones((1, 8, 8, 4), np.float32), np.ones((3, 3, 4, 4), np.float32)
    dy = np.ones((1, 3, 3, 4), np.float32)
    arguments = (x, kernel) if function == "conv2d" else (dy, kernel, x.shape)
    call = getattr(convlab, function)
    with pytest.raises(ValueError, match="`algorithm` must be"):
        call(*arguments, strides=2, algorithm="fft")
    with pytest.raises(ValueError, match="Winograd's algorithm needs"):
        call(*arguments, strides=2, algorithm="winograd4")
    for name in ("naive", "vectorized"):
        with pytest.raises(ValueError, match=rf"chooses among the paths.*implementation='{name}'"):
            call(*arguments, strides=2, algorithm="direct", implementation=name)
    with (
        convlab.use_implementation("naive"),
        pytest.raises(ValueError, match="Leave one of them out"),
    ):
        call(*arguments, strides=2, algorithm="direct")


def test_an_algorithm_means_the_parallel_kernels_however_small_the_work(monkeypatch):
    from convlab.kernels import parallel

    ran = []
    real = parallel.conv2d
    monkeypatch.setattr(parallel, "conv2d", lambda *a, **o: (ran.append(o), real(*a, **o)))
    conv2d(np.ones((1, 5, 5, 1)), np.ones((3, 3, 1, 1)), algorithm="direct")
    assert ran[0]["algorithm"] == "direct"


def test_a_plan_is_remembered():
    layer = LAYERS["direct"]
    assert plan(layer) is plan(layer)
    assert planning.planned.cache_info().maxsize >= 1024
