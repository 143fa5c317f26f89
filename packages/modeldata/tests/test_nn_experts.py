import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nn, nx

DRAW = np.random.default_rng(0)
EXPERTS, NEURONS, FEATURES, TOKENS = 4, 3, 5, 6


def softmax(values):
    weights = np.exp(values - values.max())
    return weights / weights.sum()


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("names", [("experts", "seq"), ("seq", "experts")])
def test_top_k_softmax_is_the_softmax_of_the_greatest(k, names):
    scores = DRAW.normal(size=(TOKENS, EXPERTS)).astype(np.float32)
    stored = scores if names[0] == "seq" else scores.T
    found = nn.TopKSoftmax("experts", k)(nx.wrap(stored, *names)).unwrap("seq", "experts")
    for row, weights in zip(scores, np.asarray(found), strict=True):
        kept = np.argsort(-row)[:k]
        expected = np.zeros(EXPERTS)
        expected[kept] = softmax(row[kept])
        np.testing.assert_allclose(weights, expected, atol=1e-6)


INTO = DRAW.normal(size=(EXPERTS, NEURONS, FEATURES)).astype(np.float32)
OUT = DRAW.normal(size=(EXPERTS, FEATURES, NEURONS)).astype(np.float32)
SHIFT = DRAW.normal(size=(EXPERTS, FEATURES)).astype(np.float32)
SCORES = DRAW.normal(size=(EXPERTS, FEATURES)).astype(np.float32)
X = DRAW.normal(size=(TOKENS, FEATURES)).astype(np.float32)


def parameter(label, values, *names):
    return md.Parameter(value=nx.wrap(jnp.asarray(values), *names), label=label)


def mixture(*after_router, into=INTO, inside: nn.Layer = nn.Identity()):
    first = nn.Linear(parameter("into", into, "experts", "n", "f"), ("f",), ("experts", "n"))
    second = nn.Linear(parameter("out", OUT, "experts", "f", "n"), ("n",), ("f",))
    bias = nn.AddBias(parameter("shift", SHIFT, "experts", "f"))
    router = nn.Linear(parameter("scores", SCORES, "experts", "f"), ("f",), ("experts",))
    return nn.ExpertMixture(
        router=nn.Sequential([router, nn.TopKSoftmax("experts", 2), *after_router]),
        experts=nn.Sequential([first, nn.Elementwise(jnp.tanh), inside, second, bias]),
    )


@pytest.mark.parametrize("tokens", [1, TOKENS])
def test_a_mixture_adds_up_what_the_chosen_experts_make(tokens):
    found = mixture()(nx.wrap(X[:tokens], "seq", "f")).unwrap("seq", "f")
    for token, result in zip(X, np.asarray(found), strict=False):
        chosen = np.argsort(-(SCORES @ token))[:2]
        weights = softmax((SCORES @ token)[chosen])
        expected = sum(
            w * (OUT[e] @ np.tanh(INTO[e] @ token) + SHIFT[e])
            for w, e in zip(weights, chosen, strict=True)
        )
        np.testing.assert_allclose(result, expected, atol=1e-4)


def test_few_tokens_read_the_chosen_experts_only_and_gradients_agree():
    x = nx.wrap(X[:1, None], "batch", "seq", "f")
    chosen = np.argsort(-(SCORES @ X[0]))[:2]
    others = [expert for expert in range(EXPERTS) if expert not in chosen]
    unread = INTO.copy()
    unread[others] = np.nan
    sparse, dense = mixture(), mixture(nn.Identity())
    result = mixture(into=unread)(x)
    assert result.dims == dense(x).dims
    np.testing.assert_allclose(result.data_array, dense(x).data_array, rtol=1e-5, atol=1e-6)
    # A layer of another kind may depend on all experts, so all are computed.
    assert jnp.isnan(mixture(into=unread, inside=nn.Softmax("n"))(x).data_array).all()

    def loss(values, layer):
        return (md.bind_variables(layer, values)(x) ** 2).untag("batch", "seq", "f").sum().unwrap()

    slopes = [
        jax.grad(loss)(values, unbound)
        for unbound, values in (md.unbind_params(each, freeze=True) for each in (sparse, dense))
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), *slopes)


def test_unsuitable_inputs_of_mixtures_are_refused():
    layer = nn.ExpertMixture(router=nn.Identity(), experts=nn.Identity())
    with pytest.raises(ValueError, match=r"adds and sums the axis `experts`, but its input has it"):
        layer(nx.zeros({"experts": 2}))
    with pytest.raises(
        ValueError, match=r"\(weights\)` .*`experts` is missing|`experts` is missing"
    ):
        layer(nx.zeros({"seq": 2}))
    with pytest.raises(TypeError, match="`ExpertMixture` needs a `NamedArray`"):
        layer(jnp.zeros(2))


@pytest.mark.parametrize("k", [0, 5])
def test_a_k_that_does_not_fit_is_refused(k):
    with pytest.raises(ValueError, match=f"a `k` from 1 to 4, the size of .*but got {k}"):
        nn.TopKSoftmax("experts", k)(nx.zeros({"experts": 4}))


def test_a_sink_takes_a_share_of_attention_and_gives_nothing():
    scores = DRAW.normal(size=(2, 3, 4)).astype(np.float32)
    sink = np.array([0.5, -30.0], np.float32)
    layer = nn.SoftmaxWithSink.from_config("s", jax.random.key(0), {"heads": 2}, "kv_seq")
    assert layer.sink.label == "s.bias"
    layer.sink.value = nx.wrap(jnp.asarray(sink), "heads")
    found = layer(nx.wrap(scores, "heads", "seq", "kv_seq")).unwrap("heads", "seq", "kv_seq")
    for head in range(2):
        for query in range(3):
            expected = softmax(np.append(scores[head, query], sink[head]))[:-1]
            np.testing.assert_allclose(found[head, query], expected, atol=1e-6)
    with pytest.raises(ValueError, match="`SoftmaxWithSink` needs an input with the axes"):
        layer(nx.zeros({"kv_seq": 4}))


def test_gradients_go_through_a_sink():
    scores = jnp.asarray(DRAW.normal(size=(1, 4)), jnp.float32)
    layer = nn.SoftmaxWithSink.from_config("s", None, {"heads": 1}, "kv_seq")

    def loss(sink, scores):
        bound = layer.replace(sink=nn.make_parameter("s", jax.random.key(0), lambda _: sink))
        return bound(nx.wrap(scores, "heads", "kv_seq")).unwrap("heads", "kv_seq")[0, 1]

    def by_hand(sink, scores):
        return jax.nn.softmax(jnp.append(scores[0], sink.data_array))[1]

    sink = nx.wrap(jnp.array([0.3]), "heads")
    found, expected = (jax.grad(f, argnums=(0, 1))(sink, scores) for f in (loss, by_hand))
    np.testing.assert_allclose(found[0].data_array, expected[0].data_array, atol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-6)


def test_a_padding_mask_hides_keys_without_a_position_from_all_queries():
    layer = nn.ApplyPaddingAttentionMask(masked_out_value=-9.0)
    scores = DRAW.normal(size=(2, 3, 3)).astype(np.float32)
    places = np.array([[0, 1, -1], [-1, 0, 1]])
    found = layer(
        nx.wrap(scores, "batch", "seq", "kv_seq"), token_positions=nx.wrap(places, "batch", "seq")
    )
    expected = np.where(places[:, None] >= 0, scores, -9.0)
    np.testing.assert_array_equal(found.unwrap("batch", "seq", "kv_seq"), expected)
    with pytest.raises(KeyError, match="needs the side input `token_positions`"):
        layer(nx.zeros({"seq": 2, "kv_seq": 2}))
    with pytest.raises(ValueError, match=r"with the axes \{'kv_seq': 3\}, but got"):
        layer(nx.zeros({"seq": 2, "kv_seq": 2}), token_positions=nx.arange("seq", 3))
