"""Lifting functions of arrays to named arrays."""

import functools
from collections.abc import Callable
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp

from modeldata import _repr
from modeldata.named._array import NamedArray
from modeldata.named._base import is_named
from modeldata.named._batched import BatchSize, call_in_batches, check_batch_size
from modeldata.named._dims import AxisName
from modeldata.named._rules import call


def is_namedarray(value: object) -> TypeGuard[NamedArray]:
    """Returns whether a value is a named array."""
    return isinstance(value, NamedArray)


def nmap(
    function: Callable[..., Any], *, batch_size: BatchSize | None = None
) -> Callable[..., Any]:
    """Lifts a function of arrays to one of named arrays.

    Inside `function`, every named array is a plain array of its positional axes; the function
    runs, in effect, once for each index of the named axes. All other arguments reach it
    unchanged. Well-known functions, such as `jnp.sum` or `jax.nn.softmax`, run only once, on all
    the data, and leave the axes where they are stored; any other function is vectorized with
    `jax.vmap`, and the names of the result are then stored first, in the order in which they
    appear in the arguments. Collective operations such as `jax.lax.psum` can refer to the names.

    Args:
        function: A function of arrays that JAX can trace. It may return any pytree of arrays.
        batch_size: If given, there is a loop over named axes, as in `jax.lax.map`, so that less
            memory is used: an integer is the most indices to run on at once, over all names
            together; a mapping from names to integers tells for each name how many, and names
            that are not in it run at once. Sizes need not divide. Collective operations cannot
            refer to names with a loop. Call the result in compiled code, or it compiles the loop
            in every call.

    Returns:
        A function with the same arguments that takes named arrays anywhere in them, and returns
        named arrays. It raises ValueError if an axis name has two sizes or `batch_size` has
        unknown names, and TypeError if `function` returns something that is no array.

    Raises:
        TypeError: If `function` cannot be called, or `batch_size` is of a wrong type.
        ValueError: If a batch size is not positive.
    """
    if not callable(function):
        raise TypeError(
            f"Expected a function to lift to named arrays, got {_repr.brief(function)}. Pass the "
            "function itself and call the result, as in `nx.nmap(jnp.sum)(x)`."
        )
    if batch_size is not None:
        check_batch_size(batch_size)
    plain, first, fixed = _unpacked(function)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        args = (*first, *args)
        if fixed:
            kwargs = {**fixed, **kwargs}
        if batch_size is not None:
            return call_in_batches(plain, args, kwargs, batch_size)
        return call(plain, args, kwargs, NamedArray)

    functools.update_wrapper(wrapped, function)
    what = getattr(function, "__name__", None) or _repr.brief(function)
    wrapped.__doc__ = (
        f"Name-vectorized version of `{what}`: takes and returns named arrays.\n\n"
        f"Original documentation:\n\n{function.__doc__ or '(none)'}"
    )
    return wrapped


def _unpacked(
    function: Callable[..., Any],
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """Takes a partial function apart, so that well-known functions in it are recognized.

    Named arrays that it holds stay where they are, because `nmap` does not lift what a function
    closes over.
    """
    if isinstance(function, functools.partial):
        held = (function.args, function.keywords)
        if not any(map(is_named, jax.tree_util.tree_leaves(held, is_leaf=is_named))):
            return function.func, function.args, function.keywords
    return function, (), {}


def where(condition: Any, x: Any, y: Any) -> NamedArray:
    """Chooses elements of one array or the other.

    Args:
        condition: A boolean array, named or not.
        x: What to take where the condition holds.
        y: What to take elsewhere.

    Returns:
        A named array with the names of all three.

    Raises:
        ValueError: If an axis name has two sizes.
    """
    return call(jnp.where, (condition, x, y), {}, NamedArray)


def order_like(value_tree: Any, reference_tree: Any) -> Any:
    """Stores the axes of all named arrays in a tree in the order that another tree has.

    Args:
        value_tree: Any pytree.
        reference_tree: A pytree of the same structure, named arrays counting as leaves.

    Returns:
        `value_tree` with reordered named arrays; other leaves are unchanged.

    Raises:
        ValueError: If names differ.
    """
    return jax.tree_util.tree_map(
        lambda value, like: value.order_like(like) if is_named(value) and is_named(like) else value,
        value_tree,
        reference_tree,
        is_leaf=is_named,
    )


def scan(
    function: Callable[[Any, Any], tuple[Any, Any]],
    axis: AxisName,
    init: Any,
    xs: Any = None,
    **options: Any,
) -> tuple[Any, Any]:
    """Runs a function along a named axis with a carried state, like `jax.lax.scan`.

    Args:
        function: Takes the state and a slice of `xs`, and returns the new state and an output.
        axis: The name of the axis to go along.
        init: The first state, any pytree.
        xs: A pytree of named arrays that all have the axis, or None; then pass `length`.
        **options: Other options of `jax.lax.scan`.

    Returns:
        The last state, stored like the first, and the outputs with the axis added.

    Raises:
        ValueError: If a leaf of `xs` is not a named array, or lacks the axis.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(xs, is_leaf=is_named):
        if not isinstance(leaf, NamedArray):
            where_found = jax.tree_util.keystr(path)
            raise ValueError(  # noqa: TRY004  # a wrong leaf is a wrong value of `xs`
                f"Expected every leaf of `xs` to be a named array with axis {axis!r}, but "
                f"`xs{where_found}` is {_repr.brief(leaf)}. Make it one with `nx.wrap`."
            )
    prefixed = jax.tree_util.tree_map(
        lambda x: x.untag_prefix(axis).with_positional_prefix(), xs, is_leaf=is_named
    )

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        new_carry, output = function(carry, x)
        ready = jax.tree_util.tree_map(_prefixed, output, is_leaf=is_named)
        return order_like(new_carry, carry), ready

    carry, outputs = jax.lax.scan(step, init, prefixed, **options)
    tag = functools.partial(jax.tree_util.tree_map, is_leaf=is_named)
    return carry, tag(lambda y: _as_named(y).tag_prefix(axis), outputs)


def _prefixed(output: Any) -> Any:
    return output.with_positional_prefix() if isinstance(output, NamedArray) else output


def _as_named(value: Any) -> NamedArray:
    return value if isinstance(value, NamedArray) else NamedArray.wrap(value)
