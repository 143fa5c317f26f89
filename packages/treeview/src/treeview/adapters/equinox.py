"""Equinox: modules with their static fields set apart."""

# pyright: standard, reportMissingImports=false
# Equinox leaves many of its types unknown, and is not installed where types are checked.

from typing import Any

import equinox

from treeview._names import class_of, type_attribute
from treeview._registry import Registry
from treeview._view import Sketch, View
from treeview.handlers.objects import draw_dataclass


def show_module(module: equinox.Module, view: View) -> Sketch:
    """A module by its fields; those that are static look like settings.

    Args:
        module: Any module.
        view: The builder.
    """
    sketch = draw_dataclass(module, view)
    cls = class_of(module)
    if type_attribute(cls, "__call__") is not None:
        sketch.color = view.type_color(cls)
    sketch.unit = "parameters"
    return sketch


def _show_state(state: Any, view: View) -> Sketch:
    """What stateful layers keep, by the place where they keep it."""
    kept = object.__getattribute__(state, "__dict__").get("_state")
    items = kept if isinstance(kept, dict) else {}
    values = list(items.values())
    return view.sequence(state, values, brackets=("(", ")"), name="State", steps=None)


def register(registry: Registry) -> None:
    """Tells a registry about Equinox's types."""
    registry.register(equinox.Module, show_module)
    registry.register(equinox.nn.State, _show_state)
