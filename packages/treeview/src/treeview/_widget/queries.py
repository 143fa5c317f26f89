"""What a search asks of a node: the rules of `search.js`, for a document in Python.

A query is words that a line must all hold; `type:Linear` asks for the type of the value,
`path:layers[*].body` for the path to it, `dtype:` and `shape:` for what an array is. A minus before
a word turns it around, and words in double quotes may hold spaces.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

from treeview._document import Branch, Node
from treeview._inline import label_spans, node_text

About = Literal["text", "type", "path", "dtype", "shape"]

_TERM = re.compile(r'(-?)(?:(type|path|dtype|shape|text):)?(?:"([^"]*)"?|(\S+))', re.IGNORECASE)
_QUOTED = re.compile(r"^(['\"])(.*)\1")
_SUMMARY = re.compile(r"([\w.<>]+)\[(.*)\]")
_BRACKETS = re.compile(r"[\[(](.*)[\])]")
_SIZES = re.compile(r"[\d*]+(?:x[\d*]+)+")
_PLAIN_TYPES = {"[": "list", "(": "tuple"}


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a query.

    Attributes:
        about: What must hold the word.
        word: The word in lower case.
        wanted: Whether it must be there, or must not.
    """

    about: About
    word: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that may match.

    Attributes:
        node: The node.
        parent: The branch that it is in; None for the root.
        position: Which child of that it is.
        path: The path to it; None where there is none, or nobody asks for it.
    """

    node: Node
    parent: Branch | None = None
    position: int = 0
    path: str | None = None


def read_query(query: str) -> list[Term]:
    """The terms of a query."""
    return [
        Term(cast("About", about.lower() or "text"), (quoted or bare).lower(), not minus)
        for minus, about, quoted, bare in _TERM.findall(query)
        if quoted or bare
    ]


def satisfies(candidate: Candidate, terms: list[Term]) -> bool:
    """Whether a node satisfies all terms."""
    return all(_holds(candidate, term) is term.wanted for term in terms)


def _holds(candidate: Candidate, term: Term) -> bool:
    match term.about:
        case "path":
            return candidate.path is not None and _has_path(candidate.path.lower(), term.word)
        case "type":
            return term.word in _type_name(candidate.node).lower()
        case "dtype":
            dtype, _ = _array_facts(candidate.node)
            return dtype.startswith(term.word)
        case "shape":
            _, axes = _array_facts(candidate.node)
            return _has_shape(axes, term.word)
        case "text":
            return term.word in _searched_text(candidate)


def _has_path(path: str, word: str) -> bool:
    """Whether a path holds a text, in which stars stand for anything."""
    place = 0
    for part in word.split("*"):
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def _array_facts(node: Node) -> tuple[str, list[str]]:
    """Element type and axes of an array, from its summary such as `float32[rows:3, 4]`."""
    spans = node.head.spans if isinstance(node, Branch) else node_text(node).spans
    summary = next((piece for piece, style in spans if style == "array"), "").strip().lower()
    found = _SUMMARY.fullmatch(summary)
    if found is None:
        return "", []
    return found[1], found[2].split(", ") if found[2] else []


def _has_shape(axes: list[str], word: str) -> bool:
    """Whether axes are those asked for: `16,*` for all in order, `16` or `embed` for one."""
    inside = _BRACKETS.fullmatch(word)
    parts = (inside[1] if inside else word).split("x" if _SIZES.fullmatch(word) else ",")
    if inside is None and len(parts) == 1:
        return any(_is_axis(axis, word) for axis in axes)
    wanted = [part.strip() for part in parts if part.strip()]
    return len(wanted) == len(axes) and all(map(_is_axis, axes, wanted))


def _is_axis(axis: str, wanted: str) -> bool:
    return wanted in {"*", axis} or wanted in axis.split(":")


def _searched_text(candidate: Candidate) -> str:
    """What a node is called and shows: its label and its text, or the head of a branch."""
    node, parent = candidate.node, candidate.parent
    spans = [] if parent is None else label_spans(parent, candidate.position)
    label = "".join([piece for piece, _ in spans])
    is_branch = isinstance(node, Branch)
    value = f"{node.head.plain} {node.note.plain}" if is_branch else node_text(node).plain
    bare = _QUOTED.sub(r"\2", label)  # a key in quotes is found without them, too
    both = label + value if bare == label else f"{label}{value}\n{bare}{value}"
    return both.lower()


def _type_name(node: Node) -> str:
    """The name of the type of a node, as far as a document tells it."""
    spans = node.head.spans if isinstance(node, Branch) else node_text(node).spans
    named = next((piece for piece, style in spans if style == "type"), None)
    if named is not None:
        return named
    if not isinstance(node, Branch):
        return type(node).__name__
    head = node.head.plain
    if head == "{":
        return "dict" if node.joint else "set"
    return _PLAIN_TYPES.get(head, head)
