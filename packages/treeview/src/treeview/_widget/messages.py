"""What a live tree tells its views: the payload of a part, and what is to be known of its lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from treeview._cells import CellData
from treeview._document import ATOM_TYPES, Branch, Node, Picture
from treeview._page import figure_templates
from treeview._payload import Payload
from treeview._widget.changes import Mark
from treeview._widget.lazy import Part
from treeview._widget.tree import LiveTree

# How many bytes the values of the pictures in a message may take.
_MOST_BYTES = 200_000


def part_message(tree: LiveTree, part: Part) -> dict[str, Any]:
    """What a view needs to show a part.

    Args:
        tree: The tree.
        part: One of its parts.
    """
    node = tree.document
    if part.parent is not None and part.parent.branch is not None:
        node = part.parent.branch.values[part.position]
    payload = Payload(node, {})
    header = _Header(tree.marks, {id(one.branch): one for one in part.inside()})
    header.read(node, part)
    text = payload.text(
        width=tree.width,
        stretch=tree.options.max_lines,
        all=False,
        root="",
        opened=header.opened,
        places=header.places,
        **({} if tree.options.totals else {"totals": []}),
        before=header.before,
        marks=header.marked,
    )
    views = payload.views.items()
    cells = CellData(_MOST_BYTES)
    cells.add({at: view for at, view in views if isinstance(view, Picture) and view.grids})
    figures = figure_templates(payload.views) + cells.element(name="tv-cells")
    return {"payload": text, "figures": figures, "version": tree.version}


class _Header:
    """What a message says about lines of a payload, by their number."""

    def __init__(
        self,
        marks: Mapping[tuple[int, int], Mark],
        parts: Mapping[int, Part],
    ) -> None:
        self.places: list[int] = []
        self.opened: list[int] = []
        self.before: list[int] = []
        self.marked: list[int | str] = []
        self._marks = marks
        self._marked_parts = {number for number, _ in marks}
        self._parts = parts
        self._line = 0

    def read(self, root: Node, target: Part) -> None:
        """Goes through the nodes in the order of the payload."""
        owner, position = target.number, -1
        if target.parent is not None and type(root) is not Branch:
            owner, position = target.parent.number, target.position
        elif type(root) is not Branch:
            self.places += (0, target.number)
        stack: list[tuple[int, Iterator[tuple[int, Node]]]] = [(owner, iter([(position, root)]))]
        while stack:
            owner, children = stack[-1]
            found = next(children, None)
            if found is None:
                stack.pop()
                continue
            position, node = found
            if type(node) is not Branch:
                self._mark((owner, position))
                self._line += 1
                continue
            number = self._branch(node)
            self._mark((number, -1) if number >= 0 else (owner, position))
            self._line += 1
            if number in self._marked_parts or not set(map(type, node.values)) <= ATOM_TYPES:
                stack.append((number, iter(enumerate(node.values))))
            else:
                self._line += len(node.values)

    def _branch(self, branch: Branch) -> int:
        part = self._parts.get(id(branch))
        if part is None:  # what a drawn array holds
            self.opened += (self._line, len(branch.values))
            return -2
        self.places += (self._line, part.number)
        if part.opened and part.view:
            self.opened += (self._line, min(part.view, len(branch.values)))
        if part.start:
            self.before += (self._line, part.start)
        return part.number

    def _mark(self, address: tuple[int, int]) -> None:
        mark = self._marks.get(address)
        if mark is not None:
            self.marked += (self._line, mark.kind, mark.text)
