"""A walk that goes no further than what is open.

Parts remember what a reader opened. A branch that is open gets the children in its window; one that
is folded gets a few, enough to be shown on one line, and those fewer still. So a walk costs what is
open, however large the object is, and any part can be walked again by itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, cast

from treeview._document import Branch, IndexSteps, Node, Reference, text
from treeview._frames import Frame, set_field
from treeview._names import class_of, type_name
from treeview._options import Options
from treeview._paths import Opaque, Step, key_path, python_path
from treeview._registry import Registry
from treeview._view import Sketch
from treeview._visualizing import Visualizer
from treeview._walk import Walk

PART_NODES = 4_000
"""How many objects are visited for each part that is open."""

# How many children a folded branch gets, by how many folded branches it is in.
_PREVIEW = (24, 16, 12, 6)
_UNLIMITED = 2**62
_SLICED = frozenset({list, tuple, range})


@dataclass(slots=True, eq=False, repr=False)
class Part:
    """A branch of the live tree, through all the times it is walked.

    Attributes:
        number: What both sides call it.
        parent: The part that holds it; None for the root.
        key: What tells it from its siblings: the step to it, or its position.
        step: The step to it; None where there is none.
        position: Which child of the window of its parent it is.
        value: The object, or the sketch that stands for it.
        branch: What it looks like.
        raw: The objects behind its children.
        parts: Its children that are branches, by key.
        opened: Whether its children are wanted.
        start: The first child in the window.
        count: How many children the window holds at most.
        view: How many of them are in view until somebody asks for the others; 0 while folded.
        named: Whether references lead to it.
    """

    number: int
    parent: "Part | None" = None
    key: str = ""
    step: Step | None = None
    position: int = 0
    value: Any = None
    branch: Branch | None = None
    raw: Sequence[Any] = ()
    parts: "dict[str, Part]" = field(default_factory=dict[str, "Part"])
    opened: bool = False
    start: int = 0
    count: int = 0
    view: int = 0
    named: bool = False

    def above(self) -> "Iterator[Part]":
        """This part and those that hold it, innermost first."""
        part: Part | None = self
        while part is not None:
            yield part
            part = part.parent

    def inside(self) -> "Iterator[Part]":
        """This part and all below it."""
        waiting: list[Part] = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(part.parts.values())

    def steps(self) -> list[Step]:
        """The path to it from the root."""
        known = [part.step or Opaque("?") for part in self.above() if part.parent is not None]
        return known[::-1]

    def step_to(self, position: int) -> Step | None:
        """The step to a child of the window."""
        steps: Sequence[Step] = () if self.branch is None else self.branch.steps
        return steps[position] if position < len(steps) else None


class LazyWalk(Walk):
    """Walks one part.

    Args:
        target: The part.
        options: How to show it.
        registry: Who draws what.
        page: How many children an open branch gets if its window says nothing.
        places: All parts by the `id` of their objects, which this walk completes.
        first: The lowest number that no part has.
    """

    def __init__(
        self,
        target: Part,
        options: Options,
        registry: Registry,
        *,
        page: int,
        places: dict[int, Part],
        first: int,
    ) -> None:
        super().__init__(options, key_path(target.steps()), registry)
        self.max_depth = _UNLIMITED
        self.next_number = first
        self._earlier: dict[int, dict[str, Part]] = {}
        self._target = target
        self._page = page
        self._places = places
        self._parts: dict[int, Part] = {}
        self._levels: dict[int, int] = {}
        self._drawn_arrays = self.arrays.visualizer
        self._plain_arrays = Visualizer(replace(options, autovisualize=False), self.root)

    def _visit(self, obj: Any, frame: Frame, index: int) -> Node:
        owner = self._parts.get(id(frame.branch))
        if owner is not None:
            met = self._places.get(id(obj))
            if met is not None and met.value is obj and self._target not in met.above():
                return self._elsewhere(met, obj)
        wanted = owner is None or owner.opened
        self.arrays.visualizer = self._drawn_arrays if wanted else self._plain_arrays
        return super()._visit(obj, frame, index)

    def _elsewhere(self, met: Part, obj: Any) -> Reference:
        """What stands for an object that the tree shows in a part that is not walked now."""
        met.named = True
        if met.branch is not None:
            set_field(met.branch, "number", met.number)
        inside = met in self._target.above()
        start, link = ("back to the", "at") if inside else ("same", "as")
        where = key_path(met.steps()) or "the root"
        words = f"<{start} {type_name(class_of(obj))} {link} {where}>"
        return Reference(met.number, text((words, "muted")))

    def _grow(self, sketch: Sketch, frame: Frame, index: int) -> Branch:
        part = self._part(frame, index)
        owner = self._parts.get(id(frame.branch))
        level = 0 if part.opened or owner is None else self._levels[owner.number] + 1
        self._levels[part.number] = level
        if part.opened:
            self.max_items = part.count or self._page
        else:
            self.max_items = _PREVIEW[level - 1] if 0 < level <= len(_PREVIEW) else 0
        shown = _repeatable(sketch, frame.values, index)
        branch = self._branch(shown, part, frame, index)
        part.branch, part.raw, part.value = branch, list(branch.values), frame.values[index]
        self._parts[id(branch)] = part
        if not sketch.fresh and part.value is not sketch:
            self._places[id(part.value)] = part
        if branch.omitted != 0 or part.start:
            # On a line of its own, so that it can be opened.
            set_field(branch, "inline", False)
        if part.named:
            set_field(branch, "number", part.number)
        self._earlier[part.number] = part.parts
        part.parts = {}
        return branch

    def _branch(self, sketch: Sketch, part: Part, frame: Frame, index: int) -> Branch:
        shown = _without_first(sketch, part.start) if part.start else sketch
        if not part.opened:
            return super()._grow(shown, frame, index)
        # What is open has room of its own, so that nothing beside it makes it smaller.
        left = frame.left
        frame.left = (PART_NODES + self.max_items) * (len(frame.pending) + 1)
        branch = super()._grow(shown, frame, index)
        frame.left = max(left - 1, 0)
        return branch

    def _part(self, frame: Frame, index: int) -> Part:
        """The part in some place: the one that was there before, or a new one."""
        owner = self._parts.get(id(frame.branch))
        if owner is None:
            return self._target
        step = owner.step_to(index)
        key = child_key(step, owner.start + index)
        if key in owner.parts:
            key = f"#{owner.start + index}"
        part = self._earlier[owner.number].pop(key, None) or Part(self._new_number(), owner, key)
        part.step, part.position = step, index
        owner.parts[key] = part
        return part

    def _new_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def _number(self, branch: Branch) -> int:
        part = self._parts.get(id(branch))
        if part is not None:
            part.named = True
        if branch.number == 0:
            set_field(branch, "number", self._new_number() if part is None else part.number)
        return branch.number


def child_key(step: Step | None, position: int) -> str:
    """What tells a child from its siblings."""
    known = None if step is None else python_path((step,))
    return f"#{position}" if known is None else known


class _Repeatable:
    """What an iterator yields, kept so that it can be iterated again."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self._known: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        position = 0
        while True:
            if position == len(self._known):
                try:
                    self._known.append(next(self._source))
                except StopIteration:
                    return
            yield self._known[position]
            position += 1


def _repeatable(sketch: Sketch, values: Sequence[Any], index: int) -> Sketch:
    """A sketch that can be walked again: one that a handler put among the children is kept."""
    if values[index] is sketch:
        for name in ("children", "labels"):
            source = getattr(sketch, name)
            if isinstance(source, Iterator):
                setattr(sketch, name, _Repeatable(cast("Iterator[Any]", source)))
    return sketch


def _without_first(sketch: Sketch, start: int) -> Sketch:
    """A sketch that begins with a later child."""
    return replace(
        sketch,
        children=_from(sketch.children, start),
        labels=None if sketch.labels is None else _from(sketch.labels, start),
        count=None if sketch.count is None else max(sketch.count - start, 0),
        steps=_LaterSteps(sketch.steps, start) if _has_places(sketch) else sketch.steps,
    )


def _has_places(sketch: Sketch) -> bool:
    return sketch.steps == "index" or not (sketch.steps is None or isinstance(sketch.steps, str))


def _from(source: Iterable[Any], start: int) -> Iterable[Any]:
    if type(source) in _SLICED:
        return cast("Sequence[Any]", source)[start:]
    return islice(source, start, None)


class _LaterSteps(Sequence[Step]):
    """The steps to the children from some position on."""

    def __init__(self, steps: Any, start: int) -> None:
        self._steps: Sequence[Step] = IndexSteps(_UNLIMITED) if steps == "index" else steps
        self._start = start
        self._count = max(len(self._steps) - start, 0)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Step:  # type: ignore[override]
        return self._steps[self._start + index]
