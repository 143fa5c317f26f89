"""Layers without parameters that work on each element, or along a few axes."""

import functools
from collections.abc import Callable, Hashable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import as_names, axis_numbers, list_names, require_named
from modeldata.nn._layer import Layer


class EqualPartial(functools.partial):
    """A `functools.partial` that equals another one with equal parts.

    JAX compiles anew when a static field changes, and the standard `partial` differs from every
    other one. So a partial function that is a static field is best of this class; `Elementwise`
    turns the standard ones into it.
    """

    def _parts(self) -> tuple[Any, ...]:
        return self.func, self.args, tuple(sorted(self.keywords.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EqualPartial) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())


@pytree_dataclass
class Elementwise(Layer):
    """Applies a function to each element.

    Attributes:
        fn: A function of one array that keeps its shape, such as `jax.nn.silu`, or a
            `functools.partial` of one.
    """

    fn: Callable[[Any], Any] = static_field()

    def __post_init__(self) -> None:
        fn: Any = self.fn
        if type(fn) is functools.partial:
            object.__setattr__(self, "fn", EqualPartial(fn.func, *fn.args, **fn.keywords))
        elif not callable(fn):
            raise TypeError(
                f"`Elementwise` needs a function in `fn`, such as `jax.nn.relu`, but got {fn!r}."
            )

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the function of each element.

        Raises:
            ValueError: If the function changes the shape.
        """
        del side_inputs
        is_named = isinstance(argument, NamedArray)
        data = argument.data_array if is_named else argument
        result = self.fn(data)
        if jnp.shape(result) != jnp.shape(data):
            raise ValueError(
                f"`Elementwise` needs a function that keeps the shape, but {self.fn!r} made shape "
                f"{jnp.shape(result)} of {jnp.shape(data)}. Use a `Layer` of your own for it."
            )
        return NamedArray(data_array=result, dims=argument.dims) if is_named else result


@pytree_dataclass
class Softmax(Layer):
    """Softmax over one or several axes, computed in float32 or the input's dtype if wider.

    Attributes:
        axes: The name of the axis, or a tuple of names to normalize over jointly.
    """

    axes: Hashable = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns an array of the same axes and dtype that sums to one over `axes`.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If an axis is missing.
        """
        del side_inputs
        names = as_names(self.axes)
        array = require_named("`Softmax`", argument, names)
        data = _softmax(array.data_array, axis_numbers(array, names))
        return NamedArray(data_array=data, dims=array.dims)


@pytree_dataclass
class CastToDType(Layer):
    """Converts all arrays of its input to one dtype.

    Attributes:
        dtype: The dtype.
    """

    dtype: Any = static_field()

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the same tree of arrays in the other dtype."""
        del side_inputs
        return jax.tree_util.tree_map(lambda leaf: jnp.asarray(leaf, self.dtype), argument)


@pytree_dataclass
class TanhSoftCap(Layer):
    """Keeps values between `-soft_cap` and `soft_cap`: `tanh(x / soft_cap) * soft_cap`.

    Attributes:
        soft_cap: The bound; a number, or an array.
    """

    soft_cap: Any

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the bounded values, in the input's dtype."""
        del side_inputs

        def cap(data: Any) -> Any:
            limit = jnp.asarray(self.soft_cap, data.dtype)
            return jnp.tanh(data / limit) * limit

        return jax.tree_util.tree_map(cap, argument)


@pytree_dataclass
class ConstantRescale(Layer):
    """Multiplies its input by a constant.

    Attributes:
        by: The factor; a number, or an array that broadcasts against each array of the input.
    """

    by: Any

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the input times the factor; floating arrays keep their dtype."""
        del side_inputs
        if isinstance(self.by, NamedArray):
            return argument * self.by

        def rescale(data: Any) -> Any:
            is_inexact = jnp.issubdtype(data.dtype, jnp.inexact)
            return data * (jnp.asarray(self.by, data.dtype) if is_inexact else self.by)

        return jax.tree_util.tree_map(rescale, argument)


@pytree_dataclass
class RenameAxes(Layer):
    """Gives axes other names; all at once, so names may be swapped.

    Attributes:
        old: A name, or a tuple of names.
        new: As many names.
    """

    old: Hashable = static_field()
    new: Hashable = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the same data with renamed axes.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If an old name is missing, a new one is taken, or there are not as many of
                the one as of the other.
        """
        del side_inputs
        old, new = as_names(self.old), as_names(self.new)
        array = require_named("`RenameAxes`", argument, old)
        if len(old) != len(new):
            raise ValueError(
                f"`RenameAxes` needs as many new names as old ones, but got {list_names(old)} and "
                f"{list_names(new)}."
            )
        changes = dict(zip(old, new, strict=True))
        dims = tuple(changes.get(dim, dim) for dim in array.dims)
        if len(set(dims)) < len(dims):
            raise ValueError(
                f"`RenameAxes` would give two axes of {array.named_shape} the same name: "
                f"{list_names(old)} become {list_names(new)}."
            )
        return NamedArray(data_array=array.data_array, dims=dims)


# Compiled on its own, so that it is traced once for all layers of a model with equal shapes.
@functools.partial(jax.jit, static_argnums=1)
def _softmax(data: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    return narrow_like(jax.nn.softmax(widen(data), axis=axes), data)


def widen(data: Any) -> Any:
    """Returns an array in float32, or its own dtype if wider; sums need the precision."""
    return data.astype(jnp.promote_types(data.dtype, jnp.float32))


def narrow_like(result: Any, data: Any) -> Any:
    """Returns what was computed of widened data in the dtype of the data, integers aside."""
    return result.astype(data.dtype) if jnp.issubdtype(data.dtype, jnp.inexact) else result
