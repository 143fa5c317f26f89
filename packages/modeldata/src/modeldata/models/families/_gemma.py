"""Gemma 1 and 2."""

import dataclasses
from typing import Any

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._gguf_settings import gguf_settings
from modeldata.models.families._llamalike import (
    LLAMA_ROWS,
    llamalike_config,
    window_by_block,
)
from modeldata.models.families._rows import Row
from modeldata.models.transformer import LlamalikeTransformerConfig

_GEMMA_DEFAULTS = {
    "attention_bias": False,
    "head_dim": 256,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
    "use_bidirectional_attention": False,
}
_GEMMA2_DEFAULTS = {
    **_GEMMA_DEFAULTS,
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
    "hidden_activation": "gelu_pytorch_tanh",
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
}
_BLOCK = "model.layers.{block}."


def _with_shifts(rows: dict[str, Row]) -> dict[str, Row]:
    """Norm scales are stored less one."""
    return {
        part: dataclasses.replace(row, shift=1.0) if part.endswith("norm") else row
        for part, row in rows.items()
    }


GEMMA_ROWS = _with_shifts(LLAMA_ROWS)
# With norms after attention and feed-forward parts as well.
POST_NORM_ROWS = _with_shifts(
    {
        **LLAMA_ROWS,
        "post_attention_norm": Row(
            _BLOCK + "post_attention_layernorm",
            ("embedding",),
            "blk.{block}.post_attention_norm",
        ),
        "pre_ffw_norm": Row(
            _BLOCK + "pre_feedforward_layernorm", ("embedding",), "blk.{block}.ffn_norm"
        ),
        "post_ffw_norm": Row(
            _BLOCK + "post_feedforward_layernorm", ("embedding",), "blk.{block}.post_ffw_norm"
        ),
    }
)


def read_gemma(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Gemma 1.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_GEMMA_DEFAULTS)
    settings.choice("attention_bias", [False])
    settings.choice("use_bidirectional_attention", [False])
    # The first configs say `gelu` and mean the approximation, as a later key says.
    key = "hidden_act" if settings.get("hidden_activation") is None else "hidden_activation"
    settings.choice(key, ["gelu_pytorch_tanh", "gelu"], "gelu")
    return llamalike_config(settings, mlp_variant="geglu_approx", scale_embeddings=True)


def read_gemma2(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Gemma 2.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source)
    # A cap may be None, which turns it off and is not the same as leaving it out.
    absent = {k: v for k, v in _GEMMA2_DEFAULTS.items() if k not in checkpoint.config}
    settings = settings.with_defaults(absent)
    settings.choice("attention_bias", [False], default=False)
    settings.choice("use_bidirectional_attention", [False], default=False)
    settings.choice("hidden_activation", ["gelu_pytorch_tanh"])
    blocks = settings.integer("num_hidden_layers")
    return llamalike_config(
        settings,
        mlp_variant="geglu_approx",
        scale_embeddings=True,
        use_post_attn_norm=True,
        use_post_ffw_norm=True,
        attention_type=window_by_block(settings, blocks, [True, False]),
        attn_logits_soft_cap=settings.maybe_number("attn_logit_softcapping"),
        final_logit_softcap=settings.maybe_number("final_logit_softcapping"),
        query_scaling_factor=settings.number("query_pre_attn_scalar") ** -0.5,
    )


def gemma2_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of a Gemma 2, as a `config.json`.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    keys = ("attn_logit_softcapping", "final_logit_softcapping")
    found = gguf_settings(
        checkpoint,
        {**{key: key for key in keys}, "sliding_window": "attention.sliding_window"},
        architectures=["Gemma2ForCausalLM"],
        model_type="gemma2",
        hidden_activation="gelu_pytorch_tanh",
    )
    # llama.cpp scales by the size of a head, but not in the largest model, known by its depth.
    is_largest = found["num_hidden_layers"] == 46
    scale = found["hidden_size"] // found["num_attention_heads"]
    return {**found, "query_pre_attn_scalar": scale if is_largest else found["head_dim"]}
