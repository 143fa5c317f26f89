"""From a sketch to as many of its children as there is room for."""

from collections.abc import Iterable, Sequence
from itertools import islice
from time import perf_counter
from typing import Any

from treeview._document import EMPTY, KeySteps, NameSteps, Text, index_steps, text
from treeview._guard import STOP, describe_error
from treeview._names import class_of
from treeview._paths import Step
from treeview._view import Sketch, Steps

_NO_KEYS: dict[Any, Any] = {}
_INSTANT: frozenset[Any] = frozenset(
    {list, tuple, set, frozenset, dict}
    | {class_of(view) for view in (_NO_KEYS.keys(), _NO_KEYS.values(), _NO_KEYS.items())}
)
"""Types whose iteration runs no foreign code."""


def take(
    sketch: Sketch, limit: int, deadline: float
) -> tuple[list[Any] | None, list[Any], int | None]:
    """Takes children from a sketch.

    Args:
        sketch: The sketch, whose iterators are not trusted.
        limit: How many to take at most.
        deadline: When to stop, on the clock of `perf_counter`.

    Returns:
        Raw labels, raw children, and how many more there are.
    """
    source, count = sketch.children, sketch.count
    if limit == 0:
        return (None if sketch.labels is None else []), [], count
    items, problem = _collect(source, limit if count is not None else limit + 1, deadline)
    stopped = len(items) >= limit or (not problem and perf_counter() > deadline)
    omitted = 0
    if count is not None:
        omitted = max(count - len(items), 0) if stopped else 0
    elif len(items) > limit or (stopped and len(items) < limit):
        del items[limit:]
        omitted = None
    labels: list[Any] | None = None
    if sketch.paired:
        labels, items, problem = _split_pairs(items, problem)
    elif sketch.labels is not None:
        labels, trouble = _collect(sketch.labels, len(items), deadline)
        labels += [EMPTY] * (len(items) - len(labels))
        problem = problem or trouble
    if problem:
        items.append(text((f"<{problem}>", "error")))
        if labels is not None:
            labels.append(EMPTY)
    return labels, items, omitted


def _collect(source: Iterable[Any], limit: int, deadline: float) -> tuple[list[Any], str]:
    """The first items, and what went wrong on the way."""
    items: list[Any] = []
    try:
        if type(source) in _INSTANT:
            items.extend(islice(source, limit))
            return items, ""
        for item in islice(source, limit):
            items.append(item)
            if perf_counter() > deadline:
                break
    except STOP:
        raise
    except BaseException as error:
        return items, f"iteration raised {describe_error(error)}"
    return items, ""


def resolved_steps(steps: Steps, raw: Sequence[Any], count: int) -> Sequence[Step]:
    """The steps to children, given their raw labels and how many there are."""
    if steps is None:
        return ()
    if steps == "index":
        return index_steps(count)
    if steps == "key":
        return KeySteps(raw)
    if steps == "attribute":
        return NameSteps([key.plain if isinstance(key, Text) else str(key) for key in raw])
    return steps


def _split_pairs(pairs: list[Any], problem: str) -> tuple[list[Any], list[Any], str]:
    """Keys and values of pairs, as far as they are pairs."""
    keys: list[Any] = []
    values: list[Any] = []
    try:
        for key, value in pairs:
            keys.append(key)
            values.append(value)
    except STOP:
        raise
    except BaseException as error:
        problem = problem or f"iteration gave no pair: {describe_error(error)}"
    return keys, values, problem
