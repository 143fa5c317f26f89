"""How an array is to be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from treeview.arrays.colors import Colors
from treeview.arrays.protocol import Window
from treeview.arrays.tokens import TokenLookup
from treeview.arrays.windows import balanced_window

_LARGEST_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStyle:
    """How an array is drawn; axes are counted in the order of the data.

    Attributes:
        rows: Axes for the rows, innermost first; what is given nowhere is assigned automatically.
        columns: Axes for the columns, innermost first.
        sliders: Axes of which one index at a time is shown.
        slider_places: The position of that index at first, among those that are shown.
        dynamic: Whether a click may choose another scale of colours; `"auto"` where zero is in the
            middle and no limits are given.
        continuous: Whether values become colours of a map rather than nested squares.
        around_zero: Whether the map has its middle at zero.
        low: The value of the first colour, or None for the least value shown.
        high: The value of the last colour, or None for the greatest value shown.
        scale_axis: The axis each index of which has limits of its own; None for one range for all.
        lows: The value of the first colour for each of its indices, instead of `low`.
        highs: The value of the last colour for each of its indices, instead of `high`.
        trim_outliers: Whether inferred limits leave out what is far from the rest.
        colormap: Colours to use instead, `uint8[count, 4]`.
        color_steps: How many colours of treeview's own maps to use; None for all. Few take fewer
            bytes and less time.
        maximum_size: How many values to show at most; None for all.
        axis_cutoff: How many indices of one axis to show at most.
        minimum_edge: How many indices to keep at either end of an axis.
        axis_labels: What to call axes.
        item_labels: What to call the indices of axes.
        value_labels: What integers stand for.
        token_lookup: Gives the text of the token that an integer stands for.
        pixels_per_cell: The side of a cell in CSS pixels; None for 7 in large pictures and up to
            14 in small ones.
    """

    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    sliders: tuple[int, ...] = ()
    slider_places: Mapping[int, int] = field(default_factory=dict[int, int])
    dynamic: bool | Literal["auto"] = "auto"
    continuous: bool | Literal["auto"] = "auto"
    around_zero: bool | Literal["auto"] = "auto"
    low: float | None = None
    high: float | None = None
    scale_axis: int | None = None
    lows: Sequence[float] | None = None
    highs: Sequence[float] | None = None
    trim_outliers: bool = True
    colormap: Colors | None = None
    color_steps: int | None = None
    maximum_size: int | None = 10_000
    axis_cutoff: int | None = None
    minimum_edge: int = 5
    axis_labels: Mapping[int, str] = field(default_factory=dict[int, str])
    item_labels: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    value_labels: Mapping[int, str] = field(default_factory=dict[int, str])
    token_lookup: TokenLookup | None = None
    pixels_per_cell: float | None = None

    def window(self, shape: Sequence[int]) -> Window:
        """The indices of each axis that are shown."""
        settings = (self.maximum_size, self.axis_cutoff, self.minimum_edge)
        if self.maximum_size is None or self.maximum_size > _LARGEST_KEPT:
            return _window(tuple(shape), *settings)
        return _known_window(tuple(shape), *settings)


def _window(
    shape: tuple[int, ...], maximum_size: int | None, axis_cutoff: int | None, minimum_edge: int
) -> Window:
    return balanced_window(
        shape, maximum_size=maximum_size, axis_cutoff=axis_cutoff, minimum_edge=minimum_edge
    )


# The arrays of a model have few different shapes.
_known_window = lru_cache(maxsize=64)(_window)
