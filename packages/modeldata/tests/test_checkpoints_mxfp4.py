"""Weights of GPT-OSS in 4 bits."""

import json

import numpy as np
import pytest
import safetensors.numpy

import modeldata as md
from modeldata import models
from modeldata.models import LoadError

EXPERTS, SIZE, NEURONS = 2, 32, 32
CONFIG = {
    "model_type": "gpt_oss",
    "vocab_size": 10,
    "hidden_size": SIZE,
    "intermediate_size": NEURONS,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 4,
    "num_local_experts": EXPERTS,
    "num_experts_per_tok": 1,
    "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]},
}
LAYER = "model.layers.0."
GATE_UP, DOWN = f"{LAYER}mlp.experts.gate_up_proj", f"{LAYER}mlp.experts.down_proj"


def decoded(nibble):
    """A number of four bits by the rules of the format: sign, exponent less one, mantissa."""
    sign, exponent, mantissa = nibble >> 3, nibble >> 1 & 3, nibble & 1
    size = 2.0 ** (exponent - 1) * (1 + mantissa / 2) if exponent else mantissa / 2
    return -size if sign else size


def packed(random, rows, columns):
    """Blocks and scales, and the weight that they stand for, as transformers keeps it."""
    blocks = random.integers(0, 256, (EXPERTS, rows, columns // 32, 16), np.uint8)
    scales = random.integers(120, 130, (EXPERTS, rows, columns // 32), np.uint8)
    weight = np.zeros((EXPERTS, columns, rows), np.float32)
    for (expert, row, group, byte), value in np.ndenumerate(blocks):
        factor = 2.0 ** (int(scales[expert, row, group]) - 127)
        for half, nibble in enumerate((int(value) & 15, int(value) >> 4)):
            column = group * 32 + byte * 2 + half
            weight[expert, column, row] = decoded(nibble) * factor
    return blocks, scales, weight


@pytest.fixture
def folder(tmp_path):
    """A folder with weights in 4 bits, and these weights in full."""
    random = np.random.default_rng(0)
    shapes = {
        "model.embed_tokens.weight": (10, SIZE),
        "model.norm.weight": (SIZE,),
        "lm_head.weight": (10, SIZE),
        f"{LAYER}input_layernorm.weight": (SIZE,),
        f"{LAYER}post_attention_layernorm.weight": (SIZE,),
        f"{LAYER}self_attn.sinks": (2,),
        f"{LAYER}mlp.router.weight": (EXPERTS, SIZE),
        f"{LAYER}mlp.router.bias": (EXPERTS,),
        f"{GATE_UP}_bias": (EXPERTS, 2 * NEURONS),
        f"{DOWN}_bias": (EXPERTS, SIZE),
    }
    for part, rows, columns in (("q", 8, SIZE), ("k", 4, SIZE), ("v", 4, SIZE), ("o", SIZE, 8)):
        shapes |= {f"{LAYER}self_attn.{part}_proj.weight": (rows, columns)}
        shapes |= {f"{LAYER}self_attn.{part}_proj.bias": (rows,)}
    tensors = {k: random.normal(size=v).astype(np.float32) for k, v in shapes.items()}
    full = {}
    for name, rows, columns in ((GATE_UP, 2 * NEURONS, SIZE), (DOWN, SIZE, NEURONS)):
        tensors[f"{name}_blocks"], tensors[f"{name}_scales"], full[name] = packed(
            random, rows, columns
        )
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    safetensors.numpy.save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path, full


def test_weights_in_4_bits_are_expanded(folder):
    path, full = folder
    opened = models.open_checkpoint(path)
    for name, weight in full.items():
        assert opened.tensors[name].storage == "MXFP4"
        assert opened.tensors[name].stored_bytes == weight.size // 2 + weight.size // 32
        np.testing.assert_array_equal(opened.read(name), weight)
        assert opened.read(name, np.float64).dtype == np.float64
    assert not [name for name in opened.tensors if name.endswith(("_blocks", "_scales"))]


def test_a_model_in_4_bits_is_loaded_and_saved_in_full(folder, tmp_path):
    path, full = folder
    model = models.load(path, progress=False)
    values = {p.label: p.value for p in md.unbind_params(model, freeze=True)[1]}
    found = values["transformer/block_0/mlp/value_linear/Linear.weights"]
    np.testing.assert_array_equal(
        found.unwrap("experts", "embedding", "neurons"), full[GATE_UP][:, :, 1::2]
    )
    models.save(model, tmp_path / "saved")
    saved = safetensors.numpy.load_file(tmp_path / "saved" / "model.safetensors")
    for name, weight in full.items():
        np.testing.assert_array_equal(saved[name], weight)
    assert "quantization_config" not in json.loads((tmp_path / "saved/config.json").read_text())


def test_other_quantizations_and_damaged_blocks_are_refused(folder):
    path, _ = folder
    tensors = safetensors.numpy.load_file(path / "model.safetensors")
    tensors[f"{DOWN}_scales"] = tensors[f"{DOWN}_scales"][:, :1]
    safetensors.numpy.save_file(tensors, path / "model.safetensors")
    with pytest.raises(LoadError, match=r"in groups of 16 bytes, with a scale for each in .*damag"):
        models.load(path)
    config = {**CONFIG, "quantization_config": {"quant_method": "gptq"}}
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(LoadError, match="`quantization_config` to be absent, or with .* 'mxfp4'"):
        models.load(path)


@pytest.mark.reference
def test_weights_in_4_bits_are_those_of_transformers(folder):
    torch = pytest.importorskip("torch")
    mxfp4 = pytest.importorskip("transformers.integrations.mxfp4")
    path, full = folder
    tensors = safetensors.numpy.load_file(path / "model.safetensors")
    for name, weight in full.items():
        parts = (torch.from_numpy(tensors[f"{name}_{part}"]) for part in ("blocks", "scales"))
        expected = mxfp4.convert_moe_packed_tensors(*parts, dtype=torch.float32)
        np.testing.assert_array_equal(expected.numpy(), weight)
