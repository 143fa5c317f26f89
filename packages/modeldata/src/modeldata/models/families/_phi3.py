"""Phi 3: queries, keys and values in one tensor, and both maps into the feed-forward part."""

from collections.abc import Mapping
from typing import Any

from modeldata.models.checkpoints import Checkpoint, Portion, Settings
from modeldata.models.families._gguf_settings import gguf_settings
from modeldata.models.families._llamalike import (
    LLAMA_ROWS,
    llamalike_config,
    window_everywhere,
)
from modeldata.models.families._rows import Row
from modeldata.models.transformer import LlamalikeTransformerConfig

_DEFAULTS = {
    "hidden_act": "silu",
    "max_position_embeddings": 4096,
    "original_max_position_embeddings": 4096,
    "rms_norm_eps": 1e-5,
}
_FUSED = "model.layers.{block}.self_attn.qkv_proj"
_GATE_UP = "model.layers.{block}.mlp.gate_up_proj"


def rows(config: LlamalikeTransformerConfig) -> dict[str, Row]:
    """Returns where the parts of a model are stored.

    Args:
        config: The settings of the model.
    """
    heads, kv_heads = config.query_head_multiplier * config.num_kv_heads, config.num_kv_heads
    query_axes = {**config.common_head_axes, **config.query_only_head_axes}

    def fused(axes: dict[str, int], start: int) -> Row:
        portion = Portion(axes, start, heads + 2 * kv_heads)
        return Row(_FUSED, ((portion, "projection"), "embedding"), "blk.{block}.attn_qkv")

    def half(index: int) -> Row:
        axes = ((Portion({}, index, 2), "neurons"), "embedding")
        return Row(_GATE_UP, axes, "blk.{block}.ffn_up")

    return {
        **LLAMA_ROWS,
        "attention/query": fused(query_axes, 0),
        "attention/key": fused(config.common_head_axes, heads),
        "attention/value": fused(config.common_head_axes, heads + kv_heads),
        "mlp/gating_linear": half(0),
        "mlp/value_linear": half(1),
    }


def read_phi3(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Phi 3.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(_with_present_names(checkpoint.config), checkpoint.source)
    settings = settings.with_defaults(_DEFAULTS)
    return llamalike_config(settings, attention_type=window_everywhere(settings))


def phi3_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of a Phi 3, as a `config.json`.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    keys = {
        "sliding_window": "attention.sliding_window",
        "original_max_position_embeddings": "rope.scaling.original_context_length",
    }
    return gguf_settings(checkpoint, keys, architectures=["Phi3ForCausalLM"], model_type="phi3")


def _with_present_names(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings, with the name that LongRoPE has now; the first models say `su` or `yarn`."""
    rope = config.get("rope_scaling")
    if not isinstance(rope, Mapping) or "long_factor" not in rope:
        return config
    return {**config, "rope_scaling": {**rope, "rope_type": "longrope"}}
