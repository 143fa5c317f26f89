"""Qwen 2 and 2.5, with biases, and Qwen 3, with norms of queries and keys."""

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._llamalike import llamalike_config, window_by_block
from modeldata.models.transformer import AttentionType, LlamalikeTransformerConfig

_DEFAULTS = {
    "hidden_act": "silu",
    "max_window_layers": 28,
    "rms_norm_eps": 1e-6,
    "use_sliding_window": False,
}


def read_qwen2(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Qwen 2 or 2.5.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_DEFAULTS)
    return llamalike_config(settings, use_qkv_bias=True, attention_type=_windows(settings))


def read_qwen3(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Qwen 3.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source)
    settings = settings.with_defaults({**_DEFAULTS, "head_dim": 128})
    has_bias = settings.flag("attention_bias", default=False)
    return llamalike_config(
        settings,
        use_qk_norm="head",
        use_qkv_bias=has_bias,
        use_output_bias=has_bias,
        attention_type=_windows(settings),
    )


def _windows(settings: Settings) -> tuple[AttentionType, ...]:
    blocks = settings.integer("num_hidden_layers")
    if not settings.flag("use_sliding_window"):
        names = settings.get("layer_types")
        if names is not None and set(names) != {"full_attention"}:
            raise settings.unsupported(
                "layer_types", "'full_attention' only while `use_sliding_window` is False"
            )
        return window_by_block(settings, blocks, [False])
    first = settings.get("max_window_layers")
    return window_by_block(settings, blocks, [block >= first for block in range(blocks)])
