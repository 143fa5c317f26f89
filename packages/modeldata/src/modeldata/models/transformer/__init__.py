"""Transformers: their settings, their layers, and how they are built."""

from modeldata.models.transformer._building import (
    build_llamalike_attention,
    build_llamalike_block,
    build_llamalike_feedforward,
    build_llamalike_transformer,
)
from modeldata.models.transformer._caching import KVCachingTransformerLM
from modeldata.models.transformer._config import (
    AttentionType,
    AttentionTypeGlobalCausal,
    AttentionTypeSlidingWindowCausal,
    LlamalikeTransformerConfig,
)
from modeldata.models.transformer._encoder import (
    EncoderTransformerConfig,
    TransformerEncoder,
    build_encoder_block,
    build_encoder_transformer,
)
from modeldata.models.transformer._gpt import (
    ActivationName,
    GPTTransformerConfig,
    build_gpt_attention,
    build_gpt_block,
    build_gpt_feedforward,
    build_gpt_transformer,
)
from modeldata.models.transformer._parts import (
    ModelOrigin,
    TransformerBlock,
    TransformerFeedForward,
    TransformerLM,
    TransformerMetadata,
    check_ids,
    check_tokens,
)
from modeldata.models.transformer._stacking import stack_blocks, unstack_blocks

__all__ = [
    "ActivationName",
    "AttentionType",
    "AttentionTypeGlobalCausal",
    "AttentionTypeSlidingWindowCausal",
    "EncoderTransformerConfig",
    "GPTTransformerConfig",
    "KVCachingTransformerLM",
    "LlamalikeTransformerConfig",
    "ModelOrigin",
    "TransformerBlock",
    "TransformerEncoder",
    "TransformerFeedForward",
    "TransformerLM",
    "TransformerMetadata",
    "build_encoder_block",
    "build_encoder_transformer",
    "build_gpt_attention",
    "build_gpt_block",
    "build_gpt_feedforward",
    "build_gpt_transformer",
    "build_llamalike_attention",
    "build_llamalike_block",
    "build_llamalike_feedforward",
    "build_llamalike_transformer",
    "check_ids",
    "check_tokens",
    "stack_blocks",
    "unstack_blocks",
]
