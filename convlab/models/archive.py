"""The file of a saved model: a zip of arrays and JSON, written whole or not at all.

The members are stored as they are, uncompressed, so that no file can ask for more memory than
its own size. Arrays are NumPy's ``.npy`` members: ``numpy.load`` reads them too. Nothing in a
file is code, and nothing of it is run.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import secrets
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

__all__ = ["Archive", "check_path", "member_names", "write_archive"]

ENDING = ".npz"
LARGEST_JSON = 2**24  # bytes; a parsed text takes many times as much
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes, whenever it is saved
HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[biuf]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}, ?)*\d{0,18})\), \} *\n"
)


def check_path(filepath: Any) -> Path:
    """The path, where it ends as it must.

    Parameters
    ----------
    filepath : str or path

    Returns
    -------
    Path

    Raises
    ------
    TypeError, ValueError
        For something else than a path, or another ending than ``.npz``.
    """
    if not isinstance(filepath, (str, os.PathLike)) or isinstance(os.fspath(filepath), bytes):
        raise TypeError(
            "`filepath` must be text or a path. "
            f"Received: {filepath!r} of type {type(filepath).__name__}."
        )
    path = Path(filepath)
    if path.suffix != ENDING:
        raise ValueError(
            f'The file of a model ends in "{ENDING}". Received: filepath={os.fspath(filepath)!r}.'
            f"{_way_out(path)}"
        )
    return path


def _way_out(path: Path) -> str:
    if path.suffix in (".keras", ".h5", ".hdf5"):
        return (
            f" {path.suffix} is Keras's own file. Models move by keras.models.model_from_json("
            "model.to_json()), the same the other way round, and weights by get_weights() and "
            "set_weights()."
        )
    return f' Write "{path.name}{ENDING}".'


# ---- writing -------------------------------------------------------------------------------


def member_names(folder: str, keys: Iterable[str]) -> list[str]:
    """A name in the file for each key: its own, as far as a file name may be, and only once.

    Parameters
    ----------
    folder : str
    keys : iterable of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> member_names("weights", ["conv2d/kernel", "conv2d/kernel", "../x y"])
    ['weights/conv2d/kernel.npy', 'weights/conv2d/kernel.2.npy', 'weights/x_y.npy']
    """
    names: list[str] = []
    taken: set[str] = set()
    for key in keys:
        parts = [re.sub(r"[^\w.-]", "_", part).strip(".") for part in key.split("/")]
        stem = "/".join([folder, *(part[:80] for part in parts if part)])
        name, count = f"{stem}.npy", 1
        while name.lower() in taken:  # some disks do not tell capitals from small letters
            count += 1
            name = f"{stem}.{count}.npy"
        taken.add(name.lower())
        names.append(name)
    return names


def write_archive(path: Path, texts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file that is complete, or leave what was there.

    The content goes to a new file in the same folder, which takes the name once it is on the
    disk. An error, whatever it is, removes the new file.

    Parameters
    ----------
    path : Path
    texts : mapping of str to object
        Members that are written as JSON.
    arrays : mapping of str to array

    Raises
    ------
    OSError
        Where the disk or its permissions do not allow it.
    ValueError
        Where something cannot be written as JSON.
    """
    encoded = {name: _encoded(name, value) for name, value in texts.items()}
    target = Path(os.path.realpath(path))  # a link stays, what it points to is replaced
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with open(fresh, "xb") as file:
                _write(file, encoded, arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, target)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _not_saved(path, error) from error
    _sync_folder(target.parent)


def _not_saved(path: Path, error: OSError) -> OSError:
    kept = " The file that was there is unchanged." if path.is_file() else ""
    way_out = " Make the folder first." if isinstance(error, FileNotFoundError) else ""
    reason = error.strerror or str(error)
    told = f"The model was not saved: {reason}.{kept}{way_out}"
    return OSError(error.errno, told, str(path)) if error.errno else OSError(f"{told} {path}")


def _encoded(name: str, value: Any) -> bytes:
    try:
        text = json.dumps(value, indent=1, default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{name} must be JSON, as configs are. Received: {error}. Let get_config return "
            "numbers, text, lists and dicts alone."
        ) from error
    if len(text) > LARGEST_JSON:
        raise ValueError(
            f"{name} may have at most {LARGEST_JSON} bytes. Received: {len(text)} bytes. "
            "Arrays belong into weights, not into configs."
        )
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} of type {type(value).__name__}")


def _write(
    file: io.BufferedWriter, texts: Mapping[str, bytes], arrays: Mapping[str, np.ndarray]
) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, text in texts.items():
            archive.writestr(_member(name, len(text)), text)
        for name, array in arrays.items():
            with archive.open(_member(name, array.nbytes + 128), "w") as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def _member(name: str, size: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3  # the same bytes on every system
    info.external_attr = 0o644 << 16
    info.file_size = size
    return info


def _sync_folder(folder: Path) -> None:
    """Let the new name reach the disk too, where the system can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


# ---- reading -------------------------------------------------------------------------------


class Archive:
    """A file opened for reading. Every member's size is checked against the file's.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        Where it cannot be opened.
    ValueError
        Where it is no such file, or a damaged one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            raise IsADirectoryError(f"A model is saved in a file. Received: a folder, {path}.")
        self._file = open(path, "rb")  # noqa: SIM115 (closed by __exit__)
        try:
            self._zip = self.checked(lambda: zipfile.ZipFile(self._file))
            self._members = self.checked(self._listed)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def checked(self, read: Callable[[], Any]) -> Any:
        """The result of reading, or one clear error that names the file, whatever went wrong."""
        try:
            return read()
        except Exception as error:
            raise ValueError(
                f"The file is no saved model, or is damaged: {self.path}. "
                f"{_sentence(error)} Nothing was loaded."
            ) from error

    def _listed(self) -> dict[str, zipfile.ZipInfo]:
        size = os.fstat(self._file.fileno()).st_size
        members = {}
        for info in self._zip.infolist():
            if info.filename in members:
                _refuse("a member stands in it twice", info.filename)
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                _refuse("a member is compressed or encrypted", info.filename)
            if info.file_size != info.compress_size:
                _refuse("a member's sizes contradict each other", info.filename)
            members[info.filename] = info
        if sum(info.file_size for info in members.values()) > size:
            _refuse("its members are larger than the file", f"{size} bytes")
        return members

    @property
    def names(self) -> set[str]:
        """The members' names."""
        return set(self._members)

    def json(self, name: str) -> Any:
        """What a member says in JSON.

        Parameters
        ----------
        name : str

        Returns
        -------
        object
        """

        def read() -> Any:
            if name not in self._members:
                _refuse("a member is missing", name)
            if self._members[name].file_size > LARGEST_JSON:
                _refuse("a text is too long", name)
            return json.loads(self._zip.read(name))

        return self.checked(read)

    def array(self, name: str) -> np.ndarray:
        """The array in a member.

        Parameters
        ----------
        name : str

        Returns
        -------
        numpy.ndarray
            In the byte order of this machine.
        """

        def read() -> np.ndarray:
            dtype, fortran, shape, start = self._header(name)
            content = self._zip.read(name)  # checks the sum over all bytes
            flat = np.frombuffer(content, dtype, offset=start)
            array = flat.reshape(shape, order="F" if fortran else "C")
            return np.array(array, dtype.newbyteorder("="), order="C")

        return self.checked(read)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the array in a member, without its content.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of int
        """
        return self.checked(lambda: self._header(name)[2])

    def _header(self, name: str) -> tuple[np.dtype, bool, tuple[int, ...], int]:
        """The dtype, order and shape of an array, and where its content begins."""
        if name not in self._members:
            _refuse("a member is missing", name)
        with self._zip.open(name) as member:
            start = member.read(12)
            width = 2 if start[6:7] == b"\x01" else 4
            length = int.from_bytes(start[8 : 8 + width], "little")
            if start[:6] != b"\x93NUMPY" or start[6:8] not in (b"\1\0", b"\2\0") or length > 4096:
                _refuse("a member is no array", name)
            header = start[8 + width :] + member.read(length - (4 - width))
        match = HEADER.fullmatch(header)
        if match is None:
            _refuse("an array's header cannot be read, or it holds no numbers", name)
        dtype = np.dtype(match[1].decode())
        shape = tuple(int(size) for size in match[3].decode().split(",") if size.strip())
        begin = 8 + width + length
        if math.prod(shape) * dtype.itemsize != self._members[name].file_size - begin:
            _refuse("an array's shape does not fit its content", f"{name}, {shape}")
        return dtype, match[2] == b"True", shape, begin


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    text = text if len(text) <= 600 else f"{text[:600]}..."
    return text if text.endswith(".") else f"{text}."


def _refuse(rule: str, received: str) -> NoReturn:
    raise ValueError(f"In it, {rule}: {received}.")
