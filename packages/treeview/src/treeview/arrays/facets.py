"""Where the elements of an array of any rank stand in a picture.

Every axis goes to the rows or to the columns. On each side the innermost axis runs over adjacent
cells; each further axis repeats what is inside it, with a gap that doubles from level to level, so
that facets of facets stay apart. Where a window leaves out the middle of an axis, a strip of one
cell marks the cut.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from treeview.arrays.protocol import Axis, Window

Positions = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class Level:
    """One axis on a side of a picture.

    Attributes:
        axis: The axis, counted in the order of the data.
        starts: Where each shown index starts, in pixels, for each combination of the axes outside
            of it: `int[combinations, indices]`.
        extent: How many pixels one index takes.
    """

    axis: int
    starts: Positions
    extent: int


@dataclass(frozen=True, slots=True)
class Side:
    """The rows or the columns of a picture.

    Attributes:
        levels: Its axes, innermost first.
        starts: Where each cell starts, in pixels; the outermost axis varies slowest.
        cuts: Where strips start that mark indices left out.
        length: How many pixels the side has.
        cell: How many pixels a cell has.
    """

    levels: tuple[Level, ...]
    starts: Positions
    cuts: Positions
    length: int
    cell: int


# Where an axis lost some indices, as those of 64 x 8 x 8 values may, a square is still one.
_HIGHEST = 1.25
# Three times as high as wide is still better than a strip of ten times its height.
_HIGHEST_STRIP, _LONGEST = 3, 10


def assign_axes(
    axes: Sequence[Axis],
    sizes: Sequence[int],
    rows: Sequence[int] = (),
    columns: Sequence[int] = (),
    sliders: Sequence[int] = (),
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Decides for every axis whether it goes to the rows or to the columns.

    Two positional axes are rows and columns, as in a printed matrix. Otherwise the longest axes
    choose first, and each goes where the picture becomes more nearly square, but hardly ever higher
    than wide, unless it would be a long strip instead.

    Args:
        axes: All axes.
        sizes: How many indices of each are shown.
        rows: Axes for the rows, innermost first, in the order of the data.
        columns: Axes for the columns, innermost first.
        sliders: Axes of which one index at a time is shown.

    Returns:
        Rows and columns, innermost first: the given ones, then positional axes from the last to
        the first, then named ones from the last to the first.
    """
    taken = {*rows, *columns, *sliders}
    free = [axis for axis in range(len(axes)) if axis not in taken]
    positional = [axis for axis in free if axes[axis].position is not None]
    if len(free) == len(positional) == 2 and not (rows or columns):
        first, second = sorted(positional, key=lambda axis: axes[axis].position or 0)
        return (first,), (second,)
    height = math.prod(sizes[axis] for axis in rows)
    width = math.prod(sizes[axis] for axis in columns)
    to_rows: list[int] = []
    to_columns: list[int] = []
    for axis in sorted(free, key=lambda axis: (-sizes[axis], -axis)):
        longer = width * sizes[axis] > _LONGEST * height
        if height * sizes[axis] > (_HIGHEST_STRIP if longer else _HIGHEST) * width:
            to_columns.append(axis)
            width *= sizes[axis]
        else:
            to_rows.append(axis)
            height *= sizes[axis]

    def inner_first(axis: int) -> tuple[bool, int]:
        position = axes[axis].position
        return position is None, -(axis if position is None else position)

    return (
        (*rows, *sorted(to_rows, key=inner_first)),
        (*columns, *sorted(to_columns, key=inner_first)),
    )


def lay_out_side(axes: Sequence[int], window: Window, cell: int) -> Side:
    """Places the shown indices of some axes along one side.

    Args:
        axes: The axes, innermost first.
        window: The indices to show of every axis of the array.
        cell: How many pixels a cell has.
    """
    return _lay_out(tuple((axis, len(window[axis]), axis_cut(window[axis])) for axis in axes), cell)


def axis_cut(indices: Positions) -> int:
    """Before which of the shown indices some are left out, or 0."""
    if not len(indices) or indices[-1] - indices[0] + 1 == len(indices):
        return 0
    half = len(indices) // 2  # where windows leave out what they do
    if indices[half] - indices[half - 1] > 1:
        return half
    return int(np.flatnonzero(np.diff(indices) > 1)[0]) + 1


@lru_cache(maxsize=256)
def _lay_out(axes: tuple[tuple[int, int, int], ...], cell: int) -> Side:
    """A side from the number, the count of indices and the cut of each of its axes."""
    starts = np.zeros(1, np.intp)
    cuts = np.zeros(0, np.intp)
    extent = cell
    inner: list[tuple[int, Positions, int]] = []
    for depth, (axis, count, cut) in enumerate(axes):
        gap = cell << (depth - 1) if depth else 0
        own = np.arange(count) * (extent + gap)
        inner.append((axis, own, extent))
        strips = own[cut : cut + 1].copy() if cut else own[:0]
        if cut:
            own[cut:] += cell + gap
        cuts = np.append(np.add.outer(own, cuts), strips)
        starts = np.add.outer(own, starts).ravel()
        extent = int(own[-1]) + extent
    levels: list[Level] = []
    outside = np.zeros(1, np.intp)
    for axis, own, size in reversed(inner):
        grid = np.add.outer(outside, own)
        levels.insert(0, Level(axis, grid, size))
        outside = grid.ravel()
    for positions in (starts, cuts):
        positions.flags.writeable = False
    return Side(tuple(levels), starts, cuts, extent, cell)
