"""How transforms thread variables: the part that all of them share.

A transform of JAX takes and returns arrays, and knows nothing of variables. So each transform here
takes the arguments of a call apart into their structure, their arrays and their variables; hands
arrays and the values of variables to JAX; and inside, under JAX's trace, puts the arguments
together again, with copies of the variables that hold what JAX passed in. The function reads and
changes the copies. What a copy holds when the function returns is the variable's new value, unless
it still is the very object that went in; only changed values go out. At the end, when nothing can
fail any more, the variables outside take them over.

A function may itself be a tree with variables: a layer, or a whole model. Then it counts as one
more argument.

A variable of the outside is therefore never touched by the function. One that was not among the
arguments notices that it is read or assigned inside a call that it does not belong to, and says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax

from modeldata.variables._arguments import is_data
from modeldata.variables._binding import refuse_conflicts
from modeldata.variables._origin import Call, running
from modeldata.variables._variable import AbstractVariable


class Parts(NamedTuple):
    """A tree, taken apart.

    Attributes:
        treedef: The structure; variables are leaves.
        layout: For each leaf the number of its variable, or -1 for any other leaf.
        arrays: The leaves that are not variables.
    """

    treedef: Any
    layout: tuple[int, ...]
    arrays: list[Any]

    def put_together(self, arrays: Iterable[Any], variables: Sequence[Any]) -> Any:
        """Returns the tree with other leaves.

        Args:
            arrays: What takes the places of `arrays`.
            variables: What takes the places of variables, by their numbers.
        """
        return put_together(self.treedef, self.layout, arrays, variables)

    def without_variables(self) -> Any:
        """Returns the tree with None in the places of variables, for JAX to work on."""
        return self.put_together(self.arrays, [None] * (max(self.layout, default=-1) + 1))

    def arrays_in(self, tree: Any) -> list[Any]:
        """Returns the arrays of a tree like that of `without_variables`."""
        leaves = self.treedef.flatten_up_to(tree)
        return [leaf for leaf, n in zip(leaves, self.layout, strict=True) if n < 0]


def take_apart(tree: Any, numbers: dict[AbstractVariable, int]) -> Parts:
    """Takes a tree apart.

    Args:
        tree: Any pytree.
        numbers: The number of each variable met before; those of `tree` are added.
    """
    leaves, treedef = jax.tree_util.tree_flatten(tree)
    arrays: list[Any] = []
    layout: list[int] = []
    for leaf in leaves:
        if isinstance(leaf, AbstractVariable):
            layout.append(numbers.setdefault(leaf, len(numbers)))
        else:
            layout.append(-1)
            arrays.append(leaf)
    return Parts(treedef, tuple(layout), arrays)


def put_together(
    treedef: Any, layout: tuple[int, ...], arrays: Iterable[Any], variables: Sequence[Any]
) -> Any:
    """Undoes `take_apart`; see `Parts.put_together`."""
    remaining = iter(arrays)
    return treedef.unflatten([next(remaining) if n < 0 else variables[n] for n in layout])


class ThreadedCall:
    """One call of a transform, which thereby threads the variables in the arguments.

    Args:
        transform: The name of the transform, for messages.
        tree: The arguments.

    Attributes:
        parts: The arguments, taken apart.
        variables: Their variables, each once.

    Raises:
        VariableConflictError: If two different variables have one label.
        RuntimeError: If a variable belongs to the outside of a transform that is running.
    """

    def __init__(self, transform: str, tree: Any) -> None:
        self._transform = transform
        numbers: dict[AbstractVariable, int] = {}
        self.parts = take_apart(tree, numbers)
        self.variables = list(numbers)
        refuse_conflicts(self.variables, tree)
        self.values = [variable.value for variable in self.variables]

    def leaves(self) -> list[Any]:
        """Returns the leaves of the arguments, arrays and variables, in order."""
        remaining = iter(self.parts.arrays)
        return [next(remaining) if n < 0 else self.variables[n] for n in self.parts.layout]

    def run(
        self, fun: Callable[..., Any], arrays: Iterable[Any], values: Sequence[Any]
    ) -> tuple[Any, dict[int, Any]]:
        """Runs a function under the trace of the transform.

        Args:
            fun: Takes the arguments as one tree.
            arrays: What JAX passed in for the arrays of the arguments.
            values: What JAX passed in for the values of the variables.

        Returns:
            The result, and new values of the variables that changed, by number.
        """

        def body(copies: list[Any]) -> Any:
            return fun(self.parts.put_together(arrays, copies))

        watchers = [variable.watcher for variable in self.variables]
        return run_on_copies(Call(self._transform), body, self.variables, values, watchers)

    def commit(self, changes: Mapping[int, Any]) -> None:
        """Gives the variables outside their new values; all of them, or none if one refuses."""
        commit(self.variables, changes)


def model_in(fun: Callable[..., Any]) -> Any:
    """Returns a function that is a pytree of data, such as a layer; None for any other function."""
    is_model = not jax.tree_util.all_leaves([fun]) and all(map(is_data, jax.tree.leaves(fun)))
    return fun if is_model else None


def apply(fun: Callable[..., Any], tree: tuple[Any, Any, Any]) -> Any:
    """Calls a function.

    Args:
        fun: The function.
        tree: Its positional arguments, its keyword arguments, and what takes its place if it is a
            model, as `model_in` says.
    """
    args, kwargs, model = tree
    return (fun if model is None else model)(*args, **kwargs)


def run_on_copies(
    call: Call,
    body: Callable[[list[Any]], Any],
    variables: Sequence[AbstractVariable],
    values: Sequence[Any],
    watchers: Sequence[Call | None],
) -> tuple[Any, dict[int, Any]]:
    """Runs the inside of a call on copies of variables.

    Args:
        call: The call.
        body: Takes the copies.
        variables: The variables outside.
        values: The values of the copies.
        watchers: For each, the call to tell when something looks at the label.

    Returns:
        The result, and new values of the variables that changed, by number.

    Raises:
        ValueError: If a variable is in the result.
    """
    with running(call):
        copies = [
            variable.copied(value, watcher)
            for variable, value, watcher in zip(variables, values, watchers, strict=True)
        ]
        result = body(copies)
        refuse_variables(result, call.transform)
        new_values = [copy.value for copy in copies]
    pairs = enumerate(zip(values, new_values, strict=True))
    return result, {number: new for number, (old, new) in pairs if not _is_untouched(old, new)}


def commit(variables: Sequence[AbstractVariable], changes: Mapping[int, Any]) -> None:
    """Gives variables new values; all of them, or none if one refuses.

    Args:
        variables: The variables.
        changes: New values by number.

    Raises:
        RuntimeError: If one cannot be assigned under the current JAX transformation.
    """
    for number in changes:
        variables[number].check_assignable()
    for number, value in changes.items():
        variables[number].replace_value(value)


def as_pair(result: Any, content: str, transform: str) -> tuple[Any, Any]:
    """Returns a result that must be a pair.

    Args:
        result: What a function returned.
        content: What it should have returned, in words.
        transform: The name of the transform, for the message.

    Raises:
        TypeError: If it is not a pair.
    """
    if isinstance(result, tuple | list) and len(result) == 2:
        return result[0], result[1]
    size = f" of {len(result)}" if isinstance(result, tuple | list) else ""
    raise TypeError(
        f"Expected the function of `{transform}` to return a pair, {content}, but got a "
        f"`{type(result).__name__}`{size}."
    )


def refuse_variables(result: Any, transform: str) -> None:
    """Raises if there are variables in what a function returns.

    Args:
        result: What the function returned.
        transform: The name of the transform, for the message.

    Raises:
        ValueError: If there is one.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(result):
        if isinstance(leaf, AbstractVariable):
            raise ValueError(  # noqa: TRY004  # the value, not its type, is in the wrong place
                f"Returning a variable from `{transform}` is not possible, but {leaf.description} "
                f"is in the result, at `result{jax.tree_util.keystr(path)}`. Return its "
                "`.value`, or a frozen value (`freeze_variables`)."
            )


def _is_untouched(old: Any, new: Any) -> bool:
    if old is new:
        return True
    old_leaves, old_def = jax.tree_util.tree_flatten(old)
    new_leaves, new_def = jax.tree_util.tree_flatten(new)
    return old_def == new_def and all(a is b for a, b in zip(old_leaves, new_leaves, strict=True))
