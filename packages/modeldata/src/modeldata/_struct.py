"""Structs: frozen dataclasses that JAX sees as plain data."""

import dataclasses
import functools
import importlib
import inspect
from collections.abc import Callable, Hashable
from typing import (
    TYPE_CHECKING,
    Any,
    NamedTuple,
    Self,
    TypeVar,
    dataclass_transform,
    final,
    overload,
)

import jax
import numpy as np

from modeldata import _repr
from modeldata._node_kinds import tuple_getter
from modeldata._struct_building import (
    adopt,
    check_hidden_init,
    check_listed_fields,
    declares_statics,
)
from modeldata._struct_info import (
    PyTreeDataclassSafetyError,
    StructMeta,
    check_statics,
    info_of,
    is_pytree_dataclass_type,
    is_pytree_node_field,
    listed,
    make,
)

if TYPE_CHECKING:
    from modeldata.selectors import Selection

__all__ = ["Struct", "is_pytree_node_field", "pytree_dataclass", "static_field"]

_T = TypeVar("_T")


def static_field(
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    always_collapse: bool = False,
    init: bool = True,
    repr: bool = True,  # noqa: A002  # the name that dataclasses use
    compare: bool = True,
    kw_only: Any = dataclasses.MISSING,
    metadata: dict[str, Any] | None = None,
) -> Any:
    """Declares a field that is part of the structure instead of a child of the pytree.

    Transformations such as `jax.jit` compile anew when its value changes. Its value must be
    hashable, and compare by value.

    Args:
        default: The value if the constructor gets none.
        default_factory: Makes the default value.
        always_collapse: Whether viewers should fold the field at first, however much room is left.
        init: Whether the generated `__init__` takes the field.
        repr: Whether the field is shown.
        compare: Whether the field counts for `==` and `hash`.
        kw_only: Whether the generated `__init__` takes the field by keyword only.
        metadata: More metadata for the field.

    Returns:
        A field for the body of a class.
    """
    marks = {"pytree_node": False, "always_collapse": always_collapse}
    return dataclasses.field(
        default=default,
        default_factory=default_factory,
        init=init,
        repr=repr,
        compare=compare,
        kw_only=kw_only,
        metadata={**(metadata or {}), **marks},
    )


class _InstanceMethod:
    """A method that classes do not have, for printers that ask every object alike for it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            raise AttributeError(
                f"`{owner.__qualname__}.{self._function.__name__}` is a method of instances; call "
                "it on one."
            )
        return functools.partial(self._function, instance)


class Struct(metaclass=StructMeta):
    """Base class of frozen dataclasses that are pytrees.

    A subclass declares its fields as a dataclass does, and is decorated with `pytree_dataclass`.
    A class that is not decorated is abstract.
    """

    @final
    @classmethod
    def from_attributes(cls, /, **fields: Any) -> Self:
        """Makes an instance from the values of all its fields, without running `__init__`.

        Args:
            **fields: A value for each field; no more and no fewer. Values of pytree fields are
                not looked at.

        Returns:
            The new instance.

        Raises:
            TypeError: If the class is abstract, or a static value is not hashable.
            ValueError: If the names are not those of the fields.
        """
        info = info_of(cls)
        if fields.keys() != set(info.names):
            missing = [name for name in info.names if name not in fields]
            unknown = [name for name in fields if name not in info.names]
            raise ValueError(
                f"Expected exactly the fields of `{cls.__qualname__}`; missing: "
                f"{listed(missing)}; unknown: {listed(unknown)}. The fields are "
                f"{listed(info.names)}."
            )
        result = make(cls, fields)
        check_statics(result)
        return result

    @final
    def attributes_dict(self) -> dict[str, Any]:
        """Returns the value of every field by name, static fields included."""
        return {name: getattr(self, name) for name in info_of(type(self)).names}

    @final
    def replace(self, /, **changes: Any) -> Self:
        """Returns a copy with some fields changed, without running `__init__`.

        Args:
            **changes: New values by field name.

        Raises:
            TypeError: If a static value is not hashable.
            ValueError: If a name is not that of a field.
        """
        names = info_of(type(self)).names
        unknown = [name for name in changes if name not in names]
        if unknown:
            raise ValueError(
                f"Expected names of fields of `{type(self).__qualname__}` to replace, got "
                f"{listed(unknown)}. The fields are {listed(names)}."
            )
        return self.from_attributes(**{**self.attributes_dict(), **changes})

    @final
    def select(self) -> "Selection":
        """Starts a selection of parts of this struct, as `modeldata.select` does."""
        # Selections are structs themselves, so this module cannot import them while it loads.
        return importlib.import_module("modeldata.selectors").select(self)

    def key_for_field(self, field_name: str) -> Hashable:
        """Returns the pytree key of a field.

        A subclass that overrides this to use other keys is flattened in Python, which is slower.

        Args:
            field_name: The name of a pytree field.
        """
        return jax.tree_util.GetAttrKey(field_name)

    def __repr__(self) -> str:
        return _repr.struct_repr(self)

    @_InstanceMethod
    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001  # IPython's protocol
        printer.text("..." if cycle else _repr.struct_repr(self, width=printer.max_width))


_RESERVED = frozenset(name for name in vars(Struct) if not name.startswith("__"))


@overload
def pytree_dataclass(cls: type[_T], /) -> type[_T]: ...
@overload
def pytree_dataclass(
    cls: None = None,
    /,
    *,
    has_implicitly_inherited_fields: bool = False,
    overwrite_parent_init: bool = False,
    init: bool = True,
    repr: bool | None = None,
    eq: bool = True,
    order: bool = False,
    match_args: bool = False,
    kw_only: bool = False,
) -> Callable[[type[_T]], type[_T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field, static_field))
def pytree_dataclass(
    cls: type[Any] | None = None,
    /,
    *,
    has_implicitly_inherited_fields: bool = False,
    overwrite_parent_init: bool = False,
    init: bool = True,
    repr: bool | None = None,  # noqa: A002  # the name that dataclasses use
    eq: bool = True,
    order: bool = False,
    match_args: bool = False,
    kw_only: bool = False,
) -> Any:
    """Makes a class a frozen dataclass and a JAX pytree.

    Use it bare (`@pytree_dataclass`) or with keywords. Fields are children of the pytree, except
    those made with `static_field`. If the class defines `__init__`, that may assign to
    the fields of `self`; they are frozen when it returns. What it assigns to other names is
    dropped.

    Two `==` structs have the same structure, and leaves that are equal as a whole.

    Args:
        cls: The class to decorate. It need not derive from `Struct`.
        has_implicitly_inherited_fields: Whether the class has fields that it does not repeat in
            its own body. Without this, a class must list every field in order, so that the reader
            sees what it holds and a parent cannot reorder it.
        overwrite_parent_init: Whether a generated `__init__` may hide one that a parent wrote.
        init: Whether to generate `__init__`; if False, one is inherited.
        repr: Whether to generate a dataclass `__repr__`. By default only if the class is not a
            `Struct`, which has its own.
        eq: Whether to generate `__eq__` (and `__hash__`, from the fields).
        order: Whether to generate `<`, `<=`, `>` and `>=`, comparing the fields in order.
        match_args: Whether fields can be matched by position in a `match` statement.
        kw_only: Whether all fields are taken by keyword only.

    Returns:
        The class itself, or a decorator if called without one.

    Raises:
        PyTreeDataclassSafetyError: If the class leaves out inherited fields, or reorders them; if
            it claims to inherit fields and does not; if `__init__` would hide a parent's; or if a
            field has the name of a method of `Struct`.
        ValueError: If the class is already decorated.
    """
    settings = _Settings(
        has_implicitly_inherited_fields=has_implicitly_inherited_fields,
        overwrite_parent_init=overwrite_parent_init,
        init=init,
        repr=repr,
        eq=eq,
        order=order,
        match_args=match_args,
        kw_only=kw_only,
    )
    if cls is None:
        return functools.partial(_decorate, settings=settings)
    return _decorate(cls, settings)


class _Settings(NamedTuple):
    """The keywords of `pytree_dataclass`."""

    has_implicitly_inherited_fields: bool
    overwrite_parent_init: bool
    init: bool
    repr: bool | None
    eq: bool
    order: bool
    match_args: bool
    kw_only: bool


def _decorate(cls: type[_T], settings: _Settings) -> type[_T]:
    if is_pytree_dataclass_type(cls):
        raise ValueError(
            f"Expected `{cls.__qualname__}` not to be decorated yet, but `pytree_dataclass` was "
            "applied to it before. Remove one of the two decorators."
        )
    _check_names(cls)
    generates_init = settings.init and "__init__" not in cls.__dict__
    if generates_init and not settings.overwrite_parent_init:
        check_hidden_init(cls)
    if declares_statics(cls) and not hasattr(cls, "__post_init__"):
        setattr(cls, "__post_init__", check_statics)  # noqa: B010  # unknown to type checkers
    compares_trees = settings.eq and "__eq__" not in cls.__dict__
    is_struct = issubclass(cls, Struct)
    dataclasses.dataclass(
        frozen=True,
        init=settings.init,
        repr=not is_struct if settings.repr is None else settings.repr,
        # Each method that dataclasses generate costs time when a module is imported.
        eq=settings.eq and (settings.order or not compares_trees),
        order=settings.order,
        match_args=settings.match_args,
        kw_only=settings.kw_only,
    )(cls)
    if compares_trees:
        _compare_trees(cls)
    check_listed_fields(cls, opted_in=settings.has_implicitly_inherited_fields)
    adopt(cls, generates_init=generates_init, chooses_keys=_has_own_keys(cls))
    return cls


def _has_own_keys(cls: type) -> bool:
    return getattr(cls, "key_for_field", Struct.key_for_field) is not Struct.key_for_field


def _check_names(cls: type) -> None:
    if not issubclass(cls, Struct):
        return
    taken = sorted(_RESERVED & inspect.get_annotations(cls).keys())
    if taken:
        raise PyTreeDataclassSafetyError(
            f"Expected fields of `{cls.__qualname__}` with names of their own, but "
            f"{listed(taken)} would hide a method that every `Struct` has. Choose another name."
        )


def _compare_trees(cls: type) -> None:
    """Lets a class compare by tree, and hash by its fields, as dataclasses do."""
    cls.__eq__ = _equal_trees  # pyright: ignore[reportAttributeAccessIssue]  # it is a method
    if "__hash__" in cls.__dict__:
        return
    fields = [f for f in dataclasses.fields(cls) if (f.compare if f.hash is None else f.hash)]
    values_of = tuple_getter(tuple(field.name for field in fields))

    def hash_fields(self: Any) -> int:
        try:
            return hash(values_of(self))
        except TypeError as error:
            raise TypeError(
                f"Expected hashable fields in order to hash a `{cls.__name__}`, but got an "
                f"{error}. Use its `id`, or, where a transformation of JAX asks for the hash, make "
                "it an argument of the function: `variable_jit(layer)` does so for a layer."
            ) from None

    cls.__hash__ = hash_fields  # pyright: ignore[reportAttributeAccessIssue]  # as above


def _equal_trees(self: Any, other: Any) -> Any:
    """Compares two structs as trees; `==` of arrays alone would not give a bool."""
    if type(self) is not type(other):
        return NotImplemented
    if self is other:
        return True
    leaves, treedef = jax.tree_util.tree_flatten(self)
    other_leaves, other_treedef = jax.tree_util.tree_flatten(other)
    return treedef == other_treedef and all(map(_equal_leaves, leaves, other_leaves))


def _equal_leaves(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, (np.ndarray, jax.Array)) or isinstance(b, (np.ndarray, jax.Array)):
        same_kind = hasattr(a, "dtype") and hasattr(b, "dtype")
        return (
            same_kind and a.dtype == b.dtype and np.shape(a) == np.shape(b) and bool((a == b).all())
        )
    return bool(a == b)
