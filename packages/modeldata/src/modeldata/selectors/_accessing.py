"""Finding the nodes that an accessor function picks by plain attribute access and indexing.

The accessor gets a copy of the tree in which no object occurs twice, so that what it returns can be
found by identity: leaves are replaced, and empty containers, which Python may share.
"""

from collections.abc import Callable, Collection
from typing import Any

import jax

from modeldata import _repr
from modeldata._node_kinds import is_struct, kind_of
from modeldata.selectors._searching import search
from modeldata.selectors._trail import Place, Trail


def accessed_places(
    trail: Trail, start: Place, accessor: Callable[[Any], Any], *, multiple: bool | None
) -> list[Place]:
    """Returns the places of the nodes that an accessor picks.

    Args:
        trail: The containers known so far, to which this adds.
        start: The place of the node to give to the accessor.
        accessor: Takes a copy, and returns one of its nodes or a collection of nodes.
        multiple: Whether it returns a collection; None to look.

    Raises:
        ValueError: If something it returns is no node of the tree.
    """
    copy, place_of = _copy(trail, start)
    result = accessor(copy)
    if multiple is None:
        multiple = id(result) not in place_of and _is_collection(result)
    targets = _members(result) if multiple else [result]
    for target in targets:
        if id(target) not in place_of:
            raise ValueError(
                "Expected the accessor function of `at` to return nodes of its argument, but "
                f"{_repr.brief(target)} is a value that was not found in the tree! Return parts of "
                "the tree itself, not copies, static fields, or what is inside of leaves."
            )
    return trail.outermost(place_of[id(target)] for target in targets)


class _Token:
    """Stands for a leaf in the tree that an accessor sees, so that places can be told apart."""

    def __init__(self, trail: Trail, place: Place) -> None:
        self._trail = trail
        self._place = place

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        [path] = self._trail.keys_to([self._place])
        leaf = self._trail.node_at(self._place)
        raise AttributeError(
            f"Expected `at` to stay in the pytree, but it asked for `.{name}` of "
            f"`{jax.tree_util.keystr(path)}`, a leaf ({_repr.brief(leaf)}). Select the leaf, and "
            "change what is in it with `apply`."
        )


def _copy(trail: Trail, start: Place) -> tuple[Any, dict[int, Place]]:
    """Copies a node; returns also the place of each node of the copy by its `id`."""
    first = len(trail.levels)
    # Every node is asked, because types that cannot be wanted are not looked into.
    search(trail, [start], lambda _: False)
    copies: dict[Place, Any] = {}
    for number in range(len(trail.levels) - 1, first - 1, -1):
        node, children, parent, position, kind = trail.levels[number]
        copied = []
        for place in ((number, index) for index in range(len(children))):
            if place not in copies:
                copies[place] = _stand_in(trail, place)
            copied.append(copies[place])
        copies[parent, position] = kind.with_children(node, copied)
    if start not in copies:
        copies[start] = _stand_in(trail, start)
    return copies[start], {id(copy): place for place, copy in copies.items()}


def _stand_in(trail: Trail, place: Place) -> Any:
    """Returns what an accessor sees in place of a node without children."""
    node = trail.node_at(place)
    kind = kind_of(node)
    if kind is not None and is_struct(node):
        return kind.with_children(node, [])
    return _Token(trail, place)


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
