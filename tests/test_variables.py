import copy
import pickle

import numpy as np
import pytest

from convlab import constraints, regularizers
from convlab.variables import Variable


def vector(values=(1.0, 2.0, 3.0), **options):
    return Variable(np.array(values), **{"name": "kernel", "dtype": "float32", **options})


def test_variable_copies_what_it_is_given_and_casts_it():
    given = np.array([1.0, 2.0])
    same, variable = Variable(given), Variable(given, dtype="float32")
    given[0] = 9
    np.testing.assert_array_equal(same, [1, 2])
    np.testing.assert_array_equal(variable, [1, 2])
    assert (variable.dtype, variable.shape, variable.ndim) == ("float32", (2,), 1)
    assert (variable.size, variable.nbytes, len(variable)) == (2, 8, 2)


def test_dtype_is_the_values_own_where_none_is_given():
    assert [Variable(v).dtype for v in (np.float64(1), np.int32(1), True)] == [
        "float64", "int32", "bool",
    ]  # fmt: skip


def test_names_and_paths():
    assert (vector().name, vector().path) == ("kernel", "kernel")
    assert vector(path="conv2d/kernel").path == "conv2d/kernel"
    assert (Variable(0).name, Variable(0).trainable) == ("variable", True)
    variable = vector(
        constraint=constraints.NonNeg(), regularizer=regularizers.L2(), trainable=False
    )
    assert not variable.trainable
    assert isinstance(variable.constraint, constraints.NonNeg)
    assert isinstance(variable.regularizer, regularizers.L2)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda v: v + 1, [2, 3, 4]),
        (lambda v: 1 - v, [0, -1, -2]),
        (lambda v: v * v, [1, 4, 9]),
        (lambda v: v @ v, 14),
        (lambda v: np.ones(3) / v, [1, 1 / 2, 1 / 3]),
        (lambda v: -v, [-1, -2, -3]),
        (lambda v: v**2, [1, 4, 9]),
        (lambda v: v > 1, [False, True, True]),
        (lambda v: abs(v), [1, 2, 3]),
        (np.sum, 6),
        (lambda v: np.concatenate([v, v[:1]]), [1, 2, 3, 1]),
        (lambda v: np.add.reduce(v), 6),
        (lambda v: v[1:], [2, 3]),
        (list, [1, 2, 3]),
    ],
)
def test_variable_can_be_used_wherever_an_array_can(use, expected):
    np.testing.assert_allclose(use(vector()), expected, rtol=1e-6)


def test_arithmetic_keeps_the_dtype_and_gives_arrays():
    answer = vector() + 1
    assert isinstance(answer, np.ndarray)
    assert answer.dtype == np.float32
    assert np.asarray(vector(), dtype="float64").dtype == np.float64


def test_scalar_is_a_number():
    one = Variable(1.5)
    assert (float(one), int(one), bool(one)) == (1.5, 1, True)
    with pytest.raises(TypeError):
        len(one)


def test_assign_casts_copies_and_returns_the_variable():
    variable, given = vector(), np.array([4.0, 5.0, 6.0])
    assert variable.assign(given) is variable
    given[0] = 0
    np.testing.assert_array_equal(variable, [4, 5, 6])
    assert variable.dtype == "float32"
    variable.assign([1, 2, 3]).assign(vector() + 1)
    np.testing.assert_array_equal(variable, [2, 3, 4])


def test_assign_keeps_the_shape():
    variable = vector(path="conv2d/bias")
    for given in (np.ones(2), 1.0, np.ones((3, 1)), []):
        with pytest.raises(
            ValueError, match=r"shape of a variable stays. conv2d/bias has shape \(3,\). Received"
        ):
            variable.assign(given)
    np.testing.assert_array_equal(variable, [1, 2, 3])


def test_whoever_holds_the_old_value_keeps_it():
    variable = vector()
    seen = variable.value
    variable.assign([7, 8, 9])
    np.testing.assert_array_equal(seen, [1, 2, 3])


def test_value_is_the_array_itself_and_read_only():
    variable = vector()
    assert np.shares_memory(variable.value, variable.value)
    for array in (variable.value, np.asarray(variable), variable[1:]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    with pytest.raises(TypeError, match="does not support item assignment"):
        variable[0] = 5


def test_numpy_gives_a_copy_that_can_be_changed():
    variable = vector()
    variable.numpy()[0] = 5
    np.array(variable)[0] = 5
    np.testing.assert_array_equal(variable, [1, 2, 3])


def test_arithmetic_in_place_is_refused():
    variable = vector()
    for use in (lambda v: v.__iadd__(1), lambda v: np.add(v, 1, out=v)):
        with pytest.raises(TypeError, match=r"changed by assign. Received: kernel.*Write variable"):
            use(variable)
    np.testing.assert_array_equal(variable, [1, 2, 3])


def test_take_gives_the_old_array_away_and_keeps_the_new_one():
    variable = vector()
    old, new = variable.value, np.array([4, 5, 6], "float32")
    before = variable.take(new)
    assert np.shares_memory(before, old)
    assert np.shares_memory(variable.value, new)
    assert before.flags.writeable


def test_take_of_another_dtype_casts_and_of_another_shape_is_refused():
    variable = vector()
    variable.take(np.array([4.0, 5.0, 6.0]))
    assert variable.dtype == "float32"
    with pytest.raises(ValueError, match=r"has shape \(3,\). Received: a value of shape \(2,\)"):
        variable.take(np.ones(2))
    np.testing.assert_array_equal(variable, [4, 5, 6])


def test_numbers_too_large_for_the_dtype_become_infinite():
    np.testing.assert_array_equal(vector().assign([1e300, -1e300, 0]), [np.inf, -np.inf, 0])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copies_are_independent(copied):
    variable = vector(path="conv2d/kernel")
    twin = copied(variable)
    twin.assign([0, 0, 0])
    np.testing.assert_array_equal(variable, [1, 2, 3])
    assert twin.path == "conv2d/kernel"


def test_text_shows_path_shape_dtype_and_value():
    text = "<Variable path=kernel, shape=(3,), dtype=float32, value=[1. 2. 3.]>"
    assert repr(vector()) == text
