"""Settings of layers: shown where their author chose them, counted where they are usual."""

from collections.abc import Mapping
from typing import Any

from treeview._document import EMPTY, Text, text
from treeview._names import class_of

_FEW = 8
"""Longer containers are not compared with what is usual."""


def settings_note(hidden: int, *words: str) -> Text:
    """The comment of a layer.

    Args:
        hidden: How many usual settings are not shown.
        *words: What else to say first; empty strings are left out.
    """
    parts = [word for word in words if word]
    if hidden:
        parts.append(f"{hidden} more setting{'s' if hidden > 1 else ''}")
    return text((f"# {', '.join(parts)}", "comment")) if parts else EMPTY


def chosen(settings: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that differ from what is usual; compared by identity and as plain values."""
    return {
        name: value
        for name, value in settings.items()
        if not (name in usual and _is_same(value, usual[name]))
    }


def _is_same(left: Any, right: Any) -> bool:
    if left is right:
        return True
    kind = class_of(left)
    if kind is not class_of(right):
        return False
    if kind in (bool, int, float, str):
        return left == right
    if kind in (list, tuple, dict):
        pairs = zip(_parts(left), _parts(right), strict=False)
        return len(left) == len(right) <= _FEW and all(_is_same(*pair) for pair in pairs)
    return False


def _parts(container: Any) -> list[Any]:
    if class_of(container) is not dict:
        return list(container)
    return [*container.keys(), *container.values()]
