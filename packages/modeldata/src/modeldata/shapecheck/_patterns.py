"""What patterns are made of: specifications of arrays, and wildcards."""

import operator
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Self

import jax
import numpy as np
import wadler_lindig as wl
from jax import export

from modeldata._frozen_dict import FrozenDict
from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.named._dims import check_names
from modeldata.shapecheck._dims import (
    DimVar,
    KnownDim,
    MultiDimVar,
    RemainingAxisPlaceholder,
    dims_text,
)
from modeldata.shapecheck._dtypes import as_dtype, dtype_text, is_abstract

StructureAnnotation = Any
"""A pattern: a pytree of `ArraySpec`, `Wildcard`, and leaves to compare with `==`."""


@pytree_dataclass
class Wildcard(Struct):
    """Matches any value, whole subtrees too.

    Attributes:
        description: What is to stand there, for the reader.
    """

    description: str | None = static_field(default=None)


ANY = Wildcard()
"""Matches any value."""


@pytree_dataclass
class ArraySpec(Struct):
    """The shape, axis names and type of an array; with variables for what is left open.

    As a pattern it matches named arrays, other arrays, anything else that has a shape and a dtype,
    and Python scalars. It has no children in a pytree.

    Attributes:
        shape: The sizes of the positional axes: integers, `var(...)`, and `*var(...)` for any
            number of axes.
        dtype: A type of elements. Without 64-bit types in JAX, `int64` and `int32` are the same.
            An abstract type of NumPy or JAX, such as `np.floating`, stands for all below it; by
            default anything goes.
        named_shape: The size of each named axis by name: an integer or `var(...)`; and
            `**var(...)` for any number of axes.

    Raises:
        TypeError: If an entry of a shape is no size and no variable, or `dtype` is no type.
        ValueError: If an axis has an unsuitable name.
    """

    shape: tuple[Any, ...] = static_field(default=())
    dtype: Any = static_field(default=np.generic)
    named_shape: Mapping[Any, Any] = static_field(default_factory=FrozenDict)

    def __post_init__(self) -> None:
        shape, named = _entries(self.shape, self.named_shape)
        check_names(name for name in named if not isinstance(name, MultiDimVar))
        object.__setattr__(self, "shape", tuple(map(_shape_entry, shape)))
        object.__setattr__(self, "dtype", as_dtype(self.dtype))
        object.__setattr__(
            self,
            "named_shape",
            FrozenDict({name: _named_entry(name, size) for name, size in named.items()}),
        )

    @property
    def positional_shape(self) -> tuple[Any, ...]:
        """The sizes of the positional axes, as in a named array."""
        return self.shape

    @classmethod
    def floating_named(cls, named_shape: Mapping[Any, Any] | DimVar) -> Self:
        """Makes the specification of an array of any floating-point type, all of its axes named.

        Args:
            named_shape: The size of each axis by name, as in the attribute.
        """
        return cls(dtype=np.floating, named_shape={**named_shape})

    def into_pytree(self) -> jax.ShapeDtypeStruct | NamedArray:
        """Returns what `jax.eval_shape` would give for such an array.

        Returns:
            A `jax.ShapeDtypeStruct`; in a named array if there are named axes, which then come
            last, in the order in which they are listed.

        Raises:
            ValueError: If a size is a variable, or the dtype is abstract.
        """
        if is_abstract(self.dtype):
            raise ValueError(f"Expected a concrete dtype, got `{self!r}`. Give it one.")
        sizes = (*self.shape, *self.named_shape.keys(), *self.named_shape.values())
        if any(isinstance(size, DimVar | MultiDimVar) for size in sizes):
            raise ValueError(
                f"Expected sizes without variables, got `{self!r}`. Put values in their place with "
                "`full_substitute_dimension_variables`."
            )
        shape = tuple(map(strip_known, (*self.shape, *self.named_shape.values())))
        struct = jax.ShapeDtypeStruct(shape, self.dtype)
        return NamedArray(struct, tuple(self.named_shape)) if self.named_shape else struct

    def __pdoc__(self, **_: Any) -> wl.AbstractDoc:
        parts = [f"shape={dims_text(self.shape)}"] * bool(self.shape)
        parts += [f"dtype={dtype_text(self.dtype)}"] * (self.dtype is not np.generic)
        parts += [f"named_shape={dims_text(self.named_shape)}"] * bool(self.named_shape)
        return wl.TextDoc(f"ArraySpec({', '.join(parts)})")


def as_array_structure(tree: Any) -> StructureAnnotation:
    """Describes every array in a tree by an `ArraySpec`.

    Args:
        tree: Any pytree.

    Returns:
        The tree with an `ArraySpec` for each array (named or not, or anything else with a shape and
        a dtype), and `ANY` for each other leaf. The tree matches it.

    Raises:
        ValueError: If a named array is not valid.
    """
    return jax.tree_util.tree_map(
        lambda leaf: spec_of(leaf) or ANY, tree, is_leaf=lambda node: isinstance(node, NamedArray)
    )


def spec_of(value: Any) -> ArraySpec | None:
    """Returns the specification of an array, or None if a value is none; scalars are none.

    Args:
        value: Any object.

    Raises:
        ValueError: If it is a named array that is not valid.
    """
    if isinstance(value, ArraySpec):
        return value
    if isinstance(value, NamedArray):
        value.layout  # noqa: B018  # refuses what is not valid
        return ArraySpec(value.positional_shape, value.dtype, value.named_shape)
    if isinstance(value, type) or not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return None
    try:
        return ArraySpec(tuple(value.shape), value.dtype)
    except TypeError:  # an array of another library, whose sizes or types are not those of NumPy
        return None


def is_pattern_leaf(node: Any) -> bool:
    """Returns whether a node of a pattern stands for a whole subtree of the value."""
    return isinstance(node, ArraySpec | Wildcard)


def strip_known(size: Any) -> Any:
    """Returns a size without the name that a `KnownDim` gives it."""
    return size.size if isinstance(size, KnownDim) else size


def _entries(shape: Any, named_shape: Any) -> tuple[tuple[Any, ...], dict[Any, Any]]:
    if isinstance(shape, str) or not isinstance(shape, Iterable):
        raise TypeError(
            f"Expected a tuple of sizes in `shape`, got {shape!r}. For one axis write `(size,)`."
        )
    if not isinstance(named_shape, Mapping | DimVar):
        raise TypeError(
            f"Expected a size for each axis name in `named_shape`, got {named_shape!r}. Use a "
            "dictionary."
        )
    return tuple(shape), {**named_shape}


def _shape_entry(size: Any) -> Any:
    return size if isinstance(size, MultiDimVar) else _size(size)


def _named_entry(name: Hashable, size: Any) -> Any:
    if isinstance(name, MultiDimVar) == isinstance(size, RemainingAxisPlaceholder):
        return size if isinstance(name, MultiDimVar) else _size(size)
    raise TypeError(
        f"Expected one size for each axis, got {size!r} for {name!r}. For any number of axes write "
        "`**var(name)`."
    )


def _size(size: Any) -> Any:
    if isinstance(size, DimVar | KnownDim) or export.is_symbolic_dim(size):
        return size
    try:
        return operator.index(size)
    except TypeError:
        raise TypeError(
            f"Expected sizes as integers or `var(name)`, got {size!r}. For any number of axes "
            "write `*var(name)` in `shape`, or `**var(name)` in `named_shape`."
        ) from None
