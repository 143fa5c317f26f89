"""How many values each picture of a tree shows, where many arrays share what one tree may show.

Colours of noise hardly compress: every value that is shown takes about five bits of each output,
in the notebook and on its way there. A few arrays cost little whatever is shown of each, but a
model has a hundred. So all pictures together have a limit, and the larger arrays share it evenly,
which keeps the layers of a model comparable: small arrays are shown in full, and what they leave
goes to the others.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from treeview.arrays.autovisualizer import ArrayAutovisualizer

if TYPE_CHECKING:
    from treeview.arrays.batch import ArrayRequest

LEAST_CELLS = 256
"""How many values of an array are shown however many arrays there are."""

_DEFAULT = ArrayAutovisualizer()


def share_cells(requests: Sequence["ArrayRequest"], most: int | None) -> list["ArrayRequest"]:
    """The arrays of a tree, with smaller pictures where all of them would show too many values.

    Args:
        requests: The arrays. Settings that say themselves how many values to show stay.
        most: How many values all other pictures may show together; None for any number.
    """
    wanted = {} if most is None else dict(_wishes(requests))
    if most is None or sum(count for count, _ in wanted.values()) <= most:
        return list(requests)
    share = max(even_share([count for count, _ in wanted.values()], most), LEAST_CELLS)
    shared = list(requests)
    smaller: dict[int, ArrayAutovisualizer] = {}
    for place, (count, chosen) in wanted.items():
        if count > share:
            if id(chosen) not in smaller:
                smaller[id(chosen)] = replace(chosen, maximum_size=share)
            shared[place] = replace(requests[place], picture=smaller[id(chosen)])
    return shared


def even_share(wishes: Sequence[int], most: int) -> int:
    """The largest part of a whole that each may take so that there is enough for all.

    Args:
        wishes: How much each would take, at least one of them.
        most: The whole.
    """
    left = most
    for done, wish in enumerate(sorted(wishes)):
        share = left // (len(wishes) - done)
        if wish > share:
            return share
        left -= wish
    return max(wishes)


def _wishes(
    requests: Sequence["ArrayRequest"],
) -> list[tuple[int, tuple[int, ArrayAutovisualizer]]]:
    """Where pictures leave open how many values they show, how many it would be, and how."""
    found: list[tuple[int, tuple[int, ArrayAutovisualizer]]] = []
    for place, request in enumerate(requests):
        chosen, style = request.picture, request.style()
        visualizer = chosen if isinstance(chosen, ArrayAutovisualizer) else _DEFAULT
        if style is None or visualizer.maximum_size is not None:
            continue
        size = request.info.size
        if size > LEAST_CELLS:
            size = math.prod(map(len, style.window(request.info.shape)))
        found.append((place, (size, visualizer)))
    return found
