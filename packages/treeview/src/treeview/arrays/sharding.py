"""Pictures of where the parts of an array live.

The picture is a small array of its own: along each axis, one cell for every stretch of indices that
the same devices hold. So it is exact for any partition, even, uneven or strided, and a large array
costs no more than a small one. Each cell shows a number, and the legend or the caption names its
devices.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from treeview._document import Branch, Picture, text
from treeview.arrays.cells import region_grid
from treeview.arrays.deferred import deferred_picture
from treeview.arrays.drawing import draw_picture
from treeview.arrays.figure import AxisKey, axis_list, check_distinct, describe_array
from treeview.arrays.labels import axis_label
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Axis, Shard
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text
from treeview.arrays.windows import balanced_window, take_window

MOST_CELLS = 1024
"""Larger pictures leave out their middle."""

_DIGITS = 10


def array_shards(array: Any) -> tuple[ArrayInfo, Sequence[Shard]]:
    """What is known of an array, and where its parts live.

    Args:
        array: An array of a registered type. Its adapter says where it lives if it has a method
            `shards(array)`, which returns a `Shard` for each device, or None.

    Raises:
        TypeError: `array` is not an array.
        ValueError: Nothing is known of where it lives.
    """
    adapter, info = describe_array(array)
    shards = find_shards(adapter, array)
    if not shards:
        raise ValueError(
            f"Expected an array that says on which devices its parts are, got "
            f"{info.type_name} {axes_text(info)}; place it with "
            "`jax.device_put(array, sharding)`, or give its adapter a method `shards`."
        )
    for shard in shards:
        if len(shard.region) != len(info.axes):
            raise ValueError(
                f"Expected each `Shard` to have a slice for each of the {len(info.axes)} axes of "
                f"{axes_text(info)}, got {shard.region!r} for {shard.device!r}."
            )
    return info, shards


def find_shards(adapter: ArrayAdapter, array: Any) -> Sequence[Shard] | None:
    """Where the parts of an array live; None if nothing is known of it."""
    inner: Any = adapter
    while hasattr(inner, "inner"):  # a wrapper lives where the array in it does
        inner, array = inner.inner(array)
    find = getattr(inner, "shards", None)
    return None if find is None else find(array)


def shards_branch(info: ArrayInfo, shards: Sequence[Shard]) -> Branch:
    """A line about the devices that hold an array, which unfolds to a picture of its parts."""
    whole = all(shard.region == shards[0].region for shard in shards)
    words = text((f"{'copies' if whole else 'parts'} on {_device_count(shards)}", "muted"))
    picture = deferred_picture(_description(info, shards), lambda: shards_picture(info, shards))
    return Branch(words, [picture], folded=words, opened=False, inline=False)


def sharding_picture(
    array: Any,
    *,
    rows: AxisKey | Sequence[AxisKey] = (),
    columns: AxisKey | Sequence[AxisKey] = (),
) -> Picture:
    """Draws where the parts of an array live; see `treeview.render_array_sharding`.

    Args:
        array: An array of a registered type.
        rows: Axes for the rows, innermost first.
        columns: Axes for the columns, innermost first.

    Raises:
        TypeError: `array` is not an array.
        ValueError: Nothing is known of where it lives, or an axis is unknown or given twice.
    """
    info, shards = array_shards(array)
    return shards_picture(info, shards, rows=rows, columns=columns)


def shards_picture(
    info: ArrayInfo,
    shards: Sequence[Shard],
    *,
    rows: AxisKey | Sequence[AxisKey] = (),
    columns: AxisKey | Sequence[AxisKey] = (),
) -> Picture:
    """Draws the parts of an array of which only the axes are known.

    Args:
        info: What is known of the array.
        shards: Which part each device holds.
        rows: Axes for the rows, innermost first.
        columns: Axes for the columns, innermost first.

    Raises:
        ValueError: An axis is unknown or given twice.
    """
    row_axes, column_axes = axis_list(rows, info, "rows"), axis_list(columns, info, "columns")
    check_distinct((*row_axes, *column_axes), info)
    stretches = [_stretches(axis, number, shards) for number, axis in enumerate(info.axes)]
    numbers, names = _number_groups(_held(shards, stretches, info), shards)
    split = [n for n, found in enumerate(stretches) if len(found) > 1]
    cells = numbers.reshape([len(stretches[n]) for n in split])
    window = balanced_window(cells.shape, maximum_size=MOST_CELLS)
    labels = [[f"{a}:{b}" for a, b in stretches[n]] for n in split]
    style = PictureStyle(
        rows=tuple(split.index(n) for n in row_axes if n in split),
        columns=tuple(split.index(n) for n in column_axes if n in split),
        axis_labels={i: _axis_label(info.axes[n], stretches[n]) for i, n in enumerate(split)},
        item_labels=dict(enumerate(labels)),
        value_labels=names,
        pixels_per_cell=24 if numbers.size <= 64 else 14,
    )
    axes = tuple(replace(info.axes[n], size=len(stretches[n])) for n in split)
    drawn = replace(info, dtype=str(numbers.dtype), axes=axes)
    picture = draw_picture(take_window(cells, window), drawn, window, style)
    whole = [axis_label(axis) for n, axis in enumerate(info.axes) if n not in split]
    caption = [picture.caption.plain, f"not split: {', '.join(whole)}" if whole else ""]
    return replace(
        picture,
        description=_description(info, shards),
        caption=text(("; ".join(filter(None, caption)), "muted")),
        # Nested squares of larger numbers speak for all.
        legends=picture.legends if len(names) <= _DIGITS else (),
        grids=tuple(
            region_grid(info.axes, dict(zip(split, labels, strict=True)), grid, split, names)
            for grid in picture.grids
        ),
    )


def _description(info: ArrayInfo, shards: Sequence[Shard]) -> str:
    return f"{info.type_name} {axes_text(info)} on {_device_count(shards)}"


def _device_count(shards: Sequence[Shard]) -> str:
    return f"{len(shards)} devices" if len(shards) > 1 else "1 device"


def _indices(shard: Shard, axis: int, size: int) -> range:
    return range(*shard.region[axis].indices(size))


def _stretches(axis: Axis, number: int, shards: Sequence[Shard]) -> list[tuple[int, int]]:
    """Stretches of indices that belong together for every device."""
    held = {_indices(shard, number, axis.size) for shard in shards}
    edges = {0, axis.size}
    for indices in held:
        step = indices.step
        starts = indices if abs(step) > 1 else [indices.start] if indices else []
        lengths = 1 if abs(step) > 1 else len(indices)
        for start in starts:
            edges |= {start, start + lengths}
    ordered = sorted(edges)
    return list(itertools.pairwise(ordered)) or [(0, 0)]


def _held(
    shards: Sequence[Shard], stretches: Sequence[list[tuple[int, int]]], info: ArrayInfo
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which device holds which cell, `[device, *cells]`."""
    held = np.ones((len(shards), *([1] * len(stretches))), bool)
    for number, found in enumerate(stretches):
        shape = [1] * len(stretches)
        shape[number] = len(found)
        members = _members(shards, number, info.shape[number], [start for start, _ in found])
        held = held & members.reshape(len(shards), *shape)
    return held


def _members(
    shards: Sequence[Shard], axis: int, size: int, starts: Sequence[int]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which device holds which of some indices along an axis, `[device, index]`."""
    if not size:  # nothing is missing anywhere
        return np.ones((len(shards), len(starts)), bool)
    bounds = [
        (min(held[0], held[-1]), max(held[0], held[-1]), abs(held.step)) if held else (0, -1, 1)
        for held in (_indices(shard, axis, size) for shard in shards)
    ]
    first, last, step = np.array(bounds, np.int64).T[..., None]
    places = np.array(starts, np.int64)
    return (places >= first) & (places <= last) & ((places - first) % step == 0)


def _number_groups(
    held: np.ndarray[Any, np.dtype[np.bool_]], shards: Sequence[Shard]
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], dict[int, str]]:
    """A number for every set of devices that hold a cell together, in order of appearance."""
    flat = held.reshape(len(shards), -1).T
    numbers: dict[bytes, int] = {}
    names: dict[int, str] = {}
    values: np.ndarray[Any, np.dtype[np.int64]] = np.empty(len(flat), np.int64)
    for cell, packed in enumerate(np.packbits(flat, axis=1)):
        key = packed.tobytes()
        if key not in numbers:
            numbers[key] = len(numbers)
            members = np.flatnonzero(flat[cell]).tolist()
            names[numbers[key]] = _devices_text([shards[member].device for member in members])
        values[cell] = numbers[key]
    return values.reshape(held.shape[1:]), names


def _devices_text(devices: Sequence[str]) -> str:
    if not devices:
        return "no device"
    more = f" and {len(devices) - 8} more" if len(devices) > 8 else ""
    return " + ".join(devices[:8]) + more


def _axis_label(axis: Axis, found: Sequence[tuple[int, int]]) -> str:
    is_even = len({stop - start for start, stop in found}) == 1
    return f"{axis_label(axis)}/{len(found)}" if is_even else f"{axis_label(axis)}, uneven"
