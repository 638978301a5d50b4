import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from convlab import config, layers

DEFAULTS = ("channels_last", "float32", 1e-7)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A KERAS_HOME of its own; the settings of the other tests come back afterwards."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    kept = dict(config._settings())
    config._settings.cache_clear()
    yield tmp_path
    config._settings.cache_clear()
    monkeypatch.undo()
    config._settings().clear()
    config._settings().update(kept)


def settings():
    return config.image_data_format(), config.floatx(), config.epsilon()


def write(home, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (home / "keras.json").write_text(text, encoding="utf-8")


def test_without_a_file_the_defaults_hold_and_no_file_is_written(home):
    assert settings() == DEFAULTS
    assert list(home.iterdir()) == []


def test_folder_that_does_not_exist_is_no_error(home, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(home / "nowhere"))
    assert settings() == DEFAULTS


def test_file_that_keras_wrote_is_followed(home):
    write(
        home,
        {
            "floatx": "float64",
            "epsilon": 1e-5,
            "backend": "jax",
            "image_data_format": "channels_first",
        },
    )
    assert settings() == ("channels_first", "float64", 1e-5)
    layer = layers.Conv2D(2, 3)
    assert (layer.data_format, layer.dtype) == ("channels_first", "float64")
    assert layer.compute_output_shape((None, 1, 8, 8)) == (None, 2, 6, 6)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, DEFAULTS),
        ({"backend": "torch"}, DEFAULTS),
        ({"floatx": "float16"}, ("channels_last", "float16", 1e-7)),
        ({"image_data_format": "channels_first"}, ("channels_first", "float32", 1e-7)),
        ({"epsilon": 1}, ("channels_last", "float32", 1.0)),
    ],
)
def test_what_the_file_leaves_out_keeps_its_default(home, content, expected):
    write(home, content)
    assert settings() == expected


@pytest.mark.parametrize(
    "content", ["", "{", "[1, 2]", "3", '"channels_first"', "null", "\x00", "[" * 100000]
)
def test_damaged_file_is_named_and_the_defaults_hold(home, content):
    write(home, content)
    with pytest.warns(UserWarning, match=r"keras\.json.*The defaults hold"):
        assert settings() == DEFAULTS


def test_bytes_that_are_no_text_are_named(home):
    (home / "keras.json").write_bytes(b"\xff\xfe\xff")
    with pytest.warns(UserWarning, match=r"keras\.json was not read"):
        assert settings() == DEFAULTS


def test_folder_in_the_place_of_the_file_is_named(home):
    (home / "keras.json").mkdir()
    with pytest.warns(UserWarning, match=r"keras\.json was not read"):
        assert settings() == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_data_format", "NHWC"), ("image_data_format", None), ("image_data_format", 1),
        ("floatx", "int8"), ("floatx", None), ("epsilon", "small"), ("epsilon", 0),
        ("epsilon", -1e-7), ("epsilon", True), ("epsilon", float("inf")), ("epsilon", float("nan")),
        ("epsilon", [1e-7]),
    ],
)  # fmt: skip
def test_wrong_entry_is_named_and_the_others_are_followed(home, name, value):
    content = {"image_data_format": "channels_first", "floatx": "float64", "epsilon": 1e-4}
    write(home, {**content, name: value})
    with pytest.warns(UserWarning, match=rf"{name}.*Received: .*The default holds") as caught:
        found = dict(zip(content, settings(), strict=True))
    assert len(caught) == 1
    assert found == {**content, name: dict(zip(content, DEFAULTS, strict=True))[name]}


def test_file_is_read_once(home):
    assert settings() == DEFAULTS
    write(home, {"floatx": "float64"})
    assert config.floatx() == "float32"


def test_setters_go_before_the_file(home):
    write(home, {"floatx": "float64"})
    config.set_floatx("float16")
    assert config.floatx() == "float16"


CODE = "from convlab import config as c; print(c.image_data_format(), c.floatx(), c.epsilon())"


@pytest.mark.parametrize("variable", ["KERAS_HOME", "HOME"])
def test_program_starts_with_the_file_of_its_environment(tmp_path, variable):
    folder = tmp_path if variable == "KERAS_HOME" else tmp_path / ".keras"
    folder.mkdir(exist_ok=True)
    write(folder, {"image_data_format": "channels_first"})
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_HOME"}
    environment |= {variable: str(tmp_path)}
    if variable == "HOME":
        environment |= {"USERPROFILE": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["channels_first", "float32", "1e-07"]
    assert answer.stderr == ""


@pytest.mark.usefixtures("home")
def test_settings_can_be_changed_and_are_followed_by_what_is_made_then():
    before = layers.Conv2D(2, 3)
    config.set_image_data_format("channels_first")
    config.set_floatx("float64")
    after = layers.Conv2D(2, 3)
    assert (before.data_format, before.dtype) == ("channels_last", "float32")
    assert (after.data_format, after.dtype) == ("channels_first", "float64")
    assert after(np.ones((1, 1, 4, 4))).dtype == np.float64


@pytest.mark.parametrize(
    ("setter", "value", "message"),
    [
        ("image_data_format", "NCHW", "`data_format` must be.*channels_last.*Received: .*NCHW"),
        ("image_data_format", None, "`data_format` must be.*Received: data_format=None"),
        ("image_data_format", 1, "`data_format`.*Received: "),
        ("floatx", "int32", "`floatx` must be one of float16, float32, float64. Received: 'int32'"),
        ("floatx", None, "`floatx` must be one of.*Received: None"),
        ("epsilon", 0, "`epsilon` must be a positive, finite number. Received: epsilon=0"),
        ("epsilon", "1e-7", "`epsilon` must be.*Received: epsilon='1e-7'"),
        ("epsilon", np.nan, "`epsilon` must be.*nan"),
        ("epsilon", True, "`epsilon` must be.*True"),
    ],
)
def test_wrong_settings_are_refused_and_change_nothing(setter, value, message):
    before = settings()
    with pytest.raises((ValueError, TypeError), match=f"(?i){message}"):
        getattr(config, f"set_{setter}")(value)
    assert settings() == before


def test_data_format_is_read_in_any_case_and_none_asks_the_setting():
    assert config.standardize_data_format("CHANNELS_First") == "channels_first"
    assert config.standardize_data_format(None) == config.image_data_format()
    with pytest.raises(ValueError, match="data_format"):
        config.standardize_data_format("NHWC")


def test_numpy_numbers_are_numbers():
    kept = config.epsilon()
    config.set_epsilon(np.float64(1e-3))
    assert type(config.epsilon()) is float
    config.set_epsilon(kept)


def test_reading_gives_no_warning_without_a_reason(home):
    write(home, {"floatx": "float32"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert settings() == DEFAULTS
