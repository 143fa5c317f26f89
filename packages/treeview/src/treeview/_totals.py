"""Counts and bytes of the arrays below a branch, by unit."""

from collections.abc import Mapping

Totals = dict[str, tuple[int, int]]
"""For each unit, such as `parameters`, how many values and how many bytes."""


def add_totals(into: Totals, more: Mapping[str, tuple[int, int]]) -> None:
    """Adds totals to others in place."""
    for unit, (count, size) in more.items():
        old_count, old_size = into.get(unit, (0, 0))
        into[unit] = (old_count + count, old_size + size)


def totals_text(totals: Mapping[str, tuple[int, int]], *, at_least: bool) -> str:
    """Totals in words, such as `268.1M parameters, 1.1 GB`."""
    mark = "≥" if at_least else ""
    parts = [
        f"{mark}{short_count(count)} {unit}, {mark}{short_bytes(size)}"
        for unit, (count, size) in totals.items()
    ]
    return "; ".join(parts)


def short_count(count: int) -> str:
    """A count with four digits at most: `999`, `1,234`, `12.3K`, `268.1M`."""
    if count < 10_000:
        return f"{count:,}"
    return _scaled(count, ("K", "M", "B", "T"))


def short_bytes(size: int) -> str:
    """A size in decimal units: `512 B`, `22.3 MB`, `1.1 GB`."""
    return f"{size} B" if size < 1000 else _scaled(size, (" kB", " MB", " GB", " TB"))


def _scaled(value: int, units: tuple[str, ...]) -> str:
    scaled = float(value)
    for unit in units:
        scaled /= 1000
        # Rounded first, or 999,999 would read as 1000.0K.
        if round(scaled, 1) < 1000 or unit == units[-1]:
            return f"{scaled:.1f}{unit}"
    raise AssertionError("units are never empty")
