"""Seeds, streams, states and automatic names."""

import copy
import json
import pickle
import random as python_random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from convlab import names, random, utils
from convlab.random import SeedGenerator

DRAWS = {
    "normal": random.normal,
    "truncated_normal": random.truncated_normal,
    "uniform": random.uniform,
}


@pytest.fixture(autouse=True)
def _leave_the_global_generators_alone():
    mine, python = random.get_state(), python_random.getstate()
    numpy = np.random.get_state()  # noqa: NPY002
    yield
    random.set_state(mine)
    python_random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002


def globals_now():
    numpy = np.random.get_state()[1].tolist()  # noqa: NPY002
    return random.get_state(), python_random.getstate(), numpy


# Streams ---------------------------------------------------------------------


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_an_int_names_the_same_numbers_each_time(draw):
    np.testing.assert_array_equal(draw((50,), seed=7), draw((50,), seed=7))
    assert not np.array_equal(draw((50,), seed=7), draw((50,), seed=8))


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_generator_gives_new_numbers_in_a_sequence_that_repeats(draw):
    one, two = SeedGenerator(7), SeedGenerator(7)
    first, second = draw((50,), seed=one), draw((50,), seed=one)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, draw((50,), seed=two))
    np.testing.assert_array_equal(second, draw((50,), seed=two))


def test_an_int_is_the_first_draw_of_its_seed_generator():
    expected = random.generator(7).random(5)
    np.testing.assert_array_equal(random.generator(SeedGenerator(7)).random(5), expected)


def test_without_a_seed_the_global_generator_goes_on():
    state = random.get_state()
    first, second = random.normal((5,)), random.normal((5,))
    assert not np.array_equal(first, second)
    random.set_state(state)
    np.testing.assert_array_equal(random.normal((5,)), first)


def test_streams_of_other_seeds_and_other_draws_share_no_number():
    pairs = list(product([0, 1, 2, 2**31, 2**32 - 1], range(40)))
    first = set()
    for seed, draws in pairs:
        seeds = SeedGenerator(0)
        seeds.set_state([seed, draws])
        first.add(int(random.generator(seeds).integers(2**63)))
    assert len(first) == len(pairs)


def test_the_numbers_of_a_seed_are_pinned_for_every_machine():
    integers = random.generator(7).integers(2**32, size=3)
    assert integers.tolist() == [1311550352, 3426779114, 875733758]
    uniform = random.uniform((3,), -1, 1, seed=7)
    assert uniform.tolist() == [0.5957183837890625, -0.8938122391700745, 0.1827022284269333]
    normal = random.normal((3,), seed=7)
    assert normal.tolist() == [-0.6300679445266724, 1.4650846719741821, -0.43929263949394226]


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_narrower_dtype_rounds_the_same_numbers(draw, dtype):
    wide, narrow = draw((500,), seed=7, dtype="float64"), draw((500,), seed=7, dtype=dtype)
    assert narrow.dtype == dtype
    np.testing.assert_allclose(narrow, wide, rtol=np.finfo(dtype).eps, atol=1e-6)


def test_uniform_never_reaches_the_bound_that_rounding_would_give():
    values = random.uniform((100_000,), 0, 1, "float16", seed=7)
    assert values.max() == 1 - 2.0**-11


def test_uniform_on_an_empty_interval_is_its_one_point():
    np.testing.assert_array_equal(random.uniform((3,), 2, 2, seed=7), [2, 2, 2])


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), 4, [2, 3], (np.int32(2), 1)])
def test_any_shape_may_be_asked_for(draw, shape):
    expected = (4,) if shape == 4 else tuple(shape)
    assert draw(shape, seed=7).shape == expected


def test_truncation_holds_for_single_numbers_too():
    values = [random.truncated_normal((1,), seed=seed).item() for seed in range(500)]
    assert 1.9 < max(np.abs(values)) <= 2


# Seeds and states ------------------------------------------------------------


def test_make_seed_draws_from_the_global_generator():
    utils.set_random_seed(3)
    first = [random.make_seed() for _ in range(20)]
    utils.set_random_seed(3)
    assert [random.make_seed() for _ in range(20)] == first
    assert len(set(first)) == 20
    assert all(type(seed) is int and 0 <= seed < 2**32 for seed in first)


def test_a_seed_generator_without_a_seed_takes_one_from_the_global_generator():
    utils.set_random_seed(3)
    first = SeedGenerator().next()
    utils.set_random_seed(3)
    assert SeedGenerator().next() == first
    assert SeedGenerator().next() != first


@pytest.mark.parametrize("owner", [random, SeedGenerator(5)], ids=["global", "SeedGenerator"])
def test_a_state_goes_through_json_and_the_draws_go_on_from_it(owner):
    seed = None if owner is random else owner
    random.normal((3,), seed=seed)
    state = json.loads(json.dumps(owner.get_state()))
    expected = [random.normal((3,), seed=seed) for _ in range(2)]
    owner.set_state(state)
    np.testing.assert_array_equal([random.normal((3,), seed=seed) for _ in range(2)], expected)


@pytest.mark.parametrize(
    "state", [[1], [1, 2, 3], [1, -1], [1, 2.5], [-1, 1], [2**32, 0], [1.0, 2], "ab", 3]
)
def test_what_is_no_state_is_refused_and_the_old_one_stays(state):
    seeds = SeedGenerator(5)
    seeds.next()
    with pytest.raises(ValueError, match=r"two integers|from 0 to 2\*\*32 - 1"):
        seeds.set_state(state)
    assert seeds.get_state() == [5, 1]


def test_the_config_of_a_seed_generator_has_the_seed_that_was_asked_for():
    assert SeedGenerator(5, name="dice").get_config() == {"seed": 5, "name": "dice"}
    assert SeedGenerator(name="dice").get_config() == {"seed": None, "name": "dice"}
    assert SeedGenerator.from_config({"seed": 5, "name": "dice"}).next() == (5, 0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda seeds: pickle.loads(pickle.dumps(seeds))])
def test_a_copy_goes_on_by_itself(copied):
    seeds = SeedGenerator(5)
    seeds.next()
    twin = copied(seeds)
    assert twin.next() == (5, 1)
    assert seeds.get_state() == [5, 1]


def test_threads_never_get_the_same_draw():
    class Slow(SeedGenerator):
        """Its state is read slowly, so that another thread comes between."""

        def _read(self):
            state = self.__dict__["state"]
            time.sleep(1e-4)
            return state

        _state = property(_read, lambda self, state: self.__dict__.update(state=state))

    seeds = Slow(5)
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: seeds.next(), range(80)))
    assert sorted(drawn) == [(5, draw) for draw in range(80)]


@pytest.mark.parametrize("seed", [1.0, "a", [1], -1, 2**32, np.float32(1)])
@pytest.mark.parametrize("use", [SeedGenerator, random.generator, utils.set_random_seed])
def test_what_is_no_seed_is_refused(use, seed):
    with pytest.raises(ValueError, match=r"from 0 to 2\*\*32 - 1\. Received: seed="):
        use(seed)


def test_a_numpy_integer_as_seed_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"Received: seed=np.int64\(3\) .* Write int\(seed\)"):
        random.generator(np.int64(3))


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_random_numbers_need_a_dtype_of_floats(dtype):
    with pytest.raises(ValueError, match=f"dtype of floats.* Received: dtype={dtype}"):
        random.normal((2,), dtype=dtype)


@pytest.mark.parametrize("dtype", ["foo", "U3", object, "complex64"])
def test_what_is_no_dtype_of_numbers_is_refused(dtype):
    with pytest.raises(ValueError, match="`dtype` must be one of NumPy's numbers"):
        random.uniform((2,), dtype=dtype)


@pytest.mark.parametrize("shape", [None, 2.0, (2.0,), (None, 3), "ab"])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(TypeError, match=r"`shape` must be a tuple of integers. Received: shape="):
        random.normal(shape)


def test_a_negative_length_is_refused():
    with pytest.raises(ValueError, match=r"negative length. Received: shape=\(2, -1\)"):
        random.normal((2, -1))


# set_random_seed -------------------------------------------------------------


def test_set_random_seed_repeats_all_three_generators():
    utils.set_random_seed(11)
    first = random.make_seed(), python_random.random(), np.random.rand()  # noqa: NPY002
    utils.set_random_seed(11)
    second = random.make_seed(), python_random.random(), np.random.rand()  # noqa: NPY002
    assert first == second
    python_random.seed(11)
    assert python_random.random() == second[1]


def test_other_seeds_give_other_runs():
    seeds = set()
    for seed in range(100):
        utils.set_random_seed(seed)
        seeds.add(random.make_seed())
    assert len(seeds) == 100


def test_seeding_the_program_and_a_layer_alike_gives_two_sequences():
    utils.set_random_seed(7)
    shuffling = [random.generator().random() for _ in range(50)]
    layer = SeedGenerator(7)
    assert not {random.generator(layer).random() for _ in range(50)} & set(shuffling)


def test_a_refused_seed_changes_nothing():
    before = globals_now()
    with pytest.raises(ValueError, match="Received: seed=-1"):
        utils.set_random_seed(-1)
    assert globals_now() == before


# Names -----------------------------------------------------------------------

SNAKES = {
    "Conv2D": "conv2d", "MaxPooling2D": "max_pooling2d", "Dense": "dense", "ReLU": "re_lu",
    "GlobalAveragePooling2D": "global_average_pooling2d", "DepthwiseConv2D": "depthwise_conv2d",
    "PReLU": "p_re_lu", "L1L2": "l1l2", "BatchNormalization": "batch_normalization",
    "SGD": "sgd", "RMSprop": "rm_sprop", "MyHTTPLayer": "my_http_layer", "conv2d": "conv2d",
    "Conv2DTranspose": "conv2d_transpose", "A b-c": "abc", "": "", "STFT": "stft",
}  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), SNAKES.items())
def test_snake_case_is_kerass(name, expected):
    assert names.snake_case(name) == expected


def test_names_count_per_class_and_a_class_is_its_name():
    class OnlyHere:
        pass

    assert [names.auto_name(OnlyHere) for _ in range(3)] == [
        "only_here", "only_here_1", "only_here_2",
    ]  # fmt: skip
    assert names.auto_name("OnlyHere") == "only_here_3"
    assert names.auto_name("OnlyThere") == "only_there"


def test_threads_never_get_the_same_name(monkeypatch):
    class Slow(Counter):
        """A count that is read slowly, so that another thread comes between."""

        def __getitem__(self, name):
            count = self.get(name, 0)
            time.sleep(1e-4)
            return count

    monkeypatch.setattr(names, "_given", Slow())
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: names.auto_name("ThreadedThing"), range(80)))
    assert len(set(given)) == 80


@pytest.mark.parametrize("free_memory", [True, False])
def test_a_new_session_counts_from_the_start(free_memory):
    names.auto_name("SessionThing")
    utils.clear_session(free_memory=free_memory)
    assert names.auto_name("SessionThing") == "session_thing"


# to_categorical --------------------------------------------------------------


def test_each_label_gets_a_row_with_its_one():
    x = np.array([[3, 0, 1], [2, 2, 0]])
    rows = utils.to_categorical(x, 5)
    assert rows.shape == (2, 3, 5)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows.argmax(-1), x)
    np.testing.assert_array_equal(rows.sum(-1), 1)
    np.testing.assert_array_equal(rows.max(-1), 1)


@pytest.mark.parametrize("num_classes", [None, 0])
def test_classes_are_counted_up_to_the_largest_label(num_classes):
    assert utils.to_categorical([0, 3], num_classes).shape == (2, 4)


@pytest.mark.parametrize(
    ("x", "shape"),
    [(3, (4,)), ([[1], [3]], (2, 4)), ([[1, 3]], (1, 2, 4)), ([3.0], (1, 4)), ([3, True], (2, 4))],
)
def test_a_last_axis_of_one_label_is_left_out(x, shape):
    assert utils.to_categorical(x).shape == shape


def test_no_labels_give_no_rows():
    assert utils.to_categorical([], 3).shape == (0, 3)
    with pytest.raises(ValueError, match=r"cannot be counted.* shape \(0,\). Give num_classes"):
        utils.to_categorical([])


@pytest.mark.parametrize(("x", "first"), [([0, 5], 5), ([0, -1], -1), ([3], 3)])
def test_a_label_outside_the_classes_is_refused(x, first):
    with pytest.raises(IndexError, match=f"num_classes - 1 = 2.* the first of them {first}"):
        utils.to_categorical(x, 3)


@pytest.mark.parametrize("label", [0.5, np.nan, np.inf])
def test_a_label_that_is_no_whole_number_is_refused(label):
    with pytest.raises(ValueError, match=f"whole number. Received: {label}"):
        utils.to_categorical([0, label], 3)


@pytest.mark.parametrize(
    ("num_classes", "error"), [(-1, ValueError), (2.0, TypeError), ("a", TypeError)]
)
def test_what_is_no_number_of_classes_is_refused(num_classes, error):
    with pytest.raises(error, match=r"num_classes|integer"):
        utils.to_categorical([0, 1], num_classes)
