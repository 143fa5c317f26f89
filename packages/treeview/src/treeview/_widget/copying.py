"""The text of a part of a live tree, to be taken away."""

import ast
from dataclasses import replace
from typing import Any

from treeview._document import Branch
from treeview._exact import exact_source
from treeview._options import Options
from treeview._text import document_text
from treeview._walk import build_document

_WIDTH = 88
_MOST_NODES = 50_000


def text_to_copy(obj: Any, options: Options) -> tuple[str, bool]:
    """An object as Python, where that is possible and not too long, else as far as text shows it.

    Args:
        obj: The object.
        options: How it is shown.

    Returns:
        The text, and whether it is an expression that holds all of the value.
    """
    wide = replace(
        options,
        width=_WIDTH,
        depth=None,
        abbreviation_threshold=None,
        max_items=_MOST_NODES,
        max_nodes=_MOST_NODES,
        statistics=False,
        autovisualize=False,
        color=False,
    )
    document = build_document(obj, options=wide)
    whole = replace(wide, roundtrip=True)
    make = exact_source(obj, document, wide).make
    if make is not None or not isinstance(document, Branch):
        exact = build_document(obj, options=whole) if make is None else make()
        text = document_text(exact, whole)
        if _is_expression(text):
            return text, True
    return document_text(build_document(obj, options=replace(wide, statistics=True)), wide), False


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
