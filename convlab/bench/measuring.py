"""One case or all of them: times in turns, ratios, efficiency against the limits, and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from convlab.bench.cases import Case, find_cases
from convlab.bench.machine import Roofline
from convlab.bench.peers import Contender, Data, contenders, make_data, our_contender
from convlab.bench.pools import allowed_threads, thread_limit
from convlab.bench.timing import Comparison, compare

__all__ = ["Error", "Result", "error_of", "measure", "threads"]

OURS = "convlab"
# Before a turn the others' threads fall asleep; a turn of a short call is several calls.
PAUSE, TURN = 0.01, 0.004
SCALED = ("article2", "56x56x64", "1x1up", "photo5x5")


@dataclass(frozen=True)
class Error:
    """How far a result in float32 is from the same sums in float64.

    Attributes
    ----------
    rms : float
        Root mean square of the errors over that of the exact results.
    max : float
        The largest error, each divided by the sum of the sizes of its products, ``sum |x||w|``: a
        sum whose terms cancel is not held to the few digits that are left.
    """

    rms: float
    max: float


@dataclass(frozen=True)
class Result:
    """What was measured of one case.

    Attributes
    ----------
    case : Case
    threads : int
    times : Comparison
        Seconds of every contender, by label; ours is ``"convlab"``.
    faster : dict of str to str
        For each peer, the label of its faster way.
    errors : dict of str to Error
        By label; empty for a pooling's forward pass, which computes nothing.
    missing : dict of str to str
        Peers that are not installed, with the reason.
    roofline : Roofline or None
    path : str
        How convlab computed it, as `convlab.plan` says; empty where there is but one way.
    """

    case: Case
    threads: int
    times: Comparison
    faster: dict[str, str]
    errors: dict[str, Error] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    roofline: Roofline | None = None
    path: str = ""

    @property
    def seconds(self) -> float:
        """Our median time."""
        return self.times.median(OURS)

    @property
    def ratios(self) -> dict[str, float]:
        """For each peer, its time over ours: above 1 we are faster."""
        return {peer: self.times.ratio(label, OURS) for peer, label in self.faster.items()}

    @property
    def spreads(self) -> dict[str, tuple[float, float]]:
        """For each peer, the middle half of the rounds' ratios."""
        return {peer: self.times.spread(label, OURS) for peer, label in self.faster.items()}

    @property
    def reached(self) -> dict[str, bool]:
        """For each peer that was there, whether the ratio is what it must be."""
        return {peer: ratio >= self.case.must.get(peer, 0) for peer, ratio in self.ratios.items()}

    @property
    def rate(self) -> float:
        """Floating-point operations in a second, by the definition's count."""
        return self.case.operations / self.seconds

    @property
    def of_peak(self) -> float | None:
        """Share of the peak; above 1 where an algorithm avoids multiplications."""
        return self.rate / self.roofline.peak if self.roofline else None

    @property
    def of_ceiling(self) -> float | None:
        """Share of the roof over this intensity; for a pooling, of the bandwidth.

        Above 1 where a cache holds the arrays, or where an algorithm avoids multiplications.
        """
        if not self.roofline:
            return None
        if not self.case.operations:
            return self.case.bytes / self.seconds / self.roofline.bandwidth
        return self.rate / self.roofline.ceiling(self.case.intensity)

    def as_dict(self) -> dict[str, Any]:
        """All of it as numbers and text, for JSON.

        Returns
        -------
        dict
        """
        case, g = self.case, self.case.geometry
        return {
            "name": case.name, "family": case.family, "operation": case.operation,
            "algorithm": case.algorithm, "prepared": case.prepared,
            "input_shape": list(g.input_shape), "kernel_shape": list(g.kernel_shape),
            "output_shape": list(g.output_shape), "strides": list(g.strides),
            "padding": g.padding, "dilation_rate": list(g.dilation_rate), "groups": g.groups,
            "threads": self.threads, "path": self.path,
            "milliseconds": {label: 1e3 * self.times.median(label) for label in self.times.seconds},
            "rounds": len(self.times.seconds[OURS]),
            "ratios": self.ratios, "spreads": {k: list(v) for k, v in self.spreads.items()},
            "faster": self.faster, "must": case.must, "aim": case.aim, "reached": self.reached,
            "operations": case.operations, "bytes": case.bytes, "intensity": case.intensity,
            "gflops": self.rate / 1e9, "of_peak": self.of_peak, "of_ceiling": self.of_ceiling,
            "errors": {label: vars(error) for label, error in self.errors.items()},
            "missing": self.missing,
        }  # fmt: skip


def measure(
    case: Case,
    *,
    rounds: int = 15,
    threads: int | None = None,
    peers: Sequence[str] | None = None,
    roofline: Roofline | None = None,
    pause: float = PAUSE,
    turn: float = TURN,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Time one case beside its peers, and compare all results with float64.

    Parameters
    ----------
    case : Case
    rounds : int, default 15
    threads : int, optional
        For everybody; as many as Numba may use where None.
    peers : sequence of str, optional
        Of ``"torch"``, ``"scipy.ndimage"``, ``"scipy.signal"`` and ``"opencv"``; those of the
        case where None. One that is not installed is left out.
    roofline : Roofline, optional
        The limits to compare with (`measure_roofline`).
    pause, turn, clock
        As in `compare`.

    Returns
    -------
    Result

    Examples
    --------
    >>> from convlab.bench import find_cases
    >>> case, = find_cases(["1x1up"], quick=True)
    >>> result = measure(case, rounds=1, peers=[])
    >>> result.seconds > 0, result.ratios, result.errors["convlab"].max < 1e-6
    (True, {}, True)
    """
    data = make_data(case)
    with thread_limit(threads):  # before a peer is imported: too many threads are refused here
        others, missing = contenders(case, data, peers)
    with thread_limit(threads) as count:
        everyone = {one.label: one for one in [our_contender(case, data), *others]}
        calls = {label: one.run for label, one in everyone.items()}
        times = compare(calls, rounds, pause=pause, turn=turn, clock=clock)
        errors = _errors(case, data, everyone)
        path = _path(case)
    return Result(case, count, times, _faster(times, others), errors, missing, roofline, path)


def _path(case: Case) -> str:
    """What the plan chose."""
    operations = {"forward": "conv2d", "input_gradient": "conv2d_input_gradient"}
    if case.operation not in operations:
        return ""
    from convlab import plan

    chosen = plan(case.geometry, operation=operations[case.operation], algorithm=case.algorithm)
    return chosen.algorithm


def _faster(times: Comparison, others: Iterable[Contender]) -> dict[str, str]:
    ways: dict[str, list[str]] = {}
    for one in others:
        ways.setdefault(one.peer, []).append(one.label)
    return {peer: times.fastest(labels) for peer, labels in ways.items()}


def _errors(case: Case, data: Data, everyone: dict[str, Contender]) -> dict[str, Error]:
    """Everybody's errors; of the first and the last image where images have nothing in common."""
    if case.operation == "max_pool":
        return {}
    ends = sorted({0, case.geometry.batch - 1})
    if case.operation == "kernel_gradient":
        ends = list(range(case.geometry.batch))
    few = Data(data.x[ends], data.kernel, data.output_gradient[ends])
    part = replace(case, geometry=replace(case.geometry, batch=len(ends)))
    exact, sizes = (_in_float64(part, one) for one in (few, _sizes(part, few)))
    errors = {}
    for label, one in everyone.items():
        found = one.read(one.run())
        if case.operation != "kernel_gradient":
            found = found[ends]
        errors[label] = error_of(found, exact, sizes)
    return errors


def _sizes(case: Case, data: Data) -> Data:
    """Numbers whose products are the sizes of the products."""
    x = data.x if case.geometry.pooling else np.abs(data.x)  # who wins stays who wins
    return Data(x, np.abs(data.kernel), np.abs(data.output_gradient))


def _in_float64(case: Case, data: Data) -> np.ndarray:
    """The same sums by NumPy in float64: another program, and nine digits more."""
    return np.asarray(
        our_contender(case, data.astype(np.float64), implementation="vectorized").run()
    )


def error_of(result: np.ndarray, exact: np.ndarray, sizes: np.ndarray) -> Error:
    """Compare a result with the exact one.

    Parameters
    ----------
    result, exact : array
        Of one shape.
    sizes : array
        For each number, the sum of the sizes of its products.

    Returns
    -------
    Error

    Examples
    --------
    >>> error_of(np.array([1.0, 2.5]), np.array([1.0, 2.0]), np.array([1.0, 5.0])).max
    0.1
    """
    if result.shape != exact.shape:
        raise ValueError(
            f"A result must have the shape {exact.shape}. Received: shape {result.shape}."
        )
    difference = np.abs(result.astype(np.float64) - exact)
    where = sizes > 0
    largest = float(np.max(difference[where] / sizes[where], initial=0.0))
    if difference[~where].any():  # a sum of nothing but zeros that is not zero
        largest = float("inf")
    whole = float(np.sqrt(np.mean(exact**2))) or 1.0
    return Error(float(np.sqrt(np.mean(difference**2))) / whole, largest)


def threads(
    names: Sequence[str] = SCALED,
    counts: Sequence[int] | None = None,
    *,
    rounds: int = 7,
    peers: Sequence[str] = ("torch",),
    quick: bool = False,
    pause: float = PAUSE,
    turn: float = TURN,
) -> list[dict[str, Any]]:
    """How the time of a case falls with the number of threads.

    Parameters
    ----------
    names : sequence of str
        Names of cases.
    counts : sequence of int, optional
        Numbers of threads; from 1 to what Numba may use where None.
    rounds : int, default 7
        In every round every number of threads has its turn.
    peers : sequence of str
        Whose times to take as well.
    quick : bool, default False
        Small sizes.
    pause, turn : float
        As in `compare`.

    Returns
    -------
    list of dict
        For each case its ``name``, the ``counts``, and ``milliseconds`` (medians) and ``speedups``
        (the median over the rounds of one thread's time over that of so many; the first count's,
        where 1 is not among them) for each contender.

    Examples
    --------
    >>> row, = threads(["1x1up"], [1], rounds=1, peers=[], quick=True)
    >>> row["name"], row["counts"], row["speedups"]
    ('1x1up', [1], {'convlab': [1.0]})
    """
    numbers = list(_counts(allowed_threads()) if counts is None else counts)
    return [
        _scaling(case, numbers, rounds, peers, pause, turn)
        for case in find_cases(names, quick=quick)
    ]


def _counts(most: int) -> list[int]:
    """1, 2, 3, 4, then doubling; and what there is at most."""
    return sorted({n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96) if n < most} | {most})


def _scaling(
    case: Case, counts: list[int], rounds: int, peers: Sequence[str], pause: float, turn: float
) -> dict[str, Any]:
    data = make_data(case)
    others, missing = contenders(case, data, peers)
    calls = {one.label: one.run for one in [our_contender(case, data), *others]}
    seconds: dict[int, dict[str, list[float]]] = {n: {label: [] for label in calls} for n in counts}
    for _ in range(rounds):
        for count in counts:
            with thread_limit(count):
                for label, (taken,) in compare(calls, 1, pause=pause, turn=turn).seconds.items():
                    seconds[count][label].append(taken)
    by_count = {count: Comparison(times) for count, times in seconds.items()}
    labels = [OURS, *_faster(by_count[counts[-1]], others).values()]
    return {
        "name": case.name, "counts": counts, "rounds": rounds, "missing": missing,
        "milliseconds": {
            label: [1e3 * by_count[n].median(label) for n in counts] for label in labels
        },
        "speedups": {label: _speedups(label, by_count) for label in labels},
    }  # fmt: skip


def _speedups(label: str, by_count: dict[int, Comparison]) -> list[float]:
    first = next(iter(by_count.values())).seconds[label]
    pairs = (
        Comparison({"first": first, "now": times.seconds[label]}) for times in by_count.values()
    )
    return [pair.ratio("first", "now") for pair in pairs]
