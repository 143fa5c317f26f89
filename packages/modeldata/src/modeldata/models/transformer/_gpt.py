"""Transformers with layer norms, biases and plain feed-forward parts: GPT-2, GPT-NeoX, Pythia."""

import dataclasses
import functools
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from modeldata import nn
from modeldata.models.transformer._attention import (
    causal_mask,
    einsum_over,
    rotary_layer,
    score_layers,
)
from modeldata.models.transformer._config import AttentionTypeGlobalCausal
from modeldata.models.transformer._parts import (
    TransformerBlock,
    TransformerFeedForward,
    TransformerLM,
    TransformerMetadata,
)

ActivationName = Literal["gelu_exact", "gelu_approx", "relu", "silu"]
ACTIVATIONS = {
    "gelu_exact": functools.partial(jax.nn.gelu, approximate=False),
    "gelu_approx": functools.partial(jax.nn.gelu, approximate=True),
    "relu": jax.nn.relu,
    "silu": jax.nn.silu,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class GPTTransformerConfig:
    """Everything that decides the shape of a transformer like GPT-2 or GPT-NeoX.

    Attributes:
        num_attention_heads: Size of the axis `heads`.
        embedding_dim: Size of the axis `embedding`, the residual stream.
        projection_dim: Size of the axis `projection`: a query, a key or a value of one head.
        mlp_hidden_dim: Size of the axis `neurons`.
        num_decoder_blocks: Number of blocks.
        vocab_size: Size of the axis `vocabulary`.
        activation_fn: What the feed-forward part applies: `gelu_exact`, `gelu_approx` (by tanh),
            `relu` or `silu`.
        tie_embedder_and_logits: Whether the embedding table also makes the logits.
        num_positions: How many positions have a learned embedding; None for none.
        rope_subset_size: How many features of a head are rotated; 0 for no rotary embedding.
        rope_wavelength: The longest wavelength of the rotary embedding.
        rope_scaling: How rotary embeddings are changed for long texts.
        use_parallel_residual: Whether attention and feed-forward part both get the input of the
            block, instead of one after the other.
        use_attention_bias: Whether the maps of attention have biases.
        layernorm_epsilon: What is added to the variance.
        query_scaling_factor: What queries are multiplied by; `default` is
            `projection_dim ** -0.5`.
        divide_scores_by_depth: Whether attention scores of block `i` are divided by `i + 1` too.
        parameter_dtype: The type of the parameters.
        activation_dtype: The type that is computed in.
    """

    num_attention_heads: int
    embedding_dim: int
    projection_dim: int
    mlp_hidden_dim: int
    num_decoder_blocks: int
    vocab_size: int
    activation_fn: ActivationName
    tie_embedder_and_logits: bool = False
    num_positions: int | None = None
    rope_subset_size: int = 0
    rope_wavelength: float = 10_000.0
    rope_scaling: nn.RoPEScaling | None = None
    use_parallel_residual: bool = True
    use_attention_bias: bool = True
    layernorm_epsilon: float = 1e-5
    query_scaling_factor: float | Literal["default"] = "default"
    divide_scores_by_depth: bool = False
    parameter_dtype: DTypeLike = jnp.float32
    activation_dtype: DTypeLike = jnp.float32

    def __post_init__(self) -> None:
        if self.activation_fn not in get_args(ActivationName):
            raise ValueError(
                f"Expected `activation_fn` to be one of {get_args(ActivationName)}, but got "
                f"{self.activation_fn!r}."
            )
        if self.rope_subset_size % 2 or not 0 <= self.rope_subset_size <= self.projection_dim:
            raise ValueError(
                "Expected an even `rope_subset_size` of at most `projection_dim`, "
                f"{self.projection_dim}, but got {self.rope_subset_size}."
            )

    @property
    def common_head_axes(self) -> dict[str, int]:
        """Head axes that queries, keys and values share, with sizes."""
        return {"heads": self.num_attention_heads}

    @property
    def query_only_head_axes(self) -> dict[str, int]:
        """Head axes that only queries have: none."""
        return {}

    def query_scale(self, block: int) -> float:
        """Returns what the queries of a block are multiplied by.

        Args:
            block: The number of the block, from 0.
        """
        scale = self.query_scaling_factor
        scale = self.projection_dim**-0.5 if scale == "default" else scale
        return scale / (block + 1) if self.divide_scores_by_depth else scale


def build_gpt_transformer(
    config: GPTTransformerConfig,
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
    embedding: dict[Any, int] = {"embedding": config.embedding_dim}
    make_table = functools.partial(
        nn.EmbeddingTable.from_config,
        init_base_rng=init_base_rng,
        embedding_axes=embedding,
        dtype=config.parameter_dtype,
    )
    table = make_table(name=f"{name}/embedder", vocab_size=config.vocab_size)
    layers: list[nn.Layer] = [nn.EmbeddingLookup(table)]
    if config.num_positions is not None:
        positions = make_table(
            name=f"{name}/positions", vocab_size=config.num_positions, vocabulary_axis="positions"
        )
        layers.append(nn.AddPositionEmbedding(positions))
    if jnp.dtype(config.parameter_dtype) != jnp.dtype(config.activation_dtype):
        layers.append(nn.CastToDType(config.activation_dtype))
    layers += [
        build_gpt_block(f"{name}/block_{block}", init_base_rng, config, block)
        for block in range(config.num_decoder_blocks)
    ]
    layers.append(_norm(f"{name}/final_norm", init_base_rng, config))
    if config.tie_embedder_and_logits:
        layers.append(nn.EmbeddingDecode(table))
    else:
        head = nn.Linear.from_config(
            f"{name}/lm_head",
            init_base_rng,
            embedding,
            {"vocabulary": config.vocab_size},
            dtype=config.parameter_dtype,
        )
        layers.append(head)
    return TransformerLM(nn.Sequential(layers), TransformerMetadata.from_config(config))


def build_gpt_block(
    name: str, init_base_rng: jax.Array | None, config: GPTTransformerConfig, block: int = 0
) -> TransformerBlock:
    """Builds one block.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.
        block: The number of the block, from 0, which may decide how scores are scaled.

    Returns:
        The block.
    """
    mask = causal_mask(AttentionTypeGlobalCausal(), config.activation_dtype)
    attention = nn.Sequential(
        [
            _norm(f"{name}/pre_attention_norm", init_base_rng, config),
            build_gpt_attention(
                f"{name}/attention", init_base_rng, config, mask, config.query_scale(block)
            ),
        ]
    )
    feed_forward = nn.Sequential(
        [
            _norm(f"{name}/pre_ffw_norm", init_base_rng, config),
            build_gpt_feedforward(f"{name}/mlp", init_base_rng, config),
        ]
    )
    if config.use_parallel_residual:
        return TransformerBlock([nn.BranchAndAddTogether([nn.Identity(), attention, feed_forward])])
    return TransformerBlock([nn.Residual(attention), nn.Residual(feed_forward)])


def build_gpt_feedforward(name: str, init_base_rng: jax.Array | None, config: Any) -> Any:
    """Builds the feed-forward part of a block: two maps with biases, and a function between.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.

    Returns:
        The layers.
    """
    embedding: dict[Any, int] = {"embedding": config.embedding_dim}
    neurons: dict[Any, int] = {"neurons": config.mlp_hidden_dim}
    affine = functools.partial(
        nn.Affine.from_config, init_base_rng=init_base_rng, dtype=config.parameter_dtype
    )
    return TransformerFeedForward(
        [
            affine(f"{name}/in", input_axes=embedding, output_axes=neurons),
            nn.Elementwise(ACTIVATIONS[config.activation_fn]),
            affine(f"{name}/out", input_axes=neurons, output_axes=embedding),
        ]
    )


def build_gpt_attention(
    name: str,
    init_base_rng: jax.Array | None,
    config: Any,
    mask: nn.Layer,
    query_scale: float | None = None,
) -> nn.Attention:
    """Builds the attention of a block.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.
        mask: What takes away scores.
        query_scale: What queries are multiplied by; left out, `projection_dim ** -0.5`.

    Returns:
        The attention.
    """
    embedding: dict[Any, int] = {"embedding": config.embedding_dim}
    heads = config.common_head_axes
    head_axes: dict[Any, int] = {**heads, "projection": config.projection_dim}
    make = (nn.Affine if config.use_attention_bias else nn.Linear).from_config
    affine = functools.partial(make, init_base_rng=init_base_rng, dtype=config.parameter_dtype)
    into = functools.partial(affine, input_axes=embedding, output_axes=head_axes)
    rope: list[nn.Layer] = []
    if config.rope_subset_size:
        size = config.rope_subset_size
        subset_size = None if size == config.projection_dim else size
        options = {"subset_size": subset_size, "scaling": config.rope_scaling}
        rope.append(rotary_layer(config.rope_wavelength, **options))
    scale = nn.ConstantRescale(by=query_scale or config.projection_dim**-0.5)
    return nn.Attention(
        input_to_query=nn.Sequential([into(f"{name}/query"), *rope, scale]),
        input_to_key=nn.Sequential([into(f"{name}/key"), *rope]),
        input_to_value=nn.Sequential([into(f"{name}/value")]),
        query_key_to_attn=nn.Sequential(score_layers(heads, {}, mask)),
        attn_value_to_output=nn.Sequential(
            [
                einsum_over([*heads], [], summed="kv_seq", made="projection"),
                affine(f"{name}/output", input_axes=head_axes, output_axes=embedding),
            ]
        ),
    )


def _norm(name: str, init_base_rng: jax.Array | None, config: Any) -> nn.LayerNorm:
    axes: dict[Any, int] = {"embedding": config.embedding_dim}
    return nn.LayerNorm.from_config(
        name, init_base_rng, axes, config.layernorm_epsilon, config.parameter_dtype
    )
