"""Operators of named arrays, and the methods that they share with JAX arrays."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, Self, SupportsIndex

import jax
import jax.numpy as jnp

from modeldata import _repr
from modeldata.named import _eager
from modeldata.named._aligned import binary, is_arraylike
from modeldata.named._base import Named
from modeldata.named._dims import Dims, dims_of
from modeldata.named._rules import call
from modeldata.named._vectorized import vectorized


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a method of a JAX function, which acts on the positional axes."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call(function, (self, *args), kwargs, type(self))

    return _named_like(method, function)


def _operator(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes the method for an infix operator."""

    def method(self: Any, other: Any) -> Any:
        return binary(function, self, other)

    return _named_like(method, function)


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes the method for an infix operator whose left operand is not a named array."""

    def swapped(right: Any, left: Any) -> Any:
        return function(left, right)

    def method(self: Any, other: Any) -> Any:
        return binary(swapped, self, other)

    return _named_like(method, function)


def _array_method(name: str) -> Callable[..., Any]:
    """Makes a method of the method that JAX arrays have; it sees the positional axes."""

    def function(array: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(jnp.asarray(array), name)(*args, **kwargs)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return vectorized(function, (self, *args), kwargs, type(self))

    return _named_like(method, getattr(jnp, name, function), name)


def _named_like(
    method: Callable[..., Any], function: Callable[..., Any], name: str | None = None
) -> Callable[..., Any]:
    title = name or getattr(function, "__name__", "function")
    method.__name__ = method.__qualname__ = title
    method.__doc__ = f"Applies `{title}` to the positional axes, for each index of the named axes."
    return method


class ArrayMethods(Named):
    """What can be computed with a named array; all of it acts on the positional axes."""

    # NumPy arrays on the left of an operator leave the operation to us.
    __array_ufunc__ = None
    __array_priority__ = 100

    # ---- Operators ----

    __lt__ = _operator(jnp.less)
    __le__ = _operator(jnp.less_equal)
    __eq__ = _operator(jnp.equal)
    __ne__ = _operator(jnp.not_equal)
    __ge__ = _operator(jnp.greater_equal)
    __gt__ = _operator(jnp.greater)
    __add__, __radd__ = _operator(jnp.add), _reflected(jnp.add)
    __sub__, __rsub__ = _operator(jnp.subtract), _reflected(jnp.subtract)
    __mul__, __rmul__ = _operator(jnp.multiply), _reflected(jnp.multiply)
    __truediv__, __rtruediv__ = _operator(jnp.true_divide), _reflected(jnp.true_divide)
    __floordiv__, __rfloordiv__ = _operator(jnp.floor_divide), _reflected(jnp.floor_divide)
    __mod__, __rmod__ = _operator(jnp.remainder), _reflected(jnp.remainder)
    __pow__, __rpow__ = _operator(jnp.power), _reflected(jnp.power)
    __lshift__, __rlshift__ = _operator(jnp.left_shift), _reflected(jnp.left_shift)
    __rshift__, __rrshift__ = _operator(jnp.right_shift), _reflected(jnp.right_shift)
    __and__, __rand__ = _operator(jnp.bitwise_and), _reflected(jnp.bitwise_and)
    __or__, __ror__ = _operator(jnp.bitwise_or), _reflected(jnp.bitwise_or)
    __xor__, __rxor__ = _operator(jnp.bitwise_xor), _reflected(jnp.bitwise_xor)
    __abs__ = _method(jnp.abs)
    __neg__ = _method(jnp.negative)
    __pos__ = _method(jnp.positive)
    __invert__ = _method(jnp.invert)
    __hash__ = None  # pyright: ignore[reportAssignmentType]  # `==` does not give a bool

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __matmul__(self, other: Any) -> Any:
        return self._matmul(self, other, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._matmul(other, self, other)

    def _matmul(self, left: Any, right: Any, other: Any) -> Any:
        if not isinstance(other, Named) and not is_arraylike(other):
            return NotImplemented
        for side, operand in (("left", left), ("right", right)):
            if (operand.layout.rank if isinstance(operand, Named) else jnp.ndim(operand)) == 0:
                raise ValueError(
                    f"Expected positional axes on both sides of `@`, got {_repr.brief(operand)} on "
                    f"the {side}. `untag` axes first, or use `nx.contract(name, x, y)`."
                )
        dims = tuple(x.dims if isinstance(x, Named) else None for x in (left, right))
        datas = (x.data_array if isinstance(x, Named) else x for x in (left, right))
        return _product(type(self), dims, *datas)

    # ---- Methods of arrays; they act on the positional axes ----

    all = _method(jnp.all)
    any = _method(jnp.any)
    argmax = _method(jnp.argmax)
    argmin = _method(jnp.argmin)
    max = _method(jnp.max)
    mean = _method(jnp.mean)
    min = _method(jnp.min)
    prod = _method(jnp.prod)
    ptp = _method(jnp.ptp)
    std = _method(jnp.std)
    sum = _method(jnp.sum)
    var = _method(jnp.var)
    argsort = _method(jnp.argsort)
    cumprod = _method(jnp.cumprod)
    cumsum = _method(jnp.cumsum)
    sort = _method(jnp.sort)
    clip = _method(jnp.clip)
    conj = _method(jnp.conj)
    conjugate = _method(jnp.conjugate)
    round = _method(jnp.round)
    argpartition = _array_method("argpartition")
    choose = _array_method("choose")
    compress = _array_method("compress")
    diagonal = _array_method("diagonal")
    dot = _array_method("dot")
    nonzero = _array_method("nonzero")
    repeat = _array_method("repeat")
    searchsorted = _array_method("searchsorted")
    squeeze = _array_method("squeeze")
    take = _array_method("take")
    trace = _array_method("trace")
    view = _array_method("view")

    def astype(self, dtype: Any) -> Self:
        """Converts the elements to another type."""
        return self._make(self.data_array.astype(dtype), self.dims)

    @property
    def real(self) -> Self:
        """The real parts of the elements."""
        return self._make(jnp.real(self.data_array), self.dims)

    @property
    def imag(self) -> Self:
        """The imaginary parts of the elements."""
        return self._make(jnp.imag(self.data_array), self.dims)

    @property
    def T(self) -> Self:  # noqa: N802  # as NumPy has it
        """The array with its positional axes in reverse order."""
        return self.transpose()

    @property
    def mT(self) -> Self:  # noqa: N802  # as NumPy has it
        """The array with its last two positional axes swapped.

        Raises:
            ValueError: If it has fewer than two.
        """
        return self.swapaxes(-1, -2)

    def transpose(self, *axes: Any) -> Self:
        """Permutes the positional axes, without moving data.

        Args:
            *axes: The number of the old axis for each new one, one by one or as one sequence; by
                default they are reversed.

        Raises:
            ValueError: If each positional axis does not occur once.
        """
        layout = self.layout
        if len(axes) == 1 and not isinstance(axes[0], SupportsIndex):
            axes = tuple(axes[0]) if axes[0] is not None else ()
        order = [operator.index(axis) for axis in axes] or list(reversed(range(layout.rank)))
        numbers = [axis + layout.rank if axis < 0 else axis for axis in order]
        if sorted(numbers) != list(range(layout.rank)):
            raise ValueError(
                f"Expected each of the {layout.rank} positional axes once, got {tuple(order)}. "
                "Named axes have no number; see `order_as`."
            )
        new_number = {old: new for new, old in enumerate(numbers)}
        labels = (new_number[x] if isinstance(x, int) else x for x in layout.labels)
        return self._make(self.data_array, dims_of(tuple(labels)))

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """Swaps two positional axes, without moving data.

        Raises:
            ValueError: If there is no such positional axis.
        """
        rank = self.layout.rank
        for axis in (axis1, axis2):
            if not -rank <= axis < rank:
                raise ValueError(
                    f"Expected the number of one of {rank} positional axes, got {axis}. "
                    "Named axes have no number; `untag` them first."
                )
        order = list(range(rank))
        order[axis1], order[axis2] = order[axis2], order[axis1]
        return self.transpose(*order) if rank else self

    def reshape(self, *shape: Any, order: str = "C") -> Self:
        """Gives the positional axes a new shape of the same size.

        Args:
            *shape: The new sizes, one by one or as one sequence; one of them may be -1.
            order: As for `jax.numpy.reshape`.

        Raises:
            ValueError: If the sizes do not fit, or more than one is -1.
        """
        if len(shape) == 1 and not isinstance(shape[0], SupportsIndex):
            shape = tuple(shape[0])
        new = _filled(tuple(map(operator.index, shape)), self.positional_shape)
        if order != "C":
            function = functools.partial(jnp.reshape, shape=new, order=order)
            return vectorized(function, (self,), {}, type(self))
        layout = self.layout
        start = layout.positional[0] if layout.rank else len(layout.labels)
        stop = start + layout.rank
        if layout.positional != tuple(range(start, stop)):
            return self.with_positional_prefix().reshape(new)  # pyright: ignore[reportAttributeAccessIssue]  # NamedArray has it
        # The positional axes are stored together, so the others need not be touched.
        old = self.data_array.shape
        data = self.data_array.reshape((*old[:start], *new, *old[stop:]))
        labels = (*layout.labels[:start], *range(len(new)), *layout.labels[stop:])
        return self._make(data, dims_of(labels))

    def flatten(self, order: str = "C") -> Self:
        """Makes one positional axis of all of them."""
        return self.reshape(-1, order=order)

    ravel = flatten

    # ---- The stored array ----

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.data_array.size

    @property
    def itemsize(self) -> int:
        """The number of bytes of one element."""
        return self.data_array.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The number of bytes of all elements."""
        return self.data_array.nbytes

    @property
    def sharding(self) -> Any:
        """How `data_array` is laid out over devices."""
        return self.data_array.sharding

    @property
    def device(self) -> Any:
        """The device of `data_array`, or its sharding if there are several."""
        return self.data_array.device

    def devices(self) -> Any:
        """Returns the set of devices on which `data_array` lies."""
        return self.data_array.devices()

    def to_device(self, device: Any) -> Self:
        """Copies the array to a device, or lays it out by a sharding."""
        return self._make(jax.device_put(self.data_array, device), self.dims)

    def copy(self) -> Self:
        """Copies the array."""
        return self._make(jnp.copy(self.data_array), self.dims)

    def block_until_ready(self) -> Self:
        """Waits until the data are computed, and returns the array itself."""
        self.data_array.block_until_ready()
        return self


@_eager.compiled(static=2)
def _product(cls: type[Named], dims: tuple[Dims | None, ...], *datas: Any) -> Named:
    """Multiplies matrices, each a named array if it has `dims`."""
    args = (
        data if own is None else cls._make(data, own) for data, own in zip(datas, dims, strict=True)
    )
    return vectorized(jnp.matmul, tuple(args), {}, cls)


def _filled(new: tuple[int, ...], old: tuple[int, ...]) -> tuple[int, ...]:
    """Returns a shape with -1 replaced by what is left of another shape of the same size."""
    size = math.prod(old)
    unknown = [axis for axis, entry in enumerate(new) if entry == -1]
    rest = math.prod(entry for entry in new if entry != -1)
    if len(unknown) == 1 and rest > 0 and size % rest == 0:
        (axis,) = unknown
        return (*new[:axis], size // rest, *new[axis + 1 :])
    if unknown or rest != size:
        raise ValueError(
            f"Expected a shape with as many elements as the positional shape {old}, which has "
            f"{size}, got {new}. One size may be -1; named axes are not reshaped, so `untag` "
            "those that should be."
        )
    return new
