"""Where the walk is: branches whose children are being visited."""

from dataclasses import dataclass
from typing import Any

from treeview._document import Branch
from treeview._paths import Opaque, Step, key_path
from treeview._totals import Totals

_PATH_DEPTH = 64
_RULE_STEPS = 100
_LONGEST_PATH = 100


@dataclass(slots=True, eq=False, repr=False)
class Frame:
    """A branch whose children are being visited.

    Attributes:
        branch: The branch.
        values: Its list of children, raw or already nodes.
        pending: Where the raw ones are, last first.
        left: How many nodes its descendants may still be.
        unit: What arrays below count as.
        parent: The frame of the branch that holds it; None for the base of the stack.
        index: Where it is in there.
        depth: How many branches it is in.
        first: How many sightings of arrays there had been when it was entered.
        partial: Whether something below it is left out.
        size: How many nodes it writes, shared ones each time.
        closed: Whether all its children have been visited.
        adds: Numbers of the arrays that were seen in it, none of them in a branch below.
        drops: Numbers of the arrays that two of its parts count, so that it counts one too many.
        totals: What the arrays below it hold, once that is known.
    """

    branch: Branch
    values: list[Any]
    pending: list[int]
    left: int
    unit: str
    parent: "Frame | None"
    index: int
    depth: int
    first: int = 0
    partial: bool = False
    size: int = 0
    closed: bool = False
    adds: list[int] | None = None
    drops: list[int] | None = None
    totals: Totals | None = None


def place_text(root: str, parent: Frame, index: int) -> str:
    """The path of a child in words, or nothing where it is too long to help."""
    if parent.depth > _PATH_DEPTH:
        return ""
    steps: list[Step] = []
    frame = parent
    while frame.parent is not None:
        if index >= len(frame.branch.steps):
            return ""
        steps.append(frame.branch.steps[index])
        frame, index = frame.parent, frame.index
    path = root + key_path(reversed(steps))
    return (path or "the root") if len(path) <= _LONGEST_PATH else ""


def rule_path(root: str, parent: Frame, index: int) -> str:
    """The path of a child for the rules of users: the last steps of it where it is very long."""
    steps: list[Step] = []
    frame = parent
    while frame.parent is not None and len(steps) < _RULE_STEPS:
        known = index < len(frame.branch.steps)
        steps.append(frame.branch.steps[index] if known else Opaque("..."))
        frame, index = frame.parent, frame.index
    return ("..." if frame.parent is not None else root) + key_path(reversed(steps))


def set_field(branch: Branch, name: str, value: Any) -> None:
    """Completes a branch that has not been handed out yet."""
    setattr(branch, name, value)
