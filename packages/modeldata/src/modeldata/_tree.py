"""Small helpers for pytrees and for the paths that lead to their nodes."""

from collections.abc import Iterable
from typing import Any

import jax

KeyPath = tuple[Any, ...]


def flatten_one_level(tree: Any) -> tuple[list[tuple[Any, Any]], Any] | None:
    """Takes a node of a pytree apart, but not its children.

    Args:
        tree: Any object.

    Returns:
        The children with their keys, and the structure that puts children together again; None if
        the object is a leaf. Nodes without children, such as None and `()`, are not leaves.
    """
    children, treedef = jax.tree_util.tree_flatten_with_path(
        tree, is_leaf=lambda node: node is not tree
    )
    if len(children) == 1 and not children[0][0]:
        return None
    return [(path[0], child) for path, child in children], treedef


def rebuild(treedef: Any, leaves: Iterable[Any]) -> Any:
    """Puts a tree together, any object standing in place of its leaves.

    Args:
        treedef: The structure.
        leaves: What to put in.

    Raises:
        ValueError: If a node of the tree refuses what it is to hold.
    """
    leaves = list(leaves)
    try:
        return jax.tree_util.tree_unflatten(treedef, leaves)
    except Exception as error:
        raise ValueError(
            f"Expected every node to be rebuilt from any children, but one refused: {error} Nodes "
            "that JAX registers with a strict constructor, such as those of "
            "`jax.tree_util.Partial`, can only be selected as a whole, or their leaves one by one."
        ) from error


def is_function(value: object) -> bool:
    """Returns whether a value is a plain function rather than data that can be called.

    A layer can be called, too, but it is a node of a pytree, and so a part of a model.
    """
    return callable(value) and not jax.tree_util.is_tree_node(type(value))


def path_text(path: KeyPath) -> str:
    """Returns a path for an error message."""
    return f"`{jax.tree_util.keystr(path) or '(root)'}`"


def pretty_keystr(keypath: KeyPath, tree: Any) -> str:
    """Returns the path to a node with the types on the way, as in `MLP.sublayers[0]/Affine.bias`.

    Args:
        keypath: The path, as JAX gives it.
        tree: The tree in which it starts.

    Raises:
        ValueError: If the path does not lead to a node of the tree.
    """
    pieces: list[str] = []
    node = tree
    for depth, key in enumerate(keypath):
        children = flatten_one_level(node)
        match = [child for found, child in (children or ([], None))[0] if found == key]
        if not match:
            raise ValueError(
                f"Expected a path that leads to a node, but `{jax.tree_util.keystr(keypath)}` ends "
                f"at `{jax.tree_util.keystr(keypath[:depth])}`, a {type(node).__name__} without "
                f"child `{key}`. Take paths from the same tree."
            )
        if not isinstance(key, (jax.tree_util.SequenceKey, jax.tree_util.DictKey)):
            pieces.append(f"/{type(node).__name__}")
        pieces.append(jax.tree_util.keystr((key,)))
        node = match[0]
    return "".join(pieces).removeprefix("/")
