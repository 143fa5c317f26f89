"""Sums of products over named axes."""

import functools
from collections.abc import Hashable, Iterable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.named import NamedArray
from modeldata.nn._axes import as_names, list_names, require_named

_Dims = tuple[Hashable, ...]


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
    order = tuple(sorted(summed, key=right.dims.index))
    data = _contracted(left.data_array, right.data_array, left.dims, right.dims, order)
    return NamedArray(data_array=data, dims=_kept_dims(left.dims, right.dims, order)[0])


def _kept_dims(left: _Dims, right: _Dims, summed: _Dims) -> tuple[_Dims, _Dims, _Dims, _Dims]:
    """Returns the axes of the result, and its three parts: matched, left only, right only."""
    matched = tuple(name for name in left if name in right and name not in summed)
    used = {*summed, *matched}
    left_free = tuple(name for name in left if name not in used)
    right_free = tuple(name for name in right if name not in used)
    return (*matched, *left_free, *right_free), matched, left_free, right_free


# Compiled on its own, so that it is traced once for all layers of a model with equal shapes.
@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def _contracted(
    left: Any, right: Any, left_dims: _Dims, right_dims: _Dims, summed: _Dims
) -> jax.Array:
    sizes = dict(zip((*left_dims, *right_dims), (*left.shape, *right.shape), strict=True))
    dims, matched, left_free, right_free = _kept_dims(left_dims, right_dims, summed)
    dtype = jnp.promote_types(left.dtype, right.dtype)
    left, right = left.astype(dtype), right.astype(dtype)
    if len(right_free) > 1 and _are_adjacent(right_free, right_dims):
        right, right_dims = _merged(right, right_dims, right_free)
    if len(summed) > 1 and _are_adjacent(summed, right_dims):
        left_order = (*matched, *left_free, *summed)
        left = jnp.transpose(left, [left_dims.index(name) for name in left_order])
        left, left_dims = _merged(left, left_order, summed)
        right, right_dims = _merged(right, right_dims, summed)
        summed = summed[:1]
    summed_axes, matched_axes = (
        (tuple(map(left_dims.index, names)), tuple(map(right_dims.index, names)))
        for names in (summed, matched)
    )
    data = jax.lax.dot_general(left, right, (summed_axes, matched_axes))
    return data.reshape([sizes[name] for name in dims])


def _are_adjacent(names: _Dims, dims: _Dims) -> bool:
    first = dims.index(names[0])
    return dims[first : first + len(names)] == names


def _merged(data: Any, dims: _Dims, names: _Dims) -> tuple[Any, _Dims]:
    """Makes one axis of adjacent ones; it has the first name."""
    first, last = dims.index(names[0]), dims.index(names[-1])
    shape = (*data.shape[:first], -1, *data.shape[last + 1 :])
    return data.reshape(shape), (*dims[: first + 1], *dims[last + 1 :])
