"""`Selection`: some nodes of a tree, and the rest of it."""

from typing import Any, final

from modeldata._struct import pytree_dataclass
from modeldata.selectors._editing import Editing
from modeldata.selectors._holes import Found


@final
@pytree_dataclass
class Selection(Editing):
    """Some nodes of a tree, none of them inside another, and the rest of the tree.

    A selection is a pytree itself, and so is `selected_by_path`; transformations and `jax.tree.map`
    may change what is selected. Methods that read or edit the selected nodes take `expect=n` to
    insist on a count, because an edit that silently reaches nothing, or too much, is the most
    common mistake.

    No method changes the tree. Trees that edits return share with it what they did not change.

    Attributes:
        selected_by_path: The selected nodes by their key paths, in the order of the tree.
        remainder: The tree with a `SelectionHole` in the place of each selected node.
    """

    selected_by_path: Found
    remainder: Any


def select(tree: Any) -> Selection:
    """Selects a whole tree, as the first step to select parts of it.

    Args:
        tree: Any pytree.
    """
    return Selection._of_tree(tree)  # noqa: SLF001  # of this package
