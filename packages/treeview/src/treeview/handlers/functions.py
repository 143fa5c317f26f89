"""Functions, classes, modules and what else stands for code."""

import functools
import os
import sys
import types
from typing import Any

from treeview._document import EMPTY, Text, text
from treeview._guard import Damage, guarded
from treeview._names import (
    class_of,
    object_name,
    qualified_name,
    type_module,
    type_name,
    type_namespace,
)
from treeview._paths import Attribute, Step
from treeview._registry import Registry
from treeview._view import Sketch, View

_NATIVE = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
    types.ClassMethodDescriptorType,
)
_RUNNING = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


def register(registry: Registry) -> None:
    """Registers the handlers of this module."""
    registry.register(types.FunctionType, draw_function)
    registry.register(types.MethodType, draw_method)
    registry.register(type, draw_class)
    registry.register(types.ModuleType, draw_module)
    registry.register(functools.partial, draw_partial)
    for native in _NATIVE:
        registry.register(native, draw_native)
    for running in _RUNNING:
        registry.register(running, draw_running)


def draw_function(obj: types.FunctionType, view: View) -> Sketch:
    """A function by the name under which it can be found, and where it is defined."""
    name = object_name(obj, obj.__module__, obj.__qualname__)
    shown = view.short_name(name) if name else f"<function {obj.__qualname__}>"
    return _leaf(text((shown, "type")), source_place(obj.__code__))


def draw_native(obj: Any, view: View) -> Text:
    """A function that is not written in Python."""
    module, qualname = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
    if module is None and (owner := getattr(obj, "__objclass__", None)) is not None:
        module = type_module(owner)
    name = object_name(obj, module, qualname)
    shown = view.short_name(name) if name else f"<built-in function {qualname}>"
    return text((shown, "type"))


def draw_method(obj: types.MethodType, view: View) -> Sketch:
    """A method with the object that it is bound to."""
    name = getattr(obj.__func__, "__name__", "method")
    return Sketch(
        head=text("(" if view.options.roundtrip else "<method of "),
        children=[obj.__self__],
        tail=text(f").{name}" if view.options.roundtrip else f".{name}>"),
        steps=[Attribute("__self__")],
        separator="",
        count=1,
    )


def draw_class(obj: type, view: View) -> Sketch:
    """A class by the name under which it can be found, and where it is defined."""
    name = qualified_name(obj)
    shown = view.short_name(name) if name else f"<class {type_name(obj)}>"
    return _leaf(text((shown, "type")), _class_place(obj))


def draw_module(obj: types.ModuleType, view: View) -> Text:
    """A module by its name."""
    del view
    name: Any = guarded(getattr, obj, "__name__", doing="__name__")
    return text("<module ", (str(name), "type"), ">")


def draw_partial(obj: Any, view: View) -> Sketch:
    """A partial application: `partial(f, 1, key=2)`."""
    names: list[str] = list(obj.keywords)
    labels: list[Text] = [EMPTY] * (1 + len(obj.args))
    labels += [text((name, "field"), "=") for name in names]
    steps: list[Step] = [Attribute("func")]
    return Sketch(
        head=text((view.type_name(class_of(obj)), "type"), "("),
        children=[obj.func, *obj.args, *obj.keywords.values()],
        tail=text(")"),
        labels=labels,
        steps=steps,
        count=len(labels),
        omitted_name="arguments",
    )


def draw_running(obj: Any, view: View) -> Sketch:
    """A generator or coroutine, which is not run by looking at it."""
    code: Any = None
    for name in ("gi_code", "cr_code", "ag_code"):
        code = code or getattr(obj, name, None)
    head = text("<", (view.type_name(class_of(obj)), "type"), f" {obj.__qualname__}>")
    return _leaf(head, source_place(code) if code else "")


def source_place(code: types.CodeType) -> str:
    """Where code is written, such as `models/gpt.py:12`."""
    return f"{_short_path(code.co_filename)}:{code.co_firstlineno}"


def _class_place(cls: type) -> str:
    line = type_namespace(cls).get("__firstlineno__")
    module = sys.modules.get(type_module(cls))
    try:
        file: Any = guarded(getattr, module, "__file__", doing="__file__")
    except Damage:
        return ""
    if not isinstance(file, str):
        return ""
    return f"{_short_path(file)}:{line}" if type(line) is int else _short_path(file)


def _short_path(path: str) -> str:
    """A path from here, or else its last parts."""
    here = f"{os.getcwd()}{os.sep}"  # noqa: PTH109 - importing pathlib takes long
    if path.startswith(here):
        return path.removeprefix(here).replace(os.sep, "/")
    parts = path.replace(os.sep, "/").split("/")
    return "/".join(["…", *parts[-2:]]) if len(parts) > 3 else path


def _leaf(head: Text, place: str) -> Sketch:
    note = text((f"# {place}", "comment")) if place else EMPTY
    return Sketch(head=head, children=(), count=0, note=note, fresh=True)
