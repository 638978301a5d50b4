"""Files of models: whole or not there, harmless to read, and enough to go on training."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from convlab import callbacks, layers, losses, models, optimizers
from convlab.models import archive


def small(name="small"):
    return models.Sequential(
        [
            layers.Input((6, 6, 1), name="image"),
            layers.Conv2D(2, 3, name="edges", activation="relu"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.3, name="dice", seed=5),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="digits", activation="softmax"),
        ],
        name=name,
    )


def data(samples=24):
    rng = np.random.default_rng(1)
    x = rng.random((samples, 6, 6, 1), np.float32)
    return x, np.eye(3, dtype=np.float32)[rng.integers(3, size=samples)]


def compiled(optimizer="adam"):
    model = small()
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, **kwargs):
    x, y = data()
    return model.fit(x, y, batch_size=8, verbose=0, **kwargs)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


@pytest.fixture
def saved(path):
    small().save(path)
    return path


def members(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, text in content.items():
            file.writestr(name, text)


def tampered(path, name, change):
    content = members(path)
    content[name] = change(content[name])
    rewrite(path, content)


def changed_json(change):
    def apply(text):
        value = json.loads(text)
        change(value)
        return json.dumps(value).encode()

    return apply


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def same_weights(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


# ---- what is in a file ---------------------------------------------------------------------


def test_a_loaded_model_is_the_same(path):
    model = small()
    model.save(path)
    twin = models.load_model(path)
    assert twin.get_config() == model.get_config()
    assert same_weights(twin, model)
    np.testing.assert_array_equal(twin(data()[0]), model(data()[0]))


def test_numpy_reads_the_arrays(saved):
    with np.load(saved) as file:
        assert file["weights/small/edges/kernel"].shape == (3, 3, 1, 2)
        assert json.loads(file["config.json"])["class_name"] == "Sequential"


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = compiled()
    fit(model)
    model.save(tmp_path / "one.npz")
    model.save(tmp_path / "other.npz")
    one, other = (tmp_path / "one.npz").read_bytes(), (tmp_path / "other.npz").read_bytes()
    assert one == other
    assert str(tmp_path).encode() not in one


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weights_keep_their_dtype_and_every_bit(path, dtype):
    model = models.Sequential([layers.Input((3,)), layers.Dense(2, dtype=dtype)])
    model.set_weights([np.array([[np.nan, -0.0], [np.inf, 1e-7], [3, 4]], dtype), np.zeros(2)])
    model.save(path)
    twin = models.load_model(path)
    assert twin.weights[0].dtype == dtype
    assert same_weights(twin, model)


def test_models_inside_models_are_saved(path):
    x = layers.Input((6, 6, 1))
    inside = small("inside")
    model = models.Model(x, [inside(x), small("other")(x)])
    model.save(path)
    assert same_weights(models.load_model(path), model)


def test_names_that_files_cannot_have_are_no_trouble(path):
    names = ["a b", "..", "é\x00:", "A B", "ü" * 200]
    model = models.Sequential([layers.Input((2,))] + [layers.Dense(2, name=n) for n in names])
    model.save(path)
    twin = models.load_model(path)
    assert [layer.name for layer in twin.layers] == names
    assert same_weights(twin, model)


# ---- going on ------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_training_that_was_saved_ends_with_the_same_weights(path, optimizer):
    straight = compiled(optimizer)
    fit(straight, epochs=2)
    straight.save(path)
    fit(straight, epochs=4, initial_epoch=2)
    resumed = models.load_model(path)
    assert resumed.optimizer.iterations == 6
    history = fit(resumed, epochs=4, initial_epoch=2)
    assert history.epoch == [2, 3]
    assert same_weights(resumed, straight)


def test_a_killed_training_goes_on_in_another_process(path):
    straight = compiled(optimizers.SGD(0.1, momentum=0.9))
    straight.save(path)
    fit(straight, epochs=3)
    script = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import os, signal, test_saving as here
from convlab import callbacks, models
model = models.load_model({str(path)!r})
class Killer(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.save({str(path)!r})
        if epoch == 1:
            os._exit(9)
here.fit(model, epochs=3, callbacks=[Killer()])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    resumed = models.load_model(path)
    fit(resumed, epochs=3, initial_epoch=2)
    assert same_weights(resumed, straight)


def test_a_checkpoint_of_every_epoch_is_a_place_to_go_on_from(tmp_path):
    straight = compiled()
    names = tmp_path / "{epoch}.npz"
    fit(straight, epochs=3, callbacks=[callbacks.ModelCheckpoint(names)])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.npz", "2.npz", "3.npz"]
    for epoch in (1, 2, 3):
        resumed = models.load_model(tmp_path / f"{epoch}.npz")
        fit(resumed, epochs=3, initial_epoch=epoch)
        assert same_weights(resumed, straight)


def test_the_optimizer_serves_the_weights_it_served(path):
    model = compiled()
    fit(model)
    model.layers[0].trainable = False
    model.save(path)
    twin = models.load_model(path)
    assert [v.path for v in twin.optimizer.variables] == [v.path for v in model.optimizer.variables]
    for one, other in zip(twin.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_learning_rate_set_in_between_is_kept(path):
    model = compiled("sgd")
    model.optimizer.learning_rate = 0.125
    model.save(path)
    assert float(models.load_model(path).optimizer.learning_rate) == 0.125


def test_without_compile_the_model_is_not_compiled(path):
    compiled().save(path)
    assert models.load_model(path, compile=False).optimizer is None


def half_squares(y_true, y_pred):
    return 0.5 * np.mean((y_true - y_pred) ** 2, axis=-1)


def test_a_loss_of_ones_own_is_named_and_must_be_handed_over(path):
    model = small()
    model.compile("sgd", loss=half_squares)
    model.save(path)
    with pytest.raises(ValueError, match=r"half_squares(.|\n)*custom_objects(.|\n)*compile=False"):
        models.load_model(path)
    assert models.load_model(path, {"half_squares": half_squares}).loss is half_squares
    assert same_weights(models.load_model(path, compile=False), model)


def test_losses_and_metrics_as_objects_are_saved(path):
    model = small()
    loss = losses.CategoricalCrossentropy(label_smoothing=0.25)
    model.compile(optimizers.Adam(0.25), loss=loss, metrics=["accuracy", "mae"])
    model.save(path)
    assert models.load_model(path).get_compile_config() == model.get_compile_config()


# ---- weights alone -------------------------------------------------------------------------


def test_weights_go_into_a_model_of_the_same_layers(path):
    model, other = small(), small("another_name")
    model.save_weights(path)
    other.load_weights(path)
    assert same_weights(model, other)


def test_weights_come_from_a_whole_model_too(saved):
    model = small()
    model.load_weights(saved)
    assert same_weights(model, models.load_model(saved))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)], "holds 8 arrays"),
        (
            [
                layers.Conv2D(2, 3),
                layers.BatchNormalization(),
                layers.Flatten(),
                layers.Dense(4),
            ],
            r"digits/kernel.npy of shape \(32, 3\).*shape \(32, 4\)",
        ),
    ],
)
def test_weights_that_do_not_fit_change_nothing(saved, other, message):
    model = models.Sequential([layers.Input((6, 6, 1)), *other])
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.load_weights(saved)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_damaged_array_changes_no_weight(saved):
    content = bytearray(saved.read_bytes())
    place = content.rindex(b"\x93NUMPY") + 140  # in the last array
    content[place] ^= 1
    saved.write_bytes(content)
    model = small()
    before = model.get_weights()
    with pytest.raises(ValueError, match="damaged"):
        model.load_weights(saved)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_file_of_weights_is_no_model(path):
    small().save_weights(path)
    with pytest.raises(ValueError, match=r"weights alone.*load_weights"):
        models.load_model(path)


# ---- what cannot be saved, or where --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.keras", r'ends in ".npz".*model.keras.*model_from_json.*set_weights'),
        ("model.h5", "Keras's own file"),
        ("model", r'Write "model.npz"'),
        ("model.NPZ", "ends in"),
    ],
)
def test_other_endings_are_refused(tmp_path, name, message):
    for call in (small().save, small().save_weights, small().load_weights, models.load_model):
        with pytest.raises(ValueError, match=message):
            call(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [None, 3, b"model.npz", io.BytesIO()])
def test_a_path_is_text(path):
    with pytest.raises(TypeError, match="`filepath` must be text or a path"):
        small().save(path)


def test_an_unbuilt_model_is_not_saved(path):
    model = models.Sequential([layers.Dense(3)])
    for call in (model.save, model.save_weights, model.load_weights):
        with pytest.raises(ValueError, match="before it is built"):
            call(path)
    assert not path.exists()


def test_a_file_may_be_protected(saved):
    before = saved.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=False"):
        small().save(saved, overwrite=False)
    assert saved.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="Make the folder first"):
        small().save(tmp_path / "no" / "model.npz")


def test_files_that_cannot_be_opened_say_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        models.load_model(tmp_path / "none.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        models.load_model(tmp_path / "folder.npz")


class Strange(layers.Layer):
    def get_config(self):
        return {**super().get_config(), "thing": object()}


def test_a_config_that_is_not_json_is_refused_and_nothing_is_written(path):
    x = layers.Input((2,))
    with pytest.raises(ValueError, match=r"config.json must be JSON.*get_config"):
        models.Model(x, Strange()(x)).save(path)
    assert list(path.parent.iterdir()) == []


# ---- a crash in the middle -----------------------------------------------------------------

BREAKS = {
    "write_array": (np.lib.format, "write_array"),
    "fsync": (os, "fsync"),
    "replace": (os, "replace"),
}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", BREAKS)
def test_an_error_in_the_middle_leaves_the_old_file_alone(saved, monkeypatch, where, error):
    before = saved.read_bytes()
    model = small("newer")

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(*BREAKS[where], fail)
    with pytest.raises(type(error)) as caught:
        model.save(saved)
    if isinstance(error, OSError):
        assert "No space left" in str(caught.value)
        assert "The file that was there is unchanged" in str(caught.value)
        assert caught.value.errno == 28
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["model.npz"]


def test_a_process_that_dies_while_it_writes_leaves_the_old_file_whole(saved):
    before = saved.read_bytes()
    script = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import os, numpy as np, test_saving as here
write, count = np.lib.format.write_array, []
def die(file, array, **kwargs):
    write(file, array, **kwargs)
    count.append(1)
    if len(count) == 3:
        os._exit(7)
np.lib.format.write_array = die
here.small().save({str(saved)!r})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert saved.read_bytes() == before
    models.load_model(saved)


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links of POSIX")
def test_a_link_stays_a_link(saved, tmp_path):
    link = tmp_path / "latest.npz"
    link.symlink_to(saved)
    model = small()
    model.save(link)
    assert link.is_symlink()
    assert same_weights(models.load_model(saved), model)


# ---- hostile files -------------------------------------------------------------------------


def loads_or_refuses(path, original):
    """True where the file loads as the original; the one error it may give is ValueError."""
    refusal = None
    try:
        twin = models.load_model(path)
    except ValueError as error:
        refusal = str(error)
    if refusal is not None:
        assert str(path) in refusal
        return False
    assert same_weights(twin, original)
    assert twin.get_config() == original.get_config()
    return True


def test_no_truncated_file_loads(path):
    model = compiled()
    fit(model)
    model.save(path)
    content = path.read_bytes()
    for size in [*range(60), *np.linspace(60, len(content) - 1, 150).astype(int)]:
        path.write_bytes(content[:size])
        assert not loads_or_refuses(path, model)


def test_a_flipped_bit_is_found_or_changes_nothing(path):
    model = compiled()
    fit(model)
    model.save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(2)
    directory = range(content.index(b"PK\1\2"), len(content))
    places = [*rng.integers(len(content), size=250), *rng.choice(directory, 450)]
    refused = 0
    for place in places:
        broken = bytearray(content)
        broken[place] ^= 1 << rng.integers(8)
        path.write_bytes(broken)
        refused += not loads_or_refuses(path, model)
    assert refused > len(places) // 2


def test_junk_is_refused(path):
    rng = np.random.default_rng(3)
    for junk in (b"", b"PK", rng.bytes(5000), b"\x80\x04junk", b"PK\5\6" + bytes(18)):
        path.write_bytes(junk)
        with pytest.raises(ValueError, match=r"no saved model, or is damaged.*model\.npz"):
            models.load_model(path)


def test_an_ordinary_npz_is_no_model(path):
    np.savez(path, kernel=np.ones(3))
    with pytest.raises(ValueError, match=r"a member is missing: metadata\.json"):
        models.load_model(path)


KERNEL = "weights/small/edges/kernel.npy"


def header(text, content=b""):
    text = text.encode() + b"\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + content


ARRAYS = {
    "objects": (npy(np.array([0.0, 1.0])).replace(b"<f8", b"|O "), "cannot be read"),
    "a huge shape": (
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9), }"),
        "does not fit its content",
    ),
    "a negative size": (
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"), "cannot be read"
    ),
    "code": (header("{'descr': __import__('os').abort(), }"), "cannot be read"),
    "a structure": (npy(np.zeros(3, [("a", "f4")])), "cannot be read"),
    "text": (npy(np.array(["a"])), "cannot be read"),
    "complex numbers": (npy(np.zeros(3, complex)), "cannot be read"),
    "brackets": (header("(" * 4000), "cannot be read"),
    "no array": (b"nothing at all, for sure", "is no array"),
    "nothing": (b"", "is no array"),
    "bytes too many": (npy(np.zeros((3, 3, 1, 2), np.float32)) + b"x", "does not fit"),
    "another shape": (npy(np.zeros((3, 3, 2, 1), np.float32)), "weights must fit"),
}  # fmt: skip


@pytest.mark.parametrize("case", ARRAYS)
def test_a_member_that_is_no_array_of_numbers_is_refused(saved, case):
    content, message = ARRAYS[case]
    tampered(saved, KERNEL, lambda _: content)
    with pytest.raises(ValueError, match=message):
        models.load_model(saved)


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(18.0).reshape(3, 3, 1, 2)),
        np.arange(18).reshape(3, 3, 1, 2).astype(">f4"),
        np.arange(18).reshape(3, 3, 1, 2),
    ],
    ids=["fortran order", "big-endian", "integers"],
)
def test_arrays_of_other_layouts_are_read_rightly(saved, array):
    tampered(saved, KERNEL, lambda _: npy(array))
    np.testing.assert_array_equal(models.load_model(saved).weights[0], array)


def test_a_bomb_is_not_unpacked(saved):
    content = members(saved)
    content[KERNEL] = npy(np.zeros(10**7, np.float32))
    rewrite(saved, content, zipfile.ZIP_DEFLATED)
    assert saved.stat().st_size < 10**5
    with pytest.raises(ValueError, match="compressed or encrypted"):
        models.load_model(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["config"]["layers"][1]["config"].update(filters=10**9), "more weights than"),
        (lambda c: c["config"]["layers"][5]["config"].update(units=10**12), "more weights than"),
        (
            lambda c: c["config"]["layers"].extend(
                {**c["config"]["layers"][5], "config": {"units": 3, "name": f"d{i}"}}
                for i in range(20)
            ),
            "more weights than",
        ),
        (lambda c: c["config"]["layers"].pop(), "holds 8 arrays"),
        (lambda c: c.update(class_name="system"), "Could not locate class 'system'"),
        (lambda c: c["config"]["layers"][1]["config"].update(kernel_size="x"), "damaged"),
        (lambda c: c["config"]["layers"][1].update(config=None), "damaged"),
        (lambda c: c.update(config=[]), "damaged"),
        (lambda c: c["config"].update(layers=[]), "damaged"),
    ],
)
def test_a_config_of_other_layers_is_refused_before_anything_large_is_made(saved, change, message):
    tampered(saved, "config.json", changed_json(change))
    with pytest.raises(ValueError, match=message):
        models.load_model(saved)


def test_an_optimizer_for_one_weight_a_thousand_times_is_refused(path):
    model = compiled()
    fit(model)
    model.save(path)
    tampered(path, "metadata.json", changed_json(lambda m: m["optimizer"].update(serves=[0] * 999)))
    with pytest.raises(ValueError, match="each once"):
        models.load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(format_version=2),
        lambda m: m.update(format="other"),
        lambda m: m.pop("weights"),
        lambda m: m.update(weights=7),
        lambda m: m.update(weights=[["a"]]),
        lambda m: m["weights"].reverse() or m["weights"].pop(),
        lambda m: m["weights"].append(m["weights"][0]),
        lambda m: m.update(optimizer=3),
        lambda m: m.update(optimizer={"state": [], "serves": 3}),
        lambda m: m["optimizer"].update(serves=["a"]),
        lambda m: m["optimizer"]["state"].popitem(),
        lambda m: m.update(layer_states=[]),
        lambda m: m.update(layer_states=[{"seed_generator": ["a", -1]}]),
        lambda m: m.update(shuffle_seed="a"),
        lambda m: m.pop("shuffle_seed"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(path, change):
    model = compiled()
    fit(model)
    model.save(path)
    tampered(path, "metadata.json", changed_json(change))
    with pytest.raises(ValueError, match=str(path)):
        models.load_model(path)


def test_members_that_nobody_listed_are_refused(saved):
    content = members(saved)
    rewrite(saved, {**content, "../../evil.py": b"print(1)"})
    with pytest.raises(ValueError, match=r"not those that metadata.json lists.*evil"):
        models.load_model(saved)


def test_a_member_that_stands_there_twice_is_refused(saved):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(saved, "a") as file:
        file.writestr(KERNEL, npy(np.zeros((3, 3, 1, 2), np.float32)))
    with pytest.raises(ValueError, match="stands in it twice"):
        models.load_model(saved)


@pytest.mark.parametrize("text", [b"[" * 200_000, b"\xff\xfe", b"{}", b"3", b'{"class_name": 1}'])
def test_texts_that_are_no_config_are_refused(saved, text):
    tampered(saved, "config.json", lambda _: text)
    with pytest.raises(ValueError, match="damaged"):
        models.load_model(saved)


def test_a_text_that_is_too_long_is_neither_written_nor_read(saved, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_JSON", 300)
    with pytest.raises(ValueError, match="text is too long"):
        models.load_model(saved)
    with pytest.raises(ValueError, match="at most 300 bytes"):
        small().save(saved)


def test_pickles_are_not_read(saved):
    class Evil:
        def __reduce__(self):
            return (os.abort, ())

    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Evil()], object), allow_pickle=True)
    tampered(saved, KERNEL, lambda _: file.getvalue())
    with pytest.raises(ValueError, match="holds no numbers"):
        models.load_model(saved)
