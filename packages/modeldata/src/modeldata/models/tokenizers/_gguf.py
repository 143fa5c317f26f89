"""The tokenizer that a GGUF file describes, of one of two kinds."""

from collections.abc import Mapping
from typing import Any

from modeldata.models.checkpoints import LoadError
from modeldata.models.tokenizers._base import Tokenizer
from modeldata.models.tokenizers._byte_pairs import byte_pair_tokenizer
from modeldata.models.tokenizers._sentencepiece import SentencePieceTokenizer

_UNKNOWN = 2


def tokenizer_from_gguf(metadata: Mapping[str, Any], source: str) -> Tokenizer:
    """Rebuilds the tokenizer that a GGUF file describes.

    Args:
        metadata: The metadata of the file.
        source: What the metadata comes from, for error texts.

    Returns:
        The tokenizer.

    Raises:
        LoadError: If there is no tokenizer, it is damaged or of another kind than byte pairs, with
            the library of SentencePiece or over bytes.
    """
    kind = metadata.get("tokenizer.ggml.model")
    if kind is None:
        raise LoadError(
            f"Expected a tokenizer in the metadata, but {source} has none (no key "
            "`tokenizer.ggml.model`). Load the tokenizer from another file of this model."
        )
    if kind not in {"llama", "gpt2"}:
        raise LoadError(
            "Expected a tokenizer of the kind 'llama' (SentencePiece byte pairs) or 'gpt2' (byte "
            f"pairs over bytes), but {source} has one of the kind {kind!r}, which is not supported."
            " Load it from the Hugging Face folder of the model."
        )
    names = ("tokens", "token_type", "scores" if kind == "llama" else "merges")
    pieces, types, order = (_column(metadata, key, source) for key in names)
    scores = order if kind == "llama" else pieces
    if not len(pieces) == len(scores) == len(types):
        counted = f"{len(scores)} scores and " if kind == "llama" else ""
        raise LoadError(
            f"Expected {'a score and ' if counted else ''}a type for each of {len(pieces)} tokens, "
            f"but {source} has {counted}{len(types)} types. The file is damaged."
        )
    numbers = _special_tokens(metadata, len(pieces), source)
    if kind == "gpt2":
        return byte_pair_tokenizer(metadata, pieces, types, order, numbers=numbers, source=source)
    unknown = numbers["unknown"]
    if unknown is None:
        unknown = types.index(_UNKNOWN) if _UNKNOWN in types else 0
    ends = dict.fromkeys(n for n in (numbers["eos"], numbers["eot"]) if n is not None)
    return SentencePieceTokenizer(
        pieces,
        scores,
        types,
        bos_id=numbers["bos"],
        eos_ids=tuple(ends),
        unk_id=unknown,
        pad_id=numbers["padding"],
        adds_bos=bool(metadata.get("tokenizer.ggml.add_bos_token", True))
        and numbers["bos"] is not None,
        adds_space=bool(metadata.get("tokenizer.ggml.add_space_prefix", True)),
    )


def _special_tokens(metadata: Mapping[str, Any], count: int, source: str) -> dict[str, Any]:
    numbers = {
        name: metadata.get(f"tokenizer.ggml.{name}_token_id")
        for name in ("bos", "eos", "eot", "unknown", "padding")
    }
    for name, number in numbers.items():
        if number is not None and not 0 <= number < count:
            raise LoadError(
                f"Expected `tokenizer.ggml.{name}_token_id` below {count}, the number of tokens, "
                f"but {source} has {number}. The file is damaged."
            )
    return numbers


def _column(metadata: Mapping[str, Any], key: str, source: str) -> list[Any]:
    values = metadata.get(f"tokenizer.ggml.{key}")
    if not isinstance(values, list) or not values:
        raise LoadError(
            f"Expected a list under the key `tokenizer.ggml.{key}`, but {source} has {values!r}. "
            "The tokenizer is incomplete; load it from another file of this model."
        )
    return values
