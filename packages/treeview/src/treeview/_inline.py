"""Nodes on one line: in full where they fit, else shortened with a count of what is left out."""

from collections.abc import Sequence
from functools import lru_cache
from unicodedata import combining, east_asian_width

from treeview._document import (
    Branch,
    Foreign,
    Node,
    Picture,
    Reference,
    Span,
    Style,
    Text,
    text,
)

ELLIPSIS = "…"
NESTING = 8
"""Branches within one another that are still legible on one line."""

_WORD = 20
"""Strings up to this length are words, of which several stand on a line."""

_ATOM_STYLES: dict[type, Style] = {
    **dict.fromkeys((type(None), bool, type(...)), "keyword"),
    **dict.fromkeys((int, float, complex), "number"),
    **dict.fromkeys((str, bytes), "string"),
}
_ATOM_KINDS = frozenset(_ATOM_STYLES)


def text_width(line: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if line.isascii():
        return len(line)
    return sum(map(_character_width, line))


def spans_width(spans: Sequence[Span]) -> int:
    """How many columns styled text takes."""
    if len(spans) == 1:
        return text_width(spans[0][0])
    return text_width("".join([piece for piece, _ in spans])) if spans else 0


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1


def atom_span(atom: object) -> Span:
    """An atom as Python writes it."""
    return repr(atom), _ATOM_STYLES[type(atom)]


def node_text(node: Node) -> Text:
    """The line that stands for a node without children."""
    match node:
        case Text():
            return node
        case Reference():
            return node.text
        case Foreign():
            return node.fallback
        case Picture():
            return text((f"<picture: {node.description}>", "array"))
        case _:
            return text(atom_span(node))


def node_spans(node: Node) -> Sequence[Span]:
    """The spans of `node_text`, without a text around those of an atom."""
    return node_text(node).spans if type(node) not in _ATOM_KINDS else (atom_span(node),)


def label_spans(branch: Branch, index: int) -> list[Span]:
    """The label of a child with its joint, or nothing."""
    if branch.labels is None or index >= len(branch.labels):
        return []
    label = branch.labels[index]
    spans = list(label.spans) if isinstance(label, Text) else [atom_span(label)]
    if spans and branch.joint:
        spans.append((branch.joint, "plain"))
    return spans


def omitted_span(omitted: int | None, name: str, *, more: bool = True) -> Span:
    """What stands for children that are left out, such as `… 900 more items`."""
    if omitted is None:
        return f"{ELLIPSIS} more {name}".rstrip(), "muted"
    word = "more " if more else ""
    if omitted == 1 and name.endswith("s"):
        name = name[:-1]
    return f"{ELLIPSIS} {omitted:,} {word}{name}".rstrip(), "muted"


def abbreviate(branch: Branch) -> None:
    """Folds a branch of a walk that is still going on to its name and size: `[… 3 items]`."""
    count = None if branch.omitted is None else branch.omitted + len(branch.values)
    if not branch.values and not count:
        return
    branch.opened, branch.inline = False, False
    if branch.folded is None:
        size = omitted_span(count, branch.omitted_name, more=False)
        branch.folded = text(branch.head, size, branch.tail)


def keeps_comma(branch: Branch) -> bool:
    """Whether the last child keeps its separator on one line: a tuple of one item."""
    return (
        len(branch.values) == 1
        and branch.separator == ","
        and branch.labels is None
        and (branch.head.plain == "(" or branch.head.plain.endswith("(("))
    )


def fills_lines(branch: Branch) -> bool:
    """Whether an open branch writes several children on each line: many numbers or words."""
    values = branch.values
    if branch.labels is not None or not branch.separator or len(values) < 3:
        return False
    kinds = set(map(type, values))
    if not kinds <= _ATOM_STYLES.keys():
        return False
    return not kinds & {str, bytes} or all(
        len(value) <= _WORD for value in values if isinstance(value, str | bytes)
    )


def row_ends(branch: Branch, positions: range, space: int, most: int | None = None) -> list[int]:
    """Where the lines end that are filled with children of a branch.

    Args:
        branch: A branch that `fills_lines`.
        positions: Which children to write.
        space: Columns of a line; one that holds a single child may be longer.
        most: How many lines at most; None for all.

    Returns:
        For each line the position after its last child.
    """
    gap = len(branch.separator)
    ends: list[int] = []
    used = -1  # the first child of a line has no space before it
    written = map(repr, map(branch.values.__getitem__, positions))
    for position, piece in zip(positions, written, strict=True):
        width = (len(piece) if piece.isascii() else text_width(piece)) + gap
        used += 1 + width
        if used > space and used > width:
            ends.append(position)
            used = width
            if len(ends) == most:
                return ends
    return [*ends, positions.stop] if len(positions) else ends


def row_spans(branch: Branch, start: int, stop: int) -> list[Span]:
    """The children of a branch from one position to another, as they stand on a filled line."""
    spans = _atom_spans(branch.values[start:stop], branch.separator) or []
    return [*spans, (branch.separator, "plain")]


def flat_spans(
    node: Node, limit: int, nesting: int = NESTING, *, styled: bool = True
) -> list[Span] | None:
    """A node in full on one line, or None if it does not fit.

    No more than `limit` pieces are ever looked at, whatever the size of the node.

    Args:
        node: The node.
        limit: Columns there are.
        nesting: How many branches may stand within one another.
        styled: Whether rows of atoms carry the styles of each, which takes time.
    """
    if not isinstance(node, Branch):
        spans = node_spans(node)
        return list(spans) if spans_width(spans) <= limit else None
    row = _Row(limit)
    if not _may_be_flat(node, limit, nested=False) or not row.add(node.head.spans):
        return None
    if _is_deeper(node, nesting):
        return None
    # Branches that are not finished, outermost first, each with its children to come.
    stack = [(node, iter(_first_flat(row, node, styled=styled)))]
    while stack and len(stack) <= nesting and row.room >= 0:
        branch, indices = stack[-1]
        for index in indices:
            value = branch.values[index]
            row.add(_flat_label(branch, index))
            if isinstance(value, Branch):
                if not _may_be_flat(value, row.room, nested=True):
                    return None
                row.add(value.head.spans)
                stack.append((value, iter(_first_flat(row, value, styled=styled))))
                break
            if not row.add(node_spans(value)):
                return None
        else:
            stack.pop()
            row.add(_flat_ending(branch))
    return None if stack or row.room < 0 else row.spans


def _is_deeper(branch: Branch, levels: int) -> bool:
    """Whether its outermost children alone are nested deeper than that: a quick look at chains."""
    for _ in range(levels):
        values = branch.values
        child = values[-1] if values else None
        if type(child) is not Branch:
            child = values[0] if values else None
            if type(child) is not Branch:
                return False
        branch = child
    return True


class _Row:
    """A line that is being written, and the columns that are left."""

    __slots__ = ("room", "spans")

    def __init__(self, room: int) -> None:
        self.room = room
        self.spans: list[Span] = []

    def add(self, spans: Sequence[Span]) -> bool:
        """Appends text; returns whether it still fits."""
        self.spans += spans
        self.room -= spans_width(spans)
        return self.room >= 0


def _first_flat(row: _Row, branch: Branch, *, styled: bool) -> range:
    """Writes the children of a branch if they are all atoms; returns those still to be written."""
    spans: list[Span] | None = None
    if branch.labels is None:
        spans = _atom_spans(branch.values, branch.separator, styled=styled)
    elif not styled and (entries := atom_entries(branch, len(branch.values))) is not None:
        spans = [(f"{branch.separator} ".join(entries), "plain")]
    if spans is None:
        return range(len(branch.values))
    row.add(spans)
    return range(0)


def atom_entries(branch: Branch, count: int) -> list[str] | None:
    """The first children of a branch with their labels, or None if they are not all atoms.

    Most of a large object is entries of this kind, whose text is found without looking at spans.
    """
    values, labels, joint = branch.values[:count], branch.labels, branch.joint
    if not set(map(type, values)) <= _ATOM_KINDS:
        return None
    if labels is None:
        return list(map(repr, values))
    if len(labels) < len(values):
        return None
    if set(map(type, labels)) <= _ATOM_KINDS:
        return [f"{label!r}{joint}{value!r}" for label, value in zip(labels, values, strict=False)]
    written = ("".join([piece for piece, _ in label_spans(branch, i)]) for i in range(len(values)))
    return [f"{label}{value!r}" for label, value in zip(written, values, strict=True)]


def _atom_spans(
    values: Sequence[Node], separator: str, *, styled: bool = True
) -> list[Span] | None:
    """Values and what separates them, or None if they are not all atoms."""
    kinds = set(map(type, values))
    if not kinds <= _ATOM_KINDS:
        return None
    if not styled:
        return [(f"{separator} ".join(map(repr, values)), "plain")]
    spans: list[Span] = [(f"{separator} ", "plain")] * max(2 * len(values) - 1, 0)
    if len(kinds) == 1:
        style = _ATOM_STYLES[kinds.pop()]
        spans[::2] = [(written, style) for written in map(repr, values)]
    else:
        spans[::2] = [(repr(value), _ATOM_STYLES[type(value)]) for value in values]
    return spans


def _flat_label(branch: Branch, index: int) -> list[Span]:
    """What stands on one line between a child and the one before it."""
    gap: list[Span] = [(f"{branch.separator} ", "plain")] if index else []
    return gap + label_spans(branch, index)


def _may_be_flat(branch: Branch, limit: int, *, nested: bool) -> bool:
    least = len(branch.values) * (len(branch.separator) + 2)
    if not branch.inline or branch.opened is True or least > limit + 2:
        return False
    # A comment ends a line; within one it is dropped, but not if it tells of damage.
    spans = branch.note.spans
    return not (nested and spans) or all(style != "error" for _, style in spans)


def _flat_ending(branch: Branch) -> list[Span]:
    """What follows the last child of a branch on one line."""
    spans: list[Span] = []
    if branch.omitted != 0:
        if branch.values:
            spans.append((f"{branch.separator} ", "plain"))
        spans.append(omitted_span(branch.omitted, branch.omitted_name, more=bool(branch.values)))
    elif keeps_comma(branch):
        spans.append((",", "plain"))
    spans += branch.tail.spans
    return spans


def short_spans(node: Node, limit: int) -> list[Span]:
    """A node on one line of at most `limit` columns: in full, or shortened.

    What cannot be shortened, an atom or the bare name of a class, may be longer.
    """
    whole = flat_spans(node, limit)
    if whole is not None:
        return whole
    if type(node) in _ATOM_STYLES:
        return [atom_span(node)]
    if not isinstance(node, Branch):
        return cut_spans(list(node_text(node).spans), limit)
    if node.folded is not None:
        return cut_spans(list(node.folded.spans), limit)
    if not node.values and node.omitted == 0:
        return cut_spans([*node.head.spans, *node.tail.spans], limit)
    return _Elided(node, limit).spans()


class _Elided:
    """A branch on one line: head, the first children, the count of the others, tail.

    Attributes:
        body: The line between head and tail.
        count: How many children have a place in it.
        whole: Which of the branches among them are written in full.
    """

    def __init__(self, branch: Branch, limit: int) -> None:
        self.branch = branch
        # What is shortened anyway leaves room for its comment.
        note = spans_width(branch.note.spans) + 2
        self.limit = limit - note if 2 < note < limit // 2 else limit
        self.count = 0
        self.whole: list[Branch] = []
        hidden = None if branch.omitted is None else branch.omitted + len(branch.values)
        self.body = [omitted_span(hidden, branch.omitted_name, more=False)]
        self._fill(hidden)

    def _fill(self, hidden: int | None) -> None:
        branch = self.branch
        room = self.limit - spans_width(branch.head.spans) - spans_width(branch.tail.spans)
        body: list[Span] = []
        separator = f"{branch.separator} "
        for index, value in enumerate(branch.values):
            label = label_spans(branch, index)
            left = None if hidden is None else hidden - index - 1
            after = [] if left == 0 else [omitted_span(left, "")]
            space = room - spans_width(body) - spans_width(after) - len(separator)
            space -= spans_width(label)
            flat = flat_spans(value, space)
            spans = flat or _stub_spans(value, space)
            if spans is None:
                break
            self.count += 1
            if flat and isinstance(value, Branch):
                self.whole.append(value)
            body += label
            body += spans
            if after:
                body.append((separator, "plain"))
            self.body = [*body, *after]

    def spans(self) -> list[Span]:
        """The line."""
        head, tail = self.branch.head.spans, self.branch.tail.spans
        spans = [*head, *self.body, *tail]
        return spans if spans_width(spans) <= self.limit else [*head, (ELLIPSIS, "muted"), *tail]


def written_children(branch: Branch, limit: int) -> tuple[int, list[Branch]]:
    """What `short_spans` writes of a branch that it has to shorten.

    Returns:
        How many children have a place on the line, and the branches that are there in full.
    """
    if branch.folded is not None:
        return 0, []
    elided = _Elided(branch, limit)
    return elided.count, elided.whole


def _stub_spans(node: Node, limit: int) -> list[Span] | None:
    """The shortest form of a branch, such as `Linear(…)`, if it fits."""
    if not isinstance(node, Branch):
        return None
    spans: list[Span]
    if node.folded is None:
        spans = [*node.head.spans, (ELLIPSIS, "muted"), *node.tail.spans]
    else:
        spans = list(node.folded.spans)
    return spans if spans_width(spans) <= limit else None


def cut_spans(spans: list[Span], limit: int) -> list[Span]:
    """Styled text cut to `limit` columns, with an ellipsis where something is missing."""
    if spans_width(spans) <= limit:
        return spans
    kept: list[Span] = []
    room = limit - 1
    for piece, style in spans:
        width = text_width(piece)
        if width > room:
            kept.append((_cut(piece, room), style))
            break
        kept.append((piece, style))
        room -= width
    return [*kept, (ELLIPSIS, "muted")]


def _cut(piece: str, limit: int) -> str:
    for end, character in enumerate(piece):
        limit -= _character_width(character)
        if limit < 0:
            return piece[:end]
    return piece


def inline_text(node: Node, limit: int, nesting: int = NESTING) -> Text:
    """A node as a text of one line, of at most `limit` columns if it can be shortened to that."""
    return Text(tuple(flat_spans(node, limit, nesting) or short_spans(node, limit)))
