"""What is different between two documents of a live tree.

Children are matched by the step that leads to them, so what is put into a dictionary does not make
everything after it look different. Only what both documents show is compared: children beyond the
window of a branch are neither new nor gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from treeview._document import Branch, Node
from treeview._inline import inline_text
from treeview._widget.lazy import Part, child_key

_LONGEST = 60
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """What is new about a node.

    Attributes:
        kind: What happened; `inside` where it happened below the node.
        text: The same in words.
    """

    kind: Literal["changed", "added", "removed", "inside"]
    text: str


@dataclass(slots=True)
class Changes:
    """What is different.

    Attributes:
        changed: How many values are.
        added: How many children are new.
        removed: How many are gone.
        marks: What to say where, by number of a part and child of it (-1 for the part itself).
    """

    changed: int = 0
    added: int = 0
    removed: int = 0
    marks: dict[tuple[int, int], Mark] = field(default_factory=dict[tuple[int, int], Mark])

    def __str__(self) -> str:
        counts = {"changed": self.changed, "added": self.added, "removed": self.removed}
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def find_changes(old: Node, new: Node, parts: Mapping[int, Part]) -> Changes:
    """Compares two documents.

    Args:
        old: The document before.
        new: The document now.
        parts: The parts of the document now, by the `id` of their branches.
    """
    changes = Changes()
    inside: dict[int, int] = {}
    stack: list[tuple[Node, Node, tuple[int, int], Part | None]] = [(old, new, (0, -1), None)]
    while stack:
        before, now, address, owner = stack.pop()
        part = parts.get(id(now))
        said = _say_change(before, now)
        if said is not None:
            changes.marks[address] = said
            changes.changed += 1
            _count_inside(inside, owner, 1)
        if part is not None and isinstance(before, Branch) and isinstance(now, Branch):
            _count_inside(inside, part, _compare_children(before, now, part, changes, stack))
    for number, count in inside.items():
        words = "1 change inside" if count == 1 else f"{count:,} changes inside"
        changes.marks.setdefault((number, -1), Mark("inside", words))
    return changes


def _count_inside(inside: dict[int, int], part: Part | None, count: int) -> None:
    if part is not None and count:
        for above in part.above():
            inside[above.number] = inside.get(above.number, 0) + count


def _compare_children(
    before: Branch,
    now: Branch,
    part: Part,
    changes: Changes,
    stack: list[tuple[Node, Node, tuple[int, int], Part | None]],
) -> int:
    """Compares what two branches hold; returns how many children are new or gone."""
    old, new = _by_key(before, part), _by_key(now, part)
    count = 0
    for key, position in new.items():
        node = now.values[position]
        inner = part.parts.get(key)
        address = (part.number, position) if inner is None else (inner.number, -1)
        if key in old:
            stack.append((before.values[old[key]], node, address, part))
        elif before.omitted == 0:
            changes.marks[address] = Mark("added", "added")
            changes.added += 1
            count += 1
    gone = [key for key in old if key not in new] if now.omitted == 0 else []
    if gone:
        named = ", ".join(gone[:_NAMED]) + (", …" if len(gone) > _NAMED else "")
        changes.marks[part.number, -1] = Mark("removed", f"removed: {named}")
        changes.removed += len(gone)
    return count + len(gone)


def _by_key(branch: Branch, part: Part) -> dict[str, int]:
    keys: dict[str, int] = {}
    steps: Sequence[object] = branch.steps
    for position in range(len(branch.values)):
        step = branch.steps[position] if position < len(steps) else None
        keys.setdefault(child_key(step, part.start + position), position)
    return keys


def _say_change(before: Node, now: Node) -> Mark | None:
    """What to say of a node whose own line is different."""
    if isinstance(before, Branch) and isinstance(now, Branch):
        same = (before.head, before.tail) == (now.head, now.tail)
        # Notes count what is below, which is compared by itself.
        old = "" if same else before.head.plain
    elif type(before) is type(now) and not isinstance(now, Branch):
        same = before is now or _text(before) == _text(now)
        old = "" if same else _text(before)
    else:
        same, old = False, _text(before)
    return None if same else Mark("changed", f"was {old}")


def _text(node: Node) -> str:
    return inline_text(node, _LONGEST).plain
