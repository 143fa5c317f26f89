"""Caches of layers with sliding windows, which keep no more than the window."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modeldata as md
from modeldata import models, nn, nx
from modeldata.models import KVCachingTransformerLM
from modeldata.models.transformer import (
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
    build_llamalike_transformer,
)
from modeldata.toolshed.save_intermediates import SaveIntermediate

WINDOWS = (
    AttentionTypeSlidingWindowCausal(3),
    AttentionTypeSlidingWindowCausal(4),
    AttentionTypeGlobalCausal(),
)
LENGTH = 11
PIECES = (5, 1, 1, 2, 1, 1)
run = md.variable_jit(
    lambda model, tokens, **inputs: model(tokens, **inputs),
    compiler_options={"xla_backend_optimization_level": 0},
)


@functools.cache
def built(kind="plain"):
    config = LlamalikeTransformerConfig(
        num_kv_heads=1,
        query_head_multiplier=2,
        embedding_dim=8,
        projection_dim=4,
        mlp_hidden_dim=8,
        num_decoder_blocks=3 if kind == "plain" else 4,
        vocab_size=50,
        mlp_variant="swiglu",
        tie_embedder_and_logits=True,
        attention_type=WINDOWS if kind == "plain" else WINDOWS[:2],
    )
    slots = build_llamalike_transformer(config)
    shapes = jax.eval_shape(
        lambda: md.unbind_params(
            build_llamalike_transformer(config, jax.random.key(0)), freeze=True
        )[1]
    )
    draw = np.random.default_rng(0)
    values = jax.tree_util.tree_map(
        lambda leaf: jnp.asarray(draw.normal(scale=0.5, size=leaf.shape), jnp.float32), shapes
    )
    model = md.bind_variables(slots, values, unfreeze_as_copy=True)
    return models.stack_blocks(model) if kind == "stacked" else model


def some_tokens():
    return np.random.default_rng(1).integers(0, 50, (2, LENGTH))


def named(array):
    return nx.wrap(jnp.asarray(array, jnp.int32), "batch", "seq")


def uncached_logits(tokens, positions=None, kind="plain"):
    positions = np.tile(np.arange(LENGTH), (2, 1)) if positions is None else positions
    logits = run(built(kind), named(tokens), token_positions=named(positions))
    return np.asarray(logits.unwrap("batch", "seq", "vocabulary"))


def cached_logits(cached, tokens, positions):
    found, start = [], 0
    for piece in PIECES:
        part = slice(start, start + piece)
        logits = run(cached, named(tokens[:, part]), token_positions=named(positions[:, part]))
        found.append(np.asarray(logits.unwrap("batch", "seq", "vocabulary")))
        start += piece
    return np.concatenate(found, axis=1)


rows = st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH)


@pytest.mark.parametrize("kind", ["plain", "stacked"])
def test_a_cache_of_windows_does_not_change_the_logits_wherever_padding_is(kind):
    @settings(max_examples=12)
    @given(st.tuples(rows, rows))
    def check(is_real):
        is_real = np.array(is_real)
        tokens = some_tokens()
        positions = np.where(is_real, np.cumsum(is_real, axis=1) - 1, -1)
        cached = KVCachingTransformerLM.from_uncached(built(kind), LENGTH, {"batch": 2})
        found = cached_logits(cached, tokens, positions)
        # The real tokens first, with others behind them that they do not see.
        order = np.argsort(~is_real, axis=1, kind="stable")
        expected = uncached_logits(np.take_along_axis(tokens, order, 1), kind=kind)
        for row, count in enumerate(is_real.sum(axis=1)):
            np.testing.assert_allclose(
                found[row, order[row, :count]], expected[row, :count], rtol=2e-4, atol=2e-5
            )

    check()


def test_layers_with_windows_keep_only_these():
    def lengths(cache_len, kind="plain", **keywords):
        cached = KVCachingTransformerLM.from_uncached(built(kind), cache_len, **keywords)
        kinds = (nn.KVCachingAttention, nn.WindowCachingAttention)
        layers = md.select(cached).at_instances_of(kinds).get_sequence()
        return [layer.kv_cache.value[1].named_shape["seq"] for layer in layers]

    assert lengths(20) == [3, 4, 20]
    assert lengths(20, "stacked") == [3, 4]
    assert lengths(4) == [3, 4, 4]
    assert lengths(2) == [2, 2, 2]
    assert lengths(20, keeps_all=True) == [20, 20, 20]


@pytest.mark.parametrize(
    "mask",
    [
        nn.ApplyCausalAttentionMask(-1e9),
        nn.ApplyExplicitAttentionMask("mask", -1e9),
        nn.ApplyCausalSlidingWindowAttentionMask(-1e9, 5),
        nn.ApplyCausalSlidingWindowAttentionMask(-1e9, 3, "other_positions"),
    ],
)
def test_layers_with_other_masks_beside_the_window_keep_all(mask):
    is_windowed = lambda node: (  # noqa: E731
        isinstance(node, nn.ApplyCausalSlidingWindowAttentionMask) and node.sliding_window_size == 3
    )
    edited = md.select(built()).at_instances_of(nn.ApplyCausalSlidingWindowAttentionMask)
    edited = edited.where(is_windowed).insert_after(mask)
    cached = KVCachingTransformerLM.from_uncached(edited, 20)
    assert md.select(cached).at_instances_of(nn.WindowCachingAttention).count() == 1


def repeated_positions():
    positions = np.tile(np.arange(LENGTH), (2, 1))
    positions[1, 3:] -= 1
    return positions


def test_positions_that_do_not_grow_are_refused_before_anything_changes():
    cached = KVCachingTransformerLM.from_uncached(built(), LENGTH, {"batch": 2})
    tokens, positions = some_tokens(), repeated_positions()
    with pytest.raises(ValueError, match=r"grow from token to token .* after -1 .*keeps_all=True"):
        cached(named(tokens), token_positions=named(positions))
    assert int(cached.cache_end_index.value) == 0
    assert (cached.kv_positions.value.data_array == -1).all()


def test_positions_that_do_not_grow_give_what_they_give_without_a_cache():
    tokens, positions = some_tokens(), repeated_positions()
    cached = KVCachingTransformerLM.from_uncached(built(), LENGTH, {"batch": 2}, keeps_all=True)
    expected = uncached_logits(tokens, positions)
    np.testing.assert_allclose(
        cached_logits(cached, tokens, positions), expected, rtol=2e-4, atol=2e-5
    )
    count = LENGTH - 3
    found = models.generate(
        built(),
        named(tokens[:, :count]),
        token_positions=named(positions[:, :count]),
        max_tokens=4,
    ).unwrap("batch", "seq")
    for new in range(4):
        logits = uncached_logits(tokens, positions)
        np.testing.assert_array_equal(found[:, new], logits[:, count + new - 1].argmax(-1))
        if new < 3:
            tokens[:, count + new] = found[:, new]


def test_attention_with_layers_of_another_kind_keeps_all():
    edited = md.select(built()).at_instances_of(nn.Softmax).pick_nth_selected(0)
    edited = edited.insert_after(SaveIntermediate())
    cached = KVCachingTransformerLM.from_uncached(edited, 20)
    assert md.select(cached).at_instances_of(nn.WindowCachingAttention).count() == 1
