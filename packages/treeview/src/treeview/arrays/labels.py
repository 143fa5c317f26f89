"""What is written around a picture: indices, names of axes, a description, what is left out."""

from collections.abc import Sequence
from typing import Literal

from treeview._document import EdgeLabel
from treeview.arrays.facets import Positions, Side
from treeview.arrays.protocol import ArrayInfo, Axis, Window
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text, axis_name

_INDEX_WIDTH = 7  # CSS pixels that a digit of a label takes
_LABEL_HEIGHT = 12


def _label_of(axis: int, info: ArrayInfo, style: PictureStyle) -> str:
    if axis in style.axis_labels:
        return style.axis_labels[axis]
    return axis_label(info.axes[axis])


def axis_label(axis: Axis) -> str:
    """Name and size of an axis."""
    return f"{axis_name(axis)}: {axis.size}"


def side_labels(
    side: Side,
    where: Literal["left", "top"],
    info: ArrayInfo,
    window: Window,
    style: PictureStyle,
    *,
    scale: float,
) -> list[EdgeLabel]:
    """Labels of indices and names of axes, from the picture outwards."""
    labels: list[EdgeLabel] = []
    row = 0
    for depth, level in enumerate(side.levels):
        items = style.item_labels.get(level.axis)
        names = _index_names(window[level.axis], items) if items or depth > 0 else [""]
        room = level.extent * scale
        needed = _LABEL_HEIGHT if where == "left" else _INDEX_WIDTH * max(map(len, names))
        if items or (len(names) > 1 and needed <= room):
            labels += [
                EdgeLabel(where, start, start + level.extent, name, row)
                for starts in level.starts.tolist()
                for start, name in zip(starts, names, strict=True)
            ]
            row += 1
        labels.append(EdgeLabel(where, 0, side.length, _label_of(level.axis, info, style), row))
        row += 1
    return labels


def _index_names(indices: Positions, items: Sequence[str] | None) -> list[str]:
    places: list[int] = indices.tolist()
    return [str(items[index] if items else index) for index in places]


def picture_description(
    info: ArrayInfo, rows: Sequence[int], columns: Sequence[int], facts: str
) -> str:
    """A text alternative: element type, axes, facts about the values, what stands where."""
    parts = [f"{axes_text(info)}: {facts}"]
    for side, axes in (("rows", rows), ("columns", columns)):
        if axes:
            names = (axis_name(info.axes[axis]) for axis in axes)
            parts.append(f"{side}: {' within '.join(names)}")
    return "; ".join(parts)


def picture_caption(info: ArrayInfo, window: Window, style: PictureStyle) -> str:
    """What is left out, and what integers stand for."""
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


def slice_text(info: ArrayInfo, window: Window, style: PictureStyle) -> str:
    """Which index of the axes on sliders a picture shows at first; begins with a semicolon."""
    parts: list[str] = []
    for axis in style.sliders:
        index = int(window[axis][style.slider_places[axis]])
        parts.append(f"{_name_of(axis, info, style)} at {index} of {info.shape[axis]}")
    return f"; {', '.join(parts)}" if parts else ""


def _name_of(axis: int, info: ArrayInfo, style: PictureStyle) -> str:
    return style.axis_labels.get(axis) or axis_name(info.axes[axis])
