"""What integers stand for: the texts of tokens by their numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from treeview._document import Text, text
from treeview._names import class_of, type_name
from treeview.arrays.statistics import NumpyArray, number_kind

TokenLookup = Callable[[int], str | None]
"""Gives the text of a token; None, or an error about the number, where there is no such token."""

_LARGEST_ROWS = 8
_LARGEST_TOKENS = 256
_NO_SUCH_TOKEN = (LookupError, ValueError, OverflowError)


def token_texts(tokenizer: Any) -> TokenLookup:
    """How a tokenizer writes one token.

    Tokens are written as its vocabulary has them (`Ġcat`, `▁cat`), which tells apart what looks
    the same once it is decoded.

    Args:
        tokenizer: One of SentencePiece, `tokenizers`, `transformers`; an object with a method
            `piece` for a number or `decode` for lists of numbers; or a function from a number to a
            text.

    Returns:
        A function from the number of a token to a Python literal of its text.

    Raises:
        TypeError: It is none of these.
    """
    pieces = ("id_to_piece", "IdToPiece", "id_to_token", "convert_ids_to_tokens", "piece")
    for name in pieces:
        method = getattr(tokenizer, name, None)
        if callable(method):
            return _written(method)
    decode = getattr(tokenizer, "decode", None)
    if callable(decode):
        return _written(lambda number: decode([number]))
    if callable(tokenizer):
        return _written(tokenizer)
    raise TypeError(
        "Expected a tokenizer of SentencePiece, `tokenizers` or `transformers`, an object with "
        f"`decode`, or a function from a number to a text, got `{type_name(class_of(tokenizer))}`; "
        "pass `lambda number: words[number]` for a list of words."
    )


def _written(lookup: Callable[[int], Any]) -> TokenLookup:
    def written(number: int) -> str | None:
        piece = lookup(number)
        return None if piece is None else repr(piece)

    return written


def has_tokens(values: NumpyArray) -> bool:
    """Whether values may be numbers of tokens: integers, and at least one of them."""
    return number_kind(values.dtype) == "integer" and values.size > 0


def token_lines(values: NumpyArray, lookup: TokenLookup, window: tuple[Any, ...]) -> list[Text]:
    """The tokens behind numbers, one line for each row.

    Args:
        values: Integers, of which the last axis runs along a line.
        lookup: Gives the text of a token.
        window: For each axis the indices that `values` shows.

    Returns:
        Lines that begin with the index of the row; the last one says how many are left out.
    """
    rows = values.reshape(-1, values.shape[-1] if values.ndim else 1)
    shown = rows[:_LARGEST_ROWS, :_LARGEST_TOKENS]
    masks = np.ma.getmaskarray(shown)
    numbers = np.ma.getdata(shown).astype(object)
    names = token_names(shown, lookup)
    lines: list[Text] = []
    for row, (line, mask) in enumerate(zip(numbers.tolist(), masks.tolist(), strict=True)):
        words = [
            "--" if hidden else names[number] for number, hidden in zip(line, mask, strict=True)
        ]
        cut = _cut(window[-1]) if window else 0
        if 0 < cut < len(words):
            words.insert(cut, "…")
        if rows.shape[1] > len(line):
            words.append("…")
        where = np.unravel_index(row, values.shape[:-1]) if values.ndim > 1 else ()
        place = [str(axis[index]) for axis, index in zip(window, where, strict=False)]
        label = f"tokens[{', '.join(place)}]: " if place else "tokens: "
        lines.append(text((label, "muted"), (" ".join(words), "string")))
    if len(rows) > len(shown):
        lines.append(text((f"… {len(rows) - len(shown)} more rows of tokens", "muted")))
    return lines


def token_names(values: NumpyArray, lookup: TokenLookup) -> dict[int, str]:
    """The texts of all tokens whose numbers are among some integers that are not masked."""
    numbers = np.ma.getdata(values).astype(object)
    return {
        number: _name(number, lookup)
        for number in set(numbers[~np.ma.getmaskarray(values)].tolist())
    }


def _name(number: int, lookup: TokenLookup) -> str:
    """The text of a token; negative numbers are none, whatever indexing from the end may find."""
    label: Any = None
    if number >= 0:
        try:
            label = lookup(number)
        except _NO_SUCH_TOKEN:
            label = None
    return f"<out of bounds: {number}>" if label is None else str(label)


def _cut(indices: np.ndarray[Any, np.dtype[np.intp]]) -> int:
    """Before which of the shown indices some are left out, or 0."""
    gaps = np.flatnonzero(np.diff(indices) > 1)
    return int(gaps[0]) + 1 if len(gaps) else 0
