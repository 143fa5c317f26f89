"""Convolution over named axes."""

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._arguments import require_axes
from modeldata.nn._axes import data_like, list_names, require_free, require_named, require_sizes
from modeldata.nn._grouping import Sequential
from modeldata.nn._initializers import (
    Axes,
    LinearOperatorWeightInitializer,
    xavier_uniform_initializer,
)
from modeldata.nn._layer import Layer
from modeldata.nn._linear import check_groups, primed_names, renamed_back
from modeldata.nn._parameters import ParameterLike, make_parameter
from modeldata.nn._windows import PaddingLike, PerAxis, Windows

_Names = tuple[Hashable, ...]


@pytree_dataclass
class Convolution(Layer):
    """A linear map of a window that slides along some axes of its input.

    As in `Linear`, axes of the weights that are in neither list are parallel: each index has a map
    of its own, so a depthwise convolution has its channels there. All other axes of the input pass
    through. As everywhere in machine learning, the window is not reversed.

    Attributes:
        weights: A parameter with a `NamedArray`, which has the axes of the window by their names.
        in_axis_names: The axes to sum over, besides those of the window.
        out_axis_names: The axes that the output gets.
        windows: Where the windows lie.
    """

    weights: ParameterLike
    in_axis_names: _Names = static_field()
    out_axis_names: _Names = static_field()
    windows: Windows = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input with its `in_axis_names` replaced by `out_axis_names`.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If an axis is missing, has another size than in the weights, or is there
                already.
        """
        del side_inputs
        weights: NamedArray = self.weights.value
        spatial = self.windows.axis_names
        require_named("`Convolution`", argument, spatial)
        parallel = self._parallel(weights)
        sizes = {name: weights.named_shape[name] for name in (*parallel, *self.in_axis_names)}
        require_sizes("`Convolution`", argument, sizes)
        require_free("`Convolution`", argument, self.out_axis_names)
        batch = tuple(n for n in argument.dims if n not in {*sizes, *spatial})
        data = self._convolved(argument, weights, batch, parallel)
        return NamedArray(data_array=data, dims=(*batch, *parallel, *self.out_axis_names, *spatial))

    def _convolved(
        self, argument: NamedArray, weights: NamedArray, batch: _Names, parallel: _Names
    ) -> jax.Array:
        # JAX knows one batch axis, one feature axis that holds groups, and the window.
        windows, shape = self.windows, argument.named_shape
        groups = math.prod(shape[name] for name in parallel)
        spatial = windows.axis_names
        dtype = jnp.promote_types(argument.dtype, weights.dtype)
        left = data_like(argument, (*batch, *parallel, *self.in_axis_names, *spatial))
        right = data_like(weights, (*parallel, *self.out_axis_names, *self.in_axis_names, *spatial))
        rows = math.prod(shape[name] for name in batch)
        features = math.prod(shape[name] for name in self.in_axis_names)
        outputs = [weights.named_shape[name] for name in self.out_axis_names]
        result = jax.lax.conv_general_dilated(
            left.astype(dtype).reshape(rows, groups * features, *(shape[n] for n in spatial)),
            right.astype(dtype).reshape(groups * math.prod(outputs), features, *windows.sizes),
            window_strides=windows.strides,
            padding=windows.pads(shape),
            lhs_dilation=windows.input_dilation,
            rhs_dilation=windows.dilation,
            feature_group_count=groups,
        )
        kept = [shape[name] for name in (*batch, *parallel)]
        return result.reshape(*kept, *outputs, *result.shape[2:])

    def _parallel(self, weights: NamedArray) -> _Names:
        used = {*self.in_axis_names, *self.out_axis_names, *self.windows.axis_names}
        return tuple(name for name in weights.dims if name not in used)

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        window: Mapping[Hashable, int],
        input_axes: Axes,
        output_axes: Axes,
        *,
        parallel_axes: Axes | None = None,
        strides: PerAxis = 1,
        padding: PaddingLike = "SAME",
        dilation: PerAxis = 1,
        input_dilation: PerAxis = 1,
        initializer: LinearOperatorWeightInitializer = xavier_uniform_initializer,
        dtype: Any = jnp.float32,
        rename_outputs_if_necessary: bool = True,
    ) -> "Convolution | ConvolutionInPlace":
        """Makes a convolution with new weights.

        Args:
            name: A path for the parameter, whose label is `name` with `.weights`.
            init_base_rng: The random key of the whole model; None for a slot without weights.
            window: The size of the window along each axis that it slides along.
            input_axes: Sizes of the axes to sum over, such as the channels.
            output_axes: Sizes of the axes that the output gets.
            parallel_axes: Sizes of the axes that have a map for each index.
            strides: How far apart windows begin; one number, or one for each axis by name.
            padding: `"SAME"`, `"VALID"`, `"CAUSAL"`, or two numbers for each axis by name.
            dilation: How far apart the elements of a window lie.
            input_dilation: How far apart the elements of the input are pulled. With `strides` of 1
                this is a transposed convolution.
            initializer: Makes the weights.
            dtype: The dtype of the weights.
            rename_outputs_if_necessary: Whether an output axis may have the name of an input axis.
                The result is then a `ConvolutionInPlace`, which renames it at the end.

        Raises:
            TypeError: If axes are not given as sizes by name.
            ValueError: If an axis is in two groups that may not share it, or a setting of the
                windows is no positive number for one of its axes.
        """
        require_axes(
            "Convolution",
            window=window,
            input_axes=input_axes,
            output_axes=output_axes,
            parallel_axes=parallel_axes,
        )
        windows = Windows.make(window, strides, padding, dilation, input_dilation)
        parallel = dict(parallel_axes or {})
        check_groups(input_axes, output_axes, parallel, {})
        _check_window(windows.axis_names, (*input_axes, *output_axes, *parallel))
        primed = primed_names(
            name,
            [*input_axes, *parallel],
            output_axes,
            allowed=rename_outputs_if_necessary,
        )
        outputs = {primed.get(axis, axis): size for axis, size in output_axes.items()}
        weights = make_parameter(
            f"{name}.weights",
            init_base_rng,
            initializer,
            input_axes=dict(input_axes),
            output_axes=outputs,
            parallel_axes=parallel,
            convolution_spatial_axes=dict(window),
            dtype=dtype,
        )
        convolution = cls(weights, tuple(input_axes), tuple(outputs), windows)
        return ConvolutionInPlace([convolution, renamed_back(primed)]) if primed else convolution


@pytree_dataclass(has_implicitly_inherited_fields=True)
class ConvolutionInPlace(Sequential):
    """A convolution whose output axes have names of input axes, and the renaming that it takes."""


def _check_window(window: _Names, others: Iterable[Hashable]) -> None:
    both = [name for name in window if name in others]
    if both:
        raise ValueError(
            f"Expected a window along axes of its own, but {list_names(both)} is also an input, "
            "output or parallel axis."
        )
