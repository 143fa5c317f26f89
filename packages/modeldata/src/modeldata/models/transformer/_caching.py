"""A transformer that remembers the keys and values of the tokens that it has read."""

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata._tree import flatten_one_level
from modeldata.models.transformer._parts import (
    TransformerLM,
    TransformerMetadata,
    check_tokens,
)
from modeldata.named import NamedArray, full
from modeldata.nn import (
    ApplyCausalAttentionMask,
    ApplyCausalSlidingWindowAttentionMask,
    ApplyExplicitAttentionMask,
    Attention,
    EmbeddingDecode,
    KVCachingAttention,
    Layer,
    LayerStack,
    Linear,
    Sequential,
    WindowCachingAttention,
    plan_window,
)
from modeldata.nn._layer import locating
from modeldata.variables import StateVariable

_SEQ = "seq"
_QUERY_POSITIONS = "token_positions"
_KV_POSITIONS = "kv_token_positions"
_END_INDEX = "cache_end_index"
_SOURCES = "cache_sources"
_OUTPUT_SLOT = "output_slot"
_USUAL_HOMES = (
    "modeldata.nn.",
    "modeldata.named.",
    "modeldata.toolshed.lora",
    "modeldata.variables.",
)
_SlidingMask = ApplyCausalSlidingWindowAttentionMask
_CausalMask = ApplyCausalAttentionMask | _SlidingMask


@pytree_dataclass
class KVCachingTransformerLM(Struct):
    """A language model that reads a text piece by piece: a prompt, then token after token.

    Each call takes new tokens and returns their logits. Tokens fill the cache from the left, in
    the same places for all rows of a batch, but each row has positions of its own: padding takes
    places in the cache and no positions, so rows of different lengths can be read together.

    Layers whose queries see only a window, and whose attention holds no layers but those of
    `modeldata.nn`, keep only that: of keys and of values
    `min(cache_len, window)` tokens for each row, head and feature, where other layers keep
    `cache_len`. A piece of several tokens takes room for as many more while it is read.

    Attributes:
        body: The layers, with caches in place of plain attention.
        cache_end_index: How many places of the cache are taken.
        kv_positions: The position of the token in each place of the cache; -1 for none.
        window_positions: The same for the places of caches that keep only a window, by the size of
            the window.
        metadata: Facts about the model.
        cache_len: The number of places.
        batch_axes: Names and sizes of the axes, beside `seq`, that tokens must have.
    """

    body: Layer
    cache_end_index: StateVariable
    kv_positions: StateVariable
    window_positions: StateVariable
    metadata: TransformerMetadata = static_field()
    cache_len: int = static_field()
    batch_axes: tuple[tuple[Hashable, int], ...] = static_field()

    def __call__(
        self,
        tokens: NamedArray,
        *,
        token_positions: NamedArray | None = None,
        **side_inputs: Any,
    ) -> NamedArray:
        """Reads more tokens.

        Args:
            tokens: Integers with the axis `seq` and the batch axes of the cache.
            token_positions: The position of each token in its text; -1 marks padding. Left out,
                each row goes on where it stopped.
            **side_inputs: More inputs for the layers.

        Returns:
            Logits with the axis `vocabulary`, and the axes of `tokens`.

        Raises:
            TypeError: If `tokens` are no named array of integers.
            ValueError: If they have other axes, ids outside the vocabulary, or do not fit into the
                cache; or if positions do not grow and layers keep only windows. Nothing has changed
                then. Inside compiled code the place in the cache and positions are not known;
                there, see that `cache_len` suffices and positions grow.
        """
        tokens = check_tokens(tokens, self.metadata.vocab_size)
        batch: dict[Hashable, int] = dict(self.batch_axes)
        shape = tokens.named_shape
        if shape != {**batch, _SEQ: shape[_SEQ]}:
            raise ValueError(
                f"Expected `tokens` with the batch axes {batch} that the cache was made for, but "
                f"got the axes {shape}. Make a cache for them with `from_uncached`."
            )
        count, end = shape[_SEQ], self.cache_end_index.value
        if not isinstance(end, Tracer) and int(end) + count > self.cache_len:
            raise ValueError(
                f"Expected at most {self.cache_len - int(end)} more tokens, the free places of a "
                f"cache of {self.cache_len}, but got {count}. Make a cache with a larger "
                "`cache_len`."
            )
        known = self.kv_positions.value
        positions = _positions(token_positions, known, batch, count)
        written = jax.lax.dynamic_update_slice_in_dim(
            known.data_array, positions.data_array, end, axis=-1
        )
        known = known.replace(data_array=written)
        rings = self.window_positions.value
        if rings and token_positions is not None:
            _check_growth(positions, self.kv_positions.value)
        plans = {window: plan_window(ring, positions, _SEQ) for window, ring in rings.items()}
        side_inputs |= {_QUERY_POSITIONS: positions, _KV_POSITIONS: known, _END_INDEX: end}
        for window, plan in plans.items():
            side_inputs[_of_window(_KV_POSITIONS, window)] = plan.seen
            side_inputs[_of_window(_SOURCES, window)] = plan.sources
        with locating(self):
            logits = self.body(tokens, **side_inputs)
        self.kv_positions.value = known
        self.window_positions.value = {window: plan.kept for window, plan in plans.items()}
        self.cache_end_index.value = end + count
        return logits

    @classmethod
    def from_uncached(
        cls,
        uncached: TransformerLM,
        cache_len: int,
        batch_axes: Mapping[Any, int] | None = None,
        variable_name_prefix: str = "sampler",
        *,
        keeps_all: bool = False,
    ) -> "KVCachingTransformerLM":
        """Puts caches into a model. Edits of the model stay, and its parameters are shared.

        Args:
            uncached: The model.
            cache_len: How many tokens, padding included, the cache has places for.
            batch_axes: Names and sizes of the axes, beside `seq`, that tokens will have.
            variable_name_prefix: The beginning of the labels of all new state variables.
            keeps_all: Whether layers with sliding windows keep all tokens, too. Without it,
                positions must grow from token to token in each row.

        Returns:
            A model with empty caches.

        Raises:
            ValueError: If `cache_len` is below 1, or an attention mask of the model takes its
                positions from somewhere else than a `TransformerLM` provides.
        """
        if cache_len < 1:
            raise ValueError(f"Expected a `cache_len` of at least 1, but got {cache_len}.")
        batch: dict[Hashable, int] = dict(batch_axes or {})
        metadata = uncached.metadata
        cached_axes: dict[Hashable, int] = {
            **batch,
            **dict(metadata.common_head_axes),
            "projection": metadata.projection_dim,
        }
        windows: set[int] = set()

        def make_cached(attention: Attention, **keywords: Any) -> Layer:
            keywords |= {"cached_axes": cached_axes, "cache_dtype": metadata.activation_dtype}
            window = None if keeps_all else _window_of(attention)
            if window is None or window >= cache_len:
                return KVCachingAttention.from_uncached(
                    attention, _SEQ, cache_len, cache_end_index_key=_END_INDEX, **keywords
                )
            windows.add(window)
            return WindowCachingAttention.from_uncached(
                _with_window_positions(attention, window),
                _SEQ,
                window,
                sources_input_name=_of_window(_SOURCES, window),
                **keywords,
            )

        labels = (f"{variable_name_prefix}/cache_{number}" for number in itertools.count())
        body = jax.tree_util.tree_map(_with_cached_positions, uncached.body, is_leaf=_is_mask)
        body = _with_caches(body, make_cached, labels, {})
        positions = full({**batch, _SEQ: cache_len}, -1, jnp.int32)
        rings = {size: full({**batch, _SEQ: size}, -1, jnp.int32) for size in sorted(windows)}
        return cls(
            body=_with_output_slot(body),
            cache_end_index=StateVariable(0, label=f"{variable_name_prefix}/cache_end_index"),
            kv_positions=StateVariable(positions, label=f"{variable_name_prefix}/kv_positions"),
            window_positions=StateVariable(rings, label=f"{variable_name_prefix}/window_positions"),
            metadata=metadata,
            cache_len=cache_len,
            batch_axes=tuple(batch.items()),
        )


@pytree_dataclass
class KeepOutputSlot(Layer):
    """Keeps one place of the axis `seq` if the side input `output_slot` names it.

    Most of the work on a prompt would go into logits for tokens that are known already. This layer
    stands before the one that makes the logits, and drops all tokens but the last of each row.
    """

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input, without the axis `seq` if there is an `output_slot`."""
        slot = side_inputs.get(_OUTPUT_SLOT)
        return argument if slot is None else argument[{_SEQ: slot}]


def _with_output_slot(body: Layer) -> Layer:
    """Puts `KeepOutputSlot` before the logits, where a model has its usual form."""
    if not isinstance(body, Sequential):
        return body
    places = [i for i, layer in enumerate(body.sublayers) if _makes_logits(layer)]
    if len(places) != 1:
        return body
    before, after = body.sublayers[: places[0]], body.sublayers[places[0] :]
    return body.replace(sublayers=[*before, KeepOutputSlot(), *after])


def _makes_logits(layer: Any) -> bool:
    if isinstance(layer, Linear):
        return layer.out_axis_names == ("vocabulary",)
    return isinstance(layer, EmbeddingDecode)


def _positions(
    given: NamedArray | None, known: NamedArray, batch: dict[Hashable, int], count: int
) -> NamedArray:
    """The positions of new tokens, stored in the order of the cache's positions."""
    if given is None:
        last = jnp.max(known.data_array, axis=-1, keepdims=True)
        return known.replace(data_array=last + 1 + jnp.arange(count, dtype=last.dtype))
    shape: dict[Hashable, int] = {**batch, _SEQ: count}
    return given.astype(known.dtype).broadcast_to(named_shape=shape).order_as(*shape)


def positions_grow(positions: np.ndarray, before: Any = -1) -> bool:
    """Returns whether positions grow from token to token in each row, padding left out.

    Args:
        positions: Positions along the last axis; below 0 for padding.
        before: The last position before them in each row, of the same shape but 1 at the end.
    """
    last = np.maximum(np.maximum.accumulate(positions, axis=-1), before)
    earlier = np.concatenate([np.broadcast_to(before, last[..., :1].shape), last[..., :-1]], -1)
    return bool(np.all((positions < 0) | (positions > earlier)))


def _check_growth(positions: NamedArray, known: NamedArray) -> None:
    if isinstance(positions.data_array, Tracer) or isinstance(known.data_array, Tracer):
        return
    before = np.asarray(known.data_array).max(axis=-1, keepdims=True)
    if not positions_grow(np.asarray(positions.data_array), before):
        raise ValueError(
            "Expected `token_positions` that grow from token to token in each row, since layers "
            f"with sliding windows keep only the last ones, but after {before.max()} came "
            f"{np.asarray(positions.data_array).tolist()}. Make a cache with `keeps_all=True`."
        )


def _of_window(name: str, window: int) -> str:
    return f"{name}_window_{window}"


def _window_of(attention: Attention) -> int | None:
    """The window that all queries of a layer are limited to; None if there is none, or others."""
    # Layers of others may look for tokens outside the window, such as the first one.
    if not _is_usual((attention.query_key_to_attn, attention.attn_value_to_output)):
        return None
    nodes = jax.tree_util.tree_leaves(attention, is_leaf=_is_any_mask)
    masks = [node for node in nodes if _is_any_mask(node)]
    # Other masks may stand in a path of their own, which sees all tokens.
    if not masks or not all(isinstance(mask, _SlidingMask) for mask in masks):
        return None
    sizes = {mask.sliding_window_size for mask in masks}
    named_as_usual = all(mask.query_positions_input_name == _QUERY_POSITIONS for mask in masks)
    return sizes.pop() if len(sizes) == 1 and named_as_usual else None


def _is_usual(node: Any) -> bool:
    """Whether a tree holds no layers but those of `modeldata.nn`."""
    parts = flatten_one_level(node)
    if parts is None or node is None:
        return True
    home = type(node).__module__
    is_known = type(node) in (list, tuple, dict) or home.startswith(_USUAL_HOMES)
    return is_known and all(_is_usual(child) for _, child in parts[0])


def _with_window_positions(attention: Attention, window: int) -> Attention:
    """Lets the masks of a layer look up the positions of keys in a cache of one window."""
    return jax.tree_util.tree_map(
        lambda node: (
            node.replace(kv_positions_input_name=_of_window(_KV_POSITIONS, window))
            if isinstance(node, _CausalMask)
            else node
        ),
        attention,
        is_leaf=_is_mask,
    )


def _with_caches(
    tree: Any, make_cached: Callable[..., Any], labels: Iterator[str], axes: dict[Hashable, int]
) -> Any:
    """Replaces attention by attention with a cache; `axes` are those of the stacks around."""

    def change(node: Any) -> Any:
        if isinstance(node, Attention):
            return make_cached(node, cache_label=next(labels), layerstack_axes=axes)
        if not isinstance(node, LayerStack):
            return node
        inner = {**axes, node.stack_axis: node.stack_axis_size}
        return node.replace(
            stacked_sublayers=_with_caches(node.stacked_sublayers, make_cached, labels, inner)
        )

    return jax.tree_util.tree_map(
        change, tree, is_leaf=lambda node: isinstance(node, Attention | LayerStack)
    )


def _is_any_mask(node: Any) -> bool:
    return isinstance(node, _CausalMask | ApplyExplicitAttentionMask)


def _is_mask(node: Any) -> bool:
    return isinstance(node, _CausalMask)


def _with_cached_positions(node: Any) -> Any:
    """Lets a mask look up the positions of keys in the cache."""
    if not isinstance(node, _CausalMask):
        return node
    if node.kv_positions_input_name != _QUERY_POSITIONS:
        raise ValueError(
            f"Expected attention masks with the `kv_positions_input_name` {_QUERY_POSITIONS!r}, "
            f"which a cache can replace, but got {node.kv_positions_input_name!r}. Use the usual "
            "name, or build the cached model by hand."
        )
    return node.replace(kv_positions_input_name=_KV_POSITIONS)
