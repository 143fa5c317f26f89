"""The values behind the cells of a picture, as they were when it was drawn.

Numbers are kept as they lie in memory, so that nothing is rounded on the way to the reader; types
with few different values (truth values, float8, int4) and everything that has no numbers in a
browser (times, strings, objects, long doubles) as numbers of a table of texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from treeview._document import printable
from treeview._grid import CellKind, Grid, GridAxis
from treeview._guard import Damage, safe_repr
from treeview._names import class_of, type_name
from treeview.arrays.facets import axis_cut
from treeview.arrays.painting import Mask, Painting
from treeview.arrays.protocol import ArrayInfo, Axis, Window
from treeview.arrays.statistics import NumpyArray, number_kind
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axis_name

_LONGEST = 200
_RAW = frozenset({"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"})


def cell_grid(
    values: NumpyArray,
    info: ArrayInfo,
    window: Window,
    style: PictureStyle,
    painting: Painting,
    *,
    rows: Sequence[int],
    columns: Sequence[int],
    masked: Mask | None,
) -> Grid:
    """What a picture of an array knows of its cells.

    Args:
        values: The values in the window.
        info: What is known of the whole array.
        window: The indices of each axis that are shown.
        style: How they are drawn.
        painting: Their tiles.
        rows: The axes of the rows, innermost first.
        columns: The axes of the columns, innermost first.
        masked: Which of the values are not to be shown.
    """
    sliders = style.sliders
    order = (*sliders, *reversed(rows), *reversed(columns))
    kind, cells, texts = _kept(np.asarray(np.ma.getdata(values)).transpose(order))
    return Grid(
        axes=tuple(
            _grid_axis(number, axis, shown, style)
            for number, (axis, shown) in enumerate(zip(info.axes, window, strict=True))
        ),
        rows=tuple(rows),
        columns=tuple(columns),
        cell=painting.tiles.shape[1],
        sliders=sliders,
        kind=kind,
        values=cells,
        texts=texts,
        masked=None if masked is None else masked.transpose(order).ravel(),
        value_labels=style.value_labels,
        scale=painting.scale,
        position=tuple(style.slider_places[axis] for axis in sliders),
        tiles=painting.tiles if sliders else None,
        choice=painting.choice.transpose(order).ravel() if sliders else None,
    )


def region_grid(
    axes: Sequence[Axis],
    ranges: Mapping[int, Sequence[str]],
    grid: Grid,
    shown: Sequence[int],
    names: Mapping[int, str],
) -> Grid:
    """The grid of a picture whose cells stand for regions of an array and for who holds them.

    Args:
        axes: All axes of the array.
        ranges: For the axes that are split, what each index of the picture stands for.
        grid: The grid of the picture of the numbers of their holders.
        shown: The axes of the array that are axes of the picture.
        names: What the numbers mean.
    """
    found: list[GridAxis] = []
    for number, axis in enumerate(axes):
        name = None if axis.name is None else printable(axis_name(axis))
        if number in shown:
            drawn = grid.axes[shown.index(number)]
            kept = [*ranges[number][: drawn.cut or drawn.count]]
            kept += ranges[number][drawn.cut + drawn.jump :] if drawn.cut else []
            found.append(
                GridAxis(
                    name,
                    printable(axis_name(axis)),
                    drawn.count,
                    drawn.cut,
                    drawn.jump,
                    tuple(kept),
                )
            )
        else:
            found.append(GridAxis(name, axis_name(axis), 1, ranges=(f"0:{axis.size}",)))
    assert grid.values is not None  # numbers of holders are integers
    numbers = sorted(names)
    return Grid(
        axes=tuple(found),
        rows=tuple(shown[axis] for axis in grid.rows),
        columns=tuple(shown[axis] for axis in grid.columns),
        cell=grid.cell,
        kind="texts",
        values=np.searchsorted(numbers, grid.values),
        texts=tuple(names[number] for number in numbers),
    )


def _grid_axis(
    number: int, axis: Axis, shown: np.ndarray[Any, np.dtype[np.intp]], style: PictureStyle
) -> GridAxis:
    items = style.item_labels.get(number)
    label = style.axis_labels.get(number) or ""
    cut = axis_cut(shown)
    jump = int(shown[cut] - cut) if cut else 0
    plain = _plain_axis(axis, label, len(shown), cut, jump)
    if items is None:
        return plain
    return replace(plain, items=tuple(map(printable, _chosen(items, shown))))


@lru_cache(maxsize=256)
def _plain_axis(axis: Axis, label: str, count: int, cut: int, jump: int) -> GridAxis:
    name = printable(axis_name(axis))
    return GridAxis(None if axis.name is None else name, printable(label) or name, count, cut, jump)


def _chosen(items: Sequence[str], shown: np.ndarray[Any, np.dtype[np.intp]]) -> list[str]:
    return [items[int(index)] for index in shown]


def _kept(values: NumpyArray) -> tuple[CellKind, NumpyArray, tuple[str, ...]]:
    """Values in a row, and how they are kept."""
    dtype = values.dtype
    kind: Any = f"{dtype.kind}{dtype.itemsize}"
    if kind in _RAW:
        return kind, np.array(values, dtype.newbyteorder("<"), order="C").ravel(), ()
    if dtype.name == "bfloat16":
        return "bf", np.array(values, order="C").ravel().view(np.uint16), ()
    flat = values.ravel()
    if dtype.kind == "b":
        return "texts", flat.astype(np.uint8), ("False", "True")
    if number_kind(dtype):
        return _by_value(flat)
    return _by_text(flat)


def _by_value(flat: NumpyArray) -> tuple[CellKind, NumpyArray, tuple[str, ...]]:
    """Numbers and times of which few are different, or that no browser has."""
    is_small = flat.dtype.itemsize == 1
    # What extends NumPy has no order for every type, but all its values fit a byte.
    keys = np.ascontiguousarray(flat).view(np.uint8) if is_small else flat
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    distinct = flat[first]
    texts = (repr(value.item()) if is_small else str(value) for value in distinct)
    return "texts", places.ravel(), tuple(texts)


def _by_text(flat: NumpyArray) -> tuple[CellKind, NumpyArray, tuple[str, ...]]:
    """Strings and objects, the same if they are written the same."""
    numbers: dict[str, int] = {}
    items: Iterable[object] = flat.tolist()
    places = [numbers.setdefault(_written(value), len(numbers)) for value in items]
    return "texts", np.array(places, np.intp), tuple(numbers)


def _written(value: object) -> str:
    try:
        word = printable(safe_repr(value))
    except Damage:
        word = f"<{type_name(class_of(value))}>"
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"
