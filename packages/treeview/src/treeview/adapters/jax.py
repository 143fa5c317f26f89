"""JAX: arrays wherever they live, tracers, random keys, abstract arrays, shardings, tree nodes."""

# pyright: standard
# JAX leaves many of its types unknown, which strict checking takes for errors.

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from treeview._document import Branch, Text
from treeview._guard import safe_repr
from treeview._names import type_name
from treeview._registry import Registry
from treeview._view import ArraySketch, View
from treeview.adapters._jax_functions import TRANSFORMED, show_function
from treeview.adapters._jax_stages import register_stages
from treeview.adapters._jax_trees import TreeNode, show_tree_node
from treeview.adapters._jax_values import read_both
from treeview.arrays.autovisualizer import ArrayAutovisualizer
from treeview.arrays.deferred import deferred_picture
from treeview.arrays.expressions import LARGEST, array_expression
from treeview.arrays.protocol import ArrayInfo, Axis, Shard, Statistics, Window, shape_axes
from treeview.arrays.sharding import shards_picture
from treeview.arrays.statistics import NumpyArray


class JaxAdapter:
    """Speaks for `jax.Array`: concrete arrays, tracers, random keys."""

    def describe(self, array: jax.Array) -> ArrayInfo:
        """What is known without looking at values or waiting for a device."""
        traced = isinstance(array, Tracer)
        problem = "traced" if traced else _array_problem(array)
        return ArrayInfo(
            type_name="jax.Array",
            dtype=str(array.dtype),
            axes=shape_axes(array.shape),
            bytes=_byte_count(array),
            problem=problem,
            note="" if problem else placement(array),
        )

    def statistics(self, arrays: Sequence[jax.Array]) -> Sequence[Statistics | None]:
        """Statistics of each array, in at most one transfer."""
        return [found for found, _ in read_both([(array, None, True) for array in arrays])]

    def fetch(self, requests: Sequence[tuple[jax.Array, Window]]) -> Sequence[NumpyArray]:
        """The values in each window, in at most one transfer."""
        wanted = [(array, window, False) for array, window in requests]
        return [values for _, values in read_both(wanted) if values is not None]

    def read(
        self, requests: Sequence[tuple[jax.Array, Window | None, bool]]
    ) -> Sequence[tuple[Statistics | None, NumpyArray | None]]:
        """Statistics and values of each array, as far as they are wanted, in one transfer."""
        return read_both(requests)

    def is_ready(self, array: jax.Array) -> bool:
        """Whether the device has made the array."""
        is_ready = getattr(array, "is_ready", None)  # which no stub of JAX knows
        return is_ready is None or is_ready()

    def shards(self, array: jax.Array) -> Sequence[Shard] | None:
        """Which part of the array each device holds, without any work on the devices."""
        return None if isinstance(array, Tracer) else _shards(array)

    def expression(self, array: jax.Array) -> str | None:
        """A Python expression of an equal array, or None."""
        if array.size > LARGEST or jnp.issubdtype(array.dtype, jax.dtypes.extended):
            return None
        return array_expression(np.asarray(array), "jax.numpy.array")


class AbstractAdapter:
    """Speaks for what has a shape and an element type, but no values to look at."""

    def __init__(self, name: str, problem: str) -> None:
        self._name = name
        self._problem = problem

    def describe(self, array: Any) -> ArrayInfo:
        """Shape and element type."""
        return ArrayInfo(
            type_name=self._name,
            dtype=str(array.dtype),
            axes=shape_axes(array.shape),
            bytes=_byte_count(array),
            problem=self._problem,
        )

    def shards(self, array: Any) -> Sequence[Shard] | None:
        """Which part of the array each device is to hold, if that is known."""
        return _shards(array)

    def statistics(self, arrays: Sequence[Any]) -> Sequence[Statistics | None]:
        """None for each."""
        return [None] * len(arrays)

    def fetch(self, requests: Sequence[tuple[Any, Window]]) -> Sequence[NumpyArray]:  # noqa: ARG002 - the protocol's signature
        """Nothing can be fetched.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"Expected an array with values, got `{self._name}`, which has none.")


def _array_problem(array: jax.Array) -> str:
    if array.is_deleted():
        return "deleted"
    if not (array.is_fully_addressable or array.is_fully_replicated):
        return "partly on other hosts"
    return ""


def _shards(array: Any) -> Sequence[Shard] | None:
    sharding = getattr(array, "sharding", None)
    if not isinstance(sharding, jax.sharding.Sharding):
        return None
    regions: Mapping[Any, tuple[slice, ...] | None]
    if len(sharding.device_set) == 1:  # as most do, and this is asked of each array that is drawn
        regions = dict.fromkeys(sharding.device_set, (slice(None),) * len(array.shape))
    else:
        regions = sharding.devices_indices_map(array.shape)
    return [
        Shard(f"{device.platform.upper()} {device.id}", region or ())
        for device, region in regions.items()
    ]


def _byte_count(array: Any) -> int:
    known = all(isinstance(size, int | np.integer) for size in array.shape)
    return math.prod(array.shape) * getattr(array.dtype, "itemsize", 0) if known else 0


def placement(array: jax.Array) -> str:
    """Where an array lives, if that is not just the first device."""
    devices = array.sharding.device_set
    if len(devices) == 1:
        device = next(iter(devices))
        return "" if device == jax.local_devices(backend=device.platform)[0] else f"on {device}"
    if array.is_fully_replicated:
        return f"copied to {len(devices)} devices"
    spec = getattr(array.sharding, "spec", None)
    return f"on {len(devices)} devices" + (f", {spec!r}" if spec is not None else "")


def _show_tracer(tracer: Tracer, view: View) -> ArraySketch | Text:
    if isinstance(tracer, jax.Array):
        return view.array(tracer)
    return view.text(safe_repr(tracer))  # of something else, such as a mutable array


def _show_as_repr(obj: object, view: View) -> Text:
    return view.text(safe_repr(obj))


def _show_mesh(mesh: jax.sharding.Mesh, view: View) -> Text | Branch:
    line = view.text(_mesh_text(mesh))
    # A device for each place of the mesh.
    spec = jax.sharding.PartitionSpec(*mesh.axis_names)
    return _with_picture(line, jax.sharding.NamedSharding(mesh, spec), view)


def _show_named_sharding(sharding: jax.sharding.NamedSharding, view: View) -> Text | Branch:
    line = view.text(f"NamedSharding({_mesh_text(sharding.mesh)}, {sharding.spec!r})")
    return _with_picture(line, sharding, view)


def _with_picture(line: Text, sharding: jax.sharding.NamedSharding, view: View) -> Text | Branch:
    """A line, and where arrays are to be drawn, a picture of an array that is divided so."""
    chosen, mesh = view.options.autovisualize, sharding.mesh
    if not isinstance(mesh, jax.sharding.Mesh) or not (
        chosen is True or isinstance(chosen, ArrayAutovisualizer)
    ):
        return line
    parts = [
        () if one is None else one if isinstance(one, tuple) else (one,) for one in sharding.spec
    ]
    axes = tuple(
        Axis(math.prod(mesh.shape[name] for name in names), " and ".join(names) or None, position)
        for position, names in enumerate(parts)
    )
    shards = _shards(jax.ShapeDtypeStruct([axis.size for axis in axes], bool, sharding=sharding))
    if not shards:
        return line
    info = ArrayInfo("any array", "divided", axes)
    picture = deferred_picture("what each device holds", lambda: shards_picture(info, shards))
    return Branch(line, [picture], folded=line, inline=False)


def _mesh_text(mesh: Any) -> str:
    axes = ", ".join(f"{name!r}: {size}" for name, size in mesh.shape.items())
    return f"{type_name(type(mesh))}({axes})"


def register(registry: Registry) -> None:
    """Tells a registry about JAX's types."""
    registry.register_array(jax.Array, JaxAdapter())
    registry.register_array(Tracer, JaxAdapter())
    registry.register(Tracer, _show_tracer)
    abstract = AbstractAdapter("jax.ShapeDtypeStruct", "abstract")
    registry.register_array(jax.ShapeDtypeStruct, abstract)
    if hasattr(jax, "Ref"):
        # Reading one would be an effect of the function that is being traced.
        registry.register_array(jax.Ref, AbstractAdapter("jax.Ref", "mutable"))
    for cls in (jax.sharding.PartitionSpec, jax.sharding.Sharding, jax.Device):
        registry.register(cls, _show_as_repr)
    registry.register(type(jax.tree.structure(None)), _show_as_repr)
    for cls in TRANSFORMED:
        registry.register(cls, show_function)
    registry.register(jax.sharding.Mesh, _show_mesh)
    registry.register(jax.sharding.NamedSharding, _show_named_sharding)
    register_stages(registry)
    registry.register(TreeNode, show_tree_node)
