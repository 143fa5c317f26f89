"""Gradients with respect to the variables in an argument."""

import functools
import itertools
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata.named import NamedArray
from modeldata.variables._threading import ThreadedCall, apply, as_pair, model_in
from modeldata.variables._variable import AbstractVariable, Parameter

Chosen = type | tuple[type, ...] | UnionType | Callable[[Any], bool] | None
_PAIR = "a scalar and another result"
_Argnums = int | Sequence[int]


def variable_value_and_grad(
    fun: Callable[..., Any],
    argnums: _Argnums = 0,
    *,
    has_aux: bool = False,
    wrt: Chosen = None,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Makes a function that returns the value of `fun` and its gradient; see `variable_grad`.

    Args:
        fun: A function that returns a scalar, or a named array without axes.
        argnums: The argument or arguments to differentiate with respect to, by position.
        has_aux: Whether `fun` returns a pair of the scalar and anything else.
        wrt: What to differentiate with respect to in these arguments; see `variable_grad`.
        holomorphic: Whether `fun` is a holomorphic function of complex numbers.

    Returns:
        A function that takes the same arguments, and returns a pair as `jax.value_and_grad` does:
        the value (with the other result, if `has_aux`) and the gradient.
    """
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(fun, updated=())
    def value_and_grad(*args: Any, **kwargs: Any) -> Any:
        threaded = ThreadedCall("variable_grad", (args, kwargs, model_in(fun)))
        places = _chosen_places(threaded, args, numbers, wrt)
        inputs = (threaded.parts.arrays, threaded.values)

        def loss(chosen: Any) -> tuple[Any, Any]:
            arrays, values = _merge(chosen, inputs)
            result, changes = threaded.run(lambda tree: apply(fun, tree), arrays, values)
            value, aux = as_pair(result, _PAIR, "variable_grad") if has_aux else (result, None)
            return _as_scalar(value), (aux, changes)

        differentiated = jax.value_and_grad(loss, has_aux=True, holomorphic=holomorphic)
        (value, (aux, changes)), found = differentiated(_split(threaded, places))
        grads = _trees(threaded, places, found, numbers)
        threaded.commit(changes)
        return (value, aux) if has_aux else value, grads[0] if isinstance(argnums, int) else grads

    return value_and_grad


def variable_grad(
    fun: Callable[..., Any],
    argnums: _Argnums = 0,
    *,
    has_aux: bool = False,
    wrt: Chosen = None,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """Makes a function that returns the gradient of `fun`, whose arguments may hold variables.

    The gradient is a tree with the structure of the argument. In the place of a variable it has a
    frozen value, such as a `ParameterValue`, that holds the gradient; in the place of an array, the
    gradient; and None where nothing is differentiated, such as in integers. So has
    `variable_values` of the same argument, but for the numbers.

    A variable is one thing however often it appears. Its gradient, the sum over all its
    appearances in any argument, stands in the first place; the others have an empty slot.

    The function may assign to variables in its arguments, such as the counter of a `RandomStream`;
    they have their new values when the call returns. Derivatives are taken at the old ones.

    Args:
        fun: A function that returns a scalar, or a named array without axes.
        argnums: The argument or arguments to differentiate with respect to, by position.
        has_aux: Whether `fun` returns a pair of the scalar and anything else.
        wrt: What to differentiate with respect to in these arguments: a class of variables or
            arrays, a tuple of classes, or a function of a variable or an array. If not given, the
            parameters; or, in an argument without variables, all arrays, as with `jax.grad`.
        holomorphic: Whether `fun` is a holomorphic function of complex numbers.

    Returns:
        A function that takes the same arguments, and returns the gradient: one tree, or a tuple of
        trees if `argnums` is a sequence; with `has_aux`, a pair of that and the other result.
        Calling it raises ValueError if there is nothing to differentiate with respect to, and
        TypeError if `fun` returns a named array with axes.
    """
    function = variable_value_and_grad(
        fun, argnums, has_aux=has_aux, wrt=wrt, holomorphic=holomorphic
    )

    @functools.wraps(fun, updated=())
    def grad(*args: Any, **kwargs: Any) -> Any:
        value, grads = function(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return grad


def variable_values(tree: Any, wrt: Chosen = None) -> Any:
    """Returns the values that `variable_grad` differentiates with respect to, as a tree like its.

    This is what optimizers call parameters: pass it to theirs together with the gradient.

    Args:
        tree: Any pytree, most often a model.
        wrt: As for `variable_grad`.

    Returns:
        A tree of the same structure with frozen values in the places of variables, None in those of
        everything that is not chosen, and slots where a variable appears again.

    Raises:
        ValueError: If there is nothing to choose.
        VariableConflictError: If two different variables have one label.
    """
    threaded = ThreadedCall("variable_values", ((tree,),))
    places = _chosen_places(threaded, (tree,), (0,), wrt)
    return _trees(threaded, places, _split(threaded, places), (0,))[0]


def _chosen_places(
    threaded: ThreadedCall, args: tuple[Any, ...], argnums: Sequence[int], wrt: Chosen
) -> set[int]:
    """Returns which leaves of the arguments to differentiate with respect to."""
    sizes = [jax.tree_util.tree_structure(arg).num_leaves for arg in args]
    stops = list(itertools.accumulate(sizes))
    leaves = threaded.leaves()
    chosen: set[int] = set()
    for argnum in argnums:
        if not -len(args) <= argnum < len(args):
            raise ValueError(
                f"Expected `argnums` to be positions among the {len(args)} positional arguments "
                f"of the call, but got {argnum}. Arguments by keyword are not differentiated."
            )
        span = range(stops[argnum] - sizes[argnum], stops[argnum])
        accepts = _filter(wrt, [leaves[place] for place in span])
        places = {place for place in span if accepts(leaves[place]) and _has_inexact(leaves[place])}
        if not places:
            raise ValueError(
                f"Expected something to differentiate with respect to in argument {argnum}, but "
                "nothing in it is chosen and has floating-point values. By default, parameters "
                "are chosen, or arrays if there are no variables; choose with `argnums` and `wrt`."
            )
        chosen |= places
    return chosen


def _filter(wrt: Chosen, leaves: list[Any]) -> Callable[[Any], bool]:
    if wrt is None:
        wrt = Parameter if any(isinstance(x, AbstractVariable) for x in leaves) else object
    if isinstance(wrt, type | tuple | UnionType):
        classes = wrt
        return lambda leaf: isinstance(leaf, classes)
    if not callable(wrt):
        raise TypeError(
            "Expected `wrt` to be a class, a tuple of classes, or a function of a variable or an "
            f"array, but got {wrt!r}."
        )
    return wrt


def _split(threaded: ThreadedCall, places: set[int]) -> tuple[list[Any], list[Any]]:
    """Returns arrays and values of variables, with None for all that is not differentiated."""
    layout = threaded.parts.layout
    arrays = [place in places for place, number in enumerate(layout) if number < 0]
    numbers = {layout[place] for place in places}
    return (
        [a if chosen else None for a, chosen in zip(threaded.parts.arrays, arrays, strict=True)],
        [
            jax.tree_util.tree_map(lambda leaf: leaf if _is_inexact(leaf) else None, value)
            if number in numbers
            else None
            for number, value in enumerate(threaded.values)
        ],
    )


def _merge(chosen: Any, inputs: Any) -> Any:
    """Returns all arrays and values of variables; `chosen` takes the place of some."""
    return jax.tree_util.tree_map(
        lambda new, old: old if new is None else new,
        chosen,
        inputs,
        is_leaf=lambda node: node is None,
    )


def _trees(
    threaded: ThreadedCall, places: set[int], found: Any, argnums: Sequence[int]
) -> tuple[Any, ...]:
    """Returns trees like the arguments that hold what is found for arrays and for variables."""
    arrays, values = found
    remaining = iter(arrays)
    seen: set[int] = set()

    def fill(place: int, number: int) -> Any:
        if number < 0:
            return next(remaining)
        if place not in places:
            return None
        variable = threaded.variables[number]
        if number in seen:
            return variable.get_slot()
        seen.add(number)
        return variable.freeze().replace(value=values[number])

    filled = [fill(place, number) for place, number in enumerate(threaded.parts.layout)]
    args = threaded.parts.treedef.unflatten(filled)[0]
    return tuple(args[argnum] for argnum in argnums)


def _as_scalar(value: Any) -> Any:
    if not isinstance(value, NamedArray):
        return value
    if value.named_shape:
        raise TypeError(
            f"Expected a scalar to differentiate, but got a named array with the axes "
            f"{value.named_shape}. Reduce it first, as in `loss.untag(...).mean()`."
        )
    return value.data_array


def _has_inexact(leaf: Any) -> bool:
    value = leaf.value if isinstance(leaf, AbstractVariable) else leaf
    return any(map(_is_inexact, jax.tree_util.tree_leaves(value)))


def _is_inexact(leaf: Any) -> bool:
    if isinstance(leaf, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct):
        return jnp.issubdtype(leaf.dtype, jnp.inexact)
    return isinstance(leaf, float | complex)
