"""Mixtures of experts: a router weighs the outputs of parallel layers.

Experts are not objects: they are an axis. All parameters of the experts have it, and so has what
the experts make, so one layer runs all of them.

A router that keeps the best `k` scores of each token leaves most experts with the weight zero. For
a few tokens, as when a text is generated, it pays to read the others only: token by token, their
parameters are gathered along the axis of experts, which is then shorter, and the same layers run on
these. For many tokens each expert is somebody's choice, and all are computed for all. Other ways to
leave out what has no weight were slower on a CPU: `jax.lax.ragged_dot` computes all products there
and masks them, and gathering for all tokens at once makes small products of large batches.
"""

import functools
import math
from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata._tree import flatten_one_level
from modeldata.named import NamedArray
from modeldata.named._contraction import contract_unchecked
from modeldata.nn._axes import axis_numbers, data_like, list_names, require_named
from modeldata.nn._basic import CastToDType, Elementwise, widen
from modeldata.nn._combinators import (
    BranchAndAddTogether,
    BranchAndMultiplyTogether,
    Residual,
)
from modeldata.nn._grouping import Identity, NamedGroup, Sequential
from modeldata.nn._layer import Layer, locating
from modeldata.nn._linear import AddBias, Linear
from modeldata.nn._normalization import NormScale
from modeldata.variables import Parameter, ParameterValue, freeze_params


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

    If the router ends with a `TopKSoftmax`, and there are at least twice as many experts as choices
    (`k` for each token), only the chosen experts are computed. This needs experts that are made of
    linear maps, biases, norm scales, elementwise functions and groups of them; with other layers
    inside, all experts are computed for all tokens. The results differ in rounding only.

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
        with locating(self):
            weights = self.router(argument, **side_inputs)
            require_named("`ExpertMixture` (weights)", weights, (self.expert_axis,))
            count = _choices(self.router, self.expert_axis)
            if count is not None and _is_worthwhile(self, argument, weights, count):
                return _sum_of_chosen(self, argument, weights, count)
            return _weighted(self.experts(argument, **side_inputs), weights, self.expert_axis)


def _weighted(outputs: Any, weights: NamedArray, expert_axis: Hashable) -> NamedArray:
    require_named("`ExpertMixture` (outputs)", outputs, (expert_axis,))
    return contract_unchecked((expert_axis,), outputs, weights)


def _choices(router: Any, expert_axis: Hashable) -> int | None:
    """Returns how many experts have a weight for each token, if the router limits that."""
    last = router
    while isinstance(last, Sequential | NamedGroup) and last.sublayers:
        last = last.sublayers[-1]
    return last.k if isinstance(last, TopKSoftmax) and last.axis == expert_axis else None


def _is_worthwhile(
    mixture: ExpertMixture, argument: NamedArray, weights: NamedArray, count: int
) -> bool:
    """Whether few enough experts are chosen to compute these alone, and this is possible."""
    tokens = weights.named_shape
    size = tokens.pop(mixture.expert_axis)
    is_few = 0 < 2 * count * math.prod(tokens.values()) <= size
    is_usual = tokens.keys() <= argument.named_shape.keys()
    return is_few and is_usual and _are_independent(mixture.experts, mixture.expert_axis)


_INDEPENDENT = (
    AddBias,
    BranchAndAddTogether,
    BranchAndMultiplyTogether,
    CastToDType,
    Elementwise,
    Identity,
    Linear,
    NamedGroup,
    NormScale,
    Residual,
)
"""Layers that do the same for each expert, apart from their parameters."""


def _are_independent(node: Any, expert_axis: Hashable) -> bool:
    """Whether what layers make of one expert does not depend on the others, nor on its number."""
    if isinstance(node, Parameter | ParameterValue):
        return True
    is_group = isinstance(node, Sequential)
    if isinstance(node, Layer) and not is_group and type(node) not in _INDEPENDENT:
        return False
    if isinstance(node, Linear) and expert_axis in node.in_axis_names:
        return False
    parts = flatten_one_level(node)
    return parts is not None and all(_are_independent(child, expert_axis) for _, child in parts[0])


def _sum_of_chosen(
    mixture: ExpertMixture, argument: NamedArray, weights: NamedArray, count: int
) -> NamedArray:
    """Returns the weighted sum of the `count` experts with the greatest weights of each token."""
    axis = mixture.expert_axis
    tokens = tuple(name for name in weights.dims if name != axis)
    features = tuple(name for name in argument.dims if name not in tokens)
    values, places = jax.lax.top_k(data_like(weights, (*tokens, axis)), count)
    experts = freeze_params(mixture.experts)

    def one(token: tuple[jax.Array, jax.Array, jax.Array]) -> NamedArray:
        data, shares, chosen = token
        outputs = _gathered(experts, axis, chosen)(NamedArray(data, features))
        return _weighted(outputs, NamedArray(shares, (axis,)), axis)

    data = data_like(argument, (*tokens, *features))
    shape, inner = data.shape[: len(tokens)], data.shape[len(tokens) :]
    rows = data.reshape(-1, *inner), values.reshape(-1, count), places.reshape(-1, count)
    result = jax.lax.map(one, rows)
    joined = result.data_array.reshape(*shape, *result.data_array.shape[1:])
    return NamedArray(joined, (*tokens, *result.dims))


def _gathered(experts: Any, axis: Hashable, chosen: jax.Array) -> Any:
    """Returns some of the experts."""

    def gather(leaf: Any) -> Any:
        if not isinstance(leaf, NamedArray) or axis not in leaf.dims:
            return leaf
        (number,) = axis_numbers(leaf, (axis,))
        return leaf.replace(data_array=jnp.take(leaf.data_array, chosen, axis=number))

    return jax.tree_util.tree_map(
        gather, experts, is_leaf=lambda node: isinstance(node, NamedArray)
    )


@functools.partial(jax.jit, static_argnums=(1, 2))
def _top_k_softmax(data: jax.Array, axis: int, k: int) -> jax.Array:
    wide = jnp.moveaxis(widen(data), axis, -1)
    values, places = jax.lax.top_k(wide, k)
    shares = jnp.put_along_axis(
        jnp.zeros_like(wide), places, jax.nn.softmax(values, axis=-1), axis=-1, inplace=False
    )
    return jnp.moveaxis(shares, -1, axis).astype(data.dtype)
