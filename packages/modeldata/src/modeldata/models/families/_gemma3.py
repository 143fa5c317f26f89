"""Gemma 3 (text)."""

from collections.abc import Iterable
from typing import Any

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._gguf_settings import gguf_settings
from modeldata.models.families._llamalike import llamalike_config
from modeldata.models.families._rope_settings import read_scaling
from modeldata.models.transformer import (
    AttentionType,
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)
from modeldata.nn import LinearScaling

_DEFAULT_PATTERN = 6
_SLIDING, _FULL = "sliding_attention", "full_attention"

# Configs of Hugging Face leave out what equals the defaults of Gemma3TextConfig in transformers.
_HUGGINGFACE_DEFAULTS = {
    "attention_bias": False,
    "head_dim": 256,
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_attention_heads": 8,
    "num_hidden_layers": 26,
    "num_key_value_heads": 4,
    "query_pre_attn_scalar": 256,
    "rms_norm_eps": 1e-6,
    "sliding_window": 4096,
    "tie_word_embeddings": True,
    "use_bidirectional_attention": False,
    "vocab_size": 262_208,
}
# All models have these alike, and GGUF files do not say so.
_CONSTANTS = {
    "architectures": ["Gemma3ForCausalLM"],
    "model_type": "gemma3_text",
    "attention_bias": False,
    "hidden_activation": "gelu_pytorch_tanh",
    "use_bidirectional_attention": False,
}
_GGUF_KEYS = {
    "final_logit_softcapping": "final_logit_softcapping",
    "sliding_window": "attention.sliding_window",
}


def read_gemma3(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Gemma 3.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source)
    settings = settings.with_defaults(_HUGGINGFACE_DEFAULTS)
    settings.choice("hidden_activation", ["gelu_pytorch_tanh"])
    settings.choice("attention_bias", [False])
    settings.choice("use_bidirectional_attention", [False])
    # There is an option `attn_logit_softcapping` as well, which transformers reads and never uses.
    return llamalike_config(
        settings,
        mlp_variant="geglu_approx",
        scale_embeddings=True,
        use_qk_norm=True,
        use_post_attn_norm=True,
        use_post_ffw_norm=True,
        attention_type=_pattern(settings, settings.integer("num_hidden_layers")),
        final_logit_softcap=settings.maybe_number("final_logit_softcapping"),
        query_scaling_factor=settings.number("query_pre_attn_scalar") ** -0.5,
        **_rope(settings),
    )


def gemma3_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of a Gemma 3, as a `config.json`.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source, "gemma3.")
    found = gguf_settings(checkpoint, _GGUF_KEYS, wavelength=1e6, **_CONSTANTS)
    local = {"rope_type": "default", "rope_theta": settings.number("rope.freq_base_swa", 1e4)}
    blocks = found["num_hidden_layers"]
    # llama.cpp scales by the size of a head, but not in the largest model, known by its depth.
    is_largest = blocks == 62
    return {
        **found,
        "query_pre_attn_scalar": found["hidden_size"] // found["num_attention_heads"]
        if is_largest
        else found["head_dim"],
        "sliding_window": settings.integer("attention.sliding_window"),
        "layer_types": [_SLIDING if slides else _FULL for slides in _gguf_slides(settings, blocks)],
        "rope_parameters": {_FULL: found["rope_parameters"], _SLIDING: local},
    }


def _rope(settings: Settings) -> dict[str, Any]:
    """Reads the rotary embedding as transformers writes it since version 5, or before."""
    if settings.get("rope_parameters") is None:
        given = settings.get("rope_scaling") is not None
        return {
            "rope_wavelength": settings.number("rope_theta", 1e6),
            "local_rope_wavelength": settings.number("rope_local_base_freq", 1e4),
            **(_scaling(settings, settings.part("rope_scaling")) if given else {}),
        }
    kinds = settings.part("rope_parameters")
    everywhere, local = kinds.part(_FULL), kinds.part(_SLIDING)
    local.choice("rope_type", ["default"], "default")
    return {
        "rope_wavelength": everywhere.number("rope_theta", 1e6),
        "local_rope_wavelength": local.number("rope_theta", 1e4),
        **_scaling(settings, everywhere),
    }


def _scaling(settings: Settings, rope: Settings) -> dict[str, Any]:
    """How angles are changed in blocks with global attention; by a factor, or in another way."""
    scaling = read_scaling(settings, rope)
    if isinstance(scaling, LinearScaling):
        return {"global_scale_factor": scaling.factor}
    return {"rope_scaling": scaling}


def _gguf_slides(settings: Settings, blocks: int) -> list[bool]:
    """Whether each block has a window."""
    key = "attention.sliding_window_pattern"
    pattern = settings.get(key, _DEFAULT_PATTERN)
    if isinstance(pattern, list):
        if len(pattern) != blocks:
            raise settings.unsupported(key, f"a period, or one value for each of {blocks} blocks")
        return pattern
    period = settings.integer(key, pattern)
    return [(block + 1) % period != 0 for block in range(blocks)]


def _pattern(settings: Settings, blocks: int) -> tuple[AttentionType, ...]:
    window = settings.integer("sliding_window")
    names = settings.get("layer_types")
    if names is None:
        older = settings.integer("_sliding_window_pattern", _DEFAULT_PATTERN)
        period = settings.integer("sliding_window_pattern", older)
        return _kinds(window, [True] * (period - 1) + [False])
    if len(names) != blocks or not set(names) <= {_SLIDING, _FULL}:
        raise settings.unsupported("layer_types", f"{blocks} times {_SLIDING!r} or {_FULL!r}")
    return _kinds(window, [name == _SLIDING for name in names])


def _kinds(window: int, slides: Iterable[bool]) -> tuple[AttentionType, ...]:
    local, everywhere = AttentionTypeSlidingWindowCausal(window), AttentionTypeGlobalCausal()
    return tuple(local if slide else everywhere for slide in slides)
