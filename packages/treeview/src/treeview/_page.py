"""A document as HTML that folds without scripts.

An open branch is a `details` element whose summary is its first line and whose children are the
items of a list; everything that fits on one line is just that line. Lines carry their own
indentation as text, so that what a reader selects and copies is what the text output prints.

The writer works through the document with an explicit stack and appends to a list of strings that
is joined once. Two things bound what it writes. Browsers stop nesting elements at about 512 levels
and a branch takes three, so below `DEEPEST` levels it says how many are left out. A page of more
than `MOST_LINES` lines is no longer pleasant to use, so what is beyond is counted.

Paths are not repeated at every node: a list says how its items are reached (`data-k`: by position,
by the name or by the key that stands in front), and only items that follow no rule carry a step
of their own (`data-p`).
"""

import os
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from treeview._document import (
    ATOM_TYPES,
    Atom,
    Branch,
    Foreign,
    IndexSteps,
    Node,
    Picture,
    Reference,
    Text,
)
from treeview._inline import (
    atom_span,
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
    Markup,
    Sheet,
    atom_html,
    css_color,
    escape,
    escape_source,
    script_element,
    style_element,
    styled_html,
)
from treeview._paths import python_path
from treeview._pictures import picture_html

DEEPEST = 150
MOST_LINES = 50_000
# Below so many foldable branches a search field and buttons are only in the way.
_SCRIPT_BRANCHES = 12
# A line of text cannot hold more nodes than that.
_LOOK = 200


def document_markup(
    root: Node, *, opened: Collection[int], width: int = 80, stretch: int | None = None
) -> Markup:
    """A document as a piece of HTML.

    Args:
        root: The document.
        opened: The `id` of each branch that starts open.
        width: Columns up to which a branch that is not open stands on one line in full.
        stretch: How many children of a branch are in view when it opens; the rest is behind a
            fold of its own. None for all.

    Returns:
        The markup, which needs no script to fold.
    """
    writer = _Writer(opened, width, MOST_LINES if stretch is None else stretch)
    writer.write(root)
    return Markup(
        "".join(writer.parts), frozenset(writer.sheets), writer.branches >= _SCRIPT_BRANCHES
    )


def page_html(parts: Sequence[Markup], title: str) -> str:
    """A complete page that needs nothing but itself.

    Args:
        parts: What stands on it, from top to bottom.
        title: Its title.

    Returns:
        An HTML document.
    """
    sheets = {REPORT}.union(*(part.sheets for part in parts))
    script = script_element() if BRANCHES in sheets else ""
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

    def __init__(self, opened: Collection[int], width: int, stretch: int) -> None:
        self.parts: list[str] = []
        self.sheets: set[Sheet] = set()
        self.branches = 0
        self._opened = opened
        self._width = width
        self._stretch = stretch
        self._lines = 0
        self._frames: list[_Frame] = []
        # The same page may hold other outputs, and another copy of this document.
        self._name = f"tv{os.urandom(4).hex()}"

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

    def _write_line(self, place: _Place, content: str, note: str = "") -> None:
        indentation = "  " * place.depth
        self.parts.append(
            f"{place.start}{indentation}{place.label}{content}{place.after}{note}{place.stop}"
        )

    def _write_picture(self, picture: Picture, place: _Place) -> None:
        self.sheets.add(PICTURES)
        indentation = "  " * place.depth if place.label else ""
        figure = picture_html(picture, place.depth)
        self.parts.append(f"{place.start}{indentation}{place.label}{figure}{place.stop}")

    def _write_foreign(self, foreign: Foreign, place: _Place) -> None:
        # Scripts may run in there, but as a stranger: without `allow-same-origin` they reach
        # neither the page nor its storage.
        self.sheets.add(BRANCHES)
        unfolded = "" if place.start else " open"
        self.parts.append(
            f"{place.start}<details{unfolded}><summary><i>{'  ' * place.depth}</i>{place.label}"
            f"{styled_html(foreign.fallback.spans)}{place.after}</summary>"
            f'<iframe sandbox="allow-scripts" loading="lazy" style="--d:{place.depth}"'
            f' title="{escape(foreign.fallback.plain)}"'
            f' srcdoc="{escape_source(foreign.html)}"></iframe></details>{place.stop}'
        )

    def _write_branch(self, branch: Branch, place: _Place) -> None:
        unfolded = id(branch) in self._opened
        line = None
        if not branch.values and branch.omitted == 0:
            line = [*branch.head.spans, *branch.tail.spans]
        elif not unfolded:
            line = flat_spans(branch, self._room(place))
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
        return self._width - 2 * place.depth - place.columns - len(place.after)

    def _open_branch(self, branch: Branch, place: _Place, *, unfolded: bool) -> None:
        self.branches += 1
        self.sheets.add(BRANCHES)
        indentation = "  " * place.depth
        identity = f" id={self._name}-{branch.number}" if branch.number else ""
        color = css_color(branch.color)
        tint = f' class=co style="--tv-c:{color}"' if color else ""
        rule, steps = _step_rule(branch)
        if fills_lines(branch):
            rule += " class=fl"
        count = min(len(branch.values), MOST_LINES - self._lines)
        self._lines += count
        self.parts.append(
            f"{place.start}<details{' open' if unfolded else ''}{identity}{tint}><summary>"
            f"<i>{indentation}</i>{place.label}{_summary_html(branch, self._room(place), place)}"
            f"{_note_html(branch)}</summary><ul style=--d:{place.depth}{rule}>"
        )
        closing = f"{_omitted_html(branch, count, place.depth + 1)}</ul>"
        if branch.tail.spans:
            closing += f"{indentation}{styled_html(branch.tail.spans)}{place.after}"
        closing += f"</details>{place.stop}"
        first = count if count <= self._stretch + 1 else self._stretch
        if first < count:
            # The frame that is pushed last is written first.
            rest = range(first, count)
            hidden = omitted_span(len(rest), branch.omitted_name)
            items = self._items(branch, rest, steps, place, 2)
            self._frames.append(_Frame(items, f"</ul></details></li>{closing}"))
            closing = (
                f"<li class=re><details><summary><i>{indentation}  </i>{styled_html((hidden,))}"
                f"</summary><ul data-n={first}{rule}>"
            )
        items = self._items(branch, range(first), steps, place, 1)
        self._frames.append(_Frame(items, closing))

    def _items(
        self,
        branch: Branch,
        positions: range,
        steps: Sequence[str | None] | None,
        place: _Place,
        nesting: int,
    ) -> Iterator["tuple[_Place, Node] | str"]:
        """The children at some positions; where all are plain values, their markup at once."""
        depth = place.depth + 1
        values = branch.values[positions.start : positions.stop]
        if fills_lines(branch):
            yield _filled_html(branch, positions, steps, depth, self._width - 2 * depth)
            return
        if steps is None and set(map(type, values)) <= ATOM_TYPES:
            yield _atoms_html(branch, positions, depth)
            return
        after = escape(branch.separator)
        for position, value in zip(positions, values, strict=True):
            step = steps[position] if steps is not None and position < len(steps) else None
            start = "<li>" if step is None else f'<li data-p="{escape(step)}">'
            label = label_spans(branch, position)
            width, markup = spans_width(label), styled_html(label)
            where = _Place(depth, place.nesting + nesting, start, markup, width, after, "</li>")
            yield where, value

    def _write_too_deep(self, branch: Branch, place: _Place) -> None:
        said = (f"  … {_levels(branch):,} more levels are not in this page", "muted")
        head = styled_html((*branch.head.spans, ("…", "muted"), *branch.tail.spans))
        self._write_line(place, head + place.after + styled_html((said,)))


def _atoms_html(branch: Branch, positions: range, depth: int) -> str:
    """Many plain values at once: most of what large objects hold."""
    start, after = f"<li>{'  ' * depth}", f"{escape(branch.separator)}</li>"
    values = map(atom_html, branch.values[positions.start : positions.stop])
    if branch.labels is None:
        return "".join([f"{start}{value}{after}" for value in values])
    labels = (styled_html(label_spans(branch, position)) for position in positions)
    return "".join(
        [f"{start}{label}{value}{after}" for label, value in zip(labels, values, strict=True)]
    )


def _filled_html(
    branch: Branch, positions: range, steps: Sequence[str | None] | None, depth: int, space: int
) -> str:
    """Short values, several on a line: each an item of its own, the last one with the break."""
    after = escape(branch.separator)
    parts: list[str] = []
    start = positions.start
    for end in row_ends(branch, positions, space):
        for position in range(start, end):
            step = steps[position] if steps is not None and position < len(steps) else None
            path = "" if step is None else f' data-p="{escape(step)}"'
            before = "  " * depth if position == start else " "
            stop = "\n" if position == end - 1 and end < positions.stop else ""
            value = atom_html(branch.values[position])
            parts.append(f"<li{path}>{before}{value}{after}{stop}</li>")
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


def _omitted_html(branch: Branch, shown: int, depth: int) -> str:
    omitted = branch.omitted
    if omitted is not None:
        omitted += len(branch.values) - shown
    if omitted == 0:
        return ""
    said = omitted_span(omitted, branch.omitted_name, more=shown > 0)
    return f"<li class=om>{'  ' * depth}{styled_html((said,))}</li>"


def _step_rule(branch: Branch) -> tuple[str, Sequence[str | None] | None]:
    """How a reader finds the steps to the children.

    Returns:
        An attribute for the list, where the steps follow from positions or labels, and None; or
        no attribute and the step of each child as Python text, None where there is no path.
    """
    steps, labels, count = branch.steps, branch.labels, len(branch.values)
    if not len(steps):
        return "", None
    if isinstance(steps, IndexSteps) and len(steps) >= count:
        return " data-k=i", None
    texts = [python_path((steps[position],)) for position in range(min(len(steps), count))]
    if texts == [f"[{position}]" for position in range(count)]:
        return " data-k=i", None
    if labels is not None:
        shown = [_label_text(label) for label in labels]
        if texts == [f".{label}" for label in shown]:
            return " data-k=a", None
        if texts == [f"[{label}]" for label in shown]:
            return " data-k=k", None
    return "", texts


def _label_text(label: Text | Atom) -> str:
    return label.plain if isinstance(label, Text) else atom_span(label)[0]


def _levels(branch: Branch) -> int:
    """How many levels of branches there are, this one included."""
    levels, row = 0, [branch]
    while row:
        levels += 1
        row = [child for parent in row for child in parent.values if isinstance(child, Branch)]
    return levels
