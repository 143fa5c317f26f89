"""Nodes of Python's syntax trees."""

import ast
from typing import Any

from treeview._names import class_of, type_attribute
from treeview._registry import Registry
from treeview._view import Sketch, View, instance_fields


def register(registry: Registry) -> None:
    """Registers the handler of this module."""
    registry.register(ast.AST, draw_syntax)


def draw_syntax(obj: ast.AST, view: View) -> Sketch:
    """A node by its fields, without the place in the source that most nodes carry beside them."""
    held = instance_fields(obj)
    names: Any = type_attribute(class_of(obj), "_fields")
    return view.record(obj, {name: held[name] for name in names if name in held})
