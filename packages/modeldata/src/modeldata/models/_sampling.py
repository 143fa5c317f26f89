"""Choosing the next token from logits."""

from collections.abc import Hashable, Mapping
from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray


@pytree_dataclass
class SamplingSettings(Struct):
    """How the next token is chosen.

    Numbers are data, so that other ones compile nothing anew. Each is one number, or an array of
    one for each row.

    Attributes:
        temperature: What logits are divided by, where 0 takes the most likely token; or None to
            draw nothing at all.
        top_p: The share of probability that the tokens that may be drawn must reach, beginning
            with the most likely one (nucleus sampling, Holtzman et al. 2020), or None for all.
        min_p: The least probability that a token may have to be drawn, as a share of that of the
            most likely one (Nguyen et al. 2024), or None for any.
        top_k: How many of the most likely tokens may be drawn, or None for all.
    """

    temperature: Any = None
    top_p: Any = None
    min_p: Any = None
    top_k: int | None = static_field(default=None)

    @property
    def is_random(self) -> bool:
        """Whether anything is drawn."""
        return self.temperature is not None


def read_settings(
    row_axes: Mapping[Hashable, int],
    *,
    temperature: Any,
    top_k: Any,
    top_p: Any,
    min_p: Any,
) -> SamplingSettings:
    """Reads how tokens are to be chosen.

    Args:
        row_axes: Names and sizes of the axes of rows.
        temperature: What logits are divided by.
        top_k: How many tokens may be drawn, or None.
        top_p: The share of probability that they must reach, or None.
        min_p: The least share of the greatest probability, or None.

    Raises:
        TypeError: If one is no number.
        ValueError: If a number makes no sense, or there are several, but not one for each row.
    """
    if top_k is not None and (not isinstance(top_k, Integral) or isinstance(top_k, bool)):
        raise TypeError(
            f"Expected `top_k` to be a number of tokens, an integer, or None, but got {top_k!r}."
        )
    if top_k is not None and top_k < 1:
        raise ValueError(
            f"Expected `top_k` to be at least 1, or None for all tokens, but got {top_k!r}."
        )
    heat = _read_numbers("temperature", temperature, row_axes)
    if not ((heat >= 0) & (heat < np.inf)).all():
        raise ValueError(
            "Expected `temperature` to be 0 (the most likely token) or a number above it, but got "
            f"{temperature!r}."
        )
    reach = None if top_p is None else _read_numbers("top_p", top_p, row_axes)
    if reach is not None and not ((reach > 0) & (reach <= 1)).all():
        raise ValueError(
            "Expected `top_p` to be above 0 and at most 1, or None for all tokens, but got "
            f"{top_p!r}."
        )
    least = None if min_p is None else _read_numbers("min_p", min_p, row_axes)
    if least is not None and not ((least >= 0) & (least <= 1)).all():
        raise ValueError(
            f"Expected `min_p` to be from 0 to 1, or None for any probability, but got {min_p!r}."
        )
    return SamplingSettings(
        temperature=heat if heat.any() else None,
        top_p=reach,
        min_p=least,
        top_k=None if top_k is None else int(top_k),
    )


def _read_numbers(name: str, value: Any, row_axes: Mapping[Hashable, int]) -> np.ndarray:
    """Returns a number, or one for each row, as an array."""
    numbers = np.asarray(value.unwrap(*row_axes) if isinstance(value, NamedArray) else value)
    if not any(jnp.issubdtype(numbers.dtype, kind) for kind in (jnp.floating, jnp.integer)):
        raise TypeError(f"Expected `{name}` to be a number, but got {value!r}.")
    if numbers.shape not in ((), tuple(row_axes.values())):
        raise ValueError(
            f"Expected `{name}` to be one number, or one for each of the rows {dict(row_axes)} of "
            f"the prompt, but got an array of shape {numbers.shape}."
        )
    return numbers.astype(np.float32)


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
    likely = jnp.argmax(logits, axis=-1).astype(jnp.int32)
    if not settings.is_random:
        return likely
    heat = jnp.asarray(settings.temperature)[..., None]
    logits = logits.astype(jnp.float32)
    # Below zero, so that a tiny temperature makes no infinities that are all alike.
    scaled = (logits - jnp.max(logits, axis=-1, keepdims=True)) / jnp.where(heat > 0, heat, 1)
    if settings.top_k is None and settings.top_p is None:
        drawn = _draw(key, _limited(scaled, settings.min_p))
    else:
        # Sorted from the most likely on, both limits keep a beginning.
        limit = min(settings.top_k or scaled.shape[-1], scaled.shape[-1])
        values, tokens = jax.lax.top_k(scaled, limit)
        if settings.top_p is not None:
            shares = jax.nn.softmax(values, axis=-1)
            reached = jnp.cumsum(shares, axis=-1) - shares
            values = jnp.where(reached < jnp.asarray(settings.top_p)[..., None], values, -jnp.inf)
        place = _draw(key, _limited(values, settings.min_p))
        drawn = jnp.take_along_axis(tokens, place[..., None], axis=-1)[..., 0]
    return jnp.where(heat[..., 0] > 0, drawn, likely).astype(jnp.int32)


def _limited(logits: jax.Array, min_p: Any) -> jax.Array:
    """Takes away tokens that are much less likely than the most likely one."""
    if min_p is None:
        return logits
    greatest = jnp.max(logits, axis=-1, keepdims=True)
    return jnp.where(logits >= greatest + jnp.log(min_p)[..., None], logits, -jnp.inf)


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
    keys = _as_keys(rng.unwrap(*row_axes) if isinstance(rng, NamedArray) else rng)
    if keys is None:
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


def _as_keys(value: Any) -> jax.Array | None:
    """Returns keys in one array; None for what holds none."""
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if not parts or not all(isinstance(part, jax.Array | np.ndarray) for part in parts):
        return None
    keys = jnp.stack(parts) if isinstance(value, list | tuple) else jnp.asarray(value)
    is_key = keys.dtype == jnp.uint32 or jnp.issubdtype(keys.dtype, jax.dtypes.prng_key)
    return keys if is_key else None
