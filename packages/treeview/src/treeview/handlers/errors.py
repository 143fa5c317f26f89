"""Exceptions and tracebacks."""

from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any

from treeview._document import EMPTY, Text, text
from treeview._names import class_of
from treeview._paths import Attribute, Opaque, Step
from treeview._registry import Registry
from treeview._view import Sketch, View, instance_fields
from treeview.handlers.functions import source_place

_MOST_FRAMES = 10_000


def register(registry: Registry) -> None:
    """Registers the handlers of this module."""
    registry.register(BaseException, draw_exception)
    registry.register(TracebackType, draw_traceback)
    registry.register(FrameType, draw_frame)


def draw_exception(obj: BaseException, view: View) -> Sketch:
    """An exception with its arguments, notes and causes, and where it was raised."""
    state: Any = BaseException.__dict__
    arguments: tuple[Any, ...] = state["args"].__get__(obj)
    more: dict[str, Any] = {}
    if not view.options.roundtrip:
        notes = object.__getattribute__(obj, "__dict__").get("__notes__")
        cause = state["__cause__"].__get__(obj)
        hidden = state["__suppress_context__"].__get__(obj)
        context = None if hidden else state["__context__"].__get__(obj)
        more = {"__notes__": notes, "__cause__": cause, "__context__": context}
        trace: TracebackType | None = state["__traceback__"].__get__(obj)
        if trace is not None and trace.tb_next is not None:  # else the note says it all
            more["__traceback__"] = trace
        more = {name: value for name, value in more.items() if value is not None}
        more = {**_own_fields(obj, arguments), **more}
        if cause is context:
            more.pop("__context__", None)
    labels: list[Text] = [EMPTY] * len(arguments)
    labels += [text((name, "static"), "=") for name in more]
    steps: list[Step] = [Opaque(f"argument {index}") for index in range(len(arguments))]
    return Sketch(
        head=text((view.type_name(class_of(obj)), "type"), "("),
        children=[*arguments, *more.values()],
        tail=text(")"),
        labels=labels,
        steps=[*steps, *map(Attribute, more)],
        count=len(labels),
        note=_raised_at(state["__traceback__"].__get__(obj)),
    )


def _own_fields(obj: BaseException, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """What an exception holds besides its arguments, such as an exit code."""
    own = instance_fields(obj)
    own.pop("__notes__", None)
    return {
        name: value
        for name, value in own.items()
        if not any(value is argument for argument in arguments)
    }


def draw_traceback(obj: TracebackType, view: View) -> Sketch:
    """The places of a traceback, outermost first."""
    places: list[Text] = []
    count = 0
    step: TracebackType | None = obj
    while step is not None and count < _MOST_FRAMES:
        if count < view.options.max_items:
            places.append(text(_place(step)))
        count += 1
        step = step.tb_next
    sketch = view.sequence(obj, places, name="traceback", steps=None, count=count)
    frames = "1 frame" if count == 1 else f"{count} frames"
    return replace(sketch, folded=text(("traceback", "type"), "[", (f"… {frames}", "muted"), "]"))


def draw_frame(obj: FrameType, view: View) -> Text:
    """A frame by its place; its variables are not shown."""
    del view
    return text(("<frame", "type"), f" {source_place(obj.f_code)} in {obj.f_code.co_name}>")


def _raised_at(trace: TracebackType | None) -> Text:
    if trace is None:
        return EMPTY
    for _ in range(_MOST_FRAMES):
        if trace.tb_next is None:
            break
        trace = trace.tb_next
    return text((f"# at {_place(trace)}", "comment"))


def _place(trace: TracebackType) -> str:
    code = trace.tb_frame.f_code
    file = source_place(code).rpartition(":")[0]
    return f"{file}:{trace.tb_lineno} in {code.co_name}"
