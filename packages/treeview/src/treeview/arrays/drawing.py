"""Pictures of the values of an array."""

import re
from dataclasses import replace

import numpy as np

from treeview._document import Picture, text
from treeview.arrays.facets import assign_axes, lay_out_side
from treeview.arrays.labels import picture_caption, picture_description, side_labels
from treeview.arrays.painting import Mask, Painting, paint_values
from treeview.arrays.picture import compose
from treeview.arrays.protocol import ArrayInfo, Window
from treeview.arrays.ranges import paint_ranges
from treeview.arrays.statistics import NumpyArray
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text

_NUMERIC = re.compile(r"bool|u?int\d|b?float\d|complex|datetime64|timedelta64|[<>=][iufcmM]\d")


def can_draw(info: ArrayInfo) -> bool:
    """Whether values of this type have a picture and there are any."""
    return info.size > 0 and _NUMERIC.match(info.dtype) is not None


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
    rows, columns = assign_axes(info.axes, values.shape, style.rows, style.columns)
    masked = _masked_values(values, valid)
    values = np.asarray(np.ma.getdata(values))
    if not values.size:
        empty = f"{axes_text(info)} without values"
        return Picture(np.zeros((1, 1, 4), np.uint8), 1, empty, caption=text((empty, "muted")))
    painting = _paint(values, masked, window, style)
    cell = painting.tiles.shape[1]
    row_side = lay_out_side(rows, window, cell)
    column_side = lay_out_side(columns, window, cell)
    order = (*reversed(rows), *reversed(columns))
    grid = painting.choice.transpose(order).reshape(len(row_side.starts), len(column_side.starts))
    scale = (style.pixels_per_cell or _cell_size(max(grid.shape))) / cell
    labels = (
        *side_labels(row_side, "left", info, window, style, scale=scale),
        *side_labels(column_side, "top", info, window, style, scale=scale),
    )
    return Picture(
        pixels=compose(painting.tiles, grid, row_side, column_side),
        scale=scale,
        description=picture_description(info, rows, columns, painting.facts),
        labels=labels,
        legends=painting.legends,
        caption=text((picture_caption(info, window, style), "muted")),
    )


def _paint(
    values: NumpyArray, masked: Mask | None, window: Window, style: PictureStyle
) -> Painting:
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
