"""Building transformers of the Llama family from their settings."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from modeldata import nn
from modeldata.models.transformer._attention import (
    causal_mask,
    einsum_over,
    rotary_layer,
    score_layers,
)
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


def clamped_silu(values: jax.Array) -> jax.Array:
    """Returns the gate of GPT-OSS: at most 7, times a sigmoid that is 1.702 times as steep.

    Args:
        values: Any array.
    """
    values = jnp.minimum(values, 7.0)
    return values * jax.nn.sigmoid(1.702 * values)


def clamped_plus_one(values: jax.Array) -> jax.Array:
    """Returns what GPT-OSS multiplies its gate with: from -7 to 7, plus one.

    Args:
        values: Any array.
    """
    return jnp.clip(values, -7.0, 7.0) + 1


_ACTIVATIONS = {
    "geglu_exact": functools.partial(jax.nn.gelu, approximate=False),
    "geglu_approx": functools.partial(jax.nn.gelu, approximate=True),
    "swiglu": jax.nn.silu,
    "reglu": jax.nn.relu,
    "clamped_swiglu": clamped_silu,
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
    embedding = {"embedding": config.embedding_dim}
    layers.append(_norm(f"{name}/final_norm", init_base_rng, config, embedding))
    if config.tie_embedder_and_logits:
        layers.append(nn.EmbeddingDecode(table))
    else:
        vocabulary = {"vocabulary": config.vocab_size}
        layers.append(_linear(f"{name}/lm_head", init_base_rng, config, embedding, vocabulary))
    if config.final_logit_softcap is not None:
        layers.append(nn.TanhSoftCap(soft_cap=config.final_logit_softcap))
    return TransformerLM(nn.Sequential(layers), TransformerMetadata.from_config(config))


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
    make = build_llamalike_feedforward if config.num_experts is None else _build_experts
    attention = build_llamalike_attention(f"{name}/attention", init_base_rng, config, block)
    feed_forward = make(f"{name}/mlp", init_base_rng, config)
    parts = (
        ("attention", attention, config.use_post_attn_norm),
        ("ffw", feed_forward, config.use_post_ffw_norm),
    )
    residuals: list[nn.Layer] = []
    for part, layer, has_post_norm in parts:
        layers: list[nn.Layer] = [layer]
        embedding = {"embedding": config.embedding_dim}
        if config.use_pre_norms:
            layers.insert(0, _norm(f"{name}/pre_{part}_norm", init_base_rng, config, embedding))
        if has_post_norm:
            layers.append(_norm(f"{name}/post_{part}_norm", init_base_rng, config, embedding))
        residuals.append(nn.Residual(nn.Sequential(layers)))
    return TransformerBlock(residuals)


def build_llamalike_feedforward(
    name: str,
    init_base_rng: jax.Array | None,
    config: LlamalikeTransformerConfig,
    expert_axes: Mapping[str, int] | None = None,
) -> TransformerFeedForward:
    """Builds the feed-forward part of a block: a gated linear unit.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.
        expert_axes: The axis of experts and its size, for parallel units, one for each expert.

    Returns:
        The layers.
    """
    embedding, neurons = {"embedding": config.embedding_dim}, {"neurons": config.mlp_hidden_dim}
    linear = functools.partial(
        _linear, init_base_rng=init_base_rng, config=config, bias=config.use_mlp_bias
    )
    into = {"input_axes": embedding, "output_axes": neurons, "parallel_broadcast_axes": expert_axes}
    gating = linear(f"{name}/gating_linear", **into)
    value = linear(f"{name}/value_linear", **into)
    out = linear(
        f"{name}/out_linear", input_axes=neurons, output_axes=embedding, parallel_axes=expert_axes
    )
    gate = nn.NamedGroup("gate", [gating, nn.Elementwise(_ACTIVATIONS[config.mlp_variant])])
    if config.mlp_variant == "clamped_swiglu":
        value = nn.NamedGroup("value", [value, nn.Elementwise(clamped_plus_one)])
    return TransformerFeedForward([nn.BranchAndMultiplyTogether([gate, value]), out])


def _build_experts(
    name: str, init_base_rng: jax.Array | None, config: LlamalikeTransformerConfig
) -> nn.ExpertMixture:
    """Builds a feed-forward part of several experts."""
    experts = {"experts": config.num_experts or 1}
    embedding = {"embedding": config.embedding_dim}
    scores = _linear(
        f"{name}/router", init_base_rng, config, embedding, experts, bias=config.use_router_bias
    )
    return nn.ExpertMixture(
        router=nn.Sequential([scores, nn.TopKSoftmax("experts", config.num_experts_per_token)]),
        experts=build_llamalike_feedforward(name, init_base_rng, config, experts),
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
    embedding = {"embedding": config.embedding_dim}
    common, query_only = config.common_head_axes, config.query_only_head_axes
    projection = {"projection": config.projection_dim}
    key_axes = {**common, **projection}
    query_axes = {**common, **query_only, **projection}
    linear = functools.partial(_linear, init_base_rng=init_base_rng, config=config)
    into = functools.partial(linear, input_axes=embedding, bias=config.use_qkv_bias)
    query = [into(f"{name}/query", output_axes=query_axes)]
    key = [into(f"{name}/key", output_axes=key_axes)]
    value = [into(f"{name}/value", output_axes=key_axes)]
    if config.use_qk_norm:
        over_all = config.use_qk_norm == "all"
        for layers, axes in ((query, query_axes), (key, key_axes)):
            path = f"{name}/{'query' if layers is query else 'key'}_norm"
            layers.append(_norm(path, init_base_rng, config, axes if over_all else projection))
    softmax = None
    if config.use_attention_sinks:
        heads: dict[Any, int] = {**common, **query_only}
        softmax = nn.SoftmaxWithSink.from_config(
            f"{name}/sink", init_base_rng, heads, "kv_seq", dtype=config.parameter_dtype
        )
    mask = causal_mask(config.block_attention_type(block), config.activation_dtype)
    cap = config.attn_logits_soft_cap
    return nn.Attention(
        input_to_query=nn.Sequential(
            [*query, _rope(config, block), nn.ConstantRescale(by=config.query_scale)]
        ),
        input_to_key=nn.Sequential([*key, _rope(config, block)]),
        input_to_value=nn.Sequential(value),
        query_key_to_attn=nn.Sequential(
            score_layers(common, query_only, mask, soft_cap=cap, softmax=softmax)
        ),
        attn_value_to_output=nn.Sequential(
            [
                einsum_over([*common], [*query_only], summed="kv_seq", made="projection"),
                linear(
                    f"{name}/output",
                    input_axes=query_axes,
                    output_axes=embedding,
                    bias=config.use_output_bias,
                ),
            ]
        ),
    )


def _rope(config: LlamalikeTransformerConfig, block: int) -> nn.Layer:
    wavelength, factor = config.rope_wavelength, config.global_scale_factor
    scaling = config.rope_scaling
    if isinstance(config.block_attention_type(block), AttentionTypeSlidingWindowCausal):
        factor = None
        if config.local_rope_wavelength is not None:
            wavelength, scaling = config.local_rope_wavelength, None
    return rotary_layer(
        wavelength,
        subset_size=config.rope_subset_size,
        scale_factor=factor or 1.0,
        scaling=scaling,
    )


def _norm(
    name: str,
    init_base_rng: jax.Array | None,
    config: LlamalikeTransformerConfig,
    axes: Mapping[Any, int],
) -> nn.RMSLayerNorm:
    return nn.RMSLayerNorm.from_config(
        name=name,
        init_base_rng=init_base_rng,
        across_axes=axes,
        epsilon=config.rms_norm_eps,
        dtype=config.parameter_dtype,
    )


def _linear(
    name: str,
    init_base_rng: jax.Array | None,
    config: LlamalikeTransformerConfig,
    input_axes: Mapping[Any, int],
    output_axes: Mapping[Any, int],
    *,
    bias: bool = False,
    **parallel: Any,
) -> nn.Layer:
    make = nn.Affine if bias else nn.Linear
    return make.from_config(
        name=name,
        init_base_rng=init_base_rng,
        input_axes=input_axes,
        output_axes=output_axes,
        dtype=config.parameter_dtype,
        **parallel,
    )
