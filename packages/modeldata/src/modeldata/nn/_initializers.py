"""First values of the weights of linear maps.

An initializer is called with a random key and the axes of the weights, grouped by what they do. It
returns a named array. The axes that a linear map sums over come last in memory, because matrix
products read weights fastest in that order.
"""

import functools
import math
from collections.abc import Hashable, Mapping
from typing import Any, Literal, Protocol

import jax
import jax.numpy as jnp
from jax.core import Tracer

from modeldata.named import NamedArray
from modeldata.nn._axes import list_names

Axes = Mapping[Hashable, int]


class LinearOperatorWeightInitializer(Protocol):
    """What makes the weights of a linear map."""

    def __call__(
        self,
        key: jax.Array,
        *,
        input_axes: Axes,
        output_axes: Axes,
        parallel_axes: Axes,
        convolution_spatial_axes: Axes,
        dtype: Any,
    ) -> NamedArray:
        """Returns an array that has the axes of all groups.

        Args:
            key: A random key.
            input_axes: Axes that the map sums over.
            output_axes: Axes that it adds.
            parallel_axes: Axes along which it holds independent maps.
            convolution_spatial_axes: Axes of the window of a convolution.
            dtype: The dtype of the weights.
        """
        ...


def variance_scaling_initializer(
    key: jax.Array,
    *,
    scale: float,
    mode: Literal["fan_in", "fan_out", "fan_avg"],
    distribution: Literal["uniform", "normal", "truncated_normal"],
    input_axes: Axes,
    output_axes: Axes,
    parallel_axes: Axes,
    convolution_spatial_axes: Axes,
    dtype: Any,
) -> NamedArray:
    """Draws weights with a variance that depends on how many terms each output sums.

    Source: `jax.nn.initializers.variance_scaling`, whose draws these are.

    Args:
        key: A random key.
        scale: The factor on the variance.
        mode: Which count divides the variance.
        distribution: What to draw from.
        input_axes: Axes that the map sums over.
        output_axes: Axes that it adds.
        parallel_axes: Axes along which it holds independent maps; they do not count.
        convolution_spatial_axes: Axes of the window of a convolution; they count for both.
        dtype: The dtype of the weights.

    Raises:
        ValueError: If an axis is in two groups, or `mode` or `distribution` is something else.
    """
    groups = [parallel_axes, convolution_spatial_axes, input_axes, output_axes]
    sizes = _joined(*groups)
    if mode not in ("fan_in", "fan_out", "fan_avg"):
        raise ValueError(f"Expected `mode` to be 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}.")
    names, shape = tuple(sizes), tuple(sizes.values())
    window, inputs, outputs = (math.prod(group.values()) for group in groups[1:])
    terms = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}
    # Empty arrays have no terms.
    variance = scale / max(terms[mode] * window, 1)
    count = math.prod(shape)
    flat = _draw(key, variance, _drawn_count(key, count), distribution, jnp.dtype(dtype))
    first = len(parallel_axes) + len(convolution_spatial_axes)
    last = first + len(input_axes)
    order = (*range(first), *range(last, len(shape)), *range(first, last))
    return NamedArray(
        data_array=_arrange(flat, shape, order), dims=tuple(names[axis] for axis in order)
    )


# JAX draws each number from the key and the number's place, so a draw begins with any shorter one.
# Small arrays are cut from draws of few sizes, because compiling a draw takes longer than drawing.
_COMMON_COUNTS = (2**13, 2**18)


def _drawn_count(key: jax.Array, count: int) -> int:
    if isinstance(key, Tracer) or not getattr(jax.config, "jax_threefry_partitionable", False):
        return count
    if str(jax.random.key_impl(key)) != "threefry2x32":
        return count
    return next((common for common in _COMMON_COUNTS if count <= common), count)


@functools.partial(jax.jit, static_argnames=("count", "distribution", "dtype"))
def _draw(
    key: jax.Array,
    variance: float,
    count: int,
    distribution: Literal["uniform", "normal", "truncated_normal"],
    dtype: Any,
) -> jax.Array:
    # Drawn in one axis, which compiles faster than in many and gives the same numbers.
    draw = jax.nn.initializers.variance_scaling(
        variance, "fan_in", distribution, in_axis=1, out_axis=2, batch_axis=0, dtype=dtype
    )
    return draw(key, (count, 1, 1)).reshape(count)


@functools.partial(jax.jit, static_argnames=("shape", "order"))
def _arrange(flat: jax.Array, shape: tuple[int, ...], order: tuple[int, ...]) -> jax.Array:
    return jnp.transpose(flat[: math.prod(shape)].reshape(shape), order)


xavier_uniform_initializer: LinearOperatorWeightInitializer = functools.partial(
    variance_scaling_initializer, scale=1.0, mode="fan_avg", distribution="uniform"
)
"""Draws uniformly with variance `2 / (inputs + outputs)` (Glorot and Bengio, 2010)."""

xavier_normal_initializer: LinearOperatorWeightInitializer = functools.partial(
    variance_scaling_initializer, scale=1.0, mode="fan_avg", distribution="normal"
)
"""Draws normally with variance `2 / (inputs + outputs)` (Glorot and Bengio, 2010)."""


def constant_initializer(value: float) -> LinearOperatorWeightInitializer:
    """Returns an initializer that fills the weights with one number.

    Args:
        value: The number.
    """
    return functools.partial(_fill, value)


def zero_initializer(
    key: jax.Array,
    *,
    input_axes: Axes,
    output_axes: Axes,
    parallel_axes: Axes,
    convolution_spatial_axes: Axes,
    dtype: Any,
) -> NamedArray:
    """Fills the weights with zeros.

    Args:
        key: Not used.
        input_axes: Axes that the map sums over.
        output_axes: Axes that it adds.
        parallel_axes: Axes along which it holds independent maps.
        convolution_spatial_axes: Axes of the window of a convolution.
        dtype: The dtype of the weights.

    Raises:
        ValueError: If an axis is in two groups.
    """
    return _fill(
        0,
        key,
        input_axes=input_axes,
        output_axes=output_axes,
        parallel_axes=parallel_axes,
        convolution_spatial_axes=convolution_spatial_axes,
        dtype=dtype,
    )


def _fill(
    value: float,
    key: jax.Array,
    *,
    input_axes: Axes,
    output_axes: Axes,
    parallel_axes: Axes,
    convolution_spatial_axes: Axes,
    dtype: Any,
) -> NamedArray:
    del key
    sizes = _joined(parallel_axes, convolution_spatial_axes, output_axes, input_axes)
    data = jnp.full(tuple(sizes.values()), value, dtype)
    return NamedArray(data_array=data, dims=tuple(sizes))


def _joined(*groups: Axes) -> dict[Hashable, int]:
    sizes = {name: size for group in groups for name, size in group.items()}
    if len(sizes) < sum(map(len, groups)):
        twice = [name for name in sizes if sum(name in group for group in groups) > 1]
        raise ValueError(
            f"Expected each axis of the weights in one group, but {list_names(twice)} is in "
            "several of `input_axes`, `output_axes`, `parallel_axes` and "
            "`convolution_spatial_axes`. Give one of them another name."
        )
    return sizes
