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
from typing import Any

import jax
import jax.numpy as jnp

from modeldata.models._sampling import SamplingSettings, choose_tokens, step_key
from modeldata.models.transformer import KVCachingTransformerLM
from modeldata.named import NamedArray
from modeldata.variables import StateVariable, bind_variables

_SEQ = "seq"


@jax.jit
def read_prompt_tokens(
    parts: Any,
    states: list[Any],
    tokens: NamedArray,
    positions: NamedArray,
    key: jax.Array | None,
    *,
    settings: SamplingSettings,
) -> tuple[jax.Array, list[Any]]:
    """Reads the prompt and chooses the first new token of each row.

    Args:
        parts: The model and its side inputs without state, and their parameters.
        states: The values of their state variables.
        tokens: The prompt.
        positions: The position of each token; -1 for padding.
        key: What tokens are drawn with.
        settings: How they are drawn.

    Returns:
        The tokens, and the new values of the state variables.
    """
    model, side_inputs, live = _bind(parts, states)
    rows = tuple(name for name in tokens.dims if name != _SEQ)
    last = NamedArray(data_array=jnp.argmax(positions.data_array, axis=-1), dims=rows)
    logits = model(tokens, token_positions=positions, output_slot=last, **side_inputs)
    if _SEQ in logits.named_shape:
        logits = logits[{_SEQ: last}]
    chosen = choose_tokens(_rows_first(logits, rows), step_key(key, 0), settings)
    return chosen, [variable.freeze() for variable in live]


@functools.partial(jax.jit, static_argnames=("stops", "has_own_state"))
def write_tokens(
    parts: Any,
    states: list[Any],
    buffer: jax.Array,
    count: jax.Array,
    positions: jax.Array,
    *,
    until: jax.Array,
    key: jax.Array | None,
    settings: SamplingSettings,
    stops: tuple[int, ...],
    has_own_state: bool,
) -> tuple[jax.Array, jax.Array, list[Any]]:
    """Writes more tokens, until there are enough or all rows have ended.

    Args:
        parts: The model and its side inputs without state, and their parameters.
        states: The values of their state variables.
        buffer: The tokens that are written, with places for more.
        count: How many there are.
        positions: The position of the first new token in each row.
        until: How many there shall be.
        key: What tokens are drawn with.
        settings: How they are drawn.
        stops: Tokens that end a row.
        has_own_state: Whether layers of the user hold state.

    Returns:
        The tokens, how many there are, and the new values of the state variables.
    """
    (caching, _), _ = parts
    rows = tuple(name for name, _ in caching.batch_axes)

    def is_stop(tokens: jax.Array) -> jax.Array:
        return jnp.isin(tokens, jnp.array(stops, tokens.dtype))

    def step(carry: Any) -> Any:
        index, current, buffer, states = carry
        model, side_inputs, live = _bind(parts, states)
        dims = (*rows, _SEQ)
        logits = model(
            NamedArray(data_array=current[..., None], dims=dims),
            token_positions=NamedArray(data_array=(positions + index - 1)[..., None], dims=dims),
            **side_inputs,
        )
        logits = _rows_first(logits[{_SEQ: 0}], rows)
        chosen = choose_tokens(logits, step_key(key, index), settings)
        current = jnp.where(is_stop(current), current, chosen)
        buffer = jax.lax.dynamic_update_index_in_dim(buffer, current, index, axis=-1)
        return index + 1, current, buffer, [variable.freeze() for variable in live]

    def is_unfinished(carry: Any) -> jax.Array:
        index, current, *_ = carry
        return (index < until) & ~jnp.all(is_stop(current))

    current = jax.lax.dynamic_index_in_dim(buffer, count - 1, axis=-1, keepdims=False)
    carry = (count, current, buffer, states)
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


def _bind(
    parts: Any, states: list[Any]
) -> tuple[KVCachingTransformerLM, dict[str, Any], list[StateVariable]]:
    unbound, static = parts
    live = [value.unfreeze_as_copy() for value in states]
    model, side_inputs = bind_variables(unbound, [*static, *live])
    return model, side_inputs, live


def _rows_first(logits: NamedArray, rows: tuple[Any, ...]) -> jax.Array:
    """Returns plain logits with the axes of the prompt in front."""
    if set(logits.named_shape) != {*rows, "vocabulary"}:
        raise ValueError(
            f"Expected logits with the axes {(*rows, 'vocabulary')}, those of the prompt and the "
            f"vocabulary, but the model made {logits.named_shape}. If an edit adds an axis, give "
            "the prompt that axis as well (`tokens.broadcast_to`)."
        )
    return logits.unwrap(*rows, "vocabulary")
