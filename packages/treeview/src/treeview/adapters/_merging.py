"""Statistics of arrays whose values lie in several pieces, or are in part not stored at all."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from treeview.arrays.protocol import Statistics, Window
from treeview.arrays.statistics import NumpyArray

_COUNTS = ("finite", "zeros", "nans", "positive_infinities", "negative_infinities", "masked")


def merged_statistics(parts: Sequence[Statistics]) -> Statistics:
    """Statistics of all values together, from those of parts that do not overlap.

    Args:
        parts: Statistics of each part; at least one.
    """
    counts: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in _COUNTS}
    filled = [part for part in parts if part.finite]
    lows = [part.low for part in filled if part.low is not None]
    highs = [part.high for part in filled if part.high is not None]
    mean, std = _moments(filled)
    return Statistics(
        **counts,
        mean=mean,
        std=std,
        low=min(lows, default=None),
        high=max(highs, default=None),
    )


def _moments(parts: Sequence[Statistics]) -> tuple[Any, float | None]:
    if not parts or any(part.mean is None or part.std is None for part in parts):
        return None, None
    count = sum(part.finite for part in parts)
    mean: Any = sum((part.mean or 0) * (part.finite / count) for part in parts)
    # Distances between means first: the difference of large squares would lose all digits.
    variance = sum(
        (part.finite / count) * ((part.std or 0) ** 2 + abs((part.mean or 0) - mean) ** 2)
        for part in parts
    )
    return mean, math.sqrt(variance)


def with_zeros(statistics: Statistics | None, count: int, zero: Any) -> Statistics | None:
    """Statistics of stored values together with zeros that are not stored.

    Args:
        statistics: Statistics of the stored values.
        count: How many zeros there are besides.
        zero: Zero, as a value of the element type.
    """
    if statistics is None or count <= 0:
        return statistics
    ordered = None if isinstance(zero, complex) else zero
    missing = Statistics(finite=count, mean=0.0, std=0.0, low=ordered, high=ordered, zeros=count)
    return merged_statistics([statistics, missing])


def dense_window(
    coordinates: Sequence[NumpyArray], values: NumpyArray, window: Window
) -> NumpyArray:
    """A window of an array of which only some values are stored.

    Args:
        coordinates: For each of the first axes, where the stored values are.
        values: The stored values, with the remaining axes in full; those at the same place add up.
        window: For each axis the sorted indices to show.
    """
    inside = np.ones(len(values), np.bool_)
    places: list[NumpyArray] = []
    for axis, indices in zip(coordinates, window, strict=False):
        place = np.searchsorted(indices, axis)
        place[place == len(indices)] = 0
        inside &= indices[place] == axis if len(indices) else False
        places.append(place)
    dense = np.zeros(tuple(len(indices) for indices in window), values.dtype)
    stored = values[np.ix_(np.flatnonzero(inside), *window[len(places) :])]
    np.add.at(dense, tuple(place[inside] for place in places), stored)
    return dense
