"""Pictures of the values of an array."""

import re
from dataclasses import replace

import numpy as np

from treeview._document import Picture, Text, text
from treeview.arrays.categories import paint_categories
from treeview.arrays.cells import cell_grid
from treeview.arrays.elements import dtype_name
from treeview.arrays.facets import assign_axes, lay_out_side
from treeview.arrays.labels import picture_caption, picture_description, side_labels, slice_text
from treeview.arrays.painting import Mask, Painting, paint_values
from treeview.arrays.panels import stack_pictures
from treeview.arrays.phases import paint_phases
from treeview.arrays.picture import compose
from treeview.arrays.protocol import ArrayInfo, Axis, Window
from treeview.arrays.ranges import paint_ranges
from treeview.arrays.statistics import NumpyArray, number_kind
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text

_MOST_FIELDS = 12
_NAMED = re.compile(r"object|str|[<>=|]?[USTO]\d*|bytes|\{")
_TEXTS = re.compile(r"[<>=|]?[US]\d*")
_NUMERIC = re.compile(r"bool|q?u?int\d|b?float\d|complex|datetime64|timedelta64|[<>=][iufcmM]\d")


def can_draw(info: ArrayInfo) -> bool:
    """Whether values of this type have a picture and there are any."""
    return info.size > 0 and _NUMERIC.match(info.dtype) is not None


def is_text(info: ArrayInfo) -> bool:
    """Whether the values are texts, which have a colour for each of a few different ones."""
    return info.size > 0 and _TEXTS.fullmatch(info.dtype) is not None


def can_draw_unasked(info: ArrayInfo) -> bool:
    """Whether values of this type are drawn in trees; objects are not, their texts take time."""
    is_record = info.size > 0 and info.dtype.startswith("{") and "object" not in info.dtype
    return is_record or can_draw(info) or is_text(info)


def draw_picture(
    values: NumpyArray,
    info: ArrayInfo,
    window: Window,
    style: PictureStyle,
    valid: Mask | None = None,
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
    rows, columns = assign_axes(info.axes, values.shape, style.rows, style.columns, style.sliders)
    masked = _masked_values(values, valid)
    if not values.size:
        empty = f"{axes_text(info)} without values"
        return Picture(np.zeros((1, 1, 4), np.uint8), 1, empty, caption=text((empty, "muted")))
    if values.dtype.names:
        return _field_pictures(values, info, window, style, valid)
    painting = _paint(np.asarray(np.ma.getdata(values)), masked, window, style)
    cell = painting.tiles.shape[1]
    row_side = lay_out_side(rows, window, cell)
    column_side = lay_out_side(columns, window, cell)
    order = (*style.sliders, *reversed(rows), *reversed(columns))
    seen = painting.choice.transpose(order)[tuple(map(style.slider_places.get, style.sliders))]
    grid = seen.reshape(len(row_side.starts), len(column_side.starts))
    scale = (style.pixels_per_cell or _cell_size(max(grid.shape))) / cell
    labels = (
        *side_labels(row_side, "left", info, window, style, scale=scale),
        *side_labels(column_side, "top", info, window, style, scale=scale),
    )
    cells = cell_grid(
        values, info, window, style, painting, rows=rows, columns=columns, masked=masked
    )
    said = slice_text(info, window, style)
    # Legends with names say what the caption would.
    captioned = replace(style, value_labels={}) if painting.named else style
    return Picture(
        pixels=compose(painting.tiles, grid, row_side, column_side),
        scale=scale,
        description=picture_description(info, rows, columns, painting.facts) + said,
        labels=labels,
        legends=painting.legends,
        caption=_caption(info, window, captioned),
        grids=(cells,),
    )


def _caption(info: ArrayInfo, window: Window, style: PictureStyle) -> Text:
    shown = picture_caption(info, window, style)
    if not style.sliders:
        return text((shown, "muted"))
    gap = "; " if shown else ""
    said = slice_text(info, window, style).removeprefix("; ")
    return text((shown, "muted"), (f"{gap}{said}, which a script moves", "comment"))


def can_draw_any(info: ArrayInfo) -> bool:
    """Whether there are values and they have a picture, be it of categories or of fields."""
    return info.size > 0 and (can_draw(info) or _NAMED.match(info.dtype) is not None)


def _field_pictures(
    values: NumpyArray, info: ArrayInfo, window: Window, style: PictureStyle, valid: Mask | None
) -> Picture:
    """A picture of each field of a structured array, in the same layout."""
    names = [*(values.dtype.names or ())][:_MOST_FIELDS]
    longest = max(window, key=len, default=np.arange(1))
    style = replace(style, pixels_per_cell=style.pixels_per_cell or _cell_size(len(longest)))
    pictures: list[Picture] = []
    for name in names:
        field = values[name]
        inner = field.shape[values.ndim :]
        axes = tuple(Axis(size, name=f"{name} axis {k}") for k, size in enumerate(inner))
        seen = (
            valid
            if valid is None
            else np.broadcast_to(valid.reshape(valid.shape + (1,) * len(inner)), field.shape)
        )
        own = replace(info, dtype=dtype_name(field.dtype), axes=(*info.axes, *axes))
        whole = (*window, *map(np.arange, inner))
        pictures.append(draw_picture(field, own, whole, style, seen))
    facts = [f"{name}: {one.description}" for name, one in zip(names, pictures, strict=True)]
    left_out = len(values.dtype.names or ()) - len(names)
    facts += [f"{left_out} more fields"] if left_out else []
    return stack_pictures(names, pictures, f"{axes_text(info)} by field; {'; '.join(facts)}")


def _paint(
    values: NumpyArray, masked: Mask | None, window: Window, style: PictureStyle
) -> Painting:
    kind = number_kind(values.dtype)
    if not kind:
        return paint_categories(values, masked)
    if kind == "complex" and style.colormap is None and style.scale_axis is None:
        return paint_phases(values, masked, style)
    if style.scale_axis is None:
        return paint_values(values, masked, style)
    shown = window[style.scale_axis].tolist()
    names = style.item_labels.get(style.scale_axis)
    style = replace(
        style,
        lows=style.lows and [style.lows[index] for index in shown],
        highs=style.highs and [style.highs[index] for index in shown],
    )
    return paint_ranges(values, masked, style, [str(names[i] if names else i) for i in shown])


def _cell_size(cells: int) -> int:
    """CSS pixels of a cell: larger where there are few along the longer side."""
    return 14 if cells <= 24 else 10 if cells <= 48 else 7


def _masked_values(values: NumpyArray, valid: Mask | None) -> Mask | None:
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if valid is None:
        return masked
    return ~valid if masked is None else masked | ~valid
