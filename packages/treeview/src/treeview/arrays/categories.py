"""Strings and objects as colours: one for each of the most frequent ones."""

from collections import Counter

import numpy as np

from treeview._document import ColorScale, printable
from treeview._guard import Damage, safe_repr
from treeview._names import class_of, type_name
from treeview.arrays.colors import css_colors, digit_colors
from treeview.arrays.painting import Mask, Painting
from treeview.arrays.statistics import NumpyArray
from treeview.arrays.tiles import MARKED_CELL, MASKED, flat_tiles, marked_tiles

_MOST = 9
_LONGEST = 24


def paint_categories(values: NumpyArray, masked: Mask | None) -> Painting:
    """Gives each of the most frequent values a colour, and the others grey.

    Values are the same if they are written the same.

    Args:
        values: Strings or any objects, `[...]`.
        masked: Which of them are not to be shown.
    """
    words = [_written(value) for value in values.ravel().tolist()]
    hidden = np.zeros(len(words), bool) if masked is None else masked.ravel()
    counts = Counter(word for word, skip in zip(words, hidden.tolist(), strict=True) if not skip)
    frequent = [word for word, _ in counts.most_common(_MOST)]
    frequent.sort()
    numbers = {word: number for number, word in enumerate(frequent, 1)}
    choice = np.array([numbers.get(word, 0) for word in words], np.intp).reshape(values.shape)
    table = digit_colors()  # the first one is grey
    css = css_colors(table, len(table))
    legends = [ColorScale((css[n],) * 2, "", _cut(word)) for word, n in numbers.items()]
    others = len(counts) - len(frequent)
    if others:
        legends.append(ColorScale((css[0],) * 2, "", f"{others:_} others"))
    facts = "1 category" if len(counts) == 1 else f"{len(counts):_} categories"
    if not hidden.any():
        return Painting(flat_tiles(table, 1), choice, tuple(legends), facts)
    choice[hidden.reshape(values.shape)] = len(table) + MASKED
    tiles = np.concatenate([flat_tiles(table, MARKED_CELL), marked_tiles(MARKED_CELL)])
    return Painting(tiles, choice, tuple(legends), f"{facts}, {int(hidden.sum()):_} masked")


def are_few(values: NumpyArray) -> bool:
    """Whether there are so few different texts that each has a colour, and some are repeated."""
    count = len(np.unique(values))
    return count <= _MOST and count < values.size


def _written(value: object) -> str:
    try:
        return safe_repr(value)
    except Damage:
        return f"<{type_name(class_of(value))}>"


def _cut(word: str) -> str:
    word = printable(word)
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"
