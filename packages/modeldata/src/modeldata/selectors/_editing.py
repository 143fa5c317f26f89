"""Replacing elements of lists and tuples by any number of others."""

from collections.abc import Iterable, Mapping
from typing import Any

import jax

from modeldata._tree import KeyPath, is_function, rebuild
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
    listed: set[KeyPath] = set()
    _gather_listed(remainder, listed)
    for path, node in selected.items():
        if path not in listed:
            place = f"`{jax.tree_util.keystr(path)}` is not in one" if path else "this is the root"
            raise ValueError(
                "Expected elements of a list or tuple to replace by several others, but "
                f"{place}. Select such elements, or use `apply` or `set` to put one node in the "
                f"place of another.{_hint(node)}"
            )


def _gather_listed(remainder: Any, listed: set[KeyPath]) -> None:
    """Adds the paths of all holes that are elements of lists or tuples."""
    for node in jax.tree_util.tree_leaves(remainder, is_leaf=_has_holes):
        if _has_holes(node) and not isinstance(node, SelectionQuote):
            for item in node:
                if isinstance(item, SelectionHole):
                    listed.add(item.path)
                else:
                    _gather_listed(item, listed)


def inline(remainder: Any, values: Mapping[KeyPath, Iterable[Any]]) -> Any:
    """Puts any number of values into the place of each hole, and takes the quotes off.

    Args:
        remainder: A tree with holes, all of them elements of lists or tuples.
        values: The values for each hole, by its path.
    """
    stops, treedef = jax.tree_util.tree_flatten(remainder, is_leaf=_has_holes)

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

    return rebuild(treedef, map(replaced, stops))


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
