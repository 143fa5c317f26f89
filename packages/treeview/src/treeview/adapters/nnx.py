"""flax.nnx: modules, variables, states, streams of random keys, graph definitions."""

# pyright: standard, reportMissingImports=false
# flax leaves many of its types unknown, and is not installed where types are checked.

from collections.abc import Iterable, Mapping
from typing import Any

import jax
from flax import nnx

from treeview._names import class_of, type_module
from treeview._paths import Opaque
from treeview._registry import Registry, default_registry
from treeview._view import Shown, Sketch, View
from treeview.adapters._settings import settings_note
from treeview.handlers.objects import not_rebuilt

_PARAMETER = "oklch(0.68 0.12 230)"
_STATE = "oklch(0.68 0.16 50)"
_INTERNAL = ("_pytree__state", "_pytree__nodes")
_USUAL = {"hijax", "ref", "eager_sharding", "is_hijax", "has_ref"}
"""Metadata that every variable has, and that says nothing of this one."""


def show_module(module: Any, view: View) -> Sketch:
    """A module by its attributes, settings first: `Linear(in_features=2, ..., kernel=...)`.

    Args:
        module: A module, or another object that nnx takes for a tree.
        view: The builder.
    """
    cls = class_of(module)
    state: dict[str, Any] = object.__getattribute__(module, "__dict__")
    attributes = {name: value for name, value in state.items() if name not in _INTERNAL}
    data = {name: value for name, value in attributes.items() if _is_data(name, value, state)}
    settings = {name: value for name, value in attributes.items() if name not in data}
    hidden = 0
    if type_module(cls).split(".")[0] == "flax" and not view.options.roundtrip:
        told = {name: value for name, value in settings.items() if _tells(value)}
        hidden, settings = len(settings) - len(told), told
    sketch = view.record(
        module,
        {**settings, **data},
        static=list(settings),
        color=view.type_color(cls),
        note=settings_note(hidden),
    )
    return not_rebuilt(sketch) if view.options.roundtrip else sketch


def _is_data(name: str, value: Any, state: dict[str, Any]) -> bool:
    if isinstance(value, nnx.Variable | nnx.Pytree | jax.Array):
        return True
    nodes = state.get("_pytree__nodes")
    return isinstance(nodes, Mapping) and nodes.get(name) is True


def _tells(value: Any) -> bool:
    """Whether a setting says more than that the usual was chosen."""
    return isinstance(value, bool | int | float | str | tuple)


def _show_list(items: nnx.List, view: View) -> Sketch:
    state: dict[str, Any] = object.__getattribute__(items, "__dict__")
    values = [state.get(str(index)) for index in range(state.get("_length", 0))]
    name = view.type_name(class_of(items))
    return view.sequence(items, values, brackets=("([", "])"), name=name)


def show_variable(variable: nnx.Variable, view: View) -> Shown:
    """A variable: its kind and its array, or other value, and what is noted on it.

    Args:
        variable: Any variable.
        view: The builder.
    """
    kind = class_of(variable)
    name, unit = view.type_name(kind), _unit(kind)
    value = variable.get_raw_value()
    usual = _USUAL | {"tag"} if issubclass(kind, nnx.RngState) else _USUAL
    metadata = variable.get_metadata().items()
    noted = {key: item for key, item in metadata if key not in usual and item is not None}
    array = default_registry.adapter_for(class_of(value)) is not None
    if array and not noted and not view.options.roundtrip:
        return view.array(value, name=name, unit=unit)
    color = _PARAMETER if issubclass(kind, nnx.Param) else _STATE
    shown = view.array(value, unit=unit) if array else value
    return view.record(
        variable, {"value": shown, **noted}, static=list(noted), unit=unit, color=color
    )


def _unit(kind: type) -> str:
    return "parameters" if issubclass(kind, nnx.Param) else "state values"


def _show_state(state: nnx.State, view: View) -> Sketch:
    items: dict[Any, Any] = object.__getattribute__(state, "__dict__").get("_mapping", {})
    name = view.type_name(class_of(state))
    return view.mapping(state, items.items(), brackets=("({", "})"), name=name, count=len(items))


def _show_flat_state(state: nnx.FlatState, view: View) -> Sketch:
    pairs: Iterable[Any] = list(state)
    name = view.type_name(class_of(state))
    return view.mapping(state, pairs, brackets=("({", "})"), name=name, steps=None)


def _show_graph(graph: nnx.GraphDef, view: View) -> Sketch:
    counts = f"{len(graph.nodes):_} nodes, {len(graph.attributes):_} attributes"
    sketch = view.record(graph, note=counts, opened=False)
    sketch.steps = [Opaque("graph definition")] * (sketch.count or 0)
    return sketch


def register(registry: Registry) -> None:
    """Tells a registry about flax.nnx's types."""
    registry.register(nnx.Pytree, show_module)
    registry.register(nnx.List, _show_list)
    registry.register(nnx.Variable, show_variable)
    registry.register(nnx.State, _show_state)
    registry.register(nnx.statelib.FlatState, _show_flat_state)
    registry.register(nnx.GraphDef, _show_graph)
