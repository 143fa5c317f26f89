"""Pictures that are drawn when an output asks for more of them than their description.

Text says of a picture in a tree only what it is, and most figures of a large page stay folded; to
paint them would take many times longer than to write the text.
"""

import math
from collections.abc import Callable
from dataclasses import fields

import numpy as np

from treeview._document import Picture, text
from treeview._guard import describe_error
from treeview.arrays.facets import assign_axes
from treeview.arrays.labels import picture_description
from treeview.arrays.protocol import ArrayInfo, Window
from treeview.arrays.style import PictureStyle


class _Deferred(Picture):
    """A picture of which only the description is there until another attribute is asked for."""

    __slots__ = ("_draw",)
    _draw: Callable[[], Picture]

    def __getattr__(self, name: str) -> object:
        # Slots that are not set yet lead here.
        if name not in _LATE:
            raise AttributeError(name)
        try:
            drawn = self._draw()
        except Exception as error:
            caption = text((f"<no picture: {describe_error(error)}>", "error"))
            drawn = Picture(np.zeros((1, 1, 4), np.uint8), 1, self.description, caption=caption)
        for late in _LATE:
            object.__setattr__(self, late, getattr(drawn, late))
        # What was drawn needs no values any more.
        object.__setattr__(self, "_draw", lambda: drawn)
        return getattr(drawn, name)


_LATE = frozenset(field.name for field in fields(Picture)) - {"description"}


def deferred_picture(description: str, draw: Callable[[], Picture]) -> Picture:
    """A picture that is drawn at the first look at its pixels, labels or legends.

    Args:
        description: What is shown, as far as it is known without drawing.
        draw: Draws it. An error becomes the caption of an empty picture.
    """
    picture = object.__new__(_Deferred)
    object.__setattr__(picture, "description", description)
    object.__setattr__(picture, "_draw", draw)
    return picture


def brief_description(info: ArrayInfo, window: Window, style: PictureStyle) -> str:
    """Element type, axes, how much of the array is shown, and which axes are rows and columns."""
    sizes = tuple(map(len, window))
    rows, columns = assign_axes(info.axes, sizes, style.rows, style.columns)
    shown = math.prod(sizes)
    facts = "all values" if shown == info.size else f"{shown:_} of {info.size:_} values"
    return picture_description(info, rows, columns, facts)
