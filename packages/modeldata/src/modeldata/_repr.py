"""Plain text of structs, without treeview.

Arrays are described by dtype and shape, never by their values, so that printing moves no data and
waits for no device. Long lists are shortened, and deep and large trees cut, because a model is more
often printed by accident than in order to be read in full; treeview shows all of it. An object
whose own `repr` fails spoils no more than its place.

A class may define `__pdoc__(**kwargs)`, the protocol of wadler-lindig, to choose its own text.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import wadler_lindig as wl

_WIDTH = 88
_INDENT = 2
_DEPTH = 24
_MANY_NODES = 6
_MANY_ITEMS = 100
_MANY_CHARACTERS = 1000
_SHOWN_HEAD = 3
_SHOWN_CHARACTERS = 60
_MOST_NODES = 600
_DOTS = wl.TextDoc("...")
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)


def struct_repr(node: Any, width: int = _WIDTH) -> str:
    """Returns the text of a struct, broken into lines that fit a width where that is possible.

    Args:
        node: A struct, or any other object.
        width: The width in characters.
    """
    custom = _Printer().customs(0)
    return wl.pformat(node, width=width, indent=_INDENT, hide_defaults=False, custom=custom)


def brief(value: Any, limit: int = 80) -> str:
    """Returns one short line that describes any value, for error messages.

    Args:
        value: Any object.
        limit: The most characters to return.
    """
    text = " ".join(struct_repr(value, width=limit).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def array_text(array: Any) -> str:
    """Returns dtype and shape of an array, as in `f32[3,4]`.

    Args:
        array: Anything with a `dtype` and a `shape`.
    """
    return dtype_text(array.dtype) + f"[{','.join(map(str, array.shape))}]"


def dtype_text(dtype: Any) -> str:
    """Returns the short name of a dtype, as in `f32`."""
    return wl.pformat(wl.array_summary((), str(dtype), kind=None)).removesuffix("[]")


class _Printer:
    """Makes the documents of one tree, and counts its nodes."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def customs(self, depth: int) -> Callable[[Any], wl.AbstractDoc | None]:
        """Returns the hook that formats children which lie this deep in the tree."""
        return lambda value: self._doc(value, depth)

    def _doc(self, value: Any, depth: int) -> wl.AbstractDoc | None:
        """Returns the document of a value, or None to let wadler-lindig decide."""
        self._left -= 1
        if self._left < 0:
            return _DOTS
        if type(value) in (list, tuple, dict) or _is_plain_dataclass(value):
            return self._node_doc(value, depth)
        if isinstance(value, (jax.Array, np.ndarray)):
            kind = "(numpy)" if isinstance(value, np.ndarray) else ""
            return wl.TextDoc(array_text(value) + kind)
        return _summary_of_large(value)

    def _node_doc(self, value: Any, depth: int) -> wl.AbstractDoc:
        if type(value) is list:
            return self._sequence_doc("[", value, "]", depth)
        if type(value) is tuple:
            return self._sequence_doc("(", value, ",)" if len(value) == 1 else ")", depth)
        if type(value) is dict:
            return self._dict_doc(value, depth)
        return self._fields_doc(value, depth)

    def _child(self, value: Any, depth: int) -> wl.AbstractDoc:
        if depth > _DEPTH:
            return _DOTS
        try:
            custom = self.customs(depth)
            doc = wl.pdoc(value, indent=_INDENT, hide_defaults=False, custom=custom)
        except Exception as error:
            return wl.TextDoc(f"<{type(value).__name__}: {type(error).__name__}>")
        if isinstance(doc, wl.TextDoc) and len(doc.text) > _MANY_CHARACTERS:
            return wl.TextDoc(doc.text[:_SHOWN_CHARACTERS]) + _DOTS
        return doc

    def _fields_doc(self, value: Any, depth: int) -> wl.AbstractDoc:
        docs: list[wl.AbstractDoc] = [
            wl.TextDoc(f"{field.name}=") + self._child(getattr(value, field.name, ...), depth + 1)
            for field in dataclasses.fields(value)
            if field.repr
        ]
        return _bracketed(f"{type(value).__name__}(", docs, ")")

    def _sequence_doc(
        self, begin: str, items: Sequence[Any], end: str, depth: int
    ) -> wl.AbstractDoc:
        docs = _shortened(items, lambda item: self._child(item, depth + 1))
        return _bracketed(begin, docs, end)

    def _dict_doc(self, items: dict[Any, Any], depth: int) -> wl.AbstractDoc:
        def entry(key: Any) -> wl.AbstractDoc:
            value = self._child(items[key], depth + 1)
            return self._child(key, depth + 1) + wl.TextDoc(": ") + value

        keys = list(items)
        limit_like = [items[key] for key in keys[:_MANY_ITEMS]]
        return _bracketed("{", _shortened(keys, entry, limit_like), "}")


def _summary_of_large(value: Any) -> wl.AbstractDoc | None:
    if isinstance(value, str | bytes) and len(value) > _MANY_CHARACTERS:
        more = len(value) - _SHOWN_CHARACTERS
        return wl.TextDoc(f"{value[:_SHOWN_CHARACTERS]!r}... {more} more")
    if isinstance(value, _CONTAINERS) and len(value) > _MANY_ITEMS:
        return wl.TextDoc(f"<{type(value).__name__} of {len(value)} items>")
    return None


def _is_plain_dataclass(value: Any) -> bool:
    cls = type(value)
    return dataclasses.is_dataclass(cls) and not hasattr(cls, "__pdoc__")


def _bracketed(begin: str, docs: list[wl.AbstractDoc], end: str) -> wl.AbstractDoc:
    return wl.bracketed(wl.TextDoc(begin), docs, wl.comma, wl.TextDoc(end), _INDENT)


def _shortened(
    items: Sequence[Any], doc_of: Callable[[Any], wl.AbstractDoc], values: Sequence[Any] = ()
) -> list[wl.AbstractDoc]:
    """Returns the documents of the items, with a count in place of those in the middle."""
    large = any(map(_is_plain_dataclass, (values or items)[:_MANY_ITEMS]))
    if len(items) <= (_MANY_NODES if large else _MANY_ITEMS):
        return [doc_of(item) for item in items]
    left_out = len(items) - _SHOWN_HEAD - 1
    head = [doc_of(item) for item in items[:_SHOWN_HEAD]]
    return [*head, wl.TextDoc(f"... {left_out} more ..."), doc_of(items[-1])]
