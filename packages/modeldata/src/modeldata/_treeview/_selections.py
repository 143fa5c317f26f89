"""Selections: the whole tree, with the selected places marked and in sight."""

from typing import Any

from treeview import Shown, View

from modeldata._struct import Struct, pytree_dataclass
from modeldata._treeview._colors import MARK
from modeldata.selectors import Selection


@pytree_dataclass
class Marked(Struct):
    """Stands in a tree for a selected part of it.

    Attributes:
        value: The selected part.
        number: The place of the part among all selected parts.
    """

    value: Any
    number: int


def draw_selection(selection: Selection, view: View) -> Shown:
    """Draws a selection as its tree, with a mark at each selected place.

    Args:
        selection: The selection.
        view: The builder of treeview.
    """
    count = selection.count()
    tree = selection.apply_with_selected_index(lambda number, value: Marked(value, number))
    sketch = view.sequence(
        selection,
        [tree],
        brackets=("select(", ")"),
        steps=None,
        note=f"{count} selected",
    )
    sketch.inline = False
    return sketch


def draw_marked(marked: Marked, view: View) -> Shown:
    """Draws a selected part, and asks to be revealed.

    Args:
        marked: A selected part.
        view: The builder of treeview.
    """
    sketch = view.sequence(
        marked,
        [marked.value],
        brackets=("▸ ", ""),
        steps=None,
        color=MARK,
        note=f"selected {marked.number}",
    )
    sketch.separator = ""
    sketch.revealed = True
    return sketch
