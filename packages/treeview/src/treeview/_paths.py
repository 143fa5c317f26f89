"""Structured paths: the steps from a root object to one of its parts.

A path is a tuple of steps and prints as Python (`python_path`) or as JAX prints key paths
(`key_path`), which is the same text wherever the step has a Python expression.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

_LITERAL_KEYS = (str, int, float, complex, bytes, bool, type(None))


class _OneStep:
    """What all steps have: they are equal if they are of one kind and say the same."""

    __slots__ = ()
    __match_args__ = ()

    def _said(self) -> list[Any]:
        return [getattr(self, name) for name in self.__match_args__]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _OneStep)
            and type(other) is type(self)
            and (self._said() == other._said())
        )

    def __hash__(self) -> int:
        return hash((type(self), *self._said()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._said()))})"


class Attribute(_OneStep):
    """A step to an attribute: `.name`."""

    __slots__ = __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name


class Index(_OneStep):
    """A step to a position of a sequence: `[3]`."""

    __slots__ = __match_args__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index: Final = index


class Key(_OneStep):
    """A step to the value under a key: `['name']`."""

    __slots__ = __match_args__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key: Final = key


class Opaque(_OneStep):
    """A step that no Python expression takes, such as to a member of a set.

    `text` says in words where the part is.
    """

    __slots__ = __match_args__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text


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
