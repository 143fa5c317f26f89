"""Times functions side by side and prints ratios."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

BUDGET = 1.0  # seconds for one function


@dataclass(frozen=True)
class Race:
    """One thing done by us and by a peer.

    Attributes:
        what: What is done.
        ours: Does it with our package.
        peer: Name of the peer.
        theirs: Does the same with the peer.
        goal: Our time over the peer's that we want to reach.
    """

    what: str
    ours: Callable[[], object]
    peer: str
    theirs: Callable[[], object]
    goal: float


def median_times(*functions: Callable[[], object]) -> list[float]:
    """Median seconds of each function, taken in turns so that all meet the same disturbances."""
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    stop = time.perf_counter() + BUDGET * len(functions)
    gc.collect()
    while not times[0] or len(times[0]) < 3 or time.perf_counter() < stop:
        for function, taken in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def print_races(races: list[Race]) -> None:
    """Run the races and print one line for each as soon as it is known."""
    print(f"{'what':<52}{'ours':>11}  {'peer':<22}{'theirs':>11}{'ratio':>9}{'goal':>8}")
    for race in races:
        ours, theirs = median_times(race.ours, race.theirs)
        ratio = ours / theirs
        mark = "" if ratio <= race.goal else "  missed"
        print(
            f"{race.what:<52}{seconds(ours):>11}  {race.peer:<22}{seconds(theirs):>11}"
            f"{ratio:>9.3f}{race.goal:>8.3g}{mark}",
            flush=True,
        )


def seconds(value: float) -> str:
    """A time with three digits and its unit."""
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"
