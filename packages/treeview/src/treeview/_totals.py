"""What the arrays below a branch hold together: values, bytes, element types, NaN, infinities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

_TYPES = 3
"""Element types that are named in words."""


@dataclass(slots=True, eq=False, repr=False)
class ArrayShare:
    """What one array adds to totals.

    Attributes:
        unit: What its values count as, such as `parameters`.
        dtype: The name of its element type.
        count: How many values it holds.
        bytes: How many bytes these take.
        nans: How many of them are not a number; None if nobody looked.
        infinities: How many of them are infinite; None if nobody looked.
    """

    unit: str
    dtype: str
    count: int
    bytes: int
    nans: int | None = None
    infinities: int | None = None


@dataclass(slots=True)
class Totals:
    """What the arrays of a tree, or of a part of it, hold together; each array counts once.

    Attributes:
        units: For each unit, such as `parameters`, how many values and how many bytes.
        dtypes: For each element type how many values and how many bytes.
        nans: How many values are not a number, in the arrays that were read.
        infinities: How many values are infinite, in the arrays that were read.
        arrays: How many arrays there are.
        unread: In how many of them nobody looked for NaN and infinities.
        partial: Whether more is left out of the rendering, so that these are lower bounds.
    """

    units: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    dtypes: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    nans: int = 0
    infinities: int = 0
    arrays: int = 0
    unread: int = 0
    partial: bool = False

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(count for count, _ in self.dtypes.values())

    @property
    def bytes(self) -> int:
        """How many bytes they take."""
        return sum(size for _, size in self.dtypes.values())

    def add(self, other: "ArrayShare | Totals", sign: Literal[1, -1] = 1) -> None:
        """Adds an array or other totals in place, or takes them away again."""
        if isinstance(other, ArrayShare):
            share = {other.unit: (other.count, other.bytes)}
            _add(self.units, share, sign)
            _add(self.dtypes, {other.dtype: (other.count, other.bytes)}, sign)
            self.arrays += sign
            self.unread += sign * (other.nans is None)
        else:
            _add(self.units, other.units, sign)
            _add(self.dtypes, other.dtypes, sign)
            self.arrays += sign * other.arrays
            self.unread += sign * other.unread
        self.nans += sign * (other.nans or 0)
        self.infinities += sign * (other.infinities or 0)

    def flaws(self) -> str:
        """What is wrong with the values, such as `nan:3 inf:1`, or nothing."""
        counts = {"nan": self.nans, "inf": self.infinities}
        return " ".join(f"{name}:{count:_}" for name, count in counts.items() if count)

    def __str__(self) -> str:
        """All of it in words: `268.1M parameters, 1.1 GB, 90% bfloat16, 10% float32, nan:3`."""
        mark = "≥" if self.partial else ""
        words = "; ".join(
            f"{mark}{short_count(count)} {unit}, {mark}{short_bytes(size)}"
            for unit, (count, size) in self.units.items()
        )
        parts = [words or "no arrays", *_shares(self.dtypes), self.flaws()]
        return ", ".join(part for part in parts if part)


def _add(into: dict[str, tuple[int, int]], more: Mapping[str, tuple[int, int]], sign: int) -> None:
    for name, (count, size) in more.items():
        old_count, old_size = into.get(name, (0, 0))
        into[name] = (old_count + sign * count, old_size + sign * size)


def _shares(dtypes: Mapping[str, tuple[int, int]]) -> Iterable[str]:
    """The mix of element types by their values, where there is one."""
    total = sum(count for count, _ in dtypes.values())
    if len(dtypes) < 2 or not total:
        return
    ranked = sorted(dtypes.items(), key=lambda item: -item[1][0])
    for name, (count, _) in ranked[:_TYPES]:
        percent = round(100 * count / total)
        words = f"{percent}%"
        if percent == 0 and count:
            words = "<1%"
        elif percent == 100 and count < total:
            words = ">99%"
        yield f"{words} {name}"
    if len(ranked) > _TYPES:
        yield f"{len(ranked) - _TYPES} more"


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
