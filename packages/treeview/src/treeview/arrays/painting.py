"""From values to coloured tiles.

Real numbers become colours of a map, integers nested squares (or colours, if they are long), truth
values two colours. What is not a finite number gets a mark, not only a colour.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from treeview._document import ColorScale
from treeview._grid import Scale
from treeview.arrays import colors
from treeview.arrays.colors import Colors
from treeview.arrays.digits import MOST_DIGITS, cell_pixels, digit_count, digit_tiles
from treeview.arrays.statistics import NumberKind, NumpyArray, number_kind
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import number_text
from treeview.arrays.tiles import (
    MARKED_CELL,
    MASKED,
    NAN,
    NEGATIVE,
    POSITIVE,
    flat_tiles,
    marked_tiles,
)

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_LATEST = 2**63 - 1
_MOST_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Painting:
    """Tiles, the tile of each value, what explains them, and the scale of their colours.

    Where it is `named`, the legends say what values stand for.
    """

    tiles: Colors
    choice: np.ndarray[Any, np.dtype[Any]]
    legends: tuple[ColorScale, ...]
    facts: str
    scale: Scale | None = None
    named: bool = False


def paint_values(values: NumpyArray, masked: Mask | None, style: PictureStyle) -> Painting:
    """Chooses a tile for each value.

    Args:
        values: Numbers of any type, `[...]`.
        masked: Which of them are not to be shown, of the same shape; None for all shown.
        style: How to draw.

    Raises:
        ValueError: Values of this type are no numbers.
    """
    kind = number_kind(values.dtype)
    if kind in ("bool", "integer") and style.continuous is not True:
        painting = _paint_integers(values, masked, style)
        if painting is not None:
            return painting
    numbers, reading = real_values(values, kind)
    return _paint_numbers(numbers, reading, masked, counted_style(style, reading))


@dataclass(frozen=True, slots=True)
class NumberReading:
    """How the numbers behind the colours are to be read.

    Dates count from the earliest one: floats would not hold all digits of others, and the zero of
    dates means nothing. Then `start` is that one.
    """

    meaning: str = "values"
    write: Callable[[float], str] = lambda value: number_text(value, digits=3)
    start: int | None = None


def real_values(values: NumpyArray, kind: NumberKind) -> tuple[NumpyArray, NumberReading]:
    """Values as float64, and how to read them.

    Args:
        values: Numbers of any type.
        kind: What kind of numbers they are.

    Raises:
        ValueError: They are no numbers.
    """
    with np.errstate(all="ignore"):
        if kind == "complex":
            return np.abs(values).astype(np.float64), NumberReading("magnitudes")
        if kind == "time":
            return _real_times(values)
        if kind == "integer":
            return values.astype(np.float64), NumberReading(write=_integer_text)
        if kind:
            return values.astype(np.float64), NumberReading()
    raise ValueError(f"Expected an array of numbers to draw, got {values.dtype}.")


def _integer_text(value: float) -> str:
    """A limit among integers, exactly where floats hold all integers."""
    exact = abs(value) < _MOST_EXACT and value.is_integer()
    return str(int(value)) if exact else number_text(value, digits=3)


def _real_times(values: NumpyArray) -> tuple[NumpyArray, NumberReading]:
    missing = np.isnat(values)
    counts = values.astype(np.int64)
    unit = values.dtype.newbyteorder("=")
    start = None
    if unit.kind == "M" and not missing.all():
        start = int(counts[~missing].min())
        # Distances wrap around into the unsigned type, where they are exact.
        counts = counts.view(np.uint64) - np.array(start % (1 << 64), np.uint64)
    numbers = np.asarray(counts.astype(np.float64))
    numbers[missing] = np.nan

    def write(value: float) -> str:
        count = int(value) + (start or 0)
        # Floats do not hold the last integer, and the first one stands for no time.
        return str(np.int64(max(min(count, _LATEST), -_LATEST)).astype(unit))

    return numbers, NumberReading("times", write, start)


def counted_style(style: PictureStyle, reading: NumberReading) -> PictureStyle:
    """A style whose limits count as the numbers do.

    Args:
        style: How to draw, with limits that count from zero.
        reading: How the numbers are to be read.
    """
    start = reading.start
    if start is None:
        return style

    def moved(limits: Sequence[float] | None) -> list[float] | None:
        return None if limits is None else [limit - start for limit in limits]

    return replace(
        style,
        around_zero=False,
        low=None if style.low is None else style.low - start,
        high=None if style.high is None else style.high - start,
        lows=moved(style.lows),
        highs=moved(style.highs),
    )


def _paint_integers(
    values: NumpyArray, masked: Mask | None, style: PictureStyle
) -> Painting | None:
    """Nested squares or the colours of a given palette; None if the numbers are too long."""
    numbers = values.astype(np.int64) if values.dtype.kind in "bV" else values
    shown = numbers if masked is None else numbers[~masked]
    low, high = (int(shown.min()), int(shown.max())) if shown.size else (0, 0)
    facts = f"values from {low} to {high}" if shown.size else "all values masked"
    hidden = f", {values.size - shown.size:_} masked" if 0 < shown.size < values.size else ""
    facts += hidden
    if style.colormap is not None:
        return _paint_palette(numbers, masked, style.colormap, facts)
    if digit_count(low, high) > MOST_DIGITS:
        return None
    if masked is not None:
        numbers = np.where(masked, low, numbers)
    cell = cell_pixels(low, high)
    if masked is not None and masked.any():
        cell = max(cell, MARKED_CELL)
    distinct, choice = np.unique(numbers, return_inverse=True)
    choice = choice.reshape(values.shape)
    tiles = digit_tiles(distinct, cell)
    if masked is not None and masked.any():
        choice = np.where(masked, len(tiles), choice)
        tiles = np.concatenate([tiles, marked_tiles(cell)[MASKED:]])
    if values.dtype.kind == "b":
        legend = ColorScale(colors.css_steps(colors.digit_colors()[:2]), "False", "True")
        return Painting(tiles, choice, (legend,), f"truth values{hidden}")
    if style.value_labels and low >= 0 and high <= 9:
        legends = _named_digits(distinct.tolist(), style.value_labels)
        return Painting(tiles, choice, legends, facts, named=True)
    note = "digits from the outside in" if high > 9 or low < -9 else ""
    legend = ColorScale(colors.css_steps(colors.digit_colors()), "0", "9", note)
    return Painting(tiles, choice, (legend,), facts)


def _named_digits(values: list[int], names: Mapping[int, str]) -> tuple[ColorScale, ...]:
    """A colour for each digit that is shown, and what it stands for."""
    css = colors.css_colors(colors.digit_colors(), 10)
    texts = [f"{value} = {names[value]}" if value in names else str(value) for value in values]
    return tuple(
        ColorScale((css[value],) * 2, "", told) for value, told in zip(values, texts, strict=True)
    )


def _paint_palette(
    numbers: NumpyArray,
    masked: Mask | None,
    palette: Colors,
    facts: str,
) -> Painting:
    """Each integer chooses its colour; what the palette does not have is marked like NaN."""
    count = len(palette)
    missing = (numbers < 0) | (numbers >= count)
    choice = np.where(missing, count + NAN, numbers).astype(np.intp)
    if masked is not None:
        missing &= ~masked
        choice = np.where(masked, count + MASKED, choice)
    cell = MARKED_CELL if (choice >= count).any() else 1
    tiles = np.concatenate([flat_tiles(palette, cell), marked_tiles(cell)])
    left = int(np.count_nonzero(missing))
    note = f"{left:_} without a colour" if left else ""
    legend = ColorScale(colors.css_steps(palette), "0", str(count - 1), note)
    return Painting(tiles, choice, (legend,), facts)


def _paint_numbers(
    values: NumpyArray, reading: NumberReading, masked: Mask | None, style: PictureStyle
) -> Painting:
    numbers, least, greatest = _seen_numbers(values, masked)
    plain = numbers.size == values.size
    low, high, centred = color_limits(numbers, least, greatest, style)
    whole = table = style.colormap
    if whole is None or table is None:
        whole = colors.own_map(centred=centred)
        table = colors.own_map(centred=centred, steps=style.color_steps)
    choice = color_places(values, low, high, len(table))
    facts = "no finite values"
    if numbers.size:
        facts = f"{reading.meaning} from {reading.write(least)} to {reading.write(greatest)}"
    if not plain:
        facts += count_marks(values, masked)
    if not numbers.size:
        return marked_painting(values, masked, table, choice, (), facts)
    notes = [] if reading.meaning == "values" else [reading.meaning]
    clipped = least < low or high < greatest
    if clipped:
        beyond = int(np.count_nonzero((numbers < low) | (numbers > high)))
        notes.append(f"{beyond:_} beyond the scale")
    ends = reading.write(low), reading.write(high)
    legend = ColorScale(colors.css_colors(whole), *ends, ", ".join(notes))
    scale = None
    if reading.meaning == "values":
        free = style.low is style.high is None
        dynamic = centred and (free if style.dynamic == "auto" else style.dynamic)
        scale = Scale(table, low, high, clipped, dynamic)
    if plain:
        return Painting(flat_tiles(table, 1), choice, (legend,), facts, scale)
    return replace(marked_painting(values, masked, table, choice, (legend,), facts), scale=scale)


def _seen_numbers(values: NumpyArray, masked: Mask | None) -> tuple[NumpyArray, float, float]:
    """The finite values that are shown, in a row, the least and the greatest of them."""
    numbers = values.ravel()
    with np.errstate(all="ignore"):
        if masked is None and numbers.size:
            # NaN and infinities show in the extremes.
            least, greatest = float(numbers.min()), float(numbers.max())
            if math.isfinite(least) and math.isfinite(greatest):
                return numbers, least, greatest
        finite = np.isfinite(values)
        numbers = values[finite if masked is None else finite & ~masked]
        if not numbers.size:
            return numbers, 0.0, 0.0
        return numbers, float(numbers.min()), float(numbers.max())


def marked_painting(  # noqa: PLR0917 - the parts of a painting
    values: NumpyArray,
    masked: Mask | None,
    table: Colors,
    choice: NumpyArray,
    legends: tuple[ColorScale, ...],
    facts: str,
) -> Painting:
    """A painting in the colours of a table, with marks for what is not finite or not shown.

    Args:
        values: Real numbers.
        masked: Which of them are not to be shown.
        table: The colours, `uint8[count, 4]`.
        choice: The colour of each value, of the same shape; it is changed.
        legends: What explains the colours.
        facts: What the picture shows, in words.
    """
    hidden = masked is not None and masked.any()
    if not hidden and np.isfinite(values).all():
        return Painting(flat_tiles(table, 1), choice, legends, facts)
    choice = _with_marks(choice, values, masked, len(table))
    tiles = np.concatenate([flat_tiles(table, MARKED_CELL), marked_tiles(MARKED_CELL)])
    return Painting(tiles, choice, legends, facts)


def color_places(values: NumpyArray, low: float, high: float, count: int) -> NumpyArray:
    """Which of `count` colours between two limits each value has; what is not finite has any."""
    with np.errstate(all="ignore"):
        exponent = math.frexp(max(abs(low), abs(high)))[1]
        if abs(exponent) > 1000:  # the distance between the limits would overflow or vanish
            values = np.ldexp(values, -exponent)
            low, high = math.ldexp(low, -exponent), math.ldexp(high, -exponent)
        if low >= high:
            return np.full(values.shape, count // 2)
        places: NumpyArray = np.asarray(values - low)
        places /= high - low
        places *= count - 1
    # NaN has any colour; what compares with nothing becomes the first one.
    np.fmax(places, 0, out=places)
    np.fmin(places, count - 1, out=places)
    return np.rint(places, out=places).astype(np.intp)


def color_limits(
    numbers: NumpyArray, least: float, greatest: float, style: PictureStyle
) -> tuple[float, float, bool]:
    """The values of the first and the last colour, and whether zero is in the middle.

    Inferred limits are the extremes, or three standard deviations from the mean (three root mean
    squares from zero) where that is less and outliers are trimmed.

    Args:
        numbers: The finite values that are shown, as float64.
        least: The least of them.
        greatest: The greatest of them.
        style: Limits that are given, and wishes.
    """
    low, high, centred = style.low, style.high, style.around_zero
    if low is None and high is None:
        centred = least < 0 < greatest if centred == "auto" else centred
        low, high = least, greatest
        if centred:
            high = max(-least, greatest)
            low = -high
        if style.trim_outliers and numbers.size:
            largest = max(-least, greatest)
            middle, spread = _middle_and_spread(numbers, largest or 1.0, about_zero=centred)
            low, high = max(low, middle - 3 * spread), min(high, middle + 3 * spread)
        return low, high, centred
    if centred == "auto":
        centred = low is not None and high is not None and low == -high
    if centred:
        bound = abs(high if high is not None else low or 0.0)
        return -bound, bound, True
    if low is None:
        low = least if high is None else min(least, high)
    return low, max(low, greatest if high is None else high), False


def _middle_and_spread(
    numbers: NumpyArray, largest: float, *, about_zero: bool
) -> tuple[float, float]:
    """Mean and deviation, or zero and the root of the mean square.

    Args:
        numbers: At least one.
        largest: The greatest magnitude among them; not zero.
        about_zero: Which of the two.
    """
    scaled = numbers / largest  # so that squares do not overflow
    count = numbers.size
    middle = 0.0 if about_zero else float(np.add.reduce(scaled, axis=None)) / count
    squares = np.square(scaled if about_zero else scaled - middle)
    spread = math.sqrt(float(np.add.reduce(squares, axis=None)) / count)
    return middle * largest, spread * largest


def _with_marks(
    choice: np.ndarray[Any, np.dtype[Any]],
    values: NumpyArray,
    masked: Mask | None,
    count: int,
) -> np.ndarray[Any, np.dtype[Any]]:
    choice[np.isnan(values)] = count + NAN
    choice[values == np.inf] = count + POSITIVE
    choice[values == -np.inf] = count + NEGATIVE
    if masked is not None:
        choice[masked] = count + MASKED
    return choice


def count_marks(values: NumpyArray, masked: Mask | None) -> str:
    """What to say of values that are not numbers, infinite or masked; begins with a comma."""
    seen = values if masked is None else values[~masked]
    counts = {
        "NaN": int(np.isnan(seen).sum()),
        "infinite": int(np.isinf(seen).sum()),
        "masked": values.size - seen.size,
    }
    return "".join(f", {count:_} {name}" for name, count in counts.items() if count)
