"""Tokenizers that a Hugging Face folder describes in `tokenizer.json`."""

from pathlib import Path
from typing import Any

from modeldata.models.checkpoints import LoadError, import_extra, read_json
from modeldata.models.tokenizers._base import Tokenizer

_TOKENIZER = "tokenizer.json"
_SETTINGS = "tokenizer_config.json"
_GENERATION = "generation_config.json"


class HuggingFaceTokenizer(Tokenizer):
    """A tokenizer that is run by the tokenizers library of Hugging Face."""

    def __init__(
        self, library: Any, *, bos_id: int | None, eos_ids: tuple[int, ...], pad_id: int | None
    ) -> None:
        """Wraps a tokenizer of the library.

        Args:
            library: A `tokenizers.Tokenizer`.
            bos_id: See `Tokenizer`.
            eos_ids: See `Tokenizer`.
            pad_id: See `Tokenizer`.

        Raises:
            LoadError: If it frames texts with anything else than one token that begins them, and
                tokens of `eos_ids` that end them.
        """
        # Padding and cutting are up to those who put texts together.
        library.no_padding()
        library.no_truncation()
        self._library = library
        self.vocab_size = library.get_vocab_size(with_added_tokens=True)
        self.bos_id, self.eos_ids, self.pad_id = bos_id, eos_ids, pad_id
        frame = library.encode("").ids
        self.closing_ids = tuple(frame[1:])
        if frame[:1] not in ([], [bos_id]) or not set(self.closing_ids) <= set(eos_ids):
            raise LoadError(
                "Expected a tokenizer that puts at most its `bos_token` in front of a text and its "
                "`eos_token` behind it, but it "
                f"turns an empty text into {frame}, and `bos_token` is {bos_id}. Such tokenizers "
                "are not supported."
            )
        self.adds_bos = bool(frame)

    @classmethod
    def from_folder(cls, folder: Path) -> "HuggingFaceTokenizer":
        """Reads the tokenizer in a folder.

        Args:
            folder: An existing folder.

        Returns:
            The tokenizer.

        Raises:
            LoadError: If the folder has no `tokenizer.json` or a damaged one, or the package
                `tokenizers` is missing.
        """
        read_json(folder / _TOKENIZER)  # tells a missing file from a damaged one
        package: Any = import_extra("tokenizers", "hf", "The tokenizer of a Hugging Face folder")
        try:
            library = package.Tokenizer.from_file(str(folder / _TOKENIZER))
        except Exception as error:  # the library raises bare exceptions
            raise LoadError(
                f"Expected a tokenizer in `{folder / _TOKENIZER}`, but the package `tokenizers` "
                f"says: {error}. Fetch the file again, or update the package."
            ) from error
        settings = _read_if_there(folder / _SETTINGS)
        named = {
            name: _token_id(library, settings.get(f"{name}_token"))
            for name in ("bos", "eos", "pad", "cls", "sep")
        }
        # Encoders call the first and the last token of a text differently.
        named["bos"] = named["cls"] if named["bos"] is None else named["bos"]
        named["eos"] = named["sep"] if named["eos"] is None else named["eos"]
        ends = _read_if_there(folder / _GENERATION).get("eos_token_id", named["eos"])
        listed = ends if isinstance(ends, list) else [ends]
        return cls(
            library,
            bos_id=named["bos"],
            eos_ids=tuple(token for token in listed if token is not None),
            pad_id=named["pad"],
        )

    def _encode(self, text: str) -> list[int]:
        return self._library.encode(text, add_special_tokens=False).ids

    def _decode(self, tokens: list[int]) -> str:
        return self._library.decode(tokens, skip_special_tokens=False)

    def _piece(self, token: int) -> str:
        return self._library.id_to_token(token)


def _read_if_there(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _token_id(library: Any, token: Any) -> int | None:
    """The id of a token that is written as text, or as an object with its text."""
    text = token.get("content") if isinstance(token, dict) else token
    return library.token_to_id(text) if isinstance(text, str) else None
