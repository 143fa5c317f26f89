"""Settings of GGUF files as a `config.json` has them, for families that descend from Llama.

llama.cpp has one set of keys for all models, with the architecture in front: the families say only
what is special about them. Some of a rotary embedding is not in the settings but in small tensors,
as a factor for each pair of features.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from modeldata.models.checkpoints import Checkpoint, LoadError, Settings
from modeldata.nn import Llama3Scaling

# What llama.cpp does not say of the scaling of Llama 3.1 and later, which all of them have alike.
_LLAMA3 = {
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
_FACTORS, _LONG, _SHORT = (
    f"rope_{name}.weight" for name in ("freqs", "factors_long", "factors_short")
)


def gguf_settings(
    checkpoint: Checkpoint,
    keys: Mapping[str, str] | None = None,
    *,
    wavelength: float = 10_000.0,
    **constants: Any,
) -> dict[str, Any]:
    """Returns what a GGUF file says of a model that descends from Llama, as a `config.json`.

    Args:
        checkpoint: The file.
        keys: More settings to read, if they are there: the key of Hugging Face, and the key of the
            file without the architecture in front.
        wavelength: The wavelength of the rotary embedding, if the file does not say.
        **constants: Settings that all models of the family have, and their names: `model_type` and
            `architectures`.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source, f"{checkpoint.architecture}.")
    keys = keys or {}
    size, heads = settings.integer("embedding_length"), settings.integer("attention.head_count")
    kv_heads = settings.integer("attention.head_count_kv", heads)
    if heads % kv_heads:
        raise settings.unsupported(
            "attention.head_count", f"a multiple of `attention.head_count_kv`, {kv_heads}"
        )
    head_dim = settings.integer("attention.key_length", size // heads)
    settings.choice("attention.value_length", [head_dim], head_dim)
    for key in {"expert_count", "attention.sliding_window"} - set(keys.values()):
        settings.choice(key, [0], 0)
    more = {"max_position_embeddings": "context_length", **keys}
    values = {name: settings.get(key) for name, key in more.items()}
    return {
        "hidden_size": size,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_dim,
        "num_hidden_layers": settings.integer("block_count"),
        "intermediate_size": settings.integer("feed_forward_length"),
        "rms_norm_eps": settings.number("attention.layer_norm_rms_epsilon"),
        "hidden_act": "silu",
        "tie_word_embeddings": "output.weight" not in checkpoint.tensors,
        "rope_parameters": _rope(settings, checkpoint, head_dim, wavelength),
        **vocabulary_settings(checkpoint),
        **{name: value for name, value in values.items() if value is not None},
        **constants,
    }


def vocabulary_settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of the vocabulary, as a `config.json`.

    Args:
        checkpoint: The file.
    """
    embeddings = checkpoint.tensors.get("token_embd.weight")
    names = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    return {
        "vocab_size": embeddings.shape[0] if embeddings and embeddings.shape else 1,
        # None says that there is none; without a word, transformers takes its own.
        **{k: checkpoint.config.get(f"tokenizer.ggml.{v}_token_id") for k, v in names.items()},
    }


def gguf_architecture(checkpoint: Checkpoint) -> str:
    """Returns what a GGUF file calls its architecture, but tells Mixtral from Llama.

    Args:
        checkpoint: The file.
    """
    has_experts = checkpoint.architecture == "llama" and checkpoint.config.get("llama.expert_count")
    return "mixtral" if has_experts else checkpoint.architecture


def _rope(
    settings: Settings, checkpoint: Checkpoint, head_dim: int, wavelength: float
) -> dict[str, Any]:
    rope: dict[str, Any] = {"rope_theta": settings.number("rope.freq_base", wavelength)}
    rotated = settings.integer("rope.dimension_count", head_dim)
    if rotated != head_dim:
        rope["partial_rotary_factor"] = rotated / head_dim
    kind = settings.choice("rope.scaling.type", ["none", "linear", "yarn", "longrope"], "none")
    if _LONG in checkpoint.tensors:
        return {**rope, **_long_factors(settings, checkpoint)}
    if _FACTORS in checkpoint.tensors:
        return {**rope, **_llama3_factors(checkpoint, rotated, rope["rope_theta"])}
    if kind == "longrope":
        raise settings.unsupported("rope.scaling.type", f"another, without a tensor `{_LONG}`")
    if kind == "linear":
        return {**rope, "rope_type": "linear", "factor": settings.number("rope.scaling.factor")}
    return {**rope, **(_yarn(settings) if kind == "yarn" else {"rope_type": "default"})}


def _yarn(settings: Settings) -> dict[str, Any]:
    settings.choice("rope.scaling.yarn_ext_factor", [1.0], 1.0)
    factor = settings.number("rope.scaling.factor")
    scale = settings.number("rope.scaling.attn_factor", 1.0)
    plain = 0.1 * math.log(factor) + 1 if factor > 1 else 1.0
    return {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": settings.integer(
            "rope.scaling.original_context_length"
        ),
        "beta_fast": settings.number("rope.scaling.yarn_beta_fast", 32.0),
        "beta_slow": settings.number("rope.scaling.yarn_beta_slow", 1.0),
        **({} if scale == 1 else {"attention_factor": scale * plain}),
    }


def _long_factors(settings: Settings, checkpoint: Checkpoint) -> dict[str, Any]:
    key = "rope.scaling.original_context_length"
    length, longest = settings.integer(key), settings.integer("context_length")
    given = settings.maybe_number("rope.scaling.attn_factor")
    return {
        "rope_type": "longrope",
        "factor": longest / length,
        "original_max_position_embeddings": length,
        "long_factor": checkpoint.read(_LONG).astype(float).tolist(),
        "short_factor": checkpoint.read(_SHORT).astype(float).tolist(),
        **({} if given is None else {"attention_factor": given}),
    }


def _llama3_factors(checkpoint: Checkpoint, rotated: int, wavelength: float) -> dict[str, Any]:
    """The settings that make the factors by which a file divides frequencies."""
    factors = checkpoint.read(_FACTORS)
    factor = round(float(factors.max()), 4)
    if np.all(factors == 1):
        return {"rope_type": "default"}
    scaling = Llama3Scaling(factor, *_LLAMA3.values())
    plain = Llama3Scaling(1.0, *_LLAMA3.values())
    if factors.shape == (rotated // 2,) and np.allclose(
        factors,
        plain.frequencies(rotated, wavelength) / scaling.frequencies(rotated, wavelength),
        rtol=1e-4,
    ):
        return {"rope_type": "llama3", "factor": factor, **_LLAMA3}
    raise LoadError(
        f"Expected the tensor `{_FACTORS}` to hold the factors of Llama 3, but {checkpoint.source} "
        f"has others, from {factors.min()} to {factors.max()}, which are not supported. Load the "
        "model from a Hugging Face folder."
    )
