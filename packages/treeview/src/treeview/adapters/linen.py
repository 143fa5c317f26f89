"""flax.linen: modules, bound or not, frozen dictionaries, and arrays with names for their axes."""

# pyright: standard, reportMissingImports=false
# flax leaves many of its types unknown, and is not installed where types are checked.

import dataclasses
from collections.abc import Sequence
from typing import Any

from flax import linen
from flax.core import FrozenDict, meta

from treeview._document import text
from treeview._guard import Damage, guarded
from treeview._names import class_of, type_module
from treeview._paths import Attribute
from treeview._registry import Registry, default_registry
from treeview._view import ArraySketch, Sketch, View
from treeview.adapters._settings import chosen, settings_note
from treeview.arrays.delegate import delegating_adapter
from treeview.arrays.protocol import Axis
from treeview.handlers.objects import not_rebuilt

_HIDDEN = ("name", "parent")


def show_module(module: linen.Module, view: View) -> Sketch:
    """A module: `Dense(features=3)`, with its variables if it is bound.

    Args:
        module: Any module. Nothing is set up by looking at it.
        view: The builder.
    """
    cls: Any = class_of(module)
    state = object.__getattribute__(module, "__dict__")
    fields = [field for field in dataclasses.fields(cls) if field.name not in _HIDDEN]
    settings = {field.name: _value(module, field.name) for field in fields}
    shown = settings
    if type_module(cls).split(".")[0] == "flax" and not view.options.roundtrip:
        shown = chosen(settings, {field.name: field.default for field in fields})
    hidden = len(settings) - len(shown)
    if state.get("name") is not None:
        shown = {**shown, "name": state["name"]}
    scope = state.get("scope")
    children = {} if scope is None else _children(state)
    variables = {} if scope is None else _variables(scope, children, view)
    sketch = view.record(
        module,
        {**shown, **children, **variables},
        steps=[Attribute(name) for name in (*shown, *children)],
        static=list(shown),
        color=view.type_color(cls),
        note=settings_note(hidden, "" if scope is None else "bound"),
    )
    return not_rebuilt(sketch) if view.options.roundtrip and scope is not None else sketch


def _value(module: linen.Module, name: str) -> Any:
    try:
        return guarded(getattr, module, name, doing=f".{name}")
    except Damage as damage:
        return text((f"<{damage}>", "error"))


def _children(state: dict[str, Any]) -> dict[str, Any]:
    """The modules that have been set up so far; to set up others would be an effect."""
    known = getattr(state.get("_state"), "children", {})
    return {name: child for name, child in known.items() if state.get(name) is child}


def _variables(scope: Any, children: dict[str, Any], view: View) -> dict[str, Any]:
    """By collection, the variables that belong to no child that is shown."""
    found: dict[str, Any] = {}
    for collection, variables in scope.variables().items():
        own = {name: value for name, value in variables.items() if name not in children}
        if own:
            unit = "parameters" if collection == "params" else collection
            found[collection] = view.mapping(own, own.items(), steps=None, unit=unit)
    return found


def _show_frozen(frozen: FrozenDict, view: View) -> Sketch:
    name = view.type_name(class_of(frozen))
    count = FrozenDict.__len__(frozen)
    return view.mapping(
        frozen, FrozenDict.items(frozen), brackets=("({", "})"), name=name, count=count
    )


def _box_axes(box: meta.Partitioned) -> Sequence[Axis]:
    shape = getattr(box.value, "shape", ())
    return [
        Axis(size, None if name is None else str(name), position)
        for position, (size, name) in enumerate(zip(shape, box.names, strict=True))
    ]


def _show_partitioned(box: meta.Partitioned, view: View) -> ArraySketch | None:
    """An array whose axes have names for where they are split; other values by their fields."""
    if default_registry.adapter_for(class_of(box.value)) is None:
        return None
    return view.array(box, _PARTITIONED, name=view.type_name(class_of(box)))


_PARTITIONED = delegating_adapter(lambda box: box.value, axes=_box_axes, type_name="Partitioned")


def register(registry: Registry) -> None:
    """Tells a registry about flax.linen's types."""
    registry.register(linen.Module, show_module)
    registry.register(FrozenDict, _show_frozen)
    registry.register(meta.Partitioned, _show_partitioned)
