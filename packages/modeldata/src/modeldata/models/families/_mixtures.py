"""Mixtures of experts: Mixtral and GPT-OSS."""

from modeldata.models.checkpoints import Checkpoint, Portion, Settings
from modeldata.models.families._llamalike import (
    LLAMA_ROWS,
    llamalike_config,
    window_by_block,
    window_everywhere,
)
from modeldata.models.families._rows import Row
from modeldata.models.transformer import LlamalikeTransformerConfig

_MIXTRAL_DEFAULTS = {
    "hidden_act": "silu",
    "num_experts_per_tok": 2,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "rms_norm_eps": 1e-5,
    "rope_theta": 1e6,
}
_GPT_OSS_DEFAULTS = {
    "attention_bias": True,
    "head_dim": 64,
    "hidden_act": "silu",
    "num_experts_per_tok": 4,
    "num_key_value_heads": 8,
    "num_local_experts": 128,
    "rms_norm_eps": 1e-5,
    "sliding_window": 128,
    "swiglu_alpha": 1.702,
    "swiglu_limit": 7.0,
}
_GPT_OSS_ROPE = {
    "rope_type": "yarn",
    "rope_theta": 150_000.0,
    "factor": 32.0,
    "beta_fast": 32.0,
    "beta_slow": 1.0,
    "truncate": False,
    "original_max_position_embeddings": 4096,
}
_SPARSE = "model.layers.{block}.block_sparse_moe."
_MLP = "model.layers.{block}.mlp."
_FIRST, _SECOND = Portion({}, 0, 2), Portion({}, 1, 2)


def _mixtral_expert(name: str, fused: Row, axes: tuple[str, str]) -> Row:
    """Files have a tensor for each expert; models in memory one for all of them."""
    return Row(f"{_SPARSE}experts.{{experts}}.{name}", axes, others=(fused,))


_FUSED_ENDINGS = ("", "_bias")
_IN_MEMORY = {
    part: Row(f"{_MLP}experts.{name}", axes, endings=_FUSED_ENDINGS)
    for part, name, axes in (
        ("w1", "gate_up_proj", ("experts", (_FIRST, "neurons"), "embedding")),
        ("w3", "gate_up_proj", ("experts", (_SECOND, "neurons"), "embedding")),
        ("w2", "down_proj", ("experts", "embedding", "neurons")),
    )
}
MIXTRAL_ROWS = {
    **LLAMA_ROWS,
    "mlp/router": Row(
        f"{_SPARSE}gate",
        ("experts", "embedding"),
        others=(Row(f"{_MLP}gate", ("experts", "embedding")),),
    ),
    "mlp/gating_linear": _mixtral_expert("w1", _IN_MEMORY["w1"], ("neurons", "embedding")),
    "mlp/value_linear": _mixtral_expert("w3", _IN_MEMORY["w3"], ("neurons", "embedding")),
    "mlp/out_linear": _mixtral_expert("w2", _IN_MEMORY["w2"], ("embedding", "neurons")),
}
GPT_OSS_ROWS = {
    **LLAMA_ROWS,
    "attention/sink": Row("model.layers.{block}.self_attn.sinks", ("query",), endings=("", "")),
    "mlp/router": Row(f"{_MLP}router", ("experts", "embedding")),
    # The gate and the value take turns.
    "mlp/gating_linear": Row(
        f"{_MLP}experts.gate_up_proj",
        ("experts", "embedding", ("neurons", _FIRST)),
        bias_axes=("experts", ("neurons", _FIRST)),
        endings=_FUSED_ENDINGS,
    ),
    "mlp/value_linear": Row(
        f"{_MLP}experts.gate_up_proj",
        ("experts", "embedding", ("neurons", _SECOND)),
        bias_axes=("experts", ("neurons", _SECOND)),
        endings=_FUSED_ENDINGS,
    ),
    "mlp/out_linear": Row(
        f"{_MLP}experts.down_proj",
        ("experts", "neurons", "embedding"),
        bias_axes=("experts", "embedding"),
        endings=_FUSED_ENDINGS,
    ),
}


def read_mixtral(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Mixtral.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_MIXTRAL_DEFAULTS)
    return llamalike_config(
        settings,
        attention_type=window_everywhere(settings),
        num_experts=settings.integer("num_local_experts"),
        num_experts_per_token=settings.integer("num_experts_per_tok"),
    )


def read_gpt_oss(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a GPT-OSS.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_GPT_OSS_DEFAULTS)
    if settings.get("rope_scaling") is None:
        settings = settings.with_defaults({"rope_parameters": _GPT_OSS_ROPE})
    settings.choice("hidden_act", ["silu"])
    settings.choice("swiglu_alpha", [1.702])
    settings.choice("swiglu_limit", [7.0])
    if settings.get("quantization_config") is not None:
        raise settings.unsupported(
            "quantization_config", "absent, or with the `quant_method` 'mxfp4' in a folder"
        )
    has_bias = settings.flag("attention_bias")
    blocks = settings.integer("num_hidden_layers")
    return llamalike_config(
        settings,
        mlp_variant="clamped_swiglu",
        attention_type=window_by_block(settings, blocks, [True, False]),
        use_attention_sinks=True,
        use_qkv_bias=has_bias,
        use_output_bias=has_bias,
        use_mlp_bias=True,
        use_router_bias=True,
        num_experts=settings.integer("num_local_experts"),
        num_experts_per_token=settings.integer("num_experts_per_tok"),
    )
