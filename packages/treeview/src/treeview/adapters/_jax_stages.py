"""Stages of compilation: traced, lowered and compiled functions, without JAX's own workings."""

# pyright: standard
# JAX leaves many of its types unknown, which strict checking takes for errors.

from typing import Any

import jax

from treeview._document import Text, text
from treeview._guard import Damage, guarded
from treeview._registry import Registry
from treeview._view import Sketch, View


def show_stage(stage: Any, view: View) -> Sketch:
    """A traced, lowered or compiled function, by its arguments and results.

    Args:
        stage: A stage of ahead-of-time compilation.
        view: The builder.
    """
    fields: dict[str, Any] = {}
    for name in ("fun_name", "args_info", "out_info"):
        try:
            fields[name] = guarded(getattr, stage, name, doing=f".{name}")
        except Damage as damage:
            if "AttributeError" not in str(damage):
                fields[name] = text((f"<{damage}>", "error"))
    sketch = view.record(stage, fields)
    sketch.head = text("<", sketch.head)
    sketch.tail = text(sketch.tail, ">")
    return sketch


def _show_argument(info: Any, view: View) -> Text:
    donated = " donated" if info.donated else ""
    return view.text((f"{info.dtype}{list(info.shape)}", "array"), (donated, "muted"))


def register_stages(registry: Registry) -> None:
    """Tells a registry about these types."""
    for name in ("Traced", "Lowered", "Compiled"):
        registry.register(getattr(jax.stages, name), show_stage)
    registry.register(jax.stages.ArgInfo, _show_argument)
