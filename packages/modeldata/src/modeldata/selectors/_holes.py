"""Trees with holes: what is left of a tree when the selected nodes are taken out.

The tree may have holes already, if it is part of another selection. Those are wrapped in quotes, so
that they are not taken for ours; selections of selections work to any depth.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jax

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata._tree import KeyPath, rebuild, walk

Found = OrderedDict[KeyPath, Any]


@pytree_dataclass
class SelectionHole(Struct):
    """Stands for a selected node.

    Attributes:
        path: The path of the node in the whole tree.
    """

    path: KeyPath = static_field()


@pytree_dataclass
class SelectionQuote(Struct):
    """Stands for a hole, or a quote, that was in the tree before anything was selected.

    Attributes:
        quoted: What it stands for.
    """

    quoted: Any


_STAND_INS = (SelectionHole, SelectionQuote)


def take_out(
    tree: Any, path: KeyPath, is_wanted: Callable[[KeyPath, Any], bool]
) -> tuple[Found, Any]:
    """Takes the wanted nodes out of a tree, the outermost where they nest.

    Args:
        tree: A tree.
        path: Where it is in the whole tree.
        is_wanted: Takes a path relative to `tree`, and the node there.

    Returns:
        The nodes by their paths in the whole tree, and the tree with holes.
    """
    taken: dict[KeyPath, Any] = {}

    def is_stop(relative: KeyPath, node: Any) -> bool:
        if is_wanted(relative, node):
            taken[relative] = node
            return True
        return isinstance(node, _STAND_INS)

    stops, treedef = walk(tree, is_stop)
    leaves = []
    for relative, node in stops:
        if relative in taken:
            leaves.append(SelectionHole((*path, *relative)))
        else:
            leaves.append(SelectionQuote(node) if isinstance(node, _STAND_INS) else node)
    found = OrderedDict(((*path, *relative), node) for relative, node in taken.items())
    return found, rebuild(treedef, leaves)


def fill(remainder: Any, values: Mapping[KeyPath, Any]) -> Any:
    """Puts values into all holes and takes the quotes off, which gives a whole tree again.

    Args:
        remainder: A tree with holes.
        values: A value for each hole, by its path.
    """
    return _replace_holes(remainder, lambda hole: values[hole.path], lambda quote: quote.quoted)


def refill(remainder: Any, values: Mapping[KeyPath, Any]) -> Any:
    """Puts other trees with holes into all holes, which gives a tree with smaller holes.

    Args:
        remainder: A tree with holes.
        values: A tree with holes for each hole, by its path.
    """
    return _replace_holes(remainder, lambda hole: values[hole.path], lambda quote: quote)


def move_holes(remainder: Any, path: KeyPath) -> Any:
    """Changes the paths of all holes, for a tree that becomes part of a larger one.

    Args:
        remainder: A tree with holes.
        path: Where it is in the larger tree.
    """
    return _replace_holes(
        remainder, lambda hole: SelectionHole((*path, *hole.path)), lambda quote: quote
    )


def exchange(remainder: Any, selected: Mapping[KeyPath, Any]) -> tuple[Found, Any]:
    """Takes out what is left, in pieces as large as possible, and puts back what was taken out.

    Args:
        remainder: A tree with holes.
        selected: The node that belongs into each hole, by its path.

    Returns:
        The pieces by their paths, and the tree with holes in their places.
    """
    above = {path[:depth] for path in selected for depth in range(len(path))}
    pieces, inverse = take_out(
        remainder, (), lambda path, _: path not in above and path not in selected
    )
    # The holes of the old remainder are quotes of holes in the new one.
    filled = _replace_holes(
        inverse, lambda hole: hole, lambda quote: _quoted(selected[quote.quoted.path])
    )
    return OrderedDict((path, fill(piece, {})) for path, piece in pieces.items()), filled


def _quoted(tree: Any) -> Any:
    """Returns a tree in which nothing is selected, ready to be put into a tree with holes."""
    return take_out(tree, (), lambda *_: False)[1]


def _replace_holes(
    remainder: Any,
    at_hole: Callable[[SelectionHole], Any],
    at_quote: Callable[[SelectionQuote], Any],
) -> Any:
    if isinstance(remainder, SelectionHole):  # the root is selected; this case is frequent
        return at_hole(remainder)
    stops, treedef = jax.tree_util.tree_flatten(
        remainder, is_leaf=lambda node: isinstance(node, _STAND_INS)
    )

    def replaced(node: Any) -> Any:
        if isinstance(node, SelectionHole):
            return at_hole(node)
        return at_quote(node) if isinstance(node, SelectionQuote) else node

    return rebuild(treedef, map(replaced, stops))
