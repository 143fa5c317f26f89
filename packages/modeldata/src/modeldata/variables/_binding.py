"""Taking variables out of a tree, and putting them back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax

from modeldata.variables._variable import (
    AbstractVariable,
    AbstractVariableSlot,
    AbstractVariableValue,
    Parameter,
    StateVariable,
    VariableConflictError,
)

Predicate = Callable[[Any], bool]
_Key = tuple[type, Any]


def unbind_variables(
    tree: Any, predicate: Predicate | None = None, *, freeze: bool = False
) -> tuple[Any, tuple[Any, ...]]:
    """Takes the variables out of a tree and leaves slots in their places.

    Args:
        tree: Any pytree.
        predicate: Says of a variable whether to take it out; all if not given.
        freeze: Whether to return frozen values instead of the variables themselves.

    Returns:
        The tree with slots, and each variable once, in the order of its first appearance.

    Raises:
        VariableConflictError: If two variables have the same slot, or if one that is taken out has
            a slot that the tree holds already.
    """
    leaves, treedef = jax.tree_util.tree_flatten(tree, is_leaf=_is_slot)
    slots = [leaf for leaf in leaves if _is_slot(leaf)]
    found: dict[_Key, AbstractVariable] = {}
    for index, leaf in enumerate(leaves):
        if not isinstance(leaf, AbstractVariable) or not (predicate is None or predicate(leaf)):
            continue
        slot = leaf.get_slot()
        if found.setdefault(_slot_key(slot), leaf) is not leaf:
            raise _conflict(tree, leaf, found[_slot_key(slot)])
        leaves[index] = slot
    for slot in slots:
        if _slot_key(slot) in found:
            raise _conflict(tree, found[_slot_key(slot)], slot)
    variables = tuple(found.values())
    return treedef.unflatten(leaves), tuple(v.freeze() for v in variables) if freeze else variables


def bind_variables(
    tree: Any,
    variables: Iterable[Any],
    *,
    allow_unused: bool = False,
    unfreeze_as_copy: bool = False,
) -> Any:
    """Puts variables, or frozen values, into their slots wherever these appear in a tree.

    Args:
        tree: A pytree with slots. Slots of other variables stay.
        variables: Variables and frozen values, each for a slot of its own.
        allow_unused: Whether there may be variables without a slot in the tree.
        unfreeze_as_copy: Whether to make a new variable of each frozen value. Places that shared a
            variable share the new one.

    Returns:
        The tree with the variables in place.

    Raises:
        ValueError: If two of `variables` belong to one slot, if one has no slot in the tree, or if
            one of them is not frozen and `unfreeze_as_copy` is set.
    """
    waiting = _by_slot(variables)
    if unfreeze_as_copy:
        waiting = {key: _unfreeze(value) for key, value in waiting.items()}
    used: set[_Key] = set()

    def fill(leaf: Any) -> Any:
        if not isinstance(leaf, AbstractVariableSlot):
            return leaf
        key = _slot_key(leaf)
        if key not in waiting:
            return leaf
        used.add(key)
        return waiting[key]

    result = jax.tree_util.tree_map(fill, tree, is_leaf=_is_slot)
    if not allow_unused and len(used) < len(waiting):
        unused = [repr(label) for key, label in ((k, k[1]) for k in waiting) if key not in used]
        raise ValueError(
            "Expected a slot in the tree for every variable, but there is none for "
            f"{_first(unused)}. Bind to the tree that these were taken from, or pass "
            "`allow_unused=True`."
        )
    return result


def freeze_variables(tree: Any, predicate: Predicate | None = None) -> Any:
    """Replaces variables by frozen values; places that shared one get equal values.

    Args:
        tree: Any pytree.
        predicate: Says of a variable whether to freeze it; all if not given.

    Returns:
        A tree without variables (if there is no predicate), which every JAX transformation takes.
    """

    def freeze(leaf: Any) -> Any:
        chosen = isinstance(leaf, AbstractVariable) and (predicate is None or predicate(leaf))
        return leaf.freeze() if chosen else leaf

    return jax.tree_util.tree_map(freeze, tree)


def unbind_params(
    tree: Any, predicate: Predicate | None = None, *, freeze: bool = False
) -> tuple[Any, tuple[Any, ...]]:
    """Takes the parameters out of a tree; as `unbind_variables`, state variables stay."""
    return unbind_variables(tree, _narrow(Parameter, predicate), freeze=freeze)


def freeze_params(tree: Any, predicate: Predicate | None = None) -> Any:
    """Replaces parameters by frozen values; as `freeze_variables`, state variables stay."""
    return freeze_variables(tree, _narrow(Parameter, predicate))


def unbind_state_vars(
    tree: Any, predicate: Predicate | None = None, *, freeze: bool = False
) -> tuple[Any, tuple[Any, ...]]:
    """Takes the state variables out of a tree; as `unbind_variables`, parameters stay."""
    return unbind_variables(tree, _narrow(StateVariable, predicate), freeze=freeze)


def freeze_state_vars(tree: Any, predicate: Predicate | None = None) -> Any:
    """Replaces state variables by frozen values; as `freeze_variables`, parameters stay."""
    return freeze_variables(tree, _narrow(StateVariable, predicate))


def update_variables(tree: Any, values: Any) -> None:
    """Gives variables the values that a tree of frozen values has for them.

    So a step of an optimizer, a checkpoint or another copy of a model comes back into the model.
    Variables for which there is no value keep theirs.

    Args:
        tree: A pytree with variables.
        values: A pytree with frozen values, such as gradients and `variable_values` have; of any
            structure. The rest of it does not count.

    Raises:
        RuntimeError: If a variable cannot be assigned under the current JAX transformation.
        ValueError: If there is a value without a variable, or two values for one variable.
        VariableConflictError: If two different variables of the tree have one label.
    """
    variables = dict.fromkeys(v for v in jax.tree_util.tree_leaves(tree) if _is_variable(v))
    refuse_conflicts(tuple(variables), tree)
    by_slot = {variable.identity: variable for variable in variables}
    found = _by_slot(
        v for v in jax.tree_util.tree_leaves(values, is_leaf=_is_value) if _is_value(v)
    )
    if unknown := [repr(key[1]) for key in found if key not in by_slot]:
        raise ValueError(
            "Expected a variable in the tree for every value, but there is none with the label "
            f"{_first(unknown)}. Update the tree that the values were taken from."
        )
    for key in found:
        by_slot[key].check_assignable()
    for key, value in found.items():
        by_slot[key].update(value)


def refuse_conflicts(variables: Sequence[AbstractVariable], tree: Any) -> None:
    """Raises if two different variables have the same slot.

    Args:
        variables: The variables of `tree`, each once.
        tree: Where they are, for the message.

    Raises:
        VariableConflictError: If two have the same slot.
    """
    seen: dict[_Key, AbstractVariable] = {}
    for variable in variables:
        other = seen.setdefault(variable.identity, variable)
        if other is not variable:
            raise _conflict(tree, variable, other)


class _Subclasses(dict[type, bool]):
    """Whether types are subclasses of a class; `isinstance` asks abstract classes in Python."""

    def __init__(self, parent: type) -> None:
        super().__init__()
        self._parent = parent

    def __missing__(self, cls: type) -> bool:
        return self.setdefault(cls, issubclass(cls, self._parent))


_SLOT_TYPES = _Subclasses(AbstractVariableSlot)


def _is_slot(node: Any) -> bool:
    return _SLOT_TYPES[type(node)]


def _is_variable(node: Any) -> bool:
    return isinstance(node, AbstractVariable)


def _is_value(node: Any) -> bool:
    return isinstance(node, AbstractVariableValue)


def _slot_key(slot: AbstractVariableSlot) -> _Key:
    # Compares like the slot itself, at a tenth of the time.
    return type(slot), slot.label


def _narrow(kind: type[AbstractVariable], predicate: Predicate | None) -> Predicate:
    return lambda v: isinstance(v, kind) and (predicate is None or predicate(v))


def _by_slot(variables: Iterable[Any]) -> dict[_Key, Any]:
    result: dict[_Key, Any] = {}
    for variable in variables:
        if not isinstance(variable, AbstractVariable | AbstractVariableValue):
            raise TypeError(
                "Expected variables and frozen values to bind, but got a "
                f"`{type(variable).__name__}`."
            )
        key = _slot_key(variable.get_slot())
        if key in result:
            raise ValueError(
                "Expected variables with slots of their own, but two belong to "
                f"`{variable.get_slot()!r}`. Leave one of them out."
            )
        result[key] = variable
    return result


def _unfreeze(value: Any) -> AbstractVariable:
    if not isinstance(value, AbstractVariableValue):
        raise ValueError(  # noqa: TRY004  # a variable is fine here without the keyword
            "Expected only frozen values with `unfreeze_as_copy=True`, but got the variable "
            f"{value.description}. Freeze it first, or bind it without `unfreeze_as_copy`."
        )
    return value.unfreeze_as_copy()


def _conflict(tree: Any, variable: AbstractVariable, other: Any) -> VariableConflictError:
    leaves = jax.tree_util.tree_leaves_with_path(tree, is_leaf=_is_slot)
    paths = [
        jax.tree_util.keystr(path)
        for node in (variable, other)
        for path, leaf in leaves
        if leaf is node
    ]
    kind = "a slot" if isinstance(other, AbstractVariableSlot) else "another variable"
    return VariableConflictError(
        f"{variable.description} and {kind} with the same label are in one tree, at "
        f"{_first([f'`{path}`' for path in dict.fromkeys(paths)])}. Give each a label of its own, "
        "or put the same object in both places to share it."
    )


def _first(texts: Sequence[str], limit: int = 5) -> str:
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more
