"""Mapping a function over axes, with variables that are shared or mapped."""

import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.variables._threading import ThreadedCall, apply, model_in
from modeldata.variables._variable import AbstractVariable

VariableAxes = int | Mapping[type, int | None] | Callable[[Any], int | None] | None


def variable_vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    axis_size: int | None = None,
    axis_name: Hashable | None = None,
    spmd_axis_name: Any = None,
    variable_axes: VariableAxes = None,
) -> Callable[..., Any]:
    """Maps a function over axes of its arguments, which may hold variables, as `jax.vmap` does.

    Variables are shared by all copies of the function, whatever `in_axes` says, unless
    `variable_axes` maps them: then each copy sees and changes a slice of their values. What the
    function assigns to a shared variable must be the same for all copies, as in counting calls.

    A `RandomStream` that is shared gives the same key to all copies. To give each its own, pass a
    stream whose base key is an array of keys, mapped like any other array: `stream.split(size)`.

    Args:
        fun: The function.
        in_axes: As for `jax.vmap`: for each positional argument, the axis to map, or None. Arrays
            in keyword arguments are mapped over their first axis.
        out_axes: As for `jax.vmap`: where the mapped axis appears in the result.
        axis_size: The size of the mapped axis, needed if no argument is mapped.
        axis_name: A name for collective operations.
        spmd_axis_name: As for `jax.vmap`.
        variable_axes: The axis of values of variables to map: one for all variables, a mapping from
            classes of variables to axes, or a function of a variable. None means shared.

    Returns:
        A function that takes the same arguments with an axis more. Calling it raises ValueError
        if a shared variable gets a value that differs between the copies.
    """
    name = "variable_vmap"

    @functools.wraps(fun, updated=())
    def mapped_fun(*args: Any, **kwargs: Any) -> Any:
        axes = tuple(in_axes) if isinstance(in_axes, list | tuple) else in_axes
        if isinstance(axes, tuple) and len(axes) != len(args):
            raise ValueError(
                f"Expected `in_axes` to have an entry for each of the {len(args)} positional "
                f"arguments of `{name}`, but got {axes}."
            )
        threaded = ThreadedCall(name, (args, kwargs, model_in(fun)))
        value_axes = [_axis_of(variable, variable_axes) for variable in threaded.variables]
        finished = False

        def mapped(arguments: Any, values: list[Any]) -> Any:
            nonlocal finished
            arrays = threaded.parts.arrays_in(arguments)
            result, changes = threaded.run(lambda tree: apply(fun, tree), arrays, values)
            shared = {n: value for n, value in changes.items() if value_axes[n] is None}
            split = {n: value for n, value in changes.items() if value_axes[n] is not None}
            finished = True
            return result, shared, split

        def run(function: Callable[..., Any], out: Any) -> Any:
            return jax.vmap(
                function,
                in_axes=((axes, 0, None), value_axes),
                out_axes=out,
                axis_size=axis_size,
                axis_name=axis_name,
                spmd_axis_name=spmd_axis_name,
            )(threaded.parts.without_variables(), threaded.values)

        try:
            result, shared, split = run(mapped, (out_axes, None, 0))
        except ValueError as error:
            if finished:  # then JAX refuses an axis of an output; find out whether of a variable
                _explain(threaded, lambda n: run(lambda *a: mapped(*a)[1].get(n), None), error)
            raise
        threaded.commit({**shared, **{n: _move(v, value_axes[n]) for n, v in split.items()}})
        return result

    return mapped_fun


def _axis_of(variable: AbstractVariable, axes: VariableAxes) -> int | None:
    if isinstance(axes, Mapping):
        if wrong := [kind for kind in axes if not isinstance(kind, type)]:
            raise TypeError(
                "Expected `variable_axes` to map classes of variables to axes, but got the key "
                f"{wrong[0]!r}. To choose by label, pass a function of a variable."
            )
        axis = next((axis for kind, axis in axes.items() if isinstance(variable, kind)), None)
    else:
        axis = axes(variable) if callable(axes) else axes
    if axis is None:
        return None
    for leaf in jax.tree_util.tree_leaves(variable.value):
        if not -jnp.ndim(leaf) <= axis < jnp.ndim(leaf):
            raise ValueError(
                f"Expected values of {variable.description} with an axis {axis} to map, as "
                f"`variable_axes` says, but got one of shape {jnp.shape(leaf)}. Give it a value "
                "for each copy, or share it (None)."
            )
    return axis


def _explain(threaded: ThreadedCall, run: Callable[[int], Any], error: ValueError) -> None:
    for number, variable in enumerate(threaded.variables):
        try:
            run(number)
        except ValueError:
            raise ValueError(
                f"{variable.description} is shared by all copies that `variable_vmap` runs, but "
                "was assigned a value that differs between them. Map it with `variable_axes`, "
                "with a value for each copy, or return the new value as a result."
            ) from error


def _move(value: Any, axis: int | None) -> Any:
    return jax.tree_util.tree_map(lambda array: jnp.moveaxis(array, 0, axis or 0), value)
