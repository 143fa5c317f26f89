"""pydantic: models by their fields; secrets stay secret, hidden fields hidden."""

# pyright: standard, reportMissingImports=false
# pydantic is not installed where types are checked.

from typing import Any

import pydantic

from treeview._document import Text, text
from treeview._guard import safe_repr
from treeview._names import class_of
from treeview._registry import Registry
from treeview._view import Sketch, View


def show_model(model: pydantic.BaseModel, view: View) -> Sketch:
    """A model: `User(name='Ann', age=3)`; fields that keep their defaults look like settings.

    Args:
        model: Any model. No code of its own is run.
        view: The builder.
    """
    cls: Any = class_of(model)
    declared = cls.__pydantic_fields__
    values: dict[str, Any] = object.__getattribute__(model, "__dict__")
    fields = {
        name: values.get(name, text(("<is missing>", "muted")))
        for name, field in declared.items()
        if field.repr or view.options.roundtrip
    }
    extra = _slot(model, "__pydantic_extra__") or {}
    private = _slot(model, "__pydantic_private__") or {}
    chosen = _slot(model, "__pydantic_fields_set__") or set()
    usual = [name for name in fields if name not in chosen]
    note = f"{len(usual)} of {len(fields)} fields at their defaults" if usual else None
    shown = {**fields, **extra, **({} if view.options.roundtrip else private)}
    static = [*usual, *private]
    hidden = len(declared) - len(fields)
    if hidden:
        note = f"{note}, {hidden} hidden" if note else f"{hidden} hidden"
    return view.record(model, shown, static=static, note=note)


def _show_secret(secret: Any, view: View) -> Text:
    """A secret, masked; in a roundtrip in marks, since the mask is not the secret."""
    masked = safe_repr(secret)
    return view.text(f"<{masked}>" if view.options.roundtrip else masked)


def _slot(model: pydantic.BaseModel, name: str) -> Any:
    try:
        return object.__getattribute__(model, name)
    except AttributeError:  # a model that was never validated
        return None


def register(registry: Registry) -> None:
    """Tells a registry about pydantic's types."""
    registry.register(pydantic.BaseModel, show_model)
    for secret in (pydantic.Secret, pydantic.SecretStr, pydantic.SecretBytes):
        registry.register(secret, _show_secret)
