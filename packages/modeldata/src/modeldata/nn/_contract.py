"""Sums of products over named axes."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.named import NamedArray
from modeldata.nn._axes import as_names, list_names, require_named


def contract(names: Hashable, left: NamedArray, right: NamedArray) -> NamedArray:
    """Multiplies two arrays and sums over some of the axes that they share.

    Other axes that both have are matched; axes that only one has are kept. It is one
    `jax.lax.dot_general`, which reads `right` as it lies in memory.

    Args:
        names: A name, or a tuple of names, to sum over; none for a product.
        left: An array without positional axes.
        right: Another one.

    Returns:
        An array with the matched axes first, then those of `left`, then those of `right`, in the
        dtype that both promote to.

    Raises:
        TypeError: If one of the inputs is not a named array.
        ValueError: If one has positional axes or misses a name, or if the sizes of an axis differ.
    """
    summed = as_names(names)
    require_named("`contract`", left, summed)
    require_named("`contract`", right, summed)
    left_shape, right_shape = left.named_shape, right.named_shape
    shared = [name for name in left.dims if name in right_shape]
    differing = [name for name in shared if left_shape[name] != right_shape[name]]
    if differing:
        raise ValueError(
            "Expected the same size on both sides for every axis that both have, but "
            f"{list_names(differing)} differs between {left_shape} and {right_shape}. Rename the "
            "axis on one side if it is not the same axis."
        )
    return contract_unchecked(summed, left, right)


def contract_unchecked(
    summed: Iterable[Hashable], left: NamedArray, right: NamedArray
) -> NamedArray:
    """Does the work of `contract`, for callers that know their inputs.

    The right side is left as it lies in memory, because weights stand there and are the larger. XLA
    would copy weights that have several axes to sum over, or several to keep, into another order,
    which takes ten times longer than the product with the activations of one token. Where such
    axes lie side by side, they are one axis to XLA here.
    """
    summed = sorted(summed, key=right.dims.index)
    matched = [name for name in left.dims if name in right.dims and name not in summed]
    used = {*summed, *matched}
    left_free = [name for name in left.dims if name not in used]
    right_free = [name for name in right.dims if name not in used]
    sizes = {**left.named_shape, **right.named_shape}
    left_data, right_data = _promoted(left.data_array, right.data_array)
    left_dims, right_dims = left.dims, right.dims
    if len(right_free) > 1 and _are_adjacent(right_free, right_dims):
        right_data, right_dims = _merged(right_data, right_dims, right_free)
    if len(summed) > 1 and _are_adjacent(summed, right_dims):
        left_order = (*matched, *left_free, *summed)
        left_data = jnp.transpose(left_data, [left_dims.index(name) for name in left_order])
        left_data, left_dims = _merged(left_data, left_order, summed)
        right_data, right_dims = _merged(right_data, right_dims, summed)
        summed = summed[:1]
    numbers = [
        (tuple(map(left_dims.index, names)), tuple(map(right_dims.index, names)))
        for names in (summed, matched)
    ]
    data = jax.lax.dot_general(left_data, right_data, (numbers[0], numbers[1]))
    dims = (*matched, *left_free, *right_free)
    if len(dims) > data.ndim:
        data = jax.lax.reshape(data, [sizes[name] for name in dims])
    return NamedArray(data_array=data, dims=dims)


def _are_adjacent(names: Sequence[Hashable], dims: Sequence[Hashable]) -> bool:
    first = dims.index(names[0])
    return list(dims[first : first + len(names)]) == list(names)


def _merged(
    data: Any, dims: Sequence[Hashable], names: Sequence[Hashable]
) -> tuple[Any, tuple[Hashable, ...]]:
    """Makes one axis of adjacent ones; it has the first name."""
    first, last = dims.index(names[0]), dims.index(names[-1])
    shape = (*data.shape[:first], -1, *data.shape[last + 1 :])
    return data.reshape(shape), (*dims[: first + 1], *dims[last + 1 :])


def _promoted(left: Any, right: Any) -> tuple[Any, Any]:
    if left.dtype == right.dtype:
        return left, right
    dtype = jnp.promote_types(left.dtype, right.dtype)
    return left.astype(dtype), right.astype(dtype)
