"""What several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

import building


@pytest.fixture(scope="session")
def book_folder(tmp_path_factory, worker_id) -> Path:
    """The built book; processes that test side by side build it once."""
    base = tmp_path_factory.getbasetemp()
    return building.built_book((base if worker_id == "master" else base.parent) / "built-book")
