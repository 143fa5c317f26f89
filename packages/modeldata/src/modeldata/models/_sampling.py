"""Choosing the next token from logits."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class SamplingSettings:
    """How the next token is chosen.

    Attributes:
        temperature: What logits are divided by; 0 takes the most likely token.
        top_k: How many of the most likely tokens may be drawn, or None for all.
        top_p: The share of probability that the tokens that may be drawn must reach, beginning
            with the most likely one (nucleus sampling, Holtzman et al. 2020), or None for all.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None

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

    @property
    def is_random(self) -> bool:
        """Whether anything is drawn."""
        return self.temperature > 0


def choose_tokens(logits: jax.Array, key: Any, settings: SamplingSettings) -> jax.Array:
    """Chooses a token for each row.

    Args:
        logits: Logits with the vocabulary as the last axis.
        key: A random key; not used if nothing is drawn.
        settings: How to choose.

    Returns:
        Integers with the shape of `logits` without its last axis.
    """
    if not settings.is_random:
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)
    scaled = logits.astype(jnp.float32) / settings.temperature
    if settings.top_k is None and settings.top_p is None:
        return jax.random.categorical(key, scaled).astype(jnp.int32)
    # Sorted from the most likely on, both limits keep a beginning.
    limit = min(settings.top_k or scaled.shape[-1], scaled.shape[-1])
    values, tokens = jax.lax.top_k(scaled, limit)
    if settings.top_p is not None:
        shares = jax.nn.softmax(values, axis=-1)
        reached = jnp.cumsum(shares, axis=-1) - shares
        values = jnp.where(reached < settings.top_p, values, -jnp.inf)
    drawn = jax.random.categorical(key, values)
    return jnp.take_along_axis(tokens, drawn[..., None], axis=-1)[..., 0].astype(jnp.int32)
