"""Integers as nested squares, one square for each decimal digit.

The outermost square shows the first digit, the next one inside it the second digit, and so on. A
digit that repeats the one around it is drawn lighter, so that the border stays visible. A dark
corner marks a negative number.
"""

from typing import Any

import numpy as np

from treeview.arrays.colors import Colors, digit_colors

MOST_DIGITS = 7
_MINUS = (0, 0, 0, 255)

Integers = np.ndarray[Any, np.dtype[Any]]


def cell_pixels(low: int, high: int) -> int:
    """How many pixels a side of a square needs for all numbers from `low` to `high`."""
    if low >= 0 and high <= 9:
        return 1
    return 7 if digit_count(low, high) <= 3 else 14


def digit_count(low: int, high: int) -> int:
    """How many decimal digits the longest number between `low` and `high` has."""
    return len(str(max(abs(low), abs(high))))


def digit_tiles(values: Integers, cell: int) -> Colors:
    """The squares of some numbers.

    Args:
        values: Integers of at most seven digits, `int[count]`.
        cell: Pixels of a side: at least 7 for three digits, 14 for more, 1 for a single digit.

    Returns:
        `uint8[count, cell, cell, 4]`.
    """
    colors = digit_colors()
    magnitudes = np.abs(values.astype(np.int64))
    counts = np.maximum(1, sum((magnitudes >= 10**k).astype(int) for k in range(MOST_DIGITS)))
    tiles = np.empty((len(values), cell, cell, 4), np.uint8)
    for count in np.unique(counts).tolist():
        members = np.flatnonzero(counts == count)
        powers = np.array([10**k for k in reversed(range(count))], np.int64)
        digits = magnitudes[members, None] // powers % 10
        lighter = np.zeros(digits.shape, bool)
        for k in range(1, count):
            lighter[:, k] = (digits[:, k] == digits[:, k - 1]) & ~lighter[:, k - 1]
        shades = colors[digits]
        shades[lighter] = (shades[lighter].astype(int) + 255) // 2
        for k in range(count):
            start = (cell - _square_side(cell, k, count)) // 2
            inside = slice(start, cell - start)
            tiles[members, inside, inside] = shades[:, k, None, None]
    corner = np.add.outer(np.arange(cell), np.arange(cell)) < max(cell // 3, 1)
    tiles[(values < 0)[:, None, None] & corner] = _MINUS
    return tiles


def _square_side(cell: int, depth: int, count: int) -> int:
    """The side of a nested square, of the same parity as the cell so that it can be centred."""
    side = cell * (count - depth) / count
    return 2 * int(side / 2) + 1 if cell % 2 else 2 * round(side / 2)
