"""Which part of a large array is fetched and shown.

A window keeps the same number of indices at both ends of an axis. The sizes of long axes shrink
together, in proportion to their square roots: an axis a hundred times longer is still shown ten
times longer, and a small axis is shown whole.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from treeview.arrays.protocol import Window

Values = np.ndarray[Any, np.dtype[Any]]

_MOST_INDEXED = 32  # NumPy allows more axes than it indexes together


def balanced_window(
    shape: Sequence[int],
    *,
    maximum_size: int | None,
    axis_cutoff: int | None = None,
    minimum_edge: int = 5,
) -> Window:
    """The indices to show of each axis so that their product is about `maximum_size`.

    Args:
        shape: Sizes of the axes.
        maximum_size: How many values to show at most; None for all. The limit gives way to
            `minimum_edge` where an array has many long axes.
        axis_cutoff: How many indices of one axis to show at most; longer axes get ten more for
            each doubling.
        minimum_edge: How many indices to keep at either end of an axis at least.
    """
    limits = [_shown(size, _axis_limit(size, axis_cutoff, minimum_edge)) for size in shape]
    if maximum_size is None or math.prod(limits) <= maximum_size:
        return tuple(map(axis_window, shape, limits))
    roots = [math.sqrt(size) for size in shape]
    axes = [
        (size, limit, min(limit, 2 * minimum_edge), root)
        for size, limit, root in zip(shape, limits, roots, strict=True)
    ]

    def counts(scale: float) -> list[int]:
        return [
            _shown(size, min(limit, max(least, int(scale * root))))
            for size, limit, least, root in axes
        ]

    low, high = 0.0, max(roots)
    # Until there is but one scale between at which an axis gets one more.
    while sum([int(high * root) - int(low * root) for root in roots]) > 1:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if math.prod(counts(middle)) <= maximum_size:
            low = middle
        else:
            high = middle
    return tuple(map(axis_window, shape, counts(low)))


def take_window(values: Values, window: Window) -> Values:
    """A copy of the values in a window.

    Args:
        values: An array of NumPy, masked or not.
        window: The indices of each of its axes.
    """
    if not window:
        return values.copy()
    if values.ndim <= _MOST_INDEXED:
        return values[np.ix_(*window)]
    long = [axis for axis, size in enumerate(values.shape) if size != 1]
    inner = values.squeeze(axis=tuple(set(range(values.ndim)) - set(long)))
    picked = inner[np.ix_(*(window[axis] for axis in long))] if long else inner.copy()
    return picked.reshape([len(indices) for indices in window])


def _axis_limit(size: int, cutoff: int | None, minimum_edge: int) -> int:
    if cutoff is None or size <= cutoff:
        return size
    doublings = math.log2(size / max(cutoff, 1))
    return min(size, max(int(cutoff + 10 * doublings), 2 * minimum_edge))


def axis_window(size: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """About `count` indices of an axis, half of them from either end."""
    count = _shown(size, count)
    if count == size:
        return np.arange(size)
    return np.concatenate([np.arange(count // 2), np.arange(size - count // 2, size)])


def _shown(size: int, count: int) -> int:
    """How many indices are shown where `count` may be: an even number, or all but for one."""
    return size if count >= size - 1 else 2 * max(count // 2, 1)
