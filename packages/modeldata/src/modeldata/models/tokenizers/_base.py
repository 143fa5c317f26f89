"""What every tokenizer offers: text to tokens and back."""

import abc
from collections.abc import Iterable, Iterator

import numpy as np

_REPLACEMENT = "\ufffd"


class Tokenizer(abc.ABC):
    """Turns text into tokens and back, as the checkpoint's own tokenizer does.

    Attributes:
        vocab_size: The number of tokens.
        bos_id: The token that begins a text, or None.
        eos_ids: The tokens that end a text; `generate` can stop at them.
        pad_id: The token that fills up shorter texts, or None.
        adds_bos: Whether `encode` begins with `bos_id` unless it is told otherwise.
        closing_ids: The tokens that `encode` puts behind a text, where it begins with `bos_id`.
    """

    vocab_size: int
    bos_id: int | None
    eos_ids: tuple[int, ...]
    pad_id: int | None
    adds_bos: bool
    closing_ids: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(vocab_size={self.vocab_size}, bos_id={self.bos_id}, "
            f"eos_ids={self.eos_ids}, pad_id={self.pad_id}, adds_bos={self.adds_bos})"
        )

    def encode(self, text: str, *, add_bos: bool | None = None) -> list[int]:
        """Turns a text into tokens.

        Control tokens written out in the text, such as `<start_of_turn>`, become those tokens.

        Args:
            text: Any string.
            add_bos: Whether to begin with `bos_id`, and to end with `closing_ids`. Left out, the
                checkpoint decides, which is what the model was trained on. Pass False for a text
                that goes in the middle, or one that has its `<bos>` written out already.

        Returns:
            The tokens.

        Raises:
            TypeError: If `text` is no string.
            ValueError: If UTF-8 can't write `text`, or a `bos_id` is wanted and there is none.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"Expected `text` to be a string, but got a {type(text).__name__}. Encode texts "
                "one by one."
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"Expected a text that UTF-8 can write, but character {error.start} is the lone "
                f"surrogate {text[error.start]!r}. Remove it, for example with "
                "`text.encode(errors='replace').decode()`."
            ) from error
        wanted = self.adds_bos if add_bos is None else add_bos
        if wanted and self.bos_id is None:
            raise ValueError(
                "Expected a tokenizer with a token that begins a text, but its `bos_id` is None. "
                "Encode without `add_bos=True`."
            )
        start = [self.bos_id] if wanted and self.bos_id is not None else []
        end = list(self.closing_ids) if wanted else []
        return [*start, *self._encode(text), *end]

    def decode(self, ids: Iterable[int]) -> str:
        """Turns tokens into text; the inverse of `encode`.

        A leading `bos_id` that `encode` adds by itself is left out again, and so are `closing_ids`.
        All other control tokens are written out. Bytes that are no UTF-8 become U+FFFD, one for
        each.

        Args:
            ids: The tokens: a list, or an array with one axis.

        Returns:
            The text.

        Raises:
            ValueError: If a token lies outside the vocabulary, or `ids` has more than one axis.
        """
        tokens = self._check(ids)
        if self.adds_bos and tokens and tokens[0] == self.bos_id:
            tokens = tokens[1:]
            count = len(self.closing_ids)
            if count and tuple(tokens[-count:]) == self.closing_ids:
                tokens = tokens[:-count]
        return self._decode(tokens)

    def piece(self, token: int) -> str:
        """Returns how the vocabulary writes one token, for labels.

        A leading space shows as U+2581 where the vocabulary does so.

        Args:
            token: The token.

        Returns:
            The piece.

        Raises:
            ValueError: If the token lies outside the vocabulary.
        """
        return self._piece(self._check([token])[0])

    @abc.abstractmethod
    def _encode(self, text: str) -> list[int]:
        """Tokens of a text, without those that frame it."""

    @abc.abstractmethod
    def _decode(self, tokens: list[int]) -> str:
        """Text of checked tokens."""

    @abc.abstractmethod
    def _piece(self, token: int) -> str:
        """Piece of a checked token."""

    def _check(self, ids: Iterable[int]) -> list[int]:
        plain = getattr(ids, "data_array", ids)
        array = np.asarray(plain if hasattr(plain, "shape") else list(plain))
        if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
            raise ValueError(
                f"Expected `ids` to be integers along one axis, but got {array.dtype} with the "
                f"shape {array.shape}. Decode the rows of a batch one by one."
            )
        tokens = array.astype(int).tolist()
        for token in tokens:
            if not 0 <= token < self.vocab_size:
                raise ValueError(
                    f"Expected tokens from 0 to {self.vocab_size - 1}, but got {token}. Were these "
                    "made by another tokenizer, or do they hold padding of -1?"
                )
        return tokens


def decode_bytes(values: bytes) -> str:
    """Decodes a run of byte tokens: as UTF-8 if it is, else one U+FFFD for each byte."""
    try:
        return values.decode()
    except UnicodeDecodeError:
        return _REPLACEMENT * len(values)


def join_bytes(parts: Iterable[str | int]) -> Iterator[str]:
    """Joins runs of bytes (integers) among texts into texts."""
    run = bytearray()
    for part in parts:
        if isinstance(part, int):
            run.append(part)
            continue
        if run:
            yield decode_bytes(bytes(run))
            run.clear()
        yield part
    if run:
        yield decode_bytes(bytes(run))
