"""Turning a frozen dataclass into a pytree, and the guards against mistakes in its declaration.

In most cases a class is registered through `jax.tree_util.register_dataclass`, so that flattening
runs in C++. That fast path rebuilds an object by calling its class. Calling must therefore do
nothing but store the fields. Classes for which this is not so (an `__init__`, `__post_init__` or
`key_for_field` of their own, fields that `__init__` does not take) are registered with Python
functions instead, which store the fields directly. Either way no code of the user's runs when JAX
rebuilds a struct, so that any object may stand in a field: a tracer, None, a sharding, a hole.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import jax

from modeldata._node_kinds import NodeKind, has_dict, struct_kind
from modeldata._struct_info import (
    INFO,
    PyTreeDataclassSafetyError,
    StructInfo,
    StructMeta,
    UndecoratedMeta,
    check_statics,
    info_of,
    is_pytree_node_field,
    listed,
    make,
)

_BUILDING = "__struct_is_building__"


def adopt(cls: type, *, generates_init: bool, chooses_keys: bool) -> None:
    """Remembers what a new dataclass is, makes it constructible and registers it with JAX."""
    fields = dataclasses.fields(cls)
    info = StructInfo(
        names=tuple(field.name for field in fields),
        data_names=tuple(field.name for field in fields if is_pytree_node_field(field)),
        static_names=tuple(field.name for field in fields if not is_pytree_node_field(field)),
        generated_init=cls.__init__ if generates_init else None,
    )
    setattr(cls, INFO, info)
    runs_user_code = not init_is_generated(cls) or _has_own_post_init(cls)
    if not init_is_generated(cls):
        _let_init_assign(cls)
    if isinstance(cls, UndecoratedMeta):
        cls.__class__ = StructMeta  # pyright: ignore[reportAttributeAccessIssue]  # see _struct_info
    if "tree_flatten_with_keys" in dir(cls) and "tree_unflatten" in dir(cls):
        jax.tree_util.register_pytree_with_keys_class(cls)
        return
    kind = struct_kind(cls, info.data_names, info.static_names, chooses_keys=chooses_keys)
    if runs_user_code or chooses_keys or not all(field.init for field in fields):
        _check_has_dict(cls)
        _register_in_python(cls, info, kind)
    else:
        jax.tree_util.register_dataclass(cls, info.data_names, info.static_names)


def _check_has_dict(cls: type) -> None:
    if not has_dict(cls):
        raise PyTreeDataclassSafetyError(
            f"Expected `{cls.__qualname__}` to keep its fields in `__dict__`, because it must be "
            "rebuilt without running `__init__`, got `__slots__`. Remove `__slots__`, or what the "
            "class defines of `__init__`, `__post_init__` and `key_for_field`."
        )


def _register_in_python(cls: type, info: StructInfo, kind: NodeKind) -> None:
    """Registers a class that must not be rebuilt by calling it."""

    def flatten_with_keys(node: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        keyed = zip(kind.keys_of(node), kind.children_of(node), strict=True)
        return list(keyed), kind.statics_of(node)

    def flatten(node: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(kind.children_of(node)), kind.statics_of(node)

    def unflatten(statics: tuple[Any, ...], children: Iterable[Any]) -> Any:
        values = (*children, *statics)
        return make(cls, zip((*info.data_names, *info.static_names), values, strict=True))

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)


def _let_init_assign(cls: type) -> None:
    """Lets the `__init__` that a user wrote assign to fields, although the class is frozen."""
    refuse: Any = cls.__setattr__
    if "__init__" in cls.__dict__:
        cls.__init__ = _thawed(cls.__dict__["__init__"])

    def assign(self: Any, name: str, value: Any) -> None:
        if _BUILDING in self.__dict__:
            object.__setattr__(self, name, value)
        else:
            refuse(self, name, value)

    cls.__setattr__ = assign  # pyright: ignore[reportAttributeAccessIssue]  # it is a method


def _thawed(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapper(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if _BUILDING in self.__dict__:  # called by the `__init__` of a subclass
            init(self, *args, **kwargs)
            return
        self.__dict__[_BUILDING] = True
        try:
            init(self, *args, **kwargs)
        finally:
            del self.__dict__[_BUILDING]
        _settle(self)

    return wrapper


def _settle(node: Any) -> None:
    """Ends an `__init__` that a user wrote: every field must be set, all else is dropped."""
    info = info_of(type(node))
    missing = [name for name in info.names if not hasattr(node, name)]
    if missing:
        raise AttributeError(
            f"Expected `{type(node).__qualname__}.__init__` to set every field, but "
            f"{listed(missing)} is still unset when it returns. Assign it in `__init__`."
        )
    values = {name: getattr(node, name) for name in info.names}
    node.__dict__.clear()
    node.__dict__.update(values)
    check_statics(node)


def _init_owner(cls: type) -> type:
    return next(base for base in cls.__mro__ if "__init__" in base.__dict__)


def init_is_generated(cls: type) -> bool:
    """Returns whether calling a class stores its fields and does nothing that a user wrote."""
    owner = _init_owner(cls)
    if owner is object:
        return True
    info = owner.__dict__.get(INFO)
    return info is not None and info.generated_init is owner.__dict__["__init__"]


def declares_statics(cls: type) -> bool:
    """Returns whether a class, not yet decorated, has or inherits a static field."""
    own = (value for value in vars(cls).values() if isinstance(value, dataclasses.Field))
    inherited = (vars(base).get(INFO) for base in cls.__mro__[1:])
    return not all(map(is_pytree_node_field, own)) or any(
        info is not None and info.static_names for info in inherited
    )


def _has_own_post_init(cls: type) -> bool:
    return getattr(cls, "__post_init__", check_statics) is not check_statics


def check_hidden_init(cls: type) -> None:
    """Refuses to generate an `__init__` where that would hide one that a parent wrote."""
    owner = _init_owner(cls)
    if not init_is_generated(cls):
        raise PyTreeDataclassSafetyError(
            f"Expected `{cls.__qualname__}` to say what becomes of the `__init__` that it inherits "
            f"from `{owner.__qualname__}`, because generating one would hide it. Pass "
            "`init=False` to inherit it, `overwrite_parent_init=True` to replace it, or define "
            "`__init__` in the class."
        )


def check_listed_fields(cls: type, *, opted_in: bool) -> None:
    """Refuses a class body that does not list its fields, or lists all in spite of opting in."""
    actual = [field.name for field in dataclasses.fields(cls)]
    own = [name for name in inspect.get_annotations(cls) if name in actual]
    if opted_in and len(own) == len(actual):
        raise PyTreeDataclassSafetyError(
            f"Expected `{cls.__qualname__}` to inherit at least one field, because it is decorated "
            "with `has_implicitly_inherited_fields=True`, but its body lists all of them: "
            f"{listed(actual)}. Remove the keyword."
        )
    if not opted_in and own != actual:
        raise PyTreeDataclassSafetyError(
            f"Expected the body of `{cls.__qualname__}` to list every field in order, got "
            f"{listed(own)}, but with those of its parents the fields are {listed(actual)}. "
            "List them all in that order, or pass `has_implicitly_inherited_fields=True`."
        )
