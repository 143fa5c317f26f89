"""From a document and a width to lines.

First a plan says which branches open: level by level from the root, within a number of lines, so
that what is deepest stays folded. The branches of one level share the lines that are left: those
that need little get it, the others get equal parts and show as many children as that allows.
Then one loop writes the lines. A branch that is not in the plan stands on one line, in full where
it fits and shortened where it does not. Numbers and words without labels fill the lines of an open
branch; everything else has a line of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from treeview._document import Branch, Node, Span
from treeview._inline import (
    atom_entries,
    cut_spans,
    fills_lines,
    flat_spans,
    label_spans,
    omitted_span,
    row_ends,
    row_spans,
    short_spans,
    spans_width,
    written_children,
)

INDENT = 2
_PARTIAL = 8
"""The least number of lines for which a branch is opened only in part."""

_UNLIMITED = 2**62
_ROWS = 3
"""Lines of numbers or words that tell as much as a page of them."""

_LEAST_SPACE = 40
"""Columns that indentation leaves free."""

_NOTE_SPACE = 12
"""The least number of columns in which a comment is written."""


class Line(NamedTuple):
    """One line of output.

    Attributes:
        level: How many levels it is indented.
        spans: Its text.
    """

    level: int
    spans: tuple[Span, ...]

    @property
    def plain(self) -> str:
        """The line without styles, indented."""
        level, spans = self
        written = spans[0][0] if len(spans) == 1 else "".join([piece for piece, _ in spans])
        return f"{' ' * (INDENT * level)}{written}"


class _Entries(NamedTuple):
    """Lines that hold nothing but atoms.

    Attributes:
        level: How many levels they are indented.
        entries: Their text without what follows each.
        separator: What follows each.
    """

    level: int
    entries: list[str]
    separator: str

    @property
    def plain(self) -> str:
        """The lines, indented."""
        indent = " " * (INDENT * self.level)
        between = f"{self.separator}\n{indent}"
        return f"{indent}{between.join(self.entries)}{self.separator}"

    def lines(self) -> list[Line]:
        """The lines one by one."""
        return [Line(self.level, ((entry + self.separator, "plain"),)) for entry in self.entries]


def open_branches(root: Node, *, width: int, max_lines: int | None) -> set[int]:
    """The ids (`id(branch)`) of the branches that start open.

    Args:
        root: The document.
        width: Columns of a line; a branch that fits into it need not open.
        max_lines: About how many lines may be shown; None for any number.
    """
    return set(_plan(root, width, max_lines, styled=False).shown)


def open_counts(root: Node, *, width: int, max_lines: int | None) -> dict[int, int]:
    """The branches that start open, as `open_branches`, each with how many children are in view."""
    return _plan(root, width, max_lines).shown


def shown_children(root: Node, *, width: int, max_lines: int | None) -> dict[int, int]:
    """How many children of each branch are written, by the id of the branch.

    Branches on lines of their own, in full or shortened on the line of another, all count.

    Args:
        root: The document.
        width: Columns of a line.
        max_lines: About how many lines may be shown; None for any number.
    """
    plan = _plan(root, width, max_lines, styled=False)
    counts = dict(plan.shown)
    pending = list(plan.inline)
    for branch, space in plan.waiting:
        if id(branch) not in counts:
            counts[id(branch)], whole = written_children(branch, space)
            pending += whole
    while pending:
        branch = pending.pop()
        if id(branch) not in counts:
            counts[id(branch)] = len(branch.values)
            pending += [value for value in branch.values if isinstance(value, Branch)]
    return counts


def lay_out(
    root: Node,
    *,
    width: int,
    max_lines: int | None,
    complete: bool = False,
    styled: bool = True,
) -> list[Line]:
    """The lines of a document.

    Args:
        root: The document.
        width: Columns of a line. A line is longer only where one word of it is.
        max_lines: About how many lines there may be; None for any number.
        complete: Whether every word is written, however long the lines, and nothing is folded.
        styled: Whether numbers and words carry their styles, which takes time.
    """
    plan = _plan(root, width, None if complete else max_lines, complete=complete, styled=styled)
    lines: list[Line] = []
    for piece in _pieces(root, plan):
        lines += piece.lines() if isinstance(piece, _Entries) else (piece,)
    return lines


def plain_text(root: Node, *, width: int, max_lines: int | None, complete: bool = False) -> str:
    """What `lay_out` returns as one text without styles, in less time."""
    plan = _plan(root, width, None if complete else max_lines, complete=complete, styled=False)
    return "\n".join([piece.plain for piece in _pieces(root, plan)])


@dataclass(slots=True, eq=False, repr=False)
class _Plan:
    """What is to be written.

    Attributes:
        width: Columns of a line.
        deepest: The level from which on lines are no further indented. Without that limit the
            indentation of a deep tree would take more room than its text.
        shown: For each branch that opens (by its id), how many of its children are written.
        flat: The lines of branches that fit on one.
        inline: These branches.
        waiting: The branches that do not, with the columns they have if they stay folded.
        rows: For each branch whose children fill lines, where these lines end.
        most: About how many lines there may be; None for any number.
        complete: Whether nothing may be shortened.
        styled: Whether rows of numbers and words carry the style of each.
    """

    width: int
    deepest: int
    shown: dict[int, int]
    flat: dict[int, list[Span]]
    inline: list[Branch]
    waiting: list[tuple[Branch, int]]
    rows: dict[int, list[int]]
    most: int | None
    complete: bool
    styled: bool

    def space(self, level: int) -> int:
        """Columns of a line at some level of the tree."""
        return self.width - INDENT * min(level, self.deepest)


class _Candidate(NamedTuple):
    """A branch that does not fit on one line."""

    branch: Branch
    level: int
    lines: int


def _plan(
    root: Node, width: int, max_lines: int | None, *, complete: bool = False, styled: bool = True
) -> _Plan:
    deepest = max((width - _LEAST_SPACE) // INDENT, 2)
    plan = _Plan(width, deepest, {}, {}, [], [], {}, max_lines, complete, styled)
    room = None if max_lines is None else max_lines - 1
    level = _candidates(plan, root, 0, [], 0)
    while level:
        room = _share(level, room, plan)
        below: list[_Candidate] = []
        for candidate in level:
            branch = candidate.branch
            if id(branch) in plan.rows:
                continue
            gap = len(branch.separator)
            for index in range(plan.shown.get(id(branch), 0)):
                child = branch.values[index]
                if type(child) is Branch:
                    label = label_spans(branch, index)
                    below += _candidates(plan, child, candidate.level + 1, label, gap)
        level = below
    return plan


def _candidates(
    plan: _Plan, node: Node, level: int, label: list[Span], gap: int
) -> list[_Candidate]:
    """The node itself, if it is a branch that could open and does not fit on one line."""
    if not isinstance(node, Branch) or id(node) in plan.shown:
        return []
    space = plan.space(level) - spans_width(label) - gap
    line = flat_spans(node, space, styled=plan.styled)
    if line is not None:
        plan.flat[id(node)] = line
        plan.inline.append(node)
        return []
    plan.waiting.append((node, space))
    if (node.opened is False and not plan.complete) or not node.values:
        return []
    lines = len(node.values)
    if fills_lines(node):
        hidden = level > 0 and plan.most is not None and node.opened is None
        most = _ROWS + 1 if hidden else plan.most
        rows = row_ends(node, range(lines), plan.space(level + 1), most)
        if hidden and len(rows) > _ROWS:
            return []
        plan.rows[id(node)] = rows
        lines = len(rows) + (rows[-1] < lines)
    extra = bool(node.tail.spans) + (node.omitted != 0)
    return [_Candidate(node, level, lines + extra)]


def _share(level: list[_Candidate], room: int | None, plan: _Plan) -> int | None:
    """Opens branches of one level within the lines that are left; returns what then is left."""
    if room is None:
        plan.shown.update((id(one.branch), len(one.branch.values)) for one in level)
        return None
    forced = [one for one in level if one.branch.opened is True]
    for one in forced:
        room -= _open(one, one.lines, plan)
    waiting = [one for one in level if one.branch.opened is not True]
    for count, one in enumerate(sorted(waiting, key=_lines_needed)):
        if one.lines > room // (len(waiting) - count):
            break
        room -= _open(one, one.lines, plan)
    # The others need more than an equal part.
    waiting = [one for one in waiting if id(one.branch) not in plan.shown]
    part = room // max(len(waiting), 1)
    for one in waiting:
        if part >= _PARTIAL or one.level == 0:
            room -= _open(one, max(part, 2), plan)
        elif one.lines <= room:
            room -= _open(one, one.lines, plan)
    return room


def _lines_needed(candidate: _Candidate) -> int:
    return candidate.lines


def _open(candidate: _Candidate, lines: int, plan: _Plan) -> int:
    """Opens a branch on at most that many lines besides its own; returns how many it takes."""
    branch = candidate.branch
    if candidate.lines <= lines:
        plan.shown[id(branch)] = len(branch.values)
        return candidate.lines
    # One line for the tail, one for the count of what is left out.
    count = max(lines - 2, 1)
    rows = plan.rows.get(id(branch))
    plan.shown[id(branch)] = count if rows is None else rows[min(count, len(rows)) - 1]
    return lines


def _pieces(root: Node, plan: _Plan) -> Iterator[Line | _Entries]:
    # Open branches, outermost first: the branch, its separator, and the children to come.
    stack: list[tuple[Branch, list[Span], Iterator[int]]] = []
    node: Node = root
    label: list[Span] = []
    after: list[Span] = []
    while True:
        level = min(len(stack), plan.deepest)
        space = plan.space(level)
        if id(node) in plan.shown and isinstance(node, Branch):
            yield Line(level, _with_note([*label, *node.head.spans], node, space))
            count = plan.shown[id(node)]
            written = _written_together(node, plan, count, min(len(stack) + 1, plan.deepest))
            if written is not None:
                yield from written
                count = 0
            stack.append((node, after, iter(range(count))))
        else:
            flat = plan.flat.get(id(node))
            if flat is None:
                flat = _one_line(node, space - spans_width(label) - spans_width(after), plan)
            yield Line(level, _with_note([*label, *flat, *after], node, space))
        while stack:
            branch, behind, indices = stack[-1]
            index = next(indices, None)
            if index is not None:
                break
            stack.pop()
            yield from _ending(branch, behind, plan, len(stack))
        else:
            return
        node, label = branch.values[index], label_spans(branch, index)
        after = [(branch.separator, "plain")] if branch.separator else []


def _written_together(
    branch: Branch, plan: _Plan, count: int, level: int
) -> Iterable[Line | _Entries] | None:
    """The lines of the first children where none of them needs a closer look."""
    rows = plan.rows.get(id(branch))
    if rows is not None and plan.styled:
        return _rows(branch, rows, count, level)
    entries = None if plan.styled else atom_entries(branch, count)
    if entries is None:
        return None
    if rows is not None:
        gap = f"{branch.separator} "
        ends = [end for end in rows if end <= count]
        entries = [gap.join(entries[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
    return [_Entries(level, entries, branch.separator)] if entries else []


def _rows(branch: Branch, ends: list[int], count: int, level: int) -> Iterator[Line]:
    """The first children of a branch on lines that they fill."""
    start = 0
    for end in ends:
        if start >= count:
            break
        yield Line(level, tuple(row_spans(branch, start, end)))
        start = end


def _one_line(node: Node, space: int, plan: _Plan) -> list[Span]:
    if plan.complete:
        return flat_spans(node, _UNLIMITED, _UNLIMITED) or short_spans(node, _UNLIMITED)
    return short_spans(node, space)


def _with_note(spans: list[Span], node: Node, space: int) -> tuple[Span, ...]:
    """A line with the comment of its branch, as far as there is room for it."""
    if not isinstance(node, Branch) or not node.note.spans:
        return tuple(spans)
    room = space - spans_width(spans) - 2
    if room < min(_NOTE_SPACE, spans_width(node.note.spans)):
        return tuple(spans)
    return (*spans, ("  ", "plain"), *cut_spans(list(node.note.spans), room))


def _ending(branch: Branch, after: list[Span], plan: _Plan, level: int) -> Iterator[Line]:
    shown = plan.shown[id(branch)]
    hidden = None if branch.omitted is None else branch.omitted + len(branch.values) - shown
    if hidden != 0:
        yield Line(min(level + 1, plan.deepest), (omitted_span(hidden, branch.omitted_name),))
    if branch.tail.spans or after:
        yield Line(min(level, plan.deepest), (*branch.tail.spans, *after))
