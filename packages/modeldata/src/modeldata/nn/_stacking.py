"""From many layers to one with stacked arrays, and back.

Layers can be stacked if they are equal but for the contents of their named arrays and the labels of
their variables. The label of a stacked variable tells those of all it was made of: where they
differ, it has what they had in braces, as in `block_{0:24}/mlp/in.weights`.
"""

import enum
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from modeldata import _repr
from modeldata._frozen_dict import FrozenDict
from modeldata.named import NamedArray
from modeldata.nn._grouping import Sequential
from modeldata.nn._stack_labels import joined_label, split_label
from modeldata.variables import (
    AbstractVariable,
    AbstractVariableSlot,
    AbstractVariableValue,
    StateVariable,
    StateVariableValue,
    bind_variables,
    unbind_variables,
)

_AXES = "layerstack_axes"
_VariableLike = AbstractVariable | AbstractVariableSlot | AbstractVariableValue


class LayerStackVarBehavior(enum.Enum):
    """What a state variable inside a `LayerStack` is to the layers of the stack.

    A variable says so in its metadata, `{"layerstack_axes": {stack_axis: ...}}`. One that says
    nothing is `PER_LAYER` if its value has the axis of the stack, or is still empty, and `SHARED`
    otherwise.
    """

    SHARED = "shared"
    """One value, which the layers change one after the other."""

    PER_LAYER = "per layer"
    """One value for each layer, stacked along the axis."""


def declared_behavior(variable: Any, axis: Hashable) -> Any:
    """Returns what the metadata of a variable say about the axis of a stack; None for nothing."""
    return variable.metadata.get(_AXES, {}).get(axis)


def per_layer_metadata(axes: Iterable[Hashable]) -> FrozenDict:
    """Returns the metadata of a state variable that has a value for each layer of some stacks.

    Args:
        axes: The axes of the stacks; none for a variable outside of stacks.
    """
    kinds = FrozenDict(dict.fromkeys(axes, LayerStackVarBehavior.PER_LAYER))
    return FrozenDict({_AXES: kinds} if kinds else {})


def is_named(node: Any) -> TypeGuard[NamedArray]:
    """Returns whether a node is a named array."""
    return isinstance(node, NamedArray)


# ---- From a list of layers ----


def stack_in_groups(layers: list[Any], axis: Hashable, period: int | None) -> tuple[Any, int]:
    """Stacks layers whose structure repeats.

    Args:
        layers: The layers in order.
        axis: The name of the new axis.
        period: After how many layers the structure repeats; None for the smallest possible.

    Returns:
        One layer with stacked arrays, and how often to run it.

    Raises:
        ValueError: If the layers do not repeat, or some part can be neither stacked nor shared.
    """
    if not layers:
        raise ValueError("Expected at least one layer to stack, but got an empty list.")
    length = smallest_period(layers) if period is None else period
    if length < 1 or len(layers) % length or not _repeats(list(map(_form, layers)), length):
        raise ValueError(
            f"Expected {len(layers)} layers whose structure repeats after {length}, but it does "
            "not. Leave `period` out to use the smallest that fits."
        )
    groups = [layers[i : i + length] for i in range(0, len(layers), length)]
    steps = [group[0] if length == 1 else Sequential(group) for group in groups]
    return _stack_equal(steps, axis), len(steps)


def smallest_period(layers: list[Any]) -> int:
    """Returns after how many layers the structure of a list of layers repeats.

    Args:
        layers: The layers in order.

    Raises:
        ValueError: If the structure does not repeat.
    """
    period, count = repeated_pattern(layers)
    if period * count == len(layers):
        return period
    raise ValueError(
        f"Expected layers whose structure repeats, but no pattern fits these {len(layers)}: "
        f"{_difference(list(map(_form, layers)))}. Stack a part of them, or make them alike."
    )


def repeated_pattern(layers: list[Any]) -> tuple[int, int]:
    """Finds the pattern of layers that, repeated from the start, covers the most of a list.

    Args:
        layers: The layers in order, at least one.

    Returns:
        The length of the pattern, the shortest of those that cover as many layers, and how often
        it is there in full.
    """
    forms = [_form(layer) for layer in layers]
    best = (1, 1)
    for period in range(1, len(layers) // 2 + 1):
        same = next(
            (i for i in range(period, len(forms)) if forms[i] != forms[i - period]), len(forms)
        )
        count = same // period
        if count > 1 and period * count > best[0] * best[1]:
            best = period, count
    return best


def _repeats(forms: list[Any], length: int) -> bool:
    return forms[length:] == forms[: len(forms) - length]


def _difference(forms: list[Any]) -> str:
    """Where the first two layers that differ do so."""
    number, (treedef, parts) = next((i, form) for i, form in enumerate(forms) if form != forms[0])
    first_treedef, first_parts = forms[0]
    if treedef != first_treedef:
        return f"numbers 0 and {number} consist of different parts or have different settings"
    one, other = next((a, b) for a, b in zip(first_parts, parts, strict=True) if a != b)
    return f"numbers 0 and {number} differ, such as in {one[0]} and {other[0]}"


def _is_part(node: Any) -> bool:
    """Whether a node is stacked as a whole, rather than taken apart."""
    return isinstance(node, NamedArray | _VariableLike)


def _form(layer: Any) -> Any:
    """What layers that are stacked with each other have in common."""
    leaves, treedef = jax.tree_util.tree_flatten(layer, is_leaf=_is_part)
    first: dict[int, int] = {}
    # Where one variable is in several places of a layer, it must be so in the others.
    sharing = [first.setdefault(id(leaf), i) for i, leaf in enumerate(leaves)]
    return treedef, [
        (_leaf_form(leaf), place if isinstance(leaf, AbstractVariable) else None)
        for leaf, place in zip(leaves, sharing, strict=True)
    ]


def _leaf_form(leaf: Any) -> Any:
    if isinstance(leaf, AbstractVariableSlot):
        return type(leaf)
    if isinstance(leaf, AbstractVariable | AbstractVariableValue):
        return type(leaf), leaf.metadata, _array_forms(leaf.value)
    return _array_forms(leaf) if is_named(leaf) else _plain_form(leaf)


def _array_forms(tree: Any) -> Any:
    leaves, treedef = jax.tree_util.tree_flatten(tree, is_leaf=is_named)
    return treedef, [
        (x.dtype, x.positional_shape, x.named_shape) if is_named(x) else _plain_form(x)
        for x in leaves
    ]


def _plain_form(leaf: Any) -> Any:
    return (leaf.dtype, leaf.shape) if hasattr(leaf, "shape") else (type(leaf), leaf)


def _stack_equal(layers: list[Any], axis: Hashable) -> Any:
    flat = [jax.tree_util.tree_flatten_with_path(layer, is_leaf=_is_part) for layer in layers]
    treedef = flat[0][1]
    made: dict[int, Any] = {}
    stacked: list[Any] = []
    for entries in zip(*(entries for entries, _ in flat), strict=True):
        leaves = [leaf for _, leaf in entries]
        key = id(leaves[0])
        if key not in made or not isinstance(leaves[0], AbstractVariable):
            made[key] = _stack_leaves(leaves, axis, jax.tree_util.keystr(entries[0][0]))
        stacked.append(made[key])
    return treedef.unflatten(stacked)


def _stack_leaves(leaves: list[Any], axis: Hashable, where: str) -> Any:
    first = leaves[0]
    if isinstance(first, AbstractVariable) and all(leaf is first for leaf in leaves):
        return first
    if isinstance(first, _VariableLike):
        return _stack_variables(leaves, axis, where)
    if is_named(first):
        return _stack_named(leaves, axis)
    if all(leaf is first or _equal(leaf, first) for leaf in leaves):
        return first
    raise ValueError(
        f"Expected layers that differ only in named arrays, but `layer{where}` has other contents "
        f"in each, such as {_repr.brief(first)}. Make it a named array, which can be stacked."
    )


def _stack_variables(variables: list[Any], axis: Hashable, where: str) -> Any:
    first = variables[0]
    if len({id(v) for v in variables}) < len(variables) and isinstance(first, AbstractVariable):
        raise ValueError(
            "Expected variables of their own in all layers, or one for all, but "
            f"{first.description} at `layer{where}` is in some of them only. Give each layer its "
            "own."
        )
    label = joined_label([v.label for v in variables])
    if isinstance(first, AbstractVariableSlot):
        return type(first)(label=label)  # pyright: ignore[reportCallIssue]  # subclasses have it
    columns = zip(*(_named_leaves(v, where) for v in variables), strict=True)
    treedef = jax.tree_util.tree_structure(first.value, is_leaf=is_named)
    value = treedef.unflatten([_stack_named(list(column), axis) for column in columns])
    metadata = first.metadata
    if isinstance(first, StateVariable | StateVariableValue):
        metadata = _with_axis(metadata, axis)
    return type(first)(value=value, label=label, metadata=metadata)


def _with_axis(metadata: Any, axis: Hashable) -> FrozenDict:
    axes = FrozenDict({**metadata.get(_AXES, {}), axis: LayerStackVarBehavior.PER_LAYER})
    return FrozenDict({**metadata, _AXES: axes})


def _without_axis(metadata: Any, axis: Hashable) -> FrozenDict:
    axes = {name: kind for name, kind in metadata.get(_AXES, {}).items() if name != axis}
    rest = {key: value for key, value in metadata.items() if key != _AXES}
    return FrozenDict({**rest, _AXES: FrozenDict(axes)} if axes else rest)


def _named_leaves(variable: Any, where: str) -> list[NamedArray]:
    leaves = jax.tree_util.tree_leaves(variable.value, is_leaf=is_named)
    if not all(map(is_named, leaves)):
        raise ValueError(
            f"Expected only named arrays in variables that are stacked, but the value of "
            f"`{variable.label}` at `layer{where}` is {_repr.brief(variable.value)}. Make its "
            "arrays named (`nx.wrap`)."
        )
    return leaves


def _stack_named(arrays: Sequence[NamedArray], axis: Hashable) -> NamedArray:
    first, *others = (array.with_positional_prefix() for array in arrays)
    data = [first.data_array, *(array.order_like(first).data_array for array in others)]
    # Stored in front, so that each step of a loop reads one block of memory.
    return first.replace(data_array=jnp.stack(data)).tag_prefix(axis)


def _equal(a: Any, b: Any) -> bool:
    if hasattr(a, "shape"):
        return bool(np.array_equal(np.asarray(a), np.asarray(b)))
    return type(a) is type(b) and bool(a == b)


# ---- From a builder ----


def build_stacked(
    build: Callable[[Any], Any], axis: Hashable, size: int, init_base_rng: jax.Array | None
) -> Any:
    """Builds many layers at once.

    Args:
        build: Makes a layer of a random key, or of None.
        axis: The name of the new axis.
        size: How many layers to build.
        init_base_rng: The key to split for them, or None.

    Returns:
        One layer with stacked arrays.

    Raises:
        ValueError: If the variables or arrays of the layer cannot be stacked.
    """
    aside: list[Any] = []

    def traced(key: Any) -> tuple[list[Any], list[Any]]:
        layer, variables = unbind_variables(build(key if init_base_rng is not None else None))
        for variable in variables:
            _check_built(variable, axis)
        parts = (layer, tuple(variable.freeze() for variable in variables))
        leaves, treedef = jax.tree_util.tree_flatten(parts, is_leaf=is_named)
        named = [leaf.with_positional_prefix() for leaf in leaves if is_named(leaf)]
        arrays = [leaf for leaf in leaves if isinstance(leaf, jax.Array)]
        aside[:] = treedef, [None if isinstance(x, jax.Array | NamedArray) else x for x in leaves]
        aside.append([is_named(leaf) for leaf in leaves])
        return named, arrays

    keys = jnp.arange(size) if init_base_rng is None else jax.random.split(init_base_rng, size)
    try:
        named, arrays = jax.vmap(traced, out_axes=(0, None))(keys)
    except ValueError as error:
        if "out_axes" not in str(error):
            raise
        raise ValueError(
            "Expected every array that differs between the layers of a stack to be a named array, "
            "but the builder returned plain arrays that depend on its random key. Make them named "
            "arrays (`nx.wrap`)."
        ) from error
    treedef, plain, named_places = aside
    stacked, shared = (array.tag_prefix(axis) for array in named), iter(arrays)
    layer, frozen = treedef.unflatten(
        next(stacked) if is_named_here else next(shared) if leaf is None else leaf
        for leaf, is_named_here in zip(plain, named_places, strict=True)
    )
    values = [_per_layer(value, axis) for value in frozen]
    return bind_variables(layer, values, unfreeze_as_copy=True)


def _check_built(variable: AbstractVariable, axis: Hashable) -> None:
    try:
        variable.check_assignable()
    except RuntimeError:
        raise ValueError(
            "Expected the builder of a stack to make all variables that it returns, but "
            f"{variable.description} was there before. Make it in the builder, or pass what the "
            "layers share as a side input."
        ) from None
    leaves = jax.tree_util.tree_leaves(variable.value, is_leaf=is_named)
    if not all(map(is_named, leaves)):
        raise ValueError(
            f"Expected only named arrays in variables that are stacked, but the value of "
            f"{variable.description} is {_repr.brief(variable.value)}. Make its arrays named "
            "(`nx.wrap`)."
        )
    if isinstance(variable, StateVariable) and declared_behavior(variable, axis) is not None:
        raise ValueError(
            f"Expected state variables without an entry for the axis `{axis}` in the metadata "
            f"`layerstack_axes`, but {variable.description} has one. The stack makes it."
        )


def _per_layer(value: Any, axis: Hashable) -> Any:
    if not isinstance(value, StateVariableValue):
        return value
    return value.replace(metadata=_with_axis(value.metadata, axis))


# ---- Back to single layers ----


def unstack_layer(layer: Any, axis: Hashable, index: int, count: int) -> Any:
    """Returns one of the layers that a stacked layer stands for.

    Args:
        layer: The layer with stacked arrays.
        axis: The axis that counts the layers.
        index: Which one.
        count: How many there are.

    Returns:
        A layer with variables of its own, except for those that all layers share.
    """
    made: dict[int, Any] = {}

    def one(part: Any) -> Any:
        if isinstance(part, AbstractVariable):
            return made.setdefault(id(part), _unstack_variable(part, axis, index, count))
        if isinstance(part, _VariableLike):
            return _unstack_variable(part, axis, index, count)
        return _slice(part, axis, index)

    return jax.tree_util.tree_map(one, layer, is_leaf=_is_part)


def _unstack_variable(variable: Any, axis: Hashable, index: int, count: int) -> Any:
    label = split_label(variable.label, count)[index]
    if isinstance(variable, AbstractVariableSlot):
        return type(variable)(label=label)  # pyright: ignore[reportCallIssue]  # subclasses have it
    leaves = jax.tree_util.tree_leaves(variable.value, is_leaf=is_named)
    if not any(has_axis(leaf, axis) for leaf in leaves):
        return variable
    value = jax.tree_util.tree_map(
        lambda leaf: _slice(leaf, axis, index), variable.value, is_leaf=is_named
    )
    metadata = _without_axis(variable.metadata, axis)
    return type(variable)(value=value, label=label, metadata=metadata)


def has_axis(leaf: Any, axis: Hashable) -> bool:
    """Returns whether a leaf is a named array with an axis."""
    return is_named(leaf) and axis in leaf.dims


def _slice(leaf: Any, axis: Hashable, index: int) -> Any:
    return leaf[{axis: index}] if has_axis(leaf, axis) else leaf
