import dataclasses
import types

import gguf
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

import modeldata as md
from modeldata import models, nn, nx
from modeldata.models import LoadError
from modeldata.models._load import _placements
from modeldata.models.checkpoints import Place, Portion, Settings
from modeldata.models.families import (
    FAMILIES,
    LLAMA_ROWS,
    Family,
    family_named,
    find_family,
    llamalike_config,
)
from modeldata.models.transformer import (
    AttentionTypeSlidingWindowCausal,
    GPTTransformerConfig,
    LlamalikeTransformerConfig,
    build_gpt_transformer,
    build_llamalike_transformer,
)

SETTINGS = {
    "vocab_size": 50,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
GPT2 = {"vocab_size": 50, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 8}
LONGROPE = {"rope_type": "longrope", "short_factor": [1.0], "long_factor": [0]}


def read(family, **changes):
    settings = GPT2 if family == "gpt2" else SETTINGS
    given = {key: value for key, value in {**settings, **changes}.items() if value != "absent"}
    checkpoint = types.SimpleNamespace(
        config=given, source="a test", naming="huggingface", tensors=[]
    )
    return family_named(family).read_config(checkpoint, jnp.float32)


@pytest.mark.parametrize("family", [family.name for family in FAMILIES])
def test_settings_that_equal_the_defaults_may_be_left_out(family):
    extra = {"gpt_oss": {"sliding_window": 4}, "bert": {"max_position_embeddings": 8}}.get(
        family, {}
    )
    config = read(family, **extra)
    model = family_named(family).build_slots(config)
    assert model.metadata.vocab_size == 50
    rules = family_named(family).weight_rules(config, model)
    assert len({rule.label for rule in rules}) == len(rules)
    for rule in rules:
        assert all(place.named_shape.keys() == rule.named_shape.keys() for place in rule.places)


@pytest.mark.parametrize(
    ("family", "changes", "message"),
    [
        ("llama", {"hidden_act": "tanh"}, "`hidden_act` .* 'gelu_pytorch_tanh', .* 'tanh'"),
        ("llama", {"hidden_size": "absent"}, "Expected the setting `hidden_size` in a test"),
        ("llama", {"num_attention_heads": 3}, "`num_attention_heads` to be a multiple of .* 2"),
        ("llama", {"hidden_size": 18}, "`hidden_size` to be a multiple of .* 4, without a"),
        ("llama", {"attention_bias": 1.5}, "`attention_bias` to be True or False, .* 1.5"),
        (
            "llama",
            {"rope_scaling": {"type": "mystery", "factor": 2.0}},
            "`rope_type` to be 'default' or 'linear' .* 'mystery'; other values are not supported",
        ),
        (
            "llama",
            {"rope_parameters": {"rope_type": "llama3", "factor": 2.0}},
            "`original_max_position_embeddings`",
        ),
        (
            "phi3",
            {"rope_scaling": LONGROPE, "max_position_embeddings": 8},
            r"`long_factor` to be a list of numbers above 0, but .* \[0\]",
        ),
        (
            "phi3",
            {"partial_rotary_factor": 0.8},
            "`partial_rotary_factor` to be a share of the 4 features that is an even number",
        ),
        ("qwen2", {"layer_types": ["sliding_attention"] * 2}, "`layer_types` .* while `use_sl"),
        (
            "qwen3",
            {"use_sliding_window": True, "sliding_window": 3, "layer_types": ["odd", "odd"]},
            "`layer_types` to be 2 times 'sliding_attention' or 'full_attention'",
        ),
        ("gemma", {"hidden_act": "relu"}, "`hidden_act` .* 'relu'"),
        ("gemma", {"use_bidirectional_attention": True}, "`use_bidirectional_attention` .* True"),
        ("gemma2", {"attention_bias": True}, "`attention_bias` .* True"),
        ("gpt_oss", {"swiglu_limit": 5.0, "sliding_window": 4}, "`swiglu_limit` to be 7.0, .* 5.0"),
        (
            "gpt_oss",
            {"quantization_config": {"quant_method": "mxfp4"}},
            "`quantization_config` to be absent, .* 'mxfp4'",
        ),
        ("gpt_neox", {"hidden_size": 18}, "`hidden_size` to be a multiple .* 4"),
        ("gpt2", {"add_cross_attention": True}, "`add_cross_attention` to be False, .* True"),
        ("bert", {"position_embedding_type": "relative"}, "`position_embedding_type` .* 'rel"),
        ("bert", {"hidden_size": 18}, "`hidden_size` to be a multiple .* 4"),
        ("gpt2", {"activation_function": "mish"}, "`activation_function` .* 'mish'"),
    ],
)
def test_an_option_that_is_not_supported_is_named_with_its_value(family, changes, message):
    with pytest.raises(LoadError, match=message):
        read(family, **changes)


def test_rotary_embeddings_written_before_version_5_are_understood():
    old = {"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}}
    new = {"rope_parameters": {"rope_type": "linear", "rope_theta": 5e5, "factor": 2.0}}
    assert read("llama", **old) == read("llama", **new)
    assert read("gpt_neox", rotary_pct=0.5, rotary_emb_base=1e3) == read(
        "gpt_neox",
        rope_parameters={"rope_type": "default", "rope_theta": 1e3, "partial_rotary_factor": 0.5},
    )
    assert read("mistral").attention_type == AttentionTypeSlidingWindowCausal(4096)
    assert read("mixtral").rope_wavelength == 1e6
    assert read("gpt_oss").rope_scaling == nn.YarnScaling(32.0, 4096, truncate=False)
    assert read("gpt_oss", rope_theta=2e4, rope_scaling={"type": "linear", "factor": 2.0}) == read(
        "gpt_oss", rope_parameters={"rope_type": "linear", "rope_theta": 2e4, "factor": 2.0}
    )


def test_scores_of_gpt_2_are_scaled_as_its_settings_say():
    plain, divided = read("gpt2"), read("gpt2", scale_attn_by_inverse_layer_idx=True)
    assert [plain.query_scale(block) for block in (0, 1)] == [0.5, 0.5]
    assert [divided.query_scale(block) for block in (0, 1, 3)] == [0.5, 0.25, 0.125]
    assert read("gpt2", scale_attn_weights=False).query_scale(1) == 1.0
    scales = md.select(family_named("gpt2").build_slots(divided)).at_instances_of(
        nn.ConstantRescale
    )
    assert [layer.by for layer in scales.get_sequence()] == [0.5, 0.25]


def test_long_ropes_of_phi_3_have_had_other_names():
    rope = {"short_factor": [1.0, 1.5], "long_factor": [2.0, 3.0]}
    lengths = {"max_position_embeddings": 8, "original_max_position_embeddings": 4}
    kinds = [
        read("phi3", rope_scaling={**rope, "type": kind}, **lengths) for kind in ("longrope", "su")
    ]
    assert kinds[0] == kinds[1]
    assert isinstance(kinds[0].rope_scaling, nn.LongScaling)


def test_gemma_3_takes_any_rotary_scaling_in_blocks_without_windows():
    yarn = {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 16}
    config = read("gemma3", rope_scaling=yarn)
    assert config.rope_scaling == nn.YarnScaling(2.0, 16)
    linear = read("gemma3", rope_scaling={"rope_type": "linear", "factor": 2.0})
    assert (linear.rope_scaling, linear.global_scale_factor) == (None, 2.0)


LLAMALIKE = {
    "num_kv_heads": 2,
    "query_head_multiplier": 1,
    "embedding_dim": 8,
    "projection_dim": 4,
    "mlp_hidden_dim": 6,
    "num_decoder_blocks": 1,
    "vocab_size": 5,
    "mlp_variant": "swiglu",
    "tie_embedder_and_logits": True,
}
GPT = {
    "num_attention_heads": 2,
    "embedding_dim": 8,
    "projection_dim": 4,
    "mlp_hidden_dim": 6,
    "num_decoder_blocks": 1,
    "vocab_size": 5,
    "activation_fn": "relu",
}


@pytest.mark.parametrize(
    ("config", "settings", "changes", "message"),
    [
        (LlamalikeTransformerConfig, LLAMALIKE, {"use_qk_norm": "x"}, "`use_qk_norm` .* 'x'"),
        (
            LlamalikeTransformerConfig,
            LLAMALIKE,
            {"rope_subset_size": 6},
            "`projection_dim`, 4, .* 6",
        ),
        (
            LlamalikeTransformerConfig,
            LLAMALIKE,
            {"num_experts": 2, "num_experts_per_token": 3},
            "`num_experts_per_token` from 1 to `num_experts`, 2, but got 3",
        ),
        (GPTTransformerConfig, GPT, {"activation_fn": "mish"}, "`activation_fn` .* 'mish'"),
        (GPTTransformerConfig, GPT, {"rope_subset_size": 3}, "even `rope_subset_size` .* got 3"),
    ],
)
def test_settings_that_make_no_sense_are_refused(config, settings, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**{**settings, **changes})


def test_models_are_built_from_settings_alone():
    gpt = build_gpt_transformer(
        GPTTransformerConfig(**GPT, num_positions=4), jax.random.key(0), name="mine"
    )
    logits = gpt(nx.wrap(jnp.array([[1, 2], [3, 4]]), "batch", "seq"))
    assert logits.named_shape == {"batch": 2, "seq": 2, "vocabulary": 5}
    labels = {p.label: p.value.named_shape for p in md.unbind_params(gpt)[1]}
    assert labels["mine/block_0/attention/query/AddBias.bias"] == {"heads": 2, "projection": 4}
    assert labels["mine/block_0/mlp/in/Linear.weights"] == {"neurons": 6, "embedding": 8}
    with pytest.raises(ValueError, match="positions 0 to 3, but got position 4"):
        gpt(nx.arange("seq", 5))

    config = LlamalikeTransformerConfig(**LLAMALIKE, num_experts=3, num_experts_per_token=2)
    mixture = build_llamalike_transformer(config, jax.random.key(0))
    assert mixture(nx.arange("seq", 5)).named_shape == {"seq": 5, "vocabulary": 5}
    labels = {p.label: p.value.named_shape for p in md.unbind_params(mixture)[1]}
    expected = {"experts": 3, "neurons": 6, "embedding": 8}
    assert labels["transformer/block_0/mlp/gating_linear.weights"] == expected


def test_padding_in_models_with_learned_positions_changes_nothing():
    gpt = build_gpt_transformer(GPTTransformerConfig(**GPT, num_positions=4), jax.random.key(0))
    alone = gpt(nx.wrap(jnp.array([1, 2]), "seq")).unwrap("seq", "vocabulary")
    places = nx.wrap(jnp.array([-1, 0, 1, -1]), "seq")
    padded = gpt(nx.wrap(jnp.array([0, 1, 2, 0]), "seq"), token_positions=places)
    np.testing.assert_allclose(padded.unwrap("seq", "vocabulary")[1:3], alone, atol=1e-6)


def test_portions_of_one_tensor_are_put_together_again():
    first = Portion({"heads": 2}, start=0, total=3)
    second = Portion({}, start=2, total=3)
    stored = np.arange(24.0).reshape(6, 4)
    pair = Portion({"p": 2})
    places = [
        Place("huggingface", "w", ((part, pair), (Portion({"e": 4}),))) for part in (first, second)
    ]
    checkpoint = types.SimpleNamespace(read=lambda *_: stored.copy())
    values = [place.read(checkpoint, np.float64) for place in places]
    np.testing.assert_array_equal(values[0].reshape(4, 4), stored[:4])
    np.testing.assert_array_equal(values[1], stored[4:])
    written = np.zeros_like(stored)
    for place, value in zip(places, values, strict=True):
        place.write(value, lambda _: written)
    np.testing.assert_array_equal(written, stored)


def write_llama(folder):
    family, config = family_named("llama"), read("llama")
    rules = family.weight_rules(config, family.build_slots(config))
    tensors = {
        place.name: np.zeros(place.stored_shape, np.float32)
        for place in (rule.place_for("huggingface") for rule in rules)
    }
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(
        '{"model_type": "llama", ' + str(SETTINGS).replace("'", '"')[1:]
    )


def test_parameters_are_spread_over_devices_by_the_names_of_their_axes(tmp_path):
    write_llama(tmp_path)
    mesh = jax.make_mesh((1, 1), ("model", "neurons"))

    def specs(**options):
        loaded = models.load(tmp_path, progress=False, mesh=mesh, **options)
        found = {p.label: p.value for p in md.unbind_params(loaded)[1]}
        key = "transformer/block_0/{}.weights"
        return [
            dict(zip(found[label].dims, found[label].data_array.sharding.spec, strict=True))
            for label in (key.format("mlp/out_linear"), key.format("attention/key"))
        ]

    assert specs() == [
        {"embedding": None, "neurons": "neurons"},
        {"head_groups": None, "projection": None, "embedding": None},
    ]
    rule = {"neurons": ("model", "neurons"), "head_groups": "model"}
    assert specs(axis_name_to_mesh_name=rule) == [
        {"embedding": None, "neurons": ("model", "neurons")},
        {"head_groups": "model", "projection": None, "embedding": None},
    ]
    with pytest.raises(ValueError, match="mlp/gating_linear.weights` .* `model` gets two of its"):
        specs(axis_name_to_mesh_name={"neurons": "model", "embedding": "model"})
    with pytest.raises(ValueError, match="`vocabulary` goes to `data`, which is no axis of"):
        specs(axis_name_to_mesh_name={"vocabulary": "data"})
    wide = types.SimpleNamespace(shape={"model": 3}, axis_names=("model",))
    with pytest.raises(ValueError, match="`neurons` of size 8 goes to 3 devices"):
        _placements({"w": {"neurons": 8}}, wide, {"neurons": "model"})
    with pytest.raises(ValueError, match="together with a `mesh` of devices"):
        models.load(tmp_path, axis_name_to_mesh_name=rule)


def test_gguf_files_of_other_families_are_refused_by_name():
    checkpoint = types.SimpleNamespace(naming="gguf", architecture="bert", source="the file")
    with pytest.raises(LoadError, match=r"\('llama', 'mixtral', .*, but the file has 'bert'"):
        models.families.find_family(checkpoint)
    config = read("phi3")
    family = family_named("phi3")
    rule = family.weight_rules(config, family.build_slots(config))[2]
    with pytest.raises(LoadError, match="a kind of checkpoint that is known for `bert` models"):
        dataclasses.replace(rule, places=rule.places[:1]).place_in(checkpoint)


def test_norms_may_span_all_heads():
    config = LlamalikeTransformerConfig(**LLAMALIKE, use_qk_norm="all", use_pre_norms=False)
    model = build_llamalike_transformer(config)
    norms = md.select(model).at_instances_of(nn.RMSStandardize).get_sequence()
    assert [norm.across for norm in norms] == [
        ("heads", "projection"),
        ("heads", "projection"),
        ("embedding",),
    ]


def paired(values, heads):
    """Stores a weight as llama.cpp does: the halves of each head take turns."""
    rows = values.reshape(heads, 2, -1, *values.shape[1:])
    return rows.swapaxes(1, 2).reshape(values.shape)


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3"])
def test_gguf_files_of_some_families_hold_the_parameters_of_their_folders(name, tmp_path):
    family = family_named(name)
    # A number that float32 holds exactly.
    config = read(name, head_dim=4, rms_norm_eps=2**-20)
    draw = np.random.default_rng(0)
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", name)
    numbers = {
        "embedding_length": 16,
        "block_count": 2,
        "feed_forward_length": 24,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
    }
    for key, value in numbers.items():
        writer.add_uint32(f"{name}.{key}", value)
    writer.add_float32(f"{name}.attention.layer_norm_rms_epsilon", 2**-20)
    expected = {}
    for rule in family.weight_rules(config, family.build_slots(config)):
        place = rule.place_for("gguf")
        values = draw.normal(size=place.stored_shape).astype(np.float32)
        expected[rule.label] = values.reshape(tuple(rule.named_shape.values()))
        heads = {"query.": 4, "key.": 2}
        kind = next((part for part in heads if f"attention/{part}" in rule.label), None)
        if name == "llama" and kind:
            values = paired(values, heads[kind])
        writer.add_tensor(place.name, values)
        written = np.zeros(place.stored_shape, np.float32)
        place.write(expected[rule.label], lambda _, written=written: written)
        np.testing.assert_array_equal(written, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model = models.load(tmp_path / "a.gguf", progress=False)
    assert model.metadata.origin.config == config
    for parameter in md.unbind_params(model)[1]:
        np.testing.assert_array_equal(parameter.value.data_array, expected[parameter.label])


def gguf_file(architecture="llama", tensors=None, **changes):
    """The opened file of a small model, with small tensors beside the weights."""
    sizes = {
        "embedding_length": 64,
        "block_count": 2,
        "feed_forward_length": 24,
        "context_length": 256,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": 1e-5,
    }
    given = {**sizes, **{key.replace("__", "."): value for key, value in changes.items()}}
    tensors = {"output.weight": np.zeros(1), **(tensors or {})}
    return types.SimpleNamespace(
        naming="gguf",
        architecture=architecture,
        source="the file",
        config={f"{architecture}.{k}": v for k, v in given.items() if v is not None},
        tensors=dict.fromkeys(tensors),
        read=lambda name: tensors[name],
    )


def read_gguf(*arguments, **changes):
    checkpoint = gguf_file(*arguments, **changes)
    family = find_family(checkpoint)
    return family.read_config(family.with_common_names(checkpoint), jnp.float32)


def llama3_factors(factor, high=4.0):
    scaling = nn.Llama3Scaling(factor, 1.0, high, 8192)
    plain = nn.Llama3Scaling(1.0, 1.0, high, 8192)
    return (plain.frequencies(16, 5e5) / scaling.frequencies(16, 5e5)).astype(np.float32)


@pytest.mark.parametrize("factor", [8.0, 32.0])
def test_the_scaling_of_llama_3_is_found_from_its_factors(factor):
    tensors = {"rope_freqs.weight": llama3_factors(factor)}
    config = read_gguf("llama", tensors, rope__freq_base=5e5)
    assert config.rope_scaling == nn.Llama3Scaling(factor, 1.0, 4.0, 8192)
    ones = {"rope_freqs.weight": np.ones(8, np.float32)}
    assert read_gguf("llama", ones, rope__freq_base=5e5).rope_scaling is None


def test_settings_of_gguf_files_become_those_of_a_config():
    yarn = {"type": "yarn", "factor": 4.0, "original_context_length": 64, "yarn_beta_fast": 16.0}
    found = read_gguf("qwen2", **{f"rope__scaling__{k}": v for k, v in yarn.items()})
    assert found.rope_scaling == nn.YarnScaling(4.0, 64, fast_rotations=16.0)
    assert found.use_qkv_bias
    stronger = read_gguf(
        "qwen2", **{f"rope__scaling__{k}": v for k, v in (yarn | {"attn_factor": 2.0}).items()}
    )
    assert stronger.rope_scaling.amplitude == pytest.approx(2 * found.rope_scaling.amplitude)
    pairs = {f"rope_factors_{kind}.weight": np.full(8, 2.0) for kind in ("long", "short")}
    lengths = {"rope__scaling__original_context_length": 16, "attention__sliding_window": 9}
    long = read_gguf("phi3", pairs, **lengths)
    assert long.rope_scaling.original_length == 16
    assert long.rope_scaling.attention_factor == pytest.approx(2**0.5)
    assert long.attention_type == AttentionTypeSlidingWindowCausal(9)
    mixture = read_gguf("llama", expert_count=4, expert_used_count=2)
    assert (mixture.num_experts, mixture.num_experts_per_token) == (4, 2)
    sizes = {"attention__key_length": 8, "attention__sliding_window": 9}
    assert read_gguf("gemma2", **sizes).query_scale == 8**-0.5
    assert read_gguf("gemma2", **sizes, block_count=46).query_scale == 16**-0.5
    assert read_gguf("gemma").mlp_variant == "geglu_approx"
    gpt2 = read_gguf("gpt2", attention__layer_norm_epsilon=1e-5)
    assert (gpt2.num_positions, gpt2.tie_embedder_and_logits) == (256, False)
    oss = read_gguf(
        "gpt-oss",
        **sizes,
        expert_count=4,
        expert_used_count=2,
        **{f"rope__scaling__{k}": v for k, v in yarn.items()},
    )
    assert oss.rope_scaling == nn.YarnScaling(4.0, 64, fast_rotations=16.0, truncate=False)


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (
            ("llama", {"rope_freqs.weight": llama3_factors(8.0, high=5.0)}),
            {"rope__freq_base": 5e5},
            "`rope_freqs.weight` to hold the factors of Llama 3, but the file has others, from 1.0",
        ),
        (
            ("phi3",),
            {"rope__scaling__type": "longrope"},
            "`phi3.rope.scaling.type` to be another, without a tensor `rope_factors_long.weight`",
        ),
        (("qwen2",), {"expert_count": 4}, "`qwen2.expert_count` to be 0, but the file has 4"),
        (
            ("llama",),
            {"attention__sliding_window": 4096},
            "`llama.attention.sliding_window` to be 0, but the file has 4096",
        ),
        (
            ("qwen3",),
            {"rope__scaling__type": "yarn", "rope__scaling__yarn_ext_factor": 0.5},
            "`qwen3.rope.scaling.yarn_ext_factor` to be 1.0, .* 0.5",
        ),
        (("olmo2",), {"attention__head_count": 3}, "`olmo2.attention.head_count` .* 2, .* has 3"),
    ],
)
def test_what_gguf_files_ask_for_and_is_not_supported_is_named(arguments, changes, message):
    with pytest.raises(LoadError, match=message):
        read_gguf(*arguments, **changes)


def _read_mine(checkpoint):
    return llamalike_config(Settings(checkpoint.config, checkpoint.source))


def test_a_registered_family_is_loaded_saved_and_removed_again():
    own = Family("mine", ("mine",), _read_mine, LLAMA_ROWS, gguf_architectures=("mine",))
    models.register_family(own)
    try:
        assert family_named("mine") is own
        checkpoint = types.SimpleNamespace(
            config={}, source="a test", naming="huggingface", architecture="mine"
        )
        assert find_family(checkpoint) is own
        checkpoint.naming = "gguf"
        assert find_family(checkpoint) is own
        for taken, message in (
            (own, "the name `mine` belongs to `mine` already"),
            (dataclasses.replace(own, name="other"), "`mine` belongs to `mine` already. Choose"),
            (dataclasses.replace(own, name="llama"), "the name `llama` belongs to `llama`"),
            (dataclasses.replace(own, name="x", architectures=("phi3",)), "`phi3` belongs to"),
        ):
            with pytest.raises(ValueError, match=message):
                models.register_family(taken)
    finally:
        models.unregister_family("mine")
    with pytest.raises(LoadError, match=r"but a test has 'mine'. .*`models.register_family`"):
        find_family(checkpoint)
    with pytest.raises(ValueError, match=r"registered family \(there are none\), but got 'llama'"):
        models.unregister_family("llama")
    with pytest.raises(ValueError, match="name of a family .* but got 'mine'. Register the fam"):
        family_named("mine")


def test_what_is_registered_is_a_family():
    with pytest.raises(TypeError, match="Expected a `Family`, but got a `str`. Describe the"):
        models.register_family("llama")
