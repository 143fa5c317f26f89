"""Making named arrays, and putting them together."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp

from modeldata import _repr
from modeldata.named import _eager
from modeldata.named._aligned import Fit, fitted, plan_of, signature
from modeldata.named._array import NamedArray
from modeldata.named._dims import AxisName, check_names, dims_of, shown
from modeldata.named._vectorized import vectorized


def wrap(array: Any, *names: AxisName) -> NamedArray:
    """Makes a named array of an array.

    Args:
        array: Anything that `jnp.asarray` takes.
        *names: A name for each axis; if there are none, all axes stay positional.

    Raises:
        ValueError: If there is not a name for each axis, or names are unsuitable.
    """
    return NamedArray.wrap(array, *names)


def full(named_shape: Mapping[AxisName, int], fill_value: Any, dtype: Any = None) -> NamedArray:
    """Makes an array that holds one value everywhere.

    Args:
        named_shape: Sizes by name.
        fill_value: The value; an array or a number.
        dtype: The type of the elements, by default that of the value.

    Raises:
        TypeError: If `named_shape` is not a mapping, or `fill_value` is a named array.
        ValueError: If a name is unsuitable, or a size is not a non-negative integer.
    """
    if not isinstance(named_shape, Mapping):
        raise TypeError(
            "Expected a mapping from axis names to sizes, got "
            f"{_repr.brief(named_shape)}. Write `{{'name': size}}`."
        )
    if isinstance(fill_value, NamedArray):
        raise TypeError(
            f"Expected a plain value to fill an array with, got {_repr.brief(fill_value)}. Use "
            "`fill_value.broadcast_to((), named_shape)` to repeat a named array."
        )
    check_names(named_shape)
    _check_sizes(named_shape.items())
    shape = tuple(named_shape.values())
    return NamedArray.wrap(jnp.full(shape, fill_value, dtype)).tag(*named_shape)


def zeros(named_shape: Mapping[AxisName, int], dtype: Any = None) -> NamedArray:
    """Makes an array of zeros; see `full`."""
    return full(named_shape, 0, float if dtype is None else dtype)


def ones(named_shape: Mapping[AxisName, int], dtype: Any = None) -> NamedArray:
    """Makes an array of ones; see `full`."""
    return full(named_shape, 1, float if dtype is None else dtype)


def arange(
    name: AxisName, start: Any, stop: Any = None, step: Any = None, dtype: Any = None
) -> NamedArray:
    """Makes an array of evenly spaced numbers along one axis.

    Args:
        name: The name of the axis.
        start: The first number; the end, if `stop` is not given.
        stop: The end, which is not reached.
        step: The distance between numbers, by default 1.
        dtype: The type of the elements, by default that of the bounds.

    Raises:
        ValueError: If the name is unsuitable.
    """
    check_names((name,))
    return NamedArray.wrap(jnp.arange(start, stop, step, dtype), name)


def random_split(
    key: Any, named_shape: Mapping[AxisName, int] | Iterable[tuple[AxisName, int]]
) -> NamedArray:
    """Splits a random key into one for each index of new axes.

    Args:
        key: A JAX random key, named or not.
        named_shape: Sizes by name. The order of the names decides which key goes where. A plain
            mapping has its names sorted, so that equal mappings give equal keys; an
            `OrderedDict` or a sequence of pairs keeps its order.

    Returns:
        Keys with the axes of `key` and the new ones.

    Raises:
        ValueError: If the names of a plain mapping cannot be sorted, a name is unsuitable, or a
            size is not a non-negative integer.
    """
    names, sizes = _ordered(named_shape)
    check_names(names)
    _check_sizes(zip(names, sizes, strict=True))
    named_key = key if isinstance(key, NamedArray) else NamedArray.wrap(key)
    split = vectorized(lambda one: jax.random.split(one, sizes), (named_key,), {}, NamedArray)
    return split.tag_prefix(*names)


def _ordered(
    named_shape: Mapping[AxisName, int] | Iterable[tuple[AxisName, int]],
) -> tuple[tuple[AxisName, ...], tuple[int, ...]]:
    pairs = list(named_shape.items() if isinstance(named_shape, Mapping) else named_shape)
    if isinstance(named_shape, Mapping) and not isinstance(named_shape, OrderedDict):
        try:
            pairs.sort(key=lambda pair: pair[0])  # pyright: ignore[reportArgumentType, reportCallIssue]  # may fail
        except TypeError:
            raise ValueError(
                f"Expected axis names that can be sorted, got {shown(named_shape)}. Their order "
                "decides which key goes where: pass an OrderedDict or a sequence of pairs."
            ) from None
    return tuple(name for name, _ in pairs), tuple(size for _, size in pairs)


def concatenate(arrays: Sequence[NamedArray], axis_name: AxisName) -> NamedArray:
    """Joins arrays along an axis that all of them have.

    Args:
        arrays: Named arrays with equal positional shapes. Other names are broadcast.
        axis_name: The axis along which they follow each other.

    Returns:
        An array stored like the one with the most axes.

    Raises:
        TypeError: If something is not a named array.
        ValueError: If there are no arrays, if one lacks the axis, or if their positional axes or
            the sizes of other axes differ.
    """
    _check_joinable(arrays, "concatenate")
    signatures = []
    for i, array in enumerate(arrays):
        if axis_name not in array.named_shape:
            raise ValueError(
                f"Expected arrays that all have the axis {axis_name!r}, but `arrays[{i}]` has "
                f"{array.named_shape}. Give it one with "
                "`x[{name: None}]`, or use `nx.stack`."
            )
        shape = list(array.data_array.shape)
        shape[array.data_axis(axis_name)] = 1  # may differ, unlike all other sizes
        signatures.append((array.dims, tuple(shape)))
    plan = plan_of(tuple(signatures), "arrays")
    axis = plan.labels.index(axis_name)
    datas = (array.data_array for array in arrays)
    return NamedArray(_joined(plan.fits, plan.shape, axis, *datas), plan.dims)


def stack(arrays: Sequence[NamedArray], axis_name: AxisName) -> NamedArray:
    """Joins arrays along a new axis.

    Args:
        arrays: Named arrays with equal positional shapes. Their names are broadcast.
        axis_name: The name of the new axis.

    Returns:
        An array in which the new axis is stored first.

    Raises:
        TypeError: If something is not a named array.
        ValueError: If there are no arrays, if the name is taken, or if their positional axes or
            the sizes of named axes differ.
    """
    _check_joinable(arrays, "stack")
    check_names((axis_name,))
    plan = plan_of(tuple(map(signature, arrays)), "arrays")
    if axis_name in plan.labels:
        raise ValueError(
            f"Expected a new name for the axis to stack along, got {axis_name!r}, which an array "
            "has. Use `nx.concatenate` to join along an axis that there is."
        )
    data = _stacked(plan.fits, plan.shape, *(array.data_array for array in arrays))
    return NamedArray(data, dims_of((axis_name, *plan.labels)))


def unstack(array: NamedArray, axis_name: AxisName) -> list[NamedArray]:
    """Returns the slices of an array along one of its axes.

    Args:
        array: A named array.
        axis_name: The axis to take apart.

    Raises:
        ValueError: If the array does not have the axis.
    """
    return [
        array[{axis_name: i}] for i in range(array.data_array.shape[array.data_axis(axis_name)])
    ]


@_eager.compiled(static=3)
def _joined(fits: tuple[Fit, ...], shape: tuple[int, ...], axis: int, *datas: Any) -> jax.Array:
    """Concatenates arrays along an axis, once they have this shape but for the axis."""
    ready = []
    for data, fit in zip(datas, fits, strict=True):
        own = fitted(jnp.asarray(data), fit)
        size = own.shape[axis - len(shape)]
        ready.append(jnp.broadcast_to(own, (*shape[:axis], size, *shape[axis + 1 :])))
    return jnp.concatenate(ready, axis)


@_eager.compiled(static=2)
def _stacked(fits: tuple[Fit, ...], shape: tuple[int, ...], *datas: Any) -> jax.Array:
    pairs = zip(datas, fits, strict=True)
    return jnp.stack([jnp.broadcast_to(fitted(data, fit), shape) for data, fit in pairs])


def _check_sizes(sizes: Iterable[tuple[AxisName, Any]]) -> None:
    for name, size in sizes:
        if not isinstance(size, SupportsIndex) or (isinstance(size, int) and size < 0):
            raise ValueError(
                f"Expected the sizes of axes to be non-negative integers, got {size!r} for "
                f"{name!r}. Write `{{'name': size}}`."
            )


def _check_joinable(arrays: Sequence[Any], what: str) -> None:
    for i, array in enumerate(arrays):
        if not isinstance(array, NamedArray):
            raise TypeError(
                f"Expected named arrays to {what}, but `arrays[{i}]` is {_repr.brief(array)}. "
                "Name its axes with `nx.wrap`."
            )
    shapes: dict[tuple[int, ...], int] = {}
    for i, array in enumerate(arrays):
        shapes.setdefault(array.positional_shape, i)
    if len(shapes) != 1:
        found = "; ".join(f"`arrays[{i}]` has {shape}" for shape, i in shapes.items())
        raise ValueError(
            f"Expected arrays with the same positional shape to {what}, got "
            f"{found or 'no arrays'}. `tag` or index the axes that differ."
        )
