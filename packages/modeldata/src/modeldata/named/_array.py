"""`NamedArray`: an array some of whose axes have names."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import jax.numpy as jnp
import numpy as np
import wadler_lindig as wl
from jax import lax

from modeldata import _repr
from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import _eager, _indexing
from modeldata.named._dims import (
    AxisName,
    Dims,
    Labels,
    check_known,
    check_names,
    dims_of,
    permutation,
    shown,
    tagged,
    untagged,
)
from modeldata.named._methods import ArrayMethods


@pytree_dataclass(eq=False)
class NamedArray(ArrayMethods):
    """An array whose axes are either named or positional.

    Operations act on the positional axes, and are repeated for every index of the named ones.
    `untag` makes named axes positional, `tag` names positional axes; neither moves data.

    How the axes are stored belongs to the pytree structure: two arrays with the same names in
    another order have different structures. `order_as` and `order_like` change the order.

    The constructor checks nothing, because JAX puts objects of many kinds in place of
    arrays. Use `nx.wrap` to make named arrays, and `check_valid` to look for mistakes.

    Attributes:
        data_array: The stored array.
        dims: What the trailing axes of `data_array` are: an axis name, or an integer for a
            positional axis. Leading axes that are not listed are positional and come first; the
            integers number the other positional axes, from 0.
    """

    data_array: Any
    dims: Dims = static_field()

    # ---- What it is ----

    @classmethod
    def wrap(cls, array: Any, *names: AxisName) -> Self:
        """Makes a named array of an array.

        Args:
            array: Anything that `jnp.asarray` takes.
            *names: A name for each axis; if there are none, all axes stay positional.

        Raises:
            TypeError: If `array` is a named array already.
            ValueError: If there is not a name for each axis, or names are unsuitable.
        """
        if isinstance(array, NamedArray):
            raise TypeError(
                f"Expected a plain array to wrap, got {_repr.brief(array)}. Name its positional "
                "axes with `.tag(...)`, or take `.data_array`."
            )
        result = cls._make(jnp.asarray(array), ())
        return result.tag(*names) if names else result

    def data_axis(self, name: AxisName) -> int:
        """Returns which axis of `data_array` has a name.

        Raises:
            ValueError: If no axis has this name.
        """
        layout = self.layout
        check_known((name,), layout.names)
        return layout.axis_of[name]

    def check_valid(self) -> None:
        """Refuses an array whose `dims` do not fit its data.

        Raises:
            ValueError: If `data_array` is no array, or names or numbers in `dims` are wrong.
        """
        layout = self.layout
        if not hasattr(self.data_array, "dtype"):
            raise ValueError(
                "Expected the `data_array` of a named array to have a dtype, got "
                f"{_repr.brief(self.data_array)}. Put an array there first."
            )
        if dims_of(layout.labels) != self.dims:
            raise ValueError(
                f"Expected `dims` in short form, {dims_of(layout.labels)!r}, got {self.dims!r}. "
                "Leading positional axes are not listed; use `nx.wrap` and `untag` instead."
            )

    # ---- Names come and go ----

    def tag(self, *names: AxisName) -> Self:
        """Names all positional axes.

        Args:
            *names: A name for each positional axis, in order.

        Raises:
            ValueError: If there is not one name for each positional axis, or a name is repeated,
                taken, or a number.
        """
        return self._relabeled(tagged, names, prefix=False)

    def tag_prefix(self, *names: AxisName) -> Self:
        """Names the first positional axes.

        Args:
            *names: Names for as many axes, in order.

        Raises:
            ValueError: If there are fewer positional axes, or a name is repeated, taken, or a
                number.
        """
        return self._relabeled(tagged, names, prefix=True)

    def untag(self, *names: AxisName) -> Self:
        """Makes named axes positional, in the order given.

        Args:
            *names: Names of axes. There must be no positional axes yet.

        Raises:
            ValueError: If there are positional axes, or names are repeated or unknown.
        """
        if not names:
            return self
        return self._relabeled(untagged, names, prefix=False)

    def untag_prefix(self, *names: AxisName) -> Self:
        """Makes named axes positional, in front of the positional axes there are.

        Args:
            *names: Names of axes.

        Raises:
            ValueError: If names are repeated or unknown.
        """
        return self._relabeled(untagged, names, prefix=True)

    def unwrap(self, *names: AxisName) -> Any:
        """Returns the plain array.

        Args:
            *names: All axis names, in the order in which the array should have them. Without
                names, the array must have only positional axes.

        Returns:
            An array; the stored one itself if its axes are in order.

        Raises:
            ValueError: If axes are left over, or names are repeated or unknown.
        """
        layout = self.layout
        if names:
            result = self.untag(*names)
            left = [name for name in layout.names if name not in names]
            if left:
                raise ValueError(
                    f"Expected all axis names to be given a place in the plain array, but "
                    f"{shown(left)} are missing. Name them too, or index them first."
                )
            return result.unwrap()
        if layout.names:
            raise ValueError(
                f"Expected an array without named axes, got one with {shown(layout.names)}. "
                "Pass all the names in the order you want, as in "
                f"`.unwrap({shown(layout.names)})`."
            )
        return self._transposed(tuple(range(layout.rank))).data_array

    # ---- Order and broadcasting ----

    def with_positional_prefix(self) -> Self:
        """Stores the positional axes first, in order, so that `data_array` can be scanned over.

        The named axes keep the order in which they are stored.
        """
        layout = self.layout
        return self._transposed((*range(layout.rank), *layout.names))

    def order_as(self, *names: AxisName) -> Self:
        """Stores positional axes first, and then the named axes in the order given.

        Args:
            *names: All axis names.

        Raises:
            ValueError: If names are missing, repeated or unknown.
        """
        layout = self.layout
        check_names(names)
        check_known(names, layout.names)
        left = [name for name in layout.names if name not in names]
        if left:
            raise ValueError(
                f"Expected an order for all named axes, but {shown(left)} are missing. "
                "Name every axis."
            )
        return self._transposed((*range(layout.rank), *names))

    def order_like(self, other: "NamedArray") -> Self:
        """Stores the axes in the order in which another array stores them.

        Args:
            other: An array with the same names. If it stores positional axes after named ones, it
                must have as many positional axes.

        Raises:
            TypeError: If `other` is not a named array.
            ValueError: If the names, or where that matters the numbers of positional axes, differ.
        """
        if not isinstance(other, NamedArray):
            raise TypeError(
                f"Expected a named array to take the order from, got {_repr.brief(other)}. "
                "Use `order_as` with the names instead."
            )
        own, wanted = self.layout, other.layout
        if set(own.names) != set(wanted.names):
            raise ValueError(
                f"Expected an array with the same names, {shown(own.names)}, got one with "
                f"{shown(wanted.names)}. Broadcast or index the arrays first."
            )
        if own.rank == wanted.rank:
            return self._transposed(wanted.labels)
        if any(isinstance(entry, int) for entry in other.dims):
            raise ValueError(
                f"Expected an array with {own.rank} positional axes, got one with {wanted.rank}, "
                "stored after named ones. Use `other.with_positional_prefix()`."
            )
        return self.order_as(*wanted.names)

    def canonicalize(self) -> Self:
        """Stores positional axes first, and then the named axes in sorted order.

        Raises:
            TypeError: If the names cannot be compared with each other.
        """
        names: Any = self.layout.names
        try:
            order = sorted(names)
        except TypeError:
            raise TypeError(
                f"Expected axis names that can be sorted, got {shown(names)}. Use `order_as` with "
                "the names in the order you want."
            ) from None
        return self.order_as(*order)

    def broadcast_to(
        self,
        positional_shape: Sequence[int] = (),
        named_shape: Mapping[AxisName, int] | None = None,
    ) -> Self:
        """Repeats the array along new axes.

        Args:
            positional_shape: The positional shape of the result; to it, the positional axes
                broadcast as in NumPy.
            named_shape: Sizes by name. Names that the array lacks are added. Names that are not
                listed stay as they are.

        Raises:
            ValueError: If positional axes do not broadcast, or a named axis has another size
                already; named axes of size 1 do not broadcast.
        """
        named_shape = dict(named_shape or {})
        positional_shape = tuple(positional_shape)
        own = self.named_shape
        target = {**named_shape, **own}
        differing = {name: size for name, size in named_shape.items() if target[name] != size}
        if differing:
            raise ValueError(
                f"Expected sizes of named axes that the array has, {own}, got {differing}. Named "
                "axes do not broadcast, even those of size 1; index or slice them first."
            )
        if positional_shape == self.positional_shape and target.keys() == own.keys():
            return self
        check_names(target)
        return self._broadcast(positional_shape, target)

    def broadcast_like(self, other: Any) -> Self:
        """Repeats the array along all axes that another array has and it has not.

        Args:
            other: A named array, or anything with a shape.

        Raises:
            ValueError: If the sizes of axes differ.
        """
        if isinstance(other, NamedArray):
            return self.broadcast_to(other.positional_shape, other.named_shape)
        return self.broadcast_to(np.shape(other))

    def _broadcast(self, positional_shape: tuple[int, ...], target: dict[AxisName, int]) -> Self:
        rank = len(positional_shape)
        own = self.positional_shape
        try:
            fits = np.broadcast_shapes(own, positional_shape) == positional_shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"Expected a positional shape that {own} broadcasts to, got {positional_shape}. "
                "Sizes are compared from the end, and only 1 can grow."
            )
        labels = (*range(rank), *target)
        kept = (
            *range(rank - len(own), rank),
            *(name for name in target if name in self.layout.names),
        )
        ordered = self._transposed((*range(len(own)), *kept[len(own) :]))
        axes = tuple(labels.index(label) for label in kept)
        shape = (*positional_shape, *target.values())
        return self._make(lax.broadcast_in_dim(ordered.data_array, shape, axes), dims_of(labels))

    def _relabeled(
        self, change: Callable[..., Dims], names: tuple[AxisName, ...], *, prefix: bool
    ) -> Self:
        ndim = len(self.layout.labels)
        try:
            dims = change(self.dims, ndim, names, prefix=prefix)
        except TypeError:  # from the cache, which hashes the names before anything looks at them
            check_names(names)
            raise
        return self._make(self.data_array, dims)

    def _transposed(self, labels: Labels) -> Self:
        order = permutation(self.layout, labels)
        if order is None:
            return self
        return self._make(_eager.transpose(order, self.data_array), dims_of(labels))

    # ---- As a Python object ----

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        shape = self.positional_shape
        if not shape:
            raise ValueError(
                "Expected a positional axis to iterate over, but the array has only the named axes "
                f"{shown(self.layout.names)}. `untag` one of them first."
            )
        return shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: FBT001  # NumPy's protocol
        return np.array(self.unwrap(), dtype=dtype, copy=copy)

    def __bool__(self) -> bool:
        return bool(self._scalar("bool"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        return operator.index(self._scalar("index"))

    def __round__(self, ndigits: int = 0) -> Any:
        return self.round(ndigits)

    def item(self) -> Any:
        """Returns the one element as a Python number.

        Raises:
            ValueError: If the array has axes.
        """
        return self._scalar("number").item()

    def _scalar(self, kind: str) -> Any:
        layout = self.layout
        if layout.labels:
            untag = f".untag_prefix({shown(layout.names)})" if layout.names else ""
            raise ValueError(
                f"Cannot convert a non-scalar NamedArray to a Python {kind}: it has positional "
                f"shape {self.positional_shape} and named shape {self.named_shape}. Index or "
                f"reduce its axes first, as in `x{untag}.{'all' if kind == 'bool' else 'sum'}()`."
            )
        return self.data_array

    def __format__(self, spec: str) -> str:
        return format(self._scalar("number"), spec) if spec else str(self)

    if not TYPE_CHECKING:  # a type checker should go on to find wrong names

        def __getattr__(self, name: str) -> Any:
            hint = _HINTS.get(name, "Its functions act on the positional axes; see `nx.nmap`.")
            if hasattr(type(self), name):  # a property that looked for something in vain
                held = _repr.brief(self.__dict__.get("data_array"))
                hint = f"It takes it from its `data_array`, which is {held}."
            raise AttributeError(
                f"`NamedArray` has no attribute `{name}`. {hint}", name=name, obj=self
            )

    def __pdoc__(self, **_: Any) -> wl.AbstractDoc:
        return _doc(self)

    # ---- Indexing ----

    def __getitem__(self, index: Any) -> Self:
        return _indexing.get(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "Expected named arrays not to be changed in place, because JAX arrays are immutable. "
            "Use `x = x.at[index].set(value)`."
        )

    @property
    def at(self) -> "_indexing.IndexHelper[Self]":
        """Takes an index and returns what can be done there, as in `x.at[{"seq": 0}].set(1)`.

        Like the property of JAX arrays: `get`, `set`, `add`, `subtract`, `multiply`, `divide`,
        `power`, `min`, `max` and `apply`, each of which returns a new array.
        """
        return _indexing.IndexHelper(self)


# What to use in place of attributes that a user of NumPy would look for.
_HINTS = {
    "shape": "It has a `named_shape` and a `positional_shape`.",
    "ndim": "Use `len(x.named_shape)` and `len(x.positional_shape)`.",
    "names": "The names are the keys of `named_shape`.",
}
_LONG_NAME = 40


def _doc(array: NamedArray) -> wl.AbstractDoc:
    """Returns dtype and axes without values, as in `NamedArray(f32[2, 3 | heads:16])`."""
    try:
        dtype = _repr.dtype_text(array.dtype)
        sizes = [str(size) for size in array.positional_shape]
        named = [f"{_name_text(name)}:{size}" for name, size in array.named_shape.items()]
    except (AttributeError, TypeError, ValueError):  # a tracer, hole or sharding in its place
        content = _repr.brief(array.data_array)
        return wl.TextDoc(f"NamedArray(data_array={content}, dims={array.dims!r})")
    if sizes and named:
        sizes[-1] = f"{sizes[-1]} | {named.pop(0)}"
    docs: list[wl.AbstractDoc] = [wl.TextDoc(text) for text in (*sizes, *named)]
    axes = wl.bracketed(wl.TextDoc(f"{dtype}["), docs, wl.comma, wl.TextDoc("]"), 2)
    return wl.TextDoc("NamedArray(") + axes + wl.TextDoc(")")


def _name_text(name: AxisName) -> str:
    text = " ".join(str(name).split())
    return text if len(text) <= _LONG_NAME else text[: _LONG_NAME - 3] + "..."
