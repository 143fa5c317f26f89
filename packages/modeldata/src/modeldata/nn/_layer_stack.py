"""Many equal layers as one: their parameters stacked along an axis, and a loop instead of a list.

A loop is compiled once however many layers it runs, so the time to trace and to compile a model
does not grow with its depth. What differs between the layers, such as parameters and the state of
each, has one more named axis. What lacks this axis is shared by all of them.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from modeldata import _repr
from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray, order_like, scan
from modeldata.nn._layer import Layer, locating
from modeldata.nn._stacking import (
    LayerStackVarBehavior,
    build_stacked,
    declared_behavior,
    has_axis,
    is_named,
    stack_in_groups,
    unstack_layer,
)
from modeldata.variables import (
    AbstractVariable,
    StateVariable,
    freeze_params,
    unbind_state_vars,
    variable_jit,
)


@pytree_dataclass
class LayerStack(Layer):
    """Runs one layer many times in a compiled loop, each time with other parameters.

    The output of the layer must have the axes and the dtype of its input, since it is the input of
    the next. Side inputs are the same for all layers.

    Attributes:
        stacked_sublayers: The layer. Its named arrays with the axis `stack_axis` hold something
            else for each run; everything else in it is shared.
        stack_axis: The axis that counts the layers.
        stack_axis_size: How many there are.
    """

    stacked_sublayers: Any
    stack_axis: Hashable = static_field()
    stack_axis_size: int = static_field()

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Runs the layers in order.

        Raises:
            ValueError: If an output cannot be the next input, if arrays have another number of
                layers along the axis, or if state variables do not fit what their metadata say.
        """
        leaves, treedef = jax.tree_util.tree_flatten((self, argument, side_inputs))
        fixed = tuple(None if _is_data(leaf) else leaf for leaf in leaves)
        if any(map(_is_traced, leaves)) or not _is_hashable(fixed):
            return _run(self, argument, side_inputs)
        # Outside compiled code the loop would be compiled anew each time, were it not kept here.
        data = [leaf if _is_data(leaf) else None for leaf in leaves]
        with locating(self, is_copied=True):
            return _run_compiled(treedef, fixed, data)

    @classmethod
    def from_sublayers(
        cls, sublayers: Sequence[Any], stack_axis: Hashable = "blocks", *, period: int | None = None
    ) -> "LayerStack":
        """Stacks a list of layers that repeat.

        The layers may differ in their named arrays and in the labels of variables. A variable that
        is the same object in all of them stays shared. Where their labels differ in a number,
        stacked variables get a label with all of them, as in `block_{0:24}/mlp/in.weights`.

        Args:
            sublayers: The layers in order.
            stack_axis: The name of the new axis.
            period: After how many layers the structure repeats, as in a model whose blocks
                alternate between two kinds; the smallest possible by default. If it is not one,
                each step of the stack is a `Sequential` of this many layers.

        Returns:
            A stack that computes the same.

        Raises:
            ValueError: If there are no layers, if they do not repeat, or if an array or variable
                can be neither stacked nor shared.
        """
        stacked, size = stack_in_groups(list(sublayers), stack_axis, period)
        return LayerStack(stacked, stack_axis, size)

    @classmethod
    def from_sublayer_builder(
        cls,
        builder: Callable[..., Any],
        stack_axis: Hashable,
        stack_axis_size: int,
        init_base_rng: jax.Array | None,
        builder_kwargs: Mapping[str, Any] | None = None,
    ) -> "LayerStack":
        """Builds all layers at once, each from a random key of its own.

        Args:
            builder: Makes one layer from the keywords `init_base_rng` and `builder_kwargs`, with
                all variables that are in it.
            stack_axis: The name of the new axis.
            stack_axis_size: How many layers to make.
            init_base_rng: The random key of the whole model; None for slots in place of
                parameters. State variables are made in any case.
            builder_kwargs: More keywords for the builder.

        Returns:
            The stack. Every named array in it has the axis, and state variables are per layer.

        Raises:
            ValueError: If the builder returns variables that it has not made, variables whose
                values are no named arrays, or other arrays that depend on the key.
        """
        build = lambda key: builder(init_base_rng=key, **(builder_kwargs or {}))  # noqa: E731
        stacked = build_stacked(build, stack_axis, stack_axis_size, init_base_rng)
        return LayerStack(stacked, stack_axis, stack_axis_size)

    def unstack(self) -> list[Any]:
        """Returns the layers one by one, with variables of their own; the inverse of stacking.

        Variables that all layers share are the same objects as in the stack.

        Raises:
            ValueError: If an array has another number of layers along the axis.
        """
        check_sizes(self)
        return [
            unstack_layer(self.stacked_sublayers, self.stack_axis, index, self.stack_axis_size)
            for index in range(self.stack_axis_size)
        ]


def layerstack_axes_from_keypath(keypath: Sequence[Any], tree: Any) -> dict[Hashable, int]:
    """Returns the axes of all stacks that a path leads through.

    Args:
        keypath: The path to a node, as JAX gives it.
        tree: The tree in which it starts.

    Returns:
        The size of each axis by name, outer stacks first.
    """
    axes: dict[Hashable, int] = {}
    for depth in range(len(keypath)):
        node = _follow(tree, keypath[:depth])
        if isinstance(node, LayerStack):
            axes[node.stack_axis] = node.stack_axis_size
    return axes


def _follow(tree: Any, keypath: Sequence[Any]) -> Any:
    for key in keypath:
        tree = getattr(tree, key.name) if hasattr(key, "name") else tree[_plain_key(key)]
    return tree


def check_sizes(stack: LayerStack) -> None:
    """Raises if an array of a stack has another number of layers than the stack.

    Args:
        stack: The stack.

    Raises:
        ValueError: If there is such an array.
    """
    tree = jax.tree_util.tree_map(_value_of, stack.stacked_sublayers)
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_named):
        size = leaf.named_shape.get(stack.stack_axis) if is_named(leaf) else None
        if size not in {None, stack.stack_axis_size}:
            raise ValueError(
                f"Expected {stack.stack_axis_size} layers along the axis `{stack.stack_axis}` of a "
                f"`LayerStack`, but `stacked_sublayers{jax.tree_util.keystr(path)}` has {size}. "
                "Change `stack_axis_size` together with all arrays that have the axis."
            )


def _run(stack: LayerStack, argument: Any, side_inputs: dict[str, Any]) -> Any:
    """Runs a stack in a loop, and puts back what it has changed in variables."""
    check_sizes(stack)
    axis = stack.stack_axis
    frozen = freeze_params((stack.stacked_sublayers, side_inputs))
    (layer, side_inputs), states = unbind_state_vars(frozen)
    outside = set(unbind_state_vars(frozen[1])[1])
    per_layer = [v for v in states if _is_per_layer(v, axis, is_side_input=v in outside)]
    shared = [v for v in states if v not in set(per_layer)]
    ordered = [*shared, *per_layer]

    leaves, treedef = jax.tree_util.tree_flatten(layer, is_leaf=is_named)
    stacked = {i: leaf for i, leaf in enumerate(leaves) if has_axis(leaf, axis)}
    changed: set[AbstractVariable] = set()

    def step(carry: Any, slices: Any) -> tuple[Any, Any]:
        activation, shared_values = carry
        arrays, own_values = slices
        one = treedef.unflatten([arrays.get(i, leaf) for i, leaf in enumerate(leaves)])
        before = [*shared_values, *own_values]
        values = [v.freeze().replace(value=x) for v, x in zip(ordered, before, strict=True)]
        with locating(stack), locating(stack.stacked_sublayers, is_copied=True):
            output, after = one.stateless_call(values, activation, **side_inputs)
        after = [value.value for value in after]
        changed.update(
            v for v, old, new in zip(ordered, before, after, strict=True) if not _is(old, new)
        )
        next_shared = [
            _like(new, old, f"the value of the shared {v.description}")
            for v, old, new in zip(shared, shared_values, after, strict=False)
        ]
        return (_like(output, activation, "their output"), next_shared), after[len(shared) :]

    init = (argument, [v.value for v in shared])
    slices = (stacked, [v.value for v in per_layer])
    (output, shared_values), own_values = scan(
        step, axis, init, slices, length=stack.stack_axis_size
    )
    for variable, value in zip(ordered, [*shared_values, *own_values], strict=True):
        if variable in changed:
            variable.value = _stored_like(value, variable.value)
    return output


def _run_flat(treedef: Any, fixed: tuple[Any, ...], data: list[Any]) -> Any:
    leaves = [leaf if known is None else known for known, leaf in zip(fixed, data, strict=True)]
    return _run(*treedef.unflatten(leaves))


_run_compiled = variable_jit(_run_flat, static_argnums=(0, 1))


def _is_per_layer(variable: StateVariable, axis: Hashable, *, is_side_input: bool) -> bool:
    """Whether a state variable has a value for each layer; refuses values that do not fit."""
    leaves = jax.tree_util.tree_leaves(variable.value, is_leaf=is_named)
    having = [has_axis(leaf, axis) for leaf in leaves]
    declared = declared_behavior(variable, axis)
    if declared is None:
        declared = LayerStackVarBehavior.PER_LAYER if all(having) else LayerStackVarBehavior.SHARED
        if is_side_input and not leaves:
            declared = LayerStackVarBehavior.SHARED
    if not isinstance(declared, LayerStackVarBehavior):
        raise ValueError(  # noqa: TRY004  # an entry of the metadata is a value
            f"Expected a `LayerStackVarBehavior` for the axis `{axis}` in the metadata "
            f"`layerstack_axes` of {variable.description}, but got {declared!r}."
        )
    is_per_layer = declared is LayerStackVarBehavior.PER_LAYER
    if is_per_layer and is_side_input:
        raise ValueError(
            f"Expected side inputs of a `LayerStack` to be shared by its layers, but "
            f"{variable.description} has a value for each index of `{axis}`. Put it into the "
            "layers of the stack."
        )
    if (having and any(having) != is_per_layer) or is_per_layer != all([is_per_layer, *having]):
        kind = "named arrays with" if is_per_layer else "no arrays with"
        raise ValueError(
            f"Expected {kind} the axis `{axis}` in {variable.description}, which is "
            f"{declared.value} in a `LayerStack`, but its value is {_repr.brief(variable.value)}. "
            "Correct the value, or the metadata `layerstack_axes`."
        )
    return is_per_layer


def _like(new: Any, old: Any, what: str) -> Any:
    """`new`, stored as `old` is; what goes round in a loop keeps its structure."""
    if _kinds(new) != _kinds(old):
        raise ValueError(
            f"Expected the layers of a `LayerStack` to keep {what} as it came in, "
            f"{_repr.brief(old)}, but they return {_repr.brief(new)}. Bring it to its axes and "
            "dtype before the stack, or at the end of each layer (`CastToDType`)."
        )
    return order_like(new, old)


def _kinds(tree: Any) -> Any:
    """What two trees of arrays must have in common, apart from how axes are stored."""
    leaves, treedef = jax.tree_util.tree_flatten(tree, is_leaf=is_named)
    # In the structure of the tree a named array counts as a leaf, so only its shapes are compared.
    return treedef, [
        (jnp.result_type(leaf.data_array), leaf.positional_shape, leaf.named_shape)
        if isinstance(leaf, NamedArray)
        else (jnp.result_type(leaf), np.shape(leaf), {})
        for leaf in leaves
    ]


def _stored_like(new: Any, old: Any) -> Any:
    """`new`, stored as `old` where they have the same axes, so that nothing is compiled again."""
    return order_like(new, old) if _kinds(new) == _kinds(old) else new


def _is(old: Any, new: Any) -> bool:
    """Whether a value was left alone."""
    olds, old_def = jax.tree_util.tree_flatten(old)
    news, new_def = jax.tree_util.tree_flatten(new)
    return old_def == new_def and all(a is b for a, b in zip(olds, news, strict=True))


def _value_of(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, AbstractVariable) else leaf


def _is_data(leaf: Any) -> bool:
    return isinstance(leaf, AbstractVariable | jax.Array | np.ndarray)


def _is_traced(leaf: Any) -> bool:
    return any(isinstance(x, Tracer) for x in jax.tree_util.tree_leaves(_value_of(leaf)))


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _plain_key(key: Any) -> Any:
    return key.idx if hasattr(key, "idx") else key.key
