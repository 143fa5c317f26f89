"""Structs: `Type(field=value, ...)`, coloured by type where they are layers."""

import dataclasses
from typing import Any

from modeldata._repr import struct_repr
from modeldata._struct import Struct, is_pytree_node_field
from modeldata._struct_building import init_is_generated
from modeldata._treeview._colors import GREY, type_color
from modeldata.nn import CheckedSequential, Sequential
from treeview import Shown, Sketch, View

_GROUPS = (Sequential, CheckedSequential)


def draw_struct(struct: Struct, view: View) -> Shown:
    """Draws a struct by its fields; static fields are styled as settings.

    Args:
        struct: Any struct.
        view: The builder of treeview.
    """
    fields = dataclasses.fields(struct)  # pyright: ignore[reportArgumentType]  # a dataclass
    return view.record(
        struct,
        {field.name: _value(struct, field, view) for field in fields},
        static=[field.name for field in fields if not is_pytree_node_field(field)],
        name=_constructor(struct, view),
        color=_color(struct),
        note=next((cls.__name__ for cls in _GROUPS if _is_subclass_of(struct, cls)), None),
    )


def draw_pattern(pattern: Struct, view: View) -> Shown:
    """Draws a pattern of `shapecheck` on one line, as it is written.

    Args:
        pattern: An `ArraySpec` or a `Wildcard`.
        view: The builder of treeview.
    """
    if view.options.roundtrip:
        return draw_struct(pattern, view)
    return view.text((struct_repr(pattern, width=10_000), "array"))


def _value(struct: Struct, field: dataclasses.Field[Any], view: View) -> Any:
    value = getattr(struct, field.name, None)
    if not field.metadata.get("always_collapse"):
        return value
    shown = view.draw(value)
    if isinstance(shown, Sketch):
        shown.opened = False
    return shown


def _constructor(struct: Struct, view: View) -> str | None:
    """What rebuilds the struct in a roundtrip, where calling its class would not."""
    if not view.options.roundtrip or init_is_generated(type(struct)):
        return None
    return f"{view.type_name(type(struct))}.from_attributes"


def _is_subclass_of(struct: Struct, cls: type) -> bool:
    return isinstance(struct, cls) and type(struct) is not cls


def _color(struct: Struct) -> str | None:
    if type(struct) is Sequential:
        return GREY
    return type_color(type(struct)) if callable(struct) else None
