"""How near two results must be: by dtype, against the largest number that was added up."""

import numpy as np

# Both sides add the same numbers in another order: some units in the last place, no more.
UNITS = {"float64": 1e-12, "float32": 1e-5, "float16": 4e-3}


def assert_close(ours, theirs, units=1.0, dtype=None):
    """Same shape and dtype, NaN and infinity in the same places, values within the units."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    tolerance = units * UNITS[dtype or ours.dtype.name]
    finite = theirs[np.isfinite(theirs)].astype(np.float64)
    scale = max(np.abs(finite).max(initial=0), 1e-3)
    np.testing.assert_allclose(
        ours.astype(np.float64), theirs.astype(np.float64), rtol=tolerance, atol=tolerance * scale
    )


def assert_all_close(ours, theirs, units=1.0, dtype=None):
    """`assert_close` for each pair of two lists."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one, other, units, dtype)
