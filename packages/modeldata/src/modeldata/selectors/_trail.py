"""Finding nodes of a tree, and rebuilding what is above them.

A `Trail` keeps every container that a search went through, with the way back to the root. A node is
known by its *place*: the number of the container that holds it, and its position in there. So a
search makes no key paths and no copies, and an edit rebuilds the containers above the edited nodes
and nothing else. Key paths are worked out when somebody asks for them.

A container has a higher number than the one that holds it. This is the order in which paths are
known, and backwards the order in which containers can be rebuilt.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from modeldata._node_kinds import NodeKind
from modeldata._tree import KeyPath, path_text

Place = tuple[int, int]
"""Number of a container, and the position of a child."""

ROOT: Place = (-1, 0)
"""The place of the root, which no container holds."""


Level = tuple[Any, Sequence[Any], int, int, NodeKind]
"""A container that a search went through, its children, its place, and its kind."""


class Several(list[Any]):
    """What to put in place of one element of a list or tuple: any number of elements."""


class Trail:
    """The containers that searches of one tree went through.

    Attributes:
        root: The tree.
        levels: The containers by their numbers.
    """

    __slots__ = ("levels", "root")

    def __init__(self, root: Any, levels: Iterable[Level] = ()) -> None:
        self.root = root
        self.levels: list[Level] = list(levels)

    def copy(self) -> Self:
        """Returns a trail that can be made longer without changing this one."""
        return type(self)(self.root, self.levels)

    def node_at(self, place: Place) -> Any:
        """Returns the node at a place."""
        number, position = place
        return self.root if number < 0 else self.levels[number][1][position]

    def graft(self, place: Place, trail: "Trail", places: Iterable[Place]) -> list[Place]:
        """Takes over the containers of another trail, whose root is at a place of this one.

        Args:
            place: Where the root of the other trail is in this one.
            trail: The other trail.
            places: Places in the other trail.

        Returns:
            The same places in this one.
        """
        first = len(self.levels)
        for node, children, parent, position, kind in trail.levels:
            way = place if parent < 0 else (parent + first, position)
            self.levels.append((node, children, *way, kind))
        return [(p[0] + first, p[1]) if p[0] >= 0 else place for p in places]

    def keys_to(self, places: Iterable[Place]) -> list[KeyPath]:
        """Returns the key path of each place."""
        paths: dict[int, KeyPath] = {-1: ()}
        keys: dict[int, Sequence[Any]] = {}

        def path_to(number: int, position: int) -> KeyPath:
            return (*paths[number], keys[number][position]) if number >= 0 else ()

        places = list(places)
        for number in sorted(self.above(places)):
            node, _, *way, kind = self.levels[number]
            paths[number] = path_to(*way)
            keys[number] = kind.keys_of(node)
        return [path_to(*place) for place in places]

    def place_of(self, number: int) -> Place:
        """Returns the place of a container."""
        return self.levels[number][2:4]

    def above(self, places: Iterable[Place]) -> set[int]:
        """Returns the numbers of all containers that hold some of the places, at any depth."""
        found: set[int] = set()
        for number, _ in places:
            while number >= 0 and number not in found:
                found.add(number)
                number = self.levels[number][2]  # noqa: PLW2901  # walks up
        return found

    def refuse_cycle(self, number: int) -> None:
        """Refuses a container that contains itself, and so has no end.

        Args:
            number: The number of a container far down in the tree.

        Raises:
            ValueError: If a container holds itself on the way there.
        """
        seen: set[int] = set()
        for above in sorted(self.above([(number, 0)])):
            node = self.levels[above][0]
            if id(node) in seen:
                [path] = self.keys_to([self.place_of(above)])
                raise ValueError(
                    f"Expected a tree, but the {type(node).__name__} at {path_text(path)} is one "
                    "of those that contain it. Take it out, or put a copy there."
                )
            seen.add(id(node))

    def outermost(self, places: Iterable[Place]) -> list[Place]:
        """Returns the places that are not inside others of them, in the order of the tree."""
        by_way = {tuple(self._positions_to(place)): place for place in places}
        ways = sorted(by_way)
        kept: list[tuple[int, ...]] = []
        for way in ways:
            if not kept or way[: len(kept[-1])] != kept[-1]:
                kept.append(way)
        return [by_way[way] for way in kept]

    def _positions_to(self, place: Place) -> list[int]:
        """Returns the positions of the nodes on the way from the root to a place."""
        number, position = place
        result: list[int] = []
        while number >= 0:
            result.append(position)
            number, position = self.place_of(number)
        return result[::-1]

    def others(self, places: Iterable[Place]) -> list[Place]:
        """Returns the places of the largest subtrees that hold none of some places, in order."""
        places = set(places)
        if ROOT in places:
            return []
        number_at = {self.place_of(number): number for number in self.above(places)}
        if not number_at:
            return [ROOT]
        found: list[Place] = []
        ways = [self._places_in(number_at[ROOT])]
        while ways:
            place = next(ways[-1], None)
            if place is None:
                ways.pop()
            elif place in number_at:
                ways.append(self._places_in(number_at[place]))
            elif place not in places:
                found.append(place)
        return found

    def _places_in(self, number: int) -> Iterator[Place]:
        return ((number, position) for position in range(len(self.levels[number][1])))

    def replaced(self, places: Iterable[Place], values: Iterable[Any]) -> "Trail":
        """Returns the trail of a tree that has other nodes at some places.

        Args:
            places: Places, none inside another.
            values: The node for each of them.

        Raises:
            ValueError: If a container refuses what it is to hold.
        """
        root, changed = self._changes(places, values)
        result = Trail(root, self.levels)
        for number, (node, children) in changed.items():
            result.levels[number] = (node, children, *self.levels[number][2:])
        return result

    def root_with(self, places: Iterable[Place], values: Iterable[Any]) -> Any:
        """Returns the tree with other nodes at some places, as `replaced` does.

        Args:
            places: Places, none inside another.
            values: The node for each of them; or `Several`, for an element of a list or tuple.

        Raises:
            ValueError: If a container refuses what it is to hold.
        """
        return self._changes(places, values)[0]

    def _changes(
        self, places: Iterable[Place], values: Iterable[Any]
    ) -> tuple[Any, dict[int, tuple[Any, list[Any]]]]:
        """Returns the new root, and the new containers and their children by number."""
        levels = self.levels
        root = self.root
        changed: dict[int, list[Any]] = {}
        spliced: set[int] = set()
        for (number, position), value in zip(places, values, strict=True):
            if number < 0:
                root = value
            elif value is not levels[number][1][position]:
                if number not in changed:
                    self._open(number, changed)
                changed[number][position] = value
                if type(value) is Several:
                    spliced.add(number)
        nodes: dict[int, tuple[Any, list[Any]]] = {}
        for number in sorted(changed, reverse=True):
            children = changed[number]
            if number in spliced:
                children = _joined(children)
            old, _, parent, position, kind = levels[number]
            node = kind.with_children(old, children)
            nodes[number] = node, children
            if parent < 0:
                root = node
            else:
                changed[parent][position] = node
        return root, nodes

    def _open(self, number: int, changed: dict[int, list[Any]]) -> None:
        """Makes lists of the children of a container and of those above, to change them."""
        while number >= 0 and number not in changed:
            level = self.levels[number]
            changed[number] = [*level[1]]
            number = level[2]


def _joined(children: list[Any]) -> list[Any]:
    result: list[Any] = []
    for child in children:
        result.extend(child if type(child) is Several else (child,))
    return result
