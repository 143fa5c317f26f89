"""The same value a second time, written so that it evaluates: the roundtrip view of a page.

It is made only where it is cheap: everything is in the document already, and the arrays are small
enough for all of their values to be written.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from treeview._document import Branch, Node
from treeview._options import Options
from treeview._walk import build_document

_MOST_NODES = 5_000
_MOST_VALUES = 2_000


def exact_source(obj: object, document: Node, options: Options) -> Callable[[], Node] | None:
    """What makes the roundtrip document of an object, or None where that would cost much.

    Args:
        obj: The object, which is kept alive by what is returned.
        document: What stands for it.
        options: How that was made.
    """
    if options.roundtrip or not isinstance(document, Branch) or not _is_whole(document):
        return None
    if document.totals is not None and document.totals.count > _MOST_VALUES:
        return None
    exact = replace(options, roundtrip=True, totals=False, autovisualize=False)
    return partial(build_document, obj, options=exact)


def _is_whole(root: Branch) -> bool:
    """Whether a document is short and leaves out nothing."""
    count, row = 1, [root]
    while row:
        if any(branch.omitted != 0 for branch in row):
            return False
        count += sum(len(branch.values) for branch in row)
        if count > _MOST_NODES:
            return False
        row = [value for branch in row for value in branch.values if isinstance(value, Branch)]
    return True
