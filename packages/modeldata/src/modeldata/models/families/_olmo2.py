"""OLMo 2: norms only after attention and feed-forward parts, and over all heads at once."""

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._llamalike import LLAMA_ROWS, llamalike_config
from modeldata.models.families._rows import Row
from modeldata.models.transformer import LlamalikeTransformerConfig

_DEFAULTS = {"hidden_act": "silu", "rms_norm_eps": 1e-5}
_BLOCK = "model.layers.{block}."

OLMO2_ROWS = {
    **LLAMA_ROWS,
    "attention/query_norm": Row(
        _BLOCK + "self_attn.q_norm", ("query projection",), "blk.{block}.attn_q_norm"
    ),
    "attention/key_norm": Row(
        _BLOCK + "self_attn.k_norm", ("key projection",), "blk.{block}.attn_k_norm"
    ),
    "post_attention_norm": Row(
        _BLOCK + "post_attention_layernorm", ("embedding",), "blk.{block}.post_attention_norm"
    ),
    "post_ffw_norm": Row(
        _BLOCK + "post_feedforward_layernorm", ("embedding",), "blk.{block}.post_ffw_norm"
    ),
}


def read_olmo2(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of an OLMo 2.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_DEFAULTS)
    has_bias = settings.flag("attention_bias", default=False)
    return llamalike_config(
        settings,
        use_pre_norms=False,
        use_post_attn_norm=True,
        use_post_ffw_norm=True,
        use_qk_norm="all",
        use_qkv_bias=has_bias,
        use_output_bias=has_bias,
    )
