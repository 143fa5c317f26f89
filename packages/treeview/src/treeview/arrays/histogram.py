"""The shape of a distribution in a few characters: `▁▂▅█▅▂▁▁`.

The range of the values is divided into equal parts, and each part gets a block that is the higher
the more values fall into it. Where there are few different integers, every part holds whole ones;
if it holds more of them than other parts, its block is so much lower.

For that, some thousand values tell as much as all of them: a large array gives every n-th, where
n has no factor in common with the size of the array, so that no column of it is preferred.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

PARTS = 8
"""Into how many parts a range is divided at most."""

LEAST_VALUES = 32
"""The least number of values that have a histogram; fewer say nothing of a distribution."""

SAMPLE_SIZE = 1 << 13
"""About how many values of a large array are counted."""

_BLOCKS = "▁▂▃▄▅▆▇█"


def sample_step(size: int) -> int:
    """The distance between the values of an array that are counted; 1 for all of them."""
    step = max(size // SAMPLE_SIZE, 1)
    while math.gcd(step, size) > 1:
        step += 1
    return step


def histogram(
    values: np.ndarray[Any, np.dtype[Any]], low: Any, high: Any, *, whole: bool
) -> tuple[float, ...]:
    """How many values fall into each part of a range, relative to the other parts.

    Args:
        values: Finite numbers from the range, real or whole.
        low: The least of all values.
        high: The greatest.
        whole: Whether they are integers.

    Returns:
        A number for each part, or nothing where the range or the numbers are too few.
    """
    if values.size < LEAST_VALUES:
        return ()
    if whole:
        parts = part_count(low, high, whole=True)
        base = np.array(int(low) % (1 << 64), np.uint64)
        wide = values if values.dtype == np.uint64 else values.astype(np.int64).view(np.uint64)
        places = (wide - base).astype(np.float64) * parts / (int(high) - int(low) + 1)
    else:
        parts = PARTS
        # Halves, for the distance of the largest numbers is not finite.
        start, span = float(low) / 2, float(high) / 2 - float(low) / 2
        if not 0 < span < math.inf:
            return ()
        places = np.multiply(values, 0.5, dtype=np.float64)
        places -= start
        places /= span
        places *= parts
    numbers = np.minimum(places.astype(np.intp), parts - 1)
    counts = np.bincount(numbers, minlength=parts)
    return relative_counts(counts.tolist(), low, high, whole=whole)


def part_count(low: Any, high: Any, *, whole: bool) -> int:
    """Into how many parts a range is divided."""
    return min(PARTS, int(high) - int(low) + 1) if whole else PARTS


def relative_counts(
    counts: Sequence[int], low: Any, high: Any, *, whole: bool
) -> tuple[float, ...]:
    """Counts relative to how many different values a part can hold; nothing for a single value."""
    if low == high:
        return ()
    if not whole:
        return tuple(map(float, counts))
    size, parts = int(high) - int(low) + 1, len(counts)
    edges = [-(-number * size // parts) for number in range(parts + 1)]
    return tuple(
        count / (stop - start) for count, start, stop in zip(counts, edges, edges[1:], strict=False)
    )


def histogram_text(frequencies: Sequence[float]) -> str:
    """A block for each part; the lowest one also stands for no values at all."""
    most = max(frequencies, default=0)
    if not most > 0 or not all(map(math.isfinite, frequencies)):
        return ""
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(steps * max(count, 0) / most)] for count in frequencies)
