"""Which nodes of a tree a selector means: functions of path and node, for `take_out`."""

import itertools
from collections.abc import Callable, Collection, Iterable
from typing import Any

import jax
import numpy as np

from modeldata import _repr
from modeldata._tree import KeyPath, flatten_one_level, rebuild, walk
from modeldata.named import NamedArray

Wanted = Callable[[KeyPath, Any], bool]
_ARRAYS = (jax.Array, np.ndarray, NamedArray)


def paths_wanted(paths: Iterable[KeyPath]) -> Wanted:
    """Returns a test for membership in a set of paths."""
    wanted = frozenset(paths)
    return lambda path, _: path in wanted


def innermost_paths(tree: Any, is_wanted: Wanted) -> list[KeyPath]:
    """Returns the paths of wanted nodes that have no wanted node below them.

    Args:
        tree: A tree.
        is_wanted: Takes a path and the node there. It is called once for each node.
    """
    matches: list[KeyPath] = []

    def visit(path: KeyPath, node: Any) -> bool:
        if is_wanted(path, node):
            matches.append(path)
        return False

    walk(tree, visit)
    # Nodes are visited from the root down, so what lies below a match follows right behind it.
    return [
        path
        for path, after in itertools.zip_longest(matches, matches[1:])
        if after is None or after[: len(path)] != path
    ]


def checked_filter(filter_fn: Callable[..., Any], *, with_keypath: bool, base: KeyPath) -> Wanted:
    """Wraps a filter of the user's so that it takes path and node, and must return a bool.

    Args:
        filter_fn: Takes a node, or a path and a node.
        with_keypath: Whether it takes the path.
        base: What to put in front of the path.
    """

    def is_wanted(path: KeyPath, node: Any) -> bool:
        verdict = filter_fn((*base, *path), node) if with_keypath else filter_fn(node)
        if not isinstance(verdict, (bool, np.bool_)):
            raise TypeError(
                f"Expected the filter to return True or False, but at "
                f"`{jax.tree_util.keystr((*base, *path)) or 'the root'}` it returned "
                f"{_repr.brief(verdict)}. Wrap the result in `bool(...)` if that is what is meant."
            )
        return bool(verdict)

    return is_wanted


def equals(template: Any) -> Wanted:
    """Returns a test for nodes that are equal to a template.

    Args:
        template: Any object but an array.

    Raises:
        ValueError: If it is an array.
    """
    if isinstance(template, _ARRAYS):
        raise ValueError(  # noqa: TRY004  # objects of most types will do
            f"Expected a template that `==` compares as a whole, got the array "
            f"{_repr.brief(template)}. Use `at_subtrees_where` with a test of your own."
        )

    def is_wanted(_: KeyPath, node: Any) -> bool:
        if isinstance(node, _ARRAYS):
            return False
        try:
            return bool(node == template)
        except (TypeError, ValueError):  # what cannot be compared is not equal
            return False

    return is_wanted


def is_childless(_: KeyPath, node: Any) -> bool:
    """Returns whether a node is a leaf, or a container with nothing in it."""
    children = flatten_one_level(node)
    return children is None or not children[0]


class _Token:
    """Stands for a leaf in the tree that an accessor sees, so that places can be told apart."""

    def __init__(self, tree: Any, number: int) -> None:
        self._tree = tree
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        leaves = jax.tree_util.tree_leaves_with_path(self._tree, is_leaf=_is_shareable)
        path, leaf = leaves[self._number]
        raise AttributeError(
            f"Expected `at` to stay in the pytree, but it asked for `.{name}` of "
            f"`{jax.tree_util.keystr(path)}`, a leaf ({_repr.brief(leaf)}). Select the leaf, and "
            "change what is in it with `apply`."
        )


def accessed_paths(
    tree: Any, accessor: Callable[[Any], Any], *, multiple: bool | None
) -> list[KeyPath]:
    """Returns the paths of the nodes that an accessor picks out of a tree.

    The accessor gets a copy of the tree in which no object occurs twice, so that what it returns
    can be found by identity: leaves are replaced, and empty containers, which Python may share.

    Args:
        tree: A tree.
        accessor: Takes the copy, and returns one of its nodes or a collection of nodes.
        multiple: Whether it returns a collection; None to look.

    Raises:
        ValueError: If something it returns is no node of the tree.
    """
    treedef = jax.tree_util.tree_structure(tree, is_leaf=_is_shareable)
    copy = rebuild(treedef, (_Token(tree, number) for number in range(treedef.num_leaves)))
    result = accessor(copy)
    if multiple is None:
        multiple = _is_collection(result) and not _paths_by_id(copy, [result])
    targets = _members(result) if multiple else [result]
    paths = _paths_by_id(copy, targets)
    for target in targets:
        if id(target) not in paths:
            raise ValueError(
                "Expected the accessor function of `at` to return nodes of its argument, but "
                f"{_repr.brief(target)} is a value that was not found in the tree! Return parts of "
                "the tree itself, not copies, static fields, or what is inside of leaves."
            )
    return list(paths.values())


def _is_shareable(node: Any) -> bool:
    return node is None or (isinstance(node, (tuple, list, dict)) and not node)


def _is_collection(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, dict))


def _members(result: Any) -> list[Any]:
    if isinstance(result, dict):
        return list(result.values())
    if isinstance(result, Collection) or hasattr(result, "__iter__"):
        return list(result)
    raise ValueError(
        f"Expected the accessor function of `at` to return a collection of nodes, because of "
        f"`multiple=True`, got {_repr.brief(result)}. Return a list, or drop `multiple=True`."
    )


def _paths_by_id(tree: Any, targets: Iterable[Any]) -> dict[int, KeyPath]:
    wanted = {id(target) for target in targets}
    found: dict[int, KeyPath] = {}

    def visit(path: KeyPath, node: Any) -> bool:
        if id(node) in wanted:
            found[id(node)] = path
        return len(found) == len(wanted)  # then there is no need to look any deeper

    walk(tree, visit)
    return found
