"""Attention that may look at nothing."""

from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._arguments import require_axes
from modeldata.nn._axes import axis_numbers, data_like, require_named, require_sizes
from modeldata.nn._basic import narrow_like, widen
from modeldata.nn._initializers import Axes, LinearOperatorWeightInitializer, zero_initializer
from modeldata.nn._layer import Layer
from modeldata.nn._parameters import ParameterLike, make_parameter


@pytree_dataclass
class SoftmaxWithSink(Layer):
    """Softmax over an axis and one learned score more, which takes a share and gives nothing.

    So the result sums to less than one. It is computed in float32, or the input's dtype if wider.

    Attributes:
        sink: A parameter with the score, a `NamedArray` with some of the other axes of the input.
        axis: The axis to normalize over.
    """

    sink: ParameterLike
    axis: Hashable = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns an array of the same axes and dtype.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If it misses the axis, or one of the sink.
        """
        del side_inputs
        sink: NamedArray = self.sink.value
        array = require_named("`SoftmaxWithSink`", argument, (self.axis,))
        require_sizes("`SoftmaxWithSink`", array, sink.named_shape)
        (axis,) = axis_numbers(array, (self.axis,))
        data = _softmax_with_sink(array.data_array, data_like(sink, array.dims), axis)
        return NamedArray(data_array=data, dims=array.dims)

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        sink_axes: Axes,
        axis: Hashable,
        *,
        initializer: LinearOperatorWeightInitializer = zero_initializer,
        dtype: Any = jnp.float32,
    ) -> "SoftmaxWithSink":
        """Makes a softmax with a sink.

        Args:
            name: A path for the parameter, whose label is `name` with `.bias`.
            init_base_rng: The random key of the whole model; None for a slot without values.
            sink_axes: Sizes of the axes along which the score varies.
            axis: The axis to normalize over.
            initializer: Makes the score; the axes are output axes to it.
            dtype: The dtype of the score.

        Raises:
            TypeError: If axes are not given as sizes by name.
        """
        require_axes("SoftmaxWithSink", sink_axes=sink_axes)
        sink = make_parameter(
            f"{name}.bias",
            init_base_rng,
            initializer,
            input_axes={},
            output_axes=dict(sink_axes),
            parallel_axes={},
            convolution_spatial_axes={},
            dtype=dtype,
        )
        return cls(sink, axis)


def _softmax_with_sink(data: jax.Array, sink: jax.Array, axis: int) -> jax.Array:
    scores, extra = widen(data), widen(sink)
    greatest = jax.lax.stop_gradient(jnp.maximum(jnp.max(scores, axis, keepdims=True), extra))
    shares = jnp.exp(scores - greatest)
    total = jnp.sum(shares, axis, keepdims=True) + jnp.exp(extra - greatest)
    return narrow_like(shares / total, data)
