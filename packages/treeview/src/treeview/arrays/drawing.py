"""Pictures of the values of an array.

Real numbers become colours of a map, integers nested squares (or colours, if they are long), truth
values two colours. What is not a finite number is drawn as a mark, not only as a colour.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np

from treeview._document import ColorScale, EdgeLabel, Picture, text
from treeview.arrays import colors
from treeview.arrays.colors import Colors
from treeview.arrays.digits import MOST_DIGITS, cell_pixels, digit_count, digit_tiles
from treeview.arrays.facets import Side, assign_axes, lay_out_side
from treeview.arrays.picture import compose
from treeview.arrays.protocol import ArrayInfo, Window
from treeview.arrays.statistics import NumberKind, NumpyArray, number_kind
from treeview.arrays.summary import axes_text, axis_name, number_text
from treeview.arrays.windows import balanced_window

_MARKED_CELL = 7
_INDEX_WIDTH = 7  # CSS pixels that a digit of a label takes
_LABEL_HEIGHT = 12
_NUMERIC = re.compile(r"bool|u?int\d|b?float\d|complex|datetime64|timedelta64|[<>=][iufcmM]\d")
_NAN, _POSITIVE, _NEGATIVE, _MASKED = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStyle:
    """How an array is drawn; axes are counted in the order of the data.

    Attributes:
        rows: Axes for the rows, innermost first; what is given nowhere is assigned automatically.
        columns: Axes for the columns, innermost first.
        continuous: Whether values become colours of a map rather than nested squares.
        around_zero: Whether the map has its middle at zero.
        low: The value of the first colour, or None for the least value shown.
        high: The value of the last colour, or None for the greatest value shown.
        trim_outliers: Whether inferred limits leave out what is far from the rest.
        colormap: Colours to use instead, `uint8[count, 4]`.
        maximum_size: How many values to show at most; None for all.
        axis_cutoff: How many indices of one axis to show at most.
        minimum_edge: How many indices to keep at either end of an axis.
        axis_labels: What to call axes.
        item_labels: What to call the indices of axes.
        value_labels: What integers stand for.
        pixels_per_cell: The side of a cell in CSS pixels; None for 7 in large pictures and up to
            14 in small ones.
    """

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    continuous: bool | Literal["auto"] = "auto"
    around_zero: bool | Literal["auto"] = "auto"
    low: float | None = None
    high: float | None = None
    trim_outliers: bool = True
    colormap: Colors | None = None
    maximum_size: int | None = 10_000
    axis_cutoff: int | None = None
    minimum_edge: int = 5
    axis_labels: Mapping[int, str] = field(default_factory=dict[int, str])
    item_labels: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    value_labels: Mapping[int, str] = field(default_factory=dict[int, str])
    pixels_per_cell: float | None = None

    def window(self, shape: Sequence[int]) -> Window:
        """The indices of each axis that are shown."""
        return balanced_window(
            shape,
            maximum_size=self.maximum_size,
            axis_cutoff=self.axis_cutoff,
            minimum_edge=self.minimum_edge,
        )


@dataclass(frozen=True, slots=True)
class _Painting:
    """Tiles, the tile of each value, and what explains them."""

    tiles: Colors
    choice: np.ndarray[Any, np.dtype[Any]]
    legend: ColorScale | None
    facts: str


def can_draw(info: ArrayInfo) -> bool:
    """Whether values of this type have a picture and there are any."""
    return info.size > 0 and _NUMERIC.match(info.dtype) is not None


def draw_picture(
    values: NumpyArray,
    info: ArrayInfo,
    window: Window,
    style: PictureStyle,
    valid: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
) -> Picture:
    """Draws the values in a window of an array.

    Args:
        values: The values in the window.
        info: What is known of the whole array.
        window: The indices of each axis that are shown.
        style: How to draw.
        valid: Which of the values to show, of the shape of `values`; the others are masked.

    Raises:
        ValueError: Values of this type have no picture.
    """
    rows, columns = assign_axes(info.axes, values.shape, style.rows, style.columns)
    masked = _masked_values(values, valid)
    values = np.asarray(np.ma.getdata(values))
    if not values.size:
        return Picture(np.zeros((1, 1, 4), np.uint8), 1, f"{axes_text(info)} without values")
    painting = _paint(values, masked, style)
    cell = painting.tiles.shape[1]
    row_side = lay_out_side(rows, window, cell)
    column_side = lay_out_side(columns, window, cell)
    order = (*reversed(rows), *reversed(columns))
    grid = painting.choice.transpose(order).reshape(len(row_side.starts), len(column_side.starts))
    scale = (style.pixels_per_cell or _cell_size(max(grid.shape))) / cell
    labels = (
        *_side_labels(row_side, "left", info, window, style, scale),
        *_side_labels(column_side, "top", info, window, style, scale),
    )
    return Picture(
        pixels=compose(painting.tiles, grid, row_side, column_side),
        scale=scale,
        description=_description(info, rows, columns, painting.facts),
        labels=labels,
        scale_legend=painting.legend,
        caption=text((_caption(info, window, style), "muted")),
    )


def _cell_size(cells: int) -> int:
    """CSS pixels of a cell: larger where there are few along the longer side."""
    return 14 if cells <= 24 else 10 if cells <= 48 else 7


def _masked_values(
    values: NumpyArray, valid: np.ndarray[Any, np.dtype[np.bool_]] | None
) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if valid is None:
        return masked
    return ~valid if masked is None else masked | ~valid


def _paint(
    values: NumpyArray, masked: np.ndarray[Any, np.dtype[np.bool_]] | None, style: PictureStyle
) -> _Painting:
    kind = number_kind(values.dtype)
    if kind in ("bool", "integer") and style.continuous is not True:
        painting = _paint_integers(values, masked, style)
        if painting is not None:
            return painting
    numbers, scale = _real_values(values, kind)
    return _paint_numbers(numbers, scale, masked, style)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the numbers behind the colours are to be read."""

    meaning: str = "values"
    write: Callable[[float], str] = partial(number_text, digits=3)


def _real_values(values: NumpyArray, kind: NumberKind) -> tuple[NumpyArray, _Reading]:
    """Values as float64, and how to read them."""
    with np.errstate(all="ignore"):
        if kind == "complex":
            return np.abs(values).astype(np.float64), _Reading("magnitudes")
        if kind == "time":
            numbers = values.astype(np.int64).astype(np.float64)
            numbers[np.isnat(values)] = np.nan
            unit = values.dtype.newbyteorder("=")
            return numbers, _Reading("times", lambda value: str(np.int64(value).astype(unit)))
        if kind:
            return values.astype(np.float64), _Reading()
    raise ValueError(f"Expected an array of numbers to draw, got {values.dtype}.")


# --- integers ---------------------------------------------------------------------------------


def _paint_integers(
    values: NumpyArray, masked: np.ndarray[Any, np.dtype[np.bool_]] | None, style: PictureStyle
) -> _Painting | None:
    """Nested squares or the colours of a given palette; None if the numbers are too long."""
    numbers = values.astype(np.int64) if values.dtype.kind in "bV" else values
    shown = numbers if masked is None else numbers[~masked]
    low, high = (int(shown.min()), int(shown.max())) if shown.size else (0, 0)
    facts = f"values from {low} to {high}" if shown.size else "all values masked"
    if style.colormap is not None:
        return _paint_palette(numbers, masked, style.colormap, facts)
    if digit_count(low, high) > MOST_DIGITS:
        return None
    if masked is not None:
        numbers = np.where(masked, low, numbers)
    cell = cell_pixels(low, high)
    if masked is not None and masked.any():
        cell = max(cell, _MARKED_CELL)
    distinct, choice = np.unique(numbers, return_inverse=True)
    choice = choice.reshape(values.shape)
    tiles = digit_tiles(distinct, cell)
    if masked is not None and masked.any():
        choice = np.where(masked, len(tiles), choice)
        tiles = np.concatenate([tiles, _marked_tiles(cell)[_MASKED:]])
    if values.dtype.kind == "b":
        legend = ColorScale(colors.css_colors(colors.digit_colors()[:2]), "False", "True")
        return _Painting(tiles, choice, legend, "truth values")
    note = "digits from the outside in" if high > 9 or low < -9 else ""
    legend = ColorScale(colors.css_colors(colors.digit_colors()), "0", "9", note)
    return _Painting(tiles, choice, legend, facts)


def _paint_palette(
    numbers: NumpyArray,
    masked: np.ndarray[Any, np.dtype[np.bool_]] | None,
    palette: Colors,
    facts: str,
) -> _Painting:
    """Each integer chooses its colour; what the palette does not have is marked like NaN."""
    count = len(palette)
    missing = (numbers < 0) | (numbers >= count)
    choice = np.where(missing, count + _NAN, numbers).astype(np.intp)
    if masked is not None:
        choice = np.where(masked, count + _MASKED, choice)
    cell = _MARKED_CELL if (choice >= count).any() else 1
    tiles = np.concatenate([_flat_tiles(palette, cell), _marked_tiles(cell)])
    legend = ColorScale(colors.css_colors(palette, count), "0", str(count - 1))
    return _Painting(tiles, choice, legend, facts)


# --- real numbers -----------------------------------------------------------------------------


def _paint_numbers(
    values: NumpyArray,
    reading: _Reading,
    masked: np.ndarray[Any, np.dtype[np.bool_]] | None,
    style: PictureStyle,
) -> _Painting:
    finite = np.isfinite(values)
    shown = finite if masked is None else finite & ~masked
    plain = bool(shown.all())
    numbers = values.ravel() if plain else values[shown]
    low, high, centred = color_limits(numbers, style)
    table = style.colormap
    if table is None:
        table = colors.diverging_map() if centred else colors.sequential_map()
    # Halves keep the distance between the extremes of float64 finite.
    half = high / 2 - low / 2
    with np.errstate(all="ignore"):
        places = (values / 2 - low / 2) / half if half > 0 else np.full(values.shape, 0.5)
        places = np.clip(places, 0, 1) * (len(table) - 1)
        if plain:
            choice = np.rint(places).astype(np.intp)
        else:
            choice = np.rint(np.where(shown, places, 0)).astype(np.intp)
            choice = _with_marks(choice, values, masked, len(table))
    cell = 1 if plain else _MARKED_CELL
    tiles = _flat_tiles(table, cell)
    if not plain:
        tiles = np.concatenate([tiles, _marked_tiles(cell)])
    return _Painting(
        tiles,
        choice,
        _number_legend(table, numbers, low, high, reading),
        _number_facts(numbers, values, masked, reading),
    )


def color_limits(numbers: NumpyArray, style: PictureStyle) -> tuple[float, float, bool]:
    """The values of the first and the last colour, and whether zero is in the middle.

    Inferred limits are the extremes, or three standard deviations from the mean (three root mean
    squares from zero) where that is less and outliers are trimmed.

    Args:
        numbers: The finite values that are shown, as float64.
        style: Limits that are given, and wishes.
    """
    low, high = style.low, style.high
    least, greatest = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    centred = style.around_zero
    if centred == "auto":
        given = low is not None or high is not None
        centred = low == -high if low is not None and high is not None else False
        centred = centred or (not given and least < 0 < greatest)
    if low is None and high is None:
        if centred:
            high = max(-least, greatest)
            low = -high
        else:
            low, high = least, greatest
        if style.trim_outliers and numbers.size:
            middle, spread = _middle_and_spread(numbers, high if centred else None)
            low, high = max(low, middle - 3 * spread), min(high, middle + 3 * spread)
    elif centred:
        bound = abs(high if high is not None else low or 0.0)
        low, high = -bound, bound
    else:
        low = least if low is None else low
        high = greatest if high is None else high
    return low, max(low, high), bool(centred)


def _middle_and_spread(numbers: NumpyArray, bound: float | None) -> tuple[float, float]:
    """Mean and deviation, or zero and the root of the mean square if there is a bound."""
    largest = float(np.abs(numbers).max()) or 1.0
    scaled = numbers / largest
    if bound is not None:
        return 0.0, math.sqrt(float(np.square(scaled).mean())) * largest
    return float(scaled.mean()) * largest, float(scaled.std()) * largest


def _with_marks(
    choice: np.ndarray[Any, np.dtype[Any]],
    values: NumpyArray,
    masked: np.ndarray[Any, np.dtype[np.bool_]] | None,
    count: int,
) -> np.ndarray[Any, np.dtype[Any]]:
    choice[np.isnan(values)] = count + _NAN
    choice[values == np.inf] = count + _POSITIVE
    choice[values == -np.inf] = count + _NEGATIVE
    if masked is not None:
        choice[masked] = count + _MASKED
    return choice


def _number_legend(
    table: Colors, numbers: NumpyArray, low: float, high: float, reading: _Reading
) -> ColorScale:
    clipped = int(np.count_nonzero((numbers < low) | (numbers > high)))
    notes = [] if reading.meaning == "values" else [reading.meaning]
    if clipped:
        notes.append(f"{clipped:_} beyond the scale")
    texts = reading.write(low), reading.write(high)
    return ColorScale(colors.css_colors(table), *texts, ", ".join(notes))


def _number_facts(
    numbers: NumpyArray,
    values: NumpyArray,
    masked: np.ndarray[Any, np.dtype[np.bool_]] | None,
    reading: _Reading,
) -> str:
    facts = "no finite values"
    if numbers.size:
        least, greatest = float(numbers.min()), float(numbers.max())
        facts = f"{reading.meaning} from {reading.write(least)} to {reading.write(greatest)}"
    if numbers.size == values.size:
        return facts
    seen = values if masked is None else values[~masked]
    counts = {
        "NaN": int(np.isnan(seen).sum()),
        "infinite": int(np.isinf(seen).sum()),
        "masked": values.size - seen.size,
    }
    return ", ".join([facts, *(f"{count:_} {name}" for name, count in counts.items() if count)])


# --- tiles ------------------------------------------------------------------------------------


def _flat_tiles(table: Colors, cell: int) -> Colors:
    if cell == 1:
        return table[:, None, None]
    return np.broadcast_to(table[:, None, None], (len(table), cell, cell, 4))


def _marked_tiles(cell: int) -> Colors:
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


# --- texts ------------------------------------------------------------------------------------


def _label_of(axis: int, info: ArrayInfo, style: PictureStyle) -> str:
    if axis in style.axis_labels:
        return style.axis_labels[axis]
    return f"{axis_name(info.axes[axis])}: {info.axes[axis].size}"


def _side_labels(
    side: Side,
    where: Literal["left", "top"],
    info: ArrayInfo,
    window: Window,
    style: PictureStyle,
    scale: float,
) -> list[EdgeLabel]:
    """Labels of indices and names of axes, from the picture outwards."""
    labels: list[EdgeLabel] = []
    row = 0
    for depth, level in enumerate(side.levels):
        indices = window[level.axis].tolist()
        items = style.item_labels.get(level.axis)
        names = [str(items[index]) if items else str(index) for index in indices]
        room = level.extent * scale
        needed = _LABEL_HEIGHT if where == "left" else _INDEX_WIDTH * max(map(len, names))
        if items or (depth > 0 and needed <= room):
            labels += [
                EdgeLabel(where, start, start + level.extent, name, row)
                for starts in level.starts.tolist()
                for start, name in zip(starts, names, strict=True)
            ]
            row += 1
        labels.append(EdgeLabel(where, 0, side.length, _label_of(level.axis, info, style), row))
        row += 1
    return labels


def _description(info: ArrayInfo, rows: Sequence[int], columns: Sequence[int], facts: str) -> str:
    parts = [f"{axes_text(info)}: {facts}"]
    for side, axes in (("rows", rows), ("columns", columns)):
        if axes:
            names = (axis_name(info.axes[axis]) for axis in axes)
            parts.append(f"{side}: {' within '.join(names)}")
    return "; ".join(parts)


def _caption(info: ArrayInfo, window: Window, style: PictureStyle) -> str:
    parts: list[str] = []
    for axis, indices in zip(info.axes, window, strict=True):
        if len(indices) < axis.size:
            parts.append(f"{len(indices)} of {axis.size} along {axis_name(axis)}")
    shown = ["showing " + ", ".join(parts)] if parts else []
    if style.value_labels:
        items = list(style.value_labels.items())
        named = ", ".join(f"{value} = {label}" for value, label in items[:20])
        shown.append(named + (", …" if len(items) > 20 else ""))
    return "; ".join(shown)
