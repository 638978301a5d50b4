"""Photos, digits and MNIST: what is read, and what is refused with the file's name."""

import gzip
import hashlib
import os
import re
import struct
import subprocess
import sys
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from convlab import datasets, filters
from convlab.datasets import mnist
from convlab.datasets.idx import read_idx

NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
COUNTS = {"train": 5, "test": 3}
REAL_FOLDER = os.environ.get("CONVLAB_DATA")


def idx(array):
    """The bytes of an IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def half(split):
    """Images of 4 x 3 pixels and their labels, different for every split."""
    rng = np.random.default_rng(COUNTS[split])
    n = COUNTS[split]
    return rng.integers(0, 256, (n, 4, 3), np.uint8), rng.integers(0, 10, n, np.uint8)


def write_half(folder, split, pack=bytes, suffix="", rename=str):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(NAMES[split], half(split), strict=True):
        (folder / (rename(name) + suffix)).write_bytes(pack(idx(array)))


def assert_half(read, split):
    for array, expected in zip(read, half(split), strict=True):
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == np.uint8


@pytest.fixture(autouse=True)
def no_data_folder_and_no_network(monkeypatch):
    monkeypatch.delenv("CONVLAB_DATA", raising=False)
    monkeypatch.setattr(mnist, "_MIRRORS", ())


# Photos and digits


def test_datasets_import_nothing_beyond_numpy():
    code = "import sys, convlab.datasets; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert not {"sklearn", "scipy", "pooch", "requests", "PIL", "matplotlib"} & set(loaded)


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photo_is_the_stored_picture_and_ours_to_change(name):
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    photo = datasets.load_photo(name)
    assert photo.shape == (427, 640, 3)
    assert photo.dtype == np.uint8
    np.testing.assert_array_equal(photo, sklearn_datasets.load_sample_image(f"{name}.jpg"))
    photo[:] = 0
    assert datasets.load_photo(name).any()


def test_grey_photo_is_the_weighted_sum_of_its_colours():
    pytest.importorskip("sklearn")
    grey = datasets.load_photo("flower", grey=True)
    weighted = (datasets.load_photo("flower") / 255 * filters.GREY).sum(axis=-1)
    assert grey.shape == (427, 640)
    assert grey.dtype == np.float64
    np.testing.assert_allclose(grey, weighted, atol=1e-15)


@pytest.mark.parametrize("name", ["cat", "china.jpg", None, 3, ["china"]])
def test_unknown_photo_is_refused_with_the_known_names(name):
    received = re.escape(f"Received: name={name!r}.")
    with pytest.raises(ValueError, match=f'must be "china" or "flower". {received}'):
        datasets.load_photo(name)


def test_digits_keep_the_order_and_the_values_of_the_file():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    stored = sklearn_datasets.load_digits()
    assert (x_train.shape, y_train.shape) == ((1200, 8, 8), (1200,))
    assert (x_test.shape, y_test.shape) == ((597, 8, 8), (597,))
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), stored.images)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), stored.target)
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert (x_train.min(), x_train.max()) == (0, 16)


@pytest.mark.parametrize(
    ("module", "package", "call"),
    [
        ("sklearn.datasets", "scikit-learn", datasets.load_photo),
        ("PIL.Image", "pillow", datasets.load_photo),
        ("sklearn.datasets", "scikit-learn", datasets.load_digits),
    ],
)
def test_a_missing_package_is_named_with_its_pip_install(monkeypatch, module, package, call):
    monkeypatch.setitem(sys.modules, module, None)
    rule = rf"`{call.__name__}` needs {package}.*`pip install {package}`.*convlab\[data\]"
    with pytest.raises(ImportError, match=rule):
        call()


# One IDX file


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_idx_is_read_by_what_the_file_holds_whatever_its_name(tmp_path, pack, name):
    images, labels = half("train")
    (tmp_path / name).write_bytes(pack(idx(images)))
    np.testing.assert_array_equal(read_idx(tmp_path / name, "images"), images)
    (tmp_path / name).write_bytes(pack(idx(labels)))
    np.testing.assert_array_equal(read_idx(tmp_path / name, "labels"), labels)


def test_idx_arrays_are_ours_to_change(tmp_path):
    (tmp_path / "file").write_bytes(idx(half("train")[0]))
    read_idx(tmp_path / "file", "images")[:] = 0


IMAGES, LABELS = (idx(array) for array in half("train"))
DAMAGED = {
    "empty": (b"", r"which starts with nothing: it is empty"),
    "web page": (b"<!DOCTYPE html>", r"must start with the bytes 00 00 08 03.*with 3c 21 44 4f"),
    "labels for images": (LABELS, r"which holds labels\. Give the files their right names"),
    "another data type": (b"\0\0\x0d\3" + IMAGES[4:], r"which starts with 00 00 0d 03"),
    "header cut": (IMAGES[:14], r"header of 16 bytes.*which ends after 14"),
    "pixels cut": (IMAGES[:-1], r"5 x 4 x 3 must hold 60 pixels.*which holds only 59"),
    "no pixels": (IMAGES[:16], r"must hold 60 pixels.*which holds only 0"),
    "trailing byte": (IMAGES + b"\0", r"must hold 60 pixels.*which holds more"),
    "count too high": (IMAGES[:7] + b"\6" + IMAGES[8:], r"6 x 4 x 3 must hold 72 .* only 60"),
    "count too low": (IMAGES[:7] + b"\4" + IMAGES[8:], r"4 x 4 x 3 must hold 48 .* more"),
    "count zero": (IMAGES[:7] + b"\0" + IMAGES[8:], r"between 1 and .*header says 0 x 4 x 3"),
    "huge": (IMAGES[:4] + b"\xff" * 12 + b"\0", r"1 and 1073741824 pixels.*says 4294967295 x 4294"),
    "huge, product 0 in 64 bits": (IMAGES[:4] + b"\x80\0\0\0" * 3, r"header says 2147483648 x 2"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_idx_file_is_named_with_what_is_wrong(tmp_path, content, message, pack):
    file = tmp_path / "t10k-images"
    file.write_bytes(pack(content))
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(file, "images")
    assert repr(str(file)) in str(caught.value)
    assert re.search(r"Delete the file and fetch it again\.|right names back\.", str(caught.value))


def test_images_where_labels_belong_are_recognised(tmp_path):
    (tmp_path / "labels").write_bytes(IMAGES)
    with pytest.raises(ValueError, match=r"IDX file of labels .*'.*labels', which holds images"):
        read_idx(tmp_path / "labels", "labels")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_idx_file_cut_anywhere_is_refused(tmp_path, pack):
    whole = pack(IMAGES)
    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ValueError, match="cut'"):
            read_idx(tmp_path / "cut", "images")


def test_gzip_file_with_any_byte_changed_is_refused_or_read_right(tmp_path):
    whole = gzip.compress(IMAGES)
    refused = []
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 0xFF
        (tmp_path / "changed").write_bytes(changed)
        try:
            read = read_idx(tmp_path / "changed", "images")
        except ValueError as error:
            refused.append(str(error))
        else:  # the header of gzip has a time stamp and the like, which mean nothing here
            np.testing.assert_array_equal(read, half("train")[0])
    assert len(refused) >= len(whole) - 10
    assert all("changed'" in message for message in refused)


def test_gzip_file_with_something_after_it_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(gzip.compress(IMAGES) + b"more")
    with pytest.raises(ValueError, match=r"one whole gzip stream.*file'"):
        read_idx(tmp_path / "file", "images")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["raw", "gzip"])
def test_memory_follows_the_file_and_not_its_header(tmp_path, pack):
    header = bytes([0, 0, 8, 3]) + struct.pack(">3I", 1000, 1000, 1000)
    (tmp_path / "liar").write_bytes(pack(header + bytes(100)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"must hold 1000000000 pixels.*holds only 100"):
        read_idx(tmp_path / "liar", "images")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


# MNIST in a folder


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"suffix": ".gz", "pack": gzip.compress},
        {"rename": lambda name: name.replace("-idx", ".idx")},
        {"rename": lambda name: name.replace("-idx", ".idx"), "suffix": ".gz"},
    ],
    ids=["raw", "gzip", "dotted", "dotted, misnamed gz"],
)
@pytest.mark.parametrize("place", [".", "mnist"])
def test_mnist_is_read_in_the_form_of_keras(tmp_path, place, how):
    for split in NAMES:
        write_half(tmp_path / place, split, **how)
    train, test = mnist.load_data(tmp_path)
    assert_half(train, "train")
    assert_half(test, "test")


def test_path_may_be_text(tmp_path):
    write_half(tmp_path, "test")
    assert_half(mnist.load_split("test", str(tmp_path)), "test")


@pytest.mark.parametrize("place", [".", "mnist"])
def test_convlab_data_names_a_folder_to_look_in_first(tmp_path, monkeypatch, place):
    for split in NAMES:
        write_half(tmp_path / place, split)
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path))
    train, test = mnist.load_data()
    assert_half(train, "train")
    assert_half(test, "test")


def test_path_is_the_only_place_searched(tmp_path, monkeypatch):
    write_half(tmp_path / "named", "test")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path / "named"))
    with pytest.raises(FileNotFoundError, match="empty"):
        mnist.load_split("test", tmp_path / "empty")


def test_one_half_is_read_where_the_other_is_missing(tmp_path):
    write_half(tmp_path, "test")
    assert_half(mnist.load_split("test", tmp_path), "test")
    rule = (
        r"must hold train-images-idx3-ubyte, train-labels-idx1-ubyte \(with \.gz or without\)\. "
        r"Received: path='.*', where they are missing\. "
        r'The test half is there: load_split\("test", \.\.\.\) reads it\.'
    )
    with pytest.raises(FileNotFoundError, match=rule):
        mnist.load_data(tmp_path)


def test_only_the_missing_files_are_named(tmp_path):
    for split in NAMES:
        write_half(tmp_path / "mnist", split)
    (tmp_path / "mnist" / NAMES["test"][1]).unlink()
    with pytest.raises(FileNotFoundError, match=r"must hold t10k-labels-idx1-ubyte \(with"):
        mnist.load_data(tmp_path)


def test_images_and_labels_come_from_the_same_place(tmp_path):
    write_half(tmp_path / "mnist", "test")
    (tmp_path / NAMES["test"][0]).write_bytes(idx(np.zeros((3, 4, 3), np.uint8)))
    assert_half(mnist.load_split("test", tmp_path), "test")


def test_a_folder_by_the_name_of_a_file_is_no_file(tmp_path):
    (tmp_path / NAMES["test"][0]).mkdir()
    write_half(tmp_path, "test", pack=gzip.compress, suffix=".gz")
    assert_half(mnist.load_split("test", tmp_path), "test")


def test_images_without_a_label_each_are_refused_with_both_files(tmp_path):
    write_half(tmp_path, "test")
    (tmp_path / NAMES["test"][1]).write_bytes(LABELS)
    rule = r"one label for each image\. Received: 3 images in '.*t10k-images.*' and 5 labels in '.*"
    with pytest.raises(ValueError, match=rule + "t10k-labels"):
        mnist.load_split("test", tmp_path)


def test_label_above_nine_is_refused_with_its_place(tmp_path):
    write_half(tmp_path, "test")
    (tmp_path / NAMES["test"][1]).write_bytes(idx(np.array([9, 0, 10])))
    rule = r"between 0 and 9\. Received: label 10 at index 2 of '.*t10k-labels-idx1-ubyte'"
    with pytest.raises(ValueError, match=rule):
        mnist.load_split("test", tmp_path)


def test_exchanged_files_are_recognised(tmp_path):
    write_half(tmp_path, "test")
    images, labels = (tmp_path / name for name in NAMES["test"])
    images.rename(tmp_path / "spare")
    labels.rename(images)
    (tmp_path / "spare").rename(labels)
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte', which holds labels"):
        mnist.load_split("test", tmp_path)


@pytest.mark.parametrize("name", ["path", "CONVLAB_DATA"])
def test_a_folder_that_is_not_there_is_refused_by_the_name_of_its_setting(
    tmp_path, monkeypatch, name
):
    def load(folder):
        if name == "path":
            return mnist.load_data(folder)
        monkeypatch.setenv("CONVLAB_DATA", str(folder))
        return mnist.load_data()

    with pytest.raises(
        FileNotFoundError, match=rf"`{name}` must name a folder.*{name}='.*nowhere'"
    ):
        load(tmp_path / "nowhere")
    (tmp_path / "mnist.npz").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match=rf"`{name}` must name a folder.*mnist\.npz"):
        load(tmp_path / "mnist.npz")


@pytest.mark.parametrize("split", ["validation", None, 0, ["test"]])
def test_unknown_split_is_refused(split):
    received = re.escape(f"Received: split={split!r}.")
    with pytest.raises(ValueError, match=f'must be "train" or "test". {received}'):
        mnist.load_split(split)


@pytest.mark.skipif(not REAL_FOLDER, reason="CONVLAB_DATA names no folder")
def test_the_real_test_half_is_mnist(monkeypatch):
    monkeypatch.setenv("CONVLAB_DATA", REAL_FOLDER)
    x, y = mnist.load_split("test")
    digest = hashlib.sha256(idx(x)).hexdigest(), hashlib.sha256(idx(y)).hexdigest()
    assert digest == (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    )


# MNIST over the network: a server on this machine that can be made to misbehave


class Mirror:
    """A web server with MNIST's four files, some of them whole."""

    def __init__(self):
        self.files = {
            f"{name}.gz": gzip.compress(idx(array), mtime=0)
            for split in NAMES
            for name, array in zip(NAMES[split], half(split), strict=True)
        }
        self.requests = []
        self.cut = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(mirror):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path[1:]
                mirror.requests.append(name)
                if name not in mirror.files:
                    self.send_error(404)
                    return
                content = mirror.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if mirror.cut else content)

            def log_message(self, *arguments):
                pass

        return Handler

    def checksums(self):
        return {name[:-3]: hashlib.sha256(file).hexdigest() for name, file in self.files.items()}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirrors(monkeypatch):
    """Two mirrors, whose files are the ones that the checksums ask for."""
    pytest.importorskip("pooch")
    pair = Mirror(), Mirror()
    monkeypatch.setattr(mnist, "_MIRRORS", tuple(mirror.url for mirror in pair))
    monkeypatch.setattr(mnist, "_SHA256", pair[0].checksums())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield pair
    for mirror in pair:
        mirror.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(mnist, "_cache_folder", lambda pooch: folder)
    return folder


def test_mnist_is_downloaded_once_and_then_read_from_the_cache(mirrors, cache):
    for _ in range(2):
        train, test = mnist.load_data()
        assert_half(train, "train")
        assert_half(test, "test")
    assert sorted(mirrors[0].requests) == sorted(mirrors[0].files)
    assert mirrors[1].requests == []
    assert sorted(file.name for file in cache.iterdir()) == sorted(mirrors[0].files)


def test_a_download_cut_short_is_refused_and_leaves_nothing_behind(mirrors, cache):
    for mirror in mirrors:
        mirror.cut = True
    rule = r"train files must come whole from a mirror\. Received: \n- http(.|\n)*`path`"
    with pytest.raises(OSError, match=rule):
        mnist.load_data()
    assert list(cache.iterdir()) == []
    for mirror in mirrors:
        mirror.cut = False
    assert_half(mnist.load_split("train"), "train")


@pytest.mark.parametrize("length", [0, 1, -1], ids=["empty", "one byte", "all but one byte"])
def test_a_shorter_file_that_claims_to_be_whole_is_refused(mirrors, cache, length):
    for mirror in mirrors:
        mirror.files = {name: file[:length] for name, file in mirror.files.items()}
    with pytest.raises(OSError, match=r"(?s)must come whole.*SHA256 hash of downloaded file"):
        mnist.load_data()
    assert list(cache.iterdir()) == []


def test_another_file_under_the_same_name_is_refused(mirrors, cache):
    for mirror in mirrors:
        mirror.files = {name: gzip.compress(IMAGES) for name in mirror.files}
    with pytest.raises(OSError, match=r"(?s)must come whole.*SHA256 hash of downloaded file"):
        mnist.load_data()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("failure", ["cut", "absent", "closed"])
def test_the_second_mirror_stands_in_for_the_first(mirrors, cache, failure):
    if failure == "cut":
        mirrors[0].cut = True
    elif failure == "absent":
        mirrors[0].files = {}
    else:
        mirrors[0].close()
    assert_half(mnist.load_split("test"), "test")
    assert len(mirrors[1].requests) == 2


def test_a_damaged_file_in_the_cache_is_fetched_again(mirrors, cache):
    mnist.load_data()
    file = cache / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:20])
    assert_half(mnist.load_split("train"), "train")
    assert mirrors[0].requests[4:] == [file.name]


def test_only_the_half_that_convlab_data_lacks_is_downloaded(mirrors, cache, tmp_path, monkeypatch):
    write_half(tmp_path / "data", "test")
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path / "data"))
    train, test = mnist.load_data()
    assert_half(train, "train")
    assert_half(test, "test")
    assert sorted(mirrors[0].requests) == sorted(f"{name}.gz" for name in NAMES["train"])


def test_without_a_network_the_error_says_where_it_looked_and_what_is_there(
    mirrors, cache, tmp_path, monkeypatch
):
    for mirror in mirrors:
        mirror.files = {}
    write_half(tmp_path / "data", "test")
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path / "data"))
    rule = (
        r"(?s)MNIST's train files.*404.*\nCONVLAB_DATA='.*data' lacks them too\. "
        r'The test half is there: load_split\("test", \.\.\.\).*put the IDX files into a folder'
    )
    with pytest.raises(OSError, match=rule):
        mnist.load_data()


def test_a_damaged_file_in_convlab_data_is_named_and_not_replaced_by_a_download(
    mirrors, cache, tmp_path, monkeypatch
):
    write_half(tmp_path, "test", pack=lambda content: content[:-1])
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte', which holds only"):
        mnist.load_split("test")
    assert mirrors[0].requests == []


def test_empty_convlab_data_counts_as_none(mirrors, cache, monkeypatch):
    monkeypatch.setenv("CONVLAB_DATA", "")
    assert_half(mnist.load_split("test"), "test")


def test_path_never_downloads(mirrors, cache, tmp_path):
    with pytest.raises(FileNotFoundError, match="are missing"):
        mnist.load_data(tmp_path)
    assert mirrors[0].requests == []


def test_missing_pooch_is_named_with_its_pip_install_and_the_way_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    rule = r"needs pooch.*`pip install pooch`.*put the IDX files into a folder"
    with pytest.raises(ImportError, match=rule):
        mnist.load_data()


def test_a_seed_permutes_the_digits_and_keeps_each_with_its_label():
    (plain, labels), (rest, rest_labels) = datasets.load_digits()
    x = np.concatenate([plain, rest])
    y = np.concatenate([labels, rest_labels])
    (train, train_y), (test, test_y) = datasets.load_digits(held_out=360, seed=3)
    order = np.random.RandomState(3).permutation(1797)
    assert np.array_equal(np.concatenate([train, test]), x[order])
    assert np.array_equal(np.concatenate([train_y, test_y]), y[order])
    assert len(test) == 360


def test_enlarged_digits_repeat_each_pixel():
    (plain, _), _ = datasets.load_digits()
    (large, _), _ = datasets.load_digits(enlarge=4)
    assert large.shape == (1200, 32, 32)
    assert np.array_equal(large[7], np.kron(plain[7], np.ones((4, 4), np.uint8)))


@pytest.mark.parametrize(("name", "value"), [("held_out", 0), ("held_out", 1797), ("enlarge", 0)])
def test_digits_refuse_splits_and_sizes_that_cannot_be(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must .*Received: {name}={value}"):
        datasets.load_digits(**{name: value})


def test_samples_beside_the_module_need_no_scikit_learn(monkeypatch, tmp_path):
    folder = Path(pytest.importorskip("sklearn.datasets").__file__).parent
    expected = every_sample()
    for file in (*folder.glob("images/*.jpg"), folder / "data" / "digits.csv.gz"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("convlab.datasets.samples._OWN_FILES", tmp_path)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    for one, other in zip(expected, every_sample(), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
        assert other.flags.writeable


def every_sample():
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    photos = [datasets.load_photo("flower"), datasets.load_photo(grey=True)]
    return [*photos, x_train, y_train, x_test, y_test]
