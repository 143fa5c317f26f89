"""Elementwise functions of named arrays: one call on arrays whose axes line up.

The operands are brought to one common order of axes and then broadcast by JAX, as ever. That order
is the order of the largest operand, so that in the usual cases (equal axes, or a bias added to a
batch) nothing is transposed. Axes that only other operands have go behind its own.

What is to be done depends only on the axes and sizes of the operands. It is planned once for each
combination of those, errors included, and looked up afterwards.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax

from modeldata.named import _eager
from modeldata.named._base import Named
from modeldata.named._dims import AxisName, Dims, Labels, dims_of, layout_of

_SCALARS = frozenset({bool, int, float, complex})
_CACHED = 4096

# The short dims and the shape of one operand; numbers and plain arrays have no dims.
Signature = tuple[Dims, tuple[int, ...]]


class Fit(NamedTuple):
    """How one operand is brought to the common order of axes.

    Attributes:
        order: How to transpose it, or None.
        new_axes: Where to put axes of size 1 after that; none in front, where JAX adds them.
        targets: For every stored axis, the axis of the result.
    """

    order: tuple[int, ...] | None
    new_axes: tuple[int, ...]
    targets: tuple[int, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """How operands are aligned.

    Attributes:
        labels: The labels of the result of broadcasting.
        dims: Its short dims.
        shape: Its shape.
        fits: What to do with each operand.
        trivial: Whether nothing is to be done with any of them.
    """

    labels: Labels
    dims: Dims
    shape: tuple[int, ...]
    fits: tuple[Fit, ...]
    trivial: bool


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


def elementwise(
    function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any] | None = None
) -> Any:
    """Applies an elementwise function to operands of which at least one is named.

    Args:
        function: A function of arrays that broadcasts as `jnp.add` does. It returns an array, or a
            tuple of arrays.
        args: Named arrays, arrays and numbers.
        options: Keyword arguments for the function; no arrays.

    Returns:
        A named array, or a tuple of them, with the names of all operands.

    Raises:
        ValueError: If an axis name has two sizes, or positional axes do not broadcast.
    """
    cls = next(type(arg) for arg in args if isinstance(arg, Named))
    datas = [arg.data_array if isinstance(arg, Named) else arg for arg in args]
    plan = plan_of(tuple(map(signature, args)))
    if plan.trivial:
        outputs = function(*datas, **options) if options else function(*datas)
    elif options or not all(hasattr(data, "dtype") for data in datas):
        # A Python number may mean something special to the function, as in `x ** 2`.
        outputs = function(*map(fitted, datas, plan.fits), **(options or {}))
    else:
        outputs = _applied(function, plan.fits, *datas)
    if isinstance(outputs, tuple):
        return tuple(cls._make(output, plan.dims) for output in outputs)
    return cls._make(outputs, plan.dims)


@_eager.compiled(static=2)
def _applied(function: Callable[..., Any], fits: tuple[Fit, ...], *datas: Any) -> Any:
    return function(*map(fitted, datas, fits))


def signature(value: Any) -> Signature:
    """Returns dims and shape of a named array, an array or a number."""
    if isinstance(value, Named):
        data = value.data_array
        # Arrays have both; what else may stand there, `layout` explains.
        shape = getattr(data, "shape", None)
        if type(shape) is not tuple or type(value.dims) is not tuple:
            value.layout  # noqa: B018  # raises
        return value.dims, data.shape
    return (), getattr(value, "shape", ())


@functools.lru_cache(_CACHED)
def plan_of(signatures: tuple[Signature, ...], where: str = "args") -> Plan:
    """Plans how to align operands.

    Args:
        signatures: The signature of each operand.
        where: What messages call the sequence of operands.

    Raises:
        ValueError: If an axis name has two sizes, or positional axes do not broadcast.
    """
    layouts = [layout_of(dims, len(shape)) for dims, shape in signatures]
    rank = max(layout.rank for layout in layouts)
    largest = max(layouts, key=lambda layout: len(layout.labels))
    shift = rank - largest.rank
    labels = [*range(shift), *_shifted(largest.labels, shift)]
    for layout in layouts:
        labels += [name for name in layout.names if name not in labels]
    result = tuple(labels)
    fits = tuple(fit_of(dims, len(shape), result, rank) for dims, shape in signatures)
    sizes = _common_sizes(result, fits, signatures, where)
    trivial = all(fit.order is None and not fit.new_axes for fit in fits)
    return Plan(result, dims_of(result), sizes, fits, trivial)


@functools.lru_cache(_CACHED)
def fit_of(dims: Dims, ndim: int, labels: Labels, rank: int) -> Fit:
    """Returns how to bring one operand to a given order of axes, in which all its own must occur.

    Args:
        dims: Its short dims.
        ndim: How many axes it has.
        labels: The order wanted.
        rank: How many of those are positional.
    """
    layout = layout_of(dims, ndim)
    own = _shifted(layout.labels, rank - layout.rank)
    target_of = {label: axis for axis, label in enumerate(labels)}
    targets = tuple(target_of[label] for label in own)
    order = tuple(sorted(range(ndim), key=targets.__getitem__))
    first = min(targets, default=len(labels))
    new_axes = tuple(axis - first for axis in range(first, len(labels)) if axis not in targets)
    return Fit(order if order != tuple(range(ndim)) else None, new_axes, targets)


def fitted(data: Any, fit: Fit) -> Any:
    """Brings one operand to the common order of axes."""
    if fit.order is not None:
        data = lax.transpose(data, fit.order)
    if fit.new_axes:
        data = lax.expand_dims(data, fit.new_axes)
    return data


def mismatch_text(operands: Sequence[tuple[str, Mapping[AxisName, int]]]) -> str:
    """Returns the message for axis names that have more than one size.

    Args:
        operands: The sizes by name of each named operand, with the expression that tells where it
            is.
    """
    sizes: dict[AxisName, dict[int, str]] = {}
    for where, named_shape in operands:
        for name, size in named_shape.items():
            sizes.setdefault(name, {}).setdefault(size, where)
    bad = {name: found for name, found in sizes.items() if len(found) > 1}
    clashes = "; ".join(
        f"{name!r} has size " + " and ".join(f"{size} in `{at}`" for size, at in found.items())
        for name, found in bad.items()
    )
    shapes = "\n".join(f"  {where}.named_shape == {shape}" for where, shape in operands)
    return (
        f"Expected each axis name to have one size, but {clashes}. Slice or rename one of them "
        f"(named axes of size 1 do not broadcast). The arguments:\n{shapes}"
    )


def _common_sizes(
    labels: Labels, fits: Sequence[Fit], signatures: Sequence[Signature], where: str
) -> tuple[int, ...]:
    sizes = [1] * len(labels)
    known: dict[int, int] = {}
    for fit, (_, shape) in zip(fits, signatures, strict=True):
        for size, target in zip(shape, fit.targets, strict=True):
            if known.setdefault(target, size) != size:
                if not isinstance(labels[target], int):
                    raise ValueError(mismatch_text(_described(signatures, where)))
                if 1 not in (known[target], size):
                    raise ValueError(_broadcast_text(signatures, where))
                known[target] *= size  # one of the two is 1
            sizes[target] = known[target]
    return tuple(sizes)


def _described(
    signatures: Sequence[Signature], where: str
) -> list[tuple[str, dict[AxisName, int]]]:
    found = []
    for i, (dims, shape) in enumerate(signatures):
        layout = layout_of(dims, len(shape))
        if layout.names:
            named = {name: shape[layout.axis_of[name]] for name in layout.names}
            found.append((f"{where}[{i}]", named))
    return found


def _broadcast_text(signatures: Sequence[Signature], where: str) -> str:
    layouts = [layout_of(dims, len(shape)) for dims, shape in signatures]
    shapes = "; ".join(
        f"`{where}[{i}]` has {tuple(shape[axis] for axis in layout.positional)}"
        for i, (layout, (_, shape)) in enumerate(zip(layouts, signatures, strict=True))
    )
    return (
        f"Expected positional shapes that broadcast, but {shapes}. Give the axes names with `tag` "
        "if they are not meant to line up."
    )


def _shifted(labels: Labels, shift: int) -> Labels:
    """Renumbers positional axes, because those of operands line up at their ends."""
    return tuple(label + shift if isinstance(label, int) else label for label in labels)
