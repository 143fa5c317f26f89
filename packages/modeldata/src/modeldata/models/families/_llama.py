"""Llama 2, 3 and later, and Mistral, which differs in its windows."""

import dataclasses

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._llamalike import (
    LLAMA_ROWS,
    llamalike_config,
    window_everywhere,
)
from modeldata.models.families._rows import Row
from modeldata.models.transformer import LlamalikeTransformerConfig

# Configs of Hugging Face may leave out what equals the defaults of transformers.
_LLAMA_DEFAULTS = {"hidden_act": "silu", "rms_norm_eps": 1e-6}
_MISTRAL_DEFAULTS = {"hidden_act": "silu", "rms_norm_eps": 1e-6, "num_key_value_heads": 8}

# In GGUF files, pairs of features that are rotated together stand side by side.
ROWS: dict[str, Row] = {
    part: dataclasses.replace(row, is_paired_in_gguf=part in {"attention/query", "attention/key"})
    for part, row in LLAMA_ROWS.items()
}


def read_llama(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Llama.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_LLAMA_DEFAULTS)
    has_bias = settings.flag("attention_bias", default=False)
    return llamalike_config(
        settings,
        use_qkv_bias=has_bias,
        use_output_bias=has_bias,
        use_mlp_bias=settings.flag("mlp_bias", default=False),
    )


def read_mistral(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Mistral.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source)
    # The first Mistral had windows; a config that says nothing of them is of that time.
    if "sliding_window" not in checkpoint.config:
        settings = settings.with_defaults({"sliding_window": 4096})
    settings = settings.with_defaults(_MISTRAL_DEFAULTS)
    return llamalike_config(settings, attention_type=window_everywhere(settings))
