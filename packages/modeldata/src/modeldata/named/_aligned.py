"""Elementwise functions of named arrays: one call on arrays whose axes line up.

The operands are brought to one common order of axes and then broadcast by JAX, as ever. That order
is the order of the largest operand, so that in the usual cases (equal axes, or a bias added to a
batch) nothing is transposed. Axes that only other operands have go behind its own.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax

from modeldata.named._base import Named
from modeldata.named._dims import AxisName, Dims, Labels, dims_of, layout_of

_SCALARS = frozenset({bool, int, float, complex})
_Signature = tuple[Dims, int]


class _Fit(NamedTuple):
    """How one operand is brought to the common order of axes.

    Attributes:
        order: How to transpose it, or None.
        new_axes: Where to put axes of size 1 after that; none in front, where JAX adds them.
        targets: For every stored axis, the axis of the result.
    """

    order: tuple[int, ...] | None
    new_axes: tuple[int, ...]
    targets: tuple[int, ...]


class _Plan(NamedTuple):
    """How operands are aligned: the labels and short dims of the result, and a fit for each."""

    labels: Labels
    dims: Dims
    fits: tuple[_Fit, ...]


def is_arraylike(value: object) -> bool:
    """Returns whether a value is an array or a number, with positional axes only."""
    return isinstance(value, (bool, int, float, complex, np.ndarray, np.generic, jax.Array))


def binary(function: Callable[..., Any], left: Named, right: Any) -> Any:
    """Applies an elementwise function of two operands, of which the first is named.

    Args:
        function: A function of two arrays that broadcasts as `jnp.add` does.
        left: A named array.
        right: A named array, an array or a number; of any other object, NotImplemented is made.

    Returns:
        A named array with the names of both.

    Raises:
        ValueError: If the sizes of axes differ.
    """
    if type(right) in _SCALARS:
        return left._make(function(left.data_array, right), left.dims)
    if isinstance(right, Named):
        if left.dims == right.dims and left.data_array.shape == right.data_array.shape:
            return left._make(function(left.data_array, right.data_array), left.dims)
    elif not is_arraylike(right):
        return NotImplemented
    return elementwise(function, (left, right))


def elementwise(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Applies an elementwise function to operands of which at least one is named.

    Args:
        function: A function of arrays that broadcasts as `jnp.add` does. It returns an array, or a
            tuple of arrays.
        args: Named arrays, arrays and numbers.

    Returns:
        A named array, or a tuple of them, with the names of all operands.

    Raises:
        ValueError: If an axis name has two sizes, or positional axes do not broadcast.
    """
    cls = next(type(arg) for arg in args if isinstance(arg, Named))
    datas = [arg.data_array if isinstance(arg, Named) else arg for arg in args]
    plan = _plan(tuple(map(_signature, args)))
    check_sizes(plan, [np.shape(data) for data in datas], args)
    outputs = function(*map(_fitted, datas, plan.fits))
    if isinstance(outputs, tuple):
        return tuple(cls._make(output, plan.dims) for output in outputs)
    return cls._make(outputs, plan.dims)


def aligned(args: Sequence[Any]) -> tuple[list[Any], Labels]:
    """Brings operands to a common order of axes, so that they broadcast against each other.

    Args:
        args: Named arrays, arrays and numbers.

    Returns:
        The arrays, and the labels of what broadcasting them would give.

    Raises:
        ValueError: If an axis name has two sizes, or positional axes do not broadcast.
    """
    datas = [arg.data_array if isinstance(arg, Named) else arg for arg in args]
    plan = _plan(tuple(map(_signature, args)))
    check_sizes(plan, [np.shape(data) for data in datas], args)
    return list(map(_fitted, datas, plan.fits)), plan.labels


def fit_to(value: Any, labels: Labels, rank: int) -> Any:
    """Brings one operand to a given order of axes, in which all its own must occur.

    Args:
        value: A named array, an array or a number.
        labels: The order wanted.
        rank: How many of those are positional.

    Returns:
        An array that broadcasts against one that has these labels.
    """
    dims, ndim = _signature(value)
    data = value.data_array if isinstance(value, Named) else value
    return _fitted(data, _fit(dims, ndim, labels, rank))


def check_sizes(plan: _Plan, shapes: Sequence[tuple[int, ...]], args: Sequence[Any]) -> None:
    """Refuses operands whose sizes do not match.

    Raises:
        ValueError: If an axis name has two sizes, or positional axes do not broadcast.
    """
    sizes: dict[int, int] = {}
    for shape, fit in zip(shapes, plan.fits, strict=True):
        for size, target in zip(shape, fit.targets, strict=True):
            known = sizes.setdefault(target, size)
            if known != size:
                if not isinstance(plan.labels[target], int):
                    raise ValueError(mismatch_text(_described(args)))
                if 1 not in (known, size):
                    raise ValueError(_broadcast_text(args))
                sizes[target] = max(known, size)  # one of the two is 1


def mismatch_text(operands: Sequence[tuple[str, Named]]) -> str:
    """Returns the message for axis names that have more than one size.

    Args:
        operands: The named operands, each with the expression that tells where it is.
    """
    sizes: dict[AxisName, dict[int, str]] = {}
    for where, operand in operands:
        for name, size in operand.named_shape.items():
            sizes.setdefault(name, {}).setdefault(size, where)
    bad = {name: found for name, found in sizes.items() if len(found) > 1}
    clashes = "; ".join(
        f"{name!r} has size " + " and ".join(f"{size} in `{at}`" for size, at in found.items())
        for name, found in bad.items()
    )
    shapes = "\n".join(f"  {where}.named_shape == {x.named_shape}" for where, x in operands)
    return (
        f"Expected each axis name to have one size, but {clashes}. Slice or rename one of them "
        f"(named axes of size 1 do not broadcast). The arguments:\n{shapes}"
    )


def _broadcast_text(args: Sequence[Any]) -> str:
    shapes = "; ".join(
        f"`args[{i}]` has {arg.positional_shape if isinstance(arg, Named) else np.shape(arg)}"
        for i, arg in enumerate(args)
    )
    return (
        f"Expected positional shapes that broadcast, but {shapes}. Give the axes names with `tag` "
        "if they are not meant to line up."
    )


def _described(args: Sequence[Any]) -> list[tuple[str, Named]]:
    return [(f"args[{i}]", arg) for i, arg in enumerate(args) if isinstance(arg, Named)]


def _signature(value: Any) -> _Signature:
    if isinstance(value, Named):
        layout = value.layout
        return value.dims, len(layout.labels)
    return (), np.ndim(value)


@functools.lru_cache(4096)
def _plan(signatures: tuple[_Signature, ...]) -> _Plan:
    layouts = [layout_of(dims, ndim) for dims, ndim in signatures]
    rank = max(layout.rank for layout in layouts)
    largest = max(layouts, key=lambda layout: len(layout.labels))
    shift = rank - largest.rank
    labels = [*range(shift), *_shifted(largest.labels, shift)]
    for layout in layouts:
        labels += [name for name in layout.names if name not in labels]
    result = tuple(labels)
    fits = tuple(_fit(dims, ndim, result, rank) for dims, ndim in signatures)
    return _Plan(result, dims_of(result), fits)


@functools.lru_cache(4096)
def _fit(dims: Dims, ndim: int, labels: Labels, rank: int) -> _Fit:
    layout = layout_of(dims, ndim)
    own = _shifted(layout.labels, rank - layout.rank)
    target_of = {label: axis for axis, label in enumerate(labels)}
    targets = tuple(target_of[label] for label in own)
    order = tuple(sorted(range(ndim), key=targets.__getitem__))
    first = min(targets, default=len(labels))
    new_axes = tuple(axis - first for axis in range(first, len(labels)) if axis not in targets)
    return _Fit(order if order != tuple(range(ndim)) else None, new_axes, targets)


def _shifted(labels: Labels, shift: int) -> Labels:
    """Renumbers positional axes, because those of operands line up at their ends."""
    return tuple(label + shift if isinstance(label, int) else label for label in labels)


def _fitted(data: Any, fit: _Fit) -> Any:
    if fit.order is not None:
        data = lax.transpose(data, fit.order)
    if fit.new_axes:
        data = lax.expand_dims(data, fit.new_axes)
    return data
