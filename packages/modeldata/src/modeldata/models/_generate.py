"""Generating text: one compiled pass over the prompt, one compiled loop over new tokens.

The loop runs on the device (`jax.lax.while_loop`), so no step waits for Python. It carries the
values of all state variables of the model: the caches, and those of layers that were put in by an
edit, such as saved intermediates. A loop needs values of constant shape. A saved intermediate has
another shape after the prompt than after a single token, so for models with state of their own the
shapes are compared first, and one step is taken before the loop if they differ.

Both parts are compiled for a number of places, not for a length of text: prompts are padded to the
next round number, and so is the cache. Padding never changes a result.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata.models._prompts import read_prompt
from modeldata.models._sampling import SamplingSettings, choose_tokens
from modeldata.models.transformer import KVCachingTransformerLM, TransformerLM
from modeldata.named import NamedArray
from modeldata.variables import (
    StateVariable,
    bind_variables,
    unbind_state_vars,
    unbind_variables,
)

_SEQ = "seq"


def generate(
    model: TransformerLM,
    prompt: NamedArray | Sequence[int] | Sequence[Sequence[int]],
    *,
    max_tokens: int,
    token_positions: NamedArray | None = None,
    stop_tokens: Iterable[int] = (),
    cache_len: int | None = None,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    rng: jax.Array | None = None,
) -> Any:
    """Continues prompts with a cache of keys and values.

    By default the most likely token is taken each time. Edits of the model take part in every
    step; state variables that they hold have the values of the last step afterwards.

    Args:
        model: The model, edited or not.
        prompt: The tokens to continue: a list, a list of lists of any lengths, or integers with
            the axis `seq` and any batch axes.
        max_tokens: The greatest number of new tokens.
        token_positions: For a prompt that is an array, the position of each token, as for the
            model; -1 marks padding.
        stop_tokens: Tokens that end a continuation; most often the tokenizer's `eos_ids`.
        cache_len: How many tokens the cache has places for. Left out, it is as long as needed.
        temperature: What logits are divided by before a token is drawn; 0 draws nothing and takes
            the most likely token.
        top_k: How many of the most likely tokens may be drawn; left out, all.
        top_p: The share of probability that the drawn tokens must reach, from the most likely on;
            left out, all.
        rng: The random key to draw with; needed if `temperature` is not 0.

    Returns:
        The new tokens, without the prompt: for a list a list; for a list of lists as many lists;
        for an array one with the same batch axes. A list ends with the stop token that ended it,
        if any; a row of an array repeats it.

    Raises:
        TypeError: If `model` or `prompt` is something else.
        ValueError: If a prompt is empty or has ids outside the vocabulary, the cache is too short,
            or an option makes no sense. Nothing is computed then.
    """
    settings = SamplingSettings(temperature, top_k, top_p)
    _check_options(model, max_tokens, settings, rng)
    stops = tuple(sorted({int(token) for token in stop_tokens}))
    texts = read_prompt(
        prompt, token_positions, vocab_size=model.metadata.vocab_size, stop_tokens=stops
    )
    places, cache_len = _plan(texts.tokens.shape[-1], max_tokens, cache_len)
    cached = KVCachingTransformerLM.from_uncached(model, cache_len, texts.row_axes)
    own_state = set(unbind_state_vars(model)[1])
    unbound, variables = unbind_variables(cached)
    states = [variable for variable in variables if isinstance(variable, StateVariable)]
    static = [v.freeze() for v in variables if not isinstance(v, StateVariable)]
    parts = (unbound, static)
    frozen = [variable.freeze() for variable in states]
    key = rng if settings.is_random else None
    first, frozen = _read(parts, frozen, *texts.padded(places), key, settings=settings)
    buffer, count = np.asarray(first)[..., None], 1
    if max_tokens > 1 and not np.isin(buffer, stops).all():
        buffer, count, frozen = _write(
            parts,
            frozen,
            first,
            texts.positions.max(axis=-1) + 1,
            max_tokens,
            key=key,
            settings=settings,
            stops=stops,
            buffer_len=_round_up(max_tokens, 64),
            has_own_state=bool(own_state),
        )
    for variable, value in zip(states, frozen, strict=True):
        if variable in own_state:
            variable.update(value)
    return texts.to_answer(np.asarray(buffer)[..., : int(count)])


def _check_options(
    model: Any, max_tokens: int, settings: SamplingSettings, rng: jax.Array | None
) -> None:
    if not isinstance(model, TransformerLM):
        raise TypeError(
            f"Expected `model` to be a `TransformerLM`, but got a `{type(model).__name__}`. A "
            "model that holds a cache already is called directly, token by token."
        )
    if max_tokens < 1:
        raise ValueError(f"Expected `max_tokens` to be at least 1, but got {max_tokens}.")
    if settings.is_random and rng is None:
        raise ValueError(
            f"Expected a random key `rng` to draw tokens with at `temperature` "
            f"{settings.temperature}, but got none. Pass `rng=jax.random.key(0)`."
        )


def _plan(length: int, max_tokens: int, cache_len: int | None) -> tuple[int, int]:
    """Returns how many places the prompt takes, padding included, and the length of the cache."""
    # The last new token is never read.
    new = max_tokens - 1
    places = _round_up(length, 32 if length <= 256 else 128)
    if cache_len is None:
        return places, _round_up(places + new, 128)
    if length + new > cache_len:
        raise ValueError(
            f"Expected a `cache_len` of at least {length + new}, for a prompt of {length} tokens "
            f"and all but the last of {max_tokens} new ones, but got {cache_len}. Leave it out, or "
            "ask for fewer tokens."
        )
    return min(places, cache_len - new), cache_len


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step


@functools.partial(jax.jit, static_argnames=("settings",))
def _read(
    parts: Any,
    states: list[Any],
    tokens: NamedArray,
    positions: NamedArray,
    key: jax.Array | None,
    *,
    settings: SamplingSettings,
) -> tuple[jax.Array, list[Any]]:
    """Reads the prompt and chooses the first new token of each row."""
    model, live = _bind(parts, states)
    rows = tuple(name for name in tokens.dims if name != _SEQ)
    last = NamedArray(data_array=jnp.argmax(positions.data_array, axis=-1), dims=rows)
    logits = model(tokens, token_positions=positions, output_slot=last)
    if _SEQ in logits.named_shape:
        logits = logits[{_SEQ: last}]
    chosen = choose_tokens(_rows_first(logits, rows), _step_key(key, 0), settings)
    return chosen, [variable.freeze() for variable in live]


@functools.partial(jax.jit, static_argnames=("settings", "stops", "buffer_len", "has_own_state"))
def _write(
    parts: Any,
    states: list[Any],
    first: jax.Array,
    positions: jax.Array,
    max_tokens: jax.Array,
    *,
    key: jax.Array | None,
    settings: SamplingSettings,
    stops: tuple[int, ...],
    buffer_len: int,
    has_own_state: bool,
) -> tuple[jax.Array, jax.Array, list[Any]]:
    """Writes the other new tokens, until there are enough or all rows have ended."""
    rows = tuple(name for name, _ in parts[0].batch_axes)

    def is_stop(tokens: jax.Array) -> jax.Array:
        return jnp.isin(tokens, jnp.array(stops, tokens.dtype))

    def step(carry: Any) -> Any:
        index, current, buffer, states = carry
        model, live = _bind(parts, states)
        dims = (*rows, _SEQ)
        logits = model(
            NamedArray(data_array=current[..., None], dims=dims),
            token_positions=NamedArray(data_array=(positions + index - 1)[..., None], dims=dims),
        )
        logits = _rows_first(logits[{_SEQ: 0}], rows)
        chosen = choose_tokens(logits, _step_key(key, index), settings)
        current = jnp.where(is_stop(current), current, chosen)
        buffer = jax.lax.dynamic_update_index_in_dim(buffer, current, index, axis=-1)
        return index + 1, current, buffer, [variable.freeze() for variable in live]

    def is_unfinished(carry: Any) -> jax.Array:
        index, current, *_ = carry
        return (index < max_tokens) & ~jnp.all(is_stop(current))

    buffer = jnp.zeros((*first.shape, buffer_len), first.dtype).at[..., 0].set(first)
    carry = (jnp.int32(1), first, buffer, states)
    if has_own_state:
        carry = _settled(step, carry)
    index, _, buffer, states = jax.lax.while_loop(is_unfinished, step, carry)
    return buffer, index, states


def _settled(step: Any, carry: Any) -> Any:
    """Takes a first step if state variables have other shapes after it."""
    if not _changing(step, carry):
        return carry
    carry = step(carry)
    changing = _changing(step, carry)
    if changing:
        raise ValueError(
            "Expected state variables that keep their shape from token to token, but "
            f"{', '.join(f'`{label}`' for label in changing)} had another shape after each of the "
            "first two. Take out the layers that hold them, or call the model token by token."
        )
    return carry


def _changing(step: Any, carry: Any) -> list[Any]:
    """Labels of the state variables that another step gives other shapes."""
    before, after = carry[-1], jax.eval_shape(step, carry)[-1]
    pairs = zip(before, after, strict=True)
    return [old.label for old, new in pairs if _shapes(old) != _shapes(new)]


def _shapes(tree: Any) -> Any:
    leaves, treedef = jax.tree_util.tree_flatten(tree)
    return treedef, [(jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves]


def _bind(parts: Any, states: list[Any]) -> tuple[KVCachingTransformerLM, list[StateVariable]]:
    unbound, static = parts
    live = [value.unfreeze_as_copy() for value in states]
    return bind_variables(unbound, [*static, *live]), live


def _rows_first(logits: NamedArray, rows: tuple[Any, ...]) -> jax.Array:
    """Returns plain logits with the axes of the prompt in front."""
    if set(logits.named_shape) != {*rows, "vocabulary"}:
        raise ValueError(
            f"Expected logits with the axes {(*rows, 'vocabulary')}, those of the prompt and the "
            f"vocabulary, but the model made {logits.named_shape}. If an edit adds an axis, give "
            "the prompt that axis as well (`tokens.broadcast_to`)."
        )
    return logits.unwrap(*rows, "vocabulary")


def _step_key(key: jax.Array | None, index: Any) -> jax.Array | None:
    return None if key is None else jax.random.fold_in(key, index)
