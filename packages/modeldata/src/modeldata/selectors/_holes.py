"""The form of a selection that JAX sees: selected nodes, and a tree with holes in their places.

The tree may have holes already, if it is part of another selection. Those are wrapped in quotes, so
that they are not taken for ours; selections of selections work to any depth.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from modeldata._node_kinds import kind_of
from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata._tree import KeyPath, path_text
from modeldata.selectors._searching import TypeRule, search
from modeldata.selectors._trail import ROOT, Place, Trail

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


def with_holes(trail: Trail, places: list[Place]) -> Any:
    """Returns a tree with a hole at each selected place, and quotes for the holes it had before.

    Args:
        trail: The trail of the tree.
        places: The selected places.
    """
    trail = trail.copy()
    quoted = _stand_ins(trail, trail.others(places))
    values = [
        *map(SelectionHole, trail.keys_to(places)),
        *(SelectionQuote(trail.node_at(place)) for place in quoted),
    ]
    return trail.root_with([*places, *quoted], values)


def without_holes(remainder: Any, selected: Mapping[KeyPath, Any]) -> tuple[Trail, list[Place]]:
    """Puts the selected nodes into the holes, and takes the quotes off.

    Args:
        remainder: A tree with holes.
        selected: A node for each hole, by its path.

    Returns:
        The trail of the tree, and the place of each selected node in the order of `selected`.

    Raises:
        ValueError: If there is not a hole for each node and a node for each hole.
    """
    trail = Trail(remainder)
    places = _stand_ins(trail, [ROOT])
    stand_ins = [trail.node_at(place) for place in places]
    place_of = {
        stand_in.path: place
        for stand_in, place in zip(stand_ins, places, strict=True)
        if isinstance(stand_in, SelectionHole)
    }
    if place_of.keys() != selected.keys():
        holes, nodes = (", ".join(map(path_text, paths)) for paths in (place_of, selected))
        raise ValueError(
            f"Expected a hole in the remainder for each selected node, got holes at "
            f"{holes or 'no place'}, and nodes for {nodes or 'no place'}. Make selections with "
            "`select`."
        )
    values = [
        selected[stand_in.path] if isinstance(stand_in, SelectionHole) else stand_in.quoted
        for stand_in in stand_ins
    ]
    return trail.replaced(places, values), [place_of[path] for path in selected]


def _stand_ins(trail: Trail, starts: list[Place]) -> list[Place]:
    def rule_for(node: Any) -> TypeRule:
        return (True, None) if isinstance(node, _STAND_INS) else (False, kind_of(node))

    return search(trail, starts, lambda _: False, rule_for)
