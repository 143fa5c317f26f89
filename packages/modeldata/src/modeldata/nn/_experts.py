"""Mixtures of experts: a router weighs the outputs of parallel layers.

Experts are not objects: they are an axis. All parameters of the experts have it, and so has what
the experts make, so one layer runs all of them. All experts are computed, also those that the
router gives the weight zero.
"""

import functools
from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.named._contraction import contract_unchecked
from modeldata.nn._axes import axis_numbers, list_names, require_named
from modeldata.nn._basic import widen
from modeldata.nn._layer import Layer, locating


@pytree_dataclass
class TopKSoftmax(Layer):
    """Softmax over the greatest values along an axis; all others become zero.

    It is computed in float32, or the input's dtype if wider.

    Attributes:
        axis: The axis.
        k: How many values to keep.
    """

    axis: Hashable = static_field()
    k: int = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns an array of the same axes and dtype that sums to one over the axis.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If the axis is missing, or has fewer than `k` values.
        """
        del side_inputs
        array = require_named("`TopKSoftmax`", argument, (self.axis,))
        size = array.named_shape[self.axis]
        if not 1 <= self.k <= size:
            raise ValueError(
                f"`TopKSoftmax` needs a `k` from 1 to {size}, the size of the axis `{self.axis}`, "
                f"but got {self.k}."
            )
        (axis,) = axis_numbers(array, (self.axis,))
        return NamedArray(
            data_array=_top_k_softmax(array.data_array, axis, self.k), dims=array.dims
        )


@pytree_dataclass
class ExpertMixture(Layer):
    """Adds up what experts make of the input, each times the weight that a router gives it.

    Attributes:
        router: From the input to weights with the axis `expert_axis`.
        experts: From the input to outputs with the axis `expert_axis`.
        expert_axis: The axis that counts experts.
    """

    router: Any
    experts: Any
    expert_axis: Hashable = static_field(default="experts")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the weighted sum.

        Raises:
            TypeError: If the router or the experts do not make named arrays.
            ValueError: If the axis is missing from what they make, or is there in the input.
        """
        if self.expert_axis in require_named("`ExpertMixture`", argument).dims:
            raise ValueError(
                f"`ExpertMixture` adds and sums the axis {list_names([self.expert_axis])}, but its "
                f"input has it already: {argument.named_shape}. Rename that axis first "
                "(`RenameAxes`)."
            )
        names = (self.expert_axis,)
        with locating(self):
            weights = self.router(argument, **side_inputs)
            outputs = self.experts(argument, **side_inputs)
        weights = require_named("`ExpertMixture` (weights)", weights, names)
        outputs = require_named("`ExpertMixture` (outputs)", outputs, names)
        return contract_unchecked(names, outputs, weights)


@functools.partial(jax.jit, static_argnums=(1, 2))
def _top_k_softmax(data: jax.Array, axis: int, k: int) -> jax.Array:
    wide = jnp.moveaxis(widen(data), axis, -1)
    values, places = jax.lax.top_k(wide, k)
    shares = jnp.put_along_axis(
        jnp.zeros_like(wide), places, jax.nn.softmax(values, axis=-1), axis=-1, inplace=False
    )
    return jnp.moveaxis(shares, -1, axis).astype(data.dtype)
