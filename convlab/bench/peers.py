"""The same work in other libraries: each is imported when it is wanted, and missing is no error.

Every peer gets its data in the form that it likes best, before the time starts: PyTorch in both
of its memory formats, of which the faster one counts. What belongs to the work is inside: padding
that the library's own argument cannot express, and channels that it has to take one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from convlab.bench.cases import Case

__all__ = ["Contender", "Data", "contenders", "make_data", "our_contender"]

INSTALL = 'Install it with pip install "convlab[bench]".'


@dataclass(frozen=True)
class Data:
    """What goes into a case: images, weights, and the gradient at the output."""

    x: np.ndarray
    kernel: np.ndarray
    output_gradient: np.ndarray

    def astype(self, dtype: Any) -> Data:
        """The same numbers in another dtype."""
        return Data(*(array.astype(dtype) for array in (self.x, self.kernel, self.output_gradient)))


@dataclass(frozen=True)
class Contender:
    """Who does the work, and how.

    Attributes
    ----------
    label : str
        For the table, such as ``"torch channels_last"``.
    peer : str
        The library, such as ``"torch"``; several contenders may be one peer.
    run : callable
        One call of it, which is timed.
    read : callable
        Makes of its result an array in convlab's layout; not timed.
    """

    label: str
    peer: str
    run: Callable[[], Any]
    read: Callable[[Any], np.ndarray] = np.asarray


def make_data(case: Case) -> Data:
    """Normally distributed numbers for a case, always the same ones.

    A photo is uniform noise from 0 to 1, and one filter for all its channels: what photo libraries
    take. So every peer computes the same.

    Parameters
    ----------
    case : Case

    Returns
    -------
    Data
        float32.
    """
    rng, g = np.random.default_rng(0), case.geometry
    kernel = rng.standard_normal(g.kernel_shape, np.float32)
    x = rng.standard_normal(g.input_shape, np.float32)
    if case.family == "photo":
        kernel = np.repeat(kernel[..., :1], g.filters, axis=-1)
        x = rng.random(g.input_shape, np.float32)
    return Data(x, kernel, rng.standard_normal(g.output_shape, np.float32))


def our_contender(
    case: Case, data: Data, *, implementation: str = "parallel", label: str = "convlab"
) -> Contender:
    """The call of convlab that a case stands for.

    Parameters
    ----------
    case : Case
    data : Data
    implementation : str, default "parallel"
        Algorithm and preparation are those of the case only there; elsewhere there is one way.
    label : str, default "convlab"

    Returns
    -------
    Contender
    """
    import convlab

    g, x, kernel, slope = case.geometry, data.x, data.kernel, data.output_gradient
    how: dict[str, Any] = {"strides": g.strides, "padding": g.padding}
    if not g.pooling:
        how |= {"dilation_rate": g.dilation_rate, "groups": g.groups}
    how["implementation"] = implementation
    weights: Any = kernel
    if implementation == "parallel" and case.operation in ("forward", "input_gradient"):
        how["algorithm"] = case.algorithm
        if case.prepared:
            weights = convlab.prepare(kernel, g, algorithm=case.algorithm)
    calls: dict[str, Callable[[], Any]] = {
        "forward": lambda: convlab.conv2d(x, weights, **how),
        "input_gradient": lambda: convlab.conv2d_input_gradient(slope, kernel, x.shape, **how),
        "kernel_gradient": lambda: convlab.conv2d_kernel_gradient(x, slope, kernel.shape, **how),
        "max_pool": lambda: convlab.max_pool2d(x, g.kernel_size, **how),
        "max_pool_gradient": lambda: convlab.max_pool2d_gradient(x, slope, g.kernel_size, **how),
    }
    return Contender(label, label, calls[case.operation])


def contenders(
    case: Case, data: Data, peers: Sequence[str] | None = None
) -> tuple[list[Contender], dict[str, str]]:
    """The peers of a case that are installed, and why the others are not there.

    Parameters
    ----------
    case : Case
    data : Data
    peers : sequence of str, optional
        Whom to ask; those of the case where None.

    Returns
    -------
    (list of Contender, dict of str to str)
        Reasons by peer.

    Raises
    ------
    ValueError
        For an unknown peer.
    """
    found: list[Contender] = []
    missing: dict[str, str] = {}
    for peer in case.peers if peers is None else peers:
        if peer not in PEERS:
            raise ValueError(f"`peers` must be among {list(PEERS)}. Received: {peer!r}.")
        module, make = PEERS[peer]
        try:
            library = import_module(module)
        except ImportError as error:
            missing[peer] = f"{peer} is not installed ({error}). {INSTALL}"
        else:
            found += make(library, case, data)
    return found, missing


# PyTorch -----------------------------------------------------------------------------------------


def _torch(torch: Any, case: Case, data: Data) -> list[Contender]:
    formats = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
    found = []
    for name, order in formats.items():
        run = _TorchCase(torch, case, data, order).call()
        read = _from_weight if case.operation == "kernel_gradient" else _from_image
        found.append(Contender(f"torch {name}", "torch", run, read))
    return found


def _from_image(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.permute(0, 2, 3, 1).contiguous().numpy())


def _from_weight(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.permute(2, 3, 1, 0).contiguous().numpy())


class _TorchCase:
    """A case's data as tensors of one memory format, and the call that a case stands for."""

    def __init__(self, torch: Any, case: Case, data: Data, order: Any) -> None:
        self.torch, self.case, self.geometry = torch, case, case.geometry
        self.functional = torch.nn.functional
        self.image, self.slope = (
            torch.from_numpy(array).permute(0, 3, 1, 2).contiguous(memory_format=order)
            for array in (data.x, data.output_gradient)
        )
        weight = np.ascontiguousarray(data.kernel.transpose(3, 2, 0, 1))
        self.weight = torch.from_numpy(weight).contiguous(memory_format=order)
        top, bottom, left, right = self.geometry.pads
        self.even = (top, left) == (bottom, right)
        self.padding = [top, left] if self.even else [0, 0]

    def call(self) -> Callable[[], Any]:
        """The call, without a record for automatic differentiation."""
        run = getattr(self, f"_{self.case.operation}")()
        inference_mode = self.torch.inference_mode

        def quiet() -> Any:
            with inference_mode():
                return run()

        return quiet

    def _padded(self, image: Any) -> Any:
        """The image; with its own border where PyTorch's argument, the same on all sides, fails."""
        top, bottom, left, right = self.geometry.pads
        return image if self.even else self.functional.pad(image, (left, right, top, bottom))

    def _forward(self) -> Callable[[], Any]:
        g = self.geometry
        how = {"padding": self.padding, "stride": g.strides, "dilation": g.dilation_rate}
        return lambda: self.functional.conv2d(
            self._padded(self.image), self.weight, None, groups=g.groups, **how
        )

    def _backward(self, image: Any, which: int) -> Any:
        g, mask = self.geometry, [which == place for place in range(3)]
        return self.torch.ops.aten.convolution_backward(
            self.slope, image, self.weight, None, g.strides, self.padding, g.dilation_rate,
            False, [0, 0], g.groups, mask,
        )[which]  # fmt: skip

    def _input_gradient(self) -> Callable[[], Any]:
        padded, (top, _, left, _) = self._padded(self.image), self.geometry.pads
        rows, columns = slice(top, top + self.geometry.height), slice(left, None)
        columns = slice(left, left + self.geometry.width)
        if self.even:
            return lambda: self._backward(padded, 0)
        return lambda: self._backward(padded, 0)[:, :, rows, columns]

    def _kernel_gradient(self) -> Callable[[], Any]:
        return lambda: self._backward(self._padded(self.image), 1)

    def _max_pool(self) -> Callable[[], Any]:
        size, strides = self.geometry.kernel_size, self.geometry.strides
        return lambda: self.functional.max_pool2d(self.image, size, strides)

    def _max_pool_gradient(self) -> Callable[[], Any]:
        """Who won is known from the forward pass; convlab looks again, inside its time."""
        size, strides = self.geometry.kernel_size, self.geometry.strides
        _, winners = self.functional.max_pool2d(self.image, size, strides, return_indices=True)
        backward = self.torch.ops.aten.max_pool2d_with_indices_backward
        return lambda: backward(
            self.slope, self.image, size, strides, [0, 0], [1, 1], False, winners
        )


# Libraries for photos: one image, one filter for all channels, stride 1 --------------------------


def _photo(case: Case, data: Data) -> tuple[np.ndarray, np.ndarray, Callable[[Any], np.ndarray]]:
    shape = case.geometry.output_shape
    return data.x[0], data.kernel[:, :, 0, 0], lambda result: np.asarray(result).reshape(shape)


def _ndimage(ndimage: Any, case: Case, data: Data) -> list[Contender]:
    photo, kernel, read = _photo(case, data)
    window = np.ascontiguousarray(kernel[:, :, np.newaxis])
    run = lambda: ndimage.correlate(photo, window, mode="constant")  # noqa: E731
    return [Contender("scipy.ndimage", "scipy.ndimage", run, read)]


def _signal(signal: Any, case: Case, data: Data) -> list[Contender]:
    photo, kernel, read = _photo(case, data)
    planes = [np.ascontiguousarray(photo[:, :, channel]) for channel in range(photo.shape[2])]

    def run() -> np.ndarray:
        maps = [signal.correlate2d(plane, kernel, mode="same") for plane in planes]
        return np.stack(maps, axis=-1)

    return [Contender("scipy.signal", "scipy.signal", run, read)]


def _opencv(cv2: Any, case: Case, data: Data) -> list[Contender]:
    photo, kernel, read = _photo(case, data)
    kernel = np.ascontiguousarray(kernel)
    run = lambda: cv2.filter2D(photo, -1, kernel, borderType=cv2.BORDER_CONSTANT)  # noqa: E731
    return [Contender("opencv", "opencv", run, read)]


# The module to import, and the contenders that it gives.
PEERS: dict[str, tuple[str, Callable[[Any, Case, Data], list[Contender]]]] = {
    "torch": ("torch", _torch),
    "scipy.ndimage": ("scipy.ndimage", _ndimage),
    "scipy.signal": ("scipy.signal", _signal),
    "opencv": ("cv2", _opencv),
}
