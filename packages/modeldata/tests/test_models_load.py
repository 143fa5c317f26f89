import json
import sys
import types

import gguf
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

import modeldata as md
from modeldata import models, nx
from modeldata.models import LoadError
from modeldata.models.families import family_named
from modeldata.models.transformer import (
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)

GLOBAL, LOCAL = AttentionTypeGlobalCausal(), AttentionTypeSlidingWindowCausal(7)
CONFIG = LlamalikeTransformerConfig(
    num_kv_heads=2,
    query_head_multiplier=2,
    embedding_dim=12,
    projection_dim=4,
    mlp_hidden_dim=16,
    num_decoder_blocks=2,
    vocab_size=19,
    mlp_variant="geglu_approx",
    tie_embedder_and_logits=True,
    use_qk_norm=True,
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
)
GGUF_SETTINGS = {
    "context_length": 64,
    "embedding_length": 12,
    "block_count": 2,
    "feed_forward_length": 16,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "attention.key_length": 4,
    "attention.value_length": 4,
    "attention.layer_norm_rms_epsilon": 1e-5,
    "attention.sliding_window": 7,
    "rope.freq_base": 5e5,
}
FOLDER_SETTINGS = {
    "model_type": "gemma3_text",
    "vocab_size": 19,
    "hidden_size": 12,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 4,
    "query_pre_attn_scalar": 9,
    "sliding_window": 7,
    "layer_types": ["full_attention", "sliding_attention"],
    "rope_parameters": {
        "full_attention": {"rope_type": "default", "rope_theta": 5e5},
        "sliding_attention": {"rope_type": "default", "rope_theta": 2e4},
    },
}


def weight_rules(config):
    family = family_named("gemma3")
    return family.weight_rules(config, family.build_slots(config))


def some_tensors(naming, config=CONFIG):
    draw = np.random.default_rng(0)
    return {
        place.name: draw.normal(size=place.stored_shape).astype(np.float32)
        for place in (rule.place_for(naming) for rule in weight_rules(config))
    }


def write_gguf(path, tensors=None, architecture="gemma3", **changes):
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in {**GGUF_SETTINGS, **changes}.items():
        name = f"gemma3.{key}"
        if isinstance(value, list):
            writer.add_array(name, value)
        elif isinstance(value, str):
            writer.add_string(name, value)
        elif isinstance(value, float):
            writer.add_float32(name, value)
        elif value is not None:
            writer.add_uint32(name, value)
    for name, values in (some_tensors("gguf") if tensors is None else tensors).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_folder(path, tensors=None, **changes):
    settings = {**FOLDER_SETTINGS, **changes}
    (path / "config.json").write_text(json.dumps(settings))
    tensors = some_tensors("huggingface") if tensors is None else tensors
    safetensors.numpy.save_file(tensors, path / "model.safetensors")
    return path


def parameters(model):
    return {p.label: p.value for p in md.unbind_params(model)[1]}


def attention_types(model):
    masks = md.select(model).at_subtrees_where(
        lambda node: isinstance(
            node, md.nn.ApplyCausalAttentionMask | md.nn.ApplyCausalSlidingWindowAttentionMask
        )
    )
    return [getattr(mask, "sliding_window_size", None) for mask in masks.get_sequence()]


def test_a_gguf_file_becomes_parameters_with_named_axes(tmp_path):
    stored = some_tensors("gguf")
    found = parameters(models.load(write_gguf(tmp_path / "a.gguf"), progress=False))
    assert len(found) == 2 * 13 + 2
    table = found["transformer/embedder.embeddings"].unwrap("vocabulary", "embedding")
    np.testing.assert_array_equal(table, stored["token_embd.weight"])
    query = found["transformer/block_1/attention/query.weights"]
    np.testing.assert_array_equal(
        query.unwrap("head_groups", "query_heads", "projection", "embedding"),
        stored["blk.1.attn_q.weight"].reshape(2, 2, 4, 12),
    )
    scale = found["transformer/block_0/pre_ffw_norm/scale.weights"].unwrap("embedding")
    np.testing.assert_array_equal(scale, stored["blk.0.ffn_norm.weight"])


def test_a_folder_becomes_the_same_parameters_but_for_scales_that_lack_one(tmp_path):
    stored = some_tensors("huggingface")
    found = parameters(models.load(write_folder(tmp_path), progress=False))
    output = found["transformer/block_0/attention/output.weights"]
    np.testing.assert_array_equal(
        output.unwrap("embedding", "head_groups", "query_heads", "projection"),
        stored["model.layers.0.self_attn.o_proj.weight"].reshape(12, 2, 2, 4),
    )
    scale = found["transformer/final_norm/scale.weights"].unwrap("embedding")
    np.testing.assert_array_equal(scale, stored["model.norm.weight"] + np.float32(1))


def test_settings_of_a_gguf_file_reach_the_layers(tmp_path):
    model = models.load(write_gguf(tmp_path / "a.gguf"), progress=False)
    assert attention_types(model) == [7, 7]
    ropes = md.select(model).at_instances_of(md.nn.ApplyRoPE).get_sequence()
    assert {rope.max_wavelength for rope in ropes} == {10_000.0}
    norm = md.select(model).at_instances_of(md.nn.RMSStandardize).pick_nth_selected(0).get()
    assert norm.epsilon == pytest.approx(1e-5)
    changes = {"attention.sliding_window_pattern": [False, True], "rope.freq_base_swa": 3e4}
    scaled = {"rope.scaling.type": "linear", "rope.scaling.factor": 8.0}
    model = models.load(write_gguf(tmp_path / "b.gguf", **changes, **scaled), progress=False)
    assert attention_types(model) == [None, 7]
    first, last = (
        md.select(model).at_instances_of(md.nn.ApplyRoPE).pick_nth_selected(n).get() for n in (0, 3)
    )
    assert (first.max_wavelength, first.scale_factor) == (5e5, 8.0)
    assert (last.max_wavelength, last.scale_factor) == (3e4, 1.0)


def test_a_pattern_may_be_a_period(tmp_path):
    changes = {"attention.sliding_window_pattern": 2}
    model = models.load(write_gguf(tmp_path / "a.gguf", **changes), progress=False)
    assert attention_types(model) == [7, None]


def test_a_gguf_file_with_a_head_of_its_own_is_not_tied(tmp_path):
    head = np.ones((19, 12), np.float32)
    path = write_gguf(tmp_path / "a.gguf", {**some_tensors("gguf"), "output.weight": head})
    found = parameters(models.load(path, progress=False))
    np.testing.assert_array_equal(
        found["transformer/lm_head.weights"].unwrap("vocabulary", "embedding"), head
    )


def test_parameters_have_the_type_that_is_asked_for(tmp_path):
    model = models.load(write_gguf(tmp_path / "a.gguf"), dtype=jnp.bfloat16, progress=False)
    assert {value.dtype for value in parameters(model).values()} == {jnp.dtype(jnp.bfloat16)}
    assert model.metadata.activation_dtype == jnp.bfloat16


def test_a_loaded_model_runs(tmp_path):
    model = models.load(write_folder(tmp_path), progress=False)
    logits = model(nx.wrap(jnp.arange(5), "seq"))
    assert logits.named_shape == {"seq": 5, "vocabulary": 19}
    assert np.isfinite(logits.data_array).all()


def test_a_head_that_repeats_the_embeddings_is_left_out(tmp_path):
    tensors = some_tensors("huggingface")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    assert len(parameters(models.load(write_folder(tmp_path, tensors), progress=False))) == 28


def test_text_settings_may_be_nested(tmp_path):
    nested = {key: value for key, value in FOLDER_SETTINGS.items() if key != "model_type"}
    write_folder(tmp_path)
    config = {"model_type": "gemma3", "text_config": nested}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert len(parameters(models.load(tmp_path, progress=False))) == 28


@pytest.mark.parametrize("prefix", ["language_model.model.", "model.language_model."])
def test_of_a_model_for_images_too_the_language_model_is_loaded(tmp_path, prefix):
    tensors = some_tensors("huggingface")
    whole = {name.replace("model.", prefix, 1): value for name, value in tensors.items()}
    whole["vision_tower.post_layernorm.weight"] = np.ones(3, np.float32)
    whole["model.multi_modal_projector.mm_soft_emb_norm.weight"] = np.ones(3, np.float32)
    for name, weights in {"plain": tensors, "whole": whole}.items():
        (tmp_path / name).mkdir()
        write_folder(tmp_path / name, weights)
    config = {"model_type": "gemma3", "text_config": FOLDER_SETTINGS}
    (tmp_path / "whole" / "config.json").write_text(json.dumps(config))
    plain, found = (models.load(tmp_path / name, progress=False) for name in ("plain", "whole"))
    expected = parameters(plain)
    assert parameters(found).keys() == expected.keys()
    for label, value in parameters(found).items():
        assert np.array_equal(value.data_array, expected[label].data_array)
    models.save(found, tmp_path / "text")
    saved = json.loads((tmp_path / "text" / "config.json").read_text())
    assert saved["model_type"] == FOLDER_SETTINGS["model_type"]


def test_progress_is_shown_if_it_is_wanted(tmp_path, capsys):
    path = write_gguf(tmp_path / "a.gguf")
    models.load(path, progress=False)
    assert capsys.readouterr().err == ""
    models.load(path)
    assert "Loading: 100%" in capsys.readouterr().err


def test_without_tqdm_a_model_loads_without_a_bar(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    models.load(write_folder(tmp_path))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"embedding_length": None},
            "setting `gemma3.embedding_length` in the GGUF file .* has none",
        ),
        (
            {"block_count": 0},
            "`gemma3.block_count` to be a whole number of at least 1, but .* has 0",
        ),
        ({"block_count": 1.5}, "`gemma3.block_count` to be a whole number .* has 1.5"),
        ({"rope.freq_base": 0.0}, "`gemma3.rope.freq_base` to be a number above 0, .* has 0.0"),
        (
            {"rope.scaling.type": "mystery"},
            "`gemma3.rope.scaling.type` to be 'none' or 'linear' or .* 'mystery'",
        ),
        ({"attention.value_length": 5}, "`gemma3.attention.value_length` to be 4, but .* has 5"),
        (
            {"attention.head_count": 3},
            "`gemma3.attention.head_count` .* a multiple of .*, 2, .* has 3",
        ),
        (
            {"attention.sliding_window_pattern": [True]},
            r"a period, or one value for each of 2 blocks, but .* has \[True\]",
        ),
    ],
)
def test_settings_of_a_gguf_file_that_are_missing_or_unsupported_are_named(
    tmp_path, changes, message
):
    path = write_gguf(tmp_path / "a.gguf", **changes)
    with pytest.raises(LoadError, match=message):
        models.load(path, progress=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_activation": "relu"}, "`hidden_activation` to be 'gelu_pytorch_tanh', .* 'relu'"),
        ({"attention_bias": True}, "`attention_bias` to be False, but .* has True; other values"),
        ({"use_bidirectional_attention": True}, "`use_bidirectional_attention` to be False"),
        ({"layer_types": ["full_attention"]}, "`layer_types` to be 2 times 'sliding_attention' or"),
        ({"rope_parameters": 3}, "`rope_parameters` to be a group of settings, .* has 3"),
        (
            {"rope_parameters": None, "rope_scaling": {"rope_type": "mystery", "factor": 2}},
            "`rope_type` to be 'default' or .* `rope_scaling` of the Hugging Face .* has 'mystery'",
        ),
        ({"head_dim": "4"}, "`head_dim` to be a whole number of at least 1, but .* has '4'"),
    ],
)
def test_settings_of_a_folder_that_are_unsupported_are_named(tmp_path, changes, message):
    with pytest.raises(LoadError, match=message):
        models.load(write_folder(tmp_path, **changes), progress=False)


def test_tensors_that_do_not_fit_are_named_before_anything_is_read(tmp_path):
    tensors = some_tensors("gguf")
    name = "blk.0.ffn_up.weight"
    path = tmp_path / "a.gguf"
    missing = {key: value for key, value in tensors.items() if key != name}
    with pytest.raises(LoadError, match="Expected 28 tensors, but .* has none named `blk.0.ffn_up"):
        models.load(write_gguf(path, missing), progress=False)
    with pytest.raises(LoadError, match=r"also has `other.0`, `other.1`, `other.2` and 1 more"):
        surplus = {f"other.{n}": np.zeros(1, np.float32) for n in range(4)}
        models.load(write_gguf(path, {**tensors, **surplus}), progress=False)
    with pytest.raises(
        LoadError, match=r"`blk.0.ffn_up.weight` .* \(16, 12\) .* it has \(12, 16\)"
    ):
        turned = {**tensors, name: np.ascontiguousarray(tensors[name].T)}
        models.load(write_gguf(path, turned), progress=False)


def test_an_unknown_architecture_is_named(tmp_path):
    with pytest.raises(LoadError, match=r"'gpt2'\), but the GGUF .* 'mamba'"):
        models.load(write_gguf(tmp_path / "a.gguf", {}, "mamba"), progress=False)
    with pytest.raises(LoadError, match="but the Hugging Face folder .* has 't5'"):
        models.load(write_folder(tmp_path, model_type="t5"), progress=False)


@pytest.mark.parametrize("load", [models.load, models.load_tokenizer])
def test_what_is_no_checkpoint_is_refused(tmp_path, load):
    with pytest.raises(LoadError, match=r"at `.*nothing.gguf`, but there is nothing. Check"):
        load(tmp_path / "nothing.gguf")
    with pytest.raises(LoadError, match="but got a `int`. Pass the path"):
        load(3)
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(LoadError, match=r"starts with b''"):
        load(str(tmp_path / "empty.gguf"))
    with pytest.raises(LoadError, match=r"the file `(config|tokenizer)\.json` in the Hugging Face"):
        load(tmp_path)


def test_a_model_of_transformers_has_no_tokenizer():
    model = types.SimpleNamespace(state_dict=dict, config=types.SimpleNamespace(to_dict=dict))
    with pytest.raises(LoadError, match="got a transformers model, which has none"):
        models.load_tokenizer(model)


def test_an_unsuitable_type_is_refused(tmp_path):
    with pytest.raises(TypeError, match="`dtype` to be a floating type .* but got `int32`"):
        models.load(tmp_path, dtype=jnp.int32)


def test_a_damaged_folder_is_told_in_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(FOLDER_SETTINGS))
    with pytest.raises(LoadError, match=r"Expected `model.safetensors` or .* which has neither"):
        models.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(LoadError, match=r"safetensors file .* is damaged or cut off"):
        models.load(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"x": "part.safetensors"}}')
    with pytest.raises(LoadError, match=r"the file `part.safetensors` that the index names"):
        models.load(tmp_path)
    index.write_text("{}")
    with pytest.raises(LoadError, match=r"Expected a `weight_map` in"):
        models.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(LoadError, match=r"config.json` is damaged: Expecting property name"):
        models.load(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(LoadError, match="Expected a JSON object in .* but it holds a list"):
        models.load(tmp_path)


def test_tensors_of_other_checkpoints_that_are_unknown_are_named(tmp_path):
    folder = models.open_checkpoint(write_folder(tmp_path))
    model = models.open_checkpoint(
        types.SimpleNamespace(state_dict=dict, config=types.SimpleNamespace(to_dict=dict))
    )
    for checkpoint in (folder, model):
        with pytest.raises(LoadError, match="Expected a tensor `x` in the"):
            checkpoint.read("x")


def test_without_safetensors_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    write_folder(tmp_path)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(LoadError, match=r"needs the package `safetensors`.*'modeldata\[hf\]'"):
        models.load(tmp_path)


@pytest.mark.parametrize("naming", ["gguf", "huggingface"])
@pytest.mark.parametrize("tied", [True, False])
def test_writing_a_parameter_is_the_inverse_of_reading_it(naming, tied):
    config = LlamalikeTransformerConfig(**{**vars(CONFIG), "tie_embedder_and_logits": tied})
    for rule in weight_rules(config):
        place = rule.place_for(naming)
        stored = np.random.default_rng(0).normal(size=place.stored_shape)
        checkpoint = types.SimpleNamespace(
            naming=naming, read=lambda *_, s=stored: s.copy(), tensors=[place.name]
        )
        values = rule.read(checkpoint, np.float64)
        assert values.shape == tuple(rule.named_shape.values())
        written = np.zeros_like(stored)
        place.write(values, lambda _, written=written: written)
        np.testing.assert_allclose(written, stored, atol=1e-12)


def test_every_tensor_and_every_label_occurs_once():
    rules = weight_rules(CONFIG)
    stored = [[r.place_for(naming).name for r in rules] for naming in ("gguf", "huggingface")]
    for names in ([r.label for r in rules], *stored):
        assert len(set(names)) == len(rules)


def test_a_gguf_file_is_saved_as_a_folder_of_the_same_model(tmp_path):
    changes = {"rope.scaling.type": "linear", "rope.scaling.factor": 8.0}
    file = write_gguf(tmp_path / "a.gguf", **changes)
    original = models.load(file, progress=False)
    models.save(original, tmp_path / "folder")
    again = models.load(tmp_path / "folder", progress=False)
    for label, value in parameters(original).items():
        np.testing.assert_allclose(parameters(again)[label].data_array, value.data_array, atol=2e-7)
    before, after = (model.metadata.origin.config for model in (original, again))
    for field in ("rope_wavelength", "local_rope_wavelength", "global_scale_factor", "query_scale"):
        assert getattr(after, field) == pytest.approx(getattr(before, field)), field
    kinds = [[c.block_attention_type(i) for i in range(2)] for c in (before, after)]
    assert kinds[0] == kinds[1]
    settings = json.loads((tmp_path / "folder" / "config.json").read_text())
    assert repr(settings["query_pre_attn_scalar"]) == "4"  # transformers refuses 4.0
