"""Both libraries, for every test of this folder."""

import pytest

from parity import oracle, sides


@pytest.fixture(scope="session", autouse=True)
def keras():
    """Keras itself, with jax on the CPU."""
    return oracle.load()


@pytest.fixture
def fresh_names():
    """Automatic names that count from the start, in both."""
    for side in sides.BOTH:
        sides.module(side, "utils").clear_session()
