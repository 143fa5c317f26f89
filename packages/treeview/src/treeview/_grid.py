"""What a picture of an array knows of its cells: where they are, what they stand for, their values.

A picture is pixels; its grid is what a reader who points at one of them wants to be told. Values
are kept as they were when the picture was drawn, in the order of the picture: what the sliders
choose varies slowest, then the rows from top to bottom, then the columns from left to right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CellKind = Literal[
    "", "texts", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "bf", "c8", "c16"
]
"""How values are kept: not at all, as numbers of a table of texts, or as they lie in memory."""


@dataclass(frozen=True, slots=True)
class GridAxis:
    """One axis of an array in a picture.

    Attributes:
        name: Its name, or None for an axis that has only a position.
        label: What it is called in words, such as `axis 0`.
        count: How many of its indices are shown.
        cut: Before which of the shown indices some are left out, or 0.
        jump: How many are left out there.
        ranges: For each shown index what it stands for, where that is not the index itself.
        items: What each shown index is called, such as a token.
    """

    name: str | None
    label: str
    count: int
    cut: int = 0
    jump: int = 0
    ranges: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How values became colours of a map.

    Attributes:
        table: The colours, `uint8[count, 4]`.
        low: The value of the first colour.
        high: The value of the last colour.
        clipped: Whether there are values beyond these two.
        dynamic: Whether a click may choose another scale.
    """

    table: Array
    low: float
    high: float
    clipped: bool = False
    dynamic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The cells of a picture.

    Attributes:
        axes: All axes in the order of the data.
        rows: Those of the rows, innermost first.
        columns: Those of the columns, innermost first.
        sliders: Those of which one index at a time is shown.
        cell: How many pixels of the image a cell has.
        top: Where the grid begins in the image, in pixels from above.
        part: Which field of a structured array it shows, or empty.
        kind: How the values are kept.
        values: The values in the order of the picture, or numbers of `texts`.
        texts: What the values are written like, where they are no numbers.
        masked: Which values are not to be shown, in the same order; None for none of them.
        value_labels: What integers stand for.
        scale: How values became colours; None where they did otherwise.
        position: The index of each slider at first.
        tiles: For pictures with sliders, the tiles, `uint8[count, cell, cell, 4]`.
        choice: For pictures with sliders, the tile of each value.
    """

    axes: tuple[GridAxis, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    cell: int
    sliders: tuple[int, ...] = ()
    top: int = 0
    part: str = ""
    kind: CellKind = ""
    values: Array | None = None
    texts: tuple[str, ...] = ()
    masked: Array | None = None
    value_labels: Mapping[int, str] = field(default_factory=dict[int, str])
    scale: Scale | None = None
    position: tuple[int, ...] = ()
    tiles: Array | None = None
    choice: Array | None = None
