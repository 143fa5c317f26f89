"""Pictures of single arrays, with axes given by position or by name."""

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np

from treeview._document import Picture
from treeview._names import type_name
from treeview._registry import default_registry
from treeview.arrays.checks import (
    checked_style,
    checked_value_labels,
    choice,
    read_limits,
    with_limits,
)
from treeview.arrays.drawing import can_draw_any, draw_picture
from treeview.arrays.given import fetched, given_values, short_text
from treeview.arrays.painting import Mask
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Axis
from treeview.arrays.sliders import shown_window, slider_places
from treeview.arrays.statistics import number_kind
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text, axis_name
from treeview.arrays.windows import take_window

AxisKey = Hashable
"""A position (negative ones count from the last) or a name."""

Key = tuple[bool, Hashable]
"""Whether an axis is told by its position, counted from the last one, and that or its name."""


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
    vmin: Any = None,
    vmax: Any = None,
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
        vmin: The value of the first colour, or one for each of these indices.
        vmax: The value of the last colour, likewise.
        style: Everything else about how to draw.

    Raises:
        TypeError: `array` is not an array, or not of numbers; labels are no mapping.
        ValueError: Its values cannot be read, or an argument does not fit it.
    """
    style = style or PictureStyle()
    if issubclass(type(array), np.generic):
        array = np.asarray(array)
    adapter, info = describe_array(array)
    _check_drawable(info)
    style = with_limits(
        style,
        info,
        vmin=read_limits(vmin, "vmin", info),
        vmax=read_limits(vmax, "vmax", info),
        axis=None if scale_axis is None else axis_number(scale_axis, info, "scale_axis"),
    )
    style = checked_style(style, info)
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
        value_labels=checked_value_labels(style.value_labels),
    )
    for axis, items in style.item_labels.items():
        if len(items) != info.shape[axis]:
            raise ValueError(
                f"Expected `axis_item_labels` of {axis_name(info.axes[axis])} to have one label "
                f"for each of its {info.shape[axis]} indices, got {len(items)}."
            )
    window = shown_window(style, info, truncate=choice(truncate, "truncate"))
    valid = None if valid_mask is None else _mask_values(valid_mask, info)
    values = fetched(adapter, array, window)
    if valid is not None:
        valid = take_window(valid, window)
    return draw_picture(values, info, window, style, valid)


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
    wanted = None if isinstance(key, bool) else _position(key, len(positional))
    for number, axis in enumerate(info.axes):
        if axis.name is not None and _is_same(axis.name, key):
            return number
        if axis.position is not None and axis.position == wanted:
            return number
    known = ", ".join(repr(axis.position if axis.name is None else axis.name) for axis in info.axes)
    raise ValueError(
        f"Expected `{argument}` to name axes of {axes_text(info)}, got {short_text(key)}; it has "
        f"the axes {known or 'none'}."
    )


def _position(key: Any, count: int) -> int | None:
    """The position that a key stands for, negative ones counting from the last; None for names."""
    try:
        position = operator.index(key)
    except TypeError:
        return None
    return position + count if position < 0 else position


def _is_same(name: Hashable, key: object) -> bool:
    try:
        return bool(name == key)
    except (TypeError, ValueError):  # an array, which is no name
        return False


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
    given: Any, info: ArrayInfo, name: str, convert: Callable[[Any], Any]
) -> dict[int, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"Expected `{name}` to be a mapping from axes, got {short_text(given)}; name the axes, "
            "as in `{0: ...}`."
        )
    found: dict[int, Any] = {}
    for key, value in cast("Mapping[Any, Any]", given).items():
        axis = axis_number(key, info, name)
        if axis in found:
            raise ValueError(
                f"Expected each axis once in `{name}`, got {axis_name(info.axes[axis])} twice."
            )
        found[axis] = convert(value)
    return found


def _labels(items: Any) -> tuple[str, ...]:
    """Labels in the order of the indices."""
    if issubclass(type(items), (Mapping, AbstractSet)) or not np.iterable(items):
        raise TypeError(
            "Expected `axis_item_labels` to give a sequence of labels for each axis, got "
            f"{short_text(items)}."
        )
    if _adapter_for(items) is not None:  # elements of many libraries write more than their value
        _, items = given_values(items, "axis_item_labels")
    return tuple(map(str, items))


def _mask_values(mask: Any, info: ArrayInfo) -> Mask:
    """A mask as truth values of the shape of the array, matched by names, else from the right."""
    found, values = given_values(mask, "valid_mask")
    if number_kind(values.dtype) not in {"bool", "integer", "real"}:
        raise ValueError(
            f"Expected `valid_mask` to hold truth values, got {axes_text(found)}; convert it with "
            "`.astype(bool)`."
        )
    # What is masked in a mask is not known to be valid.
    values = np.ma.filled(values != 0, fill_value=False)
    given, wanted = _alignments(found.axes, info.axes)
    sources = {key: number for number, key in enumerate(given)}
    if len(sources) == len(given) and set(given) <= set(wanted):
        order = [sources[key] for key in wanted if key in sources]
        kept = iter(values.transpose(order).shape)
        shape = [next(kept) if key in sources else 1 for key in wanted]
        if all(size in (1, whole) for size, whole in zip(shape, info.shape, strict=True)):
            return np.broadcast_to(values.transpose(order).reshape(shape), info.shape)
    raise ValueError(
        f"Expected `valid_mask` to broadcast to {axes_text(info)}, got {axes_text(found)}; give it "
        "axes of the same names and sizes, as far as it has them."
    )


def _alignments(mask: Sequence[Axis], array: Sequence[Axis]) -> tuple[list[Key], list[Key]]:
    """What tells the axes of a mask and of an array: names, if both have some, else positions."""
    named = [any(axis.name is not None for axis in axes) for axes in (mask, array)]
    placed = all(axis.position is not None for axis in (*mask, *array))
    by_name = all(named) or not placed
    return _alignment(mask, by_name=by_name), _alignment(array, by_name=by_name)


def _alignment(axes: Sequence[Axis], *, by_name: bool) -> list[Key]:
    """Names, and positions counted from the last one as in NumPy's broadcasting."""
    count = sum(axis.name is None or not by_name for axis in axes)
    return [
        (True, (axis.position or 0) - count)
        if axis.name is None or not by_name
        else (False, axis.name)
        for axis in axes
    ]
