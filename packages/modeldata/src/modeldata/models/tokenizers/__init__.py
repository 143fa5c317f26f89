"""Tokenizers, read from the files that models come in."""

from modeldata.models.tokenizers._base import Tokenizer as Tokenizer
from modeldata.models.tokenizers._sentencepiece import (
    SentencePieceTokenizer as SentencePieceTokenizer,
    tokenizer_from_gguf as tokenizer_from_gguf,
)
