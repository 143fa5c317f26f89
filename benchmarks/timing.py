"""What is compared, and how it is measured.

All contestants of a row take turns in one process, so that they meet the same disturbances, and the
median of the rounds counts. Quick ones are called many times in a turn. Times are those of the
processor, in all threads of the process, so that other programs on the machine count little. Cyclic
garbage collection stays on, because what it costs is part of what a package costs; objects that
were there before are taken out of its sight.
"""

import gc
import math
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

TURN = 0.005  # seconds that one turn of a quick contestant takes
BUDGET = 0.6  # seconds that one contestant may take in all, apart from the fewest rounds
FEWEST = 5  # rounds
SLOW = 1.0  # seconds; what takes longer, once warm, is timed once
COLD = 4.0  # seconds; what takes longer counts without being warm
LIMIT = 60.0  # seconds on the wall; what takes longer is given up
OURS = ""  # the name of our own reading


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that is done by us and by peers.

    Attributes:
        what: What is done.
        ours: Does it with our package.
        peers: Does the same with others, by name. One that lacks the feature is left out.
        goals: The most that ours may be as a multiple of the peer's, by name.
        most: The most that ours may be, in seconds or bytes; None for any.
        measure: What is compared: the time that the functions take, or the seconds or bytes that
            they return. A pace is seconds as well, shown as how many times that is in a second.
        limit: Seconds after which a contestant is given up.
        why: Why a goal is out of reach; shown where one is missed.
    """

    what: str
    ours: Callable[[], object]
    peers: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    goals: Mapping[str, float] = field(default_factory=dict)
    most: float | None = None
    measure: Literal["time", "seconds", "pace", "bytes"] = "time"
    limit: float = LIMIT
    why: str = ""


class Reading(NamedTuple):
    """What was measured of one contestant.

    Attributes:
        value: Seconds or bytes; NaN if there is none.
        failure: The name of what it raised; "timeout" if it was stopped after `value` seconds.
    """

    value: float
    failure: str = ""


class OutOfTime(BaseException):
    """Something took too long. Not an `Exception`, which viewers of any object catch."""


def readings(row: Row, clock: Callable[[], float] = time.process_time) -> dict[str, Reading]:
    """Measures all contestants of a row.

    Args:
        row: What to measure.
        clock: Tells the time in seconds.

    Returns:
        A reading for each peer, and for ours under the name `OURS`.
    """
    gc.collect()
    gc.freeze()
    try:
        return _measured(row, {OURS: row.ours, **row.peers}, clock)
    finally:
        gc.unfreeze()


def _measured(
    row: Row, contestants: dict[str, Callable[[], Any]], clock: Callable[[], float]
) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    calls: dict[str, int] = {}
    for name, function in contestants.items():
        reading = _first(function, row, clock)
        # A compiler may have run in the first call, so it is the second one that counts.
        if row.measure != "bytes" and not reading.failure and reading.value <= COLD:
            reading = Reading(_take_turn(function, 1, row, clock))
        found[name] = reading
        if row.measure != "bytes" and not reading.failure and reading.value <= SLOW:
            once = max(reading.value, 1e-9)
            calls[name] = max(1, round(TURN / once)) if row.measure == "time" else 1
    turns: dict[str, list[float]] = {name: [] for name in calls}
    stop, rounds = clock() + BUDGET * len(calls), 0
    while calls and (rounds < FEWEST or (row.measure == "time" and clock() < stop)):
        for name, count in calls.items():
            turns[name].append(_take_turn(contestants[name], count, row, clock))
        rounds += 1
    return found | {name: Reading(statistics.median(taken)) for name, taken in turns.items()}


def _first(function: Callable[[], Any], row: Row, clock: Callable[[], float]) -> Reading:
    start = clock()
    try:
        with _time_limit(row.limit):
            return Reading(_take_turn(function, 1, row, clock))
    except OutOfTime:
        # What it took so far by the same clock as ours, which may go slower than that on the wall.
        least = {"time": clock() - start, "seconds": row.limit}
        return Reading(least.get(row.measure, math.nan), "timeout")
    except Exception as error:
        return Reading(math.nan, type(error).__name__)


def _take_turn(
    function: Callable[[], Any], count: int, row: Row, clock: Callable[[], float]
) -> float:
    if row.measure != "time":
        return float(function())
    turns = range(count)
    start = clock()
    for _ in turns:
        function()
    return (clock() - start) / count


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises `OutOfTime` in the block after some seconds, where the system has such alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again, because what is raised in a destructor is lost.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
