"""The little images that pictures are made of, for values that are not numbers too."""

import numpy as np

from treeview.arrays import colors
from treeview.arrays.colors import Colors

NAN, POSITIVE, NEGATIVE, MASKED = range(4)
"""The order of `marked_tiles`."""

MARKED_CELL = 7
"""Pixels that a mark needs."""


def flat_tiles(table: Colors, cell: int) -> Colors:
    """A tile of each colour, `uint8[count, cell, cell, 4]`."""
    if cell == 1:
        return table[:, None, None]
    return np.broadcast_to(table[:, None, None], (len(table), cell, cell, 4))


def marked_tiles(cell: int) -> Colors:
    """Tiles for NaN (a cross), infinities (triangles up and down) and masked values (dots)."""
    x, y = np.meshgrid(np.arange(cell), np.arange(cell))
    edge = max(cell // 7, 1) if cell > 1 else 0
    thick = max(cell // 14, 1) - 1
    inner = (x >= edge) & (x < cell - edge) & (y >= edge) & (y < cell - edge)
    cross = inner & ((np.abs(x - y) <= thick) | (np.abs(x + y - cell + 1) <= thick))
    up = inner & (2 * np.abs(x - (cell - 1) / 2) <= y - edge + 0.5)
    dots = (x % (cell // 2 + 1) == edge) & (y % (cell // 2 + 1) == edge)
    marks = [
        (colors.NAN, colors.NAN_MARK, cross),
        (colors.POSITIVE_INFINITY, colors.INFINITY_MARK, up),
        (colors.NEGATIVE_INFINITY, colors.INFINITY_MARK, up[::-1]),
        (colors.MASKED, colors.MASKED_MARK, dots),
    ]
    return np.stack(
        [
            np.where(mark[..., None], colors.opaque(color), colors.opaque(ground))
            for ground, color, mark in marks
        ]
    )
