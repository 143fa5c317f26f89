"""Names of classes and functions, read without trusting the objects that carry them."""

import types
from collections.abc import Sequence
from typing import Any

from treeview._aliases import chosen_name, is_found, known_name

_TYPE_NAME = type.__dict__["__name__"].__get__
_TYPE_QUALNAME = type.__dict__["__qualname__"].__get__
_TYPE_MODULE = type.__dict__["__module__"].__get__
_TYPE_MRO = type.__dict__["__mro__"].__get__
_TYPE_DICT = type.__dict__["__dict__"].__get__

# Descriptors of `type` itself are used because a metaclass can override attribute access.


def class_of(obj: object) -> type:
    """The true class of an object, whatever its `__class__` says."""
    return type(obj)


def type_name(cls: type) -> str:
    """The bare name of a class, such as `Linear`."""
    return _TYPE_NAME(cls)


def type_module(cls: type) -> str:
    """The name of the module that a class says it comes from, or an empty string."""
    try:
        module: Any = _TYPE_MODULE(cls)
    except AttributeError:
        return ""
    return module if isinstance(module, str) else ""


def type_mro(cls: type) -> tuple[type, ...]:
    """The classes that a class inherits from, itself first."""
    return _TYPE_MRO(cls)


def type_namespace(cls: type) -> dict[str, Any]:
    """The class's own attributes, raw."""
    return _TYPE_DICT(cls)


def type_attribute(cls: type, name: str) -> Any:
    """The raw class attribute along the MRO, or None; runs no code of the class."""
    for base in _TYPE_MRO(cls):
        namespace: Any = _TYPE_DICT(base)
        if name in namespace:
            return namespace[name]
    return None


def qualified_name(cls: type) -> str | None:
    """The dotted name under which a class can be found again, or None if there is none.

    Names of `builtins` and `__main__` stand without their module. A public name is preferred to
    one in the private module where the class was written: `jax.nn.gelu`, which is defined in
    `jax._src.nn.functions`.
    """
    found = object_name(cls, type_module(cls), _TYPE_QUALNAME(cls))
    if found is None and type_module(cls) == "builtins":
        # Some of Python's own classes claim to be builtins and are found in `types` only.
        names = (name for name, value in vars(types).items() if value is cls)
        found = next((f"types.{name}" for name in names), None)
    return found or known_name(cls)


def object_name(value: object, module: object, qualname: object) -> str | None:
    """The dotted name under which `value` can be found again, or None if there is none.

    Args:
        value: The class or function to be found.
        module: What it says its module is.
        qualname: What it says its name within the module is.
    """
    if not isinstance(module, str) or not isinstance(qualname, str):
        return None
    chosen, path = chosen_name(value), qualname.split(".")
    if chosen is not None:
        return chosen
    if module in {"builtins", "__main__"}:
        return qualname if is_found(value, module, path) else None
    parts = module.split(".")
    public = [part for part in parts if not part.startswith("_")]
    bare = ".".join(part.lstrip("_") for part in parts)  # `functools.reduce` is in `_functools`
    for package in (*_packages(public), bare, *_packages(parts)):
        if is_found(value, package, path):
            return f"{package}.{qualname}"
    return known_name(value)


def _packages(parts: Sequence[str]) -> list[str]:
    """A dotted name and those of its parents, the shortest first."""
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
