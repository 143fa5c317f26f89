"""Nodes that a library registered with JAX, shown by their children and JAX's own key paths."""

# pyright: standard
# JAX leaves many of its types unknown, which strict checking takes for errors.

from typing import Any

import jax

from treeview._document import text
from treeview._paths import Attribute, Index, Key, Opaque, Step
from treeview._view import Sketch, View


class _TreeNodeType(type):
    def __subclasscheck__(cls, subclass: type) -> bool:
        # JAX cannot be asked about a type, only about an object, so the handler asks again.
        return True


class TreeNode(metaclass=_TreeNodeType):
    """A stand-in for all types that may be registered as nodes; comes after real base classes."""


def show_tree_node(obj: Any, view: View) -> Sketch | None:
    """The children of a registered node, or None for leaves and what Python itself can show."""
    cls: type[Any] = type(obj)
    if hasattr(cls, "__dataclass_fields__") or issubclass(cls, dict | list | tuple):
        return None
    if jax.tree_util.all_leaves([obj]):
        return None
    pairs, _ = jax.tree_util.tree_flatten_with_path(obj, is_leaf=lambda part: part is not obj)
    steps = [_step(path[0]) for path, _ in pairs]
    return Sketch(
        head=text((view.type_name(cls), "type"), "("),
        children=[child for _, child in pairs],
        labels=[_label(step) for step in steps],
        joint="=",
        steps=steps,
        tail=text(")"),
        count=len(pairs),
        omitted_name="children",
    )


def _step(key: Any) -> Step:
    match key:
        case jax.tree_util.GetAttrKey(name=name):
            return Attribute(name)
        case jax.tree_util.SequenceKey(idx=index):
            return Index(index)
        case jax.tree_util.DictKey(key=inner):
            return Key(inner)
        case jax.tree_util.FlattenedIndexKey(key=index):
            return Opaque(f"child {index}")
        case _:
            return Opaque(str(key))


def _label(step: Step) -> Any:
    match step:
        case Attribute(name):
            return text((name, "field"))
        case Index(index):
            return text((f"[{index}]", "muted"))
        case Key(key):
            return text((f"[{key!r}]", "muted"))
        case Opaque(description):
            return text((f"<{description}>", "muted"))
