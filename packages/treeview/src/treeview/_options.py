"""Settings of how things are shown, local to the context (thread or task) that sets them."""

import dataclasses
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, get_args, get_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How things are shown.

    Attributes:
        width: Columns of a line of text; None for those of the terminal, or 80.
        depth: How many levels below the root are opened up; None for all.
        abbreviation_threshold: From how many levels below the root on a branch is but its name and
            size, such as `Linear(… 3 fields)`, until a reader opens it; None to write as much of it
            as there is room for. Unlike `depth` this leaves out nothing from HTML.
        max_items: How many children of one container are visited.
        max_lines: About how many lines of text a rendering takes; None for all of it.
        max_nodes: How many objects are visited in all.
        max_bytes: About how much text is taken from them in all.
        seconds: How long the visit may take.
        color: Whether text carries colours; None if the stream is a terminal.
        autovisualize: Whether arrays in trees are drawn as pictures, where the output can; an
            `ArrayAutovisualizer` says how. A function `rule(value, path)` decides for each object
            that is no plain value, given its path as text such as `.layers[0].weight`: it returns
            a truth value, an `ArrayAutovisualizer`, a figure or any object with rich output to
            show beside the value, or None for nothing.
        max_cells: About how many values the pictures of all arrays in a tree show together, but of
            each at least 256, or as many as an `ArrayAutovisualizer` says; None for any number.
        statistics: Whether summaries of arrays read their values.
        progressive: Whether a live notebook shows an object whose arrays take long to read before
            that is done, and replaces it afterwards; None to do so in programs that are known to
            replace outputs: JupyterLab, Notebook, VS Code, Colab.
        totals: Whether branches say how many values and bytes the arrays below them hold.
        roundtrip: Whether text evaluates to an equal object wherever that is possible. Then
            nothing but `depth` limits what is shown.
    """

    width: int | None = None
    depth: int | None = None
    abbreviation_threshold: int | None = None
    max_items: int = 1000
    max_lines: int | None = 40
    max_nodes: int = 50_000
    max_bytes: int = 10_000_000
    seconds: float = 5.0
    color: bool | None = None
    autovisualize: bool | Callable[[Any, str], Any] = False
    max_cells: int | None = 150_000
    statistics: bool = True
    progressive: bool | None = None
    totals: bool = False
    roundtrip: bool = False

    def __post_init__(self) -> None:
        for name, (types, least) in _RULES.items():
            _check_option(name, getattr(self, name), types, least)


def current_options() -> Options:
    """The options that hold in this context."""
    return _current.get()


def changed_options(changes: dict[str, Any]) -> Options:
    """The current options with some of them changed.

    Raises:
        TypeError: An option is unknown or has a value of another type.
        ValueError: An option is out of range.
    """
    for name in changes:
        if name not in _RULES:
            raise TypeError(f"Expected the name of an option, got `{name}`; {_hint(name)}")
    return dataclasses.replace(current_options(), **changes)


@contextmanager
def options(**changes: Any) -> Generator[Options]:
    """Changes options for the time of a `with` block, in this thread or task only.

    Args:
        **changes: Any fields of `Options`.

    Yields:
        The options that hold inside the block.

    Raises:
        TypeError: An option is unknown or has a value of another type.
        ValueError: An option is out of range.

    Example:
        >>> with options(max_lines=None, width=100) as inside:
        ...     inside.width
        100
    """
    token = _current.set(changed_options(changes))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def _hint(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - slow, and of use in errors only

    if close := get_close_matches(name, _RULES, 1):
        return f"did you mean `{close[0]}`?"
    return f"known are {', '.join(f'`{known}`' for known in _RULES)}."


def _check_option(name: str, value: object, types: tuple[type, ...], least: int | None) -> None:
    # A bool is an int in Python, but `width=True` is a slip.
    wrong = isinstance(value, bool) and bool not in types
    if wrong or not isinstance(value, types):
        wanted = " or ".join("None" if kind is type(None) else kind.__name__ for kind in types)
        raise TypeError(f"Expected `{name}` to be {wanted}, got {value!r}.")
    if least is not None and isinstance(value, int | float) and not value >= least:
        raise ValueError(f"Expected `{name}` to be at least {least}, got {value!r}.")


def _accepted_types(annotation: Any) -> tuple[type, ...]:
    kinds = get_args(annotation) if get_origin(annotation) else (annotation,)
    bare = [get_origin(kind) or kind for kind in kinds]  # types that `isinstance` takes
    return (*bare, int) if float in bare else tuple(bare)


_LEAST = {
    "width": 1,
    "depth": 0,
    "abbreviation_threshold": 1,
    "max_items": 0,
    "max_lines": 1,
    "max_nodes": 1,
    "max_bytes": 0,
    "max_cells": 1,
    "seconds": 0,
}
_RULES: dict[str, tuple[tuple[type, ...], int | None]] = {
    field.name: (_accepted_types(field.type), _LEAST.get(field.name))
    for field in dataclasses.fields(Options)
}
_DEFAULTS = Options()
_current: ContextVar[Options] = ContextVar("treeview.options", default=_DEFAULTS)
