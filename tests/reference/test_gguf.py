"""GGUF files of every family that has them, against the models that they were made of.

Names of tensors come from the library of llama.cpp. What its converter does beside renaming is
done here once more: it turns, splits and shifts some tensors.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from modeldata import models, nx

pytestmark = pytest.mark.reference

VOCABULARY, LAYERS = 40, 3
TOKENS = np.array([3, 14, 1, 5, 9, 2, 6, 5, 35, 8, 9, 7])
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 20,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 1e4,
    "factor": 4.0,
    "original_max_position_embeddings": 16,
}
LONG = {
    "rope_type": "longrope",
    "rope_theta": 1e4,
    "factor": 8.0,
    "original_max_position_embeddings": 8,
    "short_factor": [1.0, 1.5],
    "long_factor": [2.0, 3.0],
}
LINEAR = {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}
PARTIAL = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
GEMMA2 = {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 4}
MODELS = {
    "llama": ("Llama", "llama", {"head_dim": 32, "rope_parameters": LLAMA3}),
    "llama, tied": (
        "Llama",
        "llama",
        {"tie_word_embeddings": True, "rope_parameters": LINEAR, "num_key_value_heads": 6},
    ),
    "mixtral": ("Mixtral", "llama", EXPERTS),
    "qwen2": ("Qwen2", "qwen2", {"rope_parameters": YARN}),
    "qwen3": ("Qwen3", "qwen3", {"head_dim": 8, "tie_word_embeddings": True}),
    "gemma": ("Gemma", "gemma", {"head_dim": 8, "num_key_value_heads": 1}),
    "gemma2": ("Gemma2", "gemma2", {**GEMMA2, "final_logit_softcapping": 3.0}),
    "gemma3": ("Gemma3Text", "gemma3", GEMMA2),
    "phi3": ("Phi3", "phi3", {"sliding_window": 4}),
    "phi3, long": (
        "Phi3",
        "phi3",
        {"rope_parameters": LONG, "original_max_position_embeddings": 8},
    ),
    "phi3, half of the features": (
        "Phi3",
        "phi3",
        {"rope_parameters": PARTIAL, "hidden_size": 48},
    ),
    "olmo2": ("Olmo2", "olmo2", {}),
    "gpt2": ("GPT2", "gpt2", None),
    "gpt-oss": ("GptOss", "gpt-oss", {"head_dim": 8, "sliding_window": 4, **EXPERTS}),
}


def random_model(transformers, torch, family, changes):
    settings = {**SIZES, **(changes or {})}
    if family == "GPT2":
        settings = {"vocab_size": VOCABULARY, "n_embd": 24, "n_layer": LAYERS, "n_head": 6}
        settings |= {"n_positions": 16}
    ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"))
    config = getattr(transformers, f"{family}Config")(
        **settings, **ids, attn_implementation="eager"
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def interleaved(values, heads):
    """Queries and keys of Llama: the halves of each head take turns."""
    rows = values.reshape(heads, 2, -1, *values.shape[1:])
    return rows.swapaxes(1, 2).reshape(values.shape)


def as_stored(config, name, values):
    """Names without endings, and values, as the converter of llama.cpp writes a tensor."""
    kind = config.model_type
    if ".experts." in name:
        start, _, rest = name.partition(".experts.")
        is_bias = rest.endswith("_bias")
        if kind == "gpt_oss" and not is_bias:
            values = values.swapaxes(1, 2)
        if not rest.startswith("gate_up_proj"):
            return {(f"{start}.experts.down_proj", ".bias" if is_bias else ".weight"): values}
        halves = np.split(values, 2, 1)
        if kind == "gpt_oss":
            halves = values[:, ::2], values[:, 1::2]
        parts = zip(("gate_proj", "up_proj"), halves, strict=True)
        ending = ".bias" if is_bias else ".weight"
        return {(f"{start}.experts.{part}", ending): half for part, half in parts}
    base, _, ending = name.rpartition(".")
    if name.endswith(".sinks"):
        return {(name, ".weight"): values}
    if kind in {"llama", "mixtral"} and base.endswith(("q_proj", "k_proj")):
        heads = "attention_heads" if base.endswith("q_proj") else "key_value_heads"
        values = interleaved(values, getattr(config, f"num_{heads}"))
    if kind.startswith("gemma") and base.endswith("norm"):
        values = values + 1
    if kind == "gpt2" and ".c_" in base and ending == "weight":
        values = values.T
    return {(base, f".{ending}"): values}


def small_tensors(config, model):
    """The factors of a rotary embedding that has some."""
    rope = config.rope_parameters if config.model_type != "gpt2" else {}
    if rope.get("rope_type") == "longrope":
        names = {"long": rope["long_factor"], "short": rope["short_factor"]}
        return {f"rope_factors_{k}.weight": np.array(v, np.float32) for k, v in names.items()}
    if rope.get("rope_type") == "llama3":
        found = model.model.rotary_emb.inv_freq.numpy()
        exponents = np.arange(len(found)) / len(found)
        return {"rope_freqs.weight": (rope["rope_theta"] ** -exponents / found).astype("f4")}
    return {}


def write_gguf(path, model, architecture):
    import gguf

    config = model.config
    numbers = gguf.MODEL_ARCH_NAMES
    kind = next(number for number, name in numbers.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, LAYERS)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("a test")
    for key, value in metadata(config).items():
        add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        if value is not None:
            add.get(type(value), writer.add_array)(f"{architecture}.{key}", value)
    tied = config.tie_word_embeddings
    state = model.state_dict().items()
    for name, tensor in state:
        if tied and name == "lm_head.weight":
            continue
        for (base, ending), values in as_stored(config, name, tensor.numpy()).items():
            stored = names.get_name(base)
            assert stored is not None, base
            writer.add_tensor(stored + ending, np.ascontiguousarray(values))
    for name, values in small_tensors(config, model).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def metadata(config):
    if config.model_type == "gpt2":
        return {
            "context_length": config.n_positions,
            "embedding_length": config.n_embd,
            "feed_forward_length": 4 * config.n_embd,
            "block_count": config.n_layer,
            "attention.head_count": config.n_head,
            "vocab_size": config.vocab_size,
            "attention.layer_norm_epsilon": config.layer_norm_epsilon,
        }
    rope = config.rope_parameters
    found = {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "block_count": config.num_hidden_layers,
        "attention.head_count": config.num_attention_heads,
        "vocab_size": config.vocab_size,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "expert_count": getattr(config, "num_local_experts", None),
        "expert_used_count": getattr(config, "num_experts_per_tok", None),
        "final_logit_softcapping": getattr(config, "final_logit_softcapping", None),
        "attn_logit_softcapping": getattr(config, "attn_logit_softcapping", None),
    }
    if getattr(config, "head_dim", None):
        found |= {
            "attention.key_length": config.head_dim,
            "attention.value_length": config.head_dim,
        }
    if config.model_type != "qwen2":
        found["attention.sliding_window"] = getattr(config, "sliding_window", None)
    if config.model_type == "gemma3_text":
        slides = [kind == "sliding_attention" for kind in config.layer_types]
        found["attention.sliding_window_pattern"] = slides
        found["rope.freq_base_swa"] = float(rope["sliding_attention"]["rope_theta"])
        rope = rope["full_attention"]
    found["rope.freq_base"] = float(rope["rope_theta"])
    if rope["rope_type"] in {"linear", "yarn"}:
        found["rope.scaling.type"] = rope["rope_type"]
        found["rope.scaling.factor"] = float(rope["factor"])
    if rope["rope_type"] in {"longrope", "yarn"}:
        length = rope["original_max_position_embeddings"]
        found["rope.scaling.original_context_length"] = length
    if "partial_rotary_factor" in rope:
        head_dim = config.hidden_size // config.num_attention_heads
        found["rope.dimension_count"] = int(head_dim * rope["partial_rotary_factor"])
    return found


def reference_logits(torch, model):
    with torch.no_grad():
        return model(torch.from_numpy(TOKENS)[None]).logits[0].numpy()


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", MODELS)
def test_gguf_files_give_the_logits_of_the_models_that_they_were_made_of(
    transformers, torch, name, tmp_path
):
    family, architecture, changes = MODELS[name]
    theirs = random_model(transformers, torch, family, changes)
    write_gguf(tmp_path / "a.gguf", theirs, architecture)
    expected = reference_logits(torch, theirs)
    ours = models.load(tmp_path / "a.gguf", progress=False)
    found = ours(nx.wrap(jnp.asarray(TOKENS), "seq")).unwrap("seq", "vocabulary")
    assert_close(found, expected)
    # And they are saved for transformers, which knows the family from then on.
    models.save(ours, tmp_path / "saved")
    again = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "saved", attn_implementation="eager"
    )
    assert type(again) is type(theirs)
    assert_close(reference_logits(torch, again), expected)


@pytest.mark.parametrize(
    ("family", "architecture", "changes"),
    # Of other files, transformers leaves out some settings.
    [("Llama", "llama", {}), ("Qwen2", "qwen2", {}), ("Qwen3", "qwen3", {"head_dim": 128})],
)
def test_gguf_files_are_read_as_transformers_reads_them(
    transformers, torch, family, architecture, changes, tmp_path
):
    made_of = random_model(transformers, torch, family, changes)
    write_gguf(tmp_path / "a.gguf", made_of, architecture)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="a.gguf", dtype=torch.float32, attn_implementation="eager"
    ).eval()
    ours = models.load(tmp_path / "a.gguf", progress=False)
    found = ours(nx.wrap(jnp.asarray(TOKENS), "seq")).unwrap("seq", "vocabulary")
    assert_close(found, reference_logits(torch, theirs))
