"""xarray: arrays with named axes, data sets and trees of them; nothing is loaded to be shown."""

# pyright: standard, reportMissingImports=false
# xarray is not installed where types are checked.

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from treeview._document import text
from treeview._names import class_of, type_module
from treeview._paths import Attribute, Key, Step
from treeview._registry import Registry, default_registry
from treeview._view import Sketch, View
from treeview.arrays.delegate import DelegatingAdapter
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Axis, Statistics, Window
from treeview.arrays.statistics import NumpyArray


class VariableAdapter(DelegatingAdapter):
    """Speaks for a variable or a labelled array, as an array that knows its axes' names."""

    def __init__(self) -> None:
        super().__init__(_data, _axes, type_name="")

    def inner(self, array: xr.Variable | xr.DataArray) -> tuple[ArrayAdapter, Any]:
        """The adapter of what the variable holds, and that; itself where it is not in memory."""
        variable = array.variable if isinstance(array, xr.DataArray) else array
        known = default_registry.adapter_for(class_of(_held(variable))) is not None
        ready = known or variable._in_memory  # noqa: SLF001
        return super().inner(variable) if ready else (_LAZY, variable)


class LazyAdapter:
    """Speaks for a variable whose values are in a file, or not computed."""

    def describe(self, array: xr.Variable) -> ArrayInfo:
        """Axes and element type."""
        lazy = type_module(class_of(_held(array))).split(".")[0]
        problem = f"not computed, {lazy}" if lazy == "dask" else "not loaded"
        return ArrayInfo(
            type_name="",
            dtype=str(array.dtype),
            axes=tuple(_axes(array)),
            bytes=int(array.nbytes),
            problem=problem,
        )

    def statistics(self, arrays: Sequence[Any]) -> Sequence[Statistics | None]:
        """None for each."""
        return [None] * len(arrays)

    def fetch(self, requests: Sequence[tuple[Any, Window]]) -> Sequence[NumpyArray]:  # noqa: ARG002 - the protocol's signature
        """Nothing can be fetched.

        Raises:
            TypeError: Always.
        """
        raise TypeError("Expected a variable in memory, got one that is not loaded; load it first.")


def _held(variable: xr.Variable) -> Any:
    """What a variable holds; its public names would load it."""
    return variable._data  # noqa: SLF001


def _data(variable: xr.Variable) -> Any:
    held = _held(variable)
    return held if default_registry.adapter_for(class_of(held)) else variable.values


def _axes(variable: xr.Variable | xr.DataArray) -> Sequence[Axis]:
    pairs = zip(variable.dims, variable.shape, strict=True)
    return [Axis(size, name, position) for position, (name, size) in enumerate(pairs)]


_ADAPTER, _LAZY = VariableAdapter(), LazyAdapter()


def _array(variable: xr.Variable, view: View, name: str = "") -> Any:
    return view.array(variable, _ADAPTER, name=name)


def show_variable(variable: xr.Variable, view: View) -> Any:
    """A variable as an array with named axes.

    Args:
        variable: Any variable.
        view: The builder.
    """
    array = _array(variable, view, view.type_name(class_of(variable)))
    if not variable.attrs:
        return array
    return view.record(variable, {"values": array, "attrs": variable.attrs}, static=["attrs"])


def show_array(array: xr.DataArray, view: View) -> Sketch:
    """An array with its coordinates and attributes.

    Args:
        array: Any labelled array.
        view: The builder.
    """
    coordinates = _arrays(array.coords.variables, view)
    fields: dict[str, Any] = {} if array.name is None else {"name": array.name}
    fields["values"] = _array(array.variable, view)
    if coordinates:
        fields["coords"] = view.mapping(array, coordinates.items(), steps="key")
    if array.attrs:
        fields["attrs"] = dict(array.attrs)
    return _record(array, fields, view, static=["name", "coords", "attrs"])


def show_dataset(dataset: xr.Dataset, view: View) -> Sketch:
    """A data set: coordinates, variables, attributes.

    Args:
        dataset: Any data set.
        view: The builder.
    """
    fields, steps, static = _dataset_parts(dataset, view)
    sketch = _record(dataset, fields, view, static=static, steps=steps)
    sizes = ", ".join(f"{name}: {size}" for name, size in dataset.sizes.items())
    sketch.note = text((f"# {sizes}", "comment")) if sizes else sketch.note
    return sketch


def _dataset_parts(dataset: Any, view: View) -> tuple[dict[str, Any], list[Step], list[str]]:
    coordinates = _arrays(dataset.coords.variables, view)
    variables = {name: dataset.variables[name] for name in dataset.data_vars}
    fields = {**coordinates, **_arrays(variables, view)}
    steps: list[Step] = [Key(name) for name in fields]
    static = list(coordinates)
    if dataset.attrs:
        fields["attrs"] = dict(dataset.attrs)
        steps.append(Attribute("attrs"))
        static.append("attrs")
    return fields, steps, static


def show_tree(tree: xr.DataTree, view: View) -> Sketch:
    """A tree of data sets: what this node holds, then its children.

    Args:
        tree: Any node.
        view: The builder.
    """
    fields, steps, static = _dataset_parts(tree.to_dataset(inherit=False), view)
    for name, child in tree.children.items():
        fields[name] = child
        steps.append(Key(name))
    return _record(tree, fields, view, static=static, steps=steps)


def _arrays(variables: Mapping[Any, xr.Variable], view: View) -> dict[Any, Any]:
    return {name: _array(variable, view) for name, variable in variables.items()}


def _record(
    obj: Any, fields: dict[Any, Any], view: View, *, static: list[str], steps: Any = "attribute"
) -> Sketch:
    named = {str(name): value for name, value in fields.items()}
    sketch = view.record(obj, named, static=[str(name) for name in static], steps=steps)
    if view.options.roundtrip:
        sketch.head, sketch.tail = text("<", sketch.head), text(sketch.tail, ">")
    return sketch


def register(registry: Registry) -> None:
    """Tells a registry about xarray's types."""
    registry.register_array(xr.Variable, _ADAPTER)
    registry.register_array(xr.DataArray, _ADAPTER)
    registry.register(xr.Variable, show_variable)
    registry.register(xr.DataArray, show_array)
    registry.register(xr.Dataset, show_dataset)
    registry.register(xr.DataTree, show_tree)
