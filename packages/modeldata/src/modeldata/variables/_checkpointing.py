"""Computing again in the backward pass what was not kept, with variables."""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import jax

from modeldata.variables._arguments import chosen_arguments, put_back, take_out
from modeldata.variables._threading import ThreadedCall, apply, model_in


def variable_checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    policy: Callable[..., bool] | None = None,
    prevent_cse: bool = True,
    static_argnums: int | Iterable[int] = (),
    static_argnames: str | Iterable[str] = (),
) -> Any:
    """Makes gradients of a function need less memory, as `jax.checkpoint` does.

    What the function computes is not kept for the backward pass, but computed again. Values,
    gradients and what variables in the arguments hold afterwards stay the same; variables are
    changed once.

    Args:
        fun: The function; leave it out to decorate with keywords.
        policy: Says what to keep all the same; one of `jax.checkpoint_policies`.
        prevent_cse: As for `jax.checkpoint`. False may be faster inside a loop.
        static_argnums: Positions of arguments that are not arrays and hold no variables.
        static_argnames: Names of such arguments.

    Returns:
        A function that takes the same arguments, or a decorator if `fun` is not given.
    """
    if fun is None:
        return functools.partial(
            variable_checkpoint,
            policy=policy,
            prevent_cse=prevent_cse,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
        )
    keywords = {"static_argnums": static_argnums, "static_argnames": static_argnames}
    statics = chosen_arguments(fun, "static", keywords)

    @functools.wraps(fun, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        args, kwargs, chosen = take_out(statics, args, kwargs)
        threaded = ThreadedCall("variable_checkpoint", (args, kwargs, model_in(fun)))

        def call(tree: Any) -> Any:
            inner_args, inner_kwargs = put_back(tree[0], tree[1], chosen)
            return apply(fun, (inner_args, inner_kwargs, tree[2]))

        def body(arrays: list[Any], values: list[Any]) -> Any:
            return threaded.run(call, arrays, values)

        checkpoint = jax.checkpoint(body, policy=policy, prevent_cse=prevent_cse)
        result, changes = checkpoint(threaded.parts.arrays, threaded.values)
        threaded.commit(changes)
        return result

    return checkpointed
