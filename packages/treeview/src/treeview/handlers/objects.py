"""Objects with fields, and everything else by its `repr`."""

import dataclasses
import re
import sys
from collections.abc import Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from types import FunctionType, SimpleNamespace
from typing import Any

from treeview._document import Node, Text, text
from treeview._guard import Damage, guarded, safe_repr
from treeview._names import class_of, type_attribute, type_module, type_name
from treeview._registry import Registry
from treeview._view import Shown, Sketch, View, instance_fields
from treeview.handlers.rich import add_rich, offers_rich

_REPR_LIMIT = 10_000
_ADDRESS = re.compile(r"^<.* at 0x[0-9A-Fa-f]+>$", re.DOTALL)
_CALL = re.compile(r"[A-Za-z_][\w.]*(?=\()")

_described: ContextVar[frozenset[int]] = ContextVar("treeview.described", default=frozenset())
"""The objects whose own methods are running, for one that calls treeview in turn."""


def register(registry: Registry) -> None:
    """Registers the handlers of this module."""
    registry.register(object, draw_object)
    registry.register(Enum, draw_enum)
    registry.register(SimpleNamespace, draw_namespace)


def draw_enum(obj: Enum, view: View) -> Text:
    """A member of an enumeration: `Color.RED`; of flags: `Mode.READ | Mode.WRITE`."""
    kind = class_of(obj)
    name = view.type_name(kind)
    written: Any = object.__getattribute__(obj, "_name_")
    if isinstance(written, str) and "|" not in written and written.isidentifier():
        return text((name, "type"), f".{written}")
    if isinstance(written, str):
        return text(" | ".join(f"{name}.{part}" for part in written.split("|")))
    value: Any = object.__getattribute__(obj, "_value_")
    return text((name, "type"), "(", (repr(value), "number"), ")")


def draw_namespace(obj: SimpleNamespace, view: View) -> Sketch:
    """A namespace: `SimpleNamespace(a=1)`."""
    return view.record(obj)


def draw_object(obj: object, view: View) -> Shown:
    """An object by its fields or its `repr`, with the rich output that it offers."""
    shown = _draw_fields_or_text(obj, view)
    if view.options.roundtrip or id(obj) in _described.get() or not offers_rich(class_of(obj)):
        return shown
    with _describing(obj):
        return add_rich(obj, shown)


def _draw_fields_or_text(obj: object, view: View) -> Shown:
    """Dataclasses and objects without a `repr` of their own by their fields, others by it."""
    kind = class_of(obj)
    if type_attribute(kind, "__dataclass_fields__") is not None:
        return draw_dataclass(obj, view)
    if type_attribute(kind, "__attrs_attrs__") is not None:
        return _draw_attrs(obj, kind, view)
    own = type_attribute(kind, "__repr__")
    if own is object.__repr__ or id(obj) in _described.get():
        return _draw_plain(obj, view)
    try:
        with _describing(obj):
            written = safe_repr(obj)
    except Damage as damage:
        sketch = _draw_plain(obj, view)
        sketch.note = text((f"# {damage}", "error"))
        return sketch
    if _ADDRESS.match(written) and instance_fields(obj):
        return _draw_plain(obj, view)
    return draw_written(obj, written, view)


def draw_dataclass(obj: Any, view: View) -> Sketch:
    """A dataclass by its fields; those hidden from its `repr` only in a roundtrip."""
    kind = class_of(obj)
    own = dataclasses.fields(kind)
    static = [field.name for field in own if _is_static(field)]
    if not view.options.roundtrip:
        return _draw_fields(obj, [field.name for field in own if field.repr], view, static)
    sketch = _draw_fields(obj, [field.name for field in own], view, static)
    if _init_names(kind) == {field.name for field in own}:
        return sketch
    return not_rebuilt(sketch)


def _is_static(field: "dataclasses.Field[Any]") -> bool:
    """Whether JAX's libraries take a field for a setting rather than for data."""
    return field.metadata.get("static") is True or field.metadata.get("pytree_node") is False


def _init_names(kind: type) -> set[str]:
    """The names of the arguments of a class, as far as its `__init__` is a Python function."""
    init = type_attribute(kind, "__init__")
    if not isinstance(init, FunctionType):
        return set()
    code = init.__code__
    return set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])


def not_rebuilt(sketch: Sketch) -> Sketch:
    """A sketch in marks that Python refuses to evaluate, for a call that would mislead."""
    sketch.head, sketch.tail = text("<", sketch.head), text(sketch.tail, ">")
    return sketch


def _draw_fields(obj: object, names: list[str], view: View, static: Collection[str] = ()) -> Sketch:
    fields: dict[str, Any] = {}
    for name in names:
        try:
            fields[name] = guarded(getattr, obj, name, doing=f".{name}")
        except Damage as damage:
            missing = "AttributeError" in str(damage)
            words = "is missing" if missing else str(damage)
            fields[name] = text((f"<{words}>", "muted" if missing else "error"))
    return view.record(obj, fields, static=static)


def _draw_attrs(obj: object, kind: type, view: View) -> Sketch:
    """A class of attrs by its fields; one with a printer of its own, for a secret, is asked."""
    attributes = [field for field in type_attribute(kind, "__attrs_attrs__") if field.repr]
    sketch = _draw_fields(obj, [field.name for field in attributes], view)
    values: list[Any] = list(sketch.children)
    for index, field in enumerate(attributes):
        if callable(field.repr) and not isinstance(values[index], Text):
            try:
                values[index] = text(str(guarded(field.repr, values[index], doing=".repr")))
            except Damage as damage:
                values[index] = text((f"<{damage}>", "error"))
    sketch.children = values
    return sketch


def _draw_plain(obj: object, view: View) -> Sketch:
    """An object by what it holds."""
    sketch = view.record(obj)
    return not_rebuilt(sketch) if view.options.roundtrip else sketch


def draw_written(obj: object, written: str, view: View) -> Node | Sketch:
    """An object by a text of its own, of one line or several."""
    name = type_name(class_of(obj))
    lines = written[:_REPR_LIMIT].splitlines()
    if len(written) > _REPR_LIMIT:
        lines.append(f"… {len(written) - _REPR_LIMIT:,} more characters")
    if len(lines) <= 1:
        return _styled(obj, written, view) if lines else text((f"<{name}>", "muted"))
    return Sketch(
        head=text(("<", "muted"), (name, "type")),
        children=[text(line) for line in lines],
        tail=text((">", "muted")),
        separator="",
        count=len(lines),
        omitted_name="lines",
        folded=text(" ".join(line.strip() for line in lines[:20])),
        inline=False,
    )


def _rebuilds(kind: type, written: str) -> bool:
    """Whether the `repr` of an object may be taken for Python: a call of its class, or Python's."""
    if written.startswith(f"{type_name(kind)}("):
        return True
    # Type variables write themselves as `~T`.
    package = type_module(kind).partition(".")[0]
    return package in sys.stdlib_module_names and written[:1] not in {"~", "+", "-"}


def _styled(obj: object, written: str, view: View) -> Text:
    """A text such as `Name(...)` with its name set off, and complete in a roundtrip."""
    if view.options.roundtrip and not _rebuilds(class_of(obj), written):
        return text("<", written, ">")
    call = _CALL.match(written)
    if call is None:
        return text(written)
    name = call.group()
    if name == type_name(class_of(obj)):
        name = view.type_name(class_of(obj))
    return text((name, "type"), written[call.end() :])


@contextmanager
def _describing(obj: object) -> Generator[None]:
    token = _described.set(_described.get() | {id(obj)})
    try:
        yield
    finally:
        _described.reset(token)
