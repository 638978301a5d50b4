"""Sizes only, no arrays: everything that follows from shapes and arguments.

A 2-D window sweep (a convolution or a pooling) is described once, by a `Geometry`.
The functions, the kernels, the figures, the exercises and the command line all ask it;
none of them computes a size of its own.

The formulas are Keras's. Along one axis, with input size n, kernel size k, stride s and
dilation rate d:

- effective kernel size: ``e = (k - 1) * d + 1``
- ``"valid"``: ``floor((n - e) / s) + 1`` outputs, no padding
- ``"same"``: ``ceil(n / s)`` outputs; the padding that they need is split in two,
  and an odd pixel goes to the end (bottom or right)
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

__all__ = [
    "Geometry",
    "ReceptiveField",
    "effective_kernel_size",
    "output_size",
    "receptive_field",
    "same_padding",
]

Pair = tuple[int, int]
PADDINGS = ("valid", "same")
DATA_FORMATS = ("channels_last", "channels_first")


def effective_kernel_size(kernel_size: int, dilation_rate: int = 1) -> int:
    """Pixels from the first to the last tap of a kernel, along one axis.

    Parameters
    ----------
    kernel_size : int
        Taps along the axis, at least 1.
    dilation_rate : int, default 1
        Distance between neighbouring taps, in pixels.

    Returns
    -------
    int
        ``(kernel_size - 1) * dilation_rate + 1``, in pixels.

    Examples
    --------
    >>> effective_kernel_size(3, dilation_rate=2)
    5
    """
    return _reach(as_size("kernel_size", kernel_size), as_size("dilation_rate", dilation_rate))


def _reach(kernel_size: int, dilation_rate: int) -> int:
    return (kernel_size - 1) * dilation_rate + 1


def output_size(
    size: int | None,
    kernel_size: int,
    stride: int = 1,
    padding: str = "valid",
    dilation_rate: int = 1,
) -> int | None:
    """Windows that fit along one axis.

    Parameters
    ----------
    size : int or None
        Input pixels along the axis; None (unknown) stays None.
    kernel_size, stride, dilation_rate : int
        At least 1 each.
    padding : {"valid", "same"}
        ``"valid"`` never leaves the input; ``"same"`` pads with zeros.

    Returns
    -------
    int or None
        ``floor((size - effective) / stride) + 1`` for ``"valid"`` (zero or less where the
        kernel does not fit), ``ceil(size / stride)`` for ``"same"``.

    References
    ----------
    Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, gives the
    ``"valid"`` formula, without dilation, as relationship 5.

    Examples
    --------
    Ten pixels, three taps, steps of two: 4.5 is not a count, so it is floored.

    >>> output_size(10, 3, stride=2)
    4
    >>> output_size(10, 3, stride=2, padding="same")
    5
    """
    reach = effective_kernel_size(kernel_size, dilation_rate)
    stride, padding = as_size("stride", stride), as_padding(padding)
    return None if size is None else _windows(as_size("size", size, 0), reach, stride, padding)


def _windows(size: int, reach: int, stride: int, padding: str) -> int:
    return -(-size // stride) if padding == "same" else (size - reach) // stride + 1


def same_padding(size: int, kernel_size: int, stride: int = 1, dilation_rate: int = 1) -> Pair:
    """Zeros that ``padding="same"`` puts before and after one axis.

    Parameters
    ----------
    size, kernel_size, stride, dilation_rate : int
        As in `output_size`.

    Returns
    -------
    (int, int)
        Pixels before (top or left) and after (bottom or right). The odd pixel goes after:
        ``12345 -> 123450`` for two taps.

    Examples
    --------
    >>> same_padding(5, 2)
    (0, 1)
    >>> same_padding(224, 7, stride=2)
    (2, 3)
    """
    reach = effective_kernel_size(kernel_size, dilation_rate)
    return _same_pads(as_size("size", size, 0), reach, as_size("stride", stride))


def _same_pads(size: int, reach: int, stride: int) -> Pair:
    windows = _windows(size, reach, stride, "same")
    total = max((windows - 1) * stride + reach - size, 0) if windows else 0
    return total // 2, total - total // 2


def as_size(name: str, value: object, least: int = 1) -> int:
    """One whole number, or a clear error: ValueError for a wrong value, TypeError for text."""
    rule = f"`{name}` must be a whole number, at least {least}."
    if isinstance(value, (str, bytes)) or value is None:
        raise TypeError(f"{rule} Received: {name}={value!r}.")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{rule} Received: {name}={value!r}.") from None
    if number < least:
        raise ValueError(f"{rule} Received: {name}={value!r}.")
    return number


def as_pair(name: str, value: object) -> Pair:
    """(height, width) from one whole number or a pair of them, all at least 1."""
    rule = f"The `{name}` argument must be a tuple of 2 integers (height, width), or one for both."
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        elements = _elements(name, value, rule)
    else:
        elements = (number, number)
    if any(element <= 0 for element in elements):
        wrong = sorted({element for element in elements if element <= 0})
        raise ValueError(
            f"{rule} Received: {name}={value!r}, including {wrong} that do not satisfy `value > 0`."
        )
    return elements


def _elements(name: str, value: object, rule: str) -> Pair:
    try:
        elements: tuple[object, ...] = tuple(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{rule} Received: {name}={value!r}.") from None
    if len(elements) != 2:
        raise ValueError(f"{rule} Received: {name}={value!r}.")
    if isinstance(value, bytes) or any(isinstance(element, str) for element in elements):
        raise TypeError(f"{rule} Received: {name}={value!r}, which holds text.")
    try:
        height, width = (operator.index(element) for element in elements)  # type: ignore[arg-type]
        return height, width
    except TypeError:
        raise ValueError(f"{rule} Received: {name}={value!r}.") from None


def as_padding(value: object) -> str:
    """Return "valid" or "same" for either word in any case of letters, or raise."""
    rule = '`padding` must be either "valid" or "same".'
    if isinstance(value, str) and value.lower() in PADDINGS:
        return value.lower()
    way_out = ""
    if isinstance(value, (int, tuple, list)):
        way_out = ' For other amounts, pad the array with np.pad and use padding="valid".'
    elif isinstance(value, str) and value.lower() == "full":
        way_out = ' For "full", pad with np.pad by the kernel size less one and use "valid".'
    error = ValueError if isinstance(value, (str, tuple, list)) else TypeError
    raise error(f"{rule} Received: padding={value!r}.{way_out}")


def as_data_format(value: object) -> str:
    """Return "channels_last" (also for None) or "channels_first", in any case, or raise."""
    if value is None:
        return "channels_last"
    if isinstance(value, str) and value.lower() in DATA_FORMATS:
        return value.lower()
    other = {"nhwc": "channels_last", "nchw": "channels_first"}.get(str(value).lower())
    way_out = f' Did you mean "{other}"?' if other else ""
    raise ValueError(
        '`data_format` must be either "channels_last" or "channels_first". '
        f"Received: data_format={value!r}.{way_out}"
    )


def check_strides_with_dilation(strides: Pair, dilation_rate: Pair) -> None:
    """Raise where a layer would have to step and spread at once; the functions may do both."""
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={strides} and dilation_rate={dilation_rate}. "
            "The function conv2d takes both; or set one of them to 1."
        )


@dataclass(frozen=True)
class Geometry:
    """One 2-D window sweep, known from shapes and arguments alone.

    Make it with `Geometry.conv2d` or `Geometry.pool2d`, which check everything. Every size
    is in pixels unless it says otherwise; pairs are (height, width).

    Attributes
    ----------
    batch, height, width, channels : int
        The input. ``channels`` counts input channels.
    filters : int
        Output channels.
    kernel_size, strides, dilation_rate : (int, int)
        Window, step and distance between taps.
    padding : {"valid", "same"}
    groups : int
        Independent blocks of channels.
    data_format : {"channels_last", "channels_first"}
        The order of axes of `input_shape` and `output_shape`.

    Examples
    --------
    >>> g = Geometry.conv2d((1, 28, 28, 1), (3, 3, 1, 32), strides=2, padding="same")
    >>> g.output_shape
    (1, 14, 14, 32)
    >>> g.pads                      # top, bottom, left, right
    (0, 1, 0, 1)
    >>> g.parameters(), g.multiply_adds
    (320, 56448)
    """

    batch: int
    height: int
    width: int
    channels: int
    filters: int
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: str = "valid"
    dilation_rate: Pair = (1, 1)
    groups: int = 1
    data_format: str = "channels_last"
    pooling: bool = False
    _output_size: Pair = field(init=False, repr=False, compare=False)
    _output_shape: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _multiply_adds: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count once what every call asks for several times.

        `functools.cached_property` would hold a lock meanwhile, in Python 3.11; and in a child
        that another thread forks just then, nobody would open it again.
        """
        (rows, columns), (down, right) = self.effective_kernel_size, self.strides
        size = (
            _windows(self.height, rows, down, self.padding),
            _windows(self.width, columns, right, self.padding),
        )
        shape = self._shape(*size, self.filters)
        taps = math.prod(self.kernel_shape[:3])
        object.__setattr__(self, "_output_size", size)
        object.__setattr__(self, "_output_shape", shape)
        object.__setattr__(self, "_multiply_adds", math.prod(shape) * taps)

    @classmethod
    def conv2d(
        cls,
        input_shape: Sequence[int],
        kernel_shape: Sequence[int],
        *,
        strides: object = 1,
        padding: object = "valid",
        data_format: object = None,
        dilation_rate: object = 1,
        groups: object = 1,
    ) -> Geometry:
        """Describe the sweep of a convolution.

        Parameters
        ----------
        input_shape : sequence of 4 int
            ``(batch, height, width, channels)``, or ``(batch, channels, height, width)`` with
            ``data_format="channels_first"``. Batch, height and width may be 0.
        kernel_shape : sequence of 4 int
            ``(kernel_height, kernel_width, channels // groups, filters)``, for both formats.
        strides, dilation_rate : int or (int, int), default 1
        padding : {"valid", "same"}, default "valid"
        data_format : {"channels_last", "channels_first"}, optional
        groups : int, default 1
            Must divide the input channels and the filters.

        Raises
        ------
        ValueError, TypeError
            With the rule, what was received, and the way out where it is known.

        Examples
        --------
        >>> Geometry.conv2d((1, 5, 5, 4), (3, 3, 2, 6), groups=2).output_shape
        (1, 3, 3, 6)
        """
        data_format = as_data_format(data_format)
        input_shape, kernel_shape = _kept(input_shape), _kept(kernel_shape)
        batch, height, width, channels = _input_axes(input_shape, data_format)
        kernel_height, kernel_width, group_channels, filters = _kernel_axes(kernel_shape)
        groups = as_size("groups", groups)
        _check_channels(input_shape, kernel_shape, channels, group_channels, filters, groups)
        geometry = cls(
            batch, height, width, channels, filters, (kernel_height, kernel_width),
            as_pair("strides", strides), as_padding(padding),
            as_pair("dilation_rate", dilation_rate), groups, data_format,
        )  # fmt: skip
        geometry._check_fit()
        return geometry

    @classmethod
    def pool2d(
        cls,
        input_shape: Sequence[int],
        pool_size: object = 2,
        *,
        strides: object = None,
        padding: object = "valid",
        data_format: object = None,
    ) -> Geometry:
        """Describe the sweep of a pooling: one window per channel.

        Parameters
        ----------
        input_shape : sequence of 4 int
            As in `Geometry.conv2d`.
        pool_size : int or (int, int), default 2
        strides : int or (int, int), optional
            ``pool_size`` where None.
        padding, data_format
            As in `Geometry.conv2d`.

        Examples
        --------
        >>> Geometry.pool2d((1, 5, 5, 3)).output_shape
        (1, 2, 2, 3)
        """
        data_format = as_data_format(data_format)
        batch, height, width, channels = _input_axes(input_shape, data_format)
        pool = as_pair("pool_size", pool_size)
        geometry = cls(
            batch, height, width, channels, channels, pool,
            pool if strides is None else as_pair("strides", strides),
            as_padding(padding), groups=channels, data_format=data_format, pooling=True,
        )  # fmt: skip
        geometry._check_fit()
        return geometry

    def _check_fit(self) -> None:
        if self.padding == "same" or min(self.output_size) > 0:
            return
        kernel = (
            f"pool_size={self.kernel_size}" if self.pooling else f"kernel shape={self.kernel_shape}"
        )
        raise ValueError(
            "Computed output size would be zero or negative: the window is larger than the "
            f"input. Received: input shape={self.input_shape}, {kernel}, "
            f"dilation_rate={self.dilation_rate} (effective kernel size "
            f"{self.effective_kernel_size}), strides={self.strides}, padding={self.padding!r}. "
            'Use a smaller window, a larger image, or padding="same".'
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, in `data_format`."""
        return self._shape(self.height, self.width, self.channels)

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """``(kernel_height, kernel_width, channels // groups, filters)``."""
        return (*self.kernel_size, self.group_channels, self.filters)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output, in `data_format`."""
        return self._output_shape

    def _shape(self, height: int, width: int, channels: int) -> tuple[int, ...]:
        if self.data_format == "channels_last":
            return (self.batch, height, width, channels)
        return (self.batch, channels, height, width)

    @property
    def group_channels(self) -> int:
        """Input channels that one filter sees."""
        return self.channels // self.groups if self.groups else 0

    @property
    def group_filters(self) -> int:
        """Filters of one group."""
        return self.filters // self.groups if self.groups else 0

    @property
    def effective_kernel_size(self) -> Pair:
        """Height and width of the window with its gaps, in pixels."""
        (kh, kw), (dh, dw) = self.kernel_size, self.dilation_rate
        return _reach(kh, dh), _reach(kw, dw)

    @property
    def input_size(self) -> Pair:
        """Height and width of the input."""
        return self.height, self.width

    @property
    def output_size(self) -> Pair:
        """Height and width of the output."""
        return self._output_size

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """Zeros around the input, as (top, bottom, left, right)."""
        if self.padding == "valid":
            return 0, 0, 0, 0
        (height, width), (down, right) = self.input_size, self.strides
        rows, columns = self.effective_kernel_size
        return (*_same_pads(height, rows, down), *_same_pads(width, columns, right))

    @property
    def row_reads(self) -> tuple[int, ...]:
        """How often each input row is read, by all windows of one column of the output.

        A pixel at (row, column) is read ``row_reads[row] * column_reads[column]`` times.

        Examples
        --------
        >>> Geometry.conv2d((1, 10, 3, 1), (3, 3, 1, 1), strides=2).row_reads
        (1, 1, 2, 1, 2, 1, 2, 1, 1, 0)
        """
        return self._reads(0)

    @property
    def column_reads(self) -> tuple[int, ...]:
        """How often each input column is read, by all windows of one row of the output."""
        return self._reads(1)

    def _reads(self, axis: int) -> tuple[int, ...]:
        # A tap visits every stride-th pixel from `first` up to `end`: mark where its visits begin
        # and end, then add up along the stride. Time grows with size + kernel, not their product.
        size, stride = self.input_size[axis], self.strides[axis]
        visits, before = self.output_size[axis], self.pads[2 * axis]
        counts = [0] * size
        for tap in range(self.kernel_size[axis]):
            first = tap * self.dilation_rate[axis] - before
            end = first + visits * stride
            first = first if first >= 0 else first % stride
            if first < min(end, size):
                counts[first] += 1
                if end < size:
                    counts[end] -= 1
        for pixel in range(stride, size):
            counts[pixel] += counts[pixel - stride]
        return tuple(counts)

    @property
    def unread_rows(self) -> tuple[int, ...]:
        """Input rows that no window reads; the stride, the dilation or the end skips them."""
        return tuple(row for row, count in enumerate(self.row_reads) if count == 0)

    @property
    def unread_columns(self) -> tuple[int, ...]:
        """Input columns that no window reads.

        Examples
        --------
        >>> Geometry.conv2d((1, 3, 10, 1), (3, 2, 1, 1), strides=(1, 3)).unread_columns
        (2, 5, 8, 9)
        """
        return tuple(column for column, count in enumerate(self.column_reads) if count == 0)

    @property
    def unread_pixels(self) -> int:
        """Input pixels (of one image) that no window reads."""
        rows = self.height - len(self.unread_rows)
        columns = self.width - len(self.unread_columns)
        return self.height * self.width - rows * columns

    def window(self, row: int, column: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Input rows and columns under the window of one output cell.

        Numbers below 0, or at and above the input's size, lie in the padding. A cell past the
        output's edge has the window that did not fit.

        Examples
        --------
        >>> g = Geometry.conv2d((1, 5, 5, 1), (3, 3, 1, 1), padding="same")
        >>> g.window(0, 4)
        ((-1, 0, 1), (3, 4, 5))
        """
        places = []
        for axis, cell in enumerate((row, column)):
            first = cell * self.strides[axis] - self.pads[2 * axis]
            rate, taps = self.dilation_rate[axis], range(self.kernel_size[axis])
            places.append(tuple(first + tap * rate for tap in taps))
        return places[0], places[1]

    def overlap(self, axis: int, tap: int, cells: slice) -> tuple[slice, slice]:
        """Output cells whose tap lies on the image, and the input pixels under it.

        Parameters
        ----------
        axis : {0, 1}
            Rows or columns.
        tap : int
            Row (or column) of the kernel.
        cells : slice
            The output rows (or columns) in question, with start and stop.

        Returns
        -------
        (slice, slice)
            Cells, counted from ``cells.start``, and their pixels; both empty where the tap
            meets nothing but padding.

        Examples
        --------
        >>> g = Geometry.conv2d((1, 5, 5, 1), (3, 3, 1, 1), padding="same")
        >>> g.overlap(0, 0, slice(0, 5))        # the kernel's first row starts above the image
        (slice(1, 5, None), slice(0, 4, 1))
        """
        offset, stride = tap * self.dilation_rate[axis] - self.pads[2 * axis], self.strides[axis]
        first = max(cells.start, -(offset // stride))
        last = min(cells.stop, (self.input_size[axis] - 1 - offset) // stride + 1)
        if last <= first:
            return slice(0, 0), slice(0, 0)
        pixels = slice(first * stride + offset, (last - 1) * stride + offset + 1, stride)
        return slice(first - cells.start, last - cells.start), pixels

    def parameters(self, use_bias: bool = True) -> int:
        """Numbers to learn: the kernel, and one bias for each filter. A pooling has none."""
        if self.pooling:
            return 0
        return math.prod(self.kernel_shape) + (self.filters if use_bias else 0)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the whole sweep, over the whole batch, padding counted.

        A pooling multiplies nothing; its count is of the window cells that it looks at.
        """
        return self._multiply_adds

    def input_bytes(self, itemsize: int = 4) -> int:
        """Bytes of the input, at ``itemsize`` bytes a number (float32: 4)."""
        return math.prod(self.input_shape) * itemsize

    def output_bytes(self, itemsize: int = 4) -> int:
        """Bytes of the output."""
        return math.prod(self.output_shape) * itemsize

    def parameter_bytes(self, use_bias: bool = True, itemsize: int = 4) -> int:
        """Bytes of the kernel and the bias."""
        return self.parameters(use_bias) * itemsize

    @property
    def receptive_field(self) -> ReceptiveField:
        """What one output cell sees of this layer's input."""
        return receptive_field([self])


def _kept(shape: Sequence[int]) -> Sequence[int]:
    """The shape; what an iterator gives is kept, because it can be read only once."""
    return tuple(shape) if isinstance(shape, Iterator) else shape


def _input_axes(shape: Sequence[int], data_format: str) -> tuple[int, int, int, int]:
    order = {
        "channels_last": "(batch, height, width, channels)",
        "channels_first": "(batch, channels, height, width)",
    }[data_format]
    sizes = _as_shape("input", order, shape, least=0)
    batch, height, width, channels = sizes
    if data_format == "channels_first":
        batch, channels, height, width = sizes
    if channels == 0:
        raise ValueError(
            f"The input must have at least one channel. Received: input shape={sizes}, "
            f"data_format={data_format!r}."
        )
    return batch, height, width, channels


def _kernel_axes(shape: Sequence[int]) -> tuple[int, int, int, int]:
    order = "(kernel_height, kernel_width, channels // groups, filters)"
    return _as_shape("kernel", order, shape, least=1)


def _as_shape(name: str, order: str, shape: object, least: int) -> tuple[int, int, int, int]:
    rule = f"The {name} must have 4 axes, {order}."
    try:
        axes: tuple[object, ...] | None = tuple(shape)  # type: ignore[arg-type]
    except TypeError:  # a number, or an array of rank 0, which claims to be iterable
        axes = None
    if isinstance(shape, (str, bytes)) or axes is None:
        raise TypeError(f"{rule} Received: {name} shape={shape!r}, which is no tuple.")
    if len(axes) != 4:
        way_out = ""
        if name == "input" and len(axes) == 3:
            way_out = " Add the batch axis: x[np.newaxis]."
        raise ValueError(f"{rule} Received: {name} shape={axes} with {len(axes)} axes.{way_out}")
    batch, height, width, channels = (_as_axis(name, axes, axis, least) for axis in axes)
    return batch, height, width, channels


def _as_axis(name: str, axes: tuple[object, ...], axis: object, least: int) -> int:
    try:
        return as_size(f"{name} shape", axis, least)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"Every axis of the {name} must be a whole number, at least {least}. "
            f"Received: {name} shape={axes}."
        ) from None


def _check_channels(
    input_shape: Sequence[int],
    kernel_shape: Sequence[int],
    channels: int,
    group_channels: int,
    filters: int,
    groups: int,
) -> None:
    received = (
        f"Received: groups={groups}, input shape={tuple(input_shape)}, "
        f"kernel shape={tuple(kernel_shape)}"
    )
    if filters % groups:
        raise ValueError(
            "The number of filters must be evenly divisible by the number of groups. "
            f"{received}, filters={filters}."
        )
    if channels % groups:
        raise ValueError(
            "The number of input channels must be evenly divisible by the number of groups. "
            f"{received}, channels={channels}."
        )
    if group_channels * groups != channels:
        raise ValueError(
            "The kernel's third axis must be input channels // groups = "
            f"{channels} // {groups} = {channels // groups}. {received}."
            + _channel_advice(input_shape, kernel_shape, channels // groups)
        )


def _channel_advice(input_shape: Sequence[int], kernel_shape: Sequence[int], wanted: int) -> str:
    if kernel_shape[1] == wanted:
        return (
            " A PyTorch weight (filters, channels, kernel_height, kernel_width) becomes a Keras "
            "kernel by weight.transpose(2, 3, 1, 0)."
        )
    if kernel_shape[2] in (input_shape[1], input_shape[3]):
        return ' Is the input in the other data_format ("channels_first" or "channels_last")?'
    return ""


@dataclass(frozen=True)
class ReceptiveField:
    """What one cell at the end of a stack sees of the stack's input.

    Attributes
    ----------
    size : (int, int)
        Height and width of the smallest box of input pixels that holds them all.
    jump : (int, int)
        Input pixels between the centres of two neighbouring cells.
    start : (int, int)
        Row and column of the field's first pixel, for the first cell; below 0 in the padding.
    """

    size: Pair
    jump: Pair
    start: Pair

    @property
    def center(self) -> tuple[float, float]:
        """Row and column of the field's centre, for the first cell."""
        (top, left), (height, width) = self.start, self.size
        return top + (height - 1) / 2, left + (width - 1) / 2


def receptive_field(stack: Iterable[Geometry]) -> ReceptiveField:
    """Trace the receptive field of a stack of layers, dilation and padding included.

    Parameters
    ----------
    stack : iterable of Geometry
        From the layer next to the image to the last one.

    Returns
    -------
    ReceptiveField

    Notes
    -----
    Each layer adds ``(effective kernel - 1) * jump`` to the size and multiplies the jump by
    its stride; its padding moves the start back by ``pad * jump``.

    References
    ----------
    Araujo, Norris & Sim, "Computing receptive fields of convolutional neural networks",
    Distill, 2019, section "Single-path networks".

    Examples
    --------
    Two 3x3 layers see what one 5x5 layer sees.

    >>> first = Geometry.conv2d((1, 9, 9, 1), (3, 3, 1, 1))
    >>> second = Geometry.conv2d((1, 7, 7, 1), (3, 3, 1, 1))
    >>> receptive_field([first, second]).size
    (5, 5)
    """
    size, jump, start = [1, 1], [1, 1], [0, 0]
    for layer in _as_stack(stack):
        for axis in range(2):
            size[axis] += (layer.effective_kernel_size[axis] - 1) * jump[axis]
            start[axis] -= layer.pads[2 * axis] * jump[axis]
            jump[axis] *= layer.strides[axis]
    return ReceptiveField((size[0], size[1]), (jump[0], jump[1]), (start[0], start[1]))


def _as_stack(stack: object) -> list[Geometry]:
    rule = "`stack` must hold Geometry objects, from the first layer to the last."
    try:
        layers: list[Geometry] = list(stack)  # type: ignore[call-overload]
    except TypeError:
        raise TypeError(f"{rule} Received: stack={stack!r}.") from None
    for layer in layers:
        if not isinstance(layer, Geometry):
            raise TypeError(f"{rule} Received: {layer!r} among them.")
    return layers
