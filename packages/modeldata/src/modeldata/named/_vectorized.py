"""Any JAX function of named arrays, through `jax.vmap`.

One `vmap` for each axis name, each of which takes the axis where it is stored and puts it in front
of the result. So the function itself sees only positional axes, and the result is stored with all
names first; nothing is copied or transposed that `vmap` does not need transposed.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from modeldata.named._aligned import mismatch_text
from modeldata.named._base import Named, is_named
from modeldata.named._dims import AxisName, Dims, check_names, dims_of, layout_of


def vectorized(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], cls: type[Named]
) -> Any:
    """Calls a function on positional axes, once for each index of the named axes.

    Args:
        function: A function of arrays. Other arguments reach it unchanged.
        args: Positional arguments; pytrees, in which named arrays count as leaves.
        kwargs: Keyword arguments, likewise.
        cls: The class of named arrays to make.

    Returns:
        What the function returns, with a named array in place of every array. Names are stored in
        the order of their first appearance in the arguments.

    Raises:
        TypeError: If the function returns something that is no array.
        ValueError: If an axis name has two sizes.
    """
    leaves, treedef = jax.tree_util.tree_flatten((tuple(args), dict(kwargs)), is_leaf=is_named)
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Named)]
    names = tuple(common_sizes(args, kwargs, [leaves[i] for i in places]))
    steps = [_steps(leaves[i].dims, leaves[i].data_array.ndim, names) for i in places]

    def on_positions(*datas: Any) -> Any:
        filled = list(leaves)
        for i, data, (_, order) in zip(places, datas, steps, strict=True):
            filled[i] = data if order is None else lax.transpose(data, order)
        inner_args, inner_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
        return function(*inner_args, **inner_kwargs)

    mapped: Callable[..., Any] = on_positions
    for number in reversed(range(len(names))):
        in_axes = tuple(axes[number] for axes, _ in steps)
        mapped = jax.vmap(mapped, in_axes=in_axes, axis_name=names[number])
    outputs = mapped(*(leaves[i].data_array for i in places))
    return jax.tree_util.tree_map(
        lambda output: _wrapped(output, names, cls), outputs, is_leaf=is_named
    )


def common_sizes(
    args: Sequence[Any], kwargs: Mapping[str, Any], operands: Sequence[Named] | None = None
) -> dict[AxisName, int]:
    """Returns the size of each axis name, in the order in which the names appear.

    Args:
        args: Positional arguments; pytrees, in which named arrays count as leaves.
        kwargs: Keyword arguments, likewise.
        operands: All named arrays in them, if they are known.

    Raises:
        ValueError: If an axis name has two sizes.
    """
    if operands is None:
        operands = [leaf for _, leaf in _described(args, kwargs)]
    sizes: dict[AxisName, int] = {}
    for operand in operands:
        for name, size in operand.named_shape.items():
            if sizes.setdefault(name, size) != size:
                described = [(at, x.named_shape) for at, x in _described(args, kwargs)]
                raise ValueError(mismatch_text(described))
    return sizes


def _described(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[tuple[str, Named]]:
    found = []
    for prefix, values in (("args", list(args)), ("kwargs", dict(kwargs))):
        with_paths = jax.tree_util.tree_leaves_with_path(values, is_leaf=is_named)
        found += [
            (prefix + jax.tree_util.keystr(path), leaf)
            for path, leaf in with_paths
            if is_named(leaf)
        ]
    return found


@functools.lru_cache(4096)
def _steps(
    dims: Dims, ndim: int, names: tuple[AxisName, ...]
) -> tuple[tuple[int | None, ...], tuple[int, ...] | None]:
    """Returns the axis to map over for each name, and how to transpose what is left."""
    labels = list(layout_of(dims, ndim).labels)
    axes: list[int | None] = []
    for name in names:
        axes.append(labels.index(name) if name in labels else None)
        if name in labels:
            labels.remove(name)
    order = tuple(labels.index(number) for number in range(len(labels)))
    return tuple(axes), None if order == tuple(range(len(labels))) else order


def _wrapped(output: Any, names: tuple[AxisName, ...], cls: type[Named]) -> Named:
    """Makes a named array of one output, whose leading axes are those mapped over."""
    if not isinstance(output, Named):
        data = jnp.asarray(output)
        return cls._make(data, dims_of((*names, *range(data.ndim - len(names)))))
    inner = layout_of(output.dims, output.data_array.ndim - len(names))
    check_names((*names, *inner.names))
    return cls._make(output.data_array, dims_of((*names, *inner.labels)))
