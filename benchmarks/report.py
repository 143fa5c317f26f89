"""From readings to the printed table and the sections of `docs/benchmarks.md`."""

import math
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from benchmarks.timing import OURS, Reading, Row

_UNITS = {
    "time": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}
_UNITS["seconds"] = _UNITS["time"]
_WIDTH = 66
REACHED, MISSED, LACKING = "✓", "✗", "-"


class Result(NamedTuple):
    """A row and what was measured."""

    row: Row
    readings: Mapping[str, Reading]

    @property
    def missed(self) -> bool:
        """Whether any goal of the row was missed."""
        peers = (ratio_cell(self, peer) for peer in self.row.goals)
        return any(MISSED in cell for cell in (our_cell(self), *peers))


def peer_names(rows: Iterable[Row]) -> list[str]:
    """The columns of a table: all peers in the order of their first appearance."""
    return list(dict.fromkeys(peer for row in rows for peer in row.peers))


def our_cell(result: Result) -> str:
    """What ours takes, and whether that is as little as it should be."""
    ours, most = result.readings[OURS], result.row.most
    if ours.failure:
        return f"{ours.failure} {MISSED}"
    text = quantity(ours.value, result.row.measure)
    if most is None:
        return text
    return f"{text} {_mark(ours.value <= most)} ≤ {quantity(most, result.row.measure)}"


def ratio_cell(result: Result, peer: str) -> str:
    """Ours over the peer's, and whether that is as little as it should be."""
    ours, theirs = result.readings[OURS], result.readings.get(peer)
    if theirs is None or ours.failure:
        return LACKING
    goal = result.row.goals.get(peer)
    if math.isnan(theirs.value):
        return theirs.failure if goal is None else f"{theirs.failure} {REACHED}"
    # A peer that was stopped would have taken longer yet.
    ratio, bound = ours.value / theirs.value, "< " if theirs.failure else ""
    text = f"{bound}{multiple(ratio)}"
    return text if goal is None else f"{text} {_mark(ratio <= goal)} ≤ {multiple(goal)}"


def multiple(ratio: float) -> str:
    """A ratio as people say it: `1/20` or `1.3`."""
    if ratio >= 0.95:
        return f"{ratio:.3g}" if ratio < 100 else f"{ratio:.0f}"
    return f"1/{1 / ratio:.3g}" if ratio > 0.001 else f"1/{1 / ratio:.0f}"


def quantity(value: float, measure: str) -> str:
    """Seconds or bytes with three digits and a unit; a pace as times in a second."""
    if measure == "pace":
        return f"{1 / value:.3g}/s"
    units = _UNITS[measure]
    scale, unit = next((each for each in units if value >= each[0]), units[-1])
    return f"{value / scale:.3g} {unit}"


def header_line(peers: Sequence[str]) -> str:
    """The first line of the printed table."""
    return _line("ours as a multiple of the peer's", "ours", peers)


def result_line(result: Result, peers: Sequence[str]) -> str:
    """A line of the printed table."""
    return _line(result.row.what, our_cell(result), [ratio_cell(result, peer) for peer in peers])


def _line(what: str, ours: str, cells: Iterable[str]) -> str:
    return f"{what:<{_WIDTH}}{ours:>18}" + "".join(f"{cell:>18}" for cell in cells)


def markdown(results: Sequence[Result], packages: Iterable[str]) -> str:
    """A section of the documentation: where it was measured, the table, what was missed and why."""
    peers = peer_names(result.row for result in results)
    table = [["what", "ours", *peers], ["---", *["---:"] * (len(peers) + 1)]]
    table += [
        [result.row.what, our_cell(result), *(ratio_cell(result, peer) for peer in peers)]
        for result in results
    ]
    lines = [machine(packages), "", *(f"| {' | '.join(cells)} |" for cells in table)]
    reasons = [
        f"- {each.row.what}: {each.row.why or 'not known yet.'}" for each in results if each.missed
    ]
    if reasons:
        lines += ["", f"Goals that were missed ({MISSED}), and why:", "", *reasons]
    return "\n".join(lines)


def machine(packages: Iterable[str]) -> str:
    """One line about what was measured with."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in packages]
    return f"Measured on {os.cpu_count()} {platform.machine()} cores with {', '.join(versions)}."


def write_section(path: Path, name: str, content: str) -> None:
    """Puts content between the marks of a section of a file.

    Raises:
        ValueError: If the file does not have the marks exactly once.
    """
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    new, count = pattern.subn(lambda _: f"{begin}\n{content}\n\n{end}", text)
    if count != 1:
        raise ValueError(
            f"Expected one section between `{begin.strip()}` and `{end}` in {path.name}, got"
            f" {count}. Put both marks there once."
        )
    path.write_text(new, encoding="utf-8")


def _mark(reached: bool) -> str:  # noqa: FBT001
    return REACHED if reached else MISSED
