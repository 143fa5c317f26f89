"""Models whose blocks are stacked."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import models, nn, nx
from modeldata.models.transformer import (
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
    build_llamalike_transformer,
)
from modeldata.toolshed.save_intermediates import SaveIntermediate

CONFIG = LlamalikeTransformerConfig(
    num_kv_heads=1,
    query_head_multiplier=2,
    embedding_dim=12,
    projection_dim=4,
    mlp_hidden_dim=16,
    num_decoder_blocks=4,
    vocab_size=50,
    mlp_variant="geglu_approx",
    tie_embedder_and_logits=True,
)
WINDOWS = (AttentionTypeSlidingWindowCausal(3), AttentionTypeGlobalCausal())
run = md.variable_jit(
    lambda model, tokens, **inputs: model(tokens, **inputs),
    compiler_options={"xla_backend_optimization_level": 0},
)


@functools.cache
def built(**changes):
    slots = build_llamalike_transformer(dataclasses.replace(CONFIG, **changes))
    shapes = jax.eval_shape(
        lambda: md.unbind_params(
            build_llamalike_transformer(dataclasses.replace(CONFIG, **changes), jax.random.key(0)),
            freeze=True,
        )[1]
    )
    draw = np.random.default_rng(0)
    values = jax.tree_util.tree_map(
        lambda leaf: jnp.asarray(draw.normal(scale=0.4, size=leaf.shape), jnp.float32), shapes
    )
    return md.bind_variables(slots, values, unfreeze_as_copy=True)


def tokens(*shape):
    return nx.wrap(jnp.asarray(np.random.default_rng(1).integers(0, 50, shape)), "batch", "seq")


CASES = {
    "equal blocks": ({}, 1, 4, 0),
    "two kinds": ({"attention_type": WINDOWS}, 2, 2, 0),
    "a rest": ({"attention_type": WINDOWS, "num_decoder_blocks": 5}, 2, 2, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_a_stacked_model_computes_the_same_cached_or_not(name):
    changes, period, count, rest = CASES[name]
    model = built(**changes)
    stacked = models.stack_blocks(model)
    (stack,) = md.select(stacked).at_instances_of(nn.LayerStack).get_sequence()
    assert stack.stack_axis_size == count
    assert md.select(stack).at_instances_of(models.TransformerBlock).count() == period
    assert md.select(stacked).at_instances_of(models.TransformerBlock).count() == period + rest
    ids = tokens(2, 8)
    expected = run(model, ids).unwrap("batch", "seq", "vocabulary")
    found = run(stacked, ids).unwrap("batch", "seq", "vocabulary")
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)

    cached = models.KVCachingTransformerLM.from_uncached(stacked, 9, {"batch": 2})
    pieces = [run(cached, ids[{"seq": part}]) for part in (slice(0, 4), slice(4, 8))]
    found = nx.concatenate(pieces, "seq").unwrap("batch", "seq", "vocabulary")
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


def test_generated_text_is_the_same():
    model = built(attention_type=WINDOWS)
    prompt = [[3, 14, 15], [9, 26]]
    expected = models.generate(model, prompt, max_tokens=6)
    assert models.generate(models.stack_blocks(model), prompt, max_tokens=6) == expected


def test_unstacking_gives_back_the_blocks_and_their_labels():
    model = built(attention_type=WINDOWS, num_decoder_blocks=5)
    back = models.unstack_blocks(models.stack_blocks(model))
    for old, new in zip(md.unbind_params(model)[1], md.unbind_params(back)[1], strict=True):
        assert old.label == new.label
        np.testing.assert_array_equal(old.value.data_array, new.value.data_array)
    old, new = (md.unbind_variables(each)[0] for each in (model, back))
    assert jax.tree_util.tree_structure(old) == jax.tree_util.tree_structure(new)


def test_what_is_saved_in_a_stack_can_be_looked_at_by_block():
    stacked = models.stack_blocks(built())
    watched = md.select(stacked).at_instances_of(nn.Softmax).insert_after(SaveIntermediate())
    run(watched, tokens(1, 4))
    (saver,) = md.select(watched).at_instances_of(SaveIntermediate).get_sequence()
    attention = saver.saved.value
    assert attention.named_shape["blocks"] == 4
    sums = attention.untag("kv_seq").sum().unwrap("blocks", "batch", "query_heads", "seq")
    np.testing.assert_allclose(sums, np.ones(sums.shape), rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: built(num_decoder_blocks=1), "whose structure repeats, but got 1 blocks without"),
        (
            lambda: built().replace(body=nn.Identity()),
            "Expected a model with a `Sequential` as its `body`, but got a `Identity`",
        ),
    ],
)
def test_models_without_blocks_in_a_row_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        models.stack_blocks(model())


def test_a_model_without_a_stack_cannot_be_unstacked():
    with pytest.raises(ValueError, match="Expected a model with a `LayerStack` among the layers"):
        models.unstack_blocks(built())
