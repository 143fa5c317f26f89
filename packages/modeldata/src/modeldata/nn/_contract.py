"""Sums of products over named axes."""

from collections.abc import Hashable, Iterable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.named import NamedArray
from modeldata.nn._axes import as_names, list_names, require_named


def contract(names: Hashable, left: NamedArray, right: NamedArray) -> NamedArray:
    """Multiplies two arrays and sums over some of the axes that they share.

    Other axes that both have are matched; axes that only one has are kept. It is one
    `jax.lax.dot_general` on the data as it lies in memory, so that neither array is transposed.

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
    """Does the work of `contract`, for callers that know their inputs."""
    # The order of the right side is kept, because weights stand there and are the larger.
    summed = sorted(summed, key=right.dims.index)
    matched = [name for name in left.dims if name in right.dims and name not in summed]
    dimension_numbers = (
        (_numbers(left, summed), _numbers(right, summed)),
        (_numbers(left, matched), _numbers(right, matched)),
    )
    data = jax.lax.dot_general(*_promoted(left.data_array, right.data_array), dimension_numbers)
    used = {*summed, *matched}
    free = [name for array in (left, right) for name in array.dims if name not in used]
    return NamedArray(data_array=data, dims=(*matched, *free))


def _numbers(array: NamedArray, names: Iterable[Hashable]) -> tuple[int, ...]:
    return tuple(array.dims.index(name) for name in names)


def _promoted(left: Any, right: Any) -> tuple[Any, Any]:
    if left.dtype == right.dtype:
        return left, right
    dtype = jnp.promote_types(left.dtype, right.dtype)
    return left.astype(dtype), right.astype(dtype)
