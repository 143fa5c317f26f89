"""The prompts of plain Python and of its debugger, which show results with treeview on demand.

Each hook remembers what it replaced and gives it back, unless somebody else has replaced it since.
Whatever goes wrong while an object is shown, the hook before is asked, so no prompt ever breaks.
"""

import builtins
import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from treeview._guard import STOP
from treeview._names import class_of
from treeview._options import current_options
from treeview._rendering import Displayable
from treeview._terminal import wants_color, write_line
from treeview._text import object_text

Undo = Callable[[], None]


def install_displayhook(types: tuple[type, ...], changes: dict[str, Any]) -> Undo:
    """Lets the prompt of plain Python show results with treeview.

    Args:
        types: The types to show, with their subclasses.
        changes: Changes of the options.

    Returns:
        What undoes it.
    """
    before = sys.displayhook

    def displayhook(value: Any) -> None:
        if value is None or not issubclass(class_of(value), types):
            before(value)
            return
        try:
            written = prompt_text(value, sys.stdout, changes)
            builtins.__dict__["_"] = None  # as Python does: it must not show in what is shown
            write_line(sys.stdout, written)
        except STOP:
            raise
        except BaseException:
            before(value)
        else:
            builtins.__dict__["_"] = value

    def undo() -> None:
        if sys.displayhook is displayhook:
            sys.displayhook = before

    sys.displayhook = displayhook
    return undo


def install_debugger(types: tuple[type, ...], changes: dict[str, Any]) -> Undo:
    """Lets the prompts of `pdb`, and of debuggers made from it, show results with treeview.

    Args:
        types: The types to show, with their subclasses.
        changes: Changes of the options.

    Returns:
        What undoes it.
    """
    debugger: Any = importlib.import_module("pdb").Pdb
    before: Any = debugger.displayhook

    def displayhook(self: Any, value: Any) -> None:
        if value is None or not issubclass(class_of(value), types):
            before(self, value)
            return
        try:
            written = prompt_text(value, self.stdout, changes)
        except STOP:
            raise
        except BaseException:
            before(self, value)
        else:
            write_line(self.stdout, written)

    def undo() -> None:
        if debugger.displayhook is displayhook:
            debugger.displayhook = before

    debugger.displayhook = displayhook
    return undo


def prompt_text(value: Any, stream: Any, changes: dict[str, Any]) -> str:
    """An object as text for a stream, coloured if that wants it; for None it is plain."""
    options = current_options()
    color = options.color
    if color is None:
        color = stream is not None and wants_color(stream)
    if isinstance(value, Displayable):
        return value.text(color=color)
    return object_text(value, replace(options, **changes, color=color))
