"""What is known about struct classes, and which of them may be instantiated.

A class that is not decorated would not be known to JAX. Such classes carry a metaclass that
refuses to make instances; decorating a class replaces it by one that does not look, because a
`__call__` in a metaclass costs more than the rest of making a struct.
"""

import abc
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from modeldata import _repr

_T = TypeVar("_T")
INFO = "__pytree_dataclass__"


class PyTreeDataclassSafetyError(TypeError):
    """A class body and its decorator do not say the same, so one of them is a mistake."""


class StructInfo(NamedTuple):
    """What `pytree_dataclass` found out about one class.

    Attributes:
        names: All fields, in order.
        data_names: The fields that are children of the pytree, in order.
        static_names: The fields that belong to the structure of the pytree, in order.
        generated_init: The `__init__` that the decorator generated, or None.
    """

    names: tuple[str, ...]
    data_names: tuple[str, ...]
    static_names: tuple[str, ...]
    generated_init: Callable[..., None] | None


class StructMeta(abc.ABCMeta):
    """Metaclass of decorated structs; every new subclass starts undecorated."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **kwargs: Any
    ) -> "StructMeta":
        return super().__new__(UndecoratedMeta, name, bases, namespace, **kwargs)


class UndecoratedMeta(StructMeta):
    """Metaclass of structs that JAX does not know (yet)."""

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise _abstract_error(cls)


def _abstract_error(cls: type) -> TypeError:
    return TypeError(
        f"Expected a concrete struct, but `{cls.__qualname__}` is abstract: it can't be "
        "instantiated. Decorate the class with `@pytree_dataclass`, or use a subclass that is."
    )


def is_pytree_dataclass_type(cls: type) -> bool:
    """Returns whether `pytree_dataclass` was applied to exactly this class.

    Args:
        cls: A class. An undecorated subclass of a struct does not count; nor does an instance.
    """
    return isinstance(cls, type) and INFO in cls.__dict__


def is_pytree_node_field(field: dataclasses.Field[Any]) -> bool:
    """Returns whether a dataclass field is a child of the pytree, not a static field.

    Args:
        field: A field as `dataclasses.fields` gives it. Static are the fields made with
            `static_field`, and those whose metadata has a false `pytree_node`.
    """
    return bool(field.metadata.get("pytree_node", True))


def info_of(cls: type) -> StructInfo:
    """Returns what is known of a decorated class; refuses one that is not."""
    if not is_pytree_dataclass_type(cls):
        raise _abstract_error(cls)
    return cls.__dict__[INFO]


def make(cls: type[_T], values: Any) -> _T:
    """Makes an instance from the values of its fields, without running any code of the class."""
    result = object.__new__(cls)
    result.__dict__.update(values)
    return result


def listed(names: Iterable[str]) -> str:
    """Returns names for an error message, each in backticks."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def check_statics(node: Any) -> None:
    """Refuses static values that JAX could not compare, while the user still sees the place."""
    # Not `info_of`, which looks twice: this runs whenever JAX rebuilds a struct.
    for name in type(node).__dict__[INFO].static_names:
        value = getattr(node, name)
        try:
            hash(value)
        except TypeError:
            raise TypeError(_static_advice(node, name, value)) from None


def _static_advice(node: Any, name: str, value: Any) -> str:
    where = f"`{type(node).__qualname__}.{name}`"
    got = f"Expected a hashable value in the static field {where}, got {_repr.brief(value)}."
    if hasattr(value, "dtype"):
        return f"{got} Make it a pytree field (drop `static_field`), or store a tuple or a number."
    advice = {list: "a tuple", dict: "a tuple of pairs", set: "a frozenset", slice: "a tuple"}
    instead = advice.get(type(value), "a hashable value (a tuple, a frozen dataclass)")
    return f"{got} Store {instead} instead, or make it a pytree field."
