"""Pictures of single arrays, with axes given by position or by name."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, SupportsIndex

import numpy as np

from treeview._document import Picture
from treeview._names import type_name
from treeview._registry import default_registry
from treeview.arrays.drawing import can_draw_any, draw_picture
from treeview.arrays.painting import Mask
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Axis
from treeview.arrays.sliders import shown_window, slider_places
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text, axis_name
from treeview.arrays.windows import balanced_window

AxisKey = Hashable
"""A position (negative ones count from the last) or a name."""


def array_picture(
    array: Any,
    *,
    rows: AxisKey | Sequence[AxisKey] = (),
    columns: AxisKey | Sequence[AxisKey] = (),
    sliders: AxisKey | Sequence[AxisKey] | Mapping[Any, int] = (),
    valid_mask: Any = None,
    truncate: bool | Literal["auto"] = "auto",
    axis_labels: Mapping[Any, str] | None = None,
    axis_item_labels: Mapping[Any, Sequence[str]] | None = None,
    scale_axis: AxisKey | None = None,
    style: PictureStyle | None = None,
) -> Picture:
    """Draws one array; see `treeview.render_array`.

    Args:
        array: An array of a registered type.
        rows: Axes for the rows, innermost first.
        columns: Axes for the columns, innermost first.
        sliders: Axes of which one index at a time is shown; a mapping says which one at first.
        valid_mask: Which values to show.
        truncate: Whether to leave out the middle of large arrays.
        axis_labels: What to call axes.
        axis_item_labels: What to call the indices of axes.
        scale_axis: The axis each index of which has limits of its own.
        style: Everything else about how to draw.

    Raises:
        TypeError: `array` is not an array, or not of numbers.
        ValueError: Its values cannot be read, or an argument does not fit it.
    """
    style = style or PictureStyle()
    if issubclass(type(array), np.generic):
        array = np.asarray(array)
    adapter, info = describe_array(array)
    _check_drawable(info)
    check_style(style, info)
    row_axes, column_axes = (
        axis_list(keys, info, name) for keys, name in ((rows, "rows"), (columns, "columns"))
    )
    slider_keys: Any = sliders
    slider_axes = axis_list(
        list(slider_keys) if isinstance(sliders, Mapping) else slider_keys, info, "sliders"
    )
    check_distinct((*row_axes, *column_axes, *slider_axes), info)
    style = replace(
        style,
        rows=row_axes,
        columns=column_axes,
        sliders=slider_axes,
        slider_places=slider_places(sliders, slider_axes, info),
        axis_labels=_by_axis(axis_labels, info, "axis_labels", str),
        item_labels=_by_axis(axis_item_labels, info, "axis_item_labels", _labels),
    )
    style = _with_ranges(style, info, scale_axis)
    for axis, items in style.item_labels.items():
        if len(items) != info.shape[axis]:
            raise ValueError(
                f"Expected `axis_item_labels` of {axis_name(info.axes[axis])} to have one label "
                f"for each of its {info.shape[axis]} indices, got {len(items)}."
            )
    window = shown_window(style, info, truncate=truncate)
    valid = None if valid_mask is None else _mask_values(valid_mask, info)
    (values,) = adapter.fetch([(array, window)])
    if valid is not None and window:
        valid = valid[np.ix_(*window)]
    return draw_picture(values, info, window, style, valid)


def _with_ranges(style: PictureStyle, info: ArrayInfo, key: AxisKey | None) -> PictureStyle:
    """A style with limits for each index of an axis, if there is one."""
    given = [
        (name, limits)
        for name, limits in (("vmin", style.lows), ("vmax", style.highs))
        if limits is not None
    ]
    if key is None:
        if given:
            raise ValueError(
                f"Expected `{given[0][0]}` to be one number where no `scale_axis` is given, got "
                f"{len(given[0][1])}; name the axis whose indices have these limits."
            )
        return style
    if style.continuous is False:
        raise ValueError(
            "Expected `continuous` to be True or 'auto' with `scale_axis`, got False; digits have "
            "no range of colours."
        )
    axis = axis_number(key, info, "scale_axis")
    size = info.shape[axis]
    for name, limits in given:
        if len(limits) != size or not np.isfinite(limits).all():
            raise ValueError(
                f"Expected `{name}` to have one finite number for each of the {size} indices of "
                f"{axis_name(info.axes[axis])}, got {list(limits)!r}."
            )
    lows = style.lows or [style.low] * size
    highs = style.highs or [style.high] * size
    for index, (low, high) in enumerate(zip(lows, highs, strict=True)):
        if low is not None and high is not None and low > high:
            raise ValueError(
                f"Expected `vmin` <= `vmax`, got {low!r} and {high!r} at index {index} of "
                f"{axis_name(info.axes[axis])}."
            )
    return replace(style, scale_axis=axis, continuous=True)


def check_style(style: PictureStyle, info: ArrayInfo) -> None:
    """Raises an error for wishes that contradict each other or the array.

    Args:
        style: How to draw.
        info: What to draw.

    Raises:
        ValueError: There is a contradiction.
    """
    integral = info.dtype.startswith(("bool", "int", "uint"))
    if style.continuous is False and not integral:
        raise ValueError(
            f"Expected integers or truth values for `continuous=False`, got {info.dtype}; leave "
            "`continuous` out, or round the array to integers first."
        )
    low, high = style.low, style.high
    for name, bound in (("vmin", low), ("vmax", high)):
        if bound is not None and not np.isfinite(bound):
            raise ValueError(f"Expected `{name}` to be a finite number, got {bound!r}.")
    if low is not None and high is not None:
        if low > high:
            raise ValueError(f"Expected `vmin` <= `vmax`, got {low!r} and {high!r}.")
        if style.around_zero is True and low != -high:
            raise ValueError(
                f"Expected `vmin` to be -`vmax` with `around_zero=True`, got {low!r} and {high!r}; "
                "give only one of them, or leave `around_zero` out."
            )
    if style.dynamic is True:
        _check_dynamic(style, info)
    cell = style.pixels_per_cell
    if cell is not None and not 1 <= cell <= 64:
        raise ValueError(f"Expected `pixels_per_cell` between 1 and 64, got {cell!r}.")


def _check_dynamic(style: PictureStyle, info: ArrayInfo) -> None:
    digits = info.dtype.startswith(("bool", "int", "uint")) and style.continuous is not True
    if digits or style.continuous is False:
        raise ValueError(
            "Expected `continuous=True` with `dynamic_colormap=True`, got nested squares for "
            f"{info.dtype}, which have no range of colours; give `continuous=True`."
        )
    if style.around_zero is False:
        raise ValueError(
            "Expected `around_zero` to be True or 'auto' with `dynamic_colormap=True`, got False; "
            "colours spread around zero."
        )


def _adapter_for(array: object) -> ArrayAdapter | None:
    return default_registry.adapter_for(type(array))


def describe_array(array: object) -> tuple[ArrayAdapter, ArrayInfo]:
    """Who speaks for an array, and what it says.

    Args:
        array: An array of a registered type.

    Raises:
        TypeError: It is of no registered type.
    """
    default_registry.load_plugins()
    adapter = _adapter_for(array)
    if adapter is None:
        raise TypeError(
            f"Expected an array of a registered type, got `{type_name(type(array))}`; convert it "
            "with `numpy.asarray`, or register its type with `treeview.register_array`."
        )
    return adapter, adapter.describe(array)


def _check_drawable(info: ArrayInfo) -> None:
    what = f"{info.type_name} {axes_text(info)}".strip()
    if info.problem:
        raise ValueError(
            f"Expected an array whose values can be read, got {what}, which is {info.problem}; "
            "pass a concrete array."
        )
    if info.size and not can_draw_any(info):
        raise TypeError(
            f"Expected an array of numbers, times, strings, objects or records, got {what}; "
            "convert it to one of these."
        )


def axis_number(key: AxisKey, info: ArrayInfo, argument: str) -> int:
    """Where an axis given by position or name stands in the order of the data.

    Args:
        key: A position, negative ones counting from the last, or a name.
        info: What is known of the array.
        argument: Which argument of the user's the key comes from.

    Raises:
        ValueError: There is no such axis.
    """
    positional = [axis for axis in info.axes if axis.position is not None]
    wanted: int | None = None
    if isinstance(key, SupportsIndex) and not isinstance(key, bool):
        wanted = key.__index__()
        wanted = wanted + len(positional) if wanted < 0 else wanted
    for number, axis in enumerate(info.axes):
        if axis.name is not None and axis.name == key:
            return number
        if axis.position is not None and axis.position == wanted:
            return number
    known = ", ".join(repr(axis.position if axis.name is None else axis.name) for axis in info.axes)
    raise ValueError(
        f"Expected `{argument}` to name axes of {axes_text(info)}, got {key!r}; it has the axes "
        f"{known or 'none'}."
    )


def axis_list(keys: Any, info: ArrayInfo, name: str) -> tuple[int, ...]:
    """Where axes stand in the order of the data.

    Args:
        keys: One axis or several, each by position or name.
        info: What is known of the array.
        name: Which argument of the user's they come from.

    Raises:
        ValueError: There is no such axis.
    """
    single = isinstance(keys, str) or not np.iterable(keys)
    return tuple(axis_number(key, info, name) for key in ([keys] if single else keys))


def check_distinct(axes: Sequence[int], info: ArrayInfo) -> None:
    """Raises ValueError if an axis is given twice.

    Args:
        axes: Axes in the order of the data.
        info: What is known of the array.
    """
    for axis in axes:
        if axes.count(axis) > 1:
            raise ValueError(
                "Expected each axis at most once in `rows`, `columns` and `sliders`, got "
                f"{axis_name(info.axes[axis])} twice; what is given nowhere is placed "
                "automatically."
            )


def _by_axis(
    given: Mapping[Any, Any] | None, info: ArrayInfo, name: str, convert: Callable[[Any], Any]
) -> dict[int, Any]:
    return {axis_number(key, info, name): convert(value) for key, value in (given or {}).items()}


def _labels(items: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, items))


def _mask_values(mask: Any, info: ArrayInfo) -> Mask:
    """A mask as truth values of the shape of the array, matched by names, else from the right."""
    adapter = _adapter_for(mask)
    if adapter is None:
        mask = np.asarray(mask)
        adapter = _adapter_for(mask)
        assert adapter is not None
    found = adapter.describe(mask)
    (values,) = adapter.fetch([(mask, balanced_window(found.shape, maximum_size=None))])
    sources = {key: number for number, key in enumerate(_alignment(found.axes))}
    targets = _alignment(info.axes)
    order = [sources.pop(key) for key in targets if key in sources]
    if not sources:
        kept = iter(values.transpose(order).shape)
        shape = [next(kept) if key in set(_alignment(found.axes)) else 1 for key in targets]
        if all(size in (1, whole) for size, whole in zip(shape, info.shape, strict=True)):
            return np.broadcast_to(values.transpose(order).reshape(shape) != 0, info.shape)
    raise ValueError(
        f"Expected `valid_mask` to broadcast to {axes_text(info)}, got {axes_text(found)}."
    )


def _alignment(axes: Sequence[Axis]) -> list[tuple[bool, Hashable]]:
    """Names, and positions counted from the last one as in NumPy's broadcasting."""
    count = sum(axis.name is None for axis in axes)
    return [
        (True, (axis.position or 0) - count) if axis.name is None else (False, axis.name)
        for axis in axes
    ]
