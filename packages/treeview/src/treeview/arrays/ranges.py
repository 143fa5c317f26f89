"""One range of colours for each index of an axis, so that a loud head does not drown the others."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from treeview._document import ColorScale
from treeview.arrays import colors
from treeview.arrays.painting import (
    Mask,
    Painting,
    color_limits,
    color_places,
    count_marks,
    counted_style,
    marked_painting,
    real_values,
)
from treeview.arrays.statistics import NumpyArray, number_kind
from treeview.arrays.style import PictureStyle

_MOST_LEGENDS = 12


def paint_ranges(
    values: NumpyArray,
    masked: Mask | None,
    style: PictureStyle,
    names: Sequence[str],
) -> Painting:
    """Colours values with limits of their own for each index of an axis.

    Args:
        values: Numbers, `[...]`.
        masked: Which of them are not to be shown.
        style: How to draw; `scale_axis` is the axis, and `lows` and `highs` have one limit for
            each of its indices in `values`.
        names: What these indices are called.

    Raises:
        ValueError: Values of this type are no numbers.
    """
    axis = style.scale_axis or 0
    numbers, reading = real_values(values, number_kind(values.dtype))
    style = counted_style(style, reading)
    shown = np.isfinite(numbers) if masked is None else np.isfinite(numbers) & ~masked
    slices, kept = np.moveaxis(numbers, axis, 0), np.moveaxis(shown, axis, 0)
    parts = [part[keep] for part, keep in zip(slices, kept, strict=True)]
    free = all(limit is None for limit in (style.low, style.high, style.lows, style.highs))
    centred = style.around_zero
    if centred == "auto" and free:
        centred = any(part.size and part.min() < 0 < part.max() for part in parts)
    table = style.colormap
    ends: list[tuple[float, float]] = []
    about_zero = centred is True
    for index, part in enumerate(parts):
        own = replace(
            style,
            low=style.low if style.lows is None else style.lows[index],
            high=style.high if style.highs is None else style.highs[index],
            around_zero=centred,
        )
        least, greatest = (float(part.min()), float(part.max())) if part.size else (0.0, 0.0)
        low, high, middle = color_limits(part, least, greatest, own)
        about_zero = about_zero or middle
        ends.append((low, high))
    if table is None:
        table = colors.diverging_map() if about_zero else colors.sequential_map()
    choice = np.empty(numbers.shape, np.intp)
    placed = np.moveaxis(choice, axis, 0)
    for index, (low, high) in enumerate(ends):
        placed[index] = color_places(slices[index], low, high, len(table))
    css = colors.css_colors(table)
    legends = [
        ColorScale(css, f"{name}: {reading.write(low)}", reading.write(high))
        for name, (low, high), part in zip(names, ends, parts, strict=True)
        if part.size
    ]
    left_out = len(legends) - _MOST_LEGENDS
    if left_out > 0:
        last = replace(legends[_MOST_LEGENDS - 1], note=f"and {left_out} more ranges")
        legends = [*legends[: _MOST_LEGENDS - 1], last]
    facts = f"{reading.meaning} in {len(ends)} ranges{count_marks(numbers, masked)}"
    return marked_painting(numbers, masked, table, choice, tuple(legends), facts)
