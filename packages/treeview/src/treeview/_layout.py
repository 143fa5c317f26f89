"""From a document and a width to lines.

First a plan says which branches open: level by level from the root, within a number of lines, so
that what is deepest stays folded. The branches of one level share the lines that are left: those
that need little get it, the others get equal parts and show as many children as that allows.
Then one loop writes the lines. A branch that is not in the plan stands on one line, in full where
it fits and shortened where it does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from treeview._document import Branch, Node, Span
from treeview._inline import (
    cut_spans,
    flat_spans,
    label_spans,
    omitted_span,
    short_spans,
    spans_width,
)

INDENT = 2
_PARTIAL = 8
"""The least number of lines for which a branch is opened only in part."""

_NOTE_SPACE = 12
"""The least number of columns in which a comment is written."""


@dataclass(frozen=True, slots=True)
class Line:
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
        return " " * (INDENT * self.level) + "".join(piece for piece, _ in self.spans)


def open_branches(root: Node, *, width: int, max_lines: int | None) -> set[int]:
    """The ids (`id(branch)`) of the branches that start open.

    Args:
        root: The document.
        width: Columns of a line; a branch that fits into it need not open.
        max_lines: About how many lines may be shown; None for any number.
    """
    return set(_plan(root, width, max_lines))


def lay_out(root: Node, *, width: int, max_lines: int | None) -> list[Line]:
    """The lines of a document.

    Args:
        root: The document.
        width: Columns of a line. A line is longer only where one word of it is.
        max_lines: About how many lines there may be; None for any number.
    """
    return list(_lines(root, width, _plan(root, width, max_lines)))


@dataclass(slots=True, eq=False)
class _Candidate:
    """A branch that does not fit on one line."""

    branch: Branch
    level: int
    lines: int


def _plan(root: Node, width: int, max_lines: int | None) -> dict[int, int]:
    """For each branch that opens, how many of its children are written."""
    plan: dict[int, int] = {}
    room = None if max_lines is None else max_lines - 1
    level = _candidates(root, [root], 0, width, plan)
    while level:
        room = _share(level, room, plan)
        below: list[_Candidate] = []
        for candidate in level:
            branch = candidate.branch
            shown = plan.get(id(branch), 0)
            below += _candidates(branch, branch.values[:shown], candidate.level + 1, width, plan)
        level = below
    return plan


def _candidates(
    parent: Node, children: Sequence[Node], level: int, width: int, plan: dict[int, int]
) -> list[_Candidate]:
    found: list[_Candidate] = []
    space = width - INDENT * level
    for index, child in enumerate(children):
        if type(child) is not Branch or child.opened is False or not child.values:
            continue
        if id(child) in plan:
            continue
        label = [] if parent is child else label_spans(parent, index)
        if child.inline and flat_spans(child, space - spans_width(label) - 1) is not None:
            continue
        extra = bool(child.tail.spans) + (child.omitted != 0)
        found.append(_Candidate(child, level, len(child.values) + extra))
    return found


def _share(level: list[_Candidate], room: int | None, plan: dict[int, int]) -> int | None:
    """Opens branches of one level within the lines that are left; returns what then is left."""
    if room is None:
        plan.update((id(one.branch), len(one.branch.values)) for one in level)
        return None
    waiting: list[_Candidate] = []
    for one in level:
        if one.branch.opened is True:
            room -= _open(one, one.lines, plan)
        else:
            waiting.append(one)
    waiting.sort(key=_lines_needed, reverse=True)
    while waiting and waiting[-1].lines <= room // len(waiting):
        one = waiting.pop()
        room -= _open(one, one.lines, plan)
    if not waiting:
        return room
    # The others need more than an equal part.
    part = room // len(waiting)
    is_root = waiting[0].level == 0
    if part >= _PARTIAL or is_root:
        for one in waiting:
            room -= _open(one, max(part, 2), plan)
        return room
    for one in reversed(waiting):
        if one.lines <= room:
            room -= _open(one, one.lines, plan)
    return room


def _lines_needed(candidate: _Candidate) -> int:
    return candidate.lines


def _open(candidate: _Candidate, lines: int, plan: dict[int, int]) -> int:
    """Opens a branch on at most that many lines besides its own; returns how many it takes."""
    branch = candidate.branch
    if candidate.lines <= lines:
        plan[id(branch)] = len(branch.values)
        return candidate.lines
    # One line for the tail, one for the count of what is left out.
    plan[id(branch)] = max(lines - 2, 1)
    return lines


def _lines(root: Node, width: int, plan: dict[int, int]) -> Iterator[Line]:
    # Open branches, outermost first: the branch, its separator, and the children to come.
    stack: list[tuple[Branch, list[Span], Iterator[int]]] = []
    node, label, after = root, list[Span](), list[Span]()
    while True:
        level = len(stack)
        space = width - INDENT * level
        if isinstance(node, Branch) and id(node) in plan:
            yield Line(level, _with_note([*label, *node.head.spans], node, space))
            stack.append((node, after, iter(range(plan[id(node)]))))
        else:
            yield Line(level, tuple(_leaf_line(node, label, after, space)))
        while stack:
            branch, behind, indices = stack[-1]
            index = next(indices, None)
            if index is not None:
                break
            stack.pop()
            yield from _ending(branch, behind, plan[id(branch)], len(stack))
        else:
            return
        node, label = branch.values[index], label_spans(branch, index)
        after = [(branch.separator, "plain")] if branch.separator else []


def _leaf_line(node: Node, label: list[Span], after: list[Span], space: int) -> Iterator[Span]:
    room = space - spans_width(label) - spans_width(after)
    spans = [*label, *short_spans(node, room), *after]
    return iter(_with_note(spans, node, space) if isinstance(node, Branch) else spans)


def _with_note(spans: list[Span], branch: Branch, space: int) -> tuple[Span, ...]:
    """A line with its comment, as far as there is room for it."""
    room = space - spans_width(spans) - 2
    if not branch.note.spans or room < min(_NOTE_SPACE, spans_width(branch.note.spans)):
        return tuple(spans)
    return (*spans, ("  ", "plain"), *cut_spans(list(branch.note.spans), room))


def _ending(branch: Branch, after: list[Span], shown: int, level: int) -> Iterator[Line]:
    hidden = None if branch.omitted is None else branch.omitted + len(branch.values) - shown
    if hidden != 0:
        yield Line(level + 1, (omitted_span(hidden, branch.omitted_name),))
    if branch.tail.spans or after:
        yield Line(level, (*branch.tail.spans, *after))
