"""`nmap` in batches: a loop over some of the named axes, so that less is in memory at once."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex

import jax

from modeldata import _repr
from modeldata.named._array import NamedArray
from modeldata.named._base import is_named
from modeldata.named._dims import AxisName, shown
from modeldata.named._rules import call
from modeldata.named._vectorized import common_sizes

BatchSize = int | Mapping[AxisName, int]


def check_batch_size(batch_size: Any) -> None:
    """Refuses what is neither a positive number nor a mapping from names to such.

    Raises:
        TypeError: If it is of another type.
        ValueError: If a number is not positive.
    """
    sizes = batch_size.values() if isinstance(batch_size, Mapping) else [batch_size]
    for size in sizes:
        if not isinstance(size, SupportsIndex) or isinstance(size, bool):
            raise TypeError(
                "Expected `batch_size` to be an integer, or a mapping from axis names to integers, "
                f"got {_repr.brief(batch_size)}. Leave it out to run on all indices at once."
            )
        if operator.index(size) < 1:
            raise ValueError(
                f"Expected a positive `batch_size`, got {_repr.brief(batch_size)}. Use 1 to run on "
                "one index after the other."
            )


def call_in_batches(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    batch_size: BatchSize,
) -> Any:
    """Calls a function on the positional axes of named arrays, a batch of indices at a time.

    Args:
        function: A function of arrays.
        args: Positional arguments; pytrees, in which named arrays count as leaves.
        kwargs: Keyword arguments, likewise.
        batch_size: How many indices to run on at once, in all or for each name given.

    Returns:
        What the function returns, with a named array in place of every array.

    Raises:
        ValueError: If an axis name has two sizes, or `batch_size` has unknown names.
    """
    sizes = common_sizes(args, kwargs)
    loops = _loops(sizes, batch_size)
    return _looped(function, args, kwargs, list(loops.items()))


def _loops(sizes: Mapping[AxisName, int], batch_size: BatchSize) -> dict[AxisName, int]:
    """Returns the names to loop over, outermost first, and how many indices a step takes."""
    if isinstance(batch_size, Mapping):
        unknown = [name for name in batch_size if name not in sizes]
        if unknown:
            raise ValueError(
                f"Expected the names in `batch_size` to be names of the arguments, {shown(sizes)}, "
                f"got {shown(unknown)}. Leave out what is not there."
            )
        return {name: size for name, size in batch_size.items() if size < sizes[name]}
    loops: dict[AxisName, int] = {}
    room = batch_size
    for name in reversed(sizes):  # the last names are the likeliest to lie close together
        if room < sizes[name]:
            loops[name] = room
        room = max(1, room // max(1, sizes[name]))
    return dict(reversed(loops.items()))


def _looped(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    loops: Sequence[tuple[AxisName, int]],
) -> Any:
    if not loops:
        return call(function, args, kwargs, NamedArray)
    (name, size), *inner = loops
    leaves, treedef = jax.tree_util.tree_flatten((tuple(args), dict(kwargs)), is_leaf=is_named)
    places = [i for i, leaf in enumerate(leaves) if is_named(leaf) and name in leaf.layout.axis_of]
    slices = [leaves[i].untag_prefix(name).with_positional_prefix() for i in places]

    def step(parts: Sequence[NamedArray]) -> Any:
        filled = list(leaves)
        for place, part in zip(places, parts, strict=True):
            filled[place] = part
        inner_args, inner_kwargs = jax.tree_util.tree_unflatten(treedef, filled)
        return _looped(function, inner_args, inner_kwargs, inner)

    outputs = jax.lax.map(step, slices, batch_size=size if size > 1 else None)
    # Along the leading axis that the loop has added, `dims` stays valid: it names trailing axes.
    return jax.tree_util.tree_map(lambda y: y.tag_prefix(name), outputs, is_leaf=is_named)
