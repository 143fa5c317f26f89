"""SentencePiece tokenizers, rebuilt from the vocabulary that a GGUF file carries.

A GGUF file holds the pieces, scores and types of a SentencePiece vocabulary but not the model file
that the library reads. That file is one protocol-buffer message, of which only a few fields matter
here, so it is written out directly:

    ModelProto       1: pieces (repeated)   2: trainer   3: normalizer
    SentencePiece    1: piece   2: score   3: type
    TrainerSpec      3: model type   35: byte fallback   40: id of the unknown piece
                     41, 42, 43: ids of the begin, end and padding pieces
    NormalizerSpec   1: name   3: add a space in front   4: drop extra spaces   5: spaces U+2581

A field is its number and wire type in one varint, then a varint (wire type 0), a length and bytes
(2), or a 32-bit number (5). Source: sentencepiece_model.proto of SentencePiece, and the encoding
guide of protocol buffers.

Control pieces go in as user-defined ones, since the library finds only those in a text, and a chat
written out as text must give the control tokens. The unknown piece must keep its type, so texts are
split at it first.

Runs of spaces are user-defined too in Gemma's vocabulary, which would take the longest run from the
left: 33 spaces as 31 and 2. The tokenizer that transformers and its models use merges them pairwise
like all other pieces, shorter runs first and before anything else: 16, 16 and 1. Text that a model
sees should be split as its users split it, so these pieces become ordinary ones with high scores.
"""

import struct
from collections.abc import Sequence
from typing import Any

from modeldata.models.checkpoints import LoadError, import_extra
from modeldata.models.tokenizers._base import Tokenizer, join_bytes

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_BPE = 2
_VARINT, _BYTES = 0, 2
_PACK_FLOAT = struct.Struct("<f").pack
_SPACE = "\u2581"
_SPACE_SCORE = 1e6


class SentencePieceTokenizer(Tokenizer):
    """A byte-pair vocabulary with byte fallback, run by the SentencePiece library."""

    def __init__(
        self,
        pieces: Sequence[str],
        scores: Sequence[float],
        types: Sequence[int],
        *,
        bos_id: int | None,
        eos_ids: Sequence[int],
        unk_id: int,
        pad_id: int | None,
        adds_bos: bool,
        adds_space: bool,
    ) -> None:
        """Builds a tokenizer from a vocabulary.

        Args:
            pieces: The pieces, in the order of their ids.
            scores: The score of each; merges with a higher score come first.
            types: The type of each, by the numbers of SentencePiece (3 control, 6 byte).
            bos_id: See `Tokenizer`.
            eos_ids: See `Tokenizer`.
            unk_id: The token for what can't be written otherwise.
            pad_id: See `Tokenizer`.
            adds_bos: See `Tokenizer`.
            adds_space: Whether a space is put in front of every text before it is split.

        Raises:
            LoadError: If the package `sentencepiece` is missing, or refuses this vocabulary.
        """
        library: Any = import_extra("sentencepiece", "gguf", "The tokenizer of this checkpoint")
        self.vocab_size = len(pieces)
        self.bos_id, self.eos_ids, self.pad_id = bos_id, tuple(eos_ids), pad_id
        self.adds_bos = adds_bos
        self._adds_space = adds_space
        self._unk_id, self._unk_text = unk_id, pieces[unk_id]
        self._pieces = list(pieces)
        self._types = list(types)
        try:
            self._library = library.SentencePieceProcessor(
                model_proto=_model(self._pieces, scores, self._types, unk_id, adds_space=adds_space)
            )
        except (RuntimeError, OSError) as error:
            raise LoadError(
                f"Expected a vocabulary that SentencePiece accepts, but it says: {error}. The "
                "checkpoint's tokenizer is damaged."
            ) from error

    def _encode(self, text: str) -> list[int]:
        first, *others = text.split(self._unk_text)
        tokens = self._library.encode(first)
        for part in others:
            tokens += [self._unk_id, *self._library.encode(part)]
        return tokens

    def _decode(self, tokens: list[int]) -> str:
        text = "".join(join_bytes(map(self._part, tokens)))
        return text.removeprefix(" ") if self._adds_space else text

    def _part(self, token: int) -> str | int:
        piece, kind = self._pieces[token], self._types[token]
        if kind == _BYTE:
            return int(piece[1:-1], 16)  # written <0x0A>
        return piece.replace(_SPACE, " ")

    def _piece(self, token: int) -> str:
        return self._pieces[token]


def _model(
    pieces: Sequence[str],
    scores: Sequence[float],
    types: Sequence[int],
    unk_id: int,
    *,
    adds_space: bool,
) -> bytes:
    """The message that the SentencePiece library reads."""
    parts = bytearray()
    for number, (piece, score, kind) in enumerate(zip(pieces, scores, types, strict=True)):
        if number == unk_id:
            message = _piece_message(piece, score, _UNKNOWN)
        elif kind in (_CONTROL, _USER_DEFINED):
            message = _special_message(piece.replace(" ", _SPACE), score)
        else:
            message = _piece_message(piece, score, _UNUSED if kind == _UNKNOWN else kind)
        parts += _field(1, message)
    # The begin, end and padding pieces are ordinary user-defined pieces here; -1 means none.
    trainer = b"".join(
        _number(field, value)
        for field, value in ((3, _BPE), (35, 1), (40, unk_id), (41, -1), (42, -1), (43, -1))
    )
    normalizer = _field(1, b"identity") + b"".join(
        _number(field, value) for field, value in ((3, int(adds_space)), (4, 0), (5, 1))
    )
    return bytes(parts + _field(2, trainer) + _field(3, normalizer))


def _special_message(piece: str, score: float) -> bytes:
    if piece.strip(_SPACE):
        return _piece_message(piece, score, _USER_DEFINED)
    return _piece_message(piece, _SPACE_SCORE - len(piece), _NORMAL)


def _piece_message(piece: str, score: float, kind: int) -> bytes:
    return b"%b\x15%b\x18%c" % (_field(1, piece.encode()), _PACK_FLOAT(score), kind)


def _field(number: int, content: bytes) -> bytes:
    return b"%c%b%b" % (number << 3 | _BYTES, _varint(len(content)), content)


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value % 2**64)


def _varint(value: int) -> bytes:
    if value < 0x80:
        return b"%c" % value
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)
