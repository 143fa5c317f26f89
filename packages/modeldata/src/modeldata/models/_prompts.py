"""Prompts in all the forms that users have, as one padded array; answers in the same form."""

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from numbers import Integral
from typing import Any

import jax.numpy as jnp
import numpy as np

from modeldata.models.transformer import check_ids, check_tokens
from modeldata.named import NamedArray, wrap

_SEQ = "seq"
_BATCH = "batch"
PADDING = -1


@dataclasses.dataclass(frozen=True)
class Prompt:
    """Texts to continue.

    Attributes:
        tokens: Token ids; the last axis counts them, the others are `row_axes`.
        positions: The position of each token, of the same shape; `PADDING` for padding.
        row_axes: Names and sizes of the other axes.
        to_answer: Turns new tokens, the last axis counting them, into the form of the prompt.
        is_list: Whether the prompt is a list, or a list of lists.
    """

    tokens: np.ndarray
    positions: np.ndarray
    row_axes: dict[Hashable, int]
    to_answer: Callable[[np.ndarray], Any]
    is_list: bool

    def padded(self, places: int) -> tuple[NamedArray, NamedArray]:
        """Returns tokens and positions with padding at the end.

        Args:
            places: The size of the axis `seq`.
        """
        pad = [(0, 0)] * len(self.row_axes) + [(0, places - self.tokens.shape[-1])]
        names = (*self.row_axes, _SEQ)
        tokens = np.pad(self.tokens, pad)
        positions = np.pad(self.positions, pad, constant_values=PADDING)
        return wrap(tokens, *names), wrap(positions, *names)

    def to_step(self, new: np.ndarray, *, ended: np.ndarray) -> Any:
        """Turns the new token of each row into the form of the prompt.

        Args:
            new: The tokens, with the axes of rows.
            ended: Which rows have ended before.
        """
        if not self.is_list:
            return wrap(new, *self.row_axes)
        if not self.row_axes:
            return int(new)
        return [None if end else int(token) for token, end in zip(new, ended, strict=True)]


def read_prompt(
    prompt: Any,
    token_positions: NamedArray | None,
    *,
    vocab_size: int,
    stop_tokens: Sequence[int],
) -> Prompt:
    """Reads a prompt.

    Args:
        prompt: A named array, a list of tokens, or a list of such lists.
        token_positions: Positions for a prompt that is an array.
        vocab_size: The number of tokens that there are.
        stop_tokens: Where answers that are lists end.

    Returns:
        The prompt.

    Raises:
        TypeError: If it is something else.
        ValueError: If a text is empty, or ids lie outside the vocabulary.
    """
    if isinstance(prompt, NamedArray):
        return _from_array(check_tokens(prompt, vocab_size), token_positions)
    if token_positions is not None:
        raise ValueError(
            "Expected `token_positions` only for a prompt that is a `NamedArray`; for lists, they "
            "follow from the lengths. Leave them out."
        )
    texts = plain_list(prompt)
    if texts and all(map(is_integer, texts)):
        read = _from_lists([texts], vocab_size, stop_tokens)
        return dataclasses.replace(
            read,
            tokens=read.tokens[0],
            positions=read.positions[0],
            row_axes={},
            to_answer=lambda new: read.to_answer(new[None])[0],
        )
    rows = [plain_list(text) for text in texts or []]
    if rows and all(row is not None and all(map(is_integer, row)) for row in rows):
        return _from_lists([row or [] for row in rows], vocab_size, stop_tokens)
    if texts == []:
        raise ValueError(
            "Expected a prompt of at least one token, but got an empty list. Begin with the "
            "tokenizer's `bos_id`."
        )
    raise TypeError(
        "Expected `prompt` to be a list of token ids, a list of such lists, or a `NamedArray` with "
        f"the axis `{_SEQ}`, but got {_described(prompt)}. Encode texts with "
        "`tokenizer.encode`."
    )


def _described(prompt: Any) -> str:
    items = plain_list(prompt) or []
    parts = [part for item in items for part in plain_list(item) or [item]]
    wrong = next((part for part in parts if not is_integer(part)), None)
    inside = "" if wrong is None else f" that holds a `{type(wrong).__name__}`"
    return f"a `{type(prompt).__name__}`{inside}"


def _from_lists(texts: list[list[Any]], vocab_size: int, stop_tokens: Sequence[int]) -> Prompt:
    lengths = [len(text) for text in texts]
    if not min(lengths):
        raise ValueError(
            f"Expected prompts of at least one token, but number {lengths.index(0)} is empty. "
            "Begin with the tokenizer's `bos_id`."
        )
    check_ids(min(map(min, texts)), max(map(max, texts)), vocab_size)
    tokens = np.zeros((len(texts), max(lengths)), np.int32)
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text)] = text
    places = np.arange(max(lengths), dtype=np.int32)
    positions = np.where(places < np.array(lengths)[:, None], places, PADDING).astype(np.int32)
    stops = set(stop_tokens)

    def to_answer(new: np.ndarray) -> list[list[int]]:
        return [_until_stop(row, stops) for row in new.tolist()]

    return Prompt(tokens, positions, {_BATCH: len(texts)}, to_answer, is_list=True)


def _from_array(tokens: NamedArray, token_positions: NamedArray | None) -> Prompt:
    shape = tokens.named_shape
    count = shape.pop(_SEQ)
    names = (*shape, _SEQ)
    places = wrap(np.arange(count, dtype=np.int32), _SEQ)
    positions = places if token_positions is None else token_positions
    _check_positions(positions, {**shape, _SEQ: count})
    positions = positions.broadcast_to(named_shape={**shape, _SEQ: count})
    values = np.asarray(positions.unwrap(*names), np.int32)
    if not count or (values.max(axis=-1) < 0).any():
        raise ValueError(
            "Expected at least one token in every row of the prompt, but a row is empty or has "
            "only padding. Begin with the tokenizer's `bos_id`."
        )
    # Padding goes to the end of each row, so that the first place of a row holds its first token,
    # which some edits of attention rely on.
    order = np.argsort(values < 0, axis=-1, kind="stable")
    return Prompt(
        np.take_along_axis(np.asarray(tokens.unwrap(*names), np.int32), order, axis=-1),
        np.take_along_axis(values, order, axis=-1),
        shape,
        lambda new: wrap(new, *names),
        is_list=False,
    )


def _check_positions(positions: Any, shape: dict[Hashable, int]) -> None:
    if not isinstance(positions, NamedArray) or not jnp.issubdtype(positions.dtype, jnp.integer):
        kind = getattr(positions, "dtype", type(positions).__name__)
        raise TypeError(
            f"Expected `token_positions` to be a `NamedArray` of integers, but got {kind}."
        )
    sizes = positions.named_shape
    if positions.positional_shape or not sizes.items() <= shape.items():
        raise ValueError(
            f"Expected `token_positions` with axes of the prompt, {shape}, but got {sizes} and "
            f"positional axes {positions.positional_shape}."
        )


def _until_stop(row: list[int], stops: set[int]) -> list[int]:
    ends = [i for i, token in enumerate(row) if token in stops]
    return row[: ends[0] + 1] if ends else row


def plain_list(value: Any) -> list[Any] | None:
    """Returns a list of a collection or an array, whose elements are plain as well.

    Args:
        value: The collection; None is returned for anything else, texts included.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return None
    return [element.tolist() if hasattr(element, "tolist") else element for element in value]


def is_integer(value: Any) -> bool:
    """Returns whether a value is a single integer, and no bool."""
    return isinstance(value, Integral) and not isinstance(value, bool)
