"""Replacing elements of lists and tuples by any number of others."""

from collections.abc import Iterable, Mapping
from typing import Any

import jax

from modeldata._tree import KeyPath, is_function, rebuild, walk
from modeldata.selectors._holes import SelectionHole, SelectionQuote


class Inserted:
    """Marks a value that an edit inserts, so that it can be found afterwards; a leaf to JAX."""

    def __init__(self, value: Any) -> None:
        self.value = value


def check_inlinable(remainder: Any, selected: Mapping[KeyPath, Any]) -> None:
    """Refuses a selection whose nodes are not all elements of lists or tuples.

    Args:
        remainder: The tree with holes.
        selected: The selected nodes by path.

    Raises:
        ValueError: If one of the nodes is something else.
    """
    parents: dict[KeyPath, Any] = {}

    def visit(path: KeyPath, node: Any) -> bool:
        parents[path] = node
        return isinstance(node, (SelectionHole, SelectionQuote))

    walk(remainder, visit)
    for path, node in selected.items():
        if not path:
            raise ValueError(
                "Expected elements of a list or tuple to replace by several others, but the whole "
                f"tree is selected. Select elements first, as with `at_children()`.{_hint(node)}"
            )
        parent = parents[path[:-1]]
        if type(parent) not in (list, tuple):
            raise ValueError(
                "Expected elements of a list or tuple to replace by several others, but "
                f"`{jax.tree_util.keystr(path)}` is a child of a {type(parent).__name__}. Use "
                f"`apply` or `set` to put one node in its place.{_hint(node)}"
            )


def inline(remainder: Any, values: Mapping[KeyPath, Iterable[Any]]) -> Any:
    """Puts any number of values into the place of each hole, and takes the quotes off.

    Args:
        remainder: A tree with holes, all of them elements of lists or tuples.
        values: The values for each hole, by its path.
    """
    stops, treedef = walk(remainder, lambda _, node: _has_holes(node))

    def replaced(node: Any) -> Any:
        if isinstance(node, SelectionQuote):
            return node.quoted
        if not _has_holes(node):
            return node
        result = []
        for item in node:
            if isinstance(item, SelectionHole):
                result.extend(values[item.path])
            else:
                result.append(inline(item, values))
        return type(node)(result)

    return rebuild(treedef, (replaced(node) for _, node in stops))


def _has_holes(node: Any) -> bool:
    if isinstance(node, SelectionQuote):
        return True
    return type(node) in (list, tuple) and any(isinstance(item, SelectionHole) for item in node)


def _hint(node: Any) -> str:
    if not callable(node) or is_function(node):
        return ""
    return (
        f" To run something before or after this {type(node).__name__}, wrap it: "
        "`.apply(lambda layer: nn.Sequential([layer, other]))`."
    )
