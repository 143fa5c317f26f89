"""Structs: frozen dataclasses that JAX sees as plain data.

`pytree_dataclass` makes a frozen dataclass and registers it with JAX, in most cases through
`jax.tree_util.register_dataclass`, so that flattening runs in C++. That fast path rebuilds an
object by calling its class. Calling must therefore do nothing but store the fields. Classes for
which this is not so (an `__init__`, `__post_init__` or `key_for_field` of their own, fields that
`__init__` does not take) are registered with Python functions instead, which store the fields
directly. Either way no code of the user's runs when JAX rebuilds a struct, so that any object may
stand in a field: a tracer, `None`, a sharding, a hole.

A class that is not decorated would not be known to JAX. Such classes carry a metaclass that
refuses to make instances; decorating a class replaces it by one that does not look, because a
`__call__` in a metaclass costs more than the rest of making a struct.
"""

import abc
import dataclasses
import functools
import importlib
import inspect
import operator
from collections.abc import Callable, Hashable, Iterable
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

if TYPE_CHECKING:
    from modeldata.selectors import Selection

_T = TypeVar("_T")
_INFO = "__pytree_dataclass__"
_BUILDING = "__struct_is_building__"


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


class _StructMeta(abc.ABCMeta):
    """Metaclass of decorated structs; every new subclass starts undecorated."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **kwargs: Any
    ) -> "_StructMeta":
        return super().__new__(_UndecoratedMeta, name, bases, namespace, **kwargs)


class _UndecoratedMeta(_StructMeta):
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
    return isinstance(cls, type) and _INFO in cls.__dict__


def is_pytree_node_field(field: dataclasses.Field[Any]) -> bool:
    """Returns whether a dataclass field is a child of the pytree, not a static field.

    Args:
        field: A field as `dataclasses.fields` gives it. Static are the fields made with
            `static_field`, and those whose metadata has a false `pytree_node`.
    """
    return bool(field.metadata.get("pytree_node", True))


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


class Struct(metaclass=_StructMeta):
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
        info = _info_of(cls)
        if fields.keys() != set(info.names):
            missing = [name for name in info.names if name not in fields]
            unknown = [name for name in fields if name not in info.names]
            raise ValueError(
                f"Expected exactly the fields of `{cls.__qualname__}`; missing: "
                f"{_listed(missing)}; unknown: {_listed(unknown)}. The fields are "
                f"{_listed(info.names)}."
            )
        result = _new(cls, fields)
        _check_statics(result)
        return result

    @final
    def attributes_dict(self) -> dict[str, Any]:
        """Returns the value of every field by name, static fields included."""
        return {name: getattr(self, name) for name in _info_of(type(self)).names}

    @final
    def replace(self, /, **changes: Any) -> Self:
        """Returns a copy with some fields changed, without running `__init__`.

        Args:
            **changes: New values by field name.

        Raises:
            TypeError: If a static value is not hashable.
            ValueError: If a name is not that of a field.
        """
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
        _check_hidden_init(cls)
    if _declares_statics(cls) and not hasattr(cls, "__post_init__"):
        setattr(cls, "__post_init__", _check_statics)  # noqa: B010  # unknown to type checkers
    own_eq = "__eq__" in cls.__dict__
    is_struct = issubclass(cls, Struct)
    dataclasses.dataclass(
        frozen=True,
        init=settings.init,
        repr=not is_struct if settings.repr is None else settings.repr,
        eq=settings.eq,
        order=settings.order,
        match_args=settings.match_args,
        kw_only=settings.kw_only,
    )(cls)
    if settings.eq and not own_eq:
        cls.__eq__ = _equal_trees
    _check_listed_fields(cls, opted_in=settings.has_implicitly_inherited_fields)
    _adopt(cls, generates_init=generates_init)
    return cls


def _adopt(cls: type, *, generates_init: bool) -> None:
    """Remembers what a new dataclass is, makes it constructible and registers it with JAX."""
    fields = dataclasses.fields(cls)
    info = StructInfo(
        names=tuple(field.name for field in fields),
        data_names=tuple(field.name for field in fields if is_pytree_node_field(field)),
        static_names=tuple(field.name for field in fields if not is_pytree_node_field(field)),
        generated_init=cls.__init__ if generates_init else None,
    )
    setattr(cls, _INFO, info)
    runs_user_code = not _init_is_generated(cls) or _has_own_post_init(cls)
    if not _init_is_generated(cls):
        _let_init_assign(cls)
    if isinstance(cls, _UndecoratedMeta):
        cls.__class__ = _StructMeta  # pyright: ignore[reportAttributeAccessIssue]  # see the top
    if "tree_flatten_with_keys" in dir(cls) and "tree_unflatten" in dir(cls):
        jax.tree_util.register_pytree_with_keys_class(cls)
    elif runs_user_code or _has_own_keys(cls) or not all(field.init for field in fields):
        _register_in_python(cls, info)
    else:
        jax.tree_util.register_dataclass(cls, info.data_names, info.static_names)


def _register_in_python(cls: type, info: StructInfo) -> None:
    """Registers a class that must not be rebuilt by calling it."""
    data_of = _tuple_getter(info.data_names)
    statics_of = _tuple_getter(info.static_names)

    def key_of(node: Any, name: str) -> Any:
        return node.key_for_field(name) if _has_own_keys(cls) else jax.tree_util.GetAttrKey(name)

    def flatten_with_keys(node: Any) -> tuple[list[tuple[Any, Any]], tuple[Any, ...]]:
        keys = (key_of(node, name) for name in info.data_names)
        return list(zip(keys, data_of(node), strict=True)), statics_of(node)

    def flatten(node: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return data_of(node), statics_of(node)

    def unflatten(statics: tuple[Any, ...], children: Iterable[Any]) -> Any:
        values = (*children, *statics)
        return _new(cls, zip((*info.data_names, *info.static_names), values, strict=True))

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)


def _tuple_getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if not names:
        return lambda _: ()
    if len(names) == 1:
        return lambda node: (getattr(node, names[0]),)
    return operator.attrgetter(*names)


def _new(cls: type[_T], values: Any) -> _T:
    result = object.__new__(cls)
    result.__dict__.update(values)
    return result


def _info_of(cls: type) -> StructInfo:
    if not is_pytree_dataclass_type(cls):
        raise _abstract_error(cls)
    return cls.__dict__[_INFO]


def _init_owner(cls: type) -> type:
    return next(base for base in cls.__mro__ if "__init__" in base.__dict__)


def _init_is_generated(cls: type) -> bool:
    owner = _init_owner(cls)
    if owner is object:
        return True
    info = owner.__dict__.get(_INFO)
    return info is not None and info.generated_init is owner.__dict__["__init__"]


def _declares_statics(cls: type) -> bool:
    own = (value for value in vars(cls).values() if isinstance(value, dataclasses.Field))
    inherited = (vars(base).get(_INFO) for base in cls.__mro__[1:])
    return not all(map(is_pytree_node_field, own)) or any(
        info is not None and info.static_names for info in inherited
    )


def _has_own_post_init(cls: type) -> bool:
    return getattr(cls, "__post_init__", _check_statics) is not _check_statics


def _has_own_keys(cls: type) -> bool:
    return getattr(cls, "key_for_field", Struct.key_for_field) is not Struct.key_for_field


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
    info = _info_of(type(node))
    missing = [name for name in info.names if not hasattr(node, name)]
    if missing:
        raise AttributeError(
            f"Expected `{type(node).__qualname__}.__init__` to set every field, but "
            f"{_listed(missing)} is still unset when it returns. Assign it in `__init__`."
        )
    values = {name: getattr(node, name) for name in info.names}
    node.__dict__.clear()
    node.__dict__.update(values)
    _check_statics(node)


def _check_statics(node: Any) -> None:
    """Refuses static values that JAX could not compare, while the user still sees the place."""
    for name in _info_of(type(node)).static_names:
        value = getattr(node, name)
        try:
            hash(value)
        except TypeError:
            raise TypeError(_static_advice(node, name, value)) from None


def _static_advice(node: Any, name: str, value: Any) -> str:
    where = f"`{type(node).__qualname__}.{name}`"
    got = f"Expected a hashable value in the static field {where}, got {_repr.brief(value)}."
    if isinstance(value, (np.ndarray, jax.Array)):
        return f"{got} Make it a pytree field (drop `static_field`), or store a tuple or a number."
    advice = {list: "a tuple", dict: "a tuple of pairs", set: "a frozenset", slice: "a tuple"}
    instead = advice.get(type(value), "a hashable value (a tuple, a frozen dataclass)")
    return f"{got} Store {instead} instead, or make it a pytree field."


def _check_names(cls: type) -> None:
    if not issubclass(cls, Struct):
        return
    taken = sorted(_RESERVED & inspect.get_annotations(cls).keys())
    if taken:
        raise PyTreeDataclassSafetyError(
            f"Expected fields of `{cls.__qualname__}` with names of their own, but "
            f"{_listed(taken)} would hide a method that every `Struct` has. Choose another name."
        )


def _check_hidden_init(cls: type) -> None:
    owner = _init_owner(cls)
    if not _init_is_generated(cls):
        raise PyTreeDataclassSafetyError(
            f"Expected `{cls.__qualname__}` to say what becomes of the `__init__` that it inherits "
            f"from `{owner.__qualname__}`, because generating one would hide it. Pass "
            "`init=False` to inherit it, `overwrite_parent_init=True` to replace it, or define "
            "`__init__` in the class."
        )


def _check_listed_fields(cls: type, *, opted_in: bool) -> None:
    actual = [field.name for field in dataclasses.fields(cls)]
    listed = [name for name in inspect.get_annotations(cls) if name in actual]
    if opted_in and len(listed) == len(actual):
        raise PyTreeDataclassSafetyError(
            f"Expected `{cls.__qualname__}` to inherit at least one field, because it is decorated "
            "with `has_implicitly_inherited_fields=True`, but its body lists all of them: "
            f"{_listed(actual)}. Remove the keyword."
        )
    if not opted_in and listed != actual:
        raise PyTreeDataclassSafetyError(
            f"Expected the body of `{cls.__qualname__}` to list every field in order, got "
            f"{_listed(listed)}, but with those of its parents the fields are {_listed(actual)}. "
            "List them all in that order, or pass `has_implicitly_inherited_fields=True`."
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


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


def _signature(leaf: Any) -> tuple[Any, tuple[int, ...]]:
    return getattr(leaf, "dtype", None), np.shape(leaf)
