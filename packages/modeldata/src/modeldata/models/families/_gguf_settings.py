"""Settings of GGUF files under the names of Hugging Face, for families that descend from Llama."""

from typing import Any

from modeldata.models.checkpoints import Checkpoint, Settings


def huggingface_settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of its model, in the words of Hugging Face.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source, f"{checkpoint.architecture}.")
    size, heads = settings.integer("embedding_length"), settings.integer("attention.head_count")
    head_dim = settings.integer("attention.key_length", size // heads)
    settings.choice("attention.value_length", [head_dim], head_dim)
    settings.choice("rope.dimension_count", [head_dim], head_dim)
    settings.choice("expert_count", [0], 0)
    kind = settings.choice("rope.scaling.type", ["none", "linear"], "none")
    rope = {"rope_type": "default", "rope_theta": settings.number("rope.freq_base", 10_000.0)}
    if kind == "linear":
        rope |= {"rope_type": "linear", "factor": settings.number("rope.scaling.factor")}
    embeddings = checkpoint.tensors.get("token_embd.weight")
    return {
        "hidden_size": size,
        "num_attention_heads": heads,
        "num_key_value_heads": settings.integer("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "num_hidden_layers": settings.integer("block_count"),
        "intermediate_size": settings.integer("feed_forward_length"),
        "vocab_size": embeddings.shape[0] if embeddings and embeddings.shape else 1,
        "rms_norm_eps": settings.number("attention.layer_norm_rms_epsilon"),
        "hidden_act": "silu",
        "tie_word_embeddings": "output.weight" not in checkpoint.tensors,
        "rope_parameters": rope,
    }


def open_settings(checkpoint: Checkpoint) -> Settings:
    """Opens the settings of a checkpoint under the names of Hugging Face.

    Args:
        checkpoint: A GGUF file, or one with the settings of Hugging Face.

    Raises:
        LoadError: If it is a GGUF file and a setting is missing, damaged or not supported.
    """
    is_gguf = checkpoint.naming == "gguf"
    values = huggingface_settings(checkpoint) if is_gguf else checkpoint.config
    return Settings(values, checkpoint.source)
