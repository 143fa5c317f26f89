"""Compiled pieces for arrays that hold values, plain ones for arrays that are being traced.

Outside of transformations JAX runs one operation at a time, and each costs more than a whole
compiled function does. So the few steps that one operation on named arrays may need, such as a
transposition and an addition, are compiled together. Code that is traced calls the steps
themselves, and its jaxpr has no nested calls.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax
from jax import core, lax


def are_traced(values: Iterable[Any]) -> bool:
    """Returns whether any of the values stands for an array in a function that is being traced."""
    return any(isinstance(value, core.Tracer) for value in values)


def compiled(static: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function compile itself where it gets values.

    Args:
        static: How many of its arguments, the first ones, describe what to do; they must be
            hashable. The others are arrays, numbers, or tuples of those.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        jitted = jax.jit(function, static_argnums=tuple(range(static)), inline=True)

        @functools.wraps(function)
        def call(*args: Any) -> Any:
            for arg in args[static:]:
                if isinstance(arg, core.Tracer) or (type(arg) is tuple and are_traced(arg)):
                    return function(*args)
            return jitted(*args)

        return call

    return decorate


@compiled(static=1)
def transpose(order: tuple[int, ...], data: Any) -> Any:
    """Permutes the axes of an array."""
    return lax.transpose(data, order)
