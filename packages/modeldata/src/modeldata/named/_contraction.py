"""Sums of products over named axes."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from modeldata import _repr
from modeldata.named import _eager
from modeldata.named._aligned import mismatch_text
from modeldata.named._array import NamedArray
from modeldata.named._dims import AxisName, Dims, check_names, layout_of, shown


def contract(names: Any, *arrays: NamedArray) -> NamedArray:
    """Multiplies arrays and sums over some of their axes.

    Other axes that several arrays have are matched; axes that only one has are kept. With two
    arrays it is one `jax.lax.dot_general`, which reads the second as it lies in memory.

    Args:
        names: A name, or a tuple of names, to sum over; none for a product.
        *arrays: Named arrays without positional axes. Each of two arrays must have all the names;
            of one, or of more than two, one must have them.

    Returns:
        An array with the matched axes first, then those of the first array, then those of the
        next, in the dtype to which all promote.

    Raises:
        TypeError: If an array is not a named array.
        ValueError: If there is no array, one has positional axes or lacks a name, or if the sizes
            of an axis differ.
    """
    summed = _as_names(names)
    check_names(summed)
    _check_named("contract", arrays)
    for i, array in enumerate(arrays):
        if array.positional_shape:
            raise ValueError(
                f"Expected arrays whose axes all have names, but `arrays[{i}]` has positional axes "
                f"of shape {array.positional_shape} and named axes {array.named_shape}. Name them "
                "with `.tag(...)`."
            )
        missing = [name for name in summed if name not in array.dims]
        if missing and len(arrays) == 2:
            raise ValueError(
                f"Expected arrays with the axes {shown(summed)}, but {shown(missing)} is missing "
                f"from `arrays[{i}]`, which has {array.named_shape}. Use `nx.einsum` to sum over "
                "axes that only one array has."
            )
    sizes = _check_sizes(arrays)
    if len(arrays) == 2:
        return contract_unchecked(summed, *arrays)
    _check_subset("names to sum over", summed, sizes)
    return einsum(*arrays, to=[name for name in sizes if name not in summed])


def einsum(
    *arrays: NamedArray, to: Any, precision: Any = None, preferred_element_type: Any = None
) -> NamedArray:
    """Multiplies arrays and sums over all axes but those that are to be kept.

    It is `jax.numpy.einsum` for which the arrays themselves know the names of their axes:
    `nx.einsum(x, w, to=("batch", "neurons"))`.

    Args:
        *arrays: Named arrays. Positional axes broadcast against each other, and are kept.
        to: The name, or a tuple of names, of the axes of the result, in the order in which they
            are stored; `()` to sum over all.
        precision: As for `jax.numpy.einsum`.
        preferred_element_type: As for `jax.numpy.einsum`.

    Returns:
        An array with these names, after the positional axes.

    Raises:
        TypeError: If an array is not a named array.
        ValueError: If there is no array, a name is repeated or unknown, or sizes differ.
    """
    kept = _as_names(to)
    check_names(kept)
    _check_named("einsum", arrays)
    _check_subset("names in `to`", kept, _check_sizes(arrays))
    ready = [x.with_positional_prefix() if x.positional_shape else x for x in arrays]
    equation = _equation(tuple((x.dims, x.data_array.ndim) for x in ready), kept)
    options = (precision, preferred_element_type)
    data = _summed(equation, options, *(x.data_array for x in ready))
    return NamedArray(data, kept)


def contract_unchecked(
    summed: Iterable[AxisName], left: NamedArray, right: NamedArray
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


# ---- Checks ----


def _as_names(names: Any) -> Dims:
    return tuple(names) if isinstance(names, tuple | list) else (names,)


def _check_named(what: str, arrays: tuple[Any, ...]) -> None:
    if not arrays:
        raise ValueError(f"Expected at least one array to {what}, got none. Pass named arrays.")
    for i, array in enumerate(arrays):
        if not isinstance(array, NamedArray):
            raise TypeError(
                f"Expected named arrays, but `arrays[{i}]` is {_repr.brief(array)}. Name its axes "
                "with `nx.wrap(array, ...)`."
            )


def _check_sizes(arrays: tuple[NamedArray, ...]) -> dict[AxisName, int]:
    """Returns the size of each name, in the order of appearance."""
    sizes: dict[AxisName, int] = {}
    shapes = [array.named_shape for array in arrays]
    for shape in shapes:
        for name, size in shape.items():
            if sizes.setdefault(name, size) != size:
                described = [(f"arrays[{i}]", shape) for i, shape in enumerate(shapes)]
                raise ValueError(mismatch_text(described))
    return sizes


def _check_subset(what: str, names: Dims, sizes: Mapping[AxisName, int]) -> None:
    unknown = [name for name in names if name not in sizes]
    if unknown:
        raise ValueError(
            f"Expected {what} that one of the arrays has, {shown(sizes)}, got {shown(unknown)}. "
            "Check the spelling, or broadcast an array to them first."
        )


# ---- Any number of arrays ----


class _Equation(NamedTuple):
    """The arguments that `jnp.einsum` takes as lists of axis numbers."""

    inputs: tuple[tuple[Any, ...], ...]
    output: tuple[Any, ...]


@functools.lru_cache(4096)
def _equation(signatures: tuple[tuple[Dims, int], ...], kept: Dims) -> _Equation:
    numbers: dict[AxisName, int] = {}
    inputs = []
    for dims, ndim in signatures:
        names = layout_of(dims, ndim).names
        for name in names:
            numbers.setdefault(name, len(numbers))
        inputs.append((..., *(numbers[name] for name in names)))
    return _Equation(tuple(inputs), (..., *(numbers[name] for name in kept)))


@_eager.compiled(static=2)
def _summed(equation: _Equation, options: tuple[Any, Any], *datas: Any) -> jax.Array:
    operands = [entry for pair in zip(datas, equation.inputs, strict=True) for entry in pair]
    return jnp.einsum(
        *operands, equation.output, precision=options[0], preferred_element_type=options[1]
    )


# ---- Two arrays ----


def _kept_dims(left: Dims, right: Dims, summed: Dims) -> tuple[Dims, Dims, Dims, Dims]:
    """Returns the axes of the result, and its three parts: matched, left only, right only."""
    matched = tuple(name for name in left if name in right and name not in summed)
    used = {*summed, *matched}
    left_free = tuple(name for name in left if name not in used)
    right_free = tuple(name for name in right if name not in used)
    return (*matched, *left_free, *right_free), matched, left_free, right_free


# Compiled on its own, so that it is traced once for all layers of a model with equal shapes.
@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def _contracted(
    left: Any, right: Any, left_dims: Dims, right_dims: Dims, summed: Dims
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


def _are_adjacent(names: Dims, dims: Dims) -> bool:
    first = dims.index(names[0])
    return dims[first : first + len(names)] == names


def _merged(data: Any, dims: Dims, names: Dims) -> tuple[Any, Dims]:
    """Makes one axis of adjacent ones; it has the first name."""
    first, last = dims.index(names[0]), dims.index(names[-1])
    shape = (*data.shape[:first], -1, *data.shape[last + 1 :])
    return data.reshape(shape), (*dims[: first + 1], *dims[last + 1 :])
