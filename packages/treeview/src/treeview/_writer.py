"""Writes a document as markup: one line per node, branches as `details` that fold.

The writer works through the document with an explicit stack and appends to a list of strings that
is joined once. Browsers stop nesting elements at about 512 levels and a branch takes three, so
below `DEEPEST` levels it says how many are left out.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from treeview._document import (
    ATOM_TYPES,
    Branch,
    Foreign,
    Node,
    Picture,
    Reference,
    Text,
)
from treeview._foreign import foreign_html
from treeview._inline import (
    fills_lines,
    flat_spans,
    label_spans,
    omitted_span,
    row_ends,
    short_spans,
    spans_width,
)
from treeview._markup import (
    BRANCHES,
    PICTURES,
    Sheet,
    atom_html,
    css_color,
    escape,
    styled_html,
)
from treeview._pictures import picture_html

DEEPEST = 150
"""Levels of branches that become markup."""

_LEAST_SPACE = 40
# A line of text cannot hold more nodes than that.
_LOOK = 200
_UNLIMITED = 2**62


class _Place(NamedTuple):
    """Where a node is written: how deep, and what stands before and after it on its line."""

    depth: int = 0
    nesting: int = 0  # like the depth, but folded rests of long lists count too
    start: str = ""  # the tag that opens the line
    label: str = ""
    columns: int = 0  # the width of the label
    after: str = ""
    stop: str = ""  # the tag that closes the line


class _Frame(NamedTuple):
    """A branch whose children are being written: the children to come and what closes it."""

    children: Iterator[tuple[_Place, Node] | str]
    closing: str


class Writer:
    """Writes one document.

    Args:
        opened: The `id` of each branch that starts open, and how many of its children are in view.
        width: Columns up to which a branch that is not open stands on one line in full.
        stretch: How many children of any other branch are in view when it opens; None for all.
        views: The numbers by which scripts know pictures and rich output, by their `id`.

    Attributes:
        parts: What was written; joined it is the HTML.
        sheets: The style sheets that it needs.
        branches: How many branches fold.
        written: The ids of the pictures and the rich output that are in the HTML.
    """

    def __init__(
        self, opened: Mapping[int, int], width: int, stretch: int | None, views: Mapping[int, int]
    ) -> None:
        self.parts: list[str] = []
        self.sheets: set[Sheet] = set()
        self.branches = 0
        self.written: set[int] = set()
        self._opened = opened
        self._width = width
        self._deepest = max((width - _LEAST_SPACE) // 2, 2)
        self._stretch = stretch
        self._views = views
        self._room_left = _UNLIMITED
        self._kept: Collection[int] | None = None
        self._pixels_left = _UNLIMITED
        self._frames: list[_Frame] = []
        # The same page may hold other outputs, and another copy of this document.
        self._name = f"tv{os.urandom(4).hex()}"

    def keep_to(self, branches: Collection[int], lines: int) -> None:
        """Writes only the children of some branches, and so many lines."""
        self._kept, self._room_left = branches, lines

    def draw_first(self, pixels: int) -> None:
        """Leaves pictures to the script after so many pixels."""
        self._pixels_left = pixels

    def template(self, view: Picture | Foreign) -> str:
        """A picture or rich output that no line shows yet, for the script to put in its place."""
        self.sheets |= {PICTURES, BRANCHES}
        markup = self._figure(view) if isinstance(view, Picture) else self._frame(view)
        return f"<template>{markup}</template>"

    def write(self, root: Node) -> None:
        """Writes a node and all that is below it."""
        self._write_node(root, _Place())
        while self._frames:
            frame = self._frames[-1]
            child = next(frame.children, None)
            if child is None:
                self._frames.pop()
                self.parts.append(frame.closing)
            elif isinstance(child, str):
                self.parts.append(child)
            else:
                place, node = child
                self._write_node(node, place)

    def _write_node(self, node: Node, place: _Place) -> None:
        match node:
            case Branch():
                self._write_branch(node, place)
            case Text(spans):
                self._write_line(place, styled_html(spans))
            case Picture():
                self._write_picture(node, place)
            case Foreign():
                self._write_foreign(node, place)
            case Reference():
                link = f"<a href=#{self._name}-{node.number}>{styled_html(node.text.spans)}</a>"
                self._write_line(place, link)
            case _:
                self._write_line(place, atom_html(node))

    def _margin(self, depth: int) -> str:
        return "  " * min(depth, self._deepest)

    def _write_line(self, place: _Place, content: str, note: str = "") -> None:
        indentation = self._margin(place.depth)
        self.parts.append(
            f"{place.start}{indentation}{place.label}{content}{place.after}{note}{place.stop}"
        )

    def _write_picture(self, picture: Picture, place: _Place) -> None:
        self._pixels_left -= picture.pixels.size // 4
        if self._pixels_left < 0:
            self._write_line(place, "<b class=m>a picture, which a script draws</b>")
            return
        self.sheets.add(PICTURES)
        self.written.add(id(picture))
        indentation = self._margin(place.depth) if place.label else ""
        figure = self._figure(picture, place.depth)
        self.parts.append(f"{place.start}{indentation}{place.label}{figure}{place.stop}")

    def _figure(self, picture: Picture, depth: int = 0) -> str:
        return picture_html(picture, min(depth, self._deepest), self._views[id(picture)])

    def _write_foreign(self, foreign: Foreign, place: _Place) -> None:
        self.sheets.add(BRANCHES)
        self.written.add(id(foreign))
        unfolded = " open" if foreign.opened or not place.start else ""
        self.parts.append(
            f"{place.start}<details{unfolded}><summary><i>{self._margin(place.depth)}</i>"
            f"{place.label}{styled_html(foreign.fallback.spans)}{place.after}</summary>"
            f"{self._frame(foreign, place.depth)}</details>{place.stop}"
        )

    def _frame(self, foreign: Foreign, depth: int = 0) -> str:
        place = f'data-v={self._views[id(foreign)]} style="--d:{min(depth, self._deepest)}"'
        return foreign_html(foreign, place)

    def _write_branch(self, branch: Branch, place: _Place) -> None:
        unfolded = id(branch) in self._opened
        line = None
        if not branch.values and branch.omitted == 0:
            line = [*branch.head.spans, *branch.tail.spans]
        elif not unfolded:
            line = flat_spans(branch, self._room(place))
        if line is None and self._kept is not None and id(branch) not in self._kept:
            self._write_line(
                place, styled_html(short_spans(branch, self._room(place))), _note_html(branch)
            )
            return
        if line is not None:
            numbers, rich = _look_inside(branch)
            if not rich:
                anchors = "".join(f"<a id={self._name}-{number}></a>" for number in numbers)
                self._write_line(place, anchors + styled_html(line), _note_html(branch))
                return
        if place.nesting >= DEEPEST:
            self._write_too_deep(branch, place)
        else:
            self._open_branch(branch, place, unfolded=unfolded)

    def _room(self, place: _Place) -> int:
        return self._width - len(self._margin(place.depth)) - place.columns - len(place.after)

    def _open_branch(self, branch: Branch, place: _Place, *, unfolded: bool) -> None:
        self.branches += 1
        self.sheets.add(BRANCHES)
        indentation = self._margin(place.depth)
        identity = f" id={self._name}-{branch.number}" if branch.number else ""
        color = css_color(branch.color)
        tint = f' class=co style="--tv-c:{color}"' if color else ""
        rule = " class=fl" if fills_lines(branch) else ""
        count = len(branch.values)
        if self._kept is not None:
            count = min(self._first(branch, count), self._room_left)
        self._room_left -= count
        self.parts.append(
            f"{place.start}<details{' open' if unfolded else ''}{identity}{tint}><summary>"
            f"<i>{indentation}</i>{place.label}"
            f"{_summary_html(branch, self._room(place), place, unfolded=unfolded)}"
            f"{_note_html(branch)}</summary><ul style=--d:{min(place.depth, self._deepest)}{rule}>"
        )
        closing = f"{_omitted_html(branch, count, self._margin(place.depth + 1))}</ul>"
        if branch.tail.spans:
            closing += f"{indentation}{styled_html(branch.tail.spans)}{place.after}"
        closing += f"</details>{place.stop}"
        first = self._first(branch, count)
        if first < count:
            # The frame that is pushed last is written first.
            rest = range(first, count)
            hidden = omitted_span(len(rest), branch.omitted_name)
            items = self._items(branch, rest, place, 2)
            self._frames.append(_Frame(items, f"</ul></details></li>{closing}"))
            closing = (
                f"<li class=re><details><summary><i>{indentation}  </i>{styled_html((hidden,))}"
                f"</summary><ul{rule}>"
            )
        items = self._items(branch, range(first), place, 1)
        self._frames.append(_Frame(items, closing))

    def _first(self, branch: Branch, count: int) -> int:
        """How many children are in view when a branch opens."""
        if id(branch) in self._opened:
            return min(count, self._opened[id(branch)])
        if self._stretch is None or count <= self._stretch + 1:
            return count
        return self._stretch

    def _items(
        self, branch: Branch, positions: range, place: _Place, nesting: int
    ) -> Iterator["tuple[_Place, Node] | str"]:
        """The children at some positions; where all are plain values, their markup at once."""
        depth = place.depth + 1
        values = branch.values[positions.start : positions.stop]
        if fills_lines(branch):
            yield _filled_html(branch, positions, self._margin(depth), self._width)
            return
        if set(map(type, values)) <= ATOM_TYPES:
            yield _atoms_html(branch, positions, self._margin(depth))
            return
        after = escape(branch.separator)
        for position, value in zip(positions, values, strict=True):
            label = label_spans(branch, position)
            width, markup = spans_width(label), styled_html(label)
            where = _Place(depth, place.nesting + nesting, "<li>", markup, width, after, "</li>")
            yield where, value

    def _write_too_deep(self, branch: Branch, place: _Place) -> None:
        said = (f"  … {_levels(branch):,} more levels, which a script opens", "muted")
        head = styled_html((*branch.head.spans, ("…", "muted"), *branch.tail.spans))
        self._write_line(place, head + place.after + styled_html((said,)))


def _atoms_html(branch: Branch, positions: range, margin: str) -> str:
    """Many plain values at once: most of what large objects hold."""
    start, after = f"<li>{margin}", f"{escape(branch.separator)}</li>"
    values = map(atom_html, branch.values[positions.start : positions.stop])
    if branch.labels is None:
        return "".join([f"{start}{value}{after}" for value in values])
    labels = (styled_html(label_spans(branch, position)) for position in positions)
    return "".join(
        [f"{start}{label}{value}{after}" for label, value in zip(labels, values, strict=True)]
    )


def _filled_html(branch: Branch, positions: range, margin: str, width: int) -> str:
    """Many short values, several on a line: each an item, with a line break where a line ends."""
    after = escape(branch.separator)
    parts: list[str] = []
    start = positions.start
    for end in row_ends(branch, positions, width - len(margin)):
        for position in range(start, end):
            before = margin if position == start else " "
            stop = "\n" if position == end - 1 and end < positions.stop else ""
            parts.append(f"<li>{before}{atom_html(branch.values[position])}{after}{stop}</li>")
        start = end
    return "".join(parts)


def _summary_html(branch: Branch, room: int, place: _Place, *, unfolded: bool) -> str:
    """The first line of a branch: its head when open, all there is room for when folded.

    Without a tail there is no last line, so the first one takes what follows the branch. Styles
    choose between the two; where a program takes styles away, `hidden` makes the first choice
    (with a value, for JupyterLab takes attributes without one away, too).
    """
    head = list(branch.head.spans)
    folded = short_spans(branch, room)
    if folded == head or branch.folded is branch.head:
        return styled_html(head) + place.after
    opened, closed = ("op", "fo hidden=1") if unfolded else ("op hidden=1", "fo")
    after = "" if branch.tail.spans else f"<span class={opened}>{place.after}</span>"
    if folded[: len(head)] == head:
        rest = styled_html(folded[len(head) :])
        return f"{styled_html(head)}{after}<span class={closed}>{rest}{place.after}</span>"
    return (
        f"<span class={opened}>{styled_html(head)}</span>{after}"
        f"<span class={closed}>{styled_html(folded)}{place.after}</span>"
    )


def _look_inside(branch: Branch) -> tuple[list[int], bool]:
    """The numbers of a short branch and those inside it, and whether it holds more than text.

    A link, a picture or rich output needs a line of its own.
    """
    numbers: list[int] = []
    pending = [branch]
    looked = 0
    while pending and looked < _LOOK:
        inner = pending.pop()
        looked += 1 + len(inner.values)
        if inner.number:
            numbers.append(inner.number)
        for value in inner.values[:_LOOK]:
            if isinstance(value, Branch):
                pending.append(value)
            elif isinstance(value, Reference | Picture | Foreign):
                return numbers, True
    return numbers, False


def _note_html(branch: Branch) -> str:
    return f"  {styled_html(branch.note.spans)}" if branch.note.spans else ""


def _omitted_html(branch: Branch, shown: int, margin: str) -> str:
    omitted = branch.omitted
    if omitted is not None:
        omitted += len(branch.values) - shown
    if omitted == 0:
        return ""
    said = omitted_span(omitted, branch.omitted_name, more=shown > 0)
    return f"<li class=om>{margin}{styled_html((said,))}</li>"


def _levels(branch: Branch) -> int:
    """How many levels of branches there are, this one included."""
    levels, row = 0, [branch]
    while row:
        levels += 1
        row = [child for parent in row for child in parent.values if isinstance(child, Branch)]
    return levels
