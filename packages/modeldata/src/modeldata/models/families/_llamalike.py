"""What the families that descend from Llama share: settings under the same keys, and a table."""

from collections.abc import Iterable
from typing import Any

from modeldata.models.checkpoints import Settings
from modeldata.models.families._rope_settings import read_rope
from modeldata.models.families._rows import Row
from modeldata.models.transformer import (
    AttentionType,
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)

_BLOCK = "model.layers.{block}."
_INTO = ("neurons", "embedding")

# Names in GGUF files are those of llama.cpp.
LLAMA_ROWS = {
    "embedder": Row("model.embed_tokens", ("vocabulary", "embedding"), "token_embd"),
    "pre_attention_norm": Row(_BLOCK + "input_layernorm", ("embedding",), "blk.{block}.attn_norm"),
    "attention/query": Row(
        _BLOCK + "self_attn.q_proj", ("query projection", "embedding"), "blk.{block}.attn_q"
    ),
    "attention/key": Row(
        _BLOCK + "self_attn.k_proj", ("key projection", "embedding"), "blk.{block}.attn_k"
    ),
    "attention/value": Row(
        _BLOCK + "self_attn.v_proj", ("key projection", "embedding"), "blk.{block}.attn_v"
    ),
    "attention/output": Row(
        _BLOCK + "self_attn.o_proj", ("embedding", "query projection"), "blk.{block}.attn_output"
    ),
    "attention/query_norm": Row(
        _BLOCK + "self_attn.q_norm", ("projection",), "blk.{block}.attn_q_norm"
    ),
    "attention/key_norm": Row(
        _BLOCK + "self_attn.k_norm", ("projection",), "blk.{block}.attn_k_norm"
    ),
    "pre_ffw_norm": Row(
        _BLOCK + "post_attention_layernorm", ("embedding",), "blk.{block}.ffn_norm"
    ),
    "mlp/gating_linear": Row(_BLOCK + "mlp.gate_proj", _INTO, "blk.{block}.ffn_gate"),
    "mlp/value_linear": Row(_BLOCK + "mlp.up_proj", _INTO, "blk.{block}.ffn_up"),
    "mlp/out_linear": Row(
        _BLOCK + "mlp.down_proj", ("embedding", "neurons"), "blk.{block}.ffn_down"
    ),
    "final_norm": Row("model.norm", ("embedding",), "output_norm"),
    "lm_head": Row("lm_head", ("vocabulary", "embedding"), "output"),
}

_GATES = {
    "relu": "reglu",
    "silu": "swiglu",
    "swish": "swiglu",
    "gelu": "geglu_exact",
    "gelu_new": "geglu_approx",
    "gelu_pytorch_tanh": "geglu_approx",
}


def llamalike_config(settings: Settings, **values: Any) -> LlamalikeTransformerConfig:
    """Reads the settings that all families have.

    Args:
        settings: The settings, as Hugging Face calls them.
        **values: Fields of the config that the family decides, or reads from other keys.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    embedding_dim = settings.integer("hidden_size")
    heads = settings.integer("num_attention_heads")
    kv_heads = settings.integer("num_key_value_heads", heads)
    if heads % kv_heads:
        raise settings.unsupported(
            "num_attention_heads", f"a multiple of `num_key_value_heads`, {kv_heads}"
        )
    head_dim = settings.maybe_integer("head_dim")
    if head_dim is None and embedding_dim % heads:
        raise settings.unsupported(
            "hidden_size", f"a multiple of `num_attention_heads`, {heads}, without a `head_dim`"
        )
    head_dim = head_dim or embedding_dim // heads
    if "mlp_variant" not in values:
        values["mlp_variant"] = _GATES[settings.choice("hidden_act", _GATES)]
    rope = {} if "rope_wavelength" in values else read_rope(settings, head_dim)
    fields = {
        "num_kv_heads": kv_heads,
        "query_head_multiplier": heads // kv_heads,
        "embedding_dim": embedding_dim,
        "projection_dim": head_dim,
        "mlp_hidden_dim": settings.integer("intermediate_size"),
        "num_decoder_blocks": settings.integer("num_hidden_layers"),
        "vocab_size": settings.integer("vocab_size"),
        "tie_embedder_and_logits": settings.flag("tie_word_embeddings", default=False),
        "scale_embeddings": False,
        "rms_norm_eps": settings.number("rms_norm_eps"),
        **rope,
    }
    return LlamalikeTransformerConfig(**{**fields, **values})


def window_everywhere(settings: Settings) -> AttentionType:
    """Reads the kind of attention of models in which all blocks have the same.

    Args:
        settings: The settings, as Hugging Face calls them.
    """
    window = settings.maybe_integer("sliding_window")
    return (
        AttentionTypeGlobalCausal() if window is None else AttentionTypeSlidingWindowCausal(window)
    )


def window_by_block(
    settings: Settings, blocks: int, default: Iterable[bool]
) -> tuple[AttentionType, ...]:
    """Reads the kind of attention of each block.

    Args:
        settings: The settings, as Hugging Face calls them.
        blocks: The number of blocks.
        default: Whether each block has a sliding window, if the settings do not say. It may be the
            beginning of a cycle.
    """
    names = settings.get("layer_types")
    slides = list(default)
    if names is not None:
        kinds = {"sliding_attention", "full_attention"}
        if not isinstance(names, list) or len(names) != blocks or not set(names) <= kinds:
            raise settings.unsupported(
                "layer_types", f"{blocks} times 'sliding_attention' or 'full_attention'"
            )
        slides = [name == "sliding_attention" for name in names]
    if not any(slides):
        return (AttentionTypeGlobalCausal(),)
    local = AttentionTypeSlidingWindowCausal(settings.integer("sliding_window"))
    return tuple(local if slide else AttentionTypeGlobalCausal() for slide in slides)
