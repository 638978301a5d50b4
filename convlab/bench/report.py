"""The whole of a run: gathered, written as JSON, and told as text."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from convlab.bench.cases import FAMILIES, find_cases
from convlab.bench.machine import Roofline, measure_roofline
from convlab.bench.measuring import OURS, SCALED, Result, measure, threads
from convlab.bench.network import epoch, epoch_told, installed_backends, told, training
from convlab.bench.pools import allowed_threads, thread_limit
from convlab.kernels import check_name

__all__ = ["PARTS", "measure_all", "read_report", "row_told", "write_report"]

PARTS = ("machine", *FAMILIES, "threads", "training", "epoch")
PACKAGES = (
    "convlab", "numpy", "numba", "llvmlite", "torch", "scipy", "opencv-python-headless", "keras",
    "jax", "tensorflow",
)  # fmt: skip
HEAD = (
    f"{'layer':30} {'path':12} {'ours':>11} {'GFLOP/s':>8} {'of peak':>8} {'of roof':>8}  "
    f"{'beside':22} {'ratio':>6} {'must':>5}  {'error rms':>9} {'max':>8}"
)
TRIAL = "A trial at small sizes: its times say nothing."

Report = dict[str, Any]
Say = Callable[[str], object]


def measure_all(
    parts: Sequence[str] = PARTS,
    *,
    only: Sequence[str] = (),
    quick: bool = False,
    number_of_threads: int | None = None,
    rounds: int | None = None,
    steps: int | None = None,
    cpu_time: bool = False,
    say: Say = lambda text: None,
) -> Report:
    """Measure some parts, or all, in one run.

    Parameters
    ----------
    parts : sequence of str
        Of ``"machine"`` (peak and bandwidth), ``"layers"``, ``"photo"``, ``"gradients"``,
        ``"pooling"``, ``"threads"``, ``"training"`` and ``"epoch"``.
    only : sequence of str
        Names of cases, or patterns with ``*``.
    quick : bool, default False
        Small sizes and few rounds: a trial of the program, whose times say nothing.
    number_of_threads : int, optional
        For everybody; as many as Numba may use where None.
    rounds, steps : int, optional
        Instead of each part's own.
    cpu_time : bool, default False
        Count the processor time of layers and not the clock's, which a busy neighbour stretches.
        Only with one thread.
    say : callable, optional
        Given each piece of text when it is known; `print`, for example.

    Returns
    -------
    dict
        What `write_report` writes: ``versions``, ``machine``, ``rooflines``, ``threads``,
        ``quick``, and for the parts ``rows``, ``scaling``, ``training``, ``epoch``; ``left_out``
        says what could not be measured, and why.

    Raises
    ------
    ValueError
        For an unknown part or name, and for `cpu_time` with several threads.
    ImportError
        Without Numba, for all parts but ``"training"`` and ``"epoch"``.

    Examples
    --------
    >>> report = measure_all(["machine", "pooling"], only=["pool8x8x64"], quick=True)
    >>> [row["name"] for row in report["rows"]]
    ['pool8x8x64']
    """
    _check_parts(parts)
    if set(parts) - {"training", "epoch"}:
        check_name("parallel")
    families = [part for part in FAMILIES if part in parts]
    cases = find_cases(only, families, quick=quick) if families else []
    options = _Options(quick, number_of_threads, rounds, steps, cpu_time, say)
    with thread_limit(number_of_threads) as count:
        _check_clock(cpu_time, count)
        report: Report = {
            "versions": versions(), "machine": machine_name(), "threads": count, "quick": quick,
            "rooflines": [], "rows": [], "left_out": {},
        }  # fmt: skip
        if families or "machine" in parts:
            _add_rooflines(report, options, everything="machine" in parts)
        if cases:
            _add_rows(report, options, cases)
        for part in ("threads", "training", "epoch"):
            if part in parts:
                _add_part(report, options, part)
    return report


class _Options:
    """What a run was asked for."""

    def __init__(
        self, quick: bool, threads: int | None, rounds: int | None, steps: int | None,
        cpu_time: bool, say: Say,
    ) -> None:  # fmt: skip
        self.quick, self.threads, self.say = quick, threads, say
        self.rounds, self.steps = rounds, steps
        self.clock = time.thread_time if cpu_time else time.perf_counter

    def counts(self, **usual: int) -> dict[str, Any]:
        """Rounds and steps: those that were asked for, few for a trial, else the usual ones."""
        asked = {"rounds": self.rounds, "steps": self.steps}
        few = {"rounds": 2, "steps": 1}
        return {
            name: asked[name] or (few[name] if self.quick else number)
            for name, number in usual.items()
        }

    @property
    def pace(self) -> dict[str, Any]:
        """How a trial hurries."""
        return {"pause": 0.0, "turn": 0.0} if self.quick else {}


def _check_parts(parts: Sequence[str]) -> None:
    if unknown := sorted(set(parts) - set(PARTS)):
        raise ValueError(f"`parts` must be among {list(PARTS)}. Received: {unknown}.")


def _check_clock(cpu_time: bool, threads: int) -> None:
    if cpu_time and threads > 1:
        raise ValueError(
            "Processor time is counted of one thread only: what others do would not be in it. "
            f"Received: {threads} threads. Use --threads 1."
        )


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that are here.

    Returns
    -------
    dict of str to str
    """
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine_name() -> dict[str, str]:
    """The processor, and the vectors that Numba compiles for.

    Returns
    -------
    dict of str to str
    """
    from convlab.system import describe_system

    return {**describe_system()["Processor"], "system": platform.system()}


def _add_rooflines(report: Report, options: _Options, everything: bool) -> None:
    most = allowed_threads()
    wanted = [("float32", most)]
    if everything:
        wanted = [(dtype, n) for dtype in ("float32", "float64") for n in sorted({1, most})]
    for dtype, count in wanted:
        roof = measure_roofline(dtype, threads=count, quick=options.quick)
        report["rooflines"].append(vars(roof))
    options.say(machine_told(report))


def _add_rows(report: Report, options: _Options, cases: Sequence[Any]) -> None:
    roofs = [Roofline(**roof) for roof in report["rooflines"]]
    roof = next(r for r in roofs if r.dtype == "float32" and r.threads == report["threads"])
    options.say("\n" + (TRIAL + "\n" if options.quick else "") + HEAD)
    told_of: set[str] = set()
    for case in cases:
        pace = {**options.counts(rounds=15), **options.pace, "clock": options.clock}
        result = measure(case, roofline=roof, **pace)
        report["rows"].append(result.as_dict())
        options.say(row_told(result))
        told_of = _add_missing(report, options, result, told_of)


def _add_missing(report: Report, options: _Options, result: Result, told_of: set[str]) -> set[str]:
    """Say once of each peer that is not installed that it is not."""
    for peer, reason in result.missing.items():
        report["left_out"][peer] = reason
        if peer not in told_of:
            options.say(f"  (left out: {reason})")
    return told_of | set(result.missing)


def _add_part(report: Report, options: _Options, part: str) -> None:
    try:
        key, value, text = _PARTS[part](options)
    except (ImportError, RuntimeError) as error:
        report["left_out"][part] = str(error)
        options.say(f"\n{part} is left out: {error}")
    else:
        report[key] = value
        options.say("\n" + text)


def _threads_part(options: _Options) -> tuple[str, Any, str]:
    most = allowed_threads()
    names, counts = (["1x1up"], sorted({1, most})) if options.quick else (SCALED, None)
    pace = {**options.counts(rounds=7), **options.pace}
    rows = threads(names, counts, quick=options.quick, **pace)
    return "scaling", rows, scaling_told(rows)


def _training_part(options: _Options) -> tuple[str, Any, str]:
    result = training(**options.counts(steps=8, rounds=9))
    return "training", result, told(result)


def _epoch_part(options: _Options) -> tuple[str, Any, str]:
    backends = installed_backends()[:1] if options.quick else None
    result = epoch(**options.counts(steps=40, rounds=5), threads=options.threads, backends=backends)
    return "epoch", result, epoch_told(result)


_PARTS: dict[str, Callable[[_Options], tuple[str, Any, str]]] = {
    "threads": _threads_part, "training": _training_part, "epoch": _epoch_part,
}  # fmt: skip


# As text -----------------------------------------------------------------------------------------


def machine_told(report: Mapping[str, Any]) -> str:
    """The machine and its limits as lines of text.

    Parameters
    ----------
    report : mapping

    Returns
    -------
    str

    Examples
    --------
    >>> roof = {"peak": 231e9, "bandwidth": 33e9, "threads": 2, "dtype": "float32"}
    >>> print(machine_told({"machine": {"name": "a processor"}, "rooflines": [roof]}))
    a processor
      float32, 2 threads       231 GFLOP/s peak     33.0 GB/s read and written    ridge   7.0
    """
    lines = [str(report["machine"]["name"])]
    for roof in (Roofline(**one) for one in report["rooflines"]):
        who = f"{roof.dtype}, {roof.threads} thread" + "s" * (roof.threads > 1)
        lines.append(
            f"  {who:20} {roof.peak / 1e9:7.0f} GFLOP/s peak  {roof.bandwidth / 1e9:7.1f} GB/s "
            f"read and written    ridge {roof.ridge:5.1f}"
        )
    return "\n".join(lines)


def row_told(result: Result) -> str:
    """One case as a line of text, and a line more for each further peer.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
    """
    error = result.errors.get(OURS)
    rate = f"{result.rate / 1e9:8.0f}" if result.case.operations else " " * 8
    ours = [
        f"{result.case.name:30} {result.path:12} {1e3 * result.seconds:8.3f} ms {rate}",
        _share(result.of_peak if result.case.operations else None), _share(result.of_ceiling),
    ]  # fmt: skip
    beside = [_peer_told(result, peer) for peer in result.ratios] or [" " * 36]
    tail = f"  {error.rms:9.1e} {error.max:8.1e}" if error else ""
    first = " ".join(ours) + "  " + beside[0] + tail
    indent = " " * 83
    return "\n".join([first.rstrip(), *(indent + line for line in beside[1:])])


def _share(share: float | None) -> str:
    return " " * 8 if share is None else f"{share:8.2f}"


def _peer_told(result: Result, peer: str) -> str:
    must, reached = result.case.must.get(peer), result.reached[peer]
    wanted = "     " if must is None else f"{must:5.2f}"
    sign = "  " if reached else " <"  # too slow
    return f"{result.faster[peer]:22} {result.ratios[peer]:6.2f} {wanted}{sign}"


def scaling_told(rows: Sequence[Mapping[str, Any]]) -> str:
    """How time falls with threads, as lines of text.

    Parameters
    ----------
    rows : sequence of mapping
        What `threads` gives.

    Returns
    -------
    str

    Examples
    --------
    >>> print(scaling_told([{"name": "1x1up", "counts": [1, 2],
    ...     "milliseconds": {"convlab": [4.0, 2.1]}, "speedups": {"convlab": [1.0, 1.9]}}]))
    Threads                               1             2
      1x1up     convlab                4.00          2.10  ms
                                       1.00          1.90  times as fast
    """
    counts = rows[0]["counts"] if rows else []
    lines = [f"{'Threads':24} " + " ".join(f"{count:13}" for count in counts)]
    width = max((len(row["name"]) for row in rows), default=0) + 4
    for row in rows:
        for label, taken in row["milliseconds"].items():
            for head, numbers, unit in (
                (f"  {row['name']:{width}} {label}", taken, "ms"),
                ("", row["speedups"][label], "times as fast"),
            ):
                lines.append(f"{head:24} " + " ".join(f"{n:13.2f}" for n in numbers) + f"  {unit}")
    return "\n".join(lines)


# As JSON -----------------------------------------------------------------------------------------


def write_report(report: Mapping[str, Any], path: str | Path) -> None:
    """Write a report as JSON.

    Parameters
    ----------
    report : mapping
    path : str or Path
    """
    Path(path).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def read_report(path: str | Path) -> Report:
    """Read what `write_report` has written.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
    """
    report: Report = json.loads(Path(path).read_text(encoding="utf-8"))
    return report
