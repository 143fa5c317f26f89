"""Gemma 3 (text)."""

import math
from collections.abc import Iterable
from typing import Any

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._rope_settings import read_scaling
from modeldata.models.transformer import (
    AttentionType,
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)
from modeldata.nn import LinearScaling

_DEFAULT_PATTERN = 6
_DEFAULT_LOCAL_WAVELENGTH = 10_000.0

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


def read_gemma3(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    """Reads the settings of a Gemma 3.

    Args:
        checkpoint: A GGUF file, or one with the settings of Hugging Face.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    read = _config_from_gguf if checkpoint.naming == "gguf" else _config_from_huggingface
    return read(checkpoint)


def huggingface_config(config: LlamalikeTransformerConfig) -> dict[str, Any]:
    """Returns the `config.json` of a model.

    Args:
        config: The settings of the model.
    """
    kinds = [config.block_attention_type(i) for i in range(config.num_decoder_blocks)]
    windows = [
        kind.window_size for kind in kinds if isinstance(kind, AttentionTypeSlidingWindowCausal)
    ]
    everywhere = {"rope_type": "default", "rope_theta": config.rope_wavelength}
    if config.global_scale_factor is not None:
        everywhere |= {"rope_type": "linear", "factor": config.global_scale_factor}
    local = config.local_rope_wavelength or config.rope_wavelength
    return {
        **_HUGGINGFACE_DEFAULTS,
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        "vocab_size": config.vocab_size,
        "hidden_size": config.embedding_dim,
        "intermediate_size": config.mlp_hidden_dim,
        "num_hidden_layers": config.num_decoder_blocks,
        "num_attention_heads": config.num_kv_heads * config.query_head_multiplier,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.projection_dim,
        "query_pre_attn_scalar": _as_integer(config.query_scale**-2),
        "rms_norm_eps": config.rms_norm_eps,
        "sliding_window": windows[0] if windows else 4096,
        "layer_types": [
            "sliding_attention"
            if isinstance(kind, AttentionTypeSlidingWindowCausal)
            else "full_attention"
            for kind in kinds
        ],
        "rope_parameters": {
            "full_attention": everywhere,
            "sliding_attention": {"rope_type": "default", "rope_theta": local},
        },
        "final_logit_softcapping": config.final_logit_softcap,
        "tie_word_embeddings": config.tie_embedder_and_logits,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }


def _as_integer(value: float) -> float:
    """The integer that a number is but for rounding, since transformers takes no other type."""
    return round(value) if math.isclose(value, round(value), rel_tol=1e-9) else value


def _config_from_gguf(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    settings = Settings(checkpoint.config, checkpoint.source, "gemma3.")
    embedding_dim = settings.integer("embedding_length")
    blocks = settings.integer("block_count")
    heads = settings.integer("attention.head_count")
    head_dim = settings.integer("attention.key_length", embedding_dim // heads)
    settings.choice("attention.value_length", [head_dim], head_dim)
    scaling = settings.choice("rope.scaling.type", ["none", "linear"], "none")
    embeddings = checkpoint.tensors.get("token_embd.weight")
    vocab_size = embeddings.shape[0] if embeddings and embeddings.shape else 1
    # llama.cpp scales by the size of a head, but not in the largest model, known by its depth.
    is_largest = blocks == 62
    return _config(
        settings,
        "attention.head_count",
        "attention.head_count_kv",
        embedding_dim=embedding_dim,
        projection_dim=head_dim,
        mlp_hidden_dim=settings.integer("feed_forward_length"),
        num_decoder_blocks=blocks,
        vocab_size=vocab_size,
        tie_embedder_and_logits="output.weight" not in checkpoint.tensors,
        rope_wavelength=settings.number("rope.freq_base", 1e6),
        local_rope_wavelength=settings.number("rope.freq_base_swa", _DEFAULT_LOCAL_WAVELENGTH),
        global_scale_factor=settings.number("rope.scaling.factor") if scaling == "linear" else None,
        rms_norm_eps=settings.number("attention.layer_norm_rms_epsilon", 1e-6),
        attention_type=_gguf_pattern(settings, blocks),
        final_logit_softcap=settings.maybe_number("final_logit_softcapping"),
        query_scaling_factor=(embedding_dim // heads) ** -0.5 if is_largest else "default",
    )


def _config_from_huggingface(checkpoint: Checkpoint) -> LlamalikeTransformerConfig:
    settings = Settings(checkpoint.config, checkpoint.source)
    if settings.get("text_config") is not None:
        settings = settings.part("text_config")
    settings = settings.with_defaults(_HUGGINGFACE_DEFAULTS)
    settings.choice("hidden_activation", ["gelu_pytorch_tanh"])
    settings.choice("attention_bias", [False])
    settings.choice("use_bidirectional_attention", [False])
    # There is an option `attn_logit_softcapping` as well, which transformers reads and never uses.
    blocks = settings.integer("num_hidden_layers")
    return _config(
        settings,
        "num_attention_heads",
        "num_key_value_heads",
        embedding_dim=settings.integer("hidden_size"),
        projection_dim=settings.integer("head_dim"),
        mlp_hidden_dim=settings.integer("intermediate_size"),
        num_decoder_blocks=blocks,
        vocab_size=settings.integer("vocab_size"),
        tie_embedder_and_logits=settings.choice("tie_word_embeddings", [True, False]),
        rms_norm_eps=settings.number("rms_norm_eps"),
        attention_type=_huggingface_pattern(settings, blocks),
        final_logit_softcap=settings.maybe_number("final_logit_softcapping"),
        query_scaling_factor=settings.number("query_pre_attn_scalar") ** -0.5,
        **_huggingface_rope(settings),
    )


def _huggingface_rope(settings: Settings) -> dict[str, Any]:
    """Reads the rotary embedding as transformers writes it since version 5, or before."""
    if settings.get("rope_parameters") is None:
        given = settings.get("rope_scaling") is not None
        return {
            "rope_wavelength": settings.number("rope_theta", 1e6),
            "local_rope_wavelength": settings.number("rope_local_base_freq", 1e4),
            **(_scaling(settings, settings.part("rope_scaling")) if given else {}),
        }
    kinds = settings.part("rope_parameters")
    everywhere, local = kinds.part("full_attention"), kinds.part("sliding_attention")
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


def _gguf_pattern(settings: Settings, blocks: int) -> tuple[AttentionType, ...]:
    key = "attention.sliding_window_pattern"
    pattern = settings.get(key, _DEFAULT_PATTERN)
    if isinstance(pattern, list):
        if len(pattern) != blocks:
            raise settings.unsupported(key, f"a period, or one value for each of {blocks} blocks")
        return _kinds(settings.integer("attention.sliding_window"), pattern)
    return _cycle(settings.integer("attention.sliding_window"), settings.integer(key, pattern))


def _huggingface_pattern(settings: Settings, blocks: int) -> tuple[AttentionType, ...]:
    window = settings.integer("sliding_window")
    names = settings.get("layer_types")
    if names is None:
        older = settings.integer("_sliding_window_pattern", _DEFAULT_PATTERN)
        return _cycle(window, settings.integer("sliding_window_pattern", older))
    if len(names) != blocks or not set(names) <= {"sliding_attention", "full_attention"}:
        raise settings.unsupported(
            "layer_types", f"{blocks} times 'sliding_attention' or 'full_attention'"
        )
    return _kinds(window, [name == "sliding_attention" for name in names])


def _cycle(window: int, period: int) -> tuple[AttentionType, ...]:
    return _kinds(window, [True] * (period - 1) + [False])


def _kinds(window: int, slides: Iterable[bool]) -> tuple[AttentionType, ...]:
    local, everywhere = AttentionTypeSlidingWindowCausal(window), AttentionTypeGlobalCausal()
    return tuple(local if slide else everywhere for slide in slides)


def _config(
    settings: Settings, heads_key: str, kv_heads_key: str, **values: Any
) -> LlamalikeTransformerConfig:
    heads = settings.integer(heads_key)
    kv_heads = settings.integer(kv_heads_key, heads)
    if heads % kv_heads:
        raise settings.unsupported(heads_key, f"a multiple of `{kv_heads_key}`, {kv_heads}")
    return LlamalikeTransformerConfig(
        num_kv_heads=kv_heads,
        query_head_multiplier=heads // kv_heads,
        mlp_variant="geglu_approx",
        scale_embeddings=True,
        use_qk_norm=True,
        use_post_attn_norm=True,
        use_post_ffw_norm=True,
        **values,
    )
