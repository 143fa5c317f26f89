"""Search in all of an object, not only in what is shown of it.

A query is what it is on a page: words that a line must all hold, `type:` and `path:` for the type
of a value and the path to it, a minus before what must not be there, quotes around blanks. The
object is walked within a budget, and the answer says whether that was enough.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from treeview._document import Branch, Node
from treeview._inline import label_spans, node_text
from treeview._options import Options
from treeview._paths import key_path
from treeview._registry import Registry
from treeview._walk import build_document

SEARCHED = 100_000
"""How many objects are looked at."""

MOST_HITS = 1_000
_SECONDS = 3.0
_TERM = re.compile(r'(-?)(?:(type|path|text):)?(?:"([^"]*)"?|(\S+))', re.IGNORECASE)
_QUOTED = re.compile(r"^(['\"])(.*)\1")
_ABOUT: "dict[str, Literal['text', 'type', 'path']]" = {"type": "type", "path": "path"}
_PLAIN_TYPES = {"[": "list", "(": "tuple"}


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a query.

    Attributes:
        about: What must hold the word.
        word: The word in lower case.
        wanted: Whether it must be there, or must not.
    """

    about: Literal["text", "type", "path"]
    word: str
    wanted: bool = True


@dataclass(slots=True)
class Findings:
    """What a search found.

    Attributes:
        hits: The way from the root to each value: which child of each branch.
        searched: How many values were looked at.
        complete: Whether those were all.
    """

    hits: list[list[int]] = field(default_factory=list[list[int]])
    searched: int = 0
    complete: bool = True


def read_query(query: str) -> list[Term]:
    """The terms of a query."""
    terms: list[Term] = []
    for minus, about, quoted, bare in _TERM.findall(query):
        word = (quoted or bare).lower()
        kind = about.lower()
        if word:
            terms.append(Term(_ABOUT.get(kind, "text"), word, not minus))
    return terms


def search_object(obj: Any, query: str, options: Options, registry: Registry) -> Findings:
    """Finds what matches a query in an object.

    Args:
        obj: The object.
        query: What to look for.
        options: How it is shown, and so what it is called.
        registry: Who draws what.
    """
    terms = read_query(query)
    if not terms:
        return Findings()
    wide = replace(
        options,
        depth=None,
        max_items=SEARCHED,
        max_nodes=SEARCHED,
        seconds=min(options.seconds, _SECONDS),
        autovisualize=False,
        statistics=False,
    )
    found = Findings()
    asks_path = any(term.about == "path" for term in terms)
    document = build_document(obj, options=wide, registry=registry)
    above: list[int] = []
    stack: list[Iterator[tuple[Branch | None, int, str | None, Node]]] = [
        iter([(None, -1, "", document)])
    ]
    while stack and len(found.hits) < MOST_HITS:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            if above:
                above.pop()
            continue
        parent, position, path, node = item
        found.searched += 1
        if _matches(parent, position, path, node, terms):
            found.hits.append([*above, position] if position >= 0 else [])
        if isinstance(node, Branch) and node.values:
            found.complete &= node.omitted == 0
            if position >= 0:
                above.append(position)
            stack.append(_children(node, path if asks_path else None))
    found.complete &= not stack
    return found


def _children(branch: Branch, path: str | None) -> Iterator[tuple[Branch, int, str | None, Node]]:
    for position, node in enumerate(branch.values):
        inner = None
        if path is not None and position < len(branch.steps):
            inner = path + key_path((branch.steps[position],))
        yield branch, position, inner, node


def _matches(
    parent: Branch | None, position: int, path: str | None, node: Node, terms: list[Term]
) -> bool:
    text: str | None = None
    for term in terms:
        if term.about == "path":
            is_there = path is not None and term.word in path.lower()
        elif term.about == "type":
            is_there = term.word in _type_name(node).lower()
        else:
            text = text or _searched_text(parent, position, node)
            is_there = term.word in text
        if is_there != term.wanted:
            return False
    return True


def _searched_text(parent: Branch | None, position: int, node: Node) -> str:
    """What a node is called and shows: its label and its text, or the head of a branch."""
    spans = [] if parent is None else label_spans(parent, position)
    label = "".join([piece for piece, _ in spans])
    value = f"{node.head.plain} {node.note.plain}" if isinstance(node, Branch) else _plain(node)
    bare = _QUOTED.sub(r"\2", label)
    both = f"{label}{value}\n{bare}{value}" if bare != label else label + value
    return both.lower()


def _plain(node: Node) -> str:
    return node_text(node).plain


def _type_name(node: Node) -> str:
    """The name of the type of a node, as far as a document tells it."""
    spans = node.head.spans if isinstance(node, Branch) else node_text(node).spans
    named = next((piece for piece, style in spans if style == "type"), None)
    if named is not None:
        return named
    if not isinstance(node, Branch):
        return "NoneType" if node is None else type(node).__name__
    head = node.head.plain
    if head == "{":
        return "dict" if node.joint else "set"
    return _PLAIN_TYPES.get(head, head)
