"""Search in all of an object, not only in what is shown of it.

The object is walked within a budget, and the answer says whether that was enough.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from treeview._document import Branch
from treeview._options import Options
from treeview._paths import Step, python_path
from treeview._registry import Registry
from treeview._walk import build_document
from treeview._widget.queries import Candidate, read_query, satisfies

SEARCHED = 50_000
"""How many objects are looked at, and how many children of each."""

MOST_HITS = 1_000
_SECONDS = 3.0


@dataclass(slots=True)
class Findings:
    """What a search found.

    Attributes:
        hits: The way from the root to each value: which child of each branch.
        paths: The path to each of them as Python text; None where no expression leads there.
        searched: How many values were looked at.
        complete: Whether those were all.
    """

    hits: list[list[int]] = field(default_factory=list[list[int]])
    paths: list[str | None] = field(default_factory=list[str | None])
    searched: int = 0
    complete: bool = True


def search_object(obj: Any, query: str, options: Options, registry: Registry) -> Findings:
    """Finds what matches a query in an object.

    Args:
        obj: The object.
        query: What to look for; see `queries`.
        options: How it is shown, and so what it is called.
        registry: Who draws what.
    """
    found = Findings()
    terms = read_query(query)
    if not terms:
        return found
    wide = replace(
        options,
        depth=None,
        max_items=SEARCHED,
        max_nodes=SEARCHED,
        seconds=min(options.seconds, _SECONDS),
        autovisualize=False,
        statistics=False,
    )
    asks_path = any(term.about == "path" for term in terms)
    root = Candidate(build_document(obj, options=wide, registry=registry), path="")
    # The candidates that the search is in, with their children to come.
    stack: list[tuple[Candidate, Iterator[Candidate]]] = []
    waiting: Candidate | None = root
    while waiting is not None and len(found.hits) < MOST_HITS:
        found.searched += 1
        if satisfies(waiting, terms):
            way = [*(candidate for candidate, _ in stack), waiting][1:]
            found.hits.append([candidate.position for candidate in way])
            found.paths.append(_path(way))
        if isinstance(waiting.node, Branch):
            found.complete &= waiting.node.omitted == 0
            stack.append((waiting, _children(waiting, asks_path=asks_path)))
        waiting = _next_candidate(stack)
    found.complete &= waiting is None
    return found


def _path(way: list[Candidate]) -> str | None:
    steps: list[Step] = []
    for candidate in way:
        known: Sequence[Step] = () if candidate.parent is None else candidate.parent.steps
        if candidate.position >= len(known):
            return None
        steps.append(known[candidate.position])
    return python_path(steps)


def _next_candidate(stack: list[tuple[Candidate, Iterator[Candidate]]]) -> Candidate | None:
    while stack:
        child = next(stack[-1][1], None)
        if child is not None:
            return child
        stack.pop()
    return None


def _children(candidate: Candidate, *, asks_path: bool) -> Iterator[Candidate]:
    branch = candidate.node
    assert isinstance(branch, Branch)
    for position, node in enumerate(branch.values):
        path = None
        if asks_path and candidate.path is not None and position < len(branch.steps):
            step = python_path((branch.steps[position],))
            path = None if step is None else candidate.path + step
        yield Candidate(node, branch, position, path)
