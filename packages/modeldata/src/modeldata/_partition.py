"""Splitting a tree into parts that have the same shape, and putting the parts together."""

from collections.abc import Sequence
from typing import Any

import jax

from modeldata import _repr
from modeldata._node_kinds import NodeKind, kind_of
from modeldata._struct import Struct, pytree_dataclass
from modeldata._tree import KeyPath


@pytree_dataclass
class NotInThisPartition(Struct):
    """Stands in one part of a tree for what is in another part. It has no leaves."""


def combine(*trees: Any) -> Any:
    """Puts together the parts into which `Selection.partition` split a tree.

    Args:
        *trees: Trees of the same structure, except that in each of them `NotInThisPartition` may
            stand for any subtree. Where several trees have a leaf, it must be the same object.

    Returns:
        The tree with all the parts; `NotInThisPartition` stays where no tree has anything.

    Raises:
        ValueError: If the trees have different nodes or leaves in one place.
    """
    return _combine((), trees)


def _combine(path: KeyPath, trees: Sequence[Any]) -> Any:
    present = [tree for tree in trees if not isinstance(tree, NotInThisPartition)]
    if not present:
        return NotInThisPartition()
    first = present[0]
    if all(tree is first for tree in present):
        return first
    kind = kind_of(first)
    if kind is None or not all(_differ_in_children_alone(kind, first, tree) for tree in present):
        raise ValueError(_conflict(path, present))
    rows = zip(*map(kind.children_of, present), strict=True)
    keyed = zip(kind.keys_of(first), rows, strict=True)
    return kind.with_children(first, [_combine((*path, key), row) for key, row in keyed])


def _differ_in_children_alone(kind: NodeKind, first: Any, other: Any) -> bool:
    return type(other) is type(first) and kind.statics_of(other) == kind.statics_of(first)


def _conflict(path: KeyPath, present: Sequence[Any]) -> str:
    place = f"`tree{jax.tree_util.keystr(path)}`"
    other = next((tree for tree in present if tree is not present[0]), present[0])
    return (
        f"Expected parts that do not overlap, but two trees have something at {place}: "
        f"{_repr.brief(present[0])} and {_repr.brief(other)}. Put `NotInThisPartition()` in all "
        "but one of them."
    )
