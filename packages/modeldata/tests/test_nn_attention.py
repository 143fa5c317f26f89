"""Masks, attention, and the cache of keys and values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn, pytree_dataclass
from modeldata.named import wrap
from modeldata.toolshed.model_rewiring import KnockOutAttentionHeads
from modeldata.variables import StateVariable, unbind_variables, variable_jit

SCORES = ("batch", "heads", "seq", "kv_seq")


def scores():
    return np.random.default_rng(0).normal(size=(2, 2, 3, 3)).astype(np.float32)


@settings(max_examples=10)
@given(
    st.permutations(SCORES),
    st.lists(st.integers(-1, 6), min_size=6, max_size=6),
    st.sampled_from([None, 1, 2]),
)
def test_causal_masks_follow_positions(order, positions, window):
    positions = np.array(positions).reshape(2, 3)
    query, key = positions[:, None, :, None], positions[:, None, None, :]
    allowed = (key >= 0) & (key <= query)
    if window is not None:
        allowed &= query - key < window
    layer = (
        nn.ApplyCausalAttentionMask(-1e9)
        if window is None
        else nn.ApplyCausalSlidingWindowAttentionMask(-1e9, window)
    )
    x = wrap(scores(), *SCORES).order_as(*order)
    result = layer(x, token_positions=wrap(positions, "batch", "seq"))
    assert result.dims == x.dims
    np.testing.assert_array_equal(result.unwrap(*SCORES), np.where(allowed, scores(), -1e9))


def test_queries_and_keys_may_have_positions_of_their_own():
    layer = nn.ApplyCausalAttentionMask(-1e9, "q", "k", "seq", "kv_seq")
    result = layer(
        wrap(scores()[0, 0], "seq", "kv_seq"),
        q=wrap(np.array([4, 5, 6]), "seq"),
        k=wrap(np.array([6, -1, 5]), "seq"),
    )
    allowed = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 1]], bool)
    np.testing.assert_array_equal(
        result.unwrap("seq", "kv_seq"), np.where(allowed, scores()[0, 0], -1e9)
    )


def test_an_explicit_mask_may_add_axes():
    mask = np.random.default_rng(1).random((4, 3)) < 0.5
    layer = nn.ApplyExplicitAttentionMask("mask", -5.0)
    result = layer(wrap(scores(), *SCORES), mask=wrap(mask, "worlds", "kv_seq"))
    expected = np.where(mask[:, None, None, None], scores(), -5.0)
    np.testing.assert_array_equal(result.unwrap("worlds", *SCORES), expected)


@pytest.mark.parametrize(
    "layer",
    [
        nn.ApplyCausalAttentionMask(-1.0),
        nn.ApplyCausalSlidingWindowAttentionMask(-1.0, 2),
        nn.ApplyExplicitAttentionMask("token_positions", -1.0),
    ],
)
def test_masks_say_what_is_missing_or_does_not_fit(layer):
    name = type(layer).__name__
    x = wrap(scores(), *SCORES)
    with pytest.raises(
        nn.MissingSideInputError, match=f"`{name}` needs the side input `token_positions`"
    ):
        layer(x, other=1)
    with pytest.raises(TypeError, match=rf"`{name}` \(`token_positions`\) needs a `NamedArray`"):
        layer(x, token_positions=np.arange(3))
    with pytest.raises(ValueError, match=f"`{name}` needs an input with the axes"):
        layer(x, token_positions=wrap(np.arange(4), "seq"))


def test_a_forbidden_score_is_a_number_that_its_dtype_has():
    layer = nn.ApplyCausalAttentionMask(-2.4e38)
    x = wrap(jnp.ones((1, 2), jnp.float16), "seq", "kv_seq")
    masked = layer.replace(kv_positions_input_name="kv")(
        x, token_positions=wrap(jnp.array([0]), "seq"), kv=wrap(jnp.array([-1, -1]), "seq")
    )
    np.testing.assert_array_equal(masked.data_array, np.finfo(np.float16).min)
    np.testing.assert_array_equal(nn.Softmax("kv_seq")(masked).data_array, 0.5)


def test_masks_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="`sliding_window_size` of at least 1, .* but got 0"):
        nn.ApplyCausalSlidingWindowAttentionMask(-1.0, 0)
    additive = wrap(np.zeros(3, np.float32), "kv_seq")
    with pytest.raises(TypeError, match="a boolean mask in `mask`, .* but got float32. Compare"):
        nn.ApplyExplicitAttentionMask("mask", -1.0)(wrap(scores(), *SCORES), mask=additive)


def make_attention(mask=None):
    """A small grouped attention layer, with parameters."""
    key = jax.random.key(0)
    heads = {"groups": 2, "heads": 3, "projection": 4}
    kv = {"groups": 2, "projection": 4}
    linear = lambda name, inputs, outputs: nn.Linear.from_config(name, key, inputs, outputs)
    same = {"groups": "g", "heads": "h"}
    return nn.Attention(
        nn.Sequential([linear("q", {"embedding": 5}, heads), nn.ApplyRoPE("projection", 100.0)]),
        nn.Sequential([linear("k", {"embedding": 5}, kv), nn.ApplyRoPE("projection", 100.0)]),
        linear("v", {"embedding": 5}, kv),
        nn.Sequential(
            [
                nn.NamedEinsum(
                    (
                        {"seq": "q", **same, "projection": "p"},
                        {"seq": "k", "groups": "g", "projection": "p"},
                    ),
                    {"seq": "q", **same, "kv_seq": "k"},
                ),
                mask or nn.ApplyCausalAttentionMask(-1e9),
                nn.Softmax("kv_seq"),
            ]
        ),
        nn.Sequential(
            [
                nn.NamedEinsum(
                    (
                        {"seq": "q", **same, "kv_seq": "k"},
                        {"seq": "k", "groups": "g", "projection": "p"},
                    ),
                    {"seq": "q", **same, "projection": "p"},
                ),
                linear("o", heads, {"embedding": 5}),
            ]
        ),
    )


def weights(layer):
    _, parameters = unbind_variables(layer)
    order = {
        "q": ("embedding", "groups", "heads", "projection"),
        "k": ("embedding", "groups", "projection"),
        "v": ("embedding", "groups", "projection"),
        "o": ("groups", "heads", "projection", "embedding"),
    }
    return {
        p.label[0]: np.asarray(p.value.unwrap(*order[p.label[0]]), np.float64) for p in parameters
    }


def rope(x, positions):
    half = x.shape[-1] // 2
    angles = positions / 100.0 ** (np.arange(half)[:, None] / half)
    turn = np.exp(1j * angles.T).reshape(len(positions), *[1] * (x.ndim - 2), half)
    turned = (x[..., :half] + 1j * x[..., half:]) * turn
    return np.concatenate([turned.real, turned.imag], -1)


def attended(layer, x, window=1000):
    """Attention of one sequence, in NumPy, position by position."""
    w, positions = weights(layer), np.arange(len(x))
    q = rope(np.einsum("se,eghp->sghp", x, w["q"]), positions)
    k = rope(np.einsum("se,egp->sgp", x, w["k"]), positions)
    v = np.einsum("se,egp->sgp", x, w["v"])
    rows = []
    for i in positions:
        first = max(0, i - window + 1)
        logits = np.einsum("ghp,kgp->ghk", q[i], k[first : i + 1])
        attn = np.exp(logits - logits.max(-1, keepdims=True))
        attn /= attn.sum(-1, keepdims=True)
        mixed = np.einsum("ghk,kgp->ghp", attn, v[first : i + 1])
        rows.append(np.einsum("ghp,ghpe->e", mixed, w["o"]))
    return np.stack(rows)


@pytest.mark.parametrize("window", [None, 2])
def test_attention_equals_a_computation_by_hand(window):
    mask = window and nn.ApplyCausalSlidingWindowAttentionMask(-1e9, window)
    layer = make_attention(mask)
    x = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    result = layer(wrap(x, "seq", "embedding"), token_positions=wrap(np.arange(5), "seq"))
    expected = attended(layer, x, window or 1000)
    np.testing.assert_allclose(result.unwrap("seq", "embedding"), expected, atol=1e-5)


def make_cached(layer, cache_len=8, batch=None):
    masked = nn.ApplyCausalAttentionMask(-1e9, "token_positions", "kv_token_positions")
    _, *rest = layer.query_key_to_attn.sublayers
    scoring = nn.Sequential([layer.query_key_to_attn.sublayers[0], masked, *rest[1:]])
    return nn.KVCachingAttention.from_uncached(
        layer.replace(query_key_to_attn=scoring),
        "seq",
        cache_len,
        {**(batch or {}), "groups": 2, "projection": 4},
    )


@pytest.mark.parametrize("steps", [(5,), (3, 2), (1, 1, 1, 1, 1)])
def test_a_cache_filled_in_steps_gives_what_attention_gives_at_once(steps):
    layer = make_attention()
    cached = make_cached(layer)
    x = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    results, end = [], 0
    for count in steps:
        known = np.where(np.arange(8) < end + count, np.arange(8), -1)
        results.append(
            cached(
                wrap(x[end : end + count], "seq", "embedding"),
                token_positions=wrap(np.arange(end, end + count), "seq"),
                kv_token_positions=wrap(known, "seq"),
                cache_end_index=end,
            ).unwrap("seq", "embedding")
        )
        end += count
    np.testing.assert_allclose(np.concatenate(results), attended(layer, x), atol=1e-5)


def test_rows_of_a_cache_may_have_positions_of_their_own():
    layer = make_attention()
    cached = make_cached(layer, batch={"batch": 2})
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(n, 5)).astype(np.float32) for n in (2, 4)]
    prompt = np.zeros((2, 3, 5), np.float32)
    prompt[0, :1], prompt[1] = rows[0][:1], rows[1][:3]
    positions = np.array([[0, -1, -1], [0, 1, 2]])
    padded = np.pad(positions, ((0, 0), (0, 5)), constant_values=-1)
    cached(
        wrap(prompt, "batch", "seq", "embedding"),
        token_positions=wrap(positions, "batch", "seq"),
        kv_token_positions=wrap(padded, "batch", "seq"),
        cache_end_index=0,
    )
    last = np.stack([rows[0][1:], rows[1][3:]])
    padded[:, 3] = [1, 3]
    result = cached(
        wrap(last, "batch", "seq", "embedding"),
        token_positions=wrap(padded[:, 3:4], "batch", "seq"),
        kv_token_positions=wrap(padded, "batch", "seq"),
        cache_end_index=3,
    )
    result = result.unwrap("batch", "seq", "embedding")[:, 0]
    expected = np.stack([attended(layer, row)[-1] for row in rows])
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_a_compiled_cache_works_and_shares_the_parameters():
    layer = make_attention()
    cached = make_cached(layer)
    x = wrap(np.ones((2, 5), np.float32), "seq", "embedding")
    sides = {
        "token_positions": wrap(np.arange(2), "seq"),
        "kv_token_positions": wrap(np.array([0, 1, *[-1] * 6]), "seq"),
    }
    result = variable_jit(lambda m, end: m(x, **sides, cache_end_index=end))(cached, 0)
    np.testing.assert_allclose(
        result.unwrap("seq", "embedding"), attended(layer, np.ones((2, 5))), atol=1e-5
    )
    keys, values = cached.kv_cache.value
    assert keys.named_shape == values.named_shape == {"groups": 2, "seq": 8, "projection": 4}
    assert set(unbind_variables(cached)[1]) == {*unbind_variables(layer)[1], cached.kv_cache}


@pytest.mark.parametrize("index", [7, -1, jnp.array(7), wrap(jnp.array(7))])
def test_a_cache_refuses_to_overflow(index):
    cached = make_cached(make_attention())
    before = cached.kv_cache.value
    x = wrap(np.ones((2, 5), np.float32), "seq", "embedding")
    sides = {
        "token_positions": wrap(np.arange(2), "seq"),
        "kv_token_positions": wrap(np.arange(8), "seq"),
    }
    with pytest.raises(
        ValueError, match="a cache of 8 tokens, but was asked to write 2 tokens from index"
    ):
        cached(x, **sides, cache_end_index=index)
    assert cached.kv_cache.value is before


def test_a_cache_refuses_more_tokens_than_it_holds_even_when_compiled():
    cached = make_cached(make_attention())
    x = wrap(np.ones((9, 5), np.float32), "seq", "embedding")
    sides = {
        "token_positions": wrap(np.arange(9), "seq"),
        "kv_token_positions": wrap(np.arange(8), "seq"),
    }
    with pytest.raises(ValueError, match="write 9 tokens"):
        variable_jit(lambda m, end: m(x, **sides, cache_end_index=end))(cached, 0)


def test_a_cache_says_which_axes_it_was_made_for():
    cached = make_cached(make_attention())
    x = wrap(np.ones((3, 2, 5), np.float32), "batch", "seq", "embedding")
    with pytest.raises(
        ValueError, match=r"with the axes {'groups': 2, 'projection': 4}, but got {.*'batch': 3"
    ):
        cached(
            x,
            token_positions=wrap(np.arange(2), "seq"),
            kv_token_positions=wrap(np.arange(8), "seq"),
            cache_end_index=0,
        )
    with pytest.raises(nn.MissingSideInputError, match="needs the side input `cache_end_index`"):
        cached(x, token_positions=1)


def test_attention_that_computes_something_of_its_own_gets_no_cache():
    @pytree_dataclass(has_implicitly_inherited_fields=True)
    class Doubled(nn.Attention):
        def __call__(self, argument, /, **side_inputs):
            return super().__call__(argument, **side_inputs) * 2

    doubled = Doubled(**make_attention().attributes_dict())
    for kind in (nn.KVCachingAttention, nn.WindowCachingAttention):
        with pytest.raises(TypeError, match="`Doubled`, which computes something of its own"):
            kind.from_uncached(doubled, "seq", 8, {"groups": 2, "projection": 4})


def test_a_cache_keeps_its_label_and_dtype():
    cached = nn.KVCachingAttention.from_uncached(
        make_attention(),
        "seq",
        8,
        {"groups": 2, "projection": 4},
        cache_label="here",
        cache_dtype=jnp.bfloat16,
    )
    assert isinstance(cached.kv_cache, StateVariable)
    assert cached.kv_cache.label == "here"
    assert cached.kv_cache.value[0].dtype == jnp.bfloat16


def test_an_axis_that_appears_inside_attention_flows_through_to_the_output():
    layer = make_attention()
    scoring = layer.query_key_to_attn.sublayers
    x = wrap(np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32), "seq", "embedding")
    masks = wrap(1 - np.eye(3, dtype=np.float32), "experiment", "heads")

    def with_knock_out(mask):
        inside = nn.Sequential([*scoring, KnockOutAttentionHeads(mask)])
        edited = layer.replace(query_key_to_attn=inside)
        return edited(x, token_positions=wrap(np.arange(4), "seq"))

    together = with_knock_out(masks)
    assert together.named_shape == {"experiment": 3, "seq": 4, "embedding": 5}
    for number in range(3):
        alone = with_knock_out(masks[{"experiment": number}])
        np.testing.assert_allclose(
            together[{"experiment": number}].unwrap("seq", "embedding"),
            alone.unwrap("seq", "embedding"),
            atol=1e-5,
        )


WINDOW = 3


def make_window_cached(window=WINDOW, batch=None):
    mask = nn.ApplyCausalSlidingWindowAttentionMask(
        -1e9, window, "token_positions", "kv_token_positions"
    )
    layer = make_attention(mask)
    axes = {**(batch or {}), "groups": 2, "projection": 4}
    return layer, nn.WindowCachingAttention.from_uncached(layer, "seq", window, axes)


@pytest.mark.parametrize("steps", [(7,), (4, 1, 2), (1,) * 7])
def test_a_cache_of_a_window_gives_what_attention_gives_at_once(steps):
    layer, cached = make_window_cached()
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    known, found, start = wrap(np.full(WINDOW, -1), "seq"), [], 0
    for step in steps:
        positions = wrap(np.arange(start, start + step), "seq")
        plan = nn.plan_window(known, positions, "seq")
        result = cached(
            wrap(x[start : start + step], "seq", "embedding"),
            token_positions=positions,
            kv_token_positions=plan.seen,
            cache_sources=plan.sources,
        )
        found.append(result.unwrap("seq", "embedding"))
        known, start = plan.kept, start + step
    np.testing.assert_allclose(np.concatenate(found), attended(layer, x, WINDOW), atol=1e-5)
    assert cached.kv_cache.value[0].named_shape == {"groups": 2, "seq": WINDOW, "projection": 4}


@settings(max_examples=6)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.integers(1, 4),
    st.integers(0, 2**10 - 1),
)
def test_a_plan_keeps_the_last_positions_of_each_row(pieces, window, seed):
    draw = np.random.default_rng(seed)
    known, last, read = np.full((2, window), -1), np.full((2, 1), -1), [[], []]
    for piece in pieces:
        real = draw.integers(0, 2, (2, piece)).astype(bool)
        positions = np.where(real, last + np.cumsum(real, axis=1), -1)
        last = np.maximum(last, positions.max(axis=1, keepdims=True))
        plan = nn.plan_window(wrap(known, "row", "seq"), wrap(positions, "row", "seq"), "seq")
        both = np.concatenate([known, positions], axis=1)
        known = np.asarray(plan.kept.unwrap("row", "seq"))
        sources = np.asarray(plan.sources.unwrap("row", "seq"))
        np.testing.assert_array_equal(known, np.take_along_axis(both, sources, axis=1))
        seen = known if piece == 1 else both
        np.testing.assert_array_equal(plan.seen.unwrap("row", "seq"), seen)
        for row in range(2):
            read[row] += positions[row][real[row]].tolist()
            assert sorted(known[row][known[row] >= 0]) == read[row][-window:]


def test_a_cache_of_a_window_says_what_it_needs():
    _, cached = make_window_cached(batch={"batch": 2})
    x = wrap(jnp.zeros((2, 5)), "seq", "embedding")
    sides = {"token_positions": wrap(jnp.arange(2), "seq")}
    with pytest.raises(nn.MissingSideInputError, match="needs the side input `cache_sources`"):
        cached(x, **sides)
    plan = nn.plan_window(wrap(jnp.full(3, -1), "seq"), sides["token_positions"], "seq")
    with pytest.raises(ValueError, match="`WindowCachingAttention` has a cache for keys and value"):
        cached(x, **sides, kv_token_positions=plan.seen, cache_sources=plan.sources)
