"""Complex numbers as colours: the magnitude as lightness, the phase as hue.

Zero is dark, large magnitudes are light, by the square root, so that small ones keep their hue.
Hues go round once, from the red of positive real numbers over the blue-green of negative ones.
"""

from dataclasses import replace
from functools import cache

import numpy as np

from treeview._document import ColorScale
from treeview.arrays.colors import Colors, css_colors, oklch_colors
from treeview.arrays.painting import Mask, Painting, color_limits, count_marks, marked_painting
from treeview.arrays.statistics import NumpyArray
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import number_text

HUES, SHADES = 24, 10
"""Steps of the phase and of the magnitude; with all marks they fit into a palette."""

_FIRST_HUE = 25.0


@cache
def phase_colors() -> Colors:
    """The colours, `uint8[HUES * SHADES, 4]`, the magnitude varying fastest."""
    points = [
        (0.12 + 0.76 * level, 0.14 * min(1.0, 2 * level, 4 - 3.4 * level), _hue(step))
        for step in range(HUES)
        for level in np.linspace(0, 1, SHADES).tolist()
    ]
    return oklch_colors(points, len(points))


def _hue(step: int) -> float:
    return (_FIRST_HUE + 360 * step / HUES) % 360


def _levels(shares: NumpyArray) -> NumpyArray:
    """Steps of lightness for magnitudes between 0 and 1; the root tells small ones apart."""
    return np.rint(np.sqrt(shares) * (SHADES - 1)).astype(np.intp)


def paint_phases(values: NumpyArray, masked: Mask | None, style: PictureStyle) -> Painting:
    """Colours complex numbers by magnitude and phase.

    Args:
        values: Complex numbers, `[...]`.
        masked: Which of them are not to be shown.
        style: How to draw; limits are those of the magnitude, from zero where none is given.
    """
    with np.errstate(all="ignore"):
        magnitudes = np.abs(values).astype(np.float64)
        turns = np.nan_to_num(np.angle(values)).astype(np.float64) / (2 * np.pi)
    shown = np.isfinite(magnitudes)
    shown = shown if masked is None else shown & ~masked
    numbers = magnitudes[shown]
    least, greatest = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    wished = replace(style, around_zero=False)
    low, high, _ = color_limits(numbers, least, greatest, wished)
    low = 0.0 if style.low is None else low
    steps = np.rint(turns * HUES).astype(np.intp) % HUES
    with np.errstate(all="ignore"):
        share = (magnitudes - low) / (high - low) if high > low else np.ones_like(magnitudes)
    levels = _levels(np.nan_to_num(np.clip(share, 0, 1)))
    table = phase_colors()
    facts = "no finite values"
    legends: tuple[ColorScale, ...] = ()
    if numbers.size:
        first, last = (number_text(end, digits=3) for end in (least, greatest))
        facts = f"magnitudes from {first} to {last}, phases as hues"
        shades = table.reshape(HUES, SHADES, 4)
        around = np.roll(shades[:, SHADES * 2 // 3], HUES // 2, axis=0)
        ends = (number_text(end, digits=3) for end in (low, high))
        clipped = int(np.count_nonzero((numbers < low) | (numbers > high)))
        note = f"{clipped:_} beyond the scale" if clipped else ""
        legends = (
            ColorScale(
                css_colors(shades[0, _levels(np.linspace(0, 1, 33))], 33),
                "magnitude " + next(ends),
                next(ends),
                note,
            ),
            ColorScale(css_colors(np.concatenate([around, around[:1]]), HUES + 1), "phase -π", "π"),
        )
    facts += count_marks(magnitudes, masked)
    choice = np.asarray(steps * SHADES + levels)  # NumPy makes scalars of arrays without axes
    return marked_painting(np.asarray(magnitudes), masked, table, choice, legends, facts)
