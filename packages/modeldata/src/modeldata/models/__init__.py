"""Language models: load them from checkpoints, generate text with them, and save them."""

from modeldata.models import simple_mlp
from modeldata.models._archive import load_tree, save_tree
from modeldata.models._compare import ComparedPart, Comparison, compare
from modeldata.models._generate import generate, stream
from modeldata.models._load import load, load_tokenizer, open_checkpoint
from modeldata.models._save import save
from modeldata.models.checkpoints import LoadError, SaveError
from modeldata.models.families import Family, register_family, unregister_family
from modeldata.models.tokenizers import Tokenizer
from modeldata.models.transformer import (
    KVCachingTransformerLM,
    TransformerBlock,
    TransformerEncoder,
    TransformerFeedForward,
    TransformerLM,
    TransformerMetadata,
    stack_blocks,
    unstack_blocks,
)

__all__ = [
    "ComparedPart",
    "Comparison",
    "Family",
    "KVCachingTransformerLM",
    "LoadError",
    "SaveError",
    "Tokenizer",
    "TransformerBlock",
    "TransformerEncoder",
    "TransformerFeedForward",
    "TransformerLM",
    "TransformerMetadata",
    "compare",
    "generate",
    "load",
    "load_tokenizer",
    "load_tree",
    "open_checkpoint",
    "register_family",
    "save",
    "save_tree",
    "simple_mlp",
    "stack_blocks",
    "stream",
    "unregister_family",
    "unstack_blocks",
]
