"""Attention that remembers keys and values, for decoding token by token.

One layer remembers everything, in the order in which it came. The other remembers a window: as many
positions as its queries may look back. It is a ring: what stands at position `p` of a row is kept
in place `p % window`, so the place of a new position is that of the one that just left the window.
Rows of a batch go round on their own, since each has positions of its own and padding has none.

A piece of several tokens may be longer than the window, and its first token sees a whole window of
older ones. So such a piece attends to the old ring and to itself before the ring takes it in. A
single token replaces the one that it cannot see any more, and attends to the ring alone.
"""

import abc
import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._attention import Attention
from modeldata.nn._axes import data_like, require_named
from modeldata.nn._layer import Layer, locating, require_side_input
from modeldata.nn._stacking import per_layer_metadata
from modeldata.variables import StateVariable


@pytree_dataclass
class _CachingAttention(Layer):
    """Attention of new tokens to themselves and to those before, as far as a cache has them."""

    input_to_query: Any
    input_to_key: Any
    input_to_value: Any
    query_key_to_attn: Any
    attn_value_to_output: Any
    sequence_axis: Hashable = static_field()

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the output of attention for the new tokens, and updates the cache.

        Raises:
            MissingSideInputError: If the side input is not there that says where tokens go.
            TypeError: If keys or values are not named arrays.
            ValueError: If they do not fit into the cache.
        """
        cache, where_name = self._memory()
        where = require_side_input(self, side_inputs, where_name)
        with locating(self):
            query = self.input_to_query(argument, **side_inputs)
            new_key = self.input_to_key(argument, **side_inputs)
            new_value = self.input_to_value(argument, **side_inputs)
            old_key, old_value = cache.value
            key, kept_key = self._remember(old_key, new_key, where)
            value, kept_value = self._remember(old_value, new_value, where)
            cache.value = (kept_key, kept_value)
            attn = self.query_key_to_attn((query, key), **side_inputs)
            return self.attn_value_to_output((attn, value), **side_inputs)

    @abc.abstractmethod
    def _memory(self) -> tuple[StateVariable, str]:
        """Returns the cache, and the name of the side input that says where new tokens go."""

    @abc.abstractmethod
    def _remember(
        self, old: NamedArray, new: NamedArray, where: Any
    ) -> tuple[NamedArray, NamedArray]:
        """Returns which keys (or values) the new tokens see, and which the cache keeps."""


@pytree_dataclass(has_implicitly_inherited_fields=True)
class KVCachingAttention(_CachingAttention):
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

    kv_cache_end_index_key: str = static_field()
    kv_cache: Any

    def _memory(self) -> tuple[StateVariable, str]:
        return self.kv_cache, self.kv_cache_end_index_key

    def _remember(
        self, old: NamedArray, new: NamedArray, where: Any
    ) -> tuple[NamedArray, NamedArray]:
        written = _write(old, new, where, self.sequence_axis)
        return written, written

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

        Raises:
            TypeError: If the layer is of a class that computes something else than `Attention`.
        """
        return cls(
            **_parts(original),
            sequence_axis=sequence_axis,
            kv_cache_end_index_key=cache_end_index_key,
            kv_cache=_empty_cache(
                {**cached_axes, sequence_axis: cache_len},
                sequence_axis,
                layerstack_axes or {},
                dtype=cache_dtype,
                label=cache_label,
            ),
        )


@pytree_dataclass(has_implicitly_inherited_fields=True)
class WindowCachingAttention(_CachingAttention):
    """Attention of the input to itself and to a window of inputs before it.

    Its cache holds as many tokens as the window has positions, however long the text gets. Side
    inputs say where each token goes, and the mask inside `query_key_to_attn` must take the
    positions of keys from `WindowPlan.seen`; see `plan_window`. Positions must grow from token to
    token in each row.

    Attributes:
        input_to_query: From the input to queries.
        input_to_key: From the input to keys.
        input_to_value: From the input to values.
        query_key_to_attn: From the tuple of queries and visible keys to attention weights.
        attn_value_to_output: From the tuple of attention weights and visible values to the output.
        sequence_axis: The axis of keys and values that counts tokens.
        sources_input_name: The side input with `WindowPlan.sources`.
        kv_cache: A `StateVariable` with the cached keys and values, two named arrays.
    """

    sources_input_name: str = static_field()
    kv_cache: Any

    def _memory(self) -> tuple[StateVariable, str]:
        return self.kv_cache, self.sources_input_name

    def _remember(
        self, old: NamedArray, new: NamedArray, where: Any
    ) -> tuple[NamedArray, NamedArray]:
        return _slide(old, new, where, self.sequence_axis)

    @classmethod
    def from_uncached(
        cls,
        original: Attention,
        sequence_axis: Hashable,
        window: int,
        cached_axes: Mapping[Hashable, int],
        *,
        sources_input_name: str = "cache_sources",
        cache_dtype: Any = jnp.float32,
        cache_label: Hashable | None = None,
        layerstack_axes: Mapping[Hashable, int] | None = None,
    ) -> "WindowCachingAttention":
        """Makes a caching layer that shares all sublayers with one that does not cache.

        Args:
            original: The attention layer.
            sequence_axis: The axis of keys and values that counts tokens.
            window: How many positions a query sees, its own included; also the size of the cache.
            cached_axes: Sizes of all other axes of keys and values.
            sources_input_name: The side input with `WindowPlan.sources`.
            cache_dtype: The dtype of the cache.
            cache_label: The label of the cache's state variable; a new one if not given.
            layerstack_axes: Sizes of the axes of all stacks that the layer is in; each of their
                layers gets a cache of its own.

        Raises:
            TypeError: If the layer is of a class that computes something else than `Attention`.
        """
        return cls(
            **_parts(original),
            sequence_axis=sequence_axis,
            sources_input_name=sources_input_name,
            kv_cache=_empty_cache(
                {**cached_axes, sequence_axis: window},
                sequence_axis,
                layerstack_axes or {},
                dtype=cache_dtype,
                label=cache_label,
            ),
        )


def _parts(original: Attention) -> dict[str, Any]:
    """Returns the five sublayers of an attention layer that does nothing else."""
    if not isinstance(original, Attention) or type(original).__call__ is not Attention.__call__:
        raise TypeError(
            "Expected an `Attention`, whose parts a cache can take over, but got a "
            f"`{type(original).__name__}`, which computes something of its own. Build it from an "
            "`Attention` with layers of yours inside, or run the model without a cache."
        )
    fields = dataclasses.fields(Attention)
    return {field.name: getattr(original, field.name) for field in fields}


def _empty_cache(
    sizes: dict[Hashable, int],
    sequence_axis: Hashable,
    stacks: Mapping[Hashable, int],
    *,
    dtype: Any,
    label: Hashable | None,
) -> StateVariable:
    """Returns a variable for keys and values of these sizes, and for each layer of some stacks."""
    # The last axis, the features, stays innermost: scores read the cache along it.
    *outer, last = (name for name in sizes if name != sequence_axis)
    axes = {**stacks, **{name: sizes[name] for name in (*outer, sequence_axis, last)}}
    empty = NamedArray(data_array=jnp.zeros(tuple(axes.values()), dtype), dims=tuple(axes))
    return StateVariable((empty, empty), label=label, metadata=per_layer_metadata(stacks))


class WindowPlan(NamedTuple):
    """What a call of `WindowCachingAttention` does, the same for all layers with this window.

    Attributes:
        sources: For each place of the cache, where its next content comes from: an index into the
            old cache followed by the new tokens.
        seen: The positions of the keys that queries are compared with; -1 for none.
        kept: The positions in the cache after the call; -1 for none.
    """

    sources: NamedArray
    seen: NamedArray
    kept: NamedArray


def plan_window(known: NamedArray, positions: NamedArray, sequence_axis: Hashable) -> WindowPlan:
    """Returns where new tokens go in caches of one window.

    Args:
        known: The positions in the cache, with as many places as the window has positions.
        positions: The positions of the new tokens, with the same other axes; -1 for padding. In
            each row they grow, also from call to call.
        sequence_axis: The axis that counts tokens and places.
    """
    dims = (*(name for name in known.dims if name != sequence_axis), sequence_axis)
    old, new = data_like(known, dims), data_like(positions, dims)
    window, count = old.shape[-1], new.shape[-1]
    places = jnp.arange(window, dtype=new.dtype)
    goes_here = (new[..., None, :] % window == places[:, None]) & (new[..., None, :] >= 0)
    # Of several tokens with the same place the last one is kept.
    found = jnp.where(goes_here, new[..., None, :], -1)
    newest = window + jnp.argmax(found, axis=-1).astype(places.dtype)
    sources = jnp.where(jnp.max(found, axis=-1) >= 0, newest, places)
    both = jnp.concatenate([old, new], axis=-1)
    kept = jnp.take_along_axis(both, sources, axis=-1, mode="clip")
    seen = kept if count == 1 else both
    return WindowPlan(*(NamedArray(data_array=data, dims=dims) for data in (sources, seen, kept)))


def _slide(
    cache: NamedArray, new: NamedArray, sources: NamedArray, sequence_axis: Hashable
) -> tuple[NamedArray, NamedArray]:
    """Returns what the new tokens see, and the next cache."""
    window, count = _sizes("WindowCachingAttention", cache, new, sequence_axis)
    axis = cache.dims.index(sequence_axis)
    added = data_like(new, cache.dims).astype(cache.dtype)
    index = data_like(sources, cache.dims)
    if count == 1:
        kept = cache.replace(data_array=jnp.where(index == window, added, cache.data_array))
        return kept, kept
    seen = jnp.concatenate([cache.data_array, added], axis)
    kept = jnp.take_along_axis(seen, index, axis, mode="clip")
    return cache.replace(data_array=seen), cache.replace(data_array=kept)


def _sizes(
    layer: str, cache: NamedArray, new: NamedArray, sequence_axis: Hashable
) -> tuple[int, int]:
    """Returns how many tokens the cache holds and how many are new, if all other axes agree."""
    require_named(f"`{layer}`", new, (sequence_axis,))
    shape, new_shape = cache.named_shape, new.named_shape
    sizes = shape.pop(sequence_axis), new_shape.pop(sequence_axis)
    if shape != new_shape:
        raise ValueError(
            f"`{layer}` has a cache for keys and values with the axes {shape}, but got "
            f"{new_shape}. Make a cache for these axes (`from_uncached`)."
        )
    return sizes


def _write(cache: NamedArray, new: NamedArray, index: Any, sequence_axis: Hashable) -> NamedArray:
    """Returns the cache with new entries from an index on."""
    capacity, count = _sizes("KVCachingAttention", cache, new, sequence_axis)
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
