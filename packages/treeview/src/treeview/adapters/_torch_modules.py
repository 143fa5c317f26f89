"""Modules of PyTorch as trees: settings, parameters, buffers and child modules."""

# pyright: standard, reportMissingImports=false
# PyTorch leaves many of its types unknown, and is not installed where types are checked.

from collections.abc import Iterator
from typing import Any

import torch

from treeview._document import ATOM_TYPES, EMPTY, Text, text
from treeview._guard import Damage, guarded, plain_string
from treeview._names import class_of, type_attribute, type_module
from treeview._paths import Attribute, Index, Key, Opaque, Step
from treeview._view import Sketch, View

_HOOKS = {
    "forward": ("_forward_hooks", "_forward_pre_hooks"),
    "backward": ("_backward_hooks", "_backward_pre_hooks"),
    "state dict": ("_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks"),
}
_LISTS = (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ParameterList)
_DICTS = (torch.nn.ModuleDict, torch.nn.ParameterDict)
_WRAPPERS = ("torch.jit", "torch.fx", "torch._dynamo")
_MODAL = (torch.nn.modules.dropout._DropoutNd, torch.nn.modules.batchnorm._NormBase)  # noqa: SLF001
"""Layers of PyTorch that do something else in eval mode."""

_MEMBERS = ("_parameters", "_buffers", "_modules")

Part = tuple[Text, Step, Any]
"""Label, step and value of a part of a module."""


def show_module(module: torch.nn.Module, view: View) -> Sketch:
    """A module: `Linear(in_features=3, out_features=4, weight=..., bias=...)`.

    Args:
        module: Any module. Its own methods are not trusted, its own attributes only read.
        view: The builder.
    """
    state = object.__getattribute__(module, "__dict__")
    parts = [*_settings(module, state), *_members(module, state, view)]
    if view.options.roundtrip:
        name, start, stop = view.type_name(class_of(module)), "<", ")>"
    else:
        name, start, stop = view.type_name(class_of(module)), "", ")"
    return Sketch(
        head=text(start, (name, "type"), "("),
        children=[value for _, _, value in parts],
        tail=text(stop),
        labels=[label for label, _, _ in parts],
        joint=": " if isinstance(module, _DICTS) else "=",
        steps=[step for _, step, _ in parts],
        count=len(parts),
        omitted_name="parts",
        note=_note(module, state),
        color=view.type_color(class_of(module)),
    )


def _note(module: torch.nn.Module, state: dict[str, Any]) -> Text:
    words: list[str] = []
    if state.get("training") is False and _minds_mode(module, state):
        words.append("eval mode")
    for name, tables in _HOOKS.items():
        count = sum(_length(state.get(table)) for table in tables)
        if count:
            words.append(f"{count} {name} hook{'s' if count > 1 else ''}")
    return text((f"# {', '.join(words)}", "comment")) if words else EMPTY


def _minds_mode(module: torch.nn.Module, state: dict[str, Any]) -> bool:
    """Whether a module computes something else in eval mode, as far as anybody can tell."""
    plain = _is_of(class_of(module), "torch.nn") and not isinstance(module, _MODAL)
    return not plain or _length(state.get("_modules")) > 0


def _length(table: Any) -> int:
    return dict.__len__(table) if isinstance(table, dict) else 0


def _settings(module: torch.nn.Module, state: dict[str, Any]) -> Iterator[Part]:
    """What the module says of itself, and the attributes that it does not mention."""
    cls = class_of(module)
    if isinstance(module, (*_LISTS, *_DICTS)) and _is_of(cls, "torch.nn"):
        return
    said = False
    if type_attribute(cls, "extra_repr") is not torch.nn.Module.extra_repr:
        for line in _extra_lines(module):
            said = True
            yield EMPTY, Opaque("settings"), line
    if _is_of(cls, *_WRAPPERS) or (said and _is_of(cls, "torch.nn")):
        return
    for name, value in list(state.items()):
        public = isinstance(name, str) and not name.startswith("_") and name != "training"
        if public and not (said and class_of(value) in ATOM_TYPES):
            yield text((name, "static")), Attribute(name), value


def _extra_lines(module: torch.nn.Module) -> list[Text]:
    try:
        said: Any = guarded(module.extra_repr, doing="extra_repr")
    except Damage as damage:
        return [text((f"<{damage}>", "error"))]
    if not isinstance(said, str):
        return [text(("<extra_repr gave no string>", "error"))]
    lines = (line.strip() for line in plain_string(said).splitlines())
    return [text((line, "static")) for line in lines if line]


def _is_of(cls: type, *packages: str) -> bool:
    return f"{type_module(cls)}.".startswith(tuple(f"{package}." for package in packages))


def _members(module: torch.nn.Module, state: dict[str, Any], view: View) -> Iterator[Part]:
    hidden = state.get("_non_persistent_buffers_set", ())
    for table in _MEMBERS:
        for name, value in _table(module, state, table):
            shown = value
            if isinstance(value, torch.Tensor) and not value.is_nested:
                shown = _tensor(value, view, table, persistent=name not in hidden)
            yield _label(module, str(name)), _step(module, str(name)), shown


def _table(module: torch.nn.Module, state: dict[str, Any], table: str) -> list[tuple[Any, Any]]:
    if isinstance(module, torch.jit.ScriptModule):  # keeps its members outside of Python
        if table == "_modules":
            return list(module.named_children())
        return list(getattr(module, f"named{table}")(recurse=False))
    members = state.get(table)
    return list(dict.items(members)) if isinstance(members, dict) else []


def _tensor(tensor: torch.Tensor, view: View, table: str, *, persistent: bool) -> Any:
    if type_module(type(tensor)).partition(".")[0] != "torch":
        return view.array(tensor, unit=table.strip("_"))
    if table == "_parameters":
        return view.array(tensor, name="Parameter", unit="parameters")
    return view.array(tensor, name="Buffer" if persistent else "Buffer (not saved)", unit="buffers")


def _label(module: torch.nn.Module, name: str) -> Text:
    if name.isidentifier():
        return text((name, "field"))
    if name.isdecimal() and isinstance(module, _LISTS):
        return EMPTY
    return text((repr(name), "string"))


def _step(module: torch.nn.Module, name: str) -> Step:
    if isinstance(module, _LISTS) and name.isdecimal():
        return Index(int(name))
    if isinstance(module, _DICTS):
        return Key(name)
    return Attribute(name) if name.isidentifier() else Opaque(f"module {name!r}")
