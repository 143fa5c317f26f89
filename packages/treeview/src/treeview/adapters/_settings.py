"""Settings of layers: shown where their author chose them, counted where they are usual."""

from collections.abc import Mapping
from typing import Any

from treeview._document import EMPTY, Text, text


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


def _is_same(left: object, right: object) -> bool:
    if left is right:
        return True
    plain = (bool, int, float, str)
    return type(left) is type(right) and isinstance(left, plain) and left == right
