"""Compiling functions whose arguments hold variables.

The arguments are flattened once, in C++: variables are leaves. What goes into the compiled function
is the list of other leaves and the list of the variables' values; the structure, and who is who, is
one static argument. No tree is rebuilt on a warm call.

While the function is traced, it works on copies of the variables. When it returns, the copies whose
value is no longer the very tracer that went in are the ones that it changed, and only these come
out of the compiled function, with their numbers as static data. So parameters, which rarely change,
cost nothing on the way back.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple

import jax

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.variables._binding import refuse_conflicts
from modeldata.variables._origin import new_call
from modeldata.variables._variable import AbstractVariable

_Tree = Any


class _Plan(NamedTuple):
    """Everything about a call that compilation depends on, apart from shapes and dtypes.

    Attributes:
        treedefs: Structure of the arguments that are kept, and of those that are donated.
        layouts: For each leaf of both, the number of its variable, or -1 for an array.
        signatures: Kind, label, metadata, and structure of the value, of each variable.
        statics: Values of static arguments by position or name.
    """

    treedefs: tuple[Any, Any]
    layouts: tuple[tuple[int, ...], tuple[int, ...]]
    signatures: tuple[Any, ...]
    statics: tuple[tuple[int | str, Hashable], ...]


@pytree_dataclass
class _Changes(Struct):
    """New values of the variables that a call changed.

    Attributes:
        indices: The numbers of these variables.
        values: Their values.
    """

    indices: tuple[int, ...] = static_field()
    values: list[Any]


class VariableJit:
    """A compiled function that `variable_jit` has made; call it like the original.

    Args:
        fun: The function.
        donate_variables: Whether compiled code may reuse the memory of all variables.
        **jit_kwargs: Further keywords of `jax.jit`.
    """

    def __init__(
        self, fun: Callable[..., Any], *, donate_variables: bool = False, **jit_kwargs: Any
    ) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._statics = _chosen_arguments(fun, "static", jit_kwargs)
        self._donated = _chosen_arguments(fun, "donate", jit_kwargs)
        self._returns_all = donate_variables
        if "in_shardings" in jit_kwargs:
            raise ValueError(
                "`variable_jit` does not take `in_shardings`: compiled code follows the sharding "
                "of the arrays it is given. Place them with `jax.device_put` first."
            )
        if "out_shardings" in jit_kwargs:
            jit_kwargs["out_shardings"] = (jit_kwargs["out_shardings"], None)

        def traced(plan: _Plan, kept: list[Any], donated: list[Any], leaves: list[Any]) -> Any:
            return self._trace(plan, kept, donated, leaves)

        traced.__name__ = getattr(fun, "__name__", "variable_jit")  # shown in profiles
        donate = (2, 3) if donate_variables else (2,)
        self._compiled: Any = jax.jit(traced, static_argnums=0, donate_argnums=donate, **jit_kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments, variables = self._prepare(args, kwargs)
        result, changes = self._compiled(*arguments)
        changed = [variables[index] for index in changes.indices]
        for variable in changed:
            variable.check_assignable()
        for variable, value in zip(changed, changes.values, strict=True):
            variable.replace_value(value)
        return result

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def lower(self, *args: Any, **kwargs: Any) -> jax.stages.Lowered:
        """Traces and lowers for these arguments, as the `lower` of a function of `jax.jit` does.

        Args:
            *args: Arguments as for a call.
            **kwargs: Keyword arguments as for a call.
        """
        arguments, _ = self._prepare(args, kwargs)
        return self._compiled.lower(*arguments)

    def clear_cache(self) -> None:
        """Forgets all compiled code."""
        self._compiled.clear_cache()

    def _prepare(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], list[AbstractVariable]]:
        statics: tuple[tuple[int | str, Hashable], ...] = ()
        donated: _Tree = None
        if self._statics:
            args, kwargs, chosen = _take_out(self._statics, args, kwargs)
            statics = tuple(chosen.items())
        if self._donated:
            args, kwargs, chosen = _take_out(self._donated, args, kwargs)
            # Keys of both kinds in one dictionary could not be sorted, as JAX does.
            donated = [
                {key: value for key, value in chosen.items() if isinstance(key, kind)}
                for kind in (int, str)
            ]
        numbers: dict[AbstractVariable, int] = {}
        kept_leaves, kept_layout, kept_def = _flatten((args, kwargs), numbers)
        donated_leaves, donated_layout, donated_def = _flatten(donated, numbers)
        variables = list(numbers)
        flat = [variable.flatten() for variable in variables]
        plan = _Plan(
            (kept_def, donated_def),
            (kept_layout, donated_layout),
            tuple([signature for _, signature in flat]),
            statics,
        )
        values = [leaf for leaves, _ in flat for leaf in leaves]
        return (plan, kept_leaves, donated_leaves, values), variables

    def _trace(
        self, plan: _Plan, kept: list[Any], donated: list[Any], leaves: list[Any]
    ) -> tuple[Any, _Changes]:
        remaining = iter(leaves)
        values = [
            treedef.unflatten(itertools.islice(remaining, treedef.num_leaves))
            for *_, treedef in plan.signatures
        ]
        with new_call():
            variables = [
                kind(value=value, label=label, metadata=metadata)
                for (kind, label, metadata, _), value in zip(plan.signatures, values, strict=True)
            ]
            kept_tree, donated_tree = (
                _unflatten(treedef, layout, arrays, variables)
                for treedef, layout, arrays in zip(
                    plan.treedefs, plan.layouts, (kept, donated), strict=True
                )
            )
            refuse_conflicts(variables, (kept_tree, donated_tree))
            args, kwargs = kept_tree
            for chosen in (dict(plan.statics), *(donated_tree or ())):
                args, kwargs = _put_back(args, kwargs, chosen)
            result = self._fun(*args, **kwargs)
            _refuse_variables(result)
            new_values = [variable.value for variable in variables]
        changed = [
            index
            for index, (old, new) in enumerate(zip(values, new_values, strict=True))
            if self._returns_all or not _is_untouched(old, new)
        ]
        return result, _Changes(tuple(changed), [new_values[index] for index in changed])


def variable_jit(
    fun: Callable[..., Any] | None = None, *, donate_variables: bool = False, **jit_kwargs: Any
) -> Any:
    """Compiles a function whose arguments may hold variables, as `jax.jit` compiles others.

    Variables may appear anywhere in the arguments, also several times. The function may assign to
    them; the variables outside have the new values when the call returns. Only what it changed
    comes out of the compiled code. If it raises, no variable changes.

    The function may not use variables that it did not get as arguments, nor return any.

    Args:
        fun: The function; leave it out to decorate with keywords.
        donate_variables: Whether compiled code may reuse the memory of the variables' old values.
            Arrays that anything else refers to, such as frozen values, are then lost. All
            variables, changed or not, come out of each call.
        **jit_kwargs: Keywords of `jax.jit`, such as `static_argnames` and `donate_argnums`, apart
            from `in_shardings`.

    Returns:
        The compiled function, or a decorator if `fun` is not given.

    Raises:
        ValueError: If `in_shardings` is given, or a name is not that of an argument.
    """
    if fun is None:
        return functools.partial(variable_jit, donate_variables=donate_variables, **jit_kwargs)
    return VariableJit(fun, donate_variables=donate_variables, **jit_kwargs)


def _flatten(
    tree: _Tree, numbers: dict[AbstractVariable, int]
) -> tuple[list[Any], tuple[int, ...], Any]:
    """Splits a tree into arrays, the layout of its leaves, and its structure."""
    leaves, treedef = jax.tree_util.tree_flatten(tree)
    arrays: list[Any] = []
    layout: list[int] = []
    for leaf in leaves:
        if isinstance(leaf, AbstractVariable):
            layout.append(numbers.setdefault(leaf, len(numbers)))
        else:
            layout.append(-1)
            arrays.append(leaf)
    return arrays, tuple(layout), treedef


def _unflatten(
    treedef: Any, layout: tuple[int, ...], arrays: list[Any], variables: list[AbstractVariable]
) -> _Tree:
    remaining = iter(arrays)
    return treedef.unflatten(next(remaining) if n < 0 else variables[n] for n in layout)


def _is_untouched(old: Any, new: Any) -> bool:
    if old is new:
        return True
    old_leaves, old_def = jax.tree_util.tree_flatten(old)
    new_leaves, new_def = jax.tree_util.tree_flatten(new)
    return old_def == new_def and all(a is b for a, b in zip(old_leaves, new_leaves, strict=True))


def _refuse_variables(result: Any) -> None:
    for path, leaf in jax.tree_util.tree_leaves_with_path(result):
        if isinstance(leaf, AbstractVariable):
            raise ValueError(  # noqa: TRY004  # the value, not its type, is in the wrong place
                f"Returning a variable from `variable_jit` is not possible, but {leaf.description} "
                f"is in the result, at `result{jax.tree_util.keystr(path)}`. Return its "
                "`.value`, or a frozen value (`freeze_variables`)."
            )


def _chosen_arguments(
    fun: Callable[..., Any], prefix: str, jit_kwargs: dict[str, Any]
) -> frozenset[int | str]:
    """Takes `static_...` or `donate_...` keywords; returns positions and names that they mean."""
    numbers = _as_tuple(jit_kwargs.pop(f"{prefix}_argnums", ()))
    names = _as_tuple(jit_kwargs.pop(f"{prefix}_argnames", ()))
    if not numbers and not names:
        return frozenset()
    parameters = list(inspect.signature(fun).parameters.values())
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    chosen: set[int | str] = {n % len(parameters) if n < 0 else n for n in numbers}
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    for name in names:
        if not takes_any and name not in {p.name for p in parameters}:
            raise ValueError(
                f"`{prefix}_argnames` names `{name}`, which is not an argument of "
                f"`{getattr(fun, '__name__', fun)}`. It has "
                f"{', '.join(f'`{p.name}`' for p in parameters)}."
            )
    everything = {p.name: i for i, p in enumerate(parameters) if p.name in positional}
    chosen |= {everything[name] for name in names if name in everything}
    chosen |= {p.name for i, p in enumerate(parameters) if i in chosen and p.name in positional}
    return frozenset(chosen | set(names))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str | int) else tuple(value or ())


def _take_out(
    chosen: Iterable[int | str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], dict[Any, Any]]:
    """Moves the chosen arguments to a dictionary by position or name."""
    taken: dict[Any, Any] = {i: a for i, a in enumerate(args) if i in chosen}
    named = {key: kwargs[key] for key in sorted(kwargs) if key in chosen}
    args = tuple(None if i in taken else a for i, a in enumerate(args))
    kwargs = {key: a for key, a in kwargs.items() if key not in named}
    return args, kwargs, {**taken, **named}


def _put_back(
    args: tuple[Any, ...], kwargs: dict[str, Any], taken: dict[Any, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args = tuple(taken.get(i, a) for i, a in enumerate(args))
    named = {key: a for key, a in taken.items() if isinstance(key, str)}
    return args, {**kwargs, **named}
