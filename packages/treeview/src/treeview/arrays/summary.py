"""One line about an array: `jax.Array float32[heads:16, embed:3072] ≈-1.5e-06 ±0.007 [-0.1, 0.2]`.

Behind type, element type and axes stand the mean (`≈`), the standard deviation (`±`), the extremes,
counts of what deserves attention (zeros, NaN, infinities, masked values) and a histogram. Short
vectors show their values instead.
"""

import math
import numbers
from typing import Any

import numpy as np

from treeview._document import Span, Text
from treeview.arrays.histogram import histogram_text
from treeview.arrays.protocol import ArrayInfo, Axis, Statistics
from treeview.arrays.statistics import NumpyArray, number_kind

SMALL_SIZE = 8
_LONGEST_VALUES = 100
_BEYOND = (0.0, math.inf, -math.inf)  # what becomes of long doubles that are no doubles
_EXACT: tuple[type, ...] = (bool, numbers.Integral, np.datetime64, np.timedelta64)


def axis_name(axis: Axis) -> str:
    """The name of an axis as text; its position if it has no name."""
    if axis.name is None:
        return f"axis {axis.position}"
    return axis.name if isinstance(axis.name, str) else repr(axis.name)


def axes_text(info: ArrayInfo) -> str:
    """Element type and axes, such as `float32[heads:16, 64]`."""
    axes = ", ".join(
        str(axis.size) if axis.name is None else f"{axis_name(axis)}:{axis.size}"
        for axis in info.axes
    )
    return f"{info.dtype}[{axes}]"


def shows_values(info: ArrayInfo) -> bool:
    """Whether a summary writes the values themselves out."""
    plain = info.dtype != "object" and not info.dtype.startswith(("{", "key<"))
    return plain and len(info.axes) <= 1 and 0 < info.size <= SMALL_SIZE


def summary_text(
    info: ArrayInfo,
    *,
    name: str = "",
    statistics: Statistics | None = None,
    values: NumpyArray | None = None,
    failure: str = "",
    skipped: str = "",
) -> Text:
    """The summary of one array.

    Args:
        info: What is known of the array.
        name: What to call it instead of `info.type_name`.
        statistics: Facts about its values, if they were read.
        values: All its values, if they are few.
        failure: Why the values could not be read although they should have been.
        skipped: Why nobody tried.
    """
    spans: list[Span] = []
    title = name or info.type_name
    if title:
        spans.append((title, "type"))
        spans.append((" ", "plain"))
    spans.append((axes_text(info), "array"))
    facts = ""
    if values is not None:
        facts = values_text(values)
    elif statistics is not None:
        facts = statistics_text(statistics, info)
    if facts:
        spans.append((f" {facts}", "array"))
    if info.note:
        spans.append((f" {info.note}", "muted"))
    if info.problem:
        spans.append((f" <{info.problem}>", "error" if info.problem == "deleted" else "muted"))
    if skipped:
        spans.append((f" <{skipped}>", "muted"))
    if failure:
        spans.append((f" <{failure}>", "error"))
    return Text(tuple(spans))


def statistics_text(statistics: Statistics, info: ArrayInfo) -> str:
    """The facts about the values: moments, extremes, counts, distribution."""
    if info.dtype == "bool":
        trues = statistics.finite - statistics.zeros
        counts = {"true": trues, "false": statistics.zeros, "masked": statistics.masked}
        return " ".join(f"{name}:{count:_}" for name, count in counts.items() if count)
    parts = _value_parts(statistics, info.size)
    counts = {
        "zero": statistics.zeros,
        "nan": statistics.nans,
        "inf": statistics.positive_infinities,
        "-inf": statistics.negative_infinities,
        "masked": statistics.masked,
    }
    if _is_constant(statistics, info.size):
        del counts["zero"]
    parts += [f"{name}:{count:_}" for name, count in counts.items() if count]
    # At the end, for that is cut first where there is no room.
    parts += filter(None, [histogram_text(statistics.histogram)])
    return " ".join(parts)


def _is_constant(statistics: Statistics, size: int) -> bool:
    low, high = statistics.low, statistics.high
    return low is not None and statistics.finite == size and bool(low == high)


def _value_parts(statistics: Statistics, size: int) -> list[str]:
    if _is_constant(statistics, size):
        return [f"all {number_text(statistics.low, digits=4)}"]
    parts: list[str] = []
    if statistics.mean is not None:
        parts.append(f"≈{number_text(statistics.mean)}")
    if statistics.std is not None:
        parts.append(f"±{number_text(statistics.std)}")
    if statistics.low is not None:
        parts.append(f"[{number_text(statistics.low)}, {number_text(statistics.high)}]")
    return parts


def number_text(value: Any, digits: int = 2) -> str:
    """A number with few digits, but all before the point up to a million; integers exactly."""
    if isinstance(value, _EXACT):
        return str(value)
    if isinstance(value, complex):
        return f"{value:.{digits}g}"
    if type(value) is np.longdouble and value and float(value) in _BEYOND:
        return np.format_float_scientific(value, precision=digits - 1, trim="-")
    if 100 <= abs(value) < 1e6:
        return f"{value:.0f}"
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text


def values_text(values: NumpyArray) -> str:
    """All values of a short vector or a single number; `≈` in front if digits are left out."""
    items = [_item_text(value) for value in values.ravel()]
    text = ", ".join(item for item, _ in items)
    text = f"[{text}]" if values.ndim else text
    text = text if all(exact for _, exact in items) else f"≈{text}"
    return text if len(text) <= _LONGEST_VALUES else f"{text[: _LONGEST_VALUES - 1]}…"


def _item_text(value: Any) -> tuple[str, bool]:
    """One value as text, and whether the text says all of it."""
    if value is np.ma.masked:
        return "--", True
    if isinstance(value, np.str_ | np.bytes_ | str):
        return repr(value.item() if isinstance(value, np.generic) else value), True
    if number_kind(np.asarray(value).dtype) not in ("real", "complex"):
        return str(value), True
    number = complex if np.iscomplexobj(value) else float
    text = f"{number(value):.4g}"
    return text, bool(np.isnan(value) or type(value)(number(text)) == value)
