"""Steps of attention that transformers of all kinds share."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jax.typing import DTypeLike

from modeldata import nn
from modeldata.models.transformer._config import AttentionType, AttentionTypeSlidingWindowCausal


def score_layers(
    common_head_axes: Mapping[str, int],
    query_only_head_axes: Mapping[str, int],
    mask: nn.Layer,
    *,
    soft_cap: float | None = None,
    softmax: nn.Layer | None = None,
) -> list[nn.Layer]:
    """Returns the layers from queries and keys to how much each query attends to each key.

    Args:
        common_head_axes: Head axes of queries and keys.
        query_only_head_axes: Head axes that only queries have.
        mask: What takes away scores.
        soft_cap: The bound of the scores by tanh, or None.
        softmax: What makes weights of scores; left out, a plain softmax.
    """
    heads = [*common_head_axes], [*query_only_head_axes]
    layers: list[nn.Layer] = [einsum_over(*heads, summed="projection", made="kv_seq")]
    if soft_cap is not None:
        layers.append(nn.TanhSoftCap(soft_cap=soft_cap))
    return [*layers, mask, softmax or nn.Softmax("kv_seq")]


def causal_mask(kind: AttentionType, dtype: DTypeLike) -> nn.Layer:
    """Returns the mask of a kind of attention.

    Args:
        kind: The kind.
        dtype: The type of the scores.
    """
    masked_out = masked_out_value(dtype)
    if isinstance(kind, AttentionTypeSlidingWindowCausal):
        return nn.ApplyCausalSlidingWindowAttentionMask(
            masked_out_value=masked_out, sliding_window_size=kind.window_size
        )
    return nn.ApplyCausalAttentionMask(masked_out_value=masked_out)


def masked_out_value(dtype: DTypeLike) -> float:
    """Returns what stands for a forbidden score.

    It is not the lowest number there is, so that adding to it does not overflow to infinity.

    Args:
        dtype: The type of the scores.
    """
    return 0.7 * float(jnp.finfo(dtype).min)


def einsum_over(
    common_heads: list[Any], query_only_heads: list[Any], *, summed: str, made: str
) -> nn.NamedEinsum:
    """Multiplies queries, or their attention, with keys or values.

    Args:
        common_heads: Head axes of both.
        query_only_heads: Head axes that only queries have.
        summed: The axis that is summed.
        made: The axis that takes its place.
    """
    heads = {axis: axis for axis in common_heads}
    query_heads = {axis: axis for axis in (*common_heads, *query_only_heads)}
    return nn.NamedEinsum(
        input_axes=(
            {"seq": "query", **query_heads, summed: summed},
            {"seq": "kv_seq", **heads, "projection": "projection"},
        ),
        output_axes={"seq": "query", **query_heads, made: made},
    )


def rotary_layer(
    wavelength: float,
    *,
    subset_size: int | None = None,
    scale_factor: float = 1.0,
    scaling: nn.RoPEScaling | None = None,
) -> nn.Layer:
    """Returns the rotary embedding of queries or keys.

    Args:
        wavelength: The longest wavelength.
        subset_size: How many features are rotated, or None for all.
        scale_factor: What positions are divided by.
        scaling: How frequencies are changed.
    """
    options = {
        "embedding_axis": "projection",
        "max_wavelength": wavelength,
        "positions_input_name": "token_positions",
        "scale_factor": scale_factor,
        "scaling": scaling,
    }
    if subset_size is None:
        return nn.ApplyRoPE(**options)
    return nn.ApplyRoPEToSubset(**options, rope_subset_size=subset_size)
