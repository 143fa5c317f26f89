import json

import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import models, nx
from modeldata.variables import unbind_params

pytestmark = pytest.mark.reference

CONFIGS = {
    "multi-query": {"num_attention_heads": 4, "num_key_value_heads": 1},
    "grouped": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "multi-head": {"num_attention_heads": 2, "num_key_value_heads": 2},
    "single-head": {"num_attention_heads": 1, "num_key_value_heads": 1},
    "own query scale": {"query_pre_attn_scalar": 21},
    "soft cap": {"final_logit_softcapping": 3.0},
    "short window": {"sliding_window": 3, "num_hidden_layers": 3},
    "one kind of layers": {"layer_types": ["full_attention"] * 7},
    "other order": {
        "layer_types": ["full_attention", "sliding_attention"] * 3 + ["sliding_attention"]
    },
    "large epsilon": {"rms_norm_eps": 0.1},
    "long wavelengths": {
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5},
            "sliding_attention": {"rope_type": "default", "rope_theta": 2e4},
        }
    },
    "untied": {"tie_word_embeddings": False},
}


@pytest.fixture(scope="module")
def transformers():
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def random_model(transformers, torch, changes):
    settings = {
        "vocab_size": 61,
        "hidden_size": 24,
        "intermediate_size": 40,
        "num_hidden_layers": 7,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "query_pre_attn_scalar": 8,
        "sliding_window": 5,
        "attn_implementation": "eager",
    }
    torch.manual_seed(0)
    config = transformers.Gemma3TextConfig(**{**settings, **changes})
    model = transformers.Gemma3ForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def texts(rows=2, length=13):
    return np.random.default_rng(0).integers(0, 61, (rows, length))


def reference_logits(torch, model, tokens):
    with torch.no_grad():
        return model(torch.from_numpy(tokens)).logits.numpy()


def logits_of(model, tokens):
    named = nx.wrap(jnp.asarray(tokens, jnp.int32), "batch", "seq")
    return np.asarray(model(named).unwrap("batch", "seq", "vocabulary"))


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_a_model_in_memory_gives_the_logits_of_transformers(transformers, torch, changes):
    reference = random_model(transformers, torch, changes)
    tokens = texts()
    found = logits_of(models.load(reference, progress=False), tokens)
    np.testing.assert_allclose(
        found, reference_logits(torch, reference, tokens), atol=2e-4, rtol=2e-4
    )


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_a_saved_folder_gives_the_logits_of_transformers(transformers, torch, changes, tmp_path):
    reference = random_model(transformers, torch, changes)
    reference.save_pretrained(tmp_path)
    tokens = texts()
    found = logits_of(models.load(tmp_path, progress=False), tokens)
    np.testing.assert_allclose(
        found, reference_logits(torch, reference, tokens), atol=2e-4, rtol=2e-4
    )


def test_a_folder_in_several_bfloat16_files_gives_the_same_parameters(
    transformers, torch, tmp_path
):
    reference = random_model(transformers, torch, {}).to(torch.bfloat16)
    reference.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    from_memory = unbind_params(models.load(reference, progress=False), freeze=True)[1]
    from_folder = unbind_params(models.load(tmp_path, progress=False), freeze=True)[1]
    for one, other in zip(from_memory, from_folder, strict=True):
        assert one.label == other.label
        np.testing.assert_array_equal(one.value.data_array, other.value.data_array)


def test_settings_written_before_version_5_are_understood(transformers, torch, tmp_path):
    reference = random_model(transformers, torch, {})
    reference.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text())
    del config["rope_parameters"], config["layer_types"]
    config |= {"rope_theta": 1e6, "rope_local_base_freq": 1e4, "sliding_window_pattern": 6}
    path.write_text(json.dumps(config))
    tokens = texts()
    found = logits_of(models.load(tmp_path, progress=False), tokens)
    np.testing.assert_allclose(
        found, reference_logits(torch, reference, tokens), atol=2e-4, rtol=2e-4
    )


def test_bfloat16_stays_near_the_reference_in_bfloat16(transformers, torch):
    reference = random_model(transformers, torch, {"num_hidden_layers": 2})
    tokens = texts()
    exact = reference_logits(torch, reference, tokens)
    with torch.no_grad():
        theirs = reference.to(torch.bfloat16)(torch.from_numpy(tokens)).logits.float().numpy()
    model = models.load(reference, dtype=jnp.bfloat16, progress=False)
    assert model.metadata.activation_dtype == jnp.bfloat16
    found = logits_of(model, tokens)
    assert found.dtype == jnp.bfloat16
    ours = np.abs(found.astype(np.float32) - exact).mean()
    assert ours < 2 * np.abs(theirs - exact).mean()


@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_greedy_continuations_are_those_of_transformers(transformers, torch, changes):
    reference = random_model(transformers, torch, changes)
    tokens = texts(length=9)
    with torch.no_grad():
        theirs = reference.generate(
            torch.from_numpy(tokens),
            attention_mask=torch.ones(tokens.shape, dtype=torch.long),
            do_sample=False,
            max_new_tokens=12,
            eos_token_id=60,
            pad_token_id=60,
        )[:, tokens.shape[1] :].tolist()
    model = models.load(reference, progress=False)
    ours = models.generate(model, tokens.tolist(), max_tokens=12, stop_tokens=[60])
    for mine, row in zip(ours, theirs, strict=True):
        assert mine == row[: len(mine)]
        assert set(row[len(mine) :]) <= {60}


def test_changing_a_loaded_model_leaves_the_source_alone(transformers, torch):
    reference = random_model(transformers, torch, {})
    tokens = texts()
    before = reference_logits(torch, reference, tokens)
    model = models.load(reference, progress=False)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.zero_()
    np.testing.assert_allclose(logits_of(model, tokens), before, atol=2e-4, rtol=2e-4)


def test_an_unsupported_option_is_named_with_its_value(transformers, torch):
    reference = random_model(transformers, torch, {"hidden_activation": "relu"})
    with pytest.raises(
        models.LoadError, match=r"`hidden_activation` .* 'gelu_pytorch_tanh', .* 'relu'"
    ):
        models.load(reference)
