"""Building transformers of the Llama family from their settings."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from modeldata import nn
from modeldata.models.transformer._config import (
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)
from modeldata.models.transformer._parts import (
    TransformerBlock,
    TransformerFeedForward,
    TransformerLM,
    TransformerMetadata,
)

_ACTIVATIONS = {
    "geglu_exact": functools.partial(jax.nn.gelu, approximate=False),
    "geglu_approx": functools.partial(jax.nn.gelu, approximate=True),
    "swiglu": jax.nn.silu,
}


def build_llamalike_transformer(
    config: LlamalikeTransformerConfig,
    init_base_rng: jax.Array | None = None,
    name: str = "transformer",
) -> TransformerLM:
    """Builds a language model.

    Args:
        config: The settings.
        init_base_rng: A key to draw the parameters from. Left out, the model has slots for its
            parameters, to be filled by `bind_variables`.
        name: The beginning of all parameter labels.

    Returns:
        The model.
    """
    table = nn.EmbeddingTable.from_config(
        name=f"{name}/embedder",
        init_base_rng=init_base_rng,
        vocab_size=config.vocab_size,
        embedding_axes={"embedding": config.embedding_dim},
        dtype=config.parameter_dtype,
    )
    layers: list[nn.Layer] = [nn.EmbeddingLookup(table)]
    if jnp.dtype(config.parameter_dtype) != jnp.dtype(config.activation_dtype):
        layers.append(nn.CastToDType(config.activation_dtype))
    if config.embeddings_are_scaled:
        layers.append(nn.ConstantRescale(by=config.embedding_dim**0.5))
    layers += [
        build_llamalike_block(f"{name}/block_{block}", init_base_rng, config, block)
        for block in range(config.num_decoder_blocks)
    ]
    layers.append(_norm(f"{name}/final_norm", init_base_rng, config, "embedding"))
    if config.tie_embedder_and_logits:
        layers.append(nn.EmbeddingDecode(table))
    else:
        embedding, vocabulary = (
            {"embedding": config.embedding_dim},
            {"vocabulary": config.vocab_size},
        )
        layers.append(_linear(f"{name}/lm_head", init_base_rng, config, embedding, vocabulary))
    if config.final_logit_softcap is not None:
        layers.append(nn.TanhSoftCap(soft_cap=config.final_logit_softcap))
    metadata = TransformerMetadata(
        common_head_axes=tuple(config.common_head_axes.items()),
        query_only_head_axes=tuple(config.query_only_head_axes.items()),
        embedding_dim=config.embedding_dim,
        projection_dim=config.projection_dim,
        mlp_hidden_dim=config.mlp_hidden_dim,
        vocab_size=config.vocab_size,
        activation_dtype=config.activation_dtype,
    )
    return TransformerLM(nn.Sequential(layers), metadata)


def build_llamalike_block(
    name: str, init_base_rng: jax.Array | None, config: LlamalikeTransformerConfig, block: int
) -> TransformerBlock:
    """Builds one block.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.
        block: The number of the block, from 0, which decides its kind of attention.

    Returns:
        The block.
    """
    attention: list[nn.Layer] = [
        _norm(f"{name}/pre_attention_norm", init_base_rng, config, "embedding"),
        build_llamalike_attention(f"{name}/attention", init_base_rng, config, block),
    ]
    if config.use_post_attn_norm:
        attention.append(_norm(f"{name}/post_attention_norm", init_base_rng, config, "embedding"))
    feed_forward: list[nn.Layer] = [
        _norm(f"{name}/pre_ffw_norm", init_base_rng, config, "embedding"),
        build_llamalike_feedforward(f"{name}/mlp", init_base_rng, config),
    ]
    if config.use_post_ffw_norm:
        feed_forward.append(_norm(f"{name}/post_ffw_norm", init_base_rng, config, "embedding"))
    return TransformerBlock(
        [nn.Residual(nn.Sequential(attention)), nn.Residual(nn.Sequential(feed_forward))]
    )


def build_llamalike_feedforward(
    name: str, init_base_rng: jax.Array | None, config: LlamalikeTransformerConfig
) -> TransformerFeedForward:
    """Builds the feed-forward part of a block: a gated linear unit.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.

    Returns:
        The layers.
    """
    embedding, neurons = {"embedding": config.embedding_dim}, {"neurons": config.mlp_hidden_dim}
    gating = _linear(f"{name}/gating_linear", init_base_rng, config, embedding, neurons)
    value = _linear(f"{name}/value_linear", init_base_rng, config, embedding, neurons)
    gate = nn.NamedGroup("gate", [gating, nn.Elementwise(_ACTIVATIONS[config.mlp_variant])])
    return TransformerFeedForward(
        [
            nn.BranchAndMultiplyTogether([gate, value]),
            _linear(f"{name}/out_linear", init_base_rng, config, neurons, embedding),
        ]
    )


def build_llamalike_attention(
    name: str, init_base_rng: jax.Array | None, config: LlamalikeTransformerConfig, block: int
) -> nn.Attention:
    """Builds the attention of a block.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.
        block: The number of the block, from 0, which decides its kind of attention.

    Returns:
        The attention.
    """
    embedding, projection = (
        {"embedding": config.embedding_dim},
        {"projection": config.projection_dim},
    )
    common = config.common_head_axes
    key_axes = {**common, **projection}
    query_axes = {**common, **config.query_only_head_axes, **projection}
    query = [_linear(f"{name}/query", init_base_rng, config, embedding, query_axes)]
    key = [_linear(f"{name}/key", init_base_rng, config, embedding, key_axes)]
    value = [_linear(f"{name}/value", init_base_rng, config, embedding, key_axes)]
    if config.use_qk_norm:
        query.append(_norm(f"{name}/query_norm", init_base_rng, config, "projection"))
        key.append(_norm(f"{name}/key_norm", init_base_rng, config, "projection"))
    return nn.Attention(
        input_to_query=nn.Sequential(
            [*query, _rope(config, block), nn.ConstantRescale(by=config.query_scale)]
        ),
        input_to_key=nn.Sequential([*key, _rope(config, block)]),
        input_to_value=nn.Sequential(value),
        query_key_to_attn=nn.Sequential(_scores(config, block)),
        attn_value_to_output=nn.Sequential(
            [
                _einsum_over(config, summed="kv_seq", made="projection"),
                _linear(f"{name}/output", init_base_rng, config, query_axes, embedding),
            ]
        ),
    )


def _scores(config: LlamalikeTransformerConfig, block: int) -> list[nn.Layer]:
    """From queries and keys to how much each query attends to each key."""
    layers: list[nn.Layer] = [_einsum_over(config, summed="projection", made="kv_seq")]
    if config.attn_logits_soft_cap is not None:
        layers.append(nn.TanhSoftCap(soft_cap=config.attn_logits_soft_cap))
    # Not the lowest number there is, so that adding to it does not overflow to infinity.
    masked_out = 0.7 * float(jnp.finfo(config.activation_dtype).min)
    kind = config.block_attention_type(block)
    if isinstance(kind, AttentionTypeSlidingWindowCausal):
        window = kind.window_size
        layers.append(
            nn.ApplyCausalSlidingWindowAttentionMask(
                masked_out_value=masked_out, sliding_window_size=window
            )
        )
    else:
        layers.append(nn.ApplyCausalAttentionMask(masked_out_value=masked_out))
    return [*layers, nn.Softmax("kv_seq")]


def _einsum_over(config: LlamalikeTransformerConfig, *, summed: str, made: str) -> nn.NamedEinsum:
    """Multiplies queries, or their attention, with keys or values: sums one axis, makes another."""
    heads = {axis: axis for axis in config.common_head_axes}
    query_heads = {axis: axis for axis in (*heads, *config.query_only_head_axes)}
    return nn.NamedEinsum(
        input_axes=(
            {"seq": "query", **query_heads, summed: summed},
            {"seq": "kv_seq", **heads, "projection": "projection"},
        ),
        output_axes={"seq": "query", **query_heads, made: made},
    )


def _rope(config: LlamalikeTransformerConfig, block: int) -> nn.ApplyRoPE:
    wavelength, scale = config.rope_wavelength, config.global_scale_factor
    if isinstance(config.block_attention_type(block), AttentionTypeSlidingWindowCausal):
        wavelength, scale = config.local_rope_wavelength or wavelength, None
    return nn.ApplyRoPE(
        embedding_axis="projection",
        max_wavelength=wavelength,
        positions_input_name="token_positions",
        scale_factor=scale or 1.0,
    )


def _norm(
    name: str, init_base_rng: jax.Array | None, config: LlamalikeTransformerConfig, axis: str
) -> nn.RMSLayerNorm:
    sizes = {"embedding": config.embedding_dim, "projection": config.projection_dim}
    return nn.RMSLayerNorm.from_config(
        name=name,
        init_base_rng=init_base_rng,
        across_axes={axis: sizes[axis]},
        epsilon=config.rms_norm_eps,
        dtype=config.parameter_dtype,
    )


def _linear(
    name: str,
    init_base_rng: jax.Array | None,
    config: LlamalikeTransformerConfig,
    input_axes: Mapping[Any, int],
    output_axes: Mapping[Any, int],
) -> nn.Layer:
    return nn.Linear.from_config(
        name=name,
        init_base_rng=init_base_rng,
        input_axes=input_axes,
        output_axes=output_axes,
        dtype=config.parameter_dtype,
    )
