"""Selections: the whole tree, with the selected places marked and in sight."""

from typing import Any

from modeldata._struct import Struct, pytree_dataclass
from modeldata._treeview._colors import MARK
from modeldata.selectors import Selection
from treeview import Shown, Sketch, View, show


@pytree_dataclass
class Marked(Struct):
    """Stands in a tree for a selected part of it.

    Attributes:
        value: The selected part.
    """

    value: Any


@pytree_dataclass
class InSight(Struct):
    """Stands in a tree for a part that should be seen at once.

    Attributes:
        value: The part.
    """

    value: Any


def show_in_sight(selection: Selection) -> None:
    """Shows the tree of a selection, opened down to the selected parts.

    Args:
        selection: The selection.
    """
    show(selection.apply(InSight))


def draw_in_sight(part: InSight, view: View) -> Shown:
    """Draws a part as it is drawn elsewhere, and opens what is around it.

    Args:
        part: A part that should be seen.
        view: The builder of treeview.
    """
    shown = _drawn(part.value, view)
    shown.revealed = True
    return shown


def draw_selection(selection: Selection, view: View) -> Shown:
    """Draws a selection as its tree, with a mark at each selected place.

    Args:
        selection: The selection.
        view: The builder of treeview.
    """
    sketch = view.sequence(
        selection,
        [selection.apply(Marked)],
        brackets=("select(", ")"),
        steps=None,
        note=f"{selection.count()} selected",
    )
    sketch.inline = False
    return sketch


def draw_marked(marked: Marked, view: View) -> Shown:
    """Draws a selected part as it is drawn elsewhere, with a mark, and opens what is around it.

    Args:
        marked: A selected part.
        view: The builder of treeview.
    """
    shown = _drawn(marked.value, view)
    shown.head = view.text(("◆ ", "strong"), shown.head)
    shown.note = view.text(shown.note, "  " if shown.note.spans else "", ("# selected", "strong"))
    shown.color = MARK
    shown.revealed = True
    return shown


def _drawn(value: Any, view: View) -> Sketch:
    shown = view.draw(value)
    if isinstance(shown, Sketch):
        return shown
    return Sketch(head=view.text(), children=[shown], count=1, separator="")
