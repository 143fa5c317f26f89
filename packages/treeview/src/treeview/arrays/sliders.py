"""Which values of an array a picture holds, and which of them it shows at first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, SupportsIndex, cast

import numpy as np

from treeview.arrays.checks import kind_of
from treeview.arrays.protocol import ArrayInfo, Window
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text, axis_name
from treeview.arrays.windows import balanced_window

LARGEST_WHOLE = 250_000
"""From this many values on, pictures leave some out unless told otherwise."""

LARGEST_SLIDERS = 4_000_000
"""The most values that a picture with sliders may hold; all of them are in the page."""

LARGEST_DIGITS = 40_000
"""The same for integers, whose nested squares take many pixels each."""

LARGEST_UNCUT, LARGEST_UNCUT_DIGITS = 20_000_000, 500_000
"""The most values that a picture may hold of which nothing is left out, likewise."""


def slider_places(sliders: Any, axes: Sequence[int], info: ArrayInfo) -> dict[int, int]:
    """Which index of each axis on a slider is shown at first.

    Args:
        sliders: The axes as they are given, perhaps with an index for each.
        axes: The same in the order of the data.
        info: What is known of the array.

    Raises:
        ValueError: An axis does not have the index, or the array is one of records.
    """
    given: list[Any] = [0] * len(axes)
    if isinstance(sliders, Mapping):
        given = list(cast("Mapping[Any, Any]", sliders).values())
    if info.size and (info.dtype.startswith("{") or "," in info.dtype) and axes:
        raise ValueError(
            f"Expected `sliders` to be empty for records, got them for {axes_text(info)}; take one "
            "field of the array."
        )
    places: dict[int, int] = {}
    for axis, index in zip(axes, given, strict=True):
        size = info.shape[axis]
        is_index = isinstance(index, SupportsIndex) and not isinstance(index, bool)
        place = index.__index__() if is_index else size
        if not -size <= place < max(size, 1):
            raise ValueError(
                f"Expected `sliders` to give an index of {axis_name(info.axes[axis])}, which has "
                f"{size}, got {index!r}."
            )
        places[axis] = place % size if size else 0
    return places


def shown_window(
    style: PictureStyle, info: ArrayInfo, *, truncate: bool | Literal["auto"]
) -> Window:
    """Which values to show: of axes on sliders all, for a reader chooses among them.

    Args:
        style: How to draw.
        info: What is known of the array.
        truncate: Whether to leave out the middle of the other axes; `"auto"` of large arrays.

    Raises:
        ValueError: There are too many values for a page with sliders, or for any picture.
    """
    digits = kind_of(info) == "integer" and style.continuous is not True
    largest = LARGEST_DIGITS if digits else LARGEST_WHOLE
    uncut = LARGEST_UNCUT_DIGITS if digits else LARGEST_UNCUT
    sizes = info.shape
    slices = math.prod(sizes[axis] for axis in style.sliders)
    cut = info.size > largest if truncate == "auto" else truncate
    if not cut:
        if style.sliders and info.size > LARGEST_SLIDERS:
            raise ValueError(
                f"Expected at most {LARGEST_SLIDERS:_} values with `sliders` and `truncate=False`, "
                f"got {axes_text(info)}; leave `truncate` out, or index the array first."
            )
        if info.size > uncut:
            raise ValueError(
                f"Expected at most {uncut:_} values with `truncate=False`, got {axes_text(info)}; "
                "leave `truncate` out, or index the array first."
            )
        return balanced_window(sizes, maximum_size=None)
    if not style.sliders:
        return style.window(sizes)
    if slices > LARGEST_WHOLE // 100:
        raise ValueError(
            f"Expected at most {LARGEST_WHOLE // 100:_} slices for `sliders`, got {slices:_} of "
            f"{axes_text(info)}, all of which the page would hold; index the array first."
        )
    kept = [1 if axis in style.sliders else size for axis, size in enumerate(sizes)]
    room = min(style.maximum_size or LARGEST_WHOLE, LARGEST_WHOLE // max(slices, 1))
    window = list(replace(style, maximum_size=room).window(kept))
    for axis in style.sliders:
        window[axis] = np.arange(sizes[axis])
    return tuple(window)
