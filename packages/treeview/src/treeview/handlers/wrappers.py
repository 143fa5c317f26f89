"""What stands for something else: properties, cached functions, weak references, views of memory.

None of them is read, called or advanced: a generator that was looked at has lost nothing.
"""

import functools
import weakref
from enum import Flag
from typing import Any

from treeview._document import EMPTY, Text, text
from treeview._names import class_of, type_attribute, type_name, type_namespace
from treeview._paths import Attribute
from treeview._registry import Registry
from treeview._view import Sketch, View
from treeview.handlers.objects import draw_enum, not_rebuilt

_SHOWN_BYTES = 10_000
_REFERENCE: Any = weakref.ref
_NO_ITEMS: dict[Any, Any] = {}
_ITERATORS: tuple[Any, ...] = (  # pyright: ignore[reportUnknownVariableType]  # of what, is no matter
    *(iter(()), iter([]), iter(_NO_ITEMS), iter(set[int]()), iter(""), iter(b""), iter(range(0))),
    *(reversed([]), enumerate(()), zip(), map(len, ()), filter(len, ())),
    *(iter(_NO_ITEMS.values()), iter(_NO_ITEMS.items()), iter(bytearray())),
)
"""One of each type."""


def register(registry: Registry) -> None:
    """Registers the handlers of this module."""
    registry.register(property, draw_property)
    registry.register(staticmethod, draw_wrapped)
    registry.register(classmethod, draw_wrapped)
    registry.register(type(functools.lru_cache(len)), draw_cached)
    registry.register(functools.cached_property, draw_cached_property)
    registry.register(_REFERENCE, draw_reference)
    registry.register(memoryview, draw_memory)
    registry.register(Flag, draw_flags)
    for iterator in _ITERATORS:
        registry.register(class_of(iterator), draw_iterator)


def draw_property(obj: property, view: View) -> Sketch:
    """A property with its functions: `property(fget=..., fset=...)`."""
    given: dict[str, Any] = {"fget": obj.fget, "fset": obj.fset, "fdel": obj.fdel}
    return view.record(obj, {name: value for name, value in given.items() if value is not None})


def draw_wrapped(obj: Any, view: View) -> Sketch:
    """A static or class method: `classmethod(function)`."""
    return _call(obj, obj.__func__, view, Attribute("__func__"))


def draw_cached(obj: Any, view: View) -> Sketch:
    """A function with a cache: `lru_cache(function)`, and how full the cache is."""
    found = obj.cache_info()
    limit = "" if found.maxsize is None else f" of {found.maxsize}"
    sketch = _call(obj, obj.__wrapped__, view, Attribute("__wrapped__"))
    sketch.head = text(("lru_cache", "type"), "(")
    if view.options.roundtrip:
        return not_rebuilt(sketch)
    sketch.note = text((f"# {found.currsize}{limit} results kept, {found.hits} hits", "comment"))
    return sketch


def draw_cached_property(obj: Any, view: View) -> Sketch:
    """A property that is computed once: `cached_property(function)`."""
    return _call(obj, obj.func, view, Attribute("func"))


def draw_reference(obj: Any, view: View) -> Text:
    """A weak reference, by the type of what it leads to."""
    target: Any = _REFERENCE.__call__(obj)
    name = view.type_name(class_of(obj))
    if target is None:
        return text("<", (name, "type"), (" to nothing any more", "muted"), ">")
    return text("<", (name, "type"), f" to {_a(type_name(class_of(target)))}>")


def draw_memory(obj: memoryview, view: View) -> Sketch | Text:
    """A view of memory: its bytes, or its shape where it is more than a row of bytes."""
    name = view.type_name(class_of(obj))
    if _is_released(obj):
        return text("<released ", (name, "type"), ">")
    if obj.ndim != 1 or obj.format not in {"B", "b", "c"}:
        shape = ", ".join(map(str, obj.shape or ()))
        return text("<", (name, "type"), f" of format {obj.format!r}, shape ({shape})>")
    limit = obj.nbytes if view.options.roundtrip else _SHOWN_BYTES
    return _call(obj, bytes(obj[:limit]), view, None)


def _is_released(obj: memoryview) -> bool:
    try:
        return obj.ndim < 0
    except ValueError:
        return True


def draw_flags(obj: Flag, view: View) -> Text:
    """Flags; bits that have no name are written as a number."""
    cls = class_of(obj)
    value: Any = object.__getattribute__(obj, "_value_")
    written: Any = object.__getattribute__(obj, "_name_")
    members = type_namespace(cls).get("_member_map_", {})
    parts = written.split("|") if isinstance(written, str) else []
    if all(part in members for part in parts) or not isinstance(value, int):
        return draw_enum(obj, view)
    # A name such as `READ|8` tells the rest as a number, which is no member of the class.
    return text((view.type_name(cls), "type"), "(", (repr(value), "number"), ")")


def draw_iterator(obj: object, view: View) -> Text:
    """An iterator, which is not advanced by looking at it."""
    return text("<", (view.type_name(class_of(obj)), "type"), *_left(obj), ">")


def _left(obj: object) -> list[Any]:
    """How many items an iterator has left, if it says so."""
    hint = type_attribute(class_of(obj), "__length_hint__")
    count: Any = hint(obj) if callable(hint) else None
    if type(count) is not int:
        return []
    return [(f" with {count:,} item{'' if count == 1 else 's'} left", "muted")]


def _call(obj: object, inner: object, view: View, step: Attribute | None) -> Sketch:
    return Sketch(
        head=text((view.type_name(class_of(obj)), "type"), "("),
        children=[inner],
        tail=text(")"),
        labels=[EMPTY],
        steps=[] if step is None else [step],
        count=1,
        fresh=True,
    )


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'AEIOUaeiou' else 'a'} {noun}"
