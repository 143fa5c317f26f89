"""First values of the weights of linear maps.

An initializer is called with a random key and the axes of the weights, grouped by what they do. It
returns a named array. The axes that a linear map sums over come last in memory, because matrix
products read weights fastest in that order.
"""

import functools
import itertools
from collections.abc import Hashable, Mapping
from typing import Any, Literal, Protocol

import jax
import jax.numpy as jnp

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
        ValueError: If an axis is in two groups.
    """
    groups = [parallel_axes, convolution_spatial_axes, input_axes, output_axes]
    names = tuple(_joined(*groups))
    shapes = tuple(tuple(group.values()) for group in groups)
    data = _draw(key, scale=scale, mode=mode, distribution=distribution, shapes=shapes, dtype=dtype)
    ends = _ends(shapes)
    return NamedArray(
        data_array=data,
        dims=(*names[: ends[1]], *names[ends[2] :], *names[ends[1] : ends[2]]),
    )


def _ends(shapes: tuple[tuple[int, ...], ...]) -> list[int]:
    """Returns where each group of axes ends."""
    return list(itertools.accumulate(map(len, shapes)))


# Compiled as a whole: drawing step by step would compile each step for each shape.
@functools.partial(jax.jit, static_argnames=("scale", "mode", "distribution", "shapes", "dtype"))
def _draw(
    key: jax.Array,
    *,
    scale: float,
    mode: Literal["fan_in", "fan_out", "fan_avg"],
    distribution: Literal["uniform", "normal", "truncated_normal"],
    shapes: tuple[tuple[int, ...], ...],
    dtype: Any,
) -> jax.Array:
    """Draws with axes parallel, convolution, input, output; returns inputs last."""
    ends = _ends(shapes)
    sizes = tuple(itertools.chain(*shapes))
    # JAX wants at least one input and one output axis, so each gets one more of size one.
    draw = jax.nn.initializers.variance_scaling(
        scale,
        mode,
        distribution,
        in_axis=(*range(ends[1], ends[2]), ends[3]),
        out_axis=(*range(ends[2], ends[3]), ends[3] + 1),
        batch_axis=tuple(range(ends[0])),
        dtype=dtype,
    )
    data = draw(key, (*sizes, 1, 1)).reshape(sizes)
    order = (*range(ends[1]), *range(ends[2], ends[3]), *range(ends[1], ends[2]))
    return jnp.transpose(data, order)


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
