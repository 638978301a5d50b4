"""Both libraries, for every test of this folder."""

from pathlib import Path

import pytest

from parity import oracle, sides

# Keras's variables say it themselves wherever NumPy reads them.
OLD_ARRAY = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def pytest_collection_modifyitems(items):
    """Do not let Keras fail by its own warnings."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings(OLD_ARRAY))


@pytest.fixture(scope="session", autouse=True)
def keras():
    """Keras itself, with jax on the CPU."""
    return oracle.load()


@pytest.fixture
def fresh_names():
    """Automatic names that count from the start, in both."""
    for side in sides.BOTH:
        sides.module(side, "utils").clear_session()
