"""Attention that remembers keys and values, for decoding token by token."""

from collections.abc import Hashable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._attention import Attention
from modeldata.nn._axes import data_like, require_named
from modeldata.nn._layer import Layer, require_side_input
from modeldata.nn._stacking import per_layer_metadata
from modeldata.variables import StateVariable


@pytree_dataclass
class KVCachingAttention(Layer):
    """Attention of the input to itself and to all inputs before it.

    Each call writes keys and values into a cache, at a place that a side input says, and then
    attends to the whole cache. Which parts of it a query may see is up to the mask inside
    `query_key_to_attn`: give it the positions of everything in the cache, with -1 for places that
    hold nothing or padding. So each row of a batch may have positions of its own.

    The cache never wraps around. A call that would write past its end is refused when the place is
    known, which it is unless it is a tracer; callers that compile a loop check it beforehand.

    Attributes:
        input_to_query: From the input to queries.
        input_to_key: From the input to keys.
        input_to_value: From the input to values.
        query_key_to_attn: From the tuple of queries and cached keys to attention weights.
        attn_value_to_output: From the tuple of attention weights and cached values to the output.
        sequence_axis: The axis of keys and values that counts tokens.
        kv_cache_end_index_key: The side input with the index in the cache to write at, an integer.
        kv_cache: A `StateVariable` with the cached keys and values, two named arrays.
    """

    input_to_query: Any
    input_to_key: Any
    input_to_value: Any
    query_key_to_attn: Any
    attn_value_to_output: Any
    sequence_axis: Hashable = static_field()
    kv_cache_end_index_key: str = static_field()
    kv_cache: Any

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the output of attention for the new tokens, and updates the cache.

        Raises:
            MissingSideInputError: If the index is not there.
            TypeError: If keys or values are not named arrays.
            ValueError: If they do not fit into the cache.
        """
        index = require_side_input(self, side_inputs, self.kv_cache_end_index_key)
        query = self.input_to_query(argument, **side_inputs)
        new_key = self.input_to_key(argument, **side_inputs)
        new_value = self.input_to_value(argument, **side_inputs)
        old_key, old_value = self.kv_cache.value
        key = _write(old_key, new_key, index, self.sequence_axis)
        value = _write(old_value, new_value, index, self.sequence_axis)
        self.kv_cache.value = (key, value)
        attn = self.query_key_to_attn((query, key), **side_inputs)
        return self.attn_value_to_output((attn, value), **side_inputs)

    @classmethod
    def from_uncached(
        cls,
        original: Attention,
        sequence_axis: Hashable,
        cache_len: int,
        cached_axes: Mapping[Hashable, int],
        *,
        cache_end_index_key: str = "cache_end_index",
        cache_dtype: Any = jnp.float32,
        cache_label: Hashable | None = None,
        layerstack_axes: Mapping[Hashable, int] | None = None,
    ) -> "KVCachingAttention":
        """Makes a caching layer that shares all sublayers with one that does not cache.

        Args:
            original: The attention layer.
            sequence_axis: The axis of keys and values that counts tokens.
            cache_len: How many tokens fit into the cache.
            cached_axes: Sizes of all other axes of keys and values.
            cache_end_index_key: The side input with the index to write at.
            cache_dtype: The dtype of the cache.
            cache_label: The label of the cache's state variable; a new one if not given.
            layerstack_axes: Sizes of the axes of all stacks that the layer is in; each of their
                layers gets a cache of its own.
        """
        # The last axis, the features, stays innermost: scores read the cache along it.
        *outer, last = cached_axes.items()
        stacks = dict(layerstack_axes or {})
        sizes = dict([*stacks.items(), *outer, (sequence_axis, cache_len), last])
        empty = [
            NamedArray(data_array=jnp.zeros(tuple(sizes.values()), cache_dtype), dims=tuple(sizes))
            for _ in range(2)
        ]
        return cls(
            original.input_to_query,
            original.input_to_key,
            original.input_to_value,
            original.query_key_to_attn,
            original.attn_value_to_output,
            sequence_axis,
            cache_end_index_key,
            StateVariable(
                (empty[0], empty[1]), label=cache_label, metadata=per_layer_metadata(stacks)
            ),
        )


def _write(cache: NamedArray, new: NamedArray, index: Any, sequence_axis: Hashable) -> NamedArray:
    """Returns the cache with new entries from an index on."""
    require_named("`KVCachingAttention`", new, (sequence_axis,))
    shape, new_shape = cache.named_shape, new.named_shape
    capacity, count = shape.pop(sequence_axis), new_shape.pop(sequence_axis)
    if shape != new_shape:
        raise ValueError(
            f"`KVCachingAttention` has a cache for keys and values with the axes {shape}, but got "
            f"{new_shape}. Make a cache for these axes (`from_uncached`)."
        )
    start = index.unwrap() if isinstance(index, NamedArray) else index
    first = 0 if isinstance(start, Tracer) else int(start)
    if first < 0 or first + count > capacity:
        raise ValueError(
            f"`KVCachingAttention` has a cache of {capacity} tokens, but was asked to write "
            f"{count} tokens from index {first} on. Make a longer cache, or feed fewer tokens."
        )
    data = jax.lax.dynamic_update_slice_in_dim(
        cache.data_array,
        data_like(new, cache.dims).astype(cache.dtype),
        start,
        cache.dims.index(sequence_axis),
    )
    return NamedArray(data_array=data, dims=cache.dims)
