"""Tokenizers, read from the files that models come in."""

from modeldata.models.tokenizers._base import Tokenizer
from modeldata.models.tokenizers._gguf import tokenizer_from_gguf
from modeldata.models.tokenizers._huggingface import HuggingFaceTokenizer
from modeldata.models.tokenizers._sentencepiece import SentencePieceTokenizer

__all__ = ["HuggingFaceTokenizer", "SentencePieceTokenizer", "Tokenizer", "tokenizer_from_gguf"]
