"""Encoders, which read a text in both directions: BERT."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from modeldata import nn
from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.models.transformer._attention import masked_out_value
from modeldata.models.transformer._gpt import (
    ActivationName,
    build_gpt_attention,
    build_gpt_feedforward,
)
from modeldata.models.transformer._parts import (
    TransformerBlock,
    TransformerMetadata,
    check_tokens,
)
from modeldata.named import NamedArray, arange, zeros
from modeldata.nn._layer import locating

_SEQ = "seq"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncoderTransformerConfig:
    """Everything that decides the shape of a transformer like BERT.

    Attributes:
        num_attention_heads: Size of the axis `heads`.
        embedding_dim: Size of the axis `embedding`, the residual stream.
        projection_dim: Size of the axis `projection`: a query, a key or a value of one head.
        mlp_hidden_dim: Size of the axis `neurons`.
        num_blocks: Number of blocks.
        vocab_size: Number of tokens that there are.
        num_positions: How many positions have an embedding.
        num_token_types: How many types of tokens have an embedding.
        activation_fn: What the feed-forward part applies, as in `GPTTransformerConfig`.
        use_pooler: Whether the model has a map for the embedding of its first token.
        layernorm_epsilon: What is added to the variance.
        parameter_dtype: The type of the parameters.
        activation_dtype: The type that is computed in.
    """

    num_attention_heads: int
    embedding_dim: int
    projection_dim: int
    mlp_hidden_dim: int
    num_blocks: int
    vocab_size: int
    num_positions: int
    num_token_types: int
    activation_fn: ActivationName
    use_pooler: bool = True
    layernorm_epsilon: float = 1e-12
    parameter_dtype: DTypeLike = jnp.float32
    activation_dtype: DTypeLike = jnp.float32
    # What the layers that encoders share with GPT ask for.
    use_attention_bias: bool = True
    rope_subset_size: int = 0
    tie_embedder_and_logits: bool = False

    @property
    def common_head_axes(self) -> dict[str, int]:
        """Head axes of queries, keys and values, with sizes."""
        return {"heads": self.num_attention_heads}

    @property
    def query_only_head_axes(self) -> dict[str, int]:
        """Head axes that only queries have: none."""
        return {}


@pytree_dataclass
class TransformerEncoder(Struct):
    """An encoder: tokens in, an embedding for each of them out.

    Attributes:
        body: The layers, from token ids to embeddings.
        pooler: From the embedding of the first token to one of the whole text, or None.
        metadata: Facts about the model.
    """

    body: nn.Layer
    pooler: nn.Layer | None
    metadata: TransformerMetadata = static_field(always_collapse=True)

    def __call__(
        self,
        tokens: NamedArray,
        *,
        token_positions: NamedArray | None = None,
        token_types: NamedArray | None = None,
        **side_inputs: Any,
    ) -> NamedArray:
        """Runs the model on whole texts.

        Args:
            tokens: Integers with the axis `seq`, and any batch axes.
            token_positions: The position of each token in its text, with the axis `seq` and any of
                the batch axes; -1 marks padding, which other tokens do not see. Left out, all
                tokens count, from 0.
            token_types: The type of each token, for texts of two parts; left out, 0.
            **side_inputs: More inputs for the layers.

        Returns:
            Embeddings with the axis `embedding`, and the axes of `tokens`.

        Raises:
            TypeError: If `tokens` are no named array of integers.
            ValueError: If they have no axis `seq`, positional axes, ids outside the vocabulary, or
                are more than the model has positions for.
        """
        tokens = check_tokens(tokens, self.metadata.vocab_size)
        count = tokens.named_shape[_SEQ]
        if token_positions is None:
            token_positions = arange(_SEQ, count)
        if token_types is None:
            token_types = zeros({_SEQ: count}, jnp.int32)
        with locating(self):
            return self.body(
                tokens, token_positions=token_positions, token_types=token_types, **side_inputs
            )


def build_encoder_transformer(
    config: EncoderTransformerConfig,
    init_base_rng: jax.Array | None = None,
    name: str = "transformer",
) -> TransformerEncoder:
    """Builds an encoder.

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
    words = make_table(name=f"{name}/embedder", vocab_size=config.vocab_size)
    positions = make_table(
        name=f"{name}/positions", vocab_size=config.num_positions, vocabulary_axis="positions"
    )
    types = make_table(
        name=f"{name}/token_types",
        vocab_size=config.num_token_types,
        vocabulary_axis="token_types",
    )
    layers: list[nn.Layer] = [
        nn.EmbeddingLookup(words),
        nn.AddPositionEmbedding(positions),
        nn.AddPositionEmbedding(types, positions_input_name="token_types"),
        _norm(f"{name}/embedding_norm", init_base_rng, config),
        *(
            build_encoder_block(f"{name}/block_{block}", init_base_rng, config)
            for block in range(config.num_blocks)
        ),
    ]
    pooler = None
    if config.use_pooler:
        affine = nn.Affine.from_config(
            f"{name}/pooler", init_base_rng, embedding, embedding, dtype=config.parameter_dtype
        )
        pooler = nn.Sequential([affine, nn.Elementwise(jnp.tanh)])
    return TransformerEncoder(
        nn.Sequential(layers), pooler, TransformerMetadata.from_config(config)
    )


def build_encoder_block(
    name: str, init_base_rng: jax.Array | None, config: EncoderTransformerConfig
) -> TransformerBlock:
    """Builds one block, whose parts are normalised after they are added.

    Args:
        name: The beginning of its parameter labels.
        init_base_rng: A key to draw the parameters from, or None for slots.
        config: The settings.

    Returns:
        The block.
    """
    mask = nn.ApplyPaddingAttentionMask(masked_out_value=masked_out_value(config.activation_dtype))
    return TransformerBlock(
        [
            nn.Residual(build_gpt_attention(f"{name}/attention", init_base_rng, config, mask)),
            _norm(f"{name}/post_attention_norm", init_base_rng, config),
            nn.Residual(build_gpt_feedforward(f"{name}/mlp", init_base_rng, config)),
            _norm(f"{name}/post_ffw_norm", init_base_rng, config),
        ]
    )


def _norm(
    name: str, init_base_rng: jax.Array | None, config: EncoderTransformerConfig
) -> nn.LayerNorm:
    axes: dict[Any, int] = {"embedding": config.embedding_dim}
    return nn.LayerNorm.from_config(
        name, init_base_rng, axes, config.layernorm_epsilon, config.parameter_dtype
    )
