"""Language models: load them from checkpoints, and generate text with them."""

from modeldata.models._generate import generate
from modeldata.models._load import load, load_tokenizer, open_checkpoint
from modeldata.models.checkpoints import LoadError
from modeldata.models.tokenizers import Tokenizer
from modeldata.models.transformer import (
    KVCachingTransformerLM,
    TransformerBlock,
    TransformerFeedForward,
    TransformerLM,
    TransformerMetadata,
)

__all__ = [
    "KVCachingTransformerLM",
    "LoadError",
    "Tokenizer",
    "TransformerBlock",
    "TransformerFeedForward",
    "TransformerLM",
    "TransformerMetadata",
    "generate",
    "load",
    "load_tokenizer",
    "open_checkpoint",
]
