"""Choosing the next token from logits."""

import dataclasses
import math
from collections.abc import Hashable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.named import NamedArray


@dataclasses.dataclass(frozen=True)
class SamplingSettings:
    """How the next token is chosen.

    Attributes:
        temperature: What logits are divided by; 0 takes the most likely token.
        top_k: How many of the most likely tokens may be drawn, or None for all.
        top_p: The share of probability that the tokens that may be drawn must reach, beginning
            with the most likely one (nucleus sampling, Holtzman et al. 2020), or None for all.
        min_p: The least probability that a token may have to be drawn, as a share of that of the
            most likely one (Nguyen et al. 2024), or None for any.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(
                "Expected `temperature` to be 0 (the most likely token) or a number above it, but "
                f"got {self.temperature!r}."
            )
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(
                "Expected `top_k` to be at least 1, or None for all tokens, but got "
                f"{self.top_k!r}."
            )
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(
                "Expected `top_p` to be above 0 and at most 1, or None for all tokens, but got "
                f"{self.top_p!r}."
            )

        if self.min_p is not None and not 0 < self.min_p <= 1:
            raise ValueError(
                "Expected `min_p` to be above 0 and at most 1, or None for any probability, but "
                f"got {self.min_p!r}."
            )

    @property
    def is_random(self) -> bool:
        """Whether anything is drawn."""
        return self.temperature > 0


def choose_tokens(logits: jax.Array, key: Any, settings: SamplingSettings) -> jax.Array:
    """Chooses a token for each row.

    Args:
        logits: Logits with the vocabulary as the last axis.
        key: A random key for all rows, or an array of keys, one for each; not used if nothing is
            drawn.
        settings: How to choose.

    Returns:
        Integers with the shape of `logits` without its last axis.
    """
    if not settings.is_random:
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)
    scaled = logits.astype(jnp.float32) / settings.temperature
    if settings.top_k is None and settings.top_p is None:
        return _draw(key, _likely(scaled, settings.min_p)).astype(jnp.int32)
    # Sorted from the most likely on, both limits keep a beginning.
    limit = min(settings.top_k or scaled.shape[-1], scaled.shape[-1])
    values, tokens = jax.lax.top_k(scaled, limit)
    if settings.top_p is not None:
        shares = jax.nn.softmax(values, axis=-1)
        reached = jnp.cumsum(shares, axis=-1) - shares
        values = jnp.where(reached < settings.top_p, values, -jnp.inf)
    drawn = _draw(key, _likely(values, settings.min_p))
    return jnp.take_along_axis(tokens, drawn[..., None], axis=-1)[..., 0].astype(jnp.int32)


def _likely(logits: jax.Array, min_p: float | None) -> jax.Array:
    """Takes away tokens that are much less likely than the most likely one."""
    if min_p is None:
        return logits
    greatest = jnp.max(logits, axis=-1, keepdims=True)
    return jnp.where(logits >= greatest + math.log(min_p), logits, -jnp.inf)


def _draw(key: jax.Array, logits: jax.Array) -> jax.Array:
    """Draws with one key for all rows, or with a key for each."""
    if not key.ndim:
        return jax.random.categorical(key, logits)
    rows = logits.reshape(-1, logits.shape[-1])
    return jax.vmap(jax.random.categorical)(key.reshape(-1), rows).reshape(logits.shape[:-1])


def step_key(key: jax.Array | None, index: Any) -> jax.Array | None:
    """Returns the key of a step; an array of keys for an array.

    Args:
        key: The key of the whole text, or one for each row.
        index: The number of the step.
    """
    if key is None or not key.ndim:
        return None if key is None else jax.random.fold_in(key, index)
    folded = jax.vmap(jax.random.fold_in, in_axes=(0, None))(key.reshape(-1), index)
    return folded.reshape(key.shape)


def read_key(rng: Any, row_axes: Mapping[Hashable, int]) -> jax.Array:
    """Returns the random key to draw with, or an array of them with the shape of the rows.

    Args:
        rng: A key, an array of keys in the order of the rows, or a named array of keys.
        row_axes: Names and sizes of the axes of rows.

    Raises:
        TypeError: If it is no random key.
        ValueError: If there are several keys, but not one for each row.
    """
    keys = rng.unwrap(*row_axes) if isinstance(rng, NamedArray) else jnp.asarray(rng)
    if keys.dtype != jnp.uint32 and not jnp.issubdtype(keys.dtype, jax.dtypes.prng_key):
        raise TypeError(
            f"Expected `rng` to be a random key, but got {rng!r}. Pass `rng=jax.random.key(0)`."
        )
    if keys.dtype == jnp.uint32:
        # Keys of the older kind are pairs of integers.
        keys = jax.random.wrap_key_data(keys)
    if keys.shape not in ((), tuple(row_axes.values())):
        raise ValueError(
            f"Expected `rng` to be one random key, or one for each of the rows {dict(row_axes)} of "
            f"the prompt, but got an array of keys of shape {keys.shape}. Make as many with "
            "`jax.random.split`."
        )
    return keys
