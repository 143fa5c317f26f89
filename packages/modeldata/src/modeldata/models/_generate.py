"""Generating text: what users call, and the text while it is written."""

import dataclasses
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from modeldata.models._decoding import read_prompt_tokens, write_tokens
from modeldata.models._prompts import Prompt, is_integer, plain_list, read_prompt
from modeldata.models._sampling import SamplingSettings, read_key, read_settings
from modeldata.models.transformer import KVCachingTransformerLM, TransformerLM
from modeldata.models.transformer._caching import positions_grow
from modeldata.named import NamedArray
from modeldata.variables import (
    StateVariable,
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
    temperature: Any = 0.0,
    top_k: int | None = None,
    top_p: Any = None,
    min_p: Any = None,
    rng: Any = None,
    side_inputs: Mapping[str, Any] | None = None,
) -> Any:
    """Continues prompts with a cache of keys and values.

    Layers with a sliding window keep only that, unless an edit put layers of another kind into
    their attention; the others keep `cache_len` tokens.

    By default the most likely token is taken each time. Edits of the model take part in every
    step; state variables that they hold have the values of the last step afterwards. After the
    prompt, each step gives the model one token only, so a layer that mixes tokens in another way
    than `Attention` does not see those before.

    Other numbers for `temperature`, `top_p` and `min_p` compile nothing anew. Each may also be an
    array, or a list, with one number for each row.

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
        min_p: The least probability that a drawn token may have, as a share of that of the most
            likely one; left out, any.
        rng: The random key to draw with; needed if `temperature` is not 0. With an array of keys,
            one for each row, what a row gets does not depend on the others.
        side_inputs: More inputs for the layers, the same for all tokens, by name: what an edit
            asks for, such as a `random_stream`, or the strength of an intervention.

    Returns:
        The new tokens, without the prompt: for a list a list; for a list of lists as many lists;
        for an array one with the same batch axes. A list ends with the stop token that ended it,
        if any; a row of an array repeats it.

    Raises:
        TypeError: If `model`, `prompt` or an option is something else.
        ValueError: If a prompt is empty or has ids outside the vocabulary, the cache is too short,
            the model has no embeddings for so many positions, or an option makes no sense. Nothing
            is computed then.
        RuntimeError: Inside compiled code, which this makes itself.
    """
    text = _begin(
        model,
        prompt,
        token_positions,
        max_tokens=max_tokens,
        stop_tokens=stop_tokens,
        cache_len=cache_len,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        rng=rng,
        side_inputs=side_inputs,
    )
    text.write(until=max_tokens)
    text.keep_state()
    return text.prompt.to_answer(np.asarray(text.buffer)[..., : text.count])


def stream(
    model: TransformerLM,
    prompt: NamedArray | Sequence[int] | Sequence[Sequence[int]],
    *,
    max_tokens: int,
    token_positions: NamedArray | None = None,
    stop_tokens: Iterable[int] = (),
    cache_len: int | None = None,
    temperature: Any = 0.0,
    top_k: int | None = None,
    top_p: Any = None,
    min_p: Any = None,
    rng: Any = None,
    side_inputs: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """Continues prompts as `generate` does, and gives each token as soon as it is known.

    Each step waits for Python, so this takes longer than `generate`.

    Args:
        model: See `generate`, also for all others.
        prompt: The tokens to continue.
        max_tokens: The greatest number of new tokens.
        token_positions: For a prompt that is an array, the position of each token.
        stop_tokens: Tokens that end a continuation.
        cache_len: How many tokens the cache has places for.
        temperature: What logits are divided by before a token is drawn.
        top_k: How many of the most likely tokens may be drawn.
        top_p: The share of probability that the drawn tokens must reach.
        min_p: The least share of the greatest probability that a token may have.
        rng: The random key to draw with, or one for each row.
        side_inputs: More inputs for the layers, by name.

    Returns:
        An iterator over steps: for a list one token; for a list of lists one for each list, None
        after its end; for an array an array without the axis `seq`.

    Raises:
        TypeError: If `model`, `prompt` or an option is something else.
        ValueError: As `generate` does, and as early.
        RuntimeError: Inside compiled code.
    """
    text = _begin(
        model,
        prompt,
        token_positions,
        max_tokens=max_tokens,
        stop_tokens=stop_tokens,
        cache_len=cache_len,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        rng=rng,
        side_inputs=side_inputs,
    )
    return _steps(text, max_tokens)


def _steps(text: "_Text", max_tokens: int) -> Iterator[Any]:
    ended = np.zeros(text.prompt.tokens.shape[:-1], bool)
    for index in range(max_tokens):
        text.write(until=index + 1)
        if text.count <= index:
            return
        new = np.asarray(text.buffer)[..., index]
        text.keep_state()
        yield text.prompt.to_step(new, ended=ended)
        ended |= np.isin(new, text.stops)


@dataclasses.dataclass
class _Text:
    """A text that is being written: what is compiled, and what changes.

    Attributes:
        prompt: What it continues.
        parts: The model and its side inputs without state, and their parameters.
        variables: Their state variables.
        own_state: Those of them that layers of the user hold.
        frozen: Their values.
        buffer: The new tokens, with places for more.
        count: How many there are.
        key: What tokens are drawn with.
        settings: How they are drawn.
        stops: Tokens that end a row.
    """

    prompt: Prompt
    parts: Any
    variables: list[StateVariable]
    own_state: set[Any]
    frozen: list[Any]
    buffer: Any
    count: int
    key: jax.Array | None
    settings: SamplingSettings
    stops: tuple[int, ...]

    def write(self, until: int) -> None:
        """Writes tokens until there are so many, or all rows have ended."""
        current = self.buffer[..., self.count - 1]
        if until <= self.count or np.isin(np.asarray(current), self.stops).all():
            return
        self.buffer, count, self.frozen = write_tokens(
            self.parts,
            self.frozen,
            self.buffer,
            jnp.int32(self.count),
            self.prompt.positions.max(axis=-1) + 1,
            until=jnp.int32(until),
            key=self.key,
            settings=self.settings,
            stops=self.stops,
            has_own_state=bool(self.own_state),
        )
        self.count = int(count)

    def keep_state(self) -> None:
        """Gives the state variables of the user's layers their values."""
        for variable, value in zip(self.variables, self.frozen, strict=True):
            if variable in self.own_state:
                variable.update(value)


def _begin(
    model: TransformerLM,
    prompt: Any,
    token_positions: NamedArray | None,
    *,
    max_tokens: int,
    stop_tokens: Iterable[int],
    cache_len: int | None,
    rng: Any,
    side_inputs: Mapping[str, Any] | None,
    **options: Any,
) -> _Text:
    """Checks all options, reads the prompt and writes the first token."""
    _check_call(model, prompt)
    _check_counts(max_tokens, cache_len)
    stops = _read_stops(stop_tokens)
    texts = read_prompt(
        prompt, token_positions, vocab_size=model.metadata.vocab_size, stop_tokens=stops
    )
    _check_positions(int(texts.positions.max()) + max_tokens, model.metadata.max_positions)
    settings = read_settings(texts.row_axes, **options)
    key = _key_for(settings, rng, texts.row_axes)
    places, cache_len = _plan(texts.tokens.shape[-1], max_tokens, cache_len)
    cached = KVCachingTransformerLM.from_uncached(
        model, cache_len, texts.row_axes, keeps_all=not positions_grow(texts.positions)
    )
    unbound, variables = unbind_variables((cached, dict(side_inputs or {})))
    states = [variable for variable in variables if isinstance(variable, StateVariable)]
    static = [v.freeze() for v in variables if not isinstance(v, StateVariable)]
    parts = (unbound, static)
    frozen = [variable.freeze() for variable in states]
    first, frozen = read_prompt_tokens(parts, frozen, *texts.padded(places), key, settings=settings)
    buffer = jnp.zeros((*first.shape, _round_up(max_tokens, 64)), first.dtype)
    return _Text(
        prompt=texts,
        parts=parts,
        variables=states,
        own_state=set(unbind_state_vars((model, side_inputs))[1]),
        frozen=frozen,
        buffer=buffer.at[..., 0].set(first),
        count=1,
        key=key,
        settings=settings,
        stops=stops,
    )


def _check_positions(needed: int, available: int | None) -> None:
    if available is not None and needed > available:
        raise ValueError(
            f"Expected a text of at most {available} tokens, the positions that the model has "
            f"embeddings for, but the prompt and the new tokens need {needed}. Shorten the prompt, "
            "or ask for fewer tokens."
        )


def _check_call(model: Any, prompt: Any) -> None:
    # What JAX makes inside of compiled code is traced, whatever it is made of.
    made, given = jnp.zeros(()), getattr(prompt, "data_array", prompt)
    if isinstance(made, Tracer) or isinstance(given, Tracer):
        raise RuntimeError(  # noqa: TRY004  # the place of the call is wrong, not a type
            "Expected to generate outside of compiled code, but JAX is tracing. What generates "
            "compiles itself; call it without `jit`, `vmap` or `grad` around it."
        )
    if not isinstance(model, TransformerLM):
        raise TypeError(
            f"Expected `model` to be a `TransformerLM`, but got a `{type(model).__name__}`. A "
            "model that holds a cache already is called directly, token by token."
        )


def _key_for(
    settings: SamplingSettings, rng: Any, row_axes: Mapping[Hashable, int]
) -> jax.Array | None:
    if not settings.is_random:
        return None
    if rng is None:
        raise ValueError(
            "Expected a random key `rng` to draw tokens with at a `temperature` above 0, but got "
            "none. Pass `rng=jax.random.key(0)`."
        )
    return read_key(rng, row_axes)


def _check_counts(max_tokens: Any, cache_len: Any) -> None:
    for name, value in (("max_tokens", max_tokens), ("cache_len", cache_len)):
        if not isinstance(value, Integral | None):
            raise TypeError(
                f"Expected `{name}` to be a number of tokens, an integer, but got {value!r}."
            )
    if max_tokens is None or max_tokens < 1:
        raise ValueError(f"Expected `max_tokens` to be at least 1, but got {max_tokens}.")


def _read_stops(stop_tokens: Any) -> tuple[int, ...]:
    if isinstance(stop_tokens, str) or not isinstance(stop_tokens, Iterable):
        raise TypeError(
            "Expected `stop_tokens` to be a collection of token ids, such as the tokenizer's "
            f"`eos_ids`, but got {stop_tokens!r}. A single token goes into a list."
        )
    stops = plain_list(stop_tokens) or []
    wrong = next((token for token in stops if not is_integer(token)), None)
    if wrong is not None or None in stops:
        raise TypeError(
            f"Expected single token ids in `stop_tokens`, integers, but got {wrong!r} among them. "
            "A text that takes several tokens cannot stop; `models.stream` lets you stop anywhere."
        )
    return tuple(sorted(set(map(int, stops))))


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
