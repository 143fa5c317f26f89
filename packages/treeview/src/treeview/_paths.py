"""Structured paths: the steps from a root object to one of its parts.

A path is a tuple of steps and prints as Python (`python_path`) or as JAX prints key paths
(`key_path`), which is the same text wherever the step has a Python expression.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

_LITERAL_KEYS = (str, int, float, complex, bytes, bool, type(None))


@dataclass(frozen=True, slots=True)
class Attribute:
    """A step to an attribute: `.name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """A step to a position of a sequence: `[3]`."""

    index: int


@dataclass(frozen=True, slots=True)
class Key:
    """A step to the value under a key: `['name']`."""

    key: Any


@dataclass(frozen=True, slots=True)
class Opaque:
    """A step that no Python expression takes, such as to a member of a set.

    `text` says in words where the part is.
    """

    text: str


Step = Attribute | Index | Key | Opaque
Path = tuple[Step, ...]


def python_path(path: Iterable[Step]) -> str | None:
    """The Python suffix that leads from the root to the part, or None if there is none."""
    parts: list[str] = []
    for step in path:
        part = _python_step(step)
        if part is None:
            return None
        parts.append(part)
    return "".join(parts)


def key_path(path: Iterable[Step]) -> str:
    """The path as text for people; steps without a Python expression print as `<...>`."""
    return "".join(_python_step(step) or _described_step(step) for step in path)


def _python_step(step: Step) -> str | None:
    match step:
        case Attribute(name):
            return f".{name}" if name.isidentifier() else None
        case Index(index):
            return f"[{index}]"
        case Key(key):
            return f"[{key!r}]" if _is_literal(key) else None
        case Opaque():
            return None


def _is_literal(key: Any) -> bool:
    if type(key) is tuple:
        return all(map(_is_literal, cast("tuple[Any, ...]", key)))
    if type(key) is float:
        return key == key and key not in (float("inf"), float("-inf"))  # noqa: PLR0124 - NaN
    return type(key) in _LITERAL_KEYS


def _described_step(step: Step) -> str:
    match step:
        case Opaque(text):
            return f"<{text}>"
        case Attribute(name):
            return f"<attribute {name!r}>"
        case Key(key):
            return f"<key of type {type(key).__name__}>"
        case Index(index):
            return f"[{index}]"
