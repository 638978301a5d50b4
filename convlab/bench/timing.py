"""Times that can be compared: contestants take turns in one run, and each round is a ratio.

Times on a shared machine wander, and a neighbour that comes for one of two runs decides the
race. So all contestants run in every round, each round gives a ratio, and what is reported is
the median of the rounds.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Comparison", "compare"]

Call = Callable[[], object]


@dataclass(frozen=True)
class Comparison:
    """Times of several contestants, taken in turns.

    Attributes
    ----------
    seconds : dict of str to list of float
        For each contestant, the time of one call in each round.

    Examples
    --------
    >>> times = Comparison({"ours": [1.0, 2.0, 1.0], "theirs": [2.0, 4.0, 3.0]})
    >>> times.median("ours"), times.ratio("theirs", "ours")
    (1.0, 2.0)
    """

    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """The median time of a contestant, in seconds.

        Parameters
        ----------
        name : str

        Returns
        -------
        float
        """
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """The median over the rounds of one contestant's time over another's.

        Parameters
        ----------
        name, other : str

        Returns
        -------
        float
        """
        return statistics.median(self.ratios(name, other))

    def ratios(self, name: str, other: str) -> list[float]:
        """One contestant's time over another's, for each round.

        Parameters
        ----------
        name, other : str

        Returns
        -------
        list of float
        """
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return [mine / theirs for mine, theirs in pairs]

    def spread(self, name: str, other: str) -> tuple[float, float]:
        """The middle half of the rounds' ratios: a quarter lies below it, and a quarter above.

        Parameters
        ----------
        name, other : str

        Returns
        -------
        (float, float)

        Examples
        --------
        >>> Comparison({"a": [1.0, 2.0, 3.0, 4.0, 5.0], "b": [1.0] * 5}).spread("a", "b")
        (2.0, 4.0)
        """
        ratios = self.ratios(name, other)
        if len(ratios) == 1:
            return ratios[0], ratios[0]
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, high

    def fastest(self, names: Iterable[str]) -> str:
        """The contestant of the smallest median.

        Parameters
        ----------
        names : iterable of str

        Returns
        -------
        str

        Examples
        --------
        >>> Comparison({"a": [2.0, 2.0], "b": [1.0, 1.5]}).fastest(["a", "b"])
        'b'
        """
        return min(names, key=self.median)


def compare(
    contestants: Mapping[str, Call],
    rounds: int,
    *,
    pause: float = 0.0,
    turn: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Time callables in turns, after one call of each that is not counted.

    Parameters
    ----------
    contestants : mapping of str to callable
    rounds : int
        At least 1. The order within a round is turned around in every second one.
    pause : float, default 0
        Seconds to wait before each turn. The threads of some libraries go on waiting with all
        their strength for some milliseconds after a call, and take the cores from who comes next.
    turn : float, default 0
        Seconds that a turn lasts at least: many calls, if one is short, and the turn's time is
        their mean. Before them comes one that is not counted: it finds sleeping threads, and the
        caches full of the others' data. Where 0, a turn is one call and nothing before it.
    clock : callable, default time.perf_counter
        `time.thread_time` counts the processor time of the calling thread: no neighbour's, but
        also nothing that other threads do. For one thread on a busy machine.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        For less than one round.

    Examples
    --------
    >>> sorted(compare({"a": lambda: None, "b": lambda: None}, rounds=2).seconds)
    ['a', 'b']
    """
    at_least_one("rounds", rounds)
    for run in contestants.values():
        run()
    calls = {name: _calls_in(run, turn, clock) for name, run in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants.items())
        for name, run in order if number % 2 == 0 else order[::-1]:
            time.sleep(pause)
            seconds[name].append(_turn(run, calls[name], clock))
    return Comparison(seconds)


def at_least_one(name: str, value: int) -> int:
    """The number, or a clear error.

    Parameters
    ----------
    name : str
    value : int

    Returns
    -------
    int
    """
    if value < 1:
        raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
    return value


def _calls_in(run: Call, turn: float, clock: Callable[[], float]) -> int:
    """Calls in a turn that lasts so long; 0 for a single one without rehearsal."""
    return math.ceil(turn / max(_turn(run, 0, clock), 1e-7)) if turn > 0 else 0


def _turn(run: Call, calls: int, clock: Callable[[], float]) -> float:
    """The mean time of several calls, after one that is not counted; or the time of one call."""
    if calls:
        run()
    start = clock()
    for _ in range(max(1, calls)):
        run()
    return (clock() - start) / max(1, calls)
