"""Making named arrays, and putting them together."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.named._array import NamedArray
from modeldata.named._dims import AxisName, check_names, shown
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
        ValueError: If a name is unsuitable.
    """
    check_names(named_shape)
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
        ValueError: If the names of a plain mapping cannot be sorted.
    """
    names, sizes = _ordered(named_shape)
    check_names(names)
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
        arrays: Named arrays with as many positional axes each. Other names are broadcast.
        axis_name: The axis along which they follow each other.

    Raises:
        ValueError: If there are no arrays, if one lacks the axis, or if their positional axes or
            the sizes of other axes differ.
    """
    _check_ranks(arrays, "concatenate")
    prefixed = [array.untag_prefix(axis_name) for array in arrays]
    joined = vectorized(jnp.concatenate, (prefixed,), {}, NamedArray)
    return joined.tag_prefix(axis_name)


def stack(arrays: Sequence[NamedArray], axis_name: AxisName) -> NamedArray:
    """Joins arrays along a new axis.

    Args:
        arrays: Named arrays with as many positional axes each. Their names are broadcast.
        axis_name: The name of the new axis.

    Raises:
        ValueError: If there are no arrays, if the name is taken, or if their positional axes or
            the sizes of named axes differ.
    """
    _check_ranks(arrays, "stack")
    joined = vectorized(jnp.stack, (list(arrays),), {}, NamedArray)
    return joined.tag_prefix(axis_name)


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


def _check_ranks(arrays: Sequence[NamedArray], what: str) -> None:
    ranks = {len(array.positional_shape) for array in arrays}
    if len(ranks) != 1:
        raise ValueError(
            f"Expected arrays with the same number of positional axes to {what}, got "
            f"{sorted(ranks) or 'no arrays'}. `tag` or index the axes that are too many."
        )
