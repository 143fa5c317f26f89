"""Pooling over named axes: one number for each window."""

import math
from collections.abc import Hashable, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import axis_numbers, require_named
from modeldata.nn._layer import Layer
from modeldata.nn._windows import PaddingLike, PerAxis, Windows


@pytree_dataclass
class MaxPool(Layer):
    """Returns the largest element of each window. What is padded never counts.

    Attributes:
        windows: Where the windows lie.
    """

    windows: Windows = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input with as many elements along each axis of a window as there are windows.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If an axis is missing.
        """
        del side_inputs
        require_named("`MaxPool`", argument, self.windows.axis_names)
        return _reduced(argument, self.windows, _lowest(argument.dtype), jax.lax.max)

    @classmethod
    def from_config(
        cls,
        window: Mapping[Hashable, int],
        *,
        strides: PerAxis | None = None,
        padding: PaddingLike = "VALID",
        dilation: PerAxis = 1,
    ) -> Self:
        """Returns a layer from settings by axis.

        Args:
            window: The size of the window along each axis.
            strides: How far apart windows begin; one number, or one for each axis by name. By
                default the size of the window, so that windows do not overlap.
            padding: `"VALID"`, `"SAME"`, `"CAUSAL"`, or two numbers for each axis by name.
            dilation: How far apart the elements of a window lie.

        Raises:
            ValueError: If a setting is no positive number for one of the axes.
        """
        return cls(Windows.make(window, window if strides is None else strides, padding, dilation))


@pytree_dataclass
class AveragePool(Layer):
    """Returns the mean of each window.

    Attributes:
        windows: Where the windows lie.
        counts_padding: Whether padded zeros count as elements. If not, the mean is that of the
            elements that are there.
    """

    windows: Windows = static_field()
    counts_padding: bool = static_field(default=False)

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input with as many elements along each axis of a window as there are windows.

        Raises:
            TypeError: If the input is not a named array of floating numbers.
            ValueError: If an axis is missing.
        """
        del side_inputs
        require_named("`AveragePool`", argument, self.windows.axis_names)
        if not jnp.issubdtype(argument.dtype, jnp.inexact):
            raise TypeError(
                f"`AveragePool` needs floating numbers, but got {argument.dtype}. Convert them "
                "first (`CastToDType`)."
            )
        # Sums in low precision lose the small terms.
        wide = argument.astype(jnp.promote_types(argument.dtype, jnp.float32))
        zero = np.zeros((), wide.dtype)
        total = _reduced(wide, self.windows, zero, jax.lax.add)
        if self.counts_padding:
            count: Any = math.prod(self.windows.sizes)
        else:
            ones = wide.replace(data_array=jnp.ones_like(wide.data_array))
            count = _reduced(ones, self.windows, zero, jax.lax.add)
        return (total / count).astype(argument.dtype)

    @classmethod
    def from_config(
        cls,
        window: Mapping[Hashable, int],
        *,
        strides: PerAxis | None = None,
        padding: PaddingLike = "VALID",
        dilation: PerAxis = 1,
        counts_padding: bool = False,
    ) -> Self:
        """Returns a layer from settings by axis.

        Args:
            window: The size of the window along each axis.
            strides: As in `MaxPool.from_config`.
            padding: As in `MaxPool.from_config`.
            dilation: As in `MaxPool.from_config`.
            counts_padding: Whether padded zeros count as elements.

        Raises:
            ValueError: If a setting is no positive number for one of the axes.
        """
        windows = Windows.make(window, window if strides is None else strides, padding, dilation)
        return cls(windows, counts_padding)


def _lowest(dtype: Any) -> np.ndarray:
    # A NumPy array, because JAX knows the derivative only where it can read this number.
    if jnp.issubdtype(dtype, jnp.inexact):
        return np.array(-np.inf, dtype)
    return np.array(False if dtype == jnp.bool_ else jnp.iinfo(dtype).min, dtype)


def _reduced(array: NamedArray, windows: Windows, start: Any, combine: Any) -> NamedArray:
    """Combines the elements of each window, on the data as it is stored."""
    axes = axis_numbers(array, windows.axis_names)
    pads = windows.pads(array.named_shape)

    def spread(values: Any, default: Any) -> tuple[Any, ...]:
        by_axis = dict(zip(axes, values, strict=True))
        return tuple(by_axis.get(axis, default) for axis in range(array.data_array.ndim))

    data = jax.lax.reduce_window(
        array.data_array,
        start,
        combine,
        window_dimensions=spread(windows.sizes, 1),
        window_strides=spread(windows.strides, 1),
        padding=spread(pads, (0, 0)),
        window_dilation=spread(windows.dilation, 1),
    )
    return array.replace(data_array=data)
