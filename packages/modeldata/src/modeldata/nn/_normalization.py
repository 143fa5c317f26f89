"""Standardizing activations, and the layers made of it.

Means and sums of squares are computed in float32 (or the input's dtype if wider), as the reference
implementations of transformers do; the result has the input's dtype again.
"""

import functools
from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._arguments import require_axes
from modeldata.nn._axes import as_names, axis_numbers, require_named, require_sizes
from modeldata.nn._basic import narrow_like, widen
from modeldata.nn._grouping import Sequential
from modeldata.nn._initializers import (
    Axes,
    LinearOperatorWeightInitializer,
    constant_initializer,
    zero_initializer,
)
from modeldata.nn._layer import Layer
from modeldata.nn._linear import AddBias
from modeldata.nn._parameters import ParameterLike, make_parameter


@pytree_dataclass
class Standardize(Layer):
    """Subtracts the mean and divides by the standard deviation.

    Attributes:
        across: The name of the axis, or a tuple of names, to standardize over jointly.
        epsilon: Added to the variance.
    """

    across: Hashable = static_field()
    epsilon: float = static_field(default=1e-6)

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns an array of mean zero and variance one over `across`.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If an axis is missing.
        """
        del side_inputs
        array = require_named("`Standardize`", argument, as_names(self.across))
        axes = axis_numbers(array, as_names(self.across))
        data = _standardized(array.data_array, axes, self.epsilon)
        return NamedArray(data_array=data, dims=array.dims)


@pytree_dataclass
class RMSStandardize(Layer):
    """Divides by the root of the mean square (Zhang and Sennrich, 2019).

    Attributes:
        across: The name of the axis, or a tuple of names, to take the mean over jointly.
        epsilon: Added to the mean square.
    """

    across: Hashable = static_field()
    epsilon: float = static_field(default=1e-6)

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns an array of mean square one over `across`.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If an axis is missing.
        """
        del side_inputs
        array = require_named("`RMSStandardize`", argument, as_names(self.across))
        axes = axis_numbers(array, as_names(self.across))
        data = _rms_standardized(array.data_array, axes, self.epsilon)
        return NamedArray(data_array=data, dims=array.dims)


@pytree_dataclass
class NormScale(Layer):
    """Multiplies each feature by a factor; the learned part of a normalization.

    It is not a `Linear`, so that selecting every `Linear` finds linear maps only.

    Attributes:
        scale: A parameter with a `NamedArray`, whose axes the input has too.
    """

    scale: ParameterLike

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the scaled input, in the input's dtype.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If it misses an axis of the scale.
        """
        del side_inputs
        scale: NamedArray = self.scale.value
        require_named("`NormScale`", argument)
        require_sizes("`NormScale`", argument, scale.named_shape)
        return _scaled(argument, scale)

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        across_axes: Axes,
        initializer: LinearOperatorWeightInitializer | None = None,
        dtype: Any = jnp.float32,
    ) -> "NormScale":
        """Makes a scale.

        Args:
            name: A path for the parameter, whose label is `name` with `.weights`.
            init_base_rng: The random key of the whole model; None for a slot without values.
            across_axes: Sizes of the axes along which the scale varies.
            initializer: Makes the values; ones if not given. The axes are parallel axes to it.
            dtype: The dtype of the values.

        Raises:
            TypeError: If axes are not given as sizes by name.
        """
        require_axes("NormScale", across_axes=across_axes)
        scale = make_parameter(
            f"{name}.weights",
            init_base_rng,
            initializer or constant_initializer(1.0),
            input_axes={},
            output_axes={},
            parallel_axes=dict(across_axes),
            convolution_spatial_axes={},
            dtype=dtype,
        )
        return cls(scale)


@pytree_dataclass(has_implicitly_inherited_fields=True)
class RMSLayerNorm(Sequential):
    """Root-mean-square normalization with a learned scale."""

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        across_axes: Axes,
        epsilon: float = 1e-6,
        dtype: Any = jnp.float32,
        *,
        initializer: LinearOperatorWeightInitializer | None = None,
    ) -> "RMSLayerNorm":
        """Makes a normalization.

        Args:
            name: A path for the parameter, whose label is `name` with `/scale.weights`.
            init_base_rng: The random key of the whole model; None for a slot without values.
            across_axes: Sizes of the axes to normalize over.
            epsilon: Added to the mean square.
            dtype: The dtype of the scale.
            initializer: Makes the scale; ones if not given. The axes are parallel axes to it.

        Raises:
            TypeError: If axes are not given as sizes by name.
        """
        require_axes("RMSLayerNorm", across_axes=across_axes)
        scale = NormScale.from_config(
            f"{name}/scale", init_base_rng, across_axes, initializer, dtype
        )
        return cls([RMSStandardize(tuple(across_axes), float(epsilon)), scale])


@pytree_dataclass(has_implicitly_inherited_fields=True)
class LayerNorm(Sequential):
    """Normalization by mean and variance with a learned scale and shift (Ba et al., 2016)."""

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        across_axes: Axes,
        epsilon: float = 1e-6,
        dtype: Any = jnp.float32,
        *,
        scale_initializer: LinearOperatorWeightInitializer | None = None,
        shift_initializer: LinearOperatorWeightInitializer = zero_initializer,
    ) -> "LayerNorm":
        """Makes a normalization.

        Args:
            name: A path for the parameters, `name` with `/scale.weights` and `/shift.bias`.
            init_base_rng: The random key of the whole model; None for slots without values.
            across_axes: Sizes of the axes to normalize over.
            epsilon: Added to the variance.
            dtype: The dtype of the parameters.
            scale_initializer: Makes the scale; ones if not given. The axes are parallel axes to it.
            shift_initializer: Makes the shift; the axes are output axes to it.

        Raises:
            TypeError: If axes are not given as sizes by name.
        """
        require_axes("LayerNorm", across_axes=across_axes)
        scale = NormScale.from_config(
            f"{name}/scale", init_base_rng, across_axes, scale_initializer, dtype
        )
        shift = AddBias.from_config(
            f"{name}/shift", init_base_rng, across_axes, initializer=shift_initializer, dtype=dtype
        )
        return cls([Standardize(tuple(across_axes), float(epsilon)), scale, shift])


# Compiled on their own, so that they are traced once for all layers of a model with equal shapes.
@functools.partial(jax.jit, static_argnums=(1, 2))
def _standardized(data: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    wide = widen(data)
    centred = wide - jnp.mean(wide, axes, keepdims=True)
    variance = jnp.mean(jnp.square(centred), axes, keepdims=True)
    result = centred * jax.lax.rsqrt(variance + jnp.asarray(epsilon, wide.dtype))
    return narrow_like(result, data)


@functools.partial(jax.jit, static_argnums=(1, 2))
def _rms_standardized(data: jax.Array, axes: tuple[int, ...], epsilon: float) -> jax.Array:
    wide = widen(data)
    square = jnp.mean(jnp.square(wide), axes, keepdims=True)
    result = wide * jax.lax.rsqrt(square + jnp.asarray(epsilon, wide.dtype))
    return narrow_like(result, data)


@jax.jit
def _scaled(array: NamedArray, scale: NamedArray) -> NamedArray:
    return (array * scale).astype(array.dtype)
