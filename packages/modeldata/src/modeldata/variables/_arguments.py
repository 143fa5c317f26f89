"""Arguments that are static or donated, chosen by position or by name; and those that cannot be."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from modeldata import _repr
from modeldata.variables._variable import AbstractVariable

_ACCEPTED = (jax.Array, np.ndarray, np.generic, bool, int, float, complex, AbstractVariable)


def chosen_arguments(
    fun: Callable[..., Any], prefix: str, jit_kwargs: dict[str, Any]
) -> frozenset[int | str]:
    """Takes `static_...` or `donate_...` keywords; returns positions and names that they mean.

    Args:
        fun: The function that has the arguments.
        prefix: `static` or `donate`.
        jit_kwargs: Keywords as for `jax.jit`; those with the prefix are removed.

    Raises:
        ValueError: If a name is not that of an argument.
    """
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


def take_out(
    chosen: Iterable[int | str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], dict[Any, Any]]:
    """Moves the chosen arguments to a dictionary by position or name.

    Args:
        chosen: Positions and names.
        args: Positional arguments; None takes the place of those that are moved.
        kwargs: Keyword arguments.
    """
    taken: dict[Any, Any] = {i: a for i, a in enumerate(args) if i in chosen}
    named = {key: kwargs[key] for key in sorted(kwargs) if key in chosen}
    args = tuple(None if i in taken else a for i, a in enumerate(args))
    kwargs = {key: a for key, a in kwargs.items() if key not in named}
    return args, kwargs, {**taken, **named}


def put_back(
    args: tuple[Any, ...], kwargs: dict[str, Any], taken: dict[Any, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Undoes `take_out`.

    Args:
        args: Positional arguments, None in the places of those that were taken.
        kwargs: Keyword arguments.
        taken: The arguments that were taken.
    """
    args = tuple(taken.get(i, a) for i, a in enumerate(args))
    named = {key: a for key, a in taken.items() if isinstance(key, str)}
    return args, {**kwargs, **named}


def is_data(leaf: Any) -> bool:
    """Returns whether a leaf of the arguments is an array, a number or a variable."""
    return isinstance(leaf, _ACCEPTED) or (hasattr(leaf, "dtype") and not isinstance(leaf, type))


def refuse_other_leaves(
    fun: Callable[..., Any],
    statics: Iterable[int | str],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    cause: TypeError,
) -> None:
    """Raises if a leaf of the arguments is neither an array, a number nor a variable.

    JAX does so, too, but names what a transform has made of the arguments.

    Args:
        fun: The function, for the message.
        statics: Positions and names of static arguments, which may be anything.
        args: Positional arguments.
        kwargs: Keyword arguments.
        cause: What JAX raised.

    Raises:
        TypeError: If there is one.
    """
    args, kwargs, _ = take_out(statics, args, kwargs)
    for name, tree in (("args", args), ("kwargs", kwargs)):
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            if not is_data(leaf):
                raise TypeError(
                    "Expected arrays, numbers and variables in the arguments of "
                    f"`{getattr(fun, '__name__', type(fun).__name__)}`, but got "
                    f"{_repr.brief(leaf)}, a `{type(leaf).__name__}`, at "
                    f"`{name}{jax.tree_util.keystr(path)}`. Name the argument in "
                    "`static_argnames`, or keep it in a static field of a struct."
                ) from cause
