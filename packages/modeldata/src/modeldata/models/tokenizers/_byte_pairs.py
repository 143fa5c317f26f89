"""Tokenizers over bytes, rebuilt from the vocabulary and the merges that a GGUF file carries.

How a text is cut into words before bytes are merged is not in the file: it has a name for it, and
the name stands for a regular expression. Those of the families that modeldata reads are here, as
they were published with the tokenizers of GPT-2, Llama 3, Qwen 2 and GPT-4o.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from modeldata.models.checkpoints import LoadError, import_extra
from modeldata.models.tokenizers._huggingface import HuggingFaceTokenizer

_CONTROL, _USER_DEFINED = 3, 4
_ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"


def _words(digits: str) -> str:
    return (
        rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_REST}"
    )


@dataclasses.dataclass(frozen=True)
class _Cut:
    """How a text is cut into words, and what else goes with it.

    Attributes:
        words: The expression that matches one word; None for that of GPT-2.
        single_digits: Whether each digit is a word, before anything else is looked at.
        normal_form: Whether characters are composed first (NFC).
        keeps_words: Whether a word that is in the vocabulary is taken without merging.
        adds_bos: Whether a text begins with a special token, if the file does not say.
    """

    words: str | None = None
    single_digits: bool = False
    normal_form: bool = False
    keeps_words: bool = False
    adds_bos: bool = False


_GPT2 = _Cut()
_LLAMA3 = _Cut(_words(r"\p{N}{1,3}"), keeps_words=True, adds_bos=True)
_DIGITS = _Cut(single_digits=True)
_CUTS = {
    "gpt-2": _GPT2,
    "olmo": _GPT2,
    "phi-2": _GPT2,
    "llama-bpe": _LLAMA3,
    "llama3": _LLAMA3,
    "llama-v3": _LLAMA3,
    "dbrx": _Cut(_words(r"\p{N}{1,3}")),
    "qwen2": _Cut(_words(r"\p{N}"), normal_form=True),
    "gpt-4o": _Cut(
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDINGS}?"
        rf"|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDINGS}?"
        rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_REST}"
    ),
    "smollm": _DIGITS,
    "starcoder": _DIGITS,
}


def byte_pair_tokenizer(
    metadata: Mapping[str, Any],
    pieces: Sequence[str],
    types: Sequence[int],
    merges: Sequence[str],
    *,
    numbers: Mapping[str, int | None],
    source: str,
) -> HuggingFaceTokenizer:
    """Rebuilds a tokenizer over bytes.

    Args:
        metadata: The metadata of the file.
        pieces: The pieces, in the order of their ids.
        types: The type of each, by the numbers of SentencePiece (3 control).
        merges: The pairs of pieces that are merged, the first ones first.
        numbers: The ids of special tokens: `bos`, `eos`, `eot`, `padding`.
        source: What the metadata comes from, for error texts.

    Returns:
        The tokenizer.

    Raises:
        LoadError: If texts are cut in an unknown way, the vocabulary is damaged, or the package
            `tokenizers` is missing.
    """
    name = metadata.get("tokenizer.ggml.pre")
    if name not in _CUTS:
        known = ", ".join(map(repr, _CUTS))
        raise LoadError(
            f"Expected `tokenizer.ggml.pre` to name a way to cut texts that is known ({known}), "
            f"but {source} has {name!r}. Load the tokenizer from the Hugging Face folder of the "
            "model."
        )
    cut = _CUTS[name]
    package: Any = import_extra("tokenizers", "hf", "The tokenizer of this checkpoint")
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    pairs = [tuple(merge.split(" ")) for merge in merges]
    try:
        model = package.models.BPE(vocabulary, pairs, ignore_merges=cut.keeps_words)
    except Exception as error:  # the library raises bare exceptions
        raise LoadError(
            f"Expected merges of two pieces of the vocabulary, but the package `tokenizers` says: "
            f"{error}. The tokenizer in {source} is damaged."
        ) from error
    library = package.Tokenizer(model)
    if cut.normal_form:
        library.normalizer = package.normalizers.NFC()
    library.pre_tokenizer = _splitter(package, cut)
    library.decoder = package.decoders.ByteLevel()
    for special in (True, False):
        kind = _CONTROL if special else _USER_DEFINED
        library.add_tokens(
            [
                package.AddedToken(piece, special=special, normalized=False)
                for piece, number in zip(pieces, types, strict=True)
                if number == kind
            ]
        )
    adds = {
        "bos": metadata.get("tokenizer.ggml.add_bos_token", cut.adds_bos),
        "eos": metadata.get("tokenizer.ggml.add_eos_token", False),
    }
    bos, eos = numbers["bos"], numbers["eos"]
    frame = [
        [pieces[number]] if adds[name] and number is not None else []
        for name, number in (("bos", bos), ("eos", eos))
    ]
    if any(frame):
        library.post_processor = package.processors.TemplateProcessing(
            single=[*frame[0], "$A", *frame[1]],
            special_tokens=[(piece, vocabulary[piece]) for part in frame for piece in part],
        )
    ends = dict.fromkeys(n for n in (eos, numbers["eot"]) if n is not None)
    return HuggingFaceTokenizer(library, bos_id=bos, eos_ids=tuple(ends), pad_id=numbers["padding"])


def _splitter(package: Any, cut: _Cut) -> Any:
    """The part of a tokenizer that cuts texts into words and writes their bytes as characters."""
    kinds = package.pre_tokenizers
    parts = [kinds.Digits(individual_digits=True)] if cut.single_digits else []
    if cut.words is not None:
        parts.append(kinds.Split(package.Regex(cut.words), "isolated"))
    parts.append(kinds.ByteLevel(add_prefix_space=False, use_regex=cut.words is None))
    return kinds.Sequence(parts)
