"""msgspec: structs by their fields."""

# pyright: standard, reportMissingImports=false
# msgspec is not installed where types are checked.

from typing import Any

import msgspec

from treeview._document import text
from treeview._names import class_of
from treeview._registry import Registry
from treeview._view import Sketch, View


def show_struct(struct: msgspec.Struct, view: View) -> Sketch:
    """A struct: `Point(x=1, y=2)`.

    Args:
        struct: Any struct.
        view: The builder.
    """
    cls: Any = class_of(struct)
    missing = text(("<is missing>", "muted"))
    fields = {name: _field(struct, name, missing) for name in cls.__struct_fields__}
    return view.record(struct, fields)


def _field(struct: msgspec.Struct, name: str, missing: Any) -> Any:
    try:
        return object.__getattribute__(struct, name)
    except AttributeError:
        return missing


def register(registry: Registry) -> None:
    """Tells a registry about msgspec's types."""
    registry.register(msgspec.Struct, show_struct)
    registry.register(type(msgspec.UNSET), lambda obj, view: view.text(repr(obj)))
