"""Plain text of structs, without treeview.

Arrays are described by dtype and shape, never by their values, so that printing moves no data and
waits for no device. Long lists are shortened and deep trees cut, because a model is more often
printed by accident than in order to be read in full; treeview shows all of it.

A class may define `__pdoc__(**kwargs)`, the protocol of wadler-lindig, to choose its own text.
"""

import dataclasses
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
_SHOWN_HEAD = 3
_DOTS = wl.TextDoc("...")


def struct_repr(node: Any, width: int = _WIDTH) -> str:
    """Returns the text of a struct, broken into lines that fit a width where that is possible.

    Args:
        node: A struct, or any other object.
        width: The width in characters.
    """
    return wl.pformat(node, width=width, indent=_INDENT, hide_defaults=False, custom=_customs(0))


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


def _customs(depth: int) -> Callable[[Any], wl.AbstractDoc | None]:
    """Returns the hook that formats children which lie this deep in the tree."""
    return lambda value: _doc(value, depth)


def _doc(value: Any, depth: int) -> wl.AbstractDoc | None:
    """Returns the document of a value, or None to let wadler-lindig decide."""
    if isinstance(value, (jax.Array, np.ndarray)):
        kind = "(numpy)" if isinstance(value, np.ndarray) else ""
        return wl.TextDoc(array_text(value) + kind)
    if type(value) is list:
        return _sequence_doc("[", value, "]", depth)
    if type(value) is tuple:
        return _sequence_doc("(", value, ",)" if len(value) == 1 else ")", depth)
    if type(value) is dict:
        return _dict_doc(value, depth)
    if _is_plain_dataclass(value):
        return _fields_doc(value, depth)
    return None


def _is_plain_dataclass(value: Any) -> bool:
    cls = type(value)
    return dataclasses.is_dataclass(cls) and not hasattr(cls, "__pdoc__")


def _child(value: Any, depth: int) -> wl.AbstractDoc:
    if depth > _DEPTH:
        return _DOTS
    return wl.pdoc(value, indent=_INDENT, hide_defaults=False, custom=_customs(depth))


def _bracketed(begin: str, docs: list[wl.AbstractDoc], end: str) -> wl.AbstractDoc:
    return wl.bracketed(wl.TextDoc(begin), docs, wl.comma, wl.TextDoc(end), _INDENT)


def _fields_doc(value: Any, depth: int) -> wl.AbstractDoc:
    docs: list[wl.AbstractDoc] = [
        wl.TextDoc(f"{field.name}=") + _child(getattr(value, field.name, ...), depth + 1)
        for field in dataclasses.fields(value)
        if field.repr
    ]
    return _bracketed(f"{type(value).__name__}(", docs, ")")


def _sequence_doc(begin: str, items: Sequence[Any], end: str, depth: int) -> wl.AbstractDoc:
    return _bracketed(begin, _shortened(items, lambda item: _child(item, depth + 1)), end)


def _dict_doc(items: dict[Any, Any], depth: int) -> wl.AbstractDoc:
    def entry(key: Any) -> wl.AbstractDoc:
        return _child(key, depth + 1) + wl.TextDoc(": ") + _child(items[key], depth + 1)

    keys = list(items)
    limit_like = [items[key] for key in keys[:_MANY_ITEMS]]
    return _bracketed("{", _shortened(keys, entry, limit_like), "}")


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
