"""The kernel's side of a live tree: what is shown of an object, and what is behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from treeview._aliases import read_names
from treeview._document import Branch, Foreign, Node, Picture, Reference, Text
from treeview._inline import flat_spans
from treeview._layout import open_counts
from treeview._options import Options
from treeview._paths import Opaque, key_path
from treeview._registry import Registry
from treeview._view import ArraySketch, Sketch
from treeview._widget.changes import Changes, Mark, find_changes
from treeview._widget.lazy import LazyWalk, Part, child_key

PAGE_WIDTH = 100
_FIRST_LINES = 1_000
_ROUNDS = 4
_ALL = 2**31 - 1
_SMALL = 8
_NOT_OBJECTS = frozenset({Sketch, ArraySketch, Text, Branch, Picture, Foreign, Reference})


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the tree: a part itself, or a child of one.

    Attributes:
        part: The part.
        child: Which child of its window; -1 for the part itself.
    """

    part: Part
    child: int = -1

    def address(self) -> list[int]:
        """The place in messages."""
        return [self.part.number, self.child]

    def key(self) -> str:
        """What tells the child from its siblings."""
        return child_key(self.part.step_to(self.child), self.part.start + self.child)

    def path(self) -> str:
        """The path from the root, as Python where there is an expression for it."""
        steps = self.part.steps()
        if self.child >= 0:
            step = self.part.step_to(self.child)
            steps.append(step or Opaque(f"item {self.part.start + self.child}"))
        return key_path(steps)

    def shown(self) -> Any:
        """The object, or what a handler put there instead."""
        if self.child < 0:
            return self.part.value
        return self.part.raw[self.child] if self.child < len(self.part.raw) else None

    def value(self) -> Any:
        """The object; None where a handler put something there that is none."""
        found = self.shown()
        return None if type(found) in _NOT_OBJECTS else found


class LiveTree:
    """What is shown of an object, part by part.

    Args:
        obj: The object.
        options: How to show it.
        page: How many children of a part are visited at a time.
        registry: Who draws what.

    Attributes:
        document: What is shown.
        version: How often that changed.
    """

    def __init__(self, obj: Any, options: Options, page: int, registry: Registry) -> None:
        self.options = options
        self.version = 0
        self.document: Node = None
        self.marks: Mapping[tuple[int, int], Mark] = {}
        self.root = Part(0, value=obj, opened=True)
        self.width = options.width or PAGE_WIDTH
        self._page = page
        self._registry = registry
        self._next = 1
        self._is_walking = False
        self._parts: dict[int, Part] = {}
        self._places: dict[int, Part] = {}
        self._open_first()

    # What is open

    def _open_first(self) -> None:
        """Opens what there is room for, as other outputs do."""
        quick = replace(self.options, statistics=False, autovisualize=False)
        for _ in range(_ROUNDS):
            self._walk(self.root, quick)
            lines = self.options.max_lines or _FIRST_LINES
            counts = open_counts(self.document, width=self.width, max_lines=lines)
            found = [part for part in self.root.inside() if id(part.branch) in counts]
            found = [part for part in found if self._may_open(part)]
            more = [part for part in found if not part.opened]
            for part in found:
                part.opened, part.view = True, counts[id(part.branch)] or 1
                if part.branch is not None and part.view >= len(part.branch.values):
                    part.view = _ALL
            if not more:
                break
        self._walk(self.root, self.options)

    def _may_open(self, part: Part) -> bool:
        depth = self.options.depth
        return depth is None or sum(1 for _ in part.above()) <= depth

    def part(self, number: int) -> Part:
        """The part of some number.

        Raises:
            LookupError: There is none, or no more.
        """
        if number not in self._parts:
            raise LookupError("This part is no longer in the tree. Look at what is there now.")
        return self._parts[number]

    def open(self, part: Part) -> None:
        """Looks at a part as it is now, and at its children."""
        part.opened = True
        self._walk(part, self.options)
        count, stretch = len(part.raw), self.options.max_lines
        if not part.view:
            part.view = _ALL if stretch is None or count <= stretch + 1 else stretch

    def show_more(self, part: Part, *, before: bool) -> None:
        """Widens the window of a part: by as much as it shows, so that it costs what it shows."""
        shown = len(part.raw)
        wider = max(shown, self._page)
        if before:
            start = max(part.start - wider, 0)
            part.count, part.start = shown + part.start - start, start
        else:
            part.count = shown + wider
        part.view = _ALL
        self.open(part)

    def reveal(self, positions: Sequence[int]) -> tuple[Place, Part | None]:
        """Opens what leads to a node.

        Args:
            positions: The way from the root: which child of each branch.

        Returns:
            The place of the node, and the outermost part that had to be looked at again.

        Raises:
            LookupError: There is nothing in that place.
        """
        part, changed = self.root, None
        for depth, position in enumerate(positions):
            if self._lead_to(part, position, is_last=depth + 1 == len(positions)):
                changed = changed or part
            child = position - part.start
            inner = self._inner(part, child)
            if depth + 1 == len(positions):
                if inner is None and not 0 <= child < len(part.raw):
                    break
                return (Place(part, child) if inner is None else Place(inner)), changed
            if inner is None:
                break
            part = inner
        if not positions:
            return Place(self.root), None
        raise LookupError("This part is no longer in the tree. Look at what is there now.")

    def _inner(self, part: Part, child: int) -> Part | None:
        """The part that a child is, or that a child refers to."""
        found = next((one for one in part.parts.values() if one.position == child), None)
        if found is None and part.branch is not None and 0 <= child < len(part.branch.values):
            node = part.branch.values[child]
            return self._parts.get(node.number) if isinstance(node, Reference) else None
        return found

    def _lead_to(self, part: Part, position: int, *, is_last: bool) -> bool:
        """Opens a part with a window in which some child is; returns whether it was walked."""
        there = part.start <= position < part.start + len(part.raw)
        if there and (part.opened or (is_last and self.fits(part))):
            return False
        if not there:
            part.count = 0
            # A few children before it stay in view.
            near = position < self._page
            part.start = 0 if near else max(position - _SMALL, 0)
        self.open(part)
        part.view = max(part.view, position - part.start + 1)
        return True

    def fits(self, part: Part) -> bool:
        """Whether a part stands on one line in full."""
        branch = part.branch
        return branch is not None and flat_spans(branch, self.width // 2) is not None

    def update(self, obj: Any) -> Changes:
        """Shows another object, or the same one as it is now, with the same parts open.

        Returns:
            What is different.
        """
        self._check_rest()
        before = self.document
        self.root.value = obj
        self._places.clear()  # so that nothing is shown as a part of the object before
        self._walk(self.root, self.options)
        changes = find_changes(before, self.document, self._by_branch())
        self.marks = changes.marks
        return changes

    def still(self, place: Place, key: str) -> Place | None:
        """Where a node is after a change, or None if it is gone."""
        part = self._parts.get(place.part.number)
        if part is None or part is not place.part:
            return None
        if place.child < 0:
            return place
        for child in range(len(part.raw)):
            if child_key(part.step_to(child), part.start + child) == key:
                return Place(part, child)
        return None

    def _walk(self, part: Part, options: Options) -> None:
        self._check_rest()
        self._is_walking = True
        try:
            self._walk_part(part, options)
        finally:
            self._is_walking = False

    def _check_rest(self) -> None:
        if self._is_walking:
            raise RuntimeError(
                "Expected the tree to be left alone while it looks at an object, but code of that"
                " object asked it to look again. Update it from a cell or from a callback."
            )

    def _walk_part(self, part: Part, options: Options) -> None:
        read_names()
        self._registry.load_plugins()
        old = {inner.number for inner in part.inside()}
        walk = LazyWalk(
            part,
            options,
            self._registry,
            page=self._page,
            places=self._places,
            first=self._next,
        )
        part.branch = None
        # Without pictures, arrays of folded parts are not read.
        node = walk.run(
            part.value, None if options.autovisualize else partial(_read_children, part)
        )
        self._next = walk.next_number
        self.version += 1
        present = list(part.inside())
        if part.branch is None:  # no longer something with children
            part.parts, part.raw, present = {}, (), [part]
            if part.parent is not None:
                part.parent.parts.pop(part.key, None)
                present = []
        if part.parent is None:
            self.document = node
        elif part.parent.branch is not None:
            values: Any = part.parent.branch.values
            values[part.position] = node
        for number in old:
            self._parts.pop(number, None)
        self._parts |= {inner.number: inner for inner in present}
        for key in [key for key, one in self._places.items() if one.number not in self._parts]:
            del self._places[key]

    def _by_branch(self) -> dict[int, Part]:
        return {id(part.branch): part for part in self._parts.values()}


def _read_children(target: Part, _: Node) -> dict[int, int]:
    """The children that are shown, of which arrays are read: those of open and of short parts."""
    counts: dict[int, int] = {}
    for part in target.inside():
        branch = part.branch
        if branch is None:
            continue
        short = branch.omitted == 0 and branch.inline and len(branch.values) <= _SMALL
        counts[id(branch)] = len(branch.values) if part.opened or short else 0
    return counts
