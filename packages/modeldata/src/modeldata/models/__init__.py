"""Language models: load them from checkpoints, generate text with them, and save them."""

from modeldata.models._generate import generate
from modeldata.models._load import load, load_tokenizer, open_checkpoint
from modeldata.models._save import save
from modeldata.models.checkpoints import LoadError, SaveError
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
    "SaveError",
    "Tokenizer",
    "TransformerBlock",
    "TransformerFeedForward",
    "TransformerLM",
    "TransformerMetadata",
    "generate",
    "load",
    "load_tokenizer",
    "open_checkpoint",
    "save",
]
