"""Optax: gradient transformations by what they were made from, instead of as two functions.

A transformation is a pair of functions, and its settings are the variables that these close over.
"""

# pyright: standard, reportMissingImports=false
# Optax leaves many of its types unknown, and is not installed where types are checked.

from types import FunctionType
from typing import Any

import optax

from treeview._document import text
from treeview._names import class_of, type_name
from treeview._paths import Opaque
from treeview._registry import Registry
from treeview._view import Sketch, View

_LEVELS = 50
_ADAPTER = "with_extra_args_support"


def show_transformation(made: Any, view: View) -> Sketch | None:
    """A transformation: `chain(clip(max_delta=1.0), scale(step_size=-0.1))`.

    Args:
        made: A transformation.
        view: The builder.

    Returns:
        A sketch, or None for one that optax did not make.
    """
    update = made[1] if len(made) == 2 else None
    sketch = None if view.options.roundtrip else _sketch(update, view, _LEVELS)
    if sketch is not None:
        sketch.note = text((f"# {type_name(class_of(made))}", "comment"))
    return sketch


def _sketch(function: Any, view: View, levels: int) -> Sketch | None:
    """What made a function, with the variables that it closes over."""
    if class_of(function) is not FunctionType or not levels:
        return None
    maker, nested, _ = function.__qualname__.partition(".<locals>.")
    if not nested or function.__module__.split(".")[0] != "optax":
        return None
    held = _closure(function)
    if maker == _ADAPTER and (inner := held.get("tx")) is not None:
        return _sketch(inner[1], view, levels - 1)
    if maker == "chain" and isinstance(parts := held.get("update_fns"), tuple):
        shown = [_sketch(part, view, levels - 1) or part for part in parts]
        return view.sequence(function, shown, brackets=("(", ")"), name=maker, steps=None)
    settings = {name: value for name, value in held.items() if not _is_inner(value, maker)}
    shown = {name: _sketch(value, view, levels - 1) or value for name, value in settings.items()}
    return view.record(function, shown, name=maker, steps=[Opaque("setting")] * len(shown))


def _closure(function: FunctionType) -> dict[str, Any]:
    held: dict[str, Any] = {}
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            held[name] = cell.cell_contents
        except ValueError:  # a variable that has no value yet
            continue
    return held


def _is_inner(value: Any, maker: str) -> bool:
    """Whether this is another function that was made together with the first."""
    return class_of(value) is FunctionType and value.__qualname__.startswith(f"{maker}.<locals>.")


def register(registry: Registry) -> None:
    """Tells a registry about optax's types."""
    registry.register(optax.GradientTransformation, show_transformation)
    registry.register(optax.GradientTransformationExtraArgs, show_transformation)
