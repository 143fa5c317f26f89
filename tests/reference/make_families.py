"""Makes the reference numbers of one small model for each family: what transformers says of it.

    python tests/reference/make_families.py

needs torch and transformers, and writes `families.json` beside this script. For each family it
holds the `config`, the shapes of all `tensors` as they are stored in files, the `tokens` of a text,
and the `output` for some of them in float32: logits, or for BERT
embeddings. Weights are not stored: they follow from the names
and shapes of tensors by `weights_of`.
"""

import json
import math
import tempfile
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TOKENS = [3, 14, 1, 5, 9, 2, 6, 5, 35, 8, 9, 7]
POSITIONS = [0, 6, 11]

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 1e4,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
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
    "factor": 4.0,
    "original_max_position_embeddings": 8,
    "short_factor": [1.0, 1.5],
    "long_factor": [2.0, 3.0],
}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
MODELS = {
    "llama": ("Llama", {"rope_parameters": LLAMA3, "attention_bias": True}),
    "mistral": ("Mistral", {"sliding_window": 5}),
    "mixtral": ("Mixtral", EXPERTS),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 8, "rope_parameters": YARN}),
    "gemma": ("Gemma", {"head_dim": 8, "num_key_value_heads": 1}),
    "gemma2": ("Gemma2", {"head_dim": 8, "query_pre_attn_scalar": 10, "sliding_window": 4}),
    "gemma3": ("Gemma3Text", {"head_dim": 8, "query_pre_attn_scalar": 10, "sliding_window": 4}),
    "phi3": ("Phi3", {"rope_parameters": LONG, "max_position_embeddings": 32}),
    "olmo2": ("Olmo2", {}),
    "gpt_oss": ("GptOss", {"head_dim": 8, "sliding_window": 4, **EXPERTS}),
    "gpt_neox": ("GPTNeoX", {"hidden_size": 32, "num_key_value_heads": None}),
    "gpt2": ("GPT2", None),
    "bert": ("Bert", {"num_key_value_heads": None, "max_position_embeddings": 16}),
}


def weights_of(name: str, shape: list[int]) -> np.ndarray:
    """Returns the weights of a tensor: a wave that begins where the name says."""
    phase = zlib.crc32(name.encode()) % 1000
    wave = np.sin(0.7 * np.arange(math.prod(shape), dtype=np.float64) ** 1.1 + phase)
    return (0.4 * wave).astype(np.float32).reshape(shape)


def main() -> None:
    """Writes the file."""
    import torch
    import transformers

    lines = []
    for name, (family, changes) in MODELS.items():
        settings = {**SIZES, **(changes or {})}
        if family == "GPT2":
            settings = {
                "vocab_size": 40,
                "n_embd": 16,
                "n_layer": 2,
                "n_head": 4,
                "n_positions": 16,
            }
        if settings.get("num_key_value_heads", 0) is None:
            del settings["num_key_value_heads"]
        ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"))
        config = getattr(transformers, f"{family}Config")(**settings, **ids)
        record = reference(torch, transformers, config)
        lines.append(f"{json.dumps(name)}: {json.dumps(record)}")
    (HERE / "families.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def reference(torch, transformers, config) -> dict:
    """Returns the record of one model."""
    from safetensors.torch import load_file, save_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        is_encoder = config.model_type == "bert"
        auto = transformers.AutoModel if is_encoder else transformers.AutoModelForCausalLM
        auto.from_config(config).save_pretrained(folder)
        shapes = {name: list(tensor.shape) for name, tensor in load_file(path).items()}
        weights = {name: torch.from_numpy(weights_of(name, s)) for name, s in shapes.items()}
        save_file(weights, path, metadata={"format": "pt"})
        model = auto.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager"
        ).eval()
        stored_config = json.loads((Path(folder) / "config.json").read_text())
    with torch.no_grad():
        found = model(torch.tensor([TOKENS]))
    output = found.last_hidden_state if is_encoder else found.logits
    rows = output[0, POSITIONS].double().tolist()
    rounded = [[float(f"{value:.7g}") for value in row] for row in rows]
    return {"config": stored_config, "tensors": shapes, "tokens": TOKENS, "output": rounded}


if __name__ == "__main__":
    main()
