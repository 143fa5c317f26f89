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
from modeldata.models._decoding import read_prompt_tokens, write_tokens
from modeldata.models._sampling import SamplingSettings, choose_tokens
from modeldata.models.families import family_named
from modeldata.models.transformer import (
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
    build_llamalike_transformer,
)
from modeldata.toolshed.model_rewiring import KnockOutAttentionHeads
from modeldata.toolshed.save_intermediates import SaveIntermediate

CONFIG = LlamalikeTransformerConfig(
    num_kv_heads=1,
    query_head_multiplier=2,
    embedding_dim=12,
    projection_dim=4,
    mlp_hidden_dim=16,
    num_decoder_blocks=2,
    vocab_size=50,
    mlp_variant="geglu_approx",
    tie_embedder_and_logits=False,
    attention_type=(AttentionTypeSlidingWindowCausal(3), AttentionTypeGlobalCausal()),
    use_qk_norm=True,
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
)
PROMPT = [3, 14, 15, 9, 26]


def weight_rules(config):
    family = family_named("gemma3")
    return family.weight_rules(config, family.build_slots(config))


@functools.cache
def model(config=CONFIG):
    draw = np.random.default_rng(4)
    parameters = []
    for rule in weight_rules(config):
        values = draw.normal(size=tuple(rule.named_shape.values())).astype(np.float32)
        parameters.append(md.Parameter(value=nx.wrap(values, *rule.named_shape), label=rule.label))
    return md.bind_variables(build_llamalike_transformer(config), parameters)


def by_hand(model, prompt, steps):
    """Takes the most likely token each time, and reads the whole text anew for the next."""
    text = list(prompt)
    for _ in range(steps):
        places = np.where(np.arange(32) < len(text), np.arange(32), -1).astype(np.int32)
        tokens = nx.wrap(jnp.array(text + [0] * (32 - len(text))), "seq")
        logits = run(model, tokens, nx.wrap(places, "seq"))[len(text) - 1]
        text.append(int(np.argmax(logits)))
    return text[len(prompt) :]


def run(model, tokens, places):
    logits = compiled(model, tokens, places)
    return np.asarray(logits.unwrap("seq", "vocabulary"))


compiled = md.variable_jit(lambda model, tokens, places: model(tokens, token_positions=places))


def edited(layer):
    return md.select(model()).at_instances_of(nn.Softmax).insert_after(layer)


def test_tokens_are_those_that_the_model_finds_most_likely():
    found = models.generate(model(), PROMPT, max_tokens=12)
    assert found == by_hand(model(), PROMPT, 12)
    assert len(set(found)) > 5  # a model that says little would prove little


def test_rows_of_any_length_continue_as_they_do_alone():
    prompts = [PROMPT, [7], [1, 2, 3, 4, 5, 6, 7, 8, 9]]
    together = models.generate(model(), prompts, max_tokens=6)
    assert together == [by_hand(model(), prompt, 6) for prompt in prompts]


@pytest.mark.parametrize("make", [np.array, jnp.array, tuple, iter])
def test_a_prompt_may_be_any_sequence_of_tokens(make):
    assert models.generate(model(), make(PROMPT), max_tokens=3) == by_hand(model(), PROMPT, 3)
    rows = [make(PROMPT), make([7])]
    assert models.generate(model(), rows, max_tokens=3)[0] == by_hand(model(), PROMPT, 3)


@pytest.mark.parametrize("left", [0, 1, 3])
def test_padding_of_an_array_may_stand_anywhere(left):
    tokens = np.zeros((2, 8), np.int32)
    places = np.full((2, 8), -1, np.int32)
    tokens[0, left : left + 5], places[0, left : left + 5] = PROMPT, range(5)
    tokens[1, 7], places[1, 7] = 7, 0
    found = models.generate(
        edited(KnockOutAttentionHeads(nx.wrap(jnp.array([0.0, 1.0]), "query_heads"))),
        nx.wrap(tokens, "row", "seq"),
        token_positions=nx.wrap(places, "row", "seq"),
        max_tokens=4,
    )
    assert found.named_shape == {"row": 2, "seq": 4}
    knocked_out = edited(KnockOutAttentionHeads(nx.wrap(jnp.array([0.0, 1.0]), "query_heads")))
    expected = [by_hand(knocked_out, prompt, 4) for prompt in (PROMPT, [7])]
    assert found.unwrap("row", "seq").tolist() == expected


def test_an_array_may_have_several_batch_axes_or_none():
    tokens = nx.wrap(jnp.array(PROMPT), "seq")
    alone = models.generate(model(), tokens, max_tokens=3)
    assert alone.unwrap("seq").tolist() == by_hand(model(), PROMPT, 3)
    wide = tokens.broadcast_to(named_shape={"a": 2, "b": 2, "seq": 5})
    found = models.generate(model(), wide, max_tokens=3)
    assert found.named_shape == {"a": 2, "b": 2, "seq": 3}
    assert found[{"a": 1, "b": 0}].unwrap("seq").tolist() == by_hand(model(), PROMPT, 3)


def test_a_stop_token_ends_a_row_and_is_its_last_token():
    free = models.generate(model(), [PROMPT, [7]], max_tokens=8)
    stop = free[0][3]
    stopped = models.generate(model(), [PROMPT, [7]], max_tokens=8, stop_tokens=[stop])
    assert stopped[0] == free[0][: free[0].index(stop) + 1]
    ends = free[1].index(stop) + 1 if stop in free[1] else 8
    assert stopped[1] == free[1][:ends]
    assert models.generate(model(), PROMPT, max_tokens=8, stop_tokens={free[0][0]}) == free[0][:1]
    as_array = models.generate(
        model(), nx.wrap(jnp.array(PROMPT), "seq"), max_tokens=8, stop_tokens=[stop]
    )
    assert as_array.unwrap("seq").tolist() == stopped[0]


@pytest.mark.parametrize("cache_len", [12, 13, 200])
def test_any_cache_that_is_long_enough_gives_the_same_tokens(cache_len):
    found = models.generate(model(), PROMPT, max_tokens=8, cache_len=cache_len)
    assert found == by_hand(model(), PROMPT, 8)


def test_a_cache_that_is_too_short_is_refused_before_anything_is_computed():
    with pytest.raises(ValueError, match=r"at least 12, for a prompt of 5 tokens .* 8 .* got 11"):
        models.generate(model(), PROMPT, max_tokens=8, cache_len=11)


def test_edits_take_part_in_every_step():
    mask = nx.wrap(jnp.array([1.0, 0.0]), "query_heads")
    other = edited(KnockOutAttentionHeads(mask))
    found = models.generate(other, PROMPT, max_tokens=6)
    assert found == by_hand(other, PROMPT, 6)
    assert found != models.generate(model(), PROMPT, max_tokens=6)


def test_saved_intermediates_hold_the_last_step():
    saving = md.select(model()).at_instances_of(nn.RMSStandardize).pick_nth_selected(-1)
    saver = SaveIntermediate()
    saving = saving.insert_before(saver)
    found = models.generate(saving, PROMPT, max_tokens=6)
    assert found == by_hand(model(), PROMPT, 6)
    kept = saver.saved.value
    assert kept.named_shape == {"seq": 1, "embedding": 12}
    text = PROMPT + found[:-1]
    run(saving, nx.wrap(jnp.array(text), "seq"), nx.wrap(jnp.arange(len(text)), "seq"))
    np.testing.assert_allclose(
        kept.unwrap("seq", "embedding")[0],
        saver.saved.value.unwrap("seq", "embedding")[-1],
        atol=2e-5,
    )


def test_edits_inside_a_stack_take_part_as_they_do_in_a_list():
    deep = model(dataclasses.replace(CONFIG, num_decoder_blocks=4))
    knock_out = KnockOutAttentionHeads(nx.wrap(jnp.array([1.0, 0.0]), "query_heads"))
    saver = SaveIntermediate()
    changed = (
        md.select(models.stack_blocks(deep))
        .at_instances_of(nn.Softmax)
        .insert_after(knock_out)
        .select()
        .at_instances_of(nn.RMSStandardize)
        .pick_nth_selected(0)
        .insert_before(saver)
    )
    listed = md.select(deep).at_instances_of(nn.Softmax).insert_after(knock_out)
    expected = models.generate(listed, PROMPT, max_tokens=6)
    assert models.generate(changed, PROMPT, max_tokens=6) == expected
    kept = saver.saved.value.named_shape
    assert kept.pop("seq") == 1
    assert kept.pop("embedding") == 12
    assert list(kept.values()) == [2]  # one value for each round of the stack


def test_state_that_grows_with_every_token_is_refused():
    @md.pytree_dataclass
    class Growing(nn.Layer):
        seen: md.StateVariable

        def __call__(self, argument, /, **side_inputs):
            self.seen.value = [*self.seen.value, argument]
            return argument

    growing = edited(Growing(md.StateVariable([], label="all of them")))
    with pytest.raises(ValueError, match="keep their shape .* `all of them` had another shape"):
        models.generate(growing, PROMPT, max_tokens=4)


def test_an_edit_that_adds_an_axis_is_refused_with_advice():
    worlds = KnockOutAttentionHeads(nx.wrap(jnp.eye(2), "worlds", "query_heads"))
    last = md.select(model()).at_instances_of(nn.Softmax).pick_nth_selected(-1)
    with pytest.raises(ValueError, match=r"\('vocabulary',\).*'worlds': 2.*tokens.broadcast_to"):
        models.generate(last.insert_after(worlds), PROMPT, max_tokens=2)


def test_the_same_shapes_are_compiled_once():
    parts = (read_prompt_tokens, write_tokens)
    models.generate(model(), PROMPT, max_tokens=5)
    before = [part._cache_size() for part in parts]
    models.generate(model(), PROMPT[:3], max_tokens=7)
    assert list(models.stream(model(), PROMPT, max_tokens=4))
    assert [part._cache_size() for part in parts] == before


def test_drawing_from_one_token_is_taking_the_most_likely():
    found = models.generate(
        model(), PROMPT, max_tokens=6, temperature=1.0, top_k=1, rng=jax.random.key(3)
    )
    assert found == by_hand(model(), PROMPT, 6)


def test_a_key_gives_the_same_tokens_again_and_another_key_others():
    def draw(seed):
        key = jax.random.key(seed)
        return models.generate(model(), PROMPT, max_tokens=16, temperature=2.0, rng=key)

    assert draw(0) == draw(0)
    assert draw(0) != draw(1)


LOGITS = np.array([2.0, 0.5, -1.0, 1.5, 0.0], np.float32)


def shares(**options):
    keys = jax.random.split(jax.random.key(0), 4000)
    setting = SamplingSettings(**options)
    drawn = jax.vmap(lambda key: choose_tokens(jnp.asarray(LOGITS), key, setting))(keys)
    return np.bincount(np.asarray(drawn), minlength=5) / 4000


def softmax(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_are_drawn_as_often_as_their_probability_says(temperature):
    expected = softmax(LOGITS / temperature)
    np.testing.assert_allclose(shares(temperature=temperature), expected, atol=0.03)


def test_a_tiny_temperature_takes_the_most_likely():
    setting = SamplingSettings(temperature=2e-38)
    assert int(choose_tokens(jnp.asarray([0.5, 2.0, 1.0]), jax.random.key(0), setting)) == 1


def test_top_k_draws_only_from_the_most_likely():
    expected = np.zeros(5)
    expected[[0, 3]] = softmax(LOGITS[[0, 3]])
    np.testing.assert_allclose(shares(temperature=1.0, top_k=2), expected, atol=0.03)
    everything = shares(temperature=1.0, top_k=99)
    np.testing.assert_allclose(everything, softmax(LOGITS), atol=0.03)


@settings(max_examples=10)
@given(top_p=st.floats(0.05, 1.0))
def test_top_p_draws_from_the_fewest_tokens_that_reach_it(top_p):
    probabilities = softmax(LOGITS)
    order = np.argsort(-probabilities)
    reached = np.cumsum(probabilities[order])
    kept = order[: np.searchsorted(reached, top_p - 1e-6) + 1]
    assert set(np.flatnonzero(shares(temperature=1.0, top_p=top_p))) <= set(kept)


@settings(max_examples=10)
@given(min_p=st.floats(0.01, 1.0))
def test_min_p_draws_only_tokens_that_are_likely_enough(min_p):
    probabilities = softmax(LOGITS)
    likely = np.flatnonzero(probabilities >= 0.999 * min_p * probabilities.max())
    assert set(np.flatnonzero(shares(temperature=1.0, min_p=min_p))) <= set(likely)
    both = shares(temperature=1.0, min_p=min_p, top_k=2)
    assert set(np.flatnonzero(both)) <= set(likely) & {0, 3}


def test_with_a_key_for_each_row_a_row_does_not_depend_on_the_others():
    keys = jax.random.split(jax.random.key(0), 3)
    prompts = [PROMPT, [7], [1, 2, 3]]
    options = {"max_tokens": 8, "temperature": 2.0}
    together = models.generate(model(), prompts, rng=keys, **options)
    assert len({tuple(row) for row in together}) == 3
    alone = models.generate(model(), prompts[1], rng=keys[1], **options)
    assert alone == together[1]
    other = models.generate(model(), [[7]] * 3, rng=keys[jnp.array([1, 1, 0])], **options)
    assert other[0] == other[1] == together[1] != other[2]
    tokens = nx.wrap(jnp.array([[7], [7]]), "row", "seq")
    as_array = models.generate(model(), tokens, rng=nx.wrap(keys[:2], "row"), **options)
    assert as_array[{"row": 1}].unwrap("seq").tolist() == together[1]


def test_rows_may_have_temperatures_of_their_own_and_numbers_compile_nothing_anew():
    prompts, keys = [PROMPT, [7]], jax.random.split(jax.random.key(0), 2)
    draw = functools.partial(models.generate, model(), prompts, max_tokens=8, rng=keys)
    mixed = draw(temperature=[0.0, 2.0], top_p=np.array([0.9, 0.9]))
    compiled = write_tokens._cache_size()
    assert mixed[0] == by_hand(model(), PROMPT, 8)
    rows = nx.wrap(jnp.array([3.0, 2.0]), "batch")
    again = draw(temperature=rows, top_p=jnp.array([0.1, 0.9]))
    assert again[1] == mixed[1] != by_hand(model(), [7], 8)
    assert write_tokens._cache_size() == compiled


@md.pytree_dataclass
class Steered(nn.Layer):
    """Moves what passes by a side input, and by noise."""

    def __call__(self, argument, /, strength, random_stream, **side_inputs):
        noise = jax.random.normal(random_stream.next_key(), ())
        return argument * (1 + strength) + 0 * noise


def test_edits_may_ask_for_side_inputs():
    steered = edited(Steered())
    stream = md.RandomStream.from_base_key(jax.random.key(0))
    sides = {"strength": 0.0, "random_stream": stream}
    found = models.generate(steered, PROMPT, max_tokens=4, side_inputs=sides)
    assert found == by_hand(model(), PROMPT, 4)
    # Two layers drew for the prompt and for each token but the last.
    assert int(stream.offset.value) == 8
    sides["strength"] = -3.0
    assert models.generate(steered, PROMPT, max_tokens=4, side_inputs=sides) != found
    with pytest.raises(TypeError, match="strength"):
        models.generate(steered, PROMPT, max_tokens=4)


def test_generating_inside_compiled_code_is_refused():
    with pytest.raises(RuntimeError, match="outside of compiled code, but JAX is tracing"):
        jax.jit(lambda: models.generate(model(), PROMPT, max_tokens=2))()
    with pytest.raises(RuntimeError, match="call it without `jit`, `vmap` or `grad`"):
        jax.vmap(lambda tokens: models.generate(model(), nx.wrap(tokens, "seq"), max_tokens=2))(
            jnp.zeros((2, 3), jnp.int32)
        )


def test_keys_of_the_older_kind_are_taken():
    options = {"max_tokens": 8, "temperature": 2.0}
    old = models.generate(model(), PROMPT, rng=jax.random.PRNGKey(4), **options)
    assert old == models.generate(model(), PROMPT, rng=jax.random.key(4), **options)


def test_streamed_tokens_are_those_that_are_generated():
    free = models.generate(model(), [PROMPT, [7]], max_tokens=8)
    stop = free[0][3]
    options = {"max_tokens": 8, "stop_tokens": [stop]}
    expected = models.generate(model(), [PROMPT, [7]], **options)
    steps = list(models.stream(model(), [PROMPT, [7]], **options))
    assert [[t for t in row if t is not None] for row in zip(*steps, strict=True)] == expected
    assert list(models.stream(model(), PROMPT, **options)) == expected[0]
    tokens = nx.wrap(jnp.array(PROMPT), "seq")
    one = next(iter(models.stream(model(), tokens, **options)))
    assert one.named_shape == {} and int(one.unwrap()) == expected[0][0]


def test_streaming_draws_what_generating_draws():
    options = {"max_tokens": 6, "temperature": 1.5, "rng": jax.random.key(2)}
    assert list(models.stream(model(), PROMPT, **options)) == models.generate(
        model(), PROMPT, **options
    )


def test_streaming_refuses_as_early_as_generating():
    with pytest.raises(ValueError, match="at least one token, but got an empty list"):
        models.stream(model(), [], max_tokens=2)


def test_a_text_that_is_longer_than_the_positions_of_the_model_is_refused():
    short = dataclasses.replace(model().metadata, max_positions=8)
    limited = model().replace(metadata=short)
    with pytest.raises(ValueError, match="at most 8 tokens, .* but .* need 9"):
        models.generate(limited, PROMPT, max_tokens=5)


@pytest.mark.parametrize(
    ("prompt", "error", "message"),
    [
        ([], ValueError, "at least one token, but got an empty list.*`bos_id`"),
        ([[1], []], ValueError, "at least one token, but number 1 is empty"),
        ([50], ValueError, "ids from 0 to 49, but got 50"),
        ([2**70], ValueError, "ids from 0 to 49, but got 1180591620717411303424"),
        ([[1], [-1]], ValueError, "ids from 0 to 49, but got -1"),
        ("text", TypeError, "a list of token ids.*but got a `str`. Encode texts"),
        (["text"], TypeError, "a list of token ids.*but got a `list` that holds a `str`"),
        ([[1], [1.5]], TypeError, "a list of token ids.*but got a `list` that holds a `float`"),
        (5, TypeError, "a list of token ids.*but got a `int`"),
        (nx.wrap(jnp.zeros(0, jnp.int32), "seq"), ValueError, "at least one token in every row"),
        (nx.wrap(jnp.zeros(3), "seq"), TypeError, "integers, but got float32"),
    ],
)
def test_unsuitable_prompts_are_refused(prompt, error, message):
    with pytest.raises(error, match=message):
        models.generate(model(), prompt, max_tokens=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 0}, "`max_tokens` to be at least 1, but got 0"),
        ({"temperature": -1.0}, "`temperature` to be 0 .* but got -1.0"),
        ({"temperature": float("nan")}, "`temperature` to be 0 .* but got nan"),
        ({"temperature": 1.0}, "a random key `rng` .* at a `temperature` above 0, but got none"),
        ({"temperature": [1.0, 2.0]}, r"`temperature` to be one number, or .* shape \(2,\)"),
        ({"top_k": 0}, "`top_k` to be at least 1, .* but got 0"),
        ({"min_p": 1.5}, "`min_p` to be from 0 to 1, .* but got 1.5"),
        (
            {"temperature": 1.0, "rng": jax.random.split(jax.random.key(0), 3)},
            r"one random key, or one for each of the rows \{\} .* keys of shape \(3,\)",
        ),
        ({"top_p": 0.0}, "`top_p` to be above 0 and at most 1, .* but got 0.0"),
        ({"token_positions": nx.arange("seq", 5)}, "`token_positions` only for a prompt that is"),
    ],
)
def test_senseless_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        models.generate(model(), PROMPT, **{"max_tokens": 2, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 2.5}, "`max_tokens` to be a number of tokens, an integer, but got 2.5"),
        ({"cache_len": "9"}, "`cache_len` to be a number of tokens, an integer, but got '9'"),
        ({"stop_tokens": 7}, "`stop_tokens` to be a collection of token ids, .* but got 7"),
        ({"stop_tokens": [[3, 4]]}, r"single token ids .*, but got \[3, 4\] .*`models.stream`"),
        ({"stop_tokens": [None]}, "single token ids in `stop_tokens`, integers, but got None"),
        ({"temperature": "1"}, "`temperature` to be a number, but got '1'"),
        ({"top_k": 5.0}, "`top_k` to be a number of tokens, an integer, or None, but got 5.0"),
        ({"temperature": 1.0, "rng": [0, 1]}, r"a random key, but got \[0, 1\]"),
        ({"stop_tokens": "end"}, "`stop_tokens` to be a collection of token ids, .* but got 'end'"),
        (
            {"temperature": 1.0, "rng": 0},
            r"a random key, but got 0. Pass `rng=jax.random.key\(0\)`",
        ),
    ],
)
def test_options_of_another_type_are_refused(options, message):
    with pytest.raises(TypeError, match=message):
        models.generate(model(), PROMPT, **{"max_tokens": 2, **options})


@pytest.mark.parametrize(
    ("positions", "error", "message"),
    [
        (jnp.arange(3), TypeError, "a `NamedArray` of integers, but got int32"),
        (nx.zeros({"seq": 3}), TypeError, "a `NamedArray` of integers, but got float32"),
        (nx.arange("seq", 4), ValueError, r"axes of the prompt, {'seq': 3}, but got {'seq': 4}"),
    ],
)
def test_positions_that_do_not_fit_are_refused(positions, error, message):
    tokens = nx.wrap(jnp.array([1, 2, 3]), "seq")
    with pytest.raises(error, match=message):
        models.generate(model(), tokens, max_tokens=2, token_positions=positions)


def test_only_models_without_a_cache_are_taken():
    cached = models.KVCachingTransformerLM.from_uncached(model(), 8)
    with pytest.raises(TypeError, match="`TransformerLM`, but got a `KVCachingTransformerLM`"):
        models.generate(cached, PROMPT, max_tokens=2)
