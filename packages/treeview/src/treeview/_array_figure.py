"""Figures of single arrays and integers."""

import operator
import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, SupportsIndex

import numpy as np

from treeview._document import Picture, printable, text
from treeview._rendering import Rendering, file_path, write_file
from treeview._svg import picture_png, picture_svg
from treeview.arrays.blocks import block_lines, legend_lines
from treeview.arrays.colors import parse_colormap
from treeview.arrays.digits import MOST_DIGITS, cell_pixels, digit_tiles
from treeview.arrays.figure import array_picture
from treeview.arrays.given import given_number, short_text
from treeview.arrays.sharding import sharding_picture
from treeview.arrays.style import PictureStyle

_LARGEST_BOX = 1024


class ArrayFigure(Rendering):
    """The picture of an array.

    Attributes:
        picture: Pixels, labels and legend.
    """

    def __init__(self, picture: Picture) -> None:
        super().__init__(picture)
        self.picture = picture

    def text(self, *, width: int | None = None, color: bool | None = None) -> str:
        """What the picture shows in words; with colours, the picture in half blocks too.

        Args:
            width: Columns of a line; None for what the options say, or 80.
            color: Whether to draw with ANSI colours; None for what the options say, and no if
                they leave it open.
        """
        lines = [printable(self.picture.description)]
        if self.options.color if color is None else color:
            lines += block_lines(self.picture.pixels, width or self.options.width or 80)
        lines += legend_lines(self.picture.legends)
        if self.picture.caption.plain:
            lines.append(self.picture.caption.plain)
        return "\n".join(lines)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file; it appears complete or not at all.

        Args:
            path: Where to write. A file that is there is replaced. The suffix decides what:
                `.html` for a page that opens offline; `.svg` for the picture with its labels,
                legend and caption; `.png` for the image alone; `.txt` for what it says in words.

        Raises:
            ValueError: The suffix is another one.
            OSError: The folder does not exist or the file cannot be written.
        """
        match (target := file_path(path)).suffix.lower():
            case ".svg":
                write_file(target, picture_svg(self.picture))
            case ".png":
                write_file(target, picture_png(self.picture))
            case ".html" | ".htm" | ".txt":
                super().save(target)
            case suffix:
                raise ValueError(
                    "Expected `path` to end in `.html`, `.svg`, `.png` or `.txt`, got"
                    f" {suffix!r} in {str(target)!r}. Add one of them."
                )


def render_array(
    array: Any,
    *,
    columns: Hashable | Sequence[Hashable] = (),
    rows: Hashable | Sequence[Hashable] = (),
    sliders: Hashable | Sequence[Hashable] | Mapping[Any, int] = (),
    valid_mask: Any = None,
    continuous: bool | Literal["auto"] = "auto",
    around_zero: bool | Literal["auto"] = "auto",
    vmax: Any = None,
    vmin: Any = None,
    scale_axis: Hashable | None = None,
    trim_outliers: bool = True,
    dynamic_colormap: bool | Literal["auto"] = "auto",
    colormap: Any = None,
    truncate: bool | Literal["auto"] = "auto",
    maximum_size: int = 10_000,
    cutoff_size_per_axis: int = 512,
    minimum_edge_items: int = 5,
    axis_item_labels: Mapping[Any, Sequence[str]] | None = None,
    value_item_labels: Mapping[int, str] | None = None,
    axis_labels: Mapping[Any, str] | None = None,
    pixels_per_cell: float | None = None,
) -> ArrayFigure:
    """A picture of an array of any rank.

    Every axis goes to the rows or to the columns; further axes on a side repeat what is inside
    them as facets. Real numbers become colours, integers nested squares (one for each decimal
    digit). NaN is a cross, infinities are triangles, masked values grey. Complex numbers are
    lighter the larger they are, in the hue of their phase. The nine most frequent strings or
    objects have a colour each. Records have a picture for each field, one below the other.

    In a page with scripts a line below the picture tells index, labels and exact value of the cell
    under the pointer; a click keeps it, and the arrow keys move it. Values are written as Python
    writes them, with as few digits as tell them from others of their element type.

    Axes are given by position, where negative ones count from the last, or by name.

    Args:
        array: An array of NumPy, JAX, or any type with a registered adapter.
        columns: Axes for the columns, innermost first; one axis may stand alone.
        rows: Axes for the rows, innermost first. What is given nowhere is placed so that the
            picture is about square; a matrix looks as it is printed.
        sliders: Axes of which one index at a time is shown, chosen by a slider below the picture:
            one axis, several, or a mapping from axes to the index that is shown at first (0 where
            none is given; negative ones count from the last). That is also the slice that files,
            text and pages without scripts show, and they say so. The range of the colours is that
            of all slices.
        valid_mask: Which values to show, broadcast to `array` (by names, where there are names).
        continuous: Whether to use colours of a map for integers too; `"auto"` does for integers
            of more than seven digits, and where limits are given. `False` insists on digits.
        around_zero: Whether zero is in the middle of the map; `"auto"` if values of both signs
            are shown and no limits are given.
        vmax: The value of the last colour; by default the greatest value shown. A time, or text
            such as `"2024-01-31"`, for arrays of times. With `scale_axis` also a sequence with one
            limit for each of its indices.
        vmin: The value of the first colour; by default the least value shown.
        scale_axis: An axis each index of which has a range of colours of its own, such as the heads
            of attention or the channels of an image; the legend tells them all.
        trim_outliers: Whether inferred limits are at most three standard deviations from the mean
            (three root mean squares from zero).
        dynamic_colormap: Whether a click on a value (or Enter, with the keyboard) spreads the
            colours around its magnitude, by an area hyperbolic sine; Escape or a double click
            takes that back. `"auto"` where zero is in the middle and no limits are given.
        colormap: Colours (`'#rrggbb'`, triples of integers or floats) instead of the own maps; or a
            map of Matplotlib, itself or by its name, such as `"magma"`.
            Integers choose theirs by index, unless `continuous=True`.
        truncate: Whether to leave out the middle of axes; `"auto"` from 250,000 values on, of
            integers from 40,000 on.
        maximum_size: About how many values to show of a truncated array.
        cutoff_size_per_axis: About how many indices to show of one axis of a truncated array.
        minimum_edge_items: How many indices to keep at either end of a truncated axis.
        axis_item_labels: For some axes, a label for each index, such as tokens.
        value_item_labels: What integers stand for.
        axis_labels: What to call some axes, instead of their names.
        pixels_per_cell: The side of a cell in CSS pixels, 1 to 64; by default 7, up to 14 in
            small pictures.

    Returns:
        The picture, to show, save or read as text.

    Raises:
        TypeError: `array` is not an array, or not one of numbers, strings, objects or records.
        ValueError: Its values cannot be read, or an argument does not fit it.

    Example:
        >>> figure = render_array(attention, columns="kv_seq", rows="seq")  # doctest: +SKIP
    """
    style = PictureStyle(
        continuous=continuous,
        around_zero=around_zero,
        trim_outliers=trim_outliers,
        dynamic=dynamic_colormap,
        colormap=None if colormap is None else parse_colormap(colormap),
        maximum_size=maximum_size,
        axis_cutoff=cutoff_size_per_axis,
        minimum_edge=minimum_edge_items,
        value_labels={} if value_item_labels is None else value_item_labels,
        pixels_per_cell=pixels_per_cell,
    )
    picture = array_picture(
        array,
        rows=rows,
        columns=columns,
        sliders=sliders,
        valid_mask=valid_mask,
        truncate=truncate,
        axis_labels=axis_labels,
        axis_item_labels=axis_item_labels,
        scale_axis=scale_axis,
        vmin=vmin,
        vmax=vmax,
        style=style,
    )
    return ArrayFigure(picture)


def render_array_sharding(
    array: Any,
    *,
    rows: Hashable | Sequence[Hashable] = (),
    columns: Hashable | Sequence[Hashable] = (),
) -> ArrayFigure:
    """A picture of which devices hold which part of an array.

    Along each axis there is one cell for every stretch of indices that the same devices hold. Its
    number stands for these devices. No device has to do anything for it, so arrays that are deleted
    or partly on other hosts have a picture, too.

    Args:
        array: An array that says where it lives, such as a `jax.Array`, a named array that holds
            one, or a `jax.ShapeDtypeStruct` with a sharding.
        rows: Axes for the rows, innermost first; one axis may stand alone.
        columns: Axes for the columns, innermost first. What is given nowhere is placed so that the
            picture is about square.

    Returns:
        The picture, to show, save or read as text.

    Raises:
        TypeError: `array` is not an array.
        ValueError: It does not say where it lives, or an axis is unknown or given twice.
    """
    return ArrayFigure(sharding_picture(array, rows=rows, columns=columns))


def integer_digitbox(
    value: SupportsIndex, *, label: str | None = None, size: float = 14
) -> ArrayFigure:
    """The nested squares that stand for an integer in pictures of arrays.

    Args:
        value: An integer of at most seven digits.
        label: A line below it.
        size: The side of the outer square in CSS pixels.

    Raises:
        TypeError: `value` is not an integer.
        ValueError: It has more digits, or `size` is no number of pixels.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"Expected `value` to be an integer, got {short_text(value)}; round it first."
        ) from None
    if abs(number) >= 10**MOST_DIGITS:
        raise ValueError(
            f"Expected an integer of at most {MOST_DIGITS} digits, got {number}; longer ones have "
            "no nested squares. Show it as text."
        )
    side = None if isinstance(size, str) else given_number(size, "size")
    if side is None or not 0 < side <= _LARGEST_BOX:
        raise ValueError(
            f"Expected `size` to be a number of pixels, at most {_LARGEST_BOX}, got {size!r}."
        )
    cell = cell_pixels(min(number, 0), max(number, 0))
    (pixels,) = digit_tiles(np.array([number]), cell)
    caption = text((str(label), "muted")) if label else text()
    return ArrayFigure(Picture(pixels, side / cell, f"{number}", caption=caption))
