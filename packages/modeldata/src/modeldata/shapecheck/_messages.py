"""The words of shape checks: where something is, and what differs there."""

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
from jax.core import Tracer

from modeldata import _repr
from modeldata._struct_info import is_pytree_node_field
from modeldata._tree import KeyPath, flatten_one_level

_ADVICE = (
    "Change the value there, or let the pattern pass it: `var(name)` stands for any size, `ANY` "
    "for any value."
)


class StructureMismatchError(ValueError):
    """A value does not have the structure that a pattern describes."""


class Problem(NamedTuple):
    """One thing that differs.

    Attributes:
        place: The node of the value, as in `root['a']`; empty if it is not one node.
        text: A sentence.
    """

    place: str
    text: str


def root_path(path: KeyPath) -> str:
    """Returns the path to a node as Python writes it, from `root`."""
    return f"root{jax.tree_util.keystr(path)}"


def mismatch(problems: Iterable[Problem], error_prefix: str) -> StructureMismatchError:
    """Returns an error that lists problems by place.

    Args:
        problems: What differs, in order.
        error_prefix: What comes first in the message.
    """
    by_place: dict[str, list[str]] = {}
    for problem in problems:
        by_place.setdefault(problem.place, []).append(problem.text)
    lines = [error_prefix.rstrip()] if error_prefix else []
    lines.append("Expected a value of the structure that the pattern describes, but it differs:")
    for place, texts in by_place.items():
        lines += [f"At {place}:", *(f"  {text}" for text in texts)] if place else texts
    if by_place.keys() - {""}:
        lines.append(_ADVICE)
    return StructureMismatchError("\n".join(lines))


def container_text(expected: Any, actual: Any) -> str:
    """Says how two nodes differ, when that is not in their children.

    Args:
        expected: A node of the pattern that is no leaf.
        actual: The node of the value at the same place.
    """
    if type(expected) is not type(actual):
        return f"expected {_node_text(expected)}, got {_node_text(actual)}."
    kind = f"`{type(expected).__name__}`"
    wanted, got = _keys(expected), _keys(actual)
    missing = [key for key in wanted if key not in got]
    extra = [key for key in got if key not in wanted]
    if missing or extra:
        told = [f"{_listed(missing)} is missing"] * bool(missing)
        told += [f"{_listed(extra)} is not expected"] * bool(extra)
        return f"expected a {kind} of {len(wanted)}, got one of {len(got)}: {'; '.join(told)}."
    return f"expected a {kind} with {_static_difference(expected, actual)}."


def leaf_text(expected: Any, actual: Any) -> str:
    """Says that a value is not equal to a leaf of the pattern.

    Args:
        expected: A leaf of the pattern that is no specification.
        actual: What the value has at the same place.
    """
    text = f"expected a value equal to {_repr.brief(expected)}, got {_repr.brief(actual)}."
    if isinstance(actual, Tracer):
        return f"{text} Values are not known inside `jax.jit`; check shapes only, by `ArraySpec`."
    return text


def _static_difference(expected: Any, actual: Any) -> str:
    fields = dataclasses.fields(expected) if dataclasses.is_dataclass(expected) else ()
    for name in (field.name for field in fields if not is_pytree_node_field(field)):
        wanted, got = getattr(expected, name), getattr(actual, name)
        if wanted != got:
            return f"`{name}={_repr.brief(wanted)}`, got one with `{name}={_repr.brief(got)}`"
    return f"the structure of {_repr.brief(expected)}, got {_repr.brief(actual)}"


def _node_text(node: Any) -> str:
    children = flatten_one_level(node)
    if node is None or children is None:
        return _repr.brief(node)
    return f"a `{type(node).__name__}` of {len(children[0])}"


def _keys(node: Any) -> list[str]:
    children = flatten_one_level(node)
    return [jax.tree_util.keystr((key,)) for key, _ in (children or ([],))[0]]


def _listed(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
