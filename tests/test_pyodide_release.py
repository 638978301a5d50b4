"""Pyodide's files: which a page needs, where they come from, and what the book does with them."""

import hashlib
import json
import os
import time
import zipfile
from pathlib import Path

import pytest

import pyodide_release
import python_in_page
from pyodide_release import bytes_to_load, checked, files_of, fill

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def release():
    """The files of a small release, by name: numpy needs nothing, matplotlib needs it."""
    contents = {name: name.encode() for name in pyodide_release.RUNTIME}
    contents |= {f"{name}.whl": name.encode() * 3 for name in ("numpy", "matplotlib", "other")}
    packages = {
        name: {
            "file_name": f"{name}.whl",
            "sha256": hashlib.sha256(contents[f"{name}.whl"]).hexdigest(),
            "depends": ["numpy"] if name == "matplotlib" else [],
        }
        for name in ("numpy", "matplotlib", "other")
    }
    contents[pyodide_release.LOCK] = json.dumps({"packages": packages}).encode()
    return contents


def test_folder_gets_the_runtime_and_what_the_packages_need(release, tmp_path):
    fill(tmp_path / "new", release.__getitem__)
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == set(release) - {"other.whl"}
    assert {path.name for path in files_of(tmp_path / "new")} == names


def test_what_is_there_and_whole_is_not_fetched_again(release, tmp_path):
    fill(tmp_path, release.__getitem__)
    (tmp_path / "numpy.whl").write_bytes(b"broken off")
    asked = []
    fill(tmp_path, lambda name: (asked.append(name), release[name])[1])
    assert asked == ["numpy.whl"]


def test_package_that_the_lock_file_does_not_know_is_refused(release, tmp_path):
    release["numpy.whl"] = b"another"
    with pytest.raises(ValueError, match=r"must have the SHA-256 .* Received: numpy\.whl, with"):
        fill(tmp_path, release.__getitem__)
    assert not (tmp_path / "numpy.whl").exists()
    assert checked("numpy.whl", b"", hashlib.sha256(b"").hexdigest()) == b""


def test_what_is_missing_is_named(release, tmp_path):
    fill(tmp_path, release.__getitem__)
    (tmp_path / "matplotlib.whl").unlink()
    (tmp_path / "pyodide.mjs").unlink()
    with pytest.raises(FileNotFoundError, match=r"must hold pyodide\.mjs, matplotlib\.whl\. "):
        files_of(tmp_path)


def test_bytes_are_those_that_a_page_can_count(release, tmp_path):
    fill(tmp_path, release.__getitem__)
    hidden = {"pyodide.mjs", "pyodide.asm.mjs", "other.whl"}
    expected = sum(len(content) for name, content in release.items() if name not in hidden)
    assert bytes_to_load(tmp_path) == expected


def test_command_asks_for_a_folder(capsys):
    assert pyodide_release.main([]) == 2
    assert "FOLDER" in capsys.readouterr().out


def test_setting_is_the_network_or_a_folder(monkeypatch, tmp_path):
    for value in ("", "cdn"):
        monkeypatch.setenv(python_in_page.SETTING, value)
        assert python_in_page.pyodide_folder() is None
    monkeypatch.setenv(python_in_page.SETTING, str(tmp_path))
    assert python_in_page.pyodide_folder() == tmp_path


def test_bytes_of_the_network_are_those_of_the_release():
    folder = Path(os.environ.get(python_in_page.SETTING) or "cdn")
    if not folder.is_dir():
        pytest.skip(f"{python_in_page.SETTING} names no folder with Pyodide's files")
    assert bytes_to_load(folder) == pyodide_release.CDN_BYTES


def test_wheel_has_the_package_and_its_samples(tmp_path):
    wheel = python_in_page.build_wheel(ROOT, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"convlab/__init__.py", "convlab/geometry.py"} <= names
    assert {f"convlab/datasets/files/{name}" for name in ("china.jpg", "digits.csv.gz")} <= names
    assert not [name for name in names if name.startswith(("tests", "book"))]


def test_same_tree_gives_the_same_wheel_at_any_time(monkeypatch, tmp_path):
    first = python_in_page.build_wheel(ROOT, tmp_path / "a")
    other_day = time.localtime(1_000_000_000)
    monkeypatch.setattr(time, "localtime", lambda *_: other_day)
    second = python_in_page.build_wheel(ROOT, tmp_path / "b")
    assert python_in_page.checksum(first) == python_in_page.checksum(second)
