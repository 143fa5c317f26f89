"""From an object to its document.

One loop with an explicit stack visits the object in reading order, depth first. A frame of the
stack is a branch that still has children to visit; its list of values holds raw objects at first,
and the loop replaces them one by one by their nodes. Children that are atoms already stand for
themselves and are never visited, so a list of a million numbers costs one slice of it.

Budget: a frame owns a number of nodes. Of what is left a part is kept for each sibling that is
still to be visited, and a child may use the rest; what it does not need goes back to the siblings
after it. Near the root the kept parts are equal to its own, so one huge child cannot starve the
others. But equal parts at every level would leave nothing after a dozen levels of a chain whose
links hold something more. So further down they shrink with the square of the depth: as the sum of
1/n² is finite, a chain of any depth has a fixed fraction of what there was near the root.

Sharing: every object with children is remembered (and kept alive, for its `id` to stay its own)
with the place where it was met first. The second sighting becomes a reference to the first. So
cycles end, and a graph with many paths costs no more than its objects.
"""

from dataclasses import replace
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from treeview._aliases import known_name, read_names
from treeview._atoms import NODE_TYPES, SHORT, AtomCheck
from treeview._collecting import ArrayCollector, ShownChildren
from treeview._document import (
    ATOM_TYPES,
    EMPTY,
    Branch,
    KeySteps,
    Node,
    Reference,
    Span,
    Text,
    index_steps,
    text,
)
from treeview._frames import Frame, place_text
from treeview._guard import STOP, Damage, describe_error
from treeview._inline import abbreviate, inline_text
from treeview._names import class_of, type_attribute, type_name
from treeview._options import Options, changed_options, current_options
from treeview._registry import Handler, Registry, default_registry
from treeview._taking import resolved_steps, take
from treeview._totals import Totals
from treeview._view import ArraySketch, Shown, Sketch, View
from treeview._visualizing import with_extra

if TYPE_CHECKING:
    from treeview._live import LiveOutput

_UNLIMITED = 2**62
_KEPT = 8
"""Nodes that are kept for each sibling, however deep."""

_SKETCH_TYPES = frozenset({Sketch, ArraySketch})
_OWN_HANDLERS = "treeview.handlers.containers"


def build_document(
    obj: Any,
    *,
    options: Options | None = None,
    root: str = "",
    registry: Registry = default_registry,
    shown_children: ShownChildren | None = None,
) -> Node:
    """The document that shows an object.

    Args:
        obj: Any object. Nodes of the document and sketches are taken as they are.
        options: How to show it; None for the options of this context.
        root: What the object is called, for paths in references.
        registry: Who draws what.
        shown_children: Says how many children of each branch the output writes; values of arrays
            that are not written are then not read. None to read all.

    Returns:
        The root of the document.
    """
    read_names()
    registry.load_plugins()
    return Walk(options or current_options(), root, registry).run(obj, shown_children)


def document_and_totals(
    obj: object, options: Options, live: "LiveOutput | None" = None
) -> tuple[Node, Totals]:
    """The document that shows an object, and what the arrays in it hold together.

    Args:
        obj: Any object.
        options: How to show it.
        live: Is told while arrays are read, to show what is known by then.
    """
    read_names()
    default_registry.load_plugins()
    walk = Walk(options, "", default_registry)
    return walk.run(obj, live=live), walk.totals


def totals(obj: object, **options: Any) -> Totals:
    """Counts what the arrays in an object hold, each array once.

    All of the object is visited, unless options limit that.

    Args:
        obj: Any object.
        **options: Changes of `treeview.options`; `statistics=False` does not look for NaN and
            infinities, and so reads no values.

    Returns:
        Counts and bytes by unit and by element type, and how many values are NaN or infinite.

    Raises:
        TypeError: An option is unknown or has a value of another type.
        ValueError: An option is out of range.

    Example:
        >>> import numpy
        >>> print(totals({"weight": numpy.zeros((3, 4)), "bias": numpy.ones(4)}))
        16 values, 128 B
    """
    everything: dict[str, Any] = dict.fromkeys(("max_items", "max_nodes", "max_bytes"), _UNLIMITED)
    chosen = changed_options({**everything, "autovisualize": False, **options, "totals": True})
    return document_and_totals(obj, chosen)[1]


_Place = tuple[Any, Branch, Frame, int]
"""An object that is kept alive, its branch, and where that was met first: a frame and an index."""


class Walk:
    """The state of one visit."""

    def __init__(self, options: Options, root: str, registry: Registry, level: int = 0) -> None:
        self.options = options
        self.root = root
        self.registry = registry
        self.level = level
        self.view = View(options, registry, self._drawn)
        self.exact = options.roundtrip
        self.max_items = _UNLIMITED if self.exact else options.max_items
        self.atoms = AtomCheck(
            exact=self.exact, room=_UNLIMITED if self.exact else options.max_bytes
        )
        self.max_depth = _UNLIMITED if options.depth is None else options.depth
        brief = None if self.exact else options.abbreviation_threshold
        self.brief_depth = _UNLIMITED if brief is None else brief
        self.deadline = float("inf") if self.exact else perf_counter() + options.seconds
        self.stack: list[Frame] = []
        self.found: dict[int, tuple[type, list[Handler]]] = {}
        self.looks: dict[type, Sketch | None] = {}
        self.seen: dict[int, _Place] = {}
        self.growing: set[int] = set()
        self.sizes: dict[int, int] = {}
        self.repeats = 0
        self.numbers = 0
        self.totals = Totals()
        self.arrays = ArrayCollector(options, root, self._number)

    def run(
        self,
        obj: Any,
        shown_children: ShownChildren | None = None,
        live: "LiveOutput | None" = None,
    ) -> Node:
        values = [obj]
        left = _UNLIMITED if self.exact else self.options.max_nodes
        pending = [0] if self.atoms.pending(values) else []
        base = Frame(Branch(EMPTY, values), values, pending, left, "values", None, 0, -1)
        stack = self.stack = [base]
        while stack:
            frame = stack[-1]
            if frame.pending:
                index = frame.pending.pop()
                frame.values[index] = self._visit(frame.values[index], frame, index)
            else:
                self._close(stack.pop())
        self.arrays.finish(base.values, shown_children, live)
        self.totals = base.totals or Totals(partial=base.partial)
        # The view and the collector know this walk; cycles would keep alive all that was visited.
        del self.view, self.arrays
        return base.values[0]

    # One child

    def _visit(self, obj: Any, frame: Frame, index: int) -> Node:
        kind = class_of(obj)
        if kind is Sketch or kind is ArraySketch:
            return self._placed(obj, frame, index)
        place = self.seen.get(id(obj))
        if place is not None:
            return self._again(place, frame)
        if used_up := self._used_up():
            frame.partial = True
            return text((f"<{type_name(kind)}: {used_up}>", "muted"))
        known = self._name(obj, frame) or self._leaf(obj, kind, frame, index)
        if known is not None:
            return known
        shown, problem = self._handled(obj)
        if problem:
            shown = _with_problem(shown, problem)
        node = self._placed(shown, frame, index)
        visualizer = self.arrays.visualizer
        if visualizer.has_rule and type(shown) is not ArraySketch:
            node = with_extra(node, visualizer.look(obj, frame, index).extra)
        if type(node) is Text:
            self.atoms.room -= sum([len(piece) for piece, _ in node.spans])
        if type(node) is Branch and type(shown) is Sketch and not shown.fresh:
            self.seen[id(obj)] = (obj, node, frame, index)
        return node

    def _name(self, obj: Any, frame: Frame) -> Text | None:
        """What is known by its name is shown by it, except where somebody wants to look at it."""
        name = known_name(obj)
        if name is None or issubclass(class_of(obj), FunctionType | type):
            return None  # these have handlers that say more
        if frame.parent is None and not callable(obj):
            return None
        return text((self.view.short_name(name), "type"))

    def _used_up(self) -> str:
        """Which budget is used up, in words, or nothing."""
        if perf_counter() > self.deadline:
            return "time is up"
        return "too much text" if self.atoms.room < 0 else ""

    def _placed(self, shown: Shown, frame: Frame, index: int) -> Node:
        """What a handler returned, as a node in its place."""
        if isinstance(shown, Sketch):
            return self._grow(shown, frame, index)
        return self.arrays.meet(shown, frame, index) if isinstance(shown, ArraySketch) else shown

    def _drawn(self, obj: Any) -> Shown:
        """What stands for an object: itself if it is an atom, else what a handler makes of it."""
        if not self.atoms.pending([obj]):
            return obj
        shown, problem = self._handled(obj)
        return _with_problem(shown, problem) if problem else shown

    def _handled(self, obj: Any) -> tuple[Shown, str]:
        """What the first handler that works makes of an object, and what went wrong before."""
        problem, kind = "", class_of(obj)
        for handler in self._handlers(kind):
            try:
                shown: Any = handler(obj, self.view)
                if shown is None:
                    continue
                if (given := class_of(shown)) in NODE_TYPES or given in _SKETCH_TYPES:
                    return shown, problem
                if given in ATOM_TYPES and not self.atoms.pending([shown]):
                    return shown, problem
                what = f"returned an object of type `{type_name(given)}`, not a node"
            except Damage as error:
                what = str(error)
            except STOP:
                raise
            except BaseException as error:
                what = f"{_handler_name(handler)} raised {describe_error(error)}"
            problem = problem or what
        return text((f"<{type_name(kind)} object>", "error")), problem

    def _handlers(self, kind: type) -> list[Handler]:
        known = self.found.get(id(kind))
        if known is None:
            method = type_attribute(kind, "__treeview__")
            own = [method] if type(method) is FunctionType else []
            known = self.found[id(kind)] = (kind, own + self.registry.handlers_for(kind))
        return known[1]

    # Branches

    def _leaf(self, obj: Any, kind: type, frame: Frame, index: int) -> Branch | None:
        """A list or dictionary that holds nothing but atoms, as most do of a large object.

        None for all others, and where anything but treeview's own handler has a say.
        """
        if kind is not list and kind is not dict:
            return None
        look, count = self._own_look(kind), len(obj)
        most = min(self._share(frame), self.max_items)
        if look is None or not 0 < count <= most or frame.depth + 1 >= self.max_depth:
            return None
        room = self.atoms.room
        # Tuples of atoms are nothing that garbage collection has to look at again and again.
        values: tuple[Any, ...] = tuple(obj.values() if kind is dict else obj)
        labels: tuple[Any, ...] | None = tuple(obj) if kind is dict else None
        if self.atoms.pending(values) or not (labels is None or self.atoms.are_labels(labels)):
            self.atoms.room = room
            return None
        steps = index_steps(count) if labels is None else KeySteps(labels)
        branch = Branch(look.head, values, look.tail, labels, look.joint, steps, look.separator)
        self.seen[id(obj)] = (obj, branch, frame, index)
        if frame.depth + 1 >= self.brief_depth:
            abbreviate(branch)
        frame.left -= count
        if self.exact:
            self._count(frame, branch, count)
        return branch

    def _own_look(self, kind: type) -> Sketch | None:
        """What treeview's own handler makes of an empty container, if it is the one to ask."""
        if kind not in self.looks:
            sketch, handler = None, next(iter(self._handlers(kind)), None)
            # Rules want to see each object, and walks of other kinds may grow branches otherwise.
            plain = type(self) is Walk and not self.arrays.visualizer.has_rule
            if plain and type(handler) is FunctionType and handler.__module__ == _OWN_HANDLERS:
                sketch = handler(kind(), self.view)
            self.looks[kind] = sketch if isinstance(sketch, Sketch) else None
        return self.looks[kind]

    def _share(self, frame: Frame) -> int:
        """How many nodes the next child of a branch may be."""
        waiting = len(frame.pending)
        equal = frame.left // (waiting + 1)
        kept = max(equal // max(frame.depth, 1) ** 2, min(equal, _KEPT))
        return frame.left - waiting * kept

    def _grow(self, sketch: Sketch, frame: Frame, index: int) -> Branch:
        share = self._share(frame)
        limit, note = min(self.max_items, share), sketch.note
        if frame.depth + 1 >= self.max_depth:
            limit = 0
        elif used_up := self._used_up():
            limit, note = 0, _with_comment(note, (f"# {used_up}", "comment"))
        labels, values, omitted = take(sketch, max(limit, 0), self.deadline)
        raw: list[Any] = labels or []
        branch = Branch(
            sketch.head,
            values,
            sketch.tail,
            None if labels is None else self._labels(labels),
            sketch.joint,
            resolved_steps(sketch.steps, raw, len(values)),
            sketch.separator,
            omitted,
            sketch.omitted_name,
            note,
            sketch.folded,
            sketch.color,
            sketch.opened,
            0,
            None,
            sketch.inline,
        )
        if frame.depth + 1 >= self.brief_depth:
            abbreviate(branch)
        if sketch.revealed:
            for outer in self.stack:
                outer.branch.opened = True
        pending = self.atoms.pending(values)
        frame.left -= len(values)
        if not pending:
            frame.partial |= omitted != 0 and not values
            if self.exact:
                self._count(frame, branch, len(values))
            return branch
        left = share - len(values)
        frame.left -= left
        pending.reverse()
        unit = sketch.unit or frame.unit
        first = len(self.arrays.sightings)
        grown = Frame(branch, values, pending, left, unit, frame, index, frame.depth + 1, first)
        grown.partial, grown.size = omitted != 0, len(values)
        self.stack.append(grown)
        self.growing.add(id(branch))
        return branch

    def _labels(self, raw: list[Any]) -> list[Any]:
        if self.atoms.are_labels(raw):
            return raw
        labels = list(raw)  # `raw` itself stays as the steps know it
        for index in self.atoms.pending(raw):
            labels[index] = self._label(raw[index])
        return labels

    def _label(self, key: Any) -> Text:
        """An object in one line."""
        if self.level == 2:
            return text((f"<{type_name(class_of(key))} object>", "muted"))
        limits: dict[str, Any] = {} if self.exact else {"max_items": 10, "max_nodes": 30}
        limits |= {"statistics": False, "totals": False, "autovisualize": False}
        options = replace(self.options, **limits)
        node = Walk(options, "", self.registry, self.level + 1).run(key)
        if self.exact:
            return inline_text(node, _UNLIMITED, _UNLIMITED)
        return inline_text(node, SHORT)

    def _close(self, frame: Frame) -> None:
        branch, parent = frame.branch, frame.parent
        self.growing.discard(id(branch))
        frame.closed = True
        self.arrays.close(frame)
        if parent is None:
            return
        parent.left += frame.left
        parent.partial |= frame.partial
        if self.exact:
            self._count(parent, branch, frame.size)

    # Objects met again

    def _again(self, place: _Place, frame: Frame) -> Node:
        obj, branch, parent, index = place
        inside = id(branch) in self.growing
        self.arrays.meet_again(branch, frame)
        if self.exact and not inside:
            # An equal object is written by writing its parts again, unless that explodes.
            size = self.sizes.get(id(branch), 0)
            self.repeats += size
            if self.repeats < 2**16:
                self._count(frame, branch, size)
                return branch
        name = type_name(class_of(obj))
        where = place_text(self.root, parent, index)
        start = "back to the" if inside else "same"
        link = "at" if inside else "as"
        words = f"<{start} {name} {link} {where}>" if where else f"<{start} {name} {link} above>"
        return Reference(self._number(branch), text((words, "muted")))

    def _number(self, branch: Branch) -> int:
        if branch.number == 0:
            self.numbers += 1
            branch.number = self.numbers
        return branch.number

    def _count(self, parent: Frame, branch: Branch, size: int) -> None:
        self.sizes[id(branch)] = size
        parent.size += size


def _with_comment(note: Text, comment: Span) -> Text:
    return text(note, "  ", comment) if note.spans else text(comment)


def _with_problem(shown: Shown, problem: str) -> Shown:
    """A node or sketch that tells what went wrong on the way to it."""
    if isinstance(shown, Sketch):
        shown.note = _with_comment(shown.note, (f"# {problem}", "error"))
    if isinstance(shown, Text):
        return text(shown, (f" <{problem}>", "error"))
    return shown


def _handler_name(handler: Handler) -> str:
    is_function = type(handler) is FunctionType
    name = handler.__name__ if is_function else type_name(class_of(handler))
    return name if name == "__treeview__" else f"handler `{name}`"
