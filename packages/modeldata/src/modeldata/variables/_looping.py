"""Loops whose steps read and change variables."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata import _repr
from modeldata.variables._plan import Plan, Planner
from modeldata.variables._threading import Parts, ThreadedCall, as_pair, model_in
from modeldata.variables._variable import AbstractVariable


def variable_scan(
    f: Callable[..., tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    *,
    args: Iterable[Any] = (),
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Runs a function in a loop, as `jax.lax.scan` does; its steps may read and change variables.

    Variables may be in the carry, which then returns each of them in its place, or in further
    arguments that are the same in each step, most often a model:

        h, outputs = variable_scan(lambda h, x, model: (model(h + x), h), h, xs, args=(model,))

    Each step sees what the step before it has assigned. A variable must keep its structure, shapes
    and dtypes. When the loop is over, the variables outside have their new values.

    As with `jax.lax.scan`, compiled code is found again only for the same function object. If it is
    a model itself, the model counts as one of `args`.

    Args:
        f: Takes the carry, a slice of `xs` and `args`; returns the new carry and an output.
        init: The first carry.
        xs: A pytree of arrays, sliced along their first axes; None to count steps by `length`.
        length: The number of steps, needed without `xs`.
        args: Further arguments.
        reverse: Whether to run from the last slice to the first.
        unroll: As for `jax.lax.scan`.

    Returns:
        The last carry, and the outputs stacked along a new first axis.

    Raises:
        TypeError: If a step changes the structure, a shape or a dtype in a variable, or `f` does
            not return a pair.
        ValueError: If there are variables in `xs` or in an output, or if the carry does not return
            its variables in their places.
        VariableConflictError: If two different variables have one label.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(xs):
        if isinstance(leaf, AbstractVariable):
            raise ValueError(  # noqa: TRY004  # the value, not its type, is in the wrong place
                "Expected arrays in `xs` of `variable_scan`, one slice for each step, but "
                f"{leaf.description} is at `xs{jax.tree_util.keystr(path)}`. Pass it in `args`, or "
                "its `.value` here."
            )
    if model_in(f) is not None:
        f, args = _call_model, (f, *args)
    threaded = ThreadedCall("variable_scan", (init, tuple(args)))
    parts = threaded.parts
    signatures = tuple(variable.flatten().signature for variable in threaded.variables)
    loop = _loop_of(f)

    def run(plan: Plan, start: Any) -> Any:
        step = loop.step(plan)
        return jax.lax.scan(step, start, xs, length, reverse=reverse, unroll=unroll)

    start = (parts.without_variables(), threaded.values)
    plan = Plan((parts.treedef,), (parts.layout,), signatures)
    (trees, values), (outputs, changed) = loop.planner.call(run, plan, threaded.variables, start)
    carry, _ = parts.put_together(parts.arrays_in(trees), threaded.variables)
    threaded.commit({number: values[number] for number in changed})
    return carry, outputs


def _call_model(carry: Any, x: Any, model: Any, *args: Any) -> Any:
    return model(carry, x, *args)


class _Loop:
    """A function that is looped over, and for each plan the step that JAX traces.

    JAX finds compiled loops again by the identity of what it traces.
    """

    def __init__(self, get_function: Callable[[], Any]) -> None:
        self.planner = Planner("variable_scan")
        self._get_function = get_function
        self._steps: dict[Plan, Callable[..., Any]] = {}

    def step(self, plan: Plan) -> Callable[..., Any]:
        """Returns the step for a plan, always the same."""
        return self._steps.setdefault(plan, lambda carry, x: self._run(plan, carry, x))

    def _run(self, plan: Plan, carry: Any, x: Any) -> Any:
        (start, args), values = carry
        parts = Parts(plan.treedefs[0], plan.layouts[0], [])

        def body(copies: list[Any]) -> Any:
            given, extra = parts.put_together(parts.arrays_in((start, args)), copies)
            function = self._get_function()
            result = function(given, x, *extra)
            new, output = as_pair(result, "the new carry and an output", "variable_scan")
            _check_types(copies, values)
            return _own_places_emptied(new, given), output

        (end, output), changes = self.planner.trace(plan, body, values)
        values = [changes.get(number, value) for number, value in enumerate(values)]
        return ((end, args), values), (output, dict.fromkeys(changes))


# Loops refer to their functions weakly, or no function could ever be forgotten.
_loops: "weakref.WeakKeyDictionary[Callable[..., Any], _Loop]" = weakref.WeakKeyDictionary()


def _loop_of(f: Callable[..., Any]) -> _Loop:
    try:
        found = _loops.get(f)
        return _loops.setdefault(f, _Loop(weakref.ref(f))) if found is None else found
    except TypeError:  # it cannot be hashed or referred to weakly
        return _Loop(lambda: f)


def _own_places_emptied(new: Any, given: Any) -> Any:
    """Returns a new carry with None for its variables, which must be where they were."""
    leaves, treedef = jax.tree_util.tree_flatten_with_path(new)
    before = dict(jax.tree_util.tree_leaves_with_path(given))
    after = dict(leaves)
    for path in before | after:
        old, new_leaf = before.get(path), after.get(path)
        for variable, verb in ((new_leaf, "came into"), (old, "is gone from")):
            if old is not new_leaf and isinstance(variable, AbstractVariable):
                raise ValueError(
                    "Expected a step of `variable_scan` to return the variables of the carry in "
                    f"their places, but {variable.description} {verb} "
                    f"`carry{jax.tree_util.keystr(path)}`. Return it where it was, or pass it in "
                    "`args`."
                )
    return treedef.unflatten(
        [None if isinstance(leaf, AbstractVariable) else leaf for _, leaf in leaves]
    )


def _check_types(copies: list[Any], values: list[Any]) -> None:
    for copy, old in zip(copies, values, strict=True):
        if not _same_type(old, copy.value):
            raise TypeError(
                f"Expected {copy.description} to keep its structure, shapes and dtypes in each "
                f"step of `variable_scan`, but it was {_repr.brief(old)} before a step and "
                f"{_repr.brief(copy.value)} after it. Give it a first value like the last, or "
                "return what grows as an output."
            )


def _same_type(old: Any, new: Any) -> bool:
    old_leaves, old_def = jax.tree_util.tree_flatten(old)
    new_leaves, new_def = jax.tree_util.tree_flatten(new)
    return old_def == new_def and all(map(_fits, old_leaves, new_leaves))


def _fits(old: Any, new: Any) -> bool:
    # JAX itself gives a weakly typed start, such as a Python number, the dtype of the end.
    weak = getattr(jax.typeof(old), "weak_type", False) and jnp.result_type(old, new) == new.dtype
    return jnp.shape(old) == jnp.shape(new) and (old.dtype == new.dtype or weak)
