"""Gemma 3 (text): its settings and where its weights are stored."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import jax.numpy as jnp
from jax.typing import DTypeLike

from modeldata.models.checkpoints import Checkpoint, Settings, WeightRule
from modeldata.models.transformer import (
    AttentionType,
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)

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

# Parameter, tensor in a GGUF file, tensor of Hugging Face, axes of the stored tensor. Where one
# stored axis holds several named axes, they stand in one string, outermost first; `query` and `key`
# stand for the head axes of queries and of keys and values.
_MODEL_WEIGHTS = (
    ("embedder.embeddings", "token_embd", "embed_tokens", ("vocabulary", "embedding")),
    ("final_norm/scale.weights", "output_norm", "norm", ("embedding",)),
)
_BLOCK_WEIGHTS = (
    ("pre_attention_norm/scale.weights", "attn_norm", "input_layernorm", ("embedding",)),
    ("attention/query.weights", "attn_q", "self_attn.q_proj", ("query projection", "embedding")),
    ("attention/query_norm/scale.weights", "attn_q_norm", "self_attn.q_norm", ("projection",)),
    ("attention/key.weights", "attn_k", "self_attn.k_proj", ("key projection", "embedding")),
    ("attention/key_norm/scale.weights", "attn_k_norm", "self_attn.k_norm", ("projection",)),
    ("attention/value.weights", "attn_v", "self_attn.v_proj", ("key projection", "embedding")),
    (
        "attention/output.weights",
        "attn_output",
        "self_attn.o_proj",
        ("embedding", "query projection"),
    ),
    (
        "post_attention_norm/scale.weights",
        "post_attention_norm",
        "post_attention_layernorm",
        ("embedding",),
    ),
    ("pre_ffw_norm/scale.weights", "ffn_norm", "pre_feedforward_layernorm", ("embedding",)),
    ("mlp/gating_linear.weights", "ffn_gate", "mlp.gate_proj", ("neurons", "embedding")),
    ("mlp/value_linear.weights", "ffn_up", "mlp.up_proj", ("neurons", "embedding")),
    ("mlp/out_linear.weights", "ffn_down", "mlp.down_proj", ("embedding", "neurons")),
    ("post_ffw_norm/scale.weights", "post_ffw_norm", "post_feedforward_layernorm", ("embedding",)),
)
_HEAD_WEIGHTS = (("lm_head.weights", "output", "lm_head", ("vocabulary", "embedding")),)


def weight_rules(config: LlamalikeTransformerConfig) -> list[WeightRule]:
    """Returns where the parameters of a model are stored.

    Args:
        config: The settings of the model.
    """
    rules = [_rule(config, "transformer/", "", "model.", row) for row in _MODEL_WEIGHTS]
    for block in range(config.num_decoder_blocks):
        prefixes = (f"transformer/block_{block}/", f"blk.{block}.", f"model.layers.{block}.")
        rules += [_rule(config, *prefixes, row) for row in _BLOCK_WEIGHTS]
    if not config.tie_embedder_and_logits:
        rules += [_rule(config, "transformer/", "", "", row) for row in _HEAD_WEIGHTS]
    return rules


def _rule(
    config: LlamalikeTransformerConfig,
    label_prefix: str,
    gguf_prefix: str,
    huggingface_prefix: str,
    row: tuple[str, str, str, tuple[str, ...]],
) -> WeightRule:
    label, gguf, huggingface, axes = row
    is_norm = label.endswith("norm/scale.weights")
    return WeightRule(
        label=label_prefix + label,
        names={
            "gguf": f"{gguf_prefix}{gguf}.weight",
            "huggingface": f"{huggingface_prefix}{huggingface}.weight",
        },
        axes=tuple(_sizes(config, group) for group in axes),
        shifts={"huggingface": 1.0} if is_norm else {},
    )


def _sizes(config: LlamalikeTransformerConfig, group: str) -> dict[str, int]:
    sizes: dict[str, Mapping[str, int]] = {
        "query": {**config.common_head_axes, **config.query_only_head_axes},
        "key": config.common_head_axes,
        "vocabulary": {"vocabulary": config.vocab_size},
        "embedding": {"embedding": config.embedding_dim},
        "projection": {"projection": config.projection_dim},
        "neurons": {"neurons": config.mlp_hidden_dim},
    }
    return {name: size for part in group.split() for name, size in sizes[part].items()}


def config_from_checkpoint(
    checkpoint: Checkpoint, dtype: DTypeLike = jnp.float32
) -> LlamalikeTransformerConfig:
    """Reads the settings of a checkpoint.

    Args:
        checkpoint: A GGUF file, or one with the settings of Hugging Face.
        dtype: The type of the parameters and of the computation.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    read = _config_from_gguf if checkpoint.naming == "gguf" else _config_from_huggingface
    config = read(checkpoint)
    return dataclasses.replace(config, parameter_dtype=dtype, activation_dtype=dtype)


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


def _huggingface_rope(settings: Settings) -> dict[str, float | None]:
    """Reads the rotary embedding as transformers writes it since version 5, or before."""
    if settings.get("rope_parameters") is None:
        scale = None
        if settings.get("rope_scaling") is not None:
            scaling = settings.part("rope_scaling")
            scaling.choice("rope_type", ["linear"], scaling.get("type"))
            scale = scaling.number("factor")
        return {
            "rope_wavelength": settings.number("rope_theta", 1e6),
            "local_rope_wavelength": settings.number("rope_local_base_freq", 1e4),
            "global_scale_factor": scale,
        }
    kinds = settings.part("rope_parameters")
    everywhere, local = kinds.part("full_attention"), kinds.part("sliding_attention")
    local.choice("rope_type", ["default"], "default")
    kind = everywhere.choice("rope_type", ["default", "linear"], "default")
    return {
        "rope_wavelength": everywhere.number("rope_theta", 1e6),
        "local_rope_wavelength": local.number("rope_theta", 1e4),
        "global_scale_factor": everywhere.number("factor") if kind == "linear" else None,
    }


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
