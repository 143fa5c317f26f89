"""A document as HTML that folds without scripts.

An open branch is a `details` element whose summary is its first line and whose children are the
items of a list; everything that fits on one line is just that line. Lines carry their own
indentation as text, so that what a reader selects and copies is what the text output prints.

The writer works through the document with an explicit stack and appends to a list of strings that
is joined once. Two things bound what it writes. Browsers stop nesting elements at about 512 levels
and a branch takes three, so below `DEEPEST` levels it says how many are left out. And of a document
of more than `MOST_LINES` lines only the first levels become markup; all of it is in the payload
(`_payload.py`), from which the script builds lines as they are needed.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from treeview._cells import MOST_BYTES, CellData
from treeview._document import (
    ATOM_TYPES,
    Branch,
    Foreign,
    Node,
    Picture,
    Reference,
    Text,
)
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
    REPORT,
    SCRIPT,
    Markup,
    Sheet,
    atom_html,
    css_color,
    escape,
    escape_source,
    script_elements,
    style_element,
    styled_html,
)
from treeview._payload import Payload, payload_element
from treeview._pictures import picture_html

DEEPEST = 150
MOST_LINES = 2_000
"""Lines up to which all of a document becomes markup."""

FIRST_LINES = 100
"""How many lines of a longer document do."""

MOST_PIXELS = 64_000
"""How many pixels of pictures a document that brings the script holds as images."""

_IN_VIEW = 40
_LEAST_SPACE = 40
# A notebook keeps every output, so those of one or two screens do without the script.
SCRIPT_VALUES = 300
# Below so many foldable branches a search field and buttons are only in the way.
_BAR_BRANCHES = 12
# A line of text cannot hold more nodes than that.
_LOOK = 200
_UNLIMITED = 2**62
# Pixels and nothing else, which need no sandbox.
_IMAGE = re.compile(
    r'<img(?: alt="[^"<>&]*")? src="(data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*)">'
)
# What is in a sandbox cannot be measured from outside, so it says itself how high it is.
_MEASURE = (
    "<script>(()=>{const root=document.documentElement;const say=()=>parent.postMessage("
    "{treeviewHeight:root.getBoundingClientRect().height},'*');"
    "new ResizeObserver(say).observe(root);say()})()</script>"
)


def document_markup(
    root: Node,
    *,
    opened: Mapping[int, int],
    width: int = 80,
    stretch: int | None = None,
    complete: bool = False,
    exact: Node | None = None,
    reason: str = "",
) -> Markup:
    """A document as a piece of HTML.

    Args:
        root: The document.
        opened: The `id` of each branch that starts open, and how many of its children are in view.
        width: Columns up to which a branch that is not open stands on one line in full.
        stretch: How many children of any other branch are in view when it opens; the rest is
            behind a fold of its own. None for all.
        complete: Whether all branches start open that do not fit on a line.
        exact: The document of the same value in a roundtrip, which the script can show instead.
        reason: Why there is none, where there might be one.

    Returns:
        The markup, which needs no script to fold.
    """
    payload = Payload(root, opened)
    size = len(payload.lines)
    writer = _Writer(opened, width, stretch, {id(view): at for at, view in payload.views.items()})
    if size > MOST_LINES:
        writer.keep_to(_first_levels(root, opened, FIRST_LINES), FIRST_LINES)
    if size > SCRIPT_VALUES:
        writer.draw_first(MOST_PIXELS)
    writer.write(root)
    if not payload.branches and not payload.views:
        return Markup("".join(writer.parts), frozenset(writer.sheets))
    if size > MOST_LINES:
        writer.parts.append(
            f"<p class=tv-said>These are the first levels of {size:,} values. A script opens the"
            " others, and it does not run here.</p>"
        )
    known, more, templates = _views_markup(root, payload.views, writer)
    settings = {"all": complete, "least": _BAR_BRANCHES, "root": ""}
    if exact is None and reason and not payload.is_plain:
        settings["reason"] = reason
    text = payload.text(width=width, stretch=stretch, **settings)
    return Markup(
        "".join(writer.parts) + known,
        frozenset(writer.sheets),
        size > SCRIPT_VALUES,
        f"{more}{templates}{payload_element(text)}{_exact_element(exact, payload, width)}",
        any(map(_is_framed, payload.views.values())),
        bool(known or more),
    )


def _views_markup(
    root: Node, views: Mapping[int, Picture | Foreign], writer: "_Writer"
) -> tuple[str, str, str]:
    """What scripts need besides the markup: values of its pictures, other pictures, rich output."""
    is_alone = isinstance(root, Picture)
    cells = CellData(None if is_alone else MOST_BYTES)
    shown = {at: view for at, view in views.items() if id(view) in writer.written}
    cells.add({at: view for at, view in shown.items() if isinstance(view, Picture) and view.grids})
    waiting = {at: view for at, view in views.items() if at not in shown}
    figures = CellData(cells.room)
    figures.add_figures({at: view for at, view in waiting.items() if isinstance(view, Picture)})
    templates = [writer.template(view) for view in waiting.values() if isinstance(view, Foreign)]
    known, more = cells.element(name="tv-cells"), figures.element(name="tv-more-cells")
    if more:
        writer.sheets |= {PICTURES, BRANCHES}
    return known, more, "".join(templates)


def foreign_markup(foreign: Foreign) -> Markup:
    """Rich output alone, without a line that folds it."""
    html = _foreign_html(foreign, 'style="--d:0"')
    return Markup(html, frozenset({BRANCHES}), framed=_is_framed(foreign))


def _foreign_html(foreign: Foreign, place: str) -> str:
    name = escape(foreign.fallback.plain)
    if image := _IMAGE.fullmatch(foreign.html):
        return f'<img class=tv-rich {place} alt="{name}" src="{image[1]}">'
    # Scripts may run in there, but as a stranger: without `allow-same-origin` they reach
    # neither the page nor its storage.
    return (
        f'<iframe class=tv-rich sandbox="allow-scripts" loading="lazy" {place} title="{name}"'
        f' srcdoc="{escape_source(foreign.html + _MEASURE)}"></iframe>'
    )


def _is_framed(view: Picture | Foreign) -> bool:
    return isinstance(view, Foreign) and _IMAGE.fullmatch(view.html) is None


def _exact_element(root: Node | None, shown: Payload, width: int) -> str:
    """The payload of a roundtrip, where it says something else and is nothing but text."""
    payload = None if root is None else Payload(root, {})
    if payload is None or payload.views or payload.reads_like(shown):
        return ""
    return payload_element(payload.text(width=width))


def figure_templates(views: Mapping[int, Picture | Foreign]) -> str:
    """The pictures and rich output of a payload as templates, for a script that shows it.

    Args:
        views: What to show, by its position among the leaves of the payload.
    """
    writer = _Writer({}, _UNLIMITED, None, {id(view): at for at, view in views.items()})
    return "".join(map(writer.template, views.values()))


def count_lines(root: Node, most: int) -> int:
    """How many nodes a document has; `most` if there are at least that many."""
    count, row = 0, [root]
    while row and count < most:
        count += len(row)
        row = [
            value
            for node in row
            if isinstance(node, Branch)
            for value in node.values[: most - count]
        ]
    return min(count, most)


def _first_levels(root: Node, opened: Mapping[int, int], most: int) -> set[int]:
    """The ids of branches, level by level from the root, whose children make `most` lines."""
    kept: set[int] = set()
    row = [root] if isinstance(root, Branch) else []
    lines = 0
    while row and lines < most:
        # What is open goes first, for that is what a reader sees.
        row.sort(key=lambda branch: id(branch) not in opened)
        below: list[Branch] = []
        for branch in row:
            shown = branch.values[: min(opened.get(id(branch), _IN_VIEW), most - lines)]
            lines += len(shown)
            kept.add(id(branch))
            below += [value for value in shown if isinstance(value, Branch)]
            if lines >= most:
                break
        row = below
    return kept


def page_html(parts: Sequence[Markup], title: str) -> str:
    """A complete page that needs nothing but itself.

    Args:
        parts: What stands on it, from top to bottom.
        title: Its title.

    Returns:
        An HTML document.
    """
    sheets = {REPORT}.union(*(part.sheets for part in parts))
    if any(part.interactive for part in parts):
        sheets.add(SCRIPT)
    script = script_elements(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>{style_element(sheets)}</head>\n"
        f'<body class="treeview-page"><main>{"".join(part.html for part in parts)}</main>'
        f"{script}</body></html>\n"
    )


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


class _Writer:
    """Writes one document; `parts` joined are its HTML."""

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
        return _foreign_html(foreign, place)

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
            f"<i>{indentation}</i>{place.label}{_summary_html(branch, self._room(place), place)}"
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


def _summary_html(branch: Branch, room: int, place: _Place) -> str:
    """The first line of a branch: its head when open, all there is room for when folded.

    Without a tail there is no last line, so the first one takes what follows the branch.
    """
    head = list(branch.head.spans)
    folded = short_spans(branch, room)
    if folded == head:
        return styled_html(head) + place.after
    after = "" if branch.tail.spans else f"<span class=op>{place.after}</span>"
    if folded[: len(head)] == head:
        rest = styled_html(folded[len(head) :])
        return f"{styled_html(head)}{after}<span class=fo>{rest}{place.after}</span>"
    return (
        f"<span class=op>{styled_html(head)}</span>{after}"
        f"<span class=fo>{styled_html(folded)}{place.after}</span>"
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
