"""Layers that forbid attention between some positions."""

import functools
from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import data_like, rename, require_named, require_sizes
from modeldata.nn._layer import Layer, require_side_input


@pytree_dataclass
class ApplyExplicitAttentionMask(Layer):
    """Replaces scores where a mask is false.

    Attributes:
        mask_input_name: The side input with the mask, a boolean array. Axes that the scores do
            not have are added to them.
        masked_out_value: What to put there; a large negative number.
    """

    mask_input_name: str = static_field()
    masked_out_value: float = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the masked scores.

        Raises:
            MissingSideInputError: If the mask is not there.
            TypeError: If the input or the mask are not named arrays, or the mask holds floating
                numbers, which may be meant to be added.
            ValueError: If their axes do not fit.
        """
        mask = require_side_input(self, side_inputs, self.mask_input_name)
        name = f"`{type(self).__name__}`"
        require_named(f"{name} (`{self.mask_input_name}`)", mask)
        if jnp.issubdtype(mask.dtype, jnp.inexact):
            raise TypeError(
                f"{name} needs a boolean mask in `{self.mask_input_name}`, true where attention is "
                f"allowed, but got {mask.dtype}. Compare it first, as in `mask > 0`."
            )
        _require_fit(name, argument, mask)
        return _masked(argument, mask, self.masked_out_value)


@pytree_dataclass
class ApplyCausalAttentionMask(Layer):
    """Lets each position attend to itself and earlier ones.

    Positions are numbers in side inputs, so rows of a batch may start anywhere. A position of -1
    marks padding, to which nothing attends.

    Attributes:
        masked_out_value: What to put in place of forbidden scores; a large negative number.
        query_positions_input_name: The side input with the positions of queries.
        kv_positions_input_name: The side input with the positions of keys, along `seq_axis`.
        seq_axis: The axis of queries.
        kv_seq_axis: The axis of keys in the scores.
    """

    masked_out_value: float = static_field()
    query_positions_input_name: str = static_field(default="token_positions")
    kv_positions_input_name: str = static_field(default="token_positions")
    seq_axis: Hashable = static_field(default="seq")
    kv_seq_axis: Hashable = static_field(default="kv_seq")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the masked scores.

        Raises:
            MissingSideInputError: If positions are not there.
            TypeError: If the input or the positions are not named arrays.
            ValueError: If their axes do not fit.
        """
        query, key = _positions(self, side_inputs)
        return _causally_masked(self, argument, query, key, None)


@pytree_dataclass
class ApplyCausalSlidingWindowAttentionMask(Layer):
    """Lets each position attend to itself and a number of positions just before it.

    Attributes:
        masked_out_value: What to put in place of forbidden scores; a large negative number.
        sliding_window_size: How many positions a query sees, itself included.
        query_positions_input_name: The side input with the positions of queries.
        kv_positions_input_name: The side input with the positions of keys, along `seq_axis`.
        seq_axis: The axis of queries.
        kv_seq_axis: The axis of keys in the scores.
    """

    masked_out_value: float = static_field()
    sliding_window_size: int = static_field()
    query_positions_input_name: str = static_field(default="token_positions")
    kv_positions_input_name: str = static_field(default="token_positions")
    seq_axis: Hashable = static_field(default="seq")
    kv_seq_axis: Hashable = static_field(default="kv_seq")

    def __post_init__(self) -> None:
        if self.sliding_window_size < 1:
            raise ValueError(
                f"`{type(self).__name__}` needs a `sliding_window_size` of at least 1, which is "
                f"the query's own position, but got {self.sliding_window_size}."
            )

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the masked scores.

        Raises:
            MissingSideInputError: If positions are not there.
            TypeError: If the input or the positions are not named arrays.
            ValueError: If their axes do not fit.
        """
        query, key = _positions(self, side_inputs)
        return _causally_masked(self, argument, query, key, self.sliding_window_size)


def _positions(
    layer: ApplyCausalAttentionMask | ApplyCausalSlidingWindowAttentionMask,
    side_inputs: dict[str, Any],
) -> tuple[NamedArray, NamedArray]:
    found: list[NamedArray] = []
    for name in (layer.query_positions_input_name, layer.kv_positions_input_name):
        positions = require_side_input(layer, side_inputs, name)
        described = f"`{type(layer).__name__}` (`{name}`)"
        found.append(require_named(described, positions, (layer.seq_axis,)))
    query, key = found
    return query, rename(key, {layer.seq_axis: layer.kv_seq_axis})


def _causally_masked(
    layer: ApplyCausalAttentionMask | ApplyCausalSlidingWindowAttentionMask,
    scores: NamedArray,
    query: NamedArray,
    key: NamedArray,
    window: int | None,
) -> NamedArray:
    for positions in (query, key):
        _require_fit(f"`{type(layer).__name__}`", scores, positions)
    return _mask_after(scores, query, key, window, layer.masked_out_value)


def _require_fit(layer: str, scores: NamedArray, mask: NamedArray) -> None:
    shape = require_named(layer, scores).named_shape
    require_sizes(layer, scores, {k: v for k, v in mask.named_shape.items() if k in shape})


# Compiled on their own, so that they are traced once for all layers of a model with equal shapes.
@functools.partial(jax.jit, static_argnums=(3, 4))
def _mask_after(
    scores: NamedArray, query: NamedArray, key: NamedArray, window: int | None, value: float
) -> NamedArray:
    allowed = (query >= key) & (key >= 0)
    if window is not None:
        allowed &= query - key < window
    return _masked(scores, allowed, value)


@functools.partial(jax.jit, static_argnums=2)
def _masked(scores: NamedArray, mask: NamedArray, value: float) -> NamedArray:
    # A mask with further axes gives scores for each index of them.
    dims = (*(name for name in mask.dims if name not in scores.dims), *scores.dims)
    fill = fill_value(value, scores.dtype)
    data = jnp.where(data_like(mask, dims), data_like(scores, dims), fill)
    return NamedArray(data_array=data, dims=dims)


def fill_value(value: float, dtype: Any) -> jax.Array:
    """Returns what to put in place of forbidden scores, as a number that the dtype has.

    A finite number stays finite: of a row without anything else, infinity would make NaN.

    Args:
        value: The number that was asked for.
        dtype: The dtype of the scores.
    """
    if jnp.issubdtype(dtype, jnp.floating) and np.isfinite(value):
        value = max(value, float(jnp.finfo(dtype).min))
    return jnp.asarray(value, dtype)
