"""Mixtures of experts: Mixtral and GPT-OSS."""

import dataclasses
from typing import Any

from modeldata.models.checkpoints import Checkpoint, Portion, Settings
from modeldata.models.families import _llama
from modeldata.models.families._gguf_settings import gguf_settings
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
_GGUF_EXPERTS = {
    "num_local_experts": "expert_count",
    "num_experts_per_tok": "expert_used_count",
}
_SPARSE = "model.layers.{block}.block_sparse_moe."
_MLP = "model.layers.{block}.mlp."
_INTO, _OUT_OF = ("neurons", "embedding"), ("embedding", "neurons")
_FIRST, _SECOND = Portion({}, 0, 2), Portion({}, 1, 2)


def _mixtral_expert(name: str, fused: Row, axes: tuple[str, str], gguf: str) -> Row:
    """Files have a tensor for each expert; models in memory and GGUF one for all of them."""
    together = Row(f"blk.{{block}}.{gguf}", ("experts", *axes))
    return Row(f"{_SPARSE}experts.{{experts}}.{name}", axes, together, others=(fused,))


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
    **_llama.ROWS,
    "mlp/router": Row(
        f"{_SPARSE}gate",
        ("experts", "embedding"),
        "blk.{block}.ffn_gate_inp",
        others=(Row(f"{_MLP}gate", ("experts", "embedding")),),
    ),
    "mlp/gating_linear": _mixtral_expert("w1", _IN_MEMORY["w1"], _INTO, "ffn_gate_exps"),
    "mlp/value_linear": _mixtral_expert("w3", _IN_MEMORY["w3"], _INTO, "ffn_up_exps"),
    "mlp/out_linear": _mixtral_expert("w2", _IN_MEMORY["w2"], _OUT_OF, "ffn_down_exps"),
}


def _gpt_oss_gguf(name: str, axes: tuple[str, str]) -> Row:
    return Row(f"blk.{{block}}.{name}", ("experts", *axes), bias_axes=("experts", axes[0]))


GPT_OSS_ROWS = {
    **LLAMA_ROWS,
    "pre_ffw_norm": dataclasses.replace(
        LLAMA_ROWS["pre_ffw_norm"], gguf="blk.{block}.post_attention_norm"
    ),
    "attention/sink": Row(
        "model.layers.{block}.self_attn.sinks",
        ("query",),
        Row("blk.{block}.attn_sinks", ("query",), endings=(".weight", ".weight")),
        endings=("", ""),
    ),
    "mlp/router": Row(f"{_MLP}router", ("experts", "embedding"), "blk.{block}.ffn_gate_inp"),
    # The gate and the value take turns.
    "mlp/gating_linear": Row(
        f"{_MLP}experts.gate_up_proj",
        ("experts", "embedding", ("neurons", _FIRST)),
        _gpt_oss_gguf("ffn_gate_exps", _INTO),
        bias_axes=("experts", ("neurons", _FIRST)),
        endings=_FUSED_ENDINGS,
    ),
    "mlp/value_linear": Row(
        f"{_MLP}experts.gate_up_proj",
        ("experts", "embedding", ("neurons", _SECOND)),
        _gpt_oss_gguf("ffn_up_exps", _INTO),
        bias_axes=("experts", ("neurons", _SECOND)),
        endings=_FUSED_ENDINGS,
    ),
    "mlp/out_linear": Row(
        f"{_MLP}experts.down_proj",
        ("experts", "neurons", "embedding"),
        _gpt_oss_gguf("ffn_down_exps", _OUT_OF),
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


def mixtral_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of a Mixtral, as a `config.json`.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    return gguf_settings(
        checkpoint, _GGUF_EXPERTS, architectures=["MixtralForCausalLM"], model_type="mixtral"
    )


def gpt_oss_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of a GPT-OSS, as a `config.json`.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    found = gguf_settings(
        checkpoint,
        {
            **_GGUF_EXPERTS,
            "sliding_window": "attention.sliding_window",
            # Some converters write only this of the two sizes.
            "intermediate_size": "expert_feed_forward_length",
        },
        architectures=["GptOssForCausalLM"],
        model_type="gpt_oss",
        attention_bias=True,
    )
    if found["rope_parameters"]["rope_type"] == "yarn":
        found["rope_parameters"]["truncate"] = False
    return found
