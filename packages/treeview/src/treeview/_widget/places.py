"""From the text of a path to the place that it names."""

import ast
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice
from time import perf_counter
from typing import Any

from treeview._document import Text
from treeview._guard import STOP, describe_error
from treeview._options import Options
from treeview._paths import Attribute, Key, python_path
from treeview._registry import Registry
from treeview._view import Sketch
from treeview._walk import Walk

_SHOWN = 3
_NAME = re.compile(r"\.[^\W\d]\w*")


class _Looker(Walk):
    """Asks handlers what an object holds, and nothing more."""

    def sketch(self, obj: Any) -> Sketch | None:
        shown = obj if isinstance(obj, Sketch) else self._drawn(obj)
        return shown if isinstance(shown, Sketch) else None


def locate(path: str, root: Any, options: Options, registry: Registry) -> list[int]:
    """Finds what a path leads to, without changing anything.

    Args:
        path: Python text such as `.layers[0].weight`; nothing for the root.
        root: The object that the path starts at.
        options: How long it may take.
        registry: Who says what objects hold.

    Returns:
        The way from the root: which child of each object.

    Raises:
        ValueError: The path cannot be read, or leads to nothing.
    """
    registry.load_plugins()
    looker = _Looker(options, "", registry)
    positions: list[int] = []
    obj, done = root, ""
    for step in read_steps(path):
        sketch = looker.sketch(obj)
        found = None if sketch is None else _find(sketch, step, looker.deadline)
        if found is None:
            raise ValueError(_miss(path, done, step, sketch))
        position, obj = found
        positions.append(position)
        done += step
    return positions


def read_steps(path: str) -> list[str]:
    """The steps of a path, each written as paths are written.

    Raises:
        ValueError: The path cannot be read.
    """
    steps: list[str] = []
    at = 0
    while at < len(path):
        name = _NAME.match(path, at)
        if name is not None:
            steps.append(name[0])
            at = name.end()
            continue
        stop, step = _read_bracket(path, at)
        if step is None:
            raise ValueError(
                f"Expected a path such as `.layers[0]['weight']`, got {path!r}, which cannot be"
                f" read from {path[at:]!r} on. Copy the path of a line, or write attributes with a"
                " point and keys in brackets."
            )
        steps.append(step)
        at = stop
    return steps


def _read_bracket(path: str, start: int) -> tuple[int, str | None]:
    """What stands in the brackets that open at a position, and where they end."""
    if path[start] == "<":
        stop = path.find(">", start)
        return stop + 1, path[start : stop + 1] if stop > 0 else None
    if path[start] != "[":
        return start, None
    stop = path.find("]", start)
    while stop > 0:  # keys may hold brackets themselves
        try:
            key = ast.literal_eval(path[start + 1 : stop])
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            stop = path.find("]", stop + 1)
            continue
        return stop + 1, python_path((Key(key),))
    return start, None


def _find(sketch: Sketch, step: str, deadline: float) -> tuple[int, Any] | None:
    """The position and the object of the child that a step leads to."""
    try:
        for position, (text, child) in enumerate(_children(sketch, step)):
            if text == step:
                return position, child
            if perf_counter() > deadline:
                return None
        if sketch.steps == "index" and re.fullmatch(r"\[\d+\]", step):
            position = int(step[1:-1])
            children: list[Any] = list(islice(sketch.children, position, position + 1))
            return (position, children[0]) if children else None
    except STOP:
        raise
    except BaseException as error:
        raise ValueError(
            f"Expected to find {step!r}, but looking for it raised {describe_error(error)}."
            " Look at the object itself."
        ) from None
    return None


def _children(sketch: Sketch, step: str) -> Iterator[tuple[str | None, Any]]:
    """The text of the step to each child, and the child; nothing where positions are steps."""
    steps = sketch.steps
    if steps == "index":
        return
    pairs: Iterable[tuple[Any, Any]]
    if sketch.paired:
        pairs = sketch.children
    else:
        pairs = zip(sketch.labels or _nothing(), sketch.children, strict=False)
    for position, (label, child) in enumerate(pairs):
        if steps == "key":
            # Most keys are told apart without writing them.
            yield (python_path((Key(label),)) if step[0] == "[" else None), child
        elif steps == "attribute":
            name = label.plain if isinstance(label, Text) else str(label)
            yield python_path((Attribute(name),)), child
        elif steps is not None and position < len(steps):
            yield python_path((steps[position],)), child
        else:
            yield f"<item {position}>", child


def _nothing() -> Iterator[None]:
    while True:
        yield None


def _miss(path: str, done: str, step: str, sketch: Sketch | None) -> str:
    where = f"`{done}`" if done else "the root"
    start = f"Expected a path that is in the tree, got {path!r}: {where}"
    if sketch is None:
        return f"{start} has no parts. Choose {where} itself."
    if sketch.steps == "index":
        holds = "no items" if sketch.count == 0 else f"{sketch.count or 'some'} items"
        return f"{start} has {holds}, and none at {step}. Positions start at 0."
    known = [text for text, _ in islice(_children(sketch, "["), 1_000) if text]
    if not known:
        return f"{start} has no {step}. Choose {where} itself."
    close = get_close_matches(step, known, 1)
    hint = f"Did you mean `{close[0]}`?" if close else f"It has {_listed(known)}."
    return f"{start} has no `{step}`. {hint}"


def _listed(known: list[str]) -> str:
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(f"`{one}`" for one in known[:_SHOWN]) + more
