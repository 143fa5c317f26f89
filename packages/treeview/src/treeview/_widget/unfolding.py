"""Opening many parts of a live tree at a time, as far as there is room.

Parts are opened level by level, those that stand on one line in full not at all, so that what a
reader sees is as even as the static output. A tree of any size stops at some number of lines.
"""

from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from treeview._widget.tree import LiveTree

if TYPE_CHECKING:
    from treeview._widget.lazy import Part

UNFOLDED = 2_000
"""How many lines there may be before no more parts are opened."""

_SECONDS = 2.0  # less than views wait for an answer


@dataclass(slots=True)
class Unfolding:
    """What came of it.

    Attributes:
        opened: How many parts are open now that were not before.
        left: How many parts stay folded for want of room or time, of those that were met.
    """

    opened: int = 0
    left: int = 0


def unfold(tree: LiveTree, depth: int | None = None) -> Unfolding:
    """Opens all parts above some level.

    Args:
        tree: The tree.
        depth: How many levels are to be open; None for all of them.
    """
    done = Unfolding()
    deadline = perf_counter() + min(_SECONDS, tree.options.seconds)
    lines = 0
    waiting: deque[tuple[Part, int]] = deque([(tree.root, 0)])
    while waiting:
        part, level = waiting.popleft()
        if depth is not None and level >= depth:
            continue
        if not part.opened:
            if tree.fits(part):
                continue
            if lines >= UNFOLDED or perf_counter() > deadline:
                done.left += 1
                continue
            tree.open(part)
            done.opened += 1
        lines += min(len(part.raw), part.view)
        waiting.extend((inner, level + 1) for inner in part.parts.values())
    return done
