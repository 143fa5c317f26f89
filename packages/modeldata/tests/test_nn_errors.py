"""What layers say of a slip: when they are made, and when a side input is missing."""

import copy
import pickle

import jax
import jax.numpy as jnp
import pytest

import modeldata as md
from modeldata import models, nn, nx
from modeldata.models.transformer import LlamalikeTransformerConfig, build_llamalike_transformer
from modeldata.toolshed.gradient_checkpointing import Checkpointed
from modeldata.toolshed.jit_wrapper import Jitted

KEY = jax.random.key(0)
MASK = nn.ApplyExplicitAttentionMask("my_mask", -1e9)
CONFIG = LlamalikeTransformerConfig(
    num_kv_heads=1,
    query_head_multiplier=2,
    embedding_dim=4,
    projection_dim=2,
    mlp_hidden_dim=4,
    num_decoder_blocks=3,
    vocab_size=5,
    mlp_variant="swiglu",
    tie_embedder_and_logits=True,
)
IN_BLOCK = "sublayers[0].delta.sublayers[1].query_key_to_attn.sublayers[1]"


def missing(call, *args, **side_inputs):
    with pytest.raises(nn.MissingSideInputError) as info:
        call(*args, **side_inputs)
    return info.value


@md.pytree_dataclass
class Twice(nn.Layer):
    """A layer of somebody else, which knows nothing of paths."""

    inner: nn.Layer

    def __call__(self, argument, /, **side_inputs):
        return self.inner(self.inner(argument, **side_inputs), **side_inputs)


@pytest.fixture(scope="module")
def model():
    """A model with a mask in the second block that wants a side input."""
    built = build_llamalike_transformer(CONFIG, KEY)
    masks = md.select(built).at_instances_of(nn.ApplyCausalAttentionMask)
    return masks.pick_nth_selected(1).set(MASK)


@pytest.fixture(scope="module")
def tokens():
    return nx.wrap(jnp.arange(3), "seq")


def test_a_missing_side_input_is_told_with_the_path_of_the_layer(model, tokens):
    error = missing(model, tokens, other=1)
    assert str(error) == (
        f"`ApplyExplicitAttentionMask` at `.body.sublayers[3].{IN_BLOCK}` needs the side input "
        "`my_mask`, but the side inputs present are: `token_positions`, `other`. Pass "
        "`my_mask=...` when you call the model."
    )
    assert (error.layer, error.name) == ("ApplyExplicitAttentionMask", "my_mask")
    assert eval(f"model{error.path}", {"model": model}) is MASK


def test_the_path_is_found_in_compiled_code_and_in_layers_of_others(model, tokens):
    expected = f".body.sublayers[3].{IN_BLOCK}"
    assert missing(md.variable_jit(lambda m, t: m(t)), model, tokens).path == expected
    blocks = md.select(model).at_instances_of(models.TransformerBlock)
    for wrapper, field in ((Twice, "inner"), (Jitted, "body"), (Checkpointed, "body")):
        expected = f".body.sublayers[3].{field}.{IN_BLOCK}"
        assert missing(blocks.apply(wrapper), tokens).path == expected
    caching = models.KVCachingTransformerLM.from_uncached(model, cache_len=4)
    assert missing(caching, tokens).path == f".body.sublayers[3].{IN_BLOCK}"


def test_the_path_leads_into_stacks(model, tokens):
    masks = md.select(model).at_instances_of(nn.ApplyCausalAttentionMask)
    stacked = models.stack_blocks(masks.set(MASK))
    for call in (stacked, md.variable_jit(lambda t, model=md.freeze_params(stacked): model(t))):
        error = missing(call, tokens)
        assert error.path == f".body.sublayers[2].stacked_sublayers.{IN_BLOCK}"


def test_the_path_leads_through_branches_experts_and_stateless_calls():
    scores, mixture = nx.ones({"seq": 2}), nn.ExpertMixture(MASK, nn.Identity())
    branches = nn.BranchAndAddTogether([nn.Identity(), nn.NamedGroup("g", [MASK])])
    assert missing(branches, scores).path == ".branches[1].sublayers[0]"
    assert missing(nn.Residual(mixture), scores).path == ".delta.router"
    assert missing(nn.Residual(Twice(MASK)).stateless_call, (), scores).path == ".delta.inner"


def test_a_layer_that_calls_copies_leaves_a_gap_in_the_path():
    @md.pytree_dataclass
    class Copying(nn.Layer):
        inner: nn.Layer

        def __call__(self, argument, /, **side_inputs):
            return copy.deepcopy(self.inner)(argument, **side_inputs)

    error = missing(nn.Residual(Copying(nn.Residual(MASK))), nx.ones({"seq": 2}))
    assert error.path == "....delta"


def test_the_error_survives_being_sent_to_another_process():
    error = missing(MASK, nx.ones({"seq": 2}))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert "`ApplyExplicitAttentionMask` needs the side input `my_mask`" in str(error)


def test_groups_want_lists_of_layers():
    spec = md.shapecheck.ArraySpec()
    for make, field in (
        (nn.Sequential, "sublayers"),
        (lambda x: nn.NamedGroup("g", x), "sublayers"),
        (lambda x: nn.CheckedSequential(spec, spec, x), "sublayers"),
        (nn.BranchAndAddTogether, "branches"),
        (nn.BranchAndMultiplyTogether, "branches"),
    ):
        with pytest.raises(TypeError, match=f"needs a list of layers in `{field}`, but got a `Id"):
            make(nn.Identity())
    with pytest.raises(TypeError, match=r"got a `generator`. Put it in brackets, `\[...\]`"):
        nn.Sequential(layer for layer in [MASK])
    with pytest.raises(TypeError, match="one layer in `delta`, but got a `list` of 2. Put them"):
        nn.Residual([MASK, MASK])


@pytest.mark.parametrize("rng", [KEY, None])
def test_axes_are_sizes_by_name(rng):
    sizes = {"a": 2}
    for make, field in (
        (lambda axes: nn.Linear.from_config("x", rng, axes, sizes), "input_axes"),
        (lambda axes: nn.Linear.from_config("x", rng, {}, axes), "output_axes"),
        (lambda axes: nn.Affine.from_config("x", rng, axes, sizes), "input_axes"),
        (lambda axes: nn.AddBias.from_config("x", rng, axes), "biased_axes"),
        (lambda axes: nn.NormScale.from_config("x", rng, axes), "across_axes"),
        (lambda axes: nn.LayerNorm.from_config("x", rng, axes), "across_axes"),
        (lambda axes: nn.RMSLayerNorm.from_config("x", rng, axes), "across_axes"),
        (lambda axes: nn.EmbeddingTable.from_config("x", rng, 3, axes), "embedding_axes"),
        (lambda axes: nn.SoftmaxWithSink.from_config("x", rng, axes, "kv_seq"), "sink_axes"),
        (lambda axes: nn.Convolution.from_config("x", rng, axes, sizes, {}), "window"),
    ):
        for wrong in ("embedding", ["embedding"], {"embedding": (2,)}):
            with pytest.raises(TypeError, match=f"needs sizes by axis name in `{field}`, such as"):
                make(wrong)
        with pytest.raises(ValueError, match=f"sizes of at least 0 in `{field}`, but got .*-1"):
            make({"embedding": -1})


def test_elementwise_wants_a_function():
    with pytest.raises(TypeError, match="`Elementwise` needs a function in `fn`, .* but got 'relu"):
        nn.Elementwise("relu")


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_dropout_wants_a_probability(rate):
    with pytest.raises(ValueError, match=f"a `drop_rate` from 0 to 1, but got {rate}"):
        nn.StochasticDropout(rate)


def test_parameters_want_a_random_key():
    with pytest.raises(TypeError, match="a random key for the parameter `x.weights`, but got 0"):
        nn.Linear.from_config("x", 0, {"a": 2}, {"b": 2})


def test_a_function_among_layers_is_told_apart_from_a_mistake_in_a_layer():
    with pytest.raises(TypeError) as info:
        nn.Sequential([nn.Identity(), jax.nn.relu])(nx.ones({"a": 2}), token_positions=1)
    assert any(note.startswith("`sublayers[1]` is no layer") for note in info.value.__notes__)
    with pytest.raises(TypeError) as info:
        nn.Sequential([nn.Softmax("a")])(1.0)
    assert not any("is no layer" in note for note in getattr(info.value, "__notes__", []))
