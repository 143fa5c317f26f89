"""The same value a second time, written so that it evaluates: the roundtrip view of a page.

It is made only where everything is in the document already. Arrays whose values would make it long
stand in it in marks that Python refuses, and an output that goes into a notebook, which keeps all
of its outputs, goes without it unless it is short.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from treeview._document import Branch, Node
from treeview._options import Options
from treeview._walk import build_document

_SHORT_NODES, _SHORT_VALUES = 5_000, 2_000
_MOST_NODES, _MOST_VALUES = 50_000, 20_000

_LEFT_OUT = (
    "This output leaves it out to stay small; treeview.render(value).save('page.html') writes a"
    " page that has it."
)
_PARTIAL = (
    "Parts of the value are not on this page; raise max_items and max_nodes, or print"
    " treeview.render_text(value, roundtrip=True)."
)
_LONG = (
    "The value is too long to be written a second time; print"
    " treeview.render_text(value, roundtrip=True)."
)


class ExactSource(NamedTuple):
    """How to come by the roundtrip document of an object.

    Attributes:
        make: Makes it, or None where the page cannot have it.
        short: Whether it is short enough for an output in a notebook.
        reason: Why there is none, in words for the reader of the page.
    """

    make: Callable[[], Node] | None = None
    short: bool = False
    reason: str = ""


def exact_source(obj: object, document: Node, options: Options) -> ExactSource:
    """How to come by the roundtrip document of an object.

    Args:
        obj: The object, which is kept alive by what is returned.
        document: What stands for it.
        options: How that was made.
    """
    if options.roundtrip or not isinstance(document, Branch):
        return ExactSource()
    count = _count_nodes(document)
    if count is None or count > _MOST_NODES:
        return ExactSource(reason=_PARTIAL if count is None else _LONG)
    values = arrays = 0
    if document.totals is not None:
        values, arrays = document.totals.count, document.totals.arrays
    exact = replace(options, roundtrip=True, totals=False, autovisualize=False)
    limit = values if values <= _MOST_VALUES else _MOST_VALUES // max(arrays, 1)
    make = partial(_build, obj, exact, limit)
    return ExactSource(make, count <= _SHORT_NODES and values <= _SHORT_VALUES, _LEFT_OUT)


def _build(obj: object, options: Options, limit: int) -> Node:
    from treeview.arrays.expressions import most_values  # noqa: PLC0415 - few outputs need it

    token = most_values.set(limit)
    try:
        return build_document(obj, options=options)
    finally:
        most_values.reset(token)


def _count_nodes(root: Branch) -> int | None:
    """How many nodes a document has, as far as that matters; None if it leaves out anything."""
    count, row = 1, [root]
    while row and count <= _MOST_NODES:
        if any(branch.omitted != 0 for branch in row):
            return None
        count += sum(len(branch.values) for branch in row)
        row = [value for branch in row for value in branch.values if isinstance(value, Branch)]
    return count
