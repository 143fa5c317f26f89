"""Layers that run others in order."""

from collections.abc import Callable
from typing import Any, final

import jax

from modeldata import _repr
from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.nn._arguments import require_layers
from modeldata.nn._layer import Layer, locating
from modeldata.shapecheck import StructureAnnotation, check_structure

Filter = Callable[[Any], bool]


@pytree_dataclass
class Sequential(Layer):
    """Runs its sublayers in order, each on the output of the one before.

    Subclass it to name a part of a model: the subclass says how to build the sublayers (by
    convention in a class method `from_config`), and runs as they say.

    Attributes:
        sublayers: The layers; none for the identity.
    """

    sublayers: list[Any]

    def __post_init__(self) -> None:
        require_layers(self, self.sublayers, "sublayers")

    @final
    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        return _run_in_order(self, argument, side_inputs)


@final
@pytree_dataclass
class NamedGroup(Layer):
    """Runs its sublayers in order, as `Sequential` does, under a name.

    Attributes:
        name: What the group is called, in displays and in profiles.
        sublayers: The layers.
    """

    name: str = static_field()
    sublayers: list[Any]

    def __post_init__(self) -> None:
        require_layers(self, self.sublayers, "sublayers")

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Runs the sublayers in order."""
        with jax.named_scope(self.name):
            return _run_in_order(self, argument, side_inputs)


@pytree_dataclass
class CheckedSequential(Layer):
    """Runs its sublayers in order, and checks what comes in and what goes out.

    A variable has the same value in both patterns. Patterns belong to the structure of the model,
    so they are hashable: an `ArraySpec`, or a tuple of some.

    Attributes:
        input_like: The pattern of the input; see `modeldata.shapecheck`.
        output_like: The pattern of the output.
        sublayers: The layers; none for the identity.
    """

    input_like: StructureAnnotation = static_field(always_collapse=True)
    output_like: StructureAnnotation = static_field(always_collapse=True)
    sublayers: list[Any]

    def __post_init__(self) -> None:
        require_layers(self, self.sublayers, "sublayers")

    @final
    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Runs the sublayers in order.

        Raises:
            StructureMismatchError: If the input or the output does not match its pattern.
        """
        name = type(self).__name__
        known = check_structure(
            argument, self.input_like, error_prefix=f"While checking the input of a `{name}`:"
        )
        result = _run_in_order(self, argument, side_inputs)
        check_structure(
            result,
            self.output_like,
            known_vars=known,
            error_prefix=f"While checking the output of a `{name}`, given its input:",
        )
        return result


@pytree_dataclass
class Identity(Layer):
    """Returns its input."""

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the input."""
        del side_inputs
        return argument


def is_sequential_or_named(value: Any) -> bool:
    """Returns whether a value runs a list `sublayers` in order, and at most checks them."""
    return isinstance(value, Sequential | CheckedSequential | NamedGroup)


def is_anonymous_sequential(value: Any) -> bool:
    """Returns whether a value is a `Sequential`, but not of a subclass."""
    return type(value) is Sequential


def inline_groups(tree: Any, parent_filter: Filter, child_filter: Filter) -> Any:
    """Moves the sublayers of groups into the groups that directly hold these.

    Works from the inside out, so that chains of groups are flattened as well.

    Args:
        tree: Any pytree with layers.
        parent_filter: Says of a group whether others may be flattened into it.
        child_filter: Says of a group inside such a group whether it is flattened.

    Returns:
        The tree with the same layers in fewer groups.
    """

    def visit(node: Any) -> Any:
        node = jax.tree_util.tree_map(visit, node, is_leaf=lambda child: child is not node)
        if not (is_sequential_or_named(node) and parent_filter(node)):
            return node
        sublayers: list[Any] = []
        for child in node.sublayers:
            inlined = is_sequential_or_named(child) and child_filter(child)
            sublayers.extend(child.sublayers if inlined else [child])
        return node.replace(sublayers=sublayers)

    # The outer list makes the root a child like any other.
    return visit([tree])[0]


def inline_anonymous_sequentials(tree: Any) -> Any:
    """Moves the layers of every plain `Sequential` into the group that directly holds it.

    Args:
        tree: Any pytree with layers. Named groups and subclasses of `Sequential` stay.
    """
    return inline_groups(tree, parent_filter=lambda _: True, child_filter=is_anonymous_sequential)


def _run_in_order(
    group: Sequential | NamedGroup | CheckedSequential, argument: Any, side_inputs: dict[str, Any]
) -> Any:
    with locating(group):
        for index, layer in enumerate(group.sublayers):
            with jax.named_scope(str(index)):
                argument = _call(layer, index, argument, side_inputs)
    return argument


def _call(layer: Any, index: int, argument: Any, side_inputs: dict[str, Any]) -> Any:
    try:
        return layer(argument, **side_inputs)
    except TypeError as error:
        if not isinstance(layer, Struct):
            error.add_note(
                f"`sublayers[{index}]` is no layer, but {_repr.brief(layer)}. Wrap a function of "
                "arrays in `nn.Elementwise`, or write a `Layer` for it."
            )
        raise
