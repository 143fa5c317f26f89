"""The arrays that a walk meets: read together when it is done, and counted once in every total.

Totals of a branch count each array once, however often it is met below. So whenever an array is
met again, the innermost branch that holds this sighting and the one before counts one too many,
and is told to drop one. That branch is found by climbing from the earlier sighting to the first
branch that is still being visited. A reference to a branch stands for all the arrays in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from treeview._document import EMPTY, Branch, Node, Reference, Text, text
from treeview._frames import Frame, place_text
from treeview._guard import STOP, describe_error
from treeview._names import class_of, type_name
from treeview._options import Options
from treeview._totals import ArrayShare, Totals
from treeview._view import ArraySketch
from treeview._visualizing import Visualizer

if TYPE_CHECKING:
    from treeview._live import LiveOutput
    from treeview.arrays.batch import ArrayRequest, Reading
    from treeview.arrays.protocol import ArrayAdapter

ShownChildren = Callable[[Node], Mapping[int, int]]
"""For each branch of a document (by its id) how many of its children an output will write."""

_SIGHTINGS = 1_000_000
"""Sightings of arrays in branches met again, after which totals are but lower bounds."""


class ArrayCollector:
    """All arrays of one walk.

    Args:
        options: How they are shown.
        root: What the root is called.
        number: Gives a branch the number by which references name it.
    """

    def __init__(self, options: Options, root: str, number: Callable[[Branch], int]) -> None:
        self.sightings: list[int] = []
        self.visualizer = Visualizer(options, root)
        self._options = options
        self._root = root
        self._number = number
        self._requests: list[ArrayRequest] = []
        self._shares: list[ArrayShare] = []
        self._places: list[tuple[Frame, int]] = []
        self._repeats: list[tuple[Frame, int, int]] = []
        self._known: dict[int, tuple[Any, int, int]] = {}
        self._counted: dict[int, tuple[Any, int]] = {}
        self._last: dict[int, Frame] = {}
        self._spans: dict[int, tuple[int, int]] = {}
        self._closed: list[Frame] = []

    def meet(self, sketch: ArraySketch, frame: Frame, index: int) -> Node:
        """Takes note of an array; returns what stands in its place meanwhile."""
        array, adapter = sketch.array, sketch.adapter
        known = self._known.get(id(array))
        if known is not None:
            self._repeats.append((frame, index, known[1]))
            self._see(known[2], frame)
            return EMPTY
        unit = sketch.unit or frame.unit
        try:
            info = adapter.describe(array)
            share = ArrayShare(unit, info.dtype, info.size, info.bytes)
            number = len(self._requests)
            counted = self._counted_as(adapter, array, number)
        except STOP:
            raise
        except BaseException as error:
            what = f"<{type_name(class_of(array))}: adapter raised {describe_error(error)}>"
            return text((what, "error"))
        self._known[id(array)] = (array, number, counted)
        # Not every program meets arrays, and what reads and draws them takes long to load.
        from treeview.arrays.batch import ArrayRequest  # noqa: PLC0415

        look = self.visualizer.look(array, frame, index)
        self._requests.append(
            ArrayRequest(array, adapter, info, sketch.name, look.picture, look.extra)
        )
        self._shares.append(share)
        self._places.append((frame, index))
        self._see(counted, frame)
        return EMPTY

    def _counted_as(self, adapter: "ArrayAdapter", array: Any, number: int) -> int:
        """The number of the first array that holds the same values in the same memory."""
        from treeview.arrays.delegate import DelegatingAdapter  # noqa: PLC0415 - see `meet`

        while isinstance(adapter, DelegatingAdapter):
            adapter, array = adapter.inner(array)
        return self._counted.setdefault(id(array), (array, number))[1]

    def meet_again(self, branch: Branch, frame: Frame) -> None:
        """Takes note of a reference to a branch, which stands for the arrays in it."""
        first, stop = self._spans.get(id(branch), (0, 0))
        if len(self.sightings) + stop - first > _SIGHTINGS:
            frame.partial = True
            return
        for number in dict.fromkeys(self.sightings[first:stop]):
            self._see(number, frame)

    def _see(self, number: int, frame: Frame) -> None:
        self.sightings.append(number)
        frame.adds = frame.adds or []
        frame.adds.append(number)
        last = self._last.get(number)
        if last is not None:
            meeting = _innermost_open(last)
            meeting.drops = meeting.drops or []
            meeting.drops.append(number)
        self._last[number] = frame

    def close(self, frame: Frame) -> None:
        """Takes note of a branch whose children have all been visited."""
        if len(self.sightings) > frame.first:
            self._spans[id(frame.branch)] = (frame.first, len(self.sightings))
            self._closed.append(frame)

    def finish(
        self,
        roots: Sequence[Node],
        shown_children: ShownChildren | None,
        live: "LiveOutput | None" = None,
    ) -> None:
        """Puts summaries of all arrays in their places, and totals on the branches.

        Args:
            roots: Holds the document, as far as it is known, and nothing else.
            live: Is told while values are read.
            shown_children: Says what of it is written; the values of other arrays are then not
                read, unless totals are to be shown. None for all.
        """
        if not self._requests:
            return
        nodes: Sequence[Node]
        try:
            self._share_cells()
            wanted = None
            if shown_children is not None and self._may_choose():
                wanted = self._shown(roots[0], shown_children)
            pictures = shown_children is None  # whoever knows the lines that are shown writes text
            follow = None if live is None else partial(self._follow, live, roots)
            readings = self._read(self._options, wanted=wanted, pictures=pictures, follow=follow)
            nodes = [reading.node() for reading in readings]
            for share, reading in zip(self._shares, readings, strict=True):
                share.nans, share.infinities = reading.flaws() or (None, None)
        except STOP:
            raise
        except BaseException as error:
            failed = text((f"<array: {describe_error(error)}>", "error"))
            nodes = [failed] * len(self._requests)
        if live is not None:
            live.end()
        self._place(nodes)
        for frame in self._closed:
            self._add_totals(frame)

    def _share_cells(self) -> None:
        """Makes pictures smaller where all of them would show too many values."""
        if not any(request.picture for request in self._requests):
            return
        from treeview.arrays.sharing import share_cells  # noqa: PLC0415 - see `meet`

        self._requests = share_cells(self._requests, self._options.max_cells)

    def _read(self, options: Options, **settings: Any) -> "list[Reading]":
        """What is known of all arrays; see `read_arrays`."""
        from treeview.arrays.batch import read_arrays  # noqa: PLC0415 - see `meet`

        return read_arrays(self._requests, options, **settings)

    def _follow(
        self, live: "LiveOutput", roots: Sequence[Node], readings: "Sequence[Reading]"
    ) -> None:
        """Tells a live output that some more arrays have been read, or that it begins."""

        def look(reason: str) -> Node:
            for reading in readings:
                if reason and reading.pending:
                    reading.skipped = reason
            self._place([reading.node() for reading in readings])
            return roots[0]

        live.follow(look)

    def _may_choose(self) -> bool:
        """Whether only some arrays need to be read."""
        options = self._options
        return options.statistics and not (options.totals or options.roundtrip)

    def _shown(self, document: Node, shown_children: ShownChildren) -> set[int]:
        """The numbers of the arrays that will be written."""
        brief = replace(self._options, statistics=False)
        self._place([reading.node() for reading in self._read(brief)])
        counts = shown_children(document)
        places = [(*place, number) for number, place in enumerate(self._places)]
        return {
            number
            for frame, index, number in (*places, *self._repeats)
            if frame.parent is None or index < counts.get(id(frame.branch), 0)
        }

    def _place(self, nodes: Sequence[Node]) -> None:
        for (frame, index), node in zip(self._places, nodes, strict=True):
            frame.values[index] = node
        for frame, index, number in self._repeats:
            frame.values[index] = self._repeated(nodes[number], *self._places[number])

    def _repeated(self, node: Node, frame: Frame, index: int) -> Node:
        if self._options.roundtrip:
            return node
        where = place_text(self._root, frame, index) or "above"
        if isinstance(node, Branch):
            words = text((f"<same array as {where}>", "muted"))
            return Reference(self._number(node), words)
        return text(node, (f" <same as {where}>", "muted")) if isinstance(node, Text) else node

    def _add_totals(self, frame: Frame) -> None:
        totals = frame.totals = frame.totals or Totals()
        for number in frame.adds or ():
            totals.add(self._shares[number])
        for number in frame.drops or ():
            totals.add(self._shares[number], -1)
        totals.partial = frame.partial
        branch, parent = frame.branch, frame.parent
        if parent is None:
            return
        branch.totals = totals
        if self._options.totals:
            branch.note = _totals_note(branch.note, totals)
        parent.totals = parent.totals or Totals()
        parent.totals.add(totals)


def _innermost_open(frame: Frame) -> Frame:
    """The innermost branch around a sighting whose children are still being visited."""
    while frame.closed and frame.parent is not None:
        frame = frame.parent
    return frame


def _totals_note(note: Text, totals: Totals) -> Text:
    start = ", " if note.spans else "# "
    flaws = totals.flaws()
    words = str(totals).removesuffix(flaws).removesuffix(", ")
    noted = text(note, (f"{start}{words}", "comment"))
    return text(noted, (f", {flaws}", "error")) if flaws else noted
