"""The layers that are timed: what they compute, with whom they are compared, what they must reach.

Two kinds of layers: those of well-known networks, and others that nobody tuned for (odd sizes, odd
channels, one image or many): a library is as fast as the layer that it does not expect.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from convlab.geometry import Geometry

__all__ = ["CASES", "FAMILIES", "Case", "find_cases"]

FAMILIES = ("layers", "photo", "gradients", "pooling")
OPERATIONS = (
    "forward", "input_gradient", "kernel_gradient", "max_pool", "max_pool_gradient",
)  # fmt: skip
# What a layer that no row of the table names must reach, beside PyTorch.
ANY_LAYER = 0.9


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes
    ----------
    name : str
        Layer, and after a stroke what is done with it where that is not its forward pass.
    family : {"layers", "photo", "gradients", "pooling"}
    geometry : Geometry
        Of the layer's forward pass.
    operation : {"forward", "input_gradient", "kernel_gradient", "max_pool", "max_pool_gradient"}
    algorithm : {"auto", "direct", "winograd2", "winograd4"}
    prepared : bool
        Whether the weights are packed or transformed before the time starts.
    must : dict of str to float
        The least ratio (a peer's time over ours) for each peer.
    aim : float or None
        The ratio to hope for, beside PyTorch.
    quick : bool
        Whether a trial of the program itself runs this row.

    Examples
    --------
    >>> case, = find_cases(["56x56x64"])
    >>> case.geometry.output_shape, case.algorithm, case.must["torch"]
    ((4, 56, 56, 64), 'auto', 1.5)
    >>> round(case.intensity)
    141
    """

    name: str
    family: str
    geometry: Geometry
    operation: str
    algorithm: str
    prepared: bool
    must: dict[str, float]
    aim: float | None = None
    quick: bool = False

    @property
    def peers(self) -> tuple[str, ...]:
        """Whom it is compared with."""
        return tuple(self.must)

    @property
    def operations(self) -> int:
        """Floating-point operations of the definition, two for a multiply-add; 0 for a pooling.

        Padding counts, and so do the multiplications that Winograd's algorithm avoids: all
        contestants are measured by the work that was asked for.
        """
        return 0 if self.geometry.pooling else 2 * self.geometry.multiply_adds

    @property
    def bytes(self) -> int:
        """Bytes (float32) of what is read and written, each number once."""
        g = self.geometry
        if g.pooling:
            passes = {"max_pool": (1, 1), "max_pool_gradient": (2, 1)}[self.operation]
            return passes[0] * g.input_bytes() + passes[1] * g.output_bytes()
        return g.input_bytes() + g.output_bytes() + g.parameter_bytes(use_bias=False)

    @property
    def intensity(self) -> float:
        """Operations for each byte."""
        return self.operations / self.bytes

    def shrunk(self) -> Case:
        """The same kind of layer at sizes of a trial.

        Returns
        -------
        Case

        Examples
        --------
        >>> find_cases(["grouped8"])[0].shrunk().geometry.input_shape
        (2, 9, 9, 16)
        """
        return replace(self, geometry=_shrunk(self.geometry))


def _shrunk(g: Geometry) -> Geometry:
    smallest = [max(9, reach) for reach in g.effective_kernel_size]
    size = [min(full, small) for full, small in zip(g.input_size, smallest, strict=True)]
    group_channels, group_filters = min(g.group_channels, 16), min(g.group_filters, 16)
    if g.groups > 1:
        group_channels, group_filters = min(group_channels, 2), min(group_filters, 2)
    groups = min(g.groups, 8)
    return replace(
        g, batch=min(g.batch, 2), height=size[0], width=size[1], groups=groups,
        channels=groups * group_channels, filters=groups * group_filters,
    )  # fmt: skip


def _layer(
    shape: tuple[int, int, int, int], filters: int, kernel_size: int, *, strides: int = 1,
    padding: str = "same", dilation_rate: int = 1, groups: int = 1,
) -> Geometry:  # fmt: skip
    kernel = (kernel_size, kernel_size, shape[3] // groups, filters)
    return Geometry.conv2d(
        shape, kernel, strides=strides, padding=padding, dilation_rate=dilation_rate, groups=groups
    )


ARTICLE = {
    "article1": _layer((128, 28, 28, 1), 32, 5, padding="valid"),
    "article2": _layer((128, 12, 12, 32), 64, 5, padding="valid"),
}
STEM = {"stem": _layer((4, 224, 224, 3), 64, 7, strides=2)}
WIDE = {
    "56x56x64": _layer((4, 56, 56, 64), 64, 3),
    "28x28x128": _layer((4, 28, 28, 128), 128, 3),
    "14x14x256": _layer((4, 14, 14, 256), 256, 3),
    "224x224x64": _layer((1, 224, 224, 64), 64, 3),
}
LAST = {"7x7x512": _layer((4, 7, 7, 512), 512, 3)}
OTHERS = {
    "1x1up": _layer((4, 56, 56, 64), 256, 1),
    "1x1down": _layer((4, 56, 56, 256), 64, 1),
    "stride2": _layer((4, 56, 56, 128), 128, 3, strides=2),
    "dilated2": _layer((4, 28, 28, 256), 256, 3, dilation_rate=2),
}
SPLIT = {
    "grouped8": _layer((4, 28, 28, 128), 128, 3, groups=8),
    "depthwise": _layer((4, 56, 56, 128), 128, 3, groups=128),
}
# Nobody's table: sizes and channels that fit neither tiles nor vectors.
OUTSIDE = {
    "29x43x44": _layer((4, 29, 43, 44), 60, 3),
    "31x31x40s2": _layer((4, 31, 31, 40), 72, 5, strides=2),
    "12x12x320": _layer((1, 12, 12, 320), 192, 3),
    "groups3": _layer((4, 24, 24, 60), 90, 3, groups=3),
    "dilated4": _layer((4, 33, 33, 64), 64, 3, dilation_rate=4),
    "rgb": _layer((8, 64, 64, 3), 32, 3),
    "rgb-one": _layer((1, 224, 224, 3), 32, 3, strides=2),
    "one-image": _layer((1, 28, 28, 128), 128, 3),
    "many-images": _layer((64, 14, 14, 96), 96, 3),
}
PHOTO = {
    "photo5x5": (_layer((1, 1080, 1920, 3), 3, 5, groups=3), 2.5, 4.0),
    "photo7x7": (_layer((1, 512, 512, 1), 1, 7), 5.0, 7.0),
}
POOLS = {
    "pool24x24x32": (Geometry.pool2d((128, 24, 24, 32), 2), 1.0, 2.0),
    "pool8x8x64": (Geometry.pool2d((128, 8, 8, 64), 2), 1.0, 2.0),
    "pool112x112x64": (Geometry.pool2d((4, 112, 112, 64), 2), 1.0, 2.0),
    "pool3x3s2": (Geometry.pool2d((4, 113, 113, 64), 3, strides=2), ANY_LAYER, None),
}
QUICK = {
    "article1", "56x56x64", "56x56x64/winograd4", "7x7x512/prepared", "1x1up", "depthwise",
    "photo5x5", "56x56x64/input_gradient", "56x56x64/kernel_gradient", "pool24x24x32",
    "pool24x24x32/max_pool_gradient",
}  # fmt: skip


def _case(
    name: str, family: str, geometry: Geometry, must: float, aim: float | None = None,
    peers: Sequence[str] = (), **options: object,
) -> Case:  # fmt: skip
    operation = str(options.get("operation", "max_pool" if geometry.pooling else "forward"))
    algorithm, prepared = str(options.get("algorithm", "auto")), bool(options.get("prepared"))
    marks = [operation.removeprefix("forward"), algorithm.removeprefix("auto")]
    marks = [mark for mark in marks if mark and mark != "max_pool"]
    full = "/".join([name, *marks, *["prepared"] * prepared])
    needs = {"torch": must, **{peer: 3.0 if peer.startswith("scipy") else 1.0 for peer in peers}}
    return Case(full, family, geometry, operation, algorithm, prepared, needs, aim, full in QUICK)


def _layer_cases() -> list[Case]:
    family = "layers"
    rows = [
        _case("article1", family, ARTICLE["article1"], 1.3, 2.0),
        _case("article2", family, ARTICLE["article2"], 1.0, 1.2),
        *(_case(name, family, layer, 1.5, 2.0) for name, layer in WIDE.items()),
        *(
            _case(name, family, WIDE[name], 2.0, 3.0, algorithm="winograd4")
            for name in ("56x56x64", "28x28x128", "224x224x64")
        ),
        _case("56x56x64", family, WIDE["56x56x64"], ANY_LAYER, algorithm="direct"),
        _case("7x7x512", family, LAST["7x7x512"], 1.0),
        _case("7x7x512", family, LAST["7x7x512"], 1.0, 1.4, prepared=True),
    ]
    rows += [_case(name, family, layer, 1.0, 1.1) for name, layer in {**STEM, **OTHERS}.items()]
    rows += [_case(name, family, layer, 1.0, 1.3) for name, layer in SPLIT.items()]
    return rows + [_case(name, family, layer, ANY_LAYER) for name, layer in OUTSIDE.items()]


def _photo_cases() -> list[Case]:
    peers = ("scipy.ndimage", "scipy.signal", "opencv")
    return [_case(name, "photo", *row, peers) for name, row in PHOTO.items()]


def _gradient_cases() -> list[Case]:
    known = {**ARTICLE, **WIDE, **LAST, **STEM}
    rows = []
    for name, layer in {**known, **OTHERS, **SPLIT, **OUTSIDE}.items():
        must, aim = (1.2, 1.7) if name in WIDE else (0.95, 1.1)
        known_aim = (must, aim) if name in {**ARTICLE, **WIDE, **STEM} else (ANY_LAYER, None)
        rows.append(_case(name, "gradients", layer, *known_aim, operation="input_gradient"))
        listed = name not in OUTSIDE
        known_aim = (1.1, 1.5) if listed else (ANY_LAYER, None)
        rows.append(_case(name, "gradients", layer, *known_aim, operation="kernel_gradient"))
    return sorted(rows, key=lambda row: OPERATIONS.index(row.operation))


def _pool_cases() -> list[Case]:
    return [
        _case(name, "pooling", *row, operation=operation)
        for operation in OPERATIONS[3:]
        for name, row in POOLS.items()
    ]


CASES = (*_layer_cases(), *_photo_cases(), *_gradient_cases(), *_pool_cases())


def find_cases(
    only: Sequence[str] = (), families: Sequence[str] = FAMILIES, *, quick: bool = False
) -> list[Case]:
    """The cases of some names or of some families, in the table's order.

    Parameters
    ----------
    only : sequence of str
        Names, or patterns with ``*``; all of the families where empty.
    families : sequence of str
        Of `FAMILIES`.
    quick : bool, default False
        Those of a trial where no name is given, and all at small sizes.

    Returns
    -------
    list of Case

    Raises
    ------
    ValueError
        For a name that is no case's.

    Examples
    --------
    >>> [case.name for case in find_cases(["56x56x64*"], ["layers"])]
    ['56x56x64', '56x56x64/winograd4', '56x56x64/direct']
    """
    cases = [case for case in CASES if case.family in families]
    for pattern in only:
        if not any(fnmatch.fnmatchcase(case.name, pattern) for case in cases):
            raise ValueError(
                "`only` must hold names of cases, or patterns such as 'article*'. "
                f"Received: {pattern!r}. The names are {', '.join(case.name for case in cases)}."
            )
    if only:
        cases = [c for c in cases if any(fnmatch.fnmatchcase(c.name, name) for name in only)]
    elif quick:
        cases = [case for case in cases if case.quick]
    return [case.shrunk() for case in cases] if quick else cases


def terms(case: Case) -> int:
    """Products in one sum of the operation."""
    g = case.geometry
    taps = math.prod(g.kernel_size)
    return {
        "forward": taps * g.group_channels,
        "input_gradient": taps * g.group_filters,
        "kernel_gradient": g.batch * math.prod(g.output_size),
    }.get(case.operation, 1)
