"""Operators of named arrays, and the methods that they share with JAX arrays."""

import functools
import operator
from collections.abc import Callable
from typing import Any, Self, SupportsIndex

import jax
import jax.numpy as jnp

from modeldata.named._aligned import binary, is_arraylike
from modeldata.named._base import Named
from modeldata.named._dims import dims_of
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
        return vectorized(jnp.matmul, (left, right), {}, type(self))

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
    diagonal = _array_method("diagonal")
    dot = _array_method("dot")
    flatten = _array_method("flatten")
    ravel = _array_method("ravel")
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

    def reshape(self, *shape: Any) -> Self:
        """Gives the positional axes a new shape of the same size.

        Args:
            *shape: The new sizes, one by one or as one sequence; one of them may be -1.

        Raises:
            TypeError: If the sizes do not fit, as JAX says it.
        """
        if len(shape) == 1 and not isinstance(shape[0], SupportsIndex):
            shape = tuple(shape[0])
        layout = self.layout
        start = layout.positional[0] if layout.rank else len(layout.labels)
        if layout.positional != tuple(range(start, start + layout.rank)):
            return vectorized(functools.partial(jnp.reshape, shape=shape), (self,), {}, type(self))
        # The positional axes are stored together, so the others need not be touched.
        old = self.data_array.shape
        inner = jax.eval_shape(
            lambda x: x.reshape(shape), jax.ShapeDtypeStruct(self.positional_shape, self.dtype)
        )
        data = self.data_array.reshape((*old[:start], *inner.shape, *old[start + layout.rank :]))
        named = layout.labels[:start], layout.labels[start + layout.rank :]
        return self._make(data, dims_of((*named[0], *range(len(inner.shape)), *named[1])))
