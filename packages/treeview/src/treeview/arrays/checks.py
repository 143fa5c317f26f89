"""What users wish of a picture, checked against the array before its values are read."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np

from treeview._names import class_of
from treeview.arrays.given import given_numbers, given_values, short_text
from treeview.arrays.protocol import ArrayInfo
from treeview.arrays.statistics import NumberKind, number_kind
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import axes_text, axis_name

Limits = float | Sequence[float] | None
"""One limit of the colours for all values, or one for each index of an axis."""


def kind_of(info: ArrayInfo) -> NumberKind:
    """What kind of numbers an array holds, by the name of its element type."""
    name = info.dtype
    if name.startswith(("int", "uint")):  # also those of less than a byte
        return "integer"
    try:
        return number_kind(np.dtype(name))
    except (TypeError, ValueError):  # of another library, or of records; quantized ones are real
        return "real" if name.startswith(("float", "bfloat", "qint", "quint")) else ""


def checked_style(style: PictureStyle, info: ArrayInfo) -> PictureStyle:
    """A style without contradictions; integers that are given limits become colours.

    Args:
        style: How to draw.
        info: What to draw.

    Raises:
        ValueError: Wishes contradict each other or the array, or a value is none that is known.
    """
    style = replace(
        style,
        continuous=choice(style.continuous, "continuous"),
        around_zero=choice(style.around_zero, "around_zero"),
        dynamic=choice(style.dynamic, "dynamic_colormap"),
    )
    kind = kind_of(info)
    if style.dynamic is True and kind in ("complex", "time"):
        raise ValueError(
            f"Expected real numbers for `dynamic_colormap=True`, got {info.dtype}; leave "
            "`dynamic_colormap` out."
        )
    if style.dynamic is True and style.around_zero == "auto":
        style = replace(style, around_zero=True)
    _check_sizes(style)
    _check_numbers(style, info)
    integral = kind in ("bool", "integer")
    if style.continuous is False and not integral:
        raise ValueError(
            f"Expected integers or truth values for `continuous=False`, got {info.dtype}; leave "
            "`continuous` out, or round the array to integers first."
        )
    if style.around_zero is True and np.dtype(info.dtype if kind == "time" else "m").kind == "M":
        raise ValueError(
            f"Expected `around_zero` to be False or 'auto' for {info.dtype}, got True; the zero of "
            "dates means nothing."
        )
    _check_limits(style)
    if style.dynamic is True:
        _check_dynamic(style, info, integral=integral)
    if not integral or style.continuous is True or not (limited := _wishes(style)):
        return style
    if style.continuous is False:
        raise ValueError(
            f"Expected `continuous` to be True or 'auto' with `{limited[0]}`, got False; digits "
            "have no range of colours."
        )
    return replace(style, continuous=True)


def choice(value: Any, argument: str) -> Literal["auto"] | bool:
    """A wish that is True, False or left open.

    Args:
        value: What a user gave.
        argument: For which argument.

    Raises:
        ValueError: It is something else.
    """
    if class_of(value) in (bool, np.bool_):
        return bool(value)
    if class_of(value) is str and value == "auto":
        return "auto"
    raise ValueError(f"Expected `{argument}` to be True, False or 'auto', got {short_text(value)}.")


def _wishes(style: PictureStyle) -> list[str]:
    """Which arguments ask for a range of colours."""
    given = {
        "scale_axis": style.scale_axis,
        "vmin": style.low if style.lows is None else style.lows,
        "vmax": style.high if style.highs is None else style.highs,
    }
    return [name for name, value in given.items() if value is not None]


def _check_sizes(style: PictureStyle) -> None:
    sizes: list[tuple[str, Any, int]] = [
        ("maximum_size", style.maximum_size, 1),
        ("cutoff_size_per_axis", style.axis_cutoff, 1),
        ("minimum_edge_items", style.minimum_edge, 0),
    ]
    for name, size, least in sizes:
        is_open = size is None and least > 0  # without a limit for how many, all are shown
        if not (is_open or _is_whole(size, least)):
            raise ValueError(
                f"Expected `{name}` to be a whole number from {least} on, got {short_text(size)}."
            )
    check_cell(style.pixels_per_cell)


def check_cell(cell: Any) -> None:
    """Checks the size of a cell.

    Args:
        cell: The side of a cell in CSS pixels, or None.

    Raises:
        ValueError: It is no number from 1 to 64.
    """
    try:
        fits = cell is None or bool(1 <= cell <= 64)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(f"Expected `pixels_per_cell` between 1 and 64, got {short_text(cell)}.")


def _is_whole(value: Any, least: int) -> bool:
    try:
        return operator.index(value) >= least
    except TypeError:
        return False


def _check_numbers(style: PictureStyle, info: ArrayInfo) -> None:
    """Strings and objects have a colour each, and nothing that could be a range."""
    if kind_of(info) or info.dtype.startswith("{") or not info.size:
        return
    wishes = _wishes(style)
    wishes += ["continuous"] if style.continuous is True else []
    wishes += ["dynamic_colormap"] if style.dynamic is True else []
    wishes += ["colormap"] if style.colormap is not None else []
    if wishes:
        raise ValueError(
            f"Expected numbers for `{wishes[0]}`, got {axes_text(info)}, whose values are "
            f"categories; leave `{wishes[0]}` out."
        )


def _check_limits(style: PictureStyle) -> None:
    low, high = style.low, style.high
    for name, bound in (("vmin", low), ("vmax", high)):
        if bound is not None and not np.isfinite(bound):
            raise ValueError(f"Expected `{name}` to be a finite number, got {bound!r}.")
    if low is None or high is None:
        return
    if low > high:
        raise ValueError(f"Expected `vmin` <= `vmax`, got {low!r} and {high!r}.")
    if style.around_zero is True and low != -high:
        raise ValueError(
            f"Expected `vmin` to be -`vmax` with `around_zero=True`, got {low!r} and {high!r}; "
            "give only one of them, or leave `around_zero` out."
        )


def _check_dynamic(style: PictureStyle, info: ArrayInfo, *, integral: bool) -> None:
    if style.continuous is False or (integral and style.continuous is not True):
        raise ValueError(
            "Expected `continuous=True` with `dynamic_colormap=True`, got nested squares for "
            f"{info.dtype}, which have no range of colours; give `continuous=True`."
        )
    if style.around_zero is False:
        raise ValueError(
            "Expected `around_zero` to be True or 'auto' with `dynamic_colormap=True`, got False; "
            "colours spread around zero."
        )


def read_limits(given: Any, argument: str, info: ArrayInfo) -> Limits:
    """Limits of colours as numbers; those of times count as the array counts them.

    Args:
        given: A number, a time, an array or a sequence of them, or None.
        argument: Which argument of the user's it is.
        info: What is to be drawn.

    Raises:
        ValueError: It holds no numbers, or has more than one axis.
    """
    if given is None:
        return None
    numbers = _times(given, argument, info) if kind_of(info) == "time" else None
    if numbers is None:
        numbers = given_numbers(given, argument)
    if numbers.ndim > 1:
        raise ValueError(
            f"Expected `{argument}` to be a number or a sequence of numbers, got one of "
            f"{numbers.ndim} dimensions; give one limit for each index of `scale_axis`."
        )
    found: float | list[float] = numbers.tolist()
    return found


def _times(given: Any, argument: str, info: ArrayInfo) -> Any:
    """Times, or what is written like them, as numbers of the array's unit; None for others."""
    _, values = given_values(given, argument)
    if values.dtype.kind not in "mMSUTO":
        return None
    try:
        times = values.astype(np.dtype(info.dtype).newbyteorder("="))
    except (TypeError, ValueError):
        return None
    missing, counts = np.isnat(times), times.astype(np.int64)
    return np.where(missing, np.nan, counts) if missing.any() else counts


def with_limits(
    style: PictureStyle, info: ArrayInfo, *, vmin: Limits, vmax: Limits, axis: int | None
) -> PictureStyle:
    """A style with limits for all values, or for each index of an axis.

    Args:
        style: How to draw.
        info: What to draw.
        vmin: The value of the first colour; None for that of the style.
        vmax: The value of the last colour, likewise.
        axis: The axis each index of which has limits of its own, in the order of the data.

    Raises:
        ValueError: Limits are not as many as the indices, not finite, or contradict each other.
    """
    several: dict[str, list[float]] = {}
    single = {"vmin": style.low, "vmax": style.high}
    for name, given in (("vmin", vmin), ("vmax", vmax)):
        if isinstance(given, Sequence):
            several[name] = list(given)
        elif given is not None:
            single[name] = given
    for name, limits in several.items():
        if axis is None:
            raise ValueError(
                f"Expected `{name}` to be one number where no `scale_axis` is given, got "
                f"{len(limits)}; name the axis whose indices have these limits."
            )
        _check_each(limits, name, info, axis)
    style = replace(
        style,
        scale_axis=axis,
        low=single["vmin"],
        high=single["vmax"],
        lows=several.get("vmin"),
        highs=several.get("vmax"),
    )
    _check_pairs(style, info)
    return style


def _check_each(limits: list[float], name: str, info: ArrayInfo, axis: int) -> None:
    size = info.shape[axis]
    if len(limits) != size or not np.isfinite(limits).all():
        raise ValueError(
            f"Expected `{name}` to have one finite number for each of the {size} indices of "
            f"{axis_name(info.axes[axis])}, got {short_text(limits)}."
        )


def _check_pairs(style: PictureStyle, info: ArrayInfo) -> None:
    axis = style.scale_axis
    if axis is None or (style.lows is None and style.highs is None):
        return
    size = info.shape[axis]
    lows, highs = style.lows or [style.low] * size, style.highs or [style.high] * size
    for index, (low, high) in enumerate(zip(lows, highs, strict=True)):
        if low is not None and high is not None and low > high:
            raise ValueError(
                f"Expected `vmin` <= `vmax`, got {low!r} and {high!r} at index {index} of "
                f"{axis_name(info.axes[axis])}."
            )


def checked_value_labels(given: Any) -> dict[int, str]:
    """What integers stand for, with Python's own integers as keys.

    Args:
        given: A mapping, or None.

    Raises:
        TypeError: It is no mapping, or a key is no integer.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(
            "Expected `value_item_labels` to be a mapping from integers to labels, got "
            f"{short_text(given)}; for a list of words pass `dict(enumerate(words))`."
        )
    pairs = cast("Mapping[Any, Any]", given)
    labels: dict[int, str] = {}
    for key, label in pairs.items():
        try:
            labels[operator.index(key)] = str(label)
        except TypeError:
            raise TypeError(
                f"Expected the keys of `value_item_labels` to be integers, got {short_text(key)}."
            ) from None
    return labels
