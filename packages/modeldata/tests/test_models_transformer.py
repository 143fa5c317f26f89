import dataclasses
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
from modeldata.models.families import family_named
from modeldata.models.transformer import (
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
    build_llamalike_transformer,
)

TINY = LlamalikeTransformerConfig(
    num_kv_heads=2,
    query_head_multiplier=2,
    embedding_dim=12,
    projection_dim=4,
    mlp_hidden_dim=16,
    num_decoder_blocks=2,
    vocab_size=19,
    mlp_variant="geglu_approx",
    tie_embedder_and_logits=True,
    attention_type=(AttentionTypeSlidingWindowCausal(3), AttentionTypeGlobalCausal()),
    local_rope_wavelength=100.0,
    use_qk_norm=True,
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
)
VARIANTS = {
    "grouped queries": TINY,
    "one head of keys": dataclasses.replace(TINY, num_kv_heads=1, query_head_multiplier=3),
    "as many keys as queries": dataclasses.replace(TINY, query_head_multiplier=1),
    "untied": dataclasses.replace(TINY, tie_embedder_and_logits=False, mlp_variant="swiglu"),
    "soft caps": dataclasses.replace(TINY, final_logit_softcap=2.0, attn_logits_soft_cap=1.0),
}


# Compiled, because a model that runs operation by operation compiles each of them; and quickly,
# because each of these programs runs only once or twice.
run = md.variable_jit(
    lambda model, tokens, **inputs: model(tokens, **inputs),
    compiler_options={"xla_backend_optimization_level": 0},
)


def weight_rules(config):
    family = family_named("gemma3")
    return family.weight_rules(config, family.build_slots(config))


@functools.cache
def build(config=TINY):
    draw = np.random.default_rng(0)
    parameters = [
        md.Parameter(
            value=nx.wrap(
                draw.normal(scale=0.3, size=tuple(rule.named_shape.values())).astype(
                    config.parameter_dtype
                ),
                *rule.named_shape,
            ),
            label=rule.label,
        )
        for rule in weight_rules(config)
    ]
    return md.bind_variables(build_llamalike_transformer(config), parameters, allow_unused=True)


def some_tokens(**axes):
    return nx.wrap(jax.random.randint(jax.random.key(1), tuple(axes.values()), 0, 19), *axes)


def values(array):
    return np.asarray(array.unwrap(*sorted(array.named_shape)))


def close(array, other):
    np.testing.assert_allclose(values(array), values(other), atol=2e-5, rtol=2e-5)


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=VARIANTS)
def model(request):
    return build(request.param)


def test_logits_have_the_axes_of_the_tokens_and_the_vocabulary():
    model = build()
    logits = run(model, some_tokens(batch=2, seq=5, other=3))
    assert logits.named_shape == {"batch": 2, "seq": 5, "other": 3, "vocabulary": 19}


def test_a_row_of_a_batch_has_the_logits_that_it_has_alone(model):
    tokens = some_tokens(batch=2, seq=7)
    together = run(model, tokens)
    for row in range(2):
        close(together[{"batch": row}], run(model, tokens[{"batch": row}]))


def test_later_tokens_do_not_change_earlier_logits():
    model = build()
    tokens = some_tokens(seq=8)
    close(run(model, tokens)[{"seq": slice(0, 5)}], run(model, tokens[{"seq": slice(0, 5)}]))


@pytest.mark.parametrize("left", [0, 2])
def test_padding_does_not_change_the_logits_of_the_others(left):
    model = build()
    tokens = some_tokens(seq=6)
    places = np.full(9, -1, np.int32)
    places[left : left + 6] = np.arange(6)
    padded = jnp.zeros(9, jnp.int32).at[left : left + 6].set(tokens.data_array)
    logits = run(model, nx.wrap(padded, "seq"), token_positions=nx.wrap(places, "seq"))
    close(logits[{"seq": slice(left, left + 6)}], run(model, tokens))


def test_a_cache_does_not_change_the_logits(model, pieces=(4, 1, 1, 1)):
    tokens = some_tokens(batch=2, seq=7)
    cached = KVCachingTransformerLM.from_uncached(model, 10, {"batch": 2})
    found, start = [], 0
    for piece in pieces:
        found.append(run(cached, tokens[{"seq": slice(start, start + piece)}]))
        start += piece
    close(nx.concatenate(found, "seq"), run(model, tokens))
    assert int(cached.cache_end_index.value) == 7


@settings(max_examples=25)
@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=2, max_size=2))
def test_padding_anywhere_in_a_cache_does_not_change_the_logits(is_real):
    model, is_real = build(), np.array(is_real)
    positions = np.where(is_real, np.cumsum(is_real, axis=1) - 1, -1).astype(np.int32)
    tokens = some_tokens(batch=2, seq=6)
    cached = KVCachingTransformerLM.from_uncached(model, 6, {"batch": 2})
    parts = [slice(0, 4), slice(4, 6)]
    named = nx.wrap(positions, "batch", "seq")
    logits = nx.concatenate(
        [run(cached, tokens[{"seq": p}], token_positions=named[{"seq": p}]) for p in parts], "seq"
    )
    for row in range(2):
        # The real tokens alone, with zeros behind them that they do not see.
        order = np.argsort(~is_real[row], kind="stable")
        alone = run(model, nx.wrap(tokens.unwrap("batch", "seq")[row, order], "seq"))
        count = is_real[row].sum()
        np.testing.assert_allclose(
            values(logits)[row, order[:count]], values(alone)[:count], atol=2e-5, rtol=2e-5
        )


def test_rows_of_a_cache_go_on_where_each_of_them_stopped():
    model, tokens = build(), some_tokens(batch=2, seq=5)
    positions = nx.wrap(jnp.array([[0, 1, 2], [0, -1, -1]]), "batch", "seq")
    cached = KVCachingTransformerLM.from_uncached(model, 8, {"batch": 2})
    run(cached, tokens[{"seq": slice(0, 3)}], token_positions=positions)
    logits = run(cached, tokens[{"seq": slice(3, 5)}])
    plain = tokens.unwrap("batch", "seq")
    close(logits[{"batch": 0}], run(model, nx.wrap(plain[0], "seq"))[{"seq": slice(3, 5)}])
    alone = nx.wrap(jnp.concatenate([plain[1, :1], plain[1, 3:]]), "seq")
    close(logits[{"batch": 1}], run(model, alone)[{"seq": slice(1, 3)}])


def test_a_cache_refuses_what_does_not_fit_and_stays_as_it_was():
    model, tokens = build(), some_tokens(seq=5)
    cached = KVCachingTransformerLM.from_uncached(model, 6)
    run(cached, tokens)
    with pytest.raises(ValueError, match=r"at most 1 more tokens.*cache of 6, but got 5.*larger"):
        cached(tokens)
    assert int(cached.cache_end_index.value) == 5
    more = nx.concatenate([tokens, tokens[{"seq": slice(0, 1)}]], "seq")
    close(run(cached, tokens[{"seq": slice(0, 1)}]), run(model, more)[{"seq": slice(5, 6)}])


def test_a_cache_is_made_for_certain_batch_axes():
    cached = KVCachingTransformerLM.from_uncached(build(), 6, {"batch": 2})
    with pytest.raises(ValueError, match=r"batch axes \{'batch': 2\}.*got the axes \{'seq': 3\}"):
        cached(some_tokens(seq=3))


def test_a_cache_has_at_least_one_place():
    with pytest.raises(ValueError, match="`cache_len` of at least 1, but got 0"):
        KVCachingTransformerLM.from_uncached(build(), 0)


def test_a_mask_with_positions_of_its_own_is_not_cached():
    masks = build().select().at_instances_of(nn.ApplyCausalAttentionMask)
    edited = masks.apply(lambda mask: mask.replace(kv_positions_input_name="mine"))
    with pytest.raises(ValueError, match="'token_positions'.*but got 'mine'"):
        KVCachingTransformerLM.from_uncached(edited, 6)


def test_a_cached_model_shares_parameters_and_keeps_edits():
    model = build()
    edited = md.select(model).at_instances_of(nn.Softmax).insert_after(nn.ConstantRescale(by=0.5))
    cached = KVCachingTransformerLM.from_uncached(edited, 6)
    assert set(md.unbind_params(model)[1]) == set(md.unbind_params(cached)[1])
    tokens = some_tokens(seq=6)
    close(run(cached, tokens), run(edited, tokens))
    assert not np.allclose(values(run(edited, tokens)), values(run(model, tokens)))


def test_embeddings_are_scaled_if_and_only_if_the_settings_say_so():
    scaled = build().body.sublayers[1]
    assert isinstance(scaled, nn.ConstantRescale)
    assert scaled.by == pytest.approx(12**0.5)
    for changes in ({"scale_embeddings": False}, {"tie_embedder_and_logits": False}):
        plain = build(dataclasses.replace(TINY, **changes))
        assert not isinstance(plain.body.sublayers[1], nn.ConstantRescale)


def test_labels_of_parameters_are_paths():
    labels = {p.label for p in md.unbind_params(build())[1]}
    assert len(labels) == 2 * 13 + 2
    block = "transformer/block_1/"
    assert labels >= {
        "transformer/embedder.embeddings",
        "transformer/final_norm/scale.weights",
        f"{block}pre_attention_norm/scale.weights",
        f"{block}attention/query.weights",
        f"{block}attention/query_norm/scale.weights",
        f"{block}attention/output.weights",
        f"{block}post_attention_norm/scale.weights",
        f"{block}mlp/gating_linear.weights",
        f"{block}mlp/value_linear.weights",
        f"{block}mlp/out_linear.weights",
        f"{block}post_ffw_norm/scale.weights",
    }


def test_without_a_key_a_model_has_slots_for_the_same_parameters():
    def labels(key):
        full, parameters = md.unbind_params(build_llamalike_transformer(TINY, key))
        assert build_llamalike_transformer(TINY) == full
        found.update({p.label: p.value.named_shape for p in parameters})
        return key

    found = {}
    jax.eval_shape(labels, jax.random.key(0))
    assert found == {rule.label: rule.named_shape for rule in weight_rules(TINY)}


def test_metadata_can_be_hashed_and_compared():
    assert build().metadata == build().metadata
    assert hash(build().metadata) == hash(build().metadata)
    assert build().metadata.common_head_axes == (("head_groups", 2),)
    assert build().metadata.query_only_head_axes == (("query_heads", 2),)


def test_a_model_compiles_and_differentiates():
    model, tokens = build(), some_tokens(seq=4)
    unbound, parameters = md.unbind_params(model, freeze=True)

    @jax.jit
    def loss(parameters):
        logits = md.bind_variables(unbound, parameters)(tokens)
        return (logits * logits).unwrap("seq", "vocabulary").sum()

    np.testing.assert_allclose(loss(parameters), (values(run(model, tokens)) ** 2).sum(), rtol=1e-5)
    gradients = jax.tree_util.tree_leaves(jax.grad(loss)(parameters))
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in gradients)


def test_activations_have_the_type_that_the_settings_say():
    config = dataclasses.replace(TINY, activation_dtype=jnp.bfloat16, parameter_dtype=jnp.bfloat16)
    assert run(build(config), some_tokens(seq=3)).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([1, 2], TypeError, "Expected `tokens` to be a `NamedArray`.*`list`.*nx.wrap"),
        (nx.wrap(jnp.zeros(3), "seq"), TypeError, "integers, but got float32.*tokenizer"),
        (nx.wrap(jnp.array([1]), "batch"), ValueError, r"axis `seq`.*\{'batch': 1\}.*Name all"),
        (nx.wrap(jnp.array([[1]])).tag_prefix("seq"), ValueError, r"positional axes \(1,\)"),
        (nx.wrap(jnp.array([1, 19]), "seq"), ValueError, "ids from 0 to 18, but got 19"),
        (nx.wrap(jnp.array([-1, 3]), "seq"), ValueError, "ids from 0 to 18, but got -1"),
    ],
)
def test_unsuitable_tokens_are_refused(tokens, error, message):
    with pytest.raises(error, match=message):
        build()(tokens)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_decoder_blocks": 0}, "`num_decoder_blocks` to be at least 1, but got 0"),
        ({"projection_dim": 5}, "even `projection_dim`.*but got 5"),
        ({"mlp_variant": "relu"}, "`mlp_variant` to be one of .*swiglu.*but got 'relu'"),
        ({"attention_type": ()}, "at least one `attention_type`, but got none"),
    ],
)
def test_senseless_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)


def test_metadata_follow_from_the_config():
    config = dataclasses.replace(TINY, activation_dtype=jnp.bfloat16)
    metadata = models.TransformerMetadata.from_config(config)
    assert metadata.common_head_axes == tuple(config.common_head_axes.items())
    assert metadata.query_only_head_axes == tuple(config.query_only_head_axes.items())
    assert (metadata.vocab_size, metadata.max_positions) == (config.vocab_size, None)
    assert metadata.activation_dtype == jnp.bfloat16
